"""Projection: near on the plane means alike in the answers."""

import cube_small
import numpy as np
import pytest

from learnviews.kernels import cube
from learnviews.kernels.cube.project import _one_by_one, differences, project, selection_masks, totals_in_contexts
from learnviews.kernels.cube.query import Query

NAMES = cube_small.SCHEMA.names


@pytest.fixture(scope="module")
def model():
    return cube_small.model()


def distances(places):
    return np.sqrt(((places[:, None] - places[None]) ** 2).sum(-1))


def rank_correlation(a, b):
    """Spearman's, over all pairs of selections; ties (there are hardly any) in the order they come in."""
    upper = np.triu_indices(len(a), 1)
    ranks = [each[upper].argsort().argsort() for each in (a, b)]
    return np.corrcoef(*ranks)[0, 1]


def random_selections(attribute, n=60, seed=3):
    queries = cube.random_queries(cube_small.SCHEMA, n, seed, [attribute])
    return [query.filters[attribute] for query in queries]


# -- what distances mean


@pytest.mark.parametrize("selected", ["bins", "regions", "sets"])
@pytest.mark.parametrize("attribute", NAMES)
@pytest.mark.parametrize("net", ["product", "signed", "mlp"])
def test_distances_rank_as_differences_of_answers(net, attribute, selected):
    model = cube_small.model(net)
    bins = model.schema[attribute].bins
    selections = {
        "bins": None,
        "regions": random_selections(attribute),
        "sets": np.random.default_rng(1).random((60, bins)) < 0.5,
    }[selected]
    contexts = 16 if net == "mlp" else 128
    places = project(model, attribute, selections, contexts=contexts)
    assert places.shape == (bins if selections is None else 60, 2)
    truth = differences(model, attribute, selections, contexts=contexts)
    assert rank_correlation(distances(places), truth) >= 0.9


@pytest.mark.parametrize("attribute", NAMES)
def test_distances_rank_as_differences_of_exact_answers(model, attribute):
    """The same with the cube's answers to other queries than the plane was made of."""
    masks = selection_masks(model, attribute, random_selections(attribute))
    others = cube.random_masks(model.schema, 100, 77)
    X = masks @ model.exact.query_many(others)[:, model.schema.slices[attribute]].T
    truth = np.sqrt(((X[:, None] - X[None]) ** 2).mean(-1))
    assert rank_correlation(distances(project(model, attribute, masks)), truth) >= 0.9


def test_differences_are_root_mean_squares_of_totals(model):
    selections = [(0, 4), (3, 9), (3, 9), None]
    found = differences(model, "hour", selections, contexts=20, rng=3)
    others = cube.random_masks(model.schema, 20, 4)
    X = []
    for mask in selection_masks(model, "hour", selections):
        others[:, model.schema.slices["hour"]] = mask
        X.append(model.totals_many(others))
    X = np.array(X)
    expected = np.sqrt(((X[:, None] - X[None]) ** 2).mean(-1))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3 * expected.max())
    np.testing.assert_allclose(found, found.T)


def test_on_the_plane_nothing_is_farther_apart_than_it_is(model):
    for attribute in NAMES:
        selections = random_selections(attribute)
        truth = differences(model, attribute, selections)
        apart = distances(project(model, attribute, selections))
        assert (apart <= truth + 1e-3 * truth.max()).all()


@pytest.mark.parametrize("aggregate", cube_small.EVERY, ids=str)
@pytest.mark.parametrize("attribute", ["hour", "kind"])
def test_measures(aggregate, attribute):
    model = cube_small.measures()
    selections = random_selections(attribute, 40)
    places = project(model, attribute, selections, aggregate=aggregate, contexts=32)
    truth = differences(model, attribute, selections, aggregate=aggregate, contexts=32)
    assert np.isfinite(places).all()
    assert rank_correlation(distances(places), truth) >= 0.8
    assert not np.allclose(places, project(model, attribute, selections, contexts=32)) or aggregate == "count"


@pytest.mark.parametrize("aggregate", cube_small.EVERY, ids=str)
def test_sums_over_bins_are_the_totals_asked_one_by_one(aggregate):
    model = cube_small.measures()
    assert model.additive
    part, masks = model.schema.slices["hour"], np.random.default_rng(1).random((9, 24)) < 0.3
    others = cube.random_masks(model.schema, 12, 1)
    truth, rows = _one_by_one(model, part, masks, aggregate, others)
    found = totals_in_contexts(model, "hour", masks, aggregate, 12, 0)
    enough = rows > 1.01 if aggregate[0] in ("mean", "var") else np.ones(rows.shape, bool)
    assert enough.sum() > 50
    np.testing.assert_allclose(found[enough], truth[enough], rtol=1e-4, atol=1e-4 * np.abs(truth[enough]).max())


# -- where selections lie


@pytest.mark.parametrize("aggregate", ["count", ("sum", "delay")], ids=str)
@pytest.mark.parametrize("attribute", NAMES)
def test_positions_add_up_where_answers_do(attribute, aggregate):
    model = cube_small.measures()
    bins = project(model, attribute, aggregate=aggregate)
    masks = np.random.default_rng(0).random((20, len(bins))) < 0.5
    found = project(model, attribute, masks, aggregate=aggregate)
    np.testing.assert_allclose(found, masks @ bins, rtol=1e-6, atol=1e-6 * np.abs(bins).sum())


@pytest.mark.parametrize(("net", "aggregate"), [("product", "count"), ("mlp", "count"), ("product", ("mean", "delay"))])
@pytest.mark.parametrize("attribute", ["hour", "place"])
def test_the_empty_selection_is_the_origin(net, aggregate, attribute):
    model = cube_small.model(net) if aggregate == "count" else cube_small.measures(net)
    bins = model.schema[attribute].bins
    places = project(model, attribute, np.zeros((2, bins), bool), aggregate=aggregate, contexts=8)
    assert places.tolist() == [[0, 0]] * 2


def test_more_lies_farther_to_the_right(model):
    for attribute in NAMES:
        bins = model.schema[attribute].bins
        more = np.tril(np.ones((bins, bins), bool))[:, np.random.default_rng(2).permutation(bins)]
        right = project(model, attribute, more)[:, 0]
        assert (np.diff(right) >= -1e-6 * right.max()).all()
        assert right[-1] > 0


def test_positions_have_the_unit_of_the_answers(model):
    whole = project(model, "hour", [None])
    others = cube.random_masks(model.schema, 128, 1)
    others[:, model.schema.slices["hour"]] = True
    size = np.sqrt((model.totals_many(others) ** 2).mean())
    assert np.sqrt((whole**2).sum()) == pytest.approx(size, rel=0.02)


# -- the same plane


@pytest.mark.parametrize("net", ["product", "mlp"])
def test_the_same_seed_gives_the_same_bits(net):
    model = cube_small.model(net)
    first, second = (project(model, "month", contexts=8, rng=5) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, model.project("month", contexts=8, rng=5))
    assert not np.array_equal(first, project(model, "month", contexts=8, rng=6))


def test_a_plane_does_not_depend_on_what_is_shown_on_it(model):
    every, some = project(model, "hour"), project(model, "hour", [(k, k + 1) for k in (3, 9)])
    np.testing.assert_allclose(some, every[[3, 9]], rtol=1e-9, atol=1e-9 * np.abs(every).max())


def test_a_model_retrained_with_the_same_seed_has_the_same_plane(model):
    again = cube.fit(cube_small.exact(), queries=1500, steps=1000, rank=32)
    for attribute in NAMES:
        np.testing.assert_array_equal(project(again, attribute), project(model, attribute))


def test_signs_do_not_flip_between_trainings(model):
    for seed in (1, 2):
        other = cube.fit(cube_small.exact(), queries=1500, steps=1000, rank=32, rng=seed)
        for attribute in NAMES:
            a, b = project(model, attribute), project(other, attribute)
            assert np.corrcoef(a[:, 0], b[:, 0])[0, 1] > 0.99
            assert np.corrcoef(a[:, 1], b[:, 1])[0, 1] > 0.9


# -- what may be selected


def test_selections_in_all_forms_lie_in_the_same_place(model):
    mask = np.zeros(24, bool)
    mask[3:9] = True
    forms = [(3, 9), Query(hour=(3, 9)), Query(hour=(3, 9), kind={"a"}), mask, {str(k) for k in range(3, 9)}]
    places = project(model, "hour", forms)
    size = np.abs(places).max()
    np.testing.assert_allclose(places, np.repeat(places[:1], 5, 0), atol=1e-9 * size)
    np.testing.assert_array_equal(project(model, "hour", mask[None]), project(model, "hour", [mask]))
    whole = project(model, "hour", [None, Query(), Query(kind={"a"}), (0, 24)])
    np.testing.assert_allclose(whole, np.repeat(whole[:1], 4, 0), atol=1e-9 * size)
    assert np.abs(whole[0] - places[0]).max() > 0.1 * size


def test_nothing_to_show(model):
    assert project(model, "hour", []).shape == (0, 2)
    assert project(model, "hour", np.zeros((0, 24), bool)).shape == (0, 2)
    assert differences(model, "hour", []).shape == (0, 0)


def test_bins_of_missing_values_have_a_place():
    model = cube_small.model(gaps=True)
    for attribute in model.schema:
        places = project(model, attribute.name)
        assert places.shape == (attribute.bins, 2)
        assert np.isfinite(places).all()


def test_an_attribute_of_one_bin():
    schema = cube.Schema(cube.Integer("one", 0, 0), cube.Integer("month", 1, 12))
    table = {"one": np.zeros(500, int), "month": np.arange(500) % 12 + 1}
    model = cube.fit(cube.ExactCube.build(table, schema), queries=100, steps=200)
    ((x, y),) = project(model, "one")
    assert x > 0 and abs(y) < 1e-6 * x
    assert project(model, "month").shape == (12, 2)


def test_a_cube_of_one_attribute():
    schema = cube.Schema(cube.Integer("month", 1, 12))
    model = cube.fit(cube.ExactCube.build({"month": np.arange(500) % 12 + 1}, schema), queries=100, steps=200)
    places = project(model, "month")
    assert np.abs(places[:, 0] - 500 / 12).max() < 5  # there is nothing else to differ in
    assert np.abs(places[:, 1]).max() < 1


BAD = {
    "unknown attribute": ({"attribute": "day"}, LookupError, "no attribute 'day'"),
    "no list": ({"selections": (3, 9)}, ValueError, "put a single one in a list"),
    "no list of sets": ({"selections": {3, 9}}, ValueError, "put a single one in a list"),
    "a query": ({"selections": Query()}, ValueError, "put a single one in a list"),
    "a range too long": ({"selections": [(3, 25)]}, ValueError, "leaves the bins 0 to 24"),
    "a label that is none": ({"selections": [{"noon"}]}, ValueError, "'noon' is in no bin"),
    "a mask too short": ({"selections": np.ones((2, 23), bool)}, ValueError, r"shape \(2, 23\); expected \(n, 24\)"),
    "a mask alone": ({"selections": np.ones(24, bool)}, ValueError, r"expected \(n, 24\) for 'hour'"),
    "numbers": ({"selections": np.ones((2, 24))}, TypeError, "hour: cannot select with"),
    "one context": ({"contexts": 1}, ValueError, "contexts must be at least 2, got 1"),
    "aggregate": ({"aggregate": ("mean", "delay")}, LookupError, "no aggregate 'mean of delay'"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("function", [project, differences])
def test_errors_name_what_was_expected(model, function, name):
    options, error, text = BAD[name]
    with pytest.raises(error, match=text):
        function(model, **{"attribute": "hour", **options})
