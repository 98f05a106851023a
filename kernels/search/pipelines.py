"""Configurations as pipelines: built from them, described in words, taken apart into steps, made cheaper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from . import choices
from .families import FAMILIES, LABELS, VALUES
from .tasks import COMMUNITIES, DETECTION, RATING, REGRESSION

MODELS = {
    "naive": "last value",
    "seasonal": "last season",
    "drift": "drift",
    "mean": "mean of the past",
    "smoothing": "exponential smoothing",
    "spreading": "label spreading",
    "kmeans": "k-means",
    "mixture": "Gaussian mixture",
    "agglomerative": "agglomerative clustering",
    "spectral": "spectral clustering",
    "dbscan": "DBSCAN",
    "propagation": "label propagation",
    "louvain": "Louvain communities",
    "greedy": "greedy modularity",
    "labels": "communities by label propagation",
    "parts": "spectral communities",
    "blocks": "stochastic block model",
    "biases": "biases of both keys",
    "factors": "matrix factorization",
    "users": "neighbours by the first key",
    "items": "neighbours by the second key",
}
"""Titles of the models that are no family for tables."""

_LEAST = 5  # trees, epochs, components: a cheaper configuration has at least so many


@dataclass(frozen=True)
class Step:
    """One step of a pipeline: its name, what it does, and its settings."""

    name: str
    what: str
    settings: dict = field(default_factory=dict)


def build(config: Mapping, data, problem, seed: int, fidelity: float = 1.0):
    """The unfitted pipeline of a configuration.

    Parameters
    ----------
    config : mapping
        From `space` or `portfolio`; active hyper-parameters that it does not name have their defaults.
    data : Dataset
        Only types of columns, folders of files and the number of rows are looked at: nothing is learned here.
    problem : Problem
    seed : int
        Same seed, same configuration, same rows: same predictions.
    fidelity : float
        Below 1: see `cheaper`.

    Returns
    -------
    estimator
        `fit(X, y)`, `predict(X)`, and `predict_proba(X)` with `classes_` where labels are predicted; `notes_` lists
        what libraries warned of. Clusterings have `fit(X)` and `fit_predict(X)`.
    """
    _check(config)
    # A trial builds on some of the rows: what these give no reason to choose (gaps to fill, more lags) is still meant.
    full = cheaper({**choices.default(data, problem, **config), **config}, fidelity)
    makers: dict = dict.fromkeys(COMMUNITIES, _of_communities)
    makers |= {"clustering": _clusters, "timeSeriesForecasting": _forecaster, "regression": _values, RATING: _ratings}
    makers |= {DETECTION: _detector}
    return makers.get(problem.task, _labels)(full, data, problem, seed)


def _check(config: Mapping) -> None:
    name = config.get("model")
    if name not in FAMILIES and name not in MODELS:
        raise ValueError(f"model = {name!r} is no model; choose from {', '.join([*FAMILIES, *MODELS])}")
    for setting in FAMILIES[name].settings if name in FAMILIES else ():
        value = config.get(f"{name}:{setting.name}", setting.default)
        if not setting.legal(value):
            raise ValueError(f"{name}:{setting.name} = {value!r} is outside of its range: {setting}")


def cheaper(config: Mapping, fidelity: float) -> dict:
    """`config` with fewer trees, epochs or components: `fidelity` (0 to 1) times as many. Rows are cut by the trial."""
    if not 0 < fidelity <= 1:
        raise ValueError(f"fidelity must be above 0 and at most 1, not {fidelity}")
    family = FAMILIES.get(config.get("model", ""))
    name = f"{family.name}:{family.grows}" if family and family.grows else ""
    if fidelity == 1 or name not in config:
        return dict(config)
    return {**config, name: max(min(_LEAST, config[name]), round(config[name] * fidelity))}


def describe(config: Mapping, task: str | None = None) -> str:
    """A few words that say what a configuration is: "random forest, 180 trees"."""
    name = config["model"]
    parts = [_title(name, task), *_phrases(config, task)]
    return ", ".join(part for part in parts if part)


def _title(name: str, task: str | None) -> str:
    if name == "linear":
        labels = task is not None and task not in (*REGRESSION, "timeSeriesForecasting")
        return "logistic regression" if labels else "ridge regression" if task else "linear model"
    return FAMILIES[name].title if name in FAMILIES else MODELS.get(name, name)


def _phrases(config: Mapping, task: str | None) -> list[str]:
    name, found = config["model"], []
    if name in FAMILIES:
        found.append(FAMILIES[name].phrase.format(**FAMILIES[name].values(dict(config))))
    if name in ("factors", "users", "items"):
        found.append(f"{config[f'{name}:count']} {'factors' if name == 'factors' else 'neighbours'}")
    elif config.get("keys:count"):
        found.append(f"{config['keys:count']} factors of both keys")
    if "communities" in config:
        found.append(f"{config['communities']} communities")
    elif f"{name}:resolution" in config:
        found.append(f"resolution {config[f'{name}:resolution']:.2g}")
    if "clusters" in config:
        found.append(f"{config['clusters']} clusters")
    if config.get("lags:past") == "no":
        found.append("without the past")
    elif "lags:count" in config:
        found.append(f"{config['lags:count']} lags")
    if config.get("lags:ahead") == "direct":
        found.append("each step by itself")
    if config.get("series:shape", "none") != "none":
        found.append({"root": "of square roots", "log": "of logarithms"}[config["series:shape"]])
    if config.get("season") == "set":
        found.append(f"season {config['season:length']}")
    if config.get("look:at") in ("regions", "both"):
        found.append("of regions" if config["look:at"] == "regions" else "of windows and regions")
    if config.get("balance") == "balanced":
        found.append("balanced classes")
    if config.get("unlabelled") == "self-training":
        found.append("self-training")
    if config.get("labels") == "chain":
        found.append("chain of labels")
    if config.get("target") == "power":
        found.append("power-transformed target")
    return found


def steps(config: Mapping) -> list[Step]:
    """The steps of a configuration, in their order, to read or to draw."""
    found = [Step(name, what, _part(config, *prefixes)) for name, what, prefixes in _STEPS if prefixes[0] in config]
    name = config["model"]
    return [*found, Step(name, _title(name, None), _part(config, name, *_ABOUT_MODELS))]


_ABOUT_MODELS = ("communities", "balance", "labels", "unlabelled", "target", "clusters")
_STEPS = (
    ("impute", "fill in missing numbers", ("impute",)),
    ("encode", "categories as numbers", ("encode",)),
    ("scale", "bring numbers to one scale", ("scale",)),
    ("text", "count the parts of texts", ("text:parts", "text")),
    ("image", "describe images", ("image:features", "image")),
    ("series", "describe series", ("series:features", "series")),
    ("sound", "describe sounds", ("sound:features", "sound")),
    ("video", "describe videos", ("video:features", "video")),
    ("keys", "factorize who rates what", ("keys:count", "keys")),
    ("nodes", "describe nodes by their graph", ("nodes:structure", "nodes")),
    ("pair", "describe pairs of nodes by their graph", ("pair:scores", "pair")),
    ("match", "compare nodes of both graphs", ("match:structure", "match")),
    ("look", "look for objects", ("look:at", "look")),
    ("select", "keep the features that tell most", ("select",)),
    ("season", "find the season", ("season",)),
    ("lags", "use earlier values", ("lags:count", "lags")),
)


def _part(config: Mapping, *prefixes: str) -> dict:
    return {n: v for n, v in config.items() if any(n == p or n.startswith(f"{p}:") for p in prefixes)}


# -- building


def _labels(config: dict, data, problem, seed: int):
    from .learner import LabelLearner, SemiLearner

    known = choices.facts(data, problem)
    if choices.several(known, problem):
        from .multilabel import SeveralLabels

        return SeveralLabels(_body(config, data, problem, seed, LABELS), chain=config["labels"] == "chain")
    if config["model"] == "propagation":
        from sklearn.pipeline import Pipeline

        from .graph_pipelines import propagation

        return LabelLearner(Pipeline([("model", propagation(config, data, problem))]))
    if config["model"] == "spreading" or config.get("unlabelled") == "self-training":
        return SemiLearner(_body(config, data, problem, seed, LABELS, _semi(config, seed)))
    return LabelLearner(_body(config, data, problem, seed, LABELS))


def _semi(config: dict, seed: int):
    if config["model"] == "spreading":
        from .few_rows import FewSpreading

        near, clamp = config["spreading:neighbours"], config["spreading:clamping"]
        return FewSpreading(kernel="knn", n_neighbors=near, alpha=clamp, max_iter=100, n_jobs=1)
    from sklearn.semi_supervised import SelfTrainingClassifier

    return SelfTrainingClassifier(_model(config, LABELS, seed), threshold=config["unlabelled:sure"], max_iter=5)


def _of_communities(config: dict, data, problem, seed: int):
    from .graph_pipelines import community_learner

    return community_learner(config, data, problem, seed)


def _values(config: dict, data, problem, seed: int):
    from .learner import ValueLearner

    model = _model(config, VALUES, seed, several=len(choices.targets(problem)) > 1)
    return ValueLearner(_body(config, data, problem, seed, VALUES, _scaled_target(model, config)))


def _detector(config: dict, data, problem, seed: int):
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from .detector import Detector
    from .reading import reader

    own = {name.partition(":")[2]: value for name, value in config.items() if name.startswith("look:")}
    own |= {name: own[name] == "yes" for name in ("hard", "refine")}
    body, column = make_pipeline(StandardScaler(), _model(config, LABELS, seed)), problem.features[0]
    return Detector(body, column, reader(data, column), own.pop("at"), **own, seed=seed)


def _ratings(config: dict, data, problem, seed: int):
    from sklearn.pipeline import Pipeline

    from .learner import ValueLearner
    from .preparation import rater

    if config["model"] in FAMILIES:
        return _values(config, data, problem, seed)
    return ValueLearner(Pipeline([("model", rater(config, list(problem.keys), seed))]))


def _scaled_target(model, config: dict):
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import PowerTransformer, StandardScaler

    scaler = PowerTransformer() if config.get("target") == "power" else StandardScaler()
    return TransformedTargetRegressor(model, transformer=scaler, check_inverse=False)


def _model(config: dict, kind: str, seed: int, several: bool = False):
    from .estimators import estimator

    family = FAMILIES[config["model"]]
    made = estimator(family.name, family.values(config), kind, seed, config.get("balance") == "balanced")
    if several and not family.several:
        from sklearn.multioutput import MultiOutputRegressor

        return MultiOutputRegressor(made, n_jobs=1)
    return made


def _body(config: dict, data, problem, seed: int, kind: str, model=None):
    """Preparation, selection, model."""
    from sklearn.pipeline import Pipeline

    from .preparation import preparation

    named = FAMILIES.get(config["model"])
    ready = preparation(
        config, data, problem, seed, kind, sparse=bool(named and named.sparse), missing=bool(named and named.missing)
    )
    return Pipeline([*ready, ("model", _model(config, kind, seed) if model is None else model)])


def _clusters(config: dict, data, problem, seed: int):
    from sklearn.pipeline import Pipeline

    from .clusters import ClusterLearner, clusterer
    from .preparation import preparation

    ready = preparation(config, data, problem, seed, "", sparse=False, missing=False)
    return ClusterLearner(Pipeline(ready), clusterer(config, seed))


def _forecaster(config: dict, data, problem, seed: int):
    from .forecast import Forecaster

    model: Callable | None = None
    if config["model"] in FAMILIES:
        model = _scaled_target(_model(config, VALUES, seed), config)
    own = _part(config, "model", "season", "series", "lags")
    return Forecaster(config=own, regressor=model, **_roles(data, problem))


def _roles(data, problem) -> dict:
    known = [n for n in problem.known or () if n in data.columns and n not in (problem.time, *problem.groups)]
    kinds = {n: choices.KINDS.get(data.columns[n].type, "") for n in known}
    return {
        "time": problem.time,
        "group": list(problem.groups) or None,
        "horizon": problem.horizon,
        "numbers": [n for n in known if kinds[n] == "numbers"],
        "categories": [n for n in known if kinds[n] == "categories"],
    }
