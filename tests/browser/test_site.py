"""The published site as a reader meets it."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

KINDS = {
    "home": "",
    "chapter": "04-sequences/",
    "paper": "04-sequences/lstm/",
    "lesson": "lessons/reading_a_paper/",
    "notebook": "lessons/autograd/",
    "path": "paths/gpt_in_ten_steps/",
    "papers": "papers/",
    "evidence": "evidence/",
    "wanted": "wanted/",
    "progress": "progress/",
    "review": "review/",
    "open questions": "questions/",
    "404": "no/such/page/",
}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

every_kind = pytest.mark.parametrize("kind", KINDS)
in_both_schemes = pytest.mark.parametrize("scheme", ["light", "dark"])


def test_a_reader_clicks_from_home_to_a_chapter_to_a_paper_to_its_code(visit):
    page = visit().page
    page.locator(".chapters").get_by_role("link", name="Sequences and embeddings").click()
    expect(page.locator("h1")).to_have_text(re.compile("Sequences and embeddings"))
    page.locator("article").get_by_role("link", name="LSTM", exact=True).first.click()
    expect(page.locator("header h1")).to_have_text("Long Short-Term Memory")
    link = page.locator(".paper-links").get_by_role("link", name="Code").get_attribute("href")
    assert re.fullmatch(r"https://github\.com/[\w/-]+/blob/main/src/paperimpl/papers/lstm\.py", link)
    page.get_by_role("link", name="the model", exact=True).click()
    expect(page.locator("h1")).to_have_text("The code of Long Short-Term Memory")
    expect(page.get_by_role("heading", name="The model")).to_be_in_viewport()
    expect(page.locator("#the-model + .highlight")).to_contain_text("class LSTMCell")
    page.locator("#the-model + .highlight").get_by_role("link", name="eq. A.2").first.click()
    expect(page.locator("header h1")).to_have_text("Long Short-Term Memory")
    expect(page.locator("[id='eq-A.2']")).to_be_in_viewport()


def test_the_timeline_says_the_idea_of_the_paper_that_is_pointed_at_and_leads_to_it(visit):
    page = visit().page
    drawing = page.locator(".timeline")
    expect(drawing.locator(".point")).to_have_count(page.locator(".years li").count())
    said = drawing.locator("figcaption")
    expect(said).to_contain_text("Each point is a paper")
    height = said.bounding_box()["height"]
    point = drawing.locator(".point", has=page.locator("circle")).and_(page.locator('[href="04-sequences/lstm/"]'))
    point.locator("circle").last.hover()
    expect(said).to_contain_text("1997 · Long Short-Term Memory")
    assert said.bounding_box()["height"] == pytest.approx(height, abs=1)  # nothing below moves
    page.mouse.move(5, 5)
    expect(said).to_contain_text("Each point is a paper")
    point.locator("circle").last.click()
    expect(page.locator("header h1")).to_have_text("Long Short-Term Memory")


def test_search_finds_the_carousel_in_the_paper_that_has_it(visit):
    page = visit("papers/").page
    page.get_by_role("textbox", name="Search").click()
    page.get_by_role("textbox", name="Search").press_sequentially("carousel")
    page.locator(".md-search-result__item a", has_text="Long Short-Term Memory").first.click()
    expect(page).to_have_url(re.compile(r"/04-sequences/lstm/"))
    expect(page.locator("header h1")).to_have_text("Long Short-Term Memory")


def test_the_evidence_is_sorted_by_a_heading_and_filtered_by_words_and_verdicts(visit):
    page = visit("papers/").page
    page.locator(".md-nav--primary").get_by_role("link", name="Evidence").click()
    names = page.locator(".evidence-table tbody th")
    expect(names.first).to_be_visible()
    in_order = names.all_text_contents()
    years = [row.locator("td").first.inner_text() for row in page.locator(".evidence-table tbody tr").all()]
    year = page.get_by_role("button", name="Year")
    year.click()
    expect(page.get_by_role("columnheader", name="Year")).to_have_attribute("aria-sort", "ascending")
    year.click()
    latest_first = sorted(zip(years, in_order, strict=True), key=lambda row: -int(row[0]))  # ties stay as they were
    expect(names).to_have_text([name for _, name in latest_first])
    page.get_by_label("Find").fill("LSTM")
    expect(names.filter(visible=True)).to_have_text(["Long Short-Term Memory"])
    expect(page.locator("[data-said]")).to_have_text(f"1 of {len(in_order)} papers")
    page.get_by_label("Find").fill("")
    page.get_by_label("Verdict").select_option("reproduced")
    expect(names.filter(visible=True).first).to_be_visible()


def test_the_evidence_is_whole_without_scripts(visit):
    page = visit("evidence/", java_script_enabled=False).page
    expect(page.locator(".evidence-table tbody tr").first).to_be_visible()
    expect(page.locator(".evidence-bar")).to_be_hidden()
    expect(page.get_by_role("heading", name="What we could not reproduce")).to_be_visible()


@every_kind
def test_a_page_asks_nothing_of_another_host_misses_nothing_and_complains_of_nothing(kind, visit):
    watched = visit(KINDS[kind])
    for _ in range(20):
        watched.page.mouse.wheel(0, 3000)
    watched.page.keyboard.press("/")
    watched.page.wait_for_function("document.fonts.status === 'loaded'")
    watched.page.wait_for_load_state("networkidle")
    page_itself = [watched.address + KINDS[kind]] if kind == "404" else []
    assert watched.strangers == []
    assert watched.missing == page_itself
    assert [text for text in watched.said if not (kind == "404" and "status of 404" in text)] == []


def test_what_a_page_asks_of_others_misses_and_complains_of_is_seen(visit):
    watched = visit("papers/")
    with watched.page.expect_request(lambda request: "localhost" in request.url):
        watched.page.evaluate("() => { new Image().src = location.href.replace('127.0.0.1', 'localhost') }")
    with watched.page.expect_response(lambda answer: answer.url.endswith("nothing.png")):
        watched.page.evaluate("() => { new Image().src = 'nothing.png' }")
    with watched.page.expect_event("pageerror"):
        watched.page.evaluate("() => { console.error('this'); setTimeout(() => { throw new Error('that') }) }")
    assert len(watched.strangers) == 1
    assert len(watched.missing) == 1
    assert {"this", "that"} <= set(watched.said)


WITH_MATH = ["04-sequences/lstm/", "lessons/autograd/", "02-optimization/adam/"]


@pytest.mark.parametrize("path", WITH_MATH)
def test_formulas_are_drawn_with_scripts_off(path, visit):
    watched = visit(path, java_script_enabled=False)
    for selector in (".katex", ".katex-display > .katex"):
        size = watched.page.locator(selector).first.bounding_box()
        assert size["width"] > 5
        assert size["height"] > 5
    assert [
        url for url in watched.asked if re.search(r"/KaTeX_Math-Italic\.[^/]*woff2$|/KaTeX_Math-Italic\.woff2$", url)
    ]
    assert watched.page.evaluate("document.fonts.check('16px KaTeX_Math')")


def test_answers_open_with_scripts_off(visit):
    page = visit("04-sequences/lstm/", java_script_enabled=False).page
    for kind in ("think", "solution", "card"):
        details = page.locator(f"details.{kind}").first
        answer = details.locator("> :not(summary)").first
        expect(answer).to_be_hidden()
        details.locator("> summary").click()
        expect(answer).to_be_visible()


def test_each_answer_opens_alone(visit):
    page = visit("04-sequences/lstm/").page
    page.locator("details.think > summary").first.dblclick()  # the second press ends the time to think
    assert page.locator("details.think").count() == 2
    assert page.locator("details.think[open]").count() == 1


# The contrast of two colours as WCAG counts it; what stands behind an element is looked for among its ancestors.
CONTRAST = """(elements, key) => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgba(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  return elements.map(element => {
    const [a, b] = [light(rgba(getComputedStyle(element)[key])), light(behind(element))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  });
}"""
INKS = {
    "text": ("04-sequences/lstm/", "article > p", "color"),
    "links": ("04-sequences/lstm/", "article p a[href]:not(.headerlink)", "color"),
    "names of what is not written": ("04-sequences/lstm/", ".wanted", "color"),
    "code": ("04-sequences/lstm/", "pre code span", "color"),
    "formulas": ("04-sequences/lstm/", ".katex-html .mord", "color"),
    "what a figure says": ("04-sequences/lstm/", ".claim-figure text", "fill"),
    "navigation": ("04-sequences/lstm/", ".md-tabs__link", "color"),
    "a card of home": ("", ".years .title, .years .idea, .years .by, .years .year, .verdict span", "color"),
    "a chapter of home": ("", ".chapters .title, .chapters .number, .chapters .count", "color"),
    "a notebook's code": ("lessons/autograd/", ".jp-InputArea .highlight span", "color"),
    "what a notebook printed": ("lessons/autograd/", ".jp-OutputArea-output pre", "color"),
    "the footer": ("papers/", ".md-copyright, .md-copyright a", "color"),
}


@pytest.mark.parametrize("ink", INKS)
@in_both_schemes
def test_ink_is_readable_on_its_paper(ink, scheme, visit):
    path, selector, key = INKS[ink]
    page = visit(path, color_scheme=scheme).page
    expect(page.locator("body")).to_have_attribute(
        "data-md-color-scheme", {"light": "default", "dark": "slate"}[scheme]
    )
    if "claim-figure" in selector:  # a picture, until it is near
        page.locator(".claim-figure-box").scroll_into_view_if_needed()
        expect(page.locator("svg.claim-figure")).to_be_visible()
    elements = page.locator(selector)
    assert elements.count()
    ratios = elements.evaluate_all(CONTRAST, key)
    worst = min(range(len(ratios)), key=ratios.__getitem__)
    assert ratios[worst] >= 4.5, elements.nth(worst).evaluate("e => e.outerHTML.slice(0, 200)")


def test_the_measure_of_contrast_knows_black_from_grey(visit):
    page = visit("papers/").page
    page.set_content("<p style='color: #000; background: #fff'>a</p><p style='color: #777; background: #fff'>b</p>")
    assert page.locator("p").evaluate_all(CONTRAST, "color") == pytest.approx([21, 4.48], abs=0.01)


@every_kind
def test_a_phone_needs_no_sideways_scrolling(kind, visit):
    page = visit(KINDS[kind], **PHONE).page
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    wide = page.evaluate(
        """() => [document.documentElement.scrollWidth, ...[...document.querySelectorAll('body *')]
          .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(e).position !== 'fixed')
          .map(e => e.tagName + '.' + e.className).slice(0, 5)]"""
    )
    assert wide[0] <= 390, wide


def test_a_keyboard_skips_to_the_text_and_reaches_the_search(visit):
    page = visit("04-sequences/lstm/").page
    page.keyboard.press("Tab")
    expect(page.locator(".md-skip")).to_be_focused()
    expect(page.locator(".md-skip")).to_be_visible()
    page.keyboard.press("Enter")
    assert re.search(r"#[\w-]+$", page.url)
    page = visit("04-sequences/lstm/").page
    for _ in range(15):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.md-search__input')"):
            break
    expect(page.locator(".md-search__input")).to_be_focused()
    page.keyboard.type("carousel")
    expect(page.locator(".md-search-result__item a").first).to_be_visible()


def test_a_keyboard_opens_an_answer(visit):
    page = visit("04-sequences/lstm/").page
    summary = page.locator("details.think > summary").first
    summary.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")  # enough of thinking
    expect(page.locator("details.think > :not(summary)").first).to_be_visible()


def test_the_scheme_can_be_changed_and_is_remembered(visit):
    watched = visit("papers/", color_scheme="light")
    watched.page.locator("label[title='Switch to dark mode']").click()
    expect(watched.page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    watched.go("04-sequences/lstm/")
    expect(watched.page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")


def test_a_notebook_brings_its_style_as_a_file_and_once(visit):
    watched = visit("lessons/autograd/")
    inline = watched.page.locator("style").evaluate_all("styles => styles.map(style => style.textContent.length)")
    assert sum(inline) < 30_000
    assert len([url for url in watched.asked if url.endswith("assets/paperimpl/jupyter.css")]) == 1
    assert watched.page.locator(".jp-CodeCell").count() > 5
    assert watched.page.locator(".jp-OutputArea-output svg, .jp-OutputArea-output img").count()


def test_a_page_that_is_not_there_says_so_in_the_sites_own_look(visit):
    watched = visit(KINDS["404"])
    heading = watched.page.get_by_role("heading", name="There is no page here")
    expect(heading).to_be_visible()
    font = heading.evaluate("e => getComputedStyle(e).fontFamily")
    assert "Newsreader" in font
    watched.page.keyboard.press("Escape")  # the search for the address's words is open
    watched.page.get_by_role("link", name="paperimpl").first.click()
    expect(watched.page).to_have_url(watched.address)


def test_our_own_fonts_are_the_ones_shown(visit):
    page = visit("04-sequences/lstm/").page
    page.wait_for_function("document.fonts.status === 'loaded'")
    loaded = page.evaluate("[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family)")
    assert {"Newsreader", "Inter", "JetBrains Mono", "KaTeX_Main", "KaTeX_Math"} <= {f.strip("\"'") for f in loaded}


def test_the_paper_a_figure_stands_on_is_the_pages_and_its_ink_follows_the_scheme(visit):
    fills = {}
    for scheme in ("light", "dark"):
        page = visit("04-sequences/lstm/", color_scheme=scheme).page
        page.locator(".claim-figure-box").scroll_into_view_if_needed()
        fills[scheme] = page.locator(".claim-figure text").first.evaluate("e => getComputedStyle(e).fill")
    assert fills["light"] != fills["dark"]


@every_kind
@in_both_schemes
def test_axe_finds_no_serious_barrier(kind, scheme, visit):
    page = visit(KINDS[kind], color_scheme=scheme, reduced_motion="reduce").wake()
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    found = Axe().run(page).response["violations"]
    assert [
        (barrier["id"], node["target"], node["any"][0]["message"] if node["any"] else "")
        for barrier in found
        if barrier["impact"] in ("serious", "critical")
        for node in barrier["nodes"]
    ] == []
