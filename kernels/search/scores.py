"""How sure a score is: bootstrap intervals, the tables of them, and the predictor that every model has to beat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .tasks import DETECTION, REGRESSION

if TYPE_CHECKING:
    import pandas as pd

    from .data import Dataset
    from .metrics import Metric, Scorer
    from .problem import Problem
    from .splits import Plan

DRAWS = 500
LEVEL = 0.95
TRIVIAL = "trivial"


# -- values and tables of a prediction frame


def value(
    problem: Problem,
    predictions: pd.DataFrame,
    split: str | None = None,
    data: Dataset | None = None,
    metric: str | None = None,
) -> float:
    """The problem's metric (or the one named) of a prediction frame; nan where it has none."""
    found = _scorer(problem, metric or problem.metric, of_split(predictions, split), data)
    return float("nan") if found is None else found()


def table(
    problem: Problem,
    predictions: pd.DataFrame,
    split: str | None = None,
    names: tuple[str, ...] | None = None,
    data: Dataset | None = None,
    rng: Any = 0,
    n: int = DRAWS,
) -> pd.DataFrame:
    """Every metric of the problem's task with its interval.

    Parameters
    ----------
    problem : Problem
    predictions : DataFrame
        A prediction frame.
    split : str, optional
        "train" or "holdout"; by default all rows.
    names : tuple of str, optional
        Of metrics.
    data : Dataset, optional
        For metrics that look at the features (silhouette).

    Returns
    -------
    DataFrame
        Index metric, the problem's own first; columns value, low, high, split. Metrics that are not defined for these
        predictions (F1 of a positive class where there are three classes) are left out.
    """
    import pandas as pd

    rows = of_split(predictions, split)
    block = block_length(len(rows)) if problem.task == "timeSeriesForecasting" else 1
    found = {}
    for name in names or metrics_of(problem):
        scorer = _scorer(problem, name, rows, data)
        if scorer is not None and (name == problem.metric or scorer() == scorer()):
            found[name] = (*_interval(scorer, rng, n, block), split or "all")
    columns = ["value", "low", "high", "split"]
    return pd.DataFrame.from_dict(found, orient="index", columns=columns).rename_axis("metric")


def metrics_of(problem: Problem) -> tuple[str, ...]:
    """The metrics that can judge the problem, its own first."""
    from .legality import legal_metrics

    return tuple(dict.fromkeys((str(problem.metric), *legal_metrics(problem))))


def of_split(predictions: pd.DataFrame, split: str | None) -> pd.DataFrame:
    """The rows of one split; of all where there is none named."""
    return predictions if split is None else predictions[predictions["split"] == split]


def _scorer(problem: Problem, name: str | None, rows: pd.DataFrame, data: Dataset | None) -> Scorer | None:
    """A metric made ready for these rows; None where it is not defined for them."""
    try:
        return _prepared(problem, name, rows, data)
    except ValueError:
        return None


def _prepared(problem: Problem, name: str | None, rows: pd.DataFrame, data: Dataset | None) -> Scorer:
    """A metric made ready for these rows; ValueError says why it is not defined for them."""
    from . import metrics

    metric = metrics.bound(problem, name)
    if metric.name not in ("silhouette", "modularity"):
        return metrics.prepare_frame(metric, rows)
    if data is None:
        raise ValueError(f"{metric.name} looks at the features: it needs the data")
    if metric.name == "modularity":
        return _modularity(metric, problem, rows, data)
    return _silhouette(metric, problem, rows, data)


def judged(
    problem: Problem, name: str, rows: pd.DataFrame, data: Dataset | None = None, rng: Any = 0, n: int = DRAWS
) -> tuple[float, float, float, str]:
    """A metric of the rows of a prediction frame, its interval, and why it is nan where it is.

    Returns
    -------
    (value, low, high, why)
        `why` is "" where there is a value.
    """
    nothing = float("nan")
    if not len(rows):
        return nothing, nothing, nothing, "no rows"
    try:
        scorer = _prepared(problem, name, rows, data)
    except ValueError as error:
        return nothing, nothing, nothing, _why(rows) or str(error)
    block = block_length(len(rows)) if problem.task == "timeSeriesForecasting" else 1
    found = _interval(scorer, rng, n, block)
    return *found, "" if np.isfinite(found[0]) else _why(rows) or "not defined for these rows"


def _why(rows: pd.DataFrame) -> str:
    """What these rows lack for a metric, as far as their truths tell."""
    for name in [name for name in rows if name == "truth" or name.startswith("truth_")]:
        known = rows[name].dropna()
        if not len(known):
            return "the truth of none of these rows is known"
        if len(known) == 1:
            return "one row only"
        if known.map(str).nunique() == 1:
            return f"all of these rows have the same truth ({known.iloc[0]})"
    return ""


def _modularity(metric: Metric, problem: Problem, rows: pd.DataFrame, data: Dataset) -> Scorer:
    """Of the edges between the nodes of these rows."""
    from .graph_rules import node_columns

    column = (problem.nodes or ("",))[0]
    if column not in node_columns(data):
        raise ValueError("modularity is of a graph, and these rows came without one")
    network = data.graphs[node_columns(data)[column]].network()
    places = network.places(data.frame.loc[rows.index, column])
    if (places < 0).any():
        raise ValueError("modularity needs a node of the graph in every row")
    return metric.prepare(network.weighted[places][:, places], rows["prediction"])


def _silhouette(metric: Metric, problem: Problem, rows: pd.DataFrame, data: Dataset) -> Scorer:
    from .cluster_space import points

    features = [name for name in problem.features or data.frame if name not in problem.targets]
    return metric.prepare(points(data, features, rows.index), rows["prediction"])


# -- bootstrap


def bootstrap(
    metric: str | Metric, truth: Any, prediction: Any, rng: Any = 0, n: int = DRAWS, block: int = 1
) -> tuple[float, float, float]:
    """A metric and its 95% interval by resampling rows.

    Parameters
    ----------
    metric : str or Metric
    truth, prediction : Series, DataFrame or array
        As the metric takes them.
    rng : seed or Generator
    n : int
        Resamples.
    block : int
        Rows that are drawn together, in their order: for rows that follow each other in time.

    Returns
    -------
    (value, low, high)
        Percentiles, widened to hold the value. nan where there is none.
    """
    from .metrics import METRICS

    metric = METRICS[metric] if isinstance(metric, str) else metric
    return _interval(metric.prepare(truth, prediction), rng, n, block)


def _interval(scorer: Scorer, rng: Any, n: int, block: int) -> tuple[float, float, float]:
    whole, rows = float(scorer()), len(scorer.rows)
    if not np.isfinite(whole):
        return whole, float("nan"), float("nan")
    draws = np.array([scorer(at) for at in drawn(np.random.default_rng(rng), rows, n, block)])
    draws = draws[np.isfinite(draws)]  # a resample may hold one class only
    if not len(draws):
        return whole, float("nan"), float("nan")
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return whole, float(min(low, whole)), float(max(high, whole))


def block_length(rows: int) -> int:
    """Rows to draw together from a series: the cube root of its length, as is usual for moving blocks."""
    return max(1, round(rows ** (1 / 3)))


def drawn(rng: np.random.Generator, rows: int, n: int, block: int = 1) -> Iterator[np.ndarray]:
    """Row positions of each of `n` resamples, made of blocks of neighbours."""
    block = min(block, rows)
    for _ in range(n):
        starts = rng.integers(0, rows - block + 1, -(-rows // block))
        yield (starts[:, None] + np.arange(block)).ravel()[:rows]


# -- the predictor that knows nothing of the features


def trivial(data: Dataset, problem: Problem, plan: Plan) -> pd.DataFrame:
    """Predictions without a look at the features: the commonest class, the mean, the last value of the series.

    For every fold and for the holdout, from the rows that a model would be fitted to there; a prediction frame as of
    any model. Clustering: one cluster.
    """
    import pandas as pd

    parts = [_said(data, problem, fit, score, "train") for fit, score in plan.folds]
    if len(plan.holdout_rows):
        parts.append(_said(data, problem, plan.train_rows, plan.holdout_rows, "holdout"))
    if not parts:
        parts.append(_said(data, problem, plan.train_rows, plan.train_rows, "train"))
    whole = pd.concat(parts)
    return whole[~whole.index.duplicated(keep="last")]


def _said(data: Dataset, problem: Problem, fit: Any, score: Any, split: str) -> pd.DataFrame:
    import pandas as pd

    index, found = pd.Index(score, name=data.frame.index.name), {}
    for target in problem.targets:
        end = "" if len(problem.targets) == 1 else f"_{target}"
        found[f"truth{end}"] = data.frame.loc[score, target]
        guess = guessed(problem, target, data.frame.loc[fit], data.frame.loc[score])
        for name, values in guess.items():
            found[name if name.startswith("p_") else f"{name}{end}"] = values
    if not problem.targets:
        found["truth"], found["prediction"] = None, 0
    return pd.DataFrame({**found, "split": split}, index=index)  # at once: there may be hundreds of classes


def guessed(problem: Problem, target: str, seen: pd.DataFrame, rows: pd.DataFrame) -> dict[str, Any]:
    """Columns "prediction" and p_<class> of `rows`, from the target of `seen` (and, of forecasts, time and groups)."""
    known = seen[target].dropna()
    if problem.task == "timeSeriesForecasting":
        return {"prediction": _last_values(problem, target, seen, rows)}
    if problem.task == DETECTION:
        return {"prediction": _mean_box(known)}
    if problem.task in REGRESSION:
        middle = "median" if problem.metric == "meanAbsoluteError" else "mean"
        return {"prediction": float(getattr(known.astype(float), middle)())}
    if problem.subtask == "multiLabel" and len(problem.targets) == 1:
        return _usual_labels(known)
    from .answers import is_true

    shares = known.value_counts(normalize=True, sort=False).sort_index(key=lambda labels: labels.astype(str))
    commonest = shares.index[int(np.argmax(shares.to_numpy()))]
    if len(problem.targets) == 1:
        return {"prediction": commonest, **{f"p_{label}": share for label, share in shares.items()}}
    if problem.subtask != "multiLabel":
        return {"prediction": commonest}
    return {"prediction": commonest, f"p_{target}": sum(share for one, share in shares.items() if is_true(one))}


def _mean_box(known: pd.Series) -> str:
    """Of all boxes that are drawn the mean one, as found in every image."""
    from . import boxes

    drawn = np.concatenate([boxes.boxes(cell) for cell in known])
    return boxes.written(np.append(drawn.mean(axis=0), 1.0)[None]) if len(drawn) else ""


def _usual_labels(known: pd.Series) -> dict[str, Any]:
    """Of label sets: the labels that most rows have, and every label's share."""
    from .answers import indicators

    cells, names = indicators(known)
    shares = dict(zip(names, cells.mean(axis=0), strict=True))
    usual = ";".join(name for name, share in shares.items() if share > 0.5)
    return {"prediction": usual, **{f"p_{name}": share for name, share in shares.items()}}


def _last_values(problem: Problem, target: str, seen: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """The last value that was seen of each row's series; of all where the series is new."""
    seen = seen.dropna(subset=[target])
    if problem.time:
        seen = seen.sort_values(problem.time, kind="stable")
    last = float(seen[target].iloc[-1])
    if not problem.groups:
        return np.full(len(rows), last)
    groups = list(problem.groups)
    each = seen.groupby(groups, dropna=False, observed=True)[target].last().rename("last").reset_index()
    found = rows[groups].merge(each, "left", groups)["last"]
    return found.astype(float).fillna(last).to_numpy()
