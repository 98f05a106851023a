"""Exports that are followed, cancelled, or lose a model on the way."""

from concurrent.futures import CancelledError

import pandas as pd
import pytest
from search_fitted import models, small

from learnviews.kernels import search
from learnviews.kernels.search.baseline import baseline_of
from learnviews.kernels.search.exports import export
from learnviews.kernels.search.model import Model


@pytest.fixture(scope="module")
def ranked():
    return models()


def broken(model):
    """The same model, whose pipeline cannot be had."""

    def lost():
        raise OSError("its file is gone")

    return Model(model.data, model.problem, model.config, model.predictions, lost, number=99, name="broken one")


def test_a_model_that_cannot_be_written_is_named_and_the_others_are_ranked(ranked, tmp_path):
    lost = []
    some = [ranked[0], broken(ranked[1]), ranked[2]]
    folder = export(some, tmp_path / "best", failed=lambda model, why: lost.append((model.number, str(why))))
    assert lost == [(99, "its file is gone")]
    ranking = pd.read_csv(folder / "ranking.csv")
    assert ranking["folder"].dropna().tolist() == sorted(each.name for each in folder.iterdir() if each.is_dir())
    assert ranking["rank"].dropna().tolist() == [1, 2] and ranking["name"].tolist()[:2] == [
        ranked[0].name,
        ranked[2].name,
    ]


def test_without_a_word_for_failures_the_first_ends_it(ranked, tmp_path):
    with pytest.raises(OSError, match="its file is gone"):
        export([ranked[0], broken(ranked[1])], tmp_path / "best")
    with pytest.raises(ValueError, match=r"none of the models can be exported: its file is gone"):
        export([broken(ranked[0])], tmp_path / "best", failed=lambda model, why: None)
    assert list(tmp_path.iterdir()) == []


def test_cancelling_leaves_nothing(ranked, tmp_path):
    seen = []

    def look(progress):
        seen.append((progress.done, progress.total, progress.text))
        if progress.done == 1:
            progress.cancel()

    with pytest.raises(CancelledError):
        export(ranked, tmp_path / "best", progress=search.Progress(look, interval=0))
    assert list(tmp_path.iterdir()) == []
    assert seen[0][:2] == (0, 3) and seen[0][2] == f"writing {ranked[0].name}"


def test_the_trivial_predictor_of_each_problem_is_below_the_ranking(ranked, tmp_path):
    folder = export([ranked[0], *models("regression", configs=({"model": "linear"},))], tmp_path / "best")
    ranking = pd.read_csv(folder / "ranking.csv")
    assert ranking["metric"].tolist() == ["accuracy", "rootMeanSquaredError"] * 2
    assert ranking["rank"].isna().tolist() == [False, False, True, True]


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_trivial_predictor_of_a_model_is_judged_on_its_rows(task):
    model = models(task, configs=({"model": "linear"},))[0]
    found = baseline_of(model)
    held = model.predictions[model.predictions["split"] == "holdout"]
    assert found.predictions.index.equals(held.index) and found.split == "holdout"
    data, problem = small(task)
    seen = data.frame.loc[model.training_rows, problem.targets[0]]
    expected = seen.mode()[0] if task == "classification" else pytest.approx(seen.mean())
    assert found.predictions["prediction"].iloc[0] == expected
