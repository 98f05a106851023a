"""BPTT: the naive twin, central differences, the two ways to compute, and the state carried on."""

import cases
import naive
import numpy as np
import pytest
from hypothesis import given

from learnviews.kernels import rnn
from learnviews.kernels.rnn import unroll

EVERY_CELL = pytest.mark.parametrize("cell", cases.CELLS)
EVERY_KIND = pytest.mark.parametrize("kind", cases.KINDS)
PLAIN_OR_FULL = pytest.mark.parametrize("full", [False, True], ids=["plain", "mask+state"])


def problem(kind="tokens", cell="tanh", dtype="float64", full=False, **sizes):
    net = cases.make_net(kind, cell, dtype)
    return net, cases.make_batch(net, kind, masked=full, started=full, **sizes)


def assert_close_to_naive(net, batch, rtol):
    loss, grads, state = rnn.bptt(net, **batch)
    want_loss, want_grads, want_state = naive.bptt(net, **batch)
    assert loss == pytest.approx(want_loss, rel=rtol, abs=rtol * state[..., 0].size * len(batch["y"]))
    np.testing.assert_allclose(state, want_state, rtol=rtol, atol=rtol)
    assert list(grads) == list(want_grads) == list(net.parameters)
    for name, want in want_grads.items():
        assert grads[name].dtype == net.dtype
        np.testing.assert_allclose(grads[name], want, rtol=rtol, atol=rtol * (1 + abs(want).max()), err_msg=name)


# --- naive twins


@cases.EVERY_WAY
@EVERY_CELL
@EVERY_KIND
@PLAIN_OR_FULL
def test_against_naive(kind, cell, full, way):
    with cases.path(way):
        assert_close_to_naive(*problem(kind, cell, full=full), rtol=1e-12)


@cases.EVERY_WAY
@EVERY_CELL
def test_float32_against_naive(cell, way):
    with cases.path(way):
        assert_close_to_naive(*problem("tokens", cell, "float32", full=True), rtol=2e-5)


@given(cases.problems())
@cases.FEW
def test_any_shape_against_naive(problem):
    net, batch = problem
    assert_close_to_naive(net, batch, rtol=1e-11 if net.dtype == np.float64 else 1e-4)


@EVERY_CELL
@EVERY_KIND
def test_every_part_of_a_run_against_naive(kind, cell):
    net, batch = problem(kind, cell, full=True)
    run, want = unroll.forward(net, *unroll.check_batch(net, **batch)), naive.forward(net, **batch)
    strand = run.strands[0]
    np.testing.assert_allclose(strand.h, want.h, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(run.p, want.p, rtol=1e-12)
    np.testing.assert_allclose(run.loss, want.loss, rtol=1e-12)
    own, total = unroll.errors(net, run)
    d = naive.errors(want)
    for t in range(len(own)):
        np.testing.assert_allclose(own[0][t] * strand.coef[t], d[t, t], rtol=1e-11, atol=1e-14)
        np.testing.assert_allclose(total.z[0][t], d[:, t].sum(axis=0), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("hidden", [1, 3, 4, 9, 16])
@pytest.mark.parametrize("cell", cases.CELLS)
def test_every_way_agrees_for_every_remainder_of_four(cell, hidden):
    net = cases.make_net("tokens", cell, hidden=hidden)
    batch = cases.make_batch(net, masked=True, started=True)
    with cases.path("loop"):
        loss, loop, state = rnn.bptt(net, **batch)
    for way in ("panels", "whole"):
        with cases.path(way):
            other_loss, other, other_state = rnn.bptt(net, **batch)
        assert loss == pytest.approx(other_loss, rel=1e-13)
        np.testing.assert_allclose(state, other_state, rtol=1e-13, atol=1e-15)
        for name in loop:
            np.testing.assert_allclose(loop[name], other[name], rtol=1e-11, atol=1e-13)


# --- gradients against central differences


@EVERY_CELL
@EVERY_KIND
@PLAIN_OR_FULL
def test_all_gradients_against_central_differences(kind, cell, full):
    net, batch = problem(kind, cell, full=full)
    grads = rnn.bptt(net, **batch)[1]
    measured = net.views(naive.central_differences(lambda: rnn.bptt(net, **batch)[0], net.flat))
    for name, value in grads.items():
        assert abs(value).max() > 1e-3  # there is something to get wrong
        difference = abs(value - measured[name])
        assert difference.max() < 1e-7, name
        assert difference.mean() < 1e-8, name


# --- identities


def test_tokens_are_one_hot_vectors():
    net, batch = problem(full=True)
    onehot = {**batch, "x": np.eye(net.inputs)[batch["x"]]}
    (loss, grads, _), (other_loss, other, _) = rnn.bptt(net, **batch), rnn.bptt(net, **onehot)
    assert loss == pytest.approx(other_loss, rel=1e-13)
    for name in grads:
        np.testing.assert_allclose(grads[name], other[name], rtol=1e-12, atol=1e-14)


def test_embedded_tokens_are_the_rows_of_the_embedding():
    net, batch = problem("embedding")
    table = net.state_dict().pop("embedding.weight")
    plain = rnn.from_state_dict({n: v for n, v in net.state_dict().items() if n != "embedding.weight"})
    loss, grads, _ = rnn.bptt(net, **batch)
    other_loss, other, _ = rnn.bptt(plain, **{**batch, "x": table[batch["x"]]})
    assert loss == pytest.approx(other_loss, rel=1e-13)
    for name in other:
        np.testing.assert_allclose(grads[name], other[name], rtol=1e-12, atol=1e-14)


def test_sequences_are_independent():
    net, batch = problem(B=3)
    one_by_one = [rnn.bptt(net, batch["x"][:, [b]], batch["y"][:, [b]]) for b in range(3)]
    loss, grads, state = rnn.bptt(net, **batch)
    assert loss == pytest.approx(sum(part[0] for part in one_by_one), rel=1e-13)
    np.testing.assert_allclose(state[0], [part[2][0, 0] for part in one_by_one], rtol=1e-13)
    for name in grads:
        np.testing.assert_allclose(grads[name], sum(part[1][name] for part in one_by_one), rtol=1e-11, atol=1e-13)


def test_gradient_is_linear_in_the_mask():
    net, batch = problem()
    r = np.random.default_rng(5)
    first, second = r.normal(size=(2, *batch["y"].shape))
    parts = [rnn.bptt(net, **{**batch, "mask": mask})[1] for mask in (first, second, first + 2 * second)]
    for name in parts[0]:
        np.testing.assert_allclose(parts[2][name], parts[0][name] + 2 * parts[1][name], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("zeros", [np.zeros((7, 2)), np.zeros((7, 2), bool)])
def test_mask_of_zeros_leaves_nothing(zeros):
    net, batch = problem()
    loss, grads, _ = rnn.bptt(net, **{**batch, "mask": zeros})
    assert loss == 0
    assert not any(value.any() for value in grads.values())


def test_mask_of_ones_changes_no_bit():
    net, batch = problem()
    ones = rnn.bptt(net, **{**batch, "mask": np.ones((7, 2), int)})
    none = rnn.bptt(net, **batch)
    assert ones[0] == none[0]
    for name in ones[1]:
        np.testing.assert_array_equal(ones[1][name], none[1][name])


@EVERY_CELL
@EVERY_KIND
def test_two_halves_with_carried_state_are_one_run(kind, cell):
    net, batch = problem(kind, cell, T=8)
    halves, state = [], None
    for part in (slice(0, 5), slice(5, 8)):
        loss, _, state = rnn.bptt(net, batch["x"][part], batch["y"][part], state=state)
        halves.append(loss)
    loss, _, end = rnn.bptt(net, **batch)
    assert sum(halves) == pytest.approx(loss, rel=1e-13)
    np.testing.assert_allclose(state, end, rtol=1e-13)


def test_state_is_a_copy_and_may_have_two_dimensions():
    net, batch = problem(full=True)
    flat_state = {**batch, "state": batch["state"][0]}
    (loss, _, state), (other, _, _) = rnn.bptt(net, **batch), rnn.bptt(net, **flat_state)
    assert loss == other
    assert state.shape == (1, 2, net.hidden)
    run = unroll.forward(net, *unroll.check_batch(net, **batch))
    run.state[...] = 0
    assert run.strands[0].h[-1].all()


def test_gradients_are_views_into_one_array():
    net, batch = problem("embedding")
    grads = rnn.bptt(net, **batch)[1]
    assert {name: value.shape for name, value in grads.items()} == net.shapes()
    base = next(iter(grads.values())).base
    assert base.size == net.flat.size
    assert all(value.base is base for value in grads.values())


@cases.EVERY_WAY
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_seed_same_bits(dtype, way):
    with cases.path(way):
        first, again = (rnn.bptt(*_fresh(dtype)) for _ in range(2))
    assert first[0] == again[0]
    np.testing.assert_array_equal(first[2], again[2])
    for name in first[1]:
        np.testing.assert_array_equal(first[1][name], again[1][name])


def _fresh(dtype):
    net, batch = problem(dtype=dtype)
    return net, batch["x"], batch["y"]


# --- numbers at the edge


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1e3, 1e6])
def test_huge_logits_do_not_overflow(size, dtype):
    net, batch = problem(dtype=dtype)
    net.parameters["decoder.weight"][...] *= size
    assert_close_to_naive(net, batch, rtol=1e-11 if dtype == "float64" else 1e-3)


def test_logits_far_apart_between_steps():
    net, batch = problem("floats")
    net.parameters["decoder.bias"][...] = [0, 0, -58.0]
    net.parameters["decoder.weight"][...] *= 0.1
    assert_close_to_naive(net, batch, rtol=1e-12)


def test_saturated_units_pass_no_error_back():
    net, batch = problem("floats")
    net.parameters["bias_hh_l0"][...] = 1000
    grads = rnn.bptt(net, **batch)[1]
    assert not grads["weight_hh_l0"].any()
    assert grads["decoder.weight"].any()


def test_relu_at_zero_has_slope_zero():
    net, batch = problem("floats", "relu")
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
        net.parameters[name][...] = 0
    assert not rnn.bptt(net, **batch)[1]["bias_hh_l0"].any()


@EVERY_CELL
def test_one_step_of_one_unit_by_hand(cell):
    net = rnn.RecurrentNet(cell, inputs=1, hidden=1, outputs=2, dtype="float64")
    net.flat[...] = 0
    net.parameters["decoder.weight"][:, 0] = [1, 0]
    net.parameters["weight_ih_l0"][...] = 0.5
    loss, grads, state = rnn.bptt(net, [[0]], [[0]])
    h = np.tanh(0.5) if cell == "tanh" else 0.5
    p = 1 / (1 + np.exp(-h))
    d = (p - 1) * (1 - h**2 if cell == "tanh" else 1)
    assert loss == pytest.approx(-np.log(p), rel=1e-14)
    assert state.item() == pytest.approx(h, rel=1e-15)
    assert grads["weight_ih_l0"].item() == pytest.approx(d, rel=1e-14)
    assert grads["weight_hh_l0"].item() == 0  # h before the first step is 0


# --- inputs: left alone, of any layout and integer type


@cases.EVERY_WAY
@EVERY_KIND
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_inputs_are_not_modified(kind, dtype, way):
    net, batch = problem(kind, dtype=dtype, full=True)
    batch = {name: _as_net_type(value, net) for name, value in batch.items()}
    copies = {name: value.copy() for name, value in batch.items()}
    weights = net.flat.copy()
    with cases.path(way):
        rnn.bptt(net, **batch)
    np.testing.assert_array_equal(net.flat, weights)
    for name, value in batch.items():
        np.testing.assert_array_equal(value, copies[name], err_msg=name)


def _as_net_type(value, net):
    return value.astype(net.dtype) if value.dtype.kind == "f" else value


def test_arrays_that_cannot_be_written_are_taken():
    net, batch = problem("floats", full=True)
    want = rnn.bptt(net, **batch)[0]
    for value in batch.values():
        value.flags.writeable = False
    assert rnn.bptt(net, **batch)[0] == want


@EVERY_KIND
@pytest.mark.parametrize(
    "layout", [np.asfortranarray, lambda a: np.repeat(a, 2, axis=1)[:, ::2], lambda a: a[::-1][::-1]]
)
def test_arrays_that_are_not_contiguous_are_taken(kind, layout):
    net, batch = problem(kind, full=True)
    loss, grads, _ = rnn.bptt(net, **batch)
    other_loss, other, _ = rnn.bptt(net, **{name: layout(value) for name, value in batch.items()})
    assert loss == other_loss
    for name in grads:
        np.testing.assert_array_equal(grads[name], other[name])


@pytest.mark.parametrize("dtype", ["int32", "uint8", "uint64", ">i4"])
def test_tokens_of_any_integer_type(dtype):
    net, batch = problem()
    want = rnn.bptt(net, **batch)
    got = rnn.bptt(net, batch["x"].astype(dtype), batch["y"].astype(dtype))
    assert got[0] == want[0]
    np.testing.assert_array_equal(got[1]["weight_ih_l0"], want[1]["weight_ih_l0"])


@pytest.mark.parametrize("dtype", ["float16", "float32", ">f8"])
def test_floats_of_any_precision(dtype):
    net, batch = problem("floats")
    x = batch["x"].astype(dtype)
    assert rnn.bptt(net, x, batch["y"])[0] == rnn.bptt(net, x.astype("float64"), batch["y"])[0]


def test_lists_are_taken():
    net, batch = problem()
    assert rnn.bptt(net, batch["x"].tolist(), batch["y"].tolist())[0] == rnn.bptt(net, **batch)[0]
