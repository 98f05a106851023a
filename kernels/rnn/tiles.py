"""Tiles: sequences of similar length that are itemized together, and what is done with one.

Which sequences make a tile depends on net, lengths and options alone, never on the memory that is allowed or on who
does the work: a row of a matrix product need not have the same bits among 16 rows as among 32. So every tile, and with
it the whole, comes out the same wherever it is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

import numpy as np

from ..arrays import array_namespace, as_numpy
from ..one_thread import one_blas_thread
from .flow import itemize
from .footprint import Batch, working_bytes
from .items import Flow
from .net import RecurrentNet
from .sequences import Sequences
from .target import Target
from .unroll import bptt

TILE_BYTES = 32 << 20  # of working memory; more sequences at a time are hardly faster (measured: from 8 to 16 on)
MOST = 64  # sequences of a tile
SIMILAR = 0.8  # a tile's shortest sequence has at least this part of the steps of its longest
FLOW, GRADIENT = "learnviews.kernels.rnn.tiles:flow_of", "learnviews.kernels.rnn.tiles:gradient_of"


@dataclass(frozen=True)
class Job:
    """What is wanted of every tile; sent to workers once."""

    net: RecurrentNet
    lags: int
    target: Target
    shares: bool
    options: dict[str, Any]  # further arguments of `itemize`

    def itemized(self, batch: dict[str, Any], G: Any = None) -> Flow:
        """`itemize` of one batch, with no more lags than it has steps; in host memory."""
        xp, target = array_namespace(self.net.flat), self.target
        flow = itemize(
            self.net,
            **on_device(self.net, batch),
            lags=min(self.lags, len(batch["x"])),
            parameter=target.parameter,
            shares=self.shares,
            unit="all" if target.each_unit else target.unit,
            gate=target.gate,
            grads=None if G is None else {target.parameter: xp.asarray(G)},
            **self.options,
        )
        values = {f.name: getattr(flow, f.name) for f in fields(flow)}
        arrays: dict[str, Any] = {name: as_numpy(v) for name, v in values.items() if hasattr(v, "ndim")}
        return replace(flow, **arrays)


def on_device(net: RecurrentNet, batch: dict[str, Any]) -> dict[str, Any]:
    """The batch beside the net's weights."""
    xp = array_namespace(net.flat)

    def moved(value: Any) -> Any:
        if value is None or isinstance(value, tuple):
            return value if value is None else tuple(map(xp.asarray, value))
        return xp.asarray(value)

    return {name: moved(value) for name, value in batch.items()}


def plan(job: Job, found: Sequences) -> list[np.ndarray]:
    """Sequences of every tile, the longest first."""
    order = np.argsort(-found.lengths, kind="stable")
    lengths = found.lengths[order]
    most = cache(lambda T: _most(job, found, T))
    starts, start = [0], 0
    for i in range(1, len(order)):
        T = int(lengths[start])
        if i - start >= most(T) or lengths[i] < SIMILAR * T:
            starts.append(start := i)
    return np.split(order, starts[1:])


def tile_bytes(job: Job, found: Sequences, T: int, B: int) -> int:
    """Working memory of a tile, its batch included, its result not."""
    kind = Batch(found.floats, found.numbers, found.end)
    return working_bytes(job.net, kind, job.target, T, B, min(job.lags, T), job.shares, "tol" in job.options)


def _most(job: Job, found: Sequences, T: int) -> int:
    """Sequences of T steps that one tile takes; at least one."""
    low, high = 1, MOST + 1
    while high - low > 1:
        B = (low + high) // 2
        low, high = (B, high) if tile_bytes(job, found, T, B) <= TILE_BYTES else (low, B)
    return low


# -- what is done with one; in whatever process


@dataclass(frozen=True)
class Trouble:
    """An error that is the net's or the data's: to be raised where the caller is, and not tried again."""

    error: Exception


def told(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, on one thread of linear algebra, and with its errors as what it returns."""

    def run(*arguments: Any) -> Any:
        try:
            with one_blas_thread():
                return function(*arguments)
        except (ValueError, TypeError, ArithmeticError) as error:
            return Trouble(error.with_traceback(None))

    return run


@told
def flow_of(job: Job, batch: dict[str, Any], G: Any) -> Flow:
    """A tile's flow."""
    return job.itemized(batch, G)


@told
def gradient_of(job: Job, batch: dict[str, Any]) -> Any:
    """What a tile adds to the parameter's gradient, in float64."""
    grads = bptt(job.net, **on_device(job.net, batch))[1]
    return as_numpy(grads[job.target.parameter]).astype(np.float64)
