"""What a paper's tests notice, held to its record: at least 90% of the mutants, and every listed bug.

Trying them all takes a minute a paper, so `paperimpl mutate` does that and records it with a digest of model, tests
and bug list. Here the digest is checked, one listed bug a paper is planted all the same, and all of them where the
record is of the past.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from paperimpl.cli.mutate import is_stale, plant
from paperimpl.mutation.operators import mutants
from paperimpl.mutation.trials import Trials
from paperimpl.vault.mutants import LEAST_KILLED, Bugs, Score
from paperimpl.vault.paper import papers

PAPERS = [pytest.param(paper, id=paper.slug) for paper in papers(Path(__file__).parents[2])]
every_paper = pytest.mark.parametrize("paper", PAPERS)


@pytest.fixture(scope="module")
def trials():
    """A process that is warm for all of them."""
    with Trials(Path(__file__).parents[2]) as warm:
        yield warm


@every_paper
def test_at_least_ten_bugs_are_listed(paper):
    planted = Bugs.read(paper).planted
    assert len(planted) >= 10
    assert len({(bug["old"], bug["new"]) for bug in planted}) == len(planted)


@every_paper
def test_the_score_is_of_this_model_these_tests_and_these_bugs(paper):
    assert not is_stale(paper), f"run: paperimpl mutate {paper.slug}"


@every_paper
def test_at_least_ninety_percent_of_the_mutants_are_killed(paper):
    score = Score.load(paper.places["mutants"])
    assert score.share >= LEAST_KILLED
    assert score.planted == len(Bugs.read(paper).planted)


@every_paper
def test_every_mutant_called_equivalent_has_its_reason(paper):
    bugs = Bugs.read(paper)
    assert all(len(mutant["why"].split()) >= 4 for mutant in bugs.equivalent)
    assert Score.load(paper.places["mutants"]).equivalent == len(bugs.equivalent)


@pytest.mark.slow
@every_paper
def test_a_listed_bug_is_caught_by_the_test_that_the_list_names(paper, trials):
    bugs = Bugs.read(paper).planted
    sample = int(Score.load(paper.places["mutants"]).digest[-8:], 16) % len(bugs)  # another one after each change
    for bug in bugs if is_stale(paper) else [bugs[sample]]:
        verdict = plant(trials, paper, bug)
        assert verdict.killed, f"{bug['what']}: {verdict.told}"


@pytest.mark.slow
@every_paper
def test_the_recorded_total_is_what_the_operators_make_today(paper):
    made = mutants(paper.places["model"].read_text(encoding="utf-8"))
    score = Score.load(paper.places["mutants"])
    assert len(made) == score.total + score.equivalent, "raise vault.mutants._OPERATORS by one"
