# SPDX-License-Identifier: BSD-3-Clause
"""Looking at a run while it goes: figures of the features, pictures of the reconstruction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from equiheat.communication import Communicator
from equiheat.data.source import Source
from equiheat.nn.functional import all_gather
from equiheat.ssl.collapse import spread_of_features, verdict
from equiheat.ssl.encoders import Features
from equiheat.ssl.methods import ECR, TIR, Method
from equiheat.ssl.views import Views


@torch.no_grad()
def control_terms(method: Method, views: Views, features: tuple[Features, Features]) -> dict[str, Tensor]:
    """Whether the other view is used: ``reconstruction_shuffled`` of ECR, the error with another image's. Collective.

    Taken in the step, before the weights move: only then it is comparable with ``reconstruction``.
    """
    if not isinstance(method, ECR) or method.config.keys != "other":
        return {}
    return {"reconstruction_shuffled": method.shuffled_reconstruction(*features, views)}


@torch.no_grad()
def diagnose(features: tuple[Features, Features], comm: Communicator) -> dict[str, Any]:
    """Spread of the features over the global batch, and what it tells. Collective."""
    pooled = all_gather(torch.cat((features[0].pooled, features[1].pooled)).detach().float(), comm)
    figures: dict[str, Any] = spread_of_features(pooled)
    figures["verdict"] = verdict(figures, pooled.shape[1], pooled.shape[0])
    return figures


def write_panel(path: Path, method: Method, views: Views, features: tuple[Features, Features], *, most: int) -> None:
    """Draw the first images of a batch: first view, second view, what is reconstructed, what comes out. One rank.

    Nothing is drawn for methods without reconstruction, or when this rank holds no image.
    """
    if not isinstance(method, (ECR, TIR)) or views.first.shape[0] == 0:
        return
    if isinstance(method, ECR) and method.config.keys == "shuffled":
        return  # would need the other ranks
    target = views.second
    if isinstance(method, ECR):
        target = views.first if method.config.target == "v1" else views.second
    elif views.middle is not None:
        target = views.middle[-1]
    rows = [views.first, views.second, target, method.reconstruct(*features, views)]
    path.parent.mkdir(parents=True, exist_ok=True)
    save_grid(path, [row[:most].detach().float().cpu() for row in rows])


def save_grid(path: Path, rows: list[Tensor]) -> None:
    """A PNG of rows of images (n, 3, H, W), 0 to 1, small ones enlarged."""
    from PIL import Image

    picture = torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1).clamp(0, 1)
    scale = max(1, 64 // rows[0].shape[2])
    pixels = (picture * 255).round().byte().permute(1, 2, 0)
    pixels = pixels.repeat_interleave(scale, 0).repeat_interleave(scale, 1)
    Image.fromarray(pixels.numpy()).save(path)


def skipped_everywhere(data: Source, comm: Communicator) -> list[str]:
    """Files that any rank could not read. Collective: one allgatherv of their names."""
    own = "\n".join(data.skipped).encode()
    text = comm.allgatherv(torch.tensor(list(own + b"\n"), dtype=torch.uint8))
    return sorted({name for name in bytes(text.tolist()).decode(errors="replace").split("\n") if name})
