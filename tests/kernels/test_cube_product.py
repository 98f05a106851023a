"""The product net: the same as loops over cells, gradients as differences have them, bars that add up."""

import naive
import numpy as np
import pytest
import surrogates
from hypothesis import assume, given
from hypothesis import strategies as st

from learnviews.kernels.cube.product import ProductNet, brush

SIZES = [(4,), (3, 2), (3, 1, 4), (2, 3, 2, 3)]
EVERY_SIGN = pytest.mark.parametrize("signed", [False, True], ids=["positive", "signed"])
EVERY_SIZE = pytest.mark.parametrize("sizes", SIZES, ids=str)


def factors_of(net):
    """By attribute, of kept bins."""
    return net.parts(net.factors().T)


def soft_masks(net, n, seed=0):
    return np.random.default_rng(seed).random((n, int(net.keep.sum())))


def with_empty_attributes(net, masks):
    """The same; in every row one attribute more, then one less, selects nothing at all."""
    masks, d = masks.copy(), len(net.sizes)
    for row, parts in enumerate(masks):
        for a, part in enumerate(net.parts(parts[None])):
            if a < row % (d + 1):
                part[:] = 0
    return masks


# --- forms of one function


@st.composite
def nets(draw):
    sizes = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)))
    signed, share = draw(st.booleans()), draw(st.sampled_from([1.0, 0.6]))
    return surrogates.make_product(sizes, draw(st.integers(1, 4)), draw(st.integers(0, 999)), signed, share)


@surrogates.FEW
@given(nets(), st.integers(0, 999), st.booleans())
def test_answers_and_totals_are_those_of_the_cells(net, seed, hard):
    masks = soft_masks(net, 5, seed)
    masks = with_empty_attributes(net, (masks < 0.5).astype(float) if hard else masks)
    answers, trace = net.forward(masks)
    factors = [part.T for part in factors_of(net)]
    for mask, row, total in zip(masks, answers, net.totals(trace), strict=True):
        wanted, wanted_total = naive.product_views(factors, mask)
        np.testing.assert_allclose(row, wanted, rtol=1e-12, atol=1e-12)
        assert total == pytest.approx(wanted_total, rel=1e-12, abs=1e-12)


@surrogates.FEW
@given(nets(), st.integers(0, 999))
def test_a_brush_is_a_row_of_the_forward_pass(net, seed):
    masks = with_empty_attributes(net, soft_masks(net, 4, seed))
    answers, trace = net.forward(masks)
    factors = net.factors()
    for mask, row, total in zip(masks, answers, net.totals(trace), strict=True):
        found, whole, kept = np.zeros(len(net.keep)), np.zeros(len(net.keep)), np.flatnonzero(net.keep)
        whole[kept] = mask
        got = brush(factors, net.offsets, kept, whole, found)
        np.testing.assert_allclose(found[kept], row, rtol=1e-12, atol=1e-12)
        assert not found[~net.keep].any()
        assert got == pytest.approx(total, rel=1e-12, abs=1e-12)


def test_a_net_of_no_bins_answers_nothing():
    net = ProductNet((3, 2), np.zeros(5, bool), np.zeros((0, 4), np.float32))
    answers, trace = net.forward(net.compress(np.ones((2, 5))))
    assert net.expand(answers).tolist() == np.zeros((2, 5)).tolist()
    assert net.totals(trace).tolist() == [0, 0]
    assert brush(net.factors(), net.offsets, np.flatnonzero(net.keep), np.ones(5), np.zeros(5)) == 0


# --- gradients


@EVERY_SIGN
@EVERY_SIZE
@pytest.mark.parametrize("empty", [False, True], ids=["all", "empty"])
def test_gradients_of_parameters_and_masks(sizes, signed, empty):
    net = surrogates.make_product(sizes, 3, 1, signed, 0.8)
    masks = soft_masks(net, 6, 2)
    masks = with_empty_attributes(net, masks) if empty else masks
    d_answers = np.random.default_rng(3).normal(size=masks.shape)
    d_totals = np.random.default_rng(4).normal(size=len(masks))

    def value():
        return float((net.forward(masks)[0] * d_answers).sum())

    def value_of_totals():
        return float((net.totals(net.forward(masks)[1]) * d_totals).sum())

    answers, trace = net.forward(masks)
    for name, gradient in net.backward(trace, d_answers).items():
        wanted = naive.central_differences(value, net.parameters[name].reshape(-1))
        np.testing.assert_allclose(gradient.ravel(), wanted, rtol=1e-6, atol=1e-7)
    wanted = naive.central_differences(value, masks.reshape(-1))
    np.testing.assert_allclose(net.masks_gradient(trace, d_answers).ravel(), wanted, rtol=1e-6, atol=1e-7)
    wanted = naive.central_differences(value_of_totals, masks.reshape(-1))
    got = net.totals_masks_gradient(trace, answers, d_totals)
    np.testing.assert_allclose(got.ravel(), wanted, rtol=1e-6, atol=1e-7)


def test_gradients_are_not_nan_where_two_sums_are_0():
    net = surrogates.make_product((2, 2, 2), 2)
    masks = np.zeros((1, 6))
    masks[:, 4:] = 1
    answers, trace = net.forward(masks)
    assert not answers[:, :4].any()
    gradient = net.masks_gradient(trace, np.ones((1, 6)))
    assert np.isfinite(gradient).all()
    assert gradient[:, :4].all()  # one step brings rows into the last view


@EVERY_SIGN
def test_gradient_of_the_loss(signed):
    net = surrogates.make_product((3, 4, 2), 3, 5, signed)
    masks = soft_masks(net, 7, 6)
    answers = np.random.default_rng(7).normal(0, 5, masks.shape)
    value, gradients = net.loss(masks, answers, 0.25)
    assert value == pytest.approx(0.25 * abs(net.forward(masks)[0] - answers).sum(1).mean(), rel=1e-12)
    for name, gradient in gradients.items():
        flat = net.parameters[name].reshape(-1)
        wanted = naive.central_differences(lambda: net.loss(masks, answers, 0.25)[0], flat, 1e-6)
        np.testing.assert_allclose(gradient.ravel(), wanted, rtol=1e-5, atol=1e-7)


# --- what holds for every brush


def split(draw, mask, part):
    """Two masks with the selected bins of one attribute shared out: a range cut in two, or a set in any two."""
    bins = np.flatnonzero(mask[part]) + part.start
    assume(len(bins) > 1)
    if draw(st.booleans()):
        left = bins[: draw(st.integers(1, len(bins) - 1))]
    else:
        left = np.array([i for i in bins if draw(st.booleans())], int)
    one, other = mask.copy(), mask.copy()
    one[np.setdiff1d(bins, left)] = False
    other[left] = False
    return one, other


@st.composite
def brushes(draw):
    """A random query, one attribute of it, and its mask split in two there."""
    schema = surrogates.make_schema()
    mask = np.random.default_rng(draw(st.integers(0, 9999))).random(schema.bins) < draw(st.sampled_from([0.3, 0.7, 1]))
    name = draw(st.sampled_from(schema.names))
    return mask, *split(draw, mask, schema.slices[name]), name


@pytest.mark.parametrize("net", ["product", "signed"])
def test_split_regions_add_up(net):
    model = surrogates.shared_model(net)

    @surrogates.FEW
    @given(brushes())
    def check(brush):
        whole, one, other, name = brush
        if net == "product":
            size = model.totals_many(whole)[0]
            assert abs(model.totals_many(np.stack([one, other])).sum() - size) <= 1e-5 * size
        answers = [model.net.forward(model.net.compress(mask[None]))[0] for mask in (whole, one, other)]
        answers = [model.schema.split(model.net.expand(each)[0]) for each in answers]
        if net == "product":
            views = [model.views(mask) for mask in (whole, one, other)]
            answers = [{**each, **view} for each, view in zip(answers, views, strict=True)]
        for view in model.schema.names:
            parts = answers[1][view] + answers[2][view] if view != name else 2 * answers[1][view]
            wanted = answers[0][view] if view != name else 2 * answers[0][view]  # which its own filter does not touch
            # signed factors cancel: relative to what was added up
            size = np.abs(answers[1][view]) + np.abs(answers[2][view]) if net == "product" else np.abs(wanted).max() + 1
            assert (np.abs(parts - wanted) <= 1e-5 * size + 1e-30).all()

    check()


@pytest.mark.parametrize("net", ["product", "signed"])
def test_selected_bars_add_up_to_the_total(net):
    model = surrogates.shared_model(net).net
    masks = np.random.default_rng(0).random((50, len(model.keep))) < 0.6
    answers, trace = model.forward(model.compress(masks))
    totals = model.totals(trace)
    for bars, part in zip(model.parts(answers), model.parts(model.compress(masks)), strict=True):
        np.testing.assert_allclose((bars * part).sum(1), totals, rtol=1e-5, atol=1e-5 * abs(totals).max())


@surrogates.FEW
@given(brushes())
def test_a_larger_region_never_holds_less(brush):
    model = surrogates.shared_model()
    whole, one, _, _ = brush
    assert (model.answer(one) >= 0).all()
    assert (model.answer(one) <= model.answer(whole) * (1 + 1e-6)).all()
    assert model.totals_many(one)[0] <= model.totals_many(whole)[0] * (1 + 1e-6)


# --- arrays


@EVERY_SIGN
@pytest.mark.parametrize("half", [False, True], ids=["as it is", "halved"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_give_the_same_net_to_the_last_bit(signed, half, dtype):
    net = surrogates.make_product((9, 3, 4), 5, 2, signed, 0.7)
    for name in net.parameters:
        net.parameters[name] = net.parameters[name].astype(dtype)
    if signed and not half:  # files hold only the sign of a sign
        net.parameters["sign"] = np.where(net.parameters["sign"] < 0, -1, 1).astype(dtype)
    if half:
        net.halved()
        assert net.arrays()["log"].dtype == np.float16
    again = ProductNet.from_arrays(net.sizes, net.arrays())
    np.testing.assert_array_equal(again.keep, net.keep)
    np.testing.assert_array_equal(again.offsets, net.offsets)
    assert (again.rank, again.signed, again.floats) == (net.rank, signed, net.floats)
    if not (half and dtype == np.float64):  # float16 comes back as float32: its exponential is rounded once more
        np.testing.assert_array_equal(again.factors(), net.factors())
    for name in net.parameters:
        np.testing.assert_array_equal(again.parameters[name], net.parameters[name])


@EVERY_SIGN
def test_halved_factors_are_near_the_old_ones(signed):
    net = surrogates.make_product((9, 3, 4), 5, 2, signed)
    before = net.factors().copy()
    net.halved()
    np.testing.assert_allclose(net.factors(), before, rtol=4e-3)
    assert not signed or set(net.parameters["sign"].ravel()) <= {-1, 1}


def test_a_factor_of_0_stays_what_it_is_in_a_file():
    net = surrogates.make_product((3, 2), 2, signed=True)
    net.parameters["sign"][1, 1] = 0
    net.parameters["log"][3, 0] = -1e5  # exp is 0
    net.halved()
    again = ProductNet.from_arrays(net.sizes, net.arrays())
    for name in net.parameters:
        np.testing.assert_array_equal(again.parameters[name], net.parameters[name])
    assert abs(net.factors()[1, 1]) < 1e-20


WRONG = [
    {"log": np.zeros((4, 2), np.float32)},
    {"log": np.full((5, 2), np.nan, np.float32)},
    {"log": np.full((5, 2), np.inf, np.float16)},
    {"log": np.zeros(10, np.float32)},
    {"log": np.zeros((5, 2), np.int64)},
    {"log": np.zeros((5, 2), complex)},
    {"keep": np.zeros(2, np.uint8)},
    {"keep": np.zeros(0, np.uint8)},
    {"sign": np.zeros(1, np.uint8)},
    {"sign": np.zeros(9, np.uint8)},
]


@pytest.mark.parametrize("change", WRONG, ids=str)
def test_arrays_of_no_net(change):
    arrays = surrogates.make_product((3, 2), 2, signed=True).arrays()
    with pytest.raises(ValueError, match=r"factors|bytes"):
        ProductNet.from_arrays((3, 2), {**arrays, **change})


def test_bins_that_are_not_kept_answer_0_and_take_no_room():
    keep = np.array([True, False, True, False, True])
    net = ProductNet((3, 2), keep, np.zeros((3, 2), np.float32))
    masks = np.arange(10).reshape(2, 5) % 3 > 0
    assert net.compress(masks).tolist() == masks[:, keep].tolist()
    assert net.compress(masks).dtype == np.float32
    out = net.expand(net.compress(np.ones((2, 5))))
    assert out.tolist() == [[1, 0, 1, 0, 1]] * 2
    assert out.dtype == np.float64
    assert net.floats == 6
    assert [part.tolist() for part in net.parts(np.arange(3)[None])] == [[[0, 1]], [[2]]]


@EVERY_SIGN
def test_a_first_net_is_near_independence(signed):
    marginals = np.array([60, 0, 40, 90, 10, 0, 100.0])
    net = ProductNet.initial((3, 2, 2), marginals, 500, np.random.default_rng(0), signed)
    assert net.keep.tolist() == (marginals > 0).tolist()
    answers, _ = net.forward(net.compress(np.ones((1, 7))))
    ratio = net.expand(answers)[0][net.keep] / marginals[net.keep]
    np.testing.assert_allclose(ratio, np.exp(3 * 0.5**2 / 2), rtol=0.2)  # the mean of exp of what sets ranks apart
    assert (net.signed, net.rank) == (signed, 500)


def test_some_ranks_of_a_first_net_begin_below_0():
    net = ProductNet.initial((3, 2), np.ones(5), 8, np.random.default_rng(0), True, 0.25)
    cell = np.prod([part[:, 0] for part in factors_of(net)], axis=0)
    assert ((cell < 0) == (np.arange(8) < 2)).all()


def test_a_first_net_of_nothing():
    net = ProductNet.initial((3, 2), np.zeros(5), 4, np.random.default_rng(0))
    assert (net.floats, net.rank) == (0, 4)
