# SPDX-License-Identifier: BSD-3-Clause
"""Encoder, teacher and method as one module."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from equiheat.ssl.encoders import Encoder, Features
from equiheat.ssl.methods.base import Method, Others, teacher_of, update_teacher
from equiheat.ssl.views import Views


class Model(nn.Module):
    """An encoder with the method that trains it, and a teacher where the method wants one.

    Parameters
    ----------
    encoder
        What is kept after training.
    method
        See `equiheat.ssl.methods`.
    """

    def __init__(self, encoder: Encoder, method: Method) -> None:
        super().__init__()
        self.encoder, self.method = encoder, method
        self.teacher = cast(Encoder, teacher_of(encoder)) if method.uses_teacher else None

    def embed(self, views: Views) -> tuple[Features, Features]:
        """Features of both views, encoded as one batch (so BatchNorm has one set of statistics)."""
        return self.encoder(torch.cat(self.method.student_images(views))).halves()

    def others(self, views: Views) -> Others:
        """What the method wants beside the features of the views. Collective where a layer is."""
        teacher = original = None
        local: tuple[Features, ...] = ()
        if self.teacher is not None:
            with torch.no_grad():
                teacher = self.teacher(torch.cat((views.first, views.second))).halves()
        if self.method.uses_original and views.original is not None:
            original = self.encoder(views.original)
        if self.method.uses_local and views.local is not None:
            crops: Features = self.encoder(views.local.flatten(0, 1))
            shape = views.local.shape[:2]
            tokens, pooled = crops.tokens.unflatten(0, shape), crops.pooled.unflatten(0, shape)
            local = tuple(Features(*pair) for pair in zip(tokens, pooled, strict=True))
        return Others(teacher, local, original)

    def forward(self, views: Views) -> tuple[dict[str, Tensor], tuple[Features, Features]]:
        """Terms of the loss over the global batch, and the features of both views. Collective."""
        first, second = self.embed(views)
        return self.method(first, second, views, self.others(views)), (first, second)

    def update_teacher(self) -> None:
        """Move the teacher and the method's own teachers one step; after the optimiser's step. No communication."""
        if self.teacher is None:
            return
        for student, teacher in [(self.encoder, self.teacher), *self.method.teacher_pairs()]:
            update_teacher(student, teacher, self.method.momentum)
