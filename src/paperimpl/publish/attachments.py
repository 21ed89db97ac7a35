"""Which attachments leave the vault: those that a published page shows or links, and what a site is built of.

What only private notes use stays where it is, and so does what nothing uses, as with Obsidian Publish: a file is
published because a page needs it, never because it was in the folder.
"""

from __future__ import annotations

import html
import posixpath
import re
import urllib.parse
from collections.abc import Callable, Collection, Iterable

__all__ = ["of_page", "used"]

# The parts of a site that no note links: styles, scripts and fonts, and what robots and hosts ask for at the root.
_PLUMBING = re.compile(
    r"\.(?:css|js|mjs|wasm|woff2?|ttf|otf|eot|map)$"
    r"|^(?:CNAME|_headers|_redirects|(?:robots|humans|ads|security)\.txt|(?:site|manifest)\.(?:webmanifest|json)"
    r"|browserconfig\.xml|favicon\.\w+|apple-touch-icon[\w-]*\.png|BingSiteAuth\.xml|google[0-9a-f]+\.html)$",
    re.I,
)
_VALUE = re.compile(r"""=\s*(?:"([^"<>]*)"|'([^'<>]*)')""")
_STYLE = re.compile(r"""(?:url\(|@import)\s*["']?([^"'()\s;]+)""")
_READ = re.compile(r"\.(?:css|html?|svg)$", re.I)


def used(
    files: Collection[str],
    pages: Iterable[tuple[str, str]],
    named: Iterable[str],
    read: Callable[[str], str],
) -> set[str]:
    """Say which of the files the site needs.

    Args:
        files: addresses of the attachments, from the site's root.
        pages: the address and the HTML of every published page.
        named: addresses that the site's settings name: a logo, style sheets, scripts.
        read: the text of a file, asked for style sheets, HTML and SVG, which use further files.
    """
    found: set[str] = {name for name in named if name in files}
    found.update(name for name in files if _PLUMBING.search(name))
    endings = {_ending(name) for name in files}
    for address, text in pages if files else ():
        found.update(_references(address, text, files, endings))
    waiting = sorted(name for name in found if _READ.search(name))
    while waiting:
        name = waiting.pop()
        new = set(_references(name, read(name), files, endings)) - found
        found |= new
        waiting += sorted(other for other in new if _READ.search(other))
    return found


def of_page(address: str, text: str, files: Collection[str]) -> set[str]:
    """Say which of the files a page at an address shows or links."""
    return set(_references(address, text, files, {_ending(name) for name in files})) if files else set()


def _references(address: str, text: str, files: Collection[str], endings: Collection[str]) -> Iterable[str]:
    """Every file that a page or style sheet at an address names."""
    seen = {value for pair in _VALUE.findall(text) for value in pair}
    if "url(" in text or "@import" in text:
        seen.update(_STYLE.findall(text))
    for value in seen:
        if "," not in value and _ending(re.split(r"[?#]", value, maxsplit=1)[0]) not in endings:
            continue
        if (found := _resolved(address, value, files)) is not None:
            yield found
        elif "," in value:  # srcset
            for part in value.split(","):
                words = part.split()
                if words and (found := _resolved(address, words[0], files)) is not None:
                    yield found


def _ending(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[2].lower()


def _resolved(address: str, value: str, files: Collection[str]) -> str | None:
    path = urllib.parse.unquote(html.unescape(re.split(r"[?#]", value.strip())[0]))
    if path.startswith("/"):  # from the host's root: the site may stand deeper
        parts = path.strip("/").split("/")
        return next((name for n in range(len(parts)) if (name := "/".join(parts[n:])) in files), None)
    name = posixpath.normpath(posixpath.join(posixpath.dirname(urllib.parse.unquote(address)), path))
    return name if name in files else None
