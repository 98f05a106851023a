"""What recordings hold of every layer, direction, parameter, gate and unit; and recordings that hold none of it."""

import sqlite3
from contextlib import closing

import cases
import numpy as np
import pytest

from learnviews.kernels import rnn
from learnviews.kernels.rnn import inside as module
from learnviews.kernels.rnn import views
from learnviews.kernels.rnn.unroll import check_batch, errors, forward, gradients

CORPUS = rnn.Corpus("the cat sat on the mat, and the rat ran. " * 10, name="cats")
NETS = [(cell, layers, both) for cell in ("tanh", "gru", "lstm") for layers in (1, 2) for both in (False, True)]
EVERY_NET = pytest.mark.parametrize("cell, layers, both", NETS)
VIEWED = ("norm", "beyond", "share", "share_beyond")
NEAR = {"rtol": 1e-4}


def make_net(cell, layers=1, both=False, dtype="float32", **options):
    symbols = len(CORPUS.symbols)
    net = rnn.RecurrentNet(cell, symbols, 6, symbols, layers, both, dtype, rng=7, initial="uniform", **options)
    net.flat *= 2
    return net


def record(path, net, steps, lags=3, parameter="weight_hh_l0", inside=True, **options):
    with rnn.Recording.create(path, net, CORPUS, lags, parameter, inside) as rec:
        rnn.Trainer(net, CORPUS, **{"length": 8, "every": 5, "batch": 2, **options}, record=rec).run(steps)
    return rnn.Recording.open(path)


def itemized(rec, batch, parameter, gate):
    """The same from the weights of the step, and with all units."""
    net, options = rec.net(batch.step), {"lags": rec.settings["lags"], "state": batch.state, "gate": gate}
    return rnn.itemize(net, batch.inputs, batch.targets, parameter=parameter, shares=True, unit="all", **options)


# --- every view is what `itemize` says


@EVERY_NET
def test_views_are_what_itemize_gives(cell, layers, both, tmp_path):
    net = make_net(cell, layers, both)
    with record(tmp_path / "a", net, 11, snapshot_every=10) as rec:
        assert rec.strands == net.strands
        assert rec.gates == net.cell.gate_names
        assert set(rec.parameters) == {p for p in rnn.parameters_of(net) if not p.startswith(("state", "cell"))}
        for number in (0, 2):
            for parameter in rec.parameters:
                for gate in (None, *rec.gates):
                    batch = rec.view(number, parameter, gate)
                    assert (batch.number, batch.step, batch.parameter, batch.gate) == (
                        number,
                        5 * number,
                        parameter,
                        gate,
                    )
                    flow = itemized(rec, batch, parameter, gate)
                    np.testing.assert_array_equal(batch.lags, flow.lags)
                    for name in VIEWED:
                        want = getattr(flow, name)
                        atol = 1e-5 * abs(flow.share).max() if "share" in name else 1e-6 * flow.norm.max()
                        np.testing.assert_allclose(getattr(batch, name), want, rtol=1e-4, atol=atol, err_msg=name)
                    np.testing.assert_array_equal(batch.beyond == 0, flow.beyond == 0)
                    assert batch.total == pytest.approx(flow.total, rel=1e-3)
                    norm, share = rec.units(parameter, gate)
                    want = np.sqrt((flow.units.astype(float) ** 2).sum(axis=(0, 1, 2)))
                    np.testing.assert_allclose(norm[number], want, rtol=1e-4, atol=1e-6 * want.max())
                    want = flow.unit_share.sum(axis=(0, 1, 2), dtype=float)
                    np.testing.assert_allclose(share[number], want, rtol=1e-3, atol=1e-4 * abs(want).max())


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_gates_add_up(cell, tmp_path):
    with record(tmp_path / "a", make_net(cell, 2), 6) as rec:
        for parameter in rec.parameters:
            whole, gates = rec.view(1, parameter), [rec.view(1, parameter, gate) for gate in rec.gates]
            for name in ("norm", "beyond"):
                squares = sum(getattr(gate, name).astype(float) ** 2 for gate in gates)
                np.testing.assert_allclose(np.sqrt(squares), getattr(whole, name), **NEAR)
            for name in ("share", "share_beyond"):
                parts = sum(getattr(gate, name).astype(float) for gate in gates)
                np.testing.assert_allclose(parts, getattr(whole, name), atol=4e-5 * abs(whole.share).max())
            units, parts = rec.units(parameter), [rec.units(parameter, gate) for gate in rec.gates]
            np.testing.assert_allclose(np.sqrt(sum(norm**2 for norm, _ in parts)), units[0], rtol=1e-5)
            np.testing.assert_allclose(sum(share for _, share in parts), units[1], atol=1e-5 * abs(units[1]).max())
            np.testing.assert_allclose((units[0] ** 2).sum(axis=1)[1], (whole.norm.astype(float) ** 2).sum(), rtol=1e-3)
            assert units[1].sum(axis=1)[1] == pytest.approx(whole.share.sum(), rel=1e-3)


@pytest.mark.parametrize("cell, layers, both", [("lstm", 2, False), ("gru", 2, True)])
def test_overview_of_a_view_is_that_of_its_batches(cell, layers, both, tmp_path):
    with record(tmp_path / "a", make_net(cell, layers, both), 16) as rec:
        main = rec.overview()
        for parameter in rec.parameters:
            for gate in (None, rec.gates[1]):
                table = rec.overview(parameter=parameter, gate=gate)
                assert table.drop(columns=["max_gradient", "mean_lag"]).equals(
                    main.drop(columns=["max_gradient", "mean_lag"])
                )
                for number in range(len(rec)):
                    batch = rec.view(number, parameter, gate)
                    bars = batch.norm.astype(float).sum(axis=1)
                    assert table.max_gradient[number] == pytest.approx(bars.max(), rel=1e-5)
                    want = float(rnn.mean_lag(batch.norm.astype(float), batch.lags))
                    assert table.mean_lag[number] == pytest.approx(want, rel=1e-5)
                assert rec.overview(2, parameter, gate).equals(table.loc[2:])


def test_the_main_view_is_the_batch_itself(tmp_path):
    with record(tmp_path / "a", make_net("gru"), 6, parameter="weight_ih_l0") as rec:
        for batch in (rec.view(1), rec.view(1, "weight_ih_l0"), rec.view(-1)):
            assert (batch.parameter, batch.gate, batch.number) == ("weight_ih_l0", None, 1)
            for name in VIEWED:
                np.testing.assert_array_equal(getattr(batch, name), getattr(rec[1], name))
        assert rec.view(-1, "bias_hh_l0").number == 1
        assert rec.overview(parameter="weight_ih_l0").equals(rec.overview())


def test_unknown_views_list_what_there_is(tmp_path):
    with record(tmp_path / "a", make_net("gru"), 1) as rec:
        for read in (lambda *view: rec.view(0, *view), lambda *view: rec.overview(0, *view), rec.units):
            with pytest.raises(ValueError, match=r"parameter must be one of \['weight_ih_l0', .* got 'weight_hh_l1'"):
                read("weight_hh_l1")
            with pytest.raises(ValueError, match=r"gate must be one of \['r', 'z', 'n'\], got 'f'"):
                read("weight_hh_l0", "f")
        with pytest.raises(IndexError, match="no batch 7: 1 are recorded"):
            rec.view(7, "bias_hh_l0")
    with record(tmp_path / "b", make_net("tanh"), 1) as rec, pytest.raises(ValueError, match="holds no gates"):
        rec.view(0, gate="r")


# --- the engine alone


def one_pass(net, mask=None, lags=4, floats=False):
    r = np.random.default_rng(0)
    x = r.normal(size=(9, 3, net.inputs)) if floats else r.integers(0, net.inputs, (9, 3))
    y = r.integers(0, net.outputs, (9, 3))
    run = forward(net, *check_batch(net, x, y, None, mask))
    own, total = errors(net, run)
    found = module.itemize_inside(net, run, own, total, lags, gradients(net, run, total))
    return (x, y), found


def assert_like_itemize(net, batch, found, mask=None, lags=4, **tolerance):
    for strand, inside in zip(net.strands, found, strict=True):
        parts = views.parts_of(net.cell, inside)
        for parameter, gate in views.views(net.cell):
            name = f"{parameter}_{strand}"
            flow = rnn.itemize(net, *batch, lags, name, True, mask=mask, gate=gate)
            for field, value in views.view_of(net.cell, parts, parameter, gate).items():
                want = getattr(flow, field)
                np.testing.assert_allclose(
                    value, want, atol=1e-10 * abs(want).max() + 1e-14, err_msg=(name, gate, field)
                )


@EVERY_NET
@pytest.mark.parametrize("arrays", [False, True], ids=["loops", "arrays"])
def test_one_pass_is_itemize_of_everything(arrays, cell, layers, both):
    net = make_net(cell, layers, both, "float64", embedding=4)
    if arrays:
        with cases.whole_arrays():
            batch, found = one_pass(net)
    else:
        batch, found = one_pass(net)
    assert_like_itemize(net, batch, found)


@pytest.mark.parametrize("cell, layers, both", [("lstm", 2, False), ("gru", 1, True), ("tanh", 2, True)])
def test_padding_and_float_inputs(cell, layers, both):
    net = make_net(cell, layers, both, "float64")
    mask = (np.arange(9)[:, None] < [9, 4, 1]).astype(float)
    mask[2, 0] = 0
    batch, found = one_pass(net, mask, floats=True)
    assert_like_itemize(net, batch, found, mask)


def test_blocks_of_chains_do_not_matter(monkeypatch):
    net = make_net("lstm", 2, dtype="float64")
    batch, _ = one_pass(net, lags=9)
    monkeypatch.setattr(module, "BLOCK_BYTES", 64)
    monkeypatch.setattr(module, "FEWEST", 2)
    assert_like_itemize(net, batch, one_pass(net, lags=9)[1], lags=9)


# --- recordings without


def make_old(path):
    """The file as it was when there were no such tables."""
    with closing(sqlite3.connect(path)) as connection:
        for table in ("inside", "inside_overview", "inside_unit"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DELETE FROM setting WHERE name IN ('inside', 'source')")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()


@pytest.mark.parametrize("old", [False, True], ids=["inside=False", "version 1"])
def test_recordings_of_the_main_parameter_alone(old, tmp_path):
    path = tmp_path / "a"
    record(path, make_net("lstm", 2), 21, parameter="bias_ih_l1", inside=False).close()
    if old:
        make_old(path)
    with rnn.Recording.open(path) as rec:
        assert (rec.strands, rec.gates, rec.parameters) == (["l1"], (), ["bias_ih_l1"])
        assert rec.settings["source"] == "trainer"
        assert rec.view(1, "bias_ih_l1").parameter == "bias_ih_l1"
        assert rec.overview(parameter="bias_ih_l1").equals(rec.overview())
        with pytest.raises(ValueError, match=r"parameter must be one of \['bias_ih_l1'\], got 'weight_hh_l1'"):
            rec.view(1, "weight_hh_l1")
        with pytest.raises(ValueError, match="holds no gates"):
            rec.view(1, "bias_ih_l1", "i")
        with pytest.raises(LookupError, match="holds bias_ih_l1 as a whole and no hidden units"):
            rec.units()
        before = [batch.norm for batch in rec]
    with rnn.Recording.open(path, write=True) as rec:
        rnn.Trainer.resume(rec).run(20)
    with (
        rnn.Recording.open(path) as rec,
        record(tmp_path / "b", make_net("lstm", 2), 41, parameter="bias_ih_l1") as one,
    ):
        assert len(rec) == len(one) == 9
        assert rec.parameters == ["bias_ih_l1"]
        np.testing.assert_array_equal([batch.norm for batch in rec][:5], before)
        for a, b in zip(rec, one, strict=True):
            np.testing.assert_array_equal(a.loss, b.loss)
            np.testing.assert_allclose(a.norm, b.norm, rtol=1e-5)


def test_a_batch_has_to_be_of_the_recording_s_form(tmp_path):
    net = make_net("gru")
    (x, y), found = one_pass(net)
    run = forward(net, *check_batch(net, x, y, None, None))
    flow = rnn.itemize(net, x, y, 4, shares=True)
    for wanted, given in ((True, None), (False, found)):
        with rnn.Recording.create(tmp_path / str(wanted), net, CORPUS, lags=4, inside=wanted) as rec:
            with pytest.raises(ValueError, match=f"inside={wanted}") as error:
                rec.append(0, 0, run, flow, run.state, given)
            assert rec.path.name in str(error.value)
            assert len(rec) == 0
