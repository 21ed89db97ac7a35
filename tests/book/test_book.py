"""The book and the sheets: what is in them, where links lead, what is not in them, and that they come out the same."""

import json
import re

import pytest
from tests.book.conftest import ALPHA, ROOT, SITE, Print, write

from paperimpl.book import pandoc
from paperimpl.book.figures import for_print, panels
from paperimpl.book.press import Press
from paperimpl.book.tree import for_pandoc, string
from paperimpl.markdown.extension import Context
from paperimpl.publish.shelf import BOOK, Shelf
from paperimpl.vault.check import Health
from paperimpl.vault.index import Index
from paperimpl.vault.problem import VaultError

ALPHA_NOTE = "vault/01-foundations/alpha/alpha.md"
LEFT_OVER = ("[[", "--8<--", "{{", "$$", "[!", "?::", "vault:", "picture:", "\u200b")


def test_the_outline_has_chapters_then_their_papers_then_their_sections(book):
    titles = [(depth, title) for depth, title, _ in book.outline()]
    wanted = [
        (0, "Neurons to deep networks"),
        (1, "Alpha: the first"),
        (2, "The problem"),
        (2, "Questions"),
        (1, "Beta"),
        (0, "Lessons"),
        (1, "Counting"),
        (2, "Further"),
        (0, "Answers"),
        (1, "Alpha: the first"),
    ]
    assert [item for item in titles if item in wanted] == wanted


def test_contents_give_the_pages_that_the_outline_leads_to(book):
    contents = next(page for page in book.pages if page.startswith("Contents"))
    page_of = {title: page + 1 for depth, title, page in reversed(book.outline()) if depth < 2}
    assert re.search(rf"Alpha: the first\s+{page_of['Alpha: the first']}\b", contents)
    assert re.search(rf"Counting\s+{page_of['Counting']}\b", contents)
    assert "Papers" not in contents  # a chapter note's own heading stands below its papers
    assert contents.count("Alpha") == 1  # not again among the answers


def test_links_stay_in_the_book_and_leave_a_sheet_for_the_site(book, sheet):
    outside, inside = book.links()
    assert not [address for address in outside if address.startswith(f"{SITE}/01-foundations/beta/#")]
    assert inside > 15
    outside, inside = sheet.links()
    assert f"{SITE}/01-foundations/beta/#the-idea" in outside
    assert "https://code.example.org/src/paperimpl/papers/alpha.py#L1-L5" in outside
    assert "https://doi.org/10.1000/alpha" in outside
    assert inside >= 4  # from questions to answers and back


def test_a_link_leads_to_the_page_of_its_heading(book):
    page_of = {title: page for _, title, page in reversed(book.outline())}
    names = book.reader.named_destinations
    targets = set()
    for note in book.reader.pages[page_of["Beta"]]["/Annots"]:
        way = note.get_object().get("/Dest") or note.get_object().get("/A", {}).get("/D")
        if isinstance(way, str):
            targets.add(book.reader.get_destination_page_number(names[way]))
        elif way is not None:
            targets.add(next(n for n, page in enumerate(book.reader.pages) if page.indirect_reference == way[0]))
    assert page_of["The code"] in targets


def test_answers_stand_on_a_later_page_than_their_questions(book, sheet):
    for printed in (book, sheet):
        asked = next(n for n, page in enumerate(printed.pages) if "Why only once" in page)
        assert "answer is folded" not in printed.pages[asked]
        assert "# solved" not in printed.pages[asked]
        answered = next(n for n, page in enumerate(printed.pages) if "answer is folded" in page)
        assert answered > asked
        assert "# solved" in printed.pages[answered]


def test_an_exercise_has_its_name_above_its_task(sheet):
    text = " ".join(sheet.text.split())
    assert text.index("Exercise 1") < text.index("An exercise.") < text.index("What is a card?")


def test_everything_that_a_note_holds_is_in_its_sheet(sheet):
    text = " ".join(sheet.text.split())
    for words in (
        *("Alpha: the first", "One idea, said once.", "A. Author, B. Other", "A price of $5", "underscore_name"),
        *("x * [[1, 2]]", "Because of footnotes.", "A box", "(A.1)", "class Alpha:", "return x", "It leads to"),
        *("What is a card?", "A question with an answer.", "An open question", "You need"),
    ):
        assert words in text, words


def test_no_mark_of_the_source_is_left(book, sheet):
    for printed in (book, sheet):
        text = printed.text.replace("x * [[1, 2]]", "")
        for mark in LEFT_OVER:
            assert mark not in text, mark


def test_nothing_private_is_printed(small, book, sheet):
    sources = "".join(file.read_text(encoding="utf-8") for file in (small / ".cache/paperimpl/book").glob("*.typ"))
    for text in (book.text, sheet.text, sources):
        assert "what is kept back" in text
        for word in ("unspeakable", "Unfinished", "Concealed", "whispered", "mumbled", "hidden.md"):
            assert word not in text


def test_a_notebook_has_its_code_and_what_it_printed(book):
    text = " ".join(book.text.split())
    assert "print('counted') one two" in text
    assert text.count("Counting again") == 1


def test_the_same_vault_gives_the_same_bytes(small, tmp_path):
    Press(small, tmp_path / "typst").print(["alpha"], tmp_path / "out", lambda made: None)
    assert (tmp_path / "out/alpha.pdf").read_bytes() == (small / "book/alpha.pdf").read_bytes()


def test_what_is_as_it_would_be_made_is_left_alone(small):
    made = []
    Press(small).print([], small / "book", made.append)
    assert [each.seconds for each in made] == [0, 0, 0]


def test_an_unknown_macro_is_an_error_that_names_file_line_and_formula(tmp_path):
    text = ALPHA.replace(r"$a_1 \le b$", r"$a \unheard{b}$")
    line = next(n for n, row in enumerate(text.split("\n"), 1) if "unheard" in row)
    with pytest.raises(VaultError) as wrong:
        Press(write(tmp_path, **{ALPHA_NOTE: text})).print(["alpha"], tmp_path / "book", lambda made: None)
    assert len(wrong.value.problems) == 1
    assert str(wrong.value).startswith(rf"{ALPHA_NOTE}:{line}: pandoc cannot convert the formula 'a \\unheard{{b}}'")
    assert not (tmp_path / "book/alpha.pdf").exists()


def test_a_slug_that_no_published_paper_has_is_told_with_the_near_one(small):
    with pytest.raises(VaultError, match=r"alhpa: no published paper has this slug \(did you mean 'alpha'\?\)"):
        Press(small).print(["alhpa"], small / "elsewhere", lambda made: None)


def shelf(repository):
    index = Index.read(repository / "vault")
    context = Context(index, Health(repository, index), repository)
    slugs = {f"{paper.chapter}/{slug}/{slug}.md": slug for slug, paper in context.health.papers.items()}
    return Shelf(context, lambda path: index.at(path).published, slugs)


def test_the_site_offers_what_says_what_the_notes_say(small, tmp_path):
    found = shelf(small)
    assert found.book
    assert found.book.address == f"book/{BOOK}"
    assert sorted(found.sheets) == ["01-foundations/alpha/alpha.md", "01-foundations/beta/beta.md"]
    assert found.book.pages == len(Print(found.book.file).pages)
    assert not found.problems

    note = small / ALPHA_NOTE
    kept = note.read_text(encoding="utf-8")
    try:
        for changed in (kept.replace("An exercise.", "Another."), kept.replace("status:", "publish: false\nstatus:")):
            note.write_text(changed, encoding="utf-8")
            found = shelf(small)
            assert found.book is None
            assert "01-foundations/alpha/alpha.md" not in found.sheets
            assert "run: make book" in str(found.problems[0])
            assert not found.problems[0].error
    finally:
        note.write_text(kept, encoding="utf-8")


def test_without_pdfs_nothing_is_offered(tmp_path):
    repository = write(tmp_path)
    assert not list(shelf(repository).copies())
    (repository / "book").mkdir()
    (repository / "book/book.json").write_text('{"alpha.pdf": {"pages": "many"}}', encoding="utf-8")
    assert not list(shelf(repository).copies())


def test_a_papers_page_and_the_list_of_papers_link_what_is_offered(small):
    page = Press(small).publication
    note = page.index.notes["01-foundations/alpha/alpha.md"]
    header = page.header(note, lambda path: f"/{path}")
    assert 'href="/book/alpha.pdf"' in header
    assert f"(book/{BOOK})" in page.pages()["papers.md"]


# The real vault


def test_every_formula_of_the_vault_converts():
    index = Index.read(ROOT / "vault")
    notes = [note for note in (index.notes | index.notebooks).values() if note.published]
    where = {}
    for note in notes:
        for tex, _ in note.formulas:
            where.setdefault(for_pandoc(tex), note.path)
    blocks = [{"t": "Para", "c": [{"t": "Math", "c": [{"t": "DisplayMath"}, tex]}]} for tex in where]
    assert len(blocks) > 500
    try:
        pandoc.write({"pandoc-api-version": [1, 23, 1], "meta": {}, "blocks": blocks})
    except pandoc.Refused as refused:
        pytest.fail("\n".join(f"{where.get(tex)}: {tex}: {why}" for tex, why in refused.formulas.items()))


def test_a_real_papers_sheet_has_its_pages_outline_links_and_no_mark_of_the_source(tmp_path):
    made = []
    Press(ROOT, tmp_path / "typst").print(["lstm"], tmp_path, made.append)
    printed = Print(tmp_path / "lstm.pdf")
    assert made[0].pages == len(printed.pages) >= 6
    titles = [title for _, title, _ in printed.outline()]
    assert titles[0] == "Long Short-Term Memory"
    assert [title for title in titles if title in ("The problem", "The idea", "Questions", "Answers")] == [
        *("The problem", "The idea", "Questions", "Answers")
    ]
    outside, inside = printed.links()
    assert any(address.endswith("/04-sequences/rnn/") for address in outside)
    assert inside >= 8
    text = printed.text
    assert not re.search(r"\[\[[A-Za-z_][^\]]*\]\]", text)  # code has brackets of its own
    for mark in LEFT_OVER[1:]:
        assert mark not in text, mark
    assert "class LSTMCell" in text
    answers = next(page for _, title, page in printed.outline() if title == "Answers")
    assert all("assert " not in page or "def test_" in page for page in printed.pages[:answers])  # solutions come after


# Small parts


def test_a_bar_is_a_letter_and_a_delimiter_stays_one():
    assert for_pandoc(r"|x| + \left|y\right| \tag{3}") == r"\text{|}x\text{|} + \left|y\right|"
    assert for_pandoc(r"\|x\| \big|z\big|") == r"\|x\| \big|z\big|"
    assert for_pandoc(r"\begin{array}{c|c} a & b \end{array}") == r"\begin{array}{c|c} a & b \end{array}"


def test_a_string_of_typsts_holds_any_text():
    assert string('a"b\\c\nd') == '"a\\"b\\\\c\\nd"'


def test_a_figure_is_cut_where_its_panels_end():
    svg = (
        '<svg viewBox="0 0 460.8 300"><path d="M 0 300 \nL 460.8 300 \nL 460.8 0 \nL 0 0 \nL 0 300 \nz\n"/>'
        '<path d="M 0 100 \nL 460.8 100 \nL 460.8 0 \nL 0 0 \nL 0 100 \nz\n"/>'
        '<path d="M 0 300 \nL 460.8 300 \nL 460.8 100 \nL 0 100 \nL 0 300 \nz\n"/></svg>'
    )
    assert panels(svg) == [0.33333, 1.0]
    assert panels("<svg></svg>") == []


def test_variables_of_a_figure_have_values_in_print():
    svg = '<svg style="fill: var(--a, rgb(1, 2, 3)); font-family: var(--figure-font, system-ui, sans-serif)"/>'
    assert for_print(svg) == '<svg style="fill: rgb(1, 2, 3); font-family: Inter"/>'


def test_the_command_prints_the_sheet_that_it_is_asked_for(small, monkeypatch, capsys, tmp_path):
    from paperimpl.cli import app

    monkeypatch.chdir(small)
    app(["book", "beta", "--out", str(tmp_path)], standalone_mode=False)
    assert re.search(r"beta\.pdf: \d+ pages, [\d,]+ kB", capsys.readouterr().out)
    assert list(json.loads((tmp_path / "book.json").read_text(encoding="utf-8"))) == ["beta.pdf"]
