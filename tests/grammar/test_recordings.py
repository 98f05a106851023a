"""Waveforms and strips of frames: what is drawn of recordings, playheads, and links to other views."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import learnviews as lv
from learnviews.grammar import FrameStrips, Waveforms
from learnviews.grammar.image_mosaic_bokeh import FRAMES
from learnviews.grammar.media_tracks import verdicts
from learnviews.kernels.search import load

soundfile = pytest.importorskip("soundfile")
RATE = 8000


def tone(seconds, hertz=200.0, level=0.5):
    return level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four sounds of two labels, one of them silent, one no sound any more."""
    place = tmp_path_factory.mktemp("sounds")
    for name, samples in {
        "low/a.wav": tone(0.5),
        "low/b.wav": np.zeros((RATE, 2)),
        "high/c.wav": tone(0.25, 800),
        "high/d.wav": tone(0.1, 900),
    }.items():
        (place / name).parent.mkdir(exist_ok=True)
        soundfile.write(place / name, samples, RATE)
    found = load(place)
    (place / "high" / "d.wav").write_bytes(b"no sound")
    return found


@pytest.fixture
def linked(renderer):
    names = {"names": ["a", "b", "c"], "labels": ["x", "y", "x"]}
    element = Waveforms.from_samples(
        [tone(1.0), tone(0.5), np.column_stack([tone(0.25), -tone(0.25)])],
        RATE,
        ids=["one", "two", "three"],
        selection=lv.RowSelection(),
        playhead=lv.Playhead(),
        label="sounds",
        **names,
    )
    return element, renderer.get_plot(element.opts(width=300, responsive=False))


def test_a_waveform_spans_what_is_heard(linked):
    _, plot = linked
    waves = plot.handles["waves_source"].data
    assert len(waves["xs"]) == 4  # one of them has two channels
    assert len(waves["xs"][0]) <= 2 * 301 and waves["xs"][0].max() <= 1.0 and waves["xs"][1].max() <= 0.5
    heights = [y.max() - y.min() for y in waves["ys"]]
    assert heights[0] == pytest.approx(heights[1], rel=0.05)
    tracks = plot.handles["source"].data
    for at, y in zip((0, 1, 2, 2), waves["ys"], strict=True):
        assert tracks["bottom"][at] <= y.min() and y.max() <= tracks["top"][at]
    assert len({*waves["ink"][[0, 2]]}) == 1 and waves["ink"][0] != waves["ink"][1]
    assert plot.handles["names_source"].data["text"][1] == "two  y  b  0.50 s"


def test_each_as_wide_as_the_figure(renderer):
    element = Waveforms.from_samples([tone(1.0), tone(0.1)], RATE, common=False)
    plot = renderer.get_plot(element)
    assert plot.handles["x_range"].end == 1
    assert all(x.max() == pytest.approx(1, abs=0.01) for x in plot.handles["waves_source"].data["xs"])
    assert not plot.handles["xaxis"].visible


def test_more_parts_where_one_zooms_in(linked):
    _, plot = linked
    before = plot.handles["waves_source"].data["xs"][0]
    plot.handles["x_range"].update(start=0.1, end=0.15)
    after = plot.handles["waves_source"].data["xs"][0]
    inside = [(x > 0.1) & (x < 0.15) for x in (before, after)]
    assert inside[1].sum() > 5 * inside[0].sum()
    plot.handles["x_range"].update(start=0.0, end=1.0)
    assert len(plot.handles["waves_source"].data["xs"][0]) == len(before)


def test_pointing_lights_and_clicking_keeps_and_seeks(linked):
    element, plot = linked
    plot.handles["pointed_source"].data = {"mark": [1]}
    assert list(element.selection.lit) == ["two"] and len(plot.handles["lit_source"].data["top"]) == 1
    plot.handles["source"].selected.indices = [2]
    assert list(element.selection.kept) == ["three"]
    second = plot.handles["source"].data
    y = (second["top"][1] + second["bottom"][1]) / 2
    plot.handles["tapped_source"].data = {"x": [0.2], "y": [y], "when": [1]}
    assert (element.playhead.row, element.playhead.at) == ("two", 0.2)
    cursor = plot.handles["cursor_source"].data
    assert cursor["x"][0] == 0.2 and second["bottom"][1] <= cursor["low"][0] < cursor["high"][0] <= second["top"][1]
    plot.handles["tapped_source"].data = {"x": [0.9], "y": [y], "when": [2]}  # behind its end
    assert element.playhead.at == pytest.approx(0.49)
    element.playhead.seek("three", 0.1)  # as another view, or a page, may say
    assert plot.handles["cursor_source"].data["x"][0] == 0.1
    element.playhead.seek("gone")
    assert not len(plot.handles["cursor_source"].data["x"])


def test_of_a_folder_of_sounds(folder, renderer):
    found = Waveforms.from_data(folder)
    assert found.labels == ["high", "high", "low", "low"] and found.names == ["c.wav", "d.wav", "a.wav", "b.wav"]
    assert found.problems == ["", "d.wav: cannot be read as a sound", "", ""]
    facts = renderer.get_plot(found).handles["source"].data["facts"]
    assert [facts[at] for at in (0, 2, 3)] == [
        "0.25 s, 8,000 Hz, mono, peak -6 dB",
        "0.50 s, 8,000 Hz, mono, peak -6 dB",
        "1.00 s, 8,000 Hz, stereo, silent",
    ]
    assert list(Waveforms.from_data(folder, rows=[3, 0]).ids) == [3, 0]
    with pytest.raises(ValueError, match='column "label" is categorical; expected names of sounds'):
        Waveforms.from_data(folder, "label")
    with pytest.raises(ValueError, match="no column of videos"):
        FrameStrips.from_data(folder)


def test_of_a_model_labels_say_what_it_predicts(folder, renderer):
    frame = pd.DataFrame({"truth": ["high", "low"], "prediction": ["low", "low"], "split": "holdout"}, index=[0, 2])
    problem = SimpleNamespace(targets=("label",), task="classification")
    model = SimpleNamespace(predictions=frame, problem=problem, name="tree", data=folder)
    found = Waveforms.from_model(model)
    assert found.labels == ["high, predicted low", "low, predicted so"] and found.label == "tree"
    assert list(found.right) == [0, 1]
    inks = renderer.get_plot(found).handles["waves_source"].data["ink"]
    assert list(inks) == [FRAMES[0.0], FRAMES[1.0]]
    told = verdicts(model, [2, 3])
    assert told["labels"] == ["low, predicted so", "not told"] and np.isnan(told["right"][1])
    with pytest.raises(ValueError, match="a verdict per track, 2, got 1"):
        found.clone(right=np.ones(1))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"\(samples,\) or \(samples, channels\), got \(0,\)"):
        Waveforms.from_samples([np.zeros(0)], RATE)
    with pytest.raises(ValueError, match="a mark per row id, 2, got 1"):
        Waveforms.from_samples([tone(0.1)], RATE, ids=["a", "b"])
    with pytest.raises(ValueError, match="as many labels as tracks, 1, got 2"):
        Waveforms.from_samples([tone(0.1)], RATE, labels=["a", "b"])


# -- videos


def frames(count=30, side=(12, 20), level=0):
    return np.stack([np.full((*side, 3), (level + 5 * at) % 256, np.uint8) for at in range(count)])


@pytest.fixture
def strips(renderer):
    element = FrameStrips.from_frames(
        [frames(), frames(1), frames(5)],
        rate=10,
        ids=[7, 8, 9],
        labels=["x", "y", "x"],
        selection=lv.RowSelection(),
        playhead=lv.Playhead(),
    )
    return element, renderer.get_plot(element.opts(width=330, responsive=False))


def test_frames_from_the_beginning_to_the_end(strips):
    element, plot = strips
    assert [len(each.tiles) for each in element.strips] == [8, 1, 5]
    assert list(element.dimension_values(1)) == pytest.approx([3.0, 0.1, 0.5])
    drawn = plot.handles["frames_source"].data
    assert len(drawn["image"]) == 4 + 1 + 4  # as many as fit
    grey = [int(image[36, 36]) & 255 for image in drawn["image"][:4]]
    assert grey[0] == 0 and grey[-1] == 145 and grey == sorted(grey)
    assert all(x + 72 <= 330 for x in drawn["x"])


def test_a_click_on_a_frame_goes_to_its_time(strips):
    element, plot = strips
    tracks, drawn = plot.handles["source"].data, plot.handles["frames_source"].data
    y = drawn["y"][2] + 30
    plot.handles["tapped_source"].data = {"x": [drawn["x"][2]], "y": [y], "when": [1]}
    assert element.playhead.row == 7 and element.playhead.at == pytest.approx(1.5)
    assert plot.handles["cursor_source"].data["x"][0] == pytest.approx(drawn["x"][2])
    assert list(tracks["key"]) == ["7", "8", "9"]
    plot.handles["pointed_source"].data = {"mark": [2]}
    assert list(element.selection.lit) == [9]


def test_of_a_folder_of_videos(tmp_path, renderer):
    av = pytest.importorskip("av")
    (tmp_path / "dark").mkdir()
    with av.open(str(tmp_path / "dark" / "a.avi"), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuvj420p"
        for frame in frames(20, (16, 32)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    (tmp_path / "dark" / "b.avi").write_bytes(b"no video")
    found = FrameStrips.from_data(load(tmp_path))
    assert found.problems == ["", "b.avi: cannot be read as a video"] and found.labels == ["dark", "dark"]
    told = renderer.get_plot(found).handles["source"].data["facts"]
    assert told[0] == "2.00 s, 10 frames a second, 32 x 16 pixels"
    with pytest.raises(ValueError, match="no column of sounds"):
        Waveforms.from_data(load(tmp_path))
