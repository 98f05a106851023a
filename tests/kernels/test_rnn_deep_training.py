"""Training, recording, resuming and writing with every cell, depth and direction; and older recordings."""

import sqlite3

import numpy as np
import pytest

from learnviews.kernels import rnn

CORPUS = rnn.Corpus("the cat sat on the mat, and the rat ran. " * 10, name="cats")
NETS = [
    ("gru", 1, False),
    ("lstm", 1, False),
    ("lstm", 2, False),
    ("gru", 2, True),
    ("lstm", 2, True),
    ("tanh", 2, True),
]
EVERY_NET = pytest.mark.parametrize("cell, layers, both", NETS)


def make_net(cell, layers=1, both=False, outputs=True, dtype="float32"):
    symbols = len(CORPUS.symbols)
    return rnn.RecurrentNet(
        cell, symbols, 8, symbols if outputs else None, layers, both, dtype, rng=7, initial="uniform"
    )


def record(path, net, steps, parameter="weight_hh_l0", **options):
    with rnn.Recording.create(path, net, CORPUS, lags=3, parameter=parameter) as rec:
        rnn.Trainer(net, CORPUS, length=8, every=5, record=rec, optimizer="adam", **options).run(steps)
    return rnn.Recording.open(path)


def parts(state):
    return state if isinstance(state, tuple) else (state,)


@EVERY_NET
def test_loss_falls(cell, layers, both):
    net = make_net(cell, layers, both)
    x, y = CORPUS.tokens[:-1, None].astype(int), CORPUS.tokens[1:, None].astype(int)
    before = rnn.bptt(net, x, y)[0]
    rnn.Trainer(net, CORPUS, length=16, batch=2, optimizer="adam").run(300)
    assert rnn.bptt(net, x, y)[0] < 0.8 * before


@EVERY_NET
@pytest.mark.parametrize("strand", ["l0", "last"])
def test_recorded_batches_are_what_itemize_gives(strand, cell, layers, both, tmp_path):
    net = make_net(cell, layers, both, dtype="float64")
    name = f"weight_ih_{net.strands[-1] if strand == 'last' else strand}"
    with record(tmp_path / "a.rnnbow", net, 1, name, batch=2) as rec:
        batch, untrained = rec[0], rec.net(0)
        assert (untrained.cell, untrained.strands) == (net.cell, net.strands)
    want = rnn.itemize(untrained, batch.inputs, batch.targets, lags=3, parameter=name, shares=True, state=batch.state)
    np.testing.assert_array_equal(batch.lags, want.lags)
    np.testing.assert_array_equal(batch.valid, want.valid)
    np.testing.assert_allclose(batch.norm, want.norm, rtol=1e-6)
    np.testing.assert_allclose(batch.share, want.share, rtol=1e-2, atol=1e-4 * abs(want.share).max())


@EVERY_NET
def test_states_are_recorded_and_carried(cell, layers, both, tmp_path):
    with record(tmp_path / "a.rnnbow", make_net(cell, layers, both), 11) as rec:
        first, second = rec[0], rec[1]
        assert len(parts(first.state)) == (2 if cell == "lstm" else 1)
        for state in parts(first.state):
            assert state.shape == (layers * (2 if both else 1), 1, 8)
            assert not state.any()
        for state in parts(second.state):
            assert state[:: 2 if both else 1].any()
            assert not both or not state[1::2].any()  # a backward direction starts anew with each window
        assert rec.overview().mean_lag.notna().all()


@EVERY_NET
def test_resumed_run_equals_one_never_stopped(cell, layers, both, tmp_path):
    whole, stopped = tmp_path / "whole.rnnbow", tmp_path / "stopped.rnnbow"
    record(whole, make_net(cell, layers, both), 60).close()
    record(stopped, make_net(cell, layers, both), 23).close()
    with rnn.Recording.open(stopped, write=True) as rec:
        rnn.Trainer.resume(rec).run(37)
    with rnn.Recording.open(whole) as one, rnn.Recording.open(stopped) as other:
        assert len(one) == len(other) == 12
        for a, b in zip(one, other, strict=True):
            for name in ("norm", "beyond", "share", "loss", "inputs"):
                np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
            for x, y in zip(parts(a.state), parts(b.state), strict=True):
                np.testing.assert_array_equal(x, y)
        for name, array in one.snapshot()[2].items():
            np.testing.assert_array_equal(array, other.snapshot()[2][name])


def test_nets_without_decoder_are_recorded_as_such(tmp_path):
    symbols = len(CORPUS.symbols)
    net = rnn.RecurrentNet("gru", symbols, symbols, None, rng=1, initial="uniform")
    with record(tmp_path / "a.rnnbow", net, 2) as rec:
        assert not rec.net().decoder
        np.testing.assert_array_equal(rec.net().flat, net.flat)


def test_recordings_of_before_there_were_layers_open(tmp_path):
    """Files written by the first version lack the settings of depth; everything else is as it was."""
    path = tmp_path / "a.rnnbow"
    net = make_net("tanh")
    record(path, net, 20).close()
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM setting WHERE name IN ('layers', 'bidirectional', 'decoder')")
    connection.commit()
    connection.close()
    with rnn.Recording.open(path, write=True) as rec:
        np.testing.assert_array_equal(rec[1].lags, [0, 1, 2])
        np.testing.assert_array_equal(rec.net().flat, net.flat)
        rnn.Trainer.resume(rec).run(10)
        assert len(rec) == 6


@pytest.mark.parametrize("change", [{"cell": "lstm"}, {"layers": 2}, {"both": True}])
def test_recording_of_another_net(change, tmp_path):
    rec = rnn.Recording.create(tmp_path / "a.rnnbow", make_net("gru"), CORPUS)
    with rec, pytest.raises(ValueError, match="this recording was made for a net with"):
        rnn.Trainer(make_net(**{"cell": "gru", **change}), CORPUS, record=rec)


@pytest.mark.parametrize("parameter, message", [("state", "no gradient to share"), ("weight_hh_l3", "must be one of")])
def test_parameters_that_cannot_be_recorded(parameter, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        rnn.Recording.create(tmp_path / "a.rnnbow", make_net("gru"), CORPUS, parameter=parameter)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("cell, layers", [("gru", 1), ("lstm", 2)])
def test_text_written_is_that_of_the_net_run_over_it(cell, layers):
    net = make_net(cell, layers, dtype="float64")
    net.flat *= 3
    text = rnn.sample(net, CORPUS, 30, prime="the ", temperature=1e-6)
    tokens = CORPUS.encode("the " + text).astype(int)[:, None]
    run = rnn.unroll.forward(net, *rnn.unroll.check_batch(net, tokens, tokens, None, None))
    np.testing.assert_array_equal(run.p[3:-1, 0].argmax(axis=1), tokens[4:, 0])


def test_a_bidirectional_net_cannot_write():
    with pytest.raises(ValueError, match="bidirectional net reads to the end"):
        rnn.sample(make_net("gru", 1, True), CORPUS)
