"""What a rendering asked of the vault and what it was told.

Whoever remembers a rendering asks the same questions again: where all answers are the same, so is the rendering. What
is asked in no known way counts as a question about everything, so nothing can be forgotten, only be slow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any

from paperimpl.vault.index import Index, Note, Resolved
from paperimpl.vault.scan import Link

__all__ = ["Answers", "Question", "Trace", "TracedIndex"]

Question = tuple[str, ...]
EVERYTHING: Question = ("everything",)


class Answers:
    """The vault as it is now, for questions as a trace holds them.

    Args:
        index: the notes.
        address: what the site says of a file of the vault: where it is, and whether it is published.
        tag: the address of a tag's page, seen from a note.
    """

    def __init__(self, index: Index, address: Callable[[str], str], tag: Callable[[str], str]):
        self.index, self.address, self.tag = index, address, tag
        self._everything = ""

    def __call__(self, question: Question) -> str:
        """Answer in a few letters; the answer to what nobody can ask any more is like no other."""
        kind, *rest = question
        answer: Callable[..., str] | None = getattr(self, f"_about_{kind}", None)
        return answer(*rest) if answer else "?"

    def _about_resolve(self, source: str, target: str, fragment: str, label: str, form: str) -> str:
        link = Link(target, fragment, label[1:] if label else None, "e" in form, "w" in form, 0, 0)
        return told(self.index.resolve(link, source))

    def _about_find(self, target: str, source: str) -> str:
        return self.index.find(target, source) or ""

    def _about_note(self, path: str) -> str:
        note = self.index.notes.get(path)
        return note.digest if note else ""

    def _about_notebook(self, path: str) -> str:
        note = self.index.notebooks.get(path)
        return note.digest if note else ""

    def _about_file(self, path: str) -> str:
        return "yes" if path in self.index.files else ""

    def _about_address(self, path: str) -> str:
        return self.address(path)

    def _about_tag(self, name: str) -> str:
        return self.tag(name)

    def _about_everything(self) -> str:
        if not self._everything:
            index = self.index
            texts = [(path, note.digest) for path, note in (*index.notes.items(), *index.notebooks.items())]
            files = [(path, self.address(path)) for path in sorted(index.files | index.notes.keys())]
            self._everything = _short(repr((texts, files)))
        return self._everything


class Trace:
    """Questions with their answers, in the order in which they were asked.

    Args:
        answers: the vault.
    """

    def __init__(self, answers: Answers):
        self.answers = answers
        self.asked: dict[Question, str] = {}

    def ask(self, *question: str) -> None:
        """Remember a question, and its answer now."""
        if question not in self.asked:
            self.asked[question] = self.answers(question)

    def tag(self, name: str) -> str:
        """Name the address of a tag's page."""
        self.ask("tag", name)
        return self.asked["tag", name]

    def everything(self) -> None:
        """Remember that nobody knows what was asked."""
        self.ask(*EVERYTHING)


class TracedIndex:
    """An index that remembers what it is asked."""

    def __init__(self, index: Index, trace: Trace):
        self._index = index
        self._trace = trace
        self.strict_line_breaks = index.strict_line_breaks  # a setting
        self.notes = _Traced(index.notes, "note", trace)
        self.notebooks = _Traced(index.notebooks, "notebook", trace)
        self.files = _TracedFiles(index.files, trace)

    def resolve(self, link: Link, source: str) -> Resolved:
        """Say where a link leads."""
        label = "" if link.label is None else f"|{link.label}"
        form = ("e" if link.embed else "") + ("w" if link.wiki else "")
        self._trace.ask("resolve", source, link.target, link.fragment, label, form)
        return self._index.resolve(link, source)

    def find(self, target: str, source: str) -> str | None:
        """Find the file that a link's target names."""
        self._trace.ask("find", target, source)
        return self._index.find(target, source)

    def at(self, path: str) -> Note:
        """Return the note or notebook at a path."""
        return self.notes.get(path) or self.notebooks[path]

    def __getattr__(self, name: str) -> Any:
        self._trace.everything()
        return getattr(self._index, name)


class _Traced(Mapping[str, Note]):
    """Notes by path; each that is looked up is remembered, all where they are gone through."""

    def __init__(self, notes: dict[str, Note], kind: str, trace: Trace):
        self._notes, self._kind, self._trace = notes, kind, trace

    def __getitem__(self, path: str) -> Note:
        self._trace.ask(self._kind, path)
        return self._notes[path]

    def __iter__(self) -> Iterator[str]:
        self._trace.everything()
        return iter(self._notes)

    def __len__(self) -> int:
        self._trace.everything()
        return len(self._notes)

    def __or__(self, other: Any) -> dict[str, Note]:
        return {**self, **other}


class _TracedFiles(Set[str]):
    """Paths of attachments; each that is looked up is remembered, all where they are gone through."""

    def __init__(self, files: Set[str], trace: Trace):
        self._files, self._trace = files, trace

    def __contains__(self, path: object) -> bool:
        self._trace.ask("file", str(path))
        return path in self._files

    def __iter__(self) -> Iterator[str]:
        self._trace.everything()
        return iter(self._files)

    def __len__(self) -> int:
        self._trace.everything()
        return len(self._files)

    @classmethod
    def _from_iterable(cls, found: Iterable[Any]) -> set[Any]:
        return set(found)


def told(resolved: Resolved) -> str:
    """Write where a link leads."""
    problem = resolved.problem or ("", "")
    return "|".join((resolved.kind, resolved.path, resolved.anchor, *problem))


def _short(value: str | bytes) -> str:
    data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=12).hexdigest()
