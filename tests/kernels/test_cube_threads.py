"""Work on several cores with results in order."""

import threading
import time

import pytest

from learnviews.kernels.cube.threads import cores, in_order


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(threads):
    def work(i):
        time.sleep(0.002 * (i % 3))
        return i * i

    assert list(in_order(work, range(20), threads)) == [i * i for i in range(20)]
    assert list(in_order(work, [], threads)) == []
    assert cores() >= 1


@pytest.mark.parametrize("threads", [1, 3])
def test_no_more_than_a_few_items_are_taken_ahead(threads):
    taken = []
    results = in_order(lambda i: i, (taken.append(i) or i for i in range(100)), threads)
    assert next(results) == 0
    assert len(taken) <= 2 * threads + 1
    results.close()


def test_an_error_ends_the_work_and_its_threads():
    def work(i):
        if i == 3:
            raise ValueError("three")
        return i

    before = threading.active_count()
    with pytest.raises(ValueError, match="three"):
        list(in_order(work, iter(range(1000)), 2))
    assert threading.active_count() == before
