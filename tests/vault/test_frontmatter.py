import datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperimpl.vault.frontmatter import split


def test_a_note_is_taken_apart_with_the_line_of_every_key():
    front = split('---\ntitle: LSTM\n\n# a comment\nrequires:\n  - "[[rnn]]"\nyear: 1997\n---\n\nBody\n', "a.md")
    assert front.values == {"title": "LSTM", "requires": ["[[rnn]]"], "year": 1997}
    assert front.lines == {"title": 2, "requires": 5, "year": 7}
    assert (front.body, front.body_line, front.problem) == ("\nBody\n", 9, None)


@pytest.mark.parametrize("text", ["", "Body", "\n---\na: 1\n---\n", "--- \n---\nBody", "----\na: 1\n----\n"])
def test_a_note_may_have_none(text):
    front = split(text, "a.md")
    assert (front.values, front.problem) == ({}, None)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_windows_line_endings_and_byte_order_marks_are_no_matter(ending, mark):
    front = split(mark + ending.join(["---", "a: b", "c: d", "---", "Body"]), "a.md")
    assert front.values == {"a": "b", "c": "d"}
    assert (front.lines["c"], front.body, front.body_line) == (3, "Body", 5)


def test_lines_are_counted_as_an_editor_counts_them():
    front = split("---\na: 'form\x0cfeed\u2028'\nb: c\n---\n", "a.md")
    assert front.problem is not None  # YAML allows no form feed
    assert front.problem.line == 2
    assert split("---\na: b\n---\nx\x0cy\n", "a.md").body == "x\x0cy\n"


def test_yes_and_no_are_words_and_true_and_false_are_not():
    assert split("---\na: [yes, no, on, off, true, False]\n---\n", "a.md").values == {
        "a": ["yes", "no", "on", "off", True, False]
    }
    assert split("---\na: 2024-02-29\n---\n", "a.md").values == {"a": datetime.date(2024, 2, 29)}


@pytest.mark.parametrize(
    ("block", "line", "said"),
    [
        ("title: LSTM: a net", 2, "mapping values are not allowed here"),
        ("a: 1\nrequires: [[rnn]", 4, "expected ',' or ']'"),
        ("a: 1\nb: @x", 3, "cannot start any token"),
        ("a: 1\n\tb: 2", 3, "cannot start any token"),
        ("a: 1\nb: 2\na: 3", 4, "'a' stands twice"),
        ("a: 1\nb: \x01", 3, "special characters are not allowed (#x0001)"),
        ("- a\n- b", 2, "not a list of properties"),
        ("just words", 2, "not a list of properties"),
        ("0", 2, "not a list of properties"),
        ("? [a]\n: b", 2, "unhashable key"),
        ("a: 2024-13-40", 1, "month must be in 1..12"),
        ("a: !!bool perhaps", 1, "KeyError"),
        ("a: " + "[" * 3000, 1, "RecursionError"),
    ],
)
def test_what_yaml_refuses_is_one_problem_with_line_and_remedy(block, line, said):
    front = split(f"---\n{block}\n---\nBody\n", "vault/a.md")
    assert front.values == {}
    assert front.body == "Body\n"
    assert front.problem is not None
    assert (front.problem.path, front.problem.line) == ("vault/a.md", line)
    assert said in front.problem.message
    assert "\n" not in str(front.problem)
    assert front.problem.remedy


def test_front_matter_that_never_closes_is_a_problem_and_the_text_is_kept():
    front = split("---\na: 1\nBody\n", "a.md")
    assert str(front.problem) == "a.md:1: front matter opens with '---' and never closes (add a line '---' after it)"
    assert front.body == "---\na: 1\nBody\n"


yaml_like = st.text(st.sampled_from("ab:-[]{}#&*!|>'\"%@`?, \n\t0123._~<=\r\ufeff\x00\x0c\u2028é"), max_size=60)
tags = st.sampled_from(["!!int", "!!float", "!!bool", "!!timestamp", "!!binary", "!!set", "!!omap", "!!null", "<<:"])


@given(st.one_of(st.text(), yaml_like, st.builds("a: {} {}".format, tags, yaml_like)))
@example("a: !!int ''")
@example("a: !!timestamp x")
@example("a: 0001-01-01 00:00:00 +23:59")
@example("&a [*a]")
def test_nothing_makes_it_raise(block):
    front = split(f"---\n{block}\n---\nBody", "a.md")
    assert front.problem is None or front.problem.line >= 1
    assert front.body.endswith("Body")
    split(block, "a.md")
