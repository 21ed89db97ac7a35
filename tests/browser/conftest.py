"""The real site, built once and served under its own path, and Debian's Chromium to look at it."""

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 60_000  # of a busy machine; nothing is measured


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of this repository's own site, built strictly, as the root's `paperimpl/`."""
    folder = tmp_path_factory.mktemp("served") / "paperimpl"
    build(ROOT, folder)
    return folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The same site, built to be opened from a folder."""
    folder = tmp_path_factory.mktemp("carried") / "a folder"
    build(ROOT, folder, OFFLINE="true")
    return folder


def build(repository, folder, **environment):
    """Build a site, strictly, in a process of its own."""
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=repository,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert built.returncode == 0, built.stderr


class Handler(http.server.SimpleHTTPRequestHandler):
    """A static host as GitHub's: what is not there is answered with the site's 404.html."""

    def send_error(self, code, message=None, explain=None):
        page = Path(self.directory) / self.path.split("/")[1] / "404.html"
        body = page.read_bytes() if code == 404 else b""
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@contextmanager
def served(site):
    """Serve a site below its folder's name."""
    handler = functools.partial(Handler, directory=str(site.parent))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/{site.name}/"
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


@pytest.fixture(scope="session")
def address(site):
    """Where the site is served."""
    with served(site) as found:
        yield found


@contextmanager
def served_vault(name, tmp_path_factory):
    """Build a vault of `tests/`, strictly, and serve it."""
    folder = tmp_path_factory.mktemp("vault") / name
    here = tmp_path_factory.mktemp("copy") / name
    shutil.copytree(ROOT / "tests" / name, here)
    build(here, folder)
    with served(folder) as found:
        yield found, folder


@pytest.fixture(scope="session")
def demo_site(tmp_path_factory):
    """Where the demonstration vault is served, and its folder."""
    with served_vault("demo", tmp_path_factory) as found:
        yield found


@pytest.fixture(scope="session")
def library_site(tmp_path_factory):
    """Where the library, a vault of bases and a canvas, is served, and its folder."""
    with served_vault("library", tmp_path_factory) as found:
        yield found


@pytest.fixture(scope="session")
def demo(demo_site):
    """Where the demonstration vault is served."""
    return demo_site[0]


@pytest.fixture(scope="session")
def library(library_site):
    """Where the library is served."""
    return library_site[0]


class Browsers:
    """One browser after the other: a new one when a test is tried again, for the old one may be what was wrong."""

    def __init__(self, kind, path):
        self.kind, self.path, self.browser = kind, path, None

    def get(self, *, fresh=False):
        """The browser at hand, or a fresh one."""
        if fresh:
            self.close()
        if self.browser is None:
            self.browser = self.kind.launch(executable_path=self.path, args=CHROMIUM)
            # A service worker would stand between a page and what a test says of its requests.
            self.browser.new_context = functools.partial(self.browser.new_context, service_workers="block")
        return self.browser

    def close(self):
        """End the browser at hand."""
        if self.browser is not None:
            self.browser.close()
            self.browser = None


@pytest.fixture(scope="session")
def browsers():
    """Where browsers come from."""
    path = shutil.which("chromium")
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("there is no chromium on this machine")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        found = Browsers(playwright.chromium, path)
        yield found
        found.close()


@pytest.fixture
def chromium(browsers, request):
    """A browser."""
    return browsers.get(fresh=getattr(request.node, "execution_count", 1) > 1)


class Watched:
    """A page, with what it asked for and what it complained of."""

    def __init__(self, page, address):
        self.page, self.address = page, address
        self.asked, self.missing, self.said = [], [], []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("response", lambda answer: self.missing.append(answer.url) if answer.status >= 400 else None)
        page.on("console", lambda message: self.said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))

    def go(self, path=""):
        """Open a page of the site and wait until it is still."""
        self.page.goto(self.address + path)
        self.page.wait_for_load_state("networkidle")
        return self.page

    def wake(self):
        """Do what brings Material's script, and wait until it has begun."""
        self.page.mouse.move(3, 3)
        self.page.mouse.move(4, 4)
        self.page.wait_for_function("!document.querySelector('script[type=\"text/later\"]')")
        self.page.wait_for_load_state("networkidle")
        return self.page

    @property
    def strangers(self):
        """What it asked of other hosts."""
        own = urlsplit(self.address).netloc
        return [
            url
            for url in self.asked
            if urlsplit(url).scheme not in ("data", "blob", "chrome", "chrome-extension")
            and urlsplit(url).netloc != own
        ]


@pytest.fixture
def visit(chromium, address):
    """Open pages, each in a context of its own: `visit("papers/", color_scheme="dark")`."""
    contexts = []

    def visited(path="", *, base=address, **options):
        context = chromium.new_context(**options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        watched = Watched(context.new_page(), base)
        watched.go(path)
        return watched

    yield visited
    for context in contexts:
        context.close()
