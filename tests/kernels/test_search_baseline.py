"""The predictor that knows nothing, as a model that any view can show."""

import numpy as np
import pandas as pd
import pytest
import search_fitted as made
from search_studies import study

from learnviews.kernels.search import Model, Problem, load, plan, scores
from learnviews.kernels.search.baseline import NUMBER, baseline
from learnviews.kernels.search.trial import Work


def of(data, problem):
    problem = problem.check(data)
    return baseline(Work(data, problem, plan(data, problem, 0)))


def test_it_is_the_leaderboards_trivial_line(tmp_path):
    found = study(tmp_path / "s")
    model, line = found.baseline, found.leaderboard().iloc[0]
    assert isinstance(model, Model) and model.number == NUMBER and model.name == "mean" == model.describe()
    assert model.score == line["meanSquaredError"] and model.cost == line["cost"]
    assert model.scores.loc["meanSquaredError", "low"] == line["low"]
    assert model.steps()[0].what == "trivial: mean" and "mean" in repr(model)
    pd.testing.assert_frame_equal(model.predictions, scores.trivial(found.data, found.problem, found.plan))
    assert found.baseline is model
    found.close()


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_it_predicts_new_rows_as_it_predicted_the_holdout(task):
    data, problem = made.small(task)
    model = of(data, problem)
    held = model.predictions[model.predictions["split"] == "holdout"]
    said = model.predict(data.take(held.index))
    assert said.tolist() == held["prediction"].tolist()
    if task == "classification":
        odds = model.predict_proba(data.frame.loc[held.index])
        pd.testing.assert_frame_equal(odds, held[list(odds)], check_dtype=False, check_names=False)
        assert model.name == "most frequent class"
    else:
        with pytest.raises(AttributeError):
            model.predict_proba(data.frame.loc[held.index])


def test_the_median_where_absolute_errors_count():
    data, problem = made.small("regression", metric="meanAbsoluteError")
    assert of(data, problem).name == "median"


def test_several_targets():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(40, 3)), columns=["x", "y", "z"])
    data = load(frame)
    model = of(data, Problem(["y", "z"], "regression"))
    held = model.predictions[model.predictions["split"] == "holdout"]
    said = model.predict(data.take(held.index))
    np.testing.assert_allclose(said.to_numpy(float), held[["prediction_y", "prediction_z"]].to_numpy(float))


def test_labels_of_a_row():
    frame = pd.DataFrame({"x": np.arange(40.0), "tags": ["a;b", "a"] * 20})
    data = load(frame)
    model = of(data, Problem("tags", "classification", subtask="multiLabel"))
    assert model.name == "most frequent labels"
    held = model.predictions[model.predictions["split"] == "holdout"]
    assert model.predict(data.take(held.index)).tolist() == held["prediction"].tolist()
    odds = model.predict_proba(data.take(held.index))
    np.testing.assert_allclose(odds["p_a"], held["p_a"].astype(float))


def test_the_last_value_of_each_series():
    days = pd.date_range("2024-01-01", periods=30).tolist() * 2
    frame = pd.DataFrame({"day": days, "shop": ["a"] * 30 + ["b"] * 30, "sold": np.arange(60.0)})
    data = load(frame)
    model = of(data, Problem("sold", "timeSeriesForecasting", time="day", group="shop", horizon=5))
    assert model.name == "last value"
    held = model.predictions[model.predictions["split"] == "holdout"]
    assert held["prediction"].nunique() == 2
    assert model.predict(data.take(held.index)).tolist() == held["prediction"].tolist()


def test_clusters():
    data = load(made.table()[["size", "noise"]])
    model = of(data, Problem(task="clustering"))
    assert model.name == "one cluster" and (model.predict(data) == 0).all()


def test_a_view_shows_it():
    from learnviews.grammar import ConfusionMatrix

    assert len(ConfusionMatrix.from_model(of(*made.small()))) > 0
