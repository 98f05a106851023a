"""Element for a graph: its nodes as marks, its edges as lines between them, and what is said of either."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dimension, Element2D

from .dimensions import default_dimensions
from .node_places import NodePlaces
from .pipeline import unrecorded
from .row_linked import RowLinked

EXPECTED = ("expected", "found", "missed")
"""Kinds of links that are there, as the data tell."""
PREDICTED = ("found", "wrongly predicted")
"""Kinds of links that a model says are there."""
WRONG = ("missed", "wrongly predicted")
KINDS = ("expected", "none", "found", "missed", "wrongly predicted", "rightly none")
"""What a row about a pair of nodes may say of the link between them; -1: nothing."""


class NodeLink(RowLinked, Element2D):
    """A mark per node, coloured by what is said of it, and a line per edge.

    Parameters
    ----------
    data : table of (x, y, value)
        Places of the nodes, and what they are coloured by: numbers of labels (-1: none), or values.
    names : (nodes,) array of str
    edges : (edges, 2) int array
        Positions of both ends.
    ids, marks : arrays
        Ids of rows, and the node each is about. A row about a pair of nodes is there twice: see `links`.
    links : (pairs, 2) int array
        Of rows about pairs, both nodes. Their ids come first in `ids`, once for the one node and once more, in the
        same order, for the other.
    kinds : (pairs,) int array
        Of each, what is known of the link: a number in `node_link.KINDS`, or -1.
    shown : tuple of str
        Kinds that are drawn.
    labels, by, inks
        What the numbers stand for, what the colour tells, and the number of each label's colour.
    wrong : (nodes,) bool array
        Nodes to mark, as a model is wrong about them.
    about : sequence of str
        Per node, further lines for its tooltip.
    directed : bool
    sides : list of (str, int)
        Of several graphs side by side, the name of each and how many nodes it has.
    paths : (edges, samples, 2) array, optional
        Bundled edges; without, they are straight.
    node_places : NodePlaces, optional
        Where nodes are now that the user drags them; several elements may share it.
    selection : RowSelection, optional
        Pointing at a node or link lights its rows, clicking keeps them; rows lit or kept elsewhere show here.

    Raises
    ------
    ValueError
        If parts do not fit each other; the message says which.
    """

    group = param.String(default="NodeLink", constant=True)

    kdims = param.List(
        default=[Dimension("x"), Dimension("y")], item_type=Dimension, bounds=(2, 2), doc="Places of the nodes."
    )

    vdims = param.List(default=[Dimension("value")], item_type=Dimension, bounds=(1, None), doc="What is coloured by.")

    names: Any = param.Array(default=np.zeros(0, dtype=object), doc="Names of the nodes.")
    edges: Any = param.Array(default=np.zeros((0, 2), dtype=np.int64), doc="Positions of both ends of each edge.")
    links: Any = param.Array(default=np.zeros((0, 2), dtype=np.int64), doc="Nodes of the rows about pairs.")
    kinds: Any = param.Array(default=np.zeros(0, dtype=np.int64), doc="What is known of each such link.")
    shown: Any = param.Parameter(default=EXPECTED[:1] + KINDS[2:5], doc="Kinds of links that are drawn.")
    labels: Any = param.List(default=[], doc="Names of the numbers; empty: values.")
    inks: Any = param.List(default=[], doc="Number of each label's colour; by default in their order.")
    by: Any = param.String(default="", doc="What the colour tells.")
    wrong: Any = param.Array(default=np.zeros(0, dtype=bool), doc="Nodes that a model is wrong about.")
    about: Any = param.Parameter(default=(), doc="Further lines of each node's tooltip.")
    directed: Any = param.Boolean(default=False, doc="Whether edges have a direction.")
    sides: Any = param.List(default=[], doc="Name and number of nodes of each graph, where there are several.")
    paths: Any = param.Parameter(default=None, doc="Bundled edges.")
    node_places: Any = param.ClassSelector(class_=NodePlaces, default=None, allow_None=True, doc="Where nodes are now.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        size = len(self)
        self.check_rows(size)
        for name, most in (("edges", size), ("links", size)):
            ends = getattr(self, name)
            if ends.ndim != 2 or ends.shape[1] != 2 or (len(ends) and not (ends.min() >= 0 and ends.max() < most)):
                raise ValueError(f"expected {name} as pairs of positions of nodes, from 0 to {most - 1}")
        if len(self.names) not in (0, size) or len(self.wrong) not in (0, size) or len(self.about) not in (0, size):
            told = f"{len(self.names)}, {len(self.wrong)} and {len(self.about)}"
            raise ValueError(f"expected names, wrong and about of all {size} nodes or none, got {told}")
        if len(self.kinds) != len(self.links) or len(self.ids) < 2 * len(self.links):
            raise ValueError(f"expected a kind and two ids per link, {len(self.links)}, got {len(self.kinds)}")
        if unknown := set(self.shown) - set(KINDS):
            raise ValueError(f"no kind of links {min(unknown)!r}; there are {', '.join(KINDS)}")
        if self.paths is not None and (self.paths.ndim != 3 or len(self.paths) != len(self.edges)):
            raise ValueError(f"expected a path per edge, {len(self.edges)}, got {len(self.paths)}")
        value = self.dimension_values(2)
        if self.labels and len(value) and not (value.min() >= -1 and value.max() < len(self.labels)):
            raise ValueError(f"expected numbers of labels from -1 to {len(self.labels) - 1}")
        if self.node_places is None:
            self.node_places = NodePlaces(places=self.start)
        elif len(self.node_places.places) != size:
            raise ValueError(f"expected places of {size} nodes, got {len(self.node_places.places)}")

    @classmethod
    def from_graph(cls, graph: Any, color: Any = None, **params: Any) -> NodeLink:
        """Of a graph alone, whose nodes are the rows.

        Parameters
        ----------
        graph : graph of networkx, hv.Graph, kernels.search.Graph, or the path of a graph's file
        color : str or sequence, optional
            An attribute of the nodes, or a label or number per node.

        Raises
        ------
        ValueError, TypeError
            If there is no such attribute, or it is no graph.
        """
        from .node_link_rows import of_graph

        return of_graph(cls, graph, color, params)

    @classmethod
    def from_data(
        cls,
        data: Any,
        graph: str | None = None,
        color: str | None = None,
        target: str | None = None,
        positive: str | None = None,
        only: Any = None,
        **params: Any,
    ) -> NodeLink:
        """Of a data set with graphs, and its rows.

        Parameters
        ----------
        data : Dataset, or whatever `kernels.search.load` takes
        graph : str, optional
            Which graph; by default the one that rows name, or both side by side, where rows are about a node of each.
        color : str, optional
            Column, or attribute of the nodes, to colour by; `node_link_rows.COMMUNITIES`; "" for nothing. By default
            a suggested target.
        target, positive : str, optional
            Of rows about pairs: which column says that there is a link, by which label.
        only : sequence, optional
            Ids of the rows whose values are told; by default all.

        Raises
        ------
        ValueError
            If it has no graph, or there is no such column.
        """
        from ..kernels.search.data import load
        from .node_link_rows import of_data

        return of_data(cls, load(data), graph, color, (target, positive), only, params)

    @classmethod
    def from_model(
        cls,
        model: Any,
        color: str = "prediction",
        split: str | None = None,
        graph: str | None = None,
        alike: Any = None,
        **params: Any,
    ) -> NodeLink:
        """Of what a `kernels.search.Model`, or the best one of a study, says of its nodes or links.

        Parameters
        ----------
        color : {"prediction", "truth", "error"}
            What nodes are coloured by; links are drawn by whether they are found, missed or wrongly predicted.
        split : {"train", "holdout"}, optional
            Rows that are judged; the others are there, but in grey. By default all.
        alike : Series, optional
            Of communities: labels by row id, whose colours those that have most rows in common get.

        Raises
        ------
        ValueError
            If its data have no graph, or there is no such colour or split.
        """
        from .node_link_rows import of_model

        return of_model(cls, getattr(model, "best", model), color, split, graph, alike, params)

    @cached_property
    def start(self) -> np.ndarray:
        """(nodes, 2) places as they were laid out."""
        return np.column_stack([self.dimension_values(i).astype(float) for i in range(2)]) if len(self) else _NONE

    @property
    def places(self) -> np.ndarray:
        """(nodes, 2) places as they are now."""
        return self.node_places.places

    @cached_property
    def degrees(self) -> np.ndarray:
        """(nodes,) ends of edges at each."""
        return np.bincount(self.edges.ravel(), minlength=len(self))

    @property
    def link_ids(self) -> np.ndarray:
        """Ids of the rows about pairs."""
        return self.ids[: len(self.links)]

    @unrecorded
    def called(self, node: int) -> str:
        """Of a node."""
        return str(self.names[node]) if len(self.names) else str(node)

    @unrecorded
    def told(self, node: int) -> str:
        """What the colour of a node says, as text."""
        value = self.dimension_values(2)[node]
        if self.labels:
            return self.labels[int(value)] if value >= 0 else "none"
        return "none" if value != value else f"{value:.6g}"

    @unrecorded
    def said(self, node: int) -> list[str]:
        """All that is known of a node, in lines: its name first."""
        lines = [f"node {self.called(node)}"]
        if self.by:
            lines.append(f"{self.by}: {self.told(node)}{', wrong' if len(self.wrong) and self.wrong[node] else ''}")
        lines.append(f"{self.degrees[node]:,} edge{'s' if self.degrees[node] != 1 else ''}")
        about = self.about[node].splitlines() if len(self.about) else []
        return [*lines, *(line for line in about if line != f"{self.by}: {self.told(node)}")]  # which is said already

    @unrecorded
    def said_of_link(self, link: int) -> list[str]:
        """All that is known of a row about a pair of nodes."""
        u, v = self.links[link]
        kind = self.kinds[link]
        ends = f"{self.called(u)} {'→' if self.directed else '–'} {self.called(v)}"
        return [ends, *([KINDS[kind]] if kind >= 0 else []), f"row {self.ids[link]}"]

    @unrecorded
    def links_in(self, there: np.ndarray) -> np.ndarray:
        """Positions of the links whose rows a mask of `mask_of` has."""
        return np.flatnonzero(there[: len(self.links)])

    @cached_property
    def drawn_links(self) -> np.ndarray:
        """Positions of the links that are drawn."""
        return np.flatnonzero(np.isin(self.kinds, [KINDS.index(kind) for kind in self.shown]))

    @unrecorded
    def nearest(self, x: float, y: float, reach: tuple[float, float]) -> int | None:
        """The node nearest to a place, by distances in units of `reach`; None where none is within it."""
        if not len(self):
            return None
        far = (((self.places - (x, y)) / reach) ** 2).sum(axis=1)
        found = int(far.argmin())
        return found if far[found] <= 1 else None

    def toggled(self, expected: bool = True, predicted: bool = True, wrong: bool = False) -> NodeLink:
        """The same with expected links, and predicted ones, drawn or not; `wrong`: of these only the wrong ones."""
        shown = [kind for kind in KINDS if (expected and kind in EXPECTED) or (predicted and kind in PREDICTED)]
        return self.clone(shown=tuple(kind for kind in shown if not wrong or kind in WRONG))

    def to_graph(self) -> Any:
        """As HoloViews' own `hv.Graph`, for its operations; with the bundled paths where there are some."""
        import holoviews as hv

        x, y = self.places.T
        index = np.arange(len(self))
        names = np.array([self.called(at) for at in index], dtype=object)
        nodes = hv.Nodes((x, y, index, names, self.dimension_values(2)), vdims=["name", "value"])
        parts = [tuple(self.edges.T), nodes]
        return hv.Graph((*parts, list(self.paths)) if self.paths is not None else tuple(parts))


_NONE = np.zeros((0, 2))


def pairs(ends: Iterable[Sequence[int]] | np.ndarray) -> np.ndarray:
    """Ends of edges as an (edges, 2) int array."""
    return np.asarray(list(ends) if not isinstance(ends, np.ndarray) else ends, dtype=np.int64).reshape(-1, 2)


def ordered(
    values: pd.Series, classes: Iterable[str] | None = None, alike: pd.Series | None = None
) -> tuple[np.ndarray, list[str], list[int]]:
    """Numbers of labels (-1: missing), the labels, and the number of each one's colour.

    Parameters
    ----------
    values : Series of labels
    classes : iterable of str, optional
        All labels there may be, in the order of their colours: so that a label has the same one in all views. By
        default those that occur, see `class_order`.
    alike : Series of labels, same index, optional
        Labels with most rows in common get the same colours.
    """
    texts = values.map(str, na_action="ignore")
    every = list(dict.fromkeys([*(class_order(texts) if classes is None else classes), *texts.dropna()]))
    there = set(texts.dropna())
    labels = [label for label in every if label in there]
    place = {label: at for at, label in enumerate(labels)}
    numbers = np.array([place.get(each, -1) if isinstance(each, str) else -1 for each in texts], dtype=np.int64)
    inks = [every.index(label) for label in labels]
    if alike is not None and labels:
        inks = _matched(numbers, ordered(alike.reindex(values.index))[0], len(labels))
    return numbers, labels, inks


def class_order(values: pd.Series, looks: int = 40) -> list[str]:
    """Labels by their names, numbers by size; of more than there are looks the commonest first."""
    counts = values.dropna().map(str).value_counts()
    names = sorted(counts.index, key=_by_name)
    return names if len(names) <= looks else sorted(names, key=lambda name: -counts[name])


def _by_name(label: str) -> tuple[float, str]:
    try:
        return float(label), label
    except ValueError:
        return float("inf"), label


def _matched(numbers: np.ndarray, others: np.ndarray, size: int) -> list[int]:
    """Of each number, the other one that most rows with it have, each taken once."""
    from scipy.optimize import linear_sum_assignment

    both = (numbers >= 0) & (others >= 0)
    many = max(int(others.max(initial=-1)) + 1, 1)
    shared = np.bincount(numbers[both] * many + others[both], minlength=size * many).reshape(size, many)
    rows, columns = linear_sum_assignment(shared, maximize=True)
    found = {int(r): int(c) for r, c in zip(rows, columns, strict=True) if shared[r, c]}
    free = (each for each in range(size + many) if each not in found.values())
    return [found[at] if at in found else next(free) for at in range(size)]
