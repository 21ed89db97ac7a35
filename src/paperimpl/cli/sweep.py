"""`paperimpl sweep`: the grid over a claim's keyword arguments, resumed where it was interrupted."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from paperimpl.lab.device import unusable
from paperimpl.lab.engine import Crash, Measured, Task, outcomes
from paperimpl.lab.sweep import Runs, grid, label, page, track
from paperimpl.vault.digest import digest
from paperimpl.vault.paper import Paper
from paperimpl.vault.problem import Problem, VaultError, relative
from paperimpl.vault.write import write

__all__ = ["sweep"]


def sweep(
    paper: Paper,
    settings: Sequence[str],
    seeds: Sequence[int],
    into: Path,
    jobs: int,
    console: Console,
    cluster: str = "",
) -> list[Problem]:
    """Run what is missing of a grid, each run to a file of its own in `into/runs`, and draw the comparison.

    Returns:
        One problem for every run that crashed.

    Raises:
        VaultError: a setting is wrong, there is no such device, a run's file is broken, the cluster does not answer;
            nothing was run.
    """
    code = digest(paper.places["claim"], paper.repository / "src")
    tasks = [Task(paper.slug, seed, code, chosen) for chosen in grid(paper.slug, settings) for seed in seeds]
    unknown = [unusable(device, here=not cluster) for device in dict.fromkeys(task.device for task in tasks)]
    if wrong := list(filter(None, unknown)):
        raise VaultError(*wrong)
    runs = Runs(into / "runs")
    done = {n: measured for n, task in enumerate(tasks) if (measured := runs.read(task))}
    waiting = [task for n, task in enumerate(tasks) if n not in done]
    if done:
        console.print(f"{len(done)} of {len(tasks)} runs are there already")
    tracked = importlib.util.find_spec("trackio") is not None
    problems = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar, contextlib.closing(outcomes(waiting, jobs, cluster)) as coming:
        row = bar.add_task(paper.slug, total=len(tasks), completed=len(done))
        for task, outcome in coming:
            bar.advance(row)
            if isinstance(outcome, Crash):
                message = f"{label(task.settings)}, seed {task.seed}: {outcome.what}"
                problems.append(Problem(paper.place("claim"), outcome.line, message, "the other runs are kept"))
                continue
            runs.write(task, outcome)
            done[tasks.index(task)] = outcome
            if tracked:
                track(task, outcome)
    if done:
        _draw(paper, [(tasks[n], measured) for n, measured in done.items()], into, console)
    return problems


def _draw(paper: Paper, done: list[tuple[Task, Measured]], into: Path, console: Console) -> None:
    note, figure = page(paper.slug, done)
    write(into / f"{paper.slug}.sweep.svg", figure)
    write(into / f"{paper.slug}.sweep.md", note)
    where = relative(into / f"{paper.slug}.sweep.md", paper.repository)
    console.print(f"{len(done)} runs compared in {where}", soft_wrap=True)
