"""What `tol=` saves on a net that has learned, and costs on nets where nothing can be dropped."""

from functools import partial

import numpy as np
import pytest
from rnn import goals
from rnn.contest import medians, ms
from rnn.sizes import CELLS, Size, problem
from rnn.trained import RECIPES, lasting_net, text, trained_net

from learnviews.kernels import rnn

pytestmark = pytest.mark.benchmark
SIZE, TOL = Size(400, 8, 128, 400), 1e-3
TITLE = f"All lags of {SIZE.T} steps with and without tol={TOL:g} (T, B, H = {SIZE.T}, {SIZE.B}, {SIZE.H})"
NETS = (*RECIPES, "untrained", "exploding", "lasting")
SPREAD = 6  # times the initial weight_hh: errors then grow from step to step


def net_and_batch(kind, cell):
    if kind in RECIPES:
        return trained_net(cell, SIZE.H, kind), *text(SIZE)
    net, x, y = problem(cell, SIZE, SPREAD if kind == "exploding" else 1)
    return lasting_net(cell, SIZE) if kind == "lasting" else net, x, y


@pytest.mark.parametrize("kind", NETS)
@pytest.mark.parametrize("cell", CELLS)
def test_tolerance(cell, kind, benchmark, report):
    net, x, y = net_and_batch(kind, cell)
    calls = {
        "without tol": partial(rnn.itemize, net, x, y, lags=None),
        f"tol={TOL:g}": partial(rnn.itemize, net, x, y, lags=None, tol=TOL),
    }
    full, part = (call() for call in calls.values())
    kept = kept_as_in(part, full)
    worst = worst_error(net, x, y)
    spent = medians(calls)
    without, with_tol = spent.values()
    report.add(
        TITLE,
        {"net": kind, "cell": cell}
        | {label: ms(each) for label, each in spent.items()}
        | {
            "times faster": f"{without / with_tol:.2f}",
            "cells kept": f"{kept:.1%}",
            "worst error / whole": f"{worst:.1e}",
            "largest norm": f"{full.norm.max():.1e}",
        },
    )
    goals.at_least(
        report,
        f"{cell}, {kind}, all lags: times as fast with tol",
        without / with_tol,
        goals.WITH_TOL.get(kind.split()[0]),
    )
    benchmark.extra_info.update(spent)
    benchmark.pedantic(list(calls.values())[1], rounds=1)


def kept_as_in(part, full):
    """The share of valid cells that were kept; their norms must be those of the full result."""
    valid = np.broadcast_to(full.valid[:, :, None], full.norm.shape)
    kept = part.kept & valid
    np.testing.assert_allclose(part.norm[kept], full.norm[kept], rtol=1e-3, atol=1e-6 * full.norm.max())
    return kept.sum() / valid.sum()


def worst_error(net, x, y):
    """The largest |what was dropped| / |the whole| of any step; for the bias, whose norms are those of the errors."""
    flow = rnn.itemize(net, x, y, lags=None, parameter="bias_hh_l0", tol=TOL)
    worst = float((flow.beyond / np.maximum(flow.whole, np.finfo(float).tiny)).max())
    assert worst <= TOL * 1.001
    return worst
