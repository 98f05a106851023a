"""The published net as data: which layers, which losses, which recipe. JSON in, JSON out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..optimizers import optimizer

Shapes = Sequence[tuple[tuple[int, ...], int]]  # per attribute: shape of its regular bins, number of all bins

OUTPUTS = ("linear", "independence", "rows")
OVER = OUTPUTS[1:]  # outputs that are multiplied by what independence answers
LOSSES = {"l1": 20.0, "mse": 0.001, "autoencoder": 1.0, "additivity": 0.0, "relative": False}


def authors(shapes: Shapes) -> dict[str, Any]:
    """The authors' net and recipe: autoencoders of codes of 2, the regressor reads the layer before the code.

    For their attributes (12, 7, 24 bins, a map of 20 x 20) it is theirs to the unit; others get widths by their bins.
    Answers boxes only: a map enters as its two marginals.
    """
    return {
        "branches": [_authors_branch(shape, bins) for shape, bins in shapes],
        "regressor": [220],
        "output": "linear",
        "loss": dict(LOSSES),
        "batch": 10,
        "phases": [
            {"epochs": 20, "optimizer": "adam", "settings": {"rate": 1e-4}, "cosine": False},
            {"epochs": 30, "optimizer": "sgd", "settings": {"rate": 3e-4, "momentum": 0.9}, "cosine": False},
        ],
    }


def tuned(shapes: Shapes) -> dict[str, Any]:
    """The same family, tuned: over independence, relative L1 only, codes as wide as they pay, a falling rate.

    Reads masks bin by bin, so it answers any region.
    """
    return {
        "branches": [_tuned_branch(bins) for _, bins in shapes],
        "regressor": [128],
        "output": "independence",
        "loss": {**LOSSES, "l1": 1.0, "mse": 0.0, "autoencoder": 0.0, "relative": True},
        "batch": 16,
        "phases": [{"epochs": 60, "optimizer": "adam", "settings": {"rate": 3e-3}, "cosine": True}],
    }


def _authors_branch(shape: tuple[int, ...], bins: int) -> dict[str, Any]:
    if len(shape) == 2:
        return {"inputs": "axes", "encoder": [10 * sum(shape), 128, 2], "read": 2, "decoder": [128, 10 * sum(shape)]}
    wide, narrow = (12, 6) if bins > 12 else (8, 4)
    return {"inputs": "bins", "encoder": [wide, narrow, 2], "read": 2, "decoder": [narrow, wide]}


def _tuned_branch(bins: int) -> dict[str, Any]:
    return {"inputs": "bins", "encoder": [64, 32], "read": 2, "decoder": []}


def checked(description: Any, shapes: Shapes) -> dict[str, Any]:
    """A complete description for attributes of these shapes.

    Raises
    ------
    ValueError
        Names what is missing or wrong, and what was expected.
    """
    if not isinstance(description, dict):
        raise ValueError(f"the net's description must be a dict (a JSON object), got {type(description).__name__}")
    branches = description.get("branches")
    if not isinstance(branches, list) or len(branches) != len(shapes):
        raise ValueError(
            f"description: branches must be a list of {len(shapes)}, one per attribute in the schema's order"
        )
    for k, branch in enumerate(branches):
        _check_branch(f"description: branches[{k}]", branch)
    _check_widths("description: regressor", description.get("regressor"), 1)
    output = description.get("output", "linear")
    if output not in OUTPUTS:
        raise ValueError(f"description: output must be one of {OUTPUTS}, got {output!r}")
    loss = description.get("loss", {})
    if not isinstance(loss, dict):
        raise ValueError(f"description: loss must be an object of numbers by name, got {loss!r}")
    loss = {**LOSSES, **loss}
    for name, value in loss.items():
        if name not in LOSSES:
            raise ValueError(f"description: loss has no {name!r}; there are {sorted(LOSSES)}")
        if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            raise ValueError(f"description: loss {name} must be a number of at least 0, got {value!r}")
    batch, phases = description.get("batch"), description.get("phases")
    if not isinstance(batch, int) or batch < 1:
        raise ValueError(f"description: batch must be a positive integer (queries per step), got {batch!r}")
    if not isinstance(phases, list) or not phases:
        raise ValueError(f"description: phases must be a list of one or more, got {phases!r}")
    for k, phase in enumerate(phases):
        _check_phase(f"description: phases[{k}]", phase)
    return {**description, "output": output, "loss": loss}


def _check_branch(where: str, branch: Any) -> None:
    if not isinstance(branch, dict) or branch.get("inputs") not in ("bins", "axes"):
        raise ValueError(f'{where}: inputs must be "bins" or "axes"')
    _check_widths(f"{where}: encoder", branch.get("encoder"), 1)
    _check_widths(f"{where}: decoder", branch.get("decoder"), 0)
    read = branch.get("read")
    if not isinstance(read, int) or not 1 <= read <= len(branch["encoder"]):
        raise ValueError(f"{where}: read must lie in 1..{len(branch['encoder'])} (encoder layers passed), got {read!r}")


def _check_phase(where: str, phase: Any) -> None:
    if not isinstance(phase, dict) or not isinstance(phase.get("epochs"), int) or phase["epochs"] < 1:
        raise ValueError(f"{where}: epochs must be a positive integer")
    settings = phase.get("settings")
    if not isinstance(settings, dict) or "rate" not in settings:
        raise ValueError(f"{where}: settings must hold the optimizer's, rate among them, got {settings!r}")
    try:
        optimizer(phase.get("optimizer", ""), **settings)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from None


def _check_widths(where: str, widths: Any, least: int) -> None:
    if not isinstance(widths, list) or len(widths) < least or not all(isinstance(w, int) and w > 0 for w in widths):
        raise ValueError(f"{where} must be a list of {'one or more ' if least else ''}layer widths, got {widths!r}")
