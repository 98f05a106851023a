"""Studies: live, stopped, killed, gone on with, the same again; what fails does not end them."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from search_studies import finished, study

from learnviews.kernels.progress import Progress
from learnviews.kernels.search.fidelity import Done, Job, next_job, rungs, told
from learnviews.kernels.search.study import Study
from learnviews.kernels.search.timings import timings
from learnviews.kernels.store import FileFormatError, StoreError


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A study that ran to its end."""
    found = study(tmp_path_factory.mktemp("s") / "whole", trials=8)
    found.live = list(found.run())
    return found


# -- what a run gives


def test_models_arrive_with_honest_predictions(whole):
    assert len(whole.live) >= 8
    assert whole.ended == "trials"
    for model in whole.live:
        assert set(model.predictions["split"]) == {"train", "holdout"}
        assert model.predictions.index.is_unique
        mean = ((model.predictions.truth - model.predictions.prediction) ** 2)[
            model.predictions.split == "train"
        ].mean()
        assert model.cost == pytest.approx(mean)
    assert whole.best.cost == min(model.cost for model in whole.live)
    assert whole.best.name.startswith(("line", "ensemble"))


def test_search_finds_better_than_the_portfolio(whole):
    trials = whole.trials
    portfolio = trials[trials.source == "portfolio"].cost.min()
    assert trials[trials.source == "search"].cost.min() < portfolio


def test_leaderboard_always_shows_the_trivial_predictor(whole):
    board = whole.leaderboard()
    assert list(board.columns[:3]) == ["number", "name", "meanSquaredError"]
    assert (board.name == "trivial").sum() == 1
    assert board.cost.is_monotonic_increasing
    assert ((board.low <= board.meanSquaredError) & (board.meanSquaredError <= board.high)).all()


def test_pipelines_predict_what_the_trial_predicted(whole):
    again = Study.open(whole.path)  # nothing fitted in memory: it is fitted again
    for one in (whole, again):
        for model in one.models[:3]:
            holdout = model.predictions[model.predictions.split == "holdout"]
            said = model.predict(one.data.frame.loc[holdout.index, ["x"]])
            np.testing.assert_allclose(said.to_numpy(float), holdout["prediction"].to_numpy(float))
    again.close()


def test_timings_add_up(whole):
    spent = whole.timings()
    parts = ("fit", "score", "lost", "handling", "idle")
    assert sum(spent[name] for name in parts) == pytest.approx(spent["available"])
    assert all(spent[name] >= 0 for name in parts) and spent["fit"] > 0
    rows = whole.trials[whole.trials.source != "ensemble"]
    assert spent["trials"] == pytest.approx(rows.seconds.sum())
    assert spent["overhead"] == pytest.approx(1 - (rows.fit_seconds + rows.score_seconds).sum() / spent["available"])
    assert spent["unused"] == pytest.approx(1 - rows.seconds.sum() / spent["available"])


def test_timings_of_trials_that_came_to_nothing_and_of_killed_runs():
    trial = {"source": "search", "fit_seconds": None, "score_seconds": None}
    trials = [
        {**trial, "status": "ok", "seconds": 3.0, "fit_seconds": 2.0, "score_seconds": 0.5},
        {**trial, "status": "timeout", "seconds": 4.0},
        {**trial, "status": "killed", "seconds": None},
        {**trial, "source": "ensemble", "status": "ok", "seconds": 9.0},
    ]
    runs = [{"seconds": 5.0, "workers": 2}, {"seconds": None, "workers": 2}]
    spent = timings(trials, runs, [{"seconds": 1.0}, {"seconds": None}])
    assert spent == {
        **{"wall": 5, "available": 10, "fit": 2, "score": 0.5, "lost": 4, "handling": 0.5, "idle": 3},
        **{"trials": 7, "proposals": 1, "overhead": 0.35, "unused": 0.3},
    }
    assert np.isnan(timings([], [], [])["overhead"])


# -- again and again


def test_same_seed_same_bits(whole, tmp_path):
    again = study(tmp_path / "again", trials=8)
    assert len(list(again.run())) == len(whole.live)
    pd.testing.assert_frame_equal(finished(whole), finished(again), check_exact=True)
    other = study(tmp_path / "other", trials=8, rng=1)
    list(other.run())
    assert not finished(other).config.equals(finished(whole).config)


def test_stop_and_run_again_is_as_if_never_stopped(whole, tmp_path):
    found = study(tmp_path / "s", trials=8)
    for number, _ in enumerate(found.run()):
        if number == 2:
            threading.Thread(target=found.stop).start()
    assert found.ended in ("stopped", "trials")
    for _ in found.run():
        break  # to leave the loop is to stop
    found.close()
    reopened = Study.open(tmp_path / "s")
    list(reopened.run())
    pd.testing.assert_frame_equal(finished(whole), finished(reopened), check_exact=True)


def test_run_goes_on_with_more(tmp_path):
    found = study(tmp_path / "s", trials=2)
    assert len(list(found.run())) >= 2
    assert list(found.run()) == []  # there is nothing more to do
    more = list(found.run(trials=4))
    assert len(finished(found)) == 4 and len(more) >= 2


SCRIPT = """
import sys
from search_studies import study
from pathlib import Path
found = study(Path(sys.argv[1]), "slow", trials=12)
for model in found.run():
    print(model.number, flush=True)
"""


def test_kill_9_loses_at_most_the_running_trial(tmp_path):
    places = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, tmp_path / "killed"],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": places},
    ) as process:
        seen = [int(process.stdout.readline()) for _ in range(4)]
        process.kill()
    found = Study.open(tmp_path / "killed")
    trials = found.trials
    assert set(seen) <= set(trials[trials.status == "ok"].number)
    assert (trials.status == "running").sum() <= 1
    assert [model.number for model in found.models if model.number in seen]
    list(found.run())
    trials = found.trials
    lost = trials[trials.status == "killed"]
    assert len(lost) <= 1 and all("its process ended" in reason for reason in lost.reason)
    unbroken = study(tmp_path / "unbroken", "slow", trials=12)
    list(unbroken.run())
    pd.testing.assert_frame_equal(finished(unbroken), finished(found), check_exact=True)


# -- what goes wrong


def test_whatever_a_trial_does_the_study_goes_on(tmp_path):
    names = "failing hanging hungry missing dying"
    found = study(tmp_path / "s", names, trials=8, trial_seconds=2, trial_megabytes=300)
    models = list(found.run())
    assert len(models) >= 3
    trials = found.trials.set_index(found.trials.config.map(lambda text: json.loads(text)["model"]))
    bad = {name: (trials.loc[name].status, trials.loc[name].reason) for name in names.split()}
    assert bad["failing"][0] == "failed" and "this pipeline always fails" in bad["failing"][1]
    assert bad["hanging"][0] == "timeout" and "2 s" in bad["hanging"][1]
    assert bad["hungry"][0] == "memory" and "memory" in bad["hungry"][1]
    assert bad["missing"][0] == "failed" and "missing" in bad["missing"][1]
    assert bad["dying"][0] == "failed" and "SIGABRT" in bad["dying"][1]


def test_a_finite_space_ends_the_study(tmp_path):
    from ConfigSpace import ConfigurationSpace

    space = ConfigurationSpace({"model": ["line"], "slope": [0.5, 1.0, 1.5]})
    found = study(tmp_path / "s", trials=50, space=space)
    list(found.run())
    assert found.ended == "exhausted"
    assert sorted(json.loads(text)["slope"] for text in finished(found).config) == [0.5, 1.0, 1.5]
    found.space = ConfigurationSpace({"model": ["line"], "slope": [1.0, 2.0]})  # change it and go on
    list(found.run())
    assert sorted(json.loads(text)["slope"] for text in finished(found).config) == [0.5, 1.0, 1.5, 2.0]
    assert len(found.space) == 2


def test_time_ends_a_run(tmp_path):
    found = study(tmp_path / "s", "slow", trials=None, seconds=6)
    began = time.monotonic()
    assert list(found.run())
    assert time.monotonic() - began < 20
    assert found.ended == "time"


def test_progress_is_told_and_can_cancel(tmp_path):
    progress = Progress(lambda told: told.done >= 3 and told.cancel(), interval=0)
    found = study(tmp_path / "s", "slow", trials=40, progress=progress)
    list(found.run())
    assert found.ended == "stopped" and progress.total == 40
    assert 3 <= len(finished(found)) < 40


def test_two_workers(tmp_path):
    found = study(tmp_path / "s", "slow", trials=10, workers=2)
    list(found.run())
    assert len(finished(found)) == 10
    spans = found.trials[found.trials.source != "ensemble"]
    ends = spans.started + pd.to_timedelta(spans.seconds, unit="s")
    assert (spans.started.iloc[1:].to_numpy() < ends.iloc[:-1].to_numpy()).any()  # side by side


# -- what is refused


def test_a_study_is_not_written_over(whole):
    with pytest.raises(FileExistsError, match=r"Study\.open"):
        study(whole.path)


def test_run_twice_at_once_is_refused(tmp_path):
    found = study(tmp_path / "s", "slow", trials=30)
    run = found.run()
    next(run)
    with pytest.raises(RuntimeError, match="runs already"):
        next(found.run())
    other = Study.open(tmp_path / "s")
    with pytest.raises(StoreError, match="another process"):
        next(other.run())
    run.close()
    found.close()
    other.close()


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"trials": -1}, {"workers": 0}, {"trial_seconds": 0.0}])
def test_bad_numbers_are_named(tmp_path, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        study(tmp_path / "s", **wrong)
    assert not (tmp_path / "s").exists()


def test_what_is_no_study_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing"):
        Study.open(tmp_path / "nothing")
    (tmp_path / "study.sqlite").write_bytes(b"x" * 4096)
    with pytest.raises(FileFormatError, match=r"study\.sqlite"):
        Study.open(tmp_path)


def test_an_unknown_version_is_refused(tmp_path):
    found = study(tmp_path / "s")
    found.close()
    with sqlite3.connect(tmp_path / "s" / "study.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(FileFormatError, match="version 99"):
        Study.open(tmp_path / "s")


# -- which trial is next


def done(name, fidelity, cost, finished=True):
    return Done(name, {"name": name}, fidelity, cost, "search", finished)


def test_first_trial_is_a_thorough_one_and_the_rest_begin_cheap():
    queue = [Job({"a": 1}, 1 / 3, "portfolio"), Job({"a": 2}, 1 / 3, "portfolio")]
    assert next_job([], queue, (1 / 3, 1.0)).fidelity == 1.0
    assert next_job([done("x", 1.0, 0.0)], queue, (1 / 3, 1.0)) == queue[0]


def test_one_in_three_goes_on():
    levels, queue = (1 / 3, 1.0), [Job({"a": 1}, 1 / 3, "search")]
    trials = [done("a", 1 / 3, 3.0), done("b", 1 / 3, 1.0)]
    assert next_job(trials, queue, levels) == queue[0]
    trials.append(done("c", 1 / 3, 2.0))
    assert next_job(trials, queue, levels) == Job({"name": "b"}, 1.0, "search")
    trials.append(done("b", 1.0, None, finished=False))
    assert next_job(trials, queue, levels) == queue[0]


def test_what_failed_is_not_promoted_and_leftovers_come_last():
    levels = (1 / 3, 1.0)
    trials = [done("a", 1 / 3, None), done("b", 1 / 3, 2.0)]
    assert next_job(trials, [], levels).config == {"name": "b"}
    assert next_job([done("a", 1 / 3, None)], [], levels) is None


def test_surrogate_hears_of_the_most_thorough_trial():
    trials = [done("a", 1 / 3, 3.0), done("b", 1 / 3, None), done("a", 1.0, 2.0), done("c", 1.0, None, finished=False)]
    assert told(trials) == [({"name": "a"}, 2.0), ({"name": "b"}, None)]


def test_rungs_follow_the_size():
    assert rungs(100, 10, 5) == (1.0,)
    assert rungs(1000, 10, 5) == (1 / 3, 1.0)
    assert len(rungs(100_000, 10, 5)) == 3
    assert rungs(100_000, 10, 0) == (1.0,)


# -- the package's face


def test_importing_search_is_light():
    code = (
        "import sys; import learnviews.kernels.search as s; "
        "print([m for m in ('sklearn', 'smac', 'ConfigSpace', 'dask', 'skimage', 'torch') if m in sys.modules]); "
        "import learnviews.kernels.search.discover; print(callable(s.discover), s.Study.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "True Study"]
