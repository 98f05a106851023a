"""Registration of the Bokeh plots, and how they look unless told otherwise."""

from __future__ import annotations

from holoviews.core.options import Options, Store

from .gradients import GradientFlow, GradientHorizon
from .gradients_bokeh import GradientFlowPlot, GradientHorizonPlot
from .links import LossLink
from .links_bokeh import LossLinkCallback
from .overview import TrainingOverview
from .palettes import BLUE, GREY
from .rows_bokeh import SymbolRowsPlot, TrainingOverviewPlot
from .symbol_rows import SymbolRows

_PLOTS = {
    GradientFlow: GradientFlowPlot,
    GradientHorizon: GradientHorizonPlot,
    TrainingOverview: TrainingOverviewPlot,
    SymbolRows: SymbolRowsPlot,
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
