"""Who speaks of a note: the sentences that link to it, and those that name it without a link."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from paperimpl.publish.readable import Passage, bare, passage
from paperimpl.vault import scan
from paperimpl.vault.index import Index, Note

__all__ = ["Backlinks", "Source"]

# So many sentences of one note, and so many notes that only name another, are shown; the rest is counted.
PASSAGES, NAMED = 3, 12
# Chinese, Japanese and Korean put no spaces between words: each of their letters is a word here.
_TOKEN = re.compile(r"[\u2e80-\u30ff\u31c0-\u9fff\uac00-\ud7af]|[^\W\u2e80-\u30ff\u31c0-\u9fff\uac00-\ud7af]+")
_SPACES = dict.fromkeys(map(ord, "\t\n\r\u00a0\u202f"), " ")
_WIDE = re.compile(r"[\u2e80-\u30ff\u31c0-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True)
class Source:
    """A note that speaks of another: where it does, and how often beyond what is shown."""

    note: Note
    passages: tuple[Passage, ...]
    more: int


class Backlinks:
    """What is said of each note. All links are looked at once; sentences are cut when a page asks for them.

    Args:
        index: the vault.
        quote: the answer to `{{ slug.key }}`, where the vault has results.
    """

    def __init__(self, index: Index, quote: Callable[[re.Match[str]], str] | None = None):
        self.index, self.quote = index, quote

    @cached_property
    def _incoming(self) -> dict[str, dict[str, list[tuple[scan.Link, int]]]]:
        found: dict[str, dict[str, list[tuple[scan.Link, int]]]] = defaultdict(lambda: defaultdict(list))
        for source, entries in self.index.resolved.items():
            for link, line, resolved in entries:
                if resolved.kind == "note" and resolved.path != source:
                    found[resolved.path][source].append((link, line))
        return found

    def linked(self, path: str) -> list[Source]:
        """The notes that link to a note, by title, each with the sentences that do."""
        found = []
        for source, links in self._incoming.get(path, {}).items():
            note = self.index.at(source)
            seen: dict[Passage, None] = {}
            for link, line in links[: 4 * PASSAGES]:
                sentence = self._sentence(note, link, line)
                if sentence.before or sentence.after:
                    seen.setdefault(sentence)
            more = len(links) - PASSAGES if len(seen) > PASSAGES else 0
            found.append(Source(note, tuple(seen)[:PASSAGES], more))
        return sorted(found, key=_by_title)

    def _sentence(self, note: Note, link: scan.Link, line: int) -> Passage:
        if link.start >= 0:
            return passage(note, link.start, link.end, self.quote)
        key = next((key for key, at in note.front.lines.items() if at == line), "")
        return Passage(f"{key}: " if key else "", link.label or link.target, "")

    def unlinked(self, path: str) -> tuple[list[Source], int]:
        """The notes that name a note and do not link to it, the first so many by title; and how many more."""
        linked = self._incoming.get(path, {})
        found = [(source, *at) for source, at in self._named.get(path, {}).items() if source not in linked]
        found.sort(key=lambda entry: (self.index.at(entry[0]).title.lower(), entry[0]))
        shown = [
            Source(note := self.index.at(source), (passage(note, start, end, self.quote),), 0)
            for source, start, end in found[:NAMED]
        ]
        return shown, len(found) - len(shown)

    def mark(self, path: str) -> str:
        """Say, in short, all that `linked` and `unlinked` depend on but the answers of `quote`."""
        at = self.index.at
        linked = [
            (source, at(source).digest, [(link.start, line) for link, line in links])
            for source, links in self._incoming.get(path, {}).items()
        ]
        named = [(source, at(source).digest, *where) for source, where in self._named.get(path, {}).items()]
        return repr((linked, named))

    @cached_property
    def _names(self) -> dict[str, list[tuple[str, str, int]]]:
        """First word of a name, to the names that begin with it, the longest first: name, its note, where it begins."""
        found: dict[str, list[tuple[str, str, int]]] = defaultdict(list)
        for path, note in (self.index.notes | self.index.notebooks).items():
            if not note.published or note.opens_folder:
                continue
            for name in {_even(name) for name in (note.title, note.name, *note.aliases)}:
                first = _TOKEN.search(name)
                if first and len(name) + len(_WIDE.findall(name)) >= 4 and not name.isdigit():
                    found[first[0]].append((name, path, first.start()))
        return {word: sorted(names, key=lambda entry: (-len(entry[0]), entry)) for word, names in found.items()}

    @cached_property
    def _named(self) -> dict[str, dict[str, tuple[int, int]]]:
        """Note to the notes that name it, each with the first place; names that half the vault says are words."""
        names = self._names
        key = hash(tuple((word, *entries) for word, entries in sorted(names.items())))
        found: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
        for path, note in (self.index.notes | self.index.notebooks).items():
            if note.published:
                for target, start, end in _mentions(note, names, key):
                    if target != path:
                        found[target].setdefault(path, (start, end))
        many = max(30, len(self.index.notes) // 4)
        return {target: sources for target, sources in found.items() if len(sources) <= many}

    def mentions(self) -> dict[str, dict[str, tuple[int, int]]]:
        """Note to the notes that name it, each with the first place where it does."""
        return self._named

    @property
    def counts(self) -> Counter[str]:
        """How many notes link to each."""
        return Counter({path: len(sources) for path, sources in self._incoming.items()})


def _mentions(note: Note, names: dict[str, list[tuple[str, str, int]]], key: int) -> list[tuple[str, int, int]]:
    """Find the first place of each name in a note's prose, whole words, the longest name where several fit.

    What was found is kept with the note for as long as the names are the same.
    """
    kept: tuple[int, list[tuple[str, int, int]]] | None = note.__dict__.get("_mentions")
    if kept is not None and kept[0] == key:
        return kept[1]
    prose = bare(note)
    text, places = _even(prose), None
    if len(text) != len(prose):  # letters that change their number when they change their form
        text, places = _even_with_places(prose)
    found: dict[str, tuple[int, int]] = {}
    after = 0
    for token in _TOKEN.finditer(text):
        candidates = names.get(token[0])
        if candidates is None or token.start() < after:
            continue
        for name, _, first in candidates:
            start = token.start() - first
            if start >= after and text.startswith(name, start) and _whole(text, start, start + len(name)):
                after = start + len(name)
                for same, path, _ in candidates:
                    if same == name:
                        found.setdefault(path, (start, after))
                break
    if places:
        found = {path: (places[start], places[end]) for path, (start, end) in found.items()}
    result = [(path, start, end) for path, (start, end) in found.items()]
    note.__dict__["_mentions"] = (key, result)
    return result


def _whole(text: str, start: int, end: int) -> bool:
    """Say whether no word goes on across either end."""
    before = start > 0 and text[start].isalnum() and text[start - 1].isalnum() and not _WIDE.match(text[start])
    behind = end < len(text) and text[end - 1].isalnum() and text[end].isalnum() and not _WIDE.match(text[end - 1])
    return not (before or behind)


def _even(text: str) -> str:
    """Put a name, or a text, in the one form in which they are compared."""
    return unicodedata.normalize("NFC", text).lower().translate(_SPACES)


def _even_with_places(text: str) -> tuple[str, list[int]]:
    """Do the same letter by letter, and tell where each letter of the result came from."""
    out: list[str] = []
    places: list[int] = []
    for match in re.finditer(r"[^\u0300-\u036f][\u0300-\u036f]*|[\u0300-\u036f]+", text):
        even = _even(match[0])
        out.append(even)
        places += [match.start()] * len(even)
    return "".join(out), [*places, len(text)]


def _by_title(source: Source) -> tuple[str, str]:
    return source.note.title.lower(), source.note.path
