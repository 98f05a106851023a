"""Inversion: queries whose answers are as wanted."""

import cube_small
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.kernels import cube
from learnviews.kernels.cube.description import authors
from learnviews.kernels.cube.invert import HIT, invert
from learnviews.kernels.cube.query import Query

NAMES = cube_small.SCHEMA.names


@pytest.fixture(scope="module")
def model():
    return cube_small.model()


def answers_of(source, query, wanted, aggregate):
    """Answers of a model or cube under the keys of what is wanted."""
    bars, total = source.query_many([query], aggregate)[0], source.totals_many([query], aggregate)[0]
    found = {}
    for view, place in wanted:
        part, one = source.schema.slices[view], source.schema[view]
        number = one.labels().index(place) if isinstance(place, str) and place != "all" else place
        found[view, place] = total if place is None else bars[part] if place == "all" else bars[part][number]
    return found


def miss_of(found, wanted, least):
    off = [np.sum(np.abs(np.subtract(found[key], wanted[key]))) for key in wanted]
    size = [max(np.sum(np.abs(wanted[key])), least) for key in wanted]
    return np.mean(np.nan_to_num(np.divide(off, size), nan=np.inf))


def change_of(query, base, schema):
    a, b = schema.mask(query), schema.mask(base)
    shares = [1 - (a[s] & b[s]).sum() / max(1, (a[s] | b[s]).sum()) for s in schema.slices.values()]
    same = [np.array_equal(a[s], b[s]) for s in schema.slices.values()]
    return sum(0 if equal else share for share, equal in zip(shares, same, strict=True))


def asked(model, wanted, base=None, *, free=None, aggregate="count", exact=None, **options):
    """Suggestions, after checking all that must hold of any."""
    found = invert(model, wanted, base, free=free, aggregate=aggregate, exact=exact, **options)
    base, schema = base or Query(), model.schema
    seen = {view for view, place in wanted if place is not None}
    free = free or [name for name in schema.names if name not in seen] or schema.names
    truth = model.exact if exact is None else None
    assert 1 <= len(found) <= options.get("n", 5)
    for each in found:
        for name in schema.names:
            if name not in free:
                assert each.query.replace(**dict.fromkeys(set(schema.names) - {name})) == base.replace(
                    **dict.fromkeys(set(schema.names) - {name})
                )
        expected = answers_of(model, each.query, wanted, aggregate)
        assert list(each.predicted) == list(wanted)
        for key in wanted:
            np.testing.assert_allclose(each.predicted[key], expected[key], rtol=1e-4, atol=1e-3)
            assert isinstance(each.predicted[key], np.ndarray if key[1] == "all" else float)
        if truth is None:
            assert each.exact is None
        else:
            expected = answers_of(truth, each.query, wanted, aggregate)
            for key in wanted:
                np.testing.assert_array_equal(each.exact[key], expected[key])
        if aggregate == "count":
            assert each.miss == pytest.approx(miss_of(each.exact or each.predicted, wanted, 1.0), rel=1e-6)
        assert each.miss >= 0  # also: not nan
        assert each.change == pytest.approx(change_of(each.query, base, schema))
    masks = [schema.mask(each.query).tobytes() for each in found]
    assert len(set(masks)) == len(masks)
    size = np.mean([np.abs(value).sum() for value in wanted.values()])
    hit = (max(HIT, 0.5 / max(1.0, size)) if aggregate == "count" else HIT) / len(wanted)
    order = [(0.0, each.change, each.miss) if each.miss <= hit else (each.miss, each.change) for each in found]
    assert order == sorted(order)
    return found


def reachable(model, n, aggregate="count", total=False):
    """Wanted answers that some query gives: those of random ones."""
    rng = np.random.default_rng(3)
    for query in cube.random_queries(model.schema, n, 5):
        view = NAMES[rng.integers(len(NAMES))]
        place = int(rng.integers(model.schema[view].bins))
        bars = model.exact.views(query, aggregate)[view]
        value = model.exact.total(query, aggregate) if total else bars[place]
        if np.isfinite(value):
            yield {(view, None if total else place): float(value)}


def share_within(model, cases, aggregate="count", bases=None, **options):
    good = []
    for k, wanted in enumerate(cases):
        base = None if bases is None else bases[k]
        best = invert(model, wanted, base, aggregate=aggregate, n=1, **options)[0]
        ((key, value),) = wanted.items()
        found = best.exact or answers_of(model.exact, best.query, wanted, aggregate)
        off = abs(found[key] - value)
        size = abs(value)
        if aggregate != "count":  # signed ones may be next to 0: of these 2% are too much to ask
            size = max(size, 0.05 * np.nanmean(np.abs(model.exact.views(None, aggregate)[key[0]])))
        good.append(off <= 0.02 * size or (aggregate == "count" and off <= 1))
    return np.mean(good)


# -- does it find what is wanted


@pytest.mark.parametrize("total", [False, True])
@pytest.mark.parametrize("net", ["product", "signed", "mlp"])
def test_what_is_reachable_is_reached(net, total):
    model = cube_small.model(net)
    assert share_within(model, reachable(model, {"product": 40, "signed": 20, "mlp": 10}[net], total=total)) >= 0.9


def test_it_is_reached_from_any_base_query(model):
    bases = cube.random_queries(model.schema, 30, 9)
    assert share_within(model, reachable(model, 30), bases=bases) >= 0.9


@pytest.mark.parametrize(
    ("aggregate", "total"),
    [
        (("sum", "delay"), False),
        (("sum", "delay"), True),
        (("mean", "delay"), True),
        (("var", "delay"), True),
    ],
)
def test_sums_means_and_variances_are_reached(aggregate, total):
    model = cube_small.measures()
    assert share_within(model, reachable(model, 20, aggregate, total), aggregate) >= 0.8


def test_the_unit_of_a_measure_does_not_matter():
    """Delays in 1,000 hours are all below 1: they were all taken for hits once."""
    table = cube_small.table()
    table["delay"] = table["delay"] / 1000
    small = cube.ExactCube.build(table, cube_small.SCHEMA, ["delay"])
    model = cube.fit(small, aggregate=("mean", "delay"), queries=800, steps=1500, rank=24)
    assert share_within(model, reachable(model, 20, ("mean", "delay"), total=True), ("mean", "delay")) >= 0.8


def test_the_exact_cube_makes_suggestions_better(model):
    with_cube, without = (share_within(model, reachable(model, 25), exact=exact) for exact in (None, False))
    assert 0.3 <= without < with_cube


# -- what may be wanted


def test_several_answers_at_once(model):
    query = Query(hour=(6, 14), kind={"a", "c"})
    wanted = {("month", 3): model.exact.views(query)["month"][3], ("month", "9"): model.exact.views(query)["month"][8]}
    assert asked(model, wanted)[0].miss <= 0.02
    mixed = {("kind", "b"): 3000, ("month", 2): 1500, ("place", None): 20_000}
    best = asked(model, mixed)[0]
    assert best.miss <= 0.1
    assert np.array_equal(model.schema.mask(best.query)[model.schema.slices["kind"]], np.ones(5))  # not free


def test_a_whole_histogram(model):
    query = Query(month=(2, 8), kind={"b", "c", "d"})
    bars = model.exact.views(query)["hour"]
    (best, *_) = asked(model, {("hour", "all"): bars})
    assert best.miss <= 0.02
    assert best.exact["hour", "all"].shape == (24,)
    assert np.abs(best.exact["hour", "all"] - bars).sum() == pytest.approx(best.miss * bars.sum())


def test_a_total_may_be_named_by_any_view(model):
    found = [asked(model, {(name, None): 12_345}) for name in NAMES]
    assert all(each[0].miss <= 0.01 for each in found)
    assert len({tuple(s.query for s in each) for each in found}) == 1


def test_bins_may_be_named_by_number_or_label(model):
    by_number, by_label = asked(model, {("kind", 1): 2000}), asked(model, {("kind", "b"): 2000})
    assert [each.query for each in by_number] == [each.query for each in by_label]


def test_if_all_views_are_wanted_all_are_free(model):
    wanted = {("month", 3): 1000, ("hour", 8): 700, ("kind", "a"): 5000, ("place", 7): 300}
    found = asked(model, wanted)
    assert any(each.query.filters for each in found)


def test_little_is_wanted(model):
    for value in (0, 1, 2):
        best = asked(model, {("hour", 8): value})[0]
        assert abs(best.exact["hour", 8] - value) < 0.5


@pytest.mark.parametrize("value", [1e9, -500.0, 1e300])
@pytest.mark.parametrize("exact", [None, False])
def test_the_unreachable_is_approached_and_the_miss_is_honest(model, value, exact):
    best = asked(model, {("hour", 8): value}, exact=exact)[0]
    found = (best.exact or best.predicted)["hour", 8]
    assert best.miss == pytest.approx(abs(found - value) / abs(value))
    if value == 1e9:
        assert best.query == Query()  # all there is
    if value < 0:
        assert found <= 1  # none, or nearly
        assert best.miss >= 1


# -- the base query, and what is free


def test_only_what_is_free_changes(model):
    base = Query(month={1, 2, 7}, hour=(3, 20), place=np.arange(36) % 5 > 0)
    for free in (["kind"], ["hour", "kind"], ("hour",)):
        found = asked(model, {("month", 3): 900}, base, free=free)
        assert all(each.query.filters["month"] == frozenset({1, 2, 7}) for each in found)
        assert all(np.array_equal(each.query.filters["place"], np.arange(36) % 5 > 0) for each in found)
        if "hour" not in free:
            assert all(each.query.filters["hour"] == (3, 20) for each in found)


def test_the_order_of_what_is_free_does_not_matter(model):
    found = [invert(model, {("hour", 8): 700}, free=free) for free in (["kind", "month"], ["month", "kind", "month"])]
    assert [each.query for each in found[0]] == [each.query for each in found[1]]


BASES = {
    "nothing": Query(),
    "ranges": Query(month=(2, 9), place=(0, 4, 1, 6)),
    "set": Query(kind={"a", "d"}),
    "months with holes": Query(month={1, 2, 7}),
    "cells with holes": Query(place=np.arange(36) % 5 > 0, kind={"b"}),
    "no month": Query(month=(3, 3)),
    "no kind": Query(kind=frozenset()),
}


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("exact", [None, False])
def test_what_the_base_gives_already_needs_no_change(model, name, exact):
    base = BASES[name]
    value = (model.exact if exact is None else model).total(base)
    first = asked(model, {("hour", None): value}, base, exact=exact)[0]
    assert first.query == base
    assert first.change == 0
    assert first.miss <= HIT


def test_the_base_is_first_also_where_the_model_is_far_off():
    poor = cube.fit(cube_small.exact(), queries=300, steps=1, rank=4)
    for base in cube.random_queries(poor.schema, 10, 3):
        value = poor.exact.views(base)["hour"][12]
        first = asked(poor, {("hour", 12): value}, base)[0]
        assert (first.query, first.change) == (base, 0)


def test_filters_that_are_no_ranges_stay_where_another_attribute_changes(model):
    base = Query(month={1, 2, 7}, hour=(4, 20))
    found = asked(model, {("kind", "a"): 1500}, base, n=20)
    months = [each.query.filters.get("month") for each in found]
    assert frozenset({1, 2, 7}) in months
    assert any(isinstance(month, tuple) for month in months)  # but they may be left


@pytest.mark.parametrize("name", BASES)
def test_change_is_measured_from_the_base(model, name):
    asked(model, {("hour", 10): 400}, BASES[name], n=8)


@given(st.integers(0, 10_000), st.sampled_from(NAMES), st.floats(0, 20_000), st.booleans())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_whatever_is_asked_the_answer_is_consistent(seed, view, value, gaps):
    model = cube_small.model(gaps=gaps)
    rng = np.random.default_rng(seed)
    (base,) = cube.random_queries(model.schema, 1, rng, attributes=rng.permutation(NAMES)[: rng.integers(5)].tolist())
    free = [None, *NAMES][rng.integers(5)]
    place = [None, int(rng.integers(model.schema[view].bins))][rng.integers(2)]
    n = int(rng.integers(1, 8))
    asked(model, {(view, place): value}, base, free=free and [free], n=n, starts=int(rng.integers(1, 9)), rng=seed)


# -- the same, and other


def test_the_same_seed_gives_the_same_suggestions(model):
    wanted = {("hour", 8): 777}
    first = invert(model, wanted, rng=4)
    assert invert(model, wanted, rng=4) == first
    assert invert(model, wanted, rng=np.random.default_rng(4)) == first
    assert model.invert(wanted, rng=4) == first
    others = [invert(model, wanted, rng=seed) for seed in range(5)]
    assert any(other != first for other in others)


def test_suggestions_differ_from_one_another(model):
    found = asked(model, {("hour", 8): 1200}, n=5)
    assert len(found) == 5
    schema = model.schema
    apart = [change_of(a.query, b.query, schema) for k, a in enumerate(found) for b in found[:k]]
    assert min(apart) > 0.2


def test_another_cube_may_rank(model):
    other = cube.ExactCube.build(cube_small.table(seed=8), cube_small.SCHEMA)
    best = invert(model, {("hour", 8): 1200}, exact=other)[0]
    assert best.exact["hour", 8] == other.views(best.query)["hour"][8]
    assert best.miss <= 0.02


def test_without_a_cube_at_hand_the_model_answers_alone(tmp_path, model):
    loaded = cube.load(model.save(tmp_path / "model.npz"))
    assert loaded.exact is None
    found = invert(loaded, {("hour", 8): 1200})
    assert all(each.exact is None for each in found)
    assert [each.query for each in found] == [each.query for each in invert(model, {("hour", 8): 1200}, exact=False)]
    assert found[0].miss <= 0.01


# -- kinds of attributes and measures


@pytest.mark.parametrize("free", [["month"], ["kind"], ["place"], ["hour"], None])
def test_bins_of_missing_values(free):
    model = cube_small.model(gaps=True)
    for view, place in (("month", 12), ("kind", "missing"), ("place", 36), ("month", None)):
        query = Query(month=(1, 10), kind={"a", "b", "other", "missing"})
        wanted = {(view, place): answers_of(model.exact, query, [(view, place)], "count")[view, place]}
        asked(model, wanted, Query(hour=(2, 22)), free=free)
    best = asked(model, wanted)[0]
    assert best.miss <= 0.02


def test_single_category_and_box_are_found(model):
    for query, free in (
        (Query(kind={"c"}), "kind"),
        (Query(place=(1, 3, 2, 5)), "place"),
        (Query(hour=(9, 10)), "hour"),
    ):
        bars = model.exact.views(query)["month"]
        best = asked(model, {("month", "all"): bars}, free=[free])[0]
        assert best.query == query
        assert best.miss == 0


@pytest.mark.parametrize("aggregate", cube_small.EVERY, ids=str)
def test_every_aggregate(aggregate):
    model = cube_small.measures()
    value = model.exact.views(Query(month=(3, 9), place=(0, 5, 1, 5)), aggregate)["kind"][2]
    best = asked(model, {("kind", "c"): value}, aggregate=aggregate)[0]
    assert best.miss <= 0.02
    asked(model, {("kind", "c"): value}, aggregate=aggregate, exact=False)


def test_signed_sums_may_be_wanted_negative():
    model = cube_small.measures()
    best = asked(model, {("kind", "d"): -3000.0}, aggregate=("sum", "delay"))[0]
    assert best.exact["kind", "d"] == pytest.approx(-3000, rel=0.02)


def test_the_mean_of_no_rows_is_an_infinite_miss():
    model = cube_small.measures()
    base = Query(month=(3, 3))
    found = asked(model, {("hour", 8): 2.0}, base, free=["kind"], aggregate=("mean", "delay"))
    assert {each.miss for each in found} == {np.inf}
    assert np.isnan(found[0].exact["hour", 8])
    best = asked(model, {("hour", 12): 2.0}, base, aggregate=("mean", "delay"))[0]
    assert best.miss <= 0.05


def test_the_authors_net_is_asked_for_boxes_only():
    description = authors([(each.shape, each.bins) for each in cube_small.SCHEMA])
    model = cube.fit(cube_small.exact(), net="mlp", description=description, queries=300, steps=100)
    asked(model, {("hour", 8): 1200}, Query(place=(1, 4, 0, 5)))


def test_a_cube_of_one_query():
    schema = cube.Schema(cube.Integer("one", 0, 0), cube.Categorical("only", ["a"]))
    exact = cube.ExactCube.build({"one": np.zeros(50, int), "only": np.full(50, "a")}, schema)
    model = cube.fit(exact, queries=60, steps=200)
    (only,) = invert(model, {("one", 0): 7})
    assert only.query == Query()
    assert only.miss == pytest.approx(43 / 7)
    assert only.change == 0


# -- errors

BAD = {
    "unknown view": ({("day", 1): 5}, {}, LookupError, "no attribute 'day'"),
    "bin out of range": ({("hour", 24): 5}, {}, LookupError, "bins of 'hour' are 0 to 23"),
    "nan": ({("hour", 8): np.nan}, {}, ValueError, "must be finite"),
    "wrong length": ({("hour", "all"): np.ones(23)}, {}, ValueError, "must hold 24 numbers"),
    "empty": ({}, {}, ValueError, "at least one entry"),
    "free unknown": ({("hour", 8): 5}, {"free": ["day"]}, LookupError, "no attribute 'day'"),
    "free empty": ({("hour", 8): 5}, {"free": []}, ValueError, "at least one of month, hour, kind, place"),
    "free text": ({("hour", 8): 5}, {"free": "month"}, ValueError, "sequence of attribute names"),
    "no suggestion": ({("hour", 8): 5}, {"n": 0}, ValueError, "n and starts must be at least 1, got 0 and 64"),
    "no start": ({("hour", 8): 5}, {"starts": 0}, ValueError, "at least 1, got 5 and 0"),
    "aggregate": ({("hour", 8): 5}, {"aggregate": ("sum", "delay")}, LookupError, "no aggregate 'sum of delay'"),
    "base of another schema": ({("hour", 8): 5}, {"base": Query(day=(0, 1))}, LookupError, "no attribute 'day'"),
    "base out of bins": ({("hour", 8): 5}, {"base": Query(hour=(0, 30))}, ValueError, "leaves the bins"),
}


@pytest.mark.parametrize("name", BAD)
def test_errors_name_what_was_expected(model, name):
    wanted, options, error, text = BAD[name]
    with pytest.raises(error, match=text):
        invert(model, wanted, **options)


def test_a_cube_of_another_schema_is_refused(model):
    other = cube_small.exact(gaps=True)
    with pytest.raises(ValueError, match="another schema"):
        invert(model, {("hour", 8): 5}, exact=other)
