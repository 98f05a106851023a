"""HoloViews elements, operations and streams for views of learning.

Importing this loads neither plots nor Datashader: plots come with HoloViews' backend, the rest where it is used.
"""

from typing import Any

from .extension import extension
from .extension import register as _register
from .gradients import GradientFlow, GradientHorizon
from .operations import aggregate_batches
from .overview import TrainingOverview
from .patch import patch
from .rnnbow import rnnbow
from .streams import BatchSelection
from .symbol_rows import SymbolRows

__all__ = [
    "BatchSelection",
    "GradientFlow",
    "GradientHorizon",
    "LossLink",
    "SymbolRows",
    "TrainingOverview",
    "aggregate_batches",
    "extension",
    "patch",
    "rnnbow",
]


def __getattr__(name: str) -> Any:
    if name == "LossLink":  # its module loads HoloViews' plotting
        from .links import LossLink

        return LossLink
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_register()
