"""Plant the listed bugs in a model, one at a time, and see its tests fail: `python tests/papers/plant.py lstm`.

The list is `tests/papers/bugs/<slug>.toml`, a table a bug:

    [[bug]]
    what = "the gates are swapped"
    old = "net_in, net_out, net_c = net.chunk(3, dim=1)"
    new = "net_out, net_in, net_c = net.chunk(3, dim=1)"
    caught_by = "test_it_is_the_modern_lstm_with_every_forget_gate_stuck_open"

`old` stands exactly once in the model. `caught_by` is one of the tests that fail, or "claim" where only the claim
notices; such a bug is documentation and is not planted here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import traceback
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUGS = Path(__file__).parent / "bugs"


def bugs(slug: str) -> list[dict[str, str]]:
    """Read a paper's list."""
    return tomllib.loads((BUGS / f"{slug}.toml").read_text(encoding="utf-8"))["bug"]


def plant(slug: str, bug: dict[str, str]) -> tuple[bool, str]:
    """Run a paper's tests against a copy of the code that has the bug.

    Returns:
        Whether `caught_by` failed, and the end of what pytest printed.

    Raises:
        ValueError: `old` does not stand exactly once in the model.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, told = Path(folder) / "src", Path(folder) / "told"
        shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
        model = source / f"paperimpl/papers/{slug}.py"
        text = model.read_text(encoding="utf-8")
        if text.count(bug["old"]) != 1:
            raise ValueError(f"{slug}: {bug['old']!r} stands {text.count(bug['old'])} times in the model, not once")
        model.write_text(text.replace(bug["old"], bug["new"]), encoding="utf-8")
        options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", "-rf"]
        options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # a fork has its plugins imported already
        options.append(str(ROOT / f"tests/papers/test_{slug}.py"))
        status = _forked(source, told, options) if hasattr(os, "fork") else _spawned(source, told, options)
        printed = told.read_text(encoding="utf-8", errors="replace")
    return status == 1 and f"::{bug['caught_by']}" in printed, printed[-2000:]


def _spawned(source: Path, told: Path, options: list[str]) -> int:
    with told.open("w", encoding="utf-8") as file:
        return subprocess.run(
            [sys.executable, "-m", "pytest", *options],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode


def _forked(source: Path, told: Path, options: list[str]) -> int:
    """As above in a fork of this process, which has imported torch already: seconds less a bug."""
    _warm()
    child = os.fork()
    if child == 0:
        with told.open("w", encoding="utf-8") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            os.chdir(ROOT)
            sys.path.insert(0, str(source))
            sys.dont_write_bytecode = True
            status = 3
            try:
                import pytest

                status = int(pytest.main(options))
            except BaseException:  # nothing may unwind into the parent's stack
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _warm() -> None:
    """Import what every test needs, and nothing of ours: the child must find the copy with the bug."""
    import beartype
    import jaxtyping
    import pytest
    import torch
    import torch.testing

    torch.set_num_threads(1)
    torch.testing.assert_close(torch.ones(1), torch.ones(1))
    torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    assert "paperimpl" not in sys.modules, (beartype, jaxtyping, pytest)


if __name__ == "__main__":
    missed = 0
    for name in sys.argv[1:]:
        for one in bugs(name):
            if one["caught_by"] == "claim":
                print(f"claim   {name}: {one['what']}", flush=True)
                continue
            was_caught, printed = plant(name, one)
            missed += not was_caught
            print(f"{'caught' if was_caught else 'MISSED'}  {name}: {one['what']}", flush=True)
            if not was_caught:
                print(printed)
    sys.exit(bool(missed))
