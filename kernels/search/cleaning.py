"""From columns as people keep them to columns a model can take; each step learns from training rows only."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import TargetEncoder

LARGEST = 1e30  # larger numbers are cut to it: forests count in 32 bits, and its square still fits into 64
MISSING = "(missing)"
_DAY = 86_400.0


def numbers(values: pd.Series) -> np.ndarray:
    """`values` as floats: infinite and unreadable ones missing, truth as 1 and 0, huge ones cut.

    Returns
    -------
    (rows,) float64
    """
    with np.errstate(all="ignore"):
        plain = values if values.dtype != object else values.map(_number)
        found = pd.to_numeric(plain, errors="coerce").astype("float64").to_numpy(copy=True, na_value=np.nan)
    found[~np.isfinite(found)] = np.nan
    return np.clip(found, -LARGEST, LARGEST)


def _number(value):
    if isinstance(value, str):
        return {"true": 1.0, "false": 0.0}.get(value.strip().lower(), value)
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return np.nan


class Numbers(TransformerMixin, BaseEstimator):
    """Numeric and boolean columns as floats; infinite values count as missing."""

    def fit(self, X, y=None):
        self.columns_ = [str(c) for c in X.columns]
        return self

    def transform(self, X):
        return np.column_stack([numbers(X.iloc[:, i]) for i in range(X.shape[1])])  # (rows, columns)

    def get_feature_names_out(self, input_features=None):
        return np.asarray(self.columns_, dtype=object)


def label(value) -> str:
    """One category as text: 3, 3.0 and "3" are the same one."""
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return MISSING
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


class Labels(TransformerMixin, BaseEstimator):
    """Categorical columns as text, missing ones as a category of their own.

    Parameters
    ----------
    unique : float
        A column with more distinct labels than this share of the training rows names the rows and says nothing about
        others: it becomes constant.
    """

    def __init__(self, unique: float = 0.9):
        self.unique = unique

    def fit(self, X, y=None):
        self.columns_ = [str(c) for c in X.columns]
        self.kept_ = [not self._names_rows(X.iloc[:, i]) for i in range(X.shape[1])]
        return self

    def _names_rows(self, column: pd.Series) -> bool:
        known = column.dropna()
        return len(known) > 20 and known.map(label).nunique() > self.unique * len(known)

    def transform(self, X):
        columns = [self._column(X.iloc[:, i], kept) for i, kept in enumerate(self.kept_)]
        return np.column_stack(columns).astype(object)

    def _column(self, column: pd.Series, kept: bool) -> np.ndarray:
        if not kept:
            return np.full(len(column), MISSING, dtype=object)
        return np.array([label(value) for value in column.array], dtype=object)

    def get_feature_names_out(self, input_features=None):
        return np.asarray(self.columns_, dtype=object)


class Places(TransformerMixin, BaseEstimator):
    """Labels as one number each: their value where a column holds numbers only ("70", "82"), else their place by name.

    An unknown label is -1, or the median where labels are numbers.
    """

    def fit(self, X, y=None):
        self.categories_ = [sorted(set(column)) for column in np.asarray(X, dtype=object).T]
        self.values_ = [_values(labels) for labels in self.categories_]
        self.unknown_ = [-1.0 if v is None else float(np.median(v)) for v in self.values_]
        return self

    def transform(self, X):
        return np.column_stack([self._column(i, column) for i, column in enumerate(np.asarray(X, dtype=object).T)])

    def _column(self, i: int, column: np.ndarray) -> np.ndarray:
        if self.values_[i] is not None:
            read = numbers(pd.Series(column, dtype=object))
            return np.where(np.isnan(read), self.unknown_[i], read)
        place = {name: float(k) for k, name in enumerate(self.categories_[i])}
        return np.array([place.get(name, -1.0) for name in column])

    def get_feature_names_out(self, input_features=None):
        return np.asarray(input_features, dtype=object)


def _values(labels: list[str]) -> list[float] | None:
    """Labels as numbers; None where one is not a number, or there is none."""
    read = numbers(pd.Series([name for name in labels if name != MISSING], dtype=object))
    return None if not len(read) or np.isnan(read).any() else [float(value) for value in read]


class MeanEncoder(TargetEncoder):
    """`TargetEncoder`, cross-fitted on the training rows, that also lives with classes of a single row."""

    def fit_transform(self, X, y, **params):
        folds = self._folds(y)
        if folds < 2:
            return self.fit(X, y).transform(X)
        wanted = self.cv  # type: ignore[has-type]
        split = KFold if self.target_type == "continuous" else StratifiedKFold
        self.cv = split(folds, shuffle=True, random_state=0)
        try:
            return super().fit_transform(X, y, **params)
        finally:
            self.cv = wanted

    def _folds(self, y) -> int:
        most = len(y) if self.target_type == "continuous" else int(np.unique(y, return_counts=True)[1].max())
        return min(self.cv, most)


class Dates(TransformerMixin, BaseEstimator):
    """Dates as numbers: days since the first training row, and place in the year, the week and the day.

    Dates with a time zone are taken at UTC. A column that holds plain numbers (years) stays one number.
    """

    def fit(self, X, y=None):
        self.columns_ = [str(c) for c in X.columns]
        self.plain_ = [_plain(X.iloc[:, i]) for i in range(X.shape[1])]
        self.start_ = [self._start(X.iloc[:, i], plain) for i, plain in enumerate(self.plain_)]
        return self

    def _start(self, column: pd.Series, plain: bool) -> float:
        first = np.array([]) if plain else seconds(column)
        return float(np.nanmin(first)) if np.isfinite(first).any() else 0.0

    def transform(self, X):
        parts = []
        for i, (plain, start) in enumerate(zip(self.plain_, self.start_, strict=True)):
            column = X.iloc[:, i]
            parts.append(numbers(column)[:, None] if plain else _calendar(seconds(column), start))
        return np.hstack(parts)

    def get_feature_names_out(self, input_features=None):
        words = ("days", "year sine", "year cosine", "weekday", "hour")
        both = zip(self.columns_, self.plain_, strict=True)
        return np.asarray(
            [n for c, plain in both for n in ([c] if plain else [f"{c} {w}" for w in words])], dtype=object
        )


def _plain(column: pd.Series) -> bool:
    """Whether all known values are numbers, not dates."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return False
    known = column.dropna()
    return bool(len(known)) and not np.isnan(numbers(known)).any()


def seconds(column: pd.Series) -> np.ndarray:
    """Dates as seconds since 1970 at UTC, NaN where there is none. (rows,) float64"""
    dated = pd.to_datetime(
        column, utc=True, errors="coerce", **({"format": "mixed"} if column.dtype != "M8[ns]" else {})
    )
    # By microseconds: differences of Timestamps are nanoseconds, which end in the years 1678 and 2262.
    moments = dated.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return np.where(np.isnat(moments), np.nan, moments.astype("int64") / 1e6)


def _calendar(at: np.ndarray, start: float) -> np.ndarray:
    """(rows, 5): days since `start`, sine and cosine of the time of year, day of the week, hour."""
    days = at / _DAY
    angle = 2 * np.pi * days / 365.2425
    return np.column_stack(
        [(at - start) / _DAY, np.sin(angle), np.cos(angle), np.floor(days + 3) % 7, at % _DAY / 3600]
    )


class Tidy(TransformerMixin, BaseEstimator):
    """The last look before a model: no column without spread, at least one column, nothing infinite.

    Parameters
    ----------
    dense : bool
        Unfold sparse matrices, for models that cannot take them.
    missing : bool
        Leave NaN in, for models that can take it.
    """

    def __init__(self, dense: bool = True, missing: bool = False):
        self.dense, self.missing = dense, missing

    def fit(self, X, y=None):
        self.kept_ = np.flatnonzero(_varies(X))
        return self

    def transform(self, X):
        if not len(self.kept_):
            return np.zeros((X.shape[0], 1))
        kept = X[:, self.kept_]
        if sparse.issparse(kept):
            return kept.toarray() if self.dense else sparse.csr_matrix(kept)
        return kept if self.missing else np.nan_to_num(kept, nan=0.0, posinf=LARGEST, neginf=-LARGEST)

    def get_feature_names_out(self, input_features=None):
        if not len(self.kept_):
            return np.asarray(["nothing"], dtype=object)
        return np.asarray(input_features, dtype=object)[self.kept_]


def _varies(X) -> np.ndarray:
    """Per column, whether the training rows hold two different values (missing is one)."""
    if sparse.issparse(X):
        X = X.tocsc()
        return (X.max(axis=0).toarray() != X.min(axis=0).toarray()).ravel()
    known = np.isfinite(X)
    low, high = np.where(known, X, np.inf).min(axis=0), np.where(known, X, -np.inf).max(axis=0)
    return (low < high) | (known.any(axis=0) & ~known.all(axis=0))


class Spread(TransformerMixin, BaseEstimator):
    """Brings rows to a mean squared distance d^2 of `gamma`, whatever the columns: exp(-d^2) is then a fair kernel."""

    def __init__(self, gamma: float = 1.0):
        self.gamma = gamma

    def fit(self, X, y=None):
        if sparse.issparse(X):
            square = X.multiply(X).mean(axis=0) - np.square(X.mean(axis=0))
            total = float(np.sum(square))
        else:
            total = float(np.var(X, axis=0).sum())
        self.factor_ = np.sqrt(self.gamma / (2 * total)) if total > 0 else 1.0
        return self

    def transform(self, X):
        return X * self.factor_

    def get_feature_names_out(self, input_features=None):
        return np.asarray(input_features, dtype=object)
