"""`paperimpl new`: the files of a paper, from templates."""

from __future__ import annotations

import contextlib
import datetime
import keyword
from importlib import resources
from pathlib import Path

from paperimpl.vault.paper import CHAPTERS, SLUG, Paper, papers
from paperimpl.vault.problem import Problem, VaultError, nearest, relative
from paperimpl.vault.write import write

__all__ = ["chapter_named", "scaffold"]

_NOTE = "vault/templates/paper.md"  # Obsidian's Templates plugin offers the same file
_CODE = {"model": "model.py.txt", "claim": "claim.py.txt", "test": "test.py.txt", "bugs": "bugs.toml.txt"}


def chapter_named(name: str) -> str:
    """Find a chapter's folder by its full name, `04-sequences`, or its tail, `sequences`.

    Raises:
        VaultError: there is none; the message suggests the near one.
    """
    by_tail = {folder.partition("-")[2]: folder for folder in CHAPTERS}
    folder = by_tail.get(name, name)
    if folder not in CHAPTERS:
        hint = nearest(name, [*CHAPTERS, *by_tail]) or f"chapters are {', '.join(by_tail)}"
        raise VaultError(Problem(name, 0, "no chapter has this name", hint))
    return folder


def scaffold(chapter: str, slug: str, repository: Path) -> Paper:
    """Write note, model, claim, test and bug list of a new paper: all of them, or none.

    Raises:
        VaultError: the chapter is unknown, the slug is malformed or taken, a file is there already, or one cannot
            be written; then nothing has changed on disk.
    """
    paper = Paper(slug, chapter_named(chapter), repository)
    _refuse(paper)
    texts = _texts(paper)
    written: list[Path] = []
    try:
        for kind, text in texts.items():
            write(paper.places[kind], text)
            written.append(paper.places[kind])
    except BaseException as stopped:
        for path in written:
            path.unlink()
        with contextlib.suppress(OSError):  # the folders that are still empty: the paper's, perhaps the chapter's
            paper.places["note"].parent.rmdir()
            paper.places["note"].parent.parent.rmdir()
        if isinstance(stopped, OSError):
            where = relative(Path(stopped.filename or paper.places[kind]), repository)
            remedy = "nothing was changed; mend that and try again"
            raise VaultError(Problem(where, 0, f"cannot be written: {stopped.strerror}", remedy)) from stopped
        raise
    return paper


def _refuse(paper: Paper) -> None:
    if not SLUG.fullmatch(paper.slug) or keyword.iskeyword(paper.slug) or keyword.iskeyword(paper.slug.title()):
        rule = "write a letter, then letters, digits and _, all in lower case, and no Python keyword: layernorm"
        raise VaultError(Problem(paper.slug, 0, "not a slug", rule))
    for other in papers(paper.repository):
        if other.slug == paper.slug and other.chapter != paper.chapter:
            remedy = "a slug is the only key: choose another"
            raise VaultError(Problem(other.place("note"), 1, f"has the slug {paper.slug!r} already", remedy))
    if there := [kind for kind in paper.places if paper.places[kind].exists()]:
        remedy = "`new` overwrites nothing: choose another slug, or move this file away"
        raise VaultError(*(Problem(paper.place(kind), 0, "is there already", remedy) for kind in there))


def _texts(paper: Paper) -> dict[str, str]:
    """Fill the templates: `{{title}}` and `{{date}}` as Obsidian does, and `{{class}}` in code."""
    template = paper.repository / _NOTE
    if not template.is_file():
        raise VaultError(Problem(_NOTE, 0, "the note's template is not there", f"git checkout {_NOTE}"))
    folder = resources.files("paperimpl.cli") / "templates"
    texts = {"note": template.read_text(encoding="utf-8")}
    texts |= {kind: (folder / name).read_text(encoding="utf-8") for kind, name in _CODE.items()}
    fills = {
        "{{title}}": paper.slug,
        "{{date}}": datetime.date.today().isoformat(),
        "{{class}}": "".join(word.capitalize() for word in paper.slug.split("_")),
    }
    for placeholder, value in fills.items():
        texts = {kind: text.replace(placeholder, value) for kind, text in texts.items()}
    return texts
