"""Run one seed of one claim, in a process of its own, on one thread."""

from __future__ import annotations

import importlib
import inspect
import platform
import time
from dataclasses import asdict
from typing import Any

import torch

from paperimpl.lab.result import Result
from paperimpl.vault.result import Run

__all__ = ["about", "made_with", "run"]


def run(slug: str, seed: int, **settings: Any) -> tuple[Run, dict[str, str]]:
    """Run `claim(seed, **settings)` and return what it measured, with the units of its numbers.

    One thread: results are then the same bits on one machine every time, and a busy machine does not make
    a run many times slower.

    Raises:
        TypeError: the claim did not return a `Result`.
    """
    torch.set_num_threads(1)
    module = importlib.import_module(f"paperimpl.claims.{slug}")
    about(slug)  # a claim without SAYS cannot be recorded: better said before the minutes it takes
    start = time.process_time()
    result = module.claim(seed, **settings)
    seconds = time.process_time() - start
    if not isinstance(result, Result):
        raise TypeError(f"claims/{slug}.py: claim({seed}) returned {type(result).__name__}, not a Result")
    return (
        Run(
            seed=seed,
            measured={key: _rounded(value) for key, value in result.measured.items()},
            holds=bool(result.holds),
            seconds=seconds,
            curves={title: _plain(asdict(panel)) for title, panel in result.curves.items()},
            images={title: _plain(image) for title, image in result.images.items()},
        ),
        dict(result.units),
    )


def about(slug: str) -> tuple[str, str]:
    """Read what a claim says and when it holds: `SAYS` and the docstring of `claim`."""
    module = importlib.import_module(f"paperimpl.claims.{slug}")
    return module.SAYS, inspect.cleandoc(module.claim.__doc__ or "")


def made_with() -> dict[str, str]:
    """Name the versions that a result depends on."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "machine": platform.machine(),
        "threads": "1",
    }


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
