"""The race as a picture: the best score so far over time, mean over tables, as SVG without any drawing library.

0 is a guess that knows nothing of the features, 1 the best score that any system got on the table with that seed.
What has no model yet is at 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

# Okabe and Ito's colours, told apart by the colour-blind too; dashes tell them apart in grey.
STYLES = {
    "LearnViews": ("#0072B2", ""),
    "FLAML": ("#D55E00", ""),
    "random search": ("#009E73", "6 3"),
    "gradient boosting": ("#CC79A7", "2 3"),
    "random forest": ("#000000", "2 3"),
}
PANELS = ((1, "on the holdout"), (2, "as each search itself validates it"))
WIDTH, HEIGHT, LEFT, TOP, GAP = 440, 300, 60, 76, 50
FIRST = 3.0  # seconds: where the axis of time begins; before, processes start and import


def draw(lines: list[dict[str, Any]]) -> str:
    """The SVG text for result lines of one time budget."""
    good = complete([line for line in lines if not line.get("error")])
    seconds = max((line["seconds"] for line in good), default=1.0)
    times = np.geomspace(FIRST, max(seconds, 2 * FIRST), 200)
    parts = []
    for at, (column, title) in enumerate(PANELS):
        curves = {name: mean_curve(good, name, times, column) for name in STYLES}
        parts.append(panel(LEFT + at * (WIDTH + GAP), title, times, {k: v for k, v in curves.items() if v is not None}))
    width, height = LEFT + 2 * WIDTH + GAP + 20, TOP + HEIGHT + 50
    tables, seeds = len({line["table"] for line in good}), len({line["seed"] for line in good})
    over = f"{tables} table{'s' * (tables != 1)} and {seeds} seed{'s' * (seeds != 1)}"
    about = f"Best model so far, mean over {over} (0: a guess, 1: the best of all systems)"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">'
        f'<rect width="{width}" height="{height}" fill="white"/>{words(LEFT, 18, about, size=14)}'
        f"{legend([name for name in STYLES if any(line['system'] == name for line in good)])}{''.join(parts)}</svg>\n"
    )


def complete(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Only tables and seeds that every system of the race has run: the same mean for all."""
    systems = {line["system"] for line in lines}
    ran: dict[Any, set[str]] = {}
    for line in lines:
        ran.setdefault((line["table"], line["seed"]), set()).add(line["system"])
    return [line for line in lines if ran[line["table"], line["seed"]] == systems]


def mean_curve(lines: list[dict[str, Any]], system: str, times: np.ndarray, column: int) -> np.ndarray | None:
    """Normalised score at each time; None where the system has no such scores."""
    found = []
    for line in lines:
        if line["system"] != system or any(point[column] is None for point in line["curve"]):
            continue
        rivals = [each for each in lines if (each["table"], each["seed"]) == (line["table"], line["seed"])]
        ends = [each["score"] for each in rivals]
        best = max(ends) if line["larger"] else min(ends)
        found.append(steps(line["curve"], times, column, line["trivial"], best))
    return np.mean(found, axis=0) if found else None


def steps(curve: Sequence[Sequence[Any]], times: np.ndarray, column: int, worst: float, best: float) -> np.ndarray:
    """The last value before each time, 0 at `worst` and 1 at `best`; never far below 0."""
    if not curve:
        return np.zeros(len(times))
    at = np.searchsorted([point[0] for point in curve], times, side="right") - 1
    values = np.array([(point[column] - worst) / (best - worst) if best != worst else 1.0 for point in curve])
    return np.where(at < 0, 0.0, np.clip(values, -0.5, None)[np.maximum(at, 0)])


def panel(left: float, title: str, times: np.ndarray, curves: dict[str, np.ndarray]) -> str:
    low = min([0.0, *(float(curve.min()) for curve in curves.values())])
    high = max([1.0, *(float(curve.max()) for curve in curves.values())]) + 0.02
    x = left + WIDTH * np.log(times / times[0]) / np.log(times[-1] / times[0])
    drawn = [words(left, TOP - 8, title, size=13), grid(left, times, low, high)]
    for name, curve in curves.items():
        y = TOP + HEIGHT * (high - curve) / (high - low)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        drawn.append(f'<polyline points="{points}" {stroke(name)}><title>{name}</title></polyline>')
    return "".join(drawn)


def grid(left: float, times: np.ndarray, low: float, high: float) -> str:
    """Lines and numbers of both axes."""
    drawn = []
    for value in np.arange(0, high, 0.2):
        y = TOP + HEIGHT * (high - value) / (high - low)
        drawn.append(f'<line x1="{left}" x2="{left + WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        drawn.append(words(left - 6, y + 4, f"{value:.1f}", anchor="end"))
    ticks = [tick for tick in (1, 2, 3, 5, 10, 20, 30, 60, 120, 300) if times[0] <= tick <= times[-1] * 1.001]
    for tick in ticks:
        x = left + WIDTH * np.log(tick / times[0]) / np.log(times[-1] / times[0])
        drawn.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{TOP + HEIGHT}" stroke="#eee"/>')
        drawn.append(words(x, TOP + HEIGHT + 16, f"{tick:g}", anchor="middle"))
    return "".join([*drawn, words(left + WIDTH / 2, TOP + HEIGHT + 36, "seconds (imports done)", anchor="middle")])


def legend(names: list[str]) -> str:
    drawn = []
    for at, name in enumerate(names):
        x = LEFT + 165 * at
        drawn.append(f'<line x1="{x}" x2="{x + 28}" y1="34" y2="34" {stroke(name)}/>{words(x + 34, 38, name)}')
    return "".join(drawn)


def stroke(name: str) -> str:
    colour, dashes = STYLES[name]
    return f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes or "none"}"'


def words(x: float, y: float, text: str, anchor: str = "start", size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{text}</text>'
