"""How lines of models look, and the legend that tells them apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bokeh.models.annotations import Legend, LegendItem

from .palettes import BLUE, BLUISH_GREEN, SKY_BLUE, VERMILLION

INKS = (BLUE, VERMILLION, BLUISH_GREEN, "#CC79A7", SKY_BLUE, "#7A5195")  # neither orange nor black: those are selected
DASHES = ("dashed", "dotted", "dashdot", "dotdash")
NAMED = 8  # models in a legend


def ink(at: int) -> str:
    """Colour of the model in this place."""
    return INKS[at % len(INKS)]


def dash(at: int, first: str = "dashed") -> str:
    """Pattern of the model in this place: where colours come again another one."""
    patterns = (first, *(each for each in DASHES if each != first))
    return patterns[at // len(INKS) % len(patterns)]


def legend_names(names: Sequence[str]) -> list[str]:
    """Of the first models their names, cut and told apart; of the rest how many there are."""
    cut = [short(name) for name in names]
    told = [f"{short(name, 20)} {at + 1}" if cut.count(cut[at]) > 1 else cut[at] for at, name in enumerate(names)]
    return [*told[:NAMED], *[f"and {len(names) - NAMED} more"] * (len(names) - NAMED)]


def legend(renderers: Sequence[Any]) -> Legend:
    """A legend above the plot, of the column "name" of some renderers."""
    items = [LegendItem(label={"field": "name"}, renderers=[each]) for each in renderers]
    look: dict[str, Any] = {"orientation": "horizontal", "ncols": 2, "border_line_color": None, "padding": 0}
    small: dict[str, Any] = {"label_text_font_size": "11px", "label_height": 12, "glyph_height": 12, "spacing": 3}
    return Legend(items=items, location="left", margin=2, **look, **small)


def short(name: str, most: int = 22) -> str:
    """A name of at most so many characters."""
    return name if len(name) <= most else name[: most - 1] + "…"
