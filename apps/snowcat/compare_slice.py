"""Card with the scores of models on the rows that are kept, and on all others."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from learnviews.apps.snowcat.compare_card import RowsCard, name_cell
from learnviews.apps.snowcat.pane import model_mark, quiet, select, text
from learnviews.kernels import search
from learnviews.kernels.figures import figure
from learnviews.kernels.search import METRICS

if TYPE_CHECKING:
    import pandas as pd

    from learnviews.kernels.search import Model

DRAWS = 200


class Slice(RowsCard):
    """Scores on the kept rows against those on the rest."""

    name, title = "slice", "Slice"
    help = (
        "How good the models are on the rows you keep (click a cell, bar or row; with Shift add more), and on all "
        "others, with 95% intervals: where do they fail? The card “Columns” shows what sets these rows apart."
    )
    at_first = ("compare",)
    size = (4, 8)

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._metric: str | None = None

    def draw(self, models: list[Model]) -> None:
        from learnviews.kernels.search.scores import metrics_of

        there = metrics_of(self.problem)
        if self._metric not in there:
            self._metric = there[0]
        kept = self.room.rows.kept
        if not len(kept):
            self.slot.html(
                quiet("Click a cell, bar, dot or row in any card: its rows are kept, and judged apart here.")
            )
            return
        self.later(partial(self._found, list(models), kept, self._metric), self._write)

    def _found(self, models: list[Model], kept: np.ndarray, metric: str) -> tuple[pd.DataFrame, int]:
        known = models[0].data.frame.index
        ids = [each for each in kept if each in known]
        return search.sliced(models, ids, metrics=[metric], n=DRAWS), len(ids)

    def _write(self, found: tuple[pd.DataFrame, int]) -> None:
        table, kept = found
        there = table[table["part"] == "slice"].set_index("number")
        rest = table[table["part"] == "rest"].set_index("number")
        judged = int(there["rows"].iloc[0]) if len(there) else 0
        metric = str(self._metric)
        from learnviews.kernels.search.scores import metrics_of

        named = {name: METRICS[name].title or name for name in metrics_of(self.problem)}
        split = "held-out" if table.attrs["split"] == "holdout" else "folds'"
        rows = "row is" if kept == 1 else "rows are"
        said = f"{judged:,} of the {kept:,} kept {rows} among the {split} rows, where models are judged."
        lines = "".join(
            f"<tr {model_mark(model.number)}>{name_cell(model)}{_cell(there.loc[model.number])}"
            f"{_cell(rest.loc[model.number])}"
            f"<td>{_verdict(there.loc[model.number], rest.loc[model.number], metric)}</td></tr>"
            for model in self._models
            if model.number in there.index
        )
        why = next((each for each in there["why"] if each), "") if judged else ""
        self.slot.html(
            f'<div class="row">{select("metric", named, metric, "Metric")}</div>{quiet(said)}'
            + (quiet(f"Not defined on the kept rows: {why}.") if why else "")
            + '<table class="wide"><thead><tr><th>model</th><th class="n">kept rows</th><th '
            'class="n">others</th><th></th></tr></thead>'
            f"<tbody>{lines}</tbody></table>"
        )

    def do_metric(self, told: list[Any]) -> None:
        """Judge by another metric."""
        self._metric = told[-1]
        self.redraw()


def _cell(row: Any) -> str:
    if not np.isfinite(row["value"]):
        return f'<td class="n" title="{text(row["why"])}">–</td>'
    between = f"{figure(row['low'], 3)} – {figure(row['high'], 3)}"
    return f'<td class="n">{figure(row["value"])}<small style="display:block">{between}</small></td>'


def _verdict(there: Any, rest: Any, metric: str) -> str:
    """In a word how the kept rows compare, as far as the intervals tell."""
    ends = [there["low"], there["high"], rest["low"], rest["high"]]
    if not np.isfinite(ends).all():
        return ""
    above, below = ends[0] > ends[3], ends[1] < ends[2]
    if not (above or below):
        return '<span class="quiet">no clear difference</span>'
    return "better here" if above == METRICS[metric].larger_is_better else "<b>worse here</b>"


CARDS = (Slice,)
