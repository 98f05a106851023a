"""Images with known objects in them: rings among squares and triangles of the same colours, on a grainy ground."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

HEIGHT, WIDTH = 120, 160


def scene(rng, most=3, side=(26, 44)):
    """Pixels, and the boxes (x_min, y_min, x_max, y_max) of the rings in it."""
    from PIL import Image, ImageDraw

    ground = rng.integers(90, 150, 3) + rng.normal(0, 12, (HEIGHT, WIDTH, 3))
    image = Image.fromarray(np.clip(ground, 0, 255).astype(np.uint8))
    draw, taken, drawn = ImageDraw.Draw(image), [], []
    for kind in ["ring"] * int(rng.integers(0 if most > 1 else 1, most + 1)) + ["square", "triangle"]:
        for _ in range(50):
            size = int(rng.integers(*side))
            x, y = int(rng.integers(2, WIDTH - size - 2)), int(rng.integers(2, HEIGHT - size - 2))
            box = (x, y, x + size, y + size)
            if all(box[2] < o[0] or o[2] < box[0] or box[3] < o[1] or o[3] < box[1] for o in taken):
                break
        else:
            continue
        taken.append(box)
        _draw(draw, kind, box, tuple(int(c) for c in rng.choice([20, 235], 3)))
        if kind == "ring":
            drawn.append(box)
    return np.asarray(image), drawn


def _draw(draw, kind, box, colour):
    x, y, right, bottom = box
    if kind == "ring":
        draw.ellipse(box, outline=colour, width=max(4, (right - x) // 6))
    elif kind == "square":
        draw.rectangle(box, outline=colour, width=max(4, (right - x) // 6))
    else:
        draw.polygon([((x + right) // 2, y), (right, bottom), (x, bottom)], fill=colour)


def write_scenes(folder: Path, count: int, seed=0, **options) -> list[tuple[str, list[tuple[int, ...]]]]:
    """A PNG file per scene; names and boxes."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    rng, found = np.random.default_rng(seed), []
    for at in range(count):
        pixels, drawn = scene(rng, **options)
        Image.fromarray(pixels).save(folder / f"{at:03}.png")
        found.append((f"{at:03}.png", drawn))
    return found


def vertices(box) -> str:
    """A box as D3M writes it."""
    x, y, right, bottom = box
    return f"{x},{y},{x},{bottom},{right},{bottom},{right},{y}"


def table(found) -> pd.DataFrame:
    """A row per image: its name, and its boxes as text."""
    cells = [";".join(",".join(map(str, box)) for box in drawn) for _, drawn in found]
    return pd.DataFrame({"image": [name for name, _ in found], "objects": cells})


def d3m(folder: Path, found, version="4.0.0", role=("suggestedTarget",)) -> Path:
    """The documents of a D3M data set and its problem: a row per box, and a blank one for an image without."""
    index = {"colIndex": 0, "colName": "d3mIndex", "colType": "integer", "role": ["multiIndex"]}
    named = {"colIndex": 1, "colName": "image", "colType": "string", "role": ["attribute"]}
    named |= {"refersTo": {"resID": "0", "resObject": "item"}}
    target = {"colIndex": 2, "colName": "bounding_polygon_area", "colType": "realVector", "role": list(role)}
    files = {"resID": "0", "resPath": "media/", "resType": "image", "isCollection": True}
    learning = {"resID": "learningData", "resPath": "tables/learningData.csv", "resType": "table"}
    about = {"datasetID": "rings", "datasetSchemaVersion": version}
    doc = {"about": about, "dataResources": [files, learning | {"columns": [index, named, target]}]}
    (folder / "tables").mkdir(parents=True)
    (folder / "datasetDoc.json").write_text(json.dumps(doc))
    rows = [(at, name, vertices(box)) for at, (name, drawn) in enumerate(found) for box in drawn]
    rows += [(at, name, None) for at, (name, drawn) in enumerate(found) if not drawn]
    columns = ["d3mIndex", "image", "bounding_polygon_area"]
    pd.DataFrame(sorted(rows, key=lambda row: row[0]), columns=columns).to_csv(
        folder / "tables" / "learningData.csv", index=False
    )
    return folder
