"""The vault where the engine brings none: read from its folder, once for all pages, and again when it changed.

This is how notes are rendered under Zensical, and by `markdown.Markdown(extensions=["vault"])`.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markdown import Markdown
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor

from paperimpl.vault.index import Index, hidden
from paperimpl.vault.problem import Problem

if TYPE_CHECKING:
    from paperimpl.markdown.extension import Context

__all__ = ["Folder", "Rendered", "Told", "Withheld"]

log = logging.getLogger("paperimpl.vault")

# Seconds between two looks at the disk: a build renders hundreds of pages in them, a writer saves one.
PATIENCE = 1.0


@dataclass(frozen=True)
class Rendered:
    """The page being rendered, as its engine tells it.

    Attributes:
        source: its path in the vault.
        docs_dir: the vault's folder.
        up: leads from its address to its folder: `../` where `note.md` becomes `note/index.html`.
    """

    source: str
    docs_dir: Path
    up: str

    @classmethod
    def of(cls, md: Markdown) -> Rendered | None:
        """Ask the engine; None where it does not tell. Zensical leaves a preprocessor that knows."""
        if "rendering_context" not in md.preprocessors:
            return None
        told: Any = md.preprocessors["rendering_context"]
        source, address = told.page.path, told.page.url
        up = "../" * (address.count("/") - source.count("/"))
        return cls(source, Path(told.config["root_dir"], told.config["docs_dir"]), up)


class Folder:
    """A vault's folder, and the context that all its pages share.

    Args:
        path: the folder.
        context: what pages ask of the vault; it is kept up to date.
    """

    def __init__(self, path: Path, context: Context):
        self.path = path
        self.context = context
        self._looked = float("-inf")
        self._seen: list[tuple[str, int, int]] = []

    def read(self) -> None:
        """Read the vault if it is not what it was, and tell what is wrong with it.

        Raises:
            FileNotFoundError: there is no such folder.
        """
        if time.monotonic() - self._looked < PATIENCE:
            return
        if not self.path.is_dir():
            raise FileNotFoundError(f"{self.path} is no folder: name the vault's, as the option docs_dir of `vault`")
        seen = list(_files(self.path))
        self._looked = time.monotonic()
        if seen == self._seen:
            return
        self._seen = seen
        self.context.index = Index.read(self.path, [path for path, _, _ in seen])
        for problem in self.context.index.problems():
            self.tell(problem)

    def tell(self, problem: Problem) -> None:
        """Say what is wrong, of a note by the folder that it is in."""
        problem = replace(problem, path=f"{self.path.name}/{problem.path.removeprefix('vault/')}")
        log.log(logging.WARNING if problem.error else logging.INFO, str(problem))


def _files(folder: Path, within: str = "") -> Iterator[tuple[str, int, int]]:
    """List a vault's files with size and time, in order, without what is hidden."""
    with os.scandir(folder / within) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = f"{within}{entry.name}"
            if hidden(f"{path}/") and not hidden(path):
                continue
            if entry.is_dir(follow_symlinks=False):
                if not hidden(f"{path}/"):
                    yield from _files(folder, f"{path}/")
                continue
            found = entry.stat(follow_symlinks=False)
            yield path, found.st_size, found.st_mtime_ns


class Withheld(Preprocessor):
    """A note that is not to be published has no text, though its engine makes a page for it."""

    def __init__(self, md: Markdown, folder: Folder):
        super().__init__(md)
        self.folder = folder

    def run(self, lines: list[str]) -> list[str]:
        note = self.folder.context.note
        if note is None or note.published:
            return lines
        remedy = "name it in `exclude_docs`: an extension can leave its text out, not its name"
        self.folder.tell(Problem(f"vault/{note.path}", 1, "not to be published, but has a page", remedy))
        return []


class Told(Postprocessor):
    """What was found wrong while a page was rendered is told when it is done, for nobody else will."""

    def __init__(self, md: Markdown, folder: Folder):
        super().__init__(md)
        self.folder = folder

    def run(self, text: str) -> str:
        for problem in self.folder.context.problems:
            self.folder.tell(problem)
        self.folder.context.problems.clear()
        return text
