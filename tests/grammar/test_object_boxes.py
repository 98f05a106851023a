"""Boxes over images: found and missed, right and wrong, at a threshold; where they are drawn; links to other views."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import learnviews as lv
from learnviews.grammar import ObjectBoxes
from learnviews.grammar.object_boxes_bokeh import INKS
from learnviews.kernels.search import boxes, load
from learnviews.kernels.search.box_matches import matches

Image = pytest.importorskip("PIL.Image")
TRUTH = [[(10, 10, 29, 29), (50, 10, 69, 29)], [], [(0, 0, 9, 9)]]
FOUND = [
    [((11, 10, 30, 29), 0.9), ((12, 10, 31, 29), 0.8), ((48, 12, 67, 31), 0.3)],
    [((5, 5, 20, 20), 0.6)],
    [],
]


def images():
    return [np.full((40, 80, 3), 30 * at, np.uint8) for at in range(3)]


@pytest.fixture
def linked(renderer):
    known = {"ids": ["a", "b", "c"], "selection": lv.RowSelection(), "label": "boxes"}
    element = ObjectBoxes.from_images(images(), TRUTH, FOUND, side=80, **known)
    return element, renderer.get_plot(element.opts(width=200, responsive=False))


def test_what_is_found_and_what_is_wrong_depends_on_the_threshold():
    element = ObjectBoxes.from_images(images(), TRUTH, FOUND)
    assert list(element.dimension_values(2)) == [1, 0, 0] and list(element.dimension_values(3)) == [1, 1, 0]
    assert element.counts == (3, 1, 2)
    assert element.at_least(0.0).counts == (3, 2, 2)
    assert element.at_least(0.85).counts == (3, 1, 0)
    assert element.at_least(1.0).counts == (3, 0, 0)


def test_matches_are_those_that_the_average_precision_counts():
    rng = np.random.default_rng(0)

    def some(count):
        low = rng.integers(0, 30, (count, 2))
        return np.column_stack([low, low + rng.integers(8, 20, (count, 2))]).astype(float)

    truth = [some(rng.integers(0, 5)) for _ in range(30)]
    found = [np.column_stack([each + rng.integers(-3, 4, each.shape), rng.random(len(each))]) for each in truth]
    found = [np.vstack([each, np.column_stack([some(2), rng.random(2)])]) for each in found]
    made = [matches(a, b) for a, b in zip(truth, found, strict=True)]
    ranked = sorted(
        (-b[4], *b[:4], m) for each, one in zip(found, made, strict=True) for b, m in zip(each, one.right, strict=True)
    )
    hits = np.cumsum([right for *_, right in ranked])
    precision = np.maximum.accumulate((hits / np.arange(1, len(hits) + 1))[::-1])[::-1]
    ap = np.sum(np.diff(hits / sum(map(len, truth)), prepend=0) * precision)
    assert ap == pytest.approx(boxes.average_precision(truth, found)) and 0.2 < ap < 0.95
    assert all(one.hit.sum() == one.right.sum() for one in made)


def test_boxes_lie_on_their_images(linked):
    _, plot = linked
    frames, hit = plot.handles["source"].data, plot.handles["truth_source"].data
    # 80 x 40 pixels in a tile of 80: as they are, 20 pixels below the tile's top
    left, top = frames["left"][0] + 3, frames["top"][0] - 3
    assert (hit["left"][0] - left, hit["right"][0] - left) == (10, 29)
    assert (top - hit["top"][0], top - hit["bottom"][0]) == (30, 49)
    assert len(hit["left"]) == 1 and len(plot.handles["missed_source"].data["left"]) == 2
    assert list(plot.handles["found_source"].data["ink"]) == [INKS["right"], INKS["wrong"], INKS["wrong"]]
    assert list(plot.handles["sure_source"].data["text"]) == ["0.90", "0.80", "0.60"]
    assert list(plot.handles["names_source"].data["text"]) == ["a: 1 of 2, 1 wrong", "b: 0 of 0, 1 wrong", "c: 0 of 1"]
    assert next(iter(frames["said"])) == "1 of 2 found, 1 missed, 1 box wrong"


def test_truth_and_found_can_be_left_out(linked):
    element, plot = linked
    lv.patch(plot, element.clone(layers=["truth"]))
    assert not len(plot.handles["found_source"].data["left"]) and len(plot.handles["truth_source"].data["left"])
    lv.patch(plot, element.clone(layers=["found"]))
    assert not len(plot.handles["missed_source"].data["left"]) and len(plot.handles["found_source"].data["left"])
    lv.patch(plot, element.at_least(0.85))
    assert list(plot.handles["sure_source"].data["text"]) == ["0.90"]


def test_pointing_lights_and_clicking_keeps_a_row(linked):
    element, plot = linked
    plot.handles["pointed_source"].data = {"mark": [2]}
    assert list(element.selection.lit) == ["c"] and element.selection.source == "boxes"
    assert plot.handles["lit_source"].data["top"][0] == plot.handles["source"].data["top"][2]
    plot.handles["source"].selected.indices = [0]
    assert list(element.selection.kept) == ["a"]
    element.selection.keep(["b"], "table")
    assert plot.handles["kept_source"].data["left"][0] == plot.handles["source"].data["left"][1]


def test_of_a_data_set_and_of_a_model(tmp_path):
    for at, image in enumerate(images()):
        Image.fromarray(image).save(tmp_path / f"{at}.png")
    cells = [";".join(",".join(map(str, box)) for box in each) for each in TRUTH]
    names = [f"{at}.png" for at in range(3)]
    pd.DataFrame({"image": names, "objects": cells}).to_csv(tmp_path / "all.csv", index=False)
    data = load(tmp_path / "all.csv")
    (tmp_path / "1.png").write_bytes(b"no image")
    found = ObjectBoxes.from_data(data)
    assert found.counts == (3, 0, 0) and found.found is None
    assert [each.problem for each in found.pictures] == ["", "1.png: cannot be read as an image", ""]
    said = ["11,10,30,29,0.9;48,12,67,31,0.3", "", ""]
    frame = pd.DataFrame({"truth": cells, "prediction": said, "split": "holdout"}, index=data.frame.index)
    problem = SimpleNamespace(task="objectDetection", targets=("objects",))
    model = SimpleNamespace(predictions=frame, problem=problem, name="windows", data=data)
    assert ObjectBoxes.from_model(model).counts == (3, 1, 0)
    assert list(ObjectBoxes.from_model(model, rows=[2]).ids) == [2]
    problem.task = "regression"
    with pytest.raises(ValueError, match="a model that finds objects, not one of regression"):
        ObjectBoxes.from_model(model)
    with pytest.raises(ValueError, match='column "image" is image; expected boxes'):
        ObjectBoxes.from_data(data, target="image")


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="boxes of each image, 3, got 2 and 2"):
        ObjectBoxes.from_images(images(), TRUTH[:2])
    with pytest.raises(ValueError, match="expected 4 or 8 numbers"):
        ObjectBoxes.from_images(images(), [[(1, 2)], [], []])
