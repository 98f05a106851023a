"""Texts, images, series and dates as numbers: learned in folds only, told apart well enough, missing ones survived."""

import colorsys

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from learnviews.kernels.search import pipelines, stash
from learnviews.kernels.search.cleaning import Dates, Labels, MeanEncoder, numbers
from learnviews.kernels.search.columns import Column
from learnviews.kernels.search.featurize import Pictures, Words
from learnviews.kernels.search.pictures import PARTS, coloured, described, shrunk
from learnviews.kernels.search.problem import Problem
from learnviews.kernels.search.reading import Reader
from learnviews.kernels.search.series import SeriesFeatures, convolved, intervals, resampled, statistics


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


@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 1), (9, 7, 2), (9, 7, 3), (9, 7, 4), (1, 300), (200, 1, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, bool])
def test_images_of_any_shape_and_type_have_the_same_number_of_features(shape, dtype):
    image = np.random.default_rng(0).integers(0, 255, shape).astype(dtype)
    found = described(image, 16)
    wanted = {part: len(values) for part, values in described(np.zeros((40, 50, 3)), 32).items()}
    assert {part: len(values) for part, values in found.items()} == wanted and tuple(found) == PARTS
    assert all(np.isfinite(values).all() for values in found.values())


def test_the_same_picture_in_other_types_has_the_same_features():
    small = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    image = np.kron(small, np.ones((4, 4, 1), np.uint8))
    same = [
        image,
        image.astype(np.uint16) * 257,
        image / 255,
        np.dstack([image, np.full(image.shape[:2], 255, np.uint8)]),
    ]
    first, *others = [described(one, 32) for one in same]
    for other in others:
        for part, most in [("thumbnail", 0.01), ("hog", 0.05), ("colours", 0.05)]:  # values fall into neighbouring bins
            assert np.abs(first[part] - other[part]).max() < most


def test_what_is_transparent_is_white_whatever_lies_below():
    hidden = np.random.default_rng(0).integers(0, 255, (12, 12, 4)).astype(np.uint8)
    hidden[:, :, 3] = 0
    assert coloured(hidden).min() == 1


def test_twelve_bit_pictures_in_wider_types_are_not_black():
    image = np.random.default_rng(0).integers(0, 4095, (12, 12))
    assert coloured(image.astype(np.int32)).max() == pytest.approx(1) and coloured(np.full((2, 2), -3.0)).max() <= 1


def test_colours_against_their_definition():
    image = np.random.default_rng(0).random((16, 16, 3))
    counts = np.zeros((3, 12))
    for pixel in shrunk(coloured(image), 16).reshape(-1, 3).astype(float):
        hue, saturation, value = colorsys.rgb_to_hsv(*pixel)
        for place, (channel, weight) in enumerate([(hue, saturation), (saturation, 1), (value, 1)]):
            counts[place, min(int(channel * 12), 11)] += weight / 256
    assert described(image, 16)["colours"] == pytest.approx(counts.ravel(), abs=0.01)


@pytest.mark.parametrize("kind", ["colour", "shape"])
def test_colours_and_shapes_are_both_told_apart_by_default(kind):
    rng = np.random.default_rng(0)
    label = rng.choice(["a", "b"], 80)
    images = []
    for name in label:
        image = rng.integers(90, 166, (24, 24, 3))
        if kind == "colour":  # a spot somewhere, of one of two colours
            x, y = rng.integers(0, 16, 2)
            image[x : x + 8, y : y + 8] = (200, 80, 60) if name == "a" else (60, 80, 200)
        else:  # stripes of a colour by chance, lying or standing
            stripes = (np.arange(24) // 3 % 2)[:, None, None] * rng.integers(60, 120, 3)
            image = image - 60 + (stripes if name == "a" else stripes.transpose(1, 0, 2))
        images.append(image.astype(np.uint8))
    data = Table(pd.DataFrame({"image": images, "label": label}), image="image", label="categorical")
    problem = Problem(target="label", task="classification", features=("image",))
    assert folds_score({"model": "linear"}, data, problem) > 0.95


def test_a_file_is_described_once_for_all_folds_and_trials_until_it_changes(tmp_path, monkeypatch):
    from PIL import Image

    calls = []
    monkeypatch.setattr("learnviews.kernels.search.featurize.described", lambda *a: calls.append(a) or described(*a))
    monkeypatch.setattr(stash, "_kept", stash.Stash())
    rng = np.random.default_rng(0)
    for at in range(6):
        Image.fromarray(rng.integers(0, 255, (8, 8)).astype(np.uint8)).save(tmp_path / f"{at}.png")
    frame = pd.DataFrame({"image": [f"{at}.png" for at in range(6)]})
    reader = Reader("image", "image", str(tmp_path))
    first = Pictures(reader).fit_transform(frame)
    for features in PARTS:
        Pictures(reader, features=features).fit(frame.iloc[:4]).transform(frame)
    assert len(calls) == 6
    assert np.allclose(first, Pictures(reader).fit(frame).transform(frame)) and len(calls) == 6
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "0.png")
    assert not np.allclose(first, Pictures(reader).fit(frame).transform(frame)) and len(calls) == 7


def test_what_is_kept_is_bounded_and_the_latest():
    kept, made = stash.Stash(most=20_000), []
    for key in [*range(30), 29, 28, 0]:
        kept.get(key, lambda key=key: made.append(key) or np.zeros(100))
    assert made == [*range(30), 0] and kept.held <= 20_000 and len(kept) < 20
    before = len(kept)
    assert len(kept.get("huge", lambda: np.zeros(10_000))) == 10_000 and len(kept) == before


def test_a_damaged_file_is_named_with_column_and_row(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    (tmp_path / "s.csv").write_bytes(b"")
    frame = pd.DataFrame({"cell": ["a.png"]}, index=["row 7"])
    with pytest.raises(ValueError, match=r"a.png: cannot be read as an image .*\(column 'photo', row 'row 7'\)"):
        Pictures(Reader("photo", "image", str(tmp_path))).fit(frame)
    with pytest.raises(ValueError, match=r"s.csv.*\(column 'curve', row 'row 7'\)"):
        SeriesFeatures(Reader("curve", "timeseries", str(tmp_path))).fit(frame.replace("a.png", "s.csv"))
    with pytest.raises(TypeError, match=r"row 'row 7' holds 'a.png': expected an array of pixels"):
        Pictures().fit(frame)


def test_files_of_series_are_read_as_they_are_described(tmp_path):
    (tmp_path / "a.csv").write_text("step,code\n0,1\n1,0\n")
    plain, described_ = (Reader("s", "timeseries", str(tmp_path), types) for types in ((), (("code", "categorical"),)))
    cells = pd.Series(["a.csv"])
    assert plain(cells)[0]["code"].tolist() != described_(cells)[0]["code"].tolist() == ["1", "0"]


@pytest.mark.parametrize("width", [1, 3])
def test_convolutions_against_their_definition(width):
    series = np.random.default_rng(0).normal(size=(4, 20, width))
    series[0] = 5.0
    features = SeriesFeatures(length=20, kernels=12).fit(pd.DataFrame({"s": list(series)}))
    wanted = []
    for one in series:
        z = (one - one.mean(axis=0)) / np.where(one.std(axis=0) > 0, one.std(axis=0), 1)
        for weights, bias, dilation, channel in features.bank_:
            weights = np.atleast_2d(weights).T  # (size, channels)
            starts = range(20 - (len(weights) - 1) * dilation)
            answers = [
                sum(w @ z[at + i * dilation, np.atleast_1d(channel)] for i, w in enumerate(weights)) + bias
                for at in starts
            ]
            wanted += [max(answers), np.mean([answer > 0 for answer in answers])]
    assert convolved(series, features.bank_).ravel() == pytest.approx(wanted)


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
