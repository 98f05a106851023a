"""What recording costs while training, how large a recording is, and how fast its overview reads."""

import subprocess
import sys
import time

import numpy as np
import pytest

from learnviews.kernels import rnn

pytestmark = pytest.mark.benchmark
STEPS = 2000


@pytest.fixture(scope="module")
def corpus():
    return rnn.Corpus.embedded()


def trainer(corpus, path=None, every=1):
    symbols = len(corpus.symbols)
    net = rnn.RecurrentNet("tanh", symbols, 100, symbols)
    record = rnn.Recording.create(path, net, corpus, lags=6) if path else None
    return rnn.Trainer(net, corpus, record=record, every=every)


def steps(run, count):
    """Seconds of each training step."""
    spent = np.empty(count)
    for i in range(count):
        start = time.perf_counter()
        run._one_step()
        spent[i] = time.perf_counter() - start
    return spent


def test_recording_every_batch(benchmark, table, corpus, tmp_path):
    """Blocks of steps in turn, so that a slow moment of the machine meets both alike."""
    runs = {"training step": trainer(corpus), "recorded every batch": trainer(corpus, tmp_path / "1", 1)}
    blocks = {label: [] for label in runs}
    for _ in range(9):
        for label, run in runs.items():
            blocks[label].append(steps(run, STEPS).mean())
    for label, means in blocks.items():
        table.add("training, embedded corpus, 25 x 1, H 100, mean per step", label, float(np.median(means)))
    benchmark.pedantic(runs["training step"]._one_step, rounds=100)
    runs["recorded every batch"].record.close()


def test_recording_every_100th_batch(benchmark, table, corpus, tmp_path):
    """Within one run: what its recorded steps, commits included, take more than the others. Two runs differ by more."""
    run = trainer(corpus, tmp_path / "100", 100)
    steps(run, 200)
    spent = steps(run, 100 * STEPS // 10)
    recorded = spent[::100]
    plain = np.delete(spent, np.s_[::100])
    more = recorded.mean() - np.median(plain)
    share = more / (100 * np.median(plain))
    table.note("recording every 100th", f"{more * 1e3:.3f} ms per recorded batch, {share:.2%} of training")
    benchmark.pedantic(run._one_step, rounds=100)
    run.record.close()


def test_size_of_a_batch(benchmark, table, corpus, tmp_path):
    run = trainer(corpus, tmp_path / "many", 1)
    for _ in range(5000):
        run._one_step()
    run.record.commit()
    pages = run.record._rows("SELECT sum(pgsize) FROM dbstat WHERE name IN ('batch', 'overview')")
    table.note("recording", f"{pages[0][0] / 5000:.0f} bytes per batch (25 x 6, shares, H 100), pages included")
    benchmark.pedantic(run.record.overview, rounds=5)
    run.record.close()


def test_overview_of_100_000(measure, corpus, tmp_path):
    with trainer(corpus, tmp_path / "long", 1).record as record:
        rows = ((i, i, i * 25, 2.5, 30.0, 1.4, 0.4) for i in range(100_000))
        record._connection.executemany("INSERT INTO overview VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        measure("overview of 100,000 batches", "overview()", record.overview, 9)


def test_import(measure):
    measure(
        "import learnviews (a new process)",
        "python -c 'import learnviews'",
        lambda: subprocess.run([sys.executable, "-c", "import learnviews"], check=True),
        7,
    )
