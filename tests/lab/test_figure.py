import base64
import io
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from paperimpl.lab.figure import draw
from paperimpl.vault.evidence import Effect
from paperimpl.vault.result import Recorded, Run

VAULT = Path(__file__).parents[2] / "vault"
SVG = "{http://www.w3.org/2000/svg}"


def panel(x, **series):
    return {"x": x, "series": series, "x_label": "step", "y_label": "loss & <error>", "log_x": False, "log_y": True}


def result(seeds=5, images=0):
    """Two units, one of them over three decades; curves; images."""
    runs = [
        Run(
            seed,
            {"LSTM": 0.001 * (seed + 1), "Elman": 0.85, "steps": 100 + seed},
            True,
            1.0,
            {"Loss -- by step": panel([1, 2, 3], a=[1, 0.5, 0.25 / (seed + 1)], b=[3, 2, 1])},
            {f"filter {n}": [[0, 1, 2], [3, 4, n]] for n in range(images)},
        )
        for seed in range(seeds)
    ]
    return Recorded("Says.", "Holds.", "sha256:0", {"LSTM": "share", "Elman": "share", "steps": "steps"}, runs, {})


@pytest.fixture(scope="module")
def figure():
    return draw(result(images=2), "lstm")


def test_a_result_draws_the_same_text_every_time(figure):
    assert draw(result(images=2), "lstm") == figure


@pytest.mark.slow
def test_it_draws_the_same_text_in_every_process():
    program = (
        "import hashlib; from paperimpl.lab.figure import draw; from paperimpl.vault.result import Recorded, Run\n"
        "runs = [Run(s, {'a': 0.1 * s + 1, 'b': 7.0}, True, 1.0, {}, {'w': [[0, 1], [s, 2]]}) for s in range(5)]\n"
        "print(hashlib.sha256(draw(Recorded('', '', '', {}, runs, {}), 'x').encode()).hexdigest())"
    )
    printed = {
        subprocess.check_output([sys.executable, "-c", program], env=os.environ | {"PYTHONHASHSEED": seed})
        for seed in ("1", "2")
    }
    assert len(printed) == 1


def test_it_is_an_svg_with_a_name_and_a_description(figure):
    svg = ElementTree.fromstring(figure)
    assert svg.tag == f"{SVG}svg"
    assert svg.get("role") == "img"
    labels = {element.get("id"): element.text for element in svg if element.tag in (f"{SVG}title", f"{SVG}desc")}
    assert svg.get("aria-labelledby", "").split() == list(labels)
    assert list(labels.values()) == [
        "lstm, what 5 seeds measured: 3 measured numbers, a dot a seed, curves of Loss -- by step, 2 images",
        "5 seeds: LSTM 0.001 to 0.005; Elman 0.85 to 0.85; steps 100 to 104. Loss -- by step (loss & <error> by step), "
        "on average: a from 1 to 0.114; b from 3 to 1. Images of seed 0: filter 0; filter 1",
    ]
    width, height = (float(svg.get(side, "0")) for side in ("width", "height"))
    _, _, x, y = (float(n) for n in svg.get("viewBox", "").split())
    assert width / height == pytest.approx(x / y, rel=0.01)


def test_text_is_text_in_the_pages_own_font(figure):
    told = "".join(ElementTree.fromstring(figure).itertext())
    for word in ("LSTM", "Elman", "steps", "share", "Loss -- by step", "loss & <error>", "filter 1"):
        assert word in told
    assert set(re.findall(r"font-family: ([^;\"]*)", figure)) <= {"var(--figure-font, system-ui, sans-serif)"}
    assert "DejaVu" not in figure


def test_every_colour_is_a_variable_with_a_value_for_either_scheme(figure):
    style = re.search(r"<style>(@media .*?)</style>", figure)
    assert style
    body = figure.replace(style[0], "")
    used = re.findall(r"(?:fill|stroke): ([^;\"]+)", body)
    assert used
    for colour in set(used):
        assert colour == "none" or re.fullmatch(r"var\(--figure-[a-z]+(-\d)?, #[0-9a-f]{6}\)", colour), colour
    for name in set(re.findall(r"var\((--figure-[a-z]+(?:-\d)?), #", body)):
        assert f"{name}:#" in style[1]


def test_no_style_reaches_beyond_the_figure(figure):
    for style in ElementTree.fromstring(figure).iter(f"{SVG}style"):
        for selector in re.findall(r"(?:^|[{}])([^{}@]+)\{", style.text or ""):
            assert ".claim-figure" in selector


def test_two_figures_in_one_page_share_no_id(figure):
    other = draw(result(images=2), "gru")
    ids = [re.findall(r'\sid="([^"]+)"', text) for text in (figure, other)]
    assert len(ids[0]) == len(set(ids[0]))
    assert not set(ids[0]) & set(ids[1])
    for text, known in zip((figure, other), ids, strict=True):
        pointed = re.findall(r'(?:href="#|url\(#)([^")]+)', text)
        assert pointed
        assert set(pointed) <= set(known)


def test_nothing_in_it_comes_from_elsewhere_or_tells_when_it_was_drawn(figure):
    assert not re.search(r'(?:href|src)="(?!#|data:image/png;base64,)', figure)
    assert "<metadata" not in figure
    assert "matplotlib.org" not in figure


@pytest.mark.parametrize("images", [1, 4, 5, 8])
def test_every_image_and_no_empty_frame_is_drawn(images):
    figure = draw(result(images=images), "lstm")
    assert len(re.findall(r">filter \d<", figure)) == images
    assert ">0.5<" not in figure  # a label of an axis that shows nothing
    assert [grey.shape for grey, _ in painted(figure)] == [(2, 3)] * images


def test_an_image_is_a_square_a_cell_dark_for_large_in_the_hue_of_the_page():
    image = [[0, 0, 1, 1], [1, 0, 0, 0], [0, 1, 0.5, 1]]
    ((grey, square),) = painted(
        draw(Recorded("", "", "", {}, [Run(0, {"a": 0.0}, True, 1.0, {}, {"flat": image})], {}), "x")
    )
    assert grey.tolist() == [[10, 10, 255, 255], [255, 10, 10, 10], [10, 255, 133, 255]]
    width, height = (float(square.get(side, "0")) for side in ("width", "height"))
    assert width / 4 == pytest.approx(height / 3, abs=0.01)
    assert square.get("style", "").startswith("fill: var(--figure-series-2, #")


def painted(drawn):
    """The images of a drawing: the grey of their cells as they let a hue through, and what is seen through them."""
    svg = ElementTree.fromstring(drawn)
    masks = {mask.get("id"): mask.find(f"{SVG}image") for mask in svg.iter(f"{SVG}mask")}
    found = []
    for square in svg.iter(f"{SVG}rect"):
        if masked := square.get("mask"):
            image = masks[masked.removeprefix("url(#").removesuffix(")")]
            data = image.get("{http://www.w3.org/1999/xlink}href").removeprefix("data:image/png;base64,")
            found.append((np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), square))
            assert [image.get(key) for key in ("x", "y", "width", "height")] == [
                square.get(key) for key in ("x", "y", "width", "height")
            ]
    return found


def test_every_dot_and_line_says_what_it_stands_for():
    run = result()
    svg = ElementTree.fromstring(draw(replace(run, effect=Effect("Elman - LSTM", "a share & more")), "lstm"))
    said = [panel for panel in svg.iter(f"{SVG}g") if panel.get("data-panel")]
    assert [panel.get("data-panel") for panel in said] == ["effect", "measured", "measured", "curves"]
    effect, shares, _, curves = said
    assert effect.get("data-unit") == "a share & more"
    dots, bar, *_ = [part for part in shares.iter() if part.get("data-series") == "LSTM"]
    assert dots.get("data-seed") == "0 1 2 3 4"
    assert [float(number) for number in dots.get("data-y").split()] == run.values("LSTM")
    assert len(list(dots.iter(f"{SVG}use"))) == 5
    assert (bar.get("data-mean"), float(bar.get("data-y"))) == ("5", pytest.approx(0.003))
    assert (curves.get("data-title"), curves.get("data-x"), curves.get("data-y-label")) == (
        "Loss -- by step",
        "1 2 3",
        "loss & <error>",
    )
    lines = [part for part in curves.iter() if part.get("data-series") == "a"]
    assert [(line.get("data-seed"), line.get("data-mean")) for line in lines] == [
        *((str(seed), None) for seed in range(5)),
        (None, "5"),
    ]
    assert [float(line.get("data-y").split()[-1]) for line in lines] == pytest.approx(
        [*(0.25 / (seed + 1) for seed in range(5)), 0.25 * (1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5) / 5], rel=1e-5
    )
    assert {part.get("data-legend") for part in curves.iter()} == {None, "a", "b"}


def test_every_recorded_figure_has_a_corner_a_value():
    for path in sorted(VAULT.rglob("*.claim.svg")):
        for panel in ElementTree.parse(path).getroot().iter(f"{SVG}g"):
            for line in panel.iter(f"{SVG}g") if panel.get("data-panel") == "curves" else ():
                if line.get("data-series"):
                    corners = re.findall("[ML] ", line.find(f".//{SVG}path").get("d"))
                    assert len(corners) == len(line.get("data-y").split()), (path.name, line.get("data-series"))


def test_one_seed_and_no_curve_can_be_drawn():
    only = Recorded("", "", "", {}, [Run(0, {"a": 0.0}, True, 1.0, {}, {"flat": [[1, 1]]})], {})
    drawn = draw(only, "x")
    assert "flat" in "".join(ElementTree.fromstring(drawn).itertext())
    assert len(re.findall(r"<use [^>]*series-1", drawn)) == 1
    assert [grey.tolist() for grey, _ in painted(drawn)] == [[[10, 10]]]


def test_seeds_that_stopped_at_different_steps_can_be_drawn():
    runs = [Run(n, {"a": 1.0}, True, 1.0, {"L": panel(list(range(1, n + 3)), a=[1.0] * (n + 2))}, {}) for n in range(2)]
    drawn = draw(Recorded("", "", "", {}, runs, {}), "x")
    seeds = re.findall(r'<path d="([^"]*)"[^>]*stroke-opacity', drawn)
    assert [len(re.findall("[ML]", line)) for line in seeds] == [2, 3]  # points of each seed's line
    assert re.findall(r'data-seed="\d" data-y="1[ 1]*" data-x="([^"]*)"', drawn) == ["1 2", "1 2 3"]


def test_the_effect_is_drawn_with_every_seed_its_interval_and_no_effect():
    weighed = replace(result(), effect=Effect("Elman - LSTM", "share"))
    drawn, plain = draw(weighed, "lstm"), draw(result(), "lstm")
    dots = [len(re.findall(r"<use [^>]*series-1", text)) for text in (drawn, plain)]
    assert dots[0] == dots[1] + 5
    assert "Elman - LSTM; 95% interval shaded, dashes at no effect" in drawn
    assert "5 seeds: effect 0.847, 95% interval" in drawn
    assert "95%" not in plain
