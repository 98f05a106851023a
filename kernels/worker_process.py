"""What runs in a worker process: tasks, one after the other, each with an answer whatever it does."""

from __future__ import annotations

import contextlib
import importlib
import os
import traceback
from collections.abc import Callable, Iterator
from multiprocessing import connection, reduction
from pathlib import Path
from typing import Any

SLACK = 512  # megabytes of address space beyond the limit: thread stacks, arenas and maps that are never touched
MEGABYTE = 1 << 20


def serve(line: connection.Connection, context: Any) -> None:
    """Tasks from the line, answers to it, until it closes."""
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


def _address_space() -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return 0
