"""The card that begins, pauses and ends training."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.card import Card
from learnviews.apps.snowcat.pane import alert, button, quiet, text
from learnviews.apps.snowcat.problem_words import limits_of
from learnviews.apps.snowcat.studies import option
from learnviews.apps.snowcat.train_begin import (
    QUICK,
    THOROUGH,
    Wishes,
    begin,
    budget_html,
    cores,
    limits_html,
    space_html,
)
from learnviews.apps.snowcat.train_words import (
    CHOICES,
    best_line,
    better,
    clock,
    counted,
    judged_on,
    metric_title,
    question,
)
from learnviews.kernels import search
from learnviews.kernels.figures import figure

if TYPE_CHECKING:
    from learnviews.apps.snowcat.studies import LiveStudy
    from learnviews.kernels.search import Dataset, Problem


class Training(Card):
    """Begin a study, see how far it is, pause it, go on, change what it tries."""

    name, title = "training", "Training"
    help = (
        "Models are searched for in processes of their own: close the page, and they go on. Pause and go on as you "
        "like; what is tried can be changed in between. “Quick look” trains for 20 seconds, “Thorough” for 10 minutes. "
        "Scores are of rows that the models did not see; a model is worth something where it beats the trivial one."
    )
    steps = at_first = ("train",)
    size = (4, 8)
    hears = ("data", "problem", "problems", "study", "studies", "models", "progress")

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self.wishes, self.exclude = Wishes(), ()
        self._new = False  # a further study is asked for
        self._open: set[str] = set()
        self._facts: dict[tuple[int, str], tuple[str, dict[str, tuple[str, ...]]] | None] = {}
        self._kept: list[Any] = []  # what the ids of `_facts` belong to

    @property
    def live(self) -> LiveStudy | None:
        """The study the card is about; None where one is to be begun."""
        live = self.room.study
        other = live is not None and self.room.problem_id not in (None, live.problem_id)
        return None if self._new or other else live

    def show(self) -> None:
        live = self.live
        if live is not None:
            self.slot.html(f'<div class="training">{self._running(live)}</div>')
        elif self.room.problem is None:
            self.slot.empty("Choose a problem first: in the step “Problems”, or phrase one in “Specify”.")
        else:
            self.slot.html(f'<div class="training">{self._form(self.room.data, self.room.problem)}</div>')

    # -- a study to begin

    def _form(self, data: Dataset, problem: Problem) -> str:
        facts = self._known(data, problem)
        there = self._others()
        return (
            f"<p><b>{text(question(problem))}</b></p>{quiet(limits_of(problem))}"
            f'<div class="row">{button("Quick look (20 s)", "quick", main=True)}'
            f"{button('Thorough (10 min)', 'thorough')}</div>"
            f'<div class="row">{button("Start", "start", main=True)}{budget_html(self.wishes)}</div>'
            f"{_facts_html(problem, None if facts is None else facts[0])}"
            f"{limits_html(self.wishes, 'limits' in self._open)}"
            f"{space_html(None if facts is None else facts[1], self.exclude, 'space' in self._open)}"
            f"{there}"
        )

    def _others(self) -> str:
        """Ways back to studies that are there."""
        studies = self.room.project.studies.values()
        same = [live for live in studies if live.problem_id == self.room.problem_id]
        buttons = "".join(button(f"Back to {live.title} ({live.shown})", "open", live.name) for live in same)
        return f'<div class="row">{buttons}</div>' if buttons else ""

    def _known(self, data: Dataset, problem: Problem) -> tuple[str, dict[str, tuple[str, ...]]] | None:
        """How rows are divided, in words, and what can be left out; None while a thread looks."""
        key = (id(data), problem.to_json())
        if key not in self._facts:
            self._facts[key] = None
            self._kept.append(data)
            self.room.jobs.start(f"facts {key[1]}", partial(_facts_of, data, problem), partial(self._came, key))
        return self._facts[key]

    def _came(self, key: Any, found: Any, version: int) -> None:
        self._facts[key] = found
        self.show()

    def do_quick(self, _: Any) -> None:
        """20 seconds, all cores."""
        self._begin({"seconds": QUICK, "workers": cores()})

    def do_thorough(self, _: Any) -> None:
        """10 minutes, all cores."""
        self._begin({"seconds": THOROUGH, "workers": cores()})

    def do_start(self, _: Any) -> None:
        """As the form says."""
        self._begin(self.wishes.options)

    def _begin(self, options: dict[str, Any]) -> None:
        self._new = False
        self.slot.html(quiet("Starting…"))
        begin(self.room, options, self.exclude)

    def do_open(self, name: str) -> None:
        """Look at a study that is there."""
        self._new = False
        self.room.choose_study(name)
        self.show()

    def do_set(self, told: list[Any]) -> None:
        """Something was typed into the form."""
        try:
            self.wishes.set(*told)
        finally:
            self.show()

    def do_fold(self, name: str) -> None:
        """Open or close a fold."""
        self._open ^= {name}
        self.show()

    def do_try(self, told: list[Any]) -> None:
        """Try something, or leave it out."""
        name, on = told
        exclude = tuple(each for each in self._excluded if each != name) + (() if on else (name,))
        try:
            self._leave_out(exclude)
        finally:
            self.show()

    def do_try_all(self, _: Any) -> None:
        """Leave nothing out."""
        self._leave_out(())
        self.show()

    @property
    def _excluded(self) -> tuple[str, ...]:
        return self.exclude if self.live is None else self.live.exclude

    def _leave_out(self, exclude: tuple[str, ...]) -> None:
        live = self.live
        facts = self._known(*((self.room.data, self.room.problem) if live is None else (live.study.data, live.problem)))
        for name, values in facts[1].items() if facts else ():
            if all(option(name, value) in exclude for value in values):
                raise ValueError(f"{CHOICES.get(name, name)}: at least one is needed")
        if live is None:
            self.exclude = exclude
        else:
            live.leave_out(exclude)

    # -- a study that is there

    def _running(self, live: LiveStudy) -> str:
        facts = self._known(live.study.data, live.problem) if live.state != "failed" else None
        changed = set(live.exclude) != set(live.excluded)
        space = space_html(None if facts is None else facts[1], live.exclude, "space" in self._open)
        return (
            f"<p><b>{text(live.title)}</b> · {text(question(live.problem))}</p>"
            f"{_progress_html(live)}{_trouble(live)}"
            f'<div class="row">{self._buttons(live, changed)}</div>'
            f"{_score_html(live)}"
            f"{_facts_html(live.problem, None if facts is None else facts[0])}"
            f"{space if live.state != 'failed' else ''}"
        )

    def _buttons(self, live: LiveStudy, changed: bool) -> str:
        new = button("New study", "new")
        if live.state == "running":
            apply = button("Apply now", "apply", main=True) if changed else ""
            return apply + button("Pause", "pause") + button("Stop", "stop") + new
        if live.state == "elsewhere":
            return new
        stop = button("Stop", "stop") if live.state == "paused" and not live.why else ""
        more = self._more(live)
        new = f'</div><div class="row">{new}' if more else new
        return button("Go on", "go on", main=True, disabled=not live.can_go_on) + more + stop + new

    def _more(self, live: LiveStudy) -> str:
        return budget_html(self.wishes) if live.state in ("ended", "failed") and live.can_go_on else ""

    def do_pause(self, _: Any) -> None:
        """Stop searching for now."""
        self._live.pause()

    def do_stop(self, _: Any) -> None:
        """Stop searching."""
        self._live.stop()

    def do_go_on(self, _: Any) -> None:
        """Search on: what is left of the time, or as long as the form says where none is."""
        live = self._live
        if live.state in ("ended", "failed"):
            live.study.workers = self.wishes.processes
        live.go_on(**({} if live.state == "paused" else self._further(live)))

    def _further(self, live: LiveStudy) -> dict[str, Any]:
        """As many trials more as the form says."""
        run = self.wishes.run
        if run["trials"] is not None and live.trials is not None:
            run["trials"] += len(live.trials)
        return run

    def do_apply(self, _: Any) -> None:
        """Go on at once with what is tried now."""
        self._live.pause()
        self._live.go_on()

    def do_new(self, _: Any) -> None:
        """A further study of the same problem."""
        self.exclude = self._excluded
        self._new = True
        self.show()

    @property
    def _live(self) -> LiveStudy:
        live = self.live
        if live is None:
            raise ValueError("Begin a study first")
        return live


def _facts_of(data: Dataset, problem: Problem) -> tuple[str, dict[str, tuple[str, ...]]]:
    from learnviews.kernels.search.space import options

    return search.plan(data, problem).why, options(data, problem)


def _facts_html(problem: Problem, divided: str | None) -> str:
    looked = "looking at the data…" if divided is None else divided
    return (
        f'<dl class="facts"><dt>Judged by</dt><dd>{text(metric_title(problem))} ({text(better(problem))})</dd>'
        f"<dt>Rows</dt><dd>{text(looked)}</dd></dl>"
    )


def _progress_html(live: LiveStudy) -> str:
    seen = live.seen
    trials, models = (0, 0) if seen is None else (len(seen.trials), len(live.models))
    words = [live.shown if not live.stopping else f"{live.shown}: ending its last work…"]
    if live.state == "running":
        words += [f"{clock(live.left)} left"] if live.left is not None else []
        words = ["starting the processes…"] if not trials else words
    words += [counted(trials, "trial"), counted(models, "model")] if trials else []
    share = live.done
    if share is None:
        return f'<p class="state">{text(" · ".join(words))}</p>'
    role = f'role="progressbar" aria-label="Share of the run that is over" aria-valuenow="{share * 100:.0f}"'
    bar = f'<div class="bar" {role}><i style="width:{share * 100:.1f}%"></i></div>'
    return f'<p class="state">{text(" · ".join(words))}</p>{bar}'


def _trouble(live: LiveStudy) -> str:
    if not live.why:
        return ""
    if live.state == "failed":
        more = "" if live.can_go_on else " The models that were loaded are shown still; begin a new study to train on."
        return alert(f"{live.why}.{more}")
    return quiet(f"It {live.why}" if live.state == "paused" else live.why)


def _score_html(live: LiveStudy) -> str:
    best, trivial = best_line(live)
    if best is None:
        return ""
    metric = str(live.problem.metric)
    interval = f" ({figure(best['low'], 3)} to {figure(best['high'], 3)})" if best["low"] == best["low"] else ""
    beside = "" if trivial is None else f", trivial {figure(trivial[metric])}"
    return (
        f'<p class="best">best: <b class="figure-of">{figure(best[metric])}</b>{interval}{beside}'
        f"<br><small>{text(best['name'])}, on {judged_on(best['split'])}</small></p>"
    )
