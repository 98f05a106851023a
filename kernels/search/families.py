"""The model families for tables: what each is called, what can be set in it, and what it can take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .hyperparameters import Choice, Float, Hyperparameter, Integer

LABELS, VALUES = "labels", "values"


@dataclass(frozen=True)
class Family:
    """One kind of model.

    Attributes
    ----------
    kinds : tuple of str
        "labels" (classification) and / or "values" (regression).
    phrase : str
        What `describe` says after the title, a format string over the settings, which are texts.
    scaled, missing, sparse, several, balanced, probable : bool
        Wants columns of one scale; takes NaN; takes sparse matrices; predicts several targets at once; can weigh
        classes; gives probabilities.
    grows : str
        The setting a cheaper fidelity cuts, "" where there is none.
    rows : int
        Beyond so many rows it takes too long to be offered.
    """

    name: str
    title: str
    kinds: tuple[str, ...]
    settings: tuple[Hyperparameter, ...] = ()
    phrase: str = ""
    scaled: bool = False
    missing: bool = False
    sparse: bool = True
    several: bool = False
    balanced: bool = False
    probable: bool = True
    grows: str = ""
    rows: int = 10**9

    def parameters(self) -> tuple[Hyperparameter, ...]:
        """Its settings under their full names ("forest:trees"), active where this family is the model."""
        return tuple(_named(self.name, setting) for setting in self.settings)

    def values(self, config: dict) -> dict:
        """Its own part of a configuration, under the short names; defaults where nothing is said."""
        return {s.name: config.get(f"{self.name}:{s.name}", s.default) for s in self.settings}


def _named(family: str, setting: Hyperparameter) -> Hyperparameter:
    when = (("model", (family,)), *((f"{family}:{name}", values) for name, values in setting.when))
    changed: Callable = type(setting)
    return changed(**{**setting.__dict__, "name": f"{family}:{setting.name}", "when": when})


_LEAF = Integer("leaf", 1, 20, 1, log=True)
_GROVE = (
    Integer("trees", 20, 500, 180, log=True),
    Float("features", 0.1, 1.0, 0.5),
    _LEAF,
    Choice("bootstrap", ("yes", "no")),
)
_RADIAL = (Float("penalty", 1e-2, 1e3, 1.0, log=True), Float("gamma", 1e-2, 10.0, 1.0, log=True))

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family("bayes", "naive Bayes", (LABELS,), (Float("smoothing", 1e-10, 1e-1, 1e-9, log=True),), sparse=False),
        Family(
            "counts",
            "naive Bayes of word counts",
            (LABELS,),
            (Float("smoothing", 1e-3, 10.0, 0.5, log=True),),
            "smoothing {smoothing}",
        ),
        Family(
            "discriminant",
            "discriminant analysis",
            (LABELS,),
            (Choice("boundary", ("linear", "quadratic")), Float("shrinkage", 0.0, 0.99, 0.1)),
            "{boundary}",
            scaled=True,
            sparse=False,
        ),
        Family(
            "linear",
            "linear model",
            (LABELS, VALUES),
            (Float("strength", 1e-4, 1e4, 1.0, log=True),),
            "penalty {strength}",
            scaled=True,
            several=True,
            balanced=True,
        ),
        Family(
            "elastic",
            "elastic net",
            (VALUES,),
            (Float("strength", 1e-4, 1.0, 1e-2, log=True), Float("mix", 0.05, 1.0, 0.5)),
            "penalty {strength}",
            scaled=True,
            several=True,
        ),
        Family(
            "neighbours",
            "nearest neighbours",
            (LABELS, VALUES),
            (
                Integer("count", 1, 50, 7, log=True),
                Choice("weights", ("distance", "uniform")),
                Choice("metric", ("euclidean", "manhattan")),
            ),
            "{count} neighbours",
            scaled=True,
            several=True,
            rows=50_000,
        ),
        Family(
            "tree",
            "decision tree",
            (LABELS, VALUES),
            (Integer("depth", 1, 20, 6), Integer("leaf", 1, 50, 5, log=True)),
            "depth {depth}",
            missing=True,
            several=True,
            balanced=True,
        ),
        Family(
            "forest",
            "random forest",
            (LABELS, VALUES),
            _GROVE,
            "{trees} trees",
            missing=True,
            several=True,
            balanced=True,
            grows="trees",
        ),
        Family(
            "extra",
            "extra trees",
            (LABELS, VALUES),
            (*_GROVE[:3], Choice("bootstrap", ("no", "yes"))),
            "{trees} trees",
            missing=True,
            several=True,
            balanced=True,
            grows="trees",
        ),
        Family(
            "boosting",
            "gradient boosting",
            (LABELS, VALUES),
            (
                Integer("trees", 20, 500, 180, log=True),
                Float("rate", 0.01, 0.5, 0.08, log=True),
                Integer("leaves", 4, 64, 16, log=True),
                Integer("leaf", 1, 60, 10, log=True),
                Float("ridge", 1e-8, 10.0, 1e-3, log=True),
                Float("features", 0.2, 1.0, 1.0),
            ),
            "{trees} trees",
            missing=True,
            sparse=False,
            balanced=True,
            grows="trees",
        ),
        Family(
            "svm",
            "support vector machine",
            (LABELS, VALUES),
            _RADIAL,
            "penalty {penalty}",
            scaled=True,
            balanced=True,
            probable=False,
            rows=6_000,
        ),
        Family(
            "kernel",
            "kernel model",
            (LABELS, VALUES),
            (*_RADIAL, Integer("components", 20, 400, 100, log=True)),
            "{components} components",
            scaled=True,
            several=True,
            balanced=True,
            grows="components",
        ),
        Family(
            "gaussian",
            "Gaussian process",
            (VALUES,),
            (Choice("kernel", ("rbf", "matern", "rational")), Float("noise", 1e-4, 1.0, 0.1, log=True)),
            "{kernel}",
            scaled=True,
            sparse=False,
            rows=800,
        ),
        Family(
            "mlp",
            "neural network",
            (LABELS, VALUES),
            (
                Integer("width", 8, 256, 64, log=True),
                Integer("layers", 1, 3, 1),
                Float("decay", 1e-6, 1.0, 1e-3, log=True),
                Float("rate", 1e-4, 3e-2, 5e-3, log=True),
                Integer("epochs", 20, 400, 150, log=True),
            ),
            "{layers} x {width} units",
            scaled=True,
            several=True,
            grows="epochs",
        ),
    )
}


def offered(kind: str, rows: int, exclude: tuple[str, ...] = ()) -> list[str]:
    """Names of the families for a `kind` of target that are quick enough for so many rows."""
    return [n for n, f in FAMILIES.items() if kind in f.kinds and rows <= f.rows and n not in exclude]
