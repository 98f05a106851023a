"""A tiny page of parallel coordinates beside dots of the same rows, for the browser tests."""

import json

import numpy as np
import pandas as pd

import learnviews as lv
from learnviews.grammar.serve import Session

lv.extension("bokeh")
session = Session("{}")
rng = np.random.default_rng(0)
count = 3000
rows = pd.DataFrame({"model": rng.choice(["a", "b", "c"], count), "depth": rng.integers(1, 9, count)})
rows["score"] = rows["depth"] / 10 + rng.normal(scale=0.1, size=count)
selection = lv.RowSelection()
lines = lv.ParallelCoordinates.from_frame(rows, "score", ["model", "depth"], selection=selection)
tell = lambda: setattr(session.doc, "title", json.dumps([len(selection.kept), len(selection.lit)]))  # noqa: E731
selection.add_subscriber(lambda **_: session.soon(tell))
session.add(all=session.plot(lines.opts(width=600, height=400, responsive=False)).state)
