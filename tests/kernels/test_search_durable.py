"""Studies with real pipelines: the same again bit by bit, killed and gone on with, and nothing left behind."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from search_studies import AUTOS, assert_same, finished, real_study

from learnviews.kernels.search.study import Study

psutil = pytest.importorskip("psutil")
TESTS = Path(__file__).parents[1]
needs_autos = pytest.mark.skipif(not AUTOS.is_dir(), reason=f"{AUTOS.parent} is not there")


def batches(path):
    """How many times SMAC was asked, and how many times it answered, read from outside."""
    with sqlite3.connect(f"file:{path / 'study.sqlite'}?mode=ro", uri=True, timeout=10) as connection:
        found = connection.execute("SELECT count(*), count(configs) FROM batches WHERE number > 1").fetchone()
    connection.close()
    return found


def ended(path):
    with sqlite3.connect(f"file:{path / 'study.sqlite'}?mode=ro", uri=True, timeout=10) as connection:
        found = connection.execute("SELECT count(*) FROM trials WHERE finished IS NOT NULL").fetchone()[0]
    connection.close()
    return found


# -- the same again


@pytest.mark.slow
def test_same_seed_same_bits_of_quick_models(tmp_path):
    one, other = (real_study(tmp_path / name, slow=False, trials=20) for name in "ab")
    for found in (one, other):
        list(found.run())
    assert batches(one.path)[1] >= 1  # the surrogate took part
    assert_same(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["patients", "flowers", pytest.param("autos", marks=needs_autos)])
def test_same_seed_same_bits(tmp_path, name):
    trials = 36 if name == "autos" else 28  # of many rows cheap trials come first
    one, other = (real_study(tmp_path / each, name, trials=trials) for each in "ab")
    for found in (one, other):
        list(found.run())
    assert batches(one.path)[1] >= 1
    assert_same(one, other)


def test_a_pipeline_that_is_fitted_again_says_the_same_to_the_last_bit(tmp_path):
    found = real_study(tmp_path / "s", trials=4)  # tree, ridge, forest, boosting
    list(found.run())
    again = Study.open(tmp_path / "s")
    rows = found.data.frame
    for model in found.models:
        there = next(other for other in again.models if other.number == model.number)
        assert model.predict(rows).equals(there.predict(rows)), model.name


# -- killed

SCRIPT = """
import sys
from pathlib import Path
from search_studies import real_study
from learnviews.kernels.search.study import Study
path, trials = Path(sys.argv[1]), int(sys.argv[2])
found = Study.open(path) if path.exists() else real_study(path, slow=False, trials=trials)
for model in found.run():
    pass
"""


def killed(path, trials, when):
    """Run the study in a process, and kill its whole group once `when` is true of its folder; how many had ended."""
    places = os.pathsep.join([str(TESTS), *sys.path])
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, path, str(trials)],
        env=os.environ | {"PYTHONPATH": places},
        start_new_session=True,
    ) as process:
        while not ((path / "study.sqlite").exists() and (path / "study.sqlite").stat().st_size and when(path)):
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.002)
        family = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    gone, alive = psutil.wait_procs(family, timeout=10)
    assert gone and not alive
    return ended(path)


def asked_for(batch):
    """While the `batch`-th proposals of SMAC are on their way."""

    def when(path):
        asked, answered = _quietly(batches, path)
        return asked >= batch and answered < asked

    return when


def many(trials):
    return lambda path: _quietly(ended, path) >= trials


def _quietly(read, path):
    try:
        return read(path)
    except sqlite3.OperationalError:  # its tables are not there yet
        return (0, 0) if read is batches else 0


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_as_if_it_never_was(tmp_path):
    trials = 30
    unbroken = real_study(tmp_path / "unbroken", slow=False, trials=trials)
    list(unbroken.run())
    path = tmp_path / "killed"
    for when in (many(2), asked_for(1), many(12), asked_for(2)):
        there = killed(path, trials, when)
        found = Study.open(path)
        assert (found.trials.status == "running").sum() <= 1
        assert len(finished(found)) - (found.trials.status == "running").sum() == there
        assert len(found.models) == (found.trials.cost.notna() & (found.trials.fidelity == 1)).sum()
        found.close()
    found = Study.open(path)
    list(found.run())
    assert (found.trials.status == "killed").sum() <= 4
    assert_same(unbroken, found)
    spent = found.timings()
    parts = ("fit", "score", "lost", "handling", "idle")
    assert sum(spent[name] for name in parts) == pytest.approx(spent["available"])
    assert spent["idle"] > -0.5


@pytest.mark.slow
def test_stopped_by_another_thread_and_left_early_it_ends_as_if_it_never_was(tmp_path):
    unbroken = real_study(tmp_path / "unbroken", slow=False, trials=10)
    list(unbroken.run())
    found = real_study(tmp_path / "s", slow=False, trials=10)
    for model in found.run():
        if model.number == 2:
            threading.Thread(target=found.stop).start()
    for model in found.run():
        if model.number > 4:
            break
    list(found.run())
    assert found.ended == "trials"
    assert_same(unbroken, found)
