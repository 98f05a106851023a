"""Itemized gradients: the explicit matrices, the identities with BPTT, and what comes back."""

import cases
import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnviews.kernels import rnn
from learnviews.kernels.rnn import flow as flow_module
from learnviews.kernels.rnn import unroll

EVERY_CELL = pytest.mark.parametrize("cell", cases.CELLS)
EVERY_KIND = pytest.mark.parametrize("kind", cases.KINDS)
EVERY_PARAMETER = pytest.mark.parametrize("parameter", flow_module.PARAMETERS)


def problem(kind="tokens", cell="tanh", dtype="float64", full=False, **sizes):
    net = cases.make_net(kind, cell, dtype)
    return net, cases.make_batch(net, kind, masked=full, started=full, **sizes)


def assert_close_to_naive(net, batch, lags, parameter, rtol):
    flow = rnn.itemize(net, **batch, lags=lags, parameter=parameter, shares=True)
    want = naive.itemize(net, **batch, lags=lags, parameter=parameter)
    size = 1 + want.norm.sum(axis=1).max()
    np.testing.assert_allclose(flow.norm, want.norm, rtol=rtol, atol=rtol * size)
    np.testing.assert_allclose(flow.beyond, want.beyond, rtol=rtol, atol=rtol * size)
    size *= 1 + np.sqrt(want.total)
    np.testing.assert_allclose(flow.share, want.share, rtol=rtol, atol=rtol * size)
    np.testing.assert_allclose(flow.share_beyond, want.share_beyond, rtol=rtol, atol=rtol * size)
    assert flow.total == pytest.approx(want.total, rel=rtol, abs=rtol)
    np.testing.assert_allclose(flow.loss, naive.forward(net, **batch).loss, rtol=rtol, atol=rtol)


# --- naive twins


@EVERY_CELL
@EVERY_KIND
@EVERY_PARAMETER
@pytest.mark.parametrize("full", [False, True], ids=["plain", "mask+state"])
def test_against_explicit_matrices(kind, cell, parameter, full):
    for lags in (1, 3, 7):
        assert_close_to_naive(*problem(kind, cell, full=full), lags, parameter, rtol=1e-12)


@cases.EVERY_WAY
@EVERY_CELL
def test_float32_against_explicit_matrices(cell, way):
    with cases.path(way):
        assert_close_to_naive(*problem("tokens", cell, "float32", full=True), 4, "weight_hh_l0", rtol=2e-5)


@given(cases.problems(), st.integers(1, 6), st.sampled_from(flow_module.PARAMETERS), st.sampled_from(cases.WAYS))
@cases.FEW
def test_any_shape_against_explicit_matrices(problem, lags, parameter, way):
    net, batch = problem
    lags = min(lags, len(batch["y"]))
    exact = net.dtype == np.float64
    with cases.path(way):
        assert_close_to_naive(net, batch, lags, parameter, rtol=1e-11 if exact else 1e-4)
        if exact:
            horizon = rnn.itemize(net, **batch, lags=lags).horizon(0.9)
            np.testing.assert_array_equal(horizon, naive.horizon(net, **batch, lags=lags, fraction=0.9))


@EVERY_KIND
def test_whole_and_remainder_against_naive(kind):
    net, batch = problem(kind, full=True)
    flow = rnn.itemize(net, **batch, lags=4)
    d = naive.errors(naive.forward(net, **batch))  # (T, T, B, H): [t, s]
    np.testing.assert_allclose(flow.whole, np.linalg.norm(d.sum(axis=0), axis=-1), rtol=1e-12, atol=1e-14)
    for k in range(4):
        for s in range(7):
            want = np.linalg.norm(d[s + k + 1 :, s].sum(axis=0), axis=-1)
            np.testing.assert_allclose(flow.remainder[s, k], want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("shares", [False, True])
def test_loops_and_whole_array_operations_agree(shares):
    net, batch = problem(full=True)
    with cases.path("loop"):
        loop = rnn.itemize(net, **batch, lags=4, shares=shares)
    with cases.whole_arrays():
        arrays = rnn.itemize(net, **batch, lags=4, shares=shares)
    for name in ("norm", "beyond", "whole", "remainder", *(["share", "share_beyond"] if shares else [])):
        np.testing.assert_allclose(getattr(loop, name), getattr(arrays, name), rtol=1e-12, atol=1e-14, err_msg=name)
    np.testing.assert_array_equal(loop.horizon(), arrays.horizon())


# --- identities with BPTT


@EVERY_CELL
@EVERY_KIND
@EVERY_PARAMETER
def test_explicit_cells_sum_to_bptt_s_gradient(kind, cell, parameter):
    net, batch = problem(kind, cell, full=True)
    gradient = rnn.bptt(net, **batch)[1][parameter]
    summed = naive.cells(naive.forward(net, **batch), parameter).sum(axis=(0, 1, 2))
    assert np.linalg.norm(summed - gradient) <= 1e-12 * np.linalg.norm(gradient)


@EVERY_CELL
@EVERY_KIND
@EVERY_PARAMETER
@pytest.mark.parametrize("lags", [1, 4, None])
def test_shares_sum_to_the_squared_norm_of_the_gradient(kind, cell, parameter, lags):
    net, batch = problem(kind, cell, full=True)
    flow = rnn.itemize(net, **batch, lags=lags, parameter=parameter, shares=True)
    gradient = rnn.bptt(net, **batch)[1][parameter]
    assert flow.total == pytest.approx((gradient**2).sum(), rel=1e-13)
    assert flow.share.sum() + flow.share_beyond.sum() == pytest.approx(flow.total, rel=1e-12)


@EVERY_PARAMETER
@pytest.mark.parametrize("kind", ["tokens", "floats"])
def test_a_cell_is_what_bptt_gives_when_all_other_losses_are_masked(kind, parameter):
    """No oracle: with one loss left, BPTT's error at step s is that of the one cell (s, t - s)."""
    net, batch = problem(kind)
    full = rnn.itemize(net, **batch, lags=None, parameter=parameter)
    for t in range(7):
        mask = np.zeros((7, 2))
        mask[t] = 1
        alone = rnn.itemize(net, **{**batch, "mask": mask}, lags=None, parameter=parameter)
        for s in range(t + 1):
            np.testing.assert_allclose(full.norm[s, t - s], alone.norm[s, t - s], rtol=1e-12)
            np.testing.assert_allclose(alone.norm[s].sum(axis=0), alone.norm[s, t - s], rtol=0)
            if parameter == "bias_hh_l0":
                np.testing.assert_allclose(alone.whole[s], full.norm[s, t - s], rtol=1e-12)


def test_norm_of_one_step_is_the_norm_of_its_gradient():
    net, batch = problem("floats", full=True, T=1, B=1)
    batch["mask"] = None
    grads = rnn.bptt(net, **batch)[1]
    for parameter in flow_module.PARAMETERS:
        flow = rnn.itemize(net, **batch, lags=1, parameter=parameter, shares=True)
        assert flow.norm.item() == pytest.approx(np.linalg.norm(grads[parameter]), rel=1e-13)
        assert flow.share.item() == pytest.approx(flow.total, rel=1e-13)


def test_beyond_and_kept_lags_bound_each_other():
    """More lags change no cell; what they add is missing from `beyond` (triangle inequality)."""
    net, batch = problem(full=True)
    few, many = rnn.itemize(net, **batch, lags=2), rnn.itemize(net, **batch, lags=5)
    np.testing.assert_array_equal(few.norm, many.norm[:, :2])
    assert (few.beyond <= many.beyond + many.norm[:, 2:].sum(axis=1) + 1e-14).all()
    assert (few.beyond > many.beyond).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("lags", range(1, 8))
def test_beyond_is_exactly_zero_where_no_later_loss_exists(lags, dtype):
    net = cases.make_net(dtype=dtype)
    flow = rnn.itemize(net, **cases.make_batch(net, started=True), lags=lags, shares=True)
    edge = 7 - lags
    assert not flow.beyond[edge:].any()
    assert not flow.share_beyond[edge:].any()
    assert flow.beyond[:edge].all()
    assert flow.share_beyond[:edge].all()
    assert not flow.norm[~flow.valid].any()
    assert not flow.share[~flow.valid].any()
    assert not flow.remainder[:, -1][edge:].any()


def test_first_step_without_state_adds_nothing_to_the_recurrent_matrix():
    net, batch = problem()
    flow = rnn.itemize(net, **batch, lags=3)
    assert not flow.norm[0].any()
    assert not flow.beyond[0].any()
    assert flow.norm[1].all()
    assert rnn.itemize(net, **batch, lags=3, parameter="bias_hh_l0").norm[0].all()


def test_masked_losses_move_nothing():
    net, batch = problem(full=True)
    flow = rnn.itemize(net, **batch, lags=None)
    masked = batch["mask"] == 0
    assert masked.any()
    for t, b in np.argwhere(masked):
        assert not any(flow.norm[t - k, k, b] for k in range(t + 1))


def test_tokens_are_one_hot_vectors():
    net, batch = problem(full=True)
    onehot = {**batch, "x": np.eye(net.inputs)[batch["x"]]}
    for parameter in flow_module.PARAMETERS:
        options = {"lags": 3, "parameter": parameter, "shares": True}
        tokens, floats = rnn.itemize(net, **batch, **options), rnn.itemize(net, **onehot, **options)
        for name in ("norm", "beyond", "share", "share_beyond"):
            np.testing.assert_allclose(getattr(tokens, name), getattr(floats, name), rtol=1e-11, atol=1e-13)


# --- what comes back


def test_fields_have_their_shapes_and_types():
    net, batch = problem(dtype="float32")
    flow = rnn.itemize(net, **batch, lags=3, shares=True)
    T, K, B = 7, 3, 2
    for name, shape in {
        "norm": (T, K, B),
        "share": (T, K, B),
        "remainder": (T, K, B),
        "beyond": (T, B),
        "share_beyond": (T, B),
        "whole": (T, B),
        "loss": (T, B),
        "kept": (T, K, B),
    }.items():
        assert getattr(flow, name).shape == shape, name
    assert flow.norm.dtype == flow.beyond.dtype == flow.share.dtype == np.float64
    assert flow.horizon().shape == (T, B)
    assert flow.horizon().dtype.kind == "i"
    assert flow.parameter == "weight_hh_l0"
    np.testing.assert_array_equal(flow.lags, [0, 1, 2])
    want = [[s + k < T for k in range(K)] for s in range(T)]
    np.testing.assert_array_equal(flow.valid, want)
    np.testing.assert_array_equal(flow.kept, np.repeat(np.array(want)[:, :, None], B, axis=2))


def test_without_shares_there_are_none():
    net, batch = problem()
    plain, shared = rnn.itemize(net, **batch, lags=3), rnn.itemize(net, **batch, lags=3, shares=True)
    assert plain.share is plain.share_beyond is plain.total is None
    np.testing.assert_array_equal(plain.norm, shared.norm)
    np.testing.assert_array_equal(plain.beyond, shared.beyond)


def test_default_is_six_lags_of_the_recurrent_matrix():
    net, batch = problem()
    flow = rnn.itemize(net, **batch)
    np.testing.assert_array_equal(flow.norm, rnn.itemize(net, **batch, lags=6, parameter="weight_hh_l0").norm)
    assert flow.norm.shape == (7, 6, 2)


def test_none_is_all_lags():
    net, batch = problem()
    np.testing.assert_array_equal(rnn.itemize(net, **batch, lags=None).norm, rnn.itemize(net, **batch, lags=7).norm)
    assert rnn.itemize(net, **batch, lags=np.int64(2)).norm.shape[1] == 2


@pytest.mark.parametrize("lags", [0, -1, 8, True, 2.0, "3"])
def test_lags_outside_one_to_the_steps_are_refused(lags):
    net, batch = problem()
    with pytest.raises(ValueError, match=r"lags must be a whole number from 1 to the 7 steps .* got"):
        rnn.itemize(net, **batch, lags=lags)


@pytest.mark.parametrize("parameter", ["weight_hh_l1", "decoder.weight", "embedding.weight", None])
def test_parameters_that_cannot_be_itemized_are_refused(parameter):
    net, batch = problem("embedding")
    with pytest.raises(ValueError, match="parameter must be one of"):
        rnn.itemize(net, **batch, parameter=parameter)


@cases.EVERY_WAY
@EVERY_KIND
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_inputs_are_not_modified(kind, dtype, way):
    net, batch = problem(kind, dtype=dtype, full=True)
    batch = {name: value.astype(net.dtype) if value.dtype.kind == "f" else value for name, value in batch.items()}
    copies, weights = {name: value.copy() for name, value in batch.items()}, net.flat.copy()
    with cases.path(way):
        for parameter in flow_module.PARAMETERS:
            rnn.itemize(net, **batch, parameter=parameter, shares=True)
    np.testing.assert_array_equal(net.flat, weights)
    for name, value in batch.items():
        np.testing.assert_array_equal(value, copies[name], err_msg=name)


@EVERY_KIND
def test_arrays_that_are_not_contiguous_are_taken(kind):
    net, batch = problem(kind, full=True)
    want = rnn.itemize(net, **batch, shares=True)
    got = rnn.itemize(net, **{name: np.asfortranarray(value) for name, value in batch.items()}, shares=True)
    for name in ("norm", "beyond", "share", "share_beyond"):
        np.testing.assert_array_equal(getattr(got, name), getattr(want, name))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_seed_same_bits(dtype):
    first, again = (_itemized(dtype) for _ in range(2))
    for name in ("norm", "beyond", "share", "share_beyond", "whole", "remainder", "loss"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))


def _itemized(dtype):
    net, batch = problem(dtype=dtype, full=True)
    return rnn.itemize(net, **batch, shares=True)


def test_itemize_uses_the_gradients_it_is_given():
    """Training has them already; the shares are then taken against those."""
    net, batch = problem()
    run = unroll.forward(net, *unroll.check_batch(net, **batch))
    own, total = unroll.errors(net, run)
    doubled = {name: 2 * value for name, value in rnn.bptt(net, **batch)[1].items()}
    flow = flow_module.itemize_run(net, run, own, total, 3, shares=True, grads=doubled)
    plain = rnn.itemize(net, **batch, lags=3, shares=True)
    np.testing.assert_array_equal(flow.norm, plain.norm)
    np.testing.assert_allclose(flow.share, 2 * plain.share, rtol=1e-13)
    assert flow.total == pytest.approx(4 * plain.total, rel=1e-13)
