"""The site as a folder: what is written beside scripts and pages so that `file://` will do."""

import json
import re
import struct
from pathlib import Path

import pytest
from mkdocs.exceptions import PluginError

from paperimpl.publish import app
from paperimpl.publish.folder import carry, imports

THEME = Path(__file__).parents[2] / "site_config/theme"


@pytest.fixture
def write(tmp_path):
    """Write a file of a site: `write("a/one.js", "export const n = 1;")`."""

    def written(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


def handed(path):
    """What the twin of a file hands over: the body, and what it says of it."""
    call = re.fullmatch(r"vaultFolder\.hand\((.*)\)\n", path.with_name(f"{path.name}.twin.js").read_text(), re.S)
    return json.loads(f"[{call[1]}]")


def test_data_is_handed_over_as_text_and_weights_as_base_64(write, tmp_path):
    data, weights = write("graph.json", '{"π": "</script>"}'), write("net.bin", bytes(range(256)))
    carry(tmp_path, "")
    assert handed(data) == ['{"π": "</script>"}']
    body, about = handed(weights)
    assert about == {"packed": True}
    assert body.startswith("AAECAwQF")


def test_of_a_page_previews_get_what_they_show_of_it(write, tmp_path):
    page = write("note.html", "<nav>menu</nav><main><article><h1>Title</h1></article></main><footer>")
    bare = write("bare.html", "<p>text")
    carry(tmp_path, "")
    assert handed(page) == ["<main><article><h1>Title</h1></article></main>"]
    assert handed(bare) == ["<p>text"]


@pytest.mark.parametrize(
    "tag", ['<script src="a.js" type="module">', '<script type="module" src="a.js">', "<script type=module src=a.js>"]
)
def test_a_browser_is_not_to_start_modules_itself(tag, write, tmp_path):
    page = write(
        "index.html", f'{tag}</script><script src="plain.js"></script><pre>&lt;script type="module" src&gt;</pre>'
    )
    write("a.js", "")
    carry(tmp_path, "")
    found = page.read_text()
    assert '"folder/module"' in found
    assert not re.search(r"<script[^>]*[\"=]module", found)
    assert found.endswith('<script src="plain.js"></script><pre>&lt;script type="module" src&gt;</pre>')


def test_what_depends_on_where_a_module_comes_from_is_written_anew_and_nothing_else(write, tmp_path):
    write("a/two.js", "export const two = 2;")
    one = write(
        "a/one.js",
        'import { two } from "./two.js";\nexport { two as more } from "../a/two.js";\n'
        'const part = () => import("./two.js"), here = import.meta.url, reimport = (x) => x;\n'
        'this.import(1); reimport("./no.js");',
    )
    carry(tmp_path, "")
    body, about = handed(one)
    assert about == {"parts": ['"../a/two.js"', '"./two.js"']}
    assert body == one.read_text()
    assert 'vaultFolder.bring("a/one.js", "./two.js"), here = vaultFolder.url("a/one.js"), reimport = (x) => x;' in body
    assert 'this.import(1); reimport("./no.js");' in body


def test_an_import_of_what_is_not_there_stops_the_build_by_name(write, tmp_path):
    write("a/one.js", 'import "./none.js";')
    with pytest.raises(PluginError, match=r'a/one\.js imports "\./none\.js", and no such file'):
        carry(tmp_path, "")


def test_scripts_that_import_each_other_stop_the_build_by_name(write, tmp_path):
    write("one.js", 'import { b } from "./two.js"; export const a = 1;')
    write("two.js", 'import { a } from "./one.js"; export const b = 1;')
    with pytest.raises(PluginError, match=r"(one\.js → two\.js → one\.js|two\.js → one\.js → two\.js).*circle"):
        carry(tmp_path, "")


def test_minified_modules_say_what_they_import(write, tmp_path):
    write("b.js", "")
    write("a.js", 'const x=1;import{y}from"./b.js";export{x}')
    assert imports(tmp_path, "a.js") == {'"./b.js"': "b.js"}


@pytest.mark.parametrize(
    ("site_url", "root"), [("https://a.example/x/y/", "/x/y/"), ("https://a.example/x/y", "/x/y/"), ("", "/")]
)
def test_the_page_for_what_is_not_found_finds_its_way_within_the_folder(site_url, root, write, tmp_path):
    page = write(
        "404.html",
        f'<a href="{root}"></a><a href="{root}."></a><a href="{root}papers.html"></a><img src="{root}a/b.png">'
        f'<a href="//other.example/"></a><a href="https://a.example{root}"></a>'
        f'{{"base": "{root}", "search": "{root}w.js"}}',
    )
    carry(tmp_path, site_url)
    assert page.read_text() == (
        '<a href="index.html"></a><a href="index.html"></a><a href="papers.html"></a><img src="a/b.png">'
        f'<a href="//other.example/"></a><a href="https://a.example{root}"></a>{{"base": ".", "search": "w.js"}}'
    )


def test_fonts_are_not_asked_for_ahead_of_time_where_a_browser_would_refuse_it(write, tmp_path):
    page = write(
        "index.html", '<link rel="preload" href="a.woff2" as="font" crossorigin>\n<link rel="icon" href="b.png">'
    )
    carry(tmp_path, "")
    assert page.read_text() == '<link rel="icon" href="b.png">'


def test_what_the_theme_brings_is_left_alone(write, tmp_path):
    theirs = write("assets/javascripts/bundle.js", "import('x')")
    carry(tmp_path, "")
    carry(tmp_path, "")  # and no twin gets a twin
    assert theirs.read_text() == "import('x')"
    assert [path.name for path in tmp_path.rglob("*.twin.js")] == []


@pytest.fixture
def look():
    """The settings of an app, as they are where nothing is said."""
    config = app.AppConfig()
    config.load_dict({})
    assert config.validate() == ([], [])
    return config


def test_the_icons_are_drawn_from_the_logo_in_the_stated_sizes(look):
    made = app.icons([str(THEME)], look)
    sizes = {name: struct.unpack(">II", png[16:24]) for name, png in made.items() if png.startswith(b"\x89PNG")}
    stated = {
        icon["src"]: tuple(map(int, icon["sizes"].split("x")))
        for icon in json.loads(app.manifest("n", "d", "#fff"))["icons"]
    }
    assert {name: sizes[name] for name in stated} == stated
    assert sizes["assets/app/touch-180.png"] == (180, 180)
    assert len(set(made.values())) == 4


@pytest.mark.parametrize("text", [None, "<p>no drawing</p>", "<svg><circle/></svg>"])
def test_a_logo_that_is_not_there_or_cannot_be_scaled_is_an_error_that_names_it(text, look, tmp_path):
    look.logo = "mark.svg"
    if text:
        (tmp_path / "mark.svg").write_text(text)
    with pytest.raises(PluginError, match=r"app: logo: no SVG with a viewBox at 'mark\.svg'"):
        app.icons([str(tmp_path)], look)


def test_the_worker_is_another_when_the_site_is_another_and_the_same_when_it_is_the_same(write, tmp_path):
    write("offline.html", '<link href="/x/a.css"><script src="/x/b.js"></script><script src="/x/none.js"></script>')
    write("a.css", "")
    write("c.js", "")
    write("b.js", 'import "./c.js";')
    first = app.worker(tmp_path, "https://a.example/x/")
    assert 'SHELL = ["./", "offline.html", "a.css", "b.js", "c.js"]' in first
    assert 'BUILT = "/x/"' in first
    write("sw.js", first)
    write("deck.apkg", "the time")
    assert app.worker(tmp_path, "https://a.example/x/") == first
    write("a.css", "p {}")
    second = app.worker(tmp_path, "https://a.example/x/")
    assert second != first
    (tmp_path / "a.css").rename(tmp_path / "d.css")
    assert app.worker(tmp_path, "https://a.example/x/") not in (first, second)
