"""Studies that outlive pages: shared, paused and gone on with, killed and reopened, followed from elsewhere, lost."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from search_studies import real_study, study

from learnviews.apps.snowcat import studies
from learnviews.apps.snowcat.studies import CUT_SHORT, LiveStudy
from learnviews.kernels.search import Study

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


class Listener:
    """Who is told: a page, for a study."""

    def __init__(self, looks=True):
        self.events, self.looks = [], looks
        self.came = threading.Condition()

    def __call__(self, *events):
        with self.came:
            self.events += events
            self.came.notify_all()

    def wait(self, condition, timeout=30.0):
        """Until a condition holds that is looked at whenever something is told."""
        with self.came:
            assert self.came.wait_for(condition, timeout), self.events


def until(condition, timeout=30.0):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(studies, "LOOK", 0.05)
    monkeypatch.setattr(studies, "QUICK", 0.01)


@pytest.fixture
def live(tmp_path):
    """A study whose trials take a tenth of a second each; it would go on for long."""
    made = LiveStudy(study(tmp_path / "s", "slow", trials=500))
    yield made
    made.close()
    until(lambda: made._run is None or not made._run.thread.is_alive())


def test_two_pages_see_the_same_and_both_can_stop_it(live):
    one, other = Listener(), Listener()
    live.watch(one, lambda: one.looks)
    live.watch(other, lambda: other.looks)
    live.go_on()
    live.go_on()  # the other page's click on the same button
    for page in (one, other):
        page.wait(lambda: live.seen is not None and len(live.models) >= 2)
        assert {"studies", "models", "progress"} <= set(page.events)
    assert live.state == "running" and 0 <= live.done < 1
    live.pause()
    assert live.state == "paused"
    one.wait(lambda: "studies" in other.events)
    until(lambda: not live.stopping)
    there = len(live.models)
    live.go_on(trials=len(live.study.trials) + 4)
    until(lambda: live.state == "ended")
    assert len(live.models) > there and live.study.ended == "trials"


def test_what_is_paused_goes_on_with_the_time_that_is_left(live):
    live.go_on(seconds=300)
    until(lambda: len(live.models) >= 1)
    live.pause()
    live.go_on()
    assert live.state == "running" and 200 < live.left < 300
    live.stop()
    assert live.state == "ended" and live.left is None
    live.pause()  # nothing runs: says nothing
    assert live.state == "ended"


def test_pausing_at_once_is_not_lost(live):
    for _ in range(5):
        live.go_on()
        live.pause()
    until(lambda: not live.stopping)
    assert live.state == "paused" and not live.study.running


def test_nobody_looks_nothing_is_looked_at(live, monkeypatch):
    page = Listener(looks=False)
    live.watch(page, lambda: page.looks)
    live.go_on(trials=4)
    until(lambda: live.state == "ended")
    assert live.seen is None and "progress" not in page.events
    assert len(live.models) >= 1  # asked for, they are there
    page.looks = True
    page.wait(lambda: live.seen is not None)
    assert len(live.seen.trials) == len(live.seen.families) == len(live.study.trials)


def test_models_are_asked_for_once_per_change(live, monkeypatch):
    live.go_on(trials=4)
    until(lambda: live.state == "ended")
    asked = []
    monkeypatch.setattr(Study, "models", property(lambda self, real=Study.models: asked.append(1) or real.fget(self)))
    first = live.models
    for _ in range(20):
        assert live.models is first
        assert live.model(first[0].number) is first[0]
    assert len(asked) <= 1
    assert live.model(-1).number == -1 and live.model(10**6) is None


def test_an_ensemble_that_was_replaced_is_known_still(live):
    live.go_on(trials=3)
    until(lambda: live.state == "ended")
    store, numbers = live.study._store, []
    for weight in (0.5, 0.7):
        config = {"model": "ensemble", "members": [1, 2], "weights": [weight, 1 - weight]}
        numbers.append(store.begin(config, f"{weight}", f"ensemble {weight}", "ensemble", 1.0, 0))
        store.finish(numbers[-1], "ok", cost=0.0, metrics={"train": 0.0}, seconds=0.0, kept=1)
    assert [model.number for model in live.models if model.members] == numbers[1:]
    assert live.model(numbers[0]).name == "ensemble 0.5"


def test_a_deleted_folder_is_told_and_what_was_seen_stays(live):
    page = Listener()
    live.watch(page)
    live.go_on()
    page.wait(lambda: live.seen is not None and len(live.models) >= 2)
    there = len(live.models)
    shutil.rmtree(live.path, ignore_errors=True)
    page.wait(lambda: live.state == "failed")
    assert str(live.path) in live.why and not live.can_go_on
    assert len(live.models) >= there and live.seen is not None
    with pytest.raises(ValueError, match="cannot go on"):
        live.go_on()
    until(lambda: not live.stopping)


def test_a_disk_that_is_full_stops_the_run_and_it_goes_on_later(live, monkeypatch):
    from learnviews.kernels.search import study_files
    from learnviews.kernels.store import StoreError

    def full(path, frame, about=None):
        raise StoreError(f"{path}: could not be written: No space left on device")

    page = Listener()
    live.watch(page)
    with monkeypatch.context() as patch:
        patch.setattr(study_files, "write_frame", full)
        live.go_on()
        page.wait(lambda: live.state == "failed")
    assert "No space left" in live.why and live.can_go_on
    live.go_on(trials=len(live.study.trials) + 3)
    until(lambda: live.state == "ended")
    assert live.why == "" and len(live.models) >= 1


def test_a_worker_that_dies_costs_one_trial(tmp_path):
    live = LiveStudy(study(tmp_path / "s", "dying", trials=6))
    live.go_on()
    until(lambda: live.state == "ended")
    assert live.study.trials["reason"].str.contains("died of").any() and len(live.models) >= 1
    live.close()


RUN = """
import sys
from pathlib import Path
from learnviews.kernels.search.study import Study
for model in Study.open(Path(sys.argv[1])).run(trials=400):
    print(model.number, flush=True)
"""


@pytest.fixture
def elsewhere(tmp_path):
    """A study that another process runs: its path, and the process."""
    study(tmp_path / "s", "slow").close()
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), *sys.path])}
    command = [sys.executable, "-c", RUN, str(tmp_path / "s")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, start_new_session=True)
    assert process.stdout.readline()
    yield tmp_path / "s", process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_a_run_of_another_process_is_followed_and_after_its_death_gone_on_with(elsewhere):
    path, process = elsewhere
    live, page = LiveStudy.open(path), Listener()
    assert live.state == "elsewhere"
    live.watch(page)
    page.wait(lambda: live.seen is not None and len(live.models) >= 1)
    there = len(live.models)
    page.wait(lambda: len(live.models) > there)
    for act in (live.go_on, live.pause, live.stop):
        with pytest.raises(ValueError, match="another program"):
            act()
    os.killpg(process.pid, signal.SIGKILL)
    page.wait(lambda: live.state == "paused")
    assert live.why == CUT_SHORT
    there = len(live.models)
    live.go_on(trials=len(live.study.trials) + 4)
    until(lambda: live.state == "ended")
    assert len(live.models) > there and live.why == ""
    live.close()


def test_a_study_that_another_process_begins_to_run_is_noticed(tmp_path):
    study(tmp_path / "s", "slow", trials=3).close()
    live, page = LiveStudy.open(tmp_path / "s"), Listener()
    assert live.state == "paused" and "not begun" in live.why
    live.watch(page)
    other = Study.open(tmp_path / "s")  # to SQLite and its lock another one, whatever process it is of
    run = other.run(trials=400)
    next(run)
    page.wait(lambda: live.state == "elsewhere")
    run.close()
    page.wait(lambda: live.state == "paused")
    other.close()
    live.close()


def test_states_after_a_restart(tmp_path):
    found = study(tmp_path / "s", "slow", trials=3)
    list(found.run())
    found.close()
    assert LiveStudy.open(tmp_path / "s").state == "ended"
    again = LiveStudy.open(tmp_path / "s")
    again.go_on(trials=300)
    until(lambda: len(again.models) > 3)
    again.pause()
    until(lambda: not again.stopping)
    assert LiveStudy.open(tmp_path / "s").state == "paused"


def test_what_is_tried_changes_with_the_next_run_and_is_remembered(tmp_path):
    live = LiveStudy(real_study(tmp_path / "s", "patients", slow=False, trials=3))
    assert "forest" in live.excluded and "tree" not in live.excluded
    live.leave_out([*live.excluded, "tree", "scale=robust"])
    live.go_on(trials=8)
    until(lambda: live.state in ("ended", "failed"), 60)
    assert live.state == "ended", live.why
    trials = live.study.trials
    assert not trials["config"].str.contains('"model": "tree"').any() and len(trials) >= 6
    live.close()
    assert set(LiveStudy.open(tmp_path / "s").exclude) == set(live.exclude)


def test_a_run_of_real_models_is_nice_and_all_have_intervals(tmp_path):
    live, page = LiveStudy(real_study(tmp_path / "s", "patients", slow=False, trials=4)), Listener()
    live.watch(page)
    studies.warm_up()
    before = set(_niceness())  # servers of other tests
    live.go_on()
    page.wait(lambda: live.seen is not None and len(live.seen.running) > 0, 60)
    nice = min(studies.NICE, 19 - os.nice(0))
    until(lambda: {value for pid, value in _niceness().items() if pid not in before} == {nice})
    page.wait(lambda: live.state in ("ended", "failed"), 60)
    page.wait(lambda: live.seen.board["number"].notna().sum() == len(live.models) > 0)
    assert live.state == "ended" and live.why == ""
    board = live.seen.board
    assert board["number"].isna().sum() == 1 and board[["low", "high"]].notna().all(axis=None)
    live.close()


def _niceness():
    """Of the processes that this one has started, and theirs: by their numbers."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.name)] = int(fields[1]), int(fields[16])
    ours = {os.getpid()}
    for _ in range(4):
        ours |= {pid for pid, (parent, _) in parents.items() if parent in ours}
    return {pid: parents[pid][1] - os.nice(0) for pid in ours - {os.getpid()} if pid in parents}
