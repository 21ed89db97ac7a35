"""What expressions compute with: numbers, strings, lists and objects as Python has them, and dates, links and files.

A property of a note becomes one of these when it is asked for (`from_property`). Every walk over a list in a list says
what it costs, for a formula can build by sharing what no one could write out.
"""

from __future__ import annotations

import calendar
import datetime
import decimal
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from paperimpl.vault.bases.pattern import Pattern
from paperimpl.vault.scan import split_target

__all__ = [
    "LONGEST",
    "Date",
    "Duration",
    "EvaluationError",
    "File",
    "Html",
    "Icon",
    "Image",
    "Lazy",
    "Link",
    "Milliseconds",
    "Spend",
    "Tag",
    "Value",
    "date",
    "duration",
    "equal",
    "from_property",
    "is_empty",
    "kind",
    "leads",
    "natural",
    "number",
    "number_text",
    "order",
    "sort_key",
    "text",
    "truthy",
]

# None, bool, int, float, str, list, dict, and the classes below.
Value = Any
Spend = Callable[[int], None]

LONGEST = 100_000  # characters of a string, and elements of a list
_DAY = 86_400_000
_ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6})\d*)?)?[ ]?(Z|[+-]\d{2}:?\d{2})?)?"
)
_DURATION = re.compile(r"([+-]?\d{1,9}(?:\.\d{1,9})?)\s*([A-Za-z]+)\s*,?\s*")
_UNITS: dict[str, tuple[int, int]] = {  # months, milliseconds
    "y": (12, 0),
    "M": (1, 0),
    "w": (0, 7 * _DAY),
    "d": (0, _DAY),
    "h": (0, 3_600_000),
    "m": (0, 60_000),
    "s": (0, 1_000),
    "ms": (0, 1),
}
_UNIT_OF = {
    **{unit: unit for unit in _UNITS},
    "year": "y",
    "month": "M",
    "week": "w",
    "day": "d",
    "hour": "h",
    "minute": "m",
    "second": "s",
}


class EvaluationError(ValueError):
    """What an expression asks for cannot be had of these values."""


@dataclass(frozen=True)
class Date:
    """A day, or a moment; without time zone, as notes have it."""

    at: datetime.datetime
    has_time: bool = True

    def __str__(self) -> str:
        return self.at.strftime("%Y-%m-%d %H:%M:%S") if self.has_time else self.at.strftime("%Y-%m-%d")

    @property
    def milliseconds(self) -> int:
        """Since 1970, in UTC."""
        return round((self.at - datetime.datetime(1970, 1, 1)) / datetime.timedelta(milliseconds=1))

    def plus(self, duration: Duration, sign: int = 1) -> Date:
        """Move it: months by the calendar, the rest by the clock."""
        try:
            year, month = divmod(self.at.year * 12 + self.at.month - 1 + sign * duration.months, 12)
            last = calendar.monthrange(year, month + 1)[1]
            moved = self.at.replace(year=year, month=month + 1, day=min(self.at.day, last))
            moved += datetime.timedelta(milliseconds=sign * duration.milliseconds)
        except (OverflowError, ValueError):
            raise EvaluationError("a date beyond the calendar") from None
        return Date(moved, self.has_time or bool(duration.milliseconds % _DAY))


@dataclass(frozen=True)
class Duration:
    """A span of time: months, which differ in length, and milliseconds."""

    months: int
    milliseconds: float

    @property
    def total(self) -> float:
        """In milliseconds, a month taken as 30 days."""
        return self.months * 30 * _DAY + self.milliseconds

    def times(self, factor: float) -> Duration:
        """Stretch it; a part of a month becomes days."""
        months = self.months * factor
        if not math.isfinite(months) or not math.isfinite(self.milliseconds * factor) or abs(months) > 1e6:
            raise EvaluationError("a duration beyond the calendar")
        return Duration(int(months), self.milliseconds * factor + (months - int(months)) * 30 * _DAY)

    def __str__(self) -> str:
        years, months = divmod(abs(self.months), 12)
        rest = abs(self.milliseconds)
        parts = [(years, "year"), (months, "month")]
        for unit, name in (("d", "day"), ("h", "hour"), ("m", "minute"), ("s", "second")):
            amount, rest = divmod(rest, _UNITS[unit][1])
            parts.append((int(amount), name))
        told = ", ".join(f"{n} {name}{'s' if n != 1 else ''}" for n, name in parts if n)
        return ("-" if self.total < 0 else "") + (told or "0 seconds")


class Milliseconds(float):
    """What lies between two dates: a number, that also has `days`, `hours` and so on."""


class Tag(str):
    """A tag: `#a`, which compares without its `#` and whatever the case."""

    __slots__ = ()

    @property
    def key(self) -> str:
        """What it compares by."""
        return self.removeprefix("#").lower()


@dataclass(frozen=True)
class Link:
    """A link, as in a property or made by `link()`; `path` is where it leads, None where that is no published file."""

    target: str
    fragment: str = ""
    label: Value = None
    path: str | None = None
    url: str = ""

    def __str__(self) -> str:
        if self.label is not None:
            return str(self.label)
        return self.url or " > ".join(filter(None, [self.target, *self.fragment.split("#")]))


@dataclass(frozen=True)
class File:
    """A file of the vault that is published, by its path."""

    path: str

    @property
    def name(self) -> str:
        """Its name, with extension."""
        return self.path.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """Its name without extension."""
        return PurePosixPath(self.path).stem

    @property
    def extension(self) -> str:
        """What follows the last dot of its name."""
        return PurePosixPath(self.path).suffix[1:]

    @property
    def folder(self) -> str:
        """The folder it is in, `/` for the vault's root."""
        return self.path.rpartition("/")[0] or "/"

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True)
class Html:
    """Text that is markup."""

    markup: str

    def __str__(self) -> str:
        return re.sub(r"<[^<>]*>", "", self.markup)


@dataclass(frozen=True)
class Image:
    """A picture: a file of the vault, or an address."""

    path: str | None
    url: str = ""
    name: str = ""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Icon:
    """An icon by its Lucide name; the site draws none."""

    name: str

    def __str__(self) -> str:
        return ""


@dataclass
class Lazy:
    """An object whose values are made when asked for: a note's properties."""

    raw: dict[str, Any]
    convert: Callable[[str, Any], Value]
    made: dict[str, Value] = field(default_factory=dict)

    @cached_property
    def _keys(self) -> dict[str, str]:
        return {key.lower(): key for key in reversed(self.raw)}

    def get(self, name: str) -> Value:
        """Return a property; its name's case does not matter, as in Obsidian."""
        key = name if name in self.raw else self._keys.get(name.lower())
        if key is None:
            return None
        if key not in self.made:
            self.made[key] = self.convert(key, self.raw[key])
        return self.made[key]

    def has(self, name: str) -> bool:
        """Say whether there is such a property, empty or not."""
        return name.lower() in self._keys

    def whole(self) -> dict[str, Value]:
        """Return all of them."""
        return {key: self.get(key) for key in self.raw}


def kind(value: Value) -> str:
    """Name a value's type, as `isType` and messages do."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "list"
        case dict() | Lazy():
            return "object"
        case Date():
            return "date"
        case Duration():
            return "duration"
        case Link():
            return "link"
        case File():
            return "file"
        case Pattern():
            return "regexp"
    return type(value).__name__.lower()


def truthy(value: Value) -> bool:
    """Say whether a condition holds: null, false, 0, NaN, the empty string and the empty list do not."""
    if isinstance(value, float) and math.isnan(value):
        return False
    if value is None or isinstance(value, (bool, int, float, str, list)):
        return bool(value)
    return True


def text(value: Value, spend: Spend) -> str:
    """Write a value as a string."""
    out: list[str] = []
    size = 0
    todo: list[Value] = [value]
    while todo:
        item = todo.pop()
        spend(1)
        if isinstance(item, list):
            inner: list[Value] = []
            for at, element in enumerate(item):
                inner += [_Raw(", ")] * (at > 0) + [element]
            todo += reversed(inner)
            spend(len(item))
            continue
        if isinstance(item, dict):
            inner = [_Raw("{")]
            for at, (key, element) in enumerate(item.items()):
                inner += [_Raw(f"{', ' * (at > 0)}{key}: "), element]
            todo += reversed([*inner, _Raw("}")])
            spend(len(item))
            continue
        part = _simple_text(item)
        size += len(part)
        if size > LONGEST:
            raise EvaluationError("a text that is too long")
        out.append(part)
    return "".join(out)


class _Raw(str):
    __slots__ = ()


def _simple_text(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return number_text(value)
    return str(value)


def number_text(value: float) -> str:
    """Write a number as JavaScript does: no `.0`, no more digits than tell it apart."""
    if isinstance(value, int) and abs(value) < 10**21:
        return str(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    digits, mark, power = repr(float(value)).partition("e")
    if not mark:
        return digits
    return f"{decimal.Decimal(repr(float(value))):f}" if -7 < int(power) < 0 else f"{digits}e{int(power):+d}"


def number(value: Value) -> float | None:
    """Read a number where one stands; None where none does."""
    match value:
        case bool():
            return int(value)
        case int() | float():
            return value
        case Date():
            return value.milliseconds
        case Duration():
            return value.total
        case str():
            stripped = value.strip()
            if re.fullmatch(r"[+-]?(?:\d{1,300}(?:\.\d{0,300})?|\.\d{1,300})(?:[eE][+-]?\d{1,4})?", stripped):
                found = float(stripped)
                return int(found) if found == int(found) and abs(found) < 1e15 and stripped.isdecimal() else found
    return None


def date(value: str) -> Date | None:
    """Read `2025-05-27`, `2025-05-27 12:30:00` or an ISO date with `T`; None where it is none."""
    found = _ISO.fullmatch(value.strip()) if len(value) < 60 else None
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        micro = int((fraction or "").ljust(6, "0"))
        at = datetime.datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micro
        )
        if zone and zone != "Z":
            sign = -1 if zone[0] == "+" else 1
            at += sign * datetime.timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    except (ValueError, OverflowError):
        return None
    return Date(at, hour is not None)


def duration(value: str) -> Duration | None:
    """Read `1d`, `2 weeks` or `1h 30m`; None where it is none."""
    rest = value.strip()
    if not rest or len(rest) > 100:
        return None
    months, milliseconds, at = 0, 0.0, 0
    while at < len(rest):
        found = _DURATION.match(rest, at)
        if not found:
            return None
        name = found[2]
        unit = _UNIT_OF.get(name) or _UNIT_OF.get(name.lower().removesuffix("s") if len(name) > 2 else "")
        if unit is None:
            return None
        amount = float(found[1])
        part = Duration(*_UNITS[unit]).times(amount)
        months, milliseconds = months + part.months, milliseconds + part.milliseconds
        at = found.end()
    return Duration(months, milliseconds)


def equal(a: Value, b: Value, spend: Spend) -> bool:
    """Say whether two values are the same; links and files are where they lead to the same file."""
    todo = [(a, b)]
    while todo:
        a, b = todo.pop()
        spend(1)
        if isinstance(a, list) and isinstance(b, list):
            if len(a) != len(b):
                return False
            todo += zip(a, b, strict=True)
            spend(len(a))
        elif isinstance(a, dict) and isinstance(b, dict):
            if a.keys() != b.keys():
                return False
            todo += [(a[key], b[key]) for key in a]
            spend(len(a))
        elif not _same(a, b):
            return False
    return True


def _same(a: Value, b: Value) -> bool:
    if isinstance(a, (Link, File)) or isinstance(b, (Link, File)):
        return leads(a) == leads(b)
    if isinstance(a, Tag) or isinstance(b, Tag):
        return isinstance(a, str) and isinstance(b, str) and Tag(a).key == Tag(b).key
    if isinstance(a, Date) and isinstance(b, str):
        a, b = b, a
    if isinstance(b, Date) and isinstance(a, str):
        read = date(a)
        return read is not None and (read.at.date() == b.at.date() if not read.has_time else read.at == b.at)
    if isinstance(a, Date) and isinstance(b, Date):
        return a.at == b.at
    if isinstance(a, bool) != isinstance(b, bool):
        return False
    if isinstance(a, (list, dict)) or isinstance(b, (list, dict)):
        return False
    return bool(a == b)


def leads(value: Value) -> tuple[str, str] | None:
    """Say what a link, a file or a string stands for: a file by its path, or the text of a link that has none."""
    match value:
        case File():
            return ("file", value.path)
        case Link():
            return ("file", value.path) if value.path else ("text", (value.url or value.target).lower())
        case str():
            inside = value.strip()
            if inside.startswith("[[") and inside.endswith("]]"):
                inside = split_target(inside[2:-2])[0]
            return ("text", inside.lower())
    return None


def order(a: Value, b: Value) -> int | None:
    """Compare two values by size: -1, 0 or 1; None where they cannot be."""
    if a is None or b is None:
        return None
    if isinstance(a, Date) or isinstance(b, Date):
        first = date(a) if isinstance(a, str) else a
        second = date(b) if isinstance(b, str) else b
        if isinstance(first, Date) and isinstance(second, Date):
            return (first.at > second.at) - (first.at < second.at)
    if isinstance(a, str) and isinstance(b, str):
        return (a > b) - (a < b)
    first, second = number(a), number(b)
    if first is None or second is None or math.isnan(first) or math.isnan(second):
        return None
    return (first > second) - (first < second)


def natural(value: str) -> tuple[Any, ...]:
    """Make a key that sorts as people do: without case, and 2 before 10."""
    parts = re.split(r"(\d{1,15})", value.casefold())
    return tuple((0, int(part), "") if at % 2 else (1, 0, part) for at, part in enumerate(parts) if part)


def sort_key(value: Value, spend: Spend) -> tuple[Any, ...]:
    """Make a key by which values of any types can be sorted: numbers, dates, then everything else as text."""
    if isinstance(value, list):
        return (3, tuple(natural(text(item, spend)) for item in value[:20]))
    if isinstance(value, bool):
        return (0, int(value))
    if isinstance(value, (int, float)):
        return (0, -math.inf if math.isnan(value) else value)
    if isinstance(value, Duration):
        return (1, value.total)
    if isinstance(value, Date):
        return (2, value.at)
    return (3, (natural(text(value, spend)),))


def is_empty(value: Value) -> bool:
    """Say whether there is nothing in a value."""
    return value is None or (isinstance(value, (str, list, dict)) and not value)


def from_property(key: str, raw: Any, link: Callable[[str], Link | None]) -> Value:
    """Turn what YAML made of a property into a value.

    Args:
        key: the property's name; `tags` holds tags.
        raw: what YAML made.
        link: makes a link of `[[…]]`; None where that is none.
    """
    tags = key.lower() in ("tags", "tag")
    made: dict[int, Value] = {}  # what YAML's anchors share stays shared

    def convert(item: Any, depth: int) -> Value:
        if isinstance(item, (list, tuple, set, dict)):
            if id(item) not in made:
                made[id(item)] = inside(item, depth + 1) if depth < 10 else None
            return made[id(item)]
        match item:
            case bool() | int() | float() | None:
                return item if not isinstance(item, int) or abs(item) < 10**300 else None
            case datetime.datetime():
                naive = item.astimezone(datetime.UTC).replace(tzinfo=None) if item.tzinfo else item
                return Date(naive)
            case datetime.date():
                return Date(datetime.datetime(item.year, item.month, item.day), has_time=False)
            case str():
                if tags:
                    return Tag(item)
                return link(item) or date(item) or item
        return str(item)[:LONGEST]

    def inside(item: Any, depth: int) -> Value:
        if isinstance(item, dict):
            return {str(k): convert(v, depth) for k, v in item.items()}
        return [convert(one, depth) for one in item]

    if tags and isinstance(raw, str):
        return [Tag(part) for part in re.split(r"[,\s]+", raw) if part]
    return convert(raw, 0)
