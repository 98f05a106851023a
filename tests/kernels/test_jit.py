"""What the compiled loops promise: NumPy's division, and NaNs that are not lost."""

import math

import numpy as np

from learnviews.kernels.jit import jit


@jit
def ratio(a, b):
    return a / b


@jit
def count_nan(values):
    n = 0
    for value in values:
        if value != value:
            n += 1
    return n


def test_division_by_zero_is_inf_or_nan():
    assert ratio(1.0, 0.0) == math.inf
    assert math.isnan(ratio(0.0, 0.0))


def test_nan_is_seen():
    assert count_nan(np.array([1.0, np.nan, np.inf, np.nan])) == 2
