"""What the description says of graphs, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from learnviews.apps.snowcat.data_card import Once
from learnviews.apps.snowcat.pane import text
from learnviews.kernels.search import describe_graphs

if TYPE_CHECKING:
    from learnviews.kernels.search import Dataset, GraphFacts

GRAPHS = Once(describe_graphs)
NAMED = 6  # attributes


def graph_lines(data: Dataset) -> list[str]:
    """A line of HTML per graph: its size, what is special about it, its attributes."""
    return [_line(data, facts) for facts in GRAPHS.of(data)]


def size_of(data: Dataset) -> str:
    """Nodes and edges of each graph, in plain text; "" where there is none."""
    told = [f"{title(data, name)}: {_size(len(g.nodes), len(g.edges))}" for name, g in data.graphs.items()]
    return " · ".join(told)


def title(data: Dataset, name: str) -> str:
    """What a graph's file is called, where it has one."""
    resource = data.resources.get(name)
    return name if resource is None else resource.path.stem


def _line(data: Dataset, facts: GraphFacts) -> str:
    kind = f"{'directed' if facts.directed else 'undirected'}{', weighted' if facts.weighted else ''}"
    parts = [f"Graph <b>{text(title(data, facts.name))}</b>: {_size(facts.nodes, facts.edges)}, {kind}"]
    parts.append("connected" if facts.components == 1 else f"{facts.components:,} unconnected parts")
    special = {"isolated nodes": facts.isolated, "loops": facts.loops, "parallel edges": facts.parallel}
    parts += [f"{count:,} {what if count != 1 else what[:-1]}" for what, count in special.items() if count]
    parts += _attributes("nodes", facts.attributes) + _attributes("edges", facts.edge_attributes)
    if facts.columns:
        parts.append(f"nodes named by {text(' and '.join(facts.columns))}")
    return "; ".join(parts)


def _size(nodes: int, edges: int) -> str:
    return f"{nodes:,} node{'s' if nodes != 1 else ''}, {edges:,} edge{'s' if edges != 1 else ''}"


def _attributes(what: str, names: tuple[str, ...]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return [f"{what} have {text(', '.join(names[:NAMED]))}{more}"]
