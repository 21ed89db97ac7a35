"""The demonstration vault under Zensical, which knows no plugins: `markdown_extensions: [vault]` and nothing else.

What an extension cannot give is in `ONLY_A_PLUGIN`; everything else is held to what MkDocs and our plugin make.
"""

import posixpath
import re
import shutil
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

pytest.importorskip("zensical")

from markdown import Markdown

from paperimpl.markdown import folder
from paperimpl.publish.address import Addresses
from paperimpl.vault.index import Index

DEMO = Path(__file__).parents[1] / "demo"
SETTINGS = """
[project]
site_name = "Demonstration"
site_url = "https://example.org/demo/"
watch = ["docs"]
[project.validation]
invalid_links = false
invalid_link_anchors = false
[project.markdown_extensions.vault]
"""
ONLY_A_PLUGIN = ("tags/",)  # pages that are no note's
FRAME = ".connections, .headerlink, .properties, img.cover, .md-content__button, .md-tags, nav, h1, #__skip"


class Site:
    """A built site, and which of its files each note became."""

    def __init__(self, root, files, log=""):
        self.root, self.files, self.log = root, files, log
        self.notes = {file: note for note, file in files.items()}

    def article(self, note):
        """What a note's page shows of the note itself."""
        page = BeautifulSoup((self.root / self.files[note]).read_text(encoding="utf-8"), "html.parser")
        article = page.select_one("article")
        for element in article.select(FRAME):
            element.decompose()
        return article

    def links(self, note):
        """What each link and embed of a note shows, and the note or file that it leads to."""
        return [
            (element.name, element.get_text(" ", strip=True) or element.get("alt", ""), self.lead(note, address))
            for element in self.article(note).select("[href], [src], [data]")
            if (address := element.get("href") or element.get("src") or element.get("data"))
        ]

    def lead(self, note, address):
        """The note or file that an address leads to from a note's page, with its fragment."""
        if re.match(r"[a-z]+:", address):
            return address
        path, _, fragment = address.partition("#")
        here = self.files[note]
        to = posixpath.normpath(posixpath.join(posixpath.dirname(here), urllib.parse.unquote(path))) if path else here
        page = to if to in self.notes else f"{to}/index.html".removeprefix("./")
        return f"{self.notes.get(page, to).removesuffix('.ipynb')}#{urllib.parse.unquote(fragment)}"


def zensical(root):
    """Build a site with it as a person would, with none of our plugin's help."""
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean"],
        cwd=root,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def both(tmp_path_factory, build_there):
    """The demonstration vault as MkDocs and as Zensical build it."""
    sites = []
    for name in ("mkdocs", "zensical"):
        root = tmp_path_factory.mktemp(name) / "demo"
        shutil.copytree(DEMO, root)
        addresses = Addresses(Index.read(root / "docs")).of
        if name == "mkdocs":
            built = build_there(root, "--strict")
            assert built.code == 0, built.log
            sites.append(Site(root / "site", addresses))
        else:
            (root / "mkdocs.yml").unlink()
            (root / "zensical.toml").write_text(SETTINGS, encoding="utf-8")
            log = zensical(root)
            plain = {note: "index.html" if note == "index.md" else f"{note[:-3]}/index.html" for note in addresses}
            sites.append(Site(root / "site", plain, log))
    return sites


def test_every_link_leads_where_it_does_under_mkdocs(both):
    mkdocs, other = both
    links = 0
    for note in mkdocs.files:
        known = [link for link in mkdocs.links(note) if not link[2].startswith(ONLY_A_PLUGIN)]
        assert other.links(note) == known, note
        links += len(known)
    assert links > 200


def test_every_page_shows_the_words_that_it_shows_under_mkdocs(both):
    mkdocs, other = both
    for note in mkdocs.files:
        assert other.article(note).get_text(" ").split() == mkdocs.article(note).get_text(" ").split(), note


def test_callouts_and_code_and_formulas_are_what_they_are_under_mkdocs(both):
    kinds = (".callout", "details", "pre code", ".math", "mark", ".task-list-item", "span.wanted", "span.private")
    for kind in kinds:
        counts = [[len(site.article(note).select(kind)) for note in both[0].files] for site in both]
        assert counts[0] == counts[1], kind
        assert sum(counts[0]) > 0, kind


def test_a_private_note_has_no_text_and_the_builder_is_told_what_to_do(both):
    _, other = both
    page = (other.root / "private/Diary/index.html").read_text(encoding="utf-8")
    written = (DEMO / "docs/private/Diary.md").read_text(encoding="utf-8").rsplit("---", 1)[1]
    sentences = [line for line in written.splitlines() if len(line) > 10]
    assert sentences
    assert not [line for line in sentences if line in page]
    assert "docs/private/Diary.md:1: not to be published" in other.log
    assert "exclude_docs" in other.log


def test_a_vault_that_changed_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "PATIENCE", 0)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/One.md").write_text("Words.\n", encoding="utf-8")

    def rendered():
        engine = Markdown(extensions=["vault"], extension_configs={"vault": {"docs_dir": str(tmp_path / "docs")}})
        return engine.convert("[[Two]]")

    assert "Not written yet" in rendered()
    (tmp_path / "docs/Two.md").write_text("It is now.\n", encoding="utf-8")
    assert 'href="Two.md"' in rendered()
    (tmp_path / "docs/Two.md").unlink()
    assert "Not written yet" in rendered()


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere is no folder: name the vault's"):
        Markdown(extensions=["vault"], extension_configs={"vault": {"docs_dir": str(tmp_path / "nowhere")}})
