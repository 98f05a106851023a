"""The dialog in which one's own table becomes a dashboard: choose or upload, edit the schema, learn."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bokeh.models import CustomJS, Spacer

from learnviews.apps.jobs import Jobs
from learnviews.apps.nncubes.editor import busy_html, editor_html, failed_html, start_html, summary
from learnviews.apps.nncubes.proposal import QUALITIES, Proposal
from learnviews.apps.nncubes.tables import Table
from learnviews.apps.nncubes.training import State, Training
from learnviews.apps.nncubes.uploads import TableUpload
from learnviews.apps.uploads import drop, upload_limit
from learnviews.kernels.progress import Progress

if TYPE_CHECKING:
    from learnviews.apps.nncubes.explorer import Explorer

GOES_ON = "Close this and it goes on: the button above tells how far it is. It ends when you leave the page."
HEARD = {"data_shown": "show", "data_moved": "move", "data_heard": "hear"}  # by the page's script


class OwnData:
    """What one session does with tables.

    The page's script and this object talk through models that nobody sees: `data_asked` holds [serial, word, argument]
    from the page; `data_shown` what the dialog shows; `data_moved` how far work is; `data_heard` how much of an upload
    has come.

    Parameters
    ----------
    page : Explorer

    Attributes
    ----------
    step : "start", "upload", "reading", "edit", "learn" or "failed"
    open : bool
        Whether the dialog is.
    """

    def __init__(self, page: Explorer) -> None:
        self.page, self.shelf, self.session = page, page.shelf, page.session
        self.limit = upload_limit()
        self.step, self.open, self.problem = "start", False, ""
        self.table: Table | None = None
        self.proposal: Proposal | None = None
        self.training: Training | None = None
        self._upload: TableUpload | None = None
        self._upload_id: Any = None
        self._reading: Progress | None = None
        self._run = self._serial = 0
        self._jobs = Jobs(self.session, self._not_read)
        self.widgets = {name: Spacer(visible=False) for name in ("data_asked", *HEARD)}
        for name, heard in HEARD.items():
            code = f"window.ownData?.{heard}(cb_obj.tags)"
            self.widgets[name].js_on_change("tags", CustomJS(code=code))
        self.widgets["data_asked"].on_change("tags", lambda name, old, new: self.do(*new[1:]))
        self._changed = lambda: self.session.soon(page.list_models)
        if page.live:
            self.shelf.watch(self._changed)
        self.session.doc.on_session_destroyed(self._over)
        self.show()

    def placed(self) -> dict[str, Any]:
        """Name of the root in the page, and the model."""
        return self.widgets

    # -- what the page asks for

    def do(self, word: str, argument: Any = None) -> None:
        """One thing that the page asks for; what goes wrong is said in the dialog."""
        if word not in ("open", "close"):
            self.problem = ""
        try:
            self._words()[word](argument)
        except (ValueError, LookupError, TypeError, OSError) as error:
            self.problem = str(error) or type(error).__name__
            if word in ("upload", "slice"):
                self._refuse_upload()
            self.show()

    def _words(self) -> dict[str, Callable[[Any], None]]:
        return {
            "open": lambda _: self._opened(True),
            "close": lambda _: self._opened(False),
            "table": self.choose,
            "anew": lambda path: self.read(self._table(path)),
            "upload": self._begin_upload,
            "slice": self._add_slice,
            "unreadable": self._unreadable,
            "stop": lambda _: self._stopped(),
            "back": lambda _: self._go("start"),
            "again": lambda _: self._go("edit"),
            "edit": self._edited(lambda proposal, argument: proposal.edit(*argument)),
            "measure": self._edited(lambda proposal, argument: proposal.measure(*argument)),
            "map": self._edited(lambda proposal, argument: proposal.add_map(*argument)),
            "quality": self._edited(lambda proposal, argument: proposal.set_quality(argument[-1])),
            "learn": lambda _: self._learn(),
            "leave": lambda _: self._stop(),
        }

    def _opened(self, opened: bool) -> None:
        self.open = opened
        if self.step in ("start", "failed"):
            self._go("start" if not opened and self.proposal is None else self.step)
        else:
            self.show()

    def _edited(self, change: Callable[[Proposal, Any], None]) -> Callable[[Any], None]:
        def edit(argument: Any) -> None:
            if self.proposal is not None and self.step == "edit":
                change(self.proposal, argument)
                self.show()

        return edit

    def _go(self, step: str) -> None:
        self.step = step
        self.show()

    # -- what the dialog shows

    def show(self) -> None:
        """Put the present state into the dialog."""
        self._serial += 1
        there = bool(self.limit or self.shelf.tables.served)
        foot, wrong = "", ""
        if self.step == "edit" and self.proposal is not None:
            wrong = self.proposal.problem()
            foot = wrong or summary(self.proposal)
        shown = {"step": self.step, "open": self.open, "foot": foot, "ready": not wrong, "there": there}
        self.widgets["data_shown"].tags = [self._serial, {**shown, "html": self._html(), "limit": self.limit}]

    def _html(self) -> str:
        name = self.table.name if self.table is not None else ""
        if self.step == "edit" and self.proposal is not None:
            return editor_html(self.proposal, self.problem)
        if self.step == "upload" and self._upload is not None:
            return busy_html(f"Uploading {self._upload.name}")
        if self.step == "reading":
            return busy_html(f"Reading {name}", "It takes a moment.")
        if self.step == "learn":
            return busy_html(f"Learning {name}", "Starting…", GOES_ON)
        if self.step == "failed":
            return failed_html(f"{name} was not learned", self.problem)
        return start_html(self._listed(), self.limit, self.problem)

    def _listed(self) -> list[tuple[str, str, int, bool]]:
        found = []
        for table in self.shelf.tables.served:
            try:
                held = int(table.about()["size"])
            except FileNotFoundError:
                held = -1
            found.append((str(table.path), table.name, held, self.shelf.model_of(table) is not None))
        return found

    def _move(self, share: float, words: str) -> None:
        self.widgets["data_moved"].tags = [share, words]

    # -- a table

    def choose(self, path: str) -> None:
        """Show the dashboard of a served table, or, where there is none yet, its schema."""
        table = self._table(path)
        model = self.shelf.model_of(table)
        if model is None:
            self.read(table)
        else:
            self._leave_to(model)

    def _table(self, path: Any) -> Table:
        table = self.shelf.tables.get(path)
        if table is None:
            raise LookupError(f"{path}: no table of this server")
        return table

    def read(self, table: Table) -> None:
        """Look at a table and propose a schema."""
        self._stop()
        if self.table is not None and self.table is not table:
            self._forget_upload()
        self.table, self.proposal, self.open = table, None, True
        progress = self._reading = Progress(lambda p: self.session.soon(partial(self._read_on, p, p.done, p.total)))
        self._jobs.start("read", partial(self._propose, table, progress), self._proposed)
        self._go("reading")

    def _read_on(self, progress: Progress, done: int, total: int) -> None:
        if self._reading is progress and total:
            self._move(done / total, f"{done / total:.0%}")

    def _propose(self, table: Table, progress: Progress) -> Proposal:
        return Proposal(self.shelf.tables.rows(table, progress), table.name)

    def _proposed(self, proposal: Proposal, version: int) -> None:
        self.proposal, self._reading, self.problem = proposal, None, ""
        self._go("edit")

    def _not_read(self, problem: str) -> None:
        self._reading, self.problem = None, problem
        self._forget_upload()
        self._go("start")

    # -- an upload

    def _begin_upload(self, file: dict[str, Any]) -> None:
        """The page has a file to send."""
        self._stop()
        self._forget_upload()
        self.proposal = None
        self._upload_id = file["id"]
        self._upload = TableUpload(file["name"], file["size"], file["modified"], self.limit)
        self.open = True
        self._go("upload")
        self._hear(0)

    def _add_slice(self, argument: Any) -> None:
        number, data = argument
        if self._upload is None or number != self._upload_id:
            return  # of one that was stopped
        got = self._upload.add(data)
        self._hear(got)
        if self._upload.complete:
            table, self._upload = self._upload.table(), None
            self.shelf.tables.bring(table)
            self.read(table)

    def _unreadable(self, name: Any) -> None:
        self._stop()
        self.step = "start"
        raise ValueError(f"{name}: the browser cannot read the file any more; choose it again")

    def _hear(self, got: int) -> None:
        self.widgets["data_heard"].tags = [self._upload_id, got]

    def _refuse_upload(self) -> None:
        drop(self._upload)
        self._upload, self.step, self.open = None, "start", True
        self._hear(-1)

    def _forget_upload(self) -> None:
        if self.table is not None and not self.table.served:
            self.shelf.tables.forget(self.table)
        self.table = None

    # -- training

    def _learn(self) -> None:
        if self.proposal is None or self.table is None or self.step not in ("edit", "failed"):
            return
        self._stop()
        self.step = "edit"  # where a problem is said
        task = {
            "rows": str(self.shelf.tables.rows(self.table)),
            "schema": self.proposal.schema().to_json(),
            "aggregates": self.proposal.aggregates(),
            "settings": QUALITIES[self.proposal.quality],
            "about": self.table.about(),
        }
        self._run += 1
        told = partial(self._from_thread, self._run, self._told)
        ended = partial(self._from_thread, self._run, self._ended)
        self.training = Training(task, self.shelf.folder, told, ended)
        self._go("learn")

    def _from_thread(self, run: int, handle: Callable[..., None], *told: Any) -> None:
        if self._run == run:
            self.session.soon(partial(self._if_current, run, handle, *told))

    def _if_current(self, run: int, handle: Callable[..., None], *told: Any) -> None:
        if self._run == run:
            handle(*told)

    def _told(self, state: State) -> None:
        left = "" if math.isnan(state.left) else f" · about {_seconds(state.left)} left"
        text = f" · {state.text}" if state.text else ""
        self._move(state.share, f"{state.share:.0%} · {state.phase}, step {state.step} of {state.steps}{text}{left}")

    def _ended(self, made: Path | None, why: str) -> None:
        self.training = None
        if made is None or self.table is None:
            self.problem = (
                why.replace(str(self.proposal.path), self.table.name) if self.proposal and self.table else why
            )
            self._go("failed")
            return
        model = self.shelf.keep(made, self.table.stem)
        self.proposal = None
        if self.open:
            self._leave_to(model)
        else:
            self._go("start")
            self.page.tell(f"{self.table.name} is learned: choose it in the list of models")

    def _leave_to(self, model: Path) -> None:
        """Show a dashboard, and close the dialog before it."""
        self.page.show_model(str(model))
        self.open = False
        self._go("start")

    # -- ends

    def _stopped(self) -> None:
        """Cancel was pressed: back to where the work was begun."""
        learning = self.step == "learn"
        self._stop()
        if not learning:
            self._forget_upload()
        self._go("edit" if learning and self.proposal is not None else "start")

    def _stop(self) -> None:
        """End whatever goes on."""
        self._run += 1
        if self.training is not None:
            self.training.cancel()
        if self._reading is not None:
            self._reading.cancel()
        self._jobs.cancel("read")
        drop(self._upload)
        self.training = self._reading = self._upload = None

    def _over(self, context: Any) -> None:
        """The page is gone: so is what it brought, and what it had begun."""
        self.shelf.unwatch(self._changed)
        self._stop()
        self._forget_upload()


def _seconds(count: float) -> str:
    if count < 90:
        return f"{max(1, math.ceil(count))} s"
    return f"{count / 60:.0f} min"
