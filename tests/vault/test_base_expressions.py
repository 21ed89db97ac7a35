"""The language of bases: what Obsidian documents, and that no text makes it do anything but answer or refuse."""

import contextlib
import datetime
import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from paperimpl.vault.bases.evaluate import Budget, Expression, Scope, Spent
from paperimpl.vault.bases.functions import METHOD_NAMES
from paperimpl.vault.bases.library import Library
from paperimpl.vault.bases.moment import ago, formatted
from paperimpl.vault.bases.pattern import Pattern, PatternError
from paperimpl.vault.bases.syntax import SyntaxProblem, parse
from paperimpl.vault.bases.values import EvaluationError, File, text
from paperimpl.vault.index import Index, Note, Stat

ONE = """---
title: One
price: 2.5
age: 2
zero: 0
tags: [book, x/y]
due: 2024-05-01
made: 2024-05-01T10:20:30
author: "[[Two]]"
authors: ["[[Two]]", "[[Nobody]]"]
empty:
done: true
nested: {a: {b: 7}}
"birth date": 1999-01-02
---
See [[Two]] and ![[p.png]] #inline and [[Nobody]].
"""
NOTES = {
    "a/One.md": ONE,
    "Two.md": "---\ntitle: The second\n---\nBack to [[One]].",
    "Private.md": "---\npublish: false\n---\n[[One]] secret",
}
NOW = datetime.datetime(2025, 5, 27, 12, 30)


def index():
    return Index(
        {path: Note(path, body) for path, body in sorted(NOTES.items())},
        {"p.png"},
        stats={"a/One.md": Stat(321, 1_700_000_000.4, 1_600_000_000)},
    )


LIBRARY = Library(index(), now=NOW)


def value(source, formulas=None, budget=200_000):
    read = {name: Expression(written) for name, written in (formulas or {}).items()}
    return Expression(source).value(Scope(LIBRARY, File("a/One.md"), File("Two.md"), read, Budget(budget)))


def outcome(act):
    """What an act gives, and why it is refused: None where it is not."""
    try:
        return act(), None
    except (SyntaxProblem, EvaluationError, PatternError, Spent) as refused:
        return None, str(refused)


def shown(source, formulas=None):
    """A value as text, with `!` before what went wrong."""
    try:
        return text(value(source, formulas), lambda steps: None)
    except EvaluationError as wrong:
        return f"! {wrong}"


# From Obsidian's help: Functions, Bases syntax, Formulas.
DOCUMENTED = {
    'if(price, price.toFixed(2) + " dollars")': "2.50 dollars",
    "(price / age).toFixed(2)": "1.25",
    "1.isTruthy()": "true",
    '"example".isType("string")': "true",
    'true.isType("boolean")': "true",
    "123.toString()": "123",
    'list("value")': "value",
    'number("3.4")': "3.4",
    "number(true)": "1",
    "max(1, 7, 3)": "7",
    "min(4, 2, 3)": "2",
    'now().date().format("YYYY-MM-DD HH:mm:ss")': "2025-05-27 00:00:00",
    'date("2025-05-27").format("YYYY-MM-DD")': "2025-05-27",
    "now().time()": "12:30:00",
    'date("2025-05-24").relative()': "4 days ago",
    'date("2025-05-27 23:59:01").hour': "23",
    'date("2025-05-27 23:59:01").second': "1",
    '"hello".contains("ell")': "true",
    '"hello".containsAll("h", "e")': "true",
    '"hello".containsAny("x", "y", "e")': "true",
    '"hello".endsWith("lo")': "true",
    '"Hello world".isEmpty()': "false",
    '"".isEmpty()': "true",
    '"a:b:c:d".replace(/:/, "-")': "a-b:c:d",
    '"a:b:c:d".replace(/:/g, "-")': "a-b-c-d",
    '"a:b:c:d".replace(":", "-")': "a-b-c-d",
    '"123".repeat(2)': "123123",
    '"hello".reverse()': "olleh",
    '"hello".slice(1, 4)': "ell",
    '"a,b,c,d".split(",", 3)': "a, b, c",
    '"a,b,c,d".split(/,/, 3)': "a, b, c",
    '"hello".startsWith("he")': "true",
    '"hello world".title()': "Hello World",
    '"  hi  ".trim()': "hi",
    '"HI".lower()': "hi",
    '"hello".length': "5",
    "(-5).abs()": "5",
    "(2.1).ceil()": "3",
    "(2.9).floor()": "2",
    "5.isEmpty()": "false",
    "(2.5).round()": "3",
    "(-2.5).round()": "-2",
    "(2.3333).round(2)": "2.33",
    "(3.14159).toFixed(2)": "3.14",
    "[1,2,3].contains(2)": "true",
    "[1,2,3].containsAll(2,3)": "true",
    "[1,2,3].containsAny(3,4)": "true",
    "[1,2,3,4].filter(value > 2)": "3, 4",
    "[1,[2,3]].flat()": "1, 2, 3",
    "[1,2,3].isEmpty()": "false",
    '[1,2,3].join(",")': "1,2,3",
    "[1,2,3,4].map(value + 1)": "2, 3, 4, 5",
    "[5,6].map(index)": "0, 1",
    "[1,2,3].reduce(acc + value, 0)": "6",
    '[3,9,4].filter(value.isType("number")).reduce(if(acc == null || value > acc, value, acc), null)': "9",
    "[1,2,3].reverse()": "3, 2, 1",
    "[1,2,3,4].slice(1,3)": "2, 3",
    "[3, 1, 2].sort()": "1, 2, 3",
    '["c", "a", "b"].sort()': "a, b, c",
    "[1,2,2,3].unique()": "1, 2, 3",
    "[1,2,3].length": "3",
    'link("[[Two]]").asFile().path': "Two.md",
    'link("[[Two]]").linksTo(file("One"))': "true",
    'file.asLink("shown")': "shown",
    'file.hasLink("Two")': "true",
    'file.hasProperty("price")': "true",
    'file.hasTag("book")': "true",
    'file.hasTag("x")': "true",
    'file.hasTag("nope", "inline")': "true",
    'file.inFolder("a")': "true",
    "{}.isEmpty()": "true",
    '{"a": 1, "b": 2}.keys()': "a, b",
    '{"a": 1, "b": 2}.values()': "1, 2",
    '/abc/.matches("abcde")': "true",
    'now() + "1 day"': "2025-05-28 12:30:00",
    'date("2024-12-01") + "1M" + "4h" + "3m"': "2025-01-01 04:03:00",
    '(now() + "1d") - now()': "86400000",
    'now() + (duration("1d") * 2)': "2025-05-29 12:30:00",
    'duration("5h") * 2': "10 hours",
    'file.mtime > now() - "1 week"': "false",
    'due < now() && done != "x"': "true",
    'due + "2w"': "2024-05-15",
    'escapeHTML("<b>&\'")': "&lt;b&gt;&amp;&#x27;",
    "nested.a.b": "7",
    'nested["a"]["b"]': "7",
    "authors[0]": "Two",
    'note["birth date"].year': "1999",
    "author == this": "true",
    "authors.contains(this)": "true",
    "file.hasLink(this.file)": "true",
    "this.file.name": "Two.md",
    "this.title": "The second",
    "link(file.ctime.date().toString())": "2020-09-13",
}


@pytest.mark.parametrize("source", DOCUMENTED)
def test_what_obsidian_documents_comes_out_as_it_says(source):
    assert shown(source) == DOCUMENTED[source]


# Every function and field that Obsidian's help lists under Functions, by type; the examples above say what they do.
FUNCTIONS = {
    "global": "escapeHTML date duration file html if image icon link list max min now number random today",
    "any": "isTruthy isType toString",
    "date": "date format time relative isEmpty",
    "string": "contains containsAll containsAny endsWith isEmpty lower replace repeat reverse slice split startsWith "
    "title trim",
    "number": "abs ceil floor isEmpty round toFixed",
    "list": "contains containsAll containsAny filter flat isEmpty join map reduce reverse slice sort unique",
    "link": "asFile linksTo",
    "file": "asLink hasLink hasProperty hasTag inFolder",
    "object": "isEmpty keys values",
    "regexp": "matches",
}
A_VALUE = {
    "any": "1",
    "date": "now()",
    "string": "'a'",
    "number": "(1)",
    "list": "[1]",
    "link": "link('Two')",
    "file": "file",
    "object": "{'a': 1}",
    "regexp": "/a/",
}
NOT_HERE = {"icon", "random"}  # refused with a warning that says why


@pytest.mark.parametrize(("of", "name"), [(of, name) for of, names in FUNCTIONS.items() for name in names.split()])
def test_every_function_that_obsidian_documents_is_known_or_refused_by_name(of, name):
    source = f"{name}(1)" if of == "global" else f"{A_VALUE[of]}.{name}()"
    refused = list(Expression(source).unsupported(set()))
    assert bool(refused) == (name in NOT_HERE), refused
    if of != "global":  # known to values of this type, not only of another
        assert "has no function" not in shown(source)


def test_a_function_that_obsidian_does_not_document_for_a_type_is_an_error():
    assert shown("1.matches()") == "! a number has no function matches()"


# "Bases functions follow JavaScript behavior": what JavaScript makes of these, as its specification says.
JAVASCRIPT = {
    "(2.5).toFixed(0)": "3",
    "(0.125).toFixed(2)": "0.13",
    "(-2.5).toFixed(0)": "-3",
    "(1.005).toFixed(2)": "1.00",
    "(1/3).toFixed(25)": "0.3333333333333333148296163",
    "(1).toFixed(101)": "! toFixed() takes 0 to 100 digits",
    "0.1 + 0.2": "0.30000000000000004",
    "1/3000000": "3.3333333333333335e-7",
    "0.0000015": "0.0000015",
    "-0.00001": "-0.00001",
    "10000000000 * 10000000000 * 100": "1e+22",
    "1/0": "Infinity",
    "0/0": "NaN",
    "-7 % 3": "-1",
    '"a1b2c".split(/([0-9])/)': "a, 1, b, 2, c",
    '"a1b2c".split(/[0-9]/)': "a, b, c",
    '"abc".slice(-2)': "bc",
    '"x".replace(/(x)/, "$1$1")': "xx",
    '"1" + 2': "12",
    '"10" < "9"': "true",
    "[1, 2/2, 1.0].unique()": "1",
    '[date("2025-05-27"), date("2025-05-27 00:00:00")].unique().length': "1",
    '[link("Two"), link("Two", "other words")].unique().length': "1",
    '[link("Nobody", "a"), link("Nobody", "b")].unique().length': "1",
    '[1, "1", true].unique().length': "3",
}


@pytest.mark.parametrize("source", JAVASCRIPT)
def test_numbers_and_texts_are_what_javascript_makes_of_them(source):
    assert shown(source) == JAVASCRIPT[source]


OPERATORS = {
    "7 + 2": "9",
    "7 - 2": "5",
    "7 * 2": "14",
    "7 / 2": "3.5",
    "7 % 2": "1",
    "(7 + 2) * 2": "18",
    "7 == 2": "false",
    "7 != 2": "true",
    "7 > 2": "true",
    "7 < 2": "false",
    "7 >= 7": "true",
    "7 <= 2": "false",
    "!true": "false",
    "true && false": "false",
    "false || true": "true",
}
UNITS = (
    *("y", "year", "years", "M", "month", "months", "d", "day", "days", "w", "week", "weeks"),
    *("h", "hour", "hours", "m", "minute", "minutes", "s", "second", "seconds"),
)


@pytest.mark.parametrize("source", OPERATORS)
def test_every_operator_that_obsidian_documents(source):
    assert shown(source) == OPERATORS[source]


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_of_time_that_obsidian_documents(unit):
    moved = {"y": "2026-01-01", "M": "2025-02-01", "d": "2025-01-02", "w": "2025-01-08"}
    clock = {"h": "2025-01-01 01:00:00", "m": "2025-01-01 00:01:00", "s": "2025-01-01 00:00:01"}
    letter = "M" if unit.startswith("mo") else unit[0]
    assert shown(f"date('2025-01-01') + '1 {unit}'") == (moved | clock)[letter]


FILE = {
    "file.name": "One.md",
    "file.basename": "One",
    "file.path": "a/One.md",
    "file.folder": "a",
    "file.ext": "md",
    "file.size": "321",
    "file.mtime": "2023-11-14 22:13:20",
    "file.tags": "#book, #x/y, #inline",
    "file.links": "Two, Nobody",
    "file.embeds": "p.png",
    "file.backlinks": "Two.md",
    "file.properties.keys().length": "13",
    "file.file == file": "true",
}


@pytest.mark.parametrize("source", FILE)
def test_properties_of_a_file(source):
    assert shown(source) == FILE[source]


LENIENT = {
    "missing": "",
    "missing.contains('x')": "false",
    "!missing.contains('x')": "true",
    "missing.isEmpty()": "true",
    "missing.a.b.c()": "",
    "missing > 2": "false",
    "missing * 2 + 1": "",
    "missing == null": "true",
    "price > missing": "false",
    "missing.map(value)": "",
    "'x' + missing": "x",
    "PRICE": "2.5",
    "(price / age).toFixed(2) > 1": "true",  # a text that is a number, as in Obsidian's own example
    "'b' > 'a'": "true",
    "1 == '1'": "false",
    "true == 1": "false",
    "price && 'yes' || 'no'": "yes",
    "missing || 'otherwise'": "otherwise",
    "1 / 0": "Infinity",
    "-1 / 0": "-Infinity",
    "0 / 0": "NaN",
    "7 % 0": "NaN",
    "-7 % 3": "-1",
    "2 + 3 * 4 - 1": "13",
    "10 - 2 - 3": "5",
    "!!price": "true",
    "- -3": "3",
    "0.1 + 0.2": "0.30000000000000004",
    "1e21": "1e+21",
    "due == '2024-05-01'": "true",
    "made == '2024-05-01'": "true",
    "made.date() == due": "true",
    "tags.contains('#BOOK')": "true",
    "author.title": "The second",
    "author.hasTag('x')": "false",
    "author == link('Two')": "true",
    "author == 'Two.md'": "false",
    "link('Nobody') == authors[1]": "true",
    "file('Private')": "",
    "link('Private').asFile()": "",
    "link('https://obsidian.md', 'site')": "site",
    "date(due).month": "5",
    "(now() - due).days.floor()": "391",
    "date('2024-01-31') + '1M'": "2024-02-29",
    "due - '1y'": "2023-05-01",
    "'a-b'.split('')": "a, -, b",
    "'ab'.split(/(?:)/)": "a, b",
    "'x1y22'.replace(/[a-z](\\d+)/g, '<$1>')": "<1><22>",
    "'abc'[1]": "b",
    "[1,2][5]": "",
    "[[1,2],[3]].map(value.length)": "2, 1",
    "[3,1].map([value].map(value * 10))": "30, 10",
    "[due, made].sort()[0]": "2024-05-01",
    "['b10','b9'].sort()": "b9, b10",
    "[1, 2, 4].mean().round(3)": "2.333",
    "duration('1y 2M 3d')": "1 year, 2 months, 3 days",
    "html('<b>x</b> y')": "x y",
    "now().format('dddd, Do MMMM YYYY [at] h:mm A')": "Tuesday, 27th May 2025 at 12:30 PM",
}


@pytest.mark.parametrize("source", LENIENT)
def test_what_is_missing_or_mixed_answers_as_a_reader_expects(source):
    assert shown(source) == LENIENT[source]


REFUSED = {
    "'abc'.round()": "! a string has no function round()",
    "'a' * 2": "! '*' of a string and a number",
    "date('tomorrow')": "! date() takes a date such as 2025-05-27",
    "duration('soon')": "! duration() takes a duration such as '1 week'",
    "number('x')": "! number() takes a number, not a string",
    "if(1)": "! if() takes a condition and one or two results",
    "'a'.slice()": "a",
    "'a'.repeat()": "! repeat() takes 1 values, not 0",
    "max(1, 'x')": "! max() takes a number, not a string",
    "now(1)": "! now() takes 0 values, not 1",
    "'x'.repeat(1000000)": "! a text that is too long",
    "now() + '9999y'": "! a date beyond the calendar",
    "authors[0].inFolder()": "! inFolder() takes 1 values, not 0",
    "[1].filter()": "! filter() takes 1 values, not 0",
}


@pytest.mark.parametrize("source", REFUSED)
def test_what_cannot_be_had_is_refused_with_its_reason(source):
    assert shown(source) == REFUSED[source]


UNREADABLE = {
    "": (0, "ends where a value"),
    "a = b": (2, "two, '==', compare"),
    "a b": (2, "unexpected 'b'"),
    '"x': (0, "never closes"),
    "1 +": (3, "ends where a value"),
    "(1": (2, "where ')' was expected"),
    "a.1": (2, "after '.'"),
    "a ? b : c": (2, "unexpected '?'"),
    "[1, 2": (5, "where ']' was expected"),
    "{1: 2}": (1, "where a key"),
    "/(/.matches(a)": (0, "unclosed '('"),
    "/a(?=b)/.matches(a)": (0, "lookahead"),
    "a & b": (2, "write '&&'"),
    "(" * 5000: (60, "too deeply nested"),
    "!" * 5000 + "a": (4999, "too deeply nested"),
    "a" + ".b" * 5000: (121, "too many '.'"),
    "x" * 30_000: (0, "too long"),
}


@pytest.mark.parametrize("source", UNREADABLE, ids=lambda source: source[:20])
def test_what_cannot_be_read_says_why_and_where(source):
    at, why = UNREADABLE[source]
    with pytest.raises(SyntaxProblem, match=re.escape(why)) as told:
        parse(source)
    assert told.value.at == at


def test_formulas_use_each_other_and_a_circle_is_an_error():
    assert shown("formula.b + 1", {"a": "price * 2", "b": "formula.a * 10"}) == "51"
    assert shown("formula.a", {"a": "formula.b", "b": "formula.a"}) == "! formulas in a circle: a → b → a"
    assert shown("formula.none") == ""


def test_many_formulas_side_by_side_are_not_deep():
    formulas = {f"f{n}": f"[[{n}]][0][0]" for n in range(90)}
    assert shown(" + ".join(f"formula.f{n}" for n in range(90)), formulas) == str(sum(range(90)))


def test_a_variable_is_known_only_where_it_is_made():
    assert shown("[1].map(formula.f)", {"f": "value"}) == ""
    assert shown("value") == ""


def test_what_is_private_is_in_no_value():
    for source in ("file.backlinks", "this.file.backlinks", "file('Private.md')", "link('Private').asFile()"):
        assert "rivate" not in shown(source)
    assert all(file.path != "Private.md" for file in LIBRARY.files)


def test_a_link_to_what_is_private_shows_its_text_only():
    link = value("link('Private')")
    assert (link.path, str(link)) == (None, "Private")


def test_unsupported_functions_are_named_before_anything_is_computed():
    def told(source):
        return sorted(Expression(source).unsupported({"known"}))

    assert told("foo(1) + a.bar() + file.baz + formula.nope + formula.known") == [
        "the function .bar() is not supported",
        "the function foo() is not supported",
        "the property file.baz is not supported",
        "there is no formula 'nope'",
    ]
    assert told("icon('x')") == ["icon() is not supported: the site has no Lucide icons"]
    assert told("random()") == ["random() is not supported: two builds of the same notes are the same"]


HOSTILE = {
    "doubling": (
        {f"f{n}": f"formula.f{n - 1} + formula.f{n - 1}" for n in range(1, 60)} | {"f0": "'x'"},
        "formula.f59",
    ),
    "lists of lists": (
        {f"f{n}": f"[formula.f{n - 1}, formula.f{n - 1}]" for n in range(1, 60)} | {"f0": "'x'"},
        "formula.f30.toString()",
    ),
    "lists compared": (
        {f"f{n}": f"[formula.f{n - 1}, formula.f{n - 1}]" for n in range(1, 60)} | {"f0": "'x'"},
        "formula.f30 == formula.f30.map(value)",
    ),
    "nested maps": ({"l": "'x'.repeat(1000).split('')"}, "formula.l.map(formula.l.map(formula.l.map(1)))"),
    "a deep chain of formulas": ({f"f{n}": f"formula.f{n - 1}" for n in range(1, 900)} | {"f0": "1"}, "formula.f899"),
    "patterns that backtrack": ({}, "/(a+)+$/.matches('a'.repeat(90000) + 'b')"),
    "many replacements": ({}, "'a'.repeat(90000).replace(/a/g, 'bbbbbbbbbbbb')"),
    "joins": ({"l": "'x'.repeat(9000).split('')"}, "formula.l.map(formula.l.join('yyyy'))"),
    "numbers": ({}, "9" * 300 + " * " + "9" * 300 + " * 1e300 * 1e300"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_work_is_bounded(name):
    formulas, source = HOSTILE[name]
    start = time.process_time()
    with contextlib.suppress(EvaluationError, Spent):
        value(source, formulas, budget=1_000_000)
    assert time.process_time() - start < 8  # seconds; without bounds, hours


def test_evaluating_needs_little_stack():
    import sys

    deep = "(" * 58 + "1" + ")" * 58
    before = sys.getrecursionlimit()
    frames = 0
    frame = sys._getframe()
    while frame:
        frames, frame = frames + 1, frame.f_back
    sys.setrecursionlimit(frames + 700)
    try:
        assert shown(f"[1].map({deep[1:-1]} + formula.b)", {"b": deep}) == "2"
        chained = {f"f{n}": f"formula.f{n - 1}" for n in range(1, 900)} | {"f0": "1"}
        assert shown("formula.f899", chained).startswith("! formulas in formulas")
    finally:
        sys.setrecursionlimit(before)


# Fuzzing: any text, and any text made of the language's own pieces, gives a value or one of three refusals.
PIECES = [
    *("price", "tags", "file", "this", "note", "formula.a", "value", "missing", "author", "authors", "due", "now()"),
    *(
        "1",
        "0",
        "-2.5",
        "'x'",
        '"a b"',
        "true",
        "null",
        "[1,'a',[2]]",
        "{'a': 1}",
        "/a+|b/g",
        "'1d'",
        "[]",
        "''",
        "1e300",
    ),
    *(
        " + ",
        " - ",
        " * ",
        " / ",
        " % ",
        " == ",
        " != ",
        " < ",
        " >= ",
        " && ",
        " || ",
        "!",
        "-",
        "(",
        ")",
        ", ",
        "[",
        "]",
    ),
    *(f".{name}(" for name in sorted(METHOD_NAMES)),
    *(
        "if(",
        "date(",
        "duration(",
        "file(",
        "link(",
        "image(",
        "html(",
        "list(",
        "number(",
        "max(",
        ".length",
        ".year",
        ".days",
    ),
]
SOURCES = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=14).map("".join))


@settings(max_examples=400, deadline=None)
@given(SOURCES)
@example("'a'.replace('', 'xx')")
@example("[1].map(value.map(value))")
@example("'ab'.slice(-1e300, 1e300)")
@example("(1e300 * 1e300).round(400)")
def test_any_text_gives_a_value_or_is_refused(source):
    found, why = outcome(lambda: text(value(source, {"a": "price + due"}, budget=20_000), lambda steps: None))
    assert isinstance(found, str) if why is None else why


CALLS = st.tuples(
    st.sampled_from(
        [
            "null",
            "1.5",
            "'x y'",
            "true",
            "[1,'a']",
            "{'a': 1}",
            "due",
            "made",
            "author",
            "file",
            "/a/",
            "duration('1d')",
        ]
    ),
    st.sampled_from(sorted(METHOD_NAMES)),
    st.lists(
        st.sampled_from(["1", "-3", "'x'", "null", "[1]", "due", "author", "/x*/g", "file", "1e300", "0/0"]), max_size=3
    ),
)


@settings(max_examples=400, deadline=None)
@given(CALLS)
def test_every_function_takes_anything(call):
    of, name, given_values = call
    source = f"({of}).{name}({', '.join(given_values)})"
    found, why = outcome(lambda: text(value(source, budget=20_000), lambda steps: None))
    assert isinstance(found, str) if why is None else why


# Regular expressions


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", r"\d", "(a|b)", "(?:ab)", "(a)", "^", "$", r"\b", "1"])
PATTERNS = st.lists(
    st.tuples(ATOMS, st.sampled_from(["", "", "*", "+", "?", "*?", "+?", "{1,2}"])), min_size=1, max_size=5
)


@settings(max_examples=300, deadline=None)
@given(PATTERNS, st.text(alphabet="ab1 ", max_size=12))
def test_patterns_match_where_pythons_do(pieces, tested):
    source = "".join(atom + ("" if atom in ("^", "$", r"\b") else count) for atom, count in pieces)
    ours = Pattern(source).find(tested)
    theirs = re.compile(source).search(tested)
    assert (ours is None) == (theirs is None)
    if ours and theirs:
        assert (ours.start, ours.end) == theirs.span()


@settings(max_examples=250, deadline=None)
@given(st.text(alphabet="ab(){}[]|*+?\\^$.-1,:<=!dwbu", max_size=25), st.text(alphabet="gimsux", max_size=2))
def test_any_pattern_is_compiled_or_refused(source, flags):
    found, why = outcome(lambda: Pattern(source, flags).find("ab1 ab"))
    assert why is None or why
    assert found is None or 0 <= found.start <= found.end <= len("ab1 ab")


@pytest.mark.parametrize(
    ("source", "flags", "tested", "found"),
    [
        ("HELLO", "i", "say hello", (4, 9)),
        ("^b$", "m", "a\nb\nc", (2, 3)),
        ("^b$", "", "a\nb\nc", None),
        ("a.b", "", "a\nb", None),
        ("a.b", "s", "a\nb", (0, 3)),
        (r"\u0041\x42", "", "AB", (0, 2)),
        (r"[\]\-x]+", "", "-]x", (0, 3)),
        ("(?<year>\\d{4})-(\\d\\d)", "", "on 2024-05", (3, 10)),
        ("a{2}", "", "aaa", (0, 2)),
        ("a{,2}", "", "a{,2}", (0, 5)),
        ("x{2,}", "", "xxxx", (0, 4)),
    ],
)
def test_flags_and_classes(source, flags, tested, found):
    match = Pattern(source, flags).find(tested)
    assert (match and (match.start, match.end)) == found


@pytest.mark.parametrize(
    "source",
    [
        *(r"(a)\1", "(?=a)", "(?<!a)b", "a**b(", "[z-a]", "a{2,1}", "(" * 100 + ")" * 100, "a{5000}", "x" * 2000),
        *(r"\p{L}", "*a", "(?", "a)"),
    ],
)
def test_patterns_that_are_refused(source):
    with pytest.raises(PatternError):
        Pattern(source)


def test_a_pattern_takes_time_in_proportion_to_the_text():
    pattern, steps = Pattern("(a+)+$"), []
    for length in (1_000, 4_000):
        total = 0

        def spend(more):
            nonlocal total
            total += more

        assert pattern.find("a" * length + "b", 0, spend) is None
        steps.append(total)
    assert steps[1] < 4.5 * steps[0]


# Dates as Moment writes them


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("YYYY-MM-DD HH:mm:ss.SSS", "2024-02-09 15:04:05.678"),
        ("YY M D H h m s", "24 2 9 15 3 4 5"),
        ("MMMM MMM Mo Do DDDo dddd ddd dd do", "February Feb 2nd 9th 40th Friday Fri Fr 5th"),
        ("Q Qo DDD DDDD d e E A a", "1 1st 40 040 5 5 5 PM pm"),
        ("W WW GGGG w ww gggg kk", "6 06 2024 6 06 2024 15"),
        ("LT | LTS | L | LL | LLL", "3:04 PM | 3:04:05 PM | 02/09/2024 | February 9, 2024 | February 9, 2024 3:04 PM"),
        ("l | ll", "2/9/2024 | Feb 9, 2024"),
        ("[week] w [of] YYYY", "week 6 of 2024"),
        ("X", "1707491045"),
        ("Z ZZ", "+00:00 +0000"),
        ("q? [", "q? ["),
    ],
)
def test_moments_patterns(pattern, written):
    assert formatted(datetime.datetime(2024, 2, 9, 15, 4, 5, 678_000), pattern) == written


@pytest.mark.parametrize(
    ("day", "week"),
    [
        ((2024, 12, 29), "2025-01"),
        ((2023, 12, 31), "2024-01"),
        ((2022, 1, 1), "2022-01"),
        ((2021, 1, 3), "2021-02"),
    ],
)
def test_local_weeks_begin_on_sunday_and_the_first_holds_the_first_of_january(day, week):
    assert formatted(datetime.datetime(*day), "gggg-ww") == week


@pytest.mark.parametrize("day", [datetime.datetime.min, datetime.datetime.max])
def test_moments_patterns_know_the_ends_of_the_calendar(day):
    assert formatted(day, "gggg ww GGGG WW dddd X x LLLL")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-10, "a few seconds ago"),
        (-60, "a minute ago"),
        (-600, "10 minutes ago"),
        (-4000, "an hour ago"),
        (3 * 3600, "in 3 hours"),
        (-86400, "a day ago"),
        (86400 * 30, "in a month"),
        (-86400 * 100, "3 months ago"),
        (-86400 * 400, "a year ago"),
        (-86400 * 1000, "3 years ago"),
    ],
)
def test_how_far_a_moment_is_from_now(seconds, told):
    assert ago(seconds) == told
