"""Texts, images, series and dates as numbers: learned in folds only, told apart well enough, missing ones survived."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from learnviews.kernels.search import pipelines
from learnviews.kernels.search.cleaning import Dates, Labels, MeanEncoder, numbers
from learnviews.kernels.search.columns import Column
from learnviews.kernels.search.featurize import Pictures, Words, describe_image
from learnviews.kernels.search.problem import Problem
from learnviews.kernels.search.reading import Reader
from learnviews.kernels.search.series import SeriesFeatures, intervals, resampled, statistics


class Table:
    def __init__(self, frame, **types):
        self.frame, self.resources = frame, {}
        self.columns = {name: Column(name, types.get(name, "real")) for name in frame.columns}


def folds_score(config, data, problem):
    """Out-of-fold ROC AUC: 0.5 is chance."""
    X, y = data.frame[list(problem.features)], data.frame[problem.target]
    p = np.zeros(len(X))
    for fit, held in StratifiedKFold(4, shuffle=True, random_state=0).split(X, y):
        made = pipelines.build(config, data, problem, 0).fit(X.iloc[fit], y.iloc[fit])
        p[held] = made.predict_proba(X.iloc[held])[:, 1]
    return roc_auc_score(y == "b", p)


def trap(kind, rows=240, seed=0):
    """Labels by chance, and a column that gives them away to whoever learns from the rows it is scored on."""
    rng = np.random.default_rng(seed)
    label = rng.choice(["a", "b"], rows).astype(object)
    code = rng.integers(0, rows // 2, rows)
    if kind == "categorical":
        cells = np.array([f"c{i}" for i in code], dtype=object)
    else:
        cells = np.array([f"word{i} other{(i * 7) % rows}" for i in code], dtype=object)
    frame = pd.DataFrame({"trap": cells, "noise": rng.normal(size=rows), "label": label})
    return Table(frame, trap=kind, label="categorical")


TRAP = Problem(target="label", task="classification", features=("trap", "noise"))


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("categorical", {"model": "linear", "encode": "target"}),
        ("categorical", {"model": "forest", "forest:trees": 30, "encode": "target"}),
        (
            "categorical",
            {"model": "linear", "encode": "onehot", "encode:limit": 100, "select": "best", "select:share": 0.1},
        ),
        ("text", {"model": "linear", "text:reduce": "svd", "text:components": 30}),
        ("text", {"model": "linear", "text:reduce": "none", "select": "best", "select:share": 0.1}),
    ],
)
def test_labels_by_chance_are_not_predicted(kind, config):
    scores = [folds_score(config, trap(kind, seed=seed), TRAP) for seed in range(3)]
    assert 0.36 < np.mean(scores) < 0.64


def test_the_trap_catches_an_encoder_that_is_fitted_outside_of_folds():
    leaked, crossed = [], []
    for seed in range(6):
        data = trap("categorical", seed=seed)
        y = (data.frame["label"] == "b").to_numpy()
        labels = Labels().fit_transform(data.frame[["trap"]])
        leaked.append(roc_auc_score(y, MeanEncoder(smooth=1e-9).fit(labels, y).transform(labels)[:, 0]))
        crossed.append(roc_auc_score(y, MeanEncoder().fit_transform(labels, y)[:, 0]))
    assert np.mean(leaked) > 0.8 and np.mean(crossed) < 0.6


def test_infinite_unreadable_and_huge_numbers():
    read = numbers(pd.Series(["1.5", "x", True, None, 10**40, float("inf"), "false", 2], dtype=object))
    assert np.array_equal(read, [1.5, np.nan, 1, np.nan, 1e30, np.nan, 0, 2], equal_nan=True)


def test_dates_with_and_without_zones_and_plain_years():
    frame = pd.DataFrame(
        {"day": ["2020-01-06T12:00+01:00", "2020-01-07 06:00", None], "year": ["1999", "2001", "2005"]}
    )
    dates = Dates().fit(frame)
    found = dates.transform(frame)
    assert found[:2, 3:5].tolist() == [[0, 11], [1, 6]] and np.isnan(found[2, :5]).all()  # a Monday, at UTC
    assert found[:2, 0] == pytest.approx([0, 19 / 24]) and found[:, 5].tolist() == [1999, 2001, 2005]
    assert len(dates.get_feature_names_out()) == found.shape[1]


@pytest.mark.parametrize("parts", ["words", "pairs", "characters", "hashes"])
@pytest.mark.parametrize("components", [0, 3])
def test_words_of_missing_and_empty_texts(parts, components):
    texts = pd.DataFrame({"t": ["red ball", "", None, "blue box and a ball", "red box"]}, dtype=object)
    words = Words(parts=parts, components=components, features=200)
    found = words.fit_transform(texts)
    assert found.shape == (5, len(words.get_feature_names_out()))
    assert words.transform(pd.DataFrame({"t": ["never seen"]})).shape[1] == found.shape[1]
    empty = words.fit_transform(pd.DataFrame({"t": [None, "", None]}, dtype=object))
    assert empty.shape[0] == 3


@pytest.mark.parametrize(
    "config", [{"model": "counts", "text:reduce": "none"}, {"model": "linear"}, {"model": "boosting"}]
)
def test_texts_are_told_apart(config):
    rng = np.random.default_rng(0)
    about = {"a": ["sun", "sand", "sea", "boat"], "b": ["snow", "ski", "ice", "boat"]}
    label = rng.choice(["a", "b"], 120)
    text = [" ".join(rng.choice(about[name], 3)) for name in label]
    data = Table(pd.DataFrame({"text": text, "label": label}), text="text", label="categorical")
    assert folds_score({"boosting:trees": 20, **config} if config["model"] == "boosting" else config, data, TEXT) > 0.95


TEXT = Problem(target="label", task="classification", features=("text",))


def test_images_from_arrays_and_files_are_told_apart(tmp_path):
    from skimage.io import imsave

    digits = load_digits()
    chosen = np.flatnonzero(np.isin(digits.target, [1, 7]))[:120]
    images = [(digits.images[i] * 15).astype(np.uint8) for i in chosen]
    label = np.where(digits.target[chosen] == 7, "b", "a")
    data = Table(pd.DataFrame({"image": images, "label": label}), image="image", label="categorical")
    problem = Problem(target="label", task="classification", features=("image",))
    for features in ("hog", "thumbnail"):
        assert folds_score({"model": "linear", "image:features": features, "image:size": 16}, data, problem) > 0.95
    for i, image in enumerate(images[:6]):
        imsave(tmp_path / f"{i}.png", image, check_contrast=False)
    named = pd.DataFrame({"image": [f"{i}.png" for i in range(6)]}, index=list("uvwxyz"))
    drawn = pd.DataFrame({"image": images[:6]}, index=list("uvwxyz"))
    reader = Reader("image", "image", str(tmp_path))
    assert np.allclose(Pictures(reader).fit_transform(named), Pictures().fit_transform(drawn))
    named.loc["x", "image"] = "gone.png"
    with pytest.raises(ValueError, match=r"gone\.png: no such image file \(column 'image', row 'x'\)"):
        Pictures(reader).fit(named)


@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 1), (9, 7, 3), (9, 7, 4)])
@pytest.mark.parametrize("features", ["hog", "colours", "thumbnail", "all"])
def test_images_of_any_shape_have_the_same_number_of_features(shape, features):
    image = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    found = describe_image(image, features, 16)
    assert np.isfinite(found).all() and len(found) == len(describe_image(np.zeros((40, 50, 3)), features, 16))


def test_missing_images_are_like_the_mean():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"image": [*(rng.random((8, 8)) for _ in range(4)), None]})
    assert np.allclose(Pictures().fit_transform(frame)[4], 0, atol=1e-9)


@pytest.mark.parametrize("features", ["kernels", "statistics", "intervals", "values", "all"])
def test_series_are_told_apart(features):
    rng = np.random.default_rng(0)
    label = rng.choice(["a", "b"], 80)
    steps = [rng.integers(40, 60) for _ in label]
    cells = [
        np.sin(np.arange(n) / (3 if name == "a" else 5)) + rng.normal(0, 0.3, n)
        for name, n in zip(label, steps, strict=True)
    ]
    data = Table(pd.DataFrame({"series": cells, "label": label}), series="timeseries", label="categorical")
    problem = Problem(target="label", task="timeSeriesClassification", features=("series",))
    config = {"model": "linear", "series:features": features}
    if features in ("kernels", "all"):
        config["series:kernels"] = 60
    assert folds_score(config, data, problem) > 0.9


def test_odd_series_survive():
    table = pd.DataFrame({"time": [2, 1, 3], "value": [20.0, np.inf, 30.0]})
    cells = [None, np.array([1.0]), table, np.full(9, 2.0), np.array([np.nan, 1.0, np.nan]), np.zeros((5, 2))]
    frame = pd.DataFrame({"s": pd.Series(cells, dtype=object)})
    features = SeriesFeatures(features="all", length=16, kernels=20).fit(frame)
    found = features.transform(frame)
    assert np.isfinite(found).all() and found.shape == (6, len(features.get_feature_names_out()))


def test_series_features_against_their_definition():
    x = np.array([1.0, 3.0, 2.0, 6.0])
    found = statistics(x)
    assert found[:2] == pytest.approx([3.0, np.std(x)]) and found[8] == 4 and found[11] == pytest.approx(2.5)
    ramp = np.arange(16.0)
    assert (
        intervals(ramp)[:6] == pytest.approx([7.5, np.std(ramp), 15, 3.5, np.std(ramp[:8]), 7])
        and len(intervals(ramp)) == 45
    )
    assert resampled(x[:, None], 7)[:, 0] == pytest.approx([1, 2, 3, 2.5, 2, 4, 6])
