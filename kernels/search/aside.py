"""What can be asked of the models in a study's folder, by tasks for a process of its own: see `workers.Pool`.

A page that waits for such an answer goes on answering its user meanwhile.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .study_store import FILE

if TYPE_CHECKING:
    import pandas as pd

    from .model import Model
    from .study import Study


def scored(context: Any, path: str, number: int, split: str, metrics: tuple[str, ...] | None = None) -> pd.DataFrame:
    """`Model.scored` of a model by its number; -1 is the trivial predictor."""
    return _model(path, number).scored(split, metrics)


def importance(context: Any, path: str, number: int, repeats: int, rows: int) -> pd.DataFrame:
    """`permutation_importance` of a model by its number."""
    from .understand import permutation_importance

    return permutation_importance(_model(path, number), repeats=repeats, rows=rows)


def dependence(context: Any, path: str, number: int, feature: str) -> pd.DataFrame:
    """`partial_dependence` of a model by its number."""
    from .understand import partial_dependence

    return partial_dependence(_model(path, number), feature=feature)


def _model(path: str, number: int) -> Model:
    study = _opened(path, (Path(path) / FILE).stat().st_ino)  # another study may take the place of one that is gone
    return study.baseline if number == -1 else study.model(number)


@lru_cache(3)
def _opened(path: str, inode: int) -> Study:
    from .study import Study

    return Study.open(path)
