"""Sounds and videos as a browser plays them: as they are, or written anew where their format or size asks for it."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from learnviews.kernels.search import clips, sounds, spans

MOST = 48 << 20
"""Bytes of a recording that are sent to a page, at most."""
SECONDS = 120.0
"""Of a video that is written anew, at most."""
SIDE = 640  # pixels of its longer side, at most
SOUNDS = {".wav": "audio/wav", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".flac": "audio/flac"}
VIDEOS = {
    ".mp4": ("video/mp4", ("h264", "av1", "vp9")),
    ".webm": ("video/webm", ("vp8", "vp9", "av1")),
}
PLAIN = ("yuv420p", "yuvj420p")  # pixels that every browser shows


class Playable(NamedTuple):
    """A file to be sent.

    Attributes
    ----------
    path : Path
    kind : str
        Its media type.
    temporary : bool
        Whether it was made for this.
    note : str
        What is to be said of it.
    """

    path: Path
    kind: str
    temporary: bool = False
    note: str = ""


def playable(path: Path, type_: str, anew: bool = False) -> Playable:
    """A recording as it can be played.

    Parameters
    ----------
    path : Path
        A file; of a sound also a part of one, see `kernels.search.spans`.
    type_ : {"audio", "video"}
    anew : bool
        Write it anew in any case: the browser refused it as it is.

    Raises
    ------
    FileNotFoundError, ValueError
        If it is not there, or cannot be read.
    """
    file, span = spans.split(path)
    if not file.is_file():
        raise FileNotFoundError(f"{file}: no such file")
    fits = file.stat().st_size <= MOST and span is None and not anew
    if type_ == "audio":
        kind = SOUNDS.get(path.suffix.lower())
        return Playable(path, kind) if kind and fits else _wav(path)
    kind = _video_kind(path) if fits else ""
    return Playable(path, kind) if kind else _webm(path)


def _temporary(suffix: str) -> Path:
    with tempfile.NamedTemporaryFile(prefix="learnviews-", suffix=suffix, delete=False) as file:
        return Path(file.name)


def _wav(path: Path) -> Playable:
    """The beginning of a sound, its channels mixed, as far as it may be sent."""
    import soundfile

    found = sounds.read_sound(path)
    mono = np.nan_to_num(found.samples).mean(axis=1)
    sent = mono[: (MOST - 4096) // 2]
    target = _temporary(".wav")
    soundfile.write(target, np.clip(sent, -1, 1), found.rate, subtype="PCM_16")
    cut = f", the first {len(sent) / found.rate / 60:.0f} minutes of it" if len(sent) < len(mono) else ""
    return Playable(target, "audio/wav", True, f"Played as one channel in 16 bits{cut}.")


def _video_kind(path: Path) -> str:
    """The media type of a video that browsers play as it is; "" of others."""
    kind, codecs = VIDEOS.get(path.suffix.lower(), ("", ()))
    if not kind:
        return ""
    av = _av()
    try:
        with av.open(str(path)) as container:
            stream = next(iter(container.streams.video), None)
            known = stream is not None and stream.codec_context.name.startswith(codecs)
            return kind if known and stream.codec_context.pix_fmt in PLAIN else ""
    except (av.FFmpegError, ValueError):
        return ""


def _av() -> Any:
    try:
        import av
    except ImportError:
        raise ImportError(clips.MISSING) from None
    return av


def _webm(path: Path) -> Playable:
    """The beginning of a video in VP8, without its sound."""
    av, target = _av(), _temporary(".webm")
    try:
        whole = _encode(av, path, target)
    except (av.FFmpegError, ValueError, StopIteration) as error:
        target.unlink(missing_ok=True)
        raise ValueError(f"{path}: cannot be played ({type(error).__name__})") from error
    cut = "" if whole else f", the first {SECONDS:.0f} seconds or {MOST >> 20} MB of it"
    return Playable(target, "video/webm", True, f"Written anew for this page, without sound{cut}.")


def _encode(av: Any, path: Path, target: Path) -> bool:
    """Whether all of a video was written."""
    with av.open(str(path)) as source, av.open(str(target), "w", format="webm") as sink:
        stream = source.streams.video[0]
        rate = Fraction(stream.average_rate or 25).limit_denominator(1000)
        wide, high = _size(stream.codec_context.width, stream.codec_context.height)
        made = sink.add_stream("libvpx", rate=rate, options={"deadline": "realtime", "cpu-used": "8", "crf": "20"})
        made.width, made.height, made.pix_fmt, made.bit_rate = wide, high, "yuv420p", 1_500_000
        whole = True
        for at, frame in enumerate(_frames(av, source)):
            whole = at / rate < SECONDS and (at % 50 or target.stat().st_size < MOST)
            if not whole:
                break
            plain = frame.reformat(width=wide, height=high, format="yuv420p")
            plain.pts, plain.time_base = at, 1 / rate
            sink.mux(made.encode(plain))
        sink.mux(made.encode())
    return bool(whole)


def _frames(av: Any, source: Any) -> Any:
    """Frames as far as they can be read; an error where there is not one."""
    count = 0
    try:
        for frame in source.decode(video=0):
            count += 1
            yield frame
    except av.FFmpegError:
        if not count:
            raise
    if not count:
        raise ValueError("no frame in it")


def _size(wide: int, high: int) -> tuple[int, int]:
    """Even sides, the longer one of `SIDE` pixels at most."""
    share = min(1.0, SIDE / max(wide, high, 1))
    return max(2, round(wide * share / 2) * 2), max(2, round(high * share / 2) * 2)
