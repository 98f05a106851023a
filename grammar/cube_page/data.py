"""A model as the page's scripts read it: schema, weights and calibrations in plain JSON, arrays as base64."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from ...kernels.arrays import as_numpy
from ...kernels.cube.aggregates import Aggregate, label
from ...kernels.cube.model import Model
from ...kernels.cube.numeric import Numeric, short_numbers
from ...kernels.cube.spatial import Spatial

EARTH = 6378137.0  # metres: radius in Web Mercator
KINDS = ("count", "sum", "mean")


def model_data(model: Model) -> dict[str, Any]:
    """Everything `engine.js` needs.

    Raises
    ------
    ValueError
        If the page's scripts could not answer for this model.
    """
    check(model)
    nets = list(model.nets)
    return {
        "attributes": [attribute_data(attribute) for attribute in model.schema],
        "nets": [_net(model, model.nets[part]) for part in nets],
        "aggregates": [_aggregate(model, aggregate, nets) for aggregate in model.aggregates],
    }


def check(model: Model) -> None:
    """ValueError that names what a page can hold, if the model is something else."""
    wrong = sorted({net.kind for net in model.nets.values() if net.kind != "product"})
    if wrong:
        raise ValueError(f'a page holds nets of kind "product" or "signed", not {wrong[0]!r}: fit(..., net="product")')
    other = [each for each in model.aggregates if _kind(each) not in KINDS]
    if other:
        raise ValueError(f"a page holds count, sum and mean, not {label(other[0])}: fit the model without it")


def attribute_data(attribute: Any) -> dict[str, Any]:
    """Names, bins and the texts of their edges."""
    shown = {"name": attribute.name, "title": attribute.title, "unit": attribute.unit, "ordered": attribute.ordered}
    shown |= {"shape": list(attribute.shape), "bins": attribute.bins, "missing": attribute.missing}
    return shown | {"labels": attribute.labels(), "edges": edge_texts(attribute)}


def edge_texts(attribute: Any) -> Any:
    """Texts of the n + 1 edges, in space of both axes; None where bins are values, not intervals."""
    if isinstance(attribute, Spatial):
        return [short_numbers(attribute.x_edges), short_numbers(attribute.y_edges)]
    return short_numbers(attribute.edges) if isinstance(attribute, Numeric) else None


def place(attribute: Spatial) -> tuple[float, float, float, float]:
    """Extent (x0, x1, y0, y1) as drawn: metres in Web Mercator, else the columns' units."""
    x0, x1, y0, y1 = attribute.extent
    if attribute.projection != "mercator":
        return x0, x1, y0, y1
    low, high = EARTH * np.arcsinh(np.tan(np.radians([y0, y1])))
    return EARTH * float(np.radians(x0)), EARTH * float(np.radians(x1)), float(low), float(high)


def _kind(aggregate: Aggregate) -> str:
    return aggregate if isinstance(aggregate, str) else aggregate[0]


def _aggregate(model: Model, aggregate: Aggregate, nets: list[Any]) -> dict[str, Any]:
    calibration = model.calibrations[aggregate]
    return {
        "kind": _kind(aggregate),
        "label": label(aggregate),
        "parts": [nets.index(part) for part in model.parts(aggregate)],
        "centre": model._centre(aggregate),
        "coverage": calibration.coverage,
        "below": _text(calibration.below, "<f4"),
        "above": _text(calibration.above, "<f4"),
    }


def _net(model: Model, net: Any) -> dict[str, Any]:
    arrays = net.arrays()
    log = as_numpy(arrays["log"])
    kind = f"<{log.dtype.str[1:]}"
    within = np.concatenate([np.arange(size) for size in model.schema.sizes])
    return {
        "rank": net.rank,
        "offsets": net.offsets.tolist(),
        "bins": within[net.keep].tolist(),
        "type": kind[1:],
        "log": _text(log, kind),
        "sign": _text(arrays["sign"], "u1") if "sign" in arrays else None,
    }


def _text(array: np.ndarray, dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype).tobytes()).decode("ascii")
