"""Card of the problems of a data set, ranked, to choose one of and to look after."""

from __future__ import annotations

from typing import Any

from learnviews.apps.snowcat.card import Card
from learnviews.apps.snowcat.pane import button, does, quiet, select, text
from learnviews.apps.snowcat.problem_draft import Draft
from learnviews.apps.snowcat.problem_words import (
    ORIGINS,
    download,
    metric_of,
    read_document,
    sentence_html,
    task_of,
)
from learnviews.apps.snowcat.project import MARKS, Entry, Project

SHOWN = {
    "": "all",
    "yes": "meaningful",
    "not sure": "not sure",
    "no": "not meaningful",
    "not no": "all but not meaningful",
}
MOST = 200  # rows of the list


class Problems(Card):
    """Problems that the data allow, and those that users added."""

    name, title = "problems", "Problems"
    help = (
        "What could be predicted here, the most promising first: the bar says how far a small forest, tried on a "
        "sample, is from guessing. Click one to choose it; say whether it is meaningful, as no computer knows. Add "
        "problems of your own, or read them from a D3M problem document."
    )
    steps = at_first = ("problems",)
    size = (8, 15)
    hears = ("data", "problems", "problem")

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self.words, self.which = "", ""
        self.dropped: tuple[int, Entry] | None = None

    @property
    def project(self) -> Project:
        return self.room.project

    def show(self) -> None:
        self.project.look_for_problems()
        shown = [entry for entry in self.project.entries if self._fits(entry)]
        self.slot.html(
            self._tools(len(shown)) + self._looking() + self._undo() + self._table(shown[:MOST]) + self._left_out()
        )

    def _fits(self, entry: Entry) -> bool:
        marked = entry.mark != "no" if self.which == "not no" else self.which in ("", entry.mark)
        problem = entry.problem
        told = f"{problem.sentence()} {' '.join(problem.features or ())} {problem.reason} {problem.name or ''}".lower()
        return marked and all(word in told for word in self.words.lower().split())

    # -- its HTML

    def _tools(self, shown: int) -> str:
        every = len(self.project.entries)
        count = f"{every} problems" if shown == every else f"{shown} of {every} problems"
        return (
            f'<div class="row">{button("New problem", "add", main=True)}'
            '<label class="plain">Read a file<input type="file" data-file="read" accept=".json,application/json" '
            'aria-label="Problem document to read"></label>'
            f'<input type="search" id="problem-words" class="grow" data-type="filter" value="{text(self.words)}" '
            'placeholder="Filter by words" aria-label="Filter problems by words">'
            f"{select('only', SHOWN, self.which, 'Filter problems by mark')}"
            f"<small>{count if every else ''}</small></div>"
        )

    def _looking(self) -> str:
        project = self.project
        if project.not_found:
            return f'<div class="alert" role="alert">{text(project.not_found)} {button("Look again", "again")}</div>'
        progress = project.looking
        if progress is None:
            return ""
        share = 100 * progress.done / progress.total if progress.total else 0
        return (
            f'<div class="row"><div class="bar grow" role="progressbar" aria-valuenow="{share:.0f}" '
            f'aria-label="Looking for problems"><i style="width: {share:.0f}%"></i></div>'
            f"<small>{text(progress.text or 'looking for problems')}</small>{button('Stop looking', 'stop')}</div>"
        )

    def _undo(self) -> str:
        if self.dropped is None:
            return ""
        return f'<div class="undo">Deleted: {sentence_html(self.dropped[1].problem)} {button("Undo", "undo")}</div>'

    def _table(self, entries: list[Entry]) -> str:
        if not entries:
            if self.project.looking is not None and not self.project.entries:
                return ""
            every = self.project.entries
            return quiet("No problem fits the filter." if every else "No problems yet: phrase one with “New problem”.")
        rows = "".join(self._row(entry) for entry in entries)
        return (
            '<table class="wide problems"><thead><tr><th>Problem</th><th>Task</th><th>Metric</th><th>Promise</th>'
            f"<th>From</th><th>Meaningful</th></tr></thead><tbody>{rows}</tbody></table>"
        )

    def _row(self, entry: Entry) -> str:
        problem, chosen = entry.problem, entry.id == self.room.problem_id
        faded = ' class="no"' if entry.mark == "no" else ""
        name = f"{text(problem.name)}: " if problem.name and entry.origin != "found" else ""
        about = text(problem.reason or problem.description or "")
        return (
            f'<tr class="{"picked" if chosen else ""}"><td{faded}><button type="button" class="says" '
            f'{does("choose", entry.id)} aria-pressed="{str(chosen).lower()}" title="{text(problem.sentence())}">'
            f"{name}{sentence_html(problem, brief=True)}<small title='{about}'>{about}</small></button>"
            f"{self._actions(entry) if chosen else ''}</td>"
            f"<td{faded}>{text(task_of(problem))}</td><td{faded}>{text(metric_of(problem))}</td>"
            f"<td>{_promise(entry)}</td><td>{text(ORIGINS.get(entry.origin, entry.origin))}</td>"
            f"<td>{select('mark', {mark: mark for mark in MARKS}, entry.mark, 'Meaningful', entry.id)}</td></tr>"
        )

    def _actions(self, entry: Entry) -> str:
        return (
            f'<div class="row">{button("Train models", "train", main=True)}{button("Edit", "edit", entry.id)}'
            f"{button('Copy', 'copy', entry.id)}{button('Delete', 'delete', entry.id)}"
            f"{download(entry.problem, self.room.data)}</div>"
        )

    def _left_out(self) -> str:
        found = self.project.left_out
        again = button("Look again", "again") if self.project.looked and self.project.looking is None else ""
        if not found:
            return f'<div class="row">{again}</div>'
        rows = "".join(f"<tr><td>{text(name)}</td><td>{text(why)}</td></tr>" for name, why in found.items())
        count = "1 column is no target" if len(found) == 1 else f"{len(found)} columns are no targets"
        return f'<details><summary>{count}</summary><table>{rows}</table></details><div class="row">{again}</div>'

    # -- what is done in it

    def _entry(self, id_: str) -> Entry:
        entry = self.project.problem(id_)
        if entry is None:
            raise LookupError("this problem is not in the list any more")
        return entry

    def do_choose(self, id_: str) -> None:
        """Work on a problem."""
        self.room.choose_problem(self._entry(id_).id)

    def do_filter(self, words: str) -> None:
        """Show those whose words begin so."""
        self.words = str(words)
        self.show()

    def do_only(self, told: list[str]) -> None:
        """Show those of a mark."""
        self.which = told[0] if told[0] in SHOWN else ""
        self.show()

    def do_mark(self, told: list[str]) -> None:
        """Say whether a problem is meaningful."""
        id_, mark = told
        self.project.edit_problem(self._entry(id_).id, mark=mark)

    def do_add(self, _: Any) -> None:
        """Phrase a new one."""
        self.room.draft = Draft(chosen=self.room.problem_id)
        self.room.go("specify")

    def do_edit(self, id_: str) -> None:
        """Phrase it otherwise."""
        self.room.choose_problem(self._entry(id_).id)
        self.room.draft = Draft(self._entry(id_), self.room.problem_id)
        self.room.go("specify")

    def do_copy(self, id_: str) -> None:
        """Phrase another one that begins as this one."""
        self.room.draft = Draft(self._entry(id_), self.room.problem_id).copy()
        self.room.go("specify")

    def do_delete(self, id_: str) -> None:
        """Take it off the list."""
        self.dropped = self.project.drop_problem(id_)
        if id_ == self.room.problem_id:
            self.room.choose_problem(None)
        self.show()

    def do_undo(self, _: Any) -> None:
        """Put back what was deleted last."""
        if self.dropped is not None:
            place, entry = self.dropped
            self.dropped = None
            self.project.restore_problem(place, entry)
            self.room.choose_problem(entry.id)

    def do_read(self, file: dict[str, Any]) -> None:
        """Add the problem of a document."""
        problem = read_document(file)
        try:
            entry = self.project.alike(problem.check(self.room.data)) or self.project.add_problem(problem, "document")
        except ValueError as error:
            raise ValueError(f"{file.get('name')}: {error}") from None
        self.words = self.which = ""
        self.room.choose_problem(entry.id)
        self.show()

    def do_again(self, _: Any) -> None:
        """Look for problems anew."""
        self.project.look_for_problems(again=True)

    def do_stop(self, _: Any) -> None:
        """Take what was found so far."""
        if self.project.looking is not None:
            self.project.looking.cancel()

    def do_train(self, _: Any) -> None:
        """On to the models."""
        self.room.go("train")


def _promise(entry: Entry) -> str:
    score = entry.problem.score
    if score is None:
        return ""
    return (
        f'<div class="bar" role="img" aria-label="promise {score:.0%}" '
        f'title="{score:.0%}: {text(entry.problem.reason)}">'
        f'<i style="width: {max(2, 100 * score):.0f}%"></i></div>'
    )
