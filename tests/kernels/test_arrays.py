"""Which module an array belongs to. CuPy is played by a stand-in, so that this runs without a device."""

import sys
from types import ModuleType

import numpy as np
import pytest

from learnviews.kernels.arrays import array_namespace, as_numpy, is_cupy, tf32


class DeviceArray:
    """Looks like a CuPy array to the functions under test."""

    __module__ = "cupy._core.core"
    dtype = np.dtype("float32")

    def get(self):
        return np.arange(3)


@pytest.fixture
def fake_cupy(monkeypatch):
    module = ModuleType("cupy")
    monkeypatch.setitem(sys.modules, "cupy", module)
    return module


def test_is_cupy_looks_at_the_type_s_module_only():
    look_alike = type("ndarray", (), {"__module__": "cupyx_of_another_kind"})()
    assert is_cupy(DeviceArray())
    assert not is_cupy(np.zeros(2))
    assert not is_cupy(look_alike)
    assert not is_cupy(None)


@pytest.mark.parametrize("arrays", [(), (None,), (np.zeros(2),), (np.zeros(2), None, [1, 2], 3.0), ([1, 2],)])
def test_namespace_is_numpy_for_arrays_lists_and_nothing(arrays):
    assert array_namespace(*arrays) is np


def test_namespace_is_cupy_for_device_arrays(fake_cupy):
    assert array_namespace(DeviceArray(), None, [1, 2]) is fake_cupy


def test_mixed_devices_are_refused(fake_cupy):
    with pytest.raises(TypeError, match="both NumPy and CuPy"):
        array_namespace(np.zeros(2), DeviceArray())


def test_as_numpy_gives_the_very_array_or_a_copy_from_the_device():
    host = np.zeros(3)
    assert as_numpy(host) is host
    np.testing.assert_array_equal(as_numpy(DeviceArray()), [0, 1, 2])
    np.testing.assert_array_equal(as_numpy([4, 5]), [4, 5])


def test_tf32_without_cupy_changes_nothing():
    a = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    want = a @ a
    with tf32():
        np.testing.assert_array_equal(a @ a, want)


def test_tf32_sets_cupys_own_switch_and_puts_it_back(fake_cupy):
    class Linalg:
        COMPUTE_TYPE_DEFAULT, COMPUTE_TYPE_TF32 = 1, 7
        kind = 3

        def get_compute_type(self, dtype):
            assert dtype == np.float32
            return self.kind

        def set_compute_type(self, dtype, kind):
            self.kind = kind

    linalg = Linalg()
    fake_cupy._core = type("core", (), {"_routines_linalg": linalg})
    with tf32():
        assert linalg.kind == 7
        with tf32(False):
            assert linalg.kind == 1
        assert linalg.kind == 7
    assert linalg.kind == 3
