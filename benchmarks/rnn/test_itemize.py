"""Itemizing beside its peers: autograd in PyTorch and JAX, a training step of the same cell, the GEMM floor, memory."""

import numpy as np
import pytest
from rnn import goals, memory, torch_peers
from rnn.contest import medians, ms
from rnn.race import GEMM, OURS, SHARES, STEP, beside, best, check, label, ours, peers_of
from rnn.sizes import CELLS, SIZES, gemm_flops, problem, product_of_all_rows

pytestmark = pytest.mark.benchmark
BESIDE = "Itemizing beside autograd: milliseconds, in brackets how many times ours"
COSTS = "Itemizing beside a training step, its GEMM floor, and in memory"
JAX = ("JAX jacrev", "JAX windows by vmap")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.id)
@pytest.mark.parametrize("cell", CELLS)
def test_itemize_beside_its_peers(cell, size, benchmark, report):
    net, x, y = problem(cell, size)
    torch_net, ways = peers_of(net, x, y, size.K)
    mine = ours(net, x, y, size.K)
    flow = mine[OURS]()
    for way in ways.values():
        check(way(), flow)
    product, flops = product_of_all_rows(np, cell, size, net.parameters["weight_hh_l0"])
    for call in (mine[SHARES], product, torch_net.training_step):
        call()
    spent = medians({**mine, GEMM: product, STEP: torch_net.training_step, **ways})
    fastest = best(spent, torch_peers.WAYS)
    rate = flops / spent[GEMM]
    floor = gemm_flops(cell, size) / rate
    beyond, result = memory.beyond_result(mine[OURS])
    row = {"itemize": ms(spent[OURS]), "with shares": ms(spent[SHARES])}
    row |= {name: beside(spent, name) for name in (*torch_peers.WAYS, *JAX)}
    report.add(BESIDE, label(cell, size) | row | {"best PyTorch": f"{spent[fastest] / spent[OURS]:.1f}x"})
    report.add(
        COSTS,
        label(cell, size)
        | {
            "itemize": ms(spent[OURS]),
            "training step": ms(spent[STEP]),
            "itemize / step": f"{spent[OURS] / spent[STEP]:.2f}",
            "floor": f"{ms(floor)} at {rate / 1e9:.0f} GFLOP/s",
            "measured / floor": f"{spent[OURS] / floor:.2f}",
            "result, MB": memory.mb(result),
            "beyond it, MB": memory.mb(beyond),
            "best PyTorch, MB": memory.mb(memory.torch_beyond_result(ways[fastest])),
            "JAX windows, MB": memory.mb(ways[JAX[1]].beyond_result) if JAX[1] in ways else "",
        },
    )
    if not any(name in ways for name in JAX) and size.id == SIZES[0].id:
        report.note(BESIDE, "JAX is not installed here (make bench-rnn brings it).")
    what = f"{cell} {size}"
    known = [name for name in torch_peers.WAYS if name in spent and name != torch_peers.OURS_IN_TORCH]
    for ours_too, names in (("", known), (", windows side by side included", [fastest])):
        faster, asked = min(spent[name] for name in names) / spent[OURS], goals.FASTER.get(size)
        goals.at_least(report, f"{what}: times faster than the best of PyTorch{ours_too}", faster, asked)
    of_step = goals.OF_STEP.get(size, {}).get(cell)
    goals.at_most(report, f"{what}: of PyTorch's training step", spent[OURS] / spent[STEP], of_step)
    goals.at_most(report, f"{what}: of the floor", spent[OURS] / floor, goals.OF_FLOOR.get(size, {}).get(cell))
    benchmark.extra_info.update(spent)
    benchmark.pedantic(mine[OURS], rounds=3)
