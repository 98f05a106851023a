"""The published net: the same as a net asked bar by bar, gradients as differences and PyTorch have them."""

import copy
import json

import naive
import numpy as np
import pytest

from learnviews.kernels.cube.description import LOSSES, authors, checked, tuned
from learnviews.kernels.cube.independence import independence
from learnviews.kernels.cube.mlp import MLP

SHAPES = [((3,), 3), ((2, 3), 7), ((4,), 4)]  # the map has a bin for missing places
RECIPE = {"batch": 4, "phases": [{"epochs": 1, "optimizer": "adam", "settings": {"rate": 1e-3}}]}


def branch(encoder, read, decoder=(), inputs="bins"):
    return {"inputs": inputs, "encoder": list(encoder), "read": read, "decoder": list(decoder)}


def describe(branches, regressor, output="linear", **loss):
    return {"branches": branches, "regressor": regressor, "output": output, "loss": {**LOSSES, **loss}, **RECIPE}


DESCRIPTIONS = {
    "as the authors'": describe(
        [branch([4, 3, 2], 2, [3, 4]), branch([5, 4, 2], 2, [4, 5], "axes"), branch([4, 3, 2], 2, [3, 4])],
        [6],
        l1=2.0,
        mse=0.5,
        autoencoder=0.7,
    ),
    "as tuned": describe(
        [branch([5, 4], 2), branch([5, 4], 2), branch([5, 4], 2)],
        [6],
        "independence",
        l1=1.0,
        mse=0.0,
        autoencoder=0.0,
        relative=True,
    ),
    "every depth": describe(
        [branch([4], 1), branch([4, 3, 2], 1, [3], "axes"), branch([3, 2], 2, [4])],
        [5, 1, 4],
        mse=0.3,
        autoencoder=2.0,
    ),
    "the code, additive": describe(
        [branch([4, 3, 2], 3, [3]), branch([4, 2], 2, [3]), branch([4, 2], 2)],
        [5, 3],
        l1=0.0,
        mse=1.0,
        additivity=0.8,
    ),
    "additive over independence": describe(
        [branch([4, 2], 2, [3], "axes"), branch([4, 2], 1, [3], "axes"), branch([4, 2], 2)],
        [5, 4],
        "independence",
        mse=0.2,
        additivity=0.6,
        relative=True,
    ),
}
EVERY = pytest.mark.parametrize("description", DESCRIPTIONS.values(), ids=DESCRIPTIONS)
RNG = np.random.default_rng


def make_net(description, shapes=SHAPES, seed=0, negative=False):
    """In float64, with biases off 0: no relu sits on its kink."""
    base = None
    if description["output"] == "independence":
        marginals = RNG(9).random(sum(bins for _, bins in shapes)) + 0.1
        marginals[1] = 0
        base = independence([bins for _, bins in shapes], marginals, -7.0 if negative else 7.0)
    net = MLP.initial(shapes, description, RNG(seed), base)
    for name, array in net.parameters.items():
        net.parameters[name] = array.astype(np.float64) + RNG(seed + len(name)).normal(0, 0.3, array.shape)
    return net


def make_masks(net, n, seed=1, soft=True):
    masks = RNG(seed).random((n, len(net.keep)))
    return masks if soft else (masks < 0.6).astype(np.float64)


def check_gradient(value, flat, gradient):
    wanted = naive.central_differences(value, flat, 1e-6)
    np.testing.assert_allclose(np.ravel(gradient), wanted, rtol=1e-5, atol=1e-7 * (1 + abs(wanted).max()))


# --- forward


@EVERY
@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
def test_answers_are_those_of_a_net_asked_bar_by_bar(description, soft):
    net = make_net(description)
    masks = make_masks(net, 3, soft=soft)
    masks[2] = 0
    answers, trace = net.forward(masks)
    for mask, row, total in zip(masks, answers, net.totals(trace), strict=True):
        wanted = [naive.mlp_answer(net, bar) for bar in naive.mlp_bars(net, mask)]
        np.testing.assert_allclose(row, wanted, rtol=1e-11, atol=1e-11)
        assert total == pytest.approx(naive.mlp_answer(net, mask), rel=1e-11, abs=1e-11)


def test_a_view_does_not_see_its_own_filter():
    net = make_net(DESCRIPTIONS["as the authors'"])
    masks = make_masks(net, 2)
    masks[1, 3:] = masks[0, 3:]
    answers, _ = net.forward(masks)
    np.testing.assert_allclose(answers[0, :3], answers[1, :3], rtol=1e-13)
    assert (answers[0, 3:] != answers[1, 3:]).all()


def test_a_map_by_axes_sees_every_box_exactly():
    described = describe([branch([4], 1, inputs="axes")], [3])
    net = make_net(described, [((2, 3), 7)])
    box = np.array([[0, 1, 1, 0, 0, 0, 1.0]])
    assert net.branches[0].to_inputs(box).tolist() == [[1, 0, 0, 1, 1, 1]]


def test_a_range_by_axes_is_read_bin_by_bin():
    net = make_net(describe([branch([4], 1, inputs="axes")], [3]), [((5,), 6)])
    assert net.branches[0].inputs == 6


def test_a_net_over_independence_starts_there():
    description = DESCRIPTIONS["as tuned"]
    base = make_net(description).base
    net = MLP.initial(SHAPES, description, RNG(0), base)
    masks = make_masks(net, 4, soft=False).astype(np.float32)
    wanted = base.expand(base.forward(base.compress(masks))[0])
    np.testing.assert_allclose(net.forward(masks)[0], wanted, rtol=1e-5)


# --- loss and gradients


def halves_of(net, masks):
    net.splits = RNG(5)
    return net._cut(masks)


@EVERY
def test_losses_are_those_of_all_bars(description):
    net = make_net(description)
    masks = make_masks(net, 3)
    answers = RNG(3).normal(0, 2, masks.shape)
    halves = halves_of(net, masks)
    net.splits = RNG(5)
    value, _ = net.loss(masks, answers, 0.3)
    assert value == pytest.approx(naive.mlp_loss(net, masks, answers, 0.3, halves), rel=1e-11)


@EVERY
def test_gradients_of_the_loss(description):
    net = make_net(description)
    masks = make_masks(net, 3)
    answers = RNG(3).normal(0, 2, masks.shape)

    def value():
        net.splits = RNG(5)
        return net.loss(masks, answers, 0.3)[0]

    net.splits = RNG(5)
    _, gradients = net.loss(masks, answers, 0.3)
    assert set(gradients) == set(net.parameters)
    for name, gradient in gradients.items():
        assert gradient.shape == net.parameters[name].shape
        check_gradient(value, net.parameters[name].reshape(-1), gradient)


@EVERY
@pytest.mark.parametrize("negative", [False, True])
def test_gradients_of_the_masks(description, negative):
    net = make_net(description, negative=negative)
    masks = make_masks(net, 3)
    d_answers, d_totals = RNG(4).normal(size=masks.shape), RNG(5).normal(size=len(masks))
    answers, trace = net.forward(masks)
    got, got_of_totals = (
        net.masks_gradient(trace, d_answers),
        net.totals_masks_gradient(trace, answers, d_totals),
    )
    check_gradient(lambda: float((net.forward(masks)[0] * d_answers).sum()), masks.reshape(-1), got)
    check_gradient(
        lambda: float((net.totals(net.forward(masks)[1]) * d_totals).sum()), masks.reshape(-1), got_of_totals
    )


def test_gradients_of_the_masks_where_independence_answers_0():
    net = make_net(DESCRIPTIONS["as tuned"])
    masks = make_masks(net, 2)
    masks[0, :3] = masks[1, 10:] = 0
    d_answers = RNG(4).normal(size=masks.shape)
    got = net.masks_gradient(net.forward(masks)[1], d_answers)
    check_gradient(lambda: float((net.forward(masks)[0] * d_answers).sum()), masks.reshape(-1), got)


def test_halves_are_the_whole_cut_in_two():
    net = make_net(DESCRIPTIONS["the code, additive"])
    masks = make_masks(net, 40)
    left, right = net._cut(masks)
    assert left.shape == masks.shape
    for one, other, whole in zip(left, right, masks, strict=True):
        differ = [a for a, part in enumerate(net._slices()) if (one[part] != other[part]).any()]
        assert len(differ) == 1
        part = net._slices()[differ[0]]
        np.testing.assert_array_equal(one[part] + other[part], whole[part])
        np.testing.assert_array_equal(np.delete(one, range(part.start, part.stop)), np.delete(whole, part))


def test_the_authors_loss_and_gradients_as_pytorch_has_them():
    torch = pytest.importorskip("torch")
    shapes = [((12,), 12), ((7,), 7), ((4, 3), 12)]
    net = make_net(authors(shapes), shapes)
    masks = make_masks(net, 3, soft=False)
    masks[:, 19:] = np.einsum("ni,nj->nij", masks[:, 19:23], masks[:, 23:26]).reshape(3, 12)  # boxes
    answers = RNG(3).poisson(5, masks.shape).astype(float)
    weights = {name: torch.tensor(array, requires_grad=True) for name, array in net.parameters.items()}
    rows = torch.tensor(np.array([bar for mask in masks for bar in naive.mlp_bars(net, mask)]))
    loss, codes = 0.0, []
    for each, x in zip(net.branches, torch.split(rows, [12, 7, 12], 1), strict=True):
        if each.axes:
            grid = x.reshape(-1, 4, 3)
            x = torch.cat([grid.amax(2), grid.amax(1)], 1)
        z = x
        for k in range(5 + 1):
            z = z @ weights[f"{each.name}.{k}/W"] + weights[f"{each.name}.{k}/b"]
            z = z if k == 5 else torch.relu(z)
            if k == 1:
                codes.append(z)
        loss = loss + torch.nn.functional.binary_cross_entropy_with_logits(z, x)
    joined = torch.cat([weights[f"join{a}"] for a in range(3)])
    hidden = torch.relu(torch.cat(codes, 1) @ joined + weights["join/b"])
    found = (hidden @ weights["regressor0/W"] + weights["regressor0/b"])[:, 0]
    truth = torch.tensor(answers.ravel())
    loss = loss + 20 * (found - truth).abs().mean() + 0.001 * ((found - truth) ** 2).mean()
    loss.backward()
    value, gradients = net.loss(masks, answers, 1.0)
    assert value == pytest.approx(loss.item(), rel=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, weights[name].grad, rtol=1e-9, atol=1e-12)


# --- descriptions


BRIGHTKITE = [((12,), 12), ((7,), 7), ((24,), 24), ((20, 20), 400)]


def test_the_authors_net_has_as_many_parameters_as_theirs():
    net = MLP.initial(BRIGHTKITE, authors(BRIGHTKITE), RNG(0))
    assert sum(array.size for array in net.parameters.values()) == 169_032
    assert net.floats == 100_027
    assert [each.widths for each in net.branches] == [
        [12, 8, 4, 2, 4, 8, 12],
        [7, 8, 4, 2, 4, 8, 7],
        [24, 12, 6, 2, 6, 12, 24],
        [40, 400, 128, 2, 128, 400, 40],
    ]
    assert sum(each.code for each in net.branches) == 142


def test_numbers_needed_to_answer_over_independence():
    net = make_net(DESCRIPTIONS["as tuned"])
    assert net.floats == sum(array.size for array in net.parameters.values()) + net.base.floats


@pytest.mark.parametrize("make", [authors, tuned])
@pytest.mark.parametrize("shapes", [BRIGHTKITE, SHAPES, [((1,), 1)]], ids=["theirs", "small", "one bin"])
def test_descriptions_are_json_and_complete(make, shapes):
    described = make(shapes)
    assert checked(json.loads(json.dumps(described)), shapes) == described
    net = MLP.initial(shapes, described, RNG(0))
    answers, _ = net.forward(np.ones((2, len(net.keep)), np.float32))
    assert np.isfinite(answers).all()


def change(path, value):
    described = copy.deepcopy(DESCRIPTIONS["as the authors'"])
    *way, last = path
    held = described
    for step in way:
        held = held[step]
    if value is KeyError:
        del held[last]
    else:
        held[last] = value
    return described


WRONG = [
    (["branches"], KeyError, "branches must be a list of 3"),
    (["branches"], [branch([2], 1)], "branches must be a list of 3"),
    (["branches"], "x", "branches must be a list of 3"),
    (["branches", 1], 3, r"branches\[1\]: inputs must be"),
    (["branches", 1, "inputs"], "cells", r"branches\[1\]: inputs must be \"bins\" or \"axes\""),
    (["branches", 0, "encoder"], [], r"branches\[0\]: encoder must be a list of one or more layer widths, got \[\]"),
    (["branches", 0, "encoder"], [3, 0], "encoder must be a list"),
    (["branches", 0, "encoder"], [3, 2.5], "encoder must be a list"),
    (["branches", 0, "encoder"], KeyError, "encoder must be a list"),
    (["branches", 2, "decoder"], [-1], r"branches\[2\]: decoder must be a list of layer widths"),
    (["branches", 2, "decoder"], None, r"branches\[2\]: decoder must be a list of layer widths"),
    (["branches", 2, "read"], 0, r"branches\[2\]: read must lie in 1..3"),
    (["branches", 2, "read"], 4, r"read must lie in 1..3 \(encoder layers passed\), got 4"),
    (["branches", 2, "read"], "2", "read must lie in 1..3"),
    (["regressor"], [], "regressor must be a list of one or more"),
    (["regressor"], 220, "regressor must be a list"),
    (["output"], "softmax", "output must be one of .* got 'softmax'"),
    (["loss"], [1], "loss must be an object"),
    (["loss", "l3"], 1.0, "loss has no 'l3'; there are"),
    (["loss", "l1"], -1.0, "loss l1 must be a number of at least 0, got -1"),
    (["loss", "mse"], float("nan"), "loss mse must be a number"),
    (["loss", "mse"], "1", "loss mse must be a number"),
    (["batch"], 0, "batch must be a positive integer"),
    (["batch"], KeyError, "batch must be a positive integer"),
    (["phases"], [], "phases must be a list of one or more"),
    (["phases"], KeyError, "phases must be a list"),
    (["phases", 0], 3, r"phases\[0\]: epochs"),
    (["phases", 0, "epochs"], 0, r"phases\[0\]: epochs must be a positive integer"),
    (["phases", 0, "optimizer"], "lbfgs", r"phases\[0\]: optimizer must be one of"),
    (["phases", 0, "optimizer"], KeyError, r"phases\[0\]: optimizer must be one of"),
    (["phases", 0, "settings"], {}, r"phases\[0\]: settings must hold .* rate"),
    (["phases", 0, "settings", "rate"], -1.0, r"phases\[0\]: rate must be a positive number"),
    (["phases", 0, "settings", "speed"], 1.0, r"phases\[0\]: .*speed"),
]


@pytest.mark.parametrize("path, value, message", WRONG)
def test_wrong_descriptions(path, value, message):
    with pytest.raises(ValueError, match=message) as error:
        MLP.initial(SHAPES, change(path, value), RNG(0))
    assert str(error.value).startswith("description: ")


@pytest.mark.parametrize("described", [None, [], "authors", 3])
def test_what_is_no_description(described):
    with pytest.raises(ValueError, match="must be a dict"):
        checked(described, SHAPES)


# --- codes and arrays


def test_codes_are_the_narrowest_layer():
    net = make_net(DESCRIPTIONS["as the authors'"])
    masks = np.eye(3)
    codes = net.codes(0, masks)
    assert codes.shape == (3, 2)
    x = masks
    for k in range(3):
        x = np.maximum(x @ net.parameters[f"branch0.{k}/W"] + net.parameters[f"branch0.{k}/b"], 0)
    np.testing.assert_allclose(codes, x)
    assert net.codes(1, np.ones((5, 7))).shape == (5, 2)


def test_codes_of_an_encoder_alone_are_what_the_regressor_reads():
    net = make_net(DESCRIPTIONS["every depth"])
    assert net.codes(0, np.eye(3)).shape == (3, 4)


@EVERY
def test_arrays_give_the_same_net(description):
    net = make_net(description)
    net.parameters = {name: array.astype(np.float32) for name, array in net.parameters.items()}
    again = MLP.from_arrays(SHAPES, net.description, net.arrays())
    assert set(again.parameters) == set(net.parameters)
    masks = make_masks(net, 4, soft=False).astype(np.float32)
    np.testing.assert_array_equal(again.forward(masks)[0], net.forward(masks)[0])
    assert again.floats == net.floats


def wrong_arrays():
    arrays = make_net(DESCRIPTIONS["as tuned"]).arrays()
    wanted = "branch0.0.W"
    yield "missing", {name: array for name, array in arrays.items() if name != wanted}
    for value in (arrays[wanted][:1], arrays[wanted] * np.nan, arrays[wanted].astype(complex), np.array("x")):
        yield str(value.dtype) + str(value.shape), {**arrays, wanted: value}
    yield "no independence", {name: array for name, array in arrays.items() if not name.startswith("base.")}


@pytest.mark.parametrize("arrays", [pytest.param(arrays, id=name) for name, arrays in wrong_arrays()])
def test_arrays_of_another_net(arrays):
    with pytest.raises(ValueError, match=r"branch0.0/W|independence"):
        MLP.from_arrays(SHAPES, DESCRIPTIONS["as tuned"], arrays)


def test_a_silent_net_answers_0():
    net = make_net(DESCRIPTIONS["every depth"])
    net.silence()
    assert not net.forward(make_masks(net, 3))[0].any()


def test_masks_of_any_kind_are_read():
    net = MLP.initial(SHAPES, DESCRIPTIONS["every depth"], RNG(0))
    masks = net.compress(RNG(0).random((2, 14)) < 0.5)
    assert masks.dtype == np.float32
    assert net.expand(net.forward(masks)[0]).dtype == np.float64
