"""Sounds and videos for the tests: tones, spoken digits of a speech synthesizer, clips with known motion."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SPEAKERS = ("espeak-ng", "espeak")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
VOICES = ("en-us", "en-gb+m3", "en-us+f2", "en-gb-scotland+m1", "en-gb-x-rp+f4", "en-us+m7")
SPEEDS = (130, 170)  # words per minute
WAYS = {"right": (1, 0), "left": (-1, 0), "down": (0, 1), "up": (0, -1), "still": (0, 0)}


def speaker() -> str:
    """The speech synthesizer; without one the test fails under CI and is skipped elsewhere."""
    found = next(filter(None, map(shutil.which, SPEAKERS)), None)
    if found is None:
        message = f"no speech synthesizer on the PATH (looked for {', '.join(SPEAKERS)}; Debian: espeak-ng)"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return found


def spoken_digits(folder: Path, voices=VOICES, speeds=SPEEDS, digits=DIGITS) -> pd.DataFrame:
    """A wav file for each digit in each voice and speed, and the table of them."""
    command, rows = speaker(), []
    folder.mkdir(parents=True, exist_ok=True)
    for voice in voices:
        for speed in speeds:
            for digit in digits:
                name = f"{voice.replace('+', '-')}-{speed}-{digit}.wav"
                said = [command, "-v", voice, "-s", str(speed), "-w", str(folder / name), digit]
                subprocess.run(said, check=True, capture_output=True)
                rows.append((name, voice, speed, digit))
    return pd.DataFrame(rows, columns=["sound", "voice", "speed", "digit"])


def tone(hertz, seconds=0.4, rate=16_000, noise=0.0, level=0.5, rng=None):
    """Samples of a tone, (samples, 1) float32; `hertz` may be a pair: from there to there."""
    begin, end = hertz if isinstance(hertz, tuple) else (hertz, hertz)
    count = int(seconds * rate)
    phase = 2 * np.pi * np.cumsum(np.linspace(begin, end, count)) / rate
    wave = level * np.sin(phase)
    if noise:
        wave = wave + noise * np.random.default_rng(rng).normal(size=count)
    return np.clip(wave, -1, 1).astype(np.float32)[:, None]


def write_sound(path: Path, samples, rate=16_000) -> Path:
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)
    return path


def moving(way=(1.0, 0.0), count=20, side=64, size=16, seed=0, start=None):
    """Frames of a textured square that moves by `way` pixels per frame (right, down) over a still ground."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(60, 100, (side, side, 3)).astype(np.uint8)
    square = rng.integers(120, 255, (size, size, 3)).astype(np.uint8)
    x, y = start if start is not None else ((side - size) / 2 - w * count / 2 for w in way)
    frames = np.repeat(ground[None], count, axis=0)
    for at, frame in enumerate(frames):
        left, top = (
            int(np.rint(np.clip(place + at * w, 0, side - size))) for place, w in zip((x, y), way, strict=True)
        )
        frame[top : top + size, left : left + size] = square
    return frames


def write_clip(path: Path, frames, rate=25, codec=None) -> Path:
    """A video file; the codec by the file's ending unless it is named."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    codec = codec or {".webm": "libvpx", ".avi": "mjpeg"}.get(path.suffix, "mpeg4")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.bit_rate = 1_500_000
        for frame in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path
