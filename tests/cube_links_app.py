"""A tiny page of a cube's views beside points of HoloViews' own, linked with them, for the browser tests."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import cube_small
import holoviews as hv
import pandas as pd

import learnviews as lv
from learnviews.grammar.serve import Session

lv.extension("bokeh")
session = Session("{}")
brush, selections = lv.Brush(), hv.link_selections.instance()
link = lv.link_brush(brush, selections, cube_small.SCHEMA)
rows = hv.Dataset(pd.DataFrame(cube_small.table(2000)), ["month", "hour", "kind", "x", "y"], ["delay"])
points = selections(hv.Points(rows, ["x", "y"]).opts(width=400, height=300, active_tools=["box_select"]))
tell = lambda: setattr(session.doc, "title", json.dumps(brush.query.to_json()))  # noqa: E731
brush.add_subscriber(lambda **_: session.soon(tell))
session.add(all=session.plot(points + lv.cube_views(cube_small.exact(), brush)).state)
