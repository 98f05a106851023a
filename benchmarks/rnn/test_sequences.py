"""What Opacus and BackPACK can do, gradients per sequence, beside itemizing, which tells steps and losses apart too."""

import numpy as np
import pytest
from rnn import sequence_peers, torch_peers
from rnn.contest import medians, ms
from rnn.race import OURS, STEP, beside, label, ours
from rnn.sizes import CELLS, Size, problem

from learnviews.kernels import rnn

# Opacus hooks every use of a layer; at the first step nothing above it requires a gradient
pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("ignore:Full backward hook is firing")]
TITLE = "Gradients per sequence, losses and steps added up: what Opacus and BackPACK can do (milliseconds)"


@pytest.mark.parametrize("size", (Size(25, 1, 100, 6), Size(50, 16, 128, 6)), ids=lambda size: size.id)
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_per_sequence(cell, size, benchmark, report):
    for module in sequence_peers.MODULES.values():
        pytest.importorskip(module, reason=f"{module} is not installed (make bench-rnn brings it)")
    net, x, y = problem(cell, size)
    torch_net = torch_peers.TorchNet(net, x, y)
    able = [name for name in sequence_peers.WAYS if cell in sequence_peers.CELLS[name]]
    calls = {name: sequence_peers.WAYS[name](torch_net) for name in able}
    want = np.stack([rnn.bptt(net, x[:, [b]], y[:, [b]])[1]["weight_hh_l0"] for b in range(size.B)])
    for call in calls.values():
        np.testing.assert_allclose(call().numpy(), want, rtol=2e-3, atol=1e-5 * abs(want).max())
    itemize = ours(net, x, y, size.K)[OURS]
    itemize()
    spent = medians({OURS: itemize, STEP: torch_net.training_step, **calls})
    row = {"itemize": ms(spent[OURS]), "training step": beside(spent, STEP)}
    row |= {f"{name} {sequence_peers.version(name)}": beside(spent, name) or "no" for name in sequence_peers.WAYS}
    report.add(TITLE, label(cell, size) | row)
    benchmark.extra_info.update(spent)
    benchmark.pedantic(itemize, rounds=3)
