"""Lighthouse's four scores of a page, its mobile profile and simulated network, the middle of several runs.

Lighthouse is an npm package of more than 100 MB and has a `package.json` of its own here; `make audit` installs it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["FLOORS", "Score", "measure", "of_reports"]

FLOORS = {"performance": 98, "accessibility": 100, "best-practices": 100, "seo": 100}
_HERE = Path(__file__).parent
_FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
_TIMES = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")


@dataclass(frozen=True)
class Score:
    """What several runs say of one page.

    Attributes:
        page: its address below the site's.
        scores: of each category the median, 0 to 100.
        numbers: of each measure the median: milliseconds, and shares of the window for what shifts.
        failed: the audits that took something from a score, each with what it says.
    """

    page: str
    scores: dict[str, float]
    numbers: dict[str, float]
    failed: tuple[str, ...]

    @property
    def short_of(self) -> list[str]:
        """The categories below their floor."""
        return [name for name, floor in FLOORS.items() if self.scores[name] < floor]


def of_reports(page: str, reports: list[dict[str, Any]]) -> Score:
    """Put the reports of several runs together."""

    def middle(values: list[float]) -> float:
        return statistics.median(values)

    scores = {
        name: round(100 * middle([report["categories"][name]["score"] or 0 for report in reports]), 1)
        for name in FLOORS
    }
    numbers = {name: middle([report["audits"][name].get("numericValue", 0.0) for report in reports]) for name in _TIMES}
    failed = {}
    for report in reports:
        for name in FLOORS:
            for reference in report["categories"][name]["auditRefs"]:
                audit = report["audits"][reference["id"]]
                if reference["weight"] and audit["score"] is not None and audit["score"] < 0.9:
                    failed[f"{name}: {audit['id']}"] = f"{audit['title']} {audit.get('displayValue', '')}".strip()
        for audit in report["audits"].values():  # errors in the console and the like weigh nothing everywhere
            if audit["id"] == "errors-in-console" and audit["score"] == 0:
                failed["best-practices: errors-in-console"] = audit["title"]
    return Score(page, scores, numbers, tuple(f"{name}: {said}" for name, said in sorted(failed.items())))


def measure(address: str, page: str, runs: int, chromium: str, keep: Path | None = None) -> Score:
    """Run Lighthouse on one page several times.

    Args:
        address: the site's.
        page: the page's, below that.
        runs: how many; an odd number has a middle.
        chromium: the browser's file.
        keep: a folder for the last report as HTML and JSON.

    Raises:
        RuntimeError: Lighthouse is not installed, or has failed; its own words are in it.
    """
    command = _HERE / "node_modules/.bin/lighthouse"
    if not command.exists():
        raise RuntimeError("benchmarks/audit: Lighthouse is not installed; run: make audit")
    reports = []
    with tempfile.TemporaryDirectory() as folder:
        for run in range(runs):
            out = Path(folder, f"{run}.json")
            done = subprocess.run(
                [
                    str(command),
                    address + page,
                    "--quiet",
                    "--output=json",
                    f"--output-path={out}",
                    f"--chrome-flags={_FLAGS}",
                    f"--only-categories={','.join(FLOORS)}",
                    "--no-enable-error-reporting",
                    "--max-wait-for-load=120000",
                ],
                env=os.environ | {"CHROME_PATH": chromium},
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )
            if done.returncode or not out.is_file():
                raise RuntimeError(f"Lighthouse failed on {page or 'home'}: {done.stderr.strip()[-800:]}")
            reports.append(json.loads(out.read_text(encoding="utf-8")))
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            name = page.strip("/").replace("/", "-") or "home"
            (keep / f"{name}.json").write_text(json.dumps(reports[-1]), encoding="utf-8")
    return of_reports(page, reports)
