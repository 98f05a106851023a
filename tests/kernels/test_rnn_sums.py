"""Gradients per lag and norms of sums over sequences, against explicit matrices by autograd."""

import cases
import deep_nets
import numpy as np
import pytest
import torch_rnn

from learnviews.kernels import rnn

SETTINGS = [
    (1, False, "weight_hh_l0"), (1, False, "weight_ih_l0"), (2, False, "weight_ih_l0"), (2, False, "bias_hh_l0"),
    (1, True, "weight_hh_l0_reverse"), (2, True, "weight_ih_l1_reverse"), (2, True, "weight_hh_l0"),
    (2, True, "weight_hh_l0_reverse"),
]  # fmt: skip


def cells_by_lag(net, batch, flow, parameter, gate=None, unit=None):
    """(T, K, B, R, I): every G_{s+lag,s} that there is, with zero rows left out where a gate or unit was chosen."""
    G = torch_rnn.Unrolled(net, **batch).cells(parameter, gate, unit)
    T, B = G.shape[1:3]
    out = np.zeros((T, len(flow.lags), B, *G.shape[3:]))
    end = deep_nets.batch_at_end(batch)
    for s in range(T):
        for j, lag in enumerate(flow.lags):
            t = s + lag
            if end and t == (0 if parameter.endswith("reverse") else T - 1):
                out[s, j] = G[0, s]
            elif not end and 0 <= t < T:
                out[s, j] = G[t, s]
    rows = np.ones(G.shape[3], bool).reshape(-1, net.hidden)
    if gate is not None:
        rows[np.array(net.cell.gate_names) != gate] = False
    if unit is not None:
        rows[:, np.arange(net.hidden) != unit] = False
    return out[:, :, :, rows.ravel()], G.sum(axis=(0, 1, 2))[rows.ravel()]


def assert_sums(net, batch, parameter, lags=4, gate=None, unit=None, **options):
    options |= {"lags": lags, "parameter": parameter, "gate": gate, "unit": unit}
    flow = rnn.itemize(net, **batch, **options, matrices=True, batch_norms=True)
    cells, whole = cells_by_lag(net, batch, flow, parameter, gate, unit)
    found = flow.lag_matrices()
    deep_nets.close(found.matrix, cells.sum(axis=(0, 2)))
    deep_nets.close(found.whole, whole)
    want = np.linalg.norm(cells.sum(axis=2).reshape(*cells.shape[:2], -1), axis=2)
    np.testing.assert_allclose(flow.batch_norm, want, rtol=1e-7, atol=1e-9 * want.max(initial=0))
    plain = rnn.itemize(net, **batch, **options)
    np.testing.assert_allclose(flow.norm, plain.norm, rtol=1e-12, atol=1e-14 * plain.norm.max())
    return flow, found


@deep_nets.EVERY_CELL
@pytest.mark.parametrize("layers, both, parameter", SETTINGS)
def test_against_autograd(layers, both, parameter, cell):
    net = deep_nets.make_net(cell, layers, both)
    assert_sums(net, deep_nets.make_batch(net, B=3), parameter)


@deep_nets.EVERY_CELL
@pytest.mark.parametrize("head", deep_nets.HEADS)
@pytest.mark.parametrize("parameter", ["weight_hh_l0", "weight_ih_l1"])
def test_every_head(parameter, head, cell):
    net = deep_nets.make_net(cell, 2)
    assert_sums(net, deep_nets.make_batch(net, head=head), parameter, lags=6)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("parameter", ["weight_hh_l0", "weight_ih_l0", "bias_hh_l0", "bias_ih_l0"])
def test_a_gate_and_a_unit(parameter, cell):
    net = deep_nets.make_net(cell)
    batch = deep_nets.make_batch(net)
    for gate in net.cell.gate_names:
        assert_sums(net, batch, parameter, gate=gate)
    assert_sums(net, batch, parameter, unit=2)
    assert_sums(net, batch, parameter, unit=1, gate=net.cell.gate_names[1])


@pytest.mark.parametrize("kind", cases.KINDS)
@pytest.mark.parametrize("B", [1, 2, 9])
def test_few_and_many_sequences_of_any_input(B, kind):
    """Gram matrices where there are fewer sequences than columns, sums where there are more."""
    net = deep_nets.make_net("gru", kind=kind)
    for parameter in ("weight_hh_l0", "weight_ih_l0"):
        assert_sums(net, deep_nets.make_batch(net, kind, B=B), parameter)


def test_masks_and_whole_array_operations():
    net = deep_nets.make_net("lstm", 2)
    batch = deep_nets.make_batch(net, B=3)
    batch["mask"] = np.random.default_rng(0).choice([0, 0.5, 1], (deep_nets.T, 3))
    assert_sums(net, batch, "weight_hh_l0")
    with cases.whole_arrays():
        assert_sums(net, batch, "weight_hh_l0")


def test_with_a_tolerance_dropped_chains_are_left_out():
    net = deep_nets.make_net("tanh")
    net.flat *= 0.6
    batch = deep_nets.make_batch(net, T=40)
    flow = rnn.itemize(net, **batch, lags=None, tol=0.01, matrices=True)
    G = torch_rnn.Unrolled(net, **batch).cells("weight_hh_l0")
    want = [sum(G[s + k, s, b] for s in range(40 - k) for b in range(2) if flow.kept[s, k, b]) for k in range(12)]
    deep_nets.close(flow.lag_matrices().matrix[:12], np.array([m if np.ndim(m) else 0 * G[0, 0, 0] for m in want]))


def test_norms_and_cosines():
    net = deep_nets.make_net("gru")
    _, found = assert_sums(net, deep_nets.make_batch(net), "weight_hh_l0", lags=6)
    rows = found.matrix.reshape(6, -1)
    np.testing.assert_allclose(found.norm, np.linalg.norm(rows, axis=1), rtol=1e-12)
    whole = found.whole.ravel()
    cosine = [row @ whole / np.linalg.norm(row) / np.linalg.norm(whole) for row in rows]
    np.testing.assert_allclose(found.cosine, cosine, rtol=1e-10)
    np.testing.assert_allclose(np.diag(found.between), 1, rtol=1e-12)
    np.testing.assert_allclose(found.between[1, 4], rows[1] @ rows[4] / np.prod(found.norm[[1, 4]]), rtol=1e-10)
    left = [np.linalg.norm(whole - rows[: k + 1].sum(axis=0)) / np.linalg.norm(whole) for k in range(6)]
    np.testing.assert_allclose(found.remainder, left, rtol=1e-9, atol=1e-14)
    for error in (0.01, 0.2, 0.5):
        least = found.smallest_lags(error)
        assert (found.remainder[least - 1 :] <= error).all()
        assert least == 1 or found.remainder[least - 2] > error


def test_smallest_lags_of_every_step():
    net = deep_nets.make_net("tanh")
    net.flat *= 0.6
    batch = deep_nets.make_batch(net, T=20)
    flow = rnn.itemize(net, **batch, lags=None)
    for error in (0.3, 0.05, 0.001):
        least = flow.smallest_lags(error)
        assert least == flow.horizon(1 - error).max()
        few = rnn.itemize(net, **batch, lags=least)
        assert (few.remainder[:, -1] <= error * few.whole).all()
        assert least == 1 or rnn.itemize(net, **batch, lags=least - 1).smallest_lags(error) == -1


def test_what_cannot_be_summed():
    net = deep_nets.make_net("lstm")
    batch = deep_nets.make_batch(net)
    with pytest.raises(ValueError, match="state_l0 is no parameter"):
        rnn.itemize(net, **batch, parameter="state", matrices=True)
    with pytest.raises(ValueError, match="itemize with matrices=True"):
        rnn.itemize(net, **batch).lag_matrices()
    with pytest.raises(ValueError, match="leave out tol"):
        rnn.itemize(net, **batch, tol=0.1, batch_norms=True)
    for of in (rnn.itemize(net, **batch, matrices=True).lag_matrices(), rnn.itemize(net, **batch)):
        with pytest.raises(ValueError, match="error must lie between 0 and 1"):
            of.smallest_lags(1.5)


def test_errors_that_vanish_and_explode_in_float32():
    net = cases.make_net(dtype="float32", hidden=8)
    for scale in (0.3, 2.0):
        net.parameters["weight_hh_l0"][...] = scale * np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))[0]
        for name in ("weight_ih_l0", "bias_ih_l0", "bias_hh_l0"):
            net.parameters[name][...] = 0
        batch = cases.make_batch(net, T=90, B=2)
        options = {"lags": None, "parameter": "bias_ih_l0", "matrices": True, "batch_norms": True}
        single, double = (rnn.itemize(each, **batch, **options) for each in (net, net.as_type("float64")))
        valid = double.valid
        np.testing.assert_allclose(single.batch_norm[valid], double.batch_norm[valid], rtol=1e-3)
