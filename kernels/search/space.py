"""The conditional configuration space of a problem, for SMAC and for random search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from . import choices
from .hyperparameters import Choice, Hyperparameter, Integer

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace


def space(data, problem, rng_seed: int = 0, exclude: Iterable[str] = ()) -> ConfigurationSpace:
    """All legal configurations of `problem` on `data`.

    Parameters
    ----------
    rng_seed : int
        Of its samples.
    exclude : iterable of str
        Models to leave out ("svm", "mlp", ...).

    Raises
    ------
    ValueError
        If a name in `exclude` is no model here, or no model is left.
    """
    from ConfigSpace import ConfigurationSpace

    exclude = tuple(exclude)
    _check_excluded(exclude, data, problem)
    found = ConfigurationSpace(name=str(problem.task), seed=rng_seed)
    parameters = choices.parameters(data, problem, exclude)
    found.add([_converted(parameter) for parameter in parameters])
    found.add([condition for p in parameters if (condition := _condition(found, p)) is not None])
    found.add([clause for ban in choices.bans(data, problem) if (clause := _clause(found, ban)) is not None])
    return found


def _check_excluded(exclude: tuple[str, ...], data, problem) -> None:
    models = choices.parameters(data, problem)[0].values  # type: ignore[union-attr]
    for name in exclude:
        if name not in models:
            raise ValueError(f"exclude: {name!r} is no model of {problem.task}; choose from {', '.join(models)}")


def _converted(parameter: Hyperparameter):
    from ConfigSpace import CategoricalHyperparameter, UniformFloatHyperparameter, UniformIntegerHyperparameter

    if isinstance(parameter, Choice):
        return CategoricalHyperparameter(parameter.name, list(parameter.values), default_value=parameter.default)
    make = UniformIntegerHyperparameter if isinstance(parameter, Integer) else UniformFloatHyperparameter
    return make(parameter.name, parameter.low, parameter.high, default_value=parameter.default, log=parameter.log)


def _condition(found: ConfigurationSpace, parameter: Hyperparameter):
    """Active where all of its conditions hold; None where it has none."""
    from ConfigSpace import AndConjunction, InCondition

    parts = [InCondition(found[parameter.name], found[name], list(values)) for name, values in parameter.when]
    return None if not parts else parts[0] if len(parts) == 1 else AndConjunction(*parts)


def _clause(found: ConfigurationSpace, ban):
    """A combination that is not legal; None where the space lacks one of its parts."""
    from ConfigSpace import ForbiddenAndConjunction, ForbiddenInClause

    parts = []
    for name, values in ban:
        there = [v for v in values if name in found and v in found[name].choices]  # type: ignore[attr-defined]
        if not there:
            return None
        parts.append(ForbiddenInClause(found[name], there))
    return ForbiddenAndConjunction(*parts)


def plain(config: Mapping) -> dict:
    """A configuration with Python's own numbers and texts, as JSON takes them."""
    return {name: value.item() if hasattr(value, "item") else value for name, value in dict(config).items()}
