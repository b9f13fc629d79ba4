# SPDX-License-Identifier: BSD-3-Clause
"""Losses of split predictions: means over the elements of all ranks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from equiheat import blocks
from equiheat._base import wrap
from equiheat.construction import asarray
from equiheat.nn._spatial import block_of, laid_out, result


def _reduced(name: str, each: Any, reduction: str) -> Any:
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{name}: reduction must be none, mean or sum, is {reduction!r}")
    return each if reduction == "none" else each.mean() if reduction == "mean" else each.sum()


def _check_modern(name: str, size_average: bool | None, reduce: bool | None) -> None:
    if size_average is not None or reduce is not None:
        raise TypeError(f"{name}: size_average and reduce are not supported for DNDarrays; use reduction")


#: Losses whose weight has the input's shape; those of probabilities broadcast theirs.
_WEIGHTED = ("mse_loss", "huber_loss")  # torch does not tell us that of l1_loss


def elementwise_loss(func: Callable[..., Any]) -> Callable[..., Any]:
    """The rule of a loss of two arrays of one shape, element by element."""
    name = func.__name__

    def rule(
        input: Any,
        target: Any,
        *,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        **options: Any,
    ) -> Any:
        _check_modern(name, size_average, reduce)
        x, y = asarray(input), asarray(target)
        if tuple(x.shape) != tuple(y.shape):
            raise ValueError(f"{name}: input {tuple(x.shape)} and target {tuple(y.shape)} must have one shape")
        core = x._core if x._core.split is not None else x.resplit(y.split)._core
        core_y = laid_out(y, core)
        each = result(core, func(core.local, core_y, reduction="none", **options), core.gshape)
        if weight is None:
            return _reduced(name, each, reduction)
        if name in _WEIGHTED and tuple(weight.shape) != tuple(each.shape):
            raise ValueError(f"{name}: weight {tuple(weight.shape)} must have the shape of input {tuple(each.shape)}")
        total = _reduced(name, each * asarray(weight), "sum" if reduction == "mean" else reduction)
        if reduction != "mean":
            return total
        return total / asarray(weight).sum() if name == "mse_loss" else total / max(each.size, 1)

    return rule


def _by_class(input: Any, name: str) -> blocks.Array:
    """The predictions (C,) or (N, C, ...), every class on every rank. May communicate."""
    core = block_of(input, name)
    if core.ndim == 0:
        raise ValueError(f"{name}: input must have a class axis, has shape ()")
    classes = 1 if core.ndim > 1 else 0
    if core.split != classes:
        return core
    return core.resplit(None if core.ndim == 1 else 0 if core.ndim == 2 else 2)


def _of_classes(name: str, core: blocks.Array, target: Any, options: dict[str, Any], reduction: str) -> Any:
    y = asarray(target)
    classes = 1 if core.ndim > 1 else 0
    shape = [n for k, n in enumerate(core.gshape) if k != classes]
    probabilities = list(y.shape) == list(core.gshape) and y.larray.is_floating_point()
    if not probabilities and list(y.shape) != shape:
        raise ValueError(f"{name}: target {tuple(y.shape)} does not fit input {tuple(core.gshape)}; expected {shape}")
    split = None if core.split is None else core.split - (core.split > classes)
    labels = laid_out(y, core, core.split if probabilities else split)
    weight = blocks.entered(core, options.pop("weight", None))
    each = getattr(F, name)(core.local, labels, weight=weight, reduction="none", **options)
    losses = wrap(blocks.array(each, shape, split, core.counts, core))
    if reduction != "mean" or probabilities:
        total = _reduced(name, losses, reduction if reduction != "mean" else "sum")
        return total / max(losses.size, 1) if reduction == "mean" else total
    counted = (labels != options["ignore_index"]).to(core.local.dtype)
    if weight is not None:
        counted = counted * weight.detach()[labels.clamp(0, weight.numel() - 1)]
    return losses.sum() / wrap(blocks.array(counted, shape, split, core.counts, core)).sum()


def cross_entropy(
    input: Any,
    target: Any,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """The rule of ``torch.nn.functional.cross_entropy``: of class numbers, or of probabilities."""
    _check_modern("cross_entropy", size_average, reduce)
    options = {"weight": weight, "ignore_index": ignore_index, "label_smoothing": label_smoothing}
    return _of_classes("cross_entropy", _by_class(input, "cross_entropy"), target, options, reduction)


def nll_loss(
    input: Any,
    target: Any,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The rule of ``torch.nn.functional.nll_loss``."""
    _check_modern("nll_loss", size_average, reduce)
    options = {"weight": weight, "ignore_index": ignore_index}
    return _of_classes("nll_loss", _by_class(input, "nll_loss"), target, options, reduction)
