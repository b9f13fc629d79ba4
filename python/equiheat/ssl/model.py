# SPDX-License-Identifier: BSD-3-Clause
"""Encoder and method as one module."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from equiheat.ssl.encoders import Encoder, Features
from equiheat.ssl.views import Views


class Model(nn.Module):
    """An encoder with the method that trains it.

    Parameters
    ----------
    encoder
        What is kept after training.
    method
        See `equiheat.ssl.methods`.
    """

    def __init__(self, encoder: Encoder, method: nn.Module) -> None:
        super().__init__()
        self.encoder, self.method = encoder, method

    def embed(self, views: Views) -> tuple[Features, Features]:
        """Features of both views, encoded as one batch (so BatchNorm has one set of statistics)."""
        return self.encoder(torch.cat((views.first, views.second))).halves()

    def forward(self, views: Views) -> tuple[dict[str, Tensor], tuple[Features, Features]]:
        """Terms of the loss over the global batch, and the features of both views. Collective."""
        first, second = self.embed(views)
        return self.method(first, second, views), (first, second)
