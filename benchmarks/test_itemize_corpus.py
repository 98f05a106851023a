"""Many sequences: sequences per second of itemize_corpus, in threads and with workers, beside a plain loop over tiles,
and the peak memory of each; how working memory grows; and one long sequence."""

import gc
import time
import tracemalloc

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from learnviews.kernels import rnn

pytestmark = pytest.mark.benchmark
SYMBOLS, TILE, ROUNDS = 96, 16, 3
SIZES = [("tanh", 100, 4096, 128, 6), ("gru", 100, 1024, 256, 6), ("lstm", 100, 192, 256, 50)]
LOOP = "a loop of itemize, 16 sequences at a time"
DEFAULT, ONE, TWO = "itemize_corpus", "itemize_corpus, workers=1", "itemize_corpus, workers=2"
GROWTH = [(500, 4, 128, 8), (1000, 4, 128, 8), (2000, 4, 128, 8), (500, 8, 128, 8), (500, 16, 128, 8), (500, 4, 256, 8)]
GROWTH += [(500, 4, 512, 8), (500, 4, 128, 32), (500, 4, 128, 128), (500, 4, 128, 500)]


def problem(cell, T, N, H):
    r = np.random.default_rng(0)
    net = rnn.RecurrentNet(cell, SYMBOLS, H, SYMBOLS, initial="uniform", rng=0)
    return net, r.integers(0, SYMBOLS, (T, N)), r.integers(0, SYMBOLS, (T, N))


def loop(net, x, y, K):
    for first in range(0, x.shape[1], TILE):
        rnn.itemize(net, x[:, first : first + TILE], y[:, first : first + TILE], lags=K)


def seconds(call):
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def peak(call):
    """Most bytes allocated at one time, and those of the arrays of what the call returned."""
    gc.collect()
    tracemalloc.start()
    try:
        result = call()
        used = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    arrays = vars(result).values() if result is not None else ()
    return used, sum(value.nbytes for value in arrays if isinstance(value, np.ndarray))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
def test_sequences_per_second(size, table):
    cell, T, N, H, K = size
    net, x, y = problem(cell, T, N, H)
    case = f"{N} sequences, {cell} T={T} H={H} K={K}"
    calls = {
        LOOP: lambda: loop(net, x, y, K),
        DEFAULT: lambda: rnn.itemize_corpus(net, x, y, lags=K),
        ONE: lambda: rnn.itemize_corpus(net, x, y, lags=K, workers=1),
        TWO: lambda: rnn.itemize_corpus(net, x, y, lags=K, workers=2),
        "summarize_corpus, workers=2": lambda: rnn.summarize_corpus(net, x, y, lags=K, workers=2),
    }
    loop(net, x[:, :TILE], y[:, :TILE], K)
    spent = {label: [] for label in calls}
    for _ in range(ROUNDS):
        for label, call in calls.items():
            spent[label].append(seconds(call))
        with threadpool_limits(1, "blas"):
            spent.setdefault(f"{LOOP}, one BLAS thread", []).append(seconds(calls[LOOP]))
    for label, values in spent.items():
        median = float(np.median(values))
        table.add(case, label, median)
        table.note(case, f"{label}: {N / median:.0f} sequences/s")
    used, result = peak(calls[DEFAULT])
    table.note(case, f"peak of itemize_corpus {used / 1e6:.1f} MB, of which the result {result / 1e6:.1f} MB")


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_working_memory_grows_with_steps_sequences_and_units(cell, table):
    case = f"itemize {cell}: peak memory beyond the result"
    for T, B, H, K in GROWTH:
        net, x, y = problem(cell, T, B, H)
        rnn.itemize(net, x[:10], y[:10], lags=2)
        used, result = peak(lambda net=net, x=x, y=y, K=K: rnn.itemize(net, x, y, lags=K))
        row = T * B * H * 4
        table.note(
            case,
            f"T={T:5} B={B:3} H={H:4} K={K:4}: {(used - result) / 1e6:8.1f} MB, {(used - result) / row:5.1f} T*B*H "
            f"floats; the result {result / 1e6:.1f} MB",
        )


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_one_long_sequence(cell, table):
    net, x, y = problem(cell, 10_000, 1, 256)
    rnn.itemize_corpus(net, x[:10], y[:10], lags=2)
    case = f"one sequence, {cell} T=10,000 H=256 K=64, memory_limit='1 GB'"
    call = lambda: rnn.itemize_corpus(net, x, y, lags=64, memory_limit="1 GB")  # noqa: E731
    table.add(case, "itemize_corpus", seconds(call))
    used, result = peak(call)
    assert used < 1e9
    table.note(case, f"peak {used / 1e6:.0f} MB, of which the result {result / 1e6:.0f} MB")
