"""Under a tolerance: what is kept is as without it, what is dropped is accounted for, and the error stays within it."""

import cases
import deep_nets
import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnviews.kernels import rnn
from learnviews.kernels.rnn import lags, tolerance

TOL = 0.02


@pytest.fixture
def path(request, monkeypatch):
    """All chains in one block; in blocks of few; in whole-array operations."""
    if request.param == "blocks":
        monkeypatch.setattr(lags, "BLOCK_BYTES", 1)
        monkeypatch.setattr(lags, "_few", lambda link, chains: None)
    if request.param == "arrays":
        with cases.whole_arrays():
            yield request.param
    else:
        yield request.param


def by_every_path(test):
    return pytest.mark.parametrize("path", ["loop", "blocks", "arrays"], indirect=True)(test)


def shrinking(cell, layers=1, both=False, dtype="float64", kind="floats", hidden=6):
    """A net whose losses matter for some ten steps."""
    net = deep_nets.make_net(cell, layers, both, kind, dtype, hidden=hidden)
    net.flat *= 0.6
    return net


def both_ways(net, batch, tol=TOL, **options):
    options = {"lags": None, **options}
    return rnn.itemize(net, **batch, **options), rnn.itemize(net, **batch, **options, tol=tol)


def assert_kept(full, flow, tol=TOL, rtol=1e-9):
    """All that is promised, for a flow under a tolerance beside the full one."""
    kept = flow.kept
    scale = full.norm.max(initial=0)
    np.testing.assert_allclose(flow.norm, np.where(kept, full.norm, 0), rtol=rtol, atol=rtol * scale)
    assert not (kept & ~full.valid[:, :, None]).any()
    np.testing.assert_allclose(flow.whole, full.whole, rtol=rtol)
    every = len(flow.lags) == len(flow.norm)
    if every:
        left = flow.remainder[:, -1]
        assert (left <= tol * flow.whole).all()
        complete = (kept | ~full.valid[:, :, None]).all(axis=1)
        assert (left[complete] == 0).all() and (flow.beyond[complete] == 0).all()
    sums = np.where(kept, 0, full.norm).sum(axis=1)
    assert (flow.beyond <= full.beyond + sums * (1 + 1e-6) + rtol * scale).all()


@by_every_path
@deep_nets.EVERY_CELL
@pytest.mark.parametrize("layers, both, parameter", [
    (1, False, "weight_hh_l0"), (1, False, "bias_ih_l0"), (2, False, "weight_ih_l0"), (2, False, "state_l0"),
    (1, True, "weight_hh_l0_reverse"), (2, True, "weight_hh_l1_reverse"), (2, True, "weight_hh_l1"),
])  # fmt: skip
def test_what_is_kept_is_as_without_it(parameter, layers, both, cell, path):
    net = shrinking(cell, layers, both)
    batch = deep_nets.make_batch(net, T=60, B=3)
    full, flow = both_ways(net, batch, parameter=parameter)
    assert_kept(full, flow)
    assert flow.kept.sum() < 0.9 * full.valid.sum() * 3, "something is dropped at all"


@by_every_path
@pytest.mark.parametrize("cell", cases.CELLS)
def test_beyond_is_the_norm_of_the_sum_of_what_was_dropped(cell, path):
    net = shrinking(cell, kind="tokens")
    batch = cases.make_batch(net, T=40, B=2, masked=True, started=True)
    flow = rnn.itemize(net, **batch, lags=None, tol=TOL)
    G = naive.cells(naive.forward(net, **batch))
    dropped = np.where(flow.kept[..., None, None], 0, G).sum(axis=1)
    np.testing.assert_allclose(flow.beyond, np.linalg.norm(dropped, axis=(2, 3)), rtol=1e-9, atol=1e-15)
    assert flow.beyond.any()


@by_every_path
@deep_nets.EVERY_CELL
def test_shares_still_add_up(cell, path):
    net = shrinking(cell, 2)
    batch = deep_nets.make_batch(net, T=50, B=3)
    full, flow = both_ways(net, batch, shares=True)
    assert flow.total == pytest.approx(full.total, rel=1e-12)
    assert flow.share.sum() + flow.share_beyond.sum() == pytest.approx(flow.total, rel=1e-9)
    np.testing.assert_allclose(flow.share, np.where(flow.kept, full.share, 0), atol=1e-12 * full.total)
    assert flow.share_beyond[~flow.kept.all(axis=1)].any()


@by_every_path
@deep_nets.EVERY_CELL
def test_units_and_gates_are_dropped_with_their_chains(cell, path):
    net = shrinking(cell)
    batch = deep_nets.make_batch(net, T=40, B=2)
    full, flow = both_ways(net, batch, unit="all")
    np.testing.assert_allclose(flow.units, np.where(flow.kept[..., None], full.units, 0), rtol=1e-9, atol=1e-14)
    for gate in net.cell.gate_names:
        assert_kept(*both_ways(net, batch, gate=gate))


def non_normal(dtype="float64", hidden=12, grow=3.0):
    """A row shrinks for a while and then grows again: W moves it along the units, down and up."""
    net = cases.make_net(dtype=dtype, hidden=hidden)
    net.flat *= 0
    factors = np.array([0.05] * (hidden // 3) + [grow] * (hidden - hidden // 3 - 1))
    net.parameters["weight_hh_l0"][np.arange(1, hidden), np.arange(hidden - 1)] = factors[::-1]
    net.parameters["weight_hh_l0"] += 0.3 * np.eye(hidden, dtype=dtype)
    r = np.random.default_rng(0)
    net.parameters["decoder.weight"][...] = r.normal(size=net.parameters["decoder.weight"].shape)
    net.parameters["decoder.weight"][:, : hidden - 1] *= 1e-3
    return net


@by_every_path
@pytest.mark.parametrize("sparse", [False, True], ids=["every step", "now and then"])
def test_a_small_row_that_grows_again_is_taken_up_again(sparse, path):
    net = non_normal()
    batch = cases.make_batch(net, T=80, B=2)
    batch["mask"] = np.ones((80, 2))
    if sparse:
        batch["mask"][np.arange(80) % 20 != 19] = 0
    parked = []
    drop = tolerance.Tolerance.drop

    def watched(self, k, chains):
        going = drop(self, k, chains)
        parked.append(going is not chains)
        return going

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tolerance.Tolerance, "drop", watched)
        full, flow = both_ways(net, batch, tol=0.1)
    assert any(parked)
    assert_kept(full, flow, 0.1)


@by_every_path
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_exploding_nets(cell, dtype, path):
    net = deep_nets.make_net(cell, kind="floats", dtype=dtype, hidden=8)
    net.parameters["weight_hh_l0"][...] *= 6
    for name in ("weight_ih_l0", "bias_ih_l0", "bias_hh_l0"):
        net.parameters[name][...] *= 0.01
    batch = deep_nets.make_batch(net, T=150, B=2, started=False)
    batch["x"] = batch["x"].astype(dtype)
    full, flow = both_ways(net, batch)
    assert np.isfinite(flow.norm).all() and np.isfinite(flow.beyond).all()
    assert_kept(full, flow, rtol=1e-9 if dtype == "float64" else 2e-3)


def test_more_than_float64_holds():
    net = cases.make_net(dtype="float32", hidden=8)
    for name in ("weight_ih_l0", "bias_ih_l0", "bias_hh_l0"):  # h stays 0 and all slopes 1
        net.parameters[name][...] = 0
    net.parameters["weight_hh_l0"][...] = 8 * np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))[0]
    full, flow = both_ways(net, cases.make_batch(net, T=450, B=1), parameter="bias_ih_l0")
    assert full.log_norm.max() > 709
    kept = flow.kept
    assert kept[-100:].any()  # wholes beyond the largest float64 tell nothing, and so nothing is dropped
    np.testing.assert_allclose(flow.log_norm[kept], full.log_norm[kept], rtol=1e-5, atol=1e-3)
    assert np.isfinite(flow.beyond).all()


@by_every_path
@pytest.mark.parametrize("K", [1, 3, 12, 59, 60])
def test_with_fewer_lags(K, path):
    net = shrinking("gru")
    batch = deep_nets.make_batch(net, T=60, B=2)
    full, flow = both_ways(net, batch, lags=K)
    assert_kept(full, flow)
    missing = (full.valid[:, :, None] & ~flow.kept).any(axis=1)
    assert (flow.remainder[:, -1][missing] <= TOL * flow.whole[missing]).all()


@by_every_path
@deep_nets.EVERY_CELL
def test_horizon_is_that_of_the_full_result_or_a_bound(cell, path):
    net = shrinking(cell)
    batch = deep_nets.make_batch(net, T=60, B=3)
    full, flow = both_ways(net, batch, tol=0.001)
    want, got = full.horizon(0.95), flow.horizon(0.95)
    assert (got >= want).all()
    assert (got == want).mean() > 0.9


@by_every_path
def test_padded_steps_and_sequences_of_unlike_lengths(path):
    net = shrinking("lstm", 2)
    batch = deep_nets.make_batch(net, T=50, B=4)
    length = np.array([50, 31, 4, 1])
    batch["mask"] = (np.arange(50)[:, None] < length).astype(float)
    full, flow = both_ways(net, batch)
    assert_kept(full, flow)
    assert flow.kept[40:, :, 1:].sum() == full.kept[40:, :, 1:].sum(), "where there is no loss nothing was dropped"


@pytest.mark.parametrize("both, head", [(True, "steps"), (False, "end")])
def test_nothing_is_dropped_where_one_pass_does_it_all(both, head):
    net = shrinking("tanh", 2, both)
    batch = deep_nets.make_batch(net, head=head, T=30, B=2)
    full, flow = both_ways(net, batch, parameter="weight_hh_l0")
    np.testing.assert_array_equal(flow.norm, full.norm)
    assert flow.followed is None


@cases.FEW
@given(st.sampled_from(deep_nets.CELLS), st.integers(1, 2), st.booleans(), st.integers(1, 40), st.integers(1, 3),
       st.floats(0.3, 3), st.sampled_from([1e-3, 0.05, 0.5]), st.integers(0, 99))  # fmt: skip
def test_any_net_and_tolerance(cell, layers, masked, T, B, scale, tol, seed):
    net = deep_nets.make_net(cell, layers, hidden=5, rng=seed)
    for name in net.parameters:
        if name.startswith("weight_hh"):
            net.parameters[name] *= scale
    batch = deep_nets.make_batch(net, T=T, B=B, rng=seed)
    if masked:
        batch["mask"] = np.random.default_rng(seed).choice([0, 0.5, 1], (T, B))
    full, flow = both_ways(net, batch, tol)
    assert_kept(full, flow, tol)


@pytest.mark.parametrize("tol", [0, 1, -0.1, True, "small", np.nan, 1e-7])
def test_a_tolerance_that_cannot_be_met(tol):
    net = cases.make_net(dtype="float32")
    with pytest.raises(ValueError, match=r"tol must be None or a number from 7\.6e-06 \(of float32\) to below 1"):
        rnn.itemize(net, **cases.make_batch(net), tol=tol)
