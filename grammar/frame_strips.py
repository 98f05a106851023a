"""Element for videos: a strip of frames each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import param

from .media_tracks import MediaTracks, column_of, first_rows, label_of, table_of, told_of
from .row_index import id_array


class FrameStrips(MediaTracks):
    """A few frames of each video, evenly spread over it, a track per video.

    Parameters
    ----------
    strips : list of kernels.search.frame_strips.Strip
        None where there is no video; see `from_frames` and `from_data`.

    Raises
    ------
    ValueError
        If there is not a strip per track.
    """

    at_first = 12  # videos at first: each is decoded whole

    group = param.String(default="FrameStrips", constant=True)

    strips: Any = param.List(default=[], doc="A few frames of each video.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        super().__init__(data, kdims, vdims, **params)
        if len(self.strips) != len(self):
            raise ValueError(f"expected a strip per track, {len(self)}, got {len(self.strips)}")

    @property
    def side(self) -> int:
        """Pixels of a frame."""
        return next((found.tiles.shape[1] for found in self.strips if found is not None), 1)

    @property
    def most(self) -> int:
        """Frames of the longest strip."""
        return max((len(found.tiles) for found in self.strips if found is not None), default=1)

    @classmethod
    def from_strips(cls, found: Sequence[Any], ids: Any = None, **params: Any) -> FrameStrips:
        """Of strips, as `kernels.search.frame_strips` makes them; None where there is no video."""
        ids = id_array(range(len(found)) if ids is None else ids)
        empty = {name: [""] * len(found) for name in ("names", "labels", "problems")}
        table = table_of([0.0 if each is None else each.seconds for each in found])
        known = {"ids": ids, "marks": table["track"], "strips": list(found)}
        return cls(table, datatype=["dictionary"], **(empty | known | params))

    @classmethod
    def from_frames(cls, videos: Sequence[Any], rate: float = 25.0, ids: Any = None, **params: Any) -> FrameStrips:
        """Of arrays.

        Parameters
        ----------
        videos : sequence of (frames, height, width) or (frames, height, width, channels) arrays
        rate : float
            Frames per second.
        ids : sequence, optional
            Of the rows; by default positions.

        Raises
        ------
        ValueError
            If a video has no frame or is of another shape, or there is not an id per video.
        """
        from ..kernels.search.frame_strips import strip

        return cls.from_strips([strip(each, rate) for each in videos], ids, **params)

    @classmethod
    def from_data(
        cls,
        data: Any,
        column: str | None = None,
        rows: Iterable[Any] | None = None,
        by: str | None = None,
        **params: Any,
    ) -> FrameStrips:
        """Of a data set with a column that names videos.

        Parameters
        ----------
        data : Dataset, or whatever `kernels.search.load` takes
        column : str, optional
            By default the first of videos.
        rows : iterable of ids, optional
            By default the first `at_first`.
        by : str, optional
            Column of the class; by default a suggested target.

        Raises
        ------
        ImportError
            If PyAV is not installed.
        ValueError
            If there is no such column, or it does not name videos.
        """
        from ..kernels.search.data import load
        from ..kernels.search.frame_strips import strips

        data = load(data)
        column, rows = column_of(data, column, "video", "videos"), first_rows(data, rows, cls.at_first)
        found, problems = strips(data, column, rows)
        told = told_of(data, rows, column, label_of(data, by)) | {"problems": problems}
        return cls.from_strips(found, rows, **(told | params))
