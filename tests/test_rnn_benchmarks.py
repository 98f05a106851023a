"""The benchmarks of recurrent nets: PyTorch's ways give our numbers, memory is told, tables are written."""

import gc

import numpy as np
import pytest
import torch
from rnn import contest, memory, torch_peers
from rnn.report import LAST, Report
from rnn.sizes import CELLS, GATES, Size, gemm_flops, problem

from learnviews.kernels import rnn


@pytest.mark.parametrize("K", [1, 3, 7])
@pytest.mark.parametrize("cell", CELLS)
def test_all_ways_give_the_same_numbers(cell, K):
    net, x, y = problem(cell, Size(7, 2, 5, K), spread=2)
    net = net.as_type("float64")
    flow = rnn.itemize(net, x, y, lags=K)
    ways = torch_peers.ways_for(torch_peers.TorchNet(net, x, y), K)
    assert set(ways) == set(torch_peers.WAYS)
    for way in ways.values():
        norm, beyond = way()
        np.testing.assert_allclose(norm.numpy(), flow.norm, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(beyond.numpy(), flow.beyond, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("cell", CELLS)
def test_a_training_step_leaves_our_gradients(cell):
    net, x, y = problem(cell, Size(5, 2, 4, 1))
    net = net.as_type("float64")
    peer = torch_peers.TorchNet(net, x, y)
    loss, grads, _ = rnn.bptt(net, x, y)
    assert peer.training_step().item() == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(peer.rnn.weight_hh_l0.grad.numpy(), grads["weight_hh_l0"], rtol=1e-9, atol=1e-13)


def test_too_large_a_batched_product_is_left_out(monkeypatch):
    monkeypatch.setattr(torch_peers, "BIG", 100)
    ways = torch_peers.ways_for(torch_peers.TorchNet(*problem("tanh", Size(7, 2, 5, 3))), 3)
    assert set(ways) == set(torch_peers.WAYS) - {"batched VJP"}


@pytest.mark.parametrize("cell", GATES)
def test_flops_are_those_of_every_single_row(cell):
    T, B, H, K = size = Size(6, 3, 4, 5)
    rows = sum(1 for t in range(T) for k in range(1, K) if t - k >= 0) * B
    assert gemm_flops(cell, size) == rows * 2 * GATES[cell] * H * H


def test_memory_beyond_the_result():
    beyond, result = memory.beyond_result(lambda: np.ones(10**6).cumsum()[:1].copy())
    assert beyond == pytest.approx(16e6, rel=1e-2)
    assert result < 1e4
    assert memory.torch_beyond_result(lambda: (torch.ones(10**6) + 1) * 2) == pytest.approx(4e6, rel=1e-2)


def test_contestants_take_turns():
    called, gc_on = [], []

    def call(name):
        called.append(name)
        gc_on.append(gc.isenabled())

    found = contest.medians({name: lambda name=name: call(name) for name in "ab"}, each=1e-9)
    assert called == ["a", "b", "a", "b"]
    assert not any(gc_on)
    assert gc.isenabled()
    assert set(found) == {"a", "b"}


def test_report_as_text_and_markdown(tmp_path):
    report = Report()
    report.add(LAST, {"what": "speed"})
    report.add("Times", {"cell": "tanh", "ms": "1.5"})
    report.add("Times", {"cell": "lstm", "x": "2"})
    report.note("Times", "A note.")
    report.note("Times", "A note.")
    report.write(tmp_path / "new")
    text = (tmp_path / "new" / "rnn.txt").read_text(encoding="utf-8")
    assert "Times\n  cell   ms  x\n  tanh  1.5\n  lstm       2\nA note.\n\nGoals\n   what\n  speed\n" in text
    markdown = (tmp_path / "new" / "rnn.md").read_text(encoding="utf-8")
    assert "| cell | ms | x |\n| --- | --- | --- |\n| tanh | 1.5 |  |\n| lstm |  | 2 |\n\nA note.\n" in markdown
    assert f"NumPy {np.__version__}, PyTorch {torch.__version__}" in markdown
