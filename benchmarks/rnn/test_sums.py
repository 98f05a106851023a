"""What sums of cells cost on top of the norms: matrices per lag, and norms of sums over sequences in either form."""

from functools import partial

import numpy as np
import pytest
from rnn.contest import medians, ms
from rnn.race import OURS, beside, label, ours
from rnn.sizes import GATES, Size, problem

from learnviews.kernels import rnn
from learnviews.kernels.rnn import sums

pytestmark = pytest.mark.benchmark
SIZES = [Size(50, B, 128, 6) for B in (4, 16, 64, 256)]
TITLE = "Sums of cells: milliseconds, in brackets how many times itemizing without them"
FORMS = "Norms of sums over sequences, of one lag: milliseconds"
GRAM, FORMED = "Gram form", "sums formed"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.id)
@pytest.mark.parametrize("cell", ("tanh", "lstm"))
def test_sums(cell, size, benchmark, report):
    net, x, y = problem(cell, size)
    calls = {OURS: ours(net, x, y, size.K)[OURS]}
    for name in ("matrices", "batch_norms"):
        calls[f"with {name}"] = partial(rnn.itemize, net, x, y, lags=size.K, **{name: True})
    for call in calls.values():
        call()
    spent = medians(calls)
    row = {name: beside(spent, name) for name in calls if name != OURS}
    report.add(TITLE, label(cell, size) | {OURS: ms(spent[OURS])} | row)
    benchmark.extra_info.update(spent)
    benchmark.pedantic(calls["with batch_norms"], rounds=3)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.id)
@pytest.mark.parametrize("cell", ("tanh", "lstm"))
def test_either_form(cell, size, report):
    """The library takes the Gram form where there are fewer sequences than units."""
    rng = np.random.default_rng(0)
    shapes = (size.T, size.B, GATES[cell] * size.H), (size.T, size.B, size.H)
    E, U = (rng.normal(size=shape).astype(np.float32) for shape in shapes)
    products = U @ U.transpose(0, 2, 1)  # once for all lags
    calls = {GRAM: partial(sums._gram, E, products), FORMED: partial(sums._formed, E, U)}
    np.testing.assert_allclose(calls[GRAM](), calls[FORMED](), rtol=1e-3)
    spent = medians(calls, each=0.3)
    taken = {"the library takes": GRAM if size.H > size.B else FORMED}
    report.add(FORMS, label(cell, size) | {name: ms(value) for name, value in spent.items()} | taken)
