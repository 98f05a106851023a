"""HoloViews plots under plain `bokeh serve`: the one place that knows how.

HoloViews' own way of serving renders, but then loses stream updates: it waits for a flag that only Panel's
application object sets. A `Session` sets it, binds every plot to its document, and cleans up when the page is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import holoviews as hv
from bokeh.document import Document
from bokeh.document.callbacks import invoke_with_curdoc
from bokeh.document.events import DocumentPatchedEvent
from bokeh.io import curdoc
from bokeh.model import Model


class Session:
    """One browser session: a document, and the HoloViews plots in it.

    Parameters
    ----------
    title : str
        Of the page.
    theme : str or bokeh.themes.Theme, optional
        For the plots; `theme.yaml` does not reach them.
    doc : Document, optional
        The current one if absent.
    template : jinja2.Template, optional
        Of the page, instead of the app's templates/index.html.
    """

    def __init__(self, title: str, theme: Any = None, doc: Document | None = None, template: Any = None) -> None:
        from panel.io.document import init_doc
        from panel.io.state import state

        self.doc = init_doc(doc or curdoc())  # before any plot
        # Without this hook every stream update is dropped in silence. The name is private to Panel: a test watches it.
        self.doc.on_event("document_ready", partial(state._schedule_on_load, self.doc))
        self.doc.title = title
        if template is not None:
            self.doc.template = template
        settings = {"theme": theme} if theme else {}
        # Without WebGL: starting it costs more than a few hundred bars ever give back.
        self._renderer = hv.renderer("bokeh").instance(mode="server", webgl=False, **settings)

    def plot(self, element: Any) -> Any:
        """The live plot of a HoloViews object; `.state` is its Bokeh figure, to be placed with `add`."""
        plot = self._renderer.get_plot(element, doc=self.doc)
        self.doc.on_session_destroyed(partial(_cleanup, plot))  # bound now: the globals of main.py are gone by then
        return plot

    def add(self, **models: Model) -> None:
        """Place Bokeh models in the page, each where the template says `{{ embed(roots.<name>) }}`."""
        with self.doc.models.freeze():  # the document looks through all its models once, not once per root
            for name, model in models.items():
                model.name = name
                self.doc.add_root(model)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Send what changes inside as one message: Bokeh looks through all models of a page for every message."""
        callbacks = self.doc.callbacks
        if callbacks.hold_value is not None:
            yield
            return
        callbacks.hold("combine")
        try:
            yield
        finally:
            # After messages that wait already: names private to Bokeh, which a test watches.
            events, callbacks._held_events, callbacks._hold = list(callbacks._held_events), [], None
            _send(self.doc, events)

    def soon(self, callback: Any) -> None:
        """Run `callback` on the session's own thread: the only way in from another one."""
        self.doc.add_next_tick_callback(callback)

    def rest(self, callback: Callable[[], None], milliseconds: int) -> Rest:
        """Something to run once nothing has happened for a while; see `Rest.start`."""
        return Rest(self.doc, callback, milliseconds)


class Rest:
    """Runs `callback` on the session's thread, so many milliseconds after the last `start`."""

    def __init__(self, doc: Document, callback: Callable[[], None], milliseconds: int) -> None:
        self.doc, self.callback, self.milliseconds = doc, callback, milliseconds
        self._waiting: Any = None

    def start(self) -> None:
        """Something happened: the clock starts anew."""
        self.stop()
        self._waiting = self.doc.add_timeout_callback(self._run, self.milliseconds)

    def stop(self) -> None:
        """Do not run it."""
        if self._waiting is not None:
            self.doc.remove_timeout_callback(self._waiting)
            self._waiting = None

    def _run(self) -> None:
        self._waiting = None
        self.callback()


def _send(doc: Document, events: list[Any]) -> None:
    """Send changes as one message to every page of a document, then tell who listens in Python."""
    session: Any = getattr(doc.session_context, "session", None)
    served = session is not None and session._pending_writes is not None
    changes = [each for each in events if isinstance(each, DocumentPatchedEvent)]
    if served and changes:
        for connection in session._subscribed_connections:
            message = connection.protocol.create("PATCH-DOC", changes)
            session._pending_writes.append(connection._socket.send_message(message))
    for event in events:
        if not (served and isinstance(event, DocumentPatchedEvent)):
            doc.callbacks.trigger_on_change(event)
        elif event.callback_invoker is not None:
            invoke_with_curdoc(doc, event.callback_invoker)


def _cleanup(plot: Any, context: Any) -> None:
    plot.cleanup()
