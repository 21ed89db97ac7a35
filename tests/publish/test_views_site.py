"""Bases and canvases in a whole site: MkDocs, Material, ten lines of settings, a real browser where there is one."""

import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

LIBRARY = Path(__file__).parents[1] / "library"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
SETTINGS = "site_name: T\ntheme: {name: material, font: false}\nplugins: [search, vault]\n"


def build(folder, out, strict=True):
    command = [sys.executable, "-m", "mkdocs", "build", "-d", str(out), *(["--strict"] if strict else [])]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The site of a small library: bases, a canvas, and what is private in it."""
    out = tmp_path_factory.mktemp("demo")
    shutil.copytree(LIBRARY, out / "in")
    built = build(out / "in", out / "site")
    assert built.returncode == 0, built.stderr[-3000:]
    assert "WARNING" not in built.stderr
    return out / "site"


def soup(site, page):
    return BeautifulSoup((site / page / "index.html").read_text("utf-8"), "html.parser")


def test_bases_and_canvases_are_pages_in_the_navigation(library):
    for page, title in (("books.base", "books"), ("boards/reading plan.canvas", "reading plan")):
        tree = soup(library, page)
        assert tree.h1.get_text() == title
        assert title in [link.get_text(strip=True) for link in tree.select("nav.md-nav--primary a")]


def test_every_link_and_picture_is_there(library):
    seen = 0
    for path in library.rglob("*.html"):
        tree = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for element in tree.select("article [href], article [src]"):
            address = element.get("href") or element.get("src")
            if re.match(r"https?:|mailto:", address) or path.name == "404.html":
                continue
            target, _, fragment = urllib.parse.unquote(address).partition("#")
            to = (path.parent / target).resolve() if target else path
            to = to / "index.html" if to.is_dir() else to
            assert to.is_file(), f"{path}: {address}"
            if fragment and to.suffix == ".html":
                ids = {e["id"] for e in BeautifulSoup(to.read_text("utf-8"), "html.parser").select("[id]")}
                assert fragment in ids, f"{path}: {address}"
            seen += 1
    assert seen > 60


def test_nothing_private_is_in_any_byte(library):
    for path in library.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for secret in (b"xyzzy-secret", b"77777", b"Diary", b"private/"):
                assert secret not in data, path
            assert "Diary" not in path.name


def test_the_files_themselves_are_not_published(library):
    assert not [path for path in library.rglob("*") if path.is_file() and path.suffix in (".base", ".canvas")]


def test_no_page_asks_another_host(library):
    for path in library.rglob("*.html"):
        tree = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for element in tree.select("[src], link[href], object[data], iframe"):
            address = element.get("src") or element.get("href") or element.get("data") or ""
            assert not re.match(r"(?:https?:)?//", address) or element.get("rel") == ["canonical"], f"{path}: {address}"


def test_the_note_shows_table_list_code_block_and_canvas(library):
    tree = soup(library, ".")
    assert [e.get_text() for e in tree.select(".base-name")] == ["All books", "To read", "Thick ones", "To read"]
    assert len(tree.select(".canvas-board")) == 1
    contents = [a.get_text(strip=True) for a in tree.select(".md-sidebar--secondary .md-nav__link")]
    assert contents == ["The table, embedded", "One view of it", "A base in a code block", "The canvas, embedded"]


SECRET = "xyzzy"
GUARDED = {
    "index.md": "# Home\n\n![[open.canvas]]\n\n![[all.base]]\n\n![[open.base#Wall]]\n",
    "Open.md": "---\npublish: true\npic: used-in-cards.png\n---\nSee [[Hidden]].\n\n![[open.base]]\n",
    "Hidden.md": f"---\npublish: false\nwhat: {SECRET}\n---\n"
    f"![[{SECRET}.canvas]] ![[{SECRET}.base]] ![[{SECRET}.png]]\n",
    "all.base.md": f"---\npublish: false\n---\n{SECRET}\n",
    "all.base": "views:\n  - type: table\n    order: [file.name, what, file.links, file.embeds, file.backlinks]\n",
    "open.base": "formulas:\n  f: file('Hidden').properties.what\n  g: link('Hidden').asFile().tags\nviews:\n"
    "  - type: cards\n    name: Wall\n    image: note.pic\n    order: [file.name, what, formula.f, formula.g]\n",
    f"{SECRET}.base": f"views:\n  - name: {SECRET}\n",
    f"{SECRET}.canvas": '{"nodes":[{"id":"t","type":"text","text":"xyzzy","x":0,"y":0,"width":90,"height":90}]}',
    "open.canvas": """{"nodes": [
      {"id": "h", "type": "file", "file": "Hidden.md", "x": 0, "y": 0, "width": 90, "height": 90},
      {"id": "c", "type": "file", "file": "xyzzy.canvas", "x": 0, "y": 100, "width": 90, "height": 90},
      {"id": "p", "type": "file", "file": "used-on-canvas.png", "x": 0, "y": 200, "width": 90, "height": 90},
      {"id": "t", "type": "text",
       "text": "![[Hidden]] <script>bad()</script><b onclick='bad()'>x</b> [j](javascript:bad)",
       "x": 0, "y": 300, "width": 90, "height": 90},
      {"id": "g", "type": "group", "label": "G", "background": "used-behind.png",
       "x": 300, "y": 0, "width": 90, "height": 90}
    ], "edges": [{"id": "e", "fromNode": "t", "toNode": "h", "label": "xyzzy"}]}""",
    "used-on-canvas.png": "1",
    "used-behind.png": "2",
    "used-in-cards.png": "3",
    f"{SECRET}.png": "4",
    "unused.png": "5",
}


def guarded(folder, settings):
    (folder / "docs").mkdir()
    (folder / "mkdocs.yml").write_text(SETTINGS.replace("vault]", f"vault: {settings}]"))
    for name, text in GUARDED.items():
        (folder / "docs" / name).write_text(text)
    built = build(folder, folder / "site", strict=False)
    assert built.returncode == 0, built.stderr[-3000:]
    return folder / "site"


def test_no_secret_gets_out_by_a_base_or_a_canvas(tmp_path):
    site = guarded(tmp_path, "{publish: all}")
    for path in site.rglob("*"):
        assert SECRET not in str(path.relative_to(site))
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
    pictures = {path.name for path in site.rglob("used*")}
    assert pictures == {"used-on-canvas.png", "used-behind.png", "used-in-cards.png"}
    assert not list(site.rglob("unused.png"))
    rows = [each.get_text(" ", strip=True) for each in soup(site, "all.base").select("tbody .first")]
    assert "Open" in rows
    assert "Hidden" not in rows


def test_where_notes_must_ask_nothing_that_no_published_note_shows_is_a_page(tmp_path):
    site = guarded(tmp_path, "{publish: marked}")
    assert sorted(path.name for path in site.iterdir() if path.suffix in (".base", ".canvas")) == ["open.base"]
    assert not [path for path in site.rglob("*") if path.is_file() and b"used-on-canvas" in path.read_bytes()]


def test_html_on_a_canvas_is_neutralised_where_the_vault_is_not_trusted(tmp_path):
    article = soup(guarded(tmp_path, "{safe: true}"), "open.canvas").article
    assert "bad()" not in str(article)
    assert "javascript:" not in str(article)
    assert article.select_one(".canvas-board").select_one("svg.canvas-edges path") is None  # its only edge is private
    assert article.select_one(".canvas > .canvas-switch input")
    name = article.select_one(".canvas-text")["id"]
    assert f'[id="{name}"] {{ --x: 40px' in article.style.string
    assert article.select_one(".canvas-text b").get_text() == "x"


def test_links_of_a_canvas_count(library):
    page = soup(library, "books/Ten Lanterns")
    assert "reading plan" in [link.get_text() for link in page.select(".connections a")]
    graph = json.loads((library / "assets/paperimpl/graph.json").read_text("utf-8"))
    ends = [graph["titles"][at] for at in graph["links"]]
    assert {"reading plan", "Ten Lanterns"} in map(set, zip(ends[::2], ends[1::2], strict=True))


def test_search_finds_what_a_canvas_says_and_what_a_base_lists(library):
    docs = json.loads((library / "search/search_index.json").read_text("utf-8"))["docs"]
    text = {entry["location"]: entry["text"] for entry in docs}
    assert "things that carry" in text["boards/reading%20plan.canvas/"]
    assert "The Salt Road" in text["books.base/"]


BROKEN = {
    "index.md": "# Home\n\n![[x.base]]\n\n![[c.canvas]]\n\n![[ok.base#No]]\n",
    "x.base": "views:\n  - type: table\n    name: [\n",
    "c.canvas": '{\n  "nodes": [\n    {"id": }\n  ]\n}',
    "ok.base": "formulas:\n  f: nope(1)\nviews:\n  - name: A\n    order: [file.name, formula.f]\n",
    "n.canvas": '{"nodes": [\n{"id":"a","type":"file","file":"gone.md","x":0,"y":0,"width":9,"height":9}\n]}',
}


def test_what_is_broken_is_told_with_file_and_line_and_fails_only_a_strict_build(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (tmp_path / "mkdocs.yml").write_text(SETTINGS)
    for name, text in BROKEN.items():
        (docs / name).write_text(text)
    built = build(tmp_path, tmp_path / "site", strict=False)
    assert built.returncode == 0, built.stderr[-3000:]
    assert "Traceback" not in built.stderr
    for told in (
        "/x.base:4: not YAML",
        "/c.canvas:3: not JSON: Expecting value, column 12",
        "/ok.base:2: formula 'f' 'nope(1)': the function nope() is not supported",
        "/n.canvas:2: node 'a': 'gone.md' does not exist",
        "/index.md:7: ok.base has no view 'No' (it has A)",
    ):
        assert built.stderr.count(told) == 1, (told, built.stderr[-3000:])
    home = soup(tmp_path / "site", ".")
    assert [e.get_text().strip()[:14] for e in home.select(".view-problem")] == [
        "x.base is not ",
        "c.canvas is no",
        "ok.base has no",
    ]
    assert home.select("tbody .first")[0].get_text() == "c.canvas"
    assert build(tmp_path, tmp_path / "strict").returncode != 0


def test_two_builds_are_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    shutil.copytree(LIBRARY, tmp_path / "in")
    pages = []
    for name in ("one", "two"):
        assert build(tmp_path / "in", tmp_path / name).returncode == 0
        files = sorted(path for path in (tmp_path / name).rglob("*.html"))
        pages.append([(path.relative_to(tmp_path / name), path.read_bytes()) for path in files])
    assert pages[0] == pages[1]


@pytest.fixture(scope="module")
def browser(library):
    """A page opener in a real Chromium, over the demonstration site."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium")
        pytest.skip("no Chromium")
    from playwright.sync_api import sync_playwright

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(library)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)

        def open_page(address, width=1280, scheme="light"):
            page = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme).new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/{address}")
            return page

        yield open_page
        chromium.close()
    server.shutdown()
    server.server_close()


def visible(page, selector):
    return page.locator(f"{selector} >> visible=true").count()


@pytest.mark.browser
def test_one_view_at_a_time_and_its_address_is_its_own(browser):
    page = browser("books.base/")
    assert visible(page, ".base-view") == 1
    assert page.locator(".base-view >> visible=true").get_attribute("id") == "view-all-books"
    page.click(".base-tabs a:nth-child(2)")
    assert page.locator(".base-view >> visible=true").get_attribute("id") == "view-shelf"
    assert page.evaluate("getComputedStyle(document.querySelector('.base-tabs a:nth-child(2)')).fontWeight") == "600"
    box = page.locator(".base-tabs").bounding_box()
    header = page.locator(".md-header").bounding_box()
    assert box["y"] >= header["y"] + header["height"]  # the tabs are not under the header
    page.go_back()
    assert page.locator(".base-view >> visible=true").get_attribute("id") == "view-all-books"


@pytest.mark.browser
def test_a_link_to_a_view_shows_it(browser):
    page = browser("")
    page.click("article a:has-text('the shelf')")
    page.wait_for_url("**/books.base/#view-shelf")
    assert visible(page, ".base-card") == 5


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("address", ["", "books.base/", "books.base/#view-progress", "boards/reading%20plan.canvas/"])
def test_no_page_is_wider_than_its_window(browser, address, width):
    page = browser(address, width)
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.browser
def test_a_canvas_is_a_board_on_wide_screens_and_a_list_on_a_phone_and_can_be_switched(browser):
    for width, board in ((1280, True), (390, False)):
        page = browser("boards/reading%20plan.canvas/", width)

        def is_board(page=page):
            return page.evaluate("getComputedStyle(document.querySelector('.canvas-node')).position") == "absolute"

        assert is_board() is board
        assert visible(page, ".canvas-switch span") == 1
        page.focus(".canvas-switch input")
        page.keyboard.press("Space")
        assert is_board() is not board
        scroll = page.evaluate("(e => e.scrollWidth > e.clientWidth)(document.querySelector('.canvas-scroll'))")
        assert scroll is (width == 390)


@pytest.mark.browser
def test_boxes_stand_where_the_canvas_says(browser):
    page = browser("boards/reading%20plan.canvas/")
    boxes = page.evaluate(
        """[...document.querySelectorAll('.canvas-text, .canvas-link')].map(e => {
            const r = e.getBoundingClientRect(), b = document.querySelector('.canvas-board').getBoundingClientRect();
            return [r.x - b.x, r.y - b.y, r.width, r.height, b.width]})"""
    )
    zoom = boxes[0][2] / 380  # the first text's width in the file
    why, todo, web = (([round(part / zoom) for part in box[:4]]) for box in boxes)
    assert (todo[0] - why[0], todo[1] - why[1]) == (540 + 420, 0)
    assert (web[0] - why[0], web[1] - why[1]) == (160 + 420, 230 + 220)
    assert web[2:] == [250, 80]


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "dark")])
@pytest.mark.parametrize("address", ["", "books.base/", "books.base/#view-shelf", "boards/reading%20plan.canvas/"])
def test_what_we_add_can_be_read_by_all(browser, address, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = browser(address, width, scheme)
    found = axe.Axe().run(page, context=".base, .canvas").response["violations"]
    assert not [(each["id"], [node["target"] for node in each["nodes"]]) for each in found]
