"""CSV and Parquet files as raw tables: a CSV's values stay the text they are, what they mean is found out elsewhere."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import file_kinds
from ..file_kinds import SEPARATORS, SIGNATURES, check_file, check_names
from .values import REAL, all_match, listed
from .written import as_plain

CSV = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
PARQUET = (".parquet", ".pq")
ENDINGS = (*CSV, *PARQUET)
WIDE = {  # marks that a text of four or two bytes per letter begins with; the longer ones first
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
ROWS = 20  # that tell what separates values


def is_table(path: str | Path) -> bool:
    """Whether a file's name is that of a table."""
    return str(path).lower().endswith(ENDINGS)


def stem(path: str | Path) -> str:
    """A file's name without what says that it is a table."""
    return file_kinds.stem(path, ENDINGS)


def read_table(path: Path) -> tuple[pd.DataFrame, bool, list[str]]:
    """A file's table; whether its values are text as in a CSV file; notes on how it was read.

    Raises
    ------
    FileNotFoundError, ValueError
        If it is not there, empty, no table, or damaged; the message names it, and the row.
    """
    check_file(path, ENDINGS)
    if str(path).lower().endswith(PARQUET):
        return read_parquet(path), False, []
    frame, notes = read_csv(path)
    return frame, True, notes


def read_parquet(path: Path) -> pd.DataFrame:
    """A Parquet file's table."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        found = parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path}: cannot be read as Parquet ({str(error).strip()})") from error
    check_names(found.column_names, str(path))
    return found.to_pandas()


def read_csv(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """A CSV file's values, as text, None where there is nothing but blanks; and notes on how it was read."""
    text, notes = read_text(path)
    if not text.strip():
        raise ValueError(f"{path}: cannot be read as CSV (it is empty)")
    separator = _separator(text)
    names = _names(text, separator, path)
    cells = _cells(text, separator, names, path)
    rewritten: dict[str, list[str]] = {}
    for name in names:
        cells[name], how = as_plain(cells[name], separator == ";")
        if how:
            rewritten.setdefault(how, []).append(name)
    notes += [f"{path.name}: {how} in {listed(found)}" for how, found in rewritten.items()]
    if len(names) > 1 and all_match(REAL, names):
        notes.append(f"{path.name}: the first row, taken for the names of columns, holds numbers only")
    return pd.DataFrame(cells, columns=names, dtype=object), notes


def read_text(path: Path) -> tuple[str, list[str]]:
    """A file's text in UTF-8, or UTF-16 with its mark, or else Windows-1252, with a note that says so.

    Raises
    ------
    FileNotFoundError, ValueError
        If it is not there, or no text.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    raw = _bytes(path)
    wide = next((encoding for mark, encoding in WIDE.items() if raw.startswith(mark)), None)
    looks = next((name for mark, name in SIGNATURES.items() if raw.startswith(mark)), None)
    if looks or (b"\0" in raw and not wide):
        raise ValueError(
            f"{path}: cannot be read as text" + (f"; it looks like {looks}" if looks else " (it is binary)")
        )
    try:
        return raw.decode(wide or "utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        wrong = f"byte {error.start + 1}, in line {line}, is no {(wide or 'utf-8').upper()}"
    try:
        return raw.decode("cp1252"), [f"{path.name}: {wrong}: the file was read as Windows-1252"]
    except UnicodeDecodeError:
        raise ValueError(f"{path}: cannot be read as text ({wrong}, nor is the file Windows-1252)") from None


def _bytes(path: Path) -> bytes:
    if path.suffix.lower() != ".gz":
        return path.read_bytes()
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: cannot be read (no gzip file: {error})") from None


def _separator(text: str) -> str:
    """What cuts the first rows into equally many values, the more the better; else what is in the first row."""
    widths = {mark: {len(row) for row in _first_rows(text, mark)} for mark in SEPARATORS}
    even = {mark: max(found) for mark, found in widths.items() if len(found) == 1 and max(found) > 1}
    if even:
        return max(even, key=lambda mark: even[mark])
    first = re.sub(r'"[^"]*"', "", text.lstrip("\r\n").split("\n", 1)[0])
    return "," if "," in first else max(SEPARATORS, key=first.count)


def _first_rows(text: str, separator: str) -> list[list[str]]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        return [row for row in itertools.islice(rows, ROWS) if row]
    except csv.Error:
        return []


def _names(text: str, separator: str, path: Path) -> list[str]:
    """The names in a CSV text's first row; a column without one gets one."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    header = next((row for row in rows if row), [])
    names = [name.strip() or f"column {place}" for place, name in enumerate(header, 1)]
    try:
        check_names(names, str(path))
    except ValueError as error:
        if all_match(REAL, names):
            raise ValueError(f"{error}; the first row holds numbers only: is there a row of names?") from None
        raise
    return names


def _cells(text: str, separator: str, names: list[str], path: Path) -> dict[str, np.ndarray]:
    """A CSV text's values by column."""
    import pyarrow as pa
    import pyarrow.csv as arrow

    kinds = {f"f{place}": pa.string() for place in range(len(names))}
    raw = text.encode()
    block = min(len(raw) + 1, 2**31 - 1)  # as one: a value may be longer than any smaller one
    try:
        found = arrow.read_csv(
            pa.py_buffer(raw),
            read_options=arrow.ReadOptions(autogenerate_column_names=True, use_threads=False, block_size=block),
            parse_options=arrow.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=arrow.ConvertOptions(column_types=kinds),
        )
    except pa.ArrowException as error:
        raise ValueError(f"{path}: cannot be read as CSV ({_complaint(text, separator, names, error)})") from error
    rows = found.slice(1)
    return {name: _present(rows.column(place)) for place, name in enumerate(names)}


def _present(column: Any) -> np.ndarray:
    """Text, or None where there are only blanks."""
    found = [value if value and not value.isspace() else None for value in column.to_pylist()]
    return np.array(found, dtype=object)


def _complaint(text: str, separator: str, names: list[str], error: Exception) -> str:
    """What is wrong with a CSV text: the row that has too many or too few values."""
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        filled = (row for row in rows if row)
        for number, row in enumerate(itertools.islice(filled, 1, None)):
            if len(row) != len(names):
                wrong = f"row {number}, line {rows.line_num}: {len(row)} values; expected {len(names)}"
                return wrong + ("; a quotation mark is opened and never closed" if text.count('"') % 2 else "")
    except csv.Error as wrong:
        return f"line {rows.line_num}: {wrong}"
    return str(error).strip()
