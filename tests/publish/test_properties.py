"""What a note says of itself, as its page shows it."""

import pytest
from bs4 import BeautifulSoup

from paperimpl.publish.properties import classes, cover, panel, tags, theme
from paperimpl.vault.index import Index, Note

NOTES = {"Other.md": "# H\n\n## Deep\n", "Secret.md": "---\npublish: false\n---\n"}


def vault(front, **files):
    note = Note("a/n.md", f"---\n{front}\n---\nText.\n")
    notes = {path: Note(path, text) for path, text in (NOTES | files).items()}
    return note, Index(notes | {note.path: note}, {"img/p.png", "doc.pdf"})


def shown(front):
    note, index = vault(front)
    return {row.name: str(row.value) for row in panel(note, index, lambda path: f"../{path}")}


@pytest.mark.parametrize(
    ("value", "html"),
    [
        ("plain & simple", "plain &amp; simple"),
        ("3.14", "3.14"),
        ("true", '<span class="property-yes">yes</span>'),
        ("false", '<span class="property-no">no</span>'),
        ("2024-05-03", '<time datetime="2024-05-03">3 May 2024</time>'),
        ("2024-05-03T07:30", '<time datetime="2024-05-03T07:30">3 May 2024, 07:30</time>'),
        ("2024-05-03T07:30:10", '<time datetime="2024-05-03T07:30:10">3 May 2024, 07:30</time>'),
        ("2024-13-03T07:30", "2024-13-03T07:30"),
        ("[a, 2, b c]", "<ul><li>a</li><li>2</li><li>b c</li></ul>"),
        ('"[[Other]]"', '<a class="wikilink" href="../Other.md">Other</a>'),
        ('"see [[Other#Deep|there]] now"', 'see <a class="wikilink" href="../Other.md#deep">there</a> now'),
        ('["[[Other]]", "[[doc.pdf]]"]', '<ul><li><a class="wikilink" href="../Other.md">Other</a></li>'
         '<li><a class="wikilink" href="../doc.pdf">doc.pdf</a></li></ul>'),
        ('"[[Secret|s]]"', '<span class="private">s</span>'),
        ('"[[Nobody]]"', '<span class="wanted wikilink" title="Not written yet">Nobody</span>'),
        ('"[[x/Nobody]]"', '<span class="broken wikilink" title="This link leads nowhere">x/Nobody</span>'),
        ("https://x.org/a?b=1.", '<a href="https://x.org/a?b=1" rel="noopener">https://x.org/a?b=1</a>.'),
        ('"[text](https://x.org)"', '<a href="https://x.org" rel="noopener">text</a>'),
        ('"[text](Other.md)"', '<a class="wikilink" href="../Other.md">text</a>'),
        ('"[text](javascript:alert(1))"', "[text](javascript:alert(1))"),
        ('"<script>x</script>"', "&lt;script&gt;x&lt;/script&gt;"),
        ('"a\\nb"', "a<br>b"),
        ("{x: 1, y: [z]}", "<dl><dt>x</dt><dd>1</dd><dt>y</dt><dd><ul><li>z</li></ul></dd></dl>"),
    ],
)  # fmt: skip
def test_values_are_shown_as_what_they_are(value, html):
    assert shown(f"key: {value}") == {"key": html}


@pytest.mark.parametrize("value", ["", "null", "[]", "{}", '""', '[""]', "[null]"])
def test_an_empty_property_is_not_shown(value):
    assert shown(f"key: {value}") == {}


def test_a_property_that_goes_in_circles_ends():
    assert "…" in shown("key: &a [x, *a]")["key"]


@pytest.mark.parametrize(
    "front",
    ["title: T", "publish: true", "permalink: x", "description: d", "cssclasses: [x]", "cssclass: x", "cover: p.png",
     "image: p.png", "template: x", "hide: toc", "search: x", "order: 3", "tags: [a]", "Publish: true", "icon: x"],
)  # fmt: skip
def test_what_speaks_to_the_site_is_not_in_the_panel(front):
    assert shown(front) == {}


def test_other_names_are_shown_last_and_old_paths_are_not():
    assert list(shown("aliases: [Ficus, old/path]\nz: 1").items()) == [
        ("z", "1"),
        ("aliases", "<ul><li>Ficus</li></ul>"),
    ]


@pytest.mark.parametrize(
    ("front", "found"),
    [
        ("tags: [a, b/c]", ["a", "b/c"]),
        ("tags: a, b", ["a", "b"]),
        ("tags: a b", ["a", "b"]),
        ("tag: '#a'", ["a"]),
        ("tags: ['#a', A, a/]", ["a"]),
        ("tags: [2024, null, [x]]", ["2024"]),
        ("tags:", []),
        ("Tags: [x]", ["x"]),
        ("tags: {a: b}", []),
    ],
)
def test_tags_are_read_in_every_way_they_are_written(front, found):
    assert tags(vault(front)[0]) == found


def test_tags_in_the_text_count_where_the_note_knows_them():
    note = vault("tags: [a]")[0]
    note.__dict__["tags"] = ["A", "b"]
    assert tags(note) == ["a", "b"]


@pytest.mark.parametrize(
    ("front", "found"),
    [("cssclasses: [a, b-c]", "a b-c"), ("cssclass: a b", "a b"), ("cssclasses: 'x\"><script>'", ""), ("x: 1", "")],
)
def test_classes_are_those_that_are_classes(front, found):
    assert classes(vault(front)[0]) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("p.png", ("img/p.png", "")),
        ('"[[p.png]]"', ("img/p.png", "")),
        ('"![[img/p.png|300]]"', ("img/p.png", "")),
        ('"![alt](../img/p.png)"', ("img/p.png", "")),
        ("https://x.org/p.png", ("", "https://x.org/p.png")),
        ("nothing.png", ("", "")),
        ("Other", ("", "")),
        ("3", ("", "")),
        ("../../etc/passwd", ("", "")),
    ],
)
def test_a_cover_is_a_picture_of_the_vault_or_an_address(value, found):
    assert cover(*vault(f"cover: {value}")) == found


def test_the_theme_gets_what_it_can_read():
    front = (
        "template: home.html\nhide: toc\nsearch: {exclude: true}\nicon: material/leaf\nstatus: new\nauthor: [a]\nx: 1"
    )
    templates = {"home.html", ".icons/material/leaf.svg"}
    found = theme(vault(front)[0], templates.__contains__)
    assert found == {
        "template": "home.html", "hide": ["toc"], "search": {"exclude": True}, "icon": "material/leaf",
        "x": 1, "title": "n", "tags": [],
    }  # fmt: skip
    wrong = "template: a book\nhide: true\nsearch: no\nicon: 3\ndescription: [a]\nsubtitle: 3"
    assert theme(vault(wrong)[0], templates.__contains__) == {"title": "n", "tags": []}


def test_a_panel_with_every_kind_of_value_in_a_page(garden):
    page = garden.page("Plants/Fig tree")
    rows = {row.find("dt").text: row.find("dd") for row in page.select(".properties dl > div")}
    assert list(rows) == ["planted", "watered", "height", "evergreen", "edible", "neighbours", "source", "care",
                          "updated", "aliases"]  # fmt: skip
    assert [(link.text, link["href"]) for link in rows["neighbours"]("a")] == [
        ("Olive", "../Olive/"), ("the lavender", "../Lavender/"), ("Mint", "../Mint/"),
    ]  # fmt: skip
    assert page.select_one(".properties details").has_attr("open")
    assert [tag.text for tag in page.select(".note-tags .tag")] == ["tree", "food/fruit", "food"]
    assert isinstance(page, BeautifulSoup)
