"""A degree-corrected stochastic block model of a small graph, fitted by moving nodes while its likelihood grows."""

from __future__ import annotations

import numpy as np
from scipy import sparse

STARTS = 6
SWEEPS = 30


def block_model(weighted: sparse.csr_array, count: int, start: np.ndarray, seed: int) -> np.ndarray:
    """Blocks of the nodes, of several starts the likeliest. (nodes,)

    Karrer & Newman, "Stochastic blockmodels and community structure in networks", PRE 83, 2011, with their objective
    sum_rs m_rs log(m_rs / (k_r k_s)), m_rs the weight between blocks r and s, k_r the sum of its degrees.

    Parameters
    ----------
    weighted : (nodes, nodes) symmetric matrix without loops
    count : int
        Of blocks at most.
    start : (nodes,) int array
        The first start; others are drawn at random.
    seed : int
    """
    rng, nodes = np.random.default_rng(seed), weighted.shape[0]
    count = max(1, min(count, nodes))
    starts = [np.minimum(start, count - 1), *(rng.integers(count, size=nodes) for _ in range(STARTS - 1))]
    found = [_climbed(weighted, one.copy(), count, rng) for one in starts]
    return max(found, key=lambda groups: likelihood(weighted, groups, count))


def likelihood(weighted: sparse.csr_array, groups: np.ndarray, count: int) -> float:
    """The objective of a grouping into `count` blocks; larger is likelier."""
    between = _between(weighted, groups, count)
    return _objective(between[None])[0]


def _between(weighted: sparse.csr_array, groups: np.ndarray, count: int) -> np.ndarray:
    """(count, count) weight between blocks; twice that within one."""
    members = sparse.coo_array((np.ones(len(groups)), (np.arange(len(groups)), groups)), (len(groups), count)).tocsr()
    return np.asarray((members.T @ (weighted @ members)).toarray())


def _objective(between: np.ndarray) -> np.ndarray:
    """Of each of some tables (tables, count, count)."""
    strength = between.sum(axis=2)
    expected = strength[:, :, None] * strength[:, None, :]
    terms = np.where(between > 1e-12, between * np.log(np.maximum(between, 1e-12) / np.maximum(expected, 1e-12)), 0.0)
    return terms.sum(axis=(1, 2))


def _climbed(weighted: sparse.csr_array, groups: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Each node in turn goes to the block that makes the whole likeliest, until none moves."""
    between = _between(weighted, groups, count)
    for _ in range(SWEEPS):
        moved = False
        for node in rng.permutation(len(groups)):
            beside = slice(weighted.indptr[node], weighted.indptr[node + 1])
            row = np.bincount(groups[weighted.indices[beside]], weights=weighted.data[beside], minlength=count)
            tables = _after_moves(between, row, groups[node], count)
            best = int(np.argmax(_objective(tables)))
            if best != groups[node] and _objective(tables[[best]])[0] > _objective(between[None])[0] + 1e-9:
                groups[node], between, moved = best, tables[best], True
        if not moved:
            break
    return groups


def _after_moves(between: np.ndarray, row: np.ndarray, old: int, count: int) -> np.ndarray:
    """The table of weights after a node with weights `row` to the blocks went from `old` to each block. (count, ...)"""
    tables = np.repeat(between[None], count, axis=0)
    tables[:, old, :] -= row
    tables[:, :, old] -= row
    new = np.arange(count)
    tables[new, new, :] += row
    tables[new, :, new] += row
    return tables
