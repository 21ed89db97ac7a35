import json
import math
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperimpl.vault.evidence import Effect, Size
from paperimpl.vault.result import Recorded, Run, number, quote, seal

PANEL = {"x": [1, 2], "series": {"a": [0.5, 0.25]}, "x_label": "step", "y_label": "loss", "log_x": False, "log_y": True}


def result(**measured):
    """Five seeds; the claim fails for the last."""
    runs = [
        Run(seed, {key: values[seed] for key, values in measured.items()}, seed < 4, 1.5 + seed, {"Loss": PANEL}, {})
        for seed in range(5)
    ]
    return Recorded("Table 7.", "Holds if.", "sha256:0", {"LSTM": "share wrong"}, runs, {"python": "3.11"})


RESULT = result(
    LSTM=[0, 0.0004, 0.0012, 0.0008, 0.0006], Elman=[0.84, 0.85, 0.86, 0.85, 0.85], steps=[100, 102, 101, 104, 106]
)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("LSTM", "6.00 × 10⁻⁴"),
        ("Elman", "0.85"),
        ("Elman mean", "0.85"),
        ("Elman median %", "85%"),
        ("Elman % median", "85%"),
        ("Elman min", "0.84"),
        ("Elman max", "0.86"),
        ("Elman std .4f", "0.0071"),
        ("Elman range", "0.84–0.86"),
        ("Elman range %", "84–86%"),
        ("LSTM range %", "0–0.12%"),
        ("LSTM seed 2 %", "0.12%"),
        ("LSTM seed 2", "0.0012"),
        ("LSTM .1e", "6.0e-04"),
        ("LSTM +.2f", "+0.00"),
        ("steps d", "103"),
        ("steps seed 4 d", "106"),
        ("steps .3g", "103"),
        ("seeds", "5"),
        ("held", "4 of 5"),
        ("seconds", "3.5"),
        ("seconds mean .0f", "4"),
        ("seconds max .1f", "5.5"),
    ],
)
def test_a_note_is_answered(asked, answer):
    key, *words = asked.split()
    assert quote(RESULT, key, words) == answer


@pytest.mark.parametrize(
    ("asked", "remedy"),
    [
        ("LSTN", "did you mean 'LSTM'?"),
        ("second", "did you mean 'seconds'?"),
        ("zzz", "measured are LSTM, Elman, steps"),
        ("Elman meen", "did you mean 'mean'?"),
        ("Elman zzz", "'zzz' is none of mean, median, min, max, std, range, seed, %, nor a format such as .2f"),
        ("Elman .2d", "'.2d' is none of"),
        ("Elman 2f", "'2f' is none of"),
        ("Elman seed", "'seed' wants a number"),
        ("Elman seed two", "'seed' wants a number"),
        ("Elman seed ²", "'seed' wants a number"),
        ("Elman seed 7", "seed 7 was not run; seeds are 0, 1, 2, 3, 4"),
        ("Elman min max", "'min' and 'max' exclude each other"),
        ("Elman seed 1 max", "'seed' and 'max' exclude each other"),
        ("Elman % .2f", "'%' and '.2f' exclude each other"),
        ("held %", "'held' takes no further words"),
        ("seeds d", "'seeds' takes no further words"),
    ],
)
def test_what_it_cannot_answer_comes_with_a_remedy(asked, remedy):
    key, *words = asked.split()
    with pytest.raises(KeyError) as unknown:
        quote(RESULT, key, words)
    assert unknown.value.args[0].startswith(remedy)


def test_a_number_that_some_seed_lacks_is_not_quoted():
    short = [*RESULT.runs[:4], Run(4, {"LSTM": 0.1}, True, 1.0, {}, {})]
    with pytest.raises(KeyError, match="'Elman' was not measured for seed 4"):
        quote(Recorded("", "", "", {}, short, {}), "Elman")


def test_a_spread_needs_two_seeds():
    one = Recorded("", "", "", {}, RESULT.runs[:1], {})
    assert quote(one, "Elman", ["std"]) == "0"
    assert quote(one, "Elman", ["range"]) == "0.84"


@pytest.mark.parametrize(
    ("value", "style", "text"),
    [
        (0, "", "0"),
        (-3.0, "", "-3"),
        (12345, "", "12,345"),
        (0.12345, "", "0.123"),
        (999.4, "", "999"),
        (999.9, "", "1,000"),
        (-999.9, "", "-1,000"),
        (12345.6, "", "12,346"),
        (1234567, "", "1.23 × 10⁶"),
        (0.00012, "", "1.20 × 10⁻⁴"),
        (1234567, ",d", "1,234,567"),
        (5.6, "d", "6"),
        (2.9999996, "d", "3"),
        (0.5, "%", "50%"),
        (0.123, "%", "12.3%"),
        (0.0012, "%", "0.12%"),
        (0, "%", "0%"),
        (1, "%", "100%"),
        (-0.02, "%", "-2%"),
        (1234.5, ",.1f", "1,234.5"),
    ],
)
def test_numbers_are_printed_for_prose(value, style, text):
    assert number(value, style) == text


@given(st.floats(-1e300, 1e300))
def test_three_digits_tell_a_number_to_within_half_a_percent(value):
    text = number(value).replace(",", "")
    if "×" in text:
        mantissa, power = text.split(" × 10")
        text = f"{mantissa}e{power.translate(str.maketrans('⁻⁰¹²³⁴⁵⁶⁷⁸⁹', '-0123456789'))}"
    elif abs(value) >= 1:
        assert "e" not in text
    assert math.isclose(float(text), value, rel_tol=5.1e-3)


def test_a_result_is_written_and_read_back_the_same(tmp_path):
    (tmp_path / "x.claim.json").write_text(RESULT.dump(), encoding="utf-8")
    assert Recorded.load(tmp_path / "x.claim.json") == RESULT
    assert Recorded.load(tmp_path / "x.claim.json").dump() == RESULT.dump()
    assert RESULT.keys == ["LSTM", "Elman", "steps"]
    assert not RESULT.holds


def test_runs_are_written_by_seed_and_numbers_on_one_line():
    backwards = Recorded("", "", "", {}, RESULT.runs[::-1], {})
    assert [run["seed"] for run in json.loads(backwards.dump())["runs"]] == [0, 1, 2, 3, 4]
    assert '"x": [1, 2],' in RESULT.dump()
    assert '"a": [0.5, 0.25]' in RESULT.dump()


words = st.text(st.sampled_from("[]{}, .0-9eE+-\n\t\"'\\aé–")) | st.text()
finite = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9)


@given(words, words, st.lists(st.lists(finite)), st.dictionaries(words, words))
@example("in [ 0,  1 ]", "", [], {})
def test_no_text_is_changed_by_being_written(says, threshold, image, units):
    run = Run(0, {"a": 1.0}, True, 1.0, {}, {"picture": image})
    result = Recorded(says, threshold, "sha256:0", units, [run], {})
    read = json.loads(result.dump())
    assert (read["says"], read["threshold"], read["units"]) == (says, threshold, units)
    assert read["runs"][0]["images"]["picture"] == image


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "<<<<<<< ours\n{}",
        "[]",
        "3",
        "{}",
        '{"says": "", "threshold": "", "digest": "", "runs": []}',
        '{"says": "", "threshold": "", "digest": "", "runs": 3}',
        '{"says": "", "threshold": "", "digest": "", "runs": [3]}',
        '{"says": "", "threshold": "", "digest": "", "runs": [{"seed": 0}]}',
        '{"says": "", "threshold": "", "digest": "", "runs": [{"seed": 0, "measured": "x", "holds": 1, "seconds": 1}]}',
    ],
)
def test_anything_else_is_not_a_result_file(tmp_path, text):
    (tmp_path / "x.claim.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"^not a result file: "):
        Recorded.load(tmp_path / "x.claim.json")


def test_bytes_are_not_a_result_file(tmp_path):
    (tmp_path / "x.claim.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(ValueError, match=r"^not a result file: "):
        Recorded.load(tmp_path / "x.claim.json")


WEIGHED = replace(RESULT, effect=Effect("Elman - LSTM", "share that only Elman gets wrong"))


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("effect %", "84.9%"),
        ("effect interval .3f", "0.842–0.857"),
        ("effect interval %", "84.2–85.7%"),
        ("effect seed 1 .4f", "0.8496"),
        ("effect range .2f", "0.84–0.86"),
        ("verdict", "partly"),
    ],
)
def test_a_note_may_quote_the_effect_and_the_verdict(asked, answer):
    key, *words = asked.split()
    assert quote(WEIGHED, key, words) == answer


@pytest.mark.parametrize(
    ("result", "asked", "remedy"),
    [
        (RESULT, "effect", "its claim names no effect"),
        (RESULT, "verdict", "its claim names no effect"),
        (WEIGHED, "verdict %", "'verdict' takes no further words"),
        (WEIGHED, "LSTM interval", "only 'effect' has an interval"),
        (WEIGHED, "effect mean interval", "'mean' and 'interval' exclude each other"),
        (WEIGHED, "effekt", "did you mean 'effect'?"),
    ],
)
def test_an_effect_that_cannot_be_quoted_comes_with_a_remedy(result, asked, remedy):
    key, *words = asked.split()
    with pytest.raises(KeyError) as unknown:
        quote(result, key, words)
    assert unknown.value.args[0].startswith(remedy)


def test_a_result_keeps_its_effect_sizes_tuning_seeds_and_memory(tmp_path):
    size = Size("base", "parameters", 65e6, 63e6, 0.05, "Table 3")
    runs = [replace(run, memory=300.0) for run in WEIGHED.runs]
    whole = replace(WEIGHED, sizes=(size,), tuned_on=(7, 8), runs=runs)
    (tmp_path / "x.claim.json").write_text(whole.dump(), encoding="utf-8")
    assert Recorded.load(tmp_path / "x.claim.json") == whole


@pytest.mark.parametrize(
    ("old", "new"), [('"LSTM": 0.0004', '"LSTM": 0.0'), ('"holds": false', '"holds": true'), ("Table 7.", "Table 8.")]
)
def test_a_result_that_was_edited_by_hand_is_refused(tmp_path, old, new):
    text = WEIGHED.dump()
    assert old in text
    (tmp_path / "x.claim.json").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match="edited by hand since it was recorded"):
        Recorded.load(tmp_path / "x.claim.json")


def test_laying_a_result_out_anew_is_no_edit(tmp_path):
    (tmp_path / "x.claim.json").write_text(json.dumps(json.loads(WEIGHED.dump())), encoding="utf-8")
    assert Recorded.load(tmp_path / "x.claim.json").verdict == "partly"


@pytest.mark.parametrize("of", ["GRU - LSTM", "Elman -", "LSTM / (Elman - Elman)"])
def test_an_effect_that_its_result_does_not_bear_out_makes_no_result_file(tmp_path, of):
    data = json.loads(WEIGHED.dump())
    data["effect"]["of"] = of
    data["seal"] = seal(data)
    (tmp_path / "x.claim.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ValueError, match="not a result file: ValueError: effect"):
        Recorded.load(tmp_path / "x.claim.json")


def test_one_seed_has_an_effect_and_neither_interval_nor_verdict():
    one = replace(WEIGHED, runs=WEIGHED.runs[:1])
    assert len(one.effects) == 1
    assert one.estimate is None
    assert one.verdict == ""


def test_a_result_was_measured_on_the_cpu_unless_it_says_otherwise():
    assert WEIGHED.device == "cpu"
    assert replace(WEIGHED, made_with={"device": "cuda, A card"}).device == "cuda, A card"
