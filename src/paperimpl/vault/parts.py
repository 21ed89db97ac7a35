"""Parts of a note: what an embed shows. A section ends at the next heading of its level or above; a block is what
its id marks.

Pure: text and line numbers in, text and line numbers out. Comments are out already, lines are the file's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from paperimpl.vault import scan
from paperimpl.vault.index import Note, heading_of

__all__ = ["Part", "block_of", "definitions", "part_of", "section_of", "whole"]

_MARKER = re.compile(r"(?P<before>.*?)(?:^|[ \t])\^(?P<id>[A-Za-z0-9-]+)[ \t]*$")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_QUOTE = re.compile(r"[ \t]*>")
_FENCE = re.compile(r"[ \t]*(?P<mark>`{3,}|~{3,})")
_BREAK = re.compile(r" {0,3}#{1,6}(?:[ \t]|$)")
_FOOTNOTE = re.compile(r" {0,3}\[\^(?P<id>[^\[\]\s]+)\]:")
_REFERENCE = re.compile(r" {0,3}\[(?P<id>(?!\^)[^\[\]]+)\]:[ \t]*\S+")


@dataclass(frozen=True)
class Part:
    """Text of a note, and the file's lines that it stands on, first and last."""

    text: str
    first: int
    last: int


def part_of(note: Note, fragment: str) -> Part | None:
    """Find what a link's fragment names: nothing for all of it, `^id` for a block, else a section; None for neither."""
    if not fragment:
        return whole(note)
    return block_of(note, fragment[1:]) if fragment.startswith("^") else section_of(note, fragment)


def whole(note: Note) -> Part:
    """Take all of a note but its front matter."""
    return _part(note, _lines(note), 0, None)


def section_of(note: Note, fragment: str) -> Part | None:
    """Take a heading, `A` or `A#B`, and what stands below it, to the next heading of its level or above."""
    found = heading_of(note, fragment)
    if found is None:
        return None
    after = note.headings[note.headings.index(found) + 1 :]
    end = next((heading.line for heading in after if heading.level <= found.level), None)
    first = note.front.body_line
    return _part(note, _lines(note), found.line - first, None if end is None else end - first)


def block_of(note: Note, name: str) -> Part | None:
    """Take the block that an id marks: a paragraph, list item with its own, list, quote, table, code or formula."""
    line = note.blocks.get(name.lower())
    if line is None:
        return None
    lines = _lines(note)
    at = line - note.front.body_line
    marked = _MARKER.match(lines[at])
    alone = marked is None or not marked["before"].strip(" \t>")
    if alone and at and lines[at - 1].strip(" \t>"):  # below the last line of its paragraph
        at -= 1
    elif alone:
        last = at - 1
        while last >= 0 and not lines[last].strip():
            last -= 1
        return _part(note, lines, *_block_before(lines, last)) if last >= 0 else None
    if _QUOTE.match(lines[at]):
        return _part(note, lines, *_paragraph(lines, at))
    if _ITEM.match(lines[at]):
        return _part(note, lines, at, _end_of_item(lines, at))
    return _part(note, lines, *_paragraph(lines, at))


def definitions(note: Note, part: Part) -> str:
    """Take what a part's footnotes and reference links need and other lines of the note hold."""
    named = {name.lower() for name in re.findall(r"\[\^?([^\[\]\n]+)\]", part.text)}
    if not named:
        return ""
    taken: list[str] = []
    first = note.front.body_line
    going = False
    for number, line in enumerate(_lines(note), first):
        if part.first <= number <= part.last:
            going = False
        elif found := _FOOTNOTE.match(line):
            going = found["id"].lower() in named
        elif found := _REFERENCE.match(line):
            going = False
            if found["id"].lower() in named:
                taken += ["", line]
            continue
        elif line.strip() and not line.startswith((" ", "\t")):
            going = False
        if going:
            taken.append(line)
    return "\n".join(taken)


def _lines(note: Note) -> list[str]:
    return scan.without_comments(note.front.body).split("\n")


def _part(note: Note, lines: list[str], first: int, end: int | None) -> Part:
    """Cut lines out, less the empty ones around them and their common indent."""
    end = len(lines) if end is None else end
    while first < end and not lines[first].strip():
        first += 1
    while end > first and not lines[end - 1].strip():
        end -= 1
    chosen = lines[first:end]
    if end - first < len(lines):
        indent = min((len(line) - len(line.lstrip()) for line in chosen if line.strip()), default=0)
        chosen = [line[indent:] for line in chosen]
    return Part("\n".join(chosen), first + note.front.body_line, max(first, end - 1) + note.front.body_line)


def _block_before(lines: list[str], last: int) -> tuple[int, int]:
    """Find the block that ends on a line: where it starts, and the line after it."""
    for opening, closing in _fences(lines):
        if opening <= last <= closing:
            return opening, closing + 1
    text = lines[last]
    if _QUOTE.match(text):
        return _up(lines, last, lambda line: bool(_QUOTE.match(line))), last + 1
    start = last
    while start and (lines[start - 1].strip() or (start > 1 and _listed(lines, start))):
        start -= 1
    first = next((n for n in range(start, last + 1) if lines[n].strip() and not _BREAK.match(lines[n])), last)
    if _listed(lines, last) or _ITEM.match(text):
        items = [n for n in range(first, last + 1) if _ITEM.match(lines[n])]
        return (items[0] if items else first), last + 1
    return _paragraph(lines, last)


def _listed(lines: list[str], at: int) -> bool:
    """Say whether a line is a list's: an item, or indented as what belongs to one."""
    return bool(_ITEM.match(lines[at])) or lines[at].startswith((" ", "\t"))


def _up(lines: list[str], last: int, keep: object) -> int:
    assert callable(keep)
    while last and keep(lines[last - 1]):
        last -= 1
    return last


def _paragraph(lines: list[str], last: int) -> tuple[int, int]:
    """Find the paragraph, table or quote's paragraph that ends on a line."""
    for opening, closing in _fences(lines):
        if opening <= last <= closing:
            return opening, closing + 1

    def goes_up(line: str) -> bool:
        bare = line.lstrip(" \t>")
        return bool(bare) and not _BREAK.match(bare) and not bare.startswith("[!") and line.count(">") >= depth

    depth = 1 if _QUOTE.match(lines[last]) else 0
    first = last
    while first and not _ITEM.match(lines[first].lstrip(" \t>")) and goes_up(lines[first - 1]):
        if not depth and _QUOTE.match(lines[first - 1]):
            break
        first -= 1
    return first, last + 1


def _end_of_item(lines: list[str], at: int) -> int:
    """Find where a list item ends: at the next line, blank ones aside, that is not indented more than its mark."""
    indent = len(lines[at]) - len(lines[at].lstrip())
    end = at + 1
    for number in range(at + 1, len(lines)):
        line = lines[number]
        if not line.strip():
            continue
        if len(line) - len(line.lstrip()) <= indent:
            break
        end = number + 1
    return end


def _fences(lines: Iterable[str]) -> list[tuple[int, int]]:
    """Find fenced code and formulas of several lines: the lines that open and close them."""
    found, opened, mark = [], -1, ""
    for number, line in enumerate(lines):
        bare = line.lstrip(" \t>")
        if opened >= 0:
            if (
                bare.rstrip().endswith(mark)
                if mark == "$$"
                else bare.startswith(mark) and not bare.strip(mark[0] + " ")
            ):
                found.append((opened, number))
                opened = -1
        elif fence := _FENCE.match(bare):
            opened, mark = number, fence["mark"]
        elif bare.startswith("$$") and bare.count("$$") == 1:
            opened, mark = number, "$$"
    return found
