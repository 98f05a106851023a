"""Tasks that the worker processes of the tests run: they end well, fail, hang, or take memory."""

import os
import time


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
