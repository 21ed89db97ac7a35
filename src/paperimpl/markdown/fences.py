"""Fenced code to HTML: highlighted by Pygments, Mermaid's diagrams drawn where `mermaidx` is installed."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Any, ClassVar

from markdown import Markdown

__all__ = ["Highlight", "Mermaid", "MermaidError", "plain"]


class MermaidError(ValueError):
    """A diagram that mermaidx does not draw; the message is its own, one line."""


class Mermaid:
    """Draw diagrams as SVG, remembered on disk by content.

    Args:
        cache: a folder for what was drawn, safe to delete; None remembers nothing.
    """

    def __init__(self, cache: Path | None = None):
        self.cache = cache

    @staticmethod
    def installed() -> bool:
        """Say whether the extra `mermaid` is installed."""
        import importlib.util

        return importlib.util.find_spec("mermaidx") is not None

    def draw(self, text: str) -> str:
        """Draw one diagram; ids in it are of its own, so that two may stand in one page.

        Raises:
            MermaidError: it is none.
        """
        import mermaidx

        version = getattr(mermaidx, "__version__", "")
        key = hashlib.sha256(f"{version}:{text}".encode()).hexdigest()[:32]
        place = self.cache / "mermaid" / f"{key}.svg" if self.cache else None
        if place and place.is_file():
            return place.read_text(encoding="utf-8")
        try:
            svg = _svg(mermaidx.render(text))
        except Exception as wrong:  # whatever its engine raises
            raise MermaidError(" ".join(str(wrong).split())[:200] or type(wrong).__name__) from wrong
        svg = svg[max(svg.find("<svg"), 0) :]
        name = f"m{key[:8]}"
        ids = set(re.findall(r'\bid="([^"]+)"', svg))
        svg = re.sub(
            r'(\bid="|url\(#|href="#|aria-labelledby="|aria-describedby="|#)([A-Za-z_][\w.:-]*)',
            lambda m: f"{m[1]}{name}-{m[2]}" if m[2] in ids else m[0],
            svg,
        )
        if place:
            place.parent.mkdir(parents=True, exist_ok=True)
            part = place.with_suffix(f".{os.getpid()}.part")  # another process may draw the same
            part.write_text(svg, encoding="utf-8")
            part.replace(place)
        return svg


def _svg(diagram: Any) -> str:
    svg = diagram.svg() if callable(diagram.svg) else diagram.svg
    return svg.decode() if isinstance(svg, bytes) else str(svg)


# Names, operators, punctuation and white space have the colour of code itself; they are two thirds of all elements.
_PLAIN = re.compile(r'<span class="(?:n|o|p|w)">([^<]*)</span>')
_MANY = 4096  # blocks that are remembered: a server builds the same ones again with each change


def plain(html: str) -> str:
    """Take from highlighted code the elements of what has the colour of code itself."""
    return _PLAIN.sub(r"\1", html)


class Highlight:
    """Highlight code as the extension `pymdownx.highlight` is set to, without colours for what is plain."""

    _remembered: ClassVar[dict[str, str]] = {}

    _SETTINGS = (
        *("guess_lang", "pygments_style", "use_pygments", "noclasses", "linenums", "linenums_style"),
        *("linenums_special", "linenums_class", "extend_pygments_lang", "language_prefix", "code_attr_on_pre"),
        *("auto_title", "auto_title_map", "line_spans", "line_anchors", "anchor_linenums", "pygments_lang_class"),
        *("stripnl", "default_lang", "title_mode"),
    )

    def __init__(self, md: Markdown):
        self.md = md

    def __call__(self, text: str, language: str, options: dict[str, str]) -> str:
        """Highlight one block; a language that Pygments does not know is text."""
        extension: Any = next(e for e in self.md.registeredExtensions if hasattr(e, "get_pymdownx_highlight_settings"))
        config = extension.get_pymdownx_highlight_settings()
        extension.pygments_code_block += 1
        settings = {name: config[name] for name in self._SETTINGS if name in config}
        number = extension.pygments_code_block  # of the page, in what lines are named by
        named = settings.get("line_spans") or settings.get("line_anchors") or settings.get("title_mode") == "html"
        key = repr((language, options, settings, config["css_class"], text))
        if not named and (known := self._remembered.get(key)) is not None:
            return known
        highlighter = extension.get_pymdownx_highlighter()(self.md, **settings)
        made = highlighter.highlight(
            text,
            language,
            config["css_class"],
            hl_lines=_numbers(options.get("hl_lines", "")),
            linestart=int(options["linenums"]) if re.fullmatch(r"\d{1,6}", options.get("linenums", "")) else -1,
            classes=[],
            title=options.get("title"),
            code_block_count=number,
        )
        if len(self._remembered) >= _MANY:
            self._remembered.clear()
        self._remembered[key] = html = plain(str(made))
        return html


def _numbers(text: str) -> list[int]:
    """Read `1 3-5`."""
    found: list[int] = []
    for first, last in re.findall(r"(\d{1,6})(?:-(\d{1,6}))?", text):
        found += range(int(first), min(int(last or first), int(first) + 10_000) + 1)
    return found
