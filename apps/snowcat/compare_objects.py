"""Card of what a model finds in images: boxes over them, right and wrong, at a threshold."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from learnviews.apps.snowcat.compare_card import RowsCard, called, said_of_rows, split_of
from learnviews.apps.snowcat.data_rows import small
from learnviews.apps.snowcat.pane import asks, quiet, select, text
from learnviews.grammar.object_boxes_bokeh import INKS
from learnviews.kernels.search.tasks import DETECTION, TASKS

if TYPE_CHECKING:
    from learnviews.kernels.search import Model, Problem

PER = 24  # images at a time
LEAST = 0.5
WHICH = {
    "all": "all images",
    "missed": "with missed objects",
    "wrong": "with wrong boxes",
    "kept": "only kept ones",
}


class Detections(RowsCard):
    """Boxes of one model over the images."""

    name, title = "detections", "Objects found"
    help = (
        "Images with the objects that are in them, found (green) or missed (dashed), and the boxes of one model, right "
        "(blue) or wrong (purple), with how sure it is. A box is right where it shares more than half of the union "
        "with an object that no surer box has. Move the threshold: less sure boxes do not count. Point at an image to "
        f"light its row everywhere, click to keep it. {TASKS[DETECTION].limits}"
    )
    at_first = ("compare",)
    size = (12, 11)

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._model: Any = None
        self._least, self._layers, self._which, self._first = LEAST, ["truth", "found"], "all", 0
        self._found: Any = None  # what was counted last: shown until the next is there

    @classmethod
    def suits(cls, problem: Problem) -> bool:
        return problem.task == DETECTION

    def chosen(self) -> Any:
        """Drawn anew for other rows only where just these are shown."""
        return self.room.rows.kept if self._which == "kept" else None

    def draw(self, models: list[Model]) -> None:
        numbers = [model.number for model in models]
        if self._model not in numbers:
            self._model, self._first, self._found = numbers[0], 0, None
        model = models[numbers.index(self._model)]
        self.slot.html(self._controls(models, self._found))
        kept = self.room.rows.kept if self._which == "kept" else None
        work = partial(self._work, model, split_of(models), self._least, self._which, self._first, kept)
        self.later(work, partial(self._placed, models))

    def _work(self, model: Model, split: str, least: float, which: str, first: int, kept: Any) -> Any:
        """In a thread: counts over all images, which are shown, and the boxes on those of the page."""
        from learnviews.grammar import ObjectBoxes

        counts = _counted(model, split, least)
        there = counts.shown(which, kept)
        first = min(first, max(0, (len(there) - 1) // PER * PER))
        told = {"least": least, "label": "", "selection": self.room.rows, "layers": list(self._layers)}
        page = there[first : first + PER]
        element = ObjectBoxes.from_model(model, split, page, **told) if len(page) else None
        return element, counts, len(there), first

    def _placed(self, models: list[Model], found: Any) -> None:
        element, counts, many, self._first = found
        self._found = counts, many
        self.slot.html(self._controls(models, self._found))
        if element is None:
            self.slot.clear()
        else:
            self.slot.plot(element)

    # -- what is chosen

    def _controls(self, models: list[Model], found: Any) -> str:
        named = {model.number: called(model) for model in models}
        model = select("model", named, self._model, "Model")
        which = select("which", WHICH, self._which, "Images")
        least = (
            f'<label>sure at least <input type="range" min="0" max="1" step="0.01" value="{self._least}" '
            f'data-type="least" aria-label="Threshold"> <b>{self._least:.2f}</b></label>'
        )
        switches = "".join(self._switch(layer, label) for layer, label in (("truth", "truth"), ("found", "model")))
        return (
            f'<div class="row">{model}{least}{switches}{which}{self._turning(found)}</div>{self._told(models, found)}'
        )

    def _switch(self, layer: str, label: str) -> str:
        checked = " checked" if layer in self._layers else ""
        return f'<label><input type="checkbox" {asks("layer", layer)}{checked}> {label}</label>'

    def _turning(self, found: Any) -> str:
        if found is None:
            return ""
        many, stop = found[1], min(self._first + PER, found[1])
        where = f"{self._first + 1:,}–{stop:,} of {many:,} images" if many else "no such images"
        back = small("◂", "turn", -1, "Page back", self._first <= 0)
        return f'<span class="quiet where">{where}</span>{back}{small("▸", "turn", 1, "Page on", stop >= many)}'

    def _told(self, models: list[Model], found: Any) -> str:
        if found is None:
            return quiet("Looking at the boxes…")
        counts = found[0]
        objects, hits, wrong = counts.objects.sum(), counts.hits.sum(), counts.wrong.sum()
        boxes = hits + wrong
        right = f", {hits / boxes:.0%} of {boxes:,} boxes are right" if boxes else ", no box is that sure"
        share = f" ({hits / objects:.0%})" if objects else ""
        keys = (("hit", "found"), ("missed", "missed"), ("right", "right box"), ("wrong", "wrong box"))
        legend = "".join(
            f'<span class="key"><i style="border-color:{INKS[key]}"></i>{word}</span>' for key, word in keys
        )
        words = f"On {said_of_rows(models)}: {hits:,} of {objects:,} objects found{share}{right}."
        return f'<p class="quiet" role="status">{text(words)} {legend}</p>'

    # -- what is done

    def do_model(self, told: list[Any]) -> None:
        """Boxes of another model."""
        number = told[-1]
        self._model = next((each.number for each in self._models if str(each.number) == str(number)), self._model)
        self.redraw()

    def do_least(self, value: Any) -> None:
        """Another threshold."""
        self._least = float(np.clip(float(value), 0, 1))
        self.redraw()

    def do_layer(self, told: list[Any]) -> None:
        """Show truth or model, or do not."""
        layer, on = told
        others = [each for each in self._layers if each != layer]
        self._layers = [*others, layer] if on else others
        self.redraw()

    def do_which(self, told: list[Any]) -> None:
        """Only some of the images."""
        self._which, self._first = told[-1] if told[-1] in WHICH else "all", 0
        self.redraw()

    def do_turn(self, by: int) -> None:
        """Images of another page."""
        self._first = max(0, self._first + int(by) * PER)
        self.redraw()


class _Counts:
    """Of each image a model was tried on: objects, those found, boxes that are wrong."""

    def __init__(self, ids: Any, rows: np.ndarray) -> None:
        self.ids, (self.objects, self.hits, self.wrong) = ids, rows.T

    def shown(self, which: str, kept: Any) -> list[Any]:
        """Ids of the images of a choice."""
        there = {
            "missed": self.hits < self.objects,
            "wrong": self.wrong > 0,
            "kept": np.asarray(self.ids.isin(kept)) if kept is not None else np.zeros(len(self.ids), bool),
        }
        return self.ids[there[which]].tolist() if which in there else self.ids.tolist()


def _counted(model: Model, split: str, least: float) -> _Counts:
    from learnviews.kernels.search.box_matches import matches
    from learnviews.kernels.search.boxes import boxes, detections

    frame = model.predictions
    frame = frame[frame["split"] == split]
    rows = []
    for truth, said in zip(frame["truth"], frame["prediction"], strict=True):
        true = boxes(truth)
        found = matches(true, detections(said), least)
        rows.append((len(true), found.hit.sum(), (found.sure & ~found.right).sum()))
    return _Counts(frame.index, np.array(rows, dtype=np.int64).reshape(-1, 3))


CARDS = (Detections,)
