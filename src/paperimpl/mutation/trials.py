"""Put a changed model before its paper's tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from paperimpl.mutation import nursery

__all__ = ["Trials", "Verdict"]

_PASSED, _FAILED, _BROKEN, _USAGE = 0, 1, 2, (4, 5)


@dataclass(frozen=True)
class Verdict:
    """What the tests said of a changed model.

    Attributes:
        killed: whether they noticed.
        by: the first test that failed; `timeout`, `crash` or `import` where the code did not get that far; empty
            where none did.
        failed: all tests that failed, of those that ran.
        seconds: what it took.
        told: the end of what pytest printed.
    """

    killed: bool
    by: str
    failed: tuple[str, ...]
    seconds: float
    told: str


class Trials:
    """A warm process that tries changed models, one after the other; a context manager.

    It has a copy of the code from when it was made: edits that come later do not disturb it.
    """

    def __init__(self, repository: Path):
        self._process = subprocess.Popen(
            [sys.executable, nursery.__file__, str(repository)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            start_new_session=True,  # Ctrl-C is for the command, which ends this one
        )

    def __enter__(self) -> Trials:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._process.communicate()  # the end of its input is its end
            return
        if hasattr(os, "killpg"):
            os.killpg(self._process.pid, 15)
        else:
            self._process.kill()
        self._process.communicate()

    def verdict(self, slug: str, source: str, *tests: str, first: bool = True, seconds: float = 60) -> Verdict:
        """Try a model's changed source.

        Args:
            tests: names of tests to run; none for the paper's whole file.
            first: stop at the first failure.
            seconds: after which a change that makes the code hang counts as killed.

        Raises:
            RuntimeError: the process is gone, or pytest found no such test.
        """
        request = {"slug": slug, "source": source, "tests": tests, "first": first, "seconds": seconds}
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
        except (OSError, ValueError) as gone:
            raise RuntimeError("the process that runs the tests has ended; its own words are above") from gone
        status, failed = answer["status"], tuple(answer["failed"])
        if status in _USAGE:
            raise RuntimeError(f"pytest ran no test of {slug}: {answer['told']}")
        by = failed[0] if failed else ""
        if status == nursery.TOO_LONG:
            by = "timeout"
        elif status < 0 or status > _BROKEN:
            by = "crash"
        elif status == _BROKEN:
            by = "import"
        return Verdict(status != _PASSED, by, failed, answer["seconds"], answer["told"])
