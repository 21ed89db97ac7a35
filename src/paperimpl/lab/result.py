"""What a claim returns."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Effect", "Panel", "Result"]

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_RESERVED = {"seeds", "held", "seconds", "effect", "verdict"}  # a note asks for these of any result


@dataclass(frozen=True)
class Effect:
    """How much the paper's idea does, as a formula over what one seed measured; above 0 speaks for the paper.

    Attributes:
        of: keys of `measured`, numbers, `+ - * /` and brackets, such as `RNN - LSTM`.
        means: what the number is, with its unit.
    """

    of: str
    means: str


@dataclass(frozen=True)
class Panel:
    """Named series over one axis, to be drawn as lines.

    Attributes:
        x: positions, shared by all series.
        series: name to values, as many as `x`.
        x_label, y_label: what the axes show, with units.
        log_x, log_y: whether an axis is logarithmic.

    Raises:
        ValueError: a series is not as long as `x`.
    """

    x: Sequence[float]
    series: Mapping[str, Sequence[float]]
    x_label: str
    y_label: str
    log_x: bool = False
    log_y: bool = False

    def __post_init__(self) -> None:
        for name, values in self.series.items():
            if len(values) != len(self.x):
                raise ValueError(f"series {name!r} has {len(values)} values over {len(self.x)} positions")


@dataclass(frozen=True)
class Result:
    """What one seed of a claim measured.

    Attributes:
        measured: key to number; keys are identifiers, for notes quote them.
        holds: whether the claim's thresholds are met, decided from `measured` alone.
        units: key to unit, where there is one; keys that share a unit are drawn on one axis.
        curves: title to panel.
        images: title to a grid of numbers, rows first.

    Raises:
        ValueError: a key is not an identifier, is reserved, or a number is not finite.
    """

    measured: Mapping[str, float]
    holds: bool
    units: Mapping[str, str] = field(default_factory=dict)
    curves: Mapping[str, Panel] = field(default_factory=dict)
    images: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key, value in self.measured.items():
            if not _KEY.fullmatch(key) or key in _RESERVED:
                raise ValueError(f"measured key {key!r} must be an identifier other than {sorted(_RESERVED)}")
            if not math.isfinite(value):
                raise ValueError(f"measured {key!r} is {value}, not a finite number")
        if stray := set(self.units) - set(self.measured):
            raise ValueError(f"units for {sorted(stray)}, which were not measured")
