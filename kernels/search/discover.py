"""The problems a data set allows, the most promising first, and why other columns make none."""

from __future__ import annotations

import math
import time as clock
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .keys import look_like_ratings, rating_keys
from .legality import MANY_CLASSES, group_column, idle_features, natural_task, time_column
from .problem import Problem
from .signals import Look, Signal, copy_of, forecast_signal, look, rating_signal, signal
from .tasks import CLASSIFICATION, DETECTION, RATING, TASKS
from .values import listed

if TYPE_CHECKING:
    from ..progress import Progress
    from .data import Dataset

FEWEST = 10
"""Rows with a value that a column needs to be taken for a target."""
MOST_CLASSES = 100
LEAK = 0.98
"""Signal from which on it is suspicious."""
IN_TIME = 0.7
"""What regression of rows in time is worth: neighbours tell of each other, where a forecast would be honest."""
UNMEASURED, NOT_REACHED = 0.1, 0.06
"""Signals taken for granted: where features are files, and where the time was up."""
CHANCE = (1.0, 3.0)
"""Up to so many standard errors of guessing a signal counts as none, and from so many on as one."""
COPY = 0.8
"""Signal from which on a copy is looked for."""
FEW_LABELS = 0.7
"""Below this share of labelled rows the rows without a label are worth learning from."""


class Problems(list[Problem]):
    """Problems, the most promising first.

    Attributes
    ----------
    left_out : dict
        Column name to the reason why it is no target.
    """

    def __init__(self, problems: list[Problem], left_out: dict[str, str]) -> None:
        super().__init__(problems)
        self.left_out = left_out


def discover(
    data: Dataset, n: int = 20, rng: Any = 0, seconds: float = 5.0, progress: Progress | None = None
) -> Problems:
    """The legal problems of a data set, ranked.

    A column gives at most one problem of a kind: classification of labels and of integers with few values, regression
    of numbers, forecasting of numbers where a column tells the time, collaborative filtering of numbers where two
    columns tell who rates what; and one clustering of all rows. Ids, constants, texts, dates, media and copies of other
    columns are no targets; the reason is in `left_out`. Constants and labels that each row has for itself are no
    features, unless there are no others; the problem's reason names them.

    The score is between 0 and 1: how far a small forest, cross-validated on a sample, is from the trivial predictor,
    times coverage (share of rows that know the target) and balance (of its classes or values). Where the data set names
    its targets, these come first: they have the upper half of the scale, all others the lower. But what the forest
    tells no better than by guessing has a score near 0, whoever names it.

    Parameters
    ----------
    n : int
        At most so many.
    rng : seed or Generator
        Draws the sample.
    seconds : float
        After these, further columns are ranked without a look at the signal.
    progress : Progress, optional
        Told how many columns are done; cancelling gives what was found so far.
    """
    seen = look(data, np.random.default_rng(rng))
    left_out = {name: why for name in data.columns if (why := _no_target(data, name))}
    able = sorted((name for name in data.columns if name not in left_out), key=lambda name: not _named(data, name))
    tries = [problem for name in able for problem in _of_column(data, name)]
    if progress is not None:
        progress.start(len(tries) + 1)
    import sklearn.ensemble  # noqa: F401 - a first import takes seconds that are not the columns'

    end = clock.monotonic() + seconds
    found: list[Problem] = []
    for number, problem in enumerate(tries):
        if progress is not None and progress.cancelled:
            break
        if clock.monotonic() >= end:
            found += _unmeasured(data, seen, tries[number:], left_out, n)
            break
        judged = _judged(data, seen, problem, left_out, True)
        found += [judged] if judged is not None else []
        if progress is not None:
            progress.update(number + 1, lambda problem=problem: f"looking at {problem.target}")  # type: ignore[misc]
    found += [*_together(data, found), *_clustering(data, seen), *_communities(data)]
    if progress is not None and not progress.cancelled:
        progress.update(len(tries) + 1)
    found.sort(key=lambda problem: (not any(_named(data, name) for name in problem.targets), -(problem.score or 0.0)))
    return Problems(found[:n], left_out)


def _named(data: Dataset, name: str) -> bool:
    """Whether the data set itself calls the column a target."""
    return data.columns[name].role == "suggestedTarget" or "suggestedTarget" in getattr(data.columns[name], "roles", ())


# -- columns that are no targets


def _no_target(data: Dataset, name: str) -> str | None:
    """Why a column is no target; None if it may be one."""
    column, values = data.columns[name], data.frame[name]
    if column.type not in ("boolean", "categorical", "integer", "real", "boxes"):
        return column.why if column.type == "other" and column.why else f"{column.type} is no target of a task"
    if column.role in ("index", "multiIndex", "key", "timeIndicator", "locationIndicator", "boundary") or column.refers:
        return f"it is {column.role if not column.refers else 'a reference to ' + column.refers}, not a quantity"
    present = values.dropna()
    if len(present) < max(FEWEST, 0.05 * len(values)):
        needed = max(FEWEST, math.ceil(0.05 * len(values)))
        return f"only {len(present):,} of {len(values):,} rows have a value; at least {needed:,} are needed"
    distinct = present.nunique()
    if distinct < 2:
        return f"constant: every value is {present.iloc[0]}"
    return _id_or_names(present, column.type, distinct)


def _id_or_names(present: pd.Series, kind: str, distinct: int) -> str | None:
    if kind in ("integer", "categorical") and distinct == len(present) > MANY_CLASSES and _counts_up(present):
        return "an id: every row has a value of its own"
    if kind == "categorical" and distinct > len(present) / 2:
        return f"names: {distinct:,} different ones in {len(present):,} rows"
    if kind == "categorical" and distinct > MOST_CLASSES:
        return f"{distinct:,} classes are more than {MOST_CLASSES}: name it as a target yourself if it is meant"
    return None


def _counts_up(present: pd.Series) -> bool:
    """Whether values without repeats look like numbers given to rows: in order, dense, or no numbers at all."""
    numbers = pd.to_numeric(present, errors="coerce")
    if numbers.isna().any():
        return True
    return bool(numbers.is_monotonic_increasing or numbers.max() - numbers.min() < 1.5 * len(numbers))


# -- problems of a column


def _of_column(data: Dataset, name: str) -> Iterator[Problem]:
    task = natural_task(data, name)
    if task == "classification":
        share = data.frame[name].notna().mean()
        unlabelled = share < FEW_LABELS and data.splits is None
        yield Problem(name, "semiSupervisedClassification" if unlabelled else task)
        if data.columns[name].type == "integer" and data.frame[name].nunique() > 5:
            yield Problem(name, "regression")
    else:
        yield Problem(name, task)
    if data.columns[name].type in ("integer", "real") and (at := time_column(data, [name])):
        yield Problem(name, "timeSeriesForecasting", time=at, group=group_column(data, [name], at))
    keys = rating_keys(data, (name,)) if data.columns[name].is_number else ()
    if look_like_ratings(data, keys):
        yield Problem(name, RATING, keys=keys)


def _judged(data: Dataset, seen: Look, problem: Problem, left_out: dict[str, str], in_time: bool) -> Problem | None:
    """The problem checked and scored; None, with a reason in `left_out`, where it does not hold."""
    name = problem.targets[0]
    if name in left_out:
        return None
    try:
        problem = problem.check(data)
    except ValueError as error:
        left_out.setdefault(name, str(error))
        return None
    found = _signal(data, seen, problem) if in_time else None
    leaks: list[str] = []
    while found is not None and found.value >= COPY and problem.task not in ("timeSeriesForecasting", RATING):
        copy = copy_of(data, seen, name, problem.task in CLASSIFICATION, [b for b in found.best if b not in leaks])
        if copy is None:
            break
        if _comes_first(data, copy, name, left_out):
            left_out[name] = f"copy of column {copy}"
            return None
        leaks.append(copy)
        problem = replace(problem, features=tuple(f for f in problem.features or () if f != copy))
        found = _signal(data, seen, problem)
    if not problem.features:
        left_out[name] = f"copy of column {leaks[0]}" if leaks else "no column is left to learn from"
        return None
    return _scored(data, problem, found, leaks, in_time)


def _unmeasured(data: Dataset, seen: Look, tries: list[Problem], left_out: dict[str, str], n: int) -> list[Problem]:
    """The best of these by coverage: time is up, and to complete thousands would take minutes."""
    coverage = data.frame.notna().mean()
    found: list[Problem] = []
    ranked = sorted(tries, key=lambda each: (not _named(data, each.targets[0]), -coverage[each.targets[0]]))
    for problem in ranked:
        if len(found) >= n:
            break
        judged = _judged(data, seen, problem, left_out, False)
        found += [judged] if judged is not None else []
    return found


def _comes_first(data: Dataset, copy: str, name: str, left_out: dict[str, str]) -> bool:
    """Whether of two columns that are copies the other is the better target."""
    if copy in left_out:
        return False
    names = list(data.columns)
    return (not _named(data, copy), names.index(copy)) < (not _named(data, name), names.index(name))


def _signal(data: Dataset, seen: Look, problem: Problem) -> Signal | None:
    name = problem.targets[0]
    if problem.task == "timeSeriesForecasting":
        return forecast_signal(data, name, problem.time or "", problem.group)
    if problem.task == DETECTION:
        return None
    if problem.task == RATING:
        return rating_signal(data, name, problem.keys or ())
    others = [column for column in data.columns if column not in (problem.features or ())]
    return signal(data, seen, name, problem.task in CLASSIFICATION, others)


def _scored(data: Dataset, problem: Problem, found: Signal | None, leaks: list[str], in_time: bool) -> Problem:
    name = problem.targets[0]
    coverage, balance = float(data.frame[name].notna().mean()), _balance(data, problem)
    strength = found.value if found is not None else UNMEASURED if in_time else NOT_REACHED
    score = strength * (0.5 + 0.5 * coverage) * (0.6 + 0.4 * balance)
    score *= IN_TIME if problem.task == "regression" and _follows(data, name) else 1.0
    if _any_named(data):
        seen = None if problem.nodes else found  # a quick look sees little of what a graph tells
        score = 0.5 * score + (0.5 * _above_chance(seen) if _named(data, name) else 0.0)
    words = [
        *(["named as a target by the data set"] if _named(data, name) else []),
        _told(data, problem, found, in_time),
    ]
    words.append(_coverage_words(data, problem, coverage, balance))
    words += [f"without {copy}, a copy of it" for copy in leaks]
    words += _idle_words(data, problem)
    if found is not None and found.value >= LEAK and problem.task != "timeSeriesForecasting" and not problem.nodes:
        words.append(f"suspiciously exact: see whether {', '.join(found.best[:2])} could be known beforehand")
    return replace(problem, score=round(min(score, 1.0), 4), reason="; ".join(words))


def _above_chance(found: Signal | None) -> float:
    """1 where there is a signal, or none could be measured; down to 0 where it is no better than guessing."""
    if found is None:
        return 1.0
    low, high = CHANCE
    errors = found.value * math.sqrt(found.rows)  # of two even classes; those of others are smaller
    return min(1.0, max(0.0, (errors - low) / (high - low)))


def _follows(data: Dataset, name: str) -> bool:
    """Whether every row has a time of its own, so that a number in it can be forecast."""
    at = time_column(data, [name])
    return at is not None and data.frame[at].is_unique


def _any_named(data: Dataset) -> bool:
    return any(_named(data, name) for name in data.columns)


def _told(data: Dataset, problem: Problem, found: Signal | None, in_time: bool) -> str:
    if found is None:
        return "signal not measured: " + ("its features cannot be looked at quickly" if in_time else "time was up")
    if problem.task == "timeSeriesForecasting":
        return f"its past tells {found.value:.0%} of its variance one step ahead"
    if problem.task == RATING:
        of = f"biases of {' and '.join(problem.keys or ())} on {found.rows:,} rows"
        return f"{of} tell {found.value:.0%} of its variance"
    what = "of the way from guessing to certainty" if problem.task in CLASSIFICATION else "of its variance"
    told = f"a small forest on {found.rows:,} rows gets {found.value:.0%} {what}"
    return told + (f", most by {', '.join(found.best[:2])}" if found.best and found.value > 0.05 else "")


def _idle_words(data: Dataset, problem: Problem) -> list[str]:
    """What is no feature unless somebody wants it; nothing of a forecast, which learns from its past."""
    if problem.task == "timeSeriesForecasting":
        return []
    by: dict[str, list[str]] = {}
    for name, why in idle_features(data, problem.targets).items():
        by.setdefault(why, []).append(name)
    return [f"without {listed(names, 3)}: {why}" for why, names in by.items()]


def _coverage_words(data: Dataset, problem: Problem, coverage: float, balance: float) -> str:
    known = "known in all rows" if coverage == 1 else f"known in {coverage:.0%} of rows"
    if problem.task in CLASSIFICATION:
        count = len(_counts(data, problem))
        even = "evenly spread" if balance > 0.9 else "unevenly spread" if balance > 0.5 else "very unevenly spread"
        return f"{known}; {count} classes, {even}"
    return known if balance > 0.5 else f"{known}; most values are the same"


def _counts(data: Dataset, problem: Problem) -> pd.Series:
    """Rows of each class or value of the target, the commonest first."""
    name = problem.targets[0]
    return data.labels(name) if problem.task in CLASSIFICATION else data.frame[name].value_counts()


def _balance(data: Dataset, problem: Problem) -> float:
    """Entropy of the classes over its maximum; of numbers, the share of values that are not the commonest."""
    counts = _counts(data, problem).to_numpy()
    shares = counts / counts.sum()
    if problem.task in CLASSIFICATION:
        return float(-np.sum(shares * np.log(shares)) / np.log(len(shares)))
    return float(1 - shares[0])


# -- problems of several columns, or of none


def _together(data: Dataset, found: list[Problem]) -> list[Problem]:
    """All targets that the data set names as one problem, where they are several of one sort."""
    named = [problem for problem in found if _named(data, problem.targets[0])]
    for task in ("regression", "classification"):
        alike = [problem for problem in named if problem.task == task]
        if len(alike) < 2:
            continue
        names = tuple(problem.targets[0] for problem in alike)
        try:
            joint = Problem(names, task).check(data)
        except ValueError:
            continue
        score = float(np.mean([problem.score or 0.0 for problem in alike]))
        return [
            replace(joint, score=round(score, 4), reason=f"all {len(names)} targets that the data set names, at once")
        ]
    return []


def _communities(data: Dataset) -> list[Problem]:
    """One grouping of the nodes of a graph."""
    try:
        problem = Problem(None, "communityDetection").check(data)
    except ValueError:
        return []
    reason = "groups of nodes that are linked more among themselves than to others, without a target"
    return [replace(problem, score=0.06, reason=reason)]


def _clustering(data: Dataset, seen: Look) -> list[Problem]:
    """One grouping of the rows; its score is modest, as nothing tells beforehand whether there are groups."""
    try:
        problem = Problem(None, "clustering").check(data)
    except ValueError:
        return []
    if len(data.frame) < 10 or all(data.columns[name].type in ("dateTime", "index") for name in problem.features or ()):
        return []
    reason = f"groups of similar rows, without a target, from {len(problem.features or ())} columns"
    reason = "; ".join([reason, *_idle_words(data, problem)])
    return [
        replace(
            problem, score=0.05, reason=f"{reason}; {TASKS['clustering'].title} shows afterwards whether there are any"
        )
    ]
