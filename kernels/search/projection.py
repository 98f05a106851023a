"""All rows of a data set as points in the plane: rows that are alike lie near each other, whatever the columns are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from .data import Dataset

SAMPLE = 20_000  # rows that directions are learned from
CHUNK = 100_000  # rows that are laid out at a time
LEVELS = 20  # labels of a column that are told apart
FAR = 6.0  # standard deviations: beyond, values count as if they were there
FILES = 5_000  # rows, at most, whose files are read
DESCRIBED = ("text", "image", "timeseries")
DIRECTIONS = 12  # that describe a text, an image or a series

Encoder = Callable[[pd.DataFrame], np.ndarray]
_made: WeakKeyDictionary[Dataset, dict[tuple[str, ...], Projection]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Projection:
    """Rows in the plane of their largest variation.

    Attributes
    ----------
    points : (rows, 2) float array
    explained : (float, float)
        Share of the variation along each direction.
    strongest : (tuple of str, tuple of str)
        The columns that each direction follows most.
    columns : tuple of str
        That count.
    left_out : tuple of str
        That do not: of types without distances, names of rows, or of too many files.
    """

    points: np.ndarray
    explained: tuple[float, float]
    strongest: tuple[tuple[str, ...], tuple[str, ...]]
    columns: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def project(data: Dataset, columns: Iterable[str] | None = None) -> Projection:
    """The principal components of a data set: numbers standardized, labels as 0 / 1, texts by their words (tf-idf).

    Learned from a sample of the rows where there are many; the same for the same data. Each described column (text,
    image, series) varies as much along its first direction as a number does.

    Parameters
    ----------
    columns : iterable of str, optional
        These only.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    names = tuple(data.columns) if columns is None else tuple(columns)
    for name in names:
        data.column(name)
    known = _made.setdefault(data, {})
    if names not in known:
        known[names] = _projected(data, names)
    return known[names]


def _projected(data: Dataset, names: tuple[str, ...]) -> Projection:
    rows = len(data)
    rng = np.random.default_rng(0)
    at = np.arange(rows) if rows <= SAMPLE else np.sort(rng.choice(rows, SAMPLE, replace=False))
    sample = data.frame.iloc[at]
    found = {name: _encoder(data, name, sample[[name]]) for name in names}
    encoders = {name: encoder for name, encoder in found.items() if encoder is not None}
    left_out = tuple(name for name in names if name not in encoders)
    parts = {name: encode(sample[[name]]) for name, encode in encoders.items()}
    widths = {name: part.shape[1] for name, part in parts.items() if part.shape[1]}
    if not widths or rows < 2:
        return Projection(np.zeros((rows, 2)), (0.0, 0.0), ((), ()), tuple(encoders), left_out)
    matrix = np.concatenate(list(parts.values()), axis=1)
    mean, directions, explained = _directions(matrix)
    owners = np.repeat(list(widths), list(widths.values()))
    points = np.zeros((rows, 2))
    for start in range(0, rows, CHUNK):
        chunk = data.frame.iloc[start : start + CHUNK]
        told = np.concatenate([encode(chunk[[name]]) for name, encode in encoders.items()], axis=1)
        points[start : start + CHUNK] = (told - mean) @ directions.T
    first, second = (_strongest(direction, owners) for direction in directions)
    return Projection(points, (float(explained[0]), float(explained[1])), (first, second), tuple(encoders), left_out)


def _directions(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean (d,), the two directions (2, d) with the sign that makes their largest part positive, and what they tell."""
    from sklearn.decomposition import PCA

    count = min(2, *matrix.shape)
    solver = "covariance_eigh" if matrix.shape[1] <= 400 else "randomized"
    if not np.ptp(matrix, axis=0).any():
        return matrix.mean(axis=0), np.zeros((2, matrix.shape[1])), np.zeros(2)
    found = PCA(count, svd_solver=solver, random_state=0).fit(matrix)
    directions, explained = np.zeros((2, matrix.shape[1])), np.zeros(2)
    directions[:count], explained[:count] = found.components_, found.explained_variance_ratio_
    largest = directions[np.arange(2), np.abs(directions).argmax(axis=1)]
    return found.mean_, directions * np.where(largest < 0, -1.0, 1.0)[:, None], explained


def _strongest(direction: np.ndarray, owners: np.ndarray) -> tuple[str, ...]:
    """Up to three columns with the largest parts of a direction, and a tenth of it at least."""
    parts = pd.Series(direction**2).groupby(owners).sum().sort_values(ascending=False, kind="stable")
    return tuple(str(name) for name in parts[parts > 0.1].index[:3])


# -- columns as numbers


def _encoder(data: Dataset, name: str, sample: pd.DataFrame) -> Encoder | None:
    """What makes numbers of a column; None where it has none to count."""
    column = data.columns[name]
    if column.type in ("integer", "real", "dateTime") and column.role != "index":
        return _of_numbers(sample, name)
    if column.type in ("boolean", "categorical"):
        return _of_labels(sample, name)
    if column.type in DESCRIBED and (len(data) <= FILES or column.refers is None):
        return _described(data, name, sample)
    return None


def _plain(cells: pd.DataFrame, name: str) -> np.ndarray:
    values = cells[name]
    if pd.api.types.is_numeric_dtype(values):
        plain = values.to_numpy(dtype=float, na_value=np.nan)
    else:
        from .cleaning import seconds

        plain = seconds(values)
    return np.where(np.isfinite(plain), plain, np.nan)


def _of_numbers(sample: pd.DataFrame, name: str) -> Encoder | None:
    plain = _plain(sample, name)
    known = plain[~np.isnan(plain)]
    if not len(known) or known.min() == known.max():
        return None
    scale = float(np.abs(known).max())  # first of all, so that squares of large numbers stay finite
    middle, mean, spread = float(np.median(known)), float((known / scale).mean()), float((known / scale).std())

    def encode(cells: pd.DataFrame) -> np.ndarray:
        found = _plain(cells, name)
        found = np.where(np.isnan(found), middle, found) / scale
        return np.clip((found - mean) / (spread or 1.0), -FAR, FAR)[:, None]

    return encode


def _of_labels(sample: pd.DataFrame, name: str) -> Encoder | None:
    counts = sample[name].dropna().map(str).value_counts()
    if len(counts) < 2 or len(counts) > max(LEVELS, 0.5 * counts.sum()):
        return None  # one label, or a name per row
    order = sorted(counts.index, key=lambda label: (-counts[label], label))[:LEVELS]
    places = pd.Index(order)

    def encode(cells: pd.DataFrame) -> np.ndarray:
        codes, values = pd.factorize(cells[name])
        place = np.append(places.get_indexer(pd.Index([str(value) for value in values], dtype=object)), -1)[codes]
        found = np.zeros((len(cells), len(order)))
        there = np.flatnonzero(place >= 0)
        found[there, place[there]] = 1.0
        return found

    return encode


def _described(data: Dataset, name: str, sample: pd.DataFrame) -> Encoder:
    from .featurize import Pictures, Words
    from .reading import reader
    from .series import SeriesFeatures

    kind, opened = data.columns[name].type, reader(data, name)
    if kind == "timeseries":
        maker: Any = SeriesFeatures(opened, features="statistics")
    else:
        maker = (Pictures if kind == "image" else Words)(opened, components=DIRECTIONS)
    learned = np.asarray(maker.fit(sample).transform(sample), dtype=float)
    mean, spread = learned.mean(axis=0), learned.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0) if kind == "timeseries" else spread.max(initial=0) or 1.0

    def encode(cells: pd.DataFrame) -> np.ndarray:
        told = np.asarray(maker.transform(cells), dtype=float)
        return np.clip((told - mean) / spread, -FAR, FAR) / np.sqrt(told.shape[1] if kind == "timeseries" else 1)

    return encode
