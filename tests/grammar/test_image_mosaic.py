"""Mosaics of images: every image in its bin, more on request, right from wrong, and links to other views."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import learnviews as lv
from learnviews.grammar import ImageMosaic
from learnviews.kernels.search import load

Image = pytest.importorskip("PIL.Image")
LABELS = ["owl", "cat", "cat", "dog", "owl", "cat", None]


def arrays(count=7):
    return [np.full((4, 6, 3), 30 * at, np.uint8) for at in range(count)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table that names six images, one of them broken later on."""
    place = tmp_path_factory.mktemp("pictures")
    for at, image in enumerate(arrays(6)):
        Image.fromarray(image).save(place / f"{at}.png")
    frame = pd.DataFrame({"picture": [f"{at}.png" for at in range(6)], "kind": LABELS[:6], "size": np.arange(6) * 1.5})
    frame.to_csv(place / "all.csv", index=False)
    found = load(place / "all.csv", roles={"kind": "suggestedTarget"})
    (place / "3.png").write_bytes(b"no image")
    return found


@pytest.fixture
def linked(renderer):
    ids = [f"row {at}" for at in range(7)]
    element = ImageMosaic.from_images(arrays(), LABELS, ids=ids, selection=lv.RowSelection(), label="mosaic")
    return element, renderer.get_plot(element.opts(width=200, responsive=False))


def test_every_image_in_the_bin_of_its_label():
    found = ImageMosaic.from_images(arrays(), LABELS)
    assert found.counts == {"cat": 3, "dog": 1, "owl": 2, "missing": 1}
    assert list(found.ids) == [1, 2, 5, 3, 0, 4, 6]
    tiles, problems = found.tiles
    assert list(tiles[:, 20, 20, 0]) == [30 * at for at in found.ids] and not any(problems)


def test_more_of_a_bin_on_request():
    found = ImageMosaic.from_images(arrays(), LABELS, per=1, side=10, selection=lv.RowSelection())
    assert found.counts == {"cat": 1, "dog": 1, "owl": 1, "missing": 1}
    grown = found.more("cat", 1)
    assert grown.counts["cat"] == 2 and grown.side == 10 and grown.selection is found.selection
    assert list(grown.ids) == [1, 2, 3, 0, 6]
    assert found.more("cat").counts["cat"] == 3  # all there are
    with pytest.raises(ValueError, match="no bin 'rat'; there are cat"):
        found.more("rat")


def test_of_many_bins_few_images_each():
    found = ImageMosaic.from_images([np.zeros((2, 2))] * 3000, [f"{at % 300:03}" for at in range(3000)])
    assert set(found.counts.values()) == {5} and len(found) == 1500


def test_of_a_data_set(folder):
    found = ImageMosaic.from_data(folder, side=12)
    assert found.counts == {"cat": 3, "dog": 1, "owl": 2}
    assert [bool(problem) for problem in found.tiles[1]] == [at == 3 for at in folder.frame.index[found.at]]
    ranges = ImageMosaic.from_data(folder, target="size")
    assert sum(ranges.counts.values()) == 6 and list(ranges.ids) == list(folder.frame.index)
    with pytest.raises(ValueError, match='column "size" is real; expected images'):
        ImageMosaic.from_data(folder, column="size")
    with pytest.raises(ValueError, match="no column of images"):
        ImageMosaic.from_data(pd.DataFrame({"x": [1, 2]}))


def test_of_a_model_frames_say_right_or_wrong(folder, renderer):
    said = ["cat", "cat", "cat", "dog", "owl", "owl"]
    frame = pd.DataFrame({"truth": LABELS[:6], "prediction": said, "split": "holdout"}, index=folder.frame.index)
    problem = SimpleNamespace(task="classification", targets=("kind",))
    model = SimpleNamespace(predictions=frame, problem=problem, name="tree", data=folder)
    found = ImageMosaic.from_model(model)
    drawn = renderer.get_plot(found).handles["source"].data
    right = [LABELS[at] == said[at] for at in found.at]
    assert len({ink for ink, good in zip(drawn["ink"], right, strict=True) if good}) == 1
    assert len(set(drawn["ink"])) == 2 and drawn["said"][0] == "cat (right)"
    assert "3.png: cannot be read" in " ".join(drawn["problem"])
    with pytest.raises(ValueError, match="no rows of split 'test'"):
        ImageMosaic.from_model(model, "test")


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="a label and an id per image, 7, got 2 and 7"):
        ImageMosaic.from_images(arrays(), ["a", "b"])
    with pytest.raises(ValueError, match="a row per image that is shown, 0, got 1"):
        ImageMosaic([(0, 0, 0)])


# -- drawn


def test_pointing_shows_an_image_larger_and_lights_its_row(linked):
    element, plot = linked
    plot.handles["pointed_source"].data = {"mark": [3]}
    assert list(element.selection.lit) == ["row 3"] and element.selection.source == "mosaic"
    larger, lit = plot.handles["zoom_source"].data, plot.handles["lit_source"].data
    assert larger["image"][0].shape == (160, 160) and len(lit["left"]) == 1
    assert 0 <= larger["x"][0] <= 40 and larger["y"][0] >= plot.handles["y_range"].start
    plot.handles["source"].selected.indices = [3, 4]
    assert set(element.selection.kept) == {"row 3", "row 0"}
    plot.handles["pointed_source"].data = {"mark": []}
    assert not len(element.selection.lit) and not len(plot.handles["zoom_source"].data["image"])
    assert len(plot.handles["kept_source"].data["left"]) == 2


def test_images_lie_side_by_side_inside_the_figure(linked):
    _, plot = linked
    frames = plot.handles["source"].data
    boxes = list(zip(frames["left"], frames["right"], frames["bottom"], frames["top"], strict=True))
    for at, (left, right, bottom, top) in enumerate(boxes):
        assert left >= 0 and right <= 200 and top <= 0 and bottom >= -plot.state.height
        for other in boxes[at + 1 :]:
            assert right <= other[0] or other[1] <= left or top <= other[2] or other[3] <= bottom
    assert list(plot.handles["names_source"].data["text"]) == ["cat: 3", "dog: 1", "owl: 2", "missing: 1"]
    lines = len(set(frames["top"]))
    plot.handles["wide_source"].data = {"width": [110]}
    assert len(set(plot.handles["source"].data["top"])) == lines + 1 and plot.handles["x_range"].end == 110


def test_another_mosaic_in_the_same_plot(renderer):
    few = ImageMosaic.from_images(arrays(), LABELS, per=2, selection=lv.RowSelection())
    plot = renderer.get_plot(few)
    assert "cat: 2 of 3" in plot.handles["names_source"].data["text"]
    lv.patch(plot, few.more("cat"))
    assert len(plot.handles["tiles_source"].data["image"]) == len(few) + 1
    few.selection.keep([5], "table")
    assert len(plot.handles["kept_source"].data["left"]) == 1
    lv.patch(plot, ImageMosaic())
    assert list(plot.handles["names_source"].data["text"]) == ["no images"]
    assert not len(plot.handles["tiles_source"].data["image"])
