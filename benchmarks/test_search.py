"""Model search: the first model, runs of a minute, what searching itself costs, and trials on several workers.

The race against FLAML and random search is a command of its own: `search_race.py`.
"""

import os
import signal
import tempfile
import time
from functools import partial
from pathlib import Path

import pytest
import search_systems
from search_tables import D3M, d3m, divided
from search_tables import table as table_of

from learnviews.kernels import search
from learnviews.kernels.search.metrics import METRICS
from learnviews.kernels.search.trial import Work, run_trial

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.timeout(1800),
    pytest.mark.filterwarnings("ignore"),  # peers and pipelines warn of what is meant to be so
    pytest.mark.skipif(not D3M.is_dir(), reason="../shared/data/d3m is not there"),
]
SECONDS = float(os.environ.get("LEARNVIEWS_BENCH_SECONDS", 60))
CORES = 2
# Dask's own profiler looks at its workers a hundred times a second: with all cores busy it is in the way.
os.environ.setdefault("DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED", "False")


@pytest.fixture
def note(table):
    """Puts a line under a case of the table at the end."""
    return table.note


# -- the first model


@pytest.fixture(scope="module")
def warm():
    """What a process that has searched before has loaded."""
    with tempfile.TemporaryDirectory() as folder:
        study = search.Study(*d3m("196_autoMpg"), Path(folder) / "study", trials=1)
        list(study.run())
        study.close()


@pytest.mark.parametrize("name", sorted(path.name for path in D3M.iterdir()) if D3M.is_dir() else [])
def test_first_model(name, warm, note, tmp_path):
    try:
        data, problem = d3m(name)
        study = search.Study(data, problem, tmp_path / "study", seconds=20, workers=CORES)
    except ValueError as error:
        return note("first model", f"{name}: {str(error).splitlines()[0]}")
    began = time.monotonic()
    model = next(study.run(), None)
    seconds = time.monotonic() - began
    study.close()
    assert model is not None
    note("first model", f"{name:14} {seconds:5.2f} s measured, 5 s wanted ({model.name})")


# -- a minute


def forecast_alone():
    """The sunspots without what is only known afterwards."""
    data, problem = d3m("56_sunspots")
    return data, problem.with_(known=())


MINUTE = {
    "196_autoMpg": lambda: d3m("196_autoMpg"),
    "185_baseball": lambda: d3m("185_baseball"),
    "56_sunspots": lambda: d3m("56_sunspots"),
    "56_sunspots, year only": forecast_alone,
}


@pytest.mark.parametrize("name", MINUTE)
def test_a_minute_of_search(name, note):
    chosen = divided(name, *MINUTE[name]())
    metric = METRICS[chosen.problem.metric]
    found = search_systems.learnviews(chosen, SECONDS, 0)
    peers = {"a guess": chosen.trivial(), "D3M baseline": baseline(name.split(",")[0])}
    for label, system in (("gradient boosting", search_systems.boosting), ("random forest", search_systems.forest)):
        peers[label] = system(chosen, SECONDS, 0)["score"]
    better = "more" if metric.larger_is_better else "less"
    case = f"{SECONDS:.0f} s of search, holdout"
    told = ", ".join(f"{label} {value:.4g}" for label, value in peers.items())
    note(case, f"{name} ({metric.name}, {better} is better): {found['score']:.4g} beside {told}")
    note(case, f"    {found['trials']} trials; the best: {found['what']}")


def baseline(name):
    line = (D3M / name / "SCORE" / "baseline_scores.csv").read_text(encoding="utf-8").splitlines()
    return float(dict(zip(line[0].split(","), line[1].split(","), strict=True))["value"])


# -- what searching costs


def test_overhead_beside_smac(note, tmp_path):
    """The share of the workers' time that no trial used, and SMAC's stock facade on the same space and trials."""
    chosen = table_of("185_baseball")
    study = search.Study(chosen.data, chosen.problem, tmp_path / "study", seconds=SECONDS, workers=CORES)
    list(study.run())
    timings = study.timings()
    study.close()
    case = f"search overhead, {SECONDS:.0f} s on 185_baseball"
    note(case, f"LearnViews, {CORES} workers: {timings['overhead']:.1%} measured, 10% wanted")
    note(case, "    " + ", ".join(f"{name} {value:.3g}" for name, value in timings.items() if name != "overhead"))
    wall, trials, count = stock_facade(chosen, tmp_path)
    note(case, f"SMAC's facade, in one process: {1 - trials / wall:.1%} ({count} trials in {wall:.1f} s)")


def stock_facade(chosen, folder):
    """Seconds in all and in trials, and how many trials, of `optimize()` as it comes."""
    from smac import HyperparameterOptimizationFacade, Scenario

    from learnviews.kernels.search.space import space

    work, spent = Work(chosen.data, chosen.problem, chosen.plan), []

    def cost(config, seed=0):
        began = time.monotonic()
        result = run_trial(work.data, work.problem, work.plan, dict(config), seed)
        spent.append(time.monotonic() - began)
        return 1.0 if result.cost is None else result.cost

    settings = {"output_directory": folder, "deterministic": True, "n_trials": 10**6, "walltime_limit": SECONDS}
    scenario = Scenario(space(chosen.data, chosen.problem), seed=0, **settings)
    began = time.monotonic()
    HyperparameterOptimizationFacade(scenario, cost, overwrite=True, logging_level=False).optimize()
    return time.monotonic() - began, sum(spent), len(spent)


# -- several workers


def fixed(path, workers, client=None):
    """The fixed list of trials as a study."""
    chosen = table_of("185_baseball")
    options = {"trials": 1000, "workers": workers, "client": client, "maker": "search_fixed"}
    return search.Study(chosen.data, chosen.problem, path, **options)


def timed(study, events=None):
    """Seconds of the run, its trials, and how many gave a model. `events`: what to do after so many models."""
    began = time.monotonic()
    for number, _ in enumerate(study.run()):
        (events or {}).get(number, int)()
    seconds = time.monotonic() - began
    trials = study.trials[study.trials.source != "ensemble"]
    study.close()
    return seconds, trials, int((trials.status == "ok").sum())


def test_two_workers(note, tmp_path):
    one, two = (timed(fixed(tmp_path / str(workers), workers)) for workers in (1, 2))
    assert set(one[1].config) == set(two[1].config) and one[2] == two[2] == len(one[1])
    note("a fixed list of trials", f"processes: {told(one, two)}")


def test_two_dask_workers(note, tmp_path):
    distributed = pytest.importorskip("distributed")
    runs = []
    for workers in (1, 2):
        with cluster(distributed, workers) as client:
            runs.append(timed(fixed(tmp_path / str(workers), workers, client)))
    assert set(runs[0][1].config) == set(runs[1][1].config)
    note("a fixed list of trials", f"Dask: {told(*runs)}")


def test_a_killed_dask_worker(note, tmp_path):
    distributed = pytest.importorskip("distributed")
    with cluster(distributed, 2) as client:
        victim = next(iter(client.run(os.getpid).values()))
        kill = partial(os.kill, victim, signal.SIGKILL)
        seconds, trials, good = timed(fixed(tmp_path / "study", 2, client), {3: kill})
    lost = len(trials) - good
    note("a fixed list of trials", f"Dask, one of 2 killed: {seconds:.1f} s, {good} of {len(trials)} ok, {lost} lost")
    note("a fixed list of trials", f"    reasons: {sorted(set(trials.reason) - {''})}; 1 lost trial wanted")


def told(one, two):
    return f"{one[0]:.1f} s on 1, {two[0]:.1f} s on 2: {one[0] / two[0]:.2f}x measured, 1.7x wanted ({one[2]} trials)"


def cluster(distributed, workers):
    """A client that closes its cluster, with everything loaded once before the clock starts."""
    options = {"threads_per_worker": 1, "processes": True, "dashboard_address": None, "memory_limit": 0}
    client = distributed.Client(n_workers=workers, **options)
    client.run(lambda: __import__("sklearn.ensemble") and None)
    return client
