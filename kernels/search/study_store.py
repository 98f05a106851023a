"""The SQLite file of a study: its only truth. What is committed survives whatever happens to the process."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import store
from .smac_search import plain

KIND = "study"
APPLICATION = 0x4C565354  # "LVST"
VERSION = 1
FILE = "study.sqlite"
_INTERVAL = "interval:"  # and a number: the fact that holds a trial's interval
_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE trials (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL, config TEXT NOT NULL, name TEXT NOT NULL, source TEXT NOT NULL,
    fidelity REAL NOT NULL, seed INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', cost REAL,
    metrics TEXT NOT NULL DEFAULT '{}', fold_scores TEXT NOT NULL DEFAULT '[]', seconds REAL,
    fit_seconds REAL, score_seconds REAL, started REAL NOT NULL, finished INTEGER UNIQUE,
    kept INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE batches (
    number INTEGER PRIMARY KEY, told INTEGER NOT NULL, wanted INTEGER NOT NULL, seed INTEGER NOT NULL,
    asked REAL NOT NULL, seconds REAL, configs TEXT, used INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE runs (number INTEGER PRIMARY KEY, started REAL NOT NULL, seconds REAL, workers INTEGER NOT NULL)
"""


class StudyStore:
    """Trials, proposals and facts of one study; safe to use from several threads.

    Trials that ended never change: what was decoded of them is kept, and only the others are read again.

    Parameters
    ----------
    connection : sqlite3.Connection
    path : Path
        Of the SQLite file.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        connection.row_factory = sqlite3.Row
        self.path, self._connection = path, connection
        self._lock = threading.RLock()
        self._file = os.stat(path)
        self._rows: dict[int, dict[str, Any]] = {}
        self._seen: tuple[int, int] | None = None
        self._changes, self._ran = 0, (0, 0)

    @classmethod
    def create(cls, folder: Path) -> StudyStore:
        """A new file in `folder`."""
        path = folder / FILE
        return cls(store.create(path, KIND, APPLICATION, VERSION, _SCHEMA), path)

    @classmethod
    def open(cls, folder: Path) -> StudyStore:
        """The file in `folder`; only to be read where it cannot be written to.

        Raises
        ------
        FileNotFoundError, FileFormatError
            If there is none, or it is damaged or of another kind or version.
        """
        path = folder / FILE
        try:
            connection = store.open_existing(path, KIND, APPLICATION, VERSION, write=True)
        except store.StoreError:
            connection = store.open_existing(path, KIND, APPLICATION, VERSION)
        return cls(connection, path)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    # -- facts

    def fact(self, name: str) -> Any:
        """What was stored under `name`; None if nothing was."""
        rows = self._read("SELECT value FROM facts WHERE name = ?", name)
        return json.loads(rows[0]["value"]) if rows else None

    def set_fact(self, name: str, value: Any) -> None:
        self._write("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, json.dumps(value))

    # -- trials

    def begin(self, config: Mapping[str, Any], key: str, name: str, source: str, fidelity: float, seed: int) -> int:
        """Note that a trial starts; its number."""
        return self._write(
            "INSERT INTO trials (key, config, name, source, fidelity, seed, status, started) "
            "VALUES (?, ?, ?, ?, ?, ?, 'running', ?)",
            *(key, json.dumps(plain(config)), name, source, fidelity, seed, time.time()),
        )

    def finish(self, number: int, status: str, reason: str = "", **result: Any) -> None:
        """Note how a trial ended: cost, metrics, fold_scores, seconds, fit_seconds, score_seconds, kept."""
        given = {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in result.items()}
        names = "".join(f", {name} = ?" for name in given)
        # A killed trial does not count: it takes no place in the order in which trials finished.
        order = "NULL" if status == "killed" else "(SELECT coalesce(max(finished), 0) + 1 FROM trials)"
        sql = f"UPDATE trials SET status = ?, reason = ?, finished = {order}{names} WHERE number = ?"
        self._write(sql, status, reason, *given.values(), number)

    def trials(self) -> list[dict[str, Any]]:
        """Every trial by number, JSON decoded; `config_text` is the configuration as it stands. Not to be changed."""
        with self._lock:
            self._refresh()
            return list(self._rows.values())

    def version(self) -> tuple[int, int, int]:
        """Another one after every change of a trial or a run, by whatever process; of this object only."""
        with self._lock:
            self._refresh()
            return self._changes, *self._ran

    def _refresh(self) -> None:
        """Read what may have changed since last time: new trials, and those that ran then."""
        others = self._read("PRAGMA data_version")[0][0]  # changed by other connections, `total_changes` by this one
        stamp = (others, self._connection.total_changes)
        if stamp == self._seen:
            return
        running = [number for number, row in self._rows.items() if row["status"] == "running"]
        marks = ", ".join("?" * len(running))
        sql = f"SELECT * FROM trials WHERE number > ? OR number IN ({marks}) ORDER BY number"
        found = {row["number"]: _decoded(row) for row in self._read(sql, max(self._rows, default=0), *running)}
        self._changes += any(self._rows.get(number) != row for number, row in found.items())
        self._rows.update(found)
        self._ran = tuple(self._read("SELECT count(*), count(seconds) FROM runs")[0])
        self._seen = stamp

    def trial(self, number: int) -> dict[str, Any]:
        return _decoded(self._read("SELECT * FROM trials WHERE number = ?", number)[0])

    def abandon(self, reason: str) -> int:
        """End what a process left running, at the last moment that is known of it; how many trials were killed so."""
        with self._lock:
            for run in [run for run in self.runs() if run["seconds"] is None]:
                last = self._last_sign(run["started"])
                self._write("UPDATE runs SET seconds = ? WHERE number = ?", last - run["started"], run["number"])
            left = self._read("SELECT number, started FROM trials WHERE status = 'running'")
            for row in left:
                self.finish(row["number"], "killed", reason, seconds=self._last_sign(row["started"]) - row["started"])
            return len(left)

    def _last_sign(self, since: float) -> float:
        """When something last began or ended, of what began at `since` or later (time.time)."""
        sql = """SELECT max(moment) AS last FROM (
            SELECT started + coalesce(seconds, 0) AS moment FROM trials WHERE started >= ?1
            UNION SELECT asked + coalesce(seconds, 0) FROM batches WHERE asked >= ?1)"""
        return max(since, self._read(sql, since)[0]["last"] or since)

    # -- intervals of scores: drawn once by whoever shows them first

    def intervals(self) -> dict[int, tuple[float, float]]:
        """Low and high by number of the trial, as far as they were kept."""
        rows = self._read("SELECT name, value FROM facts WHERE name GLOB ?", _INTERVAL + "*")
        return {int(row["name"].removeprefix(_INTERVAL)): tuple(json.loads(row["value"])) for row in rows}

    def keep_intervals(self, found: Mapping[int, tuple[float, float]]) -> None:
        """Keep them for other processes, where this one may write."""
        values = [(f"{_INTERVAL}{number}", json.dumps(each)) for number, each in found.items()]
        with self._lock, contextlib.suppress(sqlite3.Error), self._connection:  # they can be drawn again
            self._connection.execute("BEGIN")
            self._connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", values)

    # -- proposals

    def ask(self, told: int, wanted: int, seed: int) -> int:
        """Note that proposals are asked for on the ground of the first `told` finished trials; the batch's number."""
        sql = "INSERT INTO batches (told, wanted, seed, asked) VALUES (?, ?, ?, ?)"
        return self._write(sql, told, wanted, seed, time.time())

    def answer(self, number: int, configs: list[dict[str, Any]], seconds: float) -> None:
        sql = "UPDATE batches SET configs = ?, seconds = ? WHERE number = ?"
        self._write(sql, json.dumps(configs), seconds, number)

    def batches(self) -> list[dict[str, Any]]:
        """Batches that still count, in order; `configs` None where there is no answer yet."""
        found = [dict(row) for row in self._read("SELECT * FROM batches WHERE used ORDER BY number")]
        return [{**row, "configs": None if row["configs"] is None else json.loads(row["configs"])} for row in found]

    def forget_batches(self) -> None:
        """Proposals so far are not to be tried any more."""
        self._write("UPDATE batches SET used = 0")

    # -- runs

    def begin_run(self, workers: int) -> int:
        return self._write("INSERT INTO runs (started, workers) VALUES (?, ?)", time.time(), workers)

    def end_run(self, number: int, seconds: float) -> None:
        self._write("UPDATE runs SET seconds = ? WHERE number = ?", seconds, number)

    def runs(self) -> list[dict[str, Any]]:
        return [dict(row) for row in self._read("SELECT * FROM runs ORDER BY number")]

    def _read(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock, store.readable(self.path, KIND):
            self._check_there()
            return self._connection.execute(sql, values).fetchall()

    def _check_there(self) -> None:
        """SQLite itself would go on with a file that has no name any more."""
        with contextlib.suppress(OSError):
            if os.path.samestat(os.stat(self.path), self._file):
                return
        raise store.StoreError(f"{self.path.parent}: this {KIND}'s folder was deleted or replaced while it was open")

    def _write(self, sql: str, *values: Any) -> int:
        """Commits at once; the id of a new row."""
        with self._lock:
            try:
                return int(self._connection.execute(sql, values).lastrowid or 0)
            except sqlite3.Error as error:
                raise store.StoreError(
                    f"{self.path}: the {KIND} could not be written: {error}; what it holds is kept"
                ) from error


def _decoded(row: sqlite3.Row) -> dict[str, Any]:
    found = {name: json.loads(row[name]) for name in ("config", "metrics", "fold_scores")}
    return {**row, "config_text": row["config"], **found}
