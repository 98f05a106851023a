"""The live leaderboard."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.card import Card
from learnviews.apps.snowcat.pane import asks, button, does, model_mark, quiet, select, text
from learnviews.apps.snowcat.studies import TOP
from learnviews.apps.snowcat.train_words import better, judged_on, metric_title, took
from learnviews.kernels.figures import figure
from learnviews.kernels.search.metrics import METRICS

if TYPE_CHECKING:
    from learnviews.apps.snowcat.studies import LiveStudy

ENDS = ("score", "low", "high")
WIDTH, HEIGHT = 120, 14  # of an interval's drawing, in pixels
MOST = 12  # models that are compared


class Leaderboard(Card):
    """Models as they arrive, the best first."""

    name, title = "leaderboard", "Leaderboard"
    help = (
        "Every model with its score and the 95% interval of it, the trivial predictor at its place (dashed). Click a "
        "heading to sort, tick what the step “Compare” is to compare, point at a line to find the model in other "
        "cards, click to keep it. “+ metric” adds a column."
    )
    steps, at_first = ("train", "compare", "select"), ("train",)
    size = (8, 8)
    hears = ("data", "study", "studies", "models", "compared")

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._top = TOP
        self._sort, self._down = "place", False
        self._more: list[str] = []  # further metrics
        self._values: dict[tuple[str, int, str], float] = {}  # by study, number and metric
        self._looking = False

    @classmethod
    def fits(cls, room: Any) -> bool:
        return room.study is not None

    def show(self) -> None:
        live = self.room.study
        if live is None or live.seen is None or not live.seen.board["number"].notna().any():
            self.slot.empty(_lacking(live))
            return
        lines = self._lines(live)
        if self._more:
            self._look(live, [line["number"] for line in lines])
        self.slot.html(self._head(live) + self._table(live, lines) + self._foot(live))

    # -- what is in it

    def _lines(self, live: LiveStudy) -> list[dict[str, Any]]:
        """A row per model, and one of the trivial predictor, in the order that was asked for."""
        seen, metric = live.seen, str(live.problem.metric)
        trials = seen.trials.set_index("number")
        models = seen.board["number"].notna()
        places = models.cumsum()
        lines = []
        for at, row in enumerate(seen.board.to_dict("records")):
            trivial = not models.iloc[at]
            if not trivial and places.iloc[at] > self._top:
                continue
            number = -1 if trivial else int(row["number"])
            name = f"trivial: {live.model(-1).name}" if trivial else row["name"]
            line = {"number": number, "name": name, "place": at, "rank": "" if trivial else places.iloc[at]}
            line |= {"score": row[metric], "low": row["low"], "high": row["high"], "split": row["split"]}
            line |= {"fit": math.nan, "folds": math.nan, "seconds": math.nan if trivial else row["seconds"]}
            if number in trials.index:
                line |= {"fit": trials.at[number, "fit_seconds"], "folds": trials.at[number, "train"]}
            line |= {each: self._values.get((live.name, number, each), math.nan) for each in self._more}
            lines.append(line)
        return sorted(lines, key=self._order)

    def _order(self, line: dict[str, Any]) -> Any:
        value = line[self._sort]
        if isinstance(value, str):
            return value.lower() if not self._down else tuple(-ord(letter) for letter in value.lower())
        missing = value != value
        return missing, 0 if missing else -value if self._down else value

    def _look(self, live: LiveStudy, numbers: list[int]) -> None:
        """Have a thread compute what is lacking of the further metrics."""
        lacking = [(n, m) for n in numbers for m in self._more if (live.name, n, m) not in self._values]
        if not lacking or self._looking:
            return
        self._looking = True

        def work() -> dict[tuple[str, int, str], float]:
            return {(live.name, number, metric): _value(live, number, metric) for number, metric in lacking[:60]}

        self.room.jobs.start(f"metrics {self.slot.number}", work, self._came)

    def _came(self, found: dict[tuple[str, int, str], float], version: int) -> None:
        self._looking = False
        self._values |= found
        self.show()

    # -- how it looks

    def _head(self, live: LiveStudy) -> str:
        problem = live.problem
        others = [name for name in _metrics(live) if name != str(problem.metric) and name not in self._more]
        options = {"": "+ metric", **{name: _title(name) for name in others}}
        about = f"{metric_title(problem)}, {better(problem)}, with its 95% interval on {judged_on(_split(live))}"
        about += "; in the order of the scores in the folds" if _split(live) == "holdout" else ""
        adding = select("more", options, "", "Add a metric") if others else ""
        return f'<div class="row"><span class="quiet grow">{text(about)}</span>{adding}</div>'

    def _table(self, live: LiveStudy, lines: list[dict[str, Any]]) -> str:
        scale, compared = _Scale(lines), set(self.room.compared)
        head = [("place", "#"), ("name", "model")]
        head += [("folds", "in folds")] if _split(live) == "holdout" else []
        names = [
            name
            for name, _ in (*head, ("score", ""), *((each, "") for each in self._more), ("fit", ""), ("seconds", ""))
        ]
        columns = "".join(self._heading(name, title) for name, title in head)
        columns += self._heading("score", metric_title(live.problem)) + "<th></th>"
        columns += "".join(self._heading(name, _title(name)) for name in self._more)
        columns += self._heading("fit", "fitting") + self._heading("seconds", "in all")
        body = "".join(self._line(live, line, names, scale, compared) for line in lines)
        return f'<table class="wide board"><thead><tr><th></th>{columns}</tr></thead><tbody>{body}</tbody></table>'

    def _heading(self, name: str, title: str) -> str:
        arrow = (" ▾" if self._down else " ▴") if self._sort == name != "place" else ""
        out = ""
        if name in self._more:
            without = text(f"Without {title}")
            out = f'<button type="button" class="icon" {does("less", name)} aria-label="{without}">✕</button>'
        sort = f'<button type="button" class="head" {does("sort", name)}>{text(title + arrow)}</button>'
        return f'<th class="{"" if name == "name" else "n"}">{sort}{out}</th>'

    def _line(self, live: LiveStudy, line: dict[str, Any], names: list[str], scale: _Scale, compared: set[str]) -> str:
        key, trivial = f"{live.name}/{line['number']}", line["number"] == -1
        ticked, label = " checked" if key in compared else "", text(f"Compare {line['name']}")
        cells = f'<td><input type="checkbox" {asks("tick", key)} aria-label="{label}"{ticked}></td>'
        for name in names:
            cells += _cell(name, line)
            cells += f'<td title="{text(_interval(line))}">{scale.drawn(line)}</td>' if name == "score" else ""
        return f'<tr {model_mark(line["number"])} class="{"trivial" if trivial else ""}">{cells}</tr>'

    def _foot(self, live: LiveStudy) -> str:
        left = len(live.models) - self._top
        if left <= 0:
            return ""
        more = button(f"Show {min(TOP, left)} more", "further")
        return f'<div class="row">{more}{quiet(f"{left:,} are not listed")}</div>'

    # -- what is done

    def do_sort(self, name: str) -> None:
        """Sort by a column; once more: the other way round."""
        metric = str(self.room.study.problem.metric) if name in ("score", "folds") else name
        first = metric in METRICS and METRICS[metric].larger_is_better
        self._down = not self._down if self._sort == name else first
        self._sort = name
        self.show()

    def do_more(self, told: list[Any]) -> None:
        """Add a metric."""
        if told[-1] in _metrics(self.room.study):
            self._more.append(told[-1])
        self.show()

    def do_less(self, name: str) -> None:
        """Take a metric away."""
        self._more = [each for each in self._more if each != name]
        self._sort = "place" if self._sort == name else self._sort
        self.show()

    def do_further(self, _: Any) -> None:
        """List more models."""
        self._top += TOP
        self.room.study.want(self._top)
        self.show()

    def do_tick(self, told: list[Any]) -> None:
        """Compare a model, or do not."""
        key, on = told
        keys = [each for each in self.room.compared if each != key]
        if on and len(keys) >= MOST:
            self.show()
            raise ValueError(f"{MOST} models are compared already: untick one first")
        self.room.compare([*keys, key] if on else keys)


class _Scale:
    """Where scores lie on the drawings of the intervals, which share one scale: that of the models, and of the trivial
    predictor where it is not far from them."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        models = [line for line in lines if line["number"] != -1]
        known = sorted(value for line in models for name in ENDS if math.isfinite(value := line[name]))
        if len(known) > 20:  # one hopeless model is not to press all others together
            quarter = known[len(known) // 4], known[3 * len(known) // 4]
            reach = 4 * (quarter[1] - quarter[0]) or abs(quarter[1]) or 1
            known = [value for value in known if quarter[0] - reach <= value <= quarter[1] + reach]
        self.low, self.high = (known[0], known[-1]) if known else (0.0, 1.0)
        trivial = next((line for line in lines if line["number"] == -1), dict.fromkeys(ENDS, math.nan))
        self.trivial, span = trivial["score"], self.high - self.low
        if self.low - span <= self.trivial <= self.high + span:
            ends = [value for name in ENDS if math.isfinite(value := trivial[name])]
            self.low, self.high = min(self.low, *ends), max(self.high, *ends)

    def holds(self, value: float) -> bool:
        """Whether a score is on the scale."""
        return self.low <= value <= self.high

    def at(self, value: float) -> float:
        """Pixels from the left."""
        share = (value - self.low) / ((self.high - self.low) or 1)
        return 5 + max(0.0, min(1.0, share)) * (WIDTH - 10)

    def drawn(self, line: dict[str, Any]) -> str:
        """A dot with its interval, and the trivial score as a dashed line."""
        if not self.holds(line["score"]):
            return '<small class="off">off this scale</small>' if math.isfinite(line["score"]) else ""
        middle, parts = HEIGHT / 2, ""
        if self.holds(self.trivial):
            x = self.at(self.trivial)
            parts += f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{HEIGHT}" class="t"/>'
        if line["low"] == line["low"]:
            ends = f'x1="{self.at(line["low"]):.1f}" x2="{self.at(line["high"]):.1f}"'
            parts += f'<line {ends} y1="{middle}" y2="{middle}" class="i"/>'
        parts += f'<circle cx="{self.at(line["score"]):.1f}" cy="{middle}" r="3.5"/>'
        return f'<svg class="interval" width="{WIDTH}" height="{HEIGHT}" aria-hidden="true">{parts}</svg>'


def _cell(name: str, line: dict[str, Any]) -> str:
    if name == "name":
        return f'<td class="name" title="{text(line[name])}">{text(line[name])}</td>'
    if name == "place":
        return f'<td class="n quiet">{line["rank"]}</td>'
    return f'<td class="n">{took(line[name]) if name in ("fit", "seconds") else figure(line[name])}</td>'


def _split(live: LiveStudy) -> str:
    """The rows that the scores of the leaderboard speak of."""
    return str(live.seen.board["split"].iloc[0]) if live.seen is not None else ""


def _lacking(live: LiveStudy | None) -> str:
    if live is None:
        return "Train some models first."
    if live.state == "failed":
        return "No model was found."
    looking = live.seen is None or (live.seen.top == 0 and len(live.seen.trials) > 0)
    return "Looking at the models…" if looking else "No model yet: they appear here as soon as they are there."


def _interval(line: dict[str, Any]) -> str:
    if line["low"] != line["low"]:
        return "no interval yet"
    return f"{figure(line['score'])}, 95% interval {figure(line['low'])} to {figure(line['high'])}"


def _title(metric: str) -> str:
    return METRICS[metric].title or metric if metric in METRICS else metric


def _metrics(live: LiveStudy) -> tuple[str, ...]:
    from learnviews.kernels.search.tasks import TASKS

    return tuple(TASKS[live.problem.task].metrics) if live.problem.task in TASKS else ()


def _value(live: LiveStudy, number: int, metric: str) -> float:
    """nan where a model has no such score, or its predictions cannot be read."""
    try:
        model = live.model(number)
        table = model.scored(model.split, (metric,))
        return float(table["value"].iloc[0]) if len(table) else math.nan
    except (OSError, ValueError, LookupError, AttributeError):
        return math.nan
