"""Text written by a net, one symbol at a time."""

from __future__ import annotations

import numpy as np

from ..arrays import array_namespace, as_numpy
from .corpus import Corpus
from .net import RecurrentNet
from .unroll import hidden_states


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
    prime : str
        Text the net reads first; a random symbol if empty. Not part of what is returned.
    temperature : float
        Above 1 bolder, below 1 safer; must be positive.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be a positive number, got {temperature!r}")
    xp = array_namespace(net.flat)
    rng = np.random.default_rng(rng)
    tokens = corpus.encode(prime) if prime else rng.integers(0, net.inputs, 1)
    state = xp.zeros((1, net.hidden), net.dtype)
    V, c = net.parameters["decoder.weight"], net.parameters["decoder.bias"]
    written = []
    for _ in range(length):
        state = hidden_states(net, xp.asarray(tokens, dtype=np.intp)[:, None], state)[-1]
        logits = as_numpy(state[0] @ V.T + c).astype(np.float64) / temperature
        p = np.exp(logits - logits.max())
        tokens = np.array([rng.choice(net.outputs, p=p / p.sum())])
        written.append(int(tokens[0]))
    return corpus.decode(written)
