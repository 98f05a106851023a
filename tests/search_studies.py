"""Small studies: with the stand-in pipelines of `search_makers`, and with real ones on real tables."""

from pathlib import Path

import numpy as np
import pandas as pd

from learnviews.kernels import search
from learnviews.kernels.search.space import space

MAKER = "search_makers"
AUTOS = Path(__file__).resolve().parents[2] / "shared" / "data" / "d3m" / "196_autoMpg"


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


# -- with pipelines of scikit-learn


def patients(rows=90):
    """Diabetes: the progress of the disease within a year."""
    from sklearn.datasets import load_diabetes

    return load_diabetes(as_frame=True).frame.iloc[:rows]


def flowers():
    """Iris, every third one, by the names of their species."""
    from sklearn.datasets import load_iris

    found = load_iris(as_frame=True)
    return found.frame.iloc[::3].assign(target=lambda frame: found.target_names[frame["target"]]).reset_index(drop=True)


REAL = {
    "patients": (patients, ("target", "regression", "meanSquaredError")),
    "flowers": (flowers, ("target", "classification", "f1Macro")),
    "autos": (lambda: AUTOS, ("class", "regression", "meanSquaredError")),
}


def real_study(path, name="patients", slow=True, **options):
    """A study of one of the `REAL` tables; the models that take longer are left out unless `slow`."""
    table, problem = REAL[name][0](), search.Problem(*REAL[name][1])
    if not slow:
        data = search.load(table)
        left_out = ("forest", "extra", "boosting", "gaussian", "mlp", "kernel")
        options["space"] = space(data, problem.check(data), exclude=left_out)
    return search.Study(table, problem, path, **{"trials": 6, **options})


def said(study):
    """Every model's predictions, best first, by its configuration; members of an ensemble by theirs."""
    return {_recipe(model): model.predictions for model in study.models}


def _recipe(model):
    members = [(_recipe(member), weight) for member, weight in model.members]
    return f"{members or model.config}"  # numbers of trials differ where some were killed


def assert_same(one, other):
    """The same trials in the same order, the same models with the same predictions, to the last bit."""
    pd.testing.assert_frame_equal(finished(one), finished(other), check_exact=True)
    here, there = said(one), said(other)
    assert list(here) == list(there)
    for config, predictions in here.items():
        pd.testing.assert_frame_equal(predictions, there[config], check_exact=True)
