"""`paperimpl run` and `paperimpl draw`: claims to results, results to figures."""

from __future__ import annotations

import multiprocessing
import re
import signal
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from paperimpl.vault.digest import digest
from paperimpl.vault.paper import Paper
from paperimpl.vault.problem import Problem, relative
from paperimpl.vault.result import LEAST_SEEDS, Recorded, Run
from paperimpl.vault.write import write

__all__ = ["draw_figures", "is_stale", "run_claims"]


def is_stale(paper: Paper) -> bool:
    """Say whether a paper has a claim and no valid result of that very code; code that does not parse is stale."""
    places = paper.places
    if not places["claim"].is_file():
        return False
    try:
        return Recorded.load(places["result"]).digest != digest(places["claim"], paper.repository / "src")
    except (ValueError, FileNotFoundError, SyntaxError):
        return True


def run_claims(papers: Iterable[Paper], seeds: Sequence[int], jobs: int, console: Console) -> list[Problem]:
    """Run claims, a process a seed, and record each paper's result when all its seeds are in; fewer than
    five are shown and not recorded.

    An interruption loses the seeds of papers that are not finished and touches no file of theirs.

    Returns:
        One problem for every paper whose claim crashed or did not hold; a claim that does not hold is recorded
        like any other.
    """
    problems: list[Problem] = []
    crashed: dict[str, Problem] = {}
    context = multiprocessing.get_context("spawn")  # a fork would inherit torch's threads
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )
    with bar, ProcessPoolExecutor(jobs, mp_context=context, initializer=_deaf) as pool:
        try:
            waiting: dict[Future[tuple[Run, dict[str, str]]], tuple[Paper, int]] = {}
            done: dict[str, list[tuple[Run, dict[str, str]]]] = {}
            tasks = {}
            digests = {}
            for paper in papers:
                # Before the first run: code edited while it runs must not pass for the code that ran.
                try:
                    digests[paper.slug] = digest(paper.places["claim"], paper.repository / "src")
                except SyntaxError as broken:
                    where = relative(Path(broken.filename or ""), paper.repository)
                    problems.append(Problem(where, broken.lineno or 0, f"not Python: {broken.msg}", "mend it"))
                    continue
                tasks[paper.slug] = bar.add_task(paper.slug, total=len(seeds))
                done[paper.slug] = []
                waiting |= {pool.submit(_run, paper.slug, seed): (paper, seed) for seed in seeds}
            for future in as_completed(waiting):
                paper, seed = waiting[future]
                bar.advance(tasks[paper.slug])
                try:
                    done[paper.slug].append(future.result())
                except Exception as crash:  # a claim may raise anything; the other papers go on
                    crashed.setdefault(paper.slug, _crash(crash, paper, seed))
                    continue
                if len(done[paper.slug]) == len(seeds):
                    problems += _record(paper, done.pop(paper.slug), digests[paper.slug], console)
        except BaseException:
            workers = list((pool._processes or {}).values())  # shutdown() forgets them
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.terminate()
            raise
    return [*problems, *crashed.values()]


def _deaf() -> None:
    """Leave Ctrl-C to the main process, which ends the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run(slug: str, seed: int) -> tuple[Run, dict[str, str]]:
    from paperimpl.lab.run import run

    return run(slug, seed)


def _record(paper: Paper, done: list[tuple[Run, dict[str, str]]], digest: str, console: Console) -> list[Problem]:
    from paperimpl.lab.run import about, effect, made_with, sizes

    says, threshold = about(paper.slug)
    runs = sorted((run for run, _ in done), key=lambda run: run.seed)
    if not runs[0].measured or any(set(run.measured) != set(runs[0].measured) for run in runs):
        remedy = "let every seed measure the same, at least one number"
        return [Problem(paper.place("claim"), 0, "nothing recorded: its seeds measured different things", remedy)]
    recorded = Recorded(
        says,
        threshold,
        digest,
        done[0][1],
        runs,
        made_with(),
        effect=effect(paper.slug),
        sizes=tuple(sizes(paper.slug)),
    )
    enough = len(runs) >= LEAST_SEEDS
    if enough:
        write(paper.places["result"], recorded.dump())
        draw_figures([paper], console)
    failed = [run.seed for run in runs if not run.holds]
    console.print(f"{paper.slug}: held in {len(runs) - len(failed)} of {len(runs)} seeds, {_summary(recorded)}")
    if found := recorded.estimate:
        interval = f"{found.low:.4g} to {found.high:.4g}"
        console.print(f"{paper.slug}: {recorded.verdict}, effect {found.mean:.4g}, 95% interval {interval}")
    if not enough:
        console.print(f"{paper.slug}: not recorded, a result takes {LEAST_SEEDS} seeds")
    if failed:
        seeds = ", ".join(map(str, failed))
        return [Problem(paper.place("result"), 0, f"the claim did not hold for seed {seeds}", "that is a finding")]
    return []


def _summary(recorded: Recorded) -> str:
    parts = []
    for key in recorded.keys:
        values = recorded.values(key)
        parts.append(f"{key} {min(values):.4g}..{max(values):.4g}")
    return ", ".join(parts)


def _crash(crash: Exception, paper: Paper, seed: int) -> Problem:
    """Say what a claim raised, and on which of its lines; a worker process sends its traceback as text."""
    lines = re.findall(rf'claims[/\\]{paper.slug}\.py", line (\d+)', str(crash.__cause__ or ""))
    what = " ".join(f"seed {seed}: {type(crash).__name__}: {crash}".split())
    remedy = f'python -c "from paperimpl.claims.{paper.slug} import claim; claim({seed})" shows how it came to that'
    return Problem(paper.place("claim"), int(lines[-1]) if lines else 0, what, remedy)


def draw_figures(papers: Iterable[Paper], console: Console) -> list[Problem]:
    """Draw every paper's figure from its result; nothing is run.

    Returns:
        One problem for every result that cannot be read.
    """
    from paperimpl.lab.figure import draw

    problems = []
    for paper in papers:
        try:
            recorded = Recorded.load(paper.places["result"])
        except ValueError as broken:
            problems.append(Problem(paper.place("result"), 0, str(broken), f"paperimpl run {paper.slug}"))
            continue
        if write(paper.places["figure"], draw(recorded, paper.slug)):
            console.print(f"drew {paper.place('figure')}", soft_wrap=True)
    return problems
