"""A tiny page of a cube's views for the browser tests: a board that is patched, or with --maps linked DynamicMaps."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import cube_small
from bokeh.layouts import column, row

import learnviews as lv
from learnviews.grammar.cube_board import CubeBoard
from learnviews.grammar.serve import Session

lv.extension("bokeh")
session = Session("{}")
brush, target = lv.Brush(), lv.Target()
brush.add_subscriber(lambda **_: setattr(session.doc, "title", json.dumps(brush.query.to_json())))
target.add_subscriber(lambda **asked: setattr(session.doc, "title", json.dumps(asked)))
if "--maps" in sys.argv:
    session.add(all=session.plot(lv.cube_views(cube_small.exact(), brush, target=target, columns=2)).state)
else:
    figures = CubeBoard(session, cube_small.exact(), brush, target).figures
    rows = [row(figures[a], figures[b], sizing_mode="stretch_width") for a, b in (("month", "hour"), ("kind", "place"))]
    session.add(all=column(*rows, sizing_mode="stretch_width"))
