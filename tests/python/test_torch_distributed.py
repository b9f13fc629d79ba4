# SPDX-License-Identifier: BSD-3-Clause
"""What torch builds on a process group, on ours: each against the same computation on one rank."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
import torch.distributed as dist
import torch.distributed._functional_collectives as functional
from torch import nn
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks
from torch.distributed.algorithms.ddp_comm_hooks import powerSGD_hook as power_sgd
from torch.distributed.algorithms.join import Join
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import Replicate, Shard, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

import equiheat  # noqa: F401  registers the backend

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torch compiles the optimisers beside it with torch.jit.script
    from torch.distributed.optim import ZeroRedundancyOptimizer

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")
ROWS = 12  # of the global batch: 1, 2 and 3 ranks have equally many


@pytest.fixture(scope="module", autouse=True)
def _group():
    dist.init_process_group("equiheat")
    yield
    dist.destroy_process_group()


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.BatchNorm1d(16).eval(), nn.Linear(16, 3)).double()


def data() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(ROWS, 6, generator=generator).double(), torch.randn(ROWS, 3, generator=generator).double()


def own(x: torch.Tensor) -> torch.Tensor:
    return x.chunk(dist.get_world_size())[dist.get_rank()]


def loss_of(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return nn.functional.mse_loss(model(x), y)


def alone(steps: int = 1) -> nn.Module:
    """The network after steps of one rank on the global batch."""
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(model, *data()).backward()
        optimizer.step()
    return model


def assert_same(model: nn.Module, reference: nn.Module, what: str = "grad", **tolerance: float) -> None:
    for (name, p), q in zip(model.named_parameters(), reference.parameters(), strict=True):
        found, expected = (p.grad, q.grad) if what == "grad" else (p, q)
        found = found.full_tensor() if hasattr(found, "full_tensor") else found
        torch.testing.assert_close(found.detach(), expected.detach(), msg=lambda m, n=name: f"{n}: {m}", **tolerance)


@pytest.mark.parametrize("options", [{}, {"gradient_as_bucket_view": True}, {"find_unused_parameters": True}])
def test_distributed_data_parallel(options):
    model = DistributedDataParallel(network(), bucket_cap_mb=0.0001, **options)
    x, y = data()
    loss_of(model, own(x), own(y)).backward()
    assert_same(model.module, alone())
    with model.no_sync():
        loss_of(model, own(x), own(y)).backward()
    loss_of(model, own(x), own(y)).backward()
    twice = network()
    (3 * loss_of(twice, x, y)).backward()
    assert_same(model.module, twice)


@pytest.mark.parametrize("hook", [default_hooks.allreduce_hook, default_hooks.fp16_compress_hook])
def test_hooks_of_data_parallel(hook):
    model = DistributedDataParallel(network())
    model.register_comm_hook(None, hook)
    x, y = data()
    loss_of(model, own(x), own(y)).backward()
    close = {"rtol": 0.02, "atol": 1e-2} if hook is default_hooks.fp16_compress_hook else {}
    assert_same(model.module, alone(), **close)


def test_a_hook_that_waits_in_its_callbacks():
    """PowerSGD reduces its factors in callbacks of the reduction before."""
    model = DistributedDataParallel(network())
    state = power_sgd.PowerSGDState(None, matrix_approximation_rank=2, start_powerSGD_iter=2)
    model.register_comm_hook(state, power_sgd.powerSGD_hook)
    x, y = data()
    losses = []
    for _ in range(6):
        model.zero_grad()
        loss_of(model, own(x), own(y)).backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad
        losses.append(loss_of(model.module, x, y).item())
    assert losses[-1] < losses[0]
    told = [None] * dist.get_world_size()
    dist.all_gather_object(told, losses)
    assert told == [losses] * len(told)


def test_ranks_may_run_out_of_batches():
    model = DistributedDataParallel(network())
    x, y = data()
    with Join([model]):
        for _ in range(1 + dist.get_rank()):
            loss_of(model, own(x), own(y)).backward()
    dist.barrier()


def test_fully_sharded_data_parallel():
    model = network()
    for layer in model:
        if isinstance(layer, nn.Linear):
            fully_shard(layer)
    fully_shard(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    x, y = data()
    for _ in range(3):
        optimizer.zero_grad()
        loss_of(model, own(x), own(y)).backward()
        optimizer.step()
    assert_same(model, alone(3), "parameters")


def test_zero_redundancy_optimizer():
    model = DistributedDataParallel(network())
    optimizer = ZeroRedundancyOptimizer(model.parameters(), torch.optim.Adam, lr=0.01)
    x, y = data()
    for _ in range(3):
        optimizer.zero_grad()
        loss_of(model, own(x), own(y)).backward()
        optimizer.step()
    assert_same(model.module, alone(3), "parameters")
    optimizer.consolidate_state_dict(0)


def test_distributed_tensors():
    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    x, y = data()
    a, b = distribute_tensor(x, mesh, [Shard(0)]), distribute_tensor(y, mesh, [Shard(0)])
    torch.testing.assert_close(a.sum().full_tensor(), x.sum())
    torch.testing.assert_close((a.T @ b).full_tensor(), x.T @ y)
    torch.testing.assert_close(a.redistribute(mesh, [Shard(1)]).full_tensor(), x)
    torch.testing.assert_close(a.redistribute(mesh, [Replicate()]).to_local(), x)


def test_tensor_parallel():
    from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    model = parallelize_module(copy.deepcopy(network()), mesh, {"0": ColwiseParallel(), "3": RowwiseParallel()})
    del model  # the layers between the two would need plans too: this checks the sharding of parameters
    first, last = nn.Linear(6, 12).double(), nn.Linear(12, 3).double()
    for p in (*first.parameters(), *last.parameters()):
        dist.broadcast(p.data, 0)
    x, _ = data()
    expected = last(first(x).relu())
    pair = nn.ModuleDict({"first": first, "last": last})
    parallelize_module(pair, mesh, {"first": ColwiseParallel(), "last": RowwiseParallel()})
    torch.testing.assert_close(pair["last"](pair["first"](x).relu()), expected)


def test_functional_collectives():
    me, n = dist.get_rank(), dist.get_world_size()
    group = list(range(n))
    x = torch.arange(3.0) + me
    total = torch.arange(3.0) * n + sum(range(n))
    assert torch.equal(functional.all_reduce(x, "sum", group), total)
    assert functional.all_gather_tensor(x, 0, group).tolist() == [i + r for r in range(n) for i in range(3)]
    assert torch.equal(functional.reduce_scatter_tensor(x.repeat(n), "sum", 0, group), total)
    even = functional.all_to_all_single(torch.arange(float(n)) + 10 * me, None, None, group)
    assert even.tolist() == [10.0 * r + me for r in range(n)]
    assert torch.equal(functional.broadcast(x, 0, group), torch.arange(3.0))


def test_gradients_through_collectives():
    from torch.distributed.nn import functional as differentiable

    x = torch.full((2,), 1.0 + dist.get_rank(), requires_grad=True)
    (differentiable.all_reduce(x) ** 2).sum().backward()
    total = sum(1.0 + r for r in range(dist.get_world_size()))
    assert x.grad.tolist() == [2 * total * dist.get_world_size()] * 2


def test_checkpoint_of_a_sharded_model(tmp_path_factory):
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    model = network()
    fully_shard(model)
    state = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True))
    if dist.get_rank() == 0:
        assert {name: x.shape for name, x in state.items()} == {n: x.shape for n, x in network().state_dict().items()}
        assert all(torch.equal(state[name], x) for name, x in network().state_dict().items())
