"""The widgets of the NNCubes page."""

from __future__ import annotations

from typing import Any

from bokeh.models import Button, CheckboxGroup, CustomJS, Div, RadioButtonGroup, Select, TextInput

from learnviews.apps.nncubes.card import STYLE as CARD_STYLE
from learnviews.apps.nncubes.readout import STYLE as READOUT_STYLE
from learnviews.apps.nncubes.suggestions import STYLE as LIST_STYLE

SOURCES = ("model", "exact")
CODE_STYLE = """
:host { font-size: 12px; } .bk-clearfix { display: block; width: 100%; }
.code { display: flex; gap: 12px; } .code > div { flex: 1 1 0; min-width: 0; }
pre { margin: 2px 0 0; padding: 6px 8px; background: #f6f8f7; border: 1px solid #e0e7e4; border-radius: 4px;
      overflow: auto; max-height: 170px; user-select: all; }
button { font: inherit; border: 1px solid #b9c6c1; background: #fff; border-radius: 4px; cursor: pointer; }
button:hover, button:focus { background: #eef4f1; }
"""
FREE_STYLE = """
:host { font-size: 11.5px; } .bk-input-group { flex-wrap: wrap; gap: 0; } label { margin: 0 5px 0 0; }
input { margin: 0 2px 0 0; }
"""


class Controls:
    """Every widget, by what it is for; `placed` says under which name the template finds it.

    `bookmark` is the text of the page's address, `command` what the page's own script asks for; neither is seen.
    """

    def __init__(self) -> None:
        self.model = Select(width=150, margin=0)
        self.aggregate = Select(width=235, margin=0)
        self.source = RadioButtonGroup(labels=list(SOURCES), active=0, margin=0)
        self.undo = Button(label="Undo", width=56, margin=0, disabled=True)
        self.redo = Button(label="Redo", width=56, margin=0, disabled=True)
        self.clear = Button(label="Clear", width=56, margin=0, disabled=True)
        self.zoom = Button(label="Zoom", margin=0, visible=False, button_type="primary")
        self.unzoom = Button(label="Zoom out", margin=0, visible=False)
        note = {"white-space": "nowrap", "font-size": "12px", "color": "#A34700"}
        self.zoom_note = Div(text="", margin=0, styles=note)
        self.free = CheckboxGroup(labels=[], active=[], inline=True, margin=0, stylesheets=[FREE_STYLE])
        wide: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": 0}
        self.message = Div(**wide, stylesheets=[READOUT_STYLE], visible=False)
        self.text = Div(**wide, stylesheets=[READOUT_STYLE])
        self.surprises = Div(**wide, stylesheets=[LIST_STYLE])
        self.wanted = Div(**wide, stylesheets=[LIST_STYLE])
        self.code = Div(**wide, stylesheets=[CODE_STYLE])
        self.card = Div(**wide, stylesheets=[CARD_STYLE])
        self.bookmark, self.command = TextInput(visible=False), TextInput(visible=False)
        self.bookmark.js_on_change("value", CustomJS(code="window.nncubes?.remember(cb_obj.value)"))
        self.wanted.js_on_change("text", CustomJS(code="window.nncubes?.wanted(cb_obj.text)"))

    def placed(self) -> dict[str, Any]:
        """Name of the root in the page, and the widget."""
        return dict(vars(self))

    def enable(self, enabled: bool) -> None:
        """Allow or forbid everything but the choice of a model."""
        for widget in (self.aggregate, self.source, self.free):
            widget.disabled = not enabled
        if not enabled:
            for button in (self.undo, self.redo, self.clear):
                button.disabled = True
