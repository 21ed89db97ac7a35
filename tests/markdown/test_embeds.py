"""What embeds may not do to the page that holds them, beyond what the golden cases show."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperimpl.markdown.extension import Context, VaultExtension
from paperimpl.markdown.extension import settings as extension_settings
from paperimpl.vault.index import Index, Note

RICH = "# Top\n\n## Part\n\nText[^1] ^id\n\n| a |\n|---|\n| b |\n\n^table\n\n- [x] task ^task\n\n[^1]: note\n"


def test_headings_of_an_embed_are_not_in_the_contents_and_no_id_stands_twice(render):
    from markdown import Markdown

    notes = {"Home.md": Note("Home.md", "# Top\n\n![[A]]\n\n![[A#Part]]\n\n![[A]]\n\nx[^1]\n\n[^1]: y\n")}
    notes["A.md"] = Note("A.md", RICH)
    context = Context(Index(notes), source="Home.md")
    engine = Markdown(
        extensions=[*extension_settings(), VaultExtension(context)], extension_configs=extension_settings()
    )
    engine.convert(notes["Home.md"].text)
    assert [token["name"] for token in engine.toc_tokens] == ["Top"]
    assert engine.toc_tokens[0]["children"] == []
    page = render(notes["Home.md"].text, {"A.md": RICH})
    ids = [element["id"] for element in page("[id]")]
    assert len(ids) == len(set(ids))
    assert len([name for name in ids if "fn:" in name]) == 4
    ways = {link["href"][1:] for link in page("a.footnote-ref, a.footnote-backref")}
    assert ways <= set(ids)


def test_links_of_an_embed_lead_where_the_embedded_notes_would(render):
    notes = {
        "A/Note.md": "[[Twin]] [[#Here]] [t](./Twin.md) ![x](pic.png) ![[pic.png]] [[Home]] [[Home#Up]]\n\n## Here\n",
        "A/Twin.md": "",
        "0/Twin.md": "",
    }
    page = render("![[A/Note]]\n\n## Up\n", notes, files=["A/pic.png", "0/pic.png"])
    assert [link["href"] for link in page(".embed-body a")] == [
        *("A/Twin.md", "A/Note.md#here", "A/Twin.md", "#", "#up"),
    ]
    assert [image["src"] for image in page("img")] == ["A/pic.png", "A/pic.png"]


def test_an_embed_keeps_footnotes_and_references_that_stand_elsewhere_in_its_note(render):
    note = "## One\n\na[^x] [r] b[^y]\n\n## Two\n\n[^x]: of one\n\n    and more\n[^z]: not of one\n[r]: https://example.org\n"
    page = render("![[A#One]]", {"A.md": note})
    assert page.one(".footnote li").text.split("↩")[0].split() == ["of", "one", "and", "more"]
    assert page.one("a[href='https://example.org']").text == "r"
    assert "not of one" not in page.text
    assert not render("![[A#Two]]", {"A.md": note})(".footnote")


@pytest.mark.parametrize("text", ["# ![[A]]", "[a ![[A]]](b.md)", "**![[A]]**"])
def test_where_no_block_may_stand_an_embed_is_a_link(render, text):
    page = render(text, {"A.md": "inside"})
    assert not page(".embed, [data-slot]")
    assert "A" in page.text


def test_only_a_circle_is_cut(render):
    notes = {"A.md": "## One\n\n![[B]]\n\n## Two\n\nno more", "B.md": "![[A#Two]]"}
    page = render("![[A]]", notes)
    assert not page(".embed-cut")
    assert page.text.count("no more") == 2
    circle = render("![[A]]", {"A.md": "a ![[B]]", "B.md": "b ![[C]]", "C.md": "c ![[A]]"})
    assert len(circle(".embed-cut")) == 1
    assert "embeds itself" in circle.one(".embed-cut").text
    assert [problem.path for problem in circle.context.problems] == ["vault/C.md"]


def test_a_page_that_would_embed_thousands_ends(render):
    notes = {f"N{n}.md": f"![[N{n + 1}]]\n\n![[N{n + 1}]]" for n in range(40)}
    page = render("![[N0]]", notes)
    assert page(".embed-cut")
    chain = render("![[N0]]", {f"N{n}.md": f"text\n\n![[N{n + 1}]]" for n in range(400)})
    assert chain.html.count("too much is embedded") == 1


def test_an_embed_that_names_nothing_stays_a_broken_link(render):
    page = render("![[A#Nothing]] ![[A#^nothing]] ![[None]]", {"A.md": "text"})
    assert len(page(".broken, .wanted")) == 3
    assert "text" not in page.text


def test_a_notebook_is_a_card_that_leads_to_it(render):
    from markdown import Markdown

    notes = {"Home.md": Note("Home.md", "![[lab.ipynb]]")}
    index = Index(notes, {"lab.ipynb"}, {"lab.ipynb": Note("lab.ipynb", "# A lab")})
    context = Context(index, source="Home.md")
    made = Markdown(extensions=[*extension_settings(), VaultExtension(context)], extension_configs=extension_settings())
    html = made.convert("![[lab.ipynb]]")
    assert 'data-embed="notebook"' in html
    assert '<a class="wikilink" href="lab.ipynb">A lab</a>' in html


TEXTS = st.lists(
    st.sampled_from(
        ["![[A]]", "![[B]]", "![[C#x]]", "![[A#^i]]", "## x", "text ^i", "- ![[B]]", "> ![[C]]", "a ![[B#x]] b"]
    ),
    max_size=5,
).map("\n\n".join)


@settings(deadline=None, max_examples=100)
@given(TEXTS, TEXTS, TEXTS)
def test_however_notes_embed_each_other_the_page_ends_and_ids_are_unique(render, home, one, two):
    page = render(home, {"A.md": one, "B.md": two, "C.md": f"{two}\n\n## x\n\n{one}"})
    ids = [element["id"] for element in page("[id]")]
    assert len(ids) == len(set(ids)) or home.count("^i") > 1
    assert not page("[data-slot], [data-fragment]")
    assert not page("p div, p p, a a")
