"""Trials on a Dask cluster: the same results, and a lost worker costs its trial only."""

import os
import signal
import time

import pandas as pd
import pytest
from search_studies import assert_same, finished, real_study, study

from learnviews.kernels.workers import Limits

psutil = pytest.importorskip("psutil")
distributed = pytest.importorskip("distributed")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")]


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=0
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_a_cluster_finds_the_same(client, tmp_path):
    here, there = study(tmp_path / "a", "slow", trials=4), study(tmp_path / "b", "slow", trials=4, client=client)
    assert len(list(here.run())) == len(list(there.run()))
    pd.testing.assert_frame_equal(finished(here), finished(there), check_exact=True)


def test_limits_hold_on_a_cluster(client, tmp_path):
    found = study(tmp_path / "s", "hanging failing", trials=4, workers=2, trial_seconds=2, client=client)
    list(found.run())
    assert set(found.trials.status) >= {"ok", "failed", "timeout"}


def test_a_lost_worker_costs_only_its_trial(client, tmp_path):
    found = study(tmp_path / "s", "slow", trials=12, workers=2, client=client)
    pids = client.run(os.getpid)
    for number, _ in enumerate(found.run()):
        if number == 2:
            os.kill(next(iter(pids.values())), signal.SIGKILL)
    trials = found.trials[found.trials.source != "ensemble"]
    assert len(trials) <= 14 and (trials.status == "ok").sum() >= 11


def test_a_task_is_given_up(client):
    from learnviews.kernels.search.dask_workers import DaskPool

    pool = DaskPool(client, 2, 3)
    pool.submit("long", "search_tasks:sleep", (30,), Limits(60))
    pool.submit("short", "search_tasks:double", (2,))
    assert [(one.tag, one.value) for one in pool.wait(30)] == [("short", 6)]
    assert any(map(children, client.run(os.getpid).values()))
    assert pool.stop("long").status == "killed" and pool.running == []
    pool.close()
    end = time.monotonic() + 20
    while any(map(children, client.run(os.getpid).values())) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(map(children, client.run(os.getpid).values()))  # Dask workers are as they were


def children(pid):
    """Processes that trials run in, or come from."""
    return [child for child in psutil.Process(pid).children(recursive=True) if "nurse(" in " ".join(child.cmdline())]


def test_trials_have_one_thread_there_too(monkeypatch):
    from learnviews.kernels.search.dask_workers import DaskPool

    monkeypatch.setenv("OMP_NUM_THREADS", "4")  # as where nobody set it for Dask
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    here = {"n_workers": 1, "threads_per_worker": 2, "processes": False, "dashboard_address": ":0"}
    with distributed.LocalCluster(**here) as cluster, distributed.Client(cluster) as client:
        pool = DaskPool(client, 1, None)
        pool.submit("it", "search_tasks:threads")
        alive, pools = pool.wait(60)[0].value
        pool.close()
    assert alive == 1 and set(pools.values()) == {1}


def test_a_cluster_finds_the_same_with_real_pipelines(client, tmp_path):
    here = real_study(tmp_path / "a", slow=False, trials=8)
    there = real_study(tmp_path / "b", slow=False, trials=8, client=client)
    list(here.run())
    list(there.run())
    assert_same(here, there)


def test_a_lost_worker_costs_only_its_trial_of_real_pipelines(client, tmp_path):
    found = real_study(tmp_path / "s", slow=False, trials=14, workers=2, client=client)
    for number, _ in enumerate(found.run()):
        if number == 2:
            os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
    trials = found.trials[found.trials.source != "ensemble"]
    assert found.ended == "trials" and len(finished(found)) == 14
    assert (trials.status == "ok").sum() >= 13
