"""Queries worth a look: where the answer is far from what independent attributes would give.

Pairs of selections are scored by the likelihood ratio of Kulldorff's scan statistic, O log(O / E) - (O - E), with O
the model's answer and E what the two views say when taken as independent. Ranges, boxes and single categories of all
pairs of attributes are scanned; those chosen are diverse.

Source: Kulldorff, A spatial scan statistic, Communications in Statistics 26(6), 1997.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from .attributes import Attribute
from .query import Query
from .regions import Intervals

if TYPE_CHECKING:
    from .model import Model

WIDEST = 0.5  # share of an axis that a scanned range covers at most
BOX = 4  # cells along the side of a scanned box at most
MOST = 4000  # selections of an attribute that are scanned; of long axes and fine maps not all
BLOCK = 256  # of these at a time
ALIKE = 0.3  # share of the smaller one's bins that two suggestions may have in common
REPEAT = 0.5  # each time a pair of attributes was suggested, its further ones count so much less


@dataclass(frozen=True)
class Surprise:
    """A query with a surprising answer.

    Attributes
    ----------
    query : Query
    answer, expected : float
        The model's answer, and what it would be if the two attributes were independent.
    score : float
        Log likelihood ratio, nats.
    reason : str
        One line for people.
    """

    query: Query
    answer: float
    expected: float
    score: float
    reason: str


@dataclass(frozen=True)
class Found:
    """A scanned pair of selections."""

    names: tuple[str, str]
    masks: tuple[np.ndarray, np.ndarray]
    filters: tuple[Any, Any]
    answer: float
    expected: float
    score: float


def suggest(model: Model, n: int = 5, *, base: Query | None = None) -> list[Surprise]:
    """Queries whose answers are surprising against independence, the most surprising first, diverse.

    Parameters
    ----------
    n : int
        How many at most; fewer where there is no more than independence explains.
    base : Query, optional
        Look within this query only; its attributes are not filtered any further.

    Raises
    ------
    ValueError
        If the model does not answer counts, or n is below 1.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    if "count" not in model.aggregates:
        raise ValueError("surprises are about counts; the model does not answer 'count'")
    base = base or Query()
    free = [attribute for attribute in model.schema if attribute.name not in base.filters]
    tables = _tables(model, base, free)
    found = [each for a, b in combinations(free, 2) for each in _scan(a, b, tables[a.name, b.name], n)]
    if not model.additive:
        found = _by_totals(model, base, found)
    return [_surprise(model, base, each) for each in _diverse(found, n)]


def _tables(model: Model, base: Query, free: list[Attribute]) -> dict[tuple[str, str], np.ndarray]:
    """Answers (bins of a, bins of b) of all pairs: one query per bin, all views at once."""
    slices = model.schema.slices
    origin = model.schema.mask(base)
    tables = {}
    for k, a in enumerate(free[:-1]):
        masks = np.repeat(origin[None], a.bins, axis=0)
        masks[:, slices[a.name]] = np.eye(a.bins, dtype=bool)
        answers = model.query_many(masks, "count")
        tables.update({(a.name, b.name): answers[:, slices[b.name]] for b in free[k + 1 :]})
    return tables


def _scan(a: Attribute, b: Attribute, table: np.ndarray, n: int) -> Iterator[Found]:
    """The `n` pairs of selections with the highest scores that have little in common."""
    total = table.sum()
    if total <= 0:
        return
    A, B = _selections(a, table.sum(1)), _selections(b, table.sum(0))
    rows, columns = A @ table.sum(1), B @ table.sum(0)
    score = np.empty((len(A), len(B)), np.float32)
    for start in range(0, len(A), BLOCK):
        some = slice(start, start + BLOCK)
        score[some] = _score(A[some] @ table @ B.T, np.outer(rows[some], columns) / total)
    for _ in range(n):
        i, j = divmod(int(score.argmax()), len(B))
        if score[i, j] <= 1:
            return
        answer, expected = A[i] @ table @ B[j], rows[i] * columns[j] / total
        filters = (_filter(a, A[i]), _filter(b, B[j]))
        names, masks = (a.name, b.name), (A[i], B[j])
        yield Found(names, masks, filters, float(answer), float(expected), float(_score(answer, expected)))
        score[np.ix_(_alike(A, i), _alike(B, j))] = 0


def _alike(masks: np.ndarray, i: int) -> np.ndarray:
    """Which of masks (n, bins) share more than `ALIKE` of the smaller one's bins with number i; (n,)."""
    sizes = masks.sum(1)
    return (masks & masks[i]).sum(1) > ALIKE * np.minimum(sizes, sizes[i])


def _by_totals(model: Model, base: Query, found: list[Found]) -> list[Found]:
    """The same by the model's totals, as its bars do not add up to them; without those that are no surprise then."""
    queries = [base]
    for each in found:
        filters = dict(zip(each.names, each.filters, strict=True))
        queries += [base.replace(**filters), *(base.replace(**{name: held}) for name, held in filters.items())]
    whole, *rest = model.totals_many(queries, "count").tolist()
    out = []
    for k, each in enumerate(found):
        answer, a, b = rest[3 * k : 3 * k + 3]
        expected = a * b / max(whole, 1e-9)
        out.append(replace(each, answer=answer, expected=expected, score=float(_score(answer, expected))))
    return [each for each in out if each.score > 1]


def _score(answer: Any, expected: Any) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(np.greater(answer, 0), answer * np.log(np.divide(answer, expected)), 0)
    return np.where(np.greater(expected, 0), ratio - (answer - expected), 0)


def _selections(attribute: Attribute, rows: np.ndarray) -> np.ndarray:
    """Masks (n, bins) that are scanned: ranges, boxes with anything in them, single categories."""
    if not attribute.ordered:
        return np.eye(attribute.bins, dtype=bool)
    flat = len(attribute.shape) == 1
    ranges = [_ranges(size, max(1, int(WIDEST * size)) if flat else BOX) for size in attribute.shape]
    if flat:
        hard = ranges[0]
    else:
        i, j = np.divmod(np.arange(len(ranges[0]) * len(ranges[1])), len(ranges[1]))
        hard = np.concatenate([ranges[0][i], ranges[1][j]], 1)
    masks = Intervals(attribute).masks(hard)
    if not flat:
        masks = masks[(masks & (rows > 0)).sum(1) * 2 > masks.sum(1)]
    return masks[np.sort((masks @ rows).argsort()[::-1][:MOST])]


def _ranges(size: int, widest: int) -> np.ndarray:
    """Ranges (n, 2) of an axis; where these are many, only of widths 1, 2, 4, ..., overlapping by half."""
    start, last = np.triu_indices(size)
    width = last - start + 1
    keep = width <= widest
    if keep.sum() > MOST:
        keep &= (width & (width - 1) == 0) & (start % np.maximum(1, width // 2) == 0)
    return np.stack([start[keep], last[keep] + 1], 1)


def _filter(attribute: Attribute, mask: np.ndarray) -> Any:
    kind = Intervals(attribute) if attribute.ordered else None
    if kind is None:
        labels = attribute.labels()
        return frozenset(labels[k] for k in np.flatnonzero(mask))
    return kind.filter(kind.snap(kind.near(mask)[None])[0])


def _diverse(found: list[Found], n: int) -> list[Found]:
    """Greedily the best of what is left, pairs of attributes that were suggested already counting less."""
    chosen: list[Found] = []
    while found and len(chosen) < n:
        used = [each.names for each in chosen]
        best = max(found, key=lambda each: each.score * REPEAT ** used.count(each.names))
        chosen.append(best)
        found = [each for each in found if each is not best]
    return chosen


def _surprise(model: Model, base: Query, found: Found) -> Surprise:
    filters = dict(zip(found.names, found.filters, strict=True))
    words = " and ".join(_words(model.schema[name], mask) for name, mask in zip(found.names, found.masks, strict=True))
    within = ", within the base query" if base.filters else ""
    reason = f"{words}: {_number(found.answer)} rows, {_times(found)} the {_number(found.expected)} expected{within}"
    return Surprise(base.replace(**filters), found.answer, found.expected, found.score, reason)


def _words(attribute: Attribute, mask: np.ndarray) -> str:
    labels, chosen = attribute.labels(), np.flatnonzero(mask)
    axes = zip(labels[chosen[0]].split(", "), labels[chosen[-1]].split(", "), strict=False)
    unit = f" {attribute.unit}" if attribute.unit else ""
    return f"{attribute.title} {', '.join(_span(*ends) for ends in axes)}{unit}"


def _span(first: str, last: str) -> str:
    """From where the first bin begins to where the last one ends."""
    return first if first == last else f"{first.split(' to ')[0]} to {last.split(' to ')[-1]}"


def _times(found: Found) -> str:
    ratio = found.answer / found.expected
    return f"{ratio:.1f} times" if ratio >= 0.095 else f"{100 * ratio:.0f}% of" if ratio >= 0.005 else "nearly none of"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 9.5 else f"{value:.2g}"
