"""Small studies with the stand-in pipelines of `search_makers`."""

import numpy as np
import pandas as pd

from learnviews.kernels import search

MAKER = "search_makers"


def table(rows=60):
    rng = np.random.default_rng(0)
    x = rng.normal(size=rows)
    return pd.DataFrame({"x": x, "y": 1.5 * x + rng.normal(scale=0.1, size=rows)})


def study(path, name=None, **options):
    problem = search.Problem("y", "regression", "meanSquaredError", name=name)
    return search.Study(table(), problem, path, **{"maker": MAKER, "trials": 6, **options})


def finished(study):
    """What must be the same again."""
    trials = study.trials
    kept = trials[(trials.source != "ensemble") & (trials.status != "killed")]
    return kept[["status", "config", "source", "fidelity", "cost", "train", "holdout"]].reset_index(drop=True)
