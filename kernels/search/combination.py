"""How forecasts are combined: as many of the best as do no worse behind origins that were not seen, in a plain mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

PARTS = 9
SIZES = (12, 8, 6, 4, 3, 2)  # best members whose plain mean is considered, the steadiest first
Costs = Callable[[np.ndarray], float]
Weigh = Callable[[Costs, Sequence[np.ndarray]], np.ndarray]


def steady(costs_of: Callable[[np.ndarray], Costs], members: Sequence[np.ndarray], greedy: Weigh) -> np.ndarray:
    """Weights (members,) of averaged forecasts that sum to 1.

    Few origins tell little: weights that fit all of them best are too good to be true. So each way to weigh is judged
    by cross-validation over stretches of rows (these come origin by origin): weighed on all stretches but one, judged
    on that one. Of the ways within one standard error of the best the steadiest is taken, that is the mean of the most
    members; then greedy weights; then the best member alone. A mean that is worse than that member on all rows is
    passed over.

    Parameters
    ----------
    costs_of : callable
        Mask of rows to the cost of averaged forecasts of these rows.
    members : sequence of (rows, targets) arrays
    greedy : callable
        Costs and members to weights.
    """
    rows = len(members[0])
    whole = costs_of(np.ones(rows, dtype=bool))
    alone = best(1)(whole, members)
    parts = [part for part in np.array_split(np.arange(rows), PARTS) if len(part)]
    if len(parts) < 3:
        return alone
    ways = [*(best(size) for size in SIZES if size <= len(members)), greedy, best(1)]
    judged = np.array([_judged(costs_of, members, part, ways) for part in parts]).T  # (ways, parts)
    leader = judged.mean(axis=1).argmin()
    behind = judged - judged[leader]
    near = behind.mean(axis=1) <= behind.std(axis=1, ddof=1) / np.sqrt(len(parts))
    single = whole(_mean(alone, members))
    for way in np.flatnonzero(near):
        weights = ways[way](whole, members)
        if whole(_mean(weights, members)) <= single:
            return weights
    return alone


def _judged(costs_of, members: Sequence[np.ndarray], part: np.ndarray, ways: Sequence[Weigh]) -> list[float]:
    """Cost on one stretch of what each way makes of the others."""
    mine = np.zeros(len(members[0]), dtype=bool)
    mine[part] = True
    seen, rest, costs, here = costs_of(~mine), [m[~mine] for m in members], costs_of(mine), [m[mine] for m in members]
    return [costs(_mean(way(seen, rest), here)) for way in ways]


def _mean(weights: np.ndarray, members: Sequence[np.ndarray]) -> np.ndarray:
    return np.tensordot(weights, np.stack(members), 1)


def best(size: int) -> Weigh:
    """The plain mean of so many members that are best by themselves."""

    def weigh(costs: Costs, members: Sequence[np.ndarray]) -> np.ndarray:
        order = np.argsort([costs(member) for member in members], kind="stable")[:size]
        return np.bincount(order, minlength=len(members)) / len(order)

    return weigh
