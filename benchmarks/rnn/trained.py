"""Nets that have learned something: a short training on the embedded corpus."""

from __future__ import annotations

from functools import cache

import numpy as np

from learnviews.kernels import rnn

from .sizes import Size, problem

RECIPES = {  # optimizer, length, batch, steps, initial weights
    "trained 25 x 1": ("adagrad", 25, 1, 10_000, "small"),  # as a recording's default
    "trained 50 x 16": ("adam", 50, 16, 1_000, "uniform"),
}


@cache
def corpus() -> rnn.Corpus:
    return rnn.Corpus.embedded()


@cache
def trained_net(cell: str, hidden: int, recipe: str) -> rnn.RecurrentNet:
    """A net after the training that `RECIPES` has under this name; trained once per process."""
    optimizer, length, batch, steps, initial = RECIPES[recipe]
    symbols = len(corpus().symbols)
    net = rnn.RecurrentNet(cell, symbols, hidden, symbols, initial=initial, rng=0)
    rnn.Trainer(net, corpus(), length=length, batch=batch, optimizer=optimizer).run(steps)
    return net


def lasting_net(cell: str, size: Size) -> rnn.RecurrentNet:
    """An untrained net whose errors hardly shrink: nothing in it can be dropped.

    An orthogonal matrix and small inputs, which leave tanh where it is straight; gates that keep the state.
    """
    net, _, _ = problem(cell, size)
    p, H = net.parameters, size.H
    if cell == "tanh":
        p["weight_hh_l0"][...] = np.linalg.qr(np.random.default_rng(0).normal(size=(H, H)))[0]
        for name in ("weight_ih_l0", "bias_ih_l0", "bias_hh_l0"):
            p[name][...] *= 0.01
    else:
        p["bias_ih_l0"][H : 2 * H] = 8  # the update gate of a GRU, the forget gate of an LSTM
    return net


def text(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """T steps of B stretches of the corpus, and the characters that follow."""
    tokens = corpus().tokens.astype(np.intp)
    starts = np.random.default_rng(0).integers(0, len(tokens) - size.T - 1, size.B)
    window = tokens[starts + np.arange(size.T + 1)[:, None]]
    return np.ascontiguousarray(window[:-1]), np.ascontiguousarray(window[1:])
