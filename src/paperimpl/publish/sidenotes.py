"""Footnotes beside the line that cites them, where the screen has room.

Each footnote's text stands twice in the page: in the list at its end, and right behind its mark. A style sheet shows
one of the two, and hides the other from everybody, so that nobody hears it twice.
"""

from __future__ import annotations

import re

__all__ = ["beside"]

_NOTES = re.compile(r'<div class="footnote">\s*<hr ?/?>\s*<ol>(?P<list>.*)</ol>\s*</div>\n?', re.S)
_NOTE = re.compile(r'<li id="(?P<id>fn:[^"]+)">(?P<text>.*?)</li>', re.S)
_MARK = re.compile(
    r'<sup id="fnref:[^"]+"><a class="footnote-ref" href="#(?P<to>fn:[^"]+)">(?P<number>[^<]*)</a></sup>'
)
_BACK = re.compile(r'(?:&#160;|\s)*<a class="footnote-backref".*?</a>', re.S)
_TAG = re.compile(r"<(/?)(details|table|blockquote|h[1-6]|figure|div)\b([^>]*)>")
_BLOCK = re.compile(r"<(?:ul|ol|pre|div|table|blockquote|h[1-6]|details|figure)\b")


def beside(html: str, before: str = "") -> str:
    """Put the text of each footnote behind its first mark, and the list of footnotes before the page's appendix.

    Notes of more than plain paragraphs, and marks in callouts, tables and headings, stay as they are: there is no
    margin beside them.

    Args:
        html: a page's text, as Markdown made it.
        before: the HTML with which the appendix begins; the list stays where it is, if the page has none.

    Returns:
        The page: `<span class="sidenote">` behind marks, `class="in-margin"` on the notes that have one.
    """
    notes = _NOTES.search(html)
    if notes is None:
        return html
    texts = {note["id"]: _BACK.sub("", note["text"]).strip() for note in _NOTE.finditer(notes["list"])}
    text = html[: notes.start()] + html[notes.end() :]
    placed: set[str] = set()

    def marked(mark: re.Match[str]) -> str:
        said = texts.get(mark["to"], "")
        if not said or mark["to"] in placed or _BLOCK.search(said) or _boxed(text, mark.start()):
            return mark[0]
        placed.add(mark["to"])
        said = re.sub(r' id="[^"]*"', "", said)
        said = re.sub(r"<p\b[^>]*>", '<span class="sidenote-part">', said).replace("</p>", "</span>")
        number = f'<span class="sidenote-number">{mark["number"]}</span>'
        return f'{mark[0]}<span class="sidenote" role="note" data-search-exclude>{number}{said}</span>'

    text = _MARK.sub(marked, text)
    listed = _NOTE.sub(
        lambda note: note[0].replace("<li ", '<li class="in-margin" ', 1) if note["id"] in placed else note[0], notes[0]
    )
    at = text.find(before) if before else -1
    at = at if at >= 0 else len(text) - (len(html) - notes.end())
    return text[:at] + listed + text[at:]


def _boxed(html: str, end: int) -> bool:
    """Say whether a place is inside a callout, a table, a heading or a figure."""
    stack: list[bool] = []
    for tag in _TAG.finditer(html, 0, end):
        closing, name, attributes = tag.groups()
        if not closing:
            stack.append(name != "div" or "admonition" in attributes or "embed" in attributes)
        elif stack:
            stack.pop()
    return any(stack)
