"""Streams: what the user chose, as HoloViews passes it to DynamicMaps."""

from __future__ import annotations

import param
from holoviews.streams import Stream


class BatchSelection(Stream):
    """Which recorded batch is looked at: the selected one, or for a moment the one under the pointer.

    A callback gets `selected` and `previewed`; `shown` says which of the two counts.
    """

    selected = param.Integer(default=0, bounds=(0, None), doc="Index of the selected batch.")
    previewed = param.Integer(
        default=None, bounds=(0, None), allow_None=True, doc="Index of the batch under the pointer, or None."
    )

    @property
    def shown(self) -> int:
        """Index of the batch to show: the previewed one where there is one, else the selected one."""
        return self.selected if self.previewed is None else self.previewed

    def preview(self, batch: int | None) -> None:
        """Preview a batch, or none; says nothing where nothing changes."""
        if batch != self.previewed:
            self.event(previewed=batch)

    def select(self, batch: int) -> None:
        """Select a batch; says nothing where nothing changes."""
        if batch != self.selected:
            self.event(selected=batch)
