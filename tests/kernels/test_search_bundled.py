"""Data sets that come with scikit-learn."""

import numpy as np
import pytest
from sklearn import datasets

from learnviews.kernels.search import Problem, StoreError, bundled, choices_of, load_bundled
from learnviews.kernels.search.tasks import COMMUNITIES

NAMES = [each.name for each in bundled()]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("bundled")


@pytest.mark.parametrize("about", bundled(), ids=NAMES)
def test_each_is_what_it_is_said_to_be(about, place):
    data = load_bundled(about.name, place)
    assert (len(data), len(data.columns), data.name) == (about.rows, about.columns, about.title)
    targets = tuple(name for name, column in data.columns.items() if column.role == "suggestedTarget")
    assert targets == about.targets and about.about in data.notes
    problem = Problem(about.targets, about.task).check(data)
    all_others = set(data.columns) - set(targets) - set(data.idle)  # constants are no features
    assert set(problem.features) == (set(problem.nodes) if problem.task in COMMUNITIES else all_others)
    assert [offer.name for offer in choices_of(data, task=about.task).targets if offer.usual] == list(targets)
    assert not any("_" in name or name.startswith("s1") for name in data.columns)


def test_classes_have_names():
    assert set(load_bundled("iris").frame["species"]) == {"setosa", "versicolor", "virginica"}
    assert set(load_bundled("wine").frame["cultivar"]) == {"cultivar 1", "cultivar 2", "cultivar 3"}
    cells, source = load_bundled("breast_cancer"), datasets.load_breast_cancer()
    assert (cells.frame["diagnosis"] == source.target_names[source.target]).all()
    assert cells.columns["diagnosis"].type == "categorical"


def test_values_are_those_of_the_source():
    people = load_bundled("diabetes")
    assert people.columns["sex"].type == "categorical" and people.frame["age (years)"].between(18, 90).all()
    np.testing.assert_array_equal(people.frame["progression"], datasets.load_diabetes().target)
    np.testing.assert_array_equal(load_bundled("linnerud").frame["waist"], datasets.load_linnerud().target[:, 1])


def test_pictures_show_the_digits(place):
    data, source = load_bundled("digit_images", place), datasets.load_digits()
    rows = data.frame.index[::200]
    for row, image in zip(rows, data.read("image", rows), strict=True):
        at = int(data.frame.loc[row, "image"].split("/")[1][:4])
        assert data.frame.loc[row, "digit"] == str(source.target[at])
        grey = np.asarray(image, float).reshape(8, 8, -1)[:, :, 0]
        np.testing.assert_allclose(255 - grey, source.images[at] * 255 / 16, atol=0.5)
    assert len(load_bundled("digit_images", place)) == 1797  # those that are there
    assert [each.name for each in place.iterdir()] == ["digit-images"]


def test_the_cache_is_the_users(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    load_bundled("digit_images")
    assert (tmp_path / "learnviews" / "digit-images" / "7").is_dir()


def test_what_there_is_not_and_places_that_cannot_be_written(tmp_path):
    with pytest.raises(ValueError, match="no bundled data set 'irises': did you mean 'iris'"):
        load_bundled("irises")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="pictures could not be written"):
        load_bundled("digit_images", tmp_path / "file")
