"""Metrics of the search, against scikit-learn, against naive twins and against D3M's definitions."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from learnviews.kernels.search.metrics import LARGEST, METRICS, cost, metric, prepare_frame, score_frame

CLASSES = ["ash", "birch", "cedar"]


def labels(n=60, classes=CLASSES, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, n)
    guess = np.where(rng.random(n) < 0.6, truth, rng.choice(classes, n))
    return pd.Series(truth), pd.Series(guess)


def chances(truth, classes, seed=0):
    rng = np.random.default_rng(seed)
    raw = rng.random((len(truth), len(classes))) + 0.8 * (np.asarray(truth)[:, None] == np.array(classes))
    return pd.DataFrame(raw / raw.sum(axis=1, keepdims=True), columns=[f"p_{name}" for name in classes])


# -- naive twins: loops over rows and classes, as the definitions read


def naive_f1(truth, guess, one):
    hits = sum(t == one and g == one for t, g in zip(truth, guess, strict=True))
    wrong = sum(t != one and g == one for t, g in zip(truth, guess, strict=True))
    missed = sum(t == one and g != one for t, g in zip(truth, guess, strict=True))
    return 2 * hits / (2 * hits + wrong + missed) if hits + wrong + missed else 0.0


def naive_auc(truth, chance):
    pairs = [
        (p, q) for t, p in zip(truth, chance, strict=True) if t for u, q in zip(truth, chance, strict=True) if not u
    ]
    return sum((p > q) + 0.5 * (p == q) for p, q in pairs) / len(pairs)


def naive_top(truth, guess, k):
    top = lambda values: set(sorted(range(len(values)), key=lambda row: (values[row], row))[-k:])  # noqa: E731
    return len(top(truth) & top(guess)) / k


def naive_information(truth, guess):
    n = len(truth)
    share = lambda pick: sum(pick) / n  # noqa: E731
    total, h, g = 0.0, 0.0, 0.0
    for a in set(truth):
        p = share(t == a for t in truth)
        h -= p * math.log(p)
        for b in set(guess):
            q, both = share(u == b for u in guess), share(t == a and u == b for t, u in zip(truth, guess, strict=True))
            total += both * math.log(both / (p * q)) if both else 0.0
    g = -sum(share(u == b for u in guess) * math.log(share(u == b for u in guess)) for b in set(guess))
    return total / math.sqrt(h * g)


# -- labels


@pytest.mark.parametrize("seed", range(3))
def test_labels_against_scikit_learn(seed):
    truth, guess = labels(seed=seed)
    assert metric("accuracy")(truth, guess) == pytest.approx(sk.accuracy_score(truth, guess))
    assert metric("f1Macro")(truth, guess) == pytest.approx(sk.f1_score(truth, guess, average="macro"))
    assert metric("f1Micro")(truth, guess) == pytest.approx(sk.f1_score(truth, guess, average="micro"))
    assert metric("jaccardSimilarityScore")(truth, guess) == pytest.approx(
        sk.jaccard_score(truth, guess, average="macro")
    )
    assert metric("f1Macro")(truth, guess) == pytest.approx(np.mean([naive_f1(truth, guess, c) for c in CLASSES]))


@pytest.mark.parametrize("positive", ["no", "yes"])
@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("f1", sk.f1_score),
        ("precision", sk.precision_score),
        ("recall", sk.recall_score),
        ("jaccardSimilarityScore", sk.jaccard_score),
    ],
)
def test_one_class_against_scikit_learn(name, twin, positive):
    truth, guess = labels(classes=["no", "yes"])
    assert metric(name).bind(positive)(truth, guess) == pytest.approx(twin(truth, guess, pos_label=positive))


def test_of_several_classes_one_may_be_positive():
    truth, guess = labels()
    assert metric("f1").bind("birch")(truth, guess) == pytest.approx(naive_f1(truth, guess, "birch"))
    with pytest.raises(ValueError, match="f1Macro"):
        metric("f1")(truth, guess)


def test_positive_class_by_default():
    truth, guess = labels(classes=["no", "yes"])
    assert metric("recall")(truth, guess) == metric("recall").bind("yes")(truth, guess)
    ones, others = pd.Series([1, 1, 2, 2]), pd.Series([1, 2, 2, 2])
    assert metric("recall")(ones, others) == 0.5  # "1", as D3M has it, not the last


def test_labels_are_compared_as_text():
    assert metric("accuracy")([1, 2, 3], ["1", "2", "4"]) == pytest.approx(2 / 3)
    assert metric("accuracy")(pd.Series([1.0, 2.0]), np.array([1, 2])) == 1
    assert metric("accuracy")(pd.Series([True, False]), ["True", "False"]) == 1


def test_hamming_loss_counts_cells_of_the_label_table():
    truth, guess = labels()
    table = lambda side: np.array([[one == c for c in CLASSES] for one in side])  # noqa: E731
    assert metric("hammingLoss")(truth, guess) == pytest.approx(sk.hamming_loss(table(truth), table(guess)))


def test_several_targets_are_averaged():
    a, b = labels(seed=1), labels(seed=2)
    truth, guess = pd.DataFrame({"a": a[0], "b": b[0]}), pd.DataFrame({"a": a[1], "b": b[1]})
    for name in ("accuracy", "f1Macro", "f1Micro"):
        assert metric(name)(truth, guess) == pytest.approx(np.mean([metric(name)(*a), metric(name)(*b)]))


# -- several labels per row


def label_tables(seed=0, n=40):
    rng = np.random.default_rng(seed)
    truth = rng.random((n, 3)) < 0.4
    guess = np.where(rng.random((n, 3)) < 0.8, truth, ~truth)
    return pd.DataFrame(truth, columns=CLASSES), pd.DataFrame(guess, columns=CLASSES)


@pytest.mark.parametrize("form", ["table", "text", "sets"])
def test_several_labels_against_scikit_learn(form):
    truth, guess = label_tables()
    sides = [side if form == "table" else _as_sets(side, form) for side in (truth, guess)]
    score = {name: metric(name).bind(multilabel=True)(*sides) for name in METRICS if METRICS[name].needs == "labels"
             and name in ("accuracy", "f1Micro", "f1Macro", "hammingLoss", "jaccardSimilarityScore")}  # fmt: skip
    assert score["accuracy"] == pytest.approx(sk.accuracy_score(truth, guess))
    assert score["f1Micro"] == pytest.approx(sk.f1_score(truth, guess, average="micro"))
    assert score["f1Macro"] == pytest.approx(sk.f1_score(truth, guess, average="macro"))
    assert score["hammingLoss"] == pytest.approx(sk.hamming_loss(truth, guess))
    twin = sk.jaccard_score(truth, guess, average="samples", zero_division=1)
    assert score["jaccardSimilarityScore"] == pytest.approx(twin)


def _as_sets(table, form):
    sets = [[name for name in CLASSES if row[name]] for _, row in table.iterrows()]
    return pd.Series([";".join(one) for one in sets] if form == "text" else [set(one) for one in sets])


def test_one_class_metrics_refuse_several_labels():
    truth, guess = label_tables()
    with pytest.raises(ValueError, match="f1Micro or f1Macro"):
        metric("precision").bind(multilabel=True)(truth, guess)


# -- probabilities


def test_areas_against_scikit_learn_and_pairs():
    truth, _ = labels(classes=["no", "yes"])
    given = chances(truth, ["no", "yes"])
    yes = np.asarray(truth == "yes")
    area = metric("rocAuc")(truth, given)
    assert area == pytest.approx(sk.roc_auc_score(yes, given["p_yes"]))
    assert area == pytest.approx(naive_auc(yes, given["p_yes"]))
    assert metric("rocAuc")(truth, given["p_yes"]) == pytest.approx(area)
    assert metric("rocAuc").bind("no")(truth, given) == pytest.approx(area)  # the chances of both classes sum to 1


@pytest.mark.parametrize("average", ["micro", "macro"])
def test_areas_of_classes_against_scikit_learn(average):
    truth, _ = labels()
    given = chances(truth, CLASSES)
    table = np.array([[one == c for c in CLASSES] for one in truth])
    twin = sk.roc_auc_score(table, given.to_numpy(), average=average)
    assert metric("rocAuc" + average.title())(truth, given[given.columns[::-1]]) == pytest.approx(twin)


def test_areas_of_several_labels():
    truth, _ = label_tables()
    given = pd.DataFrame(np.random.default_rng(3).random(truth.shape), columns=[f"p_{c}" for c in CLASSES])
    twin = sk.roc_auc_score(truth, given.to_numpy(), average="macro")
    assert metric("rocAucMacro").bind(multilabel=True)(truth, given) == pytest.approx(twin)


def test_ties_count_a_half():
    assert metric("rocAuc")([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5]) == 0.5


def test_area_of_two_classes_refuses_three():
    truth, _ = labels()
    with pytest.raises(ValueError, match="rocAucMacro"):
        metric("rocAuc")(truth, chances(truth, CLASSES))


def test_a_class_without_probability_has_zero():
    truth = pd.Series(["a", "b", "z", "a"])
    given = pd.DataFrame({"a": [0.9, 0.2, 0.4, 0.8], "b": [0.1, 0.8, 0.6, 0.2]})
    table = np.array([[one == c for c in "abz"] for one in truth])
    twin = sk.roc_auc_score(table, np.c_[given.to_numpy(), np.zeros(4)], average="macro")
    assert metric("rocAucMacro")(truth, given) == pytest.approx(twin)


# -- values


def numbers(n=40, targets=1, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(n, targets)) * np.arange(1, targets + 1)
    return pd.DataFrame(truth), pd.DataFrame(truth + rng.normal(size=(n, targets)))


@pytest.mark.parametrize("targets", [1, 3])
def test_errors_against_scikit_learn(targets):
    truth, guess = numbers(targets=targets)
    assert metric("meanSquaredError")(truth, guess) == pytest.approx(sk.mean_squared_error(truth, guess))
    assert metric("meanAbsoluteError")(truth, guess) == pytest.approx(sk.mean_absolute_error(truth, guess))
    assert metric("rSquared")(truth, guess) == pytest.approx(sk.r2_score(truth, guess))
    twin = np.mean(np.sqrt(sk.mean_squared_error(truth, guess, multioutput="raw_values")))
    assert metric("rootMeanSquaredError")(truth, guess) == pytest.approx(twin)
    assert metric("rootMeanSquaredErrorAvg")(truth, guess) == pytest.approx(twin)


def test_root_of_the_programme_s_example():
    truth, guess = [[0.5, 1], [-1, 1], [7, -6]], [[0, 2], [-1, 2], [8, -5]]
    expected = (math.sqrt(0.41666667) + 1) / 2
    assert metric("rootMeanSquaredErrorAvg")(truth, guess) == pytest.approx(expected)


# -- ranks


def test_top_of_the_programme_s_example():
    """Which of the rows with the three largest truths are among the three largest predictions."""
    truth, guess = [0, 1, 2, 3, 4], [1, 3, 2, 4, 0]
    assert metric("precisionAtTopK").bind(k=3)(truth, guess) == pytest.approx(naive_top(truth, guess, 3))
    assert metric("precisionAtTopK").bind(k=4)(truth, guess) == pytest.approx(0.75)


@pytest.mark.parametrize("k", [1, 5, 20])
def test_top_against_the_naive_twin(k):
    rng = np.random.default_rng(k)
    truth, guess = rng.integers(0, 6, 30), rng.integers(0, 6, 30)
    assert metric("precisionAtTopK").bind(k=k)(truth, guess) == pytest.approx(naive_top(list(truth), list(guess), k))


def test_top_of_classes_goes_by_the_chance_of_the_positive_one():
    truth = pd.Series(["no", "yes", "no", "yes"])
    given = pd.DataFrame({"p_no": [0.8, 0.3, 0.1, 0.6], "p_yes": [0.2, 0.7, 0.9, 0.4]})
    assert metric("precisionAtTopK").bind(k=2)(truth, given) == 0.5


# -- clusters


@pytest.mark.parametrize("seed", range(3))
def test_information_against_scikit_learn(seed):
    truth, guess = labels(seed=seed)
    twin = sk.normalized_mutual_info_score(truth, guess, average_method="geometric")
    assert metric("normalizedMutualInformation")(truth, guess) == pytest.approx(twin)
    assert metric("normalizedMutualInformation")(truth, guess) == pytest.approx(naive_information(truth, guess))


def test_information_of_one_cluster():
    assert metric("normalizedMutualInformation")([1, 1, 1], [2, 2, 2]) == 1
    assert metric("normalizedMutualInformation")([1, 2, 1], [2, 2, 2]) == 0


def test_silhouette():
    rng = np.random.default_rng(0)
    space, groups = np.r_[rng.normal(size=(20, 2)), rng.normal(size=(20, 2)) + 4], np.repeat([0, 1], 20)
    assert metric("silhouette")(space, groups) == pytest.approx(sk.silhouette_score(space, groups))
    noisy = groups.copy()
    noisy[:4] = -1  # rows in no cluster count 0
    parts = sk.silhouette_samples(space[4:], groups[4:])
    assert metric("silhouette")(space, noisy) == pytest.approx(parts.sum() / 40)
    assert math.isnan(metric("silhouette")(space, np.zeros(40, int)))
    assert math.isnan(metric("silhouette")(space, np.arange(40)))


def test_silhouette_of_a_table_of_features():
    frame = pd.DataFrame({"a": [0.0, 0.1, 5, 5.1, None], "b": ["x", "x", "y", "y", "y"], "empty": [None] * 5})
    assert metric("silhouette")(frame, [0, 0, 1, 1, 1]) > 0.5


# -- odd cases


def test_one_class_in_truth():
    truth, given = ["a"] * 4, pd.DataFrame({"a": [0.1, 0.9, 0.5, 0.4], "b": [0.9, 0.1, 0.5, 0.6]})
    assert math.isnan(metric("rocAuc")(truth, given))
    assert math.isnan(metric("rocAucMacro")(truth, given))
    assert metric("rocAucMicro")(truth, given) == pytest.approx(sk.roc_auc_score([1, 0] * 4, given.to_numpy().ravel()))
    assert metric("f1Macro")(["a", "a"], ["a", "a"]) == 1
    assert metric("precision").bind("b")(["a", "a"], ["a", "a"]) == 0


def test_a_constant_truth():
    assert metric("rSquared")([2, 2, 2], [2, 2, 2]) == 1
    assert metric("rSquared")([2, 2, 2], [2, 2, 3]) == 0
    assert math.isnan(metric("rSquared")([2], [2]))


def test_rows_without_truth_do_not_count():
    assert metric("accuracy")(["a", None, "b"], ["a", "a", "a"]) == 0.5
    assert metric("meanSquaredError")([1, np.nan, 3], [1, 9, 4]) == 0.5
    assert metric("rocAuc")(pd.Series(["n", "y", None]), [0.1, 0.9, 0.5]) == 1
    assert metric("precisionAtTopK").bind(k=1)([1, 2, np.nan], [1, 3, 9]) == 1


def test_a_missing_prediction_is_no_score():
    assert math.isnan(metric("accuracy")(["a", "b"], ["a", None]))
    assert math.isnan(metric("rootMeanSquaredError")([1, 2], [1, np.nan]))
    assert math.isnan(metric("rSquared")([1, 2], [1, np.nan]))
    assert math.isnan(metric("rocAuc")(["n", "y"], [0.1, np.nan]))
    assert math.isnan(metric("normalizedMutualInformation")(["n", "y"], ["a", None]))


@pytest.mark.parametrize("name", [name for name in METRICS if name not in ("objectDetectionAP", "silhouette")])
def test_no_rows_are_no_score(name):
    empty = pd.Series([], dtype=float) if METRICS[name].needs in ("values", "ranks") else pd.Series([], dtype=object)
    guess = pd.DataFrame({"p_a": [], "p_b": []}) if METRICS[name].needs == "probabilities" else empty
    assert math.isnan(METRICS[name](empty, guess))


def test_sides_of_other_length_are_refused():
    with pytest.raises(ValueError, match="truth has 2 rows, prediction 1"):
        metric("accuracy")(["a", "b"], ["a"])


def test_average_precision_of_boxes_by_hand():
    """Two boxes to find in two images; the surest detection is right, the next wrong, the last right."""
    truth = [["0,0,0,9,9,9,9,0"], [(20, 20, 29, 29)]]
    found = [[((0, 0, 9, 9), 0.9), ((50, 50, 59, 59), 0.5)], [((21, 20, 30, 29), 0.2)]]
    assert metric("objectDetectionAP")(truth, found) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    twice = [[((0, 0, 9, 9), 0.9), ((0, 0, 9, 8), 0.8)], []]
    assert metric("objectDetectionAP")(truth, twice) == pytest.approx(0.5)  # a box is found once
    assert metric("objectDetectionAP")([[(0, 0, 9, 9)]], [[((0, 0, 9, 4), 1.0)]]) == 0  # half is not enough
    with pytest.raises(ValueError, match="4 or 8 numbers"):
        metric("objectDetectionAP")([["1,2,3"]], [[]])


def test_no_label_anywhere_is_no_score():
    for name in ("f1Macro", "hammingLoss", "accuracy"):
        assert math.isnan(metric(name).bind(multilabel=True)(pd.Series(["", ""]), pd.Series(["", ""])))


def test_unknown_metric_names_the_nearest():
    with pytest.raises(ValueError, match="rocAuc"):
        metric("roc_auc")


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.3])
def test_cost_is_finite(name, value):
    assert abs(cost(name, value)) <= LARGEST


def test_cost_orders_as_the_metric_does():
    assert cost("accuracy", 0.9) < cost("accuracy", 0.8) < cost("accuracy", math.nan) + 1e-9
    assert cost("meanSquaredError", 1.0) < cost("meanSquaredError", 2.0) < cost("meanSquaredError", math.nan)
    assert cost("rSquared", 0.5) < cost("rSquared", -3.0)


# -- prediction frames and many choices of rows


def test_frames_and_rows():
    truth, guess = labels()
    frame = pd.DataFrame({"truth": truth, "prediction": guess}).join(chances(truth, CLASSES))
    assert score_frame(metric("accuracy"), frame) == metric("accuracy")(truth, guess)
    assert score_frame(metric("rocAucMacro"), frame) == metric("rocAucMacro")(truth, frame.filter(like="p_"))
    bare = frame[["truth", "prediction"]]
    assert 0.5 < score_frame(metric("rocAucMacro"), bare) < 1  # labels count as certain


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["f1Macro", "accuracy", "rocAucMacro", "hammingLoss"]), st.integers(0, 10_000))
def test_prepared_once_is_scored_as_anew(name, seed):
    truth, guess = labels(seed=seed)
    frame = pd.DataFrame({"truth": truth, "prediction": guess}).join(chances(truth, CLASSES, seed))
    rows = np.random.default_rng(seed).integers(0, len(frame), len(frame))
    prepared = prepare_frame(metric(name), frame)
    assert prepared(rows) == pytest.approx(score_frame(metric(name), frame.iloc[rows].reset_index(drop=True)))


def test_several_targets_of_a_frame():
    frame = pd.DataFrame({"truth_a": [1.0, 2], "prediction_a": [1.0, 4], "truth_b": [0.0, 0], "prediction_b": [3.0, 3]})
    assert score_frame(metric("rootMeanSquaredError"), frame) == pytest.approx((math.sqrt(2) + 3) / 2)


# -- the programme's own scores of its own predictions

D3M = Path(__file__).resolve().parents[2] / "../shared/data/d3m"


@pytest.mark.skipif(not D3M.is_dir(), reason="the shared D3M data sets are not here")
@pytest.mark.parametrize(
    ("folder", "name", "truth"),
    [
        ("196_autoMpg", "meanSquaredError", "SCORE/targets.csv"),
        ("185_baseball", "f1Macro", "SCORE/targets.csv"),
        ("56_sunspots", "rootMeanSquaredError", "SCORE/dataset_SCORE/tables/learningData.csv"),
        ("49_facebook", "accuracy", "SCORE/dataset_SCORE/tables/learningData.csv"),
        ("LL1_VTXC_1369_synthetic", "f1Macro", "SCORE/dataset_SCORE/tables/learningData.csv"),
    ],
)
def test_the_programme_s_baseline_scores(folder, name, truth):
    said = pd.read_csv(D3M / folder / "mitll_predictions.csv", index_col="d3mIndex")
    target = said.columns[0]
    true = pd.read_csv(D3M / folder / truth, index_col="d3mIndex")[target]
    expected = pd.read_csv(D3M / folder / "SCORE" / "baseline_scores.csv")["value"].iloc[0]
    assert metric(name)(true, said[target].reindex(true.index)) == pytest.approx(expected)
