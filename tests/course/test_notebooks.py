"""The papers' notebooks: each as its generator writes it, and one run from its first cell to its last."""

import ast
import json
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from IPython.core.inputtransformer2 import TransformerManager

from paperimpl.course.notebooks import Origin, colab, place, settings, write
from paperimpl.markdown.extension import Context
from paperimpl.publish.pages import Publication
from paperimpl.vault.check import Health
from paperimpl.vault.paper import papers
from paperimpl.vault.problem import VaultError

ROOT = Path(__file__).parents[2]
PAPERS = {paper.slug: paper for paper in papers(ROOT)}
HERE = Origin("https://github.com/someone/course", "trunk", "https://example.org/course/")


@pytest.mark.parametrize("slug", PAPERS)
def test_a_papers_notebook_is_as_its_generator_writes_it(slug):
    file = ROOT / place(slug)
    assert file.is_file(), f"run: paperimpl notebook {slug}"
    assert file.read_text(encoding="utf-8") == write(PAPERS[slug], Origin.read(ROOT)), f"run: paperimpl notebook {slug}"
    nbformat.validate(nbformat.read(file, 4))


def test_no_notebook_is_of_a_paper_that_is_gone():
    assert {file.stem for file in (ROOT / "notebooks").glob("*")} == set(PAPERS)


def test_a_notebook_runs_from_its_first_cell_to_its_last(monkeypatch, capsys):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.setattr(pyplot, "show", lambda: pyplot.close("all"))
    python, here = TransformerManager(), {}
    for cell in nbformat.read(ROOT / place("perceptron"), 4).cells:
        if cell.cell_type == "code":
            code = python.transform_cell(cell.source)
            code = code.replace("passes=1000", "passes=50")  # the last cell's settings are the reader's
            exec(compile(code, "perceptron.ipynb", "exec"), here)
    said = capsys.readouterr().out
    assert here["result"].holds
    assert "It holds." in said
    assert here["again"].measured.keys() == here["result"].measured.keys()


def test_a_notebook_says_where_the_paper_the_page_and_the_package_are():
    cells = json.loads(write(PAPERS["lstm"], HERE))["cells"]
    first, second = ("".join(cell["source"]) for cell in cells[:2])
    assert "https://example.org/course/04-sequences/lstm/" in first
    assert '"paperimpl[lab] @ git+https://github.com/someone/course@trunk"' in second
    assert all("course" not in "".join(cell["source"]) for cell in json.loads(write(PAPERS["lstm"], Origin()))["cells"])


def test_colab_opens_what_github_holds_on_the_branch_that_pages_are_edited_on():
    assert colab(HERE, "lstm") == (
        "https://colab.research.google.com/github/someone/course/blob/trunk/notebooks/lstm.ipynb"
    )
    assert colab(Origin.of("https://github.com/a/b.git", "edit/x/y/vault/", ""), "lstm").endswith(
        "/github/a/b/blob/x/y/notebooks/lstm.ipynb"
    )
    assert colab(Origin("https://code.example.org/a/b"), "lstm") == ""
    assert colab(Origin(), "lstm") == ""


def test_mkdocs_settings_are_read_though_they_hold_tags_of_its_own(tmp_path):
    (tmp_path / "mkdocs.yml").write_text("repo_url: https://github.com/a/b/\nx: !ENV [A, B]\nsite_url:\n", "utf-8")
    assert Origin.read(tmp_path) == Origin("https://github.com/a/b", "main", "")
    (tmp_path / "mkdocs.yml").write_text("a: b\nrepo_url: [\n", "utf-8")
    with pytest.raises(VaultError, match=r"mkdocs.yml:3: is no YAML"):
        Origin.read(tmp_path)


def test_a_claims_settings_are_written_as_a_call_takes_them(tmp_path):
    file = tmp_path / "odd.py"
    file.write_text("def claim(seed=0, *, n=3, rates=(0.1, 1), device='cpu'): ...", "utf-8")
    assert settings(file) == "n=3, rates=(0.1, 1)"
    for slug, paper in PAPERS.items():
        ast.parse(f"claim(seed=1, {settings(paper.places['claim'])})", slug)


@pytest.mark.parametrize(
    ("text", "told"), [("x = 1", "odd.py:1: has no function `claim`"), ("def", "odd.py:1: cannot")]
)
def test_a_file_without_a_claim_is_told_of(text, told, tmp_path):
    (tmp_path / "odd.py").write_text(text, "utf-8")
    with pytest.raises(VaultError) as wrong:
        settings(tmp_path / "odd.py")
    assert str(wrong.value).startswith(told)


def test_a_papers_page_leads_to_its_notebook_where_there_is_one():
    health = Health(ROOT)
    published = Publication(Context(health.index, health), ROOT, HERE.repository, False)
    published.origin = HERE
    note = health.index.notes["04-sequences/lstm/lstm.md"]

    def links():
        page = BeautifulSoup(published.header(note, str), "html.parser")
        return {link.text: link["href"] for link in page.select(".paper-links a")}

    assert links()["Open in Colab"] == colab(HERE, "lstm")
    assert links()["Notebook"] == "../../notebooks/lstm.ipynb"
    published.origin = Origin()
    assert "Open in Colab" not in links()
    assert "Notebook" in links()
    published.notebooks = {}
    assert not {"Open in Colab", "Notebook"} & links().keys()
