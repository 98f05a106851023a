"""Recordings: what itemized gradients said while a net was trained, in one append-only SQLite file.

Tables
    setting   how the run was made and with which versions (JSON values)
    corpus    the text that was learned from, so that a recording can go on anywhere
    field     name, dtype and shape of the arrays of a batch, in the order in which a blob holds them
    overview  one row per recorded batch, a few numbers, read as a whole
    batch     per recorded batch the byte planes of its arrays: `data` compressed, `noise` (low bits of floats) as it is
    snapshot  what resuming needs; `snapshot_array` holds its arrays
"""

from __future__ import annotations

import json
import platform
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import store
from ..arrays import as_numpy
from ..jit import jit
from .corpus import Corpus
from .flow import Flow, check_lags, mean_lag
from .items import valid_cells
from .net import RecurrentNet
from .target import find_target, lags_of
from .unroll import Run

KIND, APPLICATION, VERSION = "recording", 0x4C56524E, 1  # "LVRN"
ROUNDED = ("beyond", "share", "share_beyond")  # kept with 16 significant bits
STATES = ("state", "cell_state")  # fields that hold the states a batch started from
TOP = 3  # most probable symbols kept per step
COMMIT_SECONDS = 1.0
BUFFER = 64  # batches that wait at most to be written together
NET_SETTINGS = ("cell", "inputs", "hidden", "outputs", "embedding", "dtype")
DEEPER_SETTINGS = {"layers": 1, "bidirectional": False, "decoder": True}  # what they are in files that lack them
OVERVIEW = {
    "step": np.int64,
    "position": np.int64,
    "loss": np.float64,
    "max_gradient": np.float64,
    "mean_lag": np.float64,
    "correct": np.float64,
}
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
"""


@dataclass(frozen=True)
class RecordedBatch:
    """One recorded batch: T steps, K lags, B sequences.

    Floats are float32; beyond and the shares hold 16 significant bits of them, probabilities are float16.
    """

    number: int  # place in the recording
    step: int  # training step
    position: int  # first character of sequence 0 in the corpus
    inputs: np.ndarray  # (T, B) tokens
    targets: np.ndarray  # (T, B) tokens
    top: np.ndarray  # (T, B, 3) tokens, most probable first (fewer where the vocabulary is smaller)
    top_probability: np.ndarray  # (T, B, 3)
    loss: np.ndarray  # (T, B) nats
    norm: np.ndarray  # (T, K, B)
    lags: np.ndarray  # (K,) how many steps ahead of the state step each loss lies
    beyond: np.ndarray  # (T, B)
    share: np.ndarray  # (T, K, B)
    share_beyond: np.ndarray  # (T, B)
    state: Any  # (L*D, B, H) hidden state the batch started from; of an LSTM a pair (h, c) of such arrays

    @property
    def predicted(self) -> np.ndarray:
        """(T, B) tokens: the most probable symbol per step."""
        return self.top[:, :, 0]

    @property
    def valid(self) -> np.ndarray:
        """(T, K) bool: False where the loss would lie before the start or past the end of the batch."""
        return valid_cells(len(self.norm), self.lags)

    @property
    def total(self) -> float:
        """||G||^2, the squared norm of the whole gradient: what the shares add up to."""
        return float(self.share.sum(dtype=np.float64) + self.share_beyond.sum(dtype=np.float64))

    @property
    def max_cell(self) -> float:
        """The largest itemized gradient of the batch."""
        return float(self.norm.max())


class Recording:
    """A recording file. One process may write it; any number may read it meanwhile.

    Made by `Recording.create`, opened by `Recording.open`. `len(rec)` is the number of recorded batches, `rec[i]` one
    of them, and iteration goes through all. Use it in a ``with`` statement, or call `close`.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, writer: store.WriterLock | None) -> None:
        self.path, self.writing, self._writer = path, writer is not None, writer
        self._connection = connection
        self._lock = threading.RLock()
        self._committed = time.monotonic()
        self._fields: list[tuple[str, np.dtype, tuple[int, ...]]] = []
        self._settings: dict[str, Any] | None = None
        self._symbols: list[str] | None = None
        self._count: int | None = None  # batches written; known to the writer only
        self._waiting: list[tuple[int, int, dict[str, np.ndarray]]] = []

    # -- making and opening ---------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls, path: str | Path, net: RecurrentNet, corpus: Corpus, lags: int = 6, parameter: str = "weight_hh_l0"
    ) -> Recording:
        """A new, empty recording that a `Trainer` writes into.

        Raises
        ------
        FileExistsError
            If the file exists: nothing is ever overwritten.
        ValueError
            If `lags` is no positive whole number, or `parameter` cannot be itemized.
        """
        if find_target(net, parameter).is_state:
            raise ValueError(f"parameter: a recording holds shares too, and {parameter!r} has no gradient to share")
        check_lags(lags, max(lags, 1) if isinstance(lags, int) else 1)
        if net.inputs != len(corpus.symbols) or net.outputs != len(corpus.symbols):
            raise ValueError(
                f"the corpus has {len(corpus.symbols)} symbols; the net takes {net.inputs} and gives {net.outputs}"
            )
        path = Path(path)
        connection = store.create(path, KIND, APPLICATION, VERSION, SCHEMA)
        recording = cls(path, connection, store.WriterLock(path, KIND))
        recording._begin()
        recording.set_settings(
            cell=net.cell.name,
            inputs=net.inputs,
            hidden=net.hidden,
            outputs=net.outputs,
            embedding=net.embedding,
            dtype=net.dtype.name,
            layers=net.layers,
            bidirectional=net.bidirectional,
            decoder=net.decoder,
            lags=int(lags),
            parameter=parameter,
            corpus=corpus.name,
            characters=len(corpus),
            versions=_versions(),
            created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        )
        text = zlib.compress(corpus.text.encode("utf-8", "surrogatepass"), 6)
        with recording._storing():
            recording._run("INSERT INTO corpus VALUES (?, ?, ?)", (corpus.name, json.dumps(corpus.symbols), text))
        recording.commit()
        return recording

    @classmethod
    def open(cls, path: str | Path, write: bool = False) -> Recording:
        """An existing recording, to read or (`write=True`) to go on with.

        Raises
        ------
        FileNotFoundError, FileFormatError
            If there is no such file, or it is not a whole recording of a known version.
        StoreError
            With `write=True`, if another process is writing it.
        """
        path = Path(path)
        connection = store.open_existing(path, KIND, APPLICATION, VERSION, write)
        try:
            recording = cls(path, connection, store.WriterLock(path, KIND) if write else None)
        except BaseException:
            connection.close()
            raise
        try:
            recording.settings  # noqa: B018  a damaged table shows here, not at the first click
            recording._read_fields()
            if write:
                recording._begin()
        except BaseException:
            recording._release()
            raise
        return recording

    def close(self) -> None:
        """Commit what is open and close the file."""
        with self._lock:
            try:
                if self.writing and self._connection.in_transaction:
                    self._flush()
                    with self._storing():
                        self._connection.execute("COMMIT")
            finally:
                self._release()

    def _release(self) -> None:
        self._connection.close()
        if self._writer is not None:
            self._writer.release()

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- reading --------------------------------------------------------------------------------------------------

    @property
    def settings(self) -> dict[str, Any]:
        """How the run was made: net, corpus, trainer, versions."""
        if self._settings is None or not self.writing:
            rows = self._rows("SELECT name, value FROM setting")
            with self._understood("its settings"):
                self._settings = {name: json.loads(value) for name, value in rows}
        return self._settings

    @property
    def symbols(self) -> list[str]:
        """The vocabulary: the symbol of every token."""
        if self._symbols is None:
            rows = self._rows("SELECT symbols FROM corpus")
            with self._understood("its symbols"):
                self._symbols = [str(symbol) for symbol in json.loads(rows[0][0])]
        return self._symbols

    def corpus(self) -> Corpus:
        """The corpus that was learned from."""
        rows = self._rows("SELECT name, text FROM corpus")
        with self._understood("its corpus"):
            name, text = rows[0]
            return Corpus(zlib.decompress(text).decode("utf-8", "surrogatepass"), self.symbols, name)

    def __len__(self) -> int:
        if self._count is not None:
            return self._count
        return self._rows("SELECT coalesce(max(batch) + 1, 0) FROM overview")[0][0]

    def __iter__(self) -> Iterator[RecordedBatch]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, number: int) -> RecordedBatch:
        if not isinstance(number, int | np.integer):
            raise TypeError(f"expected the number of one batch, got {number!r}")
        wanted = number + len(self) if number < 0 else number
        rows = self._rows(
            "SELECT step, position, data, noise FROM batch JOIN overview USING (batch) WHERE batch = ?", (int(wanted),)
        )
        if not rows:
            raise IndexError(f"{self.path}: no batch {number}: {len(self)} are recorded")
        step, position, data, noise = rows[0]
        arrays = self._unpack(data, noise)
        with self._understood("its fields"):
            if "cell_state" in arrays:
                arrays["state"] = (arrays["state"], arrays.pop("cell_state"))  # type: ignore[assignment]
            return RecordedBatch(int(wanted), step, position, lags=self.lags(arrays["norm"].shape[1]), **arrays)

    def lags(self, columns: int) -> np.ndarray:
        """(columns,) int: the lag of every column of the norms."""
        settings = {**DEEPER_SETTINGS, **self.settings}
        return lags_of(settings["parameter"], settings["layers"], settings["bidirectional"], columns)

    def overview(self, start: int = 0) -> pd.DataFrame:
        """One row per recorded batch from number `start` on, indexed by batch number.

        Columns: step (training step), position (first character in the corpus), loss (mean nats per symbol),
        max_gradient (the tallest bar: the largest sum over lags of a step's norms), mean_lag (weighted by norm, over
        the steps whose later losses all lie inside the batch), correct (fraction of symbols predicted right).
        """
        names = ", ".join(OVERVIEW)
        rows = self._rows(f"SELECT batch, {names} FROM overview WHERE batch >= ? ORDER BY batch", (start,))
        columns = list(zip(*rows, strict=True)) if rows else [()] * (len(OVERVIEW) + 1)
        data = {
            name: np.array(column, dtype) for (name, dtype), column in zip(OVERVIEW.items(), columns[1:], strict=True)
        }
        return pd.DataFrame(data, index=pd.Index(np.array(columns[0], np.int64), name="batch"))

    def snapshots(self) -> pd.DataFrame:
        """Step of every snapshot and the number of batches recorded before it."""
        rows = self._rows("SELECT step, batches FROM snapshot ORDER BY step")
        return pd.DataFrame(rows, columns=["step", "batches"])

    def snapshot(self, step: int | None = None) -> tuple[int, dict[str, Any], dict[str, np.ndarray]] | None:
        """The last snapshot at or before `step` (the very last if None): its step, state and arrays."""
        limit = np.iinfo(np.int64).max if step is None else int(step)
        rows = self._rows("SELECT step, state FROM snapshot WHERE step <= ? ORDER BY step DESC LIMIT 1", (int(limit),))
        if not rows:
            return None
        found, state = rows[0]
        stored = self._rows("SELECT name, dtype, shape, data FROM snapshot_array WHERE step = ?", (found,))
        with self._understood("its snapshots"):
            arrays = {
                name: np.frombuffer(data, dtype).reshape(store.shape_from_column(shape)).copy()
                for name, dtype, shape, data in stored
            }
            return found, dict(json.loads(state)), arrays

    def net(self, step: int | None = None) -> RecurrentNet:
        """The net with the weights of the last snapshot at or before training step `step`.

        Raises
        ------
        LookupError
            If there is no such snapshot.
        """
        found = self.snapshot(step)
        if found is None:
            raise LookupError(f"{self.path}: no snapshot of the weights {'yet' if step is None else f'up to {step}'}")
        with self._understood("its snapshots"):
            settings = {**DEEPER_SETTINGS, **self.settings}
            options = {name: settings[name] for name in (*NET_SETTINGS, "layers", "bidirectional")}
            net = RecurrentNet(**options if settings["decoder"] else {**options, "outputs": None})
            net.flat[...] = found[2]["weights"]
        return net

    # -- writing --------------------------------------------------------------------------------------------------

    def set_settings(self, **settings: Any) -> None:
        """Add or replace settings."""
        rows = [(name, json.dumps(value)) for name, value in settings.items()]
        with self._storing():
            self._connection.executemany("INSERT OR REPLACE INTO setting VALUES (?, ?)", rows)
        self._settings = None

    def append(self, step: int, position: int, run: Run, flow: Flow, state: Any) -> None:
        """Record one batch; written with its neighbours, at least once a second."""
        self._waiting.append((step, position, _batch_arrays(run, flow, state)))
        if len(self._waiting) >= BUFFER or time.monotonic() - self._committed > COMMIT_SECONDS:
            self.commit()

    def add_snapshot(self, step: int, state: Mapping[str, Any], arrays: Mapping[str, Any], keep: bool) -> None:
        """Store what resuming needs. One that is not to be kept goes when the next one comes."""
        rows = []
        for name, array in arrays.items():
            dtype, shape, little = store.array_columns(as_numpy(array))
            rows.append((step, name, dtype, shape, little.tobytes()))  # weights hardly compress
        self._flush()
        with self._storing():
            self._run(
                "DELETE FROM snapshot_array WHERE step IN (SELECT step FROM snapshot WHERE NOT keep OR step = ?)",
                (step,),
            )
            self._run("DELETE FROM snapshot WHERE NOT keep OR step = ?", (step,))
            self._run("INSERT INTO snapshot VALUES (?, ?, ?, ?)", (step, len(self), keep, json.dumps(state)))
            self._connection.executemany("INSERT INTO snapshot_array VALUES (?, ?, ?, ?, ?)", rows)
        self.commit()

    def forget_after(self, step: int) -> None:
        """Drop what was recorded from training step `step` on: a resumed run records it again."""
        self._flush()
        self._count = None
        with self._storing():
            self._run("DELETE FROM batch WHERE batch IN (SELECT batch FROM overview WHERE step >= ?)", (step,))
            self._run("DELETE FROM overview WHERE step >= ?", (step,))
        self.commit()

    def commit(self) -> None:
        """Make everything recorded so far durable and visible to readers."""
        self._flush()
        with self._storing():
            self._connection.execute("COMMIT")
        self._begin()
        self._committed = time.monotonic()

    # -- inside ---------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """A writer holds the write transaction all the time: what is not committed yet is never seen."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise store.StoreError(f"{self.path}: could not be written ({error})") from error

    def _storing(self) -> Any:
        return _Storing(self)

    def _run(self, statement: str, values: tuple[Any, ...]) -> None:
        self._connection.execute(statement, values)

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock, store.readable(self.path, KIND):
            return self._connection.execute(query, values).fetchall()

    def _read_fields(self) -> None:
        rows = self._rows("SELECT name, dtype, shape FROM field ORDER BY place")
        with self._understood("its fields"):
            self._fields = [(name, np.dtype(dtype), store.shape_from_column(shape)) for name, dtype, shape in rows]

    def _flush(self) -> None:
        """Write the batches that wait: whole-array work for all of them at once, one row each."""
        if not self._waiting:
            return
        steps, positions, batches = zip(*self._waiting, strict=True)
        arrays = {name: np.stack([batch[name] for batch in batches]) for name in batches[0]}
        token = np.min_scalar_type(self.settings["outputs"] - 1).newbyteorder("<")
        arrays = {name: _stored(name, array, token) for name, array in arrays.items()}
        first = len(self)
        self._waiting, self._count = [], None
        self._check_fields({name: array[0] for name, array in arrays.items()})
        numbers = range(first, first + len(steps))
        lags = self.lags(arrays["norm"].shape[2])
        rows = zip(numbers, steps, positions, *_overview(arrays, lags), strict=True)
        blobs = zip(numbers, *_packed(arrays), strict=True)
        with self._storing():
            self._connection.executemany("INSERT INTO overview VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            self._connection.executemany("INSERT INTO batch VALUES (?, ?, ?)", blobs)
        self._count = first + len(steps)

    def _check_fields(self, arrays: dict[str, np.ndarray]) -> None:
        """The first batch sets dtypes and shapes; later ones must have the same."""
        found = [(name, array.dtype, array.shape) for name, array in arrays.items()]
        if self._fields and found != self._fields:
            raise ValueError(f"{self.path}: a batch of another shape: {found}; this recording holds {self._fields}")
        if not self._fields:
            rows = [(name, *store.array_columns(array)[:2]) for name, array in arrays.items()]
            with self._storing():
                self._connection.executemany("INSERT INTO field (name, dtype, shape) VALUES (?, ?, ?)", rows)
            self._fields = found

    def _unpack(self, data: bytes, noise: bytes) -> dict[str, np.ndarray]:
        if not self._fields:
            self._read_fields()
        with self._understood("a batch's arrays"):
            sources = {True: memoryview(noise), False: memoryview(zlib.decompress(data))}
            arrays = {}
            for name, dtype, shape in self._fields:
                size = int(np.prod(shape))
                planes = np.empty((size, dtype.itemsize), np.uint8)
                for plane in range(dtype.itemsize):
                    which = plane in _noise_planes(name, dtype)
                    planes[:, plane] = np.frombuffer(sources[which][:size], np.uint8)
                    sources[which] = sources[which][size:]
                arrays[name] = planes.view(dtype).reshape(shape)
        return arrays

    def _understood(self, part: str) -> AbstractContextManager[None]:
        return store.understood(self.path, KIND, part)


class _Storing:
    """Turns a failed write into a StoreError that says what is kept."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def __enter__(self) -> None:
        if not self.recording.writing:
            raise ValueError(f"{self.recording.path}: opened for reading; open it with write=True to go on with it")
        self.recording._lock.acquire()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self.recording._lock.release()
        if isinstance(error, sqlite3.Error):
            path = self.recording.path
            raise store.StoreError(f"{path}: could not be written ({error}); what was committed is kept") from error


def _batch_arrays(run: Run, flow: Flow, state: Any) -> dict[str, np.ndarray]:
    top, probability = _most_probable(as_numpy(run.p))
    states = state if isinstance(state, tuple) else (state,)
    return {
        "inputs": as_numpy(run.x),
        "targets": as_numpy(run.y),
        "top": top,
        "top_probability": probability,
        "loss": as_numpy(run.loss),
        "norm": as_numpy(flow.norm),
        "beyond": as_numpy(flow.beyond),
        "share": as_numpy(flow.share),
        "share_beyond": as_numpy(flow.share_beyond),
        **{name: as_numpy(part) for name, part in zip(STATES, states, strict=False)},
    }


def _stored(name: str, array: np.ndarray, token: np.dtype) -> np.ndarray:
    """The array in the precision in which it is kept."""
    if array.dtype.kind in "iu":
        return array.astype(token)
    if name == "top_probability":
        return array.astype("<f2")
    if name in STATES:
        return array.astype(array.dtype.newbyteorder("<"))
    array = array.astype("<f4")
    if name in ROUNDED:  # 16 significant bits: an empty byte plane costs nothing on disk
        array = ((array.view("<u4") + np.uint32(0x80)) & np.uint32(0xFFFFFF00)).view("<f4")
    return array


def _packed(arrays: dict[str, np.ndarray]) -> tuple[Iterator[bytes], Iterator[bytes]]:
    """Data and noise of every batch: byte planes behind one another, which compress better than numbers."""
    count = len(arrays["loss"])
    parts: dict[bool, list[np.ndarray]] = {True: [], False: []}
    for name, array in arrays.items():
        planes = np.ascontiguousarray(array).view(np.uint8).reshape(count, -1, array.itemsize)
        for plane in range(array.itemsize):
            parts[plane in _noise_planes(name, array.dtype)].append(planes[:, :, plane])
    noise, data = np.concatenate(parts[True], axis=1), np.concatenate(parts[False], axis=1)
    return (zlib.compress(row.tobytes(), 1) for row in data), (row.tobytes() for row in noise)


def _noise_planes(name: str, dtype: np.dtype) -> tuple[int, ...]:
    """Byte planes that hold the low bits of a mantissa: no compressor makes them smaller."""
    if dtype.kind != "f":
        return ()
    if name in ROUNDED:
        return (1,)  # plane 0 was rounded away
    return tuple(range(dtype.itemsize - 2)) if dtype.itemsize > 2 else (0,)


def _most_probable(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tokens and probabilities (T, B, TOP), most probable first."""
    shape = (*p.shape[:2], min(TOP, p.shape[2]))
    tokens, probability = np.empty(shape, np.intp), np.empty(shape, p.dtype)
    _most_probable_loop(p, tokens, probability)
    return tokens, probability


@jit
def _most_probable_loop(p, tokens, probability):
    """One pass per row; a symbol that comes first in the vocabulary wins a tie."""
    count = tokens.shape[2]
    for t in range(p.shape[0]):
        for b in range(p.shape[1]):
            best, chosen = probability[t, b], tokens[t, b]
            best[:] = -1
            for v in range(p.shape[2]):
                if p[t, b, v] <= best[count - 1]:
                    continue
                place = count - 1
                while place > 0 and p[t, b, v] > best[place - 1]:
                    best[place], chosen[place] = best[place - 1], chosen[place - 1]
                    place -= 1
                best[place], chosen[place] = p[t, b, v], v


def _overview(arrays: dict[str, np.ndarray], lags: np.ndarray) -> list[list[float]]:
    """loss, max_gradient, mean_lag, correct of every batch."""
    count = len(arrays["loss"])
    norm = arrays["norm"].astype(np.float64)
    right = arrays["top"][..., 0] == arrays["targets"]
    columns = (
        arrays["loss"].reshape(count, -1).mean(axis=1, dtype=np.float64),
        norm.sum(axis=2).reshape(count, -1).max(axis=1),
        mean_lag(norm, lags),
        right.reshape(count, -1).mean(axis=1),
    )
    return [column.tolist() for column in columns]


def _versions() -> dict[str, str]:
    import numba

    from ... import __version__

    return {
        "learnviews": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }
