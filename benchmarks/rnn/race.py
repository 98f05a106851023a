"""`rnn.itemize` and its peers on one net and batch: the same numbers, then their times in turn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from learnviews.kernels import rnn
from learnviews.kernels.arrays import as_numpy

from .contest import ms
from .sizes import Size

OURS, SHARES, GEMM, STEP = "itemize", "with shares", "GEMM", "training step"


def jax_ways(net: Any, x: Any, y: Any, K: int) -> dict[str, Callable[[], Any]]:
    """JAX's ways; none where it is not installed."""
    try:
        from . import jax_peers
    except ImportError:
        return {}
    return jax_peers.ways_for(jax_peers.JaxNet(net, x, y), K)


def peers_of(net: Any, x: Any, y: Any, K: int, jax: bool = True) -> tuple[Any, dict[str, Callable[[], Any]]]:
    """PyTorch's net, and every peer's call by name."""
    from . import torch_peers  # here, because a process whose memory is measured does without PyTorch

    torch_net = torch_peers.TorchNet(net, x, y)
    return torch_net, torch_peers.ways_for(torch_net, K) | (jax_ways(net, x, y, K) if jax else {})


def ours(net: Any, x: Any, y: Any, K: int) -> dict[str, Callable[[], Any]]:
    """Our two calls: norms, beyond and horizon; and signed shares too."""
    return {
        OURS: partial(rnn.itemize, net, x, y, lags=K),
        SHARES: partial(rnn.itemize, net, x, y, lags=K, shares=True),
    }


def check(found: Any, flow: Any, rtol: float = 2e-3) -> None:
    """A peer's norms and beyond are ours, within the error of float32."""
    most = float(flow.norm.max())
    for ours, theirs, atol in zip((flow.norm, flow.beyond), found, (1e-5, 1e-4), strict=True):
        theirs = theirs.cpu() if hasattr(theirs, "cpu") else theirs
        np.testing.assert_allclose(np.asarray(theirs), as_numpy(ours), rtol=rtol, atol=atol * most * rtol / 2e-3)


def best(medians: dict[str, float], names: Any) -> str:
    """The fastest of `names` that was measured."""
    return min((name for name in names if name in medians), key=medians.get)


def beside(medians: dict[str, float], name: str, reference: str = OURS) -> str:
    """A time, and how many times `reference` it is; nothing where it was not measured."""
    if name not in medians:
        return ""
    return f"{ms(medians[name])} ({medians[name] / medians[reference]:.2g}x)"


def label(cell: str, size: Size) -> dict[str, str]:
    """The first columns of every row."""
    return {"cell": cell, "T, B, H, K": str(size)}
