"""Cards on which models are compared, and how good they are."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from learnviews.apps.snowcat.compare_card import CompareCard, alike, called, said_of_rows, split_of, waiting
from learnviews.apps.snowcat.compare_findings import aside
from learnviews.apps.snowcat.pane import asks, button, model_mark, quiet, select, text
from learnviews.apps.snowcat.workspace import COMPARED
from learnviews.grammar.streams import unsubscribe
from learnviews.kernels.figures import figure
from learnviews.kernels.search import METRICS

if TYPE_CHECKING:
    import pandas as pd

    from learnviews.apps.snowcat.studies import LiveStudy
    from learnviews.kernels.search import Model

SHOWN = 50  # models in the list; the others are found by searching
MOST = 12  # models that are compared


class Models(CompareCard):
    """Which models are compared."""

    name, title = "models", "Models"
    help = (
        "Tick the models that the other cards compare. The best come first; “trivial” is the predictor that knows "
        "nothing of the features, to be compared like any other. Models of other studies of the same data can be "
        "compared, too."
    )
    at_first = ("compare",)
    size = (4, 7)

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._study: str | None = None  # whose models are listed, where it is not the chosen one
        self._words, self._board = "", None
        self._kept = 0
        room.marked.add_subscriber(self._marked)

    def show(self) -> None:
        name = self._listed
        if name is None:
            self.slot.empty("Train some models first.")
            return
        self._write()
        live, words = self.room.project.studies[name], self._words
        self.later(partial(_board, live, words), self._came_board)

    @property
    def _listed(self) -> str | None:
        there = self.room.project.studies if self.room.project else {}
        return self._study if self._study in there else self.room.study_name

    def _came_board(self, board: tuple[list[dict[str, Any]], int]) -> None:
        self._board = (self._listed, self._words, board)
        self._write()

    def _write(self) -> None:
        studies = self.room.project.studies
        controls = (
            '<input type="search" class="grow" data-type="search" placeholder="Search" aria-label="Search models" '
            f'value="{text(self._words)}">'
        )
        if len(studies) > 1:
            named = {name: f"{live.title}: {live.problem.task}" for name, live in studies.items()}
            controls += select("study", named, self._listed, "Study")
        controls += button(f"Best {COMPARED}", "best") + self._kept_button()
        board = self._board if self._board and self._board[0] == self._listed else None
        self.slot.html(
            f'<div class="row">{controls}</div>{self._elsewhere()}'
            + (waiting("…") if board is None else self._table(board[2]))
        )

    def _marked(self, **selected: Any) -> None:
        there = self._open and self._board is not None and self.room.study is not None
        if there and len(self.room.marked.kept) != self._kept:
            self._write()

    def close(self) -> None:
        super().close()
        unsubscribe(self.room.marked, self._marked)

    def _kept_button(self) -> str:
        """Compare what was clicked in a figure."""
        self._kept = kept = len(self.room.marked.kept)
        return button(f"Those kept ({kept})", "kept") if kept else ""

    def _elsewhere(self) -> str:
        """Compared models that are not in the list."""
        own = f"{self._listed}/"
        others = [(key, self.room.model(key)) for key in self.room.compared if not key.startswith(own)]
        chips = "".join(
            f"<span {model_mark(model.number)}>{text(called(model))} {button('✕', 'drop', key)}</span> "
            for key, model in others
            if model is not None
        )
        return f'<p class="chips">{chips}</p>' if chips else ""

    def _table(self, board: tuple[list[dict[str, Any]], int]) -> str:
        lines, more = board
        if not lines:
            return quiet("No model of that name." if self._words else "No model yet: they come while you train.")
        problem = self.room.project.studies[self._listed].problem
        metric = str(problem.metric)
        ticked = set(self.room.compared)
        fits = alike(problem, self.problem)
        body = "".join(self._line(row, metric, ticked, fits) for row in lines)
        title = METRICS[metric].title or metric
        better = "larger is better" if METRICS[metric].larger_is_better else "smaller is better"
        other = (
            ""
            if fits
            else quiet("This study predicts something else: its models cannot be compared with those chosen.")
        )
        return other + (
            '<table class="wide"><thead><tr><th></th><th>model</th><th class="n" '
            f'title="{text(better)}">{text(title)}</th><th class="n">95% interval</th></tr></thead>'
            f"<tbody>{body}</tbody></table>"
            + quiet(f"and {more:,} more: search for them" if more else "")
            + quiet("In the order of the scores in the folds." if lines[0]["split"] == "holdout" else "")
        )

    def _line(self, row: dict[str, Any], metric: str, ticked: set[str], fits: bool) -> str:
        number, name = row["number"], row["name"]
        key = f"{self._listed}/{number}"
        mark = model_mark(number if self._listed == self.room.study_name else key)
        state = (" checked" if key in ticked else "") + ("" if fits else " disabled")
        return (
            f'<tr {mark}><td><input type="checkbox" {asks("tick", key)} '
            f'aria-label="{text(f"Compare {name}")}"{state}></td>'
            f"<td>{text(name)}</td>"
            f'<td class="n">{figure(row[metric])}</td><td class="n quiet">{figure(row["low"], 3)} – '
            f"{figure(row['high'], 3)}</td></tr>"
        )

    # -- what is done

    def do_search(self, words: str) -> None:
        """List models whose names hold these words."""
        self._words = words
        self.show()

    def do_study(self, told: list[Any]) -> None:
        """List another study's models."""
        self._study, self._board = told[-1], None
        self.show()

    def do_tick(self, told: list[Any]) -> None:
        """Compare a model, or do not."""
        key, on = told
        keys = [each for each in self.room.compared if each != key]
        if on and len(keys) >= MOST:
            self._write()
            raise ValueError(f"{MOST} models are compared already: untick one first")
        self.room.compare(sorted([*keys, key], key=self._rank) if on else keys)

    def do_drop(self, key: str) -> None:
        """Do not compare a model."""
        self.room.compare([each for each in self.room.compared if each != key])

    def do_best(self, _: Any) -> None:
        """Compare the best models of the study that is listed."""
        live = self.room.project.studies[self._listed]
        self.room.compare([f"{live.name}/{model.number}" for model in live.models[:COMPARED]])

    def do_kept(self, _: Any) -> None:
        """Compare the models that were clicked in a figure."""
        keys = [each if isinstance(each, str) else f"{self.room.study_name}/{each}" for each in self.room.marked.kept]
        self.room.compare(keys[:MOST])

    def _rank(self, key: str) -> tuple[bool, float]:
        model = self.room.model(key)
        cost = float("inf") if model is None or model.cost is None else model.cost
        return not key.startswith(f"{self.room.study_name}/"), cost


class Scores(CompareCard):
    """One metric of the compared models, with intervals."""

    name, title = "scores", "Scores"
    help = (
        "The compared models' scores with 95% bootstrap intervals, beside the trivial predictor's (dashed, its "
        "interval grey). Models whose intervals overlap much are not told apart by this data. Point at a model to "
        "find it in other cards, click to keep it."
    )
    at_first = ("compare",)
    size = (4, 7)

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._metric: str | None = None

    def draw(self, models: list[Model]) -> None:
        from learnviews.grammar import ScoreIntervals

        self._metric = self._metric or str(self.problem.metric)
        first, whole = _scores(self, models, (self._metric,)), _scores(self, models)
        scores = first if whole is None else whole
        if scores is None:
            self.slot.html(waiting("Drawing intervals…"))
            return
        there = _metrics(scores)
        if self._metric not in there:
            self._metric = there[0]
        self._controls(models, there)
        has = [model for model in models if model.number != -1 and self._metric in scores[model.number].index]
        if not has:
            self.slot.clear()
            return
        rows = [scores[model.number].loc[self._metric] for model in has]
        columns = {name: [row[name] for row in rows] for name in ("value", "low", "high")}
        base = scores[None]
        trivial = tuple(base.loc[self._metric, ["value", "low", "high"]]) if self._metric in base.index else None
        told = {"metric": self._metric, "baseline": trivial, "selection": self.room.marked}
        numbers = [model.number for model in has]
        names = [called(model) for model in has]
        self.slot.plot(
            ScoreIntervals.from_scores(names, columns["value"], columns["low"], columns["high"], numbers, **told)
        )

    def _controls(self, models: list[Model], there: list[str]) -> None:
        named = {name: METRICS[name].title or name for name in there}
        about = f"On {said_of_rows(models)}."
        self.slot.html(
            f'<div class="row">{select("metric", named, self._metric, "Metric")}<span class="quiet '
            f'grow">{about}</span></div>'
        )

    def do_metric(self, told: list[Any]) -> None:
        """Show another metric."""
        self._metric = told[-1]
        self.redraw()


class AllScores(CompareCard):
    """Every metric of the compared models."""

    name, title = "all scores", "All metrics"
    help = (
        "Every metric of the task, for the compared models and the trivial predictor. Bold: the best, and those that "
        "the 95% interval does not tell apart from it; point at a number for its interval. Bars compare models "
        "within a column: longer is better."
    )
    at_first = ("compare",)
    size = (8, 8)

    def draw(self, models: list[Model]) -> None:
        scores = _scores(self, models)
        if scores is None:
            self.slot.html(waiting("Drawing intervals…"))
            return
        named = {model.number: called(model) for model in models if model.number != -1}
        lines = {**named, None: "trivial"}
        metrics = _metrics(scores)
        columns = {metric: _column(metric, {at: scores[at] for at in lines}) for metric in metrics}
        head = "".join(
            f'<th class="n" title="{text(_better(name))}">{text(METRICS[name].title or name)}</th>' for name in metrics
        )
        body = "".join(
            f"<tr {model_mark(-1 if at is None else at)}><td>{text(name)}</td>"
            f"{''.join(columns[metric][at] for metric in metrics)}</tr>"
            for at, name in lines.items()
        )
        self.slot.html(
            f'<table class="wide scores"><thead><tr><th>model</th>{head}</tr></thead><tbody>{body}</tbody></table>'
            + quiet(f"On {said_of_rows(models)}. Bold: the best, and what the intervals do not tell apart from it.")
        )


def _board(live: LiveStudy, words: str) -> tuple[list[dict[str, Any]], int]:
    """Lines of the list: those that hold the words, the trivial predictor among them; and how many more there are."""
    board = live.study.leaderboard(None if words else SHOWN)
    lines = [_said(line, live.study.baseline.name) for line in board.astype({"number": object}).to_dict("records")]
    found = [line for line in lines if all(word in line["name"].lower() for word in words.lower().split())]
    many = len(found) if words else len(live.study.models) + 1
    return found[: SHOWN + 1], max(0, many - SHOWN - 1)


def _said(line: dict[str, Any], trivial: str) -> dict[str, Any]:
    """A line of a leaderboard with a number, and a name that tells it from others."""
    if not isinstance(line["number"], int):
        return line | {"number": -1, "name": f"trivial: {trivial}"}
    return line | {"name": f"{line['number']}: {line['name']}"}


def _scores(
    card: CompareCard, models: list[Model], metrics: tuple[str, ...] | None = None
) -> dict[Any, pd.DataFrame] | None:
    """Tables of scores by model number, and of the trivial predictor by None; None while they are drawn."""
    assert card.room.study is not None
    split = split_of(models)
    base = aside().task(card.room.study.study, -1, "scored", split, metrics)
    futures = {None: base} | {model.number: card.found(model, "scored", split, metrics) for model in models}
    lacking = [future for future in futures.values() if not future.done()]
    if lacking:
        card.await_(lacking[-1])  # they come in the order in which they were asked for
        return None
    return {number: future.result() for number, future in futures.items()}


def _metrics(scores: dict[Any, pd.DataFrame]) -> list[str]:
    """Metrics that some model has, the problem's first."""
    tables = [table for number, table in scores.items() if number is not None] or list(scores.values())
    return list(dict.fromkeys(name for table in tables for name in table.index))


def _better(metric: str) -> str:
    return f"{metric}: {'larger' if METRICS[metric].larger_is_better else 'smaller'} is better"


def _column(metric: str, tables: dict[Any, pd.DataFrame]) -> dict[Any, str]:
    """Cells of a metric by model number: value, bar, bold where none is better for sure."""
    larger = METRICS[metric].larger_is_better
    rows = {at: table.loc[metric] if metric in table.index else None for at, table in tables.items()}
    values = {at: float(row["value"]) for at, row in rows.items() if row is not None and np.isfinite(row["value"])}
    if not values:
        return dict.fromkeys(tables, '<td class="n">–</td>')
    best = max(values.values()) if larger else min(values.values())
    worst = min(values.values()) if larger else max(values.values())
    return {at: _cell(row, values.get(at), best, worst, larger) for at, row in rows.items()}


def _cell(row: Any, value: float | None, best: float, worst: float, larger: bool) -> str:
    if value is None:
        return '<td class="n">–</td>'
    low, high = float(row["low"]), float(row["high"])
    as_good = value == best or (high >= best if larger else low <= best)
    share = 1.0 if best == worst else (value - worst) / (best - worst)
    shown = f"<b>{figure(value)}</b>" if as_good else figure(value)
    return (
        f'<td class="n" title="95% interval {figure(low)} to {figure(high)}">{shown}'
        f'<div class="bar thin"><i style="width:{100 * (0.04 + 0.96 * share):.0f}%"></i></div></td>'
    )


CARDS = (Models, Scores, AllScores)
