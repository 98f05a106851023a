"""Horizon and mean lag of itemized gradients: the naive twins, and cases told by hand."""

import cases
import naive
import numpy as np
import pytest

from learnviews.kernels import rnn
from learnviews.kernels.rnn import flow as flow_module

EVERY_CELL = pytest.mark.parametrize("cell", cases.CELLS)
EVERY_KIND = pytest.mark.parametrize("kind", cases.KINDS)


def problem(full=False, **sizes):
    net = cases.make_net()
    return net, cases.make_batch(net, masked=full, started=full, **sizes)


@EVERY_CELL
@EVERY_KIND
@pytest.mark.parametrize("fraction", [0.5, 0.95, 0.999])
def test_horizon_against_naive(kind, cell, fraction):
    seen = set()
    for seed in range(4):
        net = cases.make_net(kind, cell, rng=seed)
        batch = cases.make_batch(net, kind, T=12, rng=seed, masked=seed % 2 == 1, started=True)
        for lags in (1, 4, 12):
            got = rnn.itemize(net, **batch, lags=lags).horizon(fraction)
            np.testing.assert_array_equal(got, naive.horizon(net, **batch, lags=lags, fraction=fraction))
            seen |= set(got.ravel().tolist())
    assert {-1, 1} < seen  # not within one lag, and within one


def test_horizon_is_the_same_for_every_parameter():
    net, batch = problem(full=True)
    first, *others = (rnn.itemize(net, **batch, parameter=p).horizon() for p in flow_module.PARAMETERS)
    for other in others:
        np.testing.assert_array_equal(first, other)


def test_horizon_of_the_last_step_is_its_own_loss():
    net, batch = problem()
    assert (rnn.itemize(net, **batch, lags=1).horizon(0.999)[-1] == 1).all()


def test_horizon_of_a_lone_last_loss_counts_up_to_it():
    net, batch = problem()
    batch["mask"] = np.zeros((7, 2))
    batch["mask"][-1] = 1
    want = np.repeat(np.arange(7, 0, -1)[:, None], 2, axis=1)
    np.testing.assert_array_equal(rnn.itemize(net, **batch, lags=None).horizon(), want)
    np.testing.assert_array_equal(rnn.itemize(net, **batch, lags=3).horizon(), np.where(want <= 3, want, -1))


def test_horizon_is_zero_without_any_error():
    net, batch = problem()
    batch["mask"] = np.zeros((7, 2))
    batch["mask"][3, 0] = 1
    horizon = rnn.itemize(net, **batch, lags=None).horizon()
    np.testing.assert_array_equal(horizon[:, 0], [4, 3, 2, 1, 0, 0, 0])
    assert not horizon[:, 1].any()


def test_horizon_where_errors_cancel_is_the_lag_that_cancels():
    """d_0 = -1 + 1: the error is exactly zero, but its first lag alone misses it."""
    net = rnn.RecurrentNet("relu", inputs=2, hidden=1, outputs=2, dtype="float64")
    net.flat[...] = 0
    net.parameters["weight_ih_l0"][0, 0] = net.parameters["weight_hh_l0"][0, 0] = 1  # h stays 1
    net.parameters["decoder.weight"][:, 0] = [1, -1]
    net.parameters["decoder.bias"][...] = [-1, 1]  # both logits 0
    batch = {"x": np.array([[0], [1]]), "y": np.array([[0], [1]])}
    flow = rnn.itemize(net, **batch, lags=2, parameter="bias_hh_l0")
    np.testing.assert_array_equal(flow.norm[:, :, 0], [[1, 1], [1, 0]])
    np.testing.assert_array_equal(flow.whole[:, 0], [0, 1])
    np.testing.assert_array_equal(flow.horizon(), naive.horizon(net, **batch, lags=2))


@pytest.mark.parametrize("fraction", [0, 1, -0.5, 1.5, np.nan, np.inf])
def test_fraction_out_of_range(fraction):
    net, batch = problem()
    with pytest.raises(ValueError, match="fraction must lie between 0 and 1"):
        rnn.itemize(net, **batch).horizon(fraction)


def test_horizon_grows_with_the_fraction():
    net, batch = problem(T=12)
    flow = rnn.itemize(net, **batch, lags=None)
    assert (flow.horizon(0.999) >= flow.horizon(0.5)).all()
    assert (flow.horizon(0.999) > flow.horizon(0.5)).any()


@pytest.mark.parametrize("lags", [1, 3, 7])
def test_mean_lag_against_naive(lags):
    net, batch = problem(full=True)
    flow = rnn.itemize(net, **batch, lags=lags)
    assert flow.mean_lag() == pytest.approx(naive.mean_lag(flow.norm), rel=1e-13)
    assert 0 <= flow.mean_lag() <= lags - 1


def test_mean_lag_of_a_lone_loss_is_its_lag():
    net, batch = problem()
    batch["mask"] = np.zeros((7, 2))
    batch["mask"][6] = 1
    flow = rnn.itemize(net, **batch, lags=3)  # full steps are 0 to 4; only step 4 sees loss 6
    assert flow.mean_lag() == 2


def test_mean_lags_of_many_batches_at_once():
    norm = np.random.default_rng(0).uniform(size=(2, 3, 7, 4, 2))
    norm[1, 2] = 0
    got = flow_module.mean_lag(norm)
    want = [[naive.mean_lag(batch) for batch in row] for row in norm]
    np.testing.assert_allclose(got, want, rtol=1e-13)
    assert np.isnan(got[1, 2])


def test_mean_lag_without_any_error_is_nan():
    net, batch = problem()
    assert np.isnan(rnn.itemize(net, **{**batch, "mask": np.zeros((7, 2))}).mean_lag())
