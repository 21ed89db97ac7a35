"""What the site adds to the vault: headers, ends, backlinks, generated pages, navigation. Knows nothing of MkDocs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from paperimpl.markdown.extension import Context
from paperimpl.vault import views
from paperimpl.vault.index import Note
from paperimpl.vault.paper import CHAPTER, CHAPTERS, Paper
from paperimpl.vault.record import Record
from paperimpl.vault.result import Recorded, number

__all__ = ["Card", "Chapter", "Publication"]

# Files that Obsidian or we keep beside the notes and that are no part of what is published; bases and canvases are
# published as pages (`pages`), never as they are, for they may name what is private.
_KEPT_BACK = re.compile(r"(?:^|/)templates/|\.(?:base|canvas|lock|part)$")


@dataclass(frozen=True)
class Card:
    """A paper as lists show it."""

    slug: str
    path: str
    record: Record
    result: Recorded | None

    @property
    def by(self) -> str:
        """Its authors, as one says them: one, both, or the first et al."""
        names = [re.sub(r"^(?:[A-Z][\w-]*\. ?)+", "", name) for name in self.record.authors]
        return names[0] if len(names) == 1 else f"{names[0]} & {names[1]}" if len(names) == 2 else f"{names[0]} et al."


@dataclass(frozen=True)
class Chapter:
    """A chapter as lists show it: its folder, title, note and papers in order."""

    folder: str
    title: str
    path: str
    description: str
    papers: tuple[Card, ...]

    @property
    def number(self) -> int:
        """Its number, from the folder's name."""
        return int(self.folder[:2])


class Publication:
    """One vault as it is to be published.

    Args:
        context: the index and, where the vault has papers, their health.
        repository: the folder that holds `vault/`.
        repository_url: where the repository is shown; empty for no links to it.
        preview: whether this is for the author's own eyes; PDFs that may not be redistributed are then shown.
    """

    def __init__(self, context: Context, repository: Path, repository_url: str, preview: bool):
        self.context = context
        self.index = context.index
        self.repository = repository
        self.repository_url = repository_url.rstrip("/")
        self.preview = preview
        self.jinja = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.jinja.filters["number"] = number
        health = context.health
        self._papers = {
            f"{paper.chapter}/{slug}/{slug}.md": paper for slug, paper in (health.papers.items() if health else ())
        }

    @property
    def papers(self) -> list[Card]:
        """All papers with a record, by year and title."""
        return sorted(self._cards(), key=lambda card: (card.record.year, card.record.title))

    @property
    def chapters(self) -> list[Chapter]:
        """The chapters that have a note, in order."""
        by_chapter = defaultdict(list)
        for card in self._cards():
            by_chapter[card.path.split("/")[0]].append(card)
        found = []
        for folder, title in CHAPTERS.items() if self.context.health else ():
            note = self.index.notes.get(f"{folder}/{folder}.md")
            if note is not None and note.published:
                papers = sorted(by_chapter[folder], key=lambda card: (card.record.order, card.record.year))
                description = str(note.front.values.get("description") or "")
                found.append(Chapter(folder, title, note.path, description, tuple(papers)))
        return found

    def _cards(self) -> Iterable[Card]:
        health = self.context.health
        for path, paper in self._papers.items():
            note = self.index.notes.get(path)
            if health and note and note.published and paper.slug in health.records:
                yield Card(paper.slug, path, health.records[paper.slug], health.results.get(paper.slug))

    def slug(self, path: str) -> str:
        """The slug of the paper whose note is at a path; empty for other pages."""
        paper = self._papers.get(path)
        return paper.slug if paper else ""

    def publishes(self, path: str) -> bool:
        """Say whether a file of the vault may be in the public site."""
        if _KEPT_BACK.search(path):
            return False
        if path in self.index.notes:
            return self.index.notes[path].published
        if path.endswith(".pdf"):
            paper = self._papers.get(path[:-4] + ".md")
            record = self.context.health.records.get(paper.slug) if paper and self.context.health else None
            return paper is None or self.preview or bool(record and record.may_redistribute)
        return True

    def address(self, path: str) -> str:
        """Where a folder's note is published: as the folder's own page. Empty for other notes."""
        folder = PurePosixPath(path).parent
        if folder.name and folder.name == PurePosixPath(path).stem and f"{folder}/index.md" not in self.index.notes:
            return f"{folder}/index.html"
        return ""

    def opens_section(self, path: str) -> bool:
        """Say whether a folder's note has other pages beside or below it."""
        folder = f"{PurePosixPath(path).parent}/"
        pages = (*self.index.notes, *self.index.notebooks)
        return any(other.startswith(folder) and other != path and self.publishes(other) for other in pages)

    def url_of(self, path: str) -> str:
        """The address of a note's page, from the site's root."""
        address = self.address(path)
        return address.removesuffix("index.html") if address else f"{path.removesuffix('.md')}/"

    def header(self, note: Note, url: Callable[[str], str]) -> str:
        """What stands above a paper's note: title, authors, source, the claim and its result. Empty for other notes."""
        paper, health = self._papers.get(note.path), self.context.health
        if paper is None or health is None or paper.slug not in health.records:
            return ""
        record = health.records[paper.slug]
        pdf = note.path[:-3] + ".pdf"
        held = pdf in self.index.files and self.publishes(pdf)
        requires = []
        for name in record.requires:
            found = self.index.find(name, note.path)
            requires.append((self.index.notes[found].title if found in self.index.notes else name, url(found or "")))
        leads = [
            (card.record.title, url(card.path))
            for card in self.papers
            if paper.slug in card.record.requires and card.slug != paper.slug
        ]
        return self.jinja.get_template("paper.html").render(
            paper=paper,
            record=record,
            result=health.results.get(paper.slug),
            pdf_url=url(pdf) if held else "",
            result_url=url(note.path[:-3] + ".claim.json"),
            code_url=self._code_url,
            requires=requires,
            leads=leads,
        )

    def _code_url(self, paper: Paper, kind: str) -> str:
        return f"{self.repository_url}/blob/main/{paper.place(kind)}" if self.repository_url else ""

    def tail(self, note: Note) -> str:
        """Markdown that ends a paper's note: its result by seed, its PDF where it may be shown, its whole code."""
        paper, health = self._papers.get(note.path), self.context.health
        if paper is None or health is None:
            return ""
        pdf = note.path[:-3] + ".pdf"
        return self.jinja.get_template("tail.md").render(
            slug=paper.slug,
            result=health.results.get(paper.slug),
            unchecked=health.records[paper.slug].unchecked if paper.slug in health.records else (),
            pdf=f"{paper.slug}.pdf" if pdf in self.index.files and self.publishes(pdf) else "",
            has={kind: place.is_file() for kind, place in paper.places.items()},
        )

    def links_here(self, path: str, url: Callable[[str], str]) -> str:
        """The notes that link to a page."""
        mentions = [(m.note.title, url(m.note.path)) for m in self.index.backlinks.get(path, [])]
        return self.jinja.get_template("backlinks.html").render(mentions=mentions) if mentions else ""

    def pages(self) -> dict[str, str]:
        """Pages that no note is behind: bases, canvases, all papers by year, and what notes ask for in vain."""
        made = {views.page_of(path): views.page(path) for path in views.published(self.index)}
        if self.index.wanted:
            made["wanted.md"] = self.jinja.get_template("wanted.md").render(wanted=self.index.wanted, escape=_escape)
        if self.context.health:
            made["papers.md"] = self.jinja.get_template("papers.md").render(papers=self.papers, escape=_escape)
        return made

    def nav(self, paths: Iterable[str]) -> list[Any]:
        """Navigation by folder: a folder's note opens it, `order` and then titles order it, chapters stand together."""
        top: list[str] = []
        folders: dict[str, list[str]] = defaultdict(list)
        for path in paths:
            head, slash, _ = path.partition("/")
            (folders[head] if slash else top).append(path)
        chapters = [folder for folder in sorted(folders) if CHAPTER.fullmatch(folder) and self.context.health]
        others = [folder for folder in sorted(folders) if folder not in chapters]
        nav: list[Any] = [path for path in top if path == "index.md"]
        loose = self._sorted(path for path in top if path != "index.md" and path not in ("papers.md", "wanted.md"))
        if chapters:
            listed = ["papers.md"] if "papers.md" in top else []
            nav.append({"Papers": [*listed, *(self._section(folder, folders[folder]) for folder in chapters)]})
        nav += [self._section(folder, folders[folder]) for folder in others]
        loose += [path for path in top if path == "wanted.md"]
        return nav + ([{"Reference": loose}] if chapters and loose else loose)

    def _section(self, folder: str, paths: list[str]) -> dict[str, list[Any]]:
        name = PurePosixPath(folder).name
        own = next(
            (p for p in (f"{folder}/index.md", f"{folder}/README.md", f"{folder}/{name}.md") if p in paths), None
        )
        inside: dict[str, list[str]] = defaultdict(list)
        direct = []
        for path in paths:
            rest = path[len(folder) + 1 :]
            sub, slash, _ = rest.partition("/")
            if slash:
                inside[f"{folder}/{sub}"].append(path)
            elif path != own:
                direct.append(path)
        items: list[Any] = []
        for sub, files in inside.items():
            single = f"{sub}/{PurePosixPath(sub).name}.md"
            items.append(single if files == [single] else self._section(sub, files))
        title = self.index.notes[own].title if own in self.index.notes else name.replace("-", " ").capitalize()
        pages = self._sorted([*direct, *(item for item in items if isinstance(item, str))])
        sections = [item for item in items if not isinstance(item, str)]
        return {CHAPTERS.get(folder, title): [*filter(None, [own]), *pages, *sections]}

    def _sorted(self, paths: Iterable[str]) -> list[str]:
        def key(path: str) -> tuple[int, str, str]:
            note = self.index.notes.get(path) or self.index.notebooks.get(path)
            order = note.front.values.get("order") if note else None
            return (order if isinstance(order, int) else 999, note.title.lower() if note else path, path)

        return sorted(paths, key=key)


def _escape(text: str) -> str:
    """Keep a name from being read as Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|$~=^])", r"\\\1", text)
