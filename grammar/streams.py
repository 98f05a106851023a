"""Streams: what the user chose, as HoloViews passes it to DynamicMaps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.streams import Stream


class BatchSelection(Stream):
    """Which recorded batch is looked at: the selected one, or for a moment the one under the pointer.

    A callback gets `selected` and `previewed`; `shown` says which of the two counts.
    """

    selected = param.Integer(default=0, bounds=(0, None), doc="Index of the selected batch.")
    previewed = param.Integer(
        default=None, bounds=(0, None), allow_None=True, doc="Index of the batch under the pointer, or None."
    )

    @property
    def shown(self) -> int:
        """Index of the batch to show: the previewed one where there is one, else the selected one."""
        return self.selected if self.previewed is None else self.previewed

    def preview(self, batch: int | None) -> None:
        """Preview a batch, or none; says nothing where nothing changes."""
        if batch != self.previewed:
            self.event(previewed=batch)

    def select(self, batch: int) -> None:
        """Select a batch; says nothing where nothing changes."""
        if batch != self.selected:
            self.event(selected=batch)


class RowSelection(Stream):
    """Rows of a table, by their ids: those under the pointer (`lit`, for a moment) and those clicked (`kept`).

    One of it links all views of the same rows, whatever each makes of them: bars, cells, points, lines of a table.
    Both are arrays; no rows is an empty array. `source` names who spoke last, so that a view need not answer itself.
    """

    lit = param.Array(default=np.zeros(0, dtype=object), doc="Ids of the rows under the pointer.")
    kept = param.Array(default=np.zeros(0, dtype=object), doc="Ids of the rows that were clicked.")
    source = param.String(default="", doc="Which view spoke last.")

    def __init__(self, **params: Any) -> None:
        super().__init__(**{name: _ids(value) if name != "source" else value for name, value in params.items()})

    @property
    def hashkey(self) -> dict[str, Any]:
        """What DynamicMaps tell selections apart by."""
        return {"lit": _hash(self.lit), "kept": _hash(self.kept)}

    def light(self, ids: Iterable[Any] | None, source: str = "") -> None:
        """These rows are under the pointer, or none are; says nothing where nothing changes."""
        self._become("lit", ids, source)

    def keep(self, ids: Iterable[Any] | None, source: str = "", add: bool = False) -> None:
        """These rows are selected.

        Parameters
        ----------
        add : bool
            Add them to those that are selected already; where all of them are, take them away.
        """
        chosen = _ids(ids)
        if add and len(chosen):
            before = pd.Index(self.kept)
            rest = before[~before.isin(chosen)]
            chosen = rest if len(before) - len(rest) == len(chosen) else before.append(pd.Index(chosen))
        self._become("kept", chosen, source)

    def clear(self, source: str = "") -> None:
        """No rows at all; says nothing where there are none."""
        if len(self.lit) or len(self.kept):
            self.event(lit=_ids(None), kept=_ids(None), source=source)

    def mask(self, index: Any, which: str = "kept") -> np.ndarray:
        """Which entries of `index` (the ids of a view's rows) are `kept`, or `lit`. (rows,) bool"""
        return pd.Index(index).isin(getattr(self, which))

    def _become(self, name: str, ids: Iterable[Any] | None, source: str) -> None:
        chosen = _ids(ids)
        if not _same(chosen, getattr(self, name)):
            self.event(**{name: chosen, "source": source})


def unsubscribe(stream: Stream, subscriber: Callable[..., None]) -> None:
    """Have a stream no longer call a subscriber, which HoloViews has no public way for."""
    stream._subscribers = [(at, each) for at, each in stream._subscribers if each != subscriber]


def _ids(ids: Iterable[Any] | None) -> np.ndarray:
    """Each id once, in its order: whole numbers as they are, for speed, all else as objects."""
    if getattr(ids, "ndim", 1) != 1:
        raise ValueError(f"ids of rows have one dimension, not {ids.ndim}")  # type: ignore[union-attr]
    whole = getattr(getattr(ids, "dtype", None), "kind", "O") in "iu"
    found = pd.Index(ids) if whole else pd.Index([] if ids is None else list(ids), dtype=object)
    return (found if found.is_monotonic_increasing and found.is_unique else found.unique()).to_numpy()


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return len(one) == len(other) and bool(pd.Index(one).equals(pd.Index(other)))


def _hash(ids: np.ndarray) -> int:
    return hash(tuple(ids))


class Playhead(Stream):
    """Where in a sound or video one is: the row that names it, and seconds from its beginning."""

    row = param.Parameter(default=None, doc="Id of the row, or None.")
    at = param.Number(default=0.0, bounds=(0, None), doc="Seconds from the beginning.")

    def seek(self, row: Any, at: float = 0.0) -> None:
        """Go there; told also where it is where one was already."""
        self.event(row=row, at=max(0.0, float(at)))
