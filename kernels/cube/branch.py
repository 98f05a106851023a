"""One branch of the published net: dense layers from an attribute's mask to a code, and back as an autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import array_namespace


@dataclass
class BranchTrace:
    """What a forward pass leaves for the backward pass."""

    masks: Any  # (B, n)
    layers: list[Any]  # inputs, then every computed layer's output
    code: Any  # the layer that the regressor reads
    d_output: Any = None  # of the autoencoder, once its loss has been asked for


def dense(name: str, n_in: int, n_out: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Weights uniform in +-sqrt(6 / (n_in + n_out)) (Glorot and Bengio 2010), biases 0."""
    limit = np.sqrt(6 / (n_in + n_out))
    return {
        f"{name}/W": rng.uniform(-limit, limit, (n_in, n_out)).astype(np.float32),
        f"{name}/b": np.zeros(n_out, np.float32),
    }


class Branch:
    """Encoder and decoder of one attribute; hidden layers are relu, the decoder's output is a sigmoid.

    Parameters
    ----------
    name : str
        Prefix of its parameters.
    shape, bins
        Shape of the regular bins, number of all bins.
    description : dict
        ``inputs``: "bins" (one per bin) or "axes" (a map as its two marginals, boxes only); ``encoder``: widths, the
        last one the code; ``read``: how many encoder layers the regressor's input has passed; ``decoder``: widths
        between the code and the output.
    """

    def __init__(self, name: str, shape: tuple[int, ...], bins: int, description: dict[str, Any]) -> None:
        self.name, self.shape, self.bins = name, shape, bins
        self.axes = description["inputs"] == "axes" and len(shape) == 2
        self.inputs = sum(shape) + bins - int(np.prod(shape)) if self.axes else bins
        self.encoder, self.read = list(description["encoder"]), int(description["read"])
        self.decoder = list(description["decoder"])
        self.widths = [self.inputs, *self.encoder, *self.decoder, self.inputs]
        self.code = self.encoder[self.read - 1]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the parameters by name."""
        pairs = zip(self.widths[:-1], self.widths[1:], strict=True)
        every = {f"{self.name}.{k}": pair for k, pair in enumerate(pairs)}
        shapes = {f"{name}/{part}": pair if part == "W" else pair[1:] for name, pair in every.items() for part in "Wb"}
        return {name: shapes[name] for name in self.names()}

    def initial(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        out: dict[str, np.ndarray] = {}
        depth = len(self.widths) - 1 if self.decoder else self.read
        for k in range(depth):
            out.update(dense(f"{self.name}.{k}", self.widths[k], self.widths[k + 1], rng))
        return out

    def names(self, read_only: bool = False) -> list[str]:
        """Names of the parameters; those that answering needs with `read_only`."""
        depth = self.read if read_only or not self.decoder else len(self.widths) - 1
        return [f"{self.name}.{k}/{part}" for k in range(depth) for part in "Wb"]

    def forward(self, parameters: dict[str, Any], masks: Any, bins: bool) -> BranchTrace:
        """Codes of masks (B, n), and with `bins` of every bin alone (n further rows)."""
        xp = array_namespace(masks)
        rows = xp.concatenate([masks, xp.eye(self.bins, dtype=masks.dtype)]) if bins else masks
        layers = [self.to_inputs(rows)]
        for k in range(self.read):
            layers.append(self._layer(parameters, k, layers[-1]))
        return BranchTrace(masks, layers, layers[-1])

    def _layer(self, parameters: dict[str, Any], k: int, x: Any) -> Any:
        xp = array_namespace(x)
        pre = x @ parameters[f"{self.name}.{k}/W"] + parameters[f"{self.name}.{k}/b"]
        return pre if k == len(self.widths) - 2 else xp.maximum(pre, 0, out=pre)

    def narrowest(self, parameters: dict[str, Any], masks: Any) -> Any:
        """Output of the encoder's last layer that exists, for masks (n, bins)."""
        x = self.to_inputs(masks)
        for k in range(len(self.encoder) if self.decoder else self.read):
            x = self._layer(parameters, k, x)
        return x

    def reconstruction(self, parameters: dict[str, Any], trace: BranchTrace, bars: int, strength: float) -> float:
        """`strength` times the binary cross entropy of the autoencoder, mean over inputs and over all bars' rows.

        Of the `bars` rows of a query all but n feed this branch the query's own mask, n one bin each. Leaves the
        output's gradient in `trace` for `backward`.
        """
        xp, B = array_namespace(trace.code), len(trace.masks)
        if not self.decoder:
            return 0.0
        for k in range(self.read, len(self.widths) - 1):
            trace.layers.append(self._layer(parameters, k, trace.layers[-1]))
        z, x = trace.layers[-1], trace.layers[0]
        rows = xp.full(len(x), strength / bars / x.shape[1], x.dtype)
        rows[:B] *= (bars - self.bins) / B
        decay = xp.exp(-xp.abs(z))
        each = xp.maximum(z, 0) - z * x + xp.log1p(decay)
        sigmoid = xp.where(z >= 0, 1, decay) / (1 + decay)
        trace.d_output = (sigmoid - x) * rows[:, None]
        return float((each.sum(1) * rows).sum())

    def backward(self, parameters: dict[str, Any], trace: BranchTrace, d_code: Any) -> tuple[dict[str, Any], Any]:
        """Gradients of the parameters, and of the inputs (rows, inputs), from that of the code."""
        grads: dict[str, Any] = {}
        d = d_code
        if trace.d_output is not None:
            d = d + self._down(parameters, trace, trace.d_output, range(len(self.widths) - 2, self.read - 1, -1), grads)
        else:
            xp = array_namespace(d_code)
            grads.update({name: xp.zeros_like(parameters[name]) for name in self.names()[2 * self.read :]})
        return grads, self._down(parameters, trace, d, range(self.read - 1, -1, -1), grads)

    def _down(
        self, parameters: dict[str, Any], trace: BranchTrace, d: Any, depths: range, grads: dict[str, Any]
    ) -> Any:
        """From the gradient after the first of the layers `depths` to that before the last one."""
        for k in depths:
            if k < len(self.widths) - 2:  # relu; the last layer is linear, its sigmoid is part of the loss
                d = d * (trace.layers[k + 1] > 0)
            grads[f"{self.name}.{k}/W"], grads[f"{self.name}.{k}/b"] = trace.layers[k].T @ d, d.sum(0)
            d = d @ parameters[f"{self.name}.{k}/W"].T
        return d

    def to_inputs(self, masks: Any) -> Any:
        """Masks (n, bins) as the branch reads them: as they are, or the marginals of a map (exact for boxes)."""
        if not self.axes:
            return masks
        xp, cells = array_namespace(masks), int(np.prod(self.shape))
        grid = masks[:, :cells].reshape(-1, *self.shape)
        return xp.concatenate([grid.max(2), grid.max(1), masks[:, cells:]], 1)

    def check(self, masks: np.ndarray) -> None:
        """ValueError if the branch reads marginals and a mask (n, bins) is no product of these."""
        if not self.axes:
            return
        grid = masks[:, : int(np.prod(self.shape))].reshape(-1, *self.shape)
        product = grid.max(2)[:, :, None] * grid.max(1)[:, None]
        wrong = np.flatnonzero((product > grid).any((1, 2)))
        if len(wrong):
            number = self.name.removeprefix("branch")
            raise ValueError(
                f"query {wrong[0]}, attribute number {number}: the region is no box; this net reads a map by its "
                f'marginals (inputs "axes"), a net with inputs "bins" answers any region'
            )

    def to_masks(self, d_inputs: Any, masks: Any) -> Any:
        """Gradient of the masks from that of the inputs: a marginal's goes to its largest cell."""
        if not self.axes:
            return d_inputs
        xp, cells, (nx, ny) = array_namespace(masks), int(np.prod(self.shape)), self.shape
        grid = masks[:, :cells].reshape(-1, nx, ny)
        d = xp.zeros_like(grid)
        n, ix, iy = xp.arange(len(grid))[:, None], xp.arange(nx)[None], xp.arange(ny)[None]
        d[n, ix, grid.argmax(2)] += d_inputs[:, :nx]
        d[n, grid.argmax(1), iy] += d_inputs[:, nx : nx + ny]
        return xp.concatenate([d.reshape(-1, cells), d_inputs[:, nx + ny :]], 1)
