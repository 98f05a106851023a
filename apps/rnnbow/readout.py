"""The line of text about a batch."""

from __future__ import annotations

import math
from typing import Any

STYLE = """
:host { font-size: 13px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.tag { background: #08306B; color: white; border-radius: 3px; padding: 1px 7px; margin-right: 6px; }
.tag.preview { background: #56B4E9; color: #08243d; }
.message { background: #fff4e5; border-left: 5px solid #D55E00; padding: 6px 12px; white-space: pre-wrap; }
"""


def describe(batch: Any, recorded: int, mean_lag: float, sequence: int, stream: int, previewed: bool) -> str:
    """HTML: number of the batch, characters it was trained on, loss, largest gradient, mean lag.

    Loss, hits and gradient are those of the sequence on show; streams of `stream` characters are read side by side.
    """
    length, sequences = batch.loss.shape
    loss = float(batch.loss[:, sequence].mean())
    right = float((batch.predicted == batch.targets)[:, sequence].mean())
    first = batch.position + sequence * stream
    facts = [
        f"<b>batch {batch.number:,}</b> of {recorded:,}",
        f"step {batch.step:,}",
        f"characters {first:,}–{first + length:,}",
        f"loss <b>{loss:.2f}</b> nats ({loss / math.log(2):.2f} bits) per character",
        f"{right:.0%} right",
        f"largest cell gradient <b>{float(batch.norm[:, :, sequence].max()):.3g}</b>",
        f"mean lag {mean_lag:.2f}" if math.isfinite(mean_lag) else "no gradient",
    ]
    if sequences > 1:
        facts.insert(1, f"sequence {sequence} of {sequences}")
    tag = '<span class="tag preview">preview</span>' if previewed else '<span class="tag">selected</span>'
    return f"{tag} {' · '.join(facts)}"
