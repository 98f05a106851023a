"""A model: its ways to answer agree, its intervals hold on queries nobody has seen, and it says what it is worth."""

import numpy as np
import pytest
import surrogates

from learnviews.kernels import cube
from learnviews.kernels.cube import calibration
from learnviews.kernels.cube.calibration import ENOUGH, LEVELS, calibrate, levels
from learnviews.kernels.cube.independence import independence, marginals
from learnviews.kernels.cube.report import size

AGGREGATES = ["count", ("sum", "delay"), ("mean", "delay"), ("var", "delay")]
EVERY_AGGREGATE = pytest.mark.parametrize("aggregate", AGGREGATES, ids=str)


@pytest.fixture(scope="module")
def model():
    return cube.fit(surrogates.shared_cube(), aggregate=AGGREGATES, queries=3000, rank=24, steps=900)


@pytest.fixture(scope="module")
def mlp():
    return surrogates.shared_model("mlp")


def queries(n=20, seed=4):
    return cube.random_queries(surrogates.make_schema(), n, seed)


# --- ways to answer


@EVERY_AGGREGATE
def test_one_query_is_answered_as_many_are(model, aggregate):
    check_agreement(model, aggregate)


def test_one_query_is_answered_as_many_are_by_an_mlp(mlp):
    check_agreement(mlp, "count")


def check_agreement(model, aggregate):
    some = queries()
    many, totals = model.query_many(some, aggregate), model.totals_many(some, aggregate)
    assert many.shape == (20, model.schema.bins)
    near = {"rtol": 1e-4, "atol": 1e-4 * np.nanmax(abs(many))}  # float32
    for query, row, total in zip(some, many, totals, strict=True):
        views = model.views(query, aggregate)
        assert list(views) == list(model.schema.names)
        np.testing.assert_allclose(np.concatenate(list(views.values())), row, **near)
        np.testing.assert_allclose(model.answer(model.schema.mask(query), aggregate), row, **near)
        assert model.total(query, aggregate) == pytest.approx(total, rel=1e-4, abs=near["atol"], nan_ok=True)
        for name, view in model.views(model.schema.mask(query), aggregate).items():
            np.testing.assert_array_equal(view, views[name])


def test_no_query_is_all_rows(model):
    everything = model.views(cube.Query())
    for name, view in model.views().items():
        np.testing.assert_array_equal(view, everything[name])
        assert view.sum() == pytest.approx(model.total(), rel=1e-5)
    assert model.total() == pytest.approx(20_000, rel=0.01)


def test_ranges_of_bins_are_queries(model):
    ranges = np.array([[2, 6, 0, 7, 0, 4, 0, 6, 1, 3]])
    query = cube.Query(month=(2, 6), place=(0, 6, 1, 3))
    np.testing.assert_array_equal(model.query_many(ranges), model.query_many(query))


def test_soft_masks_lie_between_hard_ones(model):
    schema = model.schema
    mask = schema.mask(cube.Query(month=(2, 6)))
    soft = mask.astype(float)
    soft[7] = 0.5
    hard = mask.copy()
    hard[7] = True
    middle = (model.answer(mask) + model.answer(hard)) / 2
    np.testing.assert_allclose(model.answer(soft), middle, rtol=1e-5)


def test_no_queries(model):
    assert model.query_many([]).shape == (0, model.schema.bins)
    assert model.totals_many([]).shape == (0,)
    assert [end.shape for end in model.interval_many([])] == [(0, model.schema.bins)] * 2


@pytest.mark.parametrize("shape", [(3,), (100,), (1, 53), ()])
def test_masks_of_another_shape(model, shape):
    with pytest.raises(ValueError, match=r"a mask of shape .*; expected \(53,\)"):
        model.answer(np.ones(shape))


def test_questions_that_do_not_fit(model, mlp):
    with pytest.raises(LookupError, match="no attribute 'nowhere'"):
        model.views(cube.Query(nowhere=(0, 1)))
    with pytest.raises(LookupError, match="no aggregate 'mean of delay'; the model answers count"):
        mlp.views(aggregate=("mean", "delay"))
    with pytest.raises(LookupError, match="no aggregate 'sum of speed'"):
        model.total(None, ("sum", "speed"))
    with pytest.raises(ValueError, match="aggregate 'median'"):
        model.query_many(queries(), "median")
    for ask in (model.views, model.total, model.interval):
        with pytest.raises(ValueError, match="20 queries; expected one"):
            ask(queries())
    with pytest.raises(TypeError, match="expected queries"):
        model.query_many(np.ones((2, 9)))


def test_counts_and_variances_are_never_negative(model, mlp):
    some = queries(200)
    assert model.query_many(some, "count").min() >= 0
    assert mlp.query_many(some).min() >= 0
    assert np.nanmin(model.query_many(some, ("var", "delay"))) >= 0
    assert np.nanmin(model.query_many(some, ("sum", "delay"))) < 0


def test_means_of_no_rows_are_nan(model):
    nothing = cube.Query(month=(3, 3))
    for aggregate in AGGREGATES[2:]:
        views = model.views(nothing, aggregate)
        assert np.isnan(views["day"]).all()
        assert not np.isnan(views["month"]).any()
        assert np.isnan(model.total(nothing, aggregate))
    assert model.total(nothing) == 0


# --- intervals


@EVERY_AGGREGATE
def test_intervals_hold_on_fresh_queries(model, aggregate):
    fresh = cube.random_masks(model.schema, 1500, 77)
    truth = surrogates.shared_cube().query_many(fresh, aggregate)
    low, high = model.interval_many(fresh, aggregate)
    within, known = (low <= truth) & (truth <= high), ~np.isnan(truth)
    assert within[known].mean() >= 0.88
    if aggregate in AGGREGATES[:2]:  # for means 0 is no answer apart
        known &= truth != 0
    assert 0.88 <= within[known].mean() <= 0.92


def test_intervals_of_sums_hold_on_both_sides_of_0(model):
    fresh = cube.random_masks(model.schema, 1500, 78)
    truth = surrogates.shared_cube().query_many(fresh, ("sum", "delay"))
    low, high = model.interval_many(fresh, ("sum", "delay"))
    for some in (truth > 0, truth < 0):
        assert ((low <= truth) & (truth <= high))[some].mean() > 0.85


@EVERY_AGGREGATE
def test_an_interval_holds_what_is_predicted(model, aggregate):
    query = queries(1)[0]
    low, high = model.interval_many(query, aggregate)
    predicted = model.query_many(query, aggregate)
    known = ~np.isnan(predicted)
    assert (low <= predicted)[known].all()
    assert (predicted <= high)[known].all()
    for name, (one, other) in model.interval(query, aggregate).items():
        np.testing.assert_allclose(one, low[0, model.schema.slices[name]])
        np.testing.assert_allclose(other, high[0, model.schema.slices[name]])


def test_levels_are_powers_of_two():
    assert levels([0, 0.49, 0.5, 0.99, 1, 1.99, 2, 1024, 1e300, np.nan, -5]).tolist() == [
        *(0, 0, 1, 1, 2, 2, 3, 12),
        *(LEVELS - 1, 0, 0),
    ]


def draw(n, seed, zeros=0.0, signed=False):
    """Predictions and truths (n, 3) whose distance goes with their size."""
    r = np.random.default_rng(seed)
    predicted = r.lognormal(3, 1, (n, 3)) * (r.choice([-1, 1], (n, 3)) if signed else 1)
    truth = predicted + r.normal(0, 0.2, (n, 3)) * abs(predicted)
    return predicted, np.where(r.random((n, 3)) < zeros, 0, truth)


@pytest.mark.parametrize("zeros", [0.0, 0.03, 0.4])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_as_many_are_covered_as_wanted(zeros, signed, coverage):
    predicted, truth = draw(5000, 0, zeros, signed)
    made = calibrate(predicted, truth, abs(predicted), (2, 1), coverage)
    predicted, truth = draw(5000, 1, zeros, signed)
    low, high = made.interval(0, predicted[:, :2], abs(predicted[:, :2]))
    within, some = (low <= truth[:, :2]) & (truth[:, :2] <= high), truth[:, :2] != 0
    # from 0 to beyond the prediction: at least half of them are there anyway
    assert within[some].mean() == pytest.approx(coverage, abs=0.04 if zeros == 0.4 else 0.02)
    if zeros == 0.4:
        assert within[~some].all()


def test_widths_go_with_the_size():
    predicted, truth = draw(20_000, 0)
    made = calibrate(predicted, truth, predicted, (3,))
    assert made.above[0, 9] > 3 * made.above[0, 6] > 0
    assert (made.below == made.above).all()


def test_sizes_that_were_hardly_seen_take_the_widths_of_their_neighbours():
    predicted, truth = np.full((ENOUGH, 1), 10.0), np.full((ENOUGH, 1), 12.0)
    made = calibrate(predicted, truth, predicted, (1,))
    np.testing.assert_allclose(made.above, 2, rtol=1e-6)
    low, high = made.interval(0, np.array([1e9]), np.array([1e9]))
    assert low < 1e9 - 1
    assert high > 1e9 + 1


def test_nothing_to_calibrate_with():
    made = calibrate(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros((0, 2)), (1, 1))
    assert made.interval(1, np.array([3.0]), np.array([3.0])) == (0, 3)
    made = calibrate(*(np.full((5, 2), np.nan),) * 3, (1, 1), zeros=False)
    assert made.interval(1, np.array([3.0]), np.array([3.0])) == (3, 3)


def test_answers_that_are_always_0():
    made = calibrate(np.full((300, 1), 0.2), np.zeros((300, 1)), np.full((300, 1), 0.2), (1,))
    low, high = made.interval(0, np.array([0.3]), np.array([0.3]), 0.0)
    assert (low, high) == (0, pytest.approx(0.3))


def test_nan_truths_are_left_out():
    predicted, truth = draw(500, 0)
    more, gaps = np.vstack([predicted, predicted]), np.vstack([truth, np.full(truth.shape, np.nan)])
    one, other = calibrate(predicted, truth, predicted, (3,)), calibrate(more, gaps, more, (3,))
    np.testing.assert_array_equal(one.above, other.above)


def test_the_quantile_asks_for_one_more():
    assert calibration._quantile(np.arange(1.0, 10), 0.9) == pytest.approx(9)
    assert calibration._quantile(np.arange(1.0, 100), 0.9) == pytest.approx(90)
    assert calibration._quantile(np.array([-3.0, -2]), 0.9) < 1e-30
    assert calibration._quantile(np.zeros(0), 0.9) == 0


# --- what it says of itself


def test_independence_is_always_there(model, mlp):
    for each, aggregates in ((model, AGGREGATES), (mlp, ["count"])):
        for aggregate in aggregates:
            error = each.errors[aggregate]
            assert 0 < error.overall < error.independence
            assert set(error.views) == set(error.independence_views) == set(each.schema.names)
            assert error.queries == each.about["queries"] // 10


def test_independence_is_the_product_of_shares(model):
    exact, query = surrogates.shared_cube(), cube.Query(month=(0, 6), day=(5, 7))
    views = exact.views()
    wanted = 20_000 * (views["day"][5:7].sum() / 20_000) * views["month"] / 20_000
    got = model.schema.split(model.independence(query)[0])
    np.testing.assert_allclose(got["month"], wanted, rtol=1e-6)
    mean = exact.total(None, ("mean", "delay"))
    np.testing.assert_allclose(model.independence(query, ("mean", "delay")), mean, rtol=1e-6)


@pytest.mark.parametrize("total", [50.0, -50.0])
def test_independence_of_given_shares(total):
    net = independence((2, 3), np.array([1, 3, 2, 0, 2.0]), total)
    answers, trace = net.forward(net.compress(np.ones((1, 5))))
    np.testing.assert_allclose(net.expand(answers)[0], total * np.array([0.25, 0.75, 0.5, 0, 0.5]))
    assert net.totals(trace)[0] == pytest.approx(total)
    assert net.rank == 1


def test_independence_of_nothing():
    for shares, total in ((np.zeros(5), 3.0), (np.ones(5), 0.0)):
        net = independence((2, 3), shares, total)
        assert not net.expand(net.forward(net.compress(np.ones((1, 5))))[0]).any()


def test_marginals_are_found_from_queries_and_answers_of_independent_attributes():
    truth = np.array([10, 30, 40, 20, 0, 20.0])
    net = independence((3, 3), truth, 80.0)
    masks = np.random.default_rng(0).random((50, 6)) < 0.6
    answers = net.expand(net.forward(net.compress(masks))[0])
    wanted = np.concatenate([truth[:3], 2 * truth[3:]])  # both views sum to 80
    np.testing.assert_allclose(marginals(masks, answers, (3, 3)), wanted, rtol=1e-9)
    assert not marginals(masks, 0 * answers, (3, 3)).any()


def test_report(model, mlp):
    text = model.report()
    for words in (
        "product, rank 24",
        "20,000",
        "3,000 queries in",
        "exact cube, sparse",
        "RAE of count on 300 held-out",
    ):
        assert words in text
    assert "RAE of mean of delay on 300 held-out queries, weighted by rows" in text
    assert text.count("independence") == 4
    assert f"{model.error.overall:.4f}" in text
    assert f"{model.error.independence_views['place']:.4f}" in text
    assert "mlp" in mlp.report()
    assert max(map(len, text.splitlines())) < 100


def test_sizes_and_names(model, mlp):
    nets = {id(net): net for net in model.nets.values()}.values()  # parts that are the same share one
    assert model.floats == sum(net.floats for net in nets)
    assert model.nbytes == sum(2 * net.floats + 7 + net.signed * -(-net.floats // 8) for net in nets)
    assert model.additive
    assert not mlp.additive
    assert repr(model).startswith("Model(count, sum of delay, mean of delay, var of delay by month, day, kind, place: ")
    assert str(model.error) in repr(model)
    assert model.exact is surrogates.shared_cube()


@pytest.mark.parametrize(
    "n, text",
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (99_600, "100 kB"), (3_225_600, "3.2 MB"), (6.8e12, "6800 GB")],
)
def test_bytes_for_people(n, text):
    assert size(n) == text
