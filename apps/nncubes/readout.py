"""The line of text about a query: the query as a sentence, its answer, how sure that is."""

from __future__ import annotations

import math
from html import escape
from typing import Any, NamedTuple

import numpy as np

from learnviews.kernels.cube import Model, Query

STYLE = """
:host { font-size: 14px; line-height: 1.45; }
.line { display: flex; gap: 4px 12px; align-items: baseline; white-space: nowrap; overflow: hidden; }
.bk-clearfix { display: block; width: 100%; }
.line .words { overflow: hidden; text-overflow: ellipsis; flex: 0 1000 auto; min-width: 4em; }
.line .facts { flex: 0 1 auto; overflow: hidden; text-overflow: ellipsis; }
.facts b { font-size: 17px; } .soft { color: #4c5f69; font-size: 13px; }
.tag { background: #08306B; color: white; border-radius: 3px; padding: 1px 7px; flex: none; font-size: 12px; }
.total { cursor: ew-resize; border-bottom: 2px dotted #8a9aa2; touch-action: none; user-select: none; }
.total:hover, .total:focus-visible { background: #fff0e3; border-color: #D55E00; outline: none; }
.asked { color: #A34700; }
.tag.preview { background: #56B4E9; color: #08243d; }
.message { background: #fff4e5; border-left: 5px solid #D55E00; padding: 6px 12px; white-space: pre-wrap; }
"""


TOTAL_HINT = "What should it be? Drag left or right, or click and type"


class Total(NamedTuple):
    """The aggregate under all filters with the ends of its interval (None: exact), and the rows behind it."""

    value: float
    low: float | None
    high: float | None
    rows: float
    share: float


def total_of(model: Model, query: Query, aggregate: Any, exact: bool) -> Total:
    """What the readout tells."""
    source = model.exact if exact and model.exact is not None else model
    value = source.total(query, aggregate)
    if "count" not in model.aggregates:
        rows, share = math.nan, math.nan
    else:
        rows = value if aggregate == "count" else source.total(query, "count")
        every = source.total(Query(), "count")
        share = rows / every if every else math.nan
    if source is not model:
        return Total(value, None, None, rows, share)
    return Total(value, *total_interval(model, query, value, aggregate), rows, share)


def total_interval(model: Model, query: Query, value: float, aggregate: Any) -> tuple[float | None, float | None]:
    """Ends of an interval around a total, from those of bars.

    A total is the sum of the chosen bars of any view (of means, their average by rows), and so no farther off than
    they are together. Of all views the one that says so most narrowly is taken: on random queries that covers at least
    the 90% that the bars' intervals are made for.
    """
    if not math.isfinite(value):
        return None, None
    chosen = model.schema.split(model.schema.mask(query))
    by_rows = isinstance(aggregate, tuple) and aggregate[0] != "sum"
    rows = model.views(query, "count") if by_rows and "count" in model.aggregates else None
    widths = []
    for name, (low, high) in model.interval(query, aggregate).items():
        half = np.nan_to_num((high - low)[chosen[name]] / 2)
        if by_rows:
            weights = rows[name][chosen[name]] if rows is not None else np.ones(len(half))
            half = half * weights / max(float(weights.sum()), 1e-9)
        widths.append(float(half.sum()))
    floor = -math.inf if isinstance(aggregate, tuple) and aggregate[0] != "var" else 0.0
    return max(value - min(widths), floor), value + min(widths)


def describe(
    sentence: str,
    total: Total,
    words: tuple[str, str],
    by: str,
    preview: bool = False,
    wanted: float | None = None,
) -> str:
    """HTML of the readout; `words` are title and unit of the aggregate, `by` says whose answer it is."""
    title, unit = words
    unit = f" {unit}" if unit else ""
    value = _value(total.value, unit, title == "rows")
    facts = [f"{value} rows" if title == "rows" else f"{escape(title)} {value}"]
    if wanted is not None:
        facts.append(f'<b class="asked">{number(wanted)}{escape(unit)} wanted</b>')
    if total.low is not None and total.high is not None:
        facts.append(
            f'<span class="soft">90% interval {number(total.low)} to {number(total.high)}{escape(unit)}</span>'
        )
    if math.isfinite(total.share):
        rows = "" if title == "rows" else f"{number(total.rows)} rows, "
        facts.append(f'<span class="soft">{rows}{percent(total.share)} of all</span>')
    tag = f'<span class="tag{" preview" * preview}">{"preview" if preview else escape(by)}</span>'
    words_shown = f'<span class="words" title="{escape(sentence)}">{escape(sentence)}</span>'
    return f'<div class="line">{tag}{words_shown}<span class="facts">{" · ".join(facts)}</span></div>'


def _value(value: float, unit: str, counts: bool) -> str:
    """The number that can be dragged, or typed anew."""
    if not math.isfinite(value):
        return f"<b>{number(value)}</b>"
    known = f'data-total="{float(value)!r}"{" data-counts" * counts} title="{TOTAL_HINT}"'
    return f'<b class="total" tabindex="0" role="button" {known}><span>{number(value)}</span>{escape(unit)}</b>'


def number(value: float) -> str:
    """For people: 1,234 or 12.3; "no answer" for nan."""
    if not math.isfinite(value):
        return "no answer"
    if abs(value) >= 1e15:
        return f"{value:.3g}"
    if abs(value) >= 100 or value == round(value):
        return f"{value:,.0f}".replace("-0", "0") if round(value) == 0 else f"{value:,.0f}"
    return f"{value:.3g}"


def percent(share: float) -> str:
    """A share with as many digits as it needs."""
    shown = 100 * share
    if shown >= 99.95 or shown >= 10:
        return f"{shown:.0f}%"
    return f"{shown:.1f}%" if shown >= 0.1 or shown == 0 else "under 0.1%"
