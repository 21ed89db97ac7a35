"""What a first visit to a page loads, in bytes over the wire, by kind: as Chromium says, with nothing in its cache."""

from __future__ import annotations

from collections import Counter
from typing import Any

__all__ = ["KINDS", "LIMIT", "weigh"]

LIMIT = 150_000  # bytes of a paper's page, without its demo
KINDS = ("page", "style", "script", "font", "picture", "data", "demo")
_KIND = {"document": "page", "stylesheet": "style", "script": "script", "font": "font", "image": "picture"}


def weigh(browser: Any, address: str, **options: Any) -> tuple[Counter[str], list[tuple[int, str]]]:
    """Open a page as one does who was never there, to its end, and weigh what came.

    Args:
        browser: Playwright's.
        address: the page's.
        options: of the context: the window, the scheme.

    Returns:
        Bytes by kind (`KINDS`), and every file with its bytes, the heaviest first.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 800}, **options)
    try:
        page = context.new_page()
        wire = context.new_cdp_session(page)
        wire.send("Network.enable")
        asked: dict[str, tuple[str, str]] = {}
        came: dict[str, int] = {}
        wire.on(
            "Network.requestWillBeSent",
            lambda e: asked.setdefault(e["requestId"], (e.get("type", "").lower(), e["request"]["url"])),
        )
        wire.on("Network.loadingFinished", lambda e: came.__setitem__(e["requestId"], int(e["encodedDataLength"])))
        page.goto(address, wait_until="networkidle")
        page.wait_for_function("document.fonts.status === 'loaded'")
        weights: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
        files = []
        for request, size in came.items():
            kind, url = asked.get(request, ("", ""))
            if url.startswith(("data:", "blob:")):
                continue
            weights["demo" if "/assets/demos/" in url else _KIND.get(kind, "data")] += size
            files.append((size, url))
        return weights, sorted(files, reverse=True)
    finally:
        context.close()
