"""The vault as a base sees it: every published file, with its properties, tags and links. Asks the disk nothing."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from functools import cached_property

from paperimpl.vault import scan
from paperimpl.vault.bases.values import Date, File, Lazy, Link, Tag, Value, from_property
from paperimpl.vault.index import Index, Note, is_view

__all__ = ["FIELDS", "Library"]

FIELDS = {
    "backlinks": "Backlinks",
    "basename": "Name",
    "ctime": "Created",
    "embeds": "Embeds",
    "ext": "Extension",
    "file": "File",
    "folder": "Folder",
    "links": "Links",
    "mtime": "Modified",
    "name": "Name",
    "path": "Path",
    "properties": "Properties",
    "size": "Size",
    "tags": "Tags",
}

_TAG = re.compile(r"(?<![^\s>(])#([\w/-]*[^\W\d][\w/-]*)")


class Library:
    """Published files and what is known of them.

    Args:
        index: the vault.
        publishes: says whether a file may be seen; without it, a note's own `publish` decides and every other file may.
        now: what `now()` answers.
    """

    def __init__(
        self, index: Index, publishes: Callable[[str], bool] | None = None, now: datetime.datetime | None = None
    ):
        self.index = index
        self.now = now or datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        self._publishes = publishes
        self._fields: dict[tuple[str, str], Value] = {}
        self._properties: dict[str, Lazy] = {}
        self._links: dict[str, frozenset[str]] = {}

    def shows(self, path: str) -> bool:
        """Say whether a file exists for the public."""
        note = self.index.notes.get(path)
        if note is not None:
            return note.published and (self._publishes is None or self._publishes(path))
        if path not in self.index.files or (is_view(path) and path not in self.index.boards):
            return False
        return self._publishes is None or self._publishes(path)

    @cached_property
    def files(self) -> list[File]:
        """Every file that exists for the public, by path; of attachments, those that something published links to."""
        linked = {found.path for entries in self.index.resolved.values() for _, _, found in entries}
        known = {*self.index.notes, *self.index.notebooks, *self.index.boards, *(linked & self.index.files)}
        return [File(path) for path in sorted(known) if self.shows(path)]

    def file(self, target: str, source: str) -> File | None:
        """Find the file that a link's target or a path names; None where there is none that is published."""
        inside = target.strip()
        if inside.startswith("[[") and inside.endswith("]]"):
            inside = scan.split_target(inside[2:-2])[0]
        found = self.index.find(inside, source) if inside else None
        return File(found) if found and self.shows(found) else None

    def link(self, written: str, source: str, label: Value = None) -> Link:
        """Make a link of a name, a path, an address or `[[name#heading|label]]`."""
        inside = written.strip()
        if re.match(r"(?:https?|mailto|obsidian):", inside):
            return Link(inside, label=label, url=inside)
        if inside.startswith("[[") and inside.endswith("]]"):
            target, fragment, own = scan.split_target(inside[2:-2])
            label = own if label is None else label
        else:
            target, fragment = inside, ""
        file = self.file(target, source)
        return Link(target, fragment, label, file.path if file else None)

    def property_link(self, written: str, source: str) -> Link | None:
        """Make a link of a property that is one, `[[…]]` and nothing else."""
        stripped = written.strip()
        whole = stripped.startswith("[[") and stripped.endswith("]]") and "[[" not in stripped[2:]
        return self.link(stripped, source) if whole and len(stripped) > 4 else None

    def properties(self, file: File) -> Lazy:
        """Return a note's properties; other files have none."""
        if file.path not in self._properties:
            note = self.index.notes.get(file.path)
            raw = note.front.values if note else {}

            def convert(key: str, value: object) -> Value:
                return from_property(key, value, lambda written: self.property_link(written, file.path))

            self._properties[file.path] = Lazy(raw, convert)
        return self._properties[file.path]

    def field(self, file: File, name: str) -> Value:
        """Return a field of a file, as `FIELDS` lists them; None for any other name."""
        match name:
            case "name":
                return file.name
            case "path":
                return file.path
            case "ext":
                return file.extension
        key = (file.path, name)
        if key not in self._fields:
            self._fields[key] = self._field(file, name)
        return self._fields[key]

    def _field(self, file: File, name: str) -> Value:
        match name:
            case "basename":
                return file.stem
            case "folder":
                return file.folder
            case "file":
                return file
            case "properties":
                return self.properties(file).whole()
            case "tags":
                return self._tags(file)
            case "links":
                return self._link_list(file, embeds=False)
            case "embeds":
                return self._link_list(file, embeds=True)
            case "backlinks":
                return [File(path) for path in self._backlinks.get(file.path, [])]
        stat = self.index.stats.get(file.path)
        if name == "size":
            return stat.size if stat else len(self._text(file).encode()) if self._text(file) else None
        if stat is None or name not in ("mtime", "ctime"):
            return None
        moment = stat.mtime if name == "mtime" else stat.ctime
        return Date(datetime.datetime.fromtimestamp(moment, datetime.UTC).replace(tzinfo=None, microsecond=0))

    def _text(self, file: File) -> str:
        note = self.index.notes.get(file.path)
        return note.text if note else ""

    def _note(self, file: File) -> Note | None:
        return self.index.notes.get(file.path) or self.index.notebooks.get(file.path)

    def _tags(self, file: File) -> list[Value]:
        note = self.index.notes.get(file.path)
        if note is None:
            return []
        properties = self.properties(file)
        found: dict[str, Tag] = {}
        for name in ("tags", "tag"):
            value = properties.get(name)
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, str) and item.strip("# "):
                    tag = Tag("#" + item.strip().removeprefix("#"))
                    found.setdefault(tag.key, tag)
        for match in _TAG.finditer(note.masked):
            tag = Tag(match[0])
            found.setdefault(tag.key, tag)
        return list(found.values())

    def _link_list(self, file: File, embeds: bool) -> list[Value]:
        """Links or embeds of a note, each target once; those to what is not published are left out."""
        found: dict[tuple[str, str], Link] = {}
        for link, _, resolved in self.index.resolved.get(file.path, ()):
            if link.embed != embeds or resolved.kind == "private" or (not link.target and not embeds):
                continue
            if resolved.path and not self.shows(resolved.path):
                continue
            made = Link(link.target, link.fragment, link.label if link.wiki else None, resolved.path or None)
            found.setdefault((made.path or made.target.lower(), made.fragment), made)
        return list(found.values())

    @cached_property
    def _backlinks(self) -> dict[str, list[str]]:
        found: dict[str, dict[str, None]] = {}
        for path, entries in self.index.resolved.items():
            for _, _, resolved in entries:
                if resolved.path and resolved.path != path and self.shows(path):
                    found.setdefault(resolved.path, {})[path] = None
        return {to: list(by) for to, by in found.items()}

    def links_to(self, file: File, other: Value, source: str) -> bool:
        """Say whether a file links to another, embeds included."""
        if file.path not in self._links:
            entries = self.index.resolved.get(file.path, ()) if self.shows(file.path) else ()
            self._links[file.path] = frozenset(
                f"/{resolved.path}" if resolved.path else link.target.lower()
                for link, _, resolved in entries
                if resolved.kind != "private"
            )
        match other:
            case File():
                wanted = f"/{other.path}"
            case Link():
                wanted = f"/{other.path}" if other.path else other.target.lower()
            case str():
                found = self.file(other, source)
                wanted = f"/{found.path}" if found else other.strip().removeprefix("[[").removesuffix("]]").lower()
            case _:
                return False
        return wanted in self._links[file.path]

    def has_tag(self, file: File, wanted: Value) -> bool:
        """Say whether a file has a tag, or one nested in it."""
        if not isinstance(wanted, str):
            return False
        key = Tag(wanted).key
        tags = self.field(file, "tags")
        return bool(key) and any(tag.key == key or tag.key.startswith(f"{key}/") for tag in tags)

    def in_folder(self, file: File, folder: Value) -> bool:
        """Say whether a file is in a folder or below it."""
        if not isinstance(folder, str):
            return False
        wanted = folder.strip().strip("/").lower()
        return not wanted or f"{file.path.rpartition('/')[0]}/".lower().startswith(f"{wanted}/")
