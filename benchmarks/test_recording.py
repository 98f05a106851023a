"""What recording costs while training, how large a recording is, and how fast its overview reads."""

import subprocess
import sys
import time

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


def test_recording_while_training(benchmark, table, corpus, tmp_path):
    """Interleaved, so that a slow moment of the machine meets all three alike."""
    runs = {
        "training step": trainer(corpus),
        "recorded every 100th": trainer(corpus, tmp_path / "100", 100),
        "recorded every batch": trainer(corpus, tmp_path / "1", 1),
    }
    seconds = {label: [] for label in runs}
    for _ in range(9):
        for label, run in runs.items():
            start = time.perf_counter()
            for _ in range(STEPS):
                run._one_step()
            if run.record:
                run.record.commit()
            seconds[label].append((time.perf_counter() - start) / STEPS)
    for label, values in seconds.items():
        table.add("training, embedded corpus, 25 x 1, H 100, per step", label, sorted(values)[len(values) // 2])
    benchmark.pedantic(runs["training step"]._one_step, rounds=100)
    for run in runs.values():
        if run.record:
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
