"""Material's script comes with the first sign of somebody who does more than read, and nothing is missed until then."""

import pytest
from playwright.sync_api import expect

PAPER = "04-sequences/lstm/"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
HERE = "!document.querySelector('script[type=\"text/later\"]')"
SCHEME = "document.body.dataset.mdColorScheme"


def bundles(watched):
    """The times that Material's script was asked for."""
    return [url for url in watched.asked if "/javascripts/bundle." in url]


def held(watched):
    """Have the script wait until one says so, and open the page anew."""
    waiting = []
    watched.page.route("**/javascripts/bundle.*", lambda route: waiting.append(route))
    watched.page.reload()
    watched.page.wait_for_load_state("networkidle")

    def come():
        watched.page.wait_for_timeout(100)
        assert len(waiting) == 1
        waiting[0].continue_()
        watched.page.wait_for_function(HERE)
        watched.page.wait_for_timeout(400)  # what it does a moment after it began

    return come


@pytest.mark.parametrize("path", ["", PAPER, "papers/", "evidence/"])
def test_a_page_that_is_only_read_does_not_ask_for_it(path, visit):
    watched = visit(path)
    watched.page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
    watched.page.wait_for_timeout(300)
    assert bundles(watched) == []
    assert watched.page.evaluate("document.documentElement.className") == "js"
    watched.wake()
    assert len(bundles(watched)) == 1
    watched.page.keyboard.press("Tab")
    watched.page.mouse.move(30, 30)
    assert len(bundles(watched)) == 1
    assert watched.said == watched.missing == []


@pytest.mark.parametrize("sign", ["pointer", "wheel", "key", "focus"])
def test_each_sign_of_a_reader_brings_it(sign, visit):
    watched = visit(PAPER)
    page = watched.page
    assert bundles(watched) == []
    if sign == "pointer":
        page.mouse.move(200, 200)
        page.mouse.move(201, 201)
    elif sign == "wheel":
        page.mouse.wheel(0, 200)
    elif sign == "key":
        page.keyboard.press("PageDown")
    else:
        page.locator("article a").first.focus()
    page.wait_for_function(HERE)
    assert len(bundles(watched)) == 1
    assert page.evaluate("[...document.querySelectorAll('.md-sidebar__scrollwrap')].some(part => part.style.height)")


def test_the_first_touch_brings_it(visit):
    watched = visit(PAPER, **PHONE)
    assert bundles(watched) == []
    watched.page.touchscreen.tap(200, 500)
    watched.page.wait_for_function(HERE)
    assert len(bundles(watched)) == 1


@pytest.mark.parametrize("options", [{"viewport": {"width": 1280, "height": 900}}, PHONE], ids=["wide", "phone"])
def test_nothing_moves_when_it_comes(options, visit):
    watched = visit("02-optimization/adam/", **options)
    places = """() => [...document.querySelectorAll("article > *, article td, .md-header, .md-footer")]
        .filter((element) => element.checkVisibility()).map((element) => {
            const { top, left, width, height } = element.getBoundingClientRect();
            return [element.tagName, ...[top, left, width, height].map(Math.round)].join(" ");
        })"""
    before = watched.page.evaluate(places)
    after = watched.wake().evaluate(places)
    assert len(before) > 100
    assert after == before


@pytest.mark.parametrize(("scheme", "name"), [("light", "default"), ("dark", "slate")])
def test_the_systems_colours_and_the_switch_are_there_before_it(scheme, name, visit):
    watched = visit(PAPER, color_scheme=scheme)
    assert watched.page.evaluate(SCHEME) == name
    switch = watched.page.locator("[data-md-component=palette] label:visible")
    expect(switch).to_have_count(1)
    expect(switch).to_have_attribute("title", f"Switch to {'dark' if scheme == 'light' else 'light'} mode")
    assert bundles(watched) == []


def test_a_first_press_on_the_switch_changes_the_colours_and_is_remembered(visit):
    watched = visit(PAPER, color_scheme="light")
    come = held(watched)
    watched.page.locator("[data-md-component=palette] label:visible").click()
    come()
    assert watched.page.evaluate(SCHEME) == "slate"
    watched.page.reload()
    watched.page.wait_for_load_state("networkidle")
    assert watched.page.evaluate(SCHEME) == "slate"
    expect(watched.page.locator("[data-md-component=palette] label:visible")).to_have_attribute(
        "title", "Switch to light mode"
    )


@pytest.mark.parametrize("kept", ["{damaged", "7", "null", '{"index": 99}', '{"index": "__proto__"}'])
def test_a_damaged_memory_of_the_colours_leaves_the_systems(kept, visit):
    watched = visit(PAPER, color_scheme="dark")
    watched.page.evaluate("kept => localStorage.setItem(`${__md_scope.pathname}.__palette`, kept)", kept)
    watched.page.reload()
    watched.page.wait_for_load_state("networkidle")
    assert watched.page.evaluate(SCHEME) == "slate"
    watched.wake()
    assert watched.page.evaluate(SCHEME) == "slate"
    assert watched.said == []


@pytest.mark.parametrize(("toggle", "shut"), [("drawer", ".md-overlay"), ("search", ".md-search__icon[for=__search]")])
@pytest.mark.parametrize("place", ["", "#the-idea"])  # at a place of the page it shuts both as it begins
def test_a_first_tap_opens_the_menu_or_the_search_and_it_stays_open(place, toggle, shut, visit):
    watched = visit(PAPER + place, **PHONE)
    come = held(watched)
    watched.page.locator(f".md-header__button[for=__{toggle}]").tap()
    expect(watched.page.locator(f"#__{toggle}")).to_be_checked()
    come()
    expect(watched.page.locator(f"#__{toggle}")).to_be_checked()
    watched.page.locator(shut).evaluate("label => label.click()")
    expect(watched.page.locator(f"#__{toggle}")).not_to_be_checked()


def test_words_that_are_typed_before_it_came_are_searched_for(visit):
    watched = visit("papers/")
    come = held(watched)
    watched.page.keyboard.press("/")
    watched.page.keyboard.type("carousel")
    come()
    expect(watched.page.locator(".md-search-result__item a").first).to_be_visible()
    assert watched.page.locator("[data-md-component=search-query]").input_value() == "carousel"


def test_a_first_key_that_turns_the_page_turns_it(visit):
    page = visit(PAPER).page
    following = page.locator("link[rel=next]").get_attribute("href")
    with page.expect_navigation():
        page.keyboard.press("n")
    assert page.url.endswith(following.replace("../", ""))


def test_one_that_could_not_be_had_is_asked_for_again(visit):
    watched = visit(PAPER)
    page = watched.page
    page.route("**/javascripts/bundle.*", lambda route: route.abort())
    page.mouse.move(200, 200)
    page.mouse.move(201, 201)
    page.wait_for_timeout(300)
    assert page.evaluate(f"!({HERE})")
    expect(page.locator("article h1")).to_be_visible()
    page.unroute("**/javascripts/bundle.*")
    page.mouse.move(210, 210)
    page.wait_for_function(HERE)


def test_the_page_says_which_script_waits(site):
    text = (site / PAPER / "index.html").read_text(encoding="utf-8")
    assert text.count('<script type="text/later" src="../../assets/javascripts/bundle.') == 1
    assert '<script src="../../assets/javascripts/bundle.' not in text
