"""What nets are run on: a checked batch of sequences, its padding, and time as a direction sees it.

A direction that runs from the end to the start sees *its own time*: step 0 is where it starts. `turned` goes there and
back. Padding lies behind a sequence's last step in both times, so nothing that counts is ever behind it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import array_namespace
from .net import RecurrentNet


def check_batch(net: RecurrentNet, x: Any, y: Any, state: Any, mask: Any) -> tuple[Any, Any, Any, Any]:
    """The batch as arrays of the net's device and dtype; ValueError says what is wrong with it.

    `state` comes back as a tuple of (L*D, B, H) arrays, one or, for an LSTM, two; y as (T, B) or (B,) tokens, or as
    (T, B, O) or (B, O) floats.
    """
    parts = state if isinstance(state, tuple | list) else (state,)
    xp = array_namespace(net.flat, x, y, *(part for part in (*parts, mask) if part is not None))
    x, y = xp.asarray(x), xp.asarray(y)
    x = _check_input(xp, net, x)
    steps, batch = x.shape[:2]
    y = _check_target(xp, net, y, steps, batch)
    state = _check_state(xp, net, state, batch)
    if mask is not None:
        mask = _check_mask(xp.asarray(mask, net.dtype), steps, batch, at_end(y))
    return x, y, state, mask


def at_end(y: Any) -> bool:
    """Whether there is one target per sequence instead of one per step."""
    return y.ndim == (1 if y.dtype.kind == "i" else 2)


def _check_input(xp: Any, net: RecurrentNet, x: Any) -> Any:
    if x.dtype.kind in "iu":
        if x.ndim != 2:
            raise ValueError(f"x: expected tokens of shape (T, B), got shape {x.shape}")
        x = x.astype(np.intp, copy=False)
    elif x.dtype.kind == "f" and x.ndim == 3:
        if net.embedding or x.shape[2] != net.inputs:
            want = "int tokens (T, B)" if net.embedding else f"floats (T, B, {net.inputs})"
            raise ValueError(f"x: this net takes {want}, got floats {x.shape}")
        x = xp.ascontiguousarray(x, net.dtype)
    else:
        raise ValueError(f"x: expected int tokens (T, B) or floats (T, B, I), got {x.dtype} of shape {x.shape}")
    if 0 in x.shape[:2]:
        raise ValueError(f"x: expected at least one step and one sequence, got shape {x.shape}")
    if x.ndim == 2:
        _check_tokens("x", x, net.inputs)
    return x


def _check_target(xp: Any, net: RecurrentNet, y: Any, steps: int, batch: int) -> Any:
    if y.dtype.kind in "iu" and y.shape in ((steps, batch), (batch,)):
        y = y.astype(np.intp, copy=False)
        _check_tokens("y", y, net.outputs)
        return y
    alone = ((steps, batch), (batch,)) if net.outputs == 1 else ()
    if y.dtype.kind == "f" and y.shape in ((steps, batch, net.outputs), (batch, net.outputs), *alone):
        return xp.ascontiguousarray(y.reshape(*y.shape, 1) if y.shape in alone[:2] else y, net.dtype)
    floats = f"({steps}, {batch}, {net.outputs}) or {(batch, net.outputs)}"
    raise ValueError(
        f"y: expected int tokens of shape {(steps, batch)}, got {y.dtype} of shape {y.shape}; "
        f"({batch},) is one target per sequence, floats of shape {floats} are numbers to predict"
    )


def _check_state(xp: Any, net: RecurrentNet, state: Any, batch: int) -> tuple[Any, ...]:
    shape, count = (len(net.strands), batch, net.hidden), net.cell.states
    if state is None:
        return tuple(xp.zeros(shape, net.dtype) for _ in range(count))
    if count == 2 and not (isinstance(state, tuple | list) and len(state) == 2):
        raise ValueError(f"state: an lstm cell has a pair (h, c), each of shape {shape}; got {_described(state)}")
    parts = tuple(xp.asarray(part) for part in (state if count == 2 else (state,)))
    for part in parts:
        if part.shape != shape and not (shape[0] == 1 and part.shape == shape[1:]):
            raise ValueError(f"state: expected shape {shape}, got {part.shape}")
        if part.dtype.kind not in "fiub":
            raise ValueError(f"state: expected floats, got {part.dtype}")
    return tuple(part.reshape(shape).astype(net.dtype, copy=False) for part in parts)


def _described(state: Any) -> str:
    return f"shape {state.shape}" if hasattr(state, "shape") else type(state).__name__


def _check_mask(mask: Any, steps: int, batch: int, end: bool) -> Any:
    if mask.shape == (steps, batch):
        if end and not bool(((mask != 0)[1:] <= (mask != 0)[:-1]).all()):
            raise ValueError(
                "mask: with one target per sequence it tells steps from padding, which has to come after them; "
                "here a step follows on padding"
            )
        return mask
    if end and mask.shape == (batch,):
        return mask
    raise ValueError(f"mask: expected shape {(steps, batch)}, got {mask.shape}")


def _check_tokens(name: str, tokens: Any, symbols: int) -> None:
    if int(tokens.view(np.uintp).max()) >= symbols:  # below 0 is very large here: one pass instead of two
        low, high = int(tokens.min()), int(tokens.max())
        raise ValueError(f"{name}: expected tokens from 0 to {symbols - 1}, got {low} to {high}")


def lengths(net: RecurrentNet, y: Any, mask: Any, steps: int) -> Any | None:
    """(B,) steps of each sequence without the padding behind it; None where all have all steps.

    Where every step has a loss and all directions run forward, padding needs no care: nothing lies behind it.
    """
    if mask is None or mask.ndim == 1 or not (net.bidirectional or at_end(y)):
        return None
    xp = array_namespace(mask)
    found = ((mask != 0) * xp.arange(1, steps + 1)[:, None]).max(axis=0)
    return None if bool((found == steps).all()) else found


def turned(a: Any, length: Any | None) -> Any:
    """(T, B, ...) with each sequence's steps in reverse order, padding left behind them; turned twice is as before."""
    if length is None:
        return a[::-1]
    xp = array_namespace(a)
    step = xp.arange(len(a))[:, None]
    source = xp.where(step < length, length - 1 - step, step)
    return a[source, xp.arange(a.shape[1])]


def last_of(a: Any, length: Any | None) -> Any:
    """(B, ...): of (T+1, B, ...) states, the one after each sequence's last step."""
    if length is None:
        return a[-1]
    return a[length, array_namespace(a).arange(a.shape[1])]


def of_sequences(batch: tuple[Any, ...], part: slice) -> tuple[Any, ...]:
    """Some sequences of a checked batch: x, y, the parts of the state, and mask."""
    x, y, state, mask = batch
    xp = array_namespace(x)

    def cut(a: Any, first: bool = False) -> Any:
        return None if a is None else xp.ascontiguousarray(a[part] if first else a[:, part])

    return cut(x), cut(y, at_end(y)), tuple(cut(each) for each in state), cut(mask, mask is not None and mask.ndim == 1)
