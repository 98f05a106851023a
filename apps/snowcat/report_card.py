"""The card that makes a report of the chosen models: one HTML file to mail."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.export_card import MakingCard
from learnviews.apps.snowcat.making import new_name
from learnviews.apps.snowcat.pane import asks, quiet, text

if TYPE_CHECKING:
    from learnviews.apps.snowcat.chosen_models import Picked
    from learnviews.kernels.progress import Progress

ENDING = "-report.html"


@dataclass
class Wanted:
    """What a report is to hold beside the models."""

    title: str = ""
    importance: bool = True


class Report(MakingCard):
    """The chosen models as one HTML file."""

    name, title = "report", "Report"
    help = (
        "Writes one HTML file to mail or print: data, problem, scores with intervals, your notes, what each "
        "model says of the "
        "held-out rows, the search and the pipelines. Its figures answer the pointer; it asks nothing of any server."
    )
    size = (6, 7)
    kind, ending, media = "report", ENDING, "text/html"

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._wanted = Wanted()

    def show(self) -> None:
        if not self.there:
            self.slot.html(quiet("Choose the models to report on first, in the step Select.") + self._files_html())
            return
        count = len(self.there)
        about = f"On {count} model{'' if count == 1 else 's'}, one file of about 1.5 MB."
        self.slot.html(self.state_html("Make the report") + quiet(about))

    def options(self) -> str:
        title, ticked = text(self._wanted.title), " checked" if self._wanted.importance else ""
        return (
            f'<input type="text" class="grow" id="report-title" {asks("title")} value="{title}"'
            f' placeholder="Models of {text(self.room.project.title)}" aria-label="Title of the report">'
            f'<label title="Seconds per model"><input type="checkbox" {asks("importance")}{ticked}> which '
            "features matter</label>"
        )

    def do_title(self, told: list[Any]) -> None:
        """Call the report otherwise."""
        self._wanted.title = str(told[-1]).strip()

    def do_importance(self, told: list[Any]) -> None:
        """Say, or do not, how much each model needs each feature."""
        self._wanted.importance = bool(told[-1])

    def do_make(self, _: Any) -> None:
        """Write the report."""
        found, wanted, folder = self.there, self._wanted, self.folder
        if not found:
            raise ValueError("Choose the models to report on first, in the step Select.")
        title = wanted.title or f"Models of {self.room.project.title}"
        importance = wanted.importance
        self.making.start(lambda progress, notes: write(found, folder, title, importance, progress))


def write(found: list[Picked], folder: Path, title: str, importance: bool, progress: Progress) -> Path:
    """Write the report of chosen models to a folder, which is made where it is missing."""
    from learnviews.grammar import write_report

    studies = list({id(each.live): each.live for each in found}.values())
    folder.mkdir(parents=True, exist_ok=True)
    return write_report(
        folder / f"{new_name(folder, ENDING)}{ENDING}",
        [each.model for each in found],
        title=title,
        notes=[each.choice.note for each in found],
        studies=[live.study for live in studies],
        study_of=[studies.index(each.live) for each in found],
        study_names=[live.title for live in studies],
        importance=importance,
        progress=progress,
    )


CARDS = (Report,)
