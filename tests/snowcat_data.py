"""Small data sets for the tests of the Snowcat app: a D3M folder, texts, images, and archives of them."""

import json
import zipfile

import numpy as np


def d3m(folder, rows=60):
    """A D3M set of one table, with numbers, labels and a target."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=rows).round(3)
    lines = [f"{i},{x[i]},{'abc'[i % 3]},{round(2 * x[i] + 1, 3)}" for i in range(rows)]
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "learningData.csv").write_text("\n".join(["d3mIndex,x,kind,y", *lines]) + "\n")
    types = {"d3mIndex": "integer", "x": "real", "kind": "categorical", "y": "real"}
    roles = {"d3mIndex": "index", "y": "suggestedTarget"}
    columns = [
        {"colIndex": i, "colName": name, "colType": type_, "role": [roles.get(name, "attribute")]}
        for i, (name, type_) in enumerate(types.items())
    ]
    table = {"resID": "learningData", "resPath": "tables/learningData.csv", "resType": "table", "columns": columns}
    about = {"datasetID": "small_dataset", "datasetSchemaVersion": "3.2.0"}
    (folder / "datasetDoc.json").write_text(json.dumps({"about": about, "dataResources": [table]}))
    return folder


def texts(folder, each=15):
    """Texts of two labels."""
    words = {"food": "bread butter oven salt", "sport": "ball team goal match"}
    for label, some in words.items():
        (folder / label).mkdir(parents=True)
        for i in range(each):
            (folder / label / f"{i:02}.txt").write_text(f"Number {i} is about {some} and more. " + some * (i % 4))
    return folder


def images(folder, each=6):
    """Pictures of two labels: dark and bright."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for label, level in (("bright", 180), ("dark", 20)):
        (folder / label).mkdir(parents=True)
        for i in range(each):
            Image.fromarray((level + rng.integers(0, 60, (8, 8))).astype(np.uint8)).save(folder / label / f"{i}.png")
    return folder


def zipped(folder, target):
    """A folder as an archive, itself at its top."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder.parent))
    return target
