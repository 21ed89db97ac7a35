"""Social cards: a picture for every note, shown by those who show a link to it. Set by typst, without a network.

All that are not remembered are set in one run, a page each; the pictures lie in `.cache/` by a digest of what is
on them.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paperimpl.publish.typefaces import folders, versions
from paperimpl.vault.paper import CHAPTERS
from paperimpl.vault.problem import Problem, VaultError

if TYPE_CHECKING:
    from paperimpl.publish.pages import Publication

__all__ = ["COLOURS", "HEIGHT", "WIDTH", "Card", "Point", "address", "cards", "draw", "installed", "metas", "size"]

WIDTH, HEIGHT = 1200, 630  # pixels, as those who show them ask
_TEMPLATE = Path(__file__).with_name("card.typ")
_FONTS = ("fontpkg-newsreader", "fontpkg-inter")
_INKS = 128
_LONGEST = 230  # letters of an idea
_ACCENT = "#b3400c"

# The chapters' colours on light paper, as the site's style sheet has them.
COLOURS = dict(
    zip(
        CHAPTERS,
        (
            "#b3400c",
            "#1d5fbf",
            "#0f766e",
            "#7c3aed",
            "#a16207",
            "#be185d",
            "#3f6212",
            "#0369a1",
            "#6d28d9",
            "#475569",
        ),
        strict=True,
    )
)
_KINDS = {"lessons": "Lesson", "paths": "Study path", "observations": "Observation"}


@dataclass(frozen=True)
class Point:
    """A paper on the line of all papers: how far along (0 to 1), how far above (points), its colour."""

    x: float
    y: float
    colour: str
    here: bool = False


@dataclass(frozen=True)
class Card:
    """What is on a card.

    Attributes:
        path: the note's, for messages; it is not on the card.
        kind: above the title: the chapter, or what the note is.
        by: authors and year; empty for what is no paper.
        idea: it in a sentence.
        verdict: what our check came to; empty where there is none.
        seeds: whether the claim held, by seed.
        note: in the verdict's place where there is none.
        colour: the chapter's, `#rrggbb`.
        points: all papers by year.
        site: the site's name.
    """

    path: str
    kind: str
    title: str
    by: str
    idea: str
    verdict: str
    seeds: tuple[bool, ...]
    note: str
    colour: str
    points: tuple[Point, ...]
    site: str


def installed() -> bool:
    """Say whether there is typst to set cards with, and Pillow to make them small."""
    return all(importlib.util.find_spec(name) for name in ("typst", "PIL"))


def address(path: str) -> str:
    """Name the file of a note's card, in the site."""
    return f"assets/cards/{path.rsplit('.', 1)[0]}.png"


def cards(publication: Publication) -> dict[str, Card]:
    """Say what is on the cards of all published notes and notebooks, by their paths."""
    by_path = {card.path: card for card in publication.papers}
    colours = {path: COLOURS[path.split("/")[0]] for path in by_path}
    drawing, places = publication.timeline, {}
    for point in drawing.points:
        along = (point.x - drawing.left) / (drawing.width - drawing.left)
        places[point.card.path] = along
    crowd: dict[float, int] = {}
    line = []
    for path, along in sorted(places.items(), key=lambda item: (item[1], item[0])):
        above = crowd.get(round(along, 3), 0)
        crowd[round(along, 3)] = above + 1
        line.append((path, Point(round(along, 4), 13.0 * above, colours[path])))
    site, found = publication.generator.site_name, {}
    for path in publication.addressed:
        note = publication.index.notes.get(path) or publication.index.notebooks.get(path)
        if note is None:
            continue
        card, folder = by_path.get(path), path.split("/")[0]
        points = tuple(
            Point(point.x, point.y, point.colour, other == path) for other, point in line if card or path == "index.md"
        )
        kind = CHAPTERS.get(folder) or _KINDS.get(folder, "")
        title, idea = note.title, publication.summary(note)
        if path == "index.md":
            said = note.front.values
            title, idea = str(said.get("headline") or note.title), str(said.get("lede") or idea)
            years = [other.record.year for other in by_path.values()]
            kind = f"Deep learning, {min(years)}–{max(years)}" if years else ""
        seeds: tuple[bool, ...] = ()
        verdict = last = ""
        if card and card.result:
            seeds = tuple(run.holds for run in card.result.runs)
            said_of = card.result.verdict or ("reproduced" if card.result.holds else "not reproduced")
            verdict = f"{said_of.capitalize()}: {sum(seeds)} of {len(seeds)} seeds"
        elif path == "index.md" and by_path:
            last = f"{len(by_path)} papers, each with tested code"
        found[path] = Card(
            path=path,
            kind=kind,
            title=title,
            by=f"{card.by}, {card.record.year}" if card else "",
            idea=_cut(idea),
            verdict=verdict,
            seeds=seeds,
            note=last,
            colour=COLOURS.get(folder, _ACCENT),
            points=points,
            site=site,
        )
    return found


def _cut(text: str) -> str:
    """Keep a text to what there is room for, whole words."""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[:_LONGEST].rsplit(" ", 1)[0].rstrip(",;:.") + " …"


def draw(wanted: Mapping[str, Card], cache: Path) -> dict[str, bytes]:
    """Draw cards as PNGs, by the keys they come with; what was drawn before comes from the cache.

    Raises:
        VaultError: typst cannot set a card; the message names its note.
    """
    made_with = _TEMPLATE.read_bytes() + "\n".join(versions(("typst", "pillow", *_FONTS))).encode()
    kept = {key: cache / f"{_digest(card, made_with)}.png" for key, card in wanted.items()}
    missing = [key for key, file in kept.items() if not file.is_file()]
    if missing:
        cache.mkdir(parents=True, exist_ok=True)
        for key, picture in zip(missing, _set([wanted[key] for key in missing]), strict=True):
            part = kept[key].with_suffix(".part")
            part.write_bytes(picture)
            part.replace(kept[key])
    return {key: file.read_bytes() for key, file in kept.items()}


def _digest(card: Card, made_with: bytes) -> str:
    return hashlib.blake2b(made_with + _json([card]).encode(), digest_size=12).hexdigest()


def _json(wanted: Iterable[Card]) -> str:
    data = [asdict(card) for card in wanted]
    for entry in data:
        del entry["path"]
    return json.dumps(data, ensure_ascii=False, sort_keys=True)


def _set(wanted: list[Card]) -> list[bytes]:
    import typst

    def pages(some: list[Card]) -> list[bytes]:
        made: Any = typst.compile(
            str(_TEMPLATE),
            root=str(_TEMPLATE.parent),
            font_paths=folders(_FONTS),
            ignore_system_fonts=True,
            format="png",
            ppi=72,
            sys_inputs={"cards": _json(some)},
            timestamp=0,
        )
        return [_small(page) for page in ([made] if isinstance(made, bytes) else made)]

    try:
        return pages(wanted)
    except typst.TypstError as wrong:
        for card in wanted:
            try:
                pages([card])
            except typst.TypstError as of_this:
                about = f"typst cannot set its card: {str(of_this).splitlines()[0]}"
                raise VaultError(Problem(f"vault/{card.path}", 1, about, "mend its title or description")) from None
        raise VaultError(Problem(_TEMPLATE.name, 0, f"typst cannot set the cards: {wrong}", "mend it")) from None


def _small(picture: bytes) -> bytes:
    """Write a picture with as many colours as flat paper and a few inks need."""
    from PIL import Image

    whole = Image.open(io.BytesIO(picture)).convert("RGB")
    out = io.BytesIO()
    whole.quantize(_INKS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def size(picture: bytes) -> tuple[int, int]:
    """Say how wide and how high a PNG is, in pixels.

    Raises:
        ValueError: it is none.
    """
    if picture[:8] != b"\x89PNG\r\n\x1a\n" or picture[12:16] != b"IHDR":
        raise ValueError("no PNG")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def metas(url: str, title: str) -> dict[str, str]:
    """What a page's head says of its card, at its whole address."""
    return {
        "og:image": url,
        "og:image:width": str(WIDTH),
        "og:image:height": str(HEIGHT),
        "og:image:alt": f"Card: {title}",
        "twitter:card": "summary_large_image",
    }
