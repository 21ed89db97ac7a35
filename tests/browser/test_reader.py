"""What a reader does with the course: marks, thinks, reviews; and what happens when the browser keeps nothing."""

import json
import re

import pytest
from playwright.sync_api import expect

from .conftest import PATIENCE, Watched

KEY = "paperimpl.reader"
SLUG, PAPER = "adamw", "02-optimization/adamw/"
CARD = {"due": "2026-01-05T00:00:00.000Z", "stability": 3, "difficulty": 5, "reps": 1, "lapses": 0, "state": 2}
WHEN = "2026-01-01T12:00:00.000Z"

DISABLED = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }"


def state(read=(), **parts):
    """A record as the browser holds it."""
    return json.dumps({"version": 1, "read": dict.fromkeys(read, WHEN), "cards": {}, "settings": {}} | parts)


@pytest.fixture
def reader(chromium, address):
    """Open a page as a reader of whom something is stored: `reader(PAPER, state([SLUG]), before=FULL)`."""
    contexts = []

    def opened(path="", stored=None, before="", now=None, **options):
        context = chromium.new_context(**options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        if stored is not None:
            context.add_init_script(f"localStorage.getItem('{KEY}') ?? localStorage.setItem('{KEY}', {stored!r})")
        if before:
            context.add_init_script(before)
        watched = Watched(context.new_page(), address)
        if now:
            watched.page.clock.install(time=now)
        watched.go(path)
        return watched

    yield opened
    for context in contexts:
        context.close()


def stored(page):
    """The record in the browser."""
    return json.loads(page.evaluate(f"localStorage.getItem('{KEY}')"))


def test_a_paper_is_marked_by_keyboard_and_is_still_read_when_one_comes_back(reader):
    watched = reader(PAPER)
    mark = watched.page.get_by_role("button", name="Mark as read")
    expect(mark).to_have_attribute("aria-pressed", "false")
    mark.focus()
    watched.page.keyboard.press("Enter")
    expect(mark).to_have_attribute("aria-pressed", "true")
    expect(watched.page.locator(".onward-mark [role=status]")).to_have_text(re.compile(r"Read on \d+ \w+ \d{4}\."))
    watched.go(PAPER)
    expect(mark).to_have_attribute("aria-pressed", "true")
    mark.click()
    expect(mark).to_have_attribute("aria-pressed", "false")
    assert stored(watched.page)["read"] == {}


def test_what_is_read_is_ticked_in_navigation_in_lists_and_among_what_one_needs(reader):
    watched = reader(PAPER, state(["adam", "lessons/calculus"]))
    page = watched.page
    expect(page.locator("[data-needs] [data-count]")).to_have_text("You have read 1 of 2.")
    ticked = page.locator(".md-nav--primary a[data-read]")
    assert [link.get_attribute("href") for link in ticked.all()] == ["../adam/"]
    watched.go("paths/gpt_in_ten_steps/")
    assert page.locator("article ol > li > a[data-read]").all_text_contents() == ["Calculus", "Adam"]
    watched.go("papers/")
    assert page.locator("td > a[data-read]").count() == 1


def test_a_path_shows_how_far_one_is_and_leads_to_the_first_step_that_is_not_read(reader):
    page = reader("paths/vision_101/", state(["lessons/tensors", "lessons/training_loop"])).page
    track = page.locator("aside.track")
    expect(track.locator("[data-count]")).to_have_text(re.compile(r"2 of \d+ read"))
    expect(track.get_by_role("progressbar")).to_have_attribute("value", "2")
    track.locator("[data-next] a").click()
    expect(page).to_have_url(re.compile("/lessons/softmax_regression/"))


def test_a_lesson_is_marked_on_the_page_of_progress_and_both_pages_know(reader):
    page = reader("progress/").page
    other = page.context.new_page()
    other.goto(page.url.replace("progress/", "lessons/calculus/"))
    page.locator("section.track summary").first.click()
    page.get_by_role("button", name="Calculus: mark as read").first.click()
    expect(page.locator("[data-sum=lessons]")).to_have_text("1")
    expect(other.get_by_role("button", name="Mark as read")).to_have_attribute("aria-pressed", "true")


def test_what_this_version_does_not_know_is_kept(reader):
    page = reader(PAPER, state(version=7, later={"a": [1]}, settings={"theme": "sepia"})).page
    page.get_by_role("button", name="Mark as read").click()
    found = stored(page)
    assert (found["version"], found["later"], found["settings"]) == (7, {"a": [1]}, {"theme": "sepia"})
    assert list(found["read"]) == [SLUG]


@pytest.mark.parametrize(
    ("before", "word"),
    [(DISABLED, "does not let the site keep anything"), (FULL, "no room left")],
    ids=["disabled", "full"],
)
def test_a_browser_that_keeps_nothing_is_told_of_and_the_page_goes_on(before, word, reader):
    watched = reader(PAPER, before=before)
    mark = watched.page.get_by_role("button", name="Mark as read")
    mark.click()
    expect(mark).to_have_attribute("aria-pressed", "true")
    expect(watched.page.locator(".onward-mark [role=status]")).to_contain_text(word)
    watched.go("review/")
    watched.page.get_by_label("everything").check()
    watched.page.get_by_role("button", name="Turn").click()
    watched.page.get_by_role("button", name="Good").click()
    expect(watched.page.locator(".reader-trouble")).to_contain_text(word)
    expect(watched.page.get_by_role("button", name="Turn")).to_be_visible()


@pytest.mark.parametrize("text", ['{"read": {"ad', "[]", '{"version": 1, "read": ["adam"]}', "null"])
def test_a_damaged_record_is_set_aside_whole_told_of_and_can_be_saved(text, reader):
    page = reader("progress/", text).page
    expect(page.locator(".reader-trouble")).to_contain_text("damaged")
    page.locator("section.track summary").first.click()
    page.locator(".ticklist [data-mark]").first.click()
    assert len(stored(page)["read"]) == 1
    page.reload()
    expect(page.locator(".reader-trouble")).to_be_hidden()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the damaged record").click()
    assert saved.value.path().read_text() == text


def test_a_damaged_record_that_cannot_be_set_aside_is_never_written_over(reader):
    page = reader(PAPER, '{"read"', before=FULL).page
    page.get_by_role("button", name="Mark as read").click()
    expect(page.locator(".onward-mark [role=status]")).to_contain_text("left as it was")
    assert page.evaluate(f"localStorage.getItem('{KEY}')") == '{"read"'


def test_progress_is_exported_erased_and_imported_again(reader, tmp_path):
    page = reader("progress/", state([SLUG, "lessons/calculus"], cards={"adamw-1": CARD}, later=1)).page
    with page.expect_download() as saved:
        page.get_by_role("button", name="Export").click()
    file = tmp_path / "progress.json"
    saved.value.save_as(file)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Erase").click()
    expect(page.locator(".progress-said")).to_have_text("Everything is forgotten.")
    assert not page.evaluate(f"Object.keys(localStorage).filter(key => key.startsWith('{KEY}')).length")
    page.locator("[data-file]").set_input_files(file)
    expect(page.locator(".progress-said")).to_have_text("Imported: 2 pages newly read, 1 card with later reviews.")
    found = stored(page)
    assert (set(found["read"]), found["cards"], found["later"]) == ({SLUG, "lessons/calculus"}, {"adamw-1": CARD}, 1)
    expect(page.locator("[data-sum=papers]")).to_have_text("1")


def damaged(**changes):
    return json.dumps({"paperimpl": "progress", "version": 1, "read": {}} | changes)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('{"paperimpl": "progress", "ver', "it is damaged or no JSON"),
        ("", "it is damaged or no JSON"),
        ("[1, 2]", "it is no export of this site"),
        (damaged(paperimpl="other"), "it is no export of this site"),
        (damaged(version="new"), "it does not say its version"),
        (damaged(read=["adam"]), "“read” is no list of names and values"),
        (damaged(read={"adam": 5}), "“read” has \"adam\", which is not a date"),
        (damaged(cards={"a-1": {**CARD, "reps": "x"}}), "“cards” has \"a-1\", which is not the state of a card"),
        (damaged(settings={"timer": None}), "“settings” has \"timer\", which is not a setting"),
    ],
)  # fmt: skip
def test_a_damaged_file_changes_nothing_and_is_told_of_by_name_with_the_reason(text, word, reader, tmp_path):
    page = reader("progress/", state([SLUG])).page
    file = tmp_path / "mine.json"
    file.write_text(text)
    page.locator("[data-file]").set_input_files(file)
    said = page.locator(".progress-said")
    expect(said).to_contain_text("mine.json was not imported, and nothing has changed: ")
    expect(said).to_contain_text(word)
    assert stored(page) == json.loads(state([SLUG]))


def test_of_two_records_nothing_read_becomes_unread_and_the_later_review_counts(reader, tmp_path):
    early, late = ({**CARD, "last_review": f"2026-01-0{day}T00:00:00.000Z"} for day in (1, 4))
    page = reader("progress/", state([SLUG], cards={"a-1": early, "a-2": late}, settings={"timer": False})).page
    file = tmp_path / "mine.json"
    other = {"read": {"adam": WHEN}, "cards": {"a-1": late, "a-2": early}, "settings": {"timer": True, "scope": "all"}}
    file.write_text(damaged(**other))
    page.locator("[data-file]").set_input_files(file)
    expect(page.locator(".progress-said")).to_contain_text("1 page newly read, 1 card with later reviews")
    found = stored(page)
    assert set(found["read"]) == {SLUG, "adam"}
    assert found["cards"] == {"a-1": late, "a-2": late}
    assert found["settings"] == {"timer": False, "scope": "all"}


THINK = "details.think"


@pytest.mark.parametrize("how", ["Escape", "Show the answer", "again"])
def test_an_answer_waits_for_five_minutes_or_until_one_asks_for_it(how, reader):
    page = reader(PAPER).page
    details = page.locator(THINK).first
    details.locator("summary").click()
    clock = page.get_by_role("group", name="Time to think")
    expect(clock.get_by_role("timer")).to_have_text("5 minutes to think.")
    expect(details).not_to_have_attribute("open", "")
    if how == "Escape":
        page.keyboard.press("Escape")
    elif how == "again":
        details.locator("summary").click()
    else:
        page.get_by_role("button", name=how).click()
        expect(details.locator("summary")).to_be_focused()
    expect(details).to_have_attribute("open", "")
    expect(clock).to_have_count(0)
    details.locator("summary").click()
    details.locator("summary").click()
    expect(details).to_have_attribute("open", "")  # one asks once


def test_when_the_five_minutes_are_over_it_says_so_and_opens_nothing(reader):
    page = reader(PAPER, now=WHEN).page
    details = page.locator(THINK).first
    details.locator("summary").click()
    timer = page.get_by_role("timer")
    page.clock.run_for("04:30")
    expect(timer).to_have_text("The last minute.")
    page.clock.run_for("00:31")
    expect(timer).to_have_text("Five minutes are over.")
    expect(details).not_to_have_attribute("open", "")


def test_who_wants_no_timer_has_none(reader):
    watched = reader("progress/")
    watched.page.get_by_label("Give me five minutes").uncheck()
    watched.go(PAPER)
    details = watched.page.locator(THINK).first
    details.locator("summary").click()
    expect(details).to_have_attribute("open", "")


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_the_time_is_shown_in_words_alone_where_motion_is_reduced(motion, reader):
    page = reader(PAPER, reduced_motion=motion).page
    page.locator(f"{THINK} > summary").first.click()
    expect(page.get_by_role("timer")).to_be_visible()
    expect(page.locator(".think-bar")).to_be_visible(visible=motion != "reduce")


def test_a_solution_opens_at_once(reader):
    page = reader(PAPER).page
    page.locator("details.solution > summary").first.click()
    expect(page.locator("details.solution").first).to_have_attribute("open", "")


def test_the_cards_of_what_is_read_come_and_are_graded_by_keys(reader):
    page = reader("review/", state([SLUG]), now=WHEN).page
    counts = page.locator(".review-counts")
    expect(counts).to_have_text(re.compile(r"0 due\s*3 new\s*0 of 3 begun"))
    question = page.locator(".review-question")
    first = question.inner_text()
    expect(page.locator(".review-answer")).to_have_count(0)
    page.keyboard.press("3")  # not before it is turned
    expect(question).to_have_text(first)
    page.keyboard.press(" ")
    expect(page.locator(".review-answer")).to_be_visible()
    expect(page.get_by_role("button", name="Good")).to_be_focused()
    page.keyboard.press("4")
    expect(question).not_to_have_text(first)
    expect(counts).to_have_text(re.compile(r"0 due\s*2 new\s*1 of 3 begun"))
    [(key, card)] = stored(page)["cards"].items()
    assert re.fullmatch(r"adamw-[0-9a-f]{8}", key)
    assert card["due"] > "2026-01-05"
    page.get_by_role("button", name="Undo").click()
    expect(question).to_have_text(first)
    expect(page.locator(".review-answer")).to_be_visible()
    assert stored(page)["cards"] == {}
    for _ in range(3):
        if not page.locator(".review-answer").count():
            page.keyboard.press(" ")
        page.keyboard.press("4")
    expect(page.locator(".review-none")).to_contain_text(re.compile(r"Nothing is due.*comes back in \d+ days", re.S))
    page.clock.fast_forward(40 * 24 * 3600 * 1000)
    page.reload()
    expect(counts).to_have_text(re.compile(r"3 due\s*0 new\s*3 of 3 begun"))


def test_a_forgotten_card_comes_back_within_the_session_and_sooner_than_a_known_one(reader):
    page = reader("review/", state([SLUG]), now=WHEN).page
    first = page.locator(".review-question").inner_text()
    page.keyboard.press(" ")
    page.keyboard.press("1")
    for _ in range(2):
        page.keyboard.press(" ")
        page.keyboard.press("4")
    expect(page.locator(".review-question")).to_have_text(first)
    due = sorted(card["due"] for card in stored(page)["cards"].values())
    assert due[0] < "2026-01-01T13" < due[1]


def test_a_reader_of_nothing_is_told_where_cards_come_from_and_may_review_all(reader):
    page = reader("review/").page
    expect(page.locator(".review-none")).to_contain_text("at its end, and its cards come here")
    page.get_by_label("everything").check()
    every = page.locator("details.cards details.card").count()
    assert every > 100
    expect(page.locator(".review-counts")).to_contain_text(f"{every} new")
    assert stored(page)["settings"] == {"scope": "all"}


def test_a_card_whose_state_is_damaged_begins_anew(reader):
    key = reader("review/").page.locator("details.card[id^='^adamw-']").first.get_attribute("id")[1:]
    page = reader("review/", state([SLUG], cards={key: {"due": "never"}})).page
    expect(page.locator(".review-counts")).to_contain_text("3 new")


def test_the_deck_for_anki_is_offered_and_is_there(reader):
    page = reader("review/").page
    with page.expect_download() as saved:
        page.get_by_role("link", name="as a deck for Anki").click()
    assert saved.value.path().read_bytes().startswith(b"PK")


def test_a_card_in_a_note_turns(reader):
    card = reader(PAPER).page.locator("details.card").first
    card.locator("summary").press("Enter")
    expect(card.locator("p")).to_be_visible()


def test_an_open_question_leads_to_its_note(reader):
    page = reader("questions/").page
    page.get_by_role("link", name="Decoupled Weight Decay Regularization").click()
    expect(page).to_have_url(re.compile(r"/adamw/#open-questions$"))


def test_without_scripts_lists_and_answers_are_whole_and_no_dead_control_is_shown(reader):
    watched = reader("progress/", java_script_enabled=False)
    page = watched.page
    word = page.locator("noscript .reader-trouble")  # Playwright's own search by text passes over noscript
    expect(word).to_be_visible()
    assert "Scripts are off" in word.text_content()
    page.locator("section.track summary").first.click()
    expect(page.locator(".ticklist a").first).to_be_visible()
    for path in ("progress/", PAPER, "review/", "paths/vision_101/"):
        watched.go(path)
        for control in page.locator("[data-scripted]").all():
            expect(control).to_be_hidden()
    watched.go(PAPER)
    assert page.locator("[data-needs] a").count() == 2
    page.locator(f"{THINK} > summary").first.click()
    expect(page.locator(f"{THINK} > :not(summary)").first).to_be_visible()
    watched.go("review/")
    page.locator("details.cards > summary").click()
    page.locator("details.card > summary").first.click()
    expect(page.locator("details.card > p").first).to_be_visible()
