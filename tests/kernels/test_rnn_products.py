"""Few rows times a matrix: every way gives the product."""

import cases
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnviews.kernels.rnn import products


def multiplied(way, rows, W):
    cut = products.panels(W, len(rows)) if way == "panels" else np.empty((0, 0, 0), W.dtype)
    out = np.full((len(rows), W.shape[1]), np.nan, W.dtype)
    products.multiply(rows, W, cut, np.empty((len(cut), len(rows), cut.shape[2]), W.dtype), out)
    return out


@cases.FEW
@given(
    rows=st.integers(1, 9),
    n=st.integers(1, 70),
    m=st.integers(1, 70),
    most=st.sampled_from([1, 700, 5000, 10**6]),
    packs=st.booleans(),
)
def test_any_shape(rows, n, m, most, packs):
    rng = np.random.default_rng(rows * n * m)
    a, W = rng.normal(size=(rows, n)), rng.normal(size=(n, m))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "MOST", most)
        patch.setattr(products, "packs", lambda: packs)
        for way in ("loop", "panels"):
            np.testing.assert_allclose(multiplied(way, a, W), a @ W, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    ("rows", "shape", "panels"),
    [
        (16, (256, 1024), (8, 256, 128)),  # no wider than the limit, and nothing to fill up
        (16, (1024, 256), (8, 1024, 32)),
        (16, (256, 1000), (7, 256, 144)),
        (16, (256, 7), (1, 256, 7)),  # one panel is the matrix itself
        (64, (1024, 20), (1, 1024, 20)),  # panels would be narrow
    ],
)
def test_panels_hold_the_matrix_and_zeros(rows, shape, panels, monkeypatch):
    W = np.random.default_rng(0).normal(size=shape)
    monkeypatch.setattr(products, "packs", lambda: False)
    cut = products.panels(W, rows)
    assert cut.shape == panels
    side_by_side = np.concatenate(list(cut), axis=1)
    np.testing.assert_array_equal(side_by_side[:, : shape[1]], W)
    assert not side_by_side[:, shape[1] :].any()
    monkeypatch.setattr(products, "packs", lambda: True)
    np.testing.assert_array_equal(products.panels(W, rows), W[None])


@pytest.mark.parametrize(
    ("rows", "shape", "threads", "unpacked", "packed"),
    [
        (1, (100, 100), 2, "loop", "loop"),
        (2, (100, 100), 2, "panels", "loop"),
        (2, (1000, 1000), 1, "panels", "whole"),
        (16, (256, 1024), 8, "panels", "whole"),
        (64, (256, 1024), 1, "panels", "whole"),
        (64, (256, 1024), 2, "whole", "whole"),
        (64, (1024, 256), 1, "panels", "whole"),
        (64, (1024, 256), 2, "whole", "whole"),
    ],
)
def test_ways(rows, shape, threads, unpacked, packed, monkeypatch):
    monkeypatch.setattr(products, "blas_threads", lambda: threads)
    for packs, way in ((False, unpacked), (True, packed)):
        monkeypatch.setattr(products, "packs", lambda packs=packs: packs)
        assert products.way_of(rows, np.empty(shape)) == way


@pytest.mark.parametrize(
    ("found", "packs"),
    [({"skylakex"}, False), ({"skylakex", "cooperlake"}, False), ({"skylakex", "haswell"}, True), (set(), True)],
)
def test_only_known_kernels_take_panels(found, packs, monkeypatch):
    products.packs.cache_clear()
    monkeypatch.setattr(products, "blas_architectures", lambda: found)
    assert products.packs() is packs
    products.packs.cache_clear()
