"""Searches from data to exported model: every task that predicts labels or numbers, on real data, with real models."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

from learnviews.kernels import search
from learnviews.kernels.search import exports, metrics, understand
from learnviews.kernels.search.ensemble import Ensemble
from learnviews.kernels.search.mixtures import mixture
from learnviews.kernels.search.model import Model

pytestmark = pytest.mark.slow

TRAITS = {"even": (0, 2, 4, 6, 8), "loop": (0, 6, 8, 9), "large": (5, 6, 7, 8, 9)}


def digits(rows, seed=0):
    found = datasets.load_digits()
    chosen = np.random.default_rng(seed).choice(len(found.target), rows, replace=False)
    lit = found.data[chosen][:, found.data.std(axis=0) > 1]
    return pd.DataFrame(lit, columns=[f"pixel{at}" for at in range(lit.shape[1])]), found.target[chosen]


def bunch(load, target):
    frame = load(as_frame=True).frame
    names = load().get("target_names") if target != "progress" else None
    truth = frame.pop("target")
    return frame.assign(**{target: truth if names is None else np.asarray(names, dtype=object)[truth]})


def traits_as_sets():
    frame, digit = digits(320)
    return frame.assign(traits=[{name for name, those in TRAITS.items() if one in those} for one in digit])


def traits_as_columns():
    frame, digit = digits(240, 1)
    return frame.assign(**{name: np.isin(digit, those) for name, those in TRAITS.items()})


def topics():
    values, labels = datasets.make_multilabel_classification(240, 10, n_classes=4, n_labels=2, random_state=3)
    frame = pd.DataFrame(values, columns=[f"word{at}" for at in range(10)])
    return frame.assign(**{f"topic{at}": labels[:, at] for at in range(4)})


def few_labels():
    frame, digit = digits(600, 2)
    known = np.random.default_rng(0).random(600) < 0.12
    return frame.assign(digit=[f"digit {one}" if told else None for one, told in zip(digit, known, strict=True)])


def petals():
    return bunch(datasets.load_iris, "species").rename(columns=lambda name: name.removesuffix(" (cm)"))


# data, problem, what the best model reaches on the holdout, and what the trivial predictor does not
CASES = {
    "binary": (
        lambda: bunch(datasets.load_breast_cancer, "tumour"),
        {"target": "tumour", "metric": "f1", "positive": "malignant"},
        0.88,
    ),
    "multiclass": (lambda: bunch(datasets.load_wine, "grower"), {"target": "grower", "metric": "f1Macro"}, 0.85),
    "label sets": (traits_as_sets, {"target": "traits", "metric": "jaccardSimilarityScore"}, 0.75),
    "label columns": (traits_as_columns, {"target": tuple(TRAITS), "metric": "rocAucMacro"}, 0.85),
    "made labels": (topics, {"target": tuple(f"topic{at}" for at in range(4)), "metric": "f1Macro"}, 0.7),
    "semi-supervised": (
        few_labels,
        {"target": "digit", "task": "semiSupervisedClassification", "metric": "accuracy"},
        0.75,
    ),
    "regression": (
        lambda: bunch(datasets.load_diabetes, "progress"),
        {"target": "progress", "metric": "rSquared"},
        0.3,
    ),
    "multivariate": (petals, {"target": ("petal length", "petal width"), "metric": "rSquared"}, 0.8),
}


QUICK = ("label sets", "semi-supervised", "multivariate")
ALL = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in CASES]


def some(*names):
    return pytest.mark.parametrize(
        "name", [one for one in ALL if (one if isinstance(one, str) else one.values[0]) in names]
    )


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Each case's study, searched once."""
    studies = {}

    def study(name):
        if name not in studies:
            make, asked, _ = CASES[name]
            asked = {"task": "regression" if name in ("regression", "multivariate") else "classification", **asked}
            folder = tmp_path_factory.mktemp("studies") / "study"
            studies[name] = search.Study(make(), search.Problem(**asked), folder, trials=6, rng=0)
            list(studies[name].run())
        return studies[name]

    yield study
    for made in studies.values():
        made.close()


@pytest.mark.parametrize("name", ALL)
def test_the_best_model_is_good_and_the_trivial_one_is_not(name, searched):
    study, enough = searched(name), CASES[name][2]
    metric = study.problem.metric
    assert set(study.trials.status) == {"ok"} and study.ended == "trials"
    board = study.leaderboard().set_index("name")
    assert board[metric].iloc[0] > enough > board[metric]["trivial"]
    assert (board["split"] == "holdout").all() and board.index[-1] == "trivial"
    scores = study.best.scores
    assert scores.index[0] == metric and (scores["low"] <= scores["value"]).all()
    assert (scores["value"] <= scores["high"]).all() and set(scores.index) <= set(metrics.METRICS)


@pytest.mark.parametrize("name", ALL)
def test_every_row_with_a_truth_is_predicted_once(name, searched):
    study = searched(name)
    said, targets = study.best.predictions, list(study.problem.targets)
    known = study.data.frame.index[study.data.frame[targets].notna().all(axis=1)]
    assert said.index.is_unique and set(said.index) == set(known)
    assert set(said.index[said["split"] == "holdout"]) == set(study.plan.holdout_rows)
    assert said.drop(columns=[name for name in said if name.startswith("p_")]).notna().all().all()
    held = study.data.frame.loc[study.plan.holdout_rows]
    again = study.best.predict(held.drop(columns=targets))
    again = again.to_frame(targets[0]) if isinstance(again, pd.Series) else again
    for target in targets:
        column = "prediction" if len(targets) == 1 else f"prediction_{target}"
        assert list(again[target]) == pytest.approx(list(said.loc[held.index, column]))


# -- ensembles, of every kind of answer


def of_two(study):
    """The two best models that were fitted, half and half."""
    members = [model for model in study.models if not model.members][:2]
    assert len(members) == 2, study.trials
    frames = [model.predictions.loc[members[0].predictions.index] for model in members]
    mix = mixture(study.problem, frames)
    mixed = mix.frame(frames[0], sum(mix.numbers(frame) for frame in frames) / 2)
    pipeline = Ensemble([model.pipeline for model in members], [0.5, 0.5])
    return Model(
        study.data, study.problem, {"model": "ensemble"}, mixed, pipeline, number=99,
        members=[(model, 0.5) for model in members],
    )  # fmt: skip


@some("multiclass", "label sets", "label columns", "multivariate")
def test_an_ensemble_says_of_new_rows_what_its_frame_says(name, searched):
    """What the study mixes from the members' predictions is what the fitted members say together."""
    study = searched(name)
    model, held = of_two(study), study.plan.holdout_rows
    said = model.predict(study.data.frame.loc[held])
    frame = model.predictions.loc[held]
    if isinstance(said, pd.Series):
        assert said.tolist() == frame["prediction"].tolist()
    else:
        for target in said:
            assert list(said[target]) == pytest.approx(list(frame[f"prediction_{target}"]))
    if hasattr(model.pipeline.members[0], "predict_proba"):
        found = model.predict_proba(study.data.frame.loc[held])
        np.testing.assert_allclose(found[sorted(found)], frame[sorted(found)], atol=1e-12)
    assert model.describe() == "ensemble of 2 models" and len(model.steps()) == 2


def test_rows_without_any_label_count_and_an_ensemble_is_better_out_of_fold(searched):
    study = searched("label sets")
    alone = [model for model in study.models if not model.members]
    mixed = [model.cost for model in study.models if model.members]
    assert not mixed or mixed[0] < min(model.cost for model in alone)
    labels = study.data.frame["traits"]
    assert "" in set(labels)  # 1 and 3 have none of the traits: they are learned and judged, too
    none = labels.index[labels == ""]
    assert study.best.predictions.loc[none, "truth"].eq("").all()


@some("label sets", "label columns", "multivariate")
def test_what_is_understood_of_several_targets(name, searched):
    study = searched(name)
    models = [model for model in study.models if not model.members][:2]
    errors = understand.row_errors(models)
    assert len(errors) == len(study.plan.holdout_rows)
    if name != "multivariate":
        board = study.leaderboard().set_index("number")
        wrong = {m.number: 1 - m.scores["value"]["jaccardSimilarityScore"] for m in models}
        assert errors.mean().to_dict() == pytest.approx(wrong) and set(wrong) <= set(board.index.dropna())
    important = understand.permutation_importance(models[0], repeats=1, rows=40)
    assert set(important.index) == set(study.problem.features) and important["importance"].max() > 0
    assert len(understand.agreement(models)) == len(errors)
    parts = understand.partial_dependence(models[0], feature=study.problem.features[0], points=3)
    assert set(parts["of"]) == (set(TRAITS) if name != "multivariate" else set(study.problem.targets))


# -- exports


def script(path, *arguments):
    """Run a script in a process that has nothing of this one."""
    command = [sys.executable, "-I", str(path), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=["label sets", "semi-supervised"])
def exported(request, searched, tmp_path_factory):
    study = searched(request.param)
    model = of_two(study) if request.param == "label sets" else study.best
    folder = search.export([model], tmp_path_factory.mktemp("exported") / "best")
    (inside,) = (each for each in folder.iterdir() if each.is_dir())
    return study, model, inside


def test_an_export_holds_everything_and_predicts_the_same(exported):
    study, model, folder = exported
    wanted = {"pipeline.skops", "predictions.csv", "scores.json", "problem.json", "predict.py", "train.py"}
    assert wanted <= {file.name for file in folder.iterdir()}
    held = study.data.frame.loc[study.plan.holdout_rows]
    again = exports.open_export(folder).predict(held.drop(columns=list(study.problem.targets)))
    pd.testing.assert_series_equal(again, model.predict(held))
    problem = search.Problem.from_d3m(folder / "problem.json")
    assert (problem.task, problem.metric) == (study.problem.task, study.problem.metric)
    assert problem.subtask == study.problem.subtask


def test_the_script_of_an_export_predicts_in_a_clean_process(exported, tmp_path):
    study, model, folder = exported
    held = study.data.frame.loc[study.plan.holdout_rows].drop(columns=list(study.problem.targets))
    held.to_csv(tmp_path / "new.csv", index=False)
    script(folder / "predict.py", tmp_path / "new.csv", "--out", tmp_path / "said.csv")
    said = pd.read_csv(tmp_path / "said.csv", dtype=str, keep_default_na=False)[study.problem.targets[0]]
    assert said.tolist() == model.predict(held).tolist()


def test_the_script_of_an_export_trains_again_in_a_clean_process(exported, tmp_path):
    study, _, folder = exported
    target = study.problem.targets[0]
    train = study.data.frame.loc[study.plan.train_rows]
    train[train[target] != ""].to_parquet(tmp_path / "train.parquet")
    held = study.data.frame.loc[study.plan.holdout_rows]
    held.drop(columns=target).to_csv(tmp_path / "new.csv", index=False)
    script(
        folder / "train.py", tmp_path / "train.parquet", "--predict", tmp_path / "new.csv", "--to", tmp_path / "t.csv"
    )
    said = pd.read_csv(tmp_path / "t.csv", dtype=str, keep_default_na=False)[target]
    score = metrics.bound(study.problem)(held[target].reset_index(drop=True), said)
    assert score > CASES["label sets" if target == "traits" else "semi-supervised"][2] - 0.1


# -- few labels


def test_rows_without_a_label_are_learned_from_and_never_scored(searched):
    study = searched("semi-supervised")
    known = study.data.frame["digit"].notna()
    plan = study.plan
    unknown = set(study.data.frame.index[~known])
    assert unknown <= set(plan.train_rows) and not unknown & set(plan.holdout_rows)
    for fit, score in plan.folds:
        assert unknown <= set(fit) and not unknown & set(score) and not set(fit) & set(score)
    for model in study.models:
        assert not unknown & set(model.predictions.index)
    names = " ".join(study.trials["name"])
    assert "label spreading" in names and "self-training" in names


def test_with_few_labels_the_others_help(tmp_path):
    """The same search, told of the unlabelled rows and not: judged on rows that neither saw."""
    frame, digit = digits(1797)
    names = np.array([f"digit {one}" for one in digit], dtype=object)
    test, known = np.arange(1797) < 600, np.random.default_rng(1).random(1797) < 0.05
    told = frame.assign(digit=np.where(known, names, None))[~test]
    right = {}
    for task, rows in (("semiSupervisedClassification", told), ("classification", told.dropna())):
        study = search.Study(rows, search.Problem("digit", task, "accuracy"), tmp_path / task, trials=8, rng=0)
        list(study.run())
        right[task] = (study.best.predict(frame[test]).to_numpy() == names[test]).mean()
        study.close()
    assert right["semiSupervisedClassification"] > right["classification"] + 0.03, right
