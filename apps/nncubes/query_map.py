"""The map of queries in the page: a dot per selection of an attribute, to point at, to click and to compare."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import column
from bokeh.models import ColorBar, ColumnDataSource, CustomJS, Div, NumeralTickFormatter, Scatter, Select, Spacer
from holoviews import Dimension

from learnviews.apps.jobs import Jobs
from learnviews.apps.nncubes.comparison import STYLE, Comparison, compare, comparison_list
from learnviews.apps.nncubes.selections import Answers, answers
from learnviews.apps.nncubes.shelf import aggregate_words
from learnviews.grammar.query_map import QueryChoice, QueryMap
from learnviews.kernels.cube import Query

if TYPE_CHECKING:
    from learnviews.apps.nncubes.explorer import Explorer

NAMED = 31  # single bins with their names beside them
LOOKING = "<p>Looking…</p>"
ONE_BIN = "<p>{} has a single bin: there is nothing to choose from.</p>"
HINT = (
    "<p>A dot is a selection of {}, single ones outlined in black; near each other are those whose answers are alike, "
    "whatever the other filters; the colour is the answer under the present ones. Point at a dot to preview it, click "
    "to apply it; a ring is around the filter that is applied.</p>"
    "<p><b>Compare</b>: draw a lasso around several, or click them with Shift.</p>"
)
# What is clicked is what is previewed, else the nearest dot. The serial number tells clicks on the same dot apart.
TAP = """
const {x, y} = dots.data, {shift, ctrl} = cb_obj.modifiers, {x_range, y_range, inner_width, inner_height} = figure
let row = pointed.data.row.length ? pointed.data.row[0] : -1
for (let k = 0, least = 10; row < 0 && k < x.length; k++) {
  const across = (x[k] - cb_obj.x) / (x_range.end - x_range.start) * inner_width
  const far = Math.hypot(across, (y[k] - cb_obj.y) / (y_range.end - y_range.start) * inner_height)
  if (far < least) [row, least] = [k, far]
}
const {indices} = dots.selected
if (row < 0) dots.selected.indices = []
else if (!shift && !ctrl) clicked.data = {row: [row], serial: [(clicked.data.serial[0] ?? 0) + 1]}
else dots.selected.indices = indices.includes(row) ? indices.filter((k) => k !== row) : [...indices, row]
"""


class QueryPanel:
    """The query map of one session: computed while its tab is open, once the brush rests.

    Parameters
    ----------
    explorer : Explorer

    Attributes
    ----------
    items : dict of Query
        Compared selections that can be clicked, by the name that the page knows them under.
    """

    def __init__(self, explorer: Explorer) -> None:
        self.page = explorer
        self.projected = Select(sizing_mode="stretch_width", margin=0)
        self.compared = Div(sizing_mode="stretch_width", margin=0, stylesheets=[STYLE])
        self.queries = column(Spacer(), sizing_mode="stretch_both")
        self.choice = QueryChoice()
        self.items: dict[str, Query] = {}
        self.open = False
        self._jobs = Jobs(explorer.session, explorer.tell)
        self._answers: Answers | None = None
        self._plot: Any = None
        self._shown_for: Any = None
        self._now = ColumnDataSource({"x": [], "y": []})
        self._clicked = ColumnDataSource({"row": [], "serial": []})
        self._clicked.on_change("data", self._click)
        self.projected.on_change("value", lambda name, old, new: self._turn())
        self.choice.add_subscriber(self._chosen)

    def placed(self) -> dict[str, Any]:
        """Name of the root in the page, and the model."""
        return {"projected": self.projected, "queries": self.queries, "compared": self.compared}

    # -- what it is of

    def forget(self) -> None:
        """Nothing is shown: of another model or aggregate there will be other dots."""
        for kind in ("answers", "comparison"):
            self._jobs.cancel(kind)
        self._answers = self._plot = self._shown_for = None
        self.items, self.compared.text = {}, ""
        self.queries.children = [Spacer()]

    def renew(self) -> None:
        """Of the model and aggregate that are on show now."""
        self.forget()
        model = self.page.model
        if model is None:
            return
        names = [(each.name, each.title) for each in model.schema]
        if self.projected.options != names:
            self.projected.options = names
            if self.projected.value not in model.schema:
                self.projected.value = names[0][0]

    def show(self, open: bool) -> None:
        """Its tab was opened or closed."""
        self.open = open
        self.look()

    def _turn(self) -> None:
        """Another attribute was chosen."""
        self.choice.preview(None)
        self._drop_comparison()
        self._answers = None
        self.look()

    # -- answers

    def look(self) -> None:
        """Have the answers under the present query looked up, if anybody can see them."""
        page, name = self.page, self.projected.value
        if not self.open or page.model is None or name not in page.model.schema:
            return
        now = (id(page.model), self._exact, page.aggregate, name, page.query)
        if self._shown_for == now:
            return
        self._shown_for = now
        one = page.model.schema[name]
        if one.bins < 2:
            self._jobs.cancel("answers")
            self.queries.children, self._plot = [Spacer()], None
            self.compared.text = ONE_BIN.format(one.title)
            return
        if self._answers is None:
            self.compared.text = LOOKING
        work = partial(answers, page.model, self._source(), page.query, name, page.aggregate)
        self._jobs.start("answers", work, self._lay)

    def _source(self) -> Any:
        model = self.page.model
        return model.exact if model is not None and self._exact else model

    @property
    def _exact(self) -> bool:
        return self.page.exact and self.page.model is not None and self.page.model.exact is not None

    def _lay(self, found: Answers, version: int) -> None:
        """Draw what was found."""
        model = self.page.model
        if model is None:
            return
        new = self._answers is None or self._answers.laid is not found.laid
        self._answers = found
        element = self._element(found)
        if self._plot is None:
            self._plot = self._drawn(element)
            self._title()  # before there is a figure in the page: Bokeh leaves no room for a title that comes later
            self.queries.children = [self._plot.state]
        else:
            self._plot.named = self._named(found.laid.name)
            self._plot.patch(element, fit=new)
        self._now.data = {"x": [found.now[0]], "y": [found.now[1]]} if found.now else {"x": [], "y": []}
        self._title()
        if new:
            self.choice.choose([])
            self._plot.handles["source"].selected.indices = []
        self._compare()

    def _element(self, found: Answers) -> QueryMap:
        laid = found.laid
        table = {
            "x": laid.places[:, 0],
            "y": laid.places[:, 1],
            "value": found.values,
            "label": np.array(laid.labels, dtype=object),
            "bins": laid.masks.sum(1),
        }
        title, unit = self._words()
        vdims = [Dimension(("value", title), unit=unit or None), Dimension("label"), Dimension("bins")]
        known = {"filters": laid.filters, "attribute": laid.name, "choice": self.choice}
        return QueryMap(table, vdims=vdims, datatype=["dictionary"], **known)

    def _drawn(self, element: QueryMap) -> Any:
        """A plot of its own per model and aggregate: other values have other words."""
        tools = ["lasso_select", "pan", "wheel_zoom", "reset", "hover"]
        options: dict[str, Any] = {
            "tools": tools,
            "active_tools": ["lasso_select", "wheel_zoom"],
            "height": None,
            "min_height": 120,
        }
        options["named"] = self._named(element.attribute)
        plot = self.page.session.plot(element.opts(**options))
        figure, source = plot.state, plot.handles["source"]
        figure.sizing_mode = "stretch_both"
        figure.update(name="query map", min_border_left=6, min_border_right=2, min_border_bottom=4)
        ring = Scatter(x="x", y="y", size=26, fill_alpha=0, line_color="#D55E00", line_width=2.5)
        figure.add_glyph(self._now, ring, name="now")
        bar = ColorBar(
            color_mapper=plot.handles["color_mapper"],
            width=9,
            padding=4,
            formatter=NumeralTickFormatter(format="0.[0]a"),
            major_label_text_font_size="10px",
        )
        figure.add_layout(bar, "right")
        pointed = plot.handles["pointed_source"]
        args = {"dots": source, "pointed": pointed, "clicked": self._clicked, "figure": figure}
        tapped = CustomJS(args=args, code=TAP)
        for event in ("tap", "doubletap"):  # the second of two quick taps, wherever it is, is told as a double one
            figure.js_on_event(event, tapped)
        plot.handles["hover"].update(limit=1, visible=False)  # the one that is previewed
        return plot

    def _named(self, attribute: str) -> int:
        """How many bins the map names: no cells, whose names are long."""
        model = self.page.model
        return 0 if model is None or len(model.schema[attribute].shape) == 2 else NAMED

    def _title(self) -> None:
        model, found = self.page.model, self._answers
        if model is not None and found is not None:
            title, unit = self._words()
            what = f"{title}{f' ({unit})' if unit else ''} by {model.schema[found.laid.name].title}"
            text = f"{what}  ·  {'exact' if self._exact else 'model'}"
            self._plot.state.title.update(
                text=text, text_font_size="12px", text_color="#33454f", text_font_style="normal"
            )

    def _words(self) -> tuple[str, str]:
        model = self.page.model
        return ("", "") if model is None else aggregate_words(model.schema, self.page.aggregate)

    # -- pointing, clicking, comparing

    def _chosen(self, chosen: list[int], previewed: int | None) -> None:
        if self._answers is None:
            return
        self.page.preview(None if previewed is None else self._query(previewed))
        if chosen != self._compared:
            self._compare()

    _compared: list[int] | None = None

    def _click(self, attr: str, old: Any, new: Any) -> None:
        row = int(new["row"][0])
        if self._answers is not None and row < len(self._answers.laid.filters):
            self.page.go(self._query(row))

    def _query(self, row: int) -> Query:
        """The present query with a selection in the place of the attribute's own filter."""
        assert self._answers is not None
        laid = self._answers.laid
        return self.page.query.replace(**{laid.name: laid.filters[row]})

    def _compare(self) -> None:
        """Have the chosen selections compared; with fewer than two, say what can be done."""
        model, found = self.page.model, self._answers
        if model is None or found is None:
            return
        self._compared = chosen = list(self.choice.chosen)
        if len(chosen) < 2:
            self._jobs.cancel("comparison")
            self.items, self.compared.text = {}, HINT.format(model.schema[found.laid.name].title)
            return
        work = partial(compare, model, self._source(), self.page.query, found, chosen, self.page.aggregate)
        self._jobs.start("comparison", work, self._show_comparison)

    def _show_comparison(self, found: Comparison, version: int) -> None:
        model = self.page.model
        if model is None or self._answers is None:
            return
        self.items = {f"compared:{version}:{k}": each.query for k, each in enumerate(found.lines)}
        by = "exact cube" if self._exact else "model"
        self.compared.text = comparison_list(model, found, self._answers.laid.name, self._words(), version, by)

    def _drop_comparison(self) -> None:
        self._jobs.cancel("comparison")
        self.items = {}
        self.choice.choose([])
        if self._plot is not None:
            self._plot.handles["source"].selected.indices = []
