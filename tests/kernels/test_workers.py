"""Worker processes: results come back, limits hold, nothing is left behind."""

import os
import signal
import subprocess
import sys
import time

import pytest

from learnviews.kernels import nursery
from learnviews.kernels.nursery import Nursery
from learnviews.kernels.workers import Limits, Pool

psutil = pytest.importorskip("psutil")


@pytest.fixture(scope="module")
def pool():
    with Pool(2, context=21) as pool:
        yield pool


def outcome(pool, function, *arguments, limits=None):
    pool.submit("it", f"search_tasks:{function}", arguments, limits)
    found = pool.wait(30)
    assert [one.tag for one in found] == ["it"]
    return found[0]


def test_results_come_back_with_the_context(pool):
    done = outcome(pool, "double", 2)
    assert (done.status, done.value) == ("ok", 42)
    assert 0 < done.seconds < 30


def test_two_tasks_run_side_by_side(pool):
    pool.submit("a", "search_tasks:pid")
    pool.submit("b", "search_tasks:pid")
    assert sorted(pool.running) == ["a", "b"] and pool.free == 0
    with pytest.raises(RuntimeError, match="no worker is free"):
        pool.submit("c", "search_tasks:pid")
    found = []
    while len(found) < 2:
        found += pool.wait(30)
    assert len({one.value for one in found}) == 2


@pytest.mark.parametrize(
    ("task", "arguments", "said"),
    [
        ("fail", ("no such luck",), "ValueError: no such luck"),
        ("leave", (), "SystemExit: 3"),
        ("die", (), "SIGABRT"),
        ("unsendable", (), "cannot be sent"),
        ("asks", (), "EOFError"),
        ("there_is_none", (), "AttributeError"),
        ("unreadable", (), "cannot be read: ValueError: only there"),
    ],
)
def test_a_failure_is_an_outcome_with_its_reason(pool, task, arguments, said):
    done = outcome(pool, task, *arguments)
    assert done.status == "failed" and said in done.reason
    assert outcome(pool, "double", 1).value == 21  # the next one finds a worker


@pytest.mark.parametrize("task", ["sleep", "spin"])
def test_time_limit_stops_a_task(pool, task):
    began = time.monotonic()
    done = outcome(pool, task, 60, limits=Limits(seconds=0.3))
    assert done.status == "timeout" and "0.3 s" in done.reason
    assert time.monotonic() - began < 5
    assert outcome(pool, "double", 1).value == 21


@pytest.mark.parametrize("task", ["grow", "allocate"])
def test_memory_limit_stops_a_task(pool, task):
    done = outcome(pool, task, 4000, limits=Limits(seconds=30, megabytes=100))
    assert done.status == "memory" and "memory" in done.reason
    assert outcome(pool, "double", 1).value == 21


def test_less_than_the_limit_is_fine(pool):
    assert outcome(pool, "allocate", 50, limits=Limits(megabytes=100)).value == 50 << 20


def test_stop_terminates_one_task(pool):
    pool.submit("long", "search_tasks:sleep", (60,))
    assert pool.wait(0.1) == []
    assert pool.stop("nobody") is None
    done = pool.stop("long", reason="enough")
    assert (done.status, done.reason) == ("killed", "enough")
    assert pool.running == []


def test_close_leaves_no_process():
    pool = Pool(2, context=1)
    pool.submit("a", "search_tasks:sleep", (60,))
    pool.submit("b", "search_tasks:pid")
    child = pool.wait(30)[0].value
    nursery = psutil.Process(child).parent()
    pool.close()
    pool.close()
    assert not psutil.pid_exists(child) and not nursery.is_running()


def test_workers_have_one_thread_and_one_order_of_sets(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4")  # what the user wants for himself
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    monkeypatch.setenv("PYTHONHASHSEED", "random")
    orders = []
    for _ in range(2):
        with Pool(1) as pool:
            orders.append(outcome(pool, "order").value)
            alive, pools = outcome(pool, "threads").value
            assert alive == 1 and {"openblas", "openmp"} <= set(pools) and set(pools.values()) == {1}
    assert orders[0] == orders[1]


def test_a_worker_killed_between_tasks_is_replaced():
    with Pool(1, context=1) as pool:
        os.kill(outcome(pool, "pid").value, signal.SIGKILL)
        time.sleep(0.2)
        assert outcome(pool, "double", 2).value == 2


def test_a_killed_nursery_costs_what_ran_and_is_replaced():
    with Pool(1, context=1) as pool:
        nursery = outcome(pool, "parent").value
        pool.submit("long", "search_tasks:sleep", (60,))
        os.kill(nursery, signal.SIGKILL)
        lost = pool.wait(30)[0]
        assert lost.status == "failed" and "killed" in lost.reason
        assert outcome(pool, "double", 2).value == 2


def test_what_workers_put_aside_goes_with_them():
    with Pool(1) as pool:
        folder = outcome(pool, "scratch").value
        assert os.path.isdir(folder)
        os.kill(outcome(pool, "parent").value, signal.SIGKILL)  # whoever is left cleans up
    assert not os.path.exists(os.path.dirname(folder))


def test_a_context_that_cannot_be_read_there_is_said_so():
    with Pool(1, context=_Unreadable()) as pool, pytest.raises(RuntimeError, match="only at home"):
        pool.submit("a", "search_tasks:pid")


class _Unreadable:
    def __reduce__(self):
        return exec, ("raise ValueError('only at home')",)


SCRIPT = """
from learnviews.kernels.workers import Pool
pool = Pool(2, context=0)
pool.submit("a", "search_tasks:pid")
print(pool.wait(30)[0].value, flush=True)
pool.submit("a", "search_tasks:spin", (60,))
pool.submit("b", "search_tasks:sleep", (60,))
pool.wait(60)
"""


def test_workers_of_a_killed_process_end(tmp_path):
    script = tmp_path / "script.py"  # without a guard: nothing imports it again
    script.write_text(SCRIPT)
    places = os.pathsep.join(filter(None, [os.path.dirname(os.path.dirname(__file__)), os.environ.get("PYTHONPATH")]))
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": places}
    ) as process:
        worker = psutil.Process(int(process.stdout.readline()))
        nursery = worker.parent()
        process.kill()
        gone, alive = psutil.wait_procs([worker, nursery], timeout=10)
    assert len(gone) == 2 and not alive


def test_a_pool_that_another_thread_closes_starts_nothing_any_more(monkeypatch):
    pool = Pool(1)
    fork = Nursery.fork

    def closed_meanwhile(nursery):
        pool.close()
        return fork(nursery)

    monkeypatch.setattr(Nursery, "fork", closed_meanwhile)
    with pytest.raises((RuntimeError, OSError), match="closed"):
        pool.submit(0, "os:getpid")
    with pytest.raises(RuntimeError, match="the pool is closed"):
        pool.start()


def test_a_spare_nursery_is_taken_once_and_only_where_it_fits():
    nursery.keep_spare(("json",), 3)
    nursery.keep_spare(("json",), 3)
    spare = nursery._spares[("json",), 3]
    with Pool(1, context=2, preload=("json",)) as other:
        assert other._nursery is not spare
    with Pool(1, context=5, preload=("json",), nice=3) as pool:
        assert pool._nursery is spare and not nursery._spares
        assert outcome(pool, "double", 2).value == 10
        assert psutil.Process(spare._process.pid).nice() == min(19, os.nice(0) + 3)
        assert psutil.Process(pool._at_work[0].pid).nice() == min(19, os.nice(0) + 3)
    with Pool(1, context=2, preload=("json",), nice=3) as pool:
        assert pool._nursery is not spare


def test_a_spare_nursery_that_died_is_not_taken():
    nursery.keep_spare(("json",))
    spare = nursery._spares[("json",), 0]
    spare._process.kill()
    spare._process.wait()
    with Pool(1, context=2, preload=("json",)) as pool:
        assert outcome(pool, "double", 2).value == 4
    spare.close()
