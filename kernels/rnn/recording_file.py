"""The SQLite file of a recording: its tables, one writer with its open transaction, readers beside it.

Tables
    setting   how the run was made and with which versions (JSON values)
    corpus    the text that was learned from, so that a recording can go on anywhere
    field     name, dtype and shape of the arrays of a batch, in the order in which a blob holds them
    overview  one row per recorded batch, a few numbers, read as a whole
    batch     per recorded batch the byte planes of its arrays: `data` compressed, `noise` (low bits of floats) as it is
    snapshot  what resuming needs; `snapshot_array` holds its arrays

and, from version 2 on, for every strand (see `views.py`)
    inside           per batch and strand (place = batch * strands + strand) the arrays that views are read off
    inside_overview  max_gradient and mean_lag of every view
    inside_unit      norm and share of every hidden unit, per entry of `views.entries`
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from .. import store

KIND, APPLICATION, VERSION = "recording", 0x4C56524E, 2  # "LVRN"
READABLE = (1, VERSION)
SCHEMA = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE corpus (name TEXT NOT NULL, symbols TEXT NOT NULL, text BLOB NOT NULL);
CREATE TABLE field (place INTEGER PRIMARY KEY, name TEXT NOT NULL, dtype TEXT NOT NULL, shape TEXT NOT NULL);
CREATE TABLE overview (batch INTEGER PRIMARY KEY, step INTEGER NOT NULL, position INTEGER NOT NULL,
                       loss REAL, max_gradient REAL, mean_lag REAL, correct REAL);
CREATE TABLE batch (batch INTEGER PRIMARY KEY, data BLOB NOT NULL, noise BLOB NOT NULL);
CREATE TABLE snapshot (step INTEGER PRIMARY KEY, batches INTEGER NOT NULL, keep INTEGER NOT NULL, state TEXT NOT NULL);
CREATE TABLE snapshot_array (step INTEGER NOT NULL, name TEXT NOT NULL, dtype TEXT NOT NULL, shape TEXT NOT NULL,
                             data BLOB NOT NULL, PRIMARY KEY (step, name));
CREATE TABLE inside (place INTEGER PRIMARY KEY, data BLOB NOT NULL, noise BLOB NOT NULL);
CREATE TABLE inside_overview (strand INTEGER NOT NULL, batch INTEGER NOT NULL, numbers BLOB NOT NULL,
                              PRIMARY KEY (strand, batch)) WITHOUT ROWID;
CREATE TABLE inside_unit (strand INTEGER NOT NULL, entry INTEGER NOT NULL, batch INTEGER NOT NULL,
                          numbers BLOB NOT NULL, PRIMARY KEY (strand, entry, batch)) WITHOUT ROWID;
"""


class RecordingFile:
    """A recording's connection. One process may write it; any number may read it meanwhile."""

    def __init__(self, path: Path, connection: sqlite3.Connection, writer: store.WriterLock | None) -> None:
        self.path, self.writing, self._writer = path, writer is not None, writer
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def _connected(cls, path: Path, create: bool, write: bool) -> tuple[sqlite3.Connection, store.WriterLock | None]:
        if create:
            connection = store.create(path, KIND, APPLICATION, VERSION, SCHEMA)
        else:
            connection = store.open_existing(path, KIND, APPLICATION, READABLE, write)
        try:
            return connection, store.WriterLock(path, KIND) if write else None
        except BaseException:
            connection.close()
            raise

    def _release(self) -> None:
        self._connection.close()
        if self._writer is not None:
            self._writer.release()

    def _begin(self) -> None:
        """A writer holds the write transaction all the time: what is not committed yet is never seen."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise store.StoreError(f"{self.path}: could not be written ({error})") from error

    def _storing(self) -> Storing:
        return Storing(self)

    def _run(self, statement: str, values: tuple[Any, ...]) -> None:
        self._connection.execute(statement, values)

    def _run_many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self._connection.executemany(statement, rows)

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock, store.readable(self.path, KIND):
            return self._connection.execute(query, values).fetchall()

    def _understood(self, part: str) -> AbstractContextManager[None]:
        return store.understood(self.path, KIND, part)


class Storing:
    """Turns a failed write into a StoreError that says what is kept."""

    def __init__(self, file: RecordingFile) -> None:
        self.file = file

    def __enter__(self) -> None:
        if not self.file.writing:
            raise ValueError(f"{self.file.path}: opened for reading; open it with write=True to go on with it")
        self.file._lock.acquire()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self.file._lock.release()
        if isinstance(error, sqlite3.Error):
            raise store.StoreError(
                f"{self.file.path}: could not be written ({error}); what was committed is kept"
            ) from error
