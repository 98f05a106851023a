"""The first model: learned from the embedded flights when there is none yet."""

from __future__ import annotations

from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

NAME = "flights.cube.npz"
ENDING = ".cube.npz"
MEASURE = "dep_delay"
FIT: dict[str, Any] = {"rank": 128, "queries": 6000}


def first_model(folder: Path, progress: Any = None) -> Path | None:
    """Learn the flights into `folder`, unless it holds models already.

    Parameters
    ----------
    folder : Path
    progress : kernels.progress.Progress, optional
        Cancelling ends the training; nothing is written then.

    Returns
    -------
    Path or None
        The file that was made; None where there was nothing to do.

    Raises
    ------
    CancelledError
        If the training was cancelled.
    """
    from learnviews.kernels import cube

    if any(folder.glob(f"*{ENDING}")):
        return None
    frame, schema = cube.flights()
    exact = cube.ExactCube.build(frame, schema, [MEASURE])
    aggregates = ["count", ("sum", MEASURE), ("mean", MEASURE)]
    model = cube.fit(exact, aggregate=aggregates, progress=progress, **FIT)
    if progress is not None and progress.cancelled:
        raise CancelledError("stopped before the training ended; nothing was written")
    folder.mkdir(parents=True, exist_ok=True)
    return model.save(folder / NAME)
