"""The blocks of a note by CommonMark's rules, with what Obsidian adds: formulas, footnotes, callouts' titles, tables.

Python-Markdown's own block parser wants four spaces for a nested list and a blank line before nearly everything, and
some of its patterns are quadratic. This one reads each line once. Containers (quotes, list items) lie on a stack;
what a line does not continue is closed; the text that is left belongs to a leaf. Raw text goes into the tree as it
is written; inline marks are the later steps' business.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as etree
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from markdown.util import AtomicString, code_escape

from paperimpl.vault import scan

if TYPE_CHECKING:
    from markdown import Markdown

__all__ = ["DEEPEST", "Blocks", "cells"]

# Containers within containers; deeper ones lose their marks and keep their text. Serialization is recursive.
DEEPEST = 100

_QUOTE = re.compile(r" {0,3}> ?")
_ITEM = re.compile(r"(?P<indent> {0,3})(?P<mark>[-+*]|(?P<number>\d{1,9})(?P<after>[.)]))(?P<space> +|$)")
_BREAK = re.compile(r" {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$")
_HEADING = re.compile(r" {0,3}(?P<level>#{1,6}) (?P<text>.*)$")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+) *$")
_FENCE = re.compile(r"(?P<indent> {0,3})(?P<fence>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)$")
_FOOTNOTE = re.compile(r" {0,3}\[\^(?P<id>[^\[\]\s]+)\]: *(?P<text>.*)$")
_REFERENCE = re.compile(
    r" {0,3}\[(?P<id>(?!\^)[^\[\]]+)\]: *(?P<href><[^<>]*>|[^\s<]\S*)(?: +(?P<title>\"[^\"]*\"|'[^']*'|\([^()]*\)))? *$"
)
_RULE = re.compile(r" {0,3}\|? *:?-+:? *(?:\| *:?-+:? *)*\|? *$")
_MARKER = re.compile(r" {0,3}\^[A-Za-z0-9-]+ *$")
_CALLOUT = re.compile(r"\[![^\[\]\n]+\]")
_BLOCKS = (
    "address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|"
    "fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|"
    "menuitem|nav|noframes|object|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|"
    "title|tr|track|ul|audio|video|canvas|svg"
)
# What opens raw HTML, what ends it (None: a blank line), and whether it may stand right below a paragraph.
_HTML = [
    (
        re.compile(r" {0,3}<(script|pre|style|textarea)(?=[\s>]|$)", re.I),
        re.compile(r"</(?:script|pre|style|textarea)>", re.I),
    ),
    (re.compile(r" {0,3}<\?"), re.compile(r"\?>")),
    (re.compile(r" {0,3}<![A-Za-z]"), re.compile(r">")),
    (re.compile(r" {0,3}<!\[CDATA\["), re.compile(r"\]\]>")),
    (re.compile(rf" {{0,3}}</?(?:{_BLOCKS})(?=[\s/>]|$)", re.I), None),
]
_TAG = re.compile(
    r" {0,3}(?:<[A-Za-z][A-Za-z0-9-]*(?:\s+[A-Za-z_:][\w.:-]*(?:\s*=\s*(?:[^\s\"'=<>`]+|'[^']*'|\"[^\"]*\"))?)*\s*/?>"
    r"|</[A-Za-z][A-Za-z0-9-]*\s*>) *$"
)
_OPTION = re.compile(r"([\w-]+)=(\"[^\"]*\"|'[^']*'|\S+)")


@dataclass
class _List:
    """A list: its element, its mark, and whether blank lines stand between what is in it."""

    element: etree.Element
    mark: str
    loose: bool = False


@dataclass
class _Box:
    """An open container: the element that takes its blocks, and what lines must have to be in it."""

    element: etree.Element
    indent: int = 0  # of a list item's text; 0 for the root and for quotes
    quotes: int = 0  # how many quotes it is in, itself included
    list: _List | None = None  # the list whose item it is
    last: _List | None = None  # the list that its next item would go on with
    is_quote: bool = False


@dataclass
class _Leaf:
    """What takes the lines of text: a paragraph, fence, formula, raw HTML, indented code, table or footnote."""

    kind: str
    box: _Box
    lines: list[str] = field(default_factory=list)
    mark: str = ""
    indent: int = 0
    info: str = ""
    end: re.Pattern[str] | None = None
    open_math: bool = False  # a paragraph within `$$`, which no `$$` at a line's start can open again


class Blocks:
    """Parse lines into a tree, in place of `md.parser.parseDocument` and `parseChunk`.

    Args:
        md: the engine; footnotes, references and stashed HTML are its.
        fence: renders a fenced block, given its text, language and options, to HTML that is stashed.
    """

    def __init__(self, md: Markdown, fence: Callable[[str, str, dict[str, str]], str]):
        self.md = md
        self.fence = fence
        self._inline_notes = 0
        self.all_known = False

    def install(self) -> None:
        """Take the place of Python-Markdown's parser, also for extensions that hold on to it."""
        parser: Any = self.md.parser
        parser.parseDocument = self.document
        parser.parseChunk = self.chunk

    def document(self, lines: list[str]) -> etree.ElementTree:
        """Parse a whole document."""
        root = etree.Element(self.md.doc_tag)
        for extension in self.md.registeredExtensions:
            if hasattr(extension, "unique_ref"):
                extension.unique_ref = partial(_reference, extension)
        self._inline_notes = 0
        self.parse(root, lines)
        for notes in self._footnotes():
            done = 0
            while done < len(notes):  # footnotes within footnotes
                name = list(notes)[done]
                notes[name] = self.with_inline_notes(notes[name])
                done += 1
        return etree.ElementTree(root)

    def chunk(self, parent: etree.Element, text: str) -> None:
        """Parse a footnote; none begins in it, for all are known by now."""
        self.all_known = True
        try:
            self.parse(parent, text.split("\n"))
        finally:
            self.all_known = False
        if not len(parent) or isinstance(parent[-1].text, AtomicString):  # what is stashed is a block, no paragraph
            etree.SubElement(parent, "p").text = ""  # the way back needs a place

    def parse(self, root: etree.Element, lines: list[str]) -> None:
        """Parse lines into the children of an element."""
        _Pass(self, root, lines).run()

    def footnote(self, name: str, text: str) -> None:
        """Keep a footnote's text; the first of a name counts."""
        for notes in self._footnotes():
            notes.setdefault(name, text)

    def _footnotes(self) -> Iterator[dict[str, str]]:
        for extension in self.md.registeredExtensions:
            notes = getattr(extension, "footnotes", None)
            if isinstance(notes, dict):
                yield notes

    def with_inline_notes(self, text: str) -> str:
        """Turn `^[text]` into a reference to a footnote of its own."""
        if "^[" not in text or self.all_known:
            return text
        masked = scan.mask(text)
        closing = scan.brackets(masked)
        out, last = [], 0
        for match in re.finditer(r"\^\[", masked):
            start, end = match.start(), closing.get(match.start() + 1, -1)
            if start < last or end < 0 or not text[start + 2 : end].strip():
                continue
            self._inline_notes += 1
            name = f"inline-{self._inline_notes}"
            self.footnote(name, text[start + 2 : end].strip())
            out += [text[last:start], f"[^{name}]"]
            last = end + 1
        return "".join([*out, text[last:]])


class _Pass:
    """One pass over lines."""

    def __init__(self, blocks: Blocks, root: etree.Element, lines: list[str]):
        self.blocks = blocks
        self.lines = lines
        self.stack = [_Box(root)]
        self.leaf: _Leaf | None = None
        self.blank = -1  # the quotes that the line before, blank, stood in; -1 where it was not blank
        self.lists: list[_List] = []
        self.last_dollars = max((n for n, line in enumerate(lines) if "$$" in line), default=-1)
        self.last_comment = max((n for n, line in enumerate(lines) if "-->" in line), default=-1)
        self.number = 0
        self.raw = ""  # the line as it is written, its tabs not yet spaces

    def run(self) -> None:
        for number, line in enumerate(self.lines):
            self.number = number
            self.raw = line
            self._line(line.expandtabs(4) if "\t" in line else line)
        self._close_leaf()
        for each in self.lists:
            if not each.loose:
                for item in each.element:
                    _tighten(item)

    # Lines

    def _line(self, line: str) -> None:
        at, matched, quotes = 0, 1, 0
        while matched < len(self.stack):
            box = self.stack[matched]
            if box.is_quote:
                mark = _QUOTE.match(line, at)
                if not mark:
                    break
                at = mark.end()
                quotes += 1
            elif not line[at:].strip():
                if not len(box.element) and self.leaf is None:
                    break  # an item may begin with one blank line, not more
            elif _indent(line, at) >= box.indent:
                at += box.indent
            else:
                break
            matched += 1
        whole = matched == len(self.stack)
        blank = not line[at:].strip()
        leaf = self.leaf
        if leaf is not None and whole and self._takes(leaf, line, at):
            self.blank = -1
            return
        if leaf is not None and not whole and leaf.kind not in ("p", "note"):
            self._close_leaf()
            leaf = None
        if blank:
            self._blank(matched, quotes)
            return
        if leaf is not None and leaf.kind == "note" and whole and self._in_note(line, at):
            leaf.lines.append(line[at + min(_indent(line, at), 4) :])
            self.blank = -1
            return
        self._open(line, at, matched, quotes)

    def _in_note(self, line: str, at: int) -> bool:
        """Say whether a line goes on with a footnote: it is indented, or right below it and no block of its own."""
        return _indent(line, at) >= 2 or (self.blank < 0 and not self._opens(line, at))

    def _blank(self, matched: int, quotes: int) -> None:
        if self.leaf is not None and self.leaf.kind == "note":
            self.leaf.lines.append("")
        elif self.leaf is not None:
            self._close_leaf()
        if any(box.is_quote for box in self.stack[matched:]):  # a blank line ends a quote
            first = next(n for n in range(matched, len(self.stack)) if self.stack[n].is_quote)
            self._close_to(first)
        elif matched < len(self.stack) and self.stack[matched].list and not len(self.stack[matched].element):
            self._close_to(matched)
        self.blank = quotes

    def _takes(self, leaf: _Leaf, line: str, at: int) -> bool:
        """Give a line to a leaf that takes lines as they are."""
        text = line[at:]
        if leaf.kind == "fence":
            bare = text.strip()
            if bare.startswith(leaf.mark) and not bare.strip(leaf.mark[0]) and _indent(line, at) < 4:
                self._close_leaf()
            else:
                leaf.lines.append(self._written(line, at + min(leaf.indent, _indent(line, at))))
            return True
        if leaf.kind == "math":
            head, mark, rest = text.partition(leaf.mark)
            if head.strip() or not leaf.lines or mark:  # KaTeX takes a blank line for an error
                leaf.lines.append(head)
            if mark:
                leaf.info = "closed"
                self._close_leaf()
                if rest.strip():
                    self._open(rest, 0, len(self.stack), self.stack[-1].quotes)
            return True
        if leaf.kind == "comment":
            _, mark, rest = text.partition("-->")
            leaf.lines.append(text)
            if mark:
                self.leaf = None
                if rest.strip():
                    self._open(rest.lstrip(), 0, len(self.stack), self.stack[-1].quotes)
            return True
        if leaf.kind == "html":
            if leaf.end is None and not text.strip():
                return False
            leaf.lines.append(self._written(line, at))
            if leaf.end is not None and leaf.end.search(text):
                self._close_leaf()
            return True
        if leaf.kind == "code":
            if not text.strip():
                leaf.lines.append(text[4:])
                return True
            if _indent(line, at) >= 4:
                leaf.lines.append(self._written(line, at + 4))
                return True
            self._close_leaf()
        return False

    def _written(self, line: str, at: int) -> str:
        """Give the rest of a line with its tabs, for in code they count; half a tab is spaces."""
        if "\t" not in self.raw or line != self.raw.expandtabs(4):
            return line[at:]
        column = 0
        for place, letter in enumerate(self.raw):
            if column >= at:
                return " " * (column - at) + self.raw[place:]
            column += 4 - column % 4 if letter == "\t" else 1
        return " " * (column - at)

    def _open(self, line: str, at: int, matched: int, quotes: int) -> None:
        """Open the containers and the leaf that begin on a line, or go on with a paragraph."""
        new = False  # whether this line opened a container
        while True:
            leaf = self.leaf
            here = leaf is not None and matched == len(self.stack) and not new
            paragraph = here and leaf is not None and leaf.kind == "p" and not self._is_title(leaf)
            indent = _indent(line, at)
            if indent >= 4:
                break
            deep = len(self.stack) > DEEPEST
            if quote := _QUOTE.match(line, at):
                at = quote.end()
                if deep:
                    continue
                self._close_to(matched)
                quotes += 1
                self._add_box(_Box(etree.Element("blockquote"), quotes=quotes, is_quote=True))
                matched, new = len(self.stack), True
                if not line[at:].strip():
                    self.blank = quotes
                    return
                continue
            item = _ITEM.match(line, at)
            if item and not deep and not _BREAK.match(line[at:]) and self._may_begin(item, line, paragraph):
                at, matched, new = self._item(item, line, matched, quotes)
                if at < 0:
                    return
                continue
            break
        self._leaf(line, at, matched, paragraph)

    def _may_begin(self, item: re.Match[str], line: str, paragraph: bool) -> bool:
        """Say whether a list may begin in the middle of a paragraph."""
        return not paragraph or (bool(line[item.end() :].strip()) and item["number"] in (None, "1"))

    def _item(self, item: re.Match[str], line: str, matched: int, quotes: int) -> tuple[int, int, bool]:
        self._close_to(matched)
        parent = self.stack[-1]
        mark = item["after"] or item["mark"]
        text = line[item.end() :]
        spaces = len(item["space"])
        if not text:
            spaces = 1
        width = len(item["indent"]) + len(item["mark"]) + (spaces if spaces <= 4 else 1)
        into = parent.last
        if into is None or into.mark != mark or not len(parent.element) or parent.element[-1] is not into.element:
            element = etree.Element("ol" if item["number"] else "ul")
            if item["number"] and int(item["number"]) != 1:
                element.set("start", str(int(item["number"])))
            self._add(parent, element)
            into = _List(element, mark)
            self.lists.append(into)
            parent.last = into
        elif self.blank >= 0 and self.blank <= parent.quotes:
            into.loose = True
        self.blank = -1
        li = etree.SubElement(into.element, "li")
        self.stack.append(_Box(li, indent=width, quotes=parent.quotes, list=into))
        at = item.start() + width
        if not text.strip():
            return -1, len(self.stack), True
        return at, len(self.stack), True

    def _leaf(self, line: str, at: int, matched: int, paragraph: bool) -> None:
        text = line[at:]
        leaf = self.leaf
        whole = leaf is not None and leaf.box is self.stack[-1] and matched == len(self.stack)
        if (
            leaf is not None
            and leaf.kind == "table"
            and whole
            and not self._opens(line, at)
            and not _MARKER.match(text)
        ):
            leaf.lines.append(text)
            return
        if leaf is not None and leaf.kind == "p":
            if whole:
                if self._is_title(leaf):
                    self._close_leaf()
                elif self._goes_on(leaf, line, at):
                    return
            elif not self._opens(line, at) or _indent(line, at) >= 4:  # lazily
                if self._is_title(leaf):
                    box = leaf.box
                    self._close_leaf()
                    self.leaf = leaf = _Leaf("p", box)
                leaf.lines.append(text.lstrip())
                return
        self._close_leaf()
        self._close_to(matched)
        box = self.stack[-1]
        if _indent(line, at) >= 4:
            self.leaf = self._new("code", box, lines=[self._written(line, at + 4)])
        elif heading := _HEADING.match(text):
            self._heading(box, len(heading["level"]), _without_closing(heading["text"].strip()))
        elif fence := _FENCE.match(text):
            self.leaf = self._new(
                "fence", box, mark=fence["fence"], indent=len(fence["indent"]), info=fence["info"].strip()
            )
        elif _BREAK.match(text):
            self._add(box, etree.Element("hr"))
        elif self._begins_math(text):
            self._math(box, text)
        elif self._comment(text):
            self.leaf = self._new("comment", box)
            self._takes(self.leaf, text, 0)
        elif html := self._html(text):
            self.leaf = self._new("html", box, end=html[0])
            self._takes(self.leaf, line, at)
        elif not self.blocks.all_known and (note := _FOOTNOTE.match(text)):
            self.leaf = self._new("note", box, info=note["id"], lines=[note["text"]])
        elif reference := _REFERENCE.match(text):
            title = (reference["title"] or "")[1:-1] or None
            href = reference["href"].removeprefix("<").removesuffix(">")
            references: dict[str, tuple[str, str | None]] = self.blocks.md.references  # type: ignore[assignment]
            references.setdefault(reference["id"].lower(), (href, title))
            self.blank = -1
        else:
            self.leaf = self._new("p", box, lines=[text.lstrip()])
            self.leaf.open_math = text.count("$$") % 2 == 1

    def _goes_on(self, leaf: _Leaf, line: str, at: int) -> bool:
        """Give a line to the paragraph above it, unless it begins something else."""
        text = line[at:]
        if _UNDERLINE.match(text):
            level = 1 if "=" in text else 2
            self.leaf = None
            self._heading(leaf.box, level, "\n".join(leaf.lines).strip())
            return True
        if "|" in text and _RULE.match(text) and len(cells(leaf.lines[-1])) == len(cells(text)):
            head = leaf.lines.pop()
            if leaf.lines:
                self._close_leaf()
            self.leaf = self._new("table", leaf.box, lines=[head, text])
            return True
        if leaf.open_math or _indent(line, at) >= 4 or not self._opens(line, at):
            leaf.lines.append(text.lstrip())
            if text.count("$$") % 2:
                leaf.open_math = not leaf.open_math
            return True
        return False

    def _opens(self, line: str, at: int) -> bool:
        """Say whether a line begins a block that may stand right below a paragraph."""
        text = line[at:]
        if _indent(line, at) >= 4:
            return False
        item = _ITEM.match(text)
        return bool(
            _HEADING.match(text)
            or _FENCE.match(text)
            or _BREAK.match(text)
            or _QUOTE.match(text)
            or (item and text[item.end() :].strip() and item["number"] in (None, "1"))
            or self._begins_math(text)
            or self._comment(text)
            or any(opening.match(text) for opening, _ in _HTML)
            or (not self.blocks.all_known and _FOOTNOTE.match(text))
        )

    def _is_title(self, leaf: _Leaf) -> bool:
        """Say whether a paragraph is a callout's title; the title is one line."""
        return (
            leaf.box.is_quote
            and leaf.kind == "p"
            and len(leaf.lines) == 1
            and not len(leaf.box.element)
            and bool(_CALLOUT.match(leaf.lines[0]))
        )

    # Formulas, HTML

    def _begins_math(self, text: str) -> bool:
        bare = text.lstrip(" ")
        if bare.startswith("$$"):
            end = bare.find("$$", 2)
            return not bare[end + 2 :].strip() if end >= 0 else self.last_dollars > self.number
        return False

    def _math(self, box: _Box, text: str) -> None:
        self.leaf = self._new("math", box, mark="$$")
        self._takes(self.leaf, text.lstrip(" ")[2:], 0)

    def _comment(self, text: str) -> bool:
        start = text.find("<!--")
        return (
            0 <= start <= 3 and not text[:start].strip() and (self.last_comment > self.number or "-->" in text[start:])
        )

    def _html(self, text: str) -> tuple[re.Pattern[str] | None] | None:
        if "<" not in text[:4]:
            return None
        for opening, end in _HTML:
            if opening.match(text):
                return (end,)
        if len(text) < 1000 and _TAG.match(text):
            return (None,)
        return None

    # The tree

    def _add(self, box: _Box, element: etree.Element) -> None:
        """Put a block into a container, and see whether a blank line stands before it."""
        if box.list and len(box.element) and 0 <= self.blank <= box.quotes:
            box.list.loose = True
        self.blank = -1
        box.element.append(element)

    def _heading(self, box: _Box, level: int, text: str) -> None:
        self._add(box, _element(f"h{level}", self.blocks.with_inline_notes(text)))

    def _add_box(self, box: _Box) -> None:
        self._add(self.stack[-1], box.element)
        self.stack.append(box)

    def _new(self, kind: str, box: _Box, **more: Any) -> _Leaf:
        if box.list and len(box.element) and 0 <= self.blank <= box.quotes:
            box.list.loose = True
        self.blank = -1
        return _Leaf(kind, box, **more)

    def _close_to(self, count: int) -> None:
        if len(self.stack) > count:
            self._close_leaf()
            del self.stack[count:]
        elif self.leaf is not None and self.leaf.kind in ("p", "note", "table"):
            self._close_leaf()

    def _close_leaf(self) -> None:
        leaf, self.leaf = self.leaf, None
        if leaf is None:
            return
        text = "\n".join(leaf.lines)
        append = leaf.box.element.append
        if leaf.kind == "p":
            append(_element("p", self.blocks.with_inline_notes(text.rstrip())))
        elif leaf.kind == "fence":
            language, options = _info(leaf.info)
            append(_element("p", AtomicString(self.blocks.fence(text, language, options))))
        elif leaf.kind == "code":
            pre = etree.Element("pre")
            code = etree.SubElement(pre, "code")
            code.text = AtomicString(f"{code_escape(text.rstrip())}\n")
            append(pre)
        elif leaf.kind == "math" and leaf.info == "closed":
            formula = _element("div", AtomicString(f"\\[{text}\\]"))
            formula.set("class", "arithmatex")
            append(formula)
        elif leaf.kind == "math":  # it never closes: text
            append(_element("p", f"$${text}".rstrip()))
        elif leaf.kind == "comment":  # its container ended before it did
            append(_element("p", text.rstrip()))
        elif leaf.kind == "html":
            append(_element("p", AtomicString(self.blocks.md.htmlStash.store(text.strip()))))
        elif leaf.kind == "table":
            append(_table([cells(row) for row in leaf.lines], self.blocks.with_inline_notes))
        elif leaf.kind == "note":
            self.blocks.footnote(leaf.info, text.rstrip())


def _reference(footnotes: Any, name: str, found: bool = False) -> str:
    """Number a footnote's references as Python-Markdown does, without counting them anew for each."""
    if not found:
        return name
    count = footnotes.found_refs[name] = footnotes.found_refs.get(name, 0) + 1
    return name if count == 1 else name.replace("fnref", f"fnref{count}", 1)


def _indent(line: str, at: int = 0) -> int:
    end = at
    while end < len(line) and line[end] == " ":
        end += 1
    return end - at


def _without_closing(heading: str) -> str:
    """Take the hashes off a heading's end."""
    bare = heading.rstrip("#")
    return bare.rstrip() if bare != heading and (not bare or bare[-1] == " ") else heading


def _element(tag: str, text: str) -> etree.Element:
    element = etree.Element(tag)
    element.text = text
    return element


def _tighten(item: etree.Element) -> None:
    """Take an item's first paragraph out of its `p`."""
    if len(item) and item[0].tag == "p":
        first = item[0]
        item.remove(first)
        item.text = first.text
        for position, child in enumerate(first):
            item.insert(position, child)


def cells(row: str) -> list[str]:
    r"""Split a table's row at its bars, but not within code, and not at `\|`."""
    row = row.strip()
    if row.startswith("|"):
        row = row[1:]
    if row.endswith("|") and not row.endswith("\\|"):
        row = row[:-1]
    found, start, at = [], 0, 0
    ticks: dict[str, int] = {}
    for match in re.finditer(r"\\.|`+|\|", row):
        if match.start() < at:
            continue
        if match[0][0] == "`":
            mark = match[0]
            if ticks.get(mark, 0) >= 0:  # -1: no more of them
                close = re.compile(rf"(?<!`){mark}(?!`)").search(row, match.end())
                ticks[mark] = close.start() if close else -1
                if close:
                    at = close.end()
        elif match[0] == "|":
            found.append(row[start : match.start()])
            start = match.end()
    found.append(row[start:])
    return [cell.strip().replace("\\|", "|") for cell in found]


def _table(rows: list[list[str]], inline: Callable[[str], str]) -> etree.Element:
    head, rule, *body = rows
    align = [
        {(True, True): "center", (True, False): "left", (False, True): "right"}.get((c[:1] == ":", c[-1:] == ":"))
        for c in rule
    ]
    table = etree.Element("table")
    for tag, group in (("thead", [head]), ("tbody", body)):
        if not group:
            continue
        section = etree.SubElement(table, tag)
        for row in group:
            line = etree.SubElement(section, "tr")
            for n, place in enumerate(align):
                cell = etree.SubElement(line, "th" if tag == "thead" else "td")
                cell.text = inline(row[n]) if n < len(row) else ""
                if place:
                    cell.set("style", f"text-align: {place};")
            if len(row) > len(align):  # nothing is lost
                line[-1].text = " ".join([line[-1].text or "", *row[len(align) :]])
    return table


def _info(info: str) -> tuple[str, dict[str, str]]:
    """Read what stands beside a fence's opening: `python title="x"` or `{.python title="x"}`."""
    if info.startswith("{") and info.endswith("}"):
        info = info[1:-1].strip()
    options = {match[1]: match[2].strip("\"'") for match in _OPTION.finditer(info)}
    words = _OPTION.sub("", info).split()
    language = words[0].lstrip(".") if words else ""
    return (language if re.fullmatch(r"[\w+#.-]+", language) else ""), options
