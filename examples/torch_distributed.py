# SPDX-License-Identifier: BSD-3-Clause
"""torch.distributed on equiheat's communicator: `mpirun -n 2 python examples/torch_distributed.py`.

No other launcher and no variables: rank, size and the way the ranks find each other come from MPI.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import Shard, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

import equiheat as ht

dist.init_process_group("equiheat")
rank, size = dist.get_rank(), dist.get_world_size()
torch.manual_seed(0)
truth = torch.tensor([[2.0], [-1.0], [0.5]])
inputs = torch.randn(240, 3)
x, y = (part.chunk(size)[rank] for part in (inputs, inputs @ truth))  # this rank's samples


def fit(model: nn.Module) -> float:
    """Train on this rank's samples; the last loss, averaged over the ranks."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    for _ in range(30):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
    dist.all_reduce(loss := loss.detach(), dist.ReduceOp.AVG)
    return float(loss)


# Data parallel: replicas whose gradients are averaged while the backward pass goes on.
replicated = DistributedDataParallel(nn.Linear(3, 1))
ht.print0("DDP: loss", round(fit(replicated), 6))

# Fully sharded: every rank keeps its part of the parameters.
sharded = nn.Sequential(nn.Linear(3, 8), nn.Linear(8, 1))
fully_shard(sharded)
ht.print0("FSDP2: loss", round(fit(sharded), 6))

# Distributed tensors of torch.
mesh = init_device_mesh("cpu", (size,))
d = distribute_tensor(inputs, mesh, [Shard(0)])
gram = (d.T @ d).full_tensor()
ht.print0("DTensor: trace of the Gram matrix", round(float(gram.trace()), 3))

# A block of a DTensor is a block of an array: no copy, no message.
a = ht.array(d.to_local(), is_split=0)
ht.print0("the same as an array", round(float(ht.linalg.trace(a.T @ a).item()), 3))
dist.destroy_process_group()
