"""Data sets of a server without a page: what is offered, what is said of it, what is sent, and what is deleted."""

import os
import time
import zipfile
from concurrent.futures import CancelledError

import numpy as np
import pandas as pd
import pytest
from snowcat_data import d3m

from learnviews.apps.snowcat import shelf as module
from learnviews.apps.snowcat.shelf import Shelf
from learnviews.apps.snowcat.sources import Summary, is_data, key_of
from learnviews.kernels.progress import Progress

LIMIT = 1_000_000


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("LEARNVIEWS_HOME", str(tmp_path / "home"))


@pytest.fixture
def csv(tmp_path):
    frame = pd.DataFrame({"size": np.arange(30) / 7, "kind": ["a", "b", "c"] * 10})
    frame.to_csv(tmp_path / "trips.csv", index=False)
    return tmp_path / "trips.csv"


@pytest.fixture
def shelf(csv):
    return Shelf([str(csv), "some.rnnbow", "some.cube.npz"])


@pytest.fixture
def d3m_folder(tmp_path):
    return d3m(tmp_path / "mine")


def sent(shelf, name, content):
    """A file as an upload leaves it."""
    folder = shelf.uploads / ".part-x"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(content)
    return folder / name


def zipped(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path.read_bytes()


def test_what_is_offered(shelf, csv):
    origins = [source.origin for source in shelf.sources.values()]
    assert origins[0] == "served"
    assert origins.count("served") == 1
    assert set(origins[1:]) == {"bundled"}
    assert "iris" in shelf.sources
    assert shelf.sources[key_of(csv)].title == "trips.csv"
    with pytest.raises(
        LookupError, match=r"nothing: no data set of this server \(any more\); choose one of the list, upload it again"
    ):
        shelf.project("nothing")


def test_folders_of_other_apps_are_passed_over(tmp_path):
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "a.rnnbow").touch()
    (tmp_path / "texts").mkdir()
    assert not is_data(tmp_path / "recordings")
    assert is_data(tmp_path / "texts")
    assert not is_data(tmp_path / "a.cube.npz")


def test_a_few_words_on_each_are_found_and_kept(shelf, csv):
    told = []
    shelf.watch(lambda: told.append(1))
    source = shelf.sources[key_of(csv)]
    assert shelf.summary(source) is None
    assert shelf.summary(shelf.sources["iris"]).words == "150 rows · 5 columns · classification of species"
    shelf.look()
    shelf._looking.join(20)
    assert shelf.summary(source).words == "30 rows · 2 columns (1 number, 1 label)"
    assert told
    again = Shelf([str(csv)])
    assert again.summary(source).rows == 30  # not read anew
    csv.write_text(csv.read_text() + "1,a\n")
    os.utime(csv, (1, 1))
    assert Shelf([str(csv)]).summary(source) is None


def test_one_that_cannot_be_read_says_so(tmp_path):
    (tmp_path / "bad.csv").write_text("a,b\n1\n")
    shelf = Shelf([str(tmp_path / "bad.csv")])
    source = next(iter(shelf.sources.values()))
    shelf.look()
    shelf._looking.join(20)
    assert shelf.summary(source).words == "cannot be read"
    with pytest.raises(ValueError, match=r"bad\.csv.*expected 2"):
        shelf.project(source.key)


def test_large_tables_are_not_read_to_say_something(shelf, csv, monkeypatch):
    monkeypatch.setattr(module, "LARGE", 10)
    shelf.look()
    shelf._looking.join(20)
    assert shelf.summary(shelf.sources[key_of(csv)]) is None


def test_a_d3m_set_says_what_it_is_for(d3m_folder):
    shelf = Shelf([str(d3m_folder)])
    source = next(iter(shelf.sources.values()))
    assert "regression of y" in Summary.of(source.load(), source).task


def test_a_table_that_is_sent_is_kept(shelf, csv):
    source = shelf.bring(sent(shelf, "new.csv", csv.read_bytes()), LIMIT)
    assert source.origin == "uploaded"
    assert next(iter(shelf.sources)) == source.key
    assert shelf.project(source.key).title == "new.csv"
    other = shelf.bring(sent(shelf, "new.csv", csv.read_bytes()), LIMIT)
    assert other.key != source.key
    assert len([each for each in Shelf([]).sources.values() if each.origin == "uploaded"]) == 2
    assert shelf.done(source.key) == {"studies": 0, "problems": 0, "chosen": 0}


def test_an_archive_of_a_d3m_set(shelf, d3m_folder, tmp_path):
    files = {
        f"outer/{path.relative_to(d3m_folder).as_posix()}": path.read_bytes()
        for path in d3m_folder.rglob("*")
        if path.is_file()
    }
    source = shelf.bring(sent(shelf, "mine.zip", zipped(tmp_path / "x.zip", files)), LIMIT)
    assert source.title == "mine"
    data = shelf.project(source.key).data
    assert data.columns["y"].role == "suggestedTarget"
    assert data.path.name == "outer"


def test_an_archive_of_texts(shelf, tmp_path):
    files = {f"{label}/{i}.txt": f"{label} {i}" for label in ("cats", "dogs") for i in range(4)}
    data = shelf.project(shelf.bring(sent(shelf, "pets.zip", zipped(tmp_path / "x.zip", files)), LIMIT).key).data
    assert data.columns["text"].type == "text"
    assert data.read("text")[:2] == ["cats 0", "cats 1"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("bad.csv", b"a,b\n1\n", r"^bad.csv: cannot be read as CSV \(row 0, line 2: 1 values; expected 2\)"),
        ("bad.parquet", b"PAR1 and no more", r"^bad.parquet: cannot be read as Parquet"),
        ("photo.csv", b"\x89PNG\r\n\x1a\n" + bytes(50), "it looks like a PNG picture"),
        ("bad.zip", b"no archive", r"^bad.zip: cannot be unpacked"),
    ],
)
def test_what_is_no_data_set_leaves_nothing(shelf, name, content, message):
    with pytest.raises(ValueError, match=message):
        shelf.bring(sent(shelf, name, content), LIMIT)
    assert list(shelf.uploads.iterdir()) == []


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.docx": "x", "b.docx": "y"}, "no data set: neither a datasetDoc.json"),
        ({"a.csv": "x,y\n1,2\n", "b.csv": "x,y\n1,2\n"}, "several tables: a.csv, b.csv"),
        ({"../a.csv": "x,y\n1,2\n"}, "leads out of the archive"),
        ({"a.csv": "x,y\n" + "1,2\n" * 2_000_000}, "more than 1 MB come out"),
    ],
)
def test_archives_without_a_data_set_leave_nothing(shelf, tmp_path, files, message):
    with pytest.raises(ValueError, match=message) as caught:
        shelf.bring(sent(shelf, "bad.zip", zipped(tmp_path / "x.zip", files)), LIMIT // 10)
    assert str(shelf.uploads) not in str(caught.value)
    assert list(shelf.uploads.iterdir()) == []


def test_one_that_is_cancelled_leaves_nothing(shelf, csv):
    progress = Progress()
    progress.cancel()
    with pytest.raises(CancelledError):
        shelf.bring(sent(shelf, "new.csv", csv.read_bytes()), LIMIT, progress)
    assert list(shelf.uploads.iterdir()) == []
    assert all(source.origin != "uploaded" for source in shelf.sources.values())


def test_what_was_sent_can_be_deleted_and_nothing_else(shelf, csv):
    source = shelf.bring(sent(shelf, "new.csv", csv.read_bytes()), LIMIT)
    project = shelf.project(source.key)
    project.change(type(project.changes)(excluded=["kind"]))
    assert (shelf.folder / source.key).exists()
    shelf.forget(source.key)
    assert source.key not in shelf.sources
    assert not (shelf.folder / source.key).exists()
    assert list(shelf.uploads.iterdir()) == []
    with pytest.raises(ValueError, match=r"trips.csv: only data sets that were uploaded can be deleted"):
        shelf.forget(key_of(csv))
    assert csv.exists()


def test_files_half_sent_long_ago_are_deleted(shelf):
    old = sent(shelf, "old.csv", b"a")
    os.utime(old.parent, (time.time() - 10**6,) * 2)
    (shelf.uploads / ".part-new").mkdir()
    shelf.tidy()
    assert [each.name for each in shelf.uploads.iterdir()] == [".part-new"]


def test_what_was_done_is_known_without_reading_the_data(shelf, csv):
    project = shelf.project("iris")
    from learnviews.kernels import search

    project.add_problem(search.Problem(target="species"))
    assert shelf.done("iris")["problems"] == 1
    assert Shelf([]).done("iris")["problems"] == 1


def test_another_one_of_the_same_name_is_read_anew(shelf, csv):
    source = shelf.bring(sent(shelf, "new.csv", csv.read_bytes()), LIMIT)
    shelf.forget(source.key)
    again = shelf.bring(sent(shelf, "new.csv", b"a,b\n1,2\n"), LIMIT)
    assert again.key == source.key
    assert list(shelf.project(again.key).data.columns) == ["a", "b"]
    assert shelf.summary(again).rows == 1
