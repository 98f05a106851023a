"""Chains that no longer matter: dropped, checked against ordinary BPTT, and taken up again where the check fails.

A chain is dropped whole, at a lag from which on its rows are expected to add up to less than the tolerance of every
step's whole error. The expectation goes by the pace at which its rows shrink beside those wholes; it may be wrong,
because a small row can grow again where W is not normal. So nothing rests on it: what the kept rows leave of each
step's error is known exactly (`Record.rest`: ordinary BPTT minus the rows), and where that is more than the tolerance
allows, the chains behind it go on from where they were dropped, under ever stricter tolerances and at last under none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import array_namespace, as_numpy
from ..jit import jit
from . import paths
from .rows import LARGEST, weighted_norm

if TYPE_CHECKING:
    from .lags import Record

SOONEST, LATER = 4, 8  # lags (even) from look to look: from 4 on, a quarter of those behind where nothing is dropped
OVER = 8  # lags over which the pace is taken
SAFETY = 0.5  # part of the tolerance that the rows of the dropped chains may be expected to add up to
FEWEST = 1 / 8  # of the rows under way: fewer than that are not worth moving all others together
ROUNDS = 4  # in which chains are taken up again under stricter tolerances; then nothing is dropped any more


@dataclass
class Chains:
    """Losses on their way back, all at the same lag, and what they carry (see `lags.py`)."""

    losses: Any  # (c,) t * B + b, ascending
    z: list[Any]  # per layer (c, blocks * H)
    carry: list[Any]  # per layer (c, H), or no columns
    factor: Any  # (c,)
    exponent: Any  # (c,)

    def pick(self, which: Any) -> Chains:
        """Some of the chains."""
        z, carry = [part[which] for part in self.z], [part[which] for part in self.carry]
        return Chains(self.losses[which], z, carry, self.factor[which], self.exponent[which])

    def ended(self, k: int, sequences: int) -> int:
        """How many began before step k, and so have come to their start."""
        return int(np.searchsorted(self._on_host, k * sequences))

    @cached_property
    def _on_host(self) -> np.ndarray:
        return as_numpy(self.losses)

    @classmethod
    def joined(cls, parts: list[Chains]) -> Chains:
        """Several in one, in the order of their losses."""
        if len(parts) == 1:
            return parts[0]
        xp = array_namespace(parts[0].factor)
        z, carry = ([xp.concatenate(each) for each in zip(*(getattr(p, n) for p in parts), strict=True)] for n in ZC)
        losses, factor, exponent = (xp.concatenate([getattr(p, n) for p in parts]) for n in ("losses", *SCALES))
        whole = cls(losses, z, carry, factor, exponent)
        return whole.pick(xp.argsort(losses))


ZC, SCALES = ("z", "carry"), ("factor", "exponent")


@dataclass
class Tolerance:
    """What is dropped in one call of `follow`.

    whole: (T, B) norm of each step's error from all losses together; tol: what is left out of it may amount to that
    part of it.
    """

    tol: float
    kept: Record
    whole: Any
    losses: Any
    wanted: Any = field(init=False)  # (T, B) bool: steps whose error is to be known that well
    stricter: Any = field(init=False)  # (T, B) by how much more than at first, after a step has failed
    allowed: float = field(init=False)  # what a chain's rows may be expected to add up to
    followed: Any = field(init=False)  # (n,) lags that each loss was followed through
    parked: dict[int, list[Chains]] = field(init=False, default_factory=dict)  # by the lag at which they go on
    _known: Any = field(init=False, default=None)
    going: Chains | None = field(init=False, default=None)  # what is left of the chains that were taken up last
    again: list[tuple[int, Any]] = field(init=False, default_factory=list)  # lag and losses that were taken up again

    def __post_init__(self) -> None:
        self.wanted, self.stricter = self.whole > 0, array_namespace(self.whole).ones(self.whole.shape)
        self.allowed = SAFETY * self.tol
        self.followed = followed_through(self.kept, self.losses)

    def next_look(self, k: int, dropped: bool) -> int:
        """The lag after k at which to look again: later, the longer nothing was dropped."""
        return k + (SOONEST if dropped or not k else max(SOONEST, k // LATER * 2))

    def drop(self, k: int, chains: Chains) -> Chains:
        """Those that go on at lag k; the very same where none is dropped."""
        if not self.allowed:
            return chains
        B = self.whole.shape[1]
        a = chains.ended(k, B)
        stop = self._matters_no_more(k, chains.losses[a:])
        dropped = int(stop.sum())
        if not dropped or dropped < FEWEST * len(stop):
            return chains
        xp = array_namespace(stop)
        parked = chains.pick(a + xp.flatnonzero(stop))
        self.followed[parked.losses] = k
        self.parked.setdefault(k, []).append(parked)
        return chains.pick(a + xp.flatnonzero(~stop))

    def failing(self) -> Iterator[tuple[Chains, int, int]]:
        """Chains to be taken up again, and from which lag to which, until all steps are within the tolerance.

        Those that come to the lag where others were dropped go on together with them: `going` tells which.
        """
        xp, K = array_namespace(self.whole), self.kept.norm.shape[1]
        for turn in count(1):
            excess = self._left() / (self.tol * xp.where(self.whole > 0, self.whole, 1))
            self.wanted = excess > 1
            found = self._behind(self.wanted) if self.parked else {}
            if not found:
                return
            self.stricter *= xp.where(self.wanted, 2 * excess, 1)
            self.allowed *= turn <= ROUNDS
            self._known = None
            self.going = None
            at = [*sorted(found), K]
            for k, stop in pairwise(at):
                for chains in found[k]:
                    self.followed[chains.losses] = K
                    self.again.append((k, chains.losses))
                yield Chains.joined([*([self.going] if self.going else []), *found[k]]), k, stop

    def finish(self) -> None:
        """Put down what was dropped, and what is left where it was."""
        if bool((self.followed == self.kept.norm.shape[1]).all()):
            return
        fill_gaps(self.kept, self.followed, self.whole, self._left(), self._touched())
        if bool((self.followed[self.losses] < self.kept.norm.shape[1]).any()):
            self.kept.followed = self.followed.reshape(self.whole.shape)
            others = array_namespace(self.whole).ones(self.whole.size, bool)
            others[self.losses] = False
            self.followed[others] = self.kept.norm.shape[1]  # losses that cause no error were not dropped

    def _matters_no_more(self, k: int, losses: Any) -> Any:
        """(c,) bool: whether the rows still to come are expected to stay within what is allowed.

        A row is taken to go on shrinking (or growing) at the usual pace of the last lags. It must stay small beside the
        whole error of every step that it will come to, by so much that those of all lags still to come do together.
        """
        then = min(k - 1, OVER)
        if paths.takes_loops(self.whole):
            stop = np.empty(len(losses), np.bool_)
            _stop_loop(self.kept.norm, self.whole, self._inverse, losses, k, then, self.allowed, stop)
            return stop
        xp, B = array_namespace(self.whole), self.whole.shape[1]
        s, b = losses // B - k + 1, losses % B
        with np.errstate(all="ignore"):
            now, before = self.kept.norm[s, k - 1, b], self.kept.norm[s + then, k - 1 - then, b]
            pace = _middle(xp, now / before) ** (1 / then)
            beside = _middle(xp, now / before * self.whole[s + then, b] / self.whole[s, b]) ** (1 / then)
            worst = _discounted(xp, self._inverse, math.log(pace))
            to_come = xp.minimum(s, self.kept.norm.shape[1] - k)
            tail = xp.minimum(beside / (1 - beside), to_come) if beside < 1 else to_come
            return (now == 0) | (now * xp.exp(worst[s, b]) * tail <= self.allowed)

    @property
    def _inverse(self) -> Any:
        """(T, B) log 1/whole, of the steps that matter."""
        if self._known is None:
            xp = array_namespace(self.whole)
            with np.errstate(all="ignore"):
                self._known = xp.where(self.wanted, xp.log(self.stricter / self.whole), -math.inf)
        return self._known

    def _left(self) -> Any:
        """(T, B) what the rows that were subtracted leave of each step's error."""
        xp = array_namespace(self.whole)
        left = weighted_norm(self.kept.rest, self.kept.w)
        with np.errstate(over="ignore"):
            return xp.minimum(xp.ldexp(left, self.kept.power), LARGEST).reshape(self.whole.shape)

    def _behind(self, failing: Any) -> dict[int, list[Chains]]:
        """The dropped chains that would have come to a failing step, taken out of those that are parked."""
        xp = array_namespace(failing)
        K, B = self.kept.norm.shape[1], failing.shape[1]
        before = xp.zeros((len(failing) + 1, B), np.int64)
        before[1:] = xp.cumsum(failing, axis=0)
        found: dict[int, list[Chains]] = {}
        parked, self.parked = self.parked, {}
        for k, groups in parked.items():
            for chains in groups:
                t, b = chains.losses // B, chains.losses % B
                wanted = before[xp.maximum(t - k + 1, 0), b] > before[xp.maximum(t - K + 1, 0), b]
                for where, which in ((found, wanted), (self.parked, ~wanted)):
                    if bool(which.any()):
                        where.setdefault(k, []).append(chains.pick(xp.flatnonzero(which)))
        return found

    def _touched(self) -> Any:
        """(T, B) bool: steps that met some lags late, from a chain that was taken up again."""
        xp = array_namespace(self.whole)
        T, B = self.whole.shape
        edges = xp.zeros((T + 1, B), np.int64)
        K = self.kept.norm.shape[1]
        for k, losses in self.again:
            t, b = losses // B, losses % B
            xp.add.at(edges, (xp.maximum(t - K + 1, 0), b), 1)
            xp.add.at(edges, (t - k + 1, b), -1)
        return xp.cumsum(edges, axis=0)[:T] > 0


def _middle(xp: Any, values: Any) -> float:
    """The median of those that are positive numbers; 1 where there are none."""
    good = values[xp.isfinite(values) & (values > 0)]
    return float(xp.median(good)) if len(good) else 1.0


def _discounted(xp: Any, inverse: Any, pace: float) -> Any:
    """(T, B) the largest of inverse[s - j] + j * pace over all steps s - j that a row at step s will come to."""
    steps = xp.arange(len(inverse))[:, None] * pace
    a, far = inverse - steps, 1
    while far < len(a):  # (CuPy's maximum cannot accumulate)
        a = xp.concatenate([a[:far], xp.maximum(a[far:], a[:-far])])
        far *= 2
    return a + steps


@jit
def _stop_loop(norm, whole, inverse, losses, k, then, allowed, stop):
    K, B = norm.shape[1], norm.shape[2]
    shrunk, beside = np.empty(losses.size), np.empty(losses.size)
    for i in range(losses.size):
        s, b = losses[i] // B - k + 1, losses[i] % B
        shrunk[i] = norm[s, k - 1, b] / norm[s + then, k - 1 - then, b]
        beside[i] = shrunk[i] * whole[s + then, b] / whole[s, b]
    pace, size = _middle_loop(shrunk) ** (1 / then), _middle_loop(beside) ** (1 / then)
    worst = np.empty_like(inverse)
    _discount_loop(inverse, math.log(pace), worst)
    for i in range(losses.size):
        s, b = losses[i] // B - k + 1, losses[i] % B
        to_come = min(s, K - k)
        tail = min(size / (1 - size), to_come) if size < 1 else to_come
        now = norm[s, k - 1, b]
        stop[i] = now == 0 or now * math.exp(worst[s, b]) * tail <= allowed


@jit
def _middle_loop(values):
    good = values[np.isfinite(values) & (values > 0)]
    return np.median(good) if good.size else 1.0


@jit
def _discount_loop(inverse, pace, worst):
    worst[0] = inverse[0]
    for s in range(1, inverse.shape[0]):
        for b in range(inverse.shape[1]):
            worst[s, b] = max(inverse[s, b], worst[s - 1, b] + pace)


def followed_through(kept: Record, losses: Any) -> Any:
    """(n,) lags that each loss is followed through at most: all of them, or none."""
    T, K, B = kept.remainder.shape
    followed = array_namespace(kept.norm).zeros(T * B, np.int64)
    followed[losses] = K
    return followed


def fill_gaps(kept: Record, followed: Any, whole: Any, left: Any = None, touched: Any = None) -> None:
    """What is left of each step's error after each lag, also where no row was subtracted.

    Parameters
    ----------
    followed : (n,) int
        Lags that each loss was followed through; none: one that causes no error.
    whole, left : (T, B)
        Norm of each step's error before the first lag, and after all that were subtracted.
    touched : (T, B) bool
        Steps that met lags out of their order: there the triangle inequality gives a bound.
    """
    xp = array_namespace(kept.norm)
    T, K, B = kept.remainder.shape
    followed = followed.reshape(T, B)
    dropped = (followed > 0) & (followed < K)
    if left is None:
        left, touched = whole, xp.zeros((T, B), bool)
    if paths.takes_loops(kept.norm):
        incomplete = np.zeros((T, B), np.bool_)
        _fill_loop(kept.norm, kept.remainder, followed, dropped, whole, left, touched, incomplete)
    else:
        incomplete = _fill_arrays(kept, followed, dropped, whole, left, touched)
    if bool(incomplete.any()):
        kept.incomplete = incomplete


def _fill_arrays(kept: Record, followed: Any, dropped: Any, whole: Any, left: Any, touched: Any) -> Any:
    xp = array_namespace(kept.norm)
    T, K, B = kept.remainder.shape
    incomplete = xp.zeros((T, B), bool)
    for k in range(K):
        incomplete[: T - k] |= dropped[k:] & (followed[k:] <= k)
    for k in range(K):
        inside, n = kept.remainder[:, k], max(T - k - 1, 0)
        before = kept.remainder[:n, k - 1] if k else whole[:n]
        inside[:n] = xp.where(followed[k : k + n] > k, inside[:n], before)
        inside[n:] = xp.where(incomplete[n:], left[n:], inside[n:])
    bound = xp.where(incomplete | (xp.arange(T)[:, None] + K < T), left, 0)
    for k in reversed(range(K)):
        kept.remainder[:, k][touched] = xp.minimum(bound, LARGEST)[touched]
        bound = bound + kept.norm[:, k]
    return incomplete


@jit
def _fill_loop(norm, remainder, followed, dropped, whole, left, touched, incomplete):
    T, K, B = remainder.shape
    edges = np.zeros((T + 1, B), np.int64)  # where the steps begin and end that a dropped loss did not come to
    for t in range(T):
        for b in range(B):
            if dropped[t, b] and followed[t, b] <= t:
                edges[max(t - K + 1, 0), b] += 1
                edges[t - followed[t, b] + 1, b] -= 1
    missing = np.zeros(B, np.int64)
    for s in range(T):
        for b in range(B):
            missing[b] += edges[s, b]
            incomplete[s, b] = missing[b] > 0
        for k in range(K):
            for b in range(B):
                if s + k + 1 < T:
                    if followed[s + k, b] <= k:
                        remainder[s, k, b] = remainder[s, k - 1, b] if k > 0 else whole[s, b]
                elif incomplete[s, b]:
                    remainder[s, k, b] = left[s, b]
        for b in range(B):
            if touched[s, b]:
                bound = left[s, b] if incomplete[s, b] or s + K < T else 0.0
                for k in range(K - 1, -1, -1):
                    remainder[s, k, b] = min(bound, LARGEST)
                    bound += norm[s, k, b]
