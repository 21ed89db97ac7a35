"""Run claims in several processes: of this machine, or of a cluster.

joblib does both behind one call: loky's processes here, and where `cluster` names one, a Dask scheduler. Dask rather
than Ray, because joblib ships its backend and tests it, `distributed` is pure Python of a few MB (Ray: over 200), a
worker is one command, and the scheduler gives the task of a worker that has died to another one.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
import traceback
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

import paperimpl
from paperimpl.lab.device import unusable
from paperimpl.lab.run import made_with, run
from paperimpl.vault.digest import digest
from paperimpl.vault.problem import Problem, VaultError
from paperimpl.vault.result import Run

__all__ = ["Crash", "Measured", "Task", "facts", "outcomes"]

_PATIENCE = "5s"  # for a scheduler to answer
_ATTEMPTS = 3  # with local workers that are killed
_ALONE = threading.Lock()  # a cluster's worker may have threads, and a claim seeds the one global generator


@dataclass(frozen=True)
class Task:
    """One seed of one claim.

    Attributes:
        digest: of the claim's code; a worker that has other code refuses.
        settings: keyword arguments for the claim, its device among them; none for its defaults.
    """

    slug: str
    seed: int
    digest: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def device(self) -> str:
        """Where its tensors are to be."""
        return str(self.settings.get("device", "cpu"))


@dataclass(frozen=True)
class Measured:
    """What a task measured, its units, and the versions that it ran with."""

    run: Run
    units: Mapping[str, str]
    made_with: Mapping[str, str]


def facts(done: Iterable[Measured]) -> dict[str, str]:
    """Name what runs were made with, all of it where machines or devices differ."""
    made_with = [measured.made_with for measured in done]
    return {fact: "; ".join(dict.fromkeys(each[fact] for each in made_with)) for fact in made_with[0]}


@dataclass(frozen=True)
class Crash:
    """Why a task measured nothing: what was raised, and the line of the claim that it came from, or 0."""

    what: str
    line: int = 0


def outcomes(
    tasks: Sequence[Task], jobs: int, cluster: str = ""
) -> Generator[tuple[Task, Measured | Crash], None, None]:
    """Run tasks and yield each with its outcome as it comes in. Closing the iterator ends the workers.

    What a killed worker was at is done again by another one; what has been yielded never is.

    Args:
        jobs: how many processes, here; a cluster has as many as it has.
        cluster: the address of a Dask scheduler.

    Raises:
        VaultError: no cluster answers at the address, or it has no workers.
    """
    remaining = dict(enumerate(tasks))
    with _backend(cluster):
        for _ in range(_ATTEMPTS):
            parallel = joblib.Parallel(n_jobs=-1 if cluster else jobs, return_as="generator_unordered", batch_size=1)
            done = parallel(joblib.delayed(_attempt)(n, task, os.getpid()) for n, task in list(remaining.items()))
            with contextlib.suppress(TerminatedWorkerError), contextlib.closing(done):
                for n, outcome in done:
                    yield remaining.pop(n), outcome
            if not remaining:
                return
    for task in remaining.values():
        yield task, Crash(f"its worker process was killed {_ATTEMPTS} times; is memory short?")


@contextlib.contextmanager
def _backend(cluster: str) -> Iterator[None]:
    if not cluster:
        with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
            yield
        return
    from distributed import Client
    from distributed.comm.addressing import get_address_host_port

    remedy = f"start it, `dask scheduler` and `dask worker {cluster}`, or mend --cluster"
    try:
        get_address_host_port(cluster)  # a client that has met no address complains once more when it is collected
        client: Any = Client(cluster, timeout=_PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError, OverflowError) as failed:
        raise VaultError(Problem(cluster, 0, f"no Dask scheduler answers: {_line(failed)}", remedy)) from None
    with client:
        if not client.ncores():
            raise VaultError(Problem(cluster, 0, "the scheduler has no workers", remedy))
        with joblib.parallel_config(backend="dask", client=client):
            yield


def _attempt(number: int, task: Task, command: int) -> tuple[int, Measured | Crash]:
    """Do a task in a worker; with one job, that is the command's own process, whose number is `command`."""
    if os.getpid() != command and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command, which ends its workers
    with _ALONE:
        try:
            source = Path(paperimpl.__file__).parents[1]
            if digest(source / f"paperimpl/claims/{task.slug}.py", source) != task.digest:
                return number, Crash(f"the worker's code, in {source}, is not this repository's: install it there")
            if wrong := unusable(task.device):  # a cluster's worker, whose machine the command has not seen
                return number, Crash(f"{task.device}: {wrong.message}")
            measured, units = run(task.slug, task.seed, **task.settings)
            return number, Measured(measured, units, made_with(task.device))
        except Exception as crash:  # a claim may raise anything; the other tasks go on
            lines = re.findall(rf'claims[/\\]{task.slug}\.py", line (\d+)', traceback.format_exc())
            return number, Crash(f"{type(crash).__name__}: {_line(crash)}", int(lines[-1]) if lines else 0)


def _line(failed: Exception) -> str:
    return " ".join(str(failed).split()) or type(failed).__name__
