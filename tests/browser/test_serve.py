"""`make serve` while one writes: an edit of a note, of code it quotes or of a result is on the page at once."""

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

from paperimpl.vault.result import seal

ROOT = Path(__file__).parents[2]
NOTE = "vault/04-sequences/lstm/lstm.md"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A copy of the repository, served with live reload; the copy and its address."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("vault", "src", "tests/papers", "site_config/theme"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.pdf"))
    for name in ("mkdocs.yml", "site_config/package.json"):
        shutil.copy(ROOT / name, copy / name)
    (copy / "site_config/node_modules").symlink_to(ROOT / "site_config/node_modules", target_is_directory=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mkdocs", "serve", "--dev-addr", f"127.0.0.1:{port}"]
    with (copy / "serve.log").open("w") as log:
        process = subprocess.Popen(command, cwd=copy, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}/paperimpl/"
    try:
        for _ in range(1800):
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(address, timeout=10).close()
                break
            assert process.poll() is None, (copy / "serve.log").read_text()
            time.sleep(0.1)
        yield copy, address
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def page(served, chromium):
    """The LSTM's page in a browser, as it is being written."""
    context = chromium.new_context()
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(served[1] + "04-sequences/lstm/")
    expect(page.locator("header h1")).to_have_text("Long Short-Term Memory")
    yield page
    context.close()


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_an_edit_of_a_note_is_on_the_page_without_a_reload_by_hand(served, page):
    edit(
        served[0] / NOTE,
        "## The idea\n",
        "## The idea\n\nA sentence that was *just* written, with $x_1$ and [[rnn]].\n",
    )
    sentence = page.locator("p", has_text="A sentence that was just written")
    expect(sentence).to_be_visible()
    assert sentence.locator(".katex").count() == 1
    assert sentence.locator("a.wikilink").get_attribute("href") == "../rnn/"


def test_an_edit_of_the_code_that_a_note_quotes_is_on_the_page(served, page):
    edit(served[0] / "src/paperimpl/papers/lstm.py", "y = y.detach()", "y = y.detach()  # A comment, just written")
    expect(page.locator(".highlight", has_text="# A comment, just written").first).to_be_attached()


def test_an_edit_of_a_result_is_on_the_page(served, page):
    path = served[0] / NOTE.replace(".md", ".claim.json")
    result = json.loads(path.read_text(encoding="utf-8"))
    result["says"] = "The paper says what was just written."
    path.write_text(json.dumps(result | {"seal": seal(result)}), encoding="utf-8")
    expect(page.locator(".paper-claim")).to_contain_text("what was just written")


def test_a_mistake_while_writing_is_told_and_the_page_goes_on(served, page):
    copy = served[0]
    edit(copy / NOTE, "## The idea\n", "## The idea\n\nSee [[rnn#No such heading]] while it is being written.\n")
    expect(page.locator("p", has_text="while it is being written")).to_be_visible()
    assert "rnn#No such heading': no such heading" in (copy / "serve.log").read_text(encoding="utf-8")
