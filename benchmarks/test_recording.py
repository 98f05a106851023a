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


def trainer(corpus, path=None, every=1, case=("tanh", 100, 25, 1), inside=True):
    symbols, (cell, hidden, length, batch) = len(corpus.symbols), case
    net = rnn.RecurrentNet(cell, symbols, hidden, symbols)
    record = rnn.Recording.create(path, net, corpus, lags=6, inside=inside) if path else None
    return rnn.Trainer(net, corpus, length, batch, record=record, every=every)


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


@pytest.mark.parametrize("inside", [True, False], ids=["all parameters", "one parameter"])
@pytest.mark.parametrize(
    "case, count", [(("tanh", 100, 25, 1), 200), (("gru", 128, 50, 8), 20), (("lstm", 128, 50, 8), 20)]
)
def test_recording_every_100th_batch(benchmark, table, corpus, tmp_path, case, count, inside):
    """Within one run: what its recorded steps, commits included, take more than the others. Two runs differ by more."""
    run = trainer(corpus, tmp_path / "100", 100, case, inside)
    steps(run, 200)
    spent = steps(run, 100 * count)
    recorded = spent[::100]
    plain = np.delete(spent, np.s_[::100])
    more = recorded.mean() - np.median(plain)
    share = more / (100 * np.median(plain))
    what = f"{case[0]}, {case[2]} x {case[3]}, H {case[1]}, {'all parameters' if inside else 'one parameter'}"
    table.note("recording every 100th", f"{what}: {more * 1e3:.2f} ms per recorded batch, {share:.2%} of training")
    benchmark.pedantic(run._one_step, rounds=20)
    run.record.close()


@pytest.mark.parametrize("kind, hidden, length, batch", [("GRU", 128, 50, 8), ("LSTM", 128, 50, 8)])
def test_recording_of_pytorch_every_100th_batch(benchmark, table, corpus, tmp_path, kind, hidden, length, batch):
    """Within one run of a PyTorch model: `step` where it records and where not, beside the training step."""
    import torch
    from torch import nn

    symbols, tokens = len(corpus.symbols), torch.from_numpy(corpus.tokens.astype(np.int64))
    module, decode = getattr(nn, kind)(64, hidden), nn.Linear(hidden, symbols)
    model = nn.Sequential(embed := nn.Embedding(symbols, 64), module, decode)
    optimizer = torch.optim.Adam(model.parameters())

    def train(i):
        x = tokens[i * length : i * length + batch * (length + 1)].reshape(batch, length + 1).T
        started = time.perf_counter()
        optimizer.zero_grad()
        scores = decode(module(embed(x[:-1]))[0])
        nn.functional.cross_entropy(scores.flatten(0, 1), x[1:].flatten()).backward()
        between = time.perf_counter()
        recorder.step(targets=x[1:])
        told = time.perf_counter()
        optimizer.step()
        return time.perf_counter() - started - (told - between), told - between

    with rnn.TorchRecorder(model, tmp_path / "torch", every=100) as recorder:
        spent = np.array([train(i) for i in range(1500)])[100:]
    training, telling, recording = np.median(spent[:, 0]), np.median(spent[:, 1]), spent[::100, 1].mean()
    table.note(
        "recording a PyTorch model every 100th",
        f"nn.{kind}, {length} x {batch}, H {hidden}: training step {training * 1e3:.2f} ms, step() not recorded "
        f"{telling * 1e6:.1f} us, recorded {recording * 1e3:.1f} ms, {recording / training / 100:.2%} of training",
    )
    benchmark.pedantic(embed, args=(tokens[:10],), rounds=5)


@pytest.mark.parametrize("inside", [True, False], ids=["all parameters", "one parameter"])
def test_size_of_a_batch(benchmark, table, corpus, tmp_path, inside):
    run = trainer(corpus, tmp_path / "many", 1, inside=inside)
    for _ in range(5000):
        run._one_step()
    run.record.commit()
    tables = "('batch', 'overview', 'inside', 'inside_overview', 'inside_unit')"
    pages = run.record._rows(f"SELECT sum(pgsize) FROM dbstat WHERE name IN {tables}")
    what = "all parameters and units" if inside else "one parameter"
    table.note("recording", f"{pages[0][0] / 5000:.0f} bytes per batch (25 x 6, H 100; {what}), pages included")
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
