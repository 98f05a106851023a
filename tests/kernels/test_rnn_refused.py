"""What BPTT and itemization refuse: batches that do not fit the net, and numbers that are not finite."""

import contextlib
import re

import cases
import numpy as np
import pytest

from learnviews.kernels import rnn

EVERY_CELL = pytest.mark.parametrize("cell", cases.CELLS)
EVERY_KIND = pytest.mark.parametrize("kind", cases.KINDS)


def problem(kind="tokens", cell="tanh", dtype="float64", full=False):
    net = cases.make_net(kind, cell, dtype)
    return net, cases.make_batch(net, kind, masked=full, started=full)


# --- batches


BAD_BATCHES = [
    ("tokens", {"x": np.zeros(7, int)}, r"x: expected tokens of shape \(T, B\), got shape \(7,\)"),
    ("tokens", {"x": np.zeros((7, 2, 4), int)}, "x: expected tokens of shape"),
    ("tokens", {"x": np.zeros((7, 2))}, "x: expected int tokens"),
    ("tokens", {"x": np.zeros((7, 2), bool)}, "x: expected int tokens .* got bool"),
    ("tokens", {"x": np.full((7, 2), "a")}, "x: expected int tokens"),
    ("tokens", {"x": np.zeros((7, 2, 4), complex)}, "x: expected int tokens"),
    ("floats", {"x": np.zeros((7, 2, 3))}, r"x: this net takes floats \(T, B, 4\), got floats \(7, 2, 3\)"),
    ("embedding", {"x": np.zeros((7, 2, 4))}, "x: this net takes int tokens"),
    ("embedding", {"x": np.zeros((7, 2, 2))}, "x: this net takes int tokens"),
    ("tokens", {"x": np.zeros((0, 2), int), "y": np.zeros((0, 2), int)}, "at least one step"),
    ("tokens", {"x": np.zeros((7, 0), int), "y": np.zeros((7, 0), int)}, "one sequence"),
    ("floats", {"x": np.zeros((0, 2, 4)), "y": np.zeros((0, 2), int)}, "at least one step"),
    ("tokens", {"y": np.zeros((6, 2), int)}, r"y: expected int tokens of shape \(7, 2\), got .* \(6, 2\)"),
    ("tokens", {"y": np.zeros((2, 7), int)}, "y: expected int tokens"),
    ("tokens", {"y": np.zeros((7, 2))}, "y: expected int tokens .* got float64"),
    ("tokens", {"y": np.zeros((7, 2), bool)}, "y: expected int tokens .* got bool"),
    ("tokens", {"x": np.full((7, 2), 4)}, "x: expected tokens from 0 to 3, got 4 to 4"),
    ("tokens", {"x": np.full((7, 2), -1)}, "x: expected tokens from 0 to 3, got -1"),
    ("embedding", {"x": np.full((7, 2), 4)}, "x: expected tokens from 0 to 3"),
    ("floats", {"y": np.full((7, 2), 3)}, "y: expected tokens from 0 to 2, got 3"),
    ("tokens", {"y": np.full((7, 2), -1)}, "y: expected tokens from 0 to 2"),
    ("tokens", {"state": np.zeros((2, 6))}, r"state: expected shape \(1, 2, 5\), got \(2, 6\)"),
    ("tokens", {"state": np.zeros((2, 2, 5))}, "state: expected shape"),
    ("tokens", {"state": np.zeros(10)}, "state: expected shape"),
    ("tokens", {"mask": np.ones(7)}, r"mask: expected shape \(7, 2\), got \(7,\)"),
    ("tokens", {"mask": np.ones((2, 7))}, "mask: expected shape"),
]


@pytest.mark.parametrize("function", [rnn.bptt, rnn.itemize])
@pytest.mark.parametrize("kind, change, message", BAD_BATCHES)
def test_wrong_batches_are_named(function, kind, change, message):
    net, batch = problem(kind)
    with pytest.raises(ValueError, match=message):
        function(net, **{**batch, **change})


def test_one_wrong_token_among_right_ones():
    net, batch = problem()
    batch["x"][-1, -1] = net.inputs
    with pytest.raises(ValueError, match="x: expected tokens from 0 to 3, got 0 to 4"):
        rnn.bptt(net, **batch)


# --- numbers that are not finite


@cases.EVERY_WAY
@EVERY_CELL
@pytest.mark.parametrize("function", [rnn.bptt, rnn.itemize])
def test_nan_in_the_input_names_step_and_sequence(function, cell, way):
    net, batch = problem("floats", cell)
    batch["x"][3, 1, 0] = np.nan
    batch["x"][5, 0, 2] = np.nan
    with cases.path(way), pytest.raises(FloatingPointError, match="step 3 of sequence 1"):
        function(net, **batch)


@EVERY_KIND
@pytest.mark.parametrize("name", ["weight_hh_l0", "bias_hh_l0", "bias_ih_l0", "decoder.weight", "decoder.bias"])
def test_nan_weights_name_the_first_step(name, kind):
    net, batch = problem(kind, full=True)
    batch["mask"] = None
    net.parameters[name].flat[-1] = np.nan
    with pytest.raises(FloatingPointError, match="step 0 of sequence 0"):
        rnn.bptt(net, **batch)


@pytest.mark.parametrize(
    "kind, name, index", [("tokens", "weight_ih_l0", (1, 2)), ("embedding", "embedding.weight", (2, 1))]
)
def test_nan_weight_of_one_symbol_names_where_it_first_occurs(kind, name, index):
    net, batch = problem(kind)
    net.parameters[name][index] = np.nan
    batch["x"][...] = 0
    batch["x"][4, 1] = batch["x"][5, 0] = 2
    with pytest.raises(FloatingPointError, match="step 4 of sequence 1"):
        rnn.bptt(net, **batch)


def test_nan_in_the_state_names_its_sequence():
    net, batch = problem(full=True)
    batch["state"][0, 1, 2] = np.nan
    with pytest.raises(FloatingPointError, match="step 0 of sequence 1"):
        rnn.bptt(net, **batch)


INFINITE = pytest.mark.parametrize(
    "name, value",
    [
        ("weight_ih_l0", np.inf),
        ("weight_hh_l0", np.inf),
        ("weight_hh_l0", -np.inf),
        ("bias_hh_l0", np.inf),
        ("bias_hh_l0", -np.inf),
        ("decoder.weight", np.inf),
        ("decoder.weight", -np.inf),
        ("decoder.bias", np.inf),
        ("decoder.bias", -np.inf),
    ],
)


@EVERY_CELL
@cases.EVERY_WAY
@INFINITE
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the test after this one looks at them
def test_infinite_weights_never_give_nan_gradients(name, value, way, cell):
    """A saturated unit may make sense of an infinite weight; a gradient that is not finite may not come back."""
    net, batch = _with_infinite_weight(name, value, cell)
    try:
        with cases.path(way):
            loss, grads, _ = rnn.bptt(net, **batch)
    except FloatingPointError as error:
        assert re.search(r"step \d+ of sequence \d+", str(error))
        return
    assert np.isfinite(loss)
    assert all(np.isfinite(gradient).all() for gradient in grads.values())


@EVERY_CELL
@cases.EVERY_WAY
@INFINITE
def test_infinite_weights_give_an_error_and_no_warning(name, value, way, cell):
    net, batch = _with_infinite_weight(name, value, cell)
    with cases.path(way), contextlib.suppress(FloatingPointError):
        rnn.bptt(net, **batch)


def _with_infinite_weight(name, value, cell):
    net, batch = problem(cell=cell)
    batch["state"] = np.full((1, 2, net.hidden), 0.5)
    net.parameters[name].flat[0] = value
    return net, batch


def test_infinite_readout_of_a_symbol_that_never_occurs_gives_no_nan_gradients():
    net, batch = problem()
    net.parameters["decoder.weight"][0, 0] = np.inf
    net.parameters["bias_hh_l0"][0] = -10  # h[0] is about -1: the symbol's logit is -inf, and the loss finite
    batch["y"][...] = 1
    with contextlib.suppress(FloatingPointError), np.errstate(invalid="ignore"):
        grads = rnn.bptt(net, **batch)[1]
        assert all(np.isfinite(gradient).all() for gradient in grads.values())


def test_losses_whose_float32_sum_would_overflow_are_summed_all_the_same():
    net, batch = problem(dtype="float32")
    net.parameters["decoder.bias"][0] = 3e38
    batch["y"][...] = 1
    loss, _, _ = rnn.bptt(net, **batch)
    assert loss == pytest.approx(3e38 * batch["y"].size, rel=1e-5)
