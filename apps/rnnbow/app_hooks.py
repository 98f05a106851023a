"""Loads everything slow before the first page is asked for."""

import sys


def on_server_loaded(server_context):
    """Import plotting and Datashader, compile or load the kernels, open the recordings once."""
    import warnings

    from bokeh.document import Document

    from learnviews.apps.rnnbow.explorer import Explorer, library
    from learnviews.grammar.operations import loudest
    from learnviews.grammar.serve import Session

    loudest([0.0, 1.0, 2.0], [1.0, 2.0, 3.0], 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Explorer(Session("warm-up", doc=Document()), library(tuple(sys.argv[1:])), live=False)
