"""What can stand at each place of the sentence that states a problem; by the rules of `Problem.check`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from .legality import nearest, no_feature, usable_features, why_no_metric
from .metrics import METRICS
from .problem import Problem
from .tasks import TASKS

if TYPE_CHECKING:
    from .data import Dataset

FORECASTING = "timeSeriesForecasting"
_TARGETS: WeakKeyDictionary[Dataset, dict[str | None, tuple[Offer, ...]]] = WeakKeyDictionary()
"""Offers by task: of a large table they take seconds, and a dialog asks for them again and again."""


@dataclass(frozen=True)
class Offer:
    """One word that may, or may not, be chosen.

    Attributes
    ----------
    name : str
        Of a column, task or metric.
    title : str
        To show: the task or metric in plain words, a column's name with its type.
    why : str
        Why it cannot be chosen; "" where it can.
    usual : bool
        Whether it is taken where nobody chooses.
    """

    name: str
    title: str
    why: str = ""
    usual: bool = False

    @property
    def legal(self) -> bool:
        return not self.why


@dataclass(frozen=True)
class Choices:
    """What can be chosen for the problem "predict TARGET from FEATURES with a TASK model by the best METRIC".

    Attributes
    ----------
    targets : tuple of Offer
        Every column. Legal: for the task, or for any task where none is given.
    tasks : tuple of Offer
        Every task. Legal: for the target (without one: what needs no target).
    metrics : tuple of Offer
        Every metric, those that judge the problem first, the default before them all.
    features : tuple of Offer
        Every column but the targets; the usual ones are those a model learns from where nobody chooses.
    times, groups : tuple of Offer
        Columns that may order the rows of a forecast, and tell its series apart; empty for other tasks.
    keys : tuple of Offer
        Columns that may say who rates and what is rated, the usual two first; empty for other tasks.
    nodes : tuple of Offer
        Columns that may name the nodes a row is about, the usual ones first; empty for tasks without a graph.
    problem : Problem or None
        The problem completed by its defaults; None where there is none.
    why : str
        Why there is none.
    """

    targets: tuple[Offer, ...]
    tasks: tuple[Offer, ...]
    metrics: tuple[Offer, ...] = ()
    features: tuple[Offer, ...] = ()
    times: tuple[Offer, ...] = ()
    groups: tuple[Offer, ...] = ()
    keys: tuple[Offer, ...] = ()
    nodes: tuple[Offer, ...] = ()
    problem: Problem | None = None
    why: str = ""


def choices_of(data: Dataset, target: str | Iterable[str] | None = None, task: str | None = None) -> Choices:
    """What a sentence that states a problem can be made of.

    Whatever is offered alone, the rest left to the defaults, passes `Problem.check`; whatever is not is refused there,
    for the reason that is given.

    Parameters
    ----------
    data : Dataset
    target : str or list of str, optional
    task : str, optional
        By default the one that fits the target best.

    Raises
    ------
    ValueError
        If there is no such column or task.
    """
    names = (target,) if isinstance(target, str) else tuple(target or ())
    for name in names:
        if name not in data.columns:
            raise ValueError(f"{data.name} has no column {name!r} (target): {nearest(name, data.columns)}")
    if task is not None and task not in TASKS:
        raise ValueError(f"there is no task {task!r}: {nearest(task, TASKS)}")
    problem, why = _checked(Problem(names or None, task), data)
    targets, tasks = _targets(data, task), _tasks(data, names, problem)
    if problem is None and task is None and (fitting := [offer.name for offer in tasks if offer.legal]):
        problem, why = _checked(Problem(names, fitting[0]), data)
    if problem is None:
        return Choices(targets, tasks, why=why)
    forecast = problem.task == FORECASTING
    times = _columns(data, problem, "time") if forecast else ()
    groups = _columns(data, problem, "group") if forecast else ()
    words = (
        _metrics(data, problem),
        _features(data, problem),
        times,
        groups,
        _keys(data, problem),
        _nodes(data, problem),
    )
    return Choices(targets, tasks, *words, problem)


def _checked(problem: Problem, data: Dataset) -> tuple[Problem | None, str]:
    """The problem completed, or why it is none."""
    try:
        return problem.check(data), ""
    except ValueError as error:
        return None, str(error)


def _why(problem: Problem, data: Dataset) -> str:
    return _checked(problem, data)[1]


def _column(data: Dataset, name: str, why: str, usual: bool = False) -> Offer:
    return Offer(name, f"{name} ({data.columns[name].type})", why, usual and not why)


def _targets(data: Dataset, task: str | None) -> tuple[Offer, ...]:
    """A column that suits no task is refused for the reason that its natural task gives."""
    known = _TARGETS.setdefault(data, {})
    if task not in known:
        known[task] = _target_offers(data, task)
    return known[task]


def _target_offers(data: Dataset, task: str | None) -> tuple[Offer, ...]:
    offers = []
    for name, column in data.columns.items():
        why = _why(Problem(name, task), data)
        if why and task is None and any(not _why(Problem(name, other), data) for other in TASKS):
            why = ""
        offers.append(_column(data, name, why, "suggestedTarget" in (column.role, *column.roles)))
    return tuple(offers)


def _tasks(data: Dataset, names: tuple[str, ...], problem: Problem | None) -> tuple[Offer, ...]:
    usual = None if problem is None else problem.task
    found = ((task, _why(Problem(names or None, task.name), data)) for task in TASKS.values())
    return tuple(Offer(task.name, task.title, why, usual == task.name and not why) for task, why in found)


def _asked(problem: Problem) -> Problem:
    """The target and task of a completed problem, all else open again."""
    return Problem(problem.target, problem.task)


def _metrics(data: Dataset, problem: Problem) -> tuple[Offer, ...]:
    task = TASKS[problem.task or ""]
    names = dict.fromkeys((str(problem.metric), *task.metrics, *METRICS))
    offers = [
        Offer(name, METRICS[name].title, why_no_metric(problem, name, data), name == problem.metric) for name in names
    ]
    return tuple(sorted(offers, key=lambda offer: not offer.legal))


def _features(data: Dataset, problem: Problem) -> tuple[Offer, ...]:
    """By the rule of the check itself, which would take long for every column of a wide table."""
    usual = problem.features or ()
    able = usable_features(data, problem.targets)
    offers = []
    for name in (name for name in data.columns if name not in problem.targets):
        offers.append(_column(data, name, no_feature(data, name), name in usual))
    able = [*(problem.nodes or ()), *able]
    return tuple(sorted(offers, key=lambda offer: (not offer.legal, offer.name not in able)))


def _columns(data: Dataset, problem: Problem, what: str) -> tuple[Offer, ...]:
    """Of a forecast: columns that may be its time or its group."""
    usual = (problem.time,) if what == "time" else problem.groups
    others = [name for name in data.columns if name not in problem.targets]
    asked = _asked(problem)
    if what == "group":  # one column cannot tell series apart and order them
        others = [name for name in others if name != problem.time]
        asked = asked.with_(time=problem.time)
    found = [_column(data, name, _why(asked.with_(**{what: name}), data), name in usual) for name in others]
    return tuple(sorted(found, key=lambda offer: (not offer.legal, not offer.usual)))


def _nodes(data: Dataset, problem: Problem) -> tuple[Offer, ...]:
    """Of a problem of graphs: each column as that of its nodes, or as one of the two beside one of the usual ones."""
    if not problem.nodes:
        return ()
    found = []
    for name in (name for name in data.columns if name not in problem.targets):
        beside = [each for each in problem.nodes if each != name][: len(problem.nodes) - 1]
        why = _why(_asked(problem).with_(nodes=(name, *beside)), data)
        found.append(_column(data, name, why, name in problem.nodes))
    return tuple(sorted(found, key=lambda offer: (not offer.legal, not offer.usual)))


def _keys(data: Dataset, problem: Problem) -> tuple[Offer, ...]:
    """Of collaborative filtering: each column as one of the two keys, beside one of the usual ones."""
    if not problem.keys:
        return ()
    found = []
    for name in (name for name in data.columns if name not in problem.targets):
        beside = next(key for key in problem.keys if key != name)
        why = _why(_asked(problem).with_(keys=(name, beside)), data)
        found.append(_column(data, name, why, name in problem.keys))
    return tuple(sorted(found, key=lambda offer: (not offer.legal, not offer.usual)))
