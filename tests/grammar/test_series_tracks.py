"""Series in tracks: of tables and of files, no peak lost where little is drawn, and rows at their times."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from bokeh.models import RangeTool

import learnviews as lv
from learnviews.grammar import SeriesTracks, series_tracks
from learnviews.kernels.search import load


def table(rows=50, seed=0):
    rng = np.random.default_rng(seed)
    times = pd.Timestamp("2021-03-01") + pd.to_timedelta(rng.permutation(rows), "h")
    return pd.DataFrame(
        {"time": times, "load": rng.normal(size=rows), "heat": rng.normal(size=rows)},
        index=[f"row {at}" for at in range(rows)],
    )


def groups():
    made = [{"t": t, "who": who, "kind": kind, "v": t * k} for who, kind, k in WHO for t in range(9)]
    return pd.DataFrame(made)


WHO = [("ann", "calm", 1.0), ("bob", "wild", -2.0), ("cid", "calm", 0.5)]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Three files of series, one of them under another label."""
    folder = tmp_path_factory.mktemp("series")
    for name, label in (("a", "up"), ("b", "down"), ("c", "up")):
        (folder / label).mkdir(exist_ok=True)
        values = np.arange(20) * (1 if label == "up" else -1)
        pd.DataFrame({"time": np.arange(20), "value": values, "other": values**2}).to_csv(
            folder / label / f"{name}.csv", index=False
        )
    return load(folder)


@pytest.fixture
def linked(renderer):
    element = SeriesTracks.from_data(table(), selection=lv.RowSelection(), label="load")
    return element, renderer.get_plot(element)


def test_a_track_per_column_in_the_order_of_time():
    frame = table()
    found = SeriesTracks.from_data(frame)
    assert found.tracks == ["load", "heat"] and found.dated and found.time == "time"
    line = found.shown[1]
    np.testing.assert_array_equal(line.y, frame.sort_values("time")["heat"])
    assert list(found.ids[line.rows]) == list(frame.sort_values("time").index)
    assert found.scale_of("heat") == pytest.approx((frame["heat"].min(), frame["heat"].max()))
    assert found.extent[1] - found.extent[0] == 49 * 3600e3


def test_series_of_groups_by_value_or_by_series():
    found = SeriesTracks.from_data(groups(), time="t", group="who", color="kind", values=["v"])
    assert found.tracks == ["v"] and len(found) == 3 and found.labels == ["calm", "wild"]
    assert [line.label for line in found.shown] == ["calm", "wild", "calm"]
    twice = pd.concat([groups().assign(place=place) for place in ("in", "out")], ignore_index=True)
    pairs = SeriesTracks.from_data(twice, time="t", group=("who", "place"), values=["v"])
    assert [line.name.split(" v")[0] for line in pairs.shown] == [f"{n}, {p}" for p in ("in", "out") for n, _, _ in WHO]
    apart = SeriesTracks.from_data(groups(), time="t", group="who", values=["v"], by="series")
    assert apart.tracks == ["ann", "bob", "cid"]
    less = apart.with_tracks(["cid", "ann"])
    assert less.tracks == ["cid", "ann"] and less.every_track == apart.every_track
    np.testing.assert_array_equal(less.shown[0].y, 0.5 * np.arange(9))
    assert len(less.with_tracks(["bob"])) == 1


def test_series_in_files(files):
    found = SeriesTracks.from_data(files)
    assert len(found.tracks) == 3 and len(found) == 6 and found.labels == ["down", "up"]
    assert list(found.rows_of([0])) == [files.frame.index[0]] and not found.shown[0].by_point
    one = SeriesTracks.from_data(files, by="value", values=["value"], rows=list(files.frame.index[1:]))
    assert one.tracks == ["value"] and len(one) == 2 and list(one.ids) == list(files.frame.index[1:])


def test_what_is_missing_is_left_out():
    frame = table()
    frame.loc["row 3", "time"], frame.loc["row 4", "load"] = pd.NaT, np.nan
    found = SeriesTracks.from_data(frame)
    assert len(found.shown[0].x) == 49 and np.isnan(found.shown[0].y).sum() == 1
    assert "row 3" not in found.rows_of([0])
    assert len(SeriesTracks.from_data(pd.DataFrame({"name": ["a", "b"]}))) == 0


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: SeriesTracks.from_data(table(), time="when"), "no column when"),
        (lambda: SeriesTracks.from_data(groups(), values=["who"]), 'column "who" is categorical; expected numbers'),
        (lambda: SeriesTracks.from_data(table(), by="hour"), "by = 'hour'"),
        (lambda: SeriesTracks.from_data(table(), column="load"), 'column "load" is real; expected timeseries'),
        (lambda: SeriesTracks.from_data(table()).with_tracks(["noise"]), "no track 'noise'; there are load, heat"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        wrong()


# -- drawn


def test_pointing_at_a_line_lights_the_row_of_the_nearest_point(linked):
    element, plot = linked
    line = element.shown[0]
    plot.handles["pointed_source"].data = {"mark": [0], "x": [line.x[7] + 0.3 * 3600e3]}
    assert list(element.selection.lit) == [element.ids[line.rows[7]]] and element.selection.source == "load"
    lit = plot.handles["lit_source"].data
    assert len(lit["xs"]) == 2 and {each[0] for each in lit["xs"]} == {line.x[7]}  # in every track
    plot.handles["source"].selected.indices = [0]
    assert list(element.selection.kept) == [element.ids[line.rows[7]]]
    plot.handles["pointed_source"].data = {"mark": [], "x": []}
    assert not len(element.selection.lit) and not len(plot.handles["lit_source"].data["xs"])


def test_a_series_of_a_file_is_its_row(files, renderer):
    element = SeriesTracks.from_data(files, selection=lv.RowSelection())
    plot = renderer.get_plot(element)
    plot.handles["pointed_source"].data = {"mark": [3], "x": [4.0]}
    assert list(element.selection.lit) == [files.frame.index[1]]
    np.testing.assert_array_equal(plot.handles["lit_source"].data["ys"][1], plot.handles["source"].data["ys"][3])
    colors = dict(zip(plot.handles["source"].data["label"], plot.handles["source"].data["ink"], strict=True))
    assert len(set(colors.values())) == 2


def test_of_many_points_the_peaks_are_drawn_and_more_where_one_zooms_in(renderer):
    rng = np.random.default_rng(0)
    y = rng.normal(size=30_000)
    y[12_345] = 9.0
    plot = renderer.get_plot(SeriesTracks.from_data(pd.DataFrame({"t": np.arange(30_000), "v": y}), time="t"))
    drawn = plot.handles["source"].data
    assert len(drawn["xs"][0]) <= 2002 and 12_345 in drawn["xs"][0]
    plot.handles["x_range"].update(start=12_000.0, end=12_400.0)
    closer = plot.handles["source"].data["xs"][0]
    assert set(range(12_000, 12_401)) <= set(closer) and len(closer) <= 2002


def test_each_track_has_its_own_scale(linked):
    element, plot = linked
    for at, ys in enumerate(plot.handles["source"].data["ys"]):
        assert min(ys) == pytest.approx(-at - 0.95) and max(ys) == pytest.approx(-at - 0.95 + 0.78)
    low, high = element.scale_of("heat")
    names = plot.handles["yaxis"].major_label_overrides
    assert names[-1.95] == f"{low:.4g}" and names[-1.17] == f"{high:.4g}"
    assert list(plot.handles["names_source"].data["text"]) == ["load", "heat"]


def test_an_overview_chooses_what_the_tracks_show(renderer):
    plot = renderer.get_plot(series_tracks(table(), selection=lv.RowSelection()))
    subplots = [each for each in plot.traverse(lambda each: each) if "wide_renderer" in getattr(each, "handles", {})]
    detail, whole = subplots
    [tool] = [each for each in whole.state.toolbar.tools if isinstance(each, RangeTool)]
    assert tool.x_range is detail.handles["x_range"] and tool.x_range is not whole.handles["x_range"]
    assert not any(isinstance(each, RangeTool) for each in detail.state.toolbar.tools)
    assert detail.state.height > whole.state.height
    assert np.concatenate(whole.handles["source"].data["ys"]).min() == pytest.approx(-0.9)


def test_other_series_in_the_same_plot(linked):
    element, plot = linked
    high = plot.state.height
    lv.patch(plot, element.with_tracks(["heat"]))
    assert len(plot.handles["source"].data["xs"]) == 1 and plot.state.height < high
    element.selection.keep(["row 9"], "table")
    assert len(plot.handles["kept_source"].data["xs"]) == 1
    lv.patch(plot, SeriesTracks())
    assert list(plot.handles["names_source"].data["text"]) == ["no series of numbers"]
    assert not len(plot.handles["source"].data["xs"])


def test_several_channels_of_series(tmp_path, renderer):
    for row, kind in enumerate("aab"):
        (tmp_path / kind).mkdir(exist_ok=True)
        at = np.arange(20)
        frame = pd.DataFrame({"time": at, "left": np.sin(at) + row, "right": np.cos(at) - row})
        frame.to_csv(tmp_path / kind / f"{row}.csv", index=False)
    data = load(tmp_path)
    per_channel = SeriesTracks.from_data(data, by="value")
    assert per_channel.every_track == ["left", "right"] and per_channel.labels == ["a", "b"]
    assert len(per_channel.shown) == 6
    both = SeriesTracks.from_data(data, by="both")
    assert both.every_track == [f"row {row}, {side}" for row in range(3) for side in ("left", "right")]
    assert [line.label for line in both.shown] == ["a", "a", "a", "a", "b", "b"]
    whole = SeriesTracks.from_data(data.select(["timeseries"]))
    assert whole.every_track == ["row 0", "row 1", "row 2"] and whole.labels == ["left", "right"]
    inks = renderer.get_plot(whole).handles["source"].data["ink"]
    assert inks[0] == inks[2] != inks[1]
    with pytest.raises(ValueError, match="by = 'rows'; expected one of value, series, both"):
        SeriesTracks.from_data(data, by="rows")
