"""Sigmoid and tanh in compiled loops, against NumPy in a wider type."""

import cases
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnviews.kernels.rnn import squash

EVERY_DTYPE = pytest.mark.parametrize("dtype", ["float32", "float64"])
UNITS = 3  # in the last place


def sigmoids(v):
    row = np.array(v)
    squash.sigmoids(row)
    return row


def tangents(v):
    row = np.array(v)
    squash.tangents(row)
    return row


def off(found, want):
    """By how many units in the last place, at most."""
    return float(np.max(abs(found - want) / np.spacing(abs(want).astype(found.dtype))))


def arguments(dtype):
    rng = np.random.default_rng(0)
    sizes = 10.0 ** rng.uniform(-30, 1, 30_000) * rng.choice([-1, 1], 30_000)
    return np.concatenate([rng.uniform(-20, 20, 30_000), rng.normal(size=30_000), sizes]).astype(dtype)


@EVERY_DTYPE
def test_within_three_units_in_the_last_place(dtype):
    v = arguments(dtype)
    wide = v.astype(np.longdouble)
    assert off(tangents(v), np.tanh(wide)) < UNITS
    assert off(sigmoids(v), 1 / (1 + np.exp(wide))) < UNITS


@EVERY_DTYPE
def test_what_is_not_finite_or_very_large(dtype):
    v = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 0, -0.0], dtype)
    np.testing.assert_array_equal(tangents(v), [np.nan, 1, -1, 1, -1, 0, 0])
    found = sigmoids(v)
    assert np.isnan(found[0])
    np.testing.assert_array_equal(found[1:], [0, 1, 0, 1, 0.5, 0.5])
    edge = sigmoids(np.linspace(60, 800, 5000).astype(dtype))
    assert ((edge == 0) | (edge >= np.finfo(dtype).tiny)).all()  # no denormal numbers, which take long


@cases.FEW
@given(st.lists(st.floats(-600, 600), min_size=0, max_size=40))
def test_any_length_and_number(values):
    v = np.array(values)
    assert tangents(v) == pytest.approx(np.tanh(v), rel=1e-15, abs=0)
    assert sigmoids(v) == pytest.approx(1 / (1 + np.exp(v)), rel=1e-15, abs=0)
    np.testing.assert_array_equal(tangents(-v), -tangents(v))
