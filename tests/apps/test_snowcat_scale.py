"""Snowcat's views at the sizes it has to bear: 5,000 trials, 200 columns, 100 classes; how fast, benchmarks tell."""

import threading

import numpy as np
import pytest
from snowcat_large import many_trials, wide_table

import learnviews as lv
from learnviews.apps.snowcat.studies import LiveStudy
from learnviews.apps.snowcat.train_trials import failures, tried
from learnviews.kernels import search

pytestmark = pytest.mark.slow

TRIALS = 5000


@pytest.fixture(scope="module")
def renderer():
    import holoviews as hv

    lv.extension("bokeh")
    return hv.renderer("bokeh")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A few trials of iris, and copies of them under other configurations."""
    data = search.load_bundled("iris")
    problem = search.Problem("species").check(data)
    space = search.space(data, problem, exclude=("forest", "extra", "boosting", "mlp", "kernel", "svm"))
    made = search.Study(data, problem, tmp_path_factory.mktemp("large") / "study", trials=3, space=space)
    list(made.run())
    yield many_trials(made, TRIALS)
    made.close()


def test_a_look_at_thousands_of_trials(study):
    live, heard = LiveStudy(study), threading.Event()
    live.watch(lambda *events: heard.set() if live.seen is not None and len(live.seen.board) else None)
    assert heard.wait(60)
    seen = live.seen
    assert len(seen.trials) == TRIALS and len(seen.board) == 51  # the best, and the trivial predictor
    kinds = tried(seen.trials, seen.families, study.problem)
    ensembles = sum(family == "ensemble" for family in seen.families)
    assert sum(kind["trials"] for kind in kinds) == TRIALS - ensembles
    failed = failures(seen.trials, seen.families)
    assert failed[0][1] == "ValueError: made to fail"
    assert len(study.models) == int((seen.trials["status"] == "ok").sum()) - int((seen.trials["fidelity"] < 1).sum())


def test_views_of_thousands_of_trials(study, renderer):
    selection = lv.RowSelection()
    cost = lv.CostOverTime.from_study(study, selection=selection)
    lines = lv.ParallelCoordinates.from_study(study, selection=selection)
    front = lv.ParetoFront.from_study(study, selection=selection)
    plots = [renderer.get_plot(each) for each in (cost, lines, front)]
    best = next(model.number for model in study.models if not model.members)
    selection.light([best], "a table")
    selection.keep([best], "a table")
    for plot in plots:
        assert all(len(values) for values in plot.handles["kept_source"].data.values()), plot
        plot.cleanup()


def test_a_hundred_classes_in_two_hundred_columns(renderer):
    frame, selection = wide_table(rows=1000), lv.RowSelection()
    columns = lv.ColumnHistograms.from_data(frame, selection=selection, marked=["species"])
    assert len(columns.bins) == 200
    rng = np.random.default_rng(0)
    said = np.where(rng.random(1000) < 0.7, frame["species"], rng.permutation(frame["species"]))
    cells = lv.ConfusionMatrix.from_labels(frame["species"], said, selection=selection)
    assert cells.size == 100
    plots = [renderer.get_plot(each) for each in (columns, cells)]
    selection.light(np.flatnonzero(said == "species 007"))
    lit = plots[0].handles["lit_source"].data["count"]
    assert lit.reshape(-1).sum() == 200 * (said == "species 007").sum()
    assert len(plots[1].handles["lit_source"].data["left"]) == len(set(frame["species"][said == "species 007"]))
    others = list(plots[0].handles["text_source"].data["text"])
    assert "others 810" in others  # 19 of the 100 classes have a bar of their own
    tall = plots[0].handles["source"].data
    species = np.flatnonzero(np.asarray(tall["column"]) == "species")
    np.testing.assert_allclose(tall["top"][species], tall["top"][species[0]])  # the others do not flatten the rest
    for plot in plots:
        plot.cleanup()
