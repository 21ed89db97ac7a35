"""Code beside the paragraphs that explain it, on screens that have room for both."""

from __future__ import annotations

import html
import re

__all__ = ["pair"]

_BLOCK = re.compile(
    r'(?P<code><div class="[^"]*\bhighlight"><span class="filename">.*?</pre></div>)\n(?P<text>(?:<p>.*?</p>\n)+)', re.S
)
_PARAGRAPH = re.compile(r"<p>.*?</p>\n", re.S)
# Letters of a line that fit beside text on screens of about 1,900 and 2,400 pixels. Other code stands above its text,
# where nothing is cut.
_FITS, _WIDEST = 94, 118
_SHORTEST = 8  # lines
_LEAST = 160  # letters of text that are worth a column


def pair(page: str, section: str) -> str:
    """Put each block of code and the paragraphs right below it into one `div.beside`.

    Code of long lines makes it `.beside-wide`.

    Left as they are: code that is too wide or too short, text that is too short or has notes in the margin, and a
    paragraph that ends with a colon, for it speaks of what comes next.

    Args:
        page: a page's HTML.
        section: the id of the heading whose section is meant.
    """
    start = page.find(f'<h2 id="{section}"')
    if start < 0:
        return page
    end = page.find("<h2 ", start + 1)
    end = end if end >= 0 else len(page)
    return page[:start] + _BLOCK.sub(_paired, page[start:end]) + page[end:]


def _paired(block: re.Match[str]) -> str:
    code, text, after = block["code"], block["text"], ""
    lines = _plain(code[code.find("<code>") :]).split("\n")
    paragraphs = _PARAGRAPH.findall(text)
    if paragraphs[-1].rstrip().endswith(":</p>"):
        after = paragraphs.pop()
    text = "".join(paragraphs)
    width = max(map(len, lines))
    fits = len(lines) >= _SHORTEST and width <= _WIDEST
    if not fits or len(_plain(re.sub(r"<math.*?</math>", "", text))) < _LEAST or 'class="sidenote"' in text:
        return block[0]
    wide = " beside-wide" if width > _FITS else ""
    return f'<div class="beside{wide}">{code}\n<div class="beside-text">\n{text}</div></div>\n{after}'


def _plain(source: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", source))
