"""`paperimpl run` and `paperimpl draw`: claims to results, results to figures."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from paperimpl.vault.digest import digest
from paperimpl.vault.paper import Paper
from paperimpl.vault.problem import Problem
from paperimpl.vault.result import Recorded, Run
from paperimpl.vault.write import write

__all__ = ["draw_figures", "is_stale", "run_claims"]


def is_stale(paper: Paper) -> bool:
    """Say whether a paper has a claim and no valid result of that very code."""
    places = paper.places
    if not places["claim"].is_file():
        return False
    try:
        recorded = Recorded.load(places["result"])
    except (ValueError, FileNotFoundError):
        return True
    return recorded.digest != digest(places["claim"], paper.repository / "src")


def run_claims(papers: Iterable[Paper], seeds: Sequence[int], jobs: int, console: Console) -> list[Problem]:
    """Run claims, a process a seed, and record each paper's result when all its seeds are in.

    An interruption loses the seeds of papers that are not finished and touches no file of theirs.

    Returns:
        One problem for every paper whose claim crashed or did not hold; a claim that does not hold is recorded
        like any other.
    """
    problems: list[Problem] = []
    context = multiprocessing.get_context("spawn")  # a fork would inherit torch's threads
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )
    with bar, ProcessPoolExecutor(jobs, mp_context=context, max_tasks_per_child=8) as pool:
        try:
            waiting: dict[Future[tuple[Run, dict[str, str]]], Paper] = {}
            done: dict[str, list[tuple[Run, dict[str, str]]]] = {}
            tasks = {}
            digests = {}
            for paper in papers:
                # Before the first run: code edited while it runs must not pass for the code that ran.
                digests[paper.slug] = digest(paper.places["claim"], paper.repository / "src")
                tasks[paper.slug] = bar.add_task(paper.slug, total=len(seeds))
                done[paper.slug] = []
                waiting |= {pool.submit(_run, paper.slug, seed): paper for seed in seeds}
            for future in as_completed(waiting):
                paper = waiting[future]
                bar.advance(tasks[paper.slug])
                try:
                    done[paper.slug].append(future.result())
                except Exception as crash:  # a claim may raise anything; the other papers go on
                    problems.append(
                        Problem(paper.place("claim"), _line(crash, paper), f"{type(crash).__name__}: {crash}")
                    )
                    continue
                if len(done[paper.slug]) == len(seeds):
                    problems += _record(paper, done.pop(paper.slug), digests[paper.slug], console)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list((pool._processes or {}).values()):
                process.terminate()
            raise
    return problems


def _run(slug: str, seed: int) -> tuple[Run, dict[str, str]]:
    from paperimpl.lab.run import run

    return run(slug, seed)


def _record(paper: Paper, done: list[tuple[Run, dict[str, str]]], digest: str, console: Console) -> list[Problem]:
    from paperimpl.lab.run import about, made_with

    says, threshold = about(paper.slug)
    runs = sorted((run for run, _ in done), key=lambda run: run.seed)
    recorded = Recorded(says, threshold, digest, done[0][1], runs, made_with())
    write(paper.places["result"], recorded.dump())
    draw_figures([paper], console)
    failed = [run.seed for run in runs if not run.holds]
    console.print(f"{paper.slug}: held in {len(runs) - len(failed)} of {len(runs)} seeds, {_summary(recorded)}")
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


def _line(crash: BaseException, paper: Paper) -> int:
    """The line of the claim in a traceback; a worker process sends its own as text."""
    import re

    told = str(crash.__cause__ or "")
    lines = re.findall(rf'claims/{paper.slug}\.py", line (\d+)', told)
    return int(lines[-1]) if lines else 0


def draw_figures(papers: Iterable[Paper], console: Console) -> None:
    """Draw every paper's figure from its result; nothing is run."""
    from paperimpl.lab.figure import draw

    for paper in papers:
        figure = draw(Recorded.load(paper.places["result"]), paper.slug)
        if write(paper.places["figure"], figure):
            console.print(f"drew {paper.place('figure')}")
