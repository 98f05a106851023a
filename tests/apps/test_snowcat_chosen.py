"""What is behind the cards of selecting and exporting: the ranked set, files of it, and predictions side by side."""

import time
from concurrent.futures import CancelledError
from types import SimpleNamespace
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from search_fitted import model_of, models, table
from sklearn.preprocessing import FunctionTransformer

from learnviews.apps.snowcat import chosen_models as chosen
from learnviews.apps.snowcat.export_files import Ranked, write_export
from learnviews.apps.snowcat.making import Making, new_name
from learnviews.apps.snowcat.new_rows import answers
from learnviews.apps.snowcat.new_rows_table import order_of, side_by_side
from learnviews.apps.snowcat.project_parts import Changes, Choice
from learnviews.kernels import search
from learnviews.kernels.search import exports
from learnviews.kernels.search.model import Model


class FakeProject:
    """A project's part that knows the chosen models."""

    def __init__(self, *chosen):
        self.chosen, self.studies, self.told = list(chosen), {}, []

    def choose(self, chosen):
        self.chosen = list(chosen)

    def tell(self, *events):
        self.told += events


def keys(project):
    return [chosen.key(choice) for choice in project.chosen]


def test_models_are_added_once_ranked_noted_and_removed():
    project = FakeProject()
    chosen.add(project, ["1/4", "1/2", "1/4", "2/-1"])
    chosen.add(project, ["1/2", "2/7"])
    assert keys(project) == ["1/4", "1/2", "2/7"]
    chosen.move(project, "2/7", 0)
    assert keys(project) == ["2/7", "1/4", "1/2"]
    chosen.move(project, "2/7", 99)
    assert keys(project) == ["1/4", "1/2", "2/7"]
    chosen.note(project, "1/2", "  explains itself ")
    assert project.chosen[1] == Choice("1", 2, "explains itself")
    chosen.sort(project, {"2/7": 0.1, "1/2": 0.2})
    assert keys(project) == ["2/7", "1/2", "1/4"] and project.chosen[1].note
    chosen.drop(project, "1/2")
    assert keys(project) == ["2/7", "1/4"]
    with pytest.raises(ValueError, match="50 models at most"):
        chosen.add(project, [f"3/{number}" for number in range(49)])
    assert len(project.chosen) == 2


def test_models_whose_study_is_gone_are_known_as_such():
    project = FakeProject(Choice("1", 4), Choice("gone", 1))
    project.studies["1"] = SimpleNamespace(model=lambda number: None)
    found = chosen.picked(project)
    assert [each.model for each in found] == [None, None] and found[1].live is None and found[1].problem is None


# -- files


@pytest.fixture(scope="module")
def ranked():
    return models()


def broken(model):
    def lost():
        raise ValueError("its study was deleted")

    return Model(model.data, model.problem, model.config, model.predictions, lost, name="a lost one")


def test_an_export_is_a_folder_and_a_zip_of_the_same(ranked, tmp_path):
    notes = []
    some = [Ranked(ranked[0], "the simple one", "study 1, model 1"), Ranked(broken(ranked[1])), Ranked(ranked[2])]
    archive = write_export(some, tmp_path / "exports", "things-models", search.Progress(), notes)
    assert notes == ["a lost one is not in it: its study was deleted"]
    folder = archive.with_suffix("")
    inside = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    with ZipFile(archive) as whole:
        assert {name.removeprefix("things-models/") for name in whole.namelist()} == inside
    readme = (folder / "README.txt").read_text()
    assert "Note: the simple one" in readme and notes[0] in readme and "study 1, model 1" in readme
    assert f"python {sorted(each.name for each in folder.iterdir() if each.is_dir())[0]}/predict.py TABLE" in readme
    assert sorted(each.name for each in archive.parent.iterdir()) == [folder.name, archive.name]


def test_an_export_says_which_model_cannot_be_saved_and_what_to_do(tmp_path):
    first, second = models(configs=({"model": "tree"}, {"model": "linear"}))
    first.pipeline.extra_ = FunctionTransformer(broken)  # a function of this file: nothing that may be read again
    notes = []
    folder = write_export([Ranked(first), Ranked(second)], tmp_path, "things", search.Progress(), notes).with_suffix("")
    (note,) = notes
    assert "is in it without its trained pipeline, which cannot be saved" in note
    assert "01-decision-tree-depth-6/train.py TABLE --predict TABLE2" in note
    readme = (folder / "README.txt").read_text()
    assert note in readme and f"python {exports.folder_name(2, second)}/predict.py TABLE" in readme


@pytest.mark.parametrize("at", ["writing", "packing"])
def test_a_cancelled_export_leaves_nothing(ranked, tmp_path, at):
    def look(progress):
        if progress.text.startswith(at):
            progress.cancel()

    with pytest.raises(CancelledError):
        write_export([Ranked(ranked[0])], tmp_path, "things", search.Progress(look, interval=0), [])
    assert list(tmp_path.iterdir()) == []


def test_names_of_files_never_clash(tmp_path):
    first = new_name(tmp_path, ".zip")
    (tmp_path / f"{first}.zip").touch()
    assert new_name(tmp_path, ".zip") != first


def test_what_is_made_is_told_whatever_comes_of_it(tmp_path):
    project = FakeProject()
    making = Making.of(project, "export")
    assert Making.of(project, "export") is making is not Making.of(project, "report")

    def run(work):
        making.start(work)
        assert making.progress is None or not making.progress.cancelled
        for _ in range(500):
            if making.progress is None:
                return
            time.sleep(0.01)

    run(lambda progress, notes: notes.append("one is missing") or tmp_path / "a.zip")
    assert (making.made, making.notes, making.problem) == (tmp_path / "a.zip", ["one is missing"], "")
    run(lambda progress, notes: 1 / 0)
    assert making.made is None and "division" in making.problem and making.notes == []

    def stopped(progress, notes):
        progress.cancel()
        raise CancelledError

    run(stopped)
    assert making.made is None and making.problem == "" and project.told


# -- predictions side by side


def test_labels_side_by_side_with_what_most_say(ranked):
    new = search.predict_new(ranked, table(30, seed=5))
    found = side_by_side(new)
    said = np.stack([each.predictions["prediction"] for each in new], axis=1)
    for at, row in enumerate(said):
        most = max(row, key=lambda label: list(row).count(label))
        line = found.iloc[at]
        assert line["most"] == most and line["dispute"] == pytest.approx(1 - list(row).count(most) / 3)
        assert line["error"] == pytest.approx(np.mean(row != line["truth"]))
        assert line["sure_1"] == new[1].predictions[f"p_{row[1]}"].iloc[at]
    assert found.attrs["orders"] == ["dispute", "doubt", "error"]
    assert found["doubt"].iloc[order_of(found, "doubt")].is_monotonic_decreasing
    assert (order_of(found, "row") == np.arange(30)).all()


def test_numbers_side_by_side_without_a_truth():
    some = models("regression", configs=({"model": "linear"}, {"model": "tree"}))
    found = side_by_side(search.predict_new(some, table(20, seed=5).drop(columns="price")))
    said = found[["said_0", "said_1"]].to_numpy()
    np.testing.assert_allclose(found["most"], said.mean(axis=1))
    np.testing.assert_allclose(found["dispute"], said.std(axis=1))
    assert "truth" not in found and "error" not in found and found.attrs["orders"] == ["dispute"]
    one = side_by_side(search.predict_new(some[:1], table(5, seed=5)))
    assert one.attrs["orders"] == ["error"]
    assert isinstance(one, pd.DataFrame)


def test_new_rows_in_the_form_that_was_loaded_get_the_columns_that_were_joined(tmp_path):
    towns = pd.DataFrame({"Ort": ["a", "b", "c"], "Einwohner": [1e6, 2e6, 3e6]})
    rows = table(160).assign(town=np.resize(towns["Ort"], 160))
    for name, frame in {"towns": towns, "things": rows, "new": rows.drop(columns=["kind", "price"]).head(20)}.items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    join = {"path": str(tmp_path / "towns.csv"), "on": [["town", "Ort"]], "columns": ["Einwohner"]}
    data = Changes(joins=[join], excluded=["town"]).apply(search.load(tmp_path / "things.csv"))
    problem = search.Problem("kind", metric="accuracy", features=("size", "Einwohner")).check(data)
    model = model_of(data, problem, {"model": "tree"}, 1)
    one = chosen.Picked(Choice("1", 1), SimpleNamespace(problem=problem), model)
    (found,) = answers([one], tmp_path / "new.csv", "1").values()
    assert not found.lost and len(found.models[0].predictions) == 20
    assert set(found.models[0].data.frame["Einwohner"]) == {1e6, 2e6, 3e6}
