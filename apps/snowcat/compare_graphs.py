"""Cards with what compared models say of the nodes, links, matches and communities of graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bokeh.models import CustomJS

from learnviews.apps.snowcat.compare_card import called, key_of_compared
from learnviews.apps.snowcat.compare_results import ResultViews
from learnviews.apps.snowcat.graph_drawings import Drawn
from learnviews.apps.snowcat.pane import asks, quiet, select, text
from learnviews.kernels.search.tasks import CLUSTERING

if TYPE_CHECKING:
    from learnviews.kernels.search import Model

TOGETHER = "if (other[name] !== cb_obj[name]) other[name] = cb_obj[name]"
DATA, EVERY = "data", ""
SWITCHES = {"expected": "expected links", "predicted": "predicted links", "wrong": "only wrong ones"}


class ModelGraphs(ResultViews):
    """A node-link view per model, or of one of them, or of the training data."""

    name, title = "graphs", "Graphs"
    help = (
        "The graph as each model sees it. Nodes have the colour of their predicted label or community, those in the "
        "same colour in all figures; a cross marks the wrong ones, grey ones are not among the rows that are judged. "
        "Links are green where found, red where missed, purple and dashed where predicted wrongly. Choose what to "
        "see: all models side by side, one, or the training data. Figures move and zoom together; point and click as "
        "everywhere."
    )
    size = (12, 12)

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._view, self._color = EVERY, "prediction"
        self._shown: dict[str, bool] = {}
        self._graphs = Drawn(room, self._heard)
        self._bundled, self._asked = -1, False
        self._linked: list[Any] = []

    @classmethod
    def fits(cls, room: Any) -> bool:
        return super().fits(room) and room.data is not None and bool(room.data.graphs)

    @classmethod
    def suits(cls, problem: Any) -> bool:
        return len(problem.targets) <= 1 and problem.subtask != "multiLabel"

    def draw(self, models: list[Model]) -> None:
        from learnviews.grammar.node_link_rows import Rows

        rows = Rows(self.room.data)
        self._paired, self._models_there = rows.paired, models
        self._shown = self._shown or {"expected": True, "predicted": True, "wrong": len(rows.graphs) > 1}
        self._graphs.use(rows.graphs)
        if not self._graphs.ready():
            self._asked = True
            self.slot.html(f'<div class="row">{self.controls(models)}{quiet(self._graphs.words())}</div>')
            return
        self._asked, self._bundled = False, self._graphs.bundled
        super().draw(models)

    def _heard(self) -> None:
        """Something is new of the layout or the bundles."""
        if self._drawn is None or self.room.study is None:
            return
        try:
            ready = self._graphs.ready()
        except Exception as error:  # of the thread: whatever it is, it is told in the card
            return self.slot.problem(str(error) or type(error).__name__)
        if ready and (self._asked or self._bundled != self._graphs.bundled):
            self.redraw()
        elif not ready:
            self.slot.html(f'<div class="row">{self.controls(self._models_there)}{quiet(self._graphs.words())}</div>')

    def controls(self, models: list[Model]) -> str:
        views = {EVERY: "all models side by side", DATA: "the training data"}
        views |= {key_of_compared(self.room, model): called(model) for model in models}
        if self._view not in views:
            self._view = EVERY
        parts = [select("view", views, self._view, "What to show")]
        if self._paired:
            parts += [
                f'<label><input type="checkbox" {asks("shown", kind)}{" checked" if self._shown[kind] else ""}> '
                f"{text(words)}</label>"
                for kind, words in SWITCHES.items()
            ]
        elif self._view != DATA:
            parts.append(f"<label>Colour by {select('color', self._colors(), self._color, 'Colour by')}</label>")
        return "".join(parts)

    def _colors(self) -> dict[str, str]:
        grouped = self.problem.task in CLUSTERING
        first = {"prediction": "the community" if grouped else "the prediction"}
        if not self.problem.targets:
            return first
        return first | {"truth": "the truth"} | ({} if grouped else {"error": "right or wrong"})

    def elements(self, page: list[Model], models: list[Model], split: str) -> list[Any]:
        from learnviews.grammar import NodeLink

        told = self._graphs.told() | {"selection": self.room.rows}
        if self._view == DATA:
            return [self._of_data(NodeLink, told)]
        chosen = [model for model in models if key_of_compared(self.room, model) == self._view] or page
        color = self._color if self._color in self._colors() else "prediction"
        grouped = self.problem.task in CLUSTERING
        alike = _reference(models) if grouped and color == "prediction" else None
        kinds = {"split": None if grouped else split, "alike": alike}
        found = []
        for model in chosen:
            made = NodeLink.from_model(model, color, label=called(model), **kinds, **told)
            found.append(made.toggled(**self._shown) if self._paired else made)
            told.setdefault("node_places", made.node_places)
        return found

    def _of_data(self, kind: Any, told: dict[str, Any]) -> Any:
        problem = self.problem
        target = problem.targets[0] if problem.targets else None
        model = self._models_there[0]
        said = model.predictions
        known: dict[str, Any] = {"label": "the training data", "only": said.index[said["split"] == "train"]}
        if self._paired:
            known |= {"target": target, "positive": problem.positive}
            color = None
        else:
            color = target or ""
        return kind.from_data(model.data, None, color, **known, **told)

    def place(self, elements: list[Any]) -> list[Any]:
        self._graphs.keep(elements[0])
        plots = super().place(elements)
        if self._linked != [id(plot) for plot in plots]:
            self._linked = [id(plot) for plot in plots]
            _move_together([plot.state for plot in plots])
        self._graphs.bundle()
        return plots

    # -- what is done

    def do_view(self, told: list[Any]) -> None:
        """Show something else."""
        self._view = told[-1]
        self.redraw()

    def do_color(self, told: list[Any]) -> None:
        """Colour by something else."""
        self._color = told[-1]
        self.redraw()

    def do_shown(self, told: list[Any]) -> None:
        """Show links of a kind, or do not."""
        self._shown = {**self._shown, told[0]: bool(told[-1])}
        self.redraw()

    def close(self) -> None:
        super().close()
        self._graphs.close()


def _reference(models: list[Model]) -> Any:
    """Labels whose colours alike communities get: the truth where it is known, else those of the first model."""
    frame = models[0].predictions
    return frame["truth"] if "truth" in frame and frame["truth"].notna().any() else frame["prediction"]


def _move_together(figures: list[Any]) -> None:
    """Pan and zoom all as one."""
    for figure in figures:
        for other in figures:
            if other is figure:
                continue
            for which in ("x_range", "y_range"):
                for name in ("start", "end"):
                    args = {"other": getattr(other, which), "name": name}
                    getattr(figure, which).js_on_change(name, CustomJS(args=args, code=TOGETHER))


CARDS = (ModelGraphs,)
