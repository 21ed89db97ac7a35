import math

import pytest

from paperimpl.lab import Panel, Result


def test_a_result_holds_what_a_claim_measured():
    panel = Panel([1, 2], {"LSTM": [0.5, 0.25]}, "step", "loss", log_y=True)
    result = Result({"LSTM": 0.1}, holds=True, units={"LSTM": "share"}, curves={"Loss": panel}, images={"w": [[0, 1]]})
    assert result.measured == {"LSTM": 0.1}
    assert result.holds
    assert Result({}, holds=False).units == {}


@pytest.mark.parametrize("key", ["", "two words", "1st", "a-b", "a.b", "é", "seeds", "held", "seconds"])
def test_a_key_that_a_note_could_not_quote_is_refused(key):
    with pytest.raises(ValueError, match="must be an identifier other than"):
        Result({key: 1.0}, holds=True)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_refused(value):
    with pytest.raises(ValueError, match="not a finite number"):
        Result({"a": 1.0, "b": value}, holds=True)


def test_a_unit_belongs_to_something_measured():
    with pytest.raises(ValueError, match=r"units for \['b'\]"):
        Result({"a": 1.0}, holds=True, units={"a": "s", "b": "m"})


def test_every_series_of_a_panel_is_as_long_as_its_axis():
    with pytest.raises(ValueError, match="'b' has 1 values over 2 positions"):
        Panel([1, 2], {"a": [1, 2], "b": [1]}, "x", "y")
