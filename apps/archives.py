"""Zip archives that somebody sent: unpacked only where what is in them stays in its folder and within a limit."""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from learnviews.kernels.progress import Progress

MOST_FILES = 200_000
SLICE = 1 << 20
MB = 1_000_000


def unzip(archive: Path, folder: Path, most: int, progress: Progress | None = None) -> Path:
    """Unpack an archive.

    Parameters
    ----------
    archive : Path
    folder : Path
        Made if needed; what is in the archive comes into it.
    most : int
        Bytes that may come out of it.
    progress : Progress, optional
        Counts the bytes; unpacking ends where it is cancelled.

    Returns
    -------
    Path
        Where the data are: `folder`, or, as long as there is nothing but one other folder in it, that.

    Raises
    ------
    ValueError
        If it is no archive or damaged, needs a password, holds more than `most` bytes or `MOST_FILES` files, or
        names that lead out of the folder; the message names it.
    """
    progress = progress or Progress()
    try:
        with zipfile.ZipFile(archive) as opened:
            wanted = _checked(opened, archive.name, most)
            progress.start(sum(each.file_size for each in wanted))
            done = 0
            for each in wanted:
                done = _unpack(opened, each, folder, most, done, progress)
                if progress.cancelled:
                    break
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise ValueError(f"{archive.name}: cannot be unpacked ({error}); expected a zip archive") from error
    return _top(folder)


def _checked(opened: zipfile.ZipFile, name: str, most: int) -> list[zipfile.ZipInfo]:
    """The files of an archive, without what systems add of their own."""
    entries = opened.infolist()
    for each in entries:
        _check_name(each, name)
    files = [each for each in entries if not each.is_dir() and not _is_hidden(each.filename)]
    if not files:
        what = "a D3M data set, a table, a graph, images, texts, sounds or videos"
        raise ValueError(f"{name}: nothing in this archive; expected {what}")
    if len(files) > MOST_FILES:
        raise ValueError(f"{name}: {len(files):,} files in this archive; expected {MOST_FILES:,} at most")
    if any(each.flag_bits & 1 for each in files):
        raise ValueError(f"{name}: this archive needs a password; expected one without")
    if sum(each.file_size for each in files) > most:
        raise _too_much(name, most)
    return files


def _check_name(entry: zipfile.ZipInfo, archive: str) -> None:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    drive = len(path.parts) > 0 and path.parts[0].endswith(":")
    if path.is_absolute() or drive or ".." in path.parts:
        raise ValueError(f'{archive}: "{entry.filename}" leads out of the archive; nothing of it was unpacked')
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise ValueError(f'{archive}: "{entry.filename}" is a link; expected files and folders only')


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name.replace("\\", "/")).parts)


def _unpack(
    opened: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, most: int, done: int, progress: Progress
) -> int:
    """One file, slice by slice: an archive may lie about how much comes out of it. Bytes so far."""
    target = folder / entry.filename.replace("\\", "/")
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(entry) as packed, target.open("xb") as file:
        while more := packed.read(SLICE):
            done += len(more)
            if done > most:
                raise _too_much(Path(str(opened.filename)).name, most)
            if progress.cancelled:
                break
            file.write(more)
            progress.update(done)
    return done


def _too_much(name: str, most: int) -> ValueError:
    return ValueError(
        f"{name}: more than {most / MB:,.0f} MB come out of this archive, which is this server's limit; "
        "unpack it and start the server with the folder instead: learnviews serve FOLDER"
    )


def _top(folder: Path) -> Path:
    """Down to the first folder that holds more than one other folder."""
    inside = list(folder.iterdir())
    return _top(inside[0]) if len(inside) == 1 and inside[0].is_dir() else folder
