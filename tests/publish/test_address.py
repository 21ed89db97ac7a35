"""Where notes are published, and which old addresses still lead to them."""

import re

import pytest
from bs4 import BeautifulSoup

from paperimpl.publish.address import Addresses, redirect, relative
from paperimpl.vault.index import Index, Note


def addresses(files, attachments=(), directories=True):
    notes = {path: Note(path, text if text[:1] != "{" else f"---\n{text[1:-1]}\n---\n") for path, text in files.items()}
    return Addresses(Index(dict(sorted(notes.items())), set(attachments)), directories)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a.md": "", "b/c d.md": ""}, {"a.md": "a/index.html", "b/c d.md": "b/c d/index.html"}),
        ({"index.md": "", "b/index.md": ""}, {"index.md": "index.html", "b/index.md": "b/index.html"}),
        ({"README.md": "", "b/README.md": ""}, {"README.md": "index.html", "b/README.md": "b/index.html"}),
        ({"b/b.md": "", "b/c.md": ""}, {"b/b.md": "b/index.html", "b/c.md": "b/c/index.html"}),
        ({"b/b.md": "", "b/index.md": ""}, {"b/b.md": "b/b/index.html", "b/index.md": "b/index.html"}),
        ({"b/b.md": "", "b/README.md": ""}, {"b/b.md": "b/b/index.html", "b/README.md": "b/index.html"}),
        ({"b/index.md": "{publish: false}", "b/b.md": ""}, {"b/b.md": "b/index.html"}),
        ({"b.md": "", "b/b.md": ""}, {"b/b.md": "b/index.html", "b.md": "b-2/index.html"}),
        ({"A.md": "", "a.md": ""}, {"A.md": "A/index.html", "a.md": "a-2/index.html"}),
        ({"a.md": "{permalink: x/y}"}, {"a.md": "x/y/index.html"}),
        ({"a.md": "{permalink: /x/}"}, {"a.md": "x/index.html"}),
        ({"a.md": "{permalink: /}"}, {"a.md": "index.html"}),
        ({"a.md": "{permalink: x.html}"}, {"a.md": "x.html"}),
        ({"a.md": "{permalink: 'x y/%C3%A9'}"}, {"a.md": "x y/é/index.html"}),
        ({"a.md": "{permalink: 2024}"}, {"a.md": "2024/index.html"}),
        ({"a.md": "{permalink: b}", "b.md": ""}, {"a.md": "b/index.html", "b.md": "b-2/index.html"}),
    ],
)
def test_each_note_has_an_address_of_its_own(files, expected):
    assert addresses(files).of == expected


def test_without_directories_a_page_is_a_file():
    found = addresses({"a.md": "", "b/b.md": "", "c.md": "{permalink: x}"}, directories=False)
    assert found.of == {"a.md": "a.html", "b/b.md": "b/index.html", "c.md": "x.html"}


@pytest.mark.parametrize(
    ("permalink", "told"),
    [
        ("../out", "is no path within the site"),
        ("a/../../out", "is no path within the site"),
        ("https://example.org/", "is no path within the site"),
        ("//example.org", "is no path within the site"),
        ("a%2F..%2F..%2Fout", "is no path within the site"),
        ("'a\\b'", "is no path within the site"),
        ("taken", "belongs to another page"),
    ],
)
def test_an_address_that_cannot_be_given_is_told_with_its_line(permalink, told):
    found = addresses({"a.md": f"{{permalink: {permalink}}}", "0.md": "{permalink: taken}"})
    assert found.of["a.md"] == "a/index.html"
    (problem,) = found.problems
    assert (problem.path, problem.line) == ("vault/a.md", 2)
    assert told in problem.message


@pytest.mark.parametrize(
    ("front", "moved"),
    [
        ("aliases: [old/path]", ["old/path/index.html"]),
        ("aliases: [old/path.md, /older/path/]", ["old/path/index.html", "older/path/index.html"]),
        ("aliases: old.md", ["old/index.html"]),
        ("aliases: [Another name, Old.Name]", []),
        ("aliases: [../out, https://example.org/x, a//../b]", []),
        ("aliases: [taken, b/taken]", []),
        ("permalink: x", ["b/a/index.html"]),
        ("{permalink: x, aliases: [b/a]}", ["b/a/index.html"]),
    ],
)
def test_old_paths_lead_to_where_a_note_is_now(front, moved):
    found = addresses({"b/a.md": f"{{{front}}}", "b/taken.md": ""})
    assert sorted(found.moved) == moved
    assert set(found.moved.values()) <= {"b/a.md"}


def test_a_private_note_has_no_address_and_none_it_once_had():
    found = addresses({"a.md": "{publish: false\naliases: [old/secret]\npermalink: secret}"})
    assert (found.of, found.moved) == ({}, {})


@pytest.mark.parametrize(
    ("url", "place", "way"),
    [
        ("a/b/", "old/path/index.html", "../../a/b/"),
        ("a/b/", "a/old/index.html", "../b/"),
        ("", "old/index.html", "../"),
        ("a/", "old.html", "a/"),
        ("", "old.html", "./"),
    ],
)
def test_redirects_are_relative(url, place, way):
    assert relative(url, place) == way


def test_a_redirect_works_without_scripts_and_escapes_what_it_holds():
    page = BeautifulSoup(redirect('A <b> & "c"', '../%22/"><script>x()</script>', "https://x.org/?a&b"), "html.parser")
    assert page.title.text == 'A <b> & "c"'
    assert page.find("link")["href"] == "https://x.org/?a&b"
    assert page.find("meta", {"http-equiv": "refresh"})["content"] == '0; url=../%22/"><script>x()</script>'
    assert len(page("script")) == 1
    assert re.fullmatch(r'location\.replace\("[^"<>]*" \+ location\.hash\)', page.find("script").text)
