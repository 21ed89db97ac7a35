"""The digest of a claim: which code made a result, comments and docstrings aside."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

__all__ = ["code", "digest", "modules"]


def digest(claim: Path, source: Path) -> str:
    """Hash the code behind a claim: its own module and every `paperimpl` module that it imports, directly or not.

    The hash is of the syntax tree, so comments, docstrings and layout do not count. It does not depend on the
    Python version.

    Args:
        claim: the claim's file.
        source: the folder that holds `paperimpl/`.

    Raises:
        SyntaxError: one of the modules does not parse; its `filename` says which.
    """
    total = hashlib.sha256()
    for path in sorted(modules(claim, source)):
        total.update(path.relative_to(source).as_posix().encode())
        total.update(code(path).encode())
    return f"sha256:{total.hexdigest()[:32]}"


def code(path: Path) -> str:
    """Write down a file's code, the same for the same syntax tree: without comments, docstrings and layout.

    Raises:
        SyntaxError: it does not parse; `filename` says which.
    """
    return _shape(_undocumented(ast.parse(path.read_bytes(), str(path))))


def modules(start: Path, source: Path) -> set[Path]:
    """Find a file and all `paperimpl` files that it imports, directly or not, without importing any."""
    found: set[Path] = set()
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imports(path, source)
    return found


def _imports(path: Path, source: Path) -> Iterator[Path]:
    """Find the files that a file's import statements name, wherever in it they stand."""
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            stem = node.module or ""
            if node.level:
                package = path.parent.relative_to(source).parts[
                    : len(path.parent.relative_to(source).parts) - node.level + 1
                ]
                stem = ".".join((*package, *filter(None, [node.module])))
            names = [stem, *(f"{stem}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            if parts[0] != "paperimpl":
                continue
            for depth in range(1, len(parts) + 1):  # importing a.b runs a/__init__.py, too
                stem_path = source.joinpath(*parts[:depth])
                if (stem_path / "__init__.py").is_file():
                    yield stem_path / "__init__.py"
                elif stem_path.with_suffix(".py").is_file():
                    yield stem_path.with_suffix(".py")


def _undocumented(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:]
    return tree


def _shape(node: object) -> str:
    """Write a tree down. `ast.dump` is not used: what it prints differs between Python versions."""
    if isinstance(node, ast.AST):
        skip = ("ctx", "kind", "type_comment", "type_ignores")
        parts = [f"{k}={_shape(v)}" for k, v in ast.iter_fields(node) if k not in skip and v not in (None, [])]
        return f"{type(node).__name__}({','.join(parts)})"
    if isinstance(node, list):
        return f"[{','.join(map(_shape, node))}]"
    return repr(node)
