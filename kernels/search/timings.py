"""Where the time of a study's workers went: parts that add up to all there was."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

Rows = Iterable[Mapping[str, Any]]


def timings(trials: Rows, runs: Rows, batches: Rows) -> dict[str, float]:
    """Seconds and shares, from the rows of a `StudyStore`.

    Returns
    -------
    dict
        In seconds: `wall` of all runs; `available`, wall times workers, which is the sum of

        - `fit`, `score`: fitting pipelines; predictions and metrics;
        - `lost`: other time of trials that failed, or were stopped while they did one or the other;
        - `handling`: other time of trials that ended well: data and results on their way;
        - `idle`: no trial ran. Starting and importing, too few trials, the ensemble.

        `trials`, all but `idle`. `proposals`, which are made beside the trials, in a process of their own.
        As shares of `available`: `overhead`, neither fitting nor scoring (`handling` and `idle`); `unused` (`idle`).
        They are nan before the first run has ended.
    """
    spent = dict.fromkeys(("fit", "score", "lost", "handling"), 0.0)
    for trial in trials:
        if trial["source"] != "ensemble":
            for part, seconds in _parts(trial).items():
                spent[part] += seconds
    ended = [run for run in runs if run["seconds"] is not None]
    available = float(sum(run["seconds"] * run["workers"] for run in ended))
    used = sum(spent.values())
    idle = available - used
    return {
        "wall": float(sum(run["seconds"] for run in ended)),
        "available": available,
        **spent,
        "idle": idle,
        "trials": used,
        "proposals": float(sum(batch["seconds"] or 0 for batch in batches)),
        "overhead": (idle + spent["handling"]) / available if available else math.nan,
        "unused": idle / available if available else math.nan,
    }


def _parts(trial: Mapping[str, Any]) -> dict[str, float]:
    fit, score = trial["fit_seconds"] or 0.0, trial["score_seconds"] or 0.0
    rest = max(0.0, (trial["seconds"] or 0.0) - fit - score)
    return {"fit": fit, "score": score, "handling" if trial["status"] == "ok" else "lost": rest}
