"""Proposals of SMAC: a pure function of the trials so far, so that a study can be told again what it already knows."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

TREES = 10  # of the surrogate forest
CHALLENGERS = 400  # random configurations that the acquisition function ranks (SMAC's default: 10,000)
STARTS = 4  # local searches from good configurations
RANDOM = 0.15  # share of proposals that are drawn at random, whatever the surrogate says
SMALL = 2000  # a finite space of at most so many points is tried to its last one
TRIES = 40  # to find one new configuration by chance before a space counts as exhausted

Told = Sequence[tuple[Mapping[str, Any], float | None]]  # configuration, cost; None: failed


def propose(space: Any, told: Told, n: int, seed: int) -> list[dict[str, Any]]:
    """Up to `n` configurations that are worth a trial, none of them in `told`.

    Same space, trials, n and seed: same proposals.

    Parameters
    ----------
    space : ConfigurationSpace
    told : list of (configuration, cost)
        Lower is better; a cost of None or one that is not finite is a failure. Configurations that are not legal in
        `space` (it was changed) only count as tried.
    n : int
    seed : int

    Returns
    -------
    list of dict
        Plain values. Shorter than `n` only when the space has run out.
    """
    tried = {key(config) for config, _ in told}
    known = [(found, cost) for config, cost in told if (found := legal(space, config)) is not None]
    wanted = _from_surrogate(space, known, n, seed) if known and not _tiny(space) else []
    fresh = _fresh((plain(config) for config in wanted), tried, n)
    return fresh + at_random(space, [*tried, *map(key, fresh)], n - len(fresh), seed)


def at_random(space: Any, tried: Iterable[str], n: int, seed: int) -> list[dict[str, Any]]:
    """Up to `n` configurations by chance whose `key` is not in `tried`; fewer when the space has run out."""
    tried = set(tried)
    if n <= 0:
        return []
    if _tiny(space):
        return _fresh(_everything(space, seed), tried, n)
    space.seed(seed)
    drawn = (plain(space.sample_configuration()) for _ in range(TRIES * n))
    return _fresh(drawn, tried, n)


def key(config: Mapping[str, Any]) -> str:
    """The same text for the same configuration."""
    return json.dumps(plain(config), sort_keys=True)


def plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """Python's own numbers and strings, as JSON and SQLite take them: ConfigSpace gives NumPy scalars."""
    return {str(name): _plain_value(value) for name, value in sorted(dict(config).items())}


def legal(space: Any, config: Mapping[str, Any]) -> Any:
    """A Configuration of `space`; None where it has no such one."""
    from ConfigSpace import Configuration

    try:
        return Configuration(space, values=dict(config))
    except Exception:  # ConfigSpace has some ten errors for this, most without a class in common
        return None


def adapted(space: Any, config: Mapping[str, Any]) -> dict[str, Any] | None:
    """A configuration of `space` like this one, with the default in the place of choices that it does not have; None
    where its model was taken out, or a number is out of its range."""
    from ConfigSpace import CategoricalHyperparameter
    from ConfigSpace.util import deactivate_inactive_hyperparameters

    if legal(space, config) is not None:
        return dict(config)
    values = {name: parameter.default_value for name, parameter in space.items()}
    for name, value in config.items():
        if name in space and space[name].legal_value(value):
            values[name] = value
        elif name == "model" or (name in space and not isinstance(space[name], CategoricalHyperparameter)):
            return None
    try:
        return plain(deactivate_inactive_hyperparameters(values, space))
    except Exception:  # a combination that it forbids
        return None


def space_of(source: Any) -> Any:
    """A ConfigurationSpace from what a study stores of it (JSON text), or as it is."""
    from ConfigSpace import ConfigurationSpace

    if not isinstance(source, str):
        return source
    return ConfigurationSpace.from_serialized_dict(json.loads(source))


def text_of(space: Any) -> str:
    """JSON text of a ConfigurationSpace."""
    return json.dumps(space.to_serialized_dict())


def _plain_value(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, Mapping):
        return {str(name): _plain_value(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_value(inner) for inner in value]
    return str(value) if isinstance(value, str) else value


def _fresh(configs: Iterable[dict[str, Any]], tried: set[str], n: int) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for config in configs:
        if len(found) >= n:
            break
        name = key(config)
        if name not in tried:
            found.setdefault(name, config)
    return list(found.values())


def _tiny(space: Any) -> bool:
    size = space.estimate_size()
    return math.isfinite(size) and size <= SMALL


def _everything(space: Any, seed: int) -> list[dict[str, Any]]:
    """Every point of a finite space, in an order of its own."""
    import itertools

    import numpy as np

    values = {name: _values(part) for name, part in space.items()}
    raw = (dict(zip(values, point, strict=True)) for point in itertools.product(*values.values()))
    points = sorted({key(found): found for point in raw if (found := _active(space, point)) is not None}.items())
    return [points[at][1] for at in np.random.default_rng(seed).permutation(len(points))]


def _values(part: Any) -> list[Any]:
    """What a hyper-parameter of a finite space can be."""
    for name in ("choices", "sequence"):
        if hasattr(part, name):
            return list(getattr(part, name))
    return [part.value] if hasattr(part, "value") else list(range(part.lower, part.upper + 1))


def _active(space: Any, point: dict[str, Any]) -> dict[str, Any] | None:
    """The point without what its conditions switch off; None where it is forbidden."""
    from ConfigSpace.exceptions import ForbiddenValueError
    from ConfigSpace.util import deactivate_inactive_hyperparameters

    try:
        return plain(deactivate_inactive_hyperparameters(point, space))
    except ForbiddenValueError:
        return None


# -- SMAC itself: asked and told, with no runner, no files to go on with and nothing to type


def _from_surrogate(space: Any, known: list[tuple[Any, float | None]], n: int, seed: int) -> list[Any]:
    from smac.main.exceptions import ConfigurationSpaceExhaustedException

    with tempfile.TemporaryDirectory() as folder:
        facade = _facade(space, folder, n, seed)
        _tell(facade, known)
        asked: list[Any] = []
        try:
            while len(asked) < n:
                asked.append(facade.ask().config)
        except (ConfigurationSpaceExhaustedException, StopIteration):
            pass  # at_random makes up the rest, if there is one
    return asked


def _facade(space: Any, folder: str, n: int, seed: int) -> Any:
    from smac import HyperparameterOptimizationFacade as Facade
    from smac import Scenario
    from smac.model.random_forest.random_forest import RandomForest

    # deterministic: the default asks for configurations again with other seeds. overwrite: a run folder of another
    # scenario makes SMAC call input(). The surrogate is trained once for the n proposals.
    scenario = Scenario(
        space,
        name="proposals",
        output_directory=Path(folder),
        deterministic=True,
        n_trials=10**9,
        seed=seed,
        crash_cost=1e9,
    )
    return Facade(
        scenario,
        model=RandomForest(
            space, log_y=True, n_trees=TREES, min_samples_split=2, min_samples_leaf=1, seed=seed, n_jobs=1
        ),
        acquisition_maximizer=Facade.get_acquisition_maximizer(
            scenario, challengers=CHALLENGERS, local_search_iterations=STARTS
        ),
        initial_design=Facade.get_initial_design(scenario, n_configs=0),
        intensifier=Facade.get_intensifier(scenario, max_config_calls=1),
        random_design=Facade.get_random_design(scenario, probability=RANDOM),
        config_selector=Facade.get_config_selector(scenario, retrain_after=max(n, 1)),
        logging_level=False,
        overwrite=True,
    )


def _tell(facade: Any, known: list[tuple[Any, float | None]]) -> None:
    from smac.runhistory import TrialInfo, TrialValue

    scaled = _scaled([cost for _, cost in known])
    for (config, _), cost in zip(known, scaled, strict=True):
        facade.tell(TrialInfo(config, seed=0), TrialValue(cost=cost), save=False)


def _scaled(costs: list[float | None]) -> list[float]:
    """Ranks in (0, 1]: finite whatever failed, no outlier flattens the rest, and ties stay ties."""
    good = sorted({float(cost) for cost in costs if cost is not None and math.isfinite(cost)})
    ranks: Callable[[float], float] = {cost: (at + 1) / (len(good) + 1) for at, cost in enumerate(good)}.__getitem__
    return [ranks(float(cost)) if cost is not None and math.isfinite(cost) else 1.0 for cost in costs]
