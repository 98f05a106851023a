"""Which rows a model is fitted to and which it is judged on: a holdout kept aside, and folds of the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from . import boxes
from .answers import indicators, label_text
from .tasks import CLASSIFICATION, COMMUNITIES, DETECTION, LABELS_OF_NODES

if TYPE_CHECKING:
    from .data import Dataset
    from .problem import Problem

HOLDOUT = 0.2
ORIGINS, FEW_ORIGINS = 9, 3
"""Of forecasts: usually, and where rows are many."""
MANY = 20_000
FEW_NODES = 100
"""Below, all rows judge communities, and half of them labels of nodes: a fifth would say nearly nothing."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Row ids by their part.

    Attributes
    ----------
    train_rows, holdout_rows : array of row ids
        In the data set's order. Rows whose target is missing are in neither, except unlabelled rows of a
        semi-supervised problem, which are in `train_rows`.
    folds : list of (fit_rows, score_rows)
        Of the training rows. Unlabelled rows are fitted to in every fold and scored in none.
    why : str
        How the rows were divided, in words.
    """

    train_rows: np.ndarray
    holdout_rows: np.ndarray
    folds: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    why: str = ""


def plan(data: Dataset, problem: Problem, rng: Any = 0, folds: int | None = None) -> Plan:
    """Divide the rows of a data set for a checked problem.

    The data's own split where it has one; else about a fifth is kept aside: the last times of a forecast (or of a
    problem with a time column), whole groups where a group is named (or several rows are one thing, D3M's multiIndex,
    or rate one pair of keys), otherwise rows stratified by class or by the size of the target. Training rows are
    divided likewise: folds for cross-validation (5, 3 or 1 by size), a rolling origin for forecasts. Clustering has no
    holdout: all rows are fitted to and judged; so are few nodes in communities. Of fewer than 100 labelled
    nodes (or pairs of them) half are kept aside.

    Parameters
    ----------
    folds : int, optional
        How many folds; 1 is one division into rows to fit to and a fifth to score.

    Raises
    ------
    ValueError
        Where too few rows know the target.
    """
    rng = np.random.default_rng(rng)
    if folds is not None and folds < 1:
        raise ValueError(f"folds is {folds}: at least 1 is needed")
    if problem.task in COMMUNITIES:
        return _of_communities(data, problem, rng)
    if problem.task == "clustering":
        rows = data.frame.index.to_numpy()
        return Plan(rows, rows[:0], [(rows, rows)], "clusters are made of all rows and judged on them")
    known = _known(data, problem)
    if known.sum() < 4:
        raise ValueError(
            f"target {_names(problem)} is known in {known.sum()} rows: at least 4 are needed to learn and judge"
        )
    train, holdout, why = _holdout(data, problem, known, rng)
    parts, how = _folds(data, problem, train, len(holdout), folds, rng)
    if problem.task == "timeSeriesForecasting" and problem.known:
        how += f"; {', '.join(problem.known)}: taken to be known ahead, in every fold as in the rows kept aside"
    return _as_ids(data, problem, known, train, holdout, parts, f"{why}; {how}")


def _of_communities(data: Dataset, problem: Problem, rng: np.random.Generator) -> Plan:
    """Nobody learns from the truth; part of it is kept aside, so that the choice of a model is judged by other rows."""
    rows = data.frame.index.to_numpy()
    known = np.flatnonzero(_known(data, problem)) if problem.targets else np.zeros(0, dtype=int)
    if not problem.targets or (len(known) < FEW_NODES and data.splits is None):
        why = "communities are made of the whole graph" + (", without the truth," if problem.targets else "")
        kept = rows[known] if problem.targets else rows
        return Plan(kept, rows[:0], [(kept, kept)], f"{why} and judged on all rows")
    train, holdout, why = _holdout(data, problem, _known(data, problem), rng)
    train, holdout = np.sort(train), np.sort(holdout)
    how = "communities are made of the whole graph, without the truth; the rest chooses among them"
    return Plan(rows[train], rows[holdout], [(rows[train], rows[train])], f"{why}; {how}")


def _names(problem: Problem) -> str:
    return ", ".join(repr(name) for name in problem.targets)


def _known(data: Dataset, problem: Problem) -> np.ndarray:
    """Rows whose target is known; of a forecast those whose time is known, too."""
    needed = [*problem.targets, *([problem.time] if problem.time else [])]
    return data.frame[needed].notna().to_numpy().all(axis=1)


def _as_ids(
    data: Dataset,
    problem: Problem,
    known: np.ndarray,
    train: np.ndarray,
    holdout: np.ndarray,
    parts: list[tuple[np.ndarray, np.ndarray]],
    why: str,
) -> Plan:
    ids = data.frame.index.to_numpy()
    extra = np.zeros(0, dtype=int)
    if problem.task == "semiSupervisedClassification":
        given = None if data.splits is None else (data.splits.reindex(data.frame.index) == "holdout").to_numpy()
        extra = np.flatnonzero(~known if given is None else ~known & ~given)
        why += f"; {len(extra):,} rows without a label are fitted to only"
    with_extra = lambda rows: ids[np.sort(np.concatenate([rows, extra]))]  # noqa: E731
    divided = [(with_extra(fit), ids[np.sort(score)]) for fit, score in parts]
    return Plan(with_extra(train), ids[np.sort(holdout)], divided, why)


def _holdout(
    data: Dataset, problem: Problem, known: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, str]:
    """Positions of training and holdout rows, and why."""
    rows = np.flatnonzero(known)
    if data.splits is not None:
        kept = (data.splits.reindex(data.frame.index) == "holdout").to_numpy()
        train, holdout = rows[~kept[rows]], rows[kept[rows]]
        if len(train) >= 2 and len(holdout):
            return (
                train,
                holdout,
                f"the split that came with the data: {len(train):,} rows to train, {len(holdout):,} kept",
            )
        if len(train) >= 4:  # labels of the holdout are not known: part of the rest has to stand in
            train, holdout, why = _own_holdout(data, problem, train, rng)
            return train, holdout, f"the holdout that came with the data has no targets, so {why}"
    return _own_holdout(data, problem, rows, rng)


def _own_holdout(
    data: Dataset, problem: Problem, rows: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, str]:
    if problem.time:
        steps = _steps(data, problem)[rows]
        ahead = _ahead(problem, len(np.unique(steps)))
        late = steps >= np.unique(steps)[-ahead]
        return rows[~late], rows[late], f"the last {ahead} of {len(np.unique(steps))} times ({problem.time}) kept aside"
    if group := _group(data, problem):
        of = _group_of(data, group).iloc[rows]
        late = _grouped(of, 5, rng) == 0
        groups, names = of[late].nunique(), " and ".join(group)
        return (
            rows[~late],
            rows[late],
            f"{groups} whole groups of {names} kept aside ({late.mean():.0%} of rows)",
        )
    few = problem.task in LABELS_OF_NODES and len(rows) < FEW_NODES
    late = _stratified_share(_strata(data, problem, rows), rng, 0.5 if few else HOLDOUT)
    return rows[~late], rows[late], f"{late.mean():.0%} of rows kept aside, {_by(problem)}"


def _group(data: Dataset, problem: Problem) -> tuple[str, ...]:
    """The columns whose rows belong together."""
    one_thing = tuple(name for name, column in data.columns.items() if column.role == "multiIndex")
    pair = problem.keys if problem.keys and data.frame.duplicated(list(problem.keys)).any() else ()
    return problem.groups or one_thing[:1] or pair


def _group_of(data: Dataset, names: tuple[str, ...]) -> pd.Series:
    """The group of each row."""
    if len(names) == 1:
        return data.frame[names[0]]
    return data.frame.groupby(list(names), dropna=False, observed=True).ngroup().rename(" and ".join(names))


def _by(problem: Problem) -> str:
    if problem.subtask == "multiLabel":
        return "stratified by each row's rarest label"
    if problem.task == DETECTION:
        return "stratified by the number of objects"
    return f"stratified by {problem.targets[0]}" if len(problem.targets) == 1 else "drawn at random"


def _steps(data: Dataset, problem: Problem) -> np.ndarray:
    """Rank of each row's time, equal times alike; -1 where it is missing."""
    return pd.factorize(data.frame[problem.time], sort=True)[0]


def _ahead(problem: Problem, times: int) -> int:
    """Steps to keep aside: the horizon, or a fifth; some are left to learn from."""
    wanted = problem.horizon if problem.horizon and problem.task == "timeSeriesForecasting" else round(HOLDOUT * times)
    if times < 2:
        raise ValueError(f"time column {problem.time!r} has one value only: nothing lies ahead")
    return int(np.clip(wanted, 1, max(1, times // 2)))


def _strata(data: Dataset, problem: Problem, rows: np.ndarray) -> np.ndarray:
    """A class per row to keep in proportion: of numbers ten neighbours, of several labels the rarest."""
    table = data.frame[list(problem.targets)].iloc[rows]
    if problem.subtask == "multiLabel":
        return _rarest_labels(table)
    if problem.task in (*CLASSIFICATION, *COMMUNITIES):
        return pd.factorize(table.iloc[:, 0].map(label_text), sort=True)[0]
    if problem.task == DETECTION:
        return table.iloc[:, 0].map(lambda cell: len(boxes.boxes(cell))).to_numpy(dtype=int)
    if len(table.columns) > 1:
        return np.zeros(len(rows), dtype=int)
    order = np.argsort(table.iloc[:, 0].to_numpy(dtype=float), kind="stable")
    strata = np.empty(len(rows), dtype=int)
    strata[order] = np.arange(len(rows)) // 10
    return strata


def _rarest_labels(table: pd.DataFrame) -> np.ndarray:
    """Combinations of labels may all differ: each row counts for its rarest label, so that this one is spread."""
    cells, names = indicators(table if len(table.columns) > 1 else table.iloc[:, 0])
    ranked = cells[:, np.argsort(cells.sum(axis=0), kind="stable")] > 0
    return np.where(ranked.any(axis=1), np.argmax(ranked, axis=1) if len(names) else 0, len(names))


def _stratified_share(strata: np.ndarray, rng: np.random.Generator, share: float = HOLDOUT) -> np.ndarray:
    """True for a share of the rows, in proportion; the only row of a class stays with those to learn from."""
    sizes = np.bincount(strata)
    wanted = max(1, round(share * len(strata)))
    exact = np.minimum(share * sizes, np.maximum(sizes - 1, 0))
    counts = np.floor(exact).astype(int)
    room = (sizes - 1 > counts) & (sizes > 1)
    for one in np.argsort(-(exact - counts) + 1e-9 * rng.random(len(sizes)), kind="stable"):
        if counts.sum() >= wanted:
            break
        counts[one] += int(room[one])
    chosen = np.zeros(len(strata), dtype=bool)
    ends, order = np.cumsum(sizes), np.argsort(strata, kind="stable")
    for one in np.flatnonzero(counts):
        mine = order[ends[one] - sizes[one] : ends[one]]
        chosen[rng.permutation(mine)[: counts[one]]] = True
    if not chosen.any():  # only classes of one row
        chosen[rng.integers(len(strata))] = True
    return chosen


def _grouped(groups: pd.Series, parts: int, rng: np.random.Generator) -> np.ndarray:
    """Part of each row, whole groups together: the largest groups first, each to the part that is smallest so far."""
    codes = pd.factorize(groups, use_na_sentinel=False)[0]
    sizes = np.bincount(codes)
    if len(sizes) < 2:
        raise ValueError(f"group column {groups.name!r} has one group only: it cannot be divided")
    filled = np.zeros(min(parts, len(sizes)))
    place = np.zeros(len(sizes), dtype=int)
    for group in np.lexsort((rng.random(len(sizes)), -sizes)):
        place[group] = int(np.argmin(filled))
        filled[place[group]] += sizes[group]
    order = np.argsort(filled, kind="stable")  # part 0 is the smallest: the holdout
    return np.argsort(order)[place[codes]]


def _folds(
    data: Dataset, problem: Problem, train: np.ndarray, kept: int, folds: int | None, rng: np.random.Generator
) -> tuple[list[tuple[np.ndarray, np.ndarray]], str]:
    if problem.time:
        return _rolling(data, problem, train, folds)
    count = folds or (3 if problem.task == DETECTION else _fold_count(len(train)))  # images take long
    if count == 1:
        fit, score, _ = _own_holdout(data, problem, train, rng)
        return [(fit, score)], f"one division of the training rows, {len(score):,} scored"
    if group := _group(data, problem):
        part = _grouped(_group_of(data, group).iloc[train], count, rng)
        how = f"folds of whole groups of {' and '.join(group)}"
    else:
        part = _dealt(_strata(data, problem, train), min(count, len(train)), rng)
        how = f"folds, {_by(problem)}"
    numbers = range(part.max() + 1)
    return [(train[part != one], train[part == one]) for one in numbers], f"{len(numbers)} {how}"


def _fold_count(rows: int) -> int:
    """More folds where rows are few and fits are quick."""
    if rows < 1000:
        return min(5, rows)
    return 3 if rows <= 20_000 else 1


def _dealt(strata: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Fold of each row, dealt like cards stratum by stratum: even sizes, every class spread as far as it goes."""
    shuffled = rng.permutation(len(strata))
    order = shuffled[np.argsort(strata[shuffled], kind="stable")]
    part = np.empty(len(strata), dtype=int)
    part[order] = np.arange(len(strata)) % folds
    return part


def _rolling(
    data: Dataset, problem: Problem, train: np.ndarray, folds: int | None
) -> tuple[list[tuple[np.ndarray, np.ndarray]], str]:
    """Fit to all that lies before an origin, score steps behind it; then move the origin on.

    Windows behind neighbouring origins overlap, so that there are many origins: a few tell little, as all errors behind
    one go the same way. Where they overlap each time is scored behind one of its origins, in turn: all distances up to
    the horizon are scored, and every row at most once.
    """
    steps = _steps(data, problem)[train]
    times = np.unique(steps)
    if len(times) < 2:
        raise ValueError(f"time column {problem.time!r} has one value in the training rows: nothing lies ahead")
    wanted = problem.horizon or _kept_times(data, problem, train)
    most = min(folds or (ORIGINS if len(train) <= MANY else FEW_ORIGINS), len(times) - 1)
    window = int(np.clip(wanted, 1, max(1, len(times) // (min(most, 3) + 2))))
    starts, how = _origins(len(times), window, most)
    behind = _behind(len(times), window, starts)
    places = np.searchsorted(times, steps)
    found = [(train[places < start], train[behind[places] == one]) for one, start in enumerate(starts)]
    parts = [(fit, score) for fit, score in found if len(fit) and len(score)]
    return parts, f"rolling origin, {len(parts)} times, up to {window} steps of {problem.time} ahead, {how}"


def _origins(times: int, window: int, most: int) -> tuple[np.ndarray, str]:
    """Places of the origins, evenly spread: the first has a third of the times before it, or as many as are scored."""
    last = times - window
    first = min(last, max(1, window, times // 3))
    if (last - first) >= window * (most - 1):  # long enough for windows side by side, the latest
        return last - window * np.arange(most)[::-1], "side by side"
    return np.unique(np.linspace(first, last, most).round().astype(int)), "overlapping"


def _behind(times: int, window: int, starts: np.ndarray) -> np.ndarray:
    """Behind which origin each time is scored; -1: behind none. (times,)"""
    chosen = np.full(times, -1)
    for time in range(times):
        able = np.flatnonzero((starts <= time) & (time < starts + window))
        if len(able):
            chosen[time] = able[time % len(able)]
    return chosen


def _kept_times(data: Dataset, problem: Problem, train: np.ndarray) -> int:
    """How far ahead the holdout reaches: times behind the last training row."""
    steps = _steps(data, problem)
    ahead = len(np.unique(steps[steps > steps[train].max()]))
    return ahead or max(1, round(HOLDOUT * len(np.unique(steps[train]))))
