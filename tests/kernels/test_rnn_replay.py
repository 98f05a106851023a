"""A recorded training run again: losses and states to the bit, itemized gradients but for the order of sums."""

import numpy as np
import pytest

from learnviews.kernels import rnn

CORPUS = rnn.Corpus("int main(void) { return 0; }\nfloat half(float x) { return x / 2; }\n" * 20, name="c")
SYMBOLS = len(CORPUS.symbols)
KINDS = {
    "tanh": {"cell": "tanh"},
    "gru": {"cell": "gru", "parameter": "bias_hh_l0"},
    "lstm": {"cell": "lstm", "layers": 2, "parameter": "weight_hh_l1"},
    "both": {"cell": "gru", "bidirectional": True, "layers": 2, "parameter": "weight_hh_l0_reverse"},
}


def recorded(path, cell="tanh", parameter="weight_hh_l0", steps=60, snapshots=25, optimizer="adagrad", **depth):
    net = rnn.RecurrentNet(cell, SYMBOLS, 7, SYMBOLS, rng=3, **depth)
    with rnn.Recording.create(path, net, CORPUS, lags=4, parameter=parameter) as record:
        settings = {"length": 9, "batch": 2, "every": 10, "snapshot_every": snapshots, "optimizer": optimizer}
        rnn.Trainer(net, CORPUS, record=record, **settings).run(steps)
    return rnn.Recording.open(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_replay_is_what_was_recorded(tmp_path, kind):
    with recorded(tmp_path / "a.rnnbow", **KINDS[kind]) as recording:
        replay = rnn.Replay(recording)
        for number in (5, 1, 2, 0, 4):  # back and forth over the snapshots at 0, 25, 50 and 60
            batch, flow = recording[number], replay.itemize(number)
            np.testing.assert_allclose(flow.norm, batch.norm, rtol=1e-6)
            np.testing.assert_array_equal(flow.loss.astype(np.float32), batch.loss)
            np.testing.assert_allclose(flow.share, batch.share, rtol=2**-15, atol=1e-12)
            np.testing.assert_array_equal(np.array(replay.trainer(batch.step).state), np.array(batch.state))


@pytest.mark.parametrize("rule", ["sgd", "adam"])
def test_optimizers_go_on_as_they_did(tmp_path, rule):
    with recorded(tmp_path / "a.rnnbow", optimizer=rule) as recording:
        flow = rnn.Replay(recording).itemize(4)
        np.testing.assert_allclose(flow.norm, recording[4].norm, rtol=1e-6)


def test_units_and_gates_add_up_to_the_whole(tmp_path):
    with recorded(tmp_path / "a.rnnbow", cell="lstm") as recording:
        replay = rnn.Replay(recording)
        whole = replay.itemize(3)
        gates = [replay.itemize(3, gate=gate) for gate in "ifgo"]
        units = [replay.itemize(3, unit=unit) for unit in range(7)]
        for parts in (gates, units):
            np.testing.assert_allclose(np.sqrt(sum(part.norm**2 for part in parts)), whole.norm, rtol=1e-5)
            np.testing.assert_allclose(sum(part.share for part in parts), whole.share, rtol=1e-3, atol=1e-5)
        assert replay.itemize(3, parameter="bias_hh_l0", lags=2).norm.shape == (9, 2, 2)


def test_a_cancelled_replay_goes_on(tmp_path):
    with recorded(tmp_path / "a.rnnbow", snapshots=1000) as recording:
        replay = rnn.Replay(recording)
        progress = rnn.Progress(lambda progress: progress.cancel(), interval=0.0)
        assert replay.itemize(5, progress=progress) is None
        assert progress.total == 50 and progress.done < 50
        again = rnn.Progress()
        flow = replay.itemize(5, progress=again)
        assert again.total == 50 - progress.done
        np.testing.assert_allclose(flow.norm, recording[5].norm, rtol=1e-6)


def test_what_cannot_be_run_again_is_told(tmp_path):
    with recorded(tmp_path / "a.rnnbow") as recording:
        with pytest.raises(IndexError, match="no batch 6"):
            rnn.Replay(recording).itemize(6)
        with pytest.raises(ValueError, match="unit must be a whole number from 0 to 6"):
            rnn.Replay(recording).itemize(0, unit=7)
    with rnn.Recording.open(tmp_path / "a.rnnbow", write=True) as recording:
        recording._connection.execute("DELETE FROM snapshot WHERE step < 50")
        with pytest.raises(LookupError, match="no snapshot of the weights at or before step 40"):
            rnn.Replay(recording).itemize(4)
        recording._connection.execute("DELETE FROM snapshot")
        with pytest.raises(LookupError, match=r"a\.rnnbow: no snapshot of the weights to run"):
            rnn.Replay(recording)
        recording.set_settings(source="torch")
        with pytest.raises(LookupError, match="outside of LearnViews"):
            rnn.Replay(recording)


def test_another_way_is_noticed(tmp_path):
    recorded(tmp_path / "a.rnnbow").close()
    with rnn.Recording.open(tmp_path / "a.rnnbow", write=True) as recording:
        rule = {**recording.settings["trainer"], "clip": 1e-3}
        recording.set_settings(trainer=rule)
        with pytest.raises(LookupError, match="batch 2 came out otherwise"):
            rnn.Replay(recording).itemize(2)
