"""What a first visit loads, and that what was cut from style sheets is missed nowhere. Bytes and rules, never times."""

import re
from pathlib import Path

import material
import pytest
from benchmarks.audit import host, weight
from benchmarks.audit.__main__ import of_papers
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def compressed(site):
    """Where the site is served as hosts serve it, with its text compressed."""
    with host.served(site, "paperimpl") as found:
        yield found


def test_no_papers_page_is_heavier_than_is_allowed(chromium, site, compressed):
    pages = of_papers(site)
    assert len(pages) >= 35
    heaviest = sorted(pages, key=lambda page: len(host.compressed(site / page / "index.html")))[-4:]
    weighed = {page: weight.weigh(chromium, compressed + page)[0] for page in heaviest}
    totals = {page: weights.total() - weights["demo"] for page, weights in weighed.items()}
    assert {page: total for page, total in totals.items() if total > weight.LIMIT} == {}


def test_a_pages_weight_is_told_by_kind_and_a_font_more_weighs_more(chromium, compressed):
    plain, files = weight.weigh(chromium, f"{compressed}papers/")
    formulas, _ = weight.weigh(chromium, f"{compressed}04-sequences/lstm/")
    assert sum(size for size, _ in files) == sum(plain.values())
    assert all(plain[kind] > 0 for kind in ("page", "style", "script", "font"))
    assert formulas["font"] > plain["font"]


def test_the_index_of_all_words_is_asked_for_when_somebody_searches_and_not_before(visit):
    watched = visit("papers/")
    index = [url for url in watched.asked if "search_index" in url]
    assert index == []
    watched.page.keyboard.press("/")
    watched.page.keyboard.type("carousel")
    expect(watched.page.locator(".md-search-result__item a").first).to_be_visible()
    assert len([url for url in watched.asked if "search_index" in url]) == 1


def test_a_page_that_was_found_by_searching_marks_the_words(visit):
    page = visit("04-sequences/lstm/?h=carousel").page
    expect(page.locator("article mark", has_text=re.compile("carousel", re.I)).first).to_be_visible()


# The selectors of a list that something on the page matches, whatever the pointer or the keyboard is at.
MATCHED = """selectors => selectors.filter(selector => {
  const state = /:{1,2}(hover|focus|active|checked|before|after|target|placeholder|marker|-webkit)[\\w-]*/g;
  try { return !!document.querySelector(selector.replace(state, '') || '*'); } catch { return false; }
})"""


def selectors(sheet):
    """List a style sheet's selectors that hold no bracket, those in media queries too."""
    tinycss2 = pytest.importorskip("tinycss2")
    found = set()
    for rule in tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True):
        inside = tinycss2.parse_rule_list(rule.content or []) if rule.type == "at-rule" else [rule]
        for one in inside:
            if one.type == "qualified-rule" and "(" not in (text := tinycss2.serialize(one.prelude)):
                found |= {re.sub(r"\s*([>~+])\s*", r"\1", " ".join(part.split())) for part in text.split(",")}
    return found


@pytest.mark.parametrize("path", ["", "04-sequences/lstm/", "lessons/autograd/", "evidence/", "review/", "progress/"])
def test_no_rule_was_cut_that_something_on_the_page_matches(path, site, visit):
    (cut,) = (site / "assets/stylesheets").glob("main.*.css")
    whole = Path(material.__file__).parent / "templates/assets/stylesheets" / cut.name
    gone = sorted(selectors(whole.read_text("utf-8")) - selectors(cut.read_text("utf-8")))
    assert len(gone) > 100
    assert visit(path).page.evaluate(MATCHED, gone) == []
