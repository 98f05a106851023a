"""A table that comes from the page."""

from __future__ import annotations

from learnviews.apps.nncubes.tables import Table, folder
from learnviews.apps.tables import ENDINGS
from learnviews.apps.uploads import Upload


class TableUpload(Upload):
    """One table on its way; the parameters are those of `Upload`."""

    def __init__(self, name: str, size: int, modified: float, limit: int) -> None:
        super().__init__(name, size, modified, limit, folder(), ENDINGS)

    def table(self) -> Table:
        """The file, once it is complete."""
        return Table(self.finish(), served=False)
