"""What was computed of a file and depends on nothing else, kept for the folds and trials that ask again.

Only what does not learn from rows may be kept here: bytes of an image, not the words of a collection. A fitted pipeline
holds nothing of it.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import numpy as np

from . import spans

MOST = 96 << 20  # bytes: well below what a worker may hold without being replaced


class Stash:
    """Values by key, the least recently asked for forgotten once they take more than `most` bytes."""

    def __init__(self, most: int = MOST) -> None:
        self.most, self.held = most, 0
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The value of `key`; made, and kept, if there is none."""
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key][0]
        value = make()
        size = weight(value)
        if size <= self.most // 8:  # one huge value does not drive out all others
            self._values[key] = value, size
            self.held += size
        while self.held > self.most:
            self.held -= self._values.popitem(last=False)[1][1]
        return value


def weight(value: Any) -> int:
    """Bytes that a value takes, about; with what it costs to remember it."""
    if isinstance(value, dict):
        return 300 + sum(map(weight, value.values()))
    if isinstance(value, np.ndarray):
        return 300 + value.nbytes
    return 300 + (4 * len(value) if isinstance(value, str) else 0)


_kept = Stash()


def of_file(path: str | Path, about: Hashable, make: Callable[[], Any]) -> Any:
    """What `make` makes of a file, made once per process and state of the file.

    `about` says what is made: two callers with one `about` must want the same of it.
    """
    found = os.stat(spans.split(path)[0])
    return _kept.get((str(path), found.st_mtime_ns, found.st_size, about), make)
