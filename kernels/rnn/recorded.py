"""One recorded batch, and the few numbers that an overview holds of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import as_numpy
from ..jit import jit
from .flow import Flow, mean_lag
from .items import valid_cells
from .planes import STATES
from .unroll import Run

TOP = 3  # most probable symbols kept per step


@dataclass(frozen=True)
class RecordedBatch:
    """One recorded batch: T steps, K lags, B sequences.

    Floats are float32; beyond and the shares hold 16 significant bits of them, probabilities are float16. So do the
    norms of every view but the recording's main one, whose norms are whole. What a recording from a foreign training
    loop does not know is None, and nan among the losses.
    """

    number: int  # place in the recording
    step: int  # training step
    position: int  # first character of sequence 0 in the corpus; -1 where there is none
    norm: np.ndarray  # (T, K, B)
    lags: np.ndarray  # (K,) how many steps ahead of the state step each loss lies
    beyond: np.ndarray  # (T, B)
    share: np.ndarray  # (T, K, B)
    share_beyond: np.ndarray  # (T, B)
    loss: np.ndarray  # (T, B) nats
    state: Any  # (L*D, B, H) hidden state the batch started from; of an LSTM a pair (h, c) of such arrays
    inputs: np.ndarray | None = None  # (T, B) tokens
    targets: np.ndarray | None = None  # (T, B) tokens; nothing where the loss is nan
    top: np.ndarray | None = None  # (T, B, 3) tokens, most probable first (fewer where the vocabulary is smaller)
    top_probability: np.ndarray | None = None  # (T, B, 3)
    mask: np.ndarray | None = None  # (T, B) bool: False where a step is padding; None where none is
    parameter: str = ""  # what was itemized: "weight_hh_l0"
    gate: str | None = None  # and of which gate alone

    @property
    def predicted(self) -> np.ndarray | None:
        """(T, B) tokens: the most probable symbol per step."""
        return None if self.top is None else self.top[:, :, 0]

    @property
    def valid(self) -> np.ndarray:
        """(T, K) bool: False where the loss would lie before the start or past the end of the batch."""
        return valid_cells(len(self.norm), self.lags)

    @property
    def total(self) -> float:
        """||G||^2, the squared norm of the whole gradient: what the shares add up to."""
        return float(self.share.sum(dtype=np.float64) + self.share_beyond.sum(dtype=np.float64))

    @property
    def max_cell(self) -> float:
        """The largest itemized gradient of the batch."""
        return float(self.norm.max())


def batch_arrays(run: Run, flow: Flow, state: Any) -> dict[str, np.ndarray]:
    """What is kept of a batch of tokens with a target per step."""
    top, probability = most_probable(as_numpy(run.p))
    states = state if isinstance(state, tuple) else (state,)
    return {
        "inputs": as_numpy(run.x),
        "targets": as_numpy(run.y),
        "top": top,
        "top_probability": probability,
        "loss": as_numpy(run.loss),
        "norm": as_numpy(flow.norm),
        "beyond": as_numpy(flow.beyond),
        "share": as_numpy(flow.share),
        "share_beyond": as_numpy(flow.share_beyond),
        **{name: as_numpy(part) for name, part in zip(STATES, states, strict=False)},
    }


def most_probable(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tokens and probabilities (T, B, TOP), most probable first."""
    shape = (*p.shape[:2], min(TOP, p.shape[2]))
    tokens, probability = np.empty(shape, np.intp), np.empty(shape, p.dtype)
    _most_probable_loop(p, tokens, probability)
    return tokens, probability


@jit
def _most_probable_loop(p, tokens, probability):
    """One pass per row; a symbol that comes first in the vocabulary wins a tie."""
    count = tokens.shape[2]
    for t in range(p.shape[0]):
        for b in range(p.shape[1]):
            best, chosen = probability[t, b], tokens[t, b]
            best[:] = -1
            for v in range(p.shape[2]):
                if p[t, b, v] <= best[count - 1]:
                    continue
                place = count - 1
                while place > 0 and p[t, b, v] > best[place - 1]:
                    best[place], chosen[place] = best[place - 1], chosen[place - 1]
                    place -= 1
                best[place], chosen[place] = p[t, b, v], v


def overview_numbers(arrays: dict[str, np.ndarray], lags: np.ndarray) -> list[list[float]]:
    """loss, max_gradient, mean_lag, correct of every batch (the first axis); nan where it is not known."""
    count = len(arrays["loss"])
    norm = arrays["norm"].astype(np.float64)
    far = 1 if "mask" not in arrays else within(arrays["mask"], lags)[:, :, None]
    columns = (
        _known_mean(arrays["loss"].reshape(count, -1)),
        norm.sum(axis=2).reshape(count, -1).max(axis=1),
        mean_lag(norm * far, lags),
        _known_mean(_right(arrays).reshape(count, -1)),
    )
    return [column.tolist() for column in columns]


def within(mask: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """(count, T, B) bool: whether a step's nearest and farthest losses lie within its sequence, not in padding."""
    found = np.zeros(mask.shape, bool)
    first, last, T = max(-int(lags.min()), 0), max(int(lags.max()), 0), mask.shape[1]
    if first + last < T:
        real = mask != 0
        found[:, first : T - last] = real[:, : T - first - last] & real[:, first + last :]
    return found


def _right(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """(count, T, B): 1 where the most probable symbol is the target, nan where there is nothing to compare."""
    if "top" not in arrays or "targets" not in arrays:
        return np.full(arrays["loss"].shape, np.nan)
    right = arrays["top"][..., 0] == arrays["targets"]
    return np.where(np.isnan(arrays["loss"]), np.nan, right)


def _known_mean(values: np.ndarray) -> np.ndarray:
    """Mean of each row over what is not nan; nan where everything is."""
    known = ~np.isnan(values)
    if known.all():
        return values.mean(axis=1, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0).sum(axis=1, dtype=np.float64) / known.sum(axis=1)
