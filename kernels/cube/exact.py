"""The exact cube: counts, sums and squares of every occupied cell, from one pass over rows, and exact answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError
from math import prod
from typing import Any

import numpy as np

from ..progress import Progress
from . import tables
from .answers import DenseAnswers, SparseAnswers
from .cells import Cells, DenseCells, SparseCells
from .cluster import submit
from .query import Query
from .rows import RowReader, Rows
from .schema import Schema
from .threads import cores

DENSE_LIMIT = 1 << 26  # bytes of counts
FULL = 0.3  # share of occupied cells from which on a product with all cells beats a pass over the occupied ones
TOGETHER = 1024  # queries between two reports of progress
AGGREGATES = ("sum", "squares", "mean", "var", "present")

Aggregate = str | tuple[str, str]
Queries = Query | Sequence[Query] | np.ndarray


class ExactCube:
    """Counts (and sums, and sums of squares of measures) of rows by cell.

    An empty cube; the `from_...` methods make one of a table, in one pass over its rows. Cubes of parts of the rows add
    up: `a + b`, `sum(cubes)`.

    Parameters
    ----------
    schema : Schema
    measures : sequence of str
        Columns of numbers to add up. Missing values (nan) count as rows, but add nothing, and means are over those
        present.
    dense_limit : int
        Keep an array of all cells if its counts fit in so many bytes, else only the cells that occur.

    Attributes
    ----------
    rows : int
        Rows in the cube.
    left_out : int
        Rows not in the cube, as some attribute has no bin for them. Each counts once.
    outside, missing : dict of int
        By attribute: rows outside its bins; rows with no value where it has no bin for missing ones.
    columns : tuple of str
        The columns that are read.
    """

    def __init__(self, schema: Schema, measures: Sequence[str] = (), dense_limit: int = DENSE_LIMIT) -> None:
        if not isinstance(schema, Schema):
            raise TypeError(f"{type(schema).__name__} is no schema; expected a cube.Schema")
        self._reader = RowReader(schema, measures)
        self.schema, self.measures, self.columns = schema, self._reader.measures, self._reader.columns
        self.rows = self.left_out = 0
        self._dense_limit = dense_limit
        self._tally = np.zeros((len(schema), 2), np.int64)
        kind = DenseCells if 8 * prod(schema.sizes) <= dense_limit else SparseCells
        self._cells: Cells = kind(self._reader.packing, len(self.measures))
        self._answers: SparseAnswers | DenseAnswers | None = None
        self._weights: dict[int, np.ndarray] = {}

    def __repr__(self) -> str:
        form = "dense" if self.dense else "sparse"
        return f"ExactCube({', '.join(self.schema.names)}: {self.rows:,} rows in {self.occupied:,} cells, {form})"

    # -- from tables

    @classmethod
    def build(
        cls,
        table: Any,
        schema: Schema,
        measures: Sequence[str] = (),
        *,
        client: Any = None,
        progress: Progress | None = None,
        threads: int | None = None,
        dense_limit: int = DENSE_LIMIT,
    ) -> ExactCube:
        """A cube of whatever table this is.

        Parameters
        ----------
        table : DataFrame, dict of arrays, Arrow Table, RecordBatch or RecordBatchReader, DuckDB relation, Dask \
DataFrame, or a path (file, folder, glob pattern) or list of paths of Parquet files
            Only the columns that are needed are read, and streams are not held: memory goes with the cells that occur,
            plus a few row groups.
        schema, measures, dense_limit
            As of the class.
        client : dask.distributed.Client, optional
            Partitions, or row groups, become cubes on its workers, which must see the paths.
        progress : Progress, optional
            Counts rows, of a total of 0 where their number is not known beforehand (streams); parts with a client.
            Cancelling raises concurrent.futures.CancelledError.
        threads : int, optional
            All cores if absent. The cube does not depend on it, to the last bit.

        Raises
        ------
        TypeError
            If it is no table, or a column does not hold what the schema or a measure needs.
        LookupError
            If columns are missing.
        ValueError
            If columns differ in length, measures hold infinite values, or a file is not a readable Parquet file.
        FileNotFoundError
            If there is no such file.
        """
        cube = cls(schema, measures, dense_limit)
        if client is not None:
            cube._gather(client, table, progress)
        else:
            cube._read(tables.open_table(table, cube.columns), progress, threads)
        return cube

    # What a table is, it says itself; these say what the reader of a program may expect.
    from_frame = from_arrow = from_parquet = from_relation = from_dask = build

    def add(self, table: Any) -> ExactCube:
        """Add the rows of one more table; on an error none is added. Returns this cube."""
        return self._absorb(ExactCube.build(table, self.schema, self.measures, dense_limit=0))

    def add_codes(self, codes: Sequence[np.ndarray], measures: Mapping[str, np.ndarray] | None = None) -> ExactCube:
        """Add rows whose bins are known: an array (n,) of any integers per attribute, -1 outside, -2 missing.

        Returns this cube. ValueError if a code is no bin, lengths differ, or measures lack; then none is added.
        """
        for rows in list(self._reader.of_codes(codes, measures or {})):
            self._add(rows)
        return self

    def __add__(self, other: ExactCube) -> ExactCube:
        """A cube of the rows of both; ValueError if schema or measures differ."""
        if not isinstance(other, ExactCube):
            return NotImplemented
        return ExactCube(self.schema, self.measures, self._dense_limit)._absorb(self)._absorb(other)

    def __radd__(self, other: Any) -> ExactCube:
        return self if isinstance(other, int) and other == 0 else NotImplemented  # what sum() begins with

    def _absorb(self, other: ExactCube) -> ExactCube:
        if self.schema != other.schema:
            raise ValueError(f"cubes of different schemas do not add up: {self.schema} and {other.schema}")
        if self.measures != other.measures:
            raise ValueError(f"cubes of different measures do not add up: {self.measures} and {other.measures}")
        return self._absorb_parts(*other._parts())

    def _parts(self) -> tuple[Any, ...]:
        """All there is to it, as small as it gets: what travels between processes."""
        return self.rows, self.left_out, self._tally, *self._cells.occupied()

    def _absorb_parts(
        self, rows: int, left_out: int, tally: np.ndarray, keys: np.ndarray, data: np.ndarray
    ) -> ExactCube:
        self._forget_answers()
        self._cells.merge(keys, data)
        self.rows += rows
        self.left_out += left_out
        self._tally += tally
        return self

    # -- the pass over rows

    def _read(self, source: tables.Source, progress: Progress | None, threads: int | None) -> None:
        progress = progress or Progress()
        progress.start(source.rows or 0)
        done = 0
        for rows in self._reader.read(source.parts, threads or cores()):
            if progress.cancelled:
                raise CancelledError(f"cancelled after {done:,} rows")
            self._add(rows)
            done += len(rows)
            progress.update(done)

    def _add(self, rows: Rows) -> None:
        self._forget_answers()
        if rows.gaps:
            self._cells.count_present()
        self._cells.add(rows.keys, rows.values)
        self.rows += rows.kept
        self.left_out += len(rows) - rows.kept
        self._tally += rows.tally

    def _gather(self, client: Any, table: Any, progress: Progress | None) -> None:
        """Cubes of parts of the table from a cluster, added up in the table's order."""
        about = self.schema, self.measures, self._dense_limit
        futures = deque(submit(client, table, self.columns, _parts_of, *about))
        progress = progress or Progress()
        progress.start(len(futures))
        while futures:
            if progress.cancelled:
                client.cancel(list(futures))
                raise CancelledError(f"cancelled after {progress.done} of {progress.total} parts")
            self._absorb_parts(*futures.popleft().result())  # which the cluster may forget then
            progress.update(progress.done + 1)

    # -- what is in it

    @property
    def outside(self) -> dict[str, int]:
        return dict(zip(self.schema.names, self._tally[:, 0].tolist(), strict=True))

    @property
    def missing(self) -> dict[str, int]:
        return dict(zip(self.schema.names, self._tally[:, 1].tolist(), strict=True))

    @property
    def dense(self) -> bool:
        """Is there an array of all cells."""
        return isinstance(self._cells, DenseCells)

    @property
    def occupied(self) -> int:
        """Cells with rows in them."""
        return self._cells.count_occupied()

    @property
    def nbytes(self) -> int:
        """Bytes of the cells as they are held."""
        return self._cells.nbytes

    @property
    def dense_bytes(self) -> int:
        """Bytes of an array of all cells."""
        return prod(self.schema.sizes) * self._cells.cell_bytes

    @property
    def sparse_bytes(self) -> int:
        """Bytes of the occupied cells and their keys."""
        return self.occupied * (self._cells.cell_bytes + self._reader.packing.key_bytes)

    def cells(self) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
        """The occupied cells in the order of their codes.

        Returns
        -------
        codes : (d, m) int32
        count : (m,) float64
        sums, squares : dict of (m,) float64
            By measure.
        """
        keys, data = self._cells.occupied()
        columns = np.ascontiguousarray(data.T)
        sums = {name: columns[1 + 2 * k] for k, name in enumerate(self.measures)}
        squares = {name: columns[2 + 2 * k] for k, name in enumerate(self.measures)}
        return self._reader.packing.codes(keys), columns[0], sums, squares

    # -- answers

    def views(self, query: Query | None = None, aggregate: Aggregate = "count") -> dict[str, np.ndarray]:
        """One query's answers by view: (bins,) float64 each. A view ignores the query's filter on itself.

        Parameters
        ----------
        query : Query, optional
            Everything if absent. Also one row of what `Schema.masks` takes.
        aggregate : "count", or ("sum" | "squares" | "mean" | "var", measure)
            Over present values; the mean and (population) variance of none are nan. The variance is that of sums of
            squares: relative to it, errors are about 1e-16 * (mean^2 / variance).
        """
        answers = self.query_many(Query() if query is None else query, aggregate)
        if len(answers) != 1:
            raise ValueError(f"views of {len(answers)} queries; expected one, query_many answers many")
        return self.schema.split(answers[0])

    def total(self, query: Query | None = None, aggregate: Aggregate = "count") -> float:
        """The aggregate of all rows that pass all filters."""
        totals = self.totals_many(Query() if query is None else query, aggregate)
        if len(totals) != 1:
            raise ValueError(f"total of {len(totals)} queries; expected one, totals_many answers many")
        return float(totals[0])

    def query_many(
        self, queries: Queries, aggregate: Aggregate = "count", progress: Progress | None = None
    ) -> np.ndarray:
        """Answers (n, total bins) float64 of all views, in the schema's order, to what `Schema.masks` takes."""
        return self._answer(queries, aggregate, progress, views=True)

    def totals_many(
        self, queries: Queries, aggregate: Aggregate = "count", progress: Progress | None = None
    ) -> np.ndarray:
        """Aggregates (n,) float64 of the rows that pass all filters."""
        return self._answer(queries, aggregate, progress, views=False)

    def _answer(self, queries: Queries, aggregate: Aggregate, progress: Progress | None, views: bool) -> np.ndarray:
        kind, columns = self._columns(aggregate)
        masks = self.schema.masks(queries)
        answering = self._answering()
        answer = answering.views if views else answering.totals
        progress = progress or Progress()
        progress.start(len(masks))
        out = np.empty(masks.shape if views else len(masks))
        for first in range(0, len(masks), TOGETHER):
            if progress.cancelled:
                raise CancelledError(f"cancelled after {first:,} of {len(masks):,} queries")
            some = slice(first, first + TOGETHER)
            out[some] = _combine(kind, [answer(self._weight(column), masks[some]) for column in columns])
            progress.update(min(first + TOGETHER, len(masks)))
        return out

    def _columns(self, aggregate: Aggregate) -> tuple[str, list[int]]:
        """What the aggregate is called, and the columns of the cells' data that it is made of."""
        if aggregate == "count":
            return "count", [0]
        if not (isinstance(aggregate, tuple) and len(aggregate) == 2 and aggregate[0] in AGGREGATES):
            raise ValueError(f"aggregate {aggregate!r}; expected 'count' or one of {AGGREGATES} with a measure")
        kind, measure = aggregate
        if measure not in self.measures:
            raise LookupError(f"no measure {measure!r}; the cube has {', '.join(self.measures) or 'none'}")
        k = self.measures.index(measure)
        present = 1 + 2 * len(self.measures) + k if self._cells.counts_present else 0
        held = {"present": [present], "sum": [1 + 2 * k], "squares": [2 + 2 * k], "mean": [present, 1 + 2 * k]}
        return kind, held.get(kind) or [present, 1 + 2 * k, 2 + 2 * k]

    def _answering(self) -> SparseAnswers | DenseAnswers:
        if self._answers is None:
            if self.dense and self.occupied >= FULL * prod(self.schema.sizes):
                self._answers = DenseAnswers(self.schema.sizes)
            else:
                self._answers = SparseAnswers(self.cells()[0], self.schema.sizes)
        return self._answers

    def _weight(self, column: int) -> np.ndarray:
        if column not in self._weights:
            data = self._cells.data if isinstance(self._answers, DenseAnswers) else self._cells.occupied()[1]
            self._weights[column] = np.ascontiguousarray(data[:, column])
        return self._weights[column]

    def _forget_answers(self) -> None:
        self._answers = None
        self._weights.clear()


def _combine(kind: str, parts: list[np.ndarray]) -> np.ndarray:
    if kind not in ("mean", "var"):
        return parts[0]
    present = np.where(parts[0] > 0, parts[0], np.nan)
    mean = parts[1] / present
    return mean if kind == "mean" else np.maximum(parts[2] / present - mean**2, 0)


def _parts_of(source: tables.Source, schema: Schema, measures: Sequence[str], dense_limit: int) -> tuple[Any, ...]:
    """The cube of a part of a table, on a worker of a cluster."""
    cube = ExactCube(schema, measures, dense_limit)
    cube._read(source, None, threads=1)
    return cube._parts()
