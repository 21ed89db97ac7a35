import ast
import importlib
import subprocess
import sys
import tomllib

import pytest

from paperimpl.vault.paper import CHAPTERS, Paper

KINDS = ["note", "model", "claim", "test", "bugs"]


@pytest.mark.parametrize("chapter", ["04-sequences", "sequences"])
def test_it_writes_every_file_of_a_paper_that_a_person_writes(repository, chapter):
    code, out, err = repository("new", chapter, "gru")
    assert (code, err) == (0, "")
    paper = Paper("gru", "04-sequences", repository.root)
    assert [kind for kind, place in paper.places.items() if place.is_file()] == sorted(
        KINDS, key=list(paper.places).index
    )
    for kind in KINDS:
        assert paper.place(kind) in out
    assert "paperimpl run gru" in out


def test_what_it_writes_is_code_under_the_papers_name(repository):
    repository("new", "sequences", "deep_gru")
    places = Paper("deep_gru", "04-sequences", repository.root).places
    for kind in ("model", "claim", "test"):
        ast.parse(places[kind].read_text(encoding="utf-8"))
        assert "{{" not in places[kind].read_text(encoding="utf-8")
    assert "class DeepGru(nn.Module)" in places["model"].read_text(encoding="utf-8")
    assert "from paperimpl.papers.deep_gru import DeepGru" in places["claim"].read_text(encoding="utf-8")
    note = places["note"].read_text(encoding="utf-8")
    assert "![[deep_gru.claim.svg]]" in note
    assert '--8<-- "papers/deep_gru.py:' in note
    assert "{{title}}" not in note
    assert "{{date}}" not in note
    assert tomllib.loads(places["bugs"].read_text(encoding="utf-8")) == {}


def test_nothing_of_it_passes_for_finished(repository):
    repository("new", "sequences", "gru")
    paper = Paper("gru", "04-sequences", repository.root)
    for kind in KINDS:
        assert "TODO" in paper.places[kind].read_text(encoding="utf-8"), kind
    code, _, err = repository("pdf", "gru")  # the record is read, and refused
    assert code == 1
    for field in ("title", "description", "authors", "year", "venue", "order", "source"):
        assert field in err, field
    note = paper.places["note"].read_text(encoding="utf-8")
    for counted in ("\n> [!", "?::", "\n- [ ]"):
        assert counted not in note


def test_the_new_test_fails_until_it_is_written(repository):
    repository("new", "sequences", "gru")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/papers/test_gru.py"],
        cwd=repository.root,
        env=repository.package(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 failed" in ran.stdout


def test_an_unknown_chapter_suggests_the_near_one(repository):
    before = repository.files()
    code, _, err = repository("new", "sequence", "gru")
    assert code == 1
    assert "did you mean 'sequences'?" in err
    code, _, err = repository("new", "04-sequence", "gru")
    assert "did you mean '04-sequences'?" in err
    code, _, err = repository("new", "zzz", "gru")
    assert "foundations" in err
    assert repository.files() == before


@pytest.mark.parametrize("slug", ["GRU", "2fast", "_gru", "g-ru", "../gru", "gru.md", "lambda", "none", "über", ""])
def test_a_bad_slug_is_refused_with_the_rule(repository, slug):
    before = repository.files()
    code, _, err = repository("new", "sequences", "--", slug)
    assert code == 1
    assert "a letter, then letters, digits and _" in err
    assert repository.files() == before


def test_a_slug_belongs_to_one_chapter(repository):
    repository.paper("gru", "05-transformers")
    before = repository.files()
    code, _, err = repository("new", "sequences", "gru")
    assert code == 1
    assert err.startswith("vault/05-transformers/gru/gru.md:1: ")
    assert repository.files() == before


def test_nothing_is_overwritten_and_every_file_in_the_way_is_named(repository):
    for there in ("src/paperimpl/claims/gru.py", "tests/papers/test_gru.py"):
        (repository.root / there).write_text("mine", encoding="utf-8")
    before = repository.files()
    code, _, err = repository("new", "sequences", "gru")
    assert code == 1
    assert [line.split(":")[0] for line in err.splitlines()] == [
        "src/paperimpl/claims/gru.py",
        "tests/papers/test_gru.py",
    ]
    assert repository.files() == before


@pytest.mark.parametrize("stop", [PermissionError(13, "Permission denied"), KeyboardInterrupt()])
@pytest.mark.parametrize("after", range(len(KINDS)))
def test_a_failure_half_way_leaves_nothing(repository, monkeypatch, stop, after):
    new = importlib.import_module("paperimpl.cli.new")  # not the command of the same name
    calls, write = iter(range(len(KINDS))), new.write

    def failing(path, text):
        if next(calls) == after:
            raise stop
        return write(path, text)

    monkeypatch.setattr(new, "write", failing)
    before = repository.files()
    code, _, err = repository("new", "sequences", "gru")
    assert code != 0
    assert ("Permission denied" in err) == isinstance(stop, OSError)
    assert repository.files() == before
    assert not (repository.root / "vault/04-sequences").exists()


def test_without_the_notes_template_it_says_how_to_get_it_back(repository):
    (repository.root / "vault/templates/paper.md").unlink()
    code, _, err = repository("new", "sequences", "gru")
    assert code == 1
    assert "git checkout vault/templates/paper.md" in err


def test_outside_a_repository_it_says_so(repository, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    code, _, err = repository("new", "sequences", "gru")
    assert code == 1
    assert "not inside a paperimpl repository" in err


def test_the_ten_chapters_are_in_order_and_each_has_a_title():
    assert [int(folder[:2]) for folder in CHAPTERS] == list(range(1, 11))
    assert all(CHAPTERS.values())
