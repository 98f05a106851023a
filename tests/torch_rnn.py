"""PyTorch as the witness of recurrent nets of any cell, depth and direction: nn modules, and nets unrolled.

The unrolled net adds a leaf of zeros wherever an error is to be read: to both halves of each pre-activation (what
weight_ih gives, and weight_hh), to h and to c. The gradient of one step's losses with respect to a leaf is that error.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

MODULES = {"tanh": nn.RNN, "relu": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
GATES = {"tanh": ("",), "relu": ("",), "gru": ("r", "z", "n"), "lstm": ("i", "f", "g", "o")}


def module_of(net: Any) -> tuple[nn.Module, dict[str, torch.Tensor]]:
    """The nn module of the net's kind, and the net's parameters as tensors that require gradients."""
    options = {"nonlinearity": net.cell.name} if MODULES[net.cell.name] is nn.RNN else {}
    width = net.embedding or net.inputs
    module = MODULES[net.cell.name](width, net.hidden, net.layers, bidirectional=net.bidirectional, **options).double()
    named = {k: torch.from_numpy(v.astype(np.float64)).clone().requires_grad_() for k, v in net.state_dict().items()}
    return module, named


def run_module(net: Any, x: Any, y: Any, state: Any = None, mask: Any = None) -> tuple[Any, dict[str, Any], Any]:
    """Losses (T, B) or (B,), parameters to ask gradients of, and the state after the last step."""
    module, p = module_of(net)
    recurrent = {k: v for k, v in p.items() if k.startswith(("weight", "bias"))}
    start = None if state is None else _tensors(state)
    out, last = torch.func.functional_call(
        module, recurrent, (_inputs(net, p, x),) + (() if start is None else (start,))
    )
    h = last[0] if net.cell.name == "lstm" else last
    top = torch.cat(list(h[-net.directions :]), 1) if _at_end(y) else out
    return losses(net, p, top, y, mask), p, last


def losses(net: Any, p: dict[str, Any], top: Any, y: Any, mask: Any) -> Any:
    """Cross entropy of tokens, mean squared error of floats; per step and sequence."""
    scores = top @ p["decoder.weight"].T + p["decoder.bias"] if net.decoder else top
    target = torch.from_numpy(np.asarray(y))
    if y.dtype.kind == "f":
        found = ((scores - target) ** 2).mean(-1)
    else:
        flat = nn.functional.cross_entropy(scores.flatten(0, -2), target.flatten(), reduction="none")
        found = flat.reshape(target.shape)
    return found if mask is None else found * torch.from_numpy(np.asarray(mask, np.float64))


def _inputs(net: Any, p: dict[str, Any], x: Any) -> Any:
    if x.ndim == 3:
        return torch.from_numpy(x)
    table = p["embedding.weight"] if net.embedding else torch.eye(net.inputs, dtype=torch.float64)
    return table[torch.from_numpy(x)]


def _at_end(y: Any) -> bool:
    return y.ndim == (2 if y.dtype.kind == "f" else 1)


def _tensors(state: Any) -> Any:
    return tuple(map(torch.from_numpy, state)) if isinstance(state, tuple) else torch.from_numpy(state)


class Unrolled:
    """A net unrolled step by step, and every error there is in it.

    errors[name]: (losses, T, B, width), element [t, s, b] = dL_{t,b}/d(what name is a leaf of)_{s,b}; names: ih, hh,
    h, c followed by the strand ("hh_l0_reverse"), and x for the inputs. One loss per sequence: losses = 1.
    inputs[strand], before[strand]: (T, B, ...) what weight_ih and weight_hh are multiplied with at each step.
    """

    def __init__(self, net: Any, x: Any, y: Any, state: Any = None, mask: Any = None, seed: Any = None) -> None:
        self.net, self.leaves = net, {}
        _, self.p = module_of(net)
        self.inputs, self.before = {}, {}
        T, B = x.shape[:2]
        start = state if isinstance(state, tuple) else (state,)
        below = list(_inputs(net, self.p, x) + self._leaf("x", T, _inputs(net, self.p, x)[0]))
        for i, strand in enumerate(net.strands):
            if i % net.directions == 0:
                given, outs = below, []
            states = [
                torch.from_numpy(part[i]) if state is not None else torch.zeros(B, net.hidden).double()
                for part in start
            ]
            outs.append(
                self._strand(strand, given, states + ([torch.zeros(B, net.hidden).double()] if len(states) < 2 else []))
            )
            if i % net.directions == net.directions - 1:
                below = [torch.cat([out[t] for out in outs], 1) for t in range(T)]
        if _at_end(y):
            top = torch.cat([outs[0][-1], *([outs[1][0]] if net.directions == 2 else [])], 1)
        else:
            top = torch.stack(below)
        self.scores = top @ self.p["decoder.weight"].T + self.p["decoder.bias"] if net.decoder else top
        self.losses = losses(net, self.p, top, y, mask)
        asked = self.losses if seed is None else seed(self.scores)
        self.errors = self._ask(asked if asked.ndim == 2 else asked[None])

    def _leaf(self, name: str, T: int, like: Any) -> Any:
        self.leaves[name] = torch.zeros(T, *like.shape, dtype=torch.float64, requires_grad=True)
        return self.leaves[name]

    def _strand(self, strand: str, given: list[Any], states: list[Any]) -> list[Any]:
        net, T = self.net, len(given)
        h, c = states[:2]
        rows = torch.zeros(len(h), net.cell.gates * net.hidden)
        ih, hh = self._leaf(f"ih_{strand}", T, rows), self._leaf(f"hh_{strand}", T, rows)
        at_h, at_c = self._leaf(f"h_{strand}", T, h), self._leaf(f"c_{strand}", T, h)
        w = {k: self.p[f"{k}_{strand}"] for k in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        out, before = [None] * T, [None] * T
        for t in reversed(range(T)) if strand.endswith("reverse") else range(T):
            before[t] = h.detach().numpy()
            a = given[t] @ w["weight_ih"].T + w["bias_ih"] + ih[t]
            r = h @ w["weight_hh"].T + w["bias_hh"] + hh[t]
            h, c = step(net.cell.name, a, r, h, c, at_c[t])
            h = out[t] = h + at_h[t]
        self.inputs[strand] = np.stack([u.detach().numpy() for u in given])
        self.before[strand] = np.stack(before)
        return out

    def _ask(self, asked: Any) -> dict[str, np.ndarray]:
        names = list(self.leaves)
        found = {name: [] for name in names}
        for t in range(len(asked)):
            grads = torch.autograd.grad(
                asked[t].sum(), list(self.leaves.values()), retain_graph=True, allow_unused=True, materialize_grads=True
            )
            for name, grad in zip(names, grads, strict=True):
                found[name].append(grad.numpy())
        return {name: np.stack(values) for name, values in found.items()}

    def cells(self, parameter: str, gate: str | None = None, unit: int | None = None) -> np.ndarray:
        """(losses, T, B, rows, columns): every G_{t,s}, explicitly; of a bias or a state one column."""
        kind, side, *rest = parameter.split("_")
        if kind in ("state", "cell"):
            e = self.errors["_".join([kind.replace("state", "h").replace("cell", "c"), side, *rest])]
        else:
            e = self.errors["_".join([side, *rest])]
        keep = np.ones(e.shape[-1], bool).reshape(-1, self.net.hidden)
        if gate is not None:
            keep[np.array(GATES[self.net.cell.name]) != gate] = False
        if unit is not None:
            keep[:, np.arange(self.net.hidden) != unit] = False
        e = e * keep.ravel()
        strand = "_".join(rest)
        u = {"weighthh": self.before, "weightih": self.inputs}.get(kind + side)
        if u is None:
            return e[..., None]
        return e[..., :, None] * u[strand][None, :, :, None, :]


def step(cell: str, a: Any, r: Any, h: Any, c: Any, at_c: Any) -> tuple[Any, Any]:
    """New h and c from the two halves of the pre-activations: PyTorch's documented equations."""
    if cell in ("tanh", "relu"):
        return getattr(torch, cell)(a + r), c
    if cell == "gru":
        (ar, az, an), (hr, hz, hn) = a.chunk(3, 1), r.chunk(3, 1)
        reset, update = torch.sigmoid(ar + hr), torch.sigmoid(az + hz)
        new = torch.tanh(an + reset * hn)
        return (1 - update) * new + update * h, c
    i, f, g, o = (a + r).chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g) + at_c
    return torch.sigmoid(o) * torch.tanh(c), c


def itemized(G: np.ndarray, lags: np.ndarray, end: bool, reverse: bool) -> dict[str, np.ndarray]:
    """norm, beyond, share, share_beyond and total from explicit cells (losses, T, B, ...).

    The one loss of a sequence lies at the end of the direction that runs through it.
    """
    G = G.reshape(*G.shape[:3], -1)
    whole, T, B = G.sum(axis=(0, 1, 2)), G.shape[1], G.shape[2]
    norm, share = np.zeros((2, T, len(lags), B))
    rest = G.sum(axis=0)
    for s in range(T):
        for j, lag in enumerate(lags):
            t = s + lag
            if not 0 <= t < T or (end and t != (0 if reverse else T - 1)):
                continue
            cell = G[0 if end else t, s]
            norm[s, j], share[s, j] = np.linalg.norm(cell, axis=1), cell @ whole
            rest[s] -= cell
    left = np.linalg.norm(rest, axis=2)
    return {"norm": norm, "beyond": left, "share": share, "share_beyond": rest @ whole, "total": whole @ whole}
