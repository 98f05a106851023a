"""The console commands `learnviews search` and `learnviews problems`: from a data set to a ranked list of models."""

from __future__ import annotations

import math
import shlex
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from learnviews.kernels.figures import figure

from .terminal import clear_errors, stopped_by

if TYPE_CHECKING:
    import pandas as pd

    from ..kernels.search import Problem

LISTED = 10  # models of the board, and problems
SECONDS = 60.0
SHORT = 44  # characters of a name on the live board
TICK = 0.25  # seconds between looks at the clock
BAR = 24  # characters


def graph_options(command: Any) -> Any:
    """What a table has to do with graphs."""
    for option in (
        click.option("--edges", metavar="A,B", help="Columns of DATA with the ends of edges: a row is an edge."),
        click.option("--nodes", metavar="A[,B]", help="Columns of DATA that name nodes of --graph."),
        click.option(
            "--graph", type=click.Path(path_type=Path), help="A graph that DATA is about: GML, GraphML, edges."
        ),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--problem", "problem_file", type=click.Path(path_type=Path), help="A problemDoc.json.")
@click.option("--target", "targets", multiple=True, metavar="COLUMN", help="What to predict; may be given repeatedly.")
@click.option("--task", metavar="TASK", help="classification, regression, ...  [default: the most promising]")
@click.option("--metric", metavar="METRIC", help="accuracy, f1Macro, meanSquaredError, ...  [default: the task's]")
@click.option("--features", metavar="A,B,...", help="Columns to predict from.  [default: all that may be]")
@graph_options
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="Of search.  [default: 60, without --trials]")
@click.option("--trials", type=click.IntRange(1), help="Stop after so many trials.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1), help="Processes.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option("--models", default=5, show_default=True, type=click.IntRange(1), help="Export so many of the best.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of the study and its exports.  [default: DATA-search]"
)
@click.option("--resume", is_flag=True, help="Go on with the study in --out.")
def search(data: Path, out: Path | None, resume: bool, **options: Any) -> None:
    """Search models for DATA and export the best.

    DATA is a D3M folder, a CSV or Parquet file, a graph, or a folder of images, texts, sounds or videos.

    Without --problem or --target: the problem that comes with a D3M folder, else the most promising one that
    `learnviews problems DATA` lists. Ctrl-C ends the search; the models are those reached. `--resume` goes on.

    Of a graph, `--task linkPrediction` without a target holds out edges and draws pairs that are none (by --seed).
    """
    with clear_errors():
        out = out or Path(f"{data.resolve().stem}-search")
        if options["seconds"] is None and options["trials"] is None:
            options["seconds"] = SECONDS
        study = _opened(out, options) if resume else _begun(data, out, options)
        try:
            click.echo(f"{study.data.name}: {study.problem.sentence(study.data)}")
            if limits := _limits(study.problem):
                click.echo(f"What not to expect: {limits}")
            if limits := _limits(study.problem):
                click.echo(f"What not to expect: {limits}")
            stopped = _run(study, options)
            _end(study, out / "export", options["models"])
            if stopped:
                click.echo(f"Stopped early. Go on: learnviews search {data} --resume --out {out}")
        finally:
            study.close()


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("-n", "most", default=LISTED, show_default=True, type=click.IntRange(1), help="List so many.")
@graph_options
@click.option("--out", type=click.Path(path_type=Path), help="Write them as problemDoc files to this folder.")
def problems(data: Path, most: int, out: Path | None, **options: Any) -> None:
    """List the problems that DATA can be asked, the most promising first, with the reason."""
    from ..kernels import search as kernel

    with clear_errors():
        found = _loaded(kernel, data, options)
        listed = kernel.discover(found, n=most)
        if not listed:
            why = "; ".join(f"{name}: {reason}" for name, reason in list(listed.left_out.items())[:LISTED])
            raise click.ClickException(f"{data}: no problem is legal for its columns: {why or _columns(found)}")
        for note in found.notes:
            click.echo(f"note: {note}")
        for facts in kernel.describe_graphs(found):
            click.echo(f"graph {facts.name}: {facts.nodes:,} nodes, {facts.edges:,} edges, {_kind(facts)}")
        click.echo("    promise (0 to 1), problem, reason")
        for number, problem in enumerate(listed, 1):
            click.echo(f"{number:3} {problem.score:6.2f}  {problem.sentence(found)}")
            click.echo(f"{'':11} {problem.reason}")
        for name, reason in list(listed.left_out.items())[:LISTED]:
            click.echo(f"no target: {name} ({reason})")
        if len(listed.left_out) > LISTED:
            click.echo(f"no target: {len(listed.left_out) - LISTED} more columns")
        first = listed[0]
        graph = [word for name in ("graph", "nodes", "edges") if options[name] for word in (f"--{name}", options[name])]
        words = ["learnviews", "search", data, *graph, *_asked(first)]
        click.echo(f"\nSearch the first: {shlex.join(map(str, words))}")
        if out is not None:
            _write_problems(listed, out)
            click.echo(f"\n{len(listed)} problems in {out}: learnviews search {data} --problem {out}/01.json")


def _kind(facts: Any) -> str:
    words = ["directed" if facts.directed else "undirected"]
    words += [f"{facts.isolated:,} nodes without an edge"] if facts.isolated else []
    return ", ".join(words)


def _loaded(kernel: Any, path: Path, options: dict[str, Any]) -> Any:
    """The data set, with its graph where one is named."""
    if bool(options["graph"]) != bool(options["nodes"]):
        raise click.UsageError("--graph and --nodes go together: a file, and the columns that name its nodes")
    data = kernel.load(path, edges=_names(options["edges"]))
    return data.with_graph(options["graph"], _names(options["nodes"])) if options["graph"] else data


def _asked(problem: Problem) -> list[str]:
    """A problem as options of `learnviews search`."""
    targets = [word for name in problem.targets for word in ("--target", name)]
    return [*targets, "--task", str(problem.task)]


def _write_problems(listed: list[Any], out: Path) -> None:
    import json

    out.mkdir(exist_ok=True)
    for number, problem in enumerate(listed, 1):
        text = json.dumps(problem.to_d3m(), indent=1, ensure_ascii=False)
        (out / f"{number:02}.json").write_text(text + "\n", encoding="utf-8")


# -- what is asked for


def _begun(path: Path, out: Path, options: dict[str, Any]) -> Any:
    from ..kernels import search as kernel
    from ..kernels.search.graph_rules import node_columns

    if options["problem_file"] and (options["targets"] or options["task"] or options["metric"]):
        raise click.UsageError("--problem says all of --target, --task and --metric; give one or the other")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f"{out}: exists already; choose another name with --out, or go on with it: --resume")
    if not out.resolve().parent.is_dir():
        raise FileNotFoundError(f"{out.parent}: no such folder to put the study in")
    data = _loaded(kernel, path, options)
    if options["task"] == "linkPrediction" and not options["targets"] and len(node_columns(data)) == 1:
        data = kernel.links(data, rng=options["seed"])
    problem = _problem(kernel, data, path, options).check(data)
    for note in data.notes:
        click.echo(f"note: {note}")
    budget = {name: options[name] for name in ("seconds", "trials", "workers")}
    return kernel.Study(data, problem, out, rng=options["seed"], **budget)


def _opened(out: Path, options: dict[str, Any]) -> Any:
    from ..kernels import search as kernel

    given = [name for name in ("problem_file", "targets", "task", "metric", "features") if options[name]]
    if given:
        raise click.UsageError("--resume goes on with the problem of the study; leave out what names another")
    if not out.is_dir():
        raise FileNotFoundError(f"{out}: no such study; leave out --resume to begin one")
    study = kernel.Study.open(out)
    study.workers = options["workers"]
    return study


def _problem(kernel: Any, data: Any, path: Path, options: dict[str, Any]) -> Problem:
    """What is asked; what is not said is left to `Problem.check`."""
    task, chosen = options["task"], {"metric": options["metric"], "features": _names(options["features"])}
    if options["targets"]:
        return kernel.Problem(options["targets"], task, **chosen)
    if options["problem_file"]:
        problem = kernel.Problem.from_d3m(options["problem_file"])
    else:
        problem = _own_problem(kernel, path)
        if problem is None or task not in (None, problem.task):
            problem = _promising(kernel, data, task)
    return problem.with_(**{name: value for name, value in chosen.items() if value})


def _promising(kernel: Any, data: Any, task: str | None) -> Problem:
    from ..kernels.search.tasks import COMMUNITIES

    for each in kernel.discover(data):
        if task is None or each.task == task:
            return each
    if task in COMMUNITIES and data.graphs:
        return kernel.Problem(None, task)
    wanted = f"{task} problem" if task else "problem"
    raise ValueError(f"{data.name}: no {wanted} is legal for its columns: {_columns(data)}")


def _own_problem(kernel: Any, path: Path) -> Problem | None:
    """The problem that comes with a D3M folder."""
    from ..kernels.search.d3m import find_problem

    found = find_problem(path) if path.is_dir() else None
    return None if found is None else kernel.Problem.from_d3m(found)


def _names(text: str | None) -> tuple[str, ...] | None:
    return tuple(name.strip() for name in text.split(",") if name.strip()) or None if text else None


def _columns(data: Any) -> str:
    return ", ".join(f"{name} ({column.type})" for name, column in data.columns.items())


def _limits(problem: Problem) -> str:
    """What nobody should expect of models of this task."""
    from ..kernels.search import TASKS

    return TASKS[problem.task].limits if problem.task in TASKS else ""


def _limits(problem: Problem) -> str:
    """What nobody should expect of models of this task."""
    from ..kernels.search import TASKS

    return TASKS[problem.task].limits if problem.task in TASKS else ""


# -- the search as it runs


def _run(study: Any, options: dict[str, Any]) -> bool:
    """Run to the end or to Ctrl-C; whether it was stopped."""
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        board.say("stopping")
        study.stop()

    with Board(study, options["seconds"], options["trials"]) as board, stopped_by(stop):
        for model in study.run(options["seconds"], options["trials"]):
            board.found(model)
    return stopped.is_set()


class Board:
    """Leaderboard and progress while a study runs.

    On a terminal they are drawn over again, four times a second; elsewhere every model that is better than all before
    gets a line.
    """

    def __init__(self, study: Any, seconds: float | None, trials: int | None) -> None:
        self._study, self._seconds, self._trials = study, seconds, trials
        self._live = sys.stdout.isatty()
        self._lines: list[str] = []
        self._best: float | None = None
        self._said = ""
        self._count, self._started = 0, time.monotonic()
        self._lock, self._done = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Board:
        before = self._study.models[:1]  # of a study that goes on
        if before:
            self._best = before[0].cost
            self._lines = _table(self._study.leaderboard(), longest=SHORT).splitlines()
        self._started = time.monotonic()
        if self._live:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._live:
            self._thread.join()

    def say(self, what: str) -> None:
        """What goes on beside the search; it is said on a terminal only."""
        self._said = what

    def found(self, model: Any) -> None:
        """A model arrived."""
        self._count += 1
        better = model.cost is not None and (self._best is None or model.cost < self._best)
        self._best = model.cost if better else self._best
        if self._live:
            with self._lock:
                self._lines = _table(self._study.leaderboard(), longest=SHORT).splitlines()
        elif better:
            click.echo(f"{self._elapsed:7.1f} s  model {model.number}: {model.name}, {_score(model)}")

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _tick(self) -> None:
        drawn = 0
        while not self._done.wait(TICK):
            with self._lock:
                lines = [*self._lines, self._bar()]
            drawn = self._draw(lines, drawn)
        self._draw([], drawn)

    def _draw(self, lines: list[str], over: int) -> int:
        """Draw over as many lines as were drawn before."""
        width = shutil.get_terminal_size().columns - 1
        text = f"\x1b[{over}F\x1b[J" if over else ""
        sys.stdout.write(text + "".join(f"{line[:width]}\n" for line in lines))
        sys.stdout.flush()
        return len(lines)

    def _bar(self) -> str:
        shares = [self._elapsed / self._seconds] if self._seconds else []
        shares += [self._count / self._trials] if self._trials else []
        full = round(BAR * min(1.0, max(shares, default=0.0)))
        limit = f" of {self._seconds:.0f}" if self._seconds else ""
        models = f"{self._count} models" + (f" of {self._trials} trials" if self._trials else "")
        left = f"{self._left():.0f} s left" if math.isfinite(self._left()) else ""
        words = [f"{self._elapsed:.0f}{limit} s", models, left, self._said]
        return f"[{'#' * full}{'.' * (BAR - full)}] {', '.join(filter(None, words))}"

    def _left(self) -> float:
        """Seconds to the end of the time, or to the last trial at the pace so far."""
        left = [max(0.0, self._seconds - self._elapsed)] if self._seconds else []
        if self._trials and self._count:
            left.append(self._elapsed / self._count * max(0, self._trials - self._count))
        return min(left, default=math.inf)


def _score(model: Any) -> str:
    return f"{model.problem.metric} {figure(model.score)} ({model.split})"


# -- the end


def _end(study: Any, folder: Path, most: int) -> None:
    """The leaderboard, and the best models in a folder."""
    from ..kernels import search as kernel

    models = study.models[:most]
    if not models:
        raise click.ClickException(f"no model was found: {_reason(study.trials)}")
    click.echo(f"\n{_table(study.leaderboard())}")
    if models[0].split == "holdout":
        click.echo(
            "In the order of their cross-validated costs (cv cost); scores, and low to high, are of the holdout."
        )
    finished = int((study.trials["status"] == "ok").sum())
    lost = f"; the first that did not: {_reason(study.trials)}" if finished < len(study.trials) else ""
    click.echo(f"\n{finished} of {len(study.trials)} trials finished{lost}")
    kernel.export(models, folder, overwrite=True)
    first = min(each for each in folder.iterdir() if each.is_dir())
    click.echo(f"The best {len(models)} in {folder}. Predict: python {first / 'predict.py'} TABLE")


def _reason(trials: pd.DataFrame) -> str:
    failed = trials[~trials["status"].isin(["ok", "running"])]
    # Killed ones only ran too late.
    failed = failed.sort_values("status", key=lambda status: status == "killed", kind="stable")
    if not len(failed):
        return "there was no time for one; give it more --seconds"
    return f"{failed.iloc[0]['name']}: {failed.iloc[0]['reason']}"


def _table(board: pd.DataFrame, most: int = LISTED, longest: int = 200) -> str:
    """The best models; the trivial predictor is shown wherever it comes."""
    import pandas as pd

    shown = board[(board.index < most) | (board["name"] == "trivial").to_numpy()]
    shown = shown.drop(columns=["fidelity"], errors="ignore")
    if "split" in shown and (shown["split"] == "train").all():
        shown = shown.drop(columns=["cost"], errors="ignore")  # the same as the score
    shown = shown.rename(columns={"number": "model", "cost": "cv cost"})
    shown = shown.assign(model=["" if pd.isna(number) else str(number) for number in shown["model"]])
    shown["name"] = [name if len(name) <= longest else f"{name[: longest - 3]}..." for name in shown["name"]]
    return str(shown.to_string(index=False, float_format=figure, na_rep=""))
