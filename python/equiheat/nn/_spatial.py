# SPDX-License-Identifier: BSD-3-Clause
"""Windows of split images: what layers with kernels, strides and padding need of other ranks."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from torch import Tensor

from equiheat import blocks
from equiheat._base import ArrayBase, wrap

if TYPE_CHECKING:
    from equiheat.array import DNDarray


@dataclass(frozen=True)
class Taps:
    """How a layer walks along one axis."""

    kernel: int
    stride: int = 1
    dilation: int = 1
    before: int = 0  #: padding
    after: int = 0
    ceil: bool = False

    @property
    def reach(self) -> int:
        """Entries from the first to the last one a kernel looks at."""
        return self.dilation * (self.kernel - 1) + 1

    def results(self, n: int) -> int:
        """Extent of the result."""
        free = n + self.before + self.after - self.reach
        count = -(-free // self.stride) + 1 if self.ceil else free // self.stride + 1
        if self.ceil and (count - 1) * self.stride >= n + self.before:
            count -= 1  # no window starts in the padding behind
        return max(count, 0)


def tuple_of(value: Any, axes: int) -> tuple[int, ...]:
    """One number for each axis; a single one counts for all of them."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(values) not in (1, axes):
        raise ValueError(f"{len(values)} numbers {values} for {axes} spatial axes; give one, or one for each")
    return values if len(values) == axes else values * axes


def block_of(x: Any, name: str, argument: str = "input") -> blocks.Array:
    """The native array inside a DNDarray."""
    if not isinstance(x, ArrayBase):
        raise TypeError(f"{name}: {argument} must be a DNDarray beside others, is {type(x)}; ht.array(...) makes one")
    return x._core


def image(name: str, x: Any, axes: int) -> blocks.Array:
    """The native array of images (N, C, *spatial), split along the batch or a spatial axis. May communicate."""
    core = block_of(x, name)
    if core.ndim != axes + 2:
        wanted = f"{axes + 2} axes (N, C, ...), or {axes + 1} without N"
        raise ValueError(f"{name}: input must have {wanted}, has shape {tuple(core.gshape)}")
    return core.resplit(2) if core.split == 1 else core


def of_one_image(rule: Callable[..., Any], axes: int) -> Callable[..., Any]:
    """The rule, which takes images (N, C, *spatial), of a single one (C, *spatial) too, as torch has it."""

    @functools.wraps(rule)
    def apply(input: Any, *args: Any, **kwargs: Any) -> Any:
        single = isinstance(input, ArrayBase) and input._core.ndim == axes + 1
        result = rule(cast("Any", input)[None] if single else input, *args, **kwargs)
        return result[0] if single else result

    return apply


def check_floating(name: str, core: blocks.Array) -> None:
    """For operators that torch has for floating types alone: an empty block would not notice, and wait for others."""
    if not core.local.is_floating_point():
        raise TypeError(f"{name}: input must have a floating type, has {core.local.dtype}")


def counts_for(core: blocks.Array, n: int) -> list[int]:
    """Extents of a result of n entries along the split: the input's if it has as many, else balanced."""
    assert core.counts is not None and core.split is not None
    if sum(core.counts) == n:
        return list(core.counts)
    size = core.comm.size
    return [n // size + (rank < n % size) for rank in range(size)]


def result(core: blocks.Array, local: Tensor, shape: Sequence[int], counts: list[int] | None = None) -> DNDarray:
    """The array of the blocks a layer has computed."""
    if core.split is not None and counts is None:
        counts = core.counts
    return wrap(blocks.array(local, shape, core.split, counts, core))


def laid_out(y: Any, like: blocks.Array, split: int | None = None) -> Tensor:
    """The block of y that lies beside that of `like`, along `like`'s split or along `split`. Collective."""
    axis = like.split if split is None else split
    if like.split is None:
        block: Tensor = y.resplit(None)._core.local
        return block
    counts = like.counts
    assert counts is not None
    moved = y.resplit(axis)._core
    rank = like.comm.rank
    begins = [sum(counts[:k]) for k in range(len(counts))]
    if moved.counts == counts:
        return moved.local
    window = blocks.window(moved, axis or 0, begins, [b + c for b, c in zip(begins, counts, strict=True)])
    return window.narrow(axis or 0, 0, counts[rank])


@dataclass(frozen=True)
class Window:
    """This rank's rows for its results along the split axis."""

    rows: Tensor
    counts: list[int]
    own: int  #: results of this rank; rows suffice for one where there are none


def along_split(core: blocks.Array, taps: Taps, boundary: str = "constant", fill: float = 0.0) -> Window:
    """The rows that this rank's results look at, padding included. Collective."""
    assert core.split is not None
    counts = counts_for(core, taps.results(core.gshape[core.split]))
    begins, ends, first = [], [], 0
    for count in counts:
        begins.append(first * taps.stride - taps.before)
        ends.append(begins[-1] + (max(count, 1) - 1) * taps.stride + taps.reach)
        first += count
    rows = blocks.window(core, core.split, begins, ends, boundary, fill)
    return Window(rows, counts, counts[core.comm.rank])
