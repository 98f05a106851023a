"""Loads everything slow while the server starts, so that it says it runs when the first page can come at once."""

import gc
import sys
import warnings

import numpy as np
from bokeh.document import Document

from learnviews.apps.rnnbow.explorer import Explorer, library
from learnviews.grammar.gate_flow import GateFlow
from learnviews.grammar.operations import aggregate_cells, loudest
from learnviews.grammar.serve import Session
from learnviews.grammar.unit_flow import UnitFlow

loudest([0.0, 1.0, 2.0], [1.0, 2.0, 3.0], 2)  # Datashader, compiled or loaded
aggregate_cells(UnitFlow.from_units(*np.ones((2, 3, 2), np.float32)), dynamic=False)
aggregate_cells(GateFlow.from_parts({("l0", None): np.ones((2, 3))}), dynamic=False)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    page = Explorer(Session("warm-up", doc=Document()), library(tuple(sys.argv[1:])), live=False)
    page.controls.panel.active = 1
    del page
gc.collect()
gc.freeze()  # what was loaded stays: later collections, in the middle of a page, need not look at it
