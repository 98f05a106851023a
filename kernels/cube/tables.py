"""Any table as parts, and each part as blocks of the columns that are needed: dicts of arrays of some 64k rows.

Parts are what may be read side by side: a row group, a partition, a slice of a frame. pyarrow, pandas, DuckDB and Dask
are known by the objects they hand in and only imported once one is there.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from .columns import decode, read_column

BLOCK = 1 << 16  # rows: with their codes a few hundred kB, which caches hold

TEXT = ("string", "large_string", "string_view")

Block = Mapping[str, Any]
KINDS = (
    "a DataFrame, dict of arrays, Arrow table or reader, DuckDB relation, Dask DataFrame, or the path of Parquet files"
)


@dataclass(frozen=True)
class Part:
    """A piece of a table. `blocks` may be called in any thread."""

    blocks: Callable[[], Iterator[Block]]


@dataclass(frozen=True)
class Source:
    """The parts of a table in order, and the number of rows where it is known beforehand."""

    parts: Iterable[Part]
    rows: int | None = None


def open_table(table: Any, columns: Sequence[str]) -> Source:
    """The parts of whatever `table` is.

    Raises
    ------
    TypeError
        If it is none of the known kinds.
    LookupError
        If columns are missing; it names them and those there are.
    FileNotFoundError, ValueError
        If there is no such file, or it is not what its name says.
    """
    if isinstance(table, (str, Path)) or (isinstance(table, (list, tuple)) and table and _are_paths(table)):
        return open_files(table, columns)
    if isinstance(table, Mapping):
        return open_arrays(table, columns)
    module = type(table).__module__.split(".", 1)[0]
    if module == "pandas" and hasattr(table, "columns"):
        return open_frame(table, columns)
    if hasattr(table, "to_delayed") and hasattr(table, "npartitions"):
        return open_partitions(table, columns)
    if module == "pyarrow" or hasattr(table, "__arrow_c_stream__") or _is_relation(table):
        return open_arrow(table, columns)
    raise TypeError(f"cannot read a table from {type(table).__name__}; expected {KINDS}")


def check_columns(there: Iterable[Any], columns: Sequence[str], what: str = "the table") -> None:
    """LookupError unless all columns are there; ValueError if one is there twice."""
    names = [str(name) for name in there]
    lacking = [name for name in columns if name not in names]
    if lacking:
        shown = ", ".join(names[:40]) + (", ..." if len(names) > 40 else "")
        raise LookupError(f"{what} has no column {', '.join(map(repr, lacking))}; it has {shown or 'none'}")
    twice = [name for name in columns if names.count(name) > 1]
    if twice:
        raise ValueError(f"{what} has several columns {twice[0]!r}; expected one")


def numbers(block: Block, name: str) -> np.ndarray:
    """A column as float64, nan where missing; TypeError if it holds no numbers."""
    column = decode(read_column(block[name], name), name)
    if column.values.dtype.kind == "M":
        raise TypeError(f"column {name!r} holds {column.values.dtype}; expected numbers to add up")
    values = column.values.astype(np.float64)  # a copy: what is the caller's stays as it is
    if column.nulls is not None:
        values[column.nulls] = np.nan
    return values


# -- in memory -------------------------------------------------------------------------------------------------------


def open_frame(frame: Any, columns: Sequence[str]) -> Source:
    """A pandas DataFrame."""
    check_columns(frame.columns, columns)
    return open_arrays({name: _plain_column(frame[name]) for name in columns}, columns)


def open_arrays(arrays: Mapping[str, Any], columns: Sequence[str]) -> Source:
    """A dict of arrays of one length."""
    check_columns(arrays, columns)
    held = {name: np.asarray(v) if isinstance(v := arrays[name], (list, tuple)) else v for name in columns}
    lengths = {name: len(values) for name, values in held.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns of different lengths: {lengths}")
    rows = next(iter(lengths.values()))
    return Source([_slice_of(held, first, min(first + BLOCK, rows)) for first in range(0, rows, BLOCK)], rows)


def _slice_of(arrays: Mapping[str, Any], first: int, stop: int) -> Part:
    def blocks() -> Iterator[Block]:
        yield {
            name: values.iloc[first:stop] if hasattr(values, "iloc") else values[first:stop]
            for name, values in arrays.items()
        }

    return Part(blocks)


def _plain_column(column: Any) -> Any:
    """The array of a pandas column where it is one: slicing that costs next to nothing."""
    return column.to_numpy() if isinstance(column.dtype, np.dtype) else column


# -- Arrow and DuckDB ------------------------------------------------------------------------------------------------


def open_arrow(table: Any, columns: Sequence[str]) -> Source:
    """An Arrow Table, RecordBatch or RecordBatchReader, a DuckDB relation, or what else streams Arrow."""
    import pyarrow as pa

    if isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    if isinstance(table, pa.Table):
        check_columns(table.column_names, columns)
        return Source(map(_batch, table.select(list(columns)).to_batches(max_chunksize=BLOCK)), len(table))
    reader = _reader(table, columns)
    check_columns(reader.schema.names, columns)
    batches = chain.from_iterable(_cut(batch.select(list(columns))) for batch in reader)
    return Source(map(_batch, batches))


def _reader(table: Any, columns: Sequence[str]) -> Any:
    import pyarrow as pa

    if _is_relation(table):
        check_columns(table.columns, columns, "the relation")
        table = table.select(", ".join('"' + name.replace('"', '""') + '"' for name in columns))
        stream = getattr(table, "to_arrow_reader", None) or table.fetch_record_batch
        return stream(BLOCK)
    if isinstance(table, pa.RecordBatchReader):
        return table
    if hasattr(table, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(table)
    raise TypeError(f"cannot read a table from {type(table).__name__}; expected {KINDS}")


def _is_relation(table: Any) -> bool:
    return hasattr(table, "fetch_record_batch") and hasattr(table, "columns") and hasattr(table, "select")


def _cut(batch: Any) -> Iterator[Any]:
    return (batch.slice(first, BLOCK) for first in range(0, len(batch), BLOCK))


def _batch(batch: Any) -> Part:
    return Part(lambda: iter([_columns(batch)]))


def _columns(batch: Any) -> Block:
    return dict(zip(batch.schema.names, batch.columns, strict=True))


# -- files -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RowGroup:
    """One row group of a Parquet file."""

    path: str
    number: int
    rows: int
    columns: tuple[str, ...]
    text: tuple[str, ...]  # those of the columns that hold text: read as dictionaries, as they are stored

    def blocks(self) -> Iterator[Block]:
        import pyarrow as pa

        try:
            with _open_parquet(self.path, self.text) as file:
                for batch in file.iter_batches(BLOCK, [self.number], list(self.columns), use_threads=False):
                    yield _columns(batch)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{self.path}: row group {self.number} cannot be read ({error})") from error


def open_files(path: Any, columns: Sequence[str]) -> Source:
    """Parquet files: a path, several, a folder (every .parquet file in and below it), or a glob pattern."""
    found = groups(path, columns)
    return Source([Part(group.blocks) for group in found], sum(group.rows for group in found))


def groups(path: Any, columns: Sequence[str]) -> list[RowGroup]:
    """The row groups of Parquet files in order."""
    return [group for file in parquet_files(path) for group in row_groups(file, columns)]


def parquet_files(path: Any) -> list[str]:
    """The files that a path, pattern, folder or list of them means, sorted within each; FileNotFoundError if none."""
    if not isinstance(path, (str, Path)):
        return [file for one in path for file in parquet_files(one)]
    if Path(path).is_dir():
        files = sorted(str(file) for file in Path(path).rglob("*.parquet"))
    elif Path(path).is_file():
        files = [str(path)]
    else:
        files = sorted(glob.glob(str(path), recursive=True))
    if not files:
        raise FileNotFoundError(f"{path}: no Parquet file there")
    return files


def row_groups(path: str, columns: Sequence[str]) -> list[RowGroup]:
    """The row groups of one file; ValueError if it is no Parquet file, LookupError if columns are missing."""
    with _open_parquet(path) as file:
        schema, meta = file.schema_arrow, file.metadata
        check_columns(schema.names, columns, path)
        text = tuple(name for name in columns if str(schema.field(name).type) in TEXT)
        rows = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]
    return [RowGroup(path, i, n, tuple(columns), text) for i, n in enumerate(rows)]


def _open_parquet(path: str, text: Sequence[str] = ()) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        return parquet.ParquetFile(path, read_dictionary=list(text))
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path}: not a readable Parquet file ({error})") from error


def _are_paths(table: Sequence[Any]) -> bool:
    return all(isinstance(path, (str, Path)) for path in table)


# -- Dask ------------------------------------------------------------------------------------------------------------


def open_partitions(frame: Any, columns: Sequence[str]) -> Source:
    """The partitions of a Dask DataFrame, each computed by the thread that reads it."""
    return Source([_partition(delayed, columns) for delayed in delayed_partitions(frame, columns)])


def delayed_partitions(frame: Any, columns: Sequence[str]) -> list[Any]:
    """A delayed DataFrame per partition, of the columns that are needed."""
    check_columns(frame.columns, columns, "the Dask DataFrame")
    return frame[list(columns)].to_delayed()


def _partition(delayed: Any, columns: Sequence[str]) -> Part:
    def blocks() -> Iterator[Block]:
        for part in open_frame(delayed.compute(scheduler="synchronous"), columns).parts:
            yield from part.blocks()

    return Part(blocks)
