"""A recording with the arrays of a real one, and none of the training."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session", autouse=True)
def bokeh_backend():
    import learnviews as lv

    lv.extension("bokeh")


@pytest.fixture(scope="session")
def renderer(bokeh_backend):
    import holoviews as hv

    return hv.renderer("bokeh")


SYMBOLS = [*"abcdefgh", "\n", "\t", " ", "\x1b"]


def make_batch(seed=0, T=12, K=4, B=2):
    rng = np.random.default_rng(seed)
    valid = (np.arange(T)[:, None] + np.arange(K) < T)[:, :, None]
    has_more = (np.arange(T) + K < T)[:, None]
    targets = rng.integers(0, len(SYMBOLS), (T, B))
    top = np.stack([rng.permutation(len(SYMBOLS))[:3] for _ in range(T * B)]).reshape(T, B, 3)
    top[: T // 2, :, 0] = targets[: T // 2]
    return SimpleNamespace(
        norm=rng.random((T, K, B)) * valid,
        beyond=rng.random((T, B)) * has_more,
        share=rng.normal(size=(T, K, B)) * valid,
        share_beyond=rng.normal(size=(T, B)) * has_more,
        loss=rng.random((T, B)) * 4,
        inputs=rng.integers(0, len(SYMBOLS), (T, B)),
        targets=targets,
        predicted=top[:, :, 0],
        top=top,
        top_probability=np.sort(rng.random((T, B, 3)) / 3, axis=-1)[:, :, ::-1],
        state=None,
    )


class FakeRecording:
    def __init__(self, batches=30):
        self.batches, self.symbols = batches, SYMBOLS

    def __len__(self):
        return self.batches

    def __getitem__(self, number):
        return make_batch(number % 7)

    def overview(self):
        n = self.batches
        rng = np.random.default_rng(5)
        columns = {"step": np.arange(n) * 100, "position": np.arange(n) * 1200, "loss": rng.random(n)}
        columns |= {"max_gradient": rng.random(n), "mean_lag": rng.random(n), "correct": rng.random(n)}
        return pd.DataFrame(columns, index=pd.RangeIndex(n, name="batch"))


@pytest.fixture
def batch():
    return make_batch()


@pytest.fixture
def batches():
    return make_batch


@pytest.fixture
def recording():
    return FakeRecording()


@pytest.fixture
def recordings():
    return FakeRecording


@pytest.fixture
def symbols():
    return SYMBOLS
