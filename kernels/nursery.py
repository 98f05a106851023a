"""The nursery: a process that imports and holds the data, and forks workers that have both from the start.

A worker is forked from a process that never computed anything and has one thread, so it is there in milliseconds and
safe. Unlike `multiprocessing`, nothing imports the user's `__main__` again: scripts need no guard.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Sequence
from multiprocessing import connection, reduction
from pathlib import Path
from typing import Any

from .worker_process import serve

# The package without its __init__, which would load HoloViews: workers have no use for it.
_START = """
import sys, types
sys.path[:] = sys.argv[6:]
package = types.ModuleType("learnviews")
package.__path__ = [sys.argv[1]]
sys.modules["learnviews"] = package
from learnviews.kernels import nursery
nursery.nurse(int(sys.argv[2]), sys.argv[3].split(","), sys.argv[4], int(sys.argv[5]))
"""
# One thread per worker: there is a worker for every core that is to be used.
_POOLS = ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMEXPR", "NUMBA")
ENVIRONMENT = {
    **{f"{pool}_NUM_THREADS": "1" for pool in _POOLS},
    "VECLIB_MAXIMUM_THREADS": "1",
    # The order of Python's sets, and with it SMAC's choice among equals, follows the hashes of texts.
    "PYTHONHASHSEED": "0",
}


class NurseryGoneError(RuntimeError):
    """The nursery's process has ended, by whatever hand."""


class Nursery:
    """Our end of it. It ends, and its children with it, when this process closes it or dies.

    Parameters
    ----------
    context : object
        Pickled once; every task of its workers finds it as its first argument.
    preload : sequence of str
        Modules to import before the first worker is forked.
    nice : int
        How far its processes let others go first: see `os.nice`.
    """

    def __init__(self, context: Any, preload: Sequence[str], nice: int = 0) -> None:
        ours, theirs = socket.socketpair()
        root = str(Path(__file__).resolve().parents[1])
        self._scratch = tempfile.mkdtemp(prefix="learnviews-")
        told = (root, str(theirs.fileno()), ",".join(preload), self._scratch, str(nice))
        command = [sys.executable, "-c", _START, *told, *sys.path]
        # A session of its own: Ctrl+C in a terminal is ours to handle, not the workers'.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            env=os.environ | ENVIRONMENT,
        )
        theirs.close()
        self._owner = os.getpid()
        self._line = connection.Connection(ours.detach())
        self.context = context
        self._ready = False

    @property
    def alive(self) -> bool:
        """Whether its process still runs, and is that of this process: a fork of us has no use for it."""
        return self._owner == os.getpid() and self._process.poll() is None

    def fork(self) -> tuple[int, connection.Connection]:
        """A new worker: its process id, and the line to it.

        Raises
        ------
        NurseryGoneError
            If there is no nursery any more.
        RuntimeError
            If the context cannot be read there.
        """
        self._wake()
        ours, theirs = socket.socketpair()
        try:
            self._ask("fork")
            self._hand_over(theirs)
            pid = self._answer()
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return pid, connection.Connection(ours.detach())

    def end(self, pid: int) -> str:
        """Terminate a worker; words for how it had died if it was dead before."""
        try:
            self._ask(pid)
            return _death(self._answer())
        except NurseryGoneError:
            return "the process that all workers come from was killed, and they with it"

    def close(self) -> None:
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._line.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)  # a thread of ours may wait for an answer: to close would not wake it
        self._line.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:  # still importing: it has no children yet
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _wake(self) -> None:
        if not self._ready:
            self._ask(("context", self.context))
            self._answer()
            self._ready = True

    def _ask(self, message: Any) -> None:
        try:
            self._line.send(message)
        except (BrokenPipeError, ConnectionError) as error:
            raise NurseryGoneError(self._gone()) from error

    def _hand_over(self, theirs: socket.socket) -> None:
        try:
            reduction.send_handle(self._line, theirs.fileno(), self._process.pid)
        except (BrokenPipeError, ConnectionError) as error:
            raise NurseryGoneError(self._gone()) from error

    def _answer(self) -> Any:
        try:
            answer = self._line.recv()
        except (EOFError, OSError) as error:
            raise NurseryGoneError(self._gone()) from error
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


# -- one in reserve

_Kind = tuple[tuple[str, ...], int]
_spares: dict[_Kind, Nursery] = {}
_spares_lock = threading.Lock()


def keep_spare(preload: Sequence[str], nice: int = 0) -> None:
    """Have a nursery import already what `new_nursery` will be asked for; returns at once."""
    kind = tuple(preload), nice
    with _spares_lock:
        spare = _spares.get(kind)
        if spare is None or not spare.alive:
            _spares[kind] = Nursery(None, preload, nice)


def new_nursery(context: Any, preload: Sequence[str], nice: int = 0) -> Nursery:
    """A nursery: the spare one of this kind where there is one, which need not import any more."""
    with _spares_lock:
        spare = _spares.pop((tuple(preload), nice), None)
    if spare is None or not spare.alive:
        return Nursery(context, preload, nice)
    spare.context = context
    return spare


# -- in the nursery


def nurse(handle: int, preload: Sequence[str], scratch: str, nice: int = 0) -> None:
    """The nursery's loop, until the other end closes."""
    line = connection.Connection(handle)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(nice)
    children: set[int] = set()
    for name in filter(None, preload):
        with contextlib.suppress(ImportError):  # an extra that is not there: the task that needs it will say so
            importlib.import_module(name)
    # Workers are killed without a word, and whoever started us may be, or we: what they put aside goes with the last.
    tempfile.tempdir = scratch
    try:
        _nurse(line, children)
    except (EOFError, OSError):
        pass
    finally:
        for pid in list(children):
            _reap(pid, children)
        shutil.rmtree(scratch, ignore_errors=True)


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
            serve(connection.Connection(handle), context)
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
