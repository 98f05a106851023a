"""Colours, all safe for the common kinds of colour blindness.

Named colours are Okabe and Ito's (jfly.uni-koeln.de/color); the greens are ColorBrewer's sequential scale, dark to
light.
"""

from __future__ import annotations

import numpy as np

BLUE = "#0072B2"  # highlighted by the pointer
SKY_BLUE = "#56B4E9"  # previewed
DARK_BLUE = "#08306B"  # selected
BLUISH_GREEN = "#009E73"  # right
VERMILLION = "#D55E00"  # wrong
GREY = "#8C8C8C"  # the rest

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
    anchors = np.array([[int(green[i : i + 2], 16) for i in (1, 3, 5)] for green in _GREENS], float)  # (7, 3)
    at = np.linspace(0, len(anchors) - 1, count)
    mixed = np.stack([np.interp(at, np.arange(len(anchors)), channel) for channel in anchors.T], axis=1)
    return ["#{:02x}{:02x}{:02x}".format(*rgb) for rgb in np.rint(mixed).astype(int)]
