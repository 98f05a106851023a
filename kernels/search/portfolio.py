"""Strong configurations to begin with, per task, the cheapest first."""

from __future__ import annotations

from . import choices
from .graph_choices import COMMUNITY_STARTS
from .graph_choices import STARTS as GRAPH_STARTS
from .hyperparameters import complaint, complete
from .tasks import COMMUNITIES, DETECTION, RATING

_LABELS: list[dict] = [
    {"model": "tree", "tree:depth": 5},
    {"model": "linear"},
    {"model": "counts"},
    {"model": "forest", "forest:trees": 60, "forest:features": 0.3},
    {"model": "boosting", "boosting:trees": 60, "boosting:rate": 0.12, "encode": "ordinal"},
    {"model": "extra", "extra:trees": 120, "extra:features": 0.4, "impute:flag": "yes"},
    {"model": "svm", "svm:penalty": 5.0, "svm:gamma": 1.0},
    {"model": "linear", "linear:strength": 20.0, "balance": "balanced", "scale": "power"},
    {"model": "forest", "forest:trees": 200, "forest:leaf": 3, "balance": "balanced"},
    {"model": "boosting", "boosting:trees": 150, "boosting:rate": 0.06, "balance": "balanced", "encode": "target"},
    {"model": "neighbours", "neighbours:count": 11},
    {"model": "mlp", "mlp:width": 64, "mlp:decay": 1e-2},
    {
        "model": "boosting",
        "boosting:trees": 300,
        "boosting:rate": 0.03,
        "boosting:leaves": 10,
        "boosting:features": 0.6,
    },
]
_VALUES: list[dict] = [
    {"model": "tree", "tree:depth": 5},
    {"model": "linear"},
    {"model": "forest", "forest:trees": 60, "forest:features": 0.5},
    {"model": "boosting", "boosting:trees": 80, "boosting:rate": 0.1, "encode": "ordinal"},
    {"model": "extra", "extra:trees": 120, "extra:features": 0.7, "impute:flag": "yes", "encode": "ordinal"},
    {"model": "svm", "svm:penalty": 10.0, "svm:gamma": 0.5, "target": "power", "encode": "ordinal"},
    {"model": "gaussian", "gaussian:kernel": "matern", "encode": "ordinal"},
    {"model": "kernel", "kernel:components": 200, "kernel:gamma": 0.3, "kernel:penalty": 10.0},
    {"model": "boosting", "boosting:trees": 300, "boosting:rate": 0.04, "boosting:leaves": 8, "encode": "target"},
    {"model": "neighbours", "neighbours:count": 7, "scale": "quantile"},
    {"model": "forest", "forest:trees": 200, "forest:leaf": 2, "encode": "ordinal", "target": "power"},
    {"model": "mlp", "mlp:width": 64, "mlp:decay": 1e-1},
]
_SEMI: list[dict] = [{"model": "spreading"}, *({**config, "unlabelled": "self-training"} for config in _LABELS)]
_SEMI[2:2] = [{"model": "linear", "unlabelled": "left out"}]
_FUTURE: list[dict] = [
    {"model": "naive"},
    {"model": "seasonal"},
    {"model": "linear"},
    {"model": "linear", "lags:known": 7},
    {"model": "boosting", "boosting:trees": 80, "lags:past": "no"},
    {"model": "extra", "extra:trees": 120, "lags:past": "no"},
    {"model": "smoothing"},
    {"model": "linear", "linear:strength": 10.0, "lags:count": 36, "season": "none"},
    {"model": "linear", "linear:strength": 3.0, "lags:count": 24, "lags:ahead": "direct"},
    {"model": "linear", "linear:strength": 3.0, "lags:count": 24, "season:waves": 2, "lags:target": "season"},
    {"model": "linear", "linear:strength": 10.0, "lags:count": 24, "season": "none", "series:shape": "root"},
    {"model": "linear", "linear:strength": 1.0, "lags:count": 24, "lags:means": "yes", "lags:calendar": "yes"},
    {"model": "neighbours", "neighbours:count": 5, "lags:count": 16},
    {"model": "extra", "extra:trees": 60, "lags:means": "yes", "lags:ahead": "direct"},
    {"model": "kernel", "kernel:gamma": 0.3, "lags:count": 16},
    {"model": "smoothing", "series:shape": "log"},
    {"model": "gaussian", "gaussian:kernel": "rational", "lags:count": 12},
    {"model": "boosting", "boosting:trees": 60, "boosting:leaves": 8, "lags:target": "season"},
    {"model": "boosting", "boosting:trees": 60, "lags:calendar": "yes", "season:waves": 2, "lags:ahead": "direct"},
    {"model": "svm", "svm:penalty": 10.0, "svm:gamma": 0.3, "lags:count": 20},
    {"model": "drift"},
    {"model": "mean"},
    {"model": "forest", "forest:trees": 60, "lags:calendar": "yes"},
]
_RATINGS: list[dict] = [
    {"model": "biases"},
    {"model": "linear"},
    {"model": "boosting", "boosting:trees": 80, "boosting:rate": 0.1, "encode": "ordinal"},
    {"model": "factors"},
    {"model": "items"},
    {"model": "users"},
    {"model": "extra", "extra:trees": 120, "extra:leaf": 3, "encode": "ordinal"},
    {"model": "factors", "factors:count": 2, "factors:ridge": 30.0},
    {"model": "factors", "factors:count": 20, "factors:ridge": 10.0},
    {"model": "linear", "keys:count": 0},
    {"model": "biases", "biases:strength": 20.0},
    {"model": "svm", "svm:penalty": 3.0, "svm:gamma": 0.3, "encode": "ordinal"},
    {"model": "forest", "forest:trees": 100, "forest:leaf": 3, "encode": "ordinal"},
    {"model": "boosting", "boosting:trees": 300, "boosting:rate": 0.03, "boosting:leaves": 8, "keys:count": 8},
]
_OBJECTS: list[dict] = [
    {"model": "linear", "linear:strength": 10.0, "look:side": 96, "look:stride": 0.25},
    {"model": "linear", "linear:strength": 10.0, "look:hard": "yes"},
    {"model": "extra", "extra:trees": 60, "extra:features": 0.1},
    {"model": "boosting", "boosting:trees": 40, "boosting:rate": 0.15, "boosting:features": 0.3},
    {"model": "linear", "linear:strength": 10.0, "look:at": "both"},
    {"model": "svm", "svm:penalty": 3.0, "svm:gamma": 0.5},
    {"model": "forest", "forest:trees": 60, "forest:features": 0.2, "look:at": "both"},
    {"model": "extra", "extra:trees": 120, "look:stride": 0.15, "look:shapes": 5},
    {"model": "linear", "linear:strength": 100.0, "look:cells": 6, "look:stride": 0.12},
    {"model": "boosting", "boosting:trees": 150, "look:at": "both", "look:side": 192},
    {"model": "extra", "extra:trees": 60, "look:at": "regions"},
]
_GROUPS: list[dict] = [
    {"model": "kmeans"},
    {"model": "mixture", "mixture:shape": "diag"},
    {"model": "agglomerative"},
    {"model": "kmeans", "scale": "quantile"},
    {"model": "mixture", "mixture:shape": "full"},
    {"model": "dbscan"},
    {"model": "spectral"},
    {"model": "kmeans", "clusters": 5},
    {"model": "agglomerative", "agglomerative:linkage": "average", "clusters": 5},
]
_STARTS = {
    "regression": _VALUES,
    "semiSupervisedClassification": _SEMI,
    "timeSeriesForecasting": _FUTURE,
    "clustering": _GROUPS,
    RATING: _RATINGS,
    DETECTION: _OBJECTS,
    **dict.fromkeys(COMMUNITIES, COMMUNITY_STARTS),
    **GRAPH_STARTS,
}


def portfolio(data, problem) -> list[dict]:
    """Full, legal configurations of `problem` on `data`, the cheapest first, none twice.

    What a data set has no use for (categories to encode, gaps to fill) is left out, and so are models that are too slow
    for its rows. Needs neither ConfigSpace nor SMAC.
    """
    parameters, bans = choices.parameters(data, problem), choices.bans(data, problem)
    legal: list[dict] = []
    names = {parameter.name for parameter in parameters}
    for start in _STARTS.get(problem.task, _LABELS):
        if "lags:past" in start and "lags:past" not in names:
            continue  # nothing is known ahead
        full = complete(_fitting(start, parameters), parameters)
        full = _allowed(full, bans)
        if full["model"] == start["model"] and full not in legal and not complaint(full, parameters, bans):
            legal.append(full)
    return legal


def _fitting(start: dict, parameters: list) -> dict:
    """`start` without values that are out of the ranges here: their default, or nearest bound, takes their place."""
    ranges = {parameter.name: parameter for parameter in parameters}
    fitting = {}
    for name, value in start.items():
        if name in ranges and ranges[name].legal(value):
            fitting[name] = value
        elif name in ranges and hasattr(ranges[name], "high"):
            fitting[name] = min(max(value, ranges[name].low), ranges[name].high)
    return fitting


def _allowed(full: dict, bans) -> dict:
    """`full`, with word counts kept whole for the model that counts words."""
    if full["model"] == "counts" and "text:reduce" in full:
        full = {name: value for name, value in full.items() if name != "text:components"} | {"text:reduce": "none"}
    return full
