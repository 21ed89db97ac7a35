"""Whatever happened to a vault between two builds, the second is what a build without a memory makes."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig

from paperimpl.publish.cache import Store, digest

URL = "http://127.0.0.1:8000/"
NAMES = ("Alpha", "Beta", "sub/Alpha", "sub/Gamma", "index")
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg"><title>{}</title></svg>'
LINES = (
    "Plain words about Beta, and of Gamma.",
    "See [[Alpha]] and [[Gamma#Part|a part]], also [[Beta#^here]].",
    "![[Beta]]",
    "![[Gamma#Part]]",
    "![[picture.svg|40]] and [a link](sub/Gamma.md#part).",
    "# Part",
    "## Other *part*",
    "A block. ^here",
    "> [!note] [[Beta]]\n> inside #one",
    "Not there: [[Nowhere]], [[Alpa]].",
    "#one and #two/three",
    "```python\nx = [[1]]\n```",
    "A footnote[^1].\n\n[^1]: [[Alpha]] says so.",
    "one\ntwo",
)
FRONTS = (
    "",
    "publish: false",
    "title: Another title",
    "aliases: [Nowhere, old/place.md]",
    "tags: [one]",
    "date: 2024-05-06",
)

texts = st.builds(
    lambda front, lines: f"---\n{front}\n---\n\n" * bool(front) + "\n\n".join(lines),
    st.sampled_from(FRONTS),
    st.lists(st.sampled_from(LINES), min_size=1, max_size=6),
)
names = st.sampled_from(NAMES)
steps = st.one_of(
    st.tuples(st.just("write"), names, texts),
    st.tuples(st.just("write"), names, texts),
    st.tuples(st.just("rename"), names, names),
    st.tuples(st.just("delete"), names),
    st.tuples(st.just("picture"), st.booleans()),
    st.tuples(st.just("settings"), st.booleans()),
)


class Vault:
    """A vault in a folder, and what is done to it."""

    def __init__(self, folder: Path):
        self.folder, self.docs = folder, folder / "notes"
        self.docs.mkdir(parents=True)
        (folder / "mkdocs.yml").write_text(
            "site_name: Notes\ndocs_dir: notes\ntheme: {name: material, font: false}\nplugins: [search, vault]\n"
        )
        self.write("index", "Start at [[Alpha]].")

    def write(self, name: str, text: str) -> None:
        path = self.docs / f"{name}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def rename(self, old: str, new: str) -> None:
        if (self.docs / f"{old}.md").exists():
            (self.docs / new).parent.mkdir(exist_ok=True)
            (self.docs / f"{old}.md").replace(self.docs / f"{new}.md")

    def reword(self, name: str, words: str) -> None:
        """Change nothing but a sentence."""
        path = self.docs / f"{name}.md"
        if path.exists():
            text = path.read_text(encoding="utf-8")
            path.write_text(f"{text}\n\n{words}\n", encoding="utf-8")

    def delete(self, name: str) -> None:
        (self.docs / f"{name}.md").unlink(missing_ok=True)

    def picture(self, there: bool) -> None:
        (self.docs / "picture.svg").unlink(missing_ok=True)
        if there:
            (self.docs / "picture.svg").write_text(PICTURE.format(len(list(self.docs.iterdir()))))

    def settings(self, strict: bool) -> None:
        (self.docs / ".obsidian").mkdir(exist_ok=True)
        (self.docs / ".obsidian/app.json").write_text(json.dumps({"strictLineBreaks": strict}))

    def built(self, *, fresh: bool, command: str = "build", anew: bool = True) -> dict[str, bytes]:
        """Build it as a process of its own would, or as the next build of a preview; anew: with nothing built there."""
        site = self.folder / "site"
        if anew:
            shutil.rmtree(site, ignore_errors=True)
        config = load_config(config_file=str(self.folder / "mkdocs.yml"), site_dir=str(site))
        if fresh:
            config.plugins.on_startup(command=command, dirty=False)
        if command == "serve":
            config.site_url = URL
        build(config, serve_url=URL if command == "serve" else None)
        if command == "build":
            config.plugins.on_shutdown()
        return {path.relative_to(site).as_posix(): path.read_bytes() for path in site.rglob("*") if path.is_file()}

    def cold(self, command: str = "build") -> dict[str, bytes]:
        """Build it with no memory of earlier builds, and leave that memory as it was."""
        cache, aside = self.folder / ".cache", self.folder / "aside"
        option = dict(MkDocsConfig._schema)["plugins"]  # it hands the plugins of one preview from build to build
        plugins, option.plugin_cache = option.plugin_cache, {}
        if cache.exists():
            cache.rename(aside)
        try:
            return self.built(fresh=True, command=command)
        finally:
            option.plugin_cache = plugins
            shutil.rmtree(cache, ignore_errors=True)
            if aside.exists():
                aside.rename(cache)


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


@pytest.fixture
def vault(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    return Vault(tmp_path / "vault")


@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(steps, min_size=3, max_size=8))
def test_a_warm_build_is_a_cold_build_byte_for_byte(tmp_path, done):
    shutil.rmtree(tmp_path / "vault", ignore_errors=True)
    vault = Vault(tmp_path / "vault")
    for name in NAMES[:4]:
        vault.write(name, "\n\n".join(LINES))
    vault.built(fresh=True)
    for number, (what, *how) in enumerate(done):
        getattr(vault, what)(*how)
        if number % 2 or number == len(done) - 1:
            assert differing(vault.built(fresh=True), vault.cold()) == []


def test_two_builds_of_the_same_vault_are_the_same_bytes(vault):
    for name in NAMES:
        vault.write(name, "\n\n".join(LINES))
    assert differing(vault.cold(), vault.cold()) == []


def test_what_a_warm_build_does_not_render_it_still_reports(vault, caplog):
    vault.write("Alpha", "![[Alpha]] and [[Beta#Nothing]]")
    vault.write("Beta", "Here.")
    vault.built(fresh=True)
    cold = sorted(record.getMessage() for record in caplog.records if "Alpha" in record.getMessage())
    caplog.clear()
    vault.built(fresh=True)
    assert sorted(record.getMessage() for record in caplog.records if "Alpha" in record.getMessage()) == cold != []


@pytest.mark.parametrize("damage", [b"", b"no database", None])
def test_a_damaged_memory_is_as_good_as_none(vault, damage):
    vault.write("Alpha", "\n\n".join(LINES))
    expected = vault.built(fresh=True)
    for file in (vault.folder / ".cache").rglob("*.sqlite3"):
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2] if damage is None else damage)
    assert differing(vault.built(fresh=True), expected) == []


def test_a_warm_build_renders_only_what_changed(vault, monkeypatch):
    rendered = []
    vault.write("Alpha", "Alone.")
    vault.write("Beta", "Shows ![[sub/Gamma]].")
    vault.write("sub/Gamma", "Shown.")
    vault.built(fresh=True)
    from paperimpl.publish.render import Renderer

    fresh = Renderer._fresh
    monkeypatch.setattr(Renderer, "_fresh", lambda self, page: rendered.append(page.file.src_uri) or fresh(self, page))
    vault.built(fresh=True)
    assert rendered == []
    vault.write("sub/Gamma", "Shown, and changed.")
    vault.built(fresh=True)
    assert sorted(rendered) == ["Beta.md", "sub/Gamma.md"]


def test_an_extension_of_which_nothing_is_known_is_run_every_time(vault, monkeypatch):
    with (vault.folder / "mkdocs.yml").open("a") as config:
        config.write("markdown_extensions: [pymdownx.snippets]\n")
    from paperimpl.publish.render import Renderer

    rendered, fresh = [], Renderer._fresh
    vault.built(fresh=True)
    monkeypatch.setattr(Renderer, "_fresh", lambda self, page: rendered.append(page.file.src_uri) or fresh(self, page))
    vault.built(fresh=True)
    assert "index.md" in rendered


def test_a_store_forgets_names_that_are_gone_and_keys_that_changed(tmp_path):
    store = Store(tmp_path)
    for name in ("kept", "gone"):
        store.put("page", name, digest(name), f"text of {name}")
    store.save({"kept"})
    store.close()
    store = Store(tmp_path)
    assert store.get("page", "kept", digest("kept")) == "text of kept"
    assert store.get("page", "kept", digest("changed")) is None
    assert store.get("page", "gone", digest("gone")) is None
    store.close()


edits = st.tuples(st.just("write"), names, texts)
WORDS = (
    "More words.",
    "Nobody speaks of Beta here, or of sub/Gamma.",
    "Inline `code`, *stress*, $x_1$ and %%a comment%%.",
    '<img src="picture.svg" alt="">',
    "A table:\n\n| a | b |\n|---|---|\n| 1 | 2 |",
)
rewordings = st.tuples(st.just("reword"), names, st.sampled_from(WORDS))


@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.one_of(edits, rewordings, rewordings, steps), min_size=4, max_size=7))
def test_a_preview_after_edits_is_a_preview_begun_now_byte_for_byte(tmp_path, done):
    shutil.rmtree(tmp_path / "vault", ignore_errors=True)
    vault = Vault(tmp_path / "vault")
    for name in NAMES:
        vault.write(name, "\n\n".join(LINES))
    preview = Served(vault)
    for number, (what, *how) in enumerate(done):
        getattr(vault, what)(*how)
        preview.rebuild()
        if number % 2 or number == len(done) - 1:
            served = preview.tree()
            assert differing(served, vault.cold("serve")) == []


def test_an_edit_is_no_full_build_and_writes_no_page_that_it_does_not_change(tmp_path):
    vault = Vault(tmp_path / "vault")
    for name in NAMES[:4]:
        vault.write(name, f"# {name}\n\nText.")
    vault.write("Beta", "Text, and [[sub/Gamma]].")
    preview = Served(vault)
    before = {path: path.stat().st_mtime_ns for path in preview.site.rglob("*.html")}
    vault.write("Beta", "Other text, and [[sub/Gamma]].")
    preview.rebuild()
    written = {path.parent.name for path, time in before.items() if path.stat().st_mtime_ns != time}
    assert preview.full == 0
    assert {"Beta", "Gamma"} <= written
    assert not {"Alpha"} & written


PROSE = {
    "a sentence": ("Alpha", "More words."),
    "a note that others embed": ("Beta", "Shown where it is embedded, with $x_1$."),
    "a name that is said": ("sub/Gamma", "Now Epsilon is named, and Alpha too."),
    "a block": ("Beta", "- one\n- two\n\n> a quotation"),
}


@pytest.mark.parametrize("what", PROSE)
def test_an_edit_of_prose_rebuilds_nothing_and_the_site_is_as_if_begun_now(tmp_path, monkeypatch, what):
    vault = Vault(tmp_path / "vault")
    for name in NAMES[:4]:
        vault.write(name, "\n\n".join(LINES))
    vault.write("Epsilon", "Alone.")
    preview = Served(vault)
    with monkeypatch.context() as m:
        m.setattr("paperimpl.publish.preview.build", lambda *_, **__: pytest.fail("a rebuild"))
        for words in (PROSE[what][1], "And once more."):
            vault.reword(PROSE[what][0], words)
            preview.rebuild()
    assert preview.full == 0
    assert differing(preview.tree(), vault.cold("serve")) == []


NOT_PROSE = {
    "a link": "See [[Gamma]].",
    "a heading": "## Another part",
    "a tag": "#three",
    "a block's name": "Named. ^other",
    "an attachment": '<img src="picture.svg" alt="">',
    "an embed": "![[Beta]]",
}


@pytest.mark.parametrize("what", NOT_PROSE)
def test_an_edit_of_more_than_prose_is_rebuilt(tmp_path, what):
    vault = Vault(tmp_path / "vault")
    vault.picture(True)
    for name in NAMES[:4]:
        vault.write(name, "\n\n".join(line for line in LINES if "picture" not in line))
    preview = Served(vault)
    vault.reword("Alpha", NOT_PROSE[what])
    preview.rebuild()
    assert preview.full == 0
    assert differing(preview.tree(), vault.cold("serve")) == []


def test_the_beginning_of_a_note_stands_on_other_pages_too(tmp_path):
    vault = Vault(tmp_path / "vault")
    vault.write("Beta", "---\ntags: [one]\ndate: 2024-05-06\n---\n\nHow it begins.")
    preview = Served(vault)
    vault.write("Beta", "---\ntags: [one]\ndate: 2024-05-06\n---\n\nHow it began.")
    preview.rebuild()
    assert differing(preview.tree(), vault.cold("serve")) == []


def test_what_is_wrong_with_a_note_is_told_again_when_its_prose_is_edited(tmp_path, caplog):
    vault = Vault(tmp_path / "vault")
    vault.write("Alpha", "See [[Beta#Nothing there]].")
    vault.write("Beta", "Here.")
    preview = Served(vault)
    caplog.clear()
    vault.write("Alpha", "Words.\n\nSee [[Beta#Nothing there]].")
    preview.rebuild()
    assert any("Alpha.md:3" in record.getMessage() for record in caplog.records)


class Served:
    """A preview of a vault: what `mkdocs serve` does, without the server."""

    def __init__(self, vault: Vault):
        self.vault, self.site, self.full = vault, vault.folder / "served", 0
        self.config = self._config()
        self.config.plugins.on_startup(command="serve", dirty=False)
        build(self.config, serve_url=URL)
        self.plugin = self.config.plugins["vault"]
        server = SimpleNamespace(builder=self._full, watch=lambda path: None)
        self.rebuild = self.plugin.on_serve(server, config=self.config, builder=self._full).builder

    def _config(self):
        config = load_config(config_file=str(self.vault.folder / "mkdocs.yml"), site_dir=str(self.site))
        config.site_url = URL
        return config

    def _full(self) -> None:
        self.full += 1
        build(self._config(), serve_url=URL)

    def tree(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.site).as_posix(): path.read_bytes() for path in self.site.rglob("*") if path.is_file()
        }
