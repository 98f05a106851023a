"""What can be chosen in a configuration: plain descriptions, so that no search library is needed to read one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

When = tuple[tuple[str, tuple], ...]  # ((name, values), ...): active where every named choice holds one of its values


@dataclass(frozen=True)
class Integer:
    """A whole number between `low` and `high`, both included."""

    name: str
    low: int
    high: int
    default: int
    log: bool = False
    when: When = ()

    def legal(self, value) -> bool:
        return not isinstance(value, bool) and int(value) == value and self.low <= value <= self.high


@dataclass(frozen=True)
class Float:
    """A number between `low` and `high`, both included."""

    name: str
    low: float
    high: float
    default: float
    log: bool = False
    when: When = ()

    def legal(self, value) -> bool:
        return math.isfinite(value) and self.low <= value <= self.high


@dataclass(frozen=True)
class Choice:
    """One of `values`; the first is the default unless another is named."""

    name: str
    values: tuple
    default: object = None
    when: When = ()

    def __post_init__(self) -> None:
        if self.default is None:
            object.__setattr__(self, "default", self.values[0])

    def legal(self, value) -> bool:
        return value in self.values


Hyperparameter = Integer | Float | Choice
Ban = tuple[tuple[str, tuple], ...]  # a combination that no configuration may hold


def active(parameter: Hyperparameter, config: Mapping) -> bool:
    """Whether `parameter` matters under the choices already in `config`."""
    return all(name in config and config[name] in values for name, values in parameter.when)


def complete(config: Mapping, parameters: Iterable[Hyperparameter]) -> dict:
    """`config` with defaults for the active hyper-parameters it does not name, and without those that are not active.

    `parameters` come parents first.
    """
    full: dict = {}
    for parameter in parameters:
        if active(parameter, full):
            full[parameter.name] = config.get(parameter.name, parameter.default)
    return full


def complaint(config: Mapping, parameters: Iterable[Hyperparameter], bans: Iterable[Ban] = ()) -> str | None:
    """Why `config` is no legal configuration, in words; None where it is one."""
    known = {parameter.name: parameter for parameter in parameters}
    for name, value in config.items():
        if name not in known:
            return f"{name!r} is no hyper-parameter here; choose from {', '.join(known)}"
        if not known[name].legal(value):
            return f"{name} = {value!r} is outside of its range ({known[name]})"
        if not active(known[name], config):
            return f"{name} has no meaning with {', '.join(f'{n} = {config.get(n)}' for n, _ in known[name].when)}"
    for parameter in known.values():
        if active(parameter, config) and parameter.name not in config:
            return f"{parameter.name} is missing"
    for ban in bans:
        if all(name in config and config[name] in values for name, values in ban):
            return f"{' and '.join(f'{name} = {config[name]}' for name, _ in ban)} do not go together"
    return None
