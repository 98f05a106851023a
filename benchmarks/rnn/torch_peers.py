"""The same numbers as `rnn.itemize` (norms of the kept lags, and beyond) by PyTorch's autograd, every way that works.

Each function takes a `TorchNet` and returns (norm (T, K, B), beyond (T, B)), on the net's device. They differ in how
autograd is asked: one backward per loss; all losses in one batched vector-Jacobian product; or all windows of K steps
unrolled side by side, so that one ordinary backward serves every loss at once.
"""

from __future__ import annotations

from functools import partial

import torch
from torch.nn import functional

MODULES = {"tanh": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}


class TorchNet:
    """`nn.RNN`, `nn.GRU` or `nn.LSTM` and a `Linear` with the weights of a RecurrentNet, and one batch.

    A cell is unrolled as `step`: from its states to the next ones, with leaves of zeros in its errors' places. What is
    itemized is weight_hh: its errors are those at the recurrent half of the pre-activations.
    """

    def __init__(self, net, x, y, device="cpu"):
        state = {k: torch.from_numpy(v).to(device) for k, v in net.state_dict().items()}
        self.cell = net.cell.name
        self.rnn = MODULES[self.cell](net.inputs, net.hidden)
        self.decoder = torch.nn.Linear(net.hidden, net.outputs)
        self.rnn.load_state_dict({k: v for k, v in state.items() if not k.startswith("decoder")})
        self.decoder.load_state_dict({k.split(".")[1]: v for k, v in state.items() if k.startswith("decoder")})
        self.rnn.to(device, state["weight_hh_l0"].dtype)
        self.decoder.to(device, state["weight_hh_l0"].dtype)
        self.parameters = [*self.rnn.parameters(), *self.decoder.parameters()]
        self.x, self.y = torch.from_numpy(x).to(device), torch.from_numpy(y).to(device)
        self.one_hot = functional.one_hot(self.x, net.inputs).to(state["weight_hh_l0"].dtype)
        self.W, self.b = self.rnn.weight_hh_l0.detach(), self.rnn.bias_hh_l0.detach()
        self.V, self.c = self.decoder.weight.detach(), self.decoder.bias.detach()

    def training_step(self):
        """Forward and backward of the nn module, its own fused path, as a training loop calls it."""
        for p in self.parameters:
            p.grad = None
        h, _ = self.rnn(self.one_hot)
        loss = functional.cross_entropy(self.decoder(h).flatten(0, 1), self.y.flatten(), reduction="sum")
        loss.backward()
        return loss

    def projection(self):
        """W_ih x + b_ih for every step: (T, B, G*H)."""
        return self.rnn.weight_ih_l0.detach().T[self.x] + self.rnn.bias_ih_l0.detach()

    def start(self, rows):
        """States before the first step: (h,), or (h, c) of an LSTM."""
        zeros = self.W.new_zeros(rows, self.W.shape[1])
        return (zeros, zeros) if self.cell == "lstm" else (zeros,)

    def step(self, given, states):
        """The states after a step, and the recurrent pre-activation that errors are read at."""
        z = torch.addmm(self.b, states[0], self.W.T)
        z.requires_grad_() if z.is_leaf else z.retain_grad()
        if self.cell == "tanh":
            return (torch.tanh(given + z),), z
        if self.cell == "gru":
            (r, u, n), (r_in, u_in, n_in) = z.chunk(3, 1), given.chunk(3, 1)
            r, u = torch.sigmoid(r + r_in), torch.sigmoid(u + u_in)
            n = torch.tanh(n_in + r * n)
            return (n + u * (states[0] - n),), z
        i, f, g, o = (given + z).chunk(4, 1)
        c = torch.sigmoid(f) * states[1] + torch.sigmoid(i) * torch.tanh(g)
        return (torch.sigmoid(o) * torch.tanh(c), c), z

    def unroll(self):
        """Recurrent pre-activations with gradients, and the states h from h_0 on."""
        P = self.projection()
        states = self.start(P.shape[1])
        hs, zs = [states[0]], []
        for p in P:
            states, z = self.step(p, states)
            zs.append(z)
            hs.append(states[0])
        return zs, hs

    def loss(self, h, y):
        logits = functional.linear(h, self.V, self.c)
        return functional.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none").view(y.shape)


def per_loss(net: TorchNet, K: int):
    """One backward per loss, stopping at the window's edge: only the window's pre-activations are asked for."""
    zs, states = net.unroll()
    T, B = net.y.shape
    reach = torch.stack([h.detach().norm(dim=1) for h in states[:-1]])
    # a graph of its own for each loss: a backward from one of them touches nothing of the others
    per_step = [net.loss(h[None], y[None]).sum() for h, y in zip(states[1:], net.y, strict=True)]
    whole = torch.stack(torch.autograd.grad(sum(per_step), zs, retain_graph=True))
    norm, kept = whole.new_zeros(T, K, B), torch.zeros_like(whole)
    for t in range(T):
        first = max(0, t - K + 1)
        for s, d in enumerate(torch.autograd.grad(per_step[t], zs[first : t + 1], retain_graph=True), first):
            norm[s, t - s] = d.norm(dim=1) * reach[s]
            kept[s] += d
    return norm, (whole - kept).norm(dim=2) * reach


def batched_vjp(net: TorchNet, K: int):
    """All losses in one batched vector-Jacobian product (`is_grads_batched`); it cannot stop at a window."""
    zs, states = net.unroll()
    T, B = net.y.shape
    reach = torch.stack([h.detach().norm(dim=1) for h in states[:-1]])
    seeds = torch.eye(T, dtype=reach.dtype, device=reach.device)
    per_step = net.loss(torch.stack(states[1:]), net.y).sum(dim=1)
    d = torch.stack(torch.autograd.grad(per_step, zs, seeds, is_grads_batched=True), dim=1)  # (t, s, B, H)
    norm, kept = d.new_zeros(T, K, B), torch.zeros_like(d[0])
    for k in range(K):
        diagonal = d.diagonal(-k).permute(2, 0, 1)  # (s, B, H) with t = s + k
        norm[: T - k, k] = diagonal.norm(dim=2) * reach[: T - k]
        kept[: T - k] += diagonal
    return norm, (d.sum(dim=0) - kept).norm(dim=2) * reach


def windows(net: TorchNet, K: int):
    """All windows of K steps side by side, each from its own detached state: one forward and backward of K steps."""
    P = net.projection()
    T, B, _ = P.shape
    with torch.no_grad():
        before, states = [], net.start(B)
        for p in P:
            before.append(states)
            states = net.step(p, states)[0]
    rows = tuple(torch.cat([each[i] for each in before[: T - K + 1]]) for i in range(len(states)))
    zs = []
    # rows: at first where the full windows start; then windows of the losses t = i..T-1, at their step s = t - i
    for i in range(K - 1, -1, -1):
        if i < K - 1:  # the window of loss t = i starts at the sequence's own start
            rows = tuple(torch.cat([first, row]) for first, row in zip(before[0], rows, strict=True))
        rows, z = net.step(P[: T - i].flatten(0, 1), rows)
        zs.append(z)
    loss = net.loss(rows[0].view(T, B, -1), net.y)
    grads = torch.autograd.grad(loss.sum(), zs)[::-1]  # lag k = offset: (T - k) * B rows
    leaves, states = net.unroll()
    whole = torch.stack(torch.autograd.grad(net.loss(torch.stack(states[1:]), net.y).sum(), leaves))
    reach = torch.stack([h.detach().norm(dim=1) for h in states[:-1]])
    norm = P.new_zeros(T, K, B)
    for k, d in enumerate(grads):
        d = d.view(T - k, B, -1)
        norm[: T - k, k] = d.norm(dim=2) * reach[: T - k]
        whole[: T - k] -= d
    return norm, whole.norm(dim=2) * reach


OURS_IN_TORCH = "windows side by side"  # this library's idea
WAYS = {"one backward per loss": per_loss, "batched VJP": batched_vjp, OURS_IN_TORCH: windows}
BIG = 2**27  # numbers in the batched product's result, (losses, steps, sequences, gates * units); more is left out


def ways_for(net: TorchNet, K: int):
    """The ways that fit into memory: the batched product holds the errors of every loss at every step."""
    T, B = net.y.shape
    few = T * T * B * len(net.W) < BIG
    return {name: partial(way, net, K) for name, way in WAYS.items() if few or way is not batched_vjp}
