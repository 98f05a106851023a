"""Itemizing many sequences, a whole corpus: tile by tile, under a cap of memory, by as many hands as there are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import as_numpy, is_cupy
from ..one_thread import blas_threads
from ..progress import Progress
from ..sizes import bytes_of, in_words
from .batch import check_batch
from .crew import Crew, in_order
from .flow import check_lags
from .flow_folder import FlowFolder
from .items import Flow
from .lags import LOG_CHECK
from .net import RecurrentNet
from .placement import Assembly, in_memory, layout, size_of
from .sequences import Sequences, sequences_of
from .summary import SUMMARY, FlowSummary, Sums
from .target import find_target
from .tiles import FLOW, GRADIENT, Job, Trouble, on_device, plan, tile_bytes

COPIES = 3  # of a tile's flow at the same time: as it is made, as it is turned or sent, and on its way to its place


def itemize_corpus(
    net: RecurrentNet,
    x: Any,
    y: Any = None,
    lags: int | None = 6,
    parameter: str = "weight_hh_l0",
    shares: bool = False,
    state: Any = None,
    mask: Any = None,
    unit: int | str | None = None,
    gate: str | None = None,
    tol: float | None = None,
    *,
    length: int | None = None,
    memory_limit: int | str = "1 GB",
    workers: int | None = None,
    client: Any = None,
    progress: Progress | None = None,
    out: str | Path | None = None,
) -> Flow:
    """`itemize` of any number of sequences, in tiles of similar length, without ever holding more than `memory_limit`.

    Parameters
    ----------
    net : RecurrentNet
        Where its arrays lie on a GPU, tiles are sent there; the result is in host memory.
    x : sequences to itemize
        Tokens (T, N) or floats (T, N, I), also as memory maps that are read tile by tile; a list of N arrays of
        different lengths, (T_i,) or (T_i, I); or a `Corpus`, which is cut into sequences of `length` symbols.
    y : what to predict
        As for `bptt`, as arrays or as a list like x. None with a Corpus: the symbol that comes next.
    mask : (T, N) array, or a list like x, optional
        Weights, as for `bptt`; what lies behind a sequence's last weight that is not 0 costs nothing. With one target
        per sequence (N,) will do.
    state : (L*D, N, H), or a pair of them, optional
        State before each sequence's first step, zeros if absent. The pieces of a Corpus all start from zeros, as if
        nothing stood before them.
    lags, parameter, shares, unit, gate, tol
        As for `itemize`; lags from 1 to the steps of the longest sequence. Shares are <that cell's gradient, G> with
        G the gradient of all sequences: there is a pass for G first.
    length : int
        Symbols per sequence of a Corpus; its last sequence may be shorter.
    memory_limit : int or str
        Bytes, or a text such as "500 MB", for result and tiles together, those in worker processes included. What
        was given is not counted, nor programs and libraries.
    workers : int, optional
        Processes, a core each; 1: no other than this one, and no thread either. If absent, threads of this process, as
        many as linear algebra works on: they share what they read, and start at once. Where memory is too short for as
        many tiles at a time, fewer work.
    client : dask.distributed.Client, optional
        Tiles go to its workers instead.
    progress : Progress, optional
        Counts sequences. When cancelled, concurrent.futures.CancelledError is raised.
    out : path, optional
        A folder for a result that need not fit into memory: its arrays are memory maps then, and may be opened again by
        `open_flow`. If the work is cancelled or killed, the same call goes on with it.

    Returns
    -------
    Flow
        In the order given; T is the longest sequence's steps. What lies behind the end of a shorter one is 0.

    Raises
    ------
    ValueError, TypeError
        Before any work, if something does not fit: names the argument. So if `memory_limit` is too small; it says what
        is the least.
    FloatingPointError
        As `itemize`, with the sequence's place in x.
    FileFormatError, StoreError
        If `out` holds something else, or cannot be written.
    RuntimeError
        If worker processes die over and over.

    Notes
    -----
    The result has the same bits whatever the limit, the workers, the client and the tries: tiles are cut by the data
    alone, each is computed on one thread of linear algebra, and gradients are added in the tiles' order. (Between
    processors whose libraries take other instructions they may differ by rounding; `itemize` of all sequences at once
    differs by rounding too.)
    """
    request = _Request.check(net, x, y, state, mask, length, lags, parameter, shares, unit, gate, tol)
    job, found = request.job, request.found
    T, N = int(found.lengths.max()), len(found)
    arrays = layout(request.probe, T, N, request.lags)
    own = 0 if out is not None else request.size_of(arrays)
    crew = _Means(request, workers, client, memory_limit, own, "; or name a folder, out=, or ask for summarize_corpus")
    progress = progress or Progress()
    progress.start(N * (2 if job.shares else 1))
    fingerprint = request.read(progress, out is not None)
    with crew.crew() as hands:
        if out is None:
            assembly = Assembly(request.probe, T, N, request.lags, in_memory)
            G = _gradient(request, hands, progress, None) if job.shares else None
            for tile, flow in request.run(hands, FLOW, range(len(request.tiles)), progress, (G,)):
                assembly.place(request.tiles[tile], flow)
            return assembly.flow()
        return _into_folder(request, hands, progress, Path(out), fingerprint)


def summarize_corpus(
    net: RecurrentNet,
    x: Any,
    y: Any = None,
    lags: int | None = 6,
    parameter: str = "weight_hh_l0",
    shares: bool = False,
    state: Any = None,
    mask: Any = None,
    unit: int | None = None,
    gate: str | None = None,
    tol: float | None = None,
    *,
    fraction: float = 0.95,
    matrices: bool = False,
    length: int | None = None,
    memory_limit: int | str = "1 GB",
    workers: int | None = None,
    client: Any = None,
    progress: Progress | None = None,
) -> FlowSummary:
    """What one wants to know of very many sequences, without the flow of each: sums per step and lag, horizons, and a
    few numbers per sequence that tell which to look at.

    Parameters, errors and promises are those of `itemize_corpus`; `fraction` is that of `Flow.horizon`; with `matrices`
    also the gradient of each lag over all sequences, as `FlowSummary.matrices`.
    """
    if isinstance(unit, str):
        raise ValueError(f"unit: a summary is of one unit or of all together, None; got {unit!r}")
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must lie between 0 and 1, got {fraction!r}")
    request = _Request.check(net, x, y, state, mask, length, lags, parameter, shares, unit, gate, tol, matrices)
    T, N = int(request.found.lengths.max()), len(request.found)
    sums = Sums(T, N, request.lags, request.job.shares, fraction, request.probe.matrices)
    crew = _Means(request, workers, client, memory_limit, sums.nbytes, "")
    progress = progress or Progress()
    progress.start(N * (2 if shares else 1))
    request.read(progress, False)
    with crew.crew() as hands:
        G = _gradient(request, hands, progress, None) if shares else None
        parts = request.run(hands, SUMMARY, range(len(request.tiles)), progress, (G, fraction))
        for tile, part in enumerate(in_order(parts)):
            sums.add(request.tiles[tile], part)
    return sums.summary()


def _into_folder(request: _Request, hands: Crew, progress: Progress, out: Path, fingerprint: dict[str, Any]) -> Flow:
    """Goes on where an earlier call has stopped."""
    T, N = int(request.found.lengths.max()), len(request.found)
    folder = FlowFolder(out, fingerprint, len(request.tiles))
    try:
        assembly = Assembly(request.probe, T, N, request.lags, folder.allocate)
        folder.restore(assembly)
        todo = np.flatnonzero(~folder.done).tolist()
        G = _gradient(request, hands, progress, folder) if request.job.shares and todo else None
        progress.update(progress.done + sum(len(request.tiles[i]) for i in np.flatnonzero(folder.done)))
        try:
            for tile, flow in request.run(hands, FLOW, todo, progress, (G,)):
                assembly.place(request.tiles[tile], flow)
                folder.mark(tile, assembly)
        except CancelledError as error:
            raise CancelledError(f"{error}; {out} keeps what is done, and the same call goes on with it") from None
        finally:
            folder.sync(assembly, complete=not len(todo) or bool(_all_done(folder)))
        return assembly.flow()
    finally:
        folder.close()


def _all_done(folder: FlowFolder) -> bool:
    return len(folder.waiting) + int(folder.done.sum()) == len(folder.done)


def _gradient(request: _Request, hands: Crew, progress: Progress, folder: FlowFolder | None) -> np.ndarray:
    """The parameter's gradient over all sequences, added up in float64 in the order of the tiles."""
    net = request.job.net
    first, total = 0, np.zeros(net.shapes()[request.job.target.parameter])
    if folder is not None:
        first, total = folder.gradient() or (first, total)
        progress.update(progress.done + sum(len(tile) for tile in request.tiles[:first]))
    done = first
    try:
        parts = request.run(hands, GRADIENT, range(first, len(request.tiles)), progress, ())
        for part in in_order(parts, first):
            total += part
            done += 1
            if folder is not None and folder.is_due():
                folder.keep_gradient(done, total)
    finally:
        if folder is not None and done > first:
            folder.keep_gradient(done, total)
    with np.errstate(over="ignore"):
        G = total.astype(net.dtype)
    if not np.isfinite(G).all():
        raise FloatingPointError(f"shares: the gradient of all sequences does not fit {net.dtype}")
    return G


@dataclass
class _Request:
    """What was asked for, checked."""

    job: Job
    found: Sequences
    tiles: list[np.ndarray]
    lags: np.ndarray  # (K,) as the whole flow has them
    probe: Flow

    @classmethod
    def check(
        cls, net: RecurrentNet, x: Any, y: Any, state: Any, mask: Any, length: Any, lags: Any, parameter: str,
        shares: bool, unit: Any, gate: Any, tol: Any, matrices: bool = False,
    ) -> _Request:  # fmt: skip
        if not isinstance(net, RecurrentNet):
            raise TypeError(f"net: expected a RecurrentNet, got {type(net).__name__}")
        target = find_target(net, parameter, gate, unit)
        found = sequences_of(net, x, y, state, mask, length)
        K = check_lags(lags, int(found.lengths.max()))
        options = ({} if tol is None else {"tol": tol}) | ({"matrices": True} if matrices else {})
        job = Job(net, K, target, bool(shares), options)
        probe = job.itemized(_small_batch(net, found, min(K, 2)))
        ends = np.sign([probe.lags.min(), probe.lags.max()])  # to which sides losses lie
        columns = np.arange(K)
        if ends[0] < 0:
            columns = np.arange(1 - K, K) if ends[1] > 0 else -columns
        return cls(job, found, plan(job, found), columns, probe)

    def size_of(self, arrays: Any) -> int:
        """Bytes of a flow with these arrays; norms of long lags may be too large or small for float64."""
        return size_of(arrays, self.job.lags > LOG_CHECK, "tol" in self.job.options)

    def tile_bytes(self) -> int:
        """Memory that the largest tile takes, its flow included."""
        largest = 0
        for indices in self.tiles:
            T = int(self.found.lengths[indices[0]])
            K = min(self.job.lags, T)
            lags = self.lags[abs(self.lags) < K]
            flow = self.size_of(layout(self.probe, T, len(indices), lags))
            largest = max(largest, tile_bytes(self.job, self.found, T, len(indices)) + COPIES * flow)
        if self.job.shares:  # a tile's gradients, and the parameter's in float64: some may wait for their turn
            net = self.job.net
            largest += net.flat.nbytes + 5 * 8 * net.parameters[self.job.target.parameter].size
        if self.probe.matrices is not None:  # as they are made, and as some wait for their turn
            rows = self.probe.matrices.whole
            largest += self.job.net.flat.nbytes + 4 * (len(self.lags) + 1) * rows.nbytes
        return largest

    def read(self, progress: Progress, wanted: bool) -> dict[str, Any]:
        """Reads all sequences once, so that what does not fit is told before the work; a fingerprint, if wanted."""
        net, data = self.job.net, hashlib.blake2b(digest_size=16)
        for indices in self.tiles:
            if progress.cancelled:
                raise CancelledError("itemizing was cancelled")
            batch = self.found.batch(indices)
            _check_finite(net, batch["x"], indices)
            check_batch(net, **on_device(net, batch))
            if wanted:
                _digest(data, indices, *batch.values())
        return self._about(data.hexdigest()) if wanted else {}

    def run(
        self, hands: Crew, function: str, todo: Any, progress: Progress, more: tuple[Any, ...]
    ) -> Iterator[tuple[int, Any]]:
        """Results of the tiles as they end; errors in them are raised here."""

        def arguments(tile: int) -> tuple[Any, ...]:
            indices = self.tiles[tile]
            lengths = (self.found.lengths[indices],) if function == SUMMARY else ()
            return (self.found.batch(indices), *lengths, *more)

        for tile, value in hands.run(function, todo, arguments, progress):
            if isinstance(value, Trouble):
                raise _renamed(value.error, self.tiles[tile])
            yield tile, value
            progress.update(progress.done + len(self.tiles[tile]))

    def _about(self, data: str) -> dict[str, Any]:
        net, job = self.job.net, self.job
        weights = hashlib.blake2b(repr(net).encode(), digest_size=16)
        _digest(weights, as_numpy(net.flat))
        options = {"lags": job.lags, "shares": job.shares, "gate": job.target.gate, **job.options}
        unit = "all" if job.target.each_unit else job.target.unit
        return {
            "net": weights.hexdigest(), "parameter": job.target.parameter, "gate_or_unit": [job.target.gate, unit],
            "choice_of_lags,_shares_or_tol": options, "set_of_sequences": data,
        }  # fmt: skip


class _Means:
    """Who works, and how many tiles fit into memory at a time."""

    def __init__(
        self, request: _Request, workers: Any, client: Any, memory_limit: Any, own: int, otherwise: str
    ) -> None:
        limit = bytes_of("memory_limit", memory_limit)
        if workers is not None and (
            isinstance(workers, bool) or not isinstance(workers, int | np.integer) or workers < 1
        ):
            raise ValueError(f"workers must be a whole number of at least 1, got {workers!r}")
        if client is not None and not (hasattr(client, "scatter") and hasattr(client, "nthreads")):
            raise TypeError(f"client is a {type(client).__name__}; expected a dask.distributed.Client")
        on_gpu = is_cupy(request.job.net.flat)
        if on_gpu and (client is not None or (workers is not None and workers > 1)):
            name = "workers" if client is None else "client"
            raise ValueError(f"{name}: a net on a GPU works from this process alone; net.to(numpy) can be sent")
        tile = request.tile_bytes()
        if own + tile > limit:
            raise ValueError(
                f"memory_limit: {in_words(limit)} is too little. The result takes {in_words(own)}, and "
                f"{len(request.tiles[0])} of {len(request.found)} sequences at a time {in_words(tile)}: the least is "
                f"{in_words(own + tile)}{otherwise}"
            )
        self._workers = 1 if on_gpu else None if workers is None else int(workers)
        self._client, self._job = client, request.job
        wanted = self._workers or blas_threads()
        if client is not None:
            wanted = max(sum(client.nthreads().values()), 1)
        self._most = max(min(wanted, (limit - own) // tile, len(request.tiles)), 1)

    def crew(self) -> Crew:
        return Crew(self._job, self._most, self._workers, self._client)


def _check_finite(net: RecurrentNet, x: np.ndarray, indices: np.ndarray) -> None:
    if x.dtype.kind != "f":
        return
    with np.errstate(over="ignore"):
        finite = np.isfinite(x.astype(net.dtype, copy=False))
    if not finite.all():
        step, place = (int(i) for i in np.argwhere(~finite)[0][:2])
        raise ValueError(f"x: not finite in {net.dtype} at step {step} of sequence {indices[place]}")


def _small_batch(net: RecurrentNet, found: Sequences, T: int) -> dict[str, Any]:
    """One sequence of T steps of zeros, of the kind that was found."""
    x = np.zeros((T, 1, net.inputs), net.dtype) if found.floats else np.zeros((T, 1), np.intp)
    shape = (1,) if found.end else (T, 1)
    y = np.zeros((*shape, net.outputs), net.dtype) if found.numbers else np.zeros(shape, np.intp)
    return {"x": x, "y": y, "state": None, "mask": None}


def _digest(data: Any, *values: Any) -> None:
    for value in values:
        for part in value if isinstance(value, tuple) else (value,):
            array = np.ascontiguousarray(np.zeros(0) if part is None else part)
            data.update(f"{array.dtype.str}{array.shape}".encode())
            data.update(array.reshape(-1).view(np.uint8).data if array.size else b"")


def _renamed(error: Exception, indices: np.ndarray) -> Exception:
    """The same error, with a sequence's place in the whole instead of its place in the tile."""
    said = re.sub(r"of sequence (\d+)", lambda match: f"of sequence {indices[int(match[1])]}", str(error))
    return type(error)(said)
