"""Layouts and bundles of graphs: made by a thread of their own, once for all pages, and kept with the project."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache, partial
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from learnviews.grammar.node_places import NodePlaces
from learnviews.kernels.progress import Progress
from learnviews.kernels.search.graph_drawing import paths_of, places_of

if TYPE_CHECKING:
    import numpy as np

    from learnviews.apps.snowcat.project import Project
    from learnviews.apps.snowcat.workspace import Workspace
    from learnviews.kernels.search.graphs import Graph

FOLDER = "layouts"  # of a project
BUNDLED = 3000  # edges above which they are bundled, and drawn as an image
STAGES = {"places": places_of, "paths": paths_of}
_lock = Lock()
_all: WeakKeyDictionary[Project, dict[Graph, Drawing]] = WeakKeyDictionary()
_moved: WeakKeyDictionary[Workspace, dict[tuple[str, ...], NodePlaces]] = WeakKeyDictionary()


@lru_cache(1)
def _thread() -> ThreadPoolExecutor:
    """Of this process; made when first needed, after a fork. Other work is not kept waiting by a large graph."""
    return ThreadPoolExecutor(1, "drawing graphs")


class Drawing:
    """What is known of how a graph is drawn.

    Parameters
    ----------
    project : Project
    graph : Graph
    """

    def __init__(self, project: Project, graph: Graph) -> None:
        self.graph, self._folder = graph, project.folder / FOLDER
        self._made: dict[str, Future[Any]] = {}
        self._progress = Progress()
        self._watching: list[Callable[[], None]] = []

    @classmethod
    def of(cls, project: Project, graph: Graph) -> Drawing:
        """The one of a project's graph, for all pages."""
        with _lock:
            return _all.setdefault(project, {}).setdefault(graph, cls(project, graph))

    @property
    def many(self) -> bool:
        """Whether its edges are so many that they are bundled."""
        return len(self.graph.edges) > BUNDLED

    @property
    def places(self) -> np.ndarray | None:
        """Of the nodes, where they are known; raises what went wrong."""
        return self._result("places")

    @property
    def paths(self) -> np.ndarray | None:
        """Of the edges, where they are bundled."""
        return self._result("paths")

    def ask(self, stage: str, heard: Callable[[], None]) -> None:
        """Have it made, unless it was; `heard` is called, from the thread, as it goes on and when it is done."""
        begun = None
        with _lock:
            self._watching.append(heard)
            if stage not in self._made:
                self._made[stage] = begun = _thread().submit(self._work, stage)
        if begun is not None:  # not while locked: what is done already tells at once, from this thread
            begun.add_done_callback(lambda _: self._tell())

    def forget(self, heard: Callable[[], None]) -> None:
        """Do not call it any more."""
        with _lock:
            self._watching = [each for each in self._watching if each != heard]

    def words(self) -> str:
        """What goes on, in words; "" where nothing does."""
        going = next((stage for stage, future in self._made.items() if not future.done()), None)
        if going is None:
            return ""
        told = self._progress
        share = f" {told.done / told.total:.0%}" if told.total and told.done else ""
        return f"{'Placing the nodes' if going == 'places' else 'Bundling the edges'}…{share}"

    def _work(self, stage: str) -> Any:
        self._progress = Progress(lambda _: self._tell(), interval=0.3)
        found = STAGES[stage](self.graph, self._folder, self._progress)
        if stage == "places" and self.many:
            from learnviews.grammar.node_link_raster import warm

            warm()
        return found

    def _result(self, stage: str) -> Any:
        future = self._made.get(stage)
        return future.result() if future is not None and future.done() else None

    def _tell(self) -> None:
        with _lock:
            watching = list(self._watching)
        for heard in watching:
            with contextlib.suppress(RuntimeError):  # its page has just been closed
                heard()


class Drawn:
    """The graphs that one card shows: asks for what is missing, and draws the card anew when it is there.

    Parameters
    ----------
    room : Workspace
    tell : callable
        Called on the session's thread whenever something is new: progress, places or paths.
    """

    def __init__(self, room: Workspace, tell: Callable[[], None]) -> None:
        self.room, self._tell = room, tell
        self._drawings: list[Drawing] = []
        self._hear = partial(room.session.soon, self._heard)
        self._open = True

    def use(self, graphs: Iterable[Graph]) -> None:
        """Show these from now on."""
        assert self.room.project is not None
        self._forget()
        self._drawings = [Drawing.of(self.room.project, graph) for graph in graphs]
        for each in self._drawings:
            if each.places is None:
                each.ask("places", self._hear)

    def bundle(self) -> None:
        """Ask for bundles of those with many edges; to be called once they are drawn with straight ones."""
        for each in self._drawings:
            if each.many and each.paths is None:
                each.ask("paths", self._hear)

    def ready(self) -> bool:
        """Whether all nodes have their places."""
        return all(each.places is not None for each in self._drawings)

    def told(self) -> dict[str, Any]:
        """Places, paths and what was dragged, as `NodeLink`'s constructors take them."""
        found: dict[str, Any] = {"places": [each.places for each in self._drawings]}
        paths = [each.paths for each in self._drawings]
        if any(each.many for each in self._drawings) and all(
            path is not None or not each.many for path, each in zip(paths, self._drawings, strict=True)
        ):
            found["paths"] = [path if path is not None else _straight(each) for path, each in self._pairs(paths)]
        moved = _moved.setdefault(self.room, {}).get(self._key)
        return found if moved is None else found | {"node_places": moved}

    def keep(self, element: Any) -> None:
        """Have other cards of the page move their nodes with those of an element."""
        known = _moved.setdefault(self.room, {}).get(self._key)
        if known is None or len(known.places) != len(element):
            _moved[self.room][self._key] = element.node_places

    def words(self) -> str:
        """What goes on, in words."""
        return " ".join(filter(None, (each.words() for each in self._drawings)))

    @property
    def bundled(self) -> int:
        """How many graphs are bundled: when this changes, the card is drawn anew."""
        return sum(each.paths is not None for each in self._drawings)

    def close(self) -> None:
        """The card is gone."""
        self._open = False
        self._forget()

    @property
    def _key(self) -> tuple[str, ...]:
        return tuple(f"{id(each.graph)}" for each in self._drawings)

    def _pairs(self, paths: list[Any]) -> Any:
        return zip(paths, self._drawings, strict=True)

    def _forget(self) -> None:
        for each in self._drawings:
            each.forget(self._hear)

    def _heard(self) -> None:
        if self._open:
            with self.room.session.together():
                self._tell()


def _straight(drawing: Drawing) -> np.ndarray:
    from learnviews.kernels.search.bundling import SAMPLES, straight

    assert drawing.places is not None
    return straight(drawing.places, drawing.graph.network().ends, SAMPLES)
