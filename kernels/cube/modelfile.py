"""A model as one `.npz` file: weights, and the rest as JSON. No pickle, nothing is executed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..store import read_npz, understood, write_npz
from .aggregates import Part, checked, label
from .calibration import LEVELS, Calibration
from .errors import Error
from .mlp import MLP
from .model import Model
from .product import ProductNet
from .schema import Schema

KIND, VERSION = "cube model", 1


def save(model: Model, path: Path) -> Path:
    """Write `model` to `path`; StoreError if that cannot be done, an earlier file is kept then."""
    arrays: dict[str, np.ndarray] = {}
    nets = []
    for k, (part, net) in enumerate(model.nets.items()):
        about: dict[str, Any] = {"part": asdict(part), "kind": net.kind}
        if net.kind == "mlp":
            about["description"] = net.description
        same = next(j for j, each in enumerate(model.nets.values()) if each is net)
        if same < k:
            about["same"] = same
        else:
            arrays |= {f"net{k}.{name}": array for name, array in net.arrays().items()}
        nets.append(about)
        independent = model.independent[part].arrays() if part in model.independent else {}
        arrays |= {f"independent{k}.{name}": array for name, array in independent.items()}
    for k, each in enumerate(model.calibrations[aggregate] for aggregate in model.aggregates):
        arrays |= {f"calibration{k}.below": each.below, f"calibration{k}.above": each.above}
    header = {
        "schema": model.schema.to_json(),
        "aggregates": model.aggregates,
        "centres": model.centres,
        "nets": nets,
        "errors": [model.errors[aggregate].to_json() for aggregate in model.aggregates],
        "coverage": [model.calibrations[aggregate].coverage for aggregate in model.aggregates],
        "about": model.about,
    }
    return write_npz(path, KIND, VERSION, header, arrays)


def load(path: str | Path) -> Model:
    """The model in a file.

    Raises
    ------
    FileNotFoundError
        If there is none.
    FileFormatError
        If it is not a cube model, damaged, or of a version this program does not know.
    """
    path = Path(path)
    header, arrays = read_npz(path, KIND, VERSION)
    with understood(path, KIND, "its schema and nets"):
        return _model(header, arrays)


def _model(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> Model:
    schema = Schema.from_json(header["schema"])
    aggregates = tuple(checked(each) for each in header["aggregates"])
    nets: dict[Part, Any] = {}
    independent = {}
    for k, about in enumerate(header["nets"]):
        part, same = Part(**about["part"]), about.get("same")
        if same is not None and not (isinstance(same, int) and 0 <= same < k):
            raise ValueError(f"net {k} is said to be the same as net {same!r}")
        nets[part] = _net(schema, about, _under(arrays, f"net{k}.")) if same is None else list(nets.values())[same]
        independent[part] = ProductNet.from_arrays(schema.sizes, _under(arrays, f"independent{k}."))
    errors = {each: _error(schema, values) for each, values in zip(aggregates, header["errors"], strict=True)}
    calibrations = {
        each: _calibration(schema, float(coverage), _under(arrays, f"calibration{k}."))
        for k, (each, coverage) in enumerate(zip(aggregates, header["coverage"], strict=True))
    }
    centres = {str(name): float(value) for name, value in header["centres"].items()}
    model = Model(schema, aggregates, nets, independent, errors, calibrations, _about(header["about"]), centres)
    for aggregate in aggregates:
        if lacking := [part for part in model.parts(aggregate) if part not in nets]:
            raise ValueError(f"no net for {lacking[0].kind} of {label(aggregate)}")
    return model


def _net(schema: Schema, about: dict[str, Any], arrays: dict[str, np.ndarray]) -> Any:
    if about["kind"] == "product":
        return ProductNet.from_arrays(schema.sizes, arrays)
    if about["kind"] == "mlp":
        return MLP.from_arrays([(each.shape, each.bins) for each in schema], about["description"], arrays)
    raise ValueError(f"a net of kind {about['kind']!r}")


def _error(schema: Schema, values: dict[str, Any]) -> Error:
    views = [
        {name: float(each[name]) for name in schema.names} for each in (values["views"], values["independence_views"])
    ]
    return Error(float(values["overall"]), views[0], float(values["independence"]), views[1], int(values["queries"]))


def _about(about: dict[str, Any]) -> dict[str, Any]:
    needed = ("queries", "seconds", *(("dense_bytes", "sparse_bytes", "occupied") if "rows" in about else ()))
    for name in (*needed, *({"rows"} & set(about))):
        if not isinstance(about[name], int | float):
            raise ValueError(f"{name} is {about[name]!r}, expected a number")
    return dict(about)


def _calibration(schema: Schema, coverage: float, arrays: dict[str, np.ndarray]) -> Calibration:
    below, above = arrays["below"], arrays["above"]
    wrong = below.dtype.kind != "f" or above.dtype.kind != "f" or np.isnan(above).any() or not 0 < coverage < 1
    if wrong or below.shape != (len(schema), LEVELS) or above.shape != below.shape:
        raise ValueError(f"calibration of shape {below.shape}, expected numbers {(len(schema), LEVELS)}")
    return Calibration(coverage, below, above)


def _under(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
