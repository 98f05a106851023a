"""The arithmetic of the metrics: counts of hits and misses, areas, errors, information; arrays in, floats out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Counts:
    """Hits and misses per label: right, wrongly given and wrongly missing, over `rows` rows."""

    hits: np.ndarray  # (labels,)
    wrong: np.ndarray  # (labels,) given but not true
    missed: np.ndarray  # (labels,) true but not given
    rows: int
    exact: int  # rows whose labels are all right
    overlap: float | None = None  # mean over rows of shared / all labels, where rows have several
    positive: int | None = None  # the label that binary metrics are about; -1: one that does not occur


def count_codes(truth: np.ndarray, guess: np.ndarray, labels: int, positive: int | None = None) -> Counts:
    """Counts for one label per row, as codes."""
    right = truth == guess
    hits = np.bincount(truth[right], minlength=labels)
    given, true = np.bincount(guess, minlength=labels), np.bincount(truth, minlength=labels)
    return Counts(hits, given - hits, true - hits, len(truth), int(right.sum()), None, positive)


def count_cells(truth: np.ndarray, guess: np.ndarray, fixed: bool = True) -> Counts:
    """Counts for several labels per row, as boolean tables; of the labels that occur, or of `fixed` columns all."""
    seen = truth.any(axis=0) | guess.any(axis=0)
    if not fixed and seen.any():
        truth, guess = truth[:, seen], guess[:, seen]
    both, either = (truth & guess).sum(axis=1), (truth | guess).sum(axis=1)
    overlap = np.mean(np.where(either > 0, both / np.maximum(either, 1), 1.0))
    hits, exact = (truth & guess).sum(axis=0), int((truth == guess).all(axis=1).sum())
    return Counts(hits, (guess & ~truth).sum(axis=0), (truth & ~guess).sum(axis=0), len(truth), exact, float(overlap))


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


def _of_positive(counts: Counts) -> tuple[float, float, float]:
    if counts.positive is None or counts.positive < 0:
        return 0.0, 0.0, 0.0
    return counts.hits[counts.positive], counts.wrong[counts.positive], counts.missed[counts.positive]


def accuracy(counts: Counts) -> float:
    return counts.exact / counts.rows


def precision(counts: Counts) -> float:
    hits, wrong, _ = _of_positive(counts)
    return _ratio(hits, hits + wrong)


def recall(counts: Counts) -> float:
    hits, _, missed = _of_positive(counts)
    return _ratio(hits, hits + missed)


def f1(counts: Counts) -> float:
    hits, wrong, missed = _of_positive(counts)
    return _ratio(2 * hits, 2 * hits + wrong + missed)


def f1_micro(counts: Counts) -> float:
    hits = counts.hits.sum()
    return _ratio(2 * hits, 2 * hits + counts.wrong.sum() + counts.missed.sum())


def _present(counts: Counts) -> np.ndarray:
    """Labels of the truth or the prediction; of a table of labels, all its columns."""
    seen = counts.hits + counts.wrong + counts.missed > 0
    return seen if counts.overlap is None else np.ones_like(seen)


def f1_macro(counts: Counts) -> float:
    whole = 2 * counts.hits + counts.wrong + counts.missed
    each = np.divide(2 * counts.hits, whole, out=np.zeros(len(whole)), where=whole > 0)
    return float(each[_present(counts)].mean())


def jaccard(counts: Counts) -> float:
    if counts.overlap is not None:
        return counts.overlap
    whole = counts.hits + counts.wrong + counts.missed
    if counts.positive is not None:
        return _ratio(counts.hits[counts.positive], whole[counts.positive]) if counts.positive >= 0 else 0.0
    return float(np.mean(counts.hits[whole > 0] / whole[whole > 0]))


def hamming(counts: Counts) -> float:
    return float(counts.wrong.sum() + counts.missed.sum()) / (counts.rows * len(counts.hits))


def area(truth: np.ndarray, chances: np.ndarray, average: str) -> float:
    """Area under the ROC curve: (rows, labels) of truth and of probabilities; nan where it is not defined."""
    if average == "micro":
        return _area(truth.ravel(), chances.ravel())
    areas = np.array([_area(truth[:, column], chances[:, column]) for column in range(truth.shape[1])])
    defined = areas[~np.isnan(areas)]
    return float(defined.mean()) if len(defined) else float("nan")


def _area(truth: np.ndarray, chance: np.ndarray) -> float:
    """Mann-Whitney: share of pairs of a true and a false row that the chance puts in order, ties counting a half."""
    ones = int(truth.sum())
    zeros = len(truth) - ones
    if not ones or not zeros:
        return float("nan")
    _, place, counts = np.unique(chance, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return float((ranks[place][truth].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def shared_top(truth: np.ndarray, guess: np.ndarray, k: int) -> float:
    """Share of `k` rows that are at the top of both; among equals the later row comes first (D3M reverses a sort)."""
    true, told = (np.argsort(values, kind="stable")[::-1][:k] for values in (truth, guess))
    return len(np.intersect1d(true, told)) / k


def mean_squared(truth: np.ndarray, guess: np.ndarray) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.mean((truth - guess) ** 2))


def root_mean_squared(truth: np.ndarray, guess: np.ndarray) -> float:
    """(rows, targets): the mean over targets of their root mean squared error."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.mean(np.sqrt(np.mean((truth - guess) ** 2, axis=0))))


def mean_absolute(truth: np.ndarray, guess: np.ndarray) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.mean(np.abs(truth - guess)))


def r_squared(truth: np.ndarray, guess: np.ndarray) -> float:
    """Mean over targets; of a constant target 1 where it is met exactly, else 0."""
    if len(truth) < 2:
        return float("nan")
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        left = ((truth - guess) ** 2).sum(axis=0)
        whole = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
        constant = np.where(left == 0, 1.0, np.where(np.isnan(left), np.nan, 0.0))
        return float(np.mean(np.where(whole > 0, 1 - left / np.where(whole > 0, whole, 1), constant)))


def mutual_information(truth: np.ndarray, guess: np.ndarray) -> float:
    """Shared information of two groupings over the geometric mean of their entropies; 1 where both are one group."""
    table = np.zeros((truth.max() + 1, guess.max() + 1))
    np.add.at(table, (truth, guess), 1 / len(truth))
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    entropies = [-np.sum(p[p > 0] * np.log(p[p > 0])) for p in (rows, columns)]
    if max(entropies) <= 1e-12:
        return 1.0
    filled = table > 0
    shared = np.sum(table[filled] * np.log(table[filled] / np.outer(rows, columns)[filled]))
    return float(np.clip(shared / np.sqrt(np.prod(entropies)), 0, 1)) if min(entropies) > 1e-12 else 0.0


def silhouettes(space: np.ndarray, codes: np.ndarray, noise: int | None = None, most: int = 3000) -> np.ndarray:
    """Silhouette per row, nan where fewer than two groups are left, or where a row was not among the sampled.

    Rows of the group `noise` belong to no cluster: they count 0. So do those of a group with one row, or with less than
    a hundredth of all: else to set one outlier apart would be the best clustering of all the others. Of more than
    `most` rows a fixed sample is taken.
    """
    from sklearn.metrics import silhouette_samples

    parts = np.full(len(codes), np.nan)
    sample = np.arange(len(codes))
    if len(sample) > most:
        sample = np.sort(np.random.default_rng(0).choice(sample, most, replace=False))
    inside = sample[codes[sample] != noise] if noise is not None else sample
    groups = len(np.unique(codes[inside]))
    if (codes < 0).any() or not 2 <= groups < len(inside):
        return parts
    parts[sample] = 0.0
    sizes = np.bincount(codes[inside])
    large = inside[sizes[codes[inside]] >= max(2, len(sample) / 100)]
    if len(np.unique(codes[large])) >= 2:
        parts[large] = silhouette_samples(space[large], codes[large])
    return parts


def modularities(weights: Any, codes: np.ndarray, resolution: float = 1.0) -> np.ndarray:
    """What each node adds to the modularity of a grouping (Newman & Girvan 2004): they sum to it. (nodes,)

    `weights` is a symmetric (nodes, nodes) matrix, dense or sparse; zeros where there is no edge.
    """
    from scipy import sparse

    if not len(codes):
        return np.zeros(0)
    weights = sparse.csr_array(weights)
    strength = np.asarray(weights.sum(axis=1)).ravel()
    whole = strength.sum()
    if not whole:
        return np.zeros(len(codes))
    of = np.unique(codes, return_inverse=True)[1].ravel()
    members = sparse.coo_array((np.ones(len(of)), (np.arange(len(of)), of))).tocsr()
    inside = np.asarray((weights @ members).multiply(members).sum(axis=1)).ravel()
    totals = np.bincount(of, weights=strength)
    return (inside - resolution * strength * totals[of] / whole) / whole
