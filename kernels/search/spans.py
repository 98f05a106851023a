"""Parts of recordings: cells that name a file and from when to when, "bells.wav#t=1.5,3" (W3C Media Fragments).

D3M describes such data by two columns of role boundary beside the one that names the files.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from .data import Dataset

_SPAN = re.compile(r"(.+)#t=([0-9.]+),([0-9.]+)")
_BEGIN = re.compile(r"(?i)(.*[ _])?(start|begin|onset|from)([ _].*)?")
_ROLES = ("boundary", "interval")


def split(name: str | Path) -> tuple[Path, tuple[float, float] | None]:
    """The file that a cell names, and the seconds from and to which it is meant; None for all of it."""
    found = _SPAN.fullmatch(str(name))
    if found is None:
        return Path(name), None
    return Path(found[1]), (float(found[2]), float(found[3]))


def with_spans(data: Dataset) -> Dataset:
    """Sounds of a data set with the boundaries that are given for them; where there are none, or odd ones, as it is."""
    sounds = [name for name, column in data.columns.items() if column.type == "audio" and column.is_media]
    ends = [name for name, column in data.columns.items() if column.is_number and _is_boundary(column)]
    if len(sounds) != 1 or len(ends) != 2:
        return data
    begin, end = sorted(ends, key=lambda name: not _BEGIN.fullmatch(name))
    known = data.frame[[sounds[0], begin, end]].notna().all(axis=1) & (data.frame[end] > data.frame[begin])
    cells = data.frame[sounds[0]].copy()
    cells[known] = [
        f"{name}#t={a:g},{b:g}" for name, a, b in data.frame.loc[known, [sounds[0], begin, end]].itertuples(index=False)
    ]
    note = f"{int(known.sum()):,} rows are parts of their sounds, from {begin} to {end} in seconds"
    frame = data.frame.assign(**{sounds[0]: pd.Series(cells, data.frame.index, dtype=object)})
    return replace(data, frame=frame, notes=(*data.notes, note))


def _is_boundary(column) -> bool:
    return bool({column.role, *column.roles} & set(_ROLES))
