"""Ensembles: greedy weights against all combinations, mixing of predictions, one more pipeline."""

import itertools

import numpy as np
import pandas as pd
import pytest

from learnviews.kernels.search import Problem, metrics
from learnviews.kernels.search.ensemble import MOST, Ensemble, candidates, combine, greedy
from learnviews.kernels.search.mixtures import mixture


def squared(truth):
    return lambda table: float(((table - truth) ** 2).mean())


@pytest.mark.parametrize("seed", range(5))
def test_greedy_is_no_worse_than_the_best_member_and_near_the_best_mix(seed):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=200)
    members = [truth + rng.normal(scale=scale, size=200) for scale in (0.5, 0.6, 0.9)]
    costs = squared(truth)
    weights = greedy(costs, members, rounds=40)
    assert weights.sum() == pytest.approx(1) and (weights >= 0).all()
    mixed = costs(sum(w * m for w, m in zip(weights, members, strict=True)))
    assert mixed < min(map(costs, members))
    grid = [g for g in itertools.product(np.linspace(0, 1, 41), repeat=3) if abs(sum(g) - 1) < 1e-9]
    best = min(costs(sum(w * m for w, m in zip(g, members, strict=True))) for g in grid)
    assert mixed < best * 1.02


def test_a_perfect_member_is_taken_alone():
    truth = np.arange(10.0)
    assert greedy(squared(truth), [truth + 1, truth, truth - 3]).tolist() == [0, 1, 0]


def frame(said, truth, chances=None):
    made = pd.DataFrame({"truth": truth, "prediction": said})
    if chances is not None:
        made = made.join(pd.DataFrame(chances, columns=["p_no", "p_yes"]))
    return made.assign(split=["train"] * (len(made) - 4) + ["holdout"] * 4)


def cost_by(problem):
    metric = metrics.bound(problem)
    return lambda rows: metrics.cost(metric, metrics.score_frame(metric, rows))


@pytest.mark.parametrize("metric", ["rootMeanSquaredError", "meanAbsoluteError", "rSquared"])
def test_values_are_averaged(metric):
    rng = np.random.default_rng(0)
    truth = rng.normal(size=60)
    frames = [frame(truth + rng.normal(scale=0.5, size=60), truth) for _ in range(4)]
    problem = Problem("y", "regression", metric)
    weights, mixed = combine(problem, frames, cost_by(problem))
    expected = sum(w * f["prediction"] for w, f in zip(weights, frames, strict=True))
    np.testing.assert_allclose(mixed["prediction"], expected)
    assert list(mixed["split"]) == list(frames[0]["split"])
    train = [cost_by(problem)(each[each["split"] == "train"]) for each in (mixed, *frames)]
    assert train[0] <= min(train[1:])


@pytest.mark.parametrize("metric", ["accuracy", "f1Macro", "rocAuc"])
@pytest.mark.parametrize("known", [True, False])
def test_labels_are_voted_on(metric, known):
    rng = np.random.default_rng(1)
    truth = np.array(["no", "yes"], dtype=object)[rng.integers(0, 2, 80)]
    frames = []
    for _ in range(5):
        yes = np.clip((truth == "yes") * 0.25 + rng.uniform(size=80) * 0.75, 0, 1)
        chances = np.stack([1 - yes, yes], 1)
        said = np.array(["no", "yes"], dtype=object)[chances.argmax(1)]
        frames.append(frame(said, truth, chances if known else None))
    problem = Problem("y", "classification", metric)
    found = combine(problem, frames, cost_by(problem))
    assert found is not None
    mixed = found[1]
    rows = mixed[mixed["split"] == "train"]
    assert cost_by(problem)(rows) <= min(cost_by(problem)(each[each["split"] == "train"]) for each in frames)
    table = mixed[["p_no", "p_yes"]].to_numpy()
    np.testing.assert_allclose(table.sum(1), 1)
    assert (np.array(["no", "yes"])[table.argmax(1)] == mixed["prediction"]).all()


@pytest.mark.parametrize("metric", ["accuracy", "f1Micro", "f1Macro"])
def test_quick_costs_agree_with_the_metric(metric):
    from learnviews.kernels.search.mixtures import Classes

    rng = np.random.default_rng(2)
    truth = np.array(["no", "yes"], dtype=object)[rng.integers(0, 2, 50)]
    chances = rng.uniform(size=(50, 2))
    made = frame(np.array(["no", "yes"], dtype=object)[chances.argmax(1)], truth, chances)
    problem = Problem("y", "classification", metric)
    mix = Classes({"p_no": "no", "p_yes": "yes"})
    assert mix.quick(problem, made)(chances) == pytest.approx(cost_by(problem)(made))


def test_no_ensemble_of_one_or_of_different_rows_or_of_clusters():
    truth = np.arange(12.0)
    one, other = frame(truth + 1, truth), frame(truth - 1, truth).iloc[::-1]
    problem = Problem("y", "regression", "meanSquaredError")
    assert combine(problem, [one], cost_by(problem)) is None
    assert combine(problem, [one, other], cost_by(problem)) is None
    assert combine(Problem(None, "clustering", "silhouette"), [one, one], cost_by(problem)) is None


class Says:
    def __init__(self, chances, classes):
        self._chances, self.classes_ = np.array(chances), np.array(classes)

    def predict_proba(self, X):
        return self._chances

    def predict(self, X):
        return self.classes_[self._chances.argmax(1)]


def test_members_with_other_orders_of_classes_agree():
    X = pd.DataFrame(index=range(2))
    both = Ensemble(
        [Says([[0.9, 0.1], [0.4, 0.6]], ["a", "b"]), Says([[0.2, 0.8], [0.9, 0.1]], ["b", "a"])], [0.5, 0.5]
    )
    np.testing.assert_allclose(both.predict_proba(X), [[0.85, 0.15], [0.25, 0.75]])
    assert both.predict(X).tolist() == ["a", "b"]


@pytest.mark.parametrize("metric", ["accuracy", "f1Micro", "f1Macro", "hammingLoss", "jaccardSimilarityScore"])
@pytest.mark.parametrize("form", ["sets", "columns"])
def test_several_labels_are_mixed_and_quick_costs_order_as_the_metric_does(metric, form):
    rng = np.random.default_rng(4)
    truth = rng.random((60, 3)) < 0.4
    split = ["train"] * 50 + ["holdout"] * 10
    text = lambda table: [";".join(np.array(list("abc"))[row]) for row in table]  # noqa: E731
    frames = []
    for _ in range(4):
        chances = np.clip(truth * 0.3 + rng.random((60, 3)) * 0.65, 0, 1)
        if form == "sets":
            made = pd.DataFrame({"truth": text(truth), "prediction": text(chances > 0.5)})
        else:
            sides = (("truth", truth), ("prediction", chances > 0.5))
            made = pd.DataFrame({f"{side}_{n}": cells[:, at] for side, cells in sides for at, n in enumerate("abc")})
        frames.append(made.assign(**{f"p_{n}": chances[:, at] for at, n in enumerate("abc")}, split=split))
    targets = "y" if form == "sets" else ("a", "b", "c")
    problem = Problem(targets, "classification", metric, subtask="multiLabel")
    weights, mixed = combine(problem, frames, cost_by(problem))
    expected = sum(w * f[["p_a", "p_b", "p_c"]] for w, f in zip(weights, frames, strict=True))
    np.testing.assert_allclose(mixed[["p_a", "p_b", "p_c"]], expected)
    costs = [cost_by(problem)(each[each["split"] == "train"]) for each in (mixed, *frames)]
    assert costs[0] <= min(costs[1:])
    mix, train = mixture(problem, frames), frames[0]["split"] == "train"
    quick = mix.quick(problem, frames[0][train])
    told = [quick(mix.numbers(each)[train]) for each in frames]
    assert np.subtract(costs[1:], told) == pytest.approx(costs[1] - told[0])


def test_the_best_of_every_kind_may_become_a_member():
    rows = [{"number": at, "config": {"model": "forest" if at < 20 else f"kind {at % 3}"}} for at in range(30)]
    assert [row["number"] for row in candidates(rows)] == [*range(MOST), 20, 21, 22]
    assert candidates(rows[:3]) == rows[:3]
