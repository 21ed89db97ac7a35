"""Social cards: their size, their letters, and what a page's head says of them. No site is built for it."""

import io
import logging
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from paperimpl.markdown.extension import Context
from paperimpl.publish import cards
from paperimpl.publish.pages import Publication
from paperimpl.publish.plugin import VaultPlugin
from paperimpl.vault.check import Health
from paperimpl.vault.problem import VaultError

pytest.importorskip("typst")
Image = pytest.importorskip("PIL.Image")

POINTS = tuple(cards.Point(n / 9, 0, "#1d5fbf", n == 3) for n in range(10))
CARD = cards.Card(
    path="04-sequences/lstm/lstm.md",
    kind="Sequences and embeddings",
    title="Long Short-Term Memory",
    by="Hochreiter & Schmidhuber, 1997",
    idea="A linear unit carries errors back through time unchanged.",
    verdict="Reproduced: 5 of 5 seeds",
    seeds=(True,) * 5,
    note="",
    colour="#7c3aed",
    points=POINTS,
    site="paperimpl",
)
LONG = (
    "Gradient-Based Learning Applied to Documents, and What Else There Is to Be Said About It Before the Line Is Full"
)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Pictures of a card with some of it changed, by what was changed; all set in one run."""
    wanted = {"as it is": CARD, "long": replace(CARD, title=LONG, idea="word " * 46)}
    wanted |= {letter: replace(CARD, title=letter) for letter in "réüřů\U000f0000"}
    return cards.draw(wanted, tmp_path_factory.mktemp("cards"))


def strip(picture, top):
    """The colours of a picture below a line."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    return image.crop((0, top, *image.size)).tobytes()


def test_a_card_has_the_size_that_is_asked_and_few_bytes(drawn):
    for picture in drawn.values():
        assert cards.size(picture) == (1200, 630)
        assert len(picture) < 60_000


def test_what_is_no_png_has_no_size():
    with pytest.raises(ValueError, match="no PNG"):
        cards.size(b"<svg>" + bytes(30))


def test_the_same_card_is_the_same_bytes_when_it_is_drawn_again(drawn, tmp_path):
    assert cards.draw({"again": CARD}, tmp_path)["again"] == drawn["as it is"]


def test_what_was_drawn_is_not_drawn_again_and_what_changed_is(tmp_path, monkeypatch):
    first = cards.draw({"a": CARD}, tmp_path)
    asked = []
    monkeypatch.setattr(cards, "_set", lambda wanted: [asked.append(card.title) or b"new" for card in wanted])
    moved = replace(CARD, path="elsewhere.md")
    second = cards.draw({"a": moved, "b": replace(CARD, title="Other")}, tmp_path)
    assert asked == ["Other"]
    assert second == {"a": first["a"], "b": b"new"}


def test_a_long_title_and_idea_leave_the_line_of_papers_and_the_verdict_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "_small", lambda picture: picture)  # which gives each picture inks of its own
    two = cards.draw({"short": CARD, "long": replace(CARD, title=LONG, idea="word " * 46)}, tmp_path)
    assert strip(two["long"], 490) == strip(two["short"], 490)
    assert strip(two["long"], 0) != strip(two["short"], 0)


def test_letters_with_accents_have_shapes_of_their_own(drawn):
    pictures = [drawn[letter] for letter in "réüřů\U000f0000"]
    assert len(set(pictures)) == len(pictures)


def test_a_card_that_cannot_be_set_is_told_of_by_its_note(tmp_path):
    wrong = replace(CARD, path="lessons/odd.md", colour="no colour")
    with pytest.raises(VaultError) as told:
        cards.draw({"right": CARD, "wrong": wrong}, tmp_path)
    assert str(told.value).startswith("vault/lessons/odd.md:1: typst cannot set its card:")


def test_an_ideas_end_is_cut_between_words():
    cut = cards._cut("word " * 80)
    assert len(cut) <= 232
    assert cut.endswith("word …")


@pytest.fixture
def published(small):
    """The small repository's publication, whose site's address is known."""
    health = Health(small.root)
    found = Publication(Context(health.index, health), small.root, "https://code.example.org/r", False)
    found.site_url = "https://example.org/deep/er/"
    return found


def test_every_note_has_a_card_and_a_papers_says_its_verdict(published):
    found = cards.cards(published)
    assert set(found) == set(published.addressed)
    one = found["05-transformers/two/two.md"]
    assert (one.title, one.kind) == ("The paper two", "Transformers and language models")
    assert one.by.startswith("Author & Other, ")
    assert one.verdict.endswith("5 of 5 seeds")
    assert sum(point.here for point in one.points) == 1
    assert found["index.md"].note == "2 papers, each with tested code"
    assert found["lessons/how.md"].points == ()


def test_a_pages_head_names_its_card_by_its_whole_address(published):
    path = "05-transformers/two/two.md"
    published.cards = {path: cards.address(path)}
    head = published.head(path, "Small", str, "https://example.org/deep/er/05-transformers/two/")
    said = dict(re.findall(r'<meta property="([^"]+)" content="([^"]*)">', head))
    assert said["og:image"] == "https://example.org/deep/er/assets/cards/05-transformers/two/two.png"
    assert (said["og:image:width"], said["og:image:height"]) == ("1200", "630")
    assert said["og:title"] == "The paper two"
    assert said["og:description"] == "The idea of two."
    assert said["og:url"] == "https://example.org/deep/er/05-transformers/two/"
    assert said["twitter:card"] == "summary_large_image"


def test_a_cover_of_the_notes_own_goes_before_its_card(published, small):
    small.write("vault/lessons/how.md", "---\ncover: https://pictures.example.org/own.png\n---\n\nText.\n")
    health = Health(small.root)
    found = Publication(Context(health.index, health), small.root, "", False)
    found.site_url, found.cards = published.site_url, {"lessons/how.md": "assets/cards/lessons/how.png"}
    head = found.head("lessons/how.md", "Small", str, "https://example.org/deep/er/lessons/how/")
    assert "own.png" in head
    assert "assets/cards" not in head


@pytest.mark.parametrize("reason", ["nobody asks", "a preview", "no address", "no typst"])
def test_without_what_they_need_there_are_no_cards_and_no_warning(reason, published, monkeypatch, caplog):
    plugin = VaultPlugin()
    plugin.load_config({"cards": reason != "nobody asks"})
    plugin.preview, plugin.publication = reason == "a preview", published
    monkeypatch.setattr(cards, "installed", lambda: reason != "no typst")
    monkeypatch.setattr(cards, "draw", lambda *_: pytest.fail("a card was drawn"))
    with caplog.at_level(logging.INFO, logger="mkdocs.plugins.vault"):
        assert plugin._cards(SimpleNamespace(site_url="" if reason == "no address" else "https://example.org/")) == {}
    said = [(record.levelname, "no social cards" in record.message) for record in caplog.records]
    assert said == ([("INFO", True)] if reason == "no typst" else [])
