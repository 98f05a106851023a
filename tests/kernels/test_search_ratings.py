"""Collaborative filtering: kernels against their slow twins, keys, leak traps, unknown users, a search end to end."""

import json
import subprocess
import sys

import naive_ratings as naive
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from learnviews.kernels import search
from learnviews.kernels.search import keys, pipelines, ratings, scores, skops_files
from learnviews.kernels.search.exports import export
from learnviews.kernels.search.portfolio import portfolio
from learnviews.kernels.search.raters import Factors, Rater

TASK = "collaborativeFiltering"


def triples(rng, shape, count, unknown=False):
    users, items = (rng.integers(-1 if unknown else 0, size, count) for size in shape)
    return users, items, rng.normal(3, 1, count)


def tasted(users=40, items=30, share=0.4, noise=0.3, seed=0, factors=2):
    """Ratings with biases and factors in them, as a table."""
    rng = np.random.default_rng(seed)
    P, Q = rng.normal(size=(users, factors)), rng.normal(size=(items, factors))
    table = 3 + rng.normal(0, 0.5, (users, 1)) + rng.normal(0, 0.5, (1, items)) + P @ Q.T
    table += noise * rng.normal(size=table.shape)
    at = np.argwhere(rng.random(table.shape) < share)
    rows = [(f"user {u}", f"item {i}", table[u, i]) for u, i in at]
    return pd.DataFrame(rows, columns=["who", "what", "stars"])


# -- kernels


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 6), st.integers(1, 40), st.floats(0.1, 20))
def test_biases_solve_the_ridge_equations(seed, users, items, count, strength):
    arguments = triples(np.random.default_rng(seed), (users, items), count, unknown=True)
    found = ratings.biases(*arguments, (users, items), strength)
    for fast, slow in zip(found, naive.biases(*arguments, (users, items), strength), strict=True):
        np.testing.assert_allclose(fast, slow, atol=1e-7)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 7), st.integers(1, 7), st.integers(1, 40), st.integers(1, 5))
def test_a_side_is_solved_as_by_the_slow_twin(seed, users, items, count, k):
    rng = np.random.default_rng(seed)
    u, i, left = triples(rng, (users, items), count)
    fixed, out = rng.normal(size=(items, k)), np.full((users, k), 9.0)
    ratings.solve_side(*ratings._rows(u, i, left, users), fixed, 0.7, out)
    np.testing.assert_allclose(out, naive.solved(u, i, left, fixed, 0.7, users), atol=1e-8)


def test_every_sweep_lowers_the_objective_and_factors_find_what_is_there():
    frame = tasted(noise=0.0, share=0.6)
    users, items = (pd.factorize(frame[name])[0] for name in ("who", "what"))
    shape = users.max() + 1, items.max() + 1
    left = frame["stars"].to_numpy() - ratings.biases(users, items, frame["stars"].to_numpy(), shape, 1.0).of(
        users, items
    )
    costs = []
    for sweeps in (1, 2, 4, 8, 30):
        P, Q = ratings.factorize(users, items, left, shape, 3, 0.05, sweeps, np.random.default_rng(0))
        costs.append(naive.objective(users, items, left, P, Q, 0.05))
    assert costs == sorted(costs, reverse=True)
    assert np.var(left - (P[users] * Q[items]).sum(axis=1)) < 0.02 * np.var(left)


def test_factors_turn_into_the_axes_of_others_and_products_stay():
    rng = np.random.default_rng(0)
    P, Q = rng.normal(size=(6, 3)), rng.normal(size=(5, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    found = ratings.turned(P @ turn, Q @ turn, P, Q)
    np.testing.assert_allclose(found[0], P, atol=1e-10)
    np.testing.assert_allclose(found[0] @ found[1].T, P @ Q.T, atol=1e-10)


@pytest.mark.parametrize("count", [1, 3, 50])
def test_neighbours_say_what_the_slow_twin_says(count):
    rng = np.random.default_rng(1)
    table = np.where(rng.random((12, 9)) < 0.5, rng.normal(size=(12, 9)), np.nan)
    there = np.argwhere(~np.isnan(table))
    left = sparse.coo_array((table[~np.isnan(table)], there.T), shape=table.shape).tocsr()
    alike = ratings.similarities(left, 2.0)
    users, items = (grid.ravel() for grid in np.meshgrid(range(12), range(9), indexing="ij"))
    found = ratings.near(alike, left.tocsc(), users, items, count)
    slow = [naive.near(table, user, item, count, 2.0) for user, item in zip(users, items, strict=True)]
    np.testing.assert_allclose(found, slow, atol=1e-5)
    assert ratings.near(alike, left.tocsc(), np.array([-1, 0]), np.array([0, -1]), count).tolist() == [0, 0]


# -- models


@pytest.mark.parametrize("kind", ["biases", "factors", "users", "items"])
def test_who_is_not_known_is_average(kind):
    frame = tasted()
    model = Rater(kind).fit(frame[["who", "what"]], frame["stars"])
    biases = Rater("biases").fit(frame[["who", "what"]], frame["stars"])
    mean, _, of_items = biases.biases_
    new = pd.DataFrame({"who": ["stranger", None, "stranger"], "what": ["item 3", "item 3", "nothing"]})
    item = mean + of_items[biases.keys_.names_[1].index("item 3")]
    np.testing.assert_allclose(model.predict(new), [item, item, mean])


def test_several_ratings_of_a_pair_all_count():
    frame = pd.DataFrame({"who": ["a", "a", "b", "b"], "what": ["x", "x", "x", "y"]})
    for kind in ("biases", "factors", "users", "items"):
        twice = Rater(kind, strength=1e-6, ridge=1.0, count=2).fit(frame, [1.0, 3.0, 5.0, 5.0]).predict(frame[:1])
        once = Rater(kind, strength=1e-6, ridge=1.0, count=2).fit(frame[1:], [3.0, 5.0, 5.0]).predict(frame[:1])
        assert twice[0] < once[0]


def test_factors_of_training_rows_never_saw_their_own_ratings():
    """The leak trap: ratings are noise. What a row is told must not be correlated with its own rating."""
    rng = np.random.default_rng(0)
    users, items = (grid.ravel() for grid in np.meshgrid(range(40), range(15)))
    frame = pd.DataFrame({"who": users, "what": items}).astype(str)
    noise = rng.normal(size=len(frame))
    honest = Factors(count=4, ridge=0.1, strength=0.1).fit_transform(frame, noise)
    told = [abs(np.corrcoef(column, noise)[0, 1]) for column in honest.T if column.std() > 0]
    assert max(told) < 0.2
    seen = Factors(count=4, ridge=0.1, strength=0.1).fit(frame, noise).transform(frame)
    assert abs(np.corrcoef(seen[:, 2], noise)[0, 1]) > 0.5  # else there would be no trap


def test_a_pair_that_is_there_twice_is_on_one_side_only():
    frame = pd.concat([tasted(12, 10, 0.6)] * 2, ignore_index=True)
    data = search.load(frame)
    problem = search.Problem("stars", TASK).check(data)
    plan = search.plan(data, problem)
    pair = data.frame["who"] + data.frame["what"]
    for fit, score in [*plan.folds, (plan.train_rows, plan.holdout_rows)]:
        assert not set(pair[fit]) & set(pair[score])
    assert "whole groups of who and what" in plan.why


def test_noise_is_not_predicted(tmp_path):
    rng = np.random.default_rng(3)
    frame = tasted(20, 15, 0.9).assign(stars=lambda table: rng.normal(size=len(table)))
    problem = search.Problem("stars", TASK, "rSquared")
    study = search.Study(frame, problem, tmp_path / "study", trials=6)
    list(study.run())
    assert set(study.trials["status"]) == {"ok"}
    assert all(scores.value(model.problem, model.predictions, "train") < 0.1 for model in study.models)
    study.close()


# -- what is legal


def test_keys_are_found_by_role_by_name_and_by_values():
    data = search.load(tasted())
    assert search.Problem("stars", TASK).check(data).keys == ("who", "what")
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"shop": rng.choice(list("abcdef"), 200), "user_id": rng.integers(0, 30, 200)})
    table["item_id"], table["price"], table["rating"] = rng.integers(0, 20, 200), rng.random(200), rng.random(200)
    named = search.load(table)
    found = search.Problem("rating", TASK).check(named)
    assert found.keys == ("user_id", "item_id") and found.features == ("user_id", "item_id", "shop", "price")
    assert search.Problem("rating", TASK, features=("price",)).check(named).features == ("user_id", "item_id", "price")
    roles = {"shop": "suggestedGroupingKey", "item_id": "suggestedGroupingKey"}
    assert search.Problem("rating", TASK).check(search.load(table, roles=roles)).keys == ("shop", "item_id")
    assert search.Problem("rating", TASK, keys=("item_id", "shop")).check(named).keys == ("item_id", "shop")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"keys": ("who", "who")}, "two columns that are keys .*: table has who, what"),
        ({"keys": ("who",)}, "two columns that are keys"),
        ({"keys": ("who", "price")}, "'price' is real: a key of collaborative filtering is categorical or integer"),
        ({"keys": ("who", "stars")}, "'stars' is the target: it cannot be a key as well"),
        ({"keys": ("who", "when")}, "has no column 'when' \\(key\\)"),
        ({"keys": ("who", "one")}, "key 'one' has one value only \\(x\\)"),
        ({"target": "what"}, "'what' is categorical: collaborative filtering takes integer or real"),
        ({"target": ("stars", "price")}, "takes one target, not 2"),
    ],
)
def test_what_cannot_be_learned_is_said(changes, complaint):
    frame = tasted().assign(one="x")
    data = search.load(frame.assign(price=np.random.default_rng(0).random(len(frame))))
    with pytest.raises(ValueError, match=complaint):
        search.Problem(**{"target": "stars", "task": TASK, **changes}).check(data)


def test_ratings_by_one_user_are_refused():
    frame = pd.DataFrame({"user": "ann", "item": [f"item {at % 7}" for at in range(40)], "stars": np.arange(40.0)})
    with pytest.raises(ValueError, match=r"two columns that are keys .* has item"):
        search.Problem("stars", TASK).check(search.load(frame))
    with pytest.raises(ValueError, match="key 'user' has one value only \\(ann\\)"):
        search.Problem("stars", TASK, keys=("user", "item")).check(search.load(frame))


def test_too_few_pairs_are_refused():
    frame = pd.DataFrame({"user": ["a", "b"] * 30, "item": ["x", "y"] * 30, "stars": np.arange(60.0)})
    with pytest.raises(ValueError, match="user and item make 2 pairs only; at least 4 are needed"):
        search.Problem("stars", TASK).check(search.load(frame))


def test_discovery_offers_ratings_where_a_table_looks_like_it():
    found = search.discover(search.load(tasted()))
    (problem,) = (each for each in found if each.task == TASK)
    assert problem.keys == ("who", "what") and "biases of who and what" in problem.reason
    assert "stars of pairs of who and what" in problem.sentence()
    plain = search.load_bundled("iris")
    assert not any(each.task == TASK for each in search.discover(plain))
    assert not keys.look_like_ratings(plain, keys.rating_keys(plain))


def test_a_sentence_offers_keys():
    data = search.load(tasted().assign(price=np.arange(len(tasted()), dtype=float) / 3))
    found = search.choices_of(data, "stars", TASK)
    assert [(offer.name, offer.legal, offer.usual) for offer in found.keys] == [
        ("who", True, True),
        ("what", True, True),
        ("price", False, False),
    ]
    assert search.choices_of(data, "stars", "regression").keys == ()


def test_d3m_documents_of_both_versions(tmp_path):
    data = search.load(tasted())
    problem = search.Problem("stars", TASK, "meanAbsoluteError", keys=("what", "who")).check(data)
    for version, key in (("3.2.0", "taskType"), ("4.0.0", "taskKeywords")):
        (tmp_path / "problemDoc.json").write_text(json.dumps(problem.to_d3m(data, version)))
        assert TASK in json.loads((tmp_path / "problemDoc.json").read_text())["about"][key]
        again = search.Problem.from_d3m(tmp_path / "problemDoc.json")
        assert (again.task, again.metric, again.keys) == (TASK, "meanAbsoluteError", ("what", "who"))
        assert again.check(data).features == problem.features


# -- end to end


def test_every_start_can_be_built_and_described():
    data = search.load(tasted().assign(price=np.arange(len(tasted()), dtype=float) / 3))
    problem = search.Problem("stars", TASK).check(data)
    starts = portfolio(data, problem)
    assert [each["model"] for each in starts[:4]] == ["biases", "linear", "boosting", "factors"] and len(starts) > 9
    space = search.space(data, problem)
    space.seed(1)
    for config in [*starts[:8], *map(dict, space.sample_configuration(25))]:
        assert pipelines.describe(config, TASK) and pipelines.steps(config)
        if config["model"] in ("biases", "factors", "users", "items", "linear", "elastic", "tree"):
            fitted = pipelines.build(config, data, problem, 0).fit(
                data.frame[list(problem.features)], data.frame["stars"]
            )
            assert np.isfinite(fitted.predict(data.frame[list(problem.features)])).all()


def test_tastes_are_learned_better_than_their_mean(tmp_path):
    study = search.Study(tasted(), search.Problem("stars", TASK), tmp_path / "study", trials=8)
    list(study.run())
    assert set(study.trials["status"]) == {"ok"}, study.trials[["name", "reason"]].to_string()
    assert {"biases", "factors"} <= {model.config["model"] for model in study.models}
    best, trivial = (
        scores.table(study.problem, model.predictions, "holdout").loc["rootMeanSquaredError"]
        for model in (study.best, study.baseline)
    )
    biased = next(model.score for model in study.models if model.config["model"] == "biases")
    assert best["value"] < 1.0 < biased < trivial["value"] and best["high"] < trivial["low"]
    study.close()


@pytest.mark.parametrize("model", ["biases", "factors", "users", "items", "linear"])
def test_fitted_models_are_the_same_in_files(model, tmp_path):
    data = search.load(tasted())
    problem = search.Problem("stars", TASK).check(data)
    inputs = data.frame[list(problem.features)]
    fitted = pipelines.build({"model": model}, data, problem, 0).fit(inputs, data.frame["stars"])
    again = skops_files.read(skops_files.write(fitted, tmp_path / "model.skops"))
    np.testing.assert_array_equal(again.predict(inputs), fitted.predict(inputs))


@pytest.mark.slow
def test_delays_of_flights_and_an_export_in_a_clean_process(tmp_path):
    data = search.load_bundled("flight_delays")
    study = search.Study(data, search.Problem("delay", TASK), tmp_path / "study", trials=6)
    list(study.run())
    best, trivial = (
        scores.table(study.problem, model.predictions, "holdout").loc["rootMeanSquaredError"]
        for model in (study.best, study.baseline)
    )
    assert best["high"] < trivial["low"]
    (one,) = (path for path in export(study.best, tmp_path / "out").iterdir() if path.is_dir())
    data.frame.drop(columns="delay").to_csv(tmp_path / "new.csv", index=False)
    for script, more in (("predict.py", []), ("train.py", ["--predict", tmp_path / "new.csv", "--to"])):
        table = tmp_path / "new.csv"
        if script == "train.py":
            table = tmp_path / "all.csv"
            data.frame.to_csv(table, index=False)
        written_to = tmp_path / f"{script}.csv"
        command = [sys.executable, one / script, table, *(more or ["--out"]), written_to]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        said = pd.read_csv(written_to, index_col=0)["delay"]
        assert np.corrcoef(said, data.frame["delay"])[0, 1] > 0.6
    study.close()
