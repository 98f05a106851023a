"""The configuration space: conditional, legal, buildable; the portfolio lies within it."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from learnviews.kernels.search import choices, pipelines, portfolio, smac_search
from learnviews.kernels.search.columns import Column
from learnviews.kernels.search.hyperparameters import Choice, Float, Integer, complaint, complete
from learnviews.kernels.search.problem import Problem
from learnviews.kernels.search.space import left_out, options, plain, space

ROWS = 60


class Table:
    def __init__(self):
        rng = np.random.default_rng(0)
        self.frame = pd.DataFrame(
            {
                "number": np.where(rng.random(ROWS) < 0.1, np.nan, rng.normal(size=ROWS)),
                "category": rng.choice(["a", "b", "c"], ROWS),
                "text": rng.choice(["red round ball", "blue box", "green round box"], ROWS),
                "when": pd.date_range("2020-01-01", periods=ROWS).astype(str),
                "image": [rng.random((12, 12, 3)) for _ in range(ROWS)],
                "series": [rng.normal(size=40) for _ in range(ROWS)],
                "net": "a.gml",
                "label": rng.choice(["yes", "no"], ROWS),
                "other": rng.choice([True, False], ROWS),
                "value": rng.normal(size=ROWS),
            }
        )
        types = (
            "real",
            "categorical",
            "text",
            "dateTime",
            "image",
            "timeseries",
            "graph",
            "categorical",
            "boolean",
            "real",
        )
        self.columns = {n: Column(n, t) for n, t in zip(self.frame, types, strict=True)}
        self.resources = {}


DATA = Table()
ALL = ("number", "category", "text", "when", "image", "series", "net")
PROBLEMS = {
    "labels": Problem(target="label", task="classification", features=ALL),
    "texts": Problem(target="label", task="classification", features=("text",)),
    "series": Problem(target="label", task="timeSeriesClassification", features=("series",)),
    "several": Problem(target=("label", "other"), task="classification", subtask="multiLabel", features=ALL[:2]),
    "semi": Problem(target="label", task="semiSupervisedClassification", features=ALL[:2]),
    "values": Problem(target="value", task="regression", features=ALL[:4]),
    "future": Problem(target="value", task="timeSeriesForecasting", features=("when",), time="when"),
    "groups": Problem(task="clustering", features=ALL[:2]),
}
each = pytest.mark.parametrize("name", PROBLEMS)


@each
def test_every_start_is_a_legal_configuration_of_the_space(name):
    from ConfigSpace import Configuration

    found = space(DATA, PROBLEMS[name])
    starts = portfolio.portfolio(DATA, PROBLEMS[name])
    assert len(starts) >= 7
    for config in starts:
        Configuration(found, values=config).check_valid_configuration()
        assert complaint(config, choices.parameters(DATA, PROBLEMS[name]), choices.bans(DATA, PROBLEMS[name])) is None
        assert json.loads(json.dumps(config)) == config


@each
def test_samples_are_legal_complete_and_can_be_built(name):
    parameters, bans = choices.parameters(DATA, PROBLEMS[name]), choices.bans(DATA, PROBLEMS[name])
    for sample in space(DATA, PROBLEMS[name], rng_seed=1).sample_configuration(60):
        config = plain(sample)
        assert complaint(config, parameters, bans) is None
        assert complete(config, parameters) == config
        assert pipelines.build(config, DATA, PROBLEMS[name], 0, fidelity=0.5) is not None
        assert pipelines.describe(config, PROBLEMS[name].task) and pipelines.steps(config)[-1].name == config["model"]


@pytest.mark.parametrize("name", ["labels", "texts", "series", "several", "semi", "values", "future", "groups"])
def test_some_samples_can_be_fitted(name):
    problem = PROBLEMS[name]
    x = DATA.frame[list(problem.features)]
    y = (
        None
        if not problem.targets
        else DATA.frame[list(problem.targets) if len(problem.targets) > 1 else problem.target]
    )
    for sample in space(
        DATA, problem, rng_seed=2, exclude=("mlp",) if name not in ("groups",) else ()
    ).sample_configuration(6):
        made = pipelines.build(plain(sample), DATA, problem, 0, fidelity=0.1)
        made = made.fit(x) if y is None else made.fit(x, y)
        assert len(made.predict(x)) == ROWS, sample


def test_the_default_is_legal_and_the_seed_repeats():
    found = space(DATA, PROBLEMS["labels"], rng_seed=5)
    found.get_default_configuration().check_valid_configuration()
    again = space(DATA, PROBLEMS["labels"], rng_seed=5)
    assert [plain(c) for c in found.sample_configuration(5)] == [plain(c) for c in again.sample_configuration(5)]


def test_models_can_be_left_out():
    found = space(DATA, PROBLEMS["labels"], exclude=("boosting", "mlp"))
    assert not {"boosting", "mlp"} & set(found["model"].choices) and "forest" in found["model"].choices
    assert not any(name.startswith("mlp:") for name in found)
    with pytest.raises(ValueError, match="'magic' is no model"):
        space(DATA, PROBLEMS["labels"], exclude=("magic",))
    with pytest.raises(ValueError, match="no model is left"):
        space(DATA, PROBLEMS["labels"], exclude=(*found["model"].choices, "boosting", "mlp"))


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_value_of_every_choice_can_be_left_out(name):
    problem = PROBLEMS[name]
    for choice, values in options(DATA, problem).items():
        if len(values) < 2:
            continue
        last = values[-1] if choice == "model" else f"{choice}={values[-1]}"
        found = space(DATA, problem, exclude=[last])
        assert values[-1] not in map(str, found[choice].choices)
        assert left_out(found, DATA, problem) == (last,)
        for config in map(plain, found.sample_configuration(5)):
            assert str(config.get(choice)) != values[-1]
            pipelines.build(config, DATA, problem, 0)


def test_what_only_matters_with_a_value_goes_with_it():
    problem = PROBLEMS["labels"]
    assert "encode:limit" in space(DATA, problem)
    found = space(DATA, problem, exclude=["encode=onehot"])
    assert "encode:limit" not in found and found["encode"].default_value == "target"
    with pytest.raises(ValueError, match=r"nothing is left of select: all, best"):
        space(DATA, problem, exclude=["select=all", "select=best"])
    with pytest.raises(ValueError, match=r"'encode=magic' is no choice of .*encode=onehot"):
        space(DATA, problem, exclude=["encode=magic"])


def test_starts_without_what_is_left_out_are_tried_with_something_else():
    problem = PROBLEMS["labels"]
    found = space(DATA, problem, exclude=["encode=onehot", "svm"])
    starts = portfolio.portfolio(DATA, problem)
    adapted = [smac_search.adapted(found, config) for config in starts]
    assert [each is None for each in adapted] == [config["model"] == "svm" for config in starts]
    for config in filter(None, adapted):
        assert config["encode"] != "onehot" and smac_search.legal(found, config) is not None
    tree = next(config for config in starts if config["model"] == "tree")
    assert smac_search.adapted(space(DATA, problem), tree) == tree
    assert smac_search.adapted(found, {**tree, "tree:depth": 1000}) is None


def test_only_what_the_data_need_is_in_the_space():
    names = set(space(DATA, Problem(target="value", task="regression", features=("when", "category"))))
    assert "encode" in names and not {"impute", "text:parts", "balance"} & names
    assert choices.facts(DATA, PROBLEMS["labels"]).left_out == {"net": "graph"}


def test_slow_models_are_not_offered_for_many_rows():
    data = Table()
    data.frame = pd.concat([data.frame] * 150, ignore_index=True)
    models = choices.parameters(data, PROBLEMS["values"])[0].values
    assert "svm" not in models and "gaussian" not in models and "boosting" in models
    assert not any(config["model"] == "svm" for config in portfolio.portfolio(data, PROBLEMS["values"]))


def test_a_configuration_that_is_not_legal_says_why():
    model = Choice("model", ("a", "b"))
    parameters = [model, Integer("a:n", 1, 9, 3, when=(("model", ("a",)),)), Float("x", 0.0, 1.0, 0.5)]
    bans = [(("model", ("b",)), ("x", (1.0,)))]
    assert complete({}, parameters) == {"model": "a", "a:n": 3, "x": 0.5}
    for config, why in [
        ({"model": "a", "x": 0.5}, "a:n is missing"),
        ({"model": "a", "a:n": 10, "x": 0.5}, "outside of its range"),
        ({"model": "b", "a:n": 3, "x": 0.5}, "no meaning"),
        ({"model": "b", "x": 1.0}, "do not go together"),
        ({"model": "b", "x": 0.0, "y": 1}, "no hyper-parameter"),
    ]:
        assert why in complaint(config, parameters, bans)


def test_the_portfolio_needs_no_search_library():
    code = (
        "import sys, learnviews.kernels.search.portfolio, learnviews.kernels.search.pipelines;"
        "print([n for n in ('ConfigSpace', 'smac', 'sklearn', 'skimage', 'dask') if n in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["texts", "series", "several", "semi", "future", "groups"])
def test_starts_of_other_tasks_can_be_kept_in_a_skops_file(name, tmp_path):
    from learnviews.kernels.search import skops_files

    problem = PROBLEMS[name]
    x = DATA.frame[list(problem.features)]
    y = DATA.frame[list(problem.targets) if len(problem.targets) > 1 else problem.target] if problem.targets else None
    for number, config in enumerate(portfolio.portfolio(DATA, problem)[:4]):
        made = pipelines.build(config, DATA, problem, 0, fidelity=0.1)
        made = made.fit(x) if y is None else made.fit(x, y)
        back = skops_files.read(skops_files.write(made, tmp_path / f"{number}.skops"))
        assert np.array_equal(back.predict(x), made.predict(x)), config


WHOLE = {
    "labels": Problem(target="label", task="classification", features=ALL),
    "semi": Problem(target="label", task="semiSupervisedClassification", features=("number", "text")),
    "several": Problem(target=("label", "other"), task="classification", subtask="multiLabel", features=("text",)),
    "values": Problem(target="value", task="regression", features=ALL),
    "texts": Problem(target="label", task="classification", features=("text",)),
    "groups": Problem(task="clustering", features=("number", "category", "text", "when", "image", "series")),
}


def each_model_with_texts():
    """(problem, configuration) for every model: texts as counts where it can take these, and reduced at least once."""
    for name, problem in WHOLE.items():
        parameters, bans = choices.parameters(DATA, problem), choices.bans(DATA, problem)
        for model in next(each for each in parameters if each.name == "model").values:
            counted = complete({"model": model, "text:parts": "words", "text:reduce": "none"}, parameters)
            reduced = complete({"model": model, "text:parts": "words", "text:components": 10}, parameters)
            found = [config for config in (counted, reduced) if complaint(config, parameters, bans) is None]
            for config in found if name == "values" else found[:1]:
                yield pytest.param(name, config, id=f"{name}-{model}-{config['text:reduce']}")


@pytest.mark.parametrize(("name", "config"), list(each_model_with_texts()))
def test_every_model_of_texts_is_saved_and_predicts_the_same(name, config, tmp_path):
    from learnviews.kernels.search import skops_files

    problem = WHOLE[name]
    x, targets = DATA.frame[list(problem.features)], list(problem.targets)
    y = [DATA.frame[targets if len(targets) > 1 else targets[0]]] if targets else []
    made = pipelines.build(config, DATA, problem, 0, fidelity=0.1).fit(x, *y)
    back = skops_files.read(skops_files.write(made, tmp_path / "x.skops"))
    assert np.array_equal(back.predict(x), made.predict(x))


@pytest.mark.parametrize("model", ["tree", "forest", "extra", "boosting"])
def test_what_takes_gaps_gets_them_only_where_it_can(model):
    """Word counts that are not reduced make sparse matrices, in which trees take no gaps."""
    problem = WHOLE["labels"].with_(features=("number", "text"))
    parameters, bans = choices.parameters(DATA, problem), choices.bans(DATA, problem)
    x, fitted = DATA.frame[["number", "text"]], 0
    for reduce in ("none", "svd"):
        config = complete({"model": model, "impute": "keep", "text:reduce": reduce}, parameters)
        if complaint(config, parameters, bans) is None:
            fitted += 1
            assert len(pipelines.build(config, DATA, problem, 0, fidelity=0.1).fit(x, DATA.frame["label"]).predict(x))
    assert fitted == 1
