"""How nodes and links of a graph look: colours that the colour-blind can tell apart, shapes, and the legend of both."""

from __future__ import annotations

from typing import Any

import numpy as np

from .columns import Columns
from .node_link import KINDS
from .palettes import BLACK, BLUE, BLUISH_GREEN, GREY, SKY_BLUE, VERMILLION, cell_colors

CLASSES = (BLUE, VERMILLION, BLUISH_GREEN, "#CC79A7", SKY_BLUE, "#999933", "#882255", "#44AA99", "#AA4499", "#661100")
MARKERS = (("circle", "●"), ("square", "■"), ("triangle", "▲"), ("diamond", "◆"))
VERDICTS = {"right": BLUISH_GREEN, "wrong": VERMILLION}
LINKS = {  # of each kind: colour, dash, width, and how the legend shows it
    "expected": (BLUE, "solid", 2.2, "━"),
    "none": (GREY, "dotted", 1.0, "┄"),
    "found": (BLUISH_GREEN, "solid", 2.2, "━"),
    "missed": (VERMILLION, "solid", 2.2, "━"),
    "wrongly predicted": ("#AA4499", "dashed", 2.2, "╍"),
    "rightly none": (GREY, "dotted", 1.0, "┄"),
}
UNKNOWN = "#BBBBBB"
MOST_LINKS = 10_000  # of rows that are drawn as lines
NAMED = 8  # labels in the legend


def node_looks(element: Any) -> tuple[np.ndarray, np.ndarray]:
    """Colour and shape of each node."""
    value = element.dimension_values(2)
    circles = np.full(len(element), MARKERS[0][0], dtype=object)
    if element.labels:
        looks = [_look(element, at) for at in range(len(element.labels))]
        inks = np.array([*(ink for ink, _ in looks), UNKNOWN], dtype=object)[value]
        return inks, np.array([*(MARKERS[shape][0] for _, shape in looks), "circle"], dtype=object)[value]
    low, high = _ends(value)
    palette = np.array([*cell_colors(), UNKNOWN], dtype=object)
    place = np.clip((value - low) / ((high - low) or 1.0), 0, 1) * 255
    return palette[np.where(np.isnan(place), 256, np.nan_to_num(place)).astype(int)], circles


def node_sizes(element: Any) -> np.ndarray:
    """Of each node in pixels; those of which nothing is said are smaller."""
    usual = float(np.interp(len(element), [40, 200, 1000, 5000], [13, 9, 6, 5]))
    value = element.dimension_values(2)
    known = value >= 0 if element.labels else ~np.isnan(value)
    return np.where(known, usual, 0.65 * usual)


def legend(element: Any, extents: tuple[float, float, float, float]) -> Columns:
    """The legend, from the top down; with several graphs their names above it."""
    lines = [(element.by, "#444444")] if element.by else []
    if element.labels and (element.by or len(element.labels) > 1):
        looks = [_look(element, at) for at in range(len(element.labels[:NAMED]))]
        named = zip(looks, element.labels, strict=False)
        lines += [(f"{MARKERS[shape][1]} {short(name)}", ink) for (ink, shape), name in named]
        more = len(element.labels) - NAMED
        lines += [(f"and {more} more", "#444444")] if more > 0 else []
    elif not element.labels and len(element):
        low, high = _ends(element.dimension_values(2))
        lines += [(f"● {low:.4g}", cell_colors()[60]), (f"● {high:.4g}", cell_colors()[-1])]
    if element.wrong.any():
        lines.append((f"✕ wrong: {int(element.wrong.sum()):,}", BLACK))
    lines += _link_names(element)
    lines = lines if len(element) else [("no nodes", "#444444")]
    sides = _side_names(element, extents)
    return {
        "x": np.array([0.005] * len(lines) + [x for x, _ in sides]),
        "y": np.array([1.0] * len(lines) + [0.0] * len(sides)),
        "off": np.array([12.0 + 15 * at for at in range(len(lines))] + [-9.0] * len(sides)),
        "text": np.array([text for text, _ in lines] + [text for _, text in sides], dtype=object),
        "ink": np.array([ink for _, ink in lines] + ["#444444"] * len(sides), dtype=object),
    }


def _link_names(element: Any) -> list[tuple[str, str]]:
    counts = np.bincount(element.kinds[element.kinds >= 0], minlength=len(KINDS))
    lines = [
        (f"{LINKS[kind][3]} {kind}: {counts[at]:,}", LINKS[kind][0])
        for at, kind in enumerate(KINDS)
        if kind in element.shown and counts[at]
    ]
    many = len(element.drawn_links)
    return lines + ([(f"{MOST_LINKS:,} of {many:,} links are drawn", "#444444")] if many > MOST_LINKS else [])


def _side_names(element: Any, extents: tuple[float, float, float, float]) -> list[tuple[float, str]]:
    """Names of graphs side by side, each at the start of its own."""
    x0, _, x1, _ = extents
    found, first = [], 0
    for name, many in element.sides:
        left = float(element.start[first : first + many, 0].min(initial=np.inf))
        if many:
            at = (left - x0) / (x1 - x0)
            found.append((at, f"{short(name)}: {many:,} nodes"))
        first += many
    return found


def _ends(value: np.ndarray) -> tuple[float, float]:
    known = value[np.isfinite(value)]
    low, high = np.quantile(known, [0.01, 0.99]) if len(known) else (0.0, 1.0)
    return float(low), float(high)


def _look(element: Any, at: int) -> tuple[str, int]:
    """Colour and number of the shape of a label: ten colours, then the same in another shape, and so on; then grey."""
    if not element.by and len(element.labels) == 1:
        return BLUE, 0
    if element.by == "verdict" and element.labels[at] in VERDICTS:
        return VERDICTS[element.labels[at]], 0
    ink = element.inks[at] if len(element.inks) else at
    shape, color = divmod(ink, len(CLASSES))
    return (CLASSES[color], shape) if shape < len(MARKERS) else (GREY, 0)


def short(name: str, most: int = 18) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
