"""The widgets of the RNNbow page."""

from __future__ import annotations

from bokeh.layouts import row
from bokeh.models import Button, CheckboxGroup, Div, RadioButtonGroup, Select, Spinner, Toggle

KINDS = {"norm": "norm", "share": "signed share"}
TRANSFORMS = {"linear": "linear", "log": "log"}
SCALES = {"batch": "this batch", "shared": "all batches"}
PANELS = ("steps", "inside")
MEASURES = {
    "max_gradient": "largest bar",
    "loss": "loss",
    "mean_lag": "mean lag",
    "correct": "predicted right",
}


class Controls:
    """Every widget, by what it is for; `placed` says under which name the template finds it."""

    def __init__(self) -> None:
        self.recording = Select(width=200, margin=0)
        self.sequence = Spinner(low=0, high=0, value=0, width=70, margin=0)
        self.sequences = row(Div(text="Sequence", margin=(6, 6, 0, 0)), self.sequence, visible=False)
        self.panel = RadioButtonGroup(labels=["Steps", "Units"], active=0, margin=0)
        self.kind = RadioButtonGroup(labels=list(KINDS.values()), active=0, margin=0)
        self.transform = RadioButtonGroup(labels=list(TRANSFORMS.values()), active=0, margin=0)
        self.scale = RadioButtonGroup(labels=list(SCALES.values()), active=0, margin=0)
        self.beyond = CheckboxGroup(labels=["beyond"], active=[0], margin=0)
        self.measure = Select(options=list(MEASURES.items()), value="max_gradient", width=130, margin=0)
        self.previous = Button(label="◀", width=34, margin=0)
        self.number = Spinner(low=0, high=0, value=0, step=1, width=88, margin=0)
        self.next = Button(label="▶", width=34, margin=0)
        self.play = Toggle(label="Play", width=62, margin=0)
        self.loudest = Button(label="Largest gradient", width=128, margin=0)

    def offer_measures(self, known: list[str]) -> None:
        """Offer only measures that the recording knows of."""
        options = [(name, words) for name, words in MEASURES.items() if name in known]
        if self.measure.options != options:
            self.measure.options = options
        if self.measure.value not in dict(options):
            self.measure.value = options[0][0]

    def placed(self) -> dict[str, object]:
        """Name of the root in the page, and the widget."""
        return {name: widget for name, widget in vars(self).items() if name != "sequence"}

    def enable(self, enabled: bool) -> None:
        """Allow or forbid everything but the choice of a recording."""
        for name, widget in vars(self).items():
            if name not in ("recording", "sequences"):
                widget.disabled = not enabled

    def chosen(self) -> dict[str, str | bool | int]:
        """What the views are to show, in words."""
        return {
            "kind": list(KINDS)[self.kind.active],
            "transform": list(TRANSFORMS)[self.transform.active],
            "shared": list(SCALES)[self.scale.active] == "shared",
            "beyond": bool(self.beyond.active),
            "sequence": int(self.sequence.value or 0),
        }
