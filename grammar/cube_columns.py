"""Columns of a cube's views: from elements to what a plotting backend draws. Nothing here knows of Bokeh."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from .columns import Columns
from .cube_ticks import round_ticks

GAP = 0.08  # half the distance between bars that do not touch
PALE = 0.3  # of bars that the view's own brush leaves out
LONG = 18  # characters of a label on an axis
FIT = ("auto", "all", "shape")
AIR = 0.08  # beyond the ends of bars, as a share of the axis
SMALL = 0.2  # of the largest total: below, answers could hardly be told apart on the totals' scale


@dataclasses.dataclass(frozen=True, slots=True)
class Bars:
    """What is drawn of one attribute: arrays (n,), None where nothing is known."""

    at: np.ndarray  # numbers of the bins
    answer: np.ndarray
    total: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    selected: np.ndarray | None = None
    label: np.ndarray | None = None
    kind: str = "histogram"
    missing: bool = False
    edges: list[str] | None = None
    additive: bool = True
    wanted: dict[int, float] = dataclasses.field(default_factory=dict)
    window: tuple[int, int] | None = None  # bins [start, stop) in view; None: all

    def __len__(self) -> int:
        return len(self.at)

    @property
    def brushed(self) -> list[int]:
        """The bins its own brush takes; none where it is not brushed."""
        return [] if self.selected is None else np.asarray(self.at)[self.selected].astype(int).tolist()

    def named(self) -> np.ndarray:
        """A label per bin, its number where it has none."""
        return self.at.astype(int).astype(str) if self.label is None else self.label

    def scale(self, fit: str = "all") -> float:
        """What totals are multiplied by when they are drawn.

        Parameters
        ----------
        fit : {"auto", "all", "shape"}
            "all": 1. "shape": what makes totals sum to the answers; they show what the answers would be if the filters
            took as much of every bin. "auto": "shape" where answers are small beside the totals, else "all".
        """
        if self.total is None or fit == "all" or not self.additive:
            return 1.0
        answer, total = self.in_view(self.answer), self.in_view(self.total)
        most, all_of = (float(np.nanmax(each, initial=0)) for each in (answer, total))
        if not all_of > 0 or not most > 0 or (fit == "auto" and most >= SMALL * all_of):
            return 1.0
        whole = float(np.nansum(total))
        scale = float(np.nansum(answer)) / whole if whole > 0 else 1.0
        return scale if scale > 0 else 1.0

    def manner(self, fit: str = "all") -> str:
        """Which of "all" and "shape" a `fit` comes to."""
        return "all" if self.scale(fit) == 1.0 else "shape"

    def columns(self, fit: str = "all") -> Columns:
        """One row per bin: sides, tops, whiskers, and the numbers that tooltips tell; arrays of their own.

        `top` is 0 where there is no answer. What is nan is not drawn.
        """
        nothing = np.full(len(self.at), np.nan)
        total = nothing if self.total is None else self.total
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            share = np.where(total > 0, self.answer / total, np.nan)
        half = self.halves()
        found = {
            "position": self.at,
            "left": self.at - half,
            "right": self.at + half,
            "bottom": np.zeros(len(self.at)),
            "top": np.where(np.isnan(self.answer), 0.0, self.answer),
            "answer": self.answer,
            "total": total,
            "total_top": total * self.scale(fit),
            "low": nothing if self.low is None else self.low,
            "high": nothing if self.high is None else self.high,
            "share": share,
            "strength": np.ones(len(self.at)) if self.selected is None else np.where(self.selected, 1.0, PALE),
            "label": self.named(),
        }
        return {name: np.array(values) for name, values in found.items()}

    def halves(self) -> np.ndarray:
        """Half the width of every bar."""
        half = np.full(len(self.at), 0.5 if self.kind == "histogram" else 0.5 - GAP)
        if self.missing and len(half):
            half[-1] = 0.5 - 2 * GAP
        return half

    def in_view(self, values: np.ndarray) -> np.ndarray:
        """Those of the bars in view."""
        return values if self.window is None else values[slice(*self.window)]

    def extents(self, fit: str = "all", air: float = AIR) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1) that show all bars in view, from zero, with some air at the ends.

        Parameters
        ----------
        fit : {"auto", "all", "shape"}
            See `scale`.
        """
        shown = [self.answer, self.low, self.high, None if self.total is None else self.total * self.scale(fit)]
        ends = [end for values in shown if values is not None for end in _ends(self.in_view(values))]
        ends += self.wanted.values()
        low, high = min(0.0, *ends, 0.0), max(0.0, *ends, 0.0)
        spare = air * ((high - low) or 1.0)
        top = high + spare if high > 0 or low == 0 else 0.0
        at = self.in_view(self.at)
        first = 0.0 if self.window is None else float(at[0])
        last = float(at[-1]) if len(at) else 0.0
        return first - 0.5, low - spare if low < 0 else 0.0, last + 0.5, top

    def ticks(self) -> dict[float, str]:
        """Where the axis is labelled, and how: at a histogram's edges, under other bars."""
        if not len(self.at):
            return {}
        if self.edges is None:
            return {float(x): short_label(text) for x, text in zip(self.at, self.named(), strict=True)}
        start, stop = self.window or (0, len(self.edges) - 1)
        shown = round_ticks(self.edges[start : stop + 1], start)
        ticks = {i - 0.5: short_label(text) for i, text in shown.items()}
        return ticks | ({float(self.at[-1]): "missing"} if self.missing else {})

    def ghosts(self) -> Columns:
        """Bars that are asked for."""
        bins = [i for i in self.wanted if 0 <= i < len(self.at)]
        at = np.array(bins, float)
        return {
            "bin": bins,
            "left": at - 0.5 + GAP / 2,
            "right": at + 0.5 - GAP / 2,
            "bottom": np.zeros(len(at)),
            "top": np.array([float(self.wanted[i]) for i in bins]),
        }


def _ends(values: np.ndarray) -> tuple[float, ...]:
    """Smallest and largest of what is no nan."""
    low, high = np.fmin.reduce(values, initial=np.inf), np.fmax.reduce(values, initial=-np.inf)
    return (float(low), float(high)) if low <= high else ()


def short_label(text: Any) -> str:
    """As much of it as an axis has room for."""
    text = str(text)
    return text if len(text) <= LONG else text[: LONG - 1] + "…"
