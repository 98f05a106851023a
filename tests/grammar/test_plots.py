import holoviews as hv
import numpy as np
import pytest

import learnviews as lv


def sources(plot):
    return {name: handle.data for name, handle in plot.handles.items() if name.endswith("source")}


def assert_same(left, right):
    assert left.keys() == right.keys()
    for name in left.keys() - {"highlight_source"}:
        assert left[name].keys() == right[name].keys()
        for column in left[name]:
            np.testing.assert_array_equal(left[name][column], right[name][column], err_msg=f"{name} {column}")


def test_norms_hang_in_order_of_lag(renderer, batch):
    plot = renderer.get_plot(lv.GradientFlow.from_flow(batch))
    data = plot.handles["source"].data
    for s, k, top, bottom in zip(data["step"], data["lag"], data["top"], data["bottom"], strict=True):
        assert bottom == pytest.approx(batch.norm[s, :k, 0].sum())
        assert top == pytest.approx(batch.norm[s, : k + 1, 0].sum())
    y_range = plot.handles["y_range"]
    assert y_range.start > y_range.end == 0
    assert (plot.handles["x_range"].start, plot.handles["x_range"].end) == (-0.5, 11.5)
    assert plot.handles["glyph"].fill_color.transform.palette[0] == "#00441b"


def test_beyond_stands_beside_norms_and_stacks_with_shares(renderer, batch):
    norms = renderer.get_plot(lv.GradientFlow.from_flow(batch))
    beside = norms.handles["beyond_source"].data
    drawn = batch.beyond[:, 0] != 0
    np.testing.assert_allclose(beside["top"], batch.beyond[drawn, 0])
    assert (beside["bottom"] == 0).all()
    assert beside["left"].min() > norms.handles["source"].data["right"].min()
    shares = renderer.get_plot(lv.GradientFlow.from_flow(batch, kind="share")).handles["beyond_source"].data
    for s, top in zip(shares["step"], shares["top"], strict=True):
        own, rest = batch.share[s, :, 0], batch.share_beyond[s, 0]
        assert top == pytest.approx(rest + own[np.sign(own) == np.sign(rest)].sum())


def test_share_ranges_show_both_signs(renderer, batch):
    y_range = renderer.get_plot(lv.GradientFlow.from_flow(batch, kind="share")).handles["y_range"]
    assert y_range.start > 0 > y_range.end


def test_edge_is_marked(renderer, batch):
    plot = renderer.get_plot(lv.GradientFlow.from_flow(batch))
    assert plot.handles["edge_source"].data == {"x0": [8.5], "x1": [11.5]}
    assert plot.handles["edge_note_source"].data["text"] == ["fewer later losses"]
    plot = renderer.get_plot(lv.GradientFlow.from_flow(batch).opts(mark_edge=False))
    assert plot.handles["edge_source"].data["x0"] == []


def test_cells_past_the_end_are_not_drawn(renderer):
    table = {"step": [0, 0, 1, 1], "lag": [0, 1, 0, 1], "gradient": [1.0, 1.0, 1.0, 0.0]}
    plot = renderer.get_plot(lv.GradientFlow(table))
    assert plot.handles["source"].data["loss_step"].tolist() == [0, 1, 1]


def test_log_lengths_with_true_ticks(renderer, batch):
    plot = renderer.get_plot(lv.GradientFlow.from_flow(batch).opts(transform="log", floor=0.01))
    data = plot.handles["source"].data
    last = (data["step"] == 0) & (data["lag"] == 3)
    assert data["top"][last] == pytest.approx(np.log10(1 + batch.norm[0, :, 0].sum() / 0.01))
    axis = plot.handles["yaxis"]
    assert axis.ticker.ticks == list(axis.major_label_overrides)
    assert "0.1" in axis.major_label_overrides.values()


def test_legend_names_lags(renderer, batches):
    legend = renderer.get_plot(lv.GradientFlow.from_flow(batches(K=4))).handles["lag_legend"]
    assert legend.color_mapper.factors == ["own loss", "+1", "+2", "+3", "beyond"]
    many = renderer.get_plot(lv.GradientFlow.from_flow(batches(T=60, K=50))).handles["lag_legend"]
    assert len(many.color_mapper.factors) == 10
    assert many.color_mapper.factors[-2] == "+49"


def test_horizon_bars_and_caption(renderer, batch):
    horizon = lv.GradientHorizon.from_flow(batch, 5)
    plot = renderer.get_plot(horizon)
    np.testing.assert_array_equal(plot.handles["source"].data["top"], horizon.dimension_values(1))
    assert plot.handles["caption"].items[0].label.value == f"loss of step 5: {batch.loss[5, 0]:.2f} nats"
    assert plot.handles["y_range"].end == pytest.approx(1.08 * batch.norm[:, :, 0].max())


def test_horizon_on_a_log_axis(renderer, batch):
    plot = renderer.get_plot(lv.GradientHorizon.from_flow(batch, 5).opts(logy=True))
    assert 0 < plot.handles["y_range"].start < plot.handles["source"].data["top"].min()
    assert (plot.handles["source"].data["bottom"] > 0).all()


def test_wrong_predictions_are_filled_and_named(renderer, batch, symbols):
    rows = lv.SymbolRows.from_batch(batch, symbols)
    plot = renderer.get_plot(rows)
    data, text = (
        {name: np.asarray(column) for name, column in plot.handles[source].data.items()}
        for source in ("source", "text_source")
    )
    right = rows.dimension_values("correct")
    assert (data["cell_color"][:12] == "#FFFFFF").all()
    assert ((data["cell_color"][12:] == "#FFFFFF") == right).all()
    assert ((data["verdict"][12:] == "right") == right).all()
    assert text["text"][12:].tolist() == rows.dimension_values("predicted").tolist()
    assert ((text["color"][12:] == "#009E73") == right).all()


def test_frames_line_up(renderer, batch, symbols):
    flow = lv.GradientFlow.from_flow(batch)
    plots = [renderer.get_plot(e) for e in (flow, flow.horizon(), lv.SymbolRows.from_batch(batch, symbols))]
    assert len({(p.state.min_border_left, p.state.min_border_right, p.state.sizing_mode) for p in plots}) == 1
    assert {(p.handles["x_range"].start, p.handles["x_range"].end) for p in plots} == {(-0.5, 11.5)}
    layout = renderer.get_plot((flow + flow.horizon()).cols(1))
    inner = [p for p in layout.traverse(lambda p: p) if hasattr(p, "patch")]
    assert inner[0].handles["x_range"] is inner[1].handles["x_range"]
    assert inner[0].handles["y_range"] is not inner[1].handles["y_range"]


def test_overview_bars_do_not_overlap(renderer):
    plot = renderer.get_plot(lv.TrainingOverview(([0, 1, 5, 9], [1.0, 2.0, np.nan, 4.0]), bar_width=3.0))
    data = plot.handles["source"].data
    assert (data["right"][:-1] <= data["left"][1:]).all()
    assert data["top"].tolist() == [1, 2, 0, 4]
    assert "pin_source" not in plot.handles


@pytest.mark.parametrize("make", ["norm", "share", "log", "horizon", "rows", "overview", "pinned"])
def test_patching_equals_drawing_anew(renderer, batches, recordings, symbols, make):
    def element(seed):
        if make == "rows":
            return lv.SymbolRows.from_batch(batches(seed), symbols)
        if make in ("overview", "pinned"):
            overview = lv.TrainingOverview(recordings(20 + seed).overview())
            return overview.pick(seed + 3).opts(pin=True) if make == "pinned" else overview
        if make == "horizon":
            return lv.GradientHorizon.from_flow(batches(seed), 5 + seed)
        flow = lv.GradientFlow.from_flow(batches(seed, T=12 + seed, K=4 + seed), kind=make.replace("log", "norm"))
        return flow.opts(transform="log") if make == "log" else flow

    plot = renderer.get_plot(element(0))
    models = {name: handle for name, handle in plot.handles.items() if name.endswith("source")}
    lv.patch(plot, element(1))
    anew = renderer.get_plot(element(1))
    assert all(plot.handles[name] is model for name, model in models.items())
    assert_same(sources(plot), sources(anew))
    for axis in ("x_range", "y_range"):
        shown, expected = plot.handles[axis], anew.handles[axis]
        assert (shown.start, shown.end) == (expected.start, expected.end)
    for name in ("lag_mapper",):
        if name in plot.handles:
            assert plot.handles[name].palette == anew.handles[name].palette
    if make == "log":
        assert plot.handles["yaxis"].major_label_overrides == anew.handles["yaxis"].major_label_overrides


def test_patching_may_leave_the_axes(renderer, batches):
    plot = renderer.get_plot(lv.GradientFlow.from_flow(batches(0)))
    before = plot.handles["y_range"].start
    lv.patch(plot, lv.GradientFlow.from_flow(batches(1)), fit=False)
    assert plot.handles["y_range"].start == before


def test_patching_the_wrong_thing(renderer, batch):
    flow = lv.GradientFlow.from_flow(batch)
    with pytest.raises(TypeError, match="expected a GradientFlow"):
        lv.patch(renderer.get_plot(flow), flow.horizon())
    with pytest.raises(TypeError, match="plot of an element of this package"):
        lv.patch(renderer.get_plot(hv.Curve([1, 2])), flow)


def test_loss_link_reads_the_live_sources(renderer, batch):
    flow = lv.GradientFlow.from_flow(batch)
    horizon = flow.horizon()
    lv.LossLink(flow, horizon)
    layout = renderer.get_plot((flow + horizon).cols(1))
    inner = {type(p).__name__: p for p in layout.traverse(lambda p: p) if hasattr(p, "patch")}
    source = inner["GradientFlowPlot"].handles["source"]
    callbacks = source.js_property_callbacks["change:data"]
    linked = [c for c in callbacks if "target" in c.args]
    assert len(linked) == 1
    assert linked[0].args["source"] is source
    assert linked[0].args["target"] is inner["GradientHorizonPlot"].handles["source"]
    assert inner["GradientFlowPlot"].state.js_event_callbacks.keys() >= {"mousemove", "mouseleave"}
    assert not inner["GradientFlowPlot"].state.subscribed_events  # nothing goes to Python


def test_loss_link_wants_its_ends(renderer, batch):
    flow = lv.GradientFlow.from_flow(batch).opts(highlight=False)
    horizon = flow.horizon()
    lv.LossLink(flow, horizon)
    with pytest.raises(ValueError, match="highlight=True"):
        renderer.get_plot(flow + horizon)


def test_elements_compose(renderer, batch, symbols):
    flow = lv.GradientFlow.from_flow(batch)
    renderer.get_plot(flow * hv.HLine(1) + lv.SymbolRows.from_batch(batch, symbols))
    for empty in (lv.GradientFlow([]), lv.GradientHorizon([]), lv.SymbolRows([]), lv.TrainingOverview([])):
        renderer.get_plot(empty)


def test_linked_selection_takes_steps(renderer, batch, symbols):
    flow = lv.GradientFlow.from_flow(batch)
    linked = hv.link_selections.instance()
    plot = renderer.get_plot(linked(flow + flow.horizon(5) + lv.SymbolRows.from_batch(batch, symbols)))
    linked.selection_expr = hv.dim("step") > 7
    layers = [p for p in plot.traverse(lambda p: p) if type(p).__name__ == "GradientFlowPlot"]
    assert [p.handles["source"].data["step"].min() for p in layers] == [0, 8]
