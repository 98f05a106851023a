"""What can be chosen where rows are nodes of a graph, or pairs of them; and strong choices to begin with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .graph_rules import LINKS, MATCHES, VERTICES, node_attributes, node_columns
from .hyperparameters import Choice, Float, Hyperparameter, Integer, When

if TYPE_CHECKING:
    from .data import Dataset
    from .problem import Problem

FINDERS = ("louvain", "greedy", "labels", "parts", "blocks")
MOST_NODES = {"greedy": 3000, "parts": 50_000, "blocks": 1500}
"""Beyond so many nodes a way to find communities is too slow to be offered."""
MANY, RELAXED = 2000, 300
"""Nodes up to which assignments of all to all are offered, and their relaxation."""


def graph_settings(data: Dataset, problem: Problem, learned: When) -> list[Hyperparameter]:
    """Hyper-parameters of the featurizer in front, active where `learned` holds."""
    makers = {LINKS: _of_links, MATCHES: _of_matches, **dict.fromkeys(VERTICES, _of_nodes)}
    found = makers[problem.task or ""](data, problem)
    return [replace(each, when=(*learned, *each.when)) for each in found]


def _of_nodes(data: Dataset, problem: Problem) -> list[Hyperparameter]:
    graph = _graphs(data, problem)[0]
    found: list[Hyperparameter] = [
        Choice("nodes:structure", ("yes", "no")),
        Integer("nodes:dimensions", 0, min(32, len(data.graphs[graph].nodes) - 1), 0),
        Choice("nodes:labels", ("both", "neighbours", "propagation", "none")),
        Float("nodes:damping", 0.3, 0.98, 0.85, when=(("nodes:labels", ("both", "propagation")),)),
    ]
    if node_attributes(data, problem, graph):
        found.append(Choice("nodes:hops", (1, 2, 3, 0)))
    return found


def _of_links(data: Dataset, problem: Problem) -> list[Hyperparameter]:
    graph = _graphs(data, problem)[0]
    most = max(2, min(32, len(data.graphs[graph].nodes) - 1))
    embedded = (("pair:embedding", ("factors", "spectral")),)
    found: list[Hyperparameter] = [
        Choice("pair:scores", ("yes", "no")),
        Choice("pair:embedding", ("factors", "spectral", "none")),
        Integer("pair:dimensions", 2, most, min(8, most), True, embedded),
        Choice("pair:products", ("no", "yes"), when=embedded),
    ]
    if node_attributes(data, problem, graph):
        found.append(Choice("pair:attributes", ("yes", "no")))
    return found


def _of_matches(data: Dataset, problem: Problem) -> list[Hyperparameter]:
    sizes = [len(data.graphs[name].nodes) for name in _graphs(data, problem)]
    assigned = ("none", *(("linear",) if max(sizes) <= MANY else ()), *(("relaxed",) if max(sizes) <= RELAXED else ()))
    return [
        Choice("match:structure", ("yes", "no")),
        Integer("match:rounds", 0, 3, 1),
        Integer("match:dimensions", 0, max(2, min(32, min(sizes) - 1)), 0),
        Choice("match:assignment", assigned),
    ]


def _graphs(data: Dataset, problem: Problem) -> list[str]:
    of = node_columns(data)
    return [of[name] for name in problem.nodes or ()]


def propagation_settings(data: Dataset, problem: Problem, models: tuple[str, ...]) -> list[Hyperparameter]:
    """Of the model "propagation", where it is offered."""
    if "propagation" not in models:
        return []
    when = (("model", ("propagation",)),)
    weights = data.graphs[_graphs(data, problem)[0]].weights() is not None
    found: list[Hyperparameter] = [Float("propagation:damping", 0.3, 0.99, 0.85, when=when)]
    return [*found, *([Choice("propagation:weights", ("no", "yes"), when=when)] if weights else [])]


def finders(data: Dataset, problem: Problem) -> list[str]:
    """Ways to find communities that are quick enough for the graph."""
    size = len(data.graphs[_graphs(data, problem)[0]].nodes)
    return [name for name in FINDERS if size <= MOST_NODES.get(name, 10**9)]


def community_settings(data: Dataset, problem: Problem, models: tuple[str, ...], outcomes: int) -> list[Hyperparameter]:
    """Hyper-parameters of communities; `outcomes`: how many the truth knows, 0 where there is none."""
    size = len(data.graphs[_graphs(data, problem)[0]].nodes)
    most = max(2, min(size - 1, 200, max(20, 2 * outcomes)))
    usual = min(most, max(2, outcomes or round(size**0.5 / 2)))
    counted = tuple(name for name in ("parts", "blocks") if name in models)
    found: list[Hyperparameter] = [
        Float(f"{name}:resolution", 0.05, 10.0, 1.0, log=True, when=(("model", (name,)),))
        for name in ("louvain", "greedy")
        if name in models
    ]
    if counted and problem.clusters:
        found.append(Choice("communities", (problem.clusters,), when=(("model", counted),)))
    elif counted:
        found.append(Integer("communities", 2, most, usual, log=True, when=(("model", counted),)))
    return found


COMMUNITY_STARTS: list[dict] = [
    {"model": "louvain"},
    {"model": "blocks"},
    {"model": "parts"},
    {"model": "greedy"},
    {"model": "louvain", "louvain:resolution": 0.5},
    {"model": "greedy", "greedy:resolution": 0.5},
    {"model": "labels"},
    {"model": "louvain", "louvain:resolution": 2.0},
]
VERTEX_STARTS: list[dict] = [
    {"model": "propagation"},
    {"model": "linear", "linear:strength": 3.0, "nodes:structure": "no"},
    {"model": "forest", "forest:trees": 100, "forest:features": 0.3},
    {"model": "linear", "linear:strength": 10.0, "nodes:structure": "no", "nodes:labels": "none"},
    {"model": "extra", "extra:trees": 200, "extra:features": 0.3},
    {"model": "linear", "linear:strength": 3.0, "nodes:structure": "no", "nodes:hops": 2},
    {"model": "propagation", "propagation:damping": 0.6},
    {"model": "boosting", "boosting:trees": 60, "boosting:rate": 0.12, "encode": "ordinal"},
    {"model": "svm", "svm:penalty": 5.0, "svm:gamma": 0.5, "nodes:structure": "no"},
    {"model": "linear", "nodes:dimensions": 8},
    {"model": "discriminant", "discriminant:shrinkage": 0.6, "nodes:structure": "no"},
    {"model": "extra", "extra:trees": 200, "nodes:dimensions": 8, "balance": "balanced"},
    {"model": "mlp", "mlp:width": 64, "mlp:decay": 1e-1, "nodes:structure": "no"},
]
LINK_STARTS: list[dict] = [
    {"model": "linear"},
    {"model": "forest", "forest:trees": 100, "forest:leaf": 2},
    {"model": "extra", "extra:trees": 200, "extra:leaf": 2},
    {"model": "linear", "linear:strength": 10.0, "pair:embedding": "spectral"},
    {"model": "boosting", "boosting:trees": 80, "boosting:rate": 0.08, "boosting:leaves": 8},
    {"model": "extra", "extra:trees": 200, "extra:leaf": 2, "pair:embedding": "spectral", "pair:products": "yes"},
    {"model": "svm", "svm:penalty": 3.0, "svm:gamma": 0.5},
    {"model": "linear", "linear:strength": 10.0, "pair:embedding": "none"},
    {"model": "mlp", "mlp:width": 32, "mlp:decay": 1e-1},
    {"model": "forest", "forest:trees": 200, "forest:leaf": 3, "pair:dimensions": 16},
]
MATCH_STARTS: list[dict] = [
    {"model": "forest", "forest:trees": 60, "match:rounds": 0, "match:structure": "no"},
    {"model": "linear", "match:rounds": 0},
    {"model": "extra", "extra:trees": 120, "extra:leaf": 2},
    {"model": "boosting", "boosting:trees": 60, "boosting:rate": 0.12},
    {"model": "forest", "forest:trees": 200, "match:assignment": "linear"},
    {"model": "linear", "match:dimensions": 8},
    {"model": "svm", "svm:penalty": 5.0, "svm:gamma": 0.5},
    {"model": "extra", "extra:trees": 200, "match:dimensions": 8, "match:rounds": 2},
    {"model": "forest", "forest:trees": 200, "match:assignment": "relaxed", "match:dimensions": 8},
]
STARTS = {
    **dict.fromkeys(VERTICES, VERTEX_STARTS),
    LINKS: LINK_STARTS,
    MATCHES: MATCH_STARTS,
}
