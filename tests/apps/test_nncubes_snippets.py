"""Queries as SQL and pandas: run, and compared with the exact cube."""

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import pytest

from learnviews.apps.nncubes.snippets import pandas as pandas_code
from learnviews.apps.nncubes.snippets import sql
from learnviews.kernels import cube
from learnviews.kernels.cube import Query

ODD = "it's"
SCHEMA = cube.Schema(
    cube.Integer("month", 1, 12, missing=True),
    cube.Categorical("kind", ["a", "b", ODD], other=True, missing=True),
    cube.Categorical("flag", [False, True]),
    cube.Numeric("size", [0, 1, 2.5, 4], column="Size (m)", missing=True),
    cube.Numeric("open", [-np.inf, 0, 10, np.inf]),
    cube.Numeric("clamped", [0, 1, 2, 3], clamp=True),
    cube.Temporal("weekday", "weekday", column="when"),
    cube.Temporal("part", "month", column="when"),
    cube.Temporal("week", start="2024-01-01", stop="2025-01-01", every="1M", column="when"),
    cube.Spatial("place", "x", "y", extent=(0, 4, 0, 4), shape=(4, 4), clamp=True),
)
AGGREGATES = ["count", ("sum", "delay"), ("mean", "delay"), ("var", "delay")]


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    n = 4000
    holes = lambda values, share: np.where(rng.random(n) < share, None, values)  # noqa: E731
    return pd.DataFrame(
        {
            "month": holes(rng.integers(1, 13, n).astype(object), 0.1),
            "kind": holes(rng.choice(["a", "b", ODD, "z"], n).astype(object), 0.1),
            "flag": rng.random(n) < 0.5,
            "Size (m)": np.where(rng.random(n) < 0.1, np.nan, rng.integers(0, 9, n) / 2),
            "open": np.round(rng.normal(5, 8, n)),
            "clamped": rng.integers(-2, 6, n).astype(float),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 366 * 24, n), unit="h"),
            "x": rng.integers(-4, 24, n) / 4,
            "y": rng.integers(-4, 24, n) / 4,
            "delay": rng.normal(0, 5, n),
        }
    ).astype({"month": "float64"})


@pytest.fixture(scope="module")
def exact(rows):
    return cube.ExactCube.build(rows, SCHEMA, ["delay"])


@pytest.fixture(scope="module")
def inside(rows):
    """The rows that the cube holds, which the code is about."""
    return rows[(SCHEMA.codes(rows) >= 0).all(0)]


def queries():
    lasso = np.zeros((4, 4), bool)
    lasso[0, 1:3] = lasso[1, 1:3] = lasso[2, 3] = lasso[3, 0] = True
    gaps = np.zeros(13, bool)
    gaps[[0, 1, 5, 12]] = True
    fixed = [
        Query(),
        Query(month=gaps, kind={"a", "missing"}),
        Query(kind={"b", ODD}, flag={True}),
        Query(kind={"other", "a"}, size=(1, 3)),
        Query(size=(0, 2), open=(0, 1), clamped=(0, 2)),
        Query(open=(1, 3), clamped=(1, 3), weekday=(5, 7)),
        Query(part=(2, 5), place=(1, 4, 0, 2)),
        Query(week=(2, 5), place=lasso),
        Query(flag=set(), month=(3, 4)),
    ]
    rng = np.random.default_rng(1)
    return fixed + cube.random_queries(SCHEMA, 12, rng)


@pytest.mark.parametrize("k", range(len(queries())))
def test_code_answers_as_the_cube_does(k, exact, inside):
    query = queries()[k]
    connection = duckdb.connect()
    connection.register("inside", inside)
    for aggregate in AGGREGATES:
        truth = exact.total(query, aggregate)
        (by_sql,) = connection.execute(sql(SCHEMA, query, aggregate, "inside")).fetchone()
        nothing = 0.0 if aggregate[0] == "sum" else np.nan  # SQL's sum of nothing is NULL
        by_sql = nothing if by_sql is None else float(by_sql)
        by_pandas = float(eval(pandas_code(SCHEMA, query, aggregate, "inside"), {"inside": inside}))
        expected = pytest.approx(truth, rel=1e-9, abs=1e-6, nan_ok=True)
        assert by_sql == expected
        assert by_pandas == expected


def test_it_reads_well():
    assert sql(SCHEMA, Query(month=(2, 5), kind={ODD}, size=(2, 3)), ("mean", "delay"), "flights") == (
        "SELECT AVG(delay)\nFROM flights\nWHERE month BETWEEN 3 AND 5\n  AND kind IN ('it''s')\n"
        '  AND "Size (m)" BETWEEN 2.5 AND 4;'
    )
    assert pandas_code(SCHEMA, Query(month=(2, 3)), "count", "flights", "import x") == (
        "import x\nlen(flights[\n    (flights['month'] == 3)\n])"
    )
    assert pandas_code(SCHEMA, Query(), ("sum", "delay")) == "rows['delay'].sum()"


def test_dates_are_written_as_dates():
    text = sql(SCHEMA, Query(week=(0, 2)))
    assert "when" in text
    assert dt.date(2024, 1, 1).isoformat()[:7] in text
