"""The figures of claims on a page: a picture in place of each drawing, and below it the numbers that it shows.

A drawing is 20 kB of a page that may never be scrolled to, so the page holds a picture, which browsers ask for when it
comes near, in the drawing's size. The theme's `figures.js` then puts the drawing in its place and has it answer
pointers and keys, from what it says in its attributes `data-...` (`paperimpl.lab.figure`). The legend's buttons stand
there from the start, so that nothing moves. Pictures and tables need no script.
"""

from __future__ import annotations

import base64
import html
import re
import xml.etree.ElementTree as etree
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

from jinja2 import Environment

from paperimpl.vault.result import Recorded, number

__all__ = ["ROWS", "described", "panels", "picked", "with_numbers"]

ROWS = 25  # the most that a table of a curve shows

_BOX = re.compile(
    r'(?P<before><p[^>]*>)?(?P<open><span [^>]*class="claim-figure-box"[^>]*>)(?P<drawing><svg\b.*?</svg>)</span>'
    r"(?P<after>\s*</p>)?",
    re.S,
)
_STROKE = re.compile(r"(?:^|;)\s*stroke:\s*([^;]+)")
_UNTOLD = re.compile(r'(<img [^>]*alt=")No description has been provided for this image("[^>]*src="([^"]*)")')
_HEADING = re.compile(r"<h[1-6]\b[^>]*>(.*?)</h[1-6]>", re.S)
_SLUG = re.compile(r'data-figure="([^"]+)"')


def with_numbers(
    page: str,
    results: Mapping[str, Recorded],
    jinja: Environment,
    address: Callable[[str], str],
    picture: Callable[[str], str] = lambda slug: "",
) -> str:
    """Put a picture in place of every claim's drawing in a page, and below it the numbers that it shows.

    Args:
        page: HTML.
        results: slug to what was recorded.
        jinja: the templates.
        address: from a slug to where its whole result is served, as the page links to it.
        picture: from a slug to where its drawing is served; where that is empty the drawing stays in the page.
    """
    seen: set[str] = set()

    def whole(found: re.Match[str]) -> str:
        slug = match[1] if (match := _SLUG.search(found["open"])) else ""
        before, after = found["before"] or "", found["after"] or ""
        if slug not in results:
            return found[0]
        box = f"{found['open']}{_pictured(found['drawing'], picture(slug), jinja)}</span>"
        if slug in seen:
            return f"{before}{box}{after}"
        seen.add(slug)
        recorded = results[slug]
        numbers = jinja.get_template("numbers.html").render(
            slug=slug, panels=panels(recorded), images=_images(recorded), json=address(slug)
        )
        if before and not after:  # words follow the figure in its paragraph
            return f"{before}{box}</p>{numbers}<p>"
        return f"{before}{box}{after}\n{numbers}"

    return _BOX.sub(whole, page)


def _pictured(drawing: str, source: str, jinja: Environment) -> str:
    """Write the picture that stands for a drawing, in its size and with its words, and its legend's buttons.

    A drawing that is served nowhere, that says no size, or that no XML reader takes stays as it is.
    """
    try:
        tree = etree.fromstring(drawing)
    except etree.ParseError:
        return drawing
    size = {side: tree.get(side, "") for side in ("width", "height")}
    if not source or not all(value.isdigit() for value in size.values()):
        return drawing
    said = [" ".join("".join(part.itertext()).split()) for part in tree if _tag(part) in ("title", "desc")]
    words = ". ".join(filter(None, said)) or "What was measured"
    return jinja.get_template("figure.html").render(source=source, words=words, legend=_legend(tree), **size)


def _legend(tree: etree.Element) -> list[dict[str, Any]]:
    """List the panels whose lines can be hidden: `title`, and `lines`, each a series and its colour in CSS."""
    found = []
    for panel in tree.iter():
        if panel.get("data-panel") != "curves":
            continue
        lines: dict[str, str] = {}
        for part in panel.iter():
            if name := part.get("data-legend"):
                strokes = (_STROKE.search(line.get("style", "")) for line in part.iter() if _tag(line) == "path")
                lines[name] = lines.get(name) or next((match[1].strip() for match in strokes if match), "")
        if len(lines) > 1:
            found.append({"title": panel.get("data-title", ""), "lines": list(lines.items())})
    return found


def _tag(element: etree.Element) -> str:
    return element.tag.rpartition("}")[2]


def panels(recorded: Recorded) -> list[dict[str, Any]]:
    """Make a table of each panel of a figure: the effect, what was measured by unit, each curve.

    Returns:
        For each: `caption`, `note` (what is left out; empty where nothing is), `head` (of the columns) and `rows`, the
        first cell of each its own head, all of it text; and `by_seed`, whether rows are numbers by seed, no curve.
    """
    seeds = [f"seed {run.seed}" for run in recorded.runs]
    found: list[dict[str, Any]] = []
    if recorded.estimate and recorded.effect:
        mean = recorded.estimate
        row = [
            "effect",
            *map(number, recorded.effects),
            number(mean.mean),
            f"{number(mean.low)} to {number(mean.high)}",
        ]
        caption = f"The effect, {recorded.effect.of.replace('_', ' ')}: {recorded.effect.means}"
        found.append(_table(caption, ["", *seeds, "mean", "95% interval"], [row], by_seed=True))
    by_unit: dict[str, list[str]] = {}
    for key in recorded.keys:
        by_unit.setdefault(recorded.units.get(key, ""), []).append(key)
    for unit, keys in by_unit.items():
        rows = [
            [key.replace("_", " "), *map(number, recorded.values(key)), number(fmean(recorded.values(key)))]
            for key in keys
        ]
        found.append(_table(unit[:1].upper() + unit[1:] or "Measured", ["", *seeds, "mean"], rows, by_seed=True))
    return [*found, *(_curve(recorded, title) for title in recorded.runs[0].curves)]


def picked(count: int, most: int = ROWS) -> list[int]:
    """Choose at most so many of a curve's points, evenly, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(n * (count - 1) / (most - 1)) for n in range(most)]


def _curve(recorded: Recorded, title: str) -> dict[str, Any]:
    runs = [run for run in recorded.runs if title in run.curves]
    first = runs[0].curves[title]
    same = [run.curves[title] for run in runs if run.curves[title]["x"] == first["x"]]
    shown = same if len(same) == len(runs) else same[:1]
    columns = {
        name: _means([panel["series"][name] for panel in shown if name in panel["series"]]) for name in first["series"]
    }
    at = picked(len(first["x"]))
    rows = [
        [number(first["x"][n]), *(number(values[n]) if n < len(values) else "" for values in columns.values())]
        for n in at
    ]
    of = f"mean of {len(shown)} seeds" if len(shown) > 1 else f"seed {runs[0].seed}"
    note = f"{len(at)} of {len(first['x'])} points" if len(at) < len(first["x"]) else ""
    return _table(f"{title}: {first['y_label']}, {of}", [first["x_label"], *columns], rows, note)


def _means(lines: Sequence[Sequence[float]]) -> list[float]:
    """The mean of some lines, to six digits, as the drawing has it."""
    return [float(f"{fmean(values):.6g}") for values in zip(*lines, strict=False)]


def _table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], note: str = "", *, by_seed: bool = False
) -> dict[str, Any]:
    return {"caption": caption, "note": note, "head": head, "rows": rows, "by_seed": by_seed}


def _images(recorded: Recorded) -> str:
    """Say in sentences what images a figure has: how large they are, and between which numbers."""
    images = recorded.runs[0].images
    if not images:
        return ""
    told = []
    for title, rows in images.items():
        flat = [value for row in rows for value in row]
        told.append(f"{title} ({len(rows)} by {len(rows[0])}, {number(min(flat))} to {number(max(flat))})")
    which = "The image shows" if len(told) == 1 else f"The {len(told)} images show"
    return f"{which} seed {recorded.runs[0].seed}, dark for large: {'; '.join(told)}."


def described(page: str) -> str:
    """Give the figures of a notebook's cells, which come without, a text in their place: their section and own words.

    Args:
        page: HTML in which nbconvert has put figures as images, each with the same words for none.
    """

    def told(found: re.Match[str]) -> str:
        above = _HEADING.findall(page, 0, found.start())
        section = " ".join(html.unescape(re.sub(r"<[^>]*>", "", above[-1])).replace("¶", "").split()) if above else ""
        words = "; ".join(_words(found[3]))
        about = ": ".join(filter(None, [f"Figure, {section}" if section else "Figure", words]))
        return f"{found[1]}{html.escape(about)}{found[2]}"

    return _UNTOLD.sub(told, page)


def _words(source: str) -> list[str]:
    """List what is written in a drawing that a page holds, each once, ticks of axes aside."""
    kind, _, data = source.partition(";base64,")
    if kind != "data:image/svg+xml":
        return []
    drawn = base64.b64decode(data).decode("utf-8", "replace")
    written = (" ".join(html.unescape(text).split()) for text in re.findall(r"<text\b[^>]*>([^<]*)</text>", drawn))
    return [text for text in dict.fromkeys(written) if text and not re.fullmatch(r"[-−+.,\d\s]+", text)]
