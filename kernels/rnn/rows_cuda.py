"""The passes of `rows.py` on a GPU: one launch per layer and lag, one block of threads per row.

The source is CUDA C++ for CuPy to compile. It needs nothing of CuPy, so that tests can compile it for the CPU, with one
thread per block, and compare it with the loops.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

MOST_THREADS = 256
SOURCE = r"""
#define TINY 9.094947017729282379150390625e-13  // 2^-40
#define HUGE_ 1099511627776.0                   // 2^40
#define LARGEST 1.7976931348623157e308
#define LN2 0.6931471805599453

extern "C" {

/* Sum over the threads of a block; the first thread has it. */
__device__ double total(double v) {
    __shared__ double part[32];
    for (int far = 16; far > 0; far >>= 1) v += __shfl_down_sync(0xffffffffu, v, far);
    __syncthreads();
    if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = v;
    __syncthreads();
    if (threadIdx.x < 32) {
        v = threadIdx.x < (blockDim.x + 31) / 32 ? part[threadIdx.x] : 0.0;
        for (int far = 16; far > 0; far >>= 1) v += __shfl_down_sync(0xffffffffu, v, far);
    }
    return v;
}

/* One row a step back: d from the error at h, z and carry from d (see the cells' modules). */
__device__ void backward(int code, int H, int j, real dh, real* d, real* carry, const real* coef, real* z, real f) {
    if (code < 2) {
        d[j] = dh;
        z[j] = dh * coef[j];
    } else if (code == 2) {
        real v = dh + carry[j] * f;
        d[j] = v;
        for (int k = 0; k < 4; k++) z[k * H + j] = v * coef[k * H + j];
        carry[j] = v * coef[4 * H + j];
    } else {
        real v = carry[j] * f + dh * coef[4 * H + j];
        d[j] = dh;
        d[H + j] = v;
        for (int k = 0; k < 3; k++) z[k * H + j] = v * coef[k * H + j];
        z[3 * H + j] = dh * coef[3 * H + j];
        carry[j] = v * coef[5 * H + j];
    }
}

/* `advance`, and with `recorded` also `record` and `settle`. One block per row. */
__global__ void advance(
    int code, int H, int S, int coefs, int blocks, int carried, const long long* rows, real* d, const real* above,
    int has_above, real* carry, const real* coef, real* z, double* factor, double* biggest, int* exponent, int first,
    int recorded, int lag, int T, int K, int columns, int B, const real* w, int has_w, real* rest, const int* power,
    const real* q, int has_q, double* norm, double* remainder, double* share, double* log_norm, int has_log
) {
    long long i = blockIdx.x, r = rows[i];
    real f = (real)factor[i];
    int e = exponent[i], p = recorded ? power[r] : 0;
    real step = (real)ldexp(1.0, e - p);
    real* row = d + i * S;
    double measured = 0, plain = 0, left = 0, product = 0;
    for (int j = threadIdx.x; j < H; j += blockDim.x) {
        real dh = row[j] * f;
        if (has_above) dh += above[i * H + j];
        backward(code, H, j, dh, row, carry + i * carried, coef + r * coefs * H, z + i * blocks * H, f);
        for (int c = j; c < S; c += H) {
            double v = row[c];
            plain += v * v;
            if (!recorded) continue;
            double weight = has_w ? (double)w[r * S + c] : 1.0;
            measured += v * weight * v * weight;
            real rem = rest[r * S + c] - step * row[c];
            rest[r * S + c] = rem;
            left += (double)rem * weight * (double)rem * weight;
            if (has_q) product += v * (double)q[r * S + c];
        }
    }
    plain = total(plain);
    double size = first || plain > biggest[i] ? plain : biggest[i];
    if (!recorded) {
        if (threadIdx.x == 0) biggest[i] = size;
        return;
    }
    measured = total(measured);
    left = total(left);
    if (has_q) product = total(product);
    if (threadIdx.x) return;
    long long s = r / B, b = r % B, at = (s * columns + lag) * B + b;
    double value = sqrt(measured) * ldexp(1.0, e);
    norm[at] = value > LARGEST ? LARGEST : value;
    if (has_log) log_norm[at] = 0.5 * log(measured) + e * LN2;
    if (s + lag + 1 < T) {
        value = sqrt(left) * ldexp(1.0, p);
        remainder[(s * K + lag) * B + b] = value > LARGEST ? LARGEST : value;
    }
    if (has_q) share[at] = product * ldexp(1.0, e);
    factor[i] = 1.0;
    if (size > 0 && size <= LARGEST && !(TINY < size && size < HUGE_)) {
        int shift;
        frexp(sqrt(size), &shift);
        exponent[i] = e + shift;
        factor[i] = ldexp(1.0, -shift);
    }
}

}
"""


def source(dtype: Any) -> str:
    """The program for rows of a dtype."""
    return f"typedef {'double' if np.dtype(dtype) == np.float64 else 'float'} real;\n{SOURCE}"


def arguments(
    cell: Any, rows: Any, d: Any, above: Any, carry: Any, coef: Any, z: Any, factor: Any, biggest: Any, exponent: Any,
    first: bool, k: int, kept: Any | None,
) -> tuple[Any, ...]:  # fmt: skip
    """What the program takes, in its order; arguments as of `rows.advance`, and lag and record, or None without one."""
    H = coef.shape[1] // cell.coefs
    head = (cell.code, H, d.shape[1], cell.coefs, cell.blocks, carry.shape[1])
    moved = (rows, d, above, len(above) > 0, carry, coef, z, factor, biggest, exponent, first)
    if kept is None:
        return (
            *head,
            *moved,
            False,
            0,
            0,
            0,
            0,
            1,
            d,
            False,
            d,
            exponent,
            d,
            False,
            factor,
            factor,
            factor,
            factor,
            False,
        )
    T, columns, B = kept.norm.shape
    return (
        *head, *moved, True, k, T, kept.remainder.shape[1], columns, B, kept.w, len(kept.w) > 0, kept.rest, kept.power,
        kept.q, len(kept.q) > 0, kept.norm, kept.remainder, kept.share, kept.log, len(kept.log) > 0,
    )  # fmt: skip


def launch(*call: Any) -> None:
    """Run the program on the GPU; arguments as of `arguments`."""
    rows, d = call[1], call[2]
    if not len(rows):
        return
    told = [int(each) if isinstance(each, bool | int | np.integer) else each for each in arguments(*call)]
    values = tuple(np.int32(each) if isinstance(each, int) else each for each in told)
    H = int(values[1])
    threads = min(MOST_THREADS, -(-H // 32) * 32)
    _compiled(np.dtype(d.dtype).name)((len(rows),), (threads,), values)


@lru_cache(maxsize=2)
def _compiled(dtype: str) -> Any:
    import cupy

    return cupy.RawKernel(source(dtype), "advance", options=("--std=c++14",))
