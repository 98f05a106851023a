"""What the dialog for one's own data shows: HTML, in which `data-do` says what the page asks the server for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from learnviews.apps.nncubes.proposal import AGGREGATES, QUALITIES, Line, Measure, Proposal
from learnviews.apps.nncubes.readout import number
from learnviews.kernels.cube.report import size

QUALITY_WORDS = {"quick": "quick: seconds, for a first look", "good": "good: about a minute, smaller errors"}


def alert(text: str) -> str:
    """A message."""
    return f'<div class="alert" role="alert">{escape(text)}</div>' if text else ""


def start_html(tables: Sequence[tuple[str, str, int, bool]], limit: int, problem: str = "") -> str:
    """Where a file is chosen: `tables` are (path, name, bytes, learned) of those the server was started with."""
    listed = ""
    if tables:
        rows = "".join(_table_row(*each) for each in tables)
        listed = f'<h3>Tables of this server</h3><table class="tables">{rows}</table>'
    if not limit:
        drop = (
            '<p class="quiet">This server takes no uploads. Start it with a file: '
            "<code>learnviews serve FILE</code></p>"
        )
    else:
        drop = (
            '<div class="drop"><p><b>Drop a table here</b>, or</p>'
            '<button type="button" class="plain main" id="data-choose" data-choose>Choose a file…</button>'
            f"<p>CSV (also .csv.gz) or Parquet, up to {size(limit)}.</p>"
            '<p class="quiet">It goes to the server of this page only, and is deleted there when you leave. '
            "What is learned from it is kept. A larger one: <code>learnviews serve FILE</code></p></div>"
        )
    return f"{alert(problem)}{drop}{listed}"


def _table_row(path: str, name: str, held: int, learned: bool) -> str:
    buttons = _button("Open", "table", path)
    if learned:
        buttons = _button("Open", "table", path) + _button("Learn anew", "anew", path)
    shown = size(held) if held >= 0 else "gone"
    state = "learned" if learned else "not learned yet"
    return f'<tr><th>{escape(name)}</th><td class="n">{shown}</td><td>{state}</td><td>{buttons}</td></tr>'


def _button(label: str, word: str, argument: Any) -> str:
    asked = escape(json.dumps([word, argument]), quote=True)
    return f'<button type="button" class="plain" data-do="{asked}">{escape(label)}</button> '


def busy_html(title: str, words: str = "", hint: str = "") -> str:
    """While something goes on: a bar, which the page's script moves."""
    hint = f'<p class="quiet">{escape(hint)}</p>' if hint else ""
    return (
        f'<div class="busy"><h3>{escape(title)}</h3><div class="bar"><i></i></div>'
        f'<p class="how" role="status">{escape(words)}</p>{hint}</div>'
    )


def failed_html(title: str, problem: str) -> str:
    """What went wrong."""
    return f"<h3>{escape(title)}</h3>{alert(problem)}"


# -- the schema


def editor_html(proposal: Proposal, problem: str = "") -> str:
    """The attributes, measures and settings of a proposal, to be edited."""
    lines = "".join(_line(place, line) for place, line in enumerate(proposal.lines))
    head = "".join(f"<th>{each}</th>" for each in ("", "Column", "Title", "Bins by", "Bins", "In it", "Missing"))
    return (
        f'{alert(problem)}<p class="quiet"><b>{escape(proposal.name)}</b>: {proposal.rows:,} rows, '
        f"{proposal.columns} column{'s' * (proposal.columns != 1)}. Each attribute becomes a view and a filter.</p>"
        f'<div class="schema"><div class="attributes"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table>"
        f"{_left_out(proposal)}</div>"
        f'<div class="more">{_quality(proposal)}{_measures(proposal)}{_maps(proposal)}</div></div>'
    )


def _line(place: int, line: Line) -> str:
    asked = _asked("edit", place)
    made = line.attribute
    kinds = "".join(_option(key, words, key == line.kind) for key, words in line.kinds.items())
    kind = f'<select id="k{place}" {asked}="kind" aria-label="Bins by">{kinds}</select>'
    if len(line.kinds) == 1:
        kind = escape(next(iter(line.kinds.values())))
    bins = f'<input id="b{place}" {asked}="bins" type="number" value="{line.bins}" aria-label="Bins">'
    found = "" if made is None else " × ".join(map(str, made.shape))
    if not line.counted:
        bins = f'<span class="n">{found}</span>'
    elif made is not None and set(made.shape) != {line.bins}:
        bins += f' <small title="bins that there are">{found}</small>'
    name = " and ".join(line.columns)
    cells = [
        f'<input id="t{place}" {asked}="taken" type="checkbox" aria-label="Take {escape(line.name)}" '
        f"{'checked' if line.taken else ''}>",
        f'<label for="t{place}">{escape(name)}</label>',
        f'<input id="n{place}" {asked}="title" type="text" value="{escape(line.title)}" aria-label="Title">',
        kind,
        bins,
        escape(line.preview),
        _gaps(line),
    ]
    row = "".join(
        f'<td class="c{k}" title="{escape(line.preview) if k == 5 else ""}">{c}</td>' for k, c in enumerate(cells)
    )
    error = (
        f'<tr class="wrong"><td></td><td colspan="6" role="alert">{escape(line.error)}</td></tr>' if line.error else ""
    )
    return f'<tr class="{"" if line.taken else "off"}">{row}</tr>{error}'


def _gaps(line: Line) -> str:
    """What share of the rows has no value, or an infinite one."""
    missing = f"{100 * line.missing:.1f}%" if line.missing else ""
    infinite = f"{100 * line.infinite:.1f}% infinite, left out" if line.infinite else ""
    return ", ".join(filter(None, (missing, infinite)))


def _asked(word: str, *rest: Any) -> str:
    """An attribute of an input: what its change asks for, before the value."""
    return f'data-ask="{escape(json.dumps([word, *rest]), quote=True)}" data-what'


def _option(value: str, words: str, chosen: bool) -> str:
    return f'<option value="{escape(value)}"{" selected" if chosen else ""}>{escape(words)}</option>'


def _left_out(proposal: Proposal) -> str:
    if not proposal.left_out:
        return ""
    items = "".join(f"<li><b>{escape(name)}</b>: {escape(why)}</li>" for name, why in proposal.left_out.items())
    return f"<h3>Left out</h3><ul>{items}</ul>"


def _quality(proposal: Proposal) -> str:
    shown = "".join(
        f'<label><input id="q{name}" type="radio" name="quality" value="{name}" {_asked("quality")}="" '
        f"{'checked' if name == proposal.quality else ''}> {escape(QUALITY_WORDS[name])}</label>"
        for name in QUALITIES
    )
    return f'<h3>Learn it</h3><div class="choice">{shown}</div>'


def _measures(proposal: Proposal) -> str:
    if not proposal.measures:
        return '<h3>Add up</h3><p class="quiet">Rows are counted. No column holds numbers to add up.</p>'
    rows = "".join(_measure(place, each) for place, each in enumerate(proposal.measures))
    head = "<tr><th></th><th>sum</th><th>mean</th></tr>"
    return f'<h3>Add up</h3><p class="quiet">Rows are counted; add for a column its</p><table>{head}{rows}</table>'


def _measure(place: int, measure: Measure) -> str:
    boxes = "".join(
        f'<td><input id="m{place}{each}" type="checkbox" {_asked("measure", measure.name)}="{each}" '
        f'aria-label="{each} of {escape(measure.name)}" {"checked" if each in measure.wanted else ""}></td>'
        for each in AGGREGATES
    )
    refused = (
        f'<tr class="wrong"><td colspan="3" role="alert">{escape(measure.error)}</td></tr>' if measure.error else ""
    )
    title = f' title="{escape(measure.refused)}"' if measure.refused else f' title="{escape(measure.preview)}"'
    return f'<tr class="{"off" if measure.refused else ""}"><td{title}>{escape(measure.name)}</td>{boxes}</tr>{refused}'


def _maps(proposal: Proposal) -> str:
    axes = proposal.axes
    if len(axes) < 2:
        return ""
    options = [_option("", "…", True), *(_option(name, name, False) for name in axes)]
    selects = " ".join(
        f'<select id="map{axis}" aria-label="{axis} of a map">{"".join(options)}</select>' for axis in "xy"
    )
    return (
        f'<h3>Map of two columns</h3><div class="choice maps"><span>x, y:</span> {selects} '
        '<button type="button" class="plain" data-map>Add</button></div>'
    )


def summary(proposal: Proposal) -> str:
    """What is chosen, in a line: for the foot of the dialog."""
    wanted = len(proposal.aggregates()) - 1
    more = f", {wanted} sums or means" if wanted > 1 else ", 1 sum or mean" if wanted else ""
    count = len(proposal.taken)
    return f"{count} view{'' if count == 1 else 's'}, {number(proposal.bins)} bins{more}"
