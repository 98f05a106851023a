"""A process of its own that learns a cube: told what to do on its input, it tells how it goes in lines of JSON.

It ends when its input does: with the server process that started it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from learnviews.kernels.progress import Progress

PATIENCE = 3  # lower priority than the server's: pages come first
WEIGHTS = {"reading rows": 1.0, "answering queries": 2.0, "training": 6.0}
ASKED = {"count": ("count",), "present": ("present",), "sum": ("sum",), "centred": ("present", "sum")}  # for a net


class Told(Progress):
    """Progress as lines of JSON.

    Parameters
    ----------
    answers, nets : int
        How many aggregates of the rows are asked for, and how many nets are trained.
    out : file
    """

    def __init__(self, answers: int, nets: int, out: Any) -> None:
        super().__init__(self._tell, interval=0.2)
        self._phases = ["reading rows", *["answering queries"] * answers, *["training"] * nets]
        self._whole = sum(WEIGHTS[name] for name in self._phases)
        self._at, self._out = -1, out

    def start(self, total: int) -> None:
        self._at = min(self._at + 1, len(self._phases) - 1)
        super().start(total)

    def _tell(self, progress: Progress) -> None:
        before = sum(WEIGHTS[name] for name in self._phases[: self._at])
        inner = min(1.0, self.done / self.total) if self.total else 0.0
        share = (before + WEIGHTS[self._phases[self._at]] * inner) / self._whole
        told = {"phase": self._phases[self._at], "share": share, "text": self.text}
        say(self._out, step=self._at + 1, steps=len(self._phases), **told)


def say(out: Any, **told: Any) -> None:
    """One line."""
    out.write(json.dumps(told) + "\n")
    out.flush()


def learn(task: dict[str, Any], out: Any) -> None:
    """Learn what a task describes, and save the model; raises what goes wrong."""
    from learnviews.apps.tables import rows_left_out
    from learnviews.kernels.cube import ExactCube, Schema, fit
    from learnviews.kernels.cube.aggregates import parts, several
    from learnviews.kernels.cube.fit import default_rank

    schema, aggregates = Schema.from_json(task["schema"]), several(task["aggregates"])
    nets = {(part.kind, part.measure) for each in aggregates for part in parts(each)}
    answers = {("count", ""), *((kind, measure) for part, measure in nets for kind in ASKED[part])}
    progress = Told(len(answers), len(nets), out)
    measures = list(dict.fromkeys(each[1] for each in aggregates if isinstance(each, tuple)))
    exact = ExactCube.build(task["rows"], schema, measures, progress=progress)
    left = rows_left_out(exact)
    if not exact.rows:
        raise ValueError(f"no row has a bin in every attribute ({left or 'there are no rows'})")
    settings = dict(task["settings"])
    settings["rank"] = min(settings["rank"], default_rank(schema.sizes))
    model = fit(exact, aggregate=list(aggregates), progress=progress, **settings)
    model.about["table"] = task["about"]
    model.save(Path(task["out"]))


def end_with_input() -> None:
    """Wait for the end of the input, then end at once."""
    while sys.stdin.buffer.read(1):
        pass
    os._exit(3)


def main() -> None:
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no line of JSON
    task = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=end_with_input, daemon=True).start()
    os.nice(PATIENCE)
    try:
        learn(task, out)
    except (ValueError, TypeError, LookupError, OSError, ArithmeticError, MemoryError) as error:
        say(out, error=str(error) or type(error).__name__)
    except Exception as error:
        traceback.print_exc()
        say(out, error=f"{type(error).__name__}: {error}")
    else:
        say(out, done=True)
    out.flush()
    os._exit(0)  # the thread that waits for the input must not hold it up


if __name__ == "__main__":
    main()
