"""One's own tables without a page: what a file is, what is proposed for it, and training in another process."""

import base64
import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learnviews.apps import tables as files
from learnviews.apps import uploads
from learnviews.apps.nncubes import learn, proposal
from learnviews.apps.nncubes.codes import code_html
from learnviews.apps.nncubes.editor import editor_html, start_html, summary
from learnviews.apps.nncubes.proposal import Proposal
from learnviews.apps.nncubes.shelf import Shelf
from learnviews.apps.nncubes.tables import Table, Tables
from learnviews.apps.nncubes.training import Training
from learnviews.apps.nncubes.uploads import TableUpload
from learnviews.kernels import cube

ROWS = 3000
QUICK = {"rank": 8, "queries": 200, "steps": 50}
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


def trips(rows=ROWS, seed=0):
    rng = np.random.default_rng(seed)
    hour = rng.integers(0, 24, rows)
    return pd.DataFrame(
        {
            "when": pd.date_range("2024-01-01", periods=rows, freq="h"),
            "hour": hour,
            "kind": np.where(hour < 9, "early", rng.choice(["late", "never"], rows)),
            "size": np.where(np.arange(rows) % 10 == 0, np.nan, rng.gamma(2.0, 3.0, rows)),
            "lon": rng.normal(5, 2, rows),
            "lat": rng.normal(45, 2, rows),
            "one": 1,
            "price": [f"{k % 17}" if k % 50 else "free" for k in range(rows)],
            "wild": np.where(np.arange(rows) == 7, np.inf, rng.normal(size=rows)),
        }
    )


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("LEARNVIEWS_HOME", str(tmp_path / "home"))


@pytest.fixture
def csv(tmp_path):
    trips().to_csv(tmp_path / "trips.csv", index=False)
    return tmp_path / "trips.csv"


def proposed(path):
    held = Tables([str(path)])
    return Proposal(held.rows(held.served[0]), path.name)


def line(found, name):
    place = next(k for k, each in enumerate(found.lines) if each.name == name)
    return place, found.lines[place]


def test_infinite_numbers_are_told(tmp_path):
    rng = np.random.default_rng(0)
    numbers = rng.normal(0, 1, 400)
    numbers[:40] = np.inf
    pd.DataFrame({"far": numbers, "kind": rng.choice(list("ab"), 400)}).to_csv(tmp_path / "far.csv", index=False)
    found = proposed(tmp_path / "far.csv")
    assert line(found, "far")[1].infinite == pytest.approx(0.1)
    assert line(found, "kind")[1].infinite == 0
    assert "10.0% infinite, left out" in editor_html(found)


# --- what a file is


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("photo.csv", PICTURE, "photo.csv: cannot be read as CSV (no text; it looks like a PNG picture)"),
        ("words.parquet", b"no table at all\n" * 9, "words.parquet: no Parquet file; it looks like text"),
        ("none.csv", b"", "none.csv: the file is empty"),
        ("blank.csv", b"\n \n", "blank.csv: cannot be read as CSV (it is empty)"),
        ("only.csv", b"a,b,c\n", "only.csv: no rows, only a header with 3 names"),
        ("twice.csv", b"a,b,a\n1,2,3\n", "twice.csv: columns named twice: a; expected different names"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3\n", "ragged.csv: cannot be read as CSV"),
        ("latin.csv", "ort,zahl\nK\xf6ln,1\n".encode("latin-1"), "latin.csv: cannot be read as CSV (no UTF-8 text"),
        ("book.csv", b"PK\x03\x04" + bytes(99), "it looks like a ZIP archive or an Excel file"),
        ("a.csv.gz", b"a,b\n1,2\n", "a.csv.gz: cannot be read as CSV (no gzip file"),
        ("b.csv", gzip.compress(b"a,b\n1,2\n", mtime=0), "compressed by gzip: name it .csv.gz"),
    ],
)
def test_a_file_that_is_not_what_it_says(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    held = Tables([str(tmp_path / name)])
    with pytest.raises(ValueError, match=f"^{name.replace('.', '[.]')}: ") as caught:
        held.rows(held.served[0])
    assert message in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_a_parquet_file_that_is_cut_off_or_damaged(tmp_path):
    trips().to_parquet(tmp_path / "whole.parquet")
    whole = (tmp_path / "whole.parquet").read_bytes()
    for name, content, message in (
        ("cut.parquet", whole[:-100], "cut off"),
        ("hurt.parquet", whole[:-8] + b"\xff\xff\xff\x7fPAR1", "cannot be read"),
    ):
        (tmp_path / name).write_bytes(content)
        held = Tables([str(tmp_path / name)])
        with pytest.raises(ValueError, match=f"^{name}: .*{message}"):
            held.rows(held.served[0])
    trips(0).to_parquet(tmp_path / "none.parquet")
    held = Tables([str(tmp_path / "none.parquet")])
    with pytest.raises(ValueError, match="no rows"):
        held.rows(held.served[0])


def test_a_cut_off_gzip_file_is_told(tmp_path):
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(trips().to_csv(index=False).encode())[:3000])
    held = Tables([str(tmp_path / "cut.csv.gz")])
    with pytest.raises(ValueError, match=r"^cut.csv.gz: cannot be read as CSV"):
        held.rows(held.served[0])


def test_csv_files_as_people_have_them(tmp_path):
    frame = trips(50)[["hour", "kind"]]
    for name, options in (
        ("plain.csv", {}),
        ("semicolons.csv", {"sep": ";"}),
        ("tabs.csv", {"sep": "\t"}),
        ("mark.csv", {"encoding": "utf-8-sig"}),
        ("packed.csv.gz", {}),
    ):
        frame.to_csv(tmp_path / name, index=False, **options)
        found = files.read_csv(tmp_path / name).to_pandas()
        pd.testing.assert_frame_equal(found, frame, check_dtype=False)
    frame.to_csv(tmp_path / "indexed.csv")
    assert files.read_csv(tmp_path / "indexed.csv").column_names == ["column 1", "hour", "kind"]


def test_rows_of_a_csv_are_made_once_and_anew_when_it_changes(csv):
    held = Tables([str(csv)])
    (table,) = held.served
    assert held.ready(table) is None
    first = held.rows(table)
    assert held.rows(table) == first == held.ready(table)
    pd.testing.assert_frame_equal(
        pd.read_parquet(first)[["hour", "kind"]], trips()[["hour", "kind"]], check_dtype=False
    )
    trips(100).to_csv(csv, index=False)
    assert held.rows(table) != first
    assert len(pd.read_parquet(held.rows(table))) == 100
    assert not first.exists()


def test_a_table_that_is_gone(csv):
    held = Tables([str(csv)])
    csv.unlink()
    with pytest.raises(FileNotFoundError, match=r"trips.csv: the file is gone"):
        held.rows(held.served[0])
    assert held.of({"name": "trips.csv"}) is None


# --- what is proposed


def test_a_proposal_is_what_infer_says(csv):
    found = proposed(csv)
    inferred = cube.Schema.infer(found.path)
    assert found.rows == ROWS
    assert found.left_out == inferred.left_out == {"one": "constant (1)"}
    assert [each.name for each in found.lines[: len(inferred)]] == list(inferred.names)
    assert [each.attribute for each in found.lines[: len(inferred)]] == list(inferred)
    assert found.schema() == cube.Schema(*inferred.attributes[: proposal.SHOWN])
    assert found.aggregates() == ["count"]
    assert {each.name for each in found.lines if not each.taken} >= {"lon", "lat"}  # they are the map
    _, size = line(found, "size")
    assert size.missing == pytest.approx(0.1)
    assert line(found, "kind")[1].preview.startswith("early 3")


@pytest.mark.parametrize("name", ["when", "hour", "kind", "size", "place"])
def test_every_kind_makes_bins_that_take_the_rows(csv, name):
    found = proposed(csv)
    place, held = line(found, name)
    for kind in held.kinds:
        found.edit(place, "kind", kind)
        assert held.error == ""
        exact = cube.ExactCube.build(str(found.path), cube.Schema(held.attribute))
        assert exact.rows == ROWS, kind
    assert len(held.kinds) >= {"kind": 1, "place": 1}.get(name, 2)


def test_bins_titles_and_kinds_are_edited(csv):
    found = proposed(csv)
    place, size = line(found, "size")
    found.edit(place, "bins", "7")
    assert 4 <= size.attribute.size <= 7
    found.edit(place, "kind", "quantiles")
    found.edit(place, "bins", 5)
    values = trips()["size"].dropna()
    np.testing.assert_allclose(size.attribute.edges, np.quantile(values, np.linspace(0, 1, 6)))
    found.edit(place, "title", " size of trip ")
    assert size.attribute.title == "size of trip"
    place, when = line(found, "when")
    found.edit(place, "kind", "every 1W")
    assert when.attribute.every == "1W"
    place, kind = line(found, "kind")
    found.edit(place, "bins", 2)
    assert kind.attribute.labels() == ["early", "other"]
    place, _ = line(found, "place")
    found.edit(place, "bins", 6)
    assert found.schema()["place"].shape == (6, 6)


@pytest.mark.parametrize(
    ("what", "value", "message"),
    [
        ("bins", "0", "expected a whole number from 1 to 200"),
        ("bins", "2.5", "expected a whole number from 1 to 200"),
        ("bins", "many", "expected a whole number from 1 to 200"),
        ("bins", "1e400", "expected a whole number from 1 to 200"),
        ("title", "  ", "expected 1 to 60 letters"),
        ("title", "t" * 61, "expected 1 to 60 letters"),
    ],
)
def test_what_cannot_be_is_said_at_the_column(csv, what, value, message):
    found = proposed(csv)
    place, size = line(found, "size")
    before = size.attribute
    found.edit(place, what, value)
    assert message in size.error
    assert size.attribute == before
    assert found.problem() == "Mend first: size"
    assert message in editor_html(found)
    with pytest.raises(ValueError, match="Mend first: size"):
        found.schema()
    found.edit(place, "taken", False)
    assert found.problem() == ""


def test_edits_of_what_is_not_there(csv):
    found = proposed(csv)
    for edit in (("colour", 1), ("kind", "map")):
        with pytest.raises(ValueError, match="no such thing"):
            found.edit(line(found, "size")[0], *edit)
    with pytest.raises(IndexError):
        found.edit(99, "bins", 3)
    with pytest.raises(ValueError, match="expected sum or mean of a column of numbers"):
        found.measure("kind", "mean", True)


def test_nothing_or_too_much_chosen(csv, tmp_path):
    found = proposed(csv)
    for place in range(len(found.lines)):
        found.edit(place, "taken", False)
    assert found.problem() == "Choose at least one attribute"
    rng = np.random.default_rng(0)
    pd.DataFrame({f"c{k}": rng.integers(0, 5, 50) for k in range(20)}).to_csv(tmp_path / "wide.csv", index=False)
    wide = proposed(tmp_path / "wide.csv")
    assert len(wide.taken) == proposal.SHOWN
    for place in range(20):
        wide.edit(place, "taken", True)
    assert wide.problem() == "20 attributes; at most 16 views fit the page"


def test_measures_and_why_some_are_none(csv):
    found = proposed(csv)
    refused = {each.name: each.refused for each in found.measures}
    assert "kind" not in refused
    assert refused["price"] == f"holds text such as 'free' (60 of {ROWS:,} values); expected numbers to add up"
    assert refused["wild"] == "holds infinite values (1); expected finite ones to add up"
    assert refused["size"] == ""
    found.measure("size", "mean", True)
    found.measure("size", "sum", True)
    assert found.aggregates() == ["count", ("sum", "size"), ("mean", "size")]
    found.measure("price", "mean", True)
    assert found.problem() == "Mend first: price"
    assert "such as &#x27;free&#x27;" in editor_html(found)
    found.measure("price", "mean", False)
    assert found.problem() == ""


def test_a_map_of_two_columns(csv):
    found = proposed(csv)
    found.add_map("hour", "size")
    assert found.lines[0].attribute.columns == ("hour", "size")
    assert found.lines[0].taken
    found.add_map("lat", "lon")  # there already
    assert sum(each.kind == "map" for each in found.lines) == 2
    for pair, message in ((("hour", "hour"), "not hour twice"), (("hour", "kind"), "column 'kind' cannot be")):
        with pytest.raises(ValueError, match=message):
            found.add_map(*pair)


def test_a_map_is_taken_before_all_others(tmp_path):
    rng = np.random.default_rng(0)
    wide = pd.DataFrame({f"c{k}": rng.integers(0, 5, 50) for k in range(12)})
    wide.assign(lon=rng.normal(size=50), lat=rng.normal(size=50)).to_csv(tmp_path / "wide.csv", index=False)
    found = proposed(tmp_path / "wide.csv")
    assert [each.name for each in found.taken] == [*(f"c{k}" for k in range(proposal.SHOWN - 1)), "place"]


def test_no_usable_column(tmp_path):
    (tmp_path / "dull.csv").write_text("id,one\n" + "".join(f"x{k},1\n" for k in range(99)))
    with pytest.raises(ValueError, match=r"^dull.csv: no column could .*one: constant"):
        proposed(tmp_path / "dull.csv")


def test_names_with_markup_stay_text(tmp_path):
    frame = pd.DataFrame({"<b>x</b>": [1, 2, 3] * 9, 'a"b': ["<i>", "&", "'"] * 9})
    frame.to_csv(tmp_path / "odd.csv", index=False)
    found = proposed(tmp_path / "odd.csv")
    html = editor_html(found) + start_html([("/a/<b>.csv", "<b>.csv", 5, True)], 10**6, "<script>")
    assert "<b>x" not in html
    assert "<i>" not in html.replace('<div class="bar"><i>', "")
    assert "<script>" not in html
    assert summary(found) == "2 views, 6 bins"


# --- uploads


def encoded(data):
    return base64.b64encode(data).decode()


def test_an_upload_in_slices(csv):
    data = csv.read_bytes()
    upload = TableUpload("C:\\data\\trips.csv", len(data), 1_700_000_000_000, 10**6)
    for start in range(0, len(data), 5000):
        assert not upload.complete
        upload.add(encoded(data[start : start + 5000]))
    table = upload.table()
    assert table.path.read_bytes() == data
    assert table.about() == {"name": "trips.csv", "path": "", "size": len(data), "modified": 1_700_000_000_000 * 10**6}
    held = Tables([])
    held.bring(table)
    assert held.of(table.about()) is table
    rows = held.rows(table)
    held.forget(table)
    assert not rows.exists()
    assert not table.path.parent.exists()
    assert held.of({"name": "trips.csv"}) is None


@pytest.mark.parametrize(
    ("name", "size", "limit", "message"),
    [
        (
            "big.csv",
            3_000_000,
            2_000_000,
            "big.csv: 3 MB is over this server's limit of 2 MB; .*learnviews serve big.csv",
        ),
        ("some.csv", 10, 0, "takes no uploads"),
        ("some.xlsx", 10, 100, r"some.xlsx: no table; expected a file that ends in .csv, .csv.gz, .parquet, .pq"),
        ("none.csv", 0, 100, "none.csv: the file is empty"),
    ],
)
def test_uploads_that_are_refused(name, size, limit, message):
    with pytest.raises(ValueError, match=message):
        TableUpload(name, size, 0, limit)


def test_an_upload_that_sends_more_than_it_said():
    upload = TableUpload("some.csv", 10, 0, 12)
    upload.add(encoded(b"12345"))
    with pytest.raises(ValueError, match="changed while it was sent"):
        upload.add(encoded(b"678901"))
    with pytest.raises(ValueError, match="over this server's limit"):
        upload.add(encoded(b"6" * 20))
    with pytest.raises(ValueError, match="came damaged"):
        upload.add("no base64!")
    assert upload.got == 5
    upload.drop()
    assert not upload.path.exists()


def test_the_limit_comes_from_the_server(monkeypatch):
    assert uploads.upload_limit() == 200_000_000
    for text, expected in (("0.5", 500_000), ("0", 0), ("-3", 0), ("nonsense", 200_000_000), ("inf", 200_000_000)):
        monkeypatch.setenv("LEARNVIEWS_UPLOAD_LIMIT", text)
        assert uploads.upload_limit() == expected


# --- training


def task_of(found, table, **settings):
    return {
        "rows": str(found.path),
        "schema": found.schema().to_json(),
        "aggregates": found.aggregates(),
        "settings": {**QUICK, **settings},
        "about": table.about(),
    }


class Followed:
    """A training, and what it told."""

    def __init__(self, task, folder):
        self.told, self.over, self.result = [], threading.Event(), None
        self.training = Training(task, folder, self.told.append, self._end)

    def _end(self, path, why):
        self.result = path, why
        self.over.set()

    def wait(self):
        assert self.over.wait(120)
        self.training.join(20)
        return self.result


@pytest.mark.slow
def test_a_training_tells_how_far_it_is_and_makes_the_model_that_fit_makes(csv, tmp_path):
    held = Tables([str(csv)])
    found = Proposal(held.rows(held.served[0]), "trips.csv")
    found.measure("size", "mean", True)
    task = task_of(found, held.served[0], steps=3000)
    followed = Followed(task, tmp_path / "made" / "here")
    path, why = followed.wait()
    assert why == ""
    shares = [state.share for state in followed.told]
    assert shares == sorted(shares)
    assert followed.told[0].phase == "reading rows"
    assert followed.told[-1].phase == "training"
    assert "held-out error" in followed.told[-1].text
    model = cube.load(path)
    exact = cube.ExactCube.build(str(found.path), found.schema(), ["size"])
    expected = cube.fit(exact, aggregate=found.aggregates(), **task["settings"])
    query = cube.Query(hour=(3, 9))
    for aggregate in ("count", ("mean", "size")):
        np.testing.assert_array_equal(model.views(query, aggregate)["kind"], expected.views(query, aggregate)["kind"])
    assert model.about["table"] == held.served[0].about()


def test_a_killed_training_is_told_and_leaves_nothing(csv, tmp_path):
    held = Tables([str(csv)])
    found = Proposal(held.rows(held.served[0]), "trips.csv")
    followed = Followed(task_of(found, held.served[0], steps=10_000_000), tmp_path)
    before = set(os.listdir(tmp_path))
    deadline = time.monotonic() + 60
    while not followed.told and time.monotonic() < deadline:
        followed.over.wait(0.05)
    os.kill(followed.training.process.pid, signal.SIGKILL)
    assert followed.wait() == (None, "The training was killed by SIGKILL (perhaps the memory ran out)")
    assert set(os.listdir(tmp_path)) == before


def test_a_cancelled_training_says_no_more(csv, tmp_path):
    held = Tables([str(csv)])
    found = Proposal(held.rows(held.served[0]), "trips.csv")
    followed = Followed(task_of(found, held.served[0], steps=10_000_000), tmp_path)
    followed.training.cancel()
    followed.training.join(30)
    assert followed.training.process.poll() is not None
    assert followed.result is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": "/nowhere/trips.parquet"}, "no Parquet file there"),
        ({"aggregates": ["count", ["mean", "kind"]]}, "column 'kind' holds"),
        (
            {"schema": cube.Schema(cube.Integer("hour", 0, 23)).to_json(), "aggregates": [["sum", "wild"]]},
            "measure 'wild' holds 1 or more infinite values",
        ),
        (
            {"schema": cube.Schema(cube.Integer("hour", 90, 99)).to_json()},
            f"no row has a bin in every attribute (hour: {ROWS:,} outside its bins)",
        ),
    ],
)
def test_what_goes_wrong_in_a_training_is_told(csv, tmp_path, change, message):
    held = Tables([str(csv)])
    found = Proposal(held.rows(held.served[0]), "trips.csv")
    path, why = Followed({**task_of(found, held.served[0]), **change}, tmp_path / "made").wait()
    assert path is None
    assert message in why
    assert os.listdir(tmp_path / "made") == []


def test_a_folder_that_cannot_be_made(csv, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="file"):
        Training({}, tmp_path / "file", print, print)


def test_a_training_ends_with_the_server_that_began_it(csv, tmp_path):
    held = Tables([str(csv)])
    found = Proposal(held.rows(held.served[0]), "trips.csv")
    task = {**task_of(found, held.served[0], steps=10_000_000), "out": str(tmp_path / "x.npz")}
    child = subprocess.Popen([sys.executable, "-m", learn.__name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.write(json.dumps(task).encode() + b"\n")
    child.stdin.flush()
    assert child.stdout.readline()
    child.communicate(timeout=30)  # closes its input
    assert child.returncode == 3


# --- the shelf


def learned(shelf, table, **settings):
    found = Proposal(shelf.tables.rows(table), table.name)
    path, why = Followed(task_of(found, table, **settings), shelf.folder).wait()
    assert why == ""
    return shelf.keep(path, table.stem)


def test_a_learned_table_is_found_again_until_it_changes(csv, tmp_path):
    shelf = Shelf([str(csv)])
    (table,) = shelf.tables.served
    assert shelf.names() == {str(csv): "trips.csv …"}
    assert shelf.model_of(table) is None
    changes = []
    changed = lambda: changes.append(1)  # noqa: E731
    shelf.watch(changed)
    path = learned(shelf, table)
    shelf.unwatch(changed)
    assert changes == [1]
    assert path == shelf.folder / "trips.cube.npz"
    assert [each.name for each in shelf.folder.iterdir()] == ["trips.cube.npz"]
    again = Shelf([str(csv)])
    assert again.names() == shelf.names() == {str(path): "trips"}
    assert again.model_of(table) == path
    second = learned(shelf, table)
    assert second.name == "trips-2.cube.npz"
    assert changes == [1]
    assert shelf.model_of(table) == second
    assert set(shelf.names()) == {str(path), str(second)}
    os.utime(csv, (1, 1))
    assert again.model_of(table) is None
    assert Shelf([str(csv)]).names() == {str(csv): "trips.csv …"}
    csv.unlink()
    assert again.model_of(table) is None


def test_exact_answers_are_made_of_the_rows_at_hand(csv):
    shelf = Shelf([str(csv)])
    (table,) = shelf.tables.served
    path = learned(shelf, table)
    late = Shelf([str(csv)])
    model = late.model(str(path))
    assert model.exact is None
    done, told = threading.Event(), []
    assert late.make_exact(model, lambda problem: (told.append(problem), done.set()))
    assert done.wait(60)
    assert told == [""]
    expected = cube.ExactCube.build(late.table_of(model), model.schema)
    query = cube.Query(hour=(2, 5))
    for name, answer in model.exact.views(query).items():
        np.testing.assert_array_equal(answer, expected.views(query)[name])
    assert not late.make_exact(model, told.append)  # there already
    csv.unlink()
    assert late.table_of(model) is None
    assert model.exact.total(query) == expected.total(query)
    other = Shelf([str(path)])
    assert other.table_of(other.model(str(path))) is None
    assert not other.make_exact(other.model(str(path)), told.append)


def test_rows_of_the_embedded_flights(tmp_path):
    frame, schema = cube.flights()
    exact = cube.ExactCube.build(frame, schema)
    cube.fit(exact, rank=4, queries=50, steps=5).save(tmp_path / "f.cube.npz")
    shelf = Shelf([str(tmp_path)])
    model = shelf.model(str(tmp_path / "f.cube.npz"))
    assert cube.ExactCube.build(shelf.table_of(model), schema).rows == model.exact.rows == exact.rows
    assert shelf.table_of(model) is shelf.table_of(model)  # read once


def test_tables_beside_models_and_recordings(csv, tmp_path):
    from cube_small import model

    model().save(tmp_path / "small.cube.npz")
    trips(10).to_parquet(tmp_path / "few.parquet")
    shelf = Shelf([str(csv), str(tmp_path / "small.cube.npz"), "x.rnnbow", str(tmp_path / "few.parquet")])
    assert list(shelf.names().values()) == ["small", "trips.csv …", "few.parquet …"]
    assert shelf.tables.get(str(csv)) is not None
    assert shelf.tables.get("/etc/passwd") is None


def test_code_reads_the_file_a_model_was_made_of(csv):
    shelf = Shelf([str(csv)])
    model = cube.load(learned(shelf, shelf.tables.served[0]))
    html = code_html(model, cube.Query(hour=(2, 5)), "count", "x", model.about["table"])
    assert "FROM trips" in html
    assert "read_csv" in html
    assert "parse_dates=[&#x27;when&#x27;]" in html
    source = {**model.about["table"], "path": "/a/my trips.parquet", "name": "my trips.parquet"}
    html = code_html(model, cube.Query(), "count", "x", source)
    assert "my_trips = pd.read_parquet(&#x27;/a/my trips.parquet&#x27;)" in html


def test_a_name_for_a_table_that_was_sent(tmp_path):
    assert Table(Path("a/b.CSV.gz")).stem == "b"
    assert TableUpload("../../etc/pass\u202ewd.csv", 5, 0, 100).path.name == "passwd.csv"
    assert len(TableUpload("x" * 500 + ".csv.gz", 5, 0, 100).name) == 120
