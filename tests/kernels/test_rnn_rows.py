"""One pass over the rows of a lag: the compiled loops and their whole-array witness against float64 arithmetic."""

import contextlib
import math

import cases
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from learnviews.kernels import rnn
from learnviews.kernels.rnn import lags, products, row_loops, rows
from learnviews.kernels.rnn.cells import CELLS

T, B, K = 6, 2, 5
ROWS, ZEROS = T * B, 3  # row 3 holds zeros
WIDTHS = [1, 8, 9, 33, 100]
EVERY_PATH = pytest.mark.parametrize("path", [contextlib.nullcontext, cases.whole_arrays], ids=["loop", "arrays"])
EVERY_DTYPE = pytest.mark.parametrize("dtype", ["float32", "float64"])
EVERY_CELL = pytest.mark.parametrize("cell", CELLS)


class Rows:
    """Arguments of one pass at lag k: rows from 1e-30 to 1e9, exponents from -300 to 20."""

    def __init__(self, cell="tanh", k=1, width=9, dtype="float32", shares=True, alone=False):
        r = np.random.default_rng(width)
        self.cell, self.k, self.n = CELLS[cell], k, (T - k) * B
        S = width * self.cell.states
        size = 10.0 ** r.uniform(-30, 9, (self.n, 1))
        size[ZEROS] = 0
        self.d = (r.normal(size=(self.n, S)) * size).astype(dtype)
        self.above = (r.normal(size=(self.n, width)) * size).astype(dtype)[: 0 if alone else None]
        self.carry = (r.normal(size=(self.n, width if self.cell.code > 1 else 0)) * size).astype(dtype)
        self.coef = r.uniform(0.1, 1, (ROWS, width * self.cell.coefs)).astype(dtype)
        self.z = np.zeros((self.n, width * self.cell.blocks), dtype)
        self.factor, self.biggest = 2.0 ** r.integers(-3, 3, self.n), np.zeros(self.n)
        self.exponent = r.integers(-300, 20, self.n).astype(np.int32)
        w = self.coef if self.cell.code < 2 else r.uniform(0.1, 1, (ROWS, S)).astype(dtype)
        rest, q = r.normal(size=(ROWS, S)).astype(dtype), r.normal(size=(ROWS if shares else 0, S)).astype(dtype)
        self.kept = lags.new_record(np, (T, K, B), rest, w, q, None)
        self.start = {name: getattr(self, name).copy() for name in ("d", "above", "carry", "exponent", "factor")}

    def run(self, path):
        arguments = (self.cell, np.arange(self.n), self.d, self.above, self.carry, self.coef, self.z)
        with path(), np.errstate(over="ignore"):
            rows.advance_and_record(*arguments, self.factor, self.biggest, self.exponent, True, self.k, self.kept)
        return self

    def expected(self):
        """d, z and carry in float64, without the power of two."""
        H = self.above.shape[1]
        above = self.start["above"].astype(np.float64) if len(self.above) else 0
        start = {name: value.astype(np.float64) for name, value in self.start.items()}
        dh = start["d"][:, :H] * start["factor"][:, None] + above
        carry = start["carry"] * start["factor"][:, None]
        return self.cell.backward(np, dh, carry, self.coef[: self.n].astype(np.float64))

    def column(self, name):
        return getattr(self.kept, name)[: T - self.k, self.k].ravel()


@EVERY_PATH
@EVERY_DTYPE
@EVERY_CELL
@pytest.mark.parametrize("k, alone", [(0, True), (2, False), (4, True), (4, False)])
@pytest.mark.parametrize("width", WIDTHS)
def test_against_float64(width, k, alone, cell, dtype, path):
    case = Rows(cell, k, width, dtype, alone=alone)
    rest = case.kept.rest.astype(np.float64)
    case.run(path)
    d, z, carry = case.expected()
    power, n = case.start["exponent"], case.n
    rtol = 60 * np.finfo(dtype).eps
    scale = abs(d).max(axis=1, keepdims=True)
    for got, want in ((case.d, d), (case.z, z), (case.carry, carry)):
        assert (abs(got - want) <= rtol * scale).all()
    measured = d * case.kept.w[:n]
    norm = np.ldexp(np.linalg.norm(measured, axis=1), power)
    np.testing.assert_allclose(case.column("norm"), norm, rtol=rtol)
    D = np.ldexp(d, power[:, None])
    assert (abs(case.kept.rest[:n] - (rest[:n] - D)) <= rtol * (1 + abs(D).max(axis=1, keepdims=True))).all()
    left = np.linalg.norm((rest[:n] - D) * case.kept.w[:n], axis=1)
    left[n - B :] = 0  # the last step that has this lag has no later loss
    np.testing.assert_allclose(case.column("remainder"), left, rtol=rtol, atol=rtol * np.linalg.norm(D))
    share = np.array([math.fsum(a * b) for a, b in zip(D, case.kept.q[:n].astype(np.float64), strict=True)])
    size = np.linalg.norm(D, axis=1) * np.linalg.norm(case.kept.q[:n], axis=1)
    assert (abs(case.column("share") - share) <= rtol * size).all()


@EVERY_PATH
@EVERY_CELL
@pytest.mark.parametrize("k", [0, 2, 4])
def test_other_lags_and_rows_are_left_alone(k, cell, path):
    case = Rows(cell, k)
    rest, w, coef = case.kept.rest.copy(), case.kept.w.copy(), case.coef.copy()
    case.run(path)
    np.testing.assert_array_equal(case.kept.rest[case.n :], rest[case.n :])
    np.testing.assert_array_equal(case.kept.w, w)
    np.testing.assert_array_equal(case.coef, coef)
    for name in ("norm", "remainder", "share"):
        values = getattr(case.kept, name)
        assert values[: T - k, k].any()
        assert not values[T - k :, k].any()
        assert not np.delete(values, k, axis=1).any()


@EVERY_PATH
def test_without_rows_of_q_there_are_no_shares(path):
    case = Rows(shares=False).run(path)
    assert not case.kept.share.size
    assert case.kept.norm.any()


@EVERY_PATH
def test_without_weights_rows_are_measured_as_they_are(path):
    case = Rows()
    case.kept.w = case.kept.w[:0]
    case.run(path)
    want = np.ldexp(np.linalg.norm(case.expected()[0], axis=1), case.start["exponent"])
    np.testing.assert_allclose(case.column("norm"), want, rtol=1e-5)


@EVERY_PATH
@EVERY_DTYPE
@EVERY_CELL
@pytest.mark.parametrize("alone", [False, True])
def test_rows_will_be_about_one_at_the_next_lag_and_zeros_stay(alone, cell, dtype, path):
    case = Rows(cell, dtype=dtype, alone=alone).run(path)
    change = case.exponent - case.start["exponent"]
    np.testing.assert_array_equal(np.ldexp(case.factor, change), 1)  # what is taken from a row goes to its exponent
    assert case.factor[ZEROS] == 1
    ruling = case.z if alone and case.cell.code < 2 and path is contextlib.nullcontext else case.d
    biggest = np.delete(np.linalg.norm(ruling.astype(np.float64) * case.factor[:, None], axis=1), ZEROS)
    assert (biggest > 2.0**-21).all()
    assert (biggest < 2.0**23).all()
    assert (case.factor != 1).any()


@EVERY_PATH
def test_rows_of_ordinary_size_keep_their_exponent(path):
    case = Rows()
    case.d[...] = np.random.default_rng(1).uniform(0.5, 2, case.d.shape)
    case.above, case.factor[...] = case.above[:0], 1
    want = case.d * case.coef[: case.n]
    case.run(path)
    np.testing.assert_array_equal(case.z, want)
    np.testing.assert_array_equal(case.exponent, case.start["exponent"])
    np.testing.assert_array_equal(case.factor, 1)


@EVERY_PATH
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rows_that_are_not_finite_are_not_lost(bad, path):
    case = Rows()
    case.d[...], case.above[...], case.exponent[...] = 1, 0, 0
    case.d[5, 4] = bad
    case.run(path)
    values = case.column("remainder")
    assert not np.isfinite(values[5]) or values[5] == rows.LARGEST
    assert (np.delete(values, 5) < 1e9).all()


@EVERY_PATH
@pytest.mark.parametrize("size", [1e-25, 1e25])
def test_what_is_left_has_a_norm_where_its_square_does_not_fit_float32(size, path):
    case = Rows()
    case.d[...], case.above[...], case.kept.rest[...] = 0, 0, size
    case.kept.w = case.kept.w[:0]
    case.run(path)
    np.testing.assert_allclose(case.kept.remainder[: T - 2, 1], 3 * size, rtol=1e-5)


@EVERY_PATH
@pytest.mark.parametrize("power", [-5000, 5000])
def test_norms_beyond_float64_have_logarithms(power, path):
    case = Rows()
    case.exponent[...] = power
    case.kept.power[...] = power
    case.kept.log = np.zeros_like(case.kept.norm)
    case.run(path)
    with np.errstate(divide="ignore"):
        want = np.log(np.linalg.norm(case.expected()[1], axis=1)) + power * math.log(2)
    np.testing.assert_allclose(case.column("log"), want, rtol=1e-6)
    assert np.delete(case.column("norm"), ZEROS).tolist() == [0 if power < 0 else rows.LARGEST] * (case.n - 1)
    assert np.isfinite(case.kept.rest).all()


@given(hnp.arrays(np.float64, st.integers(1, 70), elements=st.floats(-1e6, 1e6, width=32)))
@cases.FEW
def test_fold_is_a_sum(values):
    assert row_loops.fold(values.copy()) == pytest.approx(math.fsum(values), rel=1e-12, abs=1e-14 * abs(values).sum())


@EVERY_DTYPE
@pytest.mark.parametrize("cell", ["tanh", "relu"])
@pytest.mark.parametrize("k", [0, 4])
@pytest.mark.parametrize("width", WIDTHS)
def test_plain_layer_alone_is_the_same_as_any_layer(width, k, cell, dtype):
    expected, case = (Rows(cell, k, width, dtype, alone=True) for _ in range(2))
    case.kept.w = case.coef
    expected.run(contextlib.nullcontext)
    with np.errstate(over="ignore"):
        rows.advance_plain(k, np.arange(case.n), case.d, case.coef, (case.factor, case.exponent), case.kept)
    np.testing.assert_array_equal(case.d, expected.z)
    for name in ("norm", "share"):
        np.testing.assert_allclose(case.column(name), expected.column(name), rtol=60 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(case.kept.rest, expected.kept.rest)
    np.testing.assert_allclose(case.kept.remainder, expected.kept.remainder, rtol=60 * np.finfo(dtype).eps)


@pytest.mark.parametrize("cell", ["tanh", "relu", "gru", "lstm"])
@pytest.mark.parametrize("steps, lag_count", [(5, 5), (30, 19), (30, 16)])
@pytest.mark.parametrize("together, most", [(1, 10**6), (12, 10**6), (5, 2000), (1000, 10**6)])
def test_lags_of_few_rows_together_are_those_of_all(together, most, steps, lag_count, cell, monkeypatch):
    r = np.random.default_rng(0)
    net = rnn.RecurrentNet(cell, 9, 23, 9, dtype="float64", initial="uniform", rng=0)
    x, y, mask = r.integers(0, 9, (steps, 3)), r.integers(0, 9, (steps, 3)), r.integers(0, 2, (steps, 3))
    monkeypatch.setattr(products, "MOST", most)
    flows = []
    for few in (lambda link, chains: (together, products.panels(link.W, together)), lambda link, chains: None):
        monkeypatch.setattr(lags, "_few", few)
        flows.append(rnn.itemize(net, x, y, lags=lag_count, shares=True, mask=mask))
        flows.append(rnn.itemize(net, x, y, lags=lag_count, parameter="state"))
    for together, apart in zip(flows[:2], flows[2:], strict=True):
        for name in ("norm", "beyond", "remainder", *(["share"] if apart.share is not None else [])):
            np.testing.assert_allclose(getattr(together, name), getattr(apart, name), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(
    ("hidden", "chains", "threads", "packs", "rows"),
    [
        (128, 400, 1, False, 60),
        (128, 400, 1, True, None),  # W is better packed once for all
        (128, 400, 2, False, None),  # the product of all is large enough for both
        (128, 10, 2, False, 10),
        (128, 10, 2, True, 10),
        (8, 20_000, 1, False, 15624),
        (256, 1600, 1, False, 12),
        (1024, 1600, 1, False, 12),
        (1024, 5, 1, False, 5),
        (8, 0, 1, False, 1),  # no step counts
        (8000, 1600, 1, False, None),  # panels would be narrow
    ],
)
def test_how_many_chains_go_together(hidden, chains, threads, packs, rows, monkeypatch):
    for module in (lags, products):
        monkeypatch.setattr(module, "packs", lambda: packs)
    monkeypatch.setattr(lags, "blas_threads", lambda: threads)
    few = lags._few(lags.Link(None, np.broadcast_to(np.float32(1), (hidden, hidden)), None, None), chains)
    assert (few and few[0]) == rows
    if few:
        count, n, width = few[1].shape
        assert n == hidden <= count * width and rows * n * width <= products.MOST
