"""Make a synthetic vault: the same notes for the same size, everywhere.

    python benchmarks/generate.py 1000 FOLDER            # as Obsidian has it
    python benchmarks/generate.py 1000 FOLDER --plain    # the same notes, wiki-links and embeds turned into plain text

A note has about 600 words, eight links, formulas, code, a callout and a table; every tenth embeds a section of another.
"""

from __future__ import annotations

import argparse
import random
import re
from pathlib import Path

__all__ = ["note", "paths", "plain", "write"]

SEED = 1997
FOLDERS = 10

_SYLLABLES = ("ba", "cor", "del", "fa", "gra", "hin", "jor", "kel", "lum", "mar", "nor", "pas", "qui", "ren", "sol")
_VOCABULARY = (
    "the a of and in to is that for it as with was on are by be this which or from at an but not can have one has "
    "gradient network layer weight loss step model data batch sequence state gate memory token attention head vector "
    "matrix rate noise sample prior kernel signal error bound proof limit result seed paper method idea problem case "
    "grows falls holds fails learns forgets repeats explains follows needs gives takes shows hides moves rests turns"
)
_WORDS = _VOCABULARY.split()
_CODE = """```python
def step_{n}(state, gate):
    \"\"\"Carry the state over one step.\"\"\"
    kept = gate * state  # shape (B, {n})
    rows = [[{n}, {m}], [{m}, {n}]]  # not a link: [[{n}]]
    return kept + {m} * len(rows)
```"""


def paths(size: int) -> list[str]:
    """Name the notes of a vault of this size; names are unique, folders even."""
    draw = random.Random(f"{SEED} names")
    found = []
    for number in range(size):
        words = "".join(draw.choice(_SYLLABLES) for _ in range(3)), "".join(draw.choice(_SYLLABLES) for _ in range(2))
        found.append(f"{number % FOLDERS:02d} folder/{' '.join(words)} {number:04d}.md")
    return found


def note(number: int, names: list[str]) -> str:
    """Write the note of this number; `names` are all notes' names, to link to."""
    draw = random.Random(f"{SEED} note {number}")

    def prose(words: int) -> str:
        sentences, left = [], words
        while left > 0:
            length = min(left, draw.randint(8, 16))
            sentence = " ".join(draw.choice(_WORDS) for _ in range(length))
            sentences.append(sentence.capitalize() + ".")
            left -= length
        return " ".join(sentences)

    def other() -> str:
        return names[draw.randrange(len(names))]

    def formula() -> str:
        a, b, c = (draw.randrange(2, 99) for _ in range(3))
        return rf"\alpha_{{{a}}} = \frac{{\partial L_{{{b}}}}}{{\partial w}} + {c}\,\beta^{{{number}}}"

    embed = f"\n![[{other()}#Result]]\n" if number % 10 == 0 else f"\nSee also [[{other()}]].\n"
    return f"""---
title: {names[number]}
tags: [{draw.choice(_WORDS)}, synthetic]
---

{prose(90)} It follows [[{other()}]] and [[{other()}|an earlier note]].

## Problem

{prose(110)} With ${formula()}$ and ${formula()}$ as in [[{other()}#Method]].

> [!note] {prose(4)}
> {prose(40)} Compare [[{other()}]].

## Method

{prose(110)}

$$
{formula()} - \\sum_{{t=1}}^{{{number % 50 + 2}}} h_t
$$

{_CODE.format(n=number % 90 + 2, m=draw.randrange(2, 90))}

- {prose(12)}
- {prose(12)} In [[{other()}]] as well.
- {prose(12)}

## Result

{prose(60)} The value is ${formula()}$.

| what | mean | from |
|---|---:|---|
| {prose(3)} | {draw.random():.3f} | [[{other()}\\|there]] |
| {prose(3)} | {draw.random():.3f} | {prose(3)} |
| {prose(3)} | {draw.random():.3f} | {prose(3)} |

### Discussion

{prose(100)}
{embed}
"""


def plain(text: str) -> str:
    """Turn wiki-links and embeds outside code into the text that they show."""
    parts = re.split(r"(?ms)(^```.*?^```$)", text)
    shown = re.compile(r"!?\[\[([^\[\]|\\\n]+)(?:\\?\|([^\[\]\n]+))?\]\]")
    return "".join(
        part if part.startswith("```") else shown.sub(lambda m: m[2] or m[1].replace("#", " > "), part)
        for part in parts
    )


def write(folder: Path, size: int, *, as_plain: bool = False) -> None:
    """Write the vault, with a page to start from that links to every folder's first note."""
    where = paths(size)
    names = [Path(path).stem for path in where]
    for number, path in enumerate(where):
        text = note(number, names)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(plain(text) if as_plain else text, encoding="utf-8", newline="\n")
    links = "\n".join(f"- [[{name}]]" for name in names[:FOLDERS])
    start = f"# A vault of {size} notes\n\n{links}\n"
    (folder / "index.md").write_text(plain(start) if as_plain else start, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make a synthetic vault.")
    parser.add_argument("size", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--plain", action="store_true", help="wiki-links and embeds as plain text")
    given = parser.parse_args()
    write(given.folder, given.size, as_plain=given.plain)
