"""How good models are on a part of the rows: every metric of the task on chosen rows, and on the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from . import scores
from .values import listed

if TYPE_CHECKING:
    import pandas as pd

    from .model import Model

PARTS = ("slice", "rest")


def sliced(
    models: Model | Sequence[Model],
    ids: Iterable[Any],
    split: str | None = None,
    metrics: Sequence[str] | None = None,
    n: int = scores.DRAWS,
    rng: Any = 0,
) -> pd.DataFrame:
    """Every metric on chosen rows, and on the rest, with bootstrap intervals.

    Parameters
    ----------
    models : Model or list of Model
    ids : iterable
        Of rows. Those that are not of `split` do not count.
    split : {"holdout", "train", "all"}, optional
        By default the rows the models' scores speak of: the holdout, or else the out-of-fold predictions.
    metrics : list of str, optional
        By default all that can judge each model's problem, its own first.
    n : int
        Resamples of an interval.
    rng : seed or Generator

    Returns
    -------
    DataFrame
        A line per model, part ("slice", "rest") and metric: number, name, part, metric, value, low, high, rows (counted
        in this part), why (the value is nan; "" where there is one). `attrs["split"]` names the split.

    Raises
    ------
    ValueError
        If a row or a metric is unknown.
    """
    import pandas as pd

    from .metrics import metric

    for name in metrics or ():
        metric(name)  # complains about one that there is none of
    listed_models = _as_list(models)
    wanted = _ids(listed_models, ids)
    split = split or common_split(listed_models)
    lines = []
    for model in listed_models:
        rows = scores.of_split(model.predictions, None if split == "all" else split)
        inside = rows.index.isin(wanted)
        for part, chosen in zip(PARTS, (rows[inside], rows[~inside]), strict=True):
            lines += [_line(model, part, name, chosen, rng, n) for name in metrics or scores.metrics_of(model.problem)]
    columns = ["number", "name", "part", "metric", "value", "low", "high", "rows", "why"]
    found = pd.DataFrame(lines, columns=columns)
    found.attrs["split"] = split
    return found


def _line(model: Model, part: str, name: str, rows: pd.DataFrame, rng: Any, n: int) -> tuple[Any, ...]:
    judged = scores.judged(model.problem, name, rows, model.data, rng, n)
    return (model.number, model.name, part, name, *judged[:3], len(rows), judged[3])


def common_split(models: Sequence[Model]) -> str:
    """The rows that the scores of all models speak of; the out-of-fold predictions where they differ."""
    splits = {model.split for model in models}
    return splits.pop() if len(splits) == 1 else "train"


def _as_list(models: Model | Sequence[Model]) -> list[Model]:
    from .model import Model

    found = [models] if isinstance(models, Model) else list(models)
    if not found:
        raise ValueError("no models: expected at least one")
    return found


def _ids(models: Sequence[Model], ids: Iterable[Any]) -> pd.Index:
    import pandas as pd

    wanted = pd.Index(list(ids))
    known = models[0].data.frame.index
    for model in models:
        known = known.union(model.predictions.index, sort=False)
    unknown = wanted[~wanted.isin(known)]
    if len(unknown):
        raise ValueError(f"{models[0].data.name}: no row {listed(map(str, unknown))}")
    return wanted
