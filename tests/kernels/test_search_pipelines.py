"""Pipelines of every model family on tables as they come: odd values, odd targets, the same bits for the same seed."""

import pickle

import numpy as np
import pandas as pd
import pytest

from learnviews.kernels.search import choices, pipelines, portfolio
from learnviews.kernels.search.columns import Column
from learnviews.kernels.search.families import FAMILIES, LABELS, VALUES
from learnviews.kernels.search.problem import Problem


class Table:
    """A data set as pipelines see one: frame, columns, resources."""

    def __init__(self, frame, **types):
        self.frame, self.resources = frame, {}
        self.columns = {name: Column(name, types.get(name, "real")) for name in frame.columns}


def ugly(rows=60, seed=0):
    """Every kind of trouble a table can make, and one column that tells the target."""
    rng = np.random.default_rng(seed)
    useful = rng.normal(size=rows)
    when = pd.date_range("2020-03-01", periods=rows, freq="37h", tz="Europe/Vienna")
    frame = pd.DataFrame(
        {
            "useful": np.where(rng.random(rows) < 0.1, np.nan, useful),
            "endless": np.where(rng.random(rows) < 0.2, np.inf, rng.normal(size=rows)),
            "constant": 3.0,
            "empty": np.full(rows, np.nan),
            "huge": np.array([10**40 + i for i in range(rows)], dtype=object),
            "truth": np.resize(np.array([True, False, None], dtype=object), rows),
            "mixed": np.resize(np.array([1, "a", None, 2.0, "b"], dtype=object), rows),
            "many": np.array([f"name {i}" for i in range(rows)], dtype=object),
            "few": rng.choice(np.array(["x", "y", None], dtype=object), rows),
            "zoned": np.array([str(t) for t in when], dtype=object),
            "label": np.where(useful + rng.normal(scale=0.3, size=rows) > 0, "good", "bad").astype(object),
            "value": useful * 3 + rng.normal(scale=0.3, size=rows),
        },
        index=pd.Index(np.arange(rows) * 7, name="row"),
    )
    named = {
        "truth": "boolean",
        "mixed": "categorical",
        "many": "categorical",
        "few": "categorical",
        "zoned": "dateTime",
    }
    return Table(frame, **named, label="categorical")


LABEL = Problem(target="label", task="classification", metric="accuracy", features=tuple(ugly().frame.columns[:10]))
VALUE = Problem(target="value", task="regression", metric="meanSquaredError", features=LABEL.features)


def fitted(config, data, problem, rows=slice(None), seed=0, **given):
    made = pipelines.build(config, data, problem, seed, **given)
    target = list(problem.targets) if len(problem.targets) > 1 else problem.target
    return made.fit(data.frame.iloc[rows][list(problem.features)], data.frame.iloc[rows][target])


def said(made, data, problem, rows=slice(None)):
    return made.predict(data.frame.iloc[rows][list(problem.features)])


@pytest.mark.parametrize("name", [n for n, f in FAMILIES.items() if LABELS in f.kinds and n != "counts"])
def test_every_classifier_survives_an_ugly_table_and_learns(name):
    data = ugly(120)
    made = fitted({"model": name}, data, LABEL, slice(0, 80), fidelity=0.3)
    answer = said(made, data, LABEL, slice(80, None))
    assert np.mean(answer == data.frame["label"].iloc[80:]) > 0.6
    p = made.predict_proba(data.frame.iloc[80:][list(LABEL.features)])
    assert p.shape == (40, 2) and np.allclose(p.sum(axis=1), 1) and list(made.classes_) == ["bad", "good"]
    assert np.array_equal(said(pickle.loads(pickle.dumps(made)), data, LABEL, slice(80, None)), answer)


@pytest.mark.parametrize("name", [n for n, f in FAMILIES.items() if VALUES in f.kinds])
def test_every_regressor_survives_an_ugly_table_and_learns(name):
    data = ugly(120)
    made = fitted({"model": name}, data, VALUE, slice(0, 80), fidelity=0.5)
    truth = data.frame["value"].iloc[80:]
    assert np.mean((said(made, data, VALUE, slice(80, None)) - truth) ** 2) < 0.9 * np.mean((truth - truth.mean()) ** 2)


@pytest.mark.parametrize("config", [{"model": "forest"}, {"model": "boosting"}, {"model": "mlp"}, {"model": "kernel"}])
def test_the_same_seed_gives_the_same_bits(config):
    data = ugly(40)
    first, again = (said(fitted(config, data, VALUE, seed=3, fidelity=0.2), data, VALUE) for _ in range(2))
    assert np.array_equal(first, again)


@pytest.mark.parametrize("encode", ["onehot", "ordinal", "target"])
@pytest.mark.parametrize("problem", [LABEL, VALUE], ids=["labels", "values"])
def test_ten_thousand_categories_stay_small_and_unknown_ones_are_answered(encode, problem):
    rng = np.random.default_rng(0)
    names = np.array([f"c{i}" for i in rng.integers(0, 10_000, 14_000)], dtype=object)
    frame = pd.DataFrame({"many": names, "label": rng.choice(["a", "b"], 14_000), "value": rng.normal(size=14_000)})
    data = Table(frame, many="categorical", label="categorical")
    problem = Problem(target=problem.target, task=problem.task, features=("many",))
    made = fitted({"model": "tree", "encode": encode}, data, problem)
    assert made.body_[:-1].transform(frame[["many"]].head(5)).shape[1] <= 31
    assert len(made.predict(pd.DataFrame({"many": ["never seen", None, 3.0]}))) == 3


def test_numeric_labels_keep_their_order_as_numbers():
    from learnviews.kernels.search.cleaning import Labels, Places

    table = pd.DataFrame({"year": ["9", "10", "100"] * 5, "word": ["b", "a", None] * 5}, dtype=object)
    places = Places().fit(Labels().fit_transform(table))
    seen = places.transform(Labels().fit(table).transform(pd.DataFrame({"year": ["11", "x"], "word": ["a", "zzz"]})))
    assert seen.tolist() == [[11.0, 1.0], [10.0, -1.0]]


def test_a_column_that_names_rows_says_nothing():
    data = ugly()
    made = fitted({"model": "tree", "encode": "onehot"}, data, LABEL)
    names = made.body_[:-1].get_feature_names_out()
    assert not any("many" in name for name in names) and any("few" in name for name in names)


@pytest.mark.parametrize(
    "name", ["tree", "linear", "boosting", "neighbours", "discriminant", "svm", "mlp", "bayes", "kernel"]
)
@pytest.mark.parametrize(
    "labels", [list("aaaaaa"), list("abcdef"), [1, 2, 1, 2, 2, None], ["a", None, None, 3, 3, "a"]], ids=str
)
def test_odd_classes(name, labels):
    frame = pd.DataFrame({"x": np.arange(6.0), "c": list("uvuvuv"), "label": np.array(labels, dtype=object)})
    data = Table(frame, c="categorical")
    problem = Problem(target="label", task="classification", features=("x", "c"))
    made = fitted({"model": name, "encode": "target"}, data, problem)
    assert set(made.predict(frame)) <= {value for value in labels if value is not None}
    assert set(made.classes_) == {value for value in labels if value is not None}


@pytest.mark.parametrize("values", [[5.0] * 6, [1.0, np.nan, np.inf, 2.0, 3.0, np.nan]], ids=str)
@pytest.mark.parametrize("config", [{"model": "linear", "target": "power"}, {"model": "svm"}, {"model": "gaussian"}])
def test_odd_values(values, config):
    frame = pd.DataFrame({"x": np.arange(6.0), "value": values})
    made = fitted(config, Table(frame), Problem(target="value", task="regression", features=("x",)))
    assert np.isfinite(made.predict(frame)).all()


def test_errors_name_what_is_wrong():
    data = ugly()
    made = fitted({"model": "tree"}, data, LABEL)
    with pytest.raises(ValueError, match="'huge' is missing"):
        made.predict(data.frame.drop(columns="huge"))
    with pytest.raises(ValueError, match="no known value"):
        made.fit(data.frame[["useful"]], pd.Series([None] * 60, data.frame.index))
    with pytest.raises(ValueError, match="'magic' is no model"):
        pipelines.build({"model": "magic"}, data, LABEL, 0)
    with pytest.raises(ValueError, match="forest:trees = 0"):
        pipelines.build({"model": "forest", "forest:trees": 0}, data, LABEL, 0)


def test_warnings_become_notes():
    data = ugly()
    made = fitted({"model": "mlp", "mlp:epochs": 20}, data, LABEL)
    assert any("converged" in note for note in made.notes_)


def test_no_features_at_all_predict_the_usual():
    frame = pd.DataFrame({"empty": [np.nan] * 10, "label": list("aaaaaaabbb")})
    problem = Problem(target="label", task="classification", features=("empty",))
    for name in ("tree", "linear", "boosting", "neighbours", "discriminant"):
        assert set(fitted({"model": name}, Table(frame, label="categorical"), problem).predict(frame)) <= {"a", "b"}


@pytest.mark.parametrize("model", ["linear", "boosting", "forest", "svm"])
def test_several_values_at_once(model):
    data = ugly(90)
    data.frame["twice"] = data.frame["value"] * 2
    problem = Problem(target=("value", "twice"), task="regression", features=("useful", "few"))
    answer = said(fitted({"model": model}, data, problem, fidelity=0.3), data, problem)
    assert list(answer.columns) == ["value", "twice"] and answer.index.equals(data.frame.index)
    assert np.corrcoef(answer["twice"], data.frame["value"])[0, 1] > 0.7


@pytest.mark.parametrize("chain", ["separate", "chain"])
def test_several_labels_as_columns_and_as_sets(chain):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(150, 2))
    frame = pd.DataFrame({"x": x[:, 0], "y": x[:, 1], "red": x[:, 0] > 0, "round": x[:, 1] > 0})
    frame["set"] = [";".join(n for n in ("red", "round") if row[n]) for _, row in frame.iterrows()]
    data = Table(frame, red="boolean", round="boolean", set="text")
    two = Problem(target=("red", "round"), task="classification", subtask="multiLabel", features=("x", "y"))
    one = Problem(target="set", task="classification", subtask="multiLabel", features=("x", "y"))
    config = {"model": "forest", "forest:trees": 20, "labels": chain}
    columns, sets = (fitted(config, data, p, slice(0, 100)) for p in (two, one))
    answer = said(columns, data, two, slice(100, None))
    assert (answer == frame[["red", "round"]].iloc[100:]).to_numpy().mean() > 0.85
    assert np.mean(said(sets, data, one, slice(100, None)) == frame["set"].iloc[100:]) > 0.7
    assert list(sets.classes_) == ["red", "round"] and sets.predict_proba(frame[["x", "y"]]).shape == (150, 2)


def test_rows_without_a_label_help():
    from sklearn.datasets import make_moons

    x, y = make_moons(200, noise=0.08, random_state=0)
    label = np.array(["up" if v else "down" for v in y], dtype=object)
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "label": label})
    known = np.concatenate([np.flatnonzero(y == c)[:6] for c in (0, 1)])
    hidden = frame.assign(label=frame["label"].where(frame.index.isin(known), None))
    data = Table(hidden, label="categorical")
    problem = Problem(target="label", task="semiSupervisedClassification", features=("a", "b"))
    score = {}
    for config in (
        {"model": "spreading"},
        {"model": "linear", "unlabelled": "self-training"},
        {"model": "linear", "unlabelled": "left out"},
    ):
        made = fitted(config, data, problem)
        score[config["model"], config.get("unlabelled")] = np.mean(made.predict(frame) == frame["label"])
    assert score["spreading", None] > 0.95 > score["linear", "left out"] > 0.7
    assert score["linear", "self-training"] > 0.7


@pytest.mark.parametrize("problem", [LABEL, VALUE], ids=["labels", "values"])
def test_every_start_of_the_portfolio_can_be_kept_in_a_skops_file(problem, tmp_path):
    from learnviews.kernels.search import skops_files

    data = ugly(40)
    for number, config in enumerate(portfolio.portfolio(data, problem)):
        made = fitted(config, data, problem, fidelity=0.1)
        back = skops_files.read(skops_files.write(made, tmp_path / f"{number}.skops"))
        assert np.array_equal(said(back, data, problem), said(made, data, problem)), pipelines.describe(config)


def test_descriptions_and_steps_speak():
    assert (
        pipelines.describe({"model": "boosting", "boosting:trees": 180}, "regression") == "gradient boosting, 180 trees"
    )
    assert pipelines.describe({"model": "forest", "forest:trees": 180, "balance": "balanced"}) == (
        "random forest, 180 trees, balanced classes"
    )
    assert (
        pipelines.describe({"model": "linear", "linear:strength": 2.0}, "classification")
        == "logistic regression, penalty 2"
    )
    large = {"model": "linear", "linear:strength": 1712.3}
    assert pipelines.describe(large, "regression") == "ridge regression, penalty 1,700"
    steps = pipelines.steps(choices.default(ugly(), LABEL, model="linear"))
    assert [step.name for step in steps] == ["impute", "encode", "scale", "select", "linear"]
    assert steps[1].settings["encode"] == "onehot"


def test_cheaper_cuts_what_grows_and_nothing_else():
    config = {"model": "forest", "forest:trees": 200, "forest:leaf": 3}
    assert pipelines.cheaper(config, 0.25) == {"model": "forest", "forest:trees": 50, "forest:leaf": 3}
    assert pipelines.cheaper({"model": "tree", "tree:depth": 4}, 0.1) == {"model": "tree", "tree:depth": 4}
    assert pipelines.cheaper({**config, "forest:trees": 20}, 0.01)["forest:trees"] == 5
    with pytest.raises(ValueError, match="fidelity"):
        pipelines.cheaper(config, 0)


@pytest.mark.parametrize("problem", [LABEL, VALUE], ids=["labels", "values"])
@pytest.mark.parametrize("model", ["boosting", "tree", "linear"])
def test_the_best_features_are_kept_gaps_or_not(problem, model):
    data = ugly(80)
    config = {
        "model": model,
        "select": "best",
        "select:share": 0.1,
        "impute": "median" if model == "linear" else "keep",
    }
    made = fitted(config, data, problem, fidelity=0.2)
    kept = made.body_[:-1].get_feature_names_out()
    assert "numbers__useful" in kept and len(kept) <= 5
    assert len(said(made, data, problem)) == 80
