"""Golden cases: `cases/NAME.md` is a note of the vault below, `cases/NAME.html` its page, approved by a person.

After a change that is meant, write the pages anew, and read the difference before it is committed:

    REGENERATE=1 .venv/bin/pytest tests/markdown/test_cases.py && git diff tests/markdown/cases
"""

import os
from pathlib import Path

import pytest

CASES = sorted((Path(__file__).parent / "cases").glob("*.md"))
NOTES = {
    "Note.md": "---\ntitle: The note\n---\nLead. [^n]\n\n## Part\n\nText of the part. ^block\n\n### Under\n\n- item\n"
    "    - inner ^inner\n\n## Next\n\nNot of the part.\n\n[^n]: Its footnote.\n",
    "Deep/Far.md": "[[Near]] ![[dot.png]] ![[Note#Under]]\n",
    "Deep/Near.md": "# Near\n",
    "Loop.md": "![[Loop|again]]\n\n![[Back]]\n",
    "Back.md": "Back. ![[Loop]]\n",
    "Secret.md": "---\npublish: false\n---\nhidden\n",
}
FILES = ["Deep/dot.png", "talk.mp3", "film.mp4", "paper.pdf"]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_note_is_shown_as_the_case_says(render, case):
    html = render(case.read_text(encoding="utf-8"), NOTES, files=FILES).html + "\n"
    golden = case.with_suffix(".html")
    if os.environ.get("REGENERATE"):
        golden.write_text(html, encoding="utf-8")
    assert html == golden.read_text(encoding="utf-8")


def test_every_page_has_its_note():
    pages = {path.stem for path in (Path(__file__).parent / "cases").glob("*.html")}
    assert pages == {path.stem for path in CASES}
    assert len(CASES) > 20
