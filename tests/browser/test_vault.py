"""The demonstration vault as a reader meets it: ten lines of `mkdocs.yml`, and everything that Obsidian shows."""

import re
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

KINDS = {
    "note": "welcome/",
    "links": "Links%20rules/Links/",
    "embeds": "Embeds/",
    "callouts": "Callouts/",
    "syntax": "Syntax/",
    "notebook": "Notebooks/Experiment/",
    "graph": "graph/",
    "tag": "tags/demo/",
    "404": "no/such/page/",
}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# Where players are, once more in a new browser: a busy Chromium may lose one, and the page is then never still.
players = pytest.mark.flaky(reruns=1)
every_kind = pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=players) if kind == "embeds" else kind for kind in KINDS]
)


@pytest.fixture
def see(visit, demo):
    """Open a page of the demonstration site."""
    return lambda path="", **options: visit(path, base=demo, **options)


def link(page, name):
    return page.locator("article").get_by_role("link", name=name, exact=True).first


@pytest.mark.parametrize("how", ["mouse", "keyboard"])
def test_a_link_shows_what_it_leads_to(how, see):
    page = see("Links%20rules/Links/").page
    target = link(page, "labelled")
    target.scroll_into_view_if_needed()
    if how == "mouse":
        target.hover()
    else:
        target.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
    expect(page.locator(".preview")).to_contain_text("The second details, not the first.")
    expect(page.locator(".preview")).not_to_contain_text("The first details")
    page.keyboard.press("Escape")
    expect(page.locator(".preview")).to_have_count(0)


def press(page, element, seconds):
    """Lay a finger on an element, and lift it after a while."""
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    touch = {"x": box["x"] + min(box["width"] / 2, 10), "y": box["y"] + box["height"] / 2}
    client = page.context.new_cdp_session(page)
    client.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [touch]})
    page.wait_for_timeout(seconds * 1000)
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_long_press_shows_what_a_link_leads_to_and_a_touch_elsewhere_ends_it(see):
    page = see("Links%20rules/Links/", **PHONE).page
    press(page, link(page, "labelled"), 1.5)
    expect(page.locator(".preview")).to_contain_text("The second details, not the first.")
    assert page.url.endswith("/Links%20rules/Links/")
    box = page.locator(".preview").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.touchscreen.tap(5, 400)
    expect(page.locator(".preview")).to_have_count(0)


def test_a_tap_follows_a_link_and_shows_no_preview(see):
    page = see("Links%20rules/Links/", **PHONE).page
    target = link(page, "labelled")
    target.scroll_into_view_if_needed()
    target.tap()
    expect(page).to_have_url(re.compile(r"/Links%20rules/Target/#second-part$"))
    expect(page.locator(".preview")).to_have_count(0)


def test_a_finger_that_moves_scrolls_and_shows_no_preview(see):
    page = see("Links%20rules/Links/", **PHONE).page
    element = link(page, "labelled")
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    client = page.context.new_cdp_session(page)
    at = {"x": box["x"] + 5, "y": box["y"] + box["height"] / 2}
    for kind, points in (("touchStart", [at]), ("touchMove", [{**at, "y": at["y"] - 60}]), ("touchEnd", [])):
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_timeout(1200)
    expect(page.locator(".preview")).to_have_count(0)
    assert page.url.endswith("/Links%20rules/Links/")


def test_a_link_to_a_block_shows_that_block(see):
    page = see("Links%20rules/Links/").page
    link(page, "Target > ^para").hover()
    expect(page.locator(".preview-text")).to_have_text("A paragraph that has a name.")


def painted(page, canvas):
    """Count the colours, grey ones aside, that stand on a canvas."""
    return page.evaluate(
        """canvas => {
            const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            const seen = new Set();
            for (let i = 0; i < data.length; i += 4) {
                const [r, g, b, a] = data.slice(i, i + 4);
                if (a > 250 && Math.max(r, g, b) - Math.min(r, g, b) > 40) seen.add(`${r >> 4},${g >> 4},${b >> 4}`);
            }
            return seen.size;
        }""",
        canvas.element_handle(),
    )


def test_the_graph_is_drawn_in_a_colour_for_each_folder(see):
    page = see("graph/").page
    canvas = page.locator(".graph canvas")
    expect(canvas).to_be_visible()
    page.wait_for_timeout(500)
    assert painted(page, canvas) >= 4
    folders = page.locator(".graph-legend li")
    assert {"People", "Links rules"} <= {text.split("\n")[0].strip() for text in folders.all_inner_texts()}


def test_a_search_in_the_graph_opens_the_note_it_finds(see):
    page = see("graph/").page
    field = page.get_by_label("Find a note")
    field.fill("babb")
    expect(page.locator(".graph-found li")).to_have_count(1)
    page.locator(".graph-found a").press("Enter")
    expect(page).to_have_url(re.compile(r"/People/Babbage/$"))


def test_the_graph_has_a_list_for_those_who_do_not_see_it(see):
    page = see("graph/").page
    page.locator(".graph-list summary").press("Enter")
    page.locator(".graph-list").get_by_role("link", name="Babbage").press("Enter")
    expect(page).to_have_url(re.compile(r"/People/Babbage/$"))


def test_a_page_draws_its_own_part_of_the_graph_and_a_click_opens_a_neighbour(see):
    page = see("People/Babbage/").page
    canvas = page.locator(".connections-graph canvas")
    canvas.scroll_into_view_if_needed()
    expect(canvas).to_be_visible()
    page.wait_for_timeout(500)
    assert painted(page, canvas) >= 1
    size = canvas.bounding_box()
    for n in range(400):  # somewhere on it a neighbour lies
        x, y = size["x"] + (n % 20 + 0.5) * size["width"] / 20, size["y"] + (n // 20 + 0.5) * size["height"] / 20
        page.mouse.move(x, y)
        if canvas.evaluate("c => c.style.cursor || getComputedStyle(c).cursor") == "pointer":
            page.mouse.click(x, y)
            page.wait_for_timeout(300)
            if "Babbage" not in page.url:
                break
    assert "/People/Ada/" in page.url


def test_a_callout_folds_and_unfolds(see):
    page = see("Callouts/").page
    folded = page.locator("details", has_text="until it is clicked")
    text = folded.get_by_text("Yes, until it is clicked.")
    expect(text).to_be_hidden()
    folded.locator("summary").click()
    expect(text).to_be_visible()
    folded.locator("summary").press("Enter")
    expect(text).to_be_hidden()
    expect(page.get_by_text("It can be folded.")).to_be_visible()


def test_a_callout_folds_and_unfolds_by_keyboard_alone(see):
    page = see("Callouts/").page
    summary = page.locator("details summary", has_text="").first
    details = page.locator("details").first
    was = details.evaluate("d => d.open")
    summary.focus()
    for key, now in (("Enter", not was), ("Space", was)):
        page.keyboard.press(key)
        assert details.evaluate("d => d.open") is now
    page.keyboard.press("Tab")
    assert not summary.evaluate("s => s === document.activeElement")


def test_a_base_is_a_page_of_tables_and_cards_whose_links_lead_on(visit, library):
    page = visit("books.base/", base=library).page
    expect(page.locator(".base-tabs a")).to_have_count(5)
    table = page.locator(".base-table").first
    expect(table.locator("tbody tr")).not_to_have_count(0)
    expect(table.locator("tfoot")).to_contain_text("Sum")
    years = [int(text) for text in table.locator("tbody tr td:nth-child(3)").all_inner_texts()]
    assert years == sorted(years, reverse=True)
    page.locator(".base-tabs").get_by_role("link", name="Shelf").click()
    expect(table).to_be_hidden()
    page.locator(".base-cards img").first.scroll_into_view_if_needed()
    page.wait_for_function("[...document.querySelectorAll('.base-cards img')].some(i => i.naturalWidth > 0)")
    page.locator(".base-cards").first.get_by_role("link", name="Ten Lanterns").click()
    expect(page).to_have_url(re.compile(r"/books/Ten%20Lanterns/$"))


def test_a_canvas_is_a_page_of_cards_and_arrows_whose_links_lead_on(visit, library):
    page = visit("boards/reading%20plan.canvas/", base=library).page
    board = page.locator(".canvas-board").first
    expect(board).to_be_visible()
    nodes = board.locator(".canvas-node")
    assert nodes.count() >= 3
    boxes = [node.bounding_box() for node in nodes.all()]
    assert len({(round(box["x"]), round(box["y"])) for box in boxes}) == len(boxes)  # none on top of another
    assert page.locator(".canvas-edges .canvas-edge").count() >= 4
    assert {"begin here", "then the long one"} <= set(page.locator(".canvas-edge-label").all_inner_texts())
    page.locator(".canvas-node").get_by_role("link", name="A Grammar of Rivers").first.click()
    expect(page).to_have_url(re.compile(r"/books/A%20Grammar%20of%20Rivers/"))


@pytest.mark.parametrize("path", ["somewhere/explored/", "people/babage.html", "Moved/Explored.md"])
def test_what_is_not_found_is_searched_for_by_the_words_of_its_address(path, see):
    page = see(path).page
    words = re.split(r"\W+", path.removesuffix("/").removesuffix(".html"))
    expect(page.locator("[data-md-component=search-query]").first).to_have_value(" ".join(words))


def test_a_note_that_moved_is_among_what_a_search_for_its_old_address_finds(see):
    page = see("explored/").page
    page.locator(".md-search-result__item a", has_text="Explored").first.click()
    expect(page).to_have_url(re.compile(r"/Moved/Explored/"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("archive/2019/explored/", "/Moved/Explored/"),
        ("Long%20ago/Explored%20before/#top", "/Moved/Explored/#top"),
        ("Home/", "/welcome/"),
        ("old/start/", "/welcome/"),
    ],
)
def test_an_old_address_leads_to_where_the_note_is(old, new, see):
    expect(see(old).page).to_have_url(re.compile(re.escape(new) + "$"))


@players
@pytest.mark.parametrize("start", ["Embeds/", "no/such/page/"])
def test_search_finds_a_note_by_its_text(start, see):
    page = see(start).page
    if "such" in start:
        box = page.locator("article input").first
        box = box if box.count() else page.get_by_role("textbox", name="Search").first
    else:
        page.get_by_role("textbox", name="Search").first.click()
        box = page.get_by_role("textbox", name="Search").first
    box.press_sequentially("moved twice")
    page.locator("a:visible", has_text="Explored").first.click()
    expect(page).to_have_url(re.compile(r"/Moved/Explored/"))


@players
def test_players_know_how_long_they_play_and_a_diagram_is_seen(see):
    page = see("Embeds/").page
    for player in ("audio", "video"):
        expect(page.locator(player).first).to_be_visible()
        page.wait_for_function(f"document.querySelector('{player}').duration > 0")
    page = see("Syntax/").page
    diagram = page.locator(".mermaid-figure svg, .mermaid-figure img, .mermaid svg").first
    expect(diagram).to_be_visible()
    assert diagram.bounding_box()["height"] > 50


@every_kind
def test_a_page_asks_nothing_of_another_host_and_complains_of_nothing(kind, see):
    watched = see(KINDS[kind])
    for _ in range(10):
        watched.page.mouse.wheel(0, 3000)
    watched.page.wait_for_load_state("networkidle")
    assert watched.strangers == []
    assert watched.missing == ([watched.address + KINDS[kind]] if kind == "404" else [])
    assert [text for text in watched.said if "404" not in text] == []


# What axe finds and we leave, by rule and selector.
LEFT = {
    # The theme's own: it is on every page of every site of Material.
    ("aria-dialog-name", r"\.md-search$"),
    ("color-contrast", r"\.md-copyright|\.md-search-result"),
    ("landmark-unique", r"\.md-search-result"),  # the tags of what a search finds
    ("color-contrast", r"\.(?:c1|nb)$"),  # its colours of code, 4.47 for 4.5
    # Obsidian's way: a link in a folded callout's title; a heading that is embedded keeps its level.
    ("nested-interactive", r"summary$"),
    ("heading-order", r"^h3$"),
}


def addresses(folder):
    """Every page of a site but redirects."""
    for path in sorted(folder.rglob("*.html")):
        if "http-equiv=refresh" not in path.read_text(encoding="utf-8").replace('"', ""):
            yield quote(path.relative_to(folder).as_posix().removesuffix("index.html"))


@pytest.mark.parametrize("vault", ["demo_site", "library_site"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_read_by_everyone(vault, scheme, visit, request):
    base, folder = request.getfixturevalue(vault)
    watched = visit(base=base, color_scheme=scheme)
    found, pages = [], [*addresses(folder), "no/such/page/"]
    for address in pages:
        page = watched.go(address)
        for broken in Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]:
            for node in broken["nodes"]:
                where = node["target"][-1]
                if not any(rule == broken["id"] and re.search(selector, where) for rule, selector in LEFT):
                    found.append((address, broken["id"], where, node["failureSummary"]))
    assert found == []
    assert len(pages) > 10


@every_kind
def test_a_page_fits_a_phone(kind, see):
    page = see(KINDS[kind], **PHONE).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
