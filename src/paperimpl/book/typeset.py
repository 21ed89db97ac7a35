"""Typst, from PyPI: Typst's text to a PDF that is the same whenever it is made."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterator
from pathlib import Path

from paperimpl.publish import typefaces
from paperimpl.vault.problem import Problem, VaultError

__all__ = ["date", "fonts", "pages", "pdf", "versions"]

# The site's fonts; where they are not installed, those that typst brings take their place.
_FONTS = ("fontpkg-newsreader", "fontpkg-inter", "fontpkg-jetbrains-mono")


def pdf(place: Path, name: str) -> bytes:
    """Set the file at a place; `name` is what problems are told of.

    The machine's own fonts are not looked at, and the clock is SOURCE_DATE_EPOCH's or stands at 0.

    Raises:
        VaultError: typst cannot set it.
    """
    import typst

    said = os.environ.get("SOURCE_DATE_EPOCH", "")
    clock = int(said) if said.isdecimal() else 0
    try:
        made = typst.compile(
            str(place), root=str(place.parent), font_paths=fonts(), ignore_system_fonts=True, timestamp=clock
        )
    except typst.TypstError as wrong:
        raise VaultError(*_problems(str(wrong), str(getattr(wrong, "diagnostic", "")), name, place)) from None
    assert isinstance(made, bytes)
    return made


def _problems(short: str, long: str, name: str, place: Path) -> Iterator[Problem]:
    """What typst says, each with the line of its source that it says it of."""
    lines = place.read_text(encoding="utf-8").split("\n")
    for message, line in re.findall(r"error: (.*)\n.*?:(\d+):\d+\n", long) or [(short, "0")]:
        text = lines[int(line) - 1].strip()[:200] if 0 < int(line) <= len(lines) else ""
        shown = f" in {text!r}" if text else ""
        yield Problem(name, 0, f"typst cannot set it: {message}{shown}", f"see {place}, line {line}")


def fonts() -> list[str]:
    """List the folders of the fonts that are installed."""
    return typefaces.folders(_FONTS)


def versions() -> list[str]:
    """Name what a PDF is made with, versions included."""
    return typefaces.versions(("typst", *_FONTS))


def date() -> str:
    """The day that SOURCE_DATE_EPOCH names; without it a book says none, so that it is the same every day."""
    said = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not said.isdecimal():
        return ""
    day = datetime.datetime.fromtimestamp(int(said), datetime.UTC)
    return f"{day.day} {day:%B %Y}"


def pages(made: bytes) -> int:
    """Count the pages of a PDF of typst's: the count of the page tree's root is the largest."""
    return max((int(count) for count in re.findall(rb"/Type\s*/Pages\b[^>]*?/Count\s+(\d+)", made)), default=0)
