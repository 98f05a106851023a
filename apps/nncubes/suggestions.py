"""Lists of queries to click: what is surprising here, and what would give a wanted answer."""

from __future__ import annotations

import json
import math
from html import escape

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
.asked { margin: 2px 4px 4px; color: #33454f; }
.chip { display: inline-block; background: #fff0e3; border: 1px solid #e9a36a; border-radius: 10px;
        padding: 0 2px 0 8px; margin: 0 2px 2px 0; }
.chip button { font: inherit; border: 0; background: none; cursor: pointer; padding: 0 5px; border-radius: 8px; }
.chip button:hover, .chip button:focus { background: #D55E00; color: #fff; outline: none; }
.warn { background: #fff4e5; border-left: 4px solid #D55E00; padding: 3px 8px; margin: 2px 0 4px; }
"""


# Answers that were asked for, by view and bin; None: the total, under the schema's first attribute.
Wanted = dict[tuple[str, int | None], float]


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
    asked = asked_list(schema, wanted, words)
    if not suggestions:
        return f"{asked}<p>No query was found.</p>"
    counted = words[0] == "rows"
    if is_hit(suggestions[0], wanted, counted):
        head = "<p>Each of these does it, or says how far off it is; point to preview, click to apply.</p>"
    else:
        head = f'<div class="warn">{escape(nearest_words(schema, wanted, suggestions[0], words))}</div>'
    items = [
        _item("wanted", version, k, escape(change_words(schema, base, each.query)), escape(_found_words(each, words)))
        for k, each in enumerate(suggestions)
    ]
    return f"{asked}{head}<ol>{''.join(items)}</ol>"


def asked_list(schema: Schema, wanted: Wanted, words: tuple[str, str]) -> str:
    """HTML of what was asked for, each to be dropped by a click: "Wanted rows: scheduled hour 8 12,000"."""
    chips = []
    for key, value in wanted.items():
        name, of = escape(place_words(schema, key)), escape(json.dumps(key))
        chips.append(
            f'<span class="chip">{name} <b>{number(value)}</b><button type="button" data-drop="{of}" '
            f'title="No longer wanted" aria-label="{name} is no longer wanted">×</button></span>'
        )
    unit = f" ({escape(words[1])})" if words[1] else ""
    return f'<div class="asked">Wanted {escape(words[0])}{unit}: {" ".join(chips)}</div>'


def place_words(schema: Schema, key: tuple[str, int | None]) -> str:
    """Which answer is meant: "scheduled hour 8", "the total"."""
    view, bin = key
    return "the total" if bin is None else f"{schema[view].title} {schema[view].labels()[bin]}"


def nearest_words(schema: Schema, wanted: Wanted, nearest: Suggestion, words: tuple[str, str]) -> str:
    """What cannot be had, and what comes nearest to it."""
    unit = f" {words[1]}" if words[1] else ""
    given = found(nearest)
    if len(wanted) == 1:
        return f"Out of reach with these attributes. The nearest is {number(next(iter(given.values())))}{unit}."
    counted = words[0] == "rows"
    parts = []
    for key, value in wanted.items():
        short = "" if _is_near(nearest, key, value, counted) else f" instead of {number(value)}"
        parts.append(f"{place_words(schema, key)} {number(given[key])}{unit}{short}")
    return f"All at once this is out of reach with these attributes. The nearest is {'; '.join(parts)}."


def is_hit(suggestion: Suggestion, wanted: Wanted, counted: bool = True) -> bool:
    """Does a suggestion give all that is wanted."""
    return all(_is_near(suggestion, key, value, counted) for key, value in wanted.items())


def _is_near(suggestion: Suggestion, key: tuple[str, int | None], value: float, counted: bool) -> bool:
    return suggestion.misses[key] <= (max(HIT, 0.5 / max(1.0, abs(value))) if counted else HIT)


def found(suggestion: Suggestion) -> Wanted:
    """The answers of a suggestion, exact where these are known."""
    return suggestion.exact or suggestion.predicted


def _found_words(suggestion: Suggestion, words: tuple[str, str]) -> str:
    unit = f" {words[1]}" if words[1] else ""
    exact = " exactly" if suggestion.exact else ""
    most = max(suggestion.misses.values())
    far = percent(most) if math.isfinite(most) else "no answer"
    off = f", off by {far}" if most > HIT else ""
    given = " · ".join(number(each) for each in found(suggestion).values())
    return f"gives {given}{unit}{exact}{off}"


def _item(kind: str, version: int, k: int, what: str, how: str) -> str:
    return (
        f'<li><button type="button" data-item="{kind}:{version}:{k}"><span class="what">{what}</span>'
        f'<span class="how">{how}</span></button></li>'
    )
