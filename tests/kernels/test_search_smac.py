"""SMAC's proposals: pure, legal, new, better than chance, and never in the way."""

import json
import logging

import pytest
from ConfigSpace import Categorical, ConfigurationSpace, EqualsCondition, Float, Integer

from learnviews.kernels.search import smac_search

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@pytest.fixture(autouse=True)
def quiet():
    logging.getLogger("smac").setLevel(logging.ERROR)


def conditional(seed=0):
    space = ConfigurationSpace(seed=seed)
    model = Categorical("model", ["near", "far"])
    near, far = Float("near:x", (1e-3, 10), log=True), Integer("far:y", (1, 100))
    space.add(model, near, far, EqualsCondition(near, model, "near"), EqualsCondition(far, model, "far"))
    return space


def cost(config):
    return abs(config["near:x"] - 0.3) if config["model"] == "near" else 1 + config["far:y"] / 100


def tried(space, n):
    return [(config, cost(config)) for config in smac_search.at_random(space, [], n, 0)]


def test_same_trials_same_proposals_and_other_seeds_others():
    told = tried(conditional(), 6)
    first = smac_search.propose(conditional(), told, 5, 3)
    assert first == smac_search.propose(conditional(7), told, 5, 3)
    assert first != smac_search.propose(conditional(), told, 5, 4)


def test_proposals_are_legal_new_plain_and_enough():
    space = conditional()
    told = tried(space, 6)
    found = smac_search.propose(space, told, 8, 0)
    keys = [smac_search.key(config) for config in found]
    assert len(set(keys)) == 8 and not set(keys) & {smac_search.key(config) for config, _ in told}
    for config in found:
        assert smac_search.legal(space, config) is not None
        assert json.loads(json.dumps(config)) == config


def test_proposals_get_better_than_chance():
    space = conditional()
    told = tried(space, 6)
    for batch in range(4):
        told += [(config, cost(config)) for config in smac_search.propose(space, told, 6, batch)]
    chance = min(cost(config) for config in smac_search.at_random(space, [], 30, 1))
    assert min(value for _, value in told) < min(0.05, chance)


def test_failed_infinite_and_foreign_trials_do_no_harm():
    space = conditional()
    told = [*tried(space, 5), ({"model": "gone", "z": 1}, 0.0)]
    told[0], told[1] = (told[0][0], None), (told[1][0], float("inf"))
    assert len(smac_search.propose(space, told, 4, 0)) == 4
    assert len(smac_search.propose(space, [(config, None) for config, _ in told], 4, 0)) == 4
    assert len(smac_search.propose(space, [], 4, 0)) == 4


def test_a_finite_space_is_tried_to_its_last_point_and_then_ends(monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked for the keyboard"))
    space = ConfigurationSpace({"a": ["x", "y"], "b": (1, 3)})
    told = []
    for batch in range(4):
        told += [(config, float(config["b"])) for config in smac_search.propose(space, told, 4, batch)]
    assert len(told) == 6 and len({smac_search.key(config) for config, _ in told}) == 6


def test_a_finite_space_with_conditions_counts_each_point_once():
    space = ConfigurationSpace()
    a, b = Categorical("a", ["x", "y"]), Integer("b", (1, 3))
    space.add(a, b, EqualsCondition(b, a, "x"))
    found = smac_search.propose(space, [], 20, 0)
    assert sorted(map(smac_search.key, found)) == sorted(
        ['{"a": "x", "b": 1}', '{"a": "x", "b": 2}', '{"a": "x", "b": 3}', '{"a": "y"}']
    )


def test_a_space_survives_being_stored():
    space = conditional()
    again = smac_search.space_of(smac_search.text_of(space))
    assert list(again) == list(space)
    told = tried(space, 5)
    assert smac_search.propose(again, told, 3, 0) == smac_search.propose(space, told, 3, 0)
