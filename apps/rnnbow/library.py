"""The recordings an app was started with: files, and whatever lies in the folders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
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
        self._overviews: dict[tuple[Path, str | None, str | None], pd.DataFrame] = {}
        self._sums: dict[tuple[Path, str, str | None], tuple[np.ndarray, np.ndarray]] = {}

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
            for known_numbers in (self._overviews, self._sums):
                for key in [key for key in known_numbers if key[0] == file]:
                    del known_numbers[key]  # type: ignore[arg-type]
        self._open[file] = rnn.Recording.open(file)
        self._files[file] = file.stat()
        return self._open[file]

    def overview(self, recording: rnn.Recording, parameter: str | None = None, gate: str | None = None) -> pd.DataFrame:
        """The overview of a parameter as it is now; what was read before is not read again."""
        key = (recording.path, parameter, gate)
        known = self._overviews.get(key)
        if known is None or len(recording) < len(known):  # a resumed run may have dropped some
            known = recording.overview(parameter=parameter, gate=gate)
        elif len(recording) > len(known):
            known = pd.concat([known, recording.overview(len(known), parameter, gate)])
        self._overviews[key] = known
        return known

    def sums(self, recording: rnn.Recording, parameter: str, gate: str | None) -> tuple[np.ndarray, np.ndarray]:
        """Norm and signed share of |G|² of a parameter's gradient (or a gate's), of every batch.

        From its units: (batches,) float64 each, over the lags that were told apart.
        """
        key = (recording.path, parameter, gate)
        known = self._sums.get(key)
        if known is None or len(known[0]) != len(recording):
            norm, share = recording.units(parameter, gate)
            known = np.sqrt(np.einsum("nu,nu->n", norm, norm, dtype=np.float64)), share.sum(axis=1, dtype=np.float64)
            self._sums[key] = known
        return known


def _same_file(path: Path, opened: os.stat_result) -> bool:
    return path.exists() and os.path.samestat(path.stat(), opened)
