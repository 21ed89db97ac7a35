"""The MkDocs plugin `vault`: hooks of a few lines around `paperimpl.vault` and `paperimpl.markdown`.

It extends mkdocs-roamlinks-plugin: notes written for that plugin keep working, by our resolver instead of its text
pass, which also rewrote what stands in code (README, design notes).
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment
from mkdocs.config import config_options as options
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

from paperimpl.markdown.extension import Context, VaultExtension, settings
from paperimpl.markdown.katex import Katex
from paperimpl.markdown.views import Views
from paperimpl.publish import frontend, notebook
from paperimpl.publish.pages import Publication
from paperimpl.vault.check import Health
from paperimpl.vault.index import Index
from paperimpl.vault.problem import VaultError

with warnings.catch_warnings():  # it asks MkDocs for a filter that does nothing since 1.2
    warnings.simplefilter("ignore", DeprecationWarning)
    from mkdocs_roamlinks_plugin.plugin import RoamLinksPlugin

__all__ = ["VaultPlugin"]

log = logging.getLogger("mkdocs.plugins.vault")


class VaultConfig(Config):  # type: ignore[no-untyped-call]
    """What `mkdocs.yml` may say. Nothing must be said."""

    packages = options.Type(str, default="site_config")  # the folder of package.json
    serve = options.DictOfItems(options.Type(str), default={})  # address in the site -> file in node_modules
    code_url = options.Type(str, default="")  # where code is shown: {path}, {first}, {last}


class VaultPlugin(RoamLinksPlugin):  # type: ignore[misc]  # untyped
    """Publish an Obsidian vault."""

    config_class = VaultConfig
    config: VaultConfig

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Remember whether this is a local preview; it may show PDFs that the public site may not."""
        self.preview = command == "serve"
        self.katex: Katex | None = None

    def on_shutdown(self) -> None:
        """End the process that renders formulas."""
        if self.katex:
            self.katex.close()

    def on_config(self, config: MkDocsConfig) -> None:
        """Bring the Markdown extensions that Obsidian's syntax needs, the style sheet, and the renderer of formulas."""
        self.repository = Path(config.config_file_path or ".").resolve().parent
        self.parts = frontend.Parts(self.repository / self.config.packages)
        if self.katex is None and (package := self.parts.folder("katex")):
            self.katex = Katex(package, self.repository / ".cache/paperimpl")
        for name, values in settings().items():
            if name not in config.markdown_extensions:
                config.markdown_extensions.append(name)
            config.mdx_configs[name] = values | (config.mdx_configs.get(name) or {})
        self.context = Context(Index({}), katex=self.katex, code_url=self.config.code_url)
        config.markdown_extensions.append(VaultExtension(self.context))  # type: ignore[arg-type]
        config.extra_css.insert(0, "assets/paperimpl/vault.css")
        if self.katex:
            config.extra_css.insert(0, "assets/katex/katex.min.css")
        if config.nav is None:
            config.not_in_nav = config.not_in_nav or None

    @event_priority(100)  # before mkdocs-jupyter wraps its files
    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Read the vault, once; leave out what is private; say what is wrong."""
        vault = Path(config.docs_dir)
        paths = [file.src_uri for file in files if file.abs_src_path and file.src_dir == config.docs_dir]
        index = Index.read(vault, paths)
        has_papers = vault.name == "vault" and (self.repository / "src/paperimpl").is_dir()
        health = None
        try:
            health = Health(self.repository, index) if has_papers else None
        except VaultError as wrong:
            for problem in wrong.problems:
                log.warning(str(problem))
        self.context.index, self.context.health = index, health
        self.context.repository = self.repository if has_papers else None
        self.context.problems.clear()
        self.publication = Publication(self.context, self.repository, config.repo_url or "", self.preview)
        self.context.views = Views(self.publication.publishes)
        kept = Files([file for file in files if self.publication.publishes(file.src_uri)])
        for file in kept:
            if file.src_uri.endswith(".md") and (address := self.publication.address(file.src_uri)):
                if self.publication.opens_section(file.src_uri):
                    file.name = "index"  # the theme links a section's title to the page of this name
                if config.use_directory_urls:
                    file.dest_uri = address
        for path, text in self.publication.pages().items():
            if kept.get_file_from_path(path) is None:
                kept.append(File.generated(config, path, content=text))
        for address, source in self.parts.files(self.config.serve, self.katex is not None):
            if isinstance(source, Path):
                kept.append(File.generated(config, address, abs_src_path=str(source)))
            else:
                kept.append(File.generated(config, address, content=source))
        for problem in health.problems() if health else index.problems():
            (log.warning if problem.error else log.info)(str(problem))
        if config.nav is None:
            pages = [file.src_uri for file in kept if file.src_uri.endswith((".md", ".ipynb"))]
            config.nav = self.publication.nav(pages)
        return kept

    def on_env(self, env: Environment, *, config: MkDocsConfig, files: Files) -> None:
        """Let templates ask for the vault's papers and chapters; tell what rendering found."""
        env.globals["vault"] = self.publication
        for problem in self.context.problems:
            (log.warning if problem.error else log.info)(str(problem))
        if self.katex:
            self.katex.save()

    def on_pre_page(self, page: Page, *, config: MkDocsConfig, files: Files) -> Page:
        """Say which note is rendered next."""
        index, path = self.context.index, page.file.src_uri
        self.context.source = path if path in index.notes or path in index.notebooks else ""
        if not self.context.source and path.removesuffix(".md") in index.views:
            self.context.source = path.removesuffix(".md")
        return page

    def on_page_markdown(self, markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
        """Give the page its title and its end; roamlinks' own pass over the text is not run."""
        note = self.context.note
        if note is None or page.file.src_uri.endswith(".ipynb"):
            return markdown
        page.meta["title"] = note.title
        page.meta.pop("status", None)  # the author's; the theme would take it for its own
        if note.front.values.get("description"):
            page.meta["description"] = note.front.values["description"]
        return markdown + self.publication.tail(note)

    def on_page_content(self, html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
        """Put a paper's header above its note, and what links to a note below it."""

        def url(path: str) -> str:
            file = files.get_file_from_path(path)
            return get_relative_url(file.url, page.url) if file else ""

        if page.file.src_uri.endswith(".ipynb"):
            html = notebook.restyle(html, page, config, self.context, files)
        note = self.context.note
        page.meta.setdefault("paper", self.publication.slug(page.file.src_uri))
        return (
            (self.publication.header(note, url) if note else "")
            + html
            + self.publication.links_here(page.file.src_uri, url)
        )

    def on_serve(self, server: LiveReloadServer, *, config: MkDocsConfig, builder: Any) -> LiveReloadServer:
        """Rebuild when code changes, for the notes quote it."""
        for folder in ("src/paperimpl", "tests/papers"):
            if (self.repository / folder).is_dir():
                server.watch(str(self.repository / folder))
        return server
