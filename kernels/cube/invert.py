"""From a wanted answer to queries that give it: gradients through the net over soft regions, then whole bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..one_thread import one_blas_thread
from .pairs import pairs
from .query import Query
from .regions import Intervals, Sets, regions
from .targets import Answers, Target, miss, read_targets

if TYPE_CHECKING:
    from .exact import ExactCube
    from .model import Model

STEPS = 16
RATE = 0.06  # first step of the soft parameters, as a share of an axis
KEEP = 0.003  # pull back to the base query
HIT = 0.01  # misses up to this, or half a row, are as good as none
ROUNDS = 4  # of moving ends by one bin
BEST = 12  # candidates that are moved
CHECKED = 64  # candidates put to the exact cube at a time
AS_BASE = -1  # hard parameters of a filter that is kept though no range, box or set says the same
APART = 0.2  # change between two suggestions, at least


@dataclass(frozen=True)
class Suggestion:
    """A query that gives about what is wanted.

    Attributes
    ----------
    query : Query
    predicted : dict
        The model's answers under the keys of what is wanted: numbers, arrays for whole views.
    change : float
        How far the query is from the base: the sum over attributes of the share of bins that only one of the two
        selects, among those that either does (0: the same; 1: one attribute wholly replaced). Bins that are never
        occupied do not count.
    miss : float
        Relative: |found - wanted| / max(|wanted|, least), of the exact answers where these are known, else of the
        predicted ones; the mean over what is wanted. `least` is one row, for measures 1% of the view's mean answer.
        Infinite where there is no answer, as the mean of no rows.
    exact : dict or None
        The exact cube's answers.
    misses : dict
        The miss of each of what is wanted.
    """

    query: Query
    predicted: dict[tuple[str, Any], Any]
    change: float
    miss: float
    exact: dict[tuple[str, Any], Any] | None = None
    misses: dict[tuple[str, Any], float] = field(default_factory=dict)


def invert(
    model: Model,
    wanted: Mapping[Any, Any],
    base: Query | None = None,
    *,
    free: Sequence[str] | None = None,
    n: int = 5,
    starts: int = 64,
    aggregate: Any = None,
    exact: ExactCube | bool | None = None,
    rng: int | np.random.Generator = 0,
) -> list[Suggestion]:
    """Queries whose answers are as wanted, best first.

    Parameters
    ----------
    wanted : dict
        Keys (view, bin), with the bin's number or label; (view, None) for the total under all filters; (view, "all")
        for a whole view, its value an array (bins,).
    base : Query, optional
        Where to start from, and what to stay near; everything if absent.
    free : sequence of str, optional
        Attributes whose filters may change; if absent all but those whose bars are wanted.
    n : int
        Suggestions at most; they differ from one another.
    starts : int
        Queries that the search begins with, the base among them.
    aggregate : optional
        Which of the model's aggregates is meant; the first if absent.
    exact : ExactCube, optional
        Ranks by exact answers. The cube the model was fitted to is taken where it is at hand; False keeps to the model.
    rng : int or Generator

    Returns
    -------
    list of Suggestion
        Those that hit (within 1%, counts also within half a row; of several wanted answers each) by how little they
        change the base, then the others by their miss.

    Raises
    ------
    ValueError, LookupError
        If what is wanted or free does not fit the schema.
    """
    aggregate = model.aggregate(aggregate)
    targets = read_targets(model, wanted, aggregate)
    base = base or Query()
    if n < 1 or starts < 1:
        raise ValueError(f"n and starts must be at least 1, got {n} and {starts}")
    cube = (model.exact if exact is None or exact is True else exact) or None
    if cube is not None and cube.schema != model.schema:
        raise ValueError("exact: a cube of another schema than the model's")
    search = Search(model, targets, base, _free(model, targets, free), aggregate, np.random.default_rng(rng))
    with one_blas_thread():
        found = search.run(starts)
        if cube is not None:
            found = search.check(found, cube)
    return search.suggestions(found, n)


@dataclass
class Candidates:
    """Hard queries: a row of integers per free attribute, masks, misses by the model and by the exact cube."""

    hard: np.ndarray  # (n, parameters of all free attributes)
    masks: np.ndarray  # (n, bins)
    misses: np.ndarray  # (n,)
    answers: list[np.ndarray]  # per target (n, k)
    exact: list[np.ndarray] | None = None

    def take(self, which: Any) -> Candidates:
        exact = None if self.exact is None else [each[which] for each in self.exact]
        answers = [each[which] for each in self.answers]
        return Candidates(self.hard[which], self.masks[which], self.misses[which], answers, exact)


class Search:
    """One inversion: soft descent from many starts, then steps of whole bins."""

    def __init__(
        self,
        model: Model,
        targets: list[Target],
        base: Query,
        free: list[str],
        aggregate: Any,
        rng: np.random.Generator,
    ) -> None:
        self.model, self.schema, self.targets, self.base, self.rng = model, model.schema, targets, base, rng
        self.aggregate = aggregate
        self.origin = model.schema.mask(base)
        self.free: dict[str, Intervals | Sets] = {name: regions(model.schema[name]) for name in free}
        self.net = Answers(model, targets, aggregate)
        self.seen = np.any([model.nets[part].keep for part in self.net.parts], axis=0)
        near = {name: each.near(self.origin[self.schema.slices[name]]) for name, each in self.free.items()}
        ends = np.cumsum([0, *map(len, near.values())])
        self.columns = {name: slice(*ends[k : k + 2]) for k, name in enumerate(self.free)}
        self.near = np.concatenate(list(near.values()))
        self.odd = {}  # hard parameters near filters of the base that no region says exactly
        for name, each in self.free.items():
            row = each.snap(near[name][None])
            if not np.array_equal(each.masks(row)[0], self.origin[self.schema.slices[name]]):
                self.odd[name] = row[0]
        size = max(1.0, float(np.mean([np.abs(t.value).sum() for t in targets])))
        # A mean of misses as small as this leaves none of them large.
        self.hit = (max(HIT, 0.5 / size) if aggregate == "count" else HIT) / len(targets)

    def run(self, starts: int) -> Candidates:
        """The best hard queries by the model, all different."""
        soft = self.descend(self.start(starts))
        hard = np.concatenate([self.snap(soft), self.single(), pairs(self)])
        found = self.evaluate(hard)
        for _ in range(ROUNDS):
            best = self.rank(found)[:BEST]
            if len(best) and found.misses[best[: max(1, BEST // 2)]].max() <= self.hit:
                break
            more = self.around(found.hard[best], found.hard)
            if not len(more):
                break
            found = _joined(found, self.evaluate(more))
        return found.take(self.rank(found))

    def start(self, n: int) -> np.ndarray:
        """Soft parameters (n, ...): the base first, then half with one attribute changed, then all of them."""
        drawn = np.concatenate([each.random(n, self.rng) for each in self.free.values()], 1)
        names = list(self.free)
        for row in range(0, n // 2):
            chosen = self.columns[names[row % len(names)]]
            kept, drawn[row] = drawn[row, chosen].copy(), self.near
            drawn[row, chosen] = kept
        drawn[0] = self.near
        return drawn

    def descend(self, at: np.ndarray) -> np.ndarray:
        """Adam on the soft parameters, edges sharpening on the way."""
        m, v = np.zeros_like(at), np.zeros_like(at)
        for step in range(1, STEPS + 1):
            masks, traces = self.soften(at, 1 - step / STEPS)
            _, d_masks = self.net.pull(masks)
            g = np.concatenate(
                [each.pull(traces[name], d_masks[:, self.schema.slices[name]]) for name, each in self.free.items()], 1
            )
            g /= np.abs(g).max(1, keepdims=True) + 1e-12  # misses of all sizes move alike
            g += KEEP * (at - self.near)
            m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g * g
            rate = RATE * (1 - (step - 1) / STEPS)
            at = at - rate * (m / (1 - 0.8**step)) / (np.sqrt(v / (1 - 0.9**step)) + 1e-3)
            at = np.clip(at, -0.05, 1.05)
        return at

    def soften(self, at: np.ndarray, sharpness: float) -> tuple[np.ndarray, dict[str, Any]]:
        masks = np.repeat(self.origin[None].astype(np.float32), len(at), axis=0)
        traces = {}
        for name, each in self.free.items():
            masks[:, self.schema.slices[name]], traces[name] = each.soft(at[:, self.columns[name]], sharpness)
        return masks, traces

    def snap(self, at: np.ndarray) -> np.ndarray:
        """Hard parameters; a filter of the base that did not move stays, even if it is no range."""
        parts = []
        for name, each in self.free.items():
            hard = each.snap(at[:, self.columns[name]])
            if name in self.odd:
                hard[(hard == self.odd[name]).all(1)] = AS_BASE
            parts.append(hard)
        return np.concatenate(parts, 1)

    def single(self) -> np.ndarray:
        """The base with one attribute changed in every way, where these are not too many."""
        base = self.snap(self.near[None])[0]
        rows = [base[None]]
        for name, each in self.free.items():
            every = each.every()
            changed = np.repeat(base[None], len(every), axis=0)
            changed[:, self.columns[name]] = every
            rows.append(changed)
        return np.concatenate(rows)

    def around(self, hard: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Rows one step away from some, without those known already."""
        rows = [known[:0]]
        for row in hard:
            for name, each in self.free.items():
                own = row[self.columns[name]]
                if own[0] == AS_BASE:
                    moved = np.concatenate([self.odd[name][None], each.neighbours(self.odd[name])])
                else:
                    moved = each.neighbours(own)
                changed = np.repeat(row[None], len(moved), axis=0)
                changed[:, self.columns[name]] = moved
                rows.append(changed)
        new = _distinct(np.concatenate(rows))
        old = {row.tobytes() for row in known}
        return new[[row.tobytes() not in old for row in new]]

    def evaluate(self, hard: np.ndarray) -> Candidates:
        hard = _distinct(hard)
        masks = np.repeat(self.origin[None], len(hard), axis=0)
        for name, each in self.free.items():
            own = hard[:, self.columns[name]]
            moved = own[:, 0] != AS_BASE
            masks[moved, self.schema.slices[name]] = each.masks(own[moved])
        answers = self.net.found(masks)
        return Candidates(hard, masks, self.missed(answers), answers)

    def missed(self, answers: list[np.ndarray]) -> np.ndarray:
        return np.mean([miss(target, found) for target, found in zip(self.targets, answers, strict=True)], axis=0)

    def rank(self, found: Candidates) -> np.ndarray:
        """Hits by their change, then the others by their miss."""
        misses = np.where(found.misses <= self.hit, 0.0, found.misses)
        return np.lexsort((found.misses, self.change(found.masks, self.origin), misses))

    def change(self, masks: np.ndarray, origin: np.ndarray) -> np.ndarray:
        """Distance (n,) of masks from another: summed over attributes, 1 - shared / either."""
        out = np.zeros(len(masks))
        for name in self.free:
            part = self.schema.slices[name]
            both = (masks[:, part] & origin[part] & self.seen[part]).sum(1)
            either = ((masks[:, part] | origin[part]) & self.seen[part]).sum(1)
            out += np.where(either > 0, 1 - both / np.maximum(either, 1), 0)
        return out

    def check(self, found: Candidates, cube: ExactCube) -> Candidates:
        """The base and the most promising by the exact cube; then once more around the best of these."""
        base = np.flatnonzero(self.change(found.masks, self.origin) == 0)[:1]
        promising = np.union1d(base, np.arange(min(CHECKED, len(found.hard))))
        found = self.exactly(found.take(promising), cube)
        best = self.rank(found)
        if found.misses[best[:3]].max() > self.hit:
            around = self.around(found.hard[best[:4]], found.hard)
            if len(around):
                more = self.corrected(self.evaluate(around), found.take(best[:1]))
                found = _joined(found, self.exactly(more.take(self.rank(more)[:CHECKED]), cube))
        return found.take(self.rank(found))

    def exactly(self, found: Candidates, cube: ExactCube) -> Candidates:
        bars = cube.query_many(found.masks, self.aggregate) if self.net.bars else None
        totals = cube.totals_many(found.masks, self.aggregate) if self.net.total else None
        found.exact = [
            totals[:, None] if t.places is None else bars[:, t.places]  # type: ignore[index]
            for t in self.targets
        ]
        found.misses = self.missed(found.exact)
        return found

    def corrected(self, found: Candidates, near: Candidates) -> Candidates:
        """Misses as if the model were off by as much as it is at a known query close by."""
        shifted = []
        for answers, known, truth in zip(found.answers, near.answers, near.exact or near.answers, strict=True):
            shifted.append(answers + np.nan_to_num(truth - known))
        found.misses = self.missed(shifted)
        return found

    def suggestions(self, found: Candidates, n: int) -> list[Suggestion]:
        """The first `n` that differ enough from those before; the rest fills up if these are fewer."""
        chosen: list[int] = []
        for apart in (APART, 0.0):
            for k in range(len(found.hard)):
                if len(chosen) == n:
                    break
                if k not in chosen and all(
                    self.change(found.masks[k : k + 1], found.masks[j])[0] > apart for j in chosen
                ):
                    chosen.append(k)
        change = self.change(found.masks, self.origin)
        return [self._suggestion(found, k, float(change[k])) for k in sorted(chosen)]

    def _suggestion(self, found: Candidates, k: int, change: float) -> Suggestion:
        filters = dict(self.base.filters)
        for name, each in self.free.items():
            part = self.schema.slices[name]
            if not np.array_equal(found.masks[k, part], self.origin[part]):
                filters[name] = each.filter(found.hard[k, self.columns[name]])
        exact = None if found.exact is None else self._named(found.exact, k)
        answers = found.answers if found.exact is None else found.exact
        misses = {t.key: float(miss(t, each[k : k + 1])[0]) for t, each in zip(self.targets, answers, strict=True)}
        predicted = self._named(found.answers, k)
        return Suggestion(Query(**filters), predicted, change, float(found.misses[k]), exact, misses)

    def _named(self, answers: list[np.ndarray], k: int) -> dict[tuple[str, Any], Any]:
        return {
            target.key: float(each[k, 0]) if len(target.value) == 1 else each[k].copy()
            for target, each in zip(self.targets, answers, strict=True)
        }


def _free(model: Model, targets: list[Target], free: Sequence[str] | None) -> list[str]:
    names = model.schema.names
    seen = {target.key[0] for target in targets if target.places is not None}
    if free is None:
        return [name for name in names if name not in seen] or list(names)
    if isinstance(free, str) or not free:
        raise ValueError(
            f"free must be a sequence of attribute names, at least one of {', '.join(names)}; got {free!r}"
        )
    for name in free:
        model.schema.index(name)
    return [name for name in names if name in free]


def _distinct(hard: np.ndarray) -> np.ndarray:
    _, first = np.unique(hard, axis=0, return_index=True)
    return hard[np.sort(first)]


def _joined(a: Candidates, b: Candidates) -> Candidates:
    exact = None
    if a.exact is not None and b.exact is not None:
        exact = [np.concatenate(pair) for pair in zip(a.exact, b.exact, strict=True)]
    answers = [np.concatenate(pair) for pair in zip(a.answers, b.answers, strict=True)]
    return Candidates(
        np.concatenate([a.hard, b.hard]),
        np.concatenate([a.masks, b.masks]),
        np.concatenate([a.misses, b.misses]),
        answers,
        exact,
    )
