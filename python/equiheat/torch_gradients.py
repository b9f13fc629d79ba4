# SPDX-License-Identifier: BSD-3-Clause
"""``torch.autograd.grad`` of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from equiheat._base import ArrayBase, unwrap, wrap
from equiheat.conversion import aligned_with


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """Gradients of `outputs`, weighted with `grad_outputs`, by `inputs`: arrays split as these. Collective.

    Raises
    ------
    RuntimeError
        For an output of several elements without weights, and where torch's own raises.
    NotImplementedError
        With ``is_grads_batched``: blocks of a batch of gradients are not split as the output.
    """
    if is_grads_batched:
        raise NotImplementedError("torch.autograd.grad: is_grads_batched is not supported for DNDarrays; use a loop")
    ends, starts = _several(outputs), _several(inputs)
    weights = [None] * len(ends) if grad_outputs is None else _several(grad_outputs)
    pairs = [_local_end(end, weight) for end, weight in zip(ends, weights, strict=True)]
    found = torch.autograd.grad(
        [end for end, _ in pairs],
        [_local(start) for start in starts],
        [weight for _, weight in pairs],
        retain_graph=retain_graph,
        create_graph=create_graph,
        allow_unused=allow_unused,
        materialize_grads=materialize_grads,
    )
    return tuple(
        wrap(start._core.with_local(gradient)) if isinstance(start, ArrayBase) and gradient is not None else gradient
        for start, gradient in zip(starts, found, strict=True)
    )


def _several(x: Any) -> Sequence[Any]:
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def _local(x: Any) -> Tensor:
    return x._core.local if isinstance(x, ArrayBase) else x


def _local_end(end: Any, weight: Any) -> tuple[Tensor, Tensor | None]:
    """The block to start from and its weights; one element counts once, not once per rank."""
    if not isinstance(end, ArrayBase):
        return end, weight
    core = end._core
    if weight is not None:
        return core.local, aligned_with(core, unwrap(weight, "torch.autograd.grad", "grad_outputs"))
    if core.size != 1:
        raise RuntimeError(
            f"torch.autograd.grad: an output has shape {tuple(core.gshape)}; give the grad_outputs of its elements"
        )
    return core.resplit(None).local.sum(), None
