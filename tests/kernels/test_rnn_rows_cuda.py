"""The CUDA kernel's very source, compiled for the CPU with one thread per block, against the loops.

What a GPU adds, the sum over a block's threads, is checked where there is one (`test_rnn_gpu.py`).
"""

import ctypes
import re
import shutil
import subprocess

import cases
import deep_nets
import numpy as np
import pytest

from learnviews.kernels import rnn
from learnviews.kernels.rnn import paths, rows_cuda

COMPILER = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler on the PATH")
BEFORE = """
#include <cmath>
using namespace std;
#define __global__ static
#define __device__ static
#define __shared__ static
struct Index { long long x; };
static Index blockIdx, threadIdx, blockDim = {1};
static void __syncthreads() {}
static double __shfl_down_sync(unsigned, double, int) { return 0; }
"""
AFTER = """
extern "C" void run(long long grid, PARAMETERS) {
    for (blockIdx.x = 0; blockIdx.x < grid; blockIdx.x++) advance(NAMES);
}
"""


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The kernel as a function of the CPU, per dtype."""
    folder, found = tmp_path_factory.mktemp("cuda"), {}
    for dtype in ("float32", "float64"):
        text = rows_cuda.source(dtype)
        parameters = " ".join(re.search(r"__global__ void advance\((.*?)\) \{", text, re.DOTALL)[1].split())
        names = ", ".join(part.split()[-1].lstrip("*") for part in parameters.split(","))
        file = folder / f"{dtype}.cpp"
        file.write_text(BEFORE + text + AFTER.replace("PARAMETERS", parameters).replace("NAMES", names))
        library = folder / f"{dtype}.so"
        command = [
            COMPILER,
            "-std=c++14",
            "-O1",
            "-ffp-contract=off",
            "-shared",
            "-fPIC",
            "-o",
            str(library),
            str(file),
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found[np.dtype(dtype)] = ctypes.CDLL(str(library)).run
    return found


@pytest.fixture
def as_on_a_gpu(programs, monkeypatch):
    """Everything takes the path of a GPU, with the CPU in its place; a list of the launches."""
    launches = []

    def launch(*call):
        values = [_plain(each) for each in rows_cuda.arguments(*call)]
        programs[call[2].dtype](ctypes.c_longlong(len(call[1])), *values)
        launches.append(call)

    monkeypatch.setattr(rows_cuda, "launch", launch)
    monkeypatch.setattr(paths, "takes_loops", lambda array: False)
    monkeypatch.setattr(paths, "takes_cuda", lambda array: True)
    return launches


def _plain(each):
    if isinstance(each, np.ndarray):
        assert each.flags["C_CONTIGUOUS"]
        return each.ctypes.data_as(ctypes.c_void_p)
    return ctypes.c_int(int(each))


def both(net, batch, monkeypatch, **options):
    """By the loops, then by the kernel."""
    with monkeypatch.context() as patch:
        patch.setattr(paths, "takes_loops", lambda array: True)
        want = rnn.itemize(net, **batch, **options)
    return rnn.itemize(net, **batch, **options), want


def assert_same(flow, want, rtol):
    np.testing.assert_array_equal(flow.kept, want.kept)
    for name in ("norm", "beyond", "share", "share_beyond", "remainder", "units", "unit_share"):
        got, expected = getattr(flow, name), getattr(want, name)
        assert (got is None) == (expected is None)
        if got is not None:
            np.testing.assert_allclose(got, expected, rtol=rtol, atol=rtol * abs(want.norm).max(), err_msg=name)


@deep_nets.EVERY_CELL
@pytest.mark.parametrize("dtype, rtol", [("float32", 2e-4), ("float64", 1e-10)])
@pytest.mark.parametrize("layers, both_ways, parameter", [
    (1, False, "weight_hh_l0"), (1, False, "state"), (2, False, "weight_ih_l0"), (3, False, "bias_hh_l1"),
    (2, True, "weight_hh_l1_reverse"),
])  # fmt: skip
def test_itemize(layers, both_ways, parameter, dtype, rtol, cell, as_on_a_gpu, monkeypatch):
    net = deep_nets.make_net(cell, layers, both_ways, dtype=dtype)
    batch = deep_nets.make_batch(net, T=9, B=3)
    batch = {name: in_dtype(value, dtype) for name, value in batch.items()}
    shares = parameter != "state"
    flow, want = both(net, batch, monkeypatch, lags=5, parameter=parameter, shares=shares, unit="all")
    assert as_on_a_gpu, "the kernel was used"
    assert_same(flow, want, rtol)


def in_dtype(value, dtype):
    if isinstance(value, tuple):
        return tuple(part.astype(dtype) for part in value)
    return value.astype(dtype) if value is not None and value.dtype.kind == "f" else value


@pytest.mark.parametrize("scale", [0.3, 2.5])
def test_rows_that_vanish_and_explode(scale, as_on_a_gpu, monkeypatch):
    net = cases.make_net(dtype="float32", hidden=8)
    net.parameters["weight_hh_l0"][...] = scale * np.linalg.qr(np.random.default_rng(8).normal(size=(8, 8)))[0]
    for name in ("weight_ih_l0", "bias_ih_l0", "bias_hh_l0"):
        net.parameters[name][...] = 0
    batch = cases.make_batch(net, T=90, B=2)
    flow, want = both(net, batch, monkeypatch, lags=None, parameter="bias_hh_l0")
    np.testing.assert_allclose(flow.norm, want.norm, rtol=1e-3)
    np.testing.assert_allclose(flow.log_norm[flow.valid], want.log_norm[want.valid], rtol=1e-3, atol=1e-3)


@deep_nets.EVERY_CELL
def test_with_a_tolerance_a_mask_and_sums(cell, as_on_a_gpu, monkeypatch):
    net = deep_nets.make_net(cell, 2)
    net.flat *= 0.6
    batch = deep_nets.make_batch(net, T=40, B=3)
    batch["mask"] = np.random.default_rng(0).choice([0, 0.5, 1], (40, 3))
    flow, want = both(net, batch, monkeypatch, lags=None, tol=0.01, matrices=True)
    assert not flow.kept.all() and (~flow.kept & flow.valid[:, :, None]).any()
    assert_same(flow, want, 1e-9)
    deep_nets.close(flow.lag_matrices().matrix, want.lag_matrices().matrix)


def test_connectivity_takes_it_too(as_on_a_gpu, monkeypatch):
    net = deep_nets.make_net("gru", 2)
    batch = deep_nets.make_batch(net)
    flow = rnn.connectivity(net, **batch)
    assert as_on_a_gpu
    monkeypatch.setattr(paths, "takes_loops", lambda array: True)
    deep_nets.close(flow.norm, rnn.connectivity(net, **batch).norm)
