"""The published net: a branch per attribute, codes joined by a regressor; any such net from its JSON description.

In view v the answer of bin i is the net's answer to the query with v's filter replaced by bin i alone. Only one code
changes between the bars of a view, so branches run once per query and once per bin, never once per bar.

Legend: B queries, n bins of an attribute, X inputs (B + n, inputs), C codes, U = C W the code's part of the first
hidden layer, H (B, hidden) = sum of all U + bias.

Source: Wang et al., NeuralCubes, arXiv 1808.08983, and its public code (description of layers, losses and recipe).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import array_namespace, as_numpy
from .branch import Branch, dense
from .description import OVER, checked
from .product import ProductNet


@dataclass
class Trace:
    """What a forward pass leaves for the backward pass."""

    masks: Any
    branches: list[Any]  # of Branch.forward
    parts: list[Any]  # U (B + n, hidden)
    hidden: Any  # H (B, hidden)
    layers: list[Any]  # of the regressor, per bar
    base: Any  # (B, bins) independence, or None
    answers: Any


class MLP:
    """A regressor over one code per attribute.

    Parameters
    ----------
    shapes : sequence of (shape, bins)
        Per attribute: the shape of its regular bins and the number of all its bins.
    description : dict
        Branches, regressor, output and losses, as `description.authors` and `description.tuned` give them.
    parameters : dict of arrays
    base : ProductNet, optional
        Independence, for ``output="independence"``: answers are its answers times ``exp(regressor)``; for
        ``output="rows"``, what signed quantities need, times the regressor itself.
    """

    kind = "mlp"
    balanced = False
    signed = False
    chunk = 48  # queries at a time: activations of every bar are held

    def __init__(
        self, shapes: Any, description: dict[str, Any], parameters: dict[str, Any], base: ProductNet | None = None
    ) -> None:
        self.description = checked(description, shapes)
        self.shapes = [(tuple(shape), int(bins)) for shape, bins in shapes]
        self.sizes = tuple(bins for _, bins in self.shapes)
        self.offsets = np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.int64)
        self.keep = np.ones(int(self.offsets[-1]), bool)
        self.parameters = parameters
        self.base = base
        self.branches = [
            Branch(f"branch{a}", shape, bins, branch)
            for a, ((shape, bins), branch) in enumerate(zip(self.shapes, self.description["branches"], strict=True))
        ]
        self.splits = np.random.default_rng(0)  # of the additivity regulariser

    @classmethod
    def initial(
        cls, shapes: Any, description: dict[str, Any], rng: np.random.Generator, base: ProductNet | None = None
    ) -> MLP:
        """Weights after Glorot and Bengio (2010), biases 0; over independence the net starts at its answers."""
        net = cls(shapes, description, {}, base)
        for branch in net.branches:
            net.parameters.update(branch.initial(rng))
        hidden = net.description["regressor"]
        for a, branch in enumerate(net.branches):
            limit = np.sqrt(6 / (sum(b.code for b in net.branches) + hidden[0]))
            net.parameters[f"join{a}"] = rng.uniform(-limit, limit, (branch.code, hidden[0])).astype(np.float32)
        net.parameters["join/b"] = np.zeros(hidden[0], np.float32)
        for k, (n_in, n_out) in enumerate(zip(hidden, [*hidden[1:], 1], strict=True)):
            net.parameters.update(dense(f"regressor{k}", n_in, n_out, rng))
        if base is not None:
            net.parameters[f"regressor{len(hidden) - 1}/W"][:] = 0
        return net

    @property
    def floats(self) -> int:
        """Numbers needed to answer: encoders up to the layer that is read, regressor, independence."""
        names = {name for branch in self.branches for name in branch.names(read_only=True)}
        names |= {name for name in self.parameters if name.startswith(("join", "regressor"))}
        return sum(self.parameters[name].size for name in names) + (self.base.floats if self.base else 0)

    def compress(self, array: Any) -> Any:
        """Masks or answers in the net's device and dtype; all bins are kept."""
        some = self.parameters["join/b"]
        return array_namespace(some).asarray(np.asarray(array), dtype=some.dtype)

    def check(self, masks: np.ndarray) -> None:
        """ValueError where a net that reads a map by its marginals is asked for anything but boxes."""
        for branch, part in zip(self.branches, self.views(masks), strict=True):
            branch.check(part)

    def expand(self, answers: Any) -> np.ndarray:
        """Answers (n, bins) in host memory, float64."""
        return as_numpy(answers).astype(np.float64)

    def views(self, array: Any) -> list[Any]:
        """Columns of each attribute."""
        return [array[:, start:stop] for start, stop in zip(self.offsets[:-1], self.offsets[1:], strict=True)]

    def forward(self, masks: Any) -> tuple[Any, Trace]:
        """Every bar of every view: masks (B, bins), soft or hard -> answers (B, bins), and what backward needs."""
        xp, B = array_namespace(masks), len(masks)
        pairs = zip(self.branches, self.views(masks), strict=True)
        traces = [branch.forward(self.parameters, m, bins=True) for branch, m in pairs]
        U = [trace.code @ self.parameters[f"join{a}"] for a, trace in enumerate(traces)]
        H = sum(u[:B] for u in U) + self.parameters["join/b"]
        bars = xp.empty((B, masks.shape[1], H.shape[1]), H.dtype)  # first hidden layer of every bar
        for u, part in zip(U, self._slices(), strict=True):
            xp.add((H - u[:B])[:, None], u[None, B:], out=bars[:, part])
        g, layers = self._regress(bars)
        base = self._base(masks)
        answers = g if base is None else base * self._link(g)[0]
        return answers, Trace(masks, traces, U, H, layers, base, answers)

    def backward(self, trace: Trace, d_answers: Any) -> dict[str, Any]:
        """Gradients of the parameters from that of the answers (B, bins)."""
        grads, dU = self._to_parts(trace, d_answers)
        for a, (branch, each, d) in enumerate(zip(self.branches, trace.branches, dU, strict=True)):
            grads[f"join{a}"] = each.code.T @ d
            grads.update(branch.backward(self.parameters, each, d @ self.parameters[f"join{a}"].T)[0])
        return grads

    def masks_gradient(self, trace: Trace, d_answers: Any) -> Any:
        """Gradient of the masks (B, bins) from that of the answers."""
        _, dU = self._to_parts(trace, d_answers)
        return self._to_masks(trace, dU, self._d_base(trace.masks, trace, d_answers))

    def totals(self, trace: Trace) -> Any:
        """Totals (B,) under all filters."""
        g, _ = self._regress(trace.hidden.copy())
        return g if trace.base is None else self._base_totals(trace.masks) * self._link(g)[0]

    def totals_masks_gradient(self, trace: Trace, answers: Any, d_totals: Any) -> Any:
        """Gradient of the masks (B, bins) from that of the totals (B,)."""
        xp, B = array_namespace(d_totals), len(d_totals)
        g, layers = self._regress(trace.hidden.copy())
        dg, d_masks = d_totals, None
        if trace.base is not None:
            factor, slope = self._link(g)
            dg = d_totals * self._base_totals(trace.masks) * slope
            d_masks = self._base(trace.masks) * (d_totals * factor)[:, None]
        _, dH = self._regress_back(layers, dg)
        dU = [xp.concatenate([dH, xp.zeros((len(u) - B, dH.shape[1]), dH.dtype)]) for u in trace.parts]
        return self._to_masks(trace, dU, d_masks)

    def loss(self, masks: Any, answers: Any, weight: float) -> tuple[float, dict[str, Any]]:
        """The weighted sum of the description's losses, and its gradients.

        Means are over bars (l1, mse), over bars and inputs (autoencoder) and over queries (additivity). With
        ``relative`` answers are first divided by their mean size: `weight` is 1 / (mean summed answer of a query).
        """
        xp, loss = array_namespace(masks), self.description["loss"]
        found, trace = self.forward(masks)
        unit = weight * answers.shape[1] if loss["relative"] else 1.0
        error = (found - answers) * unit
        value = loss["l1"] * float(xp.abs(error).mean()) + loss["mse"] * float((error * error).mean())
        d = (loss["l1"] * xp.sign(error) + 2 * loss["mse"] * error) * (unit / error.size)
        for branch, each in zip(self.branches, trace.branches, strict=True):
            if loss["autoencoder"]:
                value += branch.reconstruction(self.parameters, each, masks.shape[1], loss["autoencoder"])
        grads = self.backward(trace, d)
        if loss["additivity"]:
            value += self._additivity(masks, answers, unit, loss["additivity"], grads)
        return value, grads

    def codes(self, a: int, masks: Any) -> np.ndarray:
        """The narrowest layer's output (n, 2) of attribute number `a` for masks (n, n_a): the authors' projection."""
        branch = self.branches[a]
        return as_numpy(branch.narrowest(self.parameters, self.compress(masks)))

    def _slices(self) -> list[slice]:
        return [slice(start, stop) for start, stop in zip(self.offsets[:-1], self.offsets[1:], strict=True)]

    def _regress(self, pre: Any) -> tuple[Any, list[Any]]:
        """First hidden layer before its relu (..., hidden) -> outputs (...), activations; `pre` is overwritten."""
        xp = array_namespace(pre)
        layers = [xp.maximum(pre, 0, out=pre)]
        last = len(self.description["regressor"]) - 1
        for k in range(last + 1):
            pre = layers[-1] @ self.parameters[f"regressor{k}/W"] + self.parameters[f"regressor{k}/b"]
            layers.append(pre if k == last else xp.maximum(pre, 0, out=pre))
        return layers[-1][..., 0], layers

    def _regress_back(self, layers: list[Any], dg: Any) -> tuple[dict[str, Any], Any]:
        """Gradients of the regressor, and of the first hidden layer before its relu."""
        grads: dict[str, Any] = {}
        d = dg[..., None]
        for k in range(len(layers) - 2, -1, -1):
            x = layers[k]
            flat, into = x.reshape(-1, x.shape[-1]), d.reshape(-1, d.shape[-1])
            grads[f"regressor{k}/W"], grads[f"regressor{k}/b"] = flat.T @ into, into.sum(0)
            d = (
                d @ self.parameters[f"regressor{k}/W"].T
                if d.shape[-1] > 1
                else d * self.parameters[f"regressor{k}/W"][:, 0]
            )
            d *= x > 0
        return grads, d

    def _to_parts(self, trace: Trace, d_answers: Any) -> tuple[dict[str, Any], list[Any]]:
        """Regressor gradients and dU (B + n, hidden) per attribute."""
        xp = array_namespace(d_answers)
        dg = d_answers if trace.base is None else d_answers * trace.base * self._link(trace.layers[-1][..., 0])[1]
        grads, d = self._regress_back(trace.layers, dg)
        per_view = [d[:, part].sum(1) for part in self._slices()]  # (B, hidden)
        dH = sum(per_view)
        grads["join/b"] = dH.sum(0)
        dU = [xp.concatenate([dH - own, d[:, part].sum(0)]) for own, part in zip(per_view, self._slices(), strict=True)]
        return grads, dU

    def _to_masks(self, trace: Trace, dU: list[Any], d_masks: Any) -> Any:
        xp, B = array_namespace(dU[0]), len(trace.masks)
        parts = []
        for a, (branch, each, d) in enumerate(zip(self.branches, trace.branches, dU, strict=True)):
            dX = branch.backward(self.parameters, each, d @ self.parameters[f"join{a}"].T)[1]
            parts.append(branch.to_masks(dX[:B], each.masks))
        out = xp.concatenate(parts, 1)
        return out if d_masks is None else out + d_masks

    def _link(self, g: Any) -> tuple[Any, Any]:
        """What independence is multiplied by, and its slope: exp(g), or for signed quantities, per row, g itself."""
        xp = array_namespace(g)
        factor = g if self.description["output"] == "rows" else xp.exp(g)
        return factor, xp.ones_like(g) if factor is g else factor

    def _base(self, masks: Any) -> Any:
        if self.base is None:
            return None
        xp = array_namespace(masks)
        answers, _ = self.base.forward(self.base.compress(as_numpy(masks)))
        return xp.asarray(self.base.expand(answers), dtype=masks.dtype)

    def _base_totals(self, masks: Any) -> Any:
        base = self.base
        assert base is not None
        _, trace = base.forward(base.compress(as_numpy(masks)))
        return array_namespace(masks).asarray(as_numpy(base.totals(trace)), dtype=masks.dtype)

    def _d_base(self, masks: Any, trace: Trace, d_answers: Any) -> Any:
        if self.base is None:
            return None
        xp, base = array_namespace(masks), self.base
        _, under = base.forward(base.compress(as_numpy(masks)))
        ratio = self._link(trace.layers[-1][..., 0])[0]
        gradient = base.masks_gradient(under, base.compress(as_numpy(d_answers * ratio)))
        return xp.asarray(base.expand(gradient), dtype=masks.dtype)

    def _additivity(self, masks: Any, answers: Any, unit: float, strength: float, grads: dict[str, Any]) -> float:
        """(f(a) + f(b) - y(a or b))^2, mean over queries, each cut in two along one attribute; adds to `grads`."""
        xp, B = array_namespace(masks), len(masks)
        halves = xp.concatenate(self._cut(masks))  # (2 B, bins)
        traces = [
            b.forward(self.parameters, m, bins=False) for b, m in zip(self.branches, self.views(halves), strict=True)
        ]
        H = sum(t.code @ self.parameters[f"join{a}"] for a, t in enumerate(traces)) + self.parameters["join/b"]
        g, layers = self._regress(H)
        base = None if self.base is None else self._base_totals(halves)
        factor, slope = self._link(g)
        found = g if base is None else base * factor
        truth = (answers[:, : self.sizes[0]] * masks[:, : self.sizes[0]]).sum(1)
        miss = (found[:B] + found[B:] - truth) * unit
        d = xp.concatenate([miss, miss]) * (2 * strength * unit / B)
        more, dH = self._regress_back(layers, d if base is None else d * base * slope)
        more["join/b"] = dH.sum(0)
        for a, (branch, t) in enumerate(zip(self.branches, traces, strict=True)):
            more[f"join{a}"] = t.code.T @ dH
            more.update(branch.backward(self.parameters, t, dH @ self.parameters[f"join{a}"].T)[0])
        for name, gradient in more.items():
            grads[name] = grads[name] + gradient
        return strength * float((miss * miss).mean())

    def _cut(self, masks: Any) -> tuple[Any, Any]:
        """Every query in two, along a random attribute at a random place (a map along x)."""
        left, right = as_numpy(masks).copy(), as_numpy(masks).copy()
        for b in range(len(left)):
            a = int(self.splits.integers(len(self.shapes)))
            shape, start = self.shapes[a][0], int(self.offsets[a])
            rows = int(np.prod(shape[1:]))
            cut = start + int(self.splits.integers(1, max(2, shape[0]))) * rows
            left[b, cut : self.offsets[a + 1]] = 0
            right[b, start:cut] = 0
        xp = array_namespace(masks)
        return xp.asarray(left), xp.asarray(right)

    def arrays(self) -> dict[str, np.ndarray]:
        """Parameters (and independence) as arrays for a file."""
        out = {name.replace("/", "."): as_numpy(array).astype(np.float32) for name, array in self.parameters.items()}
        if self.base is not None:
            out.update({f"base.{name}": array for name, array in self.base.arrays().items()})
        return out

    @classmethod
    def from_arrays(cls, shapes: Any, description: dict[str, Any], arrays: dict[str, np.ndarray]) -> MLP:
        """The net that `arrays` came from; ValueError if an array is missing or of another shape."""
        of_base = {name.removeprefix("base."): array for name, array in arrays.items() if name.startswith("base.")}
        base = ProductNet.from_arrays([bins for _, bins in shapes], of_base) if of_base else None
        net = cls(shapes, description, {}, base)
        if (net.description["output"] in OVER) != (base is not None):
            raise ValueError("independence is missing, or not wanted")
        for name, shape in net._parameter_shapes().items():
            found = arrays.get(name.replace("/", "."))
            if found is None or found.shape != shape or found.dtype.kind != "f" or not np.isfinite(found).all():
                raise ValueError(f"the array {name} {shape} of finite numbers is missing, or another one")
            net.parameters[name] = found.astype(np.float32)
        return net

    def _parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        hidden = self.description["regressor"]
        out = {name: shape for branch in self.branches for name, shape in branch.shapes().items()}
        out |= {f"join{a}": (branch.code, hidden[0]) for a, branch in enumerate(self.branches)}
        out["join/b"] = (hidden[0],)
        for k, (n_in, n_out) in enumerate(zip(hidden, [*hidden[1:], 1], strict=True)):
            out |= {f"regressor{k}/W": (n_in, n_out), f"regressor{k}/b": (n_out,)}
        return out

    def halved(self) -> None:
        """Nothing: files hold float32."""

    def silence(self) -> None:
        """Have the regressor answer 0, whatever it is asked."""
        last = f"regressor{len(self.description['regressor']) - 1}"
        self.parameters[f"{last}/W"][...] = 0
        self.parameters[f"{last}/b"][...] = 0
