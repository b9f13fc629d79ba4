# SPDX-License-Identifier: BSD-3-Clause
"""What torch's layers and functions do with a DNDarray: a model made for tensors takes a split image unchanged.

torch asks an argument that is not a tensor what its functions mean (``__torch_function__``); `RULES` has the answer for
the functions that layers are made of, so that ``torch.nn.Conv2d(3, 8, 3)(x)`` of an image that is split along its rows
is the convolution of the whole image. `ht.nn.Conv2d` is torch's class, with its parameters and state dict.

Values are those torch gives for the whole array; all ranks must hold the same parameters. The result's split is the
input's, with the input's extents if its length along the split stays, else balanced; images that are split along the
channels are first split along their rows. Gradients of parameters are those of the whole batch and image, on every rank
(one allreduce for each, in backward): do not average them.

======================================== ==============================================================================
Functions                                Communication
======================================== ==============================================================================
activations, prelu                       none
conv, max_pool, avg_pool, interpolate,   none for a split batch; along a split axis of the image the rows that a rank's
conv_transpose, adaptive pools,          results look at and it lacks, one alltoallv
pixel_shuffle, channel_shuffle
batch_norm                               in training two allreduces of C numbers, none in evaluation
layer, group, instance, rms norm,        none, or two allreduces where the statistics' axes are split
softmax
linear                                   none, or that of a product where the features are split
dropout                                  none
embedding                                one allreduce of a number
scaled_dot_product_attention,            none where keys and values are split as the queries along a batch axis or
multi_head_attention_forward             heads; with split queries an allgather of keys and values
cross_entropy, mse_loss and other losses one allreduce of a number, and the target's move to the input's layout
pad, flatten, cat                        those of `equiheat.pad`, `reshape` and `concatenate`
======================================== ==============================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

from equiheat.nn import elementwise, losses, normalization, sequences, shuffling
from equiheat.nn._spatial import of_one_image
from equiheat.nn.convolution import convolution, transposed_convolution
from equiheat.nn.interpolation import interpolate
from equiheat.nn.multihead import multi_head_attention_forward
from equiheat.nn.pooling import adaptive_avg_pool, adaptive_max_pool, avg_pool, max_pool

_OF_AXES = {
    "conv{}d": convolution, "conv_transpose{}d": transposed_convolution, "max_pool{}d": max_pool,
    "avg_pool{}d": avg_pool, "adaptive_avg_pool{}d": adaptive_avg_pool,
    "adaptive_max_pool{}d": adaptive_max_pool,
}  # fmt: skip
_LOSSES = (
    F.binary_cross_entropy, F.binary_cross_entropy_with_logits, F.huber_loss, F.l1_loss, F.mse_loss, F.smooth_l1_loss,
)  # fmt: skip

#: From a function of torch to what computes it for arrays, with the same parameters.
RULES: dict[Callable[..., Any], Callable[..., Any]] = {
    **{
        getattr(F, name.format(axes)): of_one_image(rule(axes), axes)
        for name, rule in _OF_AXES.items()
        for axes in (1, 2, 3)
    },
    **{func: elementwise.activation(func) for func in elementwise.ACTIVATIONS},
    **{func: losses.elementwise_loss(func) for func in _LOSSES},
    **{getattr(F, name): elementwise.channel_dropout(name) for name in ("dropout1d", "dropout2d", "dropout3d")},
    F.batch_norm: normalization.batch_norm,
    F.cross_entropy: losses.cross_entropy,
    F.dropout: elementwise.dropout,
    F.embedding: sequences.embedding,
    F.glu: elementwise.glu,
    F.group_norm: normalization.group_norm,
    F.instance_norm: normalization.instance_norm,
    F.interpolate: interpolate,
    F.layer_norm: normalization.layer_norm,
    F.linear: elementwise.linear,
    F.log_softmax: elementwise.log_softmax,
    F.multi_head_attention_forward: multi_head_attention_forward,
    F.nll_loss: losses.nll_loss,
    F.normalize: elementwise.normalize,
    F.pad: elementwise.pad,
    F.prelu: elementwise.prelu,
    F.rms_norm: normalization.rms_norm,
    F.scaled_dot_product_attention: sequences.scaled_dot_product_attention,
    F.softmax: elementwise.softmax,
    F.softmin: elementwise.softmin,
    torch.cat: elementwise.cat,
    torch.channel_shuffle: shuffling.channel_shuffle,
    torch.concat: elementwise.cat,
    torch.concatenate: elementwise.cat,
    torch.flatten: elementwise.flatten,
    torch.log_softmax: elementwise.plain(elementwise.log_softmax),
    torch.pixel_shuffle: shuffling.pixel_shuffle,
    torch.pixel_unshuffle: shuffling.pixel_unshuffle,
    torch.softmax: elementwise.plain(elementwise.softmax),
}


def rule_of(func: Callable[..., Any]) -> Callable[..., Any] | None:
    """What computes this function of torch for arrays, if anything does."""
    try:
        return RULES.get(func)
    except TypeError:  # not hashable
        return None
