"""Draw a recorded result in the one house style, to SVG that reads in light and in dark.

Colours are CSS variables with fallbacks: on the site the page's scheme sets them, in Obsidian the file's own style
follows the system.
"""

from __future__ import annotations

import html
import io
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from paperimpl.vault.evidence import Effect, Estimate
from paperimpl.vault.result import Recorded

__all__ = ["compare", "draw"]

# What the drawing uses -> the variable that replaces it -> its value in light and in dark.
_COLOURS = {
    "#010101": ("ink", "#22252b", "#e4e6eb"),
    "#020202": ("faint", "#6a7080", "#9aa1b0"),
    "#030303": ("rule", "#d5d9e0", "#3a3f4b"),
    "#040404": ("series-1", "#c2410c", "#ff9a62"),
    "#050505": ("series-2", "#1d5fbf", "#7db4ff"),
    "#060606": ("series-3", "#0f766e", "#4fd1c0"),
    "#070707": ("series-4", "#7c3aed", "#c0a2ff"),
    "#080808": ("series-5", "#a16207", "#e8c15a"),
    "#090909": ("series-6", "#be185d", "#ff8fbf"),
}
_INK, _FAINT, _RULE, *_SERIES = _COLOURS
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "paperimpl",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": _INK,
    "axes.edgecolor": _RULE,
    "axes.labelcolor": _FAINT,
    "axes.titlecolor": _INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _RULE,
    "grid.linewidth": 0.6,
    "xtick.color": _FAINT,
    "ytick.color": _FAINT,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
}


def draw(recorded: Recorded, slug: str) -> str:
    """Draw every seed of a result: the effect and its interval, a dot a seed for what was measured, curves, images.

    Returns:
        An SVG document with a title and description for screen readers, the same text for the same result.
    """
    by_unit: dict[str, list[str]] = defaultdict(list)
    for key in recorded.keys:
        by_unit[recorded.units.get(key, "")].append(key)
    curves = list(recorded.runs[0].curves)
    images = list(recorded.runs[0].images)
    effect = [0.85] if recorded.estimate else []
    heights = effect + [0.55 + 0.3 * len(keys) for keys in by_unit.values()] + [2.3 for _ in curves]
    columns = min(4, len(images)) or 1
    if images:
        heights.append(1.9 * math.ceil(len(images) / columns))
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(6.4, sum(heights) + 0.35 * (len(heights) - 1) + 0.2), layout="constrained")
        rows = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        if recorded.estimate and recorded.effect:
            _effect(rows[0].subplots(), recorded.effects, recorded.estimate, recorded.effect)
            rows = rows[1:]
        for row, (unit, keys) in zip(rows, by_unit.items(), strict=False):
            _dots(row.subplots(), {key.replace("_", " "): recorded.values(key) for key in keys}, unit)
        for row, title in zip(rows[len(by_unit) :], curves, strict=False):
            _lines(row.subplots(), title, [run.curves[title] for run in recorded.runs if title in run.curves])
        if images:
            grid = rows[-1].subplots(math.ceil(len(images) / columns), columns, squeeze=False).ravel()
            for axes, title in zip(grid, images, strict=False):
                _image(axes, title, recorded.runs[0].images[title])
            for axes in grid[len(images) :]:
                axes.set_visible(False)
        text = _saved(figure)
    return _svg(text, slug, f"{slug}: the claim, measured", _told(recorded))


def _effect(axes: Axes, values: Sequence[float], found: Estimate, effect: Effect) -> None:
    """The effect: a dot a seed, the mean, its 95% interval as a beam, and a line at no effect."""
    axes.plot([found.low, found.high], [0, 0], color=_INK, lw=6, alpha=0.18, solid_capstyle="butt")
    axes.plot(values, np.linspace(-0.18, 0.18, len(values)), "o", ms=5, alpha=0.75, mew=0, color=_SERIES[0])
    axes.plot([found.mean, found.mean], [-0.34, 0.34], color=_INK, lw=1.4, solid_capstyle="butt")
    axes.axvline(0, color=_FAINT, lw=1.2, ls=(0, (3, 2)))
    axes.set_yticks([0], ["effect"], color=_INK)
    axes.set_ylim(0.6, -0.6)
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.06)
    told = f"{effect.of.replace('_', ' ')}; 95% interval shaded, dashes at no effect"
    axes.set_xlabel(told, fontsize=8.5 if len(told) < 90 else 7.5)


def compare(name: str, measured: Mapping[str, Mapping[str, Sequence[float]]], units: Mapping[str, str]) -> str:
    """Draw what several configurations measured: a plot a key, a row a configuration, a dot a seed.

    Args:
        name: what the ids in the document begin with, unique on a page.
        measured: key to configuration to one number a seed.
        units: key to unit, where there is one.

    Returns:
        An SVG document, as `draw` does.
    """
    heights = [0.8 + 0.3 * len(rows) for rows in measured.values()]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(6.4, sum(heights) + 0.2), layout="constrained")
        parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        for part, (key, rows) in zip(parts, measured.items(), strict=True):
            axes = part.subplots()
            _dots(axes, rows, units.get(key, ""))
            axes.set_title(key.replace("_", " "))
        text = _saved(figure)
    parts_told = [
        f"{key}, {label}: {', '.join(f'{value:.3g}' for value in values)}"
        for key, rows in measured.items()
        for label, values in rows.items()
    ]
    return _svg(text, name, f"{name}: a sweep, one dot a seed", "; ".join(parts_told))


def _saved(figure: Figure) -> str:
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return file.getvalue()


def _dots(axes: Axes, rows: Mapping[str, Sequence[float]], unit: str) -> None:
    """One row a label, one dot a seed, a bar at the mean."""
    values = list(rows.values())
    flat = [value for row in values for value in row]
    if min(flat) > 0 and max(flat) / min(flat) > 100:
        axes.set_xscale("log")
    for y, row in enumerate(values):
        spread = np.linspace(-0.18, 0.18, len(row)) if len(row) > 1 else np.zeros(1)
        axes.plot(row, y + spread, "o", ms=5, alpha=0.75, mew=0, color=_SERIES[y % len(_SERIES)])
        mean = sum(row) / len(row)
        axes.plot([mean, mean], [y - 0.34, y + 0.34], color=_INK, lw=1.4, solid_capstyle="butt")
    axes.set_yticks(range(len(rows)), list(rows), color=_INK)
    axes.set_ylim(len(rows) - 0.45, -0.55)
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.06)
    axes.set_xlabel(unit or "measured, one dot a seed, bar at the mean")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _lines(axes: Axes, title: str, panels: Sequence[dict[str, Any]]) -> None:
    """Every seed a thin line, their mean a thick one."""
    for number, name in enumerate(panels[0]["series"]):
        colour = _SERIES[number % len(_SERIES)]
        seeds = [(panel["x"], panel["series"][name]) for panel in panels if name in panel["series"]]
        for x, y in seeds:
            axes.plot(x, y, color=colour, lw=0.8, alpha=0.35)
        if len({tuple(x) for x, _ in seeds}) == 1:
            axes.plot(seeds[0][0], np.mean([y for _, y in seeds], axis=0), color=colour, lw=1.9, label=name)
        else:
            axes.plot([], [], color=colour, lw=1.9, label=name)
    axes.set_title(title)
    axes.set_xlabel(panels[0]["x_label"])
    axes.set_ylabel(panels[0]["y_label"])
    axes.set_xscale("log" if panels[0]["log_x"] else "linear")
    axes.set_yscale("log" if panels[0]["log_y"] else "linear")
    axes.yaxis.set_minor_formatter(NullFormatter())
    if panels[0]["log_x"]:
        axes.xaxis.set_minor_formatter(NullFormatter())
        if len(positions := sorted(set(panels[0]["x"]))) <= 8:
            axes.set_xticks(positions, [f"{x:g}" for x in positions])
    axes.legend(frameon=False, labelcolor=_INK, fontsize=8.5)


def _image(axes: Axes, title: str, image: Sequence[Sequence[float]]) -> None:
    """A grid of numbers as squares of one hue, dark for large: all that are equally dark as one path."""
    grid = np.asarray(image, dtype=float)
    low, high = grid.min(), grid.max()
    share = (grid - low) / (high - low) if high > low else np.zeros_like(grid)
    dark = np.round(0.04 + 0.96 * share, 2)
    for alpha in np.unique(dark):
        squares = [mpl.path.Path.unit_rectangle().transformed(at) for at in _runs(dark == alpha)]
        path = mpl.path.Path.make_compound_path(*squares)
        axes.add_patch(mpl.patches.PathPatch(path, facecolor=_SERIES[1], alpha=alpha, lw=0))
    axes.set_xlim(0, grid.shape[1])
    axes.set_ylim(grid.shape[0], 0)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.set_title(title, fontsize=8.5, fontweight="normal")


def _runs(mask: np.ndarray[Any, np.dtype[np.bool_]]) -> list[mpl.transforms.Affine2D]:
    """Place a square over each true cell of a grid, one over all that follow each other in a row."""
    found = []
    for row, cells in enumerate(mask):
        ends = np.flatnonzero(np.diff(np.concatenate([[False], cells, [False]]).astype(int)))
        for start, end in zip(ends[::2], ends[1::2], strict=True):
            found.append(mpl.transforms.Affine2D().scale(end - start, 1).translate(start, row))
    return found


def _told(recorded: Recorded) -> str:
    found = recorded.estimate
    parts = [f"effect {found.mean:.3g}, 95% interval {found.low:.3g} to {found.high:.3g}"] if found else []
    for key in recorded.keys:
        values = recorded.values(key)
        parts.append(f"{key} {min(values):.3g} to {max(values):.3g}")
    return f"{len(recorded.runs)} seeds: " + "; ".join(parts)


def _svg(text: str, slug: str, title: str, told: str) -> str:
    """Turn matplotlib's file into ours: variables for colours, ids of its own, words for screen readers."""
    for colour, (name, light, _) in _COLOURS.items():
        text = text.replace(colour, f"var(--figure-{name}, {light})")
    text = re.sub(r"'DejaVu Sans'(, '[^']*')*(, sans-serif)?", "var(--figure-font, system-ui, sans-serif)", text)
    text = text.replace('<style type="text/css">*{', "<style>.claim-figure *{")  # inline, it would style the page
    # Ids are per document, and several figures may stand inline in one page. Matplotlib's own are hashes of
    # coordinates, down to the last bit: numbers in order of appearance are the same every time.
    ids = {name: f"{slug}-{n}" for n, name in enumerate(dict.fromkeys(re.findall(r' id="([^"]+)"', text)))}
    text = re.sub(r'( id="|href="#|url\(#)([^")]+)', lambda m: m[1] + ids.get(m[2], m[2]), text)
    dark = "".join(f"--figure-{name}:{dark};" for name, _, dark in _COLOURS.values())
    style = f"@media (prefers-color-scheme: dark){{svg.claim-figure:root{{{dark}}}}}"
    head = re.search(r"<svg[^>]*>", text)
    assert head, "matplotlib wrote no svg"
    width, height = (float(n) for n in re.findall(r'(?:width|height)="([\d.]+)pt"', head[0]))
    opening = (
        f'<svg class="claim-figure" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width:g} {height:g}" width="{width * 4 / 3:.0f}" height="{height * 4 / 3:.0f}" '
        f'role="img" aria-labelledby="{slug}-title {slug}-desc">\n'
        f'<title id="{slug}-title">{html.escape(title)}</title>\n<desc id="{slug}-desc">{html.escape(told)}</desc>\n'
        f"<style>{style}</style>"
    )
    body = text[head.end() :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    return opening + body
