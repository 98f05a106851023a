"""How Bokeh carries out the links of this package."""

from __future__ import annotations

from typing import Any

from bokeh.models import CustomJS
from holoviews.plotting.bokeh.links import LinkCallback

from .highlight import HORIZON


class LossLinkCallback(LinkCallback):
    """Refills the horizon whenever the flow's highlight, the flow or the horizon itself changes."""

    source_model = "highlight_source"
    target_model = "source"

    def __init__(self, root_model: Any, link: Any, source_plot: Any, target_plot: Any = None) -> None:
        # The base class attaches to one source; here three may change.
        self.root_model, self.link = root_model, link
        self.source_plot, self.target_plot = source_plot, target_plot
        self.validate()
        flow, target = source_plot.handles["source"], target_plot.handles["source"]
        highlight = source_plot.handles["highlight_source"]
        self.src_cb = CustomJS(
            args={
                "source": flow,
                "highlight": highlight,
                "target": target,
                "x_range": target_plot.handles["x_range"],
                "y_range": target_plot.handles["y_range"],
                "caption": target_plot.handles["caption"],
                "half": target_plot.bar_width / 2,
                "base": target_plot.base,
                "log": target_plot.logy,
                "rescale": link.rescale,
            },
            code=HORIZON,
        )
        for source in (highlight, flow, target):
            source.js_on_change("data", self.src_cb)
        target_plot.captioned_in_browser = True

    def validate(self) -> None:
        """Say clearly what is wrong with the two ends."""
        if "highlight_source" not in self.source_plot.handles:
            raise ValueError("expected the source of a LossLink to be a GradientFlow with the option highlight=True")
        if self.target_plot is None or "caption" not in self.target_plot.handles:
            raise ValueError("expected the target of a LossLink to be a GradientHorizon")
