"""What a problem's sentence can be made of: what is offered passes the check, what is not is refused by it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.kernels.search import Problem, choices_of, load
from learnviews.kernels.search.tasks import TASKS

ROWS = 30
DAYS = pd.date_range("2024-01-01", periods=ROWS)


def columns():
    """Name -> values: every kind of column there is."""
    rng = np.random.default_rng(0)
    words = ["a longish text of six words", "some other text about nothing at all"]
    return {
        "size": rng.normal(size=ROWS),
        "gaps": np.where(np.arange(ROWS) % 3, rng.normal(size=ROWS), np.nan),
        "count": rng.integers(0, 4, ROWS),
        "many": rng.permutation(ROWS) + 5,
        "kind": rng.choice(["a", "b", "c"], ROWS),
        "half": [("x" if at % 2 else "y") if at % 3 else None for at in range(ROWS)],
        "yes": rng.random(ROWS) > 0.5,
        "same": ["one"] * ROWS,
        "day": DAYS,
        "story": [f"{words[at % 2]} {at}" for at in range(ROWS)],
        "each": [f"n{at}" for at in range(ROWS)],
        "empty": [None] * ROWS,
        "tags": [{"p", "q"} if at % 2 else {"p"} for at in range(ROWS)],
        "odd": [{"a": at} for at in range(ROWS)],
        "huge": np.where(np.arange(ROWS) == 3, 1e200, 1.5 * np.arange(ROWS)),
        "shop": np.repeat(["s", "t", "u"], ROWS // 3),
    }


ALL = columns()


def passes(data, *what, **more):
    try:
        return Problem(*what, **more).check(data), ""
    except ValueError as error:
        return None, str(error)


def assert_ruled_by_the_check(data, target, task):
    found = choices_of(data, target, task)
    for offer in found.targets:
        if task is not None:
            assert (offer.why == "") == (passes(data, offer.name, task)[0] is not None), offer
        else:
            assert offer.legal == any(passes(data, offer.name, one)[0] for one in (None, *TASKS)), offer
    assert [offer.name for offer in found.targets] == list(data.columns)
    for offer in found.tasks:
        assert offer.why == passes(data, target, offer.name)[1], offer
    if found.problem is None:
        assert found.why and not found.metrics
        return
    asked = {"target": found.problem.target, "task": found.problem.task}
    assert found.problem == passes(data, **asked)[0]
    for offer in found.metrics:
        assert offer.why == passes(data, **asked, metric=offer.name)[1], offer
    assert found.metrics[0].name == found.problem.metric
    for offer in found.features:
        both = tuple(dict.fromkeys((*(found.problem.features or ()), offer.name)))
        assert offer.legal == (passes(data, **asked, features=both)[0] is not None), offer
    assert {offer.name for offer in found.features} == set(data.columns) - set(found.problem.targets)
    for offer in found.times:
        assert offer.why == passes(data, **asked, time=offer.name)[1], offer
    for offer in found.groups:
        assert offer.why == passes(data, **asked, time=found.problem.time, group=offer.name)[1], offer


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_is_offered_passes_and_the_rest_is_refused(draw):
    names = draw.draw(st.lists(st.sampled_from(sorted(ALL)), min_size=1, max_size=6, unique=True))
    data = load(pd.DataFrame({name: pd.Series(ALL[name]) for name in names}))
    target = draw.draw(st.sampled_from([None, *data.columns]))
    task = draw.draw(st.sampled_from([None, *[name for name, task in TASKS.items() if task.searched]]))
    assert_ruled_by_the_check(data, target, task)


@pytest.fixture(scope="module")
def everything():
    return load(pd.DataFrame({name: pd.Series(values) for name, values in ALL.items()}))


def by_name(offers):
    return {offer.name: offer for offer in offers}


def test_a_target_limits_tasks_and_a_task_limits_metrics(everything):
    found = choices_of(everything, "kind")
    tasks = by_name(found.tasks)
    assert tasks["classification"].legal and tasks["classification"].usual
    assert tasks["regression"].why.startswith("'kind' is categorical: regression takes integer or real")
    assert "needs two columns that name nodes of one graph" in tasks["linkPrediction"].why
    metrics = by_name(found.metrics)
    assert metrics["accuracy"].legal and metrics["f1Macro"].usual and metrics["accuracy"].title == "accuracy"
    assert "does not judge classification" in metrics["rSquared"].why
    assert "multiClass" in metrics["f1"].why


def test_features_that_are_none_say_why(everything):
    features = by_name(choices_of(everything, "kind").features)
    assert features["size"].usual and "kind" not in features
    assert "nothing can be learned from it" in features["odd"].why
    assert "no values" in features["empty"].why


def test_times_and_groups_of_a_forecast(everything):
    found = choices_of(everything, "size", "timeSeriesForecasting")
    assert by_name(found.times)["day"].usual and found.problem.time == "day"
    assert "expected dateTime, integer or real" in by_name(found.times)["kind"].why
    assert by_name(found.groups)["shop"].legal and "day" not in by_name(found.groups)
    assert not choices_of(everything, "size").times


def test_without_a_target_rows_can_be_grouped(everything):
    found = choices_of(everything)
    assert found.problem.task == "clustering" and [offer.name for offer in found.metrics if offer.legal] == [
        "silhouette"
    ]
    targets = by_name(found.targets)
    assert targets["kind"].legal and targets["size"].legal
    assert "one class only" in targets["same"].why


def test_an_illegal_pair_says_why_and_what_else(everything):
    found = choices_of(everything, "kind", "regression")
    assert found.problem is None and "'kind' is categorical" in found.why
    assert by_name(found.tasks)["classification"].legal and by_name(found.targets)["size"].legal


def test_several_targets(everything):
    found = choices_of(everything, ["size", "many"], "regression")
    assert found.problem.subtask == "multivariate" and "size" not in by_name(found.features)


def test_names_that_there_are_none_of(everything):
    with pytest.raises(ValueError, match=r"no column 'sise' \(target\): did you mean 'size'"):
        choices_of(everything, "sise")
    with pytest.raises(ValueError, match="no task 'regresion'"):
        choices_of(everything, "size", "regresion")
