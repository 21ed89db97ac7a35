"""What a view of a base shows: which files, in which order and groups, with which values. Knows no HTML."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from paperimpl.vault.bases.evaluate import Budget, Scope, Spent
from paperimpl.vault.bases.library import FIELDS, Library
from paperimpl.vault.bases.reading import Base, Combined, Filter, Statement, View
from paperimpl.vault.bases.values import (
    Date,
    Duration,
    EvaluationError,
    File,
    Lazy,
    Value,
    is_empty,
    natural,
    number,
    sort_key,
    text,
    truthy,
)
from paperimpl.vault.problem import Problem

__all__ = ["Column", "Failure", "Group", "Row", "Shown", "show"]

_STEPS = 300_000  # for a view, and for each file besides:
_STEPS_A_FILE = 3_000


@dataclass(frozen=True)
class Failure:
    """Stands where a value cannot be computed: why."""

    why: str


@dataclass(frozen=True)
class Column:
    """A property that a view shows: `note.x`, and what it is called."""

    id: str
    title: str


@dataclass(frozen=True)
class Row:
    """A file, with its value for each column, and for the view's image."""

    file: File
    cells: tuple[Value | Failure, ...]
    image: Value = None


@dataclass(frozen=True)
class Group:
    """Files that share a value; None for a view that is not grouped, or for files without."""

    value: Value
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Shown:
    """What a view shows.

    Attributes:
        total: how many files pass the filters, whatever the limit.
        summaries: what each column comes to: a name and a value, or None.
        problems: what could not be computed.
    """

    view: View
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    total: int
    summaries: tuple[tuple[str, Value | Failure] | None, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def grouped(self) -> bool:
        """Whether the view has groups."""
        return self.view.group is not None


def show(base: Base, view: View, library: Library, this: File) -> Shown:
    """Compute a view.

    Args:
        base: the base.
        view: one of its views.
        library: the vault.
        this: the file that shows it.
    """
    return _Showing(base, view, library, this).shown()


@dataclass
class _Showing:
    base: Base
    view: View
    library: Library
    this: File
    problems: dict[tuple[int, str], Problem] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.formulas = {name: f.expression for name, f in self.base.formulas.items() if f.expression}
        self.budget = Budget(_STEPS + _STEPS_A_FILE * len(self.library.files))

    def shown(self) -> Shown:
        view = self.view
        columns = tuple(Column(name, self._title(name)) for name in view.order or ("file.name",))
        scopes: list[Scope] = []
        groups: list[tuple[Value, list[Scope]]] = []
        summaries: list[tuple[str, Value | Failure] | None] = []
        rows: dict[str, Row] = {}
        total = 0
        try:
            for file in sorted(self.library.files, key=lambda file: (natural(file.name), file.path)):
                scope = Scope(self.library, file, self.this, self.formulas, self.budget, self.base.path)
                if self._passes(self.base.filters, scope) and self._passes(view.filters, scope):
                    scopes.append(scope)
            total = len(scopes)
            for name, down in reversed(view.sort):
                scopes = self._sorted(scopes, name, down)
            groups = self._grouped(scopes)
            left = view.limit if view.limit is not None else total
            for at, (value, members) in enumerate(groups):
                groups[at] = (value, members[: max(0, left)])
                left -= len(members)
            groups = [(value, members) for value, members in groups if members]
            for scope in (scope for _, members in groups for scope in members):
                assert scope.file
                cells = tuple(self._value(scope, column.id) for column in columns)
                rows[scope.file.path] = Row(scope.file, cells, self._image(scope))
            summaries = [self._summary(column, scopes) for column in columns]
        except Spent:
            remedy = "make its filters or formulas simpler"
            self._tell(view.line, "it takes too much work: only a part is shown", remedy, error=True)
        return Shown(
            view,
            columns,
            tuple(
                Group(value, found)
                for value, members in groups
                if (found := tuple(rows[s.file.path] for s in members if s.file and s.file.path in rows))
            ),
            total,
            tuple(summaries) or (None,) * len(columns),
            tuple(self.problems.values()),
        )

    def _title(self, name: str) -> str:
        prefix, _, rest = name.partition(".")
        return self.base.names.get(name) or (FIELDS.get(rest, rest) if prefix == "file" else rest)

    def _tell(self, line: int, message: str, remedy: str, error: bool = False) -> None:
        key = (line, message.partition(" (in ")[0])
        self.problems.setdefault(key, Problem(self.base.where, line, message, remedy, error))

    def _passes(self, part: Filter | None, scope: Scope) -> bool:
        match part:
            case None:
                return True
            case Statement(expression, line):
                try:
                    return truthy(expression.value(scope))
                except EvaluationError as wrong:
                    self._failed("filter", expression.source, line, scope, wrong)
                    return False
            case Combined("and", parts):
                return all(self._passes(part, scope) for part in parts)
            case Combined("or", parts):
                return any(self._passes(part, scope) for part in parts)
            case Combined(_, parts):
                return not any(self._passes(part, scope) for part in parts)
        raise AssertionError(part)

    def _failed(self, what: str, source: str, line: int, scope: Scope, wrong: EvaluationError) -> None:
        where = f" (in {scope.file.path})" if scope.file else ""
        self._tell(line, f"{what} {source[:60]!r}: {wrong}{where}", "guard it with if(), or mend the property")

    def _value(self, scope: Scope, name: str) -> Value | Failure:
        """Return a property of a file, or why it cannot be had."""
        prefix, _, rest = name.partition(".")
        assert scope.file
        if prefix == "file":
            return scope.file if rest in ("name", "basename", "file") else self.library.field(scope.file, rest)
        if prefix == "note":
            return self.library.properties(scope.file).get(rest)
        formula = self.base.formulas[rest]
        if formula.expression is None:
            return Failure(formula.why)
        try:
            found = scope.formula(rest)
        except EvaluationError as wrong:
            self._failed(f"formula {rest!r}", formula.expression.source, formula.line, scope, wrong)
            return Failure(str(wrong))
        return found.whole() if isinstance(found, Lazy) else found

    def _image(self, scope: Scope) -> Value:
        written = self.view.options.get("image", "")
        prefix, _, rest = written.partition(".")
        if not written or (prefix == "formula" and rest not in self.base.formulas):
            return None
        return self._value(scope, written if prefix in ("note", "file", "formula") and rest else f"note.{written}")

    def _sorted(self, scopes: list[Scope], name: str, down: bool) -> list[Scope]:
        """Sort by a property; files without it come last, whatever the direction."""
        keyed, without = [], []
        for scope in scopes:
            value = self._value(scope, name)
            if isinstance(value, Failure) or is_empty(value):
                without.append(scope)
            else:
                keyed.append((self._key(value), scope))
        keyed.sort(key=lambda pair: pair[0], reverse=down)  # equal ones keep their order, either way
        return [*(scope for _, scope in keyed), *without]

    def _key(self, value: Value) -> tuple[object, ...]:
        if isinstance(value, File):
            return sort_key(value.name, self.budget.spend)
        return sort_key(value, self.budget.spend)

    def _grouped(self, scopes: list[Scope]) -> list[tuple[Value, list[Scope]]]:
        if self.view.group is None:
            return [(None, scopes)]
        name, down = self.view.group
        found: dict[tuple[object, ...], tuple[Value, list[Scope]]] = {}
        without: list[Scope] = []
        for scope in scopes:
            value = self._value(scope, name)
            if isinstance(value, Failure) or is_empty(value):
                without.append(scope)
                continue
            found.setdefault((*self._key(value), text(value, self.budget.spend)), (value, []))[1].append(scope)
        groups = [found[key] for key in sorted(found, reverse=down)]
        return [*groups, (None, without)] if without else groups

    def _summary(self, column: Column, scopes: list[Scope]) -> tuple[str, Value | Failure] | None:
        name = self.view.summaries.get(column.id)
        if name is None:
            return None
        found = [self._value(scope, column.id) for scope in scopes]
        values = [None if isinstance(value, Failure) else value for value in found]
        own = self.base.summaries.get(name)
        if own is None:
            return name, _SUMMARIES[name](values, self.budget)
        if own.expression is None:
            return name, Failure(own.why)
        scope = Scope(self.library, None, self.this, {}, self.budget, self.base.path, {"values": values})
        try:
            return name, own.expression.value(scope)
        except EvaluationError as wrong:
            self._failed(f"summary {name!r}", own.expression.source, own.line, scope, wrong)
            return name, Failure(str(wrong))


def _numbers(values: list[Value]) -> list[float]:
    return [
        found
        for value in values
        if not isinstance(value, (bool, str, Date, Duration))
        and (found := number(value)) is not None
        and math.isfinite(found)
    ]


def _of_numbers(compute: Callable[[list[float]], float]) -> Callable[[list[Value], Budget], Value]:
    def summary(values: list[Value], budget: Budget) -> Value:
        numbers = _numbers(values)
        return _tidy(compute(numbers)) if numbers else None

    return summary


def _tidy(value: float) -> float:
    rounded = round(value, 10)
    return int(rounded) if math.isfinite(rounded) and rounded == int(rounded) else rounded


def _median(numbers: list[float]) -> float:
    ordered, half = sorted(numbers), len(numbers) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _deviation(numbers: list[float]) -> float:
    mean = math.fsum(numbers) / len(numbers)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in numbers) / len(numbers))


def _dates(values: list[Value]) -> list[Date]:
    return sorted((value for value in values if isinstance(value, Date)), key=lambda value: value.at)


def _range(values: list[Value], budget: Budget) -> Value:
    dates = _dates(values)
    if dates:
        return Duration(0, dates[-1].milliseconds - dates[0].milliseconds)
    numbers = _numbers(values)
    return _tidy(max(numbers) - min(numbers)) if numbers else None


def _unique(values: list[Value], budget: Budget) -> Value:
    return len({text(value, budget.spend) for value in values if not is_empty(value)})


_SUMMARIES: dict[str, Callable[[list[Value], Budget], Value]] = {
    "Average": _of_numbers(lambda numbers: math.fsum(numbers) / len(numbers)),
    "Min": _of_numbers(min),
    "Max": _of_numbers(max),
    "Sum": _of_numbers(math.fsum),
    "Range": _range,
    "Median": _of_numbers(_median),
    "Stddev": _of_numbers(_deviation),
    "Earliest": lambda values, budget: next(iter(_dates(values)), None),
    "Latest": lambda values, budget: next(iter(reversed(_dates(values))), None),
    "Checked": lambda values, budget: sum(value is True for value in values),
    "Unchecked": lambda values, budget: sum(value is False for value in values),
    "Empty": lambda values, budget: sum(is_empty(value) for value in values),
    "Filled": lambda values, budget: sum(not is_empty(value) for value in values),
    "Unique": _unique,
}
