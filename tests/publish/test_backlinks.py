"""Who speaks of a note: with a link, or only by its name."""

import pytest

from paperimpl.publish import backlinks
from paperimpl.publish.backlinks import Backlinks
from paperimpl.vault.index import Index, Note


def vault(files):
    return Index({path: Note(path, text) for path, text in sorted(files.items())})


def said(sources):
    return {
        source.note.path: ["".join((p.before, f"<{p.marked}>", p.after)) for p in source.passages] for source in sources
    }


def linked(files, path="T.md"):
    return said(Backlinks(vault({"T.md": "", **files})).linked(path))


def unlinked(files, path="T.md"):
    return said(Backlinks(vault(files)).unlinked(path)[0])


def test_each_linking_note_stands_once_with_its_sentences():
    files = {"a.md": "One [[T]]. Two [[T|it]]. No more.", "b.md": "---\nabout: '[[T]]'\n---\n"}
    assert linked(files) == {"a.md": ["One <T>.", "Two <it>."], "b.md": ["about: <T>"]}


def test_more_sentences_than_are_shown_are_counted():
    index = vault({"T.md": "", "a.md": " ".join(f"Sentence {n} [[T]]." for n in range(7))})
    (source,) = Backlinks(index).linked("T.md")
    assert (len(source.passages), source.more) == (3, 4)


def test_a_link_without_words_around_it_needs_no_sentence():
    assert linked({"a.md": "[[T]]\n"}) == {"a.md": []}


def test_a_note_does_not_link_to_itself_here():
    assert linked({"T.md": "[[#H]] [[T]]\n\n# H\n"}) == {}


def test_a_private_note_speaks_of_nobody_and_is_spoken_of_by_nobody():
    private = "---\npublish: false\n---\n"
    index = vault(
        {
            "T.md": "",
            "a.md": f"{private}On [[T]], on Target.",
            "p.md": f"{private}# Secretive",
            "b.md": "[[p]] Secretive",
        }
    )
    found = Backlinks(index)
    assert found.linked("T.md") == []
    assert found.linked("p.md") == []
    assert found.unlinked("p.md") == ([], 0)


def test_numbers_of_results_stand_in_sentences():
    index = vault({"T.md": "", "a.md": "It got {{ lstm.x mean }} with [[T]]."})
    assert said(Backlinks(index, lambda match: "42").linked("T.md")) == {"a.md": ["It got 42 with <T>."]}


TREE = {"Fig tree.md": "---\naliases: [Ficus, Öl, ab]\ntitle: The fig\n---\n"}


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("A fig tree here.", ["A <fig tree> here."]),
        ("A FIG\ntree here.", ["A <FIG tree> here."]),
        ("The fig stands. A ficus does.", ["<The fig> stands."]),
        ("Ficus's leaves.", ["<Ficus>'s leaves."]),
        ("A **Ficus** is.", ["A <Ficus> is."]),
        ("A fig trees, figtree, ficuses.", []),
        ("ab and Öl are too short.", []),
        ("`Ficus` and $Ficus$ and %%Ficus%% and <!-- Ficus -->", []),
        ("```\nFicus\n```", []),
        ("[Ficus](x.md) [[other|Ficus]] ![Ficus](y.png) https://ficus.org/ficus #ficus <b title='ficus'>", []),
        ("On Ficus, and [[Fig tree]].", []),
        ("---\npublish: false\n---\nFicus.", []),
    ],
)
def test_a_note_is_named_in_prose_by_whole_words(text, sentences):
    files = {**TREE, "other.md": "", "a.md": text}
    assert unlinked(files, "Fig tree.md").get("a.md", []) == sentences


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("注意力机制", "这个注意力机制很好。", True),
        ("注意力", "这个注意力很好。", True),
        ("C++ notes", "Read C++ notes today.", True),
        ("2024", "In 2024 it rained.", False),
        ("2024-05-03", "On 2024-05-03 it rained.", True),
        (".NET Core", "It runs on .NET Core.", True),
        ("Grüße", "Viele gru\u0308\u00dfe!", True),
        ("İstanbul", "In İstanbul.", True),
    ],
)
def test_names_of_any_script_are_found(name, text, found):
    files = {"n.md": f'---\ntitle: "{name}"\n---\n', "a.md": text}
    assert bool(unlinked(files, "n.md")) == found


def test_the_longest_name_counts():
    files = {"Norm layer.md": "", "Layer norm.md": "", "Norm.md": "", "a.md": "A layer norm layer."}
    assert unlinked(files, "Layer norm.md") == {"a.md": ["A <layer norm> layer."]}
    assert unlinked(files, "Norm layer.md") == {}
    assert unlinked(files, "Norm.md") == {}


def test_two_notes_of_one_name_are_both_named():
    files = {"a/Soil.md": "", "b/Soil.md": "", "c.md": "The soil."}
    assert unlinked(files, "a/Soil.md") == unlinked(files, "b/Soil.md") == {"c.md": ["The <soil>."]}


def test_many_notes_that_name_one_are_counted_and_a_word_of_every_note_is_no_name():
    some = {"Ficus.md": "", **{f"n{n:03}.md": "Ficus." if n < 20 else "Nothing." for n in range(100)}}
    shown, more = Backlinks(vault(some)).unlinked("Ficus.md")
    assert (len(shown), more) == (backlinks.NAMED, 20 - backlinks.NAMED)
    every = {"Ficus.md": "", **{f"n{n:03}.md": "Ficus." for n in range(100)}}
    assert Backlinks(vault(every)).unlinked("Ficus.md") == ([], 0)


def test_what_was_found_once_is_right_after_names_have_changed():
    note = Note("a.md", "A fig tree and an olive.")
    first = Backlinks(Index({"Fig tree.md": Note("Fig tree.md", ""), "a.md": note}))
    assert said(first.unlinked("Fig tree.md")[0]) == {"a.md": ["A <fig tree> and an olive."]}
    second = Backlinks(Index({"Olive.md": Note("Olive.md", ""), "a.md": note}))
    assert said(second.unlinked("Olive.md")[0]) == {"a.md": ["A fig tree and an <olive>."]}
