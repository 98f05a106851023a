"""Cards about new rows: what the models say of them, as the views of Compare show it, and how far the rows differ."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from learnviews.apps.snowcat.card import Card
from learnviews.apps.snowcat.new_rows import EVENT, NewTable, drifted
from learnviews.apps.snowcat.new_rows_table import has_truth
from learnviews.apps.snowcat.pane import quiet, text
from learnviews.kernels.search.tasks import CLASSIFICATION

if TYPE_CHECKING:
    from learnviews.apps.snowcat.new_rows import Answers
    from learnviews.kernels.search import Drift

FIGURES = 6
LISTED = 40  # columns
WIDTH, HEIGHT = 168, 30  # pixels of a column's bars
NUMBERS = ("regression", "collaborativeFiltering", "timeSeriesForecasting")


class NewRowsView(Card):
    """Base of cards that are made, in a thread, of what was predicted."""

    steps = at_first = ("export",)
    hears = ("data", EVENT)

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._drawn: Any = None
        self._open = True

    def show(self) -> None:
        shown = NewTable.of(self.room).shown
        if shown is None or not shown.models:
            self._drawn = None
            self.slot.empty("Choose a table in the card “New rows”.")
        elif self._drawn is not shown:
            self._drawn = shown
            if not self.slot.pane.html:
                self.slot.html(quiet("…"))
            self.room.jobs.start(self.name, partial(self._tried, shown), self._came)

    def _tried(self, shown: Answers) -> Any:
        try:
            return shown, self.made(shown)
        except Exception as error:  # whatever it is, it is said in the card
            return shown, error

    def _came(self, told: Any, version: int) -> None:
        shown, found = told
        if not self._open or self._drawn is not shown:
            return
        with self.room.session.together():
            if isinstance(found, Exception):
                self.slot.problem(str(found) or type(found).__name__)
            else:
                self.place(found)

    def made(self, shown: Answers) -> Any:
        """What is to be placed; in a thread."""
        raise NotImplementedError

    def place(self, found: Any) -> None:
        """Show it."""
        raise NotImplementedError

    def close(self) -> None:
        self._open = False


class NewResults(NewRowsView):
    """The predictions of new rows in the result views."""

    name, title = "new results", "New rows: results"
    help = (
        "What each chosen model says of the new rows: where the table holds the target, as confusion matrices or "
        "residuals; "
        "else how often each prediction comes. Point at a bar or cell to light its rows in the table, click to "
        "keep them."
    )
    size = (7, 8)

    def made(self, shown: Answers) -> Any:
        """A figure per model, and what is to be said above them."""
        told = list(zip(shown.models, shown.names, strict=True))[:FIGURES]
        truth = has_truth(shown)
        problem = shown.models[0].problem
        more = len(shown.models) - len(told)
        rest = f" The first {FIGURES} models of {len(shown.models)}." if more > 0 else ""
        if problem.task == "timeSeriesForecasting" and problem.time:
            return f"The series, and dashed what is foretold of the new rows.{rest}", [self._forecast(told)]
        if truth and problem.task in NUMBERS:
            return f"Residuals: prediction less truth, on one scale.{rest}", self._residuals(told)
        if truth and problem.task in CLASSIFICATION and problem.subtask != "multiLabel" and len(problem.targets) == 1:
            return f"Of each true class, which share is taken for which.{rest}", self._matrices(told)
        return f"How often each prediction comes.{rest}", [self._histograms(told)]

    def _forecast(self, told: list[tuple[Any, str]]) -> Any:
        import pandas as pd

        from learnviews.grammar import Forecast

        first = told[0][0]
        problem, old, new = first.problem, first.source.data.frame, first.data.frame
        target = problem.targets[0]
        rows = pd.concat([old[~old.index.isin(new.index)], new])
        said = {name: _values(model, target)[1].reindex(rows.index) for model, name in told}
        groups = rows[list(problem.groups)].astype(str).agg(", ".join, axis=1) if problem.groups else None
        truth = pd.to_numeric(rows[target]) if target in rows else pd.Series(np.nan, rows.index)
        options = {"selection": self.room.rows, "model_selection": self.room.marked, "history": 3.0}
        marks = np.asarray(NewTable.of(self.room).shown.marks[: len(told)], dtype=object)
        held = rows.index.isin(new.index)
        return Forecast.from_values(rows[problem.time], truth, said, held, groups, rows.index, numbers=marks, **options)

    def _matrices(self, told: list[tuple[Any, str]]) -> list[Any]:
        from learnviews.grammar import ConfusionMatrix

        made = []
        for model, name in told:
            rows, known = model.predictions, model.source.predictions["truth"].dropna()
            classes = sorted(set(known), key=str)  # also those that no new row has
            options = {"label": name, "selection": self.room.rows}
            made.append(ConfusionMatrix.from_labels(rows["truth"], rows["prediction"], classes, **options))
        return made

    def _residuals(self, told: list[tuple[Any, str]]) -> list[Any]:
        from learnviews.grammar import Residuals

        target = told[0][0].problem.targets[0]
        values = [(*_values(model, target), name) for model, name in told]
        reach = max((float(np.nanmax(np.abs(said - true), initial=0)) for true, said, _ in values), default=0.0)
        options = {"reach": reach, "selection": self.room.rows}
        return [Residuals.from_values(true, said, label=name, **options) for true, said, name in values]

    def _histograms(self, told: list[tuple[Any, str]]) -> Any:
        import pandas as pd

        from learnviews.grammar import ColumnHistograms
        from learnviews.kernels import search

        columns = {}
        for model, name in told:
            said = [each for each in model.predictions if str(each).startswith("prediction")]
            for each in said:
                columns[name if len(said) == 1 else f"{name}, {each.removeprefix('prediction_')}"] = model.predictions[
                    each
                ]
        data = search.load(pd.DataFrame(columns), name="predictions")
        return ColumnHistograms.from_data(data, selection=self.room.rows)

    def place(self, found: Any) -> None:
        words, elements = found
        self.slot.html(quiet(words))
        for plot, element in zip(self.slot.plots(elements), elements, strict=True):
            if plot.state is not None and getattr(plot.state, "title", None) is not None:
                plot.state.title.update(text=element.label, text_font_size="12px")


class NewDrift(NewRowsView):
    """How far new rows differ from those of the training."""

    name, title = "drift", "New rows: drift"
    help = (
        "Are the new rows like those the models were trained on? Of each column both distributions, grey the "
        "training's, blue "
        "the new rows', and the share of rows that would have to move to make them alike; beside it what chance "
        "alone would "
        "make of it. Where it is marked, trust the predictions less."
    )
    size = (5, 8)

    def made(self, shown: Answers) -> list[Drift]:
        """Columns, the most different first."""
        return drifted(shown)

    def place(self, found: list[Drift]) -> None:
        clear = sum(each.clear for each in found)
        if not found:
            self.slot.html(quiet("None of the columns can be put into bins."))
            return
        words = (
            f"{clear} of {len(found)} columns differ from the training by more than chance."
            if clear
            else "No column differs from the training by more than chance."
        )
        head = (
            '<th>column</th><th>training, <span style="color:#08519c">new</span></th><th class="n">differs</th>'
            '<th class="n">by chance</th><th class="n">never seen</th>'
        )
        more = quiet(f"and {len(found) - LISTED:,} more columns that differ less") if len(found) > LISTED else ""
        body = "".join(_drift_line(each) for each in found[:LISTED])
        self.slot.html(
            f'{quiet(words)}<table class="wide"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}'
        )


def _values(model: Any, target: str) -> tuple[Any, Any]:
    rows = model.predictions
    end = f"_{target}" if f"prediction_{target}" in rows else ""
    return rows[f"truth{end}"].astype(float), rows[f"prediction{end}"].astype(float)


def _drift_line(each: Drift) -> str:
    mark = "<b>▲</b> " if each.clear else ""
    strange = f"{each.strange:.0%}" if each.strange else "–"
    return (
        f'<tr><td>{mark}{text(each.name)}</td><td>{bars(each)}</td><td class="n">{each.distance:.0%}</td>'
        f'<td class="n quiet">{each.chance:.0%}</td><td class="n">{strange}</td></tr>'
    )


def bars(each: Drift) -> str:
    """Both distributions of a column as SVG: grey bars, and a blue line above them."""
    before, after = (counts / max(counts.sum(), 1) for counts in (each.before, each.after))
    high = max(before.max(initial=0), after.max(initial=0), 1e-12)
    wide = WIDTH / max(len(before), 1)
    parts = []
    for at, (was, now, label) in enumerate(zip(before, after, each.bins.labels, strict=True)):
        top, line = HEIGHT * (1 - was / high), HEIGHT * (1 - now / high)
        x = at * wide
        parts.append(
            f"<g><title>{text(label)}: {was:.1%} of the training, {now:.1%} of the new rows</title>"
            f'<rect x="{x:.1f}" y="0" width="{wide:.1f}" height="{HEIGHT}" fill="#fff" fill-opacity="0"/>'
            f'<rect x="{x:.1f}" y="{top:.1f}" width="{max(wide - 1, 0.5):.1f}" height="{HEIGHT - top:.1f}" '
            'fill="#c3cdc8"/>'
            f'<rect x="{x:.1f}" y="{min(line, HEIGHT - 1.5):.1f}" width="{max(wide - 1, 0.5):.1f}" height="1.8" '
            'fill="#08519c"/></g>'
        )
    words = f"{each.name}: share of rows per bin, training and new rows"
    return f'<svg width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{text(words)}">{"".join(parts)}</svg>'


CARDS = (NewResults, NewDrift)
