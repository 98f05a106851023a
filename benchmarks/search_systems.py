"""The systems of the race. Each takes a `Table`, seconds and a seed; each learns from the same rows and is judged on
the same holdout by the same metric. How it validates within its rows is its own affair.

A system returns `score` (on the holdout, of what it would hand over), `single` (the same without an ensemble), and
`curve`: [seconds since the start, score on the holdout, its own validated score] of every new best, as it would have
been handed over at that time. Libraries are imported before the clock starts.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from search_tables import Table

from learnviews.kernels.search import Study
from learnviews.kernels.search.metrics import METRICS
from learnviews.kernels.search.model import predicted, probabilities
from learnviews.kernels.search.trial import MAKER

CORES = 2
POINTS = 8  # of FLAML's curve: each is a model to be fitted again, after the race
FLAML_METRICS = {
    "accuracy": "accuracy",
    "f1Macro": "macro_f1",
    "rocAuc": "roc_auc",
    "meanSquaredError": "mse",
    "rootMeanSquaredError": "rmse",
    "meanAbsoluteError": "mae",
}


def learnviews(table: Table, seconds: float, seed: int, maker: str = MAKER) -> dict[str, Any]:
    """A study with two workers, with SMAC, portfolio, cheap trials first and an ensemble at the end."""
    with tempfile.TemporaryDirectory() as folder:
        study = Study(
            table.data, table.problem, Path(folder) / "study", seconds=seconds, workers=CORES, rng=seed, maker=maker
        )
        began = time.time()
        arrived = {model.number: time.time() - began for model in study.run()}
        wall = time.time() - began
        trials, best = study.trials, study.best
        study.close()
    singles = _incumbents(trials[trials["source"] != "ensemble"], arrived)
    blends = _incumbents(trials[trials["source"] == "ensemble"], arrived)
    better = [point for point in blends if not singles or _cost(table, point[2]) < _cost(table, singles[-1][2])]
    return {
        "score": table.judged(best.predictions) if best else table.trivial(),  # no model within its time: a guess
        "single": singles[-1][1] if singles else table.trivial(),
        "curve": singles + better,
        "wall": wall,
        "trials": int((trials["status"] == "ok").sum()),
        "what": best.name if best else "no model",
    }


def by_chance(table: Table, seconds: float, seed: int) -> dict[str, Any]:
    """Random search: the same engine, workers, space and ensemble, but see `search_chance`."""
    return learnviews(table, seconds, seed, "search_chance")


def flaml(table: Table, seconds: float, seed: int) -> dict[str, Any]:
    """FLAML with its own validation; it fits its best once more at the end, which is not in its budget."""
    from flaml import AutoML

    (X, y), kind = _for_trees(table), table.problem.task
    common = {"X_train": X, "y_train": y, "task": kind, "n_jobs": CORES}
    with tempfile.TemporaryDirectory() as folder:
        log = str(Path(folder) / "flaml.log")
        automl, began = AutoML(), time.time()
        metric = FLAML_METRICS[table.problem.metric]
        automl.fit(**common, metric=metric, time_budget=seconds, seed=seed, verbose=0, log_file_name=log)
        wall = time.time() - began
        records = _records(log)
        curve = [[at, _refitted(table, log, at, common), _value(table, loss)] for at, loss in _thinned(records)]
    score = table.judged(_frame(table, automl, _typed(table, True)))
    return {
        "score": score,
        "single": score,
        "curve": [*curve[:-1], [min(curve[-1][0], seconds), score, curve[-1][2]]],
        "wall": wall,
        "trials": len(records),
        "what": f"{automl.best_estimator} {automl.best_config}",
    }


def boosting(table: Table, seconds: float, seed: int) -> dict[str, Any]:
    """scikit-learn's HistGradientBoosting as it comes."""
    return _defaults(table, "HistGradientBoosting", {}, seed)


def forest(table: Table, seconds: float, seed: int) -> dict[str, Any]:
    """scikit-learn's RandomForest as it comes."""
    return _defaults(table, "RandomForest", {"n_jobs": CORES}, seed)


SYSTEMS: dict[str, Callable[[Table, float, int], dict[str, Any]]] = {
    "LearnViews": learnviews,
    "FLAML": flaml,
    "random search": by_chance,
    "gradient boosting": boosting,
    "random forest": forest,
}


# -- LearnViews


def _incumbents(trials: pd.DataFrame, arrived: dict[int, float]) -> list[list[float]]:
    """Every new best by the validated score, in the order in which models came out of the search."""
    found: list[list[float]] = []
    lowest = np.inf
    by_number = trials.set_index("number")
    for number, at in sorted(arrived.items(), key=lambda item: item[1]):
        if number in by_number.index and by_number.loc[number, "cost"] < lowest:
            lowest = by_number.loc[number, "cost"]
            found.append([at, float(by_number.loc[number, "holdout"]), float(by_number.loc[number, "train"])])
    return found


def _cost(table: Table, value: float) -> float:
    return -value if METRICS[table.problem.metric].larger_is_better else value


# -- FLAML


def _for_trees(table: Table) -> tuple[pd.DataFrame, pd.Series]:
    return _typed(table, False), table.part(False)[1]


def _typed(table: Table, holdout: bool) -> pd.DataFrame:
    """Numbers as floats and all else as pandas categories, missing values left as they are."""
    X = table.part(holdout)[0]
    return X.astype({name: "category" for name in X if name not in table.numeric})


def _records(log: str) -> list[tuple[float, float]]:
    """Seconds and loss of every record of FLAML's log, which holds what was better than all before."""
    from flaml.automl.training_log import training_log_reader

    with training_log_reader(log) as reader:
        return [(record.wall_clock_time, record.validation_loss) for record in reader.records()]


def _thinned(records: list[tuple[float, float]]) -> list[tuple[float, float]]:
    chosen = np.unique(np.linspace(0, len(records) - 1, POINTS).round().astype(int))
    return [records[at] for at in chosen]


def _refitted(table: Table, log: str, seconds: float, common: dict[str, Any]) -> float:
    """What FLAML would have handed over at a time: its best so far, fitted to all rows."""
    from flaml import AutoML

    automl = AutoML()
    automl.retrain_from_log(log, **common, time_budget=seconds + 1e-3, train_best=True, train_full=True)
    return table.judged(_frame(table, automl, _typed(table, True)))


def _value(table: Table, loss: float) -> float:
    return 1 - loss if METRICS[table.problem.metric].larger_is_better else loss


# -- scikit-learn


def _defaults(table: Table, name: str, options: dict[str, Any], seed: int) -> dict[str, Any]:
    from sklearn import ensemble

    kind = "Classifier" if table.problem.task == "classification" else "Regressor"
    pipeline = _prepared(table, getattr(ensemble, name + kind)(random_state=seed, **options))
    began = time.time()
    pipeline.fit(*table.part(False))
    wall = time.time() - began
    score = table.judged(_frame(table, pipeline, table.part(True)[0]))
    return {
        "score": score,
        "single": score,
        "curve": [[wall, score, None]],
        "wall": wall,
        "trials": 1,
        "what": name + kind,
    }


def _prepared(table: Table, model: Any) -> Any:
    """The usual preparation: medians, and a code per category (one-hot where they are few)."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    numeric = table.numeric
    others = [name for name in table.part(True)[0] if name not in numeric]
    codes = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=100, sparse_output=False)
    fill = SimpleImputer(missing_values=None, strategy="constant", fill_value="missing")
    parts = [(SimpleImputer(strategy="median", keep_empty_features=True), numeric)]
    return make_pipeline(make_column_transformer(*parts, (make_pipeline(fill, codes), others)), model)


# -- all


def _frame(table: Table, fitted: Any, inputs: pd.DataFrame) -> pd.DataFrame:
    """The prediction frame of the holdout."""
    truth = table.part(True)[1]
    said = predicted(fitted, table.problem, inputs)
    frame = pd.DataFrame({"truth": truth, "prediction": said}, index=inputs.index).assign(split="holdout")
    return frame.join(probabilities(fitted, inputs)) if table.problem.task == "classification" else frame
