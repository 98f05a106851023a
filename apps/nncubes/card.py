"""The card of a model: what it was made of, how large it is, how far off."""

from __future__ import annotations

from html import escape
from typing import Any

from learnviews.kernels.cube import Model
from learnviews.kernels.cube.report import size

STYLE = """
:host { font-size: 12.5px; }
.bk-clearfix { display: block; width: 100%; }
.card { display: flex; gap: 14px; align-items: flex-start; } table { border-collapse: collapse; }
td, th { padding: 1px 8px 1px 0; text-align: left; font-weight: 400; white-space: nowrap; vertical-align: top; }
th { color: #4c5f69; } td.n { text-align: right; font-variant-numeric: tabular-nums; }
tr.head td, tr.head th { color: #4c5f69; border-bottom: 1px solid #d5dedb; } tr.all td { font-weight: 600; }
"""


def facts(model: Model) -> list[tuple[str, str]]:
    """Name and value of what is known of a model."""
    about = model.about
    out = [("model", f"{size(model.nbytes)}, {model.floats:,} numbers")]
    if "rows" in about:
        left = f", {about['left_out']:,} left out" if about.get("left_out") else ""
        out.insert(0, ("rows", f"{about['rows']:,}{left}"))
        out.append(("exact cube, dense", size(about["dense_bytes"])))
        out.append(("exact cube, sparse", f"{size(about['sparse_bytes'])}, {about['occupied']:,} cells"))
    if "seconds" in about:
        out.append(("training", f"{about['seconds']:.1f} s on {about['queries']:,} queries"))
    if "table" in about:
        out.insert(0, ("table", about["table"]["name"]))
    out.append(("bins", f"{model.schema.bins:,} in {len(model.schema)} views"))
    return out


def card(model: Model, aggregate: Any) -> str:
    """HTML of the card; errors are those of the aggregate on show."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts(model))
    error = model.errors[aggregate]
    head = '<tr class="head"><th>error</th><td class="n">model</td><td class="n">independent</td></tr>'
    lines = [_line("all views", error.overall, error.independence, "all")]
    lines += [
        _line(model.schema[name].title, value, error.independence_views[name]) for name, value in error.views.items()
    ]
    return f'<div class="card"><table>{rows}</table><table>{head}{"".join(lines)}</table></div>'


def _line(name: str, model: float, independence: float, kind: str = "") -> str:
    cells = "".join(f'<td class="n">{share(each)}</td>' for each in (model, independence))
    return f'<tr class="{kind}"><td>{escape(name)}</td>{cells}</tr>'


def share(error: float) -> str:
    """A relative error for people."""
    return f"{100 * error:.1f}%" if error < 10 else "over 1000%"
