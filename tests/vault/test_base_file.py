"""`.base` files: what is read of them, what their views show, what is told of what is wrong, and with which line."""

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperimpl.vault.bases import query
from paperimpl.vault.bases.library import Library
from paperimpl.vault.bases.query import Failure, show
from paperimpl.vault.bases.reading import read
from paperimpl.vault.bases.values import File, is_empty, text
from paperimpl.vault.index import Index, Note

NOTES = {
    "books/Dune.md": "---\nyear: 1965\npages: 412\nstatus: read\nauthor: '[[Herbert]]'\ntags: [book, sf]\n---\n",
    "books/Emma.md": "---\nyear: 1815\npages: 474\nstatus: reading\ntags: book\n---\n",
    "books/Ubik.md": "---\nyear: 1969\nstatus: to read\ntags: [book, sf/classic]\nprice: cheap\n---\n",
    "books/old/10 Tales.md": "---\nyear: 1900\npages: 90\ntags: [book]\n---\n",
    "books/old/9 Tales.md": "---\nyear: 1900\npages: 80\ntags: [book]\n---\n",
    "Herbert.md": "---\ntags: person\n---\n[[Dune]] ![[cover.png]]",
    "Secret.md": "---\npublish: false\nyear: 1\ntags: [book]\n---\n![[scan.png]]",
    "templates/Book.md": "---\ntags: [book]\n---\n",
}


def library(publishes=None, files=("cover.png", "scan.png", "unused.pdf")):
    notes = {path: Note(path, body) for path, body in sorted(NOTES.items())}
    return Library(Index(notes, set(files)), publishes, datetime.datetime(2025, 1, 1))


def views(text, this="x.base", **options):
    base = read(text, "x.base")
    assert not base.problems, base.problems
    return [show(base, view, library(**options), File(this)) for view in base.views]


def names(shown):
    return [row.file.stem for group in shown.groups for row in group.rows]


def cells(shown, column=0):
    rows = (row for group in shown.groups for row in group.rows)
    return [row.cells[column] if not is_empty(row.cells[column]) else None for row in rows]


BOOKS = "filters:\n  and:\n    - file.hasTag('book')\nviews:\n  - type: table\n"


def test_a_base_without_filters_shows_every_note_and_what_published_notes_use():
    (shown,) = views("views:\n  - type: table\n    name: All\n")
    assert names(shown) == ["9 Tales", "10 Tales", "cover", "Dune", "Emma", "Herbert", "Ubik"]
    assert [column.title for column in shown.columns] == ["Name"]


def test_an_empty_base_is_a_table_of_everything():
    assert len(names(views("")[0])) == 7


def test_what_may_not_be_published_is_not_there():
    (shown,) = views("", publishes=lambda path: path != "cover.png")
    assert "cover" not in names(shown)


FILTERS = {
    "file.hasTag('sf')": {"Dune", "Ubik"},
    "year > 1900": {"Dune", "Ubik"},
    "year >= 1900 && year < 1960": {"10 Tales", "9 Tales"},
    "file.inFolder('books')": {"Dune", "Emma", "Ubik", "10 Tales", "9 Tales"},
    "file.folder == 'books/old'": {"10 Tales", "9 Tales"},
    "file.ext == 'png'": {"cover"},
    "file.hasLink('Dune')": {"Herbert"},
    "author == link('Herbert')": {"Dune"},
    "status": {"Dune", "Emma", "Ubik"},
    "'!status.isEmpty()'": {"Dune", "Emma", "Ubik"},
    "'/^\\d+ /.matches(file.name)'": {"10 Tales", "9 Tales"},
}


@pytest.mark.parametrize("statement", FILTERS)
def test_a_filter_is_a_statement(statement):
    assert set(names(views(f"filters: {statement}")[0])) == FILTERS[statement]


TREES = {
    "and: [file.hasTag('sf'), pages > 1]": {"Dune"},
    "or: [pages > 470, status == 'read']": {"Dune", "Emma"},
    "not: [file.inFolder('books'), file.ext == 'png']": {"Herbert"},
    "and: [file.hasTag('book'), {not: [file.inFolder('books/old')]}, {or: [year < 1900, pages == 412]}]": {
        "Dune",
        "Emma",
    },
    "or: []": {"9 Tales", "10 Tales", "cover", "Dune", "Emma", "Herbert", "Ubik"},
    "and: file.hasTag('sf')": {"Dune", "Ubik"},
}


@pytest.mark.parametrize("tree", TREES)
def test_filters_are_trees(tree):
    assert set(names(views(f"filters: {{{tree}}}")[0])) == TREES[tree]


def test_a_views_filter_is_added_to_the_bases():
    (shown,) = views(BOOKS + "    filters: status != null\n    order: [file.name]\n")
    assert names(shown) == ["Dune", "Emma", "Ubik"]


def test_sorting_is_natural_stable_and_puts_what_is_missing_last():
    def order(*sort):
        written = "".join(f"      - {{property: {name}, direction: {way}}}\n" for name, way in sort)
        return names(views(BOOKS + "    sort:\n" + written)[0])

    assert order(("file.name", "ASC")) == ["9 Tales", "10 Tales", "Dune", "Emma", "Ubik"]
    assert order(("pages", "DESC")) == ["Emma", "Dune", "10 Tales", "9 Tales", "Ubik"]
    assert order(("pages", "ASC")) == ["9 Tales", "10 Tales", "Dune", "Emma", "Ubik"]
    assert order(("year", "ASC"), ("pages", "DESC")) == ["Emma", "10 Tales", "9 Tales", "Dune", "Ubik"]
    assert order(("status", "DESC"))[:3] == ["Ubik", "Emma", "Dune"]


def test_a_limit_counts_after_sorting_and_the_total_is_known():
    (shown,) = views(BOOKS + "    limit: 2\n    sort: [{property: year, direction: DESC}]\n")
    assert (names(shown), shown.total) == (["Ubik", "Dune"], 5)


def test_groups_are_sorted_and_those_without_come_last():
    (shown,) = views(BOOKS + "    groupBy: {property: status, direction: DESC}\n")
    assert [(group.value, len(group.rows)) for group in shown.groups] == [
        ("to read", 1),
        ("reading", 1),
        ("read", 1),
        (None, 2),
    ]
    (shown,) = views(BOOKS + "    groupBy: year\n    limit: 3\n")
    assert [(group.value, len(group.rows)) for group in shown.groups] == [(1815, 1), (1900, 2)]


def test_formulas_are_columns_under_the_names_that_are_given():
    (shown,) = views(
        "filters: file.hasTag('sf')\nformulas:\n  age: now().year - year\n  Two Words: formula.age * 2\n"
        "properties:\n  formula.age: {displayName: Age}\n  year: {displayName: Published}\n  note.status: {}\n"
        "views:\n  - order: [file.name, note.year, formula.age, formula.Two Words, status, file.tags]\n"
    )
    assert [column.title for column in shown.columns] == ["Name", "Published", "Age", "Two Words", "status", "Tags"]
    assert cells(shown, 2) == [60, 56]
    assert cells(shown, 3) == [120, 112]
    assert cells(shown, 0) == [File("books/Dune.md"), File("books/Ubik.md")]


SUMMARIES = {
    "Average": ("pages", "264"),
    "Sum": ("pages", "1056"),
    "Min": ("pages", "80"),
    "Max": ("pages", "474"),
    "Range": ("pages", "394"),
    "Median": ("pages", "251"),
    "Stddev": ("pages", "180.3718381566"),
    "Empty": ("pages", "1"),
    "Filled": ("pages", "4"),
    "Unique": ("year", "4"),
    "Checked": ("formula.old", "3"),
    "Unchecked": ("formula.old", "2"),
    "Earliest": ("formula.day", "1815-01-01"),
    "Latest": ("formula.day", "1969-01-01"),
    "own": ("pages", "264"),
}


@pytest.mark.parametrize("name", SUMMARIES)
def test_summaries(name):
    column, written = SUMMARIES[name]
    (shown,) = views(
        "filters: file.hasTag('book')\nsummaries:\n  own: values.mean().round(1)\n"
        "formulas:\n  old: year < 1950\n  day: date(year.toString() + '-01-01')\n"
        f"views:\n  - order: [{column}]\n    summaries: {{{column}: {name}}}\n"
    )
    ((told, value),) = shown.summaries
    assert told == name
    assert text(value, lambda steps: None).startswith(written)


def test_this_is_the_file_that_shows_the_base():
    source = "filters: file.hasLink(this.file)\n"
    assert names(views(source, this="books/Dune.md")[0]) == ["Herbert"]
    assert names(views(source, this="Herbert.md")[0]) == ["Dune"]
    assert read(source, "x.base").asks_this
    assert not read("filters: file.hasLink('this')", "x.base").asks_this


def test_an_error_in_one_row_is_told_once_and_the_others_stand():
    base = read(
        "filters: file.hasTag('sf')\nformulas:\n  f: if(price, price.round(), 1)\nviews:\n  - order: [formula.f]\n",
        "x.base",
    )
    shown = show(base, base.views[0], library(), File("x.base"))
    assert cells(shown) == [1, Failure("a string has no function round()")]
    (problem,) = shown.problems
    assert (problem.path, problem.line, problem.error) == ("x.base", 3, False)
    assert (
        problem.message
        == "formula 'f' 'if(price, price.round(), 1)': a string has no function round() (in books/Ubik.md)"
    )


def test_an_error_in_a_filter_is_false():
    base = read("filters: price.round() > 0", "x.base")
    shown = show(base, base.views[0], library(), File("x.base"))
    assert (names(shown), len(shown.problems)) == ([], 1)


def test_too_much_work_is_told_and_ends(monkeypatch):
    monkeypatch.setattr(query, "_STEPS", 100)
    monkeypatch.setattr(query, "_STEPS_A_FILE", 0)
    base = read("filters: \"'x'.repeat(90000).contains('y')\"\nviews:\n  - name: A\n", "x.base")
    shown = show(base, base.views[0], library(), File("x.base"))
    assert [(p.line, p.error, "too much work" in p.message) for p in shown.problems] == [(3, True, True)]


# What is wrong: line, and a part of the message and remedy.
WRONG = {
    "filters: [": (1, "not YAML"),
    "a: b: c": (1, "not YAML"),
    "- a\n- b": (1, "not a base"),
    "just text": (1, "not a base"),
    "veiws: []": (1, "unknown part 'veiws' of a base (did you mean 'views'?)"),
    "filters:\n  and:\n    - a ==\n": (3, "filter 'a ==': it ends where a value was expected (mend the expression)"),
    "filters:\n  and:\n    - a\n    - !file.hasTag('x')\n": (4, "begins with '!' and is not quoted"),
    "filters:\n  xor:\n    - a\n": (3, "unknown filter 'xor'"),
    "filters:\n  - a\n  - b\n": (2, "a filter that is a list"),
    "formulas:\n  f: nope(1)\n": (2, "formula 'f' 'nope(1)': the function nope() is not supported"),
    "formulas:\n  f: a.nope()\n": (2, "the function .nope() is not supported"),
    "formulas:\n  f: [1, 2]\n": (2, "formula 'f' is not an expression"),
    "formulas:\n  f: icon('x')\n": (2, "icon() is not supported"),
    "formulas: 3": (1, "not a list of 'key: value'"),
    "views:\n  - type: map\n": (2, "the view type 'map' is not supported (it is shown as a table)"),
    "views:\n  - type: table\n    order:\n      - formula.f\n": (4, "there is no formula 'f'"),
    "views:\n  - order: [file.nme]\n": (2, "the property file.nme is not supported (did you mean 'name'?)"),
    "views:\n  - order: {a: b}\n": (2, "not a list of '- item'"),
    "views:\n  - order: [[a]]\n": (2, "not the name of a property"),
    "views:\n  - sort:\n      - property: a\n        direction: UP\n": (4, "direction 'UP' (write ASC or DESC)"),
    "views:\n  - sort:\n      - direction: ASC\n": (3, "nothing to sort or group by"),
    "views:\n  - limit: many\n": (2, "limit 'many' is not a number"),
    "views:\n  - summaries: {a: Mode}\n": (2, "there is no summary 'Mode'"),
    "views: table": (1, "not a list of '- item'"),
    "# " + "x" * 200_001: (1, "larger than 200,000 characters"),
}


@pytest.mark.parametrize("source", WRONG, ids=lambda source: source[:30])
def test_what_is_wrong_is_told_with_its_line(source):
    line, told = WRONG[source]
    base = read(source, "a/x.base", "vault/a/x.base")
    assert [problem.line for problem in base.problems] == [line]
    assert told in str(base.problems[0])
    assert str(base.problems[0]).startswith(f"vault/a/x.base:{line}: ")
    assert base.problems[0].error
    assert base.views


def test_lines_are_those_of_the_note_in_a_code_block():
    assert read("filters: a ==", "Note.md", first_line=7).problems[0].line == 7
    assert read("x: [", "Note.md", first_line=7).problems[0].line == 7


def test_what_is_not_supported_is_left_out_and_the_rest_is_shown():
    base = read(
        "filters:\n  and: [file.hasTag('sf'), nope(1)]\nformulas: {f: nope(2), g: year}\n"
        "views:\n  - order: [formula.f, formula.g, file.nope]\n",
        "x.base",
    )
    shown = show(base, base.views[0], library(), File("x.base"))
    assert [column.title for column in shown.columns] == ["f", "g"]
    assert cells(shown, 0) == [Failure("the function nope() is not supported")] * 2
    assert cells(shown, 1) == [1965, 1969]


def test_yaml_that_multiplies_is_read_in_little_time():
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
    )
    filters = "f0: &f0 {and: [a, a]}\n" + "".join(
        f"f{n}: &f{n} {{and: [*f{n - 1}, *f{n - 1}]}}\n" for n in range(1, 30)
    )
    for source in (bomb, filters + "filters: *f29\n", "[" * 5000, "a: " * 3000, "&a [*a]", "filters: &a {and: [*a]}"):
        base = read(source, "x.base")
        assert base.problems, source[:40]  # and is told of, with the line
        assert all(problem.line > 0 for problem in base.problems)


PIECES = [
    "filters",
    "formulas",
    "views",
    "and",
    "or",
    "order",
    ":",
    "\n",
    "  ",
    "    ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "'",
    '"',
]
PIECES += [
    "x",
    "type: table",
    "note.x",
    "file.name",
    "!",
    "&a",
    "*a",
    "|",
    "#",
    "? ",
    "1",
    "null",
    "\t",
    "%",
    "\x00",
    "…",
]


@settings(max_examples=250, deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=25).map("".join)))
def test_any_text_is_read_and_shown(source):
    base = read(source, "x.base")
    assert base.problems or not base.broken  # what cannot be shown says why
    for view in base.views:
        shown = show(base, view, library(), File("x.base"))
        assert shown.columns
        assert sum(len(group.rows) for group in shown.groups) <= shown.total


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.dates(), st.datetimes()
        ),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
        max_leaves=8,
    )
)
def test_any_property_is_a_value(raw):
    note = Note("N.md", "---\na: 1\n---\n")
    note.front.values.update({"x": raw, "tags": raw})
    found = Library(Index({"N.md": note}), None, datetime.datetime(2025, 1, 1))
    base = read(
        "formulas: {a: x.toString(), b: x == tags, c: 'x < 3', d: x + 1, e: list(x).sort(), f: list(x).unique()}\n"
        "views:\n  - order: [x, tags, file.tags, formula.a, formula.b, formula.c, formula.d, formula.e, formula.f]\n"
        "    groupBy: x\n    sort: [{property: x}]\n    summaries: {x: Sum, tags: Unique}\n",
        "x.base",
    )
    assert not base.problems
    shown = show(base, base.views[0], found, File("x.base"))
    assert len(names(shown)) == 1
