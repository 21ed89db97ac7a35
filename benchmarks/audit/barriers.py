"""What axe finds on a page, in either scheme, with all that is folded open."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from axe_playwright_python.sync_playwright import Axe

__all__ = ["SCHEMES", "found", "pages"]

SCHEMES = ("light", "dark")
_NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def pages(sitemap: str, site_url: str) -> list[str]:
    """List the pages that a sitemap names, each below the site's address; the page for what is not found last."""
    places = [(entry.text or "").strip() for entry in ElementTree.fromstring(sitemap).iter(f"{_NAMESPACE}loc")]
    return [*(place.removeprefix(site_url) for place in places), "404.html"]


def found(page: Any, axe: Axe | None = None) -> list[str]:
    """Run axe on the page, folded parts opened, as it is once somebody does something; return a line for each barrier.

    A line says the rule, the place, and what is wrong.
    """
    page.mouse.move(3, 3)  # brings the theme's script, which lets keys scroll what scrolls
    page.mouse.move(4, 4)
    page.wait_for_function("!document.querySelector('script[type=\"text/later\"]')")
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    said = []
    for barrier in (axe or Axe()).run(page).response["violations"]:
        for node in barrier["nodes"]:
            parts = node["any"] or node["all"] or node["none"]
            said.append(f"{barrier['id']} at {node['target']}: {parts[0]['message'] if parts else barrier['help']}")
    return said
