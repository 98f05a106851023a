"""Object detection: average precision by hand, sums and windows against slow twins, tables of boxes, a search."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import scenes

from learnviews.kernels import search
from learnviews.kernels.search import boxes, choices, pipelines, scores, windows
from learnviews.kernels.search.exports import export
from learnviews.kernels.search.metrics import METRICS
from learnviews.kernels.search.portfolio import portfolio

AP = METRICS["objectDetectionAP"]
TARGET = "bounding_polygon_area"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return scenes.d3m(tmp_path_factory.mktemp("d3m") / "rings", made(tmp_path_factory, 36))


def made(tmp_path_factory, count):
    place = tmp_path_factory.getbasetemp() / "d3m0" / "rings" / "media"
    return scenes.write_scenes(place, count, seed=1)


# -- average precision


def naive_precision(truth, found):
    """The area of the envelope, step by step over ranked detections."""
    ranked = sorted((-sure, *box, image) for image, rows in enumerate(found) for *box, sure in rows)
    wanted, taken, points, hits = sum(map(len, truth)), set(), [], 0
    for rank, (_, *box, image) in enumerate(ranked, 1):
        shares = [_shared(box, other) for other in truth[image]]
        best = int(np.argmax(shares)) if shares else -1
        if shares and shares[best] > 0.5 and (image, best) not in taken:
            taken.add((image, best))
            hits += 1
            points.append((hits / wanted, rank, hits))
    area, before = 0.0, 0.0
    for recall, rank, _ in points:
        area += (recall - before) * max(h / r for _, r, h in points if r >= rank)
        before = recall
    return area


def _shared(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]) + 1, min(a[3], b[3]) - max(a[1], b[1]) + 1
    area = lambda box: (box[2] - box[0] + 1) * (box[3] - box[1] + 1)  # noqa: E731
    both = max(w, 0) * max(h, 0)
    return both / (area(a) + area(b) - both)


def drawn_and_found(rng, images=8):
    truth, found = [], []
    for _ in range(images):
        corners = rng.integers(0, 50, (rng.integers(0, 4), 2))
        truth.append(np.hstack([corners, corners + 20]).astype(float).reshape(-1, 4))
        near = truth[-1] + rng.integers(-6, 7, truth[-1].shape)
        far = rng.integers(0, 50, (2, 2))
        rows = np.vstack([near, np.hstack([far, far + 20])])
        found.append(np.column_stack([rows, rng.random(len(rows)).round(1)]))
    return truth, found


@pytest.mark.parametrize("seed", range(6))
def test_precision_is_that_of_the_slow_twin_also_of_resamples(seed):
    rng = np.random.default_rng(seed)
    truth, found = drawn_and_found(rng)
    assert boxes.average_precision(truth, found) == pytest.approx(naive_precision(truth, found))
    score = boxes.precision_of(truth, found)
    for _ in range(5):
        chosen = rng.integers(0, len(truth), len(truth))
        resampled = naive_precision([truth[at] for at in chosen], [found[at] for at in chosen])
        assert score(chosen) == pytest.approx(resampled, abs=0.05)  # equal confidences are in another order
    untied = [np.column_stack([rows[:, :4], rng.random(len(rows))]) for rows in found]
    chosen = rng.permutation(len(truth))[:5]
    exact = naive_precision([truth[at] for at in chosen], [untied[at] for at in chosen])
    assert boxes.precision_of(truth, untied)(chosen) == pytest.approx(exact)


def test_precision_of_text_by_hand():
    """Three rings. Ranked: right, wrong, right; one is never found: 1/3 * 1 + 1/3 * 2/3."""
    truth = pd.Series(["0,0,9,9;40,0,49,9", "20,20,29,29", "", None], dtype=object)
    found = ["0,0,9,9,0.9;70,70,79,79,0.8", "20,20,29,30,0.5", "", "5,5,9,9,0.99"]
    assert AP(truth, found) == pytest.approx(1 / 3 + 2 / 9)
    assert AP(truth[:2], ["", ""]) == 0 and np.isnan(AP(truth[2:], ["", ""]))
    assert AP(truth[:1], ["0,0,0,9,9,9,9,0,0.9"[:0]]) == 0
    with pytest.raises(ValueError, match="expected 5 numbers each"):
        AP(truth[:1], ["0,0,9,9"])
    rows = np.array([[1.5, 2, 3, 4, 0.98765], [0, 0, 10, 10, 0.5]])
    np.testing.assert_allclose(boxes.detections(boxes.written(rows)), rows, atol=1e-4)
    np.testing.assert_array_equal(boxes.boxes(boxes.written(rows[:, :4])), rows[:, :4])


def test_which_box_a_detection_finds():
    truth = boxes.boxes("0,0,9,9;40,0,49,9")
    found = boxes.detections("40,0,49,8,0.4;0,0,9,9,0.5;1,0,9,9,0.9;90,90,99,99,0.8")
    assert boxes.matched(truth, found).tolist() == [1, -1, 0, -1]
    assert boxes.matched(truth[:0], found).tolist() == [-1] * 4 and len(boxes.matched(truth, found[:0])) == 0
    for seed in range(4):
        drawn, told = drawn_and_found(np.random.default_rng(seed), images=1)
        hits = (boxes.matched(drawn[0], told[0]) >= 0).sum()
        best = boxes.average_precision(drawn, told)
        assert (hits > 0) == (best > 0 if len(drawn[0]) else False)


# -- windows


def test_sums_over_rectangles_are_sums_over_their_pixels():
    rng = np.random.default_rng(0)
    found = rng.random((9, 12, 3))
    left, top = rng.integers(0, 11, 20), rng.integers(0, 8, 20)
    right, bottom = left + rng.integers(0, 12 - left + 1), top + rng.integers(0, 9 - top + 1)
    told = windows.sums(windows.integral(found), left, top, right, bottom)
    slow = [found[t:b, x:r].sum(axis=(0, 1)) for x, t, r, b in zip(left, top, right, bottom, strict=True)]
    np.testing.assert_allclose(told, slow, atol=1e-10)


@pytest.mark.parametrize("cells", [1, 3, 4])
def test_a_window_is_described_by_the_means_of_its_cells(cells):
    picture = np.random.default_rng(0).random((40, 50, 3))
    found = windows.channels(picture)
    places = np.array(
        [[3, 5, 27, 29], [0, 0, 50, 40], [-6, 30, 18, 44], [10.5, 4.5, 14.5, 8.5], [48, 2, 49, 30]], float
    )
    told = windows.described(windows.integral(found), places, cells)
    assert told.shape == (5, windows.CHANNELS * (cells**2 + 1) + 2) and np.isfinite(told).all()
    x = np.floor(3 + 24 * np.linspace(0, 1, cells + 1) + 0.5).astype(int)
    y = x + 2
    means = np.array(
        [[found[y[r] : y[r + 1], x[c] : x[c + 1]].mean(axis=(0, 1)) for c in range(cells)] for r in range(cells)]
    )
    edges = means[..., :8] / (np.sqrt((means[..., :8] ** 2).sum()) + 1e-2)
    slow = np.concatenate([edges, means[..., 8:]], axis=-1).ravel()
    np.testing.assert_allclose(told[0, : len(slow)], slow)
    ring = found[0:35, 0:33].copy()  # a quarter of 24 pixels around, cut off at the border
    outside = np.ones(ring.shape[:2], bool)
    outside[5:29, 3:27] = False
    around = ring[outside].mean(axis=0) - found[5:29, 3:27].mean(axis=(0, 1))
    np.testing.assert_allclose(told[0, len(slow) : -2], around, atol=1e-10)
    np.testing.assert_allclose(told[0, -2:], np.log([24, 24]))


def test_directions_of_gradients():
    ramp = np.repeat(np.linspace(0, 1, 16)[None, :, None], 16, axis=0) * np.ones(3)
    across, along = windows.channels(ramp)[8, 8, :8], windows.channels(ramp.transpose(1, 0, 2))[8, 8, :8]
    assert across.argmax() == 0 and along.argmax() == 4
    assert across.sum() == pytest.approx(1 / 15) and windows.channels(np.ones((5, 5, 3)))[:, :, :9].sum() == 0


def test_windows_are_everywhere_and_of_the_shapes_that_were_drawn():
    drawn = np.array([[0, 0, 20, 10]] * 5 + [[5, 5, 15, 45]] * 5, float)
    shapes = windows.shapes_of(drawn, 2, 0)
    np.testing.assert_allclose(sorted(shapes.tolist()), [[10, 40], [20, 10]])
    places = windows.sliding(60, 80, shapes, 0.25)
    for y, x in ((0, 0), (30, 55), (50, 60)):
        best = windows.shared(places, np.array([[x, y, x + 20, y + 10]], float)).max()
        assert best > 0.6
    assert places.min() >= 0 and places[:, 2].max() <= 80 and places[:, 3].max() <= 60
    assert len(windows.sliding(200, 200, np.array([[4.0, 4.0]]), 0.1)) <= windows.MOST
    assert len(windows.sliding(10, 10, np.array([[40.0, 40.0]]), 0.2)) == 1


def test_regions_find_a_plain_thing():
    picture = np.full((60, 80, 3), 120, np.uint8)
    picture[20:40, 30:60] = (250, 30, 30)
    found = windows.regions(picture)
    assert windows.shared(found, np.array([[30, 20, 60, 40]], float)).max() > 0.8


def test_the_surest_of_boxes_that_overlap_is_kept():
    places = np.array([[0, 0, 20, 20], [2, 2, 22, 22], [50, 50, 70, 70], [0, 0, 21, 21]], float)
    assert windows.suppressed(places, np.array([0.5, 0.9, 0.3, 0.6]), 0.3, 10).tolist() == [1, 2]
    assert windows.suppressed(places, np.array([0.5, 0.9, 0.3, 0.6]), 0.3, 1).tolist() == [1]
    assert sorted(windows.suppressed(places, np.ones(4), 0.99, 10).tolist()) == [0, 1, 2, 3]


# -- tables of boxes


@pytest.mark.parametrize("version", ["3.1.2", "4.0.0"])
@pytest.mark.parametrize(
    "role", [("suggestedTarget",), ("suggestedTarget", "boundary"), ("attribute", "boundingPolygon")]
)
def test_d3m_rows_of_boxes_are_images(tmp_path, version, role):
    found = scenes.write_scenes(tmp_path / "d" / "media", 8, seed=3)
    data = search.load(scenes.d3m(tmp_path / "d", found, version, role))
    assert data.columns[TARGET].type == "boxes" and list(data.frame["image"]) == [name for name, _ in found]
    assert [boxes.boxes(cell).tolist() for cell in data.frame[TARGET]] == [
        [list(map(float, b)) for b in d] for _, d in found
    ]
    assert any(not drawn for _, drawn in found) and "" in set(data.frame[TARGET])
    assert data.frame.index.name == "d3mIndex" and list(data.frame.index) == list(range(8))
    problem = search.Problem(TARGET).check(data)
    assert (problem.task, problem.metric, problem.features) == ("objectDetection", "objectDetectionAP", ("image",))
    (tmp_path / "problemDoc.json").write_text(json.dumps(problem.to_d3m(data, version)))
    again = search.Problem.from_d3m(tmp_path / "problemDoc.json")
    assert again.check(data).with_(name=None) == problem


def test_tables_of_images_and_of_boxes(tmp_path):
    found = scenes.write_scenes(tmp_path, 6, seed=2)
    table = scenes.table(found)
    table.to_csv(tmp_path / "per_image.csv", index=False)
    whole = search.load(tmp_path / "per_image.csv")
    rows = [(name, scenes.vertices(box), "png") for name, drawn in found for box in drawn]
    rows += [(name, None, "png") for name, drawn in found if not drawn]
    (tmp_path / "t").mkdir()
    frame = pd.DataFrame(rows, columns=["image", "objects", "kind"]).sort_values("image", kind="stable")
    frame.to_csv(tmp_path / "per_box.csv", index=False)
    each = search.load(tmp_path / "per_box.csv")
    assert whole.columns["objects"].type == each.columns["objects"].type == "boxes"
    assert list(whole.frame["objects"]) == list(each.frame["objects"]) and len(each) == 6
    assert f"{len(frame)} rows are 6 images with boxes in objects" in each.notes
    with pytest.raises(
        ValueError, match="'kind' is categorical: object detection takes boxes; these would do: objects"
    ):
        search.Problem("kind", "objectDetection").check(each)
    with pytest.raises(ValueError, match="object detection looks into images: per_box has no column of them among"):
        search.Problem("objects", features=("kind",)).check(each)
    kept = search.load(tmp_path / "per_image.csv", types={"objects": "categorical"})
    assert kept.columns["objects"].type == "categorical"


def test_other_tables_stay_as_they_are():
    frame = pd.DataFrame({"size": ["1,234,567,890", "2,345,678,901"] * 5, "label": list("ab") * 5})
    assert search.load(frame).columns["size"].type != "boxes"


def test_a_cell_that_is_no_box_is_named(tmp_path):
    scenes.write_scenes(tmp_path, 2)
    table = pd.DataFrame({"image": ["000.png", "001.png"], "objects": ["1,2,3,4", "1,2,3"]})
    table.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(ValueError, match=r'column "objects", row 1: box .1,2,3.: expected 4 or 8 numbers'):
        search.load(tmp_path / "t.csv", types={"objects": "boxes"})


@pytest.mark.parametrize("cells", [["5,4,3,2", "9,9,1,1"], ["1,2,3,4", "7,2,3,4"]])
def test_numbers_that_are_no_boxes_are_not_taken_for_some(tmp_path, cells):
    scenes.write_scenes(tmp_path, 2)
    pd.DataFrame({"image": ["000.png", "001.png"], "objects": cells}).to_csv(tmp_path / "t.csv", index=False)
    assert search.load(tmp_path / "t.csv").columns["objects"].type != "boxes"
    with pytest.raises(ValueError, match=r'column "objects", row [01]: box .*the smaller ones first'):
        search.load(tmp_path / "t.csv", types={"objects": "boxes"})


def test_of_a_slanted_quadrangle_the_upright_one_around_it_is_taken(tmp_path):
    scenes.write_scenes(tmp_path, 2)
    cells = ["10,0,20,10,10,20,0,10", "1,2,1,9,5,9,5,2"]
    pd.DataFrame({"image": ["000.png", "001.png"], "objects": cells}).to_csv(tmp_path / "t.csv", index=False)
    assert search.load(tmp_path / "t.csv").frame["objects"].tolist() == ["0,0,20,20", "1,2,5,9"]


def test_what_cannot_be_detected_is_said(folder, tmp_path):
    data = search.load(folder)
    with pytest.raises(ValueError, match="is boxes: classification takes"):
        search.Problem(TARGET, "classification").check(data)
    few = data.take(data.frame.index[:3])
    with pytest.raises(ValueError, match=r"has boxes in [0-3] images; at least 4 are needed"):
        search.Problem(TARGET).check(few)
    with pytest.raises(ValueError, match="accuracy does not judge object detection"):
        search.Problem(TARGET, metric="accuracy").check(data)
    assert "without a deep net" in search.TASKS["objectDetection"].limits
    (first, *_) = search.discover(data)
    assert (first.target, first.task) == (TARGET, "objectDetection")
    offers = search.choices_of(data, TARGET)
    assert [offer.name for offer in offers.tasks if offer.legal] == ["objectDetection"]
    assert [offer.name for offer in offers.metrics if offer.legal] == ["objectDetectionAP"]


# -- search


def test_every_start_and_some_samples_can_be_built():
    from learnviews.kernels.search.columns import Column
    from learnviews.kernels.search.data import Dataset

    rng = np.random.default_rng(0)
    made = [scenes.scene(rng, most=1) for _ in range(8)]
    cells = [boxes.written(np.array(drawn, float).reshape(-1, 4)) for _, drawn in made]
    frame = pd.DataFrame({"photo": pd.Series([pixels for pixels, _ in made], dtype=object), "rings": cells})
    frame.loc[2, "photo"] = None
    data = Dataset("arrays", frame, {"photo": Column("photo", "image"), "rings": Column("rings", "boxes")})
    problem = search.Problem("rings").check(data)
    space = search.space(data, problem)
    space.seed(0)
    configs = [*portfolio(data, problem)[:1], *map(dict, space.sample_configuration(4))]
    for config in configs:
        assert "logistic" in pipelines.describe({"model": "linear"}, "objectDetection")
        config = {**config, "look:side": 96}
        if config["model"] in ("mlp", "boosting"):
            config = choices.default(data, problem, **{**config, "model": "linear"})
        fitted = pipelines.build(config, data, problem, 0).fit(frame[["photo"]], frame["rings"])
        said = fitted.predict(frame[["photo"]])
        assert said[2] == "" and all(boxes.detections(cell).shape[1] == 5 for cell in said)


def test_rings_are_found_among_other_things(folder, tmp_path):
    study = search.Study(folder, search.Problem(TARGET), tmp_path / "study", trials=2)
    list(study.run())
    assert set(study.trials["status"]) == {"ok"}, study.trials[["name", "reason"]].to_string()
    told = scores.table(study.problem, study.best.predictions).loc["objectDetectionAP"]
    trivial = scores.table(study.problem, study.baseline.predictions).loc["objectDetectionAP"]
    assert told["value"] > 0.8 > 0.3 > trivial["value"] and told["low"] > trivial["high"]
    assert study.best.steps()[0].name == "look"
    assert study.baseline.describe() == "mean box in every image"
    study.close()


@pytest.mark.slow
def test_an_export_finds_them_in_a_clean_process(folder, tmp_path):
    study = search.Study(folder, search.Problem(TARGET), tmp_path / "study", trials=3)
    list(study.run())
    (one,) = (path for path in export(study.best, tmp_path / "out").iterdir() if path.is_dir())
    assert (one / "pipeline.skops").is_file(), (one / "pipeline.txt").read_text()
    command = [sys.executable, one / "predict.py", folder, "--out", tmp_path / "predicted.csv"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    said = pd.read_csv(tmp_path / "predicted.csv", index_col=0, keep_default_na=False)[TARGET]
    data = search.load(folder)
    assert list(said) == list(study.best.predict(data))
    assert AP(data.frame[TARGET], list(said)) > 0.8
    study.close()
