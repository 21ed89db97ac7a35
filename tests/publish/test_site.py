"""The site as it is published: PDFs by licence, notebooks, the preview, and the real one's links."""

import contextlib
import json
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from bs4 import BeautifulSoup

from paperimpl.publish.notebook import cleaned

JUPYTER = """plugins:
  - search
  - vault
  - mkdocs-jupyter:
      include: ["*.ipynb"]
      allow_errors: false
      cache_dir: .cache/mkdocs-jupyter
"""


def notebook(*cells):
    """A notebook of Markdown cells and, given as tuples, code cells with what they printed and how they are shown."""
    made = []
    for cell in cells:
        if isinstance(cell, str):
            made.append({"cell_type": "markdown", "metadata": {}, "source": cell})
        else:
            output = {"output_type": "stream", "name": "stdout", "text": cell[1]}
            shown = {"jupyter": cell[2]} if len(cell) > 2 else {}
            made.append(
                {"cell_type": "code", "metadata": shown, "execution_count": 1, "source": cell[0], "outputs": [output]}
            )
    for number, cell in enumerate(made):
        cell["id"] = f"c{number}"
    about = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": made, "metadata": about, "nbformat": 4, "nbformat_minor": 5})


@pytest.mark.parametrize(("license", "public"), [("CC-BY-4.0", True), ("", False)])
def test_the_public_site_carries_a_pdf_where_its_licence_allows_it(license, public, small, dead):
    small.paper("one", license=license)
    small.write("vault/04-sequences/one/one.pdf", b"%PDF-1.4 the paper's own words")
    small.edit("vault/lessons/how.md", "# How to", "# How to\n\n[[one.pdf|the PDF]] and ![[one.pdf]]\n")
    built = small.build("--strict")
    assert built.code == 0, built.log
    page = built.page("04-sequences/one")
    assert [shown["data"] for shown in page("object")] == (["one.pdf"] if public else [])
    link = next(link["href"] for link in page.select(".paper-links a") if link.text == "PDF")
    assert link == ("one.pdf" if public else "https://papers.example.org/one.pdf")
    held = [path for path in built.site.rglob("*") if path.is_file() and b"own words" in path.read_bytes()]
    assert held == ([built.site / "04-sequences/one/one.pdf"] if public else [])
    assert dead(built.site) == []


@contextlib.contextmanager
def serving(root):
    """`mkdocs serve` on a free port; gives its address once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mkdocs", "serve", "--dev-addr", f"127.0.0.1:{port}"]
    with (root / ".serve.log").open("w") as log:
        process = subprocess.Popen(command, cwd=root, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(600):
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(f"{address}/deep/er/", timeout=10).close()
                break
            assert process.poll() is None, (root / ".serve.log").read_text()
            time.sleep(0.1)
        yield f"{address}/deep/er"
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_the_preview_shows_a_pdf_that_the_public_site_does_not(small):
    small.write("vault/04-sequences/one/one.pdf", b"%PDF-1.4 words")
    with serving(small.root) as address:
        with urllib.request.urlopen(f"{address}/04-sequences/one/", timeout=30) as page:
            assert 'data="one.pdf"' in page.read().decode()
        with urllib.request.urlopen(f"{address}/04-sequences/one/one.pdf", timeout=30) as pdf:
            assert pdf.read() == b"%PDF-1.4 words"


@pytest.fixture
def lessons(small):
    """The small repository with mkdocs-jupyter and a notebook."""
    text = (small.root / "mkdocs.yml").read_text(encoding="utf-8")
    small.write("mkdocs.yml", text[: text.index("plugins:")] + JUPYTER + text[text.index("validation:") :])
    small.write(
        "vault/lessons/book.ipynb",
        notebook(
            "# The book\n\nSee [[one#The code|one]], [two](../05-transformers/two/two.md) and [[five]].",
            ("x[[0, 1]]", "[[printed]]\n"),
            "## A *part*\n\n> [!think]- Why?\n> Because.\n\nText[^1]. ^here\n\n[^1]: A note.",
            ("# Drawing <only>\nprint(1 + 1)", "two\n", {"source_hidden": True}),
            "It has {{ one.accuracy mean % }} and <b>bold</b>.\n\n- a\n- b",
        ),
    )
    small.write(
        "vault/lessons/more.md", "# More\n\n[[book.ipynb|the book]], [[book.ipynb#A part]], [[book.ipynb#^here]]\n"
    )
    return small


def test_a_notebook_is_a_page_of_the_vault(lessons, dead):
    built = lessons.build("--strict")
    assert built.code == 0, built.log
    page = built.page("lessons/book")
    assert page.title.text.startswith("The book")
    assert [link["href"] for link in page.select(".jp-MarkdownOutput a.wikilink")] == [
        "../../04-sequences/one/#the-code"
    ]
    assert page.select_one('.jp-MarkdownOutput a[href="../../05-transformers/two/"]')
    assert page.select_one(".jp-MarkdownOutput .wanted").text == "five"
    assert page.select_one("details.think summary").text == "Why?"
    assert page.select_one(".measured").text == "90%"
    assert "[[printed]]" in page.text
    assert "[[0, 1]]" in "".join(page.text.split("\xa0"))
    assert page.select_one(".backlinks a").text == "more"
    assert {item.text.strip() for item in page.select(".md-nav--secondary .md-nav__link .md-ellipsis")} == {"A part"}
    assert dead(built.site) == []


def test_a_cell_that_jupyterlab_folds_is_folded_under_its_first_line_and_what_it_printed_is_not(lessons):
    built = lessons.build("--strict")
    assert built.code == 0, built.log
    page = built.page("lessons/book")
    first, second = page.select(".jp-CodeCell[id]")
    assert not first.select("details")
    folded = second.find("details")
    assert folded.find("summary").text == "Drawing <only>"
    assert "print" in folded.text
    assert "two" not in folded.text
    assert "two" in second.text
    book = json.loads(cleaned((lessons.root / "vault/lessons/book.ipynb").read_bytes()))
    metadata = [cell["metadata"] for cell in book["cells"] if cell["cell_type"] == "code"]
    assert metadata == [{}, {"jupyter": {"source_hidden": True}}]


def test_notebooks_share_one_style_sheet_and_carry_no_script(lessons):
    lessons.write("vault/lessons/second.ipynb", notebook("# Second", ("1", "1\n")))
    built = lessons.build("--strict")
    assert built.code == 0, built.log
    for name in ("book", "second"):
        article = built.page(f"lessons/{name}").find("article")
        assert not article.select("style, script")
        assert [link["href"] for link in article.select("link")] == ["../../assets/paperimpl/jupyter.css"]
    assert (built.site / "assets/paperimpl/jupyter.css").stat().st_size > 10_000


def test_what_a_notebook_asks_for_and_gets_wrong_is_told_with_its_file(lessons):
    lessons.write("vault/lessons/book.ipynb", notebook("# Book\n\n[[one#Nothing]]\n\n[[six]]"))
    built = lessons.build()
    assert [line for line in built.warnings if line.startswith("vault/lessons/book.ipynb:3: ")], built.log
    assert "six" in built.page("wanted").text


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": 1}', '{"nbformat": 4}', '{"cells": [{"source": ""}]}'])
def test_a_file_that_is_no_notebook_is_told_and_stops_nothing_else(content, lessons):
    lessons.write("vault/lessons/book.ipynb", content)
    lessons.write("vault/lessons/more.md", "# More\n\n[[book.ipynb|the book]]\n")
    built = lessons.build()
    told = [line for line in built.warnings if line.startswith("vault/lessons/book.ipynb:1: not a notebook")]
    assert len(told) == 1, built.log
    assert built.code == 0
    assert (built.site / "lessons/how/index.html").is_file()


def test_every_link_of_the_real_site_leads_somewhere_below_its_own_path(real, dead):
    built, address = real
    assert dead(built.site, address) == []


RAW = {
    "a wiki-link": r"\[\[",
    "a key of a result": r"\{\{",
    "a callout's mark": r"\[!\w",
    "a comment": r"%%",
    "a display formula": r"\$\$",
    "an inline formula": r"\$[^\s$][^$]*\$",
    "bold": r"\*\*",
    "a code span": r"`",
    "a card": r"\?::",
    "code by symbol": r"--8<--",
    "a block id": r" \^[a-z0-9-]+$",
    "a link": r"\]\([^\s)]+\)",
    "a heading": r"^#{1,6} ",
    "a table": r"^\|.*\|$",
    "a fence": r"^(?:```|~~~)",
    "a quote": r"^> ",
}


def test_no_page_of_the_real_site_shows_markdown_as_it_was_written(real):
    built, _ = real
    found = []
    for path in sorted(built.site.rglob("*.html")):
        article = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").find("article")
        for element in article.select("code, pre, .katex, .highlight, .jp-Cell-inputWrapper, svg") if article else ():
            element.decompose()
        text = article.get_text() if article else ""
        for name, pattern in RAW.items():
            found += [(path.parent.name, name, match[0]) for match in re.finditer(pattern, text, re.M)]
    assert found == []


def test_no_page_of_the_real_site_nests_blocks_in_paragraphs(real):
    built, _ = real
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(built.site.rglob("*.html"))}
    assert [
        path.parent.name for path, html in pages.items() if re.search(r"<p>\s*<(?:div|pre|table|ul|p)\b", html)
    ] == []


def test_tables_have_their_boxes_and_every_part_of_the_navigation_a_name(real):
    page = real[0].page("04-sequences/lstm")
    tables = page.select("article table:not([class])")
    assert tables
    assert all(table.parent["class"] == ["md-typeset__table"] for table in tables)
    assert all(table.parent.parent["class"] == ["md-typeset__scrollwrap"] for table in tables)
    parts = page.select("nav[data-md-level]")
    assert [part.get("aria-label") for part in parts] == ["Navigation", "Papers", "Sequences and embeddings"]


def test_what_a_notebook_prints_over_the_edge_can_be_scrolled_by_keys(real):
    page = real[0].page("lessons/decoding")
    printed = page.select(".jp-RenderedHTML > pre")
    assert printed
    assert all(text.get("tabindex") == "0" for text in printed)
