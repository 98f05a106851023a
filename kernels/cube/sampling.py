"""A sample of any table's columns, with what is known of all rows: enough to choose bins by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

GROUPS = 8  # row groups of a Parquet file that are read at most


@dataclass(frozen=True)
class Sample:
    """Rows of a table, spread over it.

    Attributes
    ----------
    frame : DataFrame
    name : str
        Of the table, in errors.
    whole : bool
        Whether these are all rows.
    ranges : dict of (low, high)
        Of columns whose smallest and largest value among all rows are known.
    gaps : dict of bool
        Whether a column has missing values anywhere, where that is known.
    """

    frame: pd.DataFrame
    name: str
    whole: bool
    ranges: dict[str, tuple[Any, Any]]
    gaps: dict[str, bool]
    rows: Any = None  # the whole table, where it is in memory

    def all_values(self, name: str) -> pd.Series:
        """Present values of all rows if they are in memory, else of the sample."""
        held = self.frame[name] if self.rows is None else self.rows[name]
        return (held if hasattr(held, "dropna") else held.to_pandas()).dropna()

    @property
    def exhaustive(self) -> bool:
        """Whether `all_values` are all there are."""
        return self.whole or self.rows is not None


def take_sample(table: Any, limit: int) -> Sample:
    """A sample of at most about `limit` rows.

    Parameters
    ----------
    table : DataFrame, dict of arrays, pyarrow Table or RecordBatch, or path of a Parquet or CSV file (also .csv.gz)

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If there is no such file, it is of another kind or damaged, or there are no rows.
    """
    import pandas as pd

    if isinstance(table, (str, Path)):
        sample = _from_file(Path(table), limit)
    elif isinstance(table, pd.DataFrame):
        sample = _from_frame(table, limit)
    elif hasattr(table, "to_batches") or hasattr(table, "to_struct_array"):
        sample = _from_arrow(table, limit)
    elif isinstance(table, dict):
        sample = _from_frame(pd.DataFrame(table), limit)
    else:
        raise TypeError(f"{type(table).__name__}: expected a DataFrame, a pyarrow Table, or a .parquet or .csv file")
    if not len(sample.frame):
        raise ValueError(f"{sample.name} has no rows to choose bins by")
    return sample


def _from_frame(frame: pd.DataFrame, limit: int) -> Sample:
    import pandas as pd

    if not frame.columns.is_unique:
        twice = sorted({str(name) for name in frame.columns[frame.columns.duplicated()]})
        raise ValueError(f"columns named twice: {', '.join(twice)}")
    if len(frame) <= limit:
        return Sample(frame, "the table", True, {}, {})
    plain = [
        name for name in frame if pd.api.types.is_numeric_dtype(frame[name].dtype) or frame[name].dtype.kind == "M"
    ]
    ranges = {name: (frame[name].min(), frame[name].max()) for name in plain}
    gaps = {name: bool(frame[name].isna().any()) for name in frame}
    return Sample(frame.iloc[_spread(len(frame), limit)], "the table", False, ranges, gaps, frame)


def _spread(rows: int, limit: int) -> np.ndarray:
    """Places of `limit` rows, evenly spread."""
    return np.linspace(0, rows - 1, limit).astype(np.int64)


def _from_arrow(table: Any, limit: int) -> Sample:
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    if len(table) <= limit:
        return Sample(_to_pandas(table), "the table", True, {}, {})
    gaps = {name: table[name].null_count > 0 for name in table.column_names}
    ranges = {}
    for name, kind in zip(table.schema.names, table.schema.types, strict=True):
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_temporal(kind):
            ends = pc.min_max(table[name]).as_py()
            ranges[name] = (ends["min"], ends["max"])
    return Sample(_to_pandas(table.take(_spread(len(table), limit))), "the table", False, ranges, gaps, table)


def _to_pandas(table: pa.Table) -> pd.DataFrame:
    return table.to_pandas(date_as_object=False, ignore_metadata=True)


def _from_file(path: Path, limit: int) -> Sample:
    import pyarrow as pa

    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected a .parquet or .csv file")
    name = path.name.lower()
    try:
        if name.endswith((".parquet", ".pq")):
            return _from_parquet(path, limit)
        if name.endswith((".csv", ".csv.gz")):
            return _from_csv(path, limit)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path}: cannot be read as {name.split('.', 1)[1]} ({error})") from error
    raise ValueError(f"{path}: expected a file that ends in .parquet, .csv or .csv.gz")


def _from_csv(path: Path, limit: int) -> Sample:
    import pyarrow as pa
    import pyarrow.csv as csv

    batches, rows, whole = [], 0, True
    options = csv.ConvertOptions(strings_can_be_null=True)
    try:
        with csv.open_csv(path, convert_options=options) as reader:
            for batch in reader:
                if rows >= limit:
                    whole = False
                    break
                batches.append(batch)
                rows += len(batch)
            table = pa.Table.from_batches(batches, reader.schema)
    except pa.ArrowInvalid:  # a column is of another type than its first block told: look at all of it
        table, whole = csv.read_csv(path, convert_options=options), True
    return Sample(_to_pandas(table), str(path), whole, {}, {})


def _from_parquet(path: Path, limit: int) -> Sample:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        about = file.metadata
        if about.num_rows <= limit:
            return Sample(_to_pandas(file.read()), str(path), True, {}, {})
        groups = sorted({*_spread(about.num_row_groups, min(GROUPS, about.num_row_groups)).tolist()})
        table = file.read_row_groups(groups)
        ranges, gaps = _statistics(about)
    return Sample(_to_pandas(table.take(_spread(len(table), min(limit, len(table))))), str(path), False, ranges, gaps)


def _statistics(about: Any) -> tuple[dict[str, tuple[Any, Any]], dict[str, bool]]:
    """Ranges and gaps as far as every row group tells them."""
    ranges: dict[str, tuple[Any, Any]] = {}
    gaps: dict[str, bool] = {}
    for place in range(about.num_columns):
        chunks = [about.row_group(group).column(place) for group in range(about.num_row_groups)]
        known = [chunk.statistics for chunk in chunks if chunk.is_stats_set]
        name = chunks[0].path_in_schema
        if len(known) == len(chunks) and all(s.has_null_count for s in known):
            gaps[name] = any(s.null_count for s in known)
        ends = [(s.min, s.max) for s in known if s.has_min_max]
        if len(ends) == len(chunks) and not isinstance(ends[0][0], (str, bytes)):
            ranges[name] = (min(low for low, _ in ends), max(high for _, high in ends))
    return ranges, gaps
