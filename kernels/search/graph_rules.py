"""Which columns name the nodes that a problem of graphs is about: the rules that complete such a problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .tasks import COMMUNITIES, GRAPHS, TASKS

if TYPE_CHECKING:
    from .data import Dataset
    from .problem import Problem

LINKS, MATCHES = "linkPrediction", "graphMatching"
PAIRS = (LINKS, MATCHES)
"""Tasks whose rows are pairs of nodes."""
VERTICES = ("vertexClassification", "vertexNomination")


def node_columns(data: Dataset) -> dict[str, str]:
    """Columns that name nodes, and the graph of each."""
    from .graph_data import node_columns

    return node_columns(data) if data.graphs else {}


def natural_graph_task(data: Dataset) -> str | None:
    """The task of labels in a table whose rows are about nodes, or pairs of them; None in any other."""
    of = node_columns(data)
    if len(of) == 1:
        return VERTICES[0]
    if len(of) == 2:
        return LINKS if len(set(of.values())) == 1 else MATCHES
    return None


def with_nodes(problem: Problem, data: Dataset) -> Problem:
    """A problem of graphs with the columns of its nodes, those it names or those found; any other as it is.

    Raises
    ------
    ValueError
        If there are no such columns, or those named cannot be; the message says what would do.
    """
    if problem.task not in GRAPHS:
        return problem
    of = node_columns(data)
    nodes = problem.nodes or _found(problem, data, of)
    for name in nodes:
        if name not in of:
            raise ValueError(f"{name!r} names no nodes of a graph of {data.name}; {_there(data, of)}")
        if name in problem.targets:
            raise ValueError(f"{name!r} names nodes: it cannot be the target as well")
    _check(problem, data, nodes, of)
    return problem.with_(nodes=tuple(nodes), score=problem.score, reason=problem.reason)


def _found(problem: Problem, data: Dataset, of: dict[str, str]) -> tuple[str, ...]:
    able = [name for name in of if name not in problem.targets]
    if problem.task == LINKS:
        pairs = [(a, b) for at, a in enumerate(able) for b in able[at + 1 :] if of[a] == of[b]]
        return pairs[0] if pairs else ()
    if problem.task == MATCHES:
        pairs = [(a, b) for at, a in enumerate(able) for b in able[at + 1 :] if of[a] != of[b]]
        return pairs[0] if pairs else ()
    return (able[0],) if len(able) == 1 else ()


def _check(problem: Problem, data: Dataset, nodes: tuple[str, ...], of: dict[str, str]) -> None:
    title, there = TASKS[problem.task or ""].title, _there(data, of)
    if problem.task == LINKS:
        if len(nodes) != 2 or len({of[name] for name in nodes}) != 1:
            hint = "; search.links(data) makes such pairs of its edges" if data.graphs and len(of) == 1 else ""
            raise ValueError(f"{title} needs two columns that name nodes of one graph: {there}{hint}")
    elif problem.task == MATCHES:
        if len({of[name] for name in nodes}) != 2 or len(nodes) != 2:
            raise ValueError(f"{title} needs two columns that name nodes of two different graphs: {there}")
    elif len(nodes) != 1:
        raise ValueError(f"{title} needs one column that names nodes of a graph: {there}")
    graph = data.graphs[of[nodes[0]]]
    if not len(graph.edges) and problem.task in (LINKS, *COMMUNITIES):
        raise ValueError(f"graph {graph.name!r} has no edges: {title} has nothing to go by")


def _there(data: Dataset, of: dict[str, str]) -> str:
    if not data.graphs:
        return f"{data.name} has no graph (Dataset.with_graph adds one)"
    if not of:
        return f"no column of {data.name} names nodes of its graphs (Dataset.with_graph says which do)"
    return f"{data.name} has " + ", ".join(f"{name!r} (graph {graph!r})" for name, graph in of.items())


def node_attributes(data: Dataset, problem: Problem, graph: str) -> list[str]:
    """Attributes of a graph's nodes that a model may look at: no targets, nothing privileged, and of those that are
    columns of the table only the chosen features."""
    barred = {*problem.targets, *problem.privileged}
    chosen = set(problem.features or ())
    names = data.graphs[graph].attributes
    return [n for n in names if n not in barred and (n not in data.columns or n in chosen)]
