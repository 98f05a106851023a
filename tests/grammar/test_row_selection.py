"""The stream that links views of rows: what is lit and kept, said once."""

from __future__ import annotations

import holoviews as hv
import numpy as np
import pandas as pd
import pytest

import learnviews as lv


@pytest.fixture
def spoken():
    """A selection and what it has said."""
    said = []
    selection = lv.RowSelection()
    selection.add_subscriber(lambda **now: said.append((list(now["lit"]), list(now["kept"]), now["source"])))
    return selection, said


def test_it_speaks_of_changes_only(spoken):
    selection, said = spoken
    selection.light([3, 5], "bars")
    selection.light(np.array([3, 5]), "bars")
    selection.light(pd.Index([3, 5, 3]))
    selection.light(None)
    selection.light([])
    assert said == [([3, 5], [], "bars"), ([], [], "")]


def test_what_is_kept_stays_while_the_pointer_moves(spoken):
    selection, said = spoken
    selection.keep(["a", "b"], "table")
    selection.light(["c"])
    selection.light(None)
    assert [kept for _, kept, _ in said] == [["a", "b"]] * 3
    selection.clear()
    selection.clear()
    assert len(said) == 4 and said[-1] == ([], [], "")


def test_rows_are_added_and_taken_away(spoken):
    selection, said = spoken
    for ids in ([1, 2], [2, 3], [1, 3], [2], []):
        selection.keep(ids, add=True)
    assert [kept for _, kept, _ in said] == [[1, 2], [1, 2, 3], [2], []]


def test_ids_of_any_kind_are_found_again():
    ids = pd.Index([7, "seven", pd.Timestamp("2020-01-01"), 7.5])
    selection = lv.RowSelection(kept=[7, pd.Timestamp("2020-01-01")])
    np.testing.assert_array_equal(selection.mask(ids), [True, False, True, False])
    assert not selection.mask(ids, "lit").any()
    numbers = lv.RowSelection(lit=np.array([2, 4]))
    np.testing.assert_array_equal(numbers.mask(np.arange(5), "lit"), [False, False, True, False, True])
    with pytest.raises(ValueError, match="dimension"):
        selection.keep(np.zeros((2, 2)))


def test_dynamic_maps_follow_it():
    table = pd.DataFrame({"x": range(5), "y": range(5)}, index=list("abcde"))
    selection = lv.RowSelection()
    lit = hv.DynamicMap(
        lambda lit, kept, source: hv.Points(table[selection.mask(table.index, "lit")]), streams=[selection]
    )
    assert len(lit[()]) == 0
    selection.light(["b", "d"])
    assert list(lit[()]["x"]) == [1, 3]
    selection.light(["d"])
    assert list(lit[()]["x"]) == [3]


def test_a_million_numbers_are_kept_as_numbers():
    selection = lv.RowSelection()
    selection.light(np.arange(1_000_000))
    assert selection.lit.dtype == np.int64 and selection.mask(np.arange(5), "lit").all()
    selection.keep(pd.Series([5, 4, 5]))
    assert list(selection.kept) == [5, 4]
    selection.keep(["five"], add=True)
    assert list(selection.kept) == [5, 4, "five"] and selection.kept.dtype == object
    selection.keep(iter([1, 2]))
    assert list(selection.kept) == [1, 2]
