"""What columns tell of each other, against the plain sums and against scikit-learn and SciPy."""

import math
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from learnviews.kernels import search
from learnviews.kernels.search.association import ROWS, associations, own_past, rank_correlation, told

codes = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=60)


def naive_told(codes, truth):
    n, pairs = len(codes), Counter(zip(codes, truth, strict=True))
    one, other = Counter(codes), Counter(truth)
    entropy = -sum(count / n * math.log(count / n) for count in other.values())
    if entropy == 0:
        return 0.0
    shared = sum(count / n * math.log(count * n / (one[code] * other[true])) for (code, true), count in pairs.items())
    chance = (len(one) - 1) * (len(other) - 1) / (2 * n)
    return min(1.0, max(0.0, (shared - chance) / entropy))


@given(codes)
def test_told_is_the_plain_sum(pairs):
    one, other = (np.array(side) for side in zip(*pairs, strict=True))
    assert told(one, other) == pytest.approx(naive_told(one.tolist(), other.tolist()), abs=1e-9)
    assert told(one * 7 + 1, other) == pytest.approx(told(one, other), abs=1e-12)  # names of bins do not matter


def test_told_without_rows_or_differences():
    assert told(np.zeros(0, int), np.zeros(0, int)) == 0
    assert told(np.arange(5), np.zeros(5, int)) == 0


@given(st.lists(st.tuples(st.integers(-5, 5), st.floats(-1e6, 1e6)), min_size=4, max_size=40))
def test_rank_correlation_is_spearmans(pairs):
    one, other = (np.array(side, float) for side in zip(*pairs, strict=True))
    found = rank_correlation(one, other)
    if len(set(one)) < 2 or len(set(other)) < 2:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(spearmanr(one, other).statistic, abs=1e-9)


def table(rows=2000):
    rng = np.random.default_rng(0)
    x = rng.normal(size=rows)
    return pd.DataFrame(
        {
            "x": x,
            "half": x + rng.normal(size=rows),
            "less": -x,
            "noise": rng.normal(size=rows),
            "kind": np.where(x > 0.7, "much", np.where(x < -0.7, "little", "some")),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.argsort(np.argsort(x)), unit="D"),
            "many": [f"name {k % 900}" for k in range(rows)],
        }
    )


def test_what_tells_most_comes_first():
    found = associations(search.load(table()), "x")
    assert list(found.index[:2]) in (["less", "day"], ["day", "less"])
    assert found.loc["less", "told"] == pytest.approx(1, abs=0.03)
    assert found.loc["less", "rank_correlation"] == pytest.approx(-1)
    assert found.loc["day", "rank_correlation"] == pytest.approx(1)
    assert 0.1 < found.loc["half", "told"] < 0.5
    assert found.loc["noise", "told"] < 0.02
    assert math.isnan(found.loc["kind", "rank_correlation"])
    assert found.loc["kind", "told"] > 0.3
    assert found["told"].is_monotonic_decreasing
    assert (found["rows"] == 2000).all()


def test_classes_gaps_and_chance():
    frame = table()
    frame.loc[::2, "half"] = np.nan
    data = search.load(frame, types={"many": "categorical"})
    found = associations(data, "kind", classes=True)
    assert found.loc["half", "rows"] == 1000
    assert found.loc["x", "told"] > 0.7
    assert found.loc["noise", "told"] < 0.02
    assert found.loc["many", "told"] < 0.02  # 900 names seem to tell a lot
    assert found["rank_correlation"].isna().all()


def test_columns_that_are_asked_for_and_those_that_are_not_there():
    data = search.load(table())
    assert list(associations(data, "x", ["noise"]).index) == ["noise"]
    assert len(associations(data, "x", [])) == 0
    with pytest.raises(ValueError, match="other"):
        associations(data, "other")
    with pytest.raises(ValueError, match="other"):
        associations(data, "x", ["other"])


def test_odd_columns():
    frame = table(40).assign(endless=np.inf, one=1.0, empty=np.nan, text="some words that are long enough")
    frame.loc[0, "endless"] = 2.0
    found = associations(search.load(frame, types={"text": "text"}), "x")
    assert "text" not in found.index
    assert found.loc[found.index.intersection(["endless", "one", "empty"]), "told"].eq(0).all()


def test_many_rows_are_sampled():
    found = associations(search.load(pd.DataFrame({"x": np.arange(50_000) % 7, "y": np.arange(50_000) % 7})), "x")
    assert found.loc["y", "rows"] <= ROWS
    assert found.loc["y", "told"] == pytest.approx(1, abs=0.01)


def naive_past(series, lag):
    early = [value for values in series for value in (np.array(values) - np.mean(values))[:-lag]]
    late = [value for values in series for value in (np.array(values) - np.mean(values))[lag:]]
    return np.corrcoef(early, late)[0, 1]


def test_the_past_of_several_series_in_any_order():
    rng = np.random.default_rng(0)
    series = [np.sin(np.arange(60) / 3 + start) + rng.normal(scale=0.1, size=60) + 10 * start for start in range(3)]
    frame = pd.concat(
        [pd.DataFrame({"t": np.arange(60), "g": f"s{k}", "y": values}) for k, values in enumerate(series)]
    )
    frame = frame.sample(frac=1, random_state=0).reset_index(drop=True)
    found = own_past(search.load(frame), "y", "t", "g", lags=12)
    assert list(found.index) == list(range(1, 13))
    for lag, row in found.iterrows():
        assert row["correlation"] == pytest.approx(naive_past(series, lag))
        assert row["rows"] == 3 * (60 - lag)


def test_the_past_of_short_series():
    data = search.load(pd.DataFrame({"t": [1, 2, 3], "y": [1.0, 2.0, 3.0]}))
    assert len(own_past(data, "y", "t")) == 0
    constant = own_past(search.load(pd.DataFrame({"t": range(20), "y": 2.0})), "y", "t")
    assert constant["correlation"].isna().all()
