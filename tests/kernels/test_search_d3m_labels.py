"""D3M's repeated rows as sets of labels: a row per label under one d3mIndex, with its split, blanks and problem."""

import json

import pytest

from learnviews.kernels import search
from learnviews.kernels.search import splits

HEAD = "d3mIndex,x,traits"


def write(folder, lines, target="suggestedTarget"):
    (folder / "tables").mkdir(parents=True)
    columns = [("d3mIndex", "integer", "multiIndex"), ("x", "real", "attribute"), ("traits", "categorical", target)]
    described = [
        {"colIndex": at, "colName": name, "colType": kind, "role": [role]}
        for at, (name, kind, role) in enumerate(columns)
    ]
    resource = {"resID": "learningData", "resPath": "tables/learningData.csv", "resType": "table", "columns": described}
    about = {"datasetID": "things_dataset", "datasetSchemaVersion": "4.0.0"}
    (folder / "datasetDoc.json").write_text(json.dumps({"about": about, "dataResources": [resource]}))
    (folder / "tables" / "learningData.csv").write_text("\n".join([HEAD, *lines]))


def write_problem(folder):
    folder.mkdir(parents=True)
    target = {"targetIndex": 0, "resID": "learningData", "colIndex": 2, "colName": "traits"}
    document = {
        "about": {
            "problemID": "things",
            "problemSchemaVersion": "4.0.0",
            "taskKeywords": ["classification", "multiLabel"],
        },
        "inputs": {"data": [{"datasetID": "things", "targets": [target]}], "performanceMetrics": [{"metric": "f1"}]},
    }
    (folder / "problemDoc.json").write_text(json.dumps(document))


TRAIN = ["1,0.5,red", "1,0.5,round", "2,1.5,red", "3,2.5,", "4,3.5,big", "4,3.5,round", "4,3.5,red"]


@pytest.mark.parametrize("target", ["suggestedTarget", "attribute"])
def test_rows_of_an_index_become_one_with_their_labels(tmp_path, target):
    write(tmp_path / "things_dataset", TRAIN, target)
    write_problem(tmp_path / "things_problem")
    data = search.load(tmp_path / "things_dataset")
    assert list(data.frame.index) == [1, 2, 3, 4] and data.frame.index.name == "d3mIndex"
    assert list(data.frame["traits"]) == ["red;round", "red", "", "big;round;red"]
    assert list(data.frame["x"]) == [0.5, 1.5, 2.5, 3.5] and "7 rows are 4 things" in data.notes[-1]
    problem = search.Problem.from_d3m(tmp_path / "things_problem").check(data)
    assert (problem.subtask, problem.metric) == ("multiLabel", "f1Macro")
    assert search.Problem("traits").check(data).subtask == "multiLabel"


@pytest.mark.parametrize("truth", ["targets.csv", "SCORE"])
def test_parts_with_blank_labels_get_theirs_and_a_split(tmp_path, truth):
    write(tmp_path / "TRAIN" / "dataset_TRAIN", TRAIN)
    write(tmp_path / "TEST" / "dataset_TEST", ["8,1.0,", "8,1.0,", "9,2.0,"])
    if truth == "SCORE":
        write(tmp_path / "SCORE" / "dataset_SCORE", ["8,1.0,red", "8,1.0,big", "9,2.0,round"])
    else:
        (tmp_path / "TEST" / "targets.csv").write_text("d3mIndex,traits\n8,red\n8,big\n9,round\n")
    data = search.load(tmp_path)
    assert data.splits.to_dict() == {1: "train", 2: "train", 3: "train", 4: "train", 8: "holdout", 9: "holdout"}
    assert list(data.frame["traits"])[-2:] == ["red;big", "round"]
    plan = splits.plan(data, search.Problem("traits").check(data), 0)
    assert list(plan.holdout_rows) == [8, 9]
    blank = search.load(tmp_path / "TEST" / "dataset_TEST") if truth == "SCORE" else None
    assert blank is None or (len(blank) == 2 and blank.frame["traits"].isna().all())


def test_rows_that_differ_in_more_than_labels_stay_rows(tmp_path):
    write(tmp_path / "things_dataset", ["1,0.5,red", "1,0.7,red", "2,1.5,big", "2,1.6,big"])
    data = search.load(tmp_path / "things_dataset")
    assert len(data) == 4 and list(data.frame["traits"]) == ["red", "red", "big", "big"]


def test_a_label_with_the_separator_in_it_stays_one(tmp_path):
    write(tmp_path / "things_dataset", ["1,0.5,a;b", "1,0.5,c", "2,0.1,c"])
    assert list(search.load(tmp_path / "things_dataset").frame["traits"]) == ["a,b;c", "c"]
