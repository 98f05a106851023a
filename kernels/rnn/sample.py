"""Text written by a net, one symbol at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import array_namespace, as_numpy
from .corpus import Corpus
from .net import RecurrentNet
from .readout import scores
from .strand import Strand
from .unroll import run_layers


def sample(
    net: RecurrentNet,
    corpus: Corpus,
    length: int = 200,
    prime: str = "",
    temperature: float = 1.0,
    rng: int | np.random.Generator | None = 0,
) -> str:
    """Draw `length` symbols from the net's own predictions.

    Parameters
    ----------
    net
        Of any cell and depth, but of one direction.
    prime : str
        Text the net reads first; a random symbol if empty. Not part of what is returned.
    temperature : float
        Above 1 bolder, below 1 safer; must be positive.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be a positive number, got {temperature!r}")
    if net.bidirectional:
        raise ValueError("a bidirectional net reads to the end before it tells anything: it cannot write")
    xp = array_namespace(net.flat)
    rng = np.random.default_rng(rng)
    tokens = corpus.encode(prime) if prime else rng.integers(0, net.inputs, 1)
    state = tuple(xp.zeros((net.layers, 1, net.hidden), net.dtype) for _ in range(net.cell.states))
    written = []
    for _ in range(length):
        strands, out = run_layers(net, xp.asarray(tokens, dtype=np.intp)[:, None], state)
        state = _last(xp, net, strands)
        logits = as_numpy(scores(net, out[-1])[0]).astype(np.float64) / temperature
        p = np.exp(logits - logits.max())
        tokens = np.array([rng.choice(net.outputs, p=p / p.sum())])
        written.append(int(tokens[0]))
    return corpus.decode(written)


def _last(xp: Any, net: RecurrentNet, strands: list[Strand]) -> tuple[Any, ...]:
    h = xp.stack([strand.h[-1] for strand in strands])
    return (h,) if net.cell.states == 1 else (h, xp.stack([strand.c[-1] for strand in strands]))
