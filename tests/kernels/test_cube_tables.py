"""Any table as blocks of columns."""

from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from learnviews.kernels.cube import tables
from learnviews.kernels.cube.tables import numbers, open_table, parquet_files

COLUMNS = ("a", "b")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(tables, "BLOCK", 10)


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame({"a": np.arange(37), "unused": 1, "b": rng.normal(size=37), "c": ["x", "y", None] * 12 + ["x"]})


def read(source, columns=COLUMNS):
    """All blocks joined; every block is small."""
    blocks = [block for part in source.parts for block in part.blocks()]
    assert all(set(columns) <= set(block) for block in blocks)
    assert all(len(block[columns[0]]) <= tables.BLOCK for block in blocks)
    return {name: [value for block in blocks for value in pd.Series(block[name]).tolist()] for name in columns}


def test_in_memory_tables(frame):
    table = pa.Table.from_pandas(frame)
    expected = {name: frame[name].tolist() for name in COLUMNS}
    for given in (
        frame,
        frame.set_index(frame.index[::-1]),
        {"a": frame["a"].to_numpy(), "b": frame["b"].tolist()},
        {name: frame[name] for name in frame},
        {"a": table["a"], "b": table["b"]},
        table,
        pa.concat_tables([table.slice(0, 13), table.slice(13)]),
        table.combine_chunks().to_batches()[0],
    ):
        source = open_table(given, COLUMNS)
        assert source.rows == 37
        assert read(source) == expected


def test_streams(frame):
    table = pa.Table.from_pandas(frame)

    class Stream:
        def __arrow_c_stream__(self, requested=None):
            return table.__arrow_c_stream__(requested)

    with duckdb.connect() as connection:
        for given in (
            table.to_reader(max_chunksize=7),
            table.to_reader(),
            Stream(),
            connection.from_arrow(table),
            connection.from_arrow(table).select("b, a, 1 as z"),
        ):
            source = open_table(given, COLUMNS)
            assert source.rows is None
            assert read(source) == {name: frame[name].tolist() for name in COLUMNS}


def test_a_relation_with_names_that_need_quotes():
    with duckdb.connect() as connection:
        relation = connection.sql('select 1 as "a ""b""", 2 as "select", 3 as c')
        assert read(open_table(relation, ['a "b"', "select"]), ['a "b"', "select"]) == {'a "b"': [1], "select": [2]}
        with pytest.raises(LookupError, match="the relation has no column 'z'; it has a \"b\", select, c"):
            open_table(relation, ["z"])


@pytest.mark.parametrize("rows", [1, 9, 10, 11, 1000])
def test_row_groups_of_any_size(frame, tmp_path, rows):
    parquet.write_table(pa.Table.from_pandas(frame), tmp_path / "t.parquet", row_group_size=rows)
    source = open_table(tmp_path / "t.parquet", ("a", "c"))
    assert source.rows == 37 and len(source.parts) == -(-37 // rows)
    found = read(source, ("a", "c"))
    assert found["a"] == frame["a"].tolist()
    assert [None if v != v else v for v in found["c"]] == [None if v != v else v for v in frame["c"]]


def test_text_of_files_comes_as_dictionaries(frame, tmp_path):
    parquet.write_table(pa.Table.from_pandas(frame), tmp_path / "t.parquet")
    block = next(open_table(str(tmp_path / "t.parquet"), ("c",)).parts[0].blocks())
    assert pa.types.is_dictionary(block["c"].type)


def test_what_a_path_means(frame, tmp_path):
    (tmp_path / "sub").mkdir()
    paths = [tmp_path / "b.parquet", tmp_path / "sub" / "a.parquet", tmp_path / "z.pq"]
    for path in paths:
        frame.to_parquet(path)
    text = [str(path) for path in paths]
    assert parquet_files(tmp_path) == text[:2]
    assert parquet_files(tmp_path / "*.p*") == [text[0], text[2]]
    assert parquet_files(str(tmp_path / "**" / "*.parquet")) == text[:2]
    assert parquet_files([text[2], tmp_path / "sub"]) == [text[2], text[1]]
    assert open_table([paths[0], text[1]], COLUMNS).rows == 74


def test_files_that_are_not_there_or_no_parquet(frame, tmp_path):
    for missing in (tmp_path / "none.parquet", str(tmp_path), tmp_path / "*.parquet"):
        with pytest.raises(FileNotFoundError, match="no Parquet file there"):
            open_table(missing, COLUMNS)
    bad = tmp_path / "bad.parquet"
    for content in (b"", b"no parquet at all", b"PAR1" + b"\0" * 40 + b"PAR1"):
        bad.write_bytes(content)
        with pytest.raises(ValueError, match=r"bad.parquet: not a readable Parquet file"):
            open_table(bad, COLUMNS)
    frame.to_parquet(bad)
    whole = bad.read_bytes()
    source = open_table(bad, COLUMNS)
    bad.write_bytes(b"PAR1" + b"\xff" * 600 + whole[604:])
    with pytest.raises(ValueError, match=r"bad.parquet: row group 0 cannot be read"):
        read(source)


def test_columns_that_are_missing_or_there_twice(frame, tmp_path):
    table, path = pa.Table.from_pandas(frame), tmp_path / "t.parquet"
    frame.to_parquet(path)
    for given in (frame, table, table.to_reader(), dict(frame.items()), path):
        with pytest.raises(LookupError, match=r"has no column 'd', 'e'; it has a, unused, b, c"):
            open_table(given, ("a", "d", "e"))
    with pytest.raises(LookupError, match=r"t.parquet has no column"):
        open_table(path, "d")
    with pytest.raises(ValueError, match="the table has several columns 'a'; expected one"):
        open_table(frame[["a", "b", "a"]], COLUMNS)
    with pytest.raises(ValueError, match="several columns 'a'"):
        open_table(table.select(["a", "b", "a"]), COLUMNS)


def test_what_is_no_table():
    for given in (3, None, [1, 2], np.zeros((3, 2)), pa.array([1]), object()):
        with pytest.raises(TypeError, match=r"cannot read a table from \w+; expected a DataFrame"):
            open_table(given, COLUMNS)
    with pytest.raises(ValueError, match=r"different lengths: {'a': 2, 'b': 3}"):
        open_table({"a": np.arange(2), "b": np.arange(3)}, COLUMNS)


def test_numbers_of_any_kind():
    nan = float("nan")
    for given, expected in (
        (np.array([1, 2], np.uint8), [1, 2]),
        (np.array([True, False]), [1, 0]),
        (np.array([1.5, nan], np.float32), [1.5, nan]),
        (np.array([1, None], object), [1, nan]),
        (pd.Series([1, None], dtype="Int64"), [1, nan]),
        (pd.Series([1.5, None]), [1.5, nan]),
        (pa.array([1, None]), [1, nan]),
        (pa.chunked_array([[1.5], [None, nan]]), [1.5, nan, nan]),
        (pa.array([Decimal(3), None], pa.decimal128(5, 1)), [3, nan]),
        (pa.array([None, None]), [nan, nan]),
        ([2, 3], [2, 3]),
    ):
        np.testing.assert_array_equal(numbers({"v": given}, "v"), expected)
    mine = np.ones(3)
    numbers({"v": mine}, "v")[:] = 5
    assert mine.tolist() == [1, 1, 1]
    for bad in (np.array(["1"]), np.array(["2020-01-01"], "M8[D]"), pa.array(["x"]), np.array([object()])):
        with pytest.raises(TypeError, match="column 'v' holds"):
            numbers({"v": bad}, "v")
