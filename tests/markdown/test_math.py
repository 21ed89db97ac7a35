"""Formulas: KaTeX at build time, one process, remembered."""

import os
import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from paperimpl.markdown import katex
from paperimpl.markdown.katex import Katex, KatexError
from paperimpl.markdown.mathml import MathML

PACKAGE = Path(__file__).parents[2] / "site_config/node_modules/katex"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("$x$", r"\(x\)"),
        (r"$\alpha_1 * b_2 * c_3$", r"\(\alpha_1 * b_2 * c_3\)"),
        ("$a<b$ and more", r"\(a<b\)"),
        ("$[x; y]$", r"\([x; y]\)"),
        ("$$x$$", r"\[x\]"),
        ("$$\nx\n$$", "\\[\nx\n\\]"),
        ("text $$x$$ text", r"\[x\]"),
        ("text $$x_1$$ text\ntext", r"\[x_1\]"),
        ("text\n$$\nx\n$$\ntext", "\\[\nx\n\\]"),
        ("text\n$$x$$\ntext", r"\[x\]"),
        ("text\n$$a\n+ b$$\ntext", "\\[a\n+ b\\]"),
        ("$$\na\n+ b\n- c\n# d\n> e\n1. f\n$$", "\\[\na\n+ b\n- c\n# d\n> e\n1. f\n\\]"),
        ("$$\na\n\nb\n$$", "\\[\na\nb\n\\]"),
        ("> text\n> $$\n> a\n> + b\n> $$\n> text", "\\[\na\n+ b\n\\]"),
        ("> [!note]- T\n> $$\n> a\n> $$", "\\[\na\n\\]"),
        ("- item\n\n    $$\n    a\n    + b\n    $$", "\\[\na\n+ b\n\\]"),
        ("$$\nx\n$$ ^id", "\\[\nx\n\\]"),
        ("| a |\n|---|\n| $x$ |", r"\(x\)"),
        ("## $x$", r"\(x\)"),
        ("**$x$**", r"\(x\)"),
    ],
)
def test_a_formula_is_found_whole_wherever_it_stands(render, text, shown):
    page = render(text)
    assert re.sub(r"(?m)^ +", "", page.one(".arithmatex").text) == shown
    assert "$" not in page.text
    assert not page("li li, p div, ol")


@pytest.mark.parametrize("formula", ["$$x$$", "$$\nx\n$$", "$$a\n+ b$$", "$$\na\n+ b $$"])
def test_a_list_may_follow_a_formula(render, formula):
    page = render(f"text\n{formula}\n- one\n- two")
    assert len(page(".arithmatex")) == 1
    assert [item.text for item in page("ul > li")] == ["one", "two"]


@pytest.mark.parametrize("text", ["$5 and $6", r"\$x\$", "`$x$`", "```\n$x$\n```", "$ x $", "a $ b", "$$ never closed"])
def test_money_code_and_lone_dollars_are_no_formulas(render, text):
    page = render(f"{text}\n- after")
    assert not page(".arithmatex")
    assert "$" in page.text
    assert page("li")


@pytest.fixture(scope="module")
def package():
    """KaTeX as `make site` installs it."""
    if not PACKAGE.is_dir():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("KaTeX is not installed: make site")
    if katex.node() is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("there is no Node on this machine")
    return PACKAGE


@pytest.fixture(scope="module")
def renderer(package):
    made = Katex(package)
    yield made
    made.close()


def test_an_inline_formula_is_html_with_mathml_for_those_who_listen(render, renderer):
    page = render("Let $x_1$ be.", katex=renderer)
    math = page.one("span.math")
    assert math.select(".katex-html[aria-hidden=true]")
    assert math.select(".katex-mathml math annotation")[0].text == "x_1"
    assert not page(".katex-display, script")
    assert page.text.startswith("Let")


def test_a_display_formula_keeps_its_number_and_can_be_reached_by_keyboard(render, renderer):
    page = render("$$\nE = mc^2 \\tag{A.1}\n$$", katex=renderer)
    assert page.one(".math.display")["tabindex"] == "0"
    assert page.one(".katex-html").text.endswith("(A.1)")


@pytest.mark.parametrize(
    "around", ["{}", "- {}", "> [!note]- {}\n> x", "| a |\n|---|\n| {} |", "# {}", "a[^1]\n\n[^1]: {}"]
)
def test_formulas_are_drawn_in_every_place(render, renderer, around):
    assert render(around.format("$x$"), katex=renderer)(".katex")


def test_a_formula_that_is_none_is_a_problem_with_file_and_line(render, renderer):
    page = render("---\ntitle: T\n---\n\ntext\n\n$$\n\\frac{1}{\n$$\n\nand $\\nosuch$", katex=renderer)
    first, second = page.context.problems
    assert (first.path, first.line) == ("vault/Home.md", 8)
    assert (second.path, second.line) == ("vault/Home.md", 11)
    assert first.message.startswith(r"formula '\\frac{1}{': ")
    assert r"\nosuch" in second.message
    assert first.remedy == "mend the formula"
    assert [code.text for code in page("code.broken")] == [r"\frac{1}{", r"\nosuch"]


def test_a_formula_with_html_in_it_stays_text(render, renderer):
    page = render(r"$\text{<b>x</b>}$ and $\nosuch<i>$", katex=renderer)
    assert not page("b, i")


def test_the_second_time_no_process_is_asked(package, tmp_path):
    first = Katex(package, tmp_path)
    html = first.render("x^2", display=False)
    first.save()
    first.close()
    second = Katex(package, tmp_path)
    assert second.render("x^2", display=False) == html
    assert second._process is None
    second.close()


def test_inline_and_display_are_remembered_apart(package, tmp_path):
    made = Katex(package, tmp_path)
    assert made.render("x", display=False) != made.render("x", display=True)
    made.close()


def test_what_is_refused_is_not_remembered(package, tmp_path):
    made = Katex(package, tmp_path)
    for _ in range(2):
        with pytest.raises(KatexError, match="nosuch"):
            made.render(r"\nosuch", display=False)
    made.close()
    with sqlite3.connect(next(tmp_path.glob("*.sqlite3"))) as store:
        assert store.execute("SELECT count(*) FROM formula").fetchone() == (0,)
    store.close()


def test_a_newline_or_a_quote_in_a_formula_does_not_confuse_the_process(renderer):
    texts = ["a\nb", 'a"b', r"\text{ü λ '}", "a\tb"]
    assert [renderer.render(text, display=True).count("katex-display") for text in texts] == [1, 1, 1, 1]


def test_a_process_that_ended_is_started_anew(package):
    made = Katex(package)
    made.render("x", display=False)
    made._process.kill()
    made._process.wait()
    made._process.stdin.close()
    made._process.stdout.close()
    assert "katex" in made.render("y", display=False)
    made.close()
    made.close()


def test_a_machine_without_node_is_told_what_to_do(package, monkeypatch):
    made = Katex(package)
    monkeypatch.setattr(katex, "node", lambda: None)
    with pytest.raises(OSError, match="make site"):
        made.render("x", display=False)
    made.close()


def test_node_may_come_from_the_machine(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: f"/somewhere/{name}")
    assert katex.node() == ["/somewhere/node"]


def test_without_katex_a_formula_is_mathml(render):
    page = render("$x_1$ and\n\n$$\n\\frac{a}{b}\n$$\n", katex=MathML())
    assert page.one(".math:not(.display) math msub").text == "x1"
    assert page.one(".math.display math[display=block] mfrac").text == "ab"
    assert page.context.problems == []


def test_what_mathml_cannot_say_is_left_as_text_and_told(render):
    page = render("a\n\n$\\nonsense{x}$\n", katex=MathML())
    assert page.one("code.broken").text == "\\nonsense{x}"
    (problem,) = page.context.problems
    assert (problem.line, problem.error) == (3, False)
    assert "nonsense" in problem.message
    assert "\x1b" not in problem.message
