"""Studies that go on while pages come and go: in this process by a thread each, or in another one, followed by a look
now and then."""

from __future__ import annotations

import atexit
import contextlib
import json
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from learnviews.kernels import search
from learnviews.kernels.search.study_store import FILE

if TYPE_CHECKING:
    from learnviews.kernels.search import Dataset, Model, Problem

LOOK = 1.0  # seconds between two looks at a study while somebody watches
QUICK = 0.25  # least seconds between two looks where there is news
SHARE = 3.0  # times as long as a look took is waited before the next one: it is not to slow the pages down
NICE = 10  # how far workers let the pages go first
SECONDS = 60.0  # of a run, where nothing is said
LEAST = 5.0  # seconds that a run that is gone on with has at least
TOP = 50  # models of the leaderboard, unless somebody asks for more
SHOWN = {
    "running": "training",
    "paused": "paused",
    "ended": "finished",
    "failed": "failed",
    "elsewhere": "training in another program",
}
"""States, and what to call them."""
CUT_SHORT = "was cut short: the program that ran it ended. Nothing that was finished is lost."
TROUBLE = (OSError, ValueError, LookupError)


@dataclass(frozen=True)
class Seen:
    """What one look found; shared by all pages, not to be changed.

    Parameters
    ----------
    version : tuple
        Of the study.
    trials, running, board : DataFrame
        As `study.trials`, `in_progress` and `leaderboard(top)`.
    families : list of str
        Of each trial, which kind of model it tried.
    top : int
        Models that were asked for; 0 while the board is still made.
    """

    version: Any
    trials: pd.DataFrame
    running: pd.DataFrame
    board: pd.DataFrame
    families: list[str]
    top: int


@dataclass(eq=False)
class Run:
    """One run of a study in this process, of so many seconds, or to so many finished trials in all."""

    seconds: float | None
    trials: int | None
    began: float = field(default_factory=time.monotonic)
    progress: search.Progress = field(default_factory=search.Progress)  # to stop it at any moment
    thread: threading.Thread | None = None

    @property
    def left(self) -> float | None:
        """Seconds; None where its end is not known."""
        return None if self.seconds is None else max(0.0, self.seconds - (time.monotonic() - self.began))


class LiveStudy:
    """A study and what goes on in it, shared by all pages of this process.

    Attributes
    ----------
    name : str
        What the project calls it: its folder's name.
    study : search.Study
    problem_id : str or None
        Of the problem in the project's list from which it was begun.
    state : str
        "running", "paused" (stopped by the user, or cut short), "ended", "failed" or "elsewhere" (another process runs
        it).
    why : str
        Why it failed, or what else is to be known of its state.
    exclude : tuple of str
        What its next run leaves out; see `search.space`.
    """

    def __init__(self, study: search.Study, problem_id: str | None = None, name: str | None = None) -> None:
        self.study, self.problem_id = study, problem_id
        self.path, self.name = study.path, name or study.path.name
        self.state, self.why = "ended", ""
        self.exclude: tuple[str, ...] = ()
        self._excluded: tuple[str, ...] | None = None  # of the space that the study has
        self._run: Run | None = None
        self._left: float | None = None  # seconds of a run that was paused
        self._watching: list[tuple[Callable[..., None], Callable[[], bool]]] = []
        self._lock = threading.RLock()
        self._models: tuple[Any, list[Model], dict[int, Model]] = (None, [], {})
        self._seen: Seen | None = None
        self._families: dict[int, str] = {}
        self._top, self._lost = TOP, False
        self._wake, self._closed = threading.Event(), False
        self._looker: threading.Thread | None = None
        with self._readable():
            self.state, self.why = self._at_rest()
            self.exclude = self.excluded
        _all.add(self)

    @classmethod
    def begin(cls, path: Path, data: Dataset, problem: Problem, problem_id: str, **options: Any) -> LiveStudy:
        """A new study; `options` as of `search.Study`, and `exclude` as of `search.space`."""
        exclude = tuple(options.pop("exclude", ()))
        space = search.space(data, problem.check(data), exclude=exclude) if exclude else None
        path.parent.mkdir(parents=True, exist_ok=True)
        return cls(search.Study(data, problem, path, space=space, **options), problem_id)

    @classmethod
    def open(cls, path: Path, name: str | None = None) -> LiveStudy:
        """A study that was made before."""
        return cls(search.Study.open(path), name=name)

    def __repr__(self) -> str:
        return f"<LiveStudy {self.name}: {self.state}>"

    @property
    def title(self) -> str:
        """What to call it in a list."""
        return f"study {self.name}"

    @property
    def shown(self) -> str:
        """Its state, in words."""
        return SHOWN[self.state]

    @property
    def problem(self) -> Problem:
        """What is learned."""
        return self.study.problem

    # -- how far it is

    @property
    def left(self) -> float | None:
        """Seconds that are left of the present run; None where none runs or its end is not known."""
        run = self._run
        return run.left if run is not None and self.state == "running" else None

    @property
    def done(self) -> float | None:
        """Share of the present run that is over, 0 to 1; None where that is not known."""
        run = self._run
        if run is None or self.state != "running":
            return None
        if run.seconds:
            return 1 - (run.left or 0) / run.seconds
        return min(1.0, self._finished / run.trials) if run.trials else None

    @property
    def _finished(self) -> int:
        trials = self.trials
        return 0 if trials is None else int(trials["status"].isin(("ok", "failed", "timeout", "memory")).sum())

    @property
    def stopping(self) -> bool:
        """Whether a run was paused or stopped and its last work is still done."""
        thread = None if self._run is None else self._run.thread
        return self.state != "running" and thread is not None and thread.is_alive()

    @property
    def can_go_on(self) -> bool:
        """Whether `go_on` may do something."""
        return self.state in ("paused", "ended", "failed") and not self._lost

    # -- who is told

    def watch(self, heard: Callable[..., None], wanted: Callable[[], bool] = lambda: True) -> None:
        """Have `heard` called, from whatever thread, with the names of what changed: "studies", "models", "progress".

        Parameters
        ----------
        wanted : callable
            Whether anybody looks at present; where nobody does the study is not looked at either.
        """
        with self._lock:
            self._watching.append((heard, wanted))
            if self._looker is None and not self._closed:
                target = (weakref.ref(self), self._wake)
                self._looker = threading.Thread(target=_follow, args=target, daemon=True, name=f"look at {self.name}")
                self._looker.start()

    def _tell(self, *events: str) -> None:
        for heard, _ in list(self._watching):
            heard(*events)

    # -- to run it

    def go_on(self, seconds: float | None = None, trials: int | None = None) -> None:
        """Search on, in a thread; says nothing where it runs already.

        Parameters
        ----------
        seconds, trials : optional
            Of this run, or finished trials in all. Otherwise what is left of a run that was paused, or else what the
            study was begun with.

        Raises
        ------
        ValueError
            If another process runs it, or its folder is gone.
        """
        with self._lock:
            if self.state == "running":
                return
            if self.state == "elsewhere":
                raise ValueError(f"{self.title} is run by another program; stop it there first")
            if not self.can_go_on:
                raise ValueError(f"{self.title} cannot go on: {self.why}")
            before = None if self._run is None else self._run.thread
            self._run = run = Run(*self._budget(seconds, trials))
            self.state, self.why, self._left = "running", "", None
            run.thread = threading.Thread(target=self._search, args=(run, before), daemon=True, name=self.title)
            run.thread.start()
        self._tell("studies")

    def _budget(self, seconds: float | None, trials: int | None) -> tuple[float | None, int | None]:
        if seconds is not None or trials is not None:
            return seconds, trials
        if self._left is not None:
            return max(LEAST, self._left), None
        wanted = self.study.trials_wanted
        if self.study.seconds is None and wanted is not None and wanted > self._finished:
            return None, wanted
        return self.study.seconds or SECONDS, None

    def pause(self) -> None:
        """Stop searching; `go_on` goes on with what is left of the time."""
        self._halt("paused")

    def stop(self) -> None:
        """Stop searching for good; `go_on` begins a new run."""
        self._halt("ended")

    def _halt(self, state: str) -> None:
        with self._lock:
            run = self._run
            if self.state == "elsewhere" and self.path.is_dir():
                raise ValueError(f"{self.title} is run by another program; stop it there")
            if run is None or self.state not in ("running", "paused"):
                return
            if self.state == "running":
                self._left = run.left
                run.progress.cancel()
            self.state, self._left = state, self._left if state == "paused" else None
        self._wake.set()
        self._tell("studies")

    def _search(self, run: Run, before: threading.Thread | None) -> None:
        """In a thread: all of one run; whatever happens, the pages hear of its end."""
        state, why = "ended", ""
        try:
            if before is not None:
                before.join()
            self._narrow()
            self.study.progress, self.study.nice = run.progress, NICE
            if not run.progress.cancelled:
                for _ in self.study.run(run.seconds, run.trials):
                    self._wake.set()
        except Exception as error:
            state, why = "failed", str(error) or type(error).__name__
        with self._lock:
            if self._run is run and (self.state == "running" or state == "failed"):
                self.state, self.why = state, why
                self._lost = not self.path.is_dir()
        self._wake.set()
        self._tell("studies", "models")

    def close(self) -> None:
        """Stop, and let go of its files, as soon as its run has ended."""
        with self._lock:
            self._closed = True
            run = self._run
        if run is not None:
            run.progress.cancel()
        self._wake.set()
        threading.Thread(target=self._let_go, args=(run,), daemon=True).start()

    def _let_go(self, run: Run | None) -> None:
        if run is not None and run.thread is not None:
            run.thread.join()
        with contextlib.suppress(OSError, ValueError):
            self.study.close()

    # -- what it may try

    @property
    def excluded(self) -> tuple[str, ...]:
        """What the study leaves out at present."""
        if self._excluded is None:
            from learnviews.kernels.search.space import left_out
            from learnviews.kernels.search.trial import MAKER

            space, study = self.study.space, self.study
            usual = space is not None and study.work.maker == MAKER
            self._excluded = left_out(space, study.data, study.problem) if usual else ()
        return self._excluded

    def leave_out(self, exclude: Iterable[str]) -> None:
        """Have the next run leave these out: models, and "choice=value"; see `search.space`."""
        self.exclude = tuple(dict.fromkeys(exclude))
        self._tell("studies")

    def _narrow(self) -> None:
        """Give the study the space that was asked for."""
        if set(self.exclude) == set(self.excluded):
            return
        data, problem = self.study.data, self.study.problem
        self.study.space = search.space(data, problem, exclude=self.exclude) if self.exclude else None
        self._excluded = self.exclude

    # -- what comes of it

    @property
    def models(self) -> list[Model]:
        """Every model so far, the best first; those last known where the study's folder is gone."""
        with self._readable():
            version = self.study.version
            if version != self._models[0]:
                found = self.study.models
                self._models = version, found, {model.number: model for model in found}
        return self._models[1]

    def model(self, number: int) -> Model | None:
        """A model by its number; -1 is the trivial one."""
        if number == -1:
            return self.study.baseline
        if number not in self._models[2]:
            _ = self.models
        found = self._models[2].get(number)
        if found is None:
            with self._readable(), contextlib.suppress(LookupError):  # an ensemble that a newer one replaced
                found = self.study.model(number)
        return found

    @property
    def seen(self) -> Seen | None:
        """What the last look found; None before the first one, which "progress" tells of."""
        return self._seen

    @property
    def trials(self) -> pd.DataFrame | None:
        """Trials as of the last look; not to be changed."""
        return None if self._seen is None else self._seen.trials

    def want(self, top: int) -> None:
        """Have leaderboards show so many models at least."""
        if top > self._top:
            self._top = top
            self._wake.set()

    # -- to look at it

    def look(self) -> None:
        """See what is new, and tell of it; whatever is wrong with the study's files is its state then."""
        if self._closed or not any(wanted() for _, wanted in list(self._watching)):
            return
        with self._readable():
            events = self._look()
            if events:
                self._tell(*events)

    def _look(self) -> list[str]:
        events = ["progress"] if self.state == "running" else []
        events += self._followed()
        version, before = self.study.version, self._seen
        if before is not None and before.version == version and before.top == self._top:
            return list(dict.fromkeys(events))
        if before is None:  # trials are there at once, a leaderboard with intervals may take seconds
            self._seen = self._see(version, 0)
            self._tell("progress", "models")
        self._seen = seen = self._see(version, self._top)
        more = before is None or before.top != seen.top or not before.board["number"].equals(seen.board["number"])
        return list(dict.fromkeys((*events, "progress", *(["models"] if more else []))))

    def _see(self, version: Any, top: int) -> Seen:
        study, trials = self.study, self.study.trials
        board = study.leaderboard(top) if top else pd.DataFrame({"number": [], "split": []})
        return Seen(version, trials, study.in_progress, board, self._families_of(trials), top)

    def _families_of(self, trials: pd.DataFrame) -> list[str]:
        """Trials never change what they are: each is read once."""
        new = trials["number"].to_numpy() > max(self._families, default=0)
        for number, config in zip(trials["number"][new], trials["config"][new], strict=True):
            self._families[int(number)] = str(json.loads(config).get("model", ""))
        return [self._families[number] for number in trials["number"]]

    def _followed(self) -> list[str]:
        """Whether another process began or ended to run it."""
        with self._lock:
            if self.state == "running" or self.stopping or self._lost:
                return []
            elsewhere = self.study.running
            if elsewhere == (self.state == "elsewhere"):
                return []
            self.state, self.why = self._at_rest()
            return ["studies"]

    def _at_rest(self) -> tuple[str, str]:
        """State, and what is to be said of it, of a study that this process does not run."""
        if self.study.running:
            return "elsewhere", ""
        ended = self.study.ended
        if ended == "killed":
            return "paused", CUT_SHORT
        if ended == "failed":
            return "failed", "its last run failed"
        return ("paused" if ended in ("stopped", "") else "ended"), ("" if ended else "has not begun yet")

    def _readable(self) -> _Readable:
        return _Readable(self)

    def _fail(self, error: BaseException) -> None:
        """Something is wrong with its files; a run goes on where that is possible, and only says so."""
        why = str(error) or type(error).__name__
        with self._lock:
            told, self.why = self.why == why, why
            self._lost = not is_study(self.path) or isinstance(error, search.StoreError)
            if self._lost and self._run is not None:
                self._run.progress.cancel()
            if self._lost or self.state != "running":
                told = told and self.state == "failed"
                self.state = "failed"
        if not told:
            self._tell("studies", "models")


class _Readable(contextlib.AbstractContextManager[None]):
    """What goes wrong inside with the study's files becomes its state."""

    def __init__(self, live: LiveStudy) -> None:
        self.live = live

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if not isinstance(error, TROUBLE):
            return False
        if not self.live._closed:
            self.live._fail(error)
        return True


def option(name: str, value: str) -> str:
    """What `search.space` calls a value of a choice that is to be left out."""
    return value if name == "model" else f"{name}={value}"


def _follow(found: weakref.ref[LiveStudy], wake: threading.Event) -> None:
    """In a thread: look at a study again and again, until it is closed or nobody has it any more."""
    rest = 0.0
    while True:
        time.sleep(rest)
        wake.wait(LOOK)
        wake.clear()
        live = found()
        if live is None or live._closed:
            return
        began = time.perf_counter()
        try:
            live.look()
        except Exception as error:  # of a study that is closed meanwhile, or that nobody foresaw: pages hear of it
            if not live._closed:
                live._fail(error)
        rest = max(QUICK, SHARE * (time.perf_counter() - began))
        del live


def is_study(path: Path) -> bool:
    """Whether there is a study in a folder."""
    return (path / FILE).is_file()


def data_of(path: Path) -> Dataset:
    """The data set that a study was made of."""
    study = search.Study.open(path)
    try:
        return study.data
    finally:
        study.close()


def warm_up() -> None:
    """Have a process import what the next study needs, so that its first model comes sooner; returns at once."""
    from learnviews.kernels.search.search_loop import prepare

    prepare(NICE)


_all: weakref.WeakSet[LiveStudy] = weakref.WeakSet()


@atexit.register
def _stop_all(seconds: float = 3.0) -> None:
    """The server ends: runs note where they are, and take their workers with them."""
    running = [live._run for live in list(_all) if live.state == "running" and live._run is not None]
    for run in running:
        run.progress.cancel()
    until = time.monotonic() + seconds
    for run in running:
        if run.thread is not None:
            run.thread.join(max(0.0, until - time.monotonic()))
