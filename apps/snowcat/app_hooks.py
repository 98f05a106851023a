"""Loads everything slow while the server starts, so that it says it runs when the first page can come at once."""

import gc
import sys
import warnings

from bokeh.document import Document

from learnviews.apps.snowcat.explorer import Explorer
from learnviews.apps.snowcat.shelf import shelf
from learnviews.apps.snowcat.warming import begin
from learnviews.grammar.serve import Session

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    Explorer(Session("warm-up", doc=Document()), shelf(tuple(sys.argv[1:])), live=False)
gc.collect()
gc.freeze()  # what was loaded stays: later collections, in the middle of a page, need not look at it


def on_server_loaded(server_context: object) -> None:
    """Bokeh's hook: the server answers."""
    begin()
