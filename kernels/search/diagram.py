"""Pipelines to read: as text, as nodes and edges of a diagram, and as a matrix of steps by models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..figures import figure
from .model import input_columns

if TYPE_CHECKING:
    import pandas as pd

    from .model import Model


def text(model: Model) -> str:
    """A numbered line per step, with its settings below it; of an ensemble all members, one after the other."""
    problem = model.problem
    lines = [model.name, "", f"input: {', '.join(input_columns(problem)) or 'no columns'}"]
    for member, weight in model.members:
        lines += ["", f"{weight:.0%} {member.name}", *_step_lines(member)]
    lines += [""] if model.members else _step_lines(model)
    lines.append(f"output: {', '.join(problem.targets) or 'cluster'} ({problem.task})")
    return "\n".join(lines) + "\n"


def _step_lines(model: Model) -> list[str]:
    lines = []
    for number, step in enumerate(model.steps(), 1):
        lines.append(f"{number}. {step.name}: {step.what}")
        lines += [f"   {name} = {_shown(value)}" for name, value in step.settings.items()]
    return lines


def diagram(model: Model) -> dict[str, list[dict[str, Any]]]:
    """Nodes (id, label, kind, settings) and edges (source, target) from the features to the prediction.

    kind: "input", "step", "average" or "output". Of an ensemble: a branch per member, joined by an average. All values
    are plain: ready for JSON.
    """
    problem, branches = model.problem, [(f"model{m.number}-", m) for m, _ in model.members] or [("", model)]
    nodes, edges = [_node("input", ", ".join(input_columns(problem)), "input", {})], []
    end = "average" if model.members else "output"
    for prefix, member in branches:
        steps = [
            _node(f"{prefix}step{number}", f"{step.name}: {step.what}", "step", step.settings)
            for number, step in enumerate(member.steps(), 1)
        ]
        path = ["input", *(step["id"] for step in steps), end]
        nodes += steps
        edges += [{"source": source, "target": target} for source, target in pairwise(path)]
    if model.members:
        weights = {f"{member.number}: {member.name}": weight for member, weight in model.members}
        nodes.append(_node(end, "weighted average", "average", weights))
        edges.append({"source": end, "target": "output"})
    nodes.append(_node("output", ", ".join(problem.targets) or "cluster", "output", {}))
    return {"nodes": nodes, "edges": edges}


def step_matrix(models: Sequence[Model]) -> pd.DataFrame:
    """True where a model has a step; rows: models by number, columns: (step, what it does), the most used first."""
    import pandas as pd

    found = {model.number: {(step.name, step.what): True for step in model.steps()} for model in models}
    matrix = pd.DataFrame.from_dict(found, orient="index", dtype=object).notna().rename_axis("model")
    matrix.columns = pd.MultiIndex.from_tuples(list(matrix.columns), names=["step", "what"])
    return matrix[matrix.sum().sort_values(ascending=False, kind="stable").index]


def _node(id_: str, label: str, kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": id_, "label": label, "kind": kind, "settings": {name: plain(each) for name, each in settings.items()}}


def _shown(value: Any) -> str:
    return figure(value) if isinstance(value, float) else str(plain(value))


def plain(value: Any) -> Any:
    """A value that JSON knows: NumPy scalars and arrays as Python's own, whatever else as text."""
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
