"""An edit of a note's prose, on the site within a moment: only the pages that it can change are made.

Nine of ten saves change nothing but sentences: what the note is called, how it is divided, what it links to and how it
begins stay the same, and with that navigation, addresses, tags, graph and feed. Then the notes that embed it, those
that it links to or names, and the search index are all that can change. Every other edit is the preview's to rebuild.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from mkdocs.commands.build import _build_page, _populate_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation

from paperimpl.publish import attachments
from paperimpl.publish.backlinks import Backlinks
from paperimpl.publish.pages import Publication
from paperimpl.publish.preview import Preview
from paperimpl.publish.render import Renderer
from paperimpl.vault.index import Index, Note
from paperimpl.vault.problem import Problem

__all__ = ["Build", "edit"]

log = logging.getLogger("mkdocs.plugins.vault")

_FEW = 8  # notes saved at once


@dataclass
class Build:
    """A build of a preview, as it was left: what an edit starts from.

    Attributes:
        attachments: addresses of all files of the vault that are no pages, those that no page uses included.
    """

    config: MkDocsConfig
    files: Files
    nav: Navigation
    env: jinja2.Environment
    index: Index
    publication: Publication
    renderer: Renderer
    rebuilds: Preview
    attachments: Collection[str]


def edit(build: Build, paths: Iterable[Path], head: Callable[[File], str], tell: Callable[[Problem], None]) -> bool:
    """Bring the site up to date after edits; False, and nothing done that a rebuild minds, where they are not of prose.

    Args:
        build: the last build.
        paths: the files that were saved.
        head: what the plugin adds to a page's head.
        tell: says what is wrong.
    """
    start = time.monotonic()
    notes = _notes(build, list(paths))
    if not notes or build.renderer.settings is None or build.rebuilds.untold:
        return False
    context = build.renderer.context
    context.problems.clear()
    asked = build.publication.backlinks.mentions()
    for note in notes:
        _exchange(build, note)
    backlinks = Backlinks(build.index, build.publication.backlinks.quote)
    build.publication.backlinks = backlinks
    told = backlinks.mentions()
    named = {path for path in asked.keys() | told.keys() if asked.get(path) != told.get(path)}
    own = {note.path for note in notes}
    linked = {found.path for path in own for _, _, found in build.index.resolved[path] if found.kind == "note"}
    mentioned = {path for path, by in told.items() if own & by.keys()}
    pages = own | linked | mentioned | named | build.renderer.readers(own)
    if not _make(build, sorted(pages), head):
        return False
    for note in notes:
        for problem in build.index.problems_of(note.path):
            tell(problem)
    for problem in context.problems:
        tell(problem)
    log.info(f"{', '.join(sorted(own))}: the site is up to date after {time.monotonic() - start:.2f} seconds")
    return True


def _notes(build: Build, paths: list[Path]) -> list[Note]:
    """Read notes anew, if nothing but their prose has changed."""
    docs, found = Path(build.config.docs_dir), []
    if len(paths) > _FEW or build.index.views or build.index.notebooks:
        return []
    for path in paths:
        try:
            name, text = path.relative_to(docs).as_posix(), path.read_bytes().decode("utf-8-sig")
        except (OSError, ValueError):
            return []
        old = build.index.notes.get(name)
        if old is None or "\0" in text or any(problem.path == f"vault/{name}" for problem in build.index.unreadable):
            return []
        note = Note(name, text.replace("\r\n", "\n").replace("\r", "\n"), old.opt_in, old.withheld)
        if not (old.published and note.published) or _frame(note) != _frame(old):
            return []
        if build.publication.summary(note) != build.publication.summary(old):
            return []
        found.append(note)
    return found


def _frame(note: Note) -> Any:
    """Everything of a note that other pages know, its sentences aside."""
    front = note.front
    links = [(link.target, link.fragment, link.label, link.embed, link.wiki) for link, _ in note.links]
    headings = [(heading.level, heading.text, heading.id) for heading in note.headings]
    return front.values, front.problem, list(front.lines), headings, list(note.blocks), note.tags, links


def _exchange(build: Build, note: Note) -> None:
    """Put a note into the index in the place of the one that it was."""
    index = build.index
    index.notes[note.path] = note
    index.resolved[note.path] = [(link, line, index.resolve(link, note.path)) for link, line in note.links]
    for kept in ("backlinks", "wanted"):
        index.__dict__.pop(kept, None)
    build.renderer.forget()
    if file := build.files.get_file_from_path(note.path):
        file.content_string = f"\n{note.front.body}"


def _make(build: Build, paths: Iterable[str], head: Callable[[File], str]) -> bool:
    """Make pages anew, and the search index; False where one asks for another attachment than it did."""
    config, files, rebuilds = build.config, build.files, build.rebuilds
    listed = files.documentation_pages(inclusion=InclusionLevel.is_in_serve)
    chosen = [file for file in listed if file.src_uri in set(paths)]
    before = [_attached(build, file) for file in chosen]
    for file in chosen:
        assert file.page
        _populate_page(file.page, config, files)
    if [_attached(build, file) for file in chosen] != before:
        return False
    for file in chosen:
        if rebuilds.differs(file, head(file)):
            assert file.page
            draft = file.inclusion.is_excluded()  # type: ignore[no-untyped-call]
            _build_page(file.page, config, listed, build.nav, build.env, excluded=draft)
            file.page.validate_anchor_links(files=files, log_level=config.validation.links.anchors)
    config.plugins.on_post_build(config=config)
    return True


def _attached(build: Build, file: File) -> set[str]:
    return attachments.of_page(file.url, (file.page.content or "") if file.page else "", build.attachments)
