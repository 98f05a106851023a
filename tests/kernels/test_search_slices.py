"""Scores of chosen rows, and of the others."""

import numpy as np
import pandas as pd
import pytest
import search_fitted as made
from sklearn import metrics as known

from learnviews.kernels.search import sliced
from learnviews.kernels.search.model import Model


@pytest.fixture(scope="module")
def classifiers():
    return made.models()


@pytest.fixture(scope="module")
def regressors():
    return made.models("regression")


def held(model):
    return model.predictions[model.predictions["split"] == "holdout"]


def test_values_are_those_of_the_rows(classifiers):
    ids = held(classifiers[0]).index[::2]
    found = sliced(classifiers, ids, n=50).set_index(["number", "part", "metric"])
    for model in classifiers:
        rows = held(model)
        for part, frame in (("slice", rows.loc[ids]), ("rest", rows.drop(ids))):
            line = found.loc[(model.number, part, "accuracy")]
            assert line["value"] == pytest.approx(known.accuracy_score(frame["truth"], frame["prediction"]))
            assert line["rows"] == len(frame) and line["why"] == ""
            assert line["low"] <= line["value"] <= line["high"]


def test_numbers_and_all_rows(regressors):
    model = regressors[0]
    ids = model.predictions.index[10:100]
    found = sliced(model, ids, split="all", metrics=["meanAbsoluteError"], n=20).set_index("part")
    rows = model.predictions.loc[ids]
    assert found.loc["slice", "value"] == pytest.approx(np.abs(rows.truth - rows.prediction).mean())
    assert found["rows"].tolist() == [90, len(model.predictions) - 90] and found.attrs["split"] == "all"


def test_one_class_says_so(classifiers):
    rows = held(classifiers[0])
    ids = rows.index[rows["truth"] == "Big"]
    found = sliced(classifiers[0], ids, n=20).query("part == 'slice'").set_index("metric")
    assert np.isnan(found.loc["rocAuc", "value"])
    assert found.loc["rocAuc", "why"] == "all of these rows have the same truth (Big)"
    assert found.loc["accuracy", "why"] == "" and found.loc["accuracy", "value"] == found.loc["accuracy", "value"]


def test_rows_of_another_split_do_not_count(classifiers):
    train = classifiers[0].predictions.index[classifiers[0].predictions["split"] == "train"]
    found = sliced(classifiers, train, n=20).query("part == 'slice'")
    assert (found["rows"] == 0).all() and (found["why"] == "no rows").all() and found["value"].isna().all()
    everything = sliced(classifiers, held(classifiers[0]).index, n=20).query("part == 'rest'")
    assert (everything["why"] == "no rows").all()


def test_a_value_is_given_or_a_reason(classifiers, regressors):
    for model in (classifiers[0], regressors[0]):
        for count in (0, 1, 2, 5):
            found = sliced(model, held(model).index[:count], n=10)
            assert (found["value"].isna() == (found["why"] != "")).all()


def test_without_a_holdout_the_out_of_fold_rows_count(regressors):
    model = regressors[0]
    own = Model(
        model.data, model.problem, model.config, model.predictions.assign(split="train"), model.pipeline, number=3
    )
    assert sliced(own, own.predictions.index[:4], n=5).attrs["split"] == "train"
    assert sliced([own, model], own.predictions.index[:4], n=5).attrs["split"] == "train"


def test_unknown_rows_metrics_and_no_models_are_named(classifiers):
    with pytest.raises(ValueError, match="things: no row 5, 6"):
        sliced(classifiers, [5, 6])
    with pytest.raises(ValueError, match="there is no metric 'acuracy'; did you mean accuracy"):
        sliced(classifiers, [110], metrics=["acuracy"])
    with pytest.raises(ValueError, match="no models"):
        sliced([], [1])


def test_truths_that_are_not_known(classifiers):
    model = classifiers[0]
    frame = model.predictions.assign(truth=pd.Series(None, model.predictions.index, dtype=object))
    blind = Model(model.data, model.problem, model.config, frame, model.pipeline, number=1)
    found = sliced(blind, held(model).index[:5], n=5).query("part == 'slice'")
    assert (found["why"] == "the truth of none of these rows is known").all()
