"""From a table's columns to one matrix: scikit-learn's transformers, put together as a configuration says."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin, f_classif, f_regression
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from . import choices
from .cleaning import Dates, Labels, MeanEncoder, Numbers, Places, Tidy
from .families import LABELS, VALUES
from .featurize import Pictures, Words
from .raters import Factors, Rater
from .reading import reader
from .recorded import Clips, Sounds
from .series import SeriesFeatures


def preparation(config: Mapping, data, problem, seed: int, kind: str, sparse: bool, missing: bool) -> list[tuple]:
    """Named steps in front of a model.

    Parameters
    ----------
    kind : {"labels", "values", ""}
        What is predicted; "" for nothing.
    sparse, missing : bool
        What the model can take.
    """
    known = choices.facts(data, problem)
    parts = []
    for treatment, names in known.columns.items():
        if treatment == "nodes":
            from .graph_pipelines import graph_parts

            parts += graph_parts(names, config, data, problem)
            continue
        parts += _TREATMENTS[treatment](names, config, data, seed, kind)
    keep = missing and config.get("impute", "keep") == "keep"
    rest = Numbers() if config.get("labels") == "chain" else "drop"  # a chain adds the earlier labels as columns
    steps = [("columns", ColumnTransformer(parts, remainder=rest, sparse_threshold=0.3 if sparse else 0.0))]
    steps.append(("tidy", Tidy(dense=not sparse, missing=keep)))
    if config.get("select") == "best":
        steps.append(("select", Best(kind, config["select:share"])))
    return steps


class Best(SelectorMixin, BaseEstimator):
    """The share of features that tell most of the target, each by itself; NaN passes through.

    Parameters
    ----------
    kind : {"labels", "values"}
        Of the target.
    share : float
        Of the features; at least one is kept.
    """

    def __init__(self, kind: str = LABELS, share: float = 0.5):
        self.kind, self.share = kind, share

    def fit(self, X, y):
        relevance = (relevance_of_labels if self.kind == LABELS else relevance_of_values)(X, y)
        self.n_features_in_ = X.shape[1]
        best = np.argsort(-relevance, kind="stable")[: max(1, round(self.share * X.shape[1]))]
        self.support_ = np.isin(np.arange(X.shape[1]), best)
        return self

    def _get_support_mask(self):
        return self.support_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.sparse = True
        return tags


def relevance_of_labels(X, y):
    """Analysis of variance per feature; 0 where there is nothing to compare."""
    return np.nan_to_num(f_classif(_filled(X), y)[0], posinf=1e30)


def relevance_of_values(X, y):
    """F of the correlation per feature; 0 where there is nothing to compare."""
    return np.nan_to_num(f_regression(_filled(X), np.ravel(y))[0], posinf=1e30)


def _filled(X):
    return np.where(np.isnan(X), 0.0, X) if isinstance(X, np.ndarray) else X


def _scaler(config: Mapping, rows: int) -> list[tuple]:
    makers: dict[str, Callable] = {
        "standard": StandardScaler,
        "robust": RobustScaler,
        "power": PowerTransformer,
        "quantile": lambda: QuantileTransformer(
            n_quantiles=max(2, min(100, rows // 3)), output_distribution="normal", random_state=0
        ),
    }
    return [("scale", makers[config["scale"]]())] if "scale" in config else []


def _numbers(names, config, data, seed, kind):
    fill = config.get("impute", "median")
    steps = [("numbers", Numbers())]
    if fill != "keep":
        flag = config.get("impute:flag") == "yes"
        steps.append(("fill", SimpleImputer(strategy=fill, add_indicator=flag, keep_empty_features=True)))
    return [("numbers", Pipeline([*steps, *_scaler(config, len(data.frame))]), names)]


def _dates(names, config, data, seed, kind):
    fill = ("fill", SimpleImputer(strategy="median", keep_empty_features=True))
    return [("dates", Pipeline([("dates", Dates()), fill, *_scaler(config, len(data.frame))]), names)]


def _categories(names, config, data, seed, kind):
    how = config["encode"]
    scale = _scaler(config, len(data.frame)) if how != "onehot" else []
    return [("categories", Pipeline([("labels", Labels()), ("encode", _encoder(config, how, kind)), *scale]), names)]


def _encoder(config, how: str, kind: str):
    if how == "onehot":
        limit = config["encode:limit"]
        return OneHotEncoder(max_categories=limit, handle_unknown="infrequent_if_exist", sparse_output=False)
    if how == "ordinal":
        return Places()
    target = "continuous" if kind == VALUES else "auto"
    return MeanEncoder(target_type=target, cv=5)


def _texts(names, config, data, seed, kind):
    components = config.get("text:components", 0) if config["text:reduce"] == "svd" else 0
    settings = {
        "parts": config["text:parts"],
        "features": config["text:features"],
        "components": components,
        "seed": seed,
    }
    return [(f"text {n}", Words(reader(data, n), **settings), [n]) for n in names]


def _images(names, config, data, seed, kind):
    settings = {
        "features": config["image:features"],
        "size": config["image:size"],
        "components": config["image:components"],
    }
    return [(f"image {n}", Pictures(reader(data, n), seed=seed, **settings), [n]) for n in names]


def _series(names, config, data, seed, kind):
    settings = {"features": config["series:features"], "length": config["series:length"]}
    settings["kernels"] = config.get("series:kernels", 1)
    return [(f"series {n}", _then_scale(SeriesFeatures(reader(data, n), seed=seed, **settings)), [n]) for n in names]


def _sounds(names, config, data, seed, kind):
    settings = {"features": config["sound:features"], "cepstra": config["sound:cepstra"]}
    settings["pieces"] = config.get("sound:pieces", 1)
    return [(f"sound {n}", _then_scale(Sounds(reader(data, n), **settings)), [n]) for n in names]


def _clips(names, config, data, seed, kind):
    settings = {"features": config["video:features"], "size": config.get("video:size", 32)}
    return [(f"video {n}", _then_scale(Clips(reader(data, n), **settings)), [n]) for n in names]


def _keys(names, config, data, seed, kind):
    settings = {"count": config["keys:count"], "strength": config["keys:strength"], "ridge": config["keys:ridge"]}
    return [("keys", _then_scale(Factors(seed=seed, **settings)), names)]


def rater(config: Mapping, keys: list[str], seed: int):
    """The model of ratings itself, which looks at the two keys and at nothing else."""
    own = {name.partition(":")[2]: value for name, value in config.items() if name.startswith(f"{config['model']}:")}
    return Pipeline([("keys", Columns(keys)), ("rater", Rater(config["model"], seed=seed, **own))])


class Columns(TransformerMixin, BaseEstimator):
    """Some columns of a table, in their order."""

    def __init__(self, names=()):
        self.names = names

    def fit(self, X, y=None):
        self.columns_ = list(self.names)
        return self

    def transform(self, X):
        return X[self.columns_]


def _then_scale(featurizer):
    return Pipeline([("features", featurizer), ("scale", StandardScaler())])


_TREATMENTS: dict[str, Callable] = {
    "numbers": _numbers,
    "dates": _dates,
    "categories": _categories,
    "texts": _texts,
    "images": _images,
    "series": _series,
    "sounds": _sounds,
    "clips": _clips,
    "keys": _keys,
}
