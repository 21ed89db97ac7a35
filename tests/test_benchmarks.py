"""What the README says of speed is what was measured last."""

import json
from pathlib import Path

from benchmarks.__main__ import LIMITS, put

ROOT = Path(__file__).parent.parent
RESULT = json.loads((ROOT / "benchmarks/results.json").read_text(encoding="utf-8"))


def test_the_readme_says_what_was_measured():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "<!-- measured: -->" in readme
    assert put(readme, RESULT) == readme, "say: python -m benchmarks"


def test_every_limit_was_measured():
    assert RESULT["limits"].keys() == LIMITS.keys()


def test_the_table_follows_the_record():
    other = {**RESULT, "limits": {name: {"measured": 123.456} for name in LIMITS}}
    made = put("<!-- measured: -->\n\n<!-- :measured -->", other)
    assert made.count("123.46") == len(LIMITS)
