"""Every cell, depth, direction, input, head and loss against PyTorch's modules and autograd on unrolled nets."""

import itertools

import cases
import numpy as np
import pytest
import torch_rnn
from deep_nets import (
    BOTH_DIRECTIONS,
    EVERY_CELL,
    EVERY_DEPTH,
    EVERY_HEAD,
    HEADS,
    assert_itemized,
    close,
    make_batch,
    make_net,
)

from learnviews.kernels import rnn

# --- BPTT


@cases.EVERY_WAY
@EVERY_CELL
@EVERY_DEPTH
@BOTH_DIRECTIONS
@pytest.mark.parametrize("kind", cases.KINDS)
def test_loss_gradients_and_state_are_those_of_the_module(kind, both, layers, cell, way):
    net = make_net(cell, layers, both, kind)
    for head in HEADS:
        batch = make_batch(net, kind, head)
        losses, p, last = torch_rnn.run_module(net, **batch)
        losses.sum().backward()
        with cases.path(way):
            loss, grads, state = rnn.bptt(net, **batch)
        assert loss == pytest.approx(losses.sum().item(), rel=1e-12)
        assert list(grads) == list(net.parameters)
        for name, gradient in grads.items():
            close(gradient, p[name].grad.numpy() if p[name].grad is not None else 0 * gradient)
        for got, want in zip(*((state, last) if cell == "lstm" else ([state], [last])), strict=True):
            close(got, want.detach().numpy())


# --- itemized


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
