"""Forecasts: lines thinned as a naive loop thins them, holdouts that are marked, and links by row and by model."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import learnviews as lv
from learnviews.grammar.forecast_lines import thin, times_of


def series(rows=40, held=10, seed=0):
    rng = np.random.default_rng(seed)
    truth = np.sin(np.arange(rows) / 5) + rng.normal(scale=0.1, size=rows)
    late = np.arange(rows) >= rows - held
    return np.arange(rows) * 2.0, truth, {"a": np.where(late, truth + 0.1, np.nan), "b": np.where(late, 0.0, np.nan)}


def model(number=1, group=None, **problem):
    """A model of days 0 to 7 of one shop or two; the last two days are its holdout."""
    shops = ["north", "south"] if group else ["north"]
    rows = [
        (pd.Timestamp("2024-01-01") + pd.Timedelta(day, "D"), shop, float(day)) for shop in shops for day in range(8)
    ]
    frame = pd.DataFrame(rows, columns=["day", "shop", "sales"]).set_axis([f"r{at}" for at in range(len(rows))])
    late = frame[frame["day"] >= "2024-01-05"]
    split = np.where(late["day"] >= "2024-01-07", "holdout", "train")
    said = pd.DataFrame({"truth": late["sales"], "prediction": late["sales"] + number, "split": split})
    about = {"task": "timeSeriesForecasting", "time": "day", "targets": ("sales",)} | problem
    about["groups"] = (group,) if group else ()
    data = SimpleNamespace(frame=frame)
    return SimpleNamespace(
        number=number, name="m", problem=SimpleNamespace(**about), data=data, predictions=said, split="holdout"
    )


@pytest.fixture
def linked(renderer):
    ids = [f"row {at}" for at in range(40)]
    links = {"selection": lv.RowSelection(), "model_selection": lv.RowSelection(), "numbers": np.array([4, 6])}
    element = lv.Forecast.from_values(*series(), ids=ids, label="sales", **links)
    return element, renderer.get_plot(element)


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0.0, 1.0, -2.0, 5.0, np.nan])), max_size=25))
def test_thinned_lines_keep_the_extremes_of_every_column(points):
    points = sorted(points, key=lambda point: point[0])
    marks, values = np.array([p[0] for p in points], int), np.array([p[1] for p in points], float)
    kept = thin(marks, values)
    assert (np.diff(kept) > 0).all()
    for mark in set(marks):
        mine, left = values[marks == mark], values[kept[marks[kept] == mark]]
        known, shown = mine[mine == mine], left[left == left]
        if len(known):
            assert (shown.min(), shown.max()) == (known.min(), known.max()) and 1 <= len(left) <= 2
        else:
            assert len(left) == 1 and np.isnan(left[0])


def test_rows_in_order_of_time_and_where_the_holdout_begins():
    time, truth, said = series()
    mixed = np.random.default_rng(1).permutation(40)
    found = lv.Forecast.from_values(time[mixed], truth[mixed], {k: v[mixed] for k, v in said.items()})
    np.testing.assert_array_equal(found["time"], time)
    np.testing.assert_array_equal(found["truth"], truth)
    np.testing.assert_array_equal(mixed[list(found.ids)], np.arange(40))
    assert found.origin == 60.0 and found["holdout"].sum() == 10 and list(found.marks) == list(range(40))
    short = lv.Forecast.from_values(time, truth, said, history=1.0)
    assert short["time"].min() == 60.0 - 18.0
    assert lv.Forecast.from_values([1, 2], [1.0, 2.0], {}).origin is None


def test_long_series_have_stretches_of_several_rows():
    found = lv.Forecast.from_values(np.arange(1000), np.zeros(1000), {}, columns=7)
    assert found.marks.max() == 6 and (np.diff(found.marks) >= 0).all()
    assert len(found.rows_of([3])) == pytest.approx(1000 / 7, abs=1)
    gap = lv.Forecast.from_values([0, 1, 2, 1000], np.zeros(4), {}, columns=3)
    assert list(gap.marks) == [0, 0, 0, 1]


def test_times_are_numbers_or_datetimes():
    np.testing.assert_array_equal(times_of(["1", "2.5", None]), [1.0, 2.5, np.nan])
    assert list(times_of(["2024-01-31", "2024-02"])) == [np.datetime64("2024-01-31"), np.datetime64("2024-02-01")]
    zoned = pd.Series(pd.to_datetime(["2024-01-01 02:00"])).dt.tz_localize("Europe/Athens")
    assert times_of(zoned)[0] == np.datetime64("2024-01-01T00:00")
    found = lv.Forecast.from_values(pd.to_datetime(["2024-01-02", None, "2024-01-01"]), [1.0, 2.0, 3.0], {})
    assert list(found.ids) == [2, 0]
    with pytest.raises(ValueError, match="time: expected numbers or datetimes, got 'soon'"):
        times_of(["soon", "later"])


def test_of_models():
    found = lv.Forecast.from_models([model(1), model(2)], split="all")
    assert found.names == ["m (1)", "m (2)"] and list(found.numbers) == [1, 2] and len(found) == 8
    np.testing.assert_array_equal(found["model_1"], [*[np.nan] * 4, 6, 7, 8, 9])
    assert found.origin == np.datetime64("2024-01-07") and list(found.ids[:2]) == ["r0", "r1"]
    assert found.kdims[0].label == "day" and found.vdims[0].label == "sales"
    called = lv.Forecast.from_models([model(7), model(5)], names=["7: m", "5: m"])
    assert called.names == ["7: m", "5: m"] and list(called.numbers) == [7, 5]
    ahead = lv.Forecast.from_models([model(1)])
    assert np.isfinite(ahead["model_0"]).sum() == 2
    assert not len(lv.Forecast.from_models([]))


def test_of_models_of_several_series():
    found = lv.Forecast.from_models([model(group="shop")])
    assert found.series == ["north", "south"] and len(found) == 16 and found.left_out == 0
    found = lv.Forecast.from_models([model(group="shop")], series="south")
    assert found.series == ["south"] and list(found.ids) == [f"r{at}" for at in range(8, 16)] and found.left_out == 1


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: lv.Forecast.from_values([1], [1.0, 2.0], {}), "a prediction and an id per row, got 2, 1 and 2"),
        (lambda: lv.Forecast.from_values([1], [1.0], {"m": [1.0, 2.0]}), "m: expected a prediction per row, 1, got 2"),
        (lambda: lv.Forecast.from_values([1], [1.0], {}, history=0), "history = 0"),
        (lambda: lv.Forecast([(0, 1.0, 0, 0)], names=["m"], vdims=["a", "b", "c"]), "a column and a number per model"),
        (lambda: lv.Forecast.from_models([model(task="regression")]), "m: a forecast is needed, not regression"),
        (lambda: lv.Forecast.from_models([model()], series="x"), "one series only"),
        (lambda: lv.Forecast.from_models([model(group="shop")], series="x"), "no series 'x'; there are north, south"),
        (lambda: lv.Forecast.from_models([model(1), model(2)], names=["m", "m"]), "2 different names of models"),
        (lambda: lv.Forecast.from_models([model()], target="x"), "target = 'x'; expected one of sales"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        wrong()


# -- drawn


def test_pointing_at_a_time_lights_its_row(linked):
    element, plot = linked
    plot.handles["pointed_source"].data = {"mark": [35]}
    assert list(element.selection.lit) == ["row 35"] and element.selection.source == "sales"
    lit = plot.handles["lit_source"].data
    assert list(lit["x"]) == [70.0] * 3  # the truth and what both models say
    assert sorted(lit["y"]) == sorted([element["truth"][35], element["model_0"][35], 0.0])
    element.selection.keep(["row 3", "no row of this"], "table")
    assert list(plot.handles["kept_source"].data["y"]) == [element["truth"][3]]


def test_lines_and_the_holdout(linked):
    element, plot = linked
    truth, lines = plot.handles["truth_source"].data, plot.handles["lines_source"].data
    assert truth["ink"] == ["#333333", "#9A9A9A"] and lines["name"] == ["a", "b"]
    assert np.isfinite(truth["ys"][0]).sum() == 11 and np.isfinite(truth["ys"][1]).sum() == 30
    assert plot.handles["origin_source"].data["x"] == [60.0]
    element.model_selection.light([6], "scores")
    assert lines["wide"] == [1.7, 3.5] and lines["clear"] == [0.45, 1.0]
    strips = plot.handles["source"].data
    np.testing.assert_array_equal(strips["left"][1:], strips["right"][:-1])


def test_another_forecast_in_the_same_plot(linked):
    element, plot = linked
    other = lv.Forecast.from_models([model()], selection=lv.RowSelection(), model_selection=lv.RowSelection())
    lv.patch(plot, other)
    assert plot.handles["xaxis"].axis_label == "day" and plot.handles["yaxis"].axis_label == "sales"
    assert plot.handles["origin_source"].data["x"] == [pd.Timestamp("2024-01-07").value / 1e6]
    assert ("m", "@said_0{0,0.[0000]}") in plot.handles["hover"].tooltips
    assert not element.model_selection.subscribers
    other.model_selection.keep([1])
    assert plot.handles["lines_source"].data["wide"] == [3.5]
    lv.patch(plot, lv.Forecast.from_values([], [], {}))
    assert not plot.handles["lines_source"].data["xs"]
    plot.cleanup()
    assert not other.model_selection.subscribers and not other.selection.subscribers


def test_long_series_are_drawn_with_few_points(renderer):
    rows = 20_000
    time, truth, said = series(rows, 5000)
    element = lv.Forecast.from_values(time, truth, said, selection=lv.RowSelection())
    plot = renderer.get_plot(element)
    assert sum(map(len, plot.handles["lines_source"].data["xs"])) <= 4 * 800
    element.selection.light([12_345])
    assert list(plot.handles["lit_source"].data["x"]) == [24_690.0]
    element.selection.keep(range(rows))
    assert len(plot.handles["kept_source"].data["x"]) <= 3 * 800
    assert plot.handles["source"].data["id"][0] == "25 rows"
