"""Texts, images, series and clusters from files to models: real data that libraries bring along, real searches."""

import importlib
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits, load_iris

from learnviews.kernels import search
from learnviews.kernels.search.exports import export
from learnviews.kernels.search.study_files import CHANGED

Image = pytest.importorskip("PIL.Image")


# -- real data at hand


def digits(per_class, classes=range(10)):
    found = load_digits()
    rows = np.concatenate([np.flatnonzero(found.target == name)[:per_class] for name in classes])
    return (found.images[rows] * 15).astype(np.uint8), found.target[rows]


def textures(per_class, side=48):
    """Tiles of photographs of brick, grass and gravel."""
    import skimage

    rng, folder = np.random.default_rng(0), Path(skimage.__file__).parent / "data"
    for name in ("brick", "grass", "gravel"):
        with Image.open(folder / f"{name}.png") as photo:
            pixels = np.asarray(photo)
        for at in range(per_class):
            y, x = rng.integers(0, pixels.shape[0] - side, 2)
            yield name, at, pixels[y : y + side, x : x + side]


def docstrings(per_class):
    """What functions of Python's modules say of themselves; what several say (all objects' methods do) is of none."""
    names = ("statistics", "email.message", "decimal", "zipfile", "socket")
    found = {name: _said(importlib.import_module(name)) for name in names}
    for name, texts in found.items():
        others = set().union(*(found[other] for other in names if other != name), _said(object))
        yield from ((name, text) for text in sorted(texts - others)[:per_class])


def _said(module):
    parts = [module, *(value for _, value in inspect.getmembers(module, inspect.isclass))]
    own = [value for part in parts for _, value in inspect.getmembers(part, inspect.isroutine)]
    return {value.__doc__ for value in own if value.__doc__ and len(value.__doc__) > 60}


def written(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def d3m(folder, kind, suffix, labels, columns=()):
    """The documents of a D3M collection whose files are media/<row><suffix>."""
    index = {"colIndex": 0, "colName": "d3mIndex", "colType": "integer", "role": ["index"]}
    named = {"colIndex": 1, "colName": "file", "colType": "string", "role": ["attribute"]}
    target = {"colIndex": 2, "colName": "label", "colType": "categorical", "role": ["suggestedTarget"]}
    files = {"resID": "0", "resPath": "media/", "resType": kind, "isCollection": True, "columns": list(columns)}
    table = {"resID": "learningData", "resPath": "tables/learningData.csv", "resType": "table"}
    described = [index, named | {"refersTo": {"resID": "0", "resObject": "item"}}, target]
    about = {"datasetID": "things", "datasetSchemaVersion": "4.0.0"}
    written(
        folder / "datasetDoc.json",
        json.dumps({"about": about, "dataResources": [files, table | {"columns": described}]}),
    )
    rows = [f"{row},{row}{suffix},{label}" for row, label in enumerate(labels)]
    written(folder / "tables" / "learningData.csv", "\n".join(["d3mIndex,file,label", *rows]))


def image_folders(folder):
    for at, (name, number, tile) in enumerate(textures(24)):
        path = folder / name / f"{number}.{'png' if at % 2 else 'jpg'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(tile).save(path)


def image_collection(folder):
    images, labels = digits(30, (0, 3, 8, 9))
    d3m(folder, "image", ".png", labels)
    (folder / "media").mkdir()
    for row, image in enumerate(images):
        Image.fromarray(image).save(folder / "media" / f"{row}.png")


def text_folders(folder):
    for at, (name, text) in enumerate(docstrings(24)):
        written(folder / name / f"{at}.txt", text)


def text_collection(folder):
    found = list(docstrings(24))
    d3m(folder, "text", ".txt", [name for name, _ in found])
    for row, (_, text) in enumerate(found):
        written(folder / "media" / f"{row}.txt", text)


def series():
    """The ink of digits' rows, one after the other, as curves."""
    images, labels = digits(25, (0, 1, 7))
    for image, label in zip(images, labels, strict=True):
        yield label, "time,ink\n" + "\n".join(f"{time},{ink}" for time, ink in enumerate(image.T.ravel()))


def series_folders(folder):
    for at, (label, table) in enumerate(series()):
        written(folder / f"d{label}" / f"{at}.csv", table)


def series_collection(folder):
    found = list(series())
    described = [
        {"colIndex": 0, "colName": "time", "colType": "integer"},
        {"colIndex": 1, "colName": "ink", "colType": "real"},
    ]
    d3m(folder, "timeseries", ".csv", [f"d{label}" for label, _ in found], described)
    for row, (_, table) in enumerate(found):
        written(folder / "media" / f"{row}.csv", table)


def mixed_table(folder):
    """Which digit it is: an image of it, a text that tells some of it, a number that tells little."""
    images, labels = digits(25, (1, 4, 6))
    rng = np.random.default_rng(0)
    words = {1: "one straight stroke", 4: "open at the top", 6: "closed at the bottom"}
    rows = []
    for at, (image, label) in enumerate(zip(images, labels, strict=True)):
        Image.fromarray(image).save(folder / f"{at}.png")
        said = words[label] if rng.random() < 0.5 else f"a digit, seen {at} times"
        rows.append((f"{at}.png", said, float(image.mean()), f"digit {label}"))
    frame = pd.DataFrame(rows, columns=["photo", "note", "ink", "label"])
    frame.loc[3, "photo"], frame.loc[5, "note"] = None, None
    frame.to_csv(folder / "table.csv", index=False)


SETS = {
    "image folders": (image_folders, "classification", 0.8),
    "image collection": (image_collection, "classification", 0.85),
    "text folders": (text_folders, "classification", 0.6),
    "text collection": (text_collection, "classification", 0.6),
    "series folders": (series_folders, "timeSeriesClassification", 0.85),
    "series collection": (series_collection, "timeSeriesClassification", 0.85),
    "mixed table": (mixed_table, "classification", 0.85),
}


def trivial_score(study, metric):
    board = study.leaderboard()
    return board[board["name"] == "trivial"][metric].iloc[0]


QUICK = ("image collection", "text folders", "series collection")


@pytest.mark.parametrize(
    "kind", [each if each in QUICK else pytest.param(each, marks=pytest.mark.slow) for each in SETS]
)
@pytest.mark.slow
def test_files_are_searched_exported_and_predicted_in_a_clean_process(kind, tmp_path):
    make, task, least = SETS[kind]
    folder = tmp_path / "things"
    folder.mkdir()
    make(folder)
    data = search.load(folder, types={"note": "text"} if kind == "mixed table" else None)
    problem = search.Problem("label", task, "accuracy")
    study = search.Study(data, problem, tmp_path / "study", trials=3, workers=1)
    found = list(study.run())
    assert found and set(study.trials["status"]) <= {"ok"}, study.trials[["name", "status", "reason"]].to_string()
    trivial = trivial_score(study, "accuracy")
    assert trivial < least <= study.best.score
    model = next(model for model in study.models if not model.members)
    out = export(model, tmp_path / "out")
    (one,) = (path for path in out.iterdir() if path.is_dir())
    assert (one / "pipeline.skops").is_file(), (one / "pipeline.txt").read_text()
    source = folder / "table.csv" if kind == "mixed table" else folder
    written_to = tmp_path / "predicted.csv"
    command = [sys.executable, one / "predict.py", source, "--out", written_to]
    run = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    assert run.returncode == 0, run.stderr
    there = pd.read_csv(written_to, index_col=0)["label"].astype(str)
    assert list(there) == list(model.predict(data).astype(str))


# -- clusters


@pytest.mark.slow
def test_flowers_are_grouped_with_and_without_their_names(tmp_path):
    flowers = load_iris(as_frame=True).frame
    flowers["target"] = flowers["target"].map({0: "setosa", 1: "versicolor", 2: "virginica"})
    features = tuple(flowers.columns[:4])
    named = search.Problem("target", "clustering", "normalizedMutualInformation", features=features, clusters=3)
    study = search.Study(flowers, named, tmp_path / "named", trials=4)
    assert all(model.problem.metric == "normalizedMutualInformation" for model in study.run())
    assert trivial_score(study, "normalizedMutualInformation") < 0.1
    assert study.best.score > 0.7 and study.best.predictions["prediction"].nunique() == 3
    free = search.Problem(None, "clustering", "silhouette", features=features)
    study = search.Study(flowers, free, tmp_path / "free", trials=4)
    list(study.run())
    assert study.best.score > 0.4
    out = export(study.best, tmp_path / "out")
    (one,) = (path for path in out.iterdir() if path.is_dir())
    assert (one / "pipeline.skops").is_file()


def test_images_are_grouped_and_judged_by_what_they_show(tmp_path):
    folder = tmp_path / "things"
    images, labels = digits(30, (0, 7))
    for at, (image, label) in enumerate(zip(images, labels, strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / str(label) / f"{at}.png")
    data = search.load(folder)
    problem = search.Problem(None, "clustering", "silhouette", features=("image",), clusters=2)
    study = search.Study(data, problem, tmp_path / "study", trials=3)
    list(study.run())
    assert 0.1 < study.best.score < 1
    pairs = pd.crosstab(data.frame["label"], study.best.predictions["prediction"])
    assert pairs.max(axis=0).sum() / len(data) > 0.9


def test_a_study_notices_that_its_files_changed(tmp_path):
    folder = tmp_path / "things"
    folder.mkdir()
    image_folders(folder)
    search.Study(folder, search.Problem("label", "classification"), tmp_path / "study").close()
    study = search.Study.open(tmp_path / "study")
    assert CHANGED not in study.data.notes
    study.close()
    next(folder.rglob("*.png")).unlink()
    study = search.Study.open(tmp_path / "study")
    assert CHANGED in study.data.notes
    study.close()
