"""The numbers behind the figures of claims, as tables below them."""

import base64
import itertools
import json
import re
from pathlib import Path
from statistics import fmean

import pytest
from bs4 import BeautifulSoup

from paperimpl.markdown.extension import Context
from paperimpl.publish.figures import ROWS, described, panels, picked
from paperimpl.publish.pages import Publication
from paperimpl.vault.check import Health
from paperimpl.vault.evidence import Effect
from paperimpl.vault.result import Recorded, Run, number

VAULT = Path(__file__).parents[2] / "vault"
ONE = "vault/04-sequences/one/one"
BOX = '<p><span class="claim-figure-box" data-figure="{}"><svg><title>t</title></svg></span></p>\n<p>Next.</p>'


def curve(count, *, shift=0.0):
    x = [float(n) for n in range(count)]
    return {"x": x, "series": {"net": [n / 7 + shift for n in x], "half": [n / 14 for n in x]}} | {
        "x_label": "steps <s>",
        "y_label": "loss & more",
        "log_x": False,
        "log_y": False,
    }


def recorded(seeds=3, points=60, images=0):
    runs = [
        Run(
            seed,
            {"our_net": 0.25 + seed / 9, "theirs": 1e-7 * (seed + 1), "weights": 1234.0},
            True,
            1.0,
            {"Learning": curve(points, shift=seed)},
            {f"picture {n}": [[0, 0.5], [n + 1, 2], [3, -1]] for n in range(images)},
        )
        for seed in range(seeds)
    ]
    units = {"our_net": "share wrong", "theirs": "share wrong"}
    return Recorded("", "", "", units, runs, {}, Effect("our_net - theirs", "a share"))


def test_what_was_measured_is_a_row_a_number_a_column_a_seed_and_the_mean():
    effect, wrong, other, _ = panels(recorded())
    assert wrong["caption"] == "Share wrong"
    assert wrong["head"] == ["", "seed 0", "seed 1", "seed 2", "mean"]
    assert wrong["rows"] == [
        ["our net", "0.25", "0.361", "0.472", "0.361"],
        ["theirs", "1.00 × 10⁻⁷", "2.00 × 10⁻⁷", "3.00 × 10⁻⁷", "2.00 × 10⁻⁷"],
    ]
    assert (other["caption"], other["rows"]) == ("Measured", [["weights", "1,234", "1,234", "1,234", "1,234"]])
    assert effect["caption"] == "The effect, our net - theirs: a share"
    assert effect["rows"][0][:5] == ["effect", "0.25", "0.361", "0.472", "0.361"]
    assert " to " in effect["rows"][0][5]


def test_a_long_curve_is_thinned_and_says_so_and_a_short_one_is_whole():
    long, short = (panels(recorded(points=points))[-1] for points in (60, ROWS))
    assert (len(long["rows"]), long["note"]) == (ROWS, f"{ROWS} of 60 points")
    assert [long["rows"][end][0] for end in (0, -1)] == ["0", "59"]
    assert (len(short["rows"]), short["note"]) == (ROWS, "")


def test_a_curves_table_holds_the_means_of_the_seeds():
    table = panels(recorded())[-1]
    assert table["head"] == ["steps <s>", "net", "half"]
    assert table["caption"] == "Learning: loss & more, mean of 3 seeds"
    assert table["rows"][-1] == ["59", number(59 / 7 + 1), number(59 / 14)]


def test_a_curve_whose_seeds_stopped_at_different_steps_shows_one_seed_and_says_which():
    runs = [Run(n, {"a": 1.0}, True, 1.0, {"Learning": curve(3 + n // 2, shift=n)}, {}) for n in range(3)]
    table = panels(Recorded("", "", "", {}, runs, {}))[-1]
    assert table["caption"] == "Learning: loss & more, seed 0"
    assert [row[1] for row in table["rows"]] == ["0", "0.143", "0.286"]


@pytest.mark.parametrize("count", [1, 2, ROWS, ROWS + 1, 53, 100, 1000])
def test_points_are_picked_evenly_with_both_ends_and_none_twice(count):
    found = picked(count)
    assert (found[0], found[-1]) == (0, count - 1)
    steps = {after - before for before, after in itertools.pairwise(found)}
    assert not steps or (min(steps) >= 1 and max(steps) - min(steps) <= 1)
    assert len(found) == min(count, ROWS)


def published(small, result=None):
    """Paper one's page, made of a figure and a sentence."""
    if result:
        small.write(f"{ONE}.claim.json", result.dump())
    health = Health(small.root)
    made = Publication(Context(health.index, health, repository=small.root), small.root, "", False)
    note = health.index.notes["04-sequences/one/one.md"]
    return lambda html: BeautifulSoup(made.compose(note, html, lambda path: f"to:{path}", ""), "html.parser")


def test_the_numbers_stand_below_the_figure_and_lead_to_all_of_them(small):
    page = published(small, recorded(images=2))(BOX.format("one"))
    details = page.select_one("details.figure-numbers")
    assert details.find_previous_sibling("p").select_one(".claim-figure-box")
    assert details.find_next_sibling("p").text == "Next."
    assert details.has_attr("data-search-exclude")
    assert details.select_one("a")["href"] == "to:04-sequences/one/one.claim.json"
    assert "thinned" in details.text
    said = "The 2 images show seed 0, dark for large: picture 0 (3 by 2, -1 to 3); picture 1 (3 by 2, -1 to 3)."
    assert said in details.text
    for table in details.select("table"):
        assert table.caption.text
        assert all(cell["scope"] == "col" for cell in table.select("thead th"))
        assert all(row.find("th")["scope"] == "row" for row in table.select("tbody tr"))
        assert len({len(row.find_all(["th", "td"])) for row in table.select("tr")}) == 1
        scrolls = table.parent
        assert (scrolls["tabindex"], scrolls["role"]) == ("0", "region")
        assert details.select_one(f"#{scrolls['aria-labelledby']}") is table.caption
    assert "steps <s>" in [cell.text for cell in details.select("thead th")]


def test_words_that_follow_a_figure_in_its_paragraph_stay_below_the_numbers(small):
    page = published(small)(BOX.format("one").replace("</span></p>", "</span> and so on.</p>"))
    details = page.select_one("details.figure-numbers")
    assert details.parent.name == "[document]"
    assert details.find_next_sibling("p").text == " and so on."


def test_a_figure_that_is_shown_twice_has_its_numbers_once_and_a_strange_one_none(small):
    page = published(small)(BOX.format("one") * 2 + BOX.format("elsewhere"))
    assert len(page.select(".claim-figure-box")) == 3
    assert len(page.select("details.figure-numbers")) == 1


DRAWN = """<svg xmlns="http://www.w3.org/2000/svg" width="614" height="898">
<title>one &amp; its seeds</title><desc>5 seeds: a "b" &lt; c</desc>
<g data-panel="measured" data-unit="m"><g data-legend="x"/><g data-legend="y"/></g>
<g data-panel="curves" data-title="A &amp; B"><g><g data-series="a_b"><path style="stroke: #111" d="M 0 0"/></g>
<g data-legend="a_b"><path style="fill: none; stroke-width: 2; stroke: var(--figure-series-1, #c2410c); x: y"/></g>
<g data-legend="a_b"><text>a_b</text></g><g data-legend="c &lt; d"><text>c</text></g></g></g>
<g data-panel="curves" data-title="Alone"><g data-legend="only"><path style="stroke: #222"/></g></g>
</svg>"""


def drawn(small, drawing=DRAWN):
    """Paper one's page with a drawing of its own, that is in the vault."""
    small.write(f"{ONE}.claim.svg", drawing)
    return published(small)(BOX.format("one").replace("<svg><title>t</title></svg>", drawing))


def test_a_picture_in_the_drawings_size_and_with_its_words_stands_in_its_place(small):
    page = drawn(small)
    box = page.select_one(".claim-figure-box")
    assert box.select("svg") == page.select("svg")[:0] == []
    image = box.select_one("img.claim-figure")
    assert (image["src"], image["loading"]) == ("to:04-sequences/one/one.claim.svg", "lazy")
    assert (image["width"], image["height"]) == ("614", "898")
    assert image["alt"] == 'one & its seeds. 5 seeds: a "b" < c'
    assert page.select("details.figure-numbers")


def test_the_legend_of_a_drawing_is_buttons_that_wait_for_it(small):
    rows = drawn(small).select(".figure-legend-row")
    assert [row["aria-label"] for row in rows] == ["A & B"]  # one line alone cannot be hidden
    first, second = rows[0].select("button")
    assert (first["value"], first.text, second["value"]) == ("a_b", "a b", "c < d")
    assert first.i["style"] == "background:var(--figure-series-1, #c2410c)"
    assert not second.i.has_attr("style")
    assert all(button.has_attr("disabled") for button in rows[0].parent.select("button"))
    assert "(2)" in rows[0].parent.select_one(".figure-legend-fold").text


@pytest.mark.parametrize("how", ["not XML", "no size", "not in the vault"])
def test_a_drawing_that_no_picture_can_stand_for_stays(how, small):
    if how == "not in the vault":
        page = published(small)(BOX.format("one").replace("<svg><title>t</title></svg>", DRAWN))
    else:
        page = drawn(small, DRAWN.replace(*{"not XML": ("&amp;", "&nbsp;"), "no size": (' width="614"', "")}[how]))
    assert page.select_one(".claim-figure-box > svg")
    assert page.select("details.figure-numbers")


@pytest.mark.parametrize("path", sorted(VAULT.rglob("*.claim.json")), ids=lambda path: path.name.split(".")[0])
def test_the_tables_of_every_claim_hold_what_was_recorded(path):
    result = Recorded.load(path)
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"]
    tables = panels(result)
    rows = {row[0]: row[1:] for table in tables if table["by_seed"] for row in table["rows"]}
    for key in runs[0]["measured"]:
        values = [run["measured"][key] for run in runs]
        assert rows[key.replace("_", " ")] == [*map(number, values), number(fmean(values))]
    curves = [table for table in tables if not table["by_seed"]]
    assert len(curves) == len(runs[0]["curves"])
    for table, (title, first) in zip(curves, runs[0]["curves"].items(), strict=True):
        assert table["caption"].startswith(title)
        assert table["head"] == [first["x_label"], *first["series"]]
        assert table["rows"][-1][0] == number(first["x"][-1])
        for column, name in enumerate(first["series"], start=1):
            last = fmean(run["curves"][title]["series"][name][-1] for run in runs)
            assert table["rows"][-1][column] == number(float(f"{last:.6g}"))
        assert bool(table["note"]) == (len(first["x"]) > ROWS)


@pytest.mark.parametrize("path", sorted(VAULT.rglob("*.claim.svg")), ids=lambda path: path.name.split(".")[0])
def test_every_figure_says_in_words_what_it_shows(path):
    text = path.read_text(encoding="utf-8")
    title, told = (BeautifulSoup(text, "html.parser").find(name).text for name in ("title", "desc"))
    result = Recorded.load(path.with_suffix(".json"))
    assert re.match(r"\w+, what \d+ seeds measured: ", title)
    assert all(curve in told for curve in result.runs[0].curves)
    assert all(f"{key} " in told for key in result.keys)


def test_a_notebooks_figure_is_told_by_its_section_and_its_own_words():
    drawn = "<svg><text>0</text><text x='1'>step &amp; h</text><text>−0.25</text><text><tspan>8</tspan></text>"
    source = base64.b64encode(f"{drawn}<text>loss</text><text>loss</text></svg>".encode()).decode()
    image = '<img alt="No description has been provided for this image" class="" src="data:image/svg+xml;base64,{}"/>'
    page = f'<h2 id="a">A <em>"walk"</em><a class="headerlink">¶</a></h2>{image.format(source)}<h2>Later</h2>'
    assert BeautifulSoup(described(page), "html.parser").img["alt"] == 'Figure, A "walk": step & h; loss'
    bare = image.format(source).replace("svg+xml", "png")
    assert BeautifulSoup(described(bare), "html.parser").img["alt"] == "Figure"
    given = image.format(source).replace("No description has been provided for this image", "A hill.")
    assert described(given) == given


def test_no_picture_of_this_site_is_without_words(real):
    built, _ = real
    untold = [
        (path.parent.name, image[:120])
        for path in sorted(built.site.rglob("*.html"))
        for image in re.findall(r"<img [^>]*>", path.read_text(encoding="utf-8"))
        if 'class="cover"' not in image and not re.search(r'alt="(?!No description)[^"]*\w{3}', image)
    ]
    assert untold == []
