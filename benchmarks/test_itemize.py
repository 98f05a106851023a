"""Itemizing beside PyTorch: the same numbers by autograd, a training step of nn.RNN, and the GEMM floor."""

import numpy as np
import peers
import pytest
import torch

from learnviews.kernels import rnn

pytestmark = pytest.mark.benchmark
SYMBOLS = 96
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
class TestItemize:
    def test_ours(self, measure, size):
        net, x, y = problem(size)
        measure(case(size), "itemize (norms, beyond, horizon)", lambda: rnn.itemize(net, x, y, lags=size[3]), 60)

    def test_ours_with_shares(self, measure, size):
        net, x, y = problem(size)
        measure(case(size), "itemize, shares=True", lambda: rnn.itemize(net, x, y, lags=size[3], shares=True), 60)

    def test_gemm_floor(self, measure, table, size):
        T, B, H, _ = size
        net, _, _ = problem(size)
        errors = np.random.default_rng(0).normal(size=(T * B, H)).astype(np.float32)
        out = np.empty_like(errors)
        seconds = measure(
            case(size), "one GEMM of all rows", lambda: np.matmul(errors, net.parameters["weight_hh_l0"], out=out), 200
        )
        rate = 2 * T * B * H * H / seconds
        floor = gemm_flops(size) / rate
        ours = table.medians[case(size)]["itemize (norms, beyond, horizon)"]
        table.note(
            case(size), f"floor {floor * 1e3:.3f} ms ({rate / 1e9:.0f} GFLOP/s); measured / floor {ours / floor:.2f}"
        )

    def test_training_step(self, measure, size):
        net = peers.TorchNet(*problem(size))
        measure(case(size), "PyTorch nn.RNN training step", net.training_step, 40)

    @pytest.mark.parametrize("way", peers.WAYS)
    def test_autograd(self, measure, table, size, way):
        net, x, y = problem(size)
        torch_net, flow = peers.TorchNet(net, x, y), rnn.itemize(net, x, y, lags=size[3])
        norm, beyond = peers.WAYS[way](torch_net, size[3])
        np.testing.assert_allclose(norm.numpy(), flow.norm, rtol=2e-3, atol=1e-5 * flow.norm.max())
        np.testing.assert_allclose(beyond.numpy(), flow.beyond, rtol=2e-3, atol=1e-4 * flow.norm.max())
        work = size[0] * size[0] * size[1] * size[2]
        rounds = 30 if work < 1e6 else 8 if work < 1e8 else 3
        seconds = measure(case(size), f"PyTorch, {way}", lambda: peers.WAYS[way](torch_net, size[3]), rounds, 1)
        ours = table.medians[case(size)]["itemize (norms, beyond, horizon)"]
        table.note(case(size), f"{way}: {seconds / ours:.1f}x our time")
