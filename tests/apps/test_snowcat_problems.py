"""Problems as they are listed and phrased: what a sentence can say, what comes of it, and files of problems."""

import json

import numpy as np
import pandas as pd
import pytest

from learnviews.apps.snowcat.problem_draft import Draft, phrase, use
from learnviews.apps.snowcat.problem_options import matching
from learnviews.apps.snowcat.problem_summary import excluded, facts
from learnviews.apps.snowcat.problem_target import find
from learnviews.apps.snowcat.problem_words import document, listed, read_document, sentence_html
from learnviews.apps.snowcat.project import Entry, Project
from learnviews.kernels import search
from learnviews.kernels.search import Problem


def table(rows=120):
    rng = np.random.default_rng(0)
    x = rng.normal(size=rows)
    return pd.DataFrame(
        {
            "x": x,
            "y": x + rng.normal(scale=0.2, size=rows),
            "kind": rng.choice(["a", "b", "c"], rows),
            "flag": np.where(x > 0, "yes", "no"),
            "day": pd.date_range("2024-01-01", periods=rows),
            "shop": np.repeat(["n", "s"], rows // 2),
            "town": np.repeat(list("abcdefgh"), rows // 8),
            "id": [f"n{k}" for k in range(rows)],
        }
    )


@pytest.fixture(scope="module")
def data():
    return search.load(table())


@pytest.fixture
def project(tmp_path, data):
    return Project(tmp_path / "some", "some", data)


def draft(data, problem=None, settle=False):
    made = Draft(None if problem is None else Entry("own-1", problem.check(data), "own"))
    return looked(made, data, settle)


def looked(draft, data, settle=True):
    draft.become(phrase(data, draft.wanted, settle), data)
    return draft


def legal(offers):
    return [offer.name for offer in offers if offer.legal]


# -- sentences


def test_an_empty_sentence_offers_what_there_is(data):
    made = draft(data)
    assert made.empty
    assert made.phrase.problem is None
    assert "Choose what to predict" in made.phrase.why
    assert set(legal(made.phrase.targets)) >= {"x", "y", "kind", "flag"}
    assert legal(made.phrase.tasks) == ["clustering"]


def test_the_target_limits_the_tasks_and_the_task_the_metrics(data):
    made = draft(data)
    made.aim(("kind",))
    looked(made, data)
    assert made.told.task == "classification"
    assert "regression" not in legal(made.phrase.tasks)
    assert "rootMeanSquaredError" not in legal(made.phrase.metrics)
    assert all(offer.why for offer in made.phrase.tasks if not offer.legal)
    made.say(metric="accuracy")
    made.aim(("y",))
    looked(made, data)
    assert (made.told.task, made.told.metric) == ("regression", "rootMeanSquaredError")
    assert "classification" not in legal(made.phrase.tasks)
    assert "kind" in made.told.features


def test_what_goes_with_another_target_stays(data):
    made = draft(data, Problem("kind", metric="accuracy", features=("x", "y")))
    made.aim(("flag",))
    looked(made, data)
    assert made.told.metric == "accuracy"
    assert made.told.features == ("x", "y", "kind")  # what was the target can be learned from
    made.aim(("x",))
    looked(made, data)
    assert made.told.features == ("y", "kind", "flag")


def test_several_targets(data):
    made = draft(data, Problem("x", "regression"))
    made.aim(("x", "y"))
    looked(made, data)
    assert made.told.targets == ("x", "y")
    assert made.told.subtask == "multivariate"
    assert "precisionAtTopK" not in legal(made.phrase.metrics)
    made.aim(("x", "kind"))
    looked(made, data)
    assert made.phrase.problem is None or made.told.task != "regression"


def test_what_cannot_be_is_said_and_kept_as_it_was_typed(data):
    made = draft(data, Problem("y", "regression"))
    made.use_features([])
    looked(made, data, settle=False)
    assert made.phrase.problem is None
    assert "at least one column" in made.phrase.why
    assert made.used == ()
    made.use_features(["x"])
    looked(made, data, settle=False)
    assert made.told.features == ("x",)


def test_a_positive_class_opens_metrics_about_it(data):
    made = draft(data, Problem("kind"))
    assert made.phrase.labels == ("a", "b", "c")
    assert "f1" not in legal(made.phrase.metrics)
    made.say(positive="b")
    looked(made, data, settle=False)
    assert {"f1", "precision", "recall"} <= set(legal(made.phrase.metrics))
    made.say(metric="f1")
    looked(made, data, settle=False)
    assert (made.told.metric, made.told.positive) == ("f1", "b")


@pytest.mark.parametrize("target", ["kind", "flag", "y", None])
def test_every_offer_that_is_legal_passes_the_check(data, target):
    made = draft(data, Problem(target))
    for offer in made.phrase.metrics:
        if offer.legal:
            made.wanted.with_(metric=offer.name).check(data)
    for offer in made.phrase.features:
        if offer.legal:
            made.wanted.with_(features=(offer.name,)).check(data)


def test_a_forecast_has_other_words(data):
    made = draft(data, Problem("y", "regression", features=("x", "kind")))
    made.take("timeSeriesForecasting")
    looked(made, data)
    assert made.forecasts
    assert (made.told.time, made.told.known) == ("day", ())
    made.use_features(["x"])
    made.say(horizon=7)
    looked(made, data, settle=False)
    assert (made.told.known, made.told.horizon) == (("x",), 7)
    assert "shop" in legal(made.phrase.groups)
    made.say(group=("shop",))
    looked(made, data, settle=False)
    assert made.told.groups == ("shop",)
    assert "one series per shop" in sentence_html(made.told)
    made.take("regression")
    looked(made, data)
    assert made.told.time is None
    assert set(made.told.features) >= {"x", "kind"}


def test_rows_are_grouped_without_a_target(data):
    made = draft(data, Problem("kind"))
    made.take("clustering")
    made.aim(())
    looked(made, data)
    assert (made.told.task, made.told.metric, made.told.targets) == ("clustering", "silhouette", ())
    made.say(clusters=3)
    looked(made, data, settle=False)
    assert made.phrase.problem.clusters == 3


def test_whether_it_was_changed(data):
    made = draft(data, Problem("kind"))
    assert not made.changed
    made.say(metric="accuracy")
    looked(made, data, settle=False)
    assert made.changed
    made.say(metric="f1Macro")
    looked(made, data, settle=False)
    assert not made.changed
    copied = looked(made.copy(), data)
    assert copied.changed
    assert copied.phrase.problem.targets == ("kind",)


def test_wide_data_and_odd_names():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 300)), columns=[f"<b>{k}" for k in range(300)])
    data = search.load(frame.assign(**{"a & b": np.arange(60) % 2}))
    made = draft(data, Problem("a & b"))
    assert len(made.phrase.features) == 300
    assert "&lt;b&gt;" in sentence_html(made.told)
    assert len(matching(made.phrase.features, "b>29")) == 11
    assert len(matching(made.phrase.features, "b>299, b>298")) == 2


# -- into the list


def test_an_own_problem_is_changed_a_found_one_stays(project, data):
    project.find_problems()
    found = project.entries[0]
    made = Draft(found)
    made.use_features(["x"])
    looked(made, data, settle=False)
    added = use(project, made, made.phrase.problem)
    assert added.origin == "own"
    assert project.problem(found.id) == found
    made = Draft(added)
    made.say(name="better")
    looked(made, data, settle=False)
    edited = use(project, made, made.phrase.problem)
    assert (edited.id, edited.problem.name) == (added.id, "better")
    same = use(project, looked(Draft(edited), data), edited.problem)
    assert same == edited
    count = len(project.entries)
    assert use(project, Draft(), edited.problem).id == edited.id
    assert len(project.entries) == count


def test_what_is_left_out_is_listed_with_its_reason(data):
    problem = Problem("y", "regression", features=("x",)).check(data)
    told = dict(excluded(data, problem))
    assert set(told) == {"kind", "flag", "day", "shop", "town", "id"} - set(problem.features)
    assert all(told.values())
    found = facts(data, problem)
    assert found.known == 120
    assert "kept aside" in found.split
    assert "to" in found.values[0][1]
    by_class = facts(data, Problem("kind").check(data)).values[0][1]
    assert by_class.startswith(str(table()["kind"].mode()[0]))
    with pytest.raises(ValueError, match="no column"):
        Problem("z").check(data)


@pytest.mark.parametrize("target", ["y", "kind", "flag"])
def test_what_tells_of_the_target(data, target):
    found = find(data, Problem(target).check(data))
    assert list(found.element.marked) == [target]
    assert target not in found.told.index
    assert found.past is None
    assert "known in all rows" in found.facts


def test_what_tells_of_a_forecast(data):
    problem = Problem("y", "timeSeriesForecasting", time="day").check(data)
    assert len(find(data, problem).past) > 5


# -- files


def test_a_document_comes_back_as_it_went(data):
    problem = Problem("kind", metric="accuracy", features=("x", "y"), name="mine").check(data)
    written = document(problem, data)
    back = read_document({"name": "p.json", "size": len(written), "text": written}).check(data)
    assert (back.targets, back.metric, back.features) == (problem.targets, problem.metric, problem.features)
    assert json.loads(written)["inputs"]["data"][0]["targets"][0]["colName"] == "kind"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "p.json: not a JSON text"),
        ("[]", "p.json: not a D3M problem"),
        ("{}", "p.json: not a D3M problem: 'about' is missing; expected an object with about .* and inputs"),
        ('{"about": {"problemSchemaVersion": "9.0"}, "inputs": {}}', "9.0"),
        ('{"about": {"taskType": "guessing"}, "inputs": {"data": []}}', "p.json: taskType 'guessing' is not known"),
    ],
)
def test_files_that_are_no_documents(text, message):
    with pytest.raises(ValueError, match=message) as error:
        read_document({"name": "../some/p.json", "size": len(text), "text": text})
    assert "tmp" not in str(error.value)


def test_a_file_that_is_too_large():
    with pytest.raises(ValueError, match=r"p\.json: 5\.0 MB"):
        read_document({"name": "p.json", "size": 5_000_000, "text": ""})


def test_names_in_a_sentence():
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a and b"
    assert listed("abcd") == "a, b, c and d"
    assert listed("abcdefg") == "a, b, c and 4 more"


# -- what others do meanwhile


def test_a_problem_that_was_changed_elsewhere(data):
    entry = Entry("own-1", Problem("kind").check(data), "own")
    other = Entry("own-1", Problem("kind", metric="accuracy").check(data), "own")
    made = looked(Draft(entry), data)
    assert made.kept_up(entry) is made
    assert made.kept_up(other).saved == other.problem  # nothing was said here: as it is now
    made.say(name="mine")
    looked(made, data, settle=False)
    assert made.kept_up(other) is made
    assert (made.told.name, made.saved, made.changed) == ("mine", other.problem, True)
    made.kept_up(None)
    assert made.id is None
    assert made.changed


def test_columns_that_are_gone(data):
    made = draft(data, Problem("y", "regression", features=("x", "kind"), group="shop", time="day"))
    fewer = data.select(["x", "y", "flag"])
    made.fit(fewer)
    looked(made, fewer)
    assert made.told.features == ("x",)
    assert (made.told.groups, made.told.time) == ((), None)
    none = data.select(["x", "kind"])
    made.fit(none)
    looked(made, none)
    assert "no column 'y'" in made.phrase.why


@pytest.mark.parametrize("parts", [{"group": "town"}, {"time": "day"}])
def test_how_rows_are_divided_can_be_said(data, parts):
    told = facts(data, Problem("y", "regression", **parts).check(data)).split
    assert next(iter(parts.values())) in told


def test_groups_that_cannot_be_divided_are_refused(data):
    made = draft(data)
    made.say(target="y", group="shop")
    looked(made, data, settle=False)
    assert "shop" in made.phrase.why
    made.say(group="town")
    looked(made, data, settle=False)
    assert made.phrase.problem.groups == ("town",)
