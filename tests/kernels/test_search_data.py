"""Data sets from DataFrames, CSV and Parquet files: values, row ids, joins, and what is refused."""

import csv
import gzip
import io
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learnviews.kernels.search.data import Dataset, load

FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "y"], "c": [0.5, np.nan, 2.5]}, index=[10, 20, 30])


@pytest.fixture
def file(tmp_path):
    """Writes text or bytes to a CSV file."""

    def write(content, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_row_ids_of_a_frame_are_kept_through_everything():
    data = load(FRAME)
    assert data.frame.index.name == "row"
    assert list(data.take([30, 10]).select(["b"]).frame.index) == [30, 10]
    assert list(data.take([30, 10]).frame["b"]) == ["y", "x"]
    other = pd.DataFrame({"b": ["y", "x"], "z": [1, 2]})
    joined = data.join(other, on="b")
    assert list(joined.frame.index) == [10, 20, 30]
    assert joined.frame["z"].equals(pd.Series([2.0, np.nan, 1.0], index=joined.frame.index))


def test_the_frame_given_is_left_alone():
    before = FRAME.copy()
    load(FRAME).with_types({"a": "categorical"})
    pd.testing.assert_frame_equal(FRAME, before)


def test_a_file_and_its_frame_are_the_same_data(file, tmp_path):
    path = file("a,b,c\n1,x,0.5\n2,,\n3,y,2.5\n")
    parquet = tmp_path / "table.parquet"
    FRAME.reset_index(drop=True).to_parquet(parquet)
    from_csv, from_parquet = load(path), load(parquet)
    pd.testing.assert_frame_equal(from_csv.frame, from_parquet.frame)
    assert from_csv.fingerprint() == from_parquet.fingerprint() == load(FRAME.reset_index(drop=True)).fingerprint()
    assert (from_csv.name, from_csv.path) == ("table", path)


def test_a_fingerprint_tells_data_apart():
    data = load(FRAME)
    others = [
        data.take([10, 20]),
        data.select(["a", "b"]),
        data.with_types({"a": "real"}),
        data.with_roles({"a": "key"}),
        load(FRAME.assign(c=[0.5, np.nan, 2.6])),
        load(FRAME.assign(b=["x", "None", "y"])),
        load(FRAME.set_axis([1, 2, 3])),
    ]
    assert len({found.fingerprint() for found in [data, *others]}) == 8


def test_a_fingerprint_is_the_same_in_another_process(file):
    path = file("a,b\n1,x\n2,\n")
    script = f"from learnviews.kernels.search.data import load; print(load({str(path)!r}).fingerprint())"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == load(path).fingerprint()


def test_a_data_set_can_be_pickled():
    data = load(FRAME)
    assert pickle.loads(pickle.dumps(data)).fingerprint() == data.fingerprint()


def test_d3m_ids_of_a_table_are_row_ids(file):
    data = load(file("d3mIndex,a\n5,1\n7,2\n"))
    assert (data.frame.index.name, list(data.frame.index)) == ("d3mIndex", [5, 7])


def test_a_column_with_role_index_becomes_the_row_ids():
    data = load(FRAME, roles={"a": "index"})
    assert list(data.frame.index) == [1, 2, 3] and list(data.columns) == ["b", "c"]
    with pytest.raises(ValueError, match="a row without an id in b"):
        load(FRAME, roles={"b": "index"})


def test_several_levels_of_an_index_become_columns():
    index = pd.MultiIndex.from_product([["u", "v"], [1, 2]], names=["who", "t"])
    data = load(pd.DataFrame({"y": range(4)}, index=index))
    assert list(data.columns) == ["who", "t", "y"] and list(data.frame.index) == [0, 1, 2, 3]


def test_names_that_are_no_text_become_text():
    assert list(load(pd.DataFrame({0: [1, 2], ("a", 1): [1, 2]})).columns) == ["0", "('a', 1)"]


def test_a_data_set_is_loaded_as_itself():
    data = load(FRAME)
    assert load(data) is data
    assert load(data, name="other", types={"a": "real"}).columns["a"].type == "real"


# Files as they come.


def test_quoted_newlines_separators_and_quotes_are_kept(file):
    data = load(file('a,b\n"one\ntwo","x,y"\n"say ""hi""",z\n'))
    assert list(data.frame["a"]) == ["one\ntwo", 'say "hi"']
    assert list(data.frame["b"]) == ["x,y", "z"]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_are_found(file, separator):
    data = load(file(separator.join("ab") + "\n" + separator.join("12") + "\n"))
    assert {name: list(data.frame[name]) for name in data.columns} == {"a": [1], "b": [2]}


def test_decimal_commas_are_read_where_semicolons_separate(file):
    data = load(file("a;b\n1,5;x,y\n-2;u,v\nNA;w\n"))
    assert list(data.frame["a"][:2]) == [1.5, -2.0] and data.columns["a"].type == "real"
    assert list(data.frame["b"]) == ["x,y", "u,v", "w"]
    assert data.notes == ("table.csv: decimal commas in a",)


def test_compressed_and_marked_files(file):
    assert list(load(file(gzip.compress(b"a,b\n1,2\n"), "t.csv.gz")).columns) == ["a", "b"]
    assert list(load(file("a,b\n1,2\n".encode("utf-8-sig"))).columns) == ["a", "b"]
    assert list(load(file("ä,b\n1,2\n".encode("utf-16"))).columns) == ["ä", "b"]


def test_text_of_another_encoding_is_read_with_a_note(file):
    data = load(file("name,n\nZoë,1\nJosé,2\n".encode("cp1252")))
    assert list(data.frame["name"]) == ["Zoë", "José"]
    assert data.notes == ("table.csv: byte 10, in line 2, is no UTF-8: the file was read as Windows-1252",)


def test_columns_without_a_name_get_one(file):
    assert list(load(file(",b\n1,2\n")).columns) == ["column 1", "b"]


@pytest.mark.parametrize(
    "content, name, complaint",
    [
        (b"", "t.csv", "the file is empty"),
        (b" \n\n", "t.csv", "it is empty"),
        (b"a,b\n", "t.csv", "no rows"),
        (b"a,a,b,b\n1,2,3,4\n", "t.csv", "columns named twice: a, b"),
        (b"a,b\n1,2\n3\n", "t.csv", "row 1, line 3: 1 values; expected 2"),
        (b'a,b\n"x\ny",2\n3,4,5\n', "t.csv", "row 1, line 4: 3 values; expected 2"),
        (b"\x89PNG\r\n", "t.csv", "it looks like a PNG picture"),
        (b"a\0b", "t.csv", "it is binary"),
        (b"a\n\x81\xff\n", "t.csv", "byte 3, in line 2, is no UTF-8, nor is the file Windows-1252"),
        (b"a", "t.csv.gz", "no gzip file"),
        (b"a", "t.parquet", "cannot be read as Parquet"),
        (b"a", "t.xlsx", "expected a file that ends in .csv"),
    ],
)
def test_files_that_are_refused(file, content, name, complaint):
    path = file(content, name)
    with pytest.raises(ValueError) as error:
        load(path)
    assert complaint in str(error.value) and str(path) in str(error.value)


def test_a_value_of_a_file_that_does_not_fit_is_named(file):
    path = file("a,b\n1,2\nx,3\n")
    with pytest.raises(ValueError) as error:
        load(path, types={"a": "integer"})
    assert str(error.value) == f'{path}, column "a", row 1: "x" is no number'


@pytest.mark.parametrize("source, error", [("no/such.csv", FileNotFoundError), (3, TypeError), (None, TypeError)])
def test_sources_that_are_none(source, error):
    with pytest.raises(error):
        load(source)


def test_frames_that_are_refused():
    for frame, complaint in [
        (pd.DataFrame(), "no columns"),
        (pd.DataFrame({"a": []}), "no rows"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "columns named twice: a"),
        (pd.DataFrame({"a": [1, 2]}, index=[0, 0]), "two rows have the id 0"),
        (pd.DataFrame({"a": [1, 2]}, index=[0, None]), "a row without an id"),
    ]:
        with pytest.raises(ValueError, match=complaint):
            load(frame)


def test_rows_and_columns_that_are_not_there():
    data = load(FRAME)
    with pytest.raises(ValueError, match="no row 40"):
        data.take([10, 40])
    with pytest.raises(ValueError, match="row 10 is wanted twice"):
        data.take([10, 10])
    with pytest.raises(ValueError, match="no column d; it has a, b, c"):
        data.select(["d"])
    with pytest.raises(ValueError, match="no column d"):
        data.column("d")


def test_infinite_values_are_missing_and_said_to_be(file):
    data = load(file("a\n1.5\ninf\n-inf\n"))
    assert data.frame["a"].isna().tolist() == [False, True, True]
    assert "infinite in 2 rows" in data.columns["a"].why


def test_ten_thousand_categories_load():
    data = load(pd.DataFrame({"a": [f"c{n}" for n in range(10_000)]}))
    assert data.columns["a"].type == "categorical" and data.frame["a"].nunique() == 10_000


# Joins.


def test_a_join_by_keys_of_other_names_and_types(file):
    data = load(FRAME)
    other = load(file("key,b,flag\n1,p,true\n3,q,false\n"))
    joined = data.join(other, on=("a", "key"))
    assert list(joined.columns) == ["a", "b", "c", "table.b", "flag"]
    assert list(joined.frame["table.b"]) == ["p", None, "q"]
    assert list(joined.frame["flag"]) == [True, None, False]
    assert joined.columns["flag"].why == "from table by a"
    assert joined.notes == ("table: no row for 1 of 3 rows, by a",)


def test_a_join_by_two_keys_matches_pandas():
    rng = np.random.default_rng(0)
    left = pd.DataFrame({"k": rng.integers(0, 4, 30), "m": rng.choice(list("uvw"), 30)})
    right = pd.DataFrame([(k, m, 10.0 * k) for k in range(3) for m in "uv"], columns=["k", "m", "z"])
    expected = left.merge(right, on=["k", "m"], how="left")["z"]
    assert load(left).join(right, on=["k", "m"]).frame["z"].equals(expected.rename_axis("row"))


def test_a_join_may_take_some_columns_and_the_row_ids_as_key():
    other = pd.DataFrame({"p": [1, 2], "q": [3, 4]}, index=pd.Index([1, 3], name="a"))
    joined = load(FRAME).join(other, on="a", columns=["q"])
    assert list(joined.columns) == ["a", "b", "c", "q"]


def test_joins_that_are_refused():
    data = load(FRAME)
    with pytest.raises(ValueError, match="table: a = 1 stands in rows 0 and 1; expected each key once"):
        data.join(pd.DataFrame({"a": [1, 1], "z": [2, 3]}), on="a")
    with pytest.raises(ValueError, match="no column k"):
        data.join(FRAME, on="k")
    with pytest.raises(ValueError, match="no column y"):
        data.join(FRAME, on="a", columns=["y"])


# Any table.

names = st.lists(
    st.text("abcxyz_ é", min_size=1, max_size=5).filter(str.strip).map(str.strip), unique=True, min_size=1, max_size=4
)
cells = st.one_of(
    st.text("ab1.-,;\n\"' é", max_size=6), st.integers(-5, 5).map(str), st.sampled_from(["", "NA", "true", "1e5"])
)


@st.composite
def tables(draw):
    header = draw(names)
    return header, draw(st.lists(st.lists(cells, min_size=len(header), max_size=len(header)), min_size=1, max_size=6))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(tables())
def test_any_csv_keeps_its_rows_and_its_text(file, table):
    header, rows = table
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([header, *rows])
    data = load(file(text.getvalue()))
    assert list(data.columns) == header and list(data.frame.index) == list(range(len(rows)))
    for place, name in enumerate(header):
        expected = [row[place] if row[place].strip() else None for row in rows]
        if data.columns[name].type in ("categorical", "text"):
            assert list(data.frame[name]) == expected
        for value, given_text in zip(data.frame[name], expected, strict=True):
            assert given_text is not None or pd.isna(value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_load_or_are_refused_by_name(file, content):
    path = file(content)
    try:
        data = load(path)
    except ValueError as error:
        assert str(path) in str(error)
    else:
        assert isinstance(data, Dataset) and len(data)
