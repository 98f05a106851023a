"""Nets of every cell, depth and direction, batches for every head, and the check of a flow against autograd."""

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
