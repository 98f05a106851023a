"""Training: what is read when, what is recorded, how it ends, and going on as if it had never stopped."""

import math
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import naive
import numpy as np
import pytest

from learnviews.kernels import rnn
from learnviews.kernels.optimizers import SGD, Adagrad, Adam
from learnviews.kernels.rnn import trainer as module

TEXT = "the cat sat on the mat, and the rat ran. "
CORPUS = rnn.Corpus(TEXT * 10, name="cats")
FIELDS = ("step", "position", "inputs", "targets", "top", "top_probability", "loss", "norm", "beyond", "share")
FIELDS += ("share_beyond", "state")


def make_net(corpus=CORPUS, hidden=10, initial="uniform", cell="tanh", dtype="float32"):
    symbols = len(corpus.symbols)
    return rnn.RecurrentNet(cell, symbols, hidden, symbols, rng=7, initial=initial, dtype=dtype)


def make_trainer(corpus=CORPUS, **options):
    return rnn.Trainer(make_net(corpus), corpus, **{"length": 8, **options})


@contextmanager
def recorded(path, net=None, corpus=CORPUS, lags=3, **options):
    """A trainer that records into a new file."""
    net = net or make_net(corpus)
    with rnn.Recording.create(path, net, corpus, lags=lags) as rec:
        yield rnn.Trainer(net, corpus, record=rec, **{"length": 8, "every": 5, **options})


@contextmanager
def resumed(path):
    with rnn.Recording.open(path, write=True) as rec:
        yield rnn.Trainer.resume(rec)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.rnnbow"


def snapshots(rec):
    """Batches recorded before each snapshot, by step; not that of the untrained net."""
    table = rec.snapshots()
    return {step: count for step, count in zip(table.step, table.batches, strict=True) if step}


def same_recording(one, other):
    """Batch for batch and weight for weight."""
    with rnn.Recording.open(one) as a, rnn.Recording.open(other) as b:
        assert len(a) == len(b) > 0
        for number in range(len(a)):
            for name in FIELDS:
                np.testing.assert_array_equal(getattr(a[number], name), getattr(b[number], name), err_msg=name)
        assert a.overview().equals(b.overview())
        for parameter in a.parameters:
            assert a.overview(parameter=parameter).equals(b.overview(parameter=parameter))
            np.testing.assert_array_equal(a.units(parameter), b.units(parameter))
            for name in ("norm", "beyond", "share", "share_beyond"):
                one_array, other_array = (getattr(rec.view(len(a) - 1, parameter), name) for rec in (a, b))
                np.testing.assert_array_equal(one_array, other_array, err_msg=name)
        assert snapshots(a) == snapshots(b)
        for step in snapshots(a):
            first, second = a.snapshot(step), b.snapshot(step)
            assert first[:2] == second[:2]
            assert set(first[2]) == set(second[2])
            for name, array in first[2].items():
                np.testing.assert_array_equal(array, second[2][name], err_msg=name)


# --- learning


def test_loss_falls_on_real_text():
    corpus = rnn.Corpus(rnn.Corpus.embedded().text[:50_000])
    net = make_net(corpus, hidden=40, initial="small")
    trainer = rnn.Trainer(net, corpus)
    assert trainer.loss == pytest.approx(math.log(len(corpus.symbols)))
    losses = [trainer.run(1000).loss for _ in range(3)]
    assert math.log(len(corpus.symbols)) > losses[0] > losses[1] > losses[2]
    assert losses[2] < 2.9


@pytest.mark.parametrize(
    ("name", "cell"),
    [("sgd", "tanh"), ("adagrad", "tanh"), ("adam", "tanh"), ("sgd", "relu"), ("adagrad", "relu")],
)
def test_every_optimizer_learns_a_short_text_by_heart(name, cell):
    net = make_net(hidden=24, cell=cell)
    trainer = rnn.Trainer(net, CORPUS, optimizer=SGD(0.01, 0.5) if name == "sgd" else name, clip=1.0)
    before = trainer.bits
    assert trainer.run(3000).bits < 0.5 * before


def test_bits_are_the_loss_in_other_units():
    trainer = make_trainer()
    assert trainer.bits == pytest.approx(math.log2(len(CORPUS.symbols)))
    trainer.run(20)
    assert trainer.bits == pytest.approx(trainer.loss / math.log(2))


@pytest.mark.parametrize("clip", [5.0, 0.05, None])
@pytest.mark.parametrize("batch", [1, 3])
def test_steps_are_those_of_the_formulas(clip, batch):
    """Some steps of SGD against the naive BPTT, its gradient clipped, its state carried on."""
    net = make_net(dtype="float64")
    slow = net.copy()
    trainer = rnn.Trainer(net, CORPUS, length=8, batch=batch, optimizer=SGD(0.1), clip=clip).run(6)
    streams = CORPUS.tokens.astype(int)[: len(CORPUS) // batch * batch].reshape(batch, -1).T
    state, running = None, math.log(len(CORPUS.symbols))
    for start in range(0, 48, 8):
        x, y = streams[start : start + 8], streams[start + 1 : start + 9]
        loss, grads, state = naive.bptt(slow, x, y, state)
        for name, p in slow.parameters.items():
            p -= 0.1 * (grads[name] if clip is None else np.clip(grads[name], -clip, clip))
        running += 0.001 * (loss / x.size - running)
    np.testing.assert_allclose(net.flat, slow.flat, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(trainer.state, state, rtol=1e-9)
    assert trainer.loss == pytest.approx(running, rel=1e-12)
    assert trainer.step == 6


def test_same_seed_same_bits():
    runs = [make_trainer(batch=2, optimizer="adam", rng=5).run(100) for _ in range(2)]
    np.testing.assert_array_equal(runs[0].net.flat, runs[1].net.flat)
    assert runs[0].loss == runs[1].loss
    assert runs[0].sample(50) == runs[1].sample(50)


def test_recording_does_not_change_the_training(path):
    plain = make_trainer().run(60)
    with recorded(path, every=1) as trainer:
        trainer.run(60)
    np.testing.assert_array_equal(trainer.net.flat, plain.net.flat)


# --- what is read and recorded


def test_recorded_steps(path):
    with recorded(path, every=7) as trainer:
        trainer.run(10)
        trainer.run(20)
    with rnn.Recording.open(path) as rec:
        assert rec.overview().step.tolist() == [0, 7, 14, 21, 28]


def test_windows_follow_one_another_and_start_over_with_an_empty_state(path):
    corpus = rnn.Corpus(TEXT[:30])
    with recorded(path, corpus=corpus, every=1) as trainer:
        trainer.run(9)
    with rnn.Recording.open(path) as rec:
        found = list(rec)
    assert [batch.position for batch in found] == [0, 8, 16, 0, 8, 16, 0, 8, 16]  # 30 characters: 3 times 8 and one
    for batch in found:
        text = corpus.decode(batch.inputs[:, 0]), corpus.decode(batch.targets[:, 0])
        assert text == (TEXT[batch.position :][:8], TEXT[batch.position + 1 :][:8])
        assert batch.state.any() == (batch.position > 0)


def test_a_corpus_of_just_one_window(path):
    corpus = rnn.Corpus(TEXT[:9])
    with recorded(path, corpus=corpus, every=1) as trainer:
        trainer.run(3)
    with rnn.Recording.open(path) as rec:
        assert [batch.position for batch in rec] == [0, 0, 0]
        assert corpus.decode(rec[2].targets[:, 0]) == TEXT[1:9]


def test_several_streams_side_by_side(path):
    corpus = rnn.Corpus(TEXT[:29])
    with recorded(path, corpus=corpus, batch=3, every=1, length=4) as trainer:
        trainer.run(3)
    with rnn.Recording.open(path) as rec:
        assert [batch.position for batch in rec] == [0, 4, 0]  # 29 characters: 3 streams of 9
        for batch in rec:
            for b in range(3):
                start = 9 * b + batch.position
                assert corpus.decode(batch.inputs[:, b]) == TEXT[start : start + 4]
                assert corpus.decode(batch.targets[:, b]) == TEXT[start + 1 : start + 5]


def test_state_is_carried_from_batch_to_batch(path):
    net = make_net()
    with recorded(path, net.copy(), every=1, optimizer=SGD(1e-12)) as trainer:
        trainer.run(3)
    tokens = CORPUS.tokens[:16].astype(int)[:, None]
    with rnn.Recording.open(path) as rec:
        np.testing.assert_allclose(rec[2].state[0], naive.forward(net, tokens, tokens).h[-1], atol=1e-5)


def test_gradients_start_small_with_small_weights(path):
    with recorded(path, make_net(initial="small"), every=100) as trainer:
        trainer.run(1001)
    with rnn.Recording.open(path) as rec:
        bars = rec.overview().max_gradient
    assert bars[0] < 0.1 * bars[1:].max()
    assert bars[0] < 0.05


def test_settings_are_recorded(path):
    with recorded(path, batch=2, optimizer=SGD(0.2, 0.5), clip=None, snapshot_every=50) as trainer:
        trainer.run(1)
    wanted = {"length": 8, "batch": 2, "every": 5, "clip": None, "snapshot_every": 50}
    wanted["optimizer"] = {"name": "sgd", "rate": 0.2, "momentum": 0.5}
    with rnn.Recording.open(path) as rec:
        assert rec.settings["trainer"] == wanted


# --- refused


@pytest.mark.parametrize("name", ["length", "batch", "every", "snapshot_every"])
@pytest.mark.parametrize("value", [0, -3, 2.0, "8", True, None])
def test_counts_must_be_whole_and_positive(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1"):
        make_trainer(**{name: value})


@pytest.mark.parametrize("clip", [0, -1.0, math.nan])
def test_clip_must_be_positive(clip):
    with pytest.raises(ValueError, match="clip must be a positive number or None"):
        make_trainer(clip=clip)


@pytest.mark.parametrize("optimizer", ["lion", None, SGD, 3])
def test_unknown_optimizer(optimizer):
    with pytest.raises(ValueError, match="optimizer must be one of"):
        make_trainer(optimizer=optimizer)


@pytest.mark.parametrize("steps", [-1, 2.5, True, None])
def test_steps_must_be_whole(steps):
    with pytest.raises(ValueError, match="steps must be a whole number of at least 0"):
        make_trainer().run(steps)


@pytest.mark.parametrize(("length", "batch", "fits"), [(8, 2, True), (9, 2, False), (17, 1, True), (18, 1, False)])
def test_corpus_too_short(length, batch, fits):
    corpus = rnn.Corpus("ab" * 9, name="short")
    if fits:
        assert make_trainer(corpus, length=length, batch=batch).run(3).step == 3
    else:
        with pytest.raises(ValueError, match=f"'short' has 18 characters; .* at least {batch * (length + 1)}"):
            make_trainer(corpus, length=length, batch=batch)


def test_net_of_another_vocabulary():
    with pytest.raises(ValueError, match="the corpus has 2 symbols; the net takes"):
        rnn.Trainer(make_net(), rnn.Corpus("ab" * 30))


def test_lags_longer_than_the_sequence(path):
    with (
        pytest.raises(ValueError, match="from 1 to the 8 steps of the sequence, got 9"),
        recorded(path, lags=9),
    ):
        pass


@pytest.mark.parametrize("other", [{"hidden": 9}, {"cell": "relu"}, {"dtype": "float64"}])
def test_recording_of_another_net(path, other):
    with rnn.Recording.create(path, make_net(), CORPUS, lags=3) as rec, pytest.raises(ValueError, match="recording"):
        rnn.Trainer(make_net(**other), CORPUS, length=8, record=rec)


# --- divergence


@pytest.mark.parametrize("cell", ["tanh", "relu"])
@pytest.mark.parametrize(
    ("name", "bad"),
    [(name, math.nan) for name in ("weight_hh_l0", "weight_ih_l0", "bias_ih_l0", "decoder.weight", "decoder.bias")]
    + [(name, bad) for name in ("decoder.weight", "decoder.bias") for bad in (math.inf, -math.inf)],
)
def test_weights_that_are_no_numbers(path, name, bad, cell):
    with recorded(path, make_net(cell=cell), every=2) as trainer:
        trainer.run(7)
        trainer.net.parameters[name][...] = bad
        with pytest.raises(rnn.DivergedError, match="diverged at step 7"):
            trainer.run(5)
        assert trainer.step == 7
    with rnn.Recording.open(path) as rec:
        assert rec.overview().step.tolist() == [0, 2, 4, 6]
        assert np.isfinite(rec.net().flat).all()
        assert np.isfinite(rec[-1].norm).all()


@pytest.mark.parametrize("rate", [1e6, 1e12])
def test_exploding_learning_rate(path, rate):
    with recorded(path, make_net(cell="relu"), optimizer=SGD(rate), clip=None, every=1) as trainer:
        with pytest.raises(rnn.DivergedError, match="diverged at step") as error:
            trainer.run(1000)
        assert f"step {trainer.step}:" in str(error.value)
        assert np.isfinite(trainer.net.flat).all()
    with rnn.Recording.open(path) as rec:
        assert len(rec) == trainer.step
        assert np.isfinite(rec.overview().loss).all()


# --- stopping


def test_zero_steps_leave_a_snapshot(path):
    with recorded(path) as trainer:
        trainer.run(0)
    with rnn.Recording.open(path) as rec:
        assert rec.snapshots().to_dict("list") == {"step": [0], "batches": [0]}


def test_progress_is_told_of_every_step():
    seen = []
    progress = rnn.Progress(lambda p: seen.append((p.done, p.total, p.text)), interval=0)
    make_trainer().run(4, progress)
    assert [done for done, _, _ in seen] == [1, 2, 3, 4]
    assert all(total == 4 and text.endswith(" bits/char") for _, total, text in seen)


def cancel_at(step):
    """Progress that is cancelled when `step` steps are done."""
    return rnn.Progress(lambda p: p.cancel() if p.done == step else None, interval=0)


def test_cancelling_leaves_a_snapshot(path):
    with recorded(path) as trainer:
        trainer.run(100, cancel_at(13))
        assert trainer.step == 13
    with rnn.Recording.open(path) as rec:
        assert list(snapshots(rec)) == [13]
        np.testing.assert_array_equal(rec.net().flat, trainer.net.flat)
        assert rec.overview().step.tolist() == [0, 5, 10]


def test_interrupt_keeps_what_was_recorded(path):
    def interrupt(progress):
        if progress.done == 13:
            raise KeyboardInterrupt

    with recorded(path) as trainer:
        with pytest.raises(KeyboardInterrupt):
            trainer.run(100, rnn.Progress(interrupt, interval=0))
        with rnn.Recording.open(path) as reader:  # before the writer is closed
            assert reader.overview().step.tolist() == [0, 5, 10]


def test_full_disk_is_what_the_error_says(path):
    with recorded(path, every=1) as trainer:
        trainer.run(20)
        used = trainer.record._connection.execute("PRAGMA page_count").fetchone()[0]
        trainer.record._connection.execute(f"PRAGMA max_page_count = {used + 2}")
        with pytest.raises(rnn.StoreError, match="disk is full") as error:
            trainer.run(5000)
        assert str(path) in str(error.value)
    with resumed(path) as trainer:
        assert len(trainer.record) == trainer.step >= 20
        trainer.run(10)


# --- snapshots


def test_snapshots_kept_and_replaced(path, monkeypatch):
    monkeypatch.setattr(module, "SNAPSHOT_SECONDS", -1)  # one after every step
    with recorded(path, snapshot_every=10) as trainer:
        trainer.run(13)
        assert list(snapshots(trainer.record)) == [10, 13]
        trainer.run(14)
    with rnn.Recording.open(path) as rec:
        assert snapshots(rec) == {10: 2, 20: 4, 27: 6}


def test_snapshots_are_the_weights_of_their_step(path):
    with recorded(path, snapshot_every=10) as trainer:
        trainer.run(27)
    with rnn.Recording.open(path) as rec:
        for step in (10, 20, 27):
            np.testing.assert_array_equal(rec.net(step).flat, make_trainer().run(step).net.flat)
        np.testing.assert_array_equal(rec.net(19).flat, rec.net(10).flat)


# --- going on

OPTIMIZERS = {
    "sgd": lambda: SGD(0.05, momentum=0.9),
    "adagrad": lambda: "adagrad",
    "adagrad, another epsilon": lambda: Adagrad(0.1, epsilon=1e-2),
    "adam": lambda: "adam",
    "adam, other settings": lambda: Adam(0.01, 0.8, 0.99, 1e-3),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("stop", [0, 1, 35, 60])
def test_resumed_run_equals_one_never_stopped(tmp_path, optimizer, batch, stop):
    options = {"batch": batch, "snapshot_every": 20, "clip": 1.0}
    with recorded(tmp_path / "whole", optimizer=OPTIMIZERS[optimizer](), **options) as trainer:
        trainer.run(90)
    with recorded(tmp_path / "parts", optimizer=OPTIMIZERS[optimizer](), **options) as trainer:
        trainer.run(stop)
    with resumed(tmp_path / "parts") as trainer:
        assert trainer.step == stop
        trainer.run(90 - stop)
    same_recording(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.parametrize("cell", ["tanh", "relu"])
def test_resumed_in_float64(tmp_path, cell):
    for name, parts in (("whole", [40]), ("parts", [17, 23])):
        with recorded(tmp_path / name, make_net(cell=cell, dtype="float64")) as trainer:
            trainer.run(parts[0])
        for steps in parts[1:]:
            with resumed(tmp_path / name) as trainer:
                trainer.run(steps)
    same_recording(tmp_path / "whole", tmp_path / "parts")


def test_running_twice_equals_running_once(tmp_path):
    for name, parts in (("whole", [40]), ("parts", [17, 0, 23])):
        with recorded(tmp_path / name) as trainer:
            for steps in parts:
                trainer.run(steps)
    same_recording(tmp_path / "whole", tmp_path / "parts")


def test_generator_goes_on(path):
    with recorded(path, rng=9) as trainer:
        trainer.sample(10)
        trainer.run(3)
        wanted = trainer.sample(30)
    with resumed(path) as trainer:
        assert trainer.sample(30) == wanted


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox])
def test_any_generator_can_be_given(path, bits):
    with recorded(path, rng=np.random.Generator(bits(3))) as trainer:
        trainer.run(3)
        wanted = trainer.sample(30)
    with resumed(path) as trainer:
        assert trainer.sample(30) == wanted


def test_batches_after_the_last_snapshot_come_again(path):
    with recorded(path, snapshot_every=20, every=1) as trainer:
        with pytest.raises(ZeroDivisionError):
            trainer.run(40, rnn.Progress(lambda p: 1 / (33 - p.done), interval=0))
        assert trainer.step == 33
    with resumed(path) as trainer:
        assert trainer.step == 20
        assert len(trainer.record) == 20
        trainer.run(20)
        assert trainer.record.overview().step.tolist() == list(range(40))


def test_nothing_to_resume_from(path):
    rnn.Recording.create(path, make_net(), CORPUS).close()
    with rnn.Recording.open(path, write=True) as rec, pytest.raises(LookupError, match="no snapshot") as error:
        rnn.Trainer.resume(rec)
    assert str(path) in str(error.value)


def test_recording_opened_for_reading_cannot_be_gone_on_with(path):
    with recorded(path) as trainer:
        trainer.run(3)
    with rnn.Recording.open(path) as rec, pytest.raises(ValueError, match="opened for reading"):
        rnn.Trainer.resume(rec)


# --- killed

KILLED = """
import sys, time
from learnviews.kernels import rnn
corpus = rnn.Corpus(sys.argv[2], name="cats")
symbols = len(corpus.symbols)
net = rnn.RecurrentNet("tanh", symbols, 10, symbols, rng=7, initial="uniform")
rec = rnn.Recording.create(sys.argv[1], net, corpus, lags=3)
trainer = rnn.Trainer(net, corpus, 8, 1, sys.argv[3], rec, 5, snapshot_every=int(sys.argv[4]))
trainer.run(100_000, rnn.Progress(lambda progress: time.sleep(0.004), interval=0))
"""


def kill_when(path, seen, optimizer, snapshot_every):
    """Start a writer in a process of its own; kill it as soon as `seen(reader)`."""
    arguments = [str(path), CORPUS.text, optimizer, str(snapshot_every)]
    writer = subprocess.Popen([sys.executable, "-c", KILLED, *arguments])
    try:
        deadline = time.monotonic() + 100
        while not _sees(path, seen):
            assert writer.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()


def _sees(path, seen):
    try:
        with rnn.Recording.open(path) as reader:
            return seen(reader)
    except (FileNotFoundError, rnn.FileFormatError):
        return False  # not there yet, or being made


@pytest.mark.parametrize("optimizer", ["adagrad", pytest.param("adam", marks=pytest.mark.slow)])
def test_killed_writer_goes_on_as_if_it_had_never_stopped(tmp_path, optimizer):
    def seen(reader):
        """There is a snapshot, and batches that came after it."""
        return snapshots(reader) and reader.overview().step.iloc[-1] > max(snapshots(reader)) + 5

    kill_when(tmp_path / "parts", seen, optimizer, 400)
    with rnn.Recording.open(tmp_path / "parts") as rec:
        before = rec.overview()
        assert [batch.step for batch in rec] == before.step.tolist() == list(range(0, 5 * len(before), 5))
    with resumed(tmp_path / "parts") as trainer:
        assert trainer.step % 400 == 0
        steps = trainer.step + 800
        trainer.run(800)
    with recorded(tmp_path / "whole", optimizer=optimizer, snapshot_every=400) as trainer:
        trainer.run(steps)
    same_recording(tmp_path / "parts", tmp_path / "whole")
    with rnn.Recording.open(tmp_path / "parts") as rec:
        assert rec.overview().loc[before.index].equals(before)


def test_writer_killed_early_goes_on_too(tmp_path):
    """Before any snapshot was due."""
    kill_when(tmp_path / "parts", lambda reader: len(reader) > 3, "adagrad", 100_000)
    with resumed(tmp_path / "parts") as trainer:
        trainer.run(100 - trainer.step)
    with recorded(tmp_path / "whole", snapshot_every=100_000) as trainer:
        trainer.run(100)
    same_recording(tmp_path / "parts", tmp_path / "whole")
