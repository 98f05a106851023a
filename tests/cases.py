"""Seeded nets and batches that the kernels' tests share."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

from learnviews.kernels import rnn
from learnviews.kernels.rnn import paths, products

INPUTS, HIDDEN, OUTPUTS, WIDTH = 4, 5, 3, 2
KINDS = ("tokens", "floats", "embedding")
CELLS = ("tanh", "relu")
FEW = settings(max_examples=25, deadline=None, derandomize=True)


def make_net(kind: str = "tokens", cell: str = "tanh", dtype: str = "float64", rng: int = 0, **sizes: Any) -> Any:
    """A net with weights large enough that later losses reach back."""
    sizes = {"inputs": INPUTS, "hidden": HIDDEN, "outputs": OUTPUTS, **sizes}
    width = WIDTH if kind == "embedding" else None
    net = rnn.RecurrentNet(cell, **sizes, embedding=width, dtype=dtype, rng=rng, initial="uniform")
    net.flat *= 1.5
    return net


def make_batch(
    net: Any, kind: str = "tokens", T: int = 7, B: int = 2, rng: int = 1, masked: bool = False, started: bool = False
) -> dict[str, Any]:
    """Arguments x, y, state, mask for `bptt` and `itemize`."""
    r = np.random.default_rng(rng)
    tokens, floats = r.integers(0, net.inputs, (T, B)), r.normal(size=(T, B, net.inputs))
    y, state, mask = (
        r.integers(0, net.outputs, (T, B)),
        r.uniform(0, 1, (1, B, net.hidden)),
        r.choice([0, 0.5, 1], (T, B)),
    )
    return {
        "x": floats if kind == "floats" else tokens,
        "y": y,
        "state": state if started else None,
        "mask": mask if masked else None,
    }


WAYS = ("loop", "panels", "whole")  # of multiplying a step's rows with weights
EVERY_WAY = pytest.mark.parametrize("way", WAYS)


def path(way: str) -> AbstractContextManager[Any]:
    """Steps' products within are all made in this way."""
    return mock.patch.object(products, "way_of", lambda rows, W: way)


def whole_arrays() -> AbstractContextManager[Any]:
    """Everything within takes the path of CuPy, with NumPy in its place."""
    return mock.patch.object(paths, "takes_loops", lambda array: False)


@st.composite
def problems(draw: Any) -> tuple[Any, dict[str, Any]]:
    """A small net and a batch for it, of any shape, kind and dtype."""
    size = st.integers(1, 6)
    kind, cell = draw(st.sampled_from(KINDS)), draw(st.sampled_from(CELLS))
    dtype, seed = draw(st.sampled_from(["float32", "float64"])), draw(st.integers(0, 2**16))
    sizes = {name: draw(size) for name in ("inputs", "hidden", "outputs")}
    net = make_net(kind, cell, dtype, seed, **sizes)
    batch = make_batch(net, kind, draw(size), draw(st.integers(1, 3)), seed, draw(st.booleans()), draw(st.booleans()))
    return net, batch
