"""HoloViews elements, operations and streams for views of learning.

Importing this loads neither plots nor Datashader: plots come with HoloViews' backend, the rest where it is used.
"""

from pathlib import Path
from typing import Any

from ..kernels import pages as _pages
from .brush import Brush, Target
from .confusion import ConfusionMatrix
from .cube_bars import CubeBars
from .cube_links import link_brush
from .cube_map import CubeMap
from .cube_views import cube_views
from .extension import extension
from .extension import register as _register
from .gradients import GradientFlow, GradientHorizon
from .operations import aggregate_batches
from .overview import TrainingOverview
from .patch import patch
from .query_map import QueryChoice, QueryMap
from .residuals import Residuals
from .rnnbow import rnnbow
from .streams import BatchSelection, RowSelection
from .symbol_rows import SymbolRows

__all__ = [
    "BatchSelection",
    "Brush",
    "ConfusionMatrix",
    "CubeBars",
    "CubeMap",
    "GradientFlow",
    "GradientHorizon",
    "LossLink",
    "QueryChoice",
    "QueryMap",
    "Residuals",
    "RowSelection",
    "SymbolRows",
    "Target",
    "TrainingOverview",
    "aggregate_batches",
    "cube_views",
    "extension",
    "link_brush",
    "patch",
    "rnnbow",
]


def __getattr__(name: str) -> Any:
    if name == "LossLink":  # its module loads HoloViews' plotting
        from .links import LossLink

        return LossLink
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _write_cube_page(model: Any, path: Path, title: str | None) -> Path:
    from .cube_page import write_page  # Bokeh's models come with it

    return write_page(model, path, title)


_pages.cube_writer = _write_cube_page
_register()
