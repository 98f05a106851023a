"""Forecasts: rules by their definitions, lags learned, many series, covariates, odd times; the sunspots of D3M."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learnviews.kernels.search import pipelines, rules
from learnviews.kernels.search.columns import Column
from learnviews.kernels.search.panel import Panel
from learnviews.kernels.search.problem import Problem
from learnviews.kernels.search.seasons import seasons
from learnviews.kernels.search.timeline import Timeline

D3M = Path(__file__).resolve().parents[3] / "shared" / "data" / "d3m"


class Table:
    def __init__(self, frame, **types):
        self.frame, self.resources = frame, {}
        self.columns = {name: Column(name, types.get(name, "real")) for name in frame.columns}


def future(data, config, fit, later, **settings):
    problem = Problem(target="y", task="timeSeriesForecasting", features=(), time="t", **settings)
    columns = [c for c in data.frame.columns if c != "y"]
    made = pipelines.build(config, data, problem, 0)
    made.fit(data.frame.loc[fit, columns], data.frame.loc[fit, "y"])
    return made, made.predict(data.frame.loc[later, columns])


def waves(rows=120, period=12, noise=0.05, seed=0):
    t = np.arange(rows)
    y = 10 + 3 * np.sin(2 * np.pi * t / period) + np.random.default_rng(seed).normal(0, noise, rows)
    return Table(pd.DataFrame({"t": t.astype(float), "y": y}))


def test_rules_against_their_definitions():
    z = np.array([1.0, 4.0, 2.0, 3.0, 5.0, 2.5])
    assert rules.forecast("naive", z, 3, 1).tolist() == [2.5] * 3
    assert rules.forecast("seasonal", z, 5, 3).tolist() == [3, 5, 2.5, 3, 5]
    assert rules.forecast("drift", z, 2, 1) == pytest.approx([2.5 + 0.3, 2.5 + 0.6])
    assert rules.forecast("mean", z, 2, 1) == pytest.approx([z.mean()] * 2)
    assert rules.forecast("seasonal", z, 2, 10).tolist() == [2.5, 2.5]


def test_smoothing_follows_level_trend_and_season():
    t = np.arange(60)
    assert rules.smoothed(np.full(30, 4.0), 3, 1) == pytest.approx([4.0] * 3)
    wave = np.sin(2 * np.pi * t / 6)
    assert rules.smoothed(wave, 12, 6) == pytest.approx(np.sin(2 * np.pi * (60 + np.arange(12)) / 6), abs=0.05)
    assert 60 < rules.smoothed(t * 1.0, 3, 1)[-1] < 62.5


def test_smoothing_with_one_weight_is_the_textbook_recursion(monkeypatch):
    z = np.random.default_rng(0).normal(size=30)
    monkeypatch.setattr(rules.itertools, "product", lambda *_: [(0.3, 0.0, 0.0)])
    level = z[0]
    for value in z[1:]:
        level = 0.3 * value + 0.7 * level
    assert rules.smoothed(z, 2, 1) == pytest.approx([level, level])


def test_the_season_is_found():
    t = np.arange(140)
    assert seasons([np.sin(2 * np.pi * t / 11)])[0] == 11
    assert seasons([np.random.default_rng(0).normal(size=200)]) == []
    assert seasons([t * 1.0]) == seasons([np.zeros(50)]) == seasons([]) == []


@pytest.mark.parametrize(
    "config",
    [
        {"model": "seasonal"},
        {"model": "smoothing"},
        {"model": "linear"},
        {"model": "linear", "lags:target": "difference", "lags:calendar": "yes", "lags:means": "yes"},
        {"model": "boosting", "boosting:trees": 60},
        {"model": "neighbours"},
        {"model": "seasonal", "season": "set", "season:length": 12},
    ],
    ids=str,
)
def test_a_wave_goes_on(config):
    data = waves()
    made, said = future(data, config, slice(0, 95), slice(96, None))
    truth = data.frame["y"].iloc[96:]
    assert np.sqrt(np.mean((said - truth) ** 2)) < 0.5
    _, again = future(data, config, slice(0, 95), slice(96, None))
    assert np.array_equal(said, again)
    back = pickle.loads(pickle.dumps(made)).predict(data.frame.loc[96:, ["t"]])
    assert np.array_equal(back, said)


def test_forecasts_do_not_depend_on_what_comes_later_in_the_question():
    data = waves()
    made, said = future(data, {"model": "linear"}, slice(0, 95), slice(96, None))
    assert np.allclose(made.predict(data.frame.loc[96:99, ["t"]]), said[:4])
    shuffled = data.frame.loc[96:, ["t"]].sample(frac=1, random_state=0)
    assert np.allclose(made.predict(shuffled), pd.Series(said, data.frame.index[96:])[shuffled.index])


def test_rolling_use_takes_later_rows_into_the_past():
    data = waves(noise=0.4)
    made, _ = future(data, {"model": "linear"}, slice(0, 95), slice(96, None))
    before = made.predict(data.frame.loc[[110], ["t"]])
    made.observe(data.frame.loc[96:109, ["t"]], data.frame.loc[96:109, "y"])
    after = made.predict(data.frame.loc[[110], ["t"]])
    assert before != after and abs(after - data.frame["y"][110]) < 1.5
    naive, _ = future(data, {"model": "naive"}, slice(0, 95), slice(96, None))
    naive.observe(data.frame.loc[96:99, ["t"]], data.frame.loc[96:99, "y"])
    assert naive.predict(data.frame.loc[[100], ["t"]]) == pytest.approx(data.frame["y"][99])


def test_known_covariates_are_used_and_unknown_ones_are_not():
    rng = np.random.default_rng(0)
    x, k = rng.normal(size=150), rng.choice(["a", "b"], 150)
    frame = pd.DataFrame({"t": np.arange(150.0), "x": x, "k": k, "y": 5 * x + 4 * (k == "a")})
    data = Table(frame, k="categorical")
    truth = frame["y"].iloc[120:]
    config = {"model": "linear", "lags:count": 2}
    _, told = future(data, config, slice(0, 119), slice(120, None), known=("x", "k"))
    _, blind = future(data, config, slice(0, 119), slice(120, None))
    assert np.sqrt(np.mean((told - truth) ** 2)) < 0.5 < 3 < np.sqrt(np.mean((blind - truth) ** 2))


@pytest.mark.parametrize("config", [{"model": "linear"}, {"model": "naive"}, {"model": "seasonal"}], ids=str)
def test_groups_of_series_of_different_size_and_length(config):
    parts = []
    for name, size, rows in (("small", 1.0, 80), ("large", 1000.0, 60)):
        t = np.arange(rows)
        parts.append(pd.DataFrame({"t": t * 1.0, "name": name, "y": size * (5 + np.sin(2 * np.pi * t / 10))}))
    frame = pd.concat(parts, ignore_index=True)
    data = Table(frame, name="categorical")
    later = frame.groupby("name").tail(10).index
    made, said = future(data, config, frame.index.difference(later), later, group="name")
    truth = frame.loc[later]
    off = np.abs(said - truth["y"]) / truth.groupby("name")["y"].transform("mean")
    assert off.max() < (0.35 if config["model"] == "naive" else 0.03)
    new = made.predict(pd.DataFrame({"t": [5.0, np.nan], "name": ["never seen", "small"]}))
    assert np.isfinite(new).all()


def test_several_targets():
    frame = waves().frame.assign(z=lambda f: f["y"] * -2)
    problem = Problem(target=("y", "z"), task="timeSeriesForecasting", features=(), time="t")
    made = pipelines.build({"model": "linear"}, Table(frame), problem, 0).fit(
        frame[["t"]].head(90), frame[["y", "z"]].head(90)
    )
    said = made.predict(frame[["t"]].tail(10))
    assert list(said) == ["y", "z"] and np.allclose(said["z"], -2 * said["y"], rtol=1e-3)


@pytest.mark.parametrize(
    ("times", "places"),
    [
        (["2020-01-31", "2020-02-29", "2020-03-31", "2020-05-31"], [0, 1, 2, 4]),
        (["2019-01-01", "2020-01-01", "2021-01-01"], [0, 1, 2]),
        (["1818", "1819", "1821"], [0, 1, 3]),
        (["2020-01-01T00:00Z", "2020-01-01T01:00Z", "2020-01-01T04:00+01:00", None], [0, 1, 3, np.nan]),
        (pd.date_range("2020-03-27", periods=4, tz="Europe/Vienna"), [0, 1, 2, 3]),
        ([5.0, 5.0, 5.0], [0, 0, 0]),
    ],
    ids=str,
)
def test_times_as_steps(times, places):
    times = pd.Series(times) if isinstance(times, pd.DatetimeIndex) else pd.Series(list(times), dtype=object)
    timeline = Timeline(times, np.zeros(len(times), dtype=int))
    assert np.array_equal(timeline.positions(times), np.array(places, dtype=float), equal_nan=True)


def test_gaps_are_straight_lines_and_doubles_are_means():
    codes, positions = np.array([0, 0, 0, 1]), np.array([3, 0, 0, 7])
    panel = Panel(2, codes, positions, np.array([9.0, 2, 4, 5]))
    first, second = panel.series()
    assert first * panel.spread[0] + panel.mean[0] == pytest.approx([3, 5, 7, 9]) and panel.end.tolist() == [4, 8]
    assert second.tolist() == [0] and panel.spread[1] == pytest.approx(0.05)


@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize(
    "config", [{"model": "linear"}, {"model": "smoothing"}, {"model": "drift"}, {"model": "extra"}], ids=str
)
def test_short_series_survive(rows, config):
    data = Table(pd.DataFrame({"t": np.arange(rows + 3.0), "y": np.append(np.arange(rows), [np.nan, np.inf, np.nan])}))
    _, said = future(data, config, slice(0, rows), slice(rows, None))
    assert np.isfinite(said).all()


def test_errors_name_what_is_missing():
    data = waves(20)
    problem = Problem(target="y", task="timeSeriesForecasting", features=(), time="t")
    made = pipelines.build({"model": "naive"}, data, problem, 0)
    with pytest.raises(ValueError, match="column of times, 't'"):
        made.fit(data.frame[["y"]], data.frame["y"])
    with pytest.raises(ValueError, match="no known value"):
        made.fit(data.frame[["t"]], pd.Series(np.nan, data.frame.index, name="y"))


@pytest.mark.skipif(not D3M.exists(), reason="the D3M sets are not here")
def test_sunspots_are_forecast_better_than_the_programmes_baseline():
    frame = pd.read_csv(D3M / "56_sunspots/56_sunspots_dataset/tables/learningData.csv").rename(
        columns={"sunspots": "y", "year": "t"}
    )
    data = Table(frame[["t", "y"]])
    config = {"model": "linear", "linear:strength": 10.0, "lags:count": 36, "season": "none"}
    _, said = future(data, config, slice(0, 179), slice(180, None))
    assert np.sqrt(np.mean((said - frame["y"].iloc[180:]) ** 2)) < 42  # the baseline: 46.1


def test_a_covariate_far_out_or_missing_does_not_run_away():
    x = np.append(np.random.default_rng(0).normal(size=60), [1e6, -1e6, np.nan])
    frame = pd.DataFrame({"t": np.arange(63.0), "x": x, "none": np.nan, "y": np.append(3 * x[:60], [0, 0, 0])})
    _, said = future(Table(frame), {"model": "linear"}, slice(0, 59), slice(60, None), known=("x", "none"))
    assert np.isfinite(said).all() and np.abs(said).max() < 40


@pytest.mark.parametrize("ahead", ["recursive", "direct"])
def test_where_the_past_tells_nothing_the_covariates_alone_answer(ahead):
    rng = np.random.default_rng(0)
    table = waves(120)
    table.frame["heat"] = rng.normal(size=120)
    table.frame["y"] = 2 * table.frame["heat"] + 1
    table.columns["heat"] = Column("heat", "real")
    alone = {"model": "linear", "linear:strength": 1e-4, "season": "none", "lags:past": "no", "lags:ahead": ahead}
    fit, later = range(100), range(100, 120)
    made, said = future(table, alone, fit, later, known=("heat",))
    assert said == pytest.approx(table.frame["y"][100:].to_numpy(), abs=1e-2)
    nonsense = table.frame.loc[100:109].assign(y=1000.0)
    made.observe(nonsense.drop(columns="y"), nonsense["y"])
    assert made.predict(table.frame.loc[110:119].drop(columns="y")) == pytest.approx(said[10:])
    assert "without the past" in pipelines.describe(alone | {"lags:count": 12}, "timeSeriesForecasting")


def test_without_covariates_the_past_is_all_there_is():
    table, fit, later = waves(), range(100), range(100, 110)
    with_past = future(table, {"model": "linear"}, fit, later)[1]
    assert future(table, {"model": "linear", "lags:past": "no"}, fit, later)[1] == pytest.approx(with_past)
