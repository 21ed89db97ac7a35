"""What the site adds to the vault: headers, ends, backlinks, generated pages, navigation. Knows nothing of MkDocs."""

from __future__ import annotations

import re
import urllib.parse
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from paperimpl.course import notebooks
from paperimpl.course.reading import Course, key_of
from paperimpl.markdown.extension import Context
from paperimpl.publish import (
    cards,
    cite,
    columns,
    equations,
    evidence,
    feed,
    figures,
    graph,
    history,
    listings,
    properties,
    sidenotes,
)
from paperimpl.publish.address import Addresses, redirect, relative
from paperimpl.publish.backlinks import Backlinks
from paperimpl.publish.cache import Store, digest, our_code
from paperimpl.publish.generated import Generated, Generator
from paperimpl.publish.readable import excerpt
from paperimpl.publish.shelf import Shelf
from paperimpl.publish.study import Study
from paperimpl.publish.timeline import Timeline, timeline
from paperimpl.vault.code import symbol
from paperimpl.vault.evidence import RULE
from paperimpl.vault.index import Note, anchor, hidden, is_view, loose_name
from paperimpl.vault.paper import CHAPTER, CHAPTERS, Paper
from paperimpl.vault.problem import Problem
from paperimpl.vault.record import Record
from paperimpl.vault.result import Recorded, number
from paperimpl.vault.speed import ALLOWED

__all__ = ["MANY", "Card", "Chapter", "Publication"]

MANY = 60  # notes of one folder that a page's navigation lists; of more, it lists those around the page

# Files that we keep beside the notes and that are no part of what is published.
_KEPT_BACK = re.compile(r"\.(?:lock|part)$")

# The heading of a paper's page below which is no reading: results by seed, whole files.
_EVIDENCE = "the-evidence"

# What a card of a base may have in place of a picture.
_COLOUR = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})", re.I)


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
        vault: the vault's folder.
        site: the site's name and description, for the home page of a vault without one.
        directories: whether pages are `name/`, as MkDocs' `use_directory_urls` has it.
    """

    def __init__(
        self,
        context: Context,
        repository: Path | None,
        repository_url: str,
        preview: bool,
        vault: Path | None = None,
        site: tuple[str, str] = ("", ""),
        directories: bool = True,
    ):
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
        self.jinja.filters |= {"number": number, "amount": _amount, "plain": _plain}
        health = context.health
        self._papers = {
            f"{paper.chapter}/{slug}/{slug}.md": paper for slug, paper in (health.papers.items() if health else ())
        }
        self.index.withhold(path for path in self.index.files if not self.publishes(path))
        self.course = Course.of(health) if health else None
        self.addresses = Addresses(self.index, directories)
        slugs = {path: paper.slug for path, paper in self._papers.items()}
        self.shelf = Shelf(context, self.publishes, slugs)
        self.backlinks = Backlinks(self.index, health.quote if health else None)
        self.changed = history.changed(self.index, vault or (repository / "vault" if repository else None))
        self.generator = Generator(self.index, self.jinja, self.changed, self.summary, *site)
        home = "index.html" not in self.addresses.of.values()
        self.generated = self.generator.pages(home, linked=bool(self.backlinks.counts))
        self.generated |= self._contents(directories)
        self.store: Store | None = None
        self.places = b""
        self.site_url = ""  # where the site is, if it is known
        self.origin = notebooks.Origin(self.repository_url)
        self.cards: dict[str, str] = {}  # of notes, the addresses of their social cards
        self.evidence_page = self.generator.free("evidence")
        if health and (rows := evidence.rows(self.papers, health, self._papers)):
            self.generated[self.evidence_page] = evidence.page(rows)
        self.study: Study | None = None
        if self.course and health:
            self.study = Study(self.course, health, self.chapters, self.addresses, self.jinja, self.generator.free)
        if self.study and self.study.course.papers:
            self.generated[self.study.progress_page] = self.study.progress
        self._taken: dict[str, str] = {}  # listings, from the pages of papers that were composed
        self.listings: dict[str, list[listings.Listing]] = {}
        for path, paper in self._papers.items():
            note = self.index.notes.get(path)
            if note is None or not note.published or "template" in note.front.values:  # whose page is put together here
                continue
            if found := listings.listed(paper.slug, paper.places):
                self.listings[path] = found
                self.generated[self._code_page(path)] = self._code(note)

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

    @property
    def timeline(self) -> Timeline:
        """All papers by year and chapter, as a drawing."""
        return timeline(self.chapters)

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
        if _KEPT_BACK.search(path) or hidden(path) or path in self.index.outside:
            return False
        if (note := self.index.notes.get(path) or self.index.notebooks.get(path)) is not None:
            return note.published
        if is_view(path):
            return path in self.index.boards
        if path.endswith(".ipynb"):
            return path in self.index.notebooks
        if path.endswith(".pdf"):
            paper = self._papers.get(path[:-4] + ".md")
            record = self.context.health.records.get(paper.slug) if paper and self.context.health else None
            return paper is None or self.preview or bool(record and record.may_redistribute)
        return True

    @cached_property
    def _sizes(self) -> Counter[str]:
        """How many pages each folder has, those of its folders included."""
        found: Counter[str] = Counter()
        for path in (*self.index.notes, *self.index.notebooks, *self.index.boards):
            if self.publishes(path):
                found.update(str(folder) for folder in PurePosixPath(path).parents)
        return found

    def opens_section(self, path: str) -> bool:
        """Say whether a note opens its folder, and has other pages beside or below it."""
        return self.addresses.opens(path) and self._sizes[str(PurePosixPath(path).parent)] > 1

    def url_of(self, path: str) -> str:
        """The address of a note's page, from the site's root."""
        return self.addresses.url(path)

    def page_url(self, path: str) -> str:
        """The address of any page, from the site's root; no note need be behind it."""
        return self.addresses.page(path)

    def summary(self, note: Note) -> str:
        """A note in a sentence or two: its description, else how it begins."""
        said = note.front.values.get("description")
        if isinstance(said, str) and said.strip():
            return " ".join(said.split())
        kept: str | None = note.__dict__.get("_summary")
        if kept is None:
            health = self.context.health
            kept = note.__dict__["_summary"] = excerpt(note, quote=health.quote if health else None)
        return kept

    def header(self, note: Note, url: Callable[[str], str]) -> str:
        """What stands above a paper's note: title, authors, source, the claim and its result. Empty for other notes."""
        paper, health = self._papers.get(note.path), self.context.health
        if paper is None or health is None or paper.slug not in health.records:
            return ""
        record = health.records[paper.slug]
        pdf = note.path[:-3] + ".pdf"
        held = pdf in self.index.files and self.publishes(pdf)
        return self.jinja.get_template("paper.html").render(
            paper=paper,
            record=record,
            result=health.results.get(paper.slug),
            evidence_url=url(self.evidence_page),
            pdf_url=url(pdf) if held else "",
            sheet=(sheet := self.shelf.sheets.get(note.path)),
            sheet_url=url(sheet.address) if sheet else "",
            result_url=url(note.path[:-3] + ".claim.json"),
            citation_url=url(note.path[:-3] + ".bib"),
            discuss_url=self._discuss_url(record),
            colab_url=notebooks.colab(self.origin, paper.slug) if paper.slug in self.notebooks else "",
            notebook_url=self._from_root(note.path, notebooks.place(paper.slug))
            if paper.slug in self.notebooks
            else "",
            code_url=self._code_url,
            needs=[
                (title, url(path) if path else "", key_of(path) if path else "")
                for title, path in self._needs(note.path)
            ],
        )

    @cached_property
    def notebooks(self) -> dict[str, Path]:
        """The papers' notebooks that the repository holds, by slug."""
        if self.repository is None:
            return {}
        found = {paper.slug: self.repository / notebooks.place(paper.slug) for paper in self._papers.values()}
        return {slug: file for slug, file in found.items() if file.is_file()}

    def _from_root(self, path: str, to: str) -> str:
        """The way from a note's page to a file at an address below the site's root."""
        return "../" * self.url_of(path).count("/") + to

    def citations(self) -> dict[str, str]:
        """A paper's entry for a bibliography, by the path of its file."""
        return {f"{card.path[:-3]}.bib": cite.bibtex(card.slug, card.record) for card in self._cards()}

    def described(self, path: str, canonical: str) -> str:
        """What a paper's page, or the home page, is: for programs that read pages. Empty for others."""
        site = (self.generator.site_name, self.site_url)
        paper, health = self._papers.get(path), self.context.health
        if health and paper and paper.slug in health.records:
            return cite.script(cite.article(health.records[paper.slug], canonical, site))
        if path == "index.md" and (chapters := self.chapters):
            said = [
                (
                    chapter.title,
                    chapter.description,
                    urllib.parse.urljoin(self.site_url, self.url_of(chapter.path)) if self.site_url else "",
                )
                for chapter in chapters
            ]
            return cite.script(cite.course(site, self.generator.site_description, said))
        return ""

    def _needs(self, path: str) -> list[tuple[str, str]]:
        return self.course.needs(path) if self.course else []

    def _code_url(self, paper: Paper, kind: str) -> str:
        return f"{self.repository_url}/blob/main/{paper.place(kind)}" if self.repository_url else ""

    def _discuss_url(self, record: Record) -> str:
        """Where a reader asks a question about a paper's page, or says what is wrong in it."""
        title = urllib.parse.urlencode({"title": f"{record.title}: "}, quote_via=urllib.parse.quote)
        return f"{self.repository_url}/issues/new?{title}" if self.repository_url else ""

    def _test_url(self, path: str, name: str) -> str:
        """Where the lines of a test are shown; empty where the site does not say."""
        return self.context.link_to_code(symbol(f"{path}:{name}", self.repository or Path()))

    def tail(self, note: Note, *, whole: bool = True) -> str:
        """Markdown that ends a paper's note: its result by seed, its PDF where it may be shown, its whole code.

        Args:
            note: any note; the tail of one that is no paper's is empty.
            whole: whether the PDF and the code are in it.
        """
        paper, health = self._papers.get(note.path), self.context.health
        if paper is None or health is None:
            return ""
        pdf = note.path[:-3] + ".pdf"
        found = self.listings.get(note.path, ()) if whole else ()
        return self.jinja.get_template("tail.md").render(
            slug=paper.slug,
            result=health.results.get(paper.slug),
            checks=evidence.checks(paper, health),
            mutants=health.mutants.get(paper.slug),
            speed=health.speed,
            allowed=ALLOWED,
            findings=health.records[paper.slug].findings if paper.slug in health.records else (),
            rule=RULE,
            code_url=self._test_url,
            unchecked=health.records[paper.slug].unchecked if paper.slug in health.records else (),
            pdf=f"{paper.slug}.pdf" if whole and pdf in self.index.files and self.publishes(pdf) else "",
            listings=found,
            code=self._to_code(note.path) if found else "",
            edge=listings.EDGE,
        )

    def _to_code(self, path: str) -> str:
        """The way from a paper's page to the page of its code."""
        return relative(self.page_url(self._code_page(path)), self.addresses.of[path])

    def _code_page(self, path: str) -> str:
        """Name the page of a paper's code."""
        folder = str(PurePosixPath(path).parent)
        taken = self.index.notes.keys() | self.index.notebooks.keys()
        names = (f"{folder}/{name}" for name in ("code", "whole-code", "_code_"))
        return next(f"{name}.md" for name in names if not {f"{name}.md", f"{name}.ipynb"} & taken)

    def compose(self, note: Note, html: str, url: Callable[[str], str], page_url: str) -> str:
        """Put a note's page together: title, cover and properties above its text, what it is connected with below."""
        html = self._numbers(html, url)
        header = self.header(note, url)
        if self.course is not None:
            html = columns.pair(sidenotes.beside(html, f'<h2 id="{_EVIDENCE}"'), "the-code")
            html = equations.tie(html, self.slug(note.path))
            if note.path in self.listings:
                back = relative(self.url_of(note.path), self.page_url(self._code_page(note.path)))
                html, self._taken[note.path] = listings.part(html, self._to_code(note.path), back)
        top, html = ("", html) if header else self._title(note, html)
        picture, elsewhere = properties.cover(note, self.index)
        source = url(picture) if picture else elsewhere
        if source:
            top = f'<img class="cover" src="{escape(source)}" alt="">{top}'
        if not header:
            rows = properties.panel(note, self.index, url)
            tags = [(tag, url(self.tag_path(tag))) for tag in properties.tags(note)]
            if rows or tags:
                top += self.jinja.get_template("properties.html").render(rows=rows, tags=tags)
        track, ending = self.studied(note.path, url)
        apart = html.find(f'<h2 id="{_EVIDENCE}"')
        apart = apart if header and apart >= 0 else len(html)
        html = f"{header}{top}{track}{html[:apart]}{ending}{html[apart:]}"
        if names := properties.classes(note):
            html = f'<div class="{names}">{html}</div>'
        return html + self.connections(note.path, url, page_url)

    def studied(self, path: str, url: Callable[[str], str]) -> tuple[str, str]:
        """What a note has for a reader who studies, above and below its text."""
        if self.study is None:
            return "", ""
        return self.study.above(path, url), self.study.below(path, url, self.summary)

    def _numbers(self, html: str, url: Callable[[str], str]) -> str:
        """Have the figures of claims be pictures, with what they show in numbers below."""
        health = self.context.health
        if health is None or "claim-figure-box" not in html:
            return html
        places = {**health.papers, **health.surveys}
        results = {slug: recorded for slug, recorded in health.results.items() if slug in places}

        def address(slug: str) -> str:
            return url(places[slug].place("result").removeprefix("vault/"))

        def picture(slug: str) -> str:
            path = places[slug].place("figure").removeprefix("vault/")
            return url(path) if path in self.index.files and self.publishes(path) else ""

        return figures.with_numbers(html, results, self.jinja, address, picture)

    def _title(self, note: Note, html: str) -> tuple[str, str]:
        """Give a note's title, and its text without the heading that says the same."""
        first = next(iter(note.headings), None)
        if first and first.level == 1 and loose_name(first.text) == loose_name(note.title):
            match = re.search(rf'<h1 id="{re.escape(str(escape(first.id)))}"[^>]*>.*?</h1>\n?', html, re.S)
            if match:
                return match[0], html[: match.start()] + html[match.end() :]
        return f'<h1 id="{self.title_id(note)}">{escape(note.title)}</h1>\n', html

    def title_id(self, note: Note) -> str:
        """The id of a note's title, which no heading of the note has."""
        name = anchor(note.title)
        return name if all(heading.id != name for heading in note.headings) else f"title-{name}"

    def tag_path(self, name: str) -> str:
        """The page of a tag, a path as a note's; empty where no note bears it."""
        return self.generator.tag_path(name)

    def connections(self, path: str, url: Callable[[str], str], page_url: str) -> str:
        """What a note is connected with: its own part of the graph, and the sentences that speak of it."""
        if self.store is None:
            return self._connections(path, url, page_url)
        near = sorted({found.path for _, _, found in self.index.resolved.get(path, ()) if found.kind == "note"})
        key = digest(self.places, our_code(), path, page_url, self.backlinks.mark(path), *near)
        kept = self.store.get("connections", path, key)
        if kept is None:
            kept = self._connections(path, url, page_url)
            self.store.put("connections", path, key, kept)
        return kept

    def remember(self, store: Store, places: bytes) -> None:
        """Look up what earlier builds made of a note's connections, where no results are quoted.

        Args:
            store: what earlier builds remember.
            places: tells one set of pages and their addresses from any other.
        """
        self.store, self.places = (None if self.context.health else store), places

    def _connections(self, path: str, url: Callable[[str], str], page_url: str) -> str:
        linked = self.backlinks.linked(path)
        unlinked, more = self.backlinks.unlinked(path)
        near = {found.path for _, _, found in self.index.resolved.get(path, ()) if found.kind == "note"}
        near = (near | {source.note.path for source in linked}) - {path}
        if not (near or unlinked):
            return ""
        whole = self.generator.graph_page
        return self.jinja.get_template("connections.html").render(
            linked=linked,
            unlinked=unlinked,
            more=more,
            url=url,
            graph=url(graph.ADDRESS) if near else "",
            neighbours=len(near),
            whole=url(whole) if whole in self.generated else "",
            page_url=page_url,
        )

    @property
    def addressed(self) -> list[str]:
        """The paths of all notes, notebooks, bases and canvases that may have a page, in order."""
        notes = (self.index.notes | self.index.notebooks | self.index.boards).items()
        return sorted(path for path, note in notes if note.published)

    def redirects(self, site_url: str) -> dict[str, str]:
        """Pages at old addresses, by address: each leads to where its note is now."""
        found = {}
        for old, path in self.addresses.moved.items():
            to = self.addresses.url(path)
            way = relative(to, old)
            canonical = f"{site_url.rstrip('/')}/{to}" if site_url else way
            found[old] = redirect(self.index.notes[path].title, way, canonical)
        return found

    def problems(self) -> list[Problem]:
        """What notes ask of their pages that cannot be had, and what of the course is out of order."""
        ordered = self.course.problems() if self.course else ()
        found = [*self.addresses.problems, *self.shelf.problems, *ordered]
        for path, note in self.index.notes.items():
            for key in ("cover", "image") if note.published else ():
                said = note.front.values.get(key)
                if not isinstance(said, str) or not said.strip() or _COLOUR.fullmatch(said.strip()):
                    continue
                if not any(properties.cover(note, self.index, key)):
                    where = note.front.lines.get(key, 1)
                    found.append(Problem(f"vault/{path}", where, f"{key} {said!r} is no file of the vault", "mend it"))
        return found

    def feed(self, urls: Mapping[str, str], site_url: str, language: str) -> str:
        """What changed, for feed readers."""
        entries = [
            feed.Entry(note.title, urls[note.path].removeprefix("./"), self.summary(note), date)
            for date, note in self.generator.changed
            if note.path in urls
        ]
        made = self.generator
        return feed.feed(made.site_name, made.site_description, entries[: feed.LENGTH], site_url, language)

    def head(self, path: str, title: str, url: Callable[[str], str], canonical: str) -> str:
        """What those who show a link to a page show, and where feed readers look."""
        feed_type = feed.kind(canonical)
        out = [f'<link rel="alternate" type="{feed_type}" title="{escape(title)}" href="{escape(url(feed.ADDRESS))}">']
        note = self.index.notes.get(path) or self.index.notebooks.get(path)
        if note is None:
            return out[0]
        tags = {"og:type": "article", "og:site_name": self.generator.site_name, "og:title": note.title}
        picture, elsewhere = properties.cover(note, self.index)
        if not picture and not elsewhere:
            picture, elsewhere = properties.cover(note, self.index, "image")
        image = url(picture) if picture else elsewhere
        if canonical:
            tags["og:url"] = canonical
            image = urllib.parse.urljoin(canonical, image) if image else ""
        if about := self.summary(note):
            tags["og:description"] = about
        if image:
            tags |= {"og:image": image, "twitter:card": "summary_large_image"}
        elif self.site_url and path in self.cards:
            tags |= cards.metas(urllib.parse.urljoin(self.site_url, self.cards[path]), note.title)
        out += [f'<meta property="{name}" content="{escape(value)}">' for name, value in tags.items() if value]
        return "".join([*out, self.described(path, canonical)])

    def _code(self, note: Note) -> Generated:
        about = f"All code of our page on {note.title}: model, claim and tests."
        values = {"of": note, "listings": self.listings[note.path], "code": self._taken}
        return Generated(f"The code of {note.title}", about, "code.html", values, listed=False)

    def generated_html(self, page: Generated, url: Callable[[str], str]) -> str:
        """Write a page that no note is behind; those of papers' code once the papers' pages are composed."""
        return self.generator.html(page, url)

    def picture(self, pages: Iterable[str]) -> graph.Graph:
        """Lay out the graph of those paths that are pages."""
        titles = {}
        for path in pages:
            head, slash, _ = path.partition("/")
            titles[path] = self._folder_title(head) if slash else "Top"
        return graph.Graph(self.index, list(titles), titles.__getitem__)

    def _folder_title(self, folder: str) -> str:
        names = (f"{folder}/index.md", f"{folder}/README.md", f"{folder}/{PurePosixPath(folder).name}.md")
        own = next((self.index.notes[name] for name in names if name in self.index.notes), None)
        return CHAPTERS.get(folder) or (own.title if own and own.published else PurePosixPath(folder).name)

    def pages(self) -> dict[str, str]:
        """Pages of Markdown that no note is behind: all papers by year."""
        if not self.context.health:
            return {}
        papers = self.jinja.get_template("papers.md").render(papers=self.papers, book=self.shelf.book, escape=_escape)
        made = {"papers.md": papers}
        if self.study:
            made |= self.study.pages(_escape)
        return made

    def _contents(self, directories: bool) -> dict[str, Generated]:
        """List the notes of folders that hold more than navigation shows and have no note of their own to open them."""
        inside: dict[str, list[str]] = defaultdict(list)
        for path, note in self.index.notes.items():
            if note.published and note.folder:
                inside[note.folder].append(path)
        taken = {place.casefold() for place in (*self.addresses.of.values(), *self.addresses.moved)}
        found = {}
        for folder, paths in inside.items():
            if len(paths) > MANY and directories and f"{folder}/index.html".casefold() not in taken:
                title = PurePosixPath(folder).name
                notes = [self.index.notes[path] for path in self._sorted(paths)]
                about = f"All {len(notes)} notes of {title}."
                found[f"{folder}/index.md"] = Generated(title, about, "contents.html", {"notes": notes})
        return found

    def nav(self, paths: Iterable[str]) -> list[Any]:
        """Navigation by folder: a folder's note opens it; chapters stand together.

        Within a folder pages stand by their `order`, then as the folder's note links to them, then by title.
        """
        top: list[str] = []
        folders: dict[str, list[str]] = defaultdict(list)
        for path in paths:
            head, slash, _ = path.partition("/")
            if path not in self.generated or self.generated[path].listed:
                (folders[head] if slash else top).append(path)
        chapters = [folder for folder in sorted(folders) if CHAPTER.fullmatch(folder) and self.context.health]
        others = [folder for folder in sorted(folders) if folder not in chapters]
        nav: list[Any] = [{"Home": "index.md"}] if "index.md" in top else []
        tables = [path for path in ("papers.md", self.evidence_page) if chapters and path in top]
        own = [path for path, page in self.generated.items() if page.listed and path in top and path != "index.md"]
        practice = [p for p in (self.study.practice if self.study else ()) if chapters and p in top]
        practice = [path for path in practice if path not in self.index.notes]
        own = [path for path in own if path not in (*tables, *practice)]
        loose = self._sorted(path for path in top if path not in ("index.md", "papers.md", *tables, *practice, *own))
        if chapters:
            nav.append({"Papers": [*tables, *(self._section(folder, folders[folder]) for folder in chapters)]})
        nav += [self._section(folder, folders[folder]) for folder in others]
        if practice:
            nav.append({"Practice": practice})
        if chapters:
            return [*nav, {"Reference": [*loose, *own]}]
        return [*nav, *loose, *([{"Explore": own}] if own else [])]

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
        title = self.index.notes[own].title if own in self.index.notes else name
        title = title if self.context.health is None or title != name else name.replace("-", " ").capitalize()
        linked = [resolved.path for _, _, resolved in self.index.resolved.get(own or "", ())]
        pages = self._sorted([*direct, *(item for item in items if isinstance(item, str))], linked)
        sections = [item for item in items if not isinstance(item, str)]
        return {str(escape(CHAPTERS.get(folder, title))): [*filter(None, [own]), *pages, *sections]}

    def _sorted(self, paths: Iterable[str], linked: Sequence[str] = ()) -> list[str]:
        places = {path: place for place, path in reversed(list(enumerate(linked)))}

        def key(path: str) -> tuple[int, int, str, str]:
            note = self.index.notes.get(path) or self.index.notebooks.get(path) or self.index.boards.get(path)
            order = note.front.values.get("order") if note else None
            title = note.title.lower() if note else path
            return (order if isinstance(order, int) else 999, places.get(path, len(places)), title, path)

        return sorted(paths, key=key)


def _amount(value: float) -> str:
    """Print a large number as papers do: 65.1 million."""
    return f"{value / 1e6:,.1f} million" if 1e5 <= value < 1e10 else str(number(value))


def _plain(text: str) -> Markup:
    """Put a sentence of a record into Markdown as it is written: in one line, and nothing in it is markup."""
    return Markup(_escape(" ".join(text.split())))


def _escape(text: str) -> str:
    """Keep a name from being read as Markdown, whichever extensions there are."""
    return re.sub(r"[^\w\s.,;:'()/-]|_", lambda m: f"&#{ord(m[0])};", text)
