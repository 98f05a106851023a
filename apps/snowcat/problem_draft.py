"""The problem that is being phrased in a page, and what can stand at each place of its sentence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from learnviews.kernels import search
from learnviews.kernels.search.legality import classes, legal_metrics
from learnviews.kernels.search.problem import Problem
from learnviews.kernels.search.tasks import CLASSIFICATION

if TYPE_CHECKING:
    from learnviews.apps.snowcat.project import Entry, Project
    from learnviews.kernels.search import Choices, Dataset
    from learnviews.kernels.search.phrases import Offer

FORECASTING = "timeSeriesForecasting"
_OF_FORECASTS = {"time": None, "group": None, "known": None, "horizon": None, "features": None}


@dataclass(frozen=True)
class Phrase:
    """What there is to say of a sentence.

    Attributes
    ----------
    wanted : Problem
        The sentence; where target or task changed, without what does not go with them any more.
    problem : Problem or None
        It completed; None where it cannot be learned.
    why : str
        Why it cannot.
    targets, tasks, metrics, features, times, groups : tuple of Offer
        What can be chosen; see `search.choices_of`.
    labels : list of str
        Classes of the target.
    """

    wanted: Problem
    problem: Problem | None
    why: str
    targets: tuple[Offer, ...] = ()
    tasks: tuple[Offer, ...] = ()
    metrics: tuple[Offer, ...] = ()
    features: tuple[Offer, ...] = ()
    times: tuple[Offer, ...] = ()
    groups: tuple[Offer, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def usual(self) -> tuple[str, ...]:
        """Features that are taken where nobody chooses."""
        return tuple(offer.name for offer in self.features if offer.usual)


class Draft:
    """A sentence and where it comes from.

    Parameters
    ----------
    entry : Entry, optional
        The problem that is edited; none for a new one.
    chosen : str, optional
        Id of the problem that is chosen in the page: once it is another one, this sentence is of no use.

    Attributes
    ----------
    wanted : Problem
        As far as it is said.
    phrase : Phrase or None
        What there is to say of it; None before somebody looked.
    """

    def __init__(self, entry: Entry | None = None, chosen: str | None = None) -> None:
        self.id = None if entry is None else entry.id
        self.saved = None if entry is None else entry.problem
        self.chosen = chosen
        self.wanted = Problem() if entry is None else _own(entry.problem)
        self.phrase: Phrase | None = None
        self.of: Dataset | None = None  # the data the phrase is about

    @property
    def changed(self) -> bool:
        """Whether it says something else than the problem it comes from."""
        if self.saved is None or self.phrase is None:
            return self.saved is None
        return self.phrase.problem != self.saved

    @property
    def empty(self) -> bool:
        """Whether nothing was said yet."""
        return not self.wanted.targets and self.wanted.task is None

    def copy(self) -> Draft:
        """The same sentence as a new problem."""
        other = Draft(chosen=self.chosen)
        other.wanted = self.wanted.with_(name=f"copy of {self.wanted.name}" if self.wanted.name else None)
        return other

    def kept_up(self, entry: Entry | None) -> Draft:
        """With the problem it comes from as that is now: another page may have changed or deleted it."""
        if entry is None:
            self.id = self.saved = None
        elif entry.problem != self.saved:
            if not self.changed:
                return Draft(entry, self.chosen)
            self.saved = entry.problem
        return self

    def fit(self, data: Dataset) -> None:
        """Leave away columns that the data have no longer, but for targets: that they are gone is to be said."""
        parts: dict[str, Any] = {}
        for name in ("features", "known", "group"):
            columns = self.wanted.groups if name == "group" else getattr(self.wanted, name)
            if columns and any(column not in data.columns for column in columns):
                parts[name] = tuple(column for column in columns if column in data.columns) or None
        if self.wanted.time is not None and self.wanted.time not in data.columns:
            parts["time"] = None
        if parts:
            self.say(**parts)

    # -- what can be said

    def say(self, **parts: Any) -> None:
        """Another word of the sentence, such as `metric="accuracy"`."""
        self.wanted = self.wanted.with_(**parts)

    def aim(self, names: tuple[str, ...]) -> None:
        """Other targets: what was a target becomes a feature, and what is one no longer is."""
        features = self.wanted.features
        if features is not None:
            before = [name for name in self.wanted.targets if name not in names]
            features = tuple(name for name in (*features, *before) if name not in names)
        known = self.wanted.known
        known = None if known is None else tuple(name for name in known if name not in names)
        self.say(target=names or None, features=features or None, known=known, subtask=None, positive=None)

    def take(self, task: str) -> None:
        """Another task."""
        forecast = FORECASTING in (task, self.wanted.task) and task != self.wanted.task
        self.say(task=task, subtask=None, **(_OF_FORECASTS if forecast else {}))

    def use_features(self, names: list[str]) -> None:
        """Learn from these; of a forecast: these are known ahead."""
        self.say(known=tuple(names)) if self.forecasts else self.say(features=tuple(names))

    @property
    def forecasts(self) -> bool:
        """Whether it is about a forecast."""
        return self.told.task == FORECASTING

    @property
    def told(self) -> Problem:
        """The sentence completed where it can be, else as far as it is said."""
        return self.wanted if self.phrase is None or self.phrase.problem is None else self.phrase.problem

    @property
    def used(self) -> tuple[str, ...]:
        """The features, or what is known ahead."""
        if self.forecasts:
            return self.told.known or ()
        if self.wanted.features is not None:
            return self.wanted.features
        return self.told.features or ()

    def look(self, data: Dataset, wanted: Problem, settle: bool) -> Phrase:
        """What there is to say; takes a moment with large data: to be done in a thread."""
        return phrase(data, wanted, settle)

    def become(self, phrase: Phrase, data: Dataset) -> None:
        """The moment is over."""
        self.wanted, self.phrase, self.of = phrase.wanted, phrase, data


def _own(problem: Problem) -> Problem:
    """A problem of the list as one would say it: what follows from the rest is left open."""
    parts: dict[str, Any] = {"features": None} if problem.task == FORECASTING else {}
    keep = problem.subtask if problem.subtask in ("multiLabel", "overlapping", "nonOverlapping") else None
    return problem.with_(subtask=keep, **parts)


def use(project: Project, draft: Draft, problem: Problem) -> Entry:
    """Put the sentence into the list: an own problem without studies is changed, any other stays as it is and a new one
    is added."""
    like = project.alike(problem)
    if like is not None and (draft.id is None or like.id == draft.id):
        return like
    entry = project.problem(draft.id)
    studied = any(study.problem_id == draft.id for study in project.studies.values())
    if entry is None or studied or entry.origin in ("found", "study"):
        return project.add_problem(problem)
    project.edit_problem(entry.id, problem)
    return project.problem(entry.id) or entry


# -- what there is to say of a sentence


def phrase(data: Dataset, wanted: Problem, settle: bool = False) -> Phrase:
    """What can be chosen for a problem, and whether it can be learned as it is.

    Parameters
    ----------
    settle : bool
        Where it cannot: leave away what may not go with its target or task, if that helps.
    """
    unaimed = _offers(data, (), None)
    targets = unaimed.targets
    if not wanted.targets and wanted.task is None:
        why = "Choose what to predict, or clustering to group rows that are alike."
        return Phrase(wanted, None, why, targets, unaimed.tasks)
    wanted = _settled(data, wanted) if settle else wanted
    problem, why = _checked(data, wanted)
    try:
        offers = _offers(data, wanted.targets, problem.task if problem is not None else wanted.task)
    except ValueError as error:
        return Phrase(wanted, None, str(error), targets, unaimed.tasks)
    metrics = offers.metrics if problem is None else _judging(problem, offers)
    parts = (targets, offers.tasks, metrics, offers.features, offers.times, offers.groups)
    return Phrase(wanted, problem, why, *parts, labels=_labels(data, wanted, problem))


_known: WeakKeyDictionary[Dataset, dict[Any, Choices]] = WeakKeyDictionary()


def _offers(data: Dataset, targets: tuple[str, ...], task: str | None) -> Choices:
    """Looked at once for each target and task: features are chosen one by one."""
    known = _known.setdefault(data, {})
    if (targets, task) not in known:
        known[targets, task] = search.choices_of(data, targets, task)
    return known[targets, task]


def _checked(data: Dataset, problem: Problem) -> tuple[Problem | None, str]:
    try:
        problem = problem.check(data)
        if problem.task != FORECASTING and (problem.groups or problem.time):
            search.plan(data, problem)  # rows may not be divided like this
        return problem, ""
    except ValueError as error:
        return None, str(error)


_JUDGED = ("metric", "metrics")
_AIMED = (*_JUDGED, "positive", "task")
_LOOSE = (_JUDGED, (*_JUDGED, "positive"), _AIMED, (*_AIMED, "features"))


def _settled(data: Dataset, wanted: Problem) -> Problem:
    """The least that has to be left away; all of it where nothing helps."""
    if _checked(data, wanted)[0] is not None:
        return wanted
    fields = Problem()
    for names in _LOOSE:
        loose = wanted.with_(**{name: getattr(fields, name) for name in names})
        if _checked(data, loose)[0] is not None:
            return loose
    return wanted


def _judging(problem: Problem, offers: Choices) -> tuple[Offer, ...]:
    """Metrics of the problem as it is, with its positive class; those that may judge it first."""
    if problem.positive is None:
        return offers.metrics
    legal = legal_metrics(problem)
    found = [replace(offer, why="" if offer.name in legal else offer.why) for offer in offers.metrics]
    return tuple(sorted(found, key=lambda offer: not offer.legal))


def _labels(data: Dataset, wanted: Problem, problem: Problem | None) -> tuple[str, ...]:
    task = wanted.task if problem is None else problem.task
    if task not in CLASSIFICATION or len(wanted.targets) != 1 or wanted.targets[0] not in data.columns:
        return ()
    return () if problem is not None and problem.subtask == "multiLabel" else tuple(classes(data, wanted.targets[0]))
