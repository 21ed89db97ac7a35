"""The MkDocs plugin `vault`: hooks of a few lines around `paperimpl.vault` and `paperimpl.markdown`.

It extends mkdocs-roamlinks-plugin: notes written for that plugin keep working, by our resolver instead of its text
pass, which also rewrote what stands in code (README, design notes).
"""

from __future__ import annotations

import html
import logging
import os
import re
import time
import warnings
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from jinja2 import Environment
from mkdocs.config import config_options as options
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import CombinedEvent, event_priority
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink, TableOfContents
from mkdocs.utils import get_relative_url

from paperimpl.course import notebooks
from paperimpl.markdown.extension import Context, VaultExtension, settings
from paperimpl.markdown.fences import Mermaid
from paperimpl.markdown.katex import Katex, node
from paperimpl.markdown.mathml import MathML
from paperimpl.markdown.views import Views
from paperimpl.publish import (
    app,
    attachments,
    cards,
    feed,
    folder,
    frontend,
    graph,
    lean,
    notebook,
    notfound,
    properties,
    search,
)
from paperimpl.publish.cache import Store, digest
from paperimpl.publish.crew import Crew
from paperimpl.publish.edit import Build, edit
from paperimpl.publish.pages import Publication
from paperimpl.publish.preview import Preview
from paperimpl.publish.render import Renderer
from paperimpl.publish.theme import Theme
from paperimpl.publish.unchanged import LastBuild
from paperimpl.vault import views
from paperimpl.vault.check import Health
from paperimpl.vault.index import Index, anchor, loose_name
from paperimpl.vault.problem import Problem, VaultError, relative

with warnings.catch_warnings():  # it asks MkDocs for a filter that does nothing since 1.2
    warnings.simplefilter("ignore", DeprecationWarning)
    from mkdocs_roamlinks_plugin.plugin import RoamLinksPlugin

__all__ = ["VaultPlugin"]

log = logging.getLogger("mkdocs.plugins.vault")

# MkDocs would put the day of the build, and no two builds would be the same; this stands for no date and is not shown.
_UNDATED = "1970-01-01"
_COMMENT = re.compile(r"<!--.*?-->", re.S)
# Material names a folder's part of the navigation by a label that has no words where the folder has a note of its own.
_NAV = re.compile(
    r'(<nav class="md-nav" data-md-level="\d+") aria-labelledby="[^"]*"([^>]*>)'
    r'(\s*<label class="md-nav__title" for="[^"]*">\s*<span class="md-nav__icon md-icon"></span>\s*)'
    r'([^<"\n]+?)(?=\s*</label>)'
)
# What Material's script does to tables when it comes; here it is done from the start, so that none moves then.
_TABLE = re.compile(r"<table>.*?</table>", re.S)
_ROOM = r'<div class="md-typeset__scrollwrap"><div class="md-typeset__table">\g<0></div></div>'
_NO_HEADING = re.compile(r"<th( [^<>]*)?>\s*</th>")  # of a table: an empty heading says nothing of its column


class VaultConfig(Config):  # type: ignore[no-untyped-call]
    """What `mkdocs.yml` may say. Nothing must be said."""

    # `all` publishes every note but those with `publish: false`, `marked` only those with `publish: true`.
    publish = options.Choice(("all", "marked"), default="all")
    packages = options.Type(str, default="site_config")  # the folder of package.json
    serve = options.DictOfItems(options.Type(str), default={})  # address in the site -> file in node_modules
    safe = options.Type(bool, default=False)  # neutralise HTML that notes hold: for vaults of people one does not know
    code_url = options.Type(str, default="")  # where code is shown: {path}, {first}, {last}
    app = options.SubConfig(app.AppConfig)  # the site can be installed, and keeps what was read
    cards = options.Type(bool, default=False)  # a picture for each note, shown by those who show a link to it
    lean = options.DictOfItems(
        options.Type(str), default={}
    )  # font's address in the site -> what is kept of it; `without`


class _ViewFile(File):
    """A base or a canvas: a page, though it is no Markdown."""

    def is_documentation_page(self) -> bool:
        """Say that MkDocs is to render it."""
        return True


class VaultPlugin(RoamLinksPlugin):  # type: ignore[misc]  # untyped
    """Publish an Obsidian vault."""

    config_class = VaultConfig
    config: VaultConfig

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Remember whether this is a local preview; it may show PDFs that the public site may not."""
        self.preview, self.dirty = command == "serve", dirty
        self.katex: Katex | None = None
        self.store: Store | None = None
        self.crew: Crew | None = None
        self.index: Index | None = None
        self.rebuilds = Preview()

    def on_shutdown(self) -> None:
        """End the process that renders formulas, and what builds remember."""
        self._employ(None)
        if self.katex:
            self.katex.close()
        if self.store:
            self.store.close()

    def on_config(self, config: MkDocsConfig) -> None:
        """Bring the Markdown extensions that Obsidian's syntax needs, the style sheet, and the renderer of formulas."""
        self.repository = Path(config.config_file_path or ".").resolve().parent
        self.parts = frontend.Parts(self.repository / self.config.packages)
        for name, values in settings().items():
            if name not in config.markdown_extensions:
                config.markdown_extensions.append(name)
            config.mdx_configs[name] = values | (config.mdx_configs.get(name) or {})
        cache = self.repository / ".cache/paperimpl"
        self.context = Context(
            Index({}),
            mermaid=Mermaid(cache) if Mermaid.installed() else None,
            code_url=self.config.code_url,
            safe=self.config.safe,
        )
        config.markdown_extensions.append(VaultExtension(self.context))  # type: ignore[arg-type]
        config.extra_css.insert(0, "assets/paperimpl/vault.css")
        if "assets/paperimpl/vault.js" not in config.extra_javascript:
            config.extra_javascript.insert(0, "assets/paperimpl/vault.js")
        if folder.wanted(config):
            folder.prepare(config, self.config.serve)
        self.fallback = ""
        self.installable = self.config.app.enabled and not self.preview and not folder.wanted(config)
        if self.installable:
            config.extra_javascript.append("assets/paperimpl/app.js")
        if config.nav is None:
            config.not_in_nav = config.not_in_nav or None
        if "mkdocs-jupyter" not in config.plugins and notebook.any_below(Path(config.docs_dir)):
            config.plugins["mkdocs-jupyter"] = notebook.converter(self.repository / ".cache/mkdocs-jupyter")

    @event_priority(-100)  # when all other plugins have had their say
    def on_pre_build(self, *, config: MkDocsConfig) -> None:
        """Leave the site as it is where this build would make it again."""
        folder = self.repository / ".cache/paperimpl"
        about = (str(self.parts.folder("katex")), str(node()), os.environ.get("SOURCE_DATE_EPOCH", ""))
        has_papers = (self.repository / "src/paperimpl").is_dir()  # pages quote code and results
        self.last = None if self.preview or has_papers else LastBuild(folder, config, about)
        self.build: Build | None = None
        self.unchanged = self.last is not None and self.last.is_this()
        if self.last and self.unchanged:
            self.last.leave(config)
        elif self.last:
            self.last.listen()

    def on_build_error(self, *, error: Exception) -> None:
        """Stop listening to a build that failed."""
        if self.last:
            self.last.hush()

    @event_priority(100)  # before mkdocs-jupyter wraps its files
    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Read the vault, once; leave out what is private; say what is wrong."""
        if self.unchanged:
            return Files([])
        vault = Path(config.docs_dir)
        self.folder = relative(vault, self.repository)
        ours = [file for file in files if file.abs_src_path and file.src_dir == config.docs_dir]
        shown = InclusionLevel.is_in_serve if self.preview else InclusionLevel.is_included  # as exclude_docs says
        index = Index.read(
            vault,
            [file.src_uri for file in ours],
            opt_in=self.config.publish == "marked",
            withheld={file.src_uri for file in ours if not shown(file.inclusion)},  # type: ignore[no-untyped-call]
            known=self.index,
        )
        has_papers = vault.name == "vault" and (self.repository / "src/paperimpl").is_dir()
        self.index = None if has_papers else index  # notes of papers remember numbers, which change elsewhere
        health = None
        try:
            health = Health(self.repository, index) if has_papers else None
        except VaultError as wrong:
            for problem in wrong.problems:
                self._tell(problem)
        self.context.index, self.context.health = index, health
        self.context.katex = self._formulas(index)
        if self.katex:
            config.extra_css.insert(0, "assets/katex/katex.min.css")
        self.context.repository = self.repository if has_papers else None
        self.context.problems.clear()
        self.publication = Publication(
            self.context,
            self.repository,
            config.repo_url or "",
            self.preview,
            vault,
            (config.site_name, config.site_description or ""),
            config.use_directory_urls,
        )
        self.publication.site_url = config.site_url or ""
        self.publication.origin = notebooks.Origin.of(config.repo_url, config.edit_uri, config.site_url)
        self.context.tag_url = self._tag_url
        self.context.views = Views(self.publication.publishes)
        known = index.notes.keys() | index.files
        private = {file.src_uri for file in ours if file.src_uri not in known}
        kept = Files(
            [
                _ViewFile.generated(config, file.src_uri, content=views.page(file.src_uri))
                if file.src_uri in index.boards
                else file
                for file in files
                if file.src_uri not in private and self.publication.publishes(file.src_uri)
            ]
        )
        for path, note in index.notes.items():  # read and taken apart already; MkDocs would stop at what it cannot read
            if file := kept.get_file_from_path(path):
                file.content_string = f"\n{note.front.body}"
        for path, place in self.publication.addresses.of.items():
            if file := kept.get_file_from_path(path):
                file.dest_uri = place
                if self.publication.opens_section(path):
                    file.name = "index"  # the theme links a section's title to the page of this name
        study, changed = self.publication.study, self.publication.changed
        if study and (deck := study.deck(config.site_name, config.site_url or "", changed, _now())):
            study.deck_address = f"{anchor(config.site_name)}.apkg"
            kept.append(File.generated(config, study.deck_address, content=deck))
        for path, text in self.publication.pages().items():
            if kept.get_file_from_path(path) is None:
                kept.append(File.generated(config, path, content=text))
        for path, page in self.publication.generated.items():
            level = InclusionLevel.INCLUDED if page.listed else InclusionLevel.NOT_IN_NAV
            kept.append(File.generated(config, path, content="", inclusion=level))
        for path, text in self.publication.citations().items():
            kept.append(File.generated(config, path, content=text))
        for copy in self.publication.shelf.copies():
            kept.append(File.generated(config, copy.address, abs_src_path=str(copy.file)))
        for address in (graph.ADDRESS, feed.ADDRESS):  # filled when all pages are known
            kept.append(File.generated(config, address, content=""))
        for address, picture in self._cards(config).items():
            kept.append(File.generated(config, address, content=picture))
        for old, text in self.publication.redirects(config.site_url or "").items():
            kept.append(File.generated(config, old, content=text))
        if self.config.app.enabled and self.preview:
            kept.append(File.generated(config, app.WORKER, content=app.farewell()))
        if self.installable:
            told = app.manifest(config.site_name, config.site_description or "", self.config.app.paper)
            kept.append(File.generated(config, app.MANIFEST, content=told))
            for address, icon in app.icons(config.theme.dirs, self.config.app).items():
                kept.append(File.generated(config, address, content=icon))
        try:
            parts = list(self.parts.files(self.config.serve, self.katex is not None))
        except FileNotFoundError as missing:
            raise PluginError(str(missing)) from None
        for address, source in parts:
            if isinstance(source, Path):
                kept.append(File.generated(config, address, abs_src_path=str(source)))
            else:
                kept.append(File.generated(config, address, content=source))
        for problem in (*(health.problems() if health else index.problems()), *self.publication.problems()):
            self._tell(problem)
        self.made_nav = config.nav is None
        if config.nav is None:
            pages = [file.src_uri for file in kept if file.is_documentation_page() or file.src_uri.endswith(".ipynb")]
            config.nav = self.publication.nav(pages)
            features = config.theme.get("features") or []
            if config.theme.name == "material" and "navigation.expand" not in features:
                config.theme["features"] = [*features, *{"navigation.prune"}.difference(features)]
        self.files = kept
        return kept

    def _cards(self, config: MkDocsConfig) -> dict[str, bytes]:
        """Draw the notes' social cards, by their addresses; none for a preview, nor where nobody knows the site's."""
        if not self.config.cards or self.preview or not config.site_url:
            return {}
        if not cards.installed():
            log.info("no social cards; `pip install -e '.[book]'` brings what draws them")
            return {}
        wanted = cards.cards(self.publication)
        try:
            drawn = cards.draw(wanted, self.repository / ".cache/paperimpl/cards")
        except VaultError as wrong:
            for problem in wrong.problems:
                self._tell(problem)
            return {}
        self.publication.cards = {path: cards.address(path) for path in drawn}
        return {cards.address(path): picture for path, picture in drawn.items()}

    def _formulas(self, index: Index) -> Katex | MathML | None:
        """Choose what renders formulas: KaTeX where it is installed, else MathML; say so where there is neither."""
        package = self.parts.folder("katex")
        if self.katex is None and package and node():
            self.katex = Katex(package, self.repository / ".cache/paperimpl")
        if self.katex:
            return self.katex
        if MathML.installed():
            return MathML()
        notes = (note for note in (*index.notes.values(), *index.notebooks.values()) if note.published)
        if any(note.formulas for note in notes):
            remedy = "`pip install math-core`, or `python -m paperimpl.publish.frontend` for KaTeX"
            log.warning(f"formulas stay as they are written; {remedy}")
        return None

    @event_priority(-100)  # when all other plugins have made their pages
    def on_nav(self, nav: Navigation, *, config: MkDocsConfig, files: Files) -> None:
        """Render only those pages that are not remembered."""
        if self.unchanged:
            return
        if self.store is None:
            self.store = Store(self.repository / ".cache/paperimpl", at_hand=self.preview)
        pages = files.documentation_pages()
        self.publication.remember(self.store, digest(*(f"{file.src_uri}\n{file.url}" for file in pages)))
        self.renderer = Renderer(config, files, self.context, self.store)
        for file in pages:
            if type(file.page) is Page:
                self.renderer.take(file.page)
        if not self.rebuilds.editing:
            self._employ(self.renderer.ahead())
        self.rebuilds.read_all(files)
        self.nav = nav

    def _employ(self, crew: Crew | None) -> None:
        """Have one crew at work at a time, or none."""
        if self.crew:
            self.crew.close()
        self.crew = crew

    def _tell(self, problem: Problem) -> None:
        """Say what is wrong, of a note by the folder that the vault is in here."""
        if problem.path.startswith("vault/"):
            problem = replace(problem, path=f"{self.folder}/{problem.path.removeprefix('vault/')}")
        (log.warning if problem.error else log.info)(str(problem))

    def _tag_url(self, name: str) -> str:
        path = self.publication.tag_path(name)
        return self.context.href(path) if path else ""

    def _url(self, path: str, page: Page) -> str:
        """The way from a page to a file of the vault or the site; empty where it is not published."""
        file = self.files.get_file_from_path(path)
        return get_relative_url(file.url, page.url) if file else ""

    @event_priority(-100)  # when all other plugins have added what templates ask for
    def on_env(self, env: Environment, *, config: MkDocsConfig, files: Files) -> None:
        """Let templates ask for the vault's papers and chapters; finish what needs all pages; tell what was found."""
        if self.unchanged:
            return
        assert self.store
        self.env = env
        env.globals["vault"] = self.publication
        self._finish(config, files)
        for slug, file in self.publication.notebooks.items():  # now, or mkdocs-jupyter would make pages of them
            files.append(File.generated(config, notebooks.place(slug), abs_src_path=str(file)))
        self.theme = Theme(config, env, self.store, self.made_nav, self.preview, self.rebuilds.untold)
        search.remember(config, self.store, self.rebuilds.entries)
        self._employ(None if self.rebuilds.editing else self.theme.ahead(self.renderer.rendered, files, self.nav))
        if self.preview:
            self.rebuilds.compare(files, self.nav, lambda file: self._head(file.page, config))  # type: ignore[arg-type]
        for problem in self.context.problems:
            self._tell(problem)
        if self.katex:
            self.katex.save()

    def on_pre_page(self, page: Page, *, config: MkDocsConfig, files: Files) -> Page:
        """Say which note is rendered next."""
        self.files = files  # as the other plugins left them
        index, path = self.context.index, page.file.src_uri
        self.context.source = path if path in self.publication.addresses.of or path in index.notebooks else ""
        return page

    def _finish(self, config: MkDocsConfig, files: Files) -> None:
        """Once all pages are known: the graph, the feed, and no attachment that no page uses."""
        pages = {file.src_uri: file for file in files.documentation_pages()}
        notes = {path: pages[path].url for path in self.publication.addressed if path in pages}
        made = {
            graph.ADDRESS: self.publication.picture(notes).json(
                lambda path: notes[path].removeprefix("./"), self.store
            ),
            feed.ADDRESS: self.publication.feed(notes, config.site_url or "", config.theme.get("language") or "en"),
        }
        for address, text in made.items():
            files.get_file_from_path(address).content_string = text  # type: ignore[union-attr]
        for page in (file.page for file in pages.values() if file.page):
            changed = self.publication.changed.get(page.file.src_uri)
            page.update_date = changed.isoformat() if changed else _UNDATED
        vault = {
            file.dest_uri: file
            for file in files
            if file.src_dir == config.docs_dir and not file.is_documentation_page()
        }
        self.attached = set(vault)
        theme = (config.theme.get("logo"), config.theme.get("favicon"))
        used = attachments.used(
            vault,
            [(file.url, file.page.content or "") for file in pages.values() if file.page],
            [
                str(name)
                for name in (*config.extra_css, *config.extra_javascript, *config.extra_templates, *theme)
                if name
            ],
            lambda name: vault[name].content_bytes.decode(errors="replace"),
        )
        for name in vault.keys() - used:
            files.remove(vault[name])
        for name in used:
            if name.endswith(".ipynb"):
                vault[name].content_bytes = notebook.cleaned(vault[name].content_bytes)

    def on_page_markdown(self, markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
        """Give the page its title, its text and its end; roamlinks' own pass over the text is not run."""
        if made := self.publication.generated.get(page.file.src_uri):
            page.meta = {"description": html.escape(made.description), "hide": list(made.hide)}
            page.meta["search"] = {"exclude": True}
            if page.file.src_uri != "index.md":  # the theme calls that one by the site's name
                page.meta["title"] = html.escape(made.title, quote=False)
            return ""
        note = self.context.note
        if board := self.context.index.boards.get(page.file.src_uri):
            page.meta = {"title": html.escape(board.title, quote=False), "hide": ["toc"]}
        if note is None or page.file.src_uri.endswith(".ipynb"):
            return markdown
        page.meta = properties.theme(note, lambda name: _in_theme(config, name))
        page.meta["title"] = html.escape(note.title, quote=False)  # the theme puts both into its HTML as they are
        page.meta["description"] = html.escape(self.publication.summary(note)) or None
        return note.front.body + self.publication.tail(note)

    def on_page_content(self, html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
        """Put what a note says of itself above its text, and what it is connected with below."""

        def url(path: str) -> str:
            return self._url(path, page)

        path = page.file.src_uri
        if made := self.publication.generated.get(path):
            return self.publication.generated_html(made, url)
        if path.endswith(".ipynb"):
            html = notebook.restyle(html, page, config, self.context, files)
        page.meta.setdefault("paper", self.publication.slug(path))
        html = _NO_HEADING.sub(r"<td\1></td>", html)
        note = self.context.note
        if "<!--" in html:
            html = _COMMENT.sub("", html)
        if note is None or path.endswith(".ipynb") or "template" in page.meta:
            return html + self.publication.studied(path, url)[1] + self.publication.connections(path, url, page.url)
        page.toc = _rooted(page.toc, note.title, self.publication.title_id(note))
        return self.publication.compose(note, html, url, page.url)

    @event_priority(100)  # before the search plugin takes the page apart
    def on_page_context(self, context: Any, *, page: Page, config: MkDocsConfig, nav: Navigation) -> None:
        """Take over what was made of the page in another process."""
        self.theme.receive(page.file.src_uri)

    def on_post_page(self, output: str, *, page: Page, config: MkDocsConfig) -> str:
        """Tell those who show a link to the page what to show, feed readers where the feed is; let tables scroll."""
        installed = app.head(lambda to: get_relative_url(to, page.url)) if self.installable else ""
        output = _NAV.sub(r'\1 aria-label="\4"\2\3\4', _TABLE.sub(_ROOM, output))
        return output.replace("</head>", f"{installed}{self._head(page, config)}</head>", 1)

    def _head(self, page: Page, config: MkDocsConfig) -> str:
        path, canonical = page.file.src_uri, page.canonical_url or ""
        return self.publication.head(path, config.site_name, lambda to: self._url(to, page), canonical)

    def on_post_template(self, output_content: str, *, template_name: str, config: MkDocsConfig) -> str:
        """Make the page for what is not found search, and leave out of the sitemap the dates that nobody knows."""
        if template_name == "404.html":
            if self.installable:
                self.fallback = app.fallback(output_content, config.site_url or "")
            return notfound.page(output_content, config.site_url or "")
        return output_content.replace(f"<lastmod>{_UNDATED}</lastmod>", "")

    @event_priority(100)  # before the search plugin writes its index
    def _on_post_build_first(self, *, config: MkDocsConfig) -> None:
        """Remember for the next build what this one made."""
        if self.unchanged:
            return
        self._employ(None)
        if self.preview:
            shown = self.files.documentation_pages(inclusion=InclusionLevel.is_in_serve)
            search.complete(config, self.rebuilds.entries, [file.src_uri for file in shown])
            self.rebuilds.tidy(self.files, Path(config.site_dir))
            whole = (config, self.files, self.nav, self.env, self.context.index, self.publication)
            self.build = Build(*whole, self.renderer, self.rebuilds, self.attached)
        elif self.config.lean:
            try:
                lean.trim(Path(config.site_dir), self.repository / ".cache/paperimpl/fonts", self.config.lean, log.info)
            except ValueError as wrong:
                raise PluginError(str(wrong)) from None
        if self.store:
            self.store.save({*self.files.src_uris, *(f"/{name}" for name in config.theme.static_templates)})

    @event_priority(-100)  # after the search plugin has written its index
    def _on_post_build_last(self, *, config: MkDocsConfig) -> None:
        """Make the site one to open from a folder, if asked; remember what this build made, or clear up."""
        if folder.wanted(config) and not self.unchanged:
            folder.carry(Path(config.site_dir), config.site_url or "")
        if self.fallback and not self.unchanged:
            site = Path(config.site_dir)
            (site / app.FALLBACK).write_text(self.fallback, encoding="utf-8")
            (site / app.WORKER).write_text(app.worker(site, config.site_url or ""), encoding="utf-8")
        if self.last:
            self.last.end()

    on_post_build = CombinedEvent(_on_post_build_first, _on_post_build_last)

    @event_priority(-100)  # others may hand the server the builder that they were given
    def on_serve(self, server: LiveReloadServer, *, config: MkDocsConfig, builder: Any) -> LiveReloadServer:
        """Rebuild when code changes, for the notes quote it."""
        for name in ("src/paperimpl", "tests/papers"):
            if (self.repository / name).is_dir():
                server.watch(str(self.repository / name))
        if self.preview and not self.dirty:
            server.builder = self.rebuilds.builder(config, server.builder, self._edited)
        return server

    def _edited(self, paths: list[Path]) -> bool:
        """Bring the site of the last build up to date, if it is whole and only prose was edited."""
        if self.build is None or self.context.health:
            return False
        build, self.build = self.build, None
        done = edit(build, paths, lambda file: self._head(file.page, build.config), self._tell)  # type: ignore[arg-type]
        self.build = build if done else None
        return done


def _now() -> float:
    """The time of this build, in seconds since 1970, or the one that it is to say."""
    said = os.environ.get("SOURCE_DATE_EPOCH", "")
    return float(said) if said.isdigit() else time.time()


def _in_theme(config: MkDocsConfig, name: str) -> bool:
    """Say whether the theme has a file of that name."""
    path = PurePosixPath(name)
    inside = not path.is_absolute() and ".." not in path.parts
    return inside and any((Path(folder) / path).is_file() for folder in config.theme.dirs)


def _rooted(toc: TableOfContents, title: str, title_id: str) -> TableOfContents:
    """Put a page's title above headings of the first level; the theme would show only what is below the first."""
    items = list(toc)
    if all(item.level > 1 for item in items):
        return toc
    first = items[0]
    if first.level == 1 and loose_name(html.unescape(re.sub(r"<[^<>]*>", "", first.title))) == loose_name(title):
        first.children += items[1:]
        return TableOfContents([first])
    root = AnchorLink(html.escape(title), title_id, 1)
    root.children = items
    return TableOfContents([root])
