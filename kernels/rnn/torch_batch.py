"""What is recorded of a pass of a PyTorch model beside its gradients: tokens, targets, predictions, losses; and padding
to the one shape that all batches of a recording have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .inside import Inside
from .planes import STATES
from .recorded import TOP
from .torch_parts import host
from .torch_pass import Pass, is_packed


def known_of(seen: Pass, targets: Any, scores: Any, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Arrays (T, B, ...) of what is known: inputs, targets, top, top_probability, loss.

    sizes: out: "inputs" and "targets", the numbers of symbols, where they are known.
    """
    shape, found = seen.shape, {}
    tokens = _tokens(seen, sizes)
    if tokens is not None:
        found["inputs"] = tokens
    scores = seen.scores if scores is None else scores
    wanted = None if targets is None else _integers(targets)
    y = None if wanted is None else shape.in_time(wanted)
    known = None if scores is None or (not is_packed(scores) and scores.ndim < 2) else shape.arranged(scores, 1)
    loss = np.full((shape.steps, shape.sequences), np.nan)
    if y is None and wanted is not None:
        _loss_at_end(seen, scores, wanted, loss)
    if known is not None and _are_scores(known, y, sizes):
        sizes["targets"] = known.shape[2]
        found["top"], found["top_probability"], each = _read_scores(known, y)
        if y is not None:
            asked = (y >= 0) & _present(seen)
            loss[asked] = each[asked]
    if y is not None:
        found["targets"] = np.maximum(y, 0)
    return {**found, "loss": loss}


def _tokens(seen: Pass, sizes: dict[str, int]) -> np.ndarray | None:
    """(T, B) what the embedding was given, or the places of the ones of one-hot inputs."""
    if seen.tokens is not None:
        tokens, sizes["inputs"] = seen.tokens
        return seen.shape.in_time(tokens)
    x = seen.inputs
    if x.shape[2] < 2 or not x.any() or not np.isin(x, (0, 1)).all() or (x.sum(axis=2) > 1).any():
        return None
    sizes["inputs"] = x.shape[2]
    return x.argmax(axis=2)


def _integers(targets: Any) -> Any:
    """Targets as a tensor of integers; None where they are something else."""
    import torch

    if is_packed(targets):
        return targets if not targets.data.is_floating_point() else None
    targets = torch.as_tensor(targets)
    return None if targets.is_floating_point() or targets.is_complex() or targets.ndim == 0 else targets


def _are_scores(scores: Any, y: np.ndarray | None, sizes: Mapping[str, int]) -> bool:
    """Whether there is one score per symbol, as far as it can be told."""
    if scores.shape[-1] < 2 or not bool(scores.isfinite().all()):
        return False
    return int(y.max()) < scores.shape[-1] if y is not None else scores.shape[-1] == sizes.get("inputs")


def _loss_at_end(seen: Pass, scores: Any, wanted: Any, loss: np.ndarray) -> None:
    """One target per sequence: its loss at the sequence's last step."""
    T, B = loss.shape
    if is_packed(wanted) or tuple(wanted.shape) != (B,) or scores is None or is_packed(scores):
        return
    y = host(wanted)
    if scores.ndim != 2 or len(scores) != B or y.min() < 0 or not _are_scores(scores, y, {}):
        return
    last = np.full(B, T) if seen.shape.length is None else seen.shape.length
    loss[last - 1, np.arange(B)] = _read_scores(scores.detach()[None], y[None])[2][0]


def _present(seen: Pass) -> np.ndarray:
    """(T, B) bool: False where a step is padding."""
    shape = seen.shape
    length = np.full(shape.sequences, shape.steps) if shape.length is None else shape.length
    return np.arange(shape.steps)[:, None] < length


def _read_scores(scores: Any, y: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Most probable symbols and their probabilities (T, B, 3), and the cross entropy of the targets (T, B) in nats.

    scores: (T, B, V), worked on where they are: there may be very many symbols.
    """
    import torch

    scores = scores.float() if scores.element_size() < 4 else scores
    if bool((scores >= 0).all()) and bool(((scores.sum(-1) - 1).abs() < 1e-2).all()):
        scores = scores.log()  # probabilities already
    whole = scores.logsumexp(-1)
    best, top = scores.topk(min(TOP, scores.shape[-1]), -1)
    at = torch.as_tensor(np.zeros(whole.shape, np.int64) if y is None else np.maximum(y, 0), device=scores.device)
    loss = whole - scores.gather(-1, at.long()[..., None])[..., 0]
    return host(top), host((best - whole[..., None]).exp()), host(loss)


# --- one shape for all


def filled(
    arrays: Mapping[str, np.ndarray], seen: Pass, size: tuple[int, int], lags: np.ndarray, wanted: np.ndarray
) -> dict[str, np.ndarray]:
    """The arrays of a batch, padded to (steps, sequences) and the wanted lags; and the mask of what is not padding."""
    T, B = size
    mask = np.zeros((T, B), bool)
    mask[: seen.shape.steps, : seen.shape.sequences] = _present(seen)
    found = {"mask": mask}
    for name, array in arrays.items():
        if name in STATES:
            found[name] = _padded(array, {1: B})
        elif name in ("norm", "share"):
            found[name] = _padded(_at_lags(array, 1, lags, wanted), {0: T, 2: B})
        else:
            found[name] = _padded(array, {0: T, 1: B}, np.nan if name == "loss" else 0)
    found["loss"][~mask] = np.nan
    return found


def filled_inside(insides: Sequence[Inside], size: tuple[int, int], lags: Sequence[np.ndarray]) -> list[Inside]:
    """The same for every strand; lags: per strand those of the recording."""
    (T, B), found = size, []
    for inside, wanted in zip(insides, lags, strict=True):
        found.append(
            replace(
                inside,
                lags=wanted,
                norm=_padded(_at_lags(inside.norm, 2, inside.lags, wanted), {1: T, 3: B}),
                beyond=_padded(inside.beyond, {1: T, 2: B}),
                reach=_padded(inside.reach, {1: T, 2: B}),
                share=_padded(_at_lags(inside.share, 3, inside.lags, wanted), {2: T, 4: B}),
                share_beyond=_padded(inside.share_beyond, {2: T, 3: B}),
            )
        )
    return found


def _at_lags(array: np.ndarray, axis: int, lags: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Columns at their lags among the wanted ones; zeros where the batch is too short for a lag."""
    if len(lags) == len(wanted):
        return array
    shape = list(array.shape)
    shape[axis] = len(wanted)
    out = np.zeros(shape, array.dtype)
    places = [int(np.flatnonzero(wanted == lag)[0]) for lag in lags]
    np.moveaxis(out, axis, 0)[places] = np.moveaxis(array, axis, 0)
    return out


def _padded(array: np.ndarray, sizes: Mapping[int, int], value: float = 0) -> np.ndarray:
    """The array with its axes made as long as `sizes` says, by `value` at their ends."""
    widths = [(0, sizes.get(axis, n) - n) for axis, n in enumerate(array.shape)]
    if not any(after for _, after in widths):
        return array
    array = array.astype(np.float64) if np.isnan(value) else array
    return np.pad(array, widths, constant_values=value)
