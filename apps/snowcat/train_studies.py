"""All studies of a data set."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.card import Card
from learnviews.apps.snowcat.pane import alert, asks, button, does, quiet, text
from learnviews.apps.snowcat.train_words import best_line, metric_title, question, table
from learnviews.kernels.figures import figure

if TYPE_CHECKING:
    from learnviews.apps.snowcat.studies import LiveStudy

BESTS = 3  # best models of each study that are compared
COLUMNS = ("", "study", "predicts", "state", ">trials", ">models", ">best score", "")
HINT = "Folder of a study, as of learnviews search … --out FOLDER"


class Studies(Card):
    """Studies of these data: opened, paused, forgotten, added, compared."""

    name, title = "studies", "Studies"
    help = (
        "All studies of these data. Open one to see it in the other cards; tick several and compare their best models, "
        "which works where they predict the same. A study that `learnviews search` made, or makes right now, is added "
        "by its folder. “Forget” takes a study off the list; its folder stays."
    )
    steps = ("problems", "specify", "train", "compare", "select", "export")
    at_first = ("train",)
    size = (12, 4)
    hears = ("data", "problems", "study", "studies", "models")

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._ticked: set[str] = set()

    def show(self) -> None:
        studies = self.room.project.studies
        self._ticked &= set(studies)
        lines = "".join(self._line(live) for live in reversed(list(studies.values())))
        self.slot.html((table(COLUMNS, lines, "studies") if lines else quiet("No study yet.")) + self._foot())

    def _foot(self) -> str:
        compare = ""
        if len(self.room.project.studies) > 1:
            compare = button(f"Compare the best {BESTS} of each", "compare", disabled=len(self._ticked) < 2)
        box = f'<input type="text" class="grow" name="path" id="study-path" placeholder="{HINT}" aria-label="Folder">'
        return f'<form class="row" data-form="add">{compare}{box}<button class="plain">Add a study</button></form>'

    def _line(self, live: LiveStudy) -> str:
        shown = live.name == self.room.study_name
        seen, (best, _) = live.seen, best_line(live)
        counts = ("–", "–") if seen is None else (f"{len(seen.trials):,}", f"{len(live.models):,}")
        score = "–" if best is None else figure(best[str(live.problem.metric)])
        metric = f" <small>{text(metric_title(live.problem))}</small>"
        ticked, label = " checked" if live.name in self._ticked else "", text(f"Choose {live.title}")
        numbers = "".join(f'<td class="n">{each}</td>' for each in (*counts, score + metric))
        return (
            f'<tr class="{"chosen" if shown else ""}">'
            f'<td><input type="checkbox" {asks("tick", live.name)} aria-label="{label}"{ticked}></td>'
            f'<td title="{text(live.path)}">{text(live.title)}</td><td>{text(question(live.problem))}</td>'
            f"<td>{_state(live)}</td>{numbers}<td>{self._buttons(live, shown)}</td></tr>"
        )

    def _buttons(self, live: LiveStudy, shown: bool) -> str:
        turn = {"running": ("Pause", "pause"), "paused": ("Go on", "go on")}.get(live.state)
        parts = "<b>shown</b>" if shown else _small("Open", "open", live.name)
        parts += _small(*turn, live.name) if turn else ""
        return f'<div class="row">{parts}{_small("Forget", "forget", live.name)}</div>'

    # -- what is done

    def do_tick(self, told: list[Any]) -> None:
        """Choose a study to be compared."""
        name, on = told
        self._ticked = self._ticked | {name} if on else self._ticked - {name}
        self.show()

    def do_open(self, name: str) -> None:
        """Show a study."""
        self._study(name)
        self.room.choose_study(name)
        self.show()

    def do_pause(self, name: str) -> None:
        """Pause a study."""
        self._study(name).pause()

    def do_go_on(self, name: str) -> None:
        """Go on with a study."""
        self._study(name).go_on()

    def do_forget(self, name: str) -> None:
        """Take a study off the list."""
        self._study(name)
        if name == self.room.study_name:
            self.room.choose_study(next((each for each in reversed(self.room.project.studies) if each != name), None))
        self.room.project.forget_study(name)

    def do_add(self, told: dict[str, Any]) -> None:
        """Add a study by its folder, in a thread: its data are read."""
        path = str(told.get("path", "")).strip()
        if not path:
            raise ValueError(
                "Folder of a study: nothing was given; expected the folder of a study (it holds study.sqlite)"
            )
        self.room.jobs.start("add study", partial(self.room.project.add_study, Path(path).expanduser()), self._added)

    def _added(self, live: LiveStudy, version: int) -> None:
        self.room.choose_study(live.name)
        self.show()

    def do_compare(self, _: Any) -> None:
        """Compare the best models of the studies that were ticked."""
        studies = [live for name, live in self.room.project.studies.items() if name in self._ticked]
        kinds = sorted({question(live.problem) for live in studies})
        asked = {(live.problem.task, live.problem.targets) for live in studies}
        if len(asked) > 1:
            raise ValueError(f"These studies do not predict the same: {'; '.join(kinds)}")
        self.room.choose_study(studies[-1].name)
        self.room.compare([f"{live.name}/{model.number}" for live in studies for model in live.models[:BESTS]])
        self.room.go("compare")

    def _study(self, name: str) -> LiveStudy:
        live = self.room.project.studies.get(name)
        if live is None:
            raise LookupError(f"study {name}: it is not in the list any more")
        return live


def _state(live: LiveStudy) -> str:
    if live.state == "failed":
        return alert(live.why)
    return text(live.shown) + (f" <small>{text(live.why)}</small>" if live.why else "")


def _small(label: str, word: str, argument: Any) -> str:
    return f'<button type="button" class="plain small" {does(word, argument)}>{text(label)}</button>'
