"""Soft and hard regions: gradients, snapping, neighbours, and what a query makes of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.kernels import cube
from learnviews.kernels.cube.regions import EXHAUSTIVE, Intervals, Sets, regions

SOME = settings(max_examples=60, deadline=None, derandomize=True)


def axis(bins, missing=False):
    return cube.Integer("axis", 0, bins - 1, missing=missing)


def box(nx, ny, missing=False):
    return cube.Spatial("box", "x", "y", extent=(0, 1, 0, 1), shape=(nx, ny), missing=missing)


def kinds(bins, missing=False, other=False):
    return cube.Categorical("kinds", [f"k{i}" for i in range(bins)], missing=missing, other=other)


ATTRIBUTES = [
    axis(1),
    axis(1, missing=True),
    axis(12),
    axis(12, missing=True),
    axis(60),
    box(4, 7),
    box(4, 7, missing=True),
    box(1, 5),
    kinds(1),
    kinds(5),
    kinds(4, missing=True, other=True),
    kinds(12),
    cube.Categorical("flags", [True, False]),
    cube.Categorical("numbers", [10, 2, 7], missing=True),
    cube.Numeric.regular("size", 0, 1, 8, missing=True),
    cube.Temporal("weekday", part="weekday", missing=True),
]
attributes = st.sampled_from(ATTRIBUTES)


def parameters(region, n, seed):
    """Soft parameters, also such as a search runs into: beyond the ends, stop before start."""
    width = region.random(1, np.random.default_rng(0)).shape[1]
    return np.random.default_rng(seed).uniform(-0.05, 1.05, (n, width))


def test_the_kind_of_region_follows_from_the_order():
    assert isinstance(regions(axis(3)), Intervals)
    assert isinstance(regions(box(3, 2)), Intervals)
    assert isinstance(regions(kinds(3)), Sets)


# -- soft


@given(attributes, st.integers(0, 99), st.floats(0, 1))
@SOME
def test_soft_masks_are_weights(attribute, seed, sharpness):
    region = regions(attribute)
    mask, _ = region.soft(parameters(region, 9, seed), sharpness)
    assert mask.shape == (9, attribute.bins)
    assert mask.min() >= 0 and mask.max() <= 1


@given(attributes, st.integers(0, 99), st.sampled_from([0.0, 0.3, 1.0]))
@SOME
def test_gradients_are_those_of_central_differences(attribute, seed, sharpness):
    region = regions(attribute)
    at = parameters(region, 4, seed)
    weights = np.random.default_rng([seed, 1]).normal(size=(4, attribute.bins))
    if attribute.ordered and attribute.missing:
        weights[:, -1] = 0  # the missing bin follows the others; its gradient is left out
    _, trace = region.soft(at, sharpness)
    found = region.pull(trace, weights)
    expected = np.empty_like(at)
    for k in range(at.shape[1]):
        step = np.zeros(at.shape[1])
        step[k] = 1e-6
        up, down = (region.soft(at + sign * step, sharpness)[0] for sign in (1, -1))
        expected[:, k] = ((up - down) * weights).sum(1) / 2e-6
    off = np.abs(found - expected)
    assert off.max() <= 1e-6 * max(1, np.abs(expected).max())
    assert off.mean() <= 1e-7 * max(1, np.abs(expected).max())


def test_the_gradient_of_the_missing_bin_is_left_out():
    region = regions(axis(6, missing=True))
    _, trace = region.soft(np.array([[0.2, 0.7]]), 0.5)
    only_missing = np.eye(7)[None, -1]
    assert not region.pull(trace, only_missing).any()


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=repr)
def test_a_sharp_soft_mask_tells_selected_bins_from_the_others(attribute):
    region = regions(attribute)
    at = region.random(50, np.random.default_rng(3))
    soft, hard = region.soft(at, 0.0)[0], region.masks(region.snap(at))
    regular = slice(0, attribute.size if attribute.ordered else attribute.bins)
    np.testing.assert_array_equal(soft[:, regular] > 0.3, hard[:, regular])  # edges stay soft: corners reach 0.42


# -- hard


@given(attributes, st.integers(0, 999))
@SOME
def test_snapped_regions_are_legal_and_not_empty(attribute, seed):
    region = regions(attribute)
    hard = region.snap(parameters(region, 20, seed))
    assert hard.dtype == np.int64
    masks = region.masks(hard)
    assert masks.dtype == bool and masks.shape == (20, attribute.bins)
    assert masks.any(1).all()


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=repr)
def test_random_regions_follow_the_law_of_random_queries(attribute):
    region = regions(attribute)
    masks = region.masks(region.snap(region.random(4000, np.random.default_rng(0))))
    schema = cube.Schema(attribute)
    law = cube.random_masks(schema, 4000, 1)
    assert np.abs(masks.mean(0) - law.mean(0)).max() < 0.05
    assert abs(masks.sum(1).mean() - law.sum(1).mean()) < 0.06 * attribute.bins


@given(attributes, st.integers(0, 999))
@SOME
def test_a_region_near_its_own_mask_is_itself(attribute, seed):
    region = regions(attribute)
    hard = region.snap(parameters(region, 1, seed))[0]
    mask = region.masks(hard[None])[0]
    np.testing.assert_array_equal(region.snap(region.near(mask)[None])[0], hard)


def test_near_takes_the_smallest_range_around():
    region = regions(axis(10))
    mask = np.zeros(10, bool)
    mask[[2, 5]] = True
    assert region.snap(region.near(mask)[None]).tolist() == [[2, 6]]
    assert region.snap(region.near(np.zeros(10, bool))[None]).tolist() == [[0, 10]]  # of nothing: all
    square = np.zeros((4, 7), bool)
    square[1, 3] = square[2, 5] = True
    grid = regions(box(4, 7))
    assert grid.snap(grid.near(square.ravel())[None]).tolist() == [[1, 3, 3, 6]]


@given(attributes, st.integers(0, 999))
@SOME
def test_neighbours_are_legal_and_one_step_away(attribute, seed):
    region = regions(attribute)
    hard = region.snap(parameters(region, 1, seed))[0]
    around = region.neighbours(hard)
    assert around.shape == (len(around), len(hard))
    assert len({row.tobytes() for row in around} | {hard.tobytes()}) == len(around) + 1  # all different, not itself
    moved = np.abs(around - hard)
    assert (moved <= 1).all()
    assert region.masks(around).any(1).all()
    if not attribute.ordered:
        assert (moved.sum(1) == 1).all()
    else:
        assert ((moved[:, 0::2] + moved[:, 1::2] > 0).sum(1) == 1).all()  # along one axis


def test_neighbours_of_a_range_are_complete():
    region = regions(axis(5))
    assert set(map(tuple, region.neighbours(np.array([1, 3])))) == {(0, 3), (2, 3), (1, 2), (1, 4), (2, 4), (0, 2)}
    assert set(map(tuple, region.neighbours(np.array([0, 5])))) == {(1, 5), (0, 4)}
    assert len(regions(axis(1)).neighbours(np.array([0, 1]))) == 0


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=repr)
def test_every_region_is_there_once(attribute):
    region = regions(attribute)
    every = region.every()
    assert len({row.tobytes() for row in every}) == len(every) <= EXHAUSTIVE
    assert region.masks(every).any(1).all()
    n = attribute.bins
    if not attribute.ordered:
        assert len(every) == (2**n - 1 if 2**n <= EXHAUSTIVE else 2 * n)
    elif len(attribute.shape) == 1 and (m := attribute.size) * (m + 1) // 2 <= EXHAUSTIVE:
        assert len(every) == m * (m + 1) // 2
    else:
        assert len(every) == 0


def test_many_categories_are_tried_alone_and_left_out_alone():
    every = regions(kinds(30)).every()
    assert sorted(every.sum(1).tolist()) == [1] * 30 + [29] * 30
    assert len(regions(kinds(EXHAUSTIVE)).every()) == 0


@given(attributes, st.integers(0, 999))
@SOME
def test_the_filter_in_a_query_gives_the_same_mask(attribute, seed):
    region = regions(attribute)
    rows = np.concatenate([region.snap(parameters(region, 8, seed)), region.every()[:20]])
    schema = cube.Schema(attribute)
    for hard, mask in zip(rows, region.masks(rows), strict=True):
        query = cube.Query(**{attribute.name: region.filter(hard)})
        np.testing.assert_array_equal(schema.mask(query), mask)
        assert bool(query.filters) != mask.all()  # all bins is no filter
        assert cube.Query.from_json(query.to_json()) == query


@pytest.mark.parametrize("attribute", [a for a in ATTRIBUTES if a.missing and a.ordered], ids=repr)
def test_missing_values_come_with_the_whole_range_only(attribute):
    region = regions(attribute)
    full = np.ravel([(0, size) for size in attribute.shape])
    assert region.filter(full) is None
    assert region.masks(full[None]).all()
    for hard in region.neighbours(full):
        assert not region.masks(hard[None])[0, -1]


def test_missing_values_are_a_category_like_others():
    region = regions(kinds(3, missing=True))
    assert region.filter(np.array([0, 1, 0, 1])) == {"k1", "missing"}
    assert region.filter(np.array([1, 1, 1, 1])) is None
