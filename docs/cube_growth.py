"""README's picture of how a brush and its memory grow with the rows: `python docs/cube_growth.py [--out docs]`.

Reads what `make bench` keeps in its data folder (cube-growth.json, see benchmarks/cube_data.py).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import tempfile
from pathlib import Path

import holoviews as hv
from browse import save

hv.extension("bokeh", logo=False)
# Okabe and Ito's colours, told apart with any kind of colour vision, each with a marker of its own.
SURROGATE, EXACT, DENSE = ("#D55E00", "circle"), ("#0072B2", "square"), ("#56B4E9", "square_pin")
CELLS, MEMORY, PARQUET = ("#009E73", "triangle"), ("#CC79A7", "diamond"), ("#000000", "inverted_triangle")
LOOKS = {
    "surrogate": SURROGATE,
    "exact cube": EXACT,
    "exact cube, sparse": EXACT,
    "exact cube, dense": DENSE,
    "DuckDB, counted cells": CELLS,
    "DuckDB, rows in memory": MEMORY,
    "DuckDB, rows in Parquet": PARQUET,
    "Parquet of the rows": PARQUET,
}
NAMES = {
    "surrogate, model.views": "surrogate",
    "surrogate's file": "surrogate",
    "exact cube, exact.views": "exact cube",
    "DuckDB, counted cells in a file": "DuckDB, counted cells",
}
ROWS = {1e5: "100,000", 1e6: "1 million", 1e7: "10 million", 1e8: "100 million"}
MILLISECONDS = {10.0**k: f"{10.0**k:,g}" for k in range(-2, 6)}
BYTES = {10.0**k: f"{10 ** (k % 3)} {'kMG'[k // 3 - 1]}B" for k in range(3, 12)}


def name(label: str) -> str:
    """What a label of the benchmark is called in the legend."""
    plain = re.sub(r"DuckDB \S+,", "DuckDB,", label)
    return NAMES.get(plain, plain)


def courses(kept: dict, figure: str, unit: float) -> dict[str, list[tuple[float, float]]]:
    """Points (rows, value) by name."""
    found: dict[str, list[tuple[float, float]]] = {}
    for rows, figures in sorted(kept.items(), key=lambda item: int(item[0])):
        for label, value in figures[figure].items():
            found.setdefault(name(label), []).append((float(rows), value / unit))
    return found


def panel(points: dict[str, list[tuple[float, float]]], title: str, ylabel: str, ticks: dict[float, str]) -> hv.Overlay:
    drawn = []
    for each, (color, marker) in LOOKS.items():
        if each in points:
            line = hv.Curve(points[each], "rows", "value", label=each)
            dots = hv.Scatter(points[each], "rows", "value", label=each)
            drawn += [line.opts(color=color, line_width=2), dots.opts(color=color, marker=marker, size=8)]
    rows = [x for each in points.values() for x, _ in each]
    values = [y for each in points.values() for _, y in each]
    logarithmic = {"logx": True, "logy": True, "xticks": list(ROWS.items()), "yticks": list(ticks.items())}
    return hv.Overlay(drawn).opts(
        **logarithmic,
        **{"title": title, "xlabel": "rows", "ylabel": ylabel, "width": 640, "height": 330, "show_grid": True},
        xlim=(min(rows) / 1.5, max(rows) * 1.5),
        ylim=(min(values) / 2, max(values) * 2),
        legend_position="right",
    )


def picture(kept: dict[str, dict]) -> hv.Layout:
    """Latency and bytes, a row for 4 and one for 7 attributes."""
    panels = []
    for few, by_rows in sorted(kept.items()):
        times, sizes = courses(by_rows, "p50", 1e-3), courses(by_rows, "bytes", 1.0)
        panels.append(panel(times, f"All linked views of a brush, {few}", "median time (ms)", MILLISECONDS))
        panels.append(panel(sizes, f"Size, {few}", "bytes", BYTES))
    return hv.Layout(panels).opts(shared_axes=False, toolbar=None).cols(2)


def main() -> None:
    folder = os.environ.get("LEARNVIEWS_BENCH_DATA") or Path(tempfile.gettempdir()) / "learnviews-bench"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", type=Path, default=Path(folder) / "cube-growth.json")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    save(picture(json.loads(arguments.figures.read_text())), arguments.out / "cube-growth.png", 1290, 680)


if __name__ == "__main__":
    main()
