"""Nets that have learned something: a short training on the embedded corpus."""

from __future__ import annotations

from functools import cache

import numpy as np

from learnviews.kernels import rnn

from .sizes import Size

STEPS, LENGTH, BATCH = 1000, 50, 16


@cache
def corpus() -> rnn.Corpus:
    return rnn.Corpus.embedded()


@cache
def trained_net(cell: str, hidden: int) -> rnn.RecurrentNet:
    """After 1,000 steps of 16 sequences of 50 characters, by Adam; trained once per process."""
    symbols = len(corpus().symbols)
    net = rnn.RecurrentNet(cell, symbols, hidden, symbols, initial="uniform", rng=0)
    rnn.Trainer(net, corpus(), length=LENGTH, batch=BATCH, optimizer="adam").run(STEPS)
    return net


def text(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """T steps of B stretches of the corpus, and the characters that follow."""
    tokens = corpus().tokens.astype(np.intp)
    starts = np.random.default_rng(0).integers(0, len(tokens) - size.T - 1, size.B)
    window = tokens[starts + np.arange(size.T + 1)[:, None]]
    return np.ascontiguousarray(window[:-1]), np.ascontiguousarray(window[1:])
