"""The smallest net that is good enough, or the advice to keep an exact cube."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..progress import Progress
from .aggregates import Part
from .fit import default_rank, fit_nets, negative
from .model import Model
from .product import ProductNet
from .report import size
from .training_set import TrainingSet

RANKS = (4, 8, 16, 32, 64, 128, 256, 512)
WORTH = 0.95  # without a wanted error: go on while doubling the rank lowers the error to less than this share


def smallest(
    data: TrainingSet,
    error: float | None,
    rng: np.random.Generator,
    progress: Progress | None,
    device: str,
    steps: int | None,
) -> Model:
    """Product nets of doubled rank until the held-out error is at most `error`; if None, until doubling gains little.

    The model's ``about["advice"]`` says when the error was not met, or when the exact cube is smaller than the model.
    """
    tried: list[Model] = []
    for rank in _ranks(data):
        model = fit_nets(data, _make(data, rank, rng), steps, rng, progress, error or 0.0, device, recipe=False)
        model.about["tried"] = [*(tried[-1].about["tried"] if tried else []), [rank, model.nbytes, model.error.overall]]
        tried.append(model)
        if progress is not None and progress.cancelled:
            break
        if _good_enough(tried, error):
            break
    best = tried[-1] if error is not None and tried[-1].error.overall <= error else _best(tried)
    best.about["tried"] = tried[-1].about["tried"]
    best.about["advice"] = advice(best, error)
    return best


def advice(model: Model, error: float | None) -> str:
    """One sentence on what to use instead, or nothing."""
    words = []
    if error is not None and not model.error.overall <= error:
        words.append(f"no net met an error of {error:g} (the best: {model.error.overall:.4f})")
    about = model.about
    if "sparse_bytes" in about:
        form, least = min(
            (("dense", about["dense_bytes"]), ("sparse", about["sparse_bytes"])), key=lambda pair: pair[1]
        )
        if least <= model.nbytes or (words and least < 1 << 26):
            word = "smaller" if least <= model.nbytes else "small"
            words.append(f"an exact {form} cube is {word}: {size(least)} (the net: {size(model.nbytes)})")
    return "; ".join(words)


def _ranks(data: TrainingSet) -> list[int]:
    """Ranks up to the one that has as many numbers as there are cells."""
    most = 2 * default_rank(data.schema.sizes)
    return [rank for rank in RANKS if rank <= most] or [most]


def _make(data: TrainingSet, rank: int, rng: np.random.Generator) -> Any:
    def product(part: Part) -> ProductNet:
        share = negative(data, part)
        return ProductNet.initial(data.schema.sizes, data.marginals[part], rank, rng, part.signed, share)

    return product


def _good_enough(tried: list[Model], error: float | None) -> bool:
    if error is not None:
        return tried[-1].error.overall <= error
    return len(tried) > 1 and not tried[-1].error.overall < WORTH * tried[-2].error.overall


def _best(tried: list[Model]) -> Model:
    least = min(model.error.overall for model in tried)
    return next(model for model in tried if not model.error.overall > least / WORTH)
