# SPDX-License-Identifier: BSD-3-Clause
"""Batch normalisation with the statistics of the global batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from equiheat.communication import Communicator, get_comm
from equiheat.nn.collectives import all_reduce


class BatchNorm(_BatchNorm):
    """``y = weight (x - mean) / sqrt(var + eps) + bias`` per channel, mean and var over the batches of all ranks.

    Parameters
    ----------
    num_features
        Channels C of the input (B, C) or (B, C, ...).
    eps, momentum, affine
        As in ``torch.nn.BatchNorm2d``; the state dict has the same names.
    comm
        Communicator whose ranks share the batch; the default one when omitted.

    Notes
    -----
    In training mode with more than one rank the forward pass is collective (two allreduces of C + 1 and C numbers) and
    so is the backward pass. The batch may be split unevenly, and a rank may hold none of it. Evaluation mode never
    communicates.
    """

    def __init__(
        self,
        num_features: int,
        *,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        comm: Communicator | None = None,
    ) -> None:
        super().__init__(num_features, eps=eps, momentum=momentum, affine=affine)
        self.comm = comm
        self.finish: nn.Module | None = None  # what a converted layer does after normalising

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2 or input.shape[1] != self.num_features:
            raise ValueError(f"BatchNorm: x has shape {tuple(input.shape)}; expected (B, {self.num_features}, ...)")

    def forward(self, input: Tensor) -> Tensor:
        """Normalise x of shape (B, C) or (B, C, ...)."""
        y = self._normalize(input)
        return y if self.finish is None else self.finish(y)

    def _normalize(self, input: Tensor) -> Tensor:
        comm = get_comm() if self.comm is None else self.comm
        if not self.training or comm.size == 1:
            return super().forward(input)
        self._check_input_dim(input)
        mean, var, count = global_moments(input, comm)
        self._track(mean.detach(), var.detach(), count)
        scale = (var + self.eps).rsqrt()
        if self.weight is not None:
            scale = scale * self.weight
        shift = -mean * scale if self.bias is None else self.bias - mean * scale
        shape = (1, -1) + (1,) * (input.dim() - 2)
        return torch.addcmul(shift.view(shape), input.to(scale.dtype), scale.view(shape)).to(input.dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, var: Tensor, count: float) -> None:
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        unbiased = var * (count / max(count - 1, 1.0))
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)


def global_moments(x: Tensor, comm: Communicator) -> tuple[Tensor, Tensor, float]:
    """Mean and biased variance per channel over the ranks' batches, and the count of values per channel.

    Two passes (mean first, then squared distances to it), in float32 at least. Collective.
    """
    axes = [axis for axis in range(x.dim()) if axis != 1]
    x = x if x.dtype == torch.float64 else x.float()
    local = torch.full((1,), x.numel() // max(x.shape[1], 1), dtype=x.dtype, device=x.device)
    total = all_reduce(torch.cat((x.sum(dim=axes), local)), comm)
    count = float(total.detach()[-1])
    if count == 0:
        raise ValueError("BatchNorm: the global batch is empty; evaluate instead, or skip the batch on all ranks")
    mean = total[:-1] / count
    centered = x - mean.view((1, -1) + (1,) * (x.dim() - 2))
    var = all_reduce(centered.square().sum(dim=axes), comm) / count
    return mean, var, count


def share_statistics(module: nn.Module, comm: Communicator | None = None) -> nn.Module:
    """Give every batch normalisation below ``module`` the statistics of ``comm``'s ranks; no communication.

    Layers of torch (and timm's that carry an activation) are replaced by `BatchNorm` with the same parameters, buffers
    and names in the state dict. Returns the module, or its replacement when it is such a layer itself.
    """
    if isinstance(module, BatchNorm):
        module.comm = comm
    elif isinstance(module, _BatchNorm):
        return _converted(module, comm)
    for name, child in module.named_children():
        replacement = share_statistics(child, comm)
        if replacement is not child:
            setattr(module, name, replacement)
    return module


def _converted(layer: _BatchNorm, comm: Communicator | None) -> BatchNorm:
    momentum = 0.1 if layer.momentum is None else layer.momentum
    new = BatchNorm(layer.num_features, eps=layer.eps, momentum=momentum, affine=layer.affine, comm=comm)
    new.weight, new.bias = layer.weight, layer.bias
    new.running_mean, new.running_var = layer.running_mean, layer.running_var
    new.num_batches_tracked = layer.num_batches_tracked
    after = [part for part in (getattr(layer, "drop", None), getattr(layer, "act", None)) if part is not None]
    new.finish = nn.Sequential(*after) if after else None
    return new.train(layer.training)


__all__ = ["BatchNorm", "global_moments", "share_statistics"]
