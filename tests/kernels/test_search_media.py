"""Images, texts and series that a data set's values name: read by row, as folders, and as D3M collections."""

import json
import sys

import numpy as np
import pandas as pd
import pytest

from learnviews.kernels.search.data import load

Image = pytest.importorskip("PIL.Image")


def picture(path, value=0, shape=(4, 5, 3)):
    path.parent.mkdir(parents=True, exist_ok=True)
    found = np.full(shape, value, np.uint8)
    Image.fromarray(found).save(path)
    return found


def document(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


@pytest.fixture
def images(tmp_path):
    for place, name in enumerate(["cat/1.png", "cat/2.png", "dog/1.png"]):
        picture(tmp_path / "pets" / name, place)
    return tmp_path / "pets"


def test_a_folder_of_images_is_a_data_set_with_labels(images):
    data = load(images)
    assert {name: column.type for name, column in data.columns.items()} == {"image": "image", "label": "categorical"}
    assert data.columns["label"].role == "suggestedTarget"
    assert list(data.frame["image"]) == ["cat/1.png", "cat/2.png", "dog/1.png"]
    assert list(data.frame["label"]) == ["cat", "cat", "dog"]
    found = data.read("image", [2, 0])
    assert [image.shape for image in found] == [(4, 5, 3)] * 2
    assert [int(image.max()) for image in found] == [2, 0]


def test_grey_images_and_images_with_transparency_stay_what_they_are(tmp_path):
    picture(tmp_path / "a.png", 7, (3, 2))
    picture(tmp_path / "b.png", 9, (3, 2, 4))
    data = load(tmp_path)
    assert list(data.columns) == ["image"]
    assert [image.shape for image in data.read("image")] == [(3, 2), (3, 2, 4)]


def test_a_palette_is_resolved(tmp_path):
    found = picture(tmp_path / "rgb.png", 200)
    Image.fromarray(found).convert("P").save(tmp_path / "palette.gif")
    palette, plain = load(tmp_path).read("image")
    assert palette.shape == plain.shape and abs(int(palette.max()) - 200) < 30


def test_a_folder_of_texts_with_a_split(tmp_path):
    for name, text in [("train/good/a.txt", "fine"), ("train/bad/b.txt", "poor"), ("test/good/c.txt", b"Zo\xeb")]:
        document(tmp_path / name, text)
    document(tmp_path / ".hidden" / "x.txt", "no")
    data = load(tmp_path)
    assert list(data.frame["text"]) == ["test/good/c.txt", "train/bad/b.txt", "train/good/a.txt"]
    assert list(data.frame["label"]) == ["good", "bad", "good"]
    assert list(data.splits) == ["holdout", "train", "train"]
    assert data.read("text") == ["Zoë", "poor", "fine"]


def test_a_folder_of_series_by_label(tmp_path):
    document(tmp_path / "up" / "a.csv", "time,value\n0,1\n1,2\n")
    document(tmp_path / "down" / "b.csv", "time,value\n0,2\n1,\n")
    data = load(tmp_path)
    assert list(data.frame["label"]) == ["down", "up"]
    series = data.read("timeseries")[0]
    assert series["value"].equals(pd.Series([2.0, np.nan], name="value"))


def test_images_named_in_a_table(images, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("photo,y\npets/cat/1.png,1\n,2\npets/dog/1.png,3\n")
    data = load(path, types={"photo": "image"})
    assert data.resources["photo"].kind == "image" and data.columns["photo"].is_media
    first, none, third = data.read("photo")
    assert none is None and int(first.max()) == 0 and int(third.max()) == 2


def test_images_that_a_table_names_are_found(images):
    (images / "table.csv").write_text("photo,y\ncat/1.png,1\ndog/1.png,3\n")
    data = load(images)
    assert (data.columns["photo"].type, data.columns["photo"].why) == ("image", "names of files in pets")
    assert [int(image.max()) for image in data.read("photo")] == [0, 2]
    assert load(images / "table.csv", types={"photo": "categorical"}).columns["photo"].type == "categorical"


def test_documents_that_a_table_names_are_found(tmp_path):
    document(tmp_path / "a.txt", "here it is")
    (tmp_path / "table.csv").write_text("t\na.txt\n")
    for types in ({}, {"t": "text"}):
        assert load(tmp_path / "table.csv", types=types).read("t") == ["here it is"]


def test_a_folder_of_several_tables_is_refused(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("x\n1\n")
    with pytest.raises(ValueError, match=r"several tables: a.csv, b.csv; expected the name of one"):
        load(tmp_path)


def test_a_missing_file_is_named_with_column_and_row(images, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("photo\npets/cat/1.png\npets/no.png\npets/none.png\n")
    with pytest.raises(FileNotFoundError) as error:
        load(path, types={"photo": "image"})
    complaint = f'{tmp_path / "pets" / "no.png"}: no such file (column "photo", row 1; 1 more are missing)'
    assert str(error.value) == complaint


def test_a_file_that_vanished_or_is_no_image_is_named(images):
    data = load(images)
    (images / "cat" / "2.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r'2.png: cannot be read as an image .*column "image", row 1'):
        data.read("image")
    (images / "cat" / "2.png").unlink()
    with pytest.raises(FileNotFoundError, match=r'2.png: no such file \(column "image", row 1\)'):
        data.read("image", [1])


def test_a_missing_extra_is_named(images, monkeypatch):
    data = load(images)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match="images need scikit-image"):
        data.read("image")


def test_text_within_a_table_is_read_as_it_stands():
    data = load(pd.DataFrame({"t": ["a b", None], "n": [1, 2]}), types={"t": "text"})
    assert data.read("t") == ["a b", None]
    with pytest.raises(ValueError, match='column "n" is integer; expected one of image, text'):
        data.read("n")


@pytest.mark.parametrize("files, complaint", [([], "it is empty"), (["a.zip", "b.h5"], "files that end in .h5, .zip")])
def test_folders_that_hold_no_data_set(tmp_path, files, complaint):
    for name in files:
        (tmp_path / name).write_text("x")
    with pytest.raises(ValueError) as error:
        load(tmp_path)
    assert complaint in str(error.value)


def collection(kind, columns=()):
    """A D3M document of a collection, each row of the learning data naming one file."""
    named = {"colIndex": 1, "colName": "file", "colType": "string", "role": ["attribute"]}
    described = [
        {"colIndex": 0, "colName": "d3mIndex", "colType": "integer", "role": ["index"]},
        named | {"refersTo": {"resID": "0", "resObject": "item"}},
        {"colIndex": 2, "colName": "y", "colType": "categorical", "role": ["suggestedTarget"]},
    ]
    return {
        "about": {"datasetID": "things_dataset_TRAIN", "datasetSchemaVersion": "4.0.0"},
        "dataResources": [
            {"resID": "0", "resPath": "media/", "resType": kind, "isCollection": True, "columns": list(columns)},
            {"resID": "learningData", "resPath": "tables/learningData.csv", "resType": "table", "columns": described},
        ],
    }


def d3m(folder, kind, rows, columns=()):
    (folder / "tables").mkdir(parents=True)
    (folder / "datasetDoc.json").write_text(json.dumps(collection(kind, columns)))
    (folder / "tables" / "learningData.csv").write_text("\n".join(["d3mIndex,file,y", *rows]))


def test_a_d3m_collection_of_series_has_its_described_types(tmp_path):
    described = [
        {"colIndex": 0, "colName": "time", "colType": "integer"},
        {"colIndex": 1, "colName": "value", "colType": "real"},
    ]
    d3m(tmp_path, "timeseries", ["5,a.csv,up", "6,b.csv,down"], described)
    document(tmp_path / "media" / "a.csv", "time,value\n0,1\n1,2\n")
    document(tmp_path / "media" / "b.csv", "time,value\n0,3\n")
    data = load(tmp_path)
    assert (data.columns["file"].type, data.columns["file"].refers, data.name) == ("timeseries", "0", "things")
    series = data.read("file", [6, 5])
    assert [list(one["value"]) for one in series] == [[3.0], [1.0, 2.0]]
    assert series[0]["value"].dtype == float


def test_parts_of_a_d3m_set_keep_their_own_files(tmp_path):
    for part, rows in [("TRAIN", ["0,a.png,u", "1,b.png,v"]), ("SCORE", ["2,a.png,u"])]:
        folder = tmp_path / part / f"dataset_{part}"
        d3m(folder, "image", rows)
        for row in rows:
            picture(folder / "media" / row.split(",")[1], int(row[0]))
    data = load(tmp_path)
    assert data.frame["file"][2] == "SCORE/dataset_SCORE/media/a.png"
    assert list(data.splits) == ["train", "train", "holdout"]
    assert [int(image.max()) for image in data.read("file")] == [0, 1, 2]


def test_a_column_of_a_d3m_table_may_be_said_to_name_files(tmp_path):
    d3m(tmp_path, "image", ["5,a.png,media/a.png"])
    picture(tmp_path / "media" / "a.png", 3)
    data = load(tmp_path, types={"y": "image"})
    assert int(data.read("y")[0].max()) == int(data.read("file")[0].max()) == 3


def test_a_d3m_collection_that_misses_a_file_says_which(tmp_path):
    d3m(tmp_path, "text", ["5,a.txt,up", "6,b.txt,down"])
    document(tmp_path / "media" / "a.txt", "here")
    with pytest.raises(FileNotFoundError, match=r'b.txt: no such file \(column "file", row 6\)'):
        load(tmp_path)


def test_a_changed_file_changes_the_fingerprint(images):
    data = load(images)
    before = data.fingerprint()
    assert load(images).fingerprint() == before
    picture(images / "cat" / "1.png", 9, (5, 6, 3))
    changed = data.fingerprint()
    (images / "cat" / "1.png").unlink()
    assert len({before, changed, data.fingerprint()}) == 3


def test_a_whole_disk_is_no_data_set(images, monkeypatch):
    monkeypatch.setattr("learnviews.kernels.search.media.MOST_ENTRIES", 4)
    with pytest.raises(ValueError, match=r"pets: more than 4 files and folders below it; expected the folder of one"):
        load(images)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_every_mode_of_image_becomes_features(tmp_path, mode):
    from learnviews.kernels.search.featurize import Pictures
    from learnviews.kernels.search.reading import reader

    grey = np.random.default_rng(0).integers(0, 255, (9, 7)).astype(np.uint8)
    for at, turned in enumerate([grey, grey.T]):
        if mode == "I;16":
            image = Image.fromarray(turned.astype(np.uint16) * 257)
        else:
            image = Image.fromarray(turned).convert(mode)
        image.save(tmp_path / f"{at}.tif")
    data = load(tmp_path)
    found = Pictures(reader(data, "image")).fit_transform(data.frame[["image"]])
    assert np.isfinite(found).all() and np.ptp(found) > 0


def test_a_changed_type_of_a_column_that_names_files(images):
    data = load(images).with_types({"image": "categorical"})
    assert not data.columns["image"].is_media
    with pytest.raises(ValueError, match="is categorical"):
        data.read("image")
