"""A static host as GitHub's: text is compressed, and what is not there is answered with the site's 404.html."""

from __future__ import annotations

import gzip
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["compressed", "served"]

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".ipynb": "application/json",
    ".bib": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".xml": "application/xml",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".pdf": "application/pdf",
}
_PACKED = {".png", ".jpg", ".webp", ".woff2", ".pdf", ".gz", ".apkg", ".bin"}  # compressing these gains nothing


@cache
def _gzip(file: Path, _changed: int) -> bytes:
    return gzip.compress(file.read_bytes(), 6, mtime=0)


def compressed(file: Path) -> bytes:
    """What goes over the wire for a file: gzip at level 6, as hosts have it, or the file as it is."""
    if file.suffix in _PACKED:
        return file.read_bytes()
    return _gzip(file, file.stat().st_mtime_ns)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, root: Path, name: str, *arguments: object):
        self.root, self.name = root, name
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        below = path.removeprefix(f"/{self.name}/")
        file = self.root / below
        if path == below or ".." in Path(below).parts:
            file = self.root / "404.html" / "no"
        if file.is_dir() and not path.endswith("/"):
            self.send_response(HTTPStatus.MOVED_PERMANENTLY)
            self.send_header("Location", f"{path}/")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if file.is_dir():
            file /= "index.html"
        status = HTTPStatus.OK if file.is_file() else HTTPStatus.NOT_FOUND
        if status is HTTPStatus.NOT_FOUND:
            file = self.root / "404.html"
        packed = "gzip" in self.headers.get("Accept-Encoding", "") and file.suffix not in _PACKED
        body = compressed(file) if packed else file.read_bytes()
        self.send_response(status)
        self.send_header("Content-Type", _KINDS.get(file.suffix, "application/octet-stream"))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")  # GitHub Pages' own
        if packed:
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Vary", "Accept-Encoding")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def served(site: Path, name: str = "paperimpl", port: int = 0) -> Iterator[str]:
    """Serve a site below a name, as GitHub does a project's; yield its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, site, name))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/{name}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
