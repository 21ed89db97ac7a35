"""Embeds of notes: `![[Note]]`, `![[Note#Heading]]`, `![[Note#^block]]`, in the page that embeds them.

An embed is rendered as its note would be, by a second engine that shares the page's stash of HTML; its tree is then
put into the page's, after the table of contents is made and before an engine looks at links. Embeds in embeds wait
in one queue, so nesting costs no recursion. A part of a note that embeds itself is cut with a message, and so is what
would make one page of thousands.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as etree
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString, HtmlStash

from paperimpl.vault.parts import definitions, part_of
from paperimpl.vault.problem import Problem
from paperimpl.vault.scan import Link

if TYPE_CHECKING:
    from paperimpl.markdown.extension import Context

__all__ = ["MEDIA", "Embeds", "Media", "PageStep", "slot", "tree"]

# What one page may embed: parts, characters, and elements within elements (serialization is recursive).
MOST, LARGEST, DEEPEST = 1_000, 4_000_000, 300

MEDIA = {
    **dict.fromkeys(("flac", "m4a", "mp3", "oga", "ogg", "opus", "wav", "3gp"), "audio"),
    **dict.fromkeys(("mkv", "mov", "mp4", "ogv", "webm"), "video"),
    "pdf": "pdf",
}
_HOLDS_BLOCKS = frozenset({"div", "li", "td", "th", "blockquote", "details", "dd", "figure", "section"})


def slot(path: str, fragment: str, link: etree.Element) -> etree.Element:
    """Mark a link as the place of an embed; where it cannot be one, it stays a link."""
    link.set("data-slot", path)
    link.set("data-fragment", fragment)
    return link


@dataclass(frozen=True)
class _Slot:
    """A place to fill: its element, the note it is written in, and the parts that it stands within."""

    element: etree.Element
    context: Context
    trail: tuple[tuple[str, int, int], ...]
    depth: int


class PageStep(Treeprocessor):
    """A step that is for the whole page, once, and not for what is embedded in it."""


class Embeds(PageStep):
    """Fill the places that links have marked."""

    def __init__(self, md: Markdown, context: Context, engine: Callable[[Context], Markdown]):
        super().__init__(md)
        self.context = context
        self.make_engine = engine
        self.engine: Markdown | None = None
        self.inner: Context | None = None

    def run(self, root: etree.Element) -> None:
        if not any("data-slot" in element.attrib for element in root.iter()):
            return
        self.parents = {child: parent for parent in root.iter() for child in parent}
        self.count, self.size = 0, 0
        whole = (self.context.source, 1, 1 << 60)
        queue = deque(
            _Slot(element, self.context, (whole,), 0) for element in root.iter() if "data-slot" in element.attrib
        )
        while queue:
            queue.extend(self._fill(queue.popleft()))

    def _fill(self, slot: _Slot) -> list[_Slot]:
        element, context = slot.element, slot.context
        path, fragment = element.attrib.pop("data-slot"), element.attrib.pop("data-fragment")
        if not path:  # private: nothing, not even its place
            self._remove(element)
            return []
        note = context.index.at(path)
        parent = self.parents[element]
        if parent.tag == "p" and "admonition-title" not in (parent.get("class") or ""):
            outer = self.parents[parent]
        elif parent.tag in _HOLDS_BLOCKS:
            outer = parent
        else:  # a heading, a title, a link: no place for blocks
            return []
        if path in context.index.notebooks:
            self._place(element, outer, _card(element, note.title, "notebook"))
            return []
        part = part_of(note, fragment)
        if part is None:
            return []
        here = (path, part.first, part.last)
        # The page's own first part is all of it, to whatever line.
        whole = not fragment
        if here in slot.trail or (whole and any(p == path and first == 1 for p, first, _ in slot.trail[:1])):
            return self._cut(slot, outer, path, f"{note.title} embeds itself here", error=False)
        self.count += 1
        self.size += len(part.text)
        depth = slot.depth + self._depth(element, slot)
        if self.count > MOST or self.size > LARGEST or depth > DEEPEST:
            return self._cut(slot, outer, path, "too much is embedded in one page")
        inner = replace(context, source=path, page=context.host)
        tree = self._tree(inner, f"{part.text}\n\n{definitions(note, part)}".rstrip())
        _drop_unnamed(tree)
        self._apart(tree)
        box = etree.Element("div", {"class": "embed", "data-embed": "note"})
        title = etree.SubElement(box, "p", {"class": "embed-title"})
        link = etree.SubElement(title, "a", {"class": "wikilink", "href": element.get("href", "")})
        link.text = AtomicString(note.title)
        body = etree.SubElement(box, "div", {"class": "embed-body"})
        body.text = tree.text
        body.extend(tree)
        self.parents.update((child, each) for each in box.iter() for child in each)
        self._place(element, outer, box)
        trail = (*slot.trail, here)
        return [_Slot(each, inner, trail, depth) for each in body.iter() if "data-slot" in each.attrib]

    def _depth(self, element: etree.Element, slot: _Slot) -> int:
        """Count how deep an embed lies in the part that it is written in."""
        depth = 2
        while (parent := self.parents.get(element)) is not None and parent.get("class") != "embed-body":
            element, depth = parent, depth + 1
        return depth

    def _tree(self, inner: Context, text: str) -> etree.Element:
        """Run the second engine up to the tree."""
        if self.engine is None:
            self.inner = replace(inner)
            self.engine = self.make_engine(self.inner)
        assert self.inner
        self.inner.source, self.inner.page, self.inner.within = inner.source, inner.page, inner.within
        return tree(self.engine, self.md, text)

    def _apart(self, tree: etree.Element) -> None:
        """Take ids out of an embed, for links lead to the note itself; footnotes keep theirs, made unique."""
        prefix = f"embed-{self.count}-"
        for element in tree.iter():
            name = element.get("id", "")
            if re.match(r"fn(?:ref\d*)?:", name):
                element.set("id", prefix + name)
            elif name:
                del element.attrib["id"]
            if str(element.get("class")) in ("footnote-ref", "footnote-backref"):
                element.set("data-href", f"#{prefix}{element.get('href', '#')[1:]}")
                element.set("href", "#")  # MkDocs knows the page's anchors by now, and not these

    def _cut(self, slot: _Slot, outer: etree.Element, path: str, why: str, error: bool = True) -> list[_Slot]:
        """Leave a message in place; a circle is no error, for Obsidian shows one as far."""
        context = slot.context
        box = _card(slot.element, f"Not shown: {why}", "cut")
        self._place(slot.element, outer, box)
        links = context.note.links if context.note else []
        line = next((n for link, n in links if link.embed and self._leads(link, context) == path), 0)
        problem = Problem(f"vault/{context.source}", line, f"embed: {why}", "take one of the embeds out", error)
        if problem not in context.problems:
            context.problems.append(problem)
        return []

    def _leads(self, link: Link, context: Context) -> str:
        return context.index.resolve(link, context.source).path

    def _remove(self, element: etree.Element) -> None:
        parent = self.parents[element]
        at = list(parent).index(element)
        tail = element.tail or ""
        if at:
            parent[at - 1].tail = (parent[at - 1].tail or "") + tail
        else:
            parent.text = (parent.text or "") + tail
        parent.remove(element)
        if parent.tag == "p" and not len(parent) and not (parent.text or "").strip():
            outer = self.parents.get(parent)
            if outer is not None:
                outer.remove(parent)

    def _place(self, element: etree.Element, outer: etree.Element, box: etree.Element) -> None:
        """Put a block where a link stands: in its container, or between two halves of its paragraph."""
        parent = self.parents[element]
        self.parents[box] = outer
        if parent is outer:
            box.tail, element.tail = element.tail, None
            outer[list(outer).index(element)] = box
            return
        at = list(parent).index(element)
        after = etree.Element("p", {k: v for k, v in parent.attrib.items() if k != "id"})
        after.text = (element.tail or "").lstrip()
        for child in list(parent)[at + 1 :]:
            if child.tag == "br" and not len(after) and not after.text:
                after.text = (child.tail or "").lstrip()
                parent.remove(child)
                continue
            parent.remove(child)
            after.append(child)
            self.parents[child] = after
        parent.remove(element)
        element.tail = None
        if at and parent[-1].tag == "br" and not (parent[-1].tail or "").strip():
            parent.remove(parent[-1])
        place = list(outer).index(parent) + 1
        after.tail, parent.tail = parent.tail, "\n"
        outer.insert(place, box)
        box.tail = "\n"
        if len(after) or after.text.strip():
            outer.insert(place + 1, after)
            self.parents[after] = outer
        if not len(parent) and not (parent.text or "").strip():
            if parent.get("id"):  # a block id of the paragraph is the embed's
                box.set("id", parent.get("id", ""))
            outer.remove(parent)


def tree(engine: Markdown, page: Markdown, text: str) -> etree.Element:
    """Run a second engine up to the tree, for text within a page; what is to be embedded in it the page's own fills."""
    engine.htmlStash = HtmlStash()
    engine.reset()
    engine.htmlStash = page.htmlStash
    lines = text.split("\n")
    for preprocessor in engine.preprocessors:
        lines = preprocessor.run(lines)
    root: Any = engine.parser.parseDocument(lines).getroot()
    for treeprocessor in engine.treeprocessors:
        if not isinstance(treeprocessor, PageStep):
            made = treeprocessor.run(root)
            root = root if made is None else made
    found: etree.Element = root
    return found


def _card(link: etree.Element, title: str, kind: str) -> etree.Element:
    """Make a card that leads to what is not shown in place."""
    box = etree.Element("div", {"class": f"embed embed-{kind}", "data-embed": kind})
    text = etree.SubElement(box, "p", {"class": "embed-title"})
    inner = etree.SubElement(text, "a", {"class": "wikilink", "href": link.get("href", "")})
    inner.text = AtomicString(title)
    return box


def _drop_unnamed(tree: etree.Element) -> None:
    """Take out footnotes that nothing in an embed names; they belong to other parts of the note."""
    named = {element.get("href") for element in tree.iter("a") if element.get("class") == "footnote-ref"}
    for notes in [child for child in tree if child.tag == "div" and child.get("class") == "footnote"]:
        for listed in notes.findall("ol"):
            for item in list(listed):
                if f"#{item.get('id')}" not in named:
                    listed.remove(item)
            if not len(listed):
                tree.remove(notes)


class Media(PageStep):
    """Links that stand for sound, video and PDFs, made players once their addresses are the page's."""

    def __init__(self, md: Markdown, keep: Callable[[str], str]):
        super().__init__(md)
        self.keep = keep

    def run(self, root: etree.Element) -> None:
        for element in root.iter("a"):
            if href := element.attrib.pop("data-href", None):
                element.set("href", href)
            kind = element.attrib.pop("data-media", None)
            if kind is None:
                continue
            size: dict[str, str] = {
                key: element.attrib.pop(f"data-{key}") for key in ("width", "height") if f"data-{key}" in element.attrib
            }
            name, address = "".join(element.itertext()), element.get("href", "")
            link = etree.Element("a", {"href": address})
            link.text = name
            if kind == "pdf":
                player = etree.Element("object", {"class": "embed-pdf", "data": address, "type": "application/pdf"})
                player.set("aria-label", name)
            else:
                player = etree.Element(kind, {"src": address, "controls": "controls", "preload": "metadata"})
                player.set("aria-label", name)
            player.attrib.update(size)
            player.append(link)
            serialize: Any = self.md.serializer
            html = serialize(player)
            element.tag = "span"
            element.attrib.clear()
            element.set("class", f"embed-{kind}-box")
            for child in list(element):
                element.remove(child)
            element.text = AtomicString(self.keep(html))
