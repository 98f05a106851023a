"""Reading a recording: settings, batches and their views, overviews, hidden units, snapshots."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import store
from . import views
from .cells import Cell, cell_named
from .corpus import Corpus
from .net import RecurrentNet
from .planes import Field, from_three_bytes, single, unpacked
from .recorded import RecordedBatch
from .recording_file import RecordingFile
from .target import lags_of

NET_SETTINGS = ("cell", "inputs", "hidden", "outputs", "embedding", "dtype", "layers", "bidirectional")
DEFAULTS = {"layers": 1, "bidirectional": False, "decoder": True, "source": "trainer", "inside": False}  # in old files
OVERVIEW = {
    "step": np.int64,
    "position": np.int64,
    "loss": np.float64,
    "max_gradient": np.float64,
    "mean_lag": np.float64,
    "correct": np.float64,
}


class RecordingReader(RecordingFile):
    """What a recording holds, read off its tables as it is asked for."""

    def __init__(self, path: Path, connection: sqlite3.Connection, writer: store.WriterLock | None) -> None:
        super().__init__(path, connection, writer)
        self._fields: list[Field] = []
        self._settings: dict[str, Any] | None = None
        self._symbols: list[str] | None = None
        self._count: int | None = None  # batches written; known to the writer only

    # -- how it was made ------------------------------------------------------------------------------------------

    @property
    def settings(self) -> dict[str, Any]:
        """How the run was made: net, corpus, trainer, versions. "source": "trainer" or "torch"."""
        if self._settings is None or not self.writing:
            rows = self._rows("SELECT name, value FROM setting")
            with self._understood("its settings"):
                self._settings = {**DEFAULTS, **{name: json.loads(value) for name, value in rows}}
        return self._settings

    @property
    def symbols(self) -> list[str] | None:
        """The vocabulary: the symbol of every token. None where a foreign training loop has no tokens."""
        if self._symbols is None:
            if self.settings["source"] != "trainer":
                return self._called("symbols")
            rows = self._rows("SELECT symbols FROM corpus")
            with self._understood("its symbols"):
                self._symbols = [str(symbol) for symbol in json.loads(rows[0][0])]
        return self._symbols

    @property
    def target_symbols(self) -> list[str] | None:
        """The vocabulary of targets and predictions, where it is another one than that of the inputs."""
        given = self._called("target_symbols") if self.settings["source"] != "trainer" else None
        return self.symbols if given is None else given

    def _called(self, field: str) -> list[str] | None:
        """Names of tokens in a recording without a corpus: given ones, or numbers where it is known how many."""
        settings = self.settings
        given, own = settings.get(field), "input_tokens" if field == "symbols" else "target_tokens"
        with self._understood("its symbols"):
            if given is not None:
                return [str(symbol) for symbol in given]
            count = settings.get(own)
            if field == "symbols" and count is None:
                count = settings.get("target_tokens")
            if field == "target_symbols" and count == settings.get("input_tokens"):
                return None
            return None if count is None else [str(token) for token in range(count)]

    def corpus(self) -> Corpus:
        """The corpus that was learned from.

        Raises
        ------
        LookupError
            If the recording is of a foreign training loop, whose data it does not hold.
        """
        if self.settings["source"] != "trainer":
            raise LookupError(f"{self.path}: a recording of a PyTorch training loop holds no corpus")
        rows = self._rows("SELECT name, text FROM corpus")
        with self._understood("its corpus"):
            name, text = rows[0]
            return Corpus(zlib.decompress(text).decode("utf-8", "surrogatepass"), self.symbols, name)

    @property
    def gates(self) -> tuple[str, ...]:
        """The gates that can be looked at alone: r, z, n of a GRU, i, f, g, o of an LSTM."""
        return self._cell.gate_names if self.settings["inside"] else ()

    @property
    def strands(self) -> list[str]:
        """The layers and directions that can be looked at: "l0", "l0_reverse", "l1", ..."""
        return self._strand_names if self.settings["inside"] else [views.split(self._main)[1]]

    @property
    def parameters(self) -> list[str]:
        """The parameters that can be looked at: those of every strand in PyTorch's order, or the main one alone."""
        if not self.settings["inside"]:
            return [self._main]
        return views.parameter_names(self._strand_names)

    def lags(self, columns: int, parameter: str | None = None) -> np.ndarray:
        """(columns,) int: the lag of every column of a parameter's norms; of the main one if None."""
        settings = self.settings
        with self._understood("its settings"):
            name = self._main if parameter is None else parameter
            return lags_of(name, settings["layers"], settings["bidirectional"], columns)

    def lags_of_strand(self, strand: str) -> np.ndarray:
        """The lags of every column of its parameters' norms."""
        return self.lags(self._columns(self._strand_names.index(strand)), f"weight_hh_{strand}")

    @property
    def field_names(self) -> list[str]:
        """The arrays of a batch; none before the first one is written."""
        return [name for name, _, _ in self._fields]

    @property
    def batch_shape(self) -> tuple[int, int] | None:
        """Steps and sequences of every batch, or None before the first one is written."""
        return next(((shape[0], shape[1]) for name, _, shape in self._fields if name == "loss"), None)

    # -- reading --------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        if self._count is not None:
            return self._count
        return self._rows("SELECT coalesce(max(batch) + 1, 0) FROM overview")[0][0]

    def __iter__(self) -> Iterator[RecordedBatch]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, number: int) -> RecordedBatch:
        if not isinstance(number, int | np.integer):
            raise TypeError(f"expected the number of one batch, got {number!r}")
        wanted = int(number) + len(self) if number < 0 else int(number)
        step, position, arrays = self._batch(number, wanted)
        with self._understood("its fields"):
            lags = self.lags(arrays["norm"].shape[1])
            return RecordedBatch(wanted, step, position, lags=lags, parameter=self._main, **arrays)

    def view(self, number: int, parameter: str | None = None, gate: str | None = None) -> RecordedBatch:
        """One recorded batch with the itemized gradients of any parameter.

        Parameters
        ----------
        parameter : str, optional
            One of `parameters`; the main one if absent.
        gate : str, optional
            One of `gates`: that gate's rows of the parameter alone.

        Raises
        ------
        ValueError
            Listing what the recording holds, if there is no such parameter or gate.
        IndexError
            If there is no such batch.
        """
        parameter = self._checked(parameter, gate)
        if gate is None and parameter == self._main:
            return self[number]
        wanted = int(number) + len(self) if number < 0 else int(number)
        step, position, arrays = self._batch(number, wanted)
        kind, strand = views.split(parameter)
        with self._understood("its inside"):
            parts, lags = self._inside(wanted, strand, arrays["loss"].shape)
            arrays |= {name: single(a) for name, a in views.view_of(self._cell, parts, kind, gate).items()}
            return RecordedBatch(wanted, step, position, lags=lags, parameter=parameter, gate=gate, **arrays)

    def overview(self, start: int = 0, parameter: str | None = None, gate: str | None = None) -> pd.DataFrame:
        """One row per recorded batch from number `start` on, indexed by batch number.

        Columns: step (training step), position (first character in the corpus), loss (mean nats per symbol),
        max_gradient (the tallest bar: the largest sum over lags of a step's norms), mean_lag (weighted by norm, over
        the steps whose later losses all lie inside the batch), correct (fraction of symbols predicted right).
        max_gradient and mean_lag are those of the parameter and gate, given and checked as for `view`.
        """
        parameter = self._checked(parameter, gate)
        names = ", ".join(OVERVIEW)
        rows = self._rows(f"SELECT batch, {names} FROM overview WHERE batch >= ? ORDER BY batch", (start,))
        columns = list(zip(*rows, strict=True)) if rows else [()] * (len(OVERVIEW) + 1)
        data = {
            name: np.array(column, dtype) for (name, dtype), column in zip(OVERVIEW.items(), columns[1:], strict=True)
        }
        if gate is not None or parameter != self._main:
            data["max_gradient"], data["mean_lag"] = self._numbers(start, len(rows), parameter, gate)
        return pd.DataFrame(data, index=pd.Index(np.array(columns[0], np.int64), name="batch"))

    def units(self, parameter: str | None = None, gate: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """What every hidden unit has to do with a parameter's gradient, batch by batch.

        Arguments as for `view`.

        Returns
        -------
        norm : (batches, H) float32
            Root of the sum of squares, over steps, kept lags and sequences, of the norms of the unit's rows.
        share : (batches, H) float32
            Sum of the unit's signed shares of ||G||^2, over the same.

        Raises
        ------
        ValueError
            As `view`.
        LookupError
            If the recording holds nothing but its main parameter.
        """
        parameter = self._checked(parameter, gate)
        if not self.settings["inside"]:
            raise LookupError(f"{self.path}: this recording holds {parameter} as a whole and no hidden units")
        kind, strand = views.split(parameter)
        batches, found = len(self), []
        for entry in views.entries_of(self._cell, kind, gate):
            key = (self.strands.index(strand), entry, batches)
            rows = self._rows(
                "SELECT numbers FROM inside_unit WHERE strand = ? AND entry = ? AND batch < ? ORDER BY batch", key
            )
            with self._understood("its units"):
                shape = (batches, 2, self.settings["hidden"])
                found.append(from_three_bytes(b"".join(row[0] for row in rows), shape))
        both = np.stack(found)
        return views.units_of(both[:, :, 0], both[:, :, 1])

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
        arrays = self._rows("SELECT name, dtype, shape, data FROM snapshot_array WHERE step = ?", (found,))
        with self._understood("its snapshots"):
            return found, dict(json.loads(state)), dict(_named_array(*row) for row in arrays)

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
            settings = self.settings
            options = {name: settings[name] for name in NET_SETTINGS}
            net = RecurrentNet(**options if settings["decoder"] else {**options, "outputs": None})
            net.flat[...] = found[2]["weights"]
        return net

    # -- inside ---------------------------------------------------------------------------------------------------

    @property
    def _cell(self) -> Cell:
        with self._understood("its settings"):
            return cell_named(self.settings["cell"])

    @property
    def _main(self) -> str:
        with self._understood("its settings"):
            parameter = self.settings["parameter"]
            if parameter not in views.parameter_names(self._strand_names):
                raise ValueError(f"no parameter {parameter!r}")
            return parameter

    @property
    def _strand_names(self) -> list[str]:
        with self._understood("its settings"):
            return views.strand_names(self.settings["layers"], self.settings["bidirectional"])

    def _checked(self, parameter: str | None, gate: str | None) -> str:
        """The parameter by its name; ValueError lists what there is."""
        parameter = self._main if parameter is None else parameter
        if parameter not in self.parameters:
            raise ValueError(f"{self.path}: parameter must be one of {self.parameters}, got {parameter!r}")
        if gate is not None and gate not in self.gates:
            known = f"one of {list(self.gates)}" if self.gates else "None, as this recording holds no gates"
            raise ValueError(f"{self.path}: gate must be {known}, got {gate!r}")
        return parameter

    def _batch(self, number: int, wanted: int) -> tuple[int, int, dict[str, Any]]:
        """Step, position and arrays of a batch under the names of `RecordedBatch`."""
        rows = self._rows(
            "SELECT step, position, data, noise FROM batch JOIN overview USING (batch) WHERE batch = ?", (wanted,)
        )
        if not rows:
            raise IndexError(f"{self.path}: no batch {number}: {len(self)} are recorded")
        if not self._fields:
            self._read_fields()
        step, position, data, noise = rows[0]
        with self._understood("a batch's arrays"):
            arrays: dict[str, Any] = unpacked(self._fields, data, noise)
            if "cell_state" in arrays:
                arrays["state"] = (arrays["state"], arrays.pop("cell_state"))
            if "mask" in arrays:
                mask = arrays.pop("mask").astype(bool)
                arrays["mask"] = None if mask.all() else mask
            return step, position, arrays

    def _inside(self, number: int, strand: str, shape: tuple[int, ...]) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """The parts that views of a strand are read off, and its lags."""
        index = self._strand_names.index(strand)
        place = number * len(self._strand_names) + index
        rows = self._rows("SELECT data, noise FROM inside WHERE place = ?", (place,))
        if not rows:
            raise ValueError(f"batch {number} has none")
        columns, (T, B) = self._columns(index), shape
        parts = unpacked(views.fields(self._cell, T, columns, B), *rows[0])
        return parts, self.lags(columns, f"weight_hh_{strand}")

    def _columns(self, strand: int) -> int:
        """How many lags a strand's losses lie at: on both sides below the last layer of a bidirectional net."""
        settings = self.settings
        below = settings["bidirectional"] and strand < 2 * (settings["layers"] - 1)
        return 2 * settings["lags"] - 1 if below else settings["lags"]

    def _numbers(self, start: int, count: int, parameter: str, gate: str | None) -> tuple[np.ndarray, np.ndarray]:
        """max_gradient and mean_lag of a view from batch `start` on."""
        kind, strand = views.split(parameter)
        key = (self.strands.index(strand), start)
        rows = self._rows(
            "SELECT numbers FROM inside_overview WHERE strand = ? AND batch >= ? ORDER BY batch LIMIT ?", (*key, count)
        )
        with self._understood("its overview"):
            every = views.views(self._cell)
            found = np.frombuffer(b"".join(row[0] for row in rows), views.FLOAT).reshape(count, len(every), 2)
            wanted = found[:, every.index((kind, gate))].astype(np.float64)
            return wanted[:, 0], wanted[:, 1]

    def _read_fields(self) -> None:
        rows = self._rows("SELECT name, dtype, shape FROM field ORDER BY place")
        with self._understood("its fields"):
            self._fields = [(name, np.dtype(dtype), store.shape_from_column(shape)) for name, dtype, shape in rows]


def _named_array(name: str, dtype: str, shape: str, data: bytes) -> tuple[str, np.ndarray]:
    return name, np.frombuffer(data, dtype).reshape(store.shape_from_column(shape)).copy()
