"""Arrays of recorded batches on disk: the precision they are kept in, and byte planes, which compress better."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

STATES = ("state", "cell_state")  # fields that hold the states a batch started from
EXACT = ("loss", "norm")  # floats that are kept as whole float32; of all others 16 significant bits, but for STATES
LARGEST = np.uint32(0x7F7FFF00).view(np.float32)  # of 16 significant bits; what exceeds float32 is kept as this

Field = tuple[str, np.dtype, tuple[int, ...]]  # name, dtype and shape of one array of a batch


def stored(name: str, array: np.ndarray, token: np.dtype) -> np.ndarray:
    """The array in the precision in which it is kept."""
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind in "iu":
        return array.astype(token)
    if name == "top_probability":
        return array.astype("<f2")
    if name in STATES:
        return array.astype(array.dtype.newbyteorder("<"))
    return single(array) if name in EXACT else rounded(array)


def single(array: np.ndarray) -> np.ndarray:
    """float32; what exceeds it becomes the largest."""
    return (np.clip(array, -LARGEST, LARGEST) if array.dtype.itemsize > 4 else array).astype("<f4")


def rounded(array: np.ndarray) -> np.ndarray:
    """float32 with 16 significant bits: an empty byte plane costs nothing on disk."""
    return ((single(array).view("<u4") + np.uint32(0x80)) & np.uint32(0xFFFFFF00)).view("<f4")


def packed(arrays: Mapping[str, np.ndarray]) -> tuple[Iterator[bytes], Iterator[bytes]]:
    """Data and noise of every batch (the first axis): byte planes behind one another."""
    count = len(next(iter(arrays.values())))
    parts: dict[bool, list[np.ndarray]] = {True: [], False: []}
    for name, array in arrays.items():
        planes = np.ascontiguousarray(array).view(np.uint8).reshape(count, -1, array.itemsize)
        for plane in range(array.itemsize):
            parts[plane in _noise_planes(name, array.dtype)].append(planes[:, :, plane])
    noise, data = np.concatenate(parts[True], axis=1), np.concatenate(parts[False], axis=1)
    return (zlib.compress(row.tobytes(), 1) for row in data), (row.tobytes() for row in noise)


def unpacked(fields: Sequence[Field], data: bytes, noise: bytes) -> dict[str, np.ndarray]:
    """The arrays of one batch; ValueError or zlib.error where the bytes do not hold them."""
    sources = {True: memoryview(noise), False: memoryview(zlib.decompress(data))}
    arrays = {}
    for name, dtype, shape in fields:
        size = int(np.prod(shape))
        planes = np.empty((size, dtype.itemsize), np.uint8)
        for plane in range(dtype.itemsize):
            which = plane in _noise_planes(name, dtype)
            planes[:, plane] = np.frombuffer(sources[which][:size], np.uint8)
            sources[which] = sources[which][size:]
        arrays[name] = planes.view(dtype).reshape(shape)
    return arrays


def three_bytes(array: np.ndarray) -> np.ndarray:
    """(..., 3 n) bytes of (..., n) rounded floats, for rows too small to be worth compressing."""
    return (
        np.ascontiguousarray(rounded(array))
        .view(np.uint8)
        .reshape(*array.shape, 4)[..., 1:]
        .reshape(*array.shape[:-1], -1)
    )


def from_three_bytes(data: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """What `three_bytes` was given, rounded; ValueError where the bytes do not hold so much."""
    planes = np.zeros((*shape, 4), np.uint8)
    planes[..., 1:] = np.frombuffer(data, np.uint8).reshape(*shape, 3)
    return planes.view("<f4")[..., 0]


def _noise_planes(name: str, dtype: np.dtype) -> tuple[int, ...]:
    """Byte planes that hold the low bits of a mantissa: no compressor makes them smaller."""
    if dtype.kind != "f":
        return ()
    if dtype.itemsize == 4 and name not in EXACT and name not in STATES:
        return (1,)  # plane 0 was rounded away
    return tuple(range(dtype.itemsize - 2)) if dtype.itemsize > 2 else (0,)
