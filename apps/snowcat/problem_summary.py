"""Card of the chosen problem in all its parts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.card import STEPS, Card
from learnviews.apps.snowcat.data_graph_words import size_of
from learnviews.apps.snowcat.pane import alert, button, does, quiet, text
from learnviews.apps.snowcat.problem_words import ORIGINS, limits_of, metric_of, sentence_html, task_of
from learnviews.kernels import search
from learnviews.kernels.figures import figures
from learnviews.kernels.search.legality import idle_features, no_feature, usable_features
from learnviews.kernels.search.metrics import METRICS
from learnviews.kernels.search.tasks import CLASSIFICATION

if TYPE_CHECKING:
    from learnviews.apps.snowcat.project import Entry
    from learnviews.kernels.search import Dataset, Problem

CLASSES = 12  # whose counts are told
NAMES = 40  # of columns that are told


@dataclass(frozen=True)
class Facts:
    """What a problem means for its data.

    Attributes
    ----------
    values : list of (str, str)
        Of each target: its name, and its classes with their rows or its range.
    known : int
        Rows that know all targets.
    excluded : list of (str, str)
        Columns that are no features, and why.
    split : str
        Which rows are learned from and which are kept aside.
    """

    values: list[tuple[str, str]]
    known: int
    excluded: list[tuple[str, str]]
    split: str


class ProblemSummary(Card):
    """The chosen problem."""

    name, title = "problem summary", "Problem summary"
    help = (
        "The chosen problem in all its parts: what is predicted from what, what is left out and why, how many rows "
        "know it, which rows are kept aside to judge the models, and which studies were made of it."
    )
    steps = tuple(step for step in STEPS if step != "data")
    at_first = ("problems",)
    size = (4, 15)
    hears = ("data", "problem", "problems", "studies", "study")

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self.facts: Facts | None = None
        self.why, self.of = "", None

    def show(self) -> None:
        project = self.room.project
        entry = None if project is None else project.problem(self.room.problem_id)
        if entry is None:
            self.of = None
            return self.slot.empty("Choose a problem: its parts appear here.")
        key = (self.room.data, entry.problem)
        if self.of is None or self.of[0] is not key[0] or self.of[1] != key[1]:
            self.of, self.facts, self.why = key, None, ""
            self.room.jobs.start("problem summary", partial(_found, *key), partial(self._told, key))
        self.slot.html(self._html(entry))

    def _told(self, key: Any, found: Facts | str, version: int) -> None:
        if key is self.of:
            self.facts, self.why = (found, "") if isinstance(found, Facts) else (None, found)
            self.show()

    def _html(self, entry: Entry) -> str:
        problem = entry.problem
        facts = [("Task", " · ".join(each for each in (task_of(problem), _subtask(problem)) if each))]
        judged = [metric_of(problem), *(METRICS[name].title for name in problem.metrics if name in METRICS)]
        facts.append(("Metric" if len(judged) == 1 else "Metrics", ", ".join(judged)))
        facts += _settings(problem)
        facts.append((f"Features ({len(problem.features or ())})", _names(problem.features or ())))
        found = self.facts
        if found is not None:
            every = len(self.room.data)
            facts += [(name, told) for name, told in found.values]
            if problem.targets:
                facts.append(("Rows that know it", f"{found.known:,} of {every:,}"))
            facts.append(("Split", found.split))
        facts += [("Graphs", size_of(self.room.data))] if self.room.data.graphs else []
        facts += [("Meaningful", entry.mark), ("From", ORIGINS.get(entry.origin, entry.origin))]
        facts += [("Why", problem.reason)] if problem.reason else []
        facts += [("Limits", limits)] if (limits := limits_of(problem)) else []
        facts += [("Description", problem.description)] if problem.description else []
        listed = "".join(f"<dt>{text(name)}</dt><dd>{text(told)}</dd>" for name, told in facts)
        title = f"<p><b>{text(problem.name)}</b></p>" if problem.name else ""
        waiting = quiet("Looking at the rows …") if found is None and not self.why else ""
        return (
            f'{title}<p>{sentence_html(problem)}.</p>{alert(self.why)}<dl class="facts">{listed}</dl>{waiting}'
            f"{self._excluded()}{self._studies(entry)}"
        )

    def _excluded(self) -> str:
        if self.facts is None or not self.facts.excluded:
            return ""
        rows = "".join(
            f"<tr><td>{text(name)}</td><td>{text(why)}</td></tr>" for name, why in self.facts.excluded[: 5 * NAMES]
        )
        count = len(self.facts.excluded)
        words = "1 column is no feature" if count == 1 else f"{count} columns are no features"
        return f"<details open><summary>{words}</summary><table>{rows}</table></details>"

    def _studies(self, entry: Entry) -> str:
        project = self.room.project
        studies = [study for study in project.studies.values() if study.problem_id == entry.id]
        tiles = "".join(
            f'<button type="button" class="tile" {does("study", study.name)} '
            f'aria-pressed="{str(study.name == self.room.study_name).lower()}"><b>{text(study.title)}</b>'
            f"<small>{text(study.state)}</small></button>"
            for study in studies
        )
        return (
            f'<div class="tiles">{tiles}</div>'
            if tiles
            else f'<div class="row">{button("Train models", "train")}</div>'
        )

    def do_study(self, name: str) -> None:
        """Look at a study of the problem."""
        if name not in self.room.project.studies:
            raise LookupError(f"{name}: this study is not there any more")
        self.room.choose_study(name)

    def do_train(self, _: Any) -> None:
        """On to the models."""
        self.room.go("train")

    def close(self) -> None:
        self.of = None
        self.room.jobs.cancel("problem summary")


# -- what a problem means for its data


def _found(data: Dataset, problem: Problem) -> Facts | str:
    """The facts, or why there are none."""
    try:
        return facts(data, problem)
    except ValueError as error:
        return str(error)


def facts(data: Dataset, problem: Problem) -> Facts:
    """What a checked problem means for its data; ValueError where it does not fit them."""
    plan = search.plan(data, problem)
    classes = problem.task in CLASSIFICATION
    values = [(f"Values of {name}", _values(data, name, classes)) for name in problem.targets]
    known = int(data.frame[list(problem.targets)].notna().all(axis=1).sum()) if problem.targets else len(data)
    sizes = f"{len(plan.train_rows):,} rows to learn from, {len(plan.holdout_rows):,} kept aside"
    folds = f" ({len(plan.folds)} folds)" if len(plan.folds) > 1 else ""
    return Facts(values, known, excluded(data, problem), f"{sizes}{folds}: {plan.why}")


def excluded(data: Dataset, problem: Problem) -> list[tuple[str, str]]:
    """Columns that a model does not learn from, and why."""
    used = {*problem.targets, *(problem.features or ())}
    usable, idle = set(usable_features(data, problem.targets)), idle_features(data, problem.targets)
    return [(name, _why_not(data, problem, name, usable, idle)) for name in data.columns if name not in used]


def _why_not(data: Dataset, problem: Problem, name: str, usable: set[str], idle: dict[str, str]) -> str:
    if name in problem.privileged:
        return "privileged: not there when the model is used"
    if why := no_feature(data, name):
        return why.partition(": ")[0].removeprefix(f"{name!r} is ")
    if name not in data.filled:
        return "empty: no row has a value"
    if name in idle:
        return f"{idle[name]}: add it yourself if it is meant"
    if name not in usable:
        return f"its role is {data.columns[name].role}"
    if problem.task == "timeSeriesForecasting":
        return "not known ahead"
    return "left out by you, or a copy of the target"


def _values(data: Dataset, name: str, classes: bool) -> str:
    values = data.frame[name].dropna()
    if classes:
        counts = data.labels(name)
        told = " · ".join(f"{label}: {count:,}" for label, count in counts.iloc[:CLASSES].items())
        more = len(counts) - CLASSES
        return f"{told} · and {more} more classes" if more > 0 else told
    if not len(values):
        return "none"
    numbers = values.to_numpy(float)
    return "{} to {}, mean {}".format(*figures((numbers.min(), numbers.max(), numbers.mean())))


def _subtask(problem: Problem) -> str:
    words = {"multiClass": "several classes", "multiLabel": "several labels a row", "binary": "two classes"}
    words |= {"multivariate": "several targets"}
    return words.get(problem.subtask or "", "")


def _settings(problem: Problem) -> list[tuple[str, str]]:
    told = [
        ("Positive class", problem.positive),
        ("Rows at the top", problem.k),
        ("Clusters", problem.clusters),
        ("Time", problem.time),
        ("Series per", ", ".join(problem.groups)),
        ("Known ahead", ", ".join(problem.known or ())),
        ("Steps ahead", problem.horizon),
    ]
    return [(name, str(value)) for name, value in told if value not in (None, "")]


def _names(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return ", ".join(names[:NAMES]) + more
