"""The same numbers as `rnn.itemize` (norms of the kept lags, and beyond) by PyTorch's autograd, every way that works.

Each function takes a `TorchNet` and returns (norm (T, K, B), beyond (T, B)). They differ in how autograd is asked:
one backward per loss; all losses in one batched vector-Jacobian product; or all windows of K steps unrolled side by
side, so that one ordinary backward serves every loss at once.
"""

from __future__ import annotations

import torch
from torch.nn import functional


class TorchNet:
    """`torch.nn.RNN` and `torch.nn.Linear` with the weights of a RecurrentNet, and one batch."""

    def __init__(self, net, x, y):
        state = {k: torch.from_numpy(v) for k, v in net.state_dict().items()}
        self.rnn = torch.nn.RNN(net.inputs, net.hidden, nonlinearity=net.cell.name)
        self.decoder = torch.nn.Linear(net.hidden, net.outputs)
        self.rnn.load_state_dict({k: v for k, v in state.items() if not k.startswith("decoder")})
        self.decoder.load_state_dict({k.split(".")[1]: v for k, v in state.items() if k.startswith("decoder")})
        self.rnn.to(state["weight_hh_l0"].dtype)
        self.decoder.to(state["weight_hh_l0"].dtype)
        self.parameters = [*self.rnn.parameters(), *self.decoder.parameters()]
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y)
        self.one_hot = functional.one_hot(self.x, net.inputs).to(state["weight_hh_l0"].dtype)
        self.W = self.rnn.weight_hh_l0.detach()
        self.V, self.c = self.decoder.weight.detach(), self.decoder.bias.detach()

    def training_step(self):
        """Forward and backward of nn.RNN, its own fused path, as a training loop calls it."""
        for p in self.parameters:
            p.grad = None
        h, _ = self.rnn(self.one_hot)
        loss = functional.cross_entropy(self.decoder(h).flatten(0, 1), self.y.flatten(), reduction="sum")
        loss.backward()
        return loss

    def projection(self):
        rnn = self.rnn
        return rnn.weight_ih_l0.detach().T[self.x] + rnn.bias_ih_l0.detach() + rnn.bias_hh_l0.detach()

    def unroll(self):
        """Pre-activations with gradients, and states from h_0 on."""
        P = self.projection()
        h = torch.zeros_like(P[0])
        states, zs = [h], []
        for p in P:
            z = torch.addmm(p, h, self.W.T)
            z.requires_grad_() if z.is_leaf else z.retain_grad()
            h = torch.tanh(z)
            zs.append(z)
            states.append(h)
        return zs, states

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
    norm, kept = torch.zeros(T, K, B, dtype=whole.dtype), torch.zeros_like(whole)
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
    seeds = torch.eye(T, dtype=reach.dtype)
    per_step = net.loss(torch.stack(states[1:]), net.y).sum(dim=1)
    d = torch.stack(torch.autograd.grad(per_step, zs, seeds, is_grads_batched=True), dim=1)  # (t, s, B, H)
    norm, kept = torch.zeros(T, K, B, dtype=d.dtype), torch.zeros_like(d[0])
    for k in range(K):
        diagonal = d.diagonal(-k).permute(2, 0, 1)  # (s, B, H) with t = s + k
        norm[: T - k, k] = diagonal.norm(dim=2) * reach[: T - k]
        kept[: T - k] += diagonal
    return norm, (d.sum(dim=0) - kept).norm(dim=2) * reach


def windows(net: TorchNet, K: int):
    """All windows of K steps side by side, each from its own detached state: one forward and backward of K steps."""
    with torch.no_grad():
        P = net.projection()
        states = [torch.zeros_like(P[0])]
        for p in P:
            states.append(torch.tanh(torch.addmm(p, states[-1], net.W.T)))
        h = torch.stack(states)
    T, B, H = P.shape
    zs = []
    # offset i: rows are the windows of the losses t = i..T-1, at their step s = t - i
    rows = h[: T - K + 1].reshape(-1, H)  # where the full windows start
    for i in range(K - 1, -1, -1):
        if i < K - 1:
            rows = torch.cat([h[0], rows])  # the window of loss t = i starts at the sequence's own start
        z = torch.addmm(P[: T - i].reshape(-1, H), rows, net.W.T)
        if not z.requires_grad:
            z.requires_grad_()
        zs.append(z)
        rows = torch.tanh(z)
    loss = net.loss(rows.view(T, B, H), net.y)
    grads = torch.autograd.grad(loss.sum(), zs)[::-1]  # lag k = offset: (T - k) * B rows
    leaves, states = net.unroll()
    whole = torch.stack(torch.autograd.grad(net.loss(torch.stack(states[1:]), net.y).sum(), leaves))
    reach = h[:-1].norm(dim=2)
    norm = torch.zeros(T, K, B, dtype=P.dtype)
    for k, d in enumerate(grads):
        d = d.view(T - k, B, H)
        norm[: T - k, k] = d.norm(dim=2) * reach[: T - k]
        whole[: T - k] -= d
    return norm, whole.norm(dim=2) * reach


WAYS = {"one backward per loss": per_loss, "batched VJP": batched_vjp, "windows side by side": windows}
