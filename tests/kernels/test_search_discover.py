"""Problems found in a data set: legal, ranked with a reason, few; and why other columns make none."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learnviews.kernels.progress import Progress
from learnviews.kernels.search.data import load
from learnviews.kernels.search.discover import discover
from learnviews.kernels.search.problem import Problem
from learnviews.kernels.search.signals import look, signal
from learnviews.kernels.search.splits import plan

D3M = Path(__file__).resolve().parents[2] / "../shared/data/d3m"


def made(n=300, seed=0):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=n), rng.normal(size=n)
    return pd.DataFrame(
        {
            "a": a,
            "b": b,
            "told": 2 * a + b + 0.1 * rng.normal(size=n),
            "untold": rng.normal(size=n),
            "kind": np.where(a + 0.3 * rng.normal(size=n) > 0, "up", "down"),
            "dice": rng.integers(1, 7, n),
        }
    )


def kinds(problems):
    return [(problem.target, problem.task) for problem in problems]


def test_what_is_told_comes_before_what_is_not():
    found = discover(load(made()))
    by = {problem.target: problem for problem in found if problem.task != "clustering"}
    assert by["told"].score > 0.8 > 0.3 > by["untold"].score
    assert by["kind"].score > by["dice"].score
    assert [problem.score for problem in found] == sorted((problem.score for problem in found), reverse=True)
    assert all(0 <= problem.score <= 1 and problem.reason for problem in found)
    assert ", most by " in by["told"].reason
    assert "2 classes, evenly spread" in by["kind"].reason


def test_all_are_legal_and_complete():
    data = load(made().assign(day=pd.date_range("2020-01-01", periods=300)))
    found = discover(data, n=50)
    for problem in found:
        assert problem.check(data) == problem
        assert problem.metric
        assert problem.features
    assert ("told", "timeSeriesForecasting") in kinds(found)


def test_no_flood():
    found = discover(load(made().assign(year=range(300))), n=100)
    counts = pd.Series([problem.target for problem in found if problem.target]).value_counts()
    assert counts.max() <= 3  # an integer of few values in a series: class, number, forecast
    assert len(discover(load(made()), n=2)) == 2


def test_columns_left_out_say_why():
    n = 300
    frame = made(n).assign(
        number=np.arange(n),
        code=[f"id-{row}" for row in range(n)],
        person=[f"p{row % 200}" for row in range(n)],
        constant=7,
        note=[f"some words that make a text {row} of many" for row in range(n)],
        when=pd.date_range("2020", periods=n),
        rare=[1.5, 2.5] + [None] * (n - 2),
        classes=[f"k{row % 120}" for row in range(n)],
    )
    left = discover(load(frame, roles={"number": "attribute"})).left_out
    assert "an id" in left["number"]
    assert "an id" in left["code"]
    assert "names: 200" in left["person"]
    assert left["constant"] == "constant: every value is 7"
    assert "text" in left["note"]
    assert "dateTime" in left["when"]
    assert "only 2 of 300" in left["rare"]
    assert "120 classes" in left["classes"]


@pytest.mark.parametrize("copied", ["told", "kind"])
def test_a_copy_is_no_feature_of_what_it_copies(copied):
    frame = made()
    again = frame[copied] * 3 + 1 if copied == "told" else frame["kind"].map({"up": "north", "down": "south"})
    found = discover(load(frame.assign(again=again)), seconds=60)
    (problem,) = [one for one in found if one.target == copied]
    assert "again" not in problem.features
    assert "without again, a copy of it" in problem.reason
    assert problem.score < 0.98
    assert found.left_out["again"] == f"copy of column {copied}"


def test_what_the_data_set_names_comes_first():
    data = load(made(), roles={"untold": "suggestedTarget"})
    found = discover(data)
    assert found[0].target == "untold"
    assert "named as a target by the data set" in found[0].reason
    both = load(made(), roles={"untold": "suggestedTarget", "told": "suggestedTarget"})
    joint = [problem for problem in discover(both) if len(problem.targets) == 2]
    assert [problem.subtask for problem in joint] == ["multivariate"]


def test_who_names_a_target_that_cannot_be_told_promises_nothing():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"a": rng.normal(size=400), "b": rng.normal(size=400), "match": rng.choice(["yes", "no"], 400)}
    )
    found = discover(load(frame, roles={"match": "suggestedTarget"}))
    assert found[0].target == "match" and "named as a target" in found[0].reason and found[0].score < 0.1


def test_ids_and_constants_are_no_features_unless_somebody_wants_them():
    n = 300
    frame = made(n).assign(
        code=[f"id-{row * 7919 % 1000:04}" for row in range(n)],
        same="x",
        gaps=["x"] * (n - 9) + [None] * 9,
        half=[f"p{row % 200}" for row in range(n)],
    )
    data = load(frame, types={"code": "categorical", "half": "categorical"})
    found = discover(data, n=50, seconds=60)
    for problem in found:
        assert not {"code", "same"} & {*problem.features} and {"gaps", "half"} - {*problem.targets} <= {
            *problem.features
        }
        assert "without code: another label in every row; without same: the same in every row" in problem.reason
    wanted = Problem("told", features=("a", "code", "same")).check(data)
    assert wanted.features == ("a", "code", "same")
    only = load(frame[["code", "kind"]], types={"code": "categorical"})
    assert Problem("kind").check(only).features == ("code",)


def test_texts_that_share_no_words_tell_nothing():
    rng = np.random.default_rng(0)
    frame = made().assign(
        note=[f"very <b>content</b> & nice {row + 100} of {rng.integers(10**9)}" for row in range(300)]
    )
    data = load(frame, types={"note": "text"})
    assert look(data, np.random.default_rng(0)).places["note"] == []
    assert all("note" not in problem.reason for problem in discover(data, seconds=60))
    frame["note"] = [
        "the sun rises over hills" if kind == "up" else "and a moon sinks in lakes" for kind in frame["kind"]
    ]
    told = discover(load(frame.drop(columns="a"), types={"note": "text"}), seconds=60)
    assert "most by note" in next(problem.reason for problem in told if problem.target == "kind")


def test_missing_targets_count():
    frame = made()
    frame.loc[frame.index % 2 == 0, "told"] = np.nan
    frame["few"] = pd.Series(np.where(frame["b"] > 0, "x", "y")).where(frame.index % 3 == 0)
    found = discover(load(frame), seconds=60)
    by = {problem.target: problem for problem in found}
    assert "known in 50% of rows" in by["told"].reason
    assert by["few"].task == "semiSupervisedClassification"
    assert by["told"].score < 0.8


def test_nothing_to_find():
    assert discover(load(pd.DataFrame({"a": [1.0, 1.0, 1.0]}))) == []
    assert discover(load(pd.DataFrame({"only": np.random.default_rng(0).normal(size=50)})))[0].task == "clustering"


ODD = (
    lambda rng, n: rng.normal(size=n),
    lambda rng, n: rng.integers(0, 4, n),
    lambda rng, n: rng.choice([True, False, None], n),
    lambda rng, n: rng.choice(["a", "b", None, "é"], n),
    lambda rng, n: [None] * n,
    lambda rng, n: np.where(rng.random(n) < 0.2, np.inf, rng.normal(size=n)),
    lambda rng, n: [10**25 + int(one) for one in rng.integers(0, 9, n)],
    lambda rng, n: pd.date_range("2020", periods=n),
    lambda rng, n: rng.choice([1.0, np.nan, 2.0], n),
    lambda rng, n: rng.choice(np.array([1, "x", 2.5, None], dtype=object), n),
    lambda rng, n: [f"w{one} and some more words" for one in range(n)],
    lambda rng, n: np.full(n, 3),
    lambda rng, n: rng.normal(size=n) * 1e200,
    lambda rng, n: [f"c{one}" for one in range(n)],
)


@pytest.mark.parametrize("seed", range(25))
def test_odd_tables_give_legal_problems(seed):
    """Whatever the columns hold: what is found is complete, can be divided and written, or is refused in words."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([1, 2, 5, 12, 60]))
    picked = rng.integers(0, len(ODD), rng.integers(1, 7))
    data = load(pd.DataFrame({f"c{place}": pd.Series(ODD[one](rng, n)) for place, one in enumerate(picked)}))
    for problem in discover(data):
        assert problem.check(data) == problem
        assert plan(data, problem).folds
        assert type(problem).from_json(problem.to_json()) == problem
    for name in data.columns:
        for task in ("classification", "regression", "timeSeriesForecasting", "clustering", None):
            try:
                Problem(name, task).check(data).to_d3m(data)
            except ValueError as error:
                assert name in str(error) or data.name in str(error)


def test_progress_and_cancel():
    seen = []
    progress = Progress(lambda state: seen.append((state.done, state.total, state.text)), interval=0)
    discover(load(made()), progress=progress)
    assert seen[-1][0] == seen[-1][1] > 3
    assert any("told" in text for _, _, text in seen)
    progress = Progress(lambda state: progress.cancel(), interval=0)
    assert len([one for one in discover(load(made()), progress=progress) if one.target]) == 1


def test_time_up_is_said():
    found = discover(load(made()), seconds=0)
    assert all("time was up" in problem.reason for problem in found if problem.target)


def test_same_seed_same_list():
    data = load(made(1500))
    assert [(p.target, p.score) for p in discover(data, rng=1)] == [(p.target, p.score) for p in discover(data, rng=1)]


def test_holdout_is_not_looked_at():
    frame = made(400)
    data = load(frame)
    split = pd.Series(["train"] * 300 + ["holdout"] * 100, index=data.frame.index)
    seen = look(type(data)(data.name, data.frame, data.columns, splits=split), np.random.default_rng(0))
    assert set(seen.rows) == set(range(300))


def test_signal_against_the_forest_it_stands_for():
    """R² of told from a, b is near what a plain cross-validated forest of scikit-learn gives."""
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.model_selection import cross_val_score

    data = load(made()[["a", "b", "told"]])
    found = signal(data, look(data, np.random.default_rng(0)), "told", classes=False)
    forest = ExtraTreesRegressor(50, max_depth=12, min_samples_leaf=2, random_state=1)
    twin = cross_val_score(forest, data.frame[["a", "b"]], data.frame["told"], cv=2).mean()
    assert found.value == pytest.approx(twin, abs=0.05)
    assert set(found.best) == {"a", "b"}


def test_ten_thousand_rows_take_few_seconds():
    rng = np.random.default_rng(0)
    data = load(made(10_000).assign(**{f"x{one}": rng.normal(size=10_000) for one in range(20)}))
    discover(data)
    start = time.process_time()
    discover(data)
    assert time.process_time() - start < 6


@pytest.mark.skipif(not D3M.is_dir(), reason="the shared D3M data sets are not here")
@pytest.mark.parametrize(
    ("folder", "target", "task"),
    [
        ("196_autoMpg", "class", "regression"),
        ("185_baseball", "Hall_of_Fame", "classification"),
        ("56_sunspots", "sunspots", "timeSeriesForecasting"),
    ],
)
def test_the_programme_s_problem_comes_first(folder, target, task):
    first = discover(load(D3M / folder))[0]
    assert (first.target, first.task) == (target, task)
