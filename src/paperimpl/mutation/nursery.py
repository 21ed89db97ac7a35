"""Run papers' tests against changed models, each in a fork of one process that has imported all they need.

A program, not a module: it must not import `paperimpl`, for its forks import the copy with the change. It reads a
request a line from standard input and answers a line on standard output:

    {"slug": "lstm", "source": "...", "tests": ["test_a"], "first": true, "seconds": 30}
    {"status": 1, "failed": ["test_a[3]"], "seconds": 0.4, "told": "..."}

`tests`: names, none for the whole file; `first`: stop at the first failure. `status` is pytest's, negative for the
signal that ended the process, -14 (SIGALRM) where it took too long.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

TOO_LONG = -14
# Assertions run as they are written; what pytest would do to explain them, and other plugins, cost more than a test.
_OPTIONS = ["-q", "--assert=plain", "--tb=line", "-p", "no:cacheprovider"]
_OPTIONS += ["-p", "no:unraisableexception", "-p", "no:threadexception", "-p", "no:faulthandler"]


def _warm() -> None:
    """Import what every test needs, and nothing of ours."""
    for name in ("beartype", "hypothesis", "hypothesis.strategies", "jaxtyping", "pytest", "torch.testing"):
        __import__(name)
    import torch

    torch.set_num_threads(1)
    torch.testing.assert_close(torch.ones(1), torch.ones(1))
    torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    assert "paperimpl" not in sys.modules
    gc.collect()
    gc.freeze()  # a fork then neither walks nor copies what is here already


class _Failures:
    """A pytest plugin that notes what failed."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.names.append(report.nodeid.rpartition("::")[2])


def _test(source: Path, answer: Path, request: dict[str, Any], root: Path) -> int:
    """Run the tests in this very process, which is at its end afterwards."""
    import pytest

    os.chdir(root)
    sys.path.insert(0, str(source))
    sys.dont_write_bytecode = True
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    file = f"tests/papers/test_{request['slug']}.py"
    chosen = [f"{file}::{name}" for name in request["tests"]] or [file]
    failures = _Failures()
    status = pytest.main([*_OPTIONS, *(["-x"] if request["first"] else []), *chosen], plugins=[failures])
    answer.write_text(json.dumps(failures.names), encoding="utf-8")
    return int(status)


def _forked(source: Path, answer: Path, request: dict[str, Any], root: Path, told: Path) -> int:
    child = os.fork()
    if child == 0:
        status = 3
        with told.open("w", encoding="utf-8") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)  # the kernel ends a fork that hangs, wherever it does
            signal.setitimer(signal.ITIMER_REAL, request["seconds"])
            try:
                status = _test(source, answer, request, root)
            except BaseException:  # nothing may unwind into the parent's stack
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _spawned(source: Path, answer: Path, request: dict[str, Any], root: Path, told: Path) -> int:
    """As above where there is no fork: a process of its own, seconds more."""
    with told.open("w", encoding="utf-8") as file:
        command = [sys.executable, __file__, str(root), str(source), str(answer), json.dumps(request | {"source": ""})]
        try:
            return subprocess.run(
                command, stdout=file, stderr=subprocess.STDOUT, timeout=request["seconds"] + 30, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            return TOO_LONG


def serve(root: Path) -> None:
    """Answer requests until standard input ends."""
    with tempfile.TemporaryDirectory(prefix="paperimpl-") as folder:
        source, answer, told = (Path(folder) / name for name in ("src", "answer", "told"))
        shutil.copytree(root / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
        run = _spawned
        if hasattr(os, "fork"):
            _warm()
            run = _forked
        for line in sys.stdin:
            request = json.loads(line)
            model = source / f"paperimpl/papers/{request['slug']}.py"
            answer.unlink(missing_ok=True)
            original = model.read_bytes()
            model.write_text(request["source"], encoding="utf-8")
            start = time.perf_counter()
            try:
                status = run(source, answer, request, root, told)
            finally:
                model.write_bytes(original)
            failed = json.loads(answer.read_text(encoding="utf-8")) if answer.is_file() else []
            seconds = round(time.perf_counter() - start, 2)
            tail = told.read_text(encoding="utf-8", errors="replace")[-2000:]
            print(json.dumps({"status": status, "failed": failed, "seconds": seconds, "told": tail}), flush=True)


if __name__ == "__main__":
    sys.path = [entry for entry in sys.path if entry and Path(entry) != Path(__file__).parent]
    if len(sys.argv) == 2:
        with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
            serve(Path(sys.argv[1]))
    else:
        sys.exit(_test(Path(sys.argv[2]), Path(sys.argv[3]), json.loads(sys.argv[4]), Path(sys.argv[1])))
