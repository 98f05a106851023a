"""Problems: completed, refused with words a user understands, and as D3M writes them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learnviews.kernels.search.data import load
from learnviews.kernels.search.metrics import METRICS, bound
from learnviews.kernels.search.problem import Problem
from learnviews.kernels.search.tasks import TASKS, keywords_of_task, task_of_keywords

D3M = Path(__file__).resolve().parents[2] / "../shared/data/d3m"


def flowers(n=60):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "kind": rng.choice(["rose", "tulip", "lily"], n),
            "sold": rng.choice(["yes", "no"], n),
            "height": rng.normal(size=n),
            "petals": rng.integers(3, 90, n),
            "day": pd.date_range("2020-01-01", periods=n),
            "note": [f"a note of many words number {one} here" for one in range(n)],
            "same": 1.5,
        }
    )
    return load(frame, name="flowers")


# -- completed


def test_all_is_filled_in():
    done = Problem("kind").check(flowers())
    assert (done.task, done.subtask, done.metric) == ("classification", "multiClass", "f1Macro")
    assert done.features == ("sold", "height", "petals", "day", "note", "same")
    assert Problem("sold").check(flowers()).subtask == "binary"
    assert Problem("height").check(flowers()).metric == "rootMeanSquaredError"
    assert Problem("petals").check(flowers()).task == "regression"
    assert Problem(["height", "petals"], "regression").check(flowers()).subtask == "multivariate"
    assert Problem(task="clustering").check(flowers()).metric == "silhouette"
    assert Problem("kind", "clustering").check(flowers()).metric == "normalizedMutualInformation"


def test_checked_twice_is_the_same():
    done = Problem("kind").check(flowers())
    assert done.check(flowers()) == done


def test_chosen_features_are_kept():
    assert Problem("kind", features=["petals", "height"]).check(flowers()).features == ("petals", "height")


def test_the_positive_class_is_settled():
    data = flowers()
    assert Problem("sold", metric="f1").check(data).positive == "yes"
    assert Problem("sold", metric="f1", positive="no").check(data).positive == "no"
    assert Problem("kind", metric="f1", positive="rose").check(data).positive == "rose"
    assert bound(Problem("sold", metric="f1", positive="no").check(data)).positive == "no"


def test_a_forecast_knows_its_time_and_what_is_known_ahead():
    data = flowers()
    done = Problem("height", "timeSeriesForecasting", horizon=5).check(data)
    assert (done.time, done.features, done.known) == ("day", ("day",), ())
    ahead = Problem("height", "timeSeriesForecasting", known=["petals"]).check(data)
    assert (ahead.features, ahead.known) == (("day", "petals"), ("petals",))
    named = Problem("height", "forecasting", features=["day", "petals"]).check(data)
    assert (named.task, named.known) == ("timeSeriesForecasting", ("petals",))


def test_series_are_told_apart_where_times_repeat():
    frame = pd.DataFrame(
        {
            "month": np.tile(pd.date_range("2020-01-01", periods=20, freq="MS"), 3),
            "shop": np.repeat(["a", "b", "c"], 20),
            "sales": np.arange(60.0) % 7,
        }
    )
    assert Problem("sales", "timeSeriesForecasting").check(load(frame)).group == "shop"


def test_several_labels():
    frame = pd.DataFrame({"x": range(20), "red": [True, False] * 10, "big": [False] * 10 + [True] * 10})
    done = Problem(["red", "big"], "classification").check(load(frame))
    assert (done.subtask, done.metric) == ("multiLabel", "f1Macro")
    tags = pd.DataFrame({"x": np.arange(20) * 1.5, "tags": ["a;b", "b", "a", "b;c"] * 5})
    assert Problem("tags", "classification", subtask="multiLabel").check(load(tags)).subtask == "multiLabel"


# -- refused, with words


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (Problem("kinds"), "flowers has no column 'kinds' .target.: did you mean 'kind'"),
        (Problem("kind", features=["hight"]), "no column 'hight' .feature.: did you mean 'height'"),
        (Problem("kind", features=["kind"]), "'kind' is the target"),
        (Problem("kind", features=[]), "no features are chosen"),
        (Problem("kind", "regresion"), "no task 'regresion': did you mean 'regression'"),
        (Problem("kind", "regression"), "'kind' is categorical: regression takes integer or real; .*height, petals"),
        (Problem("height", "classification"), "'height' is real: classification takes .*kind, sold, petals"),
        (Problem("note", "classification"), "'note' is text"),
        (Problem("same", "regression"), "'same' has one value only .1.5.*these would do: height"),
        (Problem(None, "regression"), "regression needs a target: these would do: height"),
        (Problem("kind", metric="meanSquaredError"), "meanSquaredError does not judge classification: take f1Macro"),
        (Problem("kind", metric="f1"), "f1 does not judge multiClass problems: take f1Macro"),
        (Problem("kind", metric="rocAuc"), "take .*rocAucMacro"),
        (Problem("kind", metric="acuracy"), "no metric 'acuracy': did you mean 'accuracy'"),
        (
            Problem("sold", metric="f1", positive="ye"),
            "'ye', the positive class, is none of 'sold': did you mean 'yes'",
        ),
        (Problem("kind", "semiSupervisedClassification"), "every row of 'kind' has a label.*take classification"),
        (Problem("kind", "timeSeriesClassification"), "needs a feature of type timeseries"),
        (Problem("height", "timeSeriesForecasting", time="kind"), "time column 'kind' is categorical"),
        (Problem("height", "timeSeriesForecasting", horizon=0), "horizon is 0"),
        (Problem("kind", "vertexClassification"), "needs one column that names nodes of a graph"),
        (Problem(None, "clustering", "normalizedMutualInformation"), "no target: take silhouette"),
        (Problem(["kind", "sold"], "classification"), "'kind' has '.*True, False, 1 or 0"),
        (Problem(["height", "height"], "regression"), "named twice"),
    ],
)
def test_refused(problem, message):
    with pytest.raises(ValueError, match=message):
        problem.check(flowers())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([None] * 57 + ["a", "b", "a"], "known in 3 rows; at least 4"),
        (["only"] * 60, "one class only .only."),
        ([f"c{one}" for one in range(60)], "every row .*60 classes.*one row per class"),
    ],
)
def test_targets_that_teach_nothing(values, message):
    data = load(flowers().frame.assign(kind=values), types={"kind": "categorical"})
    with pytest.raises(ValueError, match=message):
        Problem("kind", "classification").check(data)


def test_infinite_targets_are_named_by_row():
    frame = flowers().frame.copy()
    frame.loc[7, "height"] = np.inf
    data = load(flowers())
    data.frame["height"] = frame["height"]
    with pytest.raises(ValueError, match="infinite in row 7"):
        Problem("height", "regression").check(data)


def test_no_time_to_forecast_by():
    data = load(pd.DataFrame({"a": np.random.default_rng(0).normal(size=20), "b": [1.5, 2.5] * 10}))
    with pytest.raises(ValueError, match="marks none: name one, for example time='b'"):
        Problem("a", "timeSeriesForecasting").check(data)


def test_unlabelled_rows_make_it_semi_supervised():
    data = load(flowers().frame.assign(kind=["a", "b", None, None] * 15))
    assert Problem("kind", "semiSupervisedClassification").check(data).subtask == "binary"


# -- in words


def test_sentence():
    said = Problem("height", "regression", "rSquared", features=["petals", "sold"]).sentence()
    assert said == "predict height from petals and sold with a regression model by the best R²"
    assert (
        Problem("kind").sentence(flowers()).startswith("predict kind from 6 columns (sold, height, petals, day, ...)")
    )
    assert "petals known ahead" in Problem("height", "forecasting", known=["petals"]).sentence(flowers())


# -- as files


def test_json_and_back():
    done = Problem("sold", features=["height"], metrics=["accuracy"], positive="no", score=0.5, reason="why").check(
        flowers()
    )
    back = Problem.from_json(done.to_json())
    assert back == done
    assert (back.score, back.reason) == (0.5, "why")
    with pytest.raises(ValueError, match="no problem as JSON"):
        Problem.from_json("[1]")


@pytest.mark.skipif(not D3M.is_dir(), reason="the shared D3M data sets are not here")
@pytest.mark.parametrize("version", ["3.2.0", "4.0.0"])
@pytest.mark.parametrize("folder", sorted(path.name for path in D3M.glob("*")) if D3M.is_dir() else ["none"])
def test_documents_there_and_back(tmp_path, folder, version):
    problem = Problem.from_d3m(D3M / folder)
    file = tmp_path / "problemDoc.json"
    file.write_text(json.dumps(problem.to_d3m(version=version)))
    assert Problem.from_d3m(file) == problem
    before = json.loads((D3M / folder / f"{folder}_problem" / "problemDoc.json").read_text())
    after = json.loads(file.read_text())
    assert after["inputs"]["data"] == before["inputs"]["data"]
    assert after["inputs"]["dataSplits"] == before["inputs"]["dataSplits"]
    if version == "3.2.0":
        assert after["about"] == {**before["about"], "problemSchemaVersion": version}


@pytest.mark.skipif(not D3M.is_dir(), reason="the shared D3M data sets are not here")
@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("196_autoMpg", ("class", "regression", "meanSquaredError", "univariate")),
        ("185_baseball", ("Hall_of_Fame", "classification", "f1Macro", "multiClass")),
        ("56_sunspots", ("sunspots", "timeSeriesForecasting", "rootMeanSquaredError", "univariate")),
    ],
)
def test_the_programme_s_problems_hold(folder, expected):
    done = Problem.from_d3m(D3M / folder).check(load(D3M / folder))
    assert (done.target, done.task, done.metric, done.subtask) == expected


def test_version_four():
    document = {
        "about": {"problemID": "p", "taskKeywords": ["forecasting", "timeSeries", "univariate", "tabular"]},
        "inputs": {
            "data": [
                {
                    "datasetID": "d",
                    "targets": [{"targetIndex": 0, "resID": "learningData", "colIndex": 3, "colName": "v"}],
                    "forecastingHorizon": {
                        "resID": "learningData",
                        "colIndex": 1,
                        "colName": "t",
                        "horizonValue": 10.0,
                    },
                }
            ],
            "performanceMetrics": [{"metric": "precisionAtTopK", "k": 5}, {"metric": "rSquared"}],
        },
    }
    problem = _of(document)
    assert (problem.task, problem.subtask) == ("timeSeriesForecasting", "univariate")
    assert (problem.time, problem.horizon, problem.k, problem.metrics) == ("t", 10, 5, ("rSquared",))
    again = problem.to_d3m()
    assert again["about"]["taskKeywords"] == ["forecasting", "timeSeries", "univariate", "tabular"]
    assert _of(again) == problem


def _of(document):
    from learnviews.kernels.search.problem_doc import _problem

    return _problem(document)


def test_what_the_schema_has_no_place_for_comes_back():
    problem = Problem("height", "forecasting", features=["day", "petals"]).check(flowers())
    document = problem.to_d3m(flowers())
    assert document["inputs"]["data"][0]["targets"][0] == {
        "targetIndex": 0,
        "resID": "learningData",
        "colIndex": 3,
        "colName": "height",
    }
    again = _of(json.loads(json.dumps(document)))
    assert (again.features, again.known, again.time) == (problem.features, problem.known, problem.time)


def test_privileged_columns_are_no_features():
    document = Problem("kind", "classification", privileged=["note"]).to_d3m(flowers())
    assert document["inputs"]["data"][0]["privilegedData"][0]["colName"] == "note"
    problem = _of(document)
    assert "note" not in problem.check(flowers()).features
    with pytest.raises(ValueError, match="'note' is privileged"):
        problem.with_(features=["note"]).check(flowers())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"about": {"taskType": "regression", "problemSchemaVersion": "9.0"}},
            "problemSchemaVersion is 9.0; 3.x and 4.x",
        ),
        ({"about": {"taskType": "guessing"}}, "taskType 'guessing' is not known"),
        ({"about": {"taskKeywords": ["tabular"]}}, "name no task"),
        ({"about": {}}, "'taskType' is missing"),
        ({"inputs": {"data": [{"targets": [{}]}]}}, "'colName' is missing"),
        ({"inputs": {"data": [], "performanceMetrics": [{"metric": "guess"}]}}, "metric 'guess' is not known"),
    ],
)
def test_damaged_documents_name_the_file(tmp_path, change, message):
    file = tmp_path / "problemDoc.json"
    file.write_text(json.dumps({"about": {"taskType": "regression"}, "inputs": {"data": []}, **change}))
    with pytest.raises(ValueError, match=message) as caught:
        Problem.from_d3m(file)
    assert str(file) in str(caught.value)


def test_no_document(tmp_path):
    with pytest.raises(FileNotFoundError, match="no problemDoc"):
        Problem.from_d3m(tmp_path)
    (tmp_path / "problemDoc.json").write_text("{")
    with pytest.raises(ValueError, match="not a JSON text"):
        Problem.from_d3m(tmp_path)


def test_f1_of_several_classes_is_the_programme_s_macro_f1():
    document = {
        "about": {"taskType": "classification", "taskSubType": "multiClass"},
        "inputs": {"data": [{"targets": [{"colName": "a"}]}], "performanceMetrics": [{"metric": "f1"}]},
    }
    assert _of(document).metric == "f1Macro"


# -- tasks


def test_keywords_name_every_task():
    for task in TASKS.values():
        if task.keywords:
            assert task_of_keywords(keywords_of_task(task.name))[0] == task.name
        assert set(task.metrics) <= set(METRICS)


def test_the_rarer_keyword_wins():
    assert task_of_keywords(["classification", "vertexClassification", "graph", "multiClass"]) == (
        "vertexClassification",
        "multiClass",
    )
    assert task_of_keywords(["classification", "timeSeries", "tabular"])[0] == "timeSeriesClassification"
