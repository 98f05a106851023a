"""A file on its way from a page to the shelf: sent in slices, unpacked, read, shown."""

from __future__ import annotations

from concurrent.futures import CancelledError
from functools import partial
from typing import TYPE_CHECKING, Any

from bokeh.models import CustomJS, Spacer

from learnviews.apps.snowcat.pane import alert, text
from learnviews.apps.snowcat.sources import ENDINGS
from learnviews.apps.uploads import Upload, drop, upload_limit
from learnviews.kernels.progress import Progress

if TYPE_CHECKING:
    from learnviews.apps.snowcat.sources import Source
    from learnviews.apps.snowcat.workspace import Workspace

HEARD = {"upload_shown": "show", "upload_heard": "hear", "upload_moved": "move"}  # by the page's script
EXPECTED = (
    "Expected a CSV or Parquet table with a row of names, a graph (GML, GraphML or a list of edges), or a zip of a D3M"
    " data set, of one table or graph, or of images, texts, series, sounds or videos in a folder per label."
)


class Uploading:
    """What one page sends.

    The page's script and this object talk through models that nobody sees: `upload_asked` holds [serial, word,
    argument] from the page; `upload_shown` what its box shows; `upload_heard` how much has come; `upload_moved` how
    far unpacking is.

    Parameters
    ----------
    room : Workspace

    Attributes
    ----------
    step : "", "upload", "reading" or "failed"
    """

    def __init__(self, room: Workspace) -> None:
        self.room, self.limit, self.step, self.problem = room, upload_limit(), "", ""
        self._upload: Upload | None = None
        self._id: Any = None
        self._progress: Progress | None = None
        self._name, self._serial = "", 0
        self.widgets = {name: Spacer(visible=False) for name in ("upload_asked", *HEARD)}
        for name, heard in HEARD.items():
            self.widgets[name].js_on_change("tags", CustomJS(code=f"window.uploading?.{heard}(cb_obj.tags)"))
        self.widgets["upload_asked"].on_change("tags", lambda name, old, new: self.do(*new[1:]))
        room.session.doc.on_session_destroyed(self._over)
        self.show()

    def placed(self) -> dict[str, Any]:
        """Names of the roots in the page, and the models."""
        return self.widgets

    def do(self, word: str, argument: Any = None) -> None:
        """One thing that the page asks for; what goes wrong is said in its box."""
        words = {
            "upload": self._begin,
            "slice": self._add,
            "unreadable": self._unreadable,
            "stop": lambda _: self._stop(),
            "dismiss": lambda _: self._go(""),
        }
        try:
            words[word](argument)
        except (ValueError, LookupError, TypeError, OSError) as error:
            self._refuse(str(error) or type(error).__name__)

    def show(self) -> None:
        """Put the present state into the page."""
        self._serial += 1
        shown = {"step": self.step, "html": self._html(), "limit": self.limit, "endings": ENDINGS}
        self.widgets["upload_shown"].tags = [self._serial, shown]

    def _html(self) -> str:
        if self.step == "failed":
            return f"{alert(self.problem)}<p>{EXPECTED}</p>"
        if not self.step:
            return ""
        words = "Sending" if self.step == "upload" else "Reading"
        return f'<b>{words} {text(self._name)}</b><div class="bar"><i></i></div><p class="how" role="status"></p>'

    def _go(self, step: str) -> None:
        self.step = step
        self.show()

    # -- slices

    def _begin(self, file: dict[str, Any]) -> None:
        """The page has a file to send."""
        self._end()
        self._id, self._name = file["id"], str(file["name"])
        folder = self.room.shelf.uploads
        self._upload = Upload(file["name"], file["size"], file["modified"], self.limit, folder, ENDINGS, "data set")
        self._name = self._upload.name
        self._go("upload")
        self._hear(0)

    def _add(self, argument: Any) -> None:
        number, data = argument
        if self._upload is None or number != self._id:
            return  # of one that was stopped
        got = self._upload.add(data)
        self._hear(got)
        if self._upload.complete:
            upload, self._upload = self._upload, None
            self._read(upload)

    def _unreadable(self, name: Any) -> None:
        raise ValueError(f"{name}: the browser cannot read the file any more; choose it again")

    def _hear(self, got: int) -> None:
        self.widgets["upload_heard"].tags = [self._id, got]

    # -- from a file to a data set

    def _read(self, upload: Upload) -> None:
        """Have a thread unpack and read what has come."""
        file = upload.finish()
        progress = self._progress = Progress(lambda p: self.room.session.soon(partial(self._move, p, p.done, p.total)))
        shelf, limit = self.room.shelf, self.limit

        def work() -> Source | Exception:
            try:
                return shelf.bring(file, limit, progress)
            except (Exception, CancelledError) as error:
                return error

        self.room.jobs.start("upload", work, self._arrived)
        self._go("reading")

    def _move(self, progress: Progress, done: int, total: int) -> None:
        if progress is self._progress and total:
            self.widgets["upload_moved"].tags = [done / total, f"unpacked {done / total:.0%}"]

    def _arrived(self, found: Source | Exception, version: int) -> None:
        self._progress = None
        if isinstance(found, BaseException):
            self._refuse(str(found) or type(found).__name__)
            return
        self._go("")
        self.room.go("data")
        self.room.shelf.open(found.key, self.room)

    # -- ends

    def _refuse(self, problem: str) -> None:
        drop(self._upload)
        self._upload, self.problem = None, problem
        self._hear(-1)
        self._go("failed")

    def _stop(self) -> None:
        """Cancel was pressed."""
        self._end()
        self._go("")

    def _end(self) -> None:
        """End whatever goes on; nothing of it is kept."""
        if self._progress is not None:
            self._progress.cancel()
        self.room.jobs.cancel("upload")
        drop(self._upload)
        self._upload = self._progress = None

    def _over(self, context: Any) -> None:
        """The page is gone, and with it what was half sent; what has come whole is kept."""
        drop(self._upload)
        self._upload = None
