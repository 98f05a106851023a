"""The Pareto front of two things that are to be small."""

from __future__ import annotations

from typing import Any

import numpy as np


def front(price: Any, cost: Any) -> np.ndarray:
    """Positions of the points that no other point beats, by rising price.

    A point beats another if it is as good in both and better in one; equal points do not beat each other.

    Parameters
    ----------
    price, cost : (points,) numbers, smaller is better
        Points where either is not finite are on no front.
    """
    price, cost = np.asarray(price, float), np.asarray(cost, float)
    known = np.flatnonzero(np.isfinite(price) & np.isfinite(cost))
    order = known[np.lexsort((cost[known], price[known]))]
    if not len(order):
        return order
    p, c = price[order], cost[order]
    first = np.append(True, p[1:] != p[:-1])  # of the points of one price: the least cost
    group = np.cumsum(first) - 1
    cheaper = np.append(np.inf, np.minimum.accumulate(c)[:-1])[first]  # least cost at lower prices
    return order[(c == c[first][group]) & (c < cheaper[group])]
