"""Waveforms of sounds: least and largest samples against loops; files piece by piece; strips of frames."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from learnviews.kernels.search import frame_strips, waveforms
from learnviews.kernels.search.sounds import Sound

soundfile = pytest.importorskip("soundfile")


def naive(samples, parts):
    """Least and largest of even parts, sample by sample."""
    count = min(parts, len(samples))
    bounds = [at * len(samples) // count for at in range(count + 1)]
    pairs = list(itertools.pairwise(bounds))
    low = [[min(samples[a:b, c]) for a, b in pairs] for c in range(samples.shape[1])]
    high = [[max(samples[a:b, c]) for a, b in pairs] for c in range(samples.shape[1])]
    return np.array(low), np.array(high)


@pytest.mark.parametrize(("length", "channels", "parts"), [(1, 1, 5), (17, 2, 5), (400, 3, 399), (1000, 1, 7)])
def test_least_and_largest_of_each_part(length, channels, parts):
    samples = np.random.default_rng(0).normal(size=(length, channels)).astype(np.float32)
    found = waveforms.envelope(Sound(samples, 100), parts)
    low, high = naive(samples, parts)
    assert np.array_equal(found.low, low) and np.array_equal(found.high, high)
    assert found.seconds == length / 100 and found.channels == channels


def test_what_is_seen_of_a_window_holds_every_peak():
    samples = np.random.default_rng(1).normal(size=(5000, 2)).astype(np.float32)
    found = waveforms.envelope(Sound(samples, 1000), 1000)
    times, low, high = waveforms.seen(found, 0.0, 5.0, 40)
    assert len(times) == 40 and (np.diff(times) > 0).all() and 0 < times[0] < times[-1] < 5
    assert np.array_equal(low, naive(found.low.T, 40)[0]) and np.array_equal(high, naive(found.high.T, 40)[1])
    times, low, _ = waveforms.seen(found, 1.0, 1.0975, 500)  # no more parts than there are
    assert len(times) == 20 and 1.0 <= times[0] < times[-1] <= 1.1
    assert np.array_equal(low, found.low[:, 200:220])
    assert len(waveforms.seen(found, 9.0, 10.0, 10)[0]) == 1  # behind the end: the last part


def test_long_files_piece_by_piece(tmp_path, monkeypatch):
    samples = np.random.default_rng(2).uniform(-1, 1, (10_007, 2)).astype(np.float32)
    soundfile.write(tmp_path / "long.wav", samples, 4000, subtype="FLOAT")
    monkeypatch.setattr(waveforms, "PIECE", 1000)
    found = waveforms.read_envelope(tmp_path / "long.wav", 100)
    step = 101
    assert np.array_equal(found.high[0], [samples[at : at + step, 0].max() for at in range(0, 10_007, step)])
    assert found.seconds == 10_007 / 4000 and found.rate == 4000 and found.low.shape == (2, 100)
    whole = (tmp_path / "long.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    cut = waveforms.read_envelope(tmp_path / "cut.wav", 100)
    assert cut.seconds == pytest.approx(found.seconds / 2, rel=0.01)


def test_files_that_hold_no_sound(tmp_path):
    (tmp_path / "text.wav").write_text("nothing to hear")
    with pytest.raises(ValueError, match=r"text\.wav: cannot be read as a sound"):
        waveforms.read_envelope(tmp_path / "text.wav")
    soundfile.write(tmp_path / "empty.wav", np.zeros((0, 1)), 8000)
    with pytest.raises(ValueError, match=r"empty\.wav: holds no sound"):
        waveforms.read_envelope(tmp_path / "empty.wav")
    with pytest.raises(FileNotFoundError):
        waveforms.read_envelope(tmp_path / "gone.wav")
    with pytest.raises(ValueError, match="parts = 0"):
        waveforms.envelope(Sound(np.zeros((3, 1)), 10), 0)


def test_a_strip_begins_and_ends_with_its_clip():
    frames = np.stack([np.full((8, 16), 10 * at, np.uint8) for at in range(20)])
    found = frame_strips.strip(frames, rate=5, count=4, side=16)
    assert list(found.tiles[:, 8, 8, 0]) == [0, 60, 130, 190] and list(found.times) == [0, 1.2, 2.6, 3.8]
    assert found.seconds == 4 and found.size == (16, 8)
    assert len(frame_strips.strip(frames[:1]).tiles) == 1
    with pytest.raises(ValueError, match="got 0 frames"):
        frame_strips.strip([])


def test_a_part_of_a_sound(tmp_path):
    samples = np.random.default_rng(3).uniform(-1, 1, 4000).astype(np.float32)
    soundfile.write(tmp_path / "whole.wav", samples, 1000, subtype="FLOAT")
    found = waveforms.read_envelope(tmp_path / "whole.wav#t=1,2.5", 10)
    assert found.seconds == 1.5 and found.high[0].max() == samples[1000:2500].max()
    with pytest.raises(FileNotFoundError):
        waveforms.read_envelope(tmp_path / "gone.wav#t=1,2")
