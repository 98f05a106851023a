"""Padding and other masks, odd layouts and sizes, for every cell, depth and head: what is masked adds nothing."""

import cases
import numpy as np
import pytest
import torch_rnn
from deep_nets import BOTH_DIRECTIONS, EVERY_CELL, EVERY_HEAD, assert_itemized, close, make_batch, make_net
from hypothesis import given
from hypothesis import strategies as st

from learnviews.kernels import rnn

LENGTHS = np.array([4, 6, 1])
PADDING = np.where(np.arange(6)[:, None] < LENGTHS, 1.0, 0.0)


def padded(net, head, kind="floats", rng=5):
    """A batch of three sequences of 4, 6 and 1 steps, nonsense in the padding, and the sequences by themselves."""
    batch = make_batch(net, kind, head, B=3, rng=rng) | {"mask": PADDING}
    alone = []
    for b, length in enumerate(LENGTHS):
        part = {"x": batch["x"][:length, [b]], "y": batch["y"][:, [b]][:length] if _per_step(head) else batch["y"][[b]]}
        state = batch["state"]
        part["state"] = tuple(s[:, [b]] for s in state) if isinstance(state, tuple) else state[:, [b]]
        alone.append(part)
    return batch, alone


def _per_step(head):
    return "end" not in head


@EVERY_CELL
@BOTH_DIRECTIONS
@EVERY_HEAD
def test_padded_sequences_give_what_they_give_alone(head, both, cell):
    net = make_net(cell, 2, both)
    batch, alone = padded(net, head)
    loss, grads, state = rnn.bptt(net, **batch)
    parts = [rnn.bptt(net, **part) for part in alone]
    assert loss == pytest.approx(sum(part[0] for part in parts), rel=1e-12)
    for name, gradient in grads.items():
        close(gradient, sum(part[1][name] for part in parts))
    if both or not _per_step(head):
        for got, want in zip(_parts(state), zip(*(_parts(part[2]) for part in parts), strict=True), strict=True):
            close(got, np.concatenate(want, axis=1))


@EVERY_CELL
@BOTH_DIRECTIONS
@EVERY_HEAD
def test_cells_of_padded_sequences_are_those_of_the_sequences_alone(head, both, cell):
    net = make_net(cell, 2, both)
    batch, alone = padded(net, head)
    for parameter in rnn.parameters_of(net):
        flow = rnn.itemize(net, **batch, lags=None, parameter=parameter)
        few = rnn.itemize(net, **batch, lags=2, parameter=parameter)
        for b, length in enumerate(LENGTHS):
            want = rnn.itemize(net, **alone[b], lags=None, parameter=parameter)
            middle, own = list(flow.lags).index(0), list(want.lags).index(0)
            for j, lag in enumerate(want.lags):
                column = middle + (j - own) * (1 if lag == flow.lags[middle + j - own] else -1)
                close(flow.norm[:length, column, b], want.norm[:, j, 0])
            assert not flow.norm[length:, :, b].any()
            assert flow.norm[:, :, b].sum() == pytest.approx(want.norm.sum(), rel=1e-9)
            short = rnn.itemize(net, **alone[b], lags=min(2, length), parameter=parameter)
            np.testing.assert_allclose(few.beyond[:length, b], short.beyond[:, 0], rtol=1e-9, atol=1e-13)
            np.testing.assert_allclose(flow.whole[:length, b], want.whole[:, 0], rtol=1e-9, atol=1e-13)


def _parts(state):
    return state if isinstance(state, tuple) else (state,)


@EVERY_CELL
@BOTH_DIRECTIONS
def test_what_stands_in_the_padding_changes_nothing(both, cell):
    net = make_net(cell, 2, both)
    for head in ("steps", "end"):
        batch, _ = padded(net, head)
        other = {**batch, "x": np.where(PADDING[:, :, None] > 0, batch["x"], 7.0)}
        for name in ("weight_hh_l0", "weight_ih_l1"):
            first, second = (rnn.itemize(net, **b, parameter=name, shares=True) for b in (batch, other))
            for field in ("norm", "beyond", "share", "share_beyond", "loss"):
                close(getattr(first, field), getattr(second, field), rtol=1e-12)
        first, second = (rnn.bptt(net, **b) for b in (batch, other))
        assert first[0] == pytest.approx(second[0], rel=1e-14)
        for name in first[1]:
            close(first[1][name], second[1][name], rtol=1e-12)


@EVERY_CELL
@BOTH_DIRECTIONS
def test_weights_of_losses_are_those_of_autograd(both, cell):
    net = make_net(cell, 2, both)
    mask = np.random.default_rng(1).choice([0, 0.5, 2.0], (6, 2))
    mask[-1] = 1  # no padding: only weights
    batch = make_batch(net) | {"mask": mask}
    witness = torch_rnn.Unrolled(net, **batch)
    for parameter in rnn.parameters_of(net):
        assert_itemized(net, batch, witness, parameter)


def test_one_weight_per_sequence_where_there_is_one_loss():
    net = make_net("gru", 2, True)
    batch = make_batch(net, head="end")
    weighted = rnn.bptt(net, **batch, mask=np.array([2.0, 0.5]))
    each = [rnn.bptt(net, **batch, mask=np.array(w)) for w in ([1.0, 0], [0, 1.0])]
    assert weighted[0] == pytest.approx(2 * each[0][0] + 0.5 * each[1][0], rel=1e-13)
    last = np.ones((6, 2))
    last[-1] = [2, 0.5]
    assert rnn.bptt(net, **batch, mask=last)[0] == weighted[0]


def test_padding_in_front_is_refused_with_one_loss():
    net = make_net("lstm")
    mask = np.ones((6, 2))
    mask[0, 1] = 0
    with pytest.raises(ValueError, match=r"mask: with one target per sequence .* padding, which has to come after"):
        rnn.bptt(net, **make_batch(net, head="end"), mask=mask)


@EVERY_CELL
@BOTH_DIRECTIONS
@EVERY_HEAD
def test_a_single_step(head, both, cell):
    net = make_net(cell, 2, both)
    batch = make_batch(net, head=head, T=1)
    witness = torch_rnn.Unrolled(net, **batch)
    for parameter in rnn.parameters_of(net):
        assert_itemized(net, batch, witness, parameter, lags=1)
    with pytest.raises(ValueError, match="lags must be a whole number from 1 to the 1 steps"):
        rnn.itemize(net, **batch, lags=2)


@EVERY_CELL
@BOTH_DIRECTIONS
def test_arrays_that_are_not_contiguous_are_taken(both, cell):
    net = make_net(cell, 2, both)
    batch, _ = padded(net, "steps")
    turned = {
        k: tuple(map(np.asfortranarray, v)) if isinstance(v, tuple) else np.asfortranarray(v) for k, v in batch.items()
    }
    for name in ("weight_hh_l0", "weight_ih_l1"):
        want, got = (rnn.itemize(net, **b, parameter=name, shares=True) for b in (batch, turned))
        np.testing.assert_array_equal(got.norm, want.norm)
        np.testing.assert_array_equal(got.share, want.share)
    np.testing.assert_array_equal(rnn.connectivity(net, **turned).norm, rnn.connectivity(net, **batch).norm)


@st.composite
def deep_problems(draw):
    cell, both, layers = (
        draw(st.sampled_from(["tanh", "relu", "gru", "lstm"])),
        draw(st.booleans()),
        draw(st.integers(1, 3)),
    )
    kind, head = (
        draw(st.sampled_from(cases.KINDS)),
        draw(st.sampled_from(["steps", "end", "numbers", "numbers at the end"])),
    )
    sizes = {name: draw(st.integers(1, 5)) for name in ("inputs", "hidden", "outputs")}
    seed, T, B = draw(st.integers(0, 99)), draw(st.integers(1, 6)), draw(st.integers(1, 3))
    net = make_net(cell, layers, both, kind, rng=seed, **sizes)
    batch = make_batch(net, kind, head, draw(st.booleans()), T, B, seed)
    if draw(st.booleans()):
        lengths = np.array([draw(st.integers(0, T)) for _ in range(B)])
        batch["mask"] = (np.arange(T)[:, None] < lengths) * 1.0
    return net, batch, draw(st.integers(1, T)), draw(st.sampled_from(rnn.parameters_of(net)))


@given(deep_problems(), st.booleans())
@cases.FEW
def test_parts_sum_to_the_whole(problem, arrays):
    net, batch, lags, parameter = problem
    shares = not parameter.startswith(("state", "cell"))
    with cases.whole_arrays() if arrays else cases.path("loop"):
        flow = rnn.itemize(net, **batch, lags=lags, parameter=parameter, shares=shares)
        everything = rnn.itemize(net, **batch, lags=None, parameter=parameter, unit="all")
    if shares:
        gradient = rnn.bptt(net, **batch)[1][parameter]
        assert flow.total == pytest.approx((gradient**2).sum(), rel=1e-11, abs=1e-280)
        assert flow.share.sum() + flow.share_beyond.sum() == pytest.approx(flow.total, rel=1e-10, abs=1e-14)
    np.testing.assert_allclose(everything.beyond, 0, atol=1e-12 * (1 + everything.norm.max()))
    np.testing.assert_allclose(np.linalg.norm(everything.units, axis=3), everything.norm, rtol=1e-11, atol=1e-14)
    middle, K = list(everything.lags).index(0), len(flow.lags)
    start = middle - list(flow.lags).index(0)
    np.testing.assert_allclose(flow.norm, everything.norm[:, start : start + K], rtol=1e-12)
    assert not flow.norm[~flow.valid].any()
    assert flow.horizon().shape == flow.beyond.shape == flow.loss.shape
