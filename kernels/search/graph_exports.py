"""Graphs beside exported models: a table of nodes says nothing of their edges, and to train again needs them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .graph_data import attached, node_columns
from .study_files import read_graphs, write_graphs

if TYPE_CHECKING:
    from .data import Dataset
    from .model import Model
    from .problem import Problem


def written(model: Model, folder: Path) -> dict[str, Any]:
    """What pipeline.json says of the graphs that were written to a folder, and of the columns that name their nodes."""
    of = node_columns(model.data)
    nodes = {name: of[name] for name in model.problem.nodes or ()}
    return {"graphs": write_graphs(folder, {name: model.data.graphs[name] for name in nodes.values()}), "nodes": nodes}


def with_graphs(data: Dataset, problem: Problem, about: dict[str, Any], folder: Path) -> Dataset:
    """Rows with the graphs they are about: their own, where they came with some, else the exported ones.

    Edges between the nodes of a row are asked for (see `Graph.asked`), those of the new rows and of the first ones.
    """
    if set(problem.nodes or ()) <= set(node_columns(data)):
        return data
    graphs, nodes = read_graphs(folder, about["graphs"]), about["nodes"]
    for name, graph in graphs.items():
        columns = [column for column in problem.nodes or () if nodes[column] == name]
        if all(column in data.columns for column in columns):
            data = attached(data, replace(graph, notes=()), columns)
            data = replace(data, graphs={**data.graphs, name: _asked_of_both(data.graphs[name], graph)})
    return data


def _asked_of_both(new: Any, old: Any) -> Any:
    if new.asked is None or old.asked is None:
        return new
    return replace(new, asked=new.asked | old.asked)
