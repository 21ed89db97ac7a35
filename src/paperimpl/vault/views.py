"""Bases and canvases as files of the vault: which of them are published, what they show, what is wrong with them."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from paperimpl.vault import canvas, scan
from paperimpl.vault.bases import reading
from paperimpl.vault.problem import Problem, nearest

if TYPE_CHECKING:
    from paperimpl.vault.index import Index, Note

__all__ = ["is_view", "node_path", "page", "page_of", "part", "problems", "published", "shown_files", "where"]


def is_view(path: str) -> bool:
    """Say whether a file is a base or a canvas."""
    return path.lower().endswith((".base", ".canvas"))


def page_of(path: str) -> str:
    """Name the page that shows a base or a canvas; any other path is left as it is."""
    return f"{path}.md" if is_view(path) else path


def published(index: Index) -> list[str]:
    """The bases and canvases that have a page: all but those that only unpublished notes link to."""
    public: set[str] = set()
    private: set[str] = set()
    for note in index.notes.values() if index.views else ():
        for link, _ in note.links:
            if is_view(link.target) and (found := index.find(link.target, note.path)):
                (public if note.published else private).add(found)
    return [path for path in index.views if path not in private or path in public]


def page(path: str) -> str:
    """Write the page that shows a base or a canvas, as Markdown."""
    title = json.dumps(PurePosixPath(path).stem, ensure_ascii=False)
    return f"---\ntitle: {title}\nhide: [toc]\n---\n\n![](</{urllib.parse.quote(path)}>)\n"


def where(path: str) -> str:
    """Name a file of the vault in a message."""
    return f"vault/{path}"


def node_path(node: canvas.Node, source: str, index: Index) -> str | None:
    """Find the file that a node of a canvas shows; None where there is none."""
    name = node.file
    if name in index.notes or name in index.files:
        return name
    return index.find(name, source) if name else None


def shown_files(index: Index) -> set[str]:
    """The files, notes included, that stand on published canvases."""
    found: set[str] = set()
    for path in published(index):
        if path.lower().endswith(".canvas"):
            for node in canvas.read(index.views[path], path).nodes:
                for name in filter(None, (node.file, node.background)):
                    found.add(name if name in index.files else index.find(name, path) or "")
    return found - {""}


def problems(index: Index) -> Iterator[Problem]:
    """What is wrong with the published bases and canvases, with file and line."""
    for path in published(index):
        text = index.views[path]
        if path.lower().endswith(".base"):
            yield from reading.read(text, path, where(path)).problems
            continue
        board = canvas.read(text, path, where(path))
        yield from board.problems
        for node in board.nodes:
            yield from _of_node(node, path, index)


def _of_node(node: canvas.Node, path: str, index: Index) -> Iterator[Problem]:
    """Find files that are missing and links that lead nowhere in a node."""
    file = where(path)
    for name in filter(None, (node.file, node.background)):
        if name not in index.notes and name not in index.files and index.find(name, path) is None:
            hint = nearest(name, [*(p for p, n in index.notes.items() if n.published), *index.files])
            yield Problem(file, node.line, f"node {node.id!r}: {name!r} does not exist", hint or "mend the canvas")
    if node.kind == "file" and node.subpath and (found := node_path(node, path, index)) in index.notes:
        link = scan.Link(f"/{found}", node.subpath, None, True, True, 0, 0)
        if (resolved := index.resolve(link, path)).problem:
            yield Problem(file, node.line, f"node {node.id!r}: {resolved.problem[0]}", resolved.problem[1])
    for link in scan.links(scan.mask(node.text)):
        if (resolved := index.resolve(link, path)).problem:
            yield Problem(file, node.line, f"link to {resolved.problem[0]}", resolved.problem[1])


def part(note: Note, fragment: str, anchor: str) -> str:
    """Cut the part out of a note that a link's fragment names: a section with its heading, or a block."""
    lines = note.front.body.split("\n")
    first = note.front.body_line
    if not fragment:
        return note.front.body
    if fragment.startswith("^"):
        at = note.blocks[fragment[1:].lower()] - first
        start = at - 1 if re.fullmatch(r"\s*\^[\w-]+\s*", lines[at]) else at
        if re.match(r"\s*(?:[-*+]|\d+[.)])\s", lines[start]):
            return lines[start].strip()
        while start > 0 and lines[start - 1].strip():
            start -= 1
        return "\n".join(lines[start : at + 1])
    places = [(heading.line - first, heading.level, heading.id) for heading in note.headings]
    start, level = next((line, level) for line, level, name in places if name == anchor)
    end = next((line for line, other, _ in places if line > start and other <= level), len(lines))
    return "\n".join(lines[start:end])
