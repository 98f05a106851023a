"""What models lean on and where they differ: importances, partial dependence, correlated errors, agreement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import scores
from .answers import SEPARATOR, indicators, label_set
from .ensemble import NAME as ENSEMBLE
from .model import features_of, input_columns, predicted, probabilities
from .slices import common_split

if TYPE_CHECKING:
    import pandas as pd

    from .data import Dataset
    from .model import Model
    from .problem import Problem

ROWS = 1000  # rows that are looked at, at most
FEWEST_TRIALS = 8  # to say anything about parameters
TREES = 128


# -- one model and its features


def permutation_importance(
    model: Model,
    data: Dataset | None = None,
    metric: str | None = None,
    repeats: int = 5,
    rows: int = ROWS,
    rng: Any = 0,
) -> pd.DataFrame:
    """How much worse the model gets when a feature's values are dealt out anew among the rows.

    On the holdout. Without one on the training rows, which the pipeline has seen: `attrs["split"]` says which.

    Parameters
    ----------
    model : Model
    data : Dataset, optional
        By default what the model was trained with.
    metric : str, optional
        By default the problem's.
    repeats : int
        Shuffles per feature.
    rows : int
        At most so many rows, drawn by `rng`.

    Returns
    -------
    DataFrame
        Index feature, the most important first. Columns importance, low, high (least and greatest of the shuffles):
        loss of the metric, positive if the feature helps. Of a clustering: the share of rows that change cluster.
    """
    import pandas as pd

    rng = np.random.default_rng(rng)
    metric = str(metric or model.problem.metric)
    inputs, truth, split = _looked_at(model, data, rows, rng)
    before = _frame(model, inputs, truth)
    found = {}
    for name in [name for name in model.problem.features or () if name in inputs]:
        losses = []
        for _ in range(repeats):
            dealt = inputs.assign(**{name: inputs[name].to_numpy()[rng.permutation(len(inputs))]})
            losses.append(_loss(model, metric, before, _frame(model, dealt, truth)))
        found[name] = (float(np.mean(losses)), min(losses), max(losses))
    result = pd.DataFrame.from_dict(found, orient="index", columns=["importance", "low", "high"])
    result = result.rename_axis("feature").sort_values("importance", ascending=False, kind="stable")
    result.attrs.update(split=split, metric=metric, rows=len(inputs))
    return result


def partial_dependence(
    model: Model, data: Dataset | None = None, feature: str = "", points: int = 20, rows: int = 200, rng: Any = 0
) -> pd.DataFrame:
    """The mean prediction when every row is given the same value of a feature, value by value.

    Parameters
    ----------
    model : Model
    data : Dataset, optional
        By default what the model was trained with.
    feature : str
    points : int
        Values, spread evenly over the rows' quantiles; of a feature that is no number the most frequent ones.
    rows : int
        At most so many rows, drawn by `rng`.

    Returns
    -------
    DataFrame
        value; of ("prediction", or a class: then it is its probability); mean; low and high (the middle 80% of rows).

    Raises
    ------
    ValueError
        If the model does not use the feature, or its prediction has no mean.
    """
    import pandas as pd

    if feature not in input_columns(model.problem):
        names = ", ".join(input_columns(model.problem))
        raise ValueError(f"{model.name}: does not use a feature {feature!r}; it uses {names}")
    inputs, _, _ = _looked_at(model, data, rows, np.random.default_rng(rng))
    column = (model.data if data is None else data).frame[feature]
    found = []
    for each in _grid(column, points):
        curves = _curves(model, inputs.assign(**{feature: pd.Series([each] * len(inputs), inputs.index, column.dtype)}))
        for of, values in curves.items():
            low, high = np.quantile(values, [0.1, 0.9])
            found.append((each, of, float(np.mean(values)), float(low), float(high)))
    return pd.DataFrame(found, columns=["value", "of", "mean", "low", "high"])


def _looked_at(
    model: Model, data: Dataset | None, rows: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Inputs and truths of at most `rows` rows of the holdout, or of the training rows."""
    data, split = model.data if data is None else data, model.split
    held = model.predictions.index[model.predictions["split"] == split].intersection(data.frame.index, sort=False)
    if not len(held):
        raise ValueError(f"{data.name}: has none of the {split} rows of {model.name}")
    if len(held) > rows:
        held = held[np.sort(rng.choice(len(held), rows, replace=False))]
    truths = [name for name in model.predictions if name == "truth" or name.startswith("truth_")]
    return features_of(data.take(held), model.problem, model.data), model.predictions.loc[held, truths], split


def _frame(model: Model, inputs: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """A prediction frame of what the fitted pipeline says of `inputs`."""
    import pandas as pd

    said = predicted(model.pipeline, model.problem, inputs)
    parts = said.to_frame("prediction") if isinstance(said, pd.Series) else said.add_prefix("prediction_")
    if _has_probabilities(model):
        parts = parts.join(probabilities(model.pipeline, inputs))
    return truth.join(parts).assign(split="holdout")


def _has_probabilities(model: Model) -> bool:
    return hasattr(model.pipeline, "predict_proba") and getattr(model.pipeline, "classes_", None) is not None


def _loss(model: Model, metric: str, before: pd.DataFrame, after: pd.DataFrame) -> float:
    from . import metrics

    if "prediction" in before and not ("truth" in before and before["truth"].notna().any()):
        return float((before["prediction"] != after["prediction"]).mean())
    worse, was = (scores.value(model.problem, each, metric=metric) for each in (after, before))
    return metrics.cost(metric, worse) - metrics.cost(metric, was)


def _grid(column: pd.Series, points: int) -> list[Any]:
    import pandas as pd

    known = column.dropna()
    if pd.api.types.is_numeric_dtype(known) and not pd.api.types.is_bool_dtype(known):
        spread = np.unique(np.quantile(known.to_numpy(float), np.linspace(0.02, 0.98, points)))
        whole = (known == known.round()).all()
        return sorted({round(each) for each in spread.tolist()}) if whole else spread.tolist()
    return known.value_counts().index[:points].tolist()


def _curves(model: Model, inputs: pd.DataFrame) -> dict[str, np.ndarray]:
    import pandas as pd

    if _has_probabilities(model):
        found = probabilities(model.pipeline, inputs)
        return {name.removeprefix("p_"): found[name].to_numpy(float) for name in found}
    said = predicted(model.pipeline, model.problem, inputs)
    columns = said.to_frame("prediction") if isinstance(said, pd.Series) else said
    try:
        return {str(name): columns[name].to_numpy(float) for name in columns}
    except (TypeError, ValueError):  # labels without probabilities: their shares
        labels = sorted(map(str, pd.unique(columns.to_numpy().ravel())))
        return {label: (columns.iloc[:, 0].astype(str) == label).to_numpy(float) for label in labels}


# -- the study and its parameters


def parameter_importance(study: Any, rng: Any = 0) -> pd.DataFrame:
    """How much of the cost's variation each hyper-parameter explains, over the trials of a study.

    A forest learns the cost (outliers brought to the upper fence of a box plot) from the configurations. A parameter's
    importance is its total effect in that forest (Jansen 1999): half the mean squared change of the prediction when the
    parameter takes the values of other trials. A conditional parameter moves only among the trials that have it; where
    it is not active the forest is given a constant, so that it cannot stand for the parameter it depends on.

    Parameters
    ----------
    study : Study, or DataFrame as `study.trials`

    Returns
    -------
    DataFrame
        Index parameter, the most important first; columns importance (they sum to 1), low, high (the middle 80% of the
        trees, each divided by its own sum, so between 0 and 1), trials (in which it is active), best (its value in the
        best trial). importance is nan where there are too few trials: `attrs["why"]` says so; `attrs["fit"]` is the
        forest's out-of-bag R2: how much to believe.
    """
    import pandas as pd

    trials = study if isinstance(study, pd.DataFrame) else study.trials
    configs, costs, fidelity = _finished(trials)
    columns = {name: _encoded(configs, name) for name in sorted({name for config in configs for name in config})}
    best = configs[int(np.argmin(costs))] if configs else {}
    frame = pd.DataFrame(
        {
            "importance": np.nan,
            "low": np.nan,
            "high": np.nan,
            "trials": {name: int(active.sum()) for name, (_, active) in columns.items()},
            "best": pd.Series({name: best.get(name) for name in columns}, dtype=object),
        },
        index=pd.Index(list(columns), name="parameter"),
    )
    if len(configs) < FEWEST_TRIALS or len(set(costs)) < 3:
        few = f"{len(configs)} finished trials with {len(set(costs))} costs"
        frame.attrs.update(why=f"{few}; expected at least {FEWEST_TRIALS} trials", fit=float("nan"))
        return frame
    forest, inputs = _surrogate(columns, costs, fidelity, rng)
    effects = _effects(forest, inputs, columns, np.random.default_rng(rng))
    whole = np.sum(list(effects.values()), axis=0)  # (trees,): a share is one of its own tree, so none exceeds 1
    for name, each in effects.items():
        shares = np.divide(each, whole, out=np.zeros(len(each)), where=whole > 0)
        mean, (low, high) = float(each.sum() / whole.sum()) if whole.any() else 0.0, np.quantile(shares, [0.1, 0.9])
        frame.loc[name, ["importance", "low", "high"]] = mean, min(low, mean), max(high, mean)
    fit = float(forest.oob_score_)
    why = "" if fit > 0 else "configurations do not foretell the cost of other trials yet: believe none of it"
    frame.attrs.update(why=why, fit=fit)
    return frame.sort_values("importance", ascending=False, kind="stable")


def _finished(trials: pd.DataFrame) -> tuple[list[dict[str, Any]], np.ndarray, np.ndarray]:
    import pandas as pd

    cost = pd.to_numeric(trials["cost"], errors="coerce")
    done = trials[(trials["status"] == "ok") & np.isfinite(cost)]
    configs = [json.loads(each) if isinstance(each, str) else dict(each) for each in done["config"]]
    done = done[[config.get("model") != ENSEMBLE for config in configs]]
    configs = [config for config in configs if config.get("model") != ENSEMBLE]
    fidelity = done["fidelity"].to_numpy(float) if "fidelity" in done else np.ones(len(done))
    return configs, cost[done.index].to_numpy(float), fidelity


def _encoded(configs: list[dict[str, Any]], name: str) -> tuple[np.ndarray, np.ndarray]:
    """(trials, numbers) of a parameter, and in which trials it is active."""
    import pandas as pd

    active = np.array([config.get(name) is not None for config in configs])
    values = pd.Series([config.get(name) for config in configs], dtype=object)[active]
    if all(isinstance(each, int | float) and not isinstance(each, bool) for each in values):
        numbers = np.full((len(configs), 1), np.median(values.astype(float)) if active.any() else 0.0)
        numbers[active, 0] = values.astype(float)
        return numbers, active
    labels = sorted(values.map(json.dumps).unique())
    shares = [(values.map(json.dumps) == label).to_numpy(float) for label in labels]
    codes = np.tile([each.mean() for each in shares], (len(configs), 1))
    codes[active] = np.stack(shares, 1)
    return codes, active


def _surrogate(
    columns: dict[str, tuple[np.ndarray, np.ndarray]], costs: np.ndarray, fidelity: np.ndarray, rng: Any
) -> tuple[Any, np.ndarray]:
    import warnings

    from sklearn.ensemble import RandomForestRegressor

    seed = int(np.random.default_rng(rng).integers(2**31))
    inputs = np.hstack([numbers for numbers, _ in columns.values()] + [fidelity[:, None]])
    low, high = np.quantile(costs, [0.25, 0.75])
    costs = np.minimum(costs, high + 1.5 * (high - low)) if high > low else costs
    forest = RandomForestRegressor(TREES, min_samples_leaf=2, max_features=0.7, oob_score=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a trial that every tree has seen
        return forest.fit(inputs, costs), inputs


def _effects(
    forest: Any, inputs: np.ndarray, columns: dict[str, tuple[np.ndarray, np.ndarray]], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Total effect of each parameter in each tree, not yet divided by the variance."""
    before = np.stack([tree.predict(inputs) for tree in forest.estimators_])
    found, start = {}, 0
    for name, (numbers, active) in columns.items():
        mine, rows = slice(start, start + numbers.shape[1]), np.flatnonzero(active)
        start = mine.stop
        changes = np.zeros(len(before))
        for shift in _shifts(len(rows), rng):
            dealt = inputs.copy()
            dealt[rows, mine] = inputs[np.roll(rows, shift), mine]
            after = np.stack([tree.predict(dealt) for tree in forest.estimators_])
            changes += ((after - before) ** 2).mean(1) / 2
        found[name] = changes
    return found


def _shifts(rows: int, rng: np.random.Generator, most: int = 8) -> list[int]:
    """Every trial takes the value of another one: by so many places further on. Always `most` of them, or none."""
    return [] if rows < 2 else rng.integers(1, rows, most).tolist()


# -- several models and their rows


def error_correlation(models: Sequence[Model], split: str | None = None) -> pd.DataFrame:
    """Pearson correlation between the errors of models, on the rows that all of them predicted.

    The error of a row is what its truth's probability lacks to 1, a wrong label where there are no probabilities, of
    several labels what their Jaccard similarity lacks to 1, and the signed residual of a number (the mean over
    targets). nan for a model whose error is the same in every row.
    """
    import pandas as pd

    errors = row_errors(models, split)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.corrcoef(errors.to_numpy(), rowvar=False) if len(errors) > 1 else np.full((len(models),) * 2, np.nan)
    return pd.DataFrame(np.atleast_2d(found), index=errors.columns, columns=errors.columns)


def row_errors(models: Sequence[Model], split: str | None = None) -> pd.DataFrame:
    """The error of every model in every row that all predicted; columns: model numbers."""
    import pandas as pd

    split = split or common_split(models)
    errors = {model.number: _errors(scores.of_split(model.predictions, split), model.problem) for model in models}
    return pd.DataFrame(errors).dropna().rename_axis(columns="model")


def agreement(models: Sequence[Model], split: str | None = None) -> pd.DataFrame:
    """Per row how far models agree.

    Returns
    -------
    DataFrame
        By row id, of rows that all models predicted. Of labels: truth, most (the commonest prediction, ties to the
        better placed model), agree (share of models that say so), right (share that say the truth). Of numbers: truth,
        mean, spread (standard deviation between models), error (mean absolute error). Several labels of a row, in
        order, count as one; of several numbers the mean over targets is taken.
    """
    import pandas as pd

    split = split or common_split(models)
    rows = [scores.of_split(model.predictions, split) for model in models]
    problem = models[0].problem
    said = pd.concat([_joined(r, "prediction", problem) for r in rows], axis=1, join="inner", keys=range(len(rows)))
    truth = _joined(rows[0], "truth", problem).loc[said.index]
    if _numeric(problem):
        values = said.astype(float)
        errors = values.sub(truth.astype(float), axis=0).abs().mean(axis=1)
        parts = {"truth": truth, "mean": values.mean(axis=1), "spread": values.std(axis=1, ddof=0), "error": errors}
        return pd.DataFrame(parts)
    same = np.stack([said.eq(said[name], axis=0).mean(axis=1) for name in said], axis=1)
    most = said.to_numpy(object)[np.arange(len(said)), same.argmax(axis=1)]
    parts = {"truth": truth, "most": most, "agree": same.max(axis=1), "right": said.eq(truth, axis=0).mean(axis=1)}
    return pd.DataFrame(parts, index=said.index)


def _numeric(problem: Problem) -> bool:
    return problem.task in ("regression", "timeSeriesForecasting", "collaborativeFiltering")


def _joined(rows: pd.DataFrame, kind: str, problem: Problem) -> pd.Series:
    """One value per row of the columns truth or prediction, or truth_... or prediction_...: the mean of numbers, and of
    several labels their names in order."""
    several = rows[[name for name in rows if name == kind or name.startswith(f"{kind}_")]]
    if problem.subtask == "multiLabel":
        return _label_texts(several.rename(columns=lambda name: name[len(kind) + 1 :] or name))
    return rows[kind] if kind in rows else several.astype(float).mean(axis=1)


def _label_texts(several: pd.DataFrame) -> pd.Series:
    import pandas as pd

    cells, names = indicators(several.iloc[:, 0] if len(several.columns) == 1 else several)
    found = [SEPARATOR.join(np.array(names, dtype=object)[row > 0]) for row in cells]
    return pd.Series(found, several.index, dtype=object)


def _errors(rows: pd.DataFrame, problem: Problem) -> pd.Series:
    import pandas as pd

    truth, prediction = _joined(rows, "truth", problem), _joined(rows, "prediction", problem)
    if _numeric(problem):
        return prediction.astype(float) - truth.astype(float)
    if problem.subtask == "multiLabel":
        none: frozenset[str] = frozenset()
        pairs = [(label_set(t) or none, label_set(p) or none) for t, p in zip(truth, prediction, strict=True)]
        return pd.Series([1 - len(t & p) / len(t | p) if t | p else 0.0 for t, p in pairs], rows.index)
    odds = [f"p_{label}" for label in truth]
    if len(rows) and set(odds) <= set(rows.columns):
        at = rows.columns.get_indexer(odds)
        return pd.Series(1 - rows.to_numpy(object)[np.arange(len(rows)), at].astype(float), rows.index)
    return (prediction != truth).astype(float)
