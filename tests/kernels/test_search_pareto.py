"""Pareto fronts and clocks of trials, compared with what plain loops find."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learnviews.kernels.search.elapsed import elapsed, records
from learnviews.kernels.search.pareto import front

number = st.one_of(st.integers(0, 6).map(float), st.just(np.nan), st.just(np.inf))
pairs = st.lists(st.tuples(number, number), max_size=25)


def beats(one, other):
    return all(a <= b for a, b in zip(one, other, strict=True)) and one != other


@given(pairs)
def test_front_is_what_nothing_beats(points):
    known = [at for at, point in enumerate(points) if np.isfinite(point).all()]
    wanted = [at for at in known if not any(beats(points[other], points[at]) for other in known)]
    found = front([p for p, _ in points], [c for _, c in points]).tolist()
    assert sorted(found) == wanted
    assert [points[at][0] for at in found] == sorted(points[at][0] for at in found)


@given(pairs, st.booleans())
def test_records_are_better_than_all_before(entries, larger):
    best, wanted = None, []
    for at in sorted(range(len(entries)), key=lambda at: entries[at][0] if np.isfinite(entries[at][0]) else 99):
        when, value = entries[at]
        if np.isfinite([when, value]).all() and (best is None or (value > best if larger else value < best)):
            best = value
            wanted.append(at)
    assert records([w for w, _ in entries], [v for _, v in entries], larger).tolist() == wanted


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 40)), min_size=1, max_size=15))
def test_clock_without_pauses(trials):
    order = sorted(range(len(trials)), key=lambda at: trials[at][0])
    start, until, left_out, wanted, cuts = trials[order[0]][0], trials[order[0]][0], 0, {}, []
    for at in order:
        begun, took = trials[at]
        if begun - until > 30:
            left_out += begun - until
            cuts.append(begun - start - left_out)
        until = max(until, begun + took)
        wanted[at] = begun - start - left_out + took
    ended, pauses = elapsed([begun for begun, _ in trials], [took for _, took in trials])
    np.testing.assert_allclose(ended, [wanted[at] for at in range(len(trials))])
    np.testing.assert_allclose(pauses, cuts)


def test_a_running_trial_has_not_ended():
    ended, pauses = elapsed([100.0, 101.0, 500.0], [2.0, np.nan, 5.0])
    assert ended[0] == 2 and np.isnan(ended[1]) and ended[2] == 7 and pauses.tolist() == [2.0]
    assert not len(elapsed([], [])[0])
