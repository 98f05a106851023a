"""Forecasts of series: from rules, or from a regressor over lags, season, calendar and known covariates."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from .cleaning import label, numbers
from .course import STEPS, Course
from .learner import Quiet
from .panel import Covariates
from .timeline import Timeline

_BETWEEN = "\x1f"  # names of several columns as one


class Forecaster(Quiet):
    """Forecasts later values of one or many series.

    Each series is put on an even grid and standardised by itself; one regressor learns from all of them. Its forecasts
    are fed back step by step, or it learns every step ahead directly. A series that is new goes the way of their mean.

    Parameters
    ----------
    config : dict
        "model"; "season" ("found", "set", "none"), "season:length", "season:waves"; "series:shape" ("none", "root",
        "log"); "lags:count", "lags:target" ("level", "difference", "season"), "lags:means", "lags:calendar",
        "lags:ahead" ("recursive", "direct"), "lags:known" (earlier steps of the known covariates),
        "lags:past" ("no": nothing but season, calendar and known covariates counts).
    regressor : estimator, optional
        None: the model is a rule.
    time : str
        Column of X.
    group : str or list of str, optional
        Columns of X that tell series apart.
    numbers, categories : list of str
        Covariates that are known for times to come.
    horizon : int, optional
        Steps ahead that a direct forecast learns; farther ones are forecast from these.
    """

    def __init__(self, config, regressor=None, time="time", group=None, numbers=(), categories=(), horizon=None):
        self.config, self.regressor, self.time, self.group = config, regressor, time, group
        self.numbers, self.categories, self.horizon = numbers, categories, horizon

    def fit(self, X, y):
        self._start(X)
        if self.time not in X.columns:
            raise ValueError(f"forecasting needs the column of times, {self.time!r}")
        table = y if isinstance(y, pd.DataFrame) else pd.Series(y).to_frame()
        self.targets_ = [str(c) for c in table.columns]
        self.table_ = isinstance(y, pd.DataFrame)
        with self._quiet():
            names = self._names(X)
            self.timeline_ = Timeline(X[self.time], pd.factorize(names)[0])
            self._learn_covariates(X)
            self.series_, self.courses_ = [], []
            for i, target in enumerate(self.targets_):
                values = numbers(table.iloc[:, i])
                known = np.isfinite(values) & np.isfinite(self.timeline_.positions(X[self.time]))
                if not known.any():
                    raise ValueError(f"{target}: no known value at a known time in the rows to learn from")
                self.series_.append(sorted(set(names[known])))
                self.courses_.append(self._course(X, names, values, i))
        return self

    def _course(self, X, names: np.ndarray, values: np.ndarray, i: int) -> Course:
        rows, covariates = self._placed(X, names, values, i)
        horizon, together = self.horizon or STEPS, bool(self._group_columns)
        return Course(self.config, self.regressor, self.timeline_, rows, covariates, together, horizon)

    def observe(self, X, y):
        """Take later rows into the past, without learning anew: forecasts then begin after them."""
        table = y if isinstance(y, pd.DataFrame) else pd.Series(y).to_frame()
        names = self._names(X)
        for i, course in enumerate(self.courses_):
            values = numbers(table.iloc[:, i])
            known = np.isfinite(values) & np.isfinite(self.timeline_.positions(X[self.time]))
            self.series_[i] += sorted(set(names[known]) - set(self.series_[i]))
            rows, covariates = self._placed(X, names, values, i, course.covariates)
            course.observe(rows, covariates)
        return self

    def predict(self, X):
        X = self._checked(X)
        with self._quiet():
            positions, names, rows = self.timeline_.positions(X[self.time]), self._names(X), self._covariates(X)
            found = []
            for series, course in zip(self.series_, self.courses_, strict=True):
                codes = _codes(names, series) + int(course.together)  # 0: new, the mean of all
                found.append(course.predict(positions, np.maximum(codes, 0), rows))
        return pd.DataFrame(dict(zip(self.targets_, found, strict=True)), index=X.index) if self.table_ else found[0]

    # -- rows as series and positions

    @property
    def _group_columns(self) -> list[str]:
        return [self.group] if isinstance(self.group, str) else list(self.group or ())

    def _names(self, X) -> np.ndarray:
        """The series of each row. (rows,) of str"""
        names = np.full(len(X), "", dtype=object)
        for i, column in enumerate(self._group_columns):
            codes, values = pd.factorize(X[column], use_na_sentinel=False)
            part = np.array([label(value) for value in values], dtype=object)[codes]
            names = part if i == 0 else names + _BETWEEN + part
        return names

    def _placed(self, X, names: np.ndarray, values: np.ndarray, i: int, before: Covariates | None = None):
        """Codes, positions and values of the known rows; and the covariates of all rows of these series."""
        positions, codes = self.timeline_.positions(X[self.time]), _codes(names, self.series_[i])
        there = np.isfinite(positions) & (codes >= 0)
        at = np.where(there, positions, 0).astype(np.int64)
        known = there & np.isfinite(values)
        found = codes[there], at[there], self._covariates(X)[there]
        covariates = Covariates.of(*found) if before is None else before.joined(*found)
        return (codes[known], at[known], values[known]), covariates

    # -- covariates

    def _learn_covariates(self, X) -> None:
        if self.numbers:
            low, high = np.nanmin(self._plain(X), axis=0), np.nanmax(self._plain(X), axis=0)
            self.range_ = low - (high - low) / 2, high + (high - low) / 2  # farther out a line runs away
        self.scaler_ = StandardScaler().fit(self._plain(X)) if self.numbers else None
        self.encoder_ = None
        if self.categories:
            self.encoder_ = OneHotEncoder(max_categories=20, handle_unknown="infrequent_if_exist", sparse_output=False)
            self.encoder_.fit(self._labels(X))

    def _plain(self, X) -> np.ndarray:
        return np.column_stack([numbers(X[name]) for name in self.numbers])

    def _labels(self, X) -> np.ndarray:
        columns = [[label(value) for value in X[name].array] for name in self.categories]
        return np.array(columns, dtype=object).T

    def _covariates(self, X) -> np.ndarray:
        """(rows, covariates): standardised, 0 where missing."""
        parts = [np.zeros((len(X), 0))]
        if self.scaler_ is not None:
            parts.append(np.nan_to_num(self.scaler_.transform(np.clip(self._plain(X), *self.range_))))
        if self.encoder_ is not None:
            parts.append(self.encoder_.transform(self._labels(X)))
        return np.hstack(parts)


def _codes(names: np.ndarray, series: list[str]) -> np.ndarray:
    """Place of each name among the series; -1 where it is new."""
    return pd.Index(series, dtype=object).get_indexer(names).astype(np.int64)
