"""Columns of the glyphs: from elements to what a plotting backend draws. Nothing here knows of Bokeh."""

from __future__ import annotations

from typing import Any

import numpy as np
from holoviews.core.util import dimension_sanitizer

from .stacking import grid, length, stack

Columns = dict[str, Any]


def all_dimensions(element: Any) -> Columns:
    """Every dimension of the element as a column, under the name tooltips use."""
    return {dimension_sanitizer(d.name): element.dimension_values(d) for d in element.dimensions()}


def bars(at: np.ndarray, top: np.ndarray, bottom: Any, width: float) -> Columns:
    """Columns of upright quads of one width."""
    return {
        "left": at - width / 2,
        "right": at + width / 2,
        "top": top,
        "bottom": np.broadcast_to(bottom, np.shape(top)).copy(),
    }


def flow_columns(
    element: Any, transform: str, floor: float | None, width: float, show_beyond: bool
) -> tuple[Columns, Columns]:
    """The columns of a flow's segments and of what it does not tell apart.

    Parameters
    ----------
    element : GradientFlow
    transform, floor
        As for `stacking.stack`.
    width : float
        Of a bar, in steps.
    show_beyond : bool
        Whether to leave room for, or stack, what was not told apart.
    """
    table, rest = cells_of(element)
    step, lag, value = table["step"], table["lag"], table["value"]
    steps, lags, cells, row, column = grid(step, lag, value)
    beyond = np.zeros(len(steps))
    if rest is not None:
        beyond[row] = rest
    stacks = element.kind == "share" and rest is not None and show_beyond
    near, far = stack(np.column_stack([cells, beyond]) if stacks else cells, transform, floor)
    aside = rest is not None and show_beyond and element.kind == "norm"
    left, right = steps - width / 2, steps + width / 2 - (0.2 * width if aside else 0)
    columns = table | {
        "left": left[row],
        "right": right[row],
        "top": far[row, column],
        "bottom": near[row, column],
        "loss_step": step + lag,
        "distance": np.abs(lag),
    }
    top, bottom = (far[:, -1], near[:, -1]) if stacks else (length(beyond, transform, floor), np.zeros(len(steps)))
    sides = (left, right) if stacks else (right + 0.03 * width, right + 0.17 * width)
    drawn = beyond != 0
    reach = int(np.abs(lags).max(initial=0)) + 1
    shape = {"left": sides[0], "right": sides[1], "top": top, "bottom": bottom, "step": steps, "value": beyond}
    names = {"lag": np.full(drawn.sum(), f"{reach} and more"), "loss_step": np.full(drawn.sum(), "all farther ones")}
    return columns, {name: values[drawn] for name, values in shape.items()} | names


def lag_names(count: int, most: int = 9, sign: str = "+") -> dict[int, str]:
    """Lags to name in a legend, evenly spread, with their names: "own loss", "+1", ... by `lag_sign`."""
    chosen = np.unique(np.rint(np.linspace(0, count - 1, min(count, most))).astype(int)).tolist()
    return {lag: f"{sign}{lag}" if lag else "own loss" for lag in chosen}


def lag_sign(element: Any) -> str:
    """Where losses lie as seen from their steps: "+" later, "−" earlier (a backward direction), "±" on both sides."""
    lag = element.dimension_values(1)
    if not len(lag) or lag.min() >= 0:
        return "+"
    return "−" if lag.max() <= 0 else "±"


def describe(element: Any) -> str:
    """Which loss a horizon shows, in words."""
    text = f"loss of step {element.loss_step}"
    names = [d.name for d in element.vdims]
    if not len(element):
        return text
    if "symbol" in names:
        text += f" ({element.dimension_values('symbol')[0]})"
    if "loss" in names:
        text += f": {element.dimension_values('loss')[0]:.2f} nats"
    return text


def cells_of(element: Any) -> tuple[Columns, np.ndarray | None]:
    """Columns of the cells whose loss exists, and what was not told apart, per cell."""
    columns = all_dimensions(element)
    step, lag, value = (element.dimension_values(i) for i in range(3))
    loss = step + lag
    exists = (loss >= 0) & (loss < (element.length or 0))
    columns |= {"step": step, "lag": lag, "value": np.nan_to_num(value)}
    if not exists.all():
        columns = {name: values[exists] for name, values in columns.items()}
    rest = columns.get("beyond") if "beyond" in {d.name for d in element.vdims} else None
    return columns, rest


def totals(element: Any, show_beyond: bool) -> np.ndarray:
    """(2,) the longest bar below and above the zero line."""
    table, rest = cells_of(element)
    _, _, cells, row, _ = grid(table["step"], table["lag"], table["value"])
    beyond = np.zeros(len(cells))
    if rest is not None and show_beyond:
        beyond[row] = rest
    if element.kind == "share":
        cells, beyond = np.column_stack([cells, beyond]), np.zeros(len(cells))
    low, high = np.minimum(cells, 0).sum(axis=1), np.maximum(cells, 0).sum(axis=1)
    return np.array([low.min(initial=0), max(high.max(initial=0), beyond.max(initial=0))])


def farthest(element: Any) -> int:
    return int(np.abs(element.dimension_values(1)).max()) if len(element) else 0


def edges(element: Any) -> list[tuple[float, float]]:
    """Where the steps lie that have fewer losses than lags are shown: at the end, the start, or both."""
    lag = element.dimension_values(1)
    T = element.length or 0
    if not len(lag):
        return []
    late, early = max(int(lag.max()), 0), max(-int(lag.min()), 0)
    if late + early >= T > 0:
        return [(-0.5, T - 0.5)]
    return ([(-0.5, early - 0.5)] if early else []) + ([(T - late - 0.5, T - 0.5)] if late else [])
