"""Training: the best parameters are kept, it stops when it should, and says so when it diverges."""

import math

import numpy as np
import pytest
import surrogates

from learnviews.kernels.cube.description import tuned
from learnviews.kernels.cube.fit import described_phases
from learnviews.kernels.cube.mlp import MLP
from learnviews.kernels.cube.product import ProductNet
from learnviews.kernels.cube.queries import random_masks
from learnviews.kernels.cube.training import Phase, held_error, relative_error, train
from learnviews.kernels.optimizers import DivergedError
from learnviews.kernels.progress import Progress


class Walk:
    """A net of one number, which SGD at rate 1 moves by 1 a step; its held-out error is 0.1 at `goal`."""

    def __init__(self, goal=7.0, nan_at=None, wild_at=None):
        self.keep = np.ones(2, bool)
        self.parameters = {"x": np.zeros(1)}
        self.goal, self.nan_at, self.wild_at, self.batches = goal, nan_at, wild_at, []

    def loss(self, masks, answers, weight):
        self.batches.append(masks[:, 0].tolist())
        x = self.parameters["x"][0]
        return (math.nan if x == self.nan_at else 1.0), {"x": -np.ones(1)}

    def forward(self, masks):
        x = self.parameters["x"][0]
        miss = math.inf if x == self.wild_at else abs(x - self.goal) + 0.1
        return np.array([[0.0, 1.0]]) + [[miss, 0]] * len(masks), None


QUERIES = (np.arange(20.0).reshape(10, 2), np.ones((10, 2)))
HELD = (np.zeros((1, 2)), np.array([[0.0, 1.0]]))
STEP = {"optimizer": "sgd", "settings": {"rate": 1.0}, "cosine": False}


def walk(net, steps=20, rng=0, **options):
    return train(net, QUERIES, HELD, [Phase(steps, **STEP)], 4, np.random.default_rng(rng), **options)


# --- what is kept, and when it ends


def test_the_best_parameters_are_kept():
    net = Walk(goal=7)
    history = walk(net, patience=1.0)
    assert net.parameters["x"] == 7
    assert history.steps == 20
    assert history.stopped == ""
    assert dict(history.errors)[7] == min(error for _, error in history.errors) == pytest.approx(0.1)
    assert [step for step, _ in history.errors] == list(range(21))
    assert history.seconds >= 0


def test_a_net_that_training_only_spoils_stays_as_it_was():
    net = Walk(goal=-1)
    walk(net, patience=1.0)
    assert net.parameters["x"] == 0


def test_training_ends_when_nothing_improves_any_more():
    net = Walk(goal=3)
    history = walk(net, patience=0.25)
    assert (history.steps, history.stopped) == (
        9,
        "no further improvement",
    )  # 5 steps, a quarter of 20, in vain, and one
    assert net.parameters["x"] == 3


def test_training_ends_when_it_is_good_enough():
    net = Walk(goal=7)
    history = walk(net, enough=2.2)
    assert (history.steps, history.stopped) == (5, "good enough")
    assert net.parameters["x"] == 5


def test_a_cancelled_training_keeps_the_best_so_far():
    net, progress = Walk(goal=3), Progress(lambda progress: progress.done == 5 and progress.cancel(), interval=0)
    history = walk(net, 20, progress=progress)
    assert (history.steps, history.stopped) == (6, "cancelled")  # the step after
    assert net.parameters["x"] == 3


def test_a_training_cancelled_between_two_looks_looks_once_more():
    net, progress = Walk(goal=1e6), Progress(lambda progress: progress.done == 15 and progress.cancel(), interval=0)
    history = walk(net, 1000, progress=progress)
    assert history.stopped == "cancelled"
    assert net.parameters["x"] == history.steps == 16


def test_progress_counts_steps_and_says_how_good_it_is():
    shown = []
    progress = Progress(lambda progress: shown.append((progress.done, progress.total, progress.text)), interval=0)
    walk(Walk(goal=100), 20, progress=progress)
    assert [done for done, _, _ in shown] == list(range(1, 21))
    assert {total for _, total, _ in shown} == {20}
    assert shown[-1][2] == "held-out error 80.1000"


# --- divergence


def test_a_loss_that_is_not_finite_ends_the_training():
    net = Walk(goal=3, nan_at=6.0)
    with pytest.raises(DivergedError, match="diverged at step 6: the loss is nan"):
        walk(net)
    assert net.parameters["x"] == 3


def test_held_out_answers_that_are_not_finite_end_the_training():
    net = Walk(goal=3, wild_at=6.0)
    with pytest.raises(DivergedError, match="diverged at step 6: the held-out error is inf"):
        walk(net)
    assert net.parameters["x"] == 3


@pytest.mark.parametrize("kind", ["product", "mlp"])
def test_a_rate_too_high_diverges_without_a_warning(kind):
    net, training, held = problem(kind)
    before = {name: array.copy() for name, array in net.parameters.items()}
    error = held_error(net, *held)
    with pytest.raises(DivergedError, match=r"diverged at step \d+"):
        train(net, training, held, [Phase(50, "sgd", {"rate": 1e30}, False)], 8, np.random.default_rng(0))
    assert held_error(net, *held) == error
    for name, array in net.parameters.items():
        np.testing.assert_array_equal(array, before[name])


# --- phases and batches


def test_rates_fall_along_half_a_cosine():
    phase = Phase(4, "adam", {"rate": 2.0})
    assert [phase.rate(step) for step in range(4)] == pytest.approx([2, 1 + math.sqrt(0.5), 1, 1 - math.sqrt(0.5)])
    assert [Phase(4, **STEP).rate(step) for step in range(4)] == [1, 1, 1, 1]


def test_phases_follow_each_other():
    net = Walk(goal=100)
    phases = [Phase(3, **STEP), Phase(2, "sgd", {"rate": 10.0, "momentum": 0.5}, False)]
    history = train(net, QUERIES, HELD, phases, 4, np.random.default_rng(0))
    assert history.steps == 5
    assert net.parameters["x"] == 3 + 10 + 15  # momentum: 10, then 10 + 5


@pytest.mark.parametrize("steps, counts", [(None, [40, 60]), (10, [4, 6]), (1, [1, 1])])
def test_epochs_become_steps(steps, counts):
    phase = {"optimizer": "adam", "settings": {"rate": 1e-3}, "cosine": True}
    phases = described_phases({"phases": [{"epochs": 2, **phase}, {"epochs": 3, **phase, "cosine": False}]}, 20, steps)
    assert [each.steps for each in phases] == counts
    assert [each.cosine for each in phases] == [True, False]
    assert phases[0].settings == {"rate": 1e-3}


def test_every_epoch_sees_every_query_once():
    net = Walk(goal=100)
    train(net, QUERIES, HELD, [Phase(10, **STEP)], 5, np.random.default_rng(0))
    epochs = [sorted(one + other) for one, other in zip(net.batches[::2], net.batches[1::2], strict=True)]
    assert all(epoch == QUERIES[0][:, 0].tolist() for epoch in epochs)
    assert net.batches[0] + net.batches[1] != net.batches[2] + net.batches[3]


def test_fewer_queries_than_a_batch():
    net = Walk(goal=100)
    train(net, QUERIES, HELD, [Phase(3, **STEP)], 64, np.random.default_rng(0))
    assert {len(batch) for batch in net.batches} == {10}


# --- real nets


def problem(kind, signed=False):
    cube = surrogates.shared_cube()
    schema = cube.schema
    masks = random_masks(schema, 80, 1)
    answers = cube.query_many(masks)
    rng = np.random.default_rng(2)
    if kind == "mlp":
        shapes = [(each.shape, each.bins) for each in schema]
        net = MLP.initial(shapes, {**tuned(shapes), "output": "linear"}, rng)
        net.description["loss"].update(l1=1e6)
    else:
        marginals = cube.query_many(np.ones((1, schema.bins), bool))[0]
        net = ProductNet.initial(schema.sizes, marginals, 4, rng, signed)
        net.parameters["log"] -= 3  # too small: the first step goes up
    pairs = [(net.compress(masks[some]), net.compress(answers[some])) for some in (slice(20, None), slice(20))]
    return net, *pairs


@pytest.mark.parametrize("kind, signed", [("product", False), ("product", True), ("mlp", False)])
def test_the_same_seed_gives_the_same_bits(kind, signed):
    found = []
    for seed in (5, 5, 6):
        net, training, held = problem(kind, signed)
        rate = 1e-6 if kind == "mlp" else 0.1
        train(net, training, held, [Phase(30, "adam", {"rate": rate})], 8, np.random.default_rng(seed))
        found.append(np.concatenate([array.ravel() for array in net.parameters.values()]))
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


def test_training_makes_the_error_smaller():
    net, training, held = problem("product")
    before = held_error(net, *held)
    history = train(net, training, held, [Phase(300)], 16, np.random.default_rng(0))
    assert held_error(net, *held) < 0.3 * before
    assert held_error(net, *held) == min(error for _, error in history.errors)


# --- the measure


def test_held_error_is_over_all_bins_whether_kept_or_not():
    keep = np.array([True, True, False, True, False, True])
    net = ProductNet((3, 3), keep, np.random.default_rng(0).normal(size=(4, 2)))
    r = np.random.default_rng(1)
    masks, answers = r.random((3000, 6)) < 0.5, r.random((3000, 6)) * 5 * keep
    found = net.expand(net.forward(net.compress(masks))[0])
    wanted = abs(found - answers).sum() / abs(answers - answers.mean()).sum()
    assert held_error(net, net.compress(masks), net.compress(answers)) == pytest.approx(wanted, rel=1e-12)
    assert relative_error(found, answers) == pytest.approx(wanted, rel=1e-12)


def test_relative_error_of_odd_answers():
    assert relative_error(np.array([1.0, 3, 9]), np.array([2.0, 4, np.nan])) == 1
    assert math.isnan(relative_error(np.zeros(0), np.zeros(0)))
    assert math.isnan(relative_error(np.zeros(2), np.full(2, np.nan)))
    assert relative_error(np.zeros(2), np.zeros(2)) == 0
    assert relative_error(np.ones(2), np.zeros(2)) == math.inf
