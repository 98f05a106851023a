"""Batches of foreign trainings, of which not all is known, and of directions that run backward."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import learnviews as lv
from learnviews.grammar.columns import edges, lag_sign
from learnviews.grammar.rnnbow import batch_symbols


def changed(batch, **parts):
    return SimpleNamespace(**{**vars(batch), **parts})


def test_losses_that_are_not_known_are_not_shown(batch, renderer):
    unknown = changed(batch, loss=np.full_like(batch.loss, np.nan))
    flow = lv.GradientFlow.from_flow(unknown)
    assert "loss" not in [d.name for d in flow.vdims]
    renderer.get_plot(flow)
    caption = renderer.get_plot(flow.horizon()).handles["caption"].items[0].label["value"]
    assert "nan" not in caption and "nats" not in caption


def test_symbols_without_predictions_or_vocabulary(batch, symbols, renderer):
    rows = lv.SymbolRows.from_batch(changed(batch, predicted=None, top=None), symbols)
    assert set(rows["predicted"]) == {""} and rows["correct"].all()
    assert set(renderer.get_plot(rows).handles["source"].data["verdict"]) == {"not known"}
    rows = lv.SymbolRows.from_batch(batch, None)
    assert rows["symbol"].tolist() == [str(token) for token in batch.targets[:, 0]]
    assert batch_symbols(batch, None, 1)[0] == str(batch.targets[0, 1])
    assert batch_symbols(changed(batch, targets=None), symbols) is None


@pytest.mark.parametrize(
    ("lags", "sign", "where", "note"),
    [
        (np.arange(4), "+", [(8.5, 11.5)], "fewer later losses"),
        (-np.arange(4), "−", [(-0.5, 2.5)], "fewer earlier losses"),
        (np.arange(-2, 2), "±", [(-0.5, 1.5), (10.5, 11.5)], "fewer losses"),
    ],
)
def test_legend_and_edge_say_on_which_side_losses_lie(batch, renderer, lags, sign, where, note):
    flow = lv.GradientFlow.from_flow(changed(batch, lags=lags))
    assert lag_sign(flow) == sign and edges(flow) == where
    plot = renderer.get_plot(flow)
    assert plot.handles["lag_legend"].color_mapper.factors[1] == f"{sign}1"
    assert plot.handles["edge_note_source"].data["text"] == [note] * len(where)
    lv.patch(plot, lv.GradientFlow.from_flow(batch))
    assert plot.handles["lag_legend"].color_mapper.factors[1] == "+1"
