# SPDX-License-Identifier: BSD-3-Clause
"""A training step of ResNet-18 under torch's DistributedDataParallel: backend equiheat beside gloo.

Usage: mpiexec -n 2 python benchmarks/ddp.py [--batch 4 16] [--image 64] [--steps 20] [--json FILE]

Both backends train a model of the same weights on the same batches in one run, step by step in turn, and their
gradients are compared. A third model takes the same steps without communication. Times are medians (slowest rank).
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import time

os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")

import torch
import torch.distributed as dist
from mpi4py import MPI
from resnet import resnet18
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

import equiheat as ht

WORLD = MPI.COMM_WORLD
PARAMETERS = 11_689_512


def model(group: dist.ProcessGroup | None) -> nn.Module:
    """The same weights on every rank and for every backend."""
    torch.manual_seed(0)
    net = resnet18()
    return net if group is None else DistributedDataParallel(net, process_group=group)


def step(net: nn.Module, x: Tensor, y: Tensor) -> float:
    """Forward, backward and update; seconds of the slowest rank."""
    for p in net.parameters():
        p.grad = None
    WORLD.Barrier()
    start = time.perf_counter()
    nn.functional.cross_entropy(net(x), y).backward()
    with torch.no_grad():
        torch._foreach_add_(list(net.parameters()), [p.grad for p in net.parameters()], alpha=-0.01)
    return float(WORLD.allreduce(time.perf_counter() - start, MPI.MAX))


def difference(a: nn.Module, b: nn.Module) -> float:
    """Largest difference of the gradients, relative to the largest gradient of the tensor."""
    pairs = zip(a.parameters(), b.parameters(), strict=True)
    mine = max(float((p.grad - q.grad).abs().max() / q.grad.abs().max().clamp_min(1e-12)) for p, q in pairs)
    return float(WORLD.allreduce(mine, MPI.MAX))


def measure(groups: dict[str, dist.ProcessGroup | None], batch: int, image: int, steps: int) -> dict[str, float]:
    """Milliseconds a step, and how far the gradients of the first step are apart."""
    nets = {name: model(group) for name, group in groups.items()}
    times: dict[str, list[float]] = {name: [] for name in nets}
    generator = torch.Generator().manual_seed(WORLD.rank)
    result: dict[str, float] = {}
    for number in range(steps + 2):
        x = torch.randn(batch, 3, image, image, generator=generator)
        y = torch.randint(1000, (batch,), generator=generator)
        for name, net in nets.items():
            seconds = step(net, x, y)
            if number >= 2:
                times[name].append(seconds)
        if number == 0:
            result["gradient difference"] = difference(nets["equiheat"], nets["gloo"])
    return result | {name: round(1e3 * statistics.median(t), 2) for name, t in times.items()}


def allreduce(group: dist.ProcessGroup, count: int) -> float:
    """Milliseconds of one allreduce of `count` float32."""
    x = torch.ones(count)
    times = []
    for _ in range(11):
        WORLD.Barrier()
        start = time.perf_counter()
        dist.all_reduce(x, group=group)
        times.append(float(WORLD.allreduce(time.perf_counter() - start, MPI.MAX)))
    return round(1e3 * statistics.median(times[1:]), 3)


def main() -> None:
    """Print a table; rank 0 writes the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, nargs="+", default=[4, 16], help="images a rank and step")
    parser.add_argument("--image", type=int, default=64)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    dist.init_process_group("equiheat")
    groups = {"equiheat": dist.group.WORLD, "gloo": dist.new_group(backend="gloo"), "none": None}
    table = {}
    for batch in options.batch:
        row = table[f"batch {batch}"] = measure(groups, batch, options.image, options.steps)
        row["ratio"] = round(row["equiheat"] / row["gloo"], 3)
        if WORLD.rank == 0:
            print(f"ResNet-18, {batch} images of {options.image} px a rank, ms a step:", row, flush=True)
    sums = {}
    for count in (1, 1 << 14, PARAMETERS):
        sums[f"{4 * count} bytes"] = {name: allreduce(g, count) for name, g in groups.items() if g is not None}
    if WORLD.rank == 0:
        print("allreduce, ms:", sums)
        if options.json:
            commit = subprocess.run(
                ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
            )
            about = {
                "command": f"mpiexec -n {WORLD.size} python benchmarks/ddp.py",
                "commit": commit.stdout.strip(),
                "machine": f"{os.cpu_count()} cores",
                "torch": torch.__version__,
                "ranks": WORLD.size,
                "image": options.image,
                "steps": options.steps,
            }
            whole = {"about": about, "milliseconds a step": table, "milliseconds of an allreduce": sums}
            options.json.write_text(json.dumps(whole, indent=1) + "\n")
    dist.destroy_process_group()


if __name__ == "__main__":
    ht.get_comm()
    main()
