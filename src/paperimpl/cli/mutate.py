"""`paperimpl mutate`: plant the listed bugs and make mutants of a model; see which its tests notice."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from paperimpl.mutation.operators import Mutant, mutants
from paperimpl.mutation.trials import Trials, Verdict
from paperimpl.vault.mutants import LEAST_KILLED, Bugs, Score, evidence_digest
from paperimpl.vault.paper import Paper
from paperimpl.vault.problem import Problem, VaultError, relative
from paperimpl.vault.write import write

__all__ = ["is_stale", "mutate", "plant"]

_LEAST_SECONDS = 10.0  # a change may be this slow before it counts as hanging, or ten times as slow as none


def is_stale(paper: Paper) -> bool:
    """Say whether a paper's mutation record is missing, or of another model, other tests or another bug list."""
    try:
        return Score.load(paper.places["mutants"]).digest != evidence_digest(paper)
    except (ValueError, FileNotFoundError, SyntaxError):
        return True


def mutate(
    papers: Iterable[Paper], repository: Path, jobs: int, console: Console, *, again: bool = False
) -> list[Problem]:
    """Try every listed bug and every mutant of some papers, and record each paper's score.

    Verdicts are kept in `.cache/mutants/` as they come in: an interruption loses those under way, and the next run
    goes on from there.

    Args:
        jobs: how many at a time.
        again: ask the tests again for what is known already.

    Returns:
        One problem for every bug that was not caught, for every mutant that is marked equivalent and is not, and
        for every paper of which less than 90% are killed.
    """
    problems: list[Problem] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with ExitStack() as stack:
        free: queue.Queue[Trials] = queue.Queue()
        for _ in range(jobs):
            free.put(stack.enter_context(Trials(repository)))
        pool = stack.enter_context(ThreadPoolExecutor(jobs))
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        bar = stack.enter_context(Progress(*columns, console=console, transient=True))
        for paper in papers:
            try:
                problems += _Examination(paper, free, pool, bar, console, again).run()
            except VaultError as wrong:
                problems += wrong.problems
            except SyntaxError as broken:
                where = relative(Path(broken.filename or ""), repository)
                problems.append(Problem(where, broken.lineno or 0, f"not Python: {broken.msg}", "mend it"))
    return problems


def plant(trials: Trials, paper: Paper, bug: Mapping[str, str]) -> Verdict:
    """Run the test that is to catch a listed bug, and that one only.

    Raises:
        VaultError: the bug's `old` does not stand exactly once in the model, or there is no such test.
    """
    if f"def {bug['caught_by']}(" not in paper.places["test"].read_text(encoding="utf-8"):
        message = f"{bug['what']!r}: no test is called {bug['caught_by']}"
        raise VaultError(Problem(paper.place("bugs"), 0, message, "name the one that catches it"))
    text = paper.places["model"].read_text(encoding="utf-8")
    if (count := text.count(bug["old"])) != 1:
        message = f"{bug['what']!r}: {bug['old']!r} stands {count} times in the model, not once"
        raise VaultError(Problem(paper.place("bugs"), 0, message, "mend `old`"))
    return trials.verdict(paper.slug, text.replace(bug["old"], bug["new"]), bug["caught_by"])


class _Examination:
    """One paper's bugs and mutants before its tests."""

    def __init__(
        self,
        paper: Paper,
        free: queue.Queue[Trials],
        pool: ThreadPoolExecutor,
        bar: Progress,
        console: Console,
        again: bool,
    ):
        self.paper, self.free, self.pool, self.bar, self.console = paper, free, pool, bar, console
        for kind in ("model", "test"):
            if not paper.places[kind].is_file():
                raise VaultError(Problem(paper.place(kind), 0, "is not there", "CONTRIBUTING.md says how to write it"))
        self.text = paper.places["model"].read_text(encoding="utf-8")
        self.bugs, self.digest = Bugs.read(paper), evidence_digest(paper)
        self.journal = _Journal(paper.repository / f".cache/mutants/{paper.slug}.jsonl", self.digest, again)

    def run(self) -> list[Problem]:
        bound = self._unchanged()
        found = mutants(self.text)
        verdicts, missed = self._try_all(found, bound)
        if evidence_digest(self.paper) != self.digest:
            where = self.paper.place("model")
            return [Problem(where, 0, "nothing recorded: code or tests changed in the meantime", "run it again")]
        return self._judge(found, verdicts, missed)

    def _unchanged(self) -> float:
        """See the model pass as it is; return the seconds that a changed one may take."""
        with_it = self._tried(lambda trials: trials.verdict(self.paper.slug, self.text, seconds=600))
        if with_it.killed:
            message = f"its tests fail without any change: {with_it.by}"
            raise VaultError(Problem(self.paper.place("test"), 0, message, f"pytest {self.paper.place('test')}"))
        return max(_LEAST_SECONDS, 10 * with_it.seconds)

    def _submit(self, trial: Callable[[Trials], Verdict]) -> Future[Verdict]:
        return self.pool.submit(self._tried, trial)

    def _tried(self, trial: Callable[[Trials], Verdict]) -> Verdict:
        trials = self.free.get()
        try:
            return trial(trials)
        finally:
            self.free.put(trials)

    def _try_all(self, found: list[Mutant], bound: float) -> tuple[dict[tuple[str, str, str], str], list[Problem]]:
        """Return what killed each mutant, empty for a survivor; and the listed bugs that were not caught."""
        slug = self.paper.slug
        waiting: dict[Future[Verdict], tuple[str, ...]] = {}
        for bug in self.bugs.planted:
            key = ("bug", bug["old"], bug["new"], bug["caught_by"])
            if key not in self.journal.known:
                waiting[self._submit(partial(plant, paper=self.paper, bug=bug))] = key
        for mutant in found:
            if ("mutant", *mutant.key) not in self.journal.known:
                trial = partial(Trials.verdict, slug=slug, source=mutant.source, seconds=bound)
                waiting[self._submit(trial)] = ("mutant", *mutant.key)
        total = len(self.bugs.planted) + len(found)
        task = self.bar.add_task(slug, total=total, completed=total - len(waiting))
        for done in as_completed(waiting):
            self.journal.add(waiting[done], done.result().by if done.result().killed else "")
            self.bar.advance(task)
        self.bar.remove_task(task)
        missed = [
            Problem(
                self.paper.place("bugs"),
                0,
                f"{bug['what']!r} was planted, and {bug['caught_by']} did not fail",
                "mend the test, or name the one that catches it",
            )
            for bug in self.bugs.planted
            if not self.journal.known["bug", bug["old"], bug["new"], bug["caught_by"]].startswith(bug["caught_by"])
        ]
        return {mutant.key: self.journal.known["mutant", *mutant.key] for mutant in found}, missed

    def _judge(
        self, found: list[Mutant], verdicts: dict[tuple[str, str, str], str], missed: list[Problem]
    ) -> list[Problem]:
        """Tell of survivors, and record the score unless a listed bug or equivalence is not what the list says."""
        problems = list(missed)
        excused = {(mutant["in"], mutant["old"], mutant["new"]): mutant["why"] for mutant in self.bugs.equivalent}
        for key in excused:
            change = f"[[equivalent]] in {key[0]!r}: {key[1]!r} → {key[2]!r}"
            if key not in verdicts:
                problems.append(Problem(self.paper.place("bugs"), 0, f"{change}: no such mutant", "take it out"))
            elif verdicts[key]:
                message = f"{change}: {verdicts[key]} tells them apart"
                problems.append(Problem(self.paper.place("bugs"), 0, message, "take it out"))
        survived = [mutant for mutant in found if not verdicts[mutant.key]]
        unexcused = [mutant for mutant in survived if mutant.key not in excused]
        score = Score(
            self.digest,
            len(self.bugs.planted),
            len(found) - (len(survived) - len(unexcused)),
            len(found) - len(survived),
            [{"in": m.symbol, "what": m.what, "old": m.old, "new": m.new} for m in unexcused],
            len(survived) - len(unexcused),
        )
        for mutant in unexcused:
            told = f"{self.paper.place('model')}:{mutant.line}: survived, {mutant.what}: {mutant.old} → {mutant.new}"
            self.console.print(told, markup=False, soft_wrap=True)
        told = f"{self.paper.slug}: {score.killed} of {score.total} mutants killed, {score.share:.1%}"
        self.console.print(f"{told}; {score.equivalent} equivalent; {score.planted} bugs planted", soft_wrap=True)
        if problems:
            return problems
        write(self.paper.places["mutants"], score.dump())
        if score.share < LEAST_KILLED:
            message = f"{score.share:.1%} of the mutants are killed, fewer than {LEAST_KILLED:.0%}"
            remedy = (
                f"write tests that see the survivors, or mark in {self.paper.place('bugs')} those that change nothing"
            )
            problems.append(Problem(self.paper.place("mutants"), 0, message, remedy))
        return problems


class _Journal:
    """Verdicts as they come in, a line each; lines of other code, and a last one that is not whole, do not count."""

    def __init__(self, path: Path, digest: str, again: bool):
        self.known: dict[tuple[str, ...], str] = {}
        self._path, self._lock = path, threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text(encoding="utf-8").split("\n") if path.is_file() and not again else []
        if lines[:1] == [digest]:
            for line in lines[1:-1]:
                *key, by = json.loads(line)
                self.known[tuple(key)] = by
        write(path, "\n".join([digest, *(json.dumps([*key, by]) for key, by in self.known.items())]) + "\n")

    def add(self, key: tuple[str, ...], by: str) -> None:
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([*key, by]) + "\n")
        self.known[key] = by
