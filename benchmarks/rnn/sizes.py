"""What is measured: nets and batches of a size, and how much arithmetic itemizing one cannot do without."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from learnviews.kernels import rnn

SYMBOLS = 96
GATES = {"tanh": 1, "relu": 1, "gru": 3, "lstm": 4}
CELLS = ("tanh", "gru", "lstm")


class Size(NamedTuple):
    """T steps, B sequences, H hidden units, K lags."""

    T: int
    B: int
    H: int
    K: int

    def __str__(self) -> str:
        return f"{self.T}, {self.B}, {self.H}, {'all' if self.K == self.T else self.K}"

    @property
    def id(self) -> str:
        """How a test of this size is called (`-k 50x16x128x6`)."""
        return "x".join(map(str, self))


SIZES = (
    Size(25, 1, 100, 6),
    Size(50, 16, 128, 6),
    Size(50, 16, 128, 50),
    Size(100, 32, 256, 6),
    Size(200, 8, 256, 200),
)


def problem(cell: str, size: Size, spread: float = 1) -> tuple[rnn.RecurrentNet, np.ndarray, np.ndarray]:
    """An untrained net, its weights as PyTorch draws them, and random tokens; `spread` times weight_hh."""
    net = rnn.RecurrentNet(cell, SYMBOLS, size.H, SYMBOLS, initial="uniform", rng=0)
    net.parameters["weight_hh_l0"][...] *= spread
    x, y = np.random.default_rng(0).integers(0, SYMBOLS, (2, size.T, size.B))
    return net, x, y


def gemm_flops(cell: str, size: Size) -> int:
    """Multiplications and additions of the K-1 products that carry all errors one lag further, of every gate."""
    return sum(2 * (size.T - k) * size.B * GATES[cell] * size.H**2 for k in range(1, size.K))


def product_of_all_rows(xp, cell: str, size: Size, W):
    """A call: one such product, of the errors of all losses; and the flops it takes."""
    errors = np.random.default_rng(0).normal(size=(size.T * size.B, GATES[cell] * size.H)).astype(np.float32)
    errors, out = xp.asarray(errors), xp.empty((size.T * size.B, size.H), np.float32)
    return lambda: xp.matmul(errors, W, out=out), 2 * errors.size * size.H
