"""The demos of gradio's parts: they are built, and their functions answer as the manifest says, in this process."""

import asyncio
import importlib.util
import json
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import torch

from paperimpl.demos import frame
from paperimpl.vault.paper import Paper, papers

ROOT = Path(__file__).parents[2]
SLUGS = [paper.slug for paper in papers(ROOT) if paper.places["demo"].is_file()]


@pytest.fixture(scope="module")
def local():
    """The module, where gradio is installed."""
    if importlib.util.find_spec("gradio") is None:
        pytest.skip("gradio is not installed: pip install -e '.[demo]'")
    return importlib.import_module("paperimpl.demos.local")


def built(local, slug):
    """A page, its manifest, and the function that its parts call."""
    torch.set_num_threads(1)
    _, net, data, manifest = frame.load(Paper.find(slug, ROOT))

    async def made():  # where no loop runs, every page of gradio's makes some and leaves them open
        return local.PAGES[slug](net, data, manifest)

    page = asyncio.run(made())
    return page, manifest, next(iter(page.fns.values())).fn


@pytest.mark.parametrize("slug", SLUGS)
def test_every_demo_has_a_page_with_its_failure_cases(slug, local):
    assert sorted(local.PAGES) == sorted(SLUGS)
    page, manifest, _ = built(local, slug)
    config = json.dumps(page.config if hasattr(page, "config") else page.get_config_file(), default=str)
    for row in manifest["failures"]:
        shown = row.get("input") or (f"{row['kind']} {row['label']}" if "label" in row else f"seed {row['seed']}")
        assert json.dumps(shown)[1:-1] in config


def test_a_drawn_one_is_read_and_an_empty_pad_is_not(local):
    _, _, read = built(local, "lenet")
    pad = np.zeros((280, 280, 4), dtype=np.uint8)
    assert read({"composite": pad}) == read(None) == {}
    pad[40:240, 130:150] = (0, 0, 0, 255)
    found = read({"composite": pad})
    assert max(found, key=found.get) == "1"
    assert sum(found.values()) == pytest.approx(1, abs=1e-5)


def test_a_text_is_gone_on_with(local):
    _, manifest, go_on = built(local, "gpt2")
    row = manifest["failures"][0]
    assert go_on(row["input"], 0.1, 0.01).startswith(row["input"] + row["output"])


def test_digits_are_turned_around_beside_a_picture_of_every_head(local):
    _, manifest, show = built(local, "transformer")
    words, figure = show("reverse", "90817, please")
    assert words.startswith("71809 (")
    assert len(figure.axes) == manifest["sizes"]["layers"] * manifest["sizes"]["heads"]
    row = manifest["failures"][0]
    assert show(row["task"], row["input"])[0].startswith(row["output"])


def test_a_walk_ends_where_the_failures_say(local):
    _, manifest, show = built(local, "ddpm")
    row, pixels = manifest["failures"][0], manifest["pictures"][0]
    film, chances = show(row["seed"], 100, "beta")
    assert film.size == (6 * 10 * 14, 6 * 2 * 14)
    end = 255 - np.asarray(film)[3::6, 3::6][1:13, -13:-1].astype(int)  # the last picture of the upper row
    assert np.abs(end.flatten() - pixels).max() <= 1
    assert max(chances, key=chances.get) == str(row["answer"])
    assert max(chances.values()) == pytest.approx(row["confidence"], abs=1e-4)


def test_the_command_serves_a_page_on_this_machine_alone_and_asks_nothing_of_others(local):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "paperimpl", "demo", "transformer", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as serving:
        try:
            assert f"serving transformer at http://127.0.0.1:{port}/" in serving.stdout.readline()
            text = ""
            while not text and serving.poll() is None:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
                        text = answer.read().decode()
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/theme.css", timeout=60) as answer:
                        style = answer.read().decode()
                except urllib.error.URLError:
                    time.sleep(0.2)
            assert "Where the heads of a Transformer look" in text
            assert "--button-primary" in style
            assert "googleapis" not in style
            others = re.findall(r"""(?:<script[^>]*src|<link[^>]*stylesheet[^>]*href)=["'](https?://[^"']*)""", text)
            assert [url for url in others if f"127.0.0.1:{port}" not in url] == []
        finally:
            serving.kill()


def test_gradio_is_imported_with_its_analytics_off(local):
    code = "import os, paperimpl.demos.local, gradio; print(gradio.analytics.analytics_enabled())"
    told = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"
