"""Footnotes beside their line, and code beside its text."""

import markdown
import pytest
from bs4 import BeautifulSoup

from paperimpl.markdown.extension import settings
from paperimpl.publish.columns import pair
from paperimpl.publish.sidenotes import beside


def page(text):
    return markdown.markdown(
        text, extensions=["footnotes", "tables"], extension_configs={"footnotes": settings()["footnotes"]}
    )


def soup(text, before=""):
    return BeautifulSoup(beside(page(text), before), "html.parser")


def test_a_footnote_stands_behind_its_mark_without_the_way_back():
    found = soup("One.[^a] Two.\n\n[^a]: An *aside*, [linked](https://example.org).")
    note = found.select_one("p > sup + .sidenote")
    assert note.text == "1An aside, linked."
    assert note.select_one("em").text == "aside"
    assert not note.select(".footnote-backref, [id], p")
    assert found.select_one("li.in-margin .footnote-backref")


def test_a_note_that_is_cited_twice_stands_beside_its_first_mark_only():
    found = soup("One.[^a] Two.[^a]\n\n[^a]: An aside.")
    assert len(found.select(".sidenote")) == 1
    assert len(found.select(".footnote-ref")) == 2


@pytest.mark.parametrize(
    "text",
    [
        "> One.[^a]\n\n[^a]: An aside.",
        "# One[^a]\n\n[^a]: An aside.",
        "a | b\n--|--\n1[^a] | 2\n\n[^a]: An aside.",
        "One.[^a]\n\n[^a]:\n    An aside:\n\n    - a\n    - b",
    ],
    ids=["quote", "heading", "table", "note with a list"],
)
def test_a_note_without_a_margin_stays_at_the_end(text):
    found = soup(text)
    assert not found.select(".sidenote, .in-margin")
    assert found.select_one(".footnote li")


def test_footnotes_come_before_the_appendix():
    found = soup(
        'One.[^a]\n\n<h2 id="the-evidence">The evidence</h2>\n\nMore.\n\n[^a]: An aside.', '<h2 id="the-evidence"'
    )
    assert found.select_one(".footnote").find_next("h2")["id"] == "the-evidence"
    assert found.select_one("h2").find_next("p").text == "More."


def test_a_page_without_footnotes_is_left_alone():
    assert beside("<p>One.</p>") == "<p>One.</p>"


LONG = "<p>" + "It says what the code does, and why. " * 6 + "</p>\n"
AFTER = '<h2 id="next">Next</h2>\n' + LONG


def code(width=40, lines=10):
    text = "\n".join(["x" * width] * lines)
    return (
        '<div class="language-python highlight"><span class="filename">f.py</span>'
        f"<pre><span></span><code>{text}\n</code></pre></div>\n"
    )


def paired(text):
    return BeautifulSoup(pair(f'<h2 id="the-code">The code</h2>\n{text}{AFTER}', "the-code"), "html.parser")


def test_code_and_the_paragraphs_below_it_are_one_pair():
    found = paired(code() + LONG + LONG + code() + LONG)
    assert [len(text.select("p")) for text in found.select(".beside > .highlight + .beside-text")] == [2, 1]
    assert found.select_one("#next").find_previous("p").find_parent(class_="beside")


def test_a_paragraph_that_announces_what_comes_next_stays_in_front_of_it():
    found = paired(code() + LONG + "<p>A test holds it:</p>\n" + code(lines=2))
    assert found.select_one(".beside + p").text == "A test holds it:"


def test_wide_code_asks_for_a_wider_screen():
    assert "beside-wide" in paired(code(width=100) + LONG).select_one(".beside")["class"]


@pytest.mark.parametrize(
    "text",
    [code(width=119) + LONG, code(lines=3) + LONG, code() + "<p>Short.</p>\n", LONG + code()],
    ids=["too wide", "too short", "little text", "text above"],
)
def test_what_makes_no_pair_stays_in_one_column(text):
    assert not paired(text).select(".beside")


def test_only_the_section_that_is_meant_has_pairs():
    page = AFTER + code() + LONG
    assert pair(page, "the-code") == page
