# SPDX-License-Identifier: BSD-3-Clause
"""Checks of arguments under Heat's names. Local unless said otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from equiheat import distribution
from equiheat._base import ArrayBase, wrap
from equiheat.array import DNDarray
from equiheat.communication import Communicator
from equiheat.manipulation import expand_dims

__all__ = [
    "sanitize_distribution", "sanitize_in", "sanitize_in_min_max_nd", "sanitize_in_nd_realfloating",
    "sanitize_in_tensor", "sanitize_infinity", "sanitize_lshape", "sanitize_out", "sanitize_sequence", "scalar_to_1d",
]  # fmt: skip


def sanitize_distribution(*args: DNDarray, target: DNDarray, diff_map: torch.Tensor | None = None) -> Any:
    """Arrays laid out as `target`, or as the (ranks, ndim) map of block shapes `diff_map` says.

    Returns
    -------
    DNDarray or tuple of DNDarray
        One for one argument. Collective: one alltoallv for each array that lies otherwise.

    Raises
    ------
    TypeError
        If an argument is no DNDarray.
    """
    sanitize_in(target)
    results = []
    for x in args:
        sanitize_in(x)
        moved = x if x.split == target.split else distribution.resplit(x, target.split)
        if target.split is not None and moved.ndim > target.split:
            wanted = target.lshape_map if diff_map is None else diff_map
            counts = [int(n) for n in wanted[:, target.split]]
            if sum(counts) == moved.shape[target.split] and moved._core.counts != counts:
                moved = wrap(moved._core.redistribute(counts))
        results.append(moved)
    return results[0] if len(results) == 1 else tuple(results)


def sanitize_in(x: Any) -> None:
    """TypeError unless x is a DNDarray."""
    if not isinstance(x, ArrayBase):
        raise TypeError(f"Input must be a DNDarray, is {type(x)}")


def sanitize_in_tensor(x: Any) -> None:
    """TypeError unless x is a tensor of torch."""
    if not isinstance(x, torch.Tensor):
        raise TypeError(f"Input must be a torch.Tensor, is {type(x)}")


def sanitize_in_min_max_nd(input: Any, min_nd: int | None = None, max_nd: int | None = None) -> None:
    """TypeError unless a DNDarray, ValueError unless it has `min_nd` to `max_nd` axes."""
    sanitize_in(input)
    if min_nd is not None and input.ndim < min_nd:
        raise ValueError(f"Input must have at least {min_nd} dimensions, has {input.ndim}")
    if max_nd is not None and input.ndim > max_nd:
        raise ValueError(f"Input must have at most {max_nd} dimensions, has {input.ndim}")


def sanitize_in_nd_realfloating(input: Any, inputname: str, allowed_ns: list[int]) -> None:
    """TypeError unless a DNDarray of float32 or float64, ValueError unless its number of axes is allowed."""
    if not isinstance(input, DNDarray):
        raise TypeError(f"Argument {inputname} needs to be a DNDarray but is {type(input)}.")
    if input.ndim not in allowed_ns:
        raise ValueError(f"Argument {inputname} needs to have {allowed_ns} dimensions, but has {input.ndim}.")
    if input.larray.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"Argument {inputname} needs to be of type float32 or float64, but is {input.dtype}.")


def sanitize_infinity(x: Any) -> float:
    """The largest number of the dtype of x: what stands for infinity among integers."""
    dtype = (x.larray if isinstance(x, DNDarray) else x).dtype
    if dtype.is_floating_point:
        return float("inf")
    return int(torch.iinfo(torch.uint8 if dtype == torch.bool else dtype).max)


def sanitize_lshape(array: DNDarray, tensor: torch.Tensor) -> None:
    """ValueError unless the tensor may be this rank's block of the array: equal extents off the split."""
    sanitize_in(array)
    sanitize_in_tensor(tensor)
    given, wanted = tuple(tensor.shape), list(array.shape)
    if array.split is not None and len(given) == len(wanted):
        wanted[array.split] = given[array.split]
    if given != tuple(wanted):
        raise ValueError(f"Shape of local tensor is inconsistent with global DNDarray: {given} in {array.shape}")


def sanitize_out(
    out: Any, output_shape: Sequence[int], output_split: int | None, output_device: Any,
    output_comm: Communicator | None = None,
) -> None:  # fmt: skip
    """TypeError or ValueError unless `out` is a DNDarray of this shape, split, device and communicator."""
    if not isinstance(out, DNDarray):
        raise TypeError(f"expected out to be None or a DNDarray, but was {type(out)}")
    if out.shape != tuple(output_shape):
        raise ValueError(f"Expecting output buffer of shape {tuple(output_shape)}, got {out.shape}")
    if out.split != output_split:
        raise ValueError(f"Split axis of output buffer is {out.split}, expected {output_split}")
    if output_device is not None and out.device != output_device:
        raise ValueError(f"Device mismatch: out is on {out.device}, should be on {output_device}")
    if output_comm is not None and out.comm is not output_comm:
        raise NotImplementedError("Communicators of input and output array do not match.")


def sanitize_sequence(seq: Any) -> list[Any]:
    """A list of the entries of a list, tuple, 1-D array or tensor; TypeError for anything else.

    Collective for a split array, which is gathered.
    """
    if isinstance(seq, list):
        return seq
    if isinstance(seq, tuple):
        return list(seq)
    if isinstance(seq, (DNDarray, torch.Tensor)):
        return list(seq.tolist())
    raise TypeError(f"seq must be a list, a tuple, a torch.Tensor or a DNDarray, got {type(seq)}")


def scalar_to_1d(x: DNDarray) -> DNDarray:
    """An array of one element as one of shape (1,). ValueError for any other."""
    if x.size != 1:
        raise ValueError(f"scalar_to_1d: needs an array of one element, the array has shape {x.shape}")
    if x.ndim == 1:
        return x
    return expand_dims(x, 0) if x.ndim == 0 else x.reshape((1,))
