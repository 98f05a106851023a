"""Changes of two attributes at once: answers of pairs of regions from one table are the model's own."""

import cube_small
import numpy as np
import pytest

from learnviews.kernels import cube
from learnviews.kernels.cube.invert import Search
from learnviews.kernels.cube.pairs import pairs
from learnviews.kernels.cube.query import Query
from learnviews.kernels.cube.targets import read_targets


def search_for(wanted, base=None, free=None, model=None, aggregate="count"):
    model = model or cube_small.model()
    targets = read_targets(model, wanted, aggregate)
    seen = {view for view, place in wanted if place is not None}
    free = free or [name for name in model.schema.names if name not in seen]
    return Search(model, targets, base or Query(), free, aggregate, np.random.default_rng(0))


@pytest.mark.parametrize("base", [None, Query(kind={"a", "b"}), Query(month=(2, 9), place=(0, 4, 1, 6))])
@pytest.mark.parametrize("view", ["hour", None])
@pytest.mark.parametrize("gaps", [False, True])
def test_rows_change_two_attributes_and_hit(base, view, gaps):
    model = cube_small.model(gaps=gaps)
    goal = model.query_many(base or Query())[0, model.schema.slices["hour"]][9] * 0.4
    wanted = {("hour", 9): goal} if view else {("kind", None): goal}
    search = search_for(wanted, base, model=model)
    rows = pairs(search)
    assert len(rows)
    found = search.evaluate(rows)
    assert (found.misses <= search.hit).mean() > 0.4  # of some pairs of attributes only the nearest ones
    start = search.single()[0]
    for row in rows:
        moved = [name for name, columns in search.columns.items() if not np.array_equal(row[columns], start[columns])]
        assert len(moved) <= 2


def test_several_targets_at_once():
    search = search_for({("hour", 9): 500.0, ("hour", 14): 400.0})
    found = search.evaluate(pairs(search))
    single = search.evaluate(search.single())
    assert found.misses.min() <= single.misses.min()


def test_suggestions_are_of_few_filters():
    model = cube_small.model()
    truth = model.exact.views(Query(month=(2, 8), kind={"a", "c"}))["hour"][10]
    best = model.invert({("hour", 10): truth})[0]
    assert len(best.query.filters) <= 2
    assert best.exact["hour", 10] == pytest.approx(truth, rel=0.01, abs=1)


@pytest.mark.parametrize(
    "wanted, aggregate, free",
    [
        ({("hour", "all"): np.ones(24)}, "count", None),
        ({("hour", 3): 2.0}, ("mean", "delay"), None),
        ({("hour", 3): 20.0}, "count", ["hour", "month"]),
        ({("hour", 3): 20.0}, "count", ["month"]),
    ],
)
def test_none_where_answers_are_no_sums_over_a_table(wanted, aggregate, free):
    model = cube_small.model() if aggregate == "count" else cube_small.measures()
    search = search_for(wanted, free=free, model=model, aggregate=aggregate)
    rows = pairs(search)
    assert rows.shape == (0, search.single().shape[1])


def test_a_long_axis_is_thinned():
    schema = cube.Schema(cube.Integer("a", 0, 199), cube.Integer("b", 0, 4), cube.Categorical("c", ["x", "y"]))
    rng = np.random.default_rng(0)
    rows = {"a": rng.integers(0, 200, 5000), "b": rng.integers(0, 5, 5000), "c": rng.choice(["x", "y"], 5000)}
    model = cube.fit(cube.ExactCube.build(rows, schema), queries=300, steps=200, rank=4)
    found = model.invert({("c", "x"): 300.0})
    assert abs(found[0].exact["c", "x"] - 300) <= 6
