"""Models as files: the same answers to the last bit, no pickle, and one clear error for what is no such file."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import surrogates

from learnviews.kernels import cube
from learnviews.kernels.store import FileFormatError, StoreError

AGGREGATES = ["count", ("sum", "delay"), ("mean", "delay"), ("var", "delay")]
ADDITIVE = {
    "branches": [{"inputs": "axes", "encoder": [5, 2], "read": 2, "decoder": [4]}] * 4,
    "regressor": [6, 3],
    "output": "linear",
    "loss": {"additivity": 0.1},
    "batch": 8,
    "phases": [{"epochs": 1, "optimizer": "adagrad", "settings": {"rate": 0.01}}],
}
MODELS = {
    "product": {"net": "product", "aggregate": AGGREGATES, "rank": 6},
    "signed": {"net": "signed", "rank": 6},
    "mlp": {"net": "mlp"},
    "authors": {"net": "mlp", "description": "authors"},
    "own": {"net": "mlp", "description": ADDITIVE},
    "auto": {"net": "auto", "error": 0.2},
}
EVERY = pytest.mark.parametrize("kind", MODELS)


def make(kind, source=None):
    return cube.fit(source or surrogates.shared_cube(), queries=100, steps=20, **MODELS[kind])


def masks():
    return cube.random_masks(surrogates.make_schema(), 30, 8)


def assert_same(one, other):
    assert other.schema == one.schema
    assert other.aggregates == one.aggregates
    assert other.about == one.about
    assert other.errors == one.errors
    assert other.report() == one.report()
    assert (other.nbytes, other.floats, other.additive) == (one.nbytes, one.floats, one.additive)
    assert repr(other) == repr(one)
    for aggregate in one.aggregates:
        for name in ("query_many", "totals_many", "interval_many", "independence"):
            np.testing.assert_array_equal(
                getattr(other, name)(masks(), aggregate), getattr(one, name)(masks(), aggregate)
            )
        for name, view in one.views(None, aggregate).items():
            np.testing.assert_array_equal(other.views(None, aggregate)[name], view)


@EVERY
def test_what_is_saved_answers_the_same(kind, tmp_path):
    model = make(kind)
    path = model.save(tmp_path / "a model#1%20?.cube.npz")
    again = cube.load(str(path))
    assert_same(model, again)
    assert again.exact is None
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert_same(again, cube.load(again.save(str(tmp_path / "again.npz"))))


@pytest.mark.parametrize("kind", ["product", "signed", "mlp", "authors"])
@pytest.mark.parametrize("rows", [0, 1])
def test_models_of_next_to_nothing(kind, rows, tmp_path):
    model = make(kind, surrogates.make_cube(rows) if rows else cube.ExactCube(surrogates.make_schema(), ["delay"]))
    assert_same(model, cube.load(model.save(tmp_path / "a.npz")))


def test_models_of_queries_and_answers(tmp_path):
    exact = surrogates.shared_cube()
    model = cube.fit((masks(), exact.query_many(masks())), exact.schema, steps=20, rank=3)
    assert_same(model, cube.load(model.save(tmp_path / "a.npz")))


def test_a_loaded_model_can_be_updated(tmp_path):
    model = cube.load(make("product").save(tmp_path / "a.npz"))
    new = model.update(surrogates.shared_cube(), steps=300)
    assert new.aggregates == model.aggregates
    assert new.error.overall < model.error.overall


@EVERY
def test_files_hold_no_pickle(kind, tmp_path):
    path = make(kind).save(tmp_path / "a.npz")
    with np.load(path, allow_pickle=False) as file:
        assert all(not file[name].dtype.hasobject for name in file.files)
        json.loads(file["header"].tobytes())
    assert b"pickle" not in path.read_bytes()


def test_a_pickle_is_not_read(tmp_path):
    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "sprung",)

    path = tmp_path / "a.npz"
    np.savez(path, header=np.array([Trap()], object))
    refusal(path)
    assert not (tmp_path / "sprung").exists()


# --- refused


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {kind: make(kind).save(folder / f"{kind}.npz") for kind in ("product", "own", "mlp")}


def refusal(path):
    """The message with which a file is refused; it names the file."""
    with pytest.raises(FileFormatError) as error:
        cube.load(path)
    assert str(path) in str(error.value)
    return str(error.value)


def parts_of(path):
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    return json.loads(arrays.pop("header").tobytes()), arrays


def write(path, header, arrays):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    with path.open("wb") as file:
        np.savez(file, header=np.frombuffer(text, np.uint8), **arrays)
    return path


def test_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.npz: no such cube model"):
        cube.load(tmp_path / "nothing.npz")


def test_what_is_no_model(tmp_path):
    path = tmp_path / "a.npz"
    assert "a folder" in refusal(tmp_path)
    path.touch()
    assert "empty file" in refusal(path)
    path.write_bytes(b"plain text, quite a bit of it\n" * 100)
    assert "no npz file" in refusal(path)
    np.savez(path, a=np.arange(3))
    assert "not a LearnViews cube model" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    refusal(path)
    with path.open("wb") as file:
        np.save(file, np.arange(3))
    refusal(path)


def test_another_kind_or_version(files, tmp_path):
    header, arrays = parts_of(files["product"])
    path = write(tmp_path / "a.npz", {**header, "version": 2}, arrays)
    assert "version 2; this LearnViews reads version 1" in refusal(path)
    path = write(tmp_path / "a.npz", {**header, "learnviews": "recording"}, arrays)
    assert "a LearnViews recording; expected a cube model" in refusal(path)


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.99, 0.9999])
def test_truncated(files, tmp_path, share):
    whole = files["product"].read_bytes()
    path = tmp_path / "a.npz"
    path.write_bytes(whole[: int(share * len(whole))])
    refusal(path)


@pytest.mark.parametrize("kind", ["product", "own"])
def test_flipped_bits_are_seen_or_change_nothing(files, tmp_path, kind):
    whole, path = files[kind].read_bytes(), tmp_path / "a.npz"
    wanted = cube.load(files[kind]).query_many(masks())
    refused = 0
    for place in np.random.default_rng(0).integers(0, 8 * len(whole), 150):
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        try:
            found = cube.load(path)
        except FileFormatError as error:
            assert str(path) in str(error)
            refused += 1
        else:  # a date, or whatever else zip keeps and nobody reads
            np.testing.assert_array_equal(found.query_many(masks()), wanted)
    assert refused > 75


@pytest.mark.parametrize("kind", ["product", "own", "mlp"])
def test_missing_and_changed_arrays(files, tmp_path, kind):
    header, arrays = parts_of(files[kind])
    path = tmp_path / "a.npz"
    for name, array in arrays.items():
        if not name.endswith("sign"):  # without one, factors are positive
            refusal(write(path, header, {each: held for each, held in arrays.items() if each != name}))
        others = [array[:0], np.array("x"), np.zeros(array.shape, "S3"), np.zeros((2, 2, 2))]
        if array.dtype.kind == "f":
            others += [array.astype(complex)]
            others += [np.full_like(array, np.nan)] * (not name.endswith("below") and array.size > 0)
        for other in others:
            if other.shape != array.shape or other.dtype.kind != array.dtype.kind or array.size:
                refusal(write(path, header, {**arrays, name: other}))


def leaves(tree, way=()):
    yield way
    for step in tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield from leaves(tree[step], (*way, step))


def changed(header, way, value):
    if not way:
        return value
    copied = json.loads(json.dumps(header))
    held = copied
    for step in way[:-1]:
        held = held[step]
    if value is KeyError:
        del held[way[-1]]
    else:
        held[way[-1]] = value
    return copied


ODD = [None, -1, 1.5, 10**9, 10**40, "x", [], {}, [[]], True, float("nan"), KeyError]


@pytest.mark.parametrize("kind", ["product", "own"])
def test_hostile_headers_are_refused_or_make_a_model(files, tmp_path, kind):
    header, arrays = parts_of(files[kind])
    path, r = tmp_path / "a.npz", np.random.default_rng(1)
    ways = [way for way in leaves(header) if way[:1] not in (("errors",),) or r.random() < 0.1]
    for way in ways:
        for value in [ODD[i] for i in r.choice(len(ODD), 3, replace=False)]:
            if value is KeyError and not way:
                continue
            write(path, changed(header, way, value), arrays)
            try:
                found = cube.load(path)
            except FileFormatError as error:
                assert str(path) in str(error)
            else:
                assert len(found.query_many(np.ones((2, found.schema.bins), bool))) == 2
                assert found.report()


def test_headers_that_are_no_json(files, tmp_path):
    _, arrays = parts_of(files["product"])
    for text in (b"", b"{", b"[]", b"3", b"null", b"\xff\xfe", b"[" * 200_000, b'{"learnviews": "cube model"}'):
        assert "not a LearnViews cube model" in refusal(write(tmp_path / "a.npz", text, arrays))


def test_widths_far_beyond_the_arrays_are_not_allocated(files, tmp_path):
    header, arrays = parts_of(files["own"])
    header["nets"][0]["description"]["regressor"] = [10**12, 10**12]
    assert "is missing" in refusal(write(tmp_path / "a.npz", header, arrays))


# --- writing


def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch):
    model = make("signed")
    path = model.save(tmp_path / "a.npz")
    before = path.read_bytes()

    def fail(file, **arrays):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(StoreError, match="could not write the cube model: No space left") as error:
        model.save(path)
    assert str(path) in str(error.value)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["a.npz"]


def test_an_interrupted_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(file, **arrays):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez_compressed", interrupt)
    with pytest.raises(KeyboardInterrupt):
        make("signed").save(tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())


def test_places_where_nothing_can_be_written(tmp_path):
    model = make("signed")
    with pytest.raises(StoreError, match="could not write"):
        model.save(tmp_path / "nowhere" / "a.npz")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="could not write"):
        model.save(tmp_path / "folder")
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


def test_saving_again_replaces_the_file(tmp_path):
    make("signed").save(tmp_path / "a.npz")
    model = make("product")
    assert_same(model, cube.load(model.save(tmp_path / "a.npz")))
