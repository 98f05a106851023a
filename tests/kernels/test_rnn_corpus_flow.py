"""Many sequences: the flow of all at once, whatever the tiles, the memory, the workers and the interruptions."""

import dataclasses
import gc
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import tracemalloc
from concurrent.futures import CancelledError
from itertools import pairwise

import cases
import numpy as np
import pytest
from corpus_flows import HEADS, assert_is_twin, assert_same, sequences, small, twin
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.kernels import rnn
from learnviews.kernels.progress import Progress
from learnviews.kernels.rnn import flow_folder, many, tiles
from learnviews.kernels.rnn.crew import Crew, in_order

LENGTHS = (3, 9, 1, 5, 9, 8, 2)
EVERY_DTYPE = pytest.mark.parametrize("dtype", ["float32", "float64"])


@pytest.fixture
def few_a_tile(monkeypatch):
    """At most five sequences a tile."""
    monkeypatch.setattr(tiles, "MOST", 5)


# -- what comes out


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
@pytest.mark.parametrize("both", [False, True], ids=["forward", "bidirectional"])
def test_it_is_the_flow_of_each_sequence(cell, head, both, few_a_tile):
    net = cases.make_net("floats", cell, layers=2, bidirectional=both)
    given = sequences(net, "floats", head, LENGTHS, masked=True, started=True)
    for parameter in ("weight_hh_l0", "weight_ih_l1", *(["bias_hh_l0_reverse", "weight_hh_l1_reverse"] * both)):
        options = {"lags": 4, "parameter": parameter, "shares": True}
        flow = rnn.itemize_corpus(net, **given, **options)
        assert_is_twin(flow, twin(net, given, **options), 1e-9)
        assert flow.share.sum() + flow.share_beyond.sum() == pytest.approx(flow.total, rel=1e-9)


@pytest.mark.parametrize(
    "options",
    [{"unit": 2}, {"unit": "all", "shares": True}, {"gate": "i"}, {"parameter": "cell"}, {"lags": None}, {"lags": 1}],
    ids=str,
)
def test_options_of_itemize(options, few_a_tile):
    net = cases.make_net("embedding", "lstm")
    given = sequences(net, lengths=LENGTHS)
    flow = rnn.itemize_corpus(net, **given, **options)
    assert_is_twin(flow, twin(net, given, **options), 1e-9)
    assert (flow.gate, flow.unit) == (
        options.get("gate"),
        options.get("unit") if options.get("unit") != "all" else None,
    )


@st.composite
def corpora(draw):
    """A net and sequences for it."""
    size = st.integers(1, 6)
    kind, cell = draw(st.sampled_from(cases.KINDS)), draw(st.sampled_from(["tanh", "relu", "gru", "lstm"]))
    dtype, seed = draw(st.sampled_from(["float32", "float64"])), draw(st.integers(0, 2**16))
    sizes = {name: draw(size) for name in ("inputs", "hidden")} | {"outputs": draw(st.integers(2, 6))}
    net = cases.make_net(
        kind, cell, dtype, seed, **sizes, layers=draw(st.integers(1, 2)), bidirectional=draw(st.booleans())
    )
    lengths = draw(st.lists(st.integers(1, 12), min_size=1, max_size=9))
    head = draw(st.sampled_from(HEADS[:3]))
    given = sequences(net, kind, head, lengths, seed, draw(st.booleans()), draw(st.booleans()))
    return net, given, draw(st.integers(1, max(lengths))), draw(st.sampled_from(net.strands))


@given(corpora(), st.integers(1, 4), st.sampled_from([1 << 10, 1 << 20]))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_any_sequences_in_any_tiles(problem, most, tile_bytes):
    net, given, lags, strand = problem
    options = {"lags": lags, "parameter": f"weight_ih_{strand}", "shares": True}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "MOST", most)
        patch.setattr(tiles, "TILE_BYTES", tile_bytes)
        flow = rnn.itemize_corpus(net, **given, **options)
    assert_is_twin(flow, twin(net, given, **options), 1e-9 if net.dtype == np.float64 else 2e-3)


def test_arrays_with_padding_are_lists():
    net = cases.make_net(dtype="float64")
    given = sequences(net, lengths=LENGTHS)
    T, N = max(LENGTHS), len(LENGTHS)
    x, y, mask = np.zeros((T, N), int), np.zeros((T, N), int), np.zeros((T, N), np.float32)
    for i, n in enumerate(LENGTHS):
        x[:n, i], y[:n, i], mask[:n, i] = given["x"][i], given["y"][i], 1
    flow = rnn.itemize_corpus(net, x, y, mask=mask, shares=True)
    assert_same(flow, rnn.itemize_corpus(net, **given, shares=True))
    whole = rnn.itemize(net, x, y, mask=mask, shares=True)
    for name in ("norm", "loss", "whole", "beyond", "remainder", "share", "share_beyond", "total"):
        np.testing.assert_allclose(getattr(flow, name), getattr(whole, name), rtol=1e-9, atol=1e-14, err_msg=name)
    apart = {"x": np.asfortranarray(x), "y": np.repeat(y, 2, axis=1)[:, ::2], "mask": mask}
    assert_same(flow, rnn.itemize_corpus(net, **apart, shares=True))


def test_memory_maps_are_read(tmp_path):
    net = cases.make_net("floats")
    r = np.random.default_rng(0)
    x, y = r.normal(size=(20, 30, net.inputs)), r.integers(0, net.outputs, (20, 30)).astype(np.uint8)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    mapped = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "xy")
    assert_same(rnn.itemize_corpus(net, *mapped, shares=True), rnn.itemize_corpus(net, x, y, shares=True))


def test_a_corpus_is_cut_into_sequences():
    corpus = rnn.Corpus("to be or not to be, that is the question")
    net = rnn.RecurrentNet("tanh", len(corpus.symbols), 6, len(corpus.symbols), initial="uniform", dtype="float64")
    flow = rnn.itemize_corpus(net, corpus, length=9, shares=True)
    n, tokens = len(corpus) - 1, corpus.tokens
    pieces = [slice(start, min(start + 9, n)) for start in range(0, n, 9)]
    given = {"x": [tokens[:-1][p] for p in pieces], "y": [tokens[1:][p] for p in pieces], "state": None, "mask": None}
    assert flow.loss.shape == (9, 5) and len(given["x"][-1]) == 3
    assert_is_twin(flow, twin(net, given, shares=True), 1e-9)


def test_a_sequence_without_weight_adds_nothing():
    net = cases.make_net("tokens", "gru", layers=2, bidirectional=True)
    given = sequences(net, head="end", lengths=LENGTHS)
    mask = np.array([1, 0, 1, 1, 2, 1, 1.0])
    flow = rnn.itemize_corpus(net, **{**given, "mask": mask}, shares=True)
    assert not flow.norm[..., 1].any() and not flow.loss[:, 1].any() and flow.norm[..., 0].any()
    assert_is_twin(flow, twin(net, {**given, "mask": mask}, shares=True), 1e-9)


def test_norms_out_of_range_have_logarithms(few_a_tile):
    net = cases.make_net("floats", "tanh", "float32", hidden=4)
    for name in ("weight_hh_l0", "bias_hh_l0", "bias_ih_l0"):
        net.parameters[name][...] = np.eye(4) * 1e4 if name == "weight_hh_l0" else 0
    given = sequences(net, "floats", "steps", (2, 3, 60, 2, 60, 3))
    given["x"] = [np.zeros_like(x) for x in given["x"]]  # units at rest let errors through as they are
    flow = rnn.itemize_corpus(net, **given, lags=None, parameter="bias_hh_l0")
    found = twin(net, given, lags=None, parameter="bias_hh_l0")
    assert any(one.log is not None for one in found) and any(one.log is None for one in found)
    assert flow.log_norm.max() > np.log(np.finfo(np.float32).max)
    assert_is_twin(flow, found, 1e-5)


def test_the_path_of_cupy():
    net, given = small("lstm", "float64", layers=2)
    with cases.whole_arrays():
        flow = rnn.itemize_corpus(net, **given, shares=True)
    assert_is_twin(flow, twin(net, given, shares=True), 1e-9)


def test_a_tolerance_holds_for_every_step(tmp_path, few_a_tile):
    net = cases.make_net("tokens", "gru", hidden=8)
    net.parameters["weight_hh_l0"][...] *= 0.3
    given = sequences(net, lengths=(90, 3, 85, 1, 60, 88, 2, 40))
    flow = rnn.itemize_corpus(net, **given, lags=None, tol=1e-2)
    exact = rnn.itemize_corpus(net, **given, lags=None)
    assert (flow.beyond <= 1e-2 * exact.whole * (1 + 1e-9)).all() and flow.beyond.any() and not exact.beyond.any()
    loss = np.minimum(np.arange(90)[:, None] + flow.lags, 89)
    valid = exact.norm > 0
    assert not flow.kept[valid].all() and flow.followed[89, 1] == 90  # where there is no loss, none was dropped
    np.testing.assert_allclose(flow.norm, np.where(flow.kept, exact.norm, 0), rtol=1e-9, atol=1e-14)
    assert (flow.lags[:, None] >= flow.followed[loss])[valid & ~flow.kept].all()
    for how in ({"workers": 2}, {"out": tmp_path / "f"}):
        assert_same(flow, as_flow(rnn.itemize_corpus(net, **given, lags=None, tol=1e-2, **how)))
    assert_same(flow, as_flow(rnn.open_flow(tmp_path / "f")))


# -- whoever does it


@EVERY_DTYPE
@pytest.mark.parametrize("cell", ["tanh", "lstm"])
def test_workers_and_limits_do_not_change_a_bit(cell, dtype):
    net, given = small(cell, dtype, hidden=33)
    options = {"shares": True, "lags": 5}
    flow = rnn.itemize_corpus(net, **given, **options, workers=1)
    assert_same(flow, rnn.itemize_corpus(net, **given, **options, memory_limit="3 GB", workers=2))
    assert_same(flow, rnn.itemize_corpus(net, **given, **options, memory_limit=least(net, given, options)))
    summary = rnn.summarize_corpus(net, **given, **options, workers=1)
    assert_same(summary, rnn.summarize_corpus(net, **given, **options, workers=2))


@pytest.fixture
def three_threads(monkeypatch):
    """As many tiles at a time, whatever this machine has; the names of those that ran."""
    names, job = set(), tiles.Job.itemized

    def itemized(self, batch, G=None):
        names.add(threading.current_thread().name)
        return job(self, batch, G)

    monkeypatch.setattr(many, "blas_threads", lambda: 3)
    monkeypatch.setattr(tiles.Job, "itemized", itemized)
    return names


@EVERY_DTYPE
@pytest.mark.parametrize("options", [{}, {"tol": 1e-2, "lags": None}], ids=["lags", "tol"])
def test_threads_do_not_change_a_bit(dtype, options, few_a_tile, three_threads, tmp_path):
    net, given = small("gru", dtype)
    options = {"shares": True, **options}
    flow = rnn.itemize_corpus(net, **given, **options, workers=1)
    assert len(three_threads) == 1
    assert_same(flow, rnn.itemize_corpus(net, **given, **options))
    assert sum("tiles" in name for name in three_threads) > 1
    assert_same(flow, as_flow(rnn.itemize_corpus(net, **given, **options, out=tmp_path / "f")))
    summary = rnn.summarize_corpus(net, **given, **options, workers=1)
    assert_same(summary, rnn.summarize_corpus(net, **given, **options))


def test_where_memory_is_short_no_thread_is_used(few_a_tile, three_threads):
    net, given = small()
    rnn.itemize_corpus(net, **given, lags=5, memory_limit=least(net, given, {"lags": 5}))
    assert not any("tiles" in name for name in three_threads)


def test_threads_are_waited_for_when_cancelled(few_a_tile, three_threads):
    net, given = small()
    progress = Progress(lambda p: p.cancel() if p.done >= 5 else None, 0)
    with pytest.raises(CancelledError):
        rnn.itemize_corpus(net, **given, progress=progress)
    assert not any("tiles" in thread.name for thread in threading.enumerate())


def test_what_goes_wrong_in_a_thread_is_told(few_a_tile, three_threads, monkeypatch):
    net, given = small()

    def failing(self, batch, G=None):
        if threading.current_thread() is not threading.main_thread():
            raise MemoryError("no room")
        return itemized(self, batch, G)

    itemized = tiles.Job.itemized
    monkeypatch.setattr(tiles.Job, "itemized", failing)
    with pytest.raises(MemoryError, match="no room"):
        rnn.itemize_corpus(net, **given)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@EVERY_DTYPE
def test_a_cluster_does_not_change_a_bit(dtype, tmp_path):
    distributed = pytest.importorskip("distributed")
    net, given = small("gru", dtype, layers=2)
    here = {"n_workers": 1, "threads_per_worker": 2, "processes": False, "dashboard_address": None}
    flow = rnn.itemize_corpus(net, **given, shares=True)
    with distributed.LocalCluster(**here) as cluster, distributed.Client(cluster) as client:
        assert_same(flow, rnn.itemize_corpus(net, **given, shares=True, client=client))
        assert_same(flow, as_flow(rnn.itemize_corpus(net, **given, shares=True, client=client, out=tmp_path / "f")))
        net.flat[3] = np.nan
        with pytest.raises(FloatingPointError, match="not finite"):
            rnn.itemize_corpus(net, **given, client=client)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_lost_worker_of_a_cluster_costs_nothing(few_a_tile):
    distributed = pytest.importorskip("distributed")
    net, given = small("gru", layers=2)
    here = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None, "memory_limit": 0}
    with distributed.LocalCluster(**here) as cluster, distributed.Client(cluster) as client:
        pids = iter(client.run(os.getpid).values())

        def kill(progress):
            if progress.done < 10:
                os.kill(next(pids), signal.SIGKILL)

        flow = rnn.itemize_corpus(net, **given, client=client, progress=Progress(kill, 0))
    assert_same(flow, rnn.itemize_corpus(net, **given))


def as_flow(flow):
    """Its arrays in memory."""
    arrays = {
        f.name: np.array(v) for f in dataclasses.fields(flow) if isinstance(v := getattr(flow, f.name), np.ndarray)
    }
    return dataclasses.replace(flow, **arrays)


def test_a_script_needs_no_guard(tmp_path):
    script = """
        from learnviews.kernels import rnn
        corpus = rnn.Corpus("to be or not to be, that is the question. " * 20)
        net = rnn.RecurrentNet("tanh", len(corpus.symbols), 6, len(corpus.symbols), initial="uniform")
        print(rnn.itemize_corpus(net, corpus, length=9, workers=2).norm.sum())
    """
    (tmp_path / "script.py").write_text(textwrap.dedent(script))
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stderr == "" and float(done.stdout) > 0


def test_a_worker_that_dies_costs_nothing(few_a_tile):
    psutil = pytest.importorskip("psutil")
    net, given = small()
    killed = []

    def kill(progress):
        workers = [one for one in psutil.Process().children(recursive=True) if one.ppid() != os.getpid()]
        if not killed and workers:
            killed.append(workers[0].pid)
            os.kill(workers[0].pid, signal.SIGKILL)

    flow = rnn.itemize_corpus(net, **given, shares=True, workers=2, progress=Progress(kill, 0))
    assert killed
    assert_same(flow, rnn.itemize_corpus(net, **given, shares=True))


def test_workers_that_die_over_and_over():
    with Crew(3, 2, 2, None) as crew, pytest.raises(RuntimeError, match=r"died 3 times.*SIGABRT"):
        list(crew.run("search_tasks:die", range(4), lambda tag: (), Progress()))


def test_results_come_in_order():
    results = iter([(2, "c"), (0, "a"), (1, "b"), (3, "d")])
    assert list(in_order(results)) == ["a", "b", "c", "d"]


@pytest.mark.gpu
def test_tiles_are_sent_to_the_device(cupy):
    net, given = small("lstm", "float64", layers=2)
    flow = rnn.itemize_corpus(net.to(cupy), **given, shares=True)
    assert isinstance(flow.norm, np.ndarray)
    assert_is_twin(flow, twin(net, given, shares=True), 1e-9)
    with pytest.raises(ValueError, match="workers: a net on a GPU works from this process alone"):
        rnn.itemize_corpus(net.to(cupy), **given, workers=2)
    given["x"][3] = cupy.asarray(given["x"][3])
    with pytest.raises(TypeError, match=r"x\[3\]: got both NumPy and CuPy"):
        rnn.itemize_corpus(net, **given)


# -- memory


def least(net, given, options, call=rnn.itemize_corpus):
    """The least memory, as the error tells it."""
    with pytest.raises(ValueError, match="memory_limit: 1 bytes is too little") as error:
        call(net, **given, **options, memory_limit=1)
    return re.search(r"the least is ([\d.]+ \w+)", str(error.value))[1]


def peak(call):
    gc.collect()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


MEASURED = [
    ("tanh", {"parameter": "weight_hh_l0"}, {}, "steps"),
    ("gru", {"shares": True}, {"layers": 2}, "steps"),
    ("lstm", {"shares": True, "parameter": "weight_ih_l1_reverse"}, {"layers": 2, "bidirectional": True}, "steps"),
    ("gru", {"parameter": "weight_hh_l0_reverse", "lags": 3}, {"layers": 2, "bidirectional": True}, "steps"),
    ("lstm", {"shares": True}, {"layers": 2}, "end"),
    ("relu", {"lags": None, "unit": "all"}, {}, "steps"),
    ("tanh", {"lags": 4}, {"outputs": 400}, "numbers"),
    ("gru", {"lags": None, "tol": 1e-2}, {}, "steps"),
]


@pytest.mark.parametrize(("cell", "options", "sizes", "head"), MEASURED, ids=str)
def test_peak_memory_stays_below_the_limit(cell, options, sizes, head):
    net = rnn.RecurrentNet(cell, **{"inputs": 30, "hidden": 32, "outputs": 30, "initial": "uniform", **sizes})
    given = sequences(net, head=head, lengths=np.random.default_rng(0).integers(40, 60, 60))
    limit = least(net, given, options)
    rnn.itemize_corpus(net, **given, **options)
    used = peak(lambda: rnn.itemize_corpus(net, **given, **options, memory_limit=limit))
    bytes_ = rnn.many.bytes_of("limit", limit)
    assert bytes_ / 4 < used <= bytes_


def test_a_result_that_does_not_fit_is_refused_with_its_size():
    net, given = small()
    with pytest.raises(ValueError, match=r"too little. The result takes [\d.]+ kB, .*out=.*summarize_corpus"):
        rnn.itemize_corpus(net, **given, memory_limit="10 kB")


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_working_memory_grows_with_steps_and_units_but_not_with_lags(cell):
    net = rnn.RecurrentNet(cell, 20, 64, 20, initial="uniform")
    r = np.random.default_rng(0)

    def beyond(T, K):
        x = r.integers(0, 20, (T, 1))
        rnn.itemize(net, x, x, lags=2)
        flows = []
        used = peak(lambda: flows.append(rnn.itemize(net, x, x, lags=K)))
        return used - sum(v.nbytes for v in vars(flows[0]).values() if isinstance(v, np.ndarray))

    assert beyond(1600, 64) < 1.15 * beyond(1600, 4)
    assert beyond(1600, 4) < 2.2 * beyond(800, 4)


# -- folders, interruptions


def test_a_flow_in_a_folder_is_the_same(tmp_path, few_a_tile):
    net, given = small("gru", "float64")
    options = {"shares": True, "unit": "all", "parameter": "bias_hh_l0"}
    flow = rnn.itemize_corpus(net, **given, **options)
    there = rnn.itemize_corpus(net, **given, **options, out=tmp_path / "flow")
    assert isinstance(there.norm, np.memmap)
    assert_same(flow, as_flow(there))
    assert_same(flow, as_flow(rnn.open_flow(tmp_path / "flow")))
    np.testing.assert_array_equal(flow.horizon(), rnn.open_flow(tmp_path / "flow").horizon())
    assert_same(flow, as_flow(rnn.itemize_corpus(net, **given, **options, out=tmp_path / "flow")))  # nothing to do


def test_logarithms_in_a_folder(tmp_path):
    net = cases.make_net("tokens", "lstm", layers=2, bidirectional=True)
    given = sequences(net, lengths=LENGTHS)
    flow = rnn.itemize_corpus(net, **given)
    assert flow.log is not None
    assert_same(flow, as_flow(rnn.itemize_corpus(net, **given, out=tmp_path / "flow")))
    assert_same(flow, as_flow(rnn.open_flow(tmp_path / "flow")))


@pytest.mark.parametrize("after", [12, 50])
def test_a_cancelled_flow_goes_on(after, tmp_path, few_a_tile, monkeypatch):
    net, given = small()
    flow = rnn.itemize_corpus(net, **given, shares=True)
    progress = Progress(lambda p: p.cancel() if p.done >= after else None, 0)
    with pytest.raises(CancelledError, match="goes on with it" if after == 50 else "cancelled"):
        rnn.itemize_corpus(net, **given, shares=True, out=tmp_path / "f", progress=progress)
    with pytest.raises(rnn.FileFormatError, match="not complete"):
        rnn.open_flow(tmp_path / "f")
    seen = []
    watch = Progress(lambda p: seen.append(p.done), 0)
    again = rnn.itemize_corpus(net, **given, shares=True, out=tmp_path / "f", progress=watch)
    assert max(seen[:2]) >= after and seen[-1] == 80 and watch.total == 80
    assert_same(flow, as_flow(again))


def test_a_killed_flow_goes_on(tmp_path, few_a_tile):
    script = """
        import os, signal, sys
        sys.path[:0] = sys.argv[1:2]
        from corpus_flows import small
        from learnviews.kernels import rnn
        from learnviews.kernels.progress import Progress
        from learnviews.kernels.rnn import flow_folder, tiles
        tiles.MOST, flow_folder.SYNC_SECONDS = 5, 0
        net, given = small()
        kill = Progress(lambda p: os.kill(os.getpid(), signal.SIGKILL) if p.done >= 60 else None, 0)
        rnn.itemize_corpus(net, **given, shares=True, out="f", progress=kill)
    """
    tests = os.path.dirname(os.path.dirname(__file__))
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script), tests], cwd=tmp_path, timeout=120)
    assert done.returncode == -signal.SIGKILL
    net, given = small()
    seen = []
    progress = Progress(lambda p: seen.append(p.done), 0)
    flow = rnn.itemize_corpus(net, **given, shares=True, out=tmp_path / "f", progress=progress)
    assert seen[0] >= 40  # the gradient's pass need not be done again
    assert_same(rnn.itemize_corpus(net, **given, shares=True), as_flow(flow))


def test_a_folder_of_something_else_is_refused(tmp_path):
    net, given = small()
    rnn.itemize_corpus(net, **given, out=tmp_path / "f")
    for changed, what in (
        ({"parameter": "bias_hh_l0"}, "parameter"),
        ({"lags": 5}, "choice of lags"),
        ({"unit": 2}, "gate or unit"),
        ({"x": [np.zeros_like(x) for x in given["x"]]}, "set of sequences"),
    ):
        with pytest.raises(rnn.FileFormatError, match=f"out: holds a flow of another {what}"):
            rnn.itemize_corpus(net, **{**given, **changed}, out=tmp_path / "f")
    other = net.copy()
    other.flat[0] += 1
    with pytest.raises(rnn.FileFormatError, match="of another net"):
        rnn.itemize_corpus(other, **given, out=tmp_path / "f")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(rnn.FileFormatError, match=r"thesis.tex"):
        rnn.itemize_corpus(net, **given, out=tmp_path / "mine")
    with pytest.raises(rnn.FileFormatError, match="a file; expected a folder"):
        rnn.itemize_corpus(net, **given, out=tmp_path / "mine" / "thesis.tex")
    assert sorted(os.listdir(tmp_path / "mine")) == ["thesis.tex"]


def test_a_folder_that_is_written_is_refused(tmp_path):
    net, given = small()
    folder = flow_folder.FlowFolder(tmp_path / "f", {}, 3)
    with pytest.raises(rnn.StoreError, match="another process is writing"):
        rnn.itemize_corpus(net, **given, out=tmp_path / "f")
    folder.close()


@pytest.mark.parametrize("damage", ["", "{}", '{"learnviews": "cube", "version": 1, "about": {}}', "header", "array"])
def test_a_damaged_folder_is_told(damage, tmp_path):
    net, given = small()
    rnn.itemize_corpus(net, **given, out=tmp_path / "f")
    told = tmp_path / "f" / "flow.json"
    if damage == "array":
        (tmp_path / "f" / "norm.npy").write_bytes(b"no")
    elif damage == "header":
        told.write_text(json.dumps({**json.loads(told.read_text()), "arrays": ["norm"], "absent": 3}))
    else:
        told.write_text(damage)
    with pytest.raises(rnn.FileFormatError, match=re.escape(str(tmp_path / "f"))):
        rnn.open_flow(tmp_path / "f")


def test_progress_counts_sequences():
    net, given = small()
    seen = []
    rnn.itemize_corpus(net, **given, progress=Progress(lambda p: seen.append((p.done, p.total, p.remaining)), 0))
    assert seen[-1] == (40, 40, 0) and all(a[0] < b[0] for a, b in pairwise(seen))


def test_cancelled_before_it_began():
    net, given = small()
    progress = Progress()
    progress.cancel()
    for call in (rnn.itemize_corpus, rnn.summarize_corpus):
        with pytest.raises(CancelledError):
            call(net, **given, progress=progress)


# -- summaries


@pytest.mark.parametrize("parameter", ["weight_hh_l0", "weight_hh_l0_reverse", "weight_ih_l1_reverse"])
def test_a_summary_sums_what_sequences_have(parameter, few_a_tile):
    net = cases.make_net("tokens", "gru", layers=2, bidirectional=True)
    given = sequences(net, lengths=LENGTHS)
    options = {"lags": 4, "parameter": parameter, "shares": True}
    summary, found = rnn.summarize_corpus(net, **given, **options), twin(net, given, **options)
    lags, T = summary.lags.tolist(), max(LENGTHS)
    norm, cells, share, horizons = np.zeros((T, len(lags))), np.zeros((T, len(lags))), np.zeros((T, len(lags))), []
    for i, flow in enumerate(found):
        for j, lag in enumerate(flow.lags):
            norm[: LENGTHS[i], lags.index(lag)] += flow.norm[:, j, 0]
            share[: LENGTHS[i], lags.index(lag)] += flow.share[:, j, 0]
            cells[: LENGTHS[i], lags.index(lag)] += flow.valid[:, j]
        horizons += flow.horizon(0.95)[:, 0].tolist()
        assert summary.loss[i] == pytest.approx(flow.loss.sum())
        assert summary.largest[i] == pytest.approx(flow.norm.max())
        assert summary.largest[i] == pytest.approx(flow.norm[summary.largest_step[i]].max())
        assert summary.sequence_share[i] == pytest.approx(flow.share.sum() + flow.share_beyond.sum())
        if LENGTHS[i] >= 4:
            np.testing.assert_allclose(summary.mean_lag[i], flow.mean_lag())
    np.testing.assert_allclose(summary.norm, norm, rtol=1e-9)
    np.testing.assert_allclose(summary.share, share, rtol=1e-9, atol=1e-15)
    np.testing.assert_array_equal(summary.cells, cells)
    assert summary.beyond.sum() == pytest.approx(sum(flow.beyond.sum() for flow in found))
    assert summary.sequence_share.sum() == pytest.approx(summary.total)
    assert summary.share_per_lag.sum() == pytest.approx(1 - summary.share_beyond.sum() / summary.total)
    np.testing.assert_allclose(summary.norm_per_lag, norm.sum(0) / cells.sum(0))
    assert summary.past == horizons.count(-1) and summary.parameter == parameter
    assert summary.horizons.tolist() == [horizons.count(m) for m in range(len(summary.horizons))]


@pytest.mark.parametrize("options", [{"parameter": "weight_hh_l0_reverse"}, {"gate": "z", "lags": 5}], ids=str)
def test_a_summary_with_the_gradient_of_each_lag(options, few_a_tile):
    net = cases.make_net("tokens", "gru", bidirectional=True)
    given = sequences(net, lengths=LENGTHS)
    options = {"lags": 3, **options}
    summary = rnn.summarize_corpus(net, **given, **options, matrices=True)
    T, N = max(LENGTHS), len(LENGTHS)
    x, y, mask = np.zeros((T, N), int), np.zeros((T, N), int), np.zeros((T, N))
    for i, n in enumerate(LENGTHS):
        x[:n, i], y[:n, i], mask[:n, i] = given["x"][i], given["y"][i], 1
    want = rnn.itemize(net, x, y, mask=mask, **options, matrices=True).lag_matrices()
    found = summary.matrices
    assert found.lags.tolist() == want.lags.tolist()
    for name in ("matrix", "whole", "norm", "cosine"):
        np.testing.assert_allclose(getattr(found, name), getattr(want, name), rtol=1e-9, atol=1e-14, err_msg=name)
    assert found.smallest_lags(0.5) == want.smallest_lags(0.5)
    limit = least(net, given, {**options, "matrices": True}, rnn.summarize_corpus)
    again = rnn.summarize_corpus(net, **given, **options, matrices=True, memory_limit=limit)
    np.testing.assert_array_equal(found.matrix, again.matrices.matrix)
    with pytest.raises(ValueError, match="sums of a parameter's gradient"):
        rnn.summarize_corpus(net, **given, lags=3, parameter="state", matrices=True)


def test_the_smallest_lags_of_all_sequences():
    net, given = small("gru", "float64")
    flow = rnn.itemize_corpus(net, **given, lags=None)
    summary = rnn.summarize_corpus(net, **given, lags=None, fraction=0.9)
    assert summary.smallest_lags() == flow.smallest_lags(0.1) > 1
    assert rnn.summarize_corpus(net, **given, lags=2, fraction=0.999).smallest_lags() == -1


def test_a_summary_stays_below_the_limit():
    net = rnn.RecurrentNet("lstm", 30, 48, 30, initial="uniform")
    given = sequences(net, lengths=np.random.default_rng(0).integers(40, 60, 60))
    options = {"shares": True, "matrices": True}
    limit = least(net, given, options, rnn.summarize_corpus)
    rnn.summarize_corpus(net, **given, **options)
    used = peak(lambda: rnn.summarize_corpus(net, **given, **options, memory_limit=limit))
    assert used <= rnn.many.bytes_of("limit", limit) < 4 * used


def test_a_summary_without_shares():
    net, given = small()
    summary = rnn.summarize_corpus(net, **given)
    assert summary.share is summary.sequence_share is summary.total is summary.share_per_lag is None
    assert summary.norm.shape == summary.cells.shape == (29, 6)


# -- what does not fit

make = cases.make_net
SMALL = sequences(make(), lengths=(2, 3))
ARRAYS = {"x": np.zeros((4, 3), int), "y": np.zeros((4, 3), int)}
WRONG = [
    ({"parameter": "weight_hh_l9"}, "parameter must be one of"),
    ({"gate": "i"}, "gate must be"),
    ({"unit": 99}, "unit must be"),
    ({"lags": 9}, "lags must be a whole number from 1 to the 3 steps"),
    ({"lags": 0}, "lags must be"),
    ({"tol": 2}, "tol must be"),
    ({"parameter": "state", "shares": True}, "shares are parts of a parameter's gradient"),
    ({"memory_limit": "much"}, "memory_limit must be a number of bytes"),
    ({"memory_limit": -1}, "memory_limit must be"),
    ({"memory_limit": 1000}, "memory_limit: 1 kB is too little"),
    ({"workers": 0}, "workers must be"),
    ({"workers": True}, "workers must be"),
    ({"x": []}, "x: an empty list"),
    ({"x": [np.zeros(2, int), np.zeros(0, int)]}, r"x\[1\]: a sequence without steps"),
    ({"x": [np.zeros(2, int), np.zeros(3)]}, r"x\[1\]: float64 beside int64"),
    ({"x": [np.zeros(2, int), np.zeros((3, 4))]}, r"x\[1\]: expected tokens"),
    ({"x": [np.zeros(2, int), "abc"]}, r"x\[1\]: expected tokens"),
    ({"x": [[0, 1], [[0], [1, 2]]]}, r"x\[1\]: no array can be made of it"),
    ({"x": [np.zeros((2, 4)), np.full((3, 4), np.nan)]}, "x: not finite in float64 at step 0 of sequence 1"),
    ({"x": [np.zeros((2, 3)), np.zeros((3, 3))]}, r"x: this net takes floats with a last axis of 4, got .*\(3,\)"),
    ({"x": [np.zeros(2, int), np.full(3, 7)]}, "x: expected tokens from 0 to 3, got 7 to 7"),
    ({"y": [np.zeros(2, int), np.full(3, -1)]}, "y: expected tokens from 0 to 2, got -1"),
    ({"y": [np.zeros(2, int)]}, "y: expected targets of the 2 sequences of x, got 1"),
    ({"y": None}, "y: expected targets of the 2 sequences"),
    ({"y": [np.zeros(2, int), np.zeros((3, 3))]}, r"y\[1\]: float64 beside int64"),
    ({"y": [np.zeros(2, int), np.zeros(5, int)]}, "y: expected one target per step"),
    ({"y": [np.zeros((2, 9)), np.zeros((3, 9))]}, "y: this net predicts 3 numbers, got 9"),
    ({"mask": [np.ones(2), np.ones(2)]}, r"mask\[1\]: expected 3 steps"),
    ({"mask": [np.ones(2)]}, "mask: 1 sequences beside 2"),
    ({"mask": np.ones(2)}, "mask: expected a list of 2 arrays"),
    ({"mask": [np.ones(2), np.array(["a", "b", "c"])]}, r"mask\[1\]: expected numbers"),
    ({"state": np.zeros((1, 5, 5))}, r"state: expected shape \(1, 2, 5\), got \(1, 5, 5\)"),
    ({"state": (np.zeros((1, 2, 5)),) * 2}, "state: expected an array"),
    ({"length": 3}, "length: it cuts a corpus"),
    ({**ARRAYS, "x": np.zeros((0, 3), int)}, r"x: expected at least one step and one sequence, got shape \(0, 3\)"),
    ({**ARRAYS, "x": np.zeros((4, 0), int)}, "x: expected at least one step and one sequence"),
    ({**ARRAYS, "x": np.zeros(4, int)}, "x: expected tokens"),
    ({**ARRAYS, "x": np.zeros((4, 3), complex)}, "x: expected tokens"),
    ({**ARRAYS, "x": np.zeros((4, 3), object)}, "x: expected numbers, got an array of objects"),
    ({**ARRAYS, "x": None}, "x: expected tokens"),
    ({**ARRAYS, "y": None}, "y: expected what is to be predicted"),
    ({**ARRAYS, "y": np.zeros((3, 4), int)}, "y: expected tokens of shape"),
    ({**ARRAYS, "y": np.zeros((4, 3), bool)}, "y: expected tokens of shape"),
    ({**ARRAYS, "y": np.zeros((4, 3, 2))}, "y: this net predicts 3 numbers"),
    ({**ARRAYS, "mask": np.ones((3, 4))}, r"mask: expected shape \(4, 3\), got \(3, 4\)"),
    ({**ARRAYS, "mask": np.ones(3)}, "mask: expected shape"),
    ({"x": rnn.Corpus("abcd"), "y": None}, "length: a corpus is cut"),
    ({"x": rnn.Corpus("abcd"), "length": 2}, "y: a corpus has its own targets"),
    ({"x": rnn.Corpus("abcde"), "y": None, "length": 2}, "x: the corpus has 5 symbols; the net takes 4 and gives 3"),
]


@pytest.mark.parametrize(("wrong", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_does_not_fit_is_told_before_any_work(wrong, said, tmp_path):
    def no_work(progress):
        raise AssertionError("work has begun")

    with pytest.raises(ValueError, match=said) as error:
        rnn.itemize_corpus(make(), **{**SMALL, "lags": 2, **wrong}, progress=Progress(no_work, 0), out=tmp_path / "f")
    assert "\n" not in str(error.value) and not (tmp_path / "f").exists()


def test_wrong_types_are_told():
    with pytest.raises(TypeError, match="net: expected a RecurrentNet"):
        rnn.itemize_corpus("net", **SMALL)
    with pytest.raises(TypeError, match="client is a str; expected a"):
        rnn.itemize_corpus(make(), **SMALL, lags=2, client="here")
    with pytest.raises(ValueError, match="unit: a summary is of one unit"):
        rnn.summarize_corpus(make(), **SMALL, unit="all")
    with pytest.raises(ValueError, match="fraction must lie between"):
        rnn.summarize_corpus(make(), **SMALL, fraction=1)


def test_losses_that_are_not_finite_are_told_with_their_sequence():
    one = cases.make_net("floats", "relu", "float32")
    given = sequences(one, "floats", lengths=LENGTHS)
    given["x"][4] = given["x"][4] * 1e300
    with pytest.raises(ValueError, match="x: not finite in float32 at step 0 of sequence 4"):
        rnn.itemize_corpus(one, **given, lags=1)
    given["x"][4] = np.full_like(given["x"][4], 1e38)
    for workers in (1, 2, None):
        with pytest.raises(FloatingPointError, match="of sequence 4"):
            rnn.itemize_corpus(one, **given, lags=1, workers=workers)
