"""Rows in the plane: principal components as a naive decomposition has them, of columns of every kind."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from learnviews.kernels.search import load, projection
from learnviews.kernels.search.projection import project


def test_numbers_are_projected_as_a_naive_decomposition_does():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 4)) @ rng.normal(size=(4, 4))
    found = project(load(pd.DataFrame(x, columns=list("abcd"))))
    plain = (x - x.mean(0)) / x.std(0)
    _, sizes, axes = np.linalg.svd(plain, full_matrices=False)
    wanted = plain @ axes[:2].T
    np.testing.assert_allclose(np.abs(found.points), np.abs(wanted), atol=1e-8)
    assert found.explained == pytest.approx(tuple(sizes[:2] ** 2 / (sizes**2).sum()))
    assert found.strongest[0] and set(found.strongest[0]) <= set("abcd")


def test_groups_of_rows_lie_apart_whatever_tells_them():
    rng = np.random.default_rng(1)
    group = np.repeat([0, 1], 40)
    words = np.array(["red apple pear plum juice", "steel bolt screw nail iron"])
    frame = pd.DataFrame(
        {
            "size": group * 3 + rng.normal(size=80),
            "kind": np.where(group, "metal", "fruit"),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(group * 50 + rng.integers(0, 20, 80), "D"),
            "said": [" ".join(rng.permutation(words[each].split())[:4]) + f" {at}" for at, each in enumerate(group)],
            "name": [f"number {at}" for at in range(80)],
        }
    )
    frame.loc[3, "size"], frame.loc[4, "kind"] = np.nan, None
    data = load(frame, types={"said": "text", "name": "categorical"})
    found = project(data)
    assert set(found.columns) == {"size", "kind", "day", "said"} and found.left_out == ("name",)
    first = found.points[:, 0]
    assert max(first[group == 0]) < min(first[group == 1]) or min(first[group == 0]) > max(first[group == 1])
    assert project(data) is found  # asked for again, it is there
    np.testing.assert_array_equal(
        project(load(frame, types={"said": "text", "name": "categorical"})).points, found.points
    )


def test_of_many_rows_a_sample_is_enough(monkeypatch):
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.normal(size=(3000, 3)) * [1, 1, 0.2], columns=list("abc"))
    frame["b"] += 3 * frame["a"]
    whole = project(load(frame)).points
    monkeypatch.setattr(projection, "SAMPLE", 500)
    monkeypatch.setattr(projection, "CHUNK", 700)
    found = project(load(frame)).points
    assert np.isfinite(found).all() and found.shape == (3000, 2)
    assert abs(np.corrcoef(found[:, 0], whole[:, 0])[0, 1]) > 0.99


@pytest.mark.parametrize("values", [[1.0, 1.0, 1.0], [None, None, None], ["a", "a", "a"], [1e300, -1e300, np.inf]])
def test_little_to_tell(values):
    found = project(load(pd.DataFrame({"x": values, "y": [1.0, 2.0, 3.0]})))
    assert found.points.shape == (3, 2) and np.isfinite(found.points).all()
    assert not project(load(pd.DataFrame({"x": [5, 5]}))).points.any()


def test_an_unknown_column_is_named():
    with pytest.raises(ValueError, match="no column z"):
        project(load(pd.DataFrame({"x": [1, 2]})), ["z"])
