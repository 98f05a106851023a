"""Progress: when something is shown, what is left to wait for, and being cancelled."""

import math
import threading
import types

import pytest

from learnviews.kernels import progress
from learnviews.kernels.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that only moves when it is told to."""
    clock = types.SimpleNamespace(now=100.0)
    monkeypatch.setattr(progress, "time", types.SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_without_anybody_to_show_it_to_it_just_counts():
    p = Progress()
    p.start(10)
    p.update(3, lambda: pytest.fail("nobody wants the text"))
    assert (p.done, p.total, p.text) == (3, 10, "")


def test_shows_at_most_once_per_interval_and_always_at_the_end(clock):
    shown = []
    p = Progress(lambda p: shown.append(p.done), interval=1.0)
    p.start(10)
    for done in range(1, 10):
        clock.now += 0.3
        p.update(done)
    assert shown == [4, 8]
    p.update(10)
    assert shown == [4, 8, 10]


def test_text_is_made_only_when_it_is_shown(clock):
    made, texts = [], []
    p = Progress(lambda p: texts.append(p.text), interval=1.0)
    p.start(3)
    for done in (1, 2, 3):
        p.update(done, lambda: made.append(1) or f"part {len(made)}")
    assert texts == ["part 1"]
    clock.now += 2
    p.update(3)
    assert texts == ["part 1", "part 1"]  # the last one stays


def test_time_left_goes_by_the_pace_so_far(clock):
    p = Progress()
    p.start(40)
    assert math.isnan(p.remaining)
    clock.now += 5
    p.update(10)
    assert p.elapsed == 5
    assert p.remaining == 15
    p.update(40)
    assert p.remaining == 0


def test_start_starts_over(clock):
    p = Progress()
    p.start(4)
    clock.now += 3
    p.update(4)
    p.start(7)
    assert (p.done, p.total, p.elapsed) == (0, 7, 0)


def test_cancelled_from_another_thread():
    p = Progress()
    assert not p.cancelled
    thread = threading.Thread(target=p.cancel)
    thread.start()
    thread.join()
    assert p.cancelled
