"""Selections of the query map, and what comparing them says."""

import cube_small
import numpy as np
import pytest

from learnviews.apps.nncubes.comparison import SHOWN, compare, comparison_list, differing_most
from learnviews.apps.nncubes.selections import MOST, ROW, Answers, answers, lay, place_of, queries, selections_of
from learnviews.kernels import cube
from learnviews.kernels.cube import Query

EVERYTHING = Query()


@pytest.fixture(params=["model", "exact"])
def source(request):
    return cube_small.measures() if request.param == "model" else cube_small.exact()


def found(source, query=EVERYTHING, name="hour", aggregate="count"):
    return answers(cube_small.measures(), source, query, name, aggregate)


# -- selections


def test_ranges_of_an_ordered_attribute():
    some = selections_of(cube_small.SCHEMA["hour"], np.ones(24))
    assert some[:24] == [(i, i + 1) for i in range(24)]
    widths = {b - a for a, b in some}
    assert widths == {1, 2, 4, 8}
    assert len(set(some)) == len(some)
    assert all(0 <= a < b <= 24 for a, b in some)


def test_what_has_no_rows_is_left_out():
    rows = np.zeros(24)
    rows[[3, 7]] = 5, ROW / 2
    some = selections_of(cube_small.SCHEMA["hour"], rows)
    assert some[0] == (3, 4)
    assert all(a <= 3 < b for a, b in some)
    assert selections_of(cube_small.SCHEMA["hour"], np.zeros(24)) == []


def test_missing_values_are_a_selection():
    month = cube_small.GAPS["month"]
    assert frozenset(["missing"]) in selections_of(month, np.ones(13))


def test_sets_of_categories():
    some = selections_of(cube_small.SCHEMA["kind"], np.array([5, 4, 3, 2, 1.0]))
    assert some[:5] == [frozenset([k]) for k in "abcde"]
    assert len(some) == 5 + 10
    many = cube.Categorical("many", [f"k{i}" for i in range(1000)])
    rows = np.arange(1000.0) + 1
    some = selections_of(many, rows)
    assert [held for held in some if len(held) == 1] == [frozenset([f"k{i}"]) for i in range(1000 - MOST, 1000)]
    assert frozenset(["k998", "k999"]) in some
    assert len(some) == MOST + 28


def test_boxes_of_a_map():
    place = cube_small.SCHEMA["place"]
    rows = np.zeros(36)
    rows[[0, 35]] = 3
    some = selections_of(place, rows)
    assert some[:2] == [(0, 1, 0, 1), (5, 6, 5, 6)]
    assert all(place.mask(held)[[0, 35]].any() for held in some)
    assert (0, 3, 0, 3) in some


@pytest.mark.parametrize("name", cube_small.SCHEMA.names)
def test_places_are_the_models(name):
    model = cube_small.measures()
    laid = lay(model, name, "count")
    np.testing.assert_allclose(laid.places, model.project(name, laid.filters, aggregate="count"), rtol=1e-6, atol=1e-9)
    assert len(laid.labels) == len(laid.filters) == len(laid.masks)
    assert lay(model, name, "count") is laid
    assert laid.row_of(laid.masks[3]) == 3
    assert laid.row_of(np.zeros(model.schema[name].bins, bool)) is None


def test_mlp_models_are_laid_out():
    model = cube_small.model("mlp")
    laid = lay(model, "kind", "count")
    assert np.isfinite(laid.places).all()
    assert place_of(model, Query(kind={"a"}), "count") is None


# -- answers


@pytest.mark.parametrize("aggregate", ["count", ("sum", "delay"), ("mean", "delay")], ids=str)
def test_answers_are_the_totals(source, aggregate):
    query = Query(month=(2, 6), hour=(3, 9))
    have = found(source, query, "hour", aggregate)
    for row in (0, 10, len(have.values) - 1):
        one = query.replace(hour=have.laid.filters[row])
        if have.rows[row] >= ROW:
            assert have.values[row] == pytest.approx(source.total(one, aggregate), rel=1e-5, abs=1e-5)
        assert have.rows[row] == pytest.approx(source.total(one, "count"), rel=1e-5, abs=1e-5)
    assert have.whole == pytest.approx(source.total(Query(month=(2, 6)), aggregate), rel=1e-5)
    assert have.now == pytest.approx(tuple(cube_small.measures().project("hour", [(3, 9)], aggregate=aggregate)[0]))


def test_the_present_filter_may_be_one_of_the_selections(source):
    have = found(source, Query(kind={"b"}), "kind")
    row = have.laid.filters.index(frozenset("b"))
    assert have.now == tuple(have.laid.places[row])
    assert found(source, Query(month=(0, 2)), "kind").now is None


def test_means_of_hardly_any_rows_are_no_answer():
    have = found(cube_small.exact(), Query(month=(0, 1), place=(5, 6, 0, 1)), "hour", ("mean", "delay"))
    assert np.isnan(have.values[have.rows < ROW]).all()
    assert (have.rows < ROW).any()


# -- comparisons


def test_counts_are_compared_with_the_largest(source):
    query = Query(month=(2, 6), kind={"e"})
    have = found(source, query, "kind")
    chosen = [have.laid.filters.index(frozenset(k)) for k in "bac"]
    got = compare(cube_small.measures(), source, query, have, chosen, "count")
    totals = {k: source.total(Query(month=(2, 6), kind={k}), "count") for k in "abc"}
    order = sorted("abc", key=lambda k: -totals[k])
    assert [each.words for each in got.lines] == [*order, "any"]
    whole = source.total(Query(month=(2, 6)), "count")
    for line, k in zip(got.lines, order, strict=False):
        assert line.query == Query(month=(2, 6), kind={k})
        assert line.value == pytest.approx(totals[k], rel=1e-6)
        assert line.share == pytest.approx(totals[k] / whole, rel=1e-6)
        assert line.apart == pytest.approx(totals[k] / totals[order[0]] - 1, rel=1e-5, abs=1e-9)
    assert got.lines[-1].query == Query(month=(2, 6))
    assert got.lines[-1].value == pytest.approx(whole, rel=1e-6)


def test_means_are_compared_with_all(source):
    have = found(source, Query(), "hour", ("mean", "delay"))
    got = compare(cube_small.measures(), source, Query(), have, [8, 14, 20], ("mean", "delay"))
    assert not got.relative
    values = [line.value for line in got.lines[:-1]]
    assert values == sorted(values, reverse=True)
    for line in got.lines[:-1]:
        assert line.apart == pytest.approx(line.value - source.total(None, ("mean", "delay")), rel=1e-4)


def naive_difference(source, query, name, chosen, other):
    """Largest share of rows, over pairs of selections, that lies in other bins of another attribute."""
    schema = source.schema
    within = schema[other].mask(query.filters[other]) if other in query.filters else np.ones(schema[other].bins, bool)
    shares = []
    for held in chosen:
        view = source.views(query.replace(**{name: held}), "count")[other] * within
        shares.append(view / view.sum())
    return max(sum(max(a - b, 0) for a, b in zip(one, two, strict=True)) for one in shares for two in shares)


def test_where_else_rows_differ(source):
    query = Query(month=(0, 4))
    have = found(source, query, "kind")
    chosen = np.array([have.laid.filters.index(frozenset(k)) for k in "abc"])
    got = differing_most(cube_small.measures(), source, query, have, chosen)
    assert [each.moved for each in got] == sorted((each.moved for each in got), reverse=True)
    assert {each.name for each in got} == {"month", "hour", "place"}
    for each in got:
        held = [have.laid.filters[i] for i in chosen]
        assert each.moved == pytest.approx(naive_difference(source, query, "kind", held, each.name), rel=1e-4)
        one, other = (Query(month=(0, 4), kind={words}) for words in (each.one, each.other))
        bin = source.schema[each.name].labels().index(each.bin)
        views = [
            source.views(q, "count")[each.name][:4] if each.name == "month" else source.views(q, "count")[each.name]
            for q in (one, other)
        ]
        assert each.shares == pytest.approx([view[bin] / view.sum() for view in views], rel=1e-4)
        assert each.shares[0] >= each.shares[1]


def test_few_rows_tell_no_differences():
    query = Query(month=(0, 1), place=(5, 6, 0, 1))
    have = found(cube_small.exact(), query, "hour")
    assert differing_most(cube_small.measures(), cube_small.exact(), query, have, np.arange(5)) == []


def test_the_table_says_what_was_compared(source):
    model = cube_small.measures()
    have = found(source, Query(), "kind")
    got = compare(model, source, Query(), have, list(range(5)), "count")
    html = comparison_list(model, got, "kind", ("rows", ""), 7, "exact cube")
    for k, line in enumerate(got.lines):
        assert f'data-item="compared:7:{k}"' in html
        assert f"{line.value:,.0f}" in html
    assert "Counted by the exact cube" in html


def test_names_are_shown_as_they_are():
    odd = "<b>&'"
    schema = cube.Schema(cube.Categorical("kind", [odd, "b"]), cube.Integer("hour", 0, 3))
    r = np.random.default_rng(0)
    table = {"kind": r.choice([odd, "b"], 2000), "hour": r.integers(0, 4, 2000)}
    model = cube.fit(cube.ExactCube.build(table, schema), rank=2, queries=50, steps=20)
    have = answers(model, model.exact or cube.ExactCube.build(table, schema), Query(), "kind", "count")
    got = compare(model, model, Query(), have, [0, 1], "count")
    assert "<b>&'" not in comparison_list(model, got, "kind", ("rows", ""), 1, "model")


def test_many_selections_are_cut_off():
    model = cube_small.measures()
    laid = lay(model, "place", "count")
    have = answers(model, model, Query(), "place", "count")
    got = compare(model, model, Query(), have, list(range(len(laid.filters))), "count")
    assert len(got.lines) == SHOWN + 1
    assert got.left_out == len(laid.filters) - SHOWN
    assert f"{got.left_out} smaller ones" in comparison_list(model, got, "place", ("rows", ""), 1, "model")


def test_masks_hold_all_other_filters():
    model = cube_small.measures()
    laid = lay(model, "hour", "count")
    query = Query(month=(2, 6), hour=(3, 9))
    masks = queries(model, query, laid, np.array([2, 30]))
    expected = model.schema.masks([query.replace(hour=laid.filters[i]) for i in (2, 30)])
    np.testing.assert_array_equal(masks, expected)
    assert isinstance(found(model), Answers)
