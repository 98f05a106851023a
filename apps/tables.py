"""Tables as users name them: CSV and Parquet files, checked for being what they say before any work is done."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..kernels import file_kinds
from ..kernels.file_kinds import SEPARATORS, SIGNATURES, check_file, check_names
from ..kernels.progress import Progress

CSV = (".csv", ".csv.gz")
PARQUET = (".parquet", ".pq")
ENDINGS = (*CSV, *PARQUET)
SAMPLED = 2_000_000  # rows of several files by which bins are chosen
LOOKED_AT = 1 << 16  # bytes that tell what a file is
LOOKS = {
    **SIGNATURES,
    b"{": "JSON",
    b"<": "HTML or XML",
}


def is_table(path: str | Path) -> bool:
    """Whether a file's name is that of a table."""
    return str(path).lower().endswith(ENDINGS)


def is_csv(path: str | Path) -> bool:
    """Whether a file's name is that of a CSV file, compressed or not."""
    return str(path).lower().endswith(CSV)


def stem(path: str | Path) -> str:
    """A file's name without what says that it is a table."""
    return file_kinds.stem(path, ENDINGS)


def check_table(path: Path) -> None:
    """Complain about a file that is not what its name says, by a look at its beginning (and end).

    Raises
    ------
    FileNotFoundError, ValueError
        If it is not there, empty, or of another kind; the message names it and what was expected.
    """
    check_file(path, ENDINGS)
    _check_text(path) if is_csv(path) else _check_parquet(path)


def _check_parquet(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(LOOKED_AT)
        file.seek(max(0, path.stat().st_size - 4))
        end = file.read()
    if start[:4] != b"PAR1":
        raise ValueError(f"{path}: no Parquet file{_guess(start)}")
    if end != b"PAR1":
        raise ValueError(f"{path}: a Parquet file that is cut off; its end, which says what is in it, is missing")


def _check_text(path: Path) -> str:
    """The beginning of a CSV file's text."""
    start = _beginning(path)
    if not start.strip():
        raise ValueError(f"{path}: cannot be read as CSV (it is empty)")
    if b"\0" in start or start.startswith(tuple(mark for mark in LOOKS if mark != b"<")):
        raise ValueError(f"{path}: cannot be read as CSV (no text{_guess(start)})")
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(start)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: cannot be read as CSV (no UTF-8 text: byte {error.start + 1} is no letter)"
        ) from None


def _beginning(path: Path) -> bytes:
    if path.suffix.lower() != ".gz":
        with path.open("rb") as file:
            return file.read(LOOKED_AT)
    try:
        with gzip.open(path) as file:
            return file.read(LOOKED_AT)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: cannot be read as CSV (no gzip file: {error})") from None


def _guess(start: bytes) -> str:
    """What a file looks like instead."""
    found = next((name for mark, name in LOOKS.items() if start.startswith(mark)), None)
    if found is None and b"\0" not in start:
        found = "text"
    return f"; it looks like {found}" if found else ""


def read_csv(path: Path, progress: Progress | None = None) -> Any:
    """A CSV file as an Arrow table; columns without a name get one.

    Parameters
    ----------
    path : Path
        Of a .csv or .csv.gz file in UTF-8; what separates the values is found in its first line.
    progress : Progress, optional
        Counts the bytes of the file.

    Raises
    ------
    FileNotFoundError, ValueError
        If it cannot be read.
    CancelledError
        If that was cancelled.
    """
    import pyarrow as pa
    import pyarrow.csv as csv

    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    progress = progress or Progress()
    first = _check_text(path).split("\n", 1)[0]
    separator = "," if "," in first else max(SEPARATORS, key=first.count)
    convert = csv.ConvertOptions(strings_can_be_null=True)
    with path.open("rb") as raw:
        counted: Any = pa.PythonFile(_Counted(raw, progress), "r")
        if path.suffix.lower() == ".gz":
            counted = pa.CompressedInputStream(counted, "gzip")
        try:
            found = csv.read_csv(counted, parse_options=csv.ParseOptions(delimiter=separator), convert_options=convert)
        except (pa.ArrowException, OSError) as error:
            if progress.cancelled:
                raise CancelledError from error
            raise ValueError(f"{path}: cannot be read as CSV ({str(error).strip()})") from error
    named = [name.strip() or f"column {place}" for place, name in enumerate(found.column_names, 1)]
    check_names(named, str(path))
    return found.rename_columns(named)


class _Counted:
    """A file that tells how much of it was read, and is not read any further once that is not wanted."""

    closed = False

    def __init__(self, raw: Any, progress: Progress) -> None:
        self._raw, self._progress = raw, progress
        self._end = raw.seek(0, 2)
        raw.seek(0)
        progress.start(self._end)

    def read(self, size: int = -1) -> bytes:
        if self._progress.cancelled:
            raise OSError("cancelled")
        data = self._raw.read(size)
        self._progress.update(self._raw.tell())
        return data

    def close(self) -> None:
        self.closed = True


def spread_rows(files: list[str]) -> tuple[Any, int]:
    """Row groups spread over many Parquet files as one Arrow table, and every how many-th was taken.

    Raises
    ------
    ValueError
        If there are no rows, or the files' columns differ.
    """
    import pyarrow as pa
    import pyarrow.parquet as parquet

    from ..kernels.cube import tables

    found = [group for group in tables.groups(files, ()) if group.rows]
    rows = sum(group.rows for group in found)
    if not found:
        raise ValueError(f"{files[0]} and {len(files) - 1} more: no rows")
    stride = max(1, round(rows / SAMPLED))
    parts = []
    for group in found[::stride]:
        with parquet.ParquetFile(group.path) as file:
            parts.append(file.read_row_group(group.number))
    try:
        return pa.concat_tables(parts, promote_options="permissive"), stride
    except pa.ArrowException as error:
        raise ValueError(f"{files[0]} and {len(files) - 1} more: their columns differ ({error})") from error


@contextmanager
def named(name: str) -> Iterator[None]:
    """Errors about "the table" name it."""
    try:
        yield
    except (LookupError, ValueError) as error:
        text = str(error)
        if not text.startswith("the table"):
            raise
        raise type(error)(name + text.removeprefix("the table")) from error


def rows_left_out(exact: Any) -> str:
    """How many rows of an exact cube's table are in none of its cells, by attribute; empty if none."""
    words = [f"{name}: {n:,} outside its bins" for name, n in exact.outside.items() if n]
    return "; ".join(words + [f"{name}: {n:,} missing" for name, n in exact.missing.items() if n])
