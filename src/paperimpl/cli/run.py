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
from paperimpl.vault.problem import Problem, VaultError, relative
from paperimpl.vault.result import LEAST_SEEDS, Recorded
from paperimpl.vault.write import write

if TYPE_CHECKING:  # it imports torch, which drawing does without
    from paperimpl.lab.engine import Crash, Measured

__all__ = ["crashed", "draw_figures", "is_stale", "run_claims"]


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
    papers: Iterable[Paper],
    seeds: Sequence[int],
    jobs: int,
    console: Console,
    cluster: str = "",
    device: str = "cpu",
) -> list[Problem]:
    """Run claims, a process a seed, and record each paper's result when all its seeds are in; fewer than
    five are shown and not recorded.

    An interruption loses the seeds of papers that are not finished and touches no file of theirs.

    Args:
        jobs: how many processes of this machine.
        cluster: the address of a Dask scheduler, whose workers then run them instead.
        device: where tensors are to be.

    Returns:
        One problem for every paper whose claim crashed. A claim that does not hold is a finding, recorded and
        published like any other: a problem that is no error.

    Raises:
        VaultError: the cluster does not answer, or there is no such device; nothing was run.
    """
    from paperimpl.lab.device import unusable
    from paperimpl.lab.engine import Crash, Task, outcomes

    if wrong := unusable(device, here=not cluster):
        raise VaultError(wrong)
    settings = {} if device == "cpu" else {"device": device}
    problems: list[Problem] = []
    crashes: dict[str, Problem] = {}
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
        tasks += [Task(paper.slug, seed, code, settings) for seed in seeds]
    done: dict[str, list[Measured]] = {slug: [] for slug in by_slug}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar, contextlib.closing(outcomes(tasks, jobs, cluster)) as coming:
        rows = {slug: bar.add_task(slug, total=len(seeds)) for slug in by_slug}
        for task, outcome in coming:
            paper = by_slug[task.slug]
            bar.advance(rows[task.slug])
            if isinstance(outcome, Crash):
                crashes.setdefault(task.slug, crashed(outcome, paper, task.seed))
                continue
            done[task.slug].append(outcome)
            if len(done[task.slug]) == len(seeds):
                problems += _record(paper, done.pop(task.slug), task.digest, console)
    return [*problems, *crashes.values()]


def _record(paper: Paper, done: list[Measured], digest: str, console: Console) -> list[Problem]:
    from paperimpl.lab.engine import facts
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
        facts(done),
        effect=effect(paper.slug),
        sizes=tuple(sizes(paper.slug)),
    )
    enough = len(runs) >= LEAST_SEEDS
    problems = []
    if enough:
        problems += _moved(paper, recorded)
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
        message = f"the claim did not hold for seed {', '.join(map(str, failed))}"
        remedy = "a finding, recorded and published like any other; `findings` in the note's record says why"
        problems.append(Problem(paper.place("result"), 0, message, remedy if enough else "nothing recorded", False))
    return problems


def _moved(paper: Paper, recorded: Recorded) -> list[Problem]:
    """Say, as no error, that the result to be replaced was measured on another device: numbers may differ for that."""
    try:
        before = Recorded.load(paper.places["result"])
    except (ValueError, FileNotFoundError):
        return []
    if before.device == recorded.device:
        return []
    message = f"measured on {recorded.device}, the result that this one replaces on {before.device}"
    return [Problem(paper.place("result"), 0, message, "the paper's page says where", False)]


def _summary(recorded: Recorded) -> str:
    parts = []
    for key in recorded.keys:
        values = recorded.values(key)
        parts.append(f"{key} {min(values):.4g}..{max(values):.4g}")
    return ", ".join(parts)


def crashed(crash: Crash, paper: Paper, seed: int) -> Problem:
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
