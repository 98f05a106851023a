"""Worker processes that can really be stopped: one nursery imports and holds the data, its children each run one task.

A child is forked from a process that never computed anything and has one thread, so it is there in milliseconds and
safe. Unlike `multiprocessing`, nothing imports the user's `__main__` again: scripts need no guard.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection, reduction
from pathlib import Path
from typing import Any

LOOK = 0.05  # seconds between two looks at memory and clock
SLACK = 512  # megabytes of address space beyond the limit: thread stacks, arenas and maps that are never touched
KEPT = 256  # megabytes that a worker may still hold after a task; one that holds more is replaced
MEGABYTE = 1 << 20
# The package without its __init__, which would load HoloViews: workers have no use for it.
_START = """
import sys, types
sys.path[:] = sys.argv[4:]
package = types.ModuleType("learnviews")
package.__path__ = [sys.argv[1]]
sys.modules["learnviews"] = package
from learnviews.kernels.search import workers
workers.nurse(int(sys.argv[2]), sys.argv[3].split(","))
"""
SINGLE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True)
class Limits:
    """What one task may take; None: no limit. Megabytes are what it adds to a worker at rest."""

    seconds: float | None = None
    megabytes: float | None = None


@dataclass(frozen=True)
class Outcome:
    """How a task ended: status "ok", "failed", "timeout", "memory" or "killed"; `value` is what it returned."""

    tag: Any
    status: str
    value: Any = None
    reason: str = ""
    seconds: float = 0.0


@dataclass
class _Worker:
    pid: int
    line: connection.Connection
    rest: int = 0  # resident bytes before the first task
    tag: Any = None
    busy: bool = False
    limits: Limits = field(default_factory=Limits)
    started: float = 0.0


class Pool:
    """`workers` processes, each for one task at a time.

    Parameters
    ----------
    workers : int
    context : object, optional
        Pickled once; every task finds it as its first argument.
    preload : sequence of str
        Modules that are imported once, before the first worker is forked.
    """

    def __init__(self, workers: int = 1, context: Any = None, preload: Sequence[str] = ()) -> None:
        self.workers = workers
        self._context, self._preload = context, tuple(preload)
        self._nursery: _Nursery | None = None
        self._at_work: list[_Worker] = []

    def start(self) -> None:
        """Begin to import, without waiting for it."""
        if self._nursery is None:
            self._nursery = _Nursery(self._context, self._preload)

    def __enter__(self) -> Pool:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def free(self) -> int:
        """Tasks that could start at once."""
        return self.workers - sum(worker.busy for worker in self._at_work)

    @property
    def running(self) -> list[Any]:
        """Tags of the tasks that run."""
        return [worker.tag for worker in self._at_work if worker.busy]

    def submit(self, tag: Any, function: str, arguments: tuple[Any, ...] = (), limits: Limits | None = None) -> None:
        """Start a task: `function` is "module:name" and is called with the context and the arguments.

        Raises
        ------
        RuntimeError
            If no worker is free.
        """
        if self.free <= 0:
            raise RuntimeError("no worker is free")
        worker = next((worker for worker in self._at_work if not worker.busy), None) or self._new()
        limits = limits or Limits()
        worker.tag, worker.busy, worker.limits, worker.started = tag, True, limits, time.monotonic()
        worker.line.send((function, arguments, limits.megabytes))

    def wait(self, timeout: float | None = None) -> list[Outcome]:
        """Outcomes of tasks that ended, as soon as there is one; [] after `timeout` seconds or when nothing runs."""
        end = None if timeout is None else time.monotonic() + timeout
        while any(worker.busy for worker in self._at_work):
            found = self._ended() + self._stopped()
            if found or (end is not None and time.monotonic() >= end):
                return found
            lines = [worker.line for worker in self._at_work if worker.busy]
            left = LOOK if end is None else min(LOOK, max(0.0, end - time.monotonic()))
            connection.wait(lines, left)
        return []

    def stop(self, tag: Any, status: str = "killed", reason: str = "stopped") -> Outcome | None:
        """Terminate the worker of one task, at once; None if it does not run."""
        for worker in self._at_work:
            if worker.busy and worker.tag == tag:
                return self._end(worker, status, reason)
        return None

    def close(self) -> None:
        """Terminate every process, at once; twice does no harm."""
        for worker in self._at_work:
            worker.line.close()
        self._at_work.clear()
        if self._nursery is not None:
            self._nursery.close()
            self._nursery = None

    def _new(self) -> _Worker:
        self.start()
        assert self._nursery is not None
        worker = self._nursery.fork()
        self._at_work.append(worker)
        return worker

    def _ended(self) -> list[Outcome]:
        return [self._result(worker) for worker in list(self._at_work) if worker.busy and worker.line.poll()]

    def _result(self, worker: _Worker) -> Outcome:
        try:
            status, value, reason = worker.line.recv()
        except (EOFError, OSError):
            return self._end(worker, "failed", None)
        outcome = Outcome(worker.tag, status, value, reason, time.monotonic() - worker.started)
        worker.busy = False
        if status == "memory" or _resident(worker.pid) - worker.rest > KEPT * MEGABYTE:  # it may never give it back
            self._end(worker, status, reason)
        return outcome

    def _stopped(self) -> list[Outcome]:
        """Ends tasks that are past their limits."""
        found = []
        for worker in [worker for worker in self._at_work if worker.busy]:
            limits, spent = worker.limits, time.monotonic() - worker.started
            if limits.seconds is not None and spent > limits.seconds:
                found.append(self._end(worker, "timeout", f"took longer than {limits.seconds:.3g} s"))
            elif limits.megabytes is not None and _resident(worker.pid) - worker.rest > limits.megabytes * MEGABYTE:
                found.append(self._end(worker, "memory", f"took more than {limits.megabytes:.0f} MB of memory"))
        return found

    def _end(self, worker: _Worker, status: str, reason: str | None) -> Outcome:
        assert self._nursery is not None
        self._at_work.remove(worker)
        worker.line.close()
        died = self._nursery.end(worker.pid)
        return Outcome(worker.tag, status, None, died if reason is None else reason, time.monotonic() - worker.started)


class _Nursery:
    """The process that forks workers; it ends, and its children with it, when this process closes it or dies."""

    def __init__(self, context: Any, preload: Sequence[str]) -> None:
        ours, theirs = socket.socketpair()
        root = str(Path(__file__).resolve().parents[2])
        command = [sys.executable, "-c", _START, root, str(theirs.fileno()), ",".join(preload), *sys.path]
        # A session of its own: Ctrl+C in a terminal is ours to handle, not the workers'.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            env=os.environ | dict.fromkeys(SINGLE, "1"),
        )
        theirs.close()
        self._line = connection.Connection(ours.detach())
        self._context = context
        self._ready = False

    def fork(self) -> _Worker:
        """A new worker."""
        self._wake()
        ours, theirs = socket.socketpair()
        try:
            self._ask("fork")
            reduction.send_handle(self._line, theirs.fileno(), self._process.pid)
            pid = self._answer()
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return _Worker(pid, connection.Connection(ours.detach()), _resident(pid))

    def end(self, pid: int) -> str:
        """Terminate a worker; how it had died if it was dead before."""
        self._ask(pid)
        status = self._answer()
        return _death(status)

    def close(self) -> None:
        self._line.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:  # still importing: it has no children yet
            self._process.kill()
            self._process.wait()

    def _wake(self) -> None:
        if not self._ready:
            self._ask(("context", self._context))
            self._answer()
            self._ready = True

    def _ask(self, message: Any) -> None:
        try:
            self._line.send(message)
        except (BrokenPipeError, ConnectionError) as error:
            raise RuntimeError(self._gone()) from error

    def _answer(self) -> Any:
        try:
            answer = self._line.recv()
        except (EOFError, OSError) as error:
            raise RuntimeError(self._gone()) from error
        if isinstance(answer, str):
            raise RuntimeError(f"the worker processes could not start:\n{answer}")
        return answer

    def _gone(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)
        return f"the process that starts the workers ended ({self._process.returncode}); it cannot be reached any more"


def _death(status: int) -> str:
    """Words for a status of waitpid."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with contextlib.suppress(ValueError):
            return f"its process died of {signal.Signals(number).name}"
        return f"its process died of signal {number}"
    return f"its process ended with status {os.waitstatus_to_exitcode(status)}"


def _resident(pid: int) -> int:
    """Bytes of memory that a process holds, without the files it maps; 0 where /proc does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        _, resident, shared = map(int, Path(f"/proc/{pid}/statm").read_text().split()[:3])
        return (resident - shared) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _address_space() -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return 0


# -- in the nursery


def nurse(handle: int, preload: Sequence[str]) -> None:
    """The nursery's loop, until the other end closes."""
    line = connection.Connection(handle)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    children: set[int] = set()
    for name in filter(None, preload):
        with contextlib.suppress(ImportError):  # an extra that is not there: the task that needs it will say so
            importlib.import_module(name)
    try:
        _nurse(line, children)
    except (EOFError, OSError):
        pass
    finally:
        for pid in list(children):
            _reap(pid, children)


def _nurse(line: connection.Connection, children: set[int]) -> None:
    context: Any = None
    while True:
        raw = line.recv_bytes()
        try:
            message = reduction.ForkingPickler.loads(raw)
        except Exception:  # what the tasks work on cannot be had here
            line.send(traceback.format_exc())
            continue
        if message == "fork":
            line.send(_fork(line, context, children))
        elif isinstance(message, int):
            line.send(_reap(message, children))
        else:
            context = message[1]
            line.send(0)


def _fork(line: connection.Connection, context: Any, children: set[int]) -> int:
    handle = reduction.recv_handle(line)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            line.close()
            _die_with(parent)
            _serve(connection.Connection(handle), context)
        finally:
            os._exit(0)
    os.close(handle)
    children.add(pid)
    return pid


def _reap(pid: int, children: set[int]) -> int:
    """Its status, of its own death or of ours."""
    if pid not in children:
        return 0
    found, status = os.waitpid(pid, os.WNOHANG)
    if not found:
        os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
    children.discard(pid)
    return status


def _die_with(parent: int) -> None:
    """A worker in the middle of a long fit would outlive a killed nursery (Linux can prevent that)."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(0)


# -- in a worker


def _serve(line: connection.Connection, context: Any) -> None:
    import warnings

    warnings.simplefilter("ignore")
    while True:
        try:
            function, arguments, megabytes = line.recv()
        except (EOFError, OSError):
            return
        with _less_memory(megabytes):
            answer = _run(function, context, arguments)
        _send(line, answer)


def _run(function: str, context: Any, arguments: tuple[Any, ...]) -> tuple[str, Any, str]:
    try:
        return "ok", resolve(function)(context, *arguments), ""
    except MemoryError:
        return "memory", None, "ran out of the memory it may take"
    except BaseException as error:  # whatever a pipeline raises, SystemExit too, is the trial's own affair
        return "failed", None, reason_of(error)


def _send(line: connection.Connection, answer: tuple[str, Any, str]) -> None:
    try:
        payload = reduction.ForkingPickler.dumps(answer)
    except Exception as error:
        payload = reduction.ForkingPickler.dumps(("failed", None, f"its result cannot be sent: {reason_of(error)}"))
    with contextlib.suppress(OSError):
        line.send_bytes(payload)


def resolve(function: str) -> Callable[..., Any]:
    """The object that "module:name" names."""
    module, name = function.split(":")
    return getattr(importlib.import_module(module), name)


def reason_of(error: BaseException) -> str:
    """One line that says what went wrong and where."""
    said = " ".join(str(error).split())
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {said[:300]}{where}" if said else f"{type(error).__name__}{where}"


@contextlib.contextmanager
def _less_memory(megabytes: float | None) -> Iterator[None]:
    """No single allocation gets past twice the limit; the pool watches what is really held."""
    if megabytes is None:
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = _address_space() + int((2 * megabytes + SLACK) * MEGABYTE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    try:
        yield
    finally:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
