"""Exports are whole or absent, run in a clean process, and never load what is not known."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from search_fitted import ensemble, models, small, table
from sklearn.preprocessing import FunctionTransformer

from learnviews.kernels import search
from learnviews.kernels.search import exports, pipelines, skops_files
from learnviews.kernels.search.exports import export, open_export
from learnviews.kernels.search.model import Model, input_columns
from learnviews.kernels.search.portfolio import portfolio
from learnviews.kernels.search.problem import Problem

FILES = {
    "pipeline.skops",
    "pipeline.json",
    "pipeline.txt",
    "predictions.csv",
    "problem.json",
    "scores.json",
    "predict.py",
    "train.py",
}


@pytest.fixture(scope="module")
def ranked():
    return models()


@pytest.fixture(scope="module")
def folder(ranked, tmp_path_factory):
    return export(ranked, tmp_path_factory.mktemp("exports") / "best")


def shout(values):
    return values


@pytest.fixture
def unheld():
    """A model whose pipeline skops cannot hold as something known: it refers to a function of this file."""
    model = models(configs=({"model": "tree"},))[0]
    model.pipeline.extra_ = FunctionTransformer(shout)
    return model


def parts(folder):
    return sorted(each for each in folder.iterdir() if each.is_dir())


def script(path, *arguments, **options):
    """Run a script in a process that has nothing of this one."""
    command = [sys.executable, "-I", str(path), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=250, **options)


# --- what is written


def test_each_model_has_a_folder_with_everything(folder, ranked):
    assert [each.name for each in parts(folder)] == [exports.folder_name(n, m) for n, m in enumerate(ranked, 1)]
    assert parts(folder)[2].name == "03-random-forest-20-trees"
    assert all({file.name for file in each.iterdir()} == FILES for each in parts(folder))


def test_ranking_has_every_model_and_the_trivial_predictor(folder, ranked):
    found = pd.read_csv(folder / "ranking.csv")
    assert found["rank"].tolist()[:3] == [1, 2, 3] and found["rank"].isna().tolist() == [False] * 3 + [True]
    assert found.name.tolist() == [*(model.name for model in ranked), "trivial"]
    assert found.metric.unique().tolist() == ["accuracy"]
    assert found.value.tolist()[:3] == pytest.approx([model.score for model in ranked])
    assert found.value.iloc[3] < found.value[:3].min()


def test_predictions_scores_and_problem_can_be_read_again(folder, ranked):
    place, model = parts(folder)[0], ranked[0]
    read = pd.read_csv(place / "predictions.csv", index_col="row")
    pd.testing.assert_frame_equal(read, model.predictions, check_dtype=False)
    scores = json.loads((place / "scores.json").read_text())
    assert scores[0] == {"metric": "accuracy", **model.scores.loc["accuracy"].to_dict()}
    assert {each["split"] for each in scores} == {"holdout", "train"}
    problem = Problem.from_d3m(place / "problem.json")
    assert problem.targets == ("kind",) and problem.features == model.problem.features
    assert "output: kind" in (place / "pipeline.txt").read_text()
    about = json.loads((place / "pipeline.json").read_text())
    assert (
        about["recipe"] == {"config": model.config, "seed": 0}
        and about["diagram"]["nodes"]
        and about["types"]["colour"] == "categorical"
    )


def test_ranks_are_the_order_given(ranked, tmp_path):
    found = export(ranked[::-1], tmp_path / "turned")
    assert pd.read_csv(found / "ranking.csv").name.iloc[0] == ranked[-1].name


# --- what is read


def test_read_again_it_predicts_the_same(folder, ranked):
    rows = table(20, seed=7)
    for place, model in zip(parts(folder), ranked, strict=True):
        assert open_export(place).predict(rows).equals(model.predict(rows))


def test_trained_again_on_the_same_rows_it_is_the_same(folder, ranked):
    model, rows = ranked[2], table(20, seed=7)
    again = open_export(parts(folder)[2]).train(model.data.take(model.training_rows))
    assert again.predict(rows).equals(model.predict(rows))


@pytest.mark.slow
def test_scripts_run_in_a_clean_process(folder, ranked, tmp_path):
    new, place = tmp_path / "new.csv", parts(folder)[2]
    table(20, seed=7).drop(columns=["kind", "price"]).to_csv(new)
    done = script(place / "predict.py", new, "--out", tmp_path / "out.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(tmp_path / "out.csv", index_col=0)
    assert found.kind.tolist() == ranked[2].predict(new).tolist() and "20 predictions" in done.stdout
    learned = tmp_path / "old.csv"
    ranked[2].data.frame.loc[ranked[2].training_rows].to_csv(learned, index=False)
    done = script(place / "train.py", learned, "--out", tmp_path / "again.skops", "--predict", new, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert pd.read_csv(tmp_path / "predicted.csv").kind.tolist() == found.kind.tolist()
    assert open_export(place, tmp_path / "again.skops").predict(new).tolist() == found.kind.tolist()


def test_scripts_of_odd_names_are_still_scripts(ranked, tmp_path):
    model = ranked[0]
    odd = 'a """ % {x} \\ \n import os #'
    words = {name: exports._harmless(odd) for name in ("name", "columns", "targets")}
    for text in (exports.PREDICT, exports.TRAIN):
        compile(text.format(**words), "script", "exec")
        assert "%" not in text.format(**words) and text.format(**words).count('"""') == 2
    assert exports.folder_name(1, model).startswith("01-") and "/" not in exports.folder_name(1, model)


# --- what skops cannot hold


def test_a_pipeline_that_skops_cannot_hold_says_so_and_can_be_trained(unheld, tmp_path):
    place = parts(export(unheld, tmp_path / "out"))[0]
    assert {file.name for file in place.iterdir()} == FILES - {"pipeline.skops"}
    assert "Not saved: " in (place / "pipeline.txt").read_text()
    opened = open_export(place)
    with pytest.raises(ValueError, match=r"no pipeline was saved \(.*shout.*\); train it: train.py"):
        opened.predict(table(5))
    assert len(opened.train(table()).predict(table(5))) == 5


def test_a_file_with_unknown_types_is_refused_and_nothing_of_it_runs(tmp_path):
    from skops.io import dump

    dump(FunctionTransformer(print), tmp_path / "x.skops")
    with pytest.raises(skops_files.UntrustedError, match=r"x\.skops: holds .*print"):
        skops_files.read(tmp_path / "x.skops")


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x05\x06" + bytes(18)])
def test_damaged_pipelines_are_named(tmp_path, content):
    (tmp_path / "x.skops").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.skops: no skops file, or a damaged one"):
        skops_files.read(tmp_path / "x.skops")


def test_names_of_own_modules_are_no_pass_for_functions():
    assert skops_files._is_own_class("learnviews.kernels.search.learner.LabelLearner")
    for name in ("learnviews.kernels.search.data.load", "learnviews.kernels.search.data.Path", "os.system"):
        assert not skops_files._is_own_class(name)


@pytest.mark.parametrize("asked", ["classification", "regression", "clustering", "timeSeriesForecasting"])
def test_skops_holds_all_that_a_search_begins_with(asked, tmp_path):
    if asked == "timeSeriesForecasting":
        data = search.load(pd.DataFrame({"day": range(80), "sold": np.sin(np.arange(80)) + np.arange(80) / 9}))
        problem = Problem("sold", asked, time="day").check(data)
    elif asked == "clustering":
        data, _ = small()
        problem = Problem(None, asked, features=("size", "noise")).check(data)
    else:
        data, problem = small(asked)
    for config in portfolio(data, problem):
        pipeline = pipelines.build(config, data, problem, 0, fidelity=0.05)
        inputs = data.frame[input_columns(problem)]
        pipeline.fit(inputs, *(data.frame[name] for name in problem.targets))
        again = skops_files.read(skops_files.write(pipeline, tmp_path / "x.skops"))
        np.testing.assert_array_equal(again.predict(inputs), pipeline.predict(inputs))


# --- nothing half-written


def test_a_failure_leaves_nothing_behind(ranked, tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "ranking", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(ranked[0], tmp_path / "best")
    assert not list(tmp_path.iterdir())


def test_other_folders_are_left_alone_and_exports_replaced_if_asked(ranked, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(FileExistsError, match="something else than an export"):
        export(ranked[0], tmp_path / "mine", overwrite=True)
    first = export(ranked[:2], tmp_path / "best")
    with pytest.raises(FileExistsError, match="exists already"):
        export(ranked[0], tmp_path / "best")
    assert len(parts(export(ranked[0], tmp_path / "best", overwrite=True))) == 1 and first.exists()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["best", "mine"]
    with pytest.raises(ValueError, match="no model"):
        export([], tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        export(ranked[0], tmp_path / "no" / "where")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:40], "damaged"),
        (lambda text: "[1]", "not a LearnViews search export"),
        (lambda text: text.replace('"version": 1', '"version": 9'), "version 9; this LearnViews reads version 1"),
    ],
)
def test_damaged_exports_are_named(folder, tmp_path, change, message):
    (tmp_path / "pipeline.json").write_text(change((parts(folder)[0] / "pipeline.json").read_text()))
    with pytest.raises(ValueError, match=f"pipeline.json: .*{message}"):
        open_export(tmp_path)


def test_what_is_not_finite_is_null_in_json(tmp_path):
    exports._write_json(tmp_path / "x.json", {"a": [float("nan"), float("inf"), 1.5], "b": {"c": -np.inf}})
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": [None, None, 1.5], "b": {"c": None}}


def test_an_ensemble_is_saved_and_trained_again(ranked, tmp_path):
    whole, rows = ensemble(ranked[:2], [0.75, 0.25]), table(20, seed=7)
    place = parts(export(whole, tmp_path / "both"))[0]
    opened = open_export(place)
    assert opened.predict(rows).equals(whole.predict(rows))
    assert opened.train(whole.data.take(whole.training_rows)).predict(rows).equals(whole.predict(rows))


def test_files_that_cells_name_are_found_beside_the_new_table(tmp_path):
    words = {"sea": "wave salt ship", "wood": "tree leaf moss"}
    for label, text in words.items():
        (tmp_path / "old" / label).mkdir(parents=True)
        for number in range(8):
            (tmp_path / "old" / label / f"{number}.txt").write_text(f"{text} {number}")
    data = search.load(tmp_path / "old")
    problem = Problem("label", "classification", "accuracy").check(data)
    said = pd.DataFrame({"truth": data.frame.label, "prediction": data.frame.label, "split": "train"})
    place = parts(export(Model(data, problem, {"model": "linear"}, said), tmp_path / "out"))[0]
    (tmp_path / "new").mkdir()
    for name, text in (("a.txt", "moss on a tree"), ("b.txt", "a ship of salt")):
        (tmp_path / "new" / name).write_text(text)
    assert open_export(place).predict(tmp_path / "new").tolist() == ["wood", "sea"]
