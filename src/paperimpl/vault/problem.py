"""What can be wrong with a file, said so that the reader can mend it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Problem", "VaultError", "nearest", "relative"]


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in one place.

    Attributes:
        path: the file, relative to the repository where that is possible.
        line: 1-based; 0 where the whole file is meant.
        message: what is wrong, in one clause.
        remedy: what to do about it, in one clause.
        error: False for what deserves a word but must not fail a build.
    """

    path: str
    line: int
    message: str
    remedy: str = ""
    error: bool = True

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: {self.message}" + (f" ({self.remedy})" if self.remedy else "")


class VaultError(ValueError):
    """One or more problems that leave nothing to work with."""

    def __init__(self, *problems: Problem):
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def relative(path: Path, root: Path) -> str:
    """Name a file as a person in `root` would type it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def nearest(word: str, words: list[str]) -> str:
    """Suggest the near one: `did you mean 'lstm'?`, or nothing where none is near."""
    import difflib

    near = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else ""
