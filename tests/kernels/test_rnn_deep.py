"""Every cell, depth, direction, input, head and loss against PyTorch's modules and autograd on unrolled nets."""

import itertools

import cases
import numpy as np
import pytest
import torch_rnn

from learnviews.kernels import rnn

CELLS = ("tanh", "relu", "gru", "lstm")
HEADS = ("steps", "end", "numbers", "numbers at the end")
EVERY_CELL = pytest.mark.parametrize("cell", CELLS)
EVERY_DEPTH = pytest.mark.parametrize("layers", [1, 2, 3])
BOTH_DIRECTIONS = pytest.mark.parametrize("both", [False, True], ids=["forward", "bidirectional"])
EVERY_HEAD = pytest.mark.parametrize("head", HEADS)
BOTH_PATHS = pytest.mark.parametrize("compiled", [True, False], ids=["loop", "matmul"])
T, B = 6, 2


def make_net(cell, layers=1, both=False, kind="floats", dtype="float64", **sizes):
    net = cases.make_net(kind, cell, dtype, layers=layers, bidirectional=both, **sizes)
    return net


def make_batch(net, kind="floats", head="steps", started=True, T=T, B=B, rng=3):
    r = np.random.default_rng(rng)
    x = r.normal(size=(T, B, net.inputs)) if kind == "floats" else r.integers(0, net.inputs, (T, B))
    y = {
        "steps": r.integers(0, net.outputs, (T, B)),
        "end": r.integers(0, net.outputs, B),
        "numbers": r.normal(size=(T, B, net.outputs)),
        "numbers at the end": r.normal(size=(B, net.outputs)),
    }[head]
    state = tuple(r.normal(size=(len(net.strands), B, net.hidden)) for _ in range(net.cell.states))
    return {"x": x, "y": y, "state": None if not started else state if len(state) == 2 else state[0]}


def close(got, want, rtol=1e-9):
    want = np.asarray(want)
    size = abs(want).max(initial=0)
    np.testing.assert_allclose(got, want, rtol=rtol, atol=1e-12 * size)


# --- BPTT


@BOTH_PATHS
@EVERY_CELL
@EVERY_DEPTH
@BOTH_DIRECTIONS
@pytest.mark.parametrize("kind", cases.KINDS)
def test_loss_gradients_and_state_are_those_of_the_module(kind, both, layers, cell, compiled):
    net = make_net(cell, layers, both, kind)
    for head in HEADS:
        batch = make_batch(net, kind, head)
        losses, p, last = torch_rnn.run_module(net, **batch)
        losses.sum().backward()
        with cases.path(compiled):
            loss, grads, state = rnn.bptt(net, **batch)
        assert loss == pytest.approx(losses.sum().item(), rel=1e-12)
        assert list(grads) == list(net.parameters)
        for name, gradient in grads.items():
            close(gradient, p[name].grad.numpy() if p[name].grad is not None else 0 * gradient)
        for got, want in zip(*((state, last) if cell == "lstm" else ([state], [last])), strict=True):
            close(got, want.detach().numpy())


# --- itemized


def assert_itemized(net, batch, witness, parameter, lags=4, gate=None, unit=None):
    shares = not parameter.startswith(("state", "cell"))
    options = {"lags": lags, "parameter": parameter, "gate": gate, "unit": unit, "shares": shares}
    flow = rnn.itemize(net, **batch, **options)
    reverse = parameter.endswith("reverse")
    want = torch_rnn.itemized(witness.cells(parameter, gate, unit), flow.lags, batch_at_end(batch), reverse)
    close(flow.norm, want["norm"])
    np.testing.assert_allclose(flow.beyond, want["beyond"], rtol=1e-9, atol=1e-13 * (1 + want["norm"].sum()))
    if shares:
        assert flow.total == pytest.approx(want["total"], rel=1e-9, abs=1e-280)
        close(flow.share, want["share"])
        np.testing.assert_allclose(flow.share_beyond, want["share_beyond"], rtol=1e-9, atol=1e-12 * (1 + want["total"]))
        assert flow.share.sum() + flow.share_beyond.sum() == pytest.approx(flow.total, rel=1e-9, abs=1e-13)
    return flow


def batch_at_end(batch):
    return batch["y"].ndim == (2 if batch["y"].dtype.kind == "f" else 1)


@EVERY_CELL
@EVERY_DEPTH
@BOTH_DIRECTIONS
@EVERY_HEAD
def test_norms_shares_and_states_are_those_of_autograd(head, both, layers, cell):
    net = make_net(cell, layers, both)
    batch = make_batch(net, head=head)
    witness = torch_rnn.Unrolled(net, **batch)
    for parameter in rnn.parameters_of(net):
        assert_itemized(net, batch, witness, parameter)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("layers, both", [(1, False), (2, False), (2, True)])
def test_gates_and_units_are_those_of_autograd(cell, layers, both):
    net = make_net(cell, layers, both)
    batch = make_batch(net)
    witness = torch_rnn.Unrolled(net, **batch)
    parameters = [name for name in rnn.parameters_of(net) if name.startswith(("weight", "bias"))]
    for parameter, gate in itertools.product(parameters, net.cell.gate_names):
        assert_itemized(net, batch, witness, parameter, gate=gate)
        assert_itemized(net, batch, witness, parameter, gate=gate, unit=2)


@EVERY_CELL
@pytest.mark.parametrize("kind", cases.KINDS)
@pytest.mark.parametrize("lags", [1, None])
def test_every_kind_of_input_and_any_lags(kind, cell, lags):
    net = make_net(cell, 2, kind=kind)
    batch = make_batch(net, kind)
    witness = torch_rnn.Unrolled(net, **batch)
    for parameter in rnn.parameters_of(net):
        assert_itemized(net, batch, witness, parameter, lags=lags)


# --- connectivity


@EVERY_CELL
@EVERY_DEPTH
@BOTH_DIRECTIONS
@pytest.mark.parametrize("kind", cases.KINDS)
def test_connectivity_is_that_of_autograd(kind, both, layers, cell):
    net = make_net(cell, layers, both, kind)
    batch = make_batch(net, kind)
    at_target = batch["y"][..., None]

    def seed(scores):
        return torch_rnn.torch.take_along_dim(scores, torch_rnn.torch.from_numpy(at_target), 2)[..., 0]

    witness = torch_rnn.Unrolled(net, **batch, seed=seed)
    for lags in (None, 3):
        flow = rnn.connectivity(net, **batch, lags=lags)
        want = torch_rnn.itemized(witness.errors["x"], flow.lags, False, False)
        close(flow.norm, want["norm"])
        np.testing.assert_allclose(flow.beyond, want["beyond"], rtol=1e-9, atol=1e-13 * (1 + want["norm"].sum()))
