"""What is wanted: keys, errors, misses, and gradients of misses."""

import copy

import cube_small
import numpy as np
import pytest

from learnviews.kernels.cube.query import Query
from learnviews.kernels.cube.targets import Answers, Target, miss, read_targets

SLICES = cube_small.SCHEMA.slices


@pytest.fixture(scope="module")
def model():
    return cube_small.model()


@pytest.mark.parametrize(
    ("key", "places"),
    [
        (("hour", 8), (20, 21)),
        (("hour", np.int64(8)), (20, 21)),
        (("hour", "8"), (20, 21)),
        (("month", "1"), (0, 1)),  # the label of bin 0
        (("kind", "c"), (38, 39)),
        (("kind", 2), (38, 39)),
        (("hour", None), None),
        (("hour", "all"), (12, 36)),
    ],
)
def test_keys_name_bins_by_number_or_label(model, key, places):
    value = np.arange(24.0) if key[1] == "all" else 3
    (target,) = read_targets(model, {key: value})
    assert target.key == key
    assert target.places == (None if places is None else slice(*places))
    assert target.value.tolist() == np.atleast_1d(value).tolist()
    assert target.value.dtype == np.float64


def test_several_targets_keep_their_order(model):
    wanted = {("hour", 3): 5, ("kind", "a"): 7, ("month", None): 9}
    assert [target.key for target in read_targets(model, wanted)] == list(wanted)


BAD = {
    "none": (None, ValueError, "must be a dict"),
    "empty": ({}, ValueError, "at least one entry"),
    "list": ([("hour", 8)], ValueError, "must be a dict"),
    "key is text": ({"hour": 8}, ValueError, r"'hour' is no key; expected \(view, bin\)"),
    "key of three": ({("hour", 8, 9): 8}, ValueError, "is no key"),
    "view": ({("day", 8): 8}, LookupError, "no attribute 'day'; there are month, hour, kind, place"),
    "view is a number": ({(1, 8): 8}, LookupError, "no attribute 1"),
    "label": ({("kind", "z"): 8}, LookupError, "'kind' has no bin 'z'; there are a, b, c, d, e"),
    "label of many": ({("hour", "24"): 8}, LookupError, r"there are 0, 1, 2, 3, 4, 5, 6, 7, \.\.\."),
    "bin after the last": ({("hour", 24): 8}, LookupError, "bins of 'hour' are 0 to 23, or their labels"),
    "bin before the first": ({("hour", -1): 8}, LookupError, "0 to 23"),
    "bin is a bool": ({("hour", True): 8}, LookupError, "0 to 23"),
    "bin is no whole number": ({("hour", 8.0): 8}, LookupError, "0 to 23"),
    "nan": ({("hour", 8): np.nan}, ValueError, "must be finite, got nan"),
    "inf": ({("hour", 8): np.inf}, ValueError, "must be finite"),
    "nothing": ({("hour", 8): None}, ValueError, "must be finite, got None"),
    "text": ({("hour", 8): "many"}, ValueError, "must be a number"),
    "many for one": ({("hour", 8): [1, 2]}, ValueError, r"must hold 1 number, got shape \(2,\)"),
    "many for the total": ({("hour", None): [1, 2]}, ValueError, "must hold 1 number, "),
    "one for all": ({("hour", "all"): 8}, ValueError, r"must hold 24 numbers, got shape \(1,\)"),
    "other length": ({("hour", "all"): np.ones(25)}, ValueError, r"must hold 24 numbers, got shape \(25,\)"),
    "two axes": ({("hour", "all"): np.ones((1, 24))}, ValueError, r"got shape \(1, 24\)"),
    "nan among all": ({("month", "all"): [np.nan] * 12}, ValueError, "must be finite"),
}


@pytest.mark.parametrize("name", BAD)
def test_errors_name_what_was_expected(model, name):
    wanted, error, text = BAD[name]
    with pytest.raises(error, match=text):
        read_targets(model, wanted)


# -- misses


def target(*values, least=1.0):
    return Target(("hour", "all"), slice(0, len(values)), np.array(values, float), least)


def test_misses_are_relative():
    found = np.array([[100.0], [110.0], [0.0]])
    assert miss(target(100), found).tolist() == [0, 0.1, 1]
    np.testing.assert_allclose(miss(target(10, -30), np.array([[12.0, -26.0]])), [6 / 40])


def test_misses_of_little_are_relative_to_one_row_or_what_is_small_for_a_measure():
    assert miss(target(0), np.array([[3.0]])).tolist() == [3]
    assert miss(target(0.5), np.array([[0.0]])).tolist() == [0.5]
    assert miss(target(0, least=0.01), np.array([[0.03]])).tolist() == [3]


def test_no_answer_misses_by_infinitely_much():
    assert miss(target(5), np.array([[np.nan], [np.inf], [-np.inf], [5]])).tolist() == [np.inf] * 3 + [0]


def test_what_is_small_follows_the_measure_and_its_unit():
    model = cube_small.measures()
    for aggregate in cube_small.EVERY:
        (one,) = read_targets(model, {("hour", 8): 3}, aggregate)
        if aggregate == "count":
            assert one.least == 1
        else:
            bars = model.views(Query(), aggregate)["hour"]
            assert one.least == pytest.approx(0.01 * np.abs(np.nan_to_num(bars)).mean(), rel=1e-4)


# -- gradients


def in_float64(model):
    """A copy whose nets compute in double precision."""
    copied = copy.deepcopy(model)
    for net in copied.nets.values():
        for each in (net, getattr(net, "base", None)):
            if each is not None:
                each.parameters = {name: array.astype(np.float64) for name, array in each.parameters.items()}
    return copied


WANTED = {
    "bar": {("hour", 8): 900.0},
    "bars of two views": {("hour", 12): 500.0, ("kind", "b"): 2000.0},
    "total": {("hour", None): 3000.0},
    "view": {("kind", "all"): [100.0, 2000.0, 0.0, 50.0, 1.0]},
    "all kinds": {("month", 3): 10.0, ("place", "all"): np.arange(36.0), ("kind", None): 40.0},
}


@pytest.mark.parametrize(
    ("fitted", "net", "aggregate"),
    [
        *((cube_small.measures, net, each) for net in ("product", "signed", "mlp") for each in cube_small.EVERY),
        (cube_small.model, "mlp", "count"),  # over independence
    ],
)
@pytest.mark.parametrize("name", WANTED)
def test_gradients_of_misses_are_those_of_central_differences(fitted, net, aggregate, name):
    model = in_float64(fitted(net))
    answers = Answers(model, read_targets(model, WANTED[name], aggregate), aggregate)
    rng = np.random.default_rng(5)
    bins = model.schema.bins
    for mask in rng.uniform(0.5, 1, (2, bins)):
        _, found = answers.pull(mask[None])
        step = 1e-5 * np.eye(bins)
        losses = answers.pull(np.concatenate([mask + step, mask - step]))[0]
        expected = (losses[:bins] - losses[bins:]) / 2e-5
        off, size = np.abs(found[0] - expected), np.abs(expected).max()
        assert size > 0
        noise = 1e-10  # of the differences, where a miss is flat: far off, with the wrong sign
        assert off.max() <= 1e-4 * size + noise
        assert off.mean() <= 1e-5 * size + noise


@pytest.mark.parametrize("net", ["product", "mlp"])
def test_the_smooth_miss_is_that_of_the_answers(net):
    model = cube_small.model(net)
    wanted = {("hour", 8): 900.0, ("kind", "all"): [100.0, 2000.0, 0.0, 50.0, 1.0], ("month", None): 7.0}
    targets = read_targets(model, wanted)
    answers = Answers(model, targets, "count")
    masks = model.schema.masks([Query(), Query(month=(2, 5), kind={"a", "c"})])
    loss, _ = answers.pull(masks.astype(np.float32))
    bars, totals = model.query_many(masks), model.totals_many(masks)
    expected = 0
    for each in targets:
        found = totals[:, None] if each.places is None else bars[:, each.places]
        scale = np.abs(each.value).sum() + np.abs(found).sum(1) + 1
        expected = expected + ((found - each.value) ** 2).sum(1) / scale**2
    np.testing.assert_allclose(loss, expected, rtol=1e-4)
    for each, values in zip(targets, answers.found(masks), strict=True):
        np.testing.assert_array_equal(values, totals[:, None] if each.places is None else bars[:, each.places])


def test_the_gradient_points_from_too_few_to_more(rng=0):
    model = cube_small.model()
    answers = Answers(model, read_targets(model, {("hour", 8): 1e5}), "count")
    masks = np.random.default_rng(rng).uniform(0.2, 0.8, (4, model.schema.bins))
    gradient = answers.pull(masks)[1]
    others = np.ones(model.schema.bins, bool)
    others[SLICES["hour"]] = False
    assert (gradient[:, others] <= 0).all()  # a monotone net: more of anything brings more rows
    assert not gradient[:, ~others].any()  # a view does not depend on its own filter
