"""Fitted pipelines in skops files: written whole or not at all, read only if they hold known types."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

OWN = "learnviews.kernels.search."
SPARSE = ("bsr", "coo", "csc", "csr", "dia")
"""Forms of sparse matrices that skops writes as plain arrays: all but those of lists and dicts."""
# What fitted pipelines hold and skops does not list as safe by itself. These are data, and two functions of our own: a
# forged tree can make a process crash, none of them can make it run code.
TRUSTED = frozenset(
    {
        "learnviews.kernels.search.preparation.relevance_of_labels",
        "learnviews.kernels.search.preparation.relevance_of_values",
        "numpy.dtype",
        # Fitted data of nearest neighbours, support vectors and spread labels, where texts are counted and not reduced.
        *(f"scipy.sparse._{form}.{form}_{kind}" for form in SPARSE for kind in ("array", "matrix")),
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.gaussian_process.kernels.ConstantKernel",
        "sklearn.gaussian_process.kernels.Matern",
        "sklearn.gaussian_process.kernels.Product",
        "sklearn.gaussian_process.kernels.RBF",
        "sklearn.gaussian_process.kernels.RationalQuadratic",
        "sklearn.gaussian_process.kernels.Sum",
        "sklearn.gaussian_process.kernels.WhiteKernel",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.metrics._dist_metrics.ManhattanDistance64",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.tree._tree.Tree",
    }
)


class UntrustedError(ValueError):
    """A pipeline holds what is not known to be harmless, or what cannot be written; the message names it."""


def write(pipeline: Any, path: Path) -> Path:
    """Write a fitted pipeline; afterwards it can be read again, or there is no file.

    Raises
    ------
    UntrustedError
        If skops cannot hold it, or it holds types that `read` would refuse.
    """
    from skops.io import dump

    part = path.with_name(path.name + ".part")
    try:
        dump(pipeline, part)
        _check(part)
        part.replace(path)
    except UntrustedError as error:
        raise UntrustedError(str(error).replace(str(part), path.name)) from None
    except OSError:
        raise
    except Exception as error:  # skops has no one error for what it cannot write
        raise UntrustedError(
            f"{path.name}: skops cannot hold this pipeline ({type(error).__name__}: {error})"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return path


def read(path: str | Path) -> Any:
    """The pipeline in a file that `write` wrote. Nothing of a type that is not known is ever made.

    Raises
    ------
    UntrustedError
        If it holds other types than those of scikit-learn, NumPy, SciPy and this package's own classes.
    ValueError
        If it is no such file.
    """
    from skops.io import load

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such pipeline")
    trusted = _check(path)
    try:
        return load(path, trusted=trusted)
    except Exception as error:
        raise ValueError(f"{path}: damaged pipeline ({type(error).__name__}: {error})") from error


def _check(path: Path) -> list[str]:
    """Types of the file that skops does not trust by itself, if all of them may be trusted."""
    from skops.io import get_untrusted_types

    try:
        found = get_untrusted_types(file=path)
    except Exception as error:  # zipfile, JSON and skops complain in many ways
        raise ValueError(f"{path}: no skops file, or a damaged one ({type(error).__name__}: {error})") from error
    refused = [name for name in found if not (name in TRUSTED or _is_own_class(name))]
    if refused:
        raise UntrustedError(f"{path}: holds {', '.join(sorted(refused))}; only known types are loaded")
    return list(found)


def _is_own_class(name: str) -> bool:
    """Whether a dotted name is a class that this package itself defines."""
    if not name.startswith(OWN):
        return False
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return False
    return isinstance(found, type) and found.__module__ == module
