"""What pipelines are made of, as a table of models by choices: which scaler, which encoder, which model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from .model import Model


def step_choices(models: Sequence[Model]) -> pd.DataFrame:
    """How much of each model goes through each choice of a step.

    Returns
    -------
    DataFrame
        Rows: models by number. Columns: (step, choice), steps in the order of the pipelines and the models' families
        last ("model"); of a step the most used choice first. 1 where a pipeline has it, 0 where not; of an ensemble
        the weight of the members that have it.
    """
    import pandas as pd

    shares = [_shares(model) for model in models]
    order = list(dict.fromkeys(found for each in shares for found in each))
    cells = [[each.get(choice, 0.0) for choice in order] for each in shares]
    table = np.array(cells, float).reshape(len(shares), len(order))
    used = table.sum(axis=0)
    places = _places(models)
    at = sorted(range(len(order)), key=lambda i: (places[order[i][0]], order[i][0], -used[i]))
    columns = pd.MultiIndex.from_arrays([[order[i][part] for i in at] for part in (0, 1)], names=["step", "choice"])
    return pd.DataFrame(table[:, at], pd.Index([model.number for model in models], name="model"), columns)


def _shares(model: Model) -> dict[tuple[str, str], float]:
    """Weights of a model's choices."""
    found: dict[tuple[str, str], float] = {}
    for member, weight in model.members or [(model, 1.0)]:
        for choice in _choices(member):
            found[choice] = found.get(choice, 0.0) + float(weight)
    return found


def _choices(model: Model) -> Iterator[tuple[str, str]]:
    """(step, choice) of one pipeline: the value of the step's own setting, else what the step does; the model last."""
    *before, last = model.steps()
    for step in before:
        yield step.name, _said(step.settings.get(step.name), step.what)
    yield "model", last.what


def _said(value: Any, what: str) -> str:
    return what if value is None or isinstance(value, bool) else str(value)


def _places(models: Sequence[Model]) -> dict[str, float]:
    """Where steps stand in their pipelines on average: 0 at the front, 1 for the model."""
    found: dict[str, list[float]] = {}
    for model in models:
        for member, _ in model.members or [(model, 1.0)]:
            names = [name for name, _ in _choices(member)]
            for at, name in enumerate(names):
                found.setdefault(name, []).append(at / max(len(names) - 1, 1) if name != "model" else 1.0)
    return {name: float(np.mean(each)) for name, each in found.items()}
