"""Where each note is published, and which old addresses lead to it."""

from __future__ import annotations

import html
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import PurePosixPath

from paperimpl.vault.index import Index, Note
from paperimpl.vault.problem import Problem

__all__ = ["Addresses", "redirect", "relative"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")


class Addresses:
    """The file of the site that each published note, base and canvas becomes.

    A note's own `permalink` comes first; `index.md`, else a README, else a note of the folder's name opens a folder;
    other notes keep their path, bases and canvases with its ending. No two get the same address, not even where
    capitals do not count.

    Args:
        index: the vault.
        directories: whether a page is `name/index.html`, as MkDocs' `use_directory_urls` has it, or `name.html`.

    Attributes:
        of: a note's path to its file in the site.
        moved: an old address, a file of the site, to the path of the note that is there no longer.
        problems: addresses that could not be given.
    """

    def __init__(self, index: Index, directories: bool = True):
        self.index, self.directories = index, directories
        self.of: dict[str, str] = {}
        self.moved: dict[str, str] = {}
        self.problems: list[Problem] = []
        self._taken = {path.casefold() for path in index.files}
        notes = {path: note for path, note in index.notes.items() if note.published}
        self._opened = {note.folder for note in notes.values() if note.opens_folder}
        for path in index.notebooks:
            self._taken.add(self._page(path.removesuffix(".ipynb")).casefold())
        for note in notes.values():
            if permalink := note.front.values.get("permalink"):
                self._give_permalink(note, str(permalink))
        for path in sorted(notes, key=lambda path: (_rank(path), path)):
            natural = self._natural(path)
            if path not in self.of:
                self._give(path, natural)
            elif natural.casefold() not in self._taken:
                self.moved[natural] = path
        for path in index.boards:
            self._give(path, self._page(path))
        for path, note in notes.items():
            for alias in note.aliases:
                old = self._old(alias)
                if old and old.casefold() not in self._taken and old not in self.moved:
                    self.moved[old] = path

    def _give_permalink(self, note: Note, permalink: str) -> None:
        path = _clean(permalink)
        if path.endswith((".html", ".htm")):
            place = path
        else:
            place = self._page(path) if path else "index.html"
        if not path and permalink.strip() != "/":
            self._problem(note, "permalink", f"permalink {permalink!r} is no path within the site", "write `a/b`")
        elif place.casefold() in self._taken:
            self._problem(note, "permalink", f"permalink {permalink!r} belongs to another page", "choose another")
        else:
            self._take(note.path, place)

    def _problem(self, note: Note, key: str, message: str, remedy: str) -> None:
        self.problems.append(Problem(f"vault/{note.path}", note.front.lines.get(key, 1), message, remedy))

    def _page(self, path: str) -> str:
        return f"{path}/index.html" if self.directories else f"{path}.html"

    def _natural(self, path: str) -> str:
        folder, stem = str(PurePosixPath(path).parent), PurePosixPath(path).stem
        inside = "" if folder == "." else f"{folder}/"
        if self.index.notes[path].opens_folder or self.opens(path):
            return f"{inside}index.html"
        return self._page(f"{inside}{stem}")

    def opens(self, path: str) -> bool:
        """Say whether a note has its folder's name, and so opens it."""
        folder = PurePosixPath(path).parent
        return bool(folder.name) and folder.name == PurePosixPath(path).stem and str(folder) not in self._opened

    def _give(self, path: str, place: str) -> None:
        if place.casefold() in self._taken:  # another page stands there: a README beside index.md, `a.md` beside `a/`
            stem = path.removesuffix(".md")
            place = next(page for name in _numbered(stem) if (page := self._page(name)).casefold() not in self._taken)
        self._take(path, place)

    def _take(self, path: str, place: str) -> None:
        self.of[path] = place
        self._taken.add(place.casefold())

    def _old(self, alias: str) -> str:
        """The address that an alias was, if it is a path: one with a slash, or one that ends in `.md`."""
        if ("/" not in alias.strip("/") and not alias.endswith(".md")) or _SCHEME.match(alias):
            return ""
        path = _clean(alias.removesuffix(".md"))
        return self._page(path) if path else ""

    def page(self, path: str) -> str:
        """The address of any page, from the site's root; no note need be behind it."""
        if path in self.of:
            return self.url(path)
        return PurePosixPath(path).with_suffix("").as_posix() + ("/" if self.directories else ".html")

    def url(self, path: str) -> str:
        """Give the address of a note from the site's root, encoded; empty for the root where pages are folders."""
        place = self.of[path]
        return urllib.parse.quote(
            re.sub(r"(?:^|(?<=/))index\.html$", "", place) if self.directories else place, safe="/"
        )


def _rank(path: str) -> int:
    name = PurePosixPath(path)
    return {"index": 0, "README": 1, name.parent.name: 2}.get(name.stem, 3)


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1


def _clean(path: str) -> str:
    """Make a written address a path within the site; empty where it leads out or nowhere."""
    if _SCHEME.match(path) or "\\" in path or any(not letter.isprintable() for letter in path):
        return ""
    parts = [urllib.parse.unquote(part).strip() for part in re.split(r"[?#]", path)[0].split("/")]
    parts = [part for part in parts if part not in ("", ".")]
    return "" if any(part == ".." or "/" in part for part in parts) else "/".join(parts)


def relative(url: str, place: str) -> str:
    """Write the way from a file of the site to an address in it, both seen from its root."""
    up = place.split("/")[:-1]
    to = url.split("/")
    shared = 0
    while shared < min(len(up), len(to) - 1) and urllib.parse.quote(up[shared]) == to[shared]:
        shared += 1
    return "/".join([".."] * (len(up) - shared) + to[shared:]) or "./"


def redirect(title: str, to: str, canonical: str) -> str:
    """Write the page that stands at an old address; it works without scripts, and keeps a fragment with them."""
    address = html.escape(to, quote=True)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{html.escape(title)}</title>\n'
        f'<link rel="canonical" href="{html.escape(canonical, quote=True)}">\n<meta name="robots" content="noindex">\n'
        f'<script>location.replace("{_script(to)}" + location.hash)</script>\n'
        f'<meta http-equiv="refresh" content="0; url={address}">\n</head>\n<body>\n'
        f'<p>Moved to <a href="{address}">{html.escape(title)}</a>.</p>\n</body>\n</html>\n'
    )


def _script(address: str) -> str:
    return re.sub(r"[^\w./%~:@-]", lambda m: f"\\u{ord(m[0]):04x}", address, flags=re.A)
