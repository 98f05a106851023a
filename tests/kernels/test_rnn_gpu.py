"""The same few checks with CuPy: every result lies on the device and is NumPy's within float32's error."""

import cases
import deep_nets
import numpy as np
import pytest

from learnviews.kernels import rnn
from learnviews.kernels.arrays import array_namespace, as_numpy
from learnviews.kernels.rnn import flow as flow_module

pytestmark = pytest.mark.gpu

EVERY_CELL = pytest.mark.parametrize("cell", cases.CELLS)
EVERY_KIND = pytest.mark.parametrize("kind", cases.KINDS)


@pytest.fixture
def on_device(cupy):
    """A function: the net and batch on the device."""

    def move(net, batch):
        return net.to(cupy), {name: None if value is None else cupy.asarray(value) for name, value in batch.items()}

    return move


def problem(kind="tokens", cell="tanh", dtype="float32"):
    net = cases.make_net(kind, cell, dtype)
    return net, cases.make_batch(net, kind, T=20, B=3, masked=True, started=True)


def assert_close(device, host, rtol=1e-4):
    host = np.asarray(host)
    np.testing.assert_allclose(as_numpy(device), host, rtol=rtol, atol=rtol * (1e-6 + abs(host).max()))


def test_namespace(cupy):
    assert array_namespace(cupy.zeros(2), None) is cupy
    with pytest.raises(TypeError, match="both NumPy and CuPy"):
        array_namespace(cupy.zeros(2), np.zeros(2))


def test_net_goes_there_and_back(cupy):
    net = cases.make_net()
    there = net.to(cupy)
    assert isinstance(there.parameters["weight_hh_l0"], cupy.ndarray)
    np.testing.assert_array_equal(there.to(np).flat, net.flat)
    np.testing.assert_array_equal(as_numpy(there.copy().flat), net.flat)
    again = rnn.from_state_dict(there.state_dict())
    assert isinstance(again.flat, cupy.ndarray)
    np.testing.assert_array_equal(again.to(np).flat, net.flat)


@EVERY_CELL
@EVERY_KIND
def test_bptt(cupy, on_device, kind, cell):
    net, batch = problem(kind, cell)
    there, moved = on_device(net, batch)
    (loss, grads, state), (want_loss, want, want_state) = rnn.bptt(there, **moved), rnn.bptt(net, **batch)
    assert loss == pytest.approx(want_loss, rel=1e-5)
    assert_close(state, want_state)
    for name, gradient in grads.items():
        assert isinstance(gradient, cupy.ndarray)
        assert_close(gradient, want[name])


@EVERY_CELL
@EVERY_KIND
@pytest.mark.parametrize("parameter", flow_module.PARAMETERS)
def test_itemize(cupy, on_device, kind, cell, parameter):
    net, batch = problem(kind, cell)
    options = {"lags": 6, "parameter": parameter, "shares": True}
    there, moved = on_device(net, batch)
    got, want = rnn.itemize(there, **moved, **options), rnn.itemize(net, **batch, **options)
    assert isinstance(got.norm, cupy.ndarray)
    for name in ("norm", "beyond", "share", "share_beyond", "loss", "whole"):
        assert_close(getattr(got, name), getattr(want, name))
    for name in ("valid", "kept", "lags"):
        np.testing.assert_array_equal(as_numpy(getattr(got, name)), getattr(want, name))
    assert got.total == pytest.approx(want.total, rel=1e-4)
    assert got.mean_lag() == pytest.approx(want.mean_lag(), rel=1e-4)
    assert not as_numpy(got.beyond)[14:].any()


def test_horizon_in_float64(on_device):
    net, batch = problem(dtype="float64")
    there, moved = on_device(net, batch)
    got, want = rnn.itemize(there, **moved, lags=None), rnn.itemize(net, **batch, lags=None)
    np.testing.assert_array_equal(as_numpy(got.horizon(0.9)), want.horizon(0.9))
    assert_close(got.norm, want.norm, rtol=1e-11)


def test_vanishing_errors_keep_their_size(on_device):
    net = cases.make_net(dtype="float32", hidden=8)
    net.parameters["weight_hh_l0"] *= 0.3
    batch = cases.make_batch(net, T=200)
    there, moved = on_device(net, batch)
    want = rnn.itemize(net.as_type("float64"), **batch, lags=None).norm
    assert want[want > 0].min() < 1e-60
    np.testing.assert_allclose(as_numpy(rnn.itemize(there, **moved, lags=None).norm), want, rtol=1e-2)


def test_numbers_that_are_not_finite_name_step_and_sequence(on_device):
    net, batch = problem("floats")
    batch["x"][3, 1, 0] = np.nan
    there, moved = on_device(net, batch)
    with pytest.raises(FloatingPointError, match="step 3 of sequence 1"):
        rnn.bptt(there, **moved)


def test_mixed_devices_are_refused(cupy):
    net, batch = problem()
    with pytest.raises(TypeError, match="both NumPy and CuPy"):
        rnn.bptt(net.to(cupy), **batch)
    with pytest.raises(TypeError, match="both NumPy and CuPy"):
        rnn.itemize(net, cupy.asarray(batch["x"]), batch["y"])


def test_tokens_out_of_range(on_device):
    net, batch = problem()
    batch["x"][0, 0] = net.inputs
    there, moved = on_device(net, batch)
    with pytest.raises(ValueError, match="x: expected tokens from 0 to 3"):
        rnn.bptt(there, **moved)


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
@pytest.mark.parametrize("layers, both", [(1, False), (2, False), (2, True)])
def test_every_cell_and_depth(cupy, cell, layers, both):
    net = deep_nets.make_net(cell, layers, both, dtype="float32", hidden=16)
    there = net.to(cupy)
    for head in deep_nets.HEADS:
        batch = deep_nets.make_batch(net, head=head, started=False, T=12)
        moved = {name: None if value is None else cupy.asarray(value) for name, value in batch.items()}
        for name, gradient in rnn.bptt(there, **moved)[1].items():
            assert_close(gradient, rnn.bptt(net, **batch)[1][name])
        for parameter in rnn.parameters_of(net):
            options = {"parameter": parameter, "lags": 5, "unit": "all"}
            got, want = rnn.itemize(there, **moved, **options), rnn.itemize(net, **batch, **options)
            for name in ("norm", "beyond", "whole", "units"):
                assert_close(getattr(got, name), getattr(want, name), rtol=1e-3)
    batch = deep_nets.make_batch(net, started=False, T=12)
    moved = {name: None if value is None else cupy.asarray(value) for name, value in batch.items()}
    assert_close(rnn.connectivity(there, **moved).norm, rnn.connectivity(net, **batch).norm, rtol=1e-3)


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_with_a_tolerance_and_sums(cupy, cell):
    net = deep_nets.make_net(cell, 2, dtype="float32", hidden=40)
    net.flat *= 0.6
    batch = deep_nets.make_batch(net, started=False, T=60, B=3)
    moved = {name: None if value is None else cupy.asarray(value) for name, value in batch.items()}
    options = {"lags": None, "matrices": True}
    got, want = rnn.itemize(net.to(cupy), **moved, **options, tol=1e-3), rnn.itemize(net, **batch, **options)
    kept = as_numpy(got.kept)
    assert_close(got.norm, np.where(kept, want.norm, 0))
    assert (as_numpy(got.remainder)[:, -1] <= 1e-3 * as_numpy(got.whole)).all()
    assert_close(rnn.itemize(net.to(cupy), **moved, **options).lag_matrices().matrix, want.lag_matrices().matrix)
    del options["matrices"]
    options["batch_norms"] = True
    assert_close(
        rnn.itemize(net.to(cupy), **moved, **options).batch_norm, rnn.itemize(net, **batch, **options).batch_norm
    )


@pytest.mark.parametrize("hidden", [1, 31, 32, 33, 300])
def test_rows_of_any_width(cupy, hidden):
    """The kernel's sum over a block of threads: less than a warp, several of them, several columns per thread."""
    net = deep_nets.make_net("lstm", dtype="float32", hidden=hidden)
    batch = deep_nets.make_batch(net, started=False, T=12)
    moved = {name: None if value is None else cupy.asarray(value) for name, value in batch.items()}
    got, want = rnn.itemize(net.to(cupy), **moved, shares=True), rnn.itemize(net, **batch, shares=True)
    for name in ("norm", "beyond", "share", "remainder"):
        assert_close(getattr(got, name), getattr(want, name))


def test_tf32_is_on_only_within(cupy):
    a = cupy.random.default_rng(0).standard_normal((512, 512), dtype=cupy.float32)
    before = a @ a
    with rnn.tf32():
        rounded = a @ a
    cupy.testing.assert_array_equal(a @ a, before)
    assert_close(rounded, as_numpy(before), rtol=1e-2)


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
@pytest.mark.parametrize("layers, both", [(1, False), (2, False), (2, True)])
def test_recordings_of_a_training_on_the_device(cupy, cell, layers, both, tmp_path):
    """Every view after the same steps; weights drift apart by rounding."""
    corpus, found = rnn.Corpus("the cat sat on the mat, and the rat ran. " * 10), []
    for where in (cupy, np):
        net = rnn.RecurrentNet(cell, len(corpus.symbols), 8, len(corpus.symbols), layers, both, initial="uniform")
        with rnn.Recording.create(tmp_path / where.__name__, net.to(where), corpus, lags=4) as rec:
            rnn.Trainer(net.to(where), corpus, 10, 2, record=rec, every=5).run(6)
            views = [(parameter, gate) for parameter in rec.parameters for gate in (None, *rec.gates)]
            found.append([rec.view(1, *view) for view in views] + [rec.units(*view) for view in views])
    for device, host in zip(*found, strict=True):
        if isinstance(host, tuple):
            assert_close(device[0], host[0], rtol=1e-2)
            continue
        for name in ("norm", "beyond", "share"):
            assert_close(getattr(device, name), getattr(host, name), rtol=1e-2)
