"""Ranges that stay where they are: for texts at the sides of a figure that is panned and zoomed."""

from __future__ import annotations

from typing import Any

from bokeh.models import CustomJS, Range1d

STAY = "if (cb_obj.start !== 0 || cb_obj.end !== 1) cb_obj.setv({start: 0, end: 1})"


def add_still_ranges(figure: Any) -> dict[str, str]:
    """Give a figure ranges from 0 to 1, from side to side and from bottom to top, that no tool moves.

    Returns
    -------
    dict
        What `figure.add_glyph` needs to use both.
    """
    ranges = [Range1d(start=0, end=1) for _ in range(2)]
    for each in ranges:  # tools move all ranges of a figure
        for name in ("start", "end"):
            each.js_on_change(name, CustomJS(code=STAY))
    figure.extra_x_ranges = {**figure.extra_x_ranges, "still_x": ranges[0]}
    figure.extra_y_ranges = {**figure.extra_y_ranges, "still_y": ranges[1]}
    return {"x_range_name": "still_x", "y_range_name": "still_y"}
