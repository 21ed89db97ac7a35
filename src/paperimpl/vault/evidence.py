"""What the recorded numbers of a claim amount to: an effect, its interval, and a verdict by one rule."""

from __future__ import annotations

import ast
import contextlib
import itertools
import math
import operator
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist, fmean

import numpy as np

__all__ = [
    "PARTLY",
    "REPRODUCED",
    "RULE",
    "TUNED_ON",
    "Effect",
    "Estimate",
    "Size",
    "estimate",
    "refuse",
    "verdict",
]

TUNED_ON = range(100, 108)  # the seeds that settings and thresholds are chosen on; none of them is ever reported

REPRODUCED, PARTLY, NOT_REPRODUCED = "reproduced", "partly", "not reproduced at this scale"
RULE = (
    "Reproduced: every seed meets the claim's thresholds, and the 95% interval of the effect lies above 0. "
    "Partly: the interval lies above 0, but some seeds miss a threshold. Not reproduced at this scale: all else."
)

_ENUMERATED = 6  # so many seeds have at most 6^6 resamples, and all of them are taken
_DRAWN = 20_000
_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True)
class Effect:
    """How much the paper's idea does, as a formula over what one seed measured; above 0 speaks for the paper.

    Attributes:
        of: keys of `measured`, numbers, `+ - * /` and brackets, such as `RNN - LSTM`.
        means: what the number is, with its unit.

    Raises:
        ValueError: `of` is no such formula.
    """

    of: str
    means: str

    def __post_init__(self) -> None:
        self._tree()

    @property
    def keys(self) -> list[str]:
        """The measured keys that it is made of."""
        return [node.id for node in ast.walk(self._tree()) if isinstance(node, ast.Name)]

    def value(self, measured: Mapping[str, float]) -> float:
        """Work it out for one seed.

        Raises:
            ValueError: it names a key that was not measured, or divides by 0.
        """
        if unknown := [key for key in self.keys if key not in measured]:
            raise ValueError(f"effect {self.of!r} names {unknown[0]!r}; measured are {', '.join(measured)}")
        try:
            return _worth(self._tree(), measured)
        except ZeroDivisionError:
            raise ValueError(f"effect {self.of!r} divides by 0") from None

    def _tree(self) -> ast.expr:
        try:
            tree = ast.parse(self.of, mode="eval").body
            with contextlib.suppress(ZeroDivisionError):  # numbers are not the formula's concern
                _worth(tree, defaultdict(float))
        except (SyntaxError, TypeError):
            expected = "keys of `measured`, numbers, + - * / and brackets"
            raise ValueError(f"effect {self.of!r} is no formula of {expected}") from None
        return tree


def _worth(node: ast.expr, measured: Mapping[str, float]) -> float:
    match node:
        case ast.Name(id=key):
            return measured[key]
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_worth(operand, measured)
        case ast.BinOp(left=left, op=symbol, right=right) if type(symbol) in _BINARY:
            return _BINARY[type(symbol)](_worth(left, measured), _worth(right, measured))
    raise TypeError


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds, with the ends of its 95% interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Size:
    """One number of a published configuration: the paper's and ours, counted without memory or training.

    Attributes:
        configuration: such as `base`.
        quantity: such as `parameters`.
        paper, ours: the two numbers.
        within: how far ours may be from the paper's, as a share of it.
        where: where the paper states it, and why ours may differ.
    """

    configuration: str
    quantity: str
    paper: float
    ours: float
    within: float
    where: str

    @property
    def apart(self) -> float:
        """How far ours is from the paper's, as a share of it."""
        return self.ours / self.paper - 1

    @property
    def agrees(self) -> bool:
        """Say whether that is within what was stated."""
        return abs(self.apart) <= self.within


def estimate(values: Sequence[float]) -> Estimate:
    """Estimate the mean of what the seeds gave, with its 95% bootstrap interval.

    The interval is the percentile bootstrap's, with its tails widened for few seeds (Hesterberg, 2015, section 3.3):
    the plain one covers the mean of five normal numbers 85 times in 100, this one 93. Up to six seeds every
    resample is taken; beyond, so many are drawn from a fixed state that the same values give the same interval.

    Raises:
        ValueError: there are fewer than two values.
    """
    n = len(values)
    if n < 2:
        raise ValueError(f"an interval takes two seeds or more, not {n}")
    chosen = np.array(list(itertools.product(range(n), repeat=n))) if n <= _ENUMERATED else None
    if chosen is None:
        chosen = np.random.default_rng(0).integers(n, size=(_DRAWN, n))
    means = np.asarray(values, dtype=float)[chosen].mean(axis=1)
    low, high = np.quantile(means, [_tail(n), 1 - _tail(n)])
    mean = fmean(values)
    return Estimate(mean, min(float(low), mean), max(float(high), mean))  # equal values: means differ by a last bit


@cache
def _tail(n: int) -> float:
    """The share to cut off at either end, so that n normal numbers give Student's interval."""
    return NormalDist().cdf(-math.sqrt(n / (n - 1)) * _student(n - 1))


def _student(freedom: int) -> float:
    """The 97.5% point of Student's t."""
    x = np.linspace(0, 20, 200_001)
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
    density = scale * (1 + x**2 / freedom) ** (-(freedom + 1) / 2)
    share = 0.5 + np.cumsum((density[1:] + density[:-1]) / 2) * (x[1] - x[0])
    return float(x[1:][np.searchsorted(share, 0.975)])


def verdict(held: Sequence[bool], effect: Estimate) -> str:
    """Judge a claim by the one rule: `RULE`."""
    if effect.low <= 0:
        return NOT_REPRODUCED
    return REPRODUCED if all(held) else PARTLY


def refuse(seeds: Sequence[int], tuned_on: Sequence[int] = TUNED_ON) -> str:
    """Say what is wrong with seeds to report: those that settings were chosen on. Empty where nothing is."""
    both = sorted(set(seeds) & set(tuned_on))
    many = "s" if len(both) > 1 else ""
    told = f"{both[0]} to {both[-1]}" if len(both) > 2 else " and ".join(map(str, both))
    return f"seed{many} {told} chose the settings and cannot be reported" if both else ""
