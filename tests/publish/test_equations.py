"""Equations and lines of code, tied by what Markdown, KaTeX and Pygments make of them."""

import pytest
from bs4 import BeautifulSoup

from paperimpl.publish.equations import cited, tie


def display(source):
    return (
        '<div class="math display" tabindex="0"><span class="katex-display"><annotation encoding="application/x-tex">'
        f'{source}</annotation><span class="katex-html" aria-hidden="true"></span></span></div>\n'
    )


def block(name, *lines):
    filename = f'<span class="filename"><a href="https://example.org/x.py#L1">{name}</a></span>'
    code = "\n".join(lines)
    return f'<div class="language-python highlight">{filename}<pre><span></span><code>{code}\n</code></pre></div>\n'


def comment(text):
    return f'    y <span class="o">=</span> x  <span class="c1">{text}</span>'


def tied(*parts, slug="lstm"):
    return BeautifulSoup(tie("".join(parts), slug), "html.parser")


def about(soup, number):
    return [line for line in soup.select(".eq-line") if number in line["data-eq"].split()]


@pytest.mark.parametrize(
    ("comment", "numbers"),
    [
        ("# (B, H) eq. 9", [["9"]]),
        ("# eq. A.5, eq. A.6", [["A.5"], ["A.6"]]),
        ("# eqs. 3, 4 and 7", [["3"], ["4"], ["7"]]),
        ("# eqs. 3-5", [["3", "4", "5"]]),
        ("# eqs. 1 and 3 to 4", [["1"], ["3", "4"]]),
        ("# the seq. 9, Table 3, 1 eq.", []),
    ],
)
def test_a_comment_names_equations_one_by_one_or_as_a_range(comment, numbers):
    assert [found for *_, found in cited(comment)] == numbers


def test_a_mention_is_found_where_it_stands():
    text = "# (B, H) eqs. 3, 4"
    assert [text[start:end] for start, end, _ in cited(text)] == ["eqs. 3", "4"]


def test_an_equation_leads_to_its_line_and_the_line_leads_back():
    soup = tied(display(r"a \tag{A.5}"), block("papers/lstm.py:LSTMCell", "class", comment("# eq. A.5")))
    link = soup.select_one("#eq-A\\.5 .eq-code a")
    assert link.text == "line 2 of LSTMCell"
    assert link["aria-label"] == "Equation A.5 in the code: line 2 of LSTMCell"
    target = soup.select_one(link["href"])
    back = target.find_parent(class_="eq-line").select_one(".eq-ref")
    assert (back["href"], back.text) == ("#eq-A.5", "eq. A.5")


def test_the_text_of_code_is_left_as_it_is():
    code = block("papers/lstm.py:f", "<b>a</b>", comment("# eq. 1 &amp; eq. 2 &lt; eq. 3"), "    return", "", "end")
    page = display(r"\tag{1}") + display(r"\tag{3}") + code
    before, after = (BeautifulSoup(text, "html.parser").select_one("code").text for text in (page, tie(page, "lstm")))
    assert "eq. 1 & eq. 2 < eq. 3" in after
    assert after == before


def test_a_line_of_several_equations_belongs_to_each():
    soup = tied(display(r"\tag{1}"), display(r"\tag{2}"), block("papers/lstm.py:f", comment("# eqs. 1, 2")))
    assert about(soup, "1") == about(soup, "2") != []
    assert [link["href"] for link in soup.select(".eq-ref")] == ["#eq-1", "#eq-2"]


def test_the_model_comes_before_tests_and_lines_of_one_block_are_told_together():
    soup = tied(
        display(r"\tag{7}"),
        block("tests/papers/test_lstm.py:test_x", comment("# eq. 7")),
        block("papers/lstm.py:f", comment("# eq. 7"), "", comment("# eq. 7")),
        block("papers/lstm.py", comment("# eq. 7")),
    )
    assert soup.select_one(".eq-code").text == "lines 1, 3 of f"
    assert len(about(soup, "7")) == 4


def test_no_two_anchors_of_a_page_are_the_same():
    code = block("papers/lstm.py:f", comment("# eq. 7"), comment("# eqs. 7, 8"))
    soup = tied(display(r"\tag{7}"), display(r"\tag{7}"), display(r"\begin{align} a \tag{8} \end{align}"), code, code)
    ids = [element["id"] for element in soup.select("[id]")]
    assert sorted(set(ids)) == sorted(ids)
    assert {link["href"][1:] for link in soup.select(".eq-ref, .eq-code a")} <= set(ids)


def test_a_docstring_of_one_line_speaks_of_its_short_function_and_a_comment_of_the_next_line():
    soup = tied(
        display(r"\tag{2}"),
        display(r"\tag{3}"),
        block(
            "papers/lstm.py",
            "def h(s):",
            '    <span class="sd">"""Squash, eq. 2."""</span>',
            "    return 2 * s",
            "",
            "def g(s):",
            '    <span class="c1"># eq. 3</span>',
            "    t = 1",
            "    return t",
        ),
    )
    assert [line.text.strip() for line in about(soup, "2")] == ['"""Squash, eq. 2."""', "return 2 * s"]
    assert [line.text.strip() for line in about(soup, "3")] == ["# eq. 3", "t = 1"]


@pytest.mark.parametrize(
    "parts",
    [
        (display(r"\tag{1}"), block("papers/rnn.py:f", comment("# eq. 1"))),
        (display(r"\tag{1}"), block("papers/lstm.py:f", comment("# eq. 2"))),
        (display("x = 1"), block("papers/lstm.py:f", comment("# eq. 1"))),
        (display(r"\tag{1}"), block("papers/lstm.py:f", '    s = <span class="s2">"eq. 1"</span>')),
    ],
    ids=["another paper's code", "no such equation", "no number", "a text that is no comment"],
)
def test_what_does_not_belong_together_is_left_alone(parts):
    page = "".join(parts)
    assert tie(page, "lstm") == page


def test_a_page_that_is_no_papers_is_left_alone():
    page = display(r"\tag{1}") + block("papers/lstm.py:f", comment("# eq. 1"))
    assert tie(page, "") == page
