"""The learning tasks of the D3M programme: which targets they take, and by which metrics they are judged."""

from __future__ import annotations

from dataclasses import dataclass

BINARY = ("f1", "precision", "recall", "rocAuc", "jaccardSimilarityScore")
LABELS = ("f1Macro", "accuracy", "f1Micro", *BINARY, "rocAucMacro", "rocAucMicro", "precisionAtTopK", "hammingLoss")
VALUES = (
    "rootMeanSquaredError",
    "meanSquaredError",
    "meanAbsoluteError",
    "rSquared",
    "rootMeanSquaredErrorAvg",
    "precisionAtTopK",
)
CLUSTERS = ("normalizedMutualInformation", "silhouette")
GROUPS_OF_NODES = ("normalizedMutualInformation", "modularity")
DISCRETE = ("boolean", "categorical", "integer")
NUMERIC = ("integer", "real")


@dataclass(frozen=True)
class Task:
    """What a task asks of a data set.

    Attributes
    ----------
    name : str
        D3M's name (schema 3.x; `timeSeriesClassification` is ours for 4.x's "classification" with "timeSeries").
    kinds : tuple of str
        Legal types of the target column; empty where a target is optional or of any type.
    metrics : tuple of str
        Legal metrics, the default first.
    needs : tuple of str
        What else the data must have: "time", "series", "unlabelled", "graph", "two graphs", "two keys", "boxes".
    keywords : tuple of str
        D3M 4.x `taskKeywords` that mean this task.
    subtasks : tuple of str
        Legal `taskSubType`s.
    title : str
        The task in plain words.
    searched : bool
        False where the search has no models for the task yet.
    limits : str
        What nobody should expect of the models that are searched, to be shown; "" where there is nothing to say.
    """

    name: str
    kinds: tuple[str, ...]
    metrics: tuple[str, ...]
    needs: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    subtasks: tuple[str, ...] = ()
    title: str = ""
    searched: bool = True
    limits: str = ""


_CLASSES = ("binary", "multiClass", "multiLabel")
_VARIABLES = ("univariate", "multivariate")

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task("classification", DISCRETE, LABELS, (), ("classification",), _CLASSES, "classification"),
        Task(
            "semiSupervisedClassification",
            DISCRETE,
            LABELS,
            ("unlabelled",),
            ("semiSupervised", "classification"),
            ("binary", "multiClass"),
            "semi-supervised classification",
        ),
        Task(
            "timeSeriesClassification",
            DISCRETE,
            LABELS,
            ("series",),
            ("classification", "timeSeries"),
            _CLASSES,
            "time-series classification",
        ),
        Task("regression", NUMERIC, VALUES, (), ("regression",), _VARIABLES, "regression"),
        Task(
            "timeSeriesForecasting",
            NUMERIC,
            VALUES,
            ("time",),
            ("forecasting", "timeSeries"),
            _VARIABLES,
            "forecasting",
        ),
        Task("clustering", DISCRETE, CLUSTERS, (), ("clustering",), ("overlapping", "nonOverlapping"), "clustering"),
        Task(
            "collaborativeFiltering",
            NUMERIC,
            VALUES,
            ("two keys",),
            ("collaborativeFiltering",),
            (),
            "collaborative filtering",
        ),
        Task(
            "vertexClassification",
            DISCRETE,
            LABELS,
            ("graph",),
            ("vertexClassification",),
            _CLASSES,
            "vertex classification",
        ),
        Task(
            "vertexNomination",
            DISCRETE,
            LABELS,
            ("graph",),
            ("vertexNomination",),
            _CLASSES,
            "vertex nomination",
        ),
        Task(
            "linkPrediction",
            ("boolean", "categorical", "integer"),
            LABELS,
            ("graph",),
            ("linkPrediction",),
            (),
            "link prediction",
        ),
        Task("graphMatching", DISCRETE, LABELS, ("two graphs",), ("graphMatching",), (), "graph matching"),
        Task(
            "communityDetection",
            DISCRETE,
            GROUPS_OF_NODES,
            ("graph",),
            ("communityDetection",),
            ("overlapping", "nonOverlapping"),
            "community detection",
        ),
        Task(
            "graphClustering",
            DISCRETE,
            GROUPS_OF_NODES,
            ("graph",),
            ("clustering", "graph"),
            (),
            "graph clustering",
        ),
        Task(
            "objectDetection",
            ("boxes",),
            ("objectDetectionAP",),
            ("boxes",),
            ("objectDetection",),
            (),
            "object detection",
            limits="One kind of object is found, by its outlines and colours in a coarse grid, without a deep net: "
            "rigid things, seen from one side, at least about a tenth of the image wide. Do not expect it to find "
            "people in a crowd, animals in any pose, or tiny things.",
        ),
    )
}

COMMUNITIES = ("communityDetection", "graphClustering")
"""Tasks that group the nodes of a graph."""
CLUSTERING = ("clustering", *COMMUNITIES)
"""Tasks that group rows without looking at a truth."""
LABELS_OF_NODES = ("vertexClassification", "vertexNomination", "linkPrediction", "graphMatching")
GRAPHS = (*LABELS_OF_NODES, *COMMUNITIES)
"""Tasks whose rows are about nodes of graphs."""
CLASSIFICATION = (
    "classification",
    "semiSupervisedClassification",
    "timeSeriesClassification",
    *LABELS_OF_NODES,
)
"""Tasks whose models name classes and may give probabilities."""
DETECTION = "objectDetection"
RATING = "collaborativeFiltering"
REGRESSION = ("regression", RATING)
"""Tasks whose models predict a number for a row from its own features."""


def task_of_keywords(keywords: tuple[str, ...] | list[str]) -> tuple[str | None, str | None]:
    """Task and subtask that a list of D3M 4.x keywords means; None where it does not say.

    Examples
    --------
    >>> task_of_keywords(["classification", "binary", "tabular"])
    ('classification', 'binary')
    >>> task_of_keywords(["timeSeries", "forecasting", "grouped"])
    ('timeSeriesForecasting', None)
    """
    given = set(keywords)
    subtask = next((word for word in (*_CLASSES, *_VARIABLES, "overlapping", "nonOverlapping") if word in given), None)
    if "forecasting" in given:
        return "timeSeriesForecasting", subtask
    fitting = [task for task in TASKS.values() if task.keywords and given.issuperset(task.keywords)]
    if not fitting:
        return None, subtask
    # "classification" is also what graph tasks of some documents carry beside their own keyword: the rarer word wins.
    plain = ("classification", "regression", "clustering")
    best = max(fitting, key=lambda task: (task.name not in plain, len(task.keywords)))
    return best.name, subtask


def keywords_of_task(name: str, subtask: str | None = None) -> list[str]:
    """The D3M 4.x keywords of a task and its subtask."""
    return [*(TASKS[name].keywords or (name,)), *((subtask,) if subtask else ())]
