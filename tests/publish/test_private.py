"""Nothing private leaks: what is not published is nowhere in the site, in no page, index, map or file name."""

import json

import pytest

HIDDEN = "---\npublish: false\n---\n"


def test_what_one_looks_for_is_found_where_it_is(sound, everywhere):
    site = sound[1].site
    assert ("lessons/how/index.html", "How to") in everywhere(site, "How to")
    assert {"sitemap.xml", "sitemap.xml.gz", "search/search_index.json"} <= {
        name for name, _ in everywhere(site, "lessons/how/")
    }


@pytest.fixture
def public(small):
    """A published note that links to what is private with words of its own."""
    small.write(
        "vault/lessons/public.md",
        "# Public\n\n[[zanzibar|one]] [[zanzibar#Pouch-9c1d heading|two]] ![[zanzibar|three]] [four](zanzibar.md)\n"
        "[five](zanzibar.md#pouch-9c1d-heading) [[lessons/zanzibar#^pouch-9c1d-block|six]]\n",
    )
    return small


@pytest.mark.parametrize(
    "front",
    [
        "publish: false",
        "publish: False",
        "publish: 'false'",
        "publish: no",
        "publish: off",
        "publish: 0",
        "publish:",
        "publish: false # pouch-9c1d",
        "title: a: b\npublish: false",
        "title: [pouch-9c1d\npublish: false",
        "publish: false\npublish: false",
        "tags: [a\n\tb]\npublish: false",
    ],
)
def test_of_a_private_note_nothing_is_in_the_site(front, public, everywhere):
    public.write(
        "vault/lessons/zanzibar.md",
        f"---\ndescription: pouch-9c1d\n{front}\n---\n# Pouch-9c1d title\n\n"
        "## Pouch-9c1d heading\n\nPouch-9c1d. ^pouch-9c1d-block\n\n"
        "[[how]] [[pouch-9c1d-wanted]] ![[pouch-9c1d.png]] $pouch-9c1d$\n",
    )
    public.write("vault/lessons/pouch-9c1d.png", b"\x89PNG tusk-7f3a")
    built = public.build()
    assert everywhere(built.site, "zanzibar", "pouch-9c1d", "tusk-7f3a") == []
    assert "one two four five six" in " ".join(built.page("lessons/public").select_one("article").text.split())


def test_what_is_published_by_mistake_of_no_one_stays_published(small):
    small.write("vault/lessons/a.md", "---\npublish: true\n---\nText.\n")
    small.write("vault/lessons/b.md", "---\ntags: [a]\n---\nText with publish: false in it.\n")
    built = small.build("--strict")
    assert built.code == 0, built.log
    assert (built.site / "lessons/a/index.html").is_file()
    assert (built.site / "lessons/b/index.html").is_file()


def test_a_private_paper_has_no_page_result_figure_pdf_or_title_anywhere(small, everywhere):
    small.paper("zanzibar", title="Pouch-9c1d paper", license="CC-BY-4.0")
    folder = "vault/04-sequences/zanzibar/zanzibar"
    small.edit(f"{folder}.md", "status: done", "status: done\npublish: false")
    small.write(f"{folder}.pdf", b"%PDF-1.4 tusk-7f3a")
    small.write(f"{folder}.claim.svg", "<svg>tusk-7f3a</svg>")
    small.edit("vault/05-transformers/two/two.md", '"[[three]]"', '"[[zanzibar|the other]]"')
    built = small.build("--strict")
    assert built.code == 0, built.log
    assert everywhere(built.site, "pouch-9c1d", "tusk-7f3a") == []
    assert {name for name, _ in everywhere(built.site, "zanzibar")} <= {"05-transformers/two/index.html"}


def test_attachments_go_public_with_a_note_that_shows_them(small, everywhere):
    small.write(
        "vault/lessons/private.md",
        f"{HIDDEN}![[both.png]] ![[pouch-9c1d.png]] [[pouch-9c1d.txt]] ![x](sub/pouch-9c1d.gif)\n",
    )
    for name in ("both.png", "pouch-9c1d.png", "pouch-9c1d.txt", "sub/pouch-9c1d.gif", "loose.png"):
        small.write(f"vault/lessons/{name}", b"tusk-7f3a" if name != "both.png" else b"shown")
    small.write("vault/lessons/public.md", "![[both.png]]\n")
    built = small.build("--strict")
    assert built.code == 0, built.log
    assert everywhere(built.site, "pouch-9c1d", "tusk-7f3a") == []
    assert (built.site / "lessons/both.png").is_file()
    assert not (built.site / "lessons/loose.png").exists()  # nobody shows it: as in Obsidian Publish, it stays at home


@pytest.mark.parametrize(
    "path",
    [
        "vault/templates/zanzibar.md",
        "vault/templates/deep/zanzibar.md",
        "vault/.obsidian/zanzibar.json",
        "vault/.obsidian/plugins/zanzibar.md",
        "vault/.trash/zanzibar.md",
        "vault/lessons/.zanzibar.md",
        "vault/pdf.lock",
        "vault/lessons/zanzibar.pdf.part",
        "vault/lessons/.ipynb_checkpoints/zanzibar.ipynb",
    ],
)
def test_what_belongs_to_obsidian_or_to_us_is_not_in_the_site(path, small, everywhere):
    small.write(path, "pouch-9c1d [[how]]\n")
    small.edit("vault/lessons/how.md", "# How to", "# How to\n\n[[templates/zanzibar|shown]]")
    built = small.build()
    assert everywhere(built.site, "zanzibar", "pouch-9c1d") == []


@pytest.mark.parametrize(
    "text",
    [
        "a %%pouch-9c1d%% b",
        "%%\npouch-9c1d\n\n[[zanzibar]]\n%%",
        "> [!note] T\n> %%pouch-9c1d%%",
        "a %% pouch-9c1d and no end\n\n[[zanzibar]]",
        "a <!-- pouch-9c1d [[zanzibar]] --> b",
    ],
)
def test_comments_are_in_no_page_and_no_index(text, small, everywhere):
    small.write("vault/lessons/commented.md", f"# Commented\n\n{text}\n")
    built = small.build("--strict")
    assert built.code == 0, built.log
    assert everywhere(built.site, "zanzibar", "pouch-9c1d") == []


def test_front_matter_is_not_shown_even_where_it_is_broken(small, everywhere):
    small.write("vault/lessons/broken.md", "---\ntitle: a: b\npouch-9c1d: zanzibar\n---\n# Broken\n\nText.\n")
    built = small.build()
    assert built.page("lessons/broken").find("h1").text.startswith("Broken")
    assert everywhere(built.site, "pouch-9c1d", "zanzibar") == []


SECRET = "pouch-9c1d"  # in every place that is private, and in no other


def plant(note, publish):
    """Write a vault whose every private place holds the secret."""
    note(
        "Public.md",
        f"---\n{publish}---\n# Public\n\n[[Hidden|one]] [[{SECRET}|two]] [three](Hidden.md) ![[Hidden]]\n"
        f"[[Hidden#{SECRET}|four]] [[Hidden#^{SECRET}|five]] ![[Hidden#{SECRET}]]\n"
        f"a %%{SECRET}%% b <!-- {SECRET} --> c\n\n%%\n{SECRET}\n%%\n\nThe olive grows. [[Second]]\n",
    )
    note("Second.md", f"---\n{publish}tags: [shown]\n---\nBack to [[Public]].\n")
    hidden = "publish: false\n"
    note(
        "Hidden.md",
        f"---\n{hidden}title: {SECRET} title\naliases: [{SECRET} alias, old/{SECRET}]\ntags: [{SECRET}]\n"
        f"description: {SECRET}\npermalink: {SECRET}/here\ncover: '[[{SECRET}.png]]'\ncssclasses: [{SECRET}]\n"
        f"related: '[[{SECRET}-property]]'\ndate: 2030-01-01\n---\n## {SECRET}\n\nOf Public, Second {SECRET} says the "
        f"olive grows. ^{SECRET}\n\n#{SECRET}/inline [[{SECRET}-wanted]] ![[{SECRET}.png]] [[Public|{SECRET} label]] "
        f"[[Second]] ${SECRET}$ [^1]\n\n```mermaid\ngraph TD\n A[{SECRET}]\n```\n\n[^1]: {SECRET}\n",
    )
    note(f"{SECRET}.md", f"---\n{hidden}---\nOf Public. [[Second]]\n")
    note(f"{SECRET} folder/Inner.md", f"---\n{hidden}---\n{SECRET} [[Public]]\n")
    note(f"{SECRET}.png", f"\x89PNG {SECRET}".encode("latin1"))
    note(f"folder/{SECRET}.pdf", f"%PDF-1.4 {SECRET}")
    note("Templates/Daily.md", f"{SECRET} [[Public]]")
    note(".obsidian/app.json", f'{{"x": "{SECRET}"}}')
    note(".trash/Gone.md", f"{SECRET} [[Public]]")
    note("drafts/Draft.md", f"---\n{publish}title: {SECRET}\ntags: [{SECRET}]\n---\n{SECRET} of [[Public]]\n")
    note("left/Out.md", f"---\n{publish}---\n{SECRET} of [[Public]]\n")
    note("Unmarked.md", f"---\n{'publish: false' if not publish else f'tags: [{SECRET}]'}\n---\n{SECRET} [[Public]]\n")
    cell = {"cell_type": "markdown", "metadata": {"x": SECRET}, "source": [f"# Book\n%%{SECRET}%% [[Hidden|six]]"]}
    book = {"cells": [cell], "metadata": {"x": SECRET}, "nbformat": 4, "nbformat_minor": 4}
    if not publish:
        note("Book.ipynb", json.dumps(book))
        note("Third.md", "[[Book.ipynb]] ![[Book.ipynb]]\n")


@pytest.mark.parametrize(("mode", "publish"), [("all", ""), ("marked", "publish: true\n")])
def test_a_secret_in_every_private_place_is_nowhere(mode, publish, foreign, everywhere):
    plant(foreign.note, publish)
    foreign.write(
        "mkdocs.yml",
        "site_name: A garden\nsite_url: https://example.org/\ndocs_dir: notes\n"
        "theme:\n  name: material\n  font: false\n"
        f"plugins:\n  - search\n  - vault:\n      publish: {mode}\nexclude_docs: left/\ndraft_docs: drafts/\n",
    )
    built = foreign.build()
    assert built.code == 0, built.log
    assert everywhere(built.site, SECRET) == []
    assert everywhere(built.site, "Hidden.md", "Hidden/") == []
    shown = " ".join(built.page("Public").select_one("article").text.split())
    assert "one two three" in shown
    assert (built.site / "Second/index.html").is_file()
    assert (built.site / "feed.xml").is_file()
