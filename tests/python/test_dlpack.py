# SPDX-License-Identifier: BSD-3-Clause
"""DLPack: memory that torch cannot share, and what is refused, with the errors of the standard."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import equiheat as ht


class Old:
    """An array from before DLPack 1.0."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __dlpack__(self, stream: Any = None) -> Any:
        return self.values.__dlpack__(stream=stream)

    def __dlpack_device__(self) -> tuple[Any, int]:
        return self.values.__dlpack_device__()


def read_only(values: np.ndarray) -> np.ndarray:
    values.flags.writeable = False
    return values


@pytest.fixture(autouse=True)
def _replicated() -> Any:
    with ht.default_split(None):
        yield


@pytest.mark.parametrize("wrapped", [np.asarray, Old])
@pytest.mark.parametrize("values", [np.arange(6)[::-1], np.arange(6.0).reshape(2, 3)[:, ::-1], np.arange(1)[::-1]])
def test_negative_strides_are_copied(values: np.ndarray, wrapped: Any) -> None:
    """torch ended the process."""
    for copy in (None, True):
        np.testing.assert_array_equal(ht.from_dlpack(wrapped(values), copy=copy).numpy(), values)
    if values.size > 1:  # NumPy gives one element a positive stride
        with pytest.raises(BufferError, match="negative strides"):
            ht.from_dlpack(wrapped(values), copy=False)


def test_read_only_memory_stays_as_it_is() -> None:
    values = read_only(np.arange(3.0))
    x = ht.from_dlpack(values)
    x[0] = 5
    assert (x.tolist(), values.tolist()) == ([5, 1, 2], [0, 1, 2])
    with pytest.raises(BufferError, match="read-only"):
        ht.from_dlpack(values, copy=False)


@pytest.mark.parametrize("wrapped", [np.asarray, Old, torch.from_numpy])
def test_other_memory_is_shared(wrapped: Any) -> None:
    values = np.arange(8.0)
    for copy in (None, False):
        ht.from_dlpack(wrapped(values[::2]) if wrapped is not Old else Old(values[::2]), copy=copy)[1] = 7
        assert values[2] == 7
        values[2] = 2
    for empty in (np.zeros((0, 3)), np.array(2.5), np.array([True, False])):
        np.testing.assert_array_equal(ht.from_dlpack(wrapped(empty)).numpy(), empty)


@pytest.mark.parametrize("options", [{"dl_device": (2, 0)}, {"dl_device": (2, 0), "copy": False}])
@pytest.mark.skipif(torch.cuda.is_available(), reason="the device is there")
def test_what_cannot_be_exported_is_a_buffer_error(options: dict[str, Any]) -> None:
    with pytest.raises(BufferError, match="__dlpack__"):
        ht.arange(3).__dlpack__(**options)


def test_memory_of_the_cpu_has_no_stream() -> None:
    x = ht.arange(3, device="cpu")
    for stream in (1, -1, 0):
        with pytest.raises(ValueError, match="stream"):
            x.__dlpack__(stream=stream)
    assert torch.from_dlpack(x).tolist() == np.from_dlpack(x).tolist() == [0, 1, 2]


@pytest.mark.parametrize("what", [[1, 2], 3, None, "a"])
def test_what_has_no_dlpack_is_told_so(what: Any) -> None:
    with pytest.raises(TypeError, match=r"from_dlpack: x must have __dlpack__, a \w+ has not"):
        ht.from_dlpack(what)
