"""Draw a recorded result in the one house style, to SVG that reads in light and in dark.

Colours are CSS variables with fallbacks: on the site the page's scheme sets them, in Obsidian the file's own style
follows the system.

What a dot or a line stands for is written beside it, in attributes `data-...` of its group, for scripts that tell the
value under the pointer: `data-panel` with the panel's title and what its axes are, and in it `data-series` with
`data-seed` or `data-mean` and `data-y`, one number a point. `data-legend` names the series of an entry of a legend.
"""

from __future__ import annotations

import base64
import html
import io
import math
import re
import struct
import urllib.parse
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
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
    seeds = [run.seed for run in recorded.runs]
    if images:
        heights.append(1.9 * math.ceil(len(images) / columns))
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(6.4, sum(heights) + 0.35 * (len(heights) - 1) + 0.2), layout="constrained")
        rows = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        if recorded.estimate and recorded.effect:
            _effect(rows[0].subplots(), recorded.effects, recorded.estimate, recorded.effect, seeds)
            rows = rows[1:]
        for row, (unit, keys) in zip(rows, by_unit.items(), strict=False):
            _dots(row.subplots(), {key.replace("_", " "): recorded.values(key) for key in keys}, unit, seeds)
        for row, title in zip(rows[len(by_unit) :], curves, strict=False):
            _lines(row.subplots(), title, {run.seed: run.curves[title] for run in recorded.runs if title in run.curves})
        if images:
            grid = rows[-1].subplots(math.ceil(len(images) / columns), columns, squeeze=False).ravel()
            for axes, title in zip(grid, images, strict=False):
                _image(axes, title, recorded.runs[0].images[title])
            for axes in grid[len(images) :]:
                axes.set_visible(False)
        text = _saved(figure)
    return _svg(text, slug, _named(recorded, slug), _told(recorded))


def _effect(axes: Axes, values: Sequence[float], found: Estimate, effect: Effect, seeds: Sequence[int]) -> None:
    """The effect: a dot a seed, the mean, its 95% interval as a beam, and a line at no effect."""
    _say(axes, panel="effect", unit=effect.means, low=f"{found.low!r}", high=f"{found.high!r}")
    axes.plot([found.low, found.high], [0, 0], color=_INK, lw=6, alpha=0.18, solid_capstyle="butt")
    (dots,) = axes.plot(values, np.linspace(-0.18, 0.18, len(values)), "o", ms=5, alpha=0.75, mew=0, color=_SERIES[0])
    _say(dots, series="effect", seed=" ".join(map(str, seeds)), y=_listed(values))
    (bar,) = axes.plot([found.mean, found.mean], [-0.34, 0.34], color=_INK, lw=1.4, solid_capstyle="butt")
    _say(bar, series="effect", mean=len(values), y=repr(found.mean))
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


def _say(artist: Artist, **attributes: object) -> None:
    """Have the group of an artist say what it stands for, in attributes `data-...`; `_svg` writes them."""
    said = {name.replace("_", "-"): value for name, value in attributes.items()}
    artist.set_gid(f"say?{urllib.parse.urlencode(said)}")


def _listed(values: Sequence[float]) -> str:
    """Numbers as the result's file has them: what was measured six digits, what is worked out of that all."""
    return " ".join(f"{value:g}" if float(f"{value:g}") == value else repr(float(value)) for value in values)


def _dots(axes: Axes, rows: Mapping[str, Sequence[float]], unit: str, seeds: Sequence[int] = ()) -> None:
    """One row a label, one dot a seed, a bar at the mean."""
    _say(axes, panel="measured", unit=unit)
    values = list(rows.values())
    flat = [value for row in values for value in row]
    if min(flat) > 0 and max(flat) / min(flat) > 100:
        axes.set_xscale("log")
    for y, (name, row) in enumerate(rows.items()):
        spread = np.linspace(-0.18, 0.18, len(row)) if len(row) > 1 else np.zeros(1)
        (dots,) = axes.plot(row, y + spread, "o", ms=5, alpha=0.75, mew=0, color=_SERIES[y % len(_SERIES)])
        mean = fmean(row)
        (bar,) = axes.plot([mean, mean], [y - 0.34, y + 0.34], color=_INK, lw=1.4, solid_capstyle="butt")
        if seeds:
            _say(dots, series=name, seed=" ".join(map(str, seeds)), y=_listed(row))
            _say(bar, series=name, mean=len(row), y=repr(mean))
    axes.set_yticks(range(len(rows)), list(rows), color=_INK)
    axes.set_ylim(len(rows) - 0.45, -0.55)
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.06)
    axes.set_xlabel(unit or "measured, one dot a seed, bar at the mean")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _lines(axes: Axes, title: str, by_seed: Mapping[int, dict[str, Any]]) -> None:
    """Every seed a thin line, their mean a thick one."""
    panels = list(by_seed.values())
    same = all(panel["x"] == panels[0]["x"] for panel in panels)
    told = {"x": _listed(panels[0]["x"])} if same else {}
    _say(axes, panel="curves", title=title, x_label=panels[0]["x_label"], y_label=panels[0]["y_label"], **told)
    for number, name in enumerate(panels[0]["series"]):
        colour = _SERIES[number % len(_SERIES)]
        seeds = {seed: panel for seed, panel in by_seed.items() if name in panel["series"]}
        for seed, panel in seeds.items():
            (line,) = axes.plot(panel["x"], panel["series"][name], color=colour, lw=0.8, alpha=0.35)
            own = {} if same else {"x": _listed(panel["x"])}
            _say(line, series=name, seed=seed, y=_listed(panel["series"][name]), **own)
        if len({tuple(panel["x"]) for panel in seeds.values()}) == 1:
            x = next(iter(seeds.values()))["x"]
            mean = np.mean([panel["series"][name] for panel in seeds.values()], axis=0)
            (line,) = axes.plot(x, mean, color=colour, lw=1.9, label=name)
            own = {} if same else {"x": _listed(x)}
            _say(line, series=name, mean=len(seeds), y=" ".join(f"{value:.6g}" for value in mean), **own)
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
    # Entries are as far apart as a finger or a pointer needs that picks one.
    columns = 1 if len(panels[0]["series"]) < 4 else 2
    legend = axes.legend(frameon=False, labelcolor=_INK, fontsize=8.5, labelspacing=0.85, ncols=columns)
    for handle, label in zip(legend.legend_handles, legend.get_texts(), strict=True):
        for part in filter(None, (handle, label)):
            _say(part, legend=label.get_text())


def _image(axes: Axes, title: str, image: Sequence[Sequence[float]]) -> None:
    """A grid of numbers as squares of one hue, dark for large: a picture of as many pixels, through which it shows."""
    grid = np.asarray(image, dtype=float)
    low, high = grid.min(), grid.max()
    share = (grid - low) / (high - low) if high > low else np.zeros_like(grid)
    seen = mpl.patches.Rectangle((0, 0), grid.shape[1], grid.shape[0], facecolor=_SERIES[1], lw=0)
    _say(seen, png=base64.b64encode(_png(np.round(10.2 + 244.8 * share).astype(np.uint8))).decode())
    axes.add_patch(seen)
    axes.set_xlim(0, grid.shape[1])
    axes.set_ylim(grid.shape[0], 0)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.set_title(title, fontsize=8.5, fontweight="normal")


def _png(grey: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    """Write a greyscale PNG, not compressed: a compressor's bytes depend on who wrote it. The page is compressed."""
    rows = b"".join(b"\0" + row.tobytes() for row in grey)
    blocks = [rows[at : at + 65535] for at in range(0, len(rows), 65535)]
    stored = b"\x78\x01" + b"".join(
        struct.pack("<BHH", number == len(blocks), len(block), len(block) ^ 0xFFFF) + block
        for number, block in enumerate(blocks, 1)
    )
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", grey.shape[1], grey.shape[0], 8, 0, 0, 0, 0)),
        (b"IDAT", stored + struct.pack(">I", zlib.adler32(rows))),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


def _named(recorded: Recorded, slug: str) -> str:
    """Say in a sentence what the figure shows."""
    run = recorded.runs[0]
    parts = ["the effect with its 95% interval"] if recorded.estimate else []
    parts.append(f"{len(recorded.keys)} measured numbers, a dot a seed")
    if run.curves:
        parts.append(f"curves of {'; '.join(run.curves)}")
    if run.images:
        parts.append(f"{len(run.images)} image{'s' * (len(run.images) > 1)}")
    seeds = len(recorded.runs)
    return f"{slug}, what {seeds} seed{'s' * (seeds > 1)} measured: {', '.join(parts)}"


def _told(recorded: Recorded) -> str:
    """Say what is to be seen in it: the effect, the range of each number, from where to where each curve goes."""
    found = recorded.estimate
    parts = [f"effect {found.mean:.3g}, 95% interval {found.low:.3g} to {found.high:.3g}"] if found else []
    for key in recorded.keys:
        values = recorded.values(key)
        parts.append(f"{key} {min(values):.3g} to {max(values):.3g}")
    told = [f"{len(recorded.runs)} seeds: {'; '.join(parts)}"]
    for title in recorded.runs[0].curves:
        panels = [run.curves[title] for run in recorded.runs if title in run.curves]
        ends = []
        for name in panels[0]["series"]:
            lines = [panel["series"][name] for panel in panels if name in panel["series"]]
            first, last = fmean(line[0] for line in lines), fmean(line[-1] for line in lines)
            ends.append(f"{name} from {first:.3g} to {last:.3g}")
        told.append(f"{title} ({panels[0]['y_label']} by {panels[0]['x_label']}), on average: {'; '.join(ends)}")
    if images := recorded.runs[0].images:
        told.append(f"Images of seed {recorded.runs[0].seed}: {'; '.join(images)}")
    return ". ".join(told)


def _svg(text: str, slug: str, title: str, told: str) -> str:
    """Turn matplotlib's file into ours: variables for colours, ids of its own, words for screen readers."""
    for colour, (name, light, _) in _COLOURS.items():
        text = text.replace(colour, f"var(--figure-{name}, {light})")
    text = re.sub(r"'DejaVu Sans'(, '[^']*')*(, sans-serif)?", "var(--figure-font, system-ui, sans-serif)", text)
    text = text.replace('<style type="text/css">*{', "<style>.claim-figure *{")  # inline, it would style the page
    text = re.sub(r' id="say\?([^"]*)"', _attributes, text)
    text = re.sub(r' (d|x|y|width|height|transform)="([^"]*)"', _short, text)
    text = re.sub(r'<g data-png="([^"]*)">\s*<path d="([^"]*)"[^>]*style="([^"]*)"/>\s*</g>', _picture, text)
    while (less := re.sub(r"<g(?: id=\"[^\"]*\")?/>|<g(?: id=\"[^\"]*\")?>\s*</g>", "", text)) != text:
        text = less
    text = re.sub(r"\s*\n\s*", "\n", text)
    # Ids are per document, and several figures may stand inline in one page. Matplotlib's own are hashes of
    # coordinates, down to the last bit: numbers in order of appearance are the same every time.
    # What nothing refers to needs none.
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
    named = [name for name in dict.fromkeys(re.findall(r' id="([^"]+)"', text)) if name in used]
    ids = {name: f"{slug}-{n}" for n, name in enumerate(named)}
    text = re.sub(r' id="([^"]+)"', lambda m: f' id="{ids[m[1]]}"' if m[1] in ids else "", text)
    text = re.sub(r'(href="#|url\(#)([^")]+)', lambda m: m[1] + ids.get(m[2], m[2]), text)
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


def _attributes(found: re.Match[str]) -> str:
    """Write what an artist says as attributes of its group."""
    said = urllib.parse.parse_qsl(html.unescape(found[1]), keep_blank_values=True)
    return "".join(f' data-{name}="{html.escape(value)}"' for name, value in said)


def _short(found: re.Match[str]) -> str:
    """Write places to a hundredth of a point, which nobody can see, and turns by nothing not at all."""
    name, value = found[1], " ".join(found[2].split())
    if name == "transform" and value.startswith("rotate(-0 "):
        return ""
    return f' {name}="{re.sub(r"-?[0-9]+[.][0-9]+", lambda m: f"{round(float(m[0]), 2) + 0.0:g}", value)}"'


def _picture(found: re.Match[str]) -> str:
    """Show the hue of a square through its picture, so that its colour is the page's."""
    corners = [float(number) for number in re.findall(r"[\d.]+", found[2])]
    left, top = min(corners[::2]), min(corners[1::2])
    width, height = max(corners[::2]) - left, max(corners[1::2]) - top
    place = f'x="{left:g}" y="{top:g}" width="{width:.5g}" height="{height:.5g}"'
    name = f"mask-{zlib.crc32(found[0].encode())}"
    image = f'<image {place} preserveAspectRatio="none" style="image-rendering: pixelated" '
    image += f'xlink:href="data:image/png;base64,{found[1]}"/>'
    return f'<mask id="{name}">{image}</mask>\n<rect {place} mask="url(#{name})" style="{found[3]}"/>'
