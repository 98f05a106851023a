"""The two keys of a ratings table: which columns say who rates and what is rated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .tasks import RATING

if TYPE_CHECKING:
    from .data import Dataset
    from .problem import Problem

KINDS = ("categorical", "integer")
ROLES = ("suggestedGroupingKey", "groupingKey", "key", "locationIndicator")
NAMES = re.compile(
    r"(?i)(.*[ _])?(users?|items?|customers?|clients?|raters?|reviewers?|readers?|viewers?|movies?|films?|books?|jokes?"
    r"|songs?|artists?|products?|places?|restaurants?|papers?)([ _]?(id|key|nr|number|code|name))?"
)
FEWEST = 5
"""Values that a column needs to be taken for a key where nobody says it is one."""
PAIRS = 4
"""Different pairs that ratings must have."""
ONCE = 0.8
"""Share of rows with a pair of their own from which on a table looks like one of ratings."""


def with_keys(problem: Problem, data: Dataset) -> Problem:
    """A problem of collaborative filtering with its keys, those it names or those found; any other as it is.

    Raises
    ------
    ValueError
        If there are no two columns that can be keys, or those named cannot.
    """
    if problem.task != RATING or any(not data.columns[name].is_number for name in problem.targets):
        return problem  # what is wrong with a target that is no number is said elsewhere
    keys = problem.keys or rating_keys(data, (*problem.targets, *problem.privileged))
    if len(keys) != 2 or keys[0] == keys[1]:
        able = candidates(data, problem.targets)
        found = f"{data.name} has {', '.join(able) or 'none'}"
        raise ValueError(f"collaborative filtering needs two columns that are keys (who rates, what is rated): {found}")
    for name in keys:
        _check(name, problem, data)
    pairs = len(data.frame[list(keys)].dropna().drop_duplicates())
    if pairs < PAIRS:
        raise ValueError(
            f"{' and '.join(keys)} make {pairs} pairs only; at least {PAIRS} are needed to learn and judge"
        )
    return problem.with_(keys=tuple(keys), score=problem.score, reason=problem.reason)


def _check(name: str, problem: Problem, data: Dataset) -> None:
    column = data.columns[name]
    if name in problem.targets:
        raise ValueError(f"{name!r} is the target: it cannot be a key as well")
    if column.type not in KINDS:
        raise ValueError(f"{name!r} is {column.type}: a key of collaborative filtering is {' or '.join(KINDS)}")
    if data.distinct(name) < 2:
        only = next(iter(data.frame[name].dropna()), "none")
        raise ValueError(f"key {name!r} has one value only ({only}): collaborative filtering compares several")


def candidates(data: Dataset, without: tuple[str, ...] = ()) -> list[str]:
    """Columns that could be keys: labels or whole numbers that repeat."""
    rows = len(data.frame)
    return [
        name
        for name, column in data.columns.items()
        if name not in without
        and column.type in KINDS
        and column.role not in ("index", "multiIndex", "timeIndicator")
        and 1 < data.distinct(name) <= max(2, rows * 0.6)
    ]


def rating_keys(data: Dataset, without: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The two columns most likely to be keys, in the table's order: those marked so, those called so, labels rather
    than numbers, those of many values. Fewer than two where there are none."""
    able = candidates(data, without)
    ranked = sorted(able, key=lambda name: (not marked(data, name), not called(name), _rank(data, name)))
    best = ranked[:2]
    return tuple(name for name in data.columns if name in best)


def _rank(data: Dataset, name: str) -> tuple[bool, int]:
    return data.columns[name].type != "categorical", -data.distinct(name)


def marked(data: Dataset, name: str) -> bool:
    """Whether the data set itself calls a column a key."""
    column = data.columns[name]
    return bool({column.role, *column.roles} & set(ROLES))


def called(name: str) -> bool:
    """Whether a column's name is one that users or items go by."""
    return bool(NAMES.fullmatch(name))


def look_like_ratings(data: Dataset, keys: tuple[str, ...]) -> bool:
    """Whether nobody needs to say that a table is one of ratings: both keys are marked or called so; else both are
    labels with some values each, and hardly a pair is there twice."""
    if len(keys) != 2:
        return False
    if all(marked(data, name) or called(name) for name in keys):
        return True
    if any(data.columns[name].type != "categorical" for name in keys):  # numbers are mostly what they look like
        return False
    pairs = 1 - data.frame.duplicated(list(keys)).mean()
    return bool(min(map(data.distinct, keys)) >= FEWEST and pairs >= ONCE and _dense(data, keys))


def _dense(data: Dataset, keys: tuple[str, ...]) -> bool:
    """Whether each value of a key is in several rows, on average."""
    return len(data.frame) >= 3 * max(map(data.distinct, keys))
