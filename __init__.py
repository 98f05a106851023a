"""LearnViews: views of learning for HoloViews, with the kernels that compute them.

import learnviews as lv
lv.extension("bokeh")
"""

from typing import Any as _Any

from . import grammar as _grammar
from .grammar import (
    BatchSelection,
    Brush,
    ColumnHistograms,
    ConfusionMatrix,
    CostOverTime,
    CubeBars,
    CubeMap,
    Cutoff,
    Disagreement,
    ErrorCorrelation,
    Forecast,
    FrameStrips,
    GateFlow,
    GradientFlow,
    GradientHorizon,
    ImageMosaic,
    ImportanceMap,
    KeyErrors,
    LiftCurve,
    NodeLink,
    NodePlaces,
    ObjectBoxes,
    ParallelCoordinates,
    ParameterImportance,
    ParetoFront,
    PartialDependence,
    Playhead,
    QueryChoice,
    QueryMap,
    Residuals,
    RowMap,
    RowSelection,
    ScoreIntervals,
    SeriesTracks,
    StepMatrix,
    SymbolRows,
    Target,
    TrainingOverview,
    UnitFlow,
    ValueHistogram,
    Waveforms,
    aggregate_batches,
    aggregate_cells,
    cube_views,
    extension,
    link_brush,
    patch,
    report_html,
    rnnbow,
    series_tracks,
    write_report,
)

__version__ = "0.1.0"

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


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def __getattr__(name: str) -> _Any:
    if name == "LossLink":  # loaded where it is used: HoloViews' plotting comes with it
        return _grammar.LossLink
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
