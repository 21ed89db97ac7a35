"""When notes were changed, and the feed that says so."""

import datetime
import os
import subprocess
import xml.etree.ElementTree as etree

import pytest

from paperimpl.publish.feed import Entry, feed
from paperimpl.publish.history import changed, day, from_git
from paperimpl.vault.index import Index, Note


def git(root, *words, date="2024-05-03T12:00:00+02:00"):
    who = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in
           (("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", date))}  # fmt: skip
    command = ["git", "-C", str(root), *words]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | who | {"GIT_CONFIG_GLOBAL": os.devnull})


@pytest.fixture
def repository(tmp_path):
    """A repository whose vault has notes of two days, one of them with a name that git would quote."""
    root = tmp_path / "repository"
    (root / "vault/d").mkdir(parents=True)
    (root / "vault/a.md").write_text("a", encoding="utf-8")
    (root / "vault/d/ü b.md").write_text("b", encoding="utf-8")
    git(tmp_path, "init", "-q", str(root))
    git(root, "add", ".")
    git(root, "commit", "-qm", "one", date="2024-01-02T23:30:00-05:00")
    (root / "vault/a.md").write_text("a2", encoding="utf-8")
    git(root, "commit", "-qam", "two")
    (root / "vault/new.md").write_text("not committed", encoding="utf-8")
    return root


def test_git_tells_the_last_commit_of_each_note(repository):
    wanted = {"a.md", "d/ü b.md", "new.md"}
    assert from_git(repository / "vault", wanted) == {
        "a.md": datetime.date(2024, 5, 3),
        "d/ü b.md": datetime.date(2024, 1, 2),
    }


def test_what_a_shallow_clone_did_not_see_is_not_dated(repository, tmp_path):
    git(tmp_path, "clone", "-q", "--depth", "1", repository.as_uri(), str(tmp_path / "clone"))
    assert from_git(tmp_path / "clone/vault", {"a.md", "d/ü b.md"}) == {}


def test_where_there_is_no_git_there_are_no_dates(tmp_path, monkeypatch):
    (tmp_path / "vault").mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert from_git(tmp_path / "vault", {"a.md"}) == {}
    monkeypatch.setenv("PATH", "")
    assert from_git(tmp_path / "vault", {"a.md"}) == {}


def test_a_repository_without_a_commit_has_no_dates(tmp_path):
    git(tmp_path, "init", "-q", str(tmp_path))
    assert from_git(tmp_path, {"a.md"}) == {}


def dated(front, repository=None, path="a.md"):
    index = Index({path: Note(path, f"---\n{front}\n---\n")})
    return changed(index, repository / "vault" if repository else None).get(path)


@pytest.mark.parametrize("key", ["updated", "modified", "lastmod", "date modified", "Updated"])
def test_what_a_note_says_of_its_change_holds(key, repository):
    assert dated(f"{key}: 2020-02-29\ndate: 2019-01-01", repository) == datetime.date(2020, 2, 29)


def test_what_git_says_comes_before_what_a_note_says_of_its_making(repository):
    assert dated("date: 2019-01-01", repository) == datetime.date(2024, 5, 3)
    assert dated("date: 2019-01-01") == datetime.date(2019, 1, 1)


def test_a_daily_note_has_its_day():
    assert dated("x: 1", path="d/2024-05-03 Friday.md") == datetime.date(2024, 5, 3)
    assert dated("x: 1") is None


def test_private_notes_are_not_dated():
    assert dated("publish: false\ndate: 2019-01-01") is None


@pytest.mark.parametrize(
    ("value", "date"),
    [
        (datetime.date(2024, 5, 3), (2024, 5, 3)),
        (datetime.datetime(2024, 5, 3, 23, 59), (2024, 5, 3)),
        ("2024-05-03", (2024, 5, 3)),
        ("2024-05-03T10:00", (2024, 5, 3)),
        ("2024-05-031", None),
        ("2024-13-03", None),
        ("May", None),
        (20240503, None),
        (None, None),
    ],
)
def test_days_are_read_from_what_yaml_makes(value, date):
    assert day(value) == (date and datetime.date(*date))


ENTRIES = [
    Entry('A <b> & "c" \x00\x1b', "a%20b/", "One & <two> \x08.", datetime.date(2024, 5, 3)),
    Entry("B", "", "", datetime.date(2024, 2, 29)),
]


@pytest.mark.parametrize("address", ["https://example.org/deep/er/", "https://example.org/deep/er"])
def test_rss_has_whole_addresses_below_the_sites_own(address):
    channel = etree.fromstring(feed("T & t", "about", ENTRIES, address, "en"))[0]
    assert channel.findtext("title") == "T & t"
    assert channel.findtext("link") == "https://example.org/deep/er/"
    assert channel.find("{http://www.w3.org/2005/Atom}link").get("href") == "https://example.org/deep/er/feed.xml"
    first, second = channel.findall("item")
    assert first.findtext("link") == first.findtext("guid") == "https://example.org/deep/er/a%20b/"
    assert first.findtext("title") == 'A <b> & "c" '
    assert first.findtext("description") == "One &amp; &lt;two&gt; ."  # readers take it for HTML
    assert first.findtext("pubDate") == "Fri, 03 May 2024 00:00:00 +0000"
    assert second.findtext("link") == "https://example.org/deep/er/"
    assert second.find("description") is None


def test_without_an_address_it_is_atom_with_relative_ones():
    atom = "{http://www.w3.org/2005/Atom}"
    root = etree.fromstring(feed("T", "", ENTRIES, "", "en"))
    assert root.tag == f"{atom}feed"
    assert [entry.find(f"{atom}link").get("href") for entry in root.findall(f"{atom}entry")] == ["a%20b/", "./"]
    assert root.findtext(f"{atom}updated") == "2024-05-03T00:00:00Z"
    ids = [element.text for element in root.iter(f"{atom}id")]
    assert len(set(ids)) == 3
    assert all(name.startswith("urn:uuid:") for name in ids)


def test_an_empty_feed_is_a_feed():
    assert etree.fromstring(feed("T", "", [], "", "en")).tag.endswith("feed")
    assert etree.fromstring(feed("T", "", [], "https://x.org", "en"))[0].findall("item") == []


def test_the_garden_has_a_page_and_a_feed_of_what_changed(garden):
    page = garden.page("recent")
    assert [heading.text for heading in page.select("article h2")][:3] == ["June 2024", "May 2024", "April 2024"]
    assert [link.text for link in page.select(".note-list a")][:4] == ["Fig tree", "Soil", "2024-05-04", "2024-05-03"]
    atom = "{http://www.w3.org/2005/Atom}"
    entries = etree.parse(garden.site / "feed.xml").getroot().findall(f"{atom}entry")
    assert [entry.findtext(f"{atom}title") for entry in entries][:2] == ["Fig tree", "Soil"]
    for entry in entries:
        assert (garden.site / entry.find(f"{atom}link").get("href").replace("%20", " ") / "index.html").is_file()
    link = garden.page("Plants/Fig tree").find("link", rel="alternate", type="application/atom+xml")
    assert link["href"] == "../../feed.xml"
