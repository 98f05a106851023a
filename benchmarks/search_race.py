"""The race of model searches: LearnViews beside FLAML, random search and scikit-learn's defaults, on one machine.

    python benchmarks/search_race.py --seconds 30 --seeds 0 1 --out race

Every run is a process of its own, one after the other. Results are lines of OUT/results.jsonl: an interrupted race goes
on where it was, and other seeds or tables can be added later. OUT/table.md holds scores and ranks, OUT/curve.svg the
best score over time. FLAML comes with the extra `peers`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

GRACE = 10  # times its seconds, and two minutes: then a run counts as failed
MARK = "result: "
SYSTEMS = ("LearnViews", "FLAML", "random search", "gradient boosting", "random forest")
Run = tuple[str, str, int]  # table, system, seed


def main(arguments: Sequence[str] | None = None) -> None:
    from search_tables import names

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="that a search may take")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--tables", nargs="+", choices=names(), default=names())
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=SYSTEMS)
    parser.add_argument("--out", type=Path, default=Path("search-race"), help="folder of the results")
    parser.add_argument("--one", nargs=3, metavar=("TABLE", "SYSTEM", "SEED"), help="one run, in this process")
    given = parser.parse_args(arguments)
    if given.one:
        print(MARK + json.dumps(one(given.one[0], given.one[1], int(given.one[2]), given.seconds)))
        return
    if "FLAML" in given.systems and importlib.util.find_spec("flaml") is None:
        parser.error(
            "FLAML is not installed: make bench-search, or pip install '.[peers]', or leave it out (--systems)"
        )
    given.out.mkdir(parents=True, exist_ok=True)
    # Seeds first, systems last: an interrupted race has compared all systems on what it got to.
    runs = [(table, system, seed) for seed, table, system in product(given.seeds, given.tables, given.systems)]
    race(runs, given.seconds, given.out / "results.jsonl")
    report([line for line in results(given.out / "results.jsonl") if line["seconds"] == given.seconds], given.out)


# -- to run it


def race(runs: list[Run], seconds: float, path: Path) -> None:
    """All runs that have no line in the file yet."""
    done = {key(line) for line in results(path)}
    if path.exists() and not path.read_text(encoding="utf-8").endswith("\n"):  # killed while it wrote
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")
    left = [run for run in runs if (*run, seconds) not in done]
    began = time.monotonic()
    for at, run in enumerate(left):
        pace = (time.monotonic() - began) / at if at else seconds
        ahead = f"{at + 1}/{len(left)}, about {pace * (len(left) - at) / 60:.0f} minutes left"
        print(f"{' '.join(map(str, run)):44} {ahead}", flush=True)
        line = dict(zip(("table", "system", "seed"), run, strict=True)) | {"seconds": seconds} | apart(run, seconds)
        print(f"    {line.get('error') or line['score']}", flush=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def apart(run: Run, seconds: float) -> dict[str, Any]:
    """What a run in a process of its own gives; its error where it gives nothing."""
    command = [sys.executable, __file__, "--seconds", str(seconds), "--one", *map(str, run)]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=GRACE * seconds + 120)
    except subprocess.TimeoutExpired as error:
        return {"error": f"took more than {error.timeout:.0f} s"}
    for text in reversed(ended.stdout.splitlines()):
        if text.startswith(MARK):
            return json.loads(text.removeprefix(MARK))
    return {"error": (ended.stderr.strip().splitlines() or ["no result"])[-1]}


def one(name: str, system: str, seed: int, seconds: float) -> dict[str, Any]:
    """One run; with it how it was judged, and what a guess is worth."""
    import warnings

    warnings.simplefilter("ignore")
    from search_systems import SYSTEMS as ALL
    from search_tables import table

    from learnviews.kernels.search.metrics import METRICS

    if system == "FLAML":
        importlib.import_module("flaml")
    chosen = table(name, seed)
    metric = chosen.problem.metric
    about = {"metric": metric, "larger": METRICS[metric].larger_is_better, "trivial": chosen.trivial()}
    return about | ALL[system](chosen, seconds, seed)


def results(path: Path) -> list[dict[str, Any]]:
    """Lines of the file; a last one that was cut off is left out (and its run done again)."""
    found = []
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            found.append(json.loads(text))
        except json.JSONDecodeError:
            continue
    return found


def key(line: dict[str, Any]) -> tuple[str, str, int, float]:
    return line["table"], line["system"], line["seed"], line["seconds"]


# -- what came of it


def scores(lines: list[dict[str, Any]], of: str = "score") -> pd.DataFrame:
    """Costs (lower is better) by table and seed, a column per system; what failed is worse than all else.

    What only some of the systems have run is left out.
    """
    rows = [
        {**line, "cost": float("inf") if line.get("error") else line[of] * (-1 if line["larger"] else 1)}
        for line in lines
    ]
    wide = pd.DataFrame(rows).pivot(index=["table", "seed"], columns="system", values="cost")
    order = [name for name in SYSTEMS if name in wide]
    return wide[order].dropna()


def ranks(costs: pd.DataFrame) -> pd.DataFrame:
    """1 is the best of each table and seed; equals share the mean of their places."""
    return costs.round(9).rank(axis=1, method="average")


def summary(costs: pd.DataFrame) -> pd.DataFrame:
    """Mean rank per system (of each table the mean over seeds), and how often it was best, alone or with others."""
    places = ranks(costs)
    best = costs.round(9).eq(costs.round(9).min(axis=1), axis=0)
    wins = best & (best.sum(axis=1) == 1).to_numpy()[:, None]
    return pd.DataFrame(
        {"mean rank": places.groupby("table").mean().mean(), "alone best": wins.sum(), "best": best.sum()}
    ).sort_values("mean rank")


def report(lines: list[dict[str, Any]], out: Path) -> None:
    """Print and write the tables, and draw the curve."""
    from search_curve import draw

    for line in lines:
        if line.get("error"):
            print(f"failed: {' '.join(map(str, key(line)))}: {line['error']}")
    costs = scores(lines) if lines else pd.DataFrame()
    if costs.empty:
        print("nothing to compare yet: no table was run by all systems")
        return
    parts = [
        ("Scores on the holdout (mean over seeds), and in brackets the mean rank", shown(lines, costs)),
        ("All tables", summary(costs).round(2)),
        ("All tables, the best single model instead of an ensemble", summary(scores(lines, "single")).round(2)),
        ("Seconds, without imports, and trials (FLAML: improvements): medians", spent(lines)),
    ]
    text = "\n\n".join(f"{title}\n\n{markdown(frame)}" for title, frame in parts)
    (out / "table.md").write_text(text + "\n", encoding="utf-8")
    (out / "curve.svg").write_text(draw(lines), encoding="utf-8")
    print(f"\n{text}\n\n{out / 'table.md'}, {out / 'curve.svg'}")


def shown(lines: list[dict[str, Any]], costs: pd.DataFrame) -> pd.DataFrame:
    """The scores as the metric has them, with ranks."""
    metrics = {line["table"]: (line["metric"], line["larger"]) for line in lines if not line.get("error")}
    means, places = costs.groupby("table").mean(), ranks(costs).groupby("table").mean()
    rows = {}
    for name in metrics:
        if name in means.index:
            metric, larger = metrics[name]
            cells = {each: f"{abs(means.loc[name, each]):.4g} ({places.loc[name, each]:.2g})" for each in means}
            rows[name] = {"metric": metric + (" (more is better)" if larger else ""), **cells}
    return pd.DataFrame(rows).T


def spent(lines: list[dict[str, Any]]) -> pd.DataFrame:
    good = pd.DataFrame([line for line in lines if not line.get("error")])
    return good.groupby("system", sort=False)[["wall", "trials"]].median().round(1)


def markdown(frame: pd.DataFrame) -> str:
    head = ["", *map(str, frame.columns)]
    rows = [[str(name), *map(str, row)] for name, row in zip(frame.index, frame.to_numpy(), strict=True)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


if __name__ == "__main__":
    main()
