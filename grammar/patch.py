"""Another element in the same plot, in milliseconds.

HoloViews redraws a plot through options, ranges and styles; for views that follow the pointer that is too slow. Here
the plot computes its columns and puts them into the sources it has. Glyphs, tools and the browser's callbacks stay.
"""

from __future__ import annotations

from typing import Any


def patch(plot: Any, element: Any, fit: bool = True) -> None:
    """Show another element in a Bokeh plot of this package.

    Parameters
    ----------
    plot : plot instance, as ``hv.renderer("bokeh").get_plot(element)`` returns, or a subplot of a layout or overlay
    element : element of the type the plot was made for
    fit : bool
        Whether the axes are to fit the element, as when it is drawn first (the options xlim and ylim count); otherwise
        they stay as the user has them.

    Raises
    ------
    TypeError
        If the plot is not one of this package, or was made for another type of element.
    """
    shown = getattr(plot, "current_frame", None)
    if not hasattr(plot, "patch"):
        raise TypeError(f"expected a plot of an element of this package, got {type(plot).__name__}")
    if type(element) is not type(shown):
        raise TypeError(f"expected a {type(shown).__name__}, as the plot shows one, got {type(element).__name__}")
    plot.patch(element, fit)
