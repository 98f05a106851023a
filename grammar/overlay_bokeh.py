"""Figures whose moving parts are repainted alone.

Bokeh paints what has the level "overlay" on a canvas of its own. Where all that changes lies there, neither axes nor
grids are painted again: that is most of the work of a figure with few glyphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import CustomJS

# At every repaint Bokeh measures all tick labels, to see whether an axis needs more room; the views of this package
# leave enough. And it does not clip what is on its overlay. Both names are private to Bokeh: a test watches them.
SETTLE = """
const view = Bokeh.index.find_one(figure)
if (!view) return
view._invalidate_layout_if_needed = () => {}
const drawn = lifted.map((renderer) => view.views.find_one(renderer)).filter((each) => each)
for (const each of drawn) {
  Object.defineProperty(each, "needs_clip", {get: () => true, configurable: true})
  each.request_paint()  // what was painted before this
}
"""


def lift(figure: Any, renderers: Sequence[Any], boxes: Sequence[Any] = ()) -> None:
    """Put glyph renderers, in this order, and annotations above all others of a figure, to be repainted alone."""
    for each in (*renderers, *boxes):
        each.level = "overlay"
    settle = CustomJS(args={"figure": figure, "lifted": list(renderers)}, code=SETTLE)
    figure.js_on_change("inner_width", settle)


def patch_columns(source: Any, columns: dict[str, Any]) -> None:
    """Put other values into a source, whose arrays are overwritten; only columns that changed are sent, as text.

    Bokeh sends every array as two messages of their own, which a browser takes longer to take in than short texts.
    """
    shown = source.data
    changed = {name: values for name, values in columns.items() if not _same(values, shown.get(name))}
    if any(name not in shown or len(values) != len(shown[name]) for name, values in changed.items()):
        source.data = columns
    elif changed:
        source.patch({name: [(slice(0, len(values)), values.tolist())] for name, values in changed.items()})


def _same(one: Any, other: Any) -> bool:
    one, other = np.asarray(one), np.asarray(other)
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f" and other.dtype.kind == "f")
