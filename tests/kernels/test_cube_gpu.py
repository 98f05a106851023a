"""The surrogates with CuPy: trained there, they are NumPy's within float32's error."""

import numpy as np
import pytest
import surrogates

from learnviews.kernels import cube
from learnviews.kernels.arrays import as_numpy
from learnviews.kernels.cube.description import authors, tuned
from learnviews.kernels.cube.fit import on_device
from learnviews.kernels.cube.independence import independence
from learnviews.kernels.cube.mlp import MLP
from learnviews.kernels.cube.product import ProductNet
from learnviews.kernels.cube.training import Phase, held_error, relative_error, train
from learnviews.kernels.progress import Progress

pytestmark = pytest.mark.gpu

NETS = ("product", "signed", "authors", "tuned", "additive")
EVERY_NET = pytest.mark.parametrize("name", NETS)


def make_net(name):
    exact, rng = surrogates.shared_cube(), np.random.default_rng(0)
    schema = exact.schema
    marginals = np.concatenate(list(exact.views().values()))
    if name in ("product", "signed"):
        return ProductNet.initial(schema.sizes, marginals, 8, rng, name == "signed")
    shapes = [(each.shape, each.bins) for each in schema]
    described = authors(shapes) if name == "authors" else tuned(shapes)
    if name == "additive":
        described["loss"]["additivity"] = 0.1
    base = independence(schema.sizes, marginals, 20_000) if described["output"] == "independence" else None
    net = MLP.initial(shapes, described, rng, base)
    for array in net.parameters.values():
        array += rng.normal(0, 0.05, array.shape).astype(np.float32)
    return net


def both(name):
    """The same net here and on the device."""
    here, there = make_net(name), make_net(name)
    on_device(there, "gpu")
    return here, there


def queries(net, n=40):
    exact = surrogates.shared_cube()
    masks = cube.random_masks(exact.schema, n, 1)
    return net.compress(masks), net.compress(exact.query_many(masks))


def assert_close(device, host, rtol=1e-3):
    host = np.asarray(host)
    np.testing.assert_allclose(as_numpy(device), host, rtol=rtol, atol=rtol * (1e-6 + abs(host).max()))


def test_nets_go_there_and_back(cupy):
    net, there = both("tuned")
    assert all(isinstance(array, cupy.ndarray) for array in there.parameters.values())
    on_device(there, "cpu")
    for name, array in net.parameters.items():
        np.testing.assert_array_equal(there.parameters[name], array)


@EVERY_NET
def test_answers_totals_and_gradients(cupy, name):
    here, there = both(name)
    results = []
    for net in (here, there):
        masks, answers = queries(net, 5)
        found, trace = net.forward(masks)
        d = answers / 100
        totals = net.totals(trace)
        gradients = [net.masks_gradient(trace, d), net.totals_masks_gradient(trace, found, totals / 100)]
        results.append([found, totals, *gradients, *(v for _, v in sorted(net.backward(trace, d).items()))])
        assert net.expand(found).shape == (5, surrogates.make_schema().bins)
    for want, got in zip(*results, strict=True):
        assert isinstance(got, cupy.ndarray)
        assert_close(got, want)


@EVERY_NET
def test_losses_and_their_gradients(cupy, name):
    here, there = both(name)
    value, want = here.loss(*queries(here), 1e-3)
    moved, got = there.loss(*queries(there), 1e-3)
    assert moved == pytest.approx(value, rel=1e-4)
    for parameter, gradient in got.items():
        assert isinstance(gradient, cupy.ndarray)
        assert_close(gradient, want[parameter], 1e-2)  # the sign of an error near 0 may differ


@EVERY_NET
def test_training(cupy, name):
    here, there = both(name)
    histories = []
    for net in (here, there):
        pairs = [tuple(each[some] for each in queries(net)) for some in (slice(10, None), slice(10))]
        rate = 0.05 if net.kind == "product" else 1e-4
        rng, progress = np.random.default_rng(0), Progress()
        histories.append(train(net, *pairs, [Phase(30, settings={"rate": rate})], 8, rng, progress, patience=1.0))
        assert histories[-1].steps == 30
    for (step, want), (other, got) in zip(histories[0].errors, histories[1].errors, strict=True):
        assert step == other
        assert got == pytest.approx(want, rel=0.02)


def test_errors_are_measured_there(cupy):
    here, there = both("product")
    assert held_error(there, *queries(there)) == pytest.approx(held_error(here, *queries(here)), rel=1e-4)
    p, y = np.array([1.0, 3, 9]), np.array([2.0, 4, np.nan])
    assert relative_error(cupy.asarray(p), cupy.asarray(y)) == relative_error(p, y) == 1


@pytest.mark.parametrize(
    "options", [{"net": "product", "rank": 8}, {"net": "signed", "rank": 8}, {"net": "mlp"}], ids=str
)
def test_a_fit_there_answers_here(cupy, options):
    exact = surrogates.shared_cube()
    here, there = (cube.fit(exact, queries=200, steps=100, device=device, **options) for device in ("cpu", "gpu"))
    assert there.error.overall == pytest.approx(here.error.overall, rel=0.15)
    assert all(isinstance(array, np.ndarray) for array in there.net.parameters.values())
    assert there.total() == pytest.approx(20_000, rel=0.1)
    again = there.update(exact, steps=20, device="gpu")
    assert again.error.overall <= there.error.overall * 1.3


def test_auto_there(cupy):
    model = cube.fit(surrogates.shared_cube(), net="auto", error=0.1, queries=200, steps=200, device="gpu")
    assert model.error.overall <= 0.1
