"""Bases and canvases in a page: `![[x.base#View]]`, `![[x.canvas]]`, and ```base code blocks.

A link that embeds one leaves a place in the tree (`place`); once inline markup is done, `Places` puts the view there,
out of the paragraph that held the link. Text on a canvas is rendered by a second engine like the page's, which shares
the page's stash of HTML; what lies within what is remembered, so that a circle is cut with a message.
"""

from __future__ import annotations

import datetime
import os
import re
import urllib.parse
import xml.etree.ElementTree as etree
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

from paperimpl.markdown.bases import Bases
from paperimpl.markdown.board import Board
from paperimpl.markdown.embeds import PageStep, tree
from paperimpl.vault import canvas, scan, views
from paperimpl.vault.bases import reading
from paperimpl.vault.bases.library import Library
from paperimpl.vault.bases.query import Shown, show
from paperimpl.vault.bases.values import File
from paperimpl.vault.index import Index, is_view
from paperimpl.vault.problem import Problem, nearest

if TYPE_CHECKING:
    from paperimpl.markdown.extension import Context

__all__ = ["Apart", "Backgrounds", "Places", "Views", "place"]

# What one page may hold: views and texts on canvases, and how deep they may lie within each other.
MOST, DEEPEST = 1_000, 6

_HOLDS_BLOCKS = frozenset({"div", "li", "td", "th", "blockquote", "details", "dd", "figure", "section"})
# Elements that only we write, and that have a style or a drawing of ours.
_OURS = frozenset(
    {
        *("canvas-switch", "canvas-edges", "canvas-board", "canvas-node", "canvas-edge-label", "canvas-background"),
        *("base-cards", "base-cover"),
    }
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")


@dataclass
class Views:
    """What all pages share: the vault as bases see it, and what was computed for more than one page.

    Attributes:
        publishes: says whether a file is published; None leaves it to the notes.
        count: how many views the page being rendered holds so far.
    """

    publishes: Callable[[str], bool] | None = None
    count: int = 0
    _library: Library | None = None
    _bases: dict[str, reading.Base] = field(default_factory=dict)
    _shown: dict[tuple[str, int], Shown] = field(default_factory=dict)

    def library(self, index: Index) -> Library:
        """Return the vault as bases see it."""
        if self._library is None or self._library.index is not index:
            epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
            now = datetime.datetime.fromtimestamp(int(epoch), datetime.UTC) if epoch.isdecimal() else None
            self._library = Library(index, self.publishes, now.replace(tzinfo=None) if now else None)
            self._bases.clear()
            self._shown.clear()
        return self._library

    def base(self, index: Index, path: str) -> reading.Base:
        """Return a base of the vault."""
        self.library(index)
        if path not in self._bases:
            self._bases[path] = reading.read(index.views.get(path, ""), path, views.where(path))
        return self._bases[path]

    def show(self, index: Index, base: reading.Base, number: int, this: str, kept: bool) -> Shown:
        """Compute a view, once for all pages where that is the same.

        Args:
            index: the vault.
            base: the base.
            number: which of its views.
            this: the file that shows it.
            kept: whether the base is a file of its own.
        """
        library = self.library(index)
        if not kept or base.asks_this:
            return show(base, base.views[number], library, File(this))
        key = (base.path, number)
        if key not in self._shown:
            self._shown[key] = show(base, base.views[number], library, File(this))
        return self._shown[key]


def place(path: str, fragment: str, shown: str, href: str) -> etree.Element:
    """Mark the place of a base or canvas; where it cannot stand, in a heading or a link, it is a link to it."""
    element = etree.Element("a", {"class": "wikilink", "href": href, "data-vault": "", "data-view": path})
    element.set("data-fragment", fragment)
    element.text = AtomicString(shown)
    return element


class Places(Treeprocessor):
    """Puts views where links and code blocks have left their places.

    Args:
        md: the page's engine.
        context: the page.
        engine: makes another engine, for text on canvases.
    """

    def __init__(self, md: Markdown, context: Context, engine: Callable[[Context], Markdown]):
        super().__init__(md)
        self.context = context
        self.blocks: dict[str, str] = {}  # what stands for a code block, and its text
        self.make_engine = engine
        self.engine: Markdown | None = None
        self.inner: Context | None = None

    def leave(self, text: str) -> str:
        """Take the text of a ```base code block and return what stands for it in the tree."""
        stashed = self.md.htmlStash.store("")
        self.blocks[stashed] = text
        return stashed

    def run(self, root: etree.Element) -> None:
        if not self.context.page:
            self.context.views.count = 0
        places = list(self._places(root))
        if not places:
            return
        self.parents = {child: parent for parent in root.iter() for child in parent}
        for element, path, fragment in places:
            parent = self.parents[element]
            outer = self.parents.get(parent) if parent.tag == "p" else parent if parent.tag in _HOLDS_BLOCKS else None
            if element is root or (outer is None and path):
                continue
            view = self._fence(path) if path.startswith("\x02") else self.view(path, fragment)
            after = _put(element, parent, outer if outer is not None else parent, view)
            self.parents.update((child, after) for child in after)  # there may be places among them
            if outer is not None:
                self.parents[after] = outer

    def _places(self, root: etree.Element) -> Iterator[tuple[etree.Element, str, str]]:
        """Find every place: its element, the file, or what was left for a code block, and the view's name."""
        for element in root.iter():
            if "data-view" in element.attrib:
                yield element, element.attrib.pop("data-view"), element.attrib.pop("data-fragment", "")
            elif element.tag == "img" and "data-vault" not in element.attrib:
                found = self._picture(element.get("src", ""))
                if found:
                    yield element, *found
            elif self.blocks and (text := (element.text or "").strip()) in self.blocks:
                element.text = ""
                yield etree.SubElement(element, "span"), text, ""

    def _picture(self, source: str) -> tuple[str, str] | None:
        """Read `![](x.canvas)`, which embeds as `![[x.canvas]]` does."""
        target, _, fragment = (urllib.parse.unquote(part) for part in source.partition("#"))
        if not is_view(target) or _SCHEME.match(source):
            return None
        found = self.context.index.find(target, self.context.source)
        return (found, fragment) if found in self.context.index.views else None

    def _fence(self, stashed: str) -> etree.Element:
        text = self.blocks.pop(stashed)
        source = self.context.source
        note = self.context.note
        at = note.text.find(text) if note and text else -1
        line = scan.line_of(note.text, at) if note and at >= 0 else 1
        base = reading.read(text, source, views.where(source), line)
        self._tell(*base.problems)
        return self._base(base, "", kept=False)

    def view(self, path: str, fragment: str) -> etree.Element:
        """Write a base or a canvas."""
        context = self.context
        context.views.count += 1
        if context.views.count > MOST or len(context.within) >= DEEPEST:
            return self._cut(path, "too much is embedded in one page")
        if path in context.within:
            return self._cut(path, "it would show itself")
        if not context.views.library(context.index).shows(path):
            return etree.Element("div", {"class": "private"})
        if path.lower().endswith(".base"):
            return self._base(context.views.base(context.index, path), fragment, kept=True)
        board = canvas.read(context.index.views.get(path, ""), path, views.where(path))
        if board.broken:
            return _message(path, board.broken)
        number = context.views.count
        made = Board(
            context,
            lambda text, source: self._markdown(text, source, path),
            lambda other, name: self._within(path).view(other, name),
            f"canvas-{number}",
        )
        return made.element(board)

    def _base(self, base: reading.Base, fragment: str, kept: bool) -> etree.Element:
        context = self.context
        if base.broken:
            return _message(base.path, base.broken)
        page = context.host == base.path
        view = base.view(fragment)
        missing = None
        if view is None:
            names = [each.name for each in base.views if each.name]
            missing = f"{base.path} has no view {fragment!r}"
            hint = nearest(fragment, names) or f"it has {', '.join(names[:6])}"
            self._tell(Problem(views.where(context.source), self._line_of(fragment), missing, hint))
            view = base.views[0]
        wanted = range(len(base.views)) if page else [base.views.index(view)]
        shown = [context.views.show(context.index, base, number, context.source, kept) for number in wanted]
        for each in shown:
            self._tell(*each.problems)
        made = Bases(context).element(shown, base.where, page)
        if missing:
            note = etree.Element("p", {"class": "view-problem"})
            note.text = AtomicString(f"{missing}.")
            made.insert(0, note)
        return made

    def _line_of(self, fragment: str) -> int:
        note = self.context.note
        at = note.text.find(f"#{fragment}") if note else -1
        return scan.line_of(note.text, at) if note and at >= 0 else 0

    def _tell(self, *problems: Problem) -> None:
        for problem in problems:
            if problem not in self.context.problems:
                self.context.problems.append(problem)

    def _cut(self, path: str, why: str) -> etree.Element:
        self._tell(Problem(views.where(self.context.source), 0, f"{path}: {why}", "take one of the embeds out"))
        return _message(path, why)

    def _within(self, path: str) -> Places:
        """The step of a second engine, for what lies within a canvas."""
        context = self.context
        if self.engine is None or self.inner is None or self.inner.index is not context.index:
            self.inner = replace(context)
            self.engine = self.make_engine(self.inner)
        self.inner.page, self.inner.source = context.host, path
        self.inner.within = (*context.within, path)
        self.engine.htmlStash = self.md.htmlStash
        step = self.engine.treeprocessors["vault-views"]
        assert isinstance(step, Places)
        return step

    def _markdown(self, text: str, source: str, path: str) -> etree.Element:
        """Render Markdown within a canvas, up to the tree; nothing in it has an id or is a heading of the page."""
        self.context.views.count += 1
        if self.context.views.count > MOST:
            return _message(path, "too much is embedded in one page")
        self._within(path)
        assert self.engine
        assert self.inner
        self.inner.source = source
        root = tree(self.engine, self.md, text)
        _settle(root)
        return root


class Backgrounds(PageStep):
    """Pictures that repeat behind a group, once their addresses are the page's."""

    def run(self, root: etree.Element) -> None:
        for element in root.iter("img"):
            if element.get("class") == "canvas-background repeat":
                address = urllib.parse.quote(element.get("src", ""), safe="/%.-_~?=&#:")
                element.tag = "span"
                element.attrib.clear()
                element.set("class", "canvas-background repeat")
                element.set("style", f"background-image: url({address})")
                element.text = AtomicString("")


class Apart(PageStep):
    """Where the page is cleaned as a whole: what only we write, drawings and places, is put out of the cleaner's reach.

    Args:
        md: the page's engine.
        keep: puts HTML aside and returns what stands for it.
    """

    def __init__(self, md: Markdown, keep: Callable[[str], str]):
        super().__init__(md)
        self.keep = keep

    def run(self, root: etree.Element) -> None:
        serialize: Callable[[etree.Element], str] = self.md.serializer
        parents = {child: parent for parent in root.iter() for child in parent}
        rules: list[str] = []
        for element in list(root.iter()):
            kinds = str(element.get("class")).split()
            if not _OURS.intersection(kinds):
                continue
            if "canvas-edges" in kinds or "canvas-switch" in kinds:
                parent = parents[element]  # of which it is the first child
                parent.text = (parent.text or "") + self.keep(serialize(element))
                parent.remove(element)
            elif style := element.attrib.pop("style", ""):
                name = element.get("id") or f"placed-{len(rules) + 1}"
                element.set("id", name)
                rules.append(f'[id="{name}"] {{ {style} }}')
        if rules:
            etree.SubElement(root, "div").text = AtomicString(self.keep(f"<style>{' '.join(rules)}</style>"))


def _settle(tree: etree.Element) -> None:
    """Keep what is rendered within a canvas from reaching out of it: no ids, no headings, links already resolved."""
    parents = {child: parent for parent in tree.iter() for child in parent}
    for element in list(tree.iter()):
        name = element.attrib.pop("id", None)
        if element.tag in ("a", "img"):
            element.set("data-vault", "")
        if "headerlink" in (element.get("class") or ""):
            parents[element].remove(element)
        elif re.fullmatch(r"h[1-6]", str(element.tag)):
            element.set("class", f"canvas-heading {element.tag}")
            element.set("role", "heading")
            element.set("aria-level", str(min(6, int(str(element.tag)[1]) + 1)))
            element.tag = "p"
        elif name and "canvas-node" in (element.get("class") or ""):
            element.set("id", name)


def _put(element: etree.Element, parent: etree.Element, outer: etree.Element, view: etree.Element) -> etree.Element:
    """Put a block where an element stands, or between the two halves of its paragraph; return the second half."""
    view.tail, element.tail, tail = "\n", None, element.tail or ""
    at = list(parent).index(element)
    if parent is outer:
        parent[at] = view
        view.tail = tail or "\n"
        return etree.Element("p")
    after = etree.Element("p")
    after.text = tail.lstrip()
    for child in list(parent)[at + 1 :]:
        parent.remove(child)
        after.append(child)
    parent.remove(element)
    place = list(outer).index(parent) + 1
    after.tail, parent.tail = parent.tail, "\n"
    if len(after) or after.text.strip():
        outer.insert(place, after)
    outer.insert(place, view)
    if not len(parent) and not (parent.text or "").strip():
        if parent.get("id"):  # a block id of the paragraph is the view's
            view.set("id", parent.get("id", ""))
        outer.remove(parent)
    return after


def _message(path: str, why: str) -> etree.Element:
    box = etree.Element("div", {"class": "view-problem"})
    text = etree.SubElement(box, "p")
    text.text = AtomicString(f"{path} is not shown here: {why}.")
    return box
