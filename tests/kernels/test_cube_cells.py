"""Keys of cells and the two stores of what is added up in them."""

from math import prod

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.kernels.cube.cells import DenseCells, Packing, SparseCells, survey

SIZES = st.lists(st.sampled_from([1, 2, 3, 7, 300, 70_000, 2**31 - 1]), min_size=1, max_size=9)


def random_codes(sizes, n, seed=0, left_out=True):
    rng = np.random.default_rng(seed)
    codes = [rng.integers(-2 if left_out else 0, size, n) for size in sizes]
    return [code.astype(np.int32) for code in codes]


def expected(codes, values):
    cells = naive.cube_cells(codes, values)
    return sorted(cells), [[cells[c][0], *(x for held in cells[c][1:] for x in held[:2])] for c in sorted(cells)]


@given(SIZES, st.integers(0, 40), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_keys_keep_codes_and_their_order(sizes, n, seed):
    codes = random_codes(sizes, n, seed, left_out=False)
    packing = Packing(sizes)
    keys, tally = packing.keys(codes)
    assert not tally.any() and (keys >= 0).all()
    assert (packing.codes(keys) == np.array(codes)).all()
    assert sorted(range(n), key=lambda i: tuple(keys[:, i])) == sorted(range(n), key=lambda i: [c[i] for c in codes])
    assert keys.shape[0] == len(packing.words) and packing.key_bytes * n == keys.nbytes


def test_words_hold_what_fits():
    assert Packing([2**31 - 1]).dtype == np.int32
    assert Packing([2**31]).dtype == np.int64
    assert Packing([2**31 - 1] * 2).words == [(0, 2)]
    assert Packing([2**31 - 1] * 5).words == [(0, 2), (2, 4), (4, 5)]
    assert Packing([2**32, 2**31, 3]).words == [(0, 1), (1, 3)]  # 2^63 does not fit into a signed word


@pytest.mark.parametrize("sizes", [[3, 4], [2**31 - 1] * 5])
def test_rows_outside_and_missing_are_tallied_and_have_no_cell(sizes):
    codes = [np.zeros(6, np.int32) for _ in sizes]
    codes[0][:3] = -1, -2, -1
    codes[-1][2:4] = -2, -1
    keys, tally = Packing(sizes).keys(codes)
    assert (keys[0] < 0).tolist() == [True] * 4 + [False] * 2
    assert tally[0].tolist() == [2, 1] and tally[-1].tolist() == [1, 1]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32, np.uint64, np.int8, np.int16, np.int64])
def test_codes_of_any_integers(kind):
    codes = [np.array([0, 5, 99], kind), np.array([1, 0, 1], kind)]
    assert Packing([100, 2]).keys(codes)[0].tolist() == [[1, 10, 199]]


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=5),
    st.integers(0, 60),
    st.integers(0, 2),
    st.integers(0, 9),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_both_stores_hold_what_the_rows_say(sizes, n, measures, seed, wide):
    sizes = [2**31 - 1, 2**31 - 1, *sizes] if wide else sizes
    codes = random_codes([min(size, 6) for size in sizes], n, seed)
    values = np.random.default_rng(seed).normal(0, 1, (measures, n))
    packing = Packing(sizes)
    cells, data = expected(codes, values)
    for kind in [SparseCells] if wide else [SparseCells, DenseCells]:
        store = kind(packing, measures)
        for first in range(0, n, 7):
            some = slice(first, first + 7)
            store.add(packing.keys([code[some] for code in codes])[0], values[:, some])
        keys, held = store.occupied()
        assert [tuple(code) for code in packing.codes(keys).T.tolist()] == cells
        assert held.shape == (len(cells), 1 + 2 * measures)
        np.testing.assert_allclose(held, np.reshape(data, held.shape), rtol=1e-12, atol=1e-12)
        assert store.count_occupied() == len(cells)


def test_present_values_are_counted_from_the_first_gap_on():
    packing = Packing([3])
    for store in (DenseCells(packing, 2), SparseCells(packing, 2)):
        keys = np.array([[0, 1, 1]], np.int32)
        store.add(keys, np.ones((2, 3)))
        assert not store.counts_present
        store.count_present()
        store.count_present()
        store.add(keys, np.array([[np.nan, 2, 2], [1, np.nan, 1]]))
        found = store.occupied()[1]
        assert found.tolist() == [[2, 1, 1, 2, 2, 1, 2], [4, 6, 10, 3, 3, 4, 3]]


@pytest.mark.parametrize("kinds", [(DenseCells, SparseCells), (SparseCells, DenseCells), (SparseCells, SparseCells)])
def test_merged_stores_hold_both(kinds):
    packing = Packing([4, 3])
    one, other = kinds[0](packing, 1), kinds[1](packing, 1)
    one.add(packing.keys([np.array([0, 1, 3]), np.array([0, 1, 2])])[0], np.array([[1.0, 2, 3]]))
    other.count_present()
    other.add(packing.keys([np.array([3, 2]), np.array([2, 0])])[0], np.array([[np.nan, 5]]))
    one.merge(*other.occupied())
    keys, data = one.occupied()
    assert keys.tolist() == [[0, 4, 6, 11]]
    assert data.tolist() == [[1, 1, 1, 1], [1, 2, 4, 1], [1, 5, 25, 1], [2, 3, 9, 1]]
    third = kinds[1](packing, 1)  # never saw a gap
    third.add(packing.keys([np.array([3]), np.array([2])])[0], np.array([[7.0]]))
    one.merge(*third.occupied())
    assert one.occupied()[1][-1].tolist() == [3, 10, 58, 2]


def test_a_sparse_store_grows_and_takes_more_after_sorting():
    packing = Packing([1 << 20, 8])
    store, rng, seen = SparseCells(packing, 0), np.random.default_rng(3), []
    for n in (10, 5000, 1, 40_000, 0, 40_000):
        codes = [rng.integers(0, 1 << 20, n), rng.integers(0, 8, n)]
        seen.append(packing.keys(codes)[0][0])
        store.add(seen[-1][None], np.empty((0, n)))
        keys, data = store.occupied()
        unique, counts = np.unique(np.concatenate(seen), return_counts=True)
        assert (keys[0] == unique).all() and (data[:, 0] == counts).all()
    assert store.nbytes == len(unique) * (4 + 8)


def test_bytes_go_with_cells():
    packing = Packing([5, 5])
    dense, sparse = DenseCells(packing, 1), SparseCells(packing, 1)
    assert dense.nbytes == prod(packing.sizes) * 3 * 8 and sparse.nbytes == 0
    assert dense.cell_bytes == sparse.cell_bytes == 24


def test_survey_sees_gaps_and_infinities_of_kept_rows_only():
    values = np.array([np.nan, np.inf, -np.inf, 1e200, 1e150, np.nan, np.inf])
    assert survey(values, np.array([0, 0, 0, 0, 0, -1, -1], np.int32)) == (1, 3)
