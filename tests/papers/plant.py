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
        shutil.copytree(ROOT / "src", Path(folder) / "src", ignore=shutil.ignore_patterns("__pycache__"))
        model = Path(folder) / f"src/paperimpl/papers/{slug}.py"
        text = model.read_text(encoding="utf-8")
        if text.count(bug["old"]) != 1:
            raise ValueError(f"{slug}: {bug['old']!r} stands {text.count(bug['old'])} times in the model, not once")
        model.write_text(text.replace(bug["old"], bug["new"]), encoding="utf-8")
        test = ROOT / f"tests/papers/test_{slug}.py"
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", "-rf", "-n0", str(test)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(Path(folder) / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    caught = ran.returncode == 1 and f"::{bug['caught_by']}" in ran.stdout
    return caught, ran.stdout[-1500:] + ran.stderr[-500:]


if __name__ == "__main__":
    missed = 0
    for name in sys.argv[1:]:
        for one in bugs(name):
            if one["caught_by"] == "claim":
                print(f"claim   {name}: {one['what']}")
                continue
            was_caught, told = plant(name, one)
            missed += not was_caught
            print(f"{'caught' if was_caught else 'MISSED'}  {name}: {one['what']}" + ("" if was_caught else f"\n{told}"))
    sys.exit(bool(missed))
