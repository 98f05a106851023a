"""Card in which the values of a row are changed, to see what models make of it."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from learnviews.apps.snowcat.compare_card import RowsCard, name_cell, waiting
from learnviews.apps.snowcat.pane import asks, button, model_mark, quiet, row_mark, text
from learnviews.apps.snowcat.row_values import plain
from learnviews.kernels import search
from learnviews.kernels.figures import figure

if TYPE_CHECKING:
    from learnviews.kernels.search import Model, Problem

SHOWN = 40  # inputs; the others are found by searching
CLASSES = 4


class WhatIf(RowsCard):
    """One row with other values."""

    name, title = "what if", "What if"
    help = (
        "Take the kept row, or a made-up typical one, and change its values: what does each model say before and "
        "after? Grey is before, blue after. Values outside those in the data are marked: there models guess."
    )
    size = (8, 10)

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._changes: dict[str, Any] = {}
        self._inputs: list[Any] = []
        self._row: Any = None
        self._found: pd.DataFrame | None = None
        self._words = self._wrong = ""

    @classmethod
    def suits(cls, problem: Problem) -> bool:
        return problem.task in ("classification", "regression", "semiSupervisedClassification")

    def draw(self, models: list[Model]) -> None:
        kept = self.room.rows.kept
        known = models[0].data.frame.index
        row = next((each for each in kept[:1] if each in known), None)
        if not self._inputs or row != self._row:
            self._row, self._changes, self._found = row, {}, None
        self._inputs = search.editable(models[0])
        ready = [self.ready(model) for model in models]
        for future in ready:
            self.await_(future)
        if not all(each.done() for each in ready):
            self._write(waiting(f"Models are made ready: {sum(each.done() for each in ready)} of {len(ready)}…"))
            return
        usable = [model for model, each in zip(models, ready, strict=True) if _there(each)]
        self._ask(usable)

    def _ask(self, models: list[Model]) -> None:
        self._asked = models
        base = self._base()
        self.later(partial(_answers, models, base, dict(self._changes)), self._came_answer, between=True)

    def _base(self) -> Any:
        """The row's id, or the values of a typical one."""
        if self._row is not None:
            return self._row
        return {each.name: each.typical for each in self._inputs if not each.why_not}

    def _came_answer(self, found: pd.DataFrame | str) -> None:
        self._wrong = found if isinstance(found, str) else ""
        self._found = self._found if isinstance(found, str) else found
        self._write()

    # -- HTML

    def _write(self, waits: str = "") -> None:
        about = (
            f"<b {row_mark(self._row)}>Row {text(self._row)}</b>" if self._row is not None else "<b>A typical row</b>"
        )
        hint = "" if self._row is not None else '<span class="quiet">keep a row to start from it</span>'
        back = button("Undo all", "undo") if self._changes else ""
        search_box = self._search() if len(self._inputs) > SHOWN else ""
        self.slot.html(
            f'<div class="row">{about}{hint}{back}{search_box}</div>{waits}'
            f'<div class="two"><div>{self._inputs_html()}</div><div>{self._answers_html()}</div></div>'
        )

    def _search(self) -> str:
        return (
            f'<input type="search" data-type="search" placeholder="Search columns" aria-label="Search columns" '
            f'value="{text(self._words)}">'
        )

    def _inputs_html(self) -> str:
        found = [each for each in self._inputs if self._words.lower() in each.name.lower()]
        changed = [each for each in found if each.name in self._changes]
        shown = [*changed, *(each for each in found if each.name not in self._changes)] if len(found) > SHOWN else found
        lines = "".join(self._input_line(each) for each in shown[:SHOWN])
        more = len(found) - SHOWN
        return f'<table class="wide">{lines}</table>' + quiet(f"and {more} more: search" if more > 0 else "")

    def _input_line(self, about: Any) -> str:
        at = self._inputs.index(about)
        value = self._changes.get(about.name, self._before(about))
        changed = about.name in self._changes
        name = f"<b>{text(about.name)}</b>" if changed else text(about.name)
        undo = button("↶", "undo", about.name) if changed else ""
        if about.why_not:
            return f'<tr><td>{name}</td><td class="quiet">{text(about.why_not)}</td><td></td></tr>'
        return f"<tr><td>{name}</td><td>{input_html(about, value, at)}</td><td>{undo}</td></tr>"

    def _before(self, about: Any) -> Any:
        if self._row is None:
            return about.typical
        return self._models[0].data.frame.at[self._row, about.name]

    def _answers_html(self) -> str:
        if self._wrong:
            return f'<div class="alert">{text(self._wrong)}</div>'
        if self._found is None:
            return ""
        notes = "".join(f"<p class=quiet>! {text(note)}</p>" for note in self._found.attrs["notes"])
        truth = self._found.attrs["truth"] if self._row is not None else {}
        known = f"<p>truth <b>{text(', '.join(plain(each) for each in truth.values()))}</b></p>" if truth else ""
        lines = "".join(
            f"<tr {model_mark(model.number)}>{name_cell(model)}"
            f"<td>{answer_html(self._found[self._found['number'] == model.number])}</td></tr>"
            for model in self._asked
        )
        return f'{known}{notes}<table class="wide">{lines}</table>'

    # -- what is done

    def do(self, word: str, argument: Any) -> None:
        """A value was changed, "set <number of the input>", or what any card can be told."""
        if word.startswith("set "):
            self.set(self._inputs[int(word[4:])].name, argument)
        else:
            super().do(word, argument)

    def set(self, name: str, value: Any) -> None:
        """Give a column another value."""
        value = value[-1] if isinstance(value, list) else value
        self._changes[name] = value
        self._wrong = ""
        self._write()
        self._ask(self._asked)

    def do_undo(self, name: str | None) -> None:
        """Take a change back, or all."""
        self._changes = {} if name is None else {key: value for key, value in self._changes.items() if key != name}
        self._wrong = ""
        self._write()
        self._ask(self._asked)

    def do_search(self, words: str) -> None:
        """Show the columns whose names hold these words."""
        self._words = words
        self._write()

    _asked: list[Model] = []


def input_html(about: Any, value: Any, at: int) -> str:
    """An input for a column, by its type and range; `at` is its number."""
    missing = np.ndim(value) == 0 and pd.isna(value)
    label = f'aria-label="{text(about.name)}"'
    if about.labels:
        options = dict.fromkeys([*map(str, about.labels), *([""] if about.gaps or missing else [])])
        chosen = "" if missing else str(value)
        shown = options if chosen in options else {**options, chosen: None}
        items = "".join(
            f'<option value="{text(each)}"{" selected" if each == chosen else ""}>{text(each) or "missing"}</option>'
            for each in shown
        )
        return f'<select id="what{at}" {asks(f"set {at}")} {label}>{items}</select>'
    shown = "" if missing else plain(value)
    if about.low is None or about.type == "dateTime":
        return f'<input id="what{at}" type="text" value="{text(shown)}" data-type="set {at}" {label}>'
    step = about.step or "any"
    place = about.low if missing else min(max(_number(value, about.low), about.low), about.high)
    ends = [figure(each, 12, commas=False) for each in (about.low, about.high, place)]
    return (
        f'<span class="row"><input id="slide{at}" class="grow" type="range" min="{ends[0]}" max="{ends[1]}" '
        f'step="{step}" value="{ends[2]}" data-type="set {at}" {label}>'
        f'<input id="what{at}" type="number" step="any" value="{text(shown)}" data-type="set {at}" {label} '
        'class="short"></span>'
    )


def answer_html(lines: pd.DataFrame) -> str:
    """What one model says before and after."""
    said = lines[~lines["of"].str.startswith("p_")]
    chances = lines[lines["of"].str.startswith("p_")]
    words = "".join(f"<div>{_change(row['before'], row['after'])}</div>" for row in said.to_dict("records"))
    if not len(chances):
        return words
    rows = sorted(chances.to_dict("records"), key=lambda row: max(row["before"], row["after"]), reverse=True)
    bars = "".join(
        f'<div class="chance twice"><i class="was" style="width:{100 * row["before"]:.0f}%"></i>'
        f'<i style="width:{100 * row["after"]:.0f}%"></i><span>{text(row["of"][2:])} {_percents(row)}</span></div>'
        for row in rows[:CLASSES]
    )
    return words + bars


def _percents(row: dict[str, Any]) -> str:
    before, after = f"{row['before']:.0%}", f"{row['after']:.0%}"
    return before if before == after else f"{before} → {after}"


def _change(before: Any, after: Any) -> str:
    numbers = isinstance(before, float | np.floating) and isinstance(after, float | np.floating)
    if before == after:
        return f"<b>{text(plain(before))}</b>"
    more = f' <span class="quiet">({figure(after - before, sign=True)})</span>' if numbers else ""
    one, other = (figure(each, 6) if numbers else plain(each) for each in (before, after))
    return f"{text(one)} → <b>{text(other)}</b>{more}"


def _number(value: Any, otherwise: float) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return otherwise


def _answers(models: list[Model], base: Any, changes: dict[str, Any]) -> pd.DataFrame | str:
    """Tables of `search.what_if`, or what is wrong with the changes."""
    try:
        return search.what_if(models, base, changes)
    except ValueError as error:
        return str(error)


def _there(future: Future[bool]) -> bool:
    return future.exception() is None


CARDS = (WhatIf,)
