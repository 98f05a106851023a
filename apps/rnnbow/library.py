"""The recordings an app was started with: files, and whatever lies in the folders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from learnviews.apps.tables import is_table
from learnviews.kernels import rnn

SUFFIX = ".rnnbow"
CUBE = ".cube.npz"


class Library:
    """Recordings by name, opened once per server process and shared by its sessions.

    Parameters
    ----------
    paths : sequence of str
        Recording files, or folders that hold some; folders are looked through again by `names`. Models of cubes
        and tables, which are another app's, are passed over.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = [Path(path) for path in paths if not path.endswith(CUBE) and not is_table(path)]
        self._open: dict[Path, rnn.Recording] = {}
        self._files: dict[Path, os.stat_result] = {}
        self._overviews: dict[Path, pd.DataFrame] = {}

    def names(self) -> dict[str, str]:
        """Path of every recording, and what to call it: its file name, with the folder where two are alike."""
        files: list[Path] = []
        for path in self.paths:
            files += sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
        stems = [file.stem for file in files]
        return {str(f): f.stem if stems.count(f.stem) == 1 else f"{f.parent.name}/{f.stem}" for f in files}

    def recording(self, path: str) -> rnn.Recording:
        """The open recording; raises as `Recording.open`."""
        file = Path(path)
        known = self._open.get(file)
        if known is not None and _same_file(file, self._files[file]):
            return known
        if known is not None:  # removed, and perhaps made anew
            known.close()
            del self._open[file]
            self._overviews.pop(file, None)
        self._open[file] = rnn.Recording.open(file)
        self._files[file] = file.stat()
        return self._open[file]

    def overview(self, recording: rnn.Recording) -> pd.DataFrame:
        """The recording's overview as it is now; what was read before is not read again."""
        known = self._overviews.get(recording.path)
        if known is None or len(recording) < len(known):  # a resumed run may have dropped some
            known = recording.overview()
        elif len(recording) > len(known):
            known = pd.concat([known, recording.overview(start=len(known))])
        self._overviews[recording.path] = known
        return known


def _same_file(path: Path, opened: os.stat_result) -> bool:
    return path.exists() and os.path.samestat(path.stat(), opened)
