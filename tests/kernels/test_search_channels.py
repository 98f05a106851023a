"""Series of several channels: features over all of them, their classification and regression, and their forecasts."""

import numpy as np
import pandas as pd
import pytest

from learnviews.kernels import search
from learnviews.kernels.search import scores, series
from learnviews.kernels.search.series import SeriesFeatures


def waves(lag, rng, steps=60, noise=0.3):
    """Two channels of one random walk, the second `lag` steps later, and a third of noise."""
    walk = np.convolve(rng.normal(size=steps + 40), np.ones(5) / 2, mode="same")
    first, second = walk[20 : 20 + steps], walk[20 - lag : 20 - lag + steps]
    table = np.column_stack([first, second, rng.normal(size=steps)])
    return table + noise * rng.normal(size=table.shape)


def collection(folder, count=40, target="label", split=False):
    """Files of three channels; each channel alone says nothing of the target: what counts is which of two is late."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for at in range(count):
        rng, late = np.random.default_rng(at), at % 2
        table = pd.DataFrame(waves(2 if late else -2, rng), columns=["a", "b", "c"]).rename_axis("time")
        if target == "share":
            share = rng.uniform(0, 1)
            table["b"] = share * table["a"] + (1 - share) * rng.normal(size=len(table))
            rows.append((f"{at}.csv", share))
        else:
            rows.append((f"{at}.csv", "late" if late else "early"))
        table.to_csv(folder / f"{at}.csv")
    pd.DataFrame(rows, columns=["curve", target]).to_csv(folder / "table.csv", index=False)
    return search.load(folder / "table.csv")


# -- features


def test_relations_are_correlations_of_moved_channels():
    table = waves(2, np.random.default_rng(0), noise=0.0)
    told = series.relations(table)
    assert told.shape == (3 * len(series._APART),)
    z = (table - table.mean(axis=0)) / table.std(axis=0)
    slow = []
    for a, b in ((0, 1), (0, 2), (1, 2)):
        for lag in series._APART:
            pairs = [z[t, a] * z[t + lag, b] for t in range(len(z)) if 0 <= t + lag < len(z)]
            slow.append(np.mean(pairs))
    np.testing.assert_allclose(told, slow)
    assert told[: len(series._APART)].argmax() == series._APART.index(2) and told.max() > 0.95
    assert len(series.relations(table[:, :1])) == 0 and (series.relations(np.ones((5, 2))) == 0).all()
    assert np.isfinite(series.relations(table[:2])).all()


def test_kernels_over_several_channels_are_sums_step_by_step():
    rows = np.random.default_rng(0).normal(size=(3, 30, 4))
    bank = series._bank(25, 30, 4, seed=1)
    assert {np.ndim(weights) for weights, *_ in bank} == {1, 2}
    found = series.convolved(rows, bank).reshape(3, 25, 2)
    z = (rows - rows.mean(axis=1, keepdims=True)) / rows.std(axis=1, keepdims=True)
    for row in range(3):
        for at, (weights, bias, dilation, seen) in enumerate(bank):
            table, seen = np.atleast_2d(weights), np.atleast_1d(seen)
            answers = [
                bias
                + sum(
                    w * z[row, t + p * dilation, c] for c, ws in zip(seen, table, strict=True) for p, w in enumerate(ws)
                )
                for t in range(30 - (table.shape[1] - 1) * dilation)
            ]
            assert found[row, at].tolist() == pytest.approx([max(answers), np.mean(np.array(answers) > 0)])


@pytest.mark.parametrize("features", ["kernels", "statistics", "intervals", "values", "all"])
def test_files_with_fewer_channels_and_gaps_are_taken(features):
    rng = np.random.default_rng(0)
    whole = pd.DataFrame(rng.normal(size=(30, 3)), columns=["time", "a", "b"]).assign(time=range(30))
    holes = whole.assign(a=whole["a"].where(whole["a"] < 0.5))
    cells = pd.DataFrame({"curve": [whole, holes, whole[["time", "a"]], None]})
    found = SeriesFeatures(features=features, length=20, kernels=10).fit_transform(cells)
    assert len(found) == 4 and np.isfinite(found).all()
    shuffled = pd.DataFrame({"curve": [whole.sample(frac=1, random_state=0)]})
    made = SeriesFeatures(features=features, length=20, kernels=10).fit(cells)
    np.testing.assert_allclose(made.transform(shuffled)[0], found[0])  # the time orders steps, wherever they stand


# -- searches


def test_what_only_both_channels_tell_is_learned(tmp_path):
    data = collection(tmp_path)
    problem = search.Problem("label", metric="accuracy").check(data)
    assert problem.task == "timeSeriesClassification" and problem.features == ("curve",)
    study = search.Study(data, problem, tmp_path / "study", trials=6)
    list(study.run())
    assert set(study.trials["status"]) == {"ok"}, study.trials[["name", "reason"]].to_string()
    told = scores.table(study.problem, study.best.predictions).loc["accuracy"]
    trivial = scores.table(study.problem, study.baseline.predictions).loc["accuracy"]
    assert told["value"] > 0.8 > 0.6 > trivial["value"] and told["low"] > trivial["high"]
    study.close()


def test_numbers_are_told_by_several_channels(tmp_path):
    data = collection(tmp_path, 60, "share")
    problem = search.Problem("share", "regression", "rSquared").check(data)
    config = {"model": "linear", "linear:strength": 5.0, "series:features": "statistics"}
    from learnviews.kernels.search.trial import run_trial

    result = run_trial(data, problem, search.plan(data, problem), config, 0)
    assert result.status == "ok" and result.metrics["train"] > 0.6, result.reason


# -- forecasts


def seasons(folder, count=3, steps=60, name="place"):
    """Files of two channels with a season of 6 each; a table of them with a place per file."""
    folder.mkdir(parents=True, exist_ok=True)
    days = pd.date_range("2020-01-01", periods=steps)
    for at in range(count):
        rng = np.random.default_rng(at)
        turn = 2 * np.pi * np.arange(steps) / 6
        table = pd.DataFrame({"day": days, "warm": 10 * np.sin(turn + at), "wet": 5 * np.cos(turn) + at})
        table[["warm", "wet"]] += rng.normal(0, 0.3, (steps, 2))
        table.to_csv(folder / f"{at}.csv", index=False)
    names = [f"{at}.csv" for at in range(count)]
    pd.DataFrame({"curve": names, name: list("abc")[:count]}).to_csv(folder / "table.csv", index=False)
    return search.load(folder / "table.csv")


def test_a_collection_becomes_a_table_with_a_row_per_step(tmp_path):
    data = seasons(tmp_path)
    long = search.unrolled(data)
    assert len(long) == 180 and list(long.columns) == ["series", "day", "warm", "wet", "place"]
    kinds = [column.type for column in long.columns.values()]
    assert kinds == ["categorical", "dateTime", "real", "real", "categorical"]
    assert (long.columns["day"].role, long.columns["series"].role) == ("timeIndicator", "suggestedGroupingKey")
    assert long.frame.groupby("series")["place"].nunique().eq(1).all()
    np.testing.assert_allclose(long.frame["wet"][60:120], data.read("curve")[1]["wet"])
    with pytest.raises(ValueError, match="holds no series; curve would do"):
        search.unrolled(data, "place")
    with pytest.raises(ValueError, match='"wet" is a column of the table and of its series'):
        search.unrolled(seasons(tmp_path / "b", name="wet"))


def test_series_without_a_time_are_counted(tmp_path):
    tmp_path.joinpath("a").mkdir()
    for at in range(4):
        pd.DataFrame({"x": [1.5, 2.5, 3.0]}).to_csv(tmp_path / "a" / f"{at}.csv", index=False)
    pd.DataFrame({"curve": [f"a/{at}.csv" for at in range(4)], "y": [1, 2, 3, 4]}).to_csv(
        tmp_path / "t.csv", index=False
    )
    long = search.unrolled(search.load(tmp_path / "t.csv"))
    assert long.frame["step"].tolist() == [0, 1, 2] * 4 and long.columns["step"].role == "timeIndicator"


@pytest.mark.slow
def test_several_channels_are_forecast_at_once(tmp_path):
    long = search.unrolled(seasons(tmp_path))
    problem = search.Problem(("warm", "wet"), "timeSeriesForecasting", "rSquared").check(long)
    assert (problem.time, problem.group, problem.subtask) == ("day", "series", "multivariate")
    study = search.Study(long, problem, tmp_path / "study", trials=3)
    list(study.run())
    assert set(study.trials["status"]) == {"ok"}, study.trials[["name", "reason"]].to_string()
    assert study.best.score > 0.9 > 0.3 > scores.value(study.problem, study.baseline.predictions, "holdout")
    study.close()
    with pytest.raises(ValueError, match=r"unrolled\(data\) makes a table of its series, a row per step"):
        search.Problem("place", "timeSeriesForecasting").check(seasons(tmp_path))
