"""`paperimpl run` and `paperimpl draw`: claims to results, results to figures."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from paperimpl.vault.digest import digest
from paperimpl.vault.paper import Paper
from paperimpl.vault.problem import Problem, relative
from paperimpl.vault.result import LEAST_SEEDS, Recorded
from paperimpl.vault.write import write

if TYPE_CHECKING:  # it imports torch, which drawing does without
    from paperimpl.lab.engine import Crash, Measured

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


def run_claims(
    papers: Iterable[Paper], seeds: Sequence[int], jobs: int, console: Console, cluster: str = ""
) -> list[Problem]:
    """Run claims, a process a seed, and record each paper's result when all its seeds are in; fewer than
    five are shown and not recorded.

    An interruption loses the seeds of papers that are not finished and touches no file of theirs.

    Args:
        jobs: how many processes of this machine.
        cluster: the address of a Dask scheduler, whose workers then run them instead.

    Returns:
        One problem for every paper whose claim crashed or did not hold; a claim that does not hold is recorded
        like any other.

    Raises:
        VaultError: the cluster does not answer.
    """
    from paperimpl.lab.engine import Crash, Task, outcomes

    problems: list[Problem] = []
    crashed: dict[str, Problem] = {}
    by_slug: dict[str, Paper] = {}
    tasks: list[Task] = []
    for paper in papers:
        # Before the first run: code edited while it runs must not pass for the code that ran.
        try:
            code = digest(paper.places["claim"], paper.repository / "src")
        except SyntaxError as broken:
            where = relative(Path(broken.filename or ""), paper.repository)
            problems.append(Problem(where, broken.lineno or 0, f"not Python: {broken.msg}", "mend it"))
            continue
        by_slug[paper.slug] = paper
        tasks += [Task(paper.slug, seed, code) for seed in seeds]
    done: dict[str, list[Measured]] = {slug: [] for slug in by_slug}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar, contextlib.closing(outcomes(tasks, jobs, cluster)) as coming:
        rows = {slug: bar.add_task(slug, total=len(seeds)) for slug in by_slug}
        for task, outcome in coming:
            paper = by_slug[task.slug]
            bar.advance(rows[task.slug])
            if isinstance(outcome, Crash):
                crashed.setdefault(task.slug, _crash(outcome, paper, task.seed))
                continue
            done[task.slug].append(outcome)
            if len(done[task.slug]) == len(seeds):
                problems += _record(paper, done.pop(task.slug), task.digest, console)
    return [*problems, *crashed.values()]


def _record(paper: Paper, done: list[Measured], digest: str, console: Console) -> list[Problem]:
    from paperimpl.lab.run import about, effect, sizes

    says, threshold = about(paper.slug)
    runs = sorted((measured.run for measured in done), key=lambda run: run.seed)
    if not runs[0].measured or any(set(run.measured) != set(runs[0].measured) for run in runs):
        remedy = "let every seed measure the same, at least one number"
        return [Problem(paper.place("claim"), 0, "nothing recorded: its seeds measured different things", remedy)]
    recorded = Recorded(
        says,
        threshold,
        digest,
        done[0].units,
        runs,
        done[0].made_with,
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


def _crash(crash: Crash, paper: Paper, seed: int) -> Problem:
    """Say what a claim raised, and on which of its lines."""
    remedy = f'python -c "from paperimpl.claims.{paper.slug} import claim; claim({seed})" shows how it came to that'
    return Problem(paper.place("claim"), crash.line, f"seed {seed}: {crash.what}", remedy)


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
