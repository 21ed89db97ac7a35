"""Other processes that do a build's work before its turn comes.

A crew never decides anything: what it hands over is what the store would have remembered from an earlier build, under
the same keys, so a build with a crew is a warm build. Where there is none, or it dies, the build does all by itself.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from multiprocessing.connection import Connection
from typing import Any

__all__ = ["Crew", "size", "wanted"]

_FEW = 48  # jobs for which it is not worth starting a process
_MOST = 8  # processes


def size() -> int:
    """Say how many processes work at once: one for each core, none where there is one core or none can be forked."""
    if sys.platform != "linux":  # elsewhere a process that has threads must not be forked
        return 0
    cores = len(os.sched_getaffinity(0))
    return min(cores, _MOST) if cores > 1 else 0


def wanted(jobs: int) -> int:
    """Say how many processes that many jobs are worth."""
    return size() if jobs >= _FEW else 0


class Crew:
    """Does jobs in forked processes, which begin with all that this one knows.

    Args:
        jobs: their names, in the order in which they will be asked for.
        work: does a job; called in the other process. What it returns is pickled.
        prepare: called in each process with its share of the jobs, before the first.
        processes: how many; none where there are few jobs.
    """

    def __init__(
        self,
        jobs: Sequence[str],
        work: Callable[[str], Any],
        prepare: Callable[[Sequence[str]], None],
        processes: int | None = None,
    ):
        count = wanted(len(jobs)) if processes is None else processes
        self._answers: Mapping[str, Future[bytes | None]] = {job: Future() for job in jobs} if count else {}
        self._taken: set[str] = set()
        self._processes: list[Any] = []
        self._readers: list[threading.Thread] = []
        for number in range(count):
            share = jobs[number::count]
            ours, theirs = multiprocessing.Pipe(duplex=False)
            process = multiprocessing.get_context("fork").Process(
                target=_labour, args=(ours, theirs, share, work, prepare), daemon=True
            )
            with warnings.catch_warnings():  # the threads here are idle: they hold nothing that the other side asks for
                warnings.simplefilter("ignore", DeprecationWarning)
                process.start()
            theirs.close()
            reader = threading.Thread(target=self._read, args=(ours, share), daemon=True)
            self._processes.append(process)
            self._readers.append(reader)
        for reader in self._readers:  # when all are forked
            reader.start()

    def _read(self, pipe: Connection, share: Sequence[str]) -> None:
        """Take in what a process sends, in the order of its jobs; it sends nothing more once it is dead."""
        with pipe, contextlib.suppress(EOFError, OSError):
            for job in share:
                self._answers[job].set_result(pipe.recv_bytes())
        for job in share:
            if not self._answers[job].done():
                self._answers[job].set_result(None)

    def take(self, job: str) -> Any:
        """Wait for what a job came to; None where it failed, was taken before, or is none of the crew's."""
        if job in self._taken or job not in self._answers:
            return None
        self._taken.add(job)
        answer = self._answers[job].result()
        return pickle.loads(answer) if answer else None

    def close(self) -> None:
        """Send all home; what was not taken is lost."""
        for process in self._processes:
            process.terminate()
            process.join()
        for reader in self._readers:
            reader.join()
        self._processes, self._readers = [], []
        self._answers = {}

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _labour(
    ours: Connection,
    theirs: Connection,
    share: Sequence[str],
    work: Callable[[str], Any],
    prepare: Callable[[Sequence[str]], None],
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the build sends its crew home
    ours.close()
    prepare(share)
    for answer in _answers(share, work):
        theirs.send_bytes(answer)
    theirs.close()


def _answers(share: Sequence[str], work: Callable[[str], Any]) -> Iterator[bytes]:
    for job in share:
        try:
            yield pickle.dumps(work(job), pickle.HIGHEST_PROTOCOL)
        except Exception:  # whoever takes it does the job, and meets the error where it can be told
            yield b""
