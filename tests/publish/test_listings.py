"""A paper's files on a page of their own, and the ways between it and the paper's page."""

import re
from pathlib import Path

import pytest

from paperimpl.publish.listings import EDGE, Listing, listed, part

NOTE = '<div class="eq" id="eq-1"><a href="#code-1-2">2</a><a href="#code-2-9">9</a></div><a href="#code-review">x</a>'
FILES = (
    '<h2 id="the-model">The model</h2><span id="code-2-9"></span><a href="#eq-1">eq. 1</a><a href="#the-model">m</a>'
)
QUOTED = '<span id="code-1-2"></span><a href="#eq-1">eq. 1</a>'


def test_files_are_taken_and_what_stands_around_them_stays():
    kept, taken = part(f"{NOTE}{QUOTED}{EDGE}{FILES}{EDGE}<footer>", "code/", "../")
    assert "The model" not in kept
    assert EDGE not in kept + taken
    assert kept.endswith("<footer>")
    assert QUOTED in kept
    assert taken.startswith('<h2 id="the-model">')


def test_an_equation_leads_to_its_line_where_that_is_and_a_line_back_to_its_equation():
    kept, taken = part(f"{NOTE}{QUOTED}{EDGE}{FILES}{EDGE}", "code/", "../")
    assert re.findall('href="([^"]*)"', kept) == ["#code-1-2", "code/#code-2-9", "#code-review", "#eq-1"]
    assert re.findall('href="([^"]*)"', taken) == ["../#eq-1", "#the-model"]


@pytest.mark.parametrize("page", [NOTE, "", NOTE + EDGE])
def test_a_page_without_files_loses_nothing(page):
    assert part(page, "code/", "../") == (page, "")


def test_files_that_are_there_are_listed_with_their_lengths(tmp_path):
    for name, text in (("model", "a\nb\n"), ("claim", "")):
        (tmp_path / name).write_text(text)
    places = {kind: Path(tmp_path / kind) for kind in ("claim", "model", "test", "note")}
    assert listed("two", places) == [
        Listing("model", "the-model", "papers/two.py", 2),
        Listing("claim", "the-claim", "claims/two.py", 0),
    ]
