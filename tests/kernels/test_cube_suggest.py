"""Surprising queries: planted dependences are found, and nothing else."""

import re

import cube_small
import numpy as np
import pytest

from learnviews.kernels import cube
from learnviews.kernels.cube import suggest as module
from learnviews.kernels.cube.query import Query
from learnviews.kernels.cube.suggest import Surprise, suggest

SCHEMA = cube.Schema(
    cube.Integer("month", 1, 12, title="Month"),
    cube.Integer("hour", 0, 23, unit="h"),
    cube.Categorical("kind", list("abcdef")),
    cube.Spatial("place", "x", "y", extent=(0, 8, 0, 8), shape=(8, 8)),
)


def independent_rows(n=60_000, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "month": rng.integers(1, 13, n),
        "hour": np.clip(rng.normal(12, 5, n).astype(int), 0, 23),
        "kind": rng.choice(list("abcdef"), n),
        "x": rng.uniform(0, 8, n),
        "y": rng.uniform(0, 8, n),
    }


def fitted(table, schema=SCHEMA, **options):
    return cube.fit(cube.ExactCube.build(table, schema), **{"queries": 1500, "steps": 800, "rank": 16, **options})


def more(table, rows, seed=1, **where):
    """The table with `rows` rows more, drawn as the others, but with these values."""
    extra = independent_rows(rows, seed)
    for k, (name, values) in enumerate(where.items()):
        extra[name] = np.random.default_rng([seed, 7 + k]).choice(values, rows)
    return {name: np.concatenate([table[name], extra[name]]) for name in table}


def less(table, **where):
    """The table without nine of ten rows with these values."""
    drop = np.random.default_rng(5).random(len(table["month"])) < 0.9
    for name, values in where.items():
        drop &= np.isin(table[name], values)
    return {name: values[~drop] for name, values in table.items()}


@pytest.fixture(scope="module")
def planted():
    """More of kind c from 3 to 5, less of kind e in months 6 to 9."""
    table = more(independent_rows(), 6000, hour=[3, 4, 5], kind=["c"])
    return fitted(less(table, kind=["e"], month=[6, 7, 8, 9]))


@pytest.fixture(scope="module")
def small():
    return cube_small.model()


def consistent(model, found, base=None):
    """What must hold of any suggestions: answers are the model's, expectations those of independence."""
    base = base or Query()
    for each in found:
        assert isinstance(each, Surprise)
        added = [name for name in each.query.filters if name not in base.filters]
        assert len(added) == 2
        assert {name: each.query.filters[name] for name in base.filters} == base.filters
        a, b = (model.total(base.replace(**{name: each.query.filters[name]})) for name in added)
        assert each.answer == pytest.approx(model.total(each.query), rel=1e-3, abs=0.01)
        assert each.expected == pytest.approx(a * b / model.total(base), rel=1e-3, abs=0.01)
        log = each.answer * np.log(each.answer / each.expected) if each.answer > 0 else 0
        assert each.score == pytest.approx(log - (each.answer - each.expected), rel=1e-3, abs=1e-3)
        assert each.score > 1


# -- what is found


def test_planted_dependences_are_found_first(planted):
    first, second = suggest(planted, 2)
    assert first.query == Query(hour=(3, 6), kind={"c"})
    assert first.answer > 2 * first.expected
    assert second.query == Query(month=(5, 9), kind={"e"})
    assert second.answer < 0.3 * second.expected
    consistent(planted, [first, second])


def test_reasons_are_for_people(planted):
    first, second = suggest(planted, 2)
    assert re.fullmatch(r"hour 3 to 5 h and kind c: [67],\d\d\d rows, \d+\.\d times the [\d,]+ expected", first.reason)
    assert re.fullmatch(r"Month 6 to 9 and kind e: \d+ rows, 0\.\d times the 2,\d\d\d expected", second.reason)


def test_the_answers_are_about_those_of_the_cube(planted):
    for each in suggest(planted, 2):
        exact = planted.exact.total(each.query)
        assert abs(each.answer - exact) <= 0.1 * max(exact, each.expected)


def test_a_hole_is_nearly_none(planted):
    table = independent_rows()
    keep = ~(np.isin(table["month"], [1, 2, 3]) & (table["kind"] == "a"))
    (found,) = suggest(fitted({name: values[keep] for name, values in table.items()}), 1)
    assert found.query == Query(month=(0, 3), kind={"a"})
    assert re.search(r"rows, (nearly none of|\d% of) the 1,\d\d\d expected", found.reason)


def test_a_box_is_found():
    table = more(independent_rows(), 4000, x=[2.5, 3.5], y=[5.5, 6.5], month=[4])
    (found,) = suggest(fitted(table), 1)
    assert found.query == Query(month=(3, 4), place=(2, 4, 5, 7))
    assert found.reason.startswith("Month 4 and place 2 to 4, 5 to 7: ")


def test_several_in_the_same_two_attributes_are_found():
    """The first one's many variants once left no room for the second."""
    table = more(independent_rows(), 9000, month=[2, 3, 4], hour=[4, 5, 6])
    table = more(table, 1500, seed=8, month=[9, 10], hour=[19, 20])
    schema = cube.Schema(*SCHEMA.attributes[:2])
    found = suggest(fitted(table, schema), 6)
    assert found[0].query == Query(month=(1, 4), hour=(4, 7))
    assert Query(month=(8, 10), hour=(19, 21)) in [each.query for each in found]


def test_independent_attributes_hold_no_surprise(planted):
    found = suggest(fitted(independent_rows()), 5)
    largest = suggest(planted, 1)[0].score
    assert all(each.score < 0.02 * largest for each in found)
    assert all(0.5 < each.answer / each.expected < 2 for each in found)


@pytest.mark.parametrize("net", ["product", "signed"])
def test_suggestions_are_consistent(net):
    model = cube_small.model(net)
    found = suggest(model, 10)
    assert len(found) == 10
    consistent(model, found)


def test_answers_are_totals_also_of_a_net_whose_bars_do_not_add_up():
    model = cube_small.model("mlp")
    found = suggest(model, 5)
    assert len(found) == 5
    consistent(model, found)
    for each in found:
        assert (each.answer > each.expected) == (model.exact.total(each.query) > each.expected)


# -- which of them


def test_suggestions_are_diverse(small):
    found = suggest(small, 5)
    assert len({tuple(sorted(each.query.filters)) for each in found}) >= 3
    names = small.schema.names
    for k, a in enumerate(found):
        for b in found[:k]:
            if set(a.query.filters) == set(b.query.filters):
                x, y = small.schema.mask(a.query), small.schema.mask(b.query)
                parts = [small.schema.slices[name] for name in names if name in a.query.filters]
                shared = [(x[s] & y[s]).sum() / min(x[s].sum(), y[s].sum()) for s in parts]
                assert min(shared) <= module.ALIKE


def test_the_best_come_first_and_repeated_pairs_count_less(small):
    found = suggest(small, 8)
    counted = {}
    worth = []
    for each in found:
        pair = tuple(sorted(each.query.filters))
        worth.append(each.score * module.REPEAT ** counted.get(pair, 0))
        counted[pair] = counted.get(pair, 0) + 1
    assert worth == sorted(worth, reverse=True)


def test_there_are_at_most_n_and_fewer_are_the_first_of_more(small):
    many = suggest(small, 30)
    assert 5 < len(many) <= 30
    for n in (1, 3, 5):
        assert [each.query for each in suggest(small, n)] == [each.query for each in many[:n]]
    assert len(suggest(small)) == 5
    assert small.suggest(3) == suggest(small, 3)


def test_asking_twice_gives_the_same(small):
    assert suggest(small, 6) == suggest(small, 6)


# -- within a base query


def test_within_a_base_query(small):
    base = Query(kind={"a"}, hour=(2, 20))
    found = suggest(small, 5, base=base)
    assert found
    consistent(small, found, base)
    assert all(each.reason.endswith(", within the base query") for each in found)
    assert not any("within" in each.reason for each in suggest(small, 5))


def test_a_base_that_explains_a_dependence_leaves_no_surprise(planted):
    assert suggest(planted, 1, base=Query(kind={"c"}))[0].score < 0.1 * suggest(planted, 1)[0].score


@pytest.mark.parametrize(
    "base",
    [
        Query(month=(0, 3), hour=(0, 3), kind={"a"}, place=(0, 1, 0, 1)),  # nothing left
        Query(month=(0, 3), hour=(0, 3), kind={"a"}),  # one attribute left
        Query(kind=frozenset()),  # no rows
    ],
)
def test_bases_without_surprises(small, base):
    assert suggest(small, 5, base=base) == []


# -- kinds of attributes


def test_bins_of_missing_values():
    model = cube_small.model(gaps=True)
    found = suggest(model, 10)
    consistent(model, found)
    table = independent_rows()
    table["kind"] = np.where(np.isin(table["hour"], [5, 6]), None, table["kind"].astype(object))
    schema = SCHEMA.replace("kind", cube.Categorical("kind", list("abcdef"), missing=True))
    (first,) = suggest(fitted(table, schema), 1)
    assert first.query.filters["kind"] == {"missing"}
    assert first.reason.startswith("hour 5 to 6 h and kind missing: ")


def test_small_attributes():
    schema = cube.Schema(
        cube.Integer("one", 0, 0, missing=True),
        cube.Categorical("only", ["a"]),
        cube.Spatial("cell", "x", "y", extent=(0, 1, 0, 1), shape=(1, 2), missing=True),
    )
    rng = np.random.default_rng(0)
    gone = rng.random(2000) < 0.5
    table = {
        "one": np.where(gone, np.nan, 0.0),
        "only": np.full(2000, "a"),
        "x": rng.random(2000),
        "y": np.where(gone, 0.2, rng.random(2000)),
    }
    consistent_with = fitted(table, schema)
    assert suggest(consistent_with, 5) == []  # whole ranges and single categories cannot tell


def test_long_axes_are_scanned_coarsely_and_quickly():
    """All pairs of ranges of a year's days and of a fine map are too many for any memory."""
    rng = np.random.default_rng(0)
    schema = cube.Schema(
        cube.Integer("day", 0, 364),
        cube.Spatial("place", "x", "y", extent=(0, 40, 0, 40), shape=(40, 40)),
    )
    for attribute in schema:
        masks = module._selections(attribute, rng.random(attribute.bins))
        assert 500 < len(masks) <= module.MOST
        assert masks.any(1).all()
    n = 20_000
    table = {"day": rng.integers(0, 365, n), "x": rng.uniform(0, 40, n), "y": rng.uniform(0, 40, n)}
    table["day"][:1500] = rng.integers(100, 108, 1500)
    table["x"][:1500], table["y"][:1500] = 10 + 2 * rng.random((2, 1500))
    (found,) = suggest(fitted(table, schema, queries=300, steps=400, rank=8), 1)
    start, stop = found.query.filters["day"]
    assert 96 <= start <= 101 and 107 <= stop <= 112
    x0, x1, y0, y1 = found.query.filters["place"]
    assert (x0, y0) <= (10, 10) and (x1, y1) >= (12, 12)


# -- errors


@pytest.mark.parametrize("n", [0, -1])
def test_n_must_be_positive(small, n):
    with pytest.raises(ValueError, match=f"n must be at least 1, got {n}"):
        suggest(small, n)


def test_a_base_of_another_schema_is_refused(small):
    with pytest.raises(LookupError, match="no attribute 'day'"):
        suggest(small, base=Query(day=(0, 1)))


def test_surprises_need_counts():
    model = cube.fit(cube_small.exact(), aggregate=("sum", "delay"), queries=200, steps=5, rank=2)
    with pytest.raises(ValueError, match="does not answer 'count'"):
        suggest(model)
