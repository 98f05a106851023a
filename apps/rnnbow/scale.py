"""One scale for all batches of a recording, so that bars can be compared between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

SAMPLE = 200  # batches looked at where the overview does not know the answer


def shared_span(recording: Any, frame: pd.DataFrame, kind: str) -> tuple[float, float]:
    """(low, high) that the bars of any batch lie in.

    Norms: exact, from the overview. Shares: from `SAMPLE` batches spread evenly and the ten loudest, as reading all of
    a long recording would take minutes.
    """
    if kind == "norm":
        return 0.0, float(frame["max_gradient"].max())
    spread = np.linspace(0, len(frame) - 1, min(SAMPLE, len(frame))).astype(int)
    numbers = {*spread.tolist(), *frame["max_gradient"].nlargest(10).index.tolist()}
    low = high = 0.0
    for number in numbers:
        batch = recording[number]
        parts = np.concatenate([batch.share, batch.share_beyond[:, None]], axis=1)  # (T, K+1, B)
        low = min(low, float(np.minimum(parts, 0).sum(axis=1).min()))
        high = max(high, float(np.maximum(parts, 0).sum(axis=1).max()))
    return low, high
