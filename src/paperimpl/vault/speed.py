"""How long models take beside torch's own: what `python benchmarks/models.py` measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["ALLOWED", "Comparison", "Speed"]

ALLOWED = 1.2  # times torch's eager code of the same mathematics


@dataclass(frozen=True)
class Comparison:
    """Ours beside a counterpart, in turns.

    Attributes:
        slug: the paper whose model it is.
        what: what was timed, with its sizes.
        kind: `eager`, the same mathematics an operation at a time, or `usual`, what the field uses.
        against: the counterpart.
        ours_ms, theirs_ms: medians.
        ratio: ours to theirs; above 1, ours is slower.
        why: why it is slower than allowed, where that is on purpose.
    """

    slug: str
    what: str
    kind: str
    against: str
    ours_ms: float
    theirs_ms: float
    ratio: float
    why: str = ""

    @property
    def slow(self) -> bool:
        """Say whether ours takes longer than allowed beside eager code."""
        return self.kind == "eager" and self.ratio > ALLOWED


@dataclass(frozen=True)
class Speed:
    """All comparisons of one run, and what it was made with."""

    comparisons: Sequence[Comparison]
    made_with: Mapping[str, str]

    def of(self, slug: str) -> list[Comparison]:
        """Those of one paper."""
        return [row for row in self.comparisons if row.slug == slug]

    @classmethod
    def load(cls, path: Path) -> Speed:
        """Read the file.

        Raises:
            ValueError: it is not one; the message says why.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            rows = [Comparison(**row) for row in data["comparisons"]]
            for row in rows:
                if abs(row.ours_ms / row.theirs_ms - row.ratio) > 0.05 * row.ratio:
                    raise ValueError(f"{row.ratio} is not {row.ours_ms} ms to {row.theirs_ms} ms")
            return cls(rows, data["made_with"])
        except (ValueError, KeyError, TypeError, ZeroDivisionError) as broken:
            raise ValueError(f"not a benchmark's record: {type(broken).__name__}: {broken}") from broken

    def dump(self) -> str:
        """Write it down."""
        data = {
            "allowed": ALLOWED,
            "made_with": dict(self.made_with),
            "comparisons": [asdict(row) for row in self.comparisons],
        }
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
