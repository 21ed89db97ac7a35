"""Every listed bug is planted again, and the test that the list names must fail. The list cannot go stale."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("plant", Path(__file__).parent / "plant.py")
assert _spec
assert _spec.loader
plant = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(plant)

SLUGS = sorted(path.stem for path in plant.BUGS.glob("*.toml"))


@pytest.mark.parametrize("slug", SLUGS)
def test_at_least_ten_bugs_are_listed(slug):
    planted = [bug for bug in plant.bugs(slug) if bug["caught_by"] != "claim"]
    assert len(planted) >= 10
    assert len({(bug["old"], bug["new"]) for bug in planted}) == len(planted)


@pytest.mark.slow
@pytest.mark.parametrize("slug", SLUGS)
def test_every_planted_bug_is_caught(slug):
    ran = subprocess.run([sys.executable, plant.__file__, slug], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("caught ") == len([bug for bug in plant.bugs(slug) if bug["caught_by"] != "claim"])
