"""Undo and redo of queries."""

from learnviews.apps.nncubes.history import MOST, History, differing
from learnviews.kernels.cube import Query

NONE, ONE, TWO, OTHER = Query(), Query(a=(0, 1)), Query(a=(0, 2)), Query(a=(0, 1), b={"x"})


def test_undo_and_redo_walk_through_the_queries():
    history = History(NONE)
    assert not history.can_undo
    assert not history.can_redo
    history.add(ONE)
    history.add(OTHER)
    assert history.undo() == ONE
    assert history.undo() == NONE
    assert history.undo() == NONE
    assert not history.can_undo
    assert history.redo() == ONE
    assert history.redo() == OTHER
    assert history.redo() == OTHER


def test_a_drag_is_one_step():
    history = History(NONE)
    for stop in range(1, 9):
        history.add(Query(a=(0, stop)))
    assert history.now == Query(a=(0, 8))
    assert history.undo() == NONE


def test_pressing_again_ends_a_drag():
    history = History(NONE)
    history.add(ONE)
    history.begin()
    history.add(TWO)
    assert history.undo() == ONE


def test_a_drag_back_to_where_it_began_is_no_step():
    history = History(NONE)
    history.add(ONE)
    history.add(NONE)
    assert not history.can_undo


def test_a_choice_is_a_step_of_its_own():
    history = History(NONE)
    history.add(ONE)
    history.add(TWO, gesture=False)
    history.add(Query(a=(0, 3)))
    assert [history.undo(), history.undo(), history.undo()] == [TWO, ONE, NONE]


def test_a_new_query_forgets_what_was_undone():
    history = History(NONE)
    history.add(ONE)
    history.undo()
    history.add(OTHER)
    assert not history.can_redo


def test_the_same_query_again_is_no_step():
    history = History(NONE)
    history.add(ONE)
    history.undo()
    history.add(NONE)
    assert history.redo() == ONE


def test_undone_drags_are_not_gone_on_with():
    history = History(NONE)
    history.add(ONE)
    history.undo()
    history.add(TWO)
    assert history.undo() == NONE


def test_only_so_many_steps_are_kept():
    history = History(NONE)
    for k in range(MOST + 50):
        history.add(Query(a=(k, k + 1)), gesture=False)
    steps = 0
    while history.can_undo:
        history.undo()
        steps += 1
    assert steps == MOST - 1


def test_differing_names():
    assert differing(ONE, OTHER) == ["b"]
    assert differing(OTHER, TWO) == ["a", "b"]
    assert differing(NONE, NONE) == []


def test_queries_are_carried_over_to_other_bins():
    history = History(Query())
    for stop in (3, 4, 5, 6):
        history.add(Query(hour=(0, stop)), gesture=False)
    history.undo()
    history.undo()
    assert [query.filters.get("hour") for query in history.queries] == [None, (0, 3), (0, 4), (0, 6), (0, 5)]

    def coarse(query):
        return Query(hour=(0, -(-query.filters["hour"][1] // 4) * 4)) if query.filters else query

    history.translate(coarse)
    assert history.now == Query(hour=(0, 4))
    assert history.undo() == Query()  # what became equal is one step
    assert history.redo() == Query(hour=(0, 4))
    assert history.redo() == Query(hour=(0, 8))
    assert not history.can_redo
