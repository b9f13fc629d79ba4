# SPDX-License-Identifier: BSD-3-Clause
"""What the fused operators take, and checks of their arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

# What the kernels read side by side, by type of device; on processors float64 too, where all is.
_READ = {"cpu": {torch.float32, torch.bfloat16}, "cuda": {torch.float32, torch.bfloat16, torch.float16}}
# Rows that fit into the shared memory of every GPU from compute capability 8.0 on.
_GPU_WIDTH, _GPU_HEAD = 1536, 128


def attention_applies(query: Tensor, key: Tensor, value: Tensor, num_heads: int) -> bool:
    """Whether there is a kernel for these; otherwise torch's operations compute."""
    return key.shape[1] > 0 and _readable((query, key, value)) and _fits(query, num_heads)


def loss_applies(tensors: dict[str, Tensor], num_heads: int) -> bool:
    """Whether there is a kernel for these; otherwise torch's operations compute."""
    target = tensors["target"]
    if (target.requires_grad and torch.is_grad_enabled()) or tensors["weight"].shape[0] == 0:
        return False
    images = target.dim() == 4  # read whatever their dtype is
    floating = [x for name, x in tensors.items() if x.is_floating_point() and not (images and name == "target")]
    if target.device.type == "cpu" and target.dtype == torch.float16:
        return False
    return _readable(floating) and _fits(tensors["query"], num_heads)


def _readable(tensors: Iterable[Tensor]) -> bool:
    tensors = list(tensors)
    device = tensors[0].device.type
    dtypes = {x.dtype for x in tensors}
    return dtypes <= _READ.get(device, set()) or (device == "cpu" and dtypes == {torch.float64})


def _fits(query: Tensor, num_heads: int) -> bool:
    if query.device.type == "cpu":
        return True
    if query.shape[2] > _GPU_WIDTH or query.shape[2] // num_heads > _GPU_HEAD:
        return False
    return _runs_on_gpu(query.device.index)


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _runs_on_gpu(index: int | None) -> bool:
    """Whether the core was built with CUDA, and for GPUs like this one."""
    built: bool = torch._C._dispatch_has_kernel_for_dispatch_key("equiheat::cross_attention", "CUDA")
    return built and torch.cuda.get_device_capability(index) >= (8, 0)


def check_attention(name: str, query: Tensor, key: Tensor, value: Tensor, num_heads: int) -> None:
    """Raise where shapes, dtypes or devices do not fit."""
    _check_kinds(name, {"query": query, "key": key, "value": value})
    _check_attention_shapes(name, query, key, value, num_heads)


def _check_attention_shapes(name: str, query: Tensor, key: Tensor, value: Tensor, num_heads: int) -> None:
    for argument, x in (("query", query), ("key", key)):
        if x.dim() != 3:
            raise ValueError(f"{name}: {argument} has shape {tuple(x.shape)}; expected 3 axes")
    expected = (query.shape[0], key.shape[1], query.shape[2])
    for argument, x in (("key", key), ("value", value)):
        if x.shape != expected:
            raise ValueError(
                f"{name}: {argument} has shape {tuple(x.shape)}; expected {expected} beside query {tuple(query.shape)} "
                f"and key {tuple(key.shape)}"
            )
    if num_heads < 1 or query.shape[2] % num_heads:
        raise ValueError(f"{name}: num_heads is {num_heads}; it must divide the width {query.shape[2]} of query")


def check_loss(name: str, tensors: dict[str, Tensor], num_heads: int, grid: tuple[int, int] | None) -> None:
    """Raise where shapes, dtypes or devices do not fit."""
    _check_kinds(name, tensors, images=grid is not None)
    query, key, weight = tensors["query"], tensors["key"], tensors["weight"]
    if weight.dim() != 2:
        raise ValueError(f"{name}: weight has shape {tuple(weight.shape)}; expected 2 axes")
    _check_attention_shapes(name, query, key, tensors["value"], num_heads)
    batch, queries, width = query.shape
    pixels = weight.shape[0]
    if key.shape[1] == 0:
        raise ValueError(f"{name}: key has shape {tuple(key.shape)}; expected at least one key per image")
    expected = {
        "weight": (pixels, width),
        "bias": (pixels,),
        "target": (batch, queries, pixels),
        "residual": (batch, queries, width),
        "mask": (batch, queries),
    }
    if grid is not None:
        _check_images(name, tensors["target"], grid, (batch, queries, pixels))
        del expected["target"]
    for argument, shape in expected.items():
        if argument in tensors and tensors[argument].shape != shape:
            given = tuple(tensors[argument].shape)
            raise ValueError(
                f"{name}: {argument} has shape {given}; expected {shape} beside query {tuple(query.shape)}, "
                f"key {tuple(key.shape)} and weight {tuple(weight.shape)}"
            )


def pixel_scale(
    name: str,
    target: Tensor,
    grid: tuple[int, int] | None,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
) -> tuple[list[float], list[float]]:
    """Mean and standard deviation per channel; none where the target is patches."""
    if grid is None:
        if mean is not None or std is not None:
            raise ValueError(f"{name}: mean and std are those of images; expected a grid beside them")
        return [], []
    channels = target.shape[1]
    shift = [0.0] * channels if mean is None else [float(x) for x in mean]
    spread = [1.0] * channels if std is None else [float(x) for x in std]
    for argument, given in (("mean", shift), ("std", spread)):
        if len(given) != channels:
            raise ValueError(f"{name}: {argument} has {len(given)} entries; expected {channels}, one per channel")
    if 0.0 in spread:
        raise ValueError(f"{name}: std is {spread}; expected no zeros")
    return shift, spread


def _check_kinds(name: str, tensors: dict[str, Tensor], *, images: bool = False) -> None:
    device, dtype = tensors["query"].device, tensors["query"].dtype
    autocast = torch.is_autocast_enabled(device.type)
    for argument, x in tensors.items():
        if x.device != device:
            raise ValueError(f"{name}: {argument} is on {x.device} but query is on {device}; expected one device")
        if argument == "mask":
            if x.dtype != torch.bool:
                raise TypeError(f"{name}: mask has dtype {x.dtype}; expected torch.bool")
            continue
        if argument == "target" and images and (x.dtype == torch.uint8 or x.is_floating_point()):
            continue
        if not x.is_floating_point():
            raise TypeError(f"{name}: {argument} has dtype {x.dtype}; expected a floating dtype")
        if x.dtype != dtype and not autocast:
            raise TypeError(f"{name}: {argument} has dtype {x.dtype} but query has {dtype}; expected one dtype")


def _check_images(name: str, target: Tensor, grid: tuple[int, int], patches: tuple[int, int, int]) -> None:
    batch, queries, pixels = patches
    rows, columns = grid
    if rows < 1 or columns < 1 or rows * columns != queries:
        raise ValueError(f"{name}: grid is {grid}; expected rows * columns = {queries}, the tokens of query")
    if target.dim() != 4 or target.shape[0] != batch:
        raise ValueError(
            f"{name}: target has shape {tuple(target.shape)}; with a grid expected images ({batch}, channels, height, "
            "width)"
        )
    height, width = target.shape[2:]
    if height % rows or width % columns or target.shape[1] * height * width != queries * pixels:
        raise ValueError(
            f"{name}: target has shape {tuple(target.shape)}; it does not divide into a grid of {rows} x {columns} "
            f"patches of {pixels} values"
        )
