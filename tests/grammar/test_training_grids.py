"""Units and gates through a training: order, parts, aggregation, what is drawn and what a click finds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import learnviews as lv
from learnviews.grammar.strand_words import gate_words, layer_and_direction, parameter_words, row_words
from learnviews.grammar.training_grid_bokeh import row_tops
from learnviews.kernels.peaks import peaks
from learnviews.kernels.rnn.cues import cue, in_order, part_of_whole


def units(batches=60, count=20, seed=0, signed=False):
    """(batches, units) norms and shares; unit 7 grows from nothing to a quarter of the whole."""
    rng = np.random.default_rng(seed)
    norm = rng.gamma(2, 1, (batches, count)) * np.exp(np.linspace(-5, 0, batches))[:, None]
    norm[:, 7] = np.linspace(0, 1, batches) * norm.sum(axis=1) / 3
    share = norm**2 * (rng.choice([-1, 1], norm.shape) if signed else 1)
    return norm.astype(np.float32), share.astype(np.float32)


# -- computed


def naive_cue(norm, share, by, stages=10):
    norm, share = norm.astype(float), share.astype(float)
    batches, count = norm.shape
    found = []
    for unit in range(count):
        if by == "norm":
            found.append(np.sqrt(sum(norm[n, unit] ** 2 for n in range(batches)) / batches))
        elif by == "share":
            found.append(np.mean([abs(share[n, unit]) / sum(abs(share[n])) for n in range(batches)]))
        else:
            part = [norm[n, unit] ** 2 / sum(norm[n] ** 2) for n in range(batches)]
            cuts = [int(batches * at / stages) for at in range(stages + 1)]
            means = [np.mean(part[a:b]) for a, b in itertools.pairwise(cuts)]
            found.append(max(means) - min(means))
    return np.array(found)


@pytest.mark.parametrize("by", ["share", "norm", "change"])
def test_cues_are_the_naive_ones(by):
    norm, share = units(batches=53, signed=True)
    np.testing.assert_allclose(cue(norm, share, by), naive_cue(norm, share, by), rtol=1e-5)


def test_change_does_not_see_a_change_of_all_gradients_together():
    rng = np.random.default_rng(1)
    scale = np.exp(np.linspace(-6, 3, 200))[:, None]
    norm = scale * np.arange(1, 9.0)
    assert cue(norm, norm**2, "change").max() < 1e-12
    norm[:, 3] *= np.linspace(1, 4, 200)
    assert in_order(cue(norm, norm**2, "change"))[0] == 3
    spike = scale * (1 + rng.random((200, 8)))
    spike[100, 5] *= 30  # a single loud batch is no change over training
    assert in_order(cue(spike, spike**2, "norm"))[0] in range(8)
    spike[:, 2] *= np.linspace(1, 2, 200)
    assert in_order(cue(spike, spike**2, "change"))[0] == 2


def test_parts_add_up_and_survive_cancelling():
    _, share = units(signed=True)
    share[4] = 0
    part = part_of_whole(share.astype(float))
    whole = np.abs(part).sum(axis=1)
    assert whole[4] == 0
    np.testing.assert_allclose(np.delete(whole, 4), 1)
    positive = np.abs(share[0]).astype(float)
    np.testing.assert_allclose(part_of_whole(positive[None])[0], positive / positive.sum())


def test_wrong_cues_are_refused():
    norm, share = units()
    with pytest.raises(ValueError, match="by must be one of"):
        cue(norm, share, "beauty")
    with pytest.raises(ValueError, match="one shape"):
        cue(norm, share[:, 1:])
    assert cue(norm[:0], share[:0], "change").tolist() == [0.0] * 20
    assert np.isfinite(cue(norm[:3], share[:3], "change")).all()


def naive_peaks(values, row_edges, column_edges):
    found = []
    for a, b in itertools.pairwise(row_edges):
        for c, d in itertools.pairwise(column_edges):
            block = np.abs(values[a:b, c:d])
            best = np.unravel_index(np.argmax(np.where(np.isnan(block), -1, block)), block.shape)
            found.append((a + best[0], c + best[1]))
    return found


def test_peaks_are_the_naive_ones():
    rng = np.random.default_rng(2)
    values = rng.normal(size=(37, 101)).astype(np.float32)
    values[rng.random(values.shape) < 0.2] = np.nan
    values[4:9, 10:20] = np.nan
    rows, columns = np.array([0, 1, 2, 10, 37]), np.array([0, 9, 20, 21, 70, 101])
    row, column = peaks(values, rows, columns)
    assert list(zip(row.ravel().tolist(), column.ravel().tolist(), strict=True)) == naive_peaks(values, rows, columns)
    with pytest.raises(ValueError, match="expected row edges that rise"):
        peaks(values, [0, 5, 5], columns)
    with pytest.raises(ValueError, match="at most 101"):
        peaks(values, rows, [0, 102])


# -- elements


@pytest.mark.parametrize("by", ["share", "norm", "change"])
def test_units_come_in_order_with_their_numbers(by):
    norm, share = units()
    flow = lv.UnitFlow.from_units(norm, share, by=by)
    order = in_order(cue(norm, share, by))
    assert flow.keys == order.tolist() and (np.diff(flow.scores) <= 0).all()
    np.testing.assert_array_equal(flow.cells("norm"), norm[:, order].T)
    np.testing.assert_allclose(flow.cells("part"), part_of_whole(share)[:, order].T, rtol=1e-6)
    assert flow.vdims[0].name == "norm"
    assert lv.UnitFlow.from_units(norm, share, kind="share").vdims[0].name == "part"


def test_gates_divide_the_whole():
    norm, share = units(count=8)
    keys = [(strand, gate) for strand in ("l0", "l1") for gate in "ifgo"]
    parts = {key: (norm[:, at], share[:, at]) for at, key in enumerate(keys)}
    flow = lv.GateFlow.from_parts(parts, cell="lstm", kind="share")
    np.testing.assert_allclose(flow.cells("part").sum(axis=0), 1, rtol=1e-6)
    assert flow.names[1] == "layer 1, forget gate" and flow.tick(6) == "2 cell"
    with pytest.raises(ValueError, match="of one length"):
        lv.GateFlow.from_parts({("l0", "i"): (norm[:, 0], share[1:, 0])})


def test_what_does_not_fit_is_refused():
    norm, share = units()
    with pytest.raises(ValueError, match="norms, which are not negative"):
        lv.UnitFlow.from_units(-norm, share)
    with pytest.raises(ValueError, match="evenly spaced"):
        lv.UnitFlow(([0, 1, 5], [0, 1], *np.ones((2, 2, 3))), keys=[0, 1], names=["0", "1"])
    with pytest.raises(ValueError, match="a name per key, 3, got 2"):
        lv.UnitFlow(([0, 1], [0, 1], *np.ones((2, 2, 2))), keys=[0, 1, 2], names=["0", "1"])


def test_aggregated_cells_are_recorded_ones():
    norm, share = units(batches=1000, count=90, signed=True)
    whole = lv.UnitFlow.from_units(norm, share, kind="share")
    small = lv.aggregate_cells(whole, width=100, height=60, dynamic=False)
    assert small.cells("part").shape == (8 + 30, 100) and small.span == 10
    at, of = small.cells("at"), small.cells("of")
    part, norms = whole.cells("part"), whole.cells("norm")
    np.testing.assert_array_equal(small.cells("part"), part[of, at])
    np.testing.assert_array_equal(small.cells("norm"), norms[of, at])
    assert (of[:8] == np.arange(8)[:, None]).all()
    assert np.abs(small.cells("part")).max() == np.abs(part).max()
    assert small.ends() == whole.ends() and (at // 10 == np.arange(100)).all()
    assert small.cell(57.2, 3) == (at[3, 5], 3)
    unit = small.cell(999.4, 80)
    assert unit is not None and unit[0] // 10 == 99 and small.edges[8] <= unit[1]
    assert small.cell(1000, 3) is None and small.cell(-3, 3) is None


def test_columns_stay_as_they_are_while_one_pans():
    whole = lv.UnitFlow.from_units(*units(batches=1000))
    one, other = (lv.aggregate_cells(whole, width=50, x_range=(a, a + 400), dynamic=False) for a in (100, 137))
    assert set(other.places()[0][:20]) <= set(np.arange(0, 1000, one.span)) and one.span == other.span
    few = lv.aggregate_cells(whole, width=50, x_range=(100, 120), dynamic=False)
    assert few.span == 1 and few.places()[0].tolist() == list(range(99, 122))


def test_nothing_yet():
    for element in (lv.UnitFlow([]), lv.UnitFlow.from_units(*np.zeros((2, 0, 5))), lv.GateFlow.from_parts({})):
        assert lv.aggregate_cells(element, dynamic=False).cells("norm").size == 0
        assert element.cell(0, 0) is None


# -- words


def test_words():
    strands = ["l0", "l0_reverse", "l1", "l1_reverse"]
    said = parameter_words("weight_hh_l1_reverse", strands, "f", "lstm", 17)
    assert said == "weight_hh, layer 2 of 2, backward, forget gate, unit 17"
    assert parameter_words("bias_ih_l0", ["l0"]) == "bias_ih"
    assert parameter_words("weight_ih_l0", ["l0", "l0_reverse"], "n", "gru") == "weight_ih, forward, candidate"
    assert [gate_words(gate, "lstm") for gate in "ifgo"] == [
        "input gate", "forget gate", "cell candidate", "output gate",
    ]  # fmt: skip
    assert row_words([("l0", "r"), ("l0_reverse", "r")], "gru", brief=True) == ["→ reset", "← reset"]
    assert row_words([("l0", None), ("l1", None)]) == ["layer 1", "layer 2"]
    assert row_words([("l0", "n")], "gru", brief=True) == ["candidate"]
    with pytest.raises(ValueError, match="expected a strand"):
        layer_and_direction("layer 3")


# -- drawn


def test_top_units_are_drawn_high_and_named(renderer):
    whole = lv.UnitFlow.from_units(*units(count=90), by="change", chosen=7)
    plot = renderer.get_plot(lv.aggregate_cells(whole, height=60, dynamic=False))
    tops = row_tops(plot.current_frame)
    assert tops[:9].tolist() == list(range(9)) and tops[-1] == pytest.approx(16)
    named = plot.handles["yaxis"].major_label_overrides
    assert named[0.5] == "unit 7" and named[12.0] == "82 more"
    assert plot.handles["chosen_source"].data == {"y0": [0.0], "y1": [1.0]}
    source = plot.handles["source"].data
    assert len(source["image"]) == 9 and source["name"][0] == "7" and source["name"][8].shape == (30, 60)
    assert "most changed over training first" in plot.handles["caption"].text
    assert plot.row_at(0.3) == 0 and plot.row_at(15.99) >= 80 and plot.row_at(17) is None


def test_marks_stay_when_it_is_patched(renderer):
    plot = renderer.get_plot(lv.UnitFlow.from_units(*units()))
    plot.mark(4, 9)
    lv.patch(plot, lv.UnitFlow.from_units(*units(seed=3)), fit=False)
    assert plot.handles["selected_source"].data == {"x": [4]} and plot.handles["previewed_source"].data == {"x": [9]}
    plot.mark(4, None)
    assert plot.handles["previewed_source"].data == {"x": []}


def test_colours_of_norms_and_of_signed_parts(renderer):
    norm, share = units()
    plot = renderer.get_plot(lv.UnitFlow.from_units(norm, share))
    mapper = plot.handles["color_mapper"]
    assert mapper.low == 0 and mapper.high == pytest.approx(np.log10(1 + norm.max() / 1e-3), abs=1.5)
    assert len(mapper.palette) == 256 and mapper.palette[0] == "#ffffff"
    _, signed = units(signed=True)
    plot = renderer.get_plot(lv.UnitFlow.from_units(norm, signed, kind="share").opts(transform="linear"))
    mapper = plot.handles["color_mapper"]
    assert mapper.low == -mapper.high < 0
    ticks = plot.handles["color_bar"].ticker.ticks
    assert ticks == sorted(ticks) and 0.0 in ticks


def test_empty_and_patched_full(renderer):
    plot = renderer.get_plot(lv.GateFlow.from_parts({}))
    assert plot.handles["source"].data["image"] == []
    norm, share = units(count=8)
    parts = {("l0", gate): (norm[:, at], share[:, at]) for at, gate in enumerate("rzn")}
    lv.patch(plot, lv.GateFlow.from_parts(parts, cell="gru", chosen=("l0", "z")))
    assert plot.handles["chosen_source"].data == {"y0": [1.0], "y1": [2.0]}
    assert plot.handles["yaxis"].major_label_overrides[2.5] == "candidate"


def test_it_follows_the_view(renderer):
    import holoviews as hv

    dynamic = lv.aggregate_cells(lv.UnitFlow.from_units(*units(batches=5000)), dynamic=True)
    plot = renderer.get_plot(dynamic)
    assert plot.handles["source"].data["image"][0].shape[1] <= 1000
    (view,) = (s for s in dynamic.streams if isinstance(s, hv.streams.RangeX))
    view.event(x_range=(10, 20))
    assert plot.handles["source"].data["at"][0][0].tolist() == list(range(9, 22))
