"""What is drawn of a map of cells: images, extents and colour ranges. Nothing here knows of Bokeh."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from .columns import Columns

MANY = 40_000  # cells from which on Datashader draws what the screen can show
DECADES = 4  # that a logarithmic colour scale spans
Extent = tuple[float, float, float, float]


@dataclasses.dataclass(frozen=True, slots=True)
class Cells:
    """nx x ny cells, each array (nx * ny,) with cell = ix * ny + iy; None where nothing is known.

    `extent` is (left, right, bottom, top) as drawn: in the columns' units, or in metres of Web Mercator.
    """

    shape: tuple[int, int]
    extent: Extent
    answer: np.ndarray
    total: np.ndarray | None = None
    selected: np.ndarray | None = None
    box: tuple[int, ...] | None = None  # the brush, where it is one: cells (x0, x1, y0, y1), half-open
    elsewhere: float | None = None  # the answer of rows without a place
    additive: bool = True  # then 0 is nothing to draw
    wanted: dict[int, float] = dataclasses.field(default_factory=dict)  # answers asked for, by cell
    low: np.ndarray | None = None  # ends of an interval
    high: np.ndarray | None = None

    def __len__(self) -> int:
        return self.shape[0] * self.shape[1]

    def image(self, values: np.ndarray) -> np.ndarray:
        """(ny, nx), the lowest row first."""
        return np.asarray(values).reshape(self.shape).T

    def centres(self) -> tuple[np.ndarray, np.ndarray]:
        """x and y (nx * ny,) of the cells' centres, as drawn."""
        (nx, ny), (left, right, bottom, top) = self.shape, self.extent
        x = left + (np.arange(nx) + 0.5) * ((right - left) / nx)
        y = bottom + (np.arange(ny) + 0.5) * ((top - bottom) / ny)
        return np.repeat(x, ny), np.tile(y, nx)

    def drawn(self) -> np.ndarray:
        """Answers (ny, nx) as float32, nan where there is nothing to draw."""
        image = self.image(self.answer).astype(np.float32)
        if self.additive:
            image[image == 0] = np.nan
        return np.ascontiguousarray(image)

    def columns(self, image: np.ndarray | None = None, extent: Extent | None = None) -> Columns:
        """One image, of all cells or a part of them; `known` has zeros where there is nothing to draw."""
        if image is None:
            known = np.ascontiguousarray(self.image(self.answer).astype(np.float32))
            ends = {"low": self.low, "high": self.high}
            told = {n: [self.image(v).astype(np.float32, order="C")] for n, v in ends.items() if v is not None}
            return image_columns(self.drawn(), self.extent) | {"known": [known]} | told
        known = np.nan_to_num(image) if self.additive else image
        return image_columns(image, extent or self.extent) | {"known": [known]}

    def doubtful(self) -> Columns:
        """Centres of cells whose interval is wider than their answer."""
        if self.low is None or self.high is None:
            return {"x": [], "y": []}
        doubted = (self.high - self.low > np.abs(self.answer)) & ((self.answer != 0) | (not self.additive))
        x, y = self.centres()
        return {"x": x[doubted], "y": y[doubted]}

    def ground(self) -> np.ndarray:
        """(ny, nx): 1 where there are rows at all, else nan."""
        if self.total is None:
            return np.full(self.shape[::-1], np.nan, np.float32)
        present = np.isfinite(self.total) & (self.total != 0)
        return np.ascontiguousarray(np.where(self.image(present), np.float32(1), np.float32(np.nan)))

    def veil(self) -> np.ndarray:
        """(ny, nx): 1 where the view's own brush leaves a cell out, else nan."""
        if self.selected is None:
            return np.full((1, 1), np.nan, np.float32)
        return np.ascontiguousarray(np.where(self.image(self.selected), np.float32(np.nan), np.float32(1)))

    def corners(self) -> tuple[list[int], list[int]]:
        """The brush's box as the browser keeps it: ([x0, x1], [y0, y1]); empty where it is none."""
        return ([], []) if self.box is None else (list(self.box[:2]), list(self.box[2:]))

    def place(self, box: tuple[int, ...]) -> Extent:
        """Where a box of cells is drawn."""
        (nx, ny), (left, right, bottom, top) = self.shape, self.extent
        x0, x1 = (left + (right - left) * i / nx for i in box[:2])
        y0, y1 = (bottom + (top - bottom) * i / ny for i in box[2:])
        return x0, x1, y0, y1

    def ghosts(self) -> Columns:
        """Outlines of cells whose answers are asked for, and what is said of them, towards the middle of the map."""
        bins, ny = [i for i in self.wanted if 0 <= i < len(self)], self.shape[1]
        ends = [self.place((i // ny, i // ny + 1, i % ny, i % ny + 1)) for i in bins]
        left, right, bottom, top = np.array(ends).reshape(-1, 4).T
        east, north = left + right > sum(self.extent[:2]), bottom + top > sum(self.extent[2:])
        return {
            "bin": bins,
            "left": left,
            "right": right,
            "bottom": bottom,
            "top": top,
            "x": np.where(east, left, right),
            "y": np.where(north, bottom, top),
            "text": [f"{number(self.wanted[i])} wanted, now {number(float(self.answer[i]))}" for i in bins],
            "align": np.where(east, "right", "left").tolist(),
            "dx": np.where(east, -6, 6),
            "baseline": np.where(north, "top", "bottom").tolist(),
            "dy": np.where(north, 4, -4),
        }


def number(value: float) -> str:
    """As the browser writes it."""
    if not math.isfinite(value):
        return "none"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def image_columns(image: np.ndarray, extent: Extent) -> Columns:
    """Columns of one image."""
    left, right, bottom, top = extent
    return {"x": [left], "y": [bottom], "dw": [right - left], "dh": [top - bottom], "image": [image]}


def color_range(answer: np.ndarray, logarithmic: bool) -> tuple[float, float, bool]:
    """(low, high) of the colours, and whether there are values of either sign.

    Of a logarithmic scale, at most `DECADES` below the largest value; of values of either sign, as far below zero as
    above.
    """
    finite = answer[np.isfinite(answer)]
    low, high = float(finite.min(initial=0)), float(finite.max(initial=0))
    if low < 0:
        far = max(-low, high)
        return -far, far, True
    if high <= 0:
        return (1.0, 10.0, False) if logarithmic else (0.0, 1.0, False)
    if not logarithmic:
        return 0.0, high, False
    least = float(finite[finite > 0].min())
    low = max(least, high * 10.0**-DECADES)
    return (low, high, False) if low < high * (1 - 1e-9) else (high / 10, high, False)


def rasterize(
    image: np.ndarray, extent: Extent, view: Extent, width: int, height: int
) -> tuple[np.ndarray, Extent] | None:
    """What a screen of width x height pixels can show of an image: the largest value of the cells in each pixel.

    Parameters
    ----------
    image : (ny, nx) float32
    extent, view : (left, right, bottom, top)
        Of the image, and of what is in view.

    Returns
    -------
    image, extent
        Of the part of the image that is in view; None where there is none.
    """
    left, right, bottom, top = _overlap(extent, view)
    if not (left < right and bottom < top):
        return None
    import datashader as ds  # takes seconds to import, hence here
    import xarray as xr

    ny, nx = image.shape
    x, y = _centres(extent[0], extent[1], nx), _centres(extent[2], extent[3], ny)
    wide = max(1, min(width, math.ceil(nx * (right - left) / (extent[1] - extent[0]))))
    high = max(1, min(height, math.ceil(ny * (top - bottom) / (extent[3] - extent[2]))))
    canvas = ds.Canvas(plot_width=wide, plot_height=high, x_range=(left, right), y_range=(bottom, top))
    array = xr.DataArray(image, coords={"y": y, "x": x}, dims=("y", "x"))
    found = canvas.raster(array, agg="max", interpolate="nearest")
    return np.ascontiguousarray(found.values, np.float32), (left, right, bottom, top)


def _overlap(a: Extent, b: Extent) -> Extent:
    return max(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), min(a[3], b[3])


def _centres(low: float, high: float, n: int) -> np.ndarray:
    return low + (np.arange(n) + 0.5) * ((high - low) / n)
