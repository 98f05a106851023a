"""Types of columns: found out from values, chosen by the user, and the form their values get."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.kernels.search import columns, values
from learnviews.kernels.search.data import load


def written(*texts):
    """A column of text as a CSV file gives it."""
    found, described = columns.typed(pd.DataFrame({"x": pd.Series(texts, dtype=object)}), written=True)
    return described["x"].type, list(found["x"]), described["x"].why


@pytest.mark.parametrize(
    "texts, type, expected",
    [
        (("1", "-2", "+3"), "integer", [1, -2, 3]),
        (("1", None, "NA"), "integer", [1.0, np.nan, np.nan]),
        (("1", "2.5", "?"), "real", [1.0, 2.5, np.nan]),
        (("1e3", "-.5", "inf"), "real", [1000.0, -0.5, np.nan]),
        (("true", "False", None), "boolean", [True, False, None]),
        (("007", "010"), "categorical", ["007", "010"]),
        (("NA", "None", "nan"), "categorical", ["NA", "None", None]),
        ((" a", "b ", None), "categorical", [" a", "b ", None]),
        (("99999999999999999999", "1"), "categorical", ["99999999999999999999", "1"]),
        (("9007199254740993", None), "categorical", ["9007199254740993", None]),
        (("9007199254740993", "1"), "integer", [9007199254740993, 1]),
        (("1_000", "2"), "categorical", ["1_000", "2"]),
        ((None, None), "other", [None, None]),
        (("2020-02-30", "2020-01-01"), "categorical", ["2020-02-30", "2020-01-01"]),
    ],
)
def test_written_values_get_a_type_and_its_form(texts, type, expected):
    found, form, _ = written(*texts)
    assert found == type
    assert pd.Series(form, dtype=object).equals(pd.Series(expected, dtype=object))


@pytest.mark.parametrize(
    "texts, day",
    [
        (("2021-03-04", "2021-03-05"), "2021-03-04"),
        (("2021-03-04T10:00:00+02:00", "2021-03-05 10:00"), "2021-03-04 08:00"),
        (("03/04/2021", "12/31/2021"), "2021-03-04"),
        (("04/03/2021", "31/12/2021"), "2021-03-04"),
        (("4.3.2021", "5.3.2021"), "2021-03-04"),
        (("2021/3/4", "2021/3/5"), "2021-03-04"),
    ],
)
def test_dates_of_one_form_are_dates(texts, day):
    type, form, _ = written(*texts, None)
    assert type == "dateTime"
    assert form[0] == pd.Timestamp(day)
    assert form[-1] is pd.NaT


def test_a_mixed_column_says_what_spoils_it():
    type, form, why = written("1", "2", "3", "many")
    assert (type, form) == ("categorical", ["1", "2", "3", "many"])
    assert why == 'mixed: 1 of 4 values are no numbers, the first "many" (4th value)'


def test_sentences_are_text_and_names_are_not():
    assert written("the cat sat on it", "a dog ran far away", "no one was here then")[0] == "text"
    assert written("Ada Lovelace", "Alan Turing", "Grace Hopper")[0] == "categorical"


@pytest.mark.parametrize(
    "series, type, form",
    [
        (pd.Series([1, None, 3]), "integer", [1.0, np.nan, 3.0]),
        (pd.Series([1.0, 2.0]), "real", [1.0, 2.0]),
        (pd.Series([1, None], dtype="Int64"), "integer", [1.0, np.nan]),
        (pd.Series([2**63], dtype="uint64"), "categorical", [str(2**63)]),
        (pd.Series([2**70, 1]), "categorical", [str(2**70), "1"]),
        (pd.Series([True, None], dtype="boolean"), "boolean", [True, None]),
        (pd.Series(["1", "2"]), "categorical", ["1", "2"]),
        (pd.Series([1, "a", None], dtype=object), "categorical", ["1", "a", None]),
        (pd.Series([decimal.Decimal("1.5"), decimal.Decimal("NaN")]), "real", [1.5, np.nan]),
        (pd.Series([1, 2], dtype="category"), "categorical", ["1", "2"]),
        (pd.Series(["a", pd.NA], dtype="string"), "categorical", ["a", None]),
        (pd.Series(pd.to_timedelta(["1 min", None])), "real", [60.0, np.nan]),
        (pd.Series([[1], [2]]), "other", ["[1]", "[2]"]),
        (pd.Series([["b", "a"], [], None]), "categorical", ["b;a", "", None]),  # none of the labels is known, too
        (pd.Series([{"b", "a"}, {"c"}]), "categorical", ["a;b", "c"]),
        (pd.Series([datetime.date(2020, 1, 2), None]), "dateTime", [pd.Timestamp("2020-01-02"), pd.NaT]),
        (pd.Series(pd.period_range("2020-01", periods=1, freq="M")), "dateTime", [pd.Timestamp("2020-01-01")]),
    ],
)
def test_values_of_a_frame_get_a_type_and_its_form(series, type, form):
    found = load(series.to_frame("x"))
    assert found.columns["x"].type == type
    assert found.frame["x"].astype(object).equals(pd.Series(form, dtype=object, name="x"))


def test_complex_numbers_are_refused():
    with pytest.raises(ValueError, match='column "x": complex numbers'):
        load(pd.DataFrame({"x": [1j]}))


def test_a_chosen_type_must_fit():
    frame = pd.DataFrame({"x": ["1", "two"]}, index=["a", "b"])
    with pytest.raises(ValueError, match='column "x", row b: "two" is no number'):
        load(frame, types={"x": "real"})
    with pytest.raises(ValueError, match='column "x": no type "float"; expected one of boolean, integer'):
        load(frame, types={"x": "float"})
    with pytest.raises(ValueError, match="no column y; it has x"):
        load(frame, types={"y": "real"})


def test_a_type_can_be_changed_and_changed_back():
    data = load(pd.DataFrame({"x": [1, 2, 1], "year": ["1818", "1819", "1820"]}))
    labels = data.with_types({"x": "categorical", "year": "dateTime"})
    assert list(labels.frame["x"]) == ["1", "2", "1"]
    assert labels.frame["year"][0] == pd.Timestamp("1818-01-01")
    numbers = labels.with_types({"x": "integer", "year": "integer"})
    assert numbers.frame["x"].dtype == "int64"
    assert list(numbers.frame["year"]) == [1818, 1819, 1820]


def test_counted_dates_stay_numbers():
    data = load(pd.DataFrame({"day": [0, 1, 2]}), types={"day": "dateTime"})
    assert list(data.frame["day"]) == [0.0, 1.0, 2.0]


def test_row_numbers_and_time_get_roles():
    frame = pd.DataFrame({"id": [7, 8, 9], "when": ["2020-01-01", "2020-01-02", "2020-01-03"], "y": [1, 1, 2]})
    roles = {name: column.role for name, column in load(frame).columns.items()}
    assert roles == {"id": "index", "when": "timeIndicator", "y": "attribute"}


def test_an_attribute_that_repeats_is_no_time():
    frame = pd.DataFrame({"year": [70, 70, 71], "y": [1, 2, 3]})
    assert load(frame).columns["year"].role == "attribute"


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.text(max_size=6), st.integers(-9, 9).map(str), st.floats().map(str)), min_size=1)
)
def test_any_text_gets_a_type_that_holds_it(texts):
    frame = pd.DataFrame({"x": pd.Series(texts, dtype=object)})
    found, described = columns.typed(frame, written=True)
    column, type = found["x"], described["x"].type
    assert type in columns.TYPES and len(column) == len(texts)
    if type == "categorical":
        blank = {text for text in texts if text is not None and not text.strip()} | values.WORDS_FOR_NONE
        assert [None if text in blank else text for text in texts] == list(column)
    if type in columns.NUMBERS:
        assert column.dtype in ("int64", "float64") and not np.isinf(column).any()


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.dates()), min_size=1
    )
)
def test_any_objects_get_a_type(objects):
    data = load(pd.DataFrame({"x": pd.Series(objects, dtype=object)}))
    assert data.columns["x"].type in columns.TYPES
    again = load(data.frame, types={"x": data.columns["x"].type})
    assert again.frame["x"].equals(data.frame["x"])


WORDS = st.sampled_from(["yes", "no", "True", "false", "1", "2.5", "2020-01-01", "?", "NaN", " ", "", "a word", None])


@given(st.lists(WORDS, min_size=1, max_size=4), st.integers(1, 4), st.booleans())
def test_words_that_come_again_and_again_are_read_as_each_by_itself(words, times, written):
    """The quick way for columns of few distinct texts says what a look at every value says."""
    series = pd.Series(words * times, dtype=object, name="c")
    slow = columns._infer_objects(values.objects(series), written)
    assert columns.infer(series, written) == slow
    found = values.convert(series, "categorical")[0]
    expected = [values.label(value) for value in values.objects(series)]
    pd.testing.assert_series_equal(found, pd.Series(expected, series.index, dtype=object, name="c"))
