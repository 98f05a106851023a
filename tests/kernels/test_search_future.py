"""Forecasts from end to end: studies, what is known ahead, traps that leak the future, exports that forecast a CSV."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learnviews.kernels import search
from learnviews.kernels.search import splits, trial
from learnviews.kernels.search.model import input_columns
from learnviews.kernels.search.problem import Problem
from learnviews.kernels.search.space import space

pytestmark = pytest.mark.slow

SUNSPOTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "d3m" / "56_sunspots"
SLOW = ("forest", "extra", "boosting", "gaussian", "mlp", "kernel", "svm", "elastic")


def sales(rows=120, shops=("north", "south"), seed=0):
    """Weekly season; prices, known ahead, move the sales; what guests say is known afterwards only."""
    rng, parts = np.random.default_rng(seed), []
    for at, shop in enumerate(shops):
        t = np.arange(rows)
        price = rng.choice([1.0, 2.0, 3.0], rows)
        y = (at + 1) * (40 + 8 * np.sin(2 * np.pi * t / 7) - 6 * price + rng.normal(0, 0.5, rows))
        day = pd.Timestamp("2024-01-01") + pd.to_timedelta(t, "D")
        parts.append(pd.DataFrame({"day": day, "shop": shop, "price": price, "guests": 2 * y, "sales": y}))
    return pd.concat(parts, ignore_index=True)


def with_split(frame, last="2024-04-09"):
    """A data set that came with its split, as D3M's do."""
    data = search.load(frame)
    late = data.frame["day"] > last
    return replace(data, splits=pd.Series(np.where(late, "holdout", "train"), data.frame.index, dtype=object))


def run(path, data, problem, trials=5):
    data = search.load(data) if isinstance(data, pd.DataFrame) else data
    checked = problem.check(data)
    study = search.Study(data, checked, path / "study", trials=trials, space=space(data, checked, exclude=SLOW))
    for _ in study.run():
        pass
    board = study.leaderboard().set_index("name")[str(checked.metric)]
    return study, study.best.score, board["trivial"]


FORECAST = {"task": "timeSeriesForecasting", "metric": "rootMeanSquaredError", "time": "day", "horizon": 14}


@pytest.mark.parametrize(
    ("shops", "settings", "most"),
    [
        (("north",), {"known": ()}, 6.5),
        (("north",), {"known": ("price",)}, 2.0),
        (("north", "south"), {"known": ("price",), "group": "shop"}, 3.0),
    ],
    ids=["alone", "prices known", "two shops"],
)
def test_a_study_beats_the_last_value(tmp_path, shops, settings, most):
    study, score, trivial = run(tmp_path, sales(shops=shops), Problem("sales", **FORECAST, **settings))
    assert score < most < trivial
    assert not (study.trials["status"] != "ok").any()
    predictions = study.best.predictions
    assert predictions.index.is_unique and set(predictions["split"]) == {"train", "holdout"}
    study.close()


def test_attributes_of_held_out_rows_are_known_ahead_and_others_are_not():
    frame = sales()
    frame.loc[frame["day"] > "2024-04-09", "guests"] = np.nan  # as the TEST rows of such a data set would be
    data = with_split(frame)
    problem = Problem("sales", "timeSeriesForecasting", time="day", group="shop")
    checked = problem.check(data)
    assert checked.known == ("price",) and checked.horizon == 20
    assert "price known ahead" in checked.sentence() and "20 steps ahead" in checked.sentence()
    assert checked.check(data) == checked
    assert "price: taken to be known ahead" in splits.plan(data, checked).why
    assert problem.with_(known=()).check(data).known == ()
    assert problem.check(search.load(frame)).known == ()
    assert problem.with_(features=("guests",)).check(data).known == ("guests",)
    for one in (checked, problem.with_(known=()).check(data)):
        assert Problem.from_json(one.to_json()).known == one.known
    assert input_columns(checked) == ["day", "shop", "price"]


def test_what_is_known_ahead_outlives_a_document(tmp_path):
    data = with_split(sales())
    for known in ((), ("price",)):
        problem = Problem("sales", "timeSeriesForecasting", time="day", group=["shop", "price"], known=known)
        file = tmp_path / "problemDoc.json"
        file.write_text(json.dumps(problem.to_d3m(data)))
        back = Problem.from_d3m(file)
        assert back.known == known and back.groups == ("shop", "price")


def test_a_column_that_tells_the_future_in_past_rows_only_is_no_feature(tmp_path):
    frame = sales(shops=("north",))
    frame["next"] = frame["sales"].shift(-1)
    frame.loc[frame["day"] > "2024-04-09", ["next", "guests"]] = np.nan
    told = Problem("sales", "timeSeriesForecasting", "rootMeanSquaredError", time="day")
    trap, score, _ = run(tmp_path, with_split(frame), told, 4)
    (tmp_path / "without").mkdir()
    plain, without, _ = run(tmp_path / "without", with_split(frame.drop(columns=["next", "guests"])), told, 4)
    assert score == without and trap.best.cost == plain.best.cost
    trap.close()
    plain.close()


def test_the_order_of_rows_does_not_matter():
    frame = sales()
    config = {"model": "linear", "lags:count": 14}
    found = []
    for rows in (frame, frame.sample(frac=1, random_state=3)):
        data = search.load(rows)
        problem = Problem("sales", **FORECAST, group="shop", known=("price",)).check(data)
        result = trial.run_trial(data, problem, splits.plan(data, problem, 0), config, 0)
        assert result.status == "ok", result.reason
        said = result.predictions.join(rows[["day", "shop"]]).set_index(["day", "shop"]).sort_index()
        found.append(said["prediction"])
    pd.testing.assert_series_equal(*found, rtol=1e-6)


def test_origins_that_are_not_learned_anew_see_no_more_than_those_that_are(monkeypatch):
    frame = sales(shops=("north",))
    data = search.load(frame)
    problem = Problem("sales", **FORECAST, known=()).check(data)
    plan = splits.plan(data, problem, 0)
    spoilt = frame.copy()
    spoilt.loc[spoilt["day"] >= "2024-03-01", "sales"] = 1e4
    early = [row for _, score in plan.folds for row in score if frame["day"][score].max() < pd.Timestamp("2024-03-01")]
    assert early
    said = []
    for rows in (frame, spoilt):
        made = trial._Made(trial.Work(search.load(rows), problem, plan), {"model": "linear"}, 0, 1.0, trial._Clock())
        said.append(pd.concat([made.predict(fit, score, "train")[0] for fit, score in plan.folds])["prediction"][early])
    pd.testing.assert_series_equal(*said)
    fits = []
    monkeypatch.setattr(
        trial._Made, "fitted", lambda self, rows, plain=trial._Made.fitted: fits.append(rows) or plain(self, rows)
    )
    naive = trial.run_trial(data, problem, plan, {"model": "naive"}, 0)
    assert len(fits) < len(plan.folds)  # the last values are those before each origin all the same
    for fit, score in plan.folds:
        assert (naive.predictions.loc[score, "prediction"] == frame["sales"][fit].iloc[-1]).all()


def test_an_export_forecasts_a_csv_of_later_times_in_a_clean_process(tmp_path):
    frame = sales()
    study, _, _ = run(tmp_path, frame, Problem("sales", **FORECAST, group="shop", known=("price",)), 4)
    folder = search.export(study.models[:1], tmp_path / "export")
    days = ["2024-05-01", "2024-05-01", "2024-05-08", "2024-05-08"]  # a week apart: the same place in the season
    later = pd.DataFrame({"day": days, "shop": ["north", "south"] * 2, "price": [1.0, 1.0, 3.0, 3.0]})
    later.to_csv(tmp_path / "later.csv", index=False)
    script = next(folder.glob("01-*")) / "predict.py"
    command = [sys.executable, "-I", script, tmp_path / "later.csv", "--out", tmp_path / "said.csv"]
    subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, timeout=120)
    said = pd.read_csv(tmp_path / "said.csv")["sales"].to_numpy()
    assert said == pytest.approx(study.best.predict(later).to_numpy())
    assert said[1::2] / said[::2] == pytest.approx([2, 2], rel=0.2)
    assert (said[:2] > said[2:]).all()
    study.close()


@pytest.mark.skipif(not SUNSPOTS.exists(), reason="the D3M sets are not here")
def test_sunspots_with_what_their_test_rows_tell():
    data = search.load(SUNSPOTS)
    problem = Problem.from_d3m(SUNSPOTS / "TRAIN" / "problem_TRAIN").check(data)
    assert problem.known == ("sd", "observations") and problem.horizon == 21
    plan = splits.plan(data, problem, 0)
    config = {"model": "linear", "lags:count": 16}
    told = trial.run_trial(data, problem, plan, config, 0).metrics["holdout"]
    blind = trial.run_trial(data, problem.with_(known=()).check(data), plan, config, 0).metrics["holdout"]
    assert told < 25 < 46.1 and told < blind  # the programme's baseline: 46.1
