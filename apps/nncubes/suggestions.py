"""Lists of queries to click: what is surprising here, and what would give a wanted answer."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from learnviews.apps.nncubes.readout import number, percent
from learnviews.apps.nncubes.wording import change_words
from learnviews.kernels.cube import Query, Schema, Suggestion, Surprise

HIT = 0.01  # misses up to this, or half a row, are as good as none
STYLE = """
:host { font-size: 13px; } .bk-clearfix { display: block; width: 100%; }
ol { margin: 0; padding: 0; list-style: none; } p { margin: 2px 4px 6px; color: #33454f; }
li button { display: flex; gap: 10px; width: 100%; text-align: left; font: inherit; color: inherit; cursor: pointer;
            background: #fff; border: 0; border-bottom: 1px solid #e6ecea; padding: 4px 6px; align-items: baseline; }
li button:hover, li button:focus { background: #e3f0fa; outline: none; }
li .what { flex: 1; } li .how { flex: none; color: #4c5f69; } li b { font-weight: 600; }
.warn { background: #fff4e5; border-left: 4px solid #D55E00; padding: 3px 8px; margin: 2px 0 4px; }
"""


class Wanted(NamedTuple):
    """An answer that was asked for."""

    view: str
    bin: int
    value: float


def surprise_list(surprises: list[Surprise], version: int, within: bool) -> str:
    """HTML of what is surprising."""
    if not surprises:
        return "<p>Nothing here that independent attributes would not explain.</p>"
    items = [
        _item("surprise", version, k, escape(each.reason.replace(", within the base query", "")), "")
        for k, each in enumerate(surprises)
    ]
    where = "within the present filters" if within else "in all rows"
    return f"<p>Far from what independent attributes would give, {where}; point to preview, click to apply.</p>" + (
        f"<ol>{''.join(items)}</ol>"
    )


def wanted_list(
    schema: Schema, base: Query, wanted: Wanted, suggestions: list[Suggestion], version: int, words: tuple[str, str]
) -> str:
    """HTML of queries that give what is wanted, or come nearest."""
    asked = wanted_words(schema, wanted, words)
    if not suggestions:
        return f"<p>{escape(asked)}: no query was found.</p>"
    if is_hit(suggestions[0], wanted.value):
        head = f"<p>{escape(asked)}. Each of these does it; point to preview, click to apply.</p>"
    else:
        best = found(suggestions[0])
        head = (
            f'<div class="warn">{escape(asked)}: out of reach with these attributes. '
            f"The nearest is {escape(number(best))}.</div>"
        )
    items = [
        _item("wanted", version, k, escape(change_words(schema, base, each.query)), escape(_found_words(each, words)))
        for k, each in enumerate(suggestions)
    ]
    return f"{head}<ol>{''.join(items)}</ol>"


def wanted_words(schema: Schema, wanted: Wanted, words: tuple[str, str]) -> str:
    """What was asked for, as "rows at scheduled hour 8: 12,000 wanted"."""
    attribute = schema[wanted.view]
    label = attribute.labels()[wanted.bin]
    unit = f" {words[1]}" if words[1] else ""
    return f"Wanted: {number(wanted.value)}{unit} {words[0]} for {attribute.title} {label}"


def is_hit(suggestion: Suggestion, value: float) -> bool:
    """Does a suggestion give what is wanted."""
    return suggestion.miss <= max(HIT, 0.5 / max(1.0, abs(value)))


def found(suggestion: Suggestion) -> float:
    """The answer of a suggestion with one target, exact where that is known."""
    answers = suggestion.exact or suggestion.predicted
    return float(next(iter(answers.values())))


def _found_words(suggestion: Suggestion, words: tuple[str, str]) -> str:
    unit = f" {words[1]}" if words[1] else ""
    exact = " exactly" if suggestion.exact else ""
    off = f", off by {percent(suggestion.miss)}" if suggestion.miss > HIT else ""
    return f"gives {number(found(suggestion))}{unit}{exact}{off}"


def _item(kind: str, version: int, k: int, what: str, how: str) -> str:
    return (
        f'<li><button type="button" data-item="{kind}:{version}:{k}"><span class="what">{what}</span>'
        f'<span class="how">{how}</span></button></li>'
    )
