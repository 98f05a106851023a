"""Tables and studies as large as Snowcat has to bear: a million rows, 200 columns, 100 classes, 5,000 trials; the same
ones for the same seed."""

import os
import time

import numpy as np
import pandas as pd

from learnviews.kernels import search
from learnviews.kernels.search.smac_search import key
from learnviews.kernels.search.space import space
from learnviews.kernels.search.study_files import PREDICTIONS

SLOW = ("boosting", "mlp", "kernel", "svm")


def long_table(rows, seed=0):
    """20 columns: 14 of numbers, 5 of eight labels each, and a target of two classes."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"x{at}": np.round(rng.normal(size=rows), 3) for at in range(14)})
    for at in range(5):
        frame[f"kind {at}"] = rng.choice(list("abcdefgh"), rows)
    frame["target"] = np.where(frame["x0"] + frame["x1"] * frame["x2"] + rng.normal(size=rows) > 0, "yes", "no")
    return frame


def wide_table(rows=2000, columns=200, classes=100, seed=0):
    """Numbers around a centre per class, and the class."""
    rng = np.random.default_rng(seed)
    label = np.arange(rows) % classes
    centres = rng.normal(scale=1.5, size=(classes, columns - 1))
    values = np.round(centres[label] + rng.normal(scale=3, size=(rows, columns - 1)), 3)
    frame = pd.DataFrame(values, columns=[f"measurement {at:03d}" for at in range(columns - 1)])
    return frame.assign(species=np.array([f"species {at:03d}" for at in range(classes)])[label])


def small_study(data, target, path, trials=5, workers=2):
    """A study of a few quick models."""
    data = search.load(data)
    problem = search.Problem(target).check(data)
    study = search.Study(
        data, problem, path, trials=trials, workers=workers, space=space(data, problem, exclude=SLOW), trial_seconds=120
    )
    list(study.run())
    return study


def many_trials(study, trials, seed=0):
    """Fill up a study to so many trials: configurations of its space, the predictions of models it has, and costs that
    slowly fall."""
    rng = np.random.default_rng(seed)
    store, models = study._store, study.models
    assert models, "a study without a model"
    configs = space(study.data, study.problem).sample_configuration(trials)
    worst, begun = max(model.cost for model in models), time.time()
    lacking = trials - len(study.trials)
    for at, config in enumerate(configs[:lacking]):
        config, model = dict(config), models[int(rng.integers(len(models)))]
        cost = float(worst * (0.75 + 0.5 * np.exp(-3 * at / trials) * rng.gamma(2.0)))
        number = store.begin(config, f"{key(config)} {at}", study._name(config), "smac", 1.0, int(rng.integers(2**31)))
        if rng.random() < 0.05:
            store.finish(number, "failed", "ValueError: made to fail", seconds=0.1, kept=0)
            continue
        _link(study, model.number, number)
        metrics = {split: float(1 - cost * rng.uniform(0.9, 1.1)) for split in ("train", "holdout")}
        seconds = float(rng.gamma(2.0))
        spent = {"seconds": seconds, "fit_seconds": 0.8 * seconds, "score_seconds": 0.1 * seconds}
        store.finish(number, "ok", cost=cost, metrics=metrics, fold_scores=[cost] * 3, kept=1, **spent)
    store._write("UPDATE trials SET started = ?1 - (SELECT max(number) FROM trials) + number", begun)
    return study


def _link(study, model, number):
    folder = study.path / PREDICTIONS
    os.link(folder / f"{model}.parquet", folder / f"{number}.parquet")
