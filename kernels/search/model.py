"""One model of a study: what it is, what it predicted, how good it is with what certainty, and its way to new rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .tasks import CLUSTERING

if TYPE_CHECKING:
    import pandas as pd

    from .data import Dataset
    from .pipelines import Step
    from .problem import Problem


class Model:
    """A trained pipeline with its predictions.

    Parameters
    ----------
    data : Dataset
        What the study learns from.
    problem : Problem
        Checked: its features are listed.
    config : mapping
        Hyper-parameters, as `pipelines.build` takes them.
    predictions : DataFrame, or callable without arguments that returns it
        By row id: truth, prediction, p_<class>..., split ("train": made by folds that did not see the row; "holdout").
        With several targets truth_<target> and prediction_<target>.
    pipeline : fitted pipeline, or callable without arguments that returns it, optional
        Without one it is fitted on first use to the rows that are not of the holdout.
    number, seed : int
        Of the trial.
    cost : float, optional
        What the study minimised: lower is better.
    seconds : float, optional
        Wall time of the trial.
    fidelity : float
        Share of the full effort that the trial was given.
    name : str, optional
        By default what the configuration describes.
    members : sequence of (Model, weight)
        Of an ensemble.
    """

    def __init__(
        self,
        data: Dataset,
        problem: Problem,
        config: Mapping[str, Any],
        predictions: pd.DataFrame | Callable[[], pd.DataFrame],
        pipeline: Any = None,
        *,
        number: int = 0,
        seed: int = 0,
        cost: float | None = None,
        seconds: float | None = None,
        fidelity: float = 1.0,
        name: str | None = None,
        members: Sequence[tuple[Model, float]] = (),
    ) -> None:
        self.data, self.problem, self.config = data, problem, dict(config)
        self._read_predictions, self.number, self.seed = predictions, number, seed
        self.cost, self.seconds, self.fidelity = cost, seconds, fidelity
        self._pipeline, self._name, self.members = pipeline, name, tuple(members)

    def __repr__(self) -> str:
        return f"<Model {self.number}: {self.name}>"

    @cached_property
    def name(self) -> str:
        """A few words that say what it is: "gradient boosting, 180 trees"."""
        return self._name or self.describe()

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """The prediction frame; of a study's model it is read from its file on first use."""
        read = self._read_predictions
        return read() if callable(read) else read

    def describe(self) -> str:
        """What it is, in words."""
        from . import pipelines

        if self.members:
            return f"ensemble of {len(self.members)} models"
        return pipelines.describe(self.config, self.problem.task)

    def steps(self) -> list[Step]:
        """From the columns to the prediction: name, what it does, settings. Of an ensemble: a step per member."""
        from . import pipelines

        if self.members:
            return [pipelines.Step("member", model.name, {"weight": weight}) for model, weight in self.members]
        return pipelines.steps(self.config)

    # -- how good it is

    @property
    def split(self) -> str:
        """The rows its scores speak of: "holdout" where there is one, else "train" (out-of-fold)."""
        return "holdout" if (self.predictions["split"] == "holdout").any() else "train"

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Every metric of the task: value, and low and high of its 95% bootstrap interval, on the rows of `split`."""
        return self.scored(self.split)

    def scored(self, split: str, metrics: tuple[str, ...] | None = None) -> pd.DataFrame:
        """`scores` on the rows of another split."""
        from . import scores

        return scores.table(self.problem, self.predictions, split, metrics, self.data)

    @property
    def score(self) -> float:
        """The problem's metric on the rows of `split`."""
        from . import scores

        return scores.value(self.problem, self.predictions, self.split, self.data)

    # -- its way to new rows

    @property
    def pipeline(self) -> Any:
        """The pipeline, fitted to the rows that are not of the holdout."""
        if self._pipeline is None:
            self._pipeline = trained(self.data.take(self.training_rows), self.problem, recipe(self))
        elif isinstance(self._pipeline, Callable):  # type: ignore[arg-type]
            self._pipeline = self._pipeline()
        return self._pipeline

    @property
    def training_rows(self) -> pd.Index:
        """Ids of the rows that the pipeline is fitted to: not of the holdout, and with a truth where one is needed."""
        held = self.predictions.index[self.predictions["split"] == "holdout"]
        return known_rows(self.data, self.problem).difference(held, sort=False)

    def predict(self, rows: Any) -> pd.Series | pd.DataFrame:
        """Predictions for new rows, by row id.

        Parameters
        ----------
        rows : DataFrame, Dataset, or whatever `load` takes
            With the problem's features; targets are not needed.

        Returns
        -------
        Series, or a DataFrame with a column per target where there are several.

        Raises
        ------
        ValueError
            If a feature is missing; the message names it.
        """
        return predicted(self.pipeline, self.problem, features_of(rows, self.problem, self.data))

    def predict_proba(self, rows: Any) -> pd.DataFrame:
        """A probability per row and class; AttributeError where the pipeline has none."""
        return probabilities(self.pipeline, features_of(rows, self.problem, self.data))


# -- rows in and out of pipelines


def input_columns(problem: Problem) -> list[str]:
    """What a pipeline gets of a row: features, and for forecasts its time, series and known covariates."""
    extra = (problem.time, *problem.groups) if problem.task == "timeSeriesForecasting" else ()
    known = tuple(getattr(problem, "known", None) or ())
    wanted = [*(problem.nodes or ()), *(problem.features or ()), *extra, *known]
    return [name for name in dict.fromkeys(wanted) if name and name not in problem.targets]


def features_of(rows: Any, problem: Problem, like: Dataset | Mapping[str, str]) -> pd.DataFrame:
    """The inputs of `rows`, read with the types that the model was trained with; names of files as whole paths."""
    from .data import Dataset

    types = like if isinstance(like, Mapping) else {name: column.type for name, column in like.columns.items()}
    data = rows if isinstance(rows, Dataset) else read_like(rows, types)
    wanted = input_columns(problem)
    missing = [name for name in wanted if name not in data.frame]
    if missing:
        raise ValueError(f"{data.name}: lacks column {missing[0]!r}; the model needs {', '.join(wanted)}")
    inputs = data.frame[wanted]
    named = [name for name in wanted if _has_files(data, name)]
    folders = {name: data.resources[data.columns[name].refers or ""].folder for name in named}
    whole = {name: inputs[name].map(partial(_whole, folder)).astype(object) for name, folder in folders.items()}
    return inputs.assign(**whole) if whole else inputs


def read_like(source: Any, types: Mapping[str, str]) -> Dataset:
    """`source` as `load` reads it, with these types for the columns that it has.

    Names of files in a DataFrame stay as they are: they are looked up where those of the training were.
    """
    import pandas as pd

    from .columns import MEDIA
    from .data import load

    if isinstance(source, pd.DataFrame):
        kept = {name: "categorical" if kind in MEDIA and kind != "text" else kind for name, kind in types.items()}
        return load(source, name="the rows given", types={name: kept[name] for name in kept if name in source})
    there = load(source, edges=False).columns  # once more, so that labels such as 007 are not taken for numbers first
    return load(source, types={name: kind for name, kind in types.items() if name in there}, edges=False)


def _has_files(data: Dataset, name: str) -> bool:
    column = data.columns[name]
    return column.is_media and column.type != "graph" and column.refers in data.resources


def _whole(folder: Path, name: Any) -> Any:
    return str((folder / name).resolve()) if isinstance(name, str) else None


def known_rows(data: Dataset, problem: Problem) -> pd.Index:
    """Ids of the rows that a pipeline can learn from: all targets known, unless it learns from unlabelled rows too."""
    if problem.task in ("semiSupervisedClassification", *CLUSTERING) or not problem.targets:
        return data.frame.index
    return data.frame.index[data.frame[list(problem.targets)].notna().all(axis=1)]


def fitted(data: Dataset, problem: Problem, config: Mapping[str, Any], seed: int) -> Any:
    """A pipeline fitted to every row of `data`."""
    from . import pipelines

    targets = list(problem.targets)
    pipeline = pipelines.build(dict(config), data, problem, seed)
    inputs = data.frame[input_columns(problem)]
    if not targets or problem.task in CLUSTERING:
        return pipeline.fit(inputs)
    return pipeline.fit(inputs, data.frame[targets[0]] if len(targets) == 1 else data.frame[targets])


def recipe(model: Model) -> dict[str, Any]:
    """What `trained` needs to make the pipeline again."""
    if not model.members:
        return {"config": model.config, "seed": model.seed}
    return {"members": [{**recipe(member), "weight": weight} for member, weight in model.members]}


def trained(data: Dataset, problem: Problem, made_of: Mapping[str, Any]) -> Any:
    """A pipeline, or an ensemble of them, fitted to every row of `data`."""
    if "members" not in made_of:
        return fitted(data, problem, made_of["config"], made_of["seed"])
    from .ensemble import Ensemble

    members = [trained(data, problem, each) for each in made_of["members"]]
    return Ensemble(members, [each["weight"] for each in made_of["members"]])


def predicted(pipeline: Any, problem: Problem, inputs: pd.DataFrame, chances: Any = None) -> pd.Series | pd.DataFrame:
    """What `pipeline` says of `inputs`, under their row ids and the targets' names.

    `chances`, its `probabilities`, where they are there already: to predict labels is to find out the same twice.
    """
    import numpy as np
    import pandas as pd

    known = chances is not None and hasattr(pipeline, "said")
    found = pipeline.said(chances.to_numpy()) if known else pipeline.predict(inputs)
    names = list(problem.targets) or ["cluster"]
    values = np.asarray(found)
    if values.ndim == 1:
        return pd.Series(values, index=inputs.index, name=names[0])
    columns = names if len(names) == values.shape[1] else list(getattr(found, "columns", range(values.shape[1])))
    return pd.DataFrame(values, index=inputs.index, columns=columns)


def prediction_frame(
    pipeline: Any, problem: Problem, inputs: pd.DataFrame, truths: pd.DataFrame, split: str
) -> pd.DataFrame:
    """What a pipeline says of `inputs` beside the truth: columns as of `Model.predictions`, all rows of one split.

    `truths` has a column per target, or lacks those that are not known.
    """
    import pandas as pd

    probable = getattr(pipeline, "classes_", None) is not None and hasattr(pipeline, "predict_proba")
    chances = probabilities(pipeline, inputs) if probable else None
    said = predicted(pipeline, problem, inputs, chances)
    columns: dict[str, Any] = {}
    for name, series in _sides(list(problem.targets), said):
        end = "" if len(problem.targets) < 2 and said.ndim == 1 else f"_{name}"
        columns[f"truth{end}"] = truths.get(name)
        columns[f"prediction{end}"] = series
    frame = pd.DataFrame(columns, index=inputs.index)
    if chances is not None:
        frame = frame.join(chances)
    return frame.assign(split=split)


def _sides(targets: list[str], said: Any) -> list[tuple[str, Any]]:
    if said.ndim == 1:
        return [(targets[0] if targets else "", said)]
    return [(name, said[name]) for name in said.columns]


def probabilities(pipeline: Any, inputs: pd.DataFrame) -> pd.DataFrame:
    """A column p_<class> per class, as in a prediction frame."""
    import numpy as np
    import pandas as pd

    names = [f"p_{label}" for label in pipeline.classes_]
    return pd.DataFrame(np.asarray(pipeline.predict_proba(inputs)), index=inputs.index, columns=names)
