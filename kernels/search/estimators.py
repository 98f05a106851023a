"""From a family and its settings to an unfitted scikit-learn estimator."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from .families import FAMILIES, LABELS


def estimator(name: str, settings: dict, kind: str, seed: int, balanced: bool = False):
    """The estimator of family `name` for a `kind` of target ("labels" or "values").

    Parameters
    ----------
    settings : dict
        The family's own part of a configuration, short names.
    balanced : bool
        Weigh classes by one over their frequency.
    """
    family = FAMILIES[name]
    weight = {"class_weight": "balanced"} if balanced and family.balanced and kind == LABELS else {}
    return _MAKERS[name](settings, kind == LABELS, seed, weight)


def _of(module: str, name: str):
    return getattr(importlib.import_module(f"sklearn.{module}"), name)


def _bayes(s, labels, seed, weight):
    return _of("naive_bayes", "GaussianNB")(var_smoothing=s["smoothing"])


def _counts(s, labels, seed, weight):
    return _of("naive_bayes", "ComplementNB")(alpha=s["smoothing"])


def _discriminant(s, labels, seed, weight):
    from .few_rows import FewLinearDiscriminant, FewQuadraticDiscriminant

    if s["boundary"] == "linear":
        return FewLinearDiscriminant(solver="lsqr", shrinkage=s["shrinkage"])
    return FewQuadraticDiscriminant(reg_param=max(s["shrinkage"], 1e-3))


def _linear(s, labels, seed, weight):
    if labels:
        return _of("linear_model", "LogisticRegression")(C=1 / s["strength"], max_iter=300, random_state=seed, **weight)
    return _of("linear_model", "Ridge")(alpha=s["strength"])


def _elastic(s, labels, seed, weight):
    return _of("linear_model", "ElasticNet")(alpha=s["strength"], l1_ratio=s["mix"], max_iter=2000, random_state=seed)


def _neighbours(s, labels, seed, weight):
    from .few_rows import FewNeighboursClassifier, FewNeighboursRegressor

    make = FewNeighboursClassifier if labels else FewNeighboursRegressor
    return make(n_neighbors=s["count"], weights=s["weights"], metric=s["metric"], n_jobs=1)


def _tree(s, labels, seed, weight):
    make = _of("tree", "DecisionTreeClassifier" if labels else "DecisionTreeRegressor")
    return make(max_depth=s["depth"], min_samples_leaf=s["leaf"], random_state=seed, **weight)


def _grove(kind: str) -> Callable:
    def make(s, labels, seed, weight):
        build = _of("ensemble", kind + ("Classifier" if labels else "Regressor"))
        settings = {"max_features": s["features"], "min_samples_leaf": s["leaf"], "bootstrap": s["bootstrap"] == "yes"}
        return build(n_estimators=s["trees"], random_state=seed, n_jobs=1, **settings, **weight)

    return make


def _boosting(s, labels, seed, weight):
    make = _of("ensemble", "HistGradientBoosting" + ("Classifier" if labels else "Regressor"))
    size = {"max_iter": s["trees"], "max_leaf_nodes": s["leaves"], "min_samples_leaf": s["leaf"]}
    shrink = {"learning_rate": s["rate"], "l2_regularization": s["ridge"], "max_features": s["features"]}
    return make(**size, **shrink, early_stopping=False, random_state=seed, **weight)


def _gamma(gamma: float):
    """A transformer that brings rows to one distance: `gamma` then means the same, however many columns there are."""
    from .cleaning import Spread

    return Spread(gamma)


def _svm(s, labels, seed, weight):
    pipe = _of("pipeline", "make_pipeline")
    if labels:
        return pipe(_gamma(s["gamma"]), _of("svm", "SVC")(C=s["penalty"], gamma=1.0, random_state=seed, **weight))
    return pipe(_gamma(s["gamma"]), _of("svm", "SVR")(C=s["penalty"], gamma=1.0))


def _kernel(s, labels, seed, weight):
    from .few_rows import FewNystroem

    lift = FewNystroem(gamma=1.0, n_components=s["components"], random_state=seed)
    last = _linear({"strength": 1 / s["penalty"]}, labels, seed, weight)
    return _of("pipeline", "make_pipeline")(_gamma(s["gamma"]), lift, last)


def _gaussian(s, labels, seed, weight):
    kernels = importlib.import_module("sklearn.gaussian_process.kernels")
    shape = {"rbf": kernels.RBF, "matern": kernels.Matern, "rational": kernels.RationalQuadratic}[s["kernel"]]
    kernel = kernels.ConstantKernel() * shape() + kernels.WhiteKernel(s["noise"])
    process = _of("gaussian_process", "GaussianProcessRegressor")(kernel, random_state=seed, normalize_y=True)
    return _of("pipeline", "make_pipeline")(_gamma(1.0), process)


def _mlp(s, labels, seed, weight):
    make = _of("neural_network", "MLPClassifier" if labels else "MLPRegressor")
    shape = (s["width"],) * s["layers"]
    learn = {"alpha": s["decay"], "learning_rate_init": s["rate"], "max_iter": s["epochs"]}
    return make(hidden_layer_sizes=shape, **learn, n_iter_no_change=15, random_state=seed)


_MAKERS: dict[str, Callable] = {
    "bayes": _bayes,
    "counts": _counts,
    "discriminant": _discriminant,
    "linear": _linear,
    "elastic": _elastic,
    "neighbours": _neighbours,
    "tree": _tree,
    "forest": _grove("RandomForest"),
    "extra": _grove("ExtraTrees"),
    "boosting": _boosting,
    "svm": _svm,
    "kernel": _kernel,
    "gaussian": _gaussian,
    "mlp": _mlp,
}
