"""SGD, Adagrad and Adam: one step each, in place, on NumPy or CuPy arrays alike."""

from __future__ import annotations

import math
from typing import Any

from .arrays import array_namespace


class DivergedError(ArithmeticError):
    """Training produced NaN or Inf; the message names the step."""


class Optimizer:
    """One step at a time on named arrays; what a step remembers per array lies in `memory`.

    Parameters
    ----------
    rate : float
        Learning rate, above 0.
    """

    slots: tuple[str, ...] = ()  # names of the arrays kept per parameter

    def __init__(self, rate: float) -> None:
        self.rate = _number("rate", rate)
        self.steps = 0
        self.memory: dict[str, Any] = {}

    def step(self, parameters: dict[str, Any], gradients: dict[str, Any]) -> None:
        """Move every parameter against its gradient, in place."""
        self.steps += 1
        for name, p in parameters.items():
            xp = array_namespace(p)
            state = [self.memory.setdefault(f"{name}/{slot}", xp.zeros_like(p)) for slot in self.slots]
            self.update(xp, p, gradients[name], *state)

    def update(self, xp: Any, p: Any, g: Any, *state: Any) -> None:
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        """What makes an equal optimizer again: `optimizer(**settings)`."""
        return {"name": type(self).__name__.lower(), "rate": self.rate}


def _number(name: str, value: float, zero: bool = False) -> float:
    if not (math.isfinite(value) and (value > 0 or (zero and value == 0))):
        raise ValueError(f"{name} must be a positive number{' or 0' if zero else ''}, got {value!r}")
    return value


class SGD(Optimizer):
    """p -= rate * g, with momentum v = momentum * v + g, p -= rate * v."""

    slots = ("velocity",)

    def __init__(self, rate: float = 0.1, momentum: float = 0.0) -> None:
        super().__init__(rate)
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum must lie in [0, 1), got {momentum!r}")
        self.momentum = momentum

    def update(self, xp: Any, p: Any, g: Any, *state: Any) -> None:
        (v,) = state
        v *= self.momentum
        v += g
        p -= self.rate * v

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "momentum": self.momentum}


class Adagrad(Optimizer):
    """Duchi, Hazan and Singer, JMLR 2011: s += g^2, p -= rate * g / sqrt(s)."""

    slots = ("squares",)

    def __init__(self, rate: float = 0.1, epsilon: float = 1e-8) -> None:
        super().__init__(rate)
        self.epsilon = _number("epsilon", epsilon, zero=True)

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "epsilon": self.epsilon}

    def update(self, xp: Any, p: Any, g: Any, *state: Any) -> None:
        (s,) = state
        change = xp.multiply(g, g)
        s += change
        xp.add(s, self.epsilon, out=change)
        xp.sqrt(change, out=change)
        xp.divide(g, change, out=change)
        change *= self.rate
        p -= change


class Adam(Optimizer):
    """Kingma and Ba, ICLR 2015, with bias correction."""

    slots = ("mean", "squares")

    def __init__(self, rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> None:
        super().__init__(rate)
        for name, beta in (("beta1", beta1), ("beta2", beta2)):
            if not 0 <= beta < 1:
                raise ValueError(f"{name} must lie in [0, 1), got {beta!r}")
        self.beta1, self.beta2, self.epsilon = beta1, beta2, _number("epsilon", epsilon, zero=True)

    def update(self, xp: Any, p: Any, g: Any, *state: Any) -> None:
        m, s = state
        m *= self.beta1
        m += (1 - self.beta1) * g
        s *= self.beta2
        s += (1 - self.beta2) * g * g
        corrected = self.rate / (1 - self.beta1**self.steps)
        change = xp.sqrt(s)
        change *= 1 / math.sqrt(1 - self.beta2**self.steps)
        change += self.epsilon
        p -= corrected * m / change

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "beta1": self.beta1, "beta2": self.beta2, "epsilon": self.epsilon}


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "adagrad": Adagrad, "adam": Adam}


def optimizer(name: str, **settings: Any) -> Optimizer:
    """The optimizer called `name` ("sgd", "adagrad", "adam") with its settings, `rate` among them."""
    if name not in OPTIMIZERS:
        raise ValueError(f"optimizer must be one of {sorted(OPTIMIZERS)}, got {name!r}")
    return OPTIMIZERS[name](**settings)
