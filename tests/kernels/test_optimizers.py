"""SGD, Adagrad and Adam against their formulas, one number at a time, and against PyTorch."""

import math

import numpy as np
import pytest

from learnviews.kernels.optimizers import OPTIMIZERS, SGD, Adagrad, Adam, optimizer

STEPS = 7
CASES = [
    ("sgd", {"rate": 0.3}),
    ("sgd", {"rate": 0.05, "momentum": 0.9}),
    ("adagrad", {"rate": 0.1}),
    ("adagrad", {"rate": 0.1, "epsilon": 1e-2}),
    ("adam", {"rate": 0.01}),
    ("adam", {"rate": 0.02, "beta1": 0.7, "beta2": 0.95, "epsilon": 1e-4}),
]


def problem(dtype="float64"):
    rng = np.random.default_rng(5)
    parameters = {"a": rng.normal(size=(3, 4)).astype(dtype), "b": rng.normal(size=5).astype(dtype)}
    gradients = [{name: rng.normal(size=p.shape).astype(dtype) for name, p in parameters.items()} for _ in range(STEPS)]
    return parameters, gradients


def slow(name, p, gradients, rate, momentum=0.0, epsilon=1e-8, beta1=0.9, beta2=0.999):
    """One number through all its gradients."""
    v = s = m = 0.0
    for step, g in enumerate(gradients, 1):
        if name == "sgd":
            v = momentum * v + g
            p = p - rate * v
        elif name == "adagrad":
            s = s + g**2
            p = p - rate * g / math.sqrt(s + epsilon)
        else:
            m = beta1 * m + (1 - beta1) * g
            s = beta2 * s + (1 - beta2) * g**2
            p = p - rate * (m / (1 - beta1**step)) / (math.sqrt(s / (1 - beta2**step)) + epsilon)
    return p


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_every_number_follows_the_formula(name, settings):
    parameters, gradients = problem()
    start = {key: p.copy() for key, p in parameters.items()}
    used = optimizer(name, **settings)
    for g in gradients:
        used.step(parameters, g)
    for key, p in parameters.items():
        for place in np.ndindex(p.shape):
            wanted = slow(name, start[key][place], [g[key][place] for g in gradients], **settings)
            assert p[place] == pytest.approx(wanted, rel=1e-12)
    assert used.steps == STEPS


@pytest.mark.parametrize(
    ("ours", "theirs", "options"),
    [
        (SGD(0.3), "SGD", {"lr": 0.3}),
        (SGD(0.05, momentum=0.9), "SGD", {"lr": 0.05, "momentum": 0.9}),
        (Adagrad(0.1, epsilon=0.0), "Adagrad", {"lr": 0.1, "eps": 0.0}),  # PyTorch adds it after the root
        (Adam(0.01), "Adam", {"lr": 0.01}),
        (Adam(0.02, 0.7, 0.95, 1e-4), "Adam", {"lr": 0.02, "betas": (0.7, 0.95), "eps": 1e-4}),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str | dict) else None,
)
def test_same_as_pytorch(ours, theirs, options):
    torch = pytest.importorskip("torch")
    parameters, gradients = problem()
    tensors = {name: torch.tensor(p, requires_grad=True) for name, p in parameters.items()}
    witness = getattr(torch.optim, theirs)(list(tensors.values()), **options)
    for g in gradients:
        ours.step(parameters, g)
        for name, tensor in tensors.items():
            tensor.grad = torch.tensor(g[name])
        witness.step()
        for name, tensor in tensors.items():
            np.testing.assert_allclose(parameters[name], tensor.detach().numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("name", "settings"), CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_in_place_and_in_the_dtype_of_the_parameters(name, settings, dtype):
    parameters, gradients = problem(dtype)
    given = dict(parameters)
    before = {key: g.copy() for key, g in gradients[0].items()}
    used = optimizer(name, **settings)
    used.step(parameters, gradients[0])
    for key in given:
        assert parameters[key] is given[key]
        assert parameters[key].dtype == dtype
        np.testing.assert_array_equal(gradients[0][key], before[key])
    assert all(array.dtype == dtype for array in used.memory.values())


def test_a_gradient_of_zero_moves_nothing():
    for name in OPTIMIZERS:
        p = {"a": np.array([1.0, -2.0])}
        optimizer(name, rate=0.1).step(p, {"a": np.zeros(2)})
        np.testing.assert_array_equal(p["a"], [1.0, -2.0])


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_settings_make_an_equal_optimizer(name, settings):
    used = optimizer(name, **settings)
    again = optimizer(**used.settings())
    assert vars(again) == vars(used)


def test_memory_and_steps_carry_everything_over():
    for name in OPTIMIZERS:
        whole, gradients = problem()
        parts = {key: p.copy() for key, p in whole.items()}
        first, second, third = (optimizer(name, rate=0.1) for _ in range(3))
        for g in gradients:
            first.step(whole, g)
        for g in gradients[:3]:
            second.step(parts, g)
        third.steps, third.memory = second.steps, {key: array.copy() for key, array in second.memory.items()}
        for g in gradients[3:]:
            third.step(parts, g)
        for key in whole:
            np.testing.assert_array_equal(parts[key], whole[key])


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
@pytest.mark.parametrize("rate", [0, -0.1, math.nan, math.inf])
def test_rate_must_be_positive_and_finite(name, rate):
    with pytest.raises(ValueError, match="rate must be a positive number, got"):
        optimizer(name, rate=rate)


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [("sgd", "momentum", 1.0), ("sgd", "momentum", -0.1), ("sgd", "momentum", math.nan)]
    + [("adam", beta, value) for beta in ("beta1", "beta2") for value in (1.0, -0.1, math.nan)]
    + [(name, "epsilon", value) for name in ("adagrad", "adam") for value in (-1e-3, math.nan)],
)
def test_settings_out_of_range(name, setting, value):
    with pytest.raises(ValueError, match=setting):
        optimizer(name, rate=0.1, **{setting: value})


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"\['adagrad', 'adam', 'sgd'\], got 'lion'"):
        optimizer("lion", rate=0.1)
