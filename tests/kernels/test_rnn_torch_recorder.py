"""Recording from PyTorch's own training loops: every itemized gradient against autograd, and every kind of loop."""

import contextlib
import copy
import gc
import pickle
import subprocess
import sys
import textwrap
import warnings
import weakref

import numpy as np
import pytest
import torch
import torch_rnn
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from learnviews.kernels import rnn
from learnviews.kernels.rnn import views
from learnviews.kernels.rnn.torch_parts import net_of

KINDS = {"tanh": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
V, T, B, H, K = 7, 6, 2, 4, 4
NETS = [(cell, layers, both) for cell in KINDS for layers in (1, 2) for both in (False, True)]
EVERY_NET = pytest.mark.parametrize("cell, layers, both", NETS)


class Model(nn.Module):
    """An embedding, a recurrent module, a decoder."""

    def __init__(self, cell="lstm", layers=1, both=False, batch_first=True, outputs=V, **options):
        super().__init__()
        torch.manual_seed(3)
        self.embed = nn.Embedding(V, 5)
        self.net = KINDS[cell](5, H, layers, batch_first=batch_first, bidirectional=both, **options)
        self.decode = nn.Linear(H * (2 if both else 1), outputs)
        with torch.no_grad():
            for p in self.net.parameters():
                p *= 1.5

    def forward(self, x, state=None):
        return self.decode(self.net(self.embed(x), state)[0])


def tokens(*shape, rng=0, symbols=V):
    return torch.from_numpy(np.random.default_rng(rng).integers(0, symbols, shape))


def cross_entropy(scores, y, reduction="mean"):
    return nn.functional.cross_entropy(scores.flatten(0, -2), y.flatten(), reduction=reduction)


@contextlib.contextmanager
def recording(model, path, **options):
    """A recorder; what it writes, before it is rounded, stands in its list `given`."""
    with rnn.TorchRecorder(model, path, **{"every": 1, "lags": K, **options}) as recorder:
        recorder.given, append = [], recorder.recording.append_arrays

        def noted(number, position, arrays, inside):
            recorder.given.append((number, arrays, inside))
            append(number, position, arrays, inside)

        recorder.recording.append_arrays = noted
        yield recorder


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.rnnbow"


def unrolled(module, x, losses, state=None):
    """The witness: the module's net step by step. x (T, B, I); losses: states (T, B, D*H) -> (T, B)."""
    net = net_of(module)
    x = x.detach().numpy().astype(float)
    return net, torch_rnn.Unrolled(net, x, np.zeros(x.shape[:2], int), state, seed=losses)


def assert_itemized(net, witness, insides, lags=K):
    for strand, inside in zip(net.strands, insides, strict=True):
        parts = views.parts_of(net.cell, inside)
        for parameter, gate in views.views(net.cell):
            name = f"{parameter}_{strand}"
            want = torch_rnn.itemized(witness.cells(name, gate), inside.lags, False, name.endswith("reverse"))
            got = views.view_of(net.cell, parts, parameter, gate)
            for field, value in got.items():
                scale = want["total"] if "share" in field else want["norm"].max()
                np.testing.assert_allclose(
                    value, want[field], rtol=1e-9, atol=1e-12 * (1e-3 + scale), err_msg=(name, gate, field)
                )


def squared(parameter):
    return float((parameter.grad.double() ** 2).sum())


# --- against autograd


@EVERY_NET
def test_cross_entropy_of_an_embedding_and_a_decoder(cell, layers, both, path):
    model = Model(cell, layers, both).double()
    x, y = tokens(B, T), tokens(B, T, rng=1)
    with recording(model, path) as recorder:
        cross_entropy(model(x), y).backward()
        recorder.step(targets=y)
        ((_, _, insides),) = recorder.given
        seed = lambda out: cross_entropy(model.decode(out), y.T, "none").reshape(T, B) / (T * B)  # noqa: E731
        net, witness = unrolled(model.net, model.embed(x).transpose(0, 1), seed)
        assert_itemized(net, witness, insides)
    with rnn.Recording.open(path) as rec:
        assert rec.settings["source"] == "torch"
        batch = rec[0]
        np.testing.assert_array_equal(batch.inputs, x.T)
        np.testing.assert_array_equal(batch.targets, y.T)
        scores = model(x).detach()
        np.testing.assert_array_equal(batch.predicted, scores.argmax(-1).T)
        np.testing.assert_allclose(batch.top_probability[..., 0], scores.softmax(-1).amax(-1).T, rtol=1e-3)
        want = cross_entropy(scores, y, "none").reshape(B, T).T
        np.testing.assert_allclose(batch.loss, want, rtol=1e-5)
        assert rec.overview().loss[0] == pytest.approx(want.mean().item(), rel=1e-5)
        assert rec.overview().correct[0] == (scores.argmax(-1) == y).double().mean().item()
        assert batch.mask is None
        for name in rec.parameters:
            assert rec.view(0, name).total == pytest.approx(squared(getattr(model.net, name)), rel=1e-3, abs=1e-12)
            for gate in rec.gates:
                assert rec.view(0, name, gate).norm.shape == rec.view(0, name).norm.shape
        np.testing.assert_array_equal(rec.net().flat, net.flat)


@EVERY_NET
def test_a_read_out_that_nobody_knows_of(cell, layers, both, path):
    """Float inputs, a given state, an odd loss, no decoder, steps weighted."""
    torch.manual_seed(1)
    module = KINDS[cell](3, H, layers, bidirectional=both).double()
    x, weight = torch.randn(T, B, 3).double(), torch.rand(T, B).double()
    state = tuple(torch.randn(layers * (1 + both), B, H).double() for _ in range(1 + (cell == "lstm")))

    def losses(out):
        return weight * (out.sin().cumsum(-1) ** 2).mean(-1).sqrt()

    with recording(module, path) as recorder:
        losses(module(x, state if len(state) == 2 else state[0])[0]).sum().backward()
        recorder.step()
        ((_, _, insides),) = recorder.given
    states = [part.numpy() for part in state]
    net, witness = unrolled(module, x, losses, tuple(states) if len(states) == 2 else states[0])
    assert_itemized(net, witness, insides)
    with rnn.Recording.open(path) as rec:
        batch = rec[0]
        assert batch.inputs is batch.targets is batch.top is batch.top_probability is batch.predicted is None
        assert rec.symbols is None
        assert np.isnan(batch.loss).all()
        assert np.isnan(rec.overview()[["loss", "correct"]]).all(axis=None)
        found = batch.state if cell == "lstm" else (batch.state,)
        for got, want in zip(found, states, strict=True):
            np.testing.assert_array_equal(got, want)
        with pytest.raises(LookupError, match="holds no corpus"):
            rec.corpus()
        for name in rec.parameters:
            assert rec.view(0, name).total == pytest.approx(squared(getattr(module, name)), rel=1e-3, abs=1e-12)


@pytest.mark.parametrize("cell", ["tanh", "relu", "gru", "lstm"])
@pytest.mark.parametrize("both", [False, True])
def test_a_loss_of_the_last_state(cell, both, path):
    """Classification from h_n of the last layer: the same as from the outputs at both ends."""
    options = {"nonlinearity": "relu"} if cell == "relu" else {}
    torch.manual_seed(1)
    module = KINDS.get(cell, nn.RNN)(3, H, 2, bidirectional=both, **options).double()
    x = torch.randn(T, B, 3).double()
    with recording(module, path) as recorder:
        last = module(x)[1]
        h = last[0] if cell == "lstm" else last
        (torch.cat(list(h[-1 - both :]), 1) ** 3).sum().backward()
        recorder.step()
        ((_, _, insides),) = recorder.given

    def losses(out):
        asked = torch.zeros(T, B).double()
        asked[-1] = (out[-1, :, :H] ** 3).sum(-1)
        first = (out[0, :, H:] ** 3).sum(-1) if both else 0
        return asked + torch.nn.functional.one_hot(torch.tensor(0), T)[:, None] * first

    assert_itemized(*unrolled(module, x, losses), insides)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_last_states_of_packed_sequences(layers, both, path):
    model, lengths = Model("lstm", layers, both, outputs=3).double(), [2, 6, 4]
    x, y = tokens(3, 8), tokens(3, symbols=3)
    with recording(model, path, lags=6) as recorder:
        packed = pack_padded_sequence(model.embed(x), lengths, batch_first=True, enforce_sorted=False)
        h = model.net(packed)[1][0]
        losses = nn.functional.cross_entropy(model.decode(torch.cat(list(h[-1 - both :]), 1)), y, reduction="none")
        losses.mean().backward()
        recorder.step(targets=y)
    with rnn.Recording.open(path) as rec:
        for name in rec.parameters:
            batch = rec.view(0, name)
            assert batch.total == pytest.approx(squared(getattr(model.net, name)), rel=1e-3)
            assert batch.norm[:2, :, 0].any()
            assert not batch.norm[2:, :, 0].any()
        want = np.full((6, 3), np.nan)
        want[np.array(lengths) - 1, range(3)] = losses.detach()
        np.testing.assert_allclose(rec[0].loss, want, rtol=1e-5)


@pytest.mark.parametrize("cell, layers, both", [("gru", 3, False), ("lstm", 2, False), ("lstm", 1, True)])
def test_losses_of_lower_layers_and_cell_states(cell, layers, both, path):
    """All last states, as an encoder hands them to a decoder: whole gradients agree with autograd's."""
    torch.manual_seed(1)
    module = KINDS[cell](3, H, layers, bidirectional=both).double()
    x = torch.randn(T, B, 3).double()
    with recording(module, path, lags=T) as recorder:
        out, last = module(x)
        parts = last if cell == "lstm" else (last,)
        (sum((part.sin() * (i + 1)).sum() for i, part in enumerate(parts)) + (out**2).sum()).backward()
        recorder.step()
        ((_, _, insides),) = recorder.given
        for strand, inside in zip(views.strand_names(layers, both), insides, strict=True):
            parts = views.parts_of(net_of(module).cell, inside)
            for parameter in views.PARAMETERS:
                view = views.view_of(net_of(module).cell, parts, parameter, None)
                total = view["share"].sum() + view["share_beyond"].sum()
                assert total == pytest.approx(squared(getattr(module, f"{parameter}_{strand}")), rel=1e-9)
                assert abs(view["share_beyond"]).max() <= 1e-9 * total


def test_lower_layers_of_a_bidirectional_stack_are_refused(path):
    module = nn.GRU(3, H, 2, bidirectional=True)
    with recording(module, path) as recorder:
        module(torch.randn(T, B, 3))[1].sum().backward()
        with pytest.raises(ValueError, match="last states of layers below the last one"):
            recorder.step()


@pytest.mark.parametrize("cell, layers, both", [("lstm", 1, False), ("gru", 2, True), ("tanh", 2, False)])
@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("flat", [True, False], ids=["decoder on rows", "decoder on padded"])
def test_packed_sequences(cell, layers, both, ordered, flat, path):
    model, lengths = Model(cell, layers, both).double(), [6, 4, 1] if ordered else [4, 6, 1]
    x, y = tokens(3, 8), tokens(3, 8, rng=1)
    for b, length in enumerate(lengths):
        y[b, length:] = -100
    with recording(model, path) as recorder:
        packed = pack_padded_sequence(model.embed(x), lengths, batch_first=True, enforce_sorted=ordered)
        start = tuple(torch.randn(layers * (1 + both), 3, H).double() for _ in range(1 + (cell == "lstm")))
        out = model.net(packed, start if cell == "lstm" else start[0])[0]
        if flat:
            scores = model.decode(out.data)
            wanted = pack_padded_sequence(y, lengths, batch_first=True, enforce_sorted=ordered)
            loss = nn.functional.cross_entropy(scores, wanted.data, reduction="sum")
        else:
            scores, wanted = model.decode(pad_packed_sequence(out, batch_first=True)[0]), y
            loss = nn.functional.cross_entropy(scores.transpose(1, 2), y[:, :6], reduction="sum")
        loss.backward()
        recorder.step(targets=wanted)
        ((_, _, insides),) = recorder.given
    net, scored = net_of(model.net), torch.zeros(6, 3)
    for b, length in enumerate(lengths):
        seed = lambda out: cross_entropy(model.decode(out), y[b, : out.shape[0]], "none").reshape(-1, 1)  # noqa: B023, E731
        given = model.embed(x[b, :length])[:, None]
        own = tuple(part[:, b : b + 1].contiguous() for part in start)
        state = tuple(part.numpy() for part in own)
        _, witness = unrolled(model.net, given, seed, state if cell == "lstm" else state[0])
        out = model.net(given.transpose(0, 1), own if cell == "lstm" else own[0])[0]
        scored[:length, b] = seed(out[0][:, None])[:, 0].detach()
        for strand, inside in zip(net.strands, insides, strict=True):
            parts = views.parts_of(net.cell, inside)
            for parameter in views.PARAMETERS:
                name = f"{parameter}_{strand}"
                want = torch_rnn.itemized(witness.cells(name), inside.lags, False, name.endswith("reverse"))
                got = views.view_of(net.cell, parts, parameter, None)
                for field in ("norm", "beyond"):
                    np.testing.assert_allclose(got[field][:length, ..., b], want[field][..., 0], rtol=1e-9, atol=1e-13)
                    assert not got[field][length:, ..., b].any()
    with rnn.Recording.open(path) as rec:
        batch = rec[0]
        np.testing.assert_array_equal(batch.mask, np.arange(6)[:, None] < lengths)
        np.testing.assert_array_equal(batch.inputs[batch.mask], x.T[:6][batch.mask])
        np.testing.assert_array_equal(batch.targets[batch.mask], y.T[:6][batch.mask])
        np.testing.assert_array_equal(np.isnan(batch.loss), ~batch.mask)
        np.testing.assert_allclose(batch.loss[batch.mask], scored[batch.mask], rtol=1e-5)
        for name in rec.parameters:
            assert rec.view(0, name).total == pytest.approx(squared(getattr(model.net, name)), rel=1e-3)


# --- layouts


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("turned", [True, False])
def test_every_layout_of_targets(batch_first, flat, turned, path):
    model = Model("gru", batch_first=batch_first)
    x, y = tokens(T, B), tokens(T, B, rng=1)
    lead = (lambda a: a.T) if batch_first else (lambda a: a)
    with recording(model, path) as recorder:
        cross_entropy(model(lead(x)), lead(y)).backward()
        recorder.step(
            targets=y.T if turned and not batch_first else y if turned else lead(y).flatten() if flat else lead(y)
        )
    with rnn.Recording.open(path) as rec:
        np.testing.assert_array_equal(rec[0].inputs, x)
        np.testing.assert_array_equal(rec[0].targets, y)
        np.testing.assert_allclose(
            rec[0].loss,
            cross_entropy(model(lead(x)), lead(y), "none").reshape(lead(y).shape).detach().T
            if batch_first
            else cross_entropy(model(x), y, "none").reshape(T, B).detach(),
            rtol=1e-5,
        )


def test_an_unbatched_sequence(path):
    model = Model("lstm", 2)
    x, y = tokens(T), tokens(T, rng=1)
    with recording(model, path) as recorder:
        state = (torch.ones(2, H), torch.ones(2, H))
        cross_entropy(model(x, state), y).backward()
        recorder.step(targets=y)
    with rnn.Recording.open(path) as rec:
        np.testing.assert_array_equal(rec[0].inputs[:, 0], x)
        np.testing.assert_array_equal(rec[0].targets[:, 0], y)
        assert (rec[0].state[0] == 1).all()
        for name in rec.parameters:
            assert rec.view(0, name).total == pytest.approx(squared(getattr(model.net, name)), rel=1e-3)


def test_one_hot_inputs_are_tokens(path):
    module, decode = nn.GRU(V, H), nn.Linear(H, V)
    model, x, y = nn.ModuleList([module, decode]), tokens(T, B), tokens(T, B, rng=1)
    with recording(model, path) as recorder:
        cross_entropy(decode(module(nn.functional.one_hot(x, V).float())[0]), y).backward()
        recorder.step(targets=y)
    with rnn.Recording.open(path) as rec:
        np.testing.assert_array_equal(rec[0].inputs, x)
        assert rec.symbols == list("0123456")


@pytest.mark.parametrize("head", [nn.LogSoftmax(-1), nn.Softmax(-1)])
def test_heads_that_end_in_a_softmax(head, path):
    model, y = Model("gru", outputs=5), tokens(B, T, rng=1, symbols=5)
    model.decode = nn.Sequential(nn.Linear(H, H), nn.Tanh(), nn.Linear(H, 5), head)
    with recording(model, path) as recorder:
        out = model(tokens(B, T))
        log = out if isinstance(head, nn.LogSoftmax) else out.log()
        nn.functional.nll_loss(log.flatten(0, 1), y.flatten()).backward()
        recorder.step(targets=y)
    with rnn.Recording.open(path) as rec:
        want = -log.detach().gather(-1, y[..., None])[..., 0].T
        np.testing.assert_allclose(rec[0].loss, want, rtol=1e-5)
        assert (len(rec.symbols), len(rec.target_symbols)) == (V, 5)


def test_scores_that_are_handed_over(path):
    """A tied decoder is no module: nothing is guessed, and what is told is taken."""
    model, x, y = Model("gru"), tokens(B, T), tokens(B, T, rng=1)
    model.embed = nn.Embedding(V, H)
    model.net = nn.GRU(H, H, batch_first=True)
    for told in (False, True):
        with recording(model, path.with_name(str(told))) as recorder:
            scores = model.net(model.embed(x))[0] @ model.embed.weight.T
            cross_entropy(scores, y).backward()
            recorder.step(targets=y, scores=scores if told else None)
        with rnn.Recording.open(path.with_name(str(told))) as rec:
            assert (rec[0].top is not None) == told
            assert np.isnan(rec[0].loss).all() != told
            np.testing.assert_array_equal(rec[0].targets, y.T)


def test_one_target_per_sequence(path):
    model = Model("lstm", outputs=3)
    y = tokens(B, symbols=3)
    with recording(model, path) as recorder:
        scores = model.decode(model.net(model.embed(tokens(B, T)))[0][:, -1])
        losses = nn.functional.cross_entropy(scores, y, reduction="none")
        losses.mean().backward()
        recorder.step(targets=y)
    with rnn.Recording.open(path) as rec:
        assert rec[0].targets is rec[0].top is None
        assert np.isnan(rec[0].loss[:-1]).all()
        np.testing.assert_allclose(rec[0].loss[-1], losses.detach(), rtol=1e-5)
        assert rec.overview().loss[0] == pytest.approx(losses.mean().item(), rel=1e-5)


def test_targets_to_be_ignored(path):
    model, x, y = Model("gru"), tokens(B, T), tokens(B, T, rng=1)
    y[0, 2:4] = -100
    with recording(model, path) as recorder:
        cross_entropy(model(x), y).backward()
        recorder.step(targets=y)
    with rnn.Recording.open(path) as rec:
        np.testing.assert_array_equal(np.isnan(rec[0].loss), y.T < 0)
        assert rec[0].mask is None
        right = (model(x).argmax(-1) == y)[y >= 0]
        assert rec.overview().correct[0] == pytest.approx(right.double().mean().item())


def test_names_of_tokens(path):
    model, x = Model("gru"), tokens(B, T)
    with recording(model, path, symbols="abcdefg") as recorder:
        cross_entropy(model(x), x).backward()
        recorder.step(targets=x)
    with rnn.Recording.open(path) as rec:
        assert rec.symbols == rec.target_symbols == list("abcdefg")
    with recording(model, path.with_name("b"), symbols="abc") as recorder:
        cross_entropy(model(x), x).backward()
        with pytest.raises(ValueError, match="symbols: expected a name for each of the 7 tokens, got 3"):
            recorder.step(targets=x)


# --- loops


def train(model, recorder, steps, start=0, between=None, size=(B, T)):
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for i in range(start, start + steps):
        x = tokens(*size, rng=i)
        optimizer.zero_grad()
        cross_entropy(model(x), x).backward()
        recorder.step(targets=x)
        if between:
            between(i)
        optimizer.step()


def test_hooks_are_there_on_recorded_steps_only(path):
    model, seen = Model("lstm"), []
    parts = [part for part in model.modules() if part is not model]
    with recording(model, path, every=3) as recorder:
        assert all(part._forward_hooks for part in parts)
        train(model, recorder, 8, between=lambda i: seen.append(any(part._forward_hooks for part in parts)))
    assert seen == [False, False, True, False, False, True, False, False]
    assert not any(part._forward_hooks for part in parts)
    with rnn.Recording.open(path) as rec:
        assert rec.overview().step.tolist() == [0, 3, 6]
        assert (rec.overview().position == -1).all()


def test_recording_does_not_change_the_training(path):
    plain, recorded = Model("gru", 2), Model("gru", 2)
    train(plain, type("Nobody", (), {"step": lambda *_, **__: None}), 5)
    with recording(recorded, path) as recorder:
        train(recorded, recorder, 5)
    for one, other in zip(plain.parameters(), recorded.parameters(), strict=True):
        assert torch.equal(one, other)


def test_passes_without_gradients_leave_nothing_behind(path):
    model, alive = Model("lstm"), []
    with recording(model, path) as recorder:
        for evaluate in (True, False):
            given = model.embed(tokens(3, 9)).detach()
            alive.append(weakref.ref(given))
            model.train(not evaluate)
            model.net(given)  # with a graph that nobody walks back
            with torch.no_grad():
                model.net(given)
            del given
        gc.collect()
        assert [reference() for reference in alive] == [None, None]
        model.train()
        x = tokens(B, T)
        cross_entropy(model(x), x).backward()
        model.eval()
        with torch.no_grad():
            model(tokens(3, 9))
        recorder.step(targets=x)
    with rnn.Recording.open(path) as rec:
        assert rec[0].norm.shape == (T, K, B)
        np.testing.assert_array_equal(rec[0].inputs, x.T)
        assert rec.view(0, "weight_ih_l0").total == pytest.approx(squared(model.net.weight_ih_l0), rel=1e-3)


@pytest.mark.parametrize("together", [True, False], ids=["one backward", "one each"])
def test_the_last_of_several_passes_is_recorded(together, path):
    model, losses = Model("lstm"), []
    with recording(model, path) as recorder:
        for i in range(3):
            x = tokens(B, T, rng=i)
            losses.append(cross_entropy(model(x), x))
            if not together:
                model.zero_grad()
                losses[-1].backward()
        if together:
            sum(losses).backward()
        recorder.step(targets=x)
    with rnn.Recording.open(path) as rec:
        np.testing.assert_array_equal(rec[0].inputs, x.T)
        model.zero_grad()
        cross_entropy(model(x), x).backward()
        assert rec[0].total == pytest.approx(squared(model.net.weight_hh_l0), rel=1e-3)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_of_the_model_are_not_recorded(again, path):
    model, x = Model("gru"), tokens(B, T)
    with recording(model, path) as recorder:
        copied = again(model)
        cross_entropy(copied(x), x).backward()
        with pytest.raises(RuntimeError, match="no gradient has come back"):
            recorder.step()
        train(model, recorder, 1)
        assert len(recorder.given) == 1


def test_a_recorder_that_is_let_go_closes_its_file(path):
    model = Model("gru")
    recorder = rnn.TorchRecorder(model, path, every=1)
    train(model, recorder, 3)
    del recorder
    gc.collect()
    assert not model.net._forward_hooks
    with rnn.Recording.open(path, write=True) as rec:
        assert len(rec) == 3


def test_gradient_checkpointing(path):
    model, x = Model("gru"), tokens(B, T)
    with recording(model, path) as recorder:
        out = torch.utils.checkpoint.checkpoint(model.net, model.embed(x), use_reentrant=False)[0]
        cross_entropy(model.decode(out), x).backward()
        recorder.step(targets=x)
    with rnn.Recording.open(path) as rec:
        assert rec[0].total == pytest.approx(squared(model.net.weight_hh_l0), rel=1e-3)


def test_a_pass_of_an_earlier_step_does_not_come_again(path):
    model, x = Model("gru"), tokens(B, T)
    with recording(model, path) as recorder:
        loss = cross_entropy(model(x), x)
        loss.backward(retain_graph=True)
        recorder.step(targets=x)
        loss.backward()
        with pytest.raises(RuntimeError, match="no gradient has come back"):
            recorder.step(targets=x)


def test_truncated_back_propagation_through_time(path):
    """A window per step, the state carried on."""
    model, state = Model("lstm"), None
    with recording(model, path) as recorder:
        for i in range(3):
            x = tokens(B, T, rng=i)
            out, last = model.net(model.embed(x), state)
            before, state = state, tuple(part.detach() for part in last)
            model.zero_grad()
            cross_entropy(model.decode(out), x).backward()
            recorder.step(targets=x)
    with rnn.Recording.open(path) as rec:
        for got, want in zip(rec[2].state, before, strict=True):
            np.testing.assert_array_equal(got, want)
        assert rec[2].total == pytest.approx(squared(model.net.weight_hh_l0), rel=1e-3)


def test_step_wants_a_gradient(path):
    model = Model("gru")
    with recording(model, path, every=2) as recorder:
        with pytest.raises(RuntimeError, match=r"call it after loss\.backward\(\)"):
            recorder.step()
        train(model, recorder, 1)
        recorder.step()  # not to be recorded: nobody looks
    with pytest.raises(RuntimeError, match="this recorder is closed"):
        recorder.step()
    recorder.close()


def test_two_backward_calls_of_one_pass_add_up(path):
    model, x = Model("gru").double(), tokens(B, T)
    with recording(model, path) as recorder:
        scores = model(x)
        for part in (slice(0, 2), slice(2, T)):
            cross_entropy(scores[:, part], x[:, part], "sum").backward(retain_graph=True)
        recorder.step(targets=x)
    with rnn.Recording.open(path) as rec:
        assert rec[0].total == pytest.approx(squared(model.net.weight_hh_l0), rel=1e-3)


# --- numbers


@pytest.mark.parametrize("given", ["recorder", "step", "scaler"])
def test_scaled_losses(given, path):
    model, x = Model("gru"), tokens(B, T)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**12)
    scale = {"recorder": 2.0**12, "step": None, "scaler": scaler}[given]
    with recording(model, path, scale=scale) as recorder:
        scaler.scale(cross_entropy(model(x), x)).backward()
        recorder.step(targets=x, scale=2.0**12 if given == "step" else None)
    with rnn.Recording.open(path) as rec:
        assert rec[0].total == pytest.approx(squared(model.net.weight_hh_l0) / 2.0**24, rel=1e-3)
    with recording(model, path.with_name("b"), scale=0) as recorder:
        cross_entropy(model(x), x).backward()
        with pytest.raises(ValueError, match="scale: expected a positive number or a GradScaler"):
            recorder.step()


@pytest.mark.parametrize("mixed", [True, False], ids=["autocast", "bfloat16"])
def test_half_precision(mixed, path):
    model, x = Model("lstm"), tokens(B, T)
    if not mixed:
        model = model.to(torch.bfloat16)
    with recording(model, path) as recorder:
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            scores = model(x)
        cross_entropy(scores.float(), x).backward()
        recorder.step(targets=x)
    with rnn.Recording.open(path) as rec:
        assert rec.settings["dtype"] == "float32"
        assert rec[0].total == pytest.approx(squared(model.net.weight_hh_l0), rel=0.1)


def test_gradients_that_are_not_finite_are_skipped(path):
    model, x = Model("gru"), tokens(B, T)
    with recording(model, path) as recorder:
        for factor in (1.0, float("inf"), 1.0):
            (cross_entropy(model(x), x) * factor).backward()
            recorder.step(targets=x)
        assert recorder.skipped == {"gradients that are not finite": 1}
    with rnn.Recording.open(path) as rec:
        assert rec.overview().step.tolist() == [0, 2]
        assert rec.settings["skipped"] == {"gradients that are not finite": 1}


def test_weights_that_are_not_finite_are_skipped(path):
    model, x = Model("gru"), tokens(B, T)
    with recording(model, path) as recorder:
        train(model, recorder, 1)
        with torch.no_grad():
            model.net.weight_hh_l0.fill_(float("nan"))
        cross_entropy(model(x), x).backward()
        recorder.step(targets=x)
        assert recorder.skipped == {"gradients that are not finite": 1}
    with rnn.Recording.open(path) as rec:
        assert len(rec) == 1


def test_errors_too_large_for_float32(path):
    module = nn.RNN(3, H, nonlinearity="relu")
    with torch.no_grad():
        for p in module.parameters():
            p.fill_(50.0)
    with recording(module, path, lags=20) as recorder:
        (module(torch.ones(20, 1, 3))[0][-1] * 1e-8).sum().backward()
        recorder.step()
    with rnn.Recording.open(path) as rec:
        assert len(rec) == 1
        assert np.isfinite(rec[0].norm).all()
        assert rec[0].norm.max() > 1e30


# --- shapes


def test_smaller_batches_are_padded_and_larger_ones_skipped(path):
    model, sizes = Model("gru", 2, True).double(), [(B, T), (1, T), (B, 3), (3, T), (B, T + 1), (B, T)]
    totals, small = [], None
    with recording(model, path) as recorder:
        for i, size in enumerate(sizes):
            model.zero_grad()
            x = tokens(*size, rng=i)
            cross_entropy(model(x), x).backward()
            recorder.step(targets=x)
            totals.append({name: squared(p) for name, p in model.net.named_parameters()})
            small = x if size == (B, 3) else small
        assert recorder.skipped == {f"larger than {T} steps x {B} sequences": 2}
    with rnn.Recording.open(path) as rec:
        assert rec.overview().step.tolist() == [0, 1, 2, 5]
        assert [batch.mask is None for batch in rec] == [True, False, False, True]
        assert rec[1].mask.tolist() == [[True, False]] * T
        assert rec[2].mask.tolist() == [[True, True]] * 3 + [[False, False]] * 3
        np.testing.assert_array_equal(rec[2].inputs[:3], small.T)
        for number, step in enumerate(rec.overview().step):
            for name in rec.parameters:
                batch = rec.view(number, name)
                assert batch.total == pytest.approx(totals[step][name], rel=1e-3)
                if batch.mask is not None:
                    assert not batch.norm.transpose(0, 2, 1)[~batch.mask].any()
    with recording(model, path.with_name("b"), steps=9, sequences=4) as recorder:
        cross_entropy(model(tokens(B, T)), tokens(B, T)).backward()
        recorder.step()
    with rnn.Recording.open(path.with_name("b")) as rec:
        assert rec[0].norm.shape[0::2] == (9, 4)


def test_mean_lag_leaves_out_what_reaches_into_padding(path):
    model = Model("gru")
    with recording(model, path, steps=12, sequences=3) as recorder:
        train(model, recorder, 1)
    with recording(Model("gru"), path.with_name("b")) as recorder:
        train(recorder.model, recorder, 1)
    with rnn.Recording.open(path) as one, rnn.Recording.open(path.with_name("b")) as other:
        for options in ({}, {"parameter": "bias_ih_l0", "gate": "n"}):
            for name in ("mean_lag", "max_gradient", "loss", "correct"):
                assert one.overview(**options)[name][0] == pytest.approx(other.overview(**options)[name][0], rel=1e-5)


def test_a_batch_that_knows_less_is_skipped(path):
    model, x = Model("gru"), tokens(B, T)
    with recording(model, path) as recorder:
        for targets in (x, None, x):
            cross_entropy(model(x), x).backward()
            recorder.step(targets=targets)
        assert list(recorder.skipped.values()) == [1]
    with rnn.Recording.open(path) as rec:
        assert len(rec) == 2


# --- models


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode, self.decode = nn.GRU(3, H), nn.LSTM(H, 5)

    def forward(self, x):
        return self.decode(self.encode(x)[0])[0]


def test_one_of_several_modules(path):
    model = Two()
    with pytest.raises(ValueError, match=r"found 'encode' \(GRU\), 'decode' \(LSTM\); name one by rnn="):
        rnn.TorchRecorder(model, path)
    with pytest.raises(ValueError, match=r"rnn: expected one of 'encode' \(GRU\), 'decode' \(LSTM\), got 'other'"):
        rnn.TorchRecorder(model, path, rnn="other")
    for number, chosen in enumerate(("encode", model.decode)):
        with recording(model, path.with_name(str(number)), rnn=chosen) as recorder:
            model.zero_grad()
            model(torch.randn(T, B, 3)).sum().backward()
            recorder.step()
            with rnn.Recording.open(path.with_name(str(number))) as rec:
                pass
        with rnn.Recording.open(path.with_name(str(number))) as rec:
            assert rec.settings["cell"] == ("gru", "lstm")[number]
            assert rec[0].total == pytest.approx(squared(recorder.module.weight_hh_l0), rel=1e-3)


@pytest.mark.parametrize(
    "make, kind, message",
    [
        (lambda: nn.Linear(2, 2), ValueError, "expected one nn.RNN, nn.GRU or nn.LSTM in it, found none"),
        (lambda: nn.LSTMCell(2, 2), ValueError, "cells called step by step cannot be recorded"),
        (lambda: nn.LSTM(3, 4, proj_size=2), ValueError, "proj_size=2; projections are not supported"),
        (lambda: torch.ones(3), TypeError, "expected a torch.nn.Module, got Tensor"),
    ],
)
def test_models_that_cannot_be_recorded(make, kind, message, path):
    with pytest.raises(kind, match=message):
        rnn.TorchRecorder(make(), path)
    assert not path.exists()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"every": 0}, "every must be"),
        ({"lags": 0}, "lags must be"),
        ({"lags": None}, "lags must be"),
        ({"steps": 1.5}, "steps must be"),
        ({"sequences": 0}, "sequences must be"),
        ({"parameter": "weight_hh_l1"}, "parameter must be one of"),
        ({"parameter": "state"}, "no gradient to share"),
    ],
)
def test_arguments_that_make_no_sense(options, message, path):
    with pytest.raises(ValueError, match=message):
        rnn.TorchRecorder(nn.GRU(3, 4), path, **options)
    assert not path.exists()


def test_wrapped_models(path, monkeypatch):
    x = tokens(B, T)
    model = Model("gru")
    with recording(nn.DataParallel(model), path) as recorder:
        assert recorder.module is model.net
        train(model, recorder, 1)
    spread = nn.DataParallel(model)
    monkeypatch.setattr(spread, "device_ids", [0, 1], raising=False)
    with pytest.raises(ValueError, match=r"splits each batch over the devices \[0, 1\]"):
        rnn.TorchRecorder(spread, path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = torch.compile(Model("gru"), backend="eager")
        with recording(compiled, path.with_name("b"), every=2) as recorder:
            for _ in range(5):
                compiled.zero_grad()
                cross_entropy(compiled(x), x).backward()
                recorder.step(targets=x)
    with rnn.Recording.open(path.with_name("b")) as rec:
        assert len(rec) == 3
        assert rec[2].total == pytest.approx(squared(recorder.module.weight_hh_l0), rel=1e-3)
        np.testing.assert_array_equal(rec[2].inputs, x.T)


def test_parametrized_and_bias_free_weights(path):
    model = Model("lstm", bias=False).double()
    torch.nn.utils.parametrizations.weight_norm(model.net, "weight_hh_l0")
    x = tokens(B, T)
    with recording(model, path) as recorder:
        cross_entropy(model(x), x, "sum").backward()
        recorder.step(targets=x)
    with rnn.Recording.open(path) as rec:
        assert rec.view(0, "weight_ih_l0").total == pytest.approx(squared(model.net.weight_ih_l0), rel=1e-3)
        assert not rec.net().parameters["bias_hh_l0"].any()


def test_dropout_is_off_in_the_analysis(path):
    model, x = Model("lstm", 2, dropout=0.5), tokens(B, T)
    with recording(model, path) as recorder:
        cross_entropy(model(x), x).backward()
        recorder.step(targets=x)
    with rnn.Recording.open(path) as rec:
        assert rec.settings["dropout"] == 0.5
        assert rec.view(0, "weight_hh_l1").norm.any()


@pytest.mark.gpu
@pytest.mark.parametrize("mixed", [False, True])
def test_a_model_on_a_device(mixed, path):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    model, x = Model("lstm", 2, True).cuda(), tokens(B, T)
    with recording(model, path) as recorder:
        with torch.autocast("cuda", enabled=mixed):
            loss = cross_entropy(model(x.cuda()), x.cuda())
        loss.backward()
        recorder.step(targets=x.cuda())
    with rnn.Recording.open(path) as rec:
        np.testing.assert_array_equal(rec[0].inputs, x.T)
        for name in rec.parameters:
            want = squared(getattr(model.net, name))
            assert rec.view(0, name).total == pytest.approx(want, rel=0.1 if mixed else 1e-2)


# --- files


def test_existing_files_are_left_alone(path):
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="exists already"):
        rnn.TorchRecorder(nn.GRU(3, 4), path)
    assert path.read_text() == "mine"


def test_going_on(path):
    model = Model("gru")
    for start in (0, 5):
        with recording(model, path, every=2, resume=True) as recorder:
            assert recorder.number == start
            train(model, recorder, 5, start)
    with rnn.Recording.open(path) as rec:
        assert rec.overview().step.tolist() == [0, 2, 4, 6, 8]
    with recording(model, path, every=2, resume=4) as recorder:
        assert len(recorder.recording) == 2
        train(model, recorder, 1, 4)
    with rnn.Recording.open(path) as rec:
        assert rec.overview().step.tolist() == [0, 2, 4]
        np.testing.assert_array_equal(rec[2].inputs, tokens(B, T, rng=4).T)
    with rnn.Recording.open(path, write=True) as rec, pytest.raises(ValueError, match="PyTorch training loop"):
        rnn.Trainer.resume(rec)
    with pytest.raises(ValueError, match="made for a module with cell 'gru', the one here has 'lstm'"):
        rnn.TorchRecorder(Model("lstm"), path, resume=True)
    rnn.TorchRecorder(model, path, resume=True).close()  # nobody holds it


def test_only_the_main_parameter(path):
    model = Model("lstm", 2)
    with recording(model, path, inside=False, parameter="bias_ih_l1") as recorder:
        train(model, recorder, 2)
    with rnn.Recording.open(path) as rec:
        assert rec.parameters == ["bias_ih_l1"]
        assert len(rec) == 2


CRASHED = """
import sys, torch
from torch import nn
from learnviews.kernels import rnn
module = nn.GRU(3, 4)
recorder = rnn.TorchRecorder(module, sys.argv[1], every=1)
for i in range(100):
    module(torch.randn(6, 2, 3))[0].sum().backward()
    recorder.step()
    if i == 9:
        raise RuntimeError("the user's own")
"""


def test_an_error_in_the_loop_leaves_the_file_whole(path):
    done = subprocess.run([sys.executable, "-c", CRASHED, str(path)], capture_output=True, text=True, timeout=100)
    assert "the user's own" in done.stderr
    with rnn.Recording.open(path) as rec:
        assert len(rec) == len(list(rec)) == 10
    model = Model("gru")
    with pytest.raises(ZeroDivisionError), recording(model, path.with_name("b")) as recorder:
        train(model, recorder, 3)
        _ = 1 / 0
    assert not model.net._forward_hooks
    with rnn.Recording.open(path.with_name("b")) as rec:
        assert len(rec) == 3


def test_full_disk_is_told(path):
    model = Model("gru")
    with recording(model, path) as recorder:
        train(model, recorder, 1)
        used = recorder.recording._connection.execute("PRAGMA page_count").fetchone()[0]
        recorder.recording._connection.execute(f"PRAGMA max_page_count = {used + 1}")
        with pytest.raises(rnn.StoreError, match="disk is full"):
            train(model, recorder, 2000, size=(B, T))
        with contextlib.suppress(rnn.StoreError):
            recorder.close()
    with rnn.Recording.open(path) as rec:
        assert len(list(rec)) == len(rec) >= 1


def test_everything_else_works_without_pytorch():
    script = """
        import sys
        sys.modules["torch"] = None
        import learnviews
        from learnviews.kernels import rnn
        net = rnn.RecurrentNet("gru", 3, 4, 3)
        rnn.from_state_dict(net.state_dict())
        try:
            rnn.TorchRecorder(object(), "a")
        except ImportError as error:
            assert "torch" in str(error)
        else:
            raise AssertionError
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True, cwd="/", timeout=100)
    light = "import sys; from learnviews.kernels import rnn; assert 'torch' not in sys.modules; rnn.TorchRecorder"
    subprocess.run([sys.executable, "-c", light], check=True, cwd="/", timeout=100)
