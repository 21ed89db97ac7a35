"""Code by symbol: `papers/lstm.py:LSTMCell.forward` to its lines, through the syntax tree; no markers in the source."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from paperimpl.vault.problem import nearest

__all__ = ["SNIPPET", "Code", "symbol"]

# The snippet syntax that people know from pymdownx, with a symbol for a section; quotes and list marks may precede it.
SNIPPET = re.compile(r"(?P<prefix>[ \t>]*)-{2,}8<-{2,}[ \t]+(?P<quote>[\"'])(?P<spec>[^\"']+)(?P=quote)[ \t]*")

_PLACES = {
    "tests": "tests",
    "papers": "src/paperimpl/papers",
    "claims": "src/paperimpl/claims",
    "lab": "src/paperimpl/lab",
}


@dataclass(frozen=True)
class Code:
    """Lines of a file of the repository: its path there, 1-based first and last line, and their text, dedented."""

    path: str
    first: int
    last: int
    text: str


def symbol(spec: str, repository: Path) -> Code:
    """Look up `file` or `file:symbol`. Files stand under papers/, claims/, lab/ or tests/; nothing else is readable.

    Raises:
        KeyError: there is no such file or symbol; the arguments are the message and the remedy.
    """
    name, _, wanted = spec.partition(":")
    top = name.split("/")[0]
    parts = name.split("/")
    if top not in _PLACES or not name.endswith(".py") or ".." in parts or "" in parts:
        raise KeyError(f"no code at {name!r}", f"write one of {', '.join(f'{place}/…' for place in _PLACES)} and .py")
    path = repository / _PLACES[top] / "/".join(parts[1:])
    if not path.resolve().is_relative_to(repository.resolve()):  # a symbolic link, or Windows' own separators
        raise KeyError(f"no code at {name!r}", "name a file of the repository")
    if not path.is_file():
        hint = nearest(path.stem, [other.stem for other in path.parent.glob("*.py")])
        raise KeyError(f"no code at {name!r}", hint or "mend the path")
    text, symbols = _symbols(path, path.stat().st_mtime_ns)
    where = f"{_PLACES[top]}/{'/'.join(parts[1:])}"
    lines = text.split("\n")
    if not wanted:
        return Code(where, 1, len(lines) - (lines[-1] == ""), text.rstrip("\n"))
    if wanted not in symbols:
        raise KeyError(f"no {wanted!r} in {name}", nearest(wanted, list(symbols)) or f"it has {', '.join(symbols)}")
    first, last = symbols[wanted]
    chosen = lines[first - 1 : last]
    indent = min((len(line) - len(line.lstrip()) for line in chosen if line.strip()), default=0)
    return Code(where, first, last, "\n".join(line[indent:] for line in chosen))


@lru_cache(maxsize=512)
def _symbols(path: Path, _modified: int) -> tuple[str, dict[str, tuple[int, int]]]:
    """A file's text and the lines of its functions, classes, methods and top-level names, decorators included."""
    text = path.read_text(encoding="utf-8")
    found: dict[str, tuple[int, int]] = {}

    def walk(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            names: list[str] = []
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names = [node.name]
            elif isinstance(node, ast.Assign):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names = [node.target.id]
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            for name in names:
                found.setdefault(f"{prefix}{name}", (first, node.end_lineno or first))
            if isinstance(node, ast.ClassDef):
                walk(node.body, f"{prefix}{node.name}.")

    walk(ast.parse(text, path.name).body, "")
    return text, found
