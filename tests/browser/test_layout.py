"""How a page is laid out: its column, its margin, equations and their code, and what a printer gets."""

import re

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

LSTM, LESSON = "04-sequences/lstm/", "lessons/decoding/"
WIDE = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

BOXES = "all => all.map(one => { const b = one.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; })"
SHIFTS = """window.shifts = 0;
new PerformanceObserver(list => { for (const one of list.getEntries()) if (!one.hadRecentInput) shifts += one.value; })
  .observe({type: "layout-shift", buffered: true});"""


def boxes(locator):
    return locator.evaluate_all(BOXES)


def apart(one, other):
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


@pytest.mark.parametrize("width", [1920, 1440, 1280, 820, 390])
def test_a_line_of_prose_has_at_most_eighty_letters_and_nothing_sticks_out(visit, width):
    page = visit(LSTM, viewport={"width": width, "height": 900}).page
    letters = (
        page.locator("#the-problem ~ p")
        .nth(2)
        .evaluate(
            """p => { const range = document.createRange(), tops = new Map();
          for (const t of p.childNodes) if (t.nodeType === 3) for (let i = 0; i < t.length; i++) {
            range.setStart(t, i); range.setEnd(t, i + 1);
            const top = Math.round(range.getBoundingClientRect().top); tops.set(top, (tops.get(top) ?? 0) + 1); }
          return Math.max(...tops.values()); }"""
        )
    )
    assert 35 <= letters <= 80
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_notes_stand_beside_their_line_and_over_nothing_else(visit):
    page = visit(LSTM, **WIDE).page
    notes = page.locator(".sidenote")
    expect(notes).to_have_count(2)
    expect(page.locator("article .footnote")).to_be_hidden()
    others = boxes(page.locator("article > :is(p, h2, h3, .highlight, .eq, .math.display), .md-sidebar--secondary"))
    marks = boxes(page.locator(".footnote-ref"))
    for note, mark in zip(boxes(notes), marks, strict=False):
        assert all(apart(note, other) for other in others)
        assert abs(note[1] - mark[1]) < 40


def test_notes_that_are_close_to_each_other_do_not_overlap(visit):
    page = visit(LSTM, **WIDE).page
    page.evaluate(
        """() => { const note = document.querySelector('.sidenote');
          for (let n = 0; n < 3; n++) note.after(note.cloneNode(true)); }"""
    )
    found = boxes(page.locator("p", has=page.locator(".sidenote")).first.locator(".sidenote"))
    assert len(found) == 4
    assert all(apart(one, other) for n, one in enumerate(found) for other in found[:n])


def test_on_a_phone_a_note_opens_in_place_and_the_list_below_has_it_too(visit):
    page = visit(LSTM, **PHONE).page
    note, mark = page.locator(".sidenote").first, page.locator(".footnote-ref").first
    expect(note).to_be_hidden()
    mark.tap()
    expect(note).to_be_visible()
    expect(mark).to_have_attribute("aria-expanded", "true")
    mark.tap()
    expect(note).to_be_hidden()
    expect(page.locator("article .footnote li").first).to_contain_text("The paper prints the indices")


def test_without_scripts_a_mark_leads_to_its_note_and_an_equation_to_its_line(visit):
    page = visit(LSTM, java_script_enabled=False, viewport={"width": 820, "height": 900}).page
    page.locator(".footnote-ref").first.click()
    expect(page).to_have_url(re.compile(r"#fn:"))
    expect(page.locator("article .footnote li").first).to_be_in_viewport()
    page.locator("#eq-A\\.5 .eq-code a").click()
    line = page.locator(".eq-line", has=page.locator(":target"))
    expect(line).to_be_in_viewport()
    expect(line).to_contain_text("net_in, net_out, net_c")
    lit, other = (one.evaluate("e => getComputedStyle(e).backgroundColor") for one in (line, page.locator("pre").first))
    assert lit != other
    line.get_by_role("link", name="eq. A.6").click()
    expect(page.locator("#eq-A\\.6")).to_be_in_viewport()


def test_pointing_at_an_equation_lights_its_lines_and_no_others_and_the_other_way_round(visit):
    page = visit(LSTM, **WIDE).page
    lit = page.locator(".lit")
    page.locator("#eq-A\\.1 .math").hover()
    expect(page.locator(".eq-line.lit").first).to_contain_text("eq. A.1")
    for classes in page.locator(".lit").evaluate_all("all => all.map(one => one.dataset.eq)"):
        assert classes == "A.1"
    line = page.locator(".eq-line", has_text="net_in, net_out, net_c").first
    line.hover()
    expect(page.locator(".eq.lit")).to_have_count(3)
    page.mouse.move(2, 2)
    expect(lit).to_have_count(0)


def test_a_key_goes_from_an_equation_to_its_line_and_back(visit):
    page = visit(LSTM, **WIDE).page
    link = page.get_by_role("link", name="Equation A.5 in the code: line 21 of LSTMCell")
    link.focus()
    expect(page.locator(".eq-line.lit").first).to_contain_text("eq. A.5")
    page.keyboard.press("Enter")
    line = page.locator(".eq-line", has_text="net_in, net_out, net_c").first
    expect(line).to_be_in_viewport()
    page.keyboard.press("Tab")
    expect(line.get_by_role("link", name="eq. A.5")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#eq-A\\.5")).to_be_in_viewport()


def test_a_jump_to_a_line_in_view_moves_nothing_and_one_on_a_phone_moves_only_down(visit):
    page = visit(LSTM, viewport={"width": 1440, "height": 4000}).page
    page.evaluate("document.querySelector('#the-mathematics').scrollIntoView()")
    before = page.evaluate("scrollY")
    page.locator("#eq-A\\.5 .eq-code a").click()
    expect(page.locator(".eq-line.lit").first).to_contain_text("eq. A.5")
    assert page.evaluate("scrollY") == before
    phone = visit("05-transformers/transformer/", **PHONE).page
    phone.locator(".eq-code a").first.tap()
    expect(phone.locator(".eq-line", has=phone.locator(":target"))).to_be_in_viewport()
    assert phone.evaluate("scrollX") == 0


@pytest.mark.parametrize("width", [1440, 390])
def test_an_equations_number_stands_beside_the_equation_never_on_it(visit, width):
    page = visit("05-transformers/transformer/", viewport={"width": width, "height": 900}).page
    pairs = page.locator(".katex-html:has(> .katex-tag)").evaluate_all(
        """all => all.map(one => [Math.max(...[...one.querySelectorAll(':scope > .katex-base')]
          .map(base => base.getBoundingClientRect().right)),
          one.querySelector('.katex-tag').getBoundingClientRect().left])"""
    )
    assert pairs
    for equation, number in pairs:
        assert equation <= number


def test_code_stands_beside_its_text_on_a_wide_screen_and_no_line_of_it_is_cut(visit):
    page = visit(LSTM, viewport={"width": 1920, "height": 1000}).page
    code, text = page.locator(".beside > .highlight").first, page.locator(".beside-text").first
    (left, top, *_), (_, other, right, _) = boxes(code)[0], boxes(text)[0]
    assert right < left
    assert abs(top - other) < 60
    assert code.locator("code").evaluate("e => e.scrollWidth <= e.clientWidth")
    page.set_viewport_size({"width": 1440, "height": 900})
    (left, *_, bottom), (start, below, *_) = boxes(code)[0], boxes(text)[0]
    assert left == start
    assert bottom <= below


@pytest.mark.parametrize("path", [LSTM, LESSON])
@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_moves_while_a_page_loads(chromium, address, path, width):
    context = chromium.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.add_init_script(SHIFTS)
    page.goto(address + path)
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    assert page.evaluate("shifts") < 0.01
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_gets_a_study_sheet_in_the_light_scheme_with_all_answers(visit, scheme):
    page = visit(LSTM, color_scheme=scheme, **WIDE).page
    page.emulate_media(media="print", color_scheme=scheme)
    for hidden in (".md-header", ".md-sidebar", ".md-footer", ".paper-links", ".sidenote", ".eq-code", "#the-evidence"):
        expect(page.locator(hidden).first).to_be_hidden()
    expect(page.locator("article .footnote li").first).to_be_visible()
    expect(page.get_by_role("heading", name="Long Short-Term Memory")).to_be_visible()
    expect(page.get_by_text("Hence the weight is not learned but fixed")).to_be_visible()
    ink, paper = page.evaluate(
        """[getComputedStyle(document.querySelector('#the-problem + p')).color,
          getComputedStyle(document.body).backgroundColor]"""
    )
    assert paper == "rgb(255, 255, 255)"
    assert max(int(part) for part in re.findall(r"\d+", ink)[:3]) < 60


def test_a_study_sheet_is_a4_and_holds_text_mathematics_code_and_answers(visit, tmp_path):
    page = visit(LSTM, color_scheme="dark").page
    sheet = tmp_path / "lstm.pdf"
    page.pdf(path=sheet, prefer_css_page_size=True)
    printed = PdfReader(sheet)
    millimetres = [round(float(side) / 72 * 25.4) for side in printed.pages[0].mediabox[2:]]
    assert millimetres == [210, 297]  # A4
    assert len(printed.pages) <= 10
    text = "\n".join(each.extract_text(extraction_mode="layout") for each in printed.pages)
    for said in (
        "S. Hochreiter",
        "The mathematics",
        "class LSTMCell",
        "Hence the weight is not learned",
        "assert math",
    ):
        assert said in text
    for unsaid in ("Table of contents", "The code, whole", "line 21 of", "Discuss"):
        assert unsaid not in text
