"""Tables that are at hand: those the server was started with, and those somebody brought."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from learnviews.apps.tables import check_names, check_table, is_csv, is_table, read_csv, stem
from learnviews.kernels.progress import Progress

NAME = "table"  # in what is known about a model


@dataclass(frozen=True)
class Table:
    """A file with rows. `served`: its place means something to whoever started the server."""

    path: Path
    served: bool = True

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def stem(self) -> str:
        return stem(self.path)

    def about(self) -> dict[str, Any]:
        """What tells this file, as it is now, from others; FileNotFoundError if it is gone."""
        try:
            found = self.path.stat()
        except OSError as error:
            raise FileNotFoundError(f"{self.name}: the file is gone ({self.path})") from error
        place = str(self.path.resolve()) if self.served else ""
        return {"name": self.name, "path": place, "size": found.st_size, "modified": found.st_mtime_ns}


class Tables:
    """The tables of a server process, and the rows of each as a Parquet file.

    Parameters
    ----------
    paths : sequence of str
        What the server was started with; what is no table is passed over.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self.served = [Table(Path(path)) for path in paths if is_table(path) and not Path(path).is_dir()]
        self._brought: list[Table] = []
        self._converted: dict[str, Path] = {}
        self._lock = threading.RLock()
        self._reading: dict[Path, threading.Lock] = {}

    def get(self, path: str) -> Table | None:
        """The served table of this path."""
        return next((each for each in self.served if str(each.path) == path), None)

    def bring(self, table: Table) -> None:
        """A table that was uploaded is at hand."""
        with self._lock:
            self._brought.append(table)

    def forget(self, table: Table) -> None:
        """An uploaded table is at hand no longer; its rows are deleted."""
        with self._lock:
            self._brought = [each for each in self._brought if each is not table]
            converted = self._converted.pop(str(table.path), None)
        if converted is not None:
            converted.unlink(missing_ok=True)
        shutil.rmtree(table.path.parent, ignore_errors=True)

    def rows(self, table: Table, progress: Progress | None = None) -> Path:
        """The rows as a Parquet file: the file itself, or what a CSV file was turned into, once.

        Raises
        ------
        FileNotFoundError, ValueError
            If it is not what it says, or cannot be read; the message names the file.
        CancelledError
            If reading was cancelled.
        """
        about = table.about()
        try:
            check_table(table.path)
            if not is_csv(table.path):
                _check_columns(table)
                return table.path
            with self._lock:
                lock = self._reading.setdefault(table.path, threading.Lock())
            with lock:  # two sessions may want it at once
                return self._convert(table, about, progress)
        except (ValueError, OSError) as error:
            text = str(error).replace(str(table.path), table.name)
            raise (FileNotFoundError if isinstance(error, FileNotFoundError) else ValueError)(text) from error

    def _convert(self, table: Table, about: dict[str, Any], progress: Progress | None) -> Path:
        import pyarrow.parquet as parquet

        known = self._converted.get(str(table.path))
        target = folder() / f"{abs(hash(tuple(about.values()))):x}.parquet"
        if known == target and known.exists():
            return known
        rows = read_csv(table.path, progress)
        if not len(rows):
            raise ValueError(f"{table.path}: no rows, only a header with {len(rows.column_names)} names")
        part = target.with_suffix(".part")
        parquet.write_table(rows, part, row_group_size=1 << 18)
        part.replace(target)
        if known is not None:
            known.unlink(missing_ok=True)
        self._converted[str(table.path)] = target
        return target

    def of(self, about: Any) -> Table | None:
        """The table that a model says it was learned from, if it is at hand and has not changed."""
        if not isinstance(about, dict):
            return None
        for table in [*self.served, *self._brought]:
            try:
                if table.about() == about:
                    return table
            except FileNotFoundError:
                continue
        return None

    def ready(self, table: Table) -> Path | None:
        """The rows, if they can be read without turning a CSV file first."""
        if not is_csv(table.path):
            return table.path if table.path.exists() else None
        known = self._converted.get(str(table.path))
        return known if known is not None and known.exists() else None


def _check_columns(table: Table) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        with parquet.ParquetFile(table.path) as file:
            names, rows = list(file.schema_arrow.names), file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{table.path}: a Parquet file that cannot be read ({str(error).strip()})") from error
    check_names(names, str(table.path))
    if not rows:
        raise ValueError(f"{table.path}: no rows")


@lru_cache(1)
def folder() -> Path:
    """A folder of this process, which goes when the process does."""
    made = Path(tempfile.mkdtemp(prefix="learnviews-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
