"""Numbers that people type, and what is wanted in words."""

import json
import re

import pytest
from cube_small import SCHEMA, measures, model
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.apps.nncubes.readout import Total, describe
from learnviews.apps.nncubes.suggestions import asked_list, is_hit, nearest_words, place_words, wanted_list
from learnviews.apps.nncubes.typed import typed_number
from learnviews.kernels.cube import Query

FEW = settings(max_examples=60, deadline=None, derandomize=True)
ROWS = ("rows", "")
SEVERAL = {("month", 3): 1500.0, ("hour", 8): 900.0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12,000", 12_000),
        ("12k", 12_000),
        ("12 K", 12_000),
        ("1.5m", 1_500_000),
        ("2b", 2e9),
        ("-3.5", -3.5),
        ("−3.5", -3.5),
        (" 7 ", 7),
        (".5", 0.5),
        ("1.2e4", 12_000),
        ("12 000", 12_000),
        ("1,234,567.8", 1_234_567.8),
        ("12\N{NO-BREAK SPACE}000", 12_000),
        ("+4", 4),
        ("12 min", 12),
        ("12k min", 12_000),
    ],
)
def test_typed_numbers(text, value):
    assert typed_number(text, "min") == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    "text", ["", "many", "12,00", "1,2,3", "12kk", "nan", "inf", "1e999", "--3", "3 rows", "0x10", "12 min", "٣"]
)
def test_no_numbers(text):
    with pytest.raises(ValueError, match="is no number: type one such as 12,000"):
        typed_number(text)


def test_too_small_and_too_long():
    with pytest.raises(ValueError, match="-3 cannot be: the least there can be is 0"):
        typed_number("-3", least=0.0)
    with pytest.raises(ValueError, match=r"x{40}…' is no number"):
        typed_number("x" * 1000)


@FEW
@given(st.floats(-1e12, 1e12))
def test_written_numbers_come_back(value):
    assert typed_number(f"{value:,.3f}") == pytest.approx(value, abs=5.1e-4)
    assert typed_number(repr(value)) == value


@FEW
@given(st.text(max_size=12))
def test_any_text_gives_a_number_or_a_message(text):
    try:
        assert abs(typed_number(text)) < float("inf")
    except ValueError as error:
        assert "is no number" in str(error)


def test_what_is_wanted_in_words():
    assert place_words(SCHEMA, ("hour", 8)) == "hour 8"
    assert place_words(SCHEMA, ("month", None)) == "the total"
    text = asked_list(SCHEMA, {**SEVERAL, ("month", None): 12.0}, ("mean delay", "min"))
    plain = re.sub("<[^>]*>", "", text)
    assert plain == "Wanted mean delay (min): month 4 1,500× hour 8 900× the total 12×"
    dropped = re.findall('data-drop="([^"]*)"', text)
    keys = [tuple(json.loads(each.replace("&quot;", '"'))) for each in dropped]
    assert keys == [*SEVERAL, ("month", None)]


def test_several_within_reach():
    base = Query()
    views = model().views(Query(kind={"a", "b"}))
    wanted = {("month", 3): float(views["month"][3]), ("hour", 8): float(views["hour"][8])}
    found = model().invert(wanted, base, free=list(SCHEMA.names), exact=False)
    assert is_hit(found[0], wanted)
    for key, value in wanted.items():
        assert found[0].predicted[key] == pytest.approx(value, rel=0.011)
        assert found[0].misses[key] == pytest.approx(abs(found[0].predicted[key] - value) / value)
    assert found[0].miss == pytest.approx(sum(found[0].misses.values()) / 2)
    text = wanted_list(SCHEMA, base, wanted, found, 3, ROWS)
    assert "Each of these does it" in text
    assert text.count("data-item=") == len(found)
    assert text.count("data-drop=") == 2


def test_one_of_several_missed_is_no_hit():
    views = model().views()
    wanted = {("month", 3): float(views["month"][3]), ("hour", 8): float(views["hour"][8]) * 50}
    best = model().invert(wanted, free=["kind"], exact=False)[0]
    assert not is_hit(best, wanted)
    words = nearest_words(SCHEMA, wanted, best, ROWS)
    assert words.startswith("All at once this is out of reach")
    assert "hour 8" in words
    assert "instead of" in words.split("hour 8")[1]
    beyond = {("hour", 8): 1e6}
    assert nearest_words(SCHEMA, beyond, model().invert(beyond)[0], ROWS).startswith("Out of reach")


def test_the_wanted_total():
    wanted = {("month", None): 4000.0}
    found = model().invert(wanted, exact=True)
    assert is_hit(found[0], wanted)
    assert model().exact.total(found[0].query) == pytest.approx(4000, rel=0.01)
    mean = {("month", None): 0.5}
    near = measures().invert(mean, aggregate=("mean", "delay"), exact=False)[0]
    assert is_hit(near, mean, counted=False) is (near.misses[("month", None)] <= 0.01)


def test_the_readout_can_be_dragged_and_says_what_is_wanted():
    text = describe("x", Total(1234.4, None, None, 1234.4, 0.5), ROWS, "model", wanted=900.0)
    assert 'data-total="1234.4" data-counts' in text
    assert '<b class="asked">900 wanted</b>' in text
    text = describe("x", Total(float("nan"), None, None, 0.0, 0.0), ("mean delay", "min"), "model")
    assert "data-total" not in text
    text = describe("x", Total(-2.5, None, None, 10.0, 0.5), ("mean delay", "min"), "model")
    assert "data-counts" not in text
    assert "wanted" not in text
