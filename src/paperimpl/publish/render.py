"""Pages from Markdown, quickly: one Markdown instance for all, and no page twice whose every input is the same."""

from __future__ import annotations

import itertools
import json
import logging
import platform
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial
from importlib import metadata
from typing import Any, cast

import markdown
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import (
    Page,
    _ExtractAnchorsTreeprocessor,
    _ExtractTitleTreeprocessor,
    _RawHTMLPreprocessor,
    _RelativePathTreeprocessor,
)
from mkdocs.structure.toc import get_toc

from paperimpl.markdown.extension import Context, VaultExtension
from paperimpl.markdown.katex import Katex
from paperimpl.publish import crew
from paperimpl.publish.cache import Row, Store, Unknown, digest, dumps, fingerprint, our_code
from paperimpl.publish.crew import Crew
from paperimpl.vault.index import Index, Note
from paperimpl.vault.problem import Problem
from paperimpl.vault.trace import Answers, Trace, TracedIndex

__all__ = ["Renderer", "pure"]

log = logging.getLogger("mkdocs.plugins.vault")

_BASE = re.compile(r"(?:`{3,}|~{3,})[ \t{.]*base\b")
_AHEAD = 40  # notes whose formulas KaTeX renders while Markdown is at work

# Extensions whose output depends on nothing but the text and their settings, and that `reset` makes as good as new.
# Not among them: pymdownx.snippets, b64 and pathconverter, which read files.
_PURE = {
    "abbr",
    "admonition",
    "attr_list",
    "codehilite",
    "def_list",
    "extra",
    "fenced_code",
    "footnotes",
    "legacy_attrs",
}
_PURE |= {"legacy_em", "md_in_html", "meta", "nl2br", "sane_lists", "smarty", "tables", "toc"}
_PURE_BLOCKS = {"admonition", "caption", "definition", "details", "html", "tab"}
_PURE_PYMDOWNX = {
    "arithmatex",
    "betterem",
    "caret",
    "critic",
    "details",
    "escapeall",
    "extra",
    "fancylists",
    "highlight",
}
_PURE_PYMDOWNX |= {"inlinehilite", "keys", "magiclink", "mark", "progressbar", "quotes", "saneheaders", "smartsymbols"}
_PURE_PYMDOWNX |= {"striphtml", "superfences", "tabbed", "tasklist", "tilde", *(f"blocks.{n}" for n in _PURE_BLOCKS)}
_PURE |= {*(f"markdown.extensions.{n}" for n in _PURE), *(f"pymdownx.{n}" for n in _PURE_PYMDOWNX)}


def pure(config: MkDocsConfig) -> bool:
    """Say whether what Markdown makes of a text depends on settings and the vault alone, page by page."""
    for extension in config.markdown_extensions:
        if isinstance(extension, VaultExtension):
            continue
        name = extension if isinstance(extension, str) else type(extension).__module__
        if name not in _PURE:
            log.debug(f"pages are rendered anew in every build: nobody knows what {name} reads")
            return False
    return not (config.mdx_configs.get("footnotes") or {}).get("UNIQUE_IDS")  # it counts the pages


class Renderer:
    """Renders a build's pages.

    Args:
        config: the build's settings, complete.
        files: the build's files, complete.
        context: the vault.
        store: what earlier builds remember.
    """

    def __init__(self, config: MkDocsConfig, files: Files, context: Context, store: Store):
        self.config = config
        self.files = files
        self.context = context
        self.store = store
        tag = context.tag_url
        self.answers = Answers(context.index, self._address, lambda name: tag(name) if tag else "")
        self.rendered: list[str] = []
        self.crew: Crew | None = None
        self._readers: dict[str, set[str]] = defaultdict(set)
        self._coming = iter(self._to_come())

    def take(self, page: Page) -> None:
        """Render this page, when its turn comes, in place of MkDocs."""
        page.render = partial(self._render, page)  # type: ignore[method-assign]

    def ahead(self) -> Crew | None:
        """Have a crew render the pages that are not remembered, where it can know what the build will ask for.

        A page's text is what this plugin makes of its note; where other plugins have a say in it, nobody works ahead.
        """
        plugins = self.config.plugins
        others = any(len(plugins.events[name]) > 1 for name in ("pre_page", "page_read_source", "page_markdown"))
        if self.settings is None or others:
            return None
        pages = {note.path: page for note in self._to_come() if (page := self._page(note)) is not None}

        def work(path: str) -> tuple[list[Row], dict[str, str]]:
            page = plugins.on_pre_page(pages[path], config=self.config, files=self.files)
            page.read_source(self.config)
            text = plugins.on_page_markdown(page.markdown or "", page=page, config=self.config, files=self.files)
            page.markdown = text
            self._made(page, self._key(page))
            katex = self.context.katex
            return self.store.listed(), katex.gathered() if isinstance(katex, Katex) else {}

        def prepare(share: Sequence[str]) -> None:
            self.store.forked()
            self._coming = (self.context.index.notes[path] for path in share)
            if isinstance(self.context.katex, Katex):
                self.context.katex.forked()

        if isinstance(self.context.katex, Katex) and crew.wanted(len(pages)):
            notes = self.context.index.notes
            self.context.katex.fetch(formula for path in pages for formula in notes[path].formulas)
        self.crew = Crew(list(pages), work, prepare)
        return self.crew

    def _page(self, note: Note) -> Page | None:
        file = self.files.get_file_from_path(note.path)
        return file.page if file and type(file.page) is Page else None

    def readers(self, notes: Iterable[str]) -> set[str]:
        """Return the pages that were rendered from what these notes say."""
        return set(self._readers[""]).union(*(self._readers[note] for note in notes))

    def forget(self) -> None:
        """Forget answers that hold for the whole vault, which has changed."""
        self.answers = Answers(self.context.index, self._address, self.answers.tag)

    def _to_come(self) -> Iterator[Note]:
        """Guess which notes will have to be rendered, in MkDocs' order."""
        known = self.store.keys("text") if self.settings is not None else {}
        for file in self.files.documentation_pages():
            note = self.context.index.notes.get(file.src_uri)
            if note and (not known or known.get(note.path) != self._text(note)):
                yield note

    def _ask_ahead(self) -> None:
        """Have the formulas of notes to come rendered while this one is."""
        if isinstance(self.context.katex, Katex):
            for note in itertools.islice(self._coming, 1 if self.rendered else _AHEAD):
                self.context.katex.ahead(note.formulas)

    def _text(self, note: Note) -> bytes:
        return digest(self.settings or b"", note.digest)

    @cached_property
    def settings(self) -> bytes | None:
        """Everything but pages that renderings depend on; None where nobody knows, so that nothing is remembered."""
        config = self.config
        try:
            if self.context.repository or self._has_views or not pure(config):  # code and results are quoted in papers
                return None
            return digest(
                our_code(),
                platform.python_version(),
                *(metadata.version(name) for name in ("markdown", "mkdocs", "pygments", "pymdown-extensions")),
                *(name for name in config.markdown_extensions if isinstance(name, str)),
                fingerprint(config.mdx_configs),
                fingerprint(config.validation.links),
                fingerprint(config.use_directory_urls),
                str(self.context.index.strict_line_breaks),
                str(self.context.safe),
                f"{type(self.context.katex).__name__} {self.context.katex.version}" if self.context.katex else "",
                metadata.version("mermaidx") if self.context.mermaid else "",
            )
        except Unknown as unknown:
            log.debug(f"pages are rendered anew in every build: {unknown}")
            return None

    @property
    def _has_views(self) -> bool:
        """Whether there are bases or canvases: they ask for the whole vault, and the disk."""
        return bool(self.context.index.views) or any(
            _BASE.search(note.text) for note in self.context.index.notes.values()
        )

    def _render(self, page: Page, config: MkDocsConfig, files: Files) -> None:
        """Do what `Page.render` does."""
        path = page.file.src_uri
        if self.crew and (found := self.crew.take(path)):
            rows, formulas = found
            self.store.take_over(rows)
            if isinstance(self.context.katex, Katex):
                self.context.katex.remember(formulas)
            self.rendered.append(path)
        key = self._key(page)
        row = self._kept(path, key) if key else None
        self._use(page, row or self._made(page, key))

    def _key(self, page: Page) -> bytes | None:
        if self.settings is None:
            return None
        file = page.file
        place = (file.src_uri, file.url, file.inclusion.name, self.context.source)
        return digest(self.settings, *place, page.markdown or "")

    def _kept(self, path: str, key: bytes) -> dict[str, Any] | None:
        """Return what is remembered of a page, if the vault gives the same answers as then."""
        kept = self.store.get("page", path, key)
        row: dict[str, Any] = json.loads(kept) if kept is not None else {}
        same = all(self.answers(tuple(question)) == answer for question, answer in row.get("asked", ()))
        return row if row and same else None

    def _made(self, page: Page, key: bytes | None) -> dict[str, Any]:
        """Render a page, and remember it."""
        path = page.file.src_uri
        self._ask_ahead()
        self.rendered.append(path)
        row = self._fresh(page)
        if key is not None:
            self.store.put("page", path, key, dumps(row))
            if note := self.context.note:
                self.store.put("text", path, self._text(note), "")
        return row

    def _use(self, page: Page, row: dict[str, Any]) -> None:
        """Give a page what was rendered, and say what the rendering said."""
        for (kind, *about), _ in row["asked"]:
            if kind in ("note", "everything"):
                self._readers[about[0] if about else ""].add(page.file.src_uri)
        page.content = row["content"]
        page.toc = get_toc(row["toc"])
        page._title_from_render = row["title"]
        page.present_anchor_ids = set(row["ids"])
        if logging.getLogger("mkdocs").getEffectiveLevel() > logging.DEBUG:  # as MkDocs has it
            found = ((self.files.get_file_from_path(path), anchors) for path, anchors in row["links"].items())
            page.links_to_anchors = {file: anchors for file, anchors in found if file}
        problems = [Problem(*problem) for problem in row["problems"]]
        self.context.problems += [problem for problem in problems if problem not in self.context.problems]
        for name, level, message in row["said"]:
            logging.getLogger(name).log(level, message)

    def _fresh(self, page: Page) -> dict[str, Any]:
        """Render a page, and write down all that it asked."""
        trace = Trace(self.answers)
        context = self.context
        index = context.index
        found: list[Problem]
        files = cast(Files, _TracedFiles(self.files, trace))
        md = self._instance()
        html = _RawHTMLPreprocessor()
        anchors = _ExtractAnchorsTreeprocessor(page.file, files, self.config)
        links = _RelativePathTreeprocessor(page.file, files, self.config)
        title = _ExtractTitleTreeprocessor()
        for step in (html, anchors, links, title):
            step._register(md)
        said, logger = _Said(), logging.getLogger("mkdocs")
        level, handlers, logger.handlers = logger.level, logger.handlers, [said]
        logger.setLevel(min(level, logging.INFO))
        tags, problems = context.tag_url, context.problems
        context.index, context.tag_url = cast(Index, TracedIndex(index, trace)), trace.tag
        context.problems = found = []
        try:
            content = md.convert(page.markdown or "")
        finally:
            context.index, context.tag_url, context.problems = index, tags, problems
            logger.handlers = handlers
            logger.setLevel(level)
        return {
            "asked": [[list(question), answer] for question, answer in trace.asked.items()],
            "content": content,
            "toc": [_token(token) for token in getattr(md, "toc_tokens", [])],
            "title": title.title,
            "ids": sorted(anchors.present_anchor_ids | html.present_anchor_ids),
            "links": {file.src_uri: found for file, found in links.links_to_anchors.items()},
            "problems": [[wrong.path, wrong.line, wrong.message, wrong.remedy, wrong.error] for wrong in found],
            "said": said.records,
        }

    def _instance(self) -> markdown.Markdown:
        """Make the instance, or make it as good as new: that takes a tenth of making another."""
        if self.settings is None or self.context.safe:
            return self._new()
        self._md.reset()
        return self._md

    @cached_property
    def _md(self) -> markdown.Markdown:
        return self._new()

    def _new(self) -> markdown.Markdown:
        return markdown.Markdown(
            extensions=self.config.markdown_extensions, extension_configs=self.config.mdx_configs or {}
        )

    def _address(self, path: str) -> str:
        """What a link to a file of the vault depends on."""
        file = self.files.get_file_from_path(path)
        return f"{file.url} {file.inclusion.name}" if file else ""


class _TracedFiles:
    """MkDocs' files; each that is looked up is remembered, all where they are gone through."""

    def __init__(self, files: Files, trace: Trace):
        self._files, self._trace = files, trace

    def get_file_from_path(self, path: str) -> Any:
        """Return the file at a path."""
        self._trace.ask("address", path)
        return self._files.get_file_from_path(path)

    def __getattr__(self, name: str) -> Any:
        self._trace.everything()
        return getattr(self._files, name)


class _Said(logging.Handler):
    """What is logged while a page is rendered, to be said again by builds that do not render it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[tuple[str, int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append((record.name, record.levelno, record.getMessage()))


def _token(token: dict[str, Any]) -> dict[str, Any]:
    """Keep of a heading what MkDocs reads."""
    children = [_token(child) for child in token["children"]]
    return {"level": token["level"], "id": token["id"], "name": token["name"], "children": children}
