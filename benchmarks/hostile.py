"""Time that hostile text takes: twice the text may take twice the time, whatever it repeats.

    python benchmarks/hostile.py            # prints a table and writes benchmarks/hostile.json

Each text is one mark over and over, at 8,000, 16,000 and 32,000 characters, rendered as a whole page, read as a base or
a canvas, or masked and scanned for links. What is written down are ratios of the best of a few runs, in turns: about 2
is linear, 4 would be quadratic. Exit code 1 says that one is above 3.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from markdown import Markdown

from paperimpl.markdown import Context, VaultExtension
from paperimpl.markdown.extension import settings
from paperimpl.vault import canvas
from paperimpl.vault.bases import reading
from paperimpl.vault.index import Index, Note

SIZES = (8_000, 16_000, 32_000)
LIMIT = 3.0
SHORT = 0.002  # seconds; below, a ratio says nothing
REPEATED = {
    "opened links": "[[",
    "opened embeds": "![[",
    "opened parentheses": "((",
    "opened Markdown links": "[a](",
    "references": "[a][",
    "highlights": "==",
    "comments": "%%",
    "comments of HTML": "<!--",
    "dollars": "$",
    "double dollars": "$$ ",
    "carets": "^",
    "block ids": "\n^a\n",
    "hashes": "#",
    "tags": " #a",
    "quotes in quotes": "> ",
    "quotes without end": "\n> a",
    "callouts": "\n> [!note]- a",
    "fences": "\n```\n",
    "fences that stay open": "\n```a\n~~~b\n",
    "angle brackets": "<",
    "tags of HTML": "<a ",
    "blocks of HTML": "\n<div>\n",
    "pipes": "|",
    "rows of tables": "\n| a | b |",
    "tables": "\n\n|a|\n|-|\n",
    "footnotes": "[^a]",
    "footnotes' texts": "\n[^a]: ",
    "footnotes inline": "^[",
    "lists in lists": "- ",
    "deeper lists": None,  # below
    "tasks": "\n- [ ] a",
    "backticks": "`",
    "backticks of any length": "``` `` `",
    "stars": "*a ",
    "emphasis": "**a *b ",
    "underscores": "_a",
    "tildes": "~~a",
    "backslashes": "\\",
    "addresses": "https://a ",
    "entities": "&a",
    "cards": "a?::b\n",
    "numbers of results": "{{ a.b",
}


def indented(size: int) -> str:
    """Make a list in which each item is deeper than the last, as often as fits."""
    lines, length, depth = [], 0, 0
    while length < size:
        lines.append("  " * (depth % 60) + "- a")
        length, depth = length + len(lines[-1]) + 1, depth + 1
    return "\n".join(lines)


def page(text: str) -> None:
    """Render a note, as the site would."""
    context = Context(Index({"a.md": Note("a.md", text)}), source="a.md")
    Markdown(extensions=[*settings(), VaultExtension(context)], extension_configs=settings()).convert(text)


def links(text: str) -> None:
    """Find a note's links, headings, blocks and tags."""
    note = Note("a.md", text)
    assert (note.links, note.headings, note.blocks, note.tags) is not None


def base(text: str) -> None:
    """Read a base."""
    reading.read(text, "a.base")


def cases() -> dict[str, tuple[Callable[[str], None], Callable[[int], str]]]:
    """Name what is measured: what is done, and the text of a size."""
    found: dict[str, tuple[Callable[[str], None], Callable[[int], str]]] = {}
    for name, mark in REPEATED.items():

        def text(size: int, mark: str | None = mark) -> str:
            return indented(size) if mark is None else (mark * size)[:size]

        found[f"page: {name}"] = (page, text)
        found[f"scan: {name}"] = (links, text)
    found["base: filters in filters"] = (base, lambda size: "filters: " + "{not: [" * (size // 8))
    found["base: parentheses"] = (base, lambda size: f"filters: '{'(' * size}'")
    found["base: a long sum"] = (base, lambda size: f"formulas: {{a: '{'+'.join(['1'] * (size // 2))}'}}")
    found["base: formulas"] = (
        base,
        lambda size: "formulas:\n" + "".join(f"  f{n}: a + 1\n" for n in range(size // 14)),
    )
    found["canvas: lists in lists"] = (lambda text: _canvas(text), lambda size: '{"nodes": ' + "[" * size)
    found["canvas: cards"] = (
        lambda text: _canvas(text),
        lambda size: json.dumps({"nodes": [_card(n) for n in range(size // 80)]}),
    )
    return found


def _card(number: int) -> dict[str, object]:
    return {"id": f"{number}", "type": "text", "text": "a", "x": 0, "y": number, "width": 9, "height": 9}


def _canvas(text: str) -> None:
    canvas.read(text, "a.canvas")


def seconds(do: Callable[[str], None], text: str) -> float:
    """Time one call, of the processor's own time, so that a busy machine counts for nothing."""
    calls, start = 0, time.process_time()
    while (spent := time.process_time() - start) < 0.02:
        do(text)
        calls += 1
    return spent / calls


def measure(runs: int, only: str) -> dict[str, list[float]]:
    """Time every case at every size, in seconds: the best of the runs."""
    found: dict[str, list[float]] = {}
    for name, (do, text) in cases().items():
        if only in name:
            texts = [text(size) for size in SIZES]
            turns = [[seconds(do, one) for one in texts] for _ in range(runs)]
            found[name] = [min(times) for times in zip(*turns, strict=True)]
    return found


def main() -> int:
    """Measure, print, write; 1 where something is not linear."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="a part of the names of the cases to measure; nothing is written")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    table = {
        name: {"seconds of 16,000": round(best[1], 4), "ratios": [round(b / a, 2) for a, b in itertools.pairwise(best)]}
        for name, best in measure(options.runs, options.only).items()
    }
    for name, row in table.items():
        print(f"{name:34} {row['seconds of 16,000']:8.4f} s  {row['ratios']}")
    if not options.only:
        options.out.write_text(json.dumps({"sizes": SIZES, "cases": table}, indent=1) + "\n", encoding="utf-8")
    steep = [name for name, row in table.items() if max(row["ratios"]) > LIMIT and row["seconds of 16,000"] > SHORT]
    print(f"above {LIMIT}: {', '.join(steep) or 'none'}")
    return 1 if steep else 0


if __name__ == "__main__":
    sys.exit(main())
