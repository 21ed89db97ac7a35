"""The page for what is not found: it says so, opens the search on the words of the address, and finds its own root."""

from __future__ import annotations

import html
import urllib.parse
from pathlib import Path

__all__ = ["HEADING", "page"]

HEADING = "<h1>404 - Not found</h1>"
_TEXT = """<h1>There is no page here</h1>
<p>The address may have a slip in it, or the note has moved. <a href="{root}">All notes</a></p>
<p><button class="md-button not-found-search" type="button" hidden>Search for it</button></p>"""


def page(output: str, site_url: str) -> str:
    """Turn the theme's page for what is not found into one that helps."""
    script = (Path(__file__).parent / "assets/notfound.js").read_text(encoding="utf-8")
    text = _TEXT.format(root=html.escape(urllib.parse.urlsplit(site_url or "/").path or "/"))
    return output.replace(HEADING, text).replace("</body>", f"<script>\n{script}</script>\n</body>", 1)
