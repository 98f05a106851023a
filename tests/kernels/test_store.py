"""Versioned SQLite files: made, opened, and refused with one clear error."""

import sqlite3
import zipfile
from contextlib import closing

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given

from learnviews.kernels import store

KIND, APPLICATION, VERSION = "notebook", 0x12345678, 3
SCHEMA = "CREATE TABLE note (text TEXT)"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a note#1%20?.book"


def make(path, notes=()):
    with closing(store.create(path, KIND, APPLICATION, VERSION, SCHEMA)) as connection:
        connection.executemany("INSERT INTO note VALUES (?)", [(note,) for note in notes])


def opened(path, **changes):
    given = {"kind": KIND, "application": APPLICATION, "version": VERSION, **changes}
    return closing(store.open_existing(path, **given))


def notes(connection):
    return [text for (text,) in connection.execute("SELECT text FROM note ORDER BY rowid")]


# --- create and open


def test_what_is_written_is_there_again(path):
    make(path, ["one", "two"])
    assert path.read_bytes().startswith(b"SQLite format 3\0")
    with opened(path) as connection:
        assert notes(connection) == ["one", "two"]


def test_closed_file_stands_alone(path):
    make(path, ["one"])
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_read_only_unless_asked(path):
    make(path)
    with opened(path) as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("INSERT INTO note VALUES ('x')")
    with opened(path, write=True) as connection:
        connection.execute("INSERT INTO note VALUES ('x')")
    with opened(path) as connection:
        assert notes(connection) == ["x"]


def test_reader_is_not_blocked_by_an_open_transaction(path):
    with closing(store.create(path, KIND, APPLICATION, VERSION, SCHEMA)) as writer:
        writer.execute("INSERT INTO note VALUES ('committed')")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO note VALUES ('open')")
        with opened(path) as reader:
            assert notes(reader) == ["committed"]
            writer.execute("COMMIT")
            assert notes(reader) == ["committed", "open"]


def test_nothing_is_overwritten(path):
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="exists already") as error:
        make(path)
    assert str(path) in str(error.value)
    assert path.read_text() == "precious"


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder") as error:
        make(tmp_path / "nowhere" / "a.book")
    assert str(tmp_path / "nowhere") in str(error.value)


def test_a_file_that_cannot_be_made_leaves_nothing_behind(path):
    with pytest.raises(store.StoreError, match="could not create the notebook") as error:
        store.create(path, KIND, APPLICATION, VERSION, "CREATE NONSENSE")
    assert str(path) in str(error.value)
    assert list(path.parent.iterdir()) == []


# --- refused


def refusal(path, kind=store.FileFormatError, **changes):
    """The message with which a file is refused; it names the file."""
    with pytest.raises(kind) as error:
        store.open_existing(path, **{"kind": KIND, "application": APPLICATION, "version": VERSION, **changes})
    assert str(path) in str(error.value)
    return str(error.value)


def test_missing_file(path):
    assert "no such notebook" in refusal(path, FileNotFoundError)
    assert not path.exists()


def test_folder(tmp_path):
    assert "a folder" in refusal(tmp_path)


def test_empty_file(path):
    path.touch()
    assert "empty file" in refusal(path)


@pytest.mark.parametrize("content", [b"x", b"plain text, quite a bit of it\n" * 100, b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_no_sqlite_file(path, content):
    path.write_bytes(content)
    assert "no SQLite file" in refusal(path)
    assert path.read_bytes() == content


def test_sqlite_file_of_something_else(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE address (street TEXT)")
    assert "not a LearnViews notebook" in refusal(path)


@pytest.mark.parametrize("version", [0, 2, 4])
def test_unknown_version(path, version):
    make(path)
    message = refusal(path, version=version)
    assert "schema version 3" in message
    assert f"reads version {version}" in message


@pytest.mark.parametrize("size", [1, 15, 16, 17, 99, 100, 101, 511, 512, 4096, 32767, 32768, 40000, -1])
def test_truncated(path, size):
    make(path, ["x" * 1000] * 200)
    whole = path.read_bytes()
    path.write_bytes(whole[:size])
    refusal(path)


def test_refused_file_can_be_removed_and_made_again(path):
    path.write_bytes(b"SQLite format 3\0" + bytes(1000))
    refusal(path)
    path.unlink()
    make(path, ["x"])


def test_sqlite_complaint_while_reading_names_the_file(path):
    with (
        pytest.raises(store.FileFormatError, match="damaged notebook: malformed") as error,
        store.readable(path, KIND),
    ):
        raise sqlite3.DatabaseError("malformed")
    assert str(path) in str(error.value)


# --- arrays as columns


@given(arrays.arrays(arrays.array_dtypes() | arrays.scalar_dtypes(), arrays.array_shapes(min_dims=0, min_side=0)))
def test_arrays_come_back_from_columns(array):
    if array.dtype.hasobject or array.dtype.names:
        return
    dtype, shape, little = store.array_columns(array)
    back = np.frombuffer(little.tobytes(), dtype).reshape(store.shape_from_column(shape))
    np.testing.assert_array_equal(back, array)
    assert back.shape == array.shape
    assert back.dtype == array.dtype.newbyteorder("<")


def test_array_columns_are_little_endian_and_in_order():
    array = np.arange(6, dtype=">i4").reshape(2, 3).T
    dtype, shape, little = store.array_columns(array)
    assert (dtype, shape) == ("<i4", "3 2")
    assert little.tobytes() == np.array([0, 3, 1, 4, 2, 5], "<i4").tobytes()


# --- npz files


def write_npz(path, version=VERSION, **arrays):
    return store.write_npz(path, KIND, version, {"notes": ["one", 2, None, float("nan")]}, arrays)


def npz_refusal(path, version=VERSION):
    with pytest.raises(store.FileFormatError) as error:
        store.read_npz(path, KIND, version)
    assert str(path) in str(error.value)
    return str(error.value)


def test_npz_gives_back_what_was_written(path):
    arrays_ = {"a": np.arange(6.0).reshape(2, 3), "b.c": np.zeros((0, 4), np.float16), "d": np.array(3, np.uint8)}
    write_npz(path, **arrays_)
    header, found = store.read_npz(path, KIND, VERSION)
    assert header["notes"][:3] == ["one", 2, None]
    assert set(header) == {"notes"}
    assert list(found) == list(arrays_)
    for name, array in arrays_.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_npz_of_another_kind_or_version(path):
    write_npz(path)
    assert "version 3; this LearnViews reads version 4" in npz_refusal(path, 4)
    store.write_npz(path, "diary", VERSION, {}, {})
    assert "a LearnViews diary; expected a notebook" in npz_refusal(path)


def test_npz_refuses_objects_and_keeps_the_old_file(path):
    write_npz(path, a=np.arange(3))
    before = path.read_bytes()
    with pytest.raises(TypeError):
        store.write_npz(path, KIND, VERSION, {"notes": object()}, {})
    assert path.read_bytes() == before


def test_every_flipped_byte_of_a_small_npz(path):
    write_npz(path, a=np.arange(4))
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            _, found = store.read_npz(path, KIND, VERSION)
        except store.FileFormatError as error:
            assert str(path) in str(error)
        else:
            assert all(array.tolist() == [0, 1, 2, 3] for array in found.values())


def test_every_truncation_of_a_small_npz(path):
    write_npz(path, a=np.arange(4))
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        npz_refusal(path)


def npy(header, body=b"", version=(1, 0)):
    text = header.encode("latin1") + b"\n"
    length = len(text).to_bytes(2 if version == (1, 0) else 4, "little")
    return b"\x93NUMPY" + bytes(version) + length + text + body


NPY_HEADERS = [
    f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({10**30},)}}",
    f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({10**15},)}}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
    f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({2**40}, {2**40})}}",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
    "{'descr': '<M8[xx]', 'fortran_order': False, 'shape': (1,)}",
    "{'descr': '<f8'",
    "((((((",
    "'''",
    "[" * 9000,
    "",
]


@pytest.mark.parametrize("header", NPY_HEADERS, ids=lambda text: text[:60])
@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0), (9, 9)])
def test_hostile_headers_of_arrays(path, header, version):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", b"{}"))
        archive.writestr("a.npy", npy(header, bytes(64), version))
    npz_refusal(path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_STORED])
def test_damaged_archives_of_any_compression(path, compression):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("header.npy", b"x" * 500)
    whole = path.read_bytes()
    npz_refusal(path)
    for place in range(30, len(whole), 3):
        path.write_bytes(whole[:place] + b"\x01" + whole[place + 1 :])
        npz_refusal(path)
