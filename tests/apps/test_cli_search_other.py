"""`learnviews problems` and `learnviews search` on ratings, sounds, videos and boxes, of D3M and of folders."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scenes
from click.testing import CliRunner
from recordings import moving, tone, write_clip, write_sound

from learnviews.apps.cli import main

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    result = CliRunner().invoke(main, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.output


def ratings(folder, version):
    """A D3M data set of ratings with its problem: who rates what, and how much."""
    rng = np.random.default_rng(0)
    tastes, kinds = rng.normal(size=(45, 2)), rng.normal(size=(30, 2))
    at = np.argwhere(rng.random((45, 30)) < 0.5)
    stars = [3 + tastes[u] @ kinds[i] + 0.2 * rng.normal() for u, i in at]
    frame = pd.DataFrame({"user_id": at[:, 0], "item_id": at[:, 1], "rating": np.round(stars, 2)})
    place = folder / "stars_dataset"
    (place / "tables").mkdir(parents=True)
    frame.rename_axis("d3mIndex").to_csv(place / "tables" / "learningData.csv")
    kinds = [
        ("d3mIndex", "integer", "index"),
        ("user_id", "categorical", "attribute"),
        ("item_id", "integer", "attribute"),
    ]
    kinds += [("rating", "real", "suggestedTarget")]
    columns = [{"colIndex": i, "colName": n, "colType": t, "role": [r]} for i, (n, t, r) in enumerate(kinds)]
    table = {"resID": "learningData", "resPath": "tables/learningData.csv", "resType": "table", "columns": columns}
    about = {"datasetID": "stars", "datasetSchemaVersion": version}
    (place / "datasetDoc.json").write_text(json.dumps({"about": about, "dataResources": [table]}))
    task = {"taskKeywords": ["collaborativeFiltering", "tabular"]}
    task = task if version[0] == "4" else {"taskType": "collaborativeFiltering"}
    target = {"targetIndex": 0, "resID": "learningData", "colIndex": 3, "colName": "rating"}
    inputs = {"data": [{"datasetID": "stars", "targets": [target]}]}
    inputs["performanceMetrics"] = [{"metric": "meanAbsoluteError"}]
    problem = {"about": {"problemID": "stars", "problemSchemaVersion": version, **task}, "inputs": inputs}
    (folder / "stars_problem").mkdir()
    (folder / "stars_problem" / "problemDoc.json").write_text(json.dumps(problem))
    return place


@pytest.mark.parametrize("version", ["3.2.0", pytest.param("4.0.0", marks=pytest.mark.slow)])
def test_ratings_of_d3m(folder, version):
    place = ratings(folder, version)
    listed = run("problems", place)
    assert "predict rating of pairs of user_id and item_id" in listed
    said = run("search", place, "--trials", 5, "--workers", 1, "--out", "found")
    assert "with a collaborative filtering model by the best mean absolute error" in said
    ranked = pd.read_csv(folder / "found" / "export" / "ranking.csv")
    assert ranked["value"].iloc[0] < 0.7 * ranked["value"].iloc[-1] and ranked["high"].iloc[0] < ranked["low"].iloc[-1]


def test_a_folder_of_sounds(folder):
    for at in range(30):
        rng = np.random.default_rng(at)
        hertz = rng.uniform(120, 300) if at % 2 else rng.uniform(500, 900)
        write_sound(folder / "tones" / ("low" if at % 2 else "high") / f"{at}.wav", tone(hertz, noise=0.1, rng=at))
    assert "predict label from audio with a classification model" in run("problems", "tones")
    run("search", "tones", "--metric", "accuracy", "--trials", 2, "--workers", 1, "--out", "found")
    ranked = pd.read_csv("found/export/ranking.csv")
    assert ranked["value"].iloc[0] > 0.8 > ranked["value"].iloc[-1]


def test_a_folder_of_videos(folder):
    for at in range(16):
        way = (1.5, 0) if at % 2 else (0, 1.5)
        write_clip(folder / "clips" / ("across" if at % 2 else "down") / f"{at}.mp4", moving(way, 8, seed=at))
    run("search", "clips", "--metric", "accuracy", "--trials", 2, "--workers", 1, "--out", "found")
    ranked = pd.read_csv("found/export/ranking.csv")
    assert ranked["value"].iloc[0] > 0.8 > ranked["value"].iloc[-1]


def test_boxes_of_d3m(folder):
    scenes.d3m(folder / "rings", scenes.write_scenes(folder / "rings" / "media", 24, seed=5))
    listed = run("problems", "rings")
    assert "predict bounding_polygon_area from image with an object detection model" in listed
    said = run("search", "rings", "--trials", 1, "--workers", 1, "--out", "found")
    assert "What not to expect: " in said and "without a deep net" in said
    ranked = pd.read_csv("found/export/ranking.csv")
    assert ranked["value"].iloc[0] > 0.6 > 0.3 > ranked["value"].iloc[-1]


def test_a_damaged_file_is_named(folder):
    for at in range(14):
        write_sound(folder / "tones" / "ab"[at % 2] / f"{at}.wav", tone(200 + 100 * (at % 2)))
    Path("tones/a/4.wav").write_bytes(b"no sound")
    result = CliRunner().invoke(main, ["search", "tones", "--trials", "1", "--workers", "1", "--out", "found"])
    assert result.exit_code == 1 and "4.wav: cannot be read as a sound" in result.output
    assert "(column 'audio', row 4)" in result.output
