"""Graphs, ratings, sounds, videos, series of channels and boxes: how soon there is a model, and how far it is from a
guess.

    python benchmarks/search_kinds.py [--seconds 30 | --trials 5] [--workers 2] [NAME ...]

Graphs are D3M's, where they are there, and networkx's, of which small ones keep half of their rows aside. Ratings are
the bundled delays of flights; spoken digits are said by espeak-ng, whole voices held out; videos, series and images are
made with known contents. Intervals are of 95%, on rows that were kept aside.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))  # what makes their data

from search_tables import D3M

from learnviews.kernels import search
from learnviews.kernels.search import scores

Task = tuple[search.Dataset, search.Problem]


def ratings(folder: Path) -> Task:
    return search.load_bundled("flight_delays"), search.Problem("delay", "collaborativeFiltering")


def speech(folder: Path) -> Task:
    from recordings import spoken_digits

    spoken_digits(folder).to_csv(folder / "digits.csv", index=False)
    problem = search.Problem("digit", "classification", "accuracy", features=("sound",), group="voice")
    return search.load(folder / "digits.csv"), problem


def directions(folder: Path) -> Task:
    """Clips of a square that moves right, left, down or up, or stays: colours and textures say nothing."""
    from recordings import WAYS, moving, write_clip

    for number, (name, way) in enumerate(WAYS.items()):
        for at in range(20):
            rng = np.random.default_rng([number, at])
            frames = moving(np.array(way) * rng.uniform(0.7, 2), 12, seed=int(rng.integers(10**6)))
            write_clip(folder / name / f"{at}.{('mp4', 'avi', 'webm', 'mkv')[at % 4]}", frames)
    return search.load(folder), search.Problem("label", metric="accuracy")


def speeds(folder: Path) -> Task:
    from recordings import moving, write_clip

    pixels = np.random.default_rng(0).uniform(0, 3, 80).round(2)
    for at, each in enumerate(pixels):
        write_clip(folder / f"{at}.mp4", moving((each, 0), 10, seed=at))
    frame = pd.DataFrame({"clip": [f"{at}.mp4" for at in range(len(pixels))], "speed": pixels})
    frame.to_csv(folder / "speeds.csv", index=False)
    return search.load(folder / "speeds.csv"), search.Problem("speed", "regression")


def channels(folder: Path) -> Task:
    """Series of three channels; which of two is late is the label, none of them alone tells it."""
    rows = []
    for at in range(120):
        rng = np.random.default_rng(at)
        walk, lag = np.convolve(rng.normal(size=100), np.ones(5) / 2, mode="same"), 2 if at % 2 else -2
        table = np.column_stack([walk[20:80], walk[20 - lag : 80 - lag], rng.normal(size=60)])
        table = table + 0.3 * rng.normal(size=table.shape)
        pd.DataFrame(table, columns=list("abc")).to_csv(folder / f"{at}.csv", index=False)
        rows.append((f"{at}.csv", "late" if at % 2 else "early"))
    pd.DataFrame(rows, columns=["curve", "label"]).to_csv(folder / "labels.csv", index=False)
    return search.load(folder / "labels.csv"), search.Problem("label", metric="accuracy")


def rings(folder: Path) -> Task:
    import scenes

    scenes.d3m(folder / "rings", scenes.write_scenes(folder / "rings" / "media", 80))
    return search.load(folder / "rings"), search.Problem("bounding_polygon_area")


def d3m(name: str) -> Callable[[Path], Task]:
    """A graph of the D3M programme with its own split."""
    return lambda folder: (search.load(D3M / name), search.Problem.from_d3m(D3M / name))


def graph(name: str, task: str, *target: str) -> Callable[[Path], Task]:
    """One of networkx's graphs."""
    return lambda folder: (search.load_bundled(name), search.Problem(*target or (None,), task))


TASKS: dict[str, Callable[[Path], Task]] = {
    **{name: d3m(name) for name in ("49_facebook", "LL1_VTXC_1369_synthetic") if (D3M / name).is_dir()},
    "karate members": graph("karate_club", "vertexClassification", "club"),
    "karate communities": graph("karate_club", "communityDetection", "club"),
    "karate links": graph("karate_club_links", "linkPrediction", "link"),
    "Les Miserables links": graph("les_miserables_links", "linkPrediction", "link"),
    "Davis links": graph("davis_women_links", "linkPrediction", "link"),
    "ratings": ratings,
    "speech": speech,
    "directions": directions,
    "speeds": speeds,
    "channels": channels,
    "rings": rings,
}


def line(name: str, seconds: float | None, trials: int | None, workers: int) -> str:
    """One search, in words."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "data"
        folder.mkdir()
        data, problem = TASKS[name](folder)
        study = search.Study(data, problem, Path(place) / "study", seconds, trials, workers)
        began, first = time.monotonic(), float("nan")
        for _ in study.run():
            first = first if first == first else time.monotonic() - began
        metric = str(study.problem.metric)
        if study.best is None:
            return f"{name:24} {len(data):6,}  no model"
        both = [
            scores.table(study.problem, m.predictions, study.best.split, (metric,))
            for m in (study.best, study.baseline)
        ]
        told = [f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]" for row in (t.loc[metric] for t in both)]
        words = f"{name:24} {len(data):6,} {first:7.1f} s  {metric:21} {told[0]:24} {told[1]:24} {study.best.name}"
        study.close()
    return words


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TASKS))
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--trials", type=int, help="so many, however long they take, instead of --seconds")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    print(f"{'':24} {'rows':>6} {'first':>9}  {'metric':21} {'best [95%]':24} {'a guess [95%]':24} best model")
    for each in options.names or TASKS:
        print(line(each, None if options.trials else options.seconds, options.trials, options.workers), flush=True)
