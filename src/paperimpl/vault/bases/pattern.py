"""Regular expressions in linear time: what `/…/` means in a base, without backtracking.

A pattern comes from a file that others may have written, so its work must be bounded: `/(a+)+$/` takes Python's `re`
longer than the sun will shine. A pattern is compiled to a few kinds of instructions and all its threads walk the text
together (Pike's machine), in order of preference, so that the match is the one that JavaScript would find. What cannot
be had this way, backreferences and lookaround, is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Found", "Pattern", "PatternError"]

_MOST = 2_000  # instructions; counted repeats are written out
_LONGEST = 1_000  # characters
_DEEPEST = 50
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "0": "\0"}
_ENDS_LINE = "\n\r\u2028\u2029"

_Test = Callable[[str], bool]


class PatternError(ValueError):
    """A pattern that is wrong, or that asks for what is not supported."""


@dataclass(frozen=True)
class Found:
    """A match: where each group starts and ends, the whole first; None for a group that took no part."""

    spans: tuple[tuple[int, int] | None, ...]

    @property
    def start(self) -> int:
        """Where the match starts."""
        return self.spans[0][0] if self.spans[0] else 0

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.spans[0][1] if self.spans[0] else 0


@dataclass(frozen=True)
class _Step:
    """Instruction: `char` tests one, `split` goes on at `to` or else at `other`, `jump`, `save`, `assert`, `match`."""

    kind: str
    test: _Test | None = None
    to: int = 0
    other: int = 0
    name: str = ""


class Pattern:
    """A compiled regular expression.

    Args:
        source: what stands between the slashes.
        flags: the letters after them.

    Raises:
        PatternError: the pattern is wrong, too large, or not supported.
    """

    def __init__(self, source: str, flags: str = ""):
        unknown = set(flags) - set("gimsuy")
        if unknown:
            raise PatternError(f"unknown flag {min(unknown)!r} of a regular expression")
        if len(source) > _LONGEST:
            raise PatternError("a regular expression that is too large")
        self.source, self.flags = source, flags
        parser = _Parser(source, flags)
        self._steps = parser.program()
        self._groups = parser.groups + 1
        self._multiline = "m" in flags

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and (self.source, self.flags) == (other.source, other.flags)

    def __hash__(self) -> int:
        return hash((self.source, self.flags))

    def __str__(self) -> str:
        return f"/{self.source}/{self.flags}"

    def find(self, text: str, start: int = 0, spend: Callable[[int], None] = lambda steps: None) -> Found | None:
        """Find the first match at or after an offset.

        Args:
            text: where to look.
            start: the first offset at which a match may begin.
            spend: told how many steps were taken; it may raise to put an end to it.
        """
        steps = self._steps
        best: tuple[int, ...] | None = None
        empty = (-1,) * (2 * self._groups)
        threads: list[tuple[int, tuple[int, ...]]] = []
        for at in range(start, len(text) + 1):
            seen: set[int] = set()
            following: list[tuple[int, tuple[int, ...]]] = []
            char = text[at] if at < len(text) else ""
            if best is None:
                threads.append((0, empty))  # a match may begin here, if none that began before goes on
            ready: list[tuple[int, tuple[int, ...]]] = []
            for where, saved in threads:
                self._follow(where, saved, text, at, seen, ready)
            spend(len(seen))
            for where, saved in ready:
                step = steps[where]
                if step.kind == "match":
                    best = saved
                    break  # threads after it are less preferred
                if char and step.test is not None and step.test(char):
                    following.append((where + 1, saved))
            threads = following
            if not threads and best is not None:
                break
        if best is None:
            return None
        pairs = zip(best[::2], best[1::2], strict=True)
        return Found(tuple((a, b) if a >= 0 and b >= 0 else None for a, b in pairs))

    def _follow(
        self,
        where: int,
        saved: tuple[int, ...],
        text: str,
        at: int,
        seen: set[int],
        ready: list[tuple[int, tuple[int, ...]]],
    ) -> None:
        """Go on from an instruction to all that read a character, in order of preference."""
        todo = [(where, saved)]
        while todo:
            where, saved = todo.pop()
            if where in seen:
                continue
            seen.add(where)
            step = self._steps[where]
            if step.kind == "jump":
                todo.append((step.to, saved))
            elif step.kind == "split":
                todo += [(step.other, saved), (step.to, saved)]
            elif step.kind == "save":
                todo.append((where + 1, (*saved[: step.to], at, *saved[step.to + 1 :])))
            elif step.kind == "assert":
                if self._holds(step.name, text, at):
                    todo.append((where + 1, saved))
            else:
                ready.append((where, saved))

    def _holds(self, name: str, text: str, at: int) -> bool:
        if name == "^":
            return at == 0 or (self._multiline and text[at - 1] in _ENDS_LINE)
        if name == "$":
            return at == len(text) or (self._multiline and text[at] in _ENDS_LINE)
        at_edge = (at > 0 and _is_word(text[at - 1])) != (at < len(text) and _is_word(text[at]))
        return at_edge == (name == "b")


def _is_word(char: str) -> bool:
    return char == "_" or (char.isascii() and char.isalnum())


_CLASSES: dict[str, _Test] = {
    "d": lambda c: c.isascii() and c.isdigit(),
    "w": _is_word,
    "s": lambda c: c.isspace() or c == "\ufeff",
}


def _not(test: _Test) -> _Test:
    return lambda char: not test(char)


def _any_of(tests: list[_Test]) -> _Test:
    return lambda char: any(test(char) for test in tests)


class _Parser:
    """Reads a pattern by recursive descent and writes instructions."""

    def __init__(self, source: str, flags: str):
        self.source = source
        self.at = 0
        self.groups = 0
        self.depth = 0
        self.ignore_case = "i" in flags
        self.dot_all = "s" in flags

    def program(self) -> list[_Step]:
        body = self._alternatives()
        if self.at < len(self.source):
            raise PatternError(f"unmatched {self.source[self.at]!r} in a regular expression")
        return [_Step("save", to=0), *_shift(body, 1), _Step("save", to=1), _Step("match")]

    def _peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def _take(self) -> str:
        char = self._peek()
        if not char:
            raise PatternError("a regular expression ends in the middle")
        self.at += 1
        return char

    def _alternatives(self) -> list[_Step]:
        """Read `a|b|c`."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise PatternError("a regular expression with too many groups in groups")
        ways = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            ways.append(self._sequence())
        self.depth -= 1
        steps = ways.pop()
        while ways:
            first = ways.pop()
            steps = self._sized(
                [
                    _Step("split", to=1, other=len(first) + 2),
                    *_shift(first, 1),
                    _Step("jump", to=len(first) + 2 + len(steps)),
                    *_shift(steps, len(first) + 2),
                ]
            )
        return steps

    def _sequence(self) -> list[_Step]:
        steps: list[_Step] = []
        while self._peek() not in ("", "|", ")"):
            steps = self._sized([*steps, *_shift(self._repeated(), len(steps))])
        return steps

    def _repeated(self) -> list[_Step]:
        """Read one thing and how often it stands."""
        steps = self._one()
        while (least_most := self._count()) is not None:
            least, most = least_most
            lazy = self._peek() == "?"
            self.at += lazy
            steps = self._times(steps, least, most, lazy)
        return steps

    def _count(self) -> tuple[int, int | None] | None:
        char = self._peek()
        if char and char in "*+?":
            self.at += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[char]
        if char != "{":
            return None
        end = self.source.find("}", self.at)
        inside = self.source[self.at + 1 : end] if end > 0 else ""
        least, comma, most = inside.partition(",")
        if not (least.isdecimal() and least.isascii() and (not most or (most.isdecimal() and most.isascii()))):
            return None  # a brace is itself then
        self.at = end + 1
        if max(len(least), len(most)) > 4:
            raise PatternError("a regular expression that counts too far")
        return int(least), int(most) if most else None if comma else int(least)

    def _times(self, steps: list[_Step], least: int, most: int | None, lazy: bool) -> list[_Step]:
        """Write a thing as often as it stands."""
        if most is not None and most < least:
            raise PatternError("numbers out of order in the braces of a regular expression")
        if len(steps) * max(least, most or 0, 1) > _MOST:
            raise PatternError("a regular expression that is too large")
        out: list[_Step] = []
        for _ in range(least):
            out += _shift(steps, len(out))
        if most is None:
            start = len(out)
            leave = start + 1 + len(steps) + 1
            out += [
                _split(start + 1, leave, lazy),
                *_shift(steps, start + 1),
                _Step("jump", to=start),
            ]
        else:
            leave = len(out) + (most - least) * (len(steps) + 1)
            for _ in range(most - least):
                out.append(_split(len(out) + 1, leave, lazy))
                out += _shift(steps, len(out))
        return self._sized(out)

    def _sized(self, steps: list[_Step]) -> list[_Step]:
        if len(steps) > _MOST:
            raise PatternError("a regular expression that is too large")
        return steps

    def _one(self) -> list[_Step]:
        char = self._take()
        if char == "(":
            return self._group()
        if char == "[":
            return [self._char(self._set())]
        if char == ".":
            return [_Step("char", (lambda c: True) if self.dot_all else (lambda c: c not in _ENDS_LINE))]
        if char in "^$":
            return [_Step("assert", name=char)]
        if char in "*+?":
            raise PatternError(f"nothing before {char!r} in a regular expression")
        if char != "\\":
            return [self._char(self._literal(char))]
        if self._peek() and self._peek() in "bB":
            return [_Step("assert", name=self._take())]
        return [self._char(self._escape(False))]

    def _group(self) -> list[_Step]:
        captures = True
        if self._peek() == "?":
            self.at += 1
            kind = self._take()
            if kind == "<" and self._peek() not in ("=", "!"):
                while self._take() != ">":
                    pass
            elif kind == ":":
                captures = False
            else:
                raise PatternError("lookahead and lookbehind in a regular expression are not supported")
        number = 0
        if captures:
            self.groups += 1
            number = self.groups
        body = self._alternatives()
        if self._peek() != ")":
            raise PatternError("unclosed '(' in a regular expression")
        self.at += 1
        if not captures:
            return body
        return [_Step("save", to=2 * number), *_shift(body, 1), _Step("save", to=2 * number + 1)]

    def _set(self) -> _Test:
        """Read `[a-z]`."""
        negated = self._peek() == "^"
        self.at += negated
        tests: list[_Test] = []
        while self._peek() != "]":
            first = self._member()
            if self._peek() == "-" and self.source[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                last = self._member()
                if not (isinstance(first, str) and isinstance(last, str)) or last < first:
                    raise PatternError("a range that is out of order in a regular expression")
                tests.append(self._range(first, last))
            else:
                tests.append(self._literal(first) if isinstance(first, str) else first)
        self.at += 1
        return _not(_any_of(tests)) if negated else _any_of(tests)

    def _member(self) -> str | _Test:
        char = self._take()
        if char != "\\":
            return char
        if self._peek() == "b":
            self.at += 1
            return "\b"
        escaped = self._peek()
        return self._escape(True) if escaped and escaped in "dDwWsS" else self._escaped_char()

    def _escape(self, in_set: bool) -> _Test:
        char = self._peek()
        if char and char in "dws":
            self.at += 1
            return _CLASSES[char]
        if char and char in "DWS":
            self.at += 1
            return _not(_CLASSES[char.lower()])
        if not in_set and (char == "k" or (char.isdigit() and char != "0")):
            raise PatternError("backreferences in a regular expression are not supported")
        if char and char in "pP":
            raise PatternError("\\p in a regular expression is not supported")
        return self._literal(self._escaped_char())

    def _escaped_char(self) -> str:
        char = self._take()
        if char in ("x", "u"):
            width = 2 if char == "x" else 4
            digits = self.source[self.at : self.at + width]
            if len(digits) == width and all(d in "0123456789abcdefABCDEF" for d in digits):
                self.at += width
                return chr(int(digits, 16))
        return _ESCAPES.get(char, char)

    def _literal(self, char: str) -> _Test:
        if self.ignore_case:
            both = {char, char.lower(), char.upper()}
            return lambda c: c in both or c.lower() in both
        return lambda c: c == char

    def _range(self, first: str, last: str) -> _Test:
        if self.ignore_case:
            return lambda c: any(first <= form <= last for form in (c, c.lower(), c.upper()))
        return lambda c: first <= c <= last

    def _char(self, test: _Test) -> _Step:
        return _Step("char", test)


def _split(into: int, leave: int, lazy: bool) -> _Step:
    return _Step("split", to=leave, other=into) if lazy else _Step("split", to=into, other=leave)


def _shift(steps: list[_Step], by: int) -> list[_Step]:
    """Move instructions: their targets move along."""
    moved = {"jump", "split"}
    return [
        _Step(step.kind, step.test, step.to + by, step.other + by, step.name) if step.kind in moved else step
        for step in steps
    ]
