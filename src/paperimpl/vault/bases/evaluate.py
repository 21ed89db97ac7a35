"""Trees to functions, and what an expression is computed in: a file, the formulas of its base, `this`, variables.

Nothing of Python is within an expression's reach, no value grows without end, and all work is counted: whoever
evaluates gives a budget, and nothing is computed beyond it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from paperimpl.vault.bases import functions
from paperimpl.vault.bases.library import FIELDS, Library
from paperimpl.vault.bases.syntax import (
    Call,
    Chain,
    Get,
    Item,
    Items,
    Literal,
    Logic,
    Method,
    Name,
    Node,
    Pairs,
    Prefix,
    height,
    parse,
    walk,
)
from paperimpl.vault.bases.values import (
    LONGEST,
    Date,
    Duration,
    EvaluationError,
    File,
    Lazy,
    Milliseconds,
    Value,
    date,
    duration,
    equal,
    kind,
    number,
    order,
    text,
    truthy,
)

__all__ = ["Budget", "Expression", "Scope", "Spent"]

_TALLEST = 200  # nodes, formulas within formulas included
_VARIABLES = frozenset({"value", "index", "acc", "values"})

_Run = Callable[["Scope"], Value]


class Spent(Exception):
    """The budget is used up: nothing more is computed."""


@dataclass
class Budget:
    """How many steps are left."""

    left: int

    def spend(self, steps: int) -> None:
        """Take steps from what is left.

        Raises:
            Spent: there are not so many.
        """
        self.left -= steps
        if self.left < 0:
            raise Spent


@dataclass
class Scope:
    """What names stand for while one file is looked at.

    Attributes:
        library: the vault.
        file: the file being evaluated; None in a summary.
        this: the file that shows the base.
        formulas: those of the base that can be read, by name.
        budget: what may be spent.
        base: the path of the base, from where links in expressions are seen.
    """

    library: Library
    file: File | None
    this: File
    formulas: Mapping[str, Expression]
    budget: Budget
    base: str = ""
    variables: dict[str, Value] = field(default_factory=dict)
    known: dict[str, Value | EvaluationError] = field(default_factory=dict)
    under_way: list[str] = field(default_factory=list)
    depth: int = 0

    def formula(self, name: str) -> Value:
        """Compute a formula of the base for this file, once."""
        if name not in self.known:
            if name in self.under_way:
                circle = " → ".join([*self.under_way[self.under_way.index(name) :], name])
                raise EvaluationError(f"formulas in a circle: {circle}")
            expression = self.formulas.get(name)
            if expression is None:
                return None
            self.under_way.append(name)
            variables, self.variables = self.variables, {}
            try:
                self.known[name] = expression.value(self)
            except EvaluationError as wrong:
                self.known[name] = wrong
            finally:
                self.under_way.pop()
                self.variables = variables
        found = self.known[name]
        if isinstance(found, EvaluationError):
            raise found
        return found


class Expression:
    """A filter statement, a formula or a summary.

    Args:
        source: its text.

    Raises:
        SyntaxProblem: it cannot be read.
    """

    def __init__(self, source: str):
        self.source = source
        self.tree = parse(source)
        self.height = height(self.tree)
        self._run = _compile(self.tree)

    def value(self, scope: Scope) -> Value:
        """Compute it.

        Raises:
            EvaluationError: it asks for what these values do not have.
            Spent: the budget is used up.
        """
        scope.depth += self.height
        try:
            if scope.depth > _TALLEST:
                raise EvaluationError("formulas in formulas, too deep")
            return self._run(scope)
        finally:
            scope.depth -= self.height

    @property
    def asks_this(self) -> bool:
        """Whether its value depends on the file that shows the base."""
        return any(isinstance(node, Name) and node.name == "this" for node in walk(self.tree))

    @property
    def formulas(self) -> set[str]:
        """The formulas that it names."""
        return {
            node.name
            for node in walk(self.tree)
            if isinstance(node, Get) and isinstance(node.of, Name) and node.of.name == "formula"
        }

    def unsupported(self, formulas: set[str]) -> Iterator[str]:
        """Say what it asks for that is not known here.

        Args:
            formulas: the names of the base's formulas, readable or not.
        """
        for node in walk(self.tree):
            match node:
                case Call(name, _) if name in functions.REFUSED:
                    yield functions.REFUSED[name]
                case Call(name, _) if name not in functions.GLOBAL and name not in ("if",):
                    yield f"the function {name}() is not supported"
                case Method(_, name, _) if name not in functions.METHOD_NAMES:
                    yield f"the function .{name}() is not supported"
                case Get(Name("file"), name) if name not in FIELDS:
                    yield f"the property file.{name} is not supported"
                case Get(Name("formula"), name) if name not in formulas:
                    yield f"there is no formula {name!r}"


def _compile(node: Node) -> _Run:
    """Make a function of a tree."""
    match node:
        case Literal(value):
            return lambda scope: value
        case Name(name):
            return _name(name)
        case Items(items):
            runs = [_compile(item) for item in items]
            return lambda scope: _sized([run(scope) for run in runs], scope)
        case Pairs(pairs):
            made = [(key, _compile(value)) for key, value in pairs]
            return lambda scope: {key: run(scope) for key, run in made}
        case Prefix(operator, operand):
            return _prefix(operator, _compile(operand))
        case Logic(operator, operands):
            return _logic(operator, [_compile(operand) for operand in operands])
        case Chain(first, rest):
            return _chain(_compile(first), [(operator, _compile(operand)) for operator, operand in rest])
        case Get(Name("file"), name):
            return lambda scope: scope.library.field(scope.file, name) if scope.file else None
        case Get(Name("note"), name):
            return lambda scope: scope.library.properties(scope.file).get(name) if scope.file else None
        case Get(Name("formula"), name):
            return lambda scope: scope.formula(name)
        case Get(of, name):
            return _get(_compile(of), name)
        case Item(Name("formula"), key):
            asked = _compile(key)
            return lambda scope: scope.formula(text(asked(scope), scope.budget.spend))
        case Item(of, key):
            return _item(_compile(of), _compile(key))
        case Call("if", arguments):
            return _if([_compile(argument) for argument in arguments])
        case Call(name, arguments):
            return _call(name, [_compile(argument) for argument in arguments])
        case Method(of, name, arguments):
            return _method(_compile(of), name, [_compile(argument) for argument in arguments])
    raise AssertionError(node)


def _name(name: str) -> _Run:
    match name:
        case "file":
            return lambda scope: scope.file
        case "this":
            return lambda scope: scope.this
        case "note":
            return lambda scope: scope.library.properties(scope.file) if scope.file else None
        case "formula":
            return lambda scope: None

    def run(scope: Scope) -> Value:
        scope.budget.spend(1)
        if name in _VARIABLES and name in scope.variables:
            return scope.variables[name]
        return scope.library.properties(scope.file).get(name) if scope.file else None

    return run


def _sized(value: list[Value], scope: Scope) -> list[Value]:
    scope.budget.spend(1 + len(value))
    if len(value) > LONGEST:
        raise EvaluationError("a list that is too long")
    return value


def _prefix(operator: str, operand: _Run) -> _Run:
    if operator == "!":
        return lambda scope: not truthy(operand(scope))

    def negative(scope: Scope) -> Value:
        value = operand(scope)
        if isinstance(value, Duration):
            return value.times(-1)
        found = number(value)
        if found is None:
            return None if value is None else _cannot(f"'-' before a {kind(value)}")
        return -found

    return negative


def _logic(operator: str, operands: list[_Run]) -> _Run:
    decides = operator == "||"

    def run(scope: Scope) -> Value:
        value: Value = None
        for operand in operands:
            scope.budget.spend(1)
            value = operand(scope)
            if truthy(value) == decides:
                break
        return value

    return run


def _chain(first: _Run, rest: list[tuple[str, _Run]]) -> _Run:
    steps = [(_OPERATORS[operator], operand) for operator, operand in rest]

    def run(scope: Scope) -> Value:
        value = first(scope)
        for apply, operand in steps:
            scope.budget.spend(1)
            value = apply(value, operand(scope), scope)
        return value

    return run


def _get(of: _Run, name: str) -> _Run:
    def run(scope: Scope) -> Value:
        scope.budget.spend(1)
        return functions.field(of(scope), name, scope)

    return run


def _item(of: _Run, key: _Run) -> _Run:
    def run(scope: Scope) -> Value:
        scope.budget.spend(1)
        value, asked = of(scope), key(scope)
        if isinstance(value, (list, str)):
            at = number(asked)
            if at is not None and at == at and abs(at) <= LONGEST and 0 <= int(at) < len(value):
                return value[int(at)]
            return None
        return functions.field(value, text(asked, scope.budget.spend), scope)

    return run


def _if(arguments: list[_Run]) -> _Run:
    def run(scope: Scope) -> Value:
        scope.budget.spend(1)
        if len(arguments) not in (2, 3):
            return _cannot("if() takes a condition and one or two results")
        if truthy(arguments[0](scope)):
            return arguments[1](scope)
        return arguments[2](scope) if len(arguments) == 3 else None

    return run


def _call(name: str, arguments: list[_Run]) -> _Run:
    function = functions.GLOBAL.get(name)

    def run(scope: Scope) -> Value:
        scope.budget.spend(1)
        if function is None:
            return _cannot(f"the function {name}() is not supported")
        return function(scope, *_counted(name, function, [argument(scope) for argument in arguments], 0))

    return run


def _method(of: _Run, name: str, arguments: list[_Run]) -> _Run:
    def run(scope: Scope) -> Value:
        scope.budget.spend(1)
        value = of(scope)
        if name in functions.EACH and (isinstance(value, list) or value is None):
            return functions.EACH[name](scope, value or [], arguments)
        function, value = functions.method(value, name)
        given = [argument(scope) for argument in arguments]
        return function(scope, value, *_counted(name, function, given, 1))

    return run


def _counted(name: str, function: Callable[..., Value], given: list[Value], own: int) -> list[Value]:
    """Make sure that a function gets as many arguments as it takes."""
    code = function.__code__
    least = code.co_argcount - len(function.__defaults__ or ()) - 1 - own
    most = None if code.co_flags & 4 else code.co_argcount - 1 - own
    if len(given) < least or (most is not None and len(given) > most):
        takes = f"{least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
        _cannot(f"{name}() takes {takes} values, not {len(given)}")
    return given


def _cannot(why: str) -> Value:
    raise EvaluationError(why)


def _add(a: Value, b: Value, scope: Scope) -> Value:
    if isinstance(a, Date) and (moved := _span(b)) is not None:
        return a.plus(moved)
    if isinstance(b, Date) and isinstance(a, Duration):
        return b.plus(a)
    if isinstance(a, Duration) and (other := _span(b)) is not None:
        return Duration(a.months + other.months, a.milliseconds + other.milliseconds)
    if isinstance(a, str) or isinstance(b, str):
        joined = text(a, scope.budget.spend) + text(b, scope.budget.spend)
        return _long(joined, scope)
    if isinstance(a, list) and isinstance(b, list):
        return _sized([*a, *b], scope)
    return _arithmetic(a, b, "+")


def _span(value: Value) -> Duration | None:
    """Read what a date may be moved by."""
    if isinstance(value, Duration):
        return value
    if isinstance(value, str):
        return duration(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return Duration(0, value)
    return None


def _long(value: str, scope: Scope) -> str:
    scope.budget.spend(len(value) // 50)
    if len(value) > LONGEST:
        raise EvaluationError("a text that is too long")
    return value


def _subtract(a: Value, b: Value, scope: Scope) -> Value:
    if isinstance(a, Date):
        other = date(b) if isinstance(b, str) else b
        if isinstance(other, Date):
            return Milliseconds(a.milliseconds - other.milliseconds)
        if (moved := _span(b)) is not None:
            return a.plus(moved, -1)
    if isinstance(a, Duration) and (taken := _span(b)) is not None:
        return Duration(a.months - taken.months, a.milliseconds - taken.milliseconds)
    return _arithmetic(a, b, "-")


def _multiply(a: Value, b: Value, scope: Scope) -> Value:
    factor = number(b)
    if isinstance(a, Duration) and factor is not None:
        return a.times(factor)
    return _arithmetic(a, b, "*")


def _divide(a: Value, b: Value, scope: Scope) -> Value:
    divisor = number(b)
    if isinstance(a, Duration) and not isinstance(b, Duration) and divisor:
        return a.times(1 / divisor)
    return _arithmetic(a, b, "/")


def _modulo(a: Value, b: Value, scope: Scope) -> Value:
    return _arithmetic(a, b, "%")


def _arithmetic(a: Value, b: Value, operator: str) -> Value:
    """Compute with numbers; what is missing makes the result missing."""
    if a is None or b is None:
        return None
    first, second = number(a), number(b)
    if first is None or second is None:
        return _cannot(f"{operator!r} of a {kind(a)} and a {kind(b)}")
    try:
        match operator:
            case "+":
                return _plain(first + second)
            case "-":
                return _plain(first - second)
            case "*":
                return _plain(first * second)
            case "/":
                if second == 0:
                    return math.nan if first == 0 or first != first else math.copysign(math.inf, first)
                return _plain(first / second)
        return _plain(math.fmod(first, second)) if second and math.isfinite(first) else math.nan
    except OverflowError:
        return math.inf


def _plain(value: float) -> float:
    """Keep whole numbers whole, and numbers the size that JavaScript has them."""
    if isinstance(value, int):
        return value if abs(value) < 2**53 else float(value) if abs(value) < 10**300 else math.inf
    return int(value) if math.isfinite(value) and value == int(value) and abs(value) < 2**53 else float(value)


def _compare(test: Callable[[int], bool]) -> Callable[[Value, Value, Scope], Value]:
    def compared(a: Value, b: Value, scope: Scope) -> Value:
        found = order(a, b)
        return found is not None and test(found)

    return compared


_OPERATORS: dict[str, Callable[[Value, Value, Scope], Value]] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "%": _modulo,
    "==": lambda a, b, scope: equal(_object(a), _object(b), scope.budget.spend),
    "!=": lambda a, b, scope: not equal(_object(a), _object(b), scope.budget.spend),
    "<": _compare(lambda found: found < 0),
    "<=": _compare(lambda found: found <= 0),
    ">": _compare(lambda found: found > 0),
    ">=": _compare(lambda found: found >= 0),
}


def _object(value: Value) -> Value:
    return value.whole() if isinstance(value, Lazy) else value
