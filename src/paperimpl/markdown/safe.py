"""What keeps a page whole whatever a note holds: HTML that is let through, and patterns that cannot hang.

`safe` neutralises what a note writes, not what we add: our own HTML (formulas, figures, code, boxes) is kept aside
under names that no note can guess, while nh3 cleans the rest of the page as one document.
"""

from __future__ import annotations

import re
import secrets
import xml.etree.ElementTree as etree
from typing import Any

from markdown import Markdown
from markdown.postprocessors import Postprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

from paperimpl.vault import scan

__all__ = ["Kept", "Pieces", "clean", "guard"]

# Longer stretches of text are given to the inline patterns piece by piece: their cost is not linear.
LONGEST = 8_000

_TAGS = {"details", "summary", "section", "figure", "figcaption", "mark", "del", "s", "u", "small", "nav"}
_EVERYWHERE = {
    "class",
    "id",
    "title",
    "lang",
    "dir",
    "role",
    "tabindex",
    "aria-label",
    "data-callout",
    "data-task",
    "data-label",
}
_OF = {
    "a": {"href"},
    "img": {"src", "alt", "width", "height", "loading"},
    "details": {"open"},
    "ol": {"start"},
    "td": {"style", "colspan", "rowspan"},
    "th": {"style", "colspan", "rowspan"},
    "div": {"data-embed"},
}
_SCHEMES = {"http", "https", "mailto", "tel"}


class Kept:
    """HTML of our own, out of the sanitizer's reach."""

    def __init__(self) -> None:
        self._name = f"kept{secrets.token_hex(8)}n"
        self._html: list[str] = []
        self._block = re.compile(r"<(?:div|figure|pre|table|object|audio|video|iframe|p)\b")

    def keep(self, html: str) -> str:
        """Put HTML aside and return what stands for it."""
        self._html.append(html)
        return f"{self._name}{len(self._html) - 1}n"

    def restore(self, text: str) -> str:
        """Put it back."""

        def put(match: re.Match[str]) -> str:
            at = int(match[1] or match[2])
            html = self._html[at] if at < len(self._html) else ""
            return html if match[2] or self._block.match(html) else f"<p>{html}</p>"

        return re.sub(rf"<p>{self._name}(\d+)n</p>|{self._name}(\d+)n", put, text)


class Clean(Postprocessor):
    """What is left of the page's HTML when scripts, handlers, frames, forms and styles are out."""

    def run(self, text: str) -> str:
        return clean(text)


class Restore(Postprocessor):
    """Our own HTML, back in its place."""

    def __init__(self, md: Markdown, kept: Kept):
        super().__init__(md)
        self.kept = kept

    def run(self, text: str) -> str:
        return self.kept.restore(text)


def clean(html: str) -> str:
    """Neutralise HTML: no scripts, event handlers, frames, forms, styles, nor addresses that run or hold a page.

    Raises:
        ImportError: nh3 is not installed.
    """
    import nh3

    return nh3.clean(
        html,
        tags=nh3.ALLOWED_TAGS | _TAGS,
        attributes={"*": _EVERYWHERE, **_OF},
        url_schemes=_SCHEMES,
        filter_style_properties={"text-align"},
        link_rel=None,
    )


class Pieces(Treeprocessor):
    """Cut very long texts into pieces that are marked up each by itself, between words, outside code and brackets."""

    def run(self, root: etree.Element) -> None:
        for element in list(root.iter()):
            text = element.text
            if text is None or len(text) <= LONGEST or isinstance(text, AtomicString):
                continue
            element.text = None
            for position, piece in enumerate(_pieces(text)):
                part = etree.Element("span")
                part.text = piece
                element.insert(position, part)


def _pieces(text: str) -> list[str]:
    masked = scan.mask(text)
    found, start = [], 0
    while len(text) - start > LONGEST:
        cut = _cut(text, masked, start + LONGEST // 2, start + LONGEST)
        found.append(text[start:cut])
        start = cut
    return [*found, text[start:]]


def _cut(text: str, masked: str, first: int, end: int) -> int:
    """Find the last space before `end` that stands in no code, formula or bracket; `end` where there is none."""
    depth = 0
    for at in range(end - 1, first, -1):
        depth += {"]": 1, "[": -1}.get(masked[at], 0)
        if text[at] in " \n" and depth <= 0 and masked[at - 1] == text[at - 1] and masked[at + 1] == text[at + 1]:
            return at + 1
    return end


_SPACE = re.compile(r"\s")
_ANGLED = re.compile(r"\(\s*<[^<>]*>")


def guard(md: Markdown) -> None:
    """Make the links' patterns linear: brackets are matched once a text, addresses end where the next link begins.

    An address with a space in it is none, as in CommonMark and Obsidian, unless it stands in `<>`.
    """
    matched: dict[str, Any] = {"text": None, "pairs": {}}

    def text_of(data: str, index: int) -> tuple[str, int, bool]:
        if matched["text"] is not data:
            matched["text"], matched["pairs"] = data, scan.brackets(data)
        end = matched["pairs"].get(index - 1)
        return (data[index:end], end + 1, True) if end is not None else ("", index, False)

    for name in ("reference", "link", "image_link", "image_reference", "short_reference", "short_image_ref"):
        if name not in md.inlinePatterns:
            continue
        pattern: Any = md.inlinePatterns[name]
        pattern.getText = text_of
        if name in ("link", "image_link"):
            pattern.getLink = _near(pattern.getLink)


def _near(get_link: Any) -> Any:
    def near(data: str, index: int) -> Any:
        if data[index : index + 1] != "(":
            return "", None, index, False
        another = data.find("](", index)  # no address holds the next link's; it would be read again and again
        text = data[:another] if another >= 0 else data
        href, title, end, found = get_link(text, index)
        if found and _SPACE.search(href) and not _ANGLED.match(text, index):
            return "", None, index, False
        return href, title, end, found

    return near
