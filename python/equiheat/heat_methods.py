# SPDX-License-Identifier: BSD-3-Clause
"""What Heat's array class has beyond operations: a constructor from blocks, an index on blocks, a diagonal to fill.

And the methods whose parameters Heat names otherwise than its functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from equiheat import _core, arithmetic, comparison, dtypes, manipulation, rounding
from equiheat._function import Operand
from equiheat._sanitize import DeviceLike, sanitize_split
from equiheat.communication import Communicator, sanitize_comm
from equiheat.devices import sanitize_device

__all__ = ["LocalIndex"]

_power = _core.operators["power"]


def _without_modulo(modulo: object) -> None:
    if modulo is not None:
        raise NotImplementedError("pow: a modulo is not offered; take the remainder afterwards")


class LocalIndex:
    """Reads and writes this rank's block with torch's indices: ``x.lloc[0]``, ``x.lloc[:, 1] = 2``. Local."""

    def __init__(self, obj: torch.Tensor) -> None:
        self.obj = obj

    def __getitem__(self, key: Any) -> torch.Tensor:
        return self.obj[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.obj[key] = value


class HeatMethods:
    """Methods of arrays."""

    __slots__ = ()

    def __init__(
        self: Any,
        array: torch.Tensor,
        gshape: Sequence[int],
        dtype: Any,
        split: int | None,
        device: DeviceLike,
        comm: Communicator | None,
        balanced: bool | None,
    ) -> None:
        """An array around this rank's block.

        Parameters
        ----------
        array
            The block; the whole array where `split` is None.
        gshape, dtype, split, device, comm
            Of the global array; every rank must give the same.
        balanced
            True: the blocks follow the chunk rule (local). Otherwise their extents are exchanged (collective).

        Raises
        ------
        ValueError
            If the block does not fit the layout.
        """
        ranks = sanitize_comm(comm).core
        shape = list(gshape)
        axis = sanitize_split(split, len(shape), "DNDarray")
        block = array.to(dtype=dtypes.torch_dtype(dtype), device=sanitize_device(device).torch_device)
        if axis is None or balanced:
            self._core = _core.Array(block, shape, axis, None, ranks)
            return
        core = _core.from_blocks(block, axis, ranks)
        if list(core.gshape) != shape:
            raise ValueError(f"DNDarray: the blocks make an array of shape {tuple(core.gshape)}, not {tuple(shape)}")
        self._core = core

    @property
    def lloc(self: Any) -> LocalIndex:
        """This rank's block, indexed as a tensor. Local."""
        return LocalIndex(self._core.local)

    def fill_diagonal(self: Any, value: float) -> Any:
        """Write a number onto the main diagonal of a matrix, in place; returns the array. Local.

        Raises
        ------
        ValueError
            If the array has not two axes.

        Examples
        --------
        >>> ht.zeros((2, 3), split=0).fill_diagonal(1).tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
        """
        core = self._core
        if core.ndim != 2:
            raise ValueError(f"fill_diagonal: a matrix is needed, the array has {core.ndim} axes")
        offset = 0 if core.counts is None else sum(core.counts[: core.comm.rank])
        core.local.diagonal(offset if core.split == 0 else -offset).fill_(value)
        return self

    def __pow__(self: Any, other: Operand, modulo: None = None) -> Any:
        """`power`; NotImplementedError for a modulo, as in Heat."""
        _without_modulo(modulo)
        return _power(self, other)

    def __rpow__(self: Any, other: Operand, modulo: None = None) -> Any:
        """`power` of another operand and this array."""
        _without_modulo(modulo)
        return _power(other, self)

    def __divmod__(self: Any, other: Operand) -> Any:
        """`divmod` of this array and another."""
        return arithmetic.divmod(self, other)

    def __rdivmod__(self: Any, other: Operand) -> Any:
        """`divmod` of another operand and this array."""
        return arithmetic.divmod(other, self)

    def isclose(self: Any, other: Operand, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
        """See `equiheat.isclose`."""
        return comparison.isclose(self, other, rtol, atol, equal_nan)

    def allclose(self: Any, other: Operand, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
        """See `equiheat.allclose`. Collective."""
        return comparison.allclose(self, other, rtol, atol, equal_nan)

    def clip(
        self: Any,
        a_min: Operand = None,
        a_max: Operand = None,
        out: Any = None,
        *,
        min: Operand = None,
        max: Operand = None,
    ) -> Any:
        """See `equiheat.clip`; bounds have Heat's names or NumPy's."""
        return rounding.clip(self, min if a_min is None else a_min, max if a_max is None else a_max, out)

    def rot90(self: Any, k: int = 1, axis: Sequence[int] = (0, 1), *, axes: Sequence[int] | None = None) -> Any:
        """See `equiheat.rot90`; the axes have Heat's name or NumPy's."""
        return manipulation.rot90(self, k, axis if axes is None else axes)
