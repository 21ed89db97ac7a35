"""A canvas as HTML and SVG: one list of what stands on it, which the style sheet lays out as a board or leaves a list.

Every node is written once. On the board it has its place by absolute coordinates and curves join it to others; as a
list, on small screens, for screen readers and without style, it says in words what it leads to.
"""

from __future__ import annotations

import re
import urllib.parse
import xml.etree.ElementTree as etree
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from markdown.util import AtomicString

from paperimpl.vault import scan, views
from paperimpl.vault.canvas import Box, Canvas, Curve, Edge, Layout, Node, layout
from paperimpl.vault.index import is_view, plain
from paperimpl.vault.parts import definitions, part_of

if TYPE_CHECKING:
    from paperimpl.markdown.extension import Context

__all__ = ["Board"]

_IMAGES = frozenset({"avif", "bmp", "gif", "jpeg", "jpg", "png", "svg", "webp"})


class Board:
    """Writes a canvas into a page.

    Args:
        context: the page being rendered.
        markdown: renders Markdown, seen from a file; its elements have no ids of their own.
        view: renders a base or canvas within this one.
        prefix: what ids begin with, unique in the page.
    """

    def __init__(
        self,
        context: Context,
        markdown: Callable[[str, str], etree.Element],
        view: Callable[[str, str], etree.Element],
        prefix: str,
    ):
        self.context = context
        self.markdown = markdown
        self.view = view
        self.prefix = prefix

    def element(self, canvas: Canvas) -> etree.Element:
        """Write a canvas."""
        name = PurePosixPath(canvas.path).stem
        self.path = canvas.path
        laid = layout(canvas, self._shows)
        self.ids = {box.node.id: f"{self.prefix}-{at}" for at, box in enumerate(laid.all(), 1)}
        self.nodes = {box.node.id: box.node for box in laid.all()}
        self.leads: dict[str, list[Edge]] = {}
        for curve in laid.curves:
            self.leads.setdefault(curve.edge.start, []).append(curve.edge)
        box = _sub(None, "div", "canvas")
        if not laid.boxes:
            _sub(box, "p", "canvas-nothing", "This canvas is empty.")
            return box
        switch = _sub(box, "label", "canvas-switch")
        etree.SubElement(switch, "input", {"type": "checkbox"})
        _sub(switch, "span", "to-list", "Show as a list")
        _sub(switch, "span", "to-board", "Show as a board")
        scroll = _sub(box, "div", "canvas-scroll", attributes={"tabindex": "0", "role": "group"})
        scroll.set("aria-label", f"{name}, a canvas; scroll to move about on it")
        board = _sub(scroll, "div", "canvas-board")
        board.set("style", f"--w: {laid.width}px; --h: {laid.height}px")
        board.append(_edges(laid))
        for curve in laid.curves:
            if curve.edge.label:
                label = _sub(board, "span", _kind("canvas-edge-label", curve.edge.colour), _words(curve.edge.label))
                label.set("aria-hidden", "true")
                _coloured(label, curve.edge.colour, f"left: {curve.x}px; top: {curve.y}px")
        self._items(_sub(board, "ul", "canvas-items"), laid.boxes)
        return box

    def _shows(self, node: Node) -> bool:
        """Say whether a node may be seen: one that shows what is not published may not."""
        if node.kind != "file":
            return True
        index = self.context.index
        path = views.node_path(node, self.path, index)
        page = path in index.notes or path in index.notebooks or path in index.views
        return path is None or not page or self._published(path)

    def _published(self, path: str) -> bool:
        return self.context.views.library(self.context.index).shows(path)

    def _items(self, items: etree.Element, boxes: tuple[Box, ...]) -> None:
        for box in boxes:
            node = box.node
            item = _sub(items, "li", f"canvas-item {node.kind}")
            frame = _sub(item, "div", _kind(f"canvas-node canvas-{node.kind}", node.colour))
            frame.set("id", self.ids[node.id])
            place = f"--x: {box.x}px; --y: {box.y}px; --nw: {node.width}px; --nh: {node.height}px"
            _coloured(frame, node.colour, place)
            self._content(frame, node)
            self._leads(item, node)
            if box.inside:
                self._items(_sub(item, "ul"), box.inside)

    def _content(self, frame: etree.Element, node: Node) -> None:
        match node.kind:
            case "text":
                frame.append(_body(self.markdown(node.text, self.path)))
            case "link":
                self._link(frame, node.url)
            case "group":
                self._group(frame, node)
            case _:
                self._file(frame, node)

    def _link(self, frame: etree.Element, url: str) -> None:
        parts = urllib.parse.urlsplit(url) if url.isprintable() and len(url) < 4_000 and "[" not in url else None
        body = _sub(frame, "p", "canvas-address")
        if parts and parts.scheme in ("http", "https") and parts.netloc:
            link = _sub(body, "a", "external", parts.netloc.removeprefix("www."), {"href": url, "data-vault": ""})
            rest = (parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else ""))[:200]
            if rest:
                _sub(link, "span", "canvas-path", rest)
        elif parts and parts.scheme == "mailto":
            _sub(body, "a", "external", parts.path, {"href": url, "data-vault": ""})
        else:
            body.text = AtomicString(url[:500])

    def _group(self, frame: etree.Element, node: Node) -> None:
        if node.background:
            path = node.background if node.background in self.context.index.files else None
            path = path or self.context.index.find(node.background, self.path)
            if path and path.rpartition(".")[2].lower() in _IMAGES and self._published(path):
                attributes = {"src": self.context.href(path), "alt": "", "loading": "lazy", "data-vault": ""}
                _sub(frame, "img", f"canvas-background {node.style}", attributes=attributes)
        if node.label:
            _sub(frame, "p", "canvas-label", _words(node.label))

    def _file(self, frame: etree.Element, node: Node) -> None:
        index = self.context.index
        path = views.node_path(node, self.path, index)
        name = PurePosixPath(node.file).name
        if path is None:
            _sub(frame, "p", "canvas-missing broken", name, {"title": "This file does not exist"})
            return
        extension = path.rpartition(".")[2].lower()
        if path in index.notes:
            self._note(frame, path, node.subpath)
        elif not self._published(path):
            _sub(frame, "p", "canvas-missing", f"{name}, which is not published here")
        elif is_view(path):
            self._title(frame, path, "", PurePosixPath(path).stem)
            frame.append(_body(self.view(path, node.subpath)))
        elif extension in _IMAGES:
            frame.set("class", f"{frame.get('class')} canvas-image")
            attributes = {"src": self.context.href(path), "alt": PurePosixPath(path).stem, "loading": "lazy"}
            _sub(frame, "img", attributes={**attributes, "data-vault": ""})
        elif self._published(path):
            self._title(frame, path, node.subpath if extension == "pdf" else "", name)
            kind = "PDF" if extension == "pdf" else extension.upper() or "file"
            _sub(frame, "p", "canvas-kind", kind)

    def _note(self, frame: etree.Element, path: str, subpath: str) -> None:
        note = self.context.index.notes[path]
        resolved = self.context.index.resolve(scan.Link(f"/{path}", subpath, None, True, True, 0, 0), path)
        part = part_of(note, subpath)
        shown = note.title
        if subpath and resolved.kind == "note":
            heading = next((h.text for h in note.headings if h.id == resolved.anchor), "")
            shown = f"{shown} > {heading}" if heading else shown
        self._title(frame, path, resolved.anchor, shown)
        if part is not None:
            body = _body(self.markdown(f"{part.text}\n\n{definitions(note, part)}".rstrip(), path))
        else:
            body = _sub(None, "div", "canvas-body")
            _sub(body, "p", "broken", f"There is no {subpath!r} in it.")
        body.set("data-search-exclude", "")  # it is found in its own page
        frame.append(body)

    def _title(self, frame: etree.Element, path: str, fragment: str, shown: str) -> None:
        title = _sub(frame, "p", "canvas-title")
        attributes = {"href": self.context.href(path, fragment), "data-vault": ""}
        _sub(title, "a", "wikilink", shown, attributes)

    def _leads(self, item: etree.Element, node: Node) -> None:
        """Say in words where the edges lead."""
        edges = self.leads.get(node.id)
        if not edges:
            return
        leads = _sub(item, "ul", "canvas-leads")
        for edge in edges:
            lead = _sub(leads, "li")
            arrow = "leads to" if edge.end_arrow and not edge.start_arrow else "is joined with"
            arrow = "comes from" if edge.start_arrow and not edge.end_arrow else arrow
            lead.text = AtomicString(f"{_words(edge.label)}: " if edge.label else f"{arrow} ")
            name = self._name(self.nodes[edge.end])
            _sub(lead, "a", "", name, {"href": f"#{self.ids[edge.end]}", "data-vault": ""})

    def _name(self, node: Node) -> str:
        """Call a node by a few words."""
        if node.kind == "file":
            path = views.node_path(node, self.path, self.context.index)
            note = self.context.index.notes.get(path or "")
            words = (note.title if note else PurePosixPath(node.file).stem) + (
                f" > {node.subpath}" if node.subpath else ""
            )
        else:
            lines = (
                plain(re.sub(r"^(?:[\s>#*+-]|\[.\]\s|\d+[.)]\s|\[!\w+\][+-]?)*", "", line))
                for line in node.text.split("\n")
            )
            words = node.label or node.url or next(filter(None, lines), "")
        words = _words(words)
        return (words if len(words) <= 60 else f"{words[:59].rstrip()}…") or f"the {node.kind} without words"


def _edges(laid: Layout) -> etree.Element:
    size = {"width": str(laid.width), "height": str(laid.height)}
    svg = etree.Element("svg", {"class": "canvas-edges", "viewBox": f"0 0 {laid.width} {laid.height}", **size})
    svg.set("aria-hidden", "true")
    for curve in laid.curves:
        svg.append(_edge(curve))
    return svg


def _edge(curve: Curve) -> etree.Element:
    group = etree.Element("g", {"class": _kind("canvas-edge", curve.edge.colour)})
    _coloured(group, curve.edge.colour, "")
    etree.SubElement(group, "path", {"d": curve.path})
    for head in curve.heads:
        etree.SubElement(group, "polygon", {"points": head})
    return group


def _kind(kind: str, colour: str) -> str:
    """Give an element its classes: a colour of the palette is one, another is a style."""
    preset = f" c{colour}" if len(colour) == 1 else ""
    return f"{kind}{preset or (' coloured' if colour else '')}"


def _coloured(element: etree.Element, colour: str, style: str) -> None:
    if len(colour) > 1:
        style = "; ".join(filter(None, [style, f"--c: {colour}"]))
    if style:
        element.set("style", style)


def _body(content: etree.Element) -> etree.Element:
    content.tag = "div"
    content.set("class", f"canvas-body {content.get('class', '')}".strip())
    return content


def _words(text: str) -> str:
    return " ".join(text.split())


def _sub(
    parent: etree.Element | None, tag: str, kind: str = "", shown: str = "", attributes: dict[str, str] | None = None
) -> etree.Element:
    """Make an element with text that holds no markup, at the end of its parent."""
    element = etree.Element(tag, {"class": kind} if kind else {})
    for name, value in (attributes or {}).items():
        element.set(name, value)
    if shown:
        element.text = AtomicString(shown)
    if parent is not None:
        parent.append(element)
    return element
