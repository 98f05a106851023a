"""D3M data sets: documents of 3.x and 4.x, parts, splits, roles, references, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learnviews.kernels.search import d3m
from learnviews.kernels.search.data import load

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "d3m"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data/d3m is not there")


def column(place, name, type, *roles, refers=None):
    found = {"colIndex": place, "colName": name, "colType": type, "role": list(roles or ["attribute"])}
    return found | ({"refersTo": {"resID": refers[0], "resObject": refers[1]}} if refers else {})


def table(columns, name="learningData", path="tables/learningData.csv"):
    return {"resID": name, "resPath": path, "resType": "table", "isCollection": False, "columns": columns}


COLUMNS = [
    column(0, "d3mIndex", "integer", "index"),
    column(1, "x", "real"),
    column(2, "y", "categorical", "suggestedTarget"),
]


@pytest.fixture
def write(tmp_path):
    """Writes a D3M data set's folder."""

    def written(csv, resources=None, version="4.0.0", at="thing_dataset", **files):
        folder = tmp_path / at
        (folder / "tables").mkdir(parents=True)
        about = {"datasetID": "thing_dataset", "datasetSchemaVersion": version}
        resources = resources or [table(COLUMNS)]
        (folder / "datasetDoc.json").write_text(json.dumps({"about": about, "dataResources": resources}))
        (folder / "tables" / "learningData.csv").write_text(csv)
        for name, content in files.items():
            (folder / "tables" / f"{name}.csv").write_text(content)
        return folder

    return written


ROWS = "d3mIndex,x,y\n3,0.5,a\n1,1.5,b\n2,,a\n"


@needs_shared
@pytest.mark.parametrize(
    "name, train, holdout",
    [
        ("185_baseball", 1073, 267),
        ("196_autoMpg", 298, 100),
        ("56_sunspots", 180, 21),
        ("49_facebook", 820, 821),
        ("LL1_VTXC_1369_synthetic", 100, 900),
    ],
)
def test_the_programmes_sets_load_whole_with_their_split(name, train, holdout):
    data = load(SHARED / name)
    assert data.name == name and data.frame.index.name == "d3mIndex"
    assert data.splits.value_counts().to_dict() == {"train": train, "holdout": holdout}
    raw = pd.read_csv(SHARED / name / f"{name}_dataset" / "tables" / "learningData.csv", dtype=str)
    assert list(data.columns) == list(raw.columns[1:])
    assert list(data.frame.index) == [int(value) for value in raw["d3mIndex"]]
    for column in data.columns.values():
        given = raw[column.name]
        if column.type in ("integer", "real"):
            assert np.array_equal(data.frame[column.name].to_numpy(float), given.to_numpy(float), equal_nan=True)
        elif column.type == "categorical":
            assert list(data.frame[column.name]) == [None if pd.isna(value) else value for value in given]


@needs_shared
def test_parts_alone_have_the_rows_and_labels_they_have():
    baseball = SHARED / "185_baseball"
    assert load(baseball / "TRAIN").splits is None
    assert load(baseball / "TEST").frame["Hall_of_Fame"].isna().all()
    score = load(baseball / "SCORE")
    truth = pd.read_csv(baseball / "SCORE" / "targets.csv", dtype=str)
    assert list(score.frame["Hall_of_Fame"]) == list(truth["Hall_of_Fame"])


@needs_shared
def test_roles_and_references():
    sunspots, facebook = load(SHARED / "56_sunspots"), load(SHARED / "49_facebook")
    assert sunspots.columns["year"].role == "timeIndicator"
    assert sunspots.columns["year"].roles == ("attribute", "timeIndicator")
    assert sunspots.frame["year"].iloc[0] == pd.Timestamp("1818-01-01")
    assert sunspots.columns["sunspots"].role == "suggestedTarget"
    node = facebook.columns["G1.nodeID"]
    assert (node.refers, node.refers_to, facebook.resources["0"].kind) == ("0", "node", "graph")
    nodes = load(SHARED / "LL1_VTXC_1369_synthetic").columns["nodeID"]
    assert (nodes.refers, nodes.refers_to) == ("1", "node")


@needs_shared
def test_the_problem_of_a_data_set_is_found():
    folder = SHARED / "196_autoMpg"
    assert d3m.find_problem(folder).parent.name == "196_autoMpg_problem"
    assert d3m.find_problem(folder / "TRAIN").parent.name == "problem_TRAIN"
    assert d3m.find_problem(folder / "196_autoMpg_dataset").parent.name == "196_autoMpg_problem"


@pytest.mark.parametrize("version", ["3.0", "3.3.1", "4.0.0", "4.1.1"])
def test_known_versions_load(write, version):
    data = load(write(ROWS, version=version))
    assert list(data.frame.index) == [3, 1, 2] and data.splits is None
    assert data.columns["y"].role == "suggestedTarget"


def test_a_document_of_version_4_without_columns_is_found_out(write):
    resource = {"resID": "learningData", "resPath": "tables/learningData.csv", "resType": "table"}
    resource |= {"resFormat": {"text/csv": ["csv"]}, "columnsCount": 3}
    data = load(write(ROWS, [resource]))
    assert {name: column.type for name, column in data.columns.items()} == {"x": "real", "y": "categorical"}


def test_parts_side_by_side_make_a_split(write, tmp_path):
    write(ROWS, at="dataset_TRAIN")
    write("d3mIndex,x,y\n9,2.5,\n8,3.5,\n", at="dataset_TEST")
    alone = load(tmp_path)
    assert len(alone) == 3 and alone.splits is None and "rows without truth" in alone.notes[0]
    (tmp_path / "targets.csv").write_text("d3mIndex,y\n8,b\n9,a\n")
    both = load(tmp_path)
    assert both.splits.to_dict() == {3: "train", 1: "train", 2: "train", 9: "holdout", 8: "holdout"}
    assert list(both.frame["y"]) == ["a", "b", "a", "a", "b"]


def test_a_test_part_with_labels_counts(write, tmp_path):
    write(ROWS, at="TRAIN/dataset_TRAIN")
    write("d3mIndex,x,y\n9,2.5,a\n", at="TEST/dataset_TEST")
    data = load(tmp_path)
    assert (list(data.frame["y"]), data.splits[9]) == (["a", "b", "a", "a"], "holdout")


def test_a_split_with_folds_gives_the_first_that_holds_rows_out(write, tmp_path):
    folder = write(ROWS)
    problem = tmp_path / "thing_problem"
    problem.mkdir()
    lines = ["type,d3mIndex,repeat,fold", "TRAIN,1,0,0", "TEST,2,0,0", "TRAIN,3,0,0", "TEST,1,0,1", "TRAIN,2,0,1"]
    (problem / "dataSplits.csv").write_text("\n".join(lines))
    assert load(folder).splits.to_dict() == {3: "train", 1: "train", 2: "holdout"}
    (problem / "dataSplits.csv").write_text("d3mIndex,type\n1,TRAIN\n2,MAYBE\n")
    with pytest.raises(ValueError, match=r'dataSplits.csv, column "type", row 1: "MAYBE"'):
        load(folder)


def test_a_described_type_that_does_not_fit_is_found_out_and_said(write):
    data = load(write("d3mIndex,x,y\n1,0.5,a\n2,many,b\n"))
    assert data.columns["x"].type == "categorical"
    assert data.columns["x"].why == 'not real as described: column "x", row 2: "many" is no number'


def test_a_table_referred_to_by_key_is_joined(write):
    learning = table(
        [*COLUMNS[:1], column(1, "who", "integer", refers=("0", {"columnName": "id"})), column(2, "y", "categorical")]
    )
    people = table([column(0, "id", "integer", "index"), column(1, "age", "integer")], "0", "tables/people.csv")
    data = load(write("d3mIndex,who,y\n0,7,a\n1,8,b\n2,7,b\n", [learning, people], people="id,age\n8,30\n7,40\n"))
    assert list(data.frame["age"]) == [40, 30, 40]
    assert list(data.table("0").frame["id"]) == [8, 7]


def test_a_table_with_several_rows_per_key_is_left_beside(write):
    learning = table(
        [*COLUMNS[:1], column(1, "who", "integer", refers=("0", {"columnIndex": 0})), column(2, "y", "categorical")]
    )
    people = table([column(0, "id", "integer"), column(1, "age", "integer")], "0", "tables/people.csv")
    data = load(write("d3mIndex,who,y\n0,7,a\n1,8,b\n", [learning, people], people="id,age\n8,30\n8,40\n"))
    assert list(data.columns) == ["who", "y"] and data.notes[0].startswith(
        "not joined: 0: id = 8 stands in rows 0 and 1"
    )
    with pytest.raises(ValueError, match='no table "1"; it has 0'):
        data.table("1")


def test_ids_of_several_rows_stay_a_column(write):
    columns = [column(0, "d3mIndex", "integer", "multiIndex"), *COLUMNS[1:]]
    data = load(write("d3mIndex,x,y\n1,0.5,a\n1,1.5,b\n2,1,a\n", [table(columns)]))
    assert data.frame.index.name == "row" and list(data.frame["d3mIndex"]) == [1, 1, 2]
    assert data.columns["d3mIndex"].role == "multiIndex"


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"version": "5.0.0"}, 'datasetDoc.json: D3M schema version "5.0.0" is unknown; expected 3.x or 4.x'),
        ({"version": ""}, 'version "" is unknown'),
        ({"csv": "d3mIndex,x\n1,2\n"}, "learningData.csv: no column y, which datasetDoc.json describes"),
        ({"csv": "d3mIndex,x,y\n"}, "learningData.csv: no rows"),
        ({"csv": "d3mIndex,x,y\n1,2,a\n1,3,b\n"}, "two rows have the id 1"),
        ({"csv": "d3mIndex,x,y\n1,2,a\n2,3\n"}, "row 1, line 3: 2 values; expected 3"),
        ({"resources": [table(COLUMNS, "0", "tables/other.csv")]}, "no table learningData; it has 0"),
        ({"resources": [{"resID": "learningData"}]}, "a resource without resPath, resType"),
        (
            {"resources": [table([*COLUMNS[:2], column(2, "y", "categorical", refers=("9", "item"))])]},
            'column "y": refers to resource "9", unknown to datasetDoc.json',
        ),
    ],
)
def test_data_sets_that_are_refused(write, change, complaint):
    change = {"csv": ROWS, **change}
    with pytest.raises(ValueError) as error:
        load(write(**change))
    assert complaint in str(error.value)


def test_the_split_of_another_set_beside_is_not_taken(write, tmp_path):
    first, _ = write(ROWS), write(ROWS, at="other_dataset")
    (tmp_path / "other_problem").mkdir()
    (tmp_path / "other_problem" / "dataSplits.csv").write_text("d3mIndex,type\n1,TRAIN\n2,TEST\n3,TRAIN\n")
    assert load(first).splits is None
    assert load(tmp_path / "other_dataset").splits is not None
    with pytest.raises(ValueError, match="several data sets: other_dataset, thing_dataset; expected the folder of one"):
        load(tmp_path)


def test_a_folder_above_data_sets_is_refused(write, tmp_path):
    write(ROWS, at="a/thing")
    with pytest.raises(ValueError, match="D3M data sets in a/thing; expected the folder of one"):
        load(tmp_path)


def test_documents_that_are_none(write, tmp_path):
    folder = write(ROWS)
    (folder / "datasetDoc.json").write_text('{\n "about": ')
    with pytest.raises(ValueError, match=r"datasetDoc.json: no JSON \(line 2"):
        load(folder)
    (folder / "datasetDoc.json").write_text("[]")
    with pytest.raises(ValueError, match="no datasetDoc"):
        load(folder)
    (tmp_path / "problemDoc.json").write_text("{}")
    with pytest.raises(ValueError, match="a problem, not a data set"):
        load(tmp_path / "problemDoc.json")
    (folder / "tables" / "learningData.csv").unlink()
    (folder / "datasetDoc.json").write_text(
        json.dumps({"about": {"datasetSchemaVersion": "4.0"}, "dataResources": [table(COLUMNS)]})
    )
    with pytest.raises(FileNotFoundError, match=r"learningData.csv: no such file"):
        load(folder)
