"""One pass over the rows of a lag: the compiled loop and its whole-array witness against float64 arithmetic."""

import math

import cases
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from learnviews.kernels.rnn import lags

T, B, K = 6, 2, 5
ROWS, ZEROS = T * B, 3  # row 3 holds zeros
WIDTHS = [1, 2, 7, 8, 9, 10, 17, 33, 100]
EVERY_PATH = pytest.mark.parametrize("advance", [lags._advance_loop, lags.advance_arrays], ids=["loop", "arrays"])
EVERY_DTYPE = pytest.mark.parametrize("dtype", ["float32", "float64"])


def make_rows(width=9, dtype="float32", shares=True):
    """Arguments of `advance` after k: rows from 1e-30 to 1e9, exponents from -300 to 20."""
    r = np.random.default_rng(width)
    E = r.normal(size=(ROWS, width)) * 10.0 ** r.uniform(-30, 9, (ROWS, 1))
    E[ZEROS] = 0
    return {
        "E": E.astype(dtype),
        "slope": r.uniform(0.1, 1, (ROWS, width)).astype(dtype),
        "exponent": r.integers(-300, 20, ROWS).astype(np.int32),
        "norm": np.zeros((T, K, B)),
        "rest": r.normal(size=(ROWS, width)).astype(dtype),
        "remainder": np.zeros((T, K, B)),
        "q": r.normal(size=(ROWS if shares else 0, width)).astype(dtype),
        "share": np.zeros((T, K, B)),
    }


def true_rows(rows, k):
    """(n, H) float64: the rows of lag k with their power of two, which is kept by row of the loss."""
    n = (T - k) * B
    return np.ldexp(rows["E"][:n].astype(np.float64), rows["exponent"][k * B :, None])


def expected(rows, k):
    """D_k and, per row, what `advance` should leave, in float64."""
    n = (T - k) * B
    D = true_rows(rows, k) * rows["slope"][:n]
    rest = rows["rest"][:n] - D
    share = np.array([math.fsum(d * q) for d, q in zip(D, rows["q"][:n].astype(np.float64), strict=True)])
    return D, np.linalg.norm(D, axis=1), rest, np.linalg.norm(rest, axis=1), share


# --- against float64


@EVERY_PATH
@EVERY_DTYPE
@pytest.mark.parametrize("k", [0, 2, 4])
@pytest.mark.parametrize("width", WIDTHS)
def test_against_float64(width, k, dtype, advance):
    rows = make_rows(width, dtype)
    n = (T - k) * B
    D, norm, rest, left, share = expected(rows, k)
    left[n - B :] = 0  # the last step that has this lag has no later loss
    advance(k, *rows.values())
    rtol = 40 * np.finfo(dtype).eps
    np.testing.assert_allclose(true_rows(rows, k), D, rtol=rtol)
    np.testing.assert_allclose(rows["norm"][: T - k, k].ravel(), norm, rtol=rtol)
    np.testing.assert_allclose(rows["remainder"][: T - k, k].ravel(), left, rtol=rtol)
    assert (abs(rows["rest"][:n] - rest) <= rtol * (1 + abs(D))).all()
    got = rows["share"][: T - k, k].ravel()
    assert (abs(got - share) <= rtol * norm * np.linalg.norm(rows["q"][:n], axis=1)).all()


@EVERY_PATH
@pytest.mark.parametrize("k", [0, 2, 4])
def test_other_lags_and_rows_are_left_alone(k, advance):
    rows, n = make_rows(), (T - k) * B
    before = {name: value.copy() for name, value in rows.items()}
    advance(k, *rows.values())
    for name in ("E", "rest"):
        np.testing.assert_array_equal(rows[name][n:], before[name][n:])
    np.testing.assert_array_equal(rows["exponent"][: k * B], before["exponent"][: k * B])
    for name in ("slope", "q"):
        np.testing.assert_array_equal(rows[name], before[name])
    for name in ("norm", "remainder", "share"):
        assert rows[name][: T - k, k].any()
        assert not rows[name][T - k :, k].any()
        assert not np.delete(rows[name], k, axis=1).any()


@EVERY_DTYPE
@pytest.mark.parametrize("width", WIDTHS)
def test_loop_against_arrays(width, dtype):
    loop, arrays = make_rows(width, dtype), make_rows(width, dtype)
    lags._advance_loop(1, *loop.values())
    lags.advance_arrays(1, *arrays.values())
    rtol = 20 * np.finfo(dtype).eps
    np.testing.assert_allclose(true_rows(loop, 1), true_rows(arrays, 1), rtol=rtol)
    for name in ("norm", "remainder"):
        np.testing.assert_allclose(loop[name], arrays[name], rtol=rtol)


def test_advance_takes_the_loop_for_numpy():
    rows, loop = make_rows(), make_rows()
    lags.advance(1, *rows.values())
    lags._advance_loop(1, *loop.values())
    for name in rows:
        np.testing.assert_array_equal(rows[name], loop[name])


@EVERY_PATH
def test_without_rows_of_q_there_are_no_shares(advance):
    rows = make_rows(shares=False)
    advance(0, *rows.values())
    assert not rows["share"].any()
    assert rows["norm"].any()


# --- rescaling


@EVERY_PATH
@EVERY_DTYPE
def test_rescaled_rows_are_about_one_and_zeros_stay(dtype, advance):
    rows = make_rows(dtype=dtype)
    exponent = rows["exponent"].copy()
    advance(0, *rows.values())
    biggest = abs(rows["E"]).max(axis=1)
    assert biggest[ZEROS] == 0
    assert rows["exponent"][ZEROS] == exponent[ZEROS]
    others = np.delete(biggest, ZEROS)
    assert (others > 2.0**-20 / 3).all()  # TINY is on squared norms; the largest of 9 is at least a third of the norm
    assert (others < 2.0**20).all()
    assert (rows["exponent"] != exponent).any()


@EVERY_PATH
@EVERY_DTYPE
def test_rows_of_ordinary_size_keep_their_exponent(dtype, advance):
    rows = make_rows(dtype=dtype)
    rows["E"][...] = np.random.default_rng(1).uniform(0.5, 2, rows["E"].shape)
    want, exponent = rows["E"] * rows["slope"], rows["exponent"].copy()
    advance(0, *rows.values())
    np.testing.assert_array_equal(rows["E"], want)
    np.testing.assert_array_equal(rows["exponent"], exponent)


@EVERY_PATH
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rows_that_are_not_finite_are_not_lost(bad, advance):
    rows = make_rows()
    rows["E"][...], rows["exponent"][...] = 1, 0
    rows["E"][5, 4] = bad
    advance(0, *rows.values())
    for name in ("norm", "remainder"):
        values = rows[name][:, 0].ravel()
        assert not np.isfinite(values[5])
        assert np.isfinite(np.delete(values, 5)).all()


@EVERY_PATH
@pytest.mark.parametrize("size", [1e-25, 1e25])
def test_what_is_left_has_a_norm_where_its_square_does_not_fit_float32(size, advance):
    rows = make_rows()
    rows["E"][...] = 0
    rows["rest"][...] = size
    with np.errstate(over="ignore"):
        advance(0, *rows.values())
    np.testing.assert_allclose(rows["remainder"][:-1, 0], 3 * size, rtol=1e-5)


@given(hnp.arrays(np.float64, st.integers(1, 70), elements=st.floats(-1e6, 1e6, width=32)))
@cases.FEW
def test_fold_is_a_sum(values):
    assert lags._fold(values.copy()) == pytest.approx(math.fsum(values), rel=1e-12, abs=1e-14 * abs(values).sum())


@EVERY_DTYPE
@pytest.mark.parametrize("size", [1e-44, 1e-38, 1e-20, 0.3, 0.5, 1.0, 1e20, 3e38])
def test_rescale_is_exact(size, dtype):
    row = (np.array([-1.0, 0.25, 0, 0.7]) * size).astype(dtype)
    want = row.astype(np.float64)
    shift = lags._rescale(row)
    assert 0.5 <= abs(row).max() < 1
    np.testing.assert_array_equal(row.astype(np.float64) * 2.0**shift, want)


@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e308])
def test_rescale_at_the_ends_of_float64(size):
    row = np.array([size, -size])
    shift = lags._rescale(row)
    assert math.ldexp(row[0], shift) == size
    np.testing.assert_array_equal(abs(row), math.frexp(size)[0])


@pytest.mark.parametrize("row", [[0.0, 0.0], [1.0, np.inf], [-np.inf, 0.0]])
def test_rescale_leaves_zeros_and_infinities(row):
    before = np.array(row)
    after = before.copy()
    assert lags._rescale(after) == 0
    np.testing.assert_array_equal(after, before)
