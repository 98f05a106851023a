"""Columns of any table (NumPy, pandas, Arrow) as one of two plain forms: numbers, or indices into distinct values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

NAT = np.iinfo(np.int64).min  # how NumPy, pandas and this package write a missing instant


@dataclass(frozen=True)
class Plain:
    """Numbers, booleans or instants, contiguous and in native byte order; `nulls` marks missing rows, if any do not say
    so themselves (as nan and NaT do)."""

    values: np.ndarray  # (n,) kind i, u, f, b or M
    nulls: np.ndarray | None = None  # (n,) bool

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Coded:
    """Distinct values and the index of each row's; -1 is missing."""

    indices: np.ndarray  # (n,) signed int
    values: list[Any]

    def __len__(self) -> int:
        return len(self.indices)


def read_column(values: Any, name: str) -> Plain | Coded:
    """A column in plain form.

    Parameters
    ----------
    values : array, pandas Series or Categorical, pyarrow Array or ChunkedArray, or sequence
    name : str
        What to call it in errors.

    Raises
    ------
    TypeError
        If it is not one-dimensional or of a type that cannot be binned.
    """
    if isinstance(values, np.ndarray):
        return _from_numpy(values, name)
    module = type(values).__module__.split(".", 1)[0]
    if module == "pandas":
        return _from_pandas(values, name)
    if module == "pyarrow" or hasattr(values, "__arrow_c_array__") or hasattr(values, "__arrow_c_stream__"):
        return _from_arrow(values, name)
    if isinstance(values, (list, tuple)):
        return _from_objects(_object_array(values), name)
    return _from_numpy(np.asarray(values), name)


def _from_numpy(values: np.ndarray, name: str) -> Plain | Coded:
    if values.ndim != 1:
        raise TypeError(f"column {name!r} has shape {values.shape}; expected one dimension")
    if isinstance(values, np.ma.MaskedArray):
        return Plain(_native(values.data, name), np.ma.getmaskarray(values))
    if values.dtype.kind == "O":
        return _from_objects(values, name)
    if values.dtype.kind in "UST":
        return _from_text(values, name)
    return Plain(_native(values, name))


def _native(values: np.ndarray, name: str) -> np.ndarray:
    """The same numbers in a form that Numba compiles for: contiguous, native bytes, at most 64 bits."""
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind not in "iufbM":
        raise TypeError(f"column {name!r} holds {values.dtype}; expected numbers, dates, text or booleans")
    if kind == "f" and size not in (4, 8):
        values = values.astype(np.float32 if size == 2 else np.float64)
    if kind == "u" and size == 8:
        values = np.minimum(values, np.uint64(np.iinfo(np.int64).max)).astype(np.int64)
    if not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    return np.ascontiguousarray(values)


def _from_text(values: np.ndarray, name: str) -> Coded:
    import pyarrow as pa

    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8")
    column = _from_arrow(pa.array(values.astype(object), pa.string()), name)
    assert isinstance(column, Coded)
    return column


def _object_array(values: Any) -> np.ndarray:
    """Python values as they are: NumPy would make [1, "a"] text and [1, True] numbers."""
    array = np.empty(len(values), object)
    for i, value in enumerate(values):
        array[i] = value
    return array


def _from_objects(values: np.ndarray, name: str) -> Coded:
    import pandas as pd

    try:
        indices, distinct = pd.factorize(values, use_na_sentinel=True)
    except TypeError as error:
        raise TypeError(f"column {name!r} holds values that cannot be compared ({error})") from error
    return Coded(indices, [_plain_value(value) for value in distinct])


def _plain_value(value: Any) -> Any:
    """A Python value for a NumPy scalar; instants stay what they are (they know their unit)."""
    return value.item() if isinstance(value, np.generic) and value.dtype.kind != "M" else value


def _from_pandas(values: Any, name: str) -> Plain | Coded:
    import pandas as pd

    if isinstance(values, pd.DataFrame):
        raise TypeError(f"column {name!r} is there {values.shape[1]} times; expected one column of that name")
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        held = values.cat if isinstance(values, pd.Series) else values
        return Coded(np.ascontiguousarray(held.codes), [_plain_value(v) for v in held.categories])
    if isinstance(dtype, pd.DatetimeTZDtype):
        held = values.dt if isinstance(values, pd.Series) else values
        return Plain(np.asarray(held.tz_convert(None)))  # the same instants in UTC
    if pd.api.types.is_extension_array_dtype(dtype):
        import pyarrow as pa

        try:
            return _from_arrow(pa.array(getattr(values, "array", values)), name)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
            return _from_objects(np.asarray(values, object), name)
    return _from_numpy(np.asarray(values), name)


def _from_arrow(values: Any, name: str) -> Plain | Coded:
    import pyarrow as pa

    if not isinstance(values, (pa.Array, pa.ChunkedArray)):
        values = pa.chunked_array(values) if hasattr(values, "__arrow_c_stream__") else pa.array(values)
    kind = values.type
    if pa.types.is_dictionary(kind) or _is_text(kind):
        return _coded_arrow(values)
    if isinstance(values, pa.ChunkedArray):
        values = values.chunk(0) if values.num_chunks == 1 else pa.concat_arrays(values.chunks or [pa.array([], kind)])
    if pa.types.is_null(kind):
        return Coded(np.full(len(values), -1, np.int8), [])
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return Plain(_arrow_instants(values))
    if pa.types.is_boolean(kind):
        values = values.cast(pa.uint8())
    elif pa.types.is_decimal(kind):
        values = values.cast(pa.float64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise TypeError(f"column {name!r} holds {kind}; expected numbers, dates, text or booleans")
    return _arrow_numbers(values, name)


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _arrow_numbers(values: Any, name: str) -> Plain:
    if not values.null_count:
        return Plain(_native(values.to_numpy(zero_copy_only=False), name))
    nulls = values.is_null().to_numpy(zero_copy_only=False)
    return Plain(_native(values.fill_null(0).to_numpy(zero_copy_only=False), name), nulls)


def _arrow_instants(values: Any) -> np.ndarray:
    """Instants with NaT where the value is missing; those of a time zone are kept in UTC by Arrow itself."""
    import pyarrow as pa

    kind = values.type
    unit = "D" if pa.types.is_date32(kind) else "ms" if pa.types.is_date64(kind) else kind.unit
    ticks = values.view(pa.int32()).cast(pa.int64()) if pa.types.is_date32(kind) else values.view(pa.int64())
    if ticks.null_count:
        ticks = ticks.fill_null(int(NAT))
    return ticks.to_numpy(zero_copy_only=False).view(f"M8[{unit}]")


def _coded_arrow(values: Any) -> Coded:
    import pyarrow as pa

    if not pa.types.is_dictionary(values.type):
        values = (
            values.cast(pa.string()).dictionary_encode()
            if pa.types.is_string_view(values.type)
            else (values.dictionary_encode())
        )
    if isinstance(values, pa.ChunkedArray):
        values = values.unify_dictionaries()
        chunks = values.chunks or [pa.array([], values.type)]
    else:
        chunks = [values]
    indices = [_arrow_indices(chunk.indices) for chunk in chunks]
    return Coded(indices[0] if len(indices) == 1 else np.concatenate(indices), chunks[-1].dictionary.to_pylist())


def _arrow_indices(indices: Any) -> np.ndarray:
    import pyarrow as pa

    if indices.null_count:
        indices = indices.cast(pa.int64()).fill_null(-1)
    return indices.to_numpy(zero_copy_only=False)


def decode(column: Plain | Coded, name: str) -> Plain:
    """A column as plain numbers.

    Raises
    ------
    TypeError
        If its distinct values are something else.
    """
    if isinstance(column, Plain):
        return column
    numbers = as_numbers(column.values, name)
    numbers = np.append(numbers, np.nan)  # what index -1 reads
    return Plain(numbers[column.indices])


def as_numbers(values: list[Any], name: str) -> np.ndarray:
    """Distinct values as float64; None and the like as nan. TypeError for text, dates and the rest."""
    import pandas as pd

    try:
        if any(isinstance(value, (str, bytes, np.datetime64)) for value in values):
            raise TypeError
        return np.array([np.nan if value is None or value is pd.NA else value for value in values], np.float64)
    except (TypeError, ValueError):
        shown = next((v for v in values if not isinstance(v, (int, float))), None)
        raise TypeError(f"column {name!r} holds {shown!r}; expected numbers") from None


def as_instants(values: list[Any], name: str) -> np.ndarray:
    """Distinct values (dates, or text in ISO 8601) as datetime64; TypeError for anything else."""
    import pandas as pd

    try:
        if any(isinstance(value, (int, float)) and value == value for value in values):
            raise TypeError("numbers")
        return np.asarray(
            pd.to_datetime(pd.Series(values, dtype=object), utc=True, format="ISO8601").dt.tz_convert(None)
        )
    except (TypeError, ValueError, OverflowError):
        shown = values[0] if len(values) == 1 else next((v for v in values if isinstance(v, (str, int, float))), None)
        raise TypeError(f"column {name!r} holds {shown!r}; expected dates or times") from None
