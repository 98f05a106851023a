"""Columns in bins: every row in the bin that holds its value, and counts of any rows as a naive count has them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import bin_counts

from learnviews.kernels import search
from learnviews.kernels.search import Profile
from learnviews.kernels.search.label_order import by_value


@pytest.fixture(scope="module")
def people():
    rng, n = np.random.default_rng(0), 500
    frame = pd.DataFrame(
        {
            "age": rng.integers(20, 40, n),
            "income": rng.lognormal(10, 1, n).round(2),
            "town": rng.choice([f"town {at}" for at in range(40)], n, p=np.arange(1, 41) / 820),
            "member": rng.random(n) < 0.3,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
        }
    )
    frame.loc[::7, "income"], frame.loc[::11, "town"] = np.nan, None
    frame.loc[3, "income"], frame.loc[5, "since"] = np.inf, pd.NaT
    return frame


def test_every_value_is_in_its_bin(people):
    found = Profile(people)
    assert [bins.name for bins in found.columns] == list(people)
    for at, bins in enumerate(found.columns):
        for row, value in enumerate(people[bins.name]):
            label = bins.labels[found.codes[row, at]]
            if bins.kind == "labels":
                wanted = "missing" if pd.isna(value) else str(value)
                assert label == wanted or (label == "others" and wanted not in bins.labels)
            elif pd.isna(value) or value == np.inf:
                assert label == "missing"
            else:
                code, value = found.codes[row, at], np.datetime64(value) if bins.kind == "times" else value
                assert bins.edges[code] <= value
                assert value < bins.edges[code + 1] or (code == len(bins.edges) - 2 and value == bins.edges[-1])


def test_bins_are_few_and_named(people):
    found = Profile(people)
    assert len(found["age"]) == 20 and found["age"].labels[0] == "20"
    assert 20 <= len(found["income"]) <= 25 and found["income"].labels[-1] == "missing"
    assert len(found["town"]) == 21 and found["town"].labels[-2:] == ("others", "missing")
    assert set(found["member"].labels) == {"True", "False"} and not found["member"].missing
    assert found["since"].labels[0].startswith("2020-01-0")


def test_labels_that_are_numbers_are_in_their_order():
    frame = pd.DataFrame({"cylinders": ["4"] * 9 + ["8"] * 5 + ["10"] * 3 + ["3"], "size": ["4", "8"] * 8 + ["s", "s"]})
    data = search.load(frame.astype("category"))
    found = Profile(data)
    assert found["cylinders"].labels == ("3", "4", "8", "10")
    assert list(found.totals["cylinders"]) == [1, 9, 5, 3]
    assert found["size"].labels == ("4", "8", "s")  # one that is none: by how many there are
    assert Profile(data, labels=3)["cylinders"].labels == ("4", "8", "others")


def test_counts_are_those_of_a_naive_count(people):
    found, rng = Profile(people), np.random.default_rng(1)
    mask = rng.random(len(people)) < 0.3
    sizes = [len(bins) for bins in found.columns]
    for rows in (mask, np.flatnonzero(mask), np.arange(0), [3, 3, 4]):
        positions = np.flatnonzero(rows) if np.asarray(rows).dtype == bool else rows
        wanted = bin_counts(found.codes, positions, sizes)
        for counts, expected in zip(found.counts(rows).values(), wanted, strict=True):
            np.testing.assert_array_equal(counts, expected)
    assert all(counts.sum() == len(people) for counts in found.totals.values())


def test_rows_of_a_bar_are_shown_in_all_others(people):
    found = Profile(people)
    for name, bin in (("town", 3), ("income", len(found["income"]) - 1), ("age", 0)):
        rows = found.rows_in(name, bin)
        for other, counts in found.alike(name, bin).items():
            np.testing.assert_array_equal(counts, found.counts(rows)[other])
        assert found.alike(name, bin)[name][bin] == len(rows) == found.totals[name][bin]


def test_of_a_data_set_with_media_and_texts_what_can_be_counted_is():
    frame = pd.DataFrame({"said": ["a long text about many things " + str(at) for at in range(30)], "n": range(30)})
    data = search.load(frame)
    assert [bins.name for bins in Profile(data).columns] == ["n"]
    with pytest.raises(KeyError, match=r"'said'.*expected one of n"):
        Profile(data, ["said"])


@pytest.mark.parametrize(
    "values", [[np.nan, np.nan], [5.0, 5.0], [1.7e308, -1.7e308], [0.1, 0.1 + 1e-17], [2**53, 2**53 - 1]]
)
def test_odd_columns(values):
    found = Profile(pd.DataFrame({"x": values, "y": [0.5, 1.5]}), ["y"] if np.isnan(values).all() else None)
    assert all(counts.sum() == 2 for counts in found.totals.values())


def test_no_rows_and_bad_requests(people):
    found = Profile(people)
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        found.counts(np.array([True, False, True]))
    with pytest.raises(IndexError, match="rows 0 to 499"):
        found.counts([500])
    with pytest.raises(IndexError, match="no bin 99"):
        found.alike("age", 99)
    with pytest.raises(KeyError, match="not in this profile"):
        found["height"]
    with pytest.raises(ValueError, match="bins = 0"):
        Profile(people, bins=0)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32) | st.integers(-5, 5), min_size=1, max_size=40),
    st.integers(1, 30),
)
def test_any_numbers_fall_into_some_bin(values, bins):
    frame = pd.DataFrame({"x": np.array(values, float), "n": np.arange(len(values))})
    data = search.load(frame, types={"x": "real", "n": "integer"})
    found = Profile(data, bins=bins)
    assert len(found["x"]) <= bins + 1
    finite = np.isfinite(frame["x"].to_numpy())
    counts = found.totals["x"]
    assert counts.sum() == len(values) and (not found["x"].missing or counts[-1] == (~finite).sum())


def test_labels_are_in_the_order_of_their_numbers_where_all_are_numbers():
    assert by_value(["10", "-2", "9.5", "1e1"]) == ["-2", "9.5", "10", "1e1"]  # equals as they come
    for as_they_come in (["b", "2", "1"], ["nan", "2", "1"], ["inf", "1"], []):
        assert by_value(as_they_come) == as_they_come
    assert by_value([2, 0, 1], key="cba".__getitem__) == [2, 0, 1]
    assert by_value([2, 0, 1], key=["3", "2", "1"].__getitem__) == [2, 1, 0]
