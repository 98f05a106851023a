"""What is tried next: what fits in the time that is left, and what the surrogate is told of cheap trials."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnviews.kernels.search import fidelity
from learnviews.kernels.search.fidelity import Done, Job
from learnviews.kernels.search.search_loop import CLOSING, Budget

LEVELS = (1 / 3, 1.0)


def tried(name: str, cost: float | None, level: float = 1 / 3, seconds: float = 1.0) -> Done:
    return Done(name, {"name": name}, level, cost, "search", seconds=seconds)


def named(job: Job | None) -> str | None:
    return None if job is None else job.config["name"]


def waiting(name: str) -> Job:
    return Job({"name": name}, 1 / 3, "search")


def test_the_full_effort_goes_to_the_best_that_still_fits():
    done = [tried(name, cost, seconds=cost) for name, cost in (("a", 9.0), ("b", 5.0), ("c", 7.0))]
    done += [tried(name, 20.0) for name in "defghi"]
    fits = lambda trial: trial.seconds < 8  # noqa: E731
    best = fidelity.next_job(done, [waiting("new")], LEVELS)
    assert (named(best), best.fidelity) == ("b", 1.0)
    slow = [tried("a", 1.0, seconds=9.0), *done[1:]]
    assert named(fidelity.next_job(slow, [waiting("new")], LEVELS, fits)) == "b"
    assert named(fidelity.next_job(slow[:3], [waiting("new")], LEVELS, lambda trial: False)) == "new"


def test_near_the_end_what_was_cheap_becomes_a_model_before_anything_new_begins():
    done = [tried("a", 2.0), tried("b", 1.0), tried("b", 1.5, level=1.0)]
    assert named(fidelity.next_job(done, [waiting("new")], LEVELS)) == "new"
    assert named(fidelity.next_job(done, [waiting("new")], LEVELS, closing=True)) == "a"
    assert named(fidelity.next_job(done, [waiting("new")], LEVELS, lambda trial: False, True)) == "new"
    assert fidelity.next_job(done, [], LEVELS, lambda trial: False, True) is None


def test_a_budget_closes_in_its_last_share_only():
    now = time.monotonic()
    assert not Budget(now + 100, began=now).closing
    assert Budget(now + 100 * CLOSING - 1, began=now - 100 + 100 * CLOSING).closing
    assert not Budget(trials=3).closing  # without an end in time


def test_costs_of_cheap_trials_are_moved_to_where_full_ones_are():
    done = [tried("a", 1.0), tried("a", 3.0, level=1.0), tried("b", 2.0), tried("b", 3.0, level=1.0)]
    done += [tried("c", 5.0), tried("c", 8.0, level=1.0), tried("d", 2.0), tried("e", None)]
    told = {config["name"]: cost for config, cost in fidelity.told(done)}
    assert told == {"a": 3.0, "b": 3.0, "c": 8.0, "d": 4.0, "e": None}


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(LEVELS), st.none() | st.floats(-5, 5)), max_size=30)
)
def test_every_configuration_is_told_once_and_full_costs_as_they_are(rows):
    done = [tried(name, cost, level) for name, level, cost in rows]
    told = {config["name"]: cost for config, cost in fidelity.told(done)}
    assert set(told) == {name for name, _, _ in rows} and len(fidelity.told(done)) == len(told)
    last = {name: cost for name, level, cost in rows if level == 1.0}
    assert {name: told[name] for name in last} == pytest.approx(last, nan_ok=True)
