"""Itemizing beside PyTorch: the same numbers by autograd, a training step of nn.RNN, and the GEMM floor."""

import time
from functools import partial

import numpy as np
import peers
import pytest
import torch

from learnviews.kernels import rnn

pytestmark = pytest.mark.benchmark
SYMBOLS, BLOCKS = 96, 5
OURS, GEMM = "itemize (norms, beyond, horizon)", "one GEMM of all rows"
SIZES = [(25, 1, 100, 6), (50, 16, 128, 6), (100, 32, 256, 6), (200, 8, 256, 200)]
IDS = ["x".join(map(str, size)) for size in SIZES]


def case(size):
    T, B, H, K = size
    return f"itemize T={T} B={B} H={H} K={'all' if K == T else K} (PyTorch {torch.__version__})"


def problem(size):
    T, B, H, _ = size
    rng = np.random.default_rng(0)
    net = rnn.RecurrentNet("tanh", SYMBOLS, H, SYMBOLS, initial="uniform", rng=0)
    return net, rng.integers(0, SYMBOLS, (T, B)), rng.integers(0, SYMBOLS, (T, B))


def gemm_flops(size):
    """Multiplications and additions of the K-1 products that carry all errors one lag further."""
    T, B, H, K = size
    return sum(2 * (T - k) * B * H * H for k in range(1, K))


@pytest.mark.parametrize("size", SIZES, ids=IDS)
def test_itemize_beside_its_peers(benchmark, table, size):
    """All in turn, block by block, so that a slow moment of the machine meets all alike."""
    T, B, H, K = size
    net, x, y = problem(size)
    torch_net = peers.TorchNet(net, x, y)
    errors = np.random.default_rng(0).normal(size=(T * B, H)).astype(np.float32)
    out, W = np.empty_like(errors), net.parameters["weight_hh_l0"]
    same_numbers(torch_net, rnn.itemize(net, x, y, lags=K), K)
    slow = T * T * B * H > 1e8
    calls = {
        OURS: (lambda: rnn.itemize(net, x, y, lags=K), 6 if slow else 20),
        "itemize, shares=True": (lambda: rnn.itemize(net, x, y, lags=K, shares=True), 6 if slow else 20),
        GEMM: (lambda: np.matmul(errors, W, out=out), 30),
        "PyTorch nn.RNN training step": (torch_net.training_step, 12),
    }
    calls |= {f"PyTorch, {name}": (partial(way, torch_net, K), 1 if slow else 4) for name, way in peers.WAYS.items()}
    spent = {label: [] for label in calls}
    for _ in range(BLOCKS):
        for label, (call, rounds) in calls.items():
            call()
            spent[label] += [seconds(call) for _ in range(rounds)]
    medians = {label: float(np.median(values)) for label, values in spent.items()}
    for label, median in medians.items():
        table.add(case(size), label, median)
    rate = 2 * T * B * H * H / medians[GEMM]
    floor = gemm_flops(size) / rate
    measured = f"measured / floor {medians[OURS] / floor:.2f}"
    table.note(case(size), f"floor {floor * 1e3:.3f} ms at {rate / 1e9:.0f} GFLOP/s; {measured}")
    benchmark.pedantic(calls[OURS][0], rounds=10)


def same_numbers(torch_net, flow, K):
    for way in peers.WAYS.values():
        norm, beyond = way(torch_net, K)
        np.testing.assert_allclose(norm.numpy(), flow.norm, rtol=2e-3, atol=1e-5 * flow.norm.max())
        np.testing.assert_allclose(beyond.numpy(), flow.beyond, rtol=2e-3, atol=1e-4 * flow.norm.max())


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
