"""Assembling the page: figures, data, scripts and styles in one HTML text, and that text in one file."""

from __future__ import annotations

import html
import json
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

from bokeh.document import Document
from bokeh.embed.util import standalone_docs_json_and_render_items
from bokeh.resources import Resources

from ...kernels.cube.aggregates import label
from ...kernels.cube.model import Model
from ...kernels.cube.report import rows
from ...kernels.cube.spatial import Spatial
from ...kernels.store import StoreError
from .data import model_data
from .figures import figure_of, query_figure

SCRIPTS = (
    "engine.js",
    "regions.js",
    "words.js",
    "invert.js",
    "project.js",
    "state.js",
    "views.js",
    "gestures.js",
    "compare.js",
    "page.js",
)
ROOTS = "root-"


def write_page(model: Model, path: Path, title: str | None = None) -> Path:
    """Write `page_html` to `path`, whole or not at all; StoreError if that cannot be done."""
    text = page_html(model, title)
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        if part.is_file():
            part.unlink(missing_ok=True)
        raise StoreError(f"{path}: could not write the page: {error.strerror or error}") from error
    return path


def page_html(model: Model, title: str | None = None) -> str:
    """The page as text.

    Raises
    ------
    ValueError
        If the model is none that a page can hold; see `data.check`.
    """
    data = model_data(model)
    title = title or f"{', '.join(map(label, model.aggregates))} by {', '.join(each.title for each in model.schema)}"
    template = _file("page.html")
    holes = {
        "title": html.escape(title),
        "style": _file("page.css"),
        "views": "\n".join(_view(number, attribute) for number, attribute in enumerate(model.schema)),
        "card": _card(model),
        "bokeh": "\n".join(f"<script>{script}</script>" for script in _bokeh()),
        "figures": _json(_figures(model)),
        "model": _json(data),
        "script": "\n".join(_file(name) for name in SCRIPTS),
    }
    pieces = template.split("%%")  # text, hole, text, hole, ..., text
    return "".join(holes[piece] if k % 2 else piece for k, piece in enumerate(pieces))


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _bokeh() -> list[str]:
    """Bokeh's own script, without those for widgets, tables or formulas."""
    return [raw for raw in Resources(mode="inline", components=["bokeh"]).js_raw if "</script" not in raw.lower()]


def _json(value: Any) -> str:
    """JSON that ends no script element, whatever names it holds."""
    return json.dumps(value, allow_nan=False).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _figures(model: Model) -> dict[str, Any]:
    plots = [figure_of(number, attribute) for number, attribute in enumerate(model.schema)]
    document = Document()
    for plot in [*plots, query_figure()]:
        document.add_root(plot)
    docs, items = standalone_docs_json_and_render_items(document)
    placed = [item.to_json() for item in items]
    names = {root.id: str(root.name) for root in document.roots}
    for item in placed:
        item["roots"] = {root: ROOTS + names[root] for root in item["roots"]}
    return {"docs": docs, "items": placed}


def _view(number: int, attribute: Any) -> str:
    unit = f" <small>({html.escape(attribute.unit)})</small>" if attribute.unit else ""
    spatial = isinstance(attribute, Spatial)
    modes = "".join(
        f'<button type="button" class="mode" data-mode="{mode}" aria-pressed="{pressed}">{mode}</button>'
        for mode, pressed in (("box", "true"), ("lasso", "false"), ("pan", "false"))
    )
    missing = '<button type="button" class="missing">missing</button>' if spatial and attribute.missing else ""
    return f"""<section class="view{" map" if spatial else ""}" data-view="{number}">
<header><h2>{html.escape(attribute.title)}{unit}</h2><span class="filter"></span>{missing}{modes if spatial else ""}
<button type="button" class="clear" title="clear this filter" aria-label="clear this filter" hidden>✕</button></header>
<div class="plot" id="{ROOTS}figure:{number}"></div></section>"""


def _card(model: Model) -> str:
    """Rows, sizes and errors, as tables."""
    about = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in rows(model)
    )
    return f"<table>{about}</table>" + "".join(_errors(model, aggregate) for aggregate in model.aggregates)


def _errors(model: Model, aggregate: Any) -> str:
    error = model.errors[aggregate]
    lines = [("all views", error.overall, error.independence)]
    lines += [
        (model.schema[name].title, error.views[name], error.independence_views[name]) for name in model.schema.names
    ]
    body = "".join(f"<tr><th>{html.escape(name)}</th><td>{a:.4f}</td><td>{b:.4f}</td></tr>" for name, a, b in lines)
    caption = f"relative absolute error of {html.escape(label(aggregate))}, {error.queries:,} held-out queries"
    head = "<tr><th>view</th><th>model</th><th>independence</th></tr>"
    return f"<table><caption>{caption}</caption>{head}{body}</table>"
