"""Recordings: what itemized gradients said while a net was trained, in one append-only file (`recording_file.py`)."""

from __future__ import annotations

import json
import platform
import sqlite3
import time
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import store
from ..arrays import as_numpy
from . import views
from .corpus import Corpus
from .flow import Flow, check_lags
from .inside import Inside
from .net import RecurrentNet
from .planes import packed, stored
from .recorded import batch_arrays, overview_numbers
from .recording_reader import OVERVIEW, RecordingReader
from .target import find_target
from .unroll import Run

__all__ = ["OVERVIEW", "Recording"]

COMMIT_SECONDS = 1.0
BUFFER, BUFFER_BYTES = 64, 32 << 20  # batches, and bytes of them, that wait at most to be written together


class Recording(RecordingReader):
    """A recording file. One process may write it; any number may read it meanwhile.

    Made by `Recording.create` (and then written by a `Trainer`) or by `TorchRecorder`, opened by `Recording.open`.
    `len(rec)` is the number of recorded batches, `rec[i]` one of them with its main parameter, `rec.view` one with any
    other, and iteration goes through all. Use it in a ``with`` statement, or call `close`.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, writer: store.WriterLock | None) -> None:
        super().__init__(path, connection, writer)
        self._committed = time.monotonic()
        self._waiting: list[tuple[int, int, dict[str, np.ndarray], Sequence[Inside]]] = []
        self._waiting_bytes = 0

    # -- making and opening ---------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        path: str | Path,
        net: RecurrentNet,
        corpus: Corpus,
        lags: int = 6,
        parameter: str = "weight_hh_l0",
        inside: bool = True,
    ) -> Recording:
        """A new, empty recording that a `Trainer` writes into.

        Parameters
        ----------
        lags : int
            How many losses ahead of each step are told apart.
        parameter : str
            The main parameter, which `rec[i]` is about.
        inside : bool
            Whether all other parameters of every layer and direction, gates and hidden units are recorded too. A batch
            takes some three times the space then, and about three training steps instead of one or two; in a
            bidirectional net of several layers, where losses reach a step from both sides, tens of them, which
            inside=False and a parameter of the last layer avoid.

        Raises
        ------
        FileExistsError
            If the file exists: nothing is ever overwritten.
        ValueError
            If `lags` is no positive whole number, or `parameter` cannot be itemized.
        """
        if net.inputs != len(corpus.symbols) or net.outputs != len(corpus.symbols):
            raise ValueError(
                f"the corpus has {len(corpus.symbols)} symbols; the net takes {net.inputs} and gives {net.outputs}"
            )
        recording = cls.new(path, net, lags, parameter, inside, corpus=corpus.name, characters=len(corpus))
        text = zlib.compress(corpus.text.encode("utf-8", "surrogatepass"), 6)
        with recording._storing():
            recording._run("INSERT INTO corpus VALUES (?, ?, ?)", (corpus.name, json.dumps(corpus.symbols), text))
        recording.commit()
        return recording

    @classmethod
    def new(
        cls, path: str | Path, net: RecurrentNet, lags: int, parameter: str, inside: bool, **settings: Any
    ) -> Recording:
        """A new recording without a corpus; raises as `create`."""
        if find_target(net, parameter).is_state:
            raise ValueError(f"parameter: a recording holds shares too, and {parameter!r} has no gradient to share")
        if lags is None:
            raise ValueError("lags must be a whole number: a recording has one shape, whatever its batches' lengths")
        check_lags(lags, max(lags, 1) if isinstance(lags, int) else 1)
        path = Path(path)
        recording = cls(path, *cls._connected(path, create=True, write=True))
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
            inside=bool(inside),
            versions=_versions(),
            created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            **{"source": "trainer", **settings},
        )
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
        recording = cls(path, *cls._connected(path, create=False, write=write))
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

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- writing --------------------------------------------------------------------------------------------------

    def set_settings(self, **settings: Any) -> None:
        """Add or replace settings."""
        rows = [(name, json.dumps(value)) for name, value in settings.items()]
        with self._storing():
            self._run_many("INSERT OR REPLACE INTO setting VALUES (?, ?)", rows)
        self._settings = None

    def append(
        self, step: int, position: int, run: Run, flow: Flow, state: Any, inside: Sequence[Inside] | None = None
    ) -> None:
        """Record one batch; written with its neighbours, at least once a second.

        inside: every strand (`itemize_inside`), in a recording that holds them.
        """
        self.append_arrays(step, position, batch_arrays(run, flow, state), inside)

    def append_arrays(
        self, step: int, position: int, arrays: dict[str, np.ndarray], inside: Sequence[Inside] | None
    ) -> None:
        """`append` for arrays under the names of `RecordedBatch`; those that are not known are left out."""
        if (inside is not None) != self.settings["inside"]:
            given = "that lack" if inside is None else "with"
            raise ValueError(f"{self.path}: a batch {given} the other parameters; inside={self.settings['inside']}")
        self._waiting.append((step, position, arrays, inside or ()))
        self._waiting_bytes += sum(a.nbytes for a in arrays.values()) + sum(i.share.nbytes for i in inside or ())
        full = len(self._waiting) >= BUFFER or self._waiting_bytes >= BUFFER_BYTES
        if full or time.monotonic() - self._committed > COMMIT_SECONDS:
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
            self._run_many("INSERT INTO snapshot_array VALUES (?, ?, ?, ?, ?)", rows)
        self.commit()

    def forget_after(self, step: int) -> None:
        """Drop what was recorded from training step `step` on: a resumed run records it again."""
        self._flush()
        self._count = None
        first = self._rows("SELECT coalesce(min(batch), -1) FROM overview WHERE step >= ?", (step,))[0][0]
        with self._storing():
            if first >= 0:
                self._run("DELETE FROM batch WHERE batch >= ?", (first,))
                self._run("DELETE FROM overview WHERE batch >= ?", (first,))
            if first >= 0 and self.settings["inside"]:
                self._run("DELETE FROM inside WHERE place >= ?", (first * len(self.strands),))
                self._run("DELETE FROM inside_overview WHERE batch >= ?", (first,))
                self._run("DELETE FROM inside_unit WHERE batch >= ?", (first,))
        self.commit()

    def commit(self) -> None:
        """Make everything recorded so far durable and visible to readers."""
        self._flush()
        with self._storing():
            self._connection.execute("COMMIT")
        self._begin()
        self._committed = time.monotonic()

    # -- what waits -----------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Write the batches that wait: whole-array work for all of them at once, one row each."""
        if not self._waiting:
            return
        steps, positions, batches, insides = zip(*self._waiting, strict=True)
        self._waiting, self._waiting_bytes = [], 0
        settings = self.settings
        most = settings.get("tokens") or max(settings["outputs"], settings["inputs"])
        token = np.min_scalar_type(most - 1).newbyteorder("<")
        self._check_fields({name: stored(name, array, token) for name, array in batches[0].items()})
        arrays = {name: np.stack([batch[name] for batch in batches]) for name in batches[0]}
        arrays = {name: stored(name, array, token) for name, array in arrays.items()}
        first, self._count = len(self), None
        numbers = range(first, first + len(steps))
        lags = self.lags(arrays["norm"].shape[2])
        rows = zip(numbers, steps, positions, *overview_numbers(arrays, lags), strict=True)
        blobs = zip(numbers, *packed(arrays), strict=True)
        with self._storing():
            self._run_many("INSERT INTO overview VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            self._run_many("INSERT INTO batch VALUES (?, ?, ?)", blobs)
            for strand, every in enumerate(zip(*insides, strict=True)):
                self._write_inside(numbers, strand, every, arrays.get("mask"))
        self._count = first + len(steps)

    def _write_inside(self, numbers: range, strand: int, insides: Sequence[Inside], mask: np.ndarray | None) -> None:
        cell, strands = self._cell, len(self._strand_names)
        parts = views.kept(cell, insides)
        places = (number * strands + strand for number in numbers)
        self._run_many("INSERT INTO inside VALUES (?, ?, ?)", zip(places, *packed(parts), strict=True))
        few = views.numbers(cell, parts, insides[0].lags, mask)
        rows = ((strand, number, row.tobytes()) for number, row in zip(numbers, few, strict=True))
        self._run_many("INSERT INTO inside_overview VALUES (?, ?, ?)", rows)
        units = views.kept_units(cell, insides)
        each = ((strand, e, n, units[e, i].tobytes()) for e in range(len(units)) for i, n in enumerate(numbers))
        self._run_many("INSERT INTO inside_unit VALUES (?, ?, ?, ?)", each)

    def _check_fields(self, arrays: dict[str, np.ndarray]) -> None:
        """The first batch sets dtypes and shapes; later ones must have the same."""
        found = [(name, array.dtype, array.shape) for name, array in arrays.items()]
        if self._fields and found != self._fields:
            raise ValueError(f"{self.path}: a batch of another shape: {found}; this recording holds {self._fields}")
        if not self._fields:
            rows = [(name, *store.array_columns(array)[:2]) for name, array in arrays.items()]
            with self._storing():
                self._run_many("INSERT INTO field (name, dtype, shape) VALUES (?, ?, ?)", rows)
            self._fields = found


def _versions() -> dict[str, str]:
    import numba

    from ... import __version__

    return {
        "learnviews": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }
