"""The vault as a picture: notes as points, links as lines, laid out once at build time. The browser only draws."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from paperimpl.vault.index import Index

__all__ = ["ADDRESS", "Graph", "layout"]

ADDRESS = "assets/paperimpl/graph.json"

# So many folders get a colour of their own; the rest share the last.
COLOURS = 12
_UNIT = 40  # how far apart two linked notes would like to be, in the units that are written

Points = npt.NDArray[np.float64]


class Graph:
    """Published notes, which of them are linked, and where each stands.

    Args:
        index: the vault.
        pages: the paths that are pages, in order; a note's place in it is its number in the graph.
        group: the name of the group that a path belongs to, by which it is coloured.
    """

    def __init__(self, index: Index, pages: Sequence[str], group: Callable[[str], str]):
        self.index, self.pages = index, list(pages)
        self.number = {path: number for number, path in enumerate(self.pages)}
        named = [group(path) for path in self.pages]
        common = [name for name, _ in Counter(named).most_common(COLOURS - 1)]
        self.groups = [name for name in dict.fromkeys(named) if name in common]
        if len(set(named)) > len(self.groups):
            self.groups.append("Other")
        self.group = [self.groups.index(name) if name in common else len(self.groups) - 1 for name in named]
        found = {
            (self.number[source], self.number[resolved.path])
            for source, entries in index.resolved.items()
            for _, _, resolved in entries
            if resolved.kind == "note" and source in self.number and resolved.path in self.number
        }
        self.edges = sorted({(min(edge), max(edge)) for edge in found if edge[0] != edge[1]})

    @property
    def linked(self) -> set[int]:
        """The numbers of the notes that have a link."""
        return {number for edge in self.edges for number in edge}

    def json(self, url: Callable[[str], str]) -> str:
        """Write what the browser draws: titles, addresses from the site's root, groups, places and links."""
        places = layout(len(self.pages), tuple(self.edges), tuple(self.group))
        return json.dumps(
            {
                "groups": self.groups,
                "titles": [self.index.at(path).title for path in self.pages],
                "urls": [url(path) for path in self.pages],
                "group": self.group,
                "x": [x for x, _ in places],
                "y": [y for _, y in places],
                "links": [number for edge in self.edges for number in edge],
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )


@lru_cache(maxsize=4)
def layout(count: int, edges: tuple[tuple[int, int], ...], group: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """Place points so that linked ones are near, others apart, and groups together. The same input, the same places.

    Springs along links, and repulsion between all: exact among neighbours, by cells of about √n points beyond, so that
    a step costs n√n and not n².
    """
    linked = sorted({end for edge in edges for end in edge})
    number = {old: new for new, old in enumerate(linked)}
    places = np.zeros((count, 2))
    if linked:
        inner = tuple((number[a], number[b]) for a, b in edges)
        places[linked] = _lay_down(_apart(_relaxed(inner, np.array([group[old] for old in linked]))))
    alone = sorted((old for old in range(count) if old not in number), key=lambda old: (group[old], old))
    places[alone] = _ring(len(alone), places[linked])
    return tuple((int(x), int(y)) for x, y in np.rint(places * _UNIT))


def _relaxed(edges: tuple[tuple[int, int], ...], colour: npt.NDArray[np.intp]) -> Points:
    """Let springs and repulsion act until little moves."""
    count = len(colour)
    a, b = (np.array(ends, dtype=np.intp) for ends in zip(*edges, strict=True))
    degree = np.bincount(np.concatenate([a, b]), minlength=count).astype(float)
    spring = 1 / np.sqrt(np.maximum(1, np.minimum(degree[a], degree[b])))
    members = np.maximum(1, np.bincount(colour))
    places = _start(colour)
    steps = 120 if count <= 2000 else 60
    for step in range(steps):
        push = _repulsion(places)
        along = places[b] - places[a]
        distance = np.sqrt(_square(along))
        pull = along * (3.0 * spring * np.maximum(0, distance - 1) / np.maximum(distance, 1e-9))[:, None]
        force = push + _scatter(a, pull, count) - _scatter(b, pull, count)
        centre = _scatter(colour, places, len(members)) / members[:, None]
        force += 0.3 * (centre[colour] - places)
        force -= 0.25 * places
        length = np.sqrt(_square(force))
        reach = 0.12 * math.sqrt(count) * (1 - step / steps) + 0.02
        places = places + force * (np.minimum(length, reach) / np.maximum(length, 1e-9))[:, None]
    return places


def _ring(count: int, core: Points) -> Points:
    """Places for those without a link: around the others, a step apart, ring after ring."""
    x, y = (core.max(axis=0) - core.min(axis=0)) / 2 if len(core) else (0.0, 0.0)
    found: list[tuple[float, float]] = []
    while len(found) < count:
        x, y = x + 1.3, y + 1.3
        room = max(6, int(math.pi * (x + y) / 1.3))
        turns = min(room, count - len(found))
        found += [(x * math.cos(t * math.tau / turns), y * math.sin(t * math.tau / turns)) for t in range(turns)]
    return np.array(found).reshape(-1, 2)


def _start(colour: npt.NDArray[np.intp]) -> Points:
    """A spiral, group after group, so that groups begin as neighbours."""
    order = np.argsort(colour, kind="stable")
    rank = np.empty(len(order))
    rank[order] = np.arange(len(order))
    angle = rank * 2.399963229728653  # the golden angle
    within = 2 * math.pi * colour / (colour.max() + 1)
    radius = math.sqrt(len(order))
    return np.stack(
        [
            radius * np.cos(within) + 0.6 * np.sqrt(rank + 0.5) * np.cos(angle),
            radius * np.sin(within) + 0.6 * np.sqrt(rank + 0.5) * np.sin(angle),
        ],
        axis=1,
    )


def _cells(places: Points) -> npt.NDArray[np.intp]:
    """Deal the points into cells of neighbours, all of one size; -1 fills up the last."""
    count = len(places)
    side = max(1, round(count**0.25))  # side² cells
    tall = -(-count // side)
    order = np.full(side * tall, -1, dtype=np.intp)
    order[:count] = np.argsort(places[:, 0], kind="stable")
    size = -(-tall // side)
    cells = np.full((side, side * size), -1, dtype=np.intp)
    for strip, members in enumerate(order.reshape(side, tall)):
        members = members[members >= 0]
        cells[strip, : len(members)] = members[np.argsort(places[members, 1], kind="stable")]
    return cells.reshape(side * side, size)


def _repulsion(places: Points) -> Points:
    cells = _cells(places)
    here = cells >= 0
    inside = np.where(here[:, :, None], places[cells], 0)
    mass = here.sum(axis=1)
    centre = inside.sum(axis=1) / np.maximum(1, mass)[:, None]
    own = np.empty(len(places), dtype=np.intp)
    own[cells[here]] = np.nonzero(here)[0]
    away = places[:, None, :] - centre[None, :, :]
    strength = mass[None, :] / np.maximum(_square(away), 0.3)
    strength[np.arange(len(places)), own] = 0
    push = (away * strength[:, :, None]).sum(axis=1)
    near = inside[:, :, None, :] - inside[:, None, :, :]
    close = (here[:, :, None] & here[:, None, :]) / np.maximum(_square(near), 0.05)
    push[cells[here]] += (near * close[:, :, :, None]).sum(axis=2)[here]
    return np.asarray(push, dtype=np.float64)


def _apart(places: Points) -> Points:
    """Push apart what lies on top of each other, so that every point can be pointed at."""
    for turn in range(6):
        cells = _cells(places if turn % 2 == 0 else places[:, ::-1])
        here = cells >= 0
        inside = np.where(here[:, :, None], places[cells], 1e9)
        near = inside[:, :, None, :] - inside[:, None, :, :]
        far = np.sqrt(_square(near))
        overlap = np.where((far < 0.55) & here[:, :, None] & here[:, None, :], 0.55 - far, 0)
        move = (near * (overlap / np.maximum(far, 1e-6) / 2)[:, :, :, None]).sum(axis=2)
        places[cells[here]] += move[here]
    return places


def _lay_down(places: Points) -> Points:
    """Centre the picture and turn it so that it is wide rather than tall."""
    places = places - places.mean(axis=0)
    x, y = places[:, 0], places[:, 1]
    angle = 0.5 * math.atan2(2 * float((x * y).sum()), float((x * x - y * y).sum()))
    cos, sin = math.cos(angle), math.sin(angle)
    turned: Points = np.stack([x * cos + y * sin, y * cos - x * sin], axis=1)
    middle: Points = (turned.max(axis=0) + turned.min(axis=0)) / 2
    return turned - middle


def _square(vectors: Points) -> Points:
    return np.asarray(vectors[..., 0] ** 2 + vectors[..., 1] ** 2, dtype=np.float64)


def _scatter(where: npt.NDArray[np.intp], what: Points, count: int) -> Points:
    return np.stack([np.bincount(where, what[:, axis], minlength=count) for axis in (0, 1)], axis=1)
