# SPDX-License-Identifier: BSD-3-Clause
"""Models on all ranks take the steps that one process with all samples takes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import equiheat as ht
from equiheat.optim.reducer import Reducer
from equiheat.optim.utils import DetectMetricPlateau


class Net(torch.nn.Module):
    """A layer that is used twice, one that only the first call of an epoch uses, one that is never used."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(3, 5).double()
        self.shared = torch.nn.Linear(5, 5).double()
        self.sometimes = torch.nn.Linear(5, 5).double()
        self.never = torch.nn.Linear(2, 2).double()
        self.last = torch.nn.Linear(5, 1)

    def forward(self, x: torch.Tensor, more: bool = False) -> torch.Tensor:
        h = torch.tanh(self.shared(torch.tanh(self.shared(self.first(x)))))
        h = self.sometimes(h) if more else h
        return self.last(h.float())


def net(seed: int) -> Net:
    torch.manual_seed(seed)
    return Net()


def batches(count: int, size: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(7)
    return [(torch.randn(size, 3, generator=generator, dtype=torch.float64), torch.randn(size, 1, generator=generator))
            for _ in range(count)]  # fmt: skip


def reference(steps: list[Any], lr: float = 0.2) -> Net:
    """What one process with all samples learns, from the parameters of rank 0."""
    model = net(0)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    for number, (x, y) in enumerate(steps):
        optimizer.zero_grad(set_to_none=False)
        torch.nn.functional.mse_loss(model(x, more=number == 0), y).backward()
        optimizer.step()
    return model


def assert_parameters(got: torch.nn.Module, wanted: torch.nn.Module) -> None:
    for (name, one), (_, other) in zip(got.named_parameters(), wanted.named_parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("blocking", [True, False])
@pytest.mark.parametrize("several", [False, True])
def test_steps_of_one_process_with_all_samples(blocking: bool, several: bool) -> None:
    comm = ht.get_comm()
    model = net(comm.rank)  # rank 0's parameters win
    rest = [p for name, p in model.named_parameters() if "first" not in name]
    groups = [model.first.parameters(), rest] if several else [model.parameters()]
    optimizers = [ht.optim.DataParallelOptimizer(torch.optim.SGD(g, lr=0.2, momentum=0.9)) for g in groups]
    parallel = ht.nn.DataParallel(model, comm, optimizers if several else optimizers[0], blocking)
    assert all(o.blocking_parameter_updates is blocking for o in optimizers)
    steps = batches(4, 2 * comm.size)
    for number, (x, y) in enumerate(steps):
        for optimizer in optimizers:
            optimizer.zero_grad()
        rows = slice(2 * comm.rank, 2 * comm.rank + 2)
        torch.nn.functional.mse_loss(parallel(x[rows], more=number == 0), y[rows]).backward()
        for optimizer in optimizers:
            optimizer.step()
    assert_parameters(model, reference(steps))
    assert model.never.weight.grad is None or not model.never.weight.grad.any()


def test_gradients_of_some_ranks_many_buckets_and_accumulation() -> None:
    comm = ht.get_comm()
    torch.manual_seed(0)
    model = torch.nn.Sequential(*[torch.nn.Linear(4, 4) for _ in range(5)])
    reducer = Reducer(model.parameters(), comm, bucket_bytes=40)  # every parameter a bucket
    x = torch.full((1, 4), float(comm.rank + 1))

    def loss(rank: int, x: torch.Tensor) -> torch.Tensor:
        layers = model[1:] if rank == 0 else model  # rank 0 does not use the first layer
        return torch.nn.Sequential(*layers)(x).square().sum()

    for _ in range(2):  # gradients add up
        loss(comm.rank, x).backward()
    got = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    reducer.remove()
    model.zero_grad()
    for rank in range(comm.size):
        (loss(rank, torch.full((1, 4), float(rank + 1))) * 2 / comm.size).backward()
    wanted = [p.grad for p in model.parameters() if p.grad is not None]
    torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5)


def test_no_sync_adds_up_on_each_rank() -> None:
    comm = ht.get_comm()
    model = net(1)
    optimizer = ht.optim.DataParallelOptimizer(torch.optim.SGD(model.parameters(), lr=0.1))
    parallel = ht.nn.DataParallel(model, comm, optimizer, True)
    ((x, y),) = batches(1, 2 * comm.size)
    mine = slice(comm.rank, None, comm.size)
    with parallel.no_sync():
        torch.nn.functional.mse_loss(parallel(x[mine][:1]), y[mine][:1]).backward()
    torch.nn.functional.mse_loss(parallel(x[mine][1:]), y[mine][1:]).backward()
    other = net(1)
    other.load_state_dict(model.state_dict())
    (2 * torch.nn.functional.mse_loss(other(x), y)).backward()
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-5, atol=1e-6)


def test_going_on_from_a_checkpoint() -> None:
    comm, learnt = ht.get_comm(), []
    steps = batches(4, 2)
    for stops in (False, True):
        model = net(0)
        optimizer = ht.optim.DataParallelOptimizer(torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9))
        parallel = ht.nn.DataParallel(model, comm, optimizer)
        for number, (x, y) in enumerate(steps):
            if stops and number == 2:
                kept = parallel.state_dict(), optimizer.state_dict()
                model = net(1)
                optimizer = ht.optim.DataParallelOptimizer(torch.optim.SGD(model.parameters(), lr=9.0, momentum=0.9))
                parallel = ht.nn.DataParallel(model, comm, optimizer)
                parallel.load_state_dict(kept[0])
                optimizer.load_state_dict(kept[1])
                assert optimizer.param_groups[0]["lr"] == 0.2
            optimizer.zero_grad(set_to_none=True)
            assert model.last.weight.grad is None
            torch.nn.functional.mse_loss(parallel(x, more=True), y).backward()
            optimizer.step()
        learnt.append(model)
    assert_parameters(*learnt)


def test_arguments() -> None:
    model = net(0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(TypeError, match="blocking"):
        ht.optim.DataParallelOptimizer(optimizer, "no")
    with pytest.raises(TypeError, match="DataParallelOptimizer"):
        ht.nn.DataParallel(model, ht.get_comm(), optimizer)
    daso = ht.optim.DASO(optimizer, 3)
    with pytest.raises(TypeError, match="MultiGPU"):
        ht.nn.DataParallel(model, ht.get_comm(), daso)
    with pytest.raises(TypeError, match="DASO"):
        ht.nn.DataParallelMultiGPU(model, optimizer)
    with pytest.raises(ValueError, match="last_batch"):
        daso.step()
    for name, bad in (("total_epochs", 0), ("warmup_epochs", -1), ("sending_chunk_size", 0)):
        with pytest.raises(ValueError, match=name):
            ht.optim.DASO(optimizer, **{"total_epochs": 2, name: bad})
    for bad in (0, -1, 1.5):
        with pytest.raises(ValueError, match="ranks_per_node must be a positive integer"):
            ht.optim.DASO(optimizer, 2, ranks_per_node=bad)
    for name, bad in (("total_epochs", 1.5), ("stability_level", 1), ("verbose", 1), ("downcast_type", "half")):
        with pytest.raises(TypeError, match=name):
            ht.optim.DASO(optimizer, **{"total_epochs": 2, name: bad})
    with pytest.raises(ValueError, match="downcast_type"):
        ht.optim.DASO(optimizer, 2, downcast_type=torch.float64)
    assert ht.nn.Linear is torch.nn.Linear and ht.optim.Adam is torch.optim.Adam
    assert ht.nn.functional.relu is torch.nn.functional.relu
    assert ht.optim.lr_scheduler.StepLR is torch.optim.lr_scheduler.StepLR
    for module in (ht.nn, ht.nn.functional, ht.optim, ht.optim.lr_scheduler):
        with pytest.raises(AttributeError):
            module.no_such_name  # noqa: B018


@pytest.mark.parametrize("per_node", [None, 1, 2])
def test_daso_warms_up_as_data_parallel(per_node: int | None) -> None:
    comm = ht.get_comm()
    if per_node == 2 and comm.size % 2:
        return  # nodes of one size have equal weights
    model = net(comm.rank)
    daso = ht.optim.DASO(torch.optim.SGD(model.parameters(), lr=0.2), 3, ranks_per_node=per_node)
    parallel = ht.nn.DataParallelMultiGPU(model, daso)
    other = net(0)
    optimizer = torch.optim.SGD(other.parameters(), lr=0.2)
    daso.last_batch = 2
    rows = slice(2 * comm.rank, 2 * comm.rank + 2)
    for x, y in batches(3, 2 * comm.size):
        daso.zero_grad()
        torch.nn.functional.mse_loss(parallel(x[rows]), y[rows]).backward()
        daso.step()
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(other(x), y).backward()
        optimizer.step()
    assert_parameters(model, other)  # the mean of equal steps is the step of the mean
    assert (daso.epoch, daso.current_batch) == (1, 0)


@pytest.mark.parametrize("per_node", [1, 2])
def test_daso_with_pauses_learns_and_ends_alike(per_node: int) -> None:
    comm = ht.get_comm()
    torch.manual_seed(comm.rank)
    model = torch.nn.Linear(3, 1)
    daso = ht.optim.DASO(torch.optim.SGD(model.parameters(), lr=0.05), 8, warmup_epochs=1, cooldown_epochs=1,
                         sending_chunk_size=3, max_global_skips=4, ranks_per_node=per_node)  # fmt: skip
    parallel = ht.nn.DataParallelMultiGPU(model, daso)
    truth = torch.tensor([[1.0], [-2.0], [0.5]])
    generator = torch.Generator().manual_seed(comm.rank)
    daso.last_batch = 9
    skips = []
    for _ in range(8):
        for _ in range(10):
            x = torch.randn(8, 3, generator=generator)
            daso.zero_grad()
            loss = torch.nn.functional.mse_loss(parallel(x), x @ truth)
            loss.backward()
            daso.step()
        daso.epoch_loss_logic(loss)
        skips.append(daso.global_skip)
    assert skips[0] == 4 and skips[-1] == 0 and max(skips) == 4
    weights = comm.allgather(model.weight.detach().reshape(1, -1))
    assert (weights == weights[:1]).all()
    torch.testing.assert_close(model.weight.detach().T, truth, rtol=0.05, atol=0.05)
    daso.reset()
    assert (daso.epoch, daso.global_skip) == (0, 0)


def test_plateaus_as_torch_finds_them() -> None:
    generator = torch.Generator().manual_seed(3)
    for mode in ("min", "max"):
        for threshold_mode in ("rel", "abs"):
            ours = DetectMetricPlateau(mode, 2, 0.1, threshold_mode, 1)
            weight = torch.nn.Parameter(torch.zeros(1))
            theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
                torch.optim.SGD([weight], lr=1.0), mode, 0.5, 2, 0.1, threshold_mode, 1, eps=0.0
            )
            for value in (torch.rand(40, generator=generator) + 0.5).tolist():
                before = theirs.get_last_lr()[0]
                theirs.step(value)
                assert ours.test_if_improving(value) == (theirs.get_last_lr()[0] < before)
                copy = DetectMetricPlateau()
                copy.set_state(ours.get_state())
                assert copy.get_state() == ours.get_state()
    with pytest.raises(ValueError, match="mode"):
        DetectMetricPlateau("best")


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.SparseAdam])
@pytest.mark.parametrize("blocking", [True, False])
def test_sparse_gradients(optimizer: type[torch.optim.Optimizer], blocking: bool) -> None:
    comm = ht.get_comm()
    models = []
    for _ in range(2):
        torch.manual_seed(3)
        models.append(torch.nn.Embedding(7, 3, sparse=True))
    words = torch.arange(2 * comm.size) % 5
    step = ht.optim.DataParallelOptimizer(optimizer(models[0].parameters(), lr=0.5), blocking)
    net = ht.nn.DataParallel(models[0], comm, step, blocking)
    alone = optimizer(models[1].parameters(), lr=0.5)
    for _ in range(2):
        step.zero_grad()
        net(words[2 * comm.rank : 2 * comm.rank + 2]).square().mean().backward()
        step.step()
        alone.zero_grad()
        models[1](words).square().mean().backward()
        alone.step()
    torch.testing.assert_close(models[0].weight, models[1].weight)


def test_averages_of_sparse_gradients() -> None:
    comm = ht.get_comm()
    table = torch.nn.Embedding(4, 2, sparse=True)
    table(torch.tensor([comm.rank % 4, 3])).sum().backward()
    ht.optim.average_gradients(table.parameters(), comm)
    wanted = torch.zeros(4, 2)
    for rank in range(comm.size):
        wanted[[rank % 4, 3]] += 1 / comm.size if rank % 4 != 3 else 2 / comm.size
    assert table.weight.grad is not None
    torch.testing.assert_close(table.weight.grad.to_dense(), wanted)


@pytest.mark.parametrize("ishuffle", [False, True])
def test_images_move_with_targets_of_one_axis(ishuffle: bool) -> None:
    n = 6 * ht.get_comm().size + 1
    numbers = ht.arange(n, split=0)
    images = numbers.astype(ht.float32).reshape(n, 1, 1) * ht.ones((1, 3, 2))
    dataset = ht.utils.data.Dataset(images, ishuffle=ishuffle)
    dataset.httargets, dataset.targets = numbers, numbers.larray[dataset._cut_slice]
    for _ in range(3):
        (ht.utils.data.dataset_ishuffle if ishuffle else ht.utils.data.dataset_shuffle)(
            dataset, [["data", "htdata"], ["targets", "httargets"]]
        )
        ht.utils.data.dataset_irecv(dataset)
        assert dataset.data.shape == (len(dataset.targets), 3, 2)
        assert torch.equal(dataset.data[:, 2, 1], dataset.targets.float())
    assert sorted(dataset.httargets.numpy().tolist()) == list(range(n))
