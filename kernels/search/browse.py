"""A data set's rows as a reader looks through them: as texts, those with certain words, by the order of a column."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from .data import Dataset

NUMBER = re.compile(r"[0-9eE.+-]+")  # what texts of numbers are made of
DATE = re.compile(r"[0-9:. -]+")
FEW = 0.5  # of the rows: up to so many different values, each is looked at once
KEPT = 20_000_000  # texts that are kept, at most: about half a gigabyte where no two numbers are the same


class Browser:
    """Rows of a data set as texts.

    Texts of a column are made when they are first searched, about 0.2 s for a million different numbers, and
    kept, as long as they are not more than `KEPT` in all.

    Parameters
    ----------
    data : Dataset
    """

    def __init__(self, data: Dataset) -> None:
        self.data = data
        self._texts: dict[str, Any] = {}
        self._days: dict[str, bool] = {}
        self._lock = threading.Lock()

    def page(self, positions: Any, columns: Iterable[str] | None = None) -> dict[str, list[str | None]]:
        """Texts of some rows by column, None where a value is missing.

        Parameters
        ----------
        positions : int array
            Of the rows.
        columns : iterable of str, optional
            These only.
        """
        rows = self.data.frame.iloc[np.asarray(positions, dtype=np.int64)]
        names = self.data.columns if columns is None else columns
        return {name: _texts(_values(rows[name]), self._is_whole_day(name)).to_pylist() for name in names}

    def find(self, words: str, columns: Iterable[str] | None = None) -> np.ndarray:
        """Positions of the rows in which every one of some words, apart by commas, is part of some value.

        Upper and lower case are the same. A row's id counts as a value. Rising positions; all where there is no word.
        """
        wanted = split_words(words)
        there = np.ones(len(self.data), dtype=bool)
        names = list(self.data.columns if columns is None else columns)
        for word in wanted:
            if not there.any():
                break
            found = np.zeros(len(self.data), dtype=bool)
            for name in names:
                if self._may_hold(name, word):
                    found |= self._holding(name, word)
            there &= found | self._ids_holding(word)
        return np.flatnonzero(there)

    def order(self, column: str | None, positions: Any, falling: bool = False) -> np.ndarray:
        """Positions in the order of a column's values, equal ones as they were, missing ones last.

        None: of the data set itself.

        Raises
        ------
        ValueError
            If there is no such column.
        """
        at = np.asarray(positions, dtype=np.int64)
        if column is None:
            return at[::-1] if falling else at
        self.data.column(column)
        ranks, known = self._ranks(column)
        known, ranks = known[at], ranks[at]
        order = np.argsort(-ranks[known] if falling else ranks[known], kind="stable")
        return np.concatenate([at[known][order], at[~known]])

    def _ranks(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Numbers by which values are ordered; and which are not missing."""
        values = self.data.frame[name]
        known = values.notna().to_numpy()
        if pd.api.types.is_datetime64_any_dtype(values.dtype):
            return values.to_numpy(dtype="datetime64[us]").astype(np.int64), known
        if pd.api.types.is_integer_dtype(values.dtype):
            return values.to_numpy(), known
        if values.dtype != object:
            return values.to_numpy(dtype=float, na_value=np.nan), known
        codes, labels = pd.factorize(values.map(str, na_action="ignore").to_numpy(dtype=object))
        places = np.empty(len(labels) + 1, np.int64)
        places[np.argsort(labels.astype(str), kind="stable")] = np.arange(len(labels))
        return places[codes], known

    # -- words in columns

    def _may_hold(self, name: str, word: str) -> bool:
        """Whether a word can be part of a column's texts at all: most cannot be part of a number."""
        dtype = self.data.frame[name].dtype
        if pd.api.types.is_datetime64_any_dtype(dtype):
            return bool(DATE.fullmatch(word))
        if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype):
            return bool(NUMBER.fullmatch(word))
        return True

    def _holding(self, name: str, word: str) -> np.ndarray:
        import pyarrow as pa

        texts = self._texts_of(name)
        plain = self.data.frame[name].dtype.kind in "iufM"
        if not pa.types.is_dictionary(texts.type):
            return _match(texts, word, plain)
        found = np.append(_match(texts.dictionary, word, plain), False)  # the last for what is missing
        return found[texts.indices.fill_null(len(found) - 1).to_numpy(zero_copy_only=False)]

    def prepare(self) -> None:
        """Make the texts of all columns, as far as they can be kept: the first search need not wait for them."""
        for name in self.data.columns:
            if (len(self._texts) + 1) * len(self.data) > KEPT:
                return
            self._texts_of(name)

    def _texts_of(self, name: str) -> Any:
        with self._lock:
            texts = self._texts.get(name)
            if texts is None:
                texts = _encoded(_values(self.data.frame[name]), self._is_whole_day(name))
                if (len(self._texts) + 1) * len(self.data) <= KEPT:
                    self._texts[name] = texts
            return texts

    def _ids_holding(self, word: str) -> np.ndarray:
        """Rows whose id is the word: not those that only contain it, as short numbers are part of most ids."""
        index = self.data.frame.index
        if pd.api.types.is_integer_dtype(index.dtype):
            return index == int(word) if word.isdecimal() and len(word) < 19 else np.zeros(len(index), dtype=bool)
        return np.array([str(each).lower() == word.lower() for each in index], dtype=bool)

    def _is_whole_day(self, name: str) -> bool:
        """Whether all dates of a column are at midnight."""
        if name not in self._days:
            values = self.data.frame[name]
            dates = pd.api.types.is_datetime64_any_dtype(values.dtype)
            days = values.dropna().to_numpy(dtype="datetime64[us]") if dates else None
            self._days[name] = days is not None and bool((days == days.astype("datetime64[D]")).all())
        return self._days[name]


def split_words(words: str) -> list[str]:
    """What stands between commas, without blanks around it."""
    return [word for part in words.split(",") if (word := part.strip())]


def _match(texts: Any, word: str, plain: bool) -> np.ndarray:
    """Which texts hold a word; `plain`: they have no letters but those of numbers, which are small."""
    import pyarrow.compute as pc

    found = pc.match_substring(texts, word.lower() if plain else word, ignore_case=not plain)
    return found.fill_null(False).to_numpy(zero_copy_only=False)


def _values(values: pd.Series) -> Any:
    """A column as an Arrow array: of texts where it holds objects."""
    import pyarrow as pa

    if pd.api.types.is_bool_dtype(values.dtype) or values.dtype == object:
        texts = [None if value is None or value != value else str(value) for value in values]
        return pa.array(texts, pa.large_string())
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return pa.array(values.to_numpy(dtype="datetime64[us]"))
    return pa.array(values.to_numpy(), from_pandas=True)


def _texts(values: Any, whole_days: bool) -> Any:
    """What of an Arrow array is read."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_timestamp(values.type):
        seconds = values.null_count == len(values) or not pc.any(pc.not_equal(pc.microsecond(values), 0)).as_py()
        seconds = seconds and not pc.any(pc.not_equal(pc.millisecond(values), 0)).as_py()
        values = pc.cast(values, pa.date32() if whole_days else pa.timestamp("s" if seconds else "us"))
    return values if pa.types.is_large_string(values.type) else pc.cast(values, pa.string())


def _encoded(values: Any, whole_days: bool) -> Any:
    """Texts of an Arrow array; where there are few different values, as numbers of these."""
    import pyarrow as pa
    import pyarrow.compute as pc

    some = values.slice(0, 10_000)
    if len(pc.unique(some)) > FEW * len(some):
        return _texts(values, whole_days)
    found = pc.dictionary_encode(values)
    return pa.DictionaryArray.from_arrays(found.indices, _texts(found.dictionary, whole_days))
