"""The exact cube: what it holds, what it answers, whatever table it came from."""

import concurrent.futures
import pickle
import warnings

import datashader
import duckdb
import naive
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.kernels import cube
from learnviews.kernels.cube import ExactCube, exact, tables
from learnviews.kernels.progress import Progress

SCHEMA = cube.Schema(
    cube.Integer("month", 1, 12),
    cube.Categorical("carrier", ["AA", "DL", "UA"], missing=True),
    cube.Numeric("delay", [-10, 0, 5, 60]),
    cube.Spatial("place", "x", "y", extent=(0, 4, 0, 3), shape=(4, 3)),
)
FORMS = {"dense": exact.DENSE_LIMIT, "sparse": 0}


def random_frame(n=500, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "month": rng.integers(0, 13, n),
            "carrier": rng.choice(np.array(["AA", "DL", "UA", "ZZ", None], object), n),
            "delay": rng.normal(10, 20, n),
            "x": rng.uniform(-0.2, 4.1, n),
            "y": rng.uniform(0, 3, n),
            "miles": rng.integers(0, 1000, n).astype(float),
            "fare": rng.normal(0, 100, n),
        }
    )
    frame.loc[rng.random(n) < 0.1, "delay"] = np.nan
    frame.loc[rng.random(n) < 0.2, "fare"] = np.nan
    return frame


@pytest.fixture(scope="module")
def frame():
    return random_frame()


@pytest.fixture(scope="module", params=FORMS)
def built(request, frame):
    return ExactCube.from_frame(frame, SCHEMA, ["miles", "fare"], dense_limit=FORMS[request.param])


def assert_same(one, other, exactly=True):
    assert (one.rows, one.left_out, one.outside, one.missing) == (
        other.rows, other.left_out, other.outside, other.missing,
    )  # fmt: skip
    for a, b in zip(one.cells()[:2], other.cells()[:2], strict=True):
        np.testing.assert_array_equal(a, b)
    for sums, others in zip(one.cells()[2:], other.cells()[2:], strict=True):
        for name in one.measures:
            if exactly:
                np.testing.assert_array_equal(sums[name], others[name])
            else:
                np.testing.assert_allclose(sums[name], others[name], rtol=1e-12, atol=1e-7)


# -- what is in it


def test_cells_are_those_of_the_rows(built, frame):
    expected = naive.cube_cells(SCHEMA.codes(frame), [frame["miles"].to_numpy(), frame["fare"].to_numpy()])
    codes, count, sums, squares = built.cells()
    assert codes.dtype == np.int32 and [tuple(cell) for cell in codes.T.tolist()] == sorted(expected)
    held = [expected[cell] for cell in sorted(expected)]
    assert count.tolist() == [row[0] for row in held]
    for k, name in enumerate(["miles", "fare"]):
        np.testing.assert_allclose(sums[name], [row[1 + k][0] for row in held], rtol=1e-12, atol=1e-9)
        np.testing.assert_allclose(squares[name], [row[1 + k][1] for row in held], rtol=1e-12, atol=1e-9)


def test_every_row_is_accounted_for(built, frame):
    codes = SCHEMA.codes(frame)
    assert built.rows == (codes >= 0).all(0).sum() and built.left_out == (codes < 0).any(0).sum()
    assert built.rows + built.left_out == len(frame)
    assert built.outside == dict(zip(SCHEMA.names, (codes == -1).sum(1).tolist(), strict=True))
    assert built.missing == dict(zip(SCHEMA.names, (codes == -2).sum(1).tolist(), strict=True))
    assert built.missing["delay"] > 0 and built.missing["carrier"] == 0  # which has a bin for them


def test_sizes_in_bytes(built):
    width = 8 * (1 + 2 * 2 + 2)  # fares are missing: values that are present are counted
    assert built.dense_bytes == 12 * 4 * 3 * 12 * width
    assert built.sparse_bytes == built.occupied * (width + 4)
    assert built.nbytes == (built.dense_bytes if built.dense else built.sparse_bytes)
    assert built.occupied == built.cells()[0].shape[1] and f"{built.rows:,} rows" in repr(built)


def test_the_form_follows_the_limit():
    cells = 12 * 4 * 3 * 12
    assert ExactCube(SCHEMA, dense_limit=8 * cells).dense and not ExactCube(SCHEMA, dense_limit=8 * cells - 1).dense


# -- answers


@pytest.mark.parametrize(
    "aggregate", ["count", ("sum", "fare"), ("squares", "fare"), ("mean", "fare"), ("var", "fare")]
)
def test_views_and_totals_are_those_of_the_rows(built, frame, aggregate):
    codes, fare = SCHEMA.codes(frame), frame["fare"].to_numpy()
    present, sizes = ~np.isnan(fare), SCHEMA.sizes
    masks = cube.random_masks(SCHEMA, 12, 3)

    def direct(answer):
        count = answer(np.ones(len(fare)) if aggregate == "count" else present.astype(float))
        sums, squares = answer(np.where(present, fare, 0)), answer(np.where(present, fare, 0) ** 2)
        with np.errstate(all="ignore"):
            mean = sums / count
            kinds = {"sum": sums, "squares": squares, "mean": mean, "var": squares / count - mean**2}
        return count if aggregate == "count" else kinds[aggregate[0]]

    found, totals = built.query_many(masks, aggregate), built.totals_many(masks, aggregate)
    for mask, answers, total in zip(masks, found, totals, strict=True):
        expected = direct(lambda w, mask=mask: naive.cube_views(codes, sizes, mask, w))
        np.testing.assert_allclose(answers, expected, rtol=1e-9, atol=1e-6)
        expected = direct(lambda w, mask=mask: np.float64(naive.cube_total(codes, sizes, mask, w)))
        np.testing.assert_allclose(total, expected, rtol=1e-9, atol=1e-6)


def test_a_view_ignores_its_own_filter_only(built):
    everything, query = built.views(), cube.Query(month=(0, 3), carrier={"AA"})
    views = built.views(query)
    assert list(views) == list(SCHEMA.names) and views["place"].shape == (12,)
    assert views["month"].sum() == built.total(cube.Query(carrier={"AA"}))
    assert views["month"][:3].sum() == views["delay"].sum() == built.total(query)
    np.testing.assert_array_equal(built.views(cube.Query(month=(0, 3)))["month"], everything["month"])
    assert everything["carrier"].sum() == built.rows == built.total()
    assert built.views(cube.Query(month=set()))["place"].sum() == 0


def test_queries_of_all_forms_answer_the_same(built):
    queries = cube.random_queries(SCHEMA, 30, 5)
    found = built.query_many(queries)
    np.testing.assert_array_equal(found, built.query_many(SCHEMA.masks(queries)))
    np.testing.assert_array_equal(found[7], np.concatenate(list(built.views(queries[7]).values())))
    np.testing.assert_array_equal(built.totals_many(queries), [built.total(query) for query in queries])
    ranges = np.array([[0, 3, 0, 2, 1, 3, 0, 2, 1, 3]])
    same = cube.Query(month=(0, 3), carrier=(0, 2), delay=(1, 3), place=(0, 2, 1, 3))
    np.testing.assert_array_equal(built.query_many(ranges), built.query_many(same))
    assert built.query_many([]).shape == (0, SCHEMA.bins) and built.totals_many([]).shape == (0,)


def test_means_and_variances_of_nothing_are_nan(built):
    nothing = cube.Query(month=set())
    for kind in ("mean", "var"):
        assert np.isnan(built.views(nothing, (kind, "miles"))["place"]).all()
        assert np.isnan(built.total(nothing, (kind, "miles")))
    assert built.total(nothing, ("sum", "miles")) == 0


@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=5),
    n=st.integers(0, 80),
    seed=st.integers(0, 99),
    form=st.sampled_from(list(FORMS.values())),
)
@settings(max_examples=50, deadline=None)
def test_any_shape_in_both_forms(sizes, n, seed, form):
    rng = np.random.default_rng(seed)
    schema = cube.Schema(*(cube.Integer(f"a{i}", 0, size - 1) for i, size in enumerate(sizes)))
    columns = {name: rng.integers(-1, size, n) for name, size in zip(schema.names, sizes, strict=True)}
    built = ExactCube.from_frame(columns, schema, dense_limit=form)
    masks = rng.random((5, schema.bins)) < 0.6
    for mask, answers in zip(masks, built.query_many(masks), strict=True):
        assert answers.tolist() == naive.cube_views(schema.codes(columns), sizes, mask).tolist()


def test_full_cubes_answer_by_products_and_others_by_occupied_cells():
    schema = cube.Schema(cube.Integer("a", 0, 9), cube.Integer("b", 0, 9))
    full = ExactCube(schema, ["m"]).add_codes(
        [np.repeat(np.arange(10), 10), np.tile(np.arange(10), 10)], {"m": np.ones(100)}
    )
    few = ExactCube(schema).add_codes([np.arange(10), np.arange(10)])
    assert full.views(cube.Query(a=(0, 2)), ("sum", "m"))["b"].tolist() == [2] * 10
    assert few.views(cube.Query(a=(0, 2)))["b"].tolist() == [1, 1] + [0] * 8
    assert type(full._answers).__name__ == "DenseAnswers" and type(few._answers).__name__ == "SparseAnswers"


def test_more_cells_than_64_bits_can_number():
    schema = cube.Schema(*(cube.Integer(f"a{i}", 0, 299) for i in range(9)))
    rng = np.random.default_rng(0)
    columns = {name: rng.integers(0, 2, 200) * 299 for name in schema.names}
    built = ExactCube.from_frame(columns, schema)
    assert not built.dense and built.dense_bytes == 300**9 * 8
    assert {tuple(c) for c in built.cells()[0].T.tolist()} == set(
        zip(*(v.tolist() for v in columns.values()), strict=True)
    )
    masks = cube.random_masks(schema, 5, 1)
    for mask, answers in zip(masks, built.query_many(masks), strict=True):
        np.testing.assert_array_equal(answers, naive.cube_views(schema.codes(columns), schema.sizes, mask))
    assert_same(built + ExactCube(schema), built)


def test_a_million_categories():
    schema = cube.Schema(cube.Integer("id", 0, 999_999), cube.Integer("b", 0, 1))
    built = ExactCube.from_frame({"id": np.array([5, 999_999, 5]), "b": np.array([0, 1, 1])}, schema, dense_limit=0)
    views = built.views(cube.Query(b=(1, 2)))
    assert np.flatnonzero(views["id"]).tolist() == [5, 999_999] and views["b"].tolist() == [1, 2]


# -- whatever table it came from


def test_the_same_from_every_table(frame, built, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "BLOCK", 64)
    measures, limit = ("miles", "fare"), FORMS["dense" if built.dense else "sparse"]
    table, path = pa.Table.from_pandas(frame), tmp_path / "t.parquet"
    parquet.write_table(table, path, row_group_size=97)
    with duckdb.connect() as connection:
        relation = connection.from_arrow(table)
        for given in (frame, dict(frame.items()), table, table.to_reader(50), path, str(tmp_path), [path], relation):
            made = ExactCube.build(given, SCHEMA, measures, dense_limit=limit)
            assert_same(made, built)  # to the last bit: rows are added in their order
    assert_same(ExactCube.from_parquet(path, SCHEMA, measures, threads=1), built)
    assert_same(ExactCube.from_parquet(path, SCHEMA, measures, threads=7), built)


def test_the_same_from_dask(frame, built):
    dd = pytest.importorskip("dask.dataframe")
    parts = dd.from_pandas(frame, npartitions=7)
    assert_same(ExactCube.from_dask(parts, SCHEMA, ["miles", "fare"]), built)
    with pytest.raises(LookupError, match="the Dask DataFrame has no column 'month'"):
        ExactCube.from_dask(parts.rename(columns={"month": "m"}), SCHEMA)


def test_the_same_from_a_cluster(frame, built, tmp_path, monkeypatch):
    distributed, dd = pytest.importorskip("distributed"), pytest.importorskip("dask.dataframe")
    from learnviews.kernels.cube import cluster

    monkeypatch.setattr(cluster, "TASK_ROWS", 100)
    parquet.write_table(pa.Table.from_pandas(frame), tmp_path / "t.parquet", row_group_size=60)
    measures, limit = ("miles", "fare"), FORMS["dense" if built.dense else "sparse"]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="distributed|tornado|asyncio")
        with distributed.Client(processes=False, dashboard_address=None, n_workers=1, threads_per_worker=2) as client:
            progress = Progress()
            made = ExactCube.from_parquet(
                tmp_path, SCHEMA, measures, client=client, progress=progress, dense_limit=limit
            )
            assert_same(made, built, exactly=False)
            assert made.dense == built.dense and progress.done == progress.total == 5
            parts = dd.from_pandas(frame, npartitions=3)
            assert_same(ExactCube.from_dask(parts, SCHEMA, measures, client=client), built, exactly=False)
            with pytest.raises(
                TypeError, match="client= takes paths of Parquet files or a Dask DataFrame, not DataFrame"
            ):
                ExactCube.build(frame, SCHEMA, client=client)
            cancelled = Progress()
            cancelled.cancel()
            with pytest.raises(concurrent.futures.CancelledError, match="cancelled after 0 of 5 parts"):
                ExactCube.from_parquet(tmp_path, SCHEMA, client=client, progress=cancelled)
    with pytest.raises(TypeError, match=r"client is a str; expected a dask.distributed.Client"):
        ExactCube.from_parquet(tmp_path, SCHEMA, client="here")


def test_the_same_answers_as_duckdb(built, frame):
    with duckdb.connect() as connection:
        connection.register("rows", frame)
        found = connection.sql(
            """select month, count(*), sum(fare), var_pop(fare) from rows
               where month between 1 and 12 and (carrier is null or carrier in ('AA', 'DL', 'UA'))
               and delay between -10 and 60 and delay < 5 and x between 0 and 4 and y between 0 and 3 group by month"""
        ).fetchall()
    expected = np.array([row[1:] for row in sorted(found)], float)
    query = SCHEMA.query(delay=(-10, 4.9), month=(2, 3))
    for column, aggregate in enumerate(["count", ("sum", "fare"), ("var", "fare")]):
        np.testing.assert_allclose(built.views(query, aggregate)["month"], expected[:, column], rtol=1e-9)


def test_the_same_counts_as_datashader(frame):
    schema = cube.Schema(
        cube.Spatial("place", "x", "y", extent=(0, 4, 0, 3), shape=(16, 9)), cube.Integer("month", 0, 12)
    )
    canvas = datashader.Canvas(16, 9, x_range=(0, 4), y_range=(0, 3))
    counted = canvas.points(frame, "x", "y", agg=datashader.count()).to_numpy()  # (y, x)
    place = ExactCube.from_frame(frame, schema).views()["place"].reshape(16, 9)
    np.testing.assert_array_equal(place, counted.T)


# -- adding up


def test_cubes_of_parts_add_up(frame, built):
    parts = [frame[:100], frame[100:101], frame[101:101], frame[101:]]
    limits = [exact.DENSE_LIMIT, 0, 0, exact.DENSE_LIMIT]
    cubes = [
        ExactCube.from_frame(part, SCHEMA, built.measures, dense_limit=limit)
        for part, limit in zip(parts, limits, strict=True)
    ]
    assert_same(sum(cubes), built, exactly=False)
    assert_same(cubes[1] + cubes[0] + cubes[3], built, exactly=False)
    assert cubes[0].rows < 100 and cubes[2].rows == 0  # as they were
    grown = ExactCube(SCHEMA, built.measures)
    for part in parts:
        assert grown.add(part) is grown
    assert_same(grown, built, exactly=False)


def test_answers_follow_what_is_added(frame):
    grown = ExactCube(SCHEMA)
    assert grown.total() == 0
    grown.add(frame)
    assert grown.total() == grown.rows > 0
    before = grown.rows
    grown.add_codes([np.array([0]), np.array([1]), np.array([2]), np.array([3])])
    assert grown.total() == before + 1


def test_foreign_cubes_do_not_add_up(built):
    with pytest.raises(ValueError, match="different schemas do not add up"):
        built + ExactCube(SCHEMA.without("month"), built.measures)
    with pytest.raises(ValueError, match=r"different measures do not add up: \('miles', 'fare'\) and \(\)"):
        built + ExactCube(SCHEMA)
    for other in (3, None, "cube"):
        with pytest.raises(TypeError):
            built + other
        with pytest.raises(TypeError):
            other + built


def test_codes_are_added_as_rows_are(built, frame):
    codes = SCHEMA.codes(frame)
    measures = {name: frame[name].to_numpy() for name in built.measures}
    assert_same(ExactCube(SCHEMA, built.measures).add_codes(codes, measures), built)
    small = [np.where(ok := (codes >= 0).all(0), code, 0)[ok].astype(np.uint8) for code in codes]
    made = ExactCube(SCHEMA).add_codes(small)
    np.testing.assert_array_equal(made.cells()[1], built.cells()[1])


def test_codes_that_are_wrong_leave_the_cube_as_it_was():
    schema = cube.Schema(cube.Integer("a", 0, 2), cube.Integer("b", 0, 1))
    made, good = ExactCube(schema, ["m"]), np.zeros(3, np.int8)
    ones = {"m": np.ones(3)}
    for codes, measures, error, message in (
        ([good], ones, ValueError, "codes of 1 attributes; the schema has 2: a, b"),
        ([good, good[:2]], ones, ValueError, r"different lengths: {'a': 3, 'b': 2, 'm': 3}"),
        ([good, good], {"m": np.ones(2)}, ValueError, "different lengths"),
        ([good, good + 2], ones, ValueError, "codes of 'b' from 2 to 2; expected 0 to 1"),
        ([good - 3, good], ones, ValueError, "codes of 'a' from -3 to -3"),
        ([good, good * 1.0], ones, TypeError, "codes of 'b': float64"),
        ([good, good[None]], ones, TypeError, r"codes of 'b': int8 of shape \(1, 3\)"),
        ([good, good], None, ValueError, "no values for 'm'"),
        ([good, good], {"m": np.array([1, np.inf, 2])}, ValueError, "measure 'm' holds 1 or more infinite"),
    ):
        with pytest.raises(error, match=message):
            made.add_codes(codes, measures)
        assert made.rows == 0 and made.occupied == 0


def test_a_failed_addition_leaves_the_cube_as_it_was(frame, monkeypatch):
    monkeypatch.setattr(tables, "BLOCK", 64)
    made = ExactCube.from_frame(frame, SCHEMA, ["fare"])
    bad = frame.assign(fare=np.where(made.schema.codes(frame).min(0) >= 0, np.inf, 0.0), month=frame["month"])
    bad.loc[:200, "fare"] = 0
    with pytest.raises(ValueError, match=r"measure 'fare' holds .* infinite values"):
        made.add(bad)
    assert_same(made, ExactCube.from_frame(frame, SCHEMA, ["fare"]))


# -- odd input


@pytest.mark.parametrize("form", FORMS)
def test_no_rows_and_one_row(form):
    empty = ExactCube.from_frame(random_frame(0), SCHEMA, ["miles"], dense_limit=FORMS[form])
    assert (empty.rows, empty.left_out, empty.occupied, empty.total()) == (0, 0, 0, 0)
    query = cube.Query(month=(0, 3))
    assert all((view == 0).all() for view in empty.views(query).values())
    assert all(np.isnan(view).all() for view in empty.views(query, ("mean", "miles")).values())
    codes, count, sums, _ = empty.cells()
    assert codes.shape == (4, 0) and count.shape == sums["miles"].shape == (0,)
    row = {"month": [3], "carrier": ["AA"], "delay": [1.0], "x": [0.5], "y": [0.5], "miles": [7]}
    one = empty + ExactCube.from_frame(row, SCHEMA, ["miles"])
    assert one.rows == one.occupied == 1 and one.total(aggregate=("var", "miles")) == 0
    assert one.views(query, ("mean", "miles"))["carrier"][0] == 7


def test_measures_that_are_no_finite_numbers(frame):
    bad = frame.copy()
    bad["miles"] = np.where(np.arange(len(bad)) % 2, np.inf, 1.0)
    with pytest.raises(ValueError, match=r"measure 'miles' holds .* infinite values"):
        ExactCube.from_frame(bad, SCHEMA, ["miles"])
    with pytest.raises(TypeError, match=r"column 'carrier' holds 'AA'|column 'carrier' holds .*expected numbers"):
        ExactCube.from_frame(frame, SCHEMA, ["carrier"])
    with pytest.raises(LookupError, match="the table has no column 'price'; it has month"):
        ExactCube.from_frame(frame, SCHEMA, ["price"])
    with pytest.raises(ValueError, match="name a column twice"):
        ExactCube(SCHEMA, ["miles", "miles"])
    with pytest.raises(TypeError, match="measures 'miles'; expected a sequence"):
        ExactCube(SCHEMA, "miles")
    with pytest.raises(TypeError, match=r"list is no schema; expected a cube.Schema"):
        ExactCube([1])


def test_columns_a_schema_cannot_bin(frame):
    with pytest.raises(LookupError, match="no column 'month', 'x'; it has carrier"):
        ExactCube.from_frame(frame.drop(columns=["month", "x"]), SCHEMA)
    with pytest.raises(TypeError, match="month"):
        ExactCube.from_frame(frame.assign(month="may"), SCHEMA)


def test_questions_a_cube_cannot_answer(built):
    for aggregate in ("mean", ("median", "fare"), ("sum",), ("count", "fare"), None, 3):
        with pytest.raises(ValueError, match=r"aggregate .*; expected 'count' or one of"):
            built.views(aggregate=aggregate)
    with pytest.raises(LookupError, match="no measure 'price'; the cube has miles, fare"):
        built.total(aggregate=("sum", "price"))
    with pytest.raises(LookupError, match="no attribute 'year'; there are month, carrier, delay, place"):
        built.views(cube.Query(year=(0, 1)))
    with pytest.raises(TypeError, match="expected queries, an"):
        built.query_many(np.ones((2, SCHEMA.bins + 1), bool))
    with pytest.raises((TypeError, ValueError), match="query 0"):
        built.query_many([cube.Query(month=np.ones(5, bool))])
    with pytest.raises(ValueError, match="views of 2 queries; expected one"):
        built.views([cube.Query(), cube.Query()])
    with pytest.raises(ValueError, match="total of 0 queries; expected one"):
        built.total([])


def test_progress_and_cancelling(frame, built, tmp_path):
    parquet.write_table(pa.Table.from_pandas(frame), tmp_path / "t.parquet", row_group_size=100)
    seen = []
    progress = Progress(lambda p: seen.append((p.done, p.total)), interval=0)
    ExactCube.from_parquet(tmp_path, SCHEMA, progress=progress)
    assert seen == [(n, 500) for n in (100, 200, 300, 400, 500)]
    seen.clear()
    built.query_many(cube.random_masks(SCHEMA, 2500, 0), progress=progress)
    assert seen == [(n, 2500) for n in (1024, 2048, 2500)]
    progress.cancel()
    with pytest.raises(concurrent.futures.CancelledError, match="cancelled after 0 rows"):
        ExactCube.from_parquet(tmp_path, SCHEMA, progress=progress)
    with pytest.raises(concurrent.futures.CancelledError, match="cancelled after 0 of 3 queries"):
        built.query_many(cube.random_masks(SCHEMA, 3, 0), progress=progress)


def test_a_cube_survives_pickling(built):
    again = pickle.loads(pickle.dumps(built))
    assert_same(again, built)
    assert again.total() == built.total()
