"""Queries in words: shorter than every label, and for people."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnviews.apps.nncubes.history import differing
from learnviews.grammar.brush import words_of
from learnviews.kernels.cube import Query, Schema
from learnviews.kernels.cube.numeric import short_numbers

FEW = 5  # labels that are named


def sentence(schema: Schema, query: Query) -> str:
    """The query as one sentence."""
    if not query.filters:
        return "Everything."
    return "Where " + "; ".join(filter_words(schema[name], held) for name, held in query.filters.items()) + "."


def change_words(schema: Schema, base: Query, query: Query) -> str:
    """How one query differs from another: "hour is 6 to 11 (now 8); any origin (now EWR)"."""
    parts = []
    for name in differing(base, query):
        title = schema[name].title
        now = f" (now {_bare(schema, name, base)})" if name in base.filters else ""
        held = query.filters.get(name)
        parts.append((f"any {title}" if held is None else filter_words(schema[name], held)) + now)
    return "; ".join(parts) or "the present filters"


def filter_words(attribute: Any, held: Any) -> str:
    """One filter: "carrier is any but HA or OO", "departure delay is 12 min or more"."""
    if len(attribute.shape) == 2:
        return _place(attribute, held)
    mask = attribute.mask(held)
    unit = f" {attribute.unit}" if attribute.unit else ""
    if mask.all():
        return f"{attribute.title} is anything"
    if not attribute.ordered:
        return f"{attribute.title} is {_set(attribute.labels(), mask)}"
    places = np.flatnonzero(mask[: attribute.size])
    one_sided = len(places) and not (attribute.missing and mask[-1]) and places[-1] - places[0] == len(places) - 1
    if one_sided and hasattr(attribute, "edges") and attribute.size > 1:
        edges = [text.replace("inf", "∞") for text in short_numbers(attribute.edges)]
        first, last = int(places[0]), int(places[-1])
        if first and last == attribute.size - 1:
            return f"{attribute.title} is {edges[first]}{unit} or more"
        if not first and last < attribute.size - 1:
            return f"{attribute.title} is below {edges[last + 1]}{unit}"
    return words_of(attribute, held)


def _set(labels: list[str], mask: np.ndarray) -> str:
    chosen = [label for label, taken in zip(labels, mask, strict=True) if taken]
    left = [label for label, taken in zip(labels, mask, strict=True) if not taken]
    if len(left) <= FEW and len(left) < len(chosen):
        return f"any but {_either(left)}"
    if not chosen:
        return "nothing"
    return _either(chosen) if len(chosen) <= FEW + 1 else f"one of {len(chosen)} of {len(labels)}"


def _place(attribute: Any, held: Any) -> str:
    if not isinstance(held, tuple):
        return words_of(attribute, held)
    x, y = short_numbers(attribute.x_edges), short_numbers(attribute.y_edges)
    nx, ny = attribute.shape
    a, b, c, d = held
    parts = [f"{attribute.columns[0]} {x[a]} to {x[b]}"] if (a, b) != (0, nx) else []
    parts += [f"{attribute.columns[1]} {y[c]} to {y[d]}"] if (c, d) != (0, ny) else []
    return f"{attribute.title} in {', '.join(parts)}" if parts else f"{attribute.title} is anywhere"


def _bare(schema: Schema, name: str, query: Query) -> str:
    """A filter without the attribute's title."""
    text = filter_words(schema[name], query.filters[name]).removeprefix(schema[name].title)
    return text.strip().removeprefix("is ").strip()


def _either(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " or " + parts[-1]
