"""What goes wrong around a study: limits, full disks, folders that are gone, others who write, and it goes on."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from search_studies import finished, real_study, study

from learnviews.kernels import search
from learnviews.kernels.search.study import Study
from learnviews.kernels.store import StoreError

pytestmark = pytest.mark.slow

psutil = pytest.importorskip("psutil")


def goes_on(path, trials):
    """The study opens again, and ends as it should."""
    found = Study.open(path)
    assert (found.trials.status == "ok").any() and len(found.models) >= 1
    list(found.run(trials=trials))
    assert len(finished(found)) == trials and "running" not in set(found.trials.status)
    found.close()


def test_limits_stop_real_pipelines(tmp_path):
    from ConfigSpace import ConfigurationSpace

    rng = np.random.default_rng(0)
    X = rng.normal(size=(24_000, 8))
    table = pd.DataFrame(X, columns=list("abcdefgh")).assign(y=X @ rng.normal(size=8) + rng.normal(size=24_000))
    long = {"mlp:width": 256, "mlp:layers": 3, "mlp:epochs": 400, "mlp:rate": 1e-4}
    space = ConfigurationSpace({"model": ["linear", "gaussian", "mlp"], **long})
    problem = search.Problem("y", "regression", "meanSquaredError")
    found = search.Study(table, problem, tmp_path / "s", trials=3, trial_seconds=6, trial_megabytes=150, space=space)
    list(found.run())
    ends = {json.loads(row.config)["model"]: (row.status, row.reason) for row in found.trials.itertuples()}
    assert ends["linear"][0] == "ok"
    assert ends["gaussian"][0] == "memory" and "memory" in ends["gaussian"][1]  # thousands of rows by as many
    assert ends["mlp"] == ("timeout", "took longer than 6 s")
    spent = found.timings()
    assert spent["overhead"] < 6 < spent["lost"]


def test_a_full_disk_is_one_clear_error_and_the_study_goes_on(tmp_path):
    found = study(tmp_path / "s", "slow", trials=100)
    run = found.run()
    next(run)
    pages = found._store._connection.execute("PRAGMA page_count").fetchone()[0]
    found._store._connection.execute(f"PRAGMA max_page_count = {pages + 1}")  # as SQLite finds a disk without space
    with pytest.raises(StoreError):
        for _ in range(1000):  # trials that never end
            found._store.begin({}, "", "x" * 100, "search", 1.0, 0)
    with pytest.raises(StoreError, match=r"study\.sqlite.*full.*is kept"):
        list(run)
    found.close()
    again = Study.open(tmp_path / "s")
    there = (again.trials.status == "ok").sum()
    again.close()
    goes_on(tmp_path / "s", there + 2)


def test_a_folder_without_room_for_predictions_is_one_clear_error(tmp_path):
    found = study(tmp_path / "s", "slow", trials=40)
    models = 0
    with pytest.raises(StoreError, match=r"predictions.*could not be written"):
        for _ in found.run():
            models += 1
            if models == 3:
                (tmp_path / "s" / "predictions").rename(tmp_path / "away")
    assert models >= 3
    found.close()
    (tmp_path / "away").rename(tmp_path / "s" / "predictions")
    goes_on(tmp_path / "s", models + 3)


def test_what_could_not_be_made_leaves_its_name_free(tmp_path, monkeypatch):
    from learnviews.kernels.search import study_files

    def full(folder, data):
        (folder / "data.parquet.part").write_bytes(b"half")
        raise StoreError(f"{folder}: could not be written: No space left on device")

    monkeypatch.setattr(study_files, "write_dataset", full)
    with pytest.raises(StoreError, match="No space"):
        study(tmp_path / "s")
    monkeypatch.undo()
    study(tmp_path / "s", trials=1).close()


@pytest.mark.skipif(os.getuid() == 0 and not shutil.which("setpriv"), reason="to root no folder is read-only")
def test_a_read_only_study_can_be_looked_at_but_not_run(tmp_path):
    found = study(tmp_path / "s", trials=2)
    list(found.run())
    found.close()
    for path in [*tmp_path.rglob("*"), tmp_path]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    for path in (tmp_path.parent, tmp_path.parent.parent):  # ours, but not theirs
        path.chmod(path.stat().st_mode | 0o055)
    code = """
import sys
from pathlib import Path
from learnviews.kernels.search.study import Study
from learnviews.kernels.store import StoreError
found = Study.open(Path(sys.argv[1]))
print(len(found.models))
try:
    next(found.run())
except StoreError as error:
    print(error)
"""
    nobody = ["setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all"] if os.getuid() == 0 else []
    places = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    done = subprocess.run(
        [*nobody, sys.executable, "-c", code, tmp_path / "s"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": places, "HOME": "/nonexistent"},
    )
    if nobody and "Permission denied" in done.stderr and "study.sqlite" not in done.stderr:
        pytest.skip("another user cannot start this Python")
    assert done.returncode == 0, done.stderr
    models, said = done.stdout.splitlines()
    assert int(models) >= 2 and "study.sqlite" in said and "cannot be written" in said


SCRIPT = """
import sys
from pathlib import Path
from learnviews.kernels.search.study import Study
try:
    next(Study.open(Path(sys.argv[1])).run())
except OSError as error:
    print(error)
"""


def test_two_processes_on_one_study(tmp_path):
    found = study(tmp_path / "s", "slow", trials=400)
    run = found.run()
    next(run)
    places = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, tmp_path / "s"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": places},
    )
    assert "another process is writing this study" in done.stdout
    next(run)  # it does not mind
    other = Study.open(tmp_path / "s")
    with pytest.raises(StoreError, match="another process"):
        other.space = None
    other.close()
    run.close()
    found.close()


def test_close_does_not_wait_for_who_iterates(tmp_path):
    found = study(tmp_path / "s", "slow", trials=400)
    run = found.run()
    next(run)
    found.close()  # with the iterator still there, in the same thread
    again = Study.open(tmp_path / "s")
    there = len(finished(again))
    again.close()
    goes_on(tmp_path / "s", there + 1)
    run.close()


def test_an_old_iterator_does_not_stop_a_new_run(tmp_path):
    found = study(tmp_path / "s", "slow", trials=8)
    old = found.run()
    next(old)
    found.stop()
    found._runs.acquire()  # until its thread is gone
    found._runs.release()
    new = found.run()
    next(new)
    old.close()
    list(new)
    assert found.ended == "trials" and len(finished(found)) == 8


def test_budget_and_workers_change_between_runs(tmp_path):
    found = study(tmp_path / "s", "slow", trials=3)
    list(found.run())
    found.trials_wanted, found.workers = 7, 2
    list(found.run())
    assert len(finished(found)) == 7
    assert [run["workers"] for run in found._store.runs()] == [1, 2]


def test_a_space_that_is_none_is_refused(tmp_path):
    with pytest.raises(TypeError, match="space is a dict; expected a ConfigSpace"):
        study(tmp_path / "s", space={"model": ["line"]})
    assert not (tmp_path / "s").exists()


def workers_of_trials():
    """Those whose nursery has imported scikit-learn; the other one makes proposals."""
    nurseries = [child for child in psutil.Process().children() if "sklearn.ensemble" in " ".join(child.cmdline())]
    return [worker for nursery in nurseries for worker in nursery.children()]


def test_a_real_pipeline_killed_by_a_signal_costs_only_its_trial(tmp_path):
    found = real_study(tmp_path / "s", slow=False, trials=8)
    killed = 0
    for _ in found.run():
        if not killed:
            for worker in workers_of_trials():
                worker.kill()
                killed += 1
    assert killed == 1 and found.ended == "trials"
    trials = found.trials[found.trials.source != "ensemble"]
    assert len(trials) == 8 and (trials.status == "ok").sum() >= 7
    assert all("SIGKILL" in reason for reason in trials[trials.status != "ok"].reason)


@pytest.mark.parametrize("deaths", [1, 2])
def test_proposals_are_asked_for_again_where_their_process_was_killed(deaths, tmp_path, monkeypatch):
    left = tmp_path / "deaths"
    left.write_text(str(deaths))
    monkeypatch.setenv("LEARNVIEWS_TEST_LOST", str(left))
    found = study(tmp_path / "s", maker="search_lost", trials=8)
    if deaths > 1:
        with pytest.raises(RuntimeError, match=r"no proposals could be made, twice: .*SIGKILL"):
            list(found.run())
    assert len(list(found.run())) and len(finished(found)) == 8 and left.read_text() == "0"
    found.close()
