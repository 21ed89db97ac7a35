"""A build that would make what is there leaves it; whatever is changed, it is made again."""

import os
import subprocess

import pytest
from mkdocs.exceptions import Abort
from tests.publish.test_cache import LINES, Vault, differing

from paperimpl.publish.cache import Store


@pytest.fixture
def vault(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    vault = Vault(tmp_path / "vault")
    for name in ("Alpha", "Beta", "sub/Gamma"):
        vault.write(name, "\n\n".join(LINES))
    return vault


def stamps(vault):
    return {path: path.stat().st_mtime_ns for path in (vault.folder / "site").rglob("*")}


def append(path, text):
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def commit(folder):
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@b.c", *words], cwd=folder, check=True)


def test_a_site_that_would_be_made_again_is_left_as_it_is(vault):
    first = vault.built(fresh=True)
    before = stamps(vault)
    assert differing(vault.built(fresh=True, anew=False), first) == []
    assert stamps(vault) == before


CHANGES = {
    "a note": lambda v: append(v.docs / "Alpha.md", "\nMore.\n"),
    "a note, at the same length": lambda v: v.write("Beta", "\n\n".join(LINES).replace("Plain", "Plane")),
    "a new note": lambda v: v.write("Delta", "New."),
    "a note less": lambda v: v.delete("Beta"),
    "another name": lambda v: v.rename("Beta.md", "Delta.md") or v.delete("Beta"),
    "an attachment": lambda v: v.picture(True),
    "Obsidian's settings": lambda v: v.settings(True),
    "the site's settings": lambda v: append(v.folder / "mkdocs.yml", "site_description: Other\n"),
    "a page that was written over": lambda v: append(v.folder / "site/Alpha/index.html", " "),
    "a page that is gone": lambda v: (v.folder / "site/Alpha/index.html").unlink(),
    "a file too many": lambda v: (v.folder / "site/other.html").write_text("x"),
    "a commit": lambda v: commit(v.folder),
    "no memory": lambda v: (v.folder / ".cache/paperimpl/last-build.json").unlink(),
    "half a memory": lambda v: (v.folder / ".cache/paperimpl/last-build.json").write_text('{"key": "'),
    "another memory": lambda v: (v.folder / ".cache/paperimpl/last-build.json").write_text("[1]"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_is_changed_the_site_is_made_again(vault, change):
    vault.built(fresh=True)
    before = stamps(vault)
    CHANGES[change](vault)
    after = vault.built(fresh=True, anew=False)
    assert stamps(vault) != before
    assert differing(after, vault.cold()) == []


def test_what_the_last_build_warned_of_is_said_again_and_fails_again_when_strict(vault, caplog):
    vault.write("Alpha", "See [[Beta#Nothing there]].")
    append(vault.folder / "mkdocs.yml", "strict: true\n")
    said = []
    for _ in range(2):
        caplog.clear()
        before = stamps(vault)
        with pytest.raises(Abort):
            vault.built(fresh=True, anew=False)
        said.append(sorted(r.getMessage() for r in caplog.records if "Alpha.md" in r.getMessage()))
    assert said[0] == said[1] != []
    assert stamps(vault) == before


def test_a_vault_with_a_base_is_built_again_for_bases_read_the_clock(vault):
    vault.write("Alpha", "```base\nviews:\n  - type: table\n    name: All\n```\n")
    vault.built(fresh=True)
    before = stamps(vault)
    vault.built(fresh=True, anew=False)
    assert stamps(vault) != before


def test_a_vault_that_is_changed_while_it_is_built_is_built_again(vault, monkeypatch):
    save = Store.save

    def late(self, names):
        save(self, names)
        vault.write("Beta", "Written when it had been read.")

    monkeypatch.setattr(Store, "save", late)
    vault.built(fresh=True)
    monkeypatch.setattr(Store, "save", save)
    after = vault.built(fresh=True, anew=False)
    assert differing(after, vault.cold()) == []


def test_a_plugin_of_which_nothing_is_known_has_the_site_made_again(vault):
    text = (vault.folder / "mkdocs.yml").read_text()
    (vault.folder / "mkdocs.yml").write_text(text.replace("[search, vault]", "[search, vault, mkdocs-jupyter]"))
    vault.built(fresh=True)
    before = stamps(vault)
    vault.built(fresh=True, anew=False)
    assert stamps(vault) != before
    assert os.path.exists(vault.folder / "site/Alpha/index.html")
