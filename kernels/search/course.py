"""The series of one target: their past, what is learned from it, and how it is continued."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import clone

from . import rules
from .panel import Covariates, Panel
from .seasons import seasons
from .timeline import Timeline

_MOST_ROWS = 20_000  # a regressor learns from; of longer series the latest
_MOST_CELLS = 4_000_000  # of lags, with all their columns
_FARTHEST = 20_000  # steps ahead that are computed; beyond, the last of them stands
STEPS = 24  # ahead that a direct forecast learns where no horizon is set
_SEPARATE = 40  # steps that are learned one by one by models that are quick
_DIRECT_ROWS = 6_000  # of steps times rows, where one model learns all steps
LINES = ("linear", "elastic")
"""Models that learn a step ahead in no time, and nothing from its number as a feature."""


class Bent:
    """Values as they are, or their square roots or logarithms, with the sign of the values.

    Parameters
    ----------
    kind : {"none", "root", "log"}
    values : (rows,) array
        The logarithm is of 1 + value / scale, scale a tenth of their mean size.
    """

    def __init__(self, kind: str, values: np.ndarray) -> None:
        self.kind, self.scale = kind, float(np.abs(values).mean()) / 10 or 1.0

    def bend(self, values: np.ndarray) -> np.ndarray:
        if self.kind == "none":
            return values
        size = np.abs(values)
        return np.sign(values) * (np.sqrt(size) if self.kind == "root" else np.log1p(size / self.scale))

    def straighten(self, bent: np.ndarray) -> np.ndarray:
        if self.kind == "none":
            return bent
        size = np.abs(bent)
        back = size**2 if self.kind == "root" else np.expm1(np.minimum(size, 200)) * self.scale
        return np.sign(bent) * back


class Course:
    """The series of one target.

    Parameters
    ----------
    config : mapping
        See `Forecaster`.
    regressor : estimator or None
    timeline : Timeline
    rows : (codes, positions, values)
        Of known rows; codes count the series from 0.
    covariates : Covariates
        By code and position.
    together : bool
        Whether the mean of all series is kept as series 0, before the others: it stands for series that are new.
    horizon : int
        Steps ahead that a direct forecast learns.
    """

    regressors: list[Any]

    def __init__(
        self,
        config: Mapping,
        regressor: Any,
        timeline: Timeline,
        rows: tuple[np.ndarray, np.ndarray, np.ndarray],
        covariates: Covariates,
        together: bool,
        horizon: int = STEPS,
    ) -> None:
        self.config, self.timeline, self.together, self.covariates = dict(config), timeline, together, covariates
        codes, positions, values = rows
        self.mean, self.low_value, self.high_value = float(values.mean()), *_bounds(values)
        self.bent = Bent(config.get("series:shape", "none"), values)
        self.groups = Panel(int(codes.max()) + 1, codes, positions, self.bent.bend(values))
        self._together()
        self.seasons = self._seasons()
        self.low, self.high = _bounds(self.groups.z)
        self.span = float(max(1, self.groups.end.max()))
        self.blocks = self._blocks(horizon) if regressor is not None else []
        self.regressors = [self._learned(clone(regressor), block) for block in self.blocks]

    def _together(self) -> None:
        self.panel = _with_average(self.groups) if self.together else self.groups

    def _seasons(self) -> list[int]:
        how = self.config.get("season", "none")
        if how == "set":
            return [int(self.config["season:length"])]
        return seasons(self.groups.series()) if how == "found" else []

    def observe(self, rows: tuple[np.ndarray, np.ndarray, np.ndarray], covariates: Covariates) -> None:
        """More of the past, without learning anew."""
        codes, positions, values = rows
        if len(codes):
            self.groups = self.groups.joined(codes, positions, self.bent.bend(values))
            self._together()
        self.covariates = covariates

    # -- features

    @property
    def season(self) -> int:
        return self.seasons[0] if self.seasons else 1

    @property
    def reach(self) -> int:
        """Steps of the past that features are made of."""
        return 1 if self.timeless else max(self.config["lags:count"], *self.seasons, 1)

    @property
    def timeless(self) -> bool:
        """Whether values follow from what is known of their own time, whatever came before."""
        return bool(self.covariates.width) and self.config.get("lags:past") == "no"

    def _rows(self, past: np.ndarray, codes: np.ndarray, at: np.ndarray, lead: np.ndarray) -> np.ndarray:
        """One row of features per past (latest first), for the position `at` that lies `lead` steps after it."""
        parts = [] if self.timeless else self._lags(past, lead)
        if self.config.get("lags:calendar") == "yes":
            parts += [(at / self.span)[:, None], self.timeline.phases(at)]
        parts.append(self._waves(at))
        if self.covariates.width:
            steps = range(1 + self.config.get("lags:known", 0))  # their earlier values explain those of the target
            parts += [self.covariates.at(codes - int(self.together), at - back) for back in steps]
        if len(self.blocks) and max(map(len, self.blocks)) > 1:
            parts.append((lead / max(block[-1] for block in self.blocks))[:, None])
        return np.hstack(parts)

    def _lags(self, past: np.ndarray, lead: np.ndarray) -> list[np.ndarray]:
        """Features made of the past alone."""
        count = self.config["lags:count"]
        parts = [past[:, :count]]
        parts += [self._season_before(past, lead, length)[:, None] for length in self.seasons if length > count]
        if self.config.get("lags:means") == "yes":
            windows = sorted({2, max(3, self.reach // 2), self.reach})
            parts += [past[:, :window].mean(axis=1, keepdims=True) for window in windows]
        return parts

    def _season_before(self, past: np.ndarray, lead: np.ndarray, length: int) -> np.ndarray:
        """The latest known value that lies whole seasons before what is asked for."""
        back = length * -(-lead // length) - lead  # steps before the latest
        return past[np.arange(len(past)), np.minimum(back, past.shape[1] - 1)]

    def _waves(self, at: np.ndarray) -> np.ndarray:
        """Sines and cosines of each season and its fractions. (n, k)"""
        turns = [k / length for length in self.seasons for k in range(1, self.config.get("season:waves", 0) + 1)]
        angles = [2 * np.pi * turn * at for turn in turns if turn < 0.5]
        return np.column_stack([f(a) for a in angles for f in (np.sin, np.cos)]) if angles else np.zeros((len(at), 0))

    def _base(self, past: np.ndarray, lead: np.ndarray) -> np.ndarray:
        """What the regressor's answer is added to."""
        how = "level" if self.timeless else self.config.get("lags:target", "level")
        if how == "season" and self.seasons:
            return self._season_before(past, lead, self.season)
        return np.zeros(len(past)) if how == "level" else past[:, 0]

    # -- learning

    def _blocks(self, horizon: int) -> list[np.ndarray]:
        """Steps ahead that one regressor answers: the first only, or all up to the horizon."""
        if self.config.get("lags:ahead") != "direct":
            return [np.array([1])]
        steps = np.arange(1, int(np.clip(horizon, 1, max(1, (self.groups.end - self.groups.start).max() // 2))) + 1)
        if self.config["model"] not in LINES:
            return [steps]
        return [steps[[i]] for i in range(len(steps))] if len(steps) <= _SEPARATE else np.array_split(steps, _SEPARATE)

    def _learned(self, regressor: Any, leads: np.ndarray) -> Any:
        codes, at, lead = self._examples(leads)
        past = self.groups.past(codes, at - lead + 1, self.reach)
        answers = self.groups.z[at] - self._base(past, lead)
        positions = self.groups.start[codes] + at - self.groups.offset[codes]
        return regressor.fit(self._rows(past, codes + int(self.together), positions, lead), answers)

    def _examples(self, leads: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Series, place in `z` and steps ahead of what is learned from; the latest where there are too many."""
        groups = self.groups
        length = np.diff(groups.offset)
        first = np.where(length > 1, np.minimum(self.reach, length // 2), 0)  # places with too little before them
        codes = np.repeat(np.arange(len(groups)), length)
        place = np.arange(len(codes)) - groups.offset[codes]
        most = min(_MOST_ROWS, _MOST_CELLS // (self.reach + 10))
        at = np.flatnonzero(place >= first[codes])
        if len(at) > most:
            age = length[codes[at]] - place[at]
            at = np.sort(at[np.argsort(age, kind="stable")[:most]])
        if len(leads) == 1:
            late = at[place[at] >= np.minimum(first[codes[at]] + leads[0], length[codes[at]]) - 1]
            return codes[late], late, np.full(len(late), leads[0])
        every = max(1, -(-len(at) * len(leads) // _DIRECT_ROWS))
        rows, lead = (found.ravel() for found in np.meshgrid(at, leads, indexing="ij"))
        kept = (np.arange(len(rows)) % every == 0) if np.gcd(every, len(leads)) == 1 else _thinned(len(rows), every)
        kept &= (place[rows] - lead + 1 >= first[codes[rows]]) | (lead == leads[0])
        return codes[rows[kept]], rows[kept], lead[kept]

    # -- forecasting

    def predict(self, positions: np.ndarray, codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(rows,) values; codes count the panel's series. The mean of all where there is no time."""
        found = np.full(len(positions), self.mean)
        timed = np.flatnonzero(np.isfinite(positions))
        if not len(timed):
            return found
        at, codes = np.clip(positions[timed], -(1e9), 1e9).astype(np.int64), codes[timed]
        before = self.covariates
        self.covariates = before.joined(codes - int(self.together), at, rows[timed])
        try:
            z = self._answers(at, codes)
        finally:
            self.covariates = before
        value = self.bent.straighten(z * self.panel.spread[codes] + self.panel.mean[codes])
        found[timed] = np.clip(value, self.low_value, self.high_value)
        return found

    def _answers(self, at: np.ndarray, codes: np.ndarray) -> np.ndarray:
        ahead = at - self.panel.end[codes]
        later = ahead >= 0
        z = np.empty(len(at))
        z[~later] = self._within(codes[~later], at[~later])
        steps = np.zeros(len(self.panel), dtype=np.int64)
        np.maximum.at(steps, codes[later], np.minimum(ahead[later] + 1, _FARTHEST))
        asked = np.flatnonzero(steps)
        if len(asked):
            place = np.zeros(len(self.panel), dtype=np.int64)
            place[asked] = np.arange(len(asked))
            z[later] = self._futures(asked, steps[asked])[place[codes[later]], np.minimum(ahead[later], _FARTHEST - 1)]
        return z

    def _within(self, codes: np.ndarray, at: np.ndarray) -> np.ndarray:
        """One step ahead of what was known before each position."""
        if not len(at):
            return np.zeros(0)
        places = self.panel.flat(codes, at)
        if self.regressors:
            past = self.panel.past(codes, places, self.reach)
            return self._asked(self.regressors[0], past, codes, at, np.ones(len(at), dtype=np.int64))
        pasts = [self.panel.z[first:place] for first, place in zip(self.panel.offset[codes], places, strict=True)]
        return self._ruled(pasts, 1)[:, 0]

    def _futures(self, asked: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """(series, most steps) values after the last of each series asked for."""
        most = int(steps.max())
        if not self.regressors:
            z, offset = self.panel.z, self.panel.offset
            return self._ruled([z[offset[c] : offset[c + 1]] for c in asked], most)
        past = self.panel.past(asked, self.panel.offset[asked + 1], self.reach)
        futures, chunk = np.zeros((len(asked), most)), int(self.blocks[-1][-1])
        for done in range(0, most, chunk):
            open_ = np.flatnonzero(steps > done)
            said = self._chunk(past[open_], asked[open_], self.panel.end[asked[open_]] + done, min(chunk, most - done))
            futures[open_, done : done + said.shape[1]] = said
            past[open_] = np.hstack([said[:, ::-1], past[open_]])[:, : self.reach]
        return futures

    def _chunk(self, past: np.ndarray, codes: np.ndarray, end: np.ndarray, steps: int) -> np.ndarray:
        """(series, steps) values behind one past each."""
        found = np.zeros((len(codes), steps))
        for regressor, block in zip(self.regressors, self.blocks, strict=True):
            leads = block[block <= steps]
            if not len(leads):
                break
            many, lead = np.repeat(np.arange(len(codes)), len(leads)), np.tile(leads, len(codes))
            said = self._asked(regressor, past[many], codes[many], end[many] + lead - 1, lead)
            found[:, leads - 1] = said.reshape(len(codes), len(leads))
        return found

    def _asked(self, regressor: Any, past: np.ndarray, codes: np.ndarray, at: np.ndarray, lead: np.ndarray):
        said = np.asarray(regressor.predict(self._rows(past, codes, at, lead)), dtype=float).ravel()
        said = np.nan_to_num(said + self._base(past, lead), nan=0.0, posinf=self.high, neginf=self.low)
        return np.clip(said, self.low, self.high)

    def _ruled(self, pasts: list[np.ndarray], steps: int) -> np.ndarray:
        return rules.forecasts(self.config["model"], pasts, steps, self.season)


def _with_average(groups: Panel) -> Panel:
    mean = groups.average()
    codes = np.concatenate([mean.codes, groups.codes + 1])
    positions, values = (np.concatenate([getattr(p, name) for p in (mean, groups)]) for name in ("positions", "values"))
    scales = (np.concatenate([getattr(p, name) for p in (mean, groups)]) for name in ("mean", "spread"))
    return Panel(len(groups) + 1, codes, positions, values, *scales)


def _thinned(rows: int, every: int) -> np.ndarray:
    """One in `every` rows, drawn once and for all: a regular choice would leave steps out."""
    return np.random.default_rng(0).random(rows) < 1 / every


def _bounds(z: np.ndarray) -> tuple[float, float]:
    """Between which forecasts must stay: the range of the past, and once more that to either side."""
    span = float(z.max() - z.min())
    return float(z.min()) - span, float(z.max()) + span
