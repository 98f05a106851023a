"""Recordings: what goes in comes out, readers and writers side by side, damaged files, full disks."""

import os
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import zlib
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from learnviews.kernels import rnn
from learnviews.kernels.rnn import recording as module
from learnviews.kernels.rnn.flow import itemize_run
from learnviews.kernels.rnn.inside import itemize_inside
from learnviews.kernels.rnn.unroll import check_batch, errors, forward, gradients

CORPUS = rnn.Corpus("the cat sat on the mat. " * 20, name="cats")
FIELDS = ("inputs", "targets", "top", "top_probability", "loss", "norm", "beyond", "share", "share_beyond", "state")


def make_net(corpus=CORPUS, hidden=6, dtype="float32", cell="tanh", **options):
    symbols = len(corpus.symbols)
    net = rnn.RecurrentNet(cell, symbols, hidden, symbols, dtype=dtype, rng=3, initial="uniform", **options)
    net.flat *= 2
    return net


def batches(net, lags=3, T=8, B=2, parameter="weight_hh_l0", rng=1):
    """Endless seeded batches: arguments for `append`, and what `itemize` says of each."""
    r = np.random.default_rng(rng)
    for number in range(10**6):
        x, y = r.integers(0, net.inputs, (2, T, B))
        state = r.uniform(-1, 1, (1, B, net.hidden)).astype(net.dtype)
        run = forward(net, *check_batch(net, x, y, state, None))
        own, total = errors(net, run)
        grads = gradients(net, run, total)
        inside = itemize_inside(net, run, own, total, lags, grads)
        flow = itemize_run(net, run, own, total, lags, parameter, True, grads)
        flow_again = rnn.itemize(net, x, y, lags, parameter, shares=True, state=state)
        yield (10 * number, 7 * number, run, flow, state, inside), flow_again


def record(path, count, net=None, corpus=CORPUS, lags=3, parameter="weight_hh_l0", **options):
    """A closed recording of seeded batches; what was put in, with the flow of each."""
    net = net or make_net(corpus)
    with rnn.Recording.create(path, net, corpus, lags, parameter) as rec:
        given = list(islice(batches(net, lags, parameter=parameter, **options), count))
        for arguments, _ in given:
            rec.append(*arguments)
    return given


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run of cats #1.rnnbow"


@pytest.fixture
def rec(path):
    """A new, empty recording open for writing."""
    with rnn.Recording.create(path, make_net(), CORPUS, lags=3) as rec:
        yield rec


def append(rec, count, net=None, rng=1):
    """Seeded batches that fit the net of `rec`."""
    for arguments, _ in islice(batches(net or make_net(), rng=rng), count):
        rec.append(*arguments)


def top_three(p):
    """Tokens by falling probability, the first of equals first."""
    order = np.argsort(-p, axis=2, kind="stable")[:, :, :3]
    return order, np.take_along_axis(p, order, axis=2)


# --- one batch


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("parameter", ["weight_hh_l0", "bias_ih_l0"])
@pytest.mark.parametrize("B", [1, 3])
def test_every_field_comes_back(path, dtype, parameter, B):
    given = record(path, 5, make_net(dtype=dtype), parameter=parameter, B=B)
    with rnn.Recording.open(path) as rec:
        for number, ((step, position, run, _, state, _), flow) in enumerate(given):
            batch = rec[number]
            assert (batch.number, batch.step, batch.position) == (number, step, position)
            np.testing.assert_array_equal(batch.inputs, run.x)
            np.testing.assert_array_equal(batch.targets, run.y)
            np.testing.assert_array_equal(batch.loss, flow.loss.astype(np.float32))
            np.testing.assert_array_equal(batch.norm, flow.norm.astype(np.float32))
            for name in ("beyond", "share", "share_beyond"):
                np.testing.assert_allclose(getattr(batch, name), getattr(flow, name), rtol=2**-16)  # 16 bits
            np.testing.assert_array_equal(batch.valid, flow.valid)
            np.testing.assert_array_equal(batch.state, state)
            assert batch.state.dtype == dtype
            assert batch.total == pytest.approx(flow.total, rel=1e-4)
            assert batch.max_cell == pytest.approx(flow.norm.max(), rel=1e-6)


def test_kept_precision(path):
    record(path, 1)
    with rnn.Recording.open(path) as rec:
        batch = rec[0]
    kept = {name: getattr(batch, name).dtype.str for name in FIELDS}
    wanted = dict.fromkeys(FIELDS, "<f4") | dict.fromkeys(("inputs", "targets", "top"), "|u1")
    assert kept == wanted | {"top_probability": "<f2"}


def test_nothing_beyond_stays_exactly_nothing(path):
    given = record(path, 2)
    with rnn.Recording.open(path) as rec:
        for number, (_, flow) in enumerate(given):
            np.testing.assert_array_equal(rec[number].beyond == 0, flow.beyond == 0)
            assert not rec[number].norm[~flow.valid].any()


def test_three_most_probable_symbols(path):
    given = record(path, 4)
    with rnn.Recording.open(path) as rec:
        for number, ((_, _, run, *_), _) in enumerate(given):
            tokens, probability = top_three(run.p)
            np.testing.assert_array_equal(rec[number].top, tokens)
            np.testing.assert_array_equal(rec[number].top_probability, probability.astype(np.float16))
            np.testing.assert_array_equal(rec[number].predicted, run.p.argmax(axis=2))


def test_equal_probabilities_go_by_token(path):
    net = make_net()
    net.parameters["decoder.weight"][...] = net.parameters["decoder.bias"][...] = 0
    record(path, 1, net)
    with rnn.Recording.open(path) as rec:
        assert (rec[0].top == [0, 1, 2]).all()


def test_vocabulary_of_two(path):
    corpus = rnn.Corpus("abaabbba" * 5)
    given = record(path, 3, corpus=corpus)
    with rnn.Recording.open(path) as rec:
        for number, ((_, _, run, *_), _) in enumerate(given):
            assert rec[number].top.shape == (8, 2, 2)
            np.testing.assert_array_equal(rec[number].top, top_three(run.p)[0])


def test_vocabulary_too_large_for_a_byte(path):
    corpus = rnn.Corpus("".join(chr(100 + i) for i in range(300)))
    given = record(path, 3, corpus=corpus)
    with rnn.Recording.open(path) as rec:
        assert rec[0].inputs.dtype == np.uint16
        for number, ((_, _, run, *_), _) in enumerate(given):
            np.testing.assert_array_equal(rec[number].inputs, run.x)
            np.testing.assert_array_equal(rec[number].top, top_three(run.p)[0])


def test_all_lags_and_a_single_one(path, tmp_path):
    for lags, file in ((8, path), (1, tmp_path / "one.rnnbow")):
        given = record(file, 2, lags=lags)
        with rnn.Recording.open(file) as rec:
            assert rec[1].norm.shape == (8, lags, 2)
            np.testing.assert_array_equal(rec[1].norm, given[1][1].norm.astype(np.float32))


# --- a sequence of batches


def test_length_order_and_places(path):
    record(path, 70)  # more than wait in the buffer together
    with rnn.Recording.open(path) as rec:
        assert len(rec) == 70
        assert [batch.step for batch in rec] == list(range(0, 700, 10))
        assert rec[-1].number == 69
        assert rec[-70].number == 0
        assert rec[np.int64(5)].number == 5
        for place in (70, -71, 10**12):
            with pytest.raises(IndexError, match=f"no batch {place}: 70 are recorded"):
                rec[place]


def test_empty_recording(path):
    rnn.Recording.create(path, make_net(), CORPUS).close()
    with rnn.Recording.open(path) as rec:
        assert len(rec) == 0
        assert list(rec) == []
        assert list(rec.overview().columns) == list(module.OVERVIEW)
        assert len(rec.overview()) == len(rec.snapshots()) == 0
        with pytest.raises(IndexError, match="no batch -1: 0 are recorded"):
            rec[-1]


def test_batch_of_another_shape_is_refused(rec):
    append(rec, 1)
    rec.commit()
    with pytest.raises(ValueError, match="batch of another shape"):
        rec.append(*next(batches(make_net(), T=9))[0])
        rec.commit()
    assert len(rec) == 1
    append(rec, 1)
    rec.commit()
    assert len(rec) == 2


# --- overview


def slow_overview(run, flow):
    """loss, max_gradient, mean_lag, correct of one batch, cell by cell."""
    T, K, B = flow.norm.shape
    bars = [sum(flow.norm[s, k, b] for k in range(K)) for s in range(T) for b in range(B)]
    weight = [sum(flow.norm[s, k, b] for s in range(T) if s + K <= T for b in range(B)) for k in range(K)]
    right = [run.p[t, b].argmax() == run.y[t, b] for t in range(T) for b in range(B)]
    return flow.loss.mean(), max(bars), sum(k * w for k, w in enumerate(weight)) / sum(weight), np.mean(right)


def test_overview_against_slow_computing(path):
    given = record(path, 6)
    with rnn.Recording.open(path) as rec:
        table = rec.overview()
    assert table.index.name == "batch"
    assert table.dtypes.astype(str).to_dict() == {name: np.dtype(d).name for name, d in module.OVERVIEW.items()}
    for number, ((step, position, run, *_), flow) in enumerate(given):
        row = table.loc[number]
        assert (row.step, row.position) == (step, position)
        found = row[["loss", "max_gradient", "mean_lag", "correct"]].tolist()
        np.testing.assert_allclose(found, slow_overview(run, flow), rtol=1e-5)


def test_overview_from_a_batch_on(path):
    record(path, 6)
    with rnn.Recording.open(path) as rec:
        whole = rec.overview()
        assert rec.overview(4).equals(whole.loc[4:])
        assert rec.overview(4).index.tolist() == [4, 5]
        assert rec.overview(6).empty


def test_batch_without_any_gradient_has_no_mean_lag(path):
    net = make_net()
    net.parameters["decoder.weight"][...] = 0
    record(path, 2, net)
    with rnn.Recording.open(path) as rec:
        assert np.isnan(rec.overview().mean_lag).all()
        assert (rec.overview().max_gradient == 0).all()


# --- how it was made


def test_settings_and_versions(path):
    net = make_net(cell="relu", dtype="float64", embedding=4)
    with rnn.Recording.create(path, net, CORPUS, lags=2, parameter="bias_hh_l0") as rec:
        rec.set_settings(note="näh", planned_steps=7)
        rec.set_settings(planned_steps=8)
    with rnn.Recording.open(path) as rec:
        settings = rec.settings
    wanted = {"cell": "relu", "inputs": 11, "hidden": 6, "outputs": 11, "embedding": 4, "dtype": "float64", "lags": 2}
    wanted |= {"parameter": "bias_hh_l0", "corpus": "cats", "characters": 480, "note": "näh", "planned_steps": 8}
    assert {name: settings[name] for name in wanted} == wanted
    assert set(settings["versions"]) == {"learnviews", "python", "numpy", "numba"}
    assert settings["versions"]["numpy"] == np.__version__
    assert settings["created"].endswith("Z")


def test_corpus_and_symbols_come_back(path):
    corpus = rnn.Corpus("naïve \r\n中文 𝔘 \ud800 lone", symbols=sorted("naïve \r\n中文𝔘\ud800loz"), name="odd")
    rnn.Recording.create(path, make_net(corpus), corpus).close()
    with rnn.Recording.open(path) as rec:
        again = rec.corpus()
        assert rec.symbols == corpus.symbols
    assert (again.text, again.symbols, again.name) == (corpus.text, corpus.symbols, "odd")
    np.testing.assert_array_equal(again.tokens, corpus.tokens)


def test_bad_arguments_make_no_file(path):
    net = make_net()
    for lags in (0, -1, 2.0, True):
        with pytest.raises(ValueError, match="lags must be a whole number"):
            rnn.Recording.create(path, net, CORPUS, lags=lags)
    with pytest.raises(ValueError, match=r"parameter must be one of .*, got 'weight_xx'"):
        rnn.Recording.create(path, net, CORPUS, parameter="weight_xx")
    with pytest.raises(ValueError, match="11 symbols; the net takes 5"):
        rnn.Recording.create(path, rnn.RecurrentNet("tanh", 5, 3, 5), CORPUS)
    assert not path.exists()


def test_existing_file_is_left_alone(path):
    record(path, 2)
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="exists already") as error:
        rnn.Recording.create(path, make_net(), CORPUS)
    assert str(path) in str(error.value)
    assert path.read_bytes() == before


# --- snapshots


def test_snapshots_kept_and_replaced(rec):
    net = make_net()
    for step, keep in ((0, True), (3, False), (5, False), (10, True), (12, False)):
        net.flat[...] = step
        append(rec, 2)
        rec.add_snapshot(step, {"at": step}, {"weights": net.flat, "empty": np.zeros((0, 2))}, keep)
    assert rec.snapshots().to_dict("list") == {"step": [0, 10, 12], "batches": [2, 8, 10]}
    for asked, found in ((None, 12), (12, 12), (11, 10), (9, 0), (0, 0)):
        step, state, arrays = rec.snapshot(asked)
        assert (step, state) == (found, {"at": found})
        assert (arrays["weights"] == found).all()
        assert arrays["empty"].shape == (0, 2)
        assert (rec.net(asked).flat == found).all()


def test_net_is_made_again_whole(path):
    net = make_net(cell="relu", dtype="float64", embedding=4)
    with rnn.Recording.create(path, net, CORPUS) as rec:
        rec.add_snapshot(4, {}, {"weights": net.flat}, True)
    with rnn.Recording.open(path) as rec:
        again = rec.net(7)
        with pytest.raises(LookupError, match="no snapshot of the weights up to 3") as error:
            rec.net(3)
    assert str(path) in str(error.value)
    assert repr(again) == repr(net)
    assert list(again.state_dict()) == list(net.state_dict())
    np.testing.assert_array_equal(again.flat, net.flat)


def test_no_snapshot_yet(rec):
    assert rec.snapshot() is None
    with pytest.raises(LookupError, match="no snapshot of the weights yet"):
        rec.net()


@pytest.mark.parametrize("committed", [True, False])
def test_forgetting_what_came_after_a_step(rec, committed):
    append(rec, 9)
    if committed:
        rec.commit()
    rec.forget_after(50)
    assert len(rec) == 5
    assert rec[-1].step == 40
    with pytest.raises(IndexError):
        rec[5]
    append(rec, 1, rng=2)
    rec.commit()
    assert len(rec) == 6


# --- readers beside the writer


def test_reader_sees_what_is_committed(rec, path):
    with rnn.Recording.open(path) as reader:
        append(rec, 3)
        assert len(reader) == 0
        rec.commit()
        assert len(reader) == 3
        rec.set_settings(note="later")
        append(rec, 2, rng=2)
        rec.commit()
        assert len(reader) == 5
        assert len(reader.overview(3)) == 2
        assert reader.settings["note"] == "later"
        np.testing.assert_array_equal(reader[4].norm, rec[4].norm)


def test_batches_become_visible_while_the_writer_goes_on(rec, path):
    deadline = time.monotonic() + 30
    with rnn.Recording.open(path) as reader:
        for arguments, _ in batches(make_net()):
            rec.append(*arguments)  # never committed by hand
            if len(reader):
                break
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_reading_while_a_thread_writes(rec, path):
    def write():
        for part in range(20):
            append(rec, 10, rng=part)
            rec.commit()

    writer = threading.Thread(target=write)
    writer.start()
    lengths = [0]
    with rnn.Recording.open(path) as reader:
        while lengths[-1] < 200:
            lengths.append(len(reader))
            table = reader.overview()
            assert len(table) >= lengths[-1]
            if lengths[-1]:
                assert reader[-1].number >= lengths[-1] - 1
            if not writer.is_alive() and len(reader) < 200:
                break
    writer.join()
    assert lengths == sorted(lengths)
    assert lengths[-1] == 200


def test_writers_recording_is_read_by_other_threads(rec):
    append(rec, 5)
    rec.commit()
    found = []
    threads = [threading.Thread(target=lambda: found.append(len(rec.overview()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    append(rec, 5, rng=2)
    rec.commit()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert set(found) <= {5, 10}


RESUMED = """
import sys
from learnviews.kernels import rnn
with rnn.Recording.open(sys.argv[1], write=True) as rec:
    rnn.Trainer.resume(rec).run(10)
"""


@pytest.mark.parametrize("readers", [1, 2])
def test_readers_of_one_process_outlast_writers_of_another(path, readers):
    net = make_net()
    with rnn.Recording.create(path, net, CORPUS, lags=3) as rec:
        rnn.Trainer(net, CORPUS, length=8, record=rec, every=1).run(10)
    opened = [rnn.Recording.open(path) for _ in range(readers)]
    try:
        assert {len(reader) for reader in opened} == {10}
        for count in (20, 30):
            subprocess.run([sys.executable, "-c", RESUMED, str(path)], check=True, timeout=100)
            assert {len(reader) for reader in opened} == {count}
            assert {reader[-1].step for reader in opened} == {count - 1}
        with rnn.Recording.open(path) as late:
            assert len(late) == 30
    finally:
        for reader in opened:
            reader.close()


def test_reading_a_live_recording_through_a_link(rec, path, tmp_path):
    link = tmp_path / "elsewhere" / "link.rnnbow"
    link.parent.mkdir()
    link.symlink_to(path)
    append(rec, 64)
    rec.commit()
    with rnn.Recording.open(link) as reader:
        assert len(reader) == 64


def test_second_writer_is_refused_and_the_first_goes_on(rec, path):
    append(rec, 2)
    with pytest.raises(rnn.StoreError, match="another process is writing") as error:
        rnn.Recording.open(path, write=True)
    assert str(path) in str(error.value)
    append(rec, 2, rng=2)
    rec.commit()
    assert len(rec) == 4


SECOND = """
import sys
from learnviews.kernels import rnn
try:
    rnn.Recording.open(sys.argv[1], write=True).close()
except rnn.StoreError:
    print("refused")
"""


def test_second_writer_cannot_slip_in_between_two_transactions(rec, path, monkeypatch):
    def begin():
        """A second writer comes at the worst moment."""
        command = [sys.executable, "-c", SECOND, str(path)]
        answers.append(subprocess.run(command, capture_output=True, text=True, timeout=100).stdout)
        really_begin()

    really_begin, answers = rec._begin, []
    monkeypatch.setattr(rec, "_begin", begin)
    append(rec, 2)
    rec.commit()
    assert set(answers) <= {"refused\n"}


def test_reader_may_not_write(path):
    record(path, 2)
    with rnn.Recording.open(path) as rec:
        for change in (lambda: rec.set_settings(a=1), lambda: rec.forget_after(0), rec.commit):
            with pytest.raises(ValueError, match="opened for reading"):
                change()
        assert len(rec) == 2


def test_going_on_later(path):
    record(path, 3)
    with rnn.Recording.open(path, write=True) as rec:
        append(rec, 2, rng=2)
    with rnn.Recording.open(path) as rec:
        assert len(rec) == 5


# --- files that are no whole recording


def refusal(path, kind=rnn.FileFormatError, write=False):
    """The message with which the file is refused; it names the file."""
    with pytest.raises(kind) as error:
        rnn.Recording.open(path, write)
    assert str(path) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("write", [False, True])
def test_missing_empty_and_foreign_files(path, write):
    assert "no such recording" in refusal(path, FileNotFoundError, write)
    assert "a folder" in refusal(path.parent, write=write)
    path.touch()
    assert "empty file" in refusal(path, write=write)
    for content in (b"learnviews recording\n" * 50, b"\x89PNG\r\n\x1a\n" + bytes(100)):
        path.write_bytes(content)
        assert "not a LearnViews recording" in refusal(path, write=write)
        assert path.read_bytes() == content


@pytest.mark.parametrize("write", [False, True])
def test_another_sqlite_file(path, write):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE batch (batch INTEGER)")
    assert "not a LearnViews recording" in refusal(path, write=write)


def test_unknown_schema_version(path):
    record(path, 2)
    change(path, "PRAGMA user_version = 99")
    assert "schema version 99" in refusal(path)


@pytest.mark.parametrize("part", [0.0001, 0.001, 0.1, 0.3, 0.5, 0.9, 0.99, 0.9999, 1])
def test_truncated(path, part):
    record(path, 64)
    whole = path.read_bytes()
    path.write_bytes(whole[: min(int(part * len(whole)), len(whole) - 1)])
    refusal(path)
    refusal(path, write=True)


def change(path, statement, *values):
    """Change the file behind the recording's back."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement, values)
        connection.commit()


def read_everything(path):
    with rnn.Recording.open(path) as rec:
        return (
            [[getattr(batch, name).tobytes() for name in FIELDS] for batch in rec],
            rec.overview().to_dict("list"),
            [rec.view(n, parameter).share.tobytes() for n in range(len(rec)) for parameter in rec.parameters],
            [rec.overview(parameter=parameter).to_dict("list") for parameter in rec.parameters],
            [rec.units(parameter)[1].tobytes() for parameter in rec.parameters],
            rec.corpus().text,
            rec.symbols,
            rec.snapshots().to_dict("list"),
            rec.net().flat.tolist(),
        )


def whole_recording(path, count=20):
    record(path, count)
    with rnn.Recording.open(path, write=True) as rec:
        rec.add_snapshot(1, {"a": 1}, {"weights": make_net().flat}, True)


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("UPDATE batch SET data = ? WHERE batch = 3", b"no zlib stream"),
        ("UPDATE batch SET data = substr(data, 1, length(data) / 2) WHERE batch = 3 AND ? = 0", 0),
        ("UPDATE batch SET data = ? WHERE batch = 3", zlib.compress(b"too short")),
        ("UPDATE inside SET data = ? WHERE place = 3", b"no zlib stream"),
        ("UPDATE inside SET noise = ? WHERE place = 3", b"too short"),
        ("DELETE FROM inside WHERE place = ?", 3),
        ("UPDATE inside_overview SET numbers = ? WHERE batch = 3", b"too short"),
        ("DELETE FROM inside_overview WHERE batch = ?", 3),
        ("UPDATE inside_unit SET numbers = ? WHERE batch = 3 AND entry = 1", b"too short"),
        ("UPDATE inside_unit SET numbers = ? WHERE batch = 3 AND entry = 1", "text"),
        ("DELETE FROM inside_unit WHERE batch = ?", 3),
        ("DROP TABLE inside -- ?", None),
        ("DROP TABLE inside_unit -- ?", None),
        ("UPDATE setting SET value = ? WHERE name = 'lags'", "4"),
        ("UPDATE setting SET value = ? WHERE name = 'lags'", "null"),
        ("UPDATE setting SET value = ? WHERE name = 'cell'", '"lstm"'),
        ("UPDATE setting SET value = ? WHERE name = 'cell'", "[]"),
        ("UPDATE setting SET value = ? WHERE name = 'parameter'", '"odd"'),
        ("UPDATE setting SET value = ? WHERE name = 'parameter'", "3"),
        ("UPDATE setting SET value = ? WHERE name = 'layers'", "2"),
        ("UPDATE setting SET value = ? WHERE name = 'layers'", "null"),
        ("UPDATE corpus SET text = ?", b"no zlib stream"),
        ("UPDATE corpus SET text = ?", zlib.compress(b"not utf-8: \xff")),
        ("UPDATE corpus SET symbols = ?", "{no json"),
        ("DELETE FROM corpus WHERE ? = 0", 0),
        ("UPDATE setting SET value = ? WHERE name = 'hidden'", "{no json"),
        ("DELETE FROM setting WHERE name = ?", "hidden"),
        ("UPDATE setting SET value = ? WHERE name = 'hidden'", "7"),
        ("UPDATE field SET dtype = ? WHERE name = 'norm'", "<x9"),
        ("UPDATE field SET shape = ? WHERE name = 'norm'", "eight 3 2"),
        ("UPDATE snapshot_array SET data = ?", b"123"),
        ("UPDATE snapshot_array SET dtype = ?", "<x9"),
        ("DELETE FROM snapshot_array WHERE name = ?", "weights"),
        ("UPDATE snapshot SET state = ?", "{no json"),
        ("DROP TABLE snapshot_array -- ?", None),
    ],
)
def test_damaged_parts_are_named(path, statement, value):
    whole_recording(path, 5)
    change(path, statement, *([] if value is None else [value]))
    with pytest.raises(rnn.FileFormatError) as error:
        read_everything(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("seed", range(30))
def test_overwritten_bytes_are_read_or_refused(path, seed):
    """A page that no longer is what it was: nothing but a FileFormatError naming the file, or no harm done."""
    whole_recording(path)
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    start = int(rng.integers(16, len(data) - 64))
    data[start : start + 64] = rng.bytes(64)
    path.write_bytes(bytes(data))
    try:
        read_everything(path)
    except rnn.FileFormatError as error:
        assert str(path) in str(error)


# --- copies and read-only places


def test_copy_of_a_live_recording_with_its_log(rec, path, tmp_path):
    append(rec, 5)
    rec.commit()
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in path.parent.glob(f"{path.name}*"):
        if not file.name.endswith("-shm"):
            subprocess.run(["cp", file, copy], check=True)  # opening it here would end this process's locks on it
    with rnn.Recording.open(copy / path.name) as reader:
        assert len(reader) == 5
        assert reader[4].step == 40


@pytest.fixture
def shelf():
    """A folder that every user may read, and only its owner write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


@contextmanager
def as_ordinary_user():
    """Root may write everywhere: become somebody who may not. Skips where permissions do not bind anybody."""
    if not hasattr(os, "geteuid"):
        pytest.skip("no users on this system")
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(me)


def test_read_only_file_in_a_read_only_folder(shelf):
    path = shelf / "a.rnnbow"
    record(path, 4)
    path.chmod(0o444)
    shelf.chmod(0o555)
    with as_ordinary_user():
        assert not os.access(shelf, os.W_OK, effective_ids=True)
        with rnn.Recording.open(path) as rec:
            assert (len(rec), rec[-1].step, len(rec.overview())) == (4, 30, 4)
        with pytest.raises((rnn.StoreError, PermissionError)) as error:
            rnn.Recording.open(path, write=True)
    assert str(path) in str(error.value)
    assert "another process" not in str(error.value)
    assert [file.name for file in shelf.iterdir()] == ["a.rnnbow"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be two users")
def test_reading_what_another_user_is_writing(shelf):
    with rnn.Recording.create(shelf / "a.rnnbow", make_net(), CORPUS, lags=3) as rec:
        append(rec, 3)
        rec.commit()
        with as_ordinary_user():
            reader = rnn.Recording.open(shelf / "a.rnnbow")
        with reader:
            assert len(reader) == 3
            append(rec, 2, rng=2)
            rec.commit()
            assert len(reader) == 5


# --- full disks


def committed_stays_readable(path, at_least):
    """Every batch that the file says it has is there, and the file can be gone on with."""
    with rnn.Recording.open(path) as reader:
        count = len(reader)
        assert count >= at_least
        assert [batch.number for batch in reader] == list(range(count))
        assert reader.overview().index.tolist() == list(range(count))
        assert reader.corpus().text == CORPUS.text
    with rnn.Recording.open(path, write=True) as rec:
        append(rec, 3, rng=9)
    with rnn.Recording.open(path) as reader:
        assert len(reader) == count + 3


@pytest.mark.parametrize("pages", range(1, 9))
def test_full_disk(path, pages):
    rec = rnn.Recording.create(path, make_net(), CORPUS, lags=3)
    append(rec, 30)
    rec.commit()
    used = rec._connection.execute("PRAGMA page_count").fetchone()[0]
    rec._connection.execute(f"PRAGMA max_page_count = {used + pages}")
    with pytest.raises(rnn.StoreError, match=r"could not be written \(database or disk is full\)") as error:
        append(rec, 3000, rng=2)
    assert str(path) in str(error.value)
    try:
        rec.close()
    except rnn.StoreError as error:
        assert str(path) in str(error)
    committed_stays_readable(path, at_least=30)


def test_full_disk_for_a_snapshot_keeps_the_last_one(path):
    net = make_net()
    with rnn.Recording.create(path, net, CORPUS, lags=3) as rec:
        append(rec, 3)
        rec.add_snapshot(1, {}, {"weights": net.flat}, False)
        used = rec._connection.execute("PRAGMA page_count").fetchone()[0]
        rec._connection.execute(f"PRAGMA max_page_count = {used}")
        with pytest.raises(rnn.StoreError, match="disk is full"):
            rec.add_snapshot(2, {}, {"weights": np.zeros(10**6)}, False)
    with rnn.Recording.open(path) as rec:
        assert rec.snapshots().step.tolist() == [1]
        np.testing.assert_array_equal(rec.net().flat, net.flat)


LIMITED = """
import resource, signal, sys
from learnviews.kernels import rnn
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
corpus = rnn.Corpus("the cat sat on the mat. " * 20, name="cats")
net = rnn.RecurrentNet("tanh", 11, 6, 11, rng=3, initial="uniform")
rec = rnn.Recording.create(sys.argv[1], net, corpus, lags=3)
trainer = rnn.Trainer(net, corpus, length=8, batch=2, record=rec, every=1)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    while True:
        trainer.run(20)
        print(len(rec), flush=True)
except rnn.StoreError as error:
    print(error)
try:
    rec.close()
except rnn.StoreError:
    pass
"""


@pytest.mark.parametrize("limit", [700_000, 1_500_000])
def test_file_size_limit(path, limit):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LIMITED), str(path), str(limit)],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    *counts, message = done.stdout.splitlines()
    assert f"{path}: could not be written" in message
    assert "disk" in message
    committed_stays_readable(path, at_least=max([0, *map(int, counts)]))


# --- size


@pytest.mark.slow
@pytest.mark.parametrize("inside, limit", [(False, 200e6), (True, 650e6)])
def test_a_hundred_thousand_batches_stay_small(path, tmp_path, capsys, inside, limit):
    corpus = rnn.Corpus.embedded()
    net = rnn.RecurrentNet("tanh", len(corpus.symbols), 100, len(corpus.symbols))
    real = []
    with rnn.Recording.create(tmp_path / "real.rnnbow", net, corpus, inside=inside) as first:
        first.append = lambda *batch: real.append(batch)
        rnn.Trainer(net, corpus, record=first, every=10).run(3000)
    assert len(real) == 300
    with rnn.Recording.create(path, net, corpus, lags=6, inside=inside) as rec:
        for number in range(100_000):
            _, *batch = real[number % 300]
            rec.append(100 * number, *batch)
    size = sum(file.stat().st_size for file in tmp_path.glob(f"{path.name}*"))
    with rnn.Recording.open(path) as rec:
        started = time.perf_counter()
        table = rec.overview()
        seconds = time.perf_counter() - started
        assert len(rec) == len(table) == 100_000
        assert rec[99_999].share.shape == (25, 6, 1)
        np.testing.assert_array_equal(rec[77_777].norm, real[77_777 % 300][3].norm.astype(np.float32))
    with capsys.disabled():
        print(f"\n100,000 batches: {size / 1e6:.1f} MB; overview read in {seconds:.2f} s")
    assert size < limit
