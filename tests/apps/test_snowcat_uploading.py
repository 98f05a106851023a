"""A file on its way to Snowcat, without a browser: slices, an end before the end, a page that goes."""

import base64

import pytest
from bokeh.document import Document

from learnviews.apps.snowcat.shelf import Shelf
from learnviews.apps.snowcat.uploading import Uploading
from learnviews.apps.snowcat.workspace import Workspace
from learnviews.grammar.serve import Session

TABLE = b"size,kind\n" + b"1.5,a\n2.5,b\n" * 50
SIZE = len(TABLE)


@pytest.fixture
def uploading(tmp_path, monkeypatch):
    monkeypatch.setenv("LEARNVIEWS_HOME", str(tmp_path))
    monkeypatch.setenv("LEARNVIEWS_UPLOAD_LIMIT", "0.01")
    told = []
    room = Workspace(Session("test", doc=Document()), Shelf([]), told.append)
    return Uploading(room)


def begin(uploading, name="some.csv", size=SIZE, id_="1"):
    uploading.do("upload", {"id": id_, "name": name, "size": size, "modified": 0})


def send(uploading, data, id_="1"):
    uploading.do("slice", [id_, base64.b64encode(data).decode()])


def on_disk(uploading):
    return list(uploading.room.shelf.uploads.rglob("*.csv"))


def heard(uploading):
    return uploading.widgets["upload_heard"].tags


def shown(uploading):
    return uploading.widgets["upload_shown"].tags[1]


def test_slices_are_acknowledged_one_by_one(uploading):
    assert shown(uploading)["step"] == ""
    begin(uploading)
    assert heard(uploading) == ["1", 0]
    assert "Sending some.csv" in shown(uploading)["html"]
    send(uploading, TABLE[:100])
    assert heard(uploading) == ["1", 100]
    send(uploading, TABLE[100:])
    assert shown(uploading)["step"] == "reading"
    (file,) = on_disk(uploading)
    assert file.read_bytes() == TABLE


def test_one_that_is_stopped_leaves_nothing_and_its_last_slices_are_passed_over(uploading):
    begin(uploading)
    send(uploading, TABLE[:100])
    uploading.do("stop")
    assert shown(uploading)["step"] == ""
    assert on_disk(uploading) == []
    send(uploading, TABLE[100:200])
    assert on_disk(uploading) == []
    begin(uploading, "other.csv", id_="2")
    send(uploading, TABLE[:100], id_="1")
    assert heard(uploading) == ["2", 0]


def test_a_page_that_goes_takes_along_what_was_half_sent(uploading):
    begin(uploading)
    send(uploading, TABLE[:100])
    uploading._over(None)
    assert on_disk(uploading) == []


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("some.csv", 20_000, "over this server's limit"),
        ("some.exe", 10, "some.exe: no data set; expected a file that ends in .csv"),
        ("some.csv", 0, "is empty"),
    ],
)
def test_what_is_refused_says_what_was_expected(uploading, name, size, words):
    begin(uploading, name, size)
    assert shown(uploading)["step"] == "failed"
    assert words.replace("'", "&#x27;") in shown(uploading)["html"]
    assert "Expected a CSV or Parquet table" in shown(uploading)["html"]
    assert heard(uploading) == ["1", -1]
    uploading.do("dismiss")
    assert shown(uploading)["step"] == ""


def test_more_than_was_announced_and_damaged_slices_end_it(uploading):
    for data in (TABLE, b""):
        begin(uploading, size=50)
        send(uploading, data)
        assert shown(uploading)["step"] == "failed"
        assert on_disk(uploading) == []
    begin(uploading)
    uploading.do("slice", ["1", "no base64!"])
    assert "damaged" in shown(uploading)["html"]
    begin(uploading)
    uploading.do("unreadable", "some.csv")
    assert "choose it again" in shown(uploading)["html"]


def test_no_uploads_where_they_are_forbidden(uploading, monkeypatch):
    monkeypatch.setenv("LEARNVIEWS_UPLOAD_LIMIT", "0")
    forbidden = Uploading(uploading.room)
    begin(forbidden)
    assert "takes no uploads" in shown(forbidden)["html"]
