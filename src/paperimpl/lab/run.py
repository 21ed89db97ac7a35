"""Run one seed of one claim, in a process of its own, on one thread."""

from __future__ import annotations

import importlib
import inspect
import os
import platform
import re
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from paperimpl.lab.device import named
from paperimpl.lab.result import Result
from paperimpl.vault.evidence import Effect, Size
from paperimpl.vault.result import Run

__all__ = ["about", "effect", "made_with", "run", "sizes"]


def run(slug: str, seed: int, **settings: Any) -> tuple[Run, dict[str, str]]:
    """Run `claim(seed, **settings)` and return what it measured, with the units of its numbers.

    One thread: results are then the same bits on one machine every time, and a busy machine does not make
    a run many times slower.

    Raises:
        TypeError: the claim did not return a `Result`.
        ValueError: its effect is no formula of what it measured.
    """
    torch.set_num_threads(1)
    module = importlib.import_module(f"paperimpl.claims.{slug}")
    about(slug)  # a claim without SAYS cannot be recorded: better said before the minutes it takes
    weighed = effect(slug)
    start = time.process_time()
    result = module.claim(seed, **settings)
    seconds = time.process_time() - start
    if not isinstance(result, Result):
        raise TypeError(f"claims/{slug}.py: claim({seed}) returned {type(result).__name__}, not a Result")
    if weighed:
        weighed.value(result.measured)
    return (
        Run(
            seed=seed,
            measured={key: _rounded(value) for key, value in result.measured.items()},
            holds=bool(result.holds),
            seconds=seconds,
            curves={title: _plain(asdict(panel)) for title, panel in result.curves.items()},
            images={title: _plain(image) for title, image in result.images.items()},
            memory=_peak(),
        ),
        dict(result.units),
    )


def about(slug: str) -> tuple[str, str]:
    """Read what a claim says and when it holds: `SAYS` and the docstring of `claim`."""
    module = importlib.import_module(f"paperimpl.claims.{slug}")
    return module.SAYS, inspect.cleandoc(module.claim.__doc__ or "")


def effect(slug: str) -> Effect | None:
    """Read a claim's effect: `EFFECT`.

    Raises:
        ValueError: it is no formula.
    """
    stated = getattr(importlib.import_module(f"paperimpl.claims.{slug}"), "EFFECT", None)
    return Effect(stated.of, stated.means) if stated else None


def sizes(slug: str) -> list[Size]:
    """Count the published configurations that a claim lists: `PUBLISHED`."""
    from paperimpl.lab.size import count

    stated = getattr(importlib.import_module(f"paperimpl.claims.{slug}"), "PUBLISHED", ())
    return [Size(**row) for full in stated for row in count(full)]


def made_with(device: str = "cpu") -> dict[str, str]:
    """Name the versions and the machine that a result depends on; the machine by its kind, not its name."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "machine": platform.machine(),
        "cpu": _cpu(),
        "cores": str(os.cpu_count() or "?"),
        "device": named(device),
        "threads": "1",
    }


def _cpu() -> str:
    """The processor's model, as its maker calls it."""
    told = Path("/proc/cpuinfo")
    if told.is_file() and (found := re.search(r"^model name\s*:\s*(.+)$", told.read_text(encoding="utf-8"), re.M)):
        return found[1].strip()
    if sys.platform == "darwin":
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() or platform.processor()
    return platform.processor() or "unknown"


def _peak() -> float:
    """The most memory that this process ever held, in MB; 0 where the platform does not tell."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return 0.0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)  # there bytes, elsewhere kilobytes


def _rounded(value: float) -> float:
    """Keep six significant digits: the rest is noise between machines, and noise in a diff."""
    return float(f"{value:.6g}")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, bool | str):
        return value
    if isinstance(value, list | tuple | range) or hasattr(value, "tolist"):
        return [_plain(item) for item in (value.tolist() if hasattr(value, "tolist") else value)]
    return float(f"{float(value):.4g}")
