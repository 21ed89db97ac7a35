r"""Equations and the lines of code that compute them, tied to each other on a page.

A note says `\tag{9}`, a comment in its code says `eq. 9`; a test holds that each of the second has one of the first.
Here the two become links to each other, by what Markdown, KaTeX and Pygments have made of them.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Place", "cited", "tie"]

_NUMBER = r"(?:[A-Z]\.)?\d+[a-z]?"
_CITED = re.compile(rf"\beqs?\.\s+{_NUMBER}(?:\s*(?:,|and|-|to)\s*{_NUMBER}\b)*")
_PART = re.compile(rf"(?:eqs?\.\s+)?({_NUMBER})(?:\s*(?:-|to)\s*(\d+))?")
_DISPLAY = re.compile(r'<div class="math display"[^>]*>.*?</annotation>.*?</div>', re.S)
_TAG = re.compile(r"\\tag\{([^{}]*)\}")
_BLOCK = re.compile(
    r'(?P<before><div class="[^"]*\bhighlight"><span class="filename">(?:<a [^>]*>)?(?P<name>[^<]*)(?:</a>)?</span>'
    r"<pre><span></span><code>)(?P<code>.*?)(?P<after></code></pre>)",
    re.S,
)
_REMARK = re.compile(r'(<span class="(?:c1|cm|sd)">)([^<]*)(</span>)')
_BODY = 6  # lines below a docstring that an equation lights, where the function is that short
_SHOWN = 3  # lines that an equation names


@dataclass(frozen=True)
class Place:
    """A line of a page's code.

    Attributes:
        id: its anchor.
        line: its number in the block, from 1.
        block: what the block shows, as one says it: `LSTMCell`, `lstm.py`.
        model: whether the block is of the paper's model.
    """

    id: str
    line: int
    block: str
    model: bool


def cited(text: str) -> list[tuple[int, int, list[str]]]:
    """Find the equations that a comment names.

    Args:
        text: a comment: `# eqs. 3, 4 and 7-9`.

    Returns:
        Where each mention begins and ends, and the numbers it stands for: one, or all of a range.
    """
    found = []
    for phrase in _CITED.finditer(text):
        for part in _PART.finditer(text, phrase.start(), phrase.end()):
            first, last = part[1], part[2]
            numbers = [first]
            if last and first.isdigit():
                numbers = [str(number) for number in range(int(first), int(last) + 1)]
            found.append((part.start(), part.end(), numbers))
    return found


def tie(page: str, slug: str) -> str:
    r"""Tie the equations of a paper's page to the lines of its code.

    An equation gets the anchor `eq-9` and links to its lines; a line the anchor `code-2-14` (the second block's line
    14), and its mention of the equation becomes a link back. Both bear `data-eq`, by which a script lights one when
    the reader points at the other.

    Args:
        page: the page's HTML.
        slug: the paper's; code of other papers on the page has other papers' equations and is left alone.

    Returns:
        The page. Equations that no line names, and lines that name no equation of the page, stay as they are.
    """
    if not slug:
        return page
    tagged = {number for display in _DISPLAY.finditer(page) for number in _numbers(display[0])}
    places: dict[str, list[Place]] = defaultdict(list)
    ours = re.compile(rf"\b(?:papers|claims|weights)/(?:test_)?{re.escape(slug)}\.py(?:$|:)")
    blocks = 0

    def coded(block: re.Match[str]) -> str:
        nonlocal blocks
        name = html.unescape(block["name"])
        if not ours.search(name):
            return block[0]
        blocks += 1
        said = name.rpartition(":")[2].rpartition("/")[2]
        told = (said, name.startswith("papers/"))
        code = _lines(block["code"], tagged, f"code-{blocks}", told, places)
        return block["before"] + code + block["after"]

    if tagged:
        page = _BLOCK.sub(coded, page)
    if not places:
        return page
    anchored: set[str] = set()
    return _DISPLAY.sub(lambda display: _equation(display[0], places, anchored), page)


def _numbers(display: str) -> list[str]:
    return [html.unescape(number) for number in _TAG.findall(display.partition("</annotation>")[0])]


def _equation(display: str, places: dict[str, list[Place]], anchored: set[str]) -> str:
    """Give an equation its anchors, and the links to its lines."""
    numbers = [number for number in _numbers(display) if number in places and number not in anchored]
    if not numbers:
        return display
    anchored.update(numbers)
    more = "".join(f'<span id="{_id(number)}"></span>' for number in numbers[1:])
    links = "; ".join(_links(number, places[number]) for number in numbers)
    return (
        f'<div class="eq" id="{_id(numbers[0])}" data-eq="{html.escape(" ".join(numbers))}">{more}{display}'
        f'<span class="eq-code" data-search-exclude>{links}</span></div>'
    )


def _links(number: str, places: list[Place]) -> str:
    """Lead from an equation to its lines in the first block that has some, the model's first."""
    first = min(places, key=lambda place: not place.model)
    block = first.id.rpartition("-")[0]
    shown = [place for place in places if place.id.rpartition("-")[0] == block][:_SHOWN]
    out = []
    for place in shown:
        name = html.escape(f"Equation {number} in the code: line {place.line} of {place.block}")
        opening = ("lines " if len(shown) > 1 else "line ") if place is shown[0] else ""
        closing = f" of {html.escape(place.block)}" if place is shown[-1] else ""
        out.append(f'<a href="#{place.id}" aria-label="{name}">{opening}{place.line}{closing}</a>')
    return ", ".join(out)


def _lines(code: str, tagged: set[str], name: str, told: tuple[str, bool], places: dict[str, list[Place]]) -> str:
    """Mark the lines that name an equation, and those that such a line speaks of."""
    lines = code.split("\n")
    plain = [html.unescape(re.sub(r"<[^>]*>", "", line)) for line in lines]
    about: dict[int, list[str]] = {}
    here: dict[int, str] = {}  # no id on a link, nor right below `code`: the theme takes those for its own
    for at, line in enumerate(lines):
        remarks = [html.unescape(remark[2]) for remark in _REMARK.finditer(line)]
        numbers = [n for text in remarks for *_, found in cited(text) for n in found if n in tagged]
        if not numbers or line.count("<span") != line.count("</span>"):
            continue
        lines[at] = _REMARK.sub(lambda remark: remark[1] + _linked(remark[2], tagged) + remark[3], line)
        here[at] = f'<span class="eq-here" id="{name}-{at + 1}"></span>'
        for near in (at, *_spoken_of(plain, at)):
            about[near] = list(dict.fromkeys([*about.get(near, ()), *numbers]))
        for number in dict.fromkeys(numbers):
            places[number].append(Place(f"{name}-{at + 1}", at + 1, *told))
    out: list[str] = []
    for at, line in enumerate(lines):
        end = "" if at == len(lines) - 1 else "\n"
        if at in about and line.count("<span") == line.count("</span>"):
            names = html.escape(" ".join(about[at]))
            out.append(f'<span class="eq-line" data-eq="{names}">{here.get(at, "")}{line}{end}</span>')
        else:
            out.append(line + end)
    return "".join(out)


def _spoken_of(plain: list[str], at: int) -> Iterable[int]:
    """The lines that a comment on a line of its own, or a docstring of one line, speaks of: the next, or the body."""
    text = plain[at].strip()
    depth = len(plain[at]) - len(plain[at].lstrip())
    if text.startswith("#"):
        return [at + 1] if at + 1 < len(plain) and plain[at + 1].strip() else []
    if not (text.startswith(('"""', 'r"""')) and text.endswith('"""') and len(text) > 6):
        return []
    body = []
    for below in range(at + 1, len(plain)):
        line = plain[below]
        if not line.strip() or len(line) - len(line.lstrip()) < depth:
            break
        body.append(below)
    return body if len(body) <= _BODY else []


def _linked(escaped: str, tagged: set[str]) -> str:
    """Make links of the equations that a comment names."""
    text, out, last = html.unescape(escaped), [], 0
    for start, end, numbers in cited(text):
        number = next((number for number in numbers if number in tagged), None)
        if number is None:
            continue
        link = f'<a class="eq-ref" href="#{_id(number)}">{html.escape(text[start:end], quote=False)}</a>'
        out += [html.escape(text[last:start], quote=False), link]
        last = end
    return "".join([*out, html.escape(text[last:], quote=False)])


def _id(number: str) -> str:
    return "eq-" + re.sub(r"[^\w.-]+", "-", number)
