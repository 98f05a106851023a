"""Card with one row: its values, its truth, and what each compared model says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from learnviews.apps.snowcat.compare_card import RowsCard, name_cell
from learnviews.apps.snowcat.pane import button, model_mark, quiet, row_mark, text
from learnviews.apps.snowcat.row_values import value_html
from learnviews.kernels.figures import figure
from learnviews.kernels.search.tasks import CLUSTERING

if TYPE_CHECKING:
    from learnviews.kernels.search import Model

CLASSES = 5  # with a probability each
COLUMNS = 60  # of the data that are shown


class Instance(RowsCard):
    """The row under the pointer, or the kept one."""

    name, title = "instance", "Instance"
    help = (
        "The row under the pointer, or the first of those kept: its values, its truth, and what each compared model "
        "says of it; models never saw the truth of the rows they are judged on."
    )
    at_first = ("compare",)
    size = (4, 7)
    _at = 0  # which of the kept rows

    def chosen(self) -> Any:
        lit = self.room.rows.lit
        return lit if len(lit) else self.room.rows.kept

    def draw(self, models: list[Model]) -> None:
        ids = self.chosen()
        there = models[0].data.frame.index
        if not len(ids):
            self.slot.html(quiet("Point at a cell, bar, dot or row in any card; a click keeps it here."))
            return
        kept = ids is self.room.rows.kept
        self._at = min(self._at, len(ids) - 1)
        id_ = ids[self._at if kept else 0]
        if id_ not in there:
            self.slot.html(quiet(f"Row {id_} is not in the data of these models."))
            return
        self.slot.html(self._head(id_, len(ids), kept) + said_html(models, id_) + self._values(models[0], id_))

    def _head(self, id_: Any, many: int, kept: bool) -> str:
        name = f"<b {row_mark(id_)}>Row {text(id_)}</b>"
        if many == 1:
            return f'<div class="row">{name}</div>'
        if not kept:
            return (
                f'<div class="row">{name}<span class="quiet">the first of {many:,} rows under the pointer</span></div>'
            )
        turn = (button("‹", "turn", -1, disabled=not self._at), button("›", "turn", 1, disabled=self._at == many - 1))
        return (
            f'<div class="row">{name}<span class="quiet">{self._at + 1:,} of {many:,} kept</span>{"".join(turn)}</div>'
        )

    def _values(self, model: Model, id_: Any) -> str:
        data = model.data
        features = set(model.problem.features or ())
        names = sorted(data.columns, key=lambda name: name not in features)[:COLUMNS]
        lines = "".join(
            f"<tr><td{'' if name in features else ' class=quiet'}>{text(name)}</td>"
            f"<td>{value_html(data, name, id_)}</td></tr>"
            for name in names
            if name not in model.problem.targets
        )
        more = len(data.columns) - len(names)
        return f'<table class="wide">{lines}</table>' + quiet(f"and {more} more columns" if more > 0 else "")

    def do_turn(self, by: int) -> None:
        """Show another of the kept rows."""
        self._at = max(0, self._at + int(by))
        self.redraw()

    def row_ids(self) -> Any:
        ids = self.chosen()
        return ids[:1] if ids is not self.room.rows.kept else ids[self._at : self._at + 1]


def said_html(models: list[Model], id_: Any) -> str:
    """The truth of a row, and what models say of it."""
    frames = [model.predictions for model in models]
    first = next((frame for frame in frames if id_ in frame.index), None)
    if first is None:
        return _known(models[0], id_) + quiet("These models have no prediction for this row.")
    row = first.loc[id_]
    truths = [name for name in first if name == "truth" or name.startswith("truth_")]
    split = "held out" if row["split"] == "holdout" else "predicted out of fold"
    split = "" if models[0].problem.task in CLUSTERING else f"({split})"
    truth = ", ".join(_plain(row[name]) for name in truths)
    head = f"<p>{f'truth <b>{text(truth)}</b>' if truths else ''} <span class=quiet>{split}</span></p>"
    lines = "".join(
        _line(model, frame.loc[id_], row) for model, frame in zip(models, frames, strict=True) if id_ in frame.index
    )
    return f'{head}<table class="wide">{lines}</table>'


def _known(model: Model, id_: Any) -> str:
    """The truth as the data have it."""
    frame = model.data.frame
    found = [_plain(frame.at[id_, name]) for name in model.problem.targets if name in frame]
    return f"<p>truth <b>{text(', '.join(found))}</b></p>" if found else ""


def _line(model: Model, row: pd.Series, truth: pd.Series) -> str:
    said = [name for name in row.index if name == "prediction" or name.startswith("prediction_")]
    words = ", ".join(_plain(row[name]) for name in said)
    judged = f"cluster <b>{text(words)}</b>" if model.problem.task in CLUSTERING else _judged(row, said, words)
    return f"<tr {model_mark(model.number)}>{name_cell(model)}<td>{judged}</td></tr>"


def _judged(row: pd.Series, said: list[str], words: str) -> str:
    """A prediction, whether it is right or how far off, and the most probable classes."""
    chances = {name[2:]: float(row[name]) for name in row.index if name.startswith("p_") and pd.notna(row[name])}
    truth = [row.get(name.replace("prediction", "truth", 1)) for name in said]
    values = [row[name] for name in said]
    if chances:
        top = sorted(chances, key=chances.__getitem__, reverse=True)[:CLASSES]
        right = str(truth[0]) == str(values[0])
        bars = "".join(
            f'<div class="chance"><i style="width:{100 * chances[name]:.0f}%"></i><span>{text(name)} '
            f"{chances[name]:.0%}</span></div>"
            for name in top
        )
        return f"{'✓' if right else '✗'} <b>{text(words)}</b>{bars}"
    if len(said) == 1 and _is_number(values[0]) and _is_number(truth[0]):
        return f"<b>{text(words)}</b> <span class=quiet>{figure(values[0] - truth[0], sign=True)} off</span>"
    right = all(str(one) == str(other) for one, other in zip(values, truth, strict=True))
    known = all(each is not None and each == each for each in truth)
    return f"{('✓ ' if right else '✗ ') if known else ''}<b>{text(words)}</b>"


def _is_number(value: Any) -> bool:
    return isinstance(value, float | np.floating) and np.isfinite(value)


def _plain(value: Any) -> str:
    return figure(value, 5) if isinstance(value, float | np.floating) else str(value)


CARDS = (Instance,)
