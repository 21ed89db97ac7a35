"""`safe: true`, and what a note may read: nothing of it can run in a reader's browser or leave the vault."""

import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperimpl.markdown.fences import Mermaid
from paperimpl.vault.code import symbol
from paperimpl.vault.index import Index

EVIL = [
    "<script>alert(1)</script>",
    "<script>\nalert(1)\n\n</script>",
    "a <script>alert(1)</script> b",
    '<img src="x" onerror="alert(1)">',
    'text <img src="x" onerror="alert(1)"> text',
    "<div onclick=alert(1)>\n\n*x*\n\n</div>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x]( javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "[x][y]\n\n[y]: javascript:alert(1)",
    '<a href="javascript:alert(1)">x</a>',
    '<a href="&#x6A;avascript:alert(1)">x</a>',
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    "![x](data:text/html,<script>alert(1)</script>)",
    '<iframe src="https://example.org"></iframe>',
    "<iframe\nsrc=//example.org>\n</iframe>",
    "<object data=x></object><embed src=x>",
    "<style>body{display:none}</style>",
    '<p style="position:fixed">x</p>',
    '<form action="https://example.org"><input name=a><button>b</button></form>',
    '<svg onload="alert(1)"><script>alert(1)</script></svg>',
    '<math><mi xlink:href="javascript:alert(1)">x</mi></math>',
    '<base href="https://example.org/">',
    '<meta http-equiv="refresh" content="0;url=https://example.org">',
    '<link rel="stylesheet" href="https://example.org/x.css">',
    "> [!note] <img src=x onerror=alert(1)>\n> <script>alert(1)</script>",
    "| <img src=x onerror=alert(1)> |\n|---|\n| <script>alert(1)</script> |",
    "# <img src=x onerror=alert(1)>",
    "- [ ] <img src=x onerror=alert(1)>",
    "x[^1]\n\n[^1]: <img src=x onerror=alert(1)>",
    "x^[<img src=x onerror=alert(1)>]",
    "[[Note|<img src=x onerror=alert(1)>]]",
    '```python title="<script>alert(1)</script>"\nx\n```',
    '```{.python onclick="alert(1)"}\nx\n```',
    '# x {: onclick="alert(1)" }',
    "<details ontoggle=alert(1) open><summary>x</summary></details>",
    "<!-- --><script>alert(1)</script>",
    "<!--><script>alert(1)</script>-->",
    '<div title="&quot; onclick=alert(1)">x</div>',
    "![[Evil]]",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    '<a href="java\nscript:alert(1)">x</a>',
    "$\\href{javascript:alert(1)}{x}$",
]
FORBIDDEN = "script, iframe, style, form, embed, base, meta, link, svg, math, input:not([type=checkbox]), button"


def harmful(page):
    """What of a page could run or phone home."""
    found = [str(element) for element in page(FORBIDDEN)]
    for element in page.tree.find_all(True):
        for name, value in element.attrs.items():
            address = re.sub(r"\s", "", " ".join(value) if isinstance(value, list) else value).lower()
            bad = name.startswith("on") or name in ("srcdoc", "formaction", "action")
            if name in ("href", "src", "data"):
                bad = bad or address.startswith(("javascript:", "data:text", "vbscript:"))
            if name == "style":
                bad = bad or not re.fullmatch(r"text-align:\w+;?", address)
            found += [f"{name}={value}"] if bad else []
    return found


@pytest.mark.parametrize("text", EVIL)
def test_nothing_that_a_note_writes_can_run(render, text):
    page = render(
        f"before\n\n{text}\n\nafter",
        {"Note.md": "", "Evil.md": "<script>alert(1)</script> <b onclick=x>in</b>"},
        safe=True,
    )
    assert harmful(page) == []
    assert "before" in page.text


def test_the_list_of_evils_is_evil_where_notes_are_trusted(render):
    live = [text for text in EVIL if harmful(render(text, {"Evil.md": "<script>x</script>"}))]
    assert len(live) > len(EVIL) // 2


FRAGMENTS = st.sampled_from(
    [
        "<script>",
        "</script>",
        "<img src=x onerror=alert(1)>",
        "<",
        ">",
        '"',
        "'",
        "[x](",
        "javascript:",
        "alert(1)",
        ")",
        "`",
        "\n",
        "\n\n",
        "> ",
        "- ",
        "<svg onload=x>",
        "<!--",
        "-->",
        "&#106;",
        "<a href=",
        "[[",
        "]]",
        "|",
        "<div>",
        "</div>",
        "$",
        "%%",
        "x ",
    ]
)


@settings(deadline=None, max_examples=150)
@given(st.lists(FRAGMENTS, max_size=25).map("".join))
def test_no_mixture_of_marks_lets_anything_through(render, text):
    assert harmful(render(text, {"x.md": ""}, safe=True)) == []


def test_what_is_ours_is_kept_whole(render):
    text = (
        "# H\n\n==m== #tag [[Note]] ![[pic.png|30]] $x$ ~~s~~ <b>bold</b>\n\n> [!tip]- T\n> x\n\n- [/] t\n\n"
        "```python\nx = 1\n```\n\n| a |\n|:-:|\n| b |\n\nf[^1] ^id\n\n[^1]: n\n\n"
        "![[Note#S]]\n\n![[a.mp3]]\n\n![[b.pdf]]\n"
    )
    notes = {"Note.md": "## S\n\ntext"}
    files = ["pic.png", "a.mp3", "b.pdf"]
    safe, trusted = (render(text, notes, files=files, safe=safe) for safe in (True, False))
    assert safe.outline == trusted.outline
    assert safe.text == trusted.text
    for selector in (
        *(
            "audio[controls]",
            "object[data]",
            "details.callout",
            "[data-task='/'] input",
            "th[style]",
            "sup a.footnote-ref",
        ),
        *(".highlight .mi", "h1#h", "span.tag", "img[width='30']", ".embed h2", "b", "[id='^id']"),
    ):
        assert len(safe(selector)) == len(trusted(selector)) > 0, selector


class Figures:
    """A stand-in for KaTeX."""

    def render(self, tex, display):
        return f'<span class="katex" style="height:1em"><math><mi>{tex}</mi></math></span>'


def test_formulas_are_ours(render):
    page = render("$x$ and\n\n$$y$$\n", safe=True, katex=Figures())
    assert [element["style"] for element in page(".katex")] == ["height:1em", "height:1em"]
    assert not page("p p, p div")


def test_what_stands_for_our_own_cannot_be_guessed(render):
    page = render("kept0000000000000000n0n `x`\n\n```\ncode\n```", safe=True)
    assert page.text.count("code") == 1


def test_a_diagram_runs_no_script_where_notes_are_not_trusted(render):
    class Drawn(Mermaid):
        def draw(self, text):
            return "<svg><script>alert(1)</script></svg>"

    page = render("```mermaid\ngraph TD;\n```", safe=True, mermaid=Drawn())
    assert page.one(".mermaid-figure img")["src"].startswith("data:image/svg+xml;base64,")
    assert harmful(page) == []


@pytest.fixture
def vault(tmp_path):
    (tmp_path / "secret.md").write_text("# secret\n\nhidden")
    (tmp_path / "secret.png").write_bytes(b"hidden")
    folder = tmp_path / "vault"
    (folder / "sub").mkdir(parents=True)
    (folder / "note.md").write_text("inside")
    for name, target in {"link.md": "secret.md", "link.png": "secret.png", "folder": "."}.items():
        os.symlink(tmp_path / target, folder / name)
    os.symlink(folder / "note.md", folder / "sub/same.md")
    return folder


def test_symbolic_links_out_of_the_vault_are_not_followed_and_are_told(vault):
    index = Index.read(vault)
    assert set(index.notes) == {"note.md", "sub/same.md"}
    assert not index.files
    assert {"link.md", "link.png"} <= index.outside
    assert any("leads out of the vault" in str(problem) for problem in index.problems())


@pytest.mark.parametrize(
    "target",
    [
        "../secret",
        "../../etc/passwd",
        "/etc/passwd",
        "file:///etc/passwd",
        "..\\secret.md",
        "link.md",
        "sub/../../secret.md",
        "%2e%2e/secret.md",
        "folder/secret.md",
        "~/secret",
        "C:\\secret.md",
    ],
)
def test_no_embed_reads_outside_the_vault(render, vault, target):
    index = Index.read(vault)
    notes = {path: note.text for path, note in index.notes.items()}
    page = render(f"![[{target}]] ![x]({target}) [x](<{target}>)", notes, files=index.files)
    assert "hidden" not in page.html
    assert not page("img[src*=secret], object, .embed")


@pytest.mark.parametrize(
    "spec", ["../secret.py", "tests/../../secret.py", "/etc/passwd", "papers/link.py", "tests\\..\\x.py"]
)
def test_no_snippet_reads_outside_the_repository(tmp_path, spec):
    root = tmp_path / "repository"
    (root / "src/paperimpl/papers").mkdir(parents=True)
    (tmp_path / "secret.py").write_text("hidden = 1\n")
    os.symlink(tmp_path / "secret.py", root / "src/paperimpl/papers/link.py")
    with pytest.raises(KeyError):
        symbol(spec, root)
