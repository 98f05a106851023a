"""Many series side by side: against series one by one; covariates by place; forecasts of panels."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.kernels.search import load, pipelines, rules
from learnviews.kernels.search.combination import steady
from learnviews.kernels.search.course import Bent
from learnviews.kernels.search.ensemble import greedy
from learnviews.kernels.search.panel import Covariates, Panel
from learnviews.kernels.search.problem import Problem

ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(-5, 12), st.integers(-9, 9)), min_size=1, max_size=30)


def made(rows):
    codes, positions, values = (np.array(column) for column in zip(*rows, strict=True))
    codes = pd.factorize(codes)[0].astype(np.int64)
    return codes, positions.astype(np.int64), values.astype(float)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_a_panel_is_its_series_one_by_one(rows):
    codes, positions, values = made(rows)
    panel = Panel(codes.max() + 1, codes, positions, values)
    for code, z in enumerate(panel.series()):
        one = pd.Series(values[codes == code]).groupby(positions[codes == code]).mean()
        full = one.reindex(range(one.index[0], one.index[-1] + 1)).interpolate()
        assert z * panel.spread[code] + panel.mean[code] == pytest.approx(full.to_numpy())
        for step in range(len(z) + 1):
            at = panel.offset[code] + step
            past = panel.past(np.array([code]), np.array([at]), 4)[0]
            padded = [*([z[0]] * 4), *z[:step]] if step else [0.0] * 4
            assert past == pytest.approx(padded[::-1][:4])


@settings(max_examples=40, deadline=None)
@given(ROWS, ROWS)
def test_covariates_of_a_place_are_the_latest_said(first, second):
    parts = [made(rows) for rows in (first, second)]
    kept = Covariates.of(*parts[0][:2], parts[0][2][:, None]).joined(*parts[1][:2], parts[1][2][:, None])
    naive = {(c, p): v for part in parts for c, p, v in zip(*part, strict=True)}
    codes, positions = (grid.ravel() for grid in np.meshgrid(np.arange(-1, 4), np.arange(-7, 15)))
    found = kept.at(codes, positions)[:, 0]
    assert found.tolist() == [naive.get((c, p), 0.0) for c, p in zip(codes, positions, strict=True)]


@pytest.mark.parametrize("rule", ["naive", "seasonal", "drift", "mean", "smoothing"])
def test_rules_of_many_series_are_those_of_each(rule):
    rng = np.random.default_rng(0)
    pasts = [rng.normal(size=n) for n in (1, 3, 9, 40, 25)]
    said = rules.forecasts(rule, [*pasts, np.zeros(0)], 7, 4)
    assert said[:5] == pytest.approx(np.array([rules.forecast(rule, past, 7, 4) for past in pasts]))
    assert not said[5].any()


@pytest.mark.parametrize("kind", ["none", "root", "log"])
def test_bent_values_straighten(kind):
    values = np.array([-4.0, 0, 1e-3, 7, 1e6])
    bent = Bent(kind, values)
    assert bent.straighten(bent.bend(values)) == pytest.approx(values)
    assert (np.diff(bent.bend(values)) > 0).all()
    assert np.isfinite(bent.straighten(np.array([1e9, -1e9]))).all()


def test_a_mean_of_many_is_taken_where_the_best_is_so_by_chance():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(60, 1))
    members = [truth + rng.normal(size=(60, 1)) for _ in range(12)]
    costs_of = lambda part: lambda said: float(((said - truth[part]) ** 2).mean())  # noqa: E731
    weights = steady(costs_of, members, greedy)
    assert weights.sum() == pytest.approx(1) and (weights > 0).sum() >= 6
    good = [truth + 0.01 * rng.normal(size=(60, 1)), *members]
    assert steady(costs_of, good, greedy).argmax() == 0


def panel(shops=3, goods=2, rows=60, seed=0):
    """Series named by two columns, each with its own level and size, one season of 6 steps."""
    rng, parts, t = np.random.default_rng(seed), [], np.arange(rows)
    for shop in range(shops):
        for good in range(goods):
            size = 10.0 ** rng.uniform(0, 3)
            y = size * (5 + np.sin(2 * np.pi * t / 6) + rng.normal(0, 0.02, rows))
            parts.append(pd.DataFrame({"t": t, "shop": f"s{shop}", "good": good, "y": y}))
    return pd.concat(parts, ignore_index=True)


def forecast(frame, config, last, **settings):
    data = load(frame)
    problem = Problem("y", "timeSeriesForecasting", time="t", **settings).check(data)
    late = data.frame["t"] > last
    inputs = data.frame.drop(columns="y")
    model = pipelines.build(config, data, problem, 0).fit(inputs[~late], data.frame["y"][~late])
    return model, model.predict(inputs[late]), data.frame[late], problem


@pytest.mark.parametrize(
    "config",
    [
        {"model": "seasonal"},
        {"model": "linear", "lags:ahead": "direct"},
        {"model": "linear", "lags:target": "season", "season:waves": 2, "series:shape": "log"},
        {"model": "extra", "extra:trees": 30, "lags:ahead": "direct"},
    ],
    ids=str,
)
def test_series_named_by_two_columns(config):
    _, said, truth, problem = forecast(panel(), config, 49)
    assert problem.groups == ("shop", "good")  # found: times repeat within either column alone
    assert (np.abs(said / truth["y"] - 1)).max() < 0.15


def test_a_series_that_is_new_goes_the_way_of_their_mean():
    model, _, late, _ = forecast(panel(), {"model": "linear"}, 49)
    rows = late[late["good"] == 0].head(10).assign(shop="never seen")
    said = model.predict(rows)
    assert np.isfinite(said).all()
    assert np.corrcoef(said, np.sin(2 * np.pi * rows["t"] / 6))[0, 1] > 0.9


def test_order_doubles_gaps_and_lengths_do_not_matter_or_do_no_harm():
    frame = panel()
    shuffled = frame.sample(frac=1, random_state=0)
    _, said, late, _ = forecast(frame, {"model": "linear"}, 49)
    _, again, order, _ = forecast(shuffled, {"model": "linear"}, 49)
    assert pd.Series(again, order.index)[late.index].to_numpy() == pytest.approx(said, rel=1e-6)
    odd = pd.concat(
        [
            frame[(frame["t"] % 7 != 3) | (frame["t"] > 49)],
            pd.DataFrame(
                {"t": [49, 55, 0, 55], "shop": ["short", "short", "old", "old"], "good": 0, "y": [3.0, 3, 8, 8]}
            ),
            pd.DataFrame({"t": np.arange(60), "shop": "still", "good": 1, "y": 4.0}),
        ],
        ignore_index=True,
    )
    for config in ({"model": "linear"}, {"model": "smoothing"}, {"model": "linear", "lags:ahead": "direct"}):
        _, said, late, _ = forecast(odd, config, 49, group=["shop", "good"])
        assert np.isfinite(said).all()
        assert said[(late["shop"] == "still").to_numpy()] == pytest.approx(4.0, abs=0.01)


def test_later_rows_of_old_and_new_series_are_taken_into_the_past():
    frame = panel()
    model, _, late, _ = forecast(frame, {"model": "naive"}, 49)
    new = late.assign(shop=late["shop"] + "x")
    both = pd.concat([late, new], ignore_index=True)
    model.observe(both.drop(columns="y"), both["y"])
    last = both[both["t"] == 59]
    assert model.predict(last.drop(columns="y").assign(t=60)) == pytest.approx(last["y"].to_numpy())


def test_far_and_unreadable_times_have_an_answer():
    model, _, late, _ = forecast(panel(), {"model": "drift"}, 49)
    rows = late.drop(columns="y").head(3).assign(t=[1e15, np.nan, -1e15])
    assert np.isfinite(model.predict(rows)).all()
