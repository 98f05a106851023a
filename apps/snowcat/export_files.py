"""An export on disk: a folder of ranked models with a README, and the same as a zip; both are whole or not there."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from learnviews.apps.snowcat.making import new_name
from learnviews.kernels import search
from learnviews.kernels.progress import Progress
from learnviews.kernels.search.exports import folder_name

if TYPE_CHECKING:
    from learnviews.kernels.search import Model

PART = ".part-"
STALE = 86_400.0  # seconds

FILES = {
    "predict.py": "predict the rows of a table: python predict.py TABLE",
    "train.py": "train the model again, also on other rows",
    "pipeline.skops": "the fitted pipeline; reading it runs no code of others",
    "pipeline.json": "how it was made: settings, seeds, types of the columns, versions",
    "pipeline.txt": "its steps, to read",
    "problem.json": "what it predicts, as a D3M problem document",
    "predictions.csv": "row by row: truth, prediction and probabilities",
    "scores.json": "every metric, with its 95% interval",
}
"""What is in the folder of a model."""


@dataclass(frozen=True)
class Ranked:
    """A model of an export.

    Parameters
    ----------
    model : Model
    note : str
    study : str
        What its study is called.
    """

    model: Model
    note: str = ""
    study: str = ""


def write_export(ranked: Sequence[Ranked], folder: Path, name: str, progress: Progress, notes: list[str]) -> Path:
    """Write models to `folder/<time>` and to `folder/<time>.zip`.

    Parameters
    ----------
    ranked : sequence of Ranked
    folder : Path
        Of all exports; made where it is missing.
    name : str
        Of the folder within the zip.
    progress : Progress
    notes : list of str
        Gets a sentence on every model that could not be exported.

    Returns
    -------
    Path
        The zip.

    Raises
    ------
    CancelledError
        If it was cancelled; nothing is left of it.
    ValueError
        If none of the models can be exported; the message says why.
    OSError
        If something cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _tidy(folder)
    part = Path(tempfile.mkdtemp(prefix=PART, dir=folder))
    try:
        inside = part / name
        lost: dict[int, str] = {}
        models = [each.model for each in ranked]
        at = {id(model): place for place, model in enumerate(models)}
        search.export(
            models, inside, progress=progress, failed=lambda model, why: lost.update({at[id(model)]: str(why)})
        )
        kept = [each for place, each in enumerate(ranked) if place not in lost]
        notes += [f"{models[place].name} is not in it: {why}" for place, why in lost.items()]
        notes += [
            f"{each.model.name} is in it without its trained pipeline, which cannot be saved ({why}): predict with "
            f"{folder_name(rank, each.model)}/train.py TABLE --predict TABLE2, which trains it anew from TABLE first"
            for rank, each in enumerate(kept, 1)
            if (why := _why_no_pipeline(inside / folder_name(rank, each.model)))
        ]
        (inside / "README.txt").write_text(readme(kept, notes, _first_saved(kept, inside)), encoding="utf-8")
        archive = zipped(inside, part / f"{name}.zip", progress)
        when = new_name(folder, ".zip")
        inside.rename(folder / when)
        os.replace(archive, folder / f"{when}.zip")
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder / f"{when}.zip"


def _tidy(folder: Path) -> None:
    """Delete what an export left of which the server died, long ago."""
    for part in folder.glob(f"{PART}*"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > STALE:
                shutil.rmtree(part, ignore_errors=True)


def _why_no_pipeline(folder: Path) -> str:
    return str(json.loads((folder / "pipeline.json").read_text(encoding="utf-8"))["why_no_pipeline"])


def _first_saved(ranked: Sequence[Ranked], inside: Path) -> str:
    """The folder of the first model that can predict at once; "" where none can."""
    names = [folder_name(rank, each.model) for rank, each in enumerate(ranked, 1)]
    return next((name for name in names if not _why_no_pipeline(inside / name)), "")


def zipped(folder: Path, archive: Path, progress: Progress) -> Path:
    """A folder as a zip with the folder in it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    progress.start(len(files))
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as whole:
        for done, path in enumerate(files, 1):
            if progress.cancelled:
                raise CancelledError
            whole.write(path, Path(folder.name) / path.relative_to(folder))
            progress.update(done, lambda: "packing the zip")
    return archive


def readme(ranked: Sequence[Ranked], notes: Sequence[str] = (), first: str | None = None) -> str:
    """What is in the folder, for who opens it; `first` is the folder of the first model that can predict at once."""
    first = folder_name(1, ranked[0].model) if first is None else first
    lines = [
        "Models found with LearnViews, ranked; the first is preferred.",
        "",
        "ranking.csv lists them with their scores, and what a predictor reaches that knows nothing.",
        "",
    ]
    for rank, each in enumerate(ranked, 1):
        model = each.model
        lines.append(f"{folder_name(rank, model)}/")
        lines.append(f"    {model.name}: {model.problem.sentence()}; {each.study or f'model {model.number}'}")
        lines += [f"    Note: {each.note}"] if each.note else []
    lines += ["", "In the folder of a model:", *(f"    {name:16} {words}" for name, words in FILES.items())]
    if any(each.model.data.joined for each in ranked):
        lines.append(f"    {'joined-1.parquet':16} a table whose columns were joined: rows that lack them get theirs")
    lines += [
        "",
        *([f"Predict new rows: python {first}/predict.py TABLE"] if first else []),
        "It needs Python with the package learnviews.",
    ]
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"


def earlier(folder: Path, ending: str) -> list[Path]:
    """The files of an ending in a folder, the latest first."""
    return sorted(folder.glob(f"*{ending}"), reverse=True)


def size_text(size: float) -> str:
    """ "820 kB", "3.2 MB"."""
    return f"{max(1, round(size / 1e3)):,} kB" if size < 1e6 else f"{size / 1e6:,.1f} MB"
