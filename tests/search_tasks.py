"""Tasks that the worker processes of the tests run: they end well, fail, hang, or take memory."""

import os
import time
from pathlib import Path


def double(context, number):
    return context * number


def fail(context, words):
    raise ValueError(words)


def leave(context):
    raise SystemExit(3)


def sleep(context, seconds):
    time.sleep(seconds)
    return seconds


def spin(context, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def die(context):
    os.abort()


def grow(context, megabytes):
    """Memory that is touched, piece by piece."""
    held = []
    for _ in range(megabytes // 16):
        held.append(bytearray(os.urandom(1 << 20) * 16))
        time.sleep(0.002)
    time.sleep(5)
    return len(held)


def allocate(context, megabytes):
    return len(bytes(megabytes << 20))


def pid(context):
    return os.getpid()


def unsendable(context):
    return lambda: None


def asks(context):
    return input("anything? ")


def order(context):
    """What the order of sets of texts follows."""
    return [hash(name) for name in ("a", "b", "model")]


def threads(context):
    """Threads of this process after boosting and a large product, and of every pool of threads that is loaded."""
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_info

    X = np.random.default_rng(0).normal(size=(600, 600))
    HistGradientBoostingRegressor(max_iter=2).fit(X @ X, X[:, 0])
    names = [Path(f"/proc/self/task/{each}/comm").read_text() for each in os.listdir("/proc/self/task")]
    alive = [name for name in names if not name.startswith("jemalloc")]  # Arrow's: it gives memory back
    return len(alive), {pool["internal_api"]: pool["num_threads"] for pool in threadpool_info()}


def parent(context):
    return os.getppid()


class Unreadable:
    def __reduce__(self):
        return exec, ("raise ValueError('only there')",)


def unreadable(context):
    return Unreadable()


def scratch(context):
    """A folder as SMAC and others make it, still there when the process is killed."""
    import tempfile

    return tempfile.mkdtemp()
