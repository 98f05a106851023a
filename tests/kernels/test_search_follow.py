"""Studies that are looked at while they grow: cheap to ask for news, from any process, with thousands of trials."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from search_studies import study

from learnviews.kernels.search import Study, study_files
from learnviews.kernels.search.study_store import StudyStore
from learnviews.kernels.store import StoreError, WriterLock, is_locked


def add(store, count, kept=1):
    """Finished trials that cost ever more, as a search would note them."""
    for at in range(count):
        number = store.begin({"model": "line", "slope": float(at)}, f"{at}", f"line {at}", "search", 1.0, at)
        value = 1.0 + number
        store.finish(number, "ok", cost=value, metrics={"train": value, "holdout": value}, seconds=0.1, kept=kept)


def predictions(found, numbers):
    frame = found.baseline.predictions
    for number in numbers:
        study_files.write_frame(found.path / "predictions" / f"{number}.parquet", frame)


@pytest.fixture
def large(tmp_path):
    """300 trials, files of the first 5 only."""
    found = study(tmp_path / "s")
    add(found._store, 300)
    predictions(found, range(1, 6))
    yield found
    found.close()


def naive(store):
    rows = store._connection.execute("SELECT * FROM trials ORDER BY number").fetchall()
    return [{**row, "config": json.loads(row["config"])} for row in rows]


def assert_current(store):
    there = [{name: row[name] for name in ("number", "status", "cost", "config")} for row in store.trials()]
    assert there == [{name: row[name] for name in ("number", "status", "cost", "config")} for row in naive(store)]


def test_rows_that_are_kept_are_those_that_are_stored(large):
    other = StudyStore.open(large.path)
    running = large._store.begin({"model": "line", "slope": 0.5}, "k", "line", "search", 1.0, 0)
    for store in (other, large._store):
        assert_current(store)
    add(other, 2)
    other.finish(running, "failed", "why")
    for store in (other, large._store):
        assert_current(store)
    left = other.begin({"model": "line", "slope": 0.6}, "l", "line", "search", 1.0, 0)
    assert_current(large._store)
    assert other.abandon("its process ended") == 1
    assert_current(large._store)
    assert large._store.trials()[left - 1]["status"] == "killed"
    other.close()


def test_version_tells_of_what_another_connection_did(large):
    other = Study.open(large.path)
    before = other.version
    assert other.version == before
    for change in (
        lambda: large._store.begin({"slope": 1.0}, "k", "line", "search", 1.0, 0),
        lambda: large._store.finish(301, "timeout", "slow"),
        lambda: large._store.begin_run(1),
        lambda: large._store.end_run(1, 2.0),
    ):
        change()
        assert other.version != before
        before = other.version
        assert other.version == before
    other.leaderboard(top=3)  # keeps intervals: no news
    assert other.version == before
    assert len(other.trials) == 301
    other.close()


def test_nothing_is_decoded_where_nothing_is_new(large, monkeypatch):
    from learnviews.kernels.search import study_store

    large.version, large.trials, large.leaderboard(top=3)
    decoded = []
    monkeypatch.setattr(study_store, "_decoded", lambda row, real=study_store._decoded: decoded.append(1) or real(row))
    monkeypatch.setattr(study_files, "read_frame", lambda path: pytest.fail(f"{path} is read"))
    large.version, large.trials, large.models, large.best, large.leaderboard(top=3)
    assert not decoded
    add(large._store, 1)
    assert len(large.trials) == 301 and len(large.models) == 301
    assert len(decoded) == 1


def test_trials_are_a_copy(large):
    trials = large.trials
    trials.loc[0, "status"] = "odd"
    assert set(large.trials["status"]) == {"ok"}


def test_leaderboard_of_the_top_reads_their_predictions_once(large, monkeypatch):
    board = large.leaderboard(top=5)
    assert len(board) == 6 and (board["name"] == "trivial").sum() == 1
    models = board[board["number"].notna()]
    assert models["number"].tolist() == [1, 2, 3, 4, 5] and models[["low", "high"]].notna().all(axis=None)
    monkeypatch.setattr(study_files, "read_frame", lambda path: pytest.fail(f"{path} is read"))
    pd.testing.assert_frame_equal(large.leaderboard(top=5), board)


def test_intervals_outlive_the_process(large, monkeypatch):
    board = large.leaderboard(top=5)
    again = Study.open(large.path)
    _ = again.plan, again.baseline
    monkeypatch.setattr(study_files, "read_frame", lambda path: pytest.fail(f"{path} is read"))
    pd.testing.assert_frame_equal(again.leaderboard(top=5), board)
    again.close()


def test_a_whole_leaderboard_draws_intervals_of_the_best_only(large, monkeypatch):
    from learnviews.kernels.search import study_tables

    monkeypatch.setattr(study_tables, "SURE", 4)
    board = large.leaderboard()
    assert len(board) == 301
    known = board[board["number"].notna() & board["low"].notna()]
    assert known["number"].tolist() == [1, 2, 3, 4]
    assert board["meanSquaredError"].notna().all()


def test_top_is_a_number_above_0(large):
    with pytest.raises(ValueError, match="top is 0"):
        large.leaderboard(top=0)


def test_intervals_are_those_of_the_model(tmp_path):
    found = study(tmp_path / "s", trials=4)
    models = list(found.run())
    board = found.leaderboard().set_index("number")
    for model in models:
        wanted = model.scores.loc["meanSquaredError"]
        if model.number in board.index:
            said = board.loc[model.number, ["meanSquaredError", "low", "high"]]
            np.testing.assert_allclose(said.to_numpy(float), wanted[["value", "low", "high"]].to_numpy(float))
            assert board.loc[model.number, "split"] == wanted["split"]
    found.close()


@pytest.mark.parametrize("task", ["trials", "models", "best", "version", "in_progress", "leaderboard"])
def test_a_deleted_folder_is_named(tmp_path, task):
    found = study(tmp_path / "s", trials=2)
    add(found._store, 1)
    _ = found.version
    shutil.rmtree(tmp_path / "s")
    if task == "in_progress":
        found._runs.acquire()
    with pytest.raises(StoreError, match=r"s: this study's folder was deleted or replaced while it was open"):
        said = getattr(found, task)
        said() if callable(said) else None
    if task == "in_progress":
        found._runs.release()
    found.close()


def test_a_study_made_anew_in_the_same_place_is_another_one(tmp_path):
    found = study(tmp_path / "s", trials=2)
    (tmp_path / "s").rename(tmp_path / "old")
    other = study(tmp_path / "s", trials=2)
    with pytest.raises(StoreError, match="replaced"):
        _ = found.version
    found.close()
    assert len(other.trials) == 0
    other.close()


def test_predictions_that_are_gone_are_named(large):
    (large.path / "predictions" / "1.parquet").unlink()
    with pytest.raises(FileNotFoundError, match=r"predictions.1\.parquet"):
        _ = large.models[0].predictions


RUN = """
import sys
from pathlib import Path
from learnviews.kernels.search.study import Study
for model in Study.open(Path(sys.argv[1])).run(trials=400):
    print(model.number, flush=True)
"""


def test_a_run_of_another_process_is_followed_and_its_end_is_seen(tmp_path):
    study(tmp_path / "s", "slow").close()
    found = Study.open(tmp_path / "s")
    assert not found.running and found.in_progress.empty and found.best is None
    before = found.version
    places = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, tmp_path / "s"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": places},
        start_new_session=True,
    )
    try:
        assert run.stdout.readline() and run.stdout.readline()  # two models
        assert found.running and found.version != before
        assert len(found.models) >= 2 and found.best.score == found.best.score
        assert len(found.leaderboard(top=50)) >= 3
        for _ in range(200):  # between two trials nothing runs
            if len(under := found.in_progress):
                break
            time.sleep(0.01)
        assert list(under.columns) == ["number", "name", "started", "fidelity", "source"]
        assert under["name"].str.startswith("line").all() and under["fidelity"].between(0, 1).all()
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
    before = found.version  # it has been killed: nobody tells
    assert not found.running and found.in_progress.empty and found.ended == "killed"
    assert len(found.models) >= 2
    found.close()
    goes_on = Study.open(tmp_path / "s")
    there = len(goes_on.models)
    for _ in goes_on.run(trials=there + 3):
        assert goes_on.running
    assert not goes_on.running and goes_on.version != before
    assert goes_on.ended == "trials" and Study.open(tmp_path / "s").ended == "trials"
    goes_on.close()


def test_a_lock_is_seen_and_not_taken(tmp_path):
    file = tmp_path / "f"
    assert not is_locked(file)
    lock = WriterLock(file, "study")
    assert is_locked(file) and is_locked(file)
    with pytest.raises(StoreError, match="another process"):
        WriterLock(file, "study")
    lock.release()
    assert not is_locked(file)
    (tmp_path / "f-lock").touch()  # of a process that was killed
    assert not is_locked(file)
    WriterLock(file, "study").release()


def test_a_model_is_found_by_its_number(large):
    assert large.model(3).name == "line 2" and large.model(3) is large.models[2]
    number = large._store.begin({"model": "line", "slope": 0.5}, "k", "line", "search", 0.3, 0)
    for missing in (number, 10**6, -1):
        with pytest.raises(LookupError, match=f"no model {missing}"):
            large.model(missing)


def test_how_the_last_run_ended_is_kept(tmp_path):
    found = study(tmp_path / "s", "slow", trials=3)
    assert found.ended == ""
    for _ in found.run(trials=300):
        assert found.ended == ""  # it goes on
        break
    other = Study.open(tmp_path / "s")
    assert found.ended == other.ended == "stopped"
    list(found.run(trials=len(found.trials) + 2))
    assert found.ended == other.ended == "trials"
    found.close()
    other.close()
