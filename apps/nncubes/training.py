"""Training in another process, seen from the server: how far it is, what came of it, and an end to it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

PROGRAM = (sys.executable, "-m", "learnviews.apps.nncubes.learn")


class State(NamedTuple):
    """How far a training is."""

    phase: str
    step: int
    steps: int
    share: float
    left: float  # seconds; nan while nothing can be said
    text: str


class Training:
    """One training, in a process of its own.

    Parameters
    ----------
    task : dict
        What `learn.learn` takes, without `out`.
    folder : Path
        Where the model is written, under a name that nobody looks for; made if needed.
    tell : callable (State)
        From a thread.
    end : callable (Path or None, str)
        From a thread, once: the model, or None and what went wrong. Not after `cancel`.

    Raises
    ------
    OSError
        If the folder cannot be written to, or no process started.
    """

    def __init__(
        self,
        task: dict[str, Any],
        folder: Path,
        tell: Callable[[State], None],
        end: Callable[[Path | None, str], None],
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"{folder}: cannot be written to; models are kept there")
        self.out = folder / f".learning-{uuid.uuid4().hex}.npz"
        self._tell, self._end = tell, end
        self._cancelled = False
        self._said = ""
        self._started = time.monotonic()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed by the thread that reads
        self.process = subprocess.Popen(
            PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, start_new_session=True
        )
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it ended at once: the thread says so
            self.process.stdin.write(json.dumps({**task, "out": str(self.out)}).encode() + b"\n")
            self.process.stdin.flush()
        self._thread = threading.Thread(target=self._follow, name="training", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """End it; nothing is kept."""
        self._cancelled = True
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it is over and cleaned up."""
        self._thread.join(timeout)

    def _follow(self) -> None:
        done = False
        assert self.process.stdout is not None and self.process.stdin is not None
        for line in self.process.stdout:
            told = json.loads(line)
            done = done or bool(told.get("done"))
            self._said = told.get("error", self._said)
            if "share" in told and not self._cancelled:
                self._tell(self._state(told))
        code = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        failed = not done or not self.out.exists()
        words = self._last_words()
        why = self._said or _why(code, words)
        if failed or self._cancelled:
            for path in (self.out, self.out.with_name(self.out.name + ".part")):
                path.unlink(missing_ok=True)
        if not self._cancelled:
            self._end(None if failed else self.out, why if failed else "")

    def _state(self, told: dict[str, Any]) -> State:
        share = float(told["share"])
        spent = time.monotonic() - self._started
        left = spent * (1 - share) / share if share > 0.02 and spent > 0.5 else float("nan")
        return State(told["phase"], told["step"], told["steps"], share, left, told["text"])

    def _last_words(self) -> str:
        """The last line that the process wrote among its errors."""
        with self._errors as file:
            file.seek(0)
            lines = file.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else ""


def _why(code: int, words: str) -> str:
    if code < 0:
        name = signal.Signals(-code).name
        hint = " (perhaps the memory ran out)" if code == -signal.SIGKILL else ""
        return f"The training was killed by {name}{hint}"
    return f"The training ended without a result: {words or f'exit status {code}'}"
