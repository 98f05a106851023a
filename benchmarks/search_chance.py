"""Random search for the race: the same engine and space, configurations by chance, no portfolio, always full effort."""

import importlib

from learnviews.kernels.search import smac_search
from learnviews.kernels.search.pipelines import build, cheaper, describe
from learnviews.kernels.search.space import space
from learnviews.kernels.search.trial import MAKER, preloaded

__all__ = ["build", "cheaper", "describe", "portfolio", "propose", "rungs", "space"]

for each in preloaded(MAKER):  # workers import this module once: no trial is to pay for scikit-learn
    importlib.import_module(each)


def portfolio(data, problem):
    return []


def propose(space, told, n, seed):
    return smac_search.at_random(space, [smac_search.key(config) for config, _ in told], n, seed)


def rungs(rows, columns, folds):
    return (1.0,)
