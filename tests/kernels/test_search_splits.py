"""Rows to learn from and rows to judge on."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.kernels.search import splits
from learnviews.kernels.search.data import Dataset, load
from learnviews.kernels.search.problem import Problem


def table(n=100, seed=0, **columns):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": rng.normal(size=n), "y": rng.normal(size=n), "label": rng.choice(["a", "b"], n)})
    return frame.assign(**columns).set_axis([f"r{row}" for row in range(n)])


def plan(frame, target, task=None, rng=0, folds=None, splits_=None, **rest):
    data = load(frame)
    if splits_ is not None:
        data = Dataset(data.name, data.frame, data.columns, splits=splits_)
    return splits.plan(data, Problem(target, task, **rest).check(data), rng, folds)


def check_parts(made, ids):
    """Every row once: trained on or kept; folds part the training rows and never show what they score."""
    train, kept = set(made.train_rows), set(made.holdout_rows)
    assert not train & kept
    assert train | kept == set(ids)
    scored = [row for _, score in made.folds for row in score]
    assert len(scored) == len(set(scored))
    assert set(scored) <= train
    for fit, score in made.folds:
        assert not set(fit) & set(score)
        assert len(fit)
        assert len(score)
        assert set(fit) <= train


@pytest.mark.parametrize(("target", "task"), [("label", "classification"), ("y", "regression")])
def test_a_fifth_is_kept_and_folds_cover_the_rest(target, task):
    frame = table()
    made = plan(frame, target, task)
    check_parts(made, frame.index)
    assert len(made.holdout_rows) == 20
    assert len(made.folds) == 5
    assert {row for _, score in made.folds for row in score} == set(made.train_rows)
    assert "stratified" in made.why


def test_same_seed_same_rows():
    frame = table()
    first, again, other = (plan(frame, "label", rng=rng) for rng in (3, 3, 4))
    assert list(first.holdout_rows) == list(again.holdout_rows) != list(other.holdout_rows)
    assert all(list(a) == list(b) for (_, a), (_, b) in zip(first.folds, again.folds, strict=True))


def test_classes_keep_their_share():
    frame = table(200, label=["rare"] * 20 + ["often"] * 180)
    made = plan(frame, "label")
    assert (frame.loc[made.holdout_rows, "label"] == "rare").sum() == 4
    assert {(frame.loc[score, "label"] == "rare").sum() for _, score in made.folds} == {3, 4}


def test_numbers_are_spread_by_size():
    frame = table(500)
    made = plan(frame, "y", "regression")
    assert abs(frame.loc[made.holdout_rows, "y"].mean() - frame["y"].mean()) < 0.05


def test_tiny_classes_stay_with_those_to_learn_from():
    frame = table(40, label=["a"] * 20 + ["b"] * 16 + ["two"] * 2 + ["one", "uno"])
    for seed in range(10):
        made = plan(frame, "label", rng=seed)
        check_parts(made, frame.index)
        assert set(frame.loc[made.train_rows, "label"]) == set(frame["label"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=5, max_size=60), st.integers(0, 99))
def test_any_classes_can_be_divided(labels, seed):
    counts = pd.Series(labels).value_counts()
    if len(counts) < 2 or counts.iloc[0] < 2:
        return
    frame = table(len(labels), label=[f"c{one}" for one in labels])
    made = plan(frame, "label", "classification", rng=seed)
    check_parts(made, frame.index)
    assert len(made.holdout_rows)


def test_rows_without_a_target_are_left_out():
    frame = table()
    frame.loc[frame.index[:30], "y"] = np.nan
    check_parts(plan(frame, "y", "regression"), frame.index[30:])


def test_unlabelled_rows_are_fitted_to_and_not_scored():
    frame = table()
    frame.loc[frame.index[:60], "label"] = None
    made = plan(frame, "label", "semiSupervisedClassification")
    unlabelled = set(frame.index[:60])
    assert unlabelled <= set(made.train_rows)
    assert not unlabelled & set(made.holdout_rows)
    for fit, score in made.folds:
        assert unlabelled <= set(fit)
        assert not unlabelled & set(score)


def test_the_split_that_came_with_the_data():
    frame = table()
    given_split = pd.Series(["holdout"] * 30 + ["train"] * 70, index=frame.index)
    made = plan(frame, "label", splits_=given_split)
    assert list(made.holdout_rows) == list(frame.index[:30])
    check_parts(made, frame.index)
    assert "came with the data" in made.why


def test_a_given_holdout_without_targets():
    frame = table()
    frame.loc[frame.index[:30], "label"] = None
    made = plan(frame, "label", splits_=pd.Series(["holdout"] * 30 + ["train"] * 70, index=frame.index))
    check_parts(made, frame.index[30:])
    assert len(made.holdout_rows) == 14
    assert "has no targets" in made.why


def test_groups_stay_whole():
    frame = table(who=np.repeat([f"p{one}" for one in range(20)], 5))
    made = plan(frame, "y", "regression", group="who")
    check_parts(made, frame.index)
    groups = lambda rows: set(frame.loc[rows, "who"])  # noqa: E731
    assert not groups(made.train_rows) & groups(made.holdout_rows)
    assert len(made.holdout_rows) == 20
    for fit, score in made.folds:
        assert not groups(fit) & groups(score)


def test_rows_of_one_thing_stay_together():
    frame = table(thing=np.repeat([f"t{one}" for one in range(50)], 2))
    data = load(frame, roles={"thing": "multiIndex"})
    made = splits.plan(data, Problem("label").check(data), 0)
    assert not set(frame.loc[made.train_rows, "thing"]) & set(frame.loc[made.holdout_rows, "thing"])


def test_one_group_cannot_be_divided():
    with pytest.raises(ValueError, match=r"who.*one group only"):
        plan(table(who="same"), "y", "regression", group="who")


def test_a_forecast_looks_ahead():
    frame = table(year=np.random.default_rng(1).permutation(100))
    made = plan(frame, "y", "timeSeriesForecasting", time="year")
    year = frame["year"]
    assert sorted(year[made.holdout_rows]) == list(range(80, 100))
    check_parts(made, frame.index)
    assert len(made.folds) == splits.ORIGINS
    leads = set()
    for fit, score in made.folds:
        assert year[fit].max() < year[score].min()
        leads |= set(year[score] - year[fit].max())
    assert leads == set(range(1, 17))
    assert year[made.folds[-1][1]].max() == 79
    assert "rolling origin" in made.why and "overlapping" in made.why


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 300), st.integers(1, 300), st.integers(1, 12))
def test_every_time_is_scored_behind_one_origin_within_the_horizon(times, window, most):
    window = min(window, max(1, times // 3))
    starts, _ = splits._origins(times, window, min(most, times - 1))
    chosen = splits._behind(times, window, starts)
    assert starts.min() > 0 and starts.max() == times - window
    for time, one in enumerate(chosen):
        able = [origin for origin in starts if origin <= time < origin + window]
        assert (one == -1) == (not able)
        assert one == -1 or starts[one] in able


def test_the_horizon_is_what_is_kept_aside():
    made = plan(table(year=np.arange(100)), "y", "timeSeriesForecasting", time="year", horizon=7)
    year = pd.Series(np.arange(100), index=made.train_rows.tolist() + made.holdout_rows.tolist())
    assert {int((year[score] - year[fit].max()).max()) for fit, score in made.folds} <= set(range(1, 8))
    wanted = plan(table(year=np.arange(100)), "y", "timeSeriesForecasting", time="year", horizon=7, folds=3)
    assert [len(score) for _, score in wanted.folds] == [7, 7, 7]
    assert len(made.holdout_rows) == 7


def test_series_are_cut_at_the_same_times():
    frame = table(year=np.tile(np.arange(50), 2), who=np.repeat(["a", "b"], 50))
    made = plan(frame, "y", "timeSeriesForecasting", time="year", group="who")
    assert frame.loc[made.holdout_rows, "who"].value_counts().to_dict() == {"a": 10, "b": 10}
    assert frame.loc[made.train_rows, "year"].max() == 39


def test_many_rows_have_few_origins(monkeypatch):
    monkeypatch.setattr(splits, "MANY", 50)
    assert len(plan(table(year=np.arange(100)), "y", "timeSeriesForecasting", time="year").folds) == splits.FEW_ORIGINS


def test_groups_of_two_columns_stay_whole():
    frame = table(who=np.repeat(["a", "b", "c", "d"], 25), where=np.tile(np.repeat(["u", "v", "w", "x", "y"], 5), 4))
    made = plan(frame, "y", "regression", group=["who", "where"])
    pairs = lambda rows: set(map(tuple, frame.loc[rows, ["who", "where"]].to_numpy()))  # noqa: E731
    assert not pairs(made.train_rows) & pairs(made.holdout_rows)
    assert len(pairs(made.holdout_rows)) == 4


def test_clustering_keeps_nothing_aside():
    made = plan(table(), None, "clustering")
    assert len(made.train_rows) == 100
    assert not len(made.holdout_rows)
    assert len(made.folds) == 1


@pytest.mark.parametrize(("n", "folds"), [(8, 5), (999, 5), (2000, 3), (30_000, 1)])
def test_folds_by_size(n, folds):
    assert len(plan(table(n), "y", "regression").folds) == folds


@pytest.mark.parametrize("folds", [1, 2, 7])
def test_folds_as_wanted(folds):
    frame = table()
    made = plan(frame, "label", folds=folds)
    check_parts(made, frame.index)
    assert len(made.folds) == folds


def test_no_folds_are_refused():
    with pytest.raises(ValueError, match="folds is 0"):
        plan(table(), "label", folds=0)


def test_one_time_only():
    with pytest.raises(ValueError, match="one value only"):
        plan(table(year=1990), "y", "timeSeriesForecasting", time="year")
