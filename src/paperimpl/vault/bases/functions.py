"""The functions and fields that Obsidian documents for Bases, by the type of value that they belong to.

They follow JavaScript where Obsidian says so: rounding, slices from the end, text from numbers. On what a note does not
have, a function answers with nothing rather than with an error, so that a filter can be written without guards.
"""

from __future__ import annotations

import datetime
import decimal
import html
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from paperimpl.vault.bases.moment import ago, formatted
from paperimpl.vault.bases.pattern import Found, Pattern
from paperimpl.vault.bases.values import (
    LONGEST,
    Date,
    Duration,
    EvaluationError,
    File,
    Html,
    Image,
    Lazy,
    Link,
    Milliseconds,
    Tag,
    Value,
    date,
    duration,
    equal,
    is_empty,
    kind,
    leads,
    number,
    number_text,
    sort_key,
    text,
    truthy,
)

if TYPE_CHECKING:
    from paperimpl.vault.bases.evaluate import Scope

__all__ = ["EACH", "GLOBAL", "METHOD_NAMES", "REFUSED", "field", "method"]

_Function = Callable[..., Value]
_Run = Callable[["Scope"], Value]

# What is known and cannot be had on a page that is built once, with the reason.
REFUSED = {
    "icon": "icon() is not supported: the site has no Lucide icons",
    "random": "random() is not supported: two builds of the same notes are the same",
}


def field(value: Value, name: str, scope: Scope) -> Value:
    """Return a field of a value, or None where it has none of that name."""
    match value:
        case File():
            known = scope.library.field(value, name)
            if name == "file" or known is not None:
                return known
            return scope.library.properties(value).get(name)
        case Lazy():
            return value.get(name)
        case dict():
            return value.get(name)
        case Link():
            return field(File(value.path), name, scope) if value.path else None
        case str() | list():
            return len(value) if name == "length" else None
        case Date():
            at = value.at
            if name == "millisecond":
                return at.microsecond // 1000
            known = ("year", "month", "day", "hour", "minute", "second")
            return getattr(at, name) if name in known else None
        case Duration() | Milliseconds():
            total = value.total if isinstance(value, Duration) else float(value)
            units = {"days": 86_400_000, "hours": 3_600_000, "minutes": 60_000, "seconds": 1_000, "milliseconds": 1}
            return _whole(total / units[name]) if name in units else None
    return None


def method(value: Value, name: str) -> tuple[_Function, Value]:
    """Find a function of a value, and the value that it is called on: of a link, also what its file can do.

    Raises:
        EvaluationError: values of its type have none of that name.
    """
    found = _METHODS.get(kind(value), {}).get(name) or _ANY.get(name)
    if found is not None:
        return found, value
    if isinstance(value, Link) and name in _FILE:
        return (_FILE[name], File(value.path)) if value.path else (_nothing, None)
    if value is None:
        return _nothing, None
    raise EvaluationError(f"a {kind(value)} has no function {name}()")


def _nothing(scope: Scope, value: Value, *given: Value) -> Value:
    return None


def _whole(value: float) -> float:
    return int(value) if math.isfinite(value) and value == int(value) and abs(value) < 2**53 else value


def _text(scope: Scope, value: Value) -> str:
    return text(value, scope.budget.spend)


def _kept(scope: Scope, value: str) -> str:
    """Let a string through that is not too long."""
    scope.budget.spend(1 + len(value) // 50)
    if len(value) > LONGEST:
        raise EvaluationError("a text that is too long")
    return value


def _listed(scope: Scope, value: list[Value]) -> list[Value]:
    scope.budget.spend(1 + len(value))
    if len(value) > LONGEST:
        raise EvaluationError("a list that is too long")
    return value


def _number(value: Value, what: str) -> float:
    found = number(value)
    if found is None or math.isnan(found):
        raise EvaluationError(f"{what} takes a number, not a {kind(value)}")
    return found


def _count(value: Value, what: str) -> int:
    found = _number(value, what)
    return int(max(-LONGEST * 2, min(LONGEST * 2, found)))


# Global


def _escape_html(scope: Scope, value: Value) -> Value:
    return _kept(scope, html.escape(_text(scope, value)))


def _date(scope: Scope, value: Value) -> Value:
    if value is None or isinstance(value, Date):
        return value
    found = date(value if isinstance(value, str) else _text(scope, value))
    if found is None:
        raise EvaluationError("date() takes a date such as 2025-05-27")
    return found


def _duration(scope: Scope, value: Value) -> Value:
    if value is None or isinstance(value, Duration):
        return value
    found = duration(_text(scope, value))
    if found is None:
        raise EvaluationError("duration() takes a duration such as '1 week'")
    return found


def _file(scope: Scope, value: Value) -> Value:
    match value:
        case File():
            return value
        case Link():
            return File(value.path) if value.path else None
        case str():
            return scope.library.file(value, scope.base)
    return None


def _html(scope: Scope, value: Value) -> Value:
    return Html(_kept(scope, _text(scope, value)))


def _image(scope: Scope, value: Value) -> Value:
    match value:
        case None | Image():
            return value
        case File():
            return Image(value.path, name=value.stem)
        case Link():
            return Image(value.path, value.url, str(value))
        case list() if value:
            return _image(scope, value[0])
    written = _text(scope, value)
    link = scope.library.link(written, scope.file.path if scope.file else scope.base)
    return Image(link.path, link.url, link.target) if written.strip() else None


def _link(scope: Scope, value: Value, label: Value = None) -> Value:
    match value:
        case None:
            return None
        case File():
            return Link(value.stem, label=label, path=value.path)
        case Link():
            return Link(value.target, value.fragment, value.label if label is None else label, value.path, value.url)
    written = _kept(scope, _text(scope, value))
    return scope.library.link(written, scope.file.path if scope.file else scope.base, label)


def _list(scope: Scope, value: Value) -> Value:
    return value if isinstance(value, list) else [] if value is None else [value]


def _largest(scope: Scope, *values: Value) -> Value:
    return _extreme("max()", max, values)


def _smallest(scope: Scope, *values: Value) -> Value:
    return _extreme("min()", min, values)


def _extreme(name: str, choose: Callable[[list[float]], float], values: tuple[Value, ...]) -> Value:
    flat = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    numbers = [_number(value, name) for value in flat if value is not None]
    return choose(numbers) if numbers else None


def _now(scope: Scope) -> Value:
    return Date(scope.library.now)


def _today(scope: Scope) -> Value:
    return Date(scope.library.now.replace(hour=0, minute=0, second=0, microsecond=0), has_time=False)


def _to_number(scope: Scope, value: Value) -> Value:
    return None if value is None else _number(value, "number()")


GLOBAL: dict[str, _Function] = {
    "date": _date,
    "duration": _duration,
    "escapeHTML": _escape_html,
    "file": _file,
    "html": _html,
    "image": _image,
    "link": _link,
    "list": _list,
    "max": _largest,
    "min": _smallest,
    "now": _now,
    "number": _to_number,
    "today": _today,
}


# Any


def _is_type(scope: Scope, value: Value, wanted: Value) -> Value:
    return isinstance(wanted, str) and kind(value) == wanted.lower()


def _is_empty(scope: Scope, value: Value) -> Value:
    if isinstance(value, Lazy):
        return not value.raw
    return is_empty(value)


def _to_string(scope: Scope, value: Value) -> Value:
    return _text(scope, value.whole() if isinstance(value, Lazy) else value)


def _is_truthy(scope: Scope, value: Value) -> Value:
    return truthy(value)


_ANY: dict[str, _Function] = {
    "isEmpty": _is_empty,
    "isTruthy": _is_truthy,
    "isType": _is_type,
    "toString": _to_string,
}


# Null: what a note lacks contains nothing


def _never(scope: Scope, value: Value, *given: Value) -> Value:
    return False


_NULL: dict[str, _Function] = dict.fromkeys(
    (
        "contains",
        "containsAll",
        "containsAny",
        "startsWith",
        "endsWith",
        "hasLink",
        "hasTag",
        "hasProperty",
        "inFolder",
    ),
    _never,
)


# Date


def _format(scope: Scope, value: Date, pattern: Value = "YYYY-MM-DD") -> Value:
    return _kept(scope, formatted(value.at, _text(scope, pattern)[:1000]))


_DATE: dict[str, _Function] = {
    "date": lambda scope, value: Date(value.at.replace(hour=0, minute=0, second=0, microsecond=0), has_time=False),
    "format": _format,
    "time": lambda scope, value: value.at.strftime("%H:%M:%S"),
    "relative": lambda scope, value: ago((value.at - scope.library.now) / datetime.timedelta(seconds=1)),
    "isEmpty": _never,
}


# String


def _in_string(scope: Scope, value: str, wanted: Value) -> bool:
    scope.budget.spend(1 + len(value) // 50)
    if isinstance(value, Tag):
        return Tag(_text(scope, wanted)).key in value.key
    return _text(scope, wanted) in value


def _matching(scope: Scope, pattern: Pattern, value: str) -> Iterator[Found]:
    """Every match of a pattern, none of which overlap."""
    start = 0
    while start <= len(value) and (found := pattern.find(value, start, scope.budget.spend)) is not None:
        yield found
        start = found.end + (found.end == found.start)


def _replace(scope: Scope, value: str, pattern: Value, replacement: Value) -> Value:
    new = _text(scope, replacement)
    if not isinstance(pattern, Pattern):
        old = _text(scope, pattern)
        if value.count(old) * len(new) + len(value) > LONGEST:
            raise EvaluationError("a text that is too long")
        return _kept(scope, value.replace(old, new))
    out, last, size = [], 0, 0
    for found in _matching(scope, pattern, value):
        groups = [value[slice(*span)] if span else "" for span in found.spans]
        out.append(value[last : found.start] + _filled(new, groups))
        size += len(out[-1])
        if size > LONGEST:
            raise EvaluationError("a text that is too long")
        last = found.end
        if "g" not in pattern.flags:
            break
    return _kept(scope, "".join([*out, value[last:]]))


def _filled(template: str, groups: list[str]) -> str:
    """Fill `$1`, `$&` and `$$` in, as JavaScript does."""
    out, at = [], 0
    while (sign := template.find("$", at)) >= 0:
        out.append(template[at:sign])
        after = template[sign + 1 : sign + 2]
        if after == "$":
            out.append("$")
        elif after == "&":
            out.append(groups[0])
        elif after.isascii() and after.isdigit() and 0 < int(after) < len(groups):
            out.append(groups[int(after)])
        else:
            out.append("$" + after)
        at = sign + 2
    return "".join([*out, template[at:]])


def _split(scope: Scope, value: str, separator: Value, most: Value = None) -> Value:
    parts: list[str] = []
    if isinstance(separator, Pattern):
        last = 0
        for found in _matching(scope, separator, value):
            if found.end > found.start or last < found.start < len(value):  # where nothing stands, only between letters
                groups = (value[slice(*span)] if span else "" for span in found.spans[1:])
                parts += [value[last : found.start], *groups]
                last = found.end
        parts.append(value[last:])
    else:
        between = _text(scope, separator)
        parts = value.split(between) if between else list(value)
    if most is not None:
        parts = parts[: max(0, _count(most, "split()"))]
    return _listed(scope, parts)


def _repeat(scope: Scope, value: str, count: Value) -> Value:
    times = max(0, _count(count, "repeat()"))
    if times * len(value) > LONGEST:
        raise EvaluationError("a text that is too long")
    return _kept(scope, value * times)


def _slice(scope: Scope, value: Value, start: Value = 0, end: Value = None) -> Value:
    first = _count(start, "slice()")
    last = len(value) if end is None else _count(end, "slice()")
    first, last = (max(0, at + len(value)) if at < 0 else at for at in (first, last))
    part = value[first : max(first, last)]
    return _listed(scope, part) if isinstance(part, list) else _kept(scope, part)


def _title(scope: Scope, value: str) -> Value:
    out, begins = [], True
    for char in value:
        out.append(char.upper() if begins else char.lower())
        begins = char.isspace() or char in "-_/"
    return _kept(scope, "".join(out))


_STRING: dict[str, _Function] = {
    "contains": _in_string,
    "containsAll": lambda scope, value, *wanted: all(_in_string(scope, value, one) for one in wanted),
    "containsAny": lambda scope, value, *wanted: any(_in_string(scope, value, one) for one in wanted),
    "endsWith": lambda scope, value, wanted: value.endswith(_text(scope, wanted)),
    "lower": lambda scope, value: _kept(scope, value.lower()),
    "repeat": _repeat,
    "replace": _replace,
    "reverse": lambda scope, value: _kept(scope, value[::-1]),
    "slice": _slice,
    "split": _split,
    "startsWith": lambda scope, value, wanted: value.startswith(_text(scope, wanted)),
    "title": _title,
    "trim": lambda scope, value: _kept(scope, value.strip()),
    "upper": lambda scope, value: _kept(scope, value.upper()),
}


# Number


def _rounded(scope: Scope, value: float, digits: Value = 0) -> Value:
    places = max(-15, min(15, _count(digits, "round()")))
    if not math.isfinite(value) or abs(value) >= 1e21:
        return value
    scale = 10.0**places
    found = math.floor(value * scale + 0.5) / scale
    return _whole(round(found, max(0, places)))


def _fixed(scope: Scope, value: float, digits: Value = 0) -> Value:
    places = _count(digits, "toFixed()")
    if not 0 <= places <= 100:
        raise EvaluationError("toFixed() takes 0 to 100 digits")
    if not math.isfinite(value) or abs(value) >= 1e21:
        return text(value, scope.budget.spend)
    exact = decimal.Decimal(value or 0)  # no -0; halves go away from zero, where Python takes them to the even digit
    step = decimal.Decimal(1).scaleb(-places)
    return f"{exact.quantize(step, decimal.ROUND_HALF_UP, decimal.Context(prec=150)):f}"


def _towards(step: Callable[[float], int]) -> _Function:
    def stepped(scope: Scope, value: float) -> Value:
        return step(value) if math.isfinite(value) else value

    return stepped


_NUMBER: dict[str, _Function] = {
    "abs": lambda scope, value: abs(value),
    "ceil": _towards(math.ceil),
    "floor": _towards(math.floor),
    "round": _rounded,
    "toFixed": _fixed,
}


# List


def _in_list(scope: Scope, value: list[Value], wanted: Value) -> bool:
    scope.budget.spend(1 + len(value))
    return any(equal(item, wanted, scope.budget.spend) for item in value)


def _flat(scope: Scope, value: list[Value]) -> Value:
    out: list[Value] = []
    for item in value:
        out += item if isinstance(item, list) else [item]
        if len(out) > LONGEST:
            raise EvaluationError("a list that is too long")
    return _listed(scope, out)


def _join(scope: Scope, value: list[Value], separator: Value = ",") -> Value:
    between = _text(scope, separator)
    out, size = [], 0
    for item in value:
        out.append(_text(scope, item))
        size += len(out[-1]) + len(between)
        if size > LONGEST + len(between):
            raise EvaluationError("a text that is too long")
    return _kept(scope, between.join(out))


def _sorted(scope: Scope, value: list[Value]) -> Value:
    scope.budget.spend(1 + len(value))
    keyed = [(item is None, sort_key(item, scope.budget.spend)) for item in value]
    return [value[at] for at in sorted(range(len(value)), key=lambda at: keyed[at])]


def _unique(scope: Scope, value: list[Value]) -> Value:
    found: list[Value] = []
    seen: set[tuple[str, str]] = set()
    for item in value:
        if isinstance(item, (list, dict)):
            if not _in_list(scope, [other for other in found if isinstance(other, (list, dict))], item):
                found.append(item)
            continue
        key = _identity(item)
        if key not in seen:
            seen.add(key)
            found.append(item)
    return _listed(scope, found)


def _identity(value: Value) -> tuple[str, str]:
    """Make a key under which equal values are the same."""
    match value:
        case Link() | File():
            return leads(value) or ("text", "")
        case Tag():
            return ("tag", value.key)
        case Date():
            return ("date", value.at.isoformat())
        case int() | float() if not isinstance(value, bool):
            return ("number", number_text(value))
    return (kind(value), str(value))


def _mean(scope: Scope, value: list[Value]) -> Value:
    numbers = [found for item in value if (found := number(item)) is not None and math.isfinite(found)]
    scope.budget.spend(1 + len(value))
    return _whole(math.fsum(numbers) / len(numbers)) if numbers else None


_LIST: dict[str, _Function] = {
    "contains": _in_list,
    "containsAll": lambda scope, value, *wanted: all(_in_list(scope, value, one) for one in wanted),
    "containsAny": lambda scope, value, *wanted: any(_in_list(scope, value, one) for one in wanted),
    "flat": _flat,
    "join": _join,
    "mean": _mean,
    "reverse": lambda scope, value: _listed(scope, value[::-1]),
    "slice": _slice,
    "sort": _sorted,
    "unique": _unique,
}


def _with(scope: Scope, run: _Run, **variables: Value) -> Value:
    """Compute an argument for one element."""
    before = scope.variables
    scope.variables = {**before, **variables}
    try:
        return run(scope)
    finally:
        scope.variables = before


def _filter(scope: Scope, value: list[Value], given: list[_Run]) -> Value:
    (test,) = _exactly("filter()", given, 1)
    scope.budget.spend(len(value))
    return [item for at, item in enumerate(value) if truthy(_with(scope, test, value=item, index=at))]


def _map(scope: Scope, value: list[Value], given: list[_Run]) -> Value:
    (change,) = _exactly("map()", given, 1)
    scope.budget.spend(len(value))
    return [_with(scope, change, value=item, index=at) for at, item in enumerate(value)]


def _reduce(scope: Scope, value: list[Value], given: list[_Run]) -> Value:
    step, first = _exactly("reduce()", given, 2)
    found = first(scope)
    scope.budget.spend(len(value))
    for at, item in enumerate(value):
        found = _with(scope, step, value=item, index=at, acc=found)
    return found


def _exactly(name: str, given: list[_Run], count: int) -> list[_Run]:
    if len(given) != count:
        raise EvaluationError(f"{name} takes {count} values, not {len(given)}")
    return given


# Functions whose argument is computed for each element.
EACH: dict[str, Callable[[Scope, list[Value], list[_Run]], Value]] = {
    "filter": _filter,
    "map": _map,
    "reduce": _reduce,
}


# Link, file, object, regular expression


def _as_file(scope: Scope, value: Link) -> Value:
    return File(value.path) if value.path else None


def _links_to(scope: Scope, value: Link, other: Value) -> Value:
    return bool(value.path) and scope.library.links_to(File(value.path or ""), other, scope.base)


_LINK: dict[str, _Function] = {"asFile": _as_file, "linksTo": _links_to}

_FILE: dict[str, _Function] = {
    "asLink": lambda scope, value, label=None: Link(value.stem, label=label, path=value.path),
    "hasLink": lambda scope, value, other: scope.library.links_to(value, other, scope.base),
    "hasProperty": lambda scope, value, name: isinstance(name, str) and scope.library.properties(value).has(name),
    "hasTag": lambda scope, value, *tags: any(scope.library.has_tag(value, tag) for tag in tags),
    "inFolder": lambda scope, value, folder: scope.library.in_folder(value, folder),
}


def _object(value: Value) -> dict[str, Value]:
    return value.whole() if isinstance(value, Lazy) else value


_OBJECT: dict[str, _Function] = {
    "keys": lambda scope, value: _listed(scope, list(_object(value))),
    "values": lambda scope, value: _listed(scope, list(_object(value).values())),
}


def _matches(scope: Scope, value: Pattern, tested: Value) -> Value:
    return tested is not None and value.find(_text(scope, tested), 0, scope.budget.spend) is not None


_REGEXP: dict[str, _Function] = {"matches": _matches}

_METHODS: dict[str, dict[str, _Function]] = {
    "null": _NULL,
    "date": _DATE,
    "string": _STRING,
    "number": _NUMBER,
    "list": _LIST,
    "link": _LINK,
    "file": _FILE,
    "object": _OBJECT,
    "regexp": _REGEXP,
}
METHOD_NAMES = frozenset(name for table in (*_METHODS.values(), _ANY, EACH) for name in table)
