"""Which of a paper's tests make which check, read from their pytest markers; nothing is imported or run."""

from __future__ import annotations

import ast
from pathlib import Path

from paperimpl.vault.record import CHECKS

__all__ = ["marked"]


def marked(test: Path) -> dict[str, list[str]]:
    """List the tests that make each check: those under `@pytest.mark.oracle`, `weights` or `full_size`.

    Raises:
        SyntaxError: the file does not parse.
    """
    found: dict[str, list[str]] = {kind: [] for kind in CHECKS}
    for node in ast.parse(test.read_text(encoding="utf-8"), str(test)).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for decorator in node.decorator_list:
                kind = ast.unparse(decorator).removeprefix("pytest.mark.")
                if kind in found:
                    found[kind].append(node.name)
    return found
