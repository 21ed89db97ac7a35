"""A `.base` file: YAML to filters, formulas and views, every expression with its line. Total.

What is not supported becomes a `Problem` that names it, and is left out of what is returned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import yaml

from paperimpl.vault.bases.evaluate import Expression
from paperimpl.vault.bases.library import FIELDS
from paperimpl.vault.bases.syntax import SyntaxProblem
from paperimpl.vault.problem import Problem, nearest

__all__ = ["SUMMARIES", "VIEWS", "Base", "Combined", "Filter", "Formula", "Statement", "View", "property_id", "read"]

VIEWS = ("table", "cards", "list", "kanban")
SUMMARIES = (
    *("Average", "Min", "Max", "Sum", "Range", "Median", "Stddev", "Earliest", "Latest"),
    *("Checked", "Unchecked", "Empty", "Filled", "Unique"),
)

_LARGEST = 200_000  # characters of a file
_MOST = 2_000  # filter statements and properties of a base
_DEEPEST = 30
_TOP = ("filters", "formulas", "properties", "summaries", "views")


@dataclass(frozen=True)
class Statement:
    """One line of a filter."""

    expression: Expression
    line: int


@dataclass(frozen=True)
class Combined:
    """`and`: all of these hold; `or`: any; `not`: none."""

    how: Literal["and", "or", "not"]
    parts: tuple[Filter, ...]


Filter = Statement | Combined


@dataclass(frozen=True)
class Formula:
    """A formula: its expression, None where it cannot be had, and why."""

    expression: Expression | None
    line: int
    why: str = ""


@dataclass(frozen=True)
class View:
    """One way to show a base.

    Attributes:
        kind: one of `VIEWS`.
        name: what it is called; empty where it is not.
        line: where it begins.
        filters: which files it shows of those of the base.
        order: the properties that it shows, `note.x`, `file.x` or `formula.x`.
        sort: properties to sort by, each with whether downwards.
        group: a property to group by, with whether downwards.
        limit: how many files it shows at most; None for all.
        summaries: property to the name of a summary.
        options: what else is set, as written: `image`, `cardSize`, `markers` …
    """

    kind: str
    name: str
    line: int
    filters: Filter | None = None
    order: tuple[str, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    group: tuple[str, bool] | None = None
    limit: int | None = None
    summaries: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Base:
    """A base as it was read, without what is not supported.

    Attributes:
        path: its file, in the vault; that of the note for a base in a code block.
        where: what messages call that file.
        names: property to the name that it is displayed by.
        summaries: those of its own, by name.
        problems: what is wrong with it.
        broken: why nothing of it can be shown; empty where something can.
    """

    path: str
    where: str
    filters: Filter | None = None
    formulas: dict[str, Formula] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    summaries: dict[str, Formula] = field(default_factory=dict)
    views: tuple[View, ...] = ()
    problems: tuple[Problem, ...] = ()
    broken: str = ""

    def view(self, name: str) -> View | None:
        """Find a view by name, whatever the case; without a name, the first."""
        if not name:
            return self.views[0]
        wanted = name.strip().lower()
        return next((view for view in self.views if view.name.lower() == wanted), None)

    @property
    def asks_this(self) -> bool:
        """Whether what it shows depends on the file that shows it."""
        expressions = [formula.expression for formula in (*self.formulas.values(), *self.summaries.values())]
        todo = [part for part in (self.filters, *(view.filters for view in self.views)) if part]
        while todo:
            part = todo.pop()
            if isinstance(part, Statement):
                expressions.append(part.expression)
            else:
                todo += part.parts
        return any(expression.asks_this for expression in expressions if expression)


def property_id(written: str) -> str:
    """Give a property its whole name: `note.x` for a bare `x`."""
    return written if written.startswith(("note.", "file.", "formula.")) else f"note.{written}"


def read(text: str, path: str, where: str = "", first_line: int = 1) -> Base:
    """Read a base. Never raises: what cannot be read is told in `problems`.

    Args:
        text: the YAML.
        path: the file that it stands in, in the vault.
        where: what messages call that file.
        first_line: the number of its first line in that file.
    """
    return _Reading(path, where or path, first_line).base(text)


class _Reading:
    """One base being read."""

    def __init__(self, path: str, where: str, first_line: int):
        self.path = path
        self.where = where
        self.first = first_line
        self.problems: list[Problem] = []
        self.formula_names: set[str] = set()
        self.parts = 0

    def base(self, text: str) -> Base:
        if len(text) > _LARGEST:
            return self._broken(1, f"larger than {_LARGEST:,} characters", "split it")
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except Exception as refused:  # YAMLError, and RecursionError for what nests thousands deep
            mark = getattr(refused, "problem_mark", None)
            why = getattr(refused, "problem", None) or getattr(refused, "reason", None) or type(refused).__name__
            line = mark.line + 1 if mark else 1
            return self._broken(
                line, f"not YAML: {' '.join(str(why).split())}", "quote expressions that hold ': ', '#' or '!'"
            )
        if node is not None and not isinstance(node, yaml.MappingNode):
            return self._broken(1, "not a base: no 'views:' in it", "see Obsidian's help, Bases syntax")
        parts = dict(self._entries(node))
        for key, value in parts.items():
            if key not in _TOP:
                self._tell(value, f"unknown part {key!r} of a base", nearest(key, list(_TOP)))
        formulas = dict(self._entries(parts.get("formulas")))
        self.formula_names = set(formulas)
        read_formulas = {name: self._formula(name, value) for name, value in formulas.items()}
        filters = self._filter(parts.get("filters"))
        names = {}
        for name, value in self._entries(parts.get("properties")):
            for key, shown in self._entries(value):
                if key == "displayName" and isinstance(shown, yaml.ScalarNode):
                    names[property_id(name)] = shown.value
        summaries = {name: self._formula(name, value) for name, value in self._entries(parts.get("summaries"))}
        views = tuple(self._view(item, summaries) for item in self._items(parts.get("views")))
        return Base(
            self.path,
            self.where,
            filters,
            read_formulas,
            names,
            summaries,
            views or (View("table", "", self.first),),
            tuple(self.problems),
        )

    def _broken(self, line: int, why: str, remedy: str) -> Base:
        problem = Problem(self.where, line + self.first - 1, why, remedy)
        return Base(self.path, self.where, views=(View("table", "", self.first),), problems=(problem,), broken=why)

    def _line(self, node: yaml.Node) -> int:
        return int(node.start_mark.line) + self.first

    def _tell(self, node: yaml.Node, message: str, remedy: str = "") -> None:
        problem = Problem(self.where, self._line(node), message, remedy)
        if len(self.problems) < 100:
            self.problems.append(problem)

    def _entries(self, node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
        """Read a mapping's keys and values; what is none has none."""
        if node is None or _is_null(node):
            return
        if not isinstance(node, yaml.MappingNode):
            self._tell(node, "not a list of 'key: value'", "see Obsidian's help, Bases syntax")
            return
        for key, value in node.value:
            self.parts += 1
            if self.parts > _MOST:
                return
            if isinstance(key, yaml.ScalarNode):
                yield key.value, value

    def _items(self, node: yaml.Node | None) -> Iterator[yaml.Node]:
        if node is None or _is_null(node):
            return
        if not isinstance(node, yaml.SequenceNode):
            self._tell(node, "not a list of '- item'", "see Obsidian's help, Bases syntax")
            return
        for item in node.value:
            self.parts += 1
            if self.parts > _MOST:
                return
            yield item

    def _expression(self, node: yaml.Node, what: str) -> tuple[Expression | None, str]:
        """Read an expression, or tell why not."""
        if not isinstance(node, yaml.ScalarNode):
            self._tell(node, f"{what} is not an expression", "write it on one line, in quotes")
            return None, "not an expression"
        if node.tag.startswith("!") and not node.tag.startswith("tag:"):
            self._tell(node, f"{what} begins with '!' and is not quoted", "write it in quotes: '!…'")
            return None, "not quoted"
        try:
            expression = Expression(node.value)
        except SyntaxProblem as wrong:
            self._tell(node, f"{what} {_short(node.value)!r}: {wrong}", "mend the expression")
            return None, str(wrong)
        wanting = sorted(set(expression.unsupported(self.formula_names)))
        for why in wanting:
            self._tell(node, f"{what} {_short(node.value)!r}: {why}", "the view is shown without it")
        return (None, wanting[0]) if wanting else (expression, "")

    def _formula(self, name: str, node: yaml.Node) -> Formula:
        expression, why = self._expression(node, f"formula {name!r}")
        return Formula(expression, self._line(node), why)

    def _filter(self, node: yaml.Node | None, depth: int = 0) -> Filter | None:
        """Read a filter; None for one that says nothing, or nothing that is supported."""
        if node is None or _is_null(node):
            return None
        self.parts += 1
        if self.parts > _MOST or depth > _DEEPEST:
            if self.parts == _MOST + 1 or depth > _DEEPEST:
                self._tell(node, "a filter that is too large", "make it smaller")
            return None
        if isinstance(node, yaml.ScalarNode):
            expression, _ = self._expression(node, "filter")
            return Statement(expression, self._line(node)) if expression else None
        if isinstance(node, yaml.SequenceNode):
            self._tell(node, "a filter that is a list", "write 'and:', 'or:' or 'not:' above it")
            return self._combined("and", node, depth)
        found: list[Filter] = []
        for key, value in self._entries(node):
            if key not in ("and", "or", "not"):
                self._tell(value, f"unknown filter {key!r}", "write 'and', 'or' or 'not'")
            elif (part := self._combined(key, value, depth)) is not None:
                found.append(part)
        return found[0] if len(found) == 1 else Combined("and", tuple(found)) if found else None

    def _combined(self, how: str, node: yaml.Node, depth: int) -> Filter | None:
        items = [node] if isinstance(node, (yaml.ScalarNode, yaml.MappingNode)) else self._items(node)
        parts = [part for item in items if (part := self._filter(item, depth + 1)) is not None]
        return Combined(how, tuple(parts)) if parts else None  # type: ignore[arg-type]

    def _property(self, node: yaml.Node) -> str | None:
        """Read the name of a property; None, told, for one that there is not."""
        if not isinstance(node, yaml.ScalarNode):
            self._tell(node, "not the name of a property", "write 'note.x', 'file.x' or 'formula.x'")
            return None
        found = property_id(node.value)
        prefix, _, name = found.partition(".")
        if prefix == "formula" and name not in self.formula_names:
            self._tell(node, f"there is no formula {name!r}", nearest(name, list(self.formula_names)))
            return None
        if prefix == "file" and name not in FIELDS:
            self._tell(node, f"the property {found} is not supported", nearest(name, list(FIELDS)))
            return None
        return found

    def _view(self, node: yaml.Node, own_summaries: dict[str, Formula]) -> View:
        parts = dict(self._entries(node))
        kind = _scalar(parts.get("type")) or "table"
        if kind not in VIEWS:
            self._tell(parts["type"], f"the view type {kind!r} is not supported", "it is shown as a table")
            kind = "table"
        order = [found for item in self._items(parts.get("order")) if (found := self._property(item))]
        sort = [by for item in self._items(parts.get("sort")) if (by := self._direction(item))]
        group = self._direction(parts["groupBy"]) if "groupBy" in parts and not _is_null(parts["groupBy"]) else None
        limit = _scalar(parts.get("limit"))
        if limit and not limit.isdecimal():
            self._tell(parts["limit"], f"limit {_short(limit)!r} is not a number", "write a whole number")
        summaries = {}
        for name, value in self._entries(parts.get("summaries")):
            summary = _scalar(value)
            if summary not in SUMMARIES and summary not in own_summaries:
                self._tell(value, f"there is no summary {summary!r}", nearest(summary, [*SUMMARIES, *own_summaries]))
            else:
                summaries[property_id(name)] = summary
        return View(
            kind,
            _scalar(parts.get("name")),
            self._line(node),
            self._filter(parts.get("filters")),
            tuple(dict.fromkeys(order)),
            tuple(sort),
            group,
            min(int(limit[:9]), 10**6) if limit.isdecimal() and int(limit[:9]) else None,
            summaries,
            {key: value.value for key, value in parts.items() if isinstance(value, yaml.ScalarNode)},
        )

    def _direction(self, node: yaml.Node) -> tuple[str, bool] | None:
        """Read what to sort or group by: a property's name, or `property` and `direction`."""
        if isinstance(node, yaml.ScalarNode):
            bare = self._property(node)
            return (bare, False) if bare else None
        parts = dict(self._entries(node))
        if "property" not in parts:
            if isinstance(node, yaml.MappingNode):
                self._tell(node, "nothing to sort or group by", "write 'property: …'")
            return None
        name = self._property(parts["property"])
        direction = _scalar(parts.get("direction")).upper()
        if direction not in ("", "ASC", "DESC"):
            self._tell(parts["direction"], f"direction {_short(direction)!r}", "write ASC or DESC")
        return (name, direction == "DESC") if name else None


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _scalar(node: yaml.Node | None) -> str:
    return str(node.value).strip() if isinstance(node, yaml.ScalarNode) and not _is_null(node) else ""


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
