"""A model speaks of itself, predicts new rows from whatever holds them, and complains clearly."""

import numpy as np
import pandas as pd
import pytest
from search_fitted import HELD, model_of, models, small, table

from learnviews.kernels.search import data as data_module
from learnviews.kernels.search.model import Model, features_of, input_columns
from learnviews.kernels.search.problem import Problem


@pytest.fixture(scope="module")
def forest():
    return models(configs=({"model": "forest", "forest:trees": 20},))[0]


def test_it_says_what_it_is(forest):
    assert forest.name == forest.describe() == "random forest, 20 trees"
    assert repr(forest) == "<Model 1: random forest, 20 trees>"
    assert forest.steps()[-1].name == "forest"


def test_scores_speak_of_the_holdout_and_others_of_the_rest(forest):
    assert forest.split == "holdout" and len(forest.training_rows) == 120 - HELD
    seen = forest.scored("train", ("accuracy",))
    assert list(seen.index) == ["accuracy"] and (seen.split == "train").all()
    assert 0.5 < forest.score <= seen.value["accuracy"]


def test_predictions_of_new_rows_by_frame_dataset_and_file(forest, tmp_path):
    rows = table(15, seed=9)
    said = forest.predict(rows)
    assert list(said.index) == list(rows.index) and said.name == "kind" and set(said) == {"Big", "small"}
    pd.testing.assert_series_equal(said, forest.predict(data_module.load(rows)))
    bare = rows.drop(columns=["kind", "price"])
    pd.testing.assert_series_equal(said, forest.predict(bare))
    bare.to_csv(tmp_path / "new.csv", index=False)
    assert forest.predict(tmp_path / "new.csv").tolist() == said.tolist()


def test_probabilities_agree_with_labels(forest):
    rows = table(15, seed=9)
    odds = forest.predict_proba(rows)
    np.testing.assert_allclose(odds.sum(axis=1), 1)
    assert odds.idxmax(axis=1).str.removeprefix("p_").tolist() == forest.predict(rows).tolist()


def test_types_of_the_training_hold_for_new_rows():
    frame = pd.DataFrame({"code": ["007", "010", "7", "0070"] * 10, "y": [1.0, 2.0, 3.0, 4.0] * 10})
    data = data_module.load(frame, types={"code": "categorical"})
    inputs = features_of(pd.DataFrame({"code": [7, 10]}), problem := Problem("y", "regression").check(data), data)
    assert inputs.code.tolist() == ["7", "10"] and input_columns(problem) == ["code"]


def test_numbers_like_labels_in_a_file_are_not_taken_for_numbers(tmp_path):
    (tmp_path / "new.csv").write_text("code\n007\n010\n")
    data = data_module.load(
        pd.DataFrame({"code": ["007", "010"] * 10, "y": [1.0, 2.0] * 10}), types={"code": "categorical"}
    )
    problem = Problem("y", "regression").check(data)
    assert features_of(tmp_path / "new.csv", problem, data).code.tolist() == ["007", "010"]


def test_a_missing_column_is_named(forest):
    with pytest.raises(ValueError, match=r"the rows given: lacks column 'noise'; the model needs size, noise, colour"):
        forest.predict(table(5).drop(columns="noise"))


def test_excluded_features_never_reach_the_pipeline():
    data, problem = small(features=("noise",))
    model = model_of(data, problem, {"model": "tree"})
    rows = table(20, seed=3)
    assert model.predict(rows[["noise"]]).equals(model.predict(rows.assign(size=0.0, colour="red")))


def test_without_a_pipeline_it_is_fitted_to_the_training_rows(forest):
    again = Model(forest.data, forest.problem, forest.config, forest.predictions, seed=0)
    rows = table(15, seed=9)
    assert again.predict(rows).equals(forest.predict(rows))
    assert len(again.pipeline.columns_) == 3 and again.pipeline is again.pipeline


def test_a_pipeline_may_be_fetched_when_it_is_needed(forest):
    fetched = []
    model = Model(forest.data, forest.problem, {}, forest.predictions, lambda: fetched.append(1) or forest.pipeline)
    assert not fetched and model.pipeline is forest.pipeline is model.pipeline and fetched == [1]


def test_several_targets_come_as_columns():
    data, problem = small("regression", target=("price", "noise"), features=("size", "colour"))
    model = Model(data, problem, {"model": "tree"}, pd.DataFrame({"split": "train"}, data.frame.index))
    said = model.predict(table(5))
    assert list(said) == ["price", "noise"] and list(said.index) == list(table(5).index)


def test_a_forecast_gets_its_time_and_series():
    problem = Problem(
        "sold",
        "timeSeriesForecasting",
        "meanAbsoluteError",
        features=("price",),
        time="day",
        group="shop",
        known=("price",),
    )
    assert input_columns(problem) == ["price", "day", "shop"]


def test_files_are_looked_up_beside_the_table_that_names_them(tmp_path):
    for folder in ("old", "new"):
        for label in ("a", "b"):
            (tmp_path / folder / label).mkdir(parents=True)
            for number in range(4):
                (tmp_path / folder / label / f"{number}.txt").write_text(f"{label} word {folder}")
    data = data_module.load(tmp_path / "old")
    problem = Problem("label", "classification", "accuracy").check(data)
    inputs = features_of(tmp_path / "new", problem, data)
    assert inputs.iloc[0, 0] == str(tmp_path / "new" / "a" / "0.txt")
