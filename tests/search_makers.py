"""Pipelines that the tests of studies search among: quick ones, and ones that fail, hang, or take memory."""

import os
import time

import numpy as np


class Line:
    """Predicts slope * x + the mean residual."""

    def __init__(self, slope, pause=0.0):
        self.slope, self.pause = slope, pause

    def fit(self, X, y):
        time.sleep(self.pause)
        self.shift_ = float(np.mean(y.to_numpy(float) - self.slope * X["x"].to_numpy(float)))
        return self

    def predict(self, X):
        return self.slope * X["x"].to_numpy(float) + self.shift_


class Failing(Line):
    def fit(self, X, y):
        raise ValueError("this pipeline always fails")


class Hanging(Line):
    def fit(self, X, y):
        time.sleep(600)


class Hungry(Line):
    def fit(self, X, y):
        self.held_ = [bytearray(os.urandom(1 << 20) * 64) for _ in range(100)]
        return super().fit(X, y)


class Missing(Line):
    def predict(self, X):
        return np.full(len(X), np.nan)


class Dying(Line):
    def fit(self, X, y):
        os.abort()


KINDS = {"line": Line, "failing": Failing, "hanging": Hanging, "hungry": Hungry, "missing": Missing, "dying": Dying}


def build(config, data, problem, seed, fidelity=1.0):
    return KINDS[config["model"]](config["slope"], config.get("pause", 0.0))


def describe(config, task=None):
    return f"{config['model']}, slope {config['slope']:.3g}"


def space(data, problem, rng_seed=0):
    from ConfigSpace import ConfigurationSpace

    return ConfigurationSpace({"model": ["line"], "slope": (-4.0, 4.0)}, seed=rng_seed)


def portfolio(data, problem):
    """The problem's name says what is to go wrong."""
    good = [{"model": "line", "slope": 0.5}, {"model": "line", "slope": 1.0}]
    if problem.name == "slow":
        return [{"model": "line", "slope": at / 10, "pause": 0.05} for at in range(40)]
    bad = [{"model": name, "slope": 1.0} for name in (problem.name or "").split() if name in KINDS]
    return [good[0], *bad, good[1]]
