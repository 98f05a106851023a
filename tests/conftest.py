"""Fixtures that more than one test module needs."""

import warnings

import pytest
from browser import chromium, page  # noqa: F401 (one browser for all tests)


@pytest.fixture(scope="session")
def cupy():
    """The module `cupy`; skips the test where it, or a device, is missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what CuPy finds or misses on this machine while it is imported
        try:
            import cupy
        except ImportError as error:
            pytest.skip(f"CuPy cannot be imported: {error}")
        if not cupy.is_available():
            pytest.skip("no CUDA device")
    return cupy
