"""A view of a base as HTML: a table, cards, a list or a board of columns, in the page's own style. No script."""

from __future__ import annotations

import re
import xml.etree.ElementTree as etree
from typing import TYPE_CHECKING

from markdown.util import AtomicString

from paperimpl.markdown.markup import add_text, elements
from paperimpl.vault import scan
from paperimpl.vault.bases.query import Column, Failure, Group, Row, Shown
from paperimpl.vault.bases.values import (
    Date,
    Duration,
    EvaluationError,
    File,
    Html,
    Icon,
    Image,
    Link,
    Tag,
    Value,
    is_empty,
    text,
)
from paperimpl.vault.index import anchor
from paperimpl.vault.problem import Problem

if TYPE_CHECKING:
    from paperimpl.markdown.extension import Context

__all__ = ["Bases", "view_id"]

_IMAGES = frozenset({"avif", "bmp", "gif", "jpeg", "jpg", "png", "svg", "webp"})
_HEX = re.compile(r"#(?:[0-9A-Fa-f]{3}){1,2}")
_ADDRESS = re.compile(r"https?://[^\s<>\"]+")
_MOST = 200  # items of a list in one cell


def view_id(name: str) -> str:
    """Name the place of a view in its page."""
    return f"view-{anchor(name)}"


class Bases:
    """Writes views into a page.

    Args:
        context: the page being rendered.
    """

    def __init__(self, context: Context):
        self.context = context

    def element(self, shown: list[Shown], where: str, page: bool) -> etree.Element:
        """Write views of one base.

        Args:
            shown: what they show.
            where: the base's file, as messages call it.
            page: whether this is the base's own page, where each view can be linked to.
        """
        box = etree.Element("div", {"class": "base"})
        if len(shown) > 1:
            tabs = _sub(box, "nav", "base-tabs")
            tabs.set("aria-label", "Views")
            for each in shown:
                _sub(
                    tabs,
                    "a",
                    "",
                    each.view.name or "Untitled",
                    {"href": f"#{view_id(each.view.name)}", "data-vault": ""},
                )
        for each in shown:
            section = _sub(box, "div", "base-view")
            section.set("role", "group")
            section.set("aria-label", each.view.name or "All")
            if page:
                section.set("id", view_id(each.view.name))
            self._view(section, each, where, named=len(shown) == 1)
        return box

    def _view(self, section: etree.Element, shown: Shown, where: str, named: bool) -> None:
        head = _sub(section, "p", "base-head")
        if named and shown.view.name:
            _sub(head, "span", "base-name", shown.view.name)
        count = sum(len(group.rows) for group in shown.groups)
        rows = [row for group in shown.groups for row in group.rows]
        what = "note" if all(row.file.extension == "md" for row in rows) else "file"
        number = f"{count}" if count == shown.total else f"{count} of {shown.total}"
        _sub(head, "span", "base-count", f"{number} {what}{'s' if shown.total != 1 else ''}")
        if not rows:
            _sub(section, "p", "base-nothing", "Nothing matches.")
            return
        match shown.view.kind:
            case "cards":
                self._cards(section, shown, where)
            case "kanban":
                self._kanban(section, shown, where)
            case "list":
                self._list(section, shown)
            case _:
                self._table(section, shown)

    # Tables

    def _table(self, section: etree.Element, shown: Shown) -> None:
        scroll = _sub(section, "div", "base-scroll")
        scroll.set("tabindex", "0")
        scroll.set("role", "group")
        scroll.set("aria-label", f"{shown.view.name or 'View'}, a table")
        table = _sub(scroll, "table", "base-table", attributes={"role": "table"})
        row = _sub(_sub(table, "thead", attributes={"role": "rowgroup"}), "tr", attributes={"role": "row"})
        numeric = [self._numeric(shown, at) for at in range(len(shown.columns))]
        for column, right in zip(shown.columns, numeric, strict=True):
            _sub(row, "th", "number" if right else "", column.title, {"scope": "col"})
        for group in shown.groups:
            body = _sub(table, "tbody", attributes={"role": "rowgroup"})
            if shown.grouped:
                row = _sub(body, "tr", "base-group", attributes={"role": "row"})
                attributes = {"colspan": str(len(shown.columns)), "scope": "rowgroup", "role": "rowheader"}
                self._group_name(_sub(row, "th", attributes=attributes), group)
            for each in group.rows:
                self._table_row(body, each, shown.columns, numeric)
        if any(shown.summaries):
            row = _sub(_sub(table, "tfoot", attributes={"role": "rowgroup"}), "tr", attributes={"role": "row"})
            for column, summary, right in zip(shown.columns, shown.summaries, numeric, strict=True):
                cell = _sub(row, "td", "number" if right else "", attributes={"role": "cell"})
                if summary:
                    cell.set("data-label", column.title)
                    _sub(cell, "span", "base-summary", summary[0])
                    add_text(cell, " ")
                    self.put(cell, summary[1])

    def _table_row(self, body: etree.Element, row: Row, columns: tuple[Column, ...], numeric: list[bool]) -> None:
        element = _sub(body, "tr", attributes={"role": "row"})
        for at, (column, value) in enumerate(zip(columns, row.cells, strict=True)):
            kind = " ".join(filter(None, ["first" * (at == 0), "number" * numeric[at], "empty" * is_empty(value)]))
            cell = _sub(element, "td", kind, attributes={"role": "cell", "data-label": column.title})
            self.put(cell, value)

    def _numeric(self, shown: Shown, at: int) -> bool:
        """Say whether a column holds numbers and nothing else."""
        values = [row.cells[at] for group in shown.groups for row in group.rows if not is_empty(row.cells[at])]
        return bool(values) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)

    def _group_name(self, parent: etree.Element, group: Group) -> None:
        if group.value is None:
            _sub(parent, "span", "base-none", "None")
        else:
            self.put(parent, group.value)
        _sub(parent, "span", "base-count", str(len(group.rows)))

    # Cards, columns, lists

    def _cards(self, section: etree.Element, shown: Shown, where: str) -> None:
        for group in shown.groups:
            if shown.grouped:
                self._group_name(_sub(section, "p", "base-group"), group)
            cards = _sub(section, "ul", "base-cards")
            size = shown.view.options.get("cardSize", "")
            if size.isdecimal() and 80 <= int(size[:6]) <= 1000:
                cards.set("style", f"--card: {int(size[:6])}px")
            for row in group.rows:
                self._card(cards, row, shown, where)

    def _kanban(self, section: etree.Element, shown: Shown, where: str) -> None:
        scroll = _sub(section, "div", "base-scroll base-columns", attributes={"tabindex": "0", "role": "group"})
        scroll.set("aria-label", f"{shown.view.name or 'View'}, in columns")
        for group in shown.groups:
            column = _sub(scroll, "div", "base-column")
            self._group_name(_sub(column, "p", "base-group"), group)
            cards = _sub(column, "ul", "base-cards")
            for row in group.rows:
                self._card(cards, row, shown, where)

    def _card(self, cards: etree.Element, row: Row, shown: Shown, where: str) -> None:
        card = _sub(cards, "li", "base-card")
        if shown.view.options.get("image"):
            self._cover(card, row, shown, where)
        body = _sub(card, "div", "base-card-body")
        self.put(_sub(body, "p", "base-card-title"), row.cells[0])
        rest = [(c, v) for c, v in zip(shown.columns[1:], row.cells[1:], strict=True) if not is_empty(v)]
        if rest:
            facts = _sub(body, "dl", "base-card-facts")
            for column, value in rest:
                fact = _sub(facts, "div")
                _sub(fact, "dt", "", column.title)
                self.put(_sub(fact, "dd"), value)

    def _cover(self, card: etree.Element, row: Row, shown: Shown, where: str) -> None:
        cover = _sub(card, "div", "base-cover")
        if shown.view.options.get("imageFit", "").lower() == "contain":
            cover.set("class", "base-cover contain")
        style = []
        ratio = shown.view.options.get("imageAspectRatio", "")
        if re.fullmatch(r"\d{1,3}(?:\.\d{1,4})?", ratio) and 0.1 <= float(ratio) <= 10:
            style.append(f"aspect-ratio: 1 / {float(ratio):g}")
        value = row.image
        while isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, str) and _HEX.fullmatch(value.strip()):
            style.append(f"background: {value.strip()}")
        elif (address := self._elsewhere(value)) is not None:
            self._tell_elsewhere(where, shown, address)
        elif (path := self._picture(value, row.file)) is not None:
            image = _sub(cover, "img", attributes={"src": self.context.href(path), "alt": "", "loading": "lazy"})
            image.set("data-vault", "")
        if style:
            cover.set("style", "; ".join(style))

    def _elsewhere(self, value: Value) -> str | None:
        """Find the address of a picture on another host, of which a page may not ask."""
        address = value.url if isinstance(value, (Image, Link)) else value if isinstance(value, str) else ""
        return address if _ADDRESS.match(address) else None

    def _tell_elsewhere(self, where: str, shown: Shown, address: str) -> None:
        host = address.split("/")[2]
        message = f"a picture on another host, {host}, is not shown: a page asks no host but its own"
        self._problem(Problem(where, shown.view.line, message, "put the picture into the vault", error=False))

    def _problem(self, problem: Problem) -> None:
        if problem not in self.context.problems:
            self.context.problems.append(problem)

    def _picture(self, value: Value, file: File) -> str | None:
        """Find the picture that a property names."""
        path: str | None = None
        match value:
            case Link() | Image() | File():
                path = value.path
            case str() if value.strip():
                link = self.context.views.library(self.context.index).link(value, file.path)
                path = link.path
        return path if path and path.rpartition(".")[2].lower() in _IMAGES else None

    def _list(self, section: etree.Element, shown: Shown) -> None:
        options = shown.view.options
        markers = options.get("markers", "").lower()
        nested = options.get("indentProperties", "").lower() == "true"
        between = options.get("separator", ",")
        between += " " if between in (",", ";", ":") else ""  # as one writes them
        for group in shown.groups:
            if shown.grouped:
                self._group_name(_sub(section, "p", "base-group"), group)
            numbered = markers.startswith("num")
            kind = "base-list bare" if markers == "none" else "base-list"
            items = _sub(section, "ol" if numbered else "ul", kind)
            for row in group.rows:
                item = _sub(items, "li")
                self.put(item, row.cells[0])
                rest = [(c, v) for c, v in zip(shown.columns[1:], row.cells[1:], strict=True) if not is_empty(v)]
                if nested and rest:
                    inner = _sub(item, "ul")
                    for _, value in rest:
                        self.put(_sub(inner, "li"), value)
                else:
                    for _, value in rest:
                        add_text(item, between)
                        self.put(item, value)

    # Values

    def put(self, parent: etree.Element, value: Value | Failure) -> None:
        """Put a value at the end of an element."""
        match value:
            case None:
                return
            case Failure(why):
                _sub(parent, "span", "base-failure", "–", {"title": why})
            case bool():
                mark = _sub(parent, "span", "base-check", "✓" if value else "", {"role": "img"})
                mark.set("aria-label", "yes" if value else "no")
            case Date():
                shown = value.at.strftime("%Y-%m-%d %H:%M") if value.has_time else value.at.strftime("%Y-%m-%d")
                _sub(parent, "time", "", shown, {"datetime": shown.replace(" ", "T")})
            case Tag():
                self._tag(parent, value)
            case str():
                self._text(parent, value)
            case File():
                self._link(parent, value.path, "", value.stem if value.extension == "md" else value.name)
            case Link():
                self._of_link(parent, value)
            case Image():
                self._image(parent, value)
            case Html(markup):
                parent.append(elements(markup))
            case Icon():
                return
            case list():
                self._items(parent, value)
            case _:
                add_text(parent, _safe_text(value))

    def _tag(self, parent: etree.Element, value: Tag) -> None:
        name = value.removeprefix("#")
        address = self.context.tag_url(name) if self.context.tag_url else ""
        attributes = {"href": address, "data-vault": ""} if address else {}
        _sub(parent, "a" if address else "span", "tag", f"#{name}", attributes)

    def _items(self, parent: etree.Element, value: list[Value]) -> None:
        for at, item in enumerate(value[:_MOST]):
            if at:
                add_text(parent, " " if isinstance(item, Tag) else ", ")
            if isinstance(item, list):
                add_text(parent, _safe_text(item))
            else:
                self.put(parent, item)
        if len(value) > _MOST:
            add_text(parent, " …")

    def _text(self, parent: etree.Element, value: str) -> None:
        """Put text, with the wiki-links and addresses in it made links."""
        if _ADDRESS.fullmatch(value):
            self._external(parent, value, value.partition("://")[2].rstrip("/"))
            return
        last = 0
        for match in scan.WIKI.finditer(value) if "[[" in value else ():
            target, fragment, label = scan.split_target(match["inside"])
            library = self.context.views.library(self.context.index)
            file = library.file(target, self.context.source) if target else None
            add_text(parent, value[last : match.start()])
            self._of_link(parent, Link(target, fragment, label, file.path if file else None))
            last = match.end()
        add_text(parent, value[last:])

    def _of_link(self, parent: etree.Element, link: Link) -> None:
        shown = link.label if link.label is not None and not isinstance(link.label, Icon) else str(_unlabelled(link))
        if link.path:
            resolved = self.context.index.resolve(
                scan.Link(f"/{link.path}", link.fragment, None, False, True, 0, 0), link.path
            )
            self._link(parent, link.path, resolved.anchor, shown)
        elif re.match(r"(?:https?|mailto):", link.url):
            self._external(parent, link.url, _safe_text(shown))
        else:
            self.put(parent, shown if isinstance(shown, (Html, Image)) else _safe_text(shown))

    def _link(self, parent: etree.Element, path: str, fragment: str, shown: Value) -> None:
        attributes = {"href": self.context.href(path, fragment), "data-vault": ""}
        element = _sub(parent, "a", "wikilink", attributes=attributes)
        if isinstance(shown, (Html, Image)):
            self.put(element, shown)
        else:
            element.text = AtomicString(_safe_text(shown) or path)

    def _external(self, parent: etree.Element, address: str, shown: str) -> None:
        _sub(parent, "a", "external", shown, {"href": address, "data-vault": ""})

    def _image(self, parent: etree.Element, image: Image) -> None:
        if image.path and image.path.rpartition(".")[2].lower() in _IMAGES:
            attributes = {"src": self.context.href(image.path), "alt": image.name, "loading": "lazy", "data-vault": ""}
            _sub(parent, "img", "base-image", attributes=attributes)
        elif _ADDRESS.match(image.url):
            self._external(parent, image.url, image.url.split("/")[2])


def _unlabelled(link: Link) -> Link:
    return Link(link.target, link.fragment, None, link.path, link.url)


def _safe_text(value: Value) -> str:
    """Write a value as text, however large: a formula may have made it."""
    left = 20_000

    def spend(steps: int) -> None:
        nonlocal left
        left -= steps
        if left < 0:
            raise EvaluationError("too long")

    try:
        return str(value) if isinstance(value, Duration) else text(value, spend)
    except EvaluationError:
        return "…"


def _sub(
    parent: etree.Element, tag: str, kind: str = "", shown: str = "", attributes: dict[str, str] | None = None
) -> etree.Element:
    """Add an element with text that holds no markup."""
    element = etree.SubElement(parent, tag, {"class": kind} if kind else {})
    for name, value in (attributes or {}).items():
        element.set(name, value)
    if shown:
        element.text = AtomicString(shown)
    return element
