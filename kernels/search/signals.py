"""A quick look at how much of a column the others tell: one small forest on a sample, against the trivial predictor."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .answers import label_text
from .graph_look import quick_numbers

if TYPE_CHECKING:
    from .data import Dataset

SAMPLE = 1000
TREES = 16
LEVELS = 200
"""Labels of a column that are told apart; rarer ones are one."""


@dataclass(frozen=True)
class Look:
    """A sample of a data set as numbers, a block of columns per column of the data.

    Attributes
    ----------
    rows : array of row ids
    matrix : (rows, numbers) float32 array
    places : dict
        Column name to the positions of its numbers; columns that cannot be looked at quickly have none.
    """

    rows: np.ndarray
    matrix: np.ndarray
    places: dict[str, list[int]]

    def without(self, names: Iterable[str]) -> np.ndarray:
        """Positions of all numbers but those of these columns."""
        left_out = set(names)
        return np.array(
            [at for name, places in self.places.items() if name not in left_out for at in places], dtype=int
        )


def look(data: Dataset, rng: np.random.Generator, sample: int = SAMPLE) -> Look:
    """Sample rows (of the training part where there is a split) and turn columns into numbers."""
    rows = data.frame.index.to_numpy()
    if data.splits is not None and (data.splits == "train").sum() >= 50:
        rows = rows[(data.splits.reindex(data.frame.index) == "train").to_numpy()]
    if len(rows) > sample:
        rows = rows[np.sort(rng.choice(len(rows), sample, replace=False))]
    frame = data.frame.loc[rows]
    blocks: list[np.ndarray] = []
    places: dict[str, list[int]] = {}
    nodes = quick_numbers(data, frame) if data.graphs else {}
    for name in data.columns:
        found = nodes[name] if name in nodes else _numbers(data, frame, name)
        places[name] = list(range(len(blocks), len(blocks) + len(found)))
        blocks += found
    matrix = np.stack(blocks, axis=1).astype(np.float32) if blocks else np.zeros((len(rows), 0), np.float32)
    return Look(rows, matrix, places)


def _numbers(data: Dataset, frame: pd.DataFrame, name: str) -> list[np.ndarray]:
    column, values = data.columns[name], frame[name]
    if column.type in ("integer", "real"):
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        return [np.clip(np.where(np.isinf(numbers), np.nan, numbers), -1e30, 1e30)]
    if column.type == "dateTime":
        return [np.where(values.isna(), np.nan, pd.factorize(values, sort=True)[0])]
    if column.type in ("boolean", "categorical"):
        return [_by_size(values)]
    if column.type == "text" and column.refers is None:
        return _of_texts(values)
    return []


def _by_size(values: pd.Series) -> np.ndarray:
    """Labels as numbers in the order of how common they are."""
    texts = values.map(label_text, na_action="ignore")
    order = {name: rank for rank, name in enumerate(texts.value_counts().index[:LEVELS])}
    return texts.map(lambda text: order.get(text, LEVELS), na_action="ignore").to_numpy(dtype=float, na_value=np.nan)


def _of_texts(values: pd.Series) -> list[np.ndarray]:
    from sklearn.feature_extraction.text import HashingVectorizer

    words = HashingVectorizer(n_features=64, alternate_sign=False).transform(values.fillna("").astype(str))
    return list(words.toarray().T)


@dataclass(frozen=True)
class Signal:
    """How much of a target is told: 0 as the trivial predictor, 1 all of it; and the columns that tell most."""

    value: float
    rows: int
    best: tuple[str, ...] = ()


def signal(data: Dataset, seen: Look, target: str, classes: bool, without: Iterable[str] = ()) -> Signal | None:
    """Cross-validated signal of a column; None where there is nothing to look at.

    Of classes it is the mean recall beyond guessing, (r - 1/c) / (1 - 1/c), of numbers R²; both at least 0.
    """
    inputs = seen.without([target, *without])
    y, known = _target(data, seen, target, classes)
    if not len(inputs) or known.sum() < 10:
        return None
    X, y = seen.matrix[known][:, inputs], y[known]
    value, weights = _forest_score(X, y, classes)
    return Signal(max(0.0, value), int(known.sum()), _strongest(seen, inputs, weights))


def _target(data: Dataset, seen: Look, target: str, classes: bool) -> tuple[np.ndarray, np.ndarray]:
    values = data.frame[target].loc[seen.rows]
    if classes:
        codes = pd.factorize(values.map(label_text, na_action="ignore"))[0]
        common = np.bincount(codes[codes >= 0], minlength=1) >= 2
        return codes, (codes >= 0) & common[np.maximum(codes, 0)]
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    return _to_one(numbers), np.isfinite(numbers)


def _to_one(numbers: np.ndarray) -> np.ndarray:
    """Numbers over the largest of them, so that squares stay finite; R² does not change."""
    largest = np.abs(numbers[np.isfinite(numbers)]).max(initial=0.0)
    return numbers / largest if largest > 0 else numbers


def _forest_score(X: np.ndarray, y: np.ndarray, classes: bool) -> tuple[float, np.ndarray]:
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    forest = ExtraTreesClassifier if classes else ExtraTreesRegressor
    told = np.empty(len(y), dtype=y.dtype)
    weights = np.zeros(X.shape[1])
    fold = _halves(y)
    for part in (0, 1):
        model = forest(TREES, max_depth=12, min_samples_leaf=2, random_state=0, n_jobs=1)
        with warnings.catch_warnings():  # of many classes: their signal says it
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
            model.fit(X[fold != part], y[fold != part])
        told[fold == part] = model.predict(X[fold == part])
        weights += model.feature_importances_
    return (_recall_beyond(y, told) if classes else _explained(y, told)), weights


def _halves(y: np.ndarray) -> np.ndarray:
    """0 or 1 per row, every class and every size of number in both; fixed, so that columns compare."""
    shuffled = np.random.default_rng(0).permutation(len(y))
    order = shuffled[np.argsort(y[shuffled], kind="stable")]
    fold = np.empty(len(y), dtype=int)
    fold[order] = np.arange(len(y)) % 2
    return fold


def _recall_beyond(y: np.ndarray, told: np.ndarray) -> float:
    classes = np.unique(y)
    if len(classes) < 2:
        return 0.0
    recall = np.mean([np.mean(told[y == one] == one) for one in classes])
    return float((recall - 1 / len(classes)) / (1 - 1 / len(classes)))


def _explained(y: np.ndarray, told: np.ndarray) -> float:
    whole = np.sum((y - y.mean()) ** 2)
    return float(1 - np.sum((y - told) ** 2) / whole) if whole > 0 else 0.0


def _strongest(seen: Look, inputs: np.ndarray, weights: np.ndarray, most: int = 3) -> tuple[str, ...]:
    by_place = dict(zip(inputs.tolist(), weights.tolist(), strict=True))
    sums = {name: sum(by_place.get(at, 0.0) for at in places) for name, places in seen.places.items()}
    ranked = sorted((name for name in sums if sums[name] > 0), key=lambda name: -sums[name])
    return tuple(ranked[:most])


def copy_of(data: Dataset, seen: Look, target: str, classes: bool, candidates: Iterable[str]) -> str | None:
    """The first of some columns that alone tells (nearly) every value of the target; None if none does."""
    y, known = _target(data, seen, target, classes)
    if known.sum() < 10:
        return None
    for name in candidates:
        if len(seen.places.get(name, ())) == 1 and _tells_all(
            seen.matrix[known, seen.places[name][0]], y[known], classes
        ):
            return name
    return None


def _tells_all(x: np.ndarray, y: np.ndarray, classes: bool) -> bool:
    """Whether a column is the target under another name: the same groups of rows, or a line through the same points."""
    if classes:
        pairs = pd.crosstab(np.nan_to_num(x, nan=-1.0), y)
        one_each = pairs.to_numpy().max(axis=1).sum() / len(y) >= 0.995
        return bool(one_each and len(pairs) <= 2 * pairs.shape[1])
    both = np.isfinite(x)
    if both.mean() < 0.9 or np.ptp(x[both]) == 0 or np.ptp(y[both]) == 0:
        return False
    ranks = [pd.Series(side[both]).rank().to_numpy() for side in (x, y)]
    return bool(abs(np.corrcoef(ranks[0], ranks[1])[0, 1]) > 0.999)


def forecast_signal(
    data: Dataset, target: str, time: str, group: str | Sequence[str] | None, lags: int = 12
) -> Signal | None:
    """How much of the last fifth of the series a line through its lags tells, one step ahead, beyond the mean."""
    groups = [group] if isinstance(group, str) else list(group or ())
    frame = data.frame[[time, *groups, target]].dropna()
    frame = frame.assign(**{target: _to_one(frame[target].to_numpy(dtype=float))})
    parts = [part for _, part in frame.groupby(groups, observed=True)] if groups else [frame]
    pairs = [
        _lagged(part.sort_values(time, kind="stable")[target].to_numpy(float)[-SAMPLE:], lags) for part in parts[:50]
    ]
    early = [(X[: len(X) * 4 // 5], y[: len(y) * 4 // 5]) for X, y in pairs if len(y) >= 10]
    late = [(X[len(X) * 4 // 5 :], y[len(y) * 4 // 5 :]) for X, y in pairs if len(y) >= 10]
    if not early:
        return None
    (X, y), (U, v) = (tuple(np.concatenate(side) for side in zip(*part, strict=True)) for part in (early, late))
    scale = np.abs(y - y.mean()).max() or 1.0
    A, B = ((np.c_[(M - y.mean()) / scale, np.ones(len(M))]) for M in (X, U))
    weights = np.linalg.solve(A.T @ A + 1e-3 * np.eye(A.shape[1]), A.T @ ((y - y.mean()) / scale))
    left, whole = np.sum((v - y.mean() - scale * (B @ weights)) ** 2), np.sum((v - y.mean()) ** 2)
    return Signal(float(max(0.0, 1 - left / whole)) if whole > 0 else 0.0, len(y) + len(v))


def _lagged(values: np.ndarray, lags: int) -> tuple[np.ndarray, np.ndarray]:
    lags = min(lags, max(1, len(values) // 4))
    if len(values) <= lags:
        return np.zeros((0, 12)), np.zeros(0)
    X = np.stack([values[lags - lag - 1 : len(values) - lag - 1] for lag in range(lags)], axis=1)
    return np.pad(X, ((0, 0), (0, 12 - lags)), mode="edge"), values[lags:]


def rating_signal(data: Dataset, target: str, keys: Sequence[str]) -> Signal | None:
    """How much of some of the ratings the biases of both keys tell, learned from the others."""
    from .ratings import biases

    frame = data.frame[[*keys, target]].dropna()
    frame = frame.sample(min(len(frame), 20 * SAMPLE), random_state=0)
    if len(frame) < 10:
        return None
    users, items = (pd.factorize(frame[name])[0].astype(np.int64) for name in keys)
    y, shape = _to_one(frame[target].to_numpy(dtype=float)), (users.max() + 1, items.max() + 1)
    fold, told = _halves(y), np.empty(len(y))
    for part in (0, 1):
        mine = fold == part
        told[mine] = biases(users[~mine], items[~mine], y[~mine], shape, 5.0).of(users[mine], items[mine])
    return Signal(max(0.0, _explained(y, told)), len(y), tuple(keys))
