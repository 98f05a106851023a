"""Makes grammar/outlines.npz: outlines of countries and of the United States, small enough to come with the package.

    npm pack world-atlas@2.0.2 us-atlas@3.0.1       # two .tgz files
    python docs/outlines.py world-atlas-2.0.2.tgz us-atlas-3.0.1.tgz grammar/outlines.npz

Sources, both in the public domain: Natural Earth's countries at 1:110 million (naturalearthdata.com; packaged as
TopoJSON by world-atlas) and the cartographic boundary files of the US Census Bureau at 1:10 million (packaged by
us-atlas). In a TopoJSON file every border is stored once, as an arc. Arcs are simplified (Douglas and Peucker 1973) and
stored in steps of 1/180 degree.

The file holds three groups of lines, so that no coast is drawn twice: `world`, without the borders of the United
States; `usa`, those borders as the world's map has them; `states`, the finer borders of the states.
"""

import json
import sys
import tarfile

import numpy as np

STEPS = 180  # per degree: 360 degrees fit into int16
TOLERANCE = {"world": 0.0, "usa": 0.0, "states": 0.003}  # degrees


def read(archive: str, name: str) -> dict:
    with tarfile.open(archive) as tar:
        return json.load(tar.extractfile(f"package/{name}"))


def arcs(topology: dict) -> list[np.ndarray]:
    """Every arc as (n, 2) degrees: TopoJSON stores whole numbers, each relative to the one before."""
    scale, shift = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
    return [np.cumsum(np.array(arc), axis=0) * scale + shift for arc in topology["arcs"]]


def numbers(item) -> set[int]:
    """Arcs of a geometry; ~i is arc i backwards."""
    if isinstance(item, int):
        return {item if item >= 0 else ~item}
    return set().union(*map(numbers, item)) if item else set()


def simplify(line: np.ndarray, tolerance: float) -> np.ndarray:
    """Leaves out points that lie within `tolerance` of what is drawn without them."""
    keep = np.zeros(len(line), bool)
    keep[[0, -1]] = True
    todo = [(0, len(line) - 1)]
    while todo:
        a, b = todo.pop()
        if b - a < 2:
            continue
        chord, rest = line[b] - line[a], line[a + 1 : b] - line[a]
        length = np.hypot(*chord)
        off = np.abs(chord[0] * rest[:, 1] - chord[1] * rest[:, 0]) / length if length else np.hypot(*rest.T)
        farthest = int(off.argmax())
        if off[farthest] > tolerance:
            middle = a + 1 + farthest
            keep[middle] = True
            todo += [(a, middle), (middle, b)]
    return line[keep]


def at_the_date_line(line: np.ndarray) -> list[np.ndarray]:
    """Parts of a line that do not jump from one end of the map to the other."""
    jumps = np.flatnonzero(np.abs(np.diff(line[:, 0])) > 180) + 1
    return [part for part in np.split(line, jumps) if len(part) > 1]


def main(world: str, us: str, target: str) -> None:
    countries, states = read(world, "countries-110m.json"), read(us, "states-10m.json")
    lines = arcs(countries)
    geometries = countries["objects"]["countries"]["geometries"]
    usa = numbers(next(g["arcs"] for g in geometries if g["id"] == "840"))
    groups = {
        "world": [line for i, line in enumerate(lines) if i not in usa],
        "usa": [line for i, line in enumerate(lines) if i in usa],
        "states": arcs(states),
    }
    out = {}
    for name, group in groups.items():
        kept = [simplify(part, TOLERANCE[name]) for line in group for part in at_the_date_line(line)]
        steps = [np.rint(line * STEPS).astype(np.int64) for line in kept]
        steps = [line[np.r_[True, (np.diff(line, axis=0) != 0).any(1)]] for line in steps]
        steps = [line for line in steps if len(line) > 1]
        points = np.concatenate(steps)
        assert np.abs(points).max() < 1 << 15
        # Differences are small: stored as such they compress better. int16 wraps around, and back when summed up.
        out[name] = np.diff(points, axis=0, prepend=0).astype(np.int16)
        out[f"{name}_lengths"] = np.array([len(line) for line in steps], np.uint16)
    np.savez_compressed(target, **out)


if __name__ == "__main__":
    main(*sys.argv[1:])
