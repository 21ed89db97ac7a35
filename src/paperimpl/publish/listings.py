"""A paper's code, whole, on a page of its own: taken from the paper's page when its equations and lines are tied.

The page of a paper holds what its note quotes. All files whole are as much again, and few scroll to them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

__all__ = ["EDGE", "Listing", "Parted", "listed", "part"]

EDGE = '<hr class="listings">'  # stands above and below the files in a page's HTML
_LINE = re.compile(r'\bid="(code-\d+)-\d+"')
_TO_LINE = re.compile(r'href="#((code-\d+)-\d+)"')
_TO_EQUATION = re.compile(r'href="#(?=eq-)')
_KINDS = {
    "model": ("model", "papers/{}.py"),
    "claim": ("claim", "claims/{}.py"),
    "test": ("test", "tests/papers/test_{}.py"),
    "weights": ("weight-exact test", "tests/weights/test_{}.py"),
}


@dataclass(frozen=True)
class Listing:
    """A file of a paper: what it is, the anchor of its heading, what embeds it, and its length."""

    name: str
    id: str
    spec: str
    lines: int


class Parted(NamedTuple):
    """What stays on a paper's page, and what is on the page of its code."""

    kept: str
    taken: str


def listed(slug: str, places: Mapping[str, Path]) -> list[Listing]:
    """List the files that a paper has.

    Args:
        slug: the paper's.
        places: where its files are or would be, by kind.
    """
    return [
        Listing(name, f"the-{kind}", spec.format(slug), len(places[kind].read_text(encoding="utf-8").splitlines()))
        for kind, (name, spec) in _KINDS.items()
        if kind in places and places[kind].is_file()
    ]


def part(page: str, code: str, paper: str) -> Parted:
    """Take a paper's listings from its page; links between equations and lines go from page to page.

    Args:
        page: the paper's page, its equations and lines tied.
        code: the way from it to the page of its code.
        paper: the way back.
    """
    above, _, rest = page.partition(EDGE)
    taken, _, below = rest.partition(EDGE)
    if not taken:
        return Parted(page, "")
    blocks = set(_LINE.findall(taken))

    def led(link: re.Match[str]) -> str:
        return f'href="{code}#{link[1]}"' if link[2] in blocks else link[0]

    return Parted(_TO_LINE.sub(led, above + below), _TO_EQUATION.sub(f'href="{paper}#', taken))
