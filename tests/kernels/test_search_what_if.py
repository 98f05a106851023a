"""One row with other values, and tables of new rows, through several models."""

import numpy as np
import pandas as pd
import pytest
import search_fitted as made

from learnviews.kernels.search import Model, Problem, editable, load, plan, predict_new, sliced, what_if
from learnviews.kernels.search.baseline import baseline
from learnviews.kernels.search.model import fitted
from learnviews.kernels.search.trial import Work


@pytest.fixture(scope="module")
def classifiers():
    return made.models()


@pytest.fixture(scope="module")
def regressors():
    return made.models("regression")


# -- what can be changed


def test_ranges_and_labels(classifiers):
    model = classifiers[0]
    found = {each.name: each for each in editable(model)}
    assert list(found) == ["size", "noise", "colour"]
    column = model.data.frame["size"]
    size = found["size"]
    assert (size.low, size.high, size.typical) == (column.min(), column.max(), column.median())
    assert 0 < size.step <= (size.high - size.low) / 100 < 10 * size.step + 1e-12
    assert set(found["colour"].labels) == {"red", "green", "Blue, dark"}
    assert not size.gaps and not size.why_not


def test_every_type_of_column():
    rows = 20
    frame = pd.DataFrame(
        {
            "count": range(rows),
            "day": pd.date_range("2024-01-01", periods=rows),
            "yes": [True, False] * (rows // 2),
            "gaps": [None, *np.arange(rows - 1) / 7],
            "same": [2.5] * rows,
            "story": [f"a text of more than four words {at}" for at in range(rows)],
            "y": np.arange(rows) / 3,
        }
    )
    data = load(frame)
    problem = Problem("y", "regression", features=tuple(frame.columns[:-1])).check(data)
    found = {each.name: each for each in editable(Model(data, problem, {"model": "linear"}, pd.DataFrame()))}
    assert (found["count"].low, found["count"].high, found["count"].step) == (0, 19, 1.0)
    assert found["day"].low == pd.Timestamp("2024-01-01") and found["day"].high == pd.Timestamp("2024-01-20")
    assert set(found["yes"].labels) == {True, False}
    assert found["gaps"].gaps and found["same"].step is None and found["story"].labels == ()


# -- one row


def test_before_and_after_are_what_the_models_say(classifiers):
    row = classifiers[0].data.frame.index[3]
    found = what_if(classifiers, row, {"size": "-1.5", "colour": "red"})
    frame = classifiers[0].data.frame.loc[[row]]
    changed = frame.assign(size=-1.5, colour="red")
    for model in classifiers:
        lines = found[found["number"] == model.number].set_index("of")
        assert lines.loc["prediction", "before"] == model.predict(frame).iloc[0]
        assert lines.loc["prediction", "after"] == model.predict(changed).iloc[0]
        for name, odds in model.predict_proba(changed).iloc[0].items():
            assert lines.loc[name, "after"] == odds
    assert found.attrs["changed"] == {"size": -1.5, "colour": "red"} and found.attrs["notes"] == []
    assert found.attrs["truth"] == {"kind": frame["kind"].iloc[0]}
    assert found.attrs["row"]["size"] == frame["size"].iloc[0]


def test_numbers_and_nothing_changed(regressors):
    row = regressors[0].data.frame.index[0]
    found = what_if(regressors[0], row, {})
    assert (found["before"] == found["after"]).all() and found["of"].tolist() == ["prediction"]


def test_a_row_made_up(regressors):
    values = {"size": 1, "noise": "0.5", "colour": "green"}
    found = what_if(regressors[0], values, {"size": 2})
    frame = pd.DataFrame([{"size": 1.0, "noise": 0.5, "colour": "green"}])
    assert found["before"].iloc[0] == pytest.approx(regressors[0].predict(frame).iloc[0])
    assert found["after"].iloc[0] == pytest.approx(regressors[0].predict(frame.assign(size=2.0)).iloc[0])


def test_values_unlike_those_seen_are_noted(regressors):
    row = regressors[0].data.frame.index[0]
    notes = what_if(regressors, row, {"size": 1e6, "colour": "purple", "noise": ""}).attrs["notes"]
    assert notes[0].startswith("size 1000000.0 is beyond") and notes[1] == "noise is never missing in the data"
    assert notes[2] == "no row has colour 'purple'"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": "tall"}, 'things, column "size", row 100: "tall" is no number'),
        ({"size": "inf"}, 'column "size": "inf" is no real; expected one, or nothing'),
        ({"sise": 1}, "no model uses a feature 'sise': did you mean 'size'"),
        ({"kind": "Big"}, "'kind' is the target: change a feature"),
        ({"price": 3}, "no model uses a feature 'price'"),
    ],
)
def test_what_cannot_be_changed_is_named(classifiers, changes, said):
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        what_if(classifiers, 100, changes)


def test_rows_and_models_that_are_not_there(classifiers):
    with pytest.raises(ValueError, match="things: no row 7"):
        what_if(classifiers, 7, {})
    with pytest.raises(ValueError, match="no column 'sise'"):
        what_if(classifiers, {"sise": 3}, {})
    with pytest.raises(ValueError, match="no models"):
        what_if([], 7, {})


def test_whole_numbers_truth_values_and_dates_from_text():
    rows = 40
    frame = pd.DataFrame(
        {
            "count": np.arange(rows) % 7,
            "yes": np.arange(rows) % 2 == 0,
            "day": pd.date_range("2024-01-01", periods=rows),
            "y": np.arange(rows) * 0.5,
        }
    )
    data = load(frame)
    problem = Problem("y", "regression").check(data)
    model = Model(data, problem, {"model": "tree"}, pd.DataFrame(), fitted(data, problem, {"model": "tree"}, 0))
    found = what_if(model, 0, {"count": "3", "yes": "no", "day": "2024-02-03"})
    changed = found.attrs["changed"]
    assert changed["count"] == 3 and not changed["yes"] and changed["day"] == pd.Timestamp("2024-02-03")
    with pytest.raises(ValueError, match=r'"2\.5" is no integer'):
        what_if(model, 0, {"count": "2.5"})
    with pytest.raises(ValueError, match='column "day"'):
        what_if(model, 0, {"day": "soon"})


# -- new tables


def fresh(rows=15):
    return made.table(rows, seed=9).reset_index(drop=True)


def test_new_rows_have_predictions_truth_and_scores(classifiers):
    frame = fresh()
    found = predict_new(classifiers, frame)
    for new, model in zip(found, classifiers, strict=True):
        assert new.split == "new" and (new.number, new.name, new.source) == (model.number, model.name, model)
        assert new.predictions["prediction"].tolist() == model.predict(frame).tolist()
        np.testing.assert_array_equal(new.predictions["p_Big"], model.predict_proba(frame)["p_Big"])
        assert new.predictions["truth"].tolist() == frame["kind"].tolist()
        assert new.score == pytest.approx((new.predictions.truth == new.predictions.prediction).mean())
        assert new.scores.loc["accuracy", "split"] == "new"
        assert new.training_rows.equals(model.training_rows) and new.steps() == model.steps()
    assert found[0].data is found[1].data and len(found[0].data) == 15


def test_without_a_target_there_are_no_scores(regressors):
    new = predict_new(regressors, fresh().drop(columns="price"))[0]
    assert new.predictions["truth"].isna().all() and np.isnan(new.score) and new.scores["value"].isna().all()


def test_ids_are_never_those_of_other_rows(classifiers):
    old = classifiers[0].data.frame.index
    clash = predict_new(classifiers, fresh().set_axis(pd.Index(range(110, 125), name="row")))[0]
    assert clash.predictions.index.tolist() == list(range(old.max() + 1, old.max() + 16))
    assert clash.data.frame.index.equals(clash.predictions.index)
    assert predict_new(classifiers, fresh())[0].predictions.index.tolist() == list(range(15))
    named = fresh().set_axis(pd.Index(range(110, 125), name="patient"))  # ids that mean something
    assert predict_new(classifiers, named)[0].predictions.index.tolist() == list(range(110, 125))


def test_a_file_and_a_loaded_table(tmp_path, classifiers):
    file = tmp_path / "new.csv"
    fresh().to_csv(file, index=False)
    one, other = predict_new(classifiers, file)[1], predict_new(classifiers, load(file))[1]
    assert one.predictions["prediction"].tolist() == other.predictions["prediction"].tolist()
    assert one.predictions["prediction"].tolist() == classifiers[1].predict(fresh()).tolist()


def test_they_can_be_sliced_and_shown(classifiers):
    from learnviews.grammar import ConfusionMatrix

    new = predict_new(classifiers, fresh())
    found = sliced(new, new[0].predictions.index[:5], n=5)
    assert found.attrs["split"] == "new" and set(found["rows"]) == {5, 10}
    assert len(ConfusionMatrix.from_model(new[0], "new")) > 0
    assert len(what_if(new, new[0].predictions.index[0], {"size": 1})) == 9


def test_the_baseline_predicts_them_too():
    data, problem = made.small()
    trivial = baseline(Work(data, problem, plan(data, problem, 0)))
    new = predict_new(trivial, fresh())[0]
    assert new.name == "most frequent class" and new.predictions["prediction"].nunique() == 1


def test_missing_columns_and_values_that_do_not_fit_are_named(classifiers):
    with pytest.raises(ValueError, match=r"rows given: lacks columns 'size', 'colour'; .* needs size, noise"):
        predict_new(classifiers, fresh().drop(columns=["size", "colour"]))
    with pytest.raises(ValueError, match=r'column "size".*"tall"'):
        predict_new(classifiers, fresh().astype({"size": object}).assign(size="tall"))
    with pytest.raises(ValueError, match="no models"):
        predict_new([], fresh())


def test_several_targets():
    rng = np.random.default_rng(0)
    data = load(pd.DataFrame(rng.normal(size=(40, 3)), columns=["x", "y", "z"]))
    problem = Problem(["y", "z"], "regression").check(data)
    model = Model(data, problem, {"model": "linear"}, pd.DataFrame(), fitted(data, problem, {"model": "linear"}, 0))
    new = predict_new(model, pd.DataFrame({"x": [0.5, 1.5], "y": [1.0, 2.0]}))[0]
    assert list(new.predictions) == ["truth_y", "prediction_y", "truth_z", "prediction_z", "split"]
    assert new.predictions["truth_z"].isna().all()
    assert what_if(model, 0, {"x": 1})["of"].tolist() == ["prediction_y", "prediction_z"]
