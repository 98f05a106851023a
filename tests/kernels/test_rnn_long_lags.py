"""Lags so long that float32 itself would vanish or overflow, against the same net in float64."""

import cases
import numpy as np
import pytest

from learnviews.kernels import rnn
from learnviews.kernels.rnn import flow as flow_module

EVERY_PARAMETER = pytest.mark.parametrize("parameter", flow_module.PARAMETERS)


def long_problem(scale, T=200, silent=False):
    """A float32 net whose recurrent matrix is `scale` times an orthogonal one; silent: h stays 0 and all slopes 1."""
    r = np.random.default_rng(8)
    net = cases.make_net(dtype="float32", hidden=8)
    net.parameters["weight_hh_l0"][...] = scale * np.linalg.qr(r.normal(size=(8, 8)))[0]
    for name in ("weight_ih_l0", "bias_ih_l0", "bias_hh_l0"):
        net.parameters[name] *= 0 if silent else 0.2
    return net, cases.make_batch(net, T=T, B=2)


def single_and_double(net, batch, **options):
    return rnn.itemize(net, **batch, **options), rnn.itemize(net.as_type("float64"), **batch, **options)


@cases.EVERY_WAY
@EVERY_PARAMETER
def test_vanishing_errors_keep_their_size_in_float32(parameter, way):
    net, batch = long_problem(0.45)
    with cases.path(way):
        single, double = single_and_double(net, batch, lags=None, parameter=parameter)
    cells = double.norm[double.valid & (np.arange(200) > 0)[:, None]]  # step 0 has no state behind it
    assert 1e-90 < cells.min() < 1e-65
    np.testing.assert_allclose(single.norm, double.norm, rtol=1e-3)


@cases.EVERY_WAY
def test_exploding_errors_keep_their_size_in_float32(way):
    net, batch = long_problem(1.5, silent=True)
    with cases.path(way):
        single, double = single_and_double(net, batch, lags=None, parameter="bias_hh_l0")
    assert 1e34 < double.norm.max() < 1e38
    np.testing.assert_allclose(single.norm, double.norm, rtol=1e-3)


def test_whole_array_operations_keep_vanishing_errors_too():
    net, batch = long_problem(0.45)
    with cases.whole_arrays():
        single, double = single_and_double(net, batch, lags=None)
    np.testing.assert_allclose(single.norm, double.norm, rtol=1e-3)


def test_shares_of_vanishing_errors():
    net, batch = long_problem(0.45)
    single, double = single_and_double(net, batch, lags=None, shares=True)
    assert (abs(single.share - double.share) <= 1e-3 * double.norm * np.sqrt(double.total)).all()
    assert single.share[150, :50].all()
    assert single.share.sum() + single.share_beyond.sum() == pytest.approx(single.total, rel=1e-5)


def last_loss_only(scale, **options):
    """One loss, 80 steps after the first: float32 holds the errors (1e-34), but not their squares."""
    net, batch = long_problem(scale, T=80, silent=True)
    batch["mask"] = np.zeros((80, 2))
    batch["mask"][-1] = 1
    return single_and_double(net, batch, parameter="bias_hh_l0", **options)


@pytest.mark.parametrize("scale", [0.4, 2.0])
def test_whole_and_beyond_where_squares_do_not_fit_float32(scale):
    single, double = last_loss_only(scale, lags=6)
    assert np.log10(double.whole).min() < -30 or np.log10(double.whole).max() > 20
    np.testing.assert_allclose(single.whole, double.whole, rtol=1e-3)
    np.testing.assert_allclose(single.beyond, double.beyond, rtol=1e-3)


@pytest.mark.parametrize("scale", [0.4, 2.0])
def test_horizon_where_squares_do_not_fit_float32(scale):
    single, double = last_loss_only(scale, lags=None)
    np.testing.assert_array_equal(double.horizon()[:, 0], np.arange(80, 0, -1))
    np.testing.assert_array_equal(single.horizon(), double.horizon())


def test_shares_beyond_where_products_do_not_fit_float32():
    net, batch = long_problem(2.0, T=80, silent=True)
    single, double = single_and_double(net, batch, lags=6, parameter="bias_hh_l0", shares=True)
    assert double.total > 1e40
    np.testing.assert_allclose(single.share_beyond, double.share_beyond, atol=1e-5 * double.total)
    assert single.share.sum() + single.share_beyond.sum() == pytest.approx(double.total, rel=1e-4)
