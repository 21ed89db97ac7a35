"""Claims' figures as a reader meets them: values by pointer, finger and key, legends, schemes, the numbers below."""

import io
import json
import re
from pathlib import Path
from statistics import fmean

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from paperimpl.vault.paper import Paper
from paperimpl.vault.result import number

ROOT = Path(__file__).parents[2]
LSTM = "04-sequences/lstm/"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
TITLE = "Learning to add"


@pytest.fixture(scope="module")
def runs():
    return json.loads(Paper.find("lstm", ROOT).places["result"].read_text(encoding="utf-8"))["runs"]


def figure(page):
    """Bring the page's figure into sight, the drawing in its picture's place."""
    box = page.locator(".claim-figure-box").first
    box.scroll_into_view_if_needed()
    expect(box.locator("svg.claim-figure")).to_be_visible()
    expect(box.locator(".figure-legend button:disabled")).to_have_count(0)
    return box


def shown(box, title=TITLE):
    """The buttons of a panel's legend."""
    return box.get_by_role("group", name=title).get_by_role("button")


def place(page, series, point, title=TITLE):
    """Where a point of a line's mean is on the screen; it is scrolled to the middle."""
    return page.evaluate(
        """([title, series, point]) => {
          const panel = document.querySelector(`[data-panel=curves][data-title="${title}"]`);
          const line = panel.querySelector(`[data-series="${series}"][data-mean] path`);
          line.scrollIntoView({block: 'center', behavior: 'instant'});
          const [x, y] = line.getAttribute('d').match(/-?[\\d.]+/g).map(Number).slice(2 * point, 2 * point + 2);
          const at = new DOMPoint(x, y).matrixTransform(line.getScreenCTM());
          return [at.x, at.y];
        }""",
        [title, series, point],
    )


def recorded(runs, series, point):
    """The mean of a line at a point, as readers are told it."""
    return number(float(f"{fmean(run['curves'][TITLE]['series'][series][point] for run in runs):.6g}"))


def test_a_pointer_at_a_line_is_told_the_recorded_value(visit, runs):
    watched = visit(LSTM)
    box = figure(watched.page)
    told = box.locator(".figure-readout")
    expect(told).to_be_hidden()
    watched.page.mouse.move(*place(watched.page, "RNN", 30))
    expect(told).to_be_visible()
    said = f"RNN mean of 5 seeds {recorded(runs, 'RNN', 30)} mean squared error 310 batches of 64 sequences"
    expect(told).to_have_text(said)
    watched.page.mouse.move(2, 300)
    expect(told).to_be_hidden()
    assert watched.said == []


def test_a_pointer_at_a_dot_is_told_its_seed_and_value(visit, runs):
    page = visit(LSTM).page
    box = figure(page)
    dot = box.locator('[data-panel="measured"] [data-series="LSTM"][data-seed] use').nth(2)
    dot.evaluate("(dot) => dot.scrollIntoView({block: 'center', behavior: 'instant'})")
    seen = dot.bounding_box()
    page.mouse.move(seen["x"] + seen["width"] / 2, seen["y"] + seen["height"] / 2)
    value = number(runs[2]["measured"]["LSTM"])
    expect(box.locator(".figure-readout")).to_have_text(
        f"LSTM seed 2 {value} share of sums off by more than 0.04, T = 100"
    )


def test_a_finger_is_told_too_and_a_tap_elsewhere_ends_it(visit, runs):
    watched = visit(LSTM, **PHONE)
    box = figure(watched.page)
    told = box.locator(".figure-readout")
    watched.page.touchscreen.tap(*place(watched.page, "RNN", 10))
    expect(told).to_contain_text(f"{recorded(runs, 'RNN', 10)} mean squared error")
    seen, room = told.bounding_box(), box.bounding_box()
    assert room["x"] <= seen["x"]
    assert seen["x"] + seen["width"] <= room["x"] + room["width"] + 1
    watched.page.touchscreen.tap(195, 100)
    expect(told).to_be_hidden()
    assert watched.said == []


def test_keys_walk_from_value_to_value_and_escape_leaves(visit, runs):
    watched = visit(LSTM)
    page, box = watched.page, figure(watched.page)
    keys, told = box.get_by_role("application"), box.locator(".figure-readout")
    assert (told.get_attribute("aria-live"), told.get_attribute("role")) == ("polite", "status")
    shown(box).last.focus()
    for _ in range(3):  # the second panel's two entries, then the values
        page.keyboard.press("Tab")
    expect(keys).to_be_focused()
    expect(told).to_contain_text("effect seed 0 0.839")
    page.keyboard.press("ArrowRight")
    expect(told).to_contain_text("effect seed 1 0.834")
    page.keyboard.press("End")
    expect(told).to_contain_text("effect mean of 5 seeds 0.84 ")
    expect(told).to_contain_text("95% interval 0.835 to 0.846")
    page.keyboard.press("ArrowDown")
    expect(told).to_contain_text("LSTM seed 0 0.0043 ")
    for _ in range(2):
        page.keyboard.press("PageDown")
    expect(told).to_contain_text(f"LSTM mean of 5 seeds {recorded(runs, 'LSTM', 0)} mean squared error 10 batches")
    page.keyboard.press("ArrowRight")
    expect(told).to_contain_text(f"{recorded(runs, 'LSTM', 1)} mean squared error 20 batches")
    page.keyboard.press("ArrowDown")
    expect(told).to_contain_text(f"LSTM seed 0 {number(runs[0]['curves'][TITLE]['series']['LSTM'][1])} mean")
    page.keyboard.press("Escape")
    expect(told).to_be_hidden()
    expect(keys).not_to_be_focused()
    assert watched.said == []


def lines(page, series, title=TITLE):
    """Whether each line of a series is to be seen."""
    return page.evaluate(
        """([title, series]) => [...document.querySelectorAll(
          `[data-panel=curves][data-title="${title}"] [data-series="${series}"] path`
        )].map((line) => getComputedStyle(line).visibility === 'visible')""",
        [title, series],
    )


def test_an_entry_of_the_legend_hides_its_line_and_brings_it_back_and_the_axes_stay(visit):
    watched = visit(LSTM)
    page, box = watched.page, figure(watched.page)
    lstm, rnn = shown(box).all()
    axes = "() => [...document.querySelectorAll('.claim-figure text')].map((text) => text.outerHTML).join()"
    before = page.evaluate(axes)
    assert lines(page, "RNN") == [True] * 6
    rnn.click()
    assert rnn.get_attribute("aria-pressed") == "false"
    assert (lines(page, "RNN"), lines(page, "LSTM")) == ([False] * 6, [True] * 6)
    assert page.evaluate(axes) == before
    assert lines(page, "RNN", "An error on its way back, before training") == [True] * 6
    page.mouse.move(*place(page, "RNN", 50))
    expect(box.locator(".figure-readout")).to_be_hidden()  # of a line that is not there nothing is told
    lstm.click()
    assert lstm.get_attribute("aria-pressed") == "true"
    expect(box.locator(".figure-readout")).to_have_text("One line has to stay.")
    for key in ("Enter", "Space"):
        rnn.press(key)
        assert lines(page, "RNN") == [key == "Enter"] * 6
    rnn.click()
    assert lines(page, "RNN") == [True] * 6
    assert watched.said == []


def test_with_shift_or_twice_an_entry_leaves_its_line_alone_and_then_brings_all_back(visit):
    page = visit("02-optimization/adam/").page
    box = figure(page)
    title = "Logistic regression, each at its best step size"
    buttons = shown(box, title)
    expect(buttons).to_have_count(6)

    def pressed():
        return [button.get_attribute("aria-pressed") for button in buttons.all()]

    alone = ["false", "true", "false", "false", "false", "false"]
    buttons.nth(1).click(modifiers=["Shift"])
    assert pressed() == alone
    buttons.nth(1).click(modifiers=["Shift"])
    assert pressed() == ["true"] * 6
    buttons.nth(1).dblclick()
    assert pressed() == alone
    buttons.nth(1).press("Shift+Enter")
    assert pressed() == ["true"] * 6


def test_entries_lie_on_their_words_and_none_on_another(visit):
    page = visit("02-optimization/momentum/", viewport={"width": 1280, "height": 900}).page
    buttons = shown(figure(page), "A deep autoencoder of digits, in training")
    boxes = [button.bounding_box() for button in buttons.all()]
    assert len(boxes) == 6
    for n, one in enumerate(boxes):
        assert one["height"] >= 23
        for other in boxes[n + 1 :]:
            apart = max(abs(one["x"] - other["x"]) - min(one["width"], other["width"]), abs(one["y"] - other["y"]))
            assert apart >= 20 or one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
    words = page.locator(".claim-figure [data-legend='Nesterov 99'] text").bounding_box()
    button = buttons.filter(has_text=re.compile("^Nesterov 99$")).bounding_box()
    assert button["x"] < words["x"]
    assert button["x"] + button["width"] > words["x"] + words["width"]
    assert button["y"] <= words["y"] + words["height"] / 2 <= button["y"] + button["height"]


def test_without_scripts_there_are_the_picture_and_the_numbers(visit, runs):
    page = visit(LSTM, java_script_enabled=False).page
    expect(page.locator("img.claim-figure")).to_be_visible()
    assert page.locator("img.claim-figure").evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 614
    expect(page.locator(".figure-legend")).to_be_hidden()
    expect(page.locator(".figure-keys")).to_have_count(0)
    page.locator("details.figure-numbers > summary").click()
    row = page.locator("details.figure-numbers tr", has=page.get_by_role("rowheader", name="RNN error left"))
    expect(row).to_contain_text(number(runs[1]["measured"]["RNN_error_left"]))


@pytest.mark.parametrize("path", [LSTM, "06-generative/gan/", "06-generative/ddpm/"])
def test_on_a_phone_the_page_does_not_scroll_sideways_and_figure_and_tables_do_within(path, visit):
    page = visit(path, **PHONE).page
    box = figure(page)
    page.locator("details.figure-numbers > summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert box.evaluate("(box) => box.scrollWidth > box.clientWidth")
    wide = "(boxes) => boxes.map((box) => box.scrollWidth > box.clientWidth).some(Boolean)"
    assert page.locator(".figure-numbers-scroll").evaluate_all(wide)
    fold = box.get_by_role("button", name=re.compile(r"Show or hide lines \(\d+\)"))
    legend = box.locator(".figure-legend")
    assert 24 <= legend.bounding_box()["height"] <= 40  # one line
    fold.press("Enter")
    expect(fold).to_have_attribute("aria-expanded", "true")
    sizes = [button.bounding_box() for button in legend.get_by_role("button").all()]
    assert len(sizes) == 1 + int(re.search(r"\d+", fold.text_content())[0])
    assert all(size["height"] >= 24 and size["width"] >= 24 for size in sizes)
    fold.click()
    expect(legend.get_by_role("button")).to_have_count(1)


@pytest.mark.parametrize(("preferred", "other"), [("light", "dark"), ("dark", "light")])
def test_figures_follow_the_scheme_that_the_reader_chose_and_not_the_systems(preferred, other, visit):
    page = visit(LSTM, color_scheme=preferred).page
    figure(page)
    colours = """() => {
      const seen = (selector, key) => getComputedStyle(document.querySelector(`.claim-figure ${selector}`))[key];
      return [seen('[data-mean][data-series=RNN] path', 'stroke'), seen('text', 'fill')];
    }"""
    told = {
        "light": ["rgb(31, 34, 39)", "rgb(86, 91, 102)"],
        "dark": ["rgb(231, 228, 220)", "rgb(169, 174, 185)"],
    }
    assert page.evaluate(colours) == told[preferred]
    page.locator("label.md-header__button:visible[for^=__palette]").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate" if other == "dark" else "default")
    assert page.evaluate(colours) == told[other]


@pytest.mark.parametrize("options", [{}, PHONE], ids=["wide", "phone"])
def test_figures_have_no_barriers_that_axe_knows(options, visit):
    page = visit(LSTM, **options).page
    box = figure(page)
    page.locator("details.figure-numbers > summary").click()
    page.mouse.move(*place(page, "RNN", 30))
    expect(box).to_have_attribute("aria-label", re.compile("^Figure: lstm, what 5 seeds measured: "))
    found = Axe().run(page, context={"include": [[".claim-figure-box"], [".figure-numbers"]]})
    assert [violation["id"] for violation in found.response["violations"]] == []


def asked(watched):
    """What of figures a page has asked for, by the names of the files, in their order."""
    return [name for url in watched.asked if re.search(r"(figures\.js|\.claim\.svg)$", name := url.rsplit("/", 1)[1])]


@pytest.mark.parametrize("options", [{}, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("path", [LSTM, "02-optimization/adam/"])
def test_nothing_moves_when_a_figure_that_came_near_answers_and_before_nothing_is_asked_for(path, options, visit):
    watched = visit(path, **({"viewport": {"width": 1280, "height": 900}} | options))
    page, box = watched.page, watched.page.locator(".claim-figure-box")
    assert box.bounding_box()["y"] > 900 + 2500  # far, for browsers ask early for pictures, too
    assert asked(watched) == []
    page.evaluate("""() => {
      window.moves = [];
      const note = (list) => window.moves.push(...list.getEntries().map(({ value }) => value));
      new PerformanceObserver(note).observe({ type: "layout-shift", buffered: false });
    }""")
    places = """() => [...document.querySelectorAll('.claim-figure, .claim-figure-box, .claim-figure-box ~ *,'
      + '.figure-legend, .figure-numbers, h2')].map((element) => {
        const { x, y, width, height } = element.getBoundingClientRect();
        return [x, y + scrollY, width, height].map(Math.round).join();
      })"""
    before = page.evaluate(places)
    figure(page)
    expect(box.locator("img")).to_have_count(0)
    assert page.evaluate(places) == before
    assert page.evaluate("moves") == []
    slug = path.split("/")[1]
    assert set(asked(watched)) == {"figures.js", f"{slug}.claim.svg"}
    assert asked(watched).count("figures.js") == 1
    assert watched.said == []


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404, "body": "<p>no"},
        {"status": 200, "content_type": "text/html", "body": "<!doctype html><title>Sign in</title>"},
        {
            "status": 200,
            "content_type": "image/svg+xml",
            "body": "<svg xmlns='http://www.w3.org/2000/svg'><g data-panel",
        },
        None,
    ],
    ids=["gone", "another page", "cut", "no network"],
)
def test_a_drawing_that_cannot_be_had_leaves_its_picture_and_is_asked_for_when_the_figure_is_asked_again(answer, visit):
    watched = visit(LSTM)
    page, box = watched.page, watched.page.locator(".claim-figure-box")

    def refuse(route):
        if route.request.resource_type != "fetch":
            route.fallback()
        elif answer:
            route.fulfill(**answer)
        else:
            route.abort()

    page.route("**/lstm.claim.svg", refuse)
    with page.expect_request(lambda request: request.resource_type == "fetch"):
        box.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    image = box.get_by_role("img")
    expect(image).to_have_attribute("alt", re.compile(r"^lstm, what 5 seeds measured: .*\. 5 seeds: effect 0\.84"))
    assert image.evaluate("(image) => image.complete && image.naturalWidth") == 614
    expect(box.locator("svg, .figure-keys")).to_have_count(0)
    expect(box.locator(".figure-legend button:enabled")).to_have_count(0)
    with page.expect_request(lambda request: request.resource_type == "fetch"):
        image.hover()
    page.unroute("**/lstm.claim.svg")
    expect(box.locator("svg, .figure-keys")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    box.focus()
    expect(box.locator("svg.claim-figure")).to_be_visible()
    page.keyboard.press("Tab")  # the focus was not lost
    expect(shown(box).first).to_be_focused()
    assert [text for text in watched.said if not text.startswith("Failed to load resource")] == []


def test_a_script_that_cannot_be_had_is_asked_for_again_with_the_figure(visit):
    watched = visit(LSTM)
    page, box = watched.page, watched.page.locator(".claim-figure-box")
    page.route("**/figures.js", lambda route: route.abort())
    with page.expect_event("requestfailed", lambda request: request.url.endswith("figures.js")):
        box.scroll_into_view_if_needed()
    page.unroute("**/figures.js")
    expect(box.locator("svg")).to_have_count(0)
    box.focus()
    expect(box.locator("svg.claim-figure")).to_be_visible()
    assert [text for text in watched.said if not text.startswith("Failed to load resource")] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_figure_that_nobody_scrolled_to_is_printed_and_in_light_colours(scheme, visit):
    watched = visit(LSTM, color_scheme=scheme)
    page = watched.page
    assert asked(watched) == []
    image = "document.querySelector('img.claim-figure')"
    loading = page.evaluate(f"() => {{ dispatchEvent(new Event('beforeprint')); return {image}.loading; }}")
    assert loading == "eager"
    expect(page.locator("svg.claim-figure")).to_be_attached()
    page.emulate_media(media="print")
    ink = page.locator(".claim-figure text").first.evaluate("(text) => getComputedStyle(text).fill")
    assert ink == "rgb(86, 91, 102)"


def test_paper_shows_the_picture_where_no_drawing_came(visit):
    watched = visit(LSTM)
    watched.page.route("**/figures.js", lambda route: route.abort())
    watched.page.pdf()
    image = watched.page.locator("img.claim-figure")
    assert image.evaluate("(image) => image.complete && image.naturalWidth") == 614


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_picture_that_the_drawing_never_took_the_place_of_has_the_pages_scheme_and_paper_is_light(scheme, visit):
    page = visit(
        LSTM, color_scheme="light" if scheme == "dark" else "dark", viewport={"width": 1280, "height": 900}
    ).page
    page.route("**/figures.js", lambda route: route.abort())
    page.locator("label.md-header__button:visible[for^=__palette]").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate" if scheme == "dark" else "default")
    image = page.locator("img.claim-figure")
    image.scroll_into_view_if_needed()
    image.evaluate("(image) => image.decode()")

    def ink():
        """The lightest and the darkest of the picture's tick labels and ground, as they are seen."""
        shot = Image.open(io.BytesIO(image.screenshot())).convert("L")
        return shot.getextrema()

    page.evaluate("document.querySelectorAll('.md-top').forEach((button) => button.remove())")
    darkest, lightest = ink()
    ground = {"light": lightest > 240 and darkest < 60, "dark": lightest > 210 and darkest < 40}
    assert ground[scheme], (darkest, lightest)
    page.emulate_media(media="print")
    darkest, lightest = ink()
    assert lightest > 240
    assert darkest < 90, "light ink on white paper"


def test_a_page_without_a_figure_brings_nothing_of_them(visit):
    watched = visit("glossary/")
    assert not [url for url in watched.asked if "/assets/figures/" in url]
    assert watched.page.locator("[data-later]").count() == 0
