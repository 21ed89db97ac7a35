"""The record: a paper's front matter, typed. Every error names the note, the field and what was expected."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import Any

from paperimpl.vault.frontmatter import FrontMatter
from paperimpl.vault.problem import Problem, nearest

__all__ = ["CHECKS", "NO_CHECK", "OPEN_LICENSES", "STATUSES", "Record", "parse"]

# The checks that tests make, each a field of the record and a pytest marker, with its name for readers.
CHECKS = {"oracle": "Oracle", "weights": "Weight-exact", "full_size": "Full size"}
NO_CHECK = "does not apply: "

STATUSES = ("to read", "reading", "done")

# Licences under which a PDF may be shown and copied. Anything else is linked at its source.
OPEN_LICENSES = frozenset(
    f"CC-{kind}-{version}"
    for kind in ("BY", "BY-SA", "BY-NC", "BY-NC-SA", "BY-ND", "BY-NC-ND")
    for version in ("3.0", "4.0")
) | {"CC0-1.0", "public domain"}

# What Obsidian and the publishing layer read of any note, paper or not.
_OF_ANY_NOTE = {"aliases", "cover", "cssclasses", "description", "permalink", "publish", "tags"}


@dataclass(frozen=True)
class Record:
    """What a note's front matter says of its paper (DESIGN 4).

    Attributes:
        description: the one idea, in a sentence of at most 200 characters.
        venue: where it appeared, as one cites it.
        arxiv, doi, url: its source; at least one.
        pdf: where `paperimpl pdf` fetches it; empty where it cannot be fetched.
        license: an SPDX name such as `CC-BY-4.0`, or empty where all rights are reserved or unknown.
        order: its place in its chapter.
        requires: slugs or names of notes to be known first.
        status: how far the vault's author is with it.
        unchecked: what in the note could not be checked against the paper.
        reports: the paper's own number for the claim, with its table or figure.
        oracle, weights, full_size: three of the four checks (DESIGN 5), a line each: what ours is compared with, or
            `does not apply: ` and why. The fourth, the claim, is the recorded result.
        findings: what of the paper we could not reproduce, and why, a sentence or two each.
    """

    title: str
    description: str
    authors: tuple[str, ...]
    year: int
    venue: str
    order: int
    requires: tuple[str, ...]
    tags: tuple[str, ...]
    status: str
    arxiv: str = ""
    doi: str = ""
    url: str = ""
    pdf: str = ""
    license: str = ""
    aliases: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    reports: str = ""
    oracle: str = ""
    weights: str = ""
    full_size: str = ""
    findings: tuple[str, ...] = ()
    lines: dict[str, int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def source(self) -> str:
        """Where a reader finds the paper."""
        if self.arxiv:
            return f"https://arxiv.org/abs/{self.arxiv}"
        return f"https://doi.org/{self.doi}" if self.doi else self.url

    @property
    def checks(self) -> dict[str, str]:
        """The three checks that tests make, by the name of their pytest marker."""
        return {kind: getattr(self, kind) for kind in CHECKS}

    @property
    def may_redistribute(self) -> bool:
        """Say whether its licence lets the public site carry the PDF."""
        return self.license in OPEN_LICENSES


_NAMES = [f.name for f in fields(Record) if f.name != "lines"]
_REQUIRED = ["title", "description", "authors", "year", "venue", "order", "requires", "tags", "status"]
_LISTS = ["authors", "requires", "tags", "aliases", "unchecked", "findings"]
_RANGES = {"year": range(1900, 2101), "order": range(1, 100)}
_LINK = re.compile(r"\[\[([^\[\]|#]+)(?:[#|][^\[\]]*)?\]\]")
_MATCHES = {
    "description": re.compile(r"(?s).{1,200}"),
    "status": re.compile("|".join(STATUSES)),
    "arxiv": re.compile(r"\d{4}\.\d{4,5}|[a-z-]+/\d{7}"),
    "doi": re.compile(r"10\.\d{4,}/\S+"),
    "url": re.compile(r"https?://\S+"),
    "pdf": re.compile(r"https?://\S+"),
} | dict.fromkeys(CHECKS, re.compile(rf"(?!{NO_CHECK.strip()}\s*$)\S.{{0,249}}"))
_EXPECTED = {
    "title": "the paper's title, in quotes if YAML takes it for a number",
    "description": "its one idea in at most 200 characters",
    "authors": 'a list of names: ["S. Hochreiter", "J. Schmidhuber"]',
    "year": "the year it appeared, a number such as 1997",
    "venue": "where it appeared, in quotes",
    "order": "its place in the chapter, a number from 1",
    "requires": 'a list of links in quotes: ["[[rnn]]"], or [] for none',
    "tags": "a list of words: [recurrent]",
    "status": f"one of {', '.join(STATUSES)}",
    "aliases": "a list of names",
    "unchecked": "a list of sentences",
    "findings": "a list of sentences",
    "reports": "the paper's own number, with its table or figure",
    "arxiv": "an arXiv id such as 1706.03762, in quotes",
    "doi": "a DOI such as 10.1162/neco.1997.9.8.1735",
    "url": "an address that starts with https://",
    "pdf": "an address that starts with https://",
    "license": "the name of a licence such as CC-BY-4.0",
} | dict.fromkeys(CHECKS, f"a line of at most 250 characters: what ours is compared with, or '{NO_CHECK}' and why")


def parse(front: FrontMatter, path: str) -> tuple[Record | None, list[Problem]]:
    """Read a record. Returns it, or None, and every problem found; problems carry the line of their field."""
    if front.problem:
        return None, [front.problem]
    if not front.values:
        remedy = "start it as `paperimpl new CHAPTER SLUG` does"
        return None, [Problem(path, 1, "a paper's note has no front matter", remedy)]
    problems: list[Problem] = []

    def wrong(name: str) -> None:
        line, value, expected = front.lines.get(name, 1), front.values.get(name), _EXPECTED[name]
        if value is None or value == "":
            problems.append(Problem(path, line, f"{name} is missing", f"write '{name}:' and {expected}"))
        else:
            found = repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:57]}..."
            problems.append(Problem(path, line, f"{name}: {found} is not {expected}", f"write {expected}"))

    for name in front.values:
        if name not in _NAMES and name not in _OF_ANY_NOTE:
            known = [*_NAMES, *sorted(_OF_ANY_NOTE - set(_NAMES))]
            hint = nearest(name, known) or f"known fields: {', '.join(known)}"
            problems.append(Problem(path, front.lines.get(name, 1), f"{name}: unknown field", hint))
    values: dict[str, Any] = {}
    for name in _NAMES:
        value = front.values.get(name)
        if value is None or value == "":
            if name == "requires" and name in front.values:
                values[name] = ()
            elif name in _REQUIRED:
                wrong(name)
            continue
        read = _read(name, value)
        if read is None:
            wrong(name)
        else:
            values[name] = read
    if not any(front.values.get(name) for name in ("arxiv", "doi", "url")):
        problems.append(Problem(path, 1, "the paper has no source", "add one of arxiv, doi, url"))
    if problems:
        return None, problems
    return Record(**values, lines=front.lines), []


def _read(name: str, value: Any) -> str | int | tuple[str, ...] | None:
    """Turn what YAML read into what the field holds; None where it is not what the field expects."""
    if name in _LISTS:
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            return None
        if name == "requires":
            links = [_LINK.fullmatch(item) for item in value]
            return tuple(link[1].strip() for link in links if link) if all(links) else None
        return None if name == "authors" and not value else tuple(value)
    if name in _RANGES:
        sound = isinstance(value, int) and not isinstance(value, bool) and value in _RANGES[name]
        return value if sound else None
    if not isinstance(value, str) or (name in _MATCHES and not _MATCHES[name].fullmatch(value)):
        return None
    return value
