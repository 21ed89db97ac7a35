"""What a note says of itself in its front matter, made fit for a page: panel, cover, classes, tags, theme."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable
from typing import Any

from markupsafe import Markup, escape

from paperimpl.vault import scan
from paperimpl.vault.index import Index, Note

__all__ = ["MONTHS", "Row", "classes", "cover", "day_in_words", "panel", "tags", "theme"]

# Properties that speak to the site and not to its readers.
_FOR_THE_SITE = frozenset(
    {"title", "publish", "permalink", "description", "cssclass", "cssclasses", "cover", "image", "template", "hide"}
    | {"search", "order", "icon", "tag", "tags", "alias", "aliases", "headline", "lede"}
)
_TEXT = re.compile(
    r"!?\[\[(?P<wiki>[^\[\]\n]+)\]\]"
    r"|\[(?P<label>[^\[\]\n]+)\]\((?P<href><[^<>\n]+>|[^\s()]+)\)"
    r"|(?P<url>https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]])"
)
_DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DEPTH = 4  # YAML can nest without end, and even go in circles

Url = Callable[[str], str]


def tags(note: Note) -> list[str]:
    """List a note's tags, those of its properties and those in its text, each once, without `#`."""
    inline: Iterable[str] = getattr(note, "tags", ())
    found: dict[str, str] = {}
    for tag in (*_listed(note, "tags", "tag"), *inline):
        name = "/".join(part for part in tag.strip().lstrip("#").split("/") if part)
        if name:
            found.setdefault(name.casefold(), name)
    return list(found.values())


def classes(note: Note) -> str:
    """Name the style classes that a note asks for."""
    names = _listed(note, "cssclasses", "cssclass")
    return " ".join(dict.fromkeys(name for name in names if re.fullmatch(r"[\w-]+", name)))


def _listed(note: Note, *keys: str) -> list[str]:
    """Read a property that is a list, or one text with spaces or commas between its items."""
    found: list[str] = []
    for name, value in note.front.values.items():
        if name.lower() in keys:
            values = (
                value if isinstance(value, list) else re.split(r"[,\s]+", value) if isinstance(value, str) else [value]
            )
            found += [
                str(item).strip() for item in values if item not in (None, "") and not isinstance(item, list | dict)
            ]
    return [item for item in found if item]


def cover(note: Note, index: Index, key: str = "cover") -> tuple[str, str]:
    """Find a note's picture: a path in the vault, or an address elsewhere; the other is empty."""
    value = note.front.values.get(key)
    if not isinstance(value, str) or not value.strip():
        return "", ""
    written = value.strip()
    if match := _TEXT.search(written):
        if match["url"]:
            return "", match["url"]
        written = match["href"].strip("<>") if match["href"] else match["wiki"]
    target = scan.split_target(written)[0]
    found = index.find(target, note.path)
    return (found, "") if found and found in index.files and found not in index.withheld else ("", "")


def theme(note: Note, templates: Callable[[str], bool]) -> dict[str, Any]:
    """Give a note's properties as a theme may read them: what is of another kind than it expects is left out."""
    meta = {str(key): value for key, value in note.front.values.items()}
    meta.pop("status", None)  # the author's; the theme would take it for its own
    if not (isinstance(meta.get("template"), str) and templates(meta["template"])):
        meta.pop("template", None)
    hide = meta.pop("hide", None)
    if isinstance(hide, str | list):
        meta["hide"] = [hide] if isinstance(hide, str) else [str(item) for item in hide]
    if not isinstance(meta.get("search"), dict):
        meta.pop("search", None)
    icon = meta.get("icon")
    if not (isinstance(icon, str) and templates(f".icons/{icon}.svg")):
        meta.pop("icon", None)
    for key in ("description", "author", "subtitle"):
        if key in meta and not isinstance(meta[key], str):
            del meta[key]
    meta["title"] = note.title
    meta["tags"] = tags(note)
    return meta


class Row:
    """One property: its name and its value as HTML."""

    def __init__(self, name: str, value: Markup):
        self.name, self.value = name, value


def panel(note: Note, index: Index, url: Url) -> list[Row]:
    """List what a note's properties tell its readers; its other names come last, and its tags stand apart."""
    shown = _Shown(note, index, url)
    rows = [
        Row(str(key), value)
        for key, raw in note.front.values.items()
        if str(key).lower() not in _FOR_THE_SITE and (value := shown(raw))
    ]
    if aliases := [alias for alias in note.aliases if "/" not in alias]:
        rows.append(Row("aliases", _list(escape(alias) for alias in aliases)))
    return rows


class _Shown:
    """Values as HTML, seen from one note."""

    def __init__(self, note: Note, index: Index, url: Url):
        self.note, self.index, self.url = note, index, url

    def __call__(self, value: Any, depth: int = 0) -> Markup:
        """Show a value of any kind; empty where there is nothing to show."""
        if value is None or value == "" or value == [] or value == {}:
            return Markup()
        if depth > _DEPTH:
            return Markup("…")
        if isinstance(value, bool):
            word = "yes" if value else "no"
            return Markup('<span class="property-{}">{}</span>').format(word, word)
        if isinstance(value, datetime.datetime):
            return _time(value.isoformat(), f"{day_in_words(value)}, {value:%H:%M}")
        if isinstance(value, datetime.date):
            return _time(value.isoformat(), day_in_words(value))
        if isinstance(value, list):
            return _list(item for item in (self(item, depth + 1) for item in value) if item)
        if isinstance(value, dict):
            inside = Markup().join(
                Markup("<dt>{}</dt><dd>{}</dd>").format(str(key), self(item, depth + 1)) for key, item in value.items()
            )
            return Markup("<dl>{}</dl>").format(inside)
        return self._text(str(value))

    def _text(self, text: str) -> Markup:
        if moment := _DATE_TIME.fullmatch(text.strip()):
            try:
                day = datetime.date.fromisoformat(moment[1])
            except ValueError:
                return escape(text)
            return _time(f"{moment[1]}T{moment[2]}", f"{day_in_words(day)}, {moment[2]}")
        out, last = [], 0
        for match in _TEXT.finditer(text):
            out += [escape(text[last : match.start()]), self._link(match)]
            last = match.end()
        out.append(escape(text[last:]))
        return Markup("<br>").join(Markup().join(out).strip().split("\n"))

    def _link(self, match: re.Match[str]) -> Markup:
        if match["url"]:
            return Markup('<a href="{0}" rel="noopener">{0}</a>').format(match["url"])
        if match["wiki"]:
            target, fragment, label = scan.split_target(match["wiki"])
            text = label or " > ".join(filter(None, [target, *fragment.split("#")]))
        else:
            href, text = match["href"].strip("<>"), match["label"]
            if re.match(r"(?:https?:|mailto:)", href, re.I):
                return Markup('<a href="{}" rel="noopener">{}</a>').format(href, text)
            target, _, fragment = href.partition("#")
        link = scan.Link(target, fragment, text, False, bool(match["wiki"]), -1, -1)
        found = self.index.resolve(link, self.note.path)
        address = self.url(found.path) if found.kind in ("note", "file") else ""
        if address:
            anchor = f"#{found.anchor}" if found.anchor else ""
            return Markup('<a class="wikilink" href="{}{}">{}</a>').format(address, anchor, text)
        if found.kind in ("wanted", "broken"):
            why = "Not written yet" if found.kind == "wanted" else "This link leads nowhere"
            return Markup('<span class="{} wikilink" title="{}">{}</span>').format(found.kind, why, text)
        return Markup('<span class="private">{}</span>').format(text)


def _time(stamp: str, shown: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(stamp, shown)


def day_in_words(date: datetime.date) -> str:
    """Write a date as 3 May 2024, in whatever country the site is built."""
    return f"{date.day} {MONTHS[date.month - 1]} {date.year}"


def _list(items: Iterable[Markup]) -> Markup:
    inside = Markup().join(Markup("<li>{}</li>").format(item) for item in items)
    return Markup("<ul>{}</ul>").format(inside) if inside else Markup()
