"""One session of the RNNbow app; runs anew for every page that is opened."""

import sys

from learnviews.apps.pages import page_template
from learnviews.apps.rnnbow.explorer import Explorer, library
from learnviews.grammar.serve import Session

session = Session("RNNbow · LearnViews", template=page_template("rnnbow"))
Explorer(session, library(tuple(sys.argv[1:])))
