"""The SQLite file of a study: its only truth. What is committed survives whatever happens to the process."""

from __future__ import annotations

import json
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
        """Every trial by number, JSON decoded."""
        return [_decoded(row) for row in self._read("SELECT * FROM trials ORDER BY number")]

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
            return self._connection.execute(sql, values).fetchall()

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
    return {**row, **{name: json.loads(row[name]) for name in ("config", "metrics", "fold_scores")}}
