"""Bases and canvases in a page: where they stand, what they hold, what never gets out of them."""

import json
import re

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown import Markdown

from paperimpl.markdown import Context, VaultExtension
from paperimpl.markdown.extension import settings as extensions
from paperimpl.markdown.markup import elements
from paperimpl.markdown.views import Views
from paperimpl.vault import views
from paperimpl.vault.index import Index, Note

NOTES = {
    "books/Dune.md": "---\nyear: 1965\nstatus: read\nauthor: '[[Herbert]]'\ntags: [book, sf]\n"
    "cover: '[[dune.png]]'\n---\nSand. ^s\n",
    "books/Emma.md": "---\nyear: 1815\nstatus: reading\ntags: book\ncover: 'https://host.example/e.png'\n---\n"
    "## Bath\n\nTea.\n",
    "Herbert.md": "---\ntitle: Frank Herbert\ntags: person\n---\n[[Dune]]",
    "Secret.md": "---\npublish: false\ntags: [book]\nyear: 1999\n---\nhush",
}
BASE = """filters: file.hasTag("book")
views:
  - type: table
    name: All
    order: [file.name, year, author, file.tags]
  - type: cards
    name: Wall & more
    image: cover
    order: [file.name, year]
  - type: list
    name: Plain
    order: [file.name, year]
"""
FILES = ("books/dune.png", "paper.pdf", "song.mp3")


def node(name, kind="text", **more):
    place = {"x": 0, "y": 0, "width": 100, "height": 50}
    return {"id": name, "type": kind, **place, **({"text": name} if kind == "text" else {}), **more}


def board(*nodes, edges=()):
    return json.dumps({"nodes": nodes, "edges": list(edges)})


class Page:
    def __init__(self, html, context):
        self.html, self.context = html, context
        self.tree = BeautifulSoup(html, "html.parser")

    def __call__(self, selector):
        return self.tree.select(selector)

    def one(self, selector):
        (element,) = self(selector)
        return element

    def texts(self, selector):
        return [re.sub(r"\s+", " ", element.get_text()).strip() for element in self(selector)]


def render(text, more=None, source="Home.md", **texts):
    """Render a note, or with `source` the page of a base or canvas, in the vault above."""
    texts = {"b.base": BASE, **{path.replace("__", "."): body for path, body in texts.items()}}
    notes = {**NOTES, **(more or {}), **({source: text} if source.endswith(".md") else {})}
    index = Index({p: Note(p, body) for p, body in sorted(notes.items())}, {*FILES, *texts}, views=texts)
    context = Context(index, source=source)
    engine = Markdown(extensions=[*extensions(), VaultExtension(context)], extension_configs=extensions())
    body = index.notes[source].front.body if source in index.notes else text
    return Page(engine.convert(body), context)


def page_of(path, **texts):
    """The page that a base or canvas has of its own."""
    return render(views.page(path), source=path, **texts)


# Where they stand


def test_an_embed_shows_the_first_view_and_links_its_notes():
    page = render("![[b.base]]")
    assert page.texts("thead th") == ["Name", "year", "author", "Tags"]
    assert [a["href"] for a in page("tbody .first a")] == ["books/Dune.md", "books/Emma.md"]
    assert page.texts("tbody tr")[0] == "Dune 1965 Herbert #book #sf"
    assert page.texts(".base-head") == ["All2 notes"]
    assert not page.context.problems


def test_a_view_is_chosen_by_name_whatever_the_case():
    assert render("![[b.base#plain]]").texts(".base-list li") == ["Dune, 1965", "Emma, 1815"]


def test_a_view_that_there_is_not_is_told_with_its_line_and_the_first_is_shown():
    page = render("Text.\n\n![[b.base#Wal]]")
    assert page.texts(".view-problem") == ["b.base has no view 'Wal'."]
    assert len(page("table")) == 1
    (problem,) = page.context.problems
    assert str(problem) == "vault/Home.md:3: b.base has no view 'Wal' (it has All, Wall & more, Plain)"


@pytest.mark.parametrize(
    ("text", "outline"),
    [
        ("![[b.base#Plain]]", "div"),
        ("Before ![[b.base#Plain]] after", "p div p"),
        ("- item ![[b.base#Plain]]", "ul"),
        ("> ![[b.base#Plain]]", "blockquote"),
        ("> [!note] T\n> ![[b.base#Plain]]", "div"),
        ("a\n\n![](b.base#Plain)\n\nb", "p div p"),
        ("![](</b.base#Plain>)", "div"),
        ("One ![[b.base#Plain]] two ![[b.base#Plain]]", "p div p div"),
        ("| a |\n|---|\n| ![[b.base\\|x]] |", "table"),
    ],
)
def test_a_view_stands_where_blocks_may(text, outline):
    page = render(text)
    assert [child.name for child in page.tree.find_all(recursive=False)] == outline.split()
    assert page(".base-view")
    assert not page("p .base, p div")


def test_where_no_block_may_stand_there_is_a_link():
    page = render("# Title ![[b.base]]\n")
    assert not page(".base")
    assert page.one("h1 a.wikilink")["href"] == "b.base"


def test_links_lead_to_the_page_and_to_the_view():
    page = render("[[b.base]] [[b.base#Wall & more|wall]] [c](c.canvas) [[c.canvas]]", c__canvas="")
    assert [a["href"] for a in page("a")] == ["b.base", "b.base#view-wall-more", "c.canvas", "c.canvas"]


def test_a_code_block_is_a_base_of_the_note():
    page = render("A\n\n```base\nfilters: file.hasLink(this)\nviews:\n  - type: list\n```\n\nB\n", {"X.md": "[[Home]]"})
    assert page.texts("li") == ["X"]
    assert page.texts("p") == ["A", "1 note", "B"]


def test_a_code_block_in_a_callout_and_one_that_only_shows_code():
    page = render("> [!tip]\n> ```base\n> filters: year > 1900\n> ```\n\n````\n```base\nfilters: x\n```\n````\n")
    assert page.texts(".callout tbody td") == ["Dune"]
    assert "```base" in page.one("pre").get_text()
    assert len(page(".base")) == 1


def test_what_is_wrong_in_a_code_block_is_told_with_the_notes_line():
    page = render("A\n\n```base\nfilters:\n  and:\n    - year >\n```\n")
    (problem,) = page.context.problems
    assert (problem.path, problem.line) == ("vault/Home.md", 6)


def test_a_broken_base_is_a_message_in_place():
    page = render("A\n\n![[x.base]]\n\nB", x__base="filters: [")
    assert page.texts(".view-problem")[0].startswith("x.base is not shown here: not YAML")
    assert page.texts("p")[::2] == ["A", "B"]


def test_a_broken_canvas_is_a_message_in_place():
    page = render("![[x.canvas]]", x__canvas="{")
    assert "x.canvas is not shown here: not JSON" in page.texts(".view-problem")[0]


def test_the_page_of_a_base_shows_every_view_with_a_place_of_its_own():
    page = page_of("b.base")
    assert [a["href"] for a in page(".base-tabs a")] == ["#view-all", "#view-wall-more", "#view-plain"]
    assert [section["id"] for section in page(".base-view")] == ["view-all", "view-wall-more", "view-plain"]


def test_a_page_in_a_folder_links_from_there():
    page = page_of("deep/in/x.base", **{"deep/in/x__base": BASE})
    assert page.one("tbody tr:nth-child(1) .first a")["href"] == "../../books/Dune.md"


# What they hold


def test_this_is_the_note_that_embeds():
    base = "filters: file.hasLink(this.file)\nviews:\n  - type: list\n"
    assert render("x", {"Z.md": "[[Home]]"}, source="Home.md").texts("li") == []
    page = render("![[t.base]]", {"Z.md": "[[Home]]"}, t__base=base)
    assert page.texts("li") == ["Z"]


def test_cards_have_covers_and_ask_no_other_host():
    page = render("![[b.base#Wall & more]]")
    assert [image["src"] for image in page(".base-cover img")] == ["books/dune.png"]
    assert "host.example" not in page.html
    (problem,) = page.context.problems
    assert "a picture on another host, host.example, is not shown" in problem.message
    assert (problem.line, problem.error) == (6, False)


def test_values_are_shown_by_their_kind():
    base = (
        "filters: file.name == 'V.md'\nformulas:\n"
        "  h: html('<b onclick=x>B</b><script>bad()</script><img src=//x.example/i>')\n"
        "  i: image('dune.png')\n  l: link('Dune', 'the book')\n  u: link('https://a.example/b', 'site')\n"
        "  j: link('javascript:alert(1)', 'js')\n  e: \"'x'.round()\"\n"
        "views:\n  - order: [t, f, d, w, n, a, s, formula.h, formula.i, formula.l, formula.u, formula.j, formula.e]\n"
    )
    note = (
        "---\nt: true\nf: false\nd: 2024-05-01\nw: 2024-05-01T10:20:00\nn: 1.50\na: https://a.example/x\n"
        "s: 'see [[Dune|it]] & <i>'\n---\n"
    )
    page = render("![[v.base]]", {"V.md": note}, v__base=base)
    cells = page("tbody td")
    assert [c.get("aria-label") for c in page(".base-check")] == ["yes", "no"]
    assert [t["datetime"] for t in page("time")] == ["2024-05-01", "2024-05-01T10:20"]
    assert "number" in cells[4]["class"]
    assert cells[4].get_text() == "1.5"
    assert cells[5].a["href"] == "https://a.example/x"
    assert str(cells[6].a) == '<a class="wikilink" href="books/Dune.md">it</a>'
    assert cells[6].get_text() == "see it & <i>"
    assert str(cells[7]).count("<b>B</b>") == 1
    assert not page("tbody script, tbody [onclick], tbody td:nth-child(8) img")
    assert cells[8].img["src"] == "books/dune.png"
    assert (cells[9].a["href"], cells[9].get_text()) == ("books/Dune.md", "the book")
    assert cells[10].a["href"] == "https://a.example/b"
    assert cells[11].a is None
    assert cells[11].get_text() == "js"
    assert cells[12].span["title"] == "a string has no function round()"


def test_groups_summaries_columns_and_numbered_lists():
    base = (
        "filters: file.hasTag('book')\nviews:\n  - name: G\n    groupBy: status\n    order: [file.name, year]\n"
        "    summaries: {year: Sum}\n  - type: kanban\n    name: K\n    groupBy: status\n    order: [file.name, year]\n"
        "  - type: list\n    name: L\n    markers: number\n    indentProperties: true\n    order: [file.name, year]\n"
    )
    table = render("![[g.base]]", g__base=base)
    assert table.texts(".base-group") == ["read1", "reading1"]
    assert table.texts("tfoot td") == ["", "Sum 3780"]
    kanban = render("![[g.base#K]]", g__base=base)
    assert kanban.texts(".base-column") == ["read1 Dune year 1965", "reading1 Emma year 1815"]
    assert render("![[g.base#L]]", g__base=base).texts("ol > li") == ["Dune 1965", "Emma 1815"]


def test_a_filter_that_matches_nothing_says_so():
    assert render("![[n.base]]", n__base="filters: year > 9000").texts(".base-nothing") == ["Nothing matches."]


@pytest.mark.parametrize(
    ("html", "kept"),
    [
        ("a<br>b", "a<br />b"),
        ('<span style="color: red" onclick="x()">a</span>', '<span style="color: red">a</span>'),
        ('<span style="background:url(//x)">a</span>', "<span>a</span>"),
        ('<a href="javascript:x()">a</a>', '<a data-vault="">a</a>'),
        ("<style>p{}</style><p>a", "<p>a</p>"),
        ("<svg><script>x</script></svg>b", "b"),
        ("</b></i>x", "x"),
        ("<b><i>x</b>y", "<b><i>x</i></b>y"),
        ("1 < 2 &amp; 3", "1 &lt; 2 &amp; 3"),
        ("<!-- x -->a<?php ?>", "a"),
    ],
)
def test_markup_of_formulas_is_harmless(html, kept):
    import xml.etree.ElementTree as etree

    assert etree.tostring(elements(html), encoding="unicode") == f'<span class="base-html">{kept}</span>'


# Canvases


def test_every_kind_of_node():
    page = render(
        "![[c.canvas]]",
        c__canvas=board(
            node("t", text="# Head\n\n**bold** [[Dune]] #x\n\n- [ ] do\n", color="3"),
            node("n", "file", file="books/Emma.md", y=100),
            node("s", "file", file="books/Emma.md", subpath="#Bath", y=200),
            node("b", "file", file="books/Dune.md", subpath="#^s", y=300),
            node("i", "file", file="books/dune.png", y=400),
            node("p", "file", file="paper.pdf", y=500),
            node("a", "file", file="song.mp3", y=600),
            node("w", "link", url="https://www.a.example/x?y=1", y=700),
            node("v", "file", file="b.base", subpath="#Plain", y=800),
            node(
                "g",
                "group",
                label="Group",
                x=500,
                color="#ff0000",
                background="books/dune.png",
                backgroundStyle="repeat",
            ),
        ),
    )
    assert not page.context.problems
    text = page.one(".canvas-text")
    assert text.select_one('[role="heading"]').get_text() == "Head"
    assert text.strong.get_text() == "bold"
    assert text.a["href"] == "books/Dune.md"
    assert "c3" in text["class"]
    assert not page("h1, h2, h3")
    files = page(".canvas-file")
    assert files[0].get_text(" ", strip=True) == "Emma Bath Tea."
    assert files[1].a["href"] == "books/Emma.md#bath"
    assert files[2].get_text(" ", strip=True) == "Dune Sand."
    assert files[2].a["href"] == "books/Dune.md#%5Es" or files[2].a["href"].endswith("#^s")
    assert files[3].img["src"] == "books/dune.png"
    assert files[4].a["href"] == "paper.pdf"
    assert files[5].a["href"] == "song.mp3"
    assert files[6].select(".base-list li")[0].get_text() == "Dune, 1965"
    link = page.one(".canvas-link a")
    assert (link["href"], link.get_text()) == ("https://www.a.example/x?y=1", "a.example/x?y=1")
    group = page.one(".canvas-group")
    assert group.get_text(strip=True) == "Group"
    assert "--c: #ff0000" in group["style"]
    assert group.select_one(".repeat")["style"] == "background-image: url(books/dune.png)"
    assert not page("iframe, object, script, [src^='http']")


def test_edges_are_drawn_and_told_in_words():
    page = render(
        "![[c.canvas]]",
        c__canvas=board(
            node("a", text="First *thing*"),
            node("b", "file", file="Herbert.md", x=300),
            node("c", "link", url="https://a.example", x=600),
            edges=[
                {"id": "1", "fromNode": "a", "toNode": "b", "label": "made by", "color": "2"},
                {"id": "2", "fromNode": "b", "toNode": "a", "color": "#123456", "fromEnd": "arrow", "toEnd": "none"},
                {"id": "3", "fromNode": "b", "toNode": "c"},
            ],
        ),
    )
    svg = page.one("svg")
    assert svg["aria-hidden"] == "true"
    assert [group["class"][-1] for group in page("svg g")] == ["c2", "coloured", "canvas-edge"]
    assert [len(group.select("polygon")) for group in page("svg g")] == [1, 1, 1]
    assert page.texts(".canvas-edge-label") == ["made by"]
    assert page.texts(".canvas-leads li") == [
        "made by: Frank Herbert",
        "comes from First thing",
        "leads to https://a.example",
    ]
    ids = {element["id"] for element in page("[id]")}
    assert {a["href"].removeprefix("#") for a in page(".canvas-leads a")} <= ids


def test_links_in_a_canvas_are_seen_from_the_canvas_and_lead_from_the_page():
    text = board(node("t", text="[[Note]] ![[pic.png]] [x](./Note.md) [[#Here]]"))
    more = {"deep/Note.md": "", "Note2/Note.md": ""}
    page = render("![[c.canvas]]", more, source="far/away/Home.md", **{"deep/c__canvas": text})
    assert [a["href"] for a in page(".canvas-text a")][:2] == ["../../deep/Note.md", "../../deep/Note.md"]


def test_a_private_note_on_a_canvas_leaves_no_trace():
    text = board(
        node("a"),
        node("s", "file", file="Secret.md", x=300),
        edges=[{"id": "1", "fromNode": "a", "toNode": "s", "label": "whisper"}],
    )
    page = render("![[c.canvas]]", c__canvas=text)
    assert "Secret" not in page.html
    assert "whisper" not in page.html
    assert len(page(".canvas-node")) == 1


def test_a_private_note_is_in_no_view():
    page = page_of("b.base")
    assert "Secret" not in page.html
    assert "1999" not in page.html


def test_a_base_that_only_private_notes_use_is_not_shown():
    page = render(
        "![[c.canvas]]",
        {"P.md": "---\npublish: false\n---\n![[p.base]]"},
        c__canvas=board(node("b", "file", file="p.base")),
        p__base=BASE,
    )
    assert "p.base" not in page.html
    assert "p.base" not in page.context.index.boards


def test_a_circle_is_cut_with_a_message():
    page = render(
        "![[c.canvas]]",
        {"Loop.md": "Again ![[c.canvas]]"},
        c__canvas=board(node("n", "file", file="Loop.md"), node("c", "file", file="c.canvas", y=90)),
    )
    assert page.texts(".view-problem") == ["c.canvas is not shown here: it would show itself."] * 2
    assert {problem.message for problem in page.context.problems} == {"c.canvas: it would show itself"}


def test_canvases_in_canvases_share_no_ids():
    inner, outer = board(node("a"), node("b", y=90)), board(node("x", "file", file="i.canvas"), node("a", y=90))
    page = render("![[o.canvas]]\n\n![[i.canvas]]", i__canvas=inner, o__canvas=outer)
    ids = [element["id"] for element in page("[id]")]
    assert len(ids) == len(set(ids)) == 6


def test_raw_html_and_code_on_a_canvas_are_the_pages():
    page = render(
        "![[c.canvas]]", c__canvas=board(node("t", text="<kbd>K</kbd>\n\n```python\nx = [[1]]\n```\n\n<div>raw</div>"))
    )
    assert page.one(".canvas-text kbd").get_text() == "K"
    assert "x = [[1]]" in page.one(".canvas-text pre").get_text()
    assert "raw" in page.one(".canvas-text").get_text()
    assert "\x02" not in page.html


def test_headings_and_footnotes_on_a_canvas_stay_out_of_the_pages_outline():
    text = board(node("t", text="# Title\n\nA[^1]\n\n[^1]: note"), node("u", text="# Title", y=99))
    page = render("# Title\n\n![[c.canvas]]\n\nB[^1]\n\n[^1]: own\n", c__canvas=text)
    assert [element["id"] for element in page("h1")] == ["title"]
    ids = [element["id"] for element in page("[id]")]
    assert len(ids) == len(set(ids))


def test_a_page_cannot_be_made_of_thousands_of_views(monkeypatch):
    monkeypatch.setattr("paperimpl.markdown.views.MOST", 5)
    page = render("![[b.base#Plain]]\n\n" * 9)
    assert len(page(".base")) == 5
    assert len(page(".view-problem")) == 4


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//x.example", "not a url", "http://[", "", "https://"]
)
def test_only_addresses_are_links(url):
    page = render("![[c.canvas]]", c__canvas=board(node("w", "link", url=url)))
    assert not page(".canvas-link a")


def test_views_are_computed_once_for_all_pages(monkeypatch):
    index = Index({p: Note(p, b) for p, b in sorted(NOTES.items())}, {"b.base"}, views={"b.base": BASE})
    shared = Views()
    calls = []
    from paperimpl.markdown import views as module

    real = module.show
    monkeypatch.setattr(module, "show", lambda *given: calls.append(given) or real(*given))
    base = shared.base(index, "b.base")
    first = shared.show(index, base, 0, "A.md", kept=True)
    assert shared.show(index, base, 0, "B.md", kept=True) is first
    assert len(calls) == 1


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet='[]!#|`*_<>&"\\{}$%:- \nab^.()x/', max_size=60))
def test_any_text_on_a_canvas_renders(text):
    page = render(
        "before\n\n![[c.canvas]]\n\nafter", c__canvas=board(node("t", text=text), node("u", text="whole", y=99))
    )
    assert "whole" in page.html
    assert "after" in page.html
    assert "klzzwxh" not in page.html
