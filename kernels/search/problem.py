"""What to learn: which target, from which features, as which task, judged by which metric."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .data import Dataset


@dataclass(frozen=True)
class Problem:
    """One thing to learn from a data set.

    Parameters
    ----------
    target : str or list of str, optional
        Column(s) to predict; none for clustering without a truth.
    task : str, optional
        A name of `tasks.TASKS`; found from the target's type where left out.
    metric : str, optional
        A name of `metrics.METRICS`; the task's default where left out.
    features : list of str, optional
        Columns to learn from, and no others; all that a model may use where left out. A forecast uses the time, the
        group and what is known ahead: features named for it count as known.
    subtask : str, optional
        "binary", "multiClass", "multiLabel", "univariate", "multivariate", ...
    name, description : str, optional
    time : str, optional
        Column that orders the rows.
    group : str or list of str, optional
        Column(s) that tell series (or related rows) apart.
    known : list of str, optional
        Columns whose future values are known when a forecast is made. Left out: the features named, or else, where the
        data came with a split whose held-out rows hold them, these attributes; give () for none.
    horizon : int, optional
        Steps ahead to forecast.
    positive : label, optional
        The class that f1, precision, recall, rocAuc and the like are about.
    k : int, optional
        For precisionAtTopK; 20 where left out.
    clusters : int, optional
        How many clusters to make, where that is known.
    metrics : tuple of str
        Further metrics that a problem document asks for.
    nodes : list of str, optional
        Of problems of graphs: the column that names the node of a row, or the two that name a pair; found where left
        out. They are features as well.
    keys : (str, str), optional
        Of collaborative filtering: the column of who rates and that of what is rated. They are features as well.
    privileged : tuple of str
        Columns that are not there when a model is used, and so no features.
    score, reason : float, str
        How promising `discover` found it (0 to 1), and why.
    """

    target: str | tuple[str, ...] | None = None
    task: str | None = None
    metric: str | None = None
    features: tuple[str, ...] | None = None
    subtask: str | None = None
    name: str | None = None
    time: str | None = None
    group: str | tuple[str, ...] | None = None
    known: tuple[str, ...] | None = None
    horizon: int | None = None
    positive: str | None = None
    k: int | None = None
    clusters: int | None = None
    keys: tuple[str, ...] | None = None
    nodes: tuple[str, ...] | None = None
    description: str | None = field(default=None, repr=False)
    metrics: tuple[str, ...] = ()
    privileged: tuple[str, ...] = ()
    score: float | None = field(default=None, compare=False)
    reason: str = field(default="", compare=False)
    document: dict[str, Any] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("features", "known", "keys", "nodes"):
            object.__setattr__(self, name, _as_tuple(getattr(self, name)))
        for name in ("metrics", "privileged"):
            object.__setattr__(self, name, _as_tuple(getattr(self, name)) or ())
        for name in ("target", "group"):
            columns = _as_tuple(getattr(self, name))
            object.__setattr__(self, name, columns[0] if columns and len(columns) == 1 else columns or None)

    @property
    def targets(self) -> tuple[str, ...]:
        """The target columns, none, one or several."""
        if self.target is None:
            return ()
        return (self.target,) if isinstance(self.target, str) else self.target

    @property
    def groups(self) -> tuple[str, ...]:
        """The columns that tell series apart, none, one or several."""
        return _as_tuple(self.group) or ()

    def check(self, data: Dataset) -> Problem:
        """The problem completed for a data set: task, metric, features, subtask, time and positive class filled in.

        Raises
        ------
        ValueError
            Where it cannot be learned; the message says why, and which columns, tasks or metrics would do.
        """
        from .legality import complete

        return complete(self, data)

    def sentence(self, data: Dataset | None = None) -> str:
        """The problem as one sentence; with `data`, its defaults filled in."""
        from .metrics import METRICS
        from .tasks import TASKS

        told = self if data is None else self.check(data)
        task = TASKS[told.task].title if told.task in TASKS else str(told.task or "some")
        metric = METRICS[told.metric].title if told.metric in METRICS else str(told.metric or "metric")
        features = "all columns" if told.features is None else _listed(told.features)
        ahead = f", {_listed(told.known)} known ahead" if told.known else ""
        ahead += f", {told.horizon} steps ahead" if told.horizon else ""
        model = f"{'an' if task[0] in 'aeiou' else 'a'} {task} model by the best {metric}"
        if not told.targets and told.nodes:
            return f"group the nodes of {_listed(told.nodes)} with {model}"
        if not told.targets:
            return f"group the rows by {features} with {model}"
        pairs = f" of pairs of {_listed(told.keys)}" if told.keys else ""
        return f"predict {_listed(told.targets)}{pairs} from {features}{ahead} with {model}"

    def to_d3m(self, data: Dataset | None = None, version: str = "4.0.0") -> dict[str, Any]:
        """The problem as the content of a problemDoc.json, schema 3.x or 4.x."""
        from .problem_doc import write

        return write(self, data, version)

    @classmethod
    def from_d3m(cls, path: str | Path) -> Problem:
        """The problem of a problemDoc.json, or of a folder that holds one.

        Raises
        ------
        ValueError
            That names the file and what is wrong in it.
        """
        from .problem_doc import read

        return read(Path(path))

    def to_json(self) -> str:
        """All of the problem as JSON text; `from_json` reads it."""
        skipped = {entry.name for entry in fields(self) if getattr(self, entry.name) == entry.default}
        return json.dumps({f.name: getattr(self, f.name) for f in fields(self) if f.name not in skipped})

    @classmethod
    def from_json(cls, text: str) -> Problem:
        """The problem that `to_json` wrote."""
        try:
            stored = json.loads(text)
            if not isinstance(stored, dict):
                raise ValueError("expected an object")
            return cls(**stored)
        except (TypeError, ValueError) as error:
            raise ValueError(f"this is no problem as JSON: {error}") from None

    def with_(self, **changes: Any) -> Problem:
        """The problem with some parts changed, its score and reason forgotten."""
        return replace(self, **{"score": None, "reason": "", **changes})


def _as_tuple(names: Any) -> tuple[str, ...] | None:
    if names is None:
        return None
    return (names,) if isinstance(names, str) else tuple(names)


def _listed(names: tuple[str, ...], most: int = 4) -> str:
    if len(names) > most + 1:
        return f"{len(names)} columns ({', '.join(names[:most])}, ...)"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
