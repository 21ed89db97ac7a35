"""Pages that no note is behind: the home page of a vault without one, tags, what changed, the graph, what is wanted."""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from jinja2 import Environment

from paperimpl.publish import graph
from paperimpl.publish.properties import MONTHS, Url, day_in_words, tags
from paperimpl.vault.index import Index, Note

__all__ = ["Generated", "Generator", "Tag"]

# So many notes are listed as changed, and so many of them on the home page.
CHANGED, CHANGED_AT_HOME = 100, 8


@dataclass(frozen=True)
class Generated:
    """A page to be made: its title, what it is, its template and what that needs; how navigation shows it."""

    title: str
    description: str
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    listed: bool = True
    hide: tuple[str, ...] = ()


@dataclass
class Tag:
    """A tag: its whole name, the page of its notes, the notes that bear it, and the tags below it."""

    name: str
    path: str
    notes: list[Note] = field(default_factory=list)
    below: list[Tag] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many notes bear it or a tag below it."""
        return len({note.path for note in self.all()})

    def all(self) -> list[Note]:
        """The notes that bear it or a tag below it."""
        return [*self.notes, *(note for tag in self.below for note in tag.all())]

    @property
    def last(self) -> str:
        """The last part of its name."""
        return self.name.rpartition("/")[2]


class Generator:
    """What to generate for a vault, and the HTML of each page.

    Args:
        index: the vault.
        jinja: the templates.
        changed: the day of each note's last change, where it is known.
        summary: a note in a sentence or two.
        site_name: the site's name, for a home page.
        site_description: the site in a sentence, for a home page.
    """

    def __init__(
        self,
        index: Index,
        jinja: Environment,
        changed: Mapping[str, datetime.date],
        summary: Callable[[Note], str],
        site_name: str = "",
        site_description: str = "",
    ):
        self.index, self.jinja, self.summary = index, jinja, summary
        self.site_name, self.site_description = site_name, site_description
        self.notes = [note for note in (index.notes | index.notebooks | index.boards).values() if note.published]
        by_title = sorted(self.notes, key=lambda note: (note.title.casefold(), note.path))
        self.changed = sorted(
            ((changed[note.path], note) for note in by_title if note.path in changed),
            key=lambda entry: entry[0],
            reverse=True,
        )
        self.tags_page = self.free("tags")
        self.tags = self._tags(by_title)
        self.top_tags = [tag for name, tag in sorted(self.tags.items()) if "/" not in name]
        self.recent_page, self.graph_page, self.wanted_page = map(self.free, ("recent", "graph", "wanted"))

    def free(self, name: str) -> str:
        """Choose a name that no note or folder of the vault has."""
        used = {
            path.partition("/")[0].removesuffix(".md").casefold() for path in (*self.index.notes, *self.index.files)
        }
        return next(f"{one}.md" for one in (name, f"all-{name}", f"vault-{name}", f"_{name}_") if one not in used)

    def _tags(self, notes: Iterable[Note]) -> dict[str, Tag]:
        found: dict[str, Tag] = {}
        used: set[str] = set()
        for note in notes:
            for name in tags(note):
                parts = name.split("/")
                for depth in range(1, len(parts) + 1):
                    key = "/".join(parts[:depth]).casefold()
                    if key not in found:
                        slug = "/".join(re.sub(r"[^\w-]+", "-", part).strip("-") or "tag" for part in key.split("/"))
                        while slug in used:
                            slug += "-"
                        used.add(slug)
                        path = f"{self.tags_page.removesuffix('.md')}/{slug}.md"
                        found[key] = Tag("/".join(parts[:depth]), path)
                        if depth > 1:
                            found["/".join(parts[: depth - 1]).casefold()].below.append(found[key])
                found[name.casefold()].notes.append(note)
        for tag in found.values():
            tag.below.sort(key=lambda below: below.name.casefold())
        return found

    def tag_path(self, name: str) -> str:
        """The page of a tag; empty where no note bears it."""
        tag = self.tags.get(name.lstrip("#").casefold())
        return tag.path if tag else ""

    def pages(self, home: bool, linked: bool) -> dict[str, Generated]:
        """Choose the pages by path: a home page where the vault has none, and what there is something to say on."""
        made = {}
        if home:
            made["index.md"] = Generated(self.site_name or "Home", self.site_description, "home.html")
        if self.changed:
            made[self.recent_page] = Generated(
                "Recently changed", "Notes by the day of their last change.", "recent.html"
            )
        if self.tags:
            made[self.tags_page] = Generated("Tags", "Every tag and how many notes bear it.", "tags.html")
            for tag in self.tags.values():
                about = f"Notes tagged {tag.name}."
                made[tag.path] = Generated(f"#{tag.name}", about, "tag.html", {"tag": tag}, listed=False)
        if linked:
            made[self.graph_page] = Generated(
                "Graph", "Every note and every link between them.", "graph.html", hide=("toc",)
            )
        if self.index.wanted:
            made[self.wanted_page] = Generated("Not written yet", "Notes that other notes ask for.", "wanted.html")
        return made

    def html(self, page: Generated, url: Url) -> str:
        """Write a page; `url` gives the way from it to a file of the vault."""
        return self.jinja.get_template(page.template).render(
            page=page, made=self, url=url, day=day_in_words, months=MONTHS, graph=graph.ADDRESS, **page.values
        )

    @property
    def months(self) -> list[tuple[str, list[tuple[datetime.date, Note]]]]:
        """What changed lately, by month."""
        found: dict[str, list[tuple[datetime.date, Note]]] = defaultdict(list)
        for date, note in self.changed[:CHANGED]:
            found[f"{MONTHS[date.month - 1]} {date.year}"].append((date, note))
        return list(found.items())

    @property
    def newest(self) -> list[tuple[datetime.date, Note]]:
        """The few that changed last."""
        return self.changed[:CHANGED_AT_HOME]

    @property
    def folders(self) -> list[tuple[str, Note | None, list[Note]]]:
        """Top-level folders by name, each with the note that opens it and the notes in it; the vault's root first."""
        inside: dict[str, list[Note]] = defaultdict(list)
        for note in sorted(self.notes, key=lambda note: (note.folder.casefold(), note.title.casefold(), note.path)):
            head, slash, _ = note.path.partition("/")
            inside[head if slash else ""].append(note)
        found = []
        for name in sorted(inside, key=str.casefold):
            own = next((note for note in inside[name] if _opens(note, name)), None)
            found.append((name, own, [note for note in inside[name] if note is not own]))
        return found

    @property
    def wanted(self) -> dict[str, list[Note]]:
        """What notes ask for and nobody wrote, with the notes that ask."""
        return {name: [mention.note for mention in mentions] for name, mentions in self.index.wanted.items()}


def _opens(note: Note, folder: str) -> bool:
    return bool(folder) and note.folder == folder and (note.opens_folder or note.name == PurePosixPath(folder).name)
