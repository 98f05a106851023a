"""What the first page would wait for, loaded and compiled by a thread while nobody looks yet."""

from __future__ import annotations

import gc
import threading
from importlib import import_module

import pandas as pd

from learnviews.apps.snowcat.compare_findings import aside
from learnviews.grammar import ColumnHistograms
from learnviews.kernels import search


def begin() -> threading.Thread:
    """Start the thread; what it does is of use only, so nothing waits for it."""
    thread = threading.Thread(target=_warm, daemon=True, name="warming up")
    thread.start()
    return thread


def _warm() -> None:
    """Go through what every page does with its data, then import what a study's views need."""
    data = search.load(pd.DataFrame({"number": [0.5, 1.5, 2.5, 3.5], "label": ["a", "b", "a", "b"]}))
    histograms = ColumnHistograms.from_data(data)
    histograms.counts_of(histograms.positions([1, 2]))
    histograms.counts_alike(0)
    search.describe(data)
    search.Browser(data).find("a")
    for name in ("pyarrow.parquet", "sklearn.metrics", "datashader"):
        import_module(name)
    aside().start()
    gc.freeze()  # as in `app_hooks`
