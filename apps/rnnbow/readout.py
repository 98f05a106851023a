"""The line of text about a batch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

STYLE = """
:host { font-size: 13px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.tag { background: #08306B; color: white; border-radius: 3px; padding: 1px 7px; margin-right: 6px; }
.tag.preview { background: #56B4E9; color: #08243d; }
.message { background: #fff4e5; border-left: 5px solid #D55E00; padding: 6px 12px; white-space: pre-wrap; }
"""


def describe(batch: Any, recorded: int, mean_lag: float, sequence: int, stream: int | None, previewed: bool) -> str:
    """HTML: number of the batch, characters it was trained on, loss, largest gradient, mean lag; what is known of it.

    Loss, hits and gradient are those of the sequence on show; streams of `stream` characters are read side by side.
    """
    length, sequences = batch.loss.shape
    facts = [f"<b>batch {batch.number:,}</b> of {recorded:,}"]
    facts += [f"sequence {sequence} of {sequences}"] if sequences > 1 else []
    facts += [f"step {batch.step:,}"]
    if stream is not None:
        first = batch.position + sequence * stream
        facts += [f"characters {first:,}–{first + length:,}"]
    facts += _losses(batch, sequence, "character" if stream is not None else "step")
    facts += [f"largest cell gradient <b>{float(batch.norm[:, :, sequence].max()):.3g}</b>"]
    facts += [f"mean lag {mean_lag:.2f}" if math.isfinite(mean_lag) else "no gradient"]
    tag = '<span class="tag preview">preview</span>' if previewed else '<span class="tag">selected</span>'
    return f"{tag} {' · '.join(facts)}"


def _losses(batch: Any, sequence: int, each: str) -> list[str]:
    """Mean loss and hits, over the steps of which they are known."""
    losses = batch.loss[:, sequence]
    losses = losses[~np.isnan(losses)]
    found = []
    if len(losses):
        loss = float(losses.mean())
        found += [f"loss <b>{loss:.2f}</b> nats ({loss / math.log(2):.2f} bits) per {each}"]
    if batch.targets is not None and batch.predicted is not None:
        right = (batch.predicted == batch.targets)[:, sequence]
        mask = getattr(batch, "mask", None)
        found += [f"{float(right[slice(None) if mask is None else mask[:, sequence]].mean()):.0%} right"]
    return found
