"""The fonts that typst sets with, as PyPI has them, and what is installed of a program's parts."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable

__all__ = ["folders", "versions"]


def folders(packages: Iterable[str]) -> list[str]:
    """List the folders of those `fontpkg-…` that are installed; typst's own fonts take the others' places."""
    found = []
    for name in packages:
        try:
            folder = importlib.metadata.distribution(name).locate_file(f"{name.replace('-', '_')}/files")
        except importlib.metadata.PackageNotFoundError:
            continue
        found.append(str(folder))
    return found


def versions(packages: Iterable[str]) -> list[str]:
    """Name packages with their versions; those that are missing by their names alone."""
    found = []
    for name in packages:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(name)
    return found
