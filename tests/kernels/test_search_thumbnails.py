"""Thumbnails: whole, undistorted, of one size, whatever the image; a broken file costs no more than its tile."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.kernels.search import load
from learnviews.kernels.search.thumbnails import broken, of_arrays, thumbnail, thumbnails

Image = pytest.importorskip("PIL.Image")


@settings(max_examples=40)
@given(
    st.integers(1, 70),
    st.integers(1, 70),
    st.sampled_from([None, 1, 2, 3, 4]),
    st.sampled_from(["uint8", "uint16", "float32", "bool", "int32"]),
)
def test_of_any_image(high, wide, channels, kind):
    shape = (high, wide) if channels is None else (high, wide, channels)
    found = thumbnail(np.ones(shape, kind), 20)
    assert found.shape == (20, 20, 4) and found.dtype == np.uint8
    opaque = found[:, :, 3] == 255
    longest = max(high, wide)
    assert opaque.any(axis=1).sum() == max(1, round(20 * high / longest))
    assert opaque.any(axis=0).sum() == max(1, round(20 * wide / longest))


def test_colours_and_places_stay():
    image = np.zeros((40, 80, 3), np.uint8)
    image[:, 40:] = (200, 10, 30)
    found = thumbnail(image, 20)
    assert (found[:5, :, 3] == 0).all() and (found[5:15, :, 3] == 255).all()
    np.testing.assert_array_equal(found[10, 2, :3], (0, 0, 0))
    np.testing.assert_array_equal(found[10, 18, :3], (200, 10, 30))
    digit = thumbnail(np.array([[0, 255], [255, 0]], np.uint8), 8)
    assert set(np.unique(digit[:, :, 0])) == {0, 255}  # squares, not a blur
    assert (thumbnail(np.array([[0.0, 1.0]]), 4)[2, :, 0] == [0, 0, 255, 255]).all()


def test_of_files_broken_ones_among_them(tmp_path):
    for at, name in enumerate(("a.png", "b.png", "c.png")):
        Image.fromarray(np.full((5, 5, 3), 40 * at, np.uint8)).save(tmp_path / name)
    pd.DataFrame({"picture": ["a.png", "b.png", "c.png"], "x": [1, 2, 3]}).to_csv(tmp_path / "all.csv", index=False)
    data = load(tmp_path / "all.csv")
    tiles, problems = thumbnails(data, "picture", side=10)
    assert tiles.shape == (3, 10, 10, 4) and problems == ["", "", ""] and tiles[2, 5, 5, 0] == 80
    (tmp_path / "b.png").write_bytes(b"no image")
    (tmp_path / "c.png").unlink()
    tiles, problems = thumbnails(data, "picture", rows=list(data.frame.index[1:]), side=10)
    assert problems == ["b.png: cannot be read as an image", "c.png: no such file"]
    np.testing.assert_array_equal(tiles[0], broken(10))
    with pytest.raises(ValueError, match='column "x" is integer; expected names of images'):
        thumbnails(data, "x")


def test_of_arrays():
    tiles, problems = of_arrays([np.ones((3, 3)), None, np.ones(4)], 6)
    assert tiles.shape == (3, 6, 6, 4) and problems[0] == "" and problems[1] == "no image"
    assert "got (4,)" in problems[2] and not tiles[1].any()
    assert of_arrays([], 6)[0].shape == (0, 6, 6, 4)
