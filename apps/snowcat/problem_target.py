"""Card of what is to be predicted: how it is distributed, and which columns tell most of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from learnviews.apps.snowcat.card import Card
from learnviews.apps.snowcat.pane import quiet, text
from learnviews.apps.snowcat.problem_dialog import draft_of
from learnviews.apps.snowcat.problem_draft import FORECASTING
from learnviews.kernels.figures import figures
from learnviews.kernels.search.tasks import CLASSIFICATION

if TYPE_CHECKING:
    import pandas as pd

    from learnviews.kernels.search import Dataset, Problem

SHOWN = 5  # columns that tell most, as histograms
RANKED = 8  # columns in the list
LAGS = 24


@dataclass(frozen=True)
class Findings:
    """What was found about a target.

    Attributes
    ----------
    element : ColumnHistograms or None
        The target, and what tells most of it.
    told : DataFrame
        As of `association.associations`.
    past : DataFrame or None
        As of `association.own_past`, of a forecast.
    facts : str
        How many rows know it, and what its values are.
    """

    element: Any
    told: pd.DataFrame
    past: pd.DataFrame | None
    facts: str


class Target(Card):
    """The target of the problem that is phrased."""

    name, title = "target", "Target"
    help = (
        "How the target is distributed, and how much of it each column tells by itself (mutual information of bins, "
        "over the target's entropy). A model may find more in several columns together. Point at a bar: its rows "
        "light up in the other histograms."
    )
    steps = ("specify", "problems", "train")
    at_first = ("specify",)
    size = (4, 15)
    hears = ("data", "problem", "draft", "step")

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self.shown: Any = None

    def show(self) -> None:
        told = draft_of(self.room).told if self.room.step == "specify" else self.room.problem
        names = () if told is None else told.targets
        if not names or any(name not in self.room.data.columns for name in names):
            self.shown = None
            return self.slot.empty("Choose what to predict: its distribution appears here.")
        key = (self.room.data, names, told.task, told.time, told.groups)
        if key != self.shown:
            if self.shown is None:
                self.slot.html(quiet("Looking at the target …"))
            self.shown = key
            self.room.jobs.start(
                "target", partial(find, self.room.data, told, self.room.rows), partial(self._draw, key)
            )

    def _draw(self, key: Any, found: Findings, version: int) -> None:
        if key != self.shown:
            return
        self.slot.html(_html(key[1], found))
        if found.element is None:
            self.slot.clear()
        else:
            self.slot.plot(found.element)

    def close(self) -> None:
        self.shown = None
        self.room.jobs.cancel("target")


def find(data: Dataset, problem: Problem, rows: Any = None) -> Findings:
    """Look at the first target of a problem: a moment, with large data a second."""
    from learnviews.grammar.column_histograms import ColumnHistograms
    from learnviews.kernels.search.association import associations, own_past
    from learnviews.kernels.search.profile import KINDS

    target, classes = problem.targets[0], problem.task in CLASSIFICATION
    others = [name for name in data.columns if name not in problem.targets]
    told = associations(data, target, others, classes=classes)
    past = None
    if problem.task == FORECASTING and problem.time:
        past = own_past(data, target, problem.time, problem.groups, LAGS)
    names = [
        name for name in (*problem.targets, *told.index[told["told"] > 0][:SHOWN]) if data.columns[name].type in KINDS
    ]
    element = None
    if names:
        element = ColumnHistograms.from_data(data, names, selection=rows)
        element = element.clone(marked=[name for name in problem.targets if name in names])
    return Findings(element, told, past, _facts(data, target, classes))


def _facts(data: Dataset, target: str, classes: bool) -> str:
    values = data.frame[target]
    known = int(values.notna().sum())
    every = "known in all rows" if known == len(values) else f"known in {known:,} of {len(values):,} rows"
    if classes:
        count = int(values.nunique())
        share = values.value_counts(normalize=True).iloc[0] if known else float("nan")
        return f"{every}; {count:,} classes, the commonest {share:.0%}"
    if data.columns[target].type not in ("integer", "real"):
        return f"{every}; {values.nunique():,} values"
    numbers = values.dropna().to_numpy(float)
    if not len(numbers):
        return every
    low, high, middle = figures((numbers.min(), numbers.max(), np.median(numbers)))
    return f"{every}; {low} to {high}, median {middle}"


# -- its HTML


def _html(targets: tuple[str, ...], found: Findings) -> str:
    more = f" (the first of {len(targets)} targets)" if len(targets) > 1 else ""
    return (
        f"<p><b>{text(targets[0])}</b>{text(more)}: {text(found.facts)}.</p>"
        + ("" if found.past is None else _past_html(found.past))
        + _told_html(found.told)
    )


def _told_html(told: pd.DataFrame) -> str:
    if not len(told):
        return quiet("No other column can be compared with it at a glance.")
    shown = told.iloc[:RANKED]
    items = zip(shown.index, shown.itertuples(), strict=True)
    rows = "".join(_bar(str(name), each.told, _words(each)) for name, each in items)
    left = len(told) - len(shown)
    more = quiet(f"and {left} columns that tell less") if left > 0 else ""
    return f'<p>What each column tells of it by itself:</p><div class="tells">{rows}</div>{more}'


def _past_html(past: pd.DataFrame) -> str:
    if not len(past):
        return quiet("The series is too short to compare it with its past.")
    best = past["correlation"].iloc[1:].abs().sort_values(ascending=False)
    lags = sorted({1, *best.index[:3]})
    rows = "".join(
        _bar(f"{lag} {'step' if lag == 1 else 'steps'} before", abs(value), f"{value:+.2f}")
        for lag, value in past["correlation"].loc[lags].items()
        if value == value
    )
    return f'<p>How alike it is to its own past (correlation):</p><div class="tells">{rows}</div>'


def _words(each: Any) -> str:
    ranked = "" if each.rank_correlation != each.rank_correlation else f", ranks {each.rank_correlation:+.2f}"
    return f"{each.told:.0%}{ranked}"


def _bar(label: str, share: float, words: str) -> str:
    return (
        f'<span title="{text(label)}">{text(label)}</span><div class="bar" role="img" aria-label="{text(words)}">'
        f'<i style="width: {100 * share:.0f}%"></i></div><span class="n">{text(words)}</span>'
    )
