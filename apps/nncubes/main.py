"""One session of the NNCubes app; runs anew for every page that is opened."""

import sys

from learnviews.apps.nncubes.explorer import Explorer, shelf
from learnviews.apps.pages import page_template
from learnviews.grammar.serve import Session

session = Session("NNCubes · LearnViews", template=page_template("nncubes"))
Explorer(session, shelf(tuple(sys.argv[1:])))
