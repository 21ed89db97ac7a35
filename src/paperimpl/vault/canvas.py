"""A `.canvas` file (JSON Canvas 1.0): what stands on it and where everything goes. Total. Knows no HTML.

What is wrong becomes a `Problem` with its line, and what can be kept is kept. `layout` makes absolute geometry of it:
boxes, curves, arrowheads, and an order in which it can be read aloud.
"""

from __future__ import annotations

import json
import json.decoder
import json.scanner
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from paperimpl.vault.problem import Problem, nearest

__all__ = ["Box", "Canvas", "Curve", "Edge", "Layout", "Node", "layout", "read"]

KINDS = ("text", "file", "link", "group")
SIDES = ("top", "right", "bottom", "left")
_ENDS = ("none", "arrow")
_STYLES = ("cover", "ratio", "repeat")
_COLOUR = re.compile(r"[1-6]|#(?:[0-9A-Fa-f]{3}){1,2}")
_MOST = 2_000  # nodes, and edges
_FARTHEST = 1_000_000  # pixels from the middle
_MARGIN = 40
_ARROW = 11  # its length, in pixels


@dataclass(frozen=True)
class Node:
    """A card or a group.

    Attributes:
        kind: one of `text`, `file`, `link`, `group`.
        colour: `1` to `6`, `#rrggbb`, or empty.
        line: where it begins in the file.
        text, file, subpath, url, label, background, style: what its kind has; else empty.
    """

    id: str
    kind: str
    x: int
    y: int
    width: int
    height: int
    line: int
    colour: str = ""
    text: str = ""
    file: str = ""
    subpath: str = ""
    url: str = ""
    label: str = ""
    background: str = ""
    style: str = "cover"


@dataclass(frozen=True)
class Edge:
    """A line between two nodes. A side that is not stated is chosen by `layout`."""

    start: str
    end: str
    start_side: str
    end_side: str
    start_arrow: bool
    end_arrow: bool
    line: int
    colour: str = ""
    label: str = ""


@dataclass(frozen=True)
class Canvas:
    """A canvas as it was read, without what is wrong.

    Attributes:
        path: its file, in the vault.
        nodes: from the lowest to the highest.
        problems: what is wrong with it.
        broken: why nothing of it can be shown; empty where something can.
    """

    path: str
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    problems: tuple[Problem, ...] = ()
    broken: str = ""


@dataclass(frozen=True)
class Box:
    """Where a node stands on the board, and what is in it if it is a group, in the order of reading."""

    node: Node
    x: int
    y: int
    inside: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Curve:
    """An edge as it is drawn: a cubic curve, its arrowheads as triangles, and where its label stands."""

    edge: Edge
    path: str
    heads: tuple[str, ...]
    x: int
    y: int


@dataclass(frozen=True)
class Layout:
    """A canvas on a board of its own size: boxes in the order of reading, groups holding theirs; curves."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    curves: tuple[Curve, ...]

    def all(self) -> Iterator[Box]:
        """Every box, those in groups included, in the order of reading."""
        todo = list(reversed(self.boxes))
        while todo:
            box = todo.pop()
            yield box
            todo += reversed(box.inside)


class _Object(dict[str, Any]):
    """A JSON object that knows where it begins."""

    at = 0


class _Decoder(json.JSONDecoder):
    """JSON with the offset of every object."""

    def __init__(self) -> None:
        super().__init__()
        self.parse_object = self._placed
        self.scan_once = json.scanner.py_make_scanner(self)  # type: ignore[attr-defined]

    @staticmethod
    def _placed(start: tuple[str, int], *arguments: Any) -> tuple[_Object, int]:
        found, end = json.decoder.JSONObject(start, *arguments)  # type: ignore[attr-defined]
        placed = _Object(found)
        placed.at = start[1] - 1
        return placed, end


def read(text: str, path: str, where: str = "") -> Canvas:
    """Read a canvas. Never raises: what cannot be read is told in `problems`.

    Args:
        text: the JSON.
        path: its file, in the vault.
        where: what messages call that file.
    """
    return _Reading(text, path, where or path).canvas()


@dataclass
class _Reading:
    text: str
    path: str
    where: str
    problems: list[Problem] = field(default_factory=list)

    def canvas(self) -> Canvas:
        if not self.text.strip():
            return Canvas(self.path)  # Obsidian makes an empty file of a new canvas
        try:
            data = _Decoder().decode(self.text)
        except json.JSONDecodeError as wrong:
            return self._broken(wrong.lineno, f"not JSON: {wrong.msg}, column {wrong.colno}")
        except (RecursionError, ValueError) as wrong:
            return self._broken(1, f"not JSON: {type(wrong).__name__}")
        if not isinstance(data, _Object):
            return self._broken(1, "not a canvas: it is no object with 'nodes' and 'edges'")
        nodes: dict[str, Node] = {}
        for item in self._items(data, "nodes"):
            node = self._node(item)
            if node is None:
                continue
            if node.id in nodes:
                self._tell(node.line, f"two nodes have the id {node.id!r}", "give one of them another")
                continue
            nodes[node.id] = node
        edges = [edge for item in self._items(data, "edges") if (edge := self._edge(item, nodes)) is not None]
        return Canvas(self.path, tuple(nodes.values()), tuple(edges), tuple(self.problems))

    def _broken(self, line: int, why: str) -> Canvas:
        remedy = "open it in Obsidian and save it again, or mend it by hand"
        return Canvas(self.path, problems=(Problem(self.where, line, why, remedy),), broken=why)

    def _tell(self, line: int, message: str, remedy: str = "") -> None:
        if len(self.problems) < 100:
            self.problems.append(Problem(self.where, line, message, remedy))

    def _line(self, item: _Object) -> int:
        return self.text.count("\n", 0, item.at) + 1

    def _items(self, data: _Object, key: str) -> Iterator[_Object]:
        items = data.get(key, [])
        if not isinstance(items, list):
            self._tell(self._line(data), f"{key!r} is not a list", "see jsoncanvas.org")
            return
        if len(items) > _MOST:
            self._tell(self._line(data), f"more than {_MOST:,} {key}", "only the first are shown: split the canvas")
        for item in items[:_MOST]:
            if isinstance(item, _Object):
                yield item
            else:
                self._tell(self._line(data), f"one of the {key} is not an object", "see jsoncanvas.org")

    def _node(self, item: _Object) -> Node | None:
        line, kind, name = self._line(item), item.get("type"), item.get("id")
        if not isinstance(name, str) or not name:
            self._tell(line, "a node without an id", "give it one")
            return None
        if kind not in KINDS:
            hint = nearest(str(kind), list(KINDS)) or "write text, file, link or group"
            self._tell(line, f"node {name!r}: the type {kind!r} is not supported", hint)
            return None
        measures = []
        for key in ("x", "y", "width", "height"):
            value: Any = item.get(key)
            good = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not good or not abs(value) <= _FARTHEST or (key[0] in "wh" and value <= 0):
                self._tell(line, f"node {name!r}: {key} is {_short(value)}, not a number of pixels", "mend it")
                return None
            measures.append(round(value))
        needed = {"text": "text", "file": "file", "link": "url"}.get(str(kind))
        if needed and not isinstance(item.get(needed), str):
            self._tell(line, f"node {name!r}: it has no {needed!r}", "a node of this type needs one")
            return None

        def written(key: str) -> str:
            value = item.get(key, "")
            if isinstance(value, str):
                return value.replace("\0", "\ufffd")
            if value is not None:
                self._tell(line, f"node {name!r}: {key} is {_short(value)}, not a text", "mend it")
            return ""

        x, y, width, height = measures
        return Node(
            name,
            str(kind),
            x,
            y,
            max(1, width),
            max(1, height),
            line,
            self._colour(item, f"node {name!r}"),
            text=written("text") if kind == "text" else "",
            file=written("file") if kind == "file" else "",
            subpath=written("subpath").removeprefix("#") if kind == "file" else "",
            url=written("url").strip() if kind == "link" else "",
            label=written("label") if kind == "group" else "",
            background=written("background") if kind == "group" else "",
            style=self._one_of(item, "backgroundStyle", _STYLES, "cover", f"node {name!r}"),
        )

    def _edge(self, item: _Object, nodes: dict[str, Node]) -> Edge | None:
        line, what = self._line(item), f"edge {_short(item.get('id'))}"
        ends = []
        for key in ("fromNode", "toNode"):
            value = item.get(key)
            if not isinstance(value, str) or value not in nodes:
                self._tell(
                    line, f"{what}: {key} is {_short(value)}, and no node has that id", "mend it, or take it out"
                )
                return None
            ends.append(value)
        label = item.get("label", "")
        return Edge(
            ends[0],
            ends[1],
            self._one_of(item, "fromSide", SIDES, "", what),
            self._one_of(item, "toSide", SIDES, "", what),
            self._one_of(item, "fromEnd", _ENDS, "none", what) == "arrow",
            self._one_of(item, "toEnd", _ENDS, "arrow", what) == "arrow",
            line,
            self._colour(item, what),
            label if isinstance(label, str) else "",
        )

    def _one_of(self, item: _Object, key: str, values: tuple[str, ...], otherwise: str, what: str) -> str:
        value = item.get(key)
        if value is None or value in values:
            return str(value) if value else otherwise
        self._tell(self._line(item), f"{what}: {key} is {_short(value)}", f"write one of {', '.join(values)}")
        return otherwise

    def _colour(self, item: _Object, what: str) -> str:
        value = item.get("color")
        if value is None or value == "":
            return ""
        if isinstance(value, str) and _COLOUR.fullmatch(value):
            return value.lower()
        self._tell(self._line(item), f"{what}: color is {_short(value)}", 'write "1" to "6", or "#rrggbb"')
        return ""


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else shown[:39] + "…"


def layout(canvas: Canvas, shows: Callable[[Node], bool] = lambda node: True) -> Layout:
    """Give everything on a canvas its place on a board that begins at 0, 0.

    Args:
        canvas: the canvas.
        shows: says whether a node may be seen; one that may not leaves no trace, nor do its edges.
    """
    nodes = [node for node in canvas.nodes if shows(node)]
    by_id = {node.id: node for node in nodes}
    edges = [edge for edge in canvas.edges if edge.start in by_id and edge.end in by_id]
    drawn = [_drawn(edge, by_id[edge.start], by_id[edge.end]) for edge in edges]
    spots: list[_Point] = [(n.x, n.y) for n in nodes]
    spots += [(n.x + n.width, n.y + n.height) for n in nodes]
    spots += [(n.x, n.y - 34) for n in nodes if n.kind == "group" and n.label]  # a label stands above its group
    spots += [spot for points in drawn for spot in _along(points)]
    left = math.floor(min((x for x, _ in spots), default=0)) - _MARGIN
    top = math.floor(min((y for _, y in spots), default=0)) - _MARGIN
    width = math.ceil(max((x for x, _ in spots), default=0)) + _MARGIN - left
    height = math.ceil(max((y for _, y in spots), default=0)) + _MARGIN - top
    curves = tuple(_curve(edge, points, left, top) for edge, points in zip(edges, drawn, strict=True))
    return Layout(width, height, _boxes(nodes, left, top), curves)


_Point = tuple[float, float]
_Points = tuple[_Point, _Point, _Point, _Point]
_OUT = {"top": (0, -1), "right": (1, 0), "bottom": (0, 1), "left": (-1, 0)}


def _drawn(edge: Edge, start: Node, end: Node) -> _Points:
    """Find the four points of an edge's curve."""
    first, last = edge.start_side or _facing(start, end), edge.end_side or _facing(end, start)
    a, d = _middle(start, first), _middle(end, last)
    reach = min(max(math.dist(a, d) / 2, 30), 220)
    b = (a[0] + reach * _OUT[first][0], a[1] + reach * _OUT[first][1])
    c = (d[0] + reach * _OUT[last][0], d[1] + reach * _OUT[last][1])
    return a, b, c, d


def _facing(one: Node, other: Node) -> str:
    """Choose the side of a node that faces another."""
    across = (other.x + other.width / 2) - (one.x + one.width / 2)
    down = (other.y + other.height / 2) - (one.y + one.height / 2)
    gap_across = abs(across) - (one.width + other.width) / 2
    gap_down = abs(down) - (one.height + other.height) / 2
    if gap_across > gap_down:
        return "right" if across > 0 else "left"
    return "bottom" if down > 0 else "top"


def _middle(node: Node, side: str) -> _Point:
    across, down = _OUT[side]
    return node.x + node.width * (1 + across) / 2, node.y + node.height * (1 + down) / 2


def _along(points: _Points) -> Iterator[_Point]:
    """Points on a curve, close enough to say how far it goes."""
    for step in range(17):
        yield _at(points, step / 16)


def _at(points: _Points, t: float) -> _Point:
    weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
    x, y = (sum(w * p[axis] for w, p in zip(weights, points, strict=True)) for axis in (0, 1))
    return x, y


def _curve(edge: Edge, points: _Points, left: int, top: int) -> Curve:
    moved = [(x - left, y - top) for x, y in points]
    a, b, c, d = moved
    heads = []
    if edge.start_arrow:
        heads.append(_head(a, b))
        a = _towards(a, b, _ARROW - 2)
    if edge.end_arrow:
        heads.append(_head(d, c))
        d = _towards(d, c, _ARROW - 2)
    x, y = _at((a, b, c, d), 0.5)
    path = f"M{_pair(a)} C{_pair(b)} {_pair(c)} {_pair(d)}"
    return Curve(edge, path, tuple(heads), round(x), round(y))


def _towards(point: _Point, other: _Point, by: float) -> _Point:
    distance = math.dist(point, other) or 1
    return point[0] + (other[0] - point[0]) * by / distance, point[1] + (other[1] - point[1]) * by / distance


def _head(tip: _Point, back: _Point) -> str:
    """Draw an arrowhead that points from `back` to `tip`."""
    base = _towards(tip, back, _ARROW)
    across = ((base[1] - tip[1]) / 2, (tip[0] - base[0]) / 2)
    corners = (tip, (base[0] + across[0], base[1] + across[1]), (base[0] - across[0], base[1] - across[1]))
    return " ".join(map(_pair, corners))


def _pair(point: _Point) -> str:
    return ",".join(f"{round(value, 1):g}" for value in point)


def _boxes(nodes: list[Node], left: int, top: int) -> tuple[Box, ...]:
    """Put every node into the smallest group that holds its middle, and read rows from the top, each from the left."""
    groups = sorted((node for node in nodes if node.kind == "group"), key=lambda node: node.width * node.height)
    inside: dict[str, list[Node]] = {}
    for node in nodes:
        x, y = node.x + node.width / 2, node.y + node.height / 2
        area = node.width * node.height
        holder = next(
            (
                group
                for group in groups
                if group is not node
                and (node.kind != "group" or group.width * group.height > area)
                and group.x <= x <= group.x + group.width
                and group.y <= y <= group.y + group.height
            ),
            None,
        )
        inside.setdefault(holder.id if holder else "", []).append(node)

    made: dict[str, Box] = {}
    for group in groups:  # the smallest first: what a group holds is made before it
        made[group.id] = Box(group, group.x - left, group.y - top, _in_rows(inside.get(group.id, []), made, left, top))
    return _in_rows(inside.get("", []), made, left, top)


def _in_rows(nodes: list[Node], made: dict[str, Box], left: int, top: int) -> tuple[Box, ...]:
    rows: list[list[Node]] = []
    for node in sorted(nodes, key=lambda node: (node.y, node.x)):
        if rows and node.y < rows[-1][0].y + rows[-1][0].height / 2:
            rows[-1].append(node)
        else:
            rows.append([node])
    ordered = (node for row in rows for node in sorted(row, key=lambda node: (node.x, node.y)))
    return tuple(made[n.id] if n.id in made else Box(n, n.x - left, n.y - top) for n in ordered)
