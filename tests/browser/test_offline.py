"""Without a network: the site as a folder that is opened by `file://`, and as an app that keeps what was read."""

import re
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import expect

from .conftest import PATIENCE, Watched

PAPER, SLUG = "02-optimization/adamw/index.html", "adamw"
KINDS = {
    "home": "index.html",
    "paper": PAPER,
    "chapter": "02-optimization/index.html",
    "demo": "01-foundations/lenet/index.html",
    "notebook": "lessons/backprop_by_hand.html",
    "path": "paths/gpt_in_ten_steps.html",
    "papers": "papers.html",
    "evidence": "evidence.html",
    "graph": "graph.html",
    "review": "review.html",
    "progress": "progress.html",
    "questions": "questions.html",
    "missing": "404.html",
}


class Page(HTMLParser):
    """What a page links and what it can be linked at."""

    def __init__(self, path):
        super().__init__()
        self.links, self.places = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if value and name in ("href", "src", "poster", "data-graph"):
                self.links.append(value)
            elif value and name == "srcset":
                self.links += [part.split()[0] for part in value.split(",")]
            elif value and name == "content" and "url=" in value:
                self.links.append(value.split("url=")[1])
            elif value and name in ("id", "name"):
                self.places.add(value)


def dead(site):
    """List the links within a site that lead to no file, or to a place that the page has not."""
    pages = {path.resolve(): Page(path) for path in site.rglob("*.html")}
    found = []
    for path, page in pages.items():
        for link in page.links:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            to = (path.parent / unquote(url.path)).resolve() if url.path else path
            if link.startswith("/") or not to.is_file() or not to.is_relative_to(site.resolve()):
                found.append(f"{path.relative_to(site)}: {link}")
            elif url.fragment and to in pages and unquote(url.fragment) not in pages[to].places:
                found.append(f"{path.relative_to(site)}: {link}")
    return found


@pytest.fixture
def carried(chromium, folder):
    """Open a page from the folder: `carried(PAPER, color_scheme="dark")`."""
    contexts = []

    def opened(path="index.html", before="", **options):
        context = chromium.new_context(**options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        if before:
            context.add_init_script(before)
        watched = Watched(context.new_page(), f"{folder.as_uri()}/")
        watched.failed = []
        watched.page.on("requestfailed", lambda request: watched.failed.append(request.url))
        watched.go(path)
        return watched

    yield opened
    for context in contexts:
        context.close()


def test_every_link_of_the_folder_leads_to_a_file_in_it(folder):
    assert len(list(folder.rglob("*.html"))) > 100
    assert dead(folder) == []


def test_links_that_a_folder_cannot_follow_are_found(tmp_path):
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers/index.html").write_text('<p id="here">')
    links = ["papers/", "/papers/index.html", "../x.html", "none.html", "papers/index.html#there"]
    sound = ["papers/index.html#here", "https://example.org/", "#top", "mailto:a@b.c"]
    page = "".join(f'<a href="{link}">' for link in (*links, *sound)) + '<i id="top">'
    (tmp_path / "index.html").write_text(page)
    assert dead(tmp_path) == [f"index.html: {link}" for link in links]


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_from_a_folder_asks_no_other_host_misses_nothing_and_complains_of_nothing(kind, carried):
    watched = carried(KINDS[kind])
    expect(watched.page.locator("html")).to_have_attribute("data-reader", "")  # modules have run
    assert watched.page.evaluate("document.documentElement.scrollHeight") > 600
    watched.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    watched.page.wait_for_load_state("networkidle")
    assert watched.said == watched.missing == watched.failed == watched.strangers == []


def test_our_own_fonts_are_shown_from_a_folder(carried):
    page = carried(PAPER).page
    loaded = page.evaluate("document.fonts.ready.then(() => [...document.fonts].filter(f => f.status === 'loaded').map(f => f.family))")
    assert {"Newsreader", "Inter", "JetBrains Mono", "KaTeX_Main"} <= {name.strip('"') for name in loaded}


def test_search_from_a_folder_finds_a_note_and_leads_to_it(carried):
    page = carried(PAPER).page
    page.keyboard.press("s")
    page.get_by_role("textbox", name="Search").press_sequentially("carousel")
    found = page.locator(".md-search-result__link").first
    expect(found).to_contain_text("Long Short-Term Memory")
    found.click()
    page.wait_for_url(re.compile(r"/lstm/index\.html\?h=carousel"))


def test_a_link_shows_what_it_leads_to_from_a_folder(carried):
    watched = carried(PAPER)
    link = watched.page.locator("article p a[href$='adam/index.html']").first
    link.scroll_into_view_if_needed()
    link.hover()
    expect(watched.page.get_by_role("dialog")).to_contain_text("Adam")
    assert watched.said == watched.failed == []


def test_the_graph_is_drawn_from_a_folder_and_leads_to_a_note(carried):
    watched = carried("graph.html")
    field = watched.page.get_by_role("combobox")
    if not field.count():
        field = watched.page.locator("[data-graph] input")
    field.first.fill("Adam")
    watched.page.keyboard.press("Enter")
    watched.page.wait_for_url(re.compile(r"02-optimization/adam"))
    assert watched.said == watched.failed == []


def test_the_evidence_is_sorted_from_a_folder(carried):
    page = carried("evidence.html").page
    heading = page.locator("[data-sortable] th button").first
    heading.click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_count(1)


@pytest.mark.parametrize("slug", ["01-foundations/lenet", "02-optimization/momentum", "05-transformers/gpt2"])
def test_a_demo_starts_from_a_folder(slug, carried):
    watched = carried(f"{slug}/index.html")
    box = watched.page.locator("[data-demo]")
    box.get_by_role("button", name=re.compile("^Start")).click()
    expect(box.locator(".demo-stage")).to_be_visible()
    assert watched.said == watched.failed == watched.strangers == []


def test_a_drawn_digit_is_read_from_a_folder(carried):
    page = carried("01-foundations/lenet/index.html", viewport={"width": 1280, "height": 1200}).page
    page.get_by_role("button", name=re.compile("^Start")).click()
    pad = page.locator(".demo-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    scale = box["width"] / 280
    for n, (x, y) in enumerate([(70, 70), (130, 68), (205, 70), (180, 120), (150, 170), (130, 220)]):
        page.mouse.move(box["x"] + x * scale, box["y"] + y * scale, steps=6)
        if n == 0:
            page.mouse.down()
    page.mouse.up()
    expect(page.locator(".demo-answer strong")).to_have_text("7")


def test_progress_is_kept_from_a_folder_from_page_to_page(carried):
    watched = carried(PAPER)
    page = watched.page
    mark = page.locator(f"[data-mark={SLUG}]").first
    mark.click()
    expect(mark).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(mark).to_have_attribute("aria-pressed", "true")
    watched.go("progress.html")
    expect(page.locator("[data-sum=papers]").first).to_have_text("1")
    watched.go("papers.html")
    expect(page.locator("article a[href*='adamw'][data-read]").first).to_be_attached()
    assert watched.said == []


def test_a_browser_that_keeps_nothing_of_a_folder_is_told_of(carried):
    disabled = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
    page = carried("progress.html", before=disabled).page
    expect(page.locator("[data-trouble]").first).to_contain_text("does not let the site keep anything")


def test_cards_are_reviewed_from_a_folder(carried):
    watched = carried("review.html")
    page = watched.page
    page.get_by_label("everything").check()
    page.get_by_role("button", name=re.compile("^Turn")).click()
    page.get_by_role("button", name=re.compile("^Good")).click()
    expect(page.locator("[data-counts]")).to_contain_text(re.compile(r"1 of \d+ begun"))
    assert watched.said == watched.failed == []


def test_progress_is_exported_from_a_folder(carried):
    page = carried("progress.html").page
    with page.expect_download() as saved:
        page.locator("[data-do=export]").click()
    assert saved.value.suggested_filename.startswith("paperimpl-progress-")


def test_an_answer_waits_for_five_minutes_from_a_folder(carried):
    page = carried(PAPER).page
    think = page.locator("details.think").first
    think.locator("summary").click()
    expect(think).to_contain_text(re.compile("4:5|5:00|minutes"))


def test_a_folder_that_is_served_works_as_well(visit, folder):
    from .conftest import served

    with served(folder.parent / folder.name) as found:
        watched = visit(f"../a%20folder/{PAPER}", base=found)
        expect(watched.page.locator("html")).to_have_attribute("data-reader", "")
        assert watched.said == watched.missing == watched.strangers == []
