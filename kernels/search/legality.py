"""Which problems a data set allows: the rules that complete a problem or say why it cannot be learned."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .annotations import TYPE as BOXES
from .annotations import check as check_annotations
from .answers import indicators, label_set, label_text
from .columns import LABEL_SETS
from .graph_rules import natural_graph_task, node_columns, with_nodes
from .keys import with_keys
from .metrics import METRICS, default_positive
from .problem import Problem
from .tasks import BINARY, CLASSIFICATION, CLUSTERING, COMMUNITIES, DETECTION, RATING, TASKS, Task

if TYPE_CHECKING:
    from .columns import Column
    from .data import Dataset

FEWEST = 4
"""Rows with a known target that are needed to learn and to judge."""
LARGEST_TARGET = 1e100
"""Numbers beyond it have no finite squares, or none once they are summed."""
MANY_CLASSES = 20
"""An integer column of at most this many values is taken for classes where nobody says."""

_NO_FEATURES = ("index", "multiIndex", "key", "suggestedPrivilegedData", "privileged", "boundary", "instanceWeight")
_NO_FEATURE_TYPES = ("index", "other", "graph", "boxes")
_TIMES = ("dateTime", "integer", "real")
_ALIASES = {"forecasting": "timeSeriesForecasting", "semiSupervised": "semiSupervisedClassification"}


def complete(problem: Problem, data: Dataset) -> Problem:
    """`Problem.check`: every part filled in, or a ValueError that says what would do."""
    _check_columns(problem, data)
    problem = problem.with_(task=_task(problem, data), score=problem.score, reason=problem.reason)
    task = TASKS[problem.task or ""]
    if not task.searched:
        raise ValueError(f"{task.title} problems ({task.name}) can be read and written, but not searched yet")
    problem = _with_time(problem, data, task)
    problem = check_annotations(with_nodes(with_keys(problem, data), data), data)
    problem = _with_features(problem, data)
    _check_packages(problem, data)
    problem = _with_series(problem, data)
    task = TASKS[problem.task or ""]
    _check_targets(problem, data, task)
    problem = _change(problem, subtask=_subtask(problem, data, task))
    return _with_metric(problem, data, task)


def _change(problem: Problem, **changes: object) -> Problem:
    return problem.with_(**{"score": problem.score, "reason": problem.reason, **changes})


def nearest(name: str, known: Iterable[str]) -> str:
    """Words to append to a message about an unknown name."""
    known = [str(one) for one in known]
    near = difflib.get_close_matches(str(name), known, 3, 0.5)
    if near:
        return f"did you mean {' or '.join(repr(one) for one in near)}?"
    return f"there are {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}"


def _check_columns(problem: Problem, data: Dataset) -> None:
    named = [("target", name) for name in problem.targets]
    named += [("feature", name) for name in problem.features or ()] + [
        ("known column", name) for name in problem.known or ()
    ]
    named += [("time", name) for name in (problem.time,) if name is not None]
    named += [("group", name) for name in problem.groups] + [("key", name) for name in problem.keys or ()]
    for what, name in named:
        if name not in data.columns:
            raise ValueError(f"{data.name} has no column {name!r} ({what}): {nearest(name, data.columns)}")
    barred = [name for name in (*(problem.features or ()), *(problem.known or ())) if name in problem.privileged]
    if barred:
        raise ValueError(f"{barred[0]!r} is privileged: it is not there when the model is used, and so no feature")
    useless = [why for name in problem.features or () if (why := no_feature(data, name))]
    if useless:
        raise ValueError(f"{useless[0]}: it is no feature")
    for what, names in (("features", problem.features or ()), ("known columns", problem.known or ())):
        both = [name for name in names if name in problem.targets]
        if both:
            raise ValueError(f"{both[0]!r} is the target: it cannot be among the {what} as well")
    if len(set(problem.targets)) < len(problem.targets):
        raise ValueError(f"a target is named twice: {', '.join(problem.targets)}")
    if problem.features is not None and not problem.features:
        raise ValueError("no features are chosen: choose at least one column to learn from")


def no_feature(data: Dataset, name: str) -> str:
    """Why nothing can be learned from a column, even where it is asked for; "" where something can."""
    column = data.columns[name]
    if column.type not in _NO_FEATURE_TYPES:
        return ""
    return f"{name!r} is {column.type}{f' ({column.why})' if column.why else ''}: nothing can be learned from it"


def _task(problem: Problem, data: Dataset) -> str:
    if problem.task is not None:
        name = _ALIASES.get(problem.task, problem.task)
        if name not in TASKS:
            raise ValueError(f"there is no task {problem.task!r}: {nearest(problem.task, TASKS)}")
        return name
    if not problem.targets:
        return "communityDetection" if len(node_columns(data)) == 1 else "clustering"
    return natural_task(data, problem.targets[0])


def natural_task(data: Dataset, target: str) -> str:
    """The task a column is most likely meant for: regression of numbers, else classification."""
    kind = data.columns[target].type
    if kind == BOXES:
        return DETECTION
    few = kind == "integer" and data.distinct(target) <= MANY_CLASSES
    if kind == "real" or (kind == "integer" and not few):
        return "regression"
    return natural_graph_task(data) or "classification"


def would_do(data: Dataset, task: Task) -> list[str]:
    """Columns of a legal type for a target of the task, those with something to learn."""
    nodes = node_columns(data)
    return [
        name
        for name, column in data.columns.items()
        if name not in nodes
        and (not task.kinds or column.type in task.kinds)
        and column.role not in _NO_FEATURES
        and data.distinct(name) > 1
    ]


def _suggest(data: Dataset, task: Task) -> str:
    fitting = would_do(data, task)
    return f"these would do: {', '.join(fitting[:8])}" if fitting else f"{data.name} has no column that would do"


def _check_targets(problem: Problem, data: Dataset, task: Task) -> None:
    if not problem.targets:
        if task.name in CLUSTERING:
            return
        raise ValueError(f"{task.title} needs a target: {_suggest(data, task)}")
    label_sets = problem.subtask == "multiLabel" or _has_label_sets(problem, data)
    for name in problem.targets:
        kind = data.columns[name].type
        if task.kinds and kind not in task.kinds and not (label_sets and kind in ("text", "categorical", "other")):
            raise ValueError(f"{name!r} is {kind}: {task.title} takes {_or(task.kinds)}; {_suggest(data, task)}")
        _check_values(data, name, task, label_sets and len(problem.targets) == 1)
    if len(problem.targets) > 1 and task.name in (*CLUSTERING, "semiSupervisedClassification", RATING):
        raise ValueError(f"{task.title} takes one target, not {len(problem.targets)}")


def _or(words: tuple[str, ...]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _check_values(data: Dataset, name: str, task: Task, label_sets: bool = False) -> None:
    """Enough rows that know the target, and something to tell apart among them."""
    values = data.frame[name]
    values = values[values.notna()]
    if len(values) < FEWEST:
        raise ValueError(f"target {name!r} is known in {len(values)} rows; at least {FEWEST} are needed")
    if task.name in CLASSIFICATION:
        _check_classes(data, name, task, values, label_sets)
    elif data.distinct(name) < 2:
        raise ValueError(_same(data, name, task, "value", values.iloc[0]))
    if task.kinds == ("integer", "real"):
        numbers = values.to_numpy(dtype=float)
        if not np.isfinite(numbers).all():
            row = values.index[np.flatnonzero(~np.isfinite(numbers))[0]]
            raise ValueError(f"target {name!r} is infinite in row {row}: {task.title} needs finite numbers")
        if np.abs(numbers).max() > LARGEST_TARGET:
            place = int(np.abs(numbers).argmax())
            raise ValueError(
                f"target {name!r} is {numbers[place]:.3g} in row {values.index[place]}: its errors cannot be squared; "
                f"scale it below {LARGEST_TARGET:g}"
            )


def _check_classes(data: Dataset, name: str, task: Task, values: pd.Series, label_sets: bool) -> None:
    """Two classes at least, and one of them in several rows."""
    counts = data.labels(name)
    if len(counts) < 2:
        raise ValueError(_same(data, name, task, "class", counts.index[0]))
    if label_sets:
        counts = pd.Series([label for value in values for label in label_set(value) or ()], dtype=object).value_counts()
    if not len(counts) or counts.iloc[0] < 2:
        raise ValueError(
            f"every row of target {name!r} is a class of its own ({len(counts):,} classes): nothing can be learned "
            f"from one row per {'label' if label_sets else 'class'}; {_suggest_others(data, name, task)}"
        )


def _same(data: Dataset, name: str, task: Task, what: str, value: object) -> str:
    return f"target {name!r} has one {what} only ({value}): nothing to tell apart; {_suggest(data, task)}"


def _suggest_others(data: Dataset, name: str, task: Task) -> str:
    if data.columns[name].type in ("integer", "real"):
        return "try regression"
    fitting = [one for one in would_do(data, task) if one != name and data.distinct(one) < len(data.frame) / 2]
    return f"these would do: {', '.join(fitting[:8])}" if fitting else "no other column would do"


def _with_time(problem: Problem, data: Dataset, task: Task) -> Problem:
    if task.name != "timeSeriesForecasting":
        if "unlabelled" in task.needs and problem.targets and data.frame[list(problem.targets)].notna().all().all():
            raise ValueError(
                f"every row of {problem.targets[0]!r} has a label: semi-supervised classification needs rows without; "
                "take classification"
            )
        return problem
    time = problem.time or time_column(data, problem.targets)
    if time is None:
        able = [n for n, c in data.columns.items() if c.type in _TIMES and n not in problem.targets]
        hint = f"name one, for example time={able[0]!r}" if able else "there is none"
        if any(column.type == "timeseries" for column in data.columns.values()):
            hint += "; unrolled(data) makes a table of its series, a row per step"
        raise ValueError(f"forecasting needs a column that orders the rows in time; {data.name} marks none: {hint}")
    if data.columns[time].type not in _TIMES:
        raise ValueError(f"time column {time!r} is {data.columns[time].type}: expected dateTime, integer or real")
    if time in problem.targets:
        raise ValueError(f"{time!r} is the time column: it cannot be the target of a forecast as well")
    group = problem.group or group_column(data, problem.targets, time)
    if problem.horizon is not None and problem.horizon < 1:
        raise ValueError(f"horizon is {problem.horizon}: a forecast looks at least 1 step ahead")
    return _change(problem, time=time, group=group, horizon=problem.horizon or _steps_kept(data, time))


def _steps_kept(data: Dataset, time: str) -> int | None:
    """How many times the data's own split keeps behind those to learn from; None where it keeps none."""
    if data.splits is None:
        return None
    held = (data.splits.reindex(data.frame.index) == "holdout").to_numpy()
    times = data.frame[time]
    return int(times[held & (times > times[~held].max()).to_numpy()].nunique()) or None


def time_column(data: Dataset, without: Iterable[str] = ()) -> str | None:
    """The column that orders the rows: of role timeIndicator, else the only column of dates."""
    left_out = set(without)
    able = [name for name in data.times if name not in left_out]
    marked = [name for name in able if data.columns[name].role == "timeIndicator"]
    dates = [name for name in able if data.columns[name].type == "dateTime"]
    return marked[0] if marked else dates[0] if len(dates) == 1 else None


def group_column(data: Dataset, without: Iterable[str], time: str) -> str | tuple[str, ...] | None:
    """The column, or columns, that tell several series apart: marked as such, or needed because times repeat."""
    able = [name for name in data.columns if name not in {*without, time}]
    marked = [name for name in able if {"suggestedGroupingKey", "groupingKey"} & {*_roles(data.columns[name])}]
    if marked or data.frame[time].is_unique:
        return (marked[0] if len(marked) == 1 else tuple(marked)) or None
    few = len(data.frame) / 4
    kinds = ("categorical", "integer", "boolean")
    parting = [n for n in able if data.columns[n].type in kinds and 1 < data.distinct(n) <= few]
    single = [name for name in parting if not data.frame.duplicated([name, time]).any()]
    if single:
        return min(single, key=data.distinct)
    pairs = [pair for pair in combinations(parting[:10], 2) if not data.frame.duplicated([*pair, time]).any()]
    return min(pairs, key=lambda pair: len(data.frame[list(pair)].drop_duplicates()), default=None)


def _roles(column: Column) -> tuple[str, ...]:
    return (column.role, *column.roles)


def _with_features(problem: Problem, data: Dataset) -> Problem:
    if problem.task == "timeSeriesForecasting":
        known = _known_ahead(problem, data)
        names = [name for name in (problem.time, *problem.groups, *known) if name]
        return _change(problem, known=known, features=tuple(dict.fromkeys(names)))
    if problem.task in COMMUNITIES:  # nothing but the graph is looked at
        return _change(problem, features=problem.nodes)
    if problem.features is not None:
        return _change(
            problem, features=tuple(dict.fromkeys((*(problem.keys or ()), *(problem.nodes or ()), *problem.features)))
        )
    usable = usable_features(data, (*problem.targets, *problem.privileged))
    usable = list(dict.fromkeys((*(problem.keys or ()), *(problem.nodes or ()), *usable)))
    if not usable:
        raise ValueError(f"{data.name} has no column left to learn from beside the target")
    return _change(problem, features=tuple(usable))


def _check_packages(problem: Problem, data: Dataset) -> None:
    """Recordings need packages that not everybody has: said once, before a study begins."""
    from .media import lacking

    for name in problem.features or ():
        if data.columns[name].is_media and (words := lacking(data.columns[name].type)):
            raise ValueError(f"{name!r} is {data.columns[name].type}: {words}")


def _known_ahead(problem: Problem, data: Dataset) -> tuple[str, ...]:
    """Columns whose future values a forecast may use: those that the problem names; else, of data that came with a
    split, the attributes that are there in the held-out rows as well as in the others."""
    taken = (problem.time, *problem.groups)
    if problem.known is not None:
        return tuple(name for name in problem.known if name not in taken)
    if problem.features is not None:
        return tuple(name for name in problem.features if name not in taken)
    if data.splits is None:
        return ()
    held = (data.splits.reindex(data.frame.index) == "holdout").to_numpy()
    there = data.frame.notna()
    return tuple(
        name
        for name in usable_features(data, (*problem.targets, *problem.privileged, *(n for n in taken if n)))
        if data.columns[name].role == "attribute"
        and data.columns[name].type in ("integer", "real", "boolean", "categorical")
        and there.loc[held, name].mean() >= max(0.5, there.loc[~held, name].mean() - 0.05)
    )


def usable_features(data: Dataset, targets: Iterable[str]) -> list[str]:
    """Columns a model may learn from where nobody chose: no keys or nodes, no targets, some value in them."""
    nodes = node_columns(data)
    return [
        name
        for name, column in data.columns.items()
        if name not in set(targets)
        and column.role not in _NO_FEATURES
        and column.type not in _NO_FEATURE_TYPES
        and name in data.filled
        and name not in nodes
    ]


def _with_series(problem: Problem, data: Dataset) -> Problem:
    """Classification of files with series in them is time-series classification, and the other way round needs them."""
    series = [name for name in problem.features or () if data.columns[name].type == "timeseries"]
    if problem.task == "classification" and series:
        return _change(problem, task="timeSeriesClassification")
    if problem.task == "timeSeriesClassification" and not series:
        raise ValueError(
            f"time-series classification needs a feature of type timeseries; {data.name} has none among the features: "
            "take classification"
        )
    return problem


def _subtask(problem: Problem, data: Dataset, task: Task) -> str | None:
    several = len(problem.targets) > 1
    if task.name in CLASSIFICATION:
        if problem.subtask == "multiLabel" or several or _has_label_sets(problem, data):
            _check_label_table(problem, data)
            return "multiLabel"
        return "binary" if len(classes(data, problem.targets[0])) == 2 else "multiClass"
    if task.name in ("regression", "timeSeriesForecasting"):
        return "multivariate" if several else "univariate"
    return problem.subtask


def _has_label_sets(problem: Problem, data: Dataset) -> bool:
    """Whether the target came as sets of labels, and nobody asked to take each set for a class."""
    if problem.subtask is not None or problem.task not in CLASSIFICATION:
        return False
    return any(LABEL_SETS in data.columns[name].why for name in problem.targets)


def _check_label_table(problem: Problem, data: Dataset) -> None:
    if len(problem.targets) < 2:
        return
    try:
        indicators(data.frame[list(problem.targets)])
    except ValueError as error:
        raise ValueError(f"several targets of a classification are labels that a row has or not; {error}") from None


def classes(data: Dataset, target: str) -> list[str]:
    """The classes of a target as text, sorted."""
    return sorted(data.labels(target).index)


def why_no_metric(problem: Problem, name: str, data: Dataset) -> str:
    """Why a metric cannot judge a completed problem, its positive class left open; "" where it can."""
    try:
        _with_metric(_change(problem, metric=name, positive=None), data, TASKS[problem.task or ""])
    except ValueError as error:
        return str(error)
    return ""


def _with_metric(problem: Problem, data: Dataset, task: Task) -> Problem:
    name = problem.metric or _default_metric(problem, task)
    if name not in METRICS:
        raise ValueError(f"there is no metric {name!r}: {nearest(name, METRICS)}")
    for one in (name, *problem.metrics):
        _check_metric(one, problem, task)
    return _change(problem, metric=name, positive=_positive(problem, data, task, (name, *problem.metrics)))


def _default_metric(problem: Problem, task: Task) -> str:
    return legal_metrics(problem, task)[0] if task.name in CLUSTERING and not problem.targets else task.metrics[0]


def _check_metric(name: str, problem: Problem, task: Task) -> None:
    legal = legal_metrics(problem, task)
    if name in legal:
        return
    if name not in task.metrics:
        raise ValueError(f"{name} does not judge {task.title}: take {', '.join(legal)}")
    if task.name in CLUSTERING:
        raise ValueError(f"{name} compares clusters with a truth, and there is no target: take {legal[0]}")
    raise ValueError(f"{name} does not judge {problem.subtask} problems: take {', '.join(legal)}")


def legal_metrics(problem: Problem, task: Task | None = None) -> tuple[str, ...]:
    """The metrics that can judge a checked problem, the default first."""
    task = task or TASKS[problem.task or ""]
    if task.name in CLUSTERING and not problem.targets:
        return tuple(name for name in task.metrics if name != "normalizedMutualInformation")
    if problem.subtask == "multiLabel":
        barred: tuple[str, ...] = ("f1", "precision", "recall", "rocAuc", "precisionAtTopK")
    elif problem.subtask == "multiClass":
        barred = ("rocAuc", *(() if problem.positive is not None else BINARY[:3]))
    elif problem.subtask == "multivariate":
        barred = ("precisionAtTopK",)
    else:
        barred = ()
    return tuple(name for name in task.metrics if name not in barred)


def _positive(problem: Problem, data: Dataset, task: Task, names: tuple[str, ...]) -> str | None:
    """The positive class, settled here so that it is the same in every fold."""
    if task.name not in CLASSIFICATION or problem.subtask == "multiLabel":
        return problem.positive
    known = classes(data, problem.targets[0])
    if problem.positive is None:
        if problem.subtask == "binary":
            return default_positive(known)
        return _top_class(known, names)
    positive = label_text(problem.positive)
    if positive not in known:
        raise ValueError(
            f"{positive!r}, the positive class, is none of {problem.targets[0]!r}: {nearest(positive, known)}"
        )
    return positive


def _top_class(known: list[str], names: tuple[str, ...]) -> str | None:
    numbers = pd.to_numeric(pd.Series(known), errors="coerce")
    if "precisionAtTopK" in names and numbers.isna().any():
        raise ValueError(f"precisionAtTopK ranks one class: name the positive one, for example positive={known[0]!r}")
    return None
