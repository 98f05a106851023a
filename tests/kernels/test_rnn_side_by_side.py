"""Sequences in threads: the same results as in one piece, and BLAS has its threads back afterwards."""

import threading

import cases
import deep_nets
import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from learnviews.kernels import rnn
from learnviews.kernels.rnn import side_by_side

FIELDS = ("norm", "beyond", "share", "share_beyond", "loss", "whole", "remainder", "units", "unit_share", "followed")


@pytest.fixture
def in_pieces(monkeypatch):
    """Three threads for any call of three sequences or more; how many pieces each call had."""
    counts = []
    monkeypatch.setattr(side_by_side, "WORK", 0)
    monkeypatch.setattr(side_by_side, "FEWEST", 1)
    monkeypatch.setattr(side_by_side, "LARGE", 0)
    monkeypatch.setattr(side_by_side, "blas_threads", lambda: 3)
    whole = side_by_side.in_threads

    def counted(function, parts):
        counts.append(len(parts))
        return whole(function, parts)

    monkeypatch.setattr("learnviews.kernels.rnn.flow.in_threads", counted)
    return counts


def both(net, batch, monkeypatch, **options):
    with monkeypatch.context() as patch:
        patch.setattr(side_by_side, "WORK", np.inf)
        want = rnn.itemize(net, **batch, **options)
    return rnn.itemize(net, **batch, **options), want


def assert_same(got, want):
    for name in FIELDS:
        a, b = getattr(got, name), getattr(want, name)
        assert (a is None) == (b is None), name
        if a is not None:
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12 * abs(b).max(initial=0), err_msg=name)
    np.testing.assert_array_equal(got.kept, want.kept)
    np.testing.assert_array_equal(got.lags, want.lags)
    assert (got.total is None) == (want.total is None)
    assert got.total is None or got.total == pytest.approx(want.total, rel=1e-12)
    assert (got.parameter, got.gate, got.unit) == (want.parameter, want.gate, want.unit)


@deep_nets.EVERY_CELL
@deep_nets.EVERY_HEAD
@pytest.mark.parametrize("layers, sided", [(1, False), (2, True)])
def test_as_in_one_piece(layers, sided, head, cell, in_pieces, monkeypatch):
    net = deep_nets.make_net(cell, layers, sided)
    batch = deep_nets.make_batch(net, head=head, B=5)
    for parameter in (p for p in rnn.parameters_of(net) if "weight_hh" in p or "state" in p):
        shares = not parameter.startswith("state")
        assert_same(*both(net, batch, monkeypatch, parameter=parameter, lags=4, shares=shares, unit="all"))
    assert set(in_pieces) == {3}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kind", cases.KINDS)
def test_tolerance_masks_and_inputs(kind, masked, in_pieces, monkeypatch):
    net = deep_nets.make_net("gru", kind=kind)
    net.flat *= 0.6
    batch = deep_nets.make_batch(net, kind, T=40, B=6)
    if masked:
        batch["mask"] = np.ones((40, 6))
        batch["mask"][5:, 4:] = 0
    got, want = both(net, batch, monkeypatch, lags=None, tol=0.01)
    kept = got.kept & want.kept
    np.testing.assert_allclose(got.norm[kept], want.norm[kept], rtol=1e-9)
    assert (got.remainder[:, -1] <= 0.01 * got.whole).all() and (~got.kept & got.valid[:, :, None]).any()


def test_padding_differs_from_piece_to_piece(in_pieces, monkeypatch):
    net = deep_nets.make_net("lstm", both=True)
    batch = deep_nets.make_batch(net, head="end", B=6)
    batch["mask"] = np.ones((deep_nets.T, 6))
    batch["mask"][2:, 4:] = 0
    for parameter in ("weight_hh_l0", "weight_hh_l0_reverse"):
        assert_same(*both(net, batch, monkeypatch, parameter=parameter))


def test_an_exploding_net_is_done_in_one_piece(in_pieces, monkeypatch):
    net = cases.make_net(dtype="float32", hidden=8)
    for name in ("weight_ih_l0", "bias_ih_l0", "bias_hh_l0"):
        net.parameters[name][...] = 0
    net.parameters["weight_hh_l0"][...] = 8 * np.eye(8)
    batch = cases.make_batch(net, T=90, B=4)
    got, want = both(net, batch, monkeypatch, lags=None)
    np.testing.assert_array_equal(got.norm, want.norm)
    assert in_pieces


def test_the_place_of_a_number_that_is_not_finite_is_that_in_the_whole_batch(in_pieces):
    net = cases.make_net("floats")
    batch = cases.make_batch(net, "floats", B=5)
    batch["x"][3, 4, 0] = np.nan
    with pytest.raises(FloatingPointError, match="step 3 of sequence 4"):
        rnn.itemize(net, **batch)


def blas_threads():
    return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]


def test_blas_has_its_threads_back_whoever_calls_when(in_pieces):
    net = deep_nets.make_net("tanh")
    batch = deep_nets.make_batch(net, B=4)
    rnn.itemize(net, **batch)
    before = blas_threads()
    callers = [threading.Thread(target=lambda: [rnn.itemize(net, **batch) for _ in range(20)]) for _ in range(3)]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    assert blas_threads() == before


def test_limits_of_the_caller_count():
    net = rnn.RecurrentNet("tanh", 8, 128, 8)
    with threadpool_limits(1, "blas"):
        assert side_by_side.pieces(net, 100, 32, 6) == [slice(0, 32)]
    with threadpool_limits(2, "blas"):
        found = side_by_side.pieces(net, 100, 32, 6)
        assert found in ([slice(0, 16), slice(16, 32)], [slice(0, 32)])  # a machine of one core has no second thread
        assert side_by_side.pieces(net, 100, 7, 6) == [slice(0, 7)]
        assert side_by_side.pieces(net, 2, 8, 1) == [slice(0, 8)]
