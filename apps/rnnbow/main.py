"""One session of the RNNbow app; runs anew for every page that is opened."""

import sys

from learnviews.apps.rnnbow.explorer import Explorer, library
from learnviews.grammar.serve import Session

Explorer(Session("RNNbow · LearnViews"), library(tuple(sys.argv[1:])))
