"""Registration of the Bokeh plots, and how they look unless told otherwise."""

from __future__ import annotations

from typing import Any

from holoviews.core.options import Options, Store

from .confusion import ConfusionMatrix
from .confusion_bokeh import ConfusionMatrixPlot
from .cube_bars import CubeBars
from .cube_bokeh import CubeBarsPlot
from .cube_map import CubeMap
from .cube_map_bokeh import CubeMapPlot
from .gradients import GradientFlow, GradientHorizon
from .gradients_bokeh import GradientFlowPlot, GradientHorizonPlot
from .links import LossLink
from .links_bokeh import LossLinkCallback
from .overview import TrainingOverview
from .palettes import BLUE, GREY, SKY_BLUE
from .query_map import QueryMap
from .query_map_bokeh import QueryMapPlot
from .residuals import Residuals
from .residuals_bokeh import ResidualsPlot
from .rows_bokeh import SymbolRowsPlot, TrainingOverviewPlot
from .symbol_rows import SymbolRows

_PLOTS = {
    GradientFlow: GradientFlowPlot,
    GradientHorizon: GradientHorizonPlot,
    TrainingOverview: TrainingOverviewPlot,
    SymbolRows: SymbolRowsPlot,
    CubeBars: CubeBarsPlot,
    CubeMap: CubeMapPlot,
    QueryMap: QueryMapPlot,
    ConfusionMatrix: ConfusionMatrixPlot,
    Residuals: ResidualsPlot,
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
