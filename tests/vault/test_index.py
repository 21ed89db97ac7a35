"""Obsidian's link rules (DESIGN 8), rule by rule."""

import json
import warnings

import pytest

from paperimpl.vault.index import Index, Note, anchor, loose_name, plain
from paperimpl.vault.scan import links, mask


def vault(files, *, attachments=()):
    notes = {path: Note(path, text) for path, text in sorted(files.items())}
    return Index(notes, set(attachments))


def resolve(index, written, source="Home.md"):
    (link,) = links(mask(written))
    return index.resolve(link, source)


def leads(index, written, source="Home.md"):
    found = resolve(index, written, source)
    return (found.path + (f"#{found.anchor}" if found.anchor else "")) or found.kind


RULES = vault(
    {
        "Home.md": "# Home\n",
        "Attention.md": "# Attention\n\n## Scaled dot-product\n\n## Method\n\n### Multi-head (MHA)\n\nA. ^key-eq\n",
        "A/Attention.md": "",
        "A/Deep/Leaf.md": "",
        "B/Leaf.md": "",
        "B/C/Dup.md": "",
        "C/Dup.md": "",
        "B/v1.5 notes.md": "",
        "B/Grüße.md": "",
        "B/Note.md": "---\naliases: [Other name, ON]\n---\n## One\n### Both\n## Two\n### Both\n"
        "## `Code` & *mark* [[Attention|up]]\n",
        "B/Secret.md": "---\npublish: false\n---\n# Secret\n",
    },
    attachments=["B/fig.png", "img/fig.png", "img/table.final.pdf"],
)


@pytest.mark.parametrize(
    ("written", "source", "path"),
    [
        ("[[attention]]", "Home.md", "Attention.md"),  # case does not count
        ("[[Attention.md]]", "Home.md", "Attention.md"),  # .md may be written
        ("[[B/Gru\u0308\u00dfe]]", "Home.md", "B/Grüße.md"),  # normal forms do not count
        ("[[v1.5 notes]]", "Home.md", "B/v1.5 notes.md"),  # a dot is no extension
        ("[[fig.png]]", "B/Note.md", "B/fig.png"),  # files need theirs
        ("[[Attention]]", "A/Deep/Leaf.md", "Attention.md"),  # a root-level file first
        ("[[Leaf]]", "A/Attention.md", "A/Deep/Leaf.md"),  # then under the linking note's folder
        ("[[Leaf]]", "Home.md", "B/Leaf.md"),  # else the shortest path
        ("[[Dup]]", "B/Note.md", "B/C/Dup.md"),
        ("[[Dup]]", "Home.md", "C/Dup.md"),
        ("[[fig.png]]", "Home.md", "B/fig.png"),  # then alphabetical
        ("[[A/Attention]]", "Home.md", "A/Attention.md"),  # an exact path
        ("[[Deep/Leaf]]", "Home.md", "A/Deep/Leaf.md"),  # a path's end, at a slash
        ("[[/Attention]]", "A/Deep/Leaf.md", "Attention.md"),  # rooted
        ("[[./Attention]]", "A/Deep.md", "A/Attention.md"),  # relative
        ("[[../Leaf]]", "B/C/Dup.md", "B/Leaf.md"),
        ("[x](../Leaf.md)", "B/C/Dup.md", "B/Leaf.md"),
        ("[x](v1.5%20notes.md)", "Home.md", "B/v1.5 notes.md"),
        ("[x](<B/v1.5 notes.md>)", "Home.md", "B/v1.5 notes.md"),
        ("[x](Leaf)", "A/Attention.md", "A/Deep/Leaf.md"),
        ("[[#Home]]", "Home.md", "Home.md#home"),
        ("[[Attention#scaled DOT product]]", "Home.md", "Attention.md#scaled-dot-product"),
        ("[[Attention#Method#Multi-head (MHA)]]", "Home.md", "Attention.md#multi-head-mha"),
        ("[[Attention#^key-eq]]", "Home.md", "Attention.md#^key-eq"),
        ("[[Note#Two#Both]]", "Home.md", "B/Note.md#both_1"),  # heading under heading
        ("[[Note#Both]]", "Home.md", "B/Note.md#both"),  # first in the document
        ("[[Note#Code & mark up]]", "Home.md", "B/Note.md#code-mark-up"),  # markup does not count
        ("[[table.final.pdf#page=3]]", "Home.md", "img/table.final.pdf#page=3"),
    ],
)
def test_a_link_leads_where_obsidian_leads(written, source, path):
    assert leads(RULES, written, source) == path


@pytest.mark.parametrize(
    ("written", "message", "remedy"),
    [
        ("[[Other name]]", "'Other name' is only an alias", "write [[Note|Other name]]"),
        ("[[Attention#Nothing]]", "no such heading in Attention.md", "it has Attention, Scaled dot-product"),
        ("[[Attention#Methods]]", "no such heading", "did you mean 'Method'?"),
        ("[[Note#One#Two]]", "no such heading", "did you mean 'Two'?"),
        ("[[Attention#^nope]]", "no block ^nope in Attention.md", "it has ^key-eq"),
        ("[[A/Nothing]]", "'A/Nothing' does not exist", "create it"),
        ("[[missing.png]]", "'missing.png' does not exist", ""),
        ("![[missing.png]]", "does not exist", ""),
        ("[[Attenton]]", "'Attenton' does not exist", "did you mean 'Attention'?"),
        ("[[../../etc/passwd]]", "does not exist", ""),
        ("[[../../../Attention]]", "does not exist", ""),
        ("[[/A/Leaf]]", "does not exist", ""),
        ("[[./Leaf]]", "does not exist", ""),
        ("[[eaf]]", None, None),
        ("[x](nothing.md)", "'nothing.md' does not exist", ""),
    ],
)
def test_what_looks_like_a_mistake_is_told_with_its_remedy(written, message, remedy):
    found = resolve(RULES, written)
    if message is None:
        assert found.kind == "wanted"
    else:
        assert found.kind == "broken"
        assert message in found.problem[0]
        assert remedy in found.problem[1]


@pytest.mark.parametrize("name", ["Nothing yet", "Attention2", "Attentions", "gru", "Leav"])
def test_a_bare_name_of_its_own_is_a_wanted_note_and_no_mistake(name):
    assert resolve(RULES, f"[[{name}]]").kind == "wanted"


def test_a_link_to_a_private_note_leads_nowhere_and_says_nothing():
    found = resolve(RULES, "[[Secret#Secret]]")
    assert (found.kind, found.path, found.anchor, found.problem) == ("private", "", "", None)
    assert "Secret" not in str([*RULES.backlinks, *RULES.wanted])


def test_no_curriculum_slug_is_taken_for_a_slip_of_another():
    from paperimpl.vault.index import _is_slip

    near = ["adam", "adamw", "alexnet", "lenet", "resnet", "densenet", "vgg", "gpt2", "gpt3", "vae", "vqvae", "vqvae2"]
    near += ["word2vec", "wavenet", "dalle", "dalle2", "bert", "roberta", "textcnn", "rlhf", "saliency", "gru_encdec"]
    assert not [(a, b) for a in near for b in near if a != b and _is_slip(a, b)]


def test_backlinks_name_each_linking_note_once_with_a_line():
    index = vault({"a.md": "x\n\n[[b]] [[b#H]]\n", "b.md": "# H\n[[b]]\n", "c.md": '---\nrequires: ["[[b]]"]\n---\n'})
    assert [(m.note.path, m.line) for m in index.backlinks["b.md"]] == [("a.md", 3), ("c.md", 2)]


def test_problems_carry_file_and_line_behind_front_matter():
    index = vault({"a.md": "---\ntitle: A\n---\n\n[[b#nope]]\n", "b.md": "# H\n"})
    assert [str(p) for p in index.problems()] == ["vault/a.md:5: link to 'b#nope': no such heading in b.md (it has H)"]


def test_wanted_notes_are_listed_with_those_that_ask():
    index = vault({"a.md": "[[gru]]", "b.md": "[[GRU]] [[gru]]", "c.md": "[[Later]]"})
    assert {name: [m.note.path for m in who] for name, who in index.wanted.items()} == {
        "gru": ["a.md", "b.md"],
        "Later": ["c.md"],
    }


def test_hidden_folders_and_templates_are_not_read(tmp_path):
    for path in (".obsidian/x.md", ".trash/y.md", "templates/z.md", "a.md", "sub/.hidden/b.md"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("[[a]]")
    assert list(Index.read(tmp_path).notes) == ["a.md"]


def test_a_note_that_is_not_utf8_is_told_and_still_read(tmp_path):
    (tmp_path / "a.md").write_bytes("ok\ngr\u00fc\u00dfe [[a]]".encode("latin-1"))
    index = Index.read(tmp_path)
    assert str(index.unreadable[0]) == "vault/a.md:2: not UTF-8 (save it with UTF-8 encoding)"
    assert index.notes["a.md"].links


def test_nul_bytes_and_windows_lines_do_no_harm(tmp_path):
    (tmp_path / "a.md").write_bytes(b"\xef\xbb\xbf# A\r\nx\0y\r\n")
    assert Index.read(tmp_path).notes["a.md"].text == "# A\nx\ufffdy\n"


def test_a_notebooks_markdown_cells_link_and_its_code_cells_do_not(tmp_path):
    cells = [{"cell_type": "markdown", "source": ["# N\n", "[[a]]"]}, {"cell_type": "code", "source": "m[[0, 1]]"}]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": cells}))
    (tmp_path / "a.md").write_text("[[n.ipynb#N]]")
    index = Index.read(tmp_path)
    assert [m.note.path for m in index.backlinks["a.md"]] == ["n.ipynb"]
    assert [m.note.path for m in index.backlinks["n.ipynb"]] == ["a.md"]
    assert not list(index.problems())


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Scaled *dot*-product", "Scaled dot-product"),
        ("`code` and **bold** ==mark==", "code and bold mark"),
        ("[[Note|label]] and [[Note#H]]", "label and Note > H"),
        ("[text](url)", "text"),
        ("snake_case stays", "snake_case stays"),
        ("with block ^id", "with block"),
    ],
)
def test_a_headings_text_is_what_a_reader_sees(written, shown):
    assert plain(written) == shown


@pytest.mark.parametrize(
    ("text", "made"),
    [("The claim, reproduced", "the-claim-reproduced"), ("注意力", "注意力"), ("???", "section"), ("", "section")],
)
def test_anchors_keep_letters_of_any_script(text, made):
    assert anchor(text) == made


LOOSE = vault({"Home.md": "", "Layer Norm.md": "## How\n", "Two words.md": "", "two-words.md": ""})


@pytest.mark.parametrize(
    ("written", "leads_to", "remedy"),
    [
        ("[[layer-norm]]", "Layer Norm.md", "write [[Layer Norm|layer-norm]]"),
        ("[[Layer_Norm#How|it]]", "Layer Norm.md#how", "write [[Layer Norm#How|it]]"),
        ("[[layernorm]]", "Layer Norm.md", "write [[Layer Norm|layernorm]]"),
    ],
)
def test_a_name_written_for_roamlinks_works_and_the_exact_link_is_told(written, leads_to, remedy):
    assert leads(LOOSE, written) == leads_to
    assert resolve(LOOSE, written).problem[1] == remedy


def test_a_loose_name_that_two_notes_share_leads_to_neither():
    assert resolve(LOOSE, "[[two_words]]").kind not in ("note", "file")


def test_loose_names_are_those_of_roamlinks():
    with warnings.catch_warnings():  # it asks MkDocs for something deprecated
        warnings.simplefilter("ignore", DeprecationWarning)
        from mkdocs_roamlinks_plugin.plugin import RoamLinkReplacer

    for name in ("Layer Norm.md", "a-b_c d", "x.md.md", "Ünï-Code", "fig_1.png"):
        assert loose_name(name) == RoamLinkReplacer("", "").simplify(name)
