"""The site as an app that can be installed and keeps what was read: a manifest, icons, a worker, a page for no network.

`app` of the plugin's settings asks for it. The worker is `assets/sw.js` with a version, the digest of all that the site
holds: a site that has not changed keeps its worker. The icons are drawn from the theme's own logo.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

from mkdocs.config import config_options as options
from mkdocs.config.base import Config
from mkdocs.exceptions import PluginError

from paperimpl.publish.folder import imports
from paperimpl.publish.notfound import HEADING

__all__ = ["AppConfig", "fallback", "farewell", "head", "icons", "manifest", "worker"]

_ASSETS = Path(__file__).parent / "assets"
MANIFEST, WORKER, FALLBACK = "manifest.webmanifest", "sw.js", "offline.html"
_ICONS = {  # address -> (pixels, how much of the square the logo takes, whether the corners are round)
    "assets/app/icon-192.png": (192, 0.84, True),
    "assets/app/icon-512.png": (512, 0.84, True),
    "assets/app/maskable-512.png": (512, 0.66, False),  # what is outside 80% of it may be cut off
    "assets/app/touch-180.png": (180, 0.76, False),
}
_NOT_COUNTED = {".apkg", ".gz", ".pdf", ".xml"}  # they hold the time of the build, or no worker keeps them
_BROUGHT = ("assets/paperimpl/preview.js",)  # what a page asks for when somebody points at a link
_LINKED = re.compile(r"""(?:href|src)="([^"#?]+\.(?:css|js|woff2|png|svg|ico))\"""")

_TEXT = """<h1>You are offline</h1>
<p>This page was not read on this device yet, so no copy of it is here. It opens by itself when the network is back.</p>
<h2>What opens now</h2>
<ul class="offline-pages" data-root="{root}"><li><a href="{root}">Home</a></li></ul>
<p class="offline-none" hidden>Nothing else was read on this device yet.</p>"""


class AppConfig(Config):  # type: ignore[no-untyped-call]
    """Whether there is an app, and what it looks like."""

    enabled = options.Type(bool, default=False)
    logo = options.Type(str, default="partials/logo.html")  # an SVG in one of the theme's folders
    paper = options.Type(str, default="#ffffff")  # behind the logo, and behind the app while it starts
    ink = options.Type(str, default="#1f2227")  # what `currentColor` in the logo becomes
    accent = options.Type(str, default="#3f51b5")  # what `var(--accent)` in the logo becomes


def head(url: Callable[[str], str]) -> str:
    """Say in a page's head where the manifest is; `url` finds the way from the page to an address in the site."""
    touch = url("assets/app/touch-180.png")
    return f'<link rel="manifest" href="{url(MANIFEST)}"><link rel="apple-touch-icon" href="{touch}">'


def manifest(name: str, description: str, paper: str) -> str:
    """Write the manifest; its addresses begin where it lies, so it holds below any path.

    The colour of the browser's own bar follows the reader's scheme by a `<meta>` that Material keeps; the manifest's
    colours are those of the moment in which the app starts.
    """
    shown = [
        {"src": address, "sizes": f"{size}x{size}", "type": "image/png", "purpose": "any" if round_ else "maskable"}
        for address, (size, _, round_) in _ICONS.items()
        if "touch" not in address
    ]
    about = {
        "name": name,
        "short_name": name,
        "description": description,
        "lang": "en",
        "start_url": "./",
        "scope": "./",
        "display": "minimal-ui",
        "theme_color": paper,
        "background_color": paper,
        "categories": ["education", "books"],
        "icons": shown,
    }
    return json.dumps(about, indent=1, ensure_ascii=False) + "\n"


def icons(folders: Iterable[str], app: AppConfig) -> dict[str, bytes]:
    """Draw the icons from the logo, by their addresses.

    Raises:
        PluginError: there is no such logo, or nothing that draws it.
    """
    try:
        import novasvg  # type: ignore[import-untyped]
    except ImportError:
        raise PluginError("mkdocs.yml: app: icons need novasvg; run `pip install novasvg`") from None
    found = next((path for folder in folders if (path := Path(folder) / app.logo).is_file()), None)
    drawing = (
        re.search(r'<svg[^>]*viewBox="([-\d. ]+)"[^>]*>(.*)</svg>', found.read_text(encoding="utf-8"), re.S)
        if found
        else None
    )
    if drawing is None:
        raise PluginError(f"mkdocs.yml: app: logo: no SVG with a viewBox at {app.logo!r} in the theme; name one")
    left, top, width, height = map(float, drawing[1].split())
    inside = drawing[2].replace("currentColor", app.ink).replace("var(--accent)", app.accent)
    made = {}
    for address, (size, share, rounded) in _ICONS.items():
        scale = share / max(width, height)
        shift = 0.5 - scale * (left + width / 2), 0.5 - scale * (top + height / 2)
        icon = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" viewBox="0 0 1 1">'
            f'<rect width="1" height="1" rx="{0.2 if rounded else 0}" fill="{app.paper}"/>'
            f'<g transform="translate({shift[0]:.6f} {shift[1]:.6f}) scale({scale:.6f})">{inside}</g></svg>'
        )
        with tempfile.TemporaryDirectory() as folder:  # it draws into files only
            novasvg.svg2png(icon, Path(folder) / "icon.png", size, size)
            made[address] = (Path(folder) / "icon.png").read_bytes()
    return made


def fallback(output: str, site_url: str) -> str:
    """Turn the theme's page for what is not found into the one for what was not read."""
    root = html.escape(urlsplit(site_url or "/").path or "/")
    script = (_ASSETS / "offline.js").read_text(encoding="utf-8")
    text = _TEXT.format(root=root)
    page = output.replace(HEADING, text).replace("</body>", f"<script>\n{script}</script>\n</body>", 1)
    return page.replace("<head>", '<head><meta name="robots" content="noindex">', 1)


def worker(site: Path, site_url: str) -> str:
    """Write the worker of a site that was just built: its version, and what it needs at once."""
    root = urlsplit(site_url or "/").path or "/"
    page = (site / FALLBACK).read_text(encoding="utf-8")
    needed = dict.fromkeys([*(found.removeprefix(root) for found in _LINKED.findall(page)), *_BROUGHT])
    shell = ["./", FALLBACK]
    for name in (name for name in needed if (site / name).is_file()):
        shell += [name, *(imports(site, name).values() if name.endswith(".js") and ".min." not in name else ())]
    counted = hashlib.sha256()
    for path in sorted(site.rglob("*")):
        if path.is_file() and path.suffix not in _NOT_COUNTED and path.name != WORKER:
            counted.update(path.relative_to(site).as_posix().encode() + b"\0")
            counted.update(hashlib.sha256(path.read_bytes()).digest())
    script = (_ASSETS / WORKER).read_text(encoding="utf-8").replace("{version}", counted.hexdigest()[:16])
    return script.replace("{shell}", json.dumps(shell)).replace("{root}", root)


def farewell() -> str:
    """Write the worker of a preview: it ends one that a built site left at the same address, and its caches."""
    return """self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  const mine = `${new URL(self.registration.scope).pathname} kept `;
  for (const name of await caches.keys()) if (name.startsWith(mine)) await caches.delete(name);
  await self.registration.unregister();
})()));
"""
