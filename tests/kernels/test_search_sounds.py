"""Sounds as features: known signals and slow sums; files that are silent, short, odd or damaged; real searches."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from recordings import DIGITS, spoken_digits, tone, write_sound

from learnviews.kernels import search
from learnviews.kernels.search import scores, sounds
from learnviews.kernels.search.exports import export
from learnviews.kernels.search.reading import reader as reader_of
from learnviews.kernels.search.recorded import Sounds

pytest.importorskip("soundfile")


def heard(samples, rate=16_000):
    return sounds.heard(sounds.Sound(np.asarray(samples, np.float32), rate))


def track(found, name):
    return found.tracks[:, sounds._TRACKS.index(name)]


# -- features


@pytest.mark.parametrize("hertz", [110, 220, 440])
@pytest.mark.parametrize("rate", [16_000, 44_100, 8_000])
def test_a_tone_has_its_pitch_peak_level_and_centroid(hertz, rate):
    found = heard(tone(hertz, rate=rate), rate)
    octaves = np.log2(hertz / 55)
    assert np.median(track(found, "pitch")) == pytest.approx(octaves, abs=0.05)
    assert np.median(track(found, "peak")) == pytest.approx(octaves, abs=0.25)  # bins are 31 Hz wide
    assert np.median(track(found, "centroid")) == pytest.approx(octaves, abs=0.25)
    assert np.median(track(found, "level")) == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.3)
    assert np.median(track(found, "crossings")) == pytest.approx(2 * hertz / 16_000, rel=0.15)
    assert np.median(track(found, "flatness")) < 1e-3


def test_noise_is_flat_and_wide():
    found = heard(np.random.default_rng(0).normal(0, 0.1, 16_000))
    assert np.median(track(found, "flatness")) > 0.3
    assert track(found, "centroid").mean() > np.log2(3500 / 55)


def test_bands_and_cepstra_are_the_sums_that_define_them():
    """One frame at a time, one filter at a time, by the formulas."""
    samples = tone((200, 2000), 0.1, noise=0.01, rng=0)[:, 0].astype(float)
    found = heard(samples[:, None])
    wave, k = samples - samples.mean(), np.arange(sounds.SIZE // 2 + 1)
    mel = np.linspace(*(2595 * np.log10(1 + np.array([40, 8000]) / 700)), sounds.BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    for at in (0, 3, len(found.bands) - 1):
        part = wave[at * sounds.HOP :][: sounds.WINDOW] * np.hanning(sounds.WINDOW)
        turns = np.exp(-2j * np.pi * np.outer(k, np.arange(sounds.WINDOW)) / sounds.SIZE)
        power = np.abs(turns @ part) ** 2 / sounds.SIZE
        logs = []
        for band in range(sounds.BANDS):
            low, centre, high = edges[band : band + 3]
            weights = [max(0, min((f - low) / (centre - low), (high - f) / (high - centre))) for f in k * 16_000 / 512]
            logs.append(np.log(np.dot(weights, power) + 1e-10))
        np.testing.assert_allclose(found.bands[at], logs, rtol=1e-4, atol=1e-4)
        cosines = [
            np.sqrt((1 if c == 0 else 2) / 40) * sum(np.cos(np.pi * c * (b + 0.5) / 40) * logs[b] for b in range(40))
            for c in range(13)
        ]
        np.testing.assert_allclose(sounds.cepstra_of(found.bands, 13)[at], cosines, rtol=1e-3, atol=1e-3)


def test_changes_are_slopes():
    line = np.outer(np.arange(20.0), [1, -2])
    np.testing.assert_allclose(sounds.changed(line)[2:-2], np.tile([1, -2], (16, 1)))
    assert (sounds.changed(np.ones((5, 3))) == 0).all()


def test_silence_around_a_sound_changes_little():
    quiet = np.zeros((8000, 1), np.float32)
    plain, padded = (heard(each) for each in (tone(300), np.concatenate([quiet, tone(300), quiet])))
    one, other = (sounds.described(each, 13, 4) for each in (plain, padded))
    np.testing.assert_allclose(one["course"][:-1:13], other["course"][:-1:13], atol=8)  # of levels, in dB
    np.testing.assert_allclose(one["course"][13:39], other["course"][13:39], atol=0.5)  # away from its ends
    assert abs(one["course"][-1] - other["course"][-1]) < 0.05
    assert other["shape"][-1] > 0.6 > 0.1 > one["shape"][-1]


@pytest.mark.parametrize(
    "samples", [np.zeros(16_000), np.zeros(1), np.full(3000, 0.3), np.full(50, np.nan), [0.5, -0.5]]
)
def test_odd_sounds_have_finite_features(samples):
    found = heard(np.asarray(samples)[:, None])
    told = sounds.described(found, 20, 8)
    assert {name: len(part) for name, part in told.items()} == {"cepstra": 120, "course": 161, "shape": 42}
    assert all(np.isfinite(part).all() for part in told.values())
    if not np.nan_to_num(samples).any():
        assert (track(found, "level") == sounds.FLOOR).all() and (track(found, "pitch") == 0).all()


def test_channels_are_averaged_and_stereo_is_read(tmp_path):
    both = np.concatenate([tone(200), tone(200)], axis=1)
    path = write_sound(tmp_path / "a.flac", both)
    read = sounds.read_sound(path)
    assert read.samples.shape == (6400, 2) and read.rate == 16_000 and read.seconds == 0.4
    bands = [np.maximum(each.bands, -12) for each in (sounds.heard(read), heard(tone(200)))]  # above rounding
    np.testing.assert_allclose(*bands, atol=0.02)


# -- files


@pytest.fixture
def folder(tmp_path):
    """Rising and falling tones in folders, in the formats that are read."""
    for at in range(24):
        rng = np.random.default_rng(at)
        low, high = rng.uniform(150, 300), rng.uniform(500, 900)
        way, ends = ("rising", (low, high)) if at % 2 else ("falling", (high, low))
        suffix = ("wav", "flac", "ogg")[at % 3]
        write_sound(tmp_path / "tones" / way / f"{at}.{suffix}", tone(ends, noise=0.05, rng=at))
    return tmp_path / "tones"


def test_a_folder_of_sounds_is_a_data_set(folder):
    data = search.load(folder)
    assert data.columns["audio"].type == "audio" and sorted(data.frame["label"].unique()) == ["falling", "rising"]
    (first,) = data.read("audio", [data.frame.index[0]])
    assert first.samples.shape[1] == 1 and first.rate == 16_000
    (problem, *_) = search.discover(data)
    assert (problem.target, problem.task, problem.features) == ("label", "classification", ("audio",))


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.wav", b"RIFF nothing of it", "a.wav: cannot be read as a sound"),
        ("b.flac", b"", "b.flac: cannot be read as a sound"),
        ("c.wav", None, "c.wav: holds no sound"),
        ("d.ogg", b"OggS" + bytes(200), "d.ogg: cannot be read as a sound"),
    ],
)
def test_unreadable_files_are_named_with_their_row(tmp_path, name, content, complaint):
    write_sound(tmp_path / "good.wav", tone(300))
    if content is None:
        write_sound(tmp_path / name, np.zeros((0, 1), np.float32))
    else:
        (tmp_path / name).write_bytes(content)
    pd.DataFrame({"sound": ["good.wav", name], "label": ["x", "y"]}).to_csv(tmp_path / "t.csv", index=False)
    data = search.load(tmp_path / "t.csv")
    with pytest.raises(ValueError, match=rf'{complaint}.*column "sound", row 1'):
        data.read("sound")
    reader = search.load(tmp_path / "t.csv")
    with pytest.raises(ValueError, match=rf"{complaint}.*column 'sound', row 1"):
        Sounds(reader_of(reader, "sound")).fit(data.frame[["sound"]])


def test_a_truncated_file_is_heard_as_far_as_it_goes(tmp_path):
    path = write_sound(tmp_path / "a.wav", tone(300, seconds=1.0))
    path.write_bytes(path.read_bytes()[: 44 + 8000])
    assert sounds.read_sound(path).seconds == pytest.approx(0.25)


def test_missing_files_and_gaps(tmp_path):
    pd.DataFrame({"sound": ["a.wav", "b.wav"], "label": ["x", "y"]}).to_csv(tmp_path / "t.csv", index=False)
    write_sound(tmp_path / "a.wav", tone(300))
    with pytest.raises(FileNotFoundError, match=r'b\.wav: no such file \(column "sound", row 1\)'):
        search.load(tmp_path / "t.csv")
    cells = pd.DataFrame({"sound": [sounds.Sound(tone(200), 16_000), None, sounds.Sound(tone(400), 16_000)]})
    found = Sounds().fit_transform(cells)
    np.testing.assert_allclose(found[1], (found[0] + found[2]) / 2)
    assert Sounds().fit(cells).transform(cells[1:2]).shape == (1, found.shape[1])
    assert Sounds().fit_transform(cells[1:2]).shape == (1, 1)


def test_without_the_package_one_message_says_what_to_install(folder, monkeypatch):
    data = search.load(folder)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    wanted = r'sounds need soundfile: pip install "learnviews\[media\]"'
    with pytest.raises(ValueError, match=wanted):
        search.Problem("label").check(data)
    with pytest.raises(ImportError, match=wanted):
        data.read("audio")
    assert wanted.replace("\\", "") in search.discover(data).left_out["label"]


def test_d3m_names_parts_of_a_recording(tmp_path):
    """One long file; rows are parts of it, by two columns of role boundary."""
    import json

    whole = np.concatenate([tone(200, 1.0), tone(800, 1.0), tone(400, 1.0)])
    write_sound(tmp_path / "media" / "long.wav", whole)
    columns = [("d3mIndex", "integer", "index"), ("sound", "string", "attribute"), ("start", "real", "boundary")]
    columns += [("end", "real", "boundary"), ("pitch", "categorical", "suggestedTarget")]
    described = [{"colIndex": i, "colName": n, "colType": t, "role": [r]} for i, (n, t, r) in enumerate(columns)]
    described[1]["refersTo"] = {"resID": "0", "resObject": "item"}
    files = {"resID": "0", "resPath": "media/", "resType": "audio", "isCollection": True}
    table = {"resID": "learningData", "resPath": "tables/learningData.csv", "resType": "table", "columns": described}
    doc = {"about": {"datasetID": "parts", "datasetSchemaVersion": "4.0.0"}, "dataResources": [files, table]}
    (tmp_path / "datasetDoc.json").write_text(json.dumps(doc))
    (tmp_path / "tables").mkdir()
    rows = ["0,long.wav,0,1,low", "1,long.wav,1,2,high", "2,long.wav,2.25,2.75,mid", "3,long.wav,,,all"]
    lines = "\n".join(["d3mIndex,sound,start,end,pitch", *rows])
    (tmp_path / "tables" / "learningData.csv").write_text(lines)
    data = search.load(tmp_path)
    assert list(data.frame["sound"])[2:] == ["long.wav#t=2.25,2.75", "long.wav"]
    assert [each.seconds for each in data.read("sound")] == [1.0, 1.0, 0.5, 3.0]
    peaks = [np.median(track(sounds.heard(each), "peak")) for each in data.read("sound")[:3]]
    np.testing.assert_allclose(peaks, np.log2(np.array([200, 800, 400]) / 55), atol=0.2)
    found = Sounds(reader_of(data, "sound")).fit_transform(data.frame[["sound"]])
    assert len({row.tobytes() for row in found}) == 4 and "3 rows are parts of their sounds" in data.notes[-1]
    assert data.fingerprint()
    (tmp_path / "media" / "long.wav").unlink()
    with pytest.raises(FileNotFoundError, match=r'long\.wav.*no such file \(column "sound", row 0'):
        search.load(tmp_path)


# -- searches


def test_tones_are_told_apart_and_measured(folder, tmp_path):
    study = search.Study(folder, search.Problem("label", metric="accuracy"), tmp_path / "study", trials=2)
    list(study.run())
    assert set(study.trials["status"]) == {"ok"}, study.trials[["name", "reason"]].to_string()
    assert study.best.score > 0.85 and scores.value(study.problem, study.baseline.predictions, "holdout") < 0.7
    study.close()
    hertz = np.random.default_rng(0).uniform(100, 1000, 40)
    names = [write_sound(tmp_path / f"{at}.wav", tone(each, noise=0.02, rng=at)).name for at, each in enumerate(hertz)]
    data = search.load(write_table(tmp_path / "t.csv", pd.DataFrame({"sound": names, "hertz": hertz})))
    study = search.Study(data, search.Problem("hertz", "regression", "rSquared"), tmp_path / "values", trials=3)
    list(study.run())
    assert study.best.score > 0.8
    study.close()


def write_table(path, frame):
    frame.to_csv(path, index=False)
    return path


def test_spoken_digits_of_voices_that_were_never_heard(tmp_path):
    """Whole voices are held out: out of fold, too, no model ever heard the voice it is judged by."""
    frame = spoken_digits(tmp_path, voices=("en-us", "en-gb+m3", "en-us+f2"), speeds=(150,))
    data = search.load(write_table(tmp_path / "digits.csv", frame))
    problem = search.Problem("digit", "classification", "accuracy", features=("sound",), group="voice")
    study = search.Study(data, problem, tmp_path / "study", trials=3)
    list(study.run())
    assert set(study.trials["status"]) == {"ok"}, study.trials[["name", "reason"]].to_string()
    told = scores.table(study.problem, study.best.predictions).loc["accuracy"]
    trivial = scores.table(study.problem, study.baseline.predictions).loc["accuracy"]
    assert told["value"] > 0.6 > 0.2 > trivial["value"] and told["low"] > trivial["high"]
    study.close()


@pytest.mark.slow
def test_more_voices_d3m_documents_and_an_export_in_a_clean_process(tmp_path):
    import json

    frame = spoken_digits(tmp_path / "things" / "media")
    (tmp_path / "things" / "tables").mkdir()
    index = {"colIndex": 0, "colName": "d3mIndex", "colType": "integer", "role": ["index"]}
    named = {"colIndex": 1, "colName": "sound", "colType": "string", "role": ["attribute"]}
    target = {"colIndex": 2, "colName": "digit", "colType": "categorical", "role": ["suggestedTarget"]}
    files = {"resID": "0", "resPath": "media/", "resType": "speech", "resFormat": ["audio/wav"], "isCollection": True}
    columns = [index, named | {"refersTo": {"resID": "0", "resObject": "item"}}, target]
    table = {"resID": "learningData", "resPath": "tables/learningData.csv", "resType": "table", "columns": columns}
    about = {"datasetID": "spoken", "datasetSchemaVersion": "3.2.0"}
    doc = {"about": about, "dataResources": [files, table]}
    (tmp_path / "things" / "datasetDoc.json").write_text(json.dumps(doc))
    rows = frame[["sound", "digit"]].rename_axis("d3mIndex")
    rows.to_csv(tmp_path / "things" / "tables" / "learningData.csv")
    data = search.load(tmp_path / "things")
    assert data.columns["sound"].type == "audio" and len(data) == len(DIGITS) * 12
    study = search.Study(data, search.Problem("digit", metric="accuracy"), tmp_path / "study", trials=4)
    list(study.run())
    assert study.best.score > 0.8
    model = next(model for model in study.models if not model.members)
    (one,) = (path for path in export(model, tmp_path / "out").iterdir() if path.is_dir())
    command = [sys.executable, one / "predict.py", tmp_path / "things", "--out", tmp_path / "predicted.csv"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert list(pd.read_csv(tmp_path / "predicted.csv")["digit"]) == list(model.predict(data))
    study.close()
