"""What a note quotes of the repository: code by symbol, numbers by key, figures."""

import json
from collections import Counter
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from paperimpl.vault.check import Health
from paperimpl.vault.index import Index

VAULT = Path(__file__).parents[2] / "vault"

FIRST = '''@staticmethod
def first(x):
    """Return x."""
    y = x[[0, 1]]

    return math.exp(y)  # [[Note]] is no link here
'''

CODE = f'''"""Doc."""

import math


{FIRST}

class Second:
    def method(self):
        return "--8<--"


WIDTH = 3
'''

RESULT = {
    "says": "It works (Table 1).",
    "threshold": "Holds if above 0.5.",
    "digest": "sha256:0",
    "runs": [
        {"seed": seed, "measured": {"accuracy": 0.9 + seed / 100, "loss": 1e-7}, "holds": True, "seconds": 2.0}
        for seed in range(5)
    ],
}

FIGURE = """<?xml version="1.0"?>
<!DOCTYPE svg>
<svg xmlns="http://www.w3.org/2000/svg" class="claim-figure"><defs><path id="demo-p1"/></defs>
<use href="#demo-p1"/></svg>
"""

NOTE = "04-sequences/demo/demo.md"


@pytest.fixture
def repository(tmp_path):
    for folder in ("src/paperimpl/papers", "src/paperimpl/claims", "tests/papers", "vault/04-sequences/demo"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "src/paperimpl/papers/demo.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "src/paperimpl/papers/broken.py").write_text("def f(:\n", encoding="utf-8")
    (tmp_path / "tests/papers/test_demo.py").write_text("def test_it():\n    assert True\n", encoding="utf-8")
    folder = tmp_path / "vault/04-sequences/demo"
    (folder / "demo.md").write_text("# Demo\n", encoding="utf-8")
    (folder / "demo.claim.json").write_text(json.dumps(RESULT), encoding="utf-8")
    (folder / "demo.claim.svg").write_text(FIGURE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def page(render, repository):
    """Render a note of that repository, with all that it may quote."""
    health = Health(repository)

    def rendered(text):
        files = Index.read(repository / "vault").files
        return render(text, source=NOTE, files=files, repository=repository, health=health)

    return rendered


SNIPPET = '--8<-- "papers/demo.py:first"'


@pytest.mark.parametrize(
    "text",
    [
        f"```python\n{SNIPPET}\n```",
        f"```\n{SNIPPET}\n```",
        f"~~~\n{SNIPPET}\n~~~",
        f"````python\n{SNIPPET}\n````",
        f'```{{.python title="papers/demo.py:first"}}\n{SNIPPET}\n```',
        f'```python title="papers/demo.py:first" hl_lines="2"\n{SNIPPET}\n```',
        SNIPPET,
        f"text\n\n{SNIPPET}\n\ntext",
        f"text\n{SNIPPET}\ntext",
        f"> [!note]- Code\n> ```python\n> {SNIPPET}\n> ```",
        f"> [!note]- Code\n> {SNIPPET}\n> after",
        f"> > ```\n> > {SNIPPET}\n> > ```",
        f"- item\n\n    ```python\n    {SNIPPET}\n    ```",
    ],
)
def test_code_is_shown_by_symbol_wherever_it_is_asked_for(page, text):
    shown = page(text)
    assert shown.one(".highlight pre code").text == FIRST
    assert shown.one(".filename").text == "papers/demo.py:first"
    assert not shown("a.wikilink, p div")


@pytest.mark.parametrize(
    ("spec", "begins", "ends"),
    [
        ("papers/demo.py:Second", "class Second:", 'return "--8<--"'),
        ("papers/demo.py:Second.method", "def method(self):", 'return "--8<--"'),
        ("papers/demo.py:WIDTH", "WIDTH = 3", "WIDTH = 3"),
        ("papers/demo.py", '"""Doc."""', "WIDTH = 3"),
        ("tests/papers/test_demo.py:test_it", "def test_it():", "assert True"),
    ],
)
def test_a_class_a_method_a_name_or_a_file_is_shown_whole(page, spec, begins, ends):
    code = page(f'--8<-- "{spec}"').one("pre code").text.strip()
    assert code.startswith(begins)
    assert code.endswith(ends)


def test_only_the_asked_code_of_a_fence_is_replaced(page):
    code = page(f"```python\nbefore = 1\n{SNIPPET}\nafter = 2\n```").one("pre code").text
    assert code.startswith("before = 1\n@staticmethod")
    assert code.endswith("after = 2\n")


def test_a_callout_stays_one_around_code(page):
    assert page(f"> [!note] T\n> before\n>\n> {SNIPPET}\n>\n> after").outline == "div[p p code p]"


def test_code_that_holds_a_fence_does_not_end_its_own(page, repository):
    code = 'TEXT = """\n```python\nx\n```\n~~~\n"""\nEND = 1\n'
    (repository / "src/paperimpl/papers/fenced.py").write_text(code, encoding="utf-8")
    for text in (
        '--8<-- "papers/fenced.py"',
        '```\n--8<-- "papers/fenced.py"\n```',
        '~~~\n--8<-- "papers/fenced.py"\n~~~',
    ):
        shown = page(f"{text}\n\nafter")
        assert shown.one("pre code").text == code
        assert shown.outline == "code p"


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("papers/demo.py:frist", "no 'frist' in papers/demo.py"),
        ("papers/dmeo.py:first", "no code at 'papers/dmeo.py'"),
        ("vault/check.py", "no code at 'vault/check.py'"),
        ("papers/../../../mkdocs.py", "no code at"),
        ("papers/broken.py:f", "invalid syntax"),
    ],
)
def test_unknown_code_says_so_in_its_place_and_stops_nothing(page, spec, told):
    shown = page(f'```python\n--8<-- "{spec}"\n```\n\nafter')
    assert told in shown.one("pre code").text
    assert shown.one(".filename").text == "not found"
    assert "after" in shown.text


@pytest.mark.parametrize(
    "text", ['`--8<-- "papers/demo.py:first"`', 'See --8<-- "papers/demo.py:first" there', '--8<-- "papers/demo.py']
)
def test_the_snippet_syntax_in_running_text_is_text(page, text):
    assert "8<" in page(text).text
    assert not page(text)("pre")


def test_without_a_repository_no_file_is_read(render):
    assert "8<" in render(SNIPPET).text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("{{ demo.accuracy }}", "0.92"),
        ("{{demo.accuracy}}", "0.92"),
        ("{{ demo.accuracy mean % }}", "92%"),
        ("{{ demo.accuracy max .3f }}", "0.940"),
        ("{{ demo.accuracy range % }}", "90–94%"),
        ("{{ demo.accuracy seed 3 }}", "0.93"),
        ("{{ demo.loss }}", "1.00 × 10⁻⁷"),
        ("{{ demo.seeds }}", "5"),
        ("{{ demo.held }}", "5 of 5"),
        ("{{ demo.seconds mean .0f }}", "2"),
    ],
)
@pytest.mark.parametrize("around", ["a {} b", "| x |\n|---|\n| {} |", "- {}", "> [!note] {}", "**{}**", "[[demo|{}]]"])
def test_a_number_stands_where_its_key_was_written(page, written, shown, around):
    measured = page(around.format(written)).one(".measured")
    assert measured.text == shown
    assert "measured" in measured["title"]


@pytest.mark.parametrize("around", ["`{}`", "```\n{}\n```", "$x {}$", "    {}", "> ```\n> {}\n> ```"])
def test_a_key_in_code_and_formulas_is_left_as_it_is(page, around):
    shown = page(around.format("{{ demo.accuracy }}"))
    assert not shown(".measured")
    assert "{{ demo.accuracy }}" in shown.text


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("{{ demo.acuracy }}", "no such number"),
        ("{{ dmeo.accuracy }}", "no paper 'dmeo'"),
        ("{{ demo.accuracy meen }}", "no such number"),
        ("{{ demo.accuracy seed 9 }}", "no such number"),
    ],
)
def test_an_unknown_key_is_marked_and_shows_itself(page, written, why):
    broken = page(f"It is {written}.").one(".broken")
    assert broken.text == written
    assert why in broken["title"]


@pytest.mark.parametrize("written", ["{{ x }}", "{{ A.b }}", "{% if x %}", "{{ }}", "{ { demo.accuracy } }"])
def test_other_braces_are_text(page, written):
    shown = page(f"a {written} b")
    assert shown.text == f"a {written} b"
    assert not shown(".measured, .broken")


def test_a_claims_figure_stands_in_the_page_itself(page):
    shown = page("![[demo.claim.svg]]")
    box = shown.one(".claim-figure-box")
    assert box.find("svg")["class"] == ["claim-figure"]
    assert box["aria-label"]
    assert "<?xml" not in shown.html
    assert "DOCTYPE" not in shown.html
    assert not shown("img")


def test_ids_are_unique_where_two_figures_stand_on_a_page(render, page, repository):
    other = repository / "vault/04-sequences/other"
    other.mkdir()
    (other / "other.claim.svg").write_text(FIGURE.replace("demo-", "other-"), encoding="utf-8")
    shown = page("![[demo.claim.svg]]\n\n![[other.claim.svg]]")
    ids = [element["id"] for element in shown("[id]")]
    assert len(shown("svg")) == 2
    assert len(ids) == len(set(ids))
    assert {use["href"] for use in shown("use")} == {f"#{name}" for name in ids}


def test_the_figures_of_this_repository_share_no_ids():
    found = Counter()
    for path in sorted(VAULT.rglob("*.claim.svg")):
        tree = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        found.update(element["id"] for element in tree.select("[id]"))
    assert [name for name, times in found.items() if times > 1] == []


def test_what_has_the_colour_of_code_has_no_elements_and_the_rest_does(page):
    shown = page("```python\nif a.b(1): x = 'y'  # z\n```").one(".highlight pre code")
    assert [(part["class"], part.text) for part in shown("span")] == [
        (["k"], "if"),
        (["mi"], "1"),
        (["s1"], "'y'"),
        (["c1"], "# z"),
    ]
    assert shown.text == "if a.b(1): x = 'y'  # z\n"


def test_a_block_that_was_seen_before_is_shown_by_its_own_language_and_title(page):
    code = "x = 1\n```\n"
    first = page(f"```python\n{code}\n```text\n{code}\n```python title='t.py'\n{code}\n```python\n{code}")
    blocks = first(".highlight")
    assert [block["class"][0] for block in blocks] == ["language-python", "language-text", *["language-python"] * 2]
    assert [bool(block("span", class_="mi")) for block in blocks] == [True, False, True, True]
    assert [block.select_one(".filename") is not None for block in blocks] == [False, False, True, False]
