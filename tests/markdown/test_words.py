"""A grammar of Obsidian's Markdown, at random: every word that a note shows stands on its page as often as in the note.

Words are `w0w`, `w1w` … where a reader sees them, and `x0x`, `x1x` … in comments, links' targets and the like.
"""

import re
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

NOTES = {"Note.md": "# Part\n\nembedded ^b\n", "Secret.md": "---\npublish: false\n---\nnobody\n"}
MARKS = ["**", "*", "==", "~~", "_", "__", "***"]
PLAIN = ["{w}", "{w}'s", "a{w}", "({w})", "{w}: {w}", r"\*{w}\*", "5 < {w}", "{w} & {w}", "{w}—{w}", "é {w} 日本"]
SPECIAL = [
    "`{w}`",
    "`` `{w} ``",
    "`[[{w}]]`",
    "${w}$",
    "$$ {w} $$",
    "[[{w}]]",
    "[[{x}|{w}]]",
    "[[Note|{w}]]",
    "[[Note#Part|{w}]]",
    "[[#^{x}|{w}]]",
    "[[Secret|{w}]]",
    "[{w}](https://example.org/{x})",
    "[{w}](<Note.md> '{x}')",
    "[{w}](Note {w}.md)",
    "[[{w}](Note.md)",
    "<https://example.org/{w}>",
    "https://example.org/{w}",
    "![{x}](dot.png)",
    "![[dot.png|{x}|20]]",
    "%%{x}%%",
    "<!-- {x} -->",
    "<b>{w}</b>",
    "<kbd title='{x}'>{w}</kbd>",
    "#{w}",
    "#tag/{w}",
    "^[{w}]",
    "{w} ^",
    "[ ] {w}",
    "{w}\\",
    "{w}  ",
    "![[Note]]",
    "![[Note#^b]]",
    "![[Secret]]",
]
CALLOUTS = ["[!note]", "[!tip]-", "[!faq]+", "[!own type]", "[!NOTE|side]"]


class Writer:
    """Draws a note, and counts the words that it shows."""

    def __init__(self, draw):
        self.draw, self.count, self.notes = draw, 0, []

    def one_of(self, *choices):
        return self.draw(st.sampled_from(choices))

    def fill(self, template):
        """Put words where the template wants them."""

        def word(match):
            self.count += 1
            letter = match[1]
            return f"{letter}{self.count}{letter}"

        return re.sub(r"\{([wx])\}", word, template)

    def inline(self, depth=0, marks=MARKS):
        """A line of text; what is marked holds other marks only, for four tildes are a fence."""
        parts = []
        for _ in range(self.draw(st.integers(1, 3))):
            how = self.draw(st.integers(0, 5))
            if how == 0 and marks and depth < 3:
                mark = self.one_of(*marks)
                others = [other for other in marks if other[0] != mark[0]]
                parts.append(f"{mark}{self.inline(depth + 1, others)}{mark}")
            elif how == 1 and not depth:
                name = f"n{len(self.notes)}"
                self.notes.append(f"[^{name}]: {self.fill('{w}')}")
                parts.append(self.fill("{w}") + f"[^{name}]")
            else:
                parts.append(self.fill(self.one_of(*(PLAIN if how < 4 else SPECIAL))))
        return " ".join(parts)

    def block(self, depth=0):
        """One block, maybe with others in it."""
        how = self.draw(st.integers(0, 13 if depth < 3 else 7))
        match how:
            case 0 | 1:
                lines = [self.inline() for _ in range(self.draw(st.integers(1, 3)))]
                return "\n".join(lines) + self.one_of("", "", " ^id-1", "\n^id-2")
            case 2:
                return f"{'#' * self.draw(st.integers(1, 6))} {self.inline()}{self.one_of('', ' ##')}"
            case 3:
                fence = self.one_of("```", "~~~", "````")
                text = self.fill(self.one_of("{w}", "[[{w}]]\n\n  {w} %%{w}%%", "# {w}\n<b>{w}</b>", "${w}$ > {w}"))
                return f"{fence}{self.one_of('', 'python', 'text')}\n{text}\n{fence}"
            case 4:
                return self.fill(self.one_of("$$\n{w}\n$$", "$${w}$$", "$$\n{w}\n\\\\ {w}\n$$"))
            case 5:
                return self.fill(self.one_of("%%\n{x}\n\n{x}\n%%", "<!--\n{x}\n-->", "%%{x}%%", "---"))
            case 6:
                width = self.draw(st.integers(1, 3))
                rows = [" | ".join(self.inline().replace("|", r"\|") for _ in range(width)) for _ in range(2)]
                lines = [f"| {row} |" for row in (rows[0], " | ".join(["---"] * width), rows[1])]
                return "\n".join(lines) + "\n"  # a table ends with a blank line
            case 7:
                html = ("<div>{w}</div>", "<p>\n{w}\n</p>", "<details><summary>{w}</summary>{w}</details>")
                return self.fill(self.one_of(*html)) + "\n"  # HTML ends with a blank line
            case 8 | 9:
                inside = self.blocks(depth + 1, 2)
                mark = self.one_of("> ", "> ", ">" if not re.search(r"^ ", inside, re.M) else "> ")
                return "\n".join(mark + line for line in inside.split("\n"))
            case 10:
                title = self.one_of("", f" {self.inline()}")
                inside = self.one_of("", self.blocks(depth + 1, 2))
                lines = [f"{self.one_of(*CALLOUTS)}{title}", *(inside.split("\n") if inside else [])]
                return "\n".join(f"> {line}" for line in lines)
            case _:
                mark = self.one_of("- ", "* ", "1. ", "1) ", "- [ ] ", "- [x] ", "- [/] ")
                indent = " " * (len(mark) if mark[0].isdigit() else 2)
                items = []
                for _ in range(self.draw(st.integers(1, 3))):
                    inside = self.blocks(depth + 1, 2)
                    if "[" in mark or inside.startswith(("%%", "<!--")):  # a box is followed by text
                        inside = f"{self.fill('{w}')}\n\n{inside}"
                    first, *rest = inside.split("\n")
                    items.append("\n".join([mark + first, *((indent + line) if line else "" for line in rest)]))
                return "\n".join(items)

    def blocks(self, depth=0, most=4):
        """Blocks, with blank lines between them or without."""
        out = self.block(depth)
        for _ in range(self.draw(st.integers(0, most - 1))):
            out += self.one_of("\n\n", "\n\n", "\n") + self.block(depth)
        return out


@st.composite
def notes(draw):
    writer = Writer(draw)
    return "\n\n".join(["w0w", writer.blocks(), *writer.notes])  # a rule at the top would open properties


@settings(deadline=None, max_examples=400, derandomize=True)
@given(notes(), st.booleans())
def test_every_word_of_a_note_is_on_its_page_as_often_as_in_the_note(render, note, safe):
    page = render(note, NOTES, files=["dot.png"], safe=safe)
    shown = Counter(re.findall(r"w\d+w", page.text))
    assert shown == Counter(re.findall(r"w\d+w", note))
    assert not re.findall(r"x\d+x|nobody", page.text)
