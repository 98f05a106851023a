"""Colours, all safe for the common kinds of colour blindness.

Named colours are Okabe and Ito's (jfly.uni-koeln.de/color); the greens and blues are ColorBrewer's sequential
scales, brown to blue-green is its diverging BrBG.
"""

from __future__ import annotations

import functools

import numpy as np

BLUE = "#0072B2"  # highlighted by the pointer
SKY_BLUE = "#56B4E9"  # previewed
DARK_BLUE = "#08306B"  # selected
BLUISH_GREEN = "#009E73"  # right
VERMILLION = "#D55E00"  # wrong
ORANGE = "#E69F00"  # of rows: under the pointer, in whatever view
BLACK = "#000000"  # of rows: clicked
GREY = "#8C8C8C"  # the rest

_BLUES = ("#d3e4f3", "#b3d3e8", "#85bcdc", "#519ccc", "#2777b8", "#115299", "#08306b")
_BROWN_GREEN = ("#543005", "#8c510a", "#bf812d", "#dfc27d", "#f5f5f5", "#80cdc1", "#35978f", "#01665e", "#003c30")
_GREENS = ("#00441b", "#006d2c", "#238b45", "#41ab5d", "#74c476", "#a1d99b", "#c7e9c0")


def lag_greens(count: int) -> list[str]:
    """`count` greens as hex strings: darkest for lag 0 (the step's own loss), lightest for the farthest.

    Raises
    ------
    ValueError
        If `count` is not a whole number of at least 1.
    """
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
        raise ValueError(f"expected a whole number of lags, at least 1, got {count!r}")
    return _mixed(_GREENS, count)


@functools.cache
def cell_colors(signed: bool = False, white: bool = False) -> list[str]:
    """256 colours of cells: light (or white) to dark, or of values below zero brown, above it blue-green."""
    return _mixed(_BROWN_GREEN if signed else (*(["#ffffff"] if white else []), *_BLUES), 256)


def _mixed(anchors: tuple[str, ...], count: int) -> list[str]:
    """`count` colours along a row of them."""
    rgb = np.array([[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in anchors], float)  # (n, 3)
    at = np.linspace(0, len(anchors) - 1, count)
    mixed = np.stack([np.interp(at, np.arange(len(anchors)), channel) for channel in rgb.T], axis=1)
    return ["#{:02x}{:02x}{:02x}".format(*each) for each in np.rint(mixed).astype(int)]
