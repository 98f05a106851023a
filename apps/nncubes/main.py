"""One session of the NNCubes app; runs anew for every page that is opened."""

import sys

from learnviews.apps.nncubes.explorer import Explorer, shelf
from learnviews.grammar.serve import Session

Explorer(Session("NNCubes · LearnViews"), shelf(tuple(sys.argv[1:])))
