"""Linear algebra on one thread while it is asked for, and as before afterwards."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import ThreadpoolController, threadpool_limits

from learnviews.kernels.one_thread import one_blas_thread


def threads():
    np.ones((2, 2)) @ np.ones((2, 2))
    return {pool["num_threads"] for pool in ThreadpoolController().select(user_api="blas").info()}


def test_it_lasts_as_long_as_anybody_asks_for_it():
    entered, leave = threading.Event(), threading.Event()

    def other():
        with one_blas_thread():
            entered.set()
            leave.wait(10)

    with threadpool_limits(2, "blas"):
        before = threads()
        thread = threading.Thread(target=other)
        with one_blas_thread():
            thread.start()
            assert entered.wait(10) and threads() == {1}
            with one_blas_thread():
                assert threads() == {1}
            leave.set()
            thread.join()
            assert threads() == {1}
        assert threads() == before


def test_it_holds_in_any_thread_whoever_asked_first():
    def within():
        with one_blas_thread():
            return threads()

    before = threads()
    for _ in range(2):
        assert within() == {1} and threads() == before
        with ThreadPoolExecutor(2) as pool:
            assert pool.submit(within).result() == {1}
            assert list(pool.map(lambda _: within(), range(20))) == [{1}] * 20
        assert threads() == before
        with threadpool_limits(1, "blas"):
            assert threads() == {1}
        assert threads() == before
