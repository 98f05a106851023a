import holoviews as hv
import pytest

import learnviews as lv


def plots(plot):
    return {type(p).__name__: p for p in plot.traverse(lambda p: p) if hasattr(p, "patch")}


def test_views_follow_the_selection(renderer, recording):
    selection = lv.BatchSelection()
    plot = renderer.get_plot(lv.rnnbow(recording, selection))
    inner = plots(plot)
    assert list(inner) == ["SymbolRowsPlot", "GradientFlowPlot", "GradientHorizonPlot", "TrainingOverviewPlot"]

    def shows(number):
        flow = lv.GradientFlow.from_flow(recording[number])
        gradient = inner["GradientFlowPlot"].handles["source"].data["value"].tolist()
        return gradient == flow.dimension_values("gradient").tolist()

    assert shows(0)
    selection.preview(3)
    assert shows(3)
    selection.preview(None)
    assert shows(0)
    selection.select(5)
    assert shows(5)
    text = lv.SymbolRows.from_batch(recording[5], recording.symbols)
    assert list(inner["SymbolRowsPlot"].handles["text_source"].data["text"])[:12] == (
        text.dimension_values("symbol").tolist()
    )


def test_pointer_and_tap_drive_the_selection(renderer, recordings):
    selection = lv.BatchSelection()
    layout = lv.rnnbow(recordings(31), selection)
    renderer.get_plot(layout)
    bars = next(e for e in hv.streams.Stream.registry if isinstance(e, lv.TrainingOverview) and len(e) == 31)
    streams = {type(s): s for s in hv.streams.Stream.registry[bars]}
    streams[hv.streams.PointerX].event(x=7.2)
    assert selection.contents == {"selected": 0, "previewed": 7}
    streams[hv.streams.Tap].event(x=8.4, y=0.1)
    assert selection.selected == 8
    streams[hv.streams.MouseLeave].event(x=0, y=0)
    assert selection.shown == 8


def test_many_batches_are_aggregated(renderer, recordings):
    plot = renderer.get_plot(lv.rnnbow(recordings(2500)))
    overviews = [p for p in plot.traverse(lambda p: p) if type(p).__name__ == "TrainingOverviewPlot"]
    assert [len(p.handles["source"].data["top"]) for p in overviews] == [pytest.approx(700, abs=301), 1, 0]


def test_options_of_the_flow(renderer, recording):
    inner = plots(renderer.get_plot(lv.rnnbow(recording, kind="share", transform="log")))
    assert inner["GradientFlowPlot"].transform == "log"
    assert inner["GradientFlowPlot"].current_frame.kind == "share"


def test_errors(recordings):
    with pytest.raises(ValueError, match="at least one batch"):
        lv.rnnbow(recordings(0))
    with pytest.raises(ValueError, match="from 0 to 9, got 12"):
        lv.rnnbow(recordings(10), lv.BatchSelection(selected=12))
    with pytest.raises(ValueError, match="kind must be one of"):
        lv.rnnbow(recordings(3), kind="sum")


def test_selection_is_silent_where_nothing_changes():
    selection = lv.BatchSelection()
    heard = []
    selection.add_subscriber(lambda **values: heard.append(values))
    selection.select(0)
    selection.preview(None)
    selection.preview(4)
    selection.preview(4)
    assert heard == [{"selected": 0, "previewed": 4}]
    assert selection.shown == 4


def test_negative_batches_are_refused():
    with pytest.raises(ValueError, match="selected"):
        lv.BatchSelection(selected=-1)


def test_any_parameter_and_gate_of_a_real_recording(renderer, tmp_path):
    from learnviews.kernels import rnn

    corpus = rnn.Corpus("int main(void) { return 0; }\n" * 20)
    symbols = len(corpus.symbols)
    net = rnn.RecurrentNet("lstm", symbols, 5, symbols, layers=2, rng=0)
    with rnn.Recording.create(tmp_path / "a.rnnbow", net, corpus, lags=3) as recording:
        rnn.Trainer(net, corpus, length=8, record=recording, every=2).run(10)
        layout = lv.rnnbow(recording, parameter="weight_ih_l1", gate="f", selection=lv.BatchSelection(selected=3))
        view = recording.view(3, "weight_ih_l1", "f")
        flow = plots(renderer.get_plot(layout))["GradientFlowPlot"]
        assert flow.handles["source"].data["value"].sum() == pytest.approx(view.norm.sum())
        bars = layout.traverse(lambda element: element, [lv.TrainingOverview])[0]
        known = recording.overview(0, "weight_ih_l1", "f")["max_gradient"]
        assert bars.dimension_values(1).tolist() == known.tolist()
        with pytest.raises(ValueError, match="gate must be one of"):
            lv.rnnbow(recording, gate="z")
