"""What the site makes of the course: what is needed and leads on, study paths, progress, review, open questions."""

import json

import pytest
from bs4 import BeautifulSoup

from paperimpl.markdown.extension import Context
from paperimpl.publish.pages import Publication
from paperimpl.vault.check import Health

ONE, TWO = "04-sequences/one/one.md", "05-transformers/two/two.md"
STUDY = """---
title: A path
---

1. [[how|How to]]: first
2. [[one|The first paper]]
3. [[three|The third paper]]
4. [[two]]
"""
ASKS = """

### Cards

What is {slug}?::It is $x$, not [[#The code|code]].

### Open questions

- [ ] Is {slug} all?
"""


@pytest.fixture
def asking(small):
    """The small repository with a study path, cards and open questions."""
    small.write("vault/paths/a.md", STUDY)
    for path, slug in ((ONE, "one"), (TWO, "two")):
        text = (small.root / "vault" / path).read_text(encoding="utf-8")
        small.write(f"vault/{path}", text + ASKS.format(slug=slug))
    return small


def publication(small):
    health = Health(small.root)
    return Publication(Context(health.index, health), small.root, "", False)


def soup(html):
    return BeautifulSoup(html, "html.parser")


def words(element):
    return " ".join(element.get_text(" ").split())


def composed(published, path):
    return soup(published.compose(published.index.notes[path], "<h2 id='x'>X</h2>", lambda to: f"to:{to}", ""))


def test_above_a_paper_stands_what_it_needs_and_what_of_it_is_not_written(asking):
    way = composed(publication(asking), TWO).select_one(".paper-way")
    assert [words(each) for each in way.select("dd")] == ["The paper one", "The third paper (not written yet)", ""]
    assert [(link["href"], link["data-key"]) for link in way.select("a")] == [(f"to:{ONE}", "one")]


def test_below_a_paper_stands_what_it_leads_to_and_what_comes_next_on_its_paths(asking):
    page = composed(publication(asking), ONE)
    assert [(link["href"], link["data-key"]) for link in page.select(".onward-leads a")] == [(f"to:{TWO}", "two")]
    assert words(page.select_one(".onward-leads span")) == "The idea of two."
    assert words(page.select_one(".onward-paths li")) == "A path 2 of 3 Next: The paper two"
    assert page.select_one(".mark")["data-mark"] == "one"
    last = composed(publication(asking), TWO)
    assert words(last.select_one(".onward-next")) == "The last that is written."
    assert last.select_one(".onward-leads") is None


def test_reading_ends_before_the_evidence_begins(asking):
    published = publication(asking)
    html = '<p>Read.</p><h2 id="the-evidence">The evidence</h2>'
    page = published.compose(published.index.notes[ONE], html, str, "")
    assert page.index("Read.") < page.index('class="onward"') < page.index('id="the-evidence"')


def test_a_page_that_is_nothing_to_have_read_cannot_be_marked(asking):
    published = publication(asking)
    for path in ("index.md", "paths/a.md", "04-sequences/04-sequences.md"):
        assert not composed(published, path).select("[data-mark]"), path
    assert composed(published, "lessons/how.md").select_one("[data-mark]")["data-mark"] == "lessons/how"


def test_a_study_path_and_a_chapter_say_how_long_they_are_and_where_to_begin(asking):
    track = composed(publication(asking), "paths/a.md").select_one(".track")
    assert words(track.select_one("[data-count]")) == "3 to read, 1 not written yet"
    assert words(track.select_one("[data-next]")) == "Begin: How to"
    assert json.loads(track["data-track"]) == [
        ["lessons/how", "How to", "to:lessons/how.md"],
        ["one", "The first paper", f"to:{ONE}"],
        ["two", "The paper two", f"to:{TWO}"],
    ]
    assert track.select_one("progress")["max"] == "3"
    chapter = composed(publication(asking), "04-sequences/04-sequences.md").select_one(".track")
    assert words(chapter.select_one("[data-count]")) == "1 to read"


def test_the_page_of_progress_lists_paths_chapters_and_lessons_with_a_mark_each(asking):
    published = publication(asking)
    page = soup(published.generated_html(published.generated[published.study.progress_page], lambda to: f"to:{to}"))
    assert [words(heading) for heading in page.select("section.track h3")] == [
        "A path",
        "Sequences and embeddings",
        "Transformers and language models",
    ]
    marks = [button["data-mark"] for button in page.select(".ticklist [data-mark]")]
    assert marks == ["lessons/how", "one", "two", "one", "two", "lessons/how"]
    assert "Not written yet: The third paper" in words(page)


def test_the_pages_of_cards_and_open_questions_have_all_of_them_by_chapter(asking):
    pages = publication(asking).pages()
    review, questions = pages["review.md"], pages["questions.md"]
    assert "> ## Sequences and embeddings\n" in review
    assert f"> ### [The paper one]({ONE}#cards)\n" in review
    assert "> What is one?::It is $x$, not [[04-sequences/one/one#The code|code]]. ^one-" in review
    assert "All 2 cards" in review
    assert f"### [The paper two]({TWO}#open-questions)\n\n- Is two all?\n" in questions
    assert questions.index("Is one all?") < questions.index("Is two all?")


def test_what_is_private_is_in_no_list(asking):
    asking.edit(f"vault/{ONE}", "status: done", "status: done\npublish: false")
    published = publication(asking)
    page = published.generated_html(published.generated[published.study.progress_page], str)
    for text in (*published.pages().values(), page):
        assert "paper one" not in text
        assert "What is one" not in text
    assert "paper one" not in str(composed(published, TWO))


def test_a_repository_without_cards_has_no_page_of_them(small):
    published = publication(small)
    assert not {"review.md", "questions.md"} & published.pages().keys()
    pages = [*published.index.notes, *published.pages(), *published.generated]
    assert {"Practice": ["progress.md"]} in published.nav(pages)


def test_a_vault_with_a_note_called_review_keeps_it(asking):
    asking.write("vault/review.md", "# My review\n")
    published = publication(asking)
    assert "review.md" not in published.pages()
    assert "all-review.md" in published.pages()


def test_a_path_out_of_order_fails_a_strict_build_with_file_line_and_remedy(asking):
    asking.write("vault/paths/a.md", "1. [[two]]\n2. [[one]]\n")
    told = [str(problem) for problem in publication(asking).problems()]
    assert told == ["vault/paths/a.md:1: two stands before one, which it requires (move it below line 2)"]


def test_nothing_stale_is_served_when_requirements_cards_and_questions_change(asking):
    built = asking.build("--strict")
    assert built.code == 0, built.log
    assert "What is one?" in words(built.page("review"))
    deck = (built.site / "small.apkg").read_bytes()
    asking.edit(f"vault/{ONE}", "What is one?", "What was one?")
    asking.edit(f"vault/{ONE}", "Is one all?", "Is one enough?")
    asking.edit(f"vault/{ONE}", "requires: []", 'requires: ["[[later]]"]')
    asking.edit(f"vault/{TWO}", 'requires: ["[[one]]", "[[three]]"]', "requires: []")
    asking.edit("vault/paths/a.md", "4. [[two]]\n", "")
    built = asking.build("--strict")
    assert built.code == 0, built.log
    one = built.page("04-sequences/one")
    assert "later (not written yet)" in words(one.select_one(".paper-way"))
    assert not one.select(".onward-leads")
    assert words(one.select_one(".onward-next")) == "The last that is written."
    assert "What was one?" in words(one)
    assert built.page("05-transformers/two").select_one(".paper-way") is None
    assert "What was one?" in words(built.page("review"))
    assert "What is one?" not in words(built.page("review"))
    assert "Is one enough?" in words(built.page("questions"))
    assert (built.site / "small.apkg").read_bytes() != deck
    link = built.page("review").find("a", href="../small.apkg")
    assert "2 cards" in words(link)
    assert built.page("review").select("details.card .arithmatex, details.card .math, details.card math")
