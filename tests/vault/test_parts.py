"""What an embed shows of a note: a section to the next heading of its level or above, a block as its id marks it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperimpl.vault.index import Index, Note
from paperimpl.vault.parts import part_of

TEXT = """---
title: T
---
Lead
of two lines ^lead

# A

one

## B

two

### C

three

## B

second

# D

- item ^item
    - inner

    more ^more
- last

^list

> quoted
> on ^quoted

> [!note] T
> a

^callout

| a |
|---|
| b |

^table

```
# no heading
```

^code

$$
x
$$

^math

end
^end
"""


@pytest.mark.parametrize(
    ("fragment", "text", "first", "last"),
    [
        ("A", "# A\n\none\n\n## B\n\ntwo\n\n### C\n\nthree\n\n## B\n\nsecond", 7, 21),
        ("B", "## B\n\ntwo\n\n### C\n\nthree", 11, 17),
        ("A#B#C", "### C\n\nthree", 15, 17),
        ("c", "### C\n\nthree", 15, 17),
        ("^lead", "Lead\nof two lines ^lead", 4, 5),
        ("^item", "- item ^item\n    - inner\n\n    more ^more", 25, 28),
        ("^more", "more ^more", 28, 28),
        ("^list", "- item ^item\n    - inner\n\n    more ^more\n- last", 25, 29),
        ("^quoted", "> quoted\n> on ^quoted", 33, 34),
        ("^callout", "> [!note] T\n> a", 36, 37),
        ("^TABLE", "| a |\n|---|\n| b |", 41, 43),
        ("^code", "```\n# no heading\n```", 47, 49),
        ("^math", "$$\nx\n$$", 53, 55),
        ("^end", "end", 59, 59),
    ],
)
def test_a_part_is_its_text_and_its_lines(fragment, text, first, last):
    part = part_of(Note("T.md", TEXT), fragment)
    assert (part.text, part.first, part.last) == (text, first, last)


def test_all_of_a_note_is_its_body():
    assert part_of(Note("T.md", "---\na: 1\n---\n\ntext\n"), "").text == "text"
    assert part_of(Note("T.md", ""), "").text == ""


@pytest.mark.parametrize("fragment", ["None", "^none", "A#None", "^"])
def test_what_is_not_there_is_nothing(fragment):
    assert part_of(Note("T.md", TEXT), fragment) is None


def test_comments_are_in_no_part():
    assert "hidden" not in part_of(Note("T.md", "%%\n# A\nhidden\n%%\n# A\n\nb %%hidden%%"), "A").text


@given(
    st.lists(st.sampled_from(["# a", "- x ^i", "> q ^j", "", "^k", "text ^l", "```", "| a |", "    in", "$$"])).map(
        "\n".join
    )
)
def test_every_block_and_heading_has_its_part(text):
    note = Note("N.md", text)
    for fragment in [*(f"^{name}" for name in note.blocks), *(heading.text for heading in note.headings)]:
        part = part_of(note, fragment)
        assert part is None or part.first <= part.last <= text.count("\n") + 1


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("#one two #nested/three\n\n#four-5_x #é", ["one", "nested/three", "four-5_x", "é"]),
        ("#123 #1/2 #1a a#b (#c) ##d #", ["1a"]),
        ("`#code` $#math$ %%#comment%% https://x.org/ #yes\n\n```\n#fenced\n```", ["yes"]),
        ("[[Note #not]] [t](x.md#not) [[#not]] [#not](x.md)", []),
        ("# Heading #in\n- #item\n> #quote, and #end.", ["in", "item", "quote", "end"]),
        ("---\ntags: [A, '#b', 12]\n---\n#a #c", ["A", "b", "c"]),
        ("---\ntags: a, b c\n---\n", ["a", "b", "c"]),
        ("---\ntags:\n---\n#x #X", ["x"]),
    ],
)
def test_tags_are_the_front_matters_and_those_of_the_text(text, tags):
    assert Note("N.md", text).tags == tags


@pytest.mark.parametrize(
    ("app", "strict"), [(None, False), ("{", False), ("[]", False), ('{"strictLineBreaks": true}', True)]
)
def test_the_vaults_settings_say_whether_a_newline_shows(tmp_path, app, strict):
    if app is not None:
        (tmp_path / ".obsidian").mkdir()
        (tmp_path / ".obsidian/app.json").write_text(app)
    assert Index.read(tmp_path).strict_line_breaks is strict
