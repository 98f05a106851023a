"""Answers by recursive halving, from occupied cells and from all cells, against rows."""

from math import prod

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.kernels.cube import answers as answering
from learnviews.kernels.cube.answers import LANES, DenseAnswers, SparseAnswers
from learnviews.kernels.cube.lanes import add_four_scaled, add_product, add_scaled
from learnviews.kernels.jit import jit


def random_cells(sizes, share, seed):
    """Codes (d, m) of some cells, sorted, and whole weights."""
    rng = np.random.default_rng(seed)
    keys = np.flatnonzero(rng.random(prod(sizes)) < share)
    codes = np.array(np.unravel_index(keys, sizes), np.int32).reshape(len(sizes), -1)
    return codes, rng.integers(1, 50, len(keys)).astype(float)


def random_masks(sizes, n, seed, share=0.5):
    return np.random.default_rng([seed, 1]).random((n, sum(sizes))) < share


def all_cells(codes, weights, sizes):
    full = np.zeros(prod(sizes))
    full[np.ravel_multi_index(tuple(codes), sizes)] = weights
    return full


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=6),
    st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    st.integers(0, 20),
    st.integers(0, 99),
    st.sampled_from([0.0, 0.5, 0.9, 1.0]),
)
@settings(max_examples=80, deadline=None)
def test_views_and_totals_are_those_of_the_rows(sizes, share, n, seed, passing):
    codes, weights = random_cells(sizes, share, seed)
    masks = random_masks(sizes, n, seed, passing)
    views = [naive.cube_views(codes, sizes, mask, weights) for mask in masks]
    totals = [naive.cube_total(codes, sizes, mask, weights) for mask in masks]
    sparse, dense = SparseAnswers(codes, sizes), DenseAnswers(sizes)
    full = all_cells(codes, weights, sizes)
    for found in (sparse.views(weights, masks), dense.views(full, masks)):
        assert found.tolist() == np.reshape(views, (n, sum(sizes))).tolist()  # exact: counts are whole
    for found in (sparse.totals(weights, masks), dense.totals(full, masks)):
        assert found.tolist() == totals


@pytest.mark.parametrize("n", [1, LANES - 1, LANES, LANES + 1, 300])
def test_any_number_of_queries(n):
    sizes = (3, 4, 5, 6)
    codes, weights = random_cells(sizes, 0.3, 5)
    masks = random_masks(sizes, n, 6)
    found = SparseAnswers(codes, sizes).views(weights, masks)
    np.testing.assert_array_equal(found, DenseAnswers(sizes).views(all_cells(codes, weights, sizes), masks))
    np.testing.assert_array_equal(found[-1], SparseAnswers(codes, sizes).views(weights, masks[-1:])[0])


def test_the_same_bits_for_any_number_of_threads(monkeypatch):
    sizes = (4, 7, 9, 5)
    codes, weights = random_cells(sizes, 0.4, 1)
    masks, weights = random_masks(sizes, 400, 2), weights * np.pi
    found = []
    for threads in (1, 2, 5):
        monkeypatch.setattr(answering, "cores", lambda threads=threads: threads)
        answers = SparseAnswers(codes, sizes)
        found.append((answers.views(weights, masks), answers.totals(weights, masks)))
    for views, totals in found[1:]:
        np.testing.assert_array_equal(views, found[0][0])
        np.testing.assert_array_equal(totals, found[0][1])


def test_sums_of_floats_come_close_in_both_forms():
    sizes = (6, 5, 8, 7)
    codes, weights = random_cells(sizes, 0.7, 3)
    weights = np.random.default_rng(3).normal(0, 1e6, len(weights))
    masks = random_masks(sizes, 50, 4)
    sparse, dense = SparseAnswers(codes, sizes), DenseAnswers(sizes)
    full = all_cells(codes, weights, sizes)
    atol = 1e-13 * abs(weights).sum()
    np.testing.assert_allclose(sparse.views(weights, masks), dense.views(full, masks), rtol=0, atol=atol)
    np.testing.assert_allclose(sparse.totals(weights, masks), dense.totals(full, masks), rtol=0, atol=atol)


def test_more_cells_than_the_split_is_chosen_by(monkeypatch):
    monkeypatch.setattr(answering, "SAMPLE", 10)
    sizes = (5, 4, 6, 3, 4)
    codes, weights = random_cells(sizes, 0.3, 8)
    masks = random_masks(sizes, 20, 8)
    found = SparseAnswers(codes, sizes).views(weights, masks)
    np.testing.assert_array_equal(found, DenseAnswers(sizes).views(all_cells(codes, weights, sizes), masks))


def test_attributes_whose_keys_need_several_words():
    rng, sizes = np.random.default_rng(0), (300,) * 9
    rows = rng.integers(0, 2, (80, 9)) * rng.integers(1, 300, (1, 9))
    codes = np.unique(rows, axis=0).astype(np.int32).T
    masks, weights = random_masks(sizes, 12, 1, 0.8), np.arange(1.0, codes.shape[1] + 1)
    answers = SparseAnswers(codes, sizes)
    found, totals = answers.views(weights, masks), answers.totals(weights, masks)
    for mask, views, total in zip(masks, found, totals, strict=True):
        np.testing.assert_array_equal(views, naive.cube_views(codes, sizes, mask, weights))
        assert total == naive.cube_total(codes, sizes, mask, weights)
    distinct, inverse = answering._distinct(codes[1:], sizes[1:])
    assert (distinct[:, inverse] == codes[1:]).all() and distinct.T.tolist() == sorted(distinct.T.tolist())


def test_rows_of_lanes_as_numpy_has_them():
    rng = np.random.default_rng(2)
    target, one, other = (rng.normal(size=(6, LANES)) for _ in range(3))
    weights, rows = rng.normal(size=9), rng.integers(0, 6, 9).astype(np.uint32)

    @jit
    def run(target, one, other, weights, rows):
        add_scaled(target, 1, weights[0], one, 4)
        add_four_scaled(target, 2, weights, one, rows, 3)
        add_product(target, 5, one, 0, other, 3)

    expected = target.copy()
    expected[1] += weights[0] * one[4]
    expected[2] += weights[3:7] @ one[rows[3:7]]
    expected[5] += one[0] * other[3]
    run(target, one, other, weights, rows)
    np.testing.assert_allclose(target, expected, rtol=1e-14, atol=1e-14)
