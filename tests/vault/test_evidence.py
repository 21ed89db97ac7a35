import itertools
import math
from statistics import stdev

import numpy as np
import pytest
from scipy import stats

from paperimpl.vault.evidence import TUNED_ON, Effect, Estimate, Size, _tail, estimate, refuse, verdict

SEEDS = {"RNN": 0.84, "LSTM": 0.04, "zero": 0.0}


@pytest.mark.parametrize(
    ("of", "value"),
    [
        ("RNN - LSTM", 0.8),
        ("RNN / LSTM", 21),
        ("-(LSTM - RNN) * 2 + 1", 2.6),
        ("1 - LSTM - RNN", 0.12),
        ("RNN", 0.84),
    ],
)
def test_an_effect_is_a_formula_over_what_was_measured(of, value):
    assert Effect(of, "share").value(SEEDS) == pytest.approx(value)


@pytest.mark.parametrize("of", ["", "RNN -", "RNN ** 2", "max(RNN, LSTM)", "RNN.real", "'a'", "True", "RNN < 1", "1j"])
def test_anything_else_is_no_effect(of):
    with pytest.raises(ValueError, match=r"is no formula of keys of `measured`, numbers, \+ - \* / and brackets"):
        Effect(of, "share")


@pytest.mark.parametrize(
    ("of", "told"), [("RNN - GRU", "names 'GRU'; measured are RNN, LSTM, zero"), ("1 / zero", "divides by 0")]
)
def test_an_effect_that_cannot_be_worked_out_says_why(of, told):
    with pytest.raises(ValueError, match=told):
        Effect(of, "share").value(SEEDS)


def test_the_same_values_give_the_same_interval_however_many_they_are():
    for n in (5, 7, 40):
        values = np.random.default_rng(n).normal(size=n).tolist()
        assert estimate(values) == estimate(values)


def test_the_interval_of_five_seeds_covers_the_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    found = [estimate(rng.normal(3, 2, size=5)) for _ in range(1000)]
    covered = sum(one.low < 3 < one.high for one in found) / len(found)
    assert 0.91 < covered < 0.97  # the plain percentile interval: 0.85


def test_with_many_seeds_it_is_the_interval_of_the_central_limit():
    values = np.random.default_rng(2).normal(size=400).tolist()
    half = 1.96 * stdev(values) / math.sqrt(400)
    found = estimate(values)
    assert found.mean == pytest.approx(np.mean(values))
    assert found.low == pytest.approx(found.mean - half, abs=0.1 * half)
    assert found.high == pytest.approx(found.mean + half, abs=0.1 * half)


@pytest.mark.parametrize("value", [0.1, 0.7])  # of which six have another mean than numpy's, by a last bit either way
def test_equal_seeds_have_an_interval_of_no_width_with_their_mean_in_it(value):
    found = estimate([value] * 6)
    assert found == Estimate(pytest.approx(value), pytest.approx(value), pytest.approx(value))
    assert found.low <= found.mean <= found.high


def test_up_to_six_seeds_the_interval_is_that_of_all_resamples():
    values = [0.31, 1.07, -2.03, 0.74, 5.11, 2.58]
    means = [sum(resample) / 6 for resample in itertools.product(values, repeat=6)]
    found = estimate(values)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(means, [_tail(6), 1 - _tail(6)])), rel=1e-12)


def test_one_seed_has_no_interval():
    with pytest.raises(ValueError, match="two seeds or more, not 1"):
        estimate([1.0])


@pytest.mark.parametrize(
    ("held", "low", "told"),
    [
        ([True] * 5, 0.1, "reproduced"),
        ([True] * 4 + [False], 0.1, "partly"),
        ([False] * 5, 0.1, "partly"),
        ([True] * 5, 0.0, "not reproduced at this scale"),
        ([True] * 5, -0.1, "not reproduced at this scale"),
    ],
)
def test_the_verdict_follows_from_the_seeds_and_the_interval(held, low, told):
    assert verdict(held, Estimate(1.0, low, 2.0)) == told


@pytest.mark.parametrize(
    ("seeds", "told"),
    [
        (range(5), ""),
        (range(100), ""),
        ([99, 108], ""),
        ([0, 103], "seed 103 chose"),
        ([100, 107, 3], "seeds 100 and 107 chose"),
        (range(200), "seeds 100 to 107 chose the settings and cannot be reported"),
    ],
)
def test_seeds_that_settings_were_chosen_on_are_refused(seeds, told):
    assert refuse(seeds).startswith(told)
    assert bool(refuse(seeds)) == bool(told)
    assert len(TUNED_ON) == 8


def test_a_result_says_itself_on_which_seeds_it_was_tuned():
    assert refuse([0, 7], tuned_on=[7]).startswith("seed 7 chose")
    assert not refuse([103], tuned_on=[7])


@pytest.mark.parametrize(("ours", "agrees"), [(65e6, True), (63.1e6, True), (67.1e6, False), (62.9e6, False)])
def test_a_size_agrees_within_the_stated_share_of_the_papers(ours, agrees):
    size = Size("base", "parameters", 65e6, ours, 0.03, "Table 3")
    assert size.agrees == agrees
    assert size.apart == pytest.approx(ours / 65e6 - 1)


@pytest.mark.parametrize("n", [2, 5, 8, 30])
def test_the_tails_are_those_that_give_normal_numbers_students_interval(n):
    student = stats.t.ppf(0.975, n - 1)
    assert _tail(n) == pytest.approx(stats.norm.cdf(-math.sqrt(n / (n - 1)) * student), rel=1e-2)
