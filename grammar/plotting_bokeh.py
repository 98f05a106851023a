"""Registration of the Bokeh plots, and how they look unless told otherwise."""

from __future__ import annotations

from typing import Any

from holoviews.core.options import Options, Store

from .agreement import Disagreement
from .agreement_bokeh import DisagreementPlot
from .column_histograms import ColumnHistograms
from .column_histograms_bokeh import ColumnHistogramsPlot
from .confusion import ConfusionMatrix
from .confusion_bokeh import ConfusionMatrixPlot
from .cost_over_time import CostOverTime
from .cost_over_time_bokeh import CostOverTimePlot
from .cube_bars import CubeBars
from .cube_bokeh import CubeBarsPlot
from .cube_map import CubeMap
from .cube_map_bokeh import CubeMapPlot
from .error_correlation import ErrorCorrelation
from .error_correlation_bokeh import ErrorCorrelationPlot
from .forecast_lines import Forecast
from .forecast_lines_bokeh import ForecastPlot
from .frame_strips import FrameStrips
from .frame_strips_bokeh import FrameStripsPlot
from .gate_flow import GateFlow
from .gradients import GradientFlow, GradientHorizon
from .gradients_bokeh import GradientFlowPlot, GradientHorizonPlot
from .image_mosaic import ImageMosaic
from .image_mosaic_bokeh import ImageMosaicPlot
from .importance_bars import ParameterImportance
from .importance_bars_bokeh import ParameterImportancePlot
from .importance_map import ImportanceMap
from .importance_map_bokeh import ImportanceMapPlot
from .key_errors import KeyErrors
from .key_errors_bokeh import KeyErrorsPlot
from .lift import LiftCurve
from .lift_bokeh import LiftCurvePlot
from .links import LossLink
from .links_bokeh import LossLinkCallback
from .node_link import NodeLink
from .node_link_bokeh import NodeLinkPlot
from .object_boxes import ObjectBoxes
from .object_boxes_bokeh import ObjectBoxesPlot
from .overview import TrainingOverview
from .palettes import BLUE, GREY, SKY_BLUE
from .parallel_coordinates import ParallelCoordinates
from .parallel_coordinates_bokeh import ParallelCoordinatesPlot
from .pareto_front import ParetoFront
from .pareto_front_bokeh import ParetoFrontPlot
from .partial_dependence import PartialDependence
from .partial_dependence_bokeh import PartialDependencePlot
from .query_map import QueryMap
from .query_map_bokeh import QueryMapPlot
from .residuals import Residuals
from .residuals_bokeh import ResidualsPlot
from .row_map import RowMap
from .row_map_bokeh import RowMapPlot
from .rows_bokeh import SymbolRowsPlot, TrainingOverviewPlot
from .score_intervals import ScoreIntervals
from .score_intervals_bokeh import ScoreIntervalsPlot
from .series_tracks import SeriesTracks
from .series_tracks_bokeh import SeriesTracksPlot
from .step_matrix import StepMatrix
from .step_matrix_bokeh import StepMatrixPlot
from .symbol_rows import SymbolRows
from .training_grid_bokeh import TrainingGridPlot
from .unit_flow import UnitFlow
from .value_histogram import ValueHistogram
from .value_histogram_bokeh import ValueHistogramPlot
from .waveforms import Waveforms
from .waveforms_bokeh import WaveformsPlot

_PLOTS = {
    GradientFlow: GradientFlowPlot,
    GradientHorizon: GradientHorizonPlot,
    TrainingOverview: TrainingOverviewPlot,
    SymbolRows: SymbolRowsPlot,
    UnitFlow: TrainingGridPlot,
    GateFlow: TrainingGridPlot,
    CubeBars: CubeBarsPlot,
    CubeMap: CubeMapPlot,
    QueryMap: QueryMapPlot,
    ConfusionMatrix: ConfusionMatrixPlot,
    Residuals: ResidualsPlot,
    Disagreement: DisagreementPlot,
    ErrorCorrelation: ErrorCorrelationPlot,
    LiftCurve: LiftCurvePlot,
    Forecast: ForecastPlot,
    ScoreIntervals: ScoreIntervalsPlot,
    ColumnHistograms: ColumnHistogramsPlot,
    CostOverTime: CostOverTimePlot,
    SeriesTracks: SeriesTracksPlot,
    ParallelCoordinates: ParallelCoordinatesPlot,
    ParetoFront: ParetoFrontPlot,
    StepMatrix: StepMatrixPlot,
    ImageMosaic: ImageMosaicPlot,
    ImportanceMap: ImportanceMapPlot,
    ParameterImportance: ParameterImportancePlot,
    RowMap: RowMapPlot,
    NodeLink: NodeLinkPlot,
    PartialDependence: PartialDependencePlot,
    Waveforms: WaveformsPlot,
    FrameStrips: FrameStripsPlot,
    ObjectBoxes: ObjectBoxesPlot,
    ValueHistogram: ValueHistogramPlot,
    KeyErrors: KeyErrorsPlot,
}


def register() -> None:
    """Tell HoloViews' Bokeh backend how to draw the elements of this package."""
    if all(Store.registry["bokeh"].get(element) is plot for element, plot in _PLOTS.items()):
        return  # registering again would reset the user's own defaults
    Store.register(_PLOTS, "bokeh")
    LossLink.register_callback("bokeh", LossLinkCallback)
    options = Store.options(backend="bokeh")
    plot = {
        "responsive": True,
        "min_width": 400,
        "padding": 0,
        "tools": ["hover"],
        "default_tools": ["save", "xpan", "xwheel_zoom", "reset"],
        "active_tools": ["xpan"],
        "yaxis": "right",
        "gridstyle": {"xgrid_line_color": None, "ygrid_line_color": "#e8e8e8"},
        "show_grid": True,
    }
    # A batch brings its own scale; the option ylim fixes one for all.
    framewise = Options("norm", framewise=True)
    options.GradientFlow = Options("style", line_width=0.5)
    options.GradientFlow = Options("plot", **plot, height=260, invert_yaxis=True)
    options.GradientFlow = framewise
    options.GradientHorizon = Options("style", color=BLUE, line_color="white", line_width=0.5)
    options.GradientHorizon = Options("plot", **plot, height=130)
    options.GradientHorizon = framewise
    options.TrainingOverview = Options("style", color=GREY, line_color=None)
    options.TrainingOverview = Options("plot", **plot, height=150)
    options.TrainingOverview = framewise
    options.SymbolRows = Options("style", line_color="#B0B0B0", line_width=1)
    options.SymbolRows = Options(
        "plot", **{**plot, "show_grid": False}, height=70, xaxis=None, yticks=[(1, "true"), (0, "predicted")], ylabel=""
    )
    options.SymbolRows = framewise
    for name, height in (("UnitFlow", 260), ("GateFlow", 160)):
        still = {"show_grid": False, "invert_yaxis": True, "fontsize": {"title": "11px"}, "height": height}
        options[name] = Options("plot", **{**plot, **still})
        options[name] = framewise
    _register_cube(options)
    _register_search(options)


def _register_search(options: Any) -> None:
    plot: dict[str, Any] = {"responsive": True, "min_width": 180, "padding": 0, "toolbar": None, "show_grid": False}
    plot |= {"tools": ["hover", "tap"], "default_tools": [], "active_tools": ["tap"]}
    options.ConfusionMatrix = Options("style", line_color="#DDDDDD", line_width=0.5)
    options.ConfusionMatrix = Options("plot", **plot, height=320, invert_yaxis=True)
    options.ConfusionMatrix = Options("norm", framewise=True)
    options.Residuals = Options("style", color=SKY_BLUE, line_color=None)
    options.Residuals = Options("plot", **plot, height=220)
    options.Residuals = Options("norm", framewise=True)
    options.Forecast = Options("style", fill_alpha=0, line_color=None)
    options.Forecast = Options("plot", **plot, height=300)
    options.Forecast = Options("norm", framewise=True)
    options.LiftCurve = Options("style", line_width=12, line_alpha=0)
    options.LiftCurve = Options("plot", **plot, height=300)
    options.LiftCurve = Options("norm", framewise=True)
    options.Disagreement = Options("style", line_color=None)
    options.Disagreement = Options("plot", **plot, height=220)
    options.Disagreement = Options("norm", framewise=True)
    options.ErrorCorrelation = Options("style", line_color=None)
    options.ErrorCorrelation = Options("plot", **plot, height=320, invert_yaxis=True)
    options.ErrorCorrelation = Options("norm", framewise=True)
    options.ScoreIntervals = Options("style", fill_alpha=0, line_color=None)
    options.ScoreIntervals = Options("plot", **plot, height=300, invert_yaxis=True)
    options.ScoreIntervals = Options("norm", framewise=True)
    options.ColumnHistograms = Options("style", line_color=None)
    options.ColumnHistograms = Options("plot", **plot, xaxis=None, yaxis=None)
    options.ColumnHistograms = Options("norm", framewise=True)
    options.CostOverTime = Options("style", alpha=0.7)
    options.CostOverTime = Options("plot", **plot, height=260)
    options.CostOverTime = Options("norm", framewise=True)
    options.SeriesTracks = Options("style", line_width=1)
    tools = {"default_tools": ["xpan", "xwheel_zoom", "reset"], "active_tools": ["xpan", "tap"]}
    options.SeriesTracks = Options("plot", **(plot | tools), ylabel="")
    options.SeriesTracks = Options("norm", framewise=True)
    boxes = plot | {"tools": ["hover", "tap", "box_select"], "active_tools": ["tap", "box_select"]}
    options.ParallelCoordinates = Options("plot", **boxes)
    options.ParallelCoordinates = Options("plot", height=320, xaxis=None, yaxis=None)
    options.ParallelCoordinates = Options("norm", framewise=True)
    options.ParetoFront = Options("style", alpha=0.7)
    options.ParetoFront = Options("plot", **plot, height=260, logx=True)
    options.ParetoFront = Options("norm", framewise=True)
    options.StepMatrix = Options("style", color="#FAFAFA", line_color="#EEEEEE")
    options.StepMatrix = Options("plot", **plot, height=360, invert_yaxis=True)
    options.StepMatrix = Options("norm", framewise=True)
    options.ImageMosaic = Options("style", line_color=None)
    options.ImageMosaic = Options("plot", **plot, xaxis=None, yaxis=None)
    options.ImageMosaic = Options("norm", framewise=True)
    options.ImportanceMap = Options("style", line_color=None)
    options.ImportanceMap = Options("plot", **plot, height=360, invert_yaxis=True)
    options.ImportanceMap = Options("norm", framewise=True)
    options.ParameterImportance = Options("style", color=SKY_BLUE, line_color=None)
    still = plot | {"tools": ["hover"], "active_tools": []}
    options.ParameterImportance = Options("plot", **still, height=300, invert_yaxis=True)
    options.ParameterImportance = Options("norm", framewise=True)
    drags = {"default_tools": ["pan", "wheel_zoom", "reset"], "active_tools": ["tap", "wheel_zoom"]}
    options.RowMap = Options("style", size=5, line_color=None, fill_alpha=0.75)
    options.RowMap = Options("plot", **(plot | drags), height=320, fontsize={"labels": "11px"})
    options.RowMap = Options("norm", framewise=True)
    options.NodeLink = Options("style", line_color="#FFFFFF", line_width=0.6)
    options.NodeLink = Options("plot", **(plot | drags), height=420, xaxis=None, yaxis=None)
    options.NodeLink = Options("norm", framewise=True)
    options.PartialDependence = Options("plot", **plot, height=280)
    options.PartialDependence = Options("norm", framewise=True)
    options.Waveforms = Options("style", line_color=None)
    options.Waveforms = Options("plot", **(plot | tools), yaxis=None)
    options.Waveforms = Options("norm", framewise=True)
    options.FrameStrips = Options("style", line_color=None)
    options.FrameStrips = Options("plot", **plot, xaxis=None, yaxis=None)
    options.FrameStrips = Options("norm", framewise=True)
    options.ObjectBoxes = Options("style", line_color=None)
    options.ObjectBoxes = Options("plot", **plot, xaxis=None, yaxis=None)
    options.ObjectBoxes = Options("norm", framewise=True)
    options.ValueHistogram = Options("style", color=SKY_BLUE, line_color="white", line_width=0.5)
    options.ValueHistogram = Options("plot", **plot, height=240)
    options.ValueHistogram = Options("norm", framewise=True)
    options.KeyErrors = Options("style", fill_alpha=0.55, line_color=None)
    options.KeyErrors = Options("plot", **plot, height=260)
    options.KeyErrors = Options("norm", framewise=True)


def _register_cube(options: Any) -> None:
    plot: dict[str, Any] = {"responsive": True, "min_width": 180, "padding": 0, "toolbar": None, "show_grid": True}
    plot |= {"gridstyle": {"xgrid_line_color": None, "ygrid_line_color": "#ececec"}}
    framewise = Options("norm", framewise=True)
    options.CubeBars = Options("style", color=BLUE, line_color="white", line_width=0.5)
    options.CubeBars = Options("plot", **plot, height=200, tools=["hover"], default_tools=[])
    options.CubeBars = framewise
    drags = ["box_select", "lasso_select", "pan", "wheel_zoom", "reset", "hover"]
    active = {"active_tools": ["box_select", "wheel_zoom"], "default_tools": []}
    options.CubeMap = Options(
        "plot", **{**plot, "show_grid": False, "toolbar": "right"}, **active, height=420, tools=drags
    )
    options.CubeMap = framewise
    picks = ["tap", "lasso_select", "pan", "wheel_zoom", "reset", "hover"]
    active = {"active_tools": ["tap", "lasso_select", "wheel_zoom"], "default_tools": []}
    options.QueryMap = Options("style", line_width=0.8)
    options.QueryMap = Options(
        "plot",
        **{**plot, "show_grid": False, "toolbar": "right"},
        **active,
        height=360,
        tools=picks,
        xaxis=None,
        yaxis=None,
    )
    options.QueryMap = framewise
