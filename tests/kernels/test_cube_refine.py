"""Finer bins: they nest, their counts add up to the coarse ones, and filters go there and back."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.kernels import cube
from learnviews.kernels.cube import Query, Schema
from learnviews.kernels.cube.nesting import children, parents, translate, translate_query
from learnviews.kernels.cube.refine import MOST, refined, refined_grid, values_within

ROWS = 3000


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    gaps = rng.random(ROWS) < 0.1
    days = rng.integers(0, 366 * 86400, ROWS)
    return pd.DataFrame(
        {
            "delay": np.where(gaps, np.nan, np.rint(rng.exponential(30, ROWS)) - 10),
            "share": rng.beta(2, 5, ROWS),
            "when": np.datetime64("2024-01-01", "s") + days.astype("m8[s]"),
            "kind": rng.choice(list("abcdefgh"), ROWS, p=[0.3, 0.2, 0.15, 0.1, 0.1, 0.07, 0.05, 0.03]),
            "x": np.where(gaps, np.nan, rng.normal(0.5, 0.3, ROWS)),
            "y": rng.normal(0.5, 0.3, ROWS),
            "hour": rng.integers(0, 24, ROWS),
        }
    )


SCHEMA = Schema(
    cube.Numeric("delay", [-np.inf, 0, 10, 35, 90, np.inf], missing=True),
    cube.Numeric("share", np.linspace(0, 1, 6)),
    cube.Temporal("when", start="2024-01-01", stop="2025-01-01", every="1M"),
    cube.Categorical("kind", list("abc"), other=True),
    cube.Spatial("place", "x", "y", extent=(0, 1, 0, 1), shape=(5, 3), clamp=True, missing=True),
    cube.Integer("hour", 0, 23),
)


def finer(frame, name, start, stop, n=12):
    attribute = SCHEMA[name]
    if name == "place":
        return refined_grid(attribute, 4)
    values = values_within(frame, attribute, start, stop) if name in ("delay", "share", "kind") else None
    return refined(attribute, start, stop, n, values)


def naive_parents(coarse, fine, frame):
    """What rows say: the coarse bins of the rows in every fine one."""
    columns = [frame[name] for name in coarse.columns]
    pairs = set(zip(fine.codes(*columns).tolist(), coarse.codes(*columns).tolist(), strict=True))
    return {bin: {b for a, b in pairs if a == bin} for bin in {a for a, _ in pairs}}


RANGES = {"delay": (5, 1), "share": (5, 0), "when": (12, 0), "kind": (4, 0), "place": (15, 1)}


@pytest.mark.parametrize("name", RANGES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_fine_bins_nest_and_their_counts_add_up(frame, name, data):
    bins = RANGES[name][0]
    start = data.draw(st.integers(0, bins - 1))
    stop = data.draw(st.integers(start + 1, bins))
    coarse, fine = SCHEMA[name], finer(frame, name, start, stop)
    inside = parents(coarse, fine)
    assert inside.shape == (fine.bins,)
    for bin, seen in naive_parents(coarse, fine, frame).items():
        assert seen == {inside[bin]}
    schema = SCHEMA.replace(name, fine)
    one, other = (cube.ExactCube.build(frame, each) for each in (SCHEMA, schema))
    assert (one.rows, one.left_out) == (other.rows, other.left_out)
    query = Query(hour=(3, 11))
    few, many = one.views(query), other.views(query)
    np.testing.assert_array_equal(np.bincount(inside, many[name], coarse.bins), few[name])
    for rest in set(SCHEMA.names) - {name}:
        np.testing.assert_array_equal(many[rest], few[rest])


@pytest.mark.parametrize("name", RANGES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_filters_go_there_and_back(frame, name, data):
    coarse = SCHEMA[name]
    fine = finer(frame, name, 0, RANGES[name][0])
    inside = parents(coarse, fine)
    held = data.draw(filters(coarse))
    there, exact = translate(held, coarse, fine)
    mask = coarse.mask(held)
    assert exact
    np.testing.assert_array_equal(mask_of(fine, there), mask[inside])
    if there is not None:
        back, exact = translate(there, fine, coarse)
        assert exact
        np.testing.assert_array_equal(mask_of(coarse, back), mask)
        assert isinstance(there, (type(held), np.ndarray))


@pytest.mark.parametrize("name", RANGES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_fine_filters_are_covered_by_coarse_bins(frame, name, data):
    coarse = SCHEMA[name]
    fine = finer(frame, name, 0, RANGES[name][0])
    inside = parents(coarse, fine)
    held = data.draw(filters(fine))
    mask = fine.mask(held)
    cover, exact = translate(held, fine, coarse)
    taken = mask_of(coarse, cover)
    expected = np.array([mask[inside == bin].any() for bin in range(coarse.bins)])
    if isinstance(cover, tuple) or cover is None:  # a range up to the end takes the missing ones along
        assert (taken >= expected).all()
        expected = taken
    np.testing.assert_array_equal(taken, expected)
    assert exact == bool((taken[inside] == mask).all())


def mask_of(attribute, held):
    return np.ones(attribute.bins, bool) if held is None else attribute.mask(held)


@st.composite
def filters(draw, attribute):
    ends = [sorted(draw(st.tuples(st.integers(0, n), st.integers(0, n)))) for n in attribute.shape]
    forms = [st.just(tuple(end for pair in ends for end in pair))]
    bits = st.lists(st.booleans(), min_size=attribute.bins, max_size=attribute.bins)
    forms.append(bits.map(lambda bits: np.array(bits, bool)))
    forms.append(st.frozensets(st.sampled_from(attribute.labels()), min_size=1, max_size=6))
    return draw(st.one_of(forms))


def test_whole_numbers_are_cut_at_whole_numbers(frame):
    delay = cube.Numeric("delay", [-10, 0, 10, 35, 90, 300])
    fine = refined(delay, 1, 3, 40, values_within(frame, delay, 1, 3))
    np.testing.assert_array_equal(fine.edges, [-10, *range(36), 90, 300])
    np.testing.assert_array_equal(refined(delay, 1, 3, 7).edges, [-10, 0, 5, 10, 15, 20, 25, 30, 35, 90, 300])
    assert children(delay, fine, 1, 3) == (1, 36)
    assert children(delay, fine, 3, 5) == (36, 38)


def test_crowded_ranges_are_cut_by_quantiles():
    values = np.concatenate([np.linspace(0, 1, 500), [1000.0]])
    fine = refined(cube.Numeric("v", [0, 1000]), 0, 1, 10, values)
    counts = np.histogram(values, fine.edges)[0]
    assert counts.max() <= 60
    assert fine.size == 10


def test_open_ends_need_values(frame):
    delay = SCHEMA["delay"]
    assert refined(delay, 4, 5) == delay
    fine = refined(delay, 4, 5, 20, values_within(frame, delay, 4, 5))
    assert fine.size > delay.size
    assert np.isinf(fine.edges[-1])


def test_intervals_become_shorter_everywhere():
    months = SCHEMA["when"]
    assert refined(months, 2, 3).every == "1D"
    assert refined(months, 0, 12, 40).every == "1D"
    hours = refined(refined(months, 2, 3), 40, 42, 60)
    assert hours.every == "3h"  # a year of single hours would be too many bins
    assert hours.size <= MOST
    np.testing.assert_array_equal(parents(months, hours), np.repeat(np.arange(12), np.diff(month_hours()) // 3))
    years = cube.Temporal("when", start="1900-01-01", stop="2100-01-01", every="10Y")
    assert refined(years, 3, 5, 30).every == "1Y"
    assert refined(cube.Temporal("t", start="2024-01-01", stop="2024-01-02", every="1s"), 0, 10).every == "1s"


def month_hours():
    starts = SCHEMA["when"].starts().astype("M8[h]")
    return (starts - starts[0]).astype(int)


def test_other_gives_up_its_categories(frame):
    kind = SCHEMA["kind"]
    fine = refined(kind, 3, 4, 2, values_within(frame, kind, 3, 4))
    assert fine.categories == ("a", "b", "c", "d", "e") or fine.categories == ("a", "b", "c", "e", "d")
    assert fine.other
    assert translate(frozenset({"a", "other"}), kind, fine) == (frozenset({"a", "d", "e", "other"}), True)
    assert translate(frozenset({"d"}), fine, kind) == (frozenset({"other"}), False)
    assert refined(kind, 0, 3, 2, ["d"]) == kind


def test_values_of_files_are_those_of_frames(frame, tmp_path):
    path = tmp_path / "rows.parquet"
    frame.to_parquet(path, row_group_size=700)
    for name, start, stop in (("delay", 1, 3), ("share", 0, 2), ("kind", 3, 4)):
        attribute = SCHEMA[name]
        codes = attribute.codes(frame[name])
        expected = frame[name][(codes >= start) & (codes < stop)].tolist()
        assert values_within(frame, attribute, start, stop).tolist() == expected
        assert values_within(str(path), attribute, start, stop).tolist() == expected


def test_what_has_nothing_finer_stays(frame):
    assert refined(SCHEMA["hour"], 3, 6) is SCHEMA["hour"]
    assert refined(cube.Temporal("m", "month"), 3, 6).size == 12
    one = cube.Numeric("delay", [-10, 0, 1, 35])
    assert refined(one, 1, 2, 40, np.zeros(9)) == one  # nothing but zeros
    assert translate((3, 6), SCHEMA["hour"], SCHEMA["hour"]) == ((3, 6), True)


@pytest.mark.parametrize("projection", ["plain", "mercator"])
@pytest.mark.parametrize("shape", [(20, 20), (7, 3), (1, 1)])
def test_grids_nest_to_the_last_bit(projection, shape):
    extent = (-125.3, -64.9, 23.7, 50.1)
    grid = cube.Spatial("place", "x", "y", extent=extent, shape=shape, projection=projection)
    for factor in (2, 4, 8, 32):
        fine = refined_grid(grid, factor)
        x, y = np.divmod(np.arange(fine.size), fine.shape[1])
        np.testing.assert_array_equal(parents(grid, fine), x // factor * shape[1] + y // factor)
    assert refined_grid(grid, 1) == grid


def test_queries_are_translated_whole(frame):
    fine = SCHEMA.replace("place", refined_grid(SCHEMA["place"], 2)).replace("share", finer(frame, "share", 1, 2))
    query = Query(place=(1, 3, 0, 2), hour={3, 4}, share=(1, 2), kind={"a"})
    there, exact = translate_query(query, SCHEMA, fine)
    assert exact
    assert there.filters["place"] == (2, 6, 0, 4)
    assert there.filters["hour"] == query.filters["hour"]
    assert translate_query(there, fine, SCHEMA) == (query, True)
    narrow = there.replace(place=(3, 6, 0, 4))
    assert translate_query(narrow, fine, SCHEMA) == (query, False)
    one, other = (cube.ExactCube.build(frame, each) for each in (SCHEMA, fine))
    assert one.total(query) == other.total(there)


def test_bad_arguments(frame):
    with pytest.raises(ValueError, match="expected a range of 5"):
        refined(SCHEMA["share"], 3, 6)
    with pytest.raises(ValueError, match="expected a range"):
        refined(SCHEMA["place"], 0, 1)
    with pytest.raises(ValueError, match="power of two"):
        refined_grid(SCHEMA["place"], 3)
    with pytest.raises(ValueError, match="finer bins of the same column"):
        parents(SCHEMA["share"], cube.Numeric("share", [0, 0.5, 1]))
    with pytest.raises(ValueError, match="finer bins of the same column"):
        translate((0, 3), SCHEMA["hour"], SCHEMA["kind"])
