import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperimpl.vault import scan


def targets(text):
    return [link.target for link in scan.links(scan.mask(text))]


@pytest.mark.parametrize(
    ("inside", "parts"),
    [
        ("Note", ("Note", "", None)),
        (" Note | label ", ("Note", "", "label")),
        ("Note\\|label", ("Note", "", "label")),
        ("Note#Heading", ("Note", "Heading", None)),
        ("Note#A#B|x", ("Note", "A#B", "x")),
        ("#Here", ("", "Here", None)),
        ("Note#^id", ("Note", "^id", None)),
        ("a|b|c", ("a", "", "b|c")),
    ],
)
def test_a_target_is_split_at_the_bar_then_at_the_hash(inside, parts):
    assert scan.split_target(inside) == parts


@pytest.mark.parametrize(
    "text",
    [
        "`[[a]]`",
        "``x ` [[a]]``",
        "```\n[[a]]\n```",
        "~~~ python\n[[a]]\n```\n[[a]]\n~~~",
        "> ```\n> [[a]]\n> ```",
        "- item\n\n  ```\n  [[a]]\n  ```",
        "text\n\n    [[a]]\n\n    m[[0, 1]]",
        "$x_{[[a]]}$",
        "$$\nx [[a]]\n$$",
        "%%[[a]]%%",
        "%%\n\n[[a]]\n\n%%",
        "<!-- [[a]] -->",
        "<!--\n\n[[a]]\n-->",
        r"\[[a]]",
        "```\nnever closed\n[[a]]",
        "%% never closed [[a]]",
    ],
)
def test_code_math_and_comments_hold_no_links(text):
    assert targets(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[[a]] and [[b|c]]", ["a", "b"]),
        ("| [[a\\|b]] | [[c]] |", ["a", "c"]),
        ("costs $5 and [[a]] costs $10", ["a"]),
        ("a ` and [[a]] without its twin", ["a"]),
        ("one ` tick\n\n[[a]] in the next paragraph `", ["a"]),
        ("- item\n\n    [[a]] in a list is no code", ["a"]),
        ("> quote [[a]]", ["a"]),
        ("# Heading [[a]]", ["a"]),
        ("[text](a.md) ![x](b.png) [y](<c d.md>) [z](e%20f.md#g)", ["a.md", "b.png", "c d.md", "e f.md"]),
        ('[t](a.md "title")', ["a.md"]),
        ("[t](https://example.org) [u](mailto:x@y.z) [v](//host/a)", []),
        ("[[A|a [b] c]]", ["A"]),
        (r"\\[[a]]", ["a"]),
        ("$$ never closed [[a]]", ["a"]),
        ("```\ncode\n```\n[[a]]", ["a"]),
        ("[[]] [[ ]] [[|x]]", []),
    ],
)
def test_links_are_found_where_obsidian_finds_them(text, found):
    assert targets(text) == found


def test_headings_need_a_space_and_keep_their_code_and_math():
    text = "# One `x`\n#tag\n## Two $y$ ##\n```\n# not one\n```\n####### seven\n#\n"
    assert [(h.level, h.text) for h in scan.headings(scan.mask(text), text)] == [
        (1, "One `x`"),
        (2, "Two $y$"),
        (1, ""),
    ]


def test_block_ids_stand_at_the_end_of_a_line():
    text = "A paragraph. ^one\n\n- item ^Two-2\n\n> quote\n\n^three\n\nx^4 is a power\n\n`code ^five`"
    assert list(scan.block_ids(scan.mask(text))) == ["one", "two-2", "three"]


def test_comments_go_and_lines_stay():
    text = "a %%b%% c\n%%\nd\n%%\n`%%e%%`\n```\n%%f%%\n```"
    assert scan.without_comments(text) == "a  c\n\n\n\n`%%e%%`\n```\n%%f%%\n```"


SYNTAX = st.text(st.sampled_from("[]()|#^!`~$%<>-\\ \n\ta1*_=:\"'"), max_size=200)


@given(SYNTAX)
def test_a_mask_keeps_every_line_and_offset(text):
    masked = scan.mask(text)
    assert len(masked) == len(text)
    assert all(a in (b, " ") for a, b in zip(masked, text, strict=True))
    assert [i for i, c in enumerate(text) if c == "\n"] == [i for i, c in enumerate(masked) if c == "\n"]


@given(SYNTAX)
def test_scanning_never_raises_and_finds_links_where_they_stand(text):
    masked = scan.mask(text)
    for link in scan.links(masked):
        assert text[link.start : link.end] == masked[link.start : link.end]
    scan.headings(masked, text)
    scan.without_comments(text)


HOSTILE = ["[[", "![", "[a](", "`", "``` `` `", "$", "$$ $", "%% ", "<!--", "[[a|", "> ", "[", "\\[", "(", "[a][["]


def test_hostile_text_does_not_hang():
    """A quarter of a million characters each. Linear: a second in all; quadratic: the best part of an hour."""
    program = (
        "from paperimpl.vault import scan\n"
        f"for hostile in {HOSTILE!r}:\n"
        "    text = hostile * (250_000 // len(hostile))\n"
        "    masked = scan.mask(text)\n"
        "    list(scan.links(masked)), scan.headings(masked, text), scan.block_ids(masked)\n"
        "    print(len(masked) == len(text))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, timeout=120, capture_output=True, text=True)
    assert done.stdout.split() == ["True"] * len(HOSTILE)
