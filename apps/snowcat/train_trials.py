"""Cards on the trials of a study: what was found when, what runs and what failed, what is tried how often."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.card import Card
from learnviews.apps.snowcat.pane import quiet, select, text
from learnviews.apps.snowcat.train_words import clock, counted, family, metric_title, table
from learnviews.kernels.figures import figure

if TYPE_CHECKING:
    import pandas as pd

    from learnviews.apps.snowcat.studies import LiveStudy, Seen

EVENTS = ("data", "study", "studies", "models", "progress")
GROUPS, NAMES = 20, 3  # of failures: reasons that are listed, and models that are named with each
DOTS = 1000  # trials that may be drawn anew per second, while a study runs
ENDS = {"timeout": "took too long", "memory": "took too much memory", "failed": "failed"}


class OfStudy(Card):
    """Base of cards about the chosen study's trials, drawn anew when there are new ones."""

    steps = ("train", "compare")
    hears = EVENTS

    @classmethod
    def fits(cls, room: Any) -> bool:
        return room.study is not None

    def show(self) -> None:
        live = self.room.study
        seen = None if live is None else live.seen
        if seen is None or not len(seen.trials):
            self.slot.empty("Looking at the trials…" if live and seen is None else "No trial yet.")
        else:
            self.draw(live, seen)

    def draw(self, live: LiveStudy, seen: Seen) -> None:
        """Draw what the last look found."""
        raise NotImplementedError


class CostCard(OfStudy):
    """The best score over time."""

    name, title = "cost over time", "Cost over time"
    help = (
        "Each dot is a trial, when it ended and how good it was; the line is the best so far, the dashed one the "
        "trivial predictor. Small dots saw part of the rows only, crosses failed. Where the line is flat for long, "
        "more time brings little. Point at a dot to find its model in other cards, click to keep it."
    )
    at_first = ("train",)
    size = (4, 7)
    scores = {"score": "out of fold", "holdout": "held out", "cost": "cost"}
    counts = {"time": "by time", "number": "by trial"}

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._score, self._by = "score", "time"
        self._drawn: Any = None
        self._busy, self._when = False, 0.0

    def draw(self, live: LiveStudy, seen: Seen) -> None:
        wanted = (live.name, seen.version, self._score, self._by)
        if self._busy or wanted == self._drawn or self._too_soon(live, seen, wanted):
            return
        self._busy, self._when = True, time.monotonic()
        has_holdout = bool(seen.trials["holdout"].notna().any())
        scores = {name: title for name, title in self.scores.items() if name != "holdout" or has_holdout}
        score = select("score", scores, self._score, "Which score")
        self._controls = f'<div class="row">{score}{select("by", self.counts, self._by, "Axis")}</div>'
        self.room.jobs.start(f"cost {self.slot.number}", partial(_element, live, wanted, self.room.marked), self._came)

    def _too_soon(self, live: LiveStudy, seen: Seen, wanted: Any) -> bool:
        """To draw thousands of dots anew takes the page's time: while more come, not at each."""
        same = self._drawn is not None and self._drawn[2:] == wanted[2:] and self._drawn[0] == live.name
        return same and live.state == "running" and time.monotonic() - self._when < len(seen.trials) / DOTS

    def _came(self, found: tuple[Any, Any, str], version: int) -> None:
        self._busy = False
        self._drawn, element, why = found
        if element is None:
            self.slot.problem(why)
            return
        with self.room.session.together():
            self.slot.html(self._controls)
            self.slot.plot(element)
        self.show()  # what came meanwhile

    def do_score(self, told: list[Any]) -> None:
        """Another score."""
        self._score = told[-1]
        self.show()

    def do_by(self, told: list[Any]) -> None:
        """Time or numbers of trials."""
        self._by = told[-1]
        self.show()

    def close(self) -> None:
        self.room.jobs.cancel(f"cost {self.slot.number}")


def _element(live: LiveStudy, wanted: tuple[Any, ...], selection: Any) -> tuple[Any, Any, str]:
    from learnviews.grammar import CostOverTime

    _, _, score, by = wanted
    try:
        return wanted, CostOverTime.from_study(live.study, score=score, by=by, selection=selection), ""
    except (OSError, ValueError, LookupError) as error:
        return wanted, None, str(error)


class Trials(OfStudy):
    """What runs, and what failed for which reason."""

    name, title = "running and failed", "Running and failed"
    help = (
        "Above: the trials that run now, and since when. Below: trials that ended without a model, by reason. A few "
        "are usual, as odd configurations are tried, too; where all of a kind fail, leave that kind out (card "
        "“Training”)."
    )
    at_first = ("train",)
    size = (4, 7)

    def draw(self, live: LiveStudy, seen: Seen) -> None:
        self.slot.html(_running_html(live, seen) + _failed_html(seen))


def _running_html(live: LiveStudy, seen: Seen) -> str:
    if not len(seen.running) or live.state not in ("running", "elsewhere"):
        return quiet("Nothing runs at present.")
    now, lines = time.time(), ""
    for row in seen.running.itertuples(index=False):
        effort = "" if row.fidelity >= 1 else f"{row.fidelity:.0%} of the effort"
        since = clock(max(0.0, now - row.started.timestamp()))
        lines += f'<tr><td>{text(row.name)}</td><td class="quiet">{effort}</td><td class="n">{since}</td></tr>'
    return table(("runs now", "", ">since"), lines)


def failures(trials: pd.DataFrame, families: list[str]) -> list[tuple[str, str, int, list[str]]]:
    """Trials that ended without a model, by reason, the most frequent first: status, reason, how many, which kinds of
    models. Trials that were given up when the study was stopped are no failures."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for status, reason, kind in zip(trials["status"], trials["reason"], families, strict=True):
        if status in ENDS:
            found[status, reason or ""].append(kind)
    groups = [(status, why, len(kinds), _commonest(kinds)) for (status, why), kinds in found.items()]
    return sorted(groups, key=lambda group: -group[2])


def _commonest(kinds: list[str]) -> list[str]:
    return sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind))


def _failed_html(seen: Seen) -> str:
    groups = failures(seen.trials, seen.families)
    given_up = int((seen.trials["status"] == "killed").sum())
    left = ""
    if given_up:
        left = quiet(f"{counted(given_up, 'trial')} given up at the end of a run; tried again when it goes on.")
    if not groups:
        return quiet("No trial failed.") + left
    lines = "".join(
        f'<tr><td class="n">{number:,}</td><td>{text(ENDS[status])}<br><small>{text(_kinds(kinds))}</small></td>'
        f'<td><small title="{text(why)}">{text(plainly(why))}</small></td></tr>'
        for status, why, number, kinds in groups[:GROUPS]
    )
    more = quiet(f"and {len(groups) - GROUPS} more reasons") if len(groups) > GROUPS else ""
    total = sum(group[2] for group in groups)
    head = (f">{total:,}", f"of {len(seen.trials):,} trials without a model", "reason")
    return table(head, lines) + more + left


def plainly(reason: str) -> str:
    """Why a trial failed without the kind of error, and without the line of a program where it came up."""
    return re.sub(r"^\w+(Error|Warning|Exception): (?=.)|(?<=.) \(\w+\.py:\d+\)$", "", reason)


def _kinds(kinds: list[str]) -> str:
    named = ", ".join(map(family, kinds[:NAMES]))
    return named + (f" and {len(kinds) - NAMES} more" if len(kinds) > NAMES else "")


class SearchSpace(OfStudy):
    """What is tried how often, and how well it does."""

    name, title = "search space", "Search space"
    help = (
        "By kind of model: how many trials it had, how much of the time, and its best score. The search turns to what "
        "does well; what fails or is hopeless can be left out (card “Training”, “What is tried”)."
    )
    at_first = ("train",)
    size = (4, 7)

    def draw(self, live: LiveStudy, seen: Seen) -> None:
        lines = tried(seen.trials, seen.families, live.problem)
        most = max((line["seconds"] for line in lines), default=0) or 1
        body = ""
        for line in lines:
            share = f'<div class="bar thin"><i style="width:{line["seconds"] / most:.1%}"></i></div>'
            body += (
                f"<tr><td>{text(family(line['family']))}</td><td class='n'>{line['trials']:,}</td>"
                f"<td class='n'>{line['failed'] or ''}</td><td title='{clock(line['seconds'])}'>{share}</td>"
                f"<td class='n'>{figure(line['best'], 3)}</td></tr>"
            )
        about = quiet(f"best: {metric_title(live.problem)} out of fold, of trials in full")
        self.slot.html(table(("kind", ">trials", ">failed", "time", ">best"), body, "tried") + about)


def tried(trials: pd.DataFrame, families: list[str], problem: Any) -> list[dict[str, Any]]:
    """Per kind of model, the best first: "family", "trials", "failed", "seconds", and "best", the best score out of
    fold of trials in full, nan where there is none."""
    from learnviews.kernels.search.metrics import METRICS

    metric = METRICS.get(str(problem.metric))
    larger = metric is not None and metric.larger_is_better
    full = (trials["status"] == "ok") & (trials["fidelity"] >= 1)
    found = trials.assign(
        family=families,
        failed=trials["status"].isin(tuple(ENDS)),
        seconds=trials["seconds"].fillna(0.0),
        best=trials["train"].astype(float).where(full),
    )
    found = found[found["family"] != "ensemble"]
    groups = found.groupby("family").agg(
        trials=("number", "size"),
        failed=("failed", "sum"),
        seconds=("seconds", "sum"),
        best=("best", "max" if larger else "min"),
    )
    return groups.reset_index().sort_values("best", ascending=not larger, na_position="last").to_dict("records")
