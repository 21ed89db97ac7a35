"""Results as data: what `paperimpl run` recorded, and what a note may quote of it."""

from __future__ import annotations

import hashlib
import json
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from paperimpl.vault.evidence import TUNED_ON, Effect, Estimate, Size, estimate, verdict
from paperimpl.vault.problem import nearest

__all__ = ["LEAST_SEEDS", "Recorded", "Run", "number", "quote", "seal", "span"]

LEAST_SEEDS = 5

_OF_ANY = ("seeds", "held", "seconds", "effect", "verdict")  # what a note may ask of every result

_FLAT = re.compile(r"\[\n\s*([-\d.,eE+\s]+?)\n\s*\]")  # no text in JSON holds a bare newline


@dataclass(frozen=True)
class Run:
    """One seed: what it measured, whether the claim held, and what it cost.

    Attributes:
        seconds: CPU seconds.
        memory: the most that its process ever held, in MB, torch included; 0 where the platform does not tell.
    """

    seed: int
    measured: Mapping[str, float]
    holds: bool
    seconds: float
    curves: Mapping[str, Any]
    images: Mapping[str, Any]
    memory: float = 0.0


@dataclass(frozen=True)
class Recorded:
    """A claim's recorded result.

    Attributes:
        says: what the paper states, with its section, table or figure.
        threshold: the claim's docstring: when it holds.
        digest: of the code that made it.
        units: measured key to unit.
        made_with: versions, thread count, device and machine.
        effect: the effect that the verdict is about; None in results of before there were any.
        sizes: published configurations, counted.
        tuned_on: the seeds that settings and thresholds were chosen on.
        seal: the hash of all this as it was written down; empty where it was not.
    """

    says: str
    threshold: str
    digest: str
    units: Mapping[str, str]
    runs: Sequence[Run]
    made_with: Mapping[str, str]
    effect: Effect | None = None
    sizes: Sequence[Size] = ()
    tuned_on: Sequence[int] = tuple(TUNED_ON)
    seal: str = field(default="", compare=False)

    @property
    def effects(self) -> list[float]:
        """The effect, a number a seed, worked out from what was measured; none where the claim names no effect."""
        return [self.effect.value(run.measured) for run in self.runs] if self.effect else []

    @cached_property
    def estimate(self) -> Estimate | None:
        """The mean effect and its 95% interval."""
        return estimate(self.effects) if self.effect and len(self.runs) > 1 else None

    @property
    def verdict(self) -> str:
        """Reproduced, partly, or not reproduced at this scale, by the one rule; empty without an effect."""
        return verdict([run.holds for run in self.runs], self.estimate) if self.estimate else ""

    @property
    def holds(self) -> bool:
        """Say whether the claim held in every run."""
        return bool(self.runs) and all(run.holds for run in self.runs)

    @property
    def condition(self) -> str:
        """The part of the threshold that says when the claim holds, as a sentence of its own."""
        _, holds_if, rest = " ".join(self.threshold.split()).partition("Holds if ")
        return f"It holds if {rest}" if holds_if else " ".join(self.threshold.split())

    @property
    def device(self) -> str:
        """Where its tensors were: `cpu`, or an accelerator with its model."""
        return self.made_with.get("device", "cpu")

    @property
    def keys(self) -> list[str]:
        """What was measured, in the claim's order."""
        return list(self.runs[0].measured) if self.runs else []

    def values(self, key: str) -> list[float]:
        """One number a run, by seed. Raises KeyError, its argument the remedy, where the key is unknown."""
        if key == "seconds":
            return [run.seconds for run in self.runs]
        if key == "effect" and self.effect:
            return self.effects
        if key not in self.keys:
            raise KeyError(nearest(key, [*self.keys, *_OF_ANY]) or f"measured are {', '.join(self.keys)}")
        if lacking := [run.seed for run in self.runs if key not in run.measured]:
            raise KeyError(f"{key!r} was not measured for seed {', '.join(map(str, lacking))}; run the claim again")
        return [run.measured[key] for run in self.runs]

    @classmethod
    def load(cls, path: Path) -> Recorded:
        """Read a result file.

        Raises:
            ValueError: it is not one; the message says why.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            runs = [_run(r) for r in data["runs"]]
            if not runs:
                raise ValueError("it holds no runs")
            recorded = cls(
                data["says"],
                data["threshold"],
                data["digest"],
                data.get("units", {}),
                runs,
                data.get("made_with", {}),
                Effect(**data["effect"]) if data.get("effect") else None,
                tuple(Size(**size) for size in data.get("sizes", ())),
                tuple(data.get("tuned_on", TUNED_ON)),
                data.get("seal", ""),
            )
            _ = recorded.effects
        except (ValueError, KeyError, TypeError, AttributeError) as broken:
            raise ValueError(f"not a result file: {type(broken).__name__}: {broken}") from broken
        if recorded.seal and recorded.seal != seal(data):
            raise ValueError("edited by hand since it was recorded")
        return recorded

    def dump(self) -> str:
        """Write it down: stable order, one number a run readable in a diff."""
        data: dict[str, Any] = {
            "says": self.says,
            "threshold": self.threshold,
            "effect": asdict(self.effect) if self.effect else None,
            "digest": self.digest,
            "tuned_on": list(self.tuned_on),
            "units": dict(self.units),
            "sizes": [asdict(size) for size in self.sizes],
            "made_with": dict(self.made_with),
            "runs": [
                {
                    "seed": run.seed,
                    "measured": dict(run.measured),
                    "holds": run.holds,
                    "seconds": round(run.seconds, 2),
                    "memory": round(run.memory),
                    "curves": run.curves,
                    "images": run.images,
                }
                for run in sorted(self.runs, key=lambda run: run.seed)
            ],
        }
        data["seal"] = seal(data)
        text = json.dumps(data, indent=1, ensure_ascii=False)
        # Lists of bare numbers on one line: a curve of 600 points is one line of a diff, not 600.
        return _FLAT.sub(lambda m: f"[{' '.join(m[1].split())}]", text) + "\n"


def seal(data: Mapping[str, Any]) -> str:
    """Hash a result as it is written down, the seal itself aside: what is edited by hand no longer fits it."""
    bare = json.loads(json.dumps({key: value for key, value in data.items() if key != "seal"}))
    return f"sha256:{hashlib.sha256(json.dumps(bare, sort_keys=True).encode()).hexdigest()[:32]}"


def _run(data: Mapping[str, Any]) -> Run:
    return Run(
        data["seed"],
        dict(data["measured"]),
        data["holds"],
        data["seconds"],
        data.get("curves", {}),
        data.get("images", {}),
        data.get("memory", 0.0),
    )


_STYLE = re.compile(r"[,+]?(\.\d+)?[efg%]|[,+]?d")
_STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "mean": statistics.fmean,
    "median": statistics.median,
    "min": min,
    "max": max,
    "std": lambda values: statistics.stdev(values) if len(values) > 1 else 0.0,
}


def number(value: float, style: str = "") -> str:
    """Print a number for prose: three significant digits, or in a style: `%`, or any format such as `.2f`."""
    if style == "%":
        percent = 100 * value
        return f"{percent:.2f}%" if abs(percent) < 1 and percent else f"{percent:.1f}%".replace(".0%", "%")
    if style:
        return format(round(value) if style.endswith("d") else value, style)
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    if 1e-3 <= abs(value) < 1e6:
        return f"{value:.3g}" if abs(value) < 999.5 else f"{value:,.0f}"  # .3g would make 999.9 into 1e+03
    mantissa, exponent = f"{value:.2e}".split("e")
    superscript = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa} × 10{superscript}"


def span(low: float, high: float, style: str = "") -> str:
    """Print two numbers for prose: `0–0.12%`; one, where they look the same; `−1 to 2`, where one is negative."""
    first, last = number(low, style), number(high, style)
    if first == last:
        return first
    first = first.removesuffix("%") if style.endswith("%") else first
    return f"{first} to {last}" if low < 0 else f"{first}–{last}"


def quote(recorded: Recorded, key: str, words: Sequence[str] = ()) -> str:
    """Answer what a note asks of a result: `{{ slug.key words }}`.

    Keys are what the claim measured, and `seconds` (CPU seconds a seed), `effect`, `seeds` (how many), `held`
    ("5 of 5") and `verdict`. Words: one of mean (the default), median, min, max, std, range (min–max), interval
    (the 95% one, of `effect` alone) or `seed N`; and a style, `%` or a Python format such as `.2f`.

    Raises:
        KeyError: the key was not measured, or a word is not known; its argument is the remedy.
    """
    if key in ("effect", "verdict") and recorded.estimate is None:
        raise KeyError("its claim names no effect, or has one seed only")
    if key in ("seeds", "held", "verdict"):
        if words:
            raise KeyError(f"{key!r} takes no further words")
        held = sum(run.holds for run in recorded.runs)
        told = {"seeds": str(len(recorded.runs)), "held": f"{held} of {len(recorded.runs)}"}
        return told.get(key) or recorded.verdict
    values, statistic, style, seed = recorded.values(key), "", "", ""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "interval" and key != "effect":
            raise KeyError("only 'effect' has an interval")
        if word in (*_STATISTICS, "range", "interval", "seed"):
            if statistic:
                raise KeyError(f"{statistic!r} and {word!r} exclude each other; keep one")
            statistic = word
            if word == "seed" and not (seed := rest.pop(0) if rest else "").isdecimal():
                raise KeyError("'seed' wants a number, as in 'seed 3'")
        elif word == "%" or _STYLE.fullmatch(word):
            if style:
                raise KeyError(f"{style!r} and {word!r} exclude each other; keep one")
            style = word
        else:
            known = [*_STATISTICS, "range", *(["interval"] if key == "effect" else []), "seed", "%"]
            raise KeyError(nearest(word, known) or f"{word!r} is none of {', '.join(known)}, nor a format such as .2f")
    if statistic == "seed":
        by_seed = dict(zip([run.seed for run in recorded.runs], values, strict=True))
        if int(seed) not in by_seed:
            raise KeyError(f"seed {seed} was not run; seeds are {', '.join(map(str, by_seed))}")
        return number(by_seed[int(seed)], style)
    if statistic == "range":
        return span(min(values), max(values), style)
    if statistic == "interval" and recorded.estimate:
        return span(recorded.estimate.low, recorded.estimate.high, style)
    return number(_STATISTICS[statistic or "mean"](values), style)
