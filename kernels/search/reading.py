"""The files that cells name, opened inside a pipeline: so that what is learned from them is learned inside folds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd


class Reader:
    """Opens the files of one column.

    Parameters
    ----------
    column : str
        For messages.
    kind : str
        Type of the column: "image", "text" or "timeseries".
    folder : str
        Where the names are looked up; a cell that holds a whole path is opened there instead.
    """

    def __init__(self, column: str, kind: str, folder: str) -> None:
        self.column, self.kind, self.folder = column, kind, folder

    def __eq__(self, other) -> bool:
        return isinstance(other, Reader) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.column, self.kind, self.folder))

    def __call__(self, cells: pd.Series) -> list[Any]:
        """What each cell names; None where it is missing, and the cell itself where it is no name."""
        return [self.open(path) if isinstance(path, Path) else path for path in self.paths(cells)]

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
        if not path.is_file():
            raise ValueError(f"{path}: no such {self.kind} file (column {self.column!r}, row {row!r})")
        return path

    def open(self, path: str | Path) -> Any:
        """One file: an array (image), a str (text) or a DataFrame (series)."""
        from . import media

        readers = {"image": media.read_image, "text": media.read_document, "timeseries": media.read_series}
        return readers[self.kind](Path(path))


def reader(data, column: str) -> Reader | None:
    """The reader of one column; None where its cells hold the values themselves."""
    about = data.columns[column]
    resource = data.resources.get(about.refers) if about.refers else None
    return None if resource is None else Reader(column, about.type, str(resource.folder))
