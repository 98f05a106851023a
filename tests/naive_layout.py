"""The slow oracle of drawing graphs: forces pair by pair, densities point by point."""

import numpy as np


def push(places):
    """Forces of 1 / distance^2 between all pairs."""
    found = np.zeros_like(places)
    for i in range(len(places)):
        for j in range(len(places)):
            if i != j:
                away = places[i] - places[j]
                found[i] += away / np.linalg.norm(away) ** 3
    return found


def climb(points, wide):
    """Directions in which the density of points, one Gaussian each, grows."""
    found = np.zeros_like(points)
    for i in range(len(points)):
        for j in range(len(points)):
            away = points[j] - points[i]
            found[i] += away * np.exp(-(away @ away) / (2 * wide**2))
    return found


def far_apart(places, edges):
    """Mean length of edges, and mean distance of all pairs."""
    length = np.mean([np.linalg.norm(places[u] - places[v]) for u, v in edges])
    pairs = [np.linalg.norm(places[i] - places[j]) for i in range(len(places)) for j in range(i)]
    return length, np.mean(pairs)
