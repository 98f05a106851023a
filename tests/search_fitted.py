"""Small data sets and models of them that are quick to fit, for tests of what is done with models."""

import numpy as np
import pandas as pd

from learnviews.kernels.search import data as data_module
from learnviews.kernels.search.ensemble import Ensemble
from learnviews.kernels.search.model import Model, fitted, input_columns, predicted, probabilities
from learnviews.kernels.search.problem import Problem

ROWS, HELD = 120, 30
QUICK = ({"model": "linear"}, {"model": "tree"}, {"model": "forest", "forest:trees": 20})


def table(rows=ROWS, seed=0):
    """`size` decides, `colour` a little, `noise` not at all."""
    rng = np.random.default_rng(seed)
    size, noise = rng.normal(size=rows), rng.normal(size=rows)
    colour = rng.choice(["red", "green", "Blue, dark"], rows)
    price = 10 * size + 2 * (colour == "red") + rng.normal(scale=0.5, size=rows)
    frame = pd.DataFrame({"size": size, "noise": noise, "colour": colour, "price": price})
    frame["kind"] = np.where(price + rng.normal(scale=2, size=rows) > 0, "Big", "small")
    return frame.set_axis(pd.Index(range(100, 100 + rows), name="row"))


def small(task="classification", **changes):
    """Data and a problem of them."""
    data = data_module.load(table(), name="things")
    target, metric = ("kind", "accuracy") if task == "classification" else ("price", "rootMeanSquaredError")
    asked = {"target": target, "task": task, "metric": metric, "features": ("size", "noise", "colour"), **changes}
    return data, Problem(**asked).check(data)


def model_of(data, problem, config, number=0):
    """A model fitted to all but the last rows, which are its holdout."""
    rows = data.frame.index
    train, held = rows[:-HELD], rows[-HELD:]
    pipeline = fitted(data.take(train), problem, config, seed=0)
    inputs = data.frame[input_columns(problem)]
    found = pd.DataFrame({"truth": data.frame[problem.targets[0]], "prediction": predicted(pipeline, problem, inputs)})
    if problem.task == "classification":
        found = found.join(probabilities(pipeline, inputs))
    found["split"] = np.where(rows.isin(held), "holdout", "train")
    return Model(data, problem, config, found, pipeline, number=number, cost=float(number))


def models(task="classification", configs=QUICK, **changes):
    data, problem = small(task, **changes)
    return [model_of(data, problem, config, number) for number, config in enumerate(configs, 1)]


def ensemble(members, weights):
    """One more model, of others."""
    first = members[0]
    pipeline = Ensemble([model.pipeline for model in members], weights)
    said = probabilities(pipeline, first.data.frame[input_columns(first.problem)])
    found = first.predictions.assign(**said, prediction=said.idxmax(axis=1).str.removeprefix("p_"))
    return Model(
        first.data, first.problem, {"model": "ensemble"}, found, pipeline, number=9,
        members=list(zip(members, weights, strict=True)),
    )  # fmt: skip
