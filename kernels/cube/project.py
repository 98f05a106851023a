"""Where selections of an attribute lie on a plane on which near means alike in the answers.

The distance of two selections is how far the model's totals differ, root mean square over many queries of the other
attributes. The plane is the one that keeps most of it: principal components of the totals. For an additive net a
position is a sum over the bins selected, so ranges lie where their bins lead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .aggregates import combine
from .model import answers, totals
from .queries import random_masks
from .query import Query

if TYPE_CHECKING:
    from .model import Model

CONTEXTS = 128  # queries of the other attributes
LANDMARKS = 128  # random selections that, with the single bins, fix the plane


def project(
    model: Model,
    attribute: str,
    selections: Sequence[Any] | np.ndarray | None = None,
    *,
    aggregate: Any = None,
    contexts: int = CONTEXTS,
    rng: int = 0,
) -> np.ndarray:
    """Positions of selections of one attribute.

    Parameters
    ----------
    attribute : str
    selections : sequence, optional
        Queries (their filter on the attribute counts) or filters as `Attribute.mask` takes them; masks (n, bins). Every
        bin alone if absent.
    aggregate : optional
        One of the model's; the first if absent.
    contexts : int
        Queries of the other attributes that answers are compared over.
    rng : int
        The same seed gives the same plane: positions of different calls may be drawn in one picture.

    Returns
    -------
    (n, 2) float array
        In units of the aggregate. The empty selection lies at the origin, for counts larger selections farther to the
        right. Distances are those of `differences`, as far as a plane holds them.

    Raises
    ------
    LookupError, ValueError
        If there is no such attribute, or a selection does not fit it.
    """
    masks = selection_masks(model, attribute, selections)
    one = model.schema[attribute]
    landmarks = random_masks(model.schema, LANDMARKS, rng)[:, model.schema.slices[attribute]]
    known = np.concatenate([np.eye(one.bins, dtype=bool), landmarks])
    none = np.zeros((1, one.bins), bool)
    X = totals_in_contexts(model, attribute, np.concatenate([known, masks, none]), aggregate, contexts, rng)
    X = X[:-1] - X[-1:]
    _, _, axes = np.linalg.svd(X[: len(known)], full_matrices=False)
    places = X @ axes[:2].T / np.sqrt(X.shape[1])
    return places[len(known) :] * _signs(places[: len(known)])


def differences(
    model: Model,
    attribute: str,
    selections: Sequence[Any] | np.ndarray | None = None,
    *,
    aggregate: Any = None,
    contexts: int = CONTEXTS,
    rng: int = 0,
) -> np.ndarray:
    """What distances in the plane stand for: (n, n) root mean square differences of the totals of two selections."""
    masks = selection_masks(model, attribute, selections)
    X = totals_in_contexts(model, attribute, masks, aggregate, contexts, rng)
    squares = (X * X).sum(1)
    return np.sqrt(np.maximum(squares[:, None] + squares - 2 * X @ X.T, 0) / X.shape[1])


def selection_masks(model: Model, attribute: str, selections: Any) -> np.ndarray:
    """Masks (n, bins of the attribute) of selections."""
    one = model.schema[attribute]
    if selections is None:
        return np.eye(one.bins, dtype=bool)
    if isinstance(selections, Query | tuple | frozenset | set):
        raise ValueError("selections must be a list of queries or filters; put a single one in a list")
    if isinstance(selections, np.ndarray) and selections.dtype == bool:
        if selections.ndim != 2 or selections.shape[1] != one.bins:
            raise ValueError(f"selections of shape {selections.shape}; expected (n, {one.bins}) for {attribute!r}")
        return selections
    masks = np.ones((len(selections), one.bins), bool)
    for mask, each in zip(masks, selections, strict=True):
        chosen = each.filters.get(attribute) if isinstance(each, Query) else each
        if chosen is not None:
            mask[:] = one.mask(chosen)
    return masks


def totals_in_contexts(
    model: Model, attribute: str, masks: np.ndarray, aggregate: Any, contexts: int, rng: int
) -> np.ndarray:
    """Totals (n, contexts) of selections (n, bins), each with every one of the same random queries of the others.

    Means and variances of less than a row are those of all rows.
    """
    if contexts < 2:
        raise ValueError(f"contexts must be at least 2, got {contexts}")
    schema, part = model.schema, model.schema.slices[attribute]
    others = random_masks(schema, contexts, rng + 1)
    aggregate = model.aggregate(aggregate)
    quotient = isinstance(aggregate, tuple) and aggregate[0] != "sum"
    usual = np.nan_to_num(model.total(None, aggregate))
    if model.additive:  # then so is every part, over the bins selected
        found = {each: masks @ answers(model.nets[each], others)[:, part].T for each in model.parts(aggregate)}
        out, rows = combine(aggregate, found, model._centre(aggregate)), next(iter(found.values()))
    else:
        out, rows = _one_by_one(model, part, masks, aggregate, others)
    out = np.nan_to_num(out, nan=usual)
    if quotient:  # of less than a row it is noise of any size
        out[rows < 1] = usual
    return out


def _one_by_one(
    model: Model, part: slice, masks: np.ndarray, aggregate: Any, others: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Totals of selections (n, contexts) that are asked for one after the other, and of means the rows behind them."""
    parts = model.parts(aggregate)
    out, rows = np.empty((2, len(masks), len(others)))
    for k, mask in enumerate(masks):
        others[:, part] = mask
        out[k] = model.totals_many(others, aggregate)
        rows[k] = totals(model.nets[parts[0]], others) if len(parts) > 1 else out[k]
    return out, rows


def _signs(places: np.ndarray) -> np.ndarray:
    """Makes the plane the same whatever sign the decomposition came with: most to the right, the farthest up."""
    right = 1.0 if places[:, 0].sum() >= 0 else -1.0
    farthest = places[np.abs(places[:, 1]).argmax(), 1]
    return np.array([right, 1.0 if farthest >= 0 else -1.0])
