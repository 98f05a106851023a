"""Loads everything slow while the server starts, so that it says it runs when the first page can come at once."""

import gc
import sys
import warnings

from bokeh.document import Document

from learnviews.apps.rnnbow.explorer import Explorer, library
from learnviews.grammar.operations import loudest
from learnviews.grammar.serve import Session

loudest([0.0, 1.0, 2.0], [1.0, 2.0, 3.0], 2)  # Datashader, compiled or loaded
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    Explorer(Session("warm-up", doc=Document()), library(tuple(sys.argv[1:])), live=False)
gc.collect()
gc.freeze()  # what was loaded stays: later collections, in the middle of a page, need not look at it
