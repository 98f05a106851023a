"""Versioned SQLite and npz files: create, open, check, and one clear error when a file is not what it should be."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

SMALLEST = 512  # bytes of the smallest SQLite file there can be


class FileFormatError(ValueError):
    """A file is not what it was opened as; the message names the file and what was expected."""


class StoreError(OSError):
    """A file could not be written any further; the message names it and says what is kept."""


def create(path: Path, kind: str, application: int, version: int, schema: str) -> sqlite3.Connection:
    """A new SQLite file in WAL mode with `schema`; FileExistsError where one exists already."""
    if path.exists():
        raise FileExistsError(f"{path}: exists already; choose another name, or go on with it (resume)")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent}: no such folder to put the {kind} in")
    for left in ("-wal", "-shm"):  # of a file that was removed while it was written
        path.with_name(path.name + left).unlink(missing_ok=True)
    connection = _connect(path, "rwc")
    try:
        connection.execute("PRAGMA page_size = 32768")  # rows of some 2 kB waste little of a page this large
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(
            f"BEGIN; {schema}; PRAGMA application_id = {application}; PRAGMA user_version = {version}; COMMIT;"
        )
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error as error:
        connection.close()
        path.unlink(missing_ok=True)
        raise StoreError(f"{path}: could not create the {kind}: {error}") from error
    return connection


def open_existing(
    path: Path, kind: str, application: int, version: int | tuple[int, ...], write: bool = False
) -> sqlite3.Connection:
    """A checked connection to an existing file of the version, or one of the versions.

    Raises
    ------
    FileNotFoundError
        If there is none.
    FileFormatError
        If it is empty, truncated, no SQLite file, of another kind, or of a version this program does not know.
    """
    # The file is never opened but by SQLite: closing any other handle on it would drop the locks of this process.
    _check_size(path, kind)
    connection = _connect(path, "rw" if write else "ro")
    try:
        with readable(path, kind):
            try:
                found = connection.execute("PRAGMA application_id").fetchone()[0]
            except sqlite3.OperationalError as error:
                if write:
                    raise StoreError(f"{path}: cannot be written: {error}") from error
                connection.close()  # a WAL file in a folder we may not write to: nobody is writing it
                connection = _connect(path, "ro&immutable=1")
                found = connection.execute("PRAGMA application_id").fetchone()[0]
            if found != application:
                raise FileFormatError(f"{path}: a SQLite file, but not a LearnViews {kind}")
            _check_length(path, kind, connection)
            stored = connection.execute("PRAGMA user_version").fetchone()[0]
            known = version if isinstance(version, tuple) else (version,)
            if stored not in known:
                told = " and ".join(map(str, known))
                raise FileFormatError(
                    f"{path}: {kind} of schema version {stored}; this LearnViews reads version {told}"
                )
    except BaseException:
        connection.close()
        raise
    if write:
        connection.execute("PRAGMA synchronous = NORMAL")
    return connection


@contextlib.contextmanager
def readable(path: Path, kind: str) -> Iterator[None]:
    """Turns SQLite's complaints while reading into a FileFormatError that names the file."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
            raise FileFormatError(f"{path}: not a LearnViews {kind} (no SQLite file)") from error
        raise FileFormatError(f"{path}: damaged {kind}: {error}") from error


@contextlib.contextmanager
def understood(path: Path, kind: str, part: str) -> Iterator[None]:
    """Turns whatever decoding a damaged part raises into a FileFormatError that names file and part."""
    try:
        yield
    except (FileFormatError, LookupError) as error:
        if isinstance(error, KeyError | IndexError):
            raise FileFormatError(f"{path}: damaged {kind}: {part} lack something ({error!r})") from error
        raise
    except (ValueError, TypeError, AttributeError, zlib.error) as error:
        raise FileFormatError(f"{path}: damaged {kind}: {part} cannot be read ({error})") from error


class WriterLock:
    """One writer per file, for as long as it lives: a lock on a file beside it, which a killed process lets go.

    Raises
    ------
    StoreError
        At once, if another process holds it, or the folder cannot be written to.
    """

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path.resolve().with_name(path.resolve().name + "-lock")
        while True:
            try:
                self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            except OSError as error:
                raise StoreError(f"{path}: cannot be written: {error.strerror}") from error
            try:
                _flock(self._handle)
            except OSError as error:
                os.close(self._handle)
                raise StoreError(f"{path}: another process is writing this {kind}") from error
            if self.path.exists() and os.path.samestat(os.fstat(self._handle), self.path.stat()):
                return
            os.close(self._handle)  # its last holder took the file away while we waited for it

    def release(self) -> None:
        """Let others write; twice does no harm."""
        if self._handle >= 0:
            self.path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = -1


def _flock(handle: int, tries: int = 4) -> None:
    """Lock; more than once, as `is_locked` of somebody else may hold it for a moment."""
    for left in reversed(range(tries)):
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if not left:
                raise
            time.sleep(0.01)


def is_locked(path: Path) -> bool:
    """Whether some process, this one included, holds the `WriterLock` of a file."""
    lock = path.resolve().with_name(path.resolve().name + "-lock")
    try:
        handle = os.open(lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def array_columns(array: np.ndarray) -> tuple[str, str, np.ndarray]:
    """dtype and shape as text, and the array in little-endian order."""
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return little.dtype.str, " ".join(map(str, array.shape)), little


def shape_from_column(text: str) -> tuple[int, ...]:
    """The shape that `array_columns` wrote."""
    return tuple(int(n) for n in text.split())


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = path.resolve().as_uri() + f"?mode={mode}"
    try:
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=5)
    except sqlite3.Error as error:
        raise StoreError(f"{path}: could not be opened: {error}") from error


def _check_size(path: Path, kind: str) -> None:
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such {kind}")
    if path.is_dir():
        raise FileFormatError(f"{path}: a folder; expected a LearnViews {kind} (one file)")
    size = path.stat().st_size
    if size == 0:
        raise FileFormatError(f"{path}: empty file; expected a LearnViews {kind}")
    if size < SMALLEST:
        raise FileFormatError(f"{path}: not a LearnViews {kind} (no SQLite file)")


def _check_length(path: Path, kind: str, connection: sqlite3.Connection) -> None:
    log = path.resolve().with_name(path.resolve().name + "-wal")
    if log.exists() and log.stat().st_size:
        return  # pages may still be in the log
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    if path.stat().st_size < pages * size:
        raise FileFormatError(f"{path}: truncated {kind}: {path.stat().st_size} of {pages * size} bytes")


def write_npz(path: Path, kind: str, version: int, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> Path:
    """One compressed `.npz` file with a JSON header and no pickle; it appears whole or not at all.

    Raises
    ------
    StoreError
        If it cannot be written; what stood there before is kept.
    """
    text = json.dumps({"learnviews": kind, "version": version, **header}, allow_nan=True)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            everything: dict[str, Any] = {"header": np.frombuffer(text.encode(), np.uint8), **arrays}
            np.savez_compressed(file, **everything)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StoreError(f"{path}: could not write the {kind}: {error.strerror or error}") from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return path


def read_npz(path: Path, kind: str, version: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays of a file that `write_npz` wrote.

    Raises
    ------
    FileNotFoundError
        If there is none.
    FileFormatError
        If it is empty, truncated, no such file, of another kind, or of a version this program does not know.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such {kind}")
    if path.is_dir():
        raise FileFormatError(f"{path}: a folder; expected a LearnViews {kind} (one file)")
    if path.stat().st_size == 0:
        raise FileFormatError(f"{path}: empty file; expected a LearnViews {kind}")
    if not zipfile.is_zipfile(path):
        raise FileFormatError(f"{path}: not a LearnViews {kind}, or a damaged one (no npz file)")
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:  # np.load leaks what it opens
            arrays = {name: file[name] for name in file.files}
    except Exception as error:  # there is little that NumPy, zipfile and decompressors do not raise on hostile bytes
        raise FileFormatError(f"{path}: damaged {kind}: {error}") from error
    return _header(path, kind, version, arrays), arrays


def _header(path: Path, kind: str, version: int, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    try:
        header = json.loads(arrays.pop("header").tobytes().decode())
        found, stored = header.pop("learnviews"), header.pop("version")
    except (KeyError, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise FileFormatError(f"{path}: an npz file, but not a LearnViews {kind}") from error
    if found != kind:
        raise FileFormatError(f"{path}: a LearnViews {found}; expected a {kind}")
    if stored != version:
        raise FileFormatError(f"{path}: {kind} of version {stored}; this LearnViews reads version {version}")
    return header
