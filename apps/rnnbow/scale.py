"""One scale for all batches of a recording, so that bars can be compared between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

SAMPLE = 200  # batches looked at where the overview does not know the answer

Ends = tuple[float, float]


class Span(NamedTuple):
    """What the bars of any batch lie in, and what its single cells do."""

    bars: Ends
    cells: Ends


def shared_span(batch_at: Callable[[int], Any], frame: pd.DataFrame, kind: str) -> Span:
    """Low and high ends that hold for a whole recording; `batch_at` gives a batch by its number.

    Sums of norms are exact, from the overview. Everything else comes from `SAMPLE` batches spread evenly and the ten
    loudest, as reading all of a long recording would take minutes.
    """
    spread = np.linspace(0, len(frame) - 1, min(SAMPLE, len(frame))).astype(int)
    numbers = {*spread.tolist(), *frame["max_gradient"].nlargest(10).index.tolist()}
    bars, cells = [0.0], [0.0]
    for number in numbers:
        batch = batch_at(number)
        if kind == "norm":  # beyond is a bar of its own
            bars.append(float(batch.beyond.max()))
            cells.append(float(batch.norm.max()))
            continue
        parts = np.concatenate([batch.share, batch.share_beyond[:, None]], axis=1)  # (T, K+1, B)
        bars += [float(np.minimum(parts, 0).sum(axis=1).min()), float(np.maximum(parts, 0).sum(axis=1).max())]
        cells += [float(batch.share.min()), float(batch.share.max())]
    if kind == "norm":
        bars.append(float(frame["max_gradient"].max()))
    return Span((min(bars), max(bars)), (min(cells), max(cells)))
