# SPDX-License-Identifier: BSD-3-Clause
"""Heat's base class of tests, for programs that bring tests written with it."""

from __future__ import annotations

import itertools
import os
import platform
import tempfile
import unittest
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from equiheat.array import DNDarray
from equiheat.communication import Communicator, get_comm
from equiheat.construction import array
from equiheat.devices import get_device, sanitize_device, use_device

__all__ = ["TestCase"]


class TestCase(unittest.TestCase):
    """Checks of arrays against NumPy under every split. All of them are collective.

    The environment variable HEAT_TEST_USE_DEVICE ("cpu" or "gpu") chooses the device.
    """

    device: Any = None
    other_device: Any = None
    _hostnames: list[str] | None = None

    @classmethod
    def setUpClass(cls) -> None:
        """Choose the device."""
        chosen = os.environ.get("HEAT_TEST_USE_DEVICE", "cpu").lower()
        if chosen not in ("cpu", "gpu"):
            raise RuntimeError(f"HEAT_TEST_USE_DEVICE must be 'cpu' or 'gpu', is {chosen!r}")
        use_device(chosen)
        cls.device = get_device()
        cls.other_device = sanitize_device("gpu") if chosen == "cpu" and torch.cuda.is_available() else cls.device

    def setUp(self) -> None:
        """Begin every test at the same place of the generator."""
        torch.manual_seed(0)

    @property
    def comm(self) -> Communicator:
        """The default communicator."""
        return get_comm()

    def get_rank(self) -> int | None:
        """This rank."""
        return get_comm().rank

    def get_size(self) -> int | None:
        """Number of ranks."""
        return get_comm().size

    @classmethod
    def get_hostnames(cls) -> list[str]:
        """Names of the hosts of all ranks."""
        if cls._hostnames is None:
            cls._hostnames = sorted(set(get_comm().handle.allgather(platform.node())))
        return cls._hostnames

    def get_tmpdir(self) -> str:
        """A new folder, the same on every rank; removed when the test has ended on all of them."""
        folder = tempfile.TemporaryDirectory() if get_comm().rank == 0 else None
        if folder is not None:
            self.addCleanup(folder.cleanup)
        self.addCleanup(get_comm().barrier)  # clean-ups run last in, first out
        return str(get_comm().handle.bcast(folder.name if folder is not None else None, root=0))

    def assert_array_equal(
        self, heat_array: DNDarray, expected_array: Any, rtol: float = 1e-5, atol: float = 1e-8
    ) -> None:
        """Shape, extents of the blocks and values are those of a NumPy array or tensor."""
        assert isinstance(heat_array, DNDarray), f"The array to test was not a DNDarray, but {type(heat_array)}."
        expected = expected_array.cpu().numpy() if isinstance(expected_array, torch.Tensor) else expected_array
        expected = np.asarray(expected)
        assert heat_array.shape == expected.shape, "Global shapes do not match."
        if heat_array.split is None:
            assert tuple(heat_array.larray.shape) == expected.shape
        else:
            extents = heat_array.lshape_map[:, heat_array.split].sum().item()
            assert extents == expected.shape[heat_array.split]
        values = heat_array.numpy()
        assert np.allclose(values, expected, rtol=rtol, atol=atol, equal_nan=values.dtype.kind in "fc"), (
            f"Values do not match on rank {get_comm().rank}: {values} and {expected}"
        )

    def assert_func_equal(
        self,
        shape: Sequence[int],
        heat_func: Callable[..., Any],
        numpy_func: Callable[..., Any],
        distributed_result: bool = True,
        heat_args: dict[str, Any] | None = None,
        numpy_args: dict[str, Any] | None = None,
        data_types: tuple[type, ...] = (np.int32, np.int64, np.float32, np.float64),
        low: int = -10000,
        high: int = 10000,
    ) -> None:
        """A function of random arrays of this shape gives NumPy's results for every dtype and split."""
        if not isinstance(shape, (tuple, list)):
            raise ValueError(f"The shape must be either a list or a tuple but was {type(shape)}")
        generator = np.random.default_rng(0)
        for dtype in data_types:
            kind = np.dtype(dtype)
            if kind.kind in "iu":
                info: Any = np.iinfo(dtype)
                values = generator.integers(max(low, info.min), min(high, info.max), shape, dtype=kind)
            else:
                values = generator.uniform(low, high, shape).astype(kind)
            self.assert_func_equal_for_tensor(
                np.asarray(values), heat_func, numpy_func, heat_args, numpy_args, distributed_result
            )

    def assert_func_equal_for_tensor(
        self,
        tensor: Any,
        heat_func: Callable[..., Any],
        numpy_func: Callable[..., Any],
        heat_args: dict[str, Any] | None = None,
        numpy_args: dict[str, Any] | None = None,
        distributed_result: bool = True,
    ) -> None:
        """A function of this array gives NumPy's results for every split."""
        if not isinstance(tensor, (np.ndarray, torch.Tensor)):
            raise TypeError(f"The input tensors must be of type np.ndarray or torch.tensor, is {type(tensor)}")
        values = tensor.cpu().numpy() if isinstance(tensor, torch.Tensor) else tensor
        expected = numpy_func(values.copy(), **(numpy_args or {}))
        for split in (None, *range(values.ndim)):
            result = heat_func(array(values, split=split), **(heat_args or {}))
            assert result.device == self.device
            if distributed_result or result.split is None:
                self.assert_array_equal(result, expected)
            else:
                assert np.array_equal(result.larray.cpu().numpy(), expected)

    def assertTrue_memory_layout(self, tensor: DNDarray, order: str) -> None:
        """The axes of the blocks lie in memory in the order "C" or "F"."""
        strides = tensor.larray.stride()
        if order not in ("C", "F"):
            raise ValueError(f"expected order to be 'C' or 'F', but was {order}")
        pairs = list(itertools.pairwise(strides))
        holds = all(a >= b for a, b in pairs) if order == "C" else all(a <= b for a, b in pairs)
        assert holds, f"strides {strides} are not in order {order}"
