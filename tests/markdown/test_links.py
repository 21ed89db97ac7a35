"""Wiki-links, embeds and Markdown links as a page shows them, and everything that is none."""

import pytest

NOTES = {
    "Note.md": "# A\n\n## B `c`\n\nText. ^id-1\n",
    "Deep/My note.md": "# X\n\n## Grüße & more\n",
    "Deep/Other.md": "---\naliases: [Second name]\n---\n",
    "Secret.md": "---\npublish: false\n---\n# Hidden heading\n",
}
FILES = ["img/fig.png", "Deep/a b.svg", "Deep/paper.pdf"]


@pytest.fixture
def page(render):
    return lambda text, **more: render(text, NOTES, files=FILES, **more)


@pytest.mark.parametrize(
    ("written", "href", "shown"),
    [
        ("[[Note]]", "Note.md", "Note"),
        ("[[ note | the label ]]", "Note.md", "the label"),
        ("[[Note.md]]", "Note.md", "Note.md"),
        ("[[Note#A]]", "Note.md#a", "Note > A"),
        ("[[Note#A#B c]]", "Note.md#b-c", "Note > A > B c"),
        ("[[Note#^id-1]]", "Note.md#^id-1", "Note > ^id-1"),
        ("[[Note#^ID-1|the block]]", "Note.md#^id-1", "the block"),
        ("[[My note]]", "Deep/My%20note.md", "My note"),
        ("[[Deep/My note#Grüße & more|x]]", "Deep/My%20note.md#grüße-more", "x"),
        ("[[#Here|up]]\n\n# Here", "#here", "up"),
        ("[[paper.pdf]]", "Deep/paper.pdf", "paper.pdf"),
        ("[[paper.pdf#page=3|p. 3]]", "Deep/paper.pdf#page=3", "p. 3"),
        ("[[Note|a [b] c]]", "Note.md", "a [b] c"),
        ("[[Note|a|b]]", "Note.md", "a|b"),
    ],
)
def test_a_wiki_link_leads_to_the_file_and_shows_its_label(page, written, href, shown):
    link = page(written).one("a.wikilink")
    assert (link["href"], link.text) == (href, shown)


@pytest.mark.parametrize(
    ("source", "href"),
    [("Home.md", "Note.md"), ("Deep/Here.md", "../Note.md"), ("Deep/Er/Here.md", "../../Note.md")],
)
def test_the_way_starts_at_the_linking_note(page, source, href):
    assert page("[[Note]]", source=source).one("a.wikilink")["href"] == href


def test_markup_in_a_label_is_markup_and_in_a_name_is_none(render):
    shown = render("[[Note|a *b* `c` <i>d</i>]] [[snake_case_name]] [[a*b*]]", {"Note.md": ""})
    assert shown("a em")[0].text == "b"
    assert shown("a code")[0].text == "c"
    assert [span.text for span in shown(".wanted")] == ["snake_case_name", "a*b*"]


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("# A heading [[Note|x]]", "h1"),
        ("> a quote [[Note|x]]", "blockquote"),
        ("> [!note]- [[Note|x]]\n> body", "summary"),
        ("> [!note] title\n> [[Note|x]]", ".callout p:not(.admonition-title)"),
        ("- [[Note|x]]", "li"),
        ("- a\n    - [[Note|x]]", "li li"),
        ("- [ ] [[Note|x]]", "li.task-list-item"),
        ("| a |\n|---|\n| [[Note\\|x]] |", "td"),
        ("| a | b |\n|---|---|\n| [[Note#A\\|x]] | c |", "td"),
        ("text[^1]\n\n[^1]: a footnote [[Note|x]]", ".footnote li"),
        ("**bold [[Note|x]]**", "strong"),
        ("*[[Note|x]]*", "em"),
        ("==[[Note|x]]==", "mark"),
        ("Why?::because of [[Note|x]]", "details.card > p"),
        ("Why [[Note|x]]?::because", "details.card > summary"),
        ("([[Note|x]])", "p"),
        ("costs $5, [[Note|x]] costs $10", "p"),
    ],
)
def test_links_work_wherever_text_stands(page, text, inside):
    assert page(text).one(f"{inside} a.wikilink").text == "x"


def test_a_table_row_keeps_its_cells_around_links_and_embeds(page):
    shown = page("| a | b |\n|---|---|\n| [[Note\\|x]] | ![[fig.png\\|32]] |\n| [[Note#A\\|y]] | z |")
    assert [[cell.text for cell in row("td")] for row in shown("tbody tr")] == [["x", ""], ["y", "z"]]
    assert shown.one("img")["width"] == "32"
    image = page("| a |\n|---|\n| ![[fig.png\\|A caption\\|32]] |").one("td img")
    assert (image["alt"], image["width"]) == ("A caption", "32")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("`[[Note]]`", "code"),
        ("`` ` [[Note]] ``", "code"),
        ("`torch.tensor([[1, 2], [3, 4]])`", "code"),
        ("```\n[[Note]]\n```", "pre"),
        ("```python\nx[[0, 1]]\n```", "pre"),
        ("~~~\n[[Note]]\n```\n[t](Note.md)\n~~~", "pre"),
        ("> ```\n> [[Note]]\n> ```", "blockquote pre"),
        ("> [!note] t\n> ```\n> [[Note]]\n> ```", ".callout pre"),
        ("> > ```\n> > [[Note]]\n> > ```", "blockquote blockquote pre"),
        ("- a\n\n    ```\n    [[Note]]\n    ```", "li pre"),
        ("text\n\n    [[Note]]", "pre"),
        ("$x_{[[Note]]}$", ".arithmatex"),
        ("$$\n[[Note]]\n$$", ".arithmatex"),
        ("text $$[[Note]]$$ text", ".arithmatex"),
    ],
)
def test_code_and_formulas_are_left_as_they_are(page, text, kept):
    shown = page(text)
    assert not shown("a.wikilink, img")
    assert "[[" in shown.one(kept).text


@pytest.mark.parametrize("text", ["a <!-- [[Note]] --> b", "a\n\n<!--\n[[Note]]\n\n[t](Note.md)\n-->\n\nb"])
def test_nothing_in_an_html_comment_is_a_link(page, text):
    shown = page(text)
    assert not shown("a")
    assert "Note" not in shown.text


def test_an_escaped_bracket_opens_no_link(page):
    shown = page(r"\[[Note]] and \\[[Note|x]]")
    assert shown.text == r"[[Note]] and \x"
    assert len(shown("a.wikilink")) == 1


@pytest.mark.parametrize(
    ("written", "kind", "shown"),
    [
        ("[[gru]]", "wanted", "gru"),
        ("[[gru|the GRU]]", "wanted", "the GRU"),
        ("[[Deep/Nothing]]", "broken", "Deep/Nothing"),
        ("[[Note#Nothing]]", "broken", "Note > Nothing"),
        ("[[Second name]]", "broken", "Second name"),
        ("![[nothing.png]]", "broken", "nothing.png"),
        ("[t](nothing.md)", "broken", "t"),
        ("![t](nothing.png)", "broken", "t"),
        ("[[Secret]]", "private", "Secret"),
        ("[[Secret|a label]]", "private", "a label"),
        ("[[Secret#Hidden heading|x]]", "private", "x"),
        ("[t](Secret.md)", "private", "t"),
        ("[t](Secret.md#hidden-heading)", "private", "t"),
    ],
)
def test_a_link_that_leads_nowhere_is_its_text_and_leads_nowhere(page, written, kind, shown):
    rendered = page(written)
    span = rendered.one(f"span.{kind}")
    assert span.text == shown
    assert kind != "private" or not span.has_attr("title")
    assert not rendered("a, img, [href], [src], [data-vault]")


@pytest.mark.parametrize("text", ["![[Secret]]", "![[Secret|x]]", "![[Secret#Hidden heading]]"])
def test_an_embed_of_a_private_note_shows_nothing(page, text):
    assert page(text).html == ""
    assert page(f"a {text} b").text == "a b"


def test_of_a_private_note_a_page_has_no_more_than_the_authors_words(page):
    html = page("[[Secret|here]] [[Secret#Hidden heading|there]] [x](Secret.md) ![[Secret|y]]").html
    assert "Secret" not in html
    assert "idden" not in html


@pytest.mark.parametrize(
    ("written", "src", "alt", "width", "height"),
    [
        ("![[fig.png]]", "img/fig.png", "fig.png", None, None),
        ("![[fig.png|320]]", "img/fig.png", "fig.png", "320", None),
        ("![[fig.png|320x160]]", "img/fig.png", "fig.png", "320", "160"),
        ("![[fig.png|A caption]]", "img/fig.png", "A caption", None, None),
        ("![[fig.png|A caption|320]]", "img/fig.png", "A caption", "320", None),
        ("![[a b.svg]]", "Deep/a%20b.svg", "a b.svg", None, None),
        ("![words](img/fig.png)", "img/fig.png", "words", None, None),
        ("![words](fig.png)", "img/fig.png", "words", None, None),
        ("![words](a%20b.svg)", "Deep/a%20b.svg", "words", None, None),
    ],
)
def test_an_image_is_shown_with_its_size_and_caption(page, written, src, alt, width, height):
    image = page(written).one("img")
    assert (image["src"], image["alt"], image.get("width"), image.get("height")) == (src, alt, width, height)


def test_an_embedded_pdf_stands_in_the_page_with_a_way_to_the_file(page):
    shown = page("![[paper.pdf#page=3]]")
    assert shown.one("object")["data"] == "Deep/paper.pdf#page=3"
    assert shown.one("object a")["href"] == "Deep/paper.pdf#page=3"


@pytest.mark.parametrize(
    ("written", "href"),
    [
        ("[t](Note.md)", "Note.md"),
        ("[t](Note)", "Note.md"),
        ("[t](Deep/My%20note.md)", "Deep/My%20note.md"),
        ("[t](<Deep/My note.md>)", "Deep/My%20note.md"),
        ("[t](My%20note.md#Gr%C3%BC%C3%9Fe%20%26%20more)", "Deep/My%20note.md#grüße-more"),
        ('[t](Note.md#A "title")', "Note.md#a"),
        ("[t](Note.md#^id-1)", "Note.md#^id-1"),
        ("[t](#Right%20here)\n\n## Right here", "#right-here"),
        ("[t][n]\n\n[n]: Note.md", "Note.md"),
        ("[t](https://example.org/Note.md)", "https://example.org/Note.md"),
        ("[t](mailto:a@example.org)", "mailto:a@example.org"),
        ("[t](//example.org/x)", "//example.org/x"),
    ],
)
def test_a_markdown_link_leads_where_a_wiki_link_would(page, written, href):
    link = page(written).one("a:not(.headerlink)")
    assert (link["href"], link.text) == (href, "t")


def test_footnotes_lead_there_and_back(page):
    shown = page("a[^1] b[^1]\n\n## fn:1\n\n[^1]: text")
    ids = {element["id"] for element in shown("[id]")}
    ways = [link["href"] for link in shown("a.footnote-ref, a.footnote-backref")]
    assert len(ways) == 4
    assert {way.removeprefix("#") for way in ways} <= ids
