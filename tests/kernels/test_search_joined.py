"""Models of joined columns predict rows that come without them: the join is made again, here and in exports."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from search_fitted import model_of

import learnviews
from learnviews.kernels.search import Problem, Study, export, load, predict_new
from learnviews.kernels.search.exports import open_export
from learnviews.kernels.search.study_files import read_dataset, write_dataset

TOWNS = pd.DataFrame({"Ort": ["007", "08", "9a"], "Einwohner": [1.08e6, 1.5e6, 4.2e5], "Land": ["A", "B", "A"]})
LANDS = pd.DataFrame({"Land": ["A", "B"], "tax": [10.0, 20.0], "size": [1, 2]})


def people(rows=90, seed=0):
    rng = np.random.default_rng(seed)
    town = rng.choice(TOWNS["Ort"], rows)
    rent = TOWNS.set_index("Ort").loc[town, "Einwohner"].to_numpy() / 1e5 + rng.normal(scale=0.1, size=rows)
    return pd.DataFrame({"town": town, "size": rng.normal(size=rows), "rent": rent})


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for name, frame in {"people": people(), "towns": TOWNS, "lands": LANDS, "new": people(20, 1)}.items():
        (frame.drop(columns="rent") if name == "new" else frame).to_csv(folder / f"{name}.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def data(files):
    """With two joins; the key of the second comes from the first, and one name is there already."""
    found = load(files / "people.csv", types={"town": "categorical"})
    found = found.join(files / "towns.csv", ("town", "Ort"))
    return found.join(files / "lands.csv", "Land").with_types({"Einwohner": "real"})


@pytest.fixture(scope="module")
def model(data):
    features = ("Einwohner", "lands.size", "tax", "size")
    return model_of(data, Problem("rent", "regression", features=features).check(data), {"model": "tree"}, 1)


def whole(files):
    return load(files / "new.csv").join(files / "towns.csv", ("town", "Ort")).join(files / "lands.csv", "Land")


def test_new_rows_are_joined_where_they_lack_columns(files, model):
    assert list(model.data.columns) == ["town", "size", "rent", "Einwohner", "Land", "tax", "lands.size"]
    wanted = model.predict(whole(files))
    assert wanted.nunique() > 2
    for rows in (files / "new.csv", str(files / "new.csv"), load(files / "new.csv"), pd.read_csv(files / "new.csv")):
        assert model.predict(rows).tolist() == wanted.tolist()
        (new,) = predict_new(model, rows)
        assert new.predictions["prediction"].tolist() == wanted.tolist()
    assert {"Einwohner", "tax"} <= set(new.data.columns)


def test_columns_that_are_there_stay_as_they_are(files, model):
    rows = whole(files).frame.assign(Einwohner=4.2e5)
    assert model.predict(rows).max() < 6 < 10 < model.predict(whole(files)).max()


def test_rows_without_the_key_say_which_table_to_join_by_what(files, model):
    rows = pd.DataFrame({"size": [1.0, 2.0]})
    told = "lacks column.* 'Einwohner'.*'Einwohner' was joined from towns by town, and the rows lack that, too"
    with pytest.raises(ValueError, match=told):
        model.predict(rows)
    with pytest.raises(ValueError, match=told):
        predict_new(model, rows)


def test_a_study_keeps_what_was_joined(tmp_path, files, data, model):
    write_dataset(tmp_path, data)
    again = read_dataset(tmp_path)
    assert again.fingerprint() == data.fingerprint() and len(again.joined) == 2
    new = model_of(again, model.problem, model.config).predict(files / "new.csv")
    assert new.tolist() == model.predict(files / "new.csv").tolist()
    Study(data, model.problem, tmp_path / "study", seconds=1).close()
    study = Study.open(tmp_path / "study")
    assert [str(each) for each in study.data.joined] == ["towns by town", "lands by Land"]
    study.close()


@pytest.mark.slow
def test_the_exported_script_joins_in_a_clean_process(tmp_path, files, model):
    place = export(model, tmp_path / "best") / "01-decision-tree-depth-6"
    for name in ("towns.csv", "lands.csv"):
        assert not (place / name).exists()
    command = [sys.executable, place / "predict.py", files / "new.csv", "--out", tmp_path / "out.csv"]
    clean = {"PATH": "", "PYTHONPATH": str(Path(learnviews.__file__).parents[1])}
    options = {"capture_output": True, "text": True, "timeout": 250, "cwd": tmp_path, "env": clean}
    done = subprocess.run(list(map(str, command)), **options)
    assert done.returncode == 0, done.stderr
    wanted = model.predict(files / "new.csv")
    assert pd.read_csv(tmp_path / "out.csv", index_col=0)["rent"].tolist() == pytest.approx(wanted.tolist())
    trained = open_export(place).train(files / "people.csv")
    assert trained.predict(files / "new.csv").tolist() == pytest.approx(wanted.tolist(), rel=0.2)
    assert len(list(place.glob("joined-*.parquet"))) == 2


def test_only_what_the_model_needs_is_in_its_export(tmp_path, data):
    problem = Problem("rent", "regression", features=("size", "Einwohner")).check(data)
    place = next((export(model_of(data, problem, {"model": "tree"}), tmp_path / "best")).glob("01-*"))
    (joined,) = open_export(place).joined
    assert list(joined.table.columns) == ["Ort", "Einwohner"]
