# SPDX-License-Identifier: BSD-3-Clause
"""The upper bound of experiments/objects_mini.py: an encoder that is trained to tell the rotation, and nothing else."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from equiheat.communication import get_comm
from equiheat.data import Objects3D
from equiheat.nn.functional import all_reduce
from equiheat.ssl import Encoder
from equiheat.ssl.probes.objects import differences


def train_supervised(encoder: Encoder, data: Objects3D, *, epochs: int, batch_size: int, seed: int) -> None:
    """As many steps as the other arms, on their pairs: features of both views to a perceptron, squared error."""
    comm = get_comm()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        width = 2 * encoder.dim
        head = nn.Sequential(nn.Linear(width, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 4))
    weights = [*encoder.parameters(), *head.parameters()]
    batches = max(1, len(data) // batch_size)
    steps = epochs * batches
    optimizer = torch.optim.AdamW(weights, lr=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    encoder.train()
    for step in range(steps):
        epoch, place = divmod(step, batches)
        order = torch.randperm(len(data), generator=torch.Generator().manual_seed(1000 * seed + epoch))
        own = order[place * batch_size : (place + 1) * batch_size][comm.rank :: comm.size]
        optimizer.zero_grad()
        _error(encoder, head, data, own, epoch).backward()
        for weight in weights:
            weight.grad = all_reduce(weight.grad) / comm.size
        optimizer.step()
        schedule.step()
    encoder.eval()


def _error(encoder: Encoder, head: nn.Module, data: Objects3D, numbers: Tensor, epoch: int) -> Tensor:
    first, latents1, second, latents2 = data.read_pairs(numbers, data.pairs(numbers, epoch))
    features = encoder(torch.cat((first, second)).float() / 255).pooled
    wanted = differences(latents1, latents2)["quaternion"]
    return (head(torch.cat(features.chunk(2), dim=1)) - wanted).square().mean()
