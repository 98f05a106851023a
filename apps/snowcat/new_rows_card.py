"""The card that takes new rows and shows what the chosen models say of them, side by side."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.card import Card
from learnviews.apps.snowcat.chosen_models import picked
from learnviews.apps.snowcat.new_rows import ENDINGS, EVENT, NewTable
from learnviews.apps.snowcat.new_rows_table import (
    ORDERS,
    as_csv,
    has_truth,
    order_of,
    page_html,
    scores_html,
    side_by_side,
)
from learnviews.apps.snowcat.pane import alert, button, quiet, select, text
from learnviews.apps.uploads import Upload, drop, upload_limit

if TYPE_CHECKING:
    import pandas as pd

PAGE = 25  # rows


class NewRowsCard(Card):
    """New rows, and what the chosen models say of them."""

    name, title = "new rows", "New rows"
    help = (
        "Choose a table with the columns that the models look at, and see what the chosen models say of its "
        "rows: predictions, "
        "their certainty, whether they agree. Where the table holds the target, too, it is scored. The table is "
        "sent to the "
        "server and kept with the project until you delete it."
    )
    steps = at_first = ("export",)
    size = (12, 8)
    hears = ("data", "chosen", "studies", EVENT)

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._upload: Upload | None = None
        self._id: Any = None
        self._refused = ""
        self._page, self._order, self._target = 0, "row", ""
        self._frame: tuple[Any, pd.DataFrame | None] = (None, None)
        self._scores: tuple[Any, str] = (None, "")

    @property
    def table(self) -> NewTable:
        """The table that this page looks at."""
        return NewTable.of(self.room)

    def show(self) -> None:
        table = self.table
        if not any(each.model is not None for each in picked(self.room.project)):
            self.slot.empty("Choose the models that are to predict first, in the step Select.")
            return
        table.predict()
        self.slot.html(f"{self._controls()}{self._state()}{self._body()}")

    def _controls(self) -> str:
        table = self.table
        limit = upload_limit()
        told = text(_json({"limit": limit, "endings": ENDINGS, "what": "table"}))
        parts = (
            f'<label class="plain main" title="CSV or Parquet, up to {limit / 1e6:,.0f} MB">Choose a table…'
            f'<input type="file" data-send=\'{told}\' accept=".csv,.tsv,.gz,.parquet,.pq"></label>'
            if limit
            else ""
        )
        others = table.tables()
        if others:
            now = str(table.path) if table.path else ""
            parts += select("table", {"": "or one that is here", **others}, now, "Table of new rows")
        if table.path is not None and table.path.parent == table.folder:
            parts += button("Delete it", "delete")
        if len(table.answers) > 1:
            parts += select("question", {each: each for each in table.answers}, table.question, "Problem")
        if table.shown is not None and table.shown.models:
            parts += button("Download predictions (CSV)", "csv")
        return f'<div class="row">{parts}</div>'

    def _state(self) -> str:
        table = self.table
        if self._upload is not None:
            return (
                f'<p>Sending {text(self._upload.name)} <span class="sent quiet"></span></p><div class="bar '
                'sending"><i></i></div>'
                f"{button('Cancel', 'stop')}"
            )
        lost = "" if table.shown is None else "".join(alert(each) for each in table.shown.lost)
        busy = quiet("Predicting…") if table.busy else ""
        return f"{alert(self._refused or table.problem)}{busy}{lost}"

    def _body(self) -> str:
        table, shown = self.table, self.table.shown
        if table.path is None and not self._upload:
            return quiet("CSV or Parquet, with a row of names; columns that no model looks at do no harm.")
        if shown is None or not shown.models or table.busy:
            return ""
        frame = self._side_by_side(shown)
        self._page = max(0, min(self._page, (len(frame) - 1) // PAGE))
        order = order_of(frame, self._order)
        part = frame.iloc[order[self._page * PAGE : (self._page + 1) * PAGE]]
        self._part = part
        return f"{self._scored(shown)}{self._turning(frame, shown)}{page_html(part, shown)}"

    def _side_by_side(self, shown: Any) -> pd.DataFrame:
        targets = shown.models[0].problem.targets
        if self._target not in targets:
            self._target = targets[0] if targets else ""
        key = id(shown), self._target
        if self._frame[0] != key:
            self._frame = key, side_by_side(shown.models, self._target)
        assert self._frame[1] is not None
        return self._frame[1]

    def _turning(self, frame: pd.DataFrame, shown: Any) -> str:
        pages = -(-len(frame) // PAGE)
        offered = {name: words for name, words in ORDERS.items() if name == "row" or name in frame.attrs["orders"]}
        targets = shown.models[0].problem.targets
        which = select("target", {name: name for name in targets}, self._target, "Target") if len(targets) > 1 else ""
        turn = (
            f"{button('‹', 'turn', -1, disabled=self._page == 0)} {self._page + 1:,} of {pages:,} "
            f"{button('›', 'turn', 1, disabled=self._page >= pages - 1)}"
            if pages > 1
            else ""
        )
        return (
            f'<div class="row"><span class="grow quiet">{len(frame):,} rows of {text(self.table.path.name)}</span>'
            f"{which}"
            f"{select('order', offered, self._order, 'Order of the rows')}{turn}</div>"
        )

    def _scored(self, shown: Any) -> str:
        """Scores where truth is known, once a thread has found them."""
        if not shown.models[0].problem.targets or not has_truth(shown):
            return ""
        if self._scores[0] == id(shown):
            return self._scores[1]
        self._scores = id(shown), quiet("Scoring…")
        self.room.jobs.start("new scores", partial(scores_html, shown), partial(self._scores_came, id(shown)))
        return self._scores[1]

    def _scores_came(self, key: int, html: str, version: int) -> None:
        if self._scores[0] == key:
            self._scores = key, html
            self.room.changed(EVENT)

    def row_ids(self) -> Any:
        part = getattr(self, "_part", None)
        return super().row_ids() if part is None else part.index

    # -- what is done

    def do_table(self, told: list[Any]) -> None:
        """Look at a table that is here."""
        path = next((Path(each) for each in self.table.tables() if each == told[-1]), None)
        self._refused, self._page = "", 0
        if path is not None:
            self.table.look_at(path)

    def do_question(self, told: list[Any]) -> None:
        """Look at the models of another problem."""
        self._page = 0
        self.table.choose(told[-1])

    def do_order(self, told: list[Any]) -> None:
        """Order the rows otherwise."""
        self._order, self._page = told[-1], 0
        self.show()

    def do_target(self, told: list[Any]) -> None:
        """Show another target."""
        self._target = told[-1]
        self.show()

    def do_turn(self, by: int) -> None:
        """Show another page."""
        self._page += int(by)
        self.show()

    def do_delete(self, _: Any) -> None:
        """Delete the table from the server."""
        if self.table.path is not None:
            self.table.delete(self.table.path)

    def do_csv(self, _: Any) -> None:
        """Have the page save the predictions."""
        shown, path = self.table.shown, self.table.path
        if shown is None or path is None:
            raise ValueError("there are no predictions yet")
        self.room.jobs.start(
            "csv", partial(as_csv, shown), partial(self._send, f"{path.name.split('.')[0]}-predicted.csv")
        )

    def _send(self, name: str, path: Path, version: int) -> None:
        self.room.transfers.send(path, name, "text/csv", temporary=True)

    # -- a table that is sent

    def do_upload(self, file: dict[str, Any]) -> None:
        """The page has a table to send."""
        self._end()
        self._refused = ""
        try:
            self._upload = Upload(
                file["name"], file["size"], file["modified"], upload_limit(), self.table.folder, ENDINGS
            )
        except (ValueError, OSError) as error:
            return self._refuse(str(error), file["id"])
        self._id = file["id"]
        self.show()
        self.room.transfers.heard(self._id, 0)

    def do_slice(self, told: list[Any]) -> None:
        """A slice of it has come."""
        id_, data = told
        if self._upload is None or id_ != self._id:
            return
        try:
            got = self._upload.add(data)
            complete = self._upload.complete
            self.room.transfers.heard(id_, got)
            if complete:
                upload, self._upload = self._upload, None
                self.table.look_at(self.table.keep(upload.finish()))
        except (ValueError, OSError) as error:
            self._refuse(str(error), id_)

    def do_unreadable(self, name: Any) -> None:
        """The page cannot read it any more."""
        self._refuse(f"{name}: the browser cannot read the file any more; choose it again", self._id)

    def do_unfit(self, why: str) -> None:
        """The page does not send it."""
        self._refused = str(why)
        self.show()

    def do_stop(self, _: Any) -> None:
        """Cancel was pressed."""
        self.room.transfers.heard(self._id, -1)
        self._end()
        self.show()

    def _refuse(self, why: str, id_: Any) -> None:
        self._end()
        self._refused = why
        self.room.transfers.heard(id_, -1)
        self.show()

    def _end(self) -> None:
        drop(self._upload)
        self._upload = None

    def close(self) -> None:
        self._end()


def _json(value: Any) -> str:
    import json

    return json.dumps(value)


CARDS = (NewRowsCard,)
