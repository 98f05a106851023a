"""Axes of seconds: ticks at whole minutes and hours, named as people say them."""

from __future__ import annotations

from typing import Any

from bokeh.models import AdaptiveTicker, CustomJSTickFormatter, LogTicker

# On a logarithmic axis ticks come in tens: at 1, 2 and 5 of each power of ten there is room for a label.
FEW = """
const first = (t) => Math.round(t / 10 ** Math.floor(Math.log10(t) + 1e-9))
const round = (t) => Math.abs(t / 10 ** Math.floor(Math.log10(t) + 1e-9) - first(t)) < 1e-6
if (ticks.length > 5) {
  const kept = ticks.filter((t) => round(t) && [1, 2, 5, 10].includes(first(t)))
  const skip = Math.ceil(ticks.length / 4)
  if (kept.length > 1 ? !kept.includes(tick) : ticks.indexOf(tick) % skip) return ""
}
"""
WORDS = """
const t = Math.abs(tick)
const said = (x) => String(+x.toPrecision(3))
if (t === 0) return "0"
if (t < 1) return said(1000 * tick) + " ms"
if (t < 120) return said(tick) + " s"
if (t < 7200) return said(tick / 60) + " min"
return said(tick / 3600) + " h"
"""


def name_seconds(axis: Any, log: bool = False) -> None:
    """Have an axis of seconds say "90 s", "5 min", "2 h"."""
    ticker = LogTicker() if log else AdaptiveTicker(base=60, mantissas=[1, 2, 5, 10, 15, 20, 30], min_interval=1)
    axis.update(ticker=ticker, formatter=CustomJSTickFormatter(code=FEW + WORDS if log else WORDS))


def in_words(seconds: float) -> str:
    """A duration as a text of at most three digits."""
    if not seconds >= 0:
        return ""
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"
