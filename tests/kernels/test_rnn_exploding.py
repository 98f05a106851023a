"""Errors that outgrow or fall below what floats hold: norms stay right, logarithms finite, and nothing becomes Inf."""

import cases
import numpy as np
import pytest
from deep_nets import EVERY_CELL, make_batch, make_net

from learnviews.kernels import rnn


def linear_net(factor, layers=1, both=False, dtype="float32", hidden=4):
    """A relu net that multiplies its state by `factor` at each step, and never switches off."""
    net = rnn.RecurrentNet("relu", 1, hidden, 2, layers, both, dtype, rng=0)
    net.flat[...] = 0
    for strand in net.strands:
        net.parameters[f"weight_hh_{strand}"][...] = factor * np.eye(hidden)
        net.parameters[f"bias_hh_{strand}"][...] = 1e-30
        net.parameters[f"weight_ih_{strand}"][...] = np.eye(hidden, net.parameters[f"weight_ih_{strand}"].shape[1])
    net.parameters["decoder.weight"][...] = np.linspace(-1e-6, 1e-6, net.parameters["decoder.weight"].size).reshape(
        2, -1
    )
    return net


def zeros(T, B=2, end=False):
    return {"x": np.zeros((T, B, 1)), "y": np.zeros(B if end else (T, B), int)}


WAYS = pytest.mark.parametrize("path", [lambda: cases.path("loop"), cases.whole_arrays], ids=["loop", "arrays"])


@WAYS
@pytest.mark.parametrize("factor, T", [(2.0**-8, 300), (2.0**-20, 120)])
def test_vanishing_errors_have_logarithms(factor, T, path):
    net = linear_net(factor)
    with path():
        flow = rnn.itemize(net, **zeros(T), lags=None, parameter="bias_hh_l0")
    own = flow.log_norm[T // 2, 0, 0]
    want = own + np.arange(T // 2) * np.log(factor)
    np.testing.assert_allclose(flow.log_norm[T // 2, : T // 2, 0], want, rtol=1e-4)
    assert want[-1] < np.log(5e-324)
    assert np.isneginf(flow.log_norm[~flow.valid]).all()


def open_gates_net(layers=1, both=False):
    """tanh units at 0, where their slope is 1, and a recurrent matrix that doubles: states stay 0, errors explode."""
    net = rnn.RecurrentNet("tanh", 1, 4, 2, layers, both, "float32", rng=0, initial="uniform")
    for strand in net.strands:
        net.parameters[f"weight_hh_{strand}"][...] = 2 * np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0]
        for name in ("bias_ih", "bias_hh"):
            net.parameters[f"{name}_{strand}"][...] = 0
    return net


@WAYS
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("parameter", ["bias_hh_l1", "state_l0", "weight_ih_l1"])
def test_exploding_errors_have_finite_logarithms(parameter, both, path):
    net, T = open_gates_net(2, both), 200 if both else 1300
    net.parameters["weight_hh_l0"] *= 16 if both else 1
    with path():
        flow = rnn.itemize(net, **zeros(T), lags=None if not both else 30, parameter=parameter)
    for name in ("norm", "beyond", "whole", "remainder"):
        assert np.isfinite(getattr(flow, name)).all(), name
    logs = flow.log_norm
    assert not np.isnan(logs).any()
    assert not np.isposinf(logs).any()
    if not both and parameter == "bias_hh_l1":
        steps = np.diff(logs[0, :, 0])
        np.testing.assert_allclose(steps, np.log(2), rtol=1e-3)
        assert logs.max() > np.log(np.finfo(float).max)


def test_exploding_errors_of_one_loss():
    flow = rnn.itemize(open_gates_net(2, True), **zeros(1300, end=True), lags=None, parameter="bias_hh_l1")
    logs = np.array([flow.log_norm[s, 1299 - s, 0] for s in range(1300)])
    np.testing.assert_allclose(np.diff(logs), -np.log(2), rtol=1e-3)
    assert np.isfinite(flow.norm).all()


def test_what_norms_leave_is_right_where_bptt_overflows():
    net = open_gates_net()
    single = rnn.itemize(net, **zeros(200), lags=6, parameter="bias_hh_l0")
    double = rnn.itemize(net.as_type("float64"), **zeros(200), lags=6, parameter="bias_hh_l0")
    assert double.whole.max() > 1e50
    for name in ("norm", "beyond", "whole"):
        np.testing.assert_allclose(getattr(single, name), getattr(double, name), rtol=1e-3)


def test_shares_of_a_gradient_that_does_not_fit_are_refused():
    with pytest.raises(FloatingPointError, match="shares: the gradient does not fit float32"):
        rnn.itemize(open_gates_net(), **zeros(200), shares=True)
    with pytest.raises(FloatingPointError, match="error is not finite at step"):
        rnn.bptt(open_gates_net(), **zeros(200))


@pytest.mark.parametrize("size", [3e38, np.inf])
def test_shares_of_a_gradient_that_hardly_fits_are_refused_without_a_warning(size):
    net = make_net("tanh", 1, False, dtype="float32", hidden=4)
    batch = {"x": np.zeros((1, 1, net.inputs)), "y": np.zeros((1, 1), int), "state": np.ones((1, 1, 4))}
    grads = {"weight_hh_l0": np.full((4, 4), size, np.float32)}
    grads["weight_hh_l0"][1] *= -1
    with pytest.raises(FloatingPointError, match="shares: the gradient does not fit float32"):
        rnn.itemize(net, **batch, lags=1, shares=True, grads=grads)


@EVERY_CELL
@pytest.mark.parametrize("both", [False, True])
def test_long_lags_in_float32_are_those_of_float64(both, cell):
    net = make_net(cell, 2, both, dtype="float32", hidden=8)
    for strand in net.strands:
        net.parameters[f"weight_hh_{strand}"] *= 0.3
    batch = make_batch(net, T=60)
    for parameter in ("weight_hh_l0", "weight_hh_l1", "state_l1"):
        single = rnn.itemize(net, **batch, lags=None, parameter=parameter)
        double = rnn.itemize(net.as_type("float64"), **batch, lags=None, parameter=parameter)
        some = double.norm > 0
        np.testing.assert_allclose(single.log_norm[some], double.log_norm[some], atol=0.02)


@EVERY_CELL
@pytest.mark.parametrize("layers, both", [(1, False), (3, False), (2, True)])
@pytest.mark.parametrize("head", ["steps", "end"])
def test_whole_arrays_and_loops_agree(head, layers, both, cell):
    net = make_net(cell, layers, both)
    batch = make_batch(net, head=head)
    for parameter in rnn.parameters_of(net):
        options = {
            "lags": 3,
            "parameter": parameter,
            "shares": not parameter.startswith(("state", "cell")),
            "unit": "all",
        }
        loop = rnn.itemize(net, **batch, **options)
        with cases.whole_arrays():
            arrays = rnn.itemize(net, **batch, **options)
        names = [
            "norm",
            "beyond",
            "whole",
            "remainder",
            "units",
            *(["share", "unit_share"] if options["shares"] else []),
        ]
        for name in names:
            np.testing.assert_allclose(getattr(loop, name), getattr(arrays, name), rtol=1e-11, atol=1e-13, err_msg=name)
    if head == "steps":
        want = rnn.connectivity(net, **batch)
        with cases.whole_arrays():
            got = rnn.connectivity(net, **batch)
        np.testing.assert_allclose(got.norm, want.norm, rtol=1e-11, atol=1e-14)
    loss, grads, _ = rnn.bptt(net, **batch)
    with cases.whole_arrays():
        other, same, _ = rnn.bptt(net, **batch)
    assert other == pytest.approx(loss, rel=1e-13)
    for name in grads:
        np.testing.assert_allclose(same[name], grads[name], rtol=1e-11, atol=1e-13)
