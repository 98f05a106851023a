"""Steps of pipelines for problems of graphs: featurizers in front, propagation, communities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .answers import label_text
from .communities import CommunityLearner
from .graph_rules import LINKS, MATCHES, node_attributes, node_columns
from .learner import coded
from .link_features import LinkFeatures
from .match_features import MatchFeatures
from .node_features import NodeFeatures, Propagation

NO = ("0", "false", "no", "none", "absent", "unlinked", "nan", "")
"""Classes, in lower case, that say that there is no edge, where there are more than two."""


def graph_parts(names: list[str], config: Mapping, data, problem) -> list[tuple]:
    """The transformer in front of a model, as a ColumnTransformer takes it."""
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    if problem.task == LINKS:
        made: Any = Pipeline([("features", _links(config, data, problem)), ("scale", StandardScaler())])
    elif problem.task == MATCHES:
        made = Pipeline([("features", _matches(config, data, problem)), ("scale", StandardScaler())])
    else:
        made = _nodes(config, data, problem)  # it scales what is to be scaled: shares of labels stay shares
    return [("graph", made, list(problem.nodes))]


def _settings(config: Mapping, prefix: str) -> dict:
    return {name.partition(":")[2]: value for name, value in config.items() if name.startswith(f"{prefix}:")}


def _nodes(config: Mapping, data, problem) -> NodeFeatures:
    name = _graph_of(data, problem, 0)
    attributes = node_attributes(data, problem, name)
    own = tuple(each for each in attributes if each not in data.columns)
    network = data.graphs[name].network(attributes)
    return NodeFeatures(network, own=own, **{"hops": 0, **_settings(config, "nodes")})


def _links(config: Mapping, data, problem) -> LinkFeatures:
    name = _graph_of(data, problem, 0)
    network = data.graphs[name].network(node_attributes(data, problem, name), known=False)
    return LinkFeatures(
        network, linked=positive_codes(data, problem), **{"attributes": "no", **_settings(config, "pair")}
    )


def _matches(config: Mapping, data, problem) -> MatchFeatures:
    names = [_graph_of(data, problem, at) for at in (0, 1)]
    one, other = (data.graphs[name].network(node_attributes(data, problem, name)) for name in names)
    return MatchFeatures(one, other, matched=positive_codes(data, problem), **_settings(config, "match"))


def _graph_of(data, problem, at: int) -> str:
    return node_columns(data)[problem.nodes[at]]


def positive_codes(data, problem) -> tuple[int, ...]:
    """Numbers of the classes that say that two nodes are linked, or match: the positive one of two, else all that do
    not say no (see `NO`). Numbers are those that a learner gives to the classes of these rows."""
    known = data.frame[problem.targets[0]].dropna()
    labels = [label_text(value) for value in coded(np.asarray(known, dtype=object))[0]]
    if problem.subtask == "binary" and problem.positive is not None:
        return tuple(at for at, each in enumerate(labels) if each == problem.positive)
    return tuple(at for at, each in enumerate(labels) if each.strip().lower() not in NO)


def propagation(config: Mapping, data, problem) -> Propagation:
    """The model that knows nothing but the graph and the labels."""
    name = _graph_of(data, problem, 0)
    return Propagation(data.graphs[name].network(), problem.nodes[0], **_settings(config, "propagation"))


def community_learner(config: Mapping, data, problem, seed: int) -> CommunityLearner:
    """The unfitted grouping of a graph's nodes."""
    name = _graph_of(data, problem, 0)
    names = ("model", "communities", "louvain:resolution", "greedy:resolution")
    own = {key: config[key] for key in names if key in config}
    return CommunityLearner(data.graphs[name].network(), problem.nodes[0], own, seed)
