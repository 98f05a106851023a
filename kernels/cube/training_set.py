"""Queries and their answers, split into those to learn from and those to be measured by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..progress import Progress
from .aggregates import Aggregate, Part, centres, label, parts
from .exact import ExactCube
from .independence import independence, marginals
from .product import ProductNet
from .queries import random_masks
from .schema import Schema

HELD = 0.1  # share of the queries that is held out
FEWEST = 10  # queries
LARGEST = 1 << 32  # bytes of answers that are held at a time


@dataclass
class TrainingSet:
    """Masks (n, bins) and the answers (n, bins) of every part; the first `held` of them are not trained on.

    Attributes
    ----------
    answers : dict of Part to (n, bins) float64
    marginals : dict of Part to (bins,)
        Expected size of the answers to the query that filters nothing; above 0 in all bins that ever hold rows.
        From an exact cube, else estimated.
    independent : dict of Part to ProductNet
        What independent attributes answer; a measure is then independent of them too, so its mean everywhere.
    rows : ProductNet
        What independent attributes answer when asked for the number of rows (given answers: for their size).
    truths : dict of Aggregate to (held, bins)
        What held-out queries really answer.
    """

    schema: Schema
    aggregates: tuple[Aggregate, ...]
    masks: np.ndarray
    answers: dict[Part, np.ndarray]
    marginals: dict[Part, np.ndarray]
    independent: dict[Part, ProductNet]
    rows: ProductNet
    truths: dict[Aggregate, np.ndarray]
    held: int
    centres: dict[str, float]
    about: dict[str, Any]

    def parts(self, aggregate: Aggregate) -> tuple[Part, ...]:
        return parts(aggregate, 0.0 if isinstance(aggregate, str) else self.centres.get(aggregate[1], 0.0))


def from_cube(
    cube: ExactCube,
    aggregates: tuple[Aggregate, ...],
    queries: int,
    rng: np.random.Generator,
    progress: Progress | None = None,
    middle: dict[str, float] | None = None,
) -> TrainingSet:
    """Random queries, answered by the exact cube."""
    schema = cube.schema
    if queries < FEWEST:
        raise ValueError(f"queries must be at least {FEWEST}, got {queries}")
    if queries * schema.bins * 8 > LARGEST:
        most = LARGEST // (8 * schema.bins)
        raise ValueError(
            f"{queries:,} queries of {schema.bins:,} bins need {queries * schema.bins * 8 / 1e9:.0f} GB; "
            f"expected at most {most:,} queries (queries=...), or coarser bins"
        )
    masks = random_masks(schema, queries, rng)
    measures = sorted({each[1] for each in aggregates if isinstance(each, tuple)})
    for measure in measures:
        if measure not in cube.measures:
            have = ", ".join(cube.measures) or "none"
            raise LookupError(f"no measure {measure!r}; the cube has {have} (ExactCube.build(..., measures=...))")
    middle = middle or centres(measures, lambda aggregate: cube.total(None, aggregate))
    held = max(1, int(queries * HELD))
    known: dict[Aggregate, np.ndarray] = {}

    def answer(aggregate: Aggregate) -> np.ndarray:
        if aggregate not in known:
            known[aggregate] = cube.query_many(masks, aggregate, progress)
        return known[aggregate]

    def whole(aggregate: Aggregate) -> np.ndarray:
        return cube.query_many(np.ones((1, schema.bins), bool), aggregate)[0]

    wanted = {
        part
        for each in aggregates
        for part in parts(each, middle.get(each[1], 0.0) if isinstance(each, tuple) else 0.0)
    }
    order = ("count", "present", "sum", "centred", "scatter")  # what others are divided by comes first
    ordered = sorted(wanted, key=lambda part: (order.index(part.kind), part.measure))
    answers = {part: part.of(answer) for part in ordered}
    expected = {part: part.of(whole) for part in ordered}
    rows = whole("count")
    for part in ordered:
        if part.signed:  # their bars may cancel: where there are rows, of the size that answers have
            size = np.abs(answers[part]).sum() / max(1.0, np.abs(answer("count")).sum())
            expected[part] = rows * (size or 1.0)
    truths = {each: cube.query_many(masks[:held], each) for each in aggregates}
    independent = {
        part: independence(schema.sizes, rows, part.of(lambda each: np.asarray(cube.total(None, each))))
        for part in ordered
    }
    base = independence(schema.sizes, rows, cube.rows)
    about = {
        "rows": cube.rows,
        "left_out": cube.left_out,
        "occupied": cube.occupied,
        "dense_bytes": cube.dense_bytes,
        "sparse_bytes": cube.sparse_bytes,
        "queries": queries,
    }
    return TrainingSet(schema, aggregates, masks, answers, expected, independent, base, truths, held, middle, about)


def from_answers(
    queries: Any, found: Any, schema: Schema, aggregates: tuple[Aggregate, ...], rng: np.random.Generator
) -> TrainingSet:
    """Given queries and answers, in a random order."""
    if len(aggregates) != 1 or (isinstance(aggregates[0], tuple) and aggregates[0][0] != "sum"):
        names = ", ".join(map(label, aggregates))
        raise ValueError(f"answers to queries alone teach one count or sum, not {names}; give an ExactCube for that")
    masks, answers = schema.masks(queries), checked_answers(found, schema)
    if len(masks) != len(answers):
        raise ValueError(f"{len(masks)} queries but {len(answers)} answers; expected as many")
    if len(masks) < FEWEST:
        raise ValueError(f"{len(masks)} queries are too few to learn from and to measure by; expected {FEWEST} or more")
    aggregate = aggregates[0]
    (part,) = parts(aggregate)
    if not part.signed and answers.min() < 0:
        raise ValueError("answers hold negative counts; name the aggregate ('sum', measure) if they are sums")
    order = rng.permutation(len(masks))
    masks, answers = masks[order], answers[order]
    held = max(1, int(len(masks) * HELD))
    size = marginals(masks[held:], answers[held:], schema.sizes)
    total = size[: schema.sizes[0]].sum() * answers[held:].sum() / (np.abs(answers[held:]).sum() or 1.0)
    return TrainingSet(
        schema,
        aggregates,
        masks,
        answers={part: answers},
        marginals={part: size},
        independent={part: independence(schema.sizes, size, total)},
        rows=independence(schema.sizes, size, size[: schema.sizes[0]].sum()),
        truths={aggregate: answers[:held]},
        held=held,
        centres={},
        about={"queries": len(masks)},
    )


def checked_answers(found: Any, schema: Schema) -> np.ndarray:
    """Answers as (n, bins) float64; ValueError if they have another shape or are not finite."""
    try:
        answers = np.asarray(found, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"answers must be an array of numbers (n, {schema.bins}): {error}") from error
    if answers.ndim != 2 or answers.shape[1] != schema.bins:
        raise ValueError(f"answers of shape {answers.shape}; expected (n, {schema.bins}), views in the schema's order")
    if bad := int((~np.isfinite(answers)).sum()):
        raise ValueError(f"answers hold {bad} nan or infinite values; expected finite numbers")
    return answers
