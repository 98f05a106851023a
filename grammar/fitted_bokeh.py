"""Titles of axes that are as long as there is room."""

from __future__ import annotations

from typing import Any

from bokeh.models import CustomJS

# The first of the texts that fits; of the last one as much as fits.
FIT = """
const most = Math.max(8, Math.floor(figure[side] / 6.3))
const last = axis.tags.at(-1), text = axis.tags.find((each) => each.length <= most) ?? last.slice(0, most - 1) + "…"
if (axis.axis_label !== text) axis.axis_label = text
"""


def fit_label(figure: Any, axis: Any, *texts: str) -> None:
    """Title an axis with the first text that is no longer than the axis; of the last one a part, if need be.

    The browser chooses, which knows how large the figure is: now, and whenever it is laid out anew.
    """
    side = "inner_width" if axis in (*figure.below, *figure.above) else "inner_height"
    if "change:tags" not in axis.js_property_callbacks:
        fit = CustomJS(args={"figure": figure, "axis": axis, "side": side}, code=FIT)
        figure.js_on_change(side, fit)
        axis.js_on_change("tags", fit)
    if axis.tags != [*texts]:  # else what the browser chose stays
        axis.update(axis_label=texts[0], tags=[*texts])
