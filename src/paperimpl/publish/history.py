"""When each note was last changed: by its own word, else by git. Never by the disk, which every clone dates anew."""

from __future__ import annotations

import datetime
import re
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

from paperimpl.vault.index import Index, Note

__all__ = ["changed", "day", "from_git"]

_UPDATED = ("updated", "modified", "lastmod", "last_modified", "last modified", "date modified", "date_modified")
_CREATED = ("date", "created", "date created", "date_created", "published")
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?!\d)")


def changed(index: Index, vault: Path | None) -> dict[str, datetime.date]:
    """Date every published note that can be dated.

    What a note says of its last change (`updated`, `modified`, …) holds; else the last commit that touched it; else
    what it says of its making (`date`, `created`, …), or a date as its name.
    """
    notes = {path: note for path, note in (index.notes | index.notebooks | index.boards).items() if note.published}
    found = {path: said for path, note in notes.items() if (said := _said(note, _UPDATED))}
    committed = from_git(vault, notes.keys() - found.keys()) if vault else {}
    for path, note in notes.items():
        if path not in found and (date := committed.get(path) or _said(note, _CREATED) or day(note.name)):
            found[path] = date
    return found


def _said(note: Note, keys: tuple[str, ...]) -> datetime.date | None:
    values = {key.lower(): value for key, value in note.front.values.items()}
    return next((date for key in keys if (date := day(values.get(key)))), None)


def day(value: Any) -> datetime.date | None:
    """Read a date from what YAML made of a property, or from text that starts with one."""
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    if isinstance(value, str) and (match := _DAY.match(value.strip())):
        try:
            return datetime.date(*map(int, match.groups()))
        except ValueError:
            return None
    return None


def from_git(vault: Path, wanted: set[str]) -> dict[str, datetime.date]:
    """Ask git, once, for the last commit of each file in a folder; nothing where there is no git or no history.

    In a shallow clone, the oldest commit seems to have made every file; it is not believed.
    """
    try:
        asked = _git(vault, "rev-parse", "--git-path", "shallow", "HEAD").splitlines()
        log = _log(vault, asked[-1])
    except (OSError, subprocess.CalledProcessError):
        return {}
    cut = _grafts(vault / asked[0])
    found: dict[str, datetime.date] = {}
    date: datetime.date | None = None
    for token in re.split(r"[\0\n]", log):
        if token.startswith("\x01"):
            commit, _, when = token[1:].partition(" ")
            date = None if commit in cut else day(when)
        elif token and date and token in wanted:
            found.setdefault(token, date)
    return found


@lru_cache(maxsize=1)
def _log(vault: Path, head: str) -> str:
    """Every commit up to `head` and the files of the vault that it touched; remembered while a preview runs."""
    return _git(vault, "log", "--format=%x01%H %cs", "--name-only", "--no-renames", "--relative", "-z", head, "--", ".")


def _git(vault: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(vault), *words], capture_output=True, check=True)
    return done.stdout.decode(errors="surrogateescape")


def _grafts(place: Path) -> set[str]:
    try:
        return set(place.read_text().split())
    except OSError:
        return set()
