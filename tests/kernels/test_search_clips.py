"""Videos as features: known motion; flow against least squares and scikit-image; odd files; real searches."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from recordings import WAYS, moving, write_clip

from learnviews.kernels import search
from learnviews.kernels.search import clips, flow, scores
from learnviews.kernels.search.exports import export
from learnviews.kernels.search.reading import reader
from learnviews.kernels.search.recorded import Clips

pytest.importorskip("av")


def clip_of(frames, rate=25):
    """A clip of arrays, every moment of it."""
    frames = np.asarray(frames)
    count = max(1, len(frames) - 1)
    later = frames[1:] if len(frames) > 1 else frames
    times = np.arange(count) / rate
    return clips.Clip(frames[:count], later, times, np.full(count, 1 / rate), len(frames) / rate, rate, len(frames))


def smooth(shift=(0.0, 0.0), seed=0, side=32):
    """A smooth pattern moved by `shift` pixels (right, down)."""
    y, x = np.mgrid[:side, :side].astype(float)
    x, y = x - shift[0], y - shift[1]
    rng, found = np.random.default_rng(seed), 0.5
    for _ in range(6):
        a, b, c = (*rng.uniform(-0.6, 0.6, 2), rng.uniform(0, 6))
        found = found + 0.07 * np.sin(a * x + b * y + c)
    return found


# -- flow


@pytest.mark.parametrize("shift", [(0.4, 0.0), (-1.5, 0.5), (3.0, -2.0), (0.0, 0.0)])
def test_a_pattern_that_moves_is_followed(shift):
    found = flow.flow(np.array([smooth()]), np.array([smooth(shift)]))[0]
    np.testing.assert_allclose(np.median(found, axis=(0, 1)), shift, atol=0.1)


def test_one_step_is_the_least_squares_of_each_pixels_neighbours():
    before, after, reach = smooth(), smooth((0.5, -0.3)), 2
    found = flow._step(before[None], after[None], reach)[0]
    down, right = np.gradient(after)
    for y, x in ((8, 8), (15, 20), (25, 5)):
        here = np.s_[y - reach : y + reach + 1, x - reach : x + reach + 1]
        A = np.column_stack([right[here].ravel(), down[here].ravel()])
        ridge = flow.FLAT * A.shape[0] * np.eye(2)
        wanted = np.linalg.solve(A.T @ A + ridge, A.T @ (before - after)[here].ravel())
        np.testing.assert_allclose(found[y, x], np.clip(wanted, -1, 1), atol=1e-9)


def test_it_is_as_good_as_that_of_scikit_image():
    from skimage.registration import optical_flow_ilk

    frames = moving((2, 1), 4, side=64)
    before, after = (clips._grey(frame) for frame in frames[1:3])
    mine = np.abs(after - before) > 0.08
    theirs = np.moveaxis(optical_flow_ilk(before, after, radius=4), 0, -1)[..., ::-1]
    ours = flow.flow(before[None], after[None])[0]
    errors = [np.abs(each[mine].mean(axis=0) - (1, 0.5)).max() for each in (ours, theirs)]
    assert errors[0] < max(errors[1], 0.2)


# -- features


@pytest.mark.parametrize("way", [(2, 0), (-2, 0), (0, 2), (1.5, -1.5)])
def test_speed_and_direction_are_those_that_were_drawn(way):
    told = clips.motion(clip_of(moving(way, 10)))
    right, down, speed = told[13:16]
    np.testing.assert_allclose([right, down], np.array(way) * 25 / 64, atol=0.2)
    assert speed == pytest.approx(np.hypot(*way) * 25 / 64, rel=0.35)
    ways = told[18:26]
    assert ways.argmax() == round(np.arctan2(way[1], way[0]) / (np.pi / 4)) % 8 and ways.sum() == pytest.approx(1)


def test_twice_the_rate_is_twice_the_speed():
    slow, fast = (clips.motion(clip_of(moving((2, 0), 10), rate)) for rate in (10, 20))
    np.testing.assert_allclose(2 * slow[13:18], fast[13:18])


def test_where_it_moves_is_told_and_turning_round_is_seen():
    corner = clips.motion(clip_of(moving((1, 0), 10, start=(2, 2))))
    assert corner[11] < -0.3 and corner[12] < -0.3  # the middle of what changes
    assert corner[1:10].argmax() == 0  # the first zone
    there = moving((2, 0), 10)
    both = clips.motion(clip_of(np.concatenate([there, there[::-1]])))
    assert abs(both[13]) < 0.15 and both[-5] < -0.5  # speed to the right: from + to -


@pytest.mark.parametrize("frames", [moving((1, 0), 1), moving((0, 0), 8), np.zeros((1, 5, 7, 3), np.uint8)])
def test_what_does_not_move_has_no_motion(frames):
    told = clips.described(clip_of(frames), 32)
    assert (told["motion"] == 0).all()
    assert {name: len(part) for name, part in told.items()} == {"colours": 72, "texture": 256, "motion": 70}
    assert all(np.isfinite(part).all() for part in told.values())


def test_colours_and_their_change_are_told():
    red, blue = (np.full((4, 32, 32, 3), shade, np.uint8) for shade in ((200, 10, 10), (10, 10, 200)))
    still, turned = (clips.described(clip_of(each), 16)["colours"] for each in (red, np.concatenate([red, blue])))
    assert (still[36:] == 0).all() and still[:12].argmax() == 0
    assert turned[36:48].argmin() == 0 and turned[36:48].argmax() == 8  # from red to blue


# -- files


@pytest.mark.parametrize("suffix", ["mp4", "avi", "webm", "mkv"])
def test_files_are_read_in_pairs_over_their_whole_length(tmp_path, suffix):
    frames = moving((1, 0), 30)
    found = clips.read_clip(write_clip(tmp_path / f"a.{suffix}", frames), moments=5)
    assert found.frames.shape == found.later.shape == (5, 64, 64, 3) and (found.total, found.rate) == (30, 25)
    np.testing.assert_allclose(found.times, [0, 0.28, 0.56, 0.84, 1.12], atol=0.01)
    np.testing.assert_allclose(found.steps, 1 / 25, atol=0.002)
    assert found.seconds == pytest.approx(1.2, abs=0.01)
    assert np.abs(found.frames[2].astype(int) - frames[14]).mean() < 25


def test_one_frame_and_truncated_files(tmp_path):
    one = clips.read_clip(write_clip(tmp_path / "one.mkv", moving((1, 0), 1)))
    assert one.total == 1 and len(one.frames) == 1 and (clips.motion(one) == 0).all()
    path = write_clip(tmp_path / "cut.avi", moving((1, 0), 40))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    cut = clips.read_clip(path, moments=4)
    assert 10 < cut.total < 30 and 1 <= len(cut.frames) <= 4


@pytest.mark.parametrize("content", [b"", b"no video at all", "cut", "sound"])
def test_unreadable_files_are_named_with_their_row(tmp_path, content):
    good = write_clip(tmp_path / "good.mp4", moving((1, 0), 6))
    if content == "sound":
        wave = pytest.importorskip("soundfile")
        wave.write(tmp_path / "bad.wav", np.zeros(800), 8000)
        content = (tmp_path / "bad.wav").read_bytes()
    (tmp_path / "bad.mp4").write_bytes(good.read_bytes()[:60] if content == "cut" else content)
    pd.DataFrame({"clip": ["good.mp4", "bad.mp4"], "label": ["x", "y"]}).to_csv(tmp_path / "t.csv", index=False)
    data = search.load(tmp_path / "t.csv")
    with pytest.raises(ValueError, match=r'bad\.mp4: cannot be read as a video.*column "clip", row 1'):
        data.read("clip")
    with pytest.raises(ValueError, match=r"bad\.mp4: cannot be read as a video.*column 'clip', row 1"):
        Clips(reader(data, "clip")).fit(data.frame[["clip"]])


def test_gaps_have_the_means_of_the_others():
    cells = pd.DataFrame({"clip": [clip_of(moving((1, 0), 4)), None, clip_of(moving((0, 1), 4))]})
    found = Clips(features="motion").fit_transform(cells)
    np.testing.assert_allclose(found[1], (found[0] + found[2]) / 2)


def test_without_the_package_one_message_says_what_to_install(tmp_path, monkeypatch):
    for at in range(6):
        write_clip(tmp_path / "clips" / "ab"[at % 2] / f"{at}.mp4", moving((1, 0), 2))
    data = search.load(tmp_path / "clips")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ValueError, match=r'videos need PyAV: pip install "learnviews\[media\]"'):
        search.Problem("label").check(data)
    with pytest.raises(ImportError, match=r'videos need PyAV: pip install "learnviews\[media\]"'):
        data.read("video")


# -- searches


def clips_of_ways(folder, each, ways=tuple(WAYS)):
    """Clips in folders by where they move; colours and textures say nothing of it."""
    for number, way in enumerate(ways):
        for at in range(each):
            rng = np.random.default_rng([number, at])
            frames = moving(np.array(WAYS[way]) * rng.uniform(0.7, 2), 12, seed=int(rng.integers(10**6)))
            write_clip(folder / way / f"{at}.{('mp4', 'avi', 'webm', 'mkv')[at % 4]}", frames)
    return folder


def test_the_way_things_move_is_learned(tmp_path):
    data = search.load(clips_of_ways(tmp_path / "clips", 8, ("right", "left", "still")))
    assert data.columns["video"].type == "video"
    study = search.Study(data, search.Problem("label", metric="accuracy"), tmp_path / "study", trials=3)
    list(study.run())
    assert set(study.trials["status"]) == {"ok"}, study.trials[["name", "reason"]].to_string()
    told = scores.table(study.problem, study.best.predictions).loc["accuracy"]
    trivial = scores.table(study.problem, study.baseline.predictions).loc["accuracy"]
    assert told["value"] > 0.8 > 0.5 > trivial["value"] and told["low"] > trivial["high"]
    study.close()


@pytest.mark.slow
def test_five_ways_and_speeds_and_an_export_in_a_clean_process(tmp_path):
    data = search.load(clips_of_ways(tmp_path / "clips", 12))
    study = search.Study(data, search.Problem("label", metric="accuracy"), tmp_path / "study", trials=5)
    list(study.run())
    assert study.best.score > 0.75
    model = next(model for model in study.models if not model.members)
    (one,) = (path for path in export(model, tmp_path / "out").iterdir() if path.is_dir())
    command = [sys.executable, one / "predict.py", tmp_path / "clips", "--out", tmp_path / "predicted.csv"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert list(pd.read_csv(tmp_path / "predicted.csv")["label"]) == list(model.predict(data))
    study.close()
    rng = np.random.default_rng(0)
    speeds = rng.uniform(0, 3, 40).round(2)
    names = [write_clip(tmp_path / f"{at}.mp4", moving((each, 0), 10, seed=at)).name for at, each in enumerate(speeds)]
    pd.DataFrame({"clip": names, "speed": speeds}).to_csv(tmp_path / "t.csv", index=False)
    problem = search.Problem("speed", "regression", "rSquared")
    study = search.Study(tmp_path / "t.csv", problem, tmp_path / "values", trials=4)
    list(study.run())
    assert study.best.score > 0.7
    study.close()
