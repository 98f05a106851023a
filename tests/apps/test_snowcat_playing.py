"""Recordings for a browser: as they are where it plays them, else written anew; what is said of them."""

import numpy as np
import pytest
from recordings_small import RATE, sounds, videos

from learnviews.apps.snowcat import playing
from learnviews.apps.snowcat.data_recording_words import recording_lines
from learnviews.kernels.search import load
from learnviews.kernels.search.recording_facts import recordings

soundfile = pytest.importorskip("soundfile")
av = pytest.importorskip("av")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("recordings")
    sounds(place / "tones"), videos(place / "squares")
    return place


def test_sounds_that_browsers_play_are_sent_as_they_are(folder, monkeypatch):
    found = playing.playable(folder / "tones" / "low" / "0.wav", "audio")
    assert found == (folder / "tones" / "low" / "0.wav", "audio/wav", False, "")
    monkeypatch.setattr(playing, "MOST", 20_000)  # bytes
    cut = playing.playable(folder / "tones" / "low" / "0.wav", "audio")
    assert cut.temporary and cut.path.stat().st_size <= 20_000 and "the first 0 minutes" in cut.note
    cut.path.unlink()


def test_other_sounds_and_parts_of_sounds_are_written_anew(folder):
    found = playing.playable(folder / "tones" / "low" / "2.aiff", "audio")
    samples, rate = soundfile.read(found.path)
    assert found.kind == "audio/wav" and rate == RATE and len(samples) == 7 * RATE
    part = playing.playable(folder / "tones" / "low" / "1.wav#t=1,2.5", "audio")
    samples, _ = soundfile.read(part.path)
    assert len(samples) == 1.5 * RATE and np.ndim(samples) == 1
    found.path.unlink(), part.path.unlink()
    with pytest.raises(FileNotFoundError, match=r"gone\.wav: no such file"):
        playing.playable(folder / "gone.wav", "audio")


def test_videos_that_browsers_do_not_play_are_written_anew(folder, monkeypatch):
    assert playing.playable(folder / "squares" / "down" / "0.webm", "video").kind == "video/webm"
    found = playing.playable(folder / "squares" / "down" / "1.avi", "video")
    with av.open(str(found.path)) as made:
        frames = [frame.to_ndarray(format="rgb24") for frame in made.decode(video=0)]
        assert made.streams.video[0].codec_context.name == "vp8"
    assert len(frames) == 40 and frames[0].shape == (48, 64, 3)
    assert frames[20][20, 8].mean() > 200 > frames[20][4, 40].mean()  # the square has moved down
    found.path.unlink()
    monkeypatch.setattr(playing, "SECONDS", 1.0)
    cut = playing.playable(folder / "squares" / "down" / "1.avi", "video")
    with av.open(str(cut.path)) as made:
        assert sum(1 for _ in made.decode(video=0)) == 20
    assert "the first 1 seconds" in cut.note
    cut.path.unlink()
    (folder / "broken.avi").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"broken\.avi: cannot be played"):
        playing.playable(folder / "broken.avi", "video")


def test_lengths_rates_and_channels_in_words(folder):
    (line,) = recording_lines(recordings(load(folder / "tones")))
    assert line.startswith("<b>audio</b>: 8 sounds, 6.00 s to 7.50 s, 54.00 s in all, 8,000 Hz, mono (6) / stereo (2)")
    (line,) = recording_lines(recordings(load(folder / "squares")))
    assert "6 videos" in line and "20 frames a second, 64 x 48 pixels" in line
