"""Several selections of an attribute beside each other: their answers, and where else their rows differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from learnviews.apps.nncubes.readout import number, percent
from learnviews.apps.nncubes.selections import Answers, queries
from learnviews.kernels.cube import Model, Query

SHOWN = 40  # selections in the table
PROFILED = 16  # of these, the largest, whose other attributes are compared
ENOUGH = 50  # rows: shares of fewer are noise
NAMED = 3  # attributes that differ most
STYLE = """
:host { font-size: 12px; } .bk-clearfix { display: block; width: 100%; }
p { margin: 0 0 2px; color: #33454f; line-height: 1.35; } p b { font-weight: 600; color: #1b2a33; }
.lines { max-height: 158px; overflow: auto; border-bottom: 1px solid #d5dedb; margin-bottom: 6px; }
table { border-collapse: collapse; width: 100%; }
th { position: sticky; top: 0; background: #fff; font-weight: 400; color: #4c5f69; text-align: right;
     padding: 0 4px 2px; border-bottom: 1px solid #d5dedb; }
th:first-child { text-align: left; padding-left: 2px; } td { padding: 0; border-bottom: 1px solid #edf1ef; }
td.n { text-align: right; padding: 0 4px; white-space: nowrap; font-variant-numeric: tabular-nums; color: #33454f; }
td.n.value { color: #1b2a33; font-weight: 600; } td.n span { display: block; height: 2px; margin-left: auto; }
button { font: inherit; color: inherit; text-align: left; width: 100%; background: none; border: 0; padding: 1px 2px;
         cursor: pointer; }
tr:hover td, tr:focus-within td { background: #e3f0fa; } button:focus { outline: 2px solid #0072B2; }
tr.any button { color: #4c5f69; font-style: italic; }
"""
UP, DOWN = "#2777b8", "#bf812d"


@dataclass(frozen=True)
class Line:
    """A selection of the comparison."""

    words: str
    query: Query
    value: float
    share: float  # of the rows under the other filters
    apart: float  # see `Comparison.relative`


@dataclass(frozen=True)
class Difference:
    """An attribute over which the rows of two selections are spread differently.

    `moved` is the share of rows that would have to lie elsewhere for the two to be alike; `bin` is where they differ
    most, `shares` what they have there.
    """

    name: str
    moved: float
    one: str
    other: str
    bin: str
    shares: tuple[float, float]


@dataclass(frozen=True)
class Comparison:
    """Selections, the largest answer first, and the attributes that differ most between them.

    `relative`: `Line.apart` is a share of the first one's answer, as for counts; else it is the difference from the
    answer without a filter on the attribute, which is the last line.
    """

    lines: list[Line]
    differences: list[Difference]
    relative: bool
    left_out: int


def compare(model: Model, source: Any, query: Query, answers: Answers, chosen: list[int], aggregate: Any) -> Comparison:
    """Compare some of an attribute's selections under the other filters of a query."""
    ranked = sorted(chosen, key=lambda i: -_known(answers.values[i]))
    shown = np.array(ranked[:SHOWN], int)
    relative = aggregate == "count"
    name, laid = answers.laid.name, answers.laid
    base = float(answers.values[shown[0]]) if relative and len(shown) else answers.whole
    lines = [
        Line(
            _bare(model.schema[name].title, laid.labels[i]),
            query.replace(**{name: laid.filters[i]}),
            float(answers.values[i]),
            _share(answers, i),
            _apart(float(answers.values[i]), base, relative),
        )
        for i in shown
    ]
    every = query.replace(**{name: None})
    share = math.nan if answers.rows is None else 1.0
    lines.append(Line("any", every, answers.whole, share, math.nan))
    found = differing_most(model, source, query, answers, shown)
    return Comparison(lines, found, relative, len(ranked) - len(shown))


def differing_most(model: Model, source: Any, query: Query, answers: Answers, chosen: np.ndarray) -> list[Difference]:
    """The other attributes over which the rows of two of the chosen selections differ most; empty without counts."""
    if answers.rows is None:
        return []
    known = np.array([i for i in chosen if answers.rows[i] >= ENOUGH], int)
    known = known[np.argsort(-answers.rows[known], kind="stable")][:PROFILED]
    if len(known) < 2:
        return []
    views = source.query_many(queries(model, query, answers.laid, known), "count")
    words = [_bare(model.schema[answers.laid.name].title, answers.laid.labels[i]) for i in known]
    found = []
    for one in model.schema:
        if one.name != answers.laid.name:
            within = one.mask(query.filters[one.name]) if one.name in query.filters else np.ones(one.bins, bool)
            found.append(_difference(one, views[:, model.schema.slices[one.name]] * within, words))
    return sorted((each for each in found if each is not None), key=lambda each: -each.moved)[:NAMED]


def _difference(attribute: Any, views: np.ndarray, words: list[str]) -> Difference | None:
    """Of rows by bin (k, bins) of k selections, the two that are farthest apart."""
    sums = views.sum(1, keepdims=True)
    if (views > 0).any(0).sum() < 2 or not (sums > 0).all():
        return None
    shares = views / sums
    moved = np.abs(shares[:, None] - shares).sum(2) / 2  # (k, k)
    i, j = (int(k) for k in np.unravel_index(moved.argmax(), moved.shape))
    bin = int(np.abs(shares[i] - shares[j]).argmax())
    if shares[i, bin] < shares[j, bin]:
        i, j = j, i
    label = attribute.labels()[bin]
    pair = float(shares[i, bin]), float(shares[j, bin])
    return Difference(attribute.name, float(moved[i, j]), words[i], words[j], label, pair)


# -- in the page


def comparison_list(
    model: Model, comparison: Comparison, name: str, words: tuple[str, str], version: int, by: str
) -> str:
    """HTML: a table of the selections, and the attributes that differ most; `by` says whose answers they are."""
    title, unit = words
    lines = comparison.lines
    most = max((abs(each.value) for each in lines[:-1] if math.isfinite(each.value)), default=0.0) or 1.0
    apart = "from first" if comparison.relative else "from any"
    heads = (model.schema[name].title, f"{title} ({unit})" if unit else title, "share", apart)
    rows = "".join(_row(f"{version}:{k}", each, comparison.relative, most) for k, each in enumerate(lines[:-1]))
    rows += _row(f"{version}:{len(lines) - 1}", lines[-1], comparison.relative, 0.0)
    more = f"<p>{comparison.left_out:,} smaller ones are left out.</p>" if comparison.left_out else ""
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    table = f'<div class="lines"><table><tr>{head}</tr>{rows}</table></div>'
    return f"{table}{more}{_differences(model, comparison.differences, by)}"


def _row(item: str, line: Line, relative: bool, most: float) -> str:
    """`most`: the answer whose bar is as wide as they get; 0 for no bar."""
    what = f'<button type="button" data-item="compared:{item}">{escape(line.words)}</button>'
    wide = 100 * min(1.0, abs(_known(line.value, 0.0)) / most) if most else 0.0
    bar = f'<span style="width:{wide:.0f}%;background:{UP if line.value >= 0 else DOWN}"></span>' if most else ""
    cells = [
        f'<td class="n value">{number(line.value)}{bar}</td>',
        f'<td class="n">{percent(line.share) if math.isfinite(line.share) else "–"}</td>',
        f'<td class="n">{_apart_words(line.apart, relative)}</td>',
    ]
    return f'<tr class="{"any" * (not most)}"><td>{what}</td>{"".join(cells)}</tr>'


def _differences(model: Model, differences: list[Difference], by: str) -> str:
    if not differences:
        return "<p>Their rows are too few, or not counted, to say what else differs.</p>"
    parts = []
    for each in differences:
        title, (one, other) = escape(model.schema[each.name].title), each.shares
        parts.append(
            f"<p><b>{title}</b>: {percent(each.moved)} lie elsewhere, most at {escape(each.bin)}: "
            f"{percent(one)} of “{escape(each.one)}”, {percent(other)} of “{escape(each.other)}”.</p>"
        )
    return f"<p>Counted by the {escape(by)}, their rows differ most by</p>{''.join(parts)}"


def _apart_words(apart: float, relative: bool) -> str:
    if not math.isfinite(apart) or apart == 0:
        return "–"
    size = abs(100 * apart)
    text = (f"{size:.1f}%" if size < 10 else f"{size:,.0f}%") if relative else number(abs(apart))
    return f"{'+' if apart > 0 else '−'}{text}"


def _apart(value: float, base: float, relative: bool) -> float:
    if not relative:
        return value - base
    return value / base - 1 if base > 0 else math.nan


def _share(answers: Answers, row: int) -> float:
    if answers.rows is None or not answers.whole_rows > 0:
        return math.nan
    return float(answers.rows[row]) / answers.whole_rows


def _bare(title: str, words: str) -> str:
    """A filter's words without the attribute's title."""
    return words.removeprefix(title).strip().removeprefix("is ").strip() or words


def _known(value: float, instead: float = -math.inf) -> float:
    return float(value) if math.isfinite(value) else instead
