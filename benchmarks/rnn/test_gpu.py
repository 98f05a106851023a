"""The same on a GPU: CuPy beside PyTorch, float32, TF32 off and on. Skipped where there is no CuPy or no device."""

import gc
from functools import partial

import numpy as np
import pytest
import torch
from rnn import goals, memory, torch_peers
from rnn.contest import medians, ms
from rnn.race import GEMM, OURS, STEP, beside, best, check, label
from rnn.sizes import CELLS, SIZES, Size, gemm_flops, problem, product_of_all_rows

from learnviews.kernels import rnn

pytestmark = [pytest.mark.benchmark, pytest.mark.gpu]
LARGE = Size(512, 64, 1024, 32)
TITLE = "On the GPU: milliseconds, in brackets how many times ours"
DEFAULT, TF32 = 1, 7  # CuPy's names for how products of float32 are computed


@pytest.fixture(params=[False, True], ids=["tf32-off", "tf32-on"])
def tf32(request, cupy):
    """Whether products of float32 may round their factors to TF32, in CuPy and PyTorch alike."""
    before = cupy._core.get_compute_type(np.float32)
    cupy._core.set_compute_type(np.float32, TF32 if request.param else DEFAULT)
    switches = (torch.backends.cuda.matmul, torch.backends.cudnn)
    was = [switch.allow_tf32 for switch in switches]
    for switch in switches:
        switch.allow_tf32 = request.param
    yield request.param
    cupy._core.set_compute_type(np.float32, before)
    for switch, value in zip(switches, was, strict=True):
        switch.allow_tf32 = value


@pytest.mark.parametrize("size", (*SIZES, LARGE), ids=lambda size: size.id)
@pytest.mark.parametrize("cell", CELLS)
def test_itemize_on_the_gpu(cell, size, tf32, cupy, report, benchmark):
    device = "cuda" if torch.cuda.is_available() else None
    row = raced(cupy, device, cell, size, rtol=2e-2 if tf32 else 2e-3)
    report.add(TITLE, label(cell, size) | {"TF32": "on" if tf32 else "off"} | row)
    what = f"GPU, {cell} {size}, TF32 {'on' if tf32 else 'off'}"
    if "best PyTorch" in row:
        faster = float(row["best PyTorch"].rstrip("x"))
        goals.at_least(report, f"{what}: times faster than the best PyTorch", faster, goals.ON_GPU)
    if size == LARGE:
        reached = float(row["of it reached"].rstrip("%")) / 100
        goals.at_least(report, f"{what}: of the measured GEMM rate", reached, goals.OF_GEMM)
    name = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    report.note(TITLE, f"{name}, CuPy {cupy.__version__}, PyTorch {torch.__version__}")
    benchmark.extra_info.update(row)


def raced(xp, device, cell, size, rtol):
    """A row of the table: itemize in `xp`, PyTorch on `device` (None: no PyTorch there)."""
    net, x, y = problem(cell, size)
    there = net.to(xp)
    itemize = partial(rnn.itemize, there, xp.asarray(x), xp.asarray(y), lags=size.K)
    product, flops = product_of_all_rows(xp, cell, size, there.parameters["weight_hh_l0"])
    flow, _ = itemize(), product()
    calls, peers = {OURS: itemize, GEMM: product}, {}
    if device:
        torch_net = torch_peers.TorchNet(net, x, y, device)
        torch_net.training_step()
        calls[STEP] = torch_net.training_step
        peers = {name: way for name, way in torch_peers.ways_for(torch_net, size.K).items() if agrees(way, flow, rtol)}
    spent = medians(calls | peers, wait=waiting(xp, device))
    rate = flops / spent[GEMM]
    row = {"itemize": ms(spent[OURS])} | {name: beside(spent, name) for name in (*torch_peers.WAYS, STEP)}
    if peers:
        fastest = best(spent, peers)
        row |= {"best PyTorch": f"{spent[fastest] / spent[OURS]:.1f}x", **memories(xp, device, itemize, peers[fastest])}
    reached = gemm_flops(cell, size) / spent[OURS] / rate
    return row | {"GEMM": f"{rate / 1e12:.3g} TFLOP/s", "of it reached": f"{reached:.0%}"}


def agrees(way, flow, rtol):
    """True when the peer gives our numbers; False when its graph does not fit into the device's memory."""
    try:
        check(way(), flow, rtol)
    except torch.OutOfMemoryError:
        gc.collect()
        torch.cuda.empty_cache()
        return False
    return True


def waiting(xp, device):
    """A call that returns once everything given to the device is done."""

    def wait():
        if xp is not np:
            xp.cuda.Device().synchronize()
        if device == "cuda":
            torch.cuda.synchronize()

    return wait


def memories(xp, device, itemize, way):
    """Bytes beyond the result, ours and PyTorch's, as their own allocators tell them."""
    if xp is np:
        return {"beyond, MB": memory.mb(memory.beyond_result(itemize)[0]), "PyTorch beyond, MB": ""}
    pool = xp.cuda.MemoryPool()
    with xp.cuda.using_allocator(pool.malloc):
        result = itemize()
        ours = pool.total_bytes() - pool.used_bytes()
        del result
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    result = way()
    theirs = torch.cuda.max_memory_allocated() - before - sum(each.nbytes for each in result)
    return {"beyond, MB": memory.mb(ours), "PyTorch beyond, MB": memory.mb(theirs)}
