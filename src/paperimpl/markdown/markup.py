"""HTML that a formula makes, let into a page: a few harmless elements, and nothing that runs or asks another host."""

from __future__ import annotations

import re
import xml.etree.ElementTree as etree
from html.parser import HTMLParser

from markdown.util import AtomicString

__all__ = ["add_text", "elements"]

_TAGS = frozenset(
    {
        "a",
        "abbr",
        "b",
        "bdi",
        "br",
        "code",
        "dd",
        "del",
        "div",
        "dl",
        "dt",
        "em",
        "hr",
        "i",
        "ins",
        "kbd",
        "li",
        "mark",
        "meter",
        "ol",
        "p",
        "pre",
        "progress",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "time",
        "tr",
        "u",
        "ul",
        "var",
    }
)
_VOID = frozenset({"br", "hr"})
_SKIPPED = frozenset(
    {"script", "style", "template", "iframe", "object", "svg", "math", "noscript", "textarea", "title"}
)
_ATTRIBUTES = frozenset(
    {"class", "title", "value", "max", "min", "low", "high", "optimum", "colspan", "rowspan", "datetime"}
)
_DEEPEST = 30
_STYLE = re.compile(r"(?:[\w\s:;#%.,()+*/-]|!important)*")


def elements(html: str) -> etree.Element:
    """Parse HTML into a span that holds what is harmless of it."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    return parser.root


def add_text(parent: etree.Element, text: str) -> None:
    """Put text at the end of an element; nothing in it is markup."""
    if len(parent):
        parent[-1].tail = AtomicString((parent[-1].tail or "") + text)
    else:
        parent.text = AtomicString((parent.text or "") + text)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = etree.Element("span", {"class": "base-html"})
        self.open = [self.root]
        self.skipped: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED:
            self.skipped.append(tag)
        if self.skipped or tag not in _TAGS or len(self.open) > _DEEPEST:
            return
        element = etree.SubElement(self.open[-1], tag)
        for name, value in attrs:
            value = value or ""
            address = name == "href" and tag == "a" and re.match(r"(?:https?|mailto):", value)
            styled = name == "style" and _STYLE.fullmatch(value) and "url" not in value.lower()
            if name in _ATTRIBUTES or address or styled:
                element.set(name, value)
        if tag == "a":
            element.set("data-vault", "")
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if self.skipped:
            if tag in self.skipped:
                while self.skipped.pop() != tag:
                    pass
            return
        at = next((at for at in range(len(self.open) - 1, 0, -1) if self.open[at].tag == tag), 0)
        if at:
            del self.open[at:]

    def handle_data(self, data: str) -> None:
        if not self.skipped:
            add_text(self.open[-1], data)
