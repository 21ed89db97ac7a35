"""The demonstration vault `tests/demo/`: everything that Obsidian's notes can hold, built strictly, read as HTML.

Where its links lead is written in `tests/demo/links.tsv`, approved by a person. After a change that is meant:

    REGENERATE=1 .venv/bin/pytest tests/publish/test_demo.py && git diff tests/demo/links.tsv
"""

import csv
import os
import posixpath
import re
import shutil
import sys
import urllib.parse
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, NavigableString

DEMO = Path(__file__).parents[1] / "demo"
TABLE = DEMO / "links.tsv"
ADDRESS = "https://example.org/demo/"
OTHERS = ("graph/", "recent/", "tags/", "wanted/", "404.html")  # pages that are not notes' own
CODE = ("code", "pre", "script", "style", "svg", "math", "annotation")

# Names that not every file system can hold, nor Git check out everywhere.
ONLY_HERE = {
    "Odd/Case.md": "With a capital. [[case]] [[Case]] [[Odd/case]] [small](case.md)\n",
    "Odd/case.md": "Without one. [[Case]]\n",
    "Odd/Trailing .md": "A space at the end. [[case]]\n",
    "Odd/ Leading.md": "A space at the start.\n",
    'Odd/With "quotes" <and> more?.md': "Linked by [[Odd ones]].\n",
    "Odd/C# and ^caret.md": "Only a Markdown link leads to a name with a hash.\n",
    "Odd/Odd ones.md": "[t](<Trailing .md>) [l](<./ Leading.md>) [c](C%23%20and%20%5Ecaret.md) [[Case]] [[case]] "
    '[[With "quotes" <and> more?]]\n',
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory, build_there):
    """The demonstration vault, built strictly, once."""
    root = tmp_path_factory.mktemp("demo") / "demo"
    shutil.copytree(DEMO, root)
    for path, text in ONLY_HERE.items() if sys.platform == "linux" else ():
        (root / "docs" / path).parent.mkdir(exist_ok=True)
        (root / "docs" / path).write_text(text, encoding="utf-8")
    built = build_there(root, "--strict")
    assert (built.code, built.warnings) == (0, []), built.log
    return built


def pages(site):
    """Every note's page, as a path in the site and its article, what is generated left out."""
    for path in sorted(site.rglob("*.html")):
        name = path.relative_to(site).as_posix()
        article = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").select_one("article")
        if article and not name.startswith(OTHERS):
            for element in article.select(".connections, .headerlink"):
                element.decompose()
            yield name, article


def resolved(page, link):
    """The place in the site that a link of a page leads to."""
    if re.match(r"[a-z]+:", link):
        return link
    path, _, fragment = link.partition("#")
    whole = posixpath.normpath(posixpath.join(posixpath.dirname(page), urllib.parse.unquote(path))) if path else page
    whole = "" if whole == "." else whole
    return f"{whole}#{urllib.parse.unquote(fragment)}" if fragment else whole


def test_every_link_leads_where_the_table_says(demo):
    rows = [
        (name, element.get_text(" ", strip=True) or element.get("alt") or element.name, resolved(name, address))
        for name, article in pages(demo.site)
        for element in article.select("[href], [src], [data]")
        if (address := element.get("href") or element.get("src") or element.get("data"))
    ]
    rows = [row for row in rows if not row[0].startswith("Odd/")]
    if os.environ.get("REGENERATE"):
        with TABLE.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter="\t", lineterminator="\n").writerows([("page", "link", "leads to"), *rows])
    with TABLE.open(encoding="utf-8", newline="") as file:
        assert [tuple(row) for row in csv.reader(file, delimiter="\t")] == [("page", "link", "leads to"), *rows]
    assert len(rows) > 200


def test_every_link_leads_to_something_that_is_there(demo, dead):
    assert dead(demo.site, ADDRESS) == []


def test_no_syntax_of_obsidian_is_left_in_the_text(demo):
    raw = re.compile(r"!?\[\[|==|%%|(?:^|\s)\^[A-Za-z0-9-]+\s*$|\[![\w-]+\]|^\s*>|\[\^|\^\[")
    left = [
        (name, str(text))
        for name, article in pages(demo.site)
        for text in article.find_all(string=True)
        if type(text) is NavigableString and raw.search(text) and not text.find_parent(CODE)
        and text.parent.get("class") not in (["wikilink"], ["arithmatex"])  # `[[#^id]]` shows its id
        and not text.find_parent(class_=re.compile("highlight|jp-InputArea")) and "[[escaped]]" not in text
        and not (text.parent.name == "h1" and "caret" in text)
    ]  # fmt: skip
    assert left == []


@pytest.mark.skipif(sys.platform != "linux", reason="no two names may differ in case alone here")
def test_names_that_differ_only_in_case_have_a_page_each(demo):
    links = {a.text: a["href"] for a in demo.page("Odd/Odd ones").select("article a.wikilink")}
    assert links["Case"] != links["case"]
    assert "With a capital" in follow(demo, "Odd/Odd ones/", links["Case"])
    assert "Without one" in follow(demo, "Odd/Odd ones/", links["case"])
    plain = {a.text: a["href"] for a in demo.page("Odd/Odd ones").select("article p a")}
    assert "A space at the end" in follow(demo, "Odd/Odd ones/", plain["t"])
    assert "A space at the start" in follow(demo, "Odd/Odd ones/", plain["l"])
    assert "a name with a hash" in follow(demo, "Odd/Odd ones/", plain["c"])
    assert "Linked by" in follow(demo, "Odd/Odd ones/", links['With "quotes" <and> more?'])


def follow(built, page, link):
    return (built.site / resolved(page, link) / "index.html").read_text(encoding="utf-8")


def test_nothing_private_of_it_is_in_the_site(demo, everywhere):
    assert everywhere(demo.site, "secret-planted") == []
    assert not list(demo.site.rglob("Diary*"))


def test_a_notebook_is_a_page_though_no_setting_asks_for_it(demo):
    page = demo.page("Notebooks/Experiment")
    assert page.select_one("article h1").text.startswith("An experiment")
    assert page.select_one("article mark").text == "marked"
    assert "[[1, 2], [3, 4]]" in page.select_one("article").text
    assert {a.text for a in page.select("article a.wikilink")} >= {"Lady Lovelace", "cell", "Rooted", "Twin"}


def test_every_type_of_callout_is_one(demo):
    found = [(box["data-callout"], box.name) for box in demo.page("Callouts").select("article .callout")]
    types = re.findall(r"\[!([\w-]+)", (DEMO / "docs/Callouts.md").read_text(encoding="utf-8"))
    assert [kind for kind, _ in found] == [kind.lower() for kind in types]
    assert [name for _, name in found].count("details") == 3


def test_players_stand_for_sound_film_and_pdf(demo):
    page = demo.page("Embeds")
    assert page.select_one("audio[controls][src$='media/tone.wav']")
    assert page.select_one("video[controls][src$='media/film.mp4'][width='320']")
    assert page.select_one("object[data$='media/page.pdf#page=2']")
    assert page.select_one("img[src$='media/dot.png'][width='40'][height='20']")


def test_old_addresses_lead_to_where_the_note_is(demo):
    for old, new in {
        "old/start": "welcome/",
        "Long ago/Explored before": "Moved/Explored/",
        "archive/2019/explored": "Moved/Explored/",
        "Home": "welcome/",
    }.items():
        refresh = demo.page(old).select_one("meta[http-equiv=refresh]")["content"]
        assert resolved(f"{old}/index.html", refresh.partition("url=")[2]) == new.rstrip("/")
