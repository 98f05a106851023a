"""The same numbers as `rnn.itemize` by JAX: all losses at once by `jacrev`, or the windows of K steps by `vmap`.

Both scan over an ordinary cell with the weights of a RecurrentNet, compiled as a whole. In JAX a loop is traced, so
that a batched backward through it costs no Python; but `jacrev` holds the errors of every loss at every step, (losses,
steps, sequences, gates * units), and computes those after the loss, which are 0, too.
"""

from __future__ import annotations

from functools import partial

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp
from jax.nn import sigmoid, softmax

from .torch_peers import BIG


class JaxNet:
    """The weights of a RecurrentNet of one layer, and one batch."""

    def __init__(self, net, x, y):
        p = {name: jnp.asarray(value) for name, value in net.state_dict().items()}
        self.cell, self.hidden = net.cell.name, net.hidden
        self.W, self.b = p["weight_hh_l0"], p["bias_hh_l0"]
        self.U, self.a = p["weight_ih_l0"], p["bias_ih_l0"]
        self.V, self.c = p["decoder.weight"], p["decoder.bias"]
        self.x, self.y = jnp.asarray(x), jnp.asarray(y)

    def start(self):
        """States before the first step: (h,), or (h, c) of an LSTM."""
        zeros = jnp.zeros((self.y.shape[1], self.hidden), self.W.dtype)
        return (zeros, zeros) if self.cell == "lstm" else (zeros,)

    def projection(self):
        """W_ih x + b_ih for every step: (T, B, G*H)."""
        return self.U.T[self.x] + self.a

    def step(self, states, given, extra):
        """The states after a step; `extra`, zeros, stands where the error is read."""
        z = states[0] @ self.W.T + self.b + extra
        if self.cell == "tanh":
            return (jnp.tanh(given + z),)
        if self.cell == "gru":
            (r, u, n), (r_in, u_in, n_in) = jnp.split(z, 3, 1), jnp.split(given, 3, 1)
            r, u = sigmoid(r + r_in), sigmoid(u + u_in)
            n = jnp.tanh(n_in + r * n)
            return (n + u * (states[0] - n),)
        i, f, g, o = jnp.split(given + z, 4, 1)
        c = sigmoid(f) * states[1] + sigmoid(i) * jnp.tanh(g)
        return sigmoid(o) * jnp.tanh(c), c

    def run(self, P, extra):
        """States after every step: each (T, B, H)."""

        def body(states, given):
            new = self.step(states, *given)
            return new, new

        return lax.scan(body, self.start(), (P, extra))[1]

    def loss(self, h, y):
        """Sum over sequences of the cross entropy."""
        return -jnp.log(jnp.take_along_axis(softmax(h @ self.V.T + self.c), y[..., None], -1)).sum((-2, -1))


def _norm(a):
    return jnp.sqrt((a * a).sum(-1))


def _before(net, states):
    return [jnp.concatenate([first[None], each[:-1]]) for first, each in zip(net.start(), states, strict=True)]


def jacobian(net: JaxNet, K: int):
    """`jax.jacrev` of all losses with respect to every step's pre-activations."""
    T, B = net.y.shape
    P = net.projection()
    zeros = jnp.zeros((T, B, len(net.W)), net.W.dtype)
    d = jax.jacrev(lambda extra: net.loss(net.run(P, extra)[0], net.y))(zeros)  # (loss, step, B, G*H)
    reach = _norm(_before(net, net.run(P, zeros))[0])
    steps, lags = np.arange(T)[:, None], np.arange(K)
    loss = steps + lags
    norm = jnp.where((loss < T)[..., None], _norm(d)[np.minimum(loss, T - 1), steps], 0)
    far = np.subtract.outer(np.arange(T), np.arange(T)) >= K
    beyond = jnp.einsum("ts,tsbj->sbj", far.astype(np.float32), d)
    return norm * reach[:, None], _norm(beyond) * reach


def windows(net: JaxNet, K: int):
    """`vmap` over the losses of a gradient through a window of K steps, each from the state at the window's start."""
    T, B = net.y.shape
    P = net.projection()
    zeros = jnp.zeros((T, B, len(net.W)), net.W.dtype)
    before = _before(net, net.run(P, zeros))
    first = np.arange(T) - K + 1  # of each window; those at the sequence's start are shorter

    def of_window(extra, start, states, y):
        def body(states, each):
            s, e = each
            new = net.step(states, P[jnp.maximum(s, 0)], e)
            return tuple(jnp.where(s >= 0, a, b) for a, b in zip(new, states, strict=True)), None

        last, _ = lax.scan(body, states, (start + jnp.arange(K), extra))
        return net.loss(last[0], y)

    begin = [each[np.maximum(first, 0)] for each in before]
    d = jax.vmap(jax.grad(of_window), (None, 0, 0, 0))(zeros[:K], first, tuple(begin), net.y)  # (loss, place, B, G*H)
    whole = jax.grad(lambda extra: net.loss(net.run(P, extra)[0], net.y).sum())(zeros)
    reach = _norm(before[0])
    norm = []
    for k in range(K):
        of_lag = jnp.pad(d[k:, K - 1 - k], ((0, k), (0, 0), (0, 0)))
        whole = whole - of_lag
        norm.append(_norm(of_lag))
    return jnp.stack(norm, 1) * reach[:, None], _norm(whole) * reach


WAYS = {"JAX jacrev": jacobian, "JAX windows by vmap": windows}


def ways_for(net: JaxNet, K: int):
    """Compiled calls that wait for their results and give NumPy arrays, as far as they fit into memory."""
    T, B = net.y.shape
    found = {}
    for name, way in WAYS.items():
        steps = T if way is jacobian else K
        if T * steps * B * len(net.W) < BIG:
            found[name] = Compiled(partial(way, net, K))
    return found


class Compiled:
    """A compiled function without arguments; `beyond_result`: bytes it needs beside its results, as XLA plans it."""

    def __init__(self, function):
        self.run = jax.jit(function).lower().compile()
        self.beyond_result = self.run.memory_analysis().temp_size_in_bytes

    def __call__(self):
        return jax.device_get(self.run())
