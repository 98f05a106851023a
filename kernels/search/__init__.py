"""Model discovery: data sets, problems, and studies that find models for them.

Importing this loads neither scikit-learn nor SMAC: names are resolved when they are used.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..progress import Progress
from ..store import FileFormatError, StoreError

if TYPE_CHECKING:
    from .browse import Browser as Browser
    from .bundled import bundled as bundled
    from .bundled import load_bundled as load_bundled
    from .columns import Column as Column
    from .cutoff import at_cutoff as at_cutoff
    from .cutoff import lift as lift
    from .data import Dataset as Dataset
    from .data import Resource as Resource
    from .data import load as load
    from .description import ColumnFacts as ColumnFacts
    from .description import GraphFacts as GraphFacts
    from .description import describe as describe
    from .description import describe_graphs as describe_graphs
    from .discover import discover as discover
    from .drift import Drift as Drift
    from .drift import drift as drift
    from .exports import export as export
    from .exports import open_export as open_export
    from .graph_data import links as links
    from .graphs import Graph as Graph
    from .metrics import METRICS as METRICS
    from .metrics import Metric as Metric
    from .model import Model as Model
    from .new_rows import predict_new as predict_new
    from .phrases import Choices as Choices
    from .phrases import choices_of as choices_of
    from .problem import Problem as Problem
    from .profile import Profile as Profile
    from .slices import sliced as sliced
    from .space import space as space
    from .splits import Plan as Plan
    from .splits import plan as plan
    from .study import Study as Study
    from .tasks import TASKS as TASKS
    from .tasks import Task as Task
    from .understand import agreement as agreement
    from .understand import error_correlation as error_correlation
    from .understand import parameter_importance as parameter_importance
    from .understand import partial_dependence as partial_dependence
    from .understand import permutation_importance as permutation_importance
    from .unrolling import unrolled as unrolled
    from .what_if import editable as editable
    from .what_if import what_if as what_if

_HOMES = {
    "Browser": "browse",
    "Choices": "phrases",
    "Column": "columns",
    "ColumnFacts": "description",
    "Dataset": "data",
    "Drift": "drift",
    "Graph": "graphs",
    "GraphFacts": "description",
    "METRICS": "metrics",
    "Metric": "metrics",
    "Model": "model",
    "Plan": "splits",
    "Problem": "problem",
    "Profile": "profile",
    "Resource": "data",
    "Study": "study",
    "TASKS": "tasks",
    "Task": "tasks",
    "agreement": "understand",
    "at_cutoff": "cutoff",
    "bundled": "bundled",
    "choices_of": "phrases",
    "editable": "what_if",
    "predict_new": "new_rows",
    "what_if": "what_if",
    "describe": "description",
    "describe_graphs": "description",
    "discover": "discover",
    "drift": "drift",
    "error_correlation": "understand",
    "export": "exports",
    "lift": "cutoff",
    "links": "graph_data",
    "load": "data",
    "load_bundled": "bundled",
    "open_export": "exports",
    "parameter_importance": "understand",
    "partial_dependence": "understand",
    "permutation_importance": "understand",
    "plan": "splits",
    "sliced": "slices",
    "space": "space",
    "unrolled": "unrolling",
}

__all__ = ["FileFormatError", "Progress", "StoreError", *sorted(_HOMES)]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Public names win over modules of the same name: importing `.discover` must not hide `discover`."""

    def __getattr__(self, name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(f".{_HOMES[name]}", self.__name__), name)
        super().__setattr__(name, found)
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
