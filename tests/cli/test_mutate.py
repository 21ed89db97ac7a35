"""`paperimpl mutate` in a small repository with a model of its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from paperimpl.cli.mutate import is_stale
from paperimpl.vault.mutants import Bugs, Score, evidence_digest
from paperimpl.vault.paper import Paper
from paperimpl.vault.problem import VaultError

ROOT = Path(__file__).parents[2]
MODEL = '''
"""Twice."""


def twice(a):
    """Double it."""
    if a == 0:
        return 0 * a
    return 2 * a
'''
TEST = """
from paperimpl.papers.double import twice


def test_it_doubles():
    assert twice(3) == 6
"""
BUGS = """
[[bug]]
what = "it triples"
old = "2 * a"
new = "3 * a"
caught_by = "test_it_doubles"
"""


@pytest.fixture
def paper(repository):
    """A paper whose tests miss a little, in a repository with a copy of the package."""
    repository.paper("double")
    repository.package()
    made = Paper("double", "04-sequences", repository.root)
    (repository.root / "tests/papers/bugs").mkdir()
    for kind, text in {"model": MODEL, "test": TEST, "bugs": BUGS}.items():
        made.places[kind].write_text(text.lstrip(), encoding="utf-8")
    shutil.copy(ROOT / "tests/papers/conftest.py", repository.root / "tests/papers")
    return made


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.slow
def test_survivors_are_listed_until_a_test_sees_them_or_a_reason_excuses_them(repository, paper):
    code, out, err = repository("mutate", "double", "--jobs", "1")
    assert code == 1
    assert "src/paperimpl/papers/double.py:7: survived, another number: return 0 * a → return 1 * a" in out
    share = float(re.search(r"killed, ([\d.]+)%", out)[1])
    assert share < 90
    assert f"{share}% of the mutants are killed, fewer than 90%" in err
    score = Score.load(paper.places["mutants"])
    assert score.planted == 1
    assert score.killed + len(score.survived) == score.total
    assert not is_stale(paper)

    edit(paper.places["test"], "    assert twice(3) == 6", "    assert twice(3) == 6\n    assert twice(0.0) == 0")
    assert is_stale(paper)
    code, out, err = repository("mutate", "--stale", "--jobs", "1")
    survivors = re.findall(r"survived, [\w ]+: (.*) → (.*)", out)
    assert ("if a == 0:", "if a != 0:") not in survivors
    table = '\n[[equivalent]]\nin = "twice"\nold = "{}"\nnew = "{}"\nwhy = "twice nothing is nothing"\n'
    tables = "".join(table.format(old, new) for old, new in survivors)
    paper.places["bugs"].write_text(BUGS + tables, encoding="utf-8")
    code, out, err = repository("mutate", "double", "--jobs", "1")
    assert (code, err) == (0, "")
    assert "100.0%" in out
    assert Score.load(paper.places["mutants"]).equivalent == len(survivors)
    assert "every score is of the code" in repository("mutate", "--stale")[1]

    before = paper.places["mutants"].read_bytes()
    wrong = table.format("return 2 * a", "return 3 * a") + table.format("return 2 * a", "return 4 * a")
    paper.places["bugs"].write_text(BUGS.replace('"3 * a"', '"a + a"') + tables + wrong, encoding="utf-8")
    code, _, err = repository("mutate", "double", "--jobs", "1")
    assert code == 1
    assert "'it triples' was planted, and test_it_doubles did not fail" in err
    assert "test_it_doubles tells them apart" in err
    assert "'return 4 * a': no such mutant" in err
    assert paper.places["mutants"].read_bytes() == before


@pytest.mark.slow
def test_tests_that_fail_without_any_change_are_told(repository, paper):
    edit(paper.places["test"], "== 6", "== 7")
    code, _, err = repository("mutate", "double", "--jobs", "1")
    assert code == 1
    assert err.startswith("tests/papers/test_double.py: its tests fail without any change: test_it_doubles")
    assert not paper.places["mutants"].exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to a process")
def test_after_ctrl_c_what_was_tried_is_not_tried_again(repository, paper):
    edit(
        paper.places["test"],
        "    assert twice(3) == 6",
        "    import time\n    time.sleep(0.2)\n    assert twice(3) == 6",
    )
    process = subprocess.Popen(
        [sys.executable, "-c", "from paperimpl.cli import main; main()", "mutate", "double", "--jobs", "1"],
        env=os.environ | {"PYTHONPATH": str(repository.root / "src")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    journal = repository.root / ".cache/mutants/double.jsonl"
    with process:
        while not journal.is_file() or journal.read_text(encoding="utf-8").count("\n") < 4:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert "goes on from there" in told
    assert "Traceback" not in told
    assert not paper.places["mutants"].exists()
    tried = journal.read_text(encoding="utf-8")
    journal.write_text(tried + '["mutant", "twi', encoding="utf-8")  # as a power cut would leave it
    repository("mutate", "double", "--jobs", "1")
    assert journal.read_text(encoding="utf-8").startswith(tried)
    score = Score.load(paper.places["mutants"])
    assert len(journal.read_text(encoding="utf-8").splitlines()) == 1 + 1 + score.total + score.equivalent


def test_a_score_is_of_the_past_when_model_tests_or_bugs_change_and_not_when_comments_do(paper):
    def digest():
        return evidence_digest(paper)

    first = digest()
    edit(paper.places["model"], '"""Double it."""', '"""Double it, always."""  # yes')
    edit(paper.places["test"], "def test", "# so\ndef test")
    edit(paper.places["bugs"], "it triples", "it makes three of it")
    assert digest() == first
    for kind, old, new in [("model", "2 * a", "a * 2"), ("test", "== 6", "== 6.0"), ("bugs", "3 * a", "4 * a")]:
        before = digest()
        edit(paper.places[kind], old, new)
        assert digest() != before
    before = digest()
    paper.places["test"].with_name("conftest.py").write_text("THREADS = 1\n", encoding="utf-8")
    assert digest() != before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[bug]\n", "not TOML"),
        ('[[bug]]\nwhat = "a"\nold = "b"\nnew = 3\ncaught_by = "t"\n', "[[bug]] number 1: 'new' is not a text"),
        ('[[equivalent]]\nin = ""\nold = "b"\nnew = "c"\n', "[[equivalent]] number 1: 'why' is not a text"),
        ('[[bugs]]\nwhat = "a"\n', "unknown tables: bugs"),
    ],
)
def test_a_broken_bug_list_is_told_with_its_place(paper, text, told):
    paper.places["bugs"].write_text(text, encoding="utf-8")
    with pytest.raises(VaultError) as refused:
        Bugs.read(paper)
    assert str(refused.value).startswith("tests/papers/bugs/double.toml: ")
    assert told in str(refused.value)


def test_a_record_that_does_not_add_up_is_refused(tmp_path):
    path = tmp_path / "double.mutants.json"
    path.write_text(Score("sha256:0", 1, 10, 9, [{"in": "f"}], 0).dump(), encoding="utf-8")
    assert Score.load(path).share == 0.9
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"killed": 10}), encoding="utf-8")
    with pytest.raises(ValueError, match="add up"):
        Score.load(path)
