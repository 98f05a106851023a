"""The net's parameters: laws, layout, copies, and the way from and to PyTorch's names."""

import cases
import numpy as np
import pytest

from learnviews.kernels import rnn

NAMES = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "decoder.weight", "decoder.bias"]


def big_net(**options):
    return rnn.RecurrentNet(inputs=60, hidden=80, outputs=70, rng=3, **options)


def state_dict(prefix="", **changes):
    """A state dict of a net with 4 inputs, 5 hidden units and 3 outputs; None takes a key away."""
    state = cases.make_net("embedding" if "embedding.weight" in changes else "tokens").state_dict()
    state.update(changes)
    return {prefix + name: value for name, value in state.items() if value is not None}


# --- initial weights and layout


def test_small_law_is_normal_with_a_hundredth_and_zero_biases():
    net = big_net(embedding=50)
    for name in ("embedding.weight", "weight_ih_l0", "weight_hh_l0", "decoder.weight"):
        value = net.parameters[name]
        assert value.std() == pytest.approx(0.01, rel=0.06)
        assert abs(value.mean()) < 6e-4
        assert abs(value).max() > 0.03  # more than a uniform law of this width would give
    for name in ("bias_ih_l0", "bias_hh_l0", "decoder.bias"):
        assert not net.parameters[name].any()


def test_uniform_law_fills_its_bounds():
    net = big_net(initial="uniform", embedding=50)
    bound = 1 / np.sqrt(80)
    for name in NAMES:
        assert 0.9 * bound < abs(net.parameters[name]).max() <= bound
    for name in ("weight_ih_l0", "weight_hh_l0", "decoder.weight"):
        assert net.parameters[name].std() == pytest.approx(bound / np.sqrt(3), rel=0.05)
    assert net.parameters["embedding.weight"].std() == pytest.approx(1, rel=0.06)


@pytest.mark.parametrize("initial", ["small", "uniform"])
def test_same_seed_same_bits(initial):
    first, again = big_net(initial=initial), big_net(initial=initial)
    other = rnn.RecurrentNet(inputs=60, hidden=80, outputs=70, rng=4, initial=initial)
    np.testing.assert_array_equal(first.flat, again.flat)
    assert (first.flat != other.flat).any()


def test_generator_as_rng_is_drawn_from():
    rng = np.random.default_rng(3)
    first, second = (rnn.RecurrentNet(inputs=4, hidden=5, outputs=3, rng=rng) for _ in range(2))
    np.testing.assert_array_equal(first.flat, rnn.RecurrentNet(inputs=4, hidden=5, outputs=3, rng=3).flat)
    assert (first.flat != second.flat).any()


@pytest.mark.parametrize("dtype", ["float32", "float64", np.float32, np.dtype("float64")])
def test_parameters_are_views_into_flat(dtype):
    net = cases.make_net("embedding", dtype=dtype)
    assert list(net.parameters) == ["embedding.weight", *NAMES]
    assert {name: value.shape for name, value in net.parameters.items()} == net.shapes()
    assert sum(value.size for value in net.parameters.values()) == net.flat.size
    assert {value.dtype for value in net.parameters.values()} == {net.flat.dtype} == {np.dtype(dtype)}
    net.flat[...] = np.arange(net.flat.size)
    np.testing.assert_array_equal(np.concatenate([v.ravel() for v in net.parameters.values()]), net.flat)


def test_shapes_are_pytorch_s():
    E, I, H, O = cases.WIDTH, cases.INPUTS, cases.HIDDEN, cases.OUTPUTS  # noqa: E741
    shared = {
        "weight_hh_l0": (H, H),
        "bias_ih_l0": (H,),
        "bias_hh_l0": (H,),
        "decoder.weight": (O, H),
        "decoder.bias": (O,),
    }
    assert cases.make_net().shapes() == {"weight_ih_l0": (H, I), **shared}
    assert cases.make_net("embedding").shapes() == {"embedding.weight": (I, E), "weight_ih_l0": (H, E), **shared}


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"cell": "gruu"}, "cell must be one of .*'gruu'"),
        ({"cell": ["tanh"]}, "cell must be one of"),
        ({"layers": 0}, "layers must be a whole number of at least 1, got 0"),
        ({"layers": 1.5}, "layers must be"),
        ({"bidirectional": 1}, "bidirectional must be True or False, got 1"),
        ({"inputs": 0}, "inputs must be a whole number of at least 1, got 0"),
        ({"hidden": -1}, "hidden must be"),
        ({"outputs": 2.0}, "outputs must be a whole number"),
        ({"hidden": True}, "hidden must be"),
        ({"inputs": "4"}, "inputs must be"),
        ({"embedding": 0}, "embedding must be"),
        ({"dtype": "float16"}, "dtype must be one of"),
        ({"dtype": "int32"}, "dtype must be one of"),
        ({"dtype": "no such type"}, "dtype must be one of"),
        ({"initial": "zeros"}, "initial must be one of"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        rnn.RecurrentNet(**{"inputs": 4, "hidden": 5, "outputs": 3, **arguments})


@pytest.mark.parametrize("dtype", [">f4", ">f8"])
def test_dtype_of_foreign_byte_order_is_refused_or_made_native(dtype):
    try:
        net = rnn.RecurrentNet(inputs=4, hidden=5, outputs=3, dtype=dtype)
    except ValueError:
        return
    assert net.flat.dtype.isnative


def test_whole_numbers_of_numpy_are_taken():
    assert rnn.RecurrentNet(inputs=np.int64(4), hidden=np.uint8(5), outputs=3).shapes()["weight_ih_l0"] == (5, 4)


# --- copies


def test_copy_is_independent():
    net = cases.make_net()
    other = net.copy()
    np.testing.assert_array_equal(net.flat, other.flat)
    other.parameters["weight_hh_l0"][...] = 7
    assert not (net.flat == 7).any()
    assert (other.flat == 7).sum() == cases.HIDDEN**2


def test_as_type_and_to_give_working_copies():
    net = cases.make_net(dtype="float32")
    for other in (net.as_type("float64"), net.as_type("float32"), net.to(np)):
        np.testing.assert_array_equal(other.flat, net.flat)
        assert other.dtype == other.flat.dtype == other.parameters["decoder.bias"].dtype
        other.flat[...] = 0
        assert not other.parameters["decoder.weight"].any()
    assert net.flat.all()
    assert net.as_type("float64").dtype == np.float64
    with pytest.raises(ValueError, match="dtype"):
        net.as_type("float16")


def test_state_dict_holds_copies():
    net = cases.make_net()
    net.state_dict()["weight_hh_l0"][...] = 0
    assert net.parameters["weight_hh_l0"].all()


def test_repr_names_cell_and_sizes():
    text = repr(cases.make_net("embedding", "relu"))
    for part in ("relu", str(cases.INPUTS), str(cases.WIDTH), str(cases.HIDDEN), str(cases.OUTPUTS), "float64"):
        assert part in text


# --- from_state_dict


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cell", cases.CELLS)
@pytest.mark.parametrize("kind", ["tokens", "embedding"])
@pytest.mark.parametrize("prefix", ["", "rnn.", "model.module.rnn."])
def test_round_trip_under_any_prefix(prefix, kind, cell, dtype):
    net = cases.make_net(kind, cell, dtype)
    again = rnn.from_state_dict({prefix + name: value for name, value in net.state_dict().items()}, cell=cell)
    assert (again.cell, again.dtype, again.inputs, again.hidden, again.outputs, again.embedding) == (
        net.cell,
        net.dtype,
        net.inputs,
        net.hidden,
        net.outputs,
        net.embedding,
    )
    np.testing.assert_array_equal(again.flat, net.flat)
    assert not np.shares_memory(again.flat, net.flat)


def test_each_part_may_have_its_own_prefix():
    prefixes = {"weight": "encoder.rnn.", "bias": "encoder.rnn.", "decoder": "head."}
    state = {next(p for part, p in prefixes.items() if n.startswith(part)) + n: v for n, v in state_dict().items()}
    np.testing.assert_array_equal(rnn.from_state_dict(state).flat, cases.make_net().flat)


@pytest.mark.parametrize(
    "given, expected",
    [(np.float64, "float64"), (np.float32, "float32"), (np.float16, "float32"), (np.int64, "float32")],
)
def test_float64_stays_and_everything_else_becomes_float32(given, expected):
    assert rnn.from_state_dict({n: v.astype(given) for n, v in state_dict().items()}).dtype == expected


def test_mixed_precision_and_lists_become_float32():
    net = rnn.from_state_dict(state_dict(**{"decoder.bias": np.float32([1, 2, 3]), "bias_ih_l0": [1, 2, 3, 4, 5]}))
    assert net.dtype == np.float32
    np.testing.assert_array_equal(net.parameters["bias_ih_l0"], [1, 2, 3, 4, 5])


def test_missing_biases_are_zero():
    net = rnn.from_state_dict(state_dict(bias_ih_l0=None, bias_hh_l0=None, **{"decoder.bias": None}))
    for name in ("bias_ih_l0", "bias_hh_l0", "decoder.bias"):
        assert not net.parameters[name].any()
    np.testing.assert_array_equal(net.parameters["weight_hh_l0"], cases.make_net().parameters["weight_hh_l0"])


@pytest.mark.parametrize("absent", ["bias_ih_l0", "bias_hh_l0"])
def test_half_the_biases_missing_is_an_error(absent):
    with pytest.raises(ValueError, match=rf"missing: {absent}\)"):
        rnn.from_state_dict(state_dict(**{absent: None}))


def test_missing_unknown_and_doubled_keys_come_in_one_error():
    state = state_dict(weight_hh_l0=None, weight_xx_l0=np.zeros((5, 5)), **{"decoder.weight": None})
    state["again.bias_ih_l0"] = np.zeros(5)
    with pytest.raises(ValueError) as error:
        rnn.from_state_dict(state)
    message = str(error.value)
    assert "missing: weight_hh_l0, decoder.weight" in message
    assert "unknown: weight_xx_l0" in message
    assert "more than once: again.bias_ih_l0" in message


@pytest.mark.parametrize("key", ["weight_hh_l0_back", "rnn.weight_ig_l1", "xweight_hh_l0", "optimizer.step"])
def test_what_the_net_cannot_hold_is_unknown(key):
    with pytest.raises(ValueError, match=f"unknown: {key}"):
        rnn.from_state_dict(state_dict(**{key: np.zeros((5, 5))}))


def test_empty_state_dict():
    with pytest.raises(ValueError, match=r"missing: weight_ih_l0, weight_hh_l0\)"):
        rnn.from_state_dict({})


@pytest.mark.parametrize(
    "key, missing",
    [
        ("weight_hh_l1", "weight_ih_l1, bias_ih_l1, bias_hh_l1"),
        ("weight_ih_l0_reverse", "weight_hh_l0_reverse, bias_ih_l0_reverse, bias_hh_l0_reverse"),
    ],
)
def test_half_a_layer_or_direction_is_missing_the_rest(key, missing):
    with pytest.raises(ValueError, match=rf"missing: {missing}\)"):
        rnn.from_state_dict(state_dict(**{key: np.zeros((5, 5))}))


@pytest.mark.parametrize(
    "name, shape",
    [
        ("weight_hh_l0", (5,)),
        ("weight_ih_l0", (6, 4)),
        ("weight_ih_l0", (5, 4, 1)),
        ("bias_ih_l0", (4,)),
        ("bias_hh_l0", (5, 1)),
        ("decoder.weight", (3, 4)),
        ("decoder.weight", ()),
        ("decoder.bias", (4,)),
        ("embedding.weight", (4, 3)),  # weight_ih_l0 reads vectors of another length
        ("embedding.weight", (4,)),
    ],
)
def test_wrong_shapes_are_named(name, shape):
    wrong = "weight_ih_l0" if name == "embedding.weight" and len(shape) == 2 else name
    with pytest.raises(ValueError, match=f"{wrong}: expected .*shape"):
        rnn.from_state_dict(state_dict(**{name: np.zeros(shape)}))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", NAMES)
def test_weights_that_are_not_finite_are_named(name, bad):
    value = state_dict()[name]
    value.flat[-1] = bad
    with pytest.raises(ValueError, match=f"{name}: holds NaN or Inf"):
        rnn.from_state_dict(state_dict(**{name: value}))


def test_unknown_cell():
    with pytest.raises(ValueError, match="cell must be one of"):
        rnn.from_state_dict(state_dict(), cell="elman")
