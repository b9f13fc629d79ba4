# SPDX-License-Identifier: BSD-3-Clause
"""Exchange of memory and meaning with other array libraries: DLPack, the array API standard, torch, partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.utils.dlpack

from equiheat._base import ArrayBase
from equiheat.construction import asarray
from equiheat.devices import sanitize_device

if TYPE_CHECKING:
    from types import ModuleType

    from equiheat.array import DNDarray

__all__ = ["from_dlpack"]

#: Versions of the array API standard whose programs run.
_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> DNDarray:
    """An array on the memory of another library's array.

    Parameters
    ----------
    x
        Has ``__dlpack__``; the same values on every rank. A DNDarray gives itself, split as it is.
    device
        "cpu", "gpu" or a `Device`; default: that of x.
    copy
        None: only if needed; True: always; False: never.

    Returns
    -------
    DNDarray
        Replicated, or split along the default split (then each rank copies its chunk).

    Raises
    ------
    ValueError
        With ``copy=False`` where a copy is needed.
    BufferError
        If the other library cannot export the array.

    Notes
    -----
    A split DNDarray passed to another library's ``from_dlpack`` gives this rank's block, without a copy: the protocol
    must work on one rank alone and cannot communicate. ``x.resplit(None)`` gives the whole array.

    Examples
    --------
    >>> ht.from_dlpack(torch.arange(3)).tolist()
    [0, 1, 2]
    """
    if isinstance(x, ArrayBase):
        return asarray(x, device=device, copy=copy)
    tensor = x if isinstance(x, torch.Tensor) else torch.utils.dlpack.from_dlpack(x)
    where = tensor.device if device is None else sanitize_device(device).torch_device
    if copy is False and where != tensor.device:
        raise ValueError(f"from_dlpack: copy=False, but moving from {tensor.device} to {where} needs a copy")
    return asarray(tensor, device=device, copy=copy)


class InterchangeMethods:
    """Methods of arrays that other libraries call."""

    __slots__ = ()

    def __array_namespace__(self, /, *, api_version: str | None = None) -> ModuleType:
        """The array API standard on these arrays: `equiheat.array_api`. Local.

        Raises
        ------
        ValueError
            For a version of the standard that is not known.
        """
        if api_version is not None and api_version not in _VERSIONS:
            known = ", ".join(_VERSIONS)
            raise ValueError(f"__array_namespace__: api_version must be one of {known}, is {api_version!r}")
        from equiheat import array_api

        return array_api

    def __dlpack__(
        self: Any,
        /,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[Any, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """This rank's block for another library, without a copy; the whole array when it is replicated. Local.

        The protocol may run on one rank only, so that it must not communicate: ``x.resplit(None)`` gives the whole of
        a split array first.
        """
        return self._core.local.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)

    def __dlpack_device__(self: Any, /) -> tuple[Any, int]:
        """Kind and number of the device of this rank's block. Local."""
        kind, number = self._core.local.__dlpack_device__()
        return kind, number
