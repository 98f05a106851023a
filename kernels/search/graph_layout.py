"""Where the nodes of a graph are drawn: each connected part by itself, the parts packed side by side.

Small parts are laid out by networkx (Kamada and Kawai 1989). Larger ones start from the eigenvectors of their
normalised adjacency; then edges pull with the square of their length (Fruchterman and Reingold 1991), and nodes push
each other away with 1 / distance^2, which leaves fewer of them at the rim than 1 / distance does (Hu 2005). Of
thousands of nodes the pushing is computed on a grid, where it is a convolution, so that a step takes milliseconds.
"""

from __future__ import annotations

import math
from concurrent.futures import CancelledError
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import fft, sparse
from scipy.sparse.csgraph import connected_components

from ..jit import jit

if TYPE_CHECKING:
    from ..progress import Progress

SMALL = 60  # nodes of a part that networkx lays out
EXACT = 1500  # nodes up to which every pair is looked at
STEPS = 120
CELLS = 256  # of the grid, from side to side
GAP = 0.6  # between parts, in units of the space that a node has


def layout(nodes: int, edges: Any, rng: Any = 0, progress: Progress | None = None) -> np.ndarray:
    """Places of nodes in the plane.

    Parameters
    ----------
    nodes : int
    edges : (edges, 2) int array
        Positions of both ends; directions, loops and parallel edges count for nothing.
    rng : seed or Generator
        Same seed, same places.
    progress : Progress, optional

    Returns
    -------
    (nodes, 2) array
        From 0 to 1 along the longer side.

    Raises
    ------
    ValueError
        If an edge ends at a node that is not there.
    CancelledError
        If `progress` was cancelled.
    """
    edges = np.asarray(edges, dtype=np.int64).reshape(-1, 2)
    if len(edges) and not (edges.min() >= 0 and edges.max() < nodes):
        raise ValueError(f"expected ends of edges from 0 to {nodes - 1}, got {edges.min()} to {edges.max()}")
    rng = np.random.default_rng(rng)
    matrix = _adjacency(nodes, edges)
    count, part = connected_components(matrix, directed=False)
    order = np.argsort(part, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(part, minlength=count))[:-1]) if nodes else []
    members = sorted(members, key=lambda some: (-len(some), int(some[0])))
    steps = STEPS * sum(len(some) > SMALL for some in members)
    if progress is not None:
        progress.start(max(steps, 1))
    places = np.zeros((nodes, 2))
    boxes = []
    for at, some in enumerate(members):
        found = _part(matrix[some][:, some] if len(some) > 2 else None, len(some), rng, progress, at * STEPS)
        found -= found.min(axis=0)
        places[some] = found
        boxes.append(found.max(axis=0) + GAP)
    if boxes:
        corners = _packed(np.array(boxes))
        for some, corner in zip(members, corners, strict=True):
            places[some] += corner
        places /= places.max() or 1.0
    return places


def _adjacency(nodes: int, edges: np.ndarray) -> Any:
    u, v = edges[edges[:, 0] != edges[:, 1]].T
    found = sparse.coo_array((np.ones(2 * len(u)), (np.r_[u, v], np.r_[v, u])), shape=(nodes, nodes)).tocsr()
    found.sum_duplicates()
    found.data[:] = 1.0
    return found


def _part(matrix: Any, size: int, rng: Any, progress: Progress | None, done: int) -> np.ndarray:
    """One connected part, a node taking about a unit of area, its longer side lying flat."""
    if size <= 2:
        return np.array([(0.0, 0.0), (0.8, 0.0)])[:size]
    found = _kamada_kawai(matrix) if size <= SMALL else _forced(matrix, _spectral(matrix, rng), progress, done)
    found = found - found.mean(axis=0)
    found = found @ np.linalg.svd(found, full_matrices=False)[2].T
    found *= np.where(found[np.abs(found).argmax(axis=0), [0, 1]] < 0, -1.0, 1.0)  # else the sign is LAPACK's choice
    spread = found.max(axis=0) - found.min(axis=0)
    spread = np.maximum(spread, 0.2 * spread.max() or 1.0)
    return found * math.sqrt(size / spread.prod())


def _kamada_kawai(matrix: Any) -> np.ndarray:
    import networkx as nx

    graph = nx.from_scipy_sparse_array(matrix)
    return np.array(list(nx.kamada_kawai_layout(graph, pos=nx.circular_layout(graph)).values()))


def _spectral(matrix: Any, rng: np.random.Generator) -> np.ndarray:
    """The second and third eigenvector of the normalised adjacency, a little shaken: equal nodes are to part."""
    from scipy.sparse.linalg import ArpackNoConvergence, eigsh

    size = matrix.shape[0]
    root = 1 / np.sqrt(np.maximum(matrix.sum(axis=0), 1))
    normal = sparse.diags_array(root) @ matrix @ sparse.diags_array(root)
    try:
        found = eigsh(normal, k=3, which="LA", v0=rng.random(size), tol=1e-3, maxiter=20 * size)[1][:, [1, 0]]
    except ArpackNoConvergence:
        found = rng.normal(size=(size, 2))
    found = found * root[:, None]
    rank = found.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable") / size  # so that all have some room
    found = found / (np.abs(found).max(axis=0) + 1e-12)
    return (0.5 * found + rank + 0.02 * rng.normal(size=(size, 2))) * math.sqrt(size)


def _forced(matrix: Any, places: np.ndarray, progress: Progress | None, done: int) -> np.ndarray:
    """After `STEPS` steps, each no longer than the temperature, which falls."""
    upper = sparse.triu(matrix).tocoo()
    u, v, size = upper.row, upper.col, len(places)
    for step in range(STEPS):
        if progress is not None:
            if progress.cancelled:
                raise CancelledError
            progress.update(done + step, lambda: "placing the nodes")
        force = (exact_push if size <= EXACT else grid_push)(places)
        apart = places[u] - places[v]
        pull = apart * np.hypot(*apart.T)[:, None]
        for axis in (0, 1):
            force[:, axis] -= np.bincount(u, pull[:, axis], size) - np.bincount(v, pull[:, axis], size)
        long = np.hypot(*force.T)
        reach = 0.1 * math.sqrt(size) * (1 - step / STEPS) ** 1.5
        places = places + force * (np.minimum(long, reach) / np.maximum(long, 1e-12))[:, None]
    return places


def exact_push(places: np.ndarray) -> np.ndarray:
    """(nodes, 2) the forces with which nodes push each other away: 1 / distance^2, over all pairs."""
    return _push(np.ascontiguousarray(places, dtype=float))


@jit
def _push(places: np.ndarray) -> np.ndarray:
    found = np.zeros_like(places)
    for i in range(len(places)):
        for j in range(i):
            dx, dy = places[i, 0] - places[j, 0], places[i, 1] - places[j, 1]
            square = max(dx * dx + dy * dy, 1e-4)
            strength = 1 / (square * math.sqrt(square))
            found[i, 0] += strength * dx
            found[i, 1] += strength * dy
            found[j, 0] -= strength * dx
            found[j, 1] -= strength * dy
    return found


def grid_push(places: np.ndarray, cells: int = CELLS) -> np.ndarray:
    """The same, of nodes spread over the four corners of their cell: nearly so, but for neighbours within a cell."""
    low = places.min(axis=0)
    side = float((places.max(axis=0) - low).max()) / (cells - 2) or 1.0
    scaled = (places - low) / side
    corner = scaled.astype(np.int64)
    part = scaled - corner
    at = corner[:, 0] * cells + corner[:, 1]
    shares = [
        (at + i * cells + j, (part[:, 0] if i else 1 - part[:, 0]) * (part[:, 1] if j else 1 - part[:, 1]))
        for i in (0, 1)
        for j in (0, 1)
    ]
    density = sum(np.bincount(where, share, cells * cells) for where, share in shares)
    spectrum = fft.rfft2(np.reshape(density, (cells, cells)), (2 * cells, 2 * cells))
    found = np.empty_like(places)
    for axis, kernel in enumerate(_kernels(cells)):
        field = fft.irfft2(spectrum * kernel, (2 * cells, 2 * cells))[:cells, :cells].ravel() / side**2
        found[:, axis] = sum(field[where] * share for where, share in shares)
    return found


@lru_cache(2)
def _kernels(cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Spectra of x / r^3 and y / r^3 on a grid twice as wide, so that sides do not see each other."""
    away = np.fft.fftfreq(2 * cells, 1 / (2 * cells))
    x, y = np.meshgrid(away, away, indexing="ij")
    cube = np.maximum(x * x + y * y, 0.5) ** 1.5
    return fft.rfft2(x / cube), fft.rfft2(y / cube)


def _packed(boxes: np.ndarray) -> np.ndarray:
    """Lower left corners of boxes, the largest first, in rows: together half as wide again as high."""
    width = max(math.sqrt(1.5 * boxes.prod(axis=1).sum()), float(boxes[0, 0]))
    corners = np.zeros_like(boxes)
    x = y = high = 0.0
    for at, (wide, tall) in enumerate(boxes):
        if x > 0 and x + wide > width * 1.0001:
            x, y, high = 0.0, y + high, 0.0
        corners[at] = x, y
        x, high = x + wide, max(high, float(tall))
    return corners
