"""What no page uses is not sent: rules of style sheets, and glyphs, weights and features of fonts.

It runs over the built site, where all pages and scripts can be asked. A rule goes only where a class, an id, an element
or an attribute's value that it needs is a word of no tag and of no script; names that scripts put together
(`grade-${rating}`) are known by their beginning. A font keeps every character that any page or script has.
"""

from __future__ import annotations

import hashlib
import html
import importlib.util
import io
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

__all__ = ["JOINED", "Cut", "Words", "cut", "sheet", "trim"]

_TAG = re.compile(r"<[a-zA-Z][^>]*>")
_SCRIPT = re.compile(r"<(?:script|style)[^>]*>(.*?)</(?:script|style)>", re.S)
_WORD = re.compile(r"[\w-]+")
_BEGINNING = re.compile(r"(?<![\w-])([A-Za-z_-][\w-]{0,60}[-_])(?:\$\{|[\"'`]\s*\+)")
_FORMULA = '<span class="katex-html"'
_PIECE = re.compile(r'<span(?: class="(?P<classes>[^"]*)")?[^>]*>|(?P<end></span>)|<[^>]*>|(?P<text>[^<]+)')
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|\w+);")
_LINK = re.compile(r'<link rel="stylesheet" href="(?P<href>[^"]*)">')
_URL = re.compile(r"url\(([\"']?)(?!data:|#|/|[a-z]+:)([^\"')]+)")
_VARIABLE = re.compile(r"(?<![\w-])--[\w-]{1,60}")
_ASKED = re.compile(r"var\(\s*(--[\w-]+)")

JOINED = "assets/joined.css"  # the style sheets of all pages, as one

# What a keyboard has, and what typesetting puts in its place: readers type, too.
_ALWAYS = "".join(map(chr, range(32, 127))) + "\u00a0–—‘’“”…·×−→←↑↓•©"
_FEATURES = ("ccmp", "locl", "mark", "mkmk", "rlig")  # those that are no ornament
_MATH = "assets/katex/fonts/KaTeX_"

# Which font KaTeX's style sheet gives to what stands within a class; to all else, Main-Regular.
_FONTS = {
    "amsrm": "AMS-Regular",
    "boldsymbol": "Math-BoldItalic",
    "delim-size1": "Size1-Regular",
    "delim-size4": "Size4-Regular",
    "large-op": "Size2-Regular",
    "mathbb": "AMS-Regular",
    "mathbf": "Main-Bold",
    "mathcal": "Caligraphic-Regular",
    "mathfrak": "Fraktur-Regular",
    "mathit": "Main-Italic",
    "mathnormal": "Math-Italic",
    "mathscr": "Script-Regular",
    "mathsf": "SansSerif-Regular",
    "mathtt": "Typewriter-Regular",
    "size1": "Size1-Regular",
    "size2": "Size2-Regular",
    "size3": "Size3-Regular",
    "size4": "Size4-Regular",
    "small-op": "Size1-Regular",
    "textbb": "AMS-Regular",
    "textbf": "Main-Bold",
    "textfrak": "Fraktur-Regular",
    "textit": "Main-Italic",
    "textscr": "Script-Regular",
    "textsf": "SansSerif-Regular",
    "texttt": "Typewriter-Regular",
}


@dataclass(frozen=True)
class _Rule:
    """A rule: what stands before its block, and its declarations, or the rules in it."""

    head: str
    inside: list[Any] | None
    rules: bool


class Words:
    """What the pages and scripts of a site speak of.

    Args:
        pages: the texts of all pages.
        scripts: the texts of all scripts, and of whatever else scripts read.
        without: beginnings of names that scripts know and this site has no use for; where a page has one, it stays.
    """

    def __init__(self, pages: Iterable[str], scripts: Iterable[str], without: Iterable[str] = ()):
        self._without = tuple(without)
        self.known: set[str] = set()
        self.beginnings: set[str] = set()
        self.variables: set[str] = set()
        self.letters: set[str] = set(_ALWAYS)
        self.formulas: dict[str, set[str]] = {}  # by the name of KaTeX's font
        tags: set[str] = set()
        for page in pages:
            tags.update(_TAG.findall(page))
            self.letters.update(_letters(page))
            self._code(" ".join(_SCRIPT.findall(page)))
            start = page.find(_FORMULA)
            while start >= 0:
                start = page.find(_FORMULA, self._formula(page, start))
        for tag in tags:
            self.known.update(_WORD.findall(tag))
            self.variables.update(_VARIABLE.findall(tag))
        for script in scripts:
            self._code(script)
            self.letters.update(script)

    def _formula(self, page: str, start: int) -> int:
        """Take note of a formula's letters by their fonts; return where it ends."""
        fonts: list[tuple[str, ...]] = [()]
        for piece in _PIECE.finditer(page, start):
            if piece["text"] is not None:
                for font in fonts[-1] or ("Main-Regular",):
                    self.formulas.setdefault(font, set()).update(_letters(piece["text"]))
            elif piece["end"]:
                fonts.pop()
                if len(fonts) == 1:
                    return piece.end()
            elif piece[0].startswith("<span"):
                own = tuple(_FONTS[name] for name in (piece["classes"] or "").split() if name in _FONTS)
                fonts.append(fonts[-1] + own)
        return len(page)

    def _code(self, text: str) -> None:
        self.known.update(word for word in _WORD.findall(text) if not word.startswith(self._without))
        self.beginnings.update(name for name in _BEGINNING.findall(text) if not name.startswith(self._without))
        self.variables.update(_VARIABLE.findall(text))

    def has(self, name: str) -> bool:
        """Say whether a name is spoken of, or may be put together by a script."""
        return name in self.known or name.startswith(self._beginnings)

    @cached_property
    def _beginnings(self) -> tuple[str, ...]:
        return tuple(name for name in self.beginnings if len(name) > 3)


def _letters(text: str) -> set[str]:
    return {*text, *html.unescape("".join(set(_ENTITY.findall(text))))}


def sheet(text: str, words: Words) -> str:
    """Write a style sheet without the rules that nothing on any page can match, and without white space."""
    return _text(_rules(_parsed(text), words))


def _text(rules: Iterable[_Rule], asked: Set[str] | None = None) -> str:
    """Write rules; where it is said which variables are asked for, without the others."""
    out = []
    for rule in rules:
        if rule.inside is None:
            out.append(f"{rule.head};")
            continue
        if rule.rules:
            body = _text(rule.inside, asked)
        else:
            held = (name for name in rule.inside if asked is None or name[:2] != "--" or name.split(":")[0] in asked)
            body = ";".join(held)
        if body:
            out.append(f"{rule.head}{{{body}}}")
    return "".join(out)


def _parsed(content: Any) -> list[Any]:
    import tinycss2

    parse = tinycss2.parse_stylesheet if isinstance(content, str) else tinycss2.parse_rule_list
    return list(parse(content, skip_comments=True, skip_whitespace=True))


def _rules(rules: Iterable[Any], words: Words) -> list[_Rule]:
    out = []
    for rule in rules:
        if rule.type == "qualified-rule":
            chosen = [_short(part) for part in _parts(rule.prelude) if _may_match(part, words)]
            if chosen:
                out.append(_Rule(",".join(chosen), _body(rule.content), False))
        if rule.type != "at-rule":  # what is no rule browsers leave out, too
            continue
        head = f"@{rule.at_keyword} {_short(rule.prelude)}".strip()
        if rule.content is None:
            out.append(_Rule(head, None, False))
        elif rule.lower_at_keyword in ("media", "supports", "layer", "container"):
            out.append(_Rule(head, _rules(_parsed(rule.content), words), True))
        elif rule.lower_at_keyword.endswith("keyframes"):
            frames = [frame for frame in _parsed(rule.content) if frame.type == "qualified-rule"]
            inside = [_Rule(_short(frame.prelude), _body(frame.content), False) for frame in frames]
            out.append(_Rule(head, inside, True))
        else:
            out.append(_Rule(head, _body(rule.content), False))
    return out


def _parts(tokens: Iterable[Any]) -> list[list[Any]]:
    """Take a list of selectors apart at its commas."""
    found: list[list[Any]] = [[]]
    for token in tokens:
        if token.type == "literal" and token.value == ",":
            found.append([])
        elif token.type != "comment":
            found[-1].append(token)
    return found


def _may_match(selector: list[Any], words: Words) -> bool:
    before = ""
    for token in selector:
        if token.type == "error":
            return False
        if token.type == "ident" and before != ":" and not words.has(token.value):
            return False
        if token.type == "hash" and not words.has(token.value):
            return False
        if token.type == "[] block":
            inside = [part for part in token.content if part.type not in ("whitespace", "comment")]
            exact = len(inside) == 3 and inside[1].type == "literal" and inside[1].value == "="
            if inside and inside[0].type == "ident" and not words.has(inside[0].value):
                return False
            if exact and not all(map(words.has, _WORD.findall(inside[2].value))):
                return False
        either = token.type == "function" and token.lower_name in ("is", "where")
        if either and not any(_may_match(part, words) for part in _parts(token.arguments)):
            return False
        before = token.value if token.type == "literal" else ""
    return True


def _short(tokens: Iterable[Any]) -> str:
    """Write a selector, or what stands before a block, with no more white space than it needs."""
    import tinycss2

    text = tinycss2.serialize([token for token in tokens if token.type != "comment"])
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r" ?([>~,]) ?", r"\1", text) if "(" not in text and '"' not in text else text


def _body(content: Iterable[Any]) -> list[str]:
    """Write the declarations of a rule, in their order; rules nested in it are kept as they are."""
    import tinycss2

    out = []
    for part in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if part.type == "declaration":
            value = tinycss2.serialize([token for token in part.value if token.type != "comment"]).strip()
            value = value if '"' in value or "'" in value or "url(" in value else re.sub(r"\s+", " ", value)
            value = re.sub(r", (?=[^\"']*$)", ",", value) if '"' not in value and "'" not in value else value
            out.append(f"{part.name}:{value}{'!important' if part.important else ''}")
        elif part.type in ("qualified-rule", "at-rule"):
            out.append(tinycss2.serialize([part]))
    return out


@dataclass(frozen=True)
class Cut:
    """How a font is cut, as `mkdocs.yml` says it: `wght 400-600; kern@400 liga onum`, both parts optional.

    Attributes:
        axes: of each axis the ends of what is kept; one number where both are the same.
        features: which of OpenType's are kept beside those that no text is right without.
        kern: the weight whose kerning all weights get; None keeps what the font has. Kerning by weight is a third of
            Newsreader, and of 3,545 pairs 95 in 100 differ by less than a hundredth of an em between 400 and 600.
    """

    axes: tuple[tuple[str, float, float], ...] = ()
    features: tuple[str, ...] = ()
    kern: float | None = None

    @classmethod
    def read(cls, text: str, where: str) -> Cut:
        """Read how a font is to be cut.

        Raises:
            ValueError: it is written otherwise; the message says where.
        """
        axes, _, features = text.partition(";")
        found = []
        for said in filter(None, (part.strip() for part in axes.split(","))):
            match = re.fullmatch(r"(?P<axis>[A-Za-z]{4}) (?P<low>\d+(?:\.\d+)?)(?:-(?P<high>\d+(?:\.\d+)?))?", said)
            if match is None or float(match["high"] or match["low"]) < float(match["low"]):
                raise ValueError(f"{where}: {said!r} is no axis with its ends; write: wght 400-600; kern liga")
            found.append((match["axis"], float(match["low"]), float(match["high"] or match["low"])))
        wrong = [name for name in features.split() if not re.fullmatch(r"[a-z0-9]{4}|kern@\d+(?:\.\d+)?", name)]
        if wrong:
            raise ValueError(f"{where}: {wrong[0]!r} is no feature of OpenType; write: wght 400-600; kern liga")
        kern = next((float(name[5:]) for name in features.split() if "@" in name), None)
        return cls(tuple(found), tuple(name.partition("@")[0] for name in features.split()), kern)


def cut(data: bytes, letters: Iterable[str], how: Cut) -> bytes:
    """Cut a font to letters, axes and features; WOFF2 in and out, the same bytes for the same font and letters."""
    font = _chosen(data, letters, how)
    if how.kern is not None and "fvar" in font:
        others = tuple(axis for axis in how.axes if axis[0] != "wght")
        of_one_weight = _chosen(data, letters, replace(how, axes=(("wght", how.kern, how.kern), *others)))
        for table in {"GPOS", "GDEF"} & {*of_one_weight.keys()}:
            font[table] = of_one_weight[table]
    font.flavor = "woff2"
    return _saved(font).getvalue()


def _chosen(data: bytes, letters: Iterable[str], how: Cut) -> Any:
    """Open a font, with no more than is wanted of it."""
    from fontTools import subset
    from fontTools.ttLib import TTFont
    from fontTools.varLib import instancer

    font = TTFont(io.BytesIO(data), recalcTimestamp=False)
    options = subset.Options()
    options.layout_features = [*_FEATURES, *how.features]
    options.hinting, options.desubroutinize, options.notdef_outline = False, True, True
    options.name_IDs = [0, 13, 14]  # copyright and licence stay
    chosen = subset.Subsetter(options)
    chosen.populate(text="".join(sorted(letters)))
    chosen.subset(font)
    font.flavor = None
    if "fvar" in font and how.axes:  # a font that is small already takes a tenth of the time
        font = TTFont(_saved(font), recalcTimestamp=False)
        there = {axis.axisTag for axis in font["fvar"].axes}
        limits = {axis: low if low == high else (low, high) for axis, low, high in how.axes if axis in there}
        font = instancer.instantiateVariableFont(font, limits, inplace=True)
    return font


def _saved(font: Any) -> io.BytesIO:
    out = io.BytesIO()
    font.save(out)
    return io.BytesIO(out.getvalue())


def trim(site: Path, cache: Path, how: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Cut the style sheets and fonts of a built site.

    Args:
        site: its folder.
        cache: where cut fonts are remembered.
        how: how fonts of the site's own are cut, by their address in the site; and `without`, what the theme's scripts
            know and the site has no use for: beginnings of classes, as one text.
        say: told what could not be done, and why.

    Raises:
        ValueError: how a font is to be cut cannot be read.
    """
    cuts = {
        address: Cut.read(text, f"mkdocs.yml: lean: {address}") for address, text in how.items() if address != "without"
    }
    pages = [file.read_text(encoding="utf-8") for file in sorted(site.rglob("*.html"))]
    scripts = [
        file.read_text(encoding="utf-8", errors="replace")
        for kind in ("js", "mjs", "svg")
        for file in sorted(site.rglob(f"*.{kind}"))
        if "/lunr/" not in file.as_posix()
    ]
    words = Words(pages, scripts, how.get("without", "").split())
    if importlib.util.find_spec("tinycss2"):
        _trim_sheets(site, words)
    else:
        say("style sheets are served whole; `pip install tinycss2` to have them cut to what pages use")
    _join(site)
    if importlib.util.find_spec("fontTools") and importlib.util.find_spec("brotli"):
        _trim_fonts(site, cache, words, cuts)
    else:
        say("fonts are served whole; `pip install 'fonttools[woff]'` to have them cut to what pages use")


def _trim_sheets(site: Path, words: Words) -> None:
    sheets = {file: _rules(_parsed(file.read_text(encoding="utf-8")), words) for file in sorted(site.rglob("*.css"))}
    asked: set[str] = set()
    while True:  # a variable may ask for another
        now = "".join(_text(rules, asked or None) for rules in sheets.values())
        still = {*_ASKED.findall(now)} | words.variables
        if still == asked:
            break
        asked = still
    for file, rules in sheets.items():
        file.write_text(_text(rules, asked), encoding="utf-8", newline="\n")


def _join(site: Path) -> None:
    """Have pages ask for one style sheet in place of those that all of them share, in their order."""
    asked = {}
    for file in sorted(site.rglob("*.html")):
        text = file.read_text(encoding="utf-8")
        links = [(link[0], _below(site, file, html.unescape(link["href"]))) for link in _LINK.finditer(text)]
        if links and all(to for _, to in links):  # a page for no address in particular has whole addresses
            asked[file] = (text, links)
    lists = [[to for _, to in links] for _, links in asked.values()]
    shared = [to for to in lists[0] if all(to in others for others in lists)] if lists else []
    if len(shared) < 2:
        return
    parts = []
    for to in shared:
        text = (site / str(to)).read_text(encoding="utf-8")
        way = posixpath.relpath(posixpath.dirname(str(to)) or ".", posixpath.dirname(JOINED))
        parts.append(_URL.sub(partial(_moved, way), text))
    (site / JOINED).write_text("".join(parts), encoding="utf-8", newline="\n")
    for file, (text, links) in asked.items():
        way = posixpath.relpath(JOINED, file.parent.relative_to(site).as_posix())
        first, *others = [link for link, to in links if to in shared]
        text = text.replace(first, f'<link rel="stylesheet" href="{way}">', 1)
        for link in others:
            text = text.replace(link, "", 1)
        file.write_text(text, encoding="utf-8", newline="\n")


def _moved(way: str, found: re.Match[str]) -> str:
    return f"url({found[1]}{posixpath.normpath(f'{way}/{found[2]}')}"


def _below(site: Path, page: Path, href: str) -> str:
    """The file that a page's address leads to, below the site's folder; empty where it is none."""
    if ":" in href or href.startswith("/"):
        return ""
    to = posixpath.normpath(posixpath.join(page.parent.relative_to(site).as_posix(), href))
    return to if (site / to).is_file() else ""


def _trim_fonts(site: Path, cache: Path, words: Words, cuts: Mapping[str, Cut]) -> None:
    from fontTools import version

    for file in sorted(site.rglob("*.woff2")):
        address = file.relative_to(site).as_posix()
        if address in cuts:
            how, letters = cuts[address], words.letters
        elif address.startswith(_MATH):
            how, letters = Cut(), words.formulas.get(file.stem.removeprefix("KaTeX_"), set())
        else:
            continue
        data = file.read_bytes()
        about = repr((how, version, "".join(sorted(letters)))).encode()
        kept = cache / f"{hashlib.sha256(data + about).hexdigest()[:24]}.woff2"
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            part = kept.with_suffix(".part")
            part.write_bytes(cut(data, letters, how))
            part.replace(kept)
        file.write_bytes(kept.read_bytes())
