# SPDX-License-Identifier: BSD-3-Clause
"""Methods that models call on tensors and NumPy's arrays lack: ``x.permute(0, 2, 3, 1)``, ``x.view(n, -1)``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from equiheat.blocks import Array
from equiheat.interchange import named_function

__all__ = ["ElementCount", "TorchMethods"]


def _method(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return named_function(name, (self, *args), kwargs)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"As ``torch.{name}``."
    return method


def _rule(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(torch, name)(self, *args, **kwargs)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"As ``torch.{name}``."
    return method


def _sequence(args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(args[0]) if len(args) == 1 and isinstance(args[0], (tuple, list)) else args


class ElementCount(int):
    """NumPy's number of elements, called as torch's method: ``x.size()`` is the shape, ``x.size(0)`` an extent."""

    _core: Array

    @classmethod
    def of(cls, core: Array) -> ElementCount:
        """The number of elements of an array."""
        count = cls(core.size)
        count._core = core
        return count

    def __call__(self, dim: int | None = None) -> Any:
        """The shape, or the extent of one axis."""
        shape = self._core.gshape
        if dim is None:
            return torch.Size(shape)
        if not -len(shape) <= dim < len(shape):
            raise IndexError(f"size: axis {dim} is out of bounds for {len(shape)}-dimensional array")
        return shape[dim]

    def __reduce__(self) -> Any:
        return int, (int(self),)


class TorchMethods:
    """Methods of arrays that are named as those of tensors, with their meaning."""

    __slots__ = ()

    is_nested = False  #: blocks of a batch have one shape; layers ask

    add, sub, mul, div = (_method(name) for name in ("add", "sub", "mul", "div"))
    amax, amin, bmm, mm, t = (_method(name) for name in ("amax", "amin", "bmm", "mm", "t"))
    chunk, unbind, narrow, movedim = (_method(name) for name in ("chunk", "unbind", "narrow", "movedim"))
    clamp, clone, masked_fill = (_method(name) for name in ("clamp", "clone", "masked_fill"))
    logsumexp, numel, unsqueeze = (_method(name) for name in ("logsumexp", "numel", "unsqueeze"))
    relu, sigmoid, rsqrt = (_rule(name) for name in ("relu", "sigmoid", "rsqrt"))
    softmax, log_softmax = (_rule(name) for name in ("softmax", "log_softmax"))

    def pow(self: Any, exponent: Any) -> Any:
        """As ``torch.pow``."""
        return self**exponent

    def permute(self: Any, *dims: Any) -> Any:
        """Axes in another order, as `equiheat.transpose`."""
        return named_function("permute", (self, _sequence(dims)), {})

    def view(self: Any, *shape: Any) -> Any:
        """As `equiheat.reshape`; a copy where blocks have to move."""
        sizes = _sequence(shape)
        if not sizes or not all(isinstance(n, int) for n in sizes):
            raise TypeError(f"view: expects the extents of a shape, gets {shape}; astype gives another type")
        return self.reshape(sizes)

    def unflatten(self: Any, dim: int, sizes: Any) -> Any:
        """One axis becomes several."""
        return named_function("unflatten", (self, dim, sizes), {})

    def contiguous(self: Any, memory_format: Any = None) -> Any:
        """The array itself. Local."""
        return self

    def is_floating_point(self: Any) -> bool:
        """Whether the type is one of floating numbers. Local."""
        return bool(self._core.local.is_floating_point())
