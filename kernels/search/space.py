"""The conditional configuration space of a problem, for SMAC and for random search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
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
        Models to leave out ("svm", "mlp", ...), and values of other choices ("encode=target", "select=best", ...).

    Raises
    ------
    ValueError
        If a name in `exclude` is no model or value here, or nothing is left to choose from.
    """
    from ConfigSpace import ConfigurationSpace

    exclude = tuple(exclude)
    _check_excluded(exclude, data, problem)
    found = ConfigurationSpace(name=str(problem.task), seed=rng_seed)
    parameters = _without(choices.parameters(data, problem, [n for n in exclude if "=" not in n]), exclude)
    found.add([_converted(parameter) for parameter in parameters])
    found.add([condition for p in parameters if (condition := _condition(found, p)) is not None])
    found.add([clause for ban in choices.bans(data, problem) if (clause := _clause(found, ban)) is not None])
    return found


def _check_excluded(exclude: tuple[str, ...], data, problem) -> None:
    found = options(data, problem)
    models = found.pop("model")
    others = [f"{name}={value}" for name, values in found.items() for value in values]
    for name in exclude:
        if name not in (others if "=" in name else models):
            what = "choice" if "=" in name else "model"
            known = ", ".join(others if "=" in name else models) or "none"
            raise ValueError(f"exclude: {name!r} is no {what} of {problem.task}; choose from {known}")


def options(data, problem) -> dict[str, tuple[str, ...]]:
    """What can be left out of a problem's space: models under "model", and of every other choice its values as text."""
    found = choices.parameters(data, problem)
    return {each.name: tuple(map(str, each.values)) for each in found if isinstance(each, Choice)}


def left_out(space: ConfigurationSpace, data, problem) -> tuple[str, ...]:
    """What of `options` a space does not have, as `exclude` names it; what can never matter in it counts as had."""
    gone = []
    for name, values in options(data, problem).items():
        if name in space:
            there = set(map(str, getattr(space[name], "choices", values)))
            gone += [value if name == "model" else f"{name}={value}" for value in values if value not in there]
    return tuple(gone)


def _without(parameters: list[Hyperparameter], exclude: tuple[str, ...]) -> list[Hyperparameter]:
    """The hyper-parameters without the values of `exclude`, and without those that never matter then."""
    gone = {name for name in exclude if "=" in name}
    left: dict[str, Hyperparameter] = {}
    for parameter in parameters:
        when = tuple((name, _left(values, name, gone)) for name, values in parameter.when)
        if any(name not in left or not values for name, values in when):
            continue
        parameter = replace(parameter, when=when)
        left[parameter.name] = _fewer(parameter, gone) if isinstance(parameter, Choice) else parameter
    return list(left.values())


def _left(values: tuple, name: str, gone: set[str]) -> tuple:
    return tuple(value for value in values if f"{name}={value}" not in gone)


def _fewer(choice: Choice, gone: set[str]) -> Choice:
    values = _left(choice.values, choice.name, gone)
    if not values:
        raise ValueError(f"exclude: nothing is left of {choice.name}: {', '.join(map(str, choice.values))}")
    return replace(choice, values=values, default=choice.default if choice.default in values else values[0])


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
