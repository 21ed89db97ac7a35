"""Pandoc's tree of a note, made ready for print: formulas, code, links and figures put back, the rest our template's.

Blocks and inlines are as pandoc's JSON has them: `{"t": kind, "c": content}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from paperimpl.book.text import Formula
from paperimpl.vault.index import loose_name

__all__ = ["Answer", "Print", "for_pandoc", "string", "words"]

Node = dict[str, Any]
_TAG = re.compile(r"\\(?:tag\*?\{(?P<tag>(?:[^{}]|\{[^{}]*\})*)\}|nonumber\b|notag\b)")
# A bar is a letter to TeX and a relation, with spaces, to Typst; as text it is a letter there, too.
_BAR = re.compile(r"(?<!\\)(?<!left)(?<!right)(?<!middle)(?<![bB]ig)(?<![bB]ig[lrmg])(?<![bB]igg[lrm])\|")
_SCHEME = re.compile(r"(?:https?|mailto):", re.I)
_HIDDEN = ("think", "solution")  # callouts whose folded text is an answer


@dataclass(frozen=True)
class Answer:
    """What was folded: its kind, its number among its kind in the note, its title and its blocks."""

    kind: str
    number: int
    title: list[Node]
    blocks: list[Node]


@dataclass
class Print:
    """One note on its way into print.

    Args:
        path: the note's path.
        title: its title, which a heading in it need not repeat.
        formulas: all formulas, by number.
        image: writes an image's file, given its source; its name there, or the empty text for none.
        cuts: where an image may be cut, as shares of its height; none for most.
        url: the address in the site of a file of the vault, with a fragment; empty for none.
        code_url: the address of code by symbol; empty for none.

    Attributes:
        answers: what was folded, in order.
    """

    path: str
    title: str
    formulas: Sequence[Formula]
    image: Callable[[str], str]
    cuts: Callable[[str], Sequence[float]]
    url: Callable[[str, str], str]
    code_url: Callable[[str], str]
    answers: list[Answer] = field(default_factory=list)
    _notes: dict[str, list[Node]] = field(default_factory=dict)

    def blocks(self, blocks: Iterable[Node]) -> list[Node]:
        """Make the blocks of the whole note ready."""
        blocks = list(blocks)
        for at, block in enumerate(blocks):  # a heading that only says the note's title again
            if block["t"] == "Header":
                level, _, inlines = block["c"]
                if level == 1 and loose_name(words(inlines)) == loose_name(self.title):
                    del blocks[at]
                break
        for block in _all(blocks):
            if block.get("t") == "Div" and "footnote" in block["c"][0][1]:
                self._footnotes(block["c"][1])
        return self._blocks(blocks)

    def _footnotes(self, blocks: list[Node]) -> None:
        """Remember footnotes by their ids, each without the way back to its mark."""
        for listed in _all(blocks):
            if listed.get("t") != "OrderedList":
                continue
            for item in listed["c"][1]:
                name = next((node["c"][0][0] for node in _all(item) if _id(node).find("fn:") >= 0), "")
                if name:
                    self._notes[name] = _without_backrefs(item)

    def _blocks(self, blocks: Iterable[Node]) -> list[Node]:
        out: list[Node] = []
        cards: list[Node] = []
        task = 0  # where in `out` begins what an exercise asks
        for block in blocks:
            if block["t"] == "Div" and "card" in block["c"][0][1]:
                cards.append(block)
                continue
            if cards:
                out += self._cards(cards)
                cards = []
            made = self._block(block)
            if _solves(block):  # its name stands above the task, not above the answer that is elsewhere
                out[task:task] = made
            else:
                out += made
            if block["t"] == "Header" or _solves(block):
                task = len(out)
        return out + (self._cards(cards) if cards else [])

    def _block(self, block: Node) -> list[Node]:
        kind: str = block["t"]
        content: Any = block.get("c")
        if kind == "Header":
            level, (name, _, _), inlines = content
            label = f" #label({string(self._label(name))})" if name else ""
            opening, closing = _raw(f"#heading(depth: {max(2, level)})["), _raw(f"]{label}")
            return [{"t": "Para", "c": [opening, *self._inlines(inlines), closing]}]
        if kind == "Div":
            return self._div(content)
        if kind == "CodeBlock":
            return [self._code(content)]
        if kind in ("Para", "Plain"):
            return self._paragraph(kind, content)
        if kind == "BlockQuote":
            return [{"t": kind, "c": self._blocks(content)}]
        if kind == "BulletList":
            if content and all(_open_task(item) for item in content):
                items = [self._blocks(_without_task(item)) for item in content]
                return [_raw_block("#tasks["), {"t": kind, "c": items}, _raw_block("]")]
            return [{"t": kind, "c": [self._blocks(item) for item in content]}]
        if kind == "OrderedList":
            return [{"t": kind, "c": [content[0], [self._blocks(item) for item in content[1]]]}]
        if kind == "DefinitionList":
            terms = [[self._inlines(term), [self._blocks(each) for each in defined]] for term, defined in content]
            return [{"t": kind, "c": terms}]
        if kind == "Table":
            return [_raw_block("#tabular["), self._table(content), _raw_block("]")]
        if kind == "Figure":
            return self._blocks(content[2])
        if kind == "LineBlock":
            return [{"t": kind, "c": [self._inlines(line) for line in content]}]
        return [block] if kind == "HorizontalRule" else []

    def _div(self, content: list[Any]) -> list[Node]:
        (name, classes, pairs), inside = content
        if "footnote" in classes:
            return []
        if "callout" in classes:
            return self._callout(classes, dict(pairs), inside, name)
        label = [_raw_block(f"#place-label({string(self._label(name))})")] if name else []
        if "highlight" in classes:  # an embedded note's code, which that note's engine has coloured
            code = next((node for node in _all(inside) if node.get("t") == "CodeBlock"), None)
            if code is not None:
                language = next((c.removeprefix("language-") for c in classes if c.startswith("language-")), "")
                code["c"][0] = ["", [language] if language else [], []]
                return [*label, self._code(code["c"])]
        if "embed" in classes or "output" in classes:
            printed = "output" in classes and len(inside) == 1 and inside[0]["t"] == "CodeBlock"
            if printed:
                return [_raw_block(f"#printed({string(inside[0]['c'][1])})")]
            call = "#embedded[" if "embed" in classes else "#output["
            return [*label, _raw_block(call), *self._blocks(inside), _raw_block("]")]
        return [*label, *self._blocks(inside)]

    def _callout(self, classes: list[str], pairs: dict[str, str], inside: list[Node], name: str) -> list[Node]:
        kind = pairs.get("callout", "note")
        title: list[Node] = []
        first = inside[0] if inside else None
        if first and first["t"] == "Div" and {"summary", "admonition-title"} & set(first["c"][0][1]):
            title = [node for block in first["c"][1] if block["t"] in ("Para", "Plain") for node in block["c"]]
            inside = inside[1:]
        label = [_raw_block(f"#place-label({string(self._label(name))})")] if name else []
        if "details" in classes and kind in _HIDDEN:
            number = 1 + sum(answer.kind == kind for answer in self.answers)
            self.answers.append(Answer(kind, number, title, []))
            at = len(self.answers) - 1
            self.answers[at] = Answer(kind, number, self._inlines(title), self._blocks(inside))
            place = string(f"{self.path}#{kind}-{number}")
            shown = self._inlines(title) if kind == "think" else []
            return [
                *label,
                {"t": "Para", "c": [_raw(f"#asked({string(kind)}, {number}, {place})["), *shown, _raw("];")]},
            ]
        heading = [_raw(f"#callout-title({string(kind)})["), *self._inlines(title), _raw("];")]
        box = [{"t": "Para", "c": heading}] if title else []
        return [*label, _raw_block(f"#callout({string(kind)})["), *box, *self._blocks(inside), _raw_block("]")]

    def answer(self, answer: Answer) -> list[Node]:
        """Write an answer as it stands among the answers."""
        place = string(f"{self.path}#{answer.kind}-{answer.number}")
        shown = answer.title if answer.kind == "think" else []
        opening = [_raw(f"#answered({string(answer.kind)}, {answer.number}, {place})["), *shown, _raw("];")]
        return [{"t": "Para", "c": opening}, *answer.blocks]

    def _cards(self, cards: list[Node]) -> list[Node]:
        out = [_raw_block("#cards(")]
        for card in cards:
            sides = card["c"][1]
            question = self._blocks(sides[0]["c"][1] if sides and sides[0]["t"] == "Div" else sides[:1])
            out += [_raw_block("["), *question, _raw_block("], ["), *self._blocks(sides[1:]), _raw_block("],")]
        return [*out, _raw_block(")")]

    def _code(self, content: list[Any]) -> Node:
        (_, classes, pairs), text = content
        language = next((c for c in classes if c not in ("highlight", "sourceCode")), "").removeprefix("language-")
        title = dict(pairs).get("data-title", "")
        # A name longer than a line may be broken at its underscores.
        text = re.sub(r"\S{80,}", lambda long: long[0].replace("_", "_\u200b"), text)
        call = f"#listing({string(text)}, lang: {string(language)}"
        if title:
            call += f", title: {string(title)}, url: {string(self.code_url(title))}"
        return _raw_block(call + ")")

    def _paragraph(self, kind: str, inlines: list[Node]) -> list[Node]:
        solid = [node for node in inlines if node["t"] not in ("Space", "SoftBreak", "LineBreak")]
        while len(solid) == 1 and solid[0]["t"] == "Span" and not self._formula(solid[0]):
            solid = solid[0]["c"][1]
        if len(solid) == 1 and solid[0]["t"] == "Image" and (shown := self._picture(solid[0], block=True)):
            return [_raw_block(shown)]
        return [{"t": kind, "c": self._inlines(inlines)}]

    def _table(self, content: list[Any]) -> Node:
        _, caption, columns, head, bodies, foot = content

        def rows(found: list[Any]) -> list[Any]:
            return [[a, [[*cell[:4], self._blocks(cell[4])] for cell in cells]] for a, cells in found]

        columns = [[align, {"t": "ColWidthDefault"}] for align, _ in columns]
        return {
            "t": "Table",
            "c": [
                ["", [], []],
                [caption[0], self._blocks(caption[1])],
                columns,
                [head[0], rows(head[1])],
                [[a, n, rows(h), rows(b)] for a, n, h, b in bodies],
                [foot[0], rows(foot[1])],
            ],
        }

    # Inlines

    def _inlines(self, inlines: Iterable[Node]) -> list[Node]:
        return [made for node in inlines for made in self._inline(node)]

    def _inline(self, node: Node) -> list[Node]:
        kind: str = node["t"]
        content: Any = node.get("c")
        if kind == "Span":
            return self._span(node)
        if kind == "Link":
            return self._link(content)
        if kind == "Image":
            shown = self._picture(node, block=False)
            return [_raw(f"{shown};")] if shown else self._inlines(content[1])
        if kind == "Superscript" and (note := self._footnote(content)):
            return [{"t": "Note", "c": note}]
        if kind in ("Emph", "Strong", "Strikeout", "Superscript", "Subscript", "SmallCaps", "Underline"):
            return [{"t": kind, "c": self._inlines(content)}]
        if kind in ("Quoted", "Cite"):
            return [{"t": kind, "c": [content[0], self._inlines(content[1])]}]
        if kind == "Code":
            return [_raw(f"#code-span({string(content[1])});")]
        return [] if kind in ("RawInline", "Note") else [node]

    def _formula(self, node: Node) -> Formula | None:
        _, classes, pairs = node["c"][0]
        return self.formulas[int(dict(pairs)["n"])] if "tex" in classes else None

    def _span(self, node: Node) -> list[Node]:
        (name, classes, pairs), inlines = node["c"]
        if formula := self._formula(node):
            tex = for_pandoc(formula.tex)
            if not formula.display:
                return [{"t": "Math", "c": [{"t": "InlineMath"}, tex]}]
            tags = ", ".join(f"({match['tag']})" for match in _TAG.finditer(formula.tex) if match["tag"])
            math = {"t": "Math", "c": [{"t": "DisplayMath"}, tex]}
            return [_raw(f"#equation({string(tags)})["), math, _raw("];")]
        if "task" in classes:
            return [_raw(f"#task({'true' if dict(pairs).get('done') == '1' else 'false'});")]
        label = [_raw(f"#place-label({string(self._label(name))});")] if name else []
        inside = self._inlines(inlines)
        for kind, call in (("mark", "#marked["), ("wanted", "#wanted[")):
            if kind in classes:
                return [*label, _raw(call), *inside, _raw("];")]
        return [*label, *inside]

    def _link(self, content: list[Any]) -> list[Node]:
        (_, classes, _), inlines, (href, _) = content
        inside = self._inlines(inlines)
        if "footnote-backref" in classes or "headerlink" in classes:
            return []
        if href.startswith(("vault:", "#")):
            path, _, fragment = href.removeprefix("vault:").partition("#")
            path = path or self.path
            target, top = self._label(fragment, path) if fragment else path, path
            call = f"#goto({string(target)}, {string(top)}, {string(self.url(path, fragment))})["
            return [_raw(call), *inside, _raw("];")]
        if _SCHEME.match(href):
            return [_raw(f"#outside({string(href)})["), *inside, _raw("];")]
        return inside

    def _label(self, fragment: str, path: str = "") -> str:
        return f"{path or self.path}#{fragment}"

    def _footnote(self, inlines: list[Node]) -> list[Node]:
        for node in inlines:
            if node["t"] == "Link" and "footnote-ref" in node["c"][0][1]:
                return self._blocks(self._notes.get(node["c"][2][0].removeprefix("#"), []))
        return []

    def _picture(self, node: Node, *, block: bool) -> str:
        (_, _, pairs), about, (source, _) = node["c"]
        name = self.image(source)
        if not name:
            return ""
        size = dict(pairs)
        numbers = {key: re.fullmatch(r"([\d.]+)(?:px)?", size.get(key, "")) for key in ("width", "height")}
        given = "".join(f", {key}: {float(found[1]) * 0.75:g}pt" for key, found in numbers.items() if found)
        if not block:
            return f"#small-picture({string(name)}, {string(words(about))}{given})"
        cuts = "".join(f"{cut:.5g}, " for cut in self.cuts(source))
        return f"#picture({string(name)}, {string(words(about))}{given}{f', cuts: ({cuts})' if cuts else ''})"


def _all(node: Any) -> Iterable[Node]:
    """Go through all nodes, outer ones first."""
    waiting = [node]
    while waiting:
        at = waiting.pop()
        if isinstance(at, dict):
            yield at
            at = list(at.values())
        if isinstance(at, list):
            waiting += reversed(at)


def _solves(block: Node) -> bool:
    """Say whether a block is the folded answer of the exercise above it."""
    if block["t"] != "Div":
        return False
    (_, classes, pairs), _ = block["c"]
    return {"callout", "details"} <= set(classes) and dict(pairs).get("callout") == "solution"


def _open_task(item: list[Node]) -> bool:
    """Say whether a list's item begins with an empty box."""
    first = item[0]["c"][:1] if item and item[0]["t"] in ("Para", "Plain") else []
    return (
        bool(first)
        and first[0]["t"] == "Span"
        and "task" in first[0]["c"][0][1]
        and ["done", "0"] in first[0]["c"][0][2]
    )


def _without_task(item: list[Node]) -> list[Node]:
    inlines = item[0]["c"][1:]
    while inlines and inlines[0]["t"] == "Space":
        inlines = inlines[1:]
    return [{"t": item[0]["t"], "c": inlines}, *item[1:]]


def _id(node: Node) -> str:
    content = node.get("c")
    named = node.get("t") in ("Div", "Span") and isinstance(content, list)
    return str(content[0][0]) if named else ""  # type: ignore[index]


def _without_backrefs(item: list[Node]) -> list[Node]:
    def clean(inlines: list[Node]) -> list[Node]:
        kept = [n for n in inlines if not (n["t"] == "Link" and "footnote-backref" in n["c"][0][1])]
        while kept and (kept[-1]["t"] == "Space" or kept[-1].get("c") == "\u00a0"):
            kept.pop()
        return kept

    out = []
    for block in item:
        if block["t"] == "Div":
            out += _without_backrefs(block["c"][1])
        elif block["t"] in ("Para", "Plain"):
            out.append({"t": block["t"], "c": clean(block["c"])})
        else:
            out.append(block)
    return out


def for_pandoc(tex: str) -> str:
    """Give pandoc a formula's TeX: without its number, which stands beside it, and with bars that are letters."""
    tex = _TAG.sub("", tex).strip()
    return tex if "{array}" in tex else _BAR.sub(r"\\text{|}", tex)


def words(inlines: Any) -> str:
    """Take the plain words of inlines."""
    out = []
    for node in _all(inlines):
        if node.get("t") == "Str":
            out.append(node["c"])
        elif node.get("t") in ("Space", "SoftBreak", "LineBreak"):
            out.append(" ")
        elif node.get("t") in ("Code", "Math"):
            out.append(node["c"][1])
    return "".join(out)


def string(text: str) -> str:
    """Write text as a string of Typst's."""
    special = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": ""}
    return '"' + "".join(special.get(letter, letter) for letter in text) + '"'


def _raw(text: str) -> Node:
    return {"t": "RawInline", "c": ["typst", text]}


def _raw_block(text: str) -> Node:
    return {"t": "RawBlock", "c": ["typst", text]}
