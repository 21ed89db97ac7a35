import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from paperimpl.lab.figure import draw
from paperimpl.vault.evidence import Effect
from paperimpl.vault.result import Recorded, Run

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
        "lstm: the claim, measured",
        "5 seeds: LSTM 0.001 to 0.005; Elman 0.85 to 0.85; steps 100 to 104",
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
    assert not re.search(r'(?:href|src)="(?!#)', figure)
    assert "<metadata" not in figure
    assert "matplotlib.org" not in figure


@pytest.mark.parametrize("images", [1, 4, 5, 8])
def test_every_image_and_no_empty_frame_is_drawn(images):
    figure = draw(result(images=images), "lstm")
    assert len(re.findall(r">filter \d<", figure)) == images
    assert ">0.5<" not in figure  # a label of an axis that shows nothing
    squares = sum(path.count("z") for path, _ in painted(figure))
    assert squares == 6 * images - (images > 4)  # filter 4 has two equal cells side by side


def test_cells_that_are_equally_dark_are_one_path_and_cover_their_places():
    image = [[0, 0, 1, 1], [1, 0, 0, 0], [0, 1, 1, 1]]
    drawn = draw(Recorded("", "", "", {}, [Run(0, {"a": 0.0}, True, 1.0, {}, {"flat": image})], {}), "x")
    found = painted(drawn)
    assert len(found) == 2
    boxes = {}
    for path, opacity in found:
        for box in path.split("z")[:-1]:
            x, y = zip(*[map(float, point) for point in re.findall(r"[ML] ([\d.]+) ([\d.]+)", box)], strict=True)
            boxes[min(x), min(y)] = (max(x) - min(x), max(y) - min(y), opacity)
    side = min(width for width, *_ in boxes.values())
    assert [height for _, height, _ in boxes.values()] == pytest.approx([side] * 6, abs=1e-4)
    widths = [
        (round(width / side), float(opacity or 1)) for _, (width, _, opacity) in sorted(boxes.items(), key=by_row)
    ]
    assert widths == [(2, 0.04), (2, 1.0), (1, 1.0), (3, 0.04), (1, 0.04), (3, 1.0)]


def painted(drawn):
    """What is painted in the hue of images: each path, and its opacity where it is not whole."""
    return re.findall(
        r'<path d="([^"]*)" clip-path=[^>]*style="fill: var\(--figure-series-2[^;"]*(?:; opacity: ([\d.]+))?', drawn
    )


def by_row(item):
    """Sort boxes of a drawing as one reads them."""
    (x, y), _ = item
    return round(y, 2), x


def test_one_seed_and_no_curve_can_be_drawn():
    only = Recorded("", "", "", {}, [Run(0, {"a": 0.0}, True, 1.0, {}, {"flat": [[1, 1]]})], {})
    drawn = draw(only, "x")
    assert "flat" in "".join(ElementTree.fromstring(drawn).itertext())
    assert len(re.findall(r"<use [^>]*series-1", drawn)) == 1
    assert [path.count("z") for path, _ in painted(drawn)] == [1]  # equal cells side by side are one square


def test_seeds_that_stopped_at_different_steps_can_be_drawn():
    runs = [Run(n, {"a": 1.0}, True, 1.0, {"L": panel(list(range(1, n + 3)), a=[1.0] * (n + 2))}, {}) for n in range(2)]
    seeds = re.findall(r'<path d="([^"]*)"[^>]*stroke-opacity', draw(Recorded("", "", "", {}, runs, {}), "x"))
    assert [len(line.split("\n")) - 1 for line in seeds] == [2, 3]  # points of each seed's line


def test_the_effect_is_drawn_with_every_seed_its_interval_and_no_effect():
    weighed = replace(result(), effect=Effect("Elman - LSTM", "share"))
    drawn, plain = draw(weighed, "lstm"), draw(result(), "lstm")
    dots = [len(re.findall(r"<use [^>]*series-1", text)) for text in (drawn, plain)]
    assert dots[0] == dots[1] + 5
    assert "Elman - LSTM; 95% interval shaded, dashes at no effect" in drawn
    assert "5 seeds: effect 0.847, 95% interval" in drawn
    assert "95%" not in plain
