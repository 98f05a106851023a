"""Many sequences of different lengths for every head, and their flow by plain loops: one sequence at a time."""

import dataclasses

import cases
import numpy as np

from learnviews.kernels import rnn

HEADS = ("steps", "end", "numbers", "numbers at the end")


def sequences(net, kind="tokens", head="steps", lengths=(3, 7, 1, 5), rng=0, masked=False, started=False):
    """Arguments x, y, state and mask for `itemize_corpus`, as lists."""
    r = np.random.default_rng(rng)
    inputs = {"floats": lambda n: r.normal(size=(n, net.inputs))}.get(kind, lambda n: r.integers(0, net.inputs, n))
    targets = {
        "steps": lambda n: r.integers(0, net.outputs, n),
        "end": lambda n: r.integers(0, net.outputs),
        "numbers": lambda n: r.normal(size=(n, net.outputs)),
        "numbers at the end": lambda n: r.normal(size=net.outputs),
    }[head]
    at_end, N = "end" in head, len(lengths)
    mask = None
    if masked:
        mask = r.uniform(0.5, 2, N) if at_end else [r.choice([0.5, 1, 2], n) for n in lengths]
    state = tuple(r.normal(size=(len(net.strands), N, net.hidden)) for _ in range(net.cell.states))
    return {
        "x": [inputs(n) for n in lengths],
        "y": [targets(n) for n in lengths],
        "state": None if not started else state if len(state) == 2 else state[0],
        "mask": mask,
    }


def one(net, given, i):
    """Sequence i alone, as a batch for `itemize` and `bptt`."""
    y = np.asarray(given["y"][i])
    at_end = y.ndim == 0 or (y.dtype.kind == "f" and y.ndim == 1 and len(y) == net.outputs)
    state, mask = given["state"], given["mask"]
    if mask is not None:
        mask = np.asarray(mask[i]).reshape(-1, 1) if not at_end else np.asarray(mask)[i : i + 1]
    if state is not None:
        state = tuple(part[:, i : i + 1] for part in state) if isinstance(state, tuple) else state[:, i : i + 1]
    return {
        "x": np.asarray(given["x"][i])[:, None],
        "y": y[None] if at_end else y[:, None],
        "state": state,
        "mask": mask,
    }


def twin(net, given, lags=6, shares=False, **options):
    """The flow sequence by sequence: arrays of `Flow` in lists, the gradient added up in float64."""
    grads = None
    if shares:
        each = [rnn.bptt(net, **one(net, given, i))[1] for i in range(len(given["x"]))]
        grads = {name: sum(g[name].astype(np.float64) for g in each).astype(net.dtype) for name in each[0]}
    found = []
    for i, x in enumerate(given["x"]):
        K = min(lags or len(x), len(x))
        found.append(rnn.itemize(net, **one(net, given, i), lags=K, shares=shares, grads=grads, **options))
    return found


def assert_is_twin(flow, found, rtol):
    """Every array of the flow holds those of the single sequences, and nothing where they have no steps or lags."""
    for field in dataclasses.fields(rnn.Flow):
        whole = getattr(flow, field.name)
        parts = [getattr(one, field.name) for one in found]
        if field.name == "log" and whole is not None:
            parts = [one.log_norm for one in found]
        if not isinstance(whole, np.ndarray) or whole.ndim < 2:
            continue
        empty = -np.inf if field.name == "log" else 0
        biggest = max(np.abs(np.where(np.isfinite(part), part, 0)).max(initial=0) for part in parts)
        for b, (part, single) in enumerate(zip(parts, found, strict=True)):
            want = np.full(whole.shape[:1] + whole.shape[1:2] * (whole.ndim > 2) + whole.shape[3:], empty, whole.dtype)
            if whole.ndim == 2:
                want[: len(part)] = part[:, 0]
            else:
                first = 0 if field.name == "remainder" else flow.lags.tolist().index(single.lags[0])
                want[: len(part), first : first + part.shape[1]] = part[:, :, 0]
            got = whole[:, b] if whole.ndim == 2 else whole[:, :, b]
            np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * biggest + 1e-300, err_msg=field.name)


def assert_same(a, b):
    """Bit for bit."""
    for field in dataclasses.fields(a):
        one, other = getattr(a, field.name), getattr(b, field.name)
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype and one.shape == other.shape, field.name
            np.testing.assert_array_equal(one, other, err_msg=field.name)
        else:
            assert one == other, field.name


def small(cell="gru", dtype="float32", **sizes):
    """A net, and sequences that make several tiles of it."""
    net = cases.make_net("tokens", cell, dtype, **sizes)
    lengths = np.random.default_rng(5).integers(1, 30, 40)
    return net, sequences(net, lengths=lengths)
