"""Itemizing beside PyTorch: the same numbers by autograd, a training step of the same cell, the GEMM floor, memory."""

import time
import tracemalloc
from functools import partial

import numpy as np
import peers
import pytest
import torch

from learnviews.kernels import rnn

pytestmark = pytest.mark.benchmark
SYMBOLS, BLOCKS = 96, 5
GATES = {"tanh": 1, "gru": 3, "lstm": 4}
OURS, GEMM = "itemize (norms, beyond, horizon)", "one GEMM of all rows"
SIZES = [(25, 1, 100, 6), (50, 16, 128, 6), (50, 16, 128, 50), (100, 32, 256, 6), (200, 8, 256, 200)]
IDS = ["x".join(map(str, size)) for size in SIZES]
BIG = 2**27  # numbers in the batched product's result, (losses, steps, sequences, gates * units); more is left out


def case(cell, size):
    T, B, H, K = size
    return f"itemize {cell} T={T} B={B} H={H} K={'all' if K == T else K} (PyTorch {torch.__version__})"


def problem(cell, size):
    T, B, H, _ = size
    rng = np.random.default_rng(0)
    net = rnn.RecurrentNet(cell, SYMBOLS, H, SYMBOLS, initial="uniform", rng=0)
    return net, rng.integers(0, SYMBOLS, (T, B)), rng.integers(0, SYMBOLS, (T, B))


def gemm_flops(cell, size):
    """Multiplications and additions of the K-1 products that carry all errors one lag further, of every gate."""
    T, B, H, K = size
    return sum(2 * (T - k) * B * GATES[cell] * H * H for k in range(1, K))


def peak(call):
    """The most bytes that a call has allocated at one time, its result included."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", SIZES, ids=IDS)
@pytest.mark.parametrize("cell", GATES)
def test_itemize_beside_its_peers(cell, size, benchmark, table):
    """All in turn, block by block, so that a slow moment of the machine meets all alike."""
    T, B, H, K = size
    net, x, y = problem(cell, size)
    torch_net = peers.TorchNet(net, x, y)
    errors = np.random.default_rng(0).normal(size=(T * B, GATES[cell] * H)).astype(np.float32)
    out, W = np.empty((T * B, H), np.float32), net.parameters["weight_hh_l0"]
    slow = T * min(T, K * 4) * B * H * GATES[cell] > 2e7
    ways = {n: w for n, w in peers.WAYS.items() if w is not peers.batched_vjp or T * errors.size < BIG}
    same_numbers(torch_net, rnn.itemize(net, x, y, lags=K), K, ways)
    calls = {
        OURS: (lambda: rnn.itemize(net, x, y, lags=K), 3 if slow else 20),
        "itemize, shares=True": (lambda: rnn.itemize(net, x, y, lags=K, shares=True), 3 if slow else 20),
        GEMM: (lambda: np.matmul(errors, W, out=out), 30),
        f"PyTorch {type(torch_net.rnn).__name__} training step": (torch_net.training_step, 3 if slow else 12),
    }
    calls |= {f"PyTorch, {name}": (partial(way, torch_net, K), 1 if slow else 4) for name, way in ways.items()}
    spent = {label: [] for label in calls}
    for _ in range(2 if slow else BLOCKS):
        for label, (call, rounds) in calls.items():
            call() if rounds > 1 else None
            spent[label] += [seconds(call) for _ in range(rounds)]
    medians = {label: float(np.median(values)) for label, values in spent.items()}
    for label, median in medians.items():
        table.add(case(cell, size), label, median)
    rate = 2 * errors.size * H / medians[GEMM]
    floor = gemm_flops(cell, size) / rate
    measured = f"measured / floor {medians[OURS] / floor:.2f}"
    table.note(case(cell, size), f"floor {floor * 1e3:.3f} ms at {rate / 1e9:.0f} GFLOP/s; {measured}")
    table.note(case(cell, size), f"peak memory {peak(calls[OURS][0]) / 2**20:.1f} MB, result included")
    benchmark.pedantic(calls[OURS][0], rounds=3)


def same_numbers(torch_net, flow, K, ways):
    for way in ways.values():
        norm, beyond = way(torch_net, K)
        np.testing.assert_allclose(norm.numpy(), flow.norm, rtol=2e-3, atol=1e-5 * flow.norm.max())
        np.testing.assert_allclose(beyond.numpy(), flow.beyond, rtol=2e-3, atol=1e-4 * flow.norm.max())


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
