import holoviews as hv
import numpy as np
import pandas as pd
import pytest

import learnviews as lv
from learnviews.grammar.operations import loudest


def overview(n=5000, seed=0):
    rng = np.random.default_rng(seed)
    return lv.TrainingOverview(pd.DataFrame({"max_gradient": rng.random(n), "loss": rng.random(n)}))


def naive_loudest(batch, value, columns):
    best = {}
    low, high = batch[0], batch[-1]
    for row, (b, v) in enumerate(zip(batch, value, strict=True)):
        column = min(int((b - low) / (high - low) * columns), columns - 1)
        if not np.isnan(v) and (column not in best or v > value[best[column]]):
            best[column] = row
    return sorted(best.values())


def test_loudest_is_the_naive_one():
    rng = np.random.default_rng(3)
    batch = np.cumsum(rng.integers(1, 9, 3000)).astype(float)
    value = rng.random(3000)
    value[rng.random(3000) < 0.1] = np.nan
    assert loudest(batch, value, 200).tolist() == naive_loudest(batch, value, 200)


def test_bars_are_recorded_batches():
    whole = overview()
    small = lv.aggregate_batches(whole, width=300, dynamic=False)
    assert len(small) <= 300
    rows = small.dimension_values("batch").astype(int)
    for name in ("max_gradient", "loss"):
        np.testing.assert_array_equal(small.dimension_values(name), whole.dimension_values(name)[rows])
    assert small.dimension_values(1).max() == whole.dimension_values(1).max()
    assert small.width() == pytest.approx(4999 / 300)


def test_few_batches_stay_as_they_are():
    small = lv.aggregate_batches(overview(), width=300, x_range=(100.5, 200.5), dynamic=False)
    assert small.dimension_values(0).tolist() == list(range(100, 202))
    assert small.width() == 1


def test_no_batches():
    assert len(lv.aggregate_batches(lv.TrainingOverview([]), dynamic=False)) == 0
    assert len(lv.aggregate_batches(overview(50), x_range=(90, 95), dynamic=False)) <= 1


def test_follows_the_view(renderer):
    dynamic = lv.aggregate_batches(overview(), dynamic=True)
    assert isinstance(dynamic, hv.DynamicMap)
    plot = renderer.get_plot(dynamic)
    assert len(plot.handles["source"].data["top"]) <= 1000
    (view,) = (s for s in dynamic.streams if isinstance(s, hv.streams.RangeX))
    view.event(x_range=(10, 20))
    assert plot.handles["source"].data["batch"].tolist() == list(range(9, 22))
