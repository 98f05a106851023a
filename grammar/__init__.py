"""HoloViews elements, operations and streams for views of learning.

Importing this loads neither plots nor Datashader: plots come with HoloViews' backend, the rest where it is used.
"""

from pathlib import Path
from typing import Any

from ..kernels import pages as _pages
from .agreement import Disagreement
from .brush import Brush, Target
from .column_histograms import ColumnHistograms
from .confusion import ConfusionMatrix
from .cost_over_time import CostOverTime
from .cube_bars import CubeBars
from .cube_links import link_brush
from .cube_map import CubeMap
from .cube_views import cube_views
from .error_correlation import ErrorCorrelation
from .extension import extension
from .extension import register as _register
from .forecast_lines import Forecast
from .frame_strips import FrameStrips
from .gate_flow import GateFlow
from .gradients import GradientFlow, GradientHorizon
from .image_mosaic import ImageMosaic
from .importance_bars import ParameterImportance
from .importance_map import ImportanceMap
from .key_errors import KeyErrors
from .lift import Cutoff, LiftCurve
from .node_link import NodeLink
from .node_places import NodePlaces
from .object_boxes import ObjectBoxes
from .operations import aggregate_batches, aggregate_cells
from .overview import TrainingOverview
from .parallel_coordinates import ParallelCoordinates
from .pareto_front import ParetoFront
from .partial_dependence import PartialDependence
from .patch import patch
from .query_map import QueryChoice, QueryMap
from .report_page import report_html, write_report
from .residuals import Residuals
from .rnnbow import rnnbow
from .row_map import RowMap
from .score_intervals import ScoreIntervals
from .series_tracks import SeriesTracks, series_tracks
from .step_matrix import StepMatrix
from .streams import BatchSelection, Playhead, RowSelection
from .symbol_rows import SymbolRows
from .unit_flow import UnitFlow
from .value_histogram import ValueHistogram
from .waveforms import Waveforms

__all__ = [
    "BatchSelection",
    "Brush",
    "ColumnHistograms",
    "ConfusionMatrix",
    "CostOverTime",
    "CubeBars",
    "CubeMap",
    "Cutoff",
    "Disagreement",
    "ErrorCorrelation",
    "Forecast",
    "FrameStrips",
    "GateFlow",
    "GradientFlow",
    "GradientHorizon",
    "ImageMosaic",
    "ImportanceMap",
    "KeyErrors",
    "LiftCurve",
    "LossLink",
    "NodeLink",
    "NodePlaces",
    "ObjectBoxes",
    "ParallelCoordinates",
    "ParameterImportance",
    "ParetoFront",
    "PartialDependence",
    "Playhead",
    "QueryChoice",
    "QueryMap",
    "Residuals",
    "RowMap",
    "RowSelection",
    "ScoreIntervals",
    "SeriesTracks",
    "StepMatrix",
    "SymbolRows",
    "Target",
    "TrainingOverview",
    "UnitFlow",
    "ValueHistogram",
    "Waveforms",
    "aggregate_batches",
    "aggregate_cells",
    "cube_views",
    "extension",
    "link_brush",
    "patch",
    "report_html",
    "rnnbow",
    "series_tracks",
    "write_report",
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
