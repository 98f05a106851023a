"""Intervals that hold what they promise, tables of every metric, and the predictor that knows nothing."""

import numpy as np
import pandas as pd
import pytest
from search_fitted import models, small

from learnviews.kernels.search import data as data_module
from learnviews.kernels.search import scores
from learnviews.kernels.search.metrics import METRICS
from learnviews.kernels.search.problem import Problem
from learnviews.kernels.search.splits import Plan


def answers(rows=200, right=0.8, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.choice(["a", "b"], rows)
    other = np.where(truth == "a", "b", "a")
    return pd.Series(truth), pd.Series(np.where(rng.random(rows) < right, truth, other))


def frame_of(problem, truth, prediction, **more):
    return pd.DataFrame({"truth": truth, "prediction": prediction, "split": "holdout", **more})


# --- bootstrap


@pytest.mark.parametrize("name", ["accuracy", "f1Macro", "jaccardSimilarityScore", "normalizedMutualInformation"])
def test_bootstrap_is_that_of_resampled_rows(name):
    truth, said = answers(60)
    draws = [
        METRICS[name](truth.iloc[at].reset_index(drop=True), said.iloc[at].reset_index(drop=True))
        for at in scores.drawn(np.random.default_rng(5), 60, 50)
    ]
    expected = (METRICS[name](truth, said), *np.quantile(draws, [0.025, 0.975]))
    np.testing.assert_allclose(scores.bootstrap(name, truth, said, rng=5, n=50), expected)


def test_intervals_hold_the_true_accuracy_about_as_often_as_they_say():
    held = 0
    for seed in range(60):
        _, low, high = scores.bootstrap("accuracy", *answers(100, 0.8, seed), rng=seed, n=200)
        held += low <= 0.8 <= high
    assert held >= 51  # of 60; 57 are to be expected


def test_more_rows_make_it_surer():
    widths = [np.ptp(scores.bootstrap("accuracy", *answers(rows), n=200)[1:]) for rows in (50, 800)]
    assert widths[1] < widths[0] / 2


def test_same_seed_same_bits_and_the_seed_matters():
    first = scores.bootstrap("accuracy", *answers(), rng=1)
    assert first == scores.bootstrap("accuracy", *answers(), rng=1) != scores.bootstrap("accuracy", *answers(), rng=2)


def test_rows_in_a_series_are_drawn_as_blocks():
    drawn = np.stack(list(scores.drawn(np.random.default_rng(0), 60, 40, block=4)))
    assert drawn.shape == (40, 60)
    assert (np.diff(drawn.reshape(40, 15, 4)) == 1).all()
    walk = np.cumsum(np.random.default_rng(3).normal(size=300))  # errors that follow each other
    narrow, wide = (
        np.ptp(scores.bootstrap("meanAbsoluteError", walk * 0, walk, block=block)[1:])
        for block in (1, scores.block_length(300))
    )
    assert wide > 1.3 * narrow


def test_without_rows_or_with_one_there_is_no_false_certainty():
    assert np.isnan(scores.bootstrap("accuracy", [], [])).all()
    value, low, high = scores.bootstrap("rSquared", [1.0], [2.0])
    assert np.isnan([value, low, high]).all()


# --- tables


def test_table_has_every_metric_that_is_defined_and_the_problem_s_own_first():
    model = models(configs=({"model": "linear"},))[0]
    table = model.scores
    assert table.index[0] == "accuracy" and table.index.is_unique and list(table) == ["value", "low", "high", "split"]
    assert {"f1Macro", "f1", "rocAuc"} <= set(table.index)
    assert (table.low <= table.value).all() and (table.value <= table.high).all()
    assert (table.split == "holdout").all() and model.score == table.value["accuracy"]
    held = model.predictions[model.predictions.split == "holdout"]
    assert model.score == (held.truth == held.prediction).mean()


def test_metrics_of_one_class_are_left_out_where_there_are_three():
    data = data_module.load(pd.DataFrame({"x": range(30), "y": list("abc") * 10}))
    problem = Problem(target="y", task="classification", metric="accuracy").check(data)
    table = scores.table(problem, frame_of(problem, data.frame.y, "a"))
    assert table.value["accuracy"] == pytest.approx(1 / 3) and not {"f1", "rocAuc"} & set(table.index)


def test_clusters_without_truth_are_scored_by_their_features():
    rng = np.random.default_rng(0)
    data = data_module.load(
        pd.DataFrame({"x": np.repeat([0.0, 9.0], 20) + rng.normal(size=40), "y": rng.normal(size=40)})
    )
    problem = Problem(target=None, task="clustering", metric="silhouette").check(data)
    good = frame_of(problem, None, np.repeat([0, 1], 20)).set_index(data.frame.index)
    bad = frame_of(problem, None, np.tile([0, 1], 20)).set_index(data.frame.index)
    assert scores.value(problem, good, data=data) > 0.4 > 0.1 > scores.value(problem, bad, data=data)
    assert list(scores.table(problem, good, data=data).index) == ["silhouette"]


# --- trivial


def plan(data, held=30):
    rows = data.frame.index
    train = rows[:-held]
    half = len(train) // 2
    return Plan(train, rows[-held:], [(train[half:], train[:half]), (train[:half], train[half:])], "")


def test_trivial_says_the_commonest_class_of_the_rows_it_may_see():
    data, problem = small()
    folds = plan(data)
    found = scores.trivial(data, problem, folds)
    assert set(found.index) == set(data.frame.index) and (found.truth == data.frame.kind.loc[found.index]).all()
    for fit, score in [*folds.folds, (folds.train_rows, folds.holdout_rows)]:
        seen = data.frame.kind.loc[fit].value_counts(normalize=True)
        assert (found.prediction.loc[score] == seen.index[0]).all()
        np.testing.assert_allclose(found.loc[score, "p_Big"], seen["Big"])
    assert (found.split.loc[folds.holdout_rows] == "holdout").all()
    assert scores.table(problem, found, "holdout").value["rocAuc"] == 0.5


@pytest.mark.parametrize(("metric", "middle"), [("rootMeanSquaredError", "mean"), ("meanAbsoluteError", "median")])
def test_trivial_number_suits_the_metric(metric, middle):
    data, problem = small("regression", metric=metric)
    folds = plan(data)
    found = scores.trivial(data, problem, folds)
    expected = getattr(data.frame.price.loc[folds.train_rows], middle)()
    np.testing.assert_allclose(found.prediction.loc[folds.holdout_rows], expected)


def test_trivial_of_several_targets():
    data, problem = small("regression", target=("price", "noise"), features=("size", "colour"))
    found = scores.trivial(data, problem, plan(data))
    assert {"truth_price", "prediction_price", "truth_noise", "prediction_noise", "split"} == set(found)
    assert scores.value(problem, found, "holdout") > 0


def test_trivial_forecast_is_the_last_value_of_each_series():
    frame = pd.DataFrame({"day": [2, 1, 3, 1, 2, 3], "shop": list("aaabbb"), "sold": [20.0, 10, 30, 1, 2, 3]})
    data = data_module.load(frame, types={"day": "integer", "shop": "categorical", "sold": "real"})
    problem = Problem(
        target="sold", task="timeSeriesForecasting", metric="meanAbsoluteError", time="day", group="shop"
    ).check(data)
    found = scores.trivial(data, problem, Plan(pd.Index([0, 1, 3, 4]), pd.Index([2, 5]), [], ""))
    assert found.prediction.tolist() == [20.0, 2.0]


def test_trivial_label_sets():
    frame = pd.DataFrame({"x": range(8), "tags": ["a;b", "a", "a;c", "b;a"] * 2})
    data = data_module.load(frame, types={"tags": "categorical"})
    problem = Problem(target="tags", task="classification", metric="f1Micro", subtask="multiLabel").check(data)
    found = scores.trivial(data, problem, Plan(data.frame.index, data.frame.index[:0], [], ""))
    assert set(found.prediction) == {"a"} and found.p_b.iloc[0] == 0.5
