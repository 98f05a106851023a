"""Forecasts of series: from rules, or from a regressor over lags, season, calendar and known covariates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from . import rules
from .cleaning import label, numbers
from .learner import Quiet
from .timeline import History, Timeline, season

_MOST_ROWS = 20_000  # a regressor learns from; of longer series the latest
_ALL = "(all)"


class Forecaster(Quiet):
    """Forecasts later values of one or many series.

    Each series is put on an even grid and standardised by itself; one regressor learns from all of them, and its
    forecasts are fed back step by step.

    Parameters
    ----------
    config : dict
        "model", "season", "season:length", "lags:count", "lags:target", "lags:means", "lags:calendar".
    regressor : estimator, optional
        None: the model is a rule.
    time, group : str
        Columns of X; group (optional) tells series apart.
    numbers, categories : list of str
        Covariates that are known for times to come.
    """

    def __init__(self, config, regressor=None, time="time", group=None, numbers=(), categories=()):
        self.config, self.regressor, self.time, self.group = config, regressor, time, group
        self.numbers, self.categories = numbers, categories

    def fit(self, X, y):
        self._start(X)
        if self.time not in X.columns:
            raise ValueError(f"forecasting needs the column of times, {self.time!r}")
        table = y if isinstance(y, pd.DataFrame) else pd.Series(y).to_frame()
        self.targets_ = [str(c) for c in table.columns]
        self.table_ = isinstance(y, pd.DataFrame)
        groups = self._groups(X)
        with self._quiet():
            self.timeline_ = Timeline(X[self.time], groups)
            self._learn_covariates(X)
            self.courses_ = [self._course(X, groups, table.iloc[:, i]) for i in range(table.shape[1])]
        return self

    def observe(self, X, y):
        """Take later rows into the past, without learning anew: forecasts then begin after them."""
        table = y if isinstance(y, pd.DataFrame) else pd.Series(y).to_frame()
        for i, course in enumerate(self.courses_):
            course.observe(self._series(X, self._groups(X), table.iloc[:, i]), self._places(X))
        return self

    def predict(self, X):
        X = self._checked(X)
        with self._quiet():
            positions, groups = self.timeline_.positions(X[self.time]), self._groups(X)
            found = [course.predict(positions, groups, self._covariates(X)) for course in self.courses_]
        return pd.DataFrame(dict(zip(self.targets_, found, strict=True)), index=X.index) if self.table_ else found[0]

    def _groups(self, X) -> np.ndarray:
        if self.group is None:
            return np.full(len(X), _ALL, dtype=object)
        return np.array([label(value) for value in X[self.group].array], dtype=object)

    def _course(self, X, groups: np.ndarray, y: pd.Series) -> Course:
        series = self._series(X, groups, y)
        if not series:
            raise ValueError(f"{y.name}: no known value at a known time in the rows to learn from")
        return Course(self.config, self.regressor, self.timeline_, series, self._places(X))

    def _series(self, X, groups: np.ndarray, y: pd.Series) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Group -> positions and values of its known rows."""
        positions, values = self.timeline_.positions(X[self.time]), numbers(y)
        known = np.isfinite(positions) & np.isfinite(values)
        return {
            g: (positions[mine], values[mine])
            for g in dict.fromkeys(groups[known])
            if (mine := known & (groups == g)).any()
        }

    # -- covariates

    def _learn_covariates(self, X) -> None:
        if self.numbers:
            low, high = np.nanmin(self._plain(X), axis=0), np.nanmax(self._plain(X), axis=0)
            self.range_ = low - (high - low) / 2, high + (high - low) / 2  # farther out a line runs away
        self.scaler_ = StandardScaler().fit(self._plain(X)) if self.numbers else None
        self.encoder_ = None
        if self.categories:
            self.encoder_ = OneHotEncoder(max_categories=20, handle_unknown="infrequent_if_exist", sparse_output=False)
            self.encoder_.fit(self._names(X))

    def _plain(self, X) -> np.ndarray:
        return np.column_stack([numbers(X[name]) for name in self.numbers])

    def _names(self, X) -> np.ndarray:
        columns = [[label(value) for value in X[name].array] for name in self.categories]
        return np.array(columns, dtype=object).T

    def _covariates(self, X) -> np.ndarray:
        """(rows, covariates): standardised, 0 where missing."""
        parts = [np.zeros((len(X), 0))]
        if self.scaler_ is not None:
            parts.append(np.nan_to_num(self.scaler_.transform(np.clip(self._plain(X), *self.range_))))
        if self.encoder_ is not None:
            parts.append(self.encoder_.transform(self._names(X)))
        return np.hstack(parts)

    def _places(self, X) -> dict[str, dict[int, np.ndarray]]:
        """Group -> position -> covariates."""
        return _placed(self.timeline_.positions(X[self.time]), self._groups(X), self._covariates(X))


def _placed(positions: np.ndarray, groups: np.ndarray, rows: np.ndarray) -> dict[str, dict[int, np.ndarray]]:
    found: dict[str, dict[int, np.ndarray]] = {}
    if rows.shape[1]:
        for position, group, row in zip(positions, groups, rows, strict=True):
            if np.isfinite(position):
                found.setdefault(group, {})[int(position)] = row
    return found


class Course:
    """The series of one target: their past, and what continues them."""

    regressor: Any

    def __init__(self, config: dict, regressor, timeline: Timeline, series: dict, places: dict) -> None:
        self.config, self.timeline = config, timeline
        self.histories = {g: History(*values) for g, values in series.items()}
        self.covariates = places
        self.width = max((len(row) for rows in places.values() for row in rows.values()), default=0)
        every = np.concatenate([h.values for h in self.histories.values()])
        self.mean, self.spread = float(every.mean()), float(every.std()) or 1.0
        self.season = self._season()
        self.regressor = None if regressor is None else self._learned(clone(regressor))

    def _season(self) -> int:
        how = self.config.get("season", "none")
        if how == "set":
            return int(self.config["season:length"])
        return season([h.z for h in self.histories.values()]) if how == "found" else 1

    def observe(self, series: dict, places: dict) -> None:
        for group, (positions, values) in series.items():
            old = self.histories.get(group)
            self.histories[group] = (
                old.joined(positions, values) if old else History(positions, values, self.mean, self.spread)
            )
        for group, rows in places.items():
            self.covariates.setdefault(group, {}).update(rows)

    # -- learning

    def _learned(self, regressor):
        parts = [self._training_rows(group, history) for group, history in self.histories.items()]
        rows, answers = (np.concatenate(found) for found in zip(*parts, strict=True))
        self.low, self.high = _bounds(np.concatenate([h.z for h in self.histories.values()]))
        return regressor.fit(rows[-_MOST_ROWS:], answers[-_MOST_ROWS:])

    def _training_rows(self, group: str, history: History) -> tuple[np.ndarray, np.ndarray]:
        reach = self._reach()
        first = min(reach, len(history.z) // 2) if len(history.z) > 1 else 0
        at = np.arange(first, len(history.z))
        rows = self._rows([history.z[:i] for i in at], at + history.start, [group] * len(at))
        return rows, history.z[at] - self._base([history.z[:i] for i in at])

    def _reach(self) -> int:
        return max(self.config["lags:count"], self.season if self.season > 1 else 0)

    def _base(self, pasts: Sequence[np.ndarray]) -> np.ndarray:
        """What the regressor's answer is added to."""
        if self.config.get("lags:target") != "difference":
            return np.zeros(len(pasts))
        return np.array([past[-1] if len(past) else 0.0 for past in pasts])

    def _rows(self, pasts: Sequence[np.ndarray], positions: np.ndarray, groups: Sequence[str]) -> np.ndarray:
        """One row of features per past and the position that follows it."""
        reach = self._reach()
        padded = np.array([_tail(past, reach) for past in pasts]).reshape(len(pasts), reach)  # the latest last
        count = self.config["lags:count"]
        parts = [padded[:, ::-1][:, :count]]
        if self.season > count:
            parts.append(padded[:, [-self.season]])
        if self.config.get("lags:means") == "yes":
            parts += [padded[:, -window:].mean(axis=1, keepdims=True) for window in {2, max(3, reach // 2), reach}]
        if self.config.get("lags:calendar") == "yes":
            parts.append(self._calendar(positions))
        if self.width:
            none = np.zeros(self.width)
            known = [self.covariates.get(g, {}).get(int(p), none) for g, p in zip(groups, positions, strict=True)]
            parts.append(np.array(known))
        return np.hstack(parts)

    def _calendar(self, positions: np.ndarray) -> np.ndarray:
        """Place in the season and the calendar, and how far along. (n, k)"""
        angle = 2 * np.pi * positions / max(self.season, 2)
        span = max(history.end for history in self.histories.values())
        return np.column_stack(
            [np.sin(angle), np.cos(angle), positions / max(1, span), self.timeline.phases(positions)]
        )

    # -- forecasting

    def predict(self, positions: np.ndarray, groups: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(rows,) values at positions of groups; the mean of all where a time or a series is not known."""
        before = self.covariates
        asked = _placed(positions, groups, rows)
        self.covariates = {g: {**before.get(g, {}), **asked.get(g, {})} for g in {*before, *asked}}
        try:
            return self._answers(positions, groups)
        finally:
            self.covariates = before

    def _answers(self, positions: np.ndarray, groups: np.ndarray) -> np.ndarray:
        found = np.full(len(positions), self.mean)
        known = np.isfinite(positions) & np.array([g in self.histories for g in groups], dtype=bool)
        wanted = {g: positions[known & (groups == g)].astype(int) for g in dict.fromkeys(groups[known])}
        futures = self._futures({g: max(0, int(p.max()) + 1 - self.histories[g].end) for g, p in wanted.items()})
        for group, at in wanted.items():
            history = self.histories[group]
            later = at >= history.end
            z = np.empty(len(at))
            z[later] = futures[group][at[later] - history.end]
            z[~later] = self._within(group, at[~later])
            found[known & (groups == group)] = z * history.spread + history.mean
        return found

    def _within(self, group: str, at: np.ndarray) -> np.ndarray:
        """One step ahead of what was known before each position."""
        history = self.histories[group]
        pasts = [history.z[: max(0, p - history.start)] for p in at]
        if not pasts:
            return np.zeros(0)
        if self.regressor is None:
            return np.array([self._ruled(past, 1)[0] for past in pasts])
        return self._asked(pasts, at, [group] * len(at))

    def _futures(self, steps: dict[str, int]) -> dict[str, np.ndarray]:
        """Per group, so many values after its last."""
        if self.regressor is None:
            return {g: self._ruled(self.histories[g].z, n) for g, n in steps.items()}
        pasts = {g: list(self.histories[g].z[-self._reach() :]) for g in steps}
        futures: dict[str, list[float]] = {g: [] for g in steps}
        for h in range(max(steps.values(), default=0)):
            open_ = [g for g, n in steps.items() if h < n]
            at = np.array([self.histories[g].end + h for g in open_])
            for g, value in zip(open_, self._asked([np.array(pasts[g]) for g in open_], at, open_), strict=True):
                pasts[g] = [*pasts[g], value][-self._reach() :]
                futures[g].append(value)
        return {g: np.array(values) for g, values in futures.items()}

    def _asked(self, pasts: Sequence[np.ndarray], at: np.ndarray, groups: Sequence[str]) -> np.ndarray:
        said = np.asarray(self.regressor.predict(self._rows(pasts, at, groups)), dtype=float).ravel()
        said = np.nan_to_num(said + self._base(pasts), nan=0.0, posinf=self.high, neginf=self.low)
        return np.clip(said, self.low, self.high)

    def _ruled(self, past: np.ndarray, steps: int) -> np.ndarray:
        if not len(past):
            return np.zeros(steps)
        return rules.forecast(self.config["model"], past, steps, self.season)


def _tail(past: np.ndarray, reach: int) -> np.ndarray:
    """The latest `reach` values; the first one again where there are fewer."""
    if len(past) >= reach:
        return past[len(past) - reach :]
    return np.concatenate([np.full(reach - len(past), past[0] if len(past) else 0.0), past])


def _bounds(z: np.ndarray) -> tuple[float, float]:
    """Between which forecasts must stay: the range of the past, and once more that to either side."""
    span = float(z.max() - z.min())
    return float(z.min()) - span, float(z.max()) + span
