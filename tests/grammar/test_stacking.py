import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from learnviews.grammar.stacking import default_floor, grid, length, log_ticks, stack

VALUES = arrays(float, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(-1e3, 1e3))


def naive_stack(values, size):
    near, far = np.zeros(values.shape), np.zeros(values.shape)
    for s, row in enumerate(values):
        totals = {1: sum(v for v in row if v > 0), -1: sum(v for v in row if v < 0)}
        at = {1: 0.0, -1: 0.0}
        for k, v in enumerate(row):
            side = -1 if v < 0 else 1
            scale = size(totals[side]) / totals[side] if totals[side] else 1.0
            near[s, k] = at[side] * scale
            at[side] += v
            far[s, k] = at[side] * scale
    return near, far


@given(VALUES)
def test_linear_stack_is_the_naive_one(values):
    for fast, slow in zip(stack(values), naive_stack(values, lambda total: total), strict=True):
        np.testing.assert_allclose(fast, slow, atol=1e-9)


@given(VALUES, st.floats(1e-3, 10))
def test_log_stack_is_the_naive_one(values, floor):
    values[np.abs(values) < 1e-100] = 0

    def size(total):
        return math.copysign(math.log10(1 + abs(total) / floor), total)

    for fast, slow in zip(stack(values, "log", floor), naive_stack(values, size), strict=True):
        np.testing.assert_allclose(fast, slow, atol=1e-9)


def test_nan_counts_as_nothing():
    near, far = stack(np.array([[1.0, np.nan, 2.0]]))
    assert far.tolist() == [[1, 1, 3]]
    assert near.tolist() == [[0, 1, 1]]


def test_log_length_of_a_decade():
    assert length(np.array([999.0, -999.0, 0.0]), "log", 1.0).tolist() == pytest.approx([3, -3, 0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stack(np.zeros(3)), r"expected values of shape \(steps, lags\), got \(3,\)"),
        (lambda: stack(np.zeros((1, 1)), "sqrt"), "transform must be one of"),
        (lambda: stack(np.zeros((1, 1)), "log"), "floor above 0, got None"),
        (lambda: stack(np.zeros((1, 1)), "log", -1.0), "floor above 0, got -1.0"),
        (lambda: grid(np.array([0, 0]), np.array([1, 1]), np.ones(2)), "every .step, lag. once"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_ticks_tell_true_totals():
    floor = default_floor(30.0)
    assert floor == 0.01
    ticks = log_ticks(-2.0, 30.0, floor)
    assert ticks[0.0] == "0"
    for at, label in ticks.items():
        assert float(length(np.array(float(label)), "log", floor)) == pytest.approx(at)
    assert {"10", "-1"} <= set(ticks.values())


@pytest.mark.parametrize("largest", [0.0, float("nan"), float("inf")])
def test_floor_without_bars(largest):
    assert default_floor(largest) == 1.0


def test_grid_orders_lags_by_distance():
    step, lag, cells, row, column = grid(np.array([5, 5, 3, 3]), np.array([-1, 0, 1, -2]), np.array([1.0, 2, 3, 4]))
    assert step.tolist() == [3, 5]
    assert lag.tolist() == [0, 1, -1, -2]
    assert cells.tolist() == [[0, 3, 0, 4], [2, 0, 1, 0]]
    assert cells[row, column].tolist() == [1, 2, 3, 4]
