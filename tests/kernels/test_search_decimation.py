"""Fewer points of a line: none of its peaks is lost, and little is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnviews.kernels.search.decimation import decimated

VALUES = st.lists(st.one_of(st.integers(-5, 5).map(float), st.just(float("nan"))), max_size=80)


@given(VALUES, st.integers(1, 12), st.integers(0, 99))
def test_peaks_stay_and_little_is_drawn(values, buckets, seed):
    y = np.array(values)
    x = np.sort(np.random.default_rng(seed).integers(0, 40, len(y))).astype(float)
    kept = decimated(x, y, 0, 40, buckets)
    assert (np.diff(kept) > 0).all() and len(kept) <= 2 * buckets + 2
    known = ~np.isnan(y)
    if known.any():
        assert np.nanmin(y[kept]) == y[known].min() and np.nanmax(y[kept]) == y[known].max()


def test_only_what_is_seen_and_its_neighbours():
    x = np.arange(1000.0)
    assert list(decimated(x, x, 400, 404, 50)) == [399, 400, 401, 402, 403, 404, 405]
    far = decimated(x, np.sin(x), 100, 800, 20)
    assert far[0] == 99 and far[-1] == 801 and len(far) <= 42
    assert len(decimated(x[:0], x[:0], 0, 1, 5)) == 0


def test_every_bucket_keeps_its_own_peaks():
    rng = np.random.default_rng(0)
    x, y = np.arange(1000.0), rng.normal(size=1000)
    kept = set(decimated(x, y, 0, 999, 10))
    for bucket in np.array_split(np.arange(999), 10):
        assert {bucket[y[bucket].argmin()], bucket[y[bucket].argmax()]} & kept


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="as many y as x"):
        decimated(np.arange(3.0), np.arange(2.0), 0, 1, 5)
