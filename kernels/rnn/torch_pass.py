"""One forward pass of a recurrent module as its hooks saw it, and its tensors in the order of time."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .seeded import Measured
from .torch_parts import host


@dataclass
class Shape:
    """How the tensors of a pass lie: T steps, B sequences, and where each stands."""

    steps: int
    sequences: int
    batch_first: bool
    batched: bool
    packed: Any  # the PackedSequence that went in, or None
    length: np.ndarray | None  # (B,) steps of each sequence, where they are not all T

    def layout(self, tensor: Any, trailing: int = 0) -> str | None:
        """How a tensor lies that has an element, or `trailing` axes of them, per step and sequence; None if none has.

        "rows" (packed), "time first", "batch first", "flat" in the module's own order, or "steps" of one sequence.
        """
        if is_packed(tensor):
            return "rows"
        lead = tuple(tensor.shape[: tensor.ndim - trailing])
        T, B = self.steps, self.sequences
        if self.packed is not None and lead == (len(self.packed.data),):
            return "rows"
        if len(lead) == 1:
            if not self.batched and lead == (T,):
                return "steps"
            return "flat" if lead == (T * B,) and self.packed is None else None
        if len(lead) != 2 or not self.batched:
            return None
        longer = self.packed is not None  # padded tensors may reach farther than the longest sequence
        fits = {
            "time first": lead[1] == B and (lead[0] == T or (longer and lead[0] > T)),
            "batch first": lead[0] == B and (lead[1] == T or (longer and lead[1] > T)),
        }
        order = ("batch first", "time first") if self.batch_first else ("time first", "batch first")
        return next((name for name in order if fits[name]), None)

    def arranged(self, tensor: Any, trailing: int = 0) -> Any:
        """The tensor as (T, B, ...), on its device and without a graph; None if it lies in none of these ways."""
        layout = self.layout(tensor, trailing)
        if layout is None:
            return None
        if layout == "rows":
            return self._padded(tensor.data)
        tensor = tensor.detach()
        if layout == "steps":
            return tensor[:, None]
        if layout == "flat":
            lead = (self.sequences, self.steps) if self.batch_first else (self.steps, self.sequences)
            tensor = tensor.reshape(*lead, *tensor.shape[1:])
        if layout == "batch first" or (layout == "flat" and self.batch_first):
            tensor = tensor.transpose(0, 1)
        return tensor[: self.steps]

    def in_time(self, tensor: Any, trailing: int = 0) -> np.ndarray | None:
        """The same in host memory."""
        found = self.arranged(tensor, trailing)
        return None if found is None else host(found)

    def _padded(self, data: Any) -> Any:
        """(T, B, ...) of packed rows."""
        from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

        packed = self.packed
        again = PackedSequence(data.detach(), packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)
        return pad_packed_sequence(again)[0]


@dataclass
class Pass:
    """What hooks see of one forward pass, and later of the gradients that come back to it."""

    serial: int
    shape: Shape
    given: Any  # the input tensor (its rows, where it is packed)
    state: tuple[Any, ...]  # initial states as they were given; () for zeros
    width: int  # D * H
    gradients: dict[str, Any] = field(default_factory=dict)  # "out", "last", "last_cell", as they come
    tokens: Any = None  # what the embedding before it was given
    scores: Any = None  # what a module after it gave

    def arrived(self, name: str, gradient: Any) -> None:
        """One more gradient of an output."""
        gradient = gradient.detach()
        known = self.gradients.get(name)
        self.gradients[name] = gradient.clone() if known is None else known + gradient

    @cached_property
    def inputs(self) -> np.ndarray:
        """(T, B, I) in host memory."""
        array = self.shape.in_time(self.given, 1)
        assert array is not None
        return array

    def states(self, net: Any) -> tuple[np.ndarray, ...]:
        """(L*D, B, H) initial states, one or, for an LSTM, two."""
        shape = (len(net.strands), self.shape.sequences, net.hidden)
        if not self.state:
            return tuple(np.zeros(shape, net.dtype) for _ in range(net.cell.states))
        return tuple(host(part).reshape(shape).astype(net.dtype) for part in self.state)

    def measured(self, net: Any, scale: float) -> Measured:
        """The gradients, divided by `scale`."""
        T, B = self.shape.steps, self.shape.sequences
        out = np.zeros((T, B, self.width), net.dtype)
        if "out" in self.gradients:
            found = self.shape.in_time(self.gradients["out"], 1)
            assert found is not None
            out[...] = found / scale
        ends = [self.gradients.get(name) for name in ("last", "last_cell")]
        shape = (len(net.strands), B, net.hidden)
        last = [None if g is None else (host(g).reshape(shape) / scale).astype(net.dtype) for g in ends]
        return Measured(out, *last)


def shape_of(module: Any, given: Any) -> Shape:
    """The shape of a recurrent module's input."""
    if is_packed(given):
        from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

        rows = PackedSequence(given.data.detach()[:, :1], *given[1:])
        length = pad_packed_sequence(rows)[1].numpy()
        T, B = len(given.batch_sizes), int(given.batch_sizes[0])
        return Shape(T, B, bool(module.batch_first), True, given, None if (length == T).all() else length)
    if given.ndim == 2:
        return Shape(given.shape[0], 1, False, False, None, None)
    first, second = given.shape[:2]
    T, B = (second, first) if module.batch_first else (first, second)
    return Shape(T, B, bool(module.batch_first), True, None, None)


def is_packed(value: Any) -> bool:
    """Whether it is a PackedSequence."""
    return hasattr(value, "batch_sizes") and hasattr(value, "sorted_indices")
