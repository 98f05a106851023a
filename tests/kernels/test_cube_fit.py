"""Fitting: near the truth for every aggregate, one clear error for what does not fit, defined answers of nothing."""

import numpy as np
import pytest
import surrogates

from learnviews.kernels import cube
from learnviews.kernels.cube.aggregates import Part, several
from learnviews.kernels.cube.auto import advice
from learnviews.kernels.cube.fit import default_rank, default_steps
from learnviews.kernels.progress import Progress

QUICK = {"queries": 60, "steps": 20, "rank": 2}
AGGREGATES = ["count", ("sum", "delay"), ("mean", "delay"), ("var", "delay")]
BINS = surrogates.make_schema().bins


def fresh(cube_, n=200, seed=99):
    """Queries that no fit has seen, and their answers."""
    masks = cube.random_masks(cube_.schema, n, seed)
    return masks, lambda aggregate="count": cube_.query_many(masks, aggregate)


def relative(found, truth, weights=1.0):
    known = ~np.isnan(truth)
    y, p, w = truth[known], found[known], np.broadcast_to(weights, truth.shape)[known]
    return (w * abs(p - y)).sum() / (w * abs(y - np.average(y, weights=w))).sum()


def pair(n=40):
    held = surrogates.shared_cube()
    queries = cube.random_queries(held.schema, n, 3)
    return queries, held.query_many(queries)


# --- what it is worth


@pytest.fixture(scope="module")
def several_aggregates():
    return cube.fit(surrogates.shared_cube(), aggregate=AGGREGATES, queries=1200, rank=16, steps=900)


@pytest.mark.parametrize("aggregate, most", list(zip(AGGREGATES, [0.02, 0.07, 0.09, 0.25], strict=True)), ids=str)
def test_every_aggregate_is_near_the_exact_one(several_aggregates, aggregate, most):
    model, exact = several_aggregates, surrogates.shared_cube()
    masks, truth = fresh(exact)
    weights = truth() if aggregate in AGGREGATES[2:] else 1.0
    error = relative(model.query_many(masks, aggregate), truth(aggregate), weights)
    assert error < most
    assert error == pytest.approx(model.errors[aggregate].overall, rel=0.4)
    assert model.errors[aggregate].overall < model.errors[aggregate].independence
    total = exact.total(None, aggregate)
    assert model.total(None, aggregate) == pytest.approx(total, rel=0.05)


def test_one_net_per_part(several_aggregates):
    centre = surrogates.shared_cube().total(None, ("mean", "delay"))
    assert set(several_aggregates.nets) == {
        Part("count"),
        Part("sum", "delay"),
        Part("present", "delay"),
        Part("centred", "delay", centre),
        Part("scatter", "delay", centre),
    }
    assert {part.kind for part, net in several_aggregates.nets.items() if net.signed} == {"sum", "centred"}


@pytest.mark.parametrize("net, most", [("product", 0.03), ("signed", 0.03), ("mlp", 0.06)])
def test_queries_and_answers_do_as_well_as_a_cube(net, most):
    exact = surrogates.shared_cube()
    masks = cube.random_masks(exact.schema, 500, 0)
    rank = None if net == "mlp" else 12
    model = cube.fit((masks, exact.query_many(masks)), exact.schema, net=net, rank=rank, steps=500)
    fresh_masks, truth = fresh(exact)
    error = relative(model.query_many(fresh_masks), truth())
    assert error < most
    assert error == pytest.approx(model.error.overall, rel=0.4)
    assert model.error.independence == pytest.approx(relative(model.independence(fresh_masks), truth()), rel=0.4)
    assert model.exact is None
    assert model.about["queries"] == 500


def test_sums_of_both_signs_from_queries_and_answers():
    exact = surrogates.shared_cube()
    masks = cube.random_masks(exact.schema, 500, 0)
    answers = exact.query_many(masks, ("sum", "delay"))
    model = cube.fit((masks, answers), exact.schema, aggregate=("sum", "delay"), rank=12, steps=600)
    assert model.error.overall < 0.12
    assert model.query_many(masks).min() < 0


@pytest.mark.parametrize("rank", [1, 16])
@pytest.mark.parametrize("shift", [-20.0, -2.0, 20.0])
def test_sums_that_are_mostly_below_0_are_learned_as_well(shift, rank):
    table = surrogates.make_table(5000)
    table["delay"] += shift
    exact = cube.ExactCube.build(table, surrogates.make_schema(), ["delay"])
    model = cube.fit(exact, aggregate=("sum", "delay"), queries=300, rank=rank, steps=300)
    assert model.error.overall < {1: 0.25, 16: 0.12}[rank]  # 0.83 is that of a net that answers 0


def test_the_authors_recipe_runs():
    model = cube.fit(surrogates.shared_cube(), net="mlp", description="authors", queries=60, steps=20)
    assert np.isfinite(model.error.overall)
    assert model.net.description["regressor"] == [220]


def test_a_measure_that_is_constant():
    model = cube.fit(
        surrogates.shared_cube(), aggregate=[("mean", "constant"), ("var", "constant"), ("sum", "constant")], **QUICK
    )
    for aggregate, value in (("mean", 3.5), ("var", 0)):
        views = model.views(aggregate=(aggregate, "constant"))
        assert all(view[~np.isnan(view)] == pytest.approx(value, abs=1e-6) for view in views.values())
        assert model.total(None, (aggregate, "constant")) == pytest.approx(value, abs=1e-6)


def test_a_measure_that_is_0():
    table = surrogates.make_table(500)
    table["nothing"] = np.zeros(500)
    exact = cube.ExactCube.build(table, surrogates.make_schema(), ["nothing"])
    model = cube.fit(exact, aggregate=("sum", "nothing"), **QUICK)
    assert model.total() == 0
    assert not any(view.any() for view in model.views().values())
    assert model.error.overall == 0


# --- arguments


def test_rank_and_steps():
    model = cube.fit(surrogates.shared_cube(), queries=40, rank=5, steps=3)
    assert model.net.rank == 5
    assert model.floats == 5 * BINS
    assert default_rank((12, 7, 24, 400)) == 256
    assert default_rank((3, 2)) == 1
    assert default_rank((10, 10)) == 5
    assert default_steps(100) > default_steps(10_000)


def test_training_ends_at_the_wanted_error():
    exact = surrogates.shared_cube()
    whole = cube.fit(exact, queries=200, rank=8, steps=500)
    early = cube.fit(exact, queries=200, rank=8, steps=500, error=0.08)
    assert early.about["stopped"] == "good enough"
    assert whole.error.overall < early.error.overall < 0.085
    assert whole.about["stopped"] == ""


def test_the_same_seed_gives_the_same_bits():
    found = [cube.fit(surrogates.shared_cube(), rng=seed, **QUICK).views() for seed in (1, 1, 2)]
    assert all((found[0][name] == found[1][name]).all() for name in found[0])
    assert any((found[0][name] != found[2][name]).any() for name in found[0])


def test_a_description_of_ones_own():
    described = {
        "branches": [{"inputs": "bins", "encoder": [6], "read": 1, "decoder": []}] * 4,
        "regressor": [8, 4],
        "output": "independence",
        "loss": {"l1": 1.0, "relative": True},
        "batch": 8,
        "phases": [{"epochs": 3, "optimizer": "adam", "settings": {"rate": 1e-3}}],
    }
    model = cube.fit(surrogates.shared_cube(), net="mlp", description=described, queries=60)
    assert model.net.description["regressor"] == [8, 4]
    assert model.error.overall <= model.error.independence * 1.001  # where it begins


def test_a_cancelled_fit_is_what_was_reached():
    progress = Progress(lambda progress: progress.text and progress.done > 5 and progress.cancel(), interval=0)
    model = cube.fit(surrogates.shared_cube(), queries=40, rank=4, steps=100_000, progress=progress)
    assert model.about["stopped"] == "cancelled"
    assert np.isfinite(model.error.overall)


WRONG = [
    ({"net": "cnn"}, ValueError, "net must be one of .* got 'cnn'"),
    ({"rank": 0}, ValueError, "rank must be a positive integer, got 0"),
    ({"rank": 2.5}, ValueError, "rank must be a positive integer"),
    ({"rank": True}, ValueError, "rank must be a positive integer"),
    ({"steps": -1}, ValueError, "steps must be a positive integer, got -1"),
    ({"steps": "many"}, ValueError, "steps must be a positive integer"),
    ({"queries": 9}, ValueError, "queries must be at least 10, got 9"),
    ({"queries": 20.5}, ValueError, "queries must be a positive integer"),
    ({"error": 0}, ValueError, "error must be above 0"),
    ({"error": float("nan")}, ValueError, "error must be above 0"),
    ({"error": "small"}, ValueError, "error must be above 0"),
    ({"device": "tpu"}, ValueError, 'device must be "cpu" or "gpu"'),
    ({"aggregate": "sum"}, ValueError, "aggregate 'sum'; expected 'count' or one of"),
    ({"aggregate": []}, ValueError, "at least one"),
    ({"aggregate": ("median", "delay")}, ValueError, "aggregate .*median"),
    ({"aggregate": ("mean", "speed")}, LookupError, "no measure 'speed'; the cube has delay, constant"),
    ({"description": "tuned"}, ValueError, 'description is for net="mlp"'),
    ({"net": "auto", "description": "tuned"}, ValueError, 'description is for net="mlp"'),
    (
        {"net": "mlp", "rank": None, "description": "best"},
        ValueError,
        'description must be "tuned", "authors"',
    ),
    (
        {"net": "mlp", "rank": None, "description": ["tuned"]},
        ValueError,
        'description must be "tuned", "authors"',
    ),
    ({"net": "mlp", "rank": None, "description": {"branches": []}}, ValueError, "branches must be a list of 4"),
    ({"schema": cube.Schema(cube.Integer("a", 0, 1))}, ValueError, "the cube has another schema"),
]


@pytest.mark.parametrize("change, error, message", WRONG, ids=lambda value: str(value)[:40])
def test_wrong_arguments(change, error, message):
    with pytest.raises(error, match=message):
        cube.fit(surrogates.shared_cube(), **{**QUICK, **change})


def test_gpu_without_cupy(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="needs CuPy"):
        cube.fit(surrogates.shared_cube(), device="gpu", **QUICK)


WRONG_SOURCES = [
    (lambda q, y: (q, y[:5]), ValueError, "40 queries but 5 answers"),
    (lambda q, y: (q, y[:, :5]), ValueError, rf"answers of shape \(40, 5\); expected \(n, {BINS}\)"),
    (lambda q, y: (q, y[0]), ValueError, "answers of shape"),
    (lambda q, y: (q, "abc"), ValueError, "answers must be an array of numbers"),
    (lambda q, y: (q, np.where(y == y[3, 4], np.nan, y)), ValueError, r"answers hold \d+ nan or infinite values"),
    (lambda q, y: (q, np.where(y > 0, np.inf, y)), ValueError, "nan or infinite"),
    (lambda q, y: (q, -y), ValueError, "negative counts; name the aggregate"),
    (lambda q, y: (q[:9], y[:9]), ValueError, "9 queries are too few"),
    (lambda q, y: ([], y[:0]), ValueError, "0 queries are too few"),
    (lambda q, y: ([cube.Query(nowhere=(0, 1))] * 40, y), LookupError, "no attribute 'nowhere'"),
    (lambda q, y: (np.ones((40, 3), bool), y), TypeError, "expected queries"),
    (lambda q, y: (q,), TypeError, "pair"),
    (lambda q, y: [q, y], TypeError, "pair"),
    (lambda q, y: None, TypeError, "pair"),
]


@pytest.mark.parametrize("make, error, message", WRONG_SOURCES)
def test_wrong_queries_and_answers(make, error, message):
    with pytest.raises(error, match=message):
        cube.fit(make(*pair()), surrogates.make_schema(), **QUICK)


def test_queries_and_answers_need_a_schema_and_teach_one_sum():
    with pytest.raises(TypeError, match="need a schema"):
        cube.fit(pair(), **QUICK)
    for aggregate in (("mean", "delay"), ["count", ("sum", "delay")]):
        with pytest.raises(ValueError, match="alone teach one count or sum"):
            cube.fit(pair(), surrogates.make_schema(), aggregate=aggregate, **QUICK)


def test_an_aggregate_named_twice_is_one():
    assert several(["count", ["mean", "x"], "count", ("mean", "x")]) == ("count", ("mean", "x"))


# --- nothing, and next to nothing


@pytest.mark.parametrize(
    "net, options", [("product", {}), ("signed", {}), ("mlp", {}), ("auto", {}), ("mlp", {"description": "authors"})]
)
def test_a_cube_without_rows(net, options):
    exact = cube.ExactCube(surrogates.make_schema(), ["delay"])
    model = cube.fit(exact, net=net, aggregate=["count", ("mean", "delay")], queries=40, steps=5, **options)
    assert (model.total(), model.error.overall, model.error.independence) == (0, 0, 0)
    assert not any(view.any() for view in model.views().values())
    assert np.isnan(model.total(None, ("mean", "delay")))
    assert all(np.isnan(view).all() for view in model.views(aggregate=("mean", "delay")).values())
    low, high = model.interval_many(np.ones((2, BINS), bool))
    assert not low.any()
    assert not high.any()
    assert "rows                 0" in model.report()


@pytest.mark.parametrize("net", ["product", "signed", "mlp"])
def test_a_cube_of_one_row(net):
    exact = surrogates.make_cube(1)
    model = cube.fit(exact, net=net, aggregate=["count", ("mean", "delay"), ("var", "delay")], queries=60, steps=300)
    assert model.total() == pytest.approx(1, rel=0.05)
    assert model.total(None, ("mean", "delay")) == pytest.approx(exact.total(None, ("mean", "delay")))
    assert model.total(None, ("var", "delay")) == pytest.approx(0, abs=1e-9)
    assert sum((view > 0.5).sum() for view in model.views().values()) == 4
    assert model.error.overall < 0.05


def test_answers_that_are_all_0():
    queries, answers = pair()
    model = cube.fit((queries, 0 * answers), surrogates.make_schema(), **QUICK)
    assert model.total() == 0


def test_one_attribute_of_one_bin():
    exact = cube.ExactCube.build({"a": np.zeros(10, int)}, cube.Schema(cube.Integer("a", 0, 0)))
    model = cube.fit(exact, queries=40, steps=50)
    assert model.views()["a"] == pytest.approx([10], rel=0.01)
    assert model.total(cube.Query(a=(0, 0))) == 0


# --- grown data


@pytest.fixture(scope="module")
def grown():
    """A model of months 1 to 9, and a cube that has rows of all months since."""
    exact = surrogates.make_cube(8_000, months=9)
    aggregates = ["count", ("mean", "delay")]
    old = cube.fit(exact, aggregate=aggregates, queries=600, rank=12, steps=500)
    exact.add(surrogates.make_table(16_000, 5))
    return old, exact


def test_an_update_is_better_than_the_old_model(grown):
    old, exact = grown
    masks, truth = fresh(exact)
    before = relative(old.query_many(masks), truth())
    weights = old.views(aggregate="count")["month"].copy()
    new = old.update(exact, steps=100)
    after = relative(new.query_many(masks), truth())
    assert after < 0.2 * before
    assert after < 0.05
    assert not old.views()["month"][9:].any()
    np.testing.assert_allclose(new.views()["month"], exact.views()["month"], rtol=0.15)
    assert relative(new.query_many(masks, ("mean", "delay")), truth(("mean", "delay")), truth()) < 0.3
    np.testing.assert_array_equal(old.views()["month"], weights)  # the old model stays as it is
    assert new.about["rows"] == 24_000
    assert new.exact is exact


@pytest.mark.parametrize("net", ["product", "signed"])
def test_an_update_begins_where_the_old_model_was(net):
    exact = surrogates.make_cube(40_000, 7)
    warm = surrogates.shared_model(net).update(exact, steps=1, queries=200)
    cold = cube.fit(exact, net=net, queries=200, rank=None if net == "mlp" else 12, steps=1)
    assert warm.error.overall < 0.7 * cold.error.overall
    assert warm.about["queries"] == 200


@pytest.mark.parametrize("net", ["product", "signed", "mlp"])
def test_an_update_of_nothing(net):
    empty = cube.ExactCube(surrogates.make_schema())
    model = cube.fit(empty, net=net, queries=200, rank=None if net == "mlp" else 8, steps=5)
    grown = model.update(surrogates.shared_cube(), steps=150)
    assert grown.error.overall < 0.7 * grown.error.independence
    assert grown.total() == pytest.approx(20_000, rel=0.1)
    assert model.total() == 0


def test_an_update_of_an_mlp_knows_new_bins():
    exact = surrogates.make_cube(4_000, months=9)
    old = cube.fit(exact, net="mlp", queries=200, steps=60)
    exact.add(surrogates.make_table(8_000, 5))
    new = old.update(exact, steps=60)
    assert (new.views()["month"][9:] > 300).all()
    assert new.error.overall < new.error.independence


def test_an_update_of_negative_sums_knows_new_bins():
    table = surrogates.make_table(4000, months=9)
    table["delay"] -= 20
    exact = cube.ExactCube.build(table, surrogates.make_schema(), ["delay"])
    old = cube.fit(exact, aggregate=("sum", "delay"), queries=300, rank=8, steps=200)
    more = surrogates.make_table(8000, 5)
    more["delay"] -= 20
    exact.add(more)
    new = old.update(exact, steps=60)
    truth = exact.views(None, ("sum", "delay"))["month"]
    np.testing.assert_allclose(new.views()["month"], truth, rtol=0.3)
    assert new.error.overall < 0.1


def test_an_update_from_queries_and_answers():
    old = cube.fit(pair(100), surrogates.make_schema(), rank=4, steps=100)
    queries, answers = pair(100)
    new = old.update((queries, 3 * answers), steps=50)
    assert new.total() == pytest.approx(3 * old.total(), rel=0.1)


def test_updates_that_do_not_fit(grown):
    old, exact = grown
    with pytest.raises(ValueError, match="another schema"):
        old.update(cube.ExactCube(cube.Schema(cube.Integer("a", 0, 3))))
    with pytest.raises(TypeError, match="pair"):
        old.update(None)
    with pytest.raises(LookupError, match="no measure 'delay'"):
        old.update(cube.ExactCube(surrogates.make_schema()))
    with pytest.raises(ValueError, match="steps must be"):
        old.update(exact, steps=0)
    with pytest.raises(ValueError, match="queries must be at least 10"):
        old.update(exact, queries=3)


# --- auto


def test_auto_takes_the_smallest_that_meets_the_error():
    model = cube.fit(surrogates.shared_cube(), net="auto", error=0.05, queries=400, steps=300)
    tried = model.about["tried"]
    ranks = [rank for rank, _, _ in tried]
    assert ranks == [4, 8, 16, 32, 64][: len(ranks)]
    assert model.error.overall == tried[-1][2] <= 0.05
    assert all(error > 0.05 for _, _, error in tried[:-1])
    assert model.net.rank == ranks[-1]
    assert [size for _, size, _ in tried] == sorted(size for _, size, _ in tried)
    assert model.about["advice"] == ""


def test_auto_without_a_wanted_error_stops_where_doubling_gains_little():
    model = cube.fit(surrogates.shared_cube(), net="auto", queries=300, steps=100)
    errors = [error for _, _, error in model.about["tried"]]
    assert len(errors) > 1
    assert model.error.overall in errors
    assert model.error.overall <= min(errors) / 0.95


def test_auto_says_that_an_exact_cube_is_smaller():
    schema = cube.Schema(*(cube.Integer(name, 0, 19) for name in "abcd"))
    exact = cube.ExactCube.build({name: np.arange(20) for name in "abcd"}, schema)
    model = cube.fit(exact, net="auto", error=1e-9, queries=60, steps=20)
    assert f"an exact sparse cube is smaller: {exact.sparse_bytes} B (the net: " in model.about["advice"]
    assert "advice" in model.report()


def test_auto_says_that_no_net_met_the_error():
    schema = cube.Schema(cube.Integer("a", 0, 9), cube.Integer("b", 0, 9))
    r = np.random.default_rng(0)
    exact = cube.ExactCube.build({"a": r.integers(0, 10, 300), "b": r.integers(0, 10, 300)}, schema)
    model = cube.fit(exact, net="auto", error=1e-9, queries=60, steps=20)
    assert model.about["advice"].startswith("no net met an error of 1e-09 (the best: ")
    assert "an exact" in model.about["advice"]
    assert [rank for rank, _, _ in model.about["tried"]] == [4, 8]  # more would be more numbers than cells


def test_advice_needs_a_cube_to_compare_with():
    model = cube.fit(pair(), surrogates.make_schema(), net="auto", error=0.9, steps=20)
    assert model.about["advice"] == ""
    assert advice(model, 1e-9).startswith("no net met")


@pytest.mark.slow
def test_an_mlp_learns_means_and_sums_of_both_signs():
    exact = surrogates.shared_cube()
    wanted = [("mean", "delay"), ("sum", "delay")]
    model = cube.fit(exact, net="mlp", aggregate=wanted, queries=1500)
    for aggregate in wanted:
        error = model.errors[aggregate]
        assert error.overall < 0.6 * error.independence, (aggregate, error)


def test_parts_with_the_same_answers_share_a_net():
    exact = surrogates.shared_cube()
    model = cube.fit(exact, aggregate=["count", ("mean", "delay")], queries=100, steps=20, rank=4)
    nets = {part.kind: net for part, net in model.nets.items()}
    gaps = exact.total(None, ("present", "delay")) != exact.total()
    assert (nets["present"] is nets["count"]) != gaps


def test_more_answers_than_memory_holds_are_refused_with_what_would_fit():
    exact = surrogates.shared_cube()
    with pytest.raises(ValueError, match=r"expected at most [\d,]+ queries"):
        cube.fit(exact, queries=10**9)


@pytest.mark.parametrize("net", ["mlp", "auto"])
def test_a_rank_where_there_is_none(net):
    with pytest.raises(ValueError, match="rank is for"):
        cube.fit(surrogates.shared_cube(), net=net, rank=3)


def test_signed_counts_are_not_called_additive():
    exact = surrogates.shared_cube()
    assert not cube.fit(exact, net="signed", queries=50, steps=5, rank=2).additive
    assert cube.fit(exact, queries=50, steps=5, rank=2).additive
    assert cube.fit(exact, aggregate=("sum", "delay"), queries=50, steps=5, rank=2).additive
