"""Bases and canvases as files of the vault: which of them are published, what they show, what is wrong with them."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from paperimpl.vault import canvas, scan
from paperimpl.vault.bases import reading
from paperimpl.vault.problem import Problem, nearest

if TYPE_CHECKING:
    from paperimpl.vault.index import Index

__all__ = ["node_path", "page", "problems", "text", "where"]


def page(path: str) -> str:
    """Write the page that shows a base or a canvas, as Markdown."""
    return f"![](</{urllib.parse.quote(path)}>)\n"


def text(path: str, written: str) -> str:
    """Give what a canvas says as a note's text: its texts and a link for each file; a base says nothing."""
    if not path.lower().endswith(".canvas"):
        return ""
    said = []
    for node in canvas.read(written, path).nodes:
        if node.kind == "file" and not re.search(r"[\[\]|#\n]", node.file):
            said.append(f"[[/{node.file}{f'#{node.subpath}' if node.subpath else ''}]]")
        elif node.kind == "text":
            said.append(node.text)
    return "\n" + "\n\n".join(said)  # the first line opens no front matter


def where(path: str) -> str:
    """Name a file of the vault in a message."""
    return f"vault/{path}"


def node_path(node: canvas.Node, source: str, index: Index) -> str | None:
    """Find the file that a node of a canvas shows; None where there is none."""
    name = node.file
    if name in index.notes or name in index.files:
        return name
    return index.find(name, source) if name else None


def problems(index: Index) -> Iterator[Problem]:
    """What is wrong with the published bases and canvases, with file and line."""
    for path in index.boards:
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
