"""The cells of a cube: which cell a row falls into, and what has been added up there.

A cell's key is its codes read as digits, first attribute most significant, so keys sort as the codes do. One 63-bit
word holds as many attributes as fit; further ones go into further words. A dense store has a place for every key that
there can be, a sparse one finds places in a hash table of the keys that occurred.

Legend: d attributes, n rows, m cells, W words, M measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from ..jit import jit

OUTSIDE, MISSING = -1, -2
LARGEST_WORD = 2**63 - 1
FIRST_ROOM = 1024  # cells that a sparse store begins with
MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Knuth's multiplicative hashing


class Packing:
    """How the codes of `sizes` bins each become keys of W words.

    Attributes
    ----------
    words : list of (first, stop)
        The attributes in each word.
    dtype : dtype
        Of the keys: int32 where every key fits, as that halves what a pass over rows has to move.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = tuple(int(size) for size in sizes)
        self.words: list[tuple[int, int]] = []
        first, span = 0, 1
        for i, size in enumerate(self.sizes):
            if span * size > LARGEST_WORD:
                self.words.append((first, i))
                first, span = i, 1
            span *= size
        self.words.append((first, len(self.sizes)))
        self.dtype = np.dtype(np.int32 if prod(self.sizes) < 2**31 else np.int64)

    @property
    def key_bytes(self) -> int:
        return len(self.words) * self.dtype.itemsize

    def keys(self, codes: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Keys (W, n) of rows, -1 in the first word where a row has no cell; and a tally (d, 2) of the codes that are
        outside (-1) and missing (-2). Codes must be below the attribute's bins."""
        keys = np.zeros((len(self.words), len(codes[0])), self.dtype)
        tally = np.zeros((len(codes), 2), np.int64)
        for w, (first, stop) in enumerate(self.words):
            if w:
                np.minimum(keys[w - 1], 0, out=keys[w])  # a row that has no cell stays without one
            for i in range(first, stop):
                _append_digit(keys[w], codes[i], self.sizes[i], tally[i])
        if len(self.words) > 1:
            keys[0, keys[-1] < 0] = -1
        return keys, tally

    def codes(self, keys: np.ndarray) -> np.ndarray:
        """Codes (d, m) int32 of keys (W, m)."""
        codes = np.empty((len(self.sizes), keys.shape[1]), np.int32)
        for key, (first, stop) in zip(keys, self.words, strict=True):
            rest = key
            for i in range(stop - 1, first, -1):
                rest, codes[i] = np.divmod(rest, self.sizes[i])
            codes[first] = rest
        return codes


@jit
def _append_digit(keys, codes, size, tally):
    outside = missing = 0
    for i in range(len(keys)):
        code, key = np.int64(codes[i]), keys[i]
        outside += code == OUTSIDE
        missing += code == MISSING
        keys[i] = -1 if code < 0 or key < 0 else key * size + code
    tally[0] += outside
    tally[1] += missing


class Cells:
    """What has been added up: `data` (places, 1 + 2 M [+ M]) float64, a row per place.

    Columns: the count; sum and sum of squares of each measure; and, once a missing value was met, the number of present
    values of each measure. Counts are exact up to 2^53 rows.
    """

    data: np.ndarray

    def __init__(self, packing: Packing, measures: int) -> None:
        self.packing, self.measures = packing, measures

    @property
    def counts_present(self) -> bool:
        return self.data.shape[1] > 1 + 2 * self.measures

    def count_present(self) -> None:
        """From here on values may be missing; so far none was."""
        if not self.counts_present:
            present = np.repeat(self.data[:, :1], self.measures, axis=1)
            self.data = np.concatenate((self.data, present), axis=1)

    def places(self, keys: np.ndarray) -> np.ndarray:
        """Where the keys (W, n) are, -1 for rows without a cell; new ones get a place."""
        raise NotImplementedError

    def add(self, keys: np.ndarray, values: Sequence[np.ndarray]) -> None:
        """Add rows: their keys (W, n) and the values (n,) of each measure, nan where missing."""
        places = self.places(keys)
        _add_ones(self.data, places)
        for k, column in enumerate(
            values
        ):  # one after the other: the loop then has no loop inside and is twice as fast
            present = 1 + 2 * self.measures + k if self.counts_present else -1
            _add_values(self.data, places, column, 1 + 2 * k, present)

    def merge(self, keys: np.ndarray, data: np.ndarray) -> None:
        """Add cells of another store: distinct keys (W, m), data (m, width)."""
        if data.shape[1] > self.data.shape[1]:
            self.count_present()
        places = self.places(keys)
        self.data[places, : data.shape[1]] += data
        if data.shape[1] < self.data.shape[1]:
            self.data[places, data.shape[1] :] += data[:, :1]

    def occupied(self) -> tuple[np.ndarray, np.ndarray]:
        """Keys (W, m), ascending, and data (m, width) of the cells with rows in them."""
        raise NotImplementedError

    def count_occupied(self) -> int:
        raise NotImplementedError

    @property
    def cell_bytes(self) -> int:
        """Of what is added up in one cell."""
        return self.data.itemsize * self.data.shape[1]

    @property
    def nbytes(self) -> int:
        return self.data.nbytes


class DenseCells(Cells):
    """A place for every cell there can be: the key is the place."""

    def __init__(self, packing: Packing, measures: int) -> None:
        super().__init__(packing, measures)
        self.data = np.zeros((prod(packing.sizes), 1 + 2 * measures))

    def places(self, keys: np.ndarray) -> np.ndarray:
        return keys[0]

    def occupied(self) -> tuple[np.ndarray, np.ndarray]:
        places = np.flatnonzero(self.data[:, 0])
        return places.astype(self.packing.dtype)[None], self.data[places]

    def count_occupied(self) -> int:
        return int(np.count_nonzero(self.data[:, 0]))


class SparseCells(Cells):
    """A place for every cell that occurred, in order of appearance until `occupied` sorts them."""

    def __init__(self, packing: Packing, measures: int) -> None:
        super().__init__(packing, measures)
        self.used = 0
        self._keys = np.empty((0, len(packing.words)), packing.dtype)  # (room, W)
        self.data = np.zeros((0, 1 + 2 * measures))
        self._slots: np.ndarray | None = None  # the hash table: a place or -1 per slot; rebuilt when rows come again

    def places(self, keys: np.ndarray) -> np.ndarray:
        self._make_room(keys.shape[1])
        places = np.empty(keys.shape[1], np.int64)
        if len(keys) == 1:
            self.used = _find_or_append(keys[0], self._keys, self._slots, self.used, places)
        else:
            self.used = _find_or_append_words(keys.T, self._keys, self._slots, self.used, places)
        return places

    def _make_room(self, more: int) -> None:
        """Room for `more` new cells, and a hash table at most half full then."""
        needed = self.used + more
        if needed > len(self._keys):
            room = max(needed, FIRST_ROOM, len(self._keys) * 3 // 2)
            self._keys = _grown(self._keys, self.used, room)
            self.data = _grown(self.data, self.used, room)
        if self._slots is None or len(self._slots) < 2 * needed:
            self._slots = np.full(1 << (2 * len(self._keys) - 1).bit_length(), -1, np.int32)
            _fill_slots(self._keys, self._slots, self.used)

    def occupied(self) -> tuple[np.ndarray, np.ndarray]:
        if self._slots is not None:
            order = np.lexsort(self._keys[: self.used].T[::-1])
            self._keys, self.data, self._slots = self._keys[order], self.data[order], None
        return self._keys.T, self.data

    def count_occupied(self) -> int:
        return self.used

    @property
    def nbytes(self) -> int:
        self.occupied()
        return self._keys.nbytes + self.data.nbytes


def _grown(array: np.ndarray, used: int, room: int) -> np.ndarray:
    grown = np.zeros((room, array.shape[1]), array.dtype)
    grown[:used] = array[:used]
    return grown


@jit
def _add_ones(data, places):
    for i in range(len(places)):
        if places[i] >= 0:
            data[places[i], 0] += 1.0


@jit
def _add_values(data, places, values, column, present):
    for i in range(len(places)):
        p, value = places[i], values[i]
        if p >= 0 and value == value:
            data[p, column] += value
            data[p, column + 1] += value * value
            if present >= 0:
                data[p, present] += 1.0


@jit
def survey(values, keys):
    """Missing values, and those whose square is infinite, in rows that have a cell."""
    nan = huge = 0
    for i in range(len(values)):
        value = values[i]
        if keys[i] >= 0:
            nan += value != value
            huge += value * value == np.inf
    return nan, huge


@jit
def _find_or_append(keys, known, slots, used, places):
    """Fill in `places`; the number of known keys after it. For keys of one word."""
    last = np.uint64(len(slots) - 1)
    for i in range(len(keys)):
        key = keys[i]
        if key < 0:
            places[i] = -1
            continue
        slot = _mixed(np.uint64(key)) & last
        place = slots[slot]
        while place >= 0 and known[place, 0] != key:
            slot = (slot + np.uint64(1)) & last
            place = slots[slot]
        if place < 0:
            known[used, 0] = key
            place = slots[slot] = used
            used += 1
        places[i] = place
    return used


@jit
def _find_or_append_words(keys, known, slots, used, places):
    """The same for keys (n, W) of several words, which takes longer."""
    last = np.uint64(len(slots) - 1)
    for i in range(len(keys)):
        if keys[i, 0] < 0:
            places[i] = -1
            continue
        slot = _hash(keys[i]) & last
        while slots[slot] >= 0 and not _same(known[slots[slot]], keys[i]):
            slot = (slot + np.uint64(1)) & last
        if slots[slot] < 0:
            known[used] = keys[i]
            slots[slot] = used
            used += 1
        places[i] = slots[slot]
    return used


@jit
def _fill_slots(known, slots, used):
    last = np.uint64(len(slots) - 1)
    for place in range(used):
        slot = _hash(known[place]) & last
        while slots[slot] >= 0:
            slot = (slot + np.uint64(1)) & last
        slots[slot] = place


@jit
def _hash(key):
    h = np.uint64(0)
    for w in range(len(key)):
        h = _mixed(h ^ np.uint64(key[w]))
    return h


@jit
def _mixed(word):
    h = word * MIX
    return h ^ (h >> np.uint64(32))


@jit
def _same(known, key):
    same = True
    for w in range(len(key)):
        same &= known[w] == key[w]
    return same
