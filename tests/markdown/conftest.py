"""A page without an engine: a vault in memory, Python-Markdown, and what came out as a tree."""

import re

import pytest
from bs4 import BeautifulSoup
from markdown import Markdown

from paperimpl.markdown import Context, VaultExtension
from paperimpl.markdown.extension import settings
from paperimpl.vault.index import Index, Note


class Page:
    """One note, rendered."""

    def __init__(self, html, context):
        self.html, self.context = html, context
        self.tree = BeautifulSoup(html if "<" in html else f"{html}\n", "html.parser")

    def __call__(self, selector):
        """Every element that a CSS selector finds."""
        return self.tree.select(selector)

    def one(self, selector):
        """The only element that a CSS selector finds."""
        (element,) = self(selector)
        return element

    @property
    def outline(self):
        """The tree in one line, `p[a] ul[li li]`, inline markup and permalinks left out."""

        def walk(element):
            inside = " ".join(filter(None, (walk(child) for child in element.find_all(recursive=False))))
            if element.name in ("a", "span", "em", "strong", "code", "label", "input", "br", "sup", "del", "mark"):
                return inside
            if element.name == "div" and "highlight" in element.get("class", []):
                return "code"
            return f"{element.name}[{inside}]" if inside else element.name

        return " ".join(walk(element) for element in self.tree.find_all(recursive=False))

    @property
    def text(self):
        """What a reader reads, permalinks left out, space as a browser shows it."""
        for link in self(".headerlink"):
            link.decompose()
        return re.sub(r"\s+", " ", self.tree.get_text()).strip()


@pytest.fixture(scope="session")
def render():
    """Render a note `Home.md` in a vault of other notes and files."""

    def rendered(text, notes=None, *, files=(), source="Home.md", **context):
        vault = {path: Note(path, body) for path, body in {**(notes or {}), source: text}.items()}
        made = Context(Index(dict(sorted(vault.items())), set(files)), source=source, **context)
        engine = Markdown(extensions=[*settings(), VaultExtension(made)], extension_configs=settings())
        return Page(engine.convert(made.index.notes[source].front.body), made)

    return rendered
