import numpy as np
import pandas as pd
import pytest

import learnviews as lv


def test_flow_holds_the_cells_that_exist(batch):
    flow = lv.GradientFlow.from_flow(batch, sequence=1)
    T, K, _ = batch.norm.shape
    step, lag, gradient, beyond, loss = (flow.dimension_values(d) for d in flow.dimensions())
    cells = [(s, k) for s in range(T) for k in range(K) if s + k < T]
    assert list(zip(step, lag, strict=True)) == cells
    assert gradient.tolist() == [batch.norm[s, k, 1] for s, k in cells]
    assert beyond.tolist() == [batch.beyond[s, 1] for s, _ in cells]
    assert loss.tolist() == [batch.loss[s + k, 1] for s, k in cells]
    assert flow.length == T
    assert flow.vdims[0].pprint_label == "gradient norm (nats per unit weight)"


def test_shares_keep_their_sign_and_sum(batch):
    flow = lv.GradientFlow.from_flow(batch, kind="share")
    assert flow.kind == "share"
    assert flow.vdims[0].label == "signed share of |G|²"
    assert flow.dimension_values("gradient").sum() == pytest.approx(batch.share[:, :, 0].sum())


def test_flow_without_a_batch_dimension(batch):
    batch.norm, batch.beyond, batch.loss = batch.norm[..., 0], batch.beyond[:, 0], None
    assert [d.name for d in lv.GradientFlow.from_flow(batch).vdims] == ["gradient", "beyond"]


def test_lags_of_a_backward_direction(batch):
    batch.lags = -np.arange(batch.norm.shape[1])
    flow = lv.GradientFlow.from_flow(batch)
    assert (flow.dimension_values(0) + flow.dimension_values(1) >= 0).all()
    assert flow.dimension_values(1).min() == 1 - batch.norm.shape[1]


def test_symbols_are_those_of_the_loss(batch, symbols):
    text = [symbols[token] for token in batch.targets[:, 0]]
    flow = lv.GradientFlow.from_flow(batch, symbols=text)
    at = (flow.dimension_values(0) + flow.dimension_values(1)).astype(int)
    shown = {"\n": "⏎", "\t": "⇥", " ": "␣", "\x1b": "\\x1b"}
    assert flow.dimension_values("symbol").tolist() == [shown.get(text[i], text[i]) for i in at]


@pytest.mark.parametrize("loss_step", [0, 5, 11])
def test_horizon_is_one_loss(batch, loss_step):
    horizon = lv.GradientHorizon.from_flow(batch, loss_step)
    reach = [s for s in range(12) if 0 <= loss_step - s < 4]
    assert sorted(horizon.dimension_values(0)) == reach
    by_step = dict(zip(horizon.dimension_values(0), horizon.dimension_values(1), strict=True))
    assert all(by_step[s] == batch.norm[s, loss_step - s, 0] for s in reach)
    assert horizon.loss_step == loss_step
    assert horizon.span == (0, batch.norm[:, :, 0].max())


def test_horizon_of_the_loudest_loss(batch):
    sums = [sum(batch.norm[t - k, k, 0] for k in range(4) if t >= k) for t in range(12)]
    assert lv.GradientFlow.from_flow(batch).horizon().loss_step == int(np.argmax(sums))


def test_table_with_names_of_its_own():
    table = pd.DataFrame({"t": [0, 0, 1], "k": [0, 1, 0], "size": [1.0, 2.0, 3.0]})
    flow = lv.GradientFlow(table, ["t", "k"], ["size"])
    assert flow.length == 2
    assert lv.GradientFlow(table.rename(columns={"t": "step", "k": "lag", "size": "gradient"})).kdims[0].label == (
        "step in batch"
    )


def test_a_part_of_a_flow_keeps_its_length():
    flow = lv.GradientFlow({"step": [0, 1, 2, 3], "lag": [0, 0, 0, 0], "gradient": [1.0, 2, 3, 4]})
    assert flow.select(step=(0, 2)).length == 4
    assert flow.clone().length == 4
    assert flow.pipeline(flow.dataset.select(step=(0, 2))).length == 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda b: lv.GradientFlow.from_flow(b, kind="sum"), "kind must be one of"),
        (lambda b: lv.GradientFlow.from_flow(b, sequence=2), "expected a sequence from 0 to 1, got 2"),
        (lambda b: lv.GradientFlow.from_flow(b, symbols=["a"]), "expected one symbol per step, 12, got 1"),
        (lambda b: lv.GradientFlow.from_flow(b).horizon(12), "expected a loss step from 0 to 11, got 12"),
        (lambda b: lv.GradientFlow({"step": [0.5], "lag": [0], "gradient": [1.0]}), "step as whole numbers"),
        (lambda b: lv.GradientFlow({"step": [0], "lag": [0], "gradient": [-1.0]}), "pass kind='share'"),
        (lambda b: lv.GradientFlow({"step": [0], "lag": [0], "gradient": [np.inf]}), "finite numbers"),
        (lambda b: lv.GradientHorizon({"step": [0, 1], "gradient": [1.0, 1.0], "lag": [0, 0]}), "cells of one loss"),
        (lambda b: lv.SymbolRows(([0.5], ["a"], ["a"], [True], [0.5])), "step as whole numbers"),
        (lambda b: lv.SymbolRows(([0], ["a"], ["b"], [False], [1.5])), "probability from 0 to 1"),
        (lambda b: lv.SymbolRows.from_batch(b, ["a", "b"]), "expected tokens from 0 to 1"),
        (lambda b: lv.TrainingOverview(([0, 0], [1.0, 2.0])), "batch to rise"),
        (lambda b: lv.TrainingOverview((["a"], [1.0])), "batch as numbers"),
    ],
)
def test_errors(batch, make, message):
    with pytest.raises(ValueError, match=message):
        make(batch)


def test_missing_shares_are_named(batch):
    batch.share = None
    with pytest.raises(ValueError, match="itemize with shares=True"):
        lv.GradientFlow.from_flow(batch, kind="share")


def test_counts_of_dimensions():
    with pytest.raises(ValueError, match="kdims"):
        lv.GradientFlow(([0], [1.0], [2.0]), ["step"], ["gradient", "loss"])


def test_symbol_rows(batch, symbols):
    rows = lv.SymbolRows.from_batch(batch, symbols, sequence=1)
    assert rows.dimension_values("correct").tolist() == (batch.targets == batch.predicted)[:, 1].tolist()
    np.testing.assert_allclose(rows.dimension_values("probability"), batch.top_probability[:, 1, 0])
    assert rows.dimension_values("alternatives")[0].count("%") == 3


def test_overview_takes_what_a_recording_offers(recording):
    overview = lv.TrainingOverview(recording.overview())
    assert overview.kdims[0].label == "recorded batch"
    assert [d.name for d in overview.vdims][:3] == ["max_gradient", "loss", "mean_lag"]
    assert overview.width() == 1


@pytest.mark.parametrize(("x", "batch_number"), [(-9, 10), (14, 10), (16, 20), (29, 30), (99, 30)])
def test_nearest_batch(x, batch_number):
    assert lv.TrainingOverview(([10, 20, 30], [1.0, 2.0, 3.0])).nearest(x) == batch_number


def test_nearest_of_nothing():
    assert lv.TrainingOverview([]).nearest(3.0) is None


def test_pick():
    overview = lv.TrainingOverview(([10, 20, 30], [1.0, 2.0, 3.0]))
    assert overview.pick(20, None, 25, 99).dimension_values(1).tolist() == [2.0]
    assert overview.pick(20).width() == 10
    assert len(overview.pick(None)) == 0
