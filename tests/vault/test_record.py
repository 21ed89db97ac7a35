import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperimpl.vault.frontmatter import split
from paperimpl.vault.record import OPEN_LICENSES, Record, parse

SOUND = {
    "title": "Long Short-Term Memory",
    "description": "A cell that keeps its error.",
    "authors": '["S. Hochreiter", "J. Schmidhuber"]',
    "year": "1997",
    "venue": '"Neural Computation 9(8), 1735-1780"',
    "doi": "10.1162/neco.1997.9.8.1735",
    "order": "2",
    "requires": '["[[rnn]]", "[[backprop#The idea|backpropagation]]"]',
    "tags": "[recurrent]",
    "status": "done",
}
PATH = "vault/04-sequences/lstm/lstm.md"


def read(**changes):
    """Parse the sound record with fields changed, added or, where None, left out."""
    lines = [f"{name}: {value}".rstrip() for name, value in (SOUND | changes).items() if value is not None]
    return parse(split("\n".join(["---", *lines, "---", "Body"]), PATH), PATH)


def test_a_sound_record_is_read_as_it_is_written():
    record, problems = read(license="CC-BY-4.0", unchecked='["Table 7"]', pdf="https://example.org/lstm.pdf")
    assert problems == []
    assert record == Record(
        title="Long Short-Term Memory",
        description="A cell that keeps its error.",
        authors=("S. Hochreiter", "J. Schmidhuber"),
        year=1997,
        venue="Neural Computation 9(8), 1735-1780",
        doi="10.1162/neco.1997.9.8.1735",
        order=2,
        requires=("rnn", "backprop"),
        tags=("recurrent",),
        status="done",
        license="CC-BY-4.0",
        unchecked=("Table 7",),
        pdf="https://example.org/lstm.pdf",
    )
    assert record.lines["year"] == 5


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ({"arxiv": '"1706.03762"'}, "https://arxiv.org/abs/1706.03762"),
        ({"arxiv": "cs/0112017", "doi": None}, "https://arxiv.org/abs/cs/0112017"),
        ({}, "https://doi.org/10.1162/neco.1997.9.8.1735"),
        ({"doi": None, "url": "https://example.org/x"}, "https://example.org/x"),
    ],
)
def test_the_source_is_arxiv_then_doi_then_url(fields, source):
    assert read(**fields)[0].source == source


def test_only_an_open_licence_lets_the_site_carry_the_pdf():
    assert not read()[0].may_redistribute
    assert not read(license='"arXiv.org perpetual"')[0].may_redistribute
    assert all(read(license=f'"{name}"')[0].may_redistribute for name in OPEN_LICENSES)


def test_fields_that_any_note_may_have_are_no_strangers():
    extra = {"publish": "true", "cssclasses": "[wide]", "aliases": "[LSTM]", "permalink": "x", "cover": "x.png"}
    assert read(**extra)[1] == []


@pytest.mark.parametrize("absent", [None, "", "''"])
@pytest.mark.parametrize("name", [name for name in SOUND if name not in ("doi", "requires")])
def test_a_missing_field_is_named_with_what_belongs_there(name, absent):
    record, (problem,) = read(**{name: absent})
    assert record is None
    assert problem.path == PATH
    assert problem.line == (1 if absent is None else 2 + list(SOUND).index(name))
    assert problem.message == f"{name} is missing"
    assert problem.remedy.startswith(f"write '{name}:' and ")


def test_requires_may_be_empty_and_may_not_be_missing():
    assert read(requires="")[0].requires == read(requires="[]")[0].requires == ()
    assert "requires is missing" in str(read(requires=None)[1][0])


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("title", "1984", "in quotes"),
        ("description", "x" * 201, "at most 200 characters"),
        ("authors", "S. Hochreiter", "a list of names"),
        ("authors", "[]", "a list of names"),
        ("authors", "[1]", "a list of names"),
        ("authors", '[""]', "a list of names"),
        ("year", '"1997"', "a number"),
        ("year", "97", "a number"),
        ("year", "true", "a number"),
        ("year", "1997.5", "a number"),
        ("year", "1997-11-15", "a number"),
        ("venue", "[a]", "in quotes"),
        ("order", "0", "from 1"),
        ("order", "true", "from 1"),
        ("order", "second", "from 1"),
        ("requires", "[[rnn]]", '["[[rnn]]"]'),
        ("requires", "[rnn]", '["[[rnn]]"]'),
        ("requires", '"[[rnn]]"', '["[[rnn]]"]'),
        ("requires", '["[[rnn]", "[[a]]"]', '["[[rnn]]"]'),
        ("tags", "recurrent", "a list of words"),
        ("status", "finished", "one of to read, reading, done"),
        ("doi", "https://doi.org/10.1162/neco", "a DOI such as"),
        ("arxiv", "1706.03762", "in quotes"),
        ("arxiv", "arXiv:1706.03762", "an arXiv id"),
        ("url", "example.org", "starts with https://"),
        ("pdf", "ftp://example.org/x.pdf", "starts with https://"),
        ("pdf", '"https://example.org/two words.pdf"', "starts with https://"),
        ("license", "4", "the name of a licence"),
        ("aliases", "LSTM", "a list of names"),
        ("unchecked", "all of it", "a list of sentences"),
    ],
)
def test_a_wrong_value_is_shown_with_what_was_expected(name, value, expected):
    record, (problem,) = read(**{name: value})
    assert record is None
    names = list(SOUND) + ([] if name in SOUND else [name])
    assert (problem.path, problem.line) == (PATH, 2 + names.index(name))
    assert problem.message.startswith(f"{name}: ")
    assert expected in problem.remedy
    assert len(problem.message) < 200


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("tag", "'tags'"),
        ("autors", "'authors'"),
        ("publsh", "'publish'"),
        ("licence", "'license'"),
        ("zzz", "known fields: title"),
    ],
)
def test_an_unknown_field_suggests_the_near_one(name, hint):
    record, (problem,) = read(**{name: "x"})
    assert record is None
    assert problem.message == f"{name}: unknown field"
    assert (problem.path, problem.line) == (PATH, 2 + len(SOUND))
    assert hint in problem.remedy


def test_a_paper_without_a_source_is_refused():
    _, (problem,) = read(doi=None)
    assert str(problem) == f"{PATH}:1: the paper has no source (add one of arxiv, doi, url)"


def test_every_problem_is_told_at_once_each_on_its_line():
    _, problems = read(year="soon", order="x", tag="y", venue=None)
    assert [problem.message.split(":")[0] for problem in sorted(problems)] == [
        "venue is missing",
        "year",
        "order",
        "tag",
    ]


def test_a_note_without_front_matter_is_told_how_to_begin():
    _, (problem,) = parse(split("Body", PATH), PATH)
    assert "no front matter" in problem.message
    assert "paperimpl new" in problem.remedy


def test_broken_front_matter_is_one_problem():
    front = split("---\na: [\n---\n", PATH)
    assert parse(front, PATH) == (None, [front.problem])


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*SOUND, "arxiv", "pdf", "aliases", "license"]) | st.text(), anything))
def test_whatever_yaml_can_hold_is_a_record_or_problems(values):
    front = split("---\nx: 1\n---\n", PATH)
    object.__setattr__(front, "values", values)
    record, problems = parse(front, PATH)
    assert (record is None) == bool(problems)
