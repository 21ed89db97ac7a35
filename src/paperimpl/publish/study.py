"""What the site adds for a reader who studies: how far one is, what comes next, cards, a deck, open questions."""

from __future__ import annotations

import datetime
import importlib.util
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import Environment

from paperimpl.course.reading import Course, Step, StudyPath, key_of
from paperimpl.publish.address import Addresses
from paperimpl.publish.generated import Generated
from paperimpl.vault.check import QUOTE, Health
from paperimpl.vault.index import Note
from paperimpl.vault.paper import CHAPTERS

if TYPE_CHECKING:
    from paperimpl.publish.pages import Chapter

__all__ = ["Study", "Track"]


@dataclass(frozen=True)
class Track:
    """What one reads on in order: a study path, a chapter, the lessons. Each step has a path.

    Attributes:
        title: its name.
        path: its own note.
        steps: what can be read, in order, each note once.
        unwritten: what nobody has written yet.
    """

    title: str
    path: str
    steps: tuple[Step, ...]
    unwritten: tuple[Step, ...] = ()

    @classmethod
    def of_path(cls, study: StudyPath) -> Track:
        """A study path."""
        return cls(study.note.title, study.note.path, study.written, study.unwritten)

    @classmethod
    def of_chapter(cls, chapter: Chapter) -> Track:
        """A chapter's papers, in its order."""
        steps = (Step(card.slug, card.record.title, card.path, 0) for card in chapter.papers)
        return cls(chapter.title, chapter.path, tuple(steps))

    def data(self, url: Callable[[str], str]) -> str:
        """Its steps for the reader's script: key, label and address of each, as JSON."""
        return json.dumps([[key_of(step.path), step.label, url(step.path)] for step in self.steps], ensure_ascii=False)

    @staticmethod
    def key(step: Step) -> str:
        """The name by which a reader's progress knows a step."""
        return key_of(step.path)


class Study:
    """The order of reading and the practice of one publication.

    Args:
        course: what its notes ask of a reader.
        health: their records and results.
        chapters: its chapters that have a note.
        addresses: where its notes are.
        jinja: the templates.
        free: names a page as wished for, or nearly so where a note has that name.
    """

    def __init__(
        self,
        course: Course,
        health: Health,
        chapters: Sequence[Chapter],
        addresses: Addresses,
        jinja: Environment,
        free: Callable[[str], str],
    ):
        self.course, self.health, self.addresses, self.jinja = course, health, addresses, jinja
        self.tracks = {study.note.path: Track.of_path(study) for study in course.paths}
        self.chapters = [Track.of_chapter(chapter) for chapter in chapters if chapter.papers]
        self.progress_page, self.review_page, self.questions_page = map(free, ("progress", "review", "questions"))
        self.deck_address = ""  # of Anki's deck, where there is one

    @property
    def practice(self) -> list[str]:
        """The pages of this part."""
        return [self.progress_page, self.review_page, self.questions_page]

    def above(self, path: str, url: Callable[[str], str]) -> str:
        """How far one is on a study path or in a chapter, above its text. Empty for other notes."""
        track = self.tracks.get(path) or next((track for track in self.chapters if track.path == path), None)
        if track is None or not track.steps:
            return ""
        return self.jinja.get_template("track.html").render(track=track, url=url, progress=url(self.progress_page))

    def below(self, path: str, url: Callable[[str], str], summary: Callable[[Note], str]) -> str:
        """What stands below a paper or a lesson: to mark it as read, what comes next, what it leads to."""
        if not self.course.is_read(path):
            return ""
        index = self.course.index
        notes = {other: index.notes.get(other) or index.notebooks[other] for other in self.course.leads(path)}
        return self.jinja.get_template("ending.html").render(
            key=key_of(path),
            places=self.course.places(path),
            leads=[(note.title, url(other), key_of(other), summary(note)) for other, note in notes.items()],
            progress=url(self.progress_page),
            url=url,
        )

    @property
    def progress(self) -> Generated:
        """The page of a reader's progress, settings and data."""
        lessons = tuple(Step("", self.course.title(path), path, 0) for path in self.course.lessons)
        values = {
            "paths": list(self.tracks.values()),
            "chapters": self.chapters,
            "lessons": Track("Lessons", "lessons/lessons.md", lessons) if lessons else None,
            "papers": len(self.course.papers),
            "review": self.review_page,
        }
        about = "How far you are: every path, chapter and lesson, kept in this browser alone; export, import, settings."
        return Generated("Your progress", about, "progress.html", values, hide=("toc",))

    def pages(self, escape: Callable[[str], str]) -> dict[str, str]:
        """Pages of Markdown, by path: all cards, all open questions; none that would be empty."""
        wanted: tuple[tuple[str, str, Callable[[str], Sequence[Any]], dict[str, str]], ...] = (
            (self.review_page, "review.md", self.course.cards, {"deck": self.deck_address}),
            (self.questions_page, "questions.md", self.course.questions, {}),
        )
        made = {}
        for page, template, of, more in wanted:
            if chapters := self._by_chapter(of):
                count = sum(len(items) for _, notes in chapters for _, _, items in notes)
                made[page] = self.jinja.get_template(template).render(
                    chapters=chapters, count=count, escape=escape, within=_within, **more
                )
        return made

    def _by_chapter(self, of: Callable[[str], Sequence[Any]]) -> list[tuple[str, list[tuple[str, str, Sequence[Any]]]]]:
        """List what notes hold by chapter, lessons last: the chapter's title, and of each note title, path and that."""
        found: dict[str, list[tuple[str, str, Sequence[Any]]]] = defaultdict(list)
        for path in (*self.course.ordered, *self.course.lessons):
            if held := of(path):
                title = CHAPTERS[path.split("/")[0]] if path in self.course.papers else "Lessons"
                found[title].append((self.course.title(path), path, held))
        return list(found.items())

    def deck(self, name: str, site_url: str, changed: Mapping[str, datetime.date], now: float) -> bytes:
        """Make Anki's deck of all cards; empty where there are none, or nothing to make it with.

        Args:
            name: what Anki is to call it.
            site_url: where the site is; empty where nobody knows.
            changed: the day on which each note was changed, where git tells.
            now: when they were changed, in seconds since 1970, where git does not tell.
        """
        if importlib.util.find_spec("genanki") is None:
            return b""
        from paperimpl.course import anki

        base = f"{site_url.rstrip('/')}/" if site_url else ""

        def address(path: str) -> str:
            return base + self.addresses.page(path) if base else ""

        found = anki.entries(self.course, address)
        if not found:
            return b""
        days = [changed[path] for path in (*self.course.papers, *self.course.lessons) if path in changed]
        midnight = datetime.time(tzinfo=datetime.UTC)
        last = datetime.datetime.combine(max(days), midnight).timestamp() if days else now
        return anki.deck(name, found, last, self._quoted)

    def _quoted(self, written: str) -> str:
        match = QUOTE.fullmatch(written)
        try:
            return self.health.quote(match) if match else written
        except KeyError:  # told where the note is rendered
            return written


def _within(path: str, text: str) -> str:
    """Have links of a note to itself lead to it from elsewhere."""
    return text.replace("[[#", f"[[{path.removesuffix('.md')}#")
