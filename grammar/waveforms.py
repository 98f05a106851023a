"""Element for sounds: a waveform each, channel by channel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import param

from .media_tracks import MediaTracks, column_of, first_rows, label_of, table_of, told_of
from .row_index import id_array


class Waveforms(MediaTracks):
    """The least and the largest sample of each pixel, a track per sound.

    Parameters
    ----------
    envelopes : list of kernels.search.waveforms.Envelope
        None where there is no sound; see `from_samples` and `from_data`.
    common : bool
        All on one scale of time; otherwise each as wide as the figure.

    Raises
    ------
    ValueError
        If there is not an envelope per track.
    """

    at_first = 20  # sounds at first: each is read whole

    group = param.String(default="Waveforms", constant=True)

    envelopes: Any = param.List(default=[], doc="Least and largest samples of each sound's parts.")
    common = param.Boolean(default=True, doc="One scale of time for all.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        super().__init__(data, kdims, vdims, **params)
        if len(self.envelopes) != len(self):
            raise ValueError(f"expected an envelope per track, {len(self)}, got {len(self.envelopes)}")

    @classmethod
    def from_envelopes(cls, found: Sequence[Any], ids: Any = None, **params: Any) -> Waveforms:
        """Of envelopes, as `kernels.search.waveforms` makes them; None where there is no sound."""
        ids = id_array(range(len(found)) if ids is None else ids)
        empty = {name: [""] * len(found) for name in ("names", "labels", "problems")}
        table = table_of([0.0 if each is None else each.seconds for each in found])
        known = {"ids": ids, "marks": table["track"]}
        return cls(table, datatype=["dictionary"], **(empty | known | {"envelopes": list(found)} | params))

    @classmethod
    def from_samples(cls, sounds: Sequence[Any], rate: int, ids: Any = None, **params: Any) -> Waveforms:
        """Of arrays.

        Parameters
        ----------
        sounds : sequence of (samples,) or (samples, channels) arrays
            Between -1 and 1.
        rate : int
            Samples per second.
        ids : sequence, optional
            Of the rows; by default positions.

        Raises
        ------
        ValueError
            If a sound has no sample or more dimensions, or there is not an id per sound.
        """
        from ..kernels.search.sounds import Sound
        from ..kernels.search.waveforms import envelope

        return cls.from_envelopes([envelope(Sound(each, rate)) for each in sounds], ids, **params)

    @classmethod
    def from_data(
        cls,
        data: Any,
        column: str | None = None,
        rows: Iterable[Any] | None = None,
        by: str | None = None,
        **params: Any,
    ) -> Waveforms:
        """Of a data set with a column that names sounds.

        Parameters
        ----------
        data : Dataset, or whatever `kernels.search.load` takes
        column : str, optional
            By default the first of sounds.
        rows : iterable of ids, optional
            By default the first `at_first`.
        by : str, optional
            Column of the class; by default a suggested target.

        Raises
        ------
        ImportError
            If soundfile is not installed.
        ValueError
            If there is no such column, or it does not name sounds.
        """
        from ..kernels.search.data import load
        from ..kernels.search.waveforms import envelopes

        data = load(data)
        column, rows = column_of(data, column, "audio", "sounds"), first_rows(data, rows, cls.at_first)
        found, problems = envelopes(data, column, rows)
        told = told_of(data, rows, column, label_of(data, by)) | {"problems": problems}
        return cls.from_envelopes(found, rows, **(told | params))
