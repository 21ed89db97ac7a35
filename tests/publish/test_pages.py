"""What the site adds to the vault, without an engine: navigation, headers, ends, lists, and what may be public."""

import pytest
from bs4 import BeautifulSoup
from markdown import Markdown

from paperimpl.markdown.extension import Context, settings
from paperimpl.publish.pages import Publication
from paperimpl.vault.check import Health
from paperimpl.vault.index import Index, Note


def publication(root, preview=False, **changes):
    health = Health(root)
    return Publication(Context(health.index, health), root, "https://code.example.org/repository/", preview, **changes)


def vault(files, attachments=()):
    """A vault that holds no papers."""
    index = Index({path: Note(path, text) for path, text in files.items()}, set(attachments))
    return Publication(Context(index), None, "", False)


def nav(published):
    return published.nav(
        [
            *(path for path in published.index.notes if published.publishes(path)),
            *published.index.notebooks,
            *published.pages(),
            *published.generated,
        ]
    )


def test_chapters_stand_together_in_order_and_their_papers_by_order(small):
    small.paper("three", order=1)
    small.write("vault/notation.md", "# Notation\n")
    small.write("vault/glossary.md", "# A glossary\n")
    assert nav(publication(small.root)) == [
        {"Home": "index.md"},
        {
            "Papers": [
                "papers.md",
                "evidence.md",
                {
                    "Sequences and embeddings": [
                        "04-sequences/04-sequences.md",
                        "04-sequences/three/three.md",
                        "04-sequences/one/one.md",
                    ]
                },
                {
                    "Transformers and language models": [
                        "05-transformers/05-transformers.md",
                        "05-transformers/two/two.md",
                    ]
                },
            ]
        },
        {"Lessons": ["lessons/how.md"]},
        {"Practice": ["progress.md"]},
        {"Reference": ["glossary.md", "notation.md", "tags.md", "graph.md", "wanted.md"]},
    ]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"b.md": "---\ntitle: A\n---\n", "aa.md": "# B"}, ["b.md", "aa.md"]),
        ({"b.md": "---\norder: 1\n---\n", "a.md": ""}, ["b.md", "a.md"]),
        ({"deep-sea/x.md": ""}, [{"deep-sea": ["deep-sea/x.md"]}]),
        ({"d/d.md": "---\ntitle: The deep\n---\n", "d/a.md": ""}, [{"The deep": ["d/d.md", "d/a.md"]}]),
        ({"d/index.md": "# I", "d/a.md": ""}, [{"I": ["d/index.md", "d/a.md"]}]),
        (
            {
                "d/d.md": "[[c]], [[b]], [[c]]",
                "d/a.md": "",
                "d/b.md": "",
                "d/c.md": "",
                "d/z.md": "---\norder: 1\n---\n",
            },
            [{"d": ["d/d.md", "d/z.md", "d/c.md", "d/b.md", "d/a.md"]}, {"Explore": ["graph.md"]}],
        ),
        ({"d/README.md": "# R", "d/a.md": ""}, [{"R": ["d/README.md", "d/a.md"]}]),
        ({"d/e/e.md": ""}, [{"d": ["d/e/e.md"]}]),
        ({"d/e/e.md": "", "d/e/f.md": "", "d/a.md": ""}, [{"d": ["d/a.md", {"e": ["d/e/e.md", "d/e/f.md"]}]}]),
        ({"d/e/f/g.md": ""}, [{"d": [{"e": [{"f": ["d/e/f/g.md"]}]}]}]),
        ({"a.md": "[[b]]"}, ["a.md", {"Explore": ["wanted.md"]}]),
        ({"04-sequences/x.md": ""}, [{"Sequences and embeddings": ["04-sequences/x.md"]}]),
    ],
)
def test_navigation_follows_folders_titles_and_order(files, expected):
    assert nav(vault({"index.md": "", **files})) == [{"Home": "index.md"}, *expected]


def test_a_private_note_is_in_no_navigation():
    assert nav(vault({"index.md": "", "a.md": "", "b.md": "---\npublish: false\n---\n"}))[1:] == ["a.md"]


@pytest.mark.parametrize(
    ("path", "may"),
    [
        ("lessons/how.md", True),
        ("lessons/fig.png", True),
        ("04-sequences/one/one.claim.json", True),
        ("04-sequences/one/one.claim.svg", True),
        ("lessons/handout.pdf", True),
        ("templates/paper.md", False),
        ("lessons/templates/x.md", False),
        ("papers.base", False),
        ("lessons/board.canvas", False),
        ("pdf.lock", False),
        ("04-sequences/one/.one.pdf.x.part", False),
        (".obsidian/app.json", False),
        (".obsidian/plugins/x/main.js", False),
        (".trash/old.md", False),
        ("assets/javascripts/bundle.js", True),
    ],
)
def test_what_may_be_in_the_public_site(path, may, small):
    assert publication(small.root).publishes(path) == may


@pytest.mark.parametrize(
    ("license", "may"),
    [
        ("CC-BY-4.0", True),
        ("CC-BY-NC-ND-4.0", True),
        ("CC0-1.0", True),
        ("public domain", True),
        ("", False),
        ("arXiv-1.0", False),
        ("cc-by-4.0", False),
        ("CC-BY", False),
        ("all rights reserved", False),
    ],
)
def test_a_papers_pdf_is_public_where_its_licence_allows_it_and_in_the_preview_always(license, may, small):
    small.paper("one", license=license)
    small.write("vault/04-sequences/one/one.pdf", b"%PDF-1.4")
    pdf = "04-sequences/one/one.pdf"
    public, preview = publication(small.root), publication(small.root, preview=True)
    assert (public.publishes(pdf), preview.publishes(pdf)) == (may, True)
    for published, shown in ((public, may), (preview, True)):
        note = published.index.notes["04-sequences/one/one.md"]
        assert ("<object" in published.tail(note)) == shown
        header = BeautifulSoup(published.header(note, lambda path: f"../{path}"), "html.parser")
        link = next(a["href"] for a in header("a") if a.text == "PDF")
        assert link == (f"../{pdf}" if shown else "https://papers.example.org/one.pdf")


def test_a_paper_with_a_broken_record_gives_its_pdf_to_no_one(small):
    small.paper("one", license="CC-BY-4.0", year="soon")
    small.write("vault/04-sequences/one/one.pdf", b"%PDF-1.4")
    assert not publication(small.root).publishes("04-sequences/one/one.pdf")


def test_a_header_is_for_papers_alone_and_needs_a_record(small):
    small.edit("vault/04-sequences/one/one.md", "year: 1997", "year: soon")
    published = publication(small.root)
    for path in ("lessons/how.md", "04-sequences/one/one.md", "index.md"):
        assert published.header(published.index.notes[path], str) == ""


def test_a_header_escapes_what_a_record_says(small):
    small.paper("one", title="'A <b> & \"c\"'")
    header = publication(small.root).header(Note("04-sequences/one/one.md", ""), str)
    assert "A &lt;b&gt; &amp; " in header


def test_a_header_without_a_result_claims_nothing(small):
    (small.root / "vault/04-sequences/one/one.claim.json").unlink()
    header = BeautifulSoup(publication(small.root).header(Note("04-sequences/one/one.md", ""), str), "html.parser")
    assert not header.select(".paper-claim")
    assert "Result" not in [link.text for link in header("a")]


def test_a_claim_that_did_not_hold_says_so(small):
    small.edit(
        "vault/04-sequences/one/one.claim.json",
        '"seed": 3, "measured": {"accuracy": 0.9}, "holds": true',
        '"seed": 3, "measured": {"accuracy": 0.9}, "holds": false',
    )
    header = BeautifulSoup(publication(small.root).header(Note("04-sequences/one/one.md", ""), str), "html.parser")
    assert "not-held" in header.select_one(".paper-claim")["class"]
    assert "4 of 5 seeds" in header.select_one(".paper-claim").text


def test_without_a_repository_address_nothing_links_to_code(small):
    health = Health(small.root)
    published = Publication(Context(health.index, health), small.root, "", False)
    header = BeautifulSoup(published.header(Note("04-sequences/one/one.md", ""), str), "html.parser")
    assert [link.text for link in header.select(".paper-links a")] == ["Source", "PDF", "Result", "BibTeX"]


def test_a_papers_end_shows_what_there_is(small):
    (small.root / "src/paperimpl/claims/one.py").unlink()
    (small.root / "vault/04-sequences/one/one.claim.json").unlink()
    tail = publication(small.root).tail(Note("04-sequences/one/one.md", ""))
    assert '--8<-- "papers/one.py"' in tail
    assert '--8<-- "tests/papers/test_one.py"' in tail
    assert "claims/one.py" not in tail
    assert "seed by seed" not in tail


HARD = "A <b> & $x$ ~~y~~ ==z== ^w^ | [v](u) {t} #s *r* _q_ `p` [[o]] %%n%% \\m {{ l.k }}"


@pytest.mark.parametrize("property_", ["publish: false", "template: home.html"])
def test_a_paper_that_is_not_put_together_here_has_no_page_of_its_code(property_, small):
    assert "04-sequences/one/code.md" in publication(small.root).generated
    small.edit("vault/04-sequences/one/one.md", "status: done", f"status: done\n{property_}")
    published = publication(small.root)
    assert "04-sequences/one/code.md" not in published.generated
    assert "The code, whole" not in published.tail(published.index.notes["04-sequences/one/one.md"])


def test_a_paper_without_files_ends_without_them(small):
    for name in ("src/paperimpl/papers/one.py", "src/paperimpl/claims/one.py", "tests/papers/test_one.py"):
        (small.root / name).unlink()
    published = publication(small.root)
    assert "04-sequences/one/code.md" not in published.generated
    assert "The code, whole" not in published.tail(published.index.notes["04-sequences/one/one.md"])


@pytest.mark.parametrize("name", ["code.md", "code.ipynb"])
def test_a_note_of_that_name_keeps_its_address(name, small):
    small.write(f"vault/04-sequences/one/{name}", '{"cells": []}' if name.endswith("b") else "Mine.")
    published = publication(small.root)
    assert published.generated.keys() & {"04-sequences/one/code.md", "04-sequences/one/whole-code.md"} == {
        "04-sequences/one/whole-code.md"
    }
    note = published.index.notes["04-sequences/one/one.md"]
    assert 'href="whole-code/#the-model"' in published.tail(note)


def test_any_title_and_any_name_is_shown_as_it_is_in_the_lists(small):
    small.paper("one", title=f"'{HARD}'")
    name = "A <b> & ~~y~~ ==z== ^w^ (u) {t} *r* _q_ {{ l.k }}"
    small.write("vault/lessons/how.md", f"# How\n\n[[{name}]]\n")
    published = publication(small.root)
    pages = published.pages()
    engine = Markdown(extensions=[*settings(), "vault"], extension_configs=settings())

    def shown(page):
        body = page.split("---\n", 2)[2]
        return BeautifulSoup(engine.reset().convert(body), "html.parser")

    papers = shown(pages["papers.md"])
    assert [row("td")[1].text for row in papers.select("tbody tr")] == [HARD, "The paper two"]
    assert not papers("b, mark, del, code")
    wanted = published.generated_html(published.generated["wanted.md"], str)
    assert name in [strong.text for strong in BeautifulSoup(wanted, "html.parser")("strong")]


def test_lists_of_authors_are_short(small):
    cards = {card.slug: card for card in publication(small.root).papers}
    assert cards["one"].by == "Author & Other"


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("lessons/how.md", "lessons/how/"),
        ("04-sequences/04-sequences.md", "04-sequences/"),
        ("04-sequences/one/one.md", "04-sequences/one/"),
    ],
)
def test_a_folders_note_is_the_folders_page(path, url, small):
    assert publication(small.root).url_of(path) == url


def test_chapters_hold_their_papers_and_only_published_ones(small):
    small.paper("three", order=1)
    small.paper("four", order=3)
    small.edit("vault/04-sequences/four/four.md", "status: done", "status: done\npublish: false")
    chapters = {chapter.number: chapter for chapter in publication(small.root).chapters}
    assert {number: [card.slug for card in chapter.papers] for number, chapter in chapters.items()} == {
        4: ["three", "one"],
        5: ["two"],
    }
