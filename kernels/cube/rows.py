"""Rows of any table made ready to be added to a cube: keys of their cells and values of the measures, checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .cells import Packing, survey
from .schema import Schema
from .tables import BLOCK, Block, Part, numbers
from .threads import in_order


@dataclass(frozen=True)
class Rows:
    """Rows made ready."""

    keys: np.ndarray  # (W, n), -1 where a row is in no cell
    values: Sequence[np.ndarray]  # (n,) of each measure, nan where missing
    tally: np.ndarray  # (d, 2) rows outside, rows missing
    kept: int
    gaps: bool  # are values missing

    def __len__(self) -> int:
        return self.keys.shape[1]


class RowReader:
    """What makes rows ready for cubes of one schema and its measures."""

    def __init__(self, schema: Schema, measures: Sequence[str]) -> None:
        self.schema, self.measures = schema, _check_measures(measures)
        self.packing = Packing(schema.sizes)
        self.columns = tuple(dict.fromkeys((*schema.columns, *self.measures)))

    def read(self, parts: Iterable[Part], threads: int) -> Iterator[Rows]:
        """The rows of all parts, in order."""
        if threads == 1:
            for part in parts:
                yield from map(self.of_block, part.blocks())
            return
        for ready in in_order(lambda part: [self.of_block(block) for block in part.blocks()], parts, threads):
            yield from ready

    def of_block(self, block: Block) -> Rows:
        """Rows of a block of columns."""
        return self._rows(list(self.schema.codes(block)), [numbers(block, name) for name in self.measures])

    def of_codes(self, codes: Sequence[Any], measures: Mapping[str, Any]) -> Iterator[Rows]:
        """Rows whose bins are known, block by block, after all of them are checked."""
        arrays = [np.asarray(array) for array in codes]
        lacking = [name for name in self.measures if name not in measures]
        if lacking:
            raise ValueError(f"no values for {', '.join(map(repr, lacking))}, which the cube measures")
        values = [numbers(measures, name) for name in self.measures]
        _check_codes(self.schema, arrays, dict(zip(self.measures, values, strict=True)))
        for first in range(0, len(arrays[0]), BLOCK):
            some = slice(first, first + BLOCK)
            yield self._rows([array[some] for array in arrays], [column[some] for column in values])

    def _rows(self, codes: Sequence[np.ndarray], values: Sequence[np.ndarray]) -> Rows:
        keys, tally = self.packing.keys(codes)
        gaps = False
        for name, column in zip(self.measures, values, strict=True):
            nan, huge = survey(column, keys[0])
            gaps |= nan > 0
            if huge:
                raise ValueError(
                    f"measure {name!r} holds {huge} or more infinite values (or beyond 1e154); expected finite ones"
                )
        return Rows(keys, values, tally, int(np.count_nonzero(keys[0] >= 0)), gaps)


def _check_measures(measures: Sequence[str]) -> tuple[str, ...]:
    if isinstance(measures, str) or not all(isinstance(name, str) for name in measures):
        raise TypeError(f"measures {measures!r}; expected a sequence of column names")
    if len(set(measures)) < len(measures):
        raise ValueError(f"measures {tuple(measures)} name a column twice")
    return tuple(measures)


def _check_codes(schema: Schema, codes: list[np.ndarray], values: Mapping[str, np.ndarray]) -> None:
    if len(codes) != len(schema):
        raise ValueError(f"codes of {len(codes)} attributes; the schema has {len(schema)}: {', '.join(schema.names)}")
    for name, array in zip(schema.names, codes, strict=True):
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise TypeError(f"codes of {name!r}: {array.dtype} of shape {array.shape}; expected integers (n,)")
    lengths = {name: len(array) for name, array in (*zip(schema.names, codes, strict=True), *values.items())}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"arrays of different lengths: {lengths}")
    for attribute, array in zip(schema, codes, strict=True):
        if len(array) and not -2 <= int(array.min()) <= int(array.max()) < attribute.bins:
            raise ValueError(
                f"codes of {attribute.name!r} from {array.min()} to {array.max()}; expected 0 to {attribute.bins - 1}, "
                "-1 (outside) or -2 (missing)"
            )
