"""Diagrams: drawn where `mermaidx` is installed, code and a word in the log where it is not or cannot."""

import pytest

from paperimpl.markdown.fences import Mermaid, MermaidError

TEXT = "before\n\n```mermaid\ngraph TD;\nA-->B\n```\n"


class Drawn(Mermaid):
    """A stand-in for mermaidx."""

    def draw(self, text):
        if "A-->B" not in text:
            raise MermaidError("no diagram type")
        return '<svg id="a"></svg>'


def test_a_diagram_stands_in_the_page(render):
    page = render(f"> [!note] T\n> ```mermaid\n> A-->B\n> ```\n\n{TEXT}", mermaid=Drawn())
    assert len(page(".mermaid-figure svg")) == 2
    assert not page("p svg, p div")
    assert not page.context.problems


@pytest.mark.parametrize(("mermaid", "error"), [(None, False), (Drawn(), True)])
def test_what_is_not_drawn_is_code_and_is_told_with_its_line(render, mermaid, error):
    page = render(TEXT.replace("A-->B", "C-->D"), mermaid=mermaid)
    assert "C-->D" in page.one(".highlight code").text
    (problem,) = page.context.problems
    assert (problem.path, problem.line, problem.error) == ("vault/Home.md", 4, error)


def test_mermaidx_draws_once_and_ids_are_the_diagrams_own(tmp_path):
    pytest.importorskip("mermaidx")
    mermaid = Mermaid(tmp_path)
    one, two = mermaid.draw("graph TD;\nA-->B"), mermaid.draw("graph TD;\nA-->C")
    assert one.startswith("<svg")
    assert 'id="my-svg"' not in one + two
    (kept, _) = sorted((tmp_path / "mermaid").iterdir(), key=lambda path: path.read_text() != one)
    kept.write_text("<svg>remembered</svg>")
    assert mermaid.draw("graph TD;\nA-->B") == "<svg>remembered</svg>"
    with pytest.raises(MermaidError):
        mermaid.draw("no diagram at all")
