"""Keeping a method of an element out of HoloViews' records.

HoloViews notes every method that turns a data set into another one, and replays the notes on the data that a linked
selection leaves. Where the result has data of its own, replaying would compute it from the wrong table.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any


class unrecorded:  # noqa: N801 - a decorator
    """Decorator: the method's result stands for itself, and selections act on its own data."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else MethodType(self.function, instance)
