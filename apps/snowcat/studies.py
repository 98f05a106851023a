"""Studies that go on while pages come and go: in this process by a thread each, or in another one, followed by a look
now and then."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnviews.kernels import search

if TYPE_CHECKING:
    from learnviews.kernels.search import Dataset, Model, Problem

LOOK = 1.0  # seconds between two looks at a study that another process runs


class LiveStudy:
    """A study and what goes on in it, shared by all pages of this process.

    Attributes
    ----------
    name : str
        Of its folder.
    study : search.Study
    problem_id : str or None
        Of the problem in the project's list from which it was begun.
    state : str
        "running", "paused" (stopped by the user), "ended", "failed" or "elsewhere" (another process runs it).
    why : str
        Why it failed.
    """

    def __init__(self, study: search.Study, problem_id: str | None = None) -> None:
        self.study, self.problem_id = study, problem_id
        self.path, self.name = study.path, study.path.name
        self.state, self.why = "ended", ""
        self.began: float | None = None  # of the present run, time.monotonic()
        self.budget: float | None = None  # seconds of the present run
        self._thread: threading.Thread | None = None
        self._watching: list[Callable[..., None]] = []
        self._lock = threading.Lock()
        self._known: dict[int, Model] | None = None

    @classmethod
    def begin(cls, path: Path, data: Dataset, problem: Problem, problem_id: str, **options: Any) -> LiveStudy:
        """A new study; `options` as of `search.Study`."""
        return cls(search.Study(data, problem, path, **options), problem_id)

    @classmethod
    def open(cls, path: Path) -> LiveStudy:
        """A study that was made before."""
        return cls(search.Study.open(path))

    def __repr__(self) -> str:
        return f"<LiveStudy {self.name}: {self.state}>"

    @property
    def title(self) -> str:
        """What to call it in a list."""
        return f"study {self.name}"

    @property
    def problem(self) -> Problem:
        return self.study.problem

    @property
    def left(self) -> float | None:
        """Seconds that are left of the present run; None where none runs or its end is not known."""
        if self.state != "running" or self.budget is None or self.began is None:
            return None
        return max(0.0, self.budget - (time.monotonic() - self.began))

    def watch(self, heard: Callable[..., None]) -> None:
        """Have `heard` called, from whatever thread, with the names of what changed: "studies", "models"."""
        self._watching.append(heard)

    def _tell(self, *events: str) -> None:
        for heard in list(self._watching):
            heard(*events)

    # -- to run it

    def go_on(self, seconds: float | None = None) -> None:
        """Search on, in a thread; says nothing where it runs already."""
        with self._lock:
            if self.state == "running":
                return
            self.state, self.why = "running", ""
            self.began, self.budget = time.monotonic(), seconds or self.study.seconds
            self._thread = threading.Thread(target=self._run, args=(seconds,), daemon=True, name=f"study {self.name}")
            self._thread.start()
        self._tell("studies")

    def pause(self) -> None:
        """Stop searching; `go_on` goes on."""
        with self._lock:
            if self.state == "running":
                self.state = "paused"
        self.study.stop()
        self._tell("studies")

    def _run(self, seconds: float | None) -> None:
        try:
            for _ in self.study.run(seconds=seconds):
                self._known = None
                self._tell("models")
            ended = "ended"
        except Exception as error:  # whatever it is, the pages are to hear of it
            ended, self.why = "failed", str(error) or type(error).__name__
        with self._lock:
            self.state = ended if self.state == "running" or ended == "failed" else self.state
            self._known = None
        self._tell("studies", "models")

    def close(self) -> None:
        """Stop, and let go of its files."""
        with contextlib.suppress(OSError, ValueError):
            self.study.close()

    # -- what comes of it

    @property
    def models(self) -> list[Model]:
        """Every model so far, the best first."""
        return self.study.models

    def model(self, number: int) -> Model | None:
        """A model by its number."""
        return next((model for model in self.models if model.number == number), None)
