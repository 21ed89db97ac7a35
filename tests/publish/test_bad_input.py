"""Bad input: each file that is wrong gets a message with its name and line, the rest is built, and strict fails."""

import os
import re
import sys

import pytest

GOOD = {"Good.md": "# Good\n\nSee [[Other]].\n", "Other.md": "Well.\n"}

WRONG = {
    "latin.md": (b"one\n\ntwo caf\xe9 words\n", 3, "two caf"),
    "yaml.md": (b"---\ntitle: [a\nkey: b\n---\nkept text\n", None, "kept text"),
    "tabs.md": (b"---\nlist:\n\t- a\n---\nkept text\n", 3, "kept text"),
    "open.md": (b"---\ntitle: never closed\n\nkept text\n", 1, "kept text"),
    "missing.md": (b"a\n\n![[nowhere.png]] kept text\n", 3, "kept text"),
    "missing-heading.md": (b"a\n[[Good#Nothing like it]] kept text\n", 2, "kept text"),
    "missing-block.md": (b"a\n\n[[Good#^none]] kept text\n", 3, "kept text"),
    "cover.md": (b"---\na: 1\ncover: none.png\n---\nkept text\n", 3, "kept text"),
    "outside.md": (b"a\n![[../../../../../etc/passwd]] kept text\n", 2, "kept text"),
}

HARMLESS = {
    "empty.md": (b"", ""),
    "nul.md": (b"before \0 after, kept text\n", "kept text"),
    "windows.md": (
        b"\xef\xbb\xbf---\r\ntags: [a]\r\n---\r\n# Windows\r\n\r\n> [!note] T\r\n> kept text\r\n",
        "kept text",
    ),
    "fence.md": (b"```\nnever closed [[nothing]]\n\nkept text\n", "kept text"),
    "fence2.md": (b"> ```py\n> x\n\nkept text\n", "kept text"),
    "comment.md": (b"kept text %% never closed [[nothing]]\n", "kept text"),
    "quotes.md": (b"> " * 500 + b"kept text\n", "kept text"),
    "lists.md": (b"\n".join(b"  " * n + b"- x" for n in range(200)) + b" kept text\n", "kept text"),
    "long.md": ((b"word " * 100 + b"[[Good]]\n\n") * 10_000 + b"kept text\n", "kept text"),
}


def wrongs():
    return [pytest.param(name, *values, id=name) for name, values in WRONG.items()]


@pytest.fixture(scope="module")
def ill(tmp_path_factory, build_there):
    """A vault of all that, built once, and not strictly."""
    root = tmp_path_factory.mktemp("ill")
    (root / "docs").mkdir()
    (root / "mkdocs.yml").write_text("site_name: Ill\ntheme: material\nplugins: [search, vault]\n", encoding="utf-8")
    for name, text in GOOD.items():
        (root / "docs" / name).write_text(text, encoding="utf-8")
    for name, (data, *_) in (WRONG | HARMLESS).items():
        (root / "docs" / name).write_bytes(data)
    (root / "docs/folder.md").mkdir()
    (root / "docs/folder.md/inner.md").write_text("Within a folder named like a note.\n", encoding="utf-8")
    if sys.platform != "win32":
        (root / "docs/dangling.md").symlink_to(root / "docs/nothing there.md")
        (root / "docs/dangling.png").symlink_to(root / "docs/nothing there.png")
        (root / "docs/loop.md").symlink_to(root / "docs/loop.md")
    return build_there(root)


def test_the_rest_of_the_site_is_built(ill):
    assert ill.code == 0, ill.log
    assert "See Other." in ill.page("Good").select_one("article").text
    assert "Within a folder" in ill.page("folder.md/inner").select_one("article").text


@pytest.mark.parametrize(("name", "data", "line", "kept"), wrongs())
def test_what_is_wrong_is_told_once_with_its_line(name, data, line, kept, ill):
    told = [warning for warning in ill.warnings if warning.startswith(f"docs/{name}:")]
    assert len(told) == 1, ill.log
    if line:
        assert told[0].startswith(f"docs/{name}:{line}: ")
    assert re.search(r"\(.+\)$", told[0]), "it says what to do"
    assert kept in ill.page(name.removesuffix(".md")).select_one("article").text


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_only_odd_is_shown_as_well_as_can_be(name, ill):
    assert not [warning for warning in ill.warnings if f"docs/{name}" in warning]
    assert HARMLESS[name][1] in ill.page(name.removesuffix(".md")).select_one("article").text


@pytest.mark.skipif(sys.platform == "win32", reason="making a link needs a right there")
@pytest.mark.parametrize("name", ["dangling.md", "dangling.png", "loop.md"])
def test_a_link_on_disk_that_leads_nowhere_is_told(name, ill):
    assert [warning for warning in ill.warnings if name in warning]
    assert not (ill.site / name.removesuffix(".md")).exists()


@pytest.mark.parametrize("name", ["latin.md", "yaml.md", "missing.md"])
def test_strict_fails_for_each(name, foreign):
    foreign.note("Good.md", "Good.\n")
    foreign.note("folder/" + name, WRONG[name][0])
    built = foreign.build("--strict")
    assert built.code == 1
    assert f"notes/folder/{name}:" in built.log


def test_no_traceback_is_ever_shown(ill):
    assert "Traceback" not in ill.log
    assert os.sep + "src" + os.sep not in ill.log
