"""The files that cells name, opened inside a pipeline: so that what is learned from them is learned inside folds."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from . import spans, stash
from .columns import Column


class Reader:
    """Opens the files of one column.

    Parameters
    ----------
    column : str
        For messages.
    kind : str
        Type of the column: "image", "text", "timeseries", "audio" or "video".
    folder : str
        Where the names are looked up; a cell that holds a whole path is opened there instead.
    types : tuple of (name, type)
        Of the columns of the files, where these are described.
    """

    def __init__(self, column: str, kind: str, folder: str, types: tuple[tuple[str, str], ...] = ()) -> None:
        self.column, self.kind, self.folder, self.types = column, kind, folder, types

    def __eq__(self, other) -> bool:
        return isinstance(other, Reader) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.column, self.kind, self.folder, self.types))

    def __call__(self, cells: pd.Series) -> list[Any]:
        """What each cell names; None where it is missing, and the cell itself where it is no name."""
        return [self._content(path, row) for row, path in zip(cells.index, self.paths(cells), strict=True)]

    def _content(self, path: Any, row: Any) -> Any:
        if not isinstance(path, Path):
            return path
        if self.kind != "text":  # tables and pictures are large, and their users keep what they make of them
            return self.open(path, row)
        return stash.of_file(path, "text", partial(self.open, path, row))

    def paths(self, cells: pd.Series) -> list[Any]:
        """The file of each cell; None where it is missing, and the cell itself where it is no name.

        Raises
        ------
        ValueError
            If a file is not there; the message names file, column and row.
        """
        return [self._path(row, cell) for row, cell in cells.items()]

    def _path(self, row, cell):
        if cell is None or isinstance(cell, float) or cell is pd.NA:
            return None
        if not isinstance(cell, (str, Path)):
            return cell
        path = Path(self.folder) / cell
        if not spans.split(path)[0].is_file():
            raise ValueError(f"{path}: no such {self.kind} file ({self._place(row)})")
        return path

    def _place(self, row) -> str:
        return f"column {self.column!r}, row {row!r}"

    def open(self, path: str | Path, row: Any = None, least: int = 0) -> Any:
        """One file: an array (image), a str (text), a DataFrame (series), a `Sound` (audio) or a small `Clip` (video).

        Parameters
        ----------
        path : path
        row : row id, optional
            For messages.
        least : int
            Pixels along a side that are enough of an image; a photograph is decoded faster at a smaller scale.

        Raises
        ------
        ValueError
            If it cannot be read; the message names file, column and row.
        """
        from . import clips, media, sounds

        try:
            if self.kind == "image":
                return media.read_image(Path(path), least)
            if self.kind == "text":
                return media.read_document(Path(path))
            if self.kind == "audio":
                return sounds.read_sound(Path(path), sounds.LONGEST)
            if self.kind == "video":
                return clips.read_clip(Path(path), side=2 * clips.SIDE)
            return media.read_series(Path(path), [Column(name, type_) for name, type_ in self.types])
        except (ValueError, OSError) as error:
            said = error if str(path) in str(error) else f"{path}: {error}"
            raise ValueError(f"{said} ({self._place(row)})") from error


def reader(data, column: str) -> Reader | None:
    """The reader of one column; None where its cells hold the values themselves."""
    about = data.columns[column]
    resource = data.resources.get(about.refers) if about.refers else None
    if resource is None:
        return None
    types = tuple((found.name, found.type) for found in resource.columns) if about.type == "timeseries" else ()
    return Reader(column, about.type, str(resource.folder), types)
