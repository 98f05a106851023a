"""Attributes: how a column's values fall into bins, and how bins are selected. The part that all kinds share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from .binning import look_up
from .columns import Coded, Plain, as_numbers, read_column

OUTSIDE, NO_BIN = -1, -2  # codes of rows outside the bins, and of missing ones where no bin is kept for them
MAX_BINS = 1 << 24

Selection = tuple[int, ...] | frozenset | np.ndarray


class Attribute:
    """What all kinds of attributes share. Immutable.

    Attributes
    ----------
    name : str
    columns : tuple of str
        Names of the columns it reads.
    missing : bool
        Whether missing values (nan, None, NaT) have a bin of their own, the last one.
    bins : int
        Including the missing one.
    shape : tuple of int
        Of the regular bins: (n,), or (nx, ny) in space.
    ordered : bool
        Whether ranges of bins (in space: per axis) mean something.
    title, unit : str
        For axes.
    """

    kind: ClassVar[str] = ""
    ordered: ClassVar[bool] = True
    kinds: ClassVar[dict[str, type[Attribute]]] = {}
    name: str
    columns: tuple[str, ...]
    missing: bool
    shape: tuple[int, ...]
    title: str
    unit: str

    def __init_subclass__(cls) -> None:
        Attribute.kinds[cls.kind] = cls

    def _set(
        self, name: str, columns: Sequence[str], shape: tuple[int, ...], missing: bool, title: str | None, unit: str
    ) -> None:
        for text in (name, *columns):
            if not isinstance(text, str) or not text:
                raise TypeError(f"{text!r} is no name: expected text")
        regular = int(np.prod(shape, dtype=object))
        if not 1 <= regular <= MAX_BINS:
            raise ValueError(f"{name}: {regular:,} bins; expected 1 to {MAX_BINS:,}")
        title = name if title is None else title
        self._keep(name=name, columns=tuple(columns), shape=shape, missing=bool(missing), title=title, unit=unit)

    def _keep(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"attributes do not change ({name}): make a new one, see Schema.replace")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Attribute) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash((self.kind, self.name, self.bins))

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.shape)) + (" + missing" if self.missing else "")
        return f"{type(self).__name__}({self.name!r}, {shape} bins)"

    @property
    def size(self) -> int:
        """Bins without the one for missing values."""
        return math.prod(self.shape)

    @property
    def bins(self) -> int:
        return self.size + self.missing

    # rows -> bins

    def codes(self, *columns: Any, out: np.ndarray | None = None) -> np.ndarray:
        """The bin of every row.

        Parameters
        ----------
        *columns : arrays (n,), pandas Series, or pyarrow arrays
            One for each of `self.columns`.
        out : (n,) int32 array, optional
            Where to write.

        Returns
        -------
        (n,) int32 array
            -1: outside the bins; -2: missing, where there is no bin for missing values.

        Raises
        ------
        TypeError
            If a column holds something this attribute cannot bin.
        """
        if len(columns) != len(self.columns):
            raise TypeError(f"{self.name}: got {len(columns)} columns; expected {', '.join(self.columns)}")
        read = [read_column(values, name) for values, name in zip(columns, self.columns, strict=True)]
        lengths = {len(column) for column in read}
        if len(lengths) > 1:
            raise ValueError(f"{self.name}: columns {', '.join(self.columns)} have different lengths {sorted(lengths)}")
        out = np.empty(lengths.pop(), np.int32) if out is None else out
        self._write(read, out)
        return out

    def _write(self, columns: list[Plain | Coded], out: np.ndarray) -> None:
        """Of one column: distinct values are binned once, rows look them up."""
        column = columns[0]
        if isinstance(column, Coded):
            look_up(column.indices, np.append(self._table(column.values), np.int32(self._missing)), out)
            return
        self._bin(column.values, out)
        if column.nulls is not None:
            out[column.nulls] = self._missing

    def _table(self, values: list[Any]) -> np.ndarray:
        """Bins (m,) of distinct values."""
        out = np.empty(len(values), np.int32)
        self._bin(as_numbers(values, self.columns[0]), out)
        return out

    def _bin(self, values: np.ndarray, out: np.ndarray) -> None:
        raise NotImplementedError

    @property
    def _missing(self) -> int:
        """The code of a missing value."""
        return self.size if self.missing else NO_BIN

    def _refuse(self, values: np.ndarray, expected: str) -> TypeError:
        return TypeError(f"{self.name}: column {self.columns[0]!r} holds {values.dtype}; expected {expected}")

    # selections -> masks

    def labels(self) -> list[str]:
        """A short text per bin."""
        return self._labels() + (["missing"] if self.missing else [])

    def _labels(self) -> list[str]:
        raise NotImplementedError

    def mask(self, selection: Any) -> np.ndarray:
        """Which bins a selection takes.

        Parameters
        ----------
        selection : tuple, set, list or boolean array
            A tuple is a half-open range of 0-based bins, (start, stop), in space (x0, x1, y0, y1). It includes the
            bin of missing values only where it covers all others. A set or list holds values or labels. An array is a
            mask of shape (bins,), without the missing bin (then not selected), or in space (nx, ny).

        Returns
        -------
        (bins,) bool array

        Raises
        ------
        ValueError
            If a range is reversed or leaves the bins, a shape is wrong, or a value is in no bin.
        TypeError
            If it is none of these.
        """
        if isinstance(selection, tuple):
            return self.range_masks(self._as_range(selection)[None])[0]
        if isinstance(selection, list) and selection and all(isinstance(item, (bool, np.bool_)) for item in selection):
            selection = np.array(selection)
        if isinstance(selection, (set, frozenset, list)):
            return self._value_mask(selection)
        array = np.asarray(selection)
        if array.dtype != bool:
            raise TypeError(f"{self.name}: cannot select with {selection!r}; expected a (start, stop), a set or a mask")
        return self._whole_mask(array)

    def _as_range(self, selection: tuple) -> np.ndarray:
        size = 2 * len(self.shape)
        whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in selection)
        if len(selection) != size or not whole:
            form = "(start, stop)" if size == 2 else "(x0, x1, y0, y1)"
            raise TypeError(f"{self.name}: {selection!r} is no range; expected {form} in bins, or a set of values")
        return np.array([min(max(int(n), -1), MAX_BINS + 2) for n in selection], np.int64)

    def _whole_mask(self, array: np.ndarray) -> np.ndarray:
        if array.shape not in ((self.bins,), (self.size,), self.shape):
            raise ValueError(f"{self.name}: a mask of shape {array.shape}; expected {self._mask_shapes()}")
        mask = np.zeros(self.bins, bool)
        mask[: array.size] = array.ravel()
        return mask

    def _mask_shapes(self) -> str:
        shapes = dict.fromkeys([(self.bins,), (self.size,), self.shape])
        return " or ".join(map(str, shapes))

    def range_masks(self, ranges: np.ndarray, numbers: Sequence[int] | None = None) -> np.ndarray:
        """Masks (n, bins) of half-open ranges (n, 2), in space (n, 4); `numbers` are the queries' in errors."""
        masks: np.ndarray = np.ones((len(ranges), 1), bool)
        for axis, size in enumerate(self.shape):
            start, stop = ranges[:, 2 * axis, None], ranges[:, 2 * axis + 1, None]
            limit = size + (self.missing and len(self.shape) == 1)
            self._check_ranges(ranges[:, 2 * axis : 2 * axis + 2], limit, numbers)
            place = np.arange(size)
            inside = (start <= place) & (place < stop)
            masks = (masks[:, :, None] & inside[:, None, :]).reshape(len(ranges), masks.shape[1] * size)
        if not self.missing:
            return masks
        missing = np.logical_and.reduce(masks, 1)
        if len(self.shape) == 1:
            missing |= ranges[:, 1] > np.maximum(ranges[:, 0], self.size)
        return np.concatenate([masks, missing[:, None]], 1)

    def write_plainly(self, selection: Any, out: np.ndarray) -> bool:
        """Write the mask of a legal range, or a whole mask, into `out` (bins,); False, and nothing, for others."""
        if isinstance(selection, np.ndarray) and selection.shape == out.shape:
            out[:] = selection
            return True
        if not isinstance(selection, tuple) or len(selection) != 2 * len(self.shape):
            return False
        ends = [slice(*selection[2 * axis : 2 * axis + 2]) for axis in range(len(self.shape))]
        if not all(0 <= end.start <= end.stop <= size for end, size in zip(ends, self.shape, strict=True)):
            return False
        if all(end.start == 0 and end.stop == size for end, size in zip(ends, self.shape, strict=True)):
            out[:] = True
            return True
        out[:] = False
        out[: self.size].reshape(self.shape)[tuple(ends)] = True
        return True

    def _check_ranges(self, ranges: np.ndarray, limit: int, numbers: Sequence[int] | None) -> None:
        start, stop = ranges.T
        wrong = np.flatnonzero((start > stop) | (start < 0) | (stop > limit))
        if len(wrong):
            first = int(wrong[0])
            where = "" if numbers is None else f"query {numbers[first]}, "
            what = "is reversed" if start[first] > stop[first] else f"leaves the bins 0 to {limit}"
            raise ValueError(f"{where}{self.name}: range ({start[first]}, {stop[first]}) {what}")

    def _value_mask(self, values: Iterable[Any]) -> np.ndarray:
        mask = np.zeros(self.bins, bool)
        for value in values:
            mask[self.bin_of(value)] = True
        return mask

    def bin_of(self, value: Any) -> int:
        """The bin of one value or label; ValueError if it is neither."""
        absent = value is None or (isinstance(value, float) and value != value)
        code = self._missing if absent else self._bin_of(value)
        if code < 0:
            shown = self.labels()
            some = ", ".join(shown[:12]) + (f", ... ({len(shown)})" if len(shown) > 12 else "")
            raise ValueError(f"{self.name}: {value!r} is in no bin; there are {some}")
        return code

    def _bin_of(self, value: Any) -> int:
        if isinstance(value, str):
            return self._index_of_label(value)
        try:
            return int(self._table([value])[0])
        except TypeError:
            return OUTSIDE

    def _index_of_label(self, label: str) -> int:
        try:
            return self.labels().index(label)
        except ValueError:
            return OUTSIDE

    def selection(self, values: Any) -> Selection:
        """The selection of bins, as `mask` takes it, for one in values.

        Parameters
        ----------
        values : tuple, set, list or boolean array
            A tuple (low, high) takes the bins that overlap it, both ends included, None for an open one; in space it
            is ((x0, x1), (y0, y1)). Sets, lists and masks are as in `mask`.

        Raises
        ------
        ValueError, TypeError
            As `mask`.
        """
        if isinstance(values, tuple):
            return self._between(values)
        if isinstance(values, list) and not (values and all(isinstance(v, (bool, np.bool_)) for v in values)):
            values = frozenset(values)
        mask = self.mask(values)
        return frozenset(values) if isinstance(values, (set, frozenset)) else mask

    def mask_of_values(self, values: Any) -> np.ndarray:
        """As `mask`, for a selection in values (see `selection`)."""
        return self.mask(self.selection(values))

    def _between(self, values: tuple) -> tuple[int, ...]:
        low, high = self._ends(values)
        return self._bins_between(low, high)

    def _ends(self, values: tuple) -> tuple[Any, Any]:
        """(low, high) as numbers, open ends as infinities."""
        if len(values) != 2:
            raise TypeError(f"{self.name}: {values!r} is no range; expected (low, high)")
        low, high = (self._number(value, end) for value, end in zip(values, (-np.inf, np.inf), strict=True))
        if not low <= high:
            raise ValueError(f"{self.name}: ({values[0]!r}, {values[1]!r}) is reversed or not a number")
        return low, high

    def _number(self, value: Any, open_end: float) -> float:
        if value is None:
            return open_end
        if isinstance(value, (int, float, np.integer, np.floating)):
            return value if isinstance(value, int) else float(value)
        raise TypeError(f"{self.name}: {value!r} is no number; expected (low, high)")

    def _bins_between(self, low: Any, high: Any) -> tuple[int, ...]:
        raise NotImplementedError

    # JSON

    def to_json(self) -> dict[str, Any]:
        """A dict that JSON can hold; `Attribute.from_json` reads it."""
        shown = {"kind": self.kind, "name": self.name, **self._own_json(), "missing": self.missing}
        return {**shown, "title": self.title, "unit": self.unit}

    def _own_json(self) -> dict[str, Any]:
        raise NotImplementedError

    @staticmethod
    def from_json(data: dict[str, Any]) -> Attribute:
        """The attribute that `to_json` described; ValueError if it is no such description."""
        if not isinstance(data, dict) or data.get("kind") not in Attribute.kinds:
            known = ", ".join(sorted(kind for kind in Attribute.kinds if kind))
            raise ValueError(f"{str(data)[:80]} describes no attribute; expected a dict whose kind is one of {known}")
        rest = {key: value for key, value in data.items() if key != "kind"}
        try:
            return Attribute.kinds[data["kind"]](**rest)
        except TypeError as error:
            raise ValueError(f"attribute {data.get('name')!r} cannot be read: {error}") from error
