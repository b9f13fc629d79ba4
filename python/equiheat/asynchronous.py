# SPDX-License-Identifier: BSD-3-Clause
"""Reductions that travel in one message while the program goes on."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from types import TracebackType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from equiheat import _core, communication, reductions
from equiheat._base import unwrap, wrap
from equiheat._function import Axis
from equiheat.communication import Communicator

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["async_"]

#: Bytes at whose multiples partial results begin: enough for every element type.
_ALIGNMENT = 16
#: How partial results are combined: by the reduction of this name over the ranks.
_OVER_RANKS = {"sum": "sum", "nansum": "sum", "prod": "prod", "nanprod": "prod", "min": "min", "max": "max"} | {
    "any": "any", "all": "all", "count_nonzero": "sum"
}  # fmt: skip


class Later:
    """The result of a reduction that is on its way."""

    __slots__ = ("_make", "_message", "_result", "_slot")

    def __init__(self, message: _Message | None, slot: int, make: Callable[[Tensor], Any], result: Any = None) -> None:
        self._message, self._slot, self._make, self._result = message, slot, make, result

    def wait(self) -> Any:
        """The result, once it is there. Idempotent.

        Inside the block the first call sends what has been collected so far, and is collective; behind it a rank may
        wait alone.
        """
        if self._message is not None:
            self._result = self._make(self._message.parts(self._slot))
            self._message = None
        return self._result

    def test(self) -> bool:
        """True once `wait` would not wait. Local."""
        return self._message is None or self._message.is_there()


class _Message:
    """Partial results of one communicator that travel together."""

    def __init__(self, comm: Communicator) -> None:
        self.comm = comm
        self.partials: list[Tensor] = []
        self.begins = [0]
        self.pending: communication.Pending | None = None

    def add(self, partial: Tensor) -> int:
        """The slot of a partial result."""
        kept = partial.detach().resolve_conj().resolve_neg().contiguous()
        self.partials.append(kept)
        self.begins.append(self.begins[-1] + -(-kept.numel() * kept.element_size() // _ALIGNMENT) * _ALIGNMENT)
        return len(self.partials) - 1

    def send(self) -> None:
        """One non-blocking allgather. Collective; idempotent."""
        if self.pending is not None:
            return
        packed = torch.zeros(self.begins[-1], dtype=torch.uint8)
        for begin, partial in zip(self.begins, self.partials, strict=False):
            flat = partial.reshape(-1).view(torch.uint8)
            packed[begin : begin + flat.numel()] = flat
        self.pending = self.comm.iallgather(packed)

    def is_there(self) -> bool:
        return self.pending is not None and self.pending.test()

    def parts(self, slot: int) -> Tensor:
        """What all ranks have sent in a slot, along a first axis. Waits."""
        self.send()
        assert self.pending is not None
        whole, like, begin = self.pending.wait(), self.partials[slot], self.begins[slot]
        assert whole is not None
        bytes_ = like.numel() * like.element_size()
        rows = whole[:, begin : begin + bytes_].contiguous().to(like.device)
        return rows.view(like.dtype).view(self.comm.size, *like.shape)


class async_:
    """Context whose small reductions across ranks share one message that nobody waits for.

    Its methods are the reductions of the same names; they compute the local part and give a `Later`, whose ``wait()``
    is what the reduction gives. When the block ends, one message carries all partial results of a communicator, and the
    program goes on while it travels. Partial results are combined in the order of ranks.

    Notes
    -----
    Leaving is collective: one non-blocking allgather for each communicator. Reductions that do not cross ranks,
    extremes of an array with empty blocks, and reductions of arrays that require gradients are done at once, with the
    messages they have outside. Meant for results of up to some thousands of elements: all ranks' partial results reach
    every rank.

    Examples
    --------
    >>> x = ht.arange(10, dtype=ht.float32, split=0)
    >>> with ht.async_() as later:
    ...     mean, var, largest = later.mean(x), later.var(x), later.max(x)  # no message yet
    >>> mean.wait().item(), var.wait().item(), largest.wait().item()  # one message for the three
    (4.5, 8.25, 9.0)
    """

    def __init__(self) -> None:
        self._messages: dict[int, _Message] = {}

    def __enter__(self) -> async_:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for message in self._messages.values():
            message.send()
        self._messages = {}

    def _collect(self, comm: Communicator, partial: Tensor, make: Callable[[Tensor], Any]) -> Later:
        message = self._messages.get(id(comm))
        if message is None or message.pending is not None:
            message = self._messages[id(comm)] = _Message(comm)
        return Later(message, message.add(partial), make)

    def allreduce(self, x: Tensor, op: str = "sum", comm: Communicator | None = None) -> Later:
        """`Communicator.allreduce` of a small tensor: "sum", "prod", "min" or "max"."""
        if op not in ("sum", "prod", "min", "max"):
            raise ValueError(f"async_.allreduce: op is {op!r}; it must be 'sum', 'prod', 'min' or 'max'")
        comm = communication.get_comm() if comm is None else comm
        dtype = x.dtype
        fold = getattr(reductions, "any" if dtype == torch.bool and op in ("sum", "max") else op)
        partial = x.float() if dtype in (torch.float16, torch.bfloat16) else x
        return self._collect(comm, partial, lambda parts: fold(_alone(parts), axis=0).larray.to(dtype))

    def _reduced(self, name: str, x: DNDarray, axis: Axis, keepdims: bool) -> Later:
        outside = getattr(reductions, name)
        if not _crosses(x, axis) or (name in ("min", "max") and 0 in (unwrap(x).counts or ())):
            return Later(None, 0, _same, outside(x, axis, keepdims=keepdims))
        wide = (
            {"dtype": torch.float32}
            if _is_half(x) and name not in ("any", "all", "min", "max", "count_nonzero")
            else {}
        )
        partial = outside(_block(x), axis, keepdims=keepdims, **wide).larray
        over_ranks = getattr(reductions, _OVER_RANKS[name])
        result_type = x.larray.dtype if wide else partial.dtype

        def make(parts: Tensor) -> DNDarray:
            return _replicated(over_ranks(_alone(parts), axis=0).larray.to(result_type), x)

        return self._collect(x.comm, partial, make)

    def sum(self, x: DNDarray, axis: Axis = None, *, keepdims: bool = False) -> Later:
        """`equiheat.sum`."""
        return self._reduced("sum", x, axis, keepdims)

    def nansum(self, x: DNDarray, axis: Axis = None, *, keepdims: bool = False) -> Later:
        """`equiheat.nansum`."""
        return self._reduced("nansum", x, axis, keepdims)

    def prod(self, x: DNDarray, axis: Axis = None, *, keepdims: bool = False) -> Later:
        """`equiheat.prod`."""
        return self._reduced("prod", x, axis, keepdims)

    def min(self, x: DNDarray, axis: Axis = None, *, keepdims: bool = False) -> Later:
        """`equiheat.min`."""
        return self._reduced("min", x, axis, keepdims)

    def max(self, x: DNDarray, axis: Axis = None, *, keepdims: bool = False) -> Later:
        """`equiheat.max`."""
        return self._reduced("max", x, axis, keepdims)

    def any(self, x: DNDarray, axis: Axis = None, *, keepdims: bool = False) -> Later:
        """`equiheat.any`."""
        return self._reduced("any", x, axis, keepdims)

    def all(self, x: DNDarray, axis: Axis = None, *, keepdims: bool = False) -> Later:
        """`equiheat.all`."""
        return self._reduced("all", x, axis, keepdims)

    def count_nonzero(self, x: DNDarray, axis: Axis = None, *, keepdims: bool = False) -> Later:
        """`equiheat.count_nonzero`."""
        return self._reduced("count_nonzero", x, axis, keepdims)

    def mean(self, x: DNDarray, axis: Axis = None, *, keepdims: bool = False) -> Later:
        """`equiheat.mean`."""
        if not _crosses(x, axis):
            return Later(None, 0, _same, reductions.mean(x, axis, keepdims=keepdims))
        given = x.larray.dtype
        result = given if given.is_floating_point or given.is_complex else torch.float32
        inside = torch.float32 if _is_half(x) else given if result == given else torch.float64
        partial = reductions.sum(_block(x), axis, keepdims=keepdims, dtype=inside).larray
        count = _extent(x, axis)
        return self._collect(x.comm, partial, lambda parts: _replicated((parts.sum(0) / count).to(result), x))

    def var(self, x: DNDarray, axis: Axis = None, ddof: float = 0, *, keepdims: bool = False) -> Later:
        """`equiheat.var`: the ranks' means and squared deviations, merged (Chan, Golub, LeVeque 1983)."""
        return self._spread(reductions.var, x, axis, ddof, keepdims, _same)

    def std(self, x: DNDarray, axis: Axis = None, ddof: float = 0, *, keepdims: bool = False) -> Later:
        """`equiheat.std`."""
        return self._spread(reductions.std, x, axis, ddof, keepdims, torch.sqrt)

    def _spread(
        self, outside: Any, x: DNDarray, axis: Axis, ddof: float, keepdims: bool, last: Callable[[Tensor], Tensor]
    ) -> Later:
        if not _crosses(x, axis) or _extent(x, axis) == 0 or x.larray.dtype.is_complex:
            return Later(None, 0, _same, outside(x, axis, ddof, keepdims=keepdims))
        assert x.split is not None
        given = x.larray.dtype
        result = given if given.is_floating_point else torch.float32
        inside = torch.float64 if result != given else torch.float32 if _is_half(x) else given
        total, rows = _extent(x, axis), x.shape[x.split]
        counts = torch.tensor(unwrap(x).counts, dtype=torch.float64) * (total // rows)
        block, own = _block(x), float(counts[x.comm.rank])
        options: dict[str, Any] = {"keepdims": keepdims, "dtype": inside}
        mean = reductions.sum(block, axis, **options).larray / max(own, 1.0)
        around = reductions.var(block, axis, **options).larray * own if own else torch.zeros_like(mean)

        def make(parts: Tensor) -> DNDarray:
            means, inner = parts.double().unbind(1)
            weights = counts.view(-1, *[1] * (means.dim() - 1)).to(means.device)
            between = ((means - (means * weights).sum(0) / total) ** 2 * weights).sum(0)
            divisor = max(total - ddof, 0.0)
            return _replicated(last((inner.sum(0) + between) / divisor).to(result), x)

        return self._collect(x.comm, torch.stack((mean, around)), make)


def _same(result: Any) -> Any:
    return result


def _is_half(x: DNDarray) -> bool:
    return x.larray.dtype in (torch.float16, torch.bfloat16)


def _axes(x: DNDarray, axis: Axis) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    return tuple(a % max(x.ndim, 1) for a in (axis if isinstance(axis, tuple) else (axis,)))


def _extent(x: DNDarray, axis: Axis) -> int:
    """Elements behind one of the result."""
    return prod(x.shape[a] for a in _axes(x, axis))


def _crosses(x: DNDarray, axis: Axis) -> bool:
    """Whether ranks hold partial results whose message may wait. Errors in the axes are left to the reduction."""
    core = unwrap(x, "async_")
    valid = axis is None or all(-x.ndim <= a < x.ndim for a in (axis if isinstance(axis, tuple) else (axis,)))
    return bool(core.is_distributed and not core.local.requires_grad and valid and core.split in _axes(x, axis))


def _alone(parts: Tensor) -> DNDarray:
    """A tensor as an array of this rank alone."""
    return wrap(_core.Array(parts, list(parts.shape), None, None, communication.MPI_SELF.core))


def _block(x: DNDarray) -> DNDarray:
    return _alone(x.larray)


def _replicated(whole: Tensor, like: DNDarray) -> DNDarray:
    return wrap(_core.Array(whole, list(whole.shape), None, None, unwrap(like).comm))
