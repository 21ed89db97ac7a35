"""The language of filters and formulas: text to a tree. Total, and linear in the text.

    or      := and ("||" and)*                 primary := number | string | /regexp/ | true | false | null
    and     := equal ("&&" equal)*                      | name | name(args) | [items] | {"key": value}
    equal   := order (("==" | "!=") order)*             | (or)
    order   := sum (("<" | "<=" | ">" | ">=") sum)*
    sum     := product (("+" | "-") product)*
    product := unary (("*" | "/" | "%") unary)*
    unary   := ("!" | "-")* postfix
    postfix := primary (.name | .name(args) | [or])*

Operators of one rank make one flat node, however many there are; what nests is counted, so neither reading nor
evaluating can run out of stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from paperimpl.vault.bases.pattern import Pattern, PatternError

__all__ = [
    "Call",
    "Chain",
    "Get",
    "Item",
    "Items",
    "Literal",
    "Logic",
    "Method",
    "Name",
    "Node",
    "Pairs",
    "Prefix",
    "SyntaxProblem",
    "height",
    "parse",
    "walk",
]

_LONGEST = 20_000  # characters of an expression
_DEEPEST = 60  # expressions in expressions
_TALLEST = 120  # nodes from the root to a leaf
_RANKS = [("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%")]
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d][\w$]*|\$[\w$]*)"
    r"|(?P<operator>\|\||&&|[=!<>]=|[-+*/%!<>()\[\]{},.:])"
)
_STRING = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'", re.S)
_REGEXP = re.compile(r"/((?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)/([A-Za-z]*)")
_WORDS = {"true": True, "false": False, "null": None, "undefined": None}


class SyntaxProblem(ValueError):
    """An expression that cannot be read: why, and at which offset."""

    def __init__(self, why: str, at: int):
        super().__init__(why)
        self.at = at


@dataclass(frozen=True)
class Literal:
    """A number, string, truth value, null or regular expression."""

    value: float | int | str | bool | Pattern | None


@dataclass(frozen=True)
class Name:
    """A property of the note, a variable, or one of `note`, `file`, `formula`, `this`."""

    name: str


@dataclass(frozen=True)
class Items:
    """A list, `[1, 2]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Pairs:
    """An object, `{"a": 1}`."""

    pairs: tuple[tuple[str, Node], ...]


@dataclass(frozen=True)
class Call:
    """A global function, `if(a, b)`."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Get:
    """A field, `of.name`."""

    of: Node
    name: str


@dataclass(frozen=True)
class Item:
    """An element by number or key, `of[key]`."""

    of: Node
    key: Node


@dataclass(frozen=True)
class Method:
    """A function of a value, `of.name(arguments)`."""

    of: Node
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Prefix:
    """`!x` or `-x`."""

    operator: str
    operand: Node


@dataclass(frozen=True)
class Chain:
    """Operators of one rank, applied from the left."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True)
class Logic:
    """`a && b && …` or `a || b || …`: the right is looked at only where the left does not decide."""

    operator: str
    operands: tuple[Node, ...]


Node = Literal | Name | Items | Pairs | Call | Get | Item | Method | Prefix | Chain | Logic


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int
    value: str | Pattern | None = None


def parse(text: str) -> Node:
    """Read an expression.

    Raises:
        SyntaxProblem: it cannot be read.
    """
    if len(text) > _LONGEST:
        raise SyntaxProblem("the expression is too long", 0)
    reader = _Reader(list(_tokens(text)))
    node = reader.expression()
    reader.end()
    if height(node) > _TALLEST:
        raise SyntaxProblem("too deeply nested", 0)
    return node


def walk(node: Node) -> Iterator[Node]:
    """Every node of a tree, outer ones first."""
    todo = [node]
    while todo:
        node = todo.pop()
        yield node
        todo += _inside(node)


def height(node: Node) -> int:
    """Count the nodes from a tree's root to its farthest leaf."""
    found, todo = 0, [(node, 1)]
    while todo:
        node, depth = todo.pop()
        found = max(found, depth)
        todo += [(child, depth + 1) for child in _inside(node)]
    return found


def _inside(node: Node) -> tuple[Node, ...]:
    match node:
        case Items(nodes) | Call(_, nodes) | Logic(_, nodes):
            return nodes
        case Pairs(pairs):
            return tuple(value for _, value in pairs)
        case Get(of, _) | Prefix(_, of):
            return (of,)
        case Item(of, key):
            return (of, key)
        case Method(of, _, arguments):
            return (of, *arguments)
        case Chain(first, rest):
            return (first, *(operand for _, operand in rest))
    return ()


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    operand = True  # whether a value may begin here: what a slash means depends on it
    while at < len(text):
        if text[at] in "\"'":
            found = _STRING.match(text, at)
            if not found:
                raise SyntaxProblem("a string that never closes", at)
            inside = found[1] if found[1] is not None else found[2]
            yield _Token("string", found[0], at, _unescaped(inside))
            at, operand = found.end(), False
            continue
        if text[at] == "/" and operand:
            found = _REGEXP.match(text, at)
            if not found:
                raise SyntaxProblem("a regular expression that never closes", at)
            try:
                yield _Token("regexp", found[0], at, Pattern(found[1], found[2]))
            except PatternError as wrong:
                raise SyntaxProblem(str(wrong), at) from None
            at, operand = found.end(), False
            continue
        found = _TOKEN.match(text, at)
        if not found:
            hint = {"=": ": two, '==', compare", "&": ": write '&&'", "|": ": write '||'"}.get(text[at], "")
            raise SyntaxProblem(f"unexpected {text[at]!r}{hint}", at)
        if found.lastgroup != "space":
            yield _Token(str(found.lastgroup), found[0], at)
            operand = found.lastgroup == "operator" and found[0] not in (")", "]", "}")
        at = found.end()


def _unescaped(inside: str) -> str:
    if "\\" not in inside:
        return inside
    known = {"n": "\n", "t": "\t", "r": "\r"}
    return re.sub(r"\\(.)", lambda m: known.get(m[1], m[1]), inside, flags=re.S)


class _Reader:
    """Tokens to a tree, by precedence."""

    def __init__(self, tokens: list[_Token]):
        self.tokens = tokens
        self.position = 0
        self.depth = 0

    def _peek(self, *operators: str) -> bool:
        if self.position >= len(self.tokens):
            return False
        token = self.tokens[self.position]
        return token.kind == "operator" and token.text in operators

    def _take(self, *operators: str) -> str:
        """Read an operator if it is one of these."""
        if not self._peek(*operators):
            return ""
        self.position += 1
        return self.tokens[self.position - 1].text

    def _need(self, operator: str) -> None:
        if not self._take(operator):
            self._unexpected(f"where {operator!r} was expected")

    def _unexpected(self, where: str = "") -> None:
        if self.position >= len(self.tokens):
            end = self.tokens[-1].at + len(self.tokens[-1].text) if self.tokens else 0
            raise SyntaxProblem(f"it ends {where}" if where else "it ends where a value was expected", end)
        token = self.tokens[self.position]
        raise SyntaxProblem(f"unexpected {token.text!r} {where}".rstrip(), token.at)

    def end(self) -> None:
        """Make sure that nothing is left."""
        if self.position < len(self.tokens):
            self._unexpected()

    def expression(self, rank: int = 0) -> Node:
        """Read operators of a rank and above."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise SyntaxProblem("too deeply nested", self.tokens[min(self.position, len(self.tokens) - 1)].at)
        left = self._unary()
        for level in range(len(_RANKS) - 1, rank - 1, -1):
            rest: list[tuple[str, Node]] = []
            while operator := self._take(*_RANKS[level]):
                rest.append((operator, self.expression(level + 1)))
            if rest:
                logic = level < 2
                left = Logic(rest[0][0], (left, *(n for _, n in rest))) if logic else Chain(left, tuple(rest))
        self.depth -= 1
        return left

    def _unary(self) -> Node:
        prefixes = []
        while operator := self._take("!", "-"):
            prefixes.append(operator)
        if len(prefixes) > _DEEPEST:
            raise SyntaxProblem("too deeply nested", self.tokens[self.position - 1].at)
        node = self._postfix()
        for operator in reversed(prefixes):
            node = Prefix(operator, node)
        return node

    def _postfix(self) -> Node:
        node = self._primary()
        length = 0
        while operator := self._take(".", "["):
            length += 1
            if length > _DEEPEST:
                raise SyntaxProblem("too many '.' in a row", self.tokens[self.position - 1].at)
            if operator == "[":
                node = Item(node, self.expression())
                self._need("]")
                continue
            if self.position >= len(self.tokens) or self.tokens[self.position].kind != "name":
                self._unexpected("after '.'")
            name = self.tokens[self.position].text
            self.position += 1
            node = Method(node, name, self._arguments(")")) if self._take("(") else Get(node, name)
        return node

    def _primary(self) -> Node:
        if self.position >= len(self.tokens):
            self._unexpected()
        token = self.tokens[self.position]
        self.position += 1
        if token.kind == "number":
            exact = token.text.isdecimal() and len(token.text) <= 15
            return Literal(int(token.text) if exact else float(token.text))
        if token.kind in ("string", "regexp"):
            return Literal(token.value)
        if token.kind == "name":
            if token.text in _WORDS:
                return Literal(_WORDS[token.text])
            return Call(token.text, self._arguments(")")) if self._take("(") else Name(token.text)
        if token.text == "(":
            node = self.expression()
            self._need(")")
            return node
        if token.text == "[":
            return Items(self._arguments("]"))
        if token.text == "{":
            return self._object()
        self.position -= 1
        self._unexpected()
        raise AssertionError

    def _arguments(self, closing: str) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self._take(closing):
            found.append(self.expression())
            if not self._take(","):
                self._need(closing)
                break
        return tuple(found)

    def _object(self) -> Node:
        pairs: list[tuple[str, Node]] = []
        while not self._take("}"):
            if self.position >= len(self.tokens) or self.tokens[self.position].kind not in ("string", "name"):
                self._unexpected("where a key was expected")
            token = self.tokens[self.position]
            self.position += 1
            self._need(":")
            pairs.append((str(token.value) if token.kind == "string" else token.text, self.expression()))
            if not self._take(","):
                self._need("}")
                break
        return Pairs(tuple(pairs))
