"""Random queries, by the law that surrogates are trained and tested on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .attributes import Attribute
from .query import Query
from .schema import Schema

Seed = int | np.random.Generator


def random_queries(schema: Schema, n: int, rng: Seed = 0, attributes: Sequence[str] | None = None) -> list[Query]:
    """Queries drawn at random.

    An attribute whose bins have an order gets a range: its width is uniform in 1 to the number of regular bins, then
    its start is uniform over the places left; in space this holds per axis. Categories get a set: its size is uniform
    in 1 to their number (that for missing values is one of them), then it is uniform among the sets of that size.

    Parameters
    ----------
    schema : Schema
    n : int
    rng : int or numpy.random.Generator
        The same seed gives the same queries.
    attributes : sequence of str, optional
        Filter only these.

    Returns
    -------
    list of Query
        With ranges, boxes and, for categories, masks.
    """
    columns: dict[str, list] = {}
    for attribute, drawn in _draws(schema, n, rng, attributes):
        if attribute.ordered:
            columns[attribute.name] = list(map(tuple, drawn.tolist()))
        else:
            drawn.flags.writeable = False
            columns[attribute.name] = list(drawn)
    return [Query._trusted({name: column[i] for name, column in columns.items()}) for i in range(n)]


def random_masks(schema: Schema, n: int, rng: Seed = 0, attributes: Sequence[str] | None = None) -> np.ndarray:
    """The masks (n, bins) of what `random_queries` draws with the same arguments, without making the queries."""
    draws = _draws(schema, n, rng, attributes)
    masks = np.ones((n, schema.bins), bool)
    for attribute, drawn in draws:
        masks[:, schema.slices[attribute.name]] = attribute.range_masks(drawn) if attribute.ordered else drawn
    return masks


def _draws(schema: Schema, n: int, rng: Seed, attributes: Sequence[str] | None) -> list[tuple[Attribute, np.ndarray]]:
    """Ranges (n, 2 per axis), or masks (n, bins) of categories, for every attribute that is filtered."""
    if n < 0:
        raise ValueError(f"{n} queries: expected none or more")
    for name in attributes or ():
        schema.index(name)
    generator = np.random.default_rng(rng)
    chosen = [a for a in schema if attributes is None or a.name in attributes]
    return [(a, _ranges(a, n, generator) if a.ordered else _subsets(a.bins, n, generator)) for a in chosen]


def _ranges(attribute: Attribute, n: int, rng: np.random.Generator) -> np.ndarray:
    bounds = []
    for size in attribute.shape:
        width = rng.integers(1, size + 1, n)
        start = rng.integers(0, size - width + 1)
        bounds += [start, start + width]
    return np.stack(bounds, 1)


def _subsets(bins: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """The `size` smallest of random keys are a uniform subset."""
    size = rng.integers(1, bins + 1, n)
    rank = rng.random((n, bins)).argsort(1).argsort(1)
    return rank < size[:, None]
