# SPDX-License-Identifier: BSD-3-Clause
"""Images a second of a training step, beside plain torch, and of the loader alone.

Usage: mpiexec -n 2 python benchmarks/pretrain.py --data DIR [--json FILE] [--seconds S] [--bf16]

ViT-Tiny (patch 8, 64 pixels), VICReg; the same encoder, loss, batch, optimiser and files for both. Plain torch is as
lightly and solo-learn work: a data set that decodes and augments one image at a time with Pillow in a
worker process, DistributedDataParallel over gloo, gathered statistics. Blocks of both alternate; figures are medians.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import pathlib
import random
import statistics
import time
from collections.abc import Callable, Iterator

import torch
import torch.distributed as dist
from mpi4py import MPI
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, Dataset, DistributedSampler

import equiheat.ssl as ssl
from equiheat.communication import get_comm
from equiheat.data import LazyImages
from equiheat.data.images import find_images
from equiheat.ssl.encoders import TransformerBlock

WORLD = MPI.COMM_WORLD
SIZE, BATCH = 64, 64


def augmented(image: Image.Image, strong: bool) -> Image.Image:
    """Crop, mirror, colour; rotation, translation and blur for the second view: one image, by Pillow."""
    width, height = image.size
    side = round(math.sqrt(random.uniform(0.65, 1.0)) * min(width, height))
    left, top = random.randint(0, width - side), random.randint(0, height - side)
    image = image.resize((SIZE, SIZE), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))
    if random.random() < 0.5:
        image = ImageOps.mirror(image)
    if strong:
        shift = (random.uniform(-8, 8), random.uniform(-8, 8))
        image = image.rotate(random.uniform(-45, 45), Image.Resampling.BILINEAR, translate=shift)
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = enhance(image).enhance(random.uniform(0.6, 1.4))
    hue, saturation, value = image.convert("HSV").split()
    turn = random.randint(-25, 25)
    image = Image.merge("HSV", (hue.point(lambda h: (h + turn) % 256), saturation, value)).convert("RGB")
    return image.filter(ImageFilter.GaussianBlur(random.uniform(0.1, 1.5))) if strong else image


class Pairs(Dataset[tuple[Tensor, Tensor]]):
    """Two views of every file."""

    def __init__(self, files: list[pathlib.Path]) -> None:
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        with Image.open(self.files[number]) as file:
            image = file.convert("RGB")
        first, second = (
            torch.frombuffer(bytearray(augmented(image, s).tobytes()), dtype=torch.uint8) for s in (False, True)
        )
        return tuple(x.view(SIZE, SIZE, 3).permute(2, 0, 1).float() / 255 for x in (first, second))  # type: ignore[return-value]


def gathered(x: Tensor) -> Tensor:
    """All ranks' rows, with a gradient for the own ones."""
    parts = [torch.empty_like(x) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, x.detach())
    parts[dist.get_rank()] = x
    return torch.cat(parts)


def plain_vicreg(z1: Tensor, z2: Tensor) -> Tensor:
    loss = 25 * (z1 - z2).square().mean()
    for z in (gathered(z1), gathered(z2)):
        z = z - z.mean(dim=0)
        covariance = z.T @ z / (len(z) - 1)
        off = covariance.square().sum() - covariance.diagonal().square().sum()
        loss = loss + 12.5 * torch.relu(1 - (covariance.diagonal() + 1e-4).sqrt()).mean() + off / z.shape[1]
    return loss


class PlainBlock(TransformerBlock):
    """The same block with torch's attention; its linear layers are torch's where nothing is turned into ours."""

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm1(x)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        y = torch.nn.functional.scaled_dot_product_attention(q, k, v)
        x = x + self.project(y.transpose(1, 2).flatten(2))
        return x + self.mlp(self.norm2(x))


class Plain(torch.nn.Module):
    """Encoder and projector."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = ssl.build_encoder("vit-tiny-p8", image_size=SIZE, seed=0)
        for part in self.encoder.modules():
            if type(part) is TransformerBlock:
                part.__class__ = PlainBlock
        layers: list[torch.nn.Module] = []
        for before, after in ((self.encoder.dim, 512), (512, 512)):
            layers += [torch.nn.Linear(before, after, bias=False), torch.nn.BatchNorm1d(after), torch.nn.ReLU()]
        self.projector = torch.nn.Sequential(*layers, torch.nn.Linear(512, 512, bias=False))

    def forward(self, images: Tensor) -> Tensor:
        return self.projector(self.encoder(images).pooled)


def plain_steps(files: list[pathlib.Path], bf16: bool) -> Iterator[None]:
    """Plain torch, a step each time."""
    data = Pairs(files)
    sampler: DistributedSampler[tuple[Tensor, Tensor]] = DistributedSampler(data, WORLD.size, WORLD.rank)
    loader = DataLoader(
        data, BATCH // WORLD.size, sampler=sampler, num_workers=1, drop_last=True, persistent_workers=True
    )
    model = DistributedDataParallel(Plain())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    while True:
        for first, second in loader:
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                z1, z2 = model(torch.cat((first, second))).float().chunk(2)
            optimizer.zero_grad()
            plain_vicreg(z1, z2).backward()
            optimizer.step()
            yield


def our_steps(folder: pathlib.Path, bf16: bool) -> Iterator[None]:
    """The trainer on files that are decoded while it trains, a step each time."""
    config = ssl.PretrainConfig(
        data=folder, out="unused", encoder="vit-tiny-p8", image_size=SIZE, batch_size=BATCH, epochs=100
    )
    config = dataclasses.replace(config, precision="bf16" if bf16 else "fp32")
    trainer = ssl.Trainer(config, LazyImages.folder(folder, size=SIZE, threads=2))
    epoch = 0
    while True:
        for pieces in trainer._pieces(epoch, 0):
            trainer.step(pieces, epoch)
            yield
        epoch += 1


def loader_steps(folder: pathlib.Path) -> Iterator[None]:
    """Decoding alone, a rank's part of a batch each time."""
    images, part = LazyImages.folder(folder, size=SIZE, threads=2), BATCH // WORLD.size
    start = 0
    while True:
        images.batch(torch.arange(start, start + part) % len(images), 0)
        start += part
        yield


def rate(step: Callable[[], None], seconds: float) -> float:
    """Images a second of all ranks together."""
    step()
    WORLD.Barrier()
    start, count = time.perf_counter(), 0
    while WORLD.bcast(time.perf_counter() - start < seconds or count < 2, root=0):
        step()
        count += 1
    return BATCH * count / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--bf16", action="store_true", help="both under autocast to bfloat16")
    options = parser.parse_args()
    torch.set_num_threads(1)
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(WORLD.bcast(random.randint(20000, 60000), root=0))}
    dist.init_process_group("gloo", rank=WORLD.rank, world_size=WORLD.size)
    files = find_images(options.data, get_comm())
    sources = {
        "equiheat": our_steps(options.data, options.bf16),
        "plain torch": plain_steps(files, options.bf16),
        "loader": loader_steps(options.data),
    }
    rates: dict[str, list[float]] = {name: [] for name in sources}
    for _ in range(3):
        for name, steps in sources.items():
            rates[name].append(rate(lambda steps=steps: next(steps), options.seconds))  # type: ignore[misc]
    result = {name: round(statistics.median(values), 1) for name, values in rates.items()}
    result["ratio"] = round(result["equiheat"] / result["plain torch"], 2)
    result["loader / trainer"] = round(result["loader"] / result["equiheat"], 2)
    if WORLD.rank == 0:
        print(json.dumps({"ranks": WORLD.size, "images/s": result}, indent=1))
        if options.json:
            options.json.write_text(json.dumps(result, indent=1))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
