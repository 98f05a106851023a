"""How time and memory grow: one of T, B, H, K varied, the others fixed; slopes fitted on logarithms."""

import numpy as np
import pytest
from rnn import goals, memory, torch_peers
from rnn.contest import EACH, medians, ms, seconds
from rnn.race import OURS, best, check, ours, peers_of
from rnn.sizes import Size, problem

pytestmark = pytest.mark.benchmark
BASE = Size(100, 8, 128, 8)
AXES = {
    "T": [BASE._replace(T=T) for T in (25, 50, 100, 200, 400)],
    "B": [BASE._replace(B=B) for B in (2, 4, 8, 16, 32)],
    "H": [BASE._replace(H=H) for H in (64, 128, 256, 512)],
    "K": [BASE._replace(K=K) for K in (2, 4, 8, 16, 32, 64)],
    "T, all lags": [BASE._replace(T=T, K=T) for T in (25, 50, 100, 200)],
}


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("cell", ("tanh", "lstm"))
def test_growth(cell, axis, benchmark, report):
    """The slope p of time or memory ~ n^p, from the larger sizes, where what does not grow weighs less."""
    title = f"Growth with {axis} ({cell}; otherwise T, B, H, K = {BASE})"
    found = [measured(cell, size) for size in AXES[axis]]
    values = [getattr(size, axis[0]) for size in AXES[axis]]
    for value, size, each in zip(values, AXES[axis], found, strict=True):
        report.add(title, {axis[0]: str(value), "T, B, H, K": str(size)} | cells(each))
    slopes = {name: slope(values, [each[name] for each in found]) for name in NUMBERS}
    last = {name: f"{p:.2f}" for name, p in slopes.items()}
    if len({each["way"] for each in found[-3:]}) > 1:
        last["peer beyond"] = ""  # of two ways: no line goes through that
    report.add(title, {axis[0]: "slope", "T, B, H, K": ""} | {NUMBERS[name]: text for name, text in last.items()})
    asked = {"K": 0.1, "T, all lags": 1.1}.get(axis)
    goals.at_most(report, f"{cell}: slope of memory beyond the result with {axis}", slopes["beyond"], asked)
    benchmark.extra_info.update(slopes)
    benchmark.pedantic(ours(*problem(cell, AXES[axis][0]), AXES[axis][0].K)[OURS], rounds=3)


NUMBERS = {
    "ours": "itemize, ms",
    "peer": "best PyTorch, ms",
    "beyond": "beyond the result, MB",
    "result": "result, MB",
    "peer beyond": "PyTorch beyond, MB",
}


def measured(cell, size):
    net, x, y = problem(cell, size)
    _, ways = peers_of(net, x, y, size.K, jax=False)
    itemize = ours(net, x, y, size.K)[OURS]
    flow, once = itemize(), {}
    for name, way in ways.items():
        check(way(), flow)
        once[name] = seconds(way)
    fastest = best(once, torch_peers.WAYS)
    spent = medians({OURS: itemize, fastest: ways[fastest]}, each=EACH / 3)
    beyond, result = memory.beyond_result(itemize)
    found = {"ours": spent[OURS], "peer": spent[fastest], "way": fastest, "beyond": beyond, "result": result}
    return found | {"peer beyond": memory.torch_beyond_result(ways[fastest])}


def cells(found):
    times = {NUMBERS[name]: ms(found[name]) for name in ("ours", "peer")}
    sizes = {NUMBERS[name]: memory.mb(found[name]) for name in ("beyond", "result", "peer beyond")}
    return times | {"times ours": f"{found['peer'] / found['ours']:.1f}", "which": found["way"]} | sizes


def slope(values, found):
    """Of a straight line through the logarithms of the last three points."""
    return round(float(np.polyfit(np.log(values[-3:]), np.log(found[-3:]), 1)[0]), 2) + 0.0  # no -0
