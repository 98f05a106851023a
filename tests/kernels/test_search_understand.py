"""Importances find the columns that matter, and say nothing of those that do not; errors and agreement by hand."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from search_fitted import HELD, ensemble, models, small

from learnviews.kernels.search import diagram, understand
from learnviews.kernels.search.model import Model


@pytest.fixture(scope="module")
def three():
    return models()


@pytest.fixture(scope="module")
def prices():
    return models("regression")


# --- features


@pytest.mark.parametrize("number", [0, 2])
def test_permutation_finds_the_column_that_decides(three, number):
    found = understand.permutation_importance(three[number])
    assert found.index[0] == "size" and set(found.index) == {"size", "noise", "colour"}
    assert found.importance["size"] > 0.2 > 0.1 > abs(found.importance["noise"])
    assert (found.low <= found.importance).all() and (found.importance <= found.high).all()
    assert found.attrs == {"split": "holdout", "metric": "accuracy", "rows": HELD}


def test_permutation_is_that_of_the_naive_loop(prices):
    model = prices[0]
    held = model.predictions.index[model.predictions.split == "holdout"]
    rows, rng = model.data.frame.loc[held, ["size", "noise", "colour"]], np.random.default_rng(4)
    truth, losses = model.predictions.truth.loc[held], []
    rmse = lambda frame: float(np.sqrt(((model.predict(frame) - truth) ** 2).mean()))  # noqa: E731
    for _ in range(3):
        losses.append(rmse(rows.assign(size=rows["size"].to_numpy()[rng.permutation(HELD)])) - rmse(rows))
    found = understand.permutation_importance(model, repeats=3, rng=4)
    assert found.importance["size"] == pytest.approx(np.mean(losses))
    assert found.high["size"] == pytest.approx(max(losses))


def test_permutation_of_other_rows_and_metrics(three):
    model = three[0]
    found = understand.permutation_importance(model, metric="f1Macro", rows=10, repeats=1)
    assert found.attrs["rows"] == 10 and found.attrs["metric"] == "f1Macro"
    with pytest.raises(ValueError, match="none of the holdout rows"):
        understand.permutation_importance(model, model.data.take(model.training_rows))


def test_partial_dependence_of_a_number_goes_up_with_it(prices):
    found = understand.partial_dependence(prices[0], feature="size", points=7)
    assert len(found) == 7 and (found.of == "prediction").all()
    assert found["value"].is_monotonic_increasing and found["mean"].is_monotonic_increasing
    slope = np.polyfit(found["value"], found["mean"], 1)[0]
    assert slope == pytest.approx(10, rel=0.1)
    assert (found.low < found["mean"]).all() and (found["mean"] < found.high).all()


def test_partial_dependence_of_labels(three):
    found = understand.partial_dependence(three[0], feature="colour")
    assert set(found["value"]) == {"red", "green", "Blue, dark"} and set(found.of) == {"Big", "small"}
    np.testing.assert_allclose(found.groupby("value")["mean"].sum(), 1)
    big = found[found.of == "Big"].set_index("value")["mean"]
    assert big.idxmax() == "red"


def test_partial_dependence_of_what_is_no_feature(three):
    with pytest.raises(ValueError, match="does not use a feature 'price'; it uses size, noise, colour"):
        understand.partial_dependence(three[0], feature="price")


# --- parameters


def trials(count=60, seed=0):
    """Cost: forests are better; of forests the depth decides; of linear models nothing does."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        config = {"model": str(rng.choice(["forest", "linear"])), "idle": float(rng.random())}
        if config["model"] == "forest":
            config["forest:depth"] = int(rng.integers(1, 11))
            cost = 0.1 + (config["forest:depth"] - 5) ** 2 / 25
        else:
            config["linear:strength"] = float(rng.random())
            cost = 2.0
        rows.append(
            {"number": number, "status": "ok", "config": json.dumps(config), "cost": cost + rng.normal(scale=0.01)}
        )
    return pd.DataFrame(rows)


def test_parameters_that_matter_come_first_and_conditions_do_not_stand_for_their_parent():
    found = understand.parameter_importance(trials())
    assert list(found.index[:2]) == ["model", "forest:depth"] and found.importance.sum() == pytest.approx(1)
    assert found.importance[["idle", "linear:strength"]].max() < 0.1
    assert found.best["model"] == "forest" and found.attrs["fit"] > 0.7
    active = found.trials["forest:depth"]
    assert active + found.trials["linear:strength"] == found.trials["model"] == 60


def test_no_parameter_explains_more_than_all_of_the_variation():
    """Trees differ: some find twice as much as the others, but none more than there is."""
    rng = np.random.default_rng(1)
    configs = [
        {"model": str(rng.choice(["a", "b"])), "x": float(rng.random()), "y": float(rng.random())} for _ in range(14)
    ]
    costs = [20.0 * (each["x"] > 0.9) + each["y"] for each in configs]
    frame = pd.DataFrame({"status": "ok", "cost": costs, "config": [json.dumps(each) for each in configs]})
    found = understand.parameter_importance(frame)
    assert found.importance.sum() == pytest.approx(1) and (found.importance <= found.high).all()
    assert (found.low >= 0).all() and (found.high <= 1).all()


def test_failed_trials_do_not_count_and_infinite_costs_neither():
    frame = trials()
    frame.loc[:9, "status"] = "failed"
    frame.loc[10:19, "cost"] = np.inf
    assert understand.parameter_importance(SimpleNamespace(trials=frame)).trials["model"] == 40


@pytest.mark.parametrize("count", [0, 1, 7])
def test_few_trials_say_so(count):
    found = understand.parameter_importance(trials(60).head(count))
    assert found.importance.isna().all() and "expected at least 8" in found.attrs["why"]


def test_same_seed_same_importance():
    pd.testing.assert_frame_equal(
        understand.parameter_importance(trials(), 3), understand.parameter_importance(trials(), 3)
    )


# --- several models


def said(number, truth, prediction, task="regression", **odds):
    frame = pd.DataFrame({"truth": truth, "prediction": prediction, **odds, "split": "holdout"})
    problem = SimpleNamespace(task=task, targets=("t",), metric="m", features=(), subtask=None)
    return Model(None, problem, {}, frame, number=number, name=f"m{number}")


def test_error_correlation_by_hand():
    truth = [1.0, 2.0, 3.0, 4.0]
    first, second = said(1, truth, [2.0, 2, 3, 3]), said(2, truth, [3.0, 2, 3, 2])
    third, exact = said(3, truth, [0.0, 2, 3, 5]), said(4, truth, truth)
    found = understand.error_correlation([first, second, third, exact])
    assert found.loc[1, 2] == pytest.approx(1) and found.loc[1, 3] == pytest.approx(-1)
    assert found.loc[4].isna().all() and list(found.columns) == [1, 2, 3, 4]


def test_errors_of_labels_use_probabilities_where_there_are_some():
    truth = ["a", "b"]
    sure = said(1, truth, ["a", "a"], "classification", p_a=[0.9, 0.6], p_b=[0.1, 0.4])
    bare = said(2, truth, ["a", "a"], "classification")
    found = understand.row_errors([sure, bare])
    np.testing.assert_allclose(found, [[0.1, 0], [0.6, 1]])


def test_agreement_on_labels_by_hand():
    truth = ["a", "a", "b"]
    found = understand.agreement(
        [said(n, truth, each, "classification") for n, each in enumerate((list("aab"), list("aba"), list("abc")), 1)]
    )
    assert found.most.tolist() == ["a", "b", "b"]  # the last: all differ, the first model is the best
    np.testing.assert_allclose(found.agree, [1, 2 / 3, 1 / 3])
    np.testing.assert_allclose(found.right, [1, 1 / 3, 1 / 3])


def test_agreement_on_numbers_by_hand():
    found = understand.agreement([said(1, [1.0, 5.0], [1.0, 4.0]), said(2, [1.0, 5.0], [3.0, 8.0])])
    assert found["mean"].tolist() == [2, 6] and found.spread.tolist() == [1, 2] and found.error.tolist() == [1, 2]


def test_only_rows_that_all_predicted_are_compared():
    first, second = said(1, [1.0, 2.0, 3.0], [1.0, 1.0, 1.0]), said(2, [1.0, 2.0, 3.0], [0.0, 2.0, 2.0])
    second.predictions = second.predictions.iloc[1:]
    assert list(understand.agreement([first, second]).index) == [1, 2]
    assert list(understand.row_errors([first, second]).index) == [1, 2]


# --- pipelines to read


def test_text_names_columns_steps_and_settings(three):
    text = diagram.text(three[2])
    assert text.startswith(three[2].name) and "input: size, noise, colour" in text and "output: kind" in text
    assert "trees = 20" in text


def test_diagram_is_a_path_from_input_to_output_and_plain(three):
    found = json.loads(json.dumps(diagram.diagram(three[2])))
    assert [node["kind"] for node in found["nodes"]] == ["input", *["step"] * len(three[2].steps()), "output"]
    ends = {edge["source"] for edge in found["edges"]}, {edge["target"] for edge in found["edges"]}
    ids = [node["id"] for node in found["nodes"]]
    assert ends == ({*ids[:-1]}, {*ids[1:]})


def test_step_matrix(three):
    matrix = diagram.step_matrix(three)
    assert list(matrix.index) == [1, 2, 3] and matrix.sum(axis=1).tolist() == [len(model.steps()) for model in three]
    assert matrix.to_numpy().any(axis=0).all()


def test_data_of_the_tests_is_what_it_says():
    data, problem = small()
    assert problem.features == ("size", "noise", "colour") and data.columns["colour"].type == "categorical"


def test_an_ensemble_shows_its_members(three):
    whole = ensemble(three[:2], [0.75, 0.25])
    text, found = diagram.text(whole), diagram.diagram(whole)
    assert f"75% {three[0].name}" in text and "1. " in text and whole.name == "ensemble of 2 models"
    assert [node["kind"] for node in found["nodes"]].count("average") == 1
    into = [edge for edge in found["edges"] if edge["target"] == "average"]
    assert len(into) == 2 and len({node["id"] for node in found["nodes"]}) == len(found["nodes"])


def test_members_of_one_name_are_told_apart(three, monkeypatch):
    for model in three[:2]:
        monkeypatch.setattr(model, "name", "forest")
    nodes = diagram.diagram(ensemble(three[:2], [0.75, 0.25]))["nodes"]
    (average,) = (node for node in nodes if node["kind"] == "average")
    assert sorted(average["settings"].values()) == [0.25, 0.75]
