"""Axes of seconds: ticks at whole minutes and hours, named as people say them."""

from __future__ import annotations

from typing import Any

from bokeh.models import AdaptiveTicker, CustomJSTicker, CustomJSTickFormatter

# On a logarithmic axis: 1, 2 and 5 of whatever people count in, of many decades only the 1; of a small part of one
# equal steps. That leaves room for each label.
TICKS = """
const [low, high] = [cb_data.range.start, cb_data.range.end].sort((a, b) => a - b)
if (!(low > 0 && high > low)) return []
const tens = (from, to, of, unit = 1) => Array.from({length: to - from + 1}, (_, at) => of.map((each) => each * unit * 10 ** (from + at))).flat()
const found = (of) => [...tens(-9, 0, of), 10, ...(of.length > 1 ? [20] : []), ...tens(0, 0, of, 60), 600, ...(of.length > 1 ? [1200] : []), ...tens(0, 6, of, 3600)]
const within = (ticks) => ticks.map((each) => Number(each.toPrecision(12))).filter((each) => each >= low && each <= high)
const ticks = within(found(Math.log10(high / low) > 1.7 ? [1] : [1, 2, 5]))
if (ticks.length > 1) return ticks.filter((_, at) => at % Math.ceil(ticks.length / 7) === 0)
const power = 10 ** Math.floor(Math.log10((high - low) / 2))
const step = [5, 2, 1].map((each) => each * power).find((each) => each <= (high - low) / 2)
return within(Array.from({length: 8}, (_, at) => (Math.ceil(low / step) + at) * step))
"""  # noqa: E501
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
    ticker: Any = CustomJSTicker(major_code=TICKS, minor_code="return []")
    if not log:
        ticker = AdaptiveTicker(base=60, mantissas=[1, 2, 5, 10, 15, 20, 30], min_interval=1)
    axis.update(ticker=ticker, formatter=CustomJSTickFormatter(code=WORDS))


def in_words(seconds: float) -> str:
    """A duration as a text of at most three digits."""
    if not seconds >= 0:
        return ""
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"
